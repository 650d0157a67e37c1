"""The tensors of a formula on a tape, with how they move: truths at many points."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache, cached_property
from typing import Any

import numpy as np
from flint import arb

from verifier.arithmetic.ball import BallSystem
from verifier.arithmetic.columns import Column, Mixed, column_of
from verifier.arithmetic.floats import Format
from verifier.arithmetic.precision import working_precision
from verifier.truth.in_floats import Columns, largest_of, parts, sum_of
from verifier.truth.tape import Irregular, Tape, constant_column
from verifier.truth.tensors import (
    CEILING,
    FIRST_BITS,
    Contract,
    OrderTruth,
    Place,
    View,
    is_known,
    is_negligible,
    least_condition,
)

__all__ = ["Moving", "Recorded"]

_MOST_ROWS, _MOST_SPLITS = 1024, 8
"""Points that columns hold at once, and how often they are split where they decide differently."""

_MOST_KEPT = 500_000
"""Balls that are kept, of about 100 bytes each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moving:
    """What moves: the components of the leaves, then those of inexact constants, along several directions.

    Component j moves along direction i by weights[i, j] of itself; the weights are 0, 1 and -1, and `complete` tells
    whether they are a basis. `constants` are the numbers of constants (Fraction, int, float, or a constant's name).
    """

    weights: np.ndarray
    complete: bool
    constants: Sequence[Any]


