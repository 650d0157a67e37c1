"""Evaluation: exact where the number system is, as the formula is written, in balls as in any other system."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import numpy as np
import pytest

from verifier.arithmetic.ball import BallSystem
from verifier.arithmetic.elements import NAN, Unknown
from verifier.symbolic.derivative import derivative
from verifier.symbolic.evaluate import evaluate

X = Fraction(3, 8)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.1 + 0.2", "0.3"),
        ("x**-2", "64/9"),
        ("(1 - x)/(2*x)", "5/6"),
        ("sum(range(1001))", "500500"),
        ("argmax([x, 2, x**2, 2])", "1"),
        ("argmin([x, 2, x**2, 2])", "2"),
        ("count([x, 1, 2] >= 1)", "2"),
        ("var([1, 2, 4, 9])", "38/4"),
        ("norm([3, 4*x/x])", "5"),
        ("prod([x, 2, 3, 4, 5])", "45"),
        ("max(range(7) - 3*x) - min([2, x])", "36/8"),
        ("outer([1, 2], [3, x])[1, 1]", "3/4"),
        ("[[1, 2], [3, 4]] @ [x, 1] @ [1, 0]", "19/8"),
        ("dot([1, 2, 3], [x, 1, 1])", "43/8"),
        ("transpose([[1, 2], [3, 4]])[0, 1]", "3"),
        ("reshape(range(6), 2, 3)[-1, ::-1][0]", "5"),
        ("where(x < 1 and not (x == 0.375), 1, 2)", "2"),
        ("where(any([x, 1] > 1) or all([x, 1] > 0), 1, 2)", "1"),
        ("size([[1, 2], [3, 4]])", "4"),
        ("D(x**3, x, n=2)", "18/8"),
    ],
)
def test_rational_formulas_are_exact(define, values, text, expected):
    found = values(define(text, {"x": ()}).nodes["value"], {"x": float(X)})
    with mpmath.workdps(60):
        assert (
            abs(found - mpmath.mpf(Fraction(expected).numerator) / Fraction(expected).denominator)
            < mpmath.mpf(10) ** -58
        )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("relu(x) + sigmoid(x) + softplus(x) + silu(x)", "x + 1/(1 + exp(-x)) + log(1 + exp(x)) + x/(1 + exp(-x))"),
        ("gelu(x)", "x*(1 + erf(x/sqrt(2)))/2"),
        ("cbrt(-x)", "-x**(mpf(1)/3)"),
        ("log1p(x) + expm1(x) + log2(x) + log10(x) + exp2(x)", "log(1 + x) + exp(x) - 1 + log(x, 2) + log10(x) + 2**x"),
        ("lgamma(x) + digamma(x) + gamma(x)", "loggamma(x) + digamma(x) + gamma(x)"),
        ("besselj(2, x) + besseli(0, x)", "besselj(2, x) + besseli(0, x)"),
        ("sinc(x)", "sin(pi*x)/(pi*x)"),
        ("erf(x) + erfc(x) + erfinv(x)", "1 + erfinv(x)"),
        ("logsumexp([x, 1]) + logaddexp(x, 1)", "2*log(exp(x) + exp(1))"),
        ("softmax([x, 1])[0]", "exp(x)/(exp(x) + exp(1))"),
        ("atan2(x, 2) + asinh(x) + acosh(1 + x) + atanh(x)", "atan2(x, 2) + asinh(x) + acosh(1 + x) + atanh(x)"),
        ("floor(5*x) + ceil(5*x) + sign(x) + abs(-x) + square(x)", "1 + 2 + 1 + x + x**2"),
        ("e**x + pi", "exp(x) + pi"),
    ],
)
def test_functions_mean_what_the_table_says(define, text, expected):
    ball = evaluate([define(text, {"x": ()}).nodes["value"]], {"x": BallSystem(256).exact(X)}, BallSystem(256))[
        0
    ].item()
    with mpmath.workdps(60):
        names = {name: getattr(mpmath, name) for name in dir(mpmath) if not name.startswith("_")}
        true = eval(expected, names | {"x": mpmath.mpf(3) / 8})  # the test's own text
        assert abs(mpmath.mpf(ball.mid().str(60, radius=False)) - true) < mpmath.mpf(10) ** -50


def test_a_formula_keeps_its_domain(define):
    system = BallSystem(128)
    for text in ("exp(log(x))", "sqrt(x)*sqrt(x)", "sqrt(x)**2", "log(x) - log(x)"):
        assert evaluate([define(text, {"x": ()}).nodes["value"]], {"x": system.exact(-1)}, system)[0].item() is NAN


@pytest.mark.parametrize("text", ["relu(x)", "abs(x)", "sign(x)", "floor(x)", "where(x == 0, 1, x)", "max([x, -x])"])
def test_a_kink_is_unknown_in_balls(define, text):
    system, definitions = BallSystem(128), define(text, {"x": ()})
    node = derivative(definitions.nodes["value"], definitions.leaves, 1)
    assert isinstance(evaluate([node], {"x": system.exact(0)}, system)[0].item(), Unknown)


def test_an_untaken_branch_is_discarded(define):
    system = BallSystem(128)
    node = define("where(x > 0, log(x), x)", {"x": ()}).nodes["value"]
    assert evaluate([node], {"x": system.exact(-1)}, system)[0].item() == -1


def test_undecided_truth_values_are_three_valued(define):
    system = BallSystem(64)
    wide = evaluate([define("sin(x) - sin(x + 0)", {"x": ()}).nodes["value"]], {"x": system.exact(1)}, system)[0].item()
    nodes = [
        define(text, {"x": ()}).nodes["value"] for text in ("x > 0", "x > 0 and 1 > 2", "x > 0 or 1 < 2", "not (x > 0)")
    ]
    found = [each.item() for each in evaluate(nodes, {"x": wide}, system)]
    assert found == [None, False, True, None] or wide == 0


def test_a_leaf_of_the_wrong_shape_is_refused(define, digits):
    with pytest.raises(ValueError, match="shape"):
        evaluate([define("sum(v)", {"v": (3,)}).nodes["value"]], {"v": np.array([1, 2], dtype=object)}, digits)
