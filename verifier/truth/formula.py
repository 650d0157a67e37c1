"""The first route to the truth: SymPy's derivative of a formula, evaluated in balls until it is tight."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np

from verifier.arithmetic.ball import BallSystem
from verifier.arithmetic.floats import Format, round_to
from verifier.arithmetic.precision import working_precision
from verifier.symbolic.build import Definitions
from verifier.symbolic.derivative import derivative, directional
from verifier.symbolic.evaluate import evaluate, evaluate_in
from verifier.symbolic.graph import Leaf, Literal, Node, literals, steps
from verifier.truth.in_floats import Columns
from verifier.truth.recorded import Moving, Recorded
from verifier.truth.tape import Irregular, Tape, Unrecordable
from verifier.truth.tensors import (
    CEILING,
    FIRST_BITS,
    Contract,
    OrderTruth,
    Place,
    View,
    as_array,
    contracted,
    elements,
    is_settled,
)

__all__ = ["FormulaTruth"]

_BASIS_LIMIT = 16
_SIGN_VECTORS = 8
_NO_VIEWS: Mapping[View, Contract] = MappingProxyType({})

Exact = Fraction | float | int


@dataclass(slots=True)
class FormulaTruth:
    """Certified derivatives of the formula of an entry, all wanted orders at once.

    `data` holds the exact values of the entry's data. Graphs are built once per set of directions and reused for
    every point.
    """

    definitions: Definitions
    orders: Sequence[int]
    data: Mapping[str, np.ndarray]
    _tensors: dict[int, Node] = field(default_factory=dict)
    _moving: dict[tuple[int, tuple[Node, ...], int], Node] = field(default_factory=dict)
    _seeds: dict[Format, tuple[Node, ...]] = field(default_factory=dict)
    _steps: int | None = None
    _recordings: dict[tuple[Node, ...], Recorded | None] = field(default_factory=dict)

    def at(
        self,
        place: Place,
        form: Format,
        *,
        settled: bool = False,
        views: Mapping[View, Contract] = _NO_VIEWS,
    ) -> dict[int, OrderTruth]:
        """The truth at an exact point, tight enough to judge numbers of `form`, whose rounding is in the conditions.

        Known far better than any dtype needs, and so are the `views`, unless the ceiling comes first; where it may be
        `settled`, what is not known need only be negligible beside the yardstick.
        """
        seeds, wanted = self._inexact(form), form if settled else None
        recorded = self._recordings.get(seeds)
        if recorded is not None:
            with suppress(Irregular):
                return recorded.tensors(place, wanted, partial(self._evaluated, place, seeds))
        bits = FIRST_BITS
        while True:
            found = self._evaluated(place, seeds, bits)
            seen = (contracted(found[order], contract) for (order, _), contract in views.items())
            if bits >= CEILING or all(is_settled(truth, wanted) for truth in (*found.values(), *seen)):
                return found
            bits *= 2

    def value_node(self) -> Node:
        return self.definitions.nodes["value"]

    def steps(self) -> int:
        """About how many scalar operations the value takes."""
        if self._steps is None:
            self._steps = steps([self.value_node()])
        return self._steps

    def tensor(self, order: int) -> Node:
        """The graph of the derivative tensor of an order."""
        if order not in self._tensors:
            self._tensors[order] = derivative(self.value_node(), self.definitions.leaves, order)
        return self._tensors[order]

    def _inexact(self, form: Format) -> tuple[Node, ...]:
        """What the dtype has to round besides the inputs: data and literals with a component that it cannot hold."""
        if form not in self._seeds:
            self._seeds[form] = self._rounded(form)
        return self._seeds[form]

    def _rounded(self, form: Format) -> tuple[Node, ...]:
        nodes = self.definitions.nodes
        data = [nodes[name] for name, values in self.data.items() if not _holds(values.flat, form)]
        constants = literals([self.tensor(order) for order in self.orders])
        return (*data, *(each for each in constants if not _holds([each.value], form)))

    def columns(self, places: Sequence[Place], form: Format, views: Mapping[View, Contract]) -> dict[View, Columns]:
        """The truth of every view at many points, in floats; a row of NaN where `at` has to be asked.

        A view is an order and whatever tells its contractions apart; its contraction takes the flat tensor.
        """
        recording = self._recording(self._inexact(form))
        if recording is None:
            return {}
        return recording.columns(places, form, views)

    def _recording(self, seeds: tuple[Node, ...]) -> Recorded | None:
        """The graphs as a tape; None where they are not to be recorded."""
        if seeds not in self._recordings:
            try:
                self._recordings[seeds] = self._recorded(seeds)
            except Unrecordable:
                self._recordings[seeds] = None
        return self._recordings[seeds]

    def _recorded(self, seeds: tuple[Node, ...]) -> Recorded:
        tape, moved = Tape(), (*self.definitions.leaves, *seeds)
        inputs = {leaf.name: _registers(tape, leaf.shape) for leaf in self.definitions.leaves}
        along = {_direction_name(index): _registers(tape, (1, *node.shape)) for index, node in enumerate(moved)}
        arrays = {**elements(self.data, tape), **inputs, **along}
        values, moves = self._walked(arrays, moved, 1, partial(evaluate_in, tape.arrays))
        constants = [number for node in seeds for number in self._numbers_of(node)]
        weights, complete = _weights(moved)
        return Recorded(
            tape=tape,
            leaves=tuple(inputs),
            moving=Moving(weights=weights, complete=complete, constants=constants),
            values=values,
            moves=moves,
        )

    def _evaluated(self, place: Place, seeds: tuple[Node, ...], bits: int) -> dict[int, OrderTruth]:
        """By the evaluator, which knows what to make of infinities, kinks and undecided comparisons."""
        system, moved = BallSystem(bits), (*self.definitions.leaves, *seeds)
        weights, complete = _weights(moved)
        with working_precision(bits):
            given = elements({**self.data, **place}, system)
            along = _directions(moved, given, weights, system)
            values, moves = self._walked({**given, **along}, moved, len(weights), partial(evaluate, system=system))
        return {
            order: OrderTruth(
                values=values[order], moving=partial(moves.__getitem__, order), complete=complete, bits=bits
            )
            for order in self.orders
        }

    def _walked(
        self, given: Mapping[str, np.ndarray], moved: tuple[Node, ...], count: int, walk: Callable[..., list[Any]]
    ) -> tuple[dict[int, np.ndarray], dict[int, np.ndarray]]:
        """Every order's tensor and how it moves along so many directions, in whatever elements are given."""
        nodes = [self.tensor(order) for order in self.orders]
        nodes += [self._moved(order, moved, count) for order in self.orders]
        arrays, half = walk(nodes, given), len(self.orders)
        return dict(zip(self.orders, arrays[:half], strict=True)), dict(zip(self.orders, arrays[half:], strict=True))

    def _numbers_of(self, node: Node) -> list[Any]:
        """The numbers of an inexact constant: the components of data, or a literal."""
        return list(self.data[node.name].flat) if isinstance(node, Leaf) else [node.value]  # pyright: ignore[reportAttributeAccessIssue]

    def _moved(self, order: int, moved: tuple[Node, ...], count: int) -> Node:
        if (order, moved, count) not in self._moving:
            names = {node: _direction_name(index) for index, node in enumerate(moved)}
            self._moving[order, moved, count] = directional(self.tensor(order), names, count)
        return self._moving[order, moved, count]


