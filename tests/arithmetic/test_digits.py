"""Decimal text of balls: only digits that are certain, correctly rounded."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from flint import arb
from hypothesis import given
from hypothesis import strategies as st

from verifier.arithmetic.ball import BallSystem
from verifier.arithmetic.digits import certified_digits, decimal
from verifier.arithmetic.elements import NAN, NEG_INF, POS_INF, Unknown
from verifier.arithmetic.precision import working_precision

SYSTEM = BallSystem(128)


@given(x=st.floats(allow_nan=False, allow_infinity=False).filter(bool), digits=st.integers(1, 20))
def test_exact_balls_are_rounded_as_decimal_does(x, digits):
    with localcontext(prec=digits):
        expected = +Decimal(x)
    text = certified_digits(SYSTEM.exact(Fraction(x)), digits)
    assert text is not None
    assert Decimal(text) == expected


@given(x=st.fractions(max_denominator=10**9).filter(bool), digits=st.integers(1, 20))
def test_digits_of_a_rational_are_those_of_the_rational(x, digits):
    text = certified_digits(SYSTEM.exact(x), digits)
    if text is not None:
        with localcontext(prec=digits):
            assert Decimal(text) == Decimal(x.numerator) / Decimal(x.denominator)


@pytest.mark.parametrize(
    ("element", "text"),
    [
        (SYSTEM.constant("pi"), "3.14159265"),
        (SYSTEM.exact(0), "0"),
        (SYSTEM.exact(Fraction(-1, 8)), "-0.125000000"),
        (SYSTEM.exact(1234567890123), "1234567890000"),
        (SYSTEM.apply("exp", -40), "4.24835426e-18"),
        (POS_INF, "inf"),
        (NEG_INF, "-inf"),
        (NAN, "nan"),
        (Unknown("why"), "unknown (why)"),
    ],
)
def test_the_text_of_an_element(element, text):
    assert decimal(element, 9) == text


def test_uncertain_digits_are_not_printed():
    with working_precision(128):
        wide = arb(1) / 3 + arb(0, 1e-5)
    assert certified_digits(wide, 9) is None
    assert decimal(wide, 9) == "0.3333"
    assert decimal(arb(0, 0.5), 9).startswith("[+/-")


def test_an_astronomic_exponent_is_printed_as_text():
    assert decimal(SYSTEM.apply("exp", 10**9), 5) == "8.0030e+434294481"
