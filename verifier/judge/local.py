"""Is the number right, at every kind of point: also where a slope is infinite, or where there is no function."""

from __future__ import annotations

import math
from fractions import Fraction

from verifier.judge.number import Yardstick, judge_number
from verifier.judge.text import decimal_text, truth_text
from verifier.model.rule import Cusp, Infinite, LocalTruth, Undefined
from verifier.model.verdict import Enclosure, NumberClass, NumberVerdict, Truth

__all__ = ["judge_local_number", "local_text"]


def judge_local_number(
    value: float, truth: LocalTruth, condition: Fraction | None, yardstick: Yardstick, *, presumed: bool = False
) -> NumberVerdict:
    """Judge one computed number against the truth at its point; never raises."""
    match truth:
        case Undefined(reason, forbids_nan) if forbids_nan and math.isnan(value):
            return NumberVerdict(kind=NumberClass.NONFINITE, fails=True, reason=f"NaN where {reason}")
        case Undefined(reason):
            return NumberVerdict(kind=NumberClass.VACUOUS, reason=reason)
        case Infinite(sign):
            return _at_infinity(value, sign)
        case Cusp(low=low, high=high):
            return _at_cusp(value, low, high, yardstick)
        case _:
            return judge_number(value, Truth(value=truth, condition=condition, presumed=presumed), yardstick)


def _at_infinity(value: float, sign: int) -> NumberVerdict:
    wanted = math.copysign(math.inf, sign)
    if value == wanted:
        return NumberVerdict(kind=NumberClass.ACCURATE, reason=f"the slope is {wanted} here")
    kind = NumberClass.LOSSY if math.isfinite(value) else NumberClass.NONFINITE
    return NumberVerdict(kind=kind, fails=True, reason=f"{value!r} where the slope is {wanted}")


def _at_cusp(value: float, low: Enclosure | None, high: Enclosure | None, yardstick: Yardstick) -> NumberVerdict:
    sides = f"the one-sided derivatives {_end(low, '-inf')} and {_end(high, 'inf')}"
    if math.isnan(value):
        return NumberVerdict(kind=NumberClass.NONFINITE, fails=True, reason=f"NaN at a kink with {sides}")
    below, above = _below(value, low, yardstick), _below(-value, None if high is None else _mirrored(high), yardstick)
    if below or above:
        kind = NumberClass.NONFINITE if math.isinf(value) else NumberClass.LOSSY
        return NumberVerdict(kind=kind, fails=True, reason=f"{value!r} lies outside {sides}")
    return NumberVerdict(kind=NumberClass.CONVENTION, reason=f"a kink: anything between {sides} is a convention")


def _below(value: float, end: Enclosure | None, yardstick: Yardstick) -> bool:
    if end is None:
        return False
    if math.isinf(value):
        return value < 0
    return Fraction(value) < end.lower - yardstick.allowance * yardstick.ulp(end)


def _mirrored(end: Enclosure) -> Enclosure:
    return Enclosure(-end.upper, -end.lower)


def _end(end: Enclosure | None, infinity: str) -> str:
    return infinity if end is None else decimal_text(end.middle, 6)


def local_text(truth: LocalTruth, digits: int = 20) -> str:
    """A truth as it is printed, to at most so many digits."""
    match truth:
        case Infinite(sign):
            return "inf" if sign > 0 else "-inf"
        case Cusp(low=low, high=high):
            return f"between {_end(low, '-inf')} and {_end(high, 'inf')}"
        case Undefined(reason):
            return f"undefined: {reason}"
        case _:
            return truth_text(truth, digits)
