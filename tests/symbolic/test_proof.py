"""Proofs: what is equal is proved, what differs is refuted or left open, and nothing large is tried."""

from __future__ import annotations

import pytest
import sympy

from verifier.symbolic.proof import limit, prove_equal, prove_order, quotient

x, y = sympy.symbols("x y", real=True)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((x + y) ** 3, x**3 + 3 * x**2 * y + 3 * x * y**2 + y**3),
        (1 - sympy.tanh(x) ** 2, 1 / sympy.cosh(x) ** 2),
        (2 * sympy.tanh(x) * (1 - sympy.tanh(x) ** 2), 2 * sympy.sinh(x) / sympy.cosh(x) ** 3),
        (sympy.sin(2 * x), 2 * sympy.sin(x) * sympy.cos(x)),
        (sympy.tan(x) ** 2 + 1, 1 / sympy.cos(x) ** 2),
        (1 / (1 + sympy.exp(-x)), sympy.exp(x) / (1 + sympy.exp(x))),
        ((x**2 - 1) / (x - 1), x + 1),
        (sympy.diff(sympy.log(1 + sympy.exp(x)), x), 1 / (1 + sympy.exp(-x))),
    ],
)
def test_identities_are_proved_and_their_false_twins_are_not(left, right):
    assert prove_equal(left, right) is True
    assert prove_equal(left, right * sympy.Rational(1_000_001, 1_000_000)) is not True
    assert prove_equal(left, -right) is not True
    assert prove_equal(left, right + sympy.Rational(1, 10**9)) is not True


def test_polynomials_that_differ_are_refuted():
    assert prove_equal(2 * x + 3 * y, 2 * x + 2 * y) is False
    assert prove_equal(sympy.Integer(1), sympy.Integer(2)) is False
    assert prove_equal(1 / x, 1 / y) is False


def test_nested_roots_are_not_refuted_by_their_form():
    two = sympy.sqrt(2)
    assert prove_equal(sympy.sqrt(3 + 2 * two) * x, (1 + two) * x) is not False


p, q = sympy.symbols("p q", positive=True)


@pytest.mark.parametrize(
    ("relation", "left", "right"),
    [
        ("ge", x**2, sympy.S.Zero),
        ("ge", sympy.Max(x, 0), sympy.S.Zero),
        ("ge", p + 1 / p, sympy.Integer(2)),
        ("ge", x**2 + y**2, 2 * x * y),
        ("gt", sympy.exp(x), -sympy.Abs(y)),
        ("le", -(x**4), sympy.S.Zero),
        ("lt", -p - q, p * q),
        ("ne", p, -q),
        ("le", sympy.sin(x), sympy.S.One),
        ("ge", sympy.exp(x), sympy.exp(x) * sympy.cos(y)),
        ("ge", sympy.sin(x) - sympy.cos(y), sympy.Integer(-2)),
        ("le", sympy.sin(x) ** 2, sympy.S.One),
    ],
)
def test_an_order_that_follows_from_signs_is_proved_and_its_false_twins_are_not(relation, left, right):
    turned = {"ge": "lt", "gt": "le", "le": "gt", "lt": "ge"}
    assert prove_order(relation, left, right) is True
    if relation in turned:
        assert prove_order(turned[relation], left, right) is None
        shift = sympy.Rational(10 * (-1 if relation in ("ge", "gt") else 1))
        assert prove_order(relation, left + shift, right) is None


def test_an_order_that_does_not_follow_from_signs_is_left_open():
    assert prove_order("ge", x, y) is None
    assert prove_order("gt", x**2, sympy.S.Zero) is None
    assert prove_order("ge", x + 1 / x, sympy.Integer(2)) is None
    assert prove_order("ge", sympy.sqrt(x), sympy.S.Zero) is None
    assert prove_order("ne", x, y) is None
    assert prove_order("lt", sympy.sin(x), sympy.S.One) is None
    assert prove_order("le", x * sympy.sin(x), x) is None


def test_functions_of_waves_in_each_other_are_left_open_soon():
    wave = sympy.tanh(2 * x) * sympy.exp(x)
    assert prove_equal(wave, sympy.asinh(sympy.sinh(wave))) is None


