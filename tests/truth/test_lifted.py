"""Programs lifted to formulas: what is shown, what is proved for all x, and what must never be."""

from __future__ import annotations

import time
from fractions import Fraction
from functools import reduce

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import verifier.truth.lifted as module
from verifier.arithmetic.ball import BallSystem
from verifier.arithmetic.elements import is_finite
from verifier.execution.dtypes import x64_for
from verifier.model.verdict import Enclosure
from verifier.truth.enclosing import disjoint
from verifier.truth.jaxprs import evaluate
from verifier.truth.lifted import contradicts, derivative, lifted, proved, shown, value_at


def traced(function):
    with x64_for("float64"):
        return jax.make_jaxpr(function)(0.625)


def gradient(function, order=1):
    return reduce(lambda g, _: jax.grad(g), range(order), function)


def is_proved(function, program=None, order=1):
    """Whether a derivative program (JAX's own by default) is proved to be SymPy's derivative of the function."""
    primal = lifted(traced(function), ["x"])
    found = lifted(traced(program or gradient(function, order)), ["x"], exact=primal.literals, frozen=False)
    if primal.expressions[0] is None:
        return False
    return proved(found.expressions[0], derivative(primal.expressions[0], primal.symbols * order))


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(
    "function",
    [
        lambda x: x**3,
        lambda x: jnp.sin(jnp.sin(jnp.sin(x))),
        jax.nn.sigmoid,
        jax.nn.softplus,
        jax.nn.silu,
        jax.nn.relu,
        lambda x: jnp.where(x > 0, jnp.sin(x), 0.1 * x**2),
        lambda x: jnp.abs(x) * x,
        lambda x: jnp.clip(x, -1, 1) ** 2,
        lambda x: jnp.exp(-(x**2) / 2) / jnp.sqrt(2 * jnp.pi),
        lambda x: (x > 1).astype(x.dtype) * x,
    ],
    ids=["cube", "sines", "sigmoid", "softplus", "silu", "relu", "where", "abs", "clip", "gauss", "step"],
)
def test_rules_are_proved_for_all_x(function, order):
    assert is_proved(function, order=order)


def test_the_square_of_tanh_is_proved():
    assert is_proved(lambda x: jnp.tanh(x) ** 2)


def test_the_graph_of_a_formula_is_built_once_for_all_points_of_a_proof(monkeypatch):
    built = []
    build = module.elementwise
    monkeypatch.setattr(module, "elementwise", lambda *given: built.append(given) or build(*given))
    assert is_proved(lambda x: jnp.tanh(x) ** 2)
    assert len(built) <= 2


def test_a_rounded_constant_of_the_rule_is_no_proof():
    """2/sqrt(pi) in the rule of erf is the nearest float, and erf' is not that times exp(-x^2)."""
    assert not is_proved(jax.scipy.special.erf)
    assert is_proved(lambda x: 1.1283791670955126 * x), "it stands in the function itself: there it is exact"


def test_a_rounded_constant_that_cancels_does_not_matter():
    assert is_proved(jnp.sin, lambda x: jnp.cos(x) + 0 * 1.1283791670955126)
    assert not is_proved(jnp.sin, lambda x: jnp.cos(x) * 1.1283791670955126 / 1.1283791670955126)


@pytest.mark.parametrize(
    "program",
    [
        lambda x: -jnp.cos(x),
        lambda x: jnp.cos(x) * (1 + 2**-20),
        lambda x: jnp.where(x > 3, 2 * jnp.cos(x), jnp.cos(x)),
        lambda x: jnp.where(x == 3, 0.0, jnp.cos(x)),
        lambda x: jnp.cos(x) * 1.0000000001,
        lambda x: jnp.where(jnp.isnan(jnp.log(x)), 0.0, jnp.cos(x)),
        lambda x: jnp.where(jnp.isinf(1 / x), 0.0, jnp.cos(x)),
        lambda x: jnp.where(jnp.log(x) > 0, jnp.cos(x), jnp.sin(x)),
        lambda x: jnp.sqrt(1 - jnp.sin(x) ** 2),
        lambda x: jnp.cos(x) + jnp.maximum(x - 100, 0),
    ],
    ids=["sign", "factor", "beyond 3", "at 3", "tenth digit", "nan", "inf", "log", "branch", "far"],
)
def test_planted_faults_are_never_proved(program):
    assert not is_proved(jnp.sin, program)


@pytest.mark.parametrize(
    ("program", "text"),
    [
        (lambda x: jnp.tanh(x) ** 2, "tanh(x)**2"),
        (lambda x: jnp.exp(-(x**2) / 2) / jnp.sqrt(2 * jnp.pi), "exp(-x**2/2)/sqrt(6.283185307179586)"),
        (lambda x: jnp.where(x > 0, 0.1 * x, -x), "Piecewise((0.1*x, x > 0), (-x, True))"),
    ],
)
def test_a_program_is_shown_as_a_formula(program, text):
    assert shown(traced(program), ["x"]).text() == text
    assert shown(traced(program), ["x"]).latex()


