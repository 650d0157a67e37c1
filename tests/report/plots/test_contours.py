"""Contours: the bands tile the grid, and the isolines lie where the height is the level."""

from itertools import pairwise

import pytest

from verifier.report.plots.contours import Grid, band_polygons, levels_between, segments

AXIS = [k / 7 - 1 for k in range(15)]


def grid(height: str) -> Grid:
    functions = {"plane": lambda x, y: x + 2 * y, "saddle": lambda x, y: x * y, "bowl": lambda x, y: x * x + y * y}
    return AXIS, AXIS, [[functions[height](x, y) for x in AXIS] for y in AXIS]


def area(polygon: tuple[tuple[float, float], ...]) -> float:
    shifted = (*polygon[1:], polygon[0])
    return abs(sum(a * d - b * c for (a, b), (c, d) in zip(polygon, shifted, strict=True))) / 2


@pytest.mark.parametrize("height", ["plane", "saddle", "bowl"])
def test_bands_tile_the_square(height: str) -> None:
    levels = levels_between(-3, 3)
    covered = sum(area(each) for low, high in pairwise(levels) for each in band_polygons(grid(height), low, high))
    assert covered == pytest.approx(4.0)


def test_a_gap_in_the_levels_is_noticed() -> None:
    assert sum(area(each) for each in band_polygons(grid("plane"), -3, 0)) == pytest.approx(2.0)


@pytest.mark.parametrize("level", [-0.5, 0.0, 0.3])
def test_isolines_of_a_plane_are_exact(level: float) -> None:
    found = list(segments(grid("plane"), level))
    assert found
    assert all(x + 2 * y == pytest.approx(level) for segment in found for x, y in segment)


def test_levels_are_round_and_hold_zero() -> None:
    levels = levels_between(-9.0, 45.0)
    assert 0.0 in levels
    assert levels[0] <= -9 < 45 <= levels[-1]
    assert 12 <= len(levels) <= 32


def test_missing_heights_leave_a_hole() -> None:
    xs, ys, heights = grid("plane")
    heights = [list(row) for row in heights]
    heights[3][3] = None  # type: ignore[call-overload]
    assert sum(area(each) for each in band_polygons((xs, ys, heights), -9, 9)) == pytest.approx(4 - 4 / 49)
