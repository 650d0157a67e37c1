"""The germ route: one-sided derivatives of a formula along a line, without any derivative rule."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from flint import arb
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.arithmetic.elements import Unknown, as_fraction, is_finite, lower, upper
from verifier.symbolic.build import Definitions
from verifier.symbolic.formula import parse
from verifier.truth.one_sided import LineGerm, Sides, disjoint


def line(text, place, direction, data=None) -> LineGerm:
    place, direction, data = (
        {name: np.array(value, dtype=object) for name, value in (each or {}).items()}
        for each in (place, direction, data)
    )
    inputs = tuple((name, value.shape) for name, value in place.items())
    given = tuple((name, value.shape) for name, value in data.items())
    node = Definitions(inputs, given, (), parse(text)).nodes["value"]
    return LineGerm(node, data, place, direction)


def sides(text, order, x=Fraction(0), **data) -> Sides:
    return line(text, {"x": x}, {"x": 1}, data).derivatives(order)[0]


def near(element, number, accuracy=Fraction(1, 2**50)) -> bool:
    return (
        abs(as_fraction(lower(element)) - number) <= accuracy and abs(as_fraction(upper(element)) - number) <= accuracy
    )


@pytest.mark.parametrize(
    ("text", "order", "left", "right"),
    [
        ("relu(x)", 1, 0, 1),
        ("max(0, x)", 1, 0, 1),
        ("abs(x)", 1, -1, 1),
        ("sqrt(x*x)", 1, -1, 1),
        ("x*abs(x)", 2, -2, 2),
        ("relu(x) - relu(-x)", 1, 1, 1),
        ("where(x == 0, 1, sin(x)/x)", 0, 1, 1),
        ("where(x == 0, 1, sin(x)/x)", 2, Fraction(-1, 3), Fraction(-1, 3)),
        ("where(x == 0, 5, x)", 0, 0, 0),
        ("(sin(x**3) - x**3)/x**9", 0, Fraction(-1, 6), Fraction(-1, 6)),
        ("sign(x)", 0, -1, 1),
    ],
)
def test_the_sides_of_what_is_not_smooth(text, order, left, right):
    found = sides(text, order)
    assert near(found.left, left)
    assert near(found.right, right)
    assert found.agree() == (left == right)


def test_a_pole_has_no_finite_side():
    assert not sides("1/x", 1).finite()
    assert not sides("1/x", 1).agree()
    assert not sides("sqrt(x)", 1).finite()


def test_data_and_direction_enter():
    germ = line("m @ v", {"v": [Fraction(1), Fraction(2)]}, {"v": [1, -1]}, {"m": [[2, 3], [5, 7]]})
    slopes = [(each.left, each.right) for each in germ.derivatives(1)]
    assert all(near(a, exact) and near(b, exact) for (a, b), exact in zip(slopes, (-1, -2), strict=True))
    assert len(germ.derivatives(1, components=1)) == 1


@settings(deadline=None, max_examples=20)
@given(
    st.lists(st.integers(-9, 9), min_size=1, max_size=5),
    st.fractions(min_value=-3, max_value=3, max_denominator=32),
    st.integers(-3, 3).filter(bool),
)
def test_a_polynomial_along_a_line_has_its_derivatives(coefficients, x, along):
    """Law: d^k/dt^k p(x + at) = a^k p^(k)(x), from both sides."""
    text = " + ".join(f"({c})*x**{i}" if i else f"({c}) + 0*x" for i, c in enumerate(coefficients))
    germ = line(text, {"x": x}, {"x": along})
    for order in (0, 1, 2):
        exact = along**order * sum(
            c * i ** min(order, 1) * (i - 1 if order == 2 else 1) * x ** (i - order)
            for i, c in enumerate(coefficients)
            if i >= order
        )
        (found,) = germ.derivatives(order)
        assert near(found.left, exact, Fraction(1, 2**40))
        assert near(found.right, exact, Fraction(1, 2**40))


def test_sides_add_side_by_side():
    one, two = Sides(arb(0), arb(1)), Sides(arb(2), arb(5))
    assert [(each.left, each.right) for each in (one + two, one - two, -one, one + arb(1), arb(1) + one)] == [
        (2, 6),
        (-2, -4),
        (0, -1),
        (1, 2),
        (1, 2),
    ]


def test_sides_with_an_unknown_are_unknown():
    unknown = Unknown("lost")
    one = Sides(arb(0), arb(1))
    for total in (one + unknown, unknown + one, one - unknown, unknown - one):
        assert total == unknown


def test_enclosures_are_disjoint_only_where_both_are_known():
    assert disjoint(arb(1), arb(2))
    assert not disjoint(arb(1, 0.75), arb(2, 0.75))
    assert not disjoint(arb(1), Unknown("lost"))
    assert is_finite(arb(1))
