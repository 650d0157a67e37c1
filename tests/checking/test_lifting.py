"""Proofs, formulas and the second route in what `check` returns."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import verifier
from verifier.checking import lifting
from verifier.checking.lifting import lifted_program
from verifier.checking.tracing import Tracing
from verifier.execution.dtypes import x64_for
from verifier.model.rule import RuleClass
from verifier.programs.trace import subject, trace


def squared_tanh(x):
    return jnp.tanh(x) ** 2


def test_a_right_rule_is_proved_for_all_x():
    result = verifier.check(squared_tanh, 0.5, programs=["grad/eager"])
    assert result.ok
    assert all(each.proved for each in result.verdicts)
    assert result.lifted == "tanh(x)**2"
    assert "proved for all x" in str(result)
    assert "squared_tanh(x) = tanh(x)**2" in str(result)


def test_the_formula_of_the_derivative_program_is_shown():
    result = verifier.check(lambda x: x**3, 0.5, programs=["grad/eager"])
    assert [each.text for each in result.formulas] == ["x**3", "3*x**2"]
    assert result.formulas[1].of == "grad d/dx"
    assert result.formulas[1].latex == "3 x^{2}"


def test_a_rounded_constant_of_the_rule_stays_right_and_unproved():
    result = verifier.check(jax.scipy.special.erf, 0.5, programs=["grad/eager"])
    rules = [each for each in result.verdicts if each.order]
    assert {each.rule for each in rules} == {RuleClass.RIGHT}
    assert not any(each.proved for each in rules)


def faulty(slope):
    @jax.custom_jvp
    def f(x):
        return jnp.sin(x)

    f.defjvp(lambda primals, tangents: (f(*primals), tangents[0] * slope(*primals)))
    return f


@pytest.mark.parametrize(
    "slope",
    [
        lambda x: jnp.where(x > 3, -jnp.cos(x), jnp.cos(x)),
        lambda x: jnp.where(x == 3, 0.0, jnp.cos(x)),
        lambda x: jnp.cos(x) + jnp.maximum(x - 10, 0),
    ],
    ids=["beyond 3", "at 3", "far away"],
)
def test_a_rule_that_is_wrong_elsewhere_is_right_here_and_not_proved(slope):
    result = verifier.check(faulty(slope), 0.5, programs=["grad/eager"])
    assert {each.rule for each in result.verdicts} == {RuleClass.RIGHT}
    assert not any(each.proved for each in result.verdicts)


def test_several_inputs_are_proved_component_by_component():
    def f(x, y):
        return jnp.maximum(x, y) * y

    result = verifier.check(f, 0.5, 0.25, argnums=(0, 1), programs=["grad/eager"])
    assert result.ok
    assert all(each.proved for each in result.verdicts)


def test_a_frozen_function_is_not_lifted():
    result = verifier.check(lambda x: x * jax.lax.stop_gradient(x), 0.5, programs=["grad/eager"])
    assert not any(each.proved for each in result.verdicts)
    assert not result.conflicts


@pytest.mark.parametrize("x", [-2.0, 0.0])
@pytest.mark.parametrize(
    "function",
    [
        jax.nn.relu,
        jnp.abs,
        jnp.sinc,
        jax.nn.softplus,
        lambda x: jnp.sqrt(x * x),
        lambda x: jnp.where(x == 0, 1.0, jnp.sin(x) / jnp.where(x == 0, 1.0, x)),
        lambda x: jnp.exp(jnp.log(x)),
        lambda x: x**2.5,
    ],
)
def test_the_routes_do_not_contradict_each_other(function, x):
    result = verifier.check(function, x, orders=(1, 2), programs=["grad/eager", "fwd-rev/eager"], undecided="allow")
    assert not result.conflicts


def test_routes_that_exclude_each_other_are_reported_loudly(monkeypatch):
    """Planted in the second route: SymPy's derivative of another function."""
    monkeypatch.setattr(lifting, "derivative", lambda expression, symbols: expression)
    result = verifier.check(jnp.sin, 0.5, programs=["grad/eager"])
    assert not result.ok
    assert "germs give 0.8775" in result.conflicts[0]
    assert str(result).startswith("ORACLE CONFLICT")


def test_programs_of_an_entry():
    with x64_for("float64"):
        tracing = Tracing(subject(lambda x: x**3, (np.float64(0.5),), 0, "float64"), "float64")
        place = tracing.subject.place
        right = trace(jax.grad(lambda x: x**3), place)
        wrong = trace(lambda x: jnp.where(x > 3, 4 * x**2, 3 * x**2), place)
    assert lifted_program(tracing, right.jaxpr, 1) == lifting.LiftedProgram(latex="3 x^{2}", proved=True)
    assert not lifted_program(tracing, wrong.jaxpr, 1).proved
