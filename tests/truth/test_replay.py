"""A recorded run does elsewhere what walking the program does, element by element, or does not apply."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flint import arb
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.arithmetic.ball import BallSystem
from verifier.arithmetic.elements import NAN, NEG_INF, POS_INF
from verifier.arithmetic.germ import GermSystem
from verifier.truth import replay
from verifier.truth.enclosing import flat
from verifier.truth.jaxprs import evaluate
from verifier.truth.replay import Unrecorded, record, run

BALLS = BallSystem(160)


@pytest.fixture(autouse=True)
def _double_precision() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def network(x):
    weights = jnp.arange(6.0).reshape(2, 3) / 7
    return jnp.tanh(jnp.stack([x, x * x]) @ weights).sum()


PROGRAMS = {
    "polynomial": lambda x: x**3 - 4 * x + 1,
    "elementary": lambda x: jnp.exp(jnp.sin(x)) * jnp.log1p(x * x),
    "relu": lambda x: jax.nn.relu(x) * 3 + x,
    "softplus": jax.nn.softplus,
    "a mask of infinities": lambda x: jax.nn.softmax(jnp.array([0.0, -jnp.inf, 1.0]) * x)[0],
    "sorted": lambda x: jnp.sort(jnp.stack([x, 0.25 * x, 2 - x]))[1],
    "scanned": lambda x: jax.lax.scan(lambda c, a: (jnp.sin(c) * a, c), x, jnp.arange(1.0, 4.0))[0],
    "matrices": network,
    "its gradient": jax.grad(network),
    "its second derivative": jax.jacfwd(jax.jacrev(network)),
    "a quotient by zero": lambda x: 1 / (x - x),
    "gathered": lambda x: jnp.stack([x, x**2, x**3])[jnp.array([2, 0])].sum(),
}


def traced(function):
    return jax.make_jaxpr(function)(np.float64(0.5))


def walked(jaxpr, elements, system):
    boxes = [np.array(each, dtype=object) for each in elements]
    return flat(evaluate(jaxpr, boxes, system))


def same(a, b) -> bool:
    """The very same element: middle and radius, or terms."""
    if isinstance(a, arb) and isinstance(b, arb):
        return a.mid() == b.mid() and a.rad() == b.rad()
    if hasattr(a, "terms") and hasattr(b, "terms"):
        keys = [[(each.exponent, each.logs) for each in germ.terms] for germ in (a, b)]
        values = [[arb(each.coefficient) for each in germ.terms] for germ in (a, b)]
        return a.order == b.order and keys[0] == keys[1] and all(map(same, *values))
    return a == b


@pytest.mark.parametrize("name", PROGRAMS)
@settings(max_examples=12, deadline=None)
@given(first=st.floats(-2, 2), second=st.floats(-2, 2))
def test_a_replayed_run_gives_what_walking_the_program_gives(name, first, second):
    with jax.enable_x64(True):
        jaxpr = traced(PROGRAMS[name])
        for system, element in ((BALLS, BALLS.exact), (GermSystem(bits=160, order=4), GermSystem().variable)):
            here, there = ([element(Fraction(x))] for x in (first, second))
            try:
                recorded, found = record(jaxpr, here, system)
            except Unrecorded:
                continue  # a comparison that these numbers do not decide
            assert all(map(same, found, walked(jaxpr, here, system)))
            again = recorded.run(there, system)
            assert again is None or all(map(same, again, walked(jaxpr, there, system)))


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_program_of_the_table_is_recorded_and_replayed(name):
    jaxpr = traced(PROGRAMS[name])
    recorded, _ = record(jaxpr, [BALLS.exact(Fraction(1, 2))], BALLS)
    finer = BallSystem(512)
    again = recorded.run([finer.exact(Fraction(9, 16))], finer)
    assert all(map(same, again, walked(jaxpr, [finer.exact(Fraction(9, 16))], finer)))


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("x", [0.5625, -0.75, 0.0, 1e-300])
def test_a_run_that_is_asked_for_often_is_compiled_and_encloses_the_same(name, x, monkeypatch):
    monkeypatch.setattr(replay, "_OFTEN", 1)
    jaxpr = traced(PROGRAMS[name])
    recorded, _ = record(jaxpr, [BALLS.exact(Fraction(1, 2))], BALLS)
    found, wanted = recorded.run([BALLS.exact(Fraction(x))], BALLS), walked(jaxpr, [BALLS.exact(Fraction(x))], BALLS)
    assert recorded._tape is not None or "infinities" in name
    assert found is None or all(same(a, b) or a.overlaps(b) for a, b in zip(found, wanted, strict=True))


@pytest.mark.parametrize("often", [1, 1000])
def test_another_outcome_of_a_comparison_is_not_followed(often, monkeypatch):
    monkeypatch.setattr(replay, "_OFTEN", often)
    jaxpr = traced(lambda x: jnp.where(x > 0, x, 0.0))
    recorded, _ = record(jaxpr, [BALLS.exact(2)], BALLS)
    assert recorded.run([BALLS.exact(3)], BALLS) == [arb(3)]
    assert recorded.run([BALLS.exact(-1)], BALLS) is None


def test_a_check_left_out_would_be_seen(monkeypatch):
    """The planted fault of the test above."""
    monkeypatch.setattr(replay, "_check", lambda *_: lambda a, b: None)
    branch = traced(lambda x: jnp.where(x > 0, x, -3.0))
    recorded, _ = record(branch, [BALLS.exact(2)], BALLS)
    assert recorded.run([BALLS.exact(-1)], BALLS) == [arb(-1)]
    assert walked(branch, [BALLS.exact(-1)], BALLS) == [arb(-3)]


@pytest.mark.parametrize("at", [POS_INF, NEG_INF, NAN, arb(0)], ids=str)
def test_special_numbers_are_followed_as_in_a_walk(at):
    jaxpr = traced(lambda x: jnp.exp(-x) + 1 / x)
    recorded, _ = record(jaxpr, [BALLS.exact(2)], BALLS)
    assert all(map(same, recorded.run([at], BALLS), walked(jaxpr, [at], BALLS)))


def test_only_what_is_wanted_is_done():
    jaxpr = traced(lambda x: (jnp.sin(x), jnp.exp(x) * 2, x))
    whole, _ = record(jaxpr, [BALLS.exact(1)], BALLS)
    part, found = record(jaxpr, [BALLS.exact(1)], BALLS, wanted=(2, 0))
    assert len(part.steps) < len(whole.steps)
    assert all(map(same, found, [walked(jaxpr, [BALLS.exact(1)], BALLS)[place] for place in (2, 0)]))


NOT_RECORDED = {
    "while": lambda x: jax.lax.while_loop(lambda c: c < 2, lambda c: c * 2, x),
    "cond": lambda x: jax.lax.cond(x > 0, jnp.sin, jnp.cos, x),
    "an undecided comparison": lambda x: jnp.where(jnp.exp(jnp.log(x)) > x, 1.0, 2.0) * x,
}


@pytest.mark.parametrize("name", NOT_RECORDED)
def test_what_looks_at_more_than_a_number_system_shows_is_walked(name):
    jaxpr = traced(NOT_RECORDED[name])
    place, system = [np.float64(0.7)], BallSystem(64)
    wanted = flat(evaluate(jaxpr, place, system))
    for _ in range(4):
        assert all(map(same, run(jaxpr, place, system, {}), wanted))


def test_the_second_run_is_recorded_and_the_third_replayed(monkeypatch):
    jaxpr = traced(lambda x: jnp.sin(x) * x)
    calls = []
    monkeypatch.setattr(replay, "evaluate", lambda *args, **options: calls.append(1) or evaluate(*args, **options))
    found = [run(jaxpr, [np.float64(x)], BALLS, {}) for x in (0.5, 0.75, 0.875, 0.5)]
    assert len(calls) == 2
    assert same(found[0][0], found[3][0])


def test_a_program_of_too_many_steps_is_tried_once(monkeypatch):
    monkeypatch.setattr(replay, "_MOST_STEPS", 10)
    jaxpr = traced(network)
    with pytest.raises(Unrecorded):
        record(jaxpr, [BALLS.exact(1)], BALLS)
    monkeypatch.setattr(replay, "evaluate", None)
    with pytest.raises(Unrecorded):
        record(jaxpr, [BALLS.exact(1)], BALLS)
