"""Structural rules move integers about: the result is JAX's bit by bit."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jax import lax

few = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

X = np.arange(1.0, 25.0).reshape(2, 3, 4)

TABLE = {
    "broadcast_in_dim": lambda x: lax.broadcast_in_dim(x, (5, 2, 3, 2, 4), (1, 2, 4)),
    "reshape": lambda x: lax.reshape(x, (6, 4), (2, 0, 1)),
    "transpose": lambda x: lax.transpose(x, (2, 0, 1)),
    "squeeze": lambda x: lax.squeeze(x[:1], (0,)),
    "expand_dims": lambda x: lax.expand_dims(x, (0, 2)),
    "slice": lambda x: lax.slice(x, (0, 1, 0), (2, 3, 4), (1, 2, 3)),
    "rev": lambda x: lax.rev(x, (0, 2)),
    "concatenate": lambda x: lax.concatenate([x, x[:, :1]], 1),
    "stack": lambda x: jnp.stack([x, -x], 1),
    "split": lambda x: jnp.split(x, [1, 3], 2),
    "unstack": lambda x: jnp.unstack(x, axis=1),
    "tile": lambda x: jnp.tile(x, (1, 2, 2)),
    "repeat": lambda x: jnp.repeat(x, 2, axis=1),
    "roll": lambda x: jnp.roll(x, (1, -1), (0, 2)),
    "iota": lambda x: x + lax.broadcasted_iota(x.dtype, x.shape, 1) + jnp.arange(4, dtype=jnp.int32),
    "dynamic_slice": lambda x: lax.dynamic_slice(x, (1, -9, 3), (1, 2, 3)),
    "dynamic_update_slice": lambda x: lax.dynamic_update_slice(x, -x[:, :2, :1], (0, 9, 2)),
    "where by index": lambda x: lax.select_n(np.array([2, 0, 1, 1]), *(x[0, i] for i in range(3))),
    "tri": lambda x: jnp.tril(x[:, :, :3]) + jnp.eye(3),
    "scalar": lambda x: x[1, 2, 3].reshape(1, 1),
}


@pytest.mark.parametrize("name", TABLE)
def test_moves(exactly, name):
    exactly(TABLE[name], X)


@pytest.mark.parametrize("name", ["reshape", "slice", "concatenate", "dynamic_update_slice", "roll", "dynamic_slice"])
def test_derivatives_of_moves(agree, name):
    agree(lambda x: TABLE[name](x) ** 2, X)


@few
@given(st.data())
def test_padding(exactly, data):
    """Low, high and interior padding, negative ones crop."""
    x = np.arange(1.0, 7.0).reshape(2, 3)
    edge = st.tuples(st.integers(-1, 2), st.integers(-1, 2), st.integers(0, 2))
    configuration = data.draw(st.tuples(edge, edge))
    exactly(lambda x: lax.pad(x, 7.0, configuration), x)


@few
@given(st.data())
def test_contractions(exactly, data):
    """Any batch and contracted axes, in any order."""
    axes = data.draw(st.permutations(range(3)))
    others = data.draw(st.permutations(range(3)))
    batch, contracted = data.draw(st.tuples(st.integers(0, 1), st.integers(0, 2)))
    sizes = [2, 3, 1]
    a, b = np.empty(3, dtype=int), np.empty(3, dtype=int)
    for index in range(3):
        a[axes[index]], b[others[index]] = sizes[index], sizes[index]
    left = np.arange(6.0).reshape(a) - 2
    right = np.arange(6.0).reshape(b) * 3 - 4
    split = (slice(0, batch), slice(batch, batch + contracted))
    numbers = tuple((tuple(axes[part]), tuple(others[part])) for part in reversed(split))
    exactly(lambda p, q: lax.dot_general(p, q, numbers), left, right)
    exactly(lambda p, q: lax.dot_general(p, q, numbers), left.astype(np.int8), right.astype(np.int8))


ROWS = np.linspace(-1.0, 2.0, 15).reshape(5, 3)
STACK = np.linspace(2.0, -1.0, 18).reshape(3, 3, 2)


@pytest.mark.parametrize("sizes", [[2, 0, 3], [1, 2, 1], [0, 0, 0]])
def test_products_group_by_group(agree, sizes):
    """Groups of rows, an empty one and rows behind the last group; their cotangents contract the rows."""
    agree(lambda a, b: lax.ragged_dot(a, b, jnp.asarray(sizes)), ROWS, STACK)
