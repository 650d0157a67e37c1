"""The truth about contracted programs: T[v, ..., v] of jvp, linearize and jet, u^T J of vjp."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from verifier.checking.route import Route
from verifier.model.rule import LocalTruth, RowTruth
from verifier.model.verdict import Cusp, Enclosure, Infinite, Jump, Kink, NoTruth, Undefined
from verifier.programs.components import Contraction, Directions

__all__ = ["contracted"]

_Tensors = Sequence[tuple[RowTruth, ...]]
"""For each order from the first, the truth of each result."""

_PLAIN = (Jump, NoTruth, Undefined)
"""What a sum is where one of its terms is that."""


def contracted(route: Route, tensors: _Tensors, contraction: Contraction, signs: Directions) -> tuple[RowTruth, ...]:
    """The truth of each row of a program of the highest of these orders.

    A tensor of a function that is smooth here contracts to the derivative along a direction, which a germ knows for
    any number of inputs; at a kink in several inputs the cells around the point say what a gradient may give.
    """
    last = tensors[-1]
    match contraction:
        case Contraction.TANGENT if len(signs.tangent) > 1:
            return _along(route, tensors, signs.tangent)
        case Contraction.COTANGENT if len(signs.cotangent) > 1:
            columns = zip(*(row.components for row in last), strict=True)
            return (RowTruth(components=tuple(_signed(column, signs.cotangent) for column in columns)),)
    return last


def _along(route: Route, tensors: _Tensors, signs: Sequence[int]) -> tuple[RowTruth, ...]:
    order = len(tensors)
    blocked = [_blocked([tensor[j] for tensor in tensors], signs) for j in range(len(tensors[0]))]
    kinks = [None if each is None else RowTruth(components=(each,)) for each in blocked]
    if None not in kinks:
        return tuple(each for each in kinks if each is not None)
    smooth = route.germs(order).along(tuple(map(Fraction, signs)), order)
    return tuple(known if kink is None else kink for kink, known in zip(kinks, smooth, strict=True))


def _blocked(rows: Sequence[RowTruth], signs: Sequence[int]) -> LocalTruth | None:
    """The truth of a result that is not smooth to the order (the rows of all orders); None where it is."""
    *lower, last = rows
    below = next((each for row in lower for each in row.components if not isinstance(each, Enclosure)), None)
    if below is not None:  # at a kink no higher derivative speaks about the point
        return Jump() if isinstance(below, (Kink, Cusp, Infinite)) else below
    if all(isinstance(each, Enclosure) for each in last.components):
        return None
    return NoTruth("a higher derivative that differs from side to side, contracted") if lower else _slope(last, signs)


def _slope(row: RowTruth, signs: Sequence[int]) -> LocalTruth:
    """What the gradients of the cells around a kink give along the direction."""
    other = next((each for each in row.components if not isinstance(each, (Enclosure, Kink))), None)
    if other is not None:
        return other if isinstance(other, _PLAIN) else NoTruth("a derivative that is not finite, contracted")
    if not row.cells or len(row.components) != len(signs):
        return NoTruth("a kink in several inputs, and the cells around it are not known")
    slopes = [each for cell in row.cells if isinstance(each := _signed(cell, signs), Enclosure)]
    low, high = min(slopes, key=lambda each: each.upper), max(slopes, key=lambda each: each.lower)
    sampled = any(isinstance(each, Kink) and each.sampled for each in row.components)
    return Kink(low, high, sampled) if low.upper < high.lower else low


def _signed(truths: Sequence[LocalTruth], signs: Sequence[int]) -> LocalTruth:
    lost = next((each for each in truths if not isinstance(each, Enclosure)), None)
    if isinstance(lost, _PLAIN):
        return lost
    if lost is not None:
        return NoTruth("a sum over results, one of which has no derivative here")
    pairs = [
        (each.lower, each.upper) if sign > 0 else (-each.upper, -each.lower)
        for each, sign in zip(truths, signs, strict=True)
        if isinstance(each, Enclosure)
    ]
    return Enclosure(sum((low for low, _ in pairs), Fraction(0)), sum((high for _, high in pairs), Fraction(0)))
