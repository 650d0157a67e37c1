"""From elements of balls to plain data: enclosures, proofs of non-finite values, and why there is nothing."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from flint import arb

from verifier.arithmetic.elements import BITS, Element, Special, Unknown, as_fraction, is_finite, lower, upper
from verifier.arithmetic.precision import working_precision
from verifier.model.rule import NonFinite, ProgramValue
from verifier.model.verdict import Enclosure, NoTruth

__all__ = [
    "CEILING",
    "TIGHT_BITS",
    "disjoint",
    "enclosed",
    "enclosure",
    "is_presumed_zero",
    "is_tight",
    "program_value",
]

TIGHT_BITS = 96
"""An enclosure known to so many bits decides every question about float64, and leaves room for sums of a few."""

_VANISHING_BITS = 2**15

CEILING = 2**13
"""Most bits of working precision (SEMANTICS §4)."""


def is_tight(element: Element) -> bool:
    """Whether more bits could not help: exact, special, known to so many bits, or unknown for another reason."""
    if isinstance(element, Unknown):
        return element.remedy not in (BITS, "either")
    if not is_finite(element):
        return True
    return element.is_exact() or element.rel_accuracy_bits() >= TIGHT_BITS  # type: ignore[union-attr]


def is_presumed_zero(element: Element, bits: int, ceiling: int = CEILING) -> bool:
    """Whether a ball that held zero at the ceiling is zero to working precision (SEMANTICS §4).

    Its radius has to have shrunk with the precision: a ball blown up by dependency says nothing.
    """
    if bits < ceiling or not is_finite(element) or element.is_exact() or not element.contains(0):  # type: ignore[union-attr]
        return False
    with working_precision(64):
        return bool(element.rad() < arb(2) ** (-bits // 2))  # type: ignore[union-attr]


def enclosure(ball: Element, bits: int = 0) -> Enclosure:
    """The ends of a finite ball; zero for one that is presumed to be zero at these bits, or far below every dtype."""
    if is_presumed_zero(ball, bits) or _vanishes(ball):
        return Enclosure(Fraction(0), Fraction(0))
    return Enclosure(as_fraction(lower(ball)), as_fraction(upper(ball)))  # type: ignore[arg-type]


def _vanishes(ball: Element) -> bool:
    """Whether every dtype, and every product of a few of its numbers, is far above the number; its rational is not."""
    with working_precision(64):
        return bool(abs(ball) < arb(2) ** -_VANISHING_BITS)  # type: ignore[arg-type]


def program_value(element: Element, bits: int = 0) -> ProgramValue:
    """What a program returns, as plain data."""
    if isinstance(element, Special):
        return NonFinite(element.value)  # type: ignore[arg-type]
    if isinstance(element, Unknown):
        return NoTruth(element.reason)
    return enclosed(element, bits)


def enclosed(ball: Element, bits: int = 0) -> Enclosure | NoTruth:
    """As `enclosure`; why there is none for a ball beyond what a rational can be asked to hold."""
    try:
        return enclosure(ball, bits)
    except ValueError:
        return NoTruth("a number of astronomic size")


def disjoint(a: Element, b: Element) -> bool:
    """Whether two enclosures of the same number have certainly no point in common."""
    if is_finite(a) and is_finite(b):
        return not a.overlaps(b)  # type: ignore[union-attr]
    return not isinstance(a, Unknown) and not isinstance(b, Unknown) and a is not b


def flat(arrays: Sequence[np.ndarray]) -> list[Element]:
    """All entries of several arrays, one after the other."""
    return [entry for array in arrays for entry in array.flat]
