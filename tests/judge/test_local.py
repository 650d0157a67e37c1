"""Numbers at points where a slope is infinite, one-sided or missing."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest

from verifier.arithmetic.floats import FLOAT64
from verifier.judge.local import judge_local_number, local_text
from verifier.judge.number import Yardstick, allowance
from verifier.model.rule import Cusp, Infinite, Undefined
from verifier.model.verdict import Enclosure, NumberClass

YARDSTICK = Yardstick(form=FLOAT64, allowance=allowance(1))
ZERO = Enclosure(Fraction(0), Fraction(0))

CASES = {
    "right": (math.inf, Infinite(1), NumberClass.ACCURATE, False),
    "the wrong infinity": (-math.inf, Infinite(1), NumberClass.NONFINITE, True),
    "finite": (1.0, Infinite(1), NumberClass.LOSSY, True),
    "NaN": (math.nan, Infinite(-1), NumberClass.NONFINITE, True),
    "above": (7.0, Cusp(low=ZERO, high=None), NumberClass.CONVENTION, False),
    "inf above": (math.inf, Cusp(low=ZERO, high=None), NumberClass.CONVENTION, False),
    "below": (-7.0, Cusp(low=ZERO, high=None), NumberClass.LOSSY, True),
    "above the upper end": (7.0, Cusp(low=None, high=ZERO), NumberClass.LOSSY, True),
    "NaN at a cusp": (math.nan, Cusp(low=None, high=None), NumberClass.NONFINITE, True),
    "outside the domain": (math.nan, Undefined("NaN"), NumberClass.VACUOUS, False),
    "NaN beside inf": (math.nan, Undefined("inf", forbids_nan=True), NumberClass.NONFINITE, True),
}


@pytest.mark.parametrize("name", CASES)
def test_every_kind_of_point(name):
    value, truth, kind, fails = CASES[name]
    verdict = judge_local_number(value, truth, Fraction(0), YARDSTICK)
    assert (verdict.kind, verdict.fails) == (kind, fails)


def test_texts():
    assert local_text(Infinite(-1)) == "-inf"
    assert local_text(Cusp(low=ZERO, high=None)) == "between 0 and inf"
    assert "NaN" in local_text(Undefined("the function is NaN"))
