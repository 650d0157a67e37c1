"""Loops that stop at a tolerance: under a rule of its own the function meant is differentiated, else the steps are."""

from __future__ import annotations

from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from verifier.arithmetic.ball import BallSystem
from verifier.arithmetic.germ import GermSystem
from verifier.arithmetic.one_sided import derivative
from verifier.truth.jaxprs import evaluate


def series(x):
    """exp by its series; the loop ends at the first term that does not count."""

    def step(state):
        k, term, total = state
        term = term * x / k
        return k + 1, term, total + term

    start = (jnp.ones_like(x), jnp.ones_like(x), jnp.ones_like(x))
    return jax.lax.while_loop(lambda state: jnp.abs(state[1]) > 1e-17 * state[2], step, start)[2]


@jax.custom_jvp
def with_rule(x):
    return series(x)


with_rule.defjvp(lambda primals, tangents: (with_rule(*primals), tangents[0] * with_rule(*primals)))


@jax.custom_jvp
def doubled(x):
    """A loop that more steps would change: nothing is run on."""
    return jax.lax.while_loop(lambda y: y < 100.0, lambda y: 2 * y, x)


doubled.defjvp(lambda primals, tangents: (doubled(*primals), tangents[0]))


@jax.custom_jvp
def counted(x):
    return jax.lax.fori_loop(0, 3, lambda k, y: y * x, x)


counted.defjvp(lambda primals, tangents: (counted(*primals), tangents[0]))


def slope(function, at, order=1):
    with jax.enable_x64(True):
        program = jax.make_jaxpr(function)(np.float64(1))
    start = np.empty((), dtype=object)
    start[()] = GermSystem(192, order + 2).variable(at, 1)
    (found,) = evaluate(program, [start], GermSystem(192, order + 2), strict=True)
    return float(derivative(found[()], order))


@pytest.mark.parametrize("order", [1, 2, 3])
def test_a_series_under_a_rule_has_converged_derivatives(order):
    assert slope(with_rule, 0, order) == 1.0
    assert slope(with_rule, 1, order) == pytest.approx(np.e, rel=1e-15)


def test_without_a_rule_its_steps_are_differentiated():
    """JAX differentiates the steps: at 0 there is one, whose term is x."""
    assert slope(series, 0) == 1.0
    assert slope(series, 0, 2) == 0.0


def test_a_loop_that_more_steps_would_change_is_left_alone():
    assert slope(doubled, 3) == 64.0
    assert slope(counted, 2) == 4 * 2.0**3


@jax.custom_jvp
def halved(x):
    """At 0 no step is taken, and 0 is a fixed point of the body: further steps keep the value, not the derivative."""
    return jax.lax.while_loop(lambda y: jnp.abs(y) >= 1.0, lambda y: y / 2, x)


halved.defjvp(lambda primals, tangents: (halved(*primals), tangents[0]))


@jax.custom_jvp
def doubled_to_one(x):
    """At 1/2 one step leads to 1, where the next ones double the derivative and keep the value."""
    return jax.lax.while_loop(lambda y: y < 0.75, lambda y: 1 + 4 * (y - 1) * (y - 0.5), x)


@jax.custom_jvp
def turned_to_one(x):
    """As above, but each further step turns the sign of the derivative."""
    return jax.lax.while_loop(lambda y: y < 0.75, lambda y: 1 - 2 * (y - 1) * (y - 0.5), x)


turned_to_one.defjvp(lambda primals, tangents: (turned_to_one(*primals), tangents[0]))


doubled_to_one.defjvp(lambda primals, tangents: (doubled_to_one(*primals), tangents[0]))


@jax.custom_jvp
def from_its_first_term(x):
    """exp, whose loop holds the next term already: at 0 it takes no step, and returns the constant it began with."""

    def step(state):
        k, term, total = state
        return k + 1, term * x / (k + 1), total + term

    start = (jnp.ones_like(x), x, jnp.ones_like(x))
    return jax.lax.while_loop(lambda state: jnp.abs(state[1]) > 1e-17 * state[2], step, start)[2]


from_its_first_term.defjvp(lambda primals, tangents: (from_its_first_term(*primals), tangents[0]))


@jax.custom_jvp
def dropped(x):
    """A relu: at 0 from the right no step is taken, and a further one would drop the slope."""
    return jax.lax.while_loop(lambda y: y < 0.0, lambda y: 0.0 * y, x)


dropped.defjvp(lambda primals, tangents: (dropped(*primals), tangents[0]))


@pytest.mark.parametrize("order", [1, 2])
def test_a_series_that_takes_no_step_is_run_on(order):
    assert slope(from_its_first_term, 0, order) == 1.0


def test_at_a_fixed_point_of_the_body_the_steps_of_the_program_are_differentiated():
    assert slope(halved, 0) == 1.0
    assert slope(halved, 3) == 0.25
    assert slope(dropped, 0) == 1.0


def test_further_steps_that_still_change_the_derivative_are_not_taken():
    assert slope(doubled_to_one, Fraction(1, 2)) == -2.0
    assert slope(turned_to_one, Fraction(1, 2)) == 1.0


def test_values_in_balls_take_the_steps_of_the_program():
    with jax.enable_x64(True):
        program = jax.make_jaxpr(with_rule)(np.float64(1))
    (found,) = evaluate(program, [np.float64(0)], BallSystem(128), strict=True)
    assert float(found[()]) == 1.0
