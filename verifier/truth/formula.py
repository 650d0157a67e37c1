"""The first route to the truth: SymPy's derivative of a formula, evaluated in balls until it is tight."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
from flint import arb

from verifier.arithmetic.ball import BallSystem
from verifier.arithmetic.columns import Column, Mixed, column_of
from verifier.arithmetic.elements import BITS, Element, Special, Unknown, as_fraction, is_finite, lower, upper
from verifier.arithmetic.floats import Format, round_to
from verifier.arithmetic.precision import working_precision
from verifier.model.verdict import Enclosure, Jump, Kink, NoTruth, Truth
from verifier.symbolic.build import Definitions
from verifier.symbolic.derivative import derivative, directional
from verifier.symbolic.evaluate import evaluate, evaluate_in
from verifier.symbolic.graph import Leaf, Literal, Node, literals, steps
from verifier.truth.one_sided import Sides
from verifier.truth.tape import ACCURATE_BITS, Irregular, Tape, Unrecordable, Wide

__all__ = [
    "CEILING",
    "FIRST_BITS",
    "JUMP",
    "Columns",
    "ComponentTruths",
    "Contract",
    "FormulaTruth",
    "OrderTruth",
    "Place",
    "View",
    "as_array",
    "elements",
    "summable",
]

FIRST_BITS = 128
CEILING = 2**13
"""Working precisions in bits: doubled from the first up to the ceiling (SEMANTICS §4 needs over 1,000 at 1e-300)."""

JUMP = Unknown("a jump: the value at the point differs from a limit, so that no derivative speaks about it", remedy="")

_LEAST = 2.0**-900
"""Below it the floats of the judgement underflow (`judge.certain`)."""
_MOST_ROWS, _MOST_SPLITS = 1024, 8
"""Points that columns hold at once, and how often they are split where they decide differently."""

_BASIS_LIMIT = 16
_SIGN_VECTORS = 8

Exact = Fraction | float | int
View = tuple[int, Hashable]
"""An order, and what tells its contractions apart."""
Contract = Callable[[np.ndarray], np.ndarray]
"""From the flat components of a tensor to those of its contraction, by additions and negations."""
Place = Mapping[str, np.ndarray]
"""Input leaf -> object array of exact numbers (Fraction, int or float)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTruth:
    """The derivative tensor of one order at one point: `values` has shape value.shape + (n,)*order, elements of balls.

    `moves` has one leading axis more: how the tensor moves along each direction of the inputs and inexact constants.
    `complete` tells whether these directions are a basis, or a sample of random sign vectors.
    """

    values: np.ndarray
    moves: np.ndarray
    complete: bool
    bits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Truths of one view at many points, each array of shape (points, components).

    high + low is the truth to 2^-105 of it, exactly where low is 0; `condition` as in Truth, to 2^-34 of
    |truth| + condition. NaN where that is not certified; the condition of a truth below 2^-900 need not be.
    """

    high: np.ndarray
    low: np.ndarray
    condition: np.ndarray


@dataclass(slots=True, eq=False)
class _Recording:
    """The tensors of every order in registers of a tape."""

    tape: Tape
    leaves: tuple[str, ...]
    found: Mapping[int, OrderTruth]
    _viewed: dict[View, tuple[np.ndarray, list[np.ndarray]]] = field(default_factory=dict)

    def run(self, bits: int, result: str, place: Place) -> Any:
        numbers = [number for name in self.leaves for number in np.asarray(place[name], dtype=object).flat]
        return self.tape.run(bits, result, [_ball(number, bits) for number in numbers])

    def accurate(self, result: str, place: Place) -> list[float]:
        """The floats of an expression, at the first precision that gives them all; raises Irregular."""
        bits = FIRST_BITS
        while True:
            try:
                return self.run(bits, result, place)
            except Wide:
                if bits >= CEILING:
                    raise
            bits *= 2

    def enough(self, place: Place) -> int:
        """The first precision at which all values are tight, without their moves; the first of all if irregular."""
        bits = FIRST_BITS
        while bits < CEILING:
            try:
                self.run(bits, self._all_tight, place)
            except Wide:
                bits *= 2
            except Irregular:
                return FIRST_BITS
            else:
                break
        return bits

    @property
    def _all_tight(self) -> str:
        """The expression that refuses the point where more precision helps."""
        return f"tight(({''.join(f'{each.name}, ' for truth in self.found.values() for each in truth.values.flat)}))"

    def tensors(self, place: Place, bits: int) -> dict[int, OrderTruth]:
        """The tensors at a point in balls; raises Irregular."""
        registers = [
            each for truth in self.found.values() for array in (truth.values, truth.moves) for each in array.flat
        ]
        balls = iter(self.run(bits, f"[{', '.join(each.name for each in registers)}]", place))

        def filled(array: np.ndarray) -> np.ndarray:
            result = np.empty(array.shape, dtype=object)
            result.reshape(-1)[:] = list(itertools.islice(balls, array.size))
            return result

        return {
            order: OrderTruth(values=filled(each.values), moves=filled(each.moves), complete=each.complete, bits=bits)
            for order, each in self.found.items()
        }

    def viewed(self, views: Mapping[View, Contract]) -> dict[View, tuple[np.ndarray, list[np.ndarray]]]:
        """The components of each view and how they move, in registers."""
        if not self._viewed:
            for (order, kind), contract in views.items():
                truth = self.found[order]
                rows = [truth.values.reshape(-1), *truth.moves.reshape(len(truth.moves), -1)]
                values, *moves = (contract(row) for row in rows)
                self._viewed[order, kind] = values, moves
        return self._viewed

    def columns(self, places: Sequence[Place], views: Mapping[View, Contract]) -> dict[View, Columns]:
        """The truths of all views: by FLINT's balls, and how they move by columns as far as these know it."""
        values = self._rows(places, self._values(views))
        high, low, moves = values[:, 0::2], values[:, 1::2], self._conditions(places, views)
        wanted = (np.abs(high) >= _LEAST) | (high == 0)
        missing = np.nonzero((wanted & np.isnan(moves)).any(axis=1))[0].tolist()
        moves[missing] = self._rows([places[row] for row in missing], self._sizes(views))
        found, start = {}, 0
        for view, (components, _) in self.viewed(views).items():
            mine = slice(start, start := start + len(components))
            found[view] = Columns(high=high[:, mine], low=low[:, mine], condition=moves[:, mine])
        return found

    def _rows(self, places: Sequence[Place], parts: Sequence[str]) -> np.ndarray:
        """Expressions of floats at each point; NaN where a point is irregular.

        It is as precise as `at` is at the point: a ball's midpoint, and with it the ulp there, depends on that.
        """
        result = f"{self._all_tight} and [{', '.join(parts)}]"
        width = sum(2 if each.startswith("*") else 1 for each in parts)
        rows = np.full((len(places), width), np.nan)
        for row, place in zip(rows, places, strict=True):
            with suppress(Irregular):
                row[:] = self.accurate(result, place)
        return rows

    def _values(self, views: Mapping[View, Contract]) -> list[str]:
        return [f"*parts({value.name})" for values, _ in self.viewed(views).values() for value in values]

    def _sizes(self, views: Mapping[View, Contract]) -> list[str]:
        return [
            f"{'sum_of' if self.found[order].complete else 'largest_of'}"
            f"({value.name}, ({''.join(f'{each.name}, ' for each in along)}))"
            for (order, _), (values, moves) in self.viewed(views).items()
            for value, *along in zip(values, *moves, strict=True)
        ]

    def _conditions(self, places: Sequence[Place], views: Mapping[View, Contract]) -> np.ndarray:
        """How each component moves at each point, in columns; NaN where they do not know it."""
        sizes = self._sizes(views)
        found = np.full((len(places), len(sizes)), np.nan)
        waiting = [
            np.arange(start, min(start + _MOST_ROWS, len(places))) for start in range(0, len(places), _MOST_ROWS)
        ]
        splits = _MOST_SPLITS * len(waiting)
        while waiting:
            rows = waiting.pop()
            try:
                got = self.tape.run_columns(
                    f"[{', '.join(sizes)}]", self._columned([places[row] for row in rows.tolist()])
                )
            except Mixed as mixed:
                splits -= 1
                if splits >= 0:
                    waiting += [rows[each] for each in (mixed.holds, mixed.fails) if each.any()]
            except Irregular:
                continue
            else:
                found[rows] = np.stack([np.broadcast_to(each, rows.shape) for each in got], axis=1)
        return found

    def _columned(self, places: Sequence[Place]) -> list[Column]:
        """The numbers of the points, leaf by leaf and component by component."""
        stacked = {name: np.stack([np.asarray(each[name], dtype=object) for each in places]) for name in self.leaves}
        return [column_of(each) for array in stacked.values() for each in array.reshape(len(places), -1).T.tolist()]


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
    _moving: dict[tuple[int, tuple[Node, ...]], Node] = field(default_factory=dict)
    _seeds: dict[Format, tuple[Node, ...]] = field(default_factory=dict)
    _steps: int | None = None
    _recordings: dict[tuple[Node, ...], _Recording | None] = field(default_factory=dict)

    def at(self, place: Place, form: Format) -> dict[int, OrderTruth]:
        """The truth at an exact point, tight enough to judge numbers of `form`, whose rounding is in the conditions."""
        seeds = self._inexact(form)
        recording = self._recordings.get(seeds)
        bits = FIRST_BITS if recording is None else recording.enough(place)
        while True:
            found = self._evaluate(place, seeds, bits)
            if bits >= CEILING or all(_is_tight(truth) for truth in found.values()):
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
        return recording.columns(places, views)

    def _recording(self, seeds: tuple[Node, ...]) -> _Recording | None:
        """The graphs as a tape; None where they are not to be recorded."""
        if seeds not in self._recordings:
            try:
                self._recordings[seeds] = self._recorded(seeds)
            except Unrecordable:
                self._recordings[seeds] = None
        return self._recordings[seeds]

    def _recorded(self, seeds: tuple[Node, ...]) -> _Recording:
        tape = Tape()
        inputs = {leaf.name: _registers(tape, leaf.shape) for leaf in self.definitions.leaves}
        data = elements(self.data, tape)
        found = self._walked({**data, **inputs}, seeds, tape, partial(evaluate_in, tape.arrays))
        return _Recording(tape, tuple(inputs), found)

    def _evaluate(self, place: Place, seeds: tuple[Node, ...], bits: int) -> dict[int, OrderTruth]:
        recording = self._recordings.get(seeds)
        if recording is not None:
            with suppress(Irregular):
                return recording.tensors(place, bits)
        system = BallSystem(bits)
        with working_precision(bits):
            values = elements({**self.data, **place}, system)
            found = self._walked(values, seeds, system, partial(evaluate, system=system))
        return {order: replace(each, bits=bits) for order, each in found.items()}

    def _walked(
        self, values: Mapping[str, np.ndarray], seeds: tuple[Node, ...], system: Any, walk: Callable[..., list[Any]]
    ) -> dict[int, OrderTruth]:
        """Every order's tensor and how it moves, in whatever elements `values` has."""
        moved = (*self.definitions.leaves, *seeds)
        count = sum(_size(node) for node in moved)
        complete = count <= _BASIS_LIMIT
        count = count if complete else _SIGN_VECTORS
        directions = _directions(moved, values, count, complete, system)
        nodes = [self.tensor(order) for order in self.orders]
        nodes += [self._moved(order, moved, count) for order in self.orders]
        arrays = walk(nodes, {**values, **directions})
        half = len(self.orders)
        return {
            order: OrderTruth(values=arrays[i], moves=arrays[half + i], complete=complete, bits=FIRST_BITS)
            for i, order in enumerate(self.orders)
        }

    def _moved(self, order: int, moved: tuple[Node, ...], count: int) -> Node:
        if (order, moved) not in self._moving:
            names = {node: _direction_name(index) for index, node in enumerate(moved)}
            self._moving[order, moved] = directional(self.tensor(order), names, count)
        return self._moving[order, moved]


