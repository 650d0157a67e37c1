"""Truths as decimals for people."""

from __future__ import annotations

from decimal import Context, Decimal
from fractions import Fraction

from verifier.model.verdict import Cusp, Enclosure, Infinite, Jump, Kink, LocalTruth, NoTruth, Undefined

__all__ = ["BEYOND_SAMPLES", "decimal_text", "ends_text", "truth_text"]

DIGITS = 20
_SMALLEST_PLAIN = -5
"""The least decimal exponent that is written without one."""


def decimal_text(number: Fraction, digits: int = DIGITS) -> str:
    """A rational to so many significant digits, fewer where it has fewer; scientific far from 1."""
    context = Context(prec=digits, Emax=10**9, Emin=-(10**9))
    quotient = context.normalize(context.divide(Decimal(number.numerator), Decimal(number.denominator)))
    near = _SMALLEST_PLAIN <= quotient.adjusted() < digits
    return f"{quotient:f}" if near or not quotient else f"{quotient:e}"


BEYOND_SAMPLES = "but they change with the direction, and only some directions were looked at"


def ends_text(low: Enclosure | None, high: Enclosure | None, digits: int = 6) -> str:
    """The two ends of an interval; None is an infinite one."""
    ends = ((low, "-inf"), (high, "inf"))
    return " and ".join(infinity if end is None else decimal_text(end.middle, digits) for end, infinity in ends)


def truth_text(value: LocalTruth, digits: int = DIGITS) -> str:
    """A truth as it is printed: a decimal, the two sides of a kink, or why there is none."""
    match value:
        case Enclosure():
            return _enclosure_text(value, digits)
        case Infinite(sign):
            return "inf" if sign > 0 else "-inf"
        case Kink(left=left, right=right, sampled=True):
            return f"at least between {ends_text(left, right)}"
        case Kink(left=left, right=right):
            return f"left {decimal_text(left.middle, 6)}, right {decimal_text(right.middle, 6)}"
        case Cusp(low=low, high=high):
            return f"between {ends_text(low, high)}"
        case Jump():
            return "a jump"
        case Undefined(reason=reason):
            return f"undefined: {reason}"
        case NoTruth(reason=reason):
            return f"unknown: {reason}"


def _enclosure_text(value: Enclosure, digits: int) -> str:
    """The digits that are certain; a bound where not even the first one is."""
    width = value.upper - value.lower
    if width * 10**digits > value.magnitude:
        if value.contains_zero():
            return f"within {decimal_text(value.magnitude, 2)} of 0"
        digits = max(1, len(str(value.magnitude // width)) - 1)
    return decimal_text(value.middle, digits)
