"""No false alarm on smooth compositions of ordinary functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import verifier

UNARY: dict[str, Callable[[Any], Any]] = {
    "sin": jnp.sin,
    "cos": jnp.cos,
    "tanh": jnp.tanh,
    "exp": jnp.exp,
    "atan": jnp.arctan,
    "sigmoid": jax.nn.sigmoid,
    "softplus": jax.nn.softplus,
    "sinh": jnp.sinh,
    "erf": jax.scipy.special.erf,
    "square": lambda x: x * x,
    "cube": lambda x: x**3,
    "log1p of a square": lambda x: jnp.log1p(x * x),
    "root": lambda x: jnp.sqrt(1 + x * x),
    "bell": lambda x: jnp.exp(-x * x),
    "witch": lambda x: 1 / (1 + x * x),
    "gelu": jax.nn.gelu,
    "silu": jax.nn.silu,
    "expm1": jnp.expm1,
    "logaddexp": lambda x: jnp.logaddexp(x, 0.3),
    "asinh": jnp.arcsinh,
    "affine": lambda x: 0.1 * x - 0.7,
}
BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "over": lambda a, b: a / (1 + b * b),
    "atan2": lambda a, b: jnp.arctan2(a, 1 + b * b),
}

# A composition as data: a name, or (unary, inner), or (binary, left, right).
TREES = st.recursive(
    st.just("x"),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(sorted(UNARY)), inner),
        st.tuples(st.sampled_from(sorted(BINARY)), inner, inner),
    ),
    max_leaves=4,
)


def function(tree: Any) -> Callable[[Any], Any]:
    if tree == "x":
        return lambda x: x
    name, *parts = tree
    inner = [function(part) for part in parts]
    outer = UNARY.get(name) or BINARY[name]
    return lambda x: outer(*(each(x) for each in inner))


def _judged(tree: Any, x: float, dtype: str) -> None:
    f = function(tree)
    result = verifier.check(f, np.float64(x), dtypes=(dtype,), programs=("grad/jit", "jacfwd/eager"))
    assert not any(each.rule in ("WRONG", "INEXACT") for each in result.verdicts), f"{tree}: {result}"
    assert not any(each.number == "FAULTY" for each in result.verdicts), f"{tree}: {result}"
    assert not any(each.number == "NONFINITE" and each.rule == "RIGHT" for each in result.verdicts), f"{tree}: {result}"


POINTS = st.floats(-2, 2, width=16)
DTYPES = st.sampled_from(["float64", "float32", "bfloat16", "float16"])
QUIET = {"deadline": None, "derandomize": True, "suppress_health_check": list(HealthCheck)}


@settings(max_examples=12, **QUIET)
@given(tree=TREES, x=POINTS, dtype=DTYPES)
def test_a_few_compositions(tree, x, dtype):
    _judged(tree, x, dtype)


@pytest.mark.slow
@settings(max_examples=300, **QUIET)
@given(tree=TREES, x=POINTS, dtype=DTYPES)
def test_three_hundred_compositions(tree, x, dtype):
    _judged(tree, x, dtype)