@dataclass(eq=False, kw_only=True)
class Recorded:
    """The tensors of every order in registers of a tape; `moves` there have a first axis of length one.

    The tape's inputs are the components of the leaves, and by how much each component of `moving` moves.
    """

    tape: Tape
    leaves: tuple[str, ...]
    moving: Moving
    values: Mapping[int, np.ndarray]
    moves: Mapping[int, np.ndarray]
    _viewed: dict[View, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    _settled: dict[tuple[Format | None, tuple[Any, ...]], int] = field(default_factory=dict)
    """(dtype, point) -> the precision at which what is not known is negligible, where something is not."""
    _kept: dict[tuple[Format | None, tuple[Any, ...]], tuple[int, dict[str, arb]]] = field(default_factory=dict)
    """(dtype, point) -> what was found there in columns: points where that left something open are asked again."""
    _all: tuple[str, ...] = ()
    """The registers of all values and their contractions, each once."""

    def __post_init__(self) -> None:
        self._all = _names(self.values.values())

    # points, one by one

    def tensors(
        self, place: Place, form: Format | None, otherwise: Callable[[int], Mapping[int, OrderTruth]]
    ) -> dict[int, OrderTruth]:
        """The tensors at a point, settled for a dtype (without one: known), or at the ceiling; raises Irregular.

        `otherwise` is asked, with the precision, where only how they move is irregular.
        """
        bits, balls = self._kept.get((form, _key(place))) or self._first(place, form)
        return self._tensors(place, bits, balls, otherwise)

    def _tensors(
        self, place: Place, bits: int, balls: Mapping[str, arb], otherwise: Callable[[int], Mapping[int, OrderTruth]]
    ) -> dict[int, OrderTruth]:
        @cache
        def moves() -> Mapping[int, np.ndarray]:
            try:
                rows = [self._run(place, bits, self._moved, weights) for weights in self.moving.weights]
            except Irregular:
                return {order: each.moves for order, each in otherwise(bits).items()}
            return {
                order: np.stack([_filled(array, row) for row in rows]).reshape(-1, *self.values[order].shape)
                for order, array in self.moves.items()
            }

        def of(order: int, array: np.ndarray) -> OrderTruth:
            return OrderTruth(
                values=_filled(array, balls), moving=lambda: moves()[order], complete=self.moving.complete, bits=bits
            )

        return {order: of(order, array) for order, array in self.values.items()}

    @cached_property
    def _moved(self) -> tuple[str, ...]:
        return _names(self.moves.values())

    def _run(
        self, place: Place, bits: int, names: tuple[str, ...], weights: Sequence[int] | None = None
    ) -> dict[str, arb]:
        """Registers at a point, along a direction where they depend on one; raises Irregular."""
        system = BallSystem(bits)
        numbers = [number for name in self.leaves for number in np.asarray(place[name], dtype=object).flat]
        balls = [arb(each) if isinstance(each, float) else system.exact(Fraction(each)) for each in numbers]
        along = [_ZERO] * self.moving.weights.shape[1]
        if weights is not None:
            with working_precision(bits):
                moved = [*balls, *(_constant(each, system) for each in self.moving.constants)]
                along = [int(weight) * each for weight, each in zip(weights, moved, strict=True)]
        return dict(zip(names, self.tape.run(bits, f"[{', '.join(names)}]", [*balls, *along]), strict=True))

    def _first(self, place: Place, form: Format | None, least: np.ndarray | None = None) -> tuple[int, dict[str, arb]]:
        """The first precision at which all values and their contractions are settled, or the ceiling, and all
        registers but moves there; raises Irregular.

        `least` is what the condition of each register is at least; without it how they move is asked in balls.
        """
        known = self._settled.get((form, key := _key(place)))
        bits = known or FIRST_BITS
        while True:
            balls = self._run(place, bits, self._all)
            if known or bits >= CEILING or all(map(is_known, balls.values())):
                return bits, balls
            if form is not None and self._is_settled(place, bits, balls, form, least):
                self._settled[form, key] = bits
                return bits, balls
            bits *= 2

    def _is_settled(
        self, place: Place, bits: int, balls: Mapping[str, arb], form: Format, least: np.ndarray | None
    ) -> bool:
        """Whether what is not known of any value or contraction is negligible beside the dtype's yardstick."""
        loose = [name for name, ball in balls.items() if not is_known(ball)]
        try:
            known = dict(zip(balls, least, strict=True)) if least is not None else self._least(place, bits, loose)
        except Irregular:
            return False
        return all(is_negligible(balls[name], arb(known[name]), form) for name in loose)

    def _least(self, place: Place, bits: int, names: Sequence[str]) -> dict[str, arb]:
        """What the condition of each of these registers is at least, by balls; raises Irregular."""
        moved = {value.name: move.name for value, move in self._moving_pairs()}
        rows = [self._run(place, bits, tuple(moved[name] for name in names), each) for each in self.moving.weights]
        with working_precision(bits):
            complete = self.moving.complete
            return {name: least_condition([row[moved[name]] for row in rows], complete=complete) for name in names}

    def _moving_pairs(self) -> Iterator[tuple[Any, Any]]:
        """The registers of all values and their contractions, and of how each moves."""
        for order, values in self.values.items():
            yield from zip(values.flat, self.moves[order].flat, strict=True)
        for values, moves in self._viewed.values():
            yield from zip(values, moves, strict=True)

    # many points at once

    def columns(self, places: Sequence[Place], form: Format, views: Mapping[View, Contract]) -> dict[View, Columns]:
        """The truths of all views: by FLINT's balls, and how they move by columns as far as these know it."""
        viewed = self._viewed_by(views)
        names = _names(values for values, _ in viewed.values())
        least, moves = self._conditions(places, viewed)
        found, precisions = np.full((len(places), len(names), 4), np.nan), [FIRST_BITS] * len(places)
        told = np.all(np.isfinite(least), axis=1)
        for row, place in enumerate(places):
            with suppress(Irregular):
                bits, balls = self._first(place, form, least[row] if told[row] else None)
                precisions[row] = bits
                if len(self._kept) * len(balls) < _MOST_KEPT:
                    self._kept[form, _key(place)] = bits, balls
                with working_precision(bits):
                    found[row] = [parts(balls[name]) for name in names]
        found[np.array(precisions) >= CEILING, :, 3] = np.nan  # what holds zero even there is presumed to be zero
        where = {name: index for index, name in enumerate(names)}
        chosen = [where[each.name] for values, _ in viewed.values() for each in values]
        found = found[:, chosen]
        irregular = np.isnan(found[:, :, 2])
        moves[irregular] = np.nan  # what is irregular is the evaluator's
        for row in np.nonzero((~irregular & np.isnan(moves)).any(axis=1))[0].tolist():
            with suppress(Irregular):
                moves[row] = self._sizes(places[row], precisions[row], viewed)
        whole, columns, start = np.concatenate([found, moves[:, :, np.newaxis]], axis=2), {}, 0
        for view, (components, _) in viewed.items():
            columns[view] = Columns.of(whole[:, start : (start := start + len(components))])
        return columns

    def _viewed_by(self, views: Mapping[View, Contract]) -> Mapping[View, tuple[np.ndarray, np.ndarray]]:
        """The components of each view and how they move, in registers."""
        for (order, kind), contract in views.items():
            if (order, kind) not in self._viewed:
                rows = (self.values[order].reshape(-1), self.moves[order].reshape(-1))
                self._viewed[order, kind] = contract(rows[0]), contract(rows[1])
                self._all = tuple(dict.fromkeys((*self._all, *_names([self._viewed[order, kind][0]]))))
        return {view: self._viewed[view] for view in views}

    def _sizes(self, place: Place, bits: int, viewed: Mapping[View, tuple[np.ndarray, np.ndarray]]) -> list[float]:
        """The condition of every component at a point, by balls; raises Irregular."""
        names = _names(array for both in viewed.values() for array in both)
        rows = [self._run(place, bits, names, weights) for weights in self.moving.weights]
        pairs = [(value.name, move.name) for both in viewed.values() for value, move in zip(*both, strict=True)]
        size = sum_of if self.moving.complete else largest_of
        with working_precision(bits):
            return [size(rows[0][value], [row[move] for row in rows]) for value, move in pairs]

    def _conditions(
        self, places: Sequence[Place], viewed: Mapping[View, tuple[np.ndarray, np.ndarray]]
    ) -> tuple[np.ndarray, np.ndarray]:
        """What the condition of each value and contraction is at least, and that of each component of the views, at
        each point in columns; NaN where they do not know it.
        """
        size = "sum_of" if self.moving.complete else "largest_of"
        least = {value.name: f"least_{size}({move.name})" for value, move in self._moving_pairs()}
        pairs = [pair for both in viewed.values() for pair in zip(*both, strict=True)]
        sizes = [f"{size}({value.name}, {move.name})" for value, move in pairs]
        texts = list(dict.fromkeys([*least.values(), *sizes]))
        found = np.full((len(places), len(texts)), np.nan)
        waiting = [
            np.arange(start, min(start + _MOST_ROWS, len(places))) for start in range(0, len(places), _MOST_ROWS)
        ]
        splits = _MOST_SPLITS * len(waiting)
        while waiting:
            rows = waiting.pop()
            given = self._columned([places[row] for row in rows.tolist()])
            try:
                got = self.tape.run_columns(f"[{', '.join(texts)}]", given)
            except Mixed as mixed:
                splits -= 1
                if splits >= 0:
                    halves = (np.atleast_2d(each).all(axis=0) for each in (mixed.holds, mixed.fails))
                    waiting += [rows[each] for each in halves if each.any()]
            except Irregular:
                continue
            else:
                found[rows] = np.stack([np.broadcast_to(each, rows.shape) for each in got], axis=1)
        where = {text: index for index, text in enumerate(texts)}
        first, second = (found[:, [where[text] for text in each]] for each in (least.values(), sizes))
        return first, second

    def _columned(self, places: Sequence[Place]) -> list[Column]:
        """The numbers of the points, leaf by leaf and component by component, and how they move."""
        stacked = [np.stack([np.asarray(each[name], dtype=object) for each in places]) for name in self.leaves]
        numbers = [column_of(each) for array in stacked for each in array.reshape(len(places), -1).T.tolist()]
        constants = [constant_column(x) if isinstance(x, str) else column_of([x]) for x in self.moving.constants]
        moved = zip([*numbers, *constants], self.moving.weights.T, strict=True)
        return [*numbers, *(_along(each, weights) for each, weights in moved)]


def _along(column: Column, weights: np.ndarray) -> Column:
    """A column times 0, 1 or -1 for each direction, which are the first axis."""
    middle, radius = np.atleast_1d(column.middle), np.atleast_1d(column.radius)
    return Column(weights[:, np.newaxis] * middle, abs(weights)[:, np.newaxis] * radius)


def _constant(value: Any, system: BallSystem) -> arb:
    return system.constant(value) if isinstance(value, str) else system.exact(Fraction(value))


def _key(place: Place) -> tuple[Any, ...]:
    return tuple(number for array in place.values() for number in np.asarray(array, dtype=object).flat)


def _names(arrays: Iterable[np.ndarray]) -> tuple[str, ...]:
    """The registers of arrays, each once."""
    return tuple(dict.fromkeys(each.name for array in arrays for each in array.flat))


def _filled(array: np.ndarray, balls: Mapping[str, arb]) -> np.ndarray:
    """An array of registers with their balls in their places."""
    found = np.empty(array.shape, dtype=object)
    found.reshape(-1)[:] = [balls[each.name] for each in array.flat]
    return found


_ZERO = arb(0)
