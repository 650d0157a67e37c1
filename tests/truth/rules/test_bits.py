"""The bits of real numbers: sign, exponent and significand of balls and germs, against numpy's bits."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from verifier.arithmetic.ball import BallSystem
from verifier.arithmetic.elements import Unknown
from verifier.arithmetic.germ import GermSystem
from verifier.arithmetic.one_sided import derivative, limit
from verifier.truth.jaxprs import evaluate

POINTS = [1.5, 4.0, -3.0, 1e-200, -1e200, 0.75]


def signbit(x):
    return jnp.where(jnp.signbit(x), -2 * x, 3 * x)


FUNCTIONS = {
    "frexp": lambda x: jnp.frexp(x)[0],
    "the exponent of frexp": lambda x: x * jnp.frexp(x)[1],
    "ldexp": lambda x: jnp.ldexp(x, 3),
    "ldexp of a large shift": lambda x: jnp.ldexp(x, -70),
    "copysign": lambda x: jnp.copysign(x, -2.0),
    "copysign in its second argument": lambda x: jnp.copysign(3.0, x),
    "signbit": signbit,
}


def traced(function):
    with jax.enable_x64(True):
        return jax.make_jaxpr(function)(np.float64(1))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_of_balls_are_those_of_the_device(name):
    program = traced(FUNCTIONS[name])
    for x in POINTS:
        (found,) = evaluate(program, [np.float64(x)], BallSystem(128), strict=True)
        with jax.enable_x64(True):
            assert float(found[()]) == float(FUNCTIONS[name](np.float64(x)))


SLOPES = {
    ("frexp", 1.5, 1): 0.5,
    ("frexp", 4.0, 1): 0.125,
    ("frexp", 4.0, -1): -0.25,
    ("the exponent of frexp", 1.5, 1): 1.0,
    ("ldexp", 1.5, 1): 8.0,
    ("ldexp", 0.0, 1): 8.0,
    ("ldexp", 0.0, -1): -8.0,
    ("copysign", -3.0, 1): 1.0,
    ("copysign", 0.0, 1): -1.0,
    ("copysign in its second argument", -3.0, 1): 0.0,
    ("signbit", 0.0, 1): 3.0,
    ("signbit", 0.0, -1): 2.0,
}


@pytest.mark.parametrize(("name", "at", "side"), SLOPES)
def test_germs_have_the_slope_of_their_side(name, at, side):
    """d/dt along x = at + side t."""
    system = GermSystem(128, 4)
    start = np.empty((), dtype=object)
    start[()] = system.variable(int(at * 4), 4 * side)
    start[()] = system.apply("div", start[()], 4)
    (found,) = evaluate(traced(FUNCTIONS[name]), [start], system, strict=True)
    assert float(derivative(found[()], 1)) == SLOPES[name, at, side]


def test_at_a_power_of_two_the_side_decides_the_exponent():
    system = GermSystem(128, 4)
    for side, wanted in ((1, 0.5), (-1, 1.0)):
        start = np.empty((), dtype=object)
        start[()] = system.variable(4, side)
        (found,) = evaluate(traced(FUNCTIONS["frexp"]), [start], system, strict=True)
        assert float(limit(found[()])) == wanted


def test_other_uses_of_the_bits_are_undecided():
    def odd(x):
        bits = jax.lax.bitcast_convert_type(x, jnp.int64)
        return x * (bits & 1)

    system = GermSystem(128, 4)
    start = np.empty((), dtype=object)
    start[()] = system.variable(1, 1)
    (found,) = evaluate(traced(odd), [start], system, strict=True)
    assert isinstance(found[()], Unknown)


def ldexp_of_its_own(x, n):
    return x * n


def ldexp_of_the_significand(x, n):
    significand, _ = jnp.frexp(x)
    return significand * 2.0**n


@pytest.mark.parametrize(("program", "at", "slope"), [(ldexp_of_its_own, 0, 3.0), (ldexp_of_the_significand, 5, 1.0)])
def test_a_program_that_is_only_called_ldexp_is_followed(program, at, slope):
    program.__name__ = "ldexp"
    system = GermSystem(128, 4)
    start = np.empty((), dtype=object)
    start[()] = system.variable(at, 1)
    (found,) = evaluate(traced(lambda x: jax.jit(program)(x, 3)), [start], system, strict=True)
    assert float(derivative(found[()], 1)) == slope
