"""Membership in a convex hull, decided exactly."""

from __future__ import annotations

from fractions import Fraction as F

import pytest

from verifier.judge.hull import in_hull

TRIANGLE = [(F(0), F(0)), (F(1), F(0)), (F(0), F(1))]
NOWHERE = (F(0), F(0))


@pytest.mark.parametrize(
    ("point", "inside"),
    [
        ((F(1, 3), F(1, 3)), True),
        ((F(0), F(0)), True),
        ((F(1, 2), F(1, 2)), True),
        ((F(1, 2), F(1, 2) + F(1, 10**40)), False),
        ((F(-1, 10**40), F(0)), False),
        ((F(1), F(1)), False),
    ],
)
def test_a_triangle(point, inside):
    assert in_hull(point, TRIANGLE, NOWHERE) is inside


def test_a_tie_of_maximum_needs_the_vector():
    """(0, 0) and (1, 1) are inside every coordinate's interval, and no gradient of max(x, y) at a tie."""
    cells = [(F(1), F(0)), (F(0), F(1))]
    assert in_hull((F(1, 2), F(1, 2)), cells, NOWHERE)
    assert not in_hull((F(0), F(0)), cells, NOWHERE)
    assert not in_hull((F(1), F(1)), cells, NOWHERE)


def test_room_widens_the_hull():
    point = (F(1, 2), F(1, 2) + F(1, 100))
    assert not in_hull(point, TRIANGLE, (F(1, 1000), F(1, 1000)))
    assert in_hull(point, TRIANGLE, (F(1, 100), F(1, 100)))


def test_one_corner():
    assert in_hull((F(2),), [(F(2),)], (F(0),))
    assert not in_hull((F(3),), [(F(2),), (F(5, 2),)], (F(0),))