def _registers(tape: Tape, shape: Sequence[int]) -> np.ndarray:
    array = np.empty(tuple(shape), dtype=object)
    for index in np.ndindex(*array.shape):
        array[index] = tape.input()
    return array


def _direction_name(index: int) -> str:
    return f"direction {index}"  # a space, so that no name of a catalog can clash


def _size(node: Node) -> int:
    return math.prod(node.shape)


def _weights(moved: Sequence[Node]) -> tuple[np.ndarray, bool]:
    """The directions in which components move by themselves, as (directions, components), and whether they are a basis.

    Along x_i e_i for every component, or along x * s for random sign vectors s: then |dT| sums to the conditioning.
    """
    count = sum(_size(node) for node in moved)
    if count <= _BASIS_LIMIT:
        return np.eye(count, dtype=int), True
    return np.random.default_rng(0).choice([-1, 1], size=(_SIGN_VECTORS, count)), False


def _directions(
    moved: Sequence[Node], values: Mapping[str, np.ndarray], weights: np.ndarray, system: BallSystem
) -> dict[str, np.ndarray]:
    directions, start = {}, 0
    for index, node in enumerate(moved):
        stop = start + _size(node)
        scaled = weights[:, start:stop].astype(object) * _value_of(node, values, system).reshape(1, -1)
        directions[_direction_name(index)] = scaled.reshape(len(weights), *node.shape)
        start = stop
    return directions


def _value_of(node: Node, values: Mapping[str, np.ndarray], system: BallSystem) -> np.ndarray:
    match node:
        case Leaf(name=name):
            return values[name]
        case Literal(value=Fraction() as value):
            return as_array(system.exact(value))
        case Literal(value=name):
            return as_array(system.constant(str(name)))
    raise TypeError(f"only leaves and literals move, not {node!r}")


def _holds(numbers: Iterable[Exact | str], form: Format) -> bool:
    """Whether the dtype holds every one of these numbers exactly; the named constants (pi, e) no dtype holds."""
    return all(isinstance(each, Exact) and round_to(Fraction(each), form) == Fraction(each) for each in numbers)
