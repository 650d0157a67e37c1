"""Ordinary correct code passes: kinks by convention, masks, guards, loops, true zeros, declared surrogates."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

import verifier

MASK = np.array([True, False, True])
F = np.float64


def newton_sqrt(a):
    """A loop that ends only in floating point."""

    def step(state):
        x, _ = state
        return 0.5 * (x + a / x), x

    return lax.while_loop(lambda state: state[0] != state[1], step, (a, 0 * a))[0]


def straight_through(x):
    return x + lax.stop_gradient(jnp.round(x) - x)


@jax.custom_jvp
def rounded_with_identity_rule(x):
    return jnp.round(x)


rounded_with_identity_rule.defjvp(lambda primals, tangents: (jnp.round(primals[0]), tangents[0]))


@jax.custom_jvp
def normal_cdf(x):
    """1/sqrt(2) is a literal of the function alone: its rounding costs the tail more than the slope's own rounding."""
    return 0.5 * lax.erfc(-x * 0.7071067811865476)


normal_cdf.defjvp(
    lambda primals, tangents: (
        normal_cdf(*primals),
        jnp.exp(-(primals[0] ** 2) / 2) * 0.3989422804014327 * tangents[0],
    )
)

ORDINARY: dict[str, tuple[Any, ...]] = {
    "the tail of a distribution": (normal_cdf, F(-20)),
    "what the roundings of constants leave": (lambda x: 0.1 * x + 0.2 * x - 0.3 * x, F(1)),
    "what the roundings of data leave": (lambda x: jnp.array([0.1, 0.2, -0.3]) @ jnp.stack([x, x, x]), F(1)),
    "relu at 0": (jax.nn.relu, F(0)),
    "maximum at 0": (lambda x: jnp.maximum(x, 0), F(0)),
    "abs at 0": (jnp.abs, F(0)),
    "sqrt at 0": (jnp.sqrt, F(0)),
    "cbrt at 0": (jnp.cbrt, F(0)),
    "a cusp": (lambda x: jnp.sqrt(jnp.abs(x)), F(0)),
    "sign at 0": (jnp.sign, F(0)),
    "floor at 2": (jnp.floor, F(2)),
    "a value put in": (lambda x: jnp.where(x == 0, 5.0, x), F(0)),
    "log outside its domain": (jnp.log, F(-1)),
    "sinc at 0": (jnp.sinc, F(0), (1, 2)),
    "softmax with a mask": (lambda x: jax.nn.softmax(jnp.where(MASK, x, -jnp.inf)), np.array([0.5, 9.0, -0.5])),
    "softmax with a mask of -1e9": (lambda x: jax.nn.softmax(jnp.stack([x * x / 3, x - 1e9])), F(0.5)),
    "logsumexp with a mask": (lambda x: jax.nn.logsumexp(jnp.where(MASK, x, -jnp.inf)), np.array([0.5, 9.0, -0.5])),
    "logsumexp of -inf": (jax.nn.logsumexp, np.array([0.5, -np.inf, -0.5])),
    "max with an initial -inf": (lambda x: jnp.max(x, initial=-jnp.inf), np.array([1.0, 2.0])),
    "clip at its ends": (lambda x: jnp.clip(x, -1, 1), np.array([-1.0, 1.0, 0.5])),
    "a ratio inside its clip": (
        lambda x: -jnp.minimum(1.5 * jnp.exp(x / 3), 1.5 * jnp.clip(jnp.exp(x / 3), 0.8, 1.2)),
        F(0.1),
    ),
    "a tie of two sizes": (
        lambda x: jnp.where(jnp.abs(lax.complex(x, 0 * x)) > jnp.sqrt(x * x), x * x, x**3),
        F(1.5),
        (1, 2),
    ),
    "a tie of maximum": (lambda v: jnp.maximum(v[0], v[1]), np.array([1.0, 1.0])),
    "a tie of max": (jnp.max, np.array([1.0, 1.0, 0.0])),
    "a tie of sort": (jnp.sort, np.array([1.0, 1.0, 0.0])),
    "a norm with an epsilon": (lambda v: jnp.sqrt(jnp.sum(v**2) + 1e-12), np.zeros(3)),
    "a double where": (lambda x: jnp.where(x > 0, jnp.sqrt(jnp.where(x > 0, x, 1.0)), 0.0), F(-1)),
    "a double where at its edge": (lambda x: jnp.where(x > 0, jnp.sqrt(jnp.where(x > 0, x, 1.0)), 0.0), F(0)),
    "nan_to_num": (lambda x: jnp.nan_to_num(x) * 2, F(0.3)),
    "a straight-through estimator": (straight_through, F(1.3)),
    "Newton's iteration": (newton_sqrt, F(2)),
    "a fixed number of steps": (lambda a: lax.fori_loop(0, 20, lambda i, x: jnp.cos(x) * a, a), F(0.7)),
    "a shift-invariant loss": (lambda x: jnp.sum(jax.nn.softmax(x)), np.array([0.1, 0.2, 0.7])),
    "gelu in bfloat16": (jax.nn.gelu, jnp.asarray(1.3, jnp.bfloat16)),
    "sin of a subnormal": (jnp.sin, F(1e-310)),
    "an underflow": (lambda x: x * x, F(1e-310)),
    "a sum of kinks": (lambda v: jnp.sum(jax.nn.relu(v) * jnp.arange(1.0, 5.0)), np.zeros(4)),
    "log cosh": (lambda x: jnp.log(jnp.cosh(x)), F(0.3), (1, 2, 3)),
    "a broken power": (lambda x: jnp.abs(x) ** 1.5, F(0)),
    "erf": (jax.scipy.special.erf, F(0.7), (1, 2)),
    "gammaln": (jax.scipy.special.gammaln, F(10), (1, 2)),
    "det": (jnp.linalg.det, np.array([[1.0, 2.0], [3.0, 4.0]])),
    "solve": (lambda a: jnp.linalg.solve(a, jnp.array([1.0, 2.0])), np.array([[2.0, 1.0], [1.0, 3.0]])),
    "cholesky": (jnp.linalg.cholesky, np.array([[2.0, 0.5], [0.5, 3.0]])),
    "eigvalsh": (lambda a: jnp.linalg.eigvalsh((a + a.T) / 2), np.array([[2.0, 0.5], [0.5, 3.0]])),
    "noise drawn inside": (
        lambda x: jnp.sum(x * jax.random.normal(jax.random.PRNGKey(0), (3,))),
        np.array([1.0, 2.0, 3.0]),
    ),
    "dropout": (
        lambda x: jnp.sum(x * jax.random.bernoulli(jax.random.key(1), 0.5, (3,))),
        np.array([1.0, 2.0, 3.0]),
    ),
    "many inputs": (lambda v: jnp.sum(jnp.tanh(v) ** 2), np.linspace(-1, 1, 500)),
    "a branch": (lambda x: lax.cond(x > 0, lambda x: x, lambda x: -x, x), F(0)),
    "a scan": (lambda x: lax.scan(lambda c, a: (jnp.sin(c * a), c), x, jnp.arange(1.0, 4.0))[0], F(0.7)),
    "attention": (
        lambda q: jax.nn.softmax(q @ q.T / 2.0) @ q,
        np.array([[0.3, -0.2], [0.9, 0.4], [-0.5, 0.1]]),
    ),
    "a small network": (
        lambda p: jnp.sum(jnp.tanh(p["w"] @ jnp.arange(3.0) + p["b"]) ** 2),
        {"w": np.linspace(-1, 1, 12).reshape(4, 3), "b": np.full(4, 0.1)},
    ),
}


