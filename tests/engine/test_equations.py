"""Equations between real numbers: what is certainly no number equals nothing, and what is unknown decides nothing."""

from __future__ import annotations

import numpy as np
import pytest
from flint import arb

from verifier.arithmetic.elements import NAN, Unknown
from verifier.engine.equations import Values, every

UNKNOWN = Unknown("a test")


def values(left, right):
    arrays = [np.empty(len(side), dtype=object) for side in (left, right)]
    for array, side in zip(arrays, (left, right), strict=True):
        array[:] = side
    return Values(*arrays, 128)


@pytest.mark.parametrize(
    ("left", "right", "missing", "void", "numbers", "equal"),
    [
        ([arb(1), arb(2)], [arb(1), arb(2)], "", False, True, True),
        ([arb(1), arb(2)], [arb(1), arb(3)], "", False, True, False),
        ([arb(1), NAN], [arb(1), arb(3)], "left", False, False, None),
        ([arb(1), arb(3)], [arb(1), NAN], "right", False, False, None),
        ([arb(1), NAN], [arb(1), NAN], "", True, False, None),
        ([NAN], [UNKNOWN], "", False, False, None),
        ([UNKNOWN], [arb(1)], "", False, False, None),
    ],
)
def test_both_sides_are_judged_component_by_component(left, right, missing, void, numbers, equal):
    found = values(left, right)
    assert (found.missing(), found.void(), found.are_numbers(), found.equal()) == (missing, void, numbers, equal)


def test_a_certain_falsehood_decides():
    assert every([True, None, False]) is False
    assert every([True, None]) is None
    assert every([]) is True
