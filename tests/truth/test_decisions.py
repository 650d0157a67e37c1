"""Loops beside the point: kinks and ties are theirs where exact arithmetic ends them as the dtype does."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from verifier.arithmetic.floats import FLOAT64
from verifier.checking.route import differ
from verifier.model.verdict import Enclosure, Jump, Kink, NoTruth
from verifier.truth.decisions import recorded
from verifier.truth.derived import Derived
from verifier.truth.lines import Lines, of_jaxpr
from verifier.truth.primal import PrimalTruth


def loop(goes_on, body):
    return lambda x: lax.while_loop(goes_on, body, x)


relu = loop(lambda s: s < 0.0, lambda s: 0.0 * s)

# A function with loops, the same one without, and a point where the loop takes more steps on one side of it.
TWINS = {
    "a difference of two relus": (lambda x: relu(x) - relu(-x), lambda x: x, 0.0),
    "a relu": (relu, lambda x: jnp.maximum(x, 0.0), 0.0),
    "doubled until it is large": (
        loop(lambda s: s < 8.0, lambda s: s * 2.0),
        lambda x: jnp.where(x < 1.0, 16.0 * x, 8.0 * x),
        1.0,
    ),
    "reflected": (loop(lambda s: s > 1.0, lambda s: 2.0 - s), lambda x: jnp.where(x > 1.0, 2.0 - x, x), 1.0),
    "a loop in a loop": (
        lambda x: lax.fori_loop(0, 3, lambda _, s: relu(s) + s, x),
        lambda x: jnp.where(x < 0.0, x, 8.0 * x),
        0.0,
    ),
}


def truth(function, at):
    with jax.enable_x64(True):
        jaxpr = jax.make_jaxpr(function)(np.float64(at))
    place = (np.asarray(at, np.float64),)
    decisions = recorded(jaxpr, place, FLOAT64)
    value = Derived(jaxpr, place, lambda: {"decide": decisions.replay()}).elements
    lines = Lines(of_jaxpr(jaxpr, lambda: {"decide": decisions.replay(beside=True)}), place)
    (row,) = PrimalTruth(lines, value, (0,)).gradients()
    return row.components[0], decisions.pinned


@pytest.mark.parametrize("name", TWINS)
def test_a_loop_is_judged_as_the_same_function_without_one(name):
    looped, plain, at = TWINS[name]
    found, pinned = truth(looped, at)
    expected, _ = truth(plain, at)
    assert type(found) is type(expected)
    assert isinstance(found, (Enclosure, Kink, Jump))
    assert not differ(found, expected)
    assert not pinned


def test_a_loop_that_ends_only_in_floating_point_follows_the_record():
    def step(state):
        x, _ = state
        return 0.5 * (x + 2.0 / x), x

    def newton(a):
        return lax.while_loop(lambda state: state[0] != state[1], step, (a, 0.0 * a))[0]

    found, pinned = truth(newton, 3.0)
    assert isinstance(found, Enclosure)
    assert abs(found.middle) < 1e-12
    assert pinned


def test_a_loop_that_never_ends_beside_the_point_is_undecided():
    """At 0 both numbers are the same at once; beside it they never are."""
    endless = loop(lambda s: s != 0.0, lambda s: s / 2.0)
    found, _ = truth(endless, 0.0)
    assert isinstance(found, NoTruth)
    assert "goes on beside it" in found.reason
