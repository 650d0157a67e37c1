"""dot_general and ragged_dot_general: batches of matrix products, and products group by group."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from verifier.truth.machine import Machine, Table, rules
from verifier.truth.values import Refused

__all__ = ["RULES"]

Array = np.ndarray


Contraction = tuple[tuple[Sequence[int], Sequence[int]], tuple[Sequence[int], Sequence[int]]]
"""The contracted axes of both operands, and their batch axes."""


def _dot_general(machine: Machine, equation: Any, a: Array, b: Array) -> Array:
    return _contracted(machine, a, b, equation.params["dimension_numbers"])


def _contracted(machine: Machine, a: Array, b: Array, dimensions: Contraction) -> Array:
    (left, right), (left_batch, right_batch) = dimensions
    rows, left_free = _matrices(a, left_batch, left, last=True)
    columns, right_free = _matrices(b, right_batch, right, last=False)
    batch = [a.shape[axis] for axis in left_batch]
    return _products(machine, rows, columns).reshape((*batch, *left_free, *right_free))


def _matrices(x: Array, batch: Sequence[int], contracted: Sequence[int], *, last: bool) -> tuple[Array, list[int]]:
    """x as (batch, free, contracted), or (batch, contracted, free), and the sizes of its free axes."""
    free = [axis for axis in range(x.ndim) if axis not in batch and axis not in contracted]
    sizes = [[x.shape[axis] for axis in axes] for axes in (batch, free, contracted)]
    count, inner, outer = (math.prod(each) for each in (sizes[0], sizes[1], sizes[2]))
    order = (*batch, *free, *contracted) if last else (*batch, *contracted, *free)
    shape = (count, inner, outer) if last else (count, outer, inner)
    return x.transpose(order).reshape(shape), sizes[1]


def _products(machine: Machine, rows: Array, columns: Array) -> Array:
    """A stack of matrix products; integers in numpy, which wraps around."""
    if rows.dtype != object and columns.dtype != object:
        return np.matmul(rows, columns)
    result = np.empty((rows.shape[0], rows.shape[1], columns.shape[2]), dtype=object)
    for index in range(rows.shape[0]):
        result[index] = machine.matmul(rows[index], columns[index])
    return result


def _ragged_dot_general(machine: Machine, equation: Any, a: Array, b: Array, sizes: Array) -> Array:
    """a meets b in groups of consecutive rows along one axis of a; rows behind the last group count as zeros.

        the axis is free        sum_g a_g b[g]    b brings an axis of groups
        the axis is contracted  stack_g a_g b_g   the result has an axis of groups in front
        the axis is a batch     a b

    Source: the documentation of `jax.lax.ragged_dot_general`, modes 1 to 3.
    """
    numbers = equation.params["ragged_dot_dimension_numbers"]
    dimensions: Contraction = numbers.dot_dimension_numbers
    (axis,) = numbers.lhs_ragged_dimensions
    (left, right), (left_batch, _) = dimensions
    if axis in left_batch:
        return _contracted(machine, a, b, dimensions)
    if sizes.ndim != 1 or sizes.dtype == object or equation.params["group_offset"] is not None:
        raise Refused("ragged_dot_general with group sizes that vary, or with an offset")
    groups = [(_slab(a, axis, rows), rows) for rows in _groups(sizes, a.shape[axis])]
    if axis in left:
        other = right[list(left).index(axis)]
        return np.stack([_contracted(machine, part, _slab(b, other, rows), dimensions) for part, rows in groups])
    (of_groups,) = numbers.rhs_group_dimensions
    inner = _without(dimensions, of_groups)
    whole = [_contracted(machine, part, b.take(g, axis=of_groups), inner) for g, (part, _) in enumerate(groups)]
    place = len(left_batch) + sum(1 for each in range(axis) if each not in left and each not in left_batch)
    rest = _slab(a, axis, slice(groups[-1][1].stop if groups else 0, None))
    behind = [(*found.shape[:place], rest.shape[axis], *found.shape[place + 1 :]) for found in whole[:1]]
    return np.concatenate([*whole, *map(machine.zeros, behind)], axis=place)


def _groups(sizes: Array, count: int) -> list[slice]:
    """The rows of each group, none beyond the last row."""
    ends = np.minimum(np.cumsum(sizes), count)
    return [slice(int(start), int(end)) for start, end in zip([0, *ends[:-1]], ends, strict=True)]


def _slab(x: Array, axis: int, rows: slice) -> Array:
    return x[(*[slice(None)] * axis, rows)]


def _without(dimensions: Contraction, axis: int) -> Contraction:
    """The same contraction of a second operand that lacks an axis."""
    (left, right), (left_batch, right_batch) = dimensions
    lower = [[each - (each > axis) for each in axes] for axes in (right, right_batch)]
    return (left, lower[0]), (left_batch, lower[1])


RULES: Table = rules(dot_general=_dot_general, ragged_dot_general=_ragged_dot_general)
