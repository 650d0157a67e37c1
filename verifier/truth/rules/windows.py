"""Sliding windows: reduce_window and its kind, pooling's derivatives, convolution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from verifier.arithmetic.elements import NEG_INF, POS_INF
from verifier.truth.machine import Machine, Rule, Table, kind_of
from verifier.truth.rules.structural import padded
from verifier.truth.values import boxed, is_decided, undecided

__all__ = ["RULES", "windows"]

Array = np.ndarray


def windows(x: Array, sizes: Sequence[int], strides: Sequence[int], dilation: Sequence[int]) -> Array:
    """Every window of x: shape (places of windows..., sizes...)."""
    rank, index = x.ndim, []
    for axis, (length, size, stride, step) in enumerate(zip(x.shape, sizes, strides, dilation, strict=True)):
        places = max(0, (length - ((size - 1) * step + 1)) // stride + 1)
        corner, offset = np.arange(places) * stride, np.arange(size) * step
        shape = [1] * (2 * rank)
        shape[axis], shape[rank + axis] = places, size
        index.append((corner[:, None] + offset[None, :]).reshape(shape))
    return x[tuple(index)] if rank else x


def _window_params(params: Any, rank: int) -> tuple[Sequence[int], Sequence[int], Sequence[int], list[Any]]:
    ones = (1,) * rank
    base = params.get("base_dilation") or ones
    configuration = [(low, high, step - 1) for (low, high), step in zip(params["padding"], base, strict=True)]
    return params["window_dimensions"], params["window_strides"], params.get("window_dilation") or ones, configuration


def _all_windows(equation: Any, x: Array, filling: Any) -> Array:
    sizes, strides, dilation, configuration = _window_params(equation.params, x.ndim)
    return windows(padded(x, filling, configuration), sizes, strides, dilation)


def _reduced(name: str, empty: Any) -> Rule:
    """The row of a reduction over windows; padding holds the value of the empty reduction."""

    def compute(machine: Machine, equation: Any, x: Array) -> Array:
        if x.dtype != object:
            return _reduced_integers(name, equation, x)
        filling = machine.exact(empty) if isinstance(empty, int) else empty
        found = _all_windows(equation, x, filling)
        return machine.fold(name, found, range(x.ndim, 2 * x.ndim), filling)

    return Rule(compute, (name,))


def _reduced_integers(name: str, equation: Any, x: Array) -> Array:
    limits = np.iinfo(x.dtype)
    ufunc, empty = {
        "add": (np.add, 0),
        "mul": (np.multiply, 1),
        "max": (np.maximum, limits.min),
        "min": (np.minimum, limits.max),
    }[name]
    return ufunc.reduce(_all_windows(equation, x, empty), axis=tuple(range(x.ndim, 2 * x.ndim)), dtype=x.dtype)


def _reduce_window(machine: Machine, equation: Any, *operands: Array) -> list[Array]:
    """Several arrays reduced together over windows by a program: (accumulated..., entries...) -> accumulated."""
    count, params = len(operands) // 2, equation.params
    arrays, starts = operands[:count], operands[count:]
    found = [_all_windows(equation, array, start[()]) for array, start in zip(arrays, starts, strict=True)]
    shape, rank = found[0].shape[: arrays[0].ndim], arrays[0].ndim
    results = [np.empty(shape, dtype=object) for _ in arrays]
    for place in np.ndindex(*shape):
        total = list(starts)
        for offset in np.ndindex(*found[0].shape[rank:]):
            entries = [boxed(each[place + offset]) for each in found]
            total = machine.run(params["jaxpr"], [*total, *entries])
        for result, value in zip(results, total, strict=True):
            result[place] = value[()]
    return results


def _chosen(machine: Machine, select: str, entries: Array) -> Any:
    """The index of the entry that a window keeps (the first of equals), or an undecided entry."""
    kept = 0
    for index in range(1, len(entries)):
        keeps = machine.system.compare(select, entries[kept], entries[index])
        if keeps is None:
            return undecided(None, "which entry of a window is the extreme one")
        if not keeps:
            kept = index
    return kept


def _choices(machine: Machine, equation: Any, operand: Array) -> tuple[Array, Array]:
    """For each window its chosen entry, and the place of each entry in the flattened operand (-1: padding)."""
    select = equation.params["select_prim"].name
    outer = NEG_INF if select in ("ge", "gt") else POS_INF
    shape = operand.shape
    entries = _all_windows(equation, operand, outer)
    places = _all_windows(equation, np.arange(operand.size).reshape(shape), -1)
    grid, size = entries.shape[: operand.ndim], math.prod(entries.shape[operand.ndim :])
    flat = entries.reshape(*grid, size)
    chosen = np.empty(grid, dtype=object)
    for place in np.ndindex(*grid):
        chosen[place] = _chosen(machine, select, flat[place])
    return chosen, places.reshape(*grid, size)


def _select_and_gather_add(machine: Machine, equation: Any, tangents: Array, operand: Array) -> Array:
    """From each window of the operand the extreme entry's tangent."""
    chosen, places = _choices(machine, equation, operand)
    flat, result = tangents.reshape(-1), np.empty(chosen.shape, dtype=object)
    for place in np.ndindex(*chosen.shape):
        choice = chosen[place]
        target = places[place][choice] if is_decided(choice) else -1
        result[place] = flat[target] if target >= 0 else machine.exact(0) if is_decided(choice) else choice
    return result


