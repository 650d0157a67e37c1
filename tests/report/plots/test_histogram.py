"""The histogram: every number is in a bar, and the yardstick divides the colours."""

from collections import Counter

import numpy as np

from verifier.report.plots.histogram import draw, tally


def ratios(*given: float) -> Counter[int]:
    return tally(np.array(given), np.ones(len(given)))


def test_powers_of_two_and_both_ends() -> None:
    assert ratios(0.0, 1e-9, 0.5, 0.99, 1.0, 3.0, 1e9, 5e-324, 1e308) == {-12: 3, -1: 2, 0: 1, 1: 1, 12: 2}


def test_what_has_no_error_or_no_yardstick_is_not_counted() -> None:
    assert tally(np.array([np.nan, 1.0, 1.0, 3.0]), np.array([1.0, np.nan, 0.0, 1.0])) == {1: 1}


def test_bars_beyond_the_yardstick_have_another_colour() -> None:
    svg = draw(ratios(0.5, 0.5, 2.0), dtype="float32")
    assert (svg.count('class="bar good"'), svg.count('class="bar bad"')) == (1, 1)
    assert "yardstick" in svg


def test_no_numbers_no_bars() -> None:
    assert "<rect" not in draw(ratios(), dtype="float32")
