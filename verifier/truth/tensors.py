"""Derivative tensors at a point as elements of balls, and their components as plain truths."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
from flint import arb

from verifier.arithmetic.elements import BITS, Element, Special, Unknown, is_finite
from verifier.arithmetic.floats import Format
from verifier.arithmetic.precision import working_precision
from verifier.model.verdict import Cusp, Enclosure, Infinite, Jump, Kink, LocalTruth, NoTruth, Truth, Undefined
from verifier.truth.enclosing import CEILING, enclosed
from verifier.truth.in_floats import ACCURATE_BITS, largest_of, parts, sum_of
from verifier.truth.one_sided import Sides

__all__ = [
    "CEILING",
    "FIRST_BITS",
    "JUMP",
    "ComponentTruths",
    "Contract",
    "OrderTruth",
    "Place",
    "Stated",
    "View",
    "as_array",
    "contracted",
    "elements",
    "is_known",
    "is_negligible",
    "is_settled",
    "least_condition",
    "stated",
]

FIRST_BITS = 128
"""Working precision in bits: doubled from here up to the ceiling."""

NEGLIGIBLE_BITS = 56
"""Beside a yardstick: far below the 2^-48 of it to which errors are measured."""


@dataclass(frozen=True, slots=True)
class Stated(Unknown):
    """A truth that is no number, an unknown to whoever computes with it."""

    truth: LocalTruth = field(default_factory=Jump)

    def __add__(self, other: object) -> Unknown:
        """A sum with what is infinite may be anything; where there is a jump or no function it has no derivative."""
        return self if isinstance(self.truth, (Jump, Undefined)) else Unknown(self.reason, self.remedy)

    __radd__ = __sub__ = __rsub__ = __add__

    def __neg__(self) -> Unknown:
        match self.truth:
            case Infinite(sign):
                return stated(Infinite(-1 if sign > 0 else 1))
            case Cusp():
                return Unknown(self.reason, self.remedy)
        return self


def stated(truth: LocalTruth) -> Stated:
    """An element for this truth."""
    return Stated("the derivative is no number", remedy="", truth=truth)


JUMP = stated(Jump())


Place = Mapping[str, np.ndarray]
"""Input leaf -> object array of exact numbers (Fraction, int or float)."""

View = tuple[int, Hashable]
"""An order, and what tells its contractions apart."""
Contract = Callable[[np.ndarray], np.ndarray]
"""From the flat components of a tensor to those of its contraction, by additions and negations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTruth:
    """The derivative tensor of one order at one point: `values` has shape value.shape + (n,)*order, elements of balls.

    `complete` tells whether the directions of `moves` are a basis, or a sample of random sign vectors.
    """

    values: np.ndarray
    moving: Callable[[], np.ndarray]
    complete: bool
    bits: int

    @property
    def moves(self) -> np.ndarray:
        """How the tensor moves along each direction of the inputs and inexact constants, which are the first axis."""
        return self.moving()


def contracted(truth: OrderTruth, contract: Contract) -> OrderTruth:
    """A contraction of the tensor, flat; sums of what is no number are unknown."""

    def of(row: np.ndarray) -> np.ndarray:
        with working_precision(truth.bits):
            return contract(_summable(row.reshape(-1)))

    def moving() -> np.ndarray:
        return np.stack([of(row) for row in truth.moves.reshape(len(truth.moves), -1)])

    return OrderTruth(values=of(truth.values), moving=cache(moving), complete=truth.complete, bits=truth.bits)


def is_settled(truth: OrderTruth, form: Format | None) -> bool:
    """Whether more bits could not help: every value is exact or known far better than any dtype needs, or, where a
    dtype is given, far better than its numbers can be.
    """
    loose = [index for index, value in enumerate(truth.values.flat) if not is_known(value)]
    if not loose or form is None or not all(is_finite(truth.values.flat[index]) for index in loose):
        return not loose
    moves = truth.moves.reshape(len(truth.moves), -1)
    with working_precision(truth.bits):
        return all(
            is_negligible(
                truth.values.flat[index], least_condition(list(moves[:, index]), complete=truth.complete), form
            )
            for index in loose
        )


def is_known(value: Element) -> bool:
    """Whether an element is exact or known far better than any dtype needs, or bits could not help."""
    if isinstance(value, Unknown):
        return value.remedy != BITS
    return not is_finite(value) or value.is_exact() or value.rel_accuracy_bits() >= ACCURATE_BITS


def least_condition(along: Sequence[Element], *, complete: bool) -> arb:
    """The least that the condition can be."""
    sizes = [each.abs_lower() for each in along if is_finite(each)]
    return sum(sizes, arb(0)) if complete else max(sizes, default=arb(0))


