"""Scales: monotone, inside their ends, with ticks that say what they mark."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.report.plots.scales import Linear, Log, NearZero, nice_step, number_label, power_label, scale_for_points

finite = st.floats(-1e6, 1e6)


@given(st.lists(finite, min_size=2, max_size=40))
def test_every_point_lies_between_the_ends_and_in_order(values: list[float]) -> None:
    scale = scale_for_points(values, 50, 400)
    positions = [scale.at(each) for each in sorted(values)]
    assert all(50 - 1e-6 <= each <= 400 + 1e-6 for each in positions)
    assert all(a <= b + 1e-6 for a, b in pairwise(positions))


def test_points_a_hair_from_zero_stay_apart() -> None:
    values = [-10.0, 10.0, 3.0, 1e-3, 1e-6, 1e-9, -1e-9]
    scale = scale_for_points(values, 0, 400)
    assert isinstance(scale, NearZero)
    assert scale.at(1e-3) - scale.at(1e-9) > 10
    assert isinstance(scale_for_points([-10.0, 10.0, 3.0, 5.0, 1e-9], 0, 400), Linear)


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-1.0, 0.0), (-1.0, 1.0)])
def test_the_band_reaches_both_ends_of_its_side(low: float, high: float) -> None:
    scale = NearZero(low=low, high=high, start=0, stop=100, edge=0.01, least=1e-6)
    assert scale.at(low) == pytest.approx(0)
    assert scale.at(high) == pytest.approx(100)
    assert scale.at(0.01) == pytest.approx(scale.at(0.0100001), abs=0.01)


def test_ticks_are_round_and_cover_the_range() -> None:
    ticks = Linear(low=-3, high=3, start=0, stop=1).ticks()
    assert [tick.label for tick in ticks] == ["−2", "0", "2"]
    assert [tick.label for tick in Log(low=1e-2, high=1e8, start=0, stop=1).ticks()] == [
        "10⁻²",
        "1",
        "10²",
        "10⁴",
        "10⁶",
        "10⁸",
    ]


@given(st.floats(1e-300, 1e300))
def test_steps_are_one_two_or_five(rough: float) -> None:
    step = nice_step(rough)
    assert rough * (1 - 1e-6) <= step <= 5 * rough * (1 + 1e-6)


def test_labels() -> None:
    assert number_label(-0.0, 0.5) == "0.0"
    assert number_label(2e6, 1e6) == "2·10⁶"
    assert number_label(1234.0, 100.0) == "1,234"
    assert power_label(-12) == "10⁻¹²"
