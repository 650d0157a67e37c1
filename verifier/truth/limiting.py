"""One-sided limits of a formula by germs: proofs, at one point of its other inputs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from verifier.arithmetic.elements import NAN, Element, Special
from verifier.arithmetic.germ import GermSystem, from_ball
from verifier.arithmetic.one_sided import Ceiling, limit, with_enough
from verifier.model.catalog import At
from verifier.symbolic.evaluate import evaluate
from verifier.symbolic.graph import Node
from verifier.truth.workspace import Workspace

__all__ = ["Approach"]

_START = GermSystem(bits=128, order=8)
_CEILING = Ceiling(bits=512, order=32)


@dataclass(frozen=True, slots=True)
class Approach:
    """A formula whose `variable` tends `to` a value, while inputs are fixed `at` a point of the claim.

    Where something that it `differentiates` is no number, the formula is none, whatever its derivative's formula gives.
    """

    formula: Node
    variable: str
    to: Node
    at: At
    workspace: Workspace
    differentiates: tuple[Node, ...] = ()

    def limits(self, place: Mapping[str, np.ndarray], side: int) -> list[Element]:
        """The limits of the components from the right (side 1) or from the left (-1); NaN where no number lies near.

        `place` gives the further inputs exact rationals.
        """
        return [self._component(place, side, index) for index in range(math.prod(self.formula.shape))]

    def _component(self, place: Mapping[str, np.ndarray], side: int, index: int) -> Element:
        def compute(system: GermSystem) -> Element:
            nodes = [self.formula, *self.differentiates]
            value, *operands = evaluate(nodes, self._leaves(system, place, side), system)
            germ = value.reshape(-1)[index]
            missing = any(each is NAN for operand in operands for each in operand.flat)
            return NAN if missing or isinstance(germ, Special) else limit(germ)

        return with_enough(compute, start=_START, ceiling=_CEILING)

    def _leaves(self, system: GermSystem, place: Mapping[str, np.ndarray], side: int) -> dict[str, np.ndarray]:
        certified = self.workspace.certified(system.bits)
        exact = {**self.workspace.data, **place}
        given = {
            **_germs(from_ball, {**certified.named, **certified.place(self.at)}),
            **_germs(lambda number: system.exact(Fraction(number)), exact),
        }
        to = evaluate([self.to], given, system)[0]
        moved = _germs(lambda at: system.apply("add", at, system.variable(0, side)), {self.variable: to})
        return {**given, **moved}


def _germs(made: Callable[[Any], Any], arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays with each of their elements as a germ."""
    found = {name: np.empty(np.shape(array), dtype=object) for name, array in arrays.items()}
    for name, array in found.items():
        for index in np.ndindex(*array.shape):
            array[index] = made(np.asarray(arrays[name], dtype=object)[index])
    return found
