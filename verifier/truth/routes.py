"""Where the two routes to the truth meet: germs settle what the symbolic derivative cannot, and contradict it where
it is wrong.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import partial

import numpy as np

from verifier.arithmetic.elements import Unknown, exact_ball, is_finite
from verifier.arithmetic.precision import working_precision
from verifier.model.verdict import Enclosure, Kink, NoTruth
from verifier.truth.formula import FormulaTruth
from verifier.truth.lines import Lines
from verifier.truth.one_sided import LineGerm, Sides, disjoint
from verifier.truth.primal import PrimalTruth
from verifier.truth.tensors import OrderTruth, Place, as_array, stated

__all__ = ["STEP_LIMIT", "conflicts", "settled", "too_large"]

STEP_LIMIT = 4_000
"""Most scalar operations of a formula that is followed in germs, at up to a tenth of a millisecond each."""

_COMPONENTS = 4
"""How many components of a value are compared at a point."""


def too_large(truth: FormulaTruth) -> bool:
    """Whether the formula is beyond the budget of the second route."""
    return truth.steps() > STEP_LIMIT


def conflicts(truth: FormulaTruth, place: Place, found: Mapping[int, OrderTruth]) -> Iterator[str]:
    """Orders at which the routes exclude each other, along one direction: then the verifier is at fault."""
    direction = _generic(place)
    line = LineGerm(truth.value_node(), truth.data, place, direction)
    limits = line.derivatives(0, components=_COMPONENTS)
    for order, tensor in found.items():
        for index, sides in enumerate(line.derivatives(order, components=_COMPONENTS)):
            if _jumps(found[0].values.flat[index], limits[index]):
                continue
            symbolic = _along(tensor, order, direction, index)
            if disjoint(symbolic, sides.left) or disjoint(symbolic, sides.right):
                sides_text = f"{sides.left} and {sides.right}"
                yield f"order {order}: the symbolic derivative gives {symbolic}, germs give {sides_text}"


def settled(truth: FormulaTruth, place: Place, found: Mapping[int, OrderTruth]) -> dict[int, OrderTruth]:
    """Of one real input: components without a finite derivative replaced by what germs say of them: one-sided
    derivatives that agree or do not, an infinity, a jump.
    """
    inputs = truth.definitions.leaves
    if [leaf.shape for leaf in inputs] != [()] or too_large(truth):
        return dict(found)
    line = LineGerm(truth.value_node(), truth.data, place, {inputs[0].name: as_array(1)})
    return {order: _settle(tensor, line, order, found[0].values) for order, tensor in found.items()}


def _settle(tensor: OrderTruth, line: LineGerm, order: int, value: np.ndarray) -> OrderTruth:
    values = tensor.values.copy()
    unsettled = [index for index, each in enumerate(values.flat) if order and not is_finite(each)]
    sides = line.derivatives(order) if unsettled else ()
    # What the one-sided derivatives of all orders say together; the numbers themselves are read anew, as balls.
    lines = Lines(line.program, tuple(np.asarray(each.item(), dtype=np.float64) for each in line.place.values()))
    truths = PrimalTruth(lines, list(value.flat), (0,)).derivatives(order) if unsettled else ()
    for index in unsettled:
        match truths[index].components[0]:
            case Enclosure():
                finite = [each for each in (sides[index].right, sides[index].left) if is_finite(each)]
                values.flat[index] = finite[0] if finite else values.flat[index]
            case Kink():
                values.flat[index] = sides[index]
            case NoTruth():
                pass
            case truth:
                values.flat[index] = stated(truth)
    return replace(tensor, values=values, moving=partial(_settled_moves, tensor, line, order, values))


def _settled_moves(tensor: OrderTruth, line: LineGerm, order: int, values: np.ndarray) -> np.ndarray:
    moves = tensor.moves.copy()
    along = moves.reshape(len(moves), -1)[0]
    for index, each in enumerate(along):
        if is_finite(values.flat[index]) and not is_finite(each):
            along[index] = _move(line, order, index)
    return moves


def _move(line: LineGerm, order: int, index: int) -> object:
    """x dT/dx from germs, the first of the directions: exactly zero at x = 0, where T may have a kink of its own."""
    (place,) = line.place.values()
    x = exact_ball(Fraction(place.item()))
    if x.is_zero():
        return x
    slope = line.derivatives(order + 1)[index].right
    return x * slope if is_finite(slope) else slope


def _jumps(value: object, limits: Sides) -> bool:
    """Whether the value at the point differs from a limit: one-sided derivatives do not speak about it (SEMANTICS
    §8).
    """
    return disjoint(value, limits.left) or disjoint(value, limits.right)


def _generic(place: Place) -> dict[str, np.ndarray]:
    """Whole numbers of both signs, different in neighbouring components: along them no simple faults cancel."""
    weights = ((1 + 37 * index % 101) * (-1) ** index for index in itertools.count())
    direction = {}
    for name, array in place.items():
        direction[name] = np.empty(array.shape, dtype=object)
        for index in np.ndindex(*array.shape):
            direction[name][index] = next(weights)
    return direction


def _along(tensor: OrderTruth, order: int, direction: Mapping[str, np.ndarray], index: int) -> object:
    """The tensor's component `index` of the value, contracted with the direction on every axis."""
    vector = np.concatenate([each.reshape(-1) for each in direction.values()])
    with working_precision(tensor.bits):
        part = tensor.values.reshape(-1, *(vector.size,) * order)[index]
        for _ in range(order):
            part = np.tensordot(part, vector, axes=([-1], [0])) if _all_finite(part) else Unknown("not finite")
            if isinstance(part, Unknown):
                return part
        return part.item() if isinstance(part, np.ndarray) else part


def _all_finite(part: np.ndarray) -> bool:
    return all(is_finite(each) for each in np.asarray(part, dtype=object).flat)
