"""LaTeX: what is shown is what is written, and every piece of it typesets as MathML."""

from __future__ import annotations

import latex2mathml.converter
import pytest

from verifier.symbolic.display import derivative_latex, formula_latex, local_derivatives, name_latex, whole_expression
from verifier.symbolic.formula import parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("w*pA + (1 - w)*pB", r"w \, p_{A} + \left(1 - w\right) \, p_{B}"),
        ("x**2 + 3*x*y", r"x^{2} + 3 x \, y"),
        ("a/(b + c)", r"\frac{a}{b + c}"),
        ("a - (b - c)", r"a - \left(b - c\right)"),
        ("a*(b/c)", r"a \, \frac{b}{c}"),
        ("2*3**x", r"2 \cdot 3^{x}"),
        ("-x**2", r"-x^{2}"),
        ("(-x)**2", r"\left(-x\right)^{2}"),
        ("(a/b)**2", r"\left(\frac{a}{b}\right)^{2}"),
        ("tanh(x)**2", r"\tanh^{2}\left(x\right)"),
        ("1e-3*x", r"10^{-3} x"),
        ("sqrt(x) + exp(-x)", r"\sqrt{x} + e^{-x}"),
        ("v[0] + m[1, 2:]", r"v_{0} + m_{1,2:}"),
        ("D(value, x, x)", r"\frac{\partial^{2} \mathrm{value}}{\partial x^{2}}"),
        ("D(x*y, x, y)", r"\frac{\partial^{2}}{\partial x \, \partial y} \left(x \, y\right)"),
        ("[x, y]", r"\begin{bmatrix} x \\ y \end{bmatrix}"),
        ("transpose(m) @ v", r"m^{\mathsf{T}} \, v"),
        ("a < b and b <= c", r"a < b \land b \le c"),
        ("sum(v, axis=0)", r"\operatorname{sum}_{\mathrm{axis}=0}\left(v\right)"),
    ],
)
def test_formulas_are_shown_as_written(text, expected):
    latex = formula_latex(parse(text))
    assert latex == expected
    latex2mathml.converter.convert(latex)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("w1", "w_{1}"),
        ("x_data", r"x_{\mathrm{data}}"),
        ("omega", r"\omega"),
        ("layer2", r"\mathrm{layer}_{2}"),
        ("params.w_1", r"\mathrm{params}.w_{1}"),
    ],
)
def test_names_are_shown_as_people_write_them(name, expected):
    assert name_latex(name) == expected


def test_local_derivatives_of_the_chain(define):
    definitions = define("layer1**2", {"x": ()}, lets={"layer1": "tanh(x)"})
    found = [(each.definition, each.wrt, each.latex.split(" = ")[1]) for each in local_derivatives(definitions)]
    assert found == [
        ("layer1", "x", r"1 - \tanh^{2}{\left(x \right)}"),
        ("value", "layer1", r"2 \mathrm{layer}_{1}"),
    ]


def test_local_derivatives_of_arrays_are_elementwise(define):
    definitions = define(
        "mean((p - y)**2)", {"w": (2, 1)}, lets={"h": "max(0, u @ w)", "p": "h*2"}, data={"u": (5, 2), "y": (5, 1)}
    )
    found = {(each.definition, each.wrt) for each in local_derivatives(definitions)}
    assert found == {("h", "u @ w"), ("p", "h"), ("value", "p")}
    for each in local_derivatives(definitions):
        latex2mathml.converter.convert(each.latex)


def test_derivatives_per_component(define):
    definitions = define("v[0]**3 + v[0]*v[1]**2 + v[1]**3", {"v": (2,)})
    assert derivative_latex(definitions, 1) == ("3 v_{0}^{2} + v_{1}^{2}", "2 v_{0} v_{1} + 3 v_{1}^{2}")
    assert derivative_latex(definitions, 2) == ("6 v_{0}", "2 v_{1}", "2 v_{1}", "2 v_{0} + 6 v_{1}")


def test_what_is_large_is_not_shown(define):
    lets = {f"y{place}": f"sin(y{place - 1}) + cos(y{place - 1})" if place else "sin(x)" for place in range(40)}
    definitions = define("y39", {"x": ()}, lets=lets)
    assert whole_expression(definitions) is None
    assert derivative_latex(definitions, 1) == ()
