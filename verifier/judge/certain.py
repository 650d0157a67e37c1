"""What is certain about many numbers at once, in floats; what is not certain is for `judgement`, one by one.

The truth is m +- r with m = high + low, and ulp(m) = 2^k. `judgement` counts in units of 2^(k - 48): with v the value,

    E = ceil(|v - m| + r)                                   error, where v is a multiple of a unit
    B = floor(K (1 + u c / ulp) 2^48) + 2^28                budget

and reports E / 2^48 and B / 2^48 ulps to four significant digits. The floats here are known to

    d = |(v - high) - low| in ulps      (1 +- 2^-51) d +- 2^-52 |m| 2^-54 / ulp, thus d 2^48 to 2^-51 of it and +- 2^-5
    r                                   below 2^-108 |m|, thus below 2^-7 units
    b = K (1 + u c / ulp) + 2^-20       (1 +- 2^-33) b, as c is known to 2^-34 of |m| + c, and u |m| is below an ulp;
                                        B is less than a unit below it

(v - high is exact where v and high are within a factor of two; else low is nothing beside it. |m| < 2^53 ulp, and high
+ low is m to 2^-106 of it.) So d < b (1 - 2^-30) proves E <= B, as b >= 4, and d > b (1 + 2^-30) that the least error,
E - 2 r - 2 units, is above B. Whatever falls within these bounds of a boundary (a digit that rounds, an error of so
many units, the bits that may be lost) is left out, and so is a truth that is beyond the dtype or zero.

A truth below 2^-900 is given times 2^s, and so are v and c here: then c is known to 2^-1055 2^s, which costs b another
2^-34 of an ulp, and what is below 2^-900 even so moves E by its one unit, whatever it is.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from enum import IntEnum

import numpy as np

from verifier.arithmetic.floats import Format
from verifier.judge.number import RESOLUTION, TIE, Yardstick, failing_bits
from verifier.model.verdict import NumberClass

__all__ = ["Certain", "Kind", "certain", "four_digits"]

_NEAR = 2.0**-30
"""Relative room around every boundary: far above the errors of the floats, which are below 2^-33."""
_UNIT = 2.0**-RESOLUTION
_UNITS_SLACK = 2.0**-4
"""Units: 2^-5 + 2^-7 and the rounding of these sums."""
_ANY = 2.0**-1000
"""Stands for any error that is far below a unit."""
_FEW_UNITS = 2.0**38
"""Below so many units an error is counted, beyond them its floats have 2^-35 of relative error."""
_SAFE = (-900, 900)
"""Exponents of the truth in which no step here underflows or overflows."""


class Kind(IntEnum):
    """What is certain about a number."""

    NOTHING = 0
    ACCURATE = 1
    VACUOUS = 2
    UNDERFLOW = 3
    LOSSY = 4
    FAILING = 5
    """LOSSY, and more bits are lost than may be."""

    @property
    def number_class(self) -> NumberClass:
        return NumberClass.LOSSY if self is Kind.FAILING else NumberClass[self.name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Certain:
    """Arrays of shape (points, components): the `Kind` of each number, and where that is not NOTHING its error and its
    yardstick in ulps and the bits that it lost, all to 2^-33; `shown_*` are the exact ones to four significant digits.
    NaN for VACUOUS ones: what is beyond an error's reach has no ulps to speak of.
    """

    kind: np.ndarray
    ulps: np.ndarray
    budget: np.ndarray
    lost_bits: np.ndarray
    shown_ulps: np.ndarray
    shown_budget: np.ndarray

    def columns(self, chosen: slice) -> Certain:
        return Certain(**{each.name: getattr(self, each.name)[:, chosen] for each in fields(self)})

    def but(self, where: np.ndarray) -> Certain:
        """Nothing is certain there."""
        return replace(self, kind=np.where(where, Kind.NOTHING, self.kind))


def certain(
    values: np.ndarray,
    high: np.ndarray,
    low: np.ndarray,
    condition: np.ndarray,
    yardstick: Yardstick,
    scale: np.ndarray | int = 0,
    radius: np.ndarray | float = np.nan,
) -> Certain:
    """What is certain about the numbers; arrays of one shape, as in `truth.in_floats.Columns`."""
    form, own = yardstick.form, float(yardstick.allowance)
    with np.errstate(all="ignore"):
        value, moved = np.ldexp(values, scale), np.ldexp(condition, scale)
        place = _place_of_ulp(_exponent(high, low) - scale, yardstick) + scale
        distance = np.abs((value - high) - low)
        error, counted = _error(np.maximum(np.ldexp(distance, -place), np.where(distance > 0, _ANY, 0.0)))
        unavoidable = 1 + np.ldexp(moved, -place - form.precision)
        budget = own * unavoidable + TIE * _UNIT
        lost = np.log2(error / unavoidable)
        size = np.ldexp(np.abs(high), -place)
        normal = np.ldexp(form.smallest_normal, scale)
        tiny, small = np.abs(high) < normal, np.abs(value) <= normal
        near = np.where(tiny & small, _underflowing(value), _narrow(error, budget, size, own))
        far = np.where(tiny, np.where(small & (value * high >= 0), Kind.UNDERFLOW, Kind.NOTHING), _lossy(lost, form))
        kind = np.where(error < budget * (1 - _NEAR), near, np.where(error > budget * (1 + _NEAR), far, Kind.NOTHING))
        known = counted & np.isfinite(error + value + moved) & _is_plain(high, scale, form)
        known &= ~(yardstick.flushes_subnormals & (value != 0) & (np.abs(value) < normal))  # no multiple of a unit
        loose = np.isnan(low) & _says_nothing(values, high, radius, condition, yardstick)
    zero = (high == 0) & (low == 0) & (values == 0) & (condition == 0)  # an ulp is the yardstick, there is no error
    error, budget = np.where(zero, 0.0, error), np.where(zero, own + TIE * _UNIT, budget)
    (shown_ulps, ulps_known), (shown_budget, budget_known) = four_digits(error), four_digits(budget)
    kind = np.where(zero, Kind.ACCURATE, np.where(known, kind, Kind.NOTHING))
    vacuous = loose | (kind == Kind.VACUOUS)
    kind = np.where(vacuous, Kind.VACUOUS, np.where(ulps_known & budget_known, kind, Kind.NOTHING))
    ulps, yardsticks, shown_ulps, shown_budget = (
        np.where(vacuous, np.nan, each) for each in (error, budget, shown_ulps, shown_budget)
    )
    return Certain(
        kind=kind, ulps=ulps, budget=yardsticks, lost_bits=lost, shown_ulps=shown_ulps, shown_budget=shown_budget
    )


def _says_nothing(
    values: np.ndarray, middle: np.ndarray, radius: np.ndarray | float, condition: np.ndarray, yardstick: Yardstick
) -> np.ndarray:
    """Whether the yardstick is certainly wider than the value and the truth, of which no more than a ball is known.

    K ulps of the truth may be narrow nevertheless: only where the ball holds zero there is no such ulp, and else the
    value has to be farther away. Below the normal numbers a zero underflows.
    """
    form, own, size = yardstick.form, float(yardstick.allowance), np.abs(middle)
    smallest = form.smallest_normal if yardstick.flushes_subnormals else form.smallest_subnormal
    room = own * (smallest + np.ldexp(condition, -form.precision))
    wide = (np.abs(values) + (size + radius)) * (1 + _NEAR) < room
    ulp = np.ldexp(1.0, _place_of_ulp(_exponent(middle, np.zeros_like(middle)), yardstick))
    holds_zero = size < radius * (1 - _NEAR)
    far = np.abs(values - middle) - radius > 4 * own * ulp
    return wide & (holds_zero | (far & (size > 2 * radius) & (size > 4 * form.smallest_normal)))


def _lossy(lost: np.ndarray, form: Format) -> np.ndarray:
    spare = failing_bits(form) - lost
    return np.where(np.abs(spare) < _NEAR, Kind.NOTHING, np.where(spare > 0, Kind.LOSSY, Kind.FAILING))


def _underflowing(value: np.ndarray) -> np.ndarray:
    """Of a number that is no larger than the truth's own neighbours, below the normal numbers."""
    return np.where(value == 0, Kind.UNDERFLOW, Kind.ACCURATE)


