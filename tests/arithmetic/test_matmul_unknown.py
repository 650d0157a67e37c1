"""A matrix product with unknown elements: what they go into is unknown, all else is exact."""

from __future__ import annotations

import numpy as np
import pytest

from verifier.arithmetic.ball import BallSystem, generic_matmul
from verifier.arithmetic.elements import POS_INF, Element, Unknown

SYSTEM = BallSystem(128)
HOLE = Unknown("hole")


def matrix(*rows: list[int | Element]) -> np.ndarray:
    array = np.empty((len(rows), len(rows[0])), dtype=object)
    for index in np.ndindex(*array.shape):
        each = rows[index[0]][index[1]]
        array[index] = SYSTEM.exact(each) if isinstance(each, int) else each
    return array


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (matrix([1, 2], [3, 4]), matrix([5, HOLE], [7, 8])),
        (matrix([1, HOLE], [3, 4]), matrix([5, 6], [7, 8])),
        (matrix([0, HOLE], [3, 4]), matrix([HOLE, 6], [0, 8])),
        (matrix([1, POS_INF], [3, 4]), matrix([5, 6], [0, HOLE])),
    ],
)
def test_equals_the_product_element_by_element(a, b):
    found, expected = SYSTEM.matmul(a, b), generic_matmul(SYSTEM, a, b)
    for one, other in zip(found.flat, expected.flat, strict=True):
        assert type(one) is type(other)
        assert isinstance(one, Unknown) or one is other or one == other
