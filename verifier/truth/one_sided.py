"""The second route to the truth: germs of the formula itself, which need no derivative rule from anyone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from verifier.arithmetic.elements import Element, Unknown, is_finite
from verifier.arithmetic.germ import GermSystem
from verifier.arithmetic.one_sided import derivative, with_enough
from verifier.symbolic.evaluate import evaluate
from verifier.symbolic.graph import Node

__all__ = ["LineGerm", "Sides", "disjoint"]

_BITS = 192
_CLOSE_BITS = 64
"""One-sided derivatives are doubled in precision until they are known to so many bits."""


@dataclass(frozen=True, slots=True)
class Sides:
    """The one-sided derivatives along a direction, from the left (t < 0) and from the right."""

    left: Element
    right: Element

    def __add__(self, other: Sides | Element) -> Sides | Unknown:
        """The sides of a sum: functions of one line add side by side; an unknown leaves nothing known."""
        if isinstance(other, Unknown):
            return other
        left, right = (other.left, other.right) if isinstance(other, Sides) else (other, other)
        return Sides(self.left + left, self.right + right)  # type: ignore[operator]

    __radd__ = __add__

    def __neg__(self) -> Sides:
        return Sides(-self.left, -self.right)  # type: ignore[operator]

    def __sub__(self, other: Sides | Element) -> Sides | Unknown:
        return self + (-other)  # type: ignore[operator]

    def finite(self) -> bool:
        return is_finite(self.left) and is_finite(self.right)

    def agree(self) -> bool:
        """Both are finite, tight and overlap (SEMANTICS §8)."""
        return is_finite(self.left) and is_finite(self.right) and bool(self.left.overlaps(self.right))


@dataclass(frozen=True, slots=True)
class LineGerm:
    """A graph's value along the line `place + t * direction`.

    `data` and `place` are exact numbers; `direction` gives the rational components of each input leaf.
    """

    node: Node
    data: Mapping[str, np.ndarray]
    place: Mapping[str, np.ndarray]
    direction: Mapping[str, np.ndarray]

    def derivatives(self, order: int, *, components: int | None = None) -> np.ndarray:
        """`Sides` of the k-th derivative in t at t = 0, for the first components of the value (all of them by
        default).
        """
        count = math.prod(self.node.shape)
        count = count if components is None else min(count, components)
        found = np.empty(count, dtype=object)
        for index in range(count):
            found[index] = Sides(*(self._component(order, side, index) for side in (-1, 1)))
        return found

    def _component(self, order: int, side: int, index: int) -> Element:
        def compute(system: GermSystem) -> Element:
            with system.working():
                value = self._value(system, side).reshape(-1)[index]
                return derivative(value, order, side)

        return with_enough(compute, start=GermSystem(bits=_BITS, order=order + 2), accept=_is_close)

    def program(self, arguments: Sequence[np.ndarray], system: GermSystem) -> list[np.ndarray]:
        """The graph's value for elements of the input leaves, which come in the order of `place`."""
        constant = np.frompyfunc(lambda number: system.exact(Fraction(number)), 1, 1)
        leaves = {name: _array(constant(array), array.shape) for name, array in self.data.items()}
        return [evaluate([self.node], {**leaves, **dict(zip(self.place, arguments, strict=True))}, system)[0]]

    def _value(self, system: GermSystem, side: int) -> np.ndarray:
        moving = np.frompyfunc(lambda at, along: system.variable(Fraction(at), side * Fraction(along)), 2, 1)
        arguments = [_array(moving(array, self.direction[name]), array.shape) for name, array in self.place.items()]
        return self.program(arguments, system)[0]


def _array(value: object, shape: Sequence[int]) -> np.ndarray:
    array = np.empty(tuple(shape), dtype=object)
    array[...] = value
    return array


def _is_close(element: Element) -> bool:
    return not is_finite(element) or element.is_exact() or element.rel_accuracy_bits() >= _CLOSE_BITS


def disjoint(a: object, b: object) -> bool:
    """Whether two enclosures of the same number have no point in common: then one of the routes is at fault."""
    return is_finite(a) and is_finite(b) and not a.overlaps(b)
