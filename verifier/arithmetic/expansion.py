"""Germs as data: sparse sums of c t^a (log t)^k with an explicit O(t^n), t -> 0+, and the ring operations on them.

Law: for all small enough t > 0 the function lies in sum c t^a (log t)^k + R(t) with R(t) = O(t^n |log t|^j) for some
j, every coefficient ball containing its exact coefficient. `order` None means R = 0. All functions work at the
current precision.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from flint import arb, fmpq

from verifier.arithmetic.elements import BITS, ORDER, Unknown

__all__ = [
    "Coefficient",
    "Exponent",
    "Germ",
    "Term",
    "add",
    "as_exponent",
    "ball_of",
    "constant_germ",
    "constant_term",
    "exponent_of_coefficient",
    "hull",
    "is_constant",
    "is_zero",
    "leading",
    "monomial",
    "multiply",
    "negate",
    "scale",
    "sign_near_zero",
    "tail",
    "truncate",
    "unit",
    "valuation",
]

Coefficient = fmpq | arb
Exponent = int | Fraction
Infinite = float  # only math.inf: the valuation of an exact zero
INFINITY: Infinite = float("inf")
# Exact polynomials with more terms than this are cut, at the price of an order.
_MOST_TERMS = 400
# Bits of a numerator or denominator; two float64 multiplied have at most about 2,200.
_LONGEST_RATIONAL = 3000


@dataclass(frozen=True, slots=True)
class Term:
    """coefficient * t^exponent * (log t)^logs, logs a natural number."""

    exponent: Exponent
    logs: int
    coefficient: Coefficient


@dataclass(frozen=True, slots=True, eq=False)
class Germ:
    """The terms below `order`, dominant first, none exactly zero; `order` n stands for + O(t^n), None for exactness."""

    terms: tuple[Term, ...]
    order: Exponent | None = None


def as_exponent(value: Fraction | int) -> Exponent:
    """A rational exponent, an int where it is whole (ints add and hash faster)."""
    return value.numerator if value.denominator == 1 else value


def ball_of(coefficient: Coefficient) -> arb:
    """The coefficient as a ball."""
    return coefficient if type(coefficient) is arb else arb(coefficient)


def constant_germ(value: Coefficient) -> Germ:
    return monomial(value, 0)


def monomial(coefficient: Coefficient, exponent: Exponent, logs: int = 0) -> Germ:
    """c t^a (log t)^k, exactly."""
    return _build({(exponent, logs): coefficient}, None)


def unit(order: Exponent | None = None) -> Germ:
    """1 + O(t^order)."""
    return _build({(0, 0): fmpq(1)}, order)


def _build(terms: dict[tuple[Exponent, int], Coefficient], order: Exponent | None) -> Germ:
    kept = [
        Term(exponent, logs, _tame(coefficient))
        for (exponent, logs), coefficient in terms.items()
        if (order is None or exponent < order) and not _is_exact_zero(coefficient)
    ]
    kept.sort(key=lambda term: (term.exponent, -term.logs))
    if len(kept) > _MOST_TERMS:
        cut = kept[_MOST_TERMS].exponent
        return Germ(tuple(term for term in kept if term.exponent < cut), cut)
    return Germ(tuple(kept), order)


def _tame(coefficient: Coefficient) -> Coefficient:
    """A rational that has grown long becomes a ball: iterated squaring would double its length each time."""
    if isinstance(coefficient, arb) or coefficient.height_bits() < _LONGEST_RATIONAL:
        return coefficient
    return arb(coefficient)


def _is_exact_zero(coefficient: Coefficient) -> bool:
    return coefficient.is_zero() if type(coefficient) is arb else not coefficient


def is_zero(germ: Germ) -> bool:
    """Whether the function is exactly zero."""
    return not germ.terms and germ.order is None


def is_constant(germ: Germ) -> bool:
    """Whether the function is exactly constant."""
    return germ.order is None and all(term.exponent == 0 and term.logs == 0 for term in germ.terms)


def constant_term(germ: Germ) -> Coefficient:
    """The coefficient of t^0 (the caller knows that `order` is above 0)."""
    return next((term.coefficient for term in germ.terms if term.exponent == 0 and term.logs == 0), fmpq(0))


def valuation(germ: Germ) -> Exponent | Infinite:
    """A lower bound of the exponent that the function starts with; infinity for an exact zero."""
    if germ.terms:
        return germ.terms[0].exponent
    return INFINITY if germ.order is None else germ.order


def leading(germ: Germ) -> Term | Unknown | None:
    """The dominant term where it is certainly not zero; None for an exact zero; else unknown, and what would help."""
    if germ.terms:
        first = germ.terms[0]
        if type(first.coefficient) is arb and first.coefficient.contains(0):
            return Unknown("pole or removable: the leading coefficient may be zero", BITS)
        return first
    if germ.order is None:
        return None
    return Unknown(f"nothing but O(t^{germ.order}) is known of it", ORDER)


def sign_near_zero(germ: Germ) -> int | Unknown:
    """The sign of the function for all small t > 0 (log t is negative there)."""
    first = leading(germ)
    if first is None:
        return 0
    if isinstance(first, Unknown):
        return first
    sign = 1 if ball_of(first.coefficient) > 0 else -1
    return -sign if first.logs % 2 else sign


def tail(germ: Germ, first: Term) -> Germ:
    """The germ without one of its terms."""
    return Germ(tuple(term for term in germ.terms if term is not first), germ.order)


def truncate(germ: Germ, order: Exponent | Infinite | None) -> Germ:
    """The germ with everything from t^order on forgotten; None and infinity forget nothing."""
    if order is None or order == INFINITY or (germ.order is not None and germ.order <= order):
        return germ
    assert not isinstance(order, float)
    return Germ(tuple(term for term in germ.terms if term.exponent < order), order)


def hull(a: Germ, b: Germ) -> Germ:
    """What holds both germs, coefficient by coefficient, known to the coarser of both orders."""
    rows = [{(term.exponent, term.logs): ball_of(term.coefficient) for term in each.terms} for each in (a, b)]
    zero = arb(0)
    terms: dict[tuple[Exponent, int], Coefficient] = {
        key: rows[0].get(key, zero).union(rows[1].get(key, zero)) for key in {**rows[0], **rows[1]}
    }
    return _build(terms, _least((a.order, b.order)))


def add(a: Germ, b: Germ) -> Germ:
    """a + b, known to the coarser of both orders."""
    terms = {(term.exponent, term.logs): term.coefficient for term in a.terms}
    for term in b.terms:
        key = (term.exponent, term.logs)
        terms[key] = terms[key] + term.coefficient if key in terms else term.coefficient
    return _build(terms, _least((a.order, b.order)))


def negate(germ: Germ) -> Germ:
    return Germ(tuple(Term(each.exponent, each.logs, -each.coefficient) for each in germ.terms), germ.order)


def scale(germ: Germ, factor: Coefficient, exponent: Exponent = 0) -> Germ:
    """factor t^exponent germ."""
    order = None if germ.order is None or _is_exact_zero(factor) else germ.order + exponent
    terms = {(each.exponent + exponent, each.logs): each.coefficient * factor for each in germ.terms}
    return _build(terms, order)


def multiply(a: Germ, b: Germ, order: Exponent | None = None) -> Germ:
    """a b, with terms from t^order on left out where an order is given and the exact product would have them."""
    known = _least((_product_order(a, b), _product_order(b, a)))
    if order is not None and _reaches(a, b, order):
        known = order if known is None else min(known, order)
    terms: dict[tuple[Exponent, int], Coefficient] = {}
    for left in a.terms:
        for right in b.terms:
            exponent = left.exponent + right.exponent
            if known is not None and exponent >= known:
                continue
            key = (exponent, left.logs + right.logs)
            product = left.coefficient * right.coefficient
            terms[key] = terms[key] + product if key in terms else product
    return _build(terms, known)


def _product_order(a: Germ, b: Germ) -> Exponent | None:
    """Where a's remainder times b starts."""
    lowest = valuation(b)
    return None if a.order is None or isinstance(lowest, float) else a.order + lowest


def _reaches(a: Germ, b: Germ, order: Exponent) -> bool:
    return bool(a.terms and b.terms) and a.terms[-1].exponent + b.terms[-1].exponent >= order


def _least(orders: Iterable[Exponent | None]) -> Exponent | None:
    return min((each for each in orders if each is not None), default=None)


def exponent_of_coefficient(coefficient: Coefficient) -> Exponent | None:
    """The coefficient as an exact rational exponent, or None where it is only known as a ball."""
    if isinstance(coefficient, arb):
        return None
    return as_exponent(Fraction(int(coefficient.p), int(coefficient.q)))
