"""Special functions whose arguments vary together, against mpmath's derivatives along the same line."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import pytest

from verifier.arithmetic.analytic import ANALYTIC
from verifier.arithmetic.elements import Unknown
from verifier.arithmetic.germ import GermSystem
from verifier.arithmetic.one_sided import derivative

THIRD = Fraction(1, 3)
LINES = {
    "igamma": ((Fraction(1, 2), 2), lambda a, x: mpmath.gammainc(a, 0, x, regularized=True)),
    "igammac": ((2, 40), lambda a, x: mpmath.gammainc(a, x, mpmath.inf, regularized=True)),
    "betainc": ((2, 3, Fraction(1, 2)), lambda a, b, x: mpmath.betainc(a, b, 0, x, regularized=True)),
    "zeta": ((2, 1), mpmath.zeta),
    "besselj": ((2, 3), mpmath.besselj),
    "bessely": ((Fraction(5, 2), 3), mpmath.bessely),
    "besseli": ((2, 3), mpmath.besseli),
    "besselk": ((2, 3), mpmath.besselk),
}


def along(name, place, bits=192):
    """The germ along (1, 1/3, 1/3): every argument moves."""
    system = GermSystem(bits, 5)
    return system.apply(name, *(system.variable(x, THIRD if i else 1) for i, x in enumerate(place)))


@pytest.mark.parametrize("name", LINES)
def test_derivatives_along_a_line(name):
    place, function = LINES[name]
    germ = along(name, place)
    with mpmath.workdps(60):
        start = [mpmath.mpf(Fraction(x).numerator) / Fraction(x).denominator for x in place]

        def line(t):
            return function(*(x + (t / 3 if i else t) for i, x in enumerate(start)))

        for order in range(3):
            wanted = mpmath.diff(line, 0, order, h=mpmath.mpf(10) ** -15)
            found = derivative(germ, order)
            assert abs(float(found) - float(wanted)) <= 1e-14 * abs(float(wanted))
            assert found.rel_accuracy_bits() > 100


def test_every_function_of_the_table_is_tried():
    assert set(LINES) == set(ANALYTIC)


def test_the_ball_holds_the_value_of_more_bits():
    for order in range(4):
        coarse, fine = (derivative(along("igamma", (3, 2), bits), order) for bits in (96, 512))
        assert coarse.overlaps(fine)
        assert coarse.rad() > fine.rad()


@pytest.mark.parametrize(("name", "place"), [("igamma", (1, 0)), ("betainc", (2, 3, 1)), ("zeta", (1, 2))])
def test_where_it_is_not_analytic_nothing_is_said(name, place):
    assert isinstance(along(name, place), Unknown)


def test_a_large_shape_asks_for_more_bits():
    lost = along("igamma", (1000, 900), 128)
    assert isinstance(lost, Unknown)
    assert lost.remedy == "bits"
    assert not isinstance(along("igamma", (1000, 900), 2048), Unknown)
