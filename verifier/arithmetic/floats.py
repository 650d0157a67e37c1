"""Binary floating-point formats: rounding, ulps, ordinals and shortest decimals, in exact integer arithmetic.

A value of any format is carried as a Python float: float64 holds each of the four formats exactly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from verifier.errors import UsageError

__all__ = [
    "BFLOAT16",
    "FLOAT16",
    "FLOAT32",
    "FLOAT64",
    "FORMATS",
    "Format",
    "Midpoint",
    "exponent_of",
    "from_ordinal",
    "is_member",
    "named",
    "nearest_inside",
    "neighbours",
    "ordinal",
    "round_to",
    "shortest_decimal",
    "ulp",
    "ulps_between",
]


class Midpoint(Protocol):
    """What this module asks of a ball (`flint.arb`): a midpoint that is an integer times a power of two."""

    def mid(self) -> Midpoint: ...

    def man_exp(self) -> tuple[int, int]: ...


Real = Fraction | int | float | Midpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A binary format: significant bits, and the least and largest exponent of a normal number's leading bit.

    Source: IEEE 754-2019, table 3.5; bfloat16 is binary32 cut to 8 significant bits.
    """

    name: str
    precision: int
    min_exponent: int
    max_exponent: int

    @property
    def unit_roundoff(self) -> Fraction:
        """u = 2^-precision: the largest relative error of rounding a normal number to nearest."""
        return Fraction(1, 2**self.precision)

    @property
    def largest(self) -> float:
        """The largest finite value, (2 - 2u) 2^max_exponent with u the unit roundoff."""
        return math.ldexp(2**self.precision - 1, self.max_exponent - self.precision + 1)

    @property
    def smallest_normal(self) -> float:
        return math.ldexp(1.0, self.min_exponent)

    @property
    def smallest_subnormal(self) -> float:
        return math.ldexp(1.0, self.least_exponent)

    @property
    def least_exponent(self) -> int:
        """The exponent of the last bit of a subnormal: every member is a multiple of 2^least_exponent."""
        return self.min_exponent - self.precision + 1


FLOAT64 = Format(name="float64", precision=53, min_exponent=-1022, max_exponent=1023)
FLOAT32 = Format(name="float32", precision=24, min_exponent=-126, max_exponent=127)
BFLOAT16 = Format(name="bfloat16", precision=8, min_exponent=-126, max_exponent=127)
FLOAT16 = Format(name="float16", precision=11, min_exponent=-14, max_exponent=15)
FORMATS: dict[str, Format] = {each.name: each for each in (FLOAT64, FLOAT32, BFLOAT16, FLOAT16)}


def named(name: str) -> Format:
    """The format of a dtype's name; raises UsageError."""
    try:
        return FORMATS[name]
    except KeyError:
        raise UsageError(f"no such floating-point format: {name!r}; known are {', '.join(FORMATS)}") from None


def round_to(x: Real, form: Format) -> float:
    """The member of `form` nearest to the real x, ties to even, overflow to infinity (a ball: its midpoint).

    A zero that x underflows to keeps x's sign; an infinite or NaN float is returned as it is.
    """
    if isinstance(x, float) and (form is FLOAT64 or not math.isfinite(x)):
        return x
    numerator, denominator, shift = _ratio(x)
    if numerator == 0:
        return 0.0
    sign, numerator = (-1.0 if numerator < 0 else 1.0), abs(numerator)
    lead = _floor_log2(numerator, denominator) + shift
    if lead > form.max_exponent:
        return sign * math.inf
    if lead < form.least_exponent - 1:
        return sign * 0.0
    quantum = max(lead - form.precision + 1, form.least_exponent)
    return sign * _finite_or_infinite(_round_half_even(numerator, denominator, shift - quantum), quantum, form)


def ulp(x: Real, form: Format, *, floor: Fraction | float | None = None) -> Fraction:
    """The spacing of `form` at the real x: 2^(e - precision + 1) for 2^e <= |x| < 2^(e+1), in absolute units.

    `floor` (default: the smallest subnormal) bounds it from below; on a target that flushes subnormals pass
    `form.smallest_normal`. Beyond the largest finite value the spacing stays that of the largest.
    """
    least = Fraction(form.smallest_subnormal if floor is None else floor)
    exponent = exponent_of(x)
    if exponent is None:
        return least
    return max(least, _power_of_two(max(min(exponent, form.max_exponent) - form.precision + 1, form.least_exponent)))


def exponent_of(x: Real) -> int | None:
    """floor(log2 |x|), or None for zero."""
    numerator, denominator, shift = _ratio(x)
    return None if numerator == 0 else _floor_log2(abs(numerator), denominator) + shift


