"""Sets of possible results: real numbers of a ball, or one of IEEE's specials, or both.

possible = flint.arb | Special | Spread(ball, specials) | Unknown        (Unknown: anything at all)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import product
from typing import Any

from flint import arb

from verifier.arithmetic.elements import NAN, NEG_INF, POS_INF, Decision, Element, Special, Unknown, compare

__all__ = ["Possible", "Spread", "combine", "compare_possible", "explained", "join", "parts"]


@dataclass(frozen=True, slots=True)
class Spread:
    """A real number of `ball` (if there is one), or one of `specials`: at least two of all these."""

    ball: arb | None
    specials: frozenset[Special]


Possible = Element | Spread


def parts(x: Possible) -> tuple[Element, ...]:
    """The balls, specials or unknowns that a set is made of, a ball first."""
    if not isinstance(x, Spread):
        return (x,)
    specials = (each for each in Special if each in x.specials)
    return tuple(specials) if x.ball is None else (x.ball, *specials)


def join(members: Iterable[Possible]) -> Possible:
    """The smallest set that holds all of them; a zero's sign survives only where they all have it."""
    ball, specials, first = None, set(), None
    for each in members:
        for part in parts(each):
            if isinstance(part, Unknown):
                return part
            if isinstance(part, Special):
                specials.add(part)
            else:
                ball, first = (part, part) if ball is None else (ball if part is ball else ball.union(part), first)
    if not specials:
        assert ball is not None
        return ball
    return Spread(ball, frozenset(specials)) if ball is not None or len(specials) > 1 else specials.pop()


def combine(function: Callable[..., Possible], operands: tuple[Possible, ...]) -> Possible:
    """The function of every choice of parts."""
    return join(function(*choice) for choice in product(*map(parts, operands)))


def compare_possible(relation: str, a: Possible, b: Possible) -> Decision:
    """Whether `a relation b`: True or False where every choice says so; the same object is the same number."""
    if not (isinstance(a, Spread) or isinstance(b, Spread)):
        return compare(relation, a, b)
    choices = zip(parts(a), parts(a), strict=True) if a is b else product(parts(a), parts(b))
    decisions = {compare(relation, x, y) for x, y in choices}
    return decisions.pop() if len(decisions) == 1 else None


_SPECIALS = {math.inf: POS_INF, -math.inf: NEG_INF}


def explained(value: float, possible: Any) -> bool:
    """Whether rounding can explain the value: False says for certain that it cannot (an unknown set explains all)."""
    if isinstance(possible, Unknown):
        return True
    if not math.isfinite(value):
        return _SPECIALS.get(value, NAN) in parts(possible)
    return any(type(part) is arb and bool(part.contains(arb(value))) for part in parts(possible))