def test_what_is_large_is_left_open():
    assert prove_order("ge", sympy.Add(*(sympy.sin(place * x) ** 2 for place in range(1, 600))), sympy.S.Zero) is None
    assert prove_equal(sympy.Add(*(sympy.sin(place * x) for place in range(1, 600))), x) is None


def test_limits():
    h = sympy.Symbol("h", real=True)
    assert limit((sympy.sin(x + h) - sympy.sin(x)) / h, h, sympy.S.Zero) == sympy.cos(x)
    assert limit(sympy.Abs(h) / h, h, sympy.S.Zero) is None


def test_a_power_to_a_number_of_many_bits_is_left_open():
    """At n = 10^400 the value is a rational of more bits than there are atoms; SymPy would work at it."""
    n = sympy.Symbol("n", real=True)
    assert limit((1 + 1 / n) ** n, n, sympy.Integer(10) ** 400) is None
    assert limit((1 + 1 / n) ** n, n, sympy.Integer(3)) == sympy.Rational(64, 27)
    assert limit((1 + 1 / n) ** 2, n, sympy.Integer(10) ** 400) == (1 + sympy.Integer(10) ** -400) ** 2


def test_exponents_of_many_bits_are_left_open():
    """logaddexp2 in float32, whose log 2 is a rational of 24 bits: a polynomial of degree 12,102,203 to SymPy."""
    base, constant = 2 ** (x - y), sympy.Rational(12102203, 8388608)
    left = constant * base * sympy.log(2) / (base + 1) + 2 ** (-constant * sympy.log(base + 1))
    assert prove_equal(left, sympy.Integer(1)) is None
    assert prove_equal(left, left * 1) is True


def test_a_quotient_tends_to_the_first_taylor_coefficient_that_does_not_vanish():
    h = sympy.Symbol("h", real=True)
    found = quotient((sympy.sin(x + h) - sympy.sin(x)) / h, h, sympy.S.Zero)
    assert found is not None
    assert (found.limit, found.vanishing) == (sympy.cos(x), (0,))
    curved = quotient((sympy.exp(h) - 1 - h) / (h - 0) ** 2, h, sympy.S.Zero)
    assert curved is not None
    assert (curved.limit, curved.vanishing) == (sympy.Rational(1, 2), (0, 0))
    fraction = quotient((1 / (1 - sympy.exp(x + h)) - 1 / (1 - sympy.exp(x))) / h, h, sympy.S.Zero)
    assert fraction is not None
    assert prove_equal(fraction.limit, sympy.exp(x) / (1 - sympy.exp(x)) ** 2)
    assert [prove_equal(each, sympy.S.Zero) for each in fraction.vanishing] == [True]
    assert not all(each.subs({x: 0, h: 1}).is_finite for each in fraction.finite)
    diverging = quotient(sympy.exp(h) / h, h, sympy.S.Zero)
    assert diverging is not None
    assert diverging.vanishing == (1,)


def test_a_quotient_says_where_it_is_analytic():
    """A root is finite at 0 and not analytic there: its logarithm has to be finite, too."""
    h = sympy.Symbol("h", real=True)
    found = quotient((sympy.sqrt(x + h) - sympy.sqrt(x)) / h, h, sympy.S.Zero)
    assert found is not None
    assert {sympy.log(x + h), sympy.log(x)} <= set(found.finite)


@pytest.mark.parametrize("part", [sympy.Abs(x), sympy.sign(x), sympy.floor(x), sympy.Max(x, y), sympy.asin(x)])
def test_what_may_have_a_kink_is_no_such_quotient(part):
    h = sympy.Symbol("h", real=True)
    assert quotient((part.subs(x, x + h) - part) / h, h, sympy.S.Zero) is None


def test_other_powers_are_no_such_quotient():
    h = sympy.Symbol("h", real=True)
    assert quotient(1 / sympy.sqrt(h), h, sympy.S.Zero) is None
    assert quotient(1 / h**9, h, sympy.S.Zero) is None
