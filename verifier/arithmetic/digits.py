"""Elements as decimal text: only digits that every number in the ball shares after rounding."""

from __future__ import annotations

from fractions import Fraction

from flint import arb

from verifier.arithmetic.elements import Element, Special, Unknown, as_fraction, is_finite
from verifier.arithmetic.precision import working_precision

__all__ = ["certified_digits", "decimal"]

_LOG2_10 = 3.33
# An exact ball whose exponent is within this many bits is rounded as a rational, so that ties are seen as ties.
_RATIONAL_BITS = 20_000
# Positional notation for decimal exponents in this range, as Python prints floats.
_POSITIONAL = range(-5, 17)


def decimal(x: Element, digits: int = 17) -> str:
    """x rounded to at most `digits` significant digits, fewer where the ball does not decide them, zeros kept.

    `inf`, `-inf`, `nan` for specials; `unknown (reason)`; `[+/- 3.1e-40]` for a ball around 0 with no certain digit.
    """
    if isinstance(x, Special):
        return x.value
    if isinstance(x, Unknown):
        return f"unknown ({x.reason})"
    texts = (certified_digits(x, count) for count in range(digits, 0, -1))
    return next((text for text in texts if text is not None), x.str(3))


def certified_digits(x: Element, digits: int) -> str | None:
    """x correctly rounded to `digits` significant digits (ties to even), or None where the ball does not decide it."""
    if not is_finite(x) or isinstance(x, (Special, Unknown)):
        return None
    if x.is_zero():
        return "0"
    exact = _exact(x)
    if exact is not None:
        low = high = exact
    else:
        with working_precision(int(_LOG2_10 * digits) + 64):
            middle, radius, exponent = (int(part) for part in x.mid_rad_10exp(digits + 12))
        low, high = ((middle + side * radius, exponent) for side in (-1, 1))
    rounded = _round(low, digits)
    return _write(*rounded, digits) if rounded is not None and rounded == _round(high, digits) else None


def _exact(x: arb) -> tuple[int, int] | None:
    """(n, k) with x = n 10^k for an exact ball of moderate exponent: every dyadic number is a decimal."""
    if not x.is_exact() or abs(int(x.man_exp()[1])) > _RATIONAL_BITS:
        return None
    value = as_fraction(x)
    places = value.denominator.bit_length() - 1
    return int(value * Fraction(10) ** places), -places


def _round(number: tuple[int, int], digits: int) -> tuple[int, int] | None:
    """(n, k) with `digits` digits in n, nearest to the number given in the same form; None for 0."""
    value, exponent = number
    if value == 0:
        return None
    surplus = len(str(abs(value))) - digits
    if surplus <= 0:
        return value * 10**-surplus, exponent + surplus
    rounded = round(Fraction(value, 10**surplus))
    carried = len(str(abs(rounded))) > digits
    return (
        (rounded // 10 if rounded > 0 else -(-rounded // 10), exponent + surplus + 1)
        if carried
        else (rounded, exponent + surplus)
    )


def _write(value: int, exponent: int, digits: int) -> str:
    sign, text, lead = "-" if value < 0 else "", str(abs(value)), exponent + digits - 1
    if lead not in _POSITIONAL:
        return f"{sign}{text[0]}{'.' if digits > 1 else ''}{text[1:]}e{lead:+03d}"
    if lead < 0:
        return f"{sign}0.{'0' * (-lead - 1)}{text}"
    whole, rest = text[: lead + 1].ljust(lead + 1, "0"), text[lead + 1 :]
    return f"{sign}{whole}.{rest}" if rest else f"{sign}{whole}"
