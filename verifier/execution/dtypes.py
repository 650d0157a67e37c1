"""Floating-point dtypes as JAX runs them: exact conversion in both directions, and when x64 is on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from verifier.arithmetic import floats
from verifier.errors import UsageError
from verifier.model.catalog import Shape

__all__ = ["DTYPES", "exact", "numpy_dtype", "rounded", "to_float64", "x64_for"]

_NUMPY: Mapping[str, np.dtype] = MappingProxyType(
    {
        "float64": np.dtype(np.float64),
        "float32": np.dtype(np.float32),
        "bfloat16": np.dtype(jnp.bfloat16),
        "float16": np.dtype(np.float16),
    }
)
DTYPES = tuple(_NUMPY)


def numpy_dtype(name: str) -> np.dtype:
    """The numpy dtype of a name; raises UsageError."""
    if name not in _NUMPY:
        raise UsageError(f"no such dtype: {name!r}; known are {', '.join(DTYPES)}")
    return _NUMPY[name]


@contextmanager
def x64_for(name: str) -> Iterator[None]:
    """x64 on for float64 and off for the others, as a user of that dtype would have it; restored afterwards.

    With x64 on, a function that makes an array of its own would turn a float32 program into a float64 one.
    """
    with jax.enable_x64(name == "float64"):
        yield


def exact(values: Any, shape: Shape, name: str) -> np.ndarray:
    """Python floats as an array of the dtype; raises UsageError where the dtype does not hold one exactly."""
    wide = np.asarray(values, dtype=np.float64).reshape(shape)
    narrow = _cast(wide, name)
    if not np.array_equal(to_float64(narrow), wide, equal_nan=True):
        lost = next(x for x in wide.flat if not floats.is_member(float(x), floats.named(name)))
        raise UsageError(f"{float(lost)!r} is no {name}; round it with arithmetic.floats.round_to first")
    return narrow


def rounded(values: Any, name: str) -> np.ndarray:
    """Exact numbers (Fraction, int, float; any nesting or array) each rounded once, ties to even, into the dtype."""
    form = floats.named(name)
    numbers = np.asarray(values, dtype=object)
    flat = [floats.round_to(_plain(each), form) for each in numbers.flat]
    return exact(flat, numbers.shape, name)


def to_float64(array: Any) -> np.ndarray:
    """An array of any of the dtypes as float64, exactly."""
    return np.asarray(array).astype(np.float64)


def _cast(wide: np.ndarray, name: str) -> np.ndarray:
    with np.errstate(over="ignore"):
        return wide.astype(numpy_dtype(name))


def _plain(number: Any) -> Any:
    """A numpy scalar (float32, ml_dtypes) as the Python float of the same value; exact numbers as they are."""
    return float(number) if isinstance(number, np.generic) else number
