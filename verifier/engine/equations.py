"""Equations between real numbers: a side that is no number equals none, whatever SymPy's complex algebra says of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from verifier.arithmetic.elements import NAN, Element, compare, is_finite
from verifier.arithmetic.precision import working_precision
from verifier.engine.domain import Domain
from verifier.model.catalog import At, Text
from verifier.symbolic.cases import equal_everywhere, ordered_everywhere
from verifier.symbolic.formula import Apply, Formula
from verifier.symbolic.graph import Node
from verifier.symbolic.proof import prove_equal, prove_order
from verifier.truth.workspace import Arrays, Workspace

__all__ = ["Equation", "Values", "every", "some"]

SIDES = ("left", "right")

Side = Text | Formula | Node


def every(decisions: Iterable[bool | None]) -> bool | None:
    """Three-valued and."""
    found = list(decisions)
    return False if False in found else None if None in found else True


def some(decisions: Iterable[bool | None]) -> bool | None:
    """Three-valued or."""
    found = list(decisions)
    return True if True in found else None if None in found else False


@dataclass(frozen=True, slots=True)
class Values:
    """Both sides of an equation in balls, at a point or on a whole box.

    `nowhere` names the sides with a derivative of what is certainly no number there: they are none.
    """

    left: np.ndarray
    right: np.ndarray
    bits: int
    nowhere: frozenset[str] = frozenset()

    def pairs(self) -> list[tuple[Element, Element]]:
        return list(zip(*(each.flat for each in np.broadcast_arrays(self.left, self.right)), strict=True))

    def are_numbers(self) -> bool:
        """Whether everything on both sides is a number for certain."""
        return all(self.finite())

    def finite(self) -> list[bool]:
        """Where both sides are numbers for certain."""
        return [is_finite(a) and is_finite(b) for a, b in self.pairs()]

    def missing(self) -> str:
        """The side that certainly is no number where the other one is: "left", "right", or ""."""
        for pair in self.pairs():
            for index, side in enumerate(SIDES):
                if pair[index] is NAN and is_finite(pair[1 - index]):
                    return side
        return ""

    def void(self) -> bool:
        """Whether neither side is a number, in some component."""
        return any(a is NAN and b is NAN for a, b in self.pairs())

    def equal(self) -> bool | None:
        """Whether both sides are one number, in every component; nothing is decided about what is no number."""
        with working_precision(self.bits):
            return every(None if NAN in (a, b) else compare("eq", a, b) for a, b in self.pairs())


@dataclass(frozen=True, slots=True)
class Equation:
    """`left == right`, over the names of a workspace and at a point."""

    sides: tuple[Side, Side]
    workspace: Workspace
    at: At = ()

    @classmethod
    def of(cls, comparison: Apply, at: At, workspace: Workspace) -> Equation:
        """The sides of a comparison, whatever its relation."""
        left, right = comparison.arguments
        return cls((left, right), workspace, at)

    def values(self, bits: int, extra: Arrays | None = None) -> Values:
        certified = self.workspace.certified(bits)
        found = [certified.existing(each, self.at, extra) for each in self.sides]
        (left, _), (right, _) = found
        nowhere = frozenset(side for side, (_, exists) in zip(SIDES, found, strict=True) if not exists)
        return Values(left, right, bits, nowhere)

    def domain(self) -> Domain:
        """The inputs that the sides use and that are not fixed."""
        return Domain.of(self.workspace, self.sides, fixed=[name for name, _ in self.at])

    def certainly_missing(self, values: Values) -> bool:
        """Whether a side that has no value doesn't exist: a derivative may exist where its formula has no value."""
        side = values.missing()
        if not side or side in values.nowhere:
            return bool(side)
        formula = self.sides[SIDES.index(side)]
        return not isinstance(formula, Node) and not self.workspace.differentiates(formula)

    def proved(self, relation: str = "eq") -> bool | None:
        """Whether SymPy proves it, or another order of the sides, wherever both are defined in the inputs' domains."""
        pairs = self.expressions()
        if pairs is None:
            return None
        prove = _proved_equal if relation == "eq" else partial(_proved_order, relation)
        return every(prove(a, b) for a, b in pairs)

    def expressions(self) -> list[tuple[Any, Any]] | None:
        """Both sides in SymPy, over symbols with the signs of the inputs' domains; None where they are too large."""
        symbolic = partial(self.workspace.symbolic, at=self.at, in_domain=True)
        left, right = (None if isinstance(each, Node) else symbolic(each) for each in self.sides)
        if left is None or right is None:
            return None
        return list(zip(*(each.flat for each in np.broadcast_arrays(left, right)), strict=True))


def _proved_equal(left: Any, right: Any) -> bool | None:
    """As one expression, or piece by piece."""
    found = prove_equal(left, right)
    return True if found is None and equal_everywhere(left, right) else found


def _proved_order(relation: str, left: Any, right: Any) -> bool | None:
    """As one expression, or piece by piece; numbers that are equal are in order, too."""
    found = prove_order(relation, left, right) or ordered_everywhere(relation, left, right)
    return True if found or (relation in ("le", "ge") and prove_equal(left, right)) else None
