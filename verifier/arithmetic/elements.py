"""The elements of ball arithmetic: a finite ball, a definite IEEE special, or an unknown with its reason.

    element = flint.arb (always finite) | POS_INF | NEG_INF | NAN | Unknown(reason)

A special is a proof that IEEE arithmetic on exactly decided operands gives it; what a ball can't decide, and every
nan or infinity of FLINT's own, is `Unknown`. The exact zero `NEG_ZERO` is a ball like any other, recognised by
identity: it remembers the sign that a division by it needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from typing import Any, TypeGuard

from flint import arb, fmpq

from verifier.arithmetic.floats import Format, round_to
from verifier.arithmetic.precision import current_precision, working_precision

__all__ = [
    "BITS",
    "EITHER",
    "KINK",
    "NAN",
    "NEG_INF",
    "NEG_ZERO",
    "ORDER",
    "POS_INF",
    "Decision",
    "Element",
    "Special",
    "Unbounded",
    "Unknown",
    "as_fraction",
    "as_integer",
    "both",
    "compare",
    "contains_zero",
    "either",
    "exact_ball",
    "is_finite",
    "lower",
    "negation",
    "plain",
    "rounds_to",
    "sign_of",
    "upper",
]

# Enough for the ends of any ball in use; an end that has more bits is rounded outwards.
_END_BITS = 4096
# Balls reach exponents like 10^30: what would not fit into memory as an integer is not taken for one.
_INTEGER_BITS = 100_000


class Special(Enum):
    """A definite IEEE result that is no real number."""

    POS_INF = "inf"
    NEG_INF = "-inf"
    NAN = "nan"

    def __repr__(self) -> str:
        return self.name


POS_INF, NEG_INF, NAN = Special.POS_INF, Special.NEG_INF, Special.NAN

BITS, ORDER, EITHER = "bits", "order", "either"


@dataclass(frozen=True, slots=True)
class Unknown:
    """What arithmetic could not decide: why, and what would help (`BITS`, `ORDER`, `EITHER`; "" for nothing known)."""

    reason: str
    remedy: str = BITS

    def __add__(self, other: object) -> Unknown:
        """A sum with an unknown is unknown, for the reason of its first unknown."""
        return self

    __radd__ = __sub__ = __rsub__ = __add__

    def __neg__(self) -> Unknown:
        return self


@dataclass(frozen=True, slots=True)
class Unbounded(Unknown):
    """Unknown but for its limit, the infinity of this sign: floor(log t), t -> 0+, is below every number.

    It is no infinity: 2^floor(log2 t) / t stays between 1/2 and 1. What is computed of it is an unknown like any other.
    """

    sign: int = 1

    def __add__(self, other: object) -> Unknown:
        return plain(self)

    __radd__ = __sub__ = __rsub__ = __add__

    def __neg__(self) -> Unbounded:
        return Unbounded(self.reason, self.remedy, -self.sign)


def plain(element: Any) -> Any:
    """The element, without the limit of an unknown that is known by it."""
    return Unknown(element.reason, element.remedy) if isinstance(element, Unbounded) else element


KINK = Unknown("exactly at a kink or a jump", remedy="")

Element = arb | Special | Unknown
Decision = bool | None

# A zero of negative sign: equal to every other exact zero, but 1 / NEG_ZERO is NEG_INF.
NEG_ZERO = arb(0)


def is_finite(x: object) -> TypeGuard[arb]:
    """Whether the element is a finite ball."""
    return type(x) is arb


def exact_ball(value: Fraction | int | fmpq) -> arb:
    """The ball of a rational: exact where the current precision holds it, else its rounding with its error."""
    if isinstance(value, Fraction):
        return arb(fmpq(value.numerator, value.denominator)) if value.denominator != 1 else arb(value.numerator)
    return arb(value)


def lower(x: arb) -> arb:
    """An exact ball (a point) at or below everything in x, whatever the current precision."""
    with working_precision(max(_END_BITS, current_precision())):
        return x.lower()


def upper(x: arb) -> arb:
    """An exact ball (a point) at or above everything in x, whatever the current precision."""
    with working_precision(max(_END_BITS, current_precision())):
        return x.upper()


def as_fraction(x: arb) -> Fraction:
    """The rational that an exact ball holds; raises ValueError for an inexact one, or one of astronomic exponent."""
    mantissa, exponent = x.man_exp()
    if abs(exponent) > _INTEGER_BITS:
        raise ValueError(f"a ball of exponent {exponent} has no rational of reasonable size")
    shift = int(exponent)
    return Fraction(int(mantissa) << shift) if shift >= 0 else Fraction(int(mantissa), 1 << -shift)


def as_integer(x: object) -> int | None:
    """The integer that x is exactly (an int, or an exact ball of moderate size that holds one), else None."""
    if isinstance(x, int):
        return x
    if not isinstance(x, arb) or not x.is_exact() or x.man_exp()[1] > _INTEGER_BITS:
        return None
    whole = x.unique_fmpz()
    return None if whole is None else int(whole)


def contains_zero(x: Element) -> bool:
    """Whether 0 is possible: False only where it is excluded for certain (an unknown may be anything)."""
    if type(x) is arb:
        return bool(x.contains(0))
    return isinstance(x, Unknown)


def sign_of(x: Element) -> int | None:
    """1, -1 or 0 (an exact zero) where it is certain, else None; NaN has none."""
    if type(x) is arb:
        return 1 if x > 0 else -1 if x < 0 else 0 if x.is_zero() else None
    return {POS_INF: 1, NEG_INF: -1}.get(x) if isinstance(x, Special) else None


def compare(relation: str, a: Element, b: Element) -> Decision:
    """Whether `a relation b` (lt le gt ge eq ne): True, False, or None where it is not decided.

    The same element object compares with itself as a number does; NaN is unequal to everything, itself included.
    """
    if a is NAN or b is NAN:
        return relation == "ne"
    if type(a) is arb and type(b) is arb:
        return _IDENTICAL[relation] if a is b else _compare_balls(relation, a, b)
    if isinstance(a, Unknown) or isinstance(b, Unknown):
        return None
    return _compare_order(relation, _rank(a), _rank(b))


_IDENTICAL = {"lt": False, "le": True, "gt": False, "ge": True, "eq": True, "ne": False}


def _compare_balls(relation: str, a: arb, b: arb) -> Decision:
    match relation:
        case "lt":
            return True if a < b else False if a >= b else None
        case "le":
            return True if a <= b else False if a > b else None
        case "gt":
            return True if a > b else False if a <= b else None
        case "ge":
            return True if a >= b else False if a < b else None
        case "eq":
            return True if a == b else False if a != b else None
        case "ne":
            return True if a != b else False if a == b else None
    raise ValueError(f"no such comparison: {relation!r}; use lt, le, gt, ge, eq or ne")


def _rank(x: Element) -> int:
    return 1 if x is POS_INF else -1 if x is NEG_INF else 0


def _compare_order(relation: str, a: int, b: int) -> bool:
    outcomes = {"lt": a < b, "le": a <= b, "gt": a > b, "ge": a >= b, "eq": a == b, "ne": a != b}
    return outcomes[relation]


def negation(a: Decision) -> Decision:
    """Three-valued not."""
    return None if a is None else not a


def both(a: Decision, b: Decision) -> Decision:
    """Three-valued and: a certain False decides it alone."""
    if a is None or b is None:
        return None if (a is None or a) and (b is None or b) else False
    return bool(a) and bool(b)


def either(a: Decision, b: Decision) -> Decision:
    """Three-valued or: a certain True decides it alone."""
    return negation(both(negation(a), negation(b)))


def rounds_to(x: Element, form: Format) -> float | None:
    """The member of `form` that every number in x rounds to (nearest, ties to even), or None where they differ."""
    if isinstance(x, Special):
        return float(x.value)
    if not is_finite(x) or isinstance(x, Unknown):
        return None
    if x.is_exact():
        return round_to(x, form)
    low, high = round_to(lower(x), form), round_to(upper(x), form)
    return high if low == high else None
