"""Functions that JAX documents bring their formula: then the value is judged, too (SEMANTICS §10)."""

from __future__ import annotations

import re
import sys

import jax
import jax.numpy as jnp
import pytest
from jax.scipy import special

import verifier

FLOAT64 = {"dtypes": ("float64",), "programs": ("grad/jit",)}


def values(result):
    assert not any(each.order == 0 for each in result.verdicts), "only what was asked for"
    return result.values


@pytest.mark.parametrize(
    ("fn", "arguments", "argnums", "formula"),
    [
        (jax.nn.relu, (0.5,), 0, "max(x, 0)"),
        (jax.nn.selu, (-1.0,), 0, None),
        (jnp.sinc, (0.5,), 0, "where(x == 0, 1, sin(pi*x)/(pi*x))"),
        (jnp.power, (2.0, 3), 0, "x**y"),
        (jnp.power, (2.0, 1.5), 1, "x**y"),
        (jnp.logaddexp, (1.0, -2.0), (0, 1), "log(exp(x) + exp(y))"),
        (special.polygamma, (1, 2.5), 1, "polygamma(1, x)"),
        (special.gammainc, (2.0, 1.5), 1, "1 - (1 + x)*exp(-x)"),
    ],
)
def test_the_value_is_judged_against_the_catalogs_formula(fn, arguments, argnums, formula) -> None:
    result = verifier.check(fn, *arguments, argnums=argnums, **FLOAT64)
    assert result.ok
    assert result.formula == (formula or result.formula)
    assert {(each.rule, each.fails) for each in values(result)} == {("RIGHT", False)}
    assert f"its value is judged against {result.formula}" in str(result)


def planted(x):
    """A function that is no sigmoid, in a place where the catalog names one."""
    return 1 / (1 + jnp.exp(-1.0000001 * x))


def test_a_function_that_computes_something_else_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planted, "__module__", "jax.nn")
    monkeypatch.setattr(jax.nn, "sigmoid", planted)
    result = verifier.check(planted, 1.5, **FLOAT64)
    assert {(each.rule, each.fails) for each in values(result)} == {("WRONG", True)}
    assert {each.rule for each in result.verdicts if each.order} == {"RIGHT"}


def test_a_value_of_jax_that_is_wrong_is_found() -> None:
    # betaln of JAX 0.10.2 and 0.12 agrees with log B(10, 1) to eight digits only.
    result = verifier.check(special.betaln, 10.0, 1.0, **FLOAT64)
    assert {(each.rule, each.number) for each in values(result)} <= {
        ("INEXACT", "LOSSY"),
        ("WRONG", "FAULTY"),
        ("WRONG", "LOSSY"),
    }


def relu(x):
    return jnp.maximum(x, 0)


@pytest.mark.parametrize(
    ("fn", "arguments", "argnums"),
    [
        (relu, (0.5,), 0),
        (lambda x: jax.nn.relu(x), (0.5,), 0),
        (jax.nn.relu, (jnp.array([0.5, 1.0]),), 0),
        (special.polygamma, (7, 2.5), 1),
        (special.gammainc, (2.0, 1.5), (0, 1)),
        (jax.nn.leaky_relu, (0.5, 0.1), 0),
        (jax.nn.logsumexp, (jnp.array([0.5, 1.0, 2.0]),), 0),
    ],
)
def test_what_is_not_known_is_judged_against_its_own_primal(fn, arguments, argnums) -> None:
    options = FLOAT64 | {"programs": ("jacrev/jit",)}  # for a result of any shape
    result = verifier.check(fn, *arguments, argnums=argnums, undecided="allow", **options)
    assert result.verdicts
    assert result.formula == ""
    assert not values(result)
    assert "its rules against its own primal" in str(result)


def test_right_is_said_to_be_against_its_own_primal() -> None:
    alone = str(verifier.check(lambda x: jax.nn.sigmoid(x), 40.0, **FLOAT64))
    known = str(verifier.check(jax.nn.sigmoid, 40.0, **FLOAT64))
    assert re.search(r"rule +RIGHT.*  against its own primal", alone)
    assert "own primal" not in known


def test_beyond_the_entrys_domain_nothing_is_said() -> None:
    result = verifier.check(jax.nn.relu, 1e6, **FLOAT64)
    assert result.ok
    assert not values(result)
    assert "not judged: the value: the catalog's formula is not stated for this point" in str(result)


def test_an_argument_that_stays_lies_in_the_domain_too() -> None:
    assert verifier.check(jnp.power, -2.0, 3.0, argnums=1, undecided="allow", **FLOAT64).formula == ""


def test_the_users_own_words_come_first() -> None:
    assert verifier.check(jax.nn.relu, 0.5, formula="x", **FLOAT64).formula == "x"
    told = verifier.check(jax.nn.relu, 0.5, surrogate=lambda x: x, **FLOAT64)
    assert told.formula is None
    assert "own primal" not in str(told)


def test_nothing_is_imported_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    fn = special.entr
    monkeypatch.delitem(sys.modules, "jax.scipy.special")
    assert verifier.check(fn, 0.5, **FLOAT64).formula == ""
    assert "jax.scipy.special" not in sys.modules