def ordinal(x: float, form: Format) -> int:
    """The position of a member among all: 0 for +-0, 1 for the smallest subnormal; odd in x.

    Infinity follows the largest. Raises UsageError when x is NaN or no member of `form`.
    """
    if math.isnan(x) or not is_member(x, form):
        raise UsageError(f"{x!r} is no {form.name}; round it with round_to first")
    if math.isinf(x):
        return _infinite_ordinal(form) if x > 0 else -_infinite_ordinal(form)
    if x == 0.0:
        return 0
    exponent = max(math.frexp(abs(x))[1] - 1, form.min_exponent)
    steps = int(math.ldexp(abs(x), form.precision - 1 - exponent))
    position = steps + (exponent - form.min_exponent) * 2 ** (form.precision - 1)
    return position if x > 0 else -position


def from_ordinal(position: int, form: Format) -> float:
    """The member at a position: `ordinal(from_ordinal(k)) == k`; raises UsageError beyond the infinities."""
    if abs(position) > _infinite_ordinal(form):
        raise UsageError(f"{position} is no ordinal of {form.name}; they end at {_infinite_ordinal(form)}")
    if abs(position) == _infinite_ordinal(form):
        return math.copysign(math.inf, position)
    binade, steps = divmod(abs(position), 2 ** (form.precision - 1))
    if binade:
        steps, binade = steps + 2 ** (form.precision - 1), binade - 1
    return math.copysign(math.ldexp(float(steps), binade + form.least_exponent), position)


def neighbours(x: float, form: Format) -> tuple[float, float]:
    """The members next below and next above; an infinity is its own neighbour on the far side."""
    position, last = ordinal(x, form), _infinite_ordinal(form)
    return from_ordinal(max(position - 1, -last), form), from_ordinal(min(position + 1, last), form)


def nearest_inside(end: Fraction, form: Format, *, up: bool) -> float:
    """The finite member nearest to an interval's end on the inner side, `up` from a lower one; an infinity on that side
    where there is none.
    """
    nearest = round_to(end, form)
    below, above = neighbours(nearest, form)
    if up:
        return above if nearest < end else nearest
    return below if nearest > end else nearest


def ulps_between(a: float, b: float, form: Format) -> int:
    """How many members lie from a to b (an ulp *distance*, an integer)."""
    return abs(ordinal(a, form) - ordinal(b, form))


def is_member(x: float, form: Format) -> bool:
    """Whether the format holds x exactly (NaN and the infinities count as held)."""
    return math.isnan(x) or round_to(x, form) == x


def shortest_decimal(x: float, form: Format) -> str:
    """The decimal with the fewest digits that rounds to x in `form`, written as Python writes floats."""
    if form == FLOAT64 or not math.isfinite(x) or x == 0.0:
        return repr(x)
    texts = (f"{x:.{digits}e}" for digits in range(17))
    return repr(float(next(text for text in texts if round_to(Fraction(text), form) == x)))


def _ratio(x: Real) -> tuple[int, int, int]:
    """(numerator, denominator > 0, shift) with x = numerator / denominator * 2^shift."""
    if isinstance(x, (Fraction, int, float)):
        numerator, denominator = x.as_integer_ratio()
        return numerator, denominator, 0
    mantissa, exponent = x.mid().man_exp()
    return int(mantissa), 1, int(exponent)


def _floor_log2(numerator: int, denominator: int) -> int:
    guess = numerator.bit_length() - denominator.bit_length()
    below = (numerator << -guess) < denominator if guess < 0 else numerator < (denominator << guess)
    return guess - 1 if below else guess


def _round_half_even(numerator: int, denominator: int, shift: int) -> int:
    """The integer nearest to numerator / denominator * 2^shift, ties to even."""
    if shift >= 0:
        numerator <<= shift
    else:
        denominator <<= -shift
    quotient, rest = divmod(numerator, denominator)
    twice = 2 * rest
    return quotient + 1 if twice > denominator or (twice == denominator and quotient & 1) else quotient


def _finite_or_infinite(steps: int, quantum: int, form: Format) -> float:
    if steps.bit_length() + quantum > form.max_exponent + 1:
        return math.inf
    return math.ldexp(float(steps), quantum)


def _power_of_two(exponent: int) -> Fraction:
    return Fraction(2**exponent) if exponent >= 0 else Fraction(1, 2**-exponent)


def _infinite_ordinal(form: Format) -> int:
    return (form.max_exponent - form.min_exponent + 1) * 2 ** (form.precision - 1) + 2 ** (form.precision - 1)
