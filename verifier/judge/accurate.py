"""Which of many numbers are certainly ACCURATE, in floats; what is not certainly so is for `judgement`, one by one.

The truth is m +- r with m = high + low, and ulp(m) = 2^k. `judgement` counts in units of 2^(k - 48): with v the value,

    E = ceil(|v - m| + r)                                   error, where v is a multiple of a unit
    B = floor(K (1 + u c / ulp) 2^48) + 2^28                budget

and reports E / 2^48 and B / 2^48 ulps to four significant digits. The floats here are known to

    d = |(v - high) - low| in ulps      (1 +- 2^-51) d +- 2^-52 |m| 2^-54 / ulp, thus d 2^48 to 2^-51 of it and +- 2^-5
    r                                   below 2^-108 |m|, thus below 2^-7 units
    b = K (1 + u c / ulp) + 2^-20       (1 +- 2^-50) b, and B is less than a unit below it

(v - high is exact where v and high are within a factor of two; else low is nothing beside it. |m| < 2^53 ulp, and high
+ low is m to 2^-106 of it.) So d < b (1 - 2^-30) proves E <= B, as b >= 4. Whatever falls within these bounds of a
boundary (a digit that rounds, an error of so many units, a truth that is tiny or presumably zero) is left out.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np

from verifier.judge.number import RESOLUTION, TIE, Yardstick

__all__ = ["Accurate", "accurate", "four_digits", "nothing_known"]

_NEAR = 2.0**-30
"""Relative room around every boundary: far above the errors of the floats, which are below 2^-35."""
_UNIT = 2.0**-RESOLUTION
_UNITS_SLACK = 2.0**-4
"""Units: 2^-5 + 2^-7 and the rounding of these sums."""
_FEW_UNITS = 2.0**38
"""Below so many units an error is counted, beyond them its floats have 2^-35 of relative error."""
_SAFE = (-900, 900)
"""Exponents of the truth in which no step here underflows or overflows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accurate:
    """Where `certain` the number is ACCURATE; `ulps` and `budget` are its error and its yardstick, to 2^-35 of them.

    `shown_ulps` and `shown_budget` are the exact ones to four significant digits. Elsewhere nothing is said.
    """

    certain: np.ndarray
    ulps: np.ndarray
    budget: np.ndarray
    shown_ulps: np.ndarray
    shown_budget: np.ndarray

    counted_below: ClassVar[float] = _FEW_UNITS * _UNIT
    """Ulps: errors below are exact."""

    def columns(self, chosen: slice) -> Accurate:
        return Accurate(**{each.name: getattr(self, each.name)[:, chosen] for each in fields(self)})


def nothing_known(values: np.ndarray) -> Accurate:
    """Of numbers whose truths are not known in floats."""
    none = np.zeros(values.shape)
    return Accurate(certain=none != 0, ulps=none, budget=none, shown_ulps=none, shown_budget=none)


def accurate(
    values: np.ndarray, high: np.ndarray, low: np.ndarray, condition: np.ndarray, yardstick: Yardstick
) -> Accurate:
    """What is certain about the numbers; arrays of one shape, truths that are not known so well as NaN."""
    with np.errstate(all="ignore"):
        place = _place_of_ulp(np.frexp(np.abs(high))[1] - 1, yardstick)
        error, counted = _error(np.ldexp(np.abs((values - high) - low), -place))
        budget = _budget(condition, place, yardstick)
        size = np.ldexp(np.abs(high), -place)
        within = (error < budget * (1 - _NEAR)) & _is_narrow(error, budget, size, yardstick)
        certain = counted & within & np.isfinite(values + condition) & _is_plain(high, low, yardstick)
    zero = (high == 0) & (values == 0) & (condition == 0)  # then an ulp is the yardstick, and there is no error
    error, budget = np.where(zero, 0.0, error), np.where(zero, float(yardstick.allowance) + TIE * _UNIT, budget)
    (shown_ulps, ulps_certain), (shown_budget, budget_certain) = four_digits(error), four_digits(budget)
    return Accurate(
        certain=(zero | certain) & ulps_certain & budget_certain,
        ulps=error,
        budget=budget,
        shown_ulps=shown_ulps,
        shown_budget=shown_budget,
    )


