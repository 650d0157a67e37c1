"""The number system of formulas."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy

from verifier.arithmetic.elements import NAN, NEG_INF, POS_INF, Unknown
from verifier.errors import UsageError
from verifier.symbolic.symbol import TOO_LARGE, Condition, SymbolSystem

x, y = sympy.symbols("x y", real=True)
SYSTEM = SymbolSystem()


@pytest.mark.parametrize(
    ("name", "operands", "expected"),
    [
        ("add", (x, Fraction(1, 2)), x + sympy.Rational(1, 2)),
        ("integer_pow", (x, 3), x**3),
        ("rsqrt", (x,), 1 / sympy.sqrt(x)),
        ("logistic", (x,), 1 / (1 + sympy.exp(-x))),
        ("log1p", (x,), sympy.log(1 + x)),
        ("lgamma", (x,), sympy.loggamma(x)),
        ("max", (x, NEG_INF), x),
        ("min", (POS_INF, x), x),
        ("max", (sympy.S.Zero, NEG_INF), sympy.S.Zero),
    ],
)
def test_operations_are_formulas(name, operands, expected):
    assert SymbolSystem().apply(name, *operands) == expected


def test_a_comparison_is_decided_for_all_inputs_or_a_condition():
    assert SYSTEM.compare("gt", sympy.exp(x), sympy.S.Zero) is True
    assert SYSTEM.compare("ne", x, x) is False
    assert SYSTEM.compare("lt", x, POS_INF) is True
    assert SYSTEM.compare("eq", x, NEG_INF) is False
    assert SYSTEM.compare("eq", NAN, x) is False
    assert SYSTEM.compare("gt", x, y) == Condition(x > y)


@pytest.mark.parametrize("partial", [sympy.log(x), 1 / x, sympy.sqrt(x)])
def test_what_may_be_no_real_number_is_not_compared(partial):
    """isnan(log(x)) is true for some inputs: taking it for false would prove things that are wrong there."""
    assert SYSTEM.compare("ne", partial, partial) is None
    assert SYSTEM.compare("eq", partial, POS_INF) is None
    assert SYSTEM.compare("gt", partial, sympy.S.Zero) is None


def test_a_condition_is_never_taken_for_true():
    with pytest.raises(TypeError):
        bool(Condition(x > 0))


def test_truth_values_combine():
    condition = Condition(x > 0)
    assert SYSTEM.logic("and")(condition, True) == condition
    assert SYSTEM.logic("and")(condition, False) is False
    assert SYSTEM.logic("or")(condition, None) is None
    assert SYSTEM.logic("not")(condition) == Condition(x <= 0)


@pytest.mark.parametrize(
    ("name", "operands"),
    [
        ("add", (x, NAN)),
        ("log", (sympy.Integer(-1),)),
        ("div", (x, sympy.S.Zero)),
        ("integer_pow", (x, 1000)),
        ("gamma", (sympy.Integer(10**9),)),
        ("lgamma", (sympy.Integer(10**9),)),
        ("pow", (sympy.Integer(2), sympy.Integer(10**12))),
        ("mul", (x**40, x**40)),
    ],
)
def test_what_has_no_formula_is_unknown(name, operands):
    assert isinstance(SymbolSystem().apply(name, *operands), Unknown)


def test_size_and_work_are_bounded():
    assert SymbolSystem(limit=3).apply("sin", x + y) == Unknown(TOO_LARGE, "")
    assert SymbolSystem(left=0).apply("sin", x) == Unknown(TOO_LARGE, "")


def test_names_without_a_formula_are_misuse():
    with pytest.raises(UsageError, match="no formula"):
        SYSTEM.operation("betainc")
    with pytest.raises(UsageError):
        SYSTEM.constant("catalan")


def test_a_choice_between_equal_formulas_is_none():
    assert SYSTEM.choose(Condition(x > 0), x, x) == x
    assert SYSTEM.choose(Condition(x > 0), x, y).func is sympy.Piecewise
