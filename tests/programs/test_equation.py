"""Whose derivative rule it is that a program calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import pytest

from verifier.programs.equation import is_custom_rule, is_foreign


def jvp_of(f: Callable[..., Any]) -> Callable[..., Any]:
    wrapped = jax.custom_jvp(f)
    wrapped.defjvp(lambda primals, tangents: (f(*primals), tangents[0] * jnp.cos(primals[0])))
    return wrapped


def vjp_of(f: Callable[..., Any]) -> Callable[..., Any]:
    wrapped = jax.custom_vjp(f)
    wrapped.defvjp(lambda x: (f(x), x), lambda x, cotangent: (cotangent * jnp.cos(x),))
    return wrapped


@jax.custom_gradient
def squared(x):
    return x**2, lambda cotangent: 2 * x * cotangent


OWN = {
    "a function of the user's": vjp_of(lambda x: jnp.sin(x)),
    "a function of JAX's, forward": jvp_of(jnp.sin),
    "a function of JAX's, backward": vjp_of(jnp.sin),
    "batched": jax.vmap(vjp_of(jnp.sin)),
    "jitted": jax.jit(vjp_of(jnp.sin)),
    "custom_gradient": squared,
}
JAX = {
    "relu": jax.nn.relu,
    "logit": jax.scipy.special.logit,
    "log_ndtr": jax.scipy.special.log_ndtr,
    "xlogy": lambda x: jax.scipy.special.xlogy(x, 2.0),
    "slogdet": lambda x: jnp.linalg.slogdet(jnp.diag(x))[1],
}


def rules(program: Any) -> Iterator[Any]:
    for equation in program.eqns:
        if is_custom_rule(equation):
            yield equation
        for inner in equation.params.values():
            if hasattr(inner, "jaxpr"):
                yield from rules(inner.jaxpr)


@pytest.mark.parametrize("name", [*OWN, *JAX])
def test_a_rule_is_the_user_s_where_the_function_or_the_rule_is(name):
    found = [*rules(jax.make_jaxpr(OWN.get(name) or JAX[name])(jnp.array([0.5, 0.7])).jaxpr)]
    assert found
    assert all(is_foreign(each) is (name in OWN) for each in found)
