"""dot_general: batches of matrix products."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from verifier.truth.machine import Machine, Table, rules

__all__ = ["RULES"]

Array = np.ndarray


def _dot_general(machine: Machine, equation: Any, a: Array, b: Array) -> Array:
    (left, right), (left_batch, right_batch) = equation.params["dimension_numbers"]
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


RULES: Table = rules(dot_general=_dot_general)
