"""Local derivatives: SymPy's where it is right, ours where it would lose a kink, a jump or a domain."""

from __future__ import annotations

import pytest
import sympy

from verifier.errors import FormulaError
from verifier.symbolic.formula import Apply, Name, Number, parse
from verifier.symbolic.functions import FUNCTIONS
from verifier.symbolic.kernels import Sides, applied, differentiate, rational, slot

a, b = slot(0), slot(1)


def kernel(text):
    match formula := parse(text) if isinstance(text, str) else text:
        case Name():
            return {"a": a, "b": b}[formula.name]
        case Number():
            return rational(formula.value)
        case Apply():
            return applied(formula.function, [kernel(each) for each in formula.arguments])


@pytest.mark.parametrize(
    "text", ["exp(log(a))", "sqrt(a)*sqrt(a)", "sqrt(a)**2", "sin(asin(a))", "log(a) - log(a)", "a/a"]
)
def test_a_kernel_is_not_simplified(text):
    assert kernel(text) not in (a, sympy.S.Zero, sympy.S.One)


@pytest.mark.parametrize("name", [row.name for row in FUNCTIONS.values() if row.sympy and row.kind == "number"])
def test_every_function_has_a_closed_derivative(name):
    row = FUNCTIONS[name]
    operands = (
        [sympy.Gt(a, b), a, b]
        if name == "where"
        else [sympy.Integer(2), a]
        if name in ("besselj", "besseli", "polygamma")
        else [a, b]
    )
    result = differentiate(applied(name, operands[-row.arity[0] :] if row.arity[0] > 1 else [a]), a)
    assert not result.has(sympy.Derivative, sympy.Heaviside, sympy.DiracDelta, sympy.Subs)


def test_an_order_that_moves_has_no_closed_derivative():
    with pytest.raises(FormulaError, match="no closed form"):
        differentiate(applied("besselj", [a, b]), a)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("max(a, b)", Sides(a > b, a < b, 1, 0)),
        ("min(a, b)", Sides(a < b, a > b, 1, 0)),
        ("abs(a)", Sides(a > 0, a < 0, 1, -1)),
        ("sign(a)", Sides(a > 0, a < 0, 0, 0)),
        ("where(a > b, a**2, b)", Sides(a > b, a < b, 2 * a, 0)),
        ("where(a >= b, a**2, b)", Sides(a > b, a < b, 2 * a, 0)),
        ("where(a == b, a**2, b)", Sides(sympy.false, sympy.Ne(a, b), 2 * a, 0)),
        ("where(not (a > 0 and a < b), a, b)", Sides((a < 0) | (a > b), (a > 0) & (a < b), 1, 0)),
        ("where(b > 0, a, b)", sympy.Piecewise((1, b > 0), (0, True))),
        ("a**b", b * a ** (b - 1)),
        ("exp(abs(a))", sympy.exp(sympy.Abs(a)) * Sides(a > 0, a < 0, 1, -1)),
    ],
)
def test_kinks_are_decided_on_either_side_only(text, expected):
    assert differentiate(kernel(text), a) == expected


def test_both_arguments_of_a_power():
    assert sympy.simplify(differentiate(kernel("a**b"), b) - sympy.log(a) * a**b) == 0


def test_sides_are_closed_under_differentiation():
    assert differentiate(differentiate(kernel("max(a**3, b)"), a), a) == Sides(b > a**3, b < a**3, 0, 6 * a)


def test_a_power_of_a_choice_is_shown() -> None:
    x = sympy.Symbol("x", real=True)
    shown = sympy.latex(Sides(x > 0, x < 0, 1, -1) ** 2)
    assert shown.startswith(r"\left(\begin{cases}")
    assert shown.endswith(r"\end{cases}\right)^{2}")


@pytest.mark.parametrize(
    "kernel",
    [
        applied("max", [slot(0), applied("div", [rational(1), rational(0)])]),
        applied("pow", [applied("log", [rational(0)]), slot(0)]),
    ],
    ids=str,
)
def test_what_sympy_cannot_differentiate_is_refused_in_our_words(kernel):
    with pytest.raises(FormulaError, match="as 1/0 has none"):
        differentiate(kernel, slot(0))
