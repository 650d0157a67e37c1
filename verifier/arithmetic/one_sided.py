"""Reading a germ: limits and one-sided derivatives, and raising order and precision until they can be read.

The k-th one-sided derivative is the limit of the function's k-th derivative in t, t -> 0+: k! times the coefficient
of t^k, unless a smaller or broken exponent or a logarithm makes it diverge. Term by term differentiation is sound
here because every germ's remainder comes from convergent series in t^a and log t or from flat exponentials, never
from oscillation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

from flint import arb, fmpq

from verifier.arithmetic.elements import (
    BITS,
    EITHER,
    NEG_INF,
    ORDER,
    POS_INF,
    Element,
    Special,
    Unknown,
    exact_ball,
)
from verifier.arithmetic.expansion import Coefficient, Exponent, Germ, Term, add, ball_of, monomial
from verifier.arithmetic.germ import GermSystem
from verifier.arithmetic.powers import GermElement
from verifier.arithmetic.precision import current_precision, working_precision
from verifier.arithmetic.vocabulary import OPERATIONS

__all__ = ["INFINITE_VALUE", "Ceiling", "coefficient", "derivative", "differentiate", "limit", "with_enough"]

# Rationals become balls of at least this many bits when they are read; products with k! need a few more than was known.
_LEAST_READING_BITS, _GUARD_BITS = 256, 64


INFINITE_VALUE = Unknown("the derivative of an infinite value", "")
"""What the derivative of a function is where that is exactly infinite on a whole side."""


def coefficient(element: GermElement, exponent: Exponent, logs: int = 0) -> Coefficient | Special | Unknown:
    """The coefficient of t^exponent (log t)^logs; unknown at or beyond the truncation, never read as zero."""
    if not isinstance(element, Germ):
        return element
    if element.order is not None and exponent >= element.order:
        return Unknown(f"the coefficient of t^{exponent} lies beyond O(t^{element.order})", ORDER)
    found = (each.coefficient for each in element.terms if each.exponent == exponent and each.logs == logs)
    return next(found, fmpq(0))


def limit(element: GermElement) -> Element:
    """The limit for t -> 0+: a ball, an infinity where it certainly diverges, NaN, or unknown."""
    if not isinstance(element, Germ):
        return element
    with working_precision(_reading_bits(element)):
        return _limit(element)


def _limit(element: Germ) -> Element:
    if element.order is not None and element.order <= 0 and not element.terms:
        return Unknown(f"the limit lies beyond O(t^{element.order})", ORDER)
    for term in element.terms:
        if term.exponent > 0 or (term.exponent == 0 and not term.logs):
            break
        ball = ball_of(term.coefficient)
        if ball.contains(0):
            return Unknown("pole or removable: the leading coefficient may be zero", BITS)
        positive = (ball > 0) == (term.logs % 2 == 0)
        return POS_INF if positive else NEG_INF
    constant = coefficient(element, 0)
    return exact_ball(constant) if isinstance(constant, fmpq) else constant


def derivative(element: GermElement, k: int, direction: int = 1) -> Element:
    """The k-th one-sided derivative in x, for x = x0 + direction t: a ball, an infinity, NaN, or unknown."""
    if not isinstance(element, Germ):
        infinite = element is POS_INF or element is NEG_INF
        return INFINITE_VALUE if k and infinite else element
    with working_precision(_reading_bits(element)):
        result = element
        for _ in range(k):
            result = differentiate(result)
        value = _limit(result)
        return value if direction > 0 or k % 2 == 0 else OPERATIONS["neg"](value)


def _reading_bits(germ: Germ) -> int:
    """Enough that reading a germ outside its system's `working()` rounds off nothing that it knows."""
    known = (term.coefficient.bits() for term in germ.terms if isinstance(term.coefficient, arb))
    return max(current_precision(), _LEAST_READING_BITS, *(bits + _GUARD_BITS for bits in known))


def differentiate(germ: Germ) -> Germ:
    """d/dt, term by term: c t^a L^k becomes c a t^(a-1) L^k + c k t^(a-1) L^(k-1)."""
    result = Germ((), None if germ.order is None else germ.order - 1)
    for term in germ.terms:
        for piece in _slopes(term):
            result = add(result, piece)
    return result


def _slopes(term: Term) -> list[Germ]:
    exponent = Fraction(term.exponent)
    pieces = [monomial(term.coefficient * fmpq(exponent.numerator, exponent.denominator), term.exponent - 1, term.logs)]
    if term.logs:
        pieces.append(monomial(term.coefficient * term.logs, term.exponent - 1, term.logs - 1))
    return pieces


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceiling:
    """How far `with_enough` goes: bits of precision and order of expansion."""

    bits: int = 8192
    order: int = 128


def with_enough(
    compute: Callable[[GermSystem], Element],
    *,
    start: GermSystem | None = None,
    ceiling: Ceiling | None = None,
    accept: Callable[[Element], bool] = lambda element: True,
) -> Element:
    """The result of `compute`, done again with doubled order or precision while that is what it lacks.

    An unknown says by its remedy what to double; a ball that `accept` refuses (too wide) doubles the precision. At the
    ceiling the last result is returned as it is, unknown or too wide.
    """
    system, limits = start or GermSystem(), ceiling or Ceiling()
    while True:
        with system.working():
            result = compute(system)
        remedy = result.remedy if isinstance(result, Unknown) else "" if accept(result) else BITS
        better = _enlarged(system, remedy, limits)
        if better == system:
            return result
        system = better


def _enlarged(system: GermSystem, remedy: str, limits: Ceiling) -> GermSystem:
    bits = min(2 * system.bits, max(limits.bits, system.bits)) if remedy in (BITS, EITHER) else system.bits
    order = min(2 * system.order, max(limits.order, system.order)) if remedy in (ORDER, EITHER) else system.order
    return replace(system, bits=bits, order=order)