def is_negligible(value: arb, condition: arb, form: Format) -> bool:
    """Whether what is not known of a value is nothing beside the yardstick of a dtype: an ulp, which is at least its
    smallest number, and u times a condition that is at least so large.
    """
    yardstick = arb(form.smallest_subnormal) + condition.abs_lower() * arb(2) ** -form.precision
    return bool(value.rad() * 2**NEGLIGIBLE_BITS <= yardstick)


def as_array(element: object) -> np.ndarray:
    """A single element as an object array of shape ()."""
    array = np.empty((), dtype=object)
    array[()] = element
    return array


def elements(arrays: Mapping[str, np.ndarray], system: Any) -> dict[str, np.ndarray]:
    """Exact numbers (Fraction, int, float) as balls; to be called under the system's working precision."""
    convert = np.frompyfunc(lambda number: system.exact(Fraction(number)), 1, 1)
    return {name: np.asarray(convert(array), dtype=object).reshape(np.shape(array)) for name, array in arrays.items()}


def _summable(row: np.ndarray) -> np.ndarray:
    """The elements with those that are definitely no number made unknown, so that sums of them are unknown."""
    result = np.empty(row.size, dtype=object)
    result[:] = [Unknown(f"the truth is {each!r}", "") if isinstance(each, Special) else each for each in row.flat]
    return result


@dataclass(frozen=True, slots=True, eq=False)
class ComponentTruths(Sequence[Truth]):
    """Elements of balls, flattened, as plain data, each made when it is asked for.

    `moving` gives how each moves along each direction; it is not asked for a component whose condition is known (no
    NaN). A ball that still holds zero at the ceiling is presumed to be zero; the sum of |summands| is then about
    radius * 2^bits, and stands for the conditioning (SEMANTICS §4).
    """

    values: np.ndarray
    moving: Callable[[], np.ndarray]
    complete: bool
    bits: int
    conditions: Sequence[float] | None = None
    _made: dict[int, Truth] = field(default_factory=dict)

    def __len__(self) -> int:
        return self.values.size

    def __getitem__(self, component: Any) -> Any:
        if not 0 <= component < len(self):
            raise IndexError(component)
        if component not in self._made:
            with working_precision(self.bits):
                self._made[component] = self._truth(component)
        return self._made[component]

    def in_floats(self) -> np.ndarray:
        """The fields of `Columns` for each component, (components, 5); NaN where there is no number."""
        with working_precision(self.bits):
            return np.array([self._in_floats(*each) for each in enumerate(self.values.flat)]).reshape(-1, 5)

    def _in_floats(self, component: int, value: Element) -> Sequence[float]:
        if type(value) is not arb or not value.is_finite():
            return [math.nan] * 5
        high, low, scale, radius = parts(value)
        # What holds zero even at the ceiling is presumed to be zero.
        return high, low, scale, math.nan if self.bits >= CEILING else radius, self._size(component, value)

    def _size(self, component: int, value: arb) -> float:
        if self.conditions is not None and math.isfinite(known := self.conditions[component]):
            return known
        along = [each.flat[component] for each in self.moving()]
        if not all(type(move) is arb and move.is_finite() for move in along):
            return math.nan
        return (sum_of if self.complete else largest_of)(value, along)

    def _truth(self, component: int) -> Truth:
        value = self.values.flat[component]
        if isinstance(value, Stated):
            return Truth(value=value.truth)
        if isinstance(value, Sides):
            left, right = enclosed(value.left), enclosed(value.right)
            found = next((each for each in (left, right) if isinstance(each, NoTruth)), None)
            return Truth(value=found or Kink(left, right))  # pyright: ignore[reportArgumentType]
        if not is_finite(value):
            return Truth(value=NoTruth(value.reason if isinstance(value, Unknown) else f"the truth is {value!r}"))
        found = enclosed(value)
        if isinstance(found, Enclosure) and found.lower < 0 < found.upper and self.bits >= CEILING:
            size = (found.upper - found.lower) * 2 ** (self.bits - 1)
            return Truth(value=Enclosure(Fraction(0), Fraction(0)), condition=size, presumed=True)
        return Truth(value=found, condition=self._condition(component))

    def _condition(self, component: int) -> Fraction | None:
        """sum |dT| over a basis; else the largest |dT| along the random sign vectors, an estimate that never exceeds
        that sum.
        """
        if self.conditions is not None and math.isfinite(known := self.conditions[component]):
            return Fraction(known)
        along = [each.flat[component] for each in self.moving()]
        moves = [enclosed(each) for each in along if is_finite(each)]
        sizes = [each.magnitude for each in moves if isinstance(each, Enclosure)]
        if len(sizes) < len(along):
            return None
        return sum(sizes, Fraction(0)) if self.complete else max(sizes, default=Fraction(0))
