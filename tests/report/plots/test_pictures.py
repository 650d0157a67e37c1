"""Pictures: each kind of layer is drawn from its arrays, and gaps and odd values break nothing."""

import re

from verifier.report.plots.pictures import draw, legend
from verifier.runs.records import Picture, Series

AXIS = (-1.0, 0.0, 1.0)
GRID = ((1.0, 0.0, -1.0), (0.0, 0.0, 0.0), (-1.0, 0.0, 1.0))


def drawn(*series: Series) -> str:
    return draw(Picture(id="p", title="A <b>", x_label="x", y_label="y", series=series))


def test_lines_break_where_a_value_is_missing() -> None:
    svg = drawn(Series(kind="line", x=(0, 1, 2, 3), y=(0, 1, None, 3)))
    assert re.findall(r'class="line s0" d="([^"]*)"', svg)[0].count("M") == 2


def test_points_arrows_and_contours_are_drawn() -> None:
    svg = drawn(
        Series(kind="contour", x=AXIS, y=AXIS, z=GRID),
        Series(kind="arrows", x=AXIS, y=AXIS, u=GRID, v=GRID),
        Series(kind="points", x=AXIS, y=AXIS),
    )
    assert 'class="warm"' in svg
    assert 'class="cool"' in svg
    assert 'class="arrows s0"' in svg
    assert 'class="dots s1"' in svg


def test_y_grows_upwards() -> None:
    (path,) = re.findall(
        r'class="line s0" d="M[\d.]+ ([\d.]+)l[\d.]+ (-?[\d.]+)', drawn(Series(kind="line", x=(0, 1), y=(0, 1)))
    )
    assert float(path[1]) < 0


def test_odd_values_break_nothing() -> None:
    for series in (
        Series(kind="line"),
        Series(kind="nosuch", x=(1,), y=(1,)),
        Series(kind="points", x=(5,), y=(5,)),
        Series(kind="contour", x=AXIS, y=AXIS),
    ):
        assert "<svg" in drawn(series)


def test_text_is_escaped_and_legends_name_the_labelled() -> None:
    assert "A &lt;b&gt;" in drawn()
    image = Picture(
        id="p",
        title="",
        series=(Series(kind="line", label="f"), Series(kind="line"), Series(kind="contour", label="z", z=GRID)),
    )
    assert [label for _, label in legend(image)] == ["f", "z, from −1.0 to 1.0"]