def _registers(tape: Tape, shape: Sequence[int]) -> np.ndarray:
    array = np.empty(tuple(shape), dtype=object)
    for index in np.ndindex(*array.shape):
        array[index] = tape.input()
    return array


def _ball(number: Exact, bits: int) -> arb:
    """An exact number as a ball of the working precision; a float has 53 bits, and every precision holds it."""
    return arb(number) if isinstance(number, float) else BallSystem(bits).exact(Fraction(number))


def _direction_name(index: int) -> str:
    return f"direction {index}"  # a space, so that no name of a catalog can clash


def _size(node: Node) -> int:
    return math.prod(node.shape)


def _directions(
    moved: Sequence[Node], values: Mapping[str, np.ndarray], count: int, complete: bool, system: BallSystem
) -> dict[str, np.ndarray]:
    """Along x_i e_i for every component, or along x * s for random sign vectors s: then |dT| sums to the
    conditioning.
    """
    signs = np.random.default_rng(0).choice([-1, 1], size=(count, sum(_size(node) for node in moved)))
    weights = np.eye(count, dtype=int) if complete else signs
    directions, start = {}, 0
    for index, node in enumerate(moved):
        stop = start + _size(node)
        scaled = weights[:, start:stop].astype(object) * _value_of(node, values, system).reshape(1, -1)
        directions[_direction_name(index)] = scaled.reshape(count, *node.shape)
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