def _is_plain(high: np.ndarray, low: np.ndarray, yardstick: Yardstick) -> np.ndarray:
    """Whether the truth is normal, its ulp that of `high`, and no step of the arithmetic under- or overflows."""
    fraction, exponent = np.frexp(np.abs(high))
    inside = (exponent > _SAFE[0]) & (exponent < _SAFE[1]) & (np.abs(high) >= 2 * yardstick.form.smallest_normal)
    return inside & ((fraction != 0.5) | (low == 0))  # just below a power of two the ulp is half


def _place_of_ulp(exponent: np.ndarray, yardstick: Yardstick) -> np.ndarray:
    """k of ulp = 2^k at truths of these exponents."""
    form = yardstick.form
    least = form.min_exponent if yardstick.flushes_subnormals else form.least_exponent
    return np.maximum(np.minimum(exponent, form.max_exponent) - form.precision + 1, least)


def _error(distance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """E / 2^48 from d, and where it is certain: few units are counted, and any error at all is one at least."""
    units = distance / _UNIT
    fewest = np.maximum(np.ceil(units * (1 - _NEAR**2) - _UNITS_SLACK), np.where(units > 0, 1.0, 0.0))
    most = np.where(units > 0, np.ceil(units * (1 + _NEAR**2) + _UNITS_SLACK), 0.0)
    many = units >= _FEW_UNITS
    return np.where(many, distance, most * _UNIT), many | (fewest == most)


def _budget(condition: np.ndarray, place: np.ndarray, yardstick: Yardstick) -> np.ndarray:
    share = np.ldexp(condition, -place - yardstick.form.precision)
    return float(yardstick.allowance) * (1 + share) + TIE * _UNIT


def _is_narrow(error: np.ndarray, budget: np.ndarray, size: np.ndarray, yardstick: Yardstick) -> np.ndarray:
    """Whether the yardstick (or K ulps that the error stays within) is certainly below half of the truth."""
    own, room = float(yardstick.allowance), 1 - _NEAR
    return (2 * budget < size * room) | ((error < own * room) & (2 * own < size * room))


def four_digits(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Non-negative numbers rounded to four significant digits as decimal text rounds them, and where that is certain.

    It is where 2^-35 more or less would not change a digit. n 10^k is one correctly rounded operation on exact floats.
    """
    with np.errstate(all="ignore"):
        power = np.floor(np.log10(np.where(numbers > 0, numbers, 1.0))) - 3
        power = np.where(_scaled(numbers, power) < 1000, power - 1, power)
        power = np.where(_scaled(numbers, power) >= 10000, power + 1, power)
        digits = _scaled(numbers, power)
        whole = np.rint(digits)
        rounded = np.where(power < 0, whole / _tens(-power), whole * _tens(power))
        certain = (np.abs(np.abs(digits - whole) - 0.5) > 10000 * _NEAR) & (np.abs(power) < 20)
        certain &= (digits > 1000 * (1 - _NEAR)) & (digits < 10000)
    return np.where(numbers == 0, 0.0, rounded), certain | (numbers == 0)


def _scaled(numbers: np.ndarray, power: np.ndarray) -> np.ndarray:
    return np.where(power < 0, numbers * _tens(-power), numbers / _tens(power))


def _tens(power: np.ndarray) -> np.ndarray:
    """10^power, exactly; meaningless for powers that are left out."""
    return _TENS[np.clip(np.nan_to_num(power), 0, len(_TENS) - 1).astype(int)]


_TENS = np.array([float(10**power) for power in range(23)])
"""Every power of ten that a float holds."""
