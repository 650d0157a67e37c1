"""gather and scatter with random dimension numbers, every mode: JAX's result bit by bit."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jax import lax

few = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

GatherMode = lax.GatherScatterMode
MODES = st.sampled_from([GatherMode.CLIP, GatherMode.FILL_OR_DROP, GatherMode.PROMISE_IN_BOUNDS])
Y = np.array([0.7, 0.4, 0.9])


def _windows(data: st.DataObject) -> dict[str, Any]:
    """An operand, windows over it, and where they lie: partly outside unless the mode promises otherwise."""
    shape = data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    mode, rank = data.draw(MODES), len(shape)
    sizes = [data.draw(st.integers(1, size)) for size in shape]
    thin = [axis for axis in range(rank) if sizes[axis] == 1 and data.draw(st.booleans())]
    mapped = data.draw(st.permutations(range(rank)))[: data.draw(st.integers(1, rank))]
    batch = data.draw(st.lists(st.integers(1, 3), max_size=2))
    beyond = 0 if mode is GatherMode.PROMISE_IN_BOUNDS else 2
    columns = [
        data.draw(
            st.lists(st.integers(-beyond, shape[a] - sizes[a] + beyond), min_size=int(np.prod(batch)), max_size=9)
        )
        for a in mapped
    ]
    indices = np.stack([np.asarray(column)[: int(np.prod(batch))].reshape(batch) for column in columns], axis=-1)
    window = [sizes[axis] for axis in range(rank) if axis not in thin]
    total = len(batch) + len(window)
    offsets = sorted(data.draw(st.permutations(range(total)))[: len(window)])
    rest, inner = iter(batch), iter(window)
    result = [next(inner) if axis in offsets else next(rest) for axis in range(total)]
    operand = np.arange(1.0, 1 + np.prod(shape)).reshape(shape)
    return {
        "operand": operand,
        "indices": indices.astype(np.int32),
        "mode": mode,
        "sizes": sizes,
        "thin": tuple(thin),
        "mapped": tuple(mapped),
        "offsets": tuple(offsets),
        "result": result,
    }


@few
@given(st.data())
def test_gather(exactly, data):
    case = _windows(data)
    numbers = lax.GatherDimensionNumbers(
        offset_dims=case["offsets"], collapsed_slice_dims=case["thin"], start_index_map=case["mapped"]
    )

    def program(operand, indices):
        return lax.gather(operand, indices, numbers, case["sizes"], mode=case["mode"], fill_value=-5)

    exactly(program, case["operand"], case["indices"])


SCATTERS = [lax.scatter, lax.scatter_add, lax.scatter_mul, lax.scatter_min, lax.scatter_max, lax.scatter_sub]


@few
@given(st.data(), st.sampled_from(SCATTERS))
def test_scatter(exactly, data, scatter):
    case = _windows(data)
    numbers = lax.ScatterDimensionNumbers(
        update_window_dims=case["offsets"],
        inserted_window_dims=case["thin"],
        scatter_dims_to_operand_dims=case["mapped"],
    )
    updates = 2.0 * np.arange(np.prod(case["result"])).reshape(case["result"]) - 3
    if scatter is lax.scatter:  # with repeated indices the order of updates is not specified
        updates = np.full(case["result"], 8.0)

    def program(operand, indices, updates):
        return scatter(operand, indices, updates, numbers, mode=case["mode"])

    exactly(program, case["operand"], case["indices"], updates)


TABLE = {
    "gather": lambda y: y[jnp.array([0, 2, 2])] * y[-1],
    "fill": lambda y: y.at[jnp.array([0, 7])].get(mode="fill", fill_value=2.0),
    "clip": lambda y: y.at[jnp.array([0, 7])].get(mode="clip"),
    "set": lambda y: jnp.arange(1.0, 5).at[jnp.array([0, 2, 9])].set(y),
    "add": lambda y: jnp.arange(1.0, 5).at[jnp.array([1, 1, 1])].add(y**2),
    "mul": lambda y: jnp.arange(1.0, 5).at[jnp.array([0, 2, 9])].mul(y, unique_indices=True),
    "max": lambda y: jnp.arange(4.0).at[jnp.array([0, 2, 9])].max(y),
    "divide": lambda y: jnp.arange(1.0, 5).at[jnp.array([0, 2, 3])].divide(y, unique_indices=True),
    "batched gather": lambda y: jax.vmap(lambda i, row: row[i])(jnp.array([2, 0]), jnp.stack([y, y**2])),
    "batched scatter": lambda y: jax.vmap(lambda i, row: row.at[i].add(3.0))(jnp.array([2, 0]), jnp.stack([y, y**2])),
    "batched slice": lambda y: jax.vmap(lambda i: lax.dynamic_slice(y**2, (i,), (2,)))(jnp.array([2, 0])),
}


@pytest.mark.parametrize("name", TABLE)
def test_derivatives_of_indexing(agree, name):
    agree(TABLE[name], Y)


def test_scatter_apply(agree):
    agree(lambda y: y.at[jnp.array([1, 1, 0])].apply(lambda z: z * 2), Y, value_only=True)
