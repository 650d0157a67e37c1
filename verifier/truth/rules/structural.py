"""Primitives that only move values about: written once for elements, integers and decisions."""

from __future__ import annotations

from typing import Any

import numpy as np

from verifier.truth.machine import Machine, Table, kind_of, rules
from verifier.truth.values import boxed, integers

__all__ = ["RULES", "padded"]

Array = np.ndarray


def _same(machine: Machine, equation: Any, *operands: Array) -> Any:
    return list(operands)


def _broadcast_in_dim(machine: Machine, equation: Any, x: Array, *dynamic: Array) -> Array:
    shape = [1] * len(equation.params["shape"])
    for axis, size in zip(equation.params["broadcast_dimensions"], x.shape, strict=True):
        shape[axis] = size
    return np.broadcast_to(x.reshape(shape), equation.params["shape"])


def _broadcast_to(machine: Machine, equation: Any, x: Array, *dynamic: Array) -> Array:
    return np.broadcast_to(x, equation.outvars[0].aval.shape)


def _reshape(machine: Machine, equation: Any, x: Array, *dynamic: Array) -> Array:
    order = equation.params.get("dimensions")
    return (x if order is None else x.transpose(order)).reshape(equation.params["new_sizes"])


def _transpose(machine: Machine, equation: Any, x: Array) -> Array:
    return x.transpose(equation.params["permutation"])


def _squeeze(machine: Machine, equation: Any, x: Array) -> Array:
    return x.reshape(equation.outvars[0].aval.shape)


def _slice(machine: Machine, equation: Any, x: Array) -> Array:
    params = equation.params
    strides = params["strides"] or (1,) * x.ndim
    return x[tuple(map(slice, params["start_indices"], params["limit_indices"], strides))]


def _rev(machine: Machine, equation: Any, x: Array) -> Array:
    return np.flip(x, equation.params["dimensions"])


def _concatenate(machine: Machine, equation: Any, *operands: Array) -> Array:
    return np.concatenate(operands, axis=equation.params["dimension"])


def _stack(machine: Machine, equation: Any, *operands: Array) -> Array:
    return np.stack(operands, axis=equation.params["axis"])


def _unstack(machine: Machine, equation: Any, x: Array) -> list[Array]:
    return [boxed(part) for part in np.moveaxis(x, equation.params["axis"], 0)]


def _split(machine: Machine, equation: Any, x: Array) -> list[Array]:
    return np.split(x, np.cumsum(equation.params["sizes"])[:-1], axis=equation.params["axis"])


def _tile(machine: Machine, equation: Any, x: Array) -> Array:
    return np.tile(x, equation.params["reps"])


def _iota(machine: Machine, equation: Any, *dynamic: Array) -> Array:
    shape, axis = equation.params["shape"], equation.params["dimension"]
    counts = np.arange(shape[axis]).reshape([-1 if i == axis else 1 for i in range(len(shape))])
    return _constant(machine, equation, np.broadcast_to(counts, shape))


def _empty(machine: Machine, equation: Any, *dynamic: Array) -> Array:
    """Storage that is written before it is read; zeros, as on every device tried."""
    return _constant(machine, equation, np.zeros(equation.outvars[0].aval.shape, dtype=int))


def _constant(machine: Machine, equation: Any, values: Array) -> Array:
    """Integers as the kind of value that the equation's result is."""
    if kind_of(equation.outvars[0]) in ("real", "complex"):
        return boxed(np.frompyfunc(lambda value: machine.exact(int(value)), 1, 1)(values))
    return values


def _pad(machine: Machine, equation: Any, x: Array, filling: Array) -> Array:
    return padded(x, filling[()], equation.params["padding_config"])


def padded(x: Array, filling: Any, configuration: Any) -> Array:
    """x with (low, high, interior) entries of padding for each axis; negative ones crop."""
    sizes = [
        low + high + max(0, size + (size - 1) * interior)
        for size, (low, high, interior) in zip(x.shape, configuration, strict=True)
    ]
    result = np.empty(sizes, dtype=x.dtype)
    result.fill(filling)
    places = [
        low + np.arange(size) * (interior + 1) for size, (low, _, interior) in zip(x.shape, configuration, strict=True)
    ]
    inside = [(place >= 0) & (place < size) for place, size in zip(places, sizes, strict=True)]
    targets = [place[keep] for place, keep in zip(places, inside, strict=True)]
    if x.ndim == 0:
        return x
    result[np.ix_(*targets)] = x[np.ix_(*inside)]
    return result


def _starts(starts: tuple[Array, ...], shape: tuple[int, ...], sizes: tuple[int, ...]) -> list[int]:
    """Where a window begins, moved so that all of it lies inside, as XLA does."""
    wanted = [int(integers(start, "the start of a slice")) for start in starts]
    return [min(max(0, start), size - window) for start, size, window in zip(wanted, shape, sizes, strict=True)]


def _dynamic_slice(machine: Machine, equation: Any, x: Array, *starts: Array) -> Array:
    sizes = equation.params["slice_sizes"]
    begins = _starts(starts[: x.ndim], x.shape, sizes)
    return x[tuple(slice(begin, begin + size) for begin, size in zip(begins, sizes, strict=True))]


def _dynamic_update_slice(machine: Machine, equation: Any, x: Array, update: Array, *starts: Array) -> Array:
    begins = _starts(starts, x.shape, update.shape)
    result = x.astype(np.result_type(x, update))
    result[tuple(slice(begin, begin + size) for begin, size in zip(begins, update.shape, strict=True))] = update
    return result


_SAME = (
    "copy",
    "copy_p",
    "device_put",
    "layout_constraint",
    "name",
    "optimization_barrier",
    "pvary",
    "relayout",
    "reshard",
    "sharding_constraint",
    "pin",
    "unpin",
    "preduced",
    "stage",
    "with_memory_space_constraint",
)

RULES: Table = {
    **rules(**dict.fromkeys(_SAME, _same)),
    **rules(
        broadcast_in_dim=_broadcast_in_dim,
        broadcast_to=_broadcast_to,
        concatenate=_concatenate,
        dynamic_slice=_dynamic_slice,
        dynamic_update_slice=_dynamic_update_slice,
        empty=_empty,
        empty2=_empty,
        iota=_iota,
        pad=_pad,
        reshape=_reshape,
        rev=_rev,
        slice=_slice,
        split=_split,
        squeeze=_squeeze,
        stack=_stack,
        tile=_tile,
        transpose=_transpose,
        unstack=_unstack,
    ),
}
