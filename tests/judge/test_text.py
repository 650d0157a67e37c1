"""Truths as decimals for people."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.judge.text import decimal_text, truth_text
from verifier.model.verdict import Cusp, Enclosure, Infinite, Jump, Kink, NoTruth, Undefined


def point(number: Fraction | float) -> Enclosure:
    return Enclosure(Fraction(number), Fraction(number))


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (Fraction(0), "0"),
        (Fraction(1), "1"),
        (Fraction(-5, 2), "-2.5"),
        (Fraction(1, 3), "0.33333333333333333333"),
        (Fraction(1, 10**5), "0.00001"),
        (Fraction(1, 10**6), "1e-6"),
        (Fraction(10) ** 19, "10000000000000000000"),
        (Fraction(10) ** 20, "1e+20"),
        (Fraction(1, 10**400) * 2, "2e-400"),
        (Fraction(10) ** 400 * 3, "3e+400"),
    ],
)
def test_decimals(number, text):
    assert decimal_text(number) == text


@given(st.fractions(min_value=-(10**6), max_value=10**6), st.integers(1, 30))
def test_a_decimal_is_right_to_half_of_its_last_digit(number, digits):
    """Law: |text - number| <= 10^(1 - digits)/2 |number|."""
    error = abs(Fraction(decimal_text(number, digits)) - number)
    assert error <= abs(number) * Fraction(10) ** (1 - digits) / 2


def test_a_truth_is_printed_as_what_it_is():
    assert truth_text(point(0.5)) == "0.5"
    assert truth_text(Enclosure(Fraction(1), Fraction(3))) == "2"
    assert truth_text(Kink(point(-1), point(Fraction(1, 3)))) == "left -1, right 0.333333"
    assert truth_text(Kink(point(-1), point(1), sampled=True)) == "at least between -1 and 1"
    assert truth_text(Jump()) == "a jump"
    assert truth_text(NoTruth("no rule")) == "unknown: no rule"
    assert truth_text(Infinite(-1)) == "-inf"
    assert truth_text(Cusp(low=point(0), high=None)) == "between 0 and inf"
    assert truth_text(Undefined("the function is NaN")) == "undefined: the function is NaN"


def test_only_certain_digits_of_a_truth_are_shown():
    third, width = Fraction(1, 3), Fraction(1, 10**6)
    assert truth_text(Enclosure(third - width / 2, third + width / 2)) == "0.33333"
    assert truth_text(Enclosure(-width, width)) == "within 1e-6 of 0"
    assert truth_text(Enclosure(-width / 10**30, width / 10**30)) == "within 1e-36 of 0"
    assert truth_text(Enclosure(third, third)) == "0.33333333333333333333"
