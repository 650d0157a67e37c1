"""Reductions, cumulative operations, windows, convolutions and orders against JAX."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jax import lax

few = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

Y = np.array([0.7, -0.4, 0.9, 0.1])
M = np.array([[0.7, -0.4, 0.9], [0.2, 1.1, -0.6]])

TABLE = {
    "sum": lambda m: jnp.sum(m, axis=(0, 1)) * jnp.sum(m, axis=1),
    "prod": lambda m: jnp.prod(m, axis=1),
    "max": lambda m: jnp.max(m, axis=0) * jnp.min(m),
    "ties": lambda m: jnp.max(jnp.abs(m) * 0 + 1.0),
    "norm": lambda m: jnp.linalg.norm(m) + jnp.std(m),
    "logsumexp": lambda m: jax.nn.logsumexp(m, axis=1) + jax.nn.log_softmax(m[0])[:2],
    "cumsum": lambda m: jnp.cumsum(m, axis=1) * jnp.cumprod(m, axis=0),
    "reversed": lambda m: lax.cumsum(m, 1, reverse=True) * lax.cumprod(m, 0, reverse=True),
    "cummax": lambda m: lax.cummax(m, 1) + lax.cummin(m, 1) * lax.cumlogsumexp(m, 1, reverse=True),
    "masked": lambda m: jnp.max(jnp.where(m > 0, m, -jnp.inf), initial=-jnp.inf),
    "sort": lambda m: jnp.sort(m, axis=0) * jnp.arange(6.0).reshape(2, 3),
    "sort by key": lambda m: lax.sort([m, m**2], dimension=1, num_keys=1)[1],
    "median": lambda m: jnp.median(m) + jnp.quantile(m, 0.3),
    "top_k": lambda m: lax.top_k(m, 2)[0],
    "approx_top_k": lambda m: lax.approx_max_k(m, 2)[0] * lax.approx_min_k(m, 2, reduction_dimension=0)[0][0, :2],
    "argmax": lambda m: m[0] * jnp.argmax(m, axis=1).sum() + m[jnp.argmin(m, axis=0), jnp.arange(3)],
    "pooling": lambda m: lax.reduce_window(m, -jnp.inf, lax.max, (1, 2), (1, 1), "SAME"),
    "pooling mean": lambda m: lax.reduce_window(m, 0.0, lax.add, (2, 2), (2, 1), "SAME"),
    "pooling min": lambda m: lax.reduce_window(m, jnp.inf, lax.min, (2, 1), (1, 1), "VALID"),
    "associative scan": lambda m: lax.associative_scan(jnp.multiply, m, axis=1),
    "convolve": lambda m: jnp.convolve(m[0], m[1]),
}


@pytest.mark.parametrize("name", TABLE)
def test_reductions(agree, name):
    agree(TABLE[name], M, tolerance=1e-11)


VALUES = {
    "truths": lambda m: [jnp.any(m > 0, axis=0), jnp.all(m > 0), jnp.sum(m > 0), (m > 0) & ~(m > 0.5) ^ (m > 1)],
    "places": lambda m: [jnp.argsort(m), jnp.argmax(m), jnp.argmin(m, axis=1), lax.top_k(m, 2)[1]],
    "window product": lambda m: lax.reduce_window(m, 1.0, lax.mul, (1, 2), (1, 1), "SAME"),
    "two arrays": lambda m: lax.reduce((m, -m), (0.0, 1.0), lambda p, q: (p[0] + q[0], p[1] * q[1]), (1,)),
    "integers": lambda m: [
        jnp.cumsum(jnp.arange(5)),
        jnp.prod(jnp.arange(1, 5, dtype=jnp.int8) * 40),
        jnp.max(jnp.arange(5)),
        lax.reduce_window(jnp.arange(5), 0, lax.add, (2,), (1,), "SAME"),
        lax.sort([jnp.array([2, 1, 2, 1]), jnp.array([3, 4, 1, 2])], num_keys=2),
    ],
    "nan": lambda m: [jnp.sort(m / (m > 0)), jnp.argmax(m * jnp.nan), jnp.argmin(jnp.array([1.0, jnp.nan, 0]))],
    "empty": lambda m: [jnp.sum(m[:, :0], axis=1), jnp.prod(m[:0])],
}


@pytest.mark.parametrize("name", VALUES)
def test_values(agree, name):
    agree(VALUES[name], M, value_only=True)


@few
@given(st.data())
def test_convolutions(exactly, data):
    """All parameters of a convolution, with groups of features or of batches."""
    groups, batches = data.draw(st.sampled_from([(1, 1), (2, 1), (1, 2)]))
    pair = st.tuples(st.integers(1, 2), st.integers(1, 2))
    edge = st.tuples(st.integers(-1, 2), st.integers(0, 2))
    x = np.arange(2.0 * 2 * 4 * 3).reshape(2, 4, 3, 2) % 7 - 3
    kernel = np.arange(2.0 * 2 * (2 // groups) * 2).reshape(2, 2, 2 // groups, 2) % 5 - 2
    strides, lhs, rhs, padding = (data.draw(each) for each in (pair, pair, pair, st.tuples(edge, edge)))

    def program(x, kernel):
        return lax.conv_general_dilated(
            x, kernel, strides, padding, lhs, rhs, ("NHWC", "HWIO", "NHWC"), groups, batches
        )

    exactly(program, x, kernel)


def test_derivatives_of_a_convolution(agree):
    def program(x, kernel):
        return lax.conv_general_dilated(x, kernel, (2,), [(1, 2)], (1,), (2,), ("NCH", "OIH", "NCH"))

    agree(program, np.sin(np.arange(10.0)).reshape(1, 2, 5), np.cos(np.arange(4.0)).reshape(1, 2, 2))


INTEGERS = {
    "divide": lambda a, b: lax.div(a, b),
    "remainder": lambda a, b: lax.rem(a, b),
    "wrap": lambda a, b: a * b + a - b * 77,
    "shift": lambda a, b: (a << b, a >> b, lax.shift_right_logical(a, b)),
    "bits": lambda a, b: (a & b, a | b, a ^ b, ~a, lax.population_count(a), lax.clz(a)),
    "power": lambda a, b: (a**3, lax.integer_pow(b, 5)),
    "order": lambda a, b: (a < b, jnp.maximum(a, b), jnp.sign(a), jnp.abs(a), jnp.clip(a, -2, b)),
    "floor divide": lambda a, b: (a // b, a % b),
    "cast": lambda a, b: (a.astype(jnp.uint8), a.astype(bool), a.astype(jnp.float64), (a > b).astype(int)),
}


@pytest.mark.parametrize("name", INTEGERS)
def test_integers_wrap_around_as_on_a_device(agree, name):
    a = np.array([127, -128, -7, 7, 0, 100, -1], dtype=np.int8)
    b = np.array([3, -1, 2, -2, 5, 0, 9], dtype=np.int8)
    agree(INTEGERS[name], a, b, value_only=True)
