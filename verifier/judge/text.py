"""Truths as decimals for people."""

from __future__ import annotations

from decimal import Context, Decimal
from fractions import Fraction

from verifier.model.verdict import Enclosure, Kink, NoTruth

__all__ = ["decimal_text", "truth_text"]

DIGITS = 20


def decimal_text(number: Fraction, digits: int = DIGITS) -> str:
    """A rational to so many significant digits; all of them and no more where they are fewer."""
    context = Context(prec=digits, Emax=10**9, Emin=-(10**9))
    quotient = context.divide(Decimal(number.numerator), Decimal(number.denominator))
    text = f"{context.normalize(quotient)}".replace("E+", "e").replace("E", "e")
    return text if "e" not in text or abs(quotient.adjusted()) > digits else f"{quotient:f}"


def truth_text(value: Enclosure | Kink | NoTruth, digits: int = DIGITS) -> str:
    """A truth as it is printed: a decimal, the two sides of a kink, or why there is none."""
    match value:
        case Enclosure():
            return decimal_text(value.middle, digits)
        case Kink(left=left, right=right):
            return f"left {decimal_text(left.middle, 6)}, right {decimal_text(right.middle, 6)}"
        case NoTruth(reason=reason):
            return f"unknown: {reason}"
