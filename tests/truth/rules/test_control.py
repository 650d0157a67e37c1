"""Programs inside programs against JAX."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

X = np.array([0.3, 0.45, 0.2])


@jax.custom_jvp
def _wrong_rule(x):
    return x * x


_wrong_rule.defjvp(lambda primals, tangents: (_wrong_rule(*primals), 3 * primals[0] * tangents[0]))


@jax.custom_vjp
def _reversed(x):
    return jnp.sin(x)


_reversed.defvjp(lambda x: (jnp.sin(x), x), lambda x, g: (g * jnp.cos(x),))

TABLE = {
    "scan": lambda x: lax.scan(lambda c, a: (c * a, c + a), x[0], x),
    "scan backwards": lambda x: lax.scan(lambda c, a: (c * a, (c + a, 2)), x[0], x, reverse=True)[1][0],
    "empty scan": lambda x: lax.scan(lambda c, a: (c * a, c + a), x[0], x[:0]),
    "fori_loop": lambda x: lax.fori_loop(0, 3, lambda i, c: c * x + i, x),
    "cond": lambda x: lax.cond(x[0] > 0, jnp.sin, jnp.cos, x),
    "switch": lambda x: lax.switch(5, [jnp.sin, jnp.cos], x),
    "checkpoint": jax.checkpoint(lambda x: jnp.sin(x) * x),
    "jit": lambda x: jax.jit(jnp.sin)(x) * jax.jit(lambda: 2.0)(),
    "custom rule": _wrong_rule,
    "stop_gradient": lambda x: lax.stop_gradient(x) * x,
    "batched cond": jax.vmap(lambda t: lax.cond(t > 0.25, jnp.sin, jnp.cos, t)),
    "per example": lambda x: jax.vmap(jax.grad(lambda t: jnp.sin(t) * t))(x),
    "optimization barrier": lambda x: lax.optimization_barrier(x) * x,
}


@pytest.mark.parametrize("name", TABLE)
def test_control_flow(agree, name):
    agree(TABLE[name], X)


VALUES = {
    "while": lambda x: lax.while_loop(lambda c: jnp.sum(c) < 10, lambda c: c * 2, x),
    "batched while": jax.vmap(lambda t: lax.while_loop(lambda c: c < 10, lambda c: c * 3, t)),
    "forward through while": lambda x: jax.jvp(
        lambda y: lax.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, c[1] * y), (0, y))[1], (x,), (x,)
    ),
    "custom vjp, not differentiated": _reversed,
    "custom vjp": lambda x: jax.grad(lambda y: _reversed(y).sum())(x),
    "float0": lambda x: jax.jvp(lambda y: lax.top_k(y, 2)[0], (x,), (x,)),
}


@pytest.mark.parametrize("name", VALUES)
def test_values(agree, name):
    agree(VALUES[name], X, value_only=True)
