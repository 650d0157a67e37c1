"""One-sided limits of a formula at a point: proofs, from either side, and no number where none lies near."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from verifier.arithmetic.elements import NAN, NEG_INF, POS_INF, Unknown, as_fraction
from verifier.model.catalog import Entry, Input, Quantity, Text
from verifier.symbolic.build import Definitions
from verifier.truth.limiting import Approach
from verifier.truth.workspace import Workspace

ENTRY = Entry(
    id="e",
    title="t",
    section="s",
    inputs=(Input(name="x", lower=Fraction(-9), upper=Fraction(9)),),
    value=Text("x**2"),
    quantities=(Quantity(name="two", formula=Text("2")),),
)


def limits(text: str, to: str = "0", x: Fraction = Fraction(0)):
    workspace = Workspace(ENTRY, Definitions.of(ENTRY), {})
    approach = Approach(workspace.node(Text(text), {"h": ()}), "h", workspace.node(Text(to)), (), workspace)
    place = {"x": np.array(x, dtype=object)}
    return [approach.limits(place, side)[0] for side in (-1, 1)]


@pytest.mark.parametrize(
    ("text", "to", "left", "right"),
    [
        ("x/(x + h)", "0", 0, 0),
        ("sign(x + h)", "0", -1, 1),
        ("floor(x + h)", "0", -1, 0),
        ("(x + h)**two/h**2", "0", 1, 1),
        ("(h**2 - 4)/(h - 2)", "2", 4, 4),
        ("where(h == 0, 1, 2)", "0", 2, 2),
        ("h - x", "x + 3", 3, 3),
    ],
)
def test_limits_are_those_from_either_side(text, to, left, right):
    assert [as_fraction(each) for each in limits(text, to)] == [left, right]


def test_poles_and_places_without_numbers():
    assert limits("1/h") == [NEG_INF, POS_INF]
    assert limits("log(h)/log(-h)") == [NAN, NAN]
    assert limits("x/x + h") == [NAN, NAN]
    left, right = limits("sqrt(h)")
    assert left is NAN
    assert as_fraction(right) == 0


def test_what_oscillates_is_unknown():
    assert all(isinstance(each, Unknown) for each in limits("sin(1/h)"))