def _is_plain(high: np.ndarray, scale: np.ndarray | int, form: Format) -> np.ndarray:
    """Whether the truth is within the dtype's range, certainly a normal number or certainly none, and no step of the
    arithmetic under- or overflows.
    """
    exponent, size, normal = np.frexp(high)[1], np.abs(high), np.ldexp(form.smallest_normal, scale)
    inside = (exponent >= _SAFE[0]) & (exponent < _SAFE[1]) & (size < np.ldexp(form.largest, scale))
    return inside & ((size > normal * (1 + _NEAR)) | ((size < normal * (1 - _NEAR)) & (size > 0)))


def _exponent(high: np.ndarray, low: np.ndarray) -> np.ndarray:
    """floor(log2 |m|): that of `high`, the float nearest to m, but just below a power of two."""
    fraction, exponent = np.frexp(np.abs(high))
    return exponent - 1 - ((fraction == 0.5) & (low * np.sign(high) < 0))


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


def _narrow(error: np.ndarray, budget: np.ndarray, size: np.ndarray, own: float) -> np.ndarray:
    """Whether the yardstick (or K ulps that the error stays within) is below half of the truth, or says nothing."""
    far, close = 1 + _NEAR, 1 - _NEAR
    narrow = (2 * budget < size * close) | ((error < own * close) & (2 * own < size * close))
    wide = (2 * budget > size * far) & ((error > own * far) | (2 * own > size * far))
    return np.where(narrow, Kind.ACCURATE, np.where(wide, Kind.VACUOUS, Kind.NOTHING))


def four_digits(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Non-negative numbers rounded to four significant digits as decimal text rounds them, and where that is certain.

    It is where 2^-33 more or less would not change a digit. n 10^k is one correctly rounded operation on exact floats.
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
