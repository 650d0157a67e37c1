"""The histogram: every number is in a bar, and the yardstick divides the colours."""

from verifier.report.plots.histogram import draw, tally


def test_powers_of_two_and_both_ends() -> None:
    assert tally([0.0, 1e-9, 0.5, 0.99, 1.0, 3.0, 1e9]) == {-12: 2, -1: 2, 0: 1, 1: 1, 12: 1}


def test_bars_beyond_the_yardstick_have_another_colour() -> None:
    svg = draw(tally([0.5, 0.5, 2.0]), dtype="float32")
    assert (svg.count('class="bar good"'), svg.count('class="bar bad"')) == (1, 1)
    assert "yardstick" in svg


def test_no_numbers_no_bars() -> None:
    assert "<rect" not in draw(tally([]), dtype="float32")