def as_array(element: object) -> np.ndarray:
    """A single element as an object array of shape ()."""
    array = np.empty((), dtype=object)
    array[()] = element
    return array


def elements(arrays: Mapping[str, np.ndarray], system: Any) -> dict[str, np.ndarray]:
    """Exact numbers (Fraction, int, float) as balls; to be called under the system's working precision."""
    convert = np.frompyfunc(lambda number: system.exact(Fraction(number)), 1, 1)
    return {name: np.asarray(convert(array), dtype=object).reshape(np.shape(array)) for name, array in arrays.items()}


def _holds(numbers: Iterable[Exact | str], form: Format) -> bool:
    """Whether the dtype holds every one of these numbers exactly; the named constants (pi, e) no dtype holds."""
    return all(isinstance(each, Exact) and round_to(Fraction(each), form) == Fraction(each) for each in numbers)


def _is_tight(truth: OrderTruth) -> bool:
    """Whether more bits could not help: every value is exact or known far better than any dtype needs."""
    return all(_is_settled(value) for value in truth.values.flat)


def _is_settled(value: Element) -> bool:
    if isinstance(value, Unknown):
        return value.remedy != BITS
    if not is_finite(value):
        return True
    return value.is_exact() or value.rel_accuracy_bits() >= ACCURATE_BITS


