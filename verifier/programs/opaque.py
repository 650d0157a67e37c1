"""Equations that exact arithmetic has no rule for, run by JAX on concrete operands: random bits, keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

__all__ = ["run_concretely"]


def run_concretely(equation: Any, operands: Sequence[np.ndarray]) -> list[Any] | None:
    """The results of an equation whose operands hold no real number; None where one does, or JAX refuses."""
    with jax.enable_x64(_is_wide(equation)):
        values = [_concrete(operand) for operand in operands]
        if any(value is None for value in values):
            return None
        try:
            found = equation.primitive.bind(*values, **equation.params)
        except Exception:  # whatever JAX raises: then the primitive is a named gap
            return None
        return [_result(each) for each in (found if equation.primitive.multiple_results else [found])]


def _is_wide(equation: Any) -> bool:
    """Whether it was traced with 64-bit numbers: without them JAX would silently draw other bits."""
    dtypes = [getattr(atom.aval, "dtype", None) for atom in (*equation.invars, *equation.outvars)]
    return any(
        isinstance(each, np.dtype) and each.kind in "iufc" and each.itemsize >= _WIDTH[each.kind] for each in dtypes
    )


_WIDTH = {"i": 8, "u": 8, "f": 8, "c": 16}


def _concrete(operand: np.ndarray) -> Any:
    """An integer or boolean array, or a key that an earlier equation returned."""
    if operand.dtype != object:
        return jnp.asarray(operand)
    held = operand.item() if operand.shape == () else None
    return held if isinstance(held, jax.Array) else None


def _result(value: Any) -> Any:
    """Keys travel in a box; everything else as a numpy array."""
    if jnp.issubdtype(value.dtype, jax.dtypes.prng_key):
        box = np.empty((), dtype=object)
        box[()] = value
        return box
    return np.asarray(value)