LONG = ("a tie of two sizes", "attention", "log cosh", "sinc at 0", "softmax with a mask of -1e9")


@pytest.mark.parametrize("name", [pytest.param(each, marks=[pytest.mark.slow] * (each in LONG)) for each in ORDINARY])
def test_it_passes(name):
    fn, at, *orders = ORDINARY[name]
    result = verifier.check(fn, at, orders=orders[0] if orders else (1,))
    assert result.ok, str(result)


def test_notes_tell_what_a_verdict_rests_on():
    notes = {
        name: {note for each in verifier.check(*ORDINARY[name][:2]).verdicts for note in each.notes}
        for name in ("Newton's iteration", "a straight-through estimator", "sign at 0", "erf")
    }
    assert notes == {
        "Newton's iteration": {"PINNED"},
        "a straight-through estimator": {"SURROGATE"},
        "sign at 0": {"JUMP"},
        "erf": set(),
    }


def test_a_surrogate_has_to_be_declared():
    undeclared = verifier.check(rounded_with_identity_rule, F(1.3), programs=("grad",))
    assert {each.rule for each in undeclared.verdicts} == {"WRONG"}
    declared = verifier.check(rounded_with_identity_rule, F(1.3), programs=("grad",), surrogate=lambda x: x)
    assert declared.ok, str(declared)
    assert {each.notes for each in declared.verdicts} == {("SURROGATE",)}
    other = verifier.check(rounded_with_identity_rule, F(1.3), programs=("grad",), surrogate=lambda x: 2 * x)
    assert not other.ok


def test_inexact_constants_excuse_no_bits_that_the_program_lost():
    result = verifier.check(lambda x: 0.3 * jax.nn.sigmoid(x) + 0.1, F(40), programs=("grad",))
    assert {(each.rule, each.number) for each in result.findings} == {("RIGHT", "LOSSY")}
