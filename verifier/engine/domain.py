"""The inputs that a claim runs through: their box, its points that are worth a trial, and how a point is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, product

import numpy as np

from verifier.arithmetic.arrays import object_array
from verifier.arithmetic.elements import Element, exact_ball
from verifier.model.catalog import Input, Text
from verifier.symbolic.formula import Formula
from verifier.symbolic.graph import Node
from verifier.symbolic.graph import leaves as graph_leaves
from verifier.truth.forall import Box, Point
from verifier.truth.workspace import Workspace

__all__ = ["Domain"]

_RANDOM = 24
_SPECIAL = 64
_VALUES = 8
_NEAR = Fraction(1, 2**20)


@dataclass(frozen=True, slots=True)
class Domain:
    """Inputs, each of which takes every value of its domain; a point lists their components in order."""

    leaves: tuple[Input, ...]

    @classmethod
    def of(cls, workspace: Workspace, formulas: Iterable[Text | Formula | Node], fixed: Iterable[str]) -> Domain:
        """The inputs that these formulas use, without those that are fixed.

        A derivative uses what it differentiates, also where nothing is left of that: D(3*x, x) is 3 where 3*x exists.
        """
        graphs = (workspace.graphs(each) for each in formulas)
        free = {leaf.name for node, operands in graphs for leaf in graph_leaves([node, *operands])} - set(fixed)
        return cls(tuple(each for each in workspace.entry.inputs if each.name in free))

    @property
    def box(self) -> Box:
        return tuple((leaf.lower, leaf.upper) for leaf in self.leaves for _ in range(leaf.size))

    def arrays(self, elements: Sequence[Element | Fraction]) -> dict[str, np.ndarray]:
        """The components of a point, or their elements, as the arrays of its leaves."""
        arrays, rest = {}, list(elements)
        for leaf in self.leaves:
            arrays[leaf.name] = object_array(rest[: leaf.size], leaf.shape)
            rest = rest[leaf.size :]
        return arrays

    def place(self, point: Point) -> dict[str, np.ndarray]:
        """The components of a point as the arrays of its leaves, at the working precision."""
        return self.arrays([exact_ball(x) for x in point])

    def written(self, point: Sequence[Fraction]) -> str:
        """The point in words: `x = 1/2, v = [1, 2]`."""
        numbers = iter(point)
        parts = []
        for leaf in self.leaves:
            own = [str(next(numbers)) for _ in range(leaf.size)]
            parts.append(f"{leaf.name} = {own[0] if leaf.shape == () else '[' + ', '.join(own) + ']'}")
        return ", ".join(parts)

    def around(self, point: Point) -> Box:
        """What lies next to a point, in the domain."""
        return tuple(
            (max(low, place - _NEAR), min(high, place + _NEAR))
            for place, (low, high) in zip(point, self.box, strict=True)
        )

    def trials(self) -> Iterator[Point]:
        """Points where a false statement may show itself; without inputs the one point that there is."""
        if not self.box:
            yield ()
            return
        yield from self.special()
        yield from self.scattered()

    def scattered(self) -> Iterator[Point]:
        """Seeded rational points of the domain, where nothing special is to be expected."""
        if not self.box:
            yield ()
            return
        generator = np.random.default_rng(0)
        for _ in range(_RANDOM):
            weights = [Fraction(int(each), 1000) for each in generator.integers(1, 1000, size=len(self.box))]
            yield tuple(low + (high - low) * weight for (low, high), weight in zip(self.box, weights, strict=True))

    def special(self) -> Iterator[Point]:
        """Points of zeros, ends, middles and integers: in all combinations where they are few, else all of one kind,
        and one component at a time.
        """
        values = [_special_values(*side) for side in self.box]
        if _VALUES ** len(values) <= _SPECIAL:
            yield from product(*values)
            return
        yield from (tuple(own[place % len(own)] for own in values) for place in range(_VALUES))
        middle = tuple((low + high) / 2 for low, high in self.box)
        alone = ((*middle[:axis], own[0], *middle[axis + 1 :]) for axis, own in enumerate(values))
        yield from islice(alone, _SPECIAL)


def _special_values(low: Fraction, high: Fraction) -> tuple[Fraction, ...]:
    """Zero, if it can be, both ends, the middle, and the integers nearest to zero: so many at most."""
    wanted = (Fraction(0), low, high, (low + high) / 2, *map(Fraction, (1, -1, 2, -2, 3, -3)))
    inside = dict.fromkeys(each for each in wanted if low <= each <= high)
    return tuple(inside)[:_VALUES]
