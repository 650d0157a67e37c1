"""Equality and order by cases: what is proved, and what must never be."""

from __future__ import annotations

from itertools import product

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Abs, Eq, Max, Min, Ne, Piecewise, exp, log, sign, sin

from verifier.symbolic.cases import equal_by_cases, equal_everywhere, ordered_everywhere
from verifier.symbolic.kernels import differentiate

x, y, r = sympy.symbols("x y r", real=True)


def where(condition, a, b):
    return Piecewise((a, condition), (b, True))


@pytest.mark.parametrize(
    ("primal", "program"),
    [
        (Max(x, 0), where(x > 0, 1, 0)),
        (Max(x, 0), where(x >= 0, 1, 0)),
        (x * Abs(x), 2 * Abs(x)),
        (Abs(x), x / Abs(x)),
        (Abs(x - 1) + Abs(x + 2), sign(x - 1) + sign(x + 2)),
        (Max(x, y), where(Eq(x, Max(x, y)), where(Eq(y, Max(x, y)), sympy.S.Half, 1), 0)),
        (where(x > 0, sin(x), x**2), where(x > 0, sympy.cos(x), 2 * x)),
        (Max(x, 0) + log(1 + exp(-Abs(x))), 1 / (1 + exp(-x))),
        (Min(6, Max(x, 0)), where((x > 0) & (x < 6), 1, 0)),
        (x**3, where(x > 3, 3 * x**2, 3 * x**2)),
        (where(x > r, x, r), where(x > r, 1, 0)),
        (Max(x, y) * y, where(x > y, y, where(Eq(x, y), y / 2, 0))),
    ],
)
def test_right_programs_are_proved(primal, program):
    assert equal_by_cases(program, differentiate(primal, x))


@pytest.mark.parametrize(
    ("primal", "program"),
    [
        (x**2, where(x > 3, 3 * x, 2 * x)),  # wrong beyond 3
        (x**2, where(Eq(x, 3), 7, 2 * x)),  # wrong at one point, where the function is smooth
        (x**2, where(Ne(x, 3), 2 * x, 5)),
        (x * Abs(x), where(Eq(x, 0), 1, 2 * Abs(x))),  # smooth at 0, too
        (Max(x, 0), where(x > 0, 1, sympy.Rational(1, 2**30))),
        (Max(x, 0), where(x > 1, 1, 0)),
        (Abs(x), sympy.S.One),
        (Abs(x), where(x < -(10**6), 1, sign(x))),
        (sin(x), -sympy.cos(x)),
        (sin(x), sympy.cos(x) * (1 + sympy.Rational(1, 2**20))),
        (log(x), 1 / x + sympy.Rational(1, 10**10)),
        (sympy.erf(x), r * exp(-(x**2))),  # a rounded constant
        (Max(x, y), where(x > y, 1, 1)),
        (Max(x, y) * y, where(x > y, y, where(Eq(x, y), y / 2 + 1, 0))),  # smooth at (0, 0), and 0 there
        (where(Eq(x, 0), 1, sin(x) / x), where(Eq(x, 0), 5, sympy.cos(x) / x - sin(x) / x**2)),
    ],
)
def test_wrong_programs_are_never_proved(primal, program):
    assert not equal_by_cases(program, differentiate(primal, x))


def test_a_large_power_is_not_expanded():
    assert not equal_by_cases((1 + x + y) ** 64, (1 + x + y) ** 63 * (1 + x + 2 * y))


SEVENTH = sympy.Rational(1, 7)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (Max(x, y) + Min(x, y), x + y),
        (Max(x, y), (x + y + Abs(x - y)) / 2),
        (where(x < 0, -x, x), Abs(x)),
        (sign(x) ** 2, where(Eq(x, 0), 0, 1)),
        (where(x**2 + y**2 < 1, 1, 0) + where(x**2 + y**2 >= 1, 1, 0), sympy.S.One),
        (differentiate(x * Abs(x), x), 2 * Abs(x)),
        (where(x > 0, 1, 0), differentiate(Max(x, 0), x)),
        (differentiate(log(Abs(x)), x), 1 / x),
        (log(x**2), 2 * log(Abs(x))),
        (sign(x**3) * Abs(x**3) ** sympy.Rational(1, 3), x),
        (log(exp(x) + exp(y)), Max(x, y) + log(1 + exp(-Abs(x - y)))),
    ],
)
def test_formulas_of_pieces_are_proved_equal(left, right):
    assert equal_everywhere(left, right)
    assert equal_everywhere(right, left)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (where(Eq(x, SEVENTH), 5, 0), sympy.S.Zero),  # at one point
        (where(x < SEVENTH, 1, 0), where(x <= SEVENTH, 1, 0)),
        (where(Eq(x**2 + y**2, 1), 5, 0), sympy.S.Zero),  # on a circle
        (where(x**2 + y**2 < 1, 1, 0), where(x**2 + y**2 <= 1, 1, 0)),
        (Abs(sign(x)), sympy.S.One),
        (differentiate(x * Abs(x), x) + where(Eq(x, 0), 5, 0), 2 * Abs(x)),  # the derivative exists at 0
        # both kinks are at 0 and cancel: the limits from both sides are 0
        (differentiate(Abs(x**3 + x) - Abs(x) * (x**2 + 1), x), where(Eq(x, 0), 5, 0)),
        # f(x, 1) = x, which limits from above and below do not tell
        (differentiate(where(x * (y - 1) < 0, 0, where(x * (y - 1) > 0, 0, x)), x), sympy.S.Zero),
        (x + y, x + y),  # nothing to do here
    ],
)
def test_formulas_that_differ_on_a_boundary_are_never_proved_equal(left, right):
    assert not equal_everywhere(left, right)
    assert not equal_everywhere(right, left)


