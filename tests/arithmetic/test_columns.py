"""Law: a column encloses what balls enclose, at every point, or knows nothing there."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from flint import arb
from hypothesis import given
from hypothesis import strategies as st

from verifier.arithmetic.columns import COLUMN_FUNCTIONS, Column, Mixed, Undecided, column_of, compared
from verifier.arithmetic.precision import working_precision

NUMBERS = st.lists(st.floats(-30, 30) | st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=5)
RADII = st.sampled_from([0.0, 2.0**-60, 2.0**-30, 1e-3])


def enclosed(exact: arb, column: Column, row: int) -> bool:
    """Whether the column holds all of the ball, or nothing is known."""
    middle, radius = (float(np.ravel(each)[row % np.size(each)]) for each in (column.middle, column.radius))
    if not np.isfinite([middle, radius]).all():
        return True
    return exact.is_finite() and bool(abs(exact - arb(middle)) <= arb(radius) + abs(exact) * arb(2) ** -500)


def ends(middle: float, radius: float) -> list[arb]:
    """The ends and the middle of an interval, exactly: what a column has to enclose."""
    return [arb(middle) - arb(radius), arb(middle), arb(middle) + arb(radius)]


@given(NUMBERS, RADII, st.sampled_from(sorted(COLUMN_FUNCTIONS)))
def test_functions(numbers, relative, name):
    middle = np.array(numbers)
    with np.errstate(all="ignore"):
        radius = np.abs(middle) * relative
        found = COLUMN_FUNCTIONS[name](Column(middle, radius))
    with working_precision(2500):
        for row, (m, r) in enumerate(zip(middle.tolist(), radius.tolist(), strict=True)):
            for x in ends(m, r):
                exact = getattr(x, name)()
                assert enclosed(exact, found, row) or not exact.is_finite()


@given(NUMBERS, st.floats(-30, 30), RADII, st.sampled_from(["+", "-", "*", "/"]))
def test_arithmetic(numbers, other, relative, sign):
    work = {"+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b}[sign]
    middle = np.array(numbers)
    with np.errstate(all="ignore"):
        radius = np.abs(middle) * relative
        found = work(Column(middle, radius), Column(np.full(middle.shape, other), np.full(middle.shape, 1e-9)))
    with working_precision(2500):
        for row, (m, r) in enumerate(zip(middle.tolist(), radius.tolist(), strict=True)):
            for a in ends(m, r):
                for b in ends(other, 1e-9):
                    exact = work(a, b)
                    assert enclosed(exact, found, row) or not exact.is_finite()


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=4), st.integers(-9, 9))
def test_powers(numbers, power):
    with np.errstate(all="ignore"):
        found = column_of(numbers) ** column_of([power])
    with working_precision(2500):
        for row, number in enumerate(numbers):
            exact = arb(number) ** power
            assert enclosed(exact, found, row) or not exact.is_finite()


def test_exact_numbers_and_others():
    column = column_of([Fraction(1, 3), 0.5, 2])
    assert column.radius[0] > 0
    assert column.radius[1:].tolist() == [0, 0]


def test_comparisons():
    low, high = column_of([1.0, 2.0]), column_of([3.0, 3.0])
    assert compared("lt", low, high)
    assert not compared("ge", low, high)
    with pytest.raises(Mixed) as mixed:
        compared("lt", column_of([1.0, 4.0]), high)
    assert mixed.value.holds.tolist() == [True, False]
    with pytest.raises(Undecided):
        compared("lt", Column(np.array([3.0, 3.0]), np.array([0.1, 0.1])), high)


def test_a_planted_radius_that_is_too_small_is_caught():
    with working_precision(2500):
        exact, middle = arb(2).sqrt(), np.sqrt(np.array([2.0]))
        assert not enclosed(exact, Column(middle, middle * 2.0**-54), 0)


@pytest.mark.parametrize("number", [Fraction(10) ** 400, -(Fraction(10) ** 400), 10**400])
def test_nothing_is_known_of_a_number_beyond_floats(number):
    """Neither it nor what is computed of it is decided, and its neighbours are as they were."""
    alone, beside = column_of([number]), column_of([1, number])
    assert np.isnan([alone.middle, alone.radius, beside.middle[1], beside.radius[1]]).all()
    assert (beside.middle[0], beside.radius[0]) == (1, 0)
    assert not np.isfinite((alone * column_of([0])).middle)
    with pytest.raises(Undecided):
        compared("gt", alone, column_of([0]))
