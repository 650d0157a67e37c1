"""Functions declared by an equation: judged against its solution, not against the steps of a solver."""

from __future__ import annotations

import jax
import numpy as np
import pytest

import verifier
from verifier.errors import UsageError


def solver(sign, steps):
    """The square root by Newton's iteration, with the rule of the equation (or its negative)."""

    @jax.custom_jvp
    def f(a):
        x = a
        for _ in range(steps):
            x = 0.5 * (x + a / x)
        return x

    f.defjvp(lambda p, t: (f(p[0]), sign * t[0] / (2 * f(p[0]))))
    return f


def test_the_rule_of_the_equation_passes():
    result = verifier.check(solver(1, 6), np.float64(2), defines="y**2 - a = 0", orders=(1, 2))
    assert result.ok, str(result)


def test_the_same_rule_is_wrong_for_few_steps_followed_one_by_one():
    assert not verifier.check(solver(1, 3), np.float64(2)).ok


def test_a_wrong_rule_is_found():
    result = verifier.check(solver(-1, 6), np.float64(2), defines="y**2 = a")
    assert {each.rule for each in result.findings} == {"WRONG"}
    assert {each.order for each in result.findings} == {1}


def test_the_residual_belongs_to_the_value():
    result = verifier.check(solver(1, 2), np.float64(2), defines="y**2 = a", programs=("grad",))
    assert any(each.order == 0 for each in result.findings)


@pytest.mark.parametrize("equation", ["a = 0", "y*z = a"])
def test_the_name_of_the_value_has_to_be_clear(equation):
    with pytest.raises(UsageError):
        verifier.check(solver(1, 6), np.float64(2), defines=equation)
