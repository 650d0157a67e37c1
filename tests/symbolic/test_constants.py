"""Constants read straight from their formulas are those of the evaluator."""

from __future__ import annotations

import pytest

from verifier.arithmetic.ball import BallSystem
from verifier.arithmetic.elements import is_finite
from verifier.symbolic.build import Definitions
from verifier.symbolic.constants import value_in
from verifier.symbolic.evaluate import evaluate
from verifier.symbolic.formula import parse

SYSTEM = BallSystem(128)


def both(text):
    with SYSTEM.working():
        read = value_in(parse(text), SYSTEM)
    return read, evaluate([Definitions().node(parse(text))], {}, SYSTEM)[0].item()


@pytest.mark.parametrize(
    "text",
    ["pi/4", "-e**2", "sqrt(2)", "2**0.5*pi", "gelu(pi)", "atan2(0, -1)", "(0 - pi)**3", "log10(7)", "max(pi, 3)"],
)
def test_numbers_are_the_evaluator_s(text):
    read, evaluated = both(text)
    assert is_finite(read)
    assert read.overlaps(evaluated)
    assert read.rad() < 2**-100


@pytest.mark.parametrize(
    "text", ["1/0", "-1/0", "sqrt(-1)", "(0 - 8)**(1/3)", "0**-1", "log(0)", "0*(1/0)", "gamma(0 - 1)", "e**(1/0)"]
)
def test_what_is_no_real_number_is_the_evaluator_s(text):
    read, evaluated = both(text)
    assert read is evaluated


@pytest.mark.parametrize(
    "text", ["x", "2*x", "[1, pi]", "sum([1, pi])", "max([1, pi])", "where(pi > 3, 1, 2)", "pi < 3"]
)
def test_what_is_more_than_functions_of_numbers_is_left_open(text):
    assert value_in(parse(text), SYSTEM) is None
