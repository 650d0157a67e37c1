"""Statements for all points of a box: proved, refuted with a witness, or given up after a budget of boxes."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.arithmetic.elements import compare, exact_ball
from verifier.arithmetic.precision import working_precision
from verifier.truth import forall
from verifier.truth.forall import everywhere

BITS = 128
UNIT = ((Fraction(0), Fraction(1)),)


def test_a_true_statement_is_proved_and_needs_bisection():
    # x (1 - x) < 1/2 although the ball of x (1 - x) over [0, 1] reaches 1
    found = everywhere(lambda x: compare("lt", x[0] * (1 - x[0]), exact_ball(Fraction(1, 2))), UNIT, BITS)
    assert found.holds is True
    assert found.boxes > 1
    assert found.witness is None


def test_a_false_statement_is_refuted_by_a_point_where_it_certainly_fails():
    found = everywhere(lambda x: compare("lt", x[0] * x[0], exact_ball(Fraction(9, 10))), UNIT, BITS)
    assert found.holds is False
    assert found.witness is not None
    assert found.witness[0] ** 2 >= Fraction(9, 10)


@given(st.lists(st.fractions(-4, 4), min_size=2, max_size=2).map(sorted))
def test_a_ball_holds_its_side_and_does_not_cross_zero_where_the_side_does_not(side):
    low, high = side
    seen = []
    everywhere(lambda x: seen.append(x[0]) or True, ((low, high),), BITS)
    (ball,) = seen
    with working_precision(BITS):
        assert all(ball.contains(exact_ball(each).mid()) for each in side)
        assert (ball >= 0, ball <= 0) == (low >= 0, high <= 0)


@pytest.mark.parametrize("side", [UNIT[0], (Fraction(-1), Fraction(0)), (Fraction(0), Fraction(1, 10))])
def test_what_ends_at_zero_is_proved_up_to_it(side):
    found = everywhere(lambda x: compare("ge", abs(x[0]).sqrt(), exact_ball(0)), (side,), BITS)
    assert (found.holds, found.boxes) == (True, 1)


def test_a_fault_in_a_corner_is_found():
    box = ((Fraction(-1), Fraction(1)),) * 3
    found = everywhere(lambda x: compare("lt", x[0] + x[1] + x[2], exact_ball(3)), box, BITS)
    assert (found.holds, found.witness, found.boxes) == (False, (1, 1, 1), 1)


def test_the_whole_box_comes_first():
    asked = []
    found = everywhere(lambda x: asked.append(x) or True, ((Fraction(-1), Fraction(1)),) * 40, BITS)
    assert (found.holds, found.boxes, len(asked)) == (True, 1, 1)
    found = everywhere(lambda x: False, UNIT, BITS)
    assert (found.holds, found.witness, found.boxes) == (False, (Fraction(1, 2),), 1)


def test_of_many_corners_a_choice_within_the_budget_is_looked_at(monkeypatch):
    monkeypatch.setattr(forall, "BOXES", 3)
    points = []

    found = everywhere(lambda x: points.append(tuple(map(str, x))), ((Fraction(-1), Fraction(1)),) * 40, BITS)
    assert (found.holds, found.boxes) == (None, 3)
    assert len(points) == 3 * (1 + 1 + forall.CORNERS)
    found = everywhere(lambda x: compare("le", x[0] + x[1], exact_ball(1)), ((Fraction(0), Fraction(1)),) * 40, BITS)
    assert found.holds is False
    assert found.witness is not None
    assert set(found.witness) == {0, 1}
    assert found.witness[:2] == (1, 1)


def test_without_points_only_a_whole_box_refutes():
    """x != 1/2 fails at the middle alone, x < 1/4 on a whole quarter."""
    hole = everywhere(lambda x: compare("ne", x[0], exact_ball(Fraction(1, 2))), UNIT, BITS, boxes=50, points=False)
    assert (hole.holds, hole.boxes) == (None, 50)
    piece = everywhere(lambda x: compare("ge", x[0], exact_ball(Fraction(1, 4))), UNIT, BITS, points=False)
    assert piece.holds is False
    assert piece.witness is not None
    assert piece.witness[0] < Fraction(1, 4)


@pytest.mark.parametrize("known", [True, False, None])
def test_the_box_without_sides_is_one_point(known):
    found = everywhere(lambda x: known, (), BITS)
    assert (found.holds, found.witness) == (known, () if known is False else None)


def test_what_touches_equality_is_given_up_after_the_budget(monkeypatch):
    monkeypatch.setattr(forall, "BOXES", 40)
    found = everywhere(lambda x: compare("le", x[0] * (1 - x[0]), exact_ball(Fraction(1, 4))), UNIT, BITS)
    assert (found.holds, found.boxes) == (None, 40)


def test_nothing_known_is_never_proved():
    point = ((Fraction(1, 3), Fraction(1, 3)),)
    assert everywhere(lambda x: None, point, BITS).holds is None


@pytest.mark.parametrize(("low", "holds"), [(Fraction(1, 3), True), (Fraction(1, 4), False)])
def test_a_box_of_one_point_is_decided_there(low, holds):
    found = everywhere(lambda x: compare("gt", x[0], exact_ball(Fraction(3, 10))), ((low, low),), BITS)
    assert found.holds is holds


@settings(deadline=None, max_examples=40)
@given(
    st.fractions(min_value=-3, max_value=3, max_denominator=64),
    st.fractions(min_value=-3, max_value=3, max_denominator=64),
    st.fractions(min_value=Fraction(1, 8), max_value=2, max_denominator=64),
)
def test_lines_are_decided_as_exact_arithmetic_decides_them(slope, offset, margin):
    """Law: slope x + offset < bound on [0, 1] iff it is at both ends."""
    largest = max(offset, slope + offset)

    def line(x):
        return x[0] * exact_ball(slope) + exact_ball(offset)

    above = everywhere(lambda x: compare("lt", line(x), exact_ball(largest + margin)), UNIT, BITS)
    below = everywhere(lambda x: compare("lt", line(x), exact_ball(largest - margin)), UNIT, BITS)
    assert above.holds is True
    assert below.holds is False
