"""Faults planted in rules are found, at every scale."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

import verifier

Rule = Callable[[Any, Any], Any]


def planted(primal: Callable[..., Any], slope: Callable[..., Any]) -> Callable[..., Any]:
    """The primal with a custom rule of its own."""

    @jax.custom_jvp
    def f(x):
        return primal(x)

    f.defjvp(lambda primals, tangents: (primal(*primals), slope(*primals) * tangents[0]))
    return f


def sine(x):
    return jnp.sin(x)


SLOPES: dict[str, Callable[..., Any]] = {
    "the sign": lambda x: -jnp.cos(x),
    "a factor of 1 + 2^-20": lambda x: jnp.cos(x) * (1 + 2.0**-20),
    "a factor of 2": lambda x: 2 * jnp.cos(x),
    "a missing branch": lambda x: jnp.where(x > 3, 0.0, jnp.cos(x)),
    "wrong only beyond 3": lambda x: jnp.cos(x) * jnp.where(x > 3, 1.01, 1.0),
    "no slope": lambda x: 0 * x,
}


@pytest.mark.parametrize("scale", [1.0, 1e-30, 1e30])
@pytest.mark.parametrize("name", SLOPES)
def test_a_fault_of_the_first_order_is_found(name, scale):
    primal, slope = sine, SLOPES[name]
    f = planted(lambda x: scale * primal(x), lambda x: scale * slope(x))
    result = verifier.check(f, np.float64(3.3))
    assert {each.rule for each in result.findings} <= {"WRONG", "INEXACT"}
    assert len(result.findings) == len(result.verdicts) == 4, str(result)


@pytest.mark.parametrize("scale", [1.0, 1e-30, 1e30])
def test_the_right_rule_passes(scale):
    result = verifier.check(planted(lambda x: scale * sine(x), lambda x: scale * jnp.cos(x)), np.float64(3.3))
    assert result.ok, str(result)


def test_a_wrong_constant_in_the_tenth_digit():
    result = verifier.check(
        planted(lambda x: jnp.exp(x) * 0.5641895835477563, lambda x: jnp.exp(x) * 0.5641895836477563), np.float64(0.7)
    )
    assert {each.rule for each in result.verdicts} <= {"INEXACT", "WRONG"}
    assert not result.ok


@pytest.mark.parametrize("x", [0.5, -6.0])
def test_a_literal_of_the_function_does_not_excuse_a_wrong_one_of_the_rule(x):
    f = planted(lambda x: 0.5 * lax.erfc(-x * 0.7071067811865476), lambda x: jnp.exp(-(x**2) / 2) * 0.39894228040140)
    result = verifier.check(f, np.float64(x), programs=("grad",))
    assert {each.rule for each in result.verdicts} == {"INEXACT"}
    assert not result.ok


@pytest.mark.parametrize(("sign", "rule"), [(1, "RIGHT"), (-1, "UNDECIDED")])
def test_literals_whose_rounding_turns_the_sine_round_excuse_no_flipped_sign(sign, rule):
    turns = 2 * np.pi * 1e15
    f = planted(lambda x: jnp.sin(turns * x), lambda x: sign * turns * jnp.cos(turns * x))
    result = verifier.check(f, np.float64(1.3), programs=("grad",))
    assert {each.rule for each in result.verdicts} == {rule}
    assert result.ok is (sign == 1)


def test_literals_excuse_a_right_rule_at_a_critical_point():
    f = planted(lambda x: 0.1 * x**3 - 0.3 * x, lambda x: 0.3 * x**2 - 0.3)
    assert {each.rule for each in verifier.check(f, np.float64(1), programs=("grad",)).verdicts} == {"RIGHT"}


def test_a_fault_that_shows_only_at_the_second_order():
    def slope(x):
        return lax.stop_gradient(jnp.cos(x))

    f = planted(sine, slope)
    assert verifier.check(f, np.float64(0.7)).ok
    second = verifier.check(f, np.float64(0.7), orders=(2,))
    assert {each.rule for each in second.findings} == {"WRONG"}


def test_a_stale_residual():
    @jax.custom_vjp
    def f(x):
        return jnp.sin(x) * x

    f.defvjp(lambda x: (jnp.sin(x) * x, x + 1e-3), lambda x, g: (g * (jnp.cos(x) * x + jnp.sin(x)),))
    result = verifier.check(f, np.float64(0.7))
    assert {each.rule for each in result.verdicts} == {"WRONG"}
    assert any("forward-mode" in each.why for each in result.skipped)


def test_a_dropped_term_and_a_transposed_map():
    matrix = jnp.arange(9.0).reshape(3, 3)

    @jax.custom_jvp
    def product(v):
        return matrix @ v * v[0]

    product.defjvp(lambda p, t: (matrix @ p[0] * p[0][0], matrix @ t[0] * p[0][0]))

    @jax.custom_jvp
    def linear(v):
        return matrix @ v

    linear.defjvp(lambda p, t: (matrix @ p[0], matrix.T @ t[0]))
    at = np.array([0.3, -0.2, 0.9])
    assert {each.rule for each in verifier.check(product, at).findings} == {"WRONG"}
    wrong = verifier.check(linear, at).findings
    assert {each.component for each in wrong if each.program == "jacrev/jit"} == {
        f"value[{i}] d/dv[{j}]" for i in range(3) for j in range(3) if i != j
    }


def test_a_fault_that_shows_only_under_vmap():
    @jax.custom_batching.custom_vmap
    def double(t):
        return 2 * t

    @double.def_vmap
    def _(axis_size, in_batched, t):
        return 3 * t, True

    @jax.custom_jvp
    def f(x):
        return 2 * x

    f.defjvp(lambda p, t: (2 * p[0], double(t[0])))
    programs = ("jacfwd/vmap",)
    result = verifier.check(f, np.float64(0.7), programs=programs)
    assert {each.rule for each in result.verdicts} == {"WRONG"}


def backward(bwd):
    @jax.custom_vjp
    def f(x):
        return jnp.sin(x)

    f.defvjp(lambda x: (jnp.sin(x), x), lambda x, g: (bwd(g, jnp.cos(x)),))
    return f


COTANGENTS = {
    "forgotten": lambda g, slope: slope,
    "squared": lambda g, slope: slope * g**2,
    "clipped": lambda g, slope: slope * jnp.clip(g, -10, 10),
    "of unit size": lambda g, slope: slope * g / jnp.maximum(1, jnp.abs(g)),
    "without its sign": lambda g, slope: slope * jnp.abs(g),
}


@pytest.mark.parametrize("name", COTANGENTS)
def test_a_rule_that_is_right_for_unit_cotangents_only(name):
    f = backward(COTANGENTS[name])
    for result in (
        verifier.check(f, np.float64(0.7), orders=(1, 2)),
        verifier.check(lambda x: f(x).sum(), np.array([0.7, 0.2]), programs=("jacrev/vmap", "grad/remat")),
    ):
        assert result.verdicts
        assert all(each.rule == "WRONG" for each in result.verdicts), str(result)
        assert all("not linear" in each.rule_verdict.reason for each in result.verdicts)
        assert all(each.blame.primitive.startswith("custom_vjp_call") for each in result.verdicts)


def test_a_wrong_rule_of_many_numbers_is_blamed():
    @jax.custom_vjp
    def squares(x):
        return jnp.sum(x**2)

    squares.defvjp(lambda x: (squares(x), x), lambda x, g: (3 * x * g,))
    found = verifier.check(lambda x: jnp.sin(0.01 * squares(x)), np.linspace(0.5, 1, 100))
    assert all("its rule is WRONG by itself" in str(each.blame) for each in found.verdicts)


def test_a_rule_that_is_right_for_single_cotangents_only():
    """It keeps the largest entry of a cotangent, which has one other entry at least in what a program is made of."""

    @jax.custom_vjp
    def square(x):
        return x**2

    square.defvjp(
        lambda x: (x**2, x),
        lambda x, g: (2 * x * jnp.where(jnp.abs(g) < jnp.max(jnp.abs(g)), 0, g),),
    )
    numbers = np.array([0.3, 0.7, 1.1])
    found = verifier.check(square, numbers, programs=("jacrev", "jacrev/vmap"))
    assert {each.rule for each in found.verdicts} >= {"WRONG"}
    assert "several cotangents together" in found.findings[0].rule_verdict.reason
    assert verifier.check(square, numbers, programs=("jacrev",), linear=False).ok
    assert verifier.check(lambda x: square(x[:1]), numbers, programs=("jacrev",)).ok


def test_a_rule_that_is_meant_not_to_be_linear():
    """Said to be so, it passes, and another fault of it is still found."""
    clipping = backward(lambda g, slope: slope * jnp.clip(g, -1, 1))
    assert "linear=False" in str(verifier.check(clipping, np.float64(0.7)).verdicts[0].blame)
    assert verifier.check(clipping, np.float64(0.7), linear=False).ok
    doubling = backward(lambda g, slope: 2 * slope * jnp.clip(g, -1, 1))
    found = verifier.check(doubling, np.float64(0.7), linear=False)
    assert all(each.rule == "WRONG" for each in found.verdicts)
    assert "surrogate=" in str(found.verdicts[0].blame)


def test_a_rule_of_the_user_s_for_a_function_of_jax_s():
    forgetful, inexact = jax.custom_vjp(jnp.sin), jax.custom_jvp(jnp.sin)
    forgetful.defvjp(lambda x: (jnp.sin(x), x), lambda x, g: (jnp.cos(x),))
    inexact.defjvp(lambda primals, tangents: (jnp.sin(*primals), 1.000000001 * jnp.cos(*primals) * tangents[0]))

    @jax.custom_gradient
    def squared(x):
        return x**2, lambda g: 2 * x

    for function, rule in ((forgetful, "WRONG"), (squared, "WRONG"), (inexact, "INEXACT")):
        result = verifier.check(function, np.float64(0.7), programs=("grad",))
        assert {each.rule for each in result.verdicts} == {rule}
        assert result.is_wrong


@pytest.mark.parametrize("tangent", [jnp.abs, jnp.square], ids=["absolute", "squared"])
def test_a_rule_that_is_right_for_unit_tangents_only(tangent):
    @jax.custom_jvp
    def f(x):
        return jnp.sin(x)

    f.defjvp(lambda primals, tangents: (f(*primals), jnp.cos(primals[0]) * tangent(tangents[0])))
    result = verifier.check(f, np.float64(0.7), programs=("jacfwd",))
    assert {each.rule for each in result.verdicts} == {"WRONG"}


def forward(value):
    @jax.custom_vjp
    def f(x):
        return jnp.stack([jnp.exp(x) - 1, x * 0.1])

    f.defvjp(lambda x: (value(x), x), lambda x, g: (g[0] * jnp.exp(x) + g[1] * 0.1,))
    return f


def test_a_backward_rule_whose_forward_pass_returns_another_value():
    f = forward(lambda x: jnp.stack([jnp.exp(x), x * 0.1]))
    result = verifier.check(f, np.float64(0.7), orders=(1, 2), programs=("jacrev", "rev-rev"))
    found = {(each.component.split()[0], each.rule, each.notes) for each in result.verdicts}
    assert found == {("value[0]", "WRONG", ("VALUE",)), ("value[1]", "RIGHT", ())}
    assert not result.reproduction  # what it would print is right
    assert {each.blame.primitive for each in result.verdicts if each.fails} == {"custom_vjp_call"}


def test_a_forward_rule_that_returns_another_value():
    @jax.custom_jvp
    def f(x):
        return x * jnp.maximum(x, 0)

    f.defjvp(lambda primals, tangents: (primals[0] ** 2, 2 * primals[0] * tangents[0]))
    result = verifier.check(f, np.float64(0.7))
    assert result.ok, str(result)
    result = verifier.check(f, np.float64(-0.7))
    assert {each.rule for each in result.verdicts} == {"WRONG"}


def test_a_value_that_a_rule_computes_in_another_way_passes():
    f = forward(lambda x: jnp.stack([jnp.expm1(x), x / 10]))
    assert verifier.check(f, np.float64(0.7), programs=("jacrev",)).ok
    assert verifier.check(f, np.float64(0.0), programs=("jacrev",)).ok
    halved = verifier.check(forward(lambda x: jnp.stack([jnp.expm1(x), x / 20])), np.float64(0.0), programs=("jacrev",))
    assert halved.ok, "at 0 both values are 0"


def test_a_right_backward_rule_passes_in_all_orders():
    f = backward(lambda g, slope: g * slope)
    assert verifier.check(f, np.float64(0.7), orders=(1, 2), programs=("grad", "rev-rev", "fwd-rev")).ok
    assert verifier.check(lambda x: f(x) * x.sum(), np.array([0.7, 0.2]), programs=("jacrev/vmap",)).ok


@pytest.mark.parametrize("factor", [1.0, 2.0, 0.3])
def test_a_rule_that_cancels_to_a_zero_that_no_precision_resolves(factor):
    """Its radius is no motion of literals, which excused the zero as if they could make anything of it."""
    f = planted(lambda x: factor * jnp.sqrt(x), lambda x: factor * (jnp.sqrt(x) * jnp.sqrt(x) - x))
    result = verifier.check(f, np.float64(2), programs=("grad",))
    assert {each.rule for each in result.verdicts} == {"WRONG"}, str(result)
    assert all(each.blame and each.blame.primitive == "custom_jvp_call" for each in result.verdicts)


def test_a_slope_where_the_function_has_a_zero_that_no_precision_resolves():
    f = planted(lambda x: 0.3 * (jnp.sin(x) ** 2 + jnp.cos(x) ** 2), lambda x: 0.5 + 0 * x)
    result = verifier.check(f, np.float64(0.7), programs=("grad",))
    assert {each.rule for each in result.verdicts} == {"WRONG"}, str(result)


def test_the_rule_that_is_wrong_is_blamed_and_not_one_that_closes_over_numbers():
    weights = jnp.array([0.3, 0.7])
    right = planted(lambda x: jnp.sum(jnp.sin(weights * x)), lambda x: jnp.sum(weights * jnp.cos(weights * x)))
    wrong = planted(lambda x: x**2, lambda x: 3 * x)
    result = verifier.check(lambda x: wrong(right(x)), np.float64(0.5))
    value = float(right(0.5))
    assert f"{3 * value:.6} where the truth is {2 * value:.6}" in result.findings[0].blame.what, str(result)


def test_the_rule_that_is_wrong_is_blamed_and_not_a_root_whose_input_stands_in_it_more_than_once():
    wrong = planted(lambda x: x**2, lambda x: 3 * x)

    def root(a):
        def solve(f, x):
            return lax.fori_loop(0, 8, lambda _, y: y - f(y) / jax.grad(f)(y), x)

        return lax.custom_root(lambda y: y**2 - a, jnp.ones_like(a), solve, lambda f, y: y / f(1.0))

    assert verifier.check(root, np.float64(2)).ok
    result = verifier.check(lambda x: wrong(root(x)), np.float64(4))
    assert "6 where the truth is 4" in result.findings[0].blame.what, str(result)


def test_what_a_rule_is_by_itself_says_nothing_where_a_surrogate_is_declared():
    rounded = planted(jnp.round, lambda x: 2.0 + 0 * x)
    (found, *_) = verifier.check(rounded, np.float64(0.3), surrogate=lambda x: x).findings
    assert found.blame.primitive == "custom_jvp_call"
    assert "declared" in found.blame.what
    passes = planted(jnp.round, lambda x: 1.0 + 0 * x)
    (found, *_) = verifier.check(lambda x: passes(x) + rounded(x), np.float64(0.3), surrogate=lambda x: 2 * x).findings
    assert found.rule == "WRONG"
    assert found.blame is None


def test_a_rule_that_closes_over_many_numbers_is_blamed_all_the_same():
    weights = jnp.linspace(0.0, 1.0, 100)
    wrong = planted(lambda x: jnp.sum(jnp.exp(weights * x)), lambda x: jnp.sum(jnp.exp(weights * x)))
    (found, *_) = verifier.check(wrong, np.float64(0.5), programs=("grad",)).findings
    assert found.blame.primitive == "custom_jvp_call"


def test_no_rounding_is_blamed_for_a_wrong_rule():
    """The rule takes and returns too many numbers to be judged by itself."""
    wrong = jax.custom_jvp(lambda x: x**2)
    wrong.defjvp(lambda primals, tangents: (wrong(*primals), 3 * primals[0] * tangents[0]))
    numbers = jnp.linspace(0.0, 1.0, 100)
    f = lambda x: jnp.exp(jnp.sum(wrong(x * numbers)))  # noqa: E731
    (found, *_) = verifier.check(f, np.float64(0.3), programs=("grad",)).findings
    assert found.rule == "WRONG"
    assert found.blame is None


def test_a_backward_rule_that_returns_a_narrower_dtype():
    """JAX passes it on, so that the gradient of a float32 input has 8 bits."""

    @jax.custom_vjp
    def f(x):
        return jnp.sum(jnp.sin(x))

    f.defvjp(lambda x: (f(x), x), lambda x, g: ((g * jnp.cos(x)).astype(jnp.bfloat16),))
    result = verifier.check(f, np.array([0.1, 0.7], dtype=np.float32))
    assert {(each.rule, each.number, each.dtype) for each in result.findings} == {("RIGHT", "LOSSY", "float32")}
    assert "bfloat16, where float32 is due" in str(result.findings[0].blame)
    assert len(result.findings) == len(result.verdicts) == 4