def _select_and_scatter_add(machine: Machine, equation: Any, source: Array, operand: Array) -> Array:
    """Each entry of the source added at the place of its window's extreme entry."""
    chosen, places = _choices(machine, equation, operand)
    flat, add = machine.zeros((operand.size,)), machine.operation("add")
    for place in np.ndindex(*chosen.shape):
        choice = chosen[place]
        targets = [places[place][choice]] if is_decided(choice) else places[place]
        for target in targets:
            if target >= 0:
                flat[target] = add(flat[target], source[place]) if is_decided(choice) else choice
    return flat.reshape(operand.shape)


def _convolution(machine: Machine, equation: Any, x: Array, kernel: Array) -> Array:
    """A convolution as matrix products: every window a row, every filter a column, group by group."""
    params = equation.params
    numbers = params["dimension_numbers"]
    zero = machine.exact(0) if kind_of(equation.invars[0]) != "integer" else 0
    x, kernel = x.transpose(numbers.lhs_spec), kernel.transpose(numbers.rhs_spec)
    spread = [(lo, hi, step - 1) for (lo, hi), step in zip(params["padding"], params["lhs_dilation"], strict=True)]
    x = padded(x, zero, [(0, 0, 0), (0, 0, 0), *spread])
    groups, batches = params["feature_group_count"], params["batch_group_count"]
    inputs = np.split(x, groups, axis=1) if batches == 1 else np.split(x, batches, axis=0)
    filters = np.split(kernel, max(groups, batches), axis=0)
    parts = [_convolved(machine, params, *pair) for pair in zip(inputs, filters, strict=True)]
    return np.concatenate(parts, axis=1).transpose(np.argsort(numbers.out_spec))


def _convolved(machine: Machine, params: Any, x: Array, kernel: Array) -> Array:
    """x (N, C, space...) with kernel (O, C, space...): (N, O, space...)."""
    space = kernel.shape[2:]
    found = windows(x, (1, x.shape[1], *space), (1, 1, *params["window_strides"]), (1, 1, *params["rhs_dilation"]))
    grid = (found.shape[0], *found.shape[2 : x.ndim])
    rows = found.reshape(math.prod(grid), x.shape[1] * math.prod(space))
    columns = kernel.reshape(kernel.shape[0], -1).T
    product = machine.matmul(rows, columns) if rows.dtype == object else rows @ columns
    return np.moveaxis(product.reshape(*grid, kernel.shape[0]), -1, 1)


RULES: Table = {
    "conv_general_dilated": Rule(_convolution),
    "reduce_window": Rule(_reduce_window),
    "reduce_window_max": _reduced("max", NEG_INF),
    "reduce_window_min": _reduced("min", POS_INF),
    "reduce_window_sum": _reduced("add", 0),
    "select_and_gather_add": Rule(_select_and_gather_add),
    "select_and_scatter_add": Rule(_select_and_scatter_add),
}