z = sympy.Symbol("z", real=True)

ORDERED = [
    ("ge", Max(x, 0), x),
    ("gt", Max(x, 0) + 1, x),
    ("le", Min(x, y), Max(x, y)),
    ("ge", Max(x, y, z), (x + y + z) / 3),
    ("le", Abs(x + y + z), Abs(x) + Abs(y) + Abs(z)),
    ("le", Abs(x - z), Abs(x - y) + Abs(y - z)),
    ("le", Abs(Abs(x) - Abs(y)), Abs(x - y)),
    ("ge", Abs(x) + 1 / (1 + Abs(x)), sympy.S.One),
    ("le", Abs(x), (1 + x**2) / 2),
    ("le", sign(x), sympy.S.One),
    ("ne", Abs(x) + 1, sympy.S.Zero),
    ("ge", where(x > 0, x, x / 10), x),
]


@pytest.mark.parametrize(("relation", "left", "right"), ORDERED)
def test_orders_of_pieces_are_proved(relation, left, right):
    assert ordered_everywhere(relation, left, right)
    turned = {"le": "ge", "ge": "le", "lt": "gt", "gt": "lt", "ne": "ne"}[relation]
    assert ordered_everywhere(turned, right, left)


@pytest.mark.parametrize(
    ("relation", "left", "right"),
    [
        *(
            (relation, left, right + step)
            for relation, left, right in ORDERED
            for step in [{"le": -2, "lt": -2}.get(relation, 2)]
            if relation != "ne"
        ),
        ("gt", Max(x, 0), x),
        ("lt", sign(x), sympy.S.One),
        ("ne", Abs(x), sympy.S.Zero),
        ("le", where(Eq(x, SEVENTH), 5, 0), sympy.S.Zero),  # at one point
        ("le", where(Eq(x**2 + y**2, 1), 5, 0), sympy.S.Zero),  # on a circle
        ("lt", where(x < SEVENTH, 0, where(x > SEVENTH, 0, 1)), sympy.S.One),
        ("ge", Max(x, y), Abs(x)),
        ("le", Abs(x + y), Abs(x) + y),
        ("ge", differentiate(Max(x, 0), x), sympy.S.Zero),  # none at 0
        ("le", x, x),  # nothing to do here
    ],
)
def test_orders_that_fail_somewhere_are_never_proved(relation, left, right):
    assert not ordered_everywhere(relation, left, right)


lines = st.builds(lambda a, b, c: a * x + b * y + c, *3 * [st.integers(-2, 2)])
pieces = st.recursive(
    lines,
    lambda inner: st.one_of(
        st.builds(Max, inner, inner),
        st.builds(Min, inner, inner),
        st.builds(Abs, inner),
        st.builds(lambda a, b, c: where(a > 0, b, c), lines, inner, inner),
        st.builds(lambda a, b, c: where(Eq(a, 0), b, c), lines, inner, inner),
        st.builds(lambda a, b: a + b, inner, inner),
    ),
    max_leaves=4,
)


@settings(max_examples=50, deadline=None)
@given(pieces, pieces, st.sampled_from(["le", "lt", "ne"]))
def test_what_is_proved_holds_on_a_grid(left, right, relation):
    if not ordered_everywhere(relation, left, right):
        return
    for place in product([sympy.Rational(n, 2) for n in range(-6, 7)], repeat=2):
        one, other = (sympy.sympify(each).subs(dict(zip((x, y), place, strict=True))) for each in (left, right))
        assert {"le": one <= other, "lt": one < other, "ne": one != other}[relation], place
