"""gather and the scatters, with every mode and all their dimension numbers.

Source: OpenXLA operation semantics, sections Gather and Scatter; `jax.lax.GatherScatterMode` for the modes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from verifier.truth.machine import Machine, Rule, Table
from verifier.truth.values import Refused, boxed, category, integers, lifted

__all__ = ["RULES"]

Array = np.ndarray


def _starts(
    indices: Array, index_map: Sequence[int], batching: Sequence[tuple[int, int]], rank: int, what: str
) -> Array:
    """Where each window begins: shape (batch..., rank of the operand); `batching` pairs its axes with batch axes."""
    vectors = integers(indices, what)
    starts = np.zeros((*vectors.shape[:-1], rank), dtype=np.int64)
    for column, axis in enumerate(index_map):
        starts[..., axis] = vectors[..., column]
    for axis, batch_axis in batching:
        shape = [-1 if i == batch_axis else 1 for i in range(vectors.ndim - 1)]
        starts[..., axis] = np.arange(vectors.shape[batch_axis]).reshape(shape)
    return starts


def _mode(equation: Any) -> str:
    mode = equation.params["mode"]
    name = getattr(mode, "name", str(mode))
    if name not in ("CLIP", "FILL_OR_DROP", "PROMISE_IN_BOUNDS"):
        raise Refused(f"gather and scatter with mode {name}")
    return name


def _placed(array: Array, axes: Sequence[int], rank: int) -> Array:
    """The array with its axes at these places of a larger rank, and size 1 elsewhere."""
    shape = [1] * rank
    for axis, size in zip(axes, array.shape, strict=True):
        shape[axis] = size
    return array.reshape(shape)


def _positions(
    starts: Array, batch_axes: Sequence[int], windows: Sequence[int | None], shape: Sequence[int]
) -> list[Array]:
    """For each axis of the operand, its index at every place of `shape`.

    windows[d] is the axis of `shape` along which the operand's axis d runs, None where the window is one thick.
    """
    rank, positions = len(shape), []
    for axis, window in enumerate(windows):
        position = _placed(starts[..., axis], batch_axes, rank)
        if window is not None:
            position = position + _placed(np.arange(shape[window]), [window], rank)
        positions.append(np.broadcast_to(position, shape))
    return positions


def _window_axes(rank: int, absent: Sequence[int], window_axes: Sequence[int]) -> list[int | None]:
    """Which axis of the result each axis of the operand runs along; the absent ones along none."""
    remaining = iter(window_axes)
    return [None if axis in absent else next(remaining) for axis in range(rank)]


def _gather(machine: Machine, equation: Any, operand: Array, indices: Array) -> Array:
    numbers, sizes, shape = equation.params["dimension_numbers"], equation.params["slice_sizes"], _shape(equation)
    batching = list(zip(numbers.operand_batching_dims, numbers.start_indices_batching_dims, strict=True))
    starts = _starts(indices, numbers.start_index_map, batching, operand.ndim, "an index of gather")
    limits = np.asarray(operand.shape, dtype=np.int64) - np.asarray(sizes, dtype=np.int64)
    outside = ((starts < 0) | (starts > limits)).any(axis=-1)
    absent = (*numbers.collapsed_slice_dims, *numbers.operand_batching_dims)
    batch_axes = [axis for axis in range(len(shape)) if axis not in numbers.offset_dims]
    windows = _window_axes(operand.ndim, absent, numbers.offset_dims)
    positions = _positions(np.clip(starts, 0, np.maximum(limits, 0)), batch_axes, windows, shape)
    if _mode(equation) in ("CLIP", "PROMISE_IN_BOUNDS"):
        return boxed(operand[tuple(positions)])
    filling = _filling(machine, equation)
    if operand.size == 0:
        return np.broadcast_to(filling, shape)
    return boxed(np.where(_placed(np.asarray(outside), batch_axes, len(shape)), filling, operand[tuple(positions)]))


def _shape(equation: Any) -> tuple[int, ...]:
    return tuple(equation.outvars[0].aval.shape)


def _filling(machine: Machine, equation: Any) -> Array:
    """What stands where an index is out of bounds: the given value, else NaN, the extreme integer, or True."""
    dtype, value = equation.outvars[0].aval.dtype, equation.params["fill_value"]
    if value is None:
        value = _default_filling(dtype)
    return lifted(np.asarray(value, dtype=dtype), machine.literal)


def _default_filling(dtype: np.dtype) -> Any:
    match category(dtype):
        case "integer":
            limits = np.iinfo(dtype)
            return limits.min if limits.min < 0 else limits.max
        case "boolean":
            return True
    return np.nan


def _targets(equation: Any, operand: Array, indices: Array, updates: Array) -> tuple[Array, Array]:
    """For each entry of the updates its place in the flattened operand, and whether it is written at all."""
    numbers = equation.params["dimension_numbers"]
    batching = list(zip(numbers.operand_batching_dims, numbers.scatter_indices_batching_dims, strict=True))
    starts = _starts(indices, numbers.scatter_dims_to_operand_dims, batching, operand.ndim, "an index of a scatter")
    absent = (*numbers.inserted_window_dims, *numbers.operand_batching_dims)
    windows = _window_axes(operand.ndim, absent, numbers.update_window_dims)
    sizes = np.asarray([1 if axis is None else updates.shape[axis] for axis in windows], dtype=np.int64)
    limits = np.asarray(operand.shape, dtype=np.int64) - sizes
    batch_axes = [axis for axis in range(updates.ndim) if axis not in numbers.update_window_dims]
    if _mode(equation) == "CLIP":
        starts = np.clip(starts, 0, limits)
    fits = ((starts >= 0) & (starts <= limits)).all(axis=-1)
    inside = _placed(np.asarray(fits), batch_axes, updates.ndim)
    positions = _positions(np.clip(starts, 0, np.maximum(limits, 0)), batch_axes, windows, updates.shape)
    places = np.ravel_multi_index(positions, operand.shape) if operand.ndim else np.zeros(updates.shape, dtype=np.int64)
    return places, np.broadcast_to(inside, updates.shape)


def _scattered(combination: Callable[[Machine, Any, bool], Callable[[Any, Any], Any]]) -> Callable[..., Array]:
    """The rule of a scatter: updates are combined with what they meet one by one, in row-major order."""

    def compute(machine: Machine, equation: Any, operand: Array, indices: Array, updates: Array) -> Array:
        if operand.size == 0 or updates.size == 0:
            return operand
        places, inside = _targets(equation, operand, indices, updates)
        flat = operand.astype(np.result_type(operand, updates)).reshape(-1)
        combine = combination(machine, equation, flat.dtype == object)
        for place, update in zip(places[inside], updates[inside], strict=True):
            flat[place] = combine(flat[place], update)
        return flat.reshape(operand.shape)

    return compute


def _combined(name: str, integer: Callable[[Any, Any], Any]) -> Rule:
    return Rule(_scattered(lambda machine, equation, real: machine.operation(name) if real else integer), (name,))


def _replacement(machine: Machine, equation: Any, real: bool) -> Callable[[Any, Any], Any]:
    """The update itself, unless the program brings a function of its own (`scatter_apply`)."""
    program = equation.params.get("update_jaxpr")
    if program is None or not program.eqns:
        return lambda old, new: new
    return lambda old, new: machine.run(program, [boxed(old), boxed(new)])[0][()]


RULES: Table = {
    "gather": Rule(_gather),
    "scatter": Rule(_scattered(_replacement)),
    "scatter-add": _combined("add", np.add),
    "scatter-max": _combined("max", np.maximum),
    "scatter-min": _combined("min", np.minimum),
    "scatter-mul": _combined("mul", np.multiply),
    "scatter-sub": _combined("sub", np.subtract),
}
