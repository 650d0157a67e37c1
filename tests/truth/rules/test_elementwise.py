"""Elementwise rules against JAX, in value and derivatives."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import jax.scipy as jsp
import numpy as np
import pytest
from jax import lax

X = np.array([0.3, 0.45, 0.2])
Y = np.array([0.7, -0.4, 0.9])

LAX = """
    abs neg sign sin cos tan asin acos atan sinh cosh tanh asinh atanh exp exp2 log log1p expm1 sqrt rsqrt cbrt logistic
    erf erfc erf_inv lgamma digamma bessel_i0e bessel_i1e floor ceil square
"""


@pytest.mark.parametrize("name", LAX.split())
def test_functions_of_one_number(agree, name):
    agree(getattr(lax, name), X)


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "max", "min", "pow", "atan2", "rem"])
def test_functions_of_two_numbers(agree, name):
    agree(getattr(lax, name), X, np.abs(Y))


TABLE = {
    "acosh": lambda x: jnp.arccosh(x + 1),
    "integer powers": lambda x: x**3 + x**-2 + (-x) ** np.arange(3),
    "round to even": lambda x: jnp.round(x * 8 + 0.5),
    "round away": lambda x: lax.round(x * 8 + 0.5),
    "clamp": lambda x: jnp.clip(x, 0.25, 0.35),
    "igamma": lambda x: lax.igamma(2.5, x) + lax.igammac(1.5, x),
    "betainc": lambda x: lax.betainc(1.5, 2.5, x),
    "polygamma": lambda x: lax.polygamma(2.0, x),
    "i0, i1": lambda x: jsp.special.i0(x) + jsp.special.i1(x),
    "ndtri": jsp.special.ndtri,
    "log_ndtr": jsp.special.log_ndtr,
    "bessel_jn": lambda x: jsp.special.bessel_jn(x[0], v=1, n_iter=8),
    "sinc": jnp.sinc,
    "logaddexp": lambda x: jnp.logaddexp(x, 0.3),
    "ties": lambda x: jnp.maximum(x, x) * jnp.minimum(x, 0.3),
    "where": lambda x: jnp.where(x > 0.25, x * x, 0.0),
    "gelu": jax.nn.gelu,
    "silu": jax.nn.silu,
    "elu": lambda x: jax.nn.elu(x - 0.25),
    "softplus": jax.nn.softplus,
    "relu": lambda x: jax.nn.relu(x - 0.25) ** 2,
    "nan_to_num": lambda x: jnp.nan_to_num(x) * x,
    "remainder": lambda x: jnp.remainder(-x, 0.17) + jnp.fmod(-x, 0.17),
    "xlogy": lambda x: jsp.special.xlogy(x, x) + 3 * jsp.special.entr(x),
    "beta": lambda x: jsp.stats.beta.logpdf(x, 2.0, 3.0),
    "float32 inside": lambda x: jnp.sin(x.astype(jnp.float32).astype(jnp.float64)) * 0 + x,
    "complex": lambda x: jnp.abs(jnp.exp(1j * x) + x) ** 2 + jnp.real((x + 2j) ** 3 / (x - 1j)),
}

if hasattr(lax, "polynomial"):  # of JAX 0.12: its coefficients may vary, and broadcast
    TABLE["polynomial"] = lambda x: lax.polynomial(x, [1.5, -2.0, x * x, 0.25])
    TABLE["long polynomial"] = lambda x: lax.polynomial(x, [1 / (k + 1) for k in range(12)])


@pytest.mark.parametrize("name", TABLE)
def test_compositions(agree, name):
    agree(TABLE[name], X, tolerance=1e-11)


def test_incomplete_gamma_in_its_parameter(agree):
    """The second order needs a derivative rule that JAX does not have, so only the first is asked for."""
    agree(jax.grad(lambda a: lax.igamma(a, 0.7)), 1.3, value_only=True)
    agree(jax.grad(lambda a: lax.igamma(a, 30.0)), 25.0, value_only=True)


def test_zeta_in_value(agree):
    agree(lambda x: lax.zeta(2.5, x), X, value_only=True)


def test_comparisons(agree):
    def program(x, y):
        return [x < y, x <= y, x > y, x >= y, x == y, x != y, x == x, lax.is_finite(x), x.astype(bool), y.astype(int)]

    agree(program, X, Y, value_only=True)
