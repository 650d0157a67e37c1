"""One equation of a jaxpr, run by JAX on concrete operands: what the device really does at that step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

__all__ = ["run_equation"]


def run_equation(equation: Any, operands: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The results of an equation on operands of its dtypes, op by op; raises what JAX raises."""
    wide = any(getattr(each.aval, "dtype", None) in _WIDE for each in (*equation.invars, *equation.outvars))
    with jax.enable_x64(wide):
        values = [jax.numpy.asarray(each) for each in operands]
        found = equation.primitive.bind(*values, **equation.params)
        results = found if equation.primitive.multiple_results else [found]
        return [np.asarray(each) for each in results]


_WIDE = tuple(map(np.dtype, ("float64", "complex128", "int64", "uint64")))
