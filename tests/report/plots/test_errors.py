"""The error plot: every point is drawn, on its side of the budget, and the worst is marked."""

import math
import re

from verifier.report.plots.errors import ErrorPoint, draw


def panel(points: list[tuple[float, float | None, float | None]]) -> str:
    return draw(
        [ErrorPoint(x=x, ulps=ulps, budget=budget) for x, ulps, budget in points], dtype="float32", input_name="x"
    )


def marks(svg: str, name: str) -> int:
    found = re.search(rf'class="{name}" d="([^"]*)"', svg)
    return len(re.findall(r"M|m.*?h0", found[1])) if found else 0


def test_points_are_told_apart_by_the_budget() -> None:
    svg = panel([(0.0, 0.5, 4.0), (1.0, 3.0, 4.0), (2.0, 90.0, 4.0), (3.0, None, 4.0)])
    assert (marks(svg, "dots good"), marks(svg, "dots bad"), marks(svg, "cross")) == (2, 1, 1)
    assert "90 ulps" in svg


def test_all_coordinates_are_numbers_whatever_the_errors() -> None:
    svg = panel([(-1e308, 1e300, 1e308), (0.0, 0.0, None), (1e-320, 1e-9, 5e-324), (1e308, None, None)])
    assert not re.search(r"nan|inf", svg)
    assert all(math.isfinite(float(each)) for each in re.findall(r'[xy]\d?="(-?[\d.]+)"', svg))


def test_a_panel_without_any_error_is_still_a_panel() -> None:
    assert "<svg" in panel([(0.0, None, None), (1.0, None, None)])
