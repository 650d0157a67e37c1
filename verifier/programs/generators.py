"""The article's own generators: drawn once on the CPU, in their dtype, exactly as `jax.random` and `jnp.linspace`
give them.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np

from verifier.model.catalog import Generated, Linspace, Shape

__all__ = ["draw", "spaced"]


def draw(source: Generated, shape: Shape) -> np.ndarray:
    """The random numbers of a generator as float64, exactly; x64 is on only for float64, as other bits would be
    drawn under it.
    """
    with jax.enable_x64(source.dtype == "float64"), jax.default_device(jax.devices("cpu")[0]):
        key = jax.random.PRNGKey(source.key)
        dtype = jnp.dtype(source.dtype)
        if source.distribution == "normal":
            numbers = jax.random.normal(key, shape, dtype)
        else:
            numbers = jax.random.uniform(key, shape, dtype, minval=float(source.lower), maxval=float(source.upper))
        return np.asarray(numbers).astype(np.float64)


def spaced(source: Linspace, shape: Shape) -> np.ndarray:
    """`jnp.linspace` in the source's dtype, as float64, exactly."""
    with jax.enable_x64(source.dtype == "float64"), jax.default_device(jax.devices("cpu")[0]):
        count = math.prod(shape)
        numbers = jnp.linspace(float(source.start), float(source.stop), count, dtype=source.dtype)
        return np.asarray(numbers).astype(np.float64).reshape(shape)