def summable(row: np.ndarray) -> np.ndarray:
    """The elements with those that are definitely no number made unknown, so that sums of them are unknown."""
    result = np.empty(row.size, dtype=object)
    result[:] = [Unknown(f"the truth is {each!r}", "") if isinstance(each, Special) else each for each in row.flat]
    return result


@dataclass(frozen=True, slots=True, eq=False)
class ComponentTruths(Sequence[Truth]):
    """Elements of balls, flattened, as plain data, each made when it is asked for.

    `moves` says how each moves along each direction. A ball that still holds zero at the ceiling is presumed to be
    zero; the sum of |summands| is then about radius * 2^bits, and stands for the conditioning (SEMANTICS §4).
    """

    values: np.ndarray
    moves: Sequence[np.ndarray]
    complete: bool
    bits: int
    _made: dict[int, Truth] = field(default_factory=dict)

    def __len__(self) -> int:
        return self.values.size

    def __getitem__(self, component: Any) -> Any:
        if not 0 <= component < len(self):
            raise IndexError(component)
        if component not in self._made:
            value, *along = (each.flat[component] for each in (self.values, *self.moves))
            with working_precision(self.bits):
                self._made[component] = _component(value, along, self.complete, self.bits)  # pyright: ignore[reportArgumentType]
        return self._made[component]


def _component(value: Element, along: Sequence[Element], complete: bool, bits: int) -> Truth:
    if value is JUMP:
        return Truth(value=Jump())
    if isinstance(value, Sides):
        return Truth(value=Kink(_enclosure(value.left), _enclosure(value.right)))
    if not is_finite(value):
        return Truth(value=NoTruth(value.reason if isinstance(value, Unknown) else f"the truth is {value!r}"))
    low, high = as_fraction(lower(value)), as_fraction(upper(value))
    if low < 0 < high and bits >= CEILING:
        return Truth(value=Enclosure(Fraction(0), Fraction(0)), condition=(high - low) * 2 ** (bits - 1), presumed=True)
    return Truth(value=Enclosure(low, high), condition=_condition(along, complete))


def _enclosure(ball: Element) -> Enclosure:
    return Enclosure(as_fraction(lower(ball)), as_fraction(upper(ball)))  # type: ignore[arg-type]


def _condition(along: Sequence[Element], complete: bool) -> Fraction | None:
    """sum |dT| over a basis; else the largest |dT| along the random sign vectors, an estimate that never exceeds
    that sum.
    """
    finite = [move for move in along if is_finite(move)]
    if len(finite) < len(along):
        return None
    sizes = [as_fraction(upper(abs(move))) for move in finite if not move.is_zero()]
    return sum(sizes, Fraction(0)) if complete else max(sizes, default=Fraction(0))
