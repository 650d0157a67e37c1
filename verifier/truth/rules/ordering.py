"""Sorting, top_k, argmax and argmin: an order decided by comparisons, or unknown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cmp_to_key
from typing import Any

import numpy as np

from verifier.arithmetic.elements import EITHER
from verifier.truth.machine import Machine, Table, rules
from verifier.truth.values import Refused, boxed, undecided

__all__ = ["RULES"]

Array = np.ndarray


class _Undecided(Exception):
    """A comparison that the number system cannot decide."""


def _comparer(machine: Machine, line: Array) -> Callable[[int, int], int]:
    """-1, 0 or 1 for two places of a line; NaN stands above everything."""
    if line.dtype != object:
        return lambda i, j: int(line[i] > line[j]) - int(line[i] < line[j])
    compare = machine.system.compare
    nans = [_certain(compare("ne", entry, entry)) for entry in line]

    def order(i: int, j: int) -> int:
        if nans[i] or nans[j]:
            return int(nans[i]) - int(nans[j])
        if _certain(compare("lt", line[i], line[j])):
            return -1
        return int(_certain(compare("gt", line[i], line[j])))

    return order


def _certain(decision: bool | None) -> bool:
    if decision is None:
        raise _Undecided
    return decision


def _order(machine: Machine, keys: Sequence[Array], sign: int = 1) -> list[int] | None:
    """The stable order of the places of a line by its keys, the first first; None where it is undecided."""
    try:
        comparers = [_comparer(machine, key) for key in keys]

        def lexicographic(i: int, j: int) -> int:
            return sign * next((found for found in (each(i, j) for each in comparers) if found), 0)

        return sorted(range(len(keys[0])), key=cmp_to_key(lexicographic))
    except _Undecided:
        return None


_TIED = undecided(None, "the order of the entries of a sort")


def _sort(machine: Machine, equation: Any, *operands: Array) -> list[Array]:
    axis, count = equation.params["dimension"], equation.params["num_keys"]
    moved = [np.moveaxis(operand, axis, -1) for operand in operands]
    results = [np.empty(each.shape, dtype=object) for each in moved]
    for place in np.ndindex(*moved[0].shape[:-1]):
        order = _order(machine, [each[place] for each in moved[:count]])
        for result, each in zip(results, moved, strict=True):
            result[place] = _TIED if order is None else each[place][order]
    return [np.moveaxis(result, -1, axis) for result in results]


def _top_k(machine: Machine, equation: Any, x: Array) -> list[Array]:
    return _first(machine, x, axis=equation.params.get("axis", -1), k=equation.params["k"], sign=-1)


def _first(machine: Machine, x: Array, *, axis: int, k: int, sign: int) -> list[Array]:
    """The first k entries along an axis in ascending (sign 1) or descending order (-1), and their places."""
    moved = np.moveaxis(x, axis, -1)
    shape = (*moved.shape[:-1], k)
    values, places = np.empty(shape, dtype=object), np.empty(shape, dtype=object)
    for place in np.ndindex(*shape[:-1]):
        order = _order(machine, [moved[place]], sign=sign)
        values[place] = _TIED if order is None else moved[place][order[:k]]
        places[place] = _TIED if order is None else order[:k]
    return [np.moveaxis(values, -1, axis), np.moveaxis(places, -1, axis)]


def _approx_top_k(machine: Machine, equation: Any, x: Array) -> list[Array]:
    """The largest k, or the smallest: what every device but a TPU returns, which may miss some of them.

    Source: jax/_src/lax/ann.py, whose lowering for other devices sorts.
    """
    params = equation.params
    if not params["aggregate_to_topk"]:
        raise Refused("approx_top_k that leaves its candidates unmerged: how many there are is the device's choice")
    sign = -1 if params["is_max_k"] else 1
    return _first(machine, x, axis=params["reduction_dimension"], k=params["k"], sign=sign)


def _extreme(sign: int) -> Callable[..., Array]:
    """The rule of argmax (sign 1) or argmin (-1): the first of equals; the first NaN, if there is one."""

    def compute(machine: Machine, equation: Any, x: Array) -> Array:
        (axis,) = equation.params["axes"]
        lines = np.moveaxis(x, axis, -1)
        found = np.empty(lines.shape[:-1], dtype=object)
        for place in np.ndindex(*found.shape):
            found[place] = _first_extreme(machine, lines[place], sign)
        return found

    return compute


def _first_extreme(machine: Machine, line: Array, sign: int) -> Any:
    if line.dtype != object:
        return int(np.argmax(line) if sign > 0 else np.argmin(line))
    compare, relation, best = machine.system.compare, "gt" if sign > 0 else "lt", 0
    try:
        nans = [index for index, entry in enumerate(line) if _certain(compare("ne", entry, entry))]
        for index in range(1, len(line)):
            best = index if not nans and _certain(compare(relation, line[index], line[best])) else best
    except _Undecided:
        return undecided(None, "which entry is the extreme one")
    return nans[0] if nans else best


def _pivots_to_permutation(machine: Machine, equation: Any, pivots: Array) -> Array:
    """The permutation that the row exchanges (i, pivots[i]) of LAPACK amount to."""
    if pivots.dtype == object:
        raise Refused("the pivots are undecided", EITHER)
    size = equation.params["permutation_size"]
    result = np.broadcast_to(np.arange(size), (*pivots.shape[:-1], size)).copy()
    for place in np.ndindex(*pivots.shape[:-1]):
        for row, other in enumerate(pivots[place]):
            result[place][[row, other]] = result[place][[other, row]]
    return boxed(result)


RULES: Table = rules(
    approx_top_k=_approx_top_k,
    argmax=_extreme(1),
    argmin=_extreme(-1),
    lu_pivots_to_permutation=_pivots_to_permutation,
    sort=_sort,
    top_k=_top_k,
)