def test_components_have_names():
    with x64_for("float64"):
        jaxpr = jax.make_jaxpr(lambda v: jnp.sum(v * v))(np.ones(2))
    assert shown(jaxpr, ["v"]).text() == "v[0]**2 + v[1]**2"


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda x: x + jax.lax.stop_gradient(jnp.round(x) - x), "stop_gradient"),
        (lambda x: x * jnp.round(x), "round_half_even"),
        (lambda x: x * jax.lax.stop_gradient(x), "stop_gradient"),
        (lambda x: jax.scipy.special.betainc(x, 2.0, 0.5), "betainc"),
        (lambda x: reduce(lambda z, _: jax.nn.sigmoid(z) + z * z, range(30), x), "too large to lift"),
        (lambda x: jnp.where(x > 0, x, jnp.nan), "infinity or NaN"),
    ],
)
def test_what_is_not_lifted_says_why(function, reason):
    found = lifted(traced(function), ["x"])
    assert found.expressions == (None,)
    assert reason in found.reason


def nested(step, depth):
    return lambda x: reduce(lambda z, _: step(z), range(depth), x)


@pytest.mark.parametrize(
    "function",
    [
        nested(jnp.sin, 30),
        nested(jnp.tanh, 30),
        nested(lambda x: jnp.abs(x - 1), 30),
        nested(lambda x: jnp.where(x > 0.5, x * x, x - 1), 20),
        nested(lambda x: x * x, 30),
        lambda x: sum(jnp.sin(k * x) for k in range(1, 250)),
        lambda x: (1 + x + jnp.sin(x)) ** 60 * (1 + jnp.exp(x)) ** 50,
        lambda x: 2.0 ** (1e9 * x),
    ],
    ids=["sin", "tanh", "abs", "where", "square", "500 nodes", "powers", "power of two"],
)
def test_nasty_formulas_end_soon(function):
    started = time.process_time()
    is_proved(function)
    assert time.process_time() - started < 20  # a hang takes minutes; seconds are a loaded machine's


_STEPS = {
    "sin": jnp.sin,
    "exp": jnp.exp,
    "tanh": jnp.tanh,
    "abs": jnp.abs,
    "relu": jax.nn.relu,
    "sigmoid": jax.nn.sigmoid,
    "square": lambda x: x * x,
    "shift": lambda x: x - 1.5,
    "scale": lambda x: 0.3 * x,
    "log": lambda x: jnp.log(x),
    "sqrt": lambda x: jnp.sqrt(1 + x * x),
    "where": lambda x: jnp.where(x > 0.25, x, x * x),
}


@settings(max_examples=20, deadline=None)
@given(
    names=st.lists(st.sampled_from(sorted(_STEPS)), min_size=1, max_size=3),
    fault=st.sampled_from([None, "sign", "far", "tiny"]),
    places=st.lists(st.integers(-64, 64).map(lambda n: n / 16 + 1 / 64), min_size=3, max_size=3),
)
def test_what_is_proved_agrees_in_balls(names, fault, places):
    """Law: proved implies that program and the truth's formula are never disjoint, whatever fault is planted."""

    def function(x):
        return reduce(lambda z, name: _STEPS[name](z), names, x)

    def program(x):
        slope = jax.grad(function)(x)
        spoilt = {"sign": -slope, "far": jnp.where(x > 3, slope * 1.5, slope), "tiny": slope * (1 + 2.0**-20)}
        return spoilt.get(fault or "", slope)

    primal = lifted(traced(function), ["x"])
    if primal.expressions[0] is None or not is_proved(function, program):
        return
    reference = derivative(primal.expressions[0], primal.symbols)
    for place in places:
        (value,) = evaluate(traced(program), [np.asarray(place)], BallSystem(256))
        expected = value_at(reference, primal.symbols, [place])
        if is_finite(value.item()) and is_finite(expected):
            assert not disjoint(value.item(), expected)


def test_the_second_route_excludes_a_wrong_truth():
    primal = lifted(traced(jnp.sin), ["x"])
    slope = value_at(derivative(primal.expressions[0], primal.symbols), primal.symbols, [0.5])
    assert not contradicts(slope, Enclosure(Fraction("0.8775"), Fraction("0.8776")))
    assert contradicts(slope, Enclosure(Fraction("0.8777"), Fraction("0.8778")))


def test_a_kink_has_no_value_of_its_own():
    primal = lifted(traced(jnp.abs), ["x"])
    assert not is_finite(value_at(derivative(primal.expressions[0], primal.symbols), primal.symbols, [0.0]))
