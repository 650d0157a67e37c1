"""Truths as decimals for people."""

from __future__ import annotations

from decimal import Context, Decimal
from fractions import Fraction

from verifier.model.verdict import Enclosure, Jump, Kink, NoTruth

__all__ = ["decimal_text", "truth_text"]

DIGITS = 20
_SMALLEST_PLAIN = -5
"""The least decimal exponent that is written without one."""


def decimal_text(number: Fraction, digits: int = DIGITS) -> str:
    """A rational to so many significant digits, fewer where it has fewer; scientific far from 1."""
    context = Context(prec=digits, Emax=10**9, Emin=-(10**9))
    quotient = context.normalize(context.divide(Decimal(number.numerator), Decimal(number.denominator)))
    near = _SMALLEST_PLAIN <= quotient.adjusted() < digits
    return f"{quotient:f}" if near or not quotient else f"{quotient:e}"


def truth_text(value: Enclosure | Kink | Jump | NoTruth, digits: int = DIGITS) -> str:
    """A truth as it is printed: a decimal, the two sides of a kink, or why there is none."""
    match value:
        case Enclosure():
            return decimal_text(value.middle, digits)
        case Kink(left=left, right=right):
            return f"left {decimal_text(left.middle, 6)}, right {decimal_text(right.middle, 6)}"
        case Jump():
            return "a jump"
        case NoTruth(reason=reason):
            return f"unknown: {reason}"
