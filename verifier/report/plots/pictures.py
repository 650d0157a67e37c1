"""The source's pictures, redrawn from the values in the run file."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from markupsafe import Markup

from verifier.report.plots.contours import Grid, band_polygons, levels_between, segments
from verifier.report.plots.scales import Linear, number_label
from verifier.report.plots.svg import Frame, axes, element, label_width, path, picture
from verifier.runs.records import Picture, Series

__all__ = ["draw", "legend"]

_FRAME = Frame(width=420, height=290)
_MOST_ARROWS = 20
_COLOURS = 6


def draw(image: Picture) -> Markup:
    """A picture as SVG; layers that hold no finite point are left out."""
    y = _scale(image, "y", *_FRAME.y_range)
    frame = replace(_FRAME, left=label_width(y))
    x = _scale(image, "x", *frame.x_range)
    layers = [_LAYERS[each.kind](each, x, y, colour) for each, colour in _coloured(image) if each.kind in _LAYERS]
    lines = axes(frame, x, y, x_label=image.x_label, y_label=image.y_label, grid=not _is_filled(image))
    return picture(frame, image.title, *((*layers, lines) if _is_filled(image) else (lines, *layers)))


def legend(image: Picture) -> tuple[tuple[Markup, str], ...]:
    """(swatch, label) for each labelled layer."""
    return tuple(
        (_swatch(each.kind, colour), f"{each.label}{_level_text(each)}")
        for each, colour in _coloured(image)
        if each.label
    )


def _level_text(series: Series) -> str:
    """ ", from −11 to 45" behind a contour's label; nothing behind another's."""
    heights = [height for row in series.z or () for height in _finite(row)]
    if not heights:
        return ""
    step = (max(heights) - min(heights)) / 10 or 1.0
    return f", from {number_label(min(heights), step)} to {number_label(max(heights), step)}"


def _is_filled(image: Picture) -> bool:
    return any(each.kind == "contour" for each in image.series)


def _coloured(image: Picture) -> Iterator[tuple[Series, int]]:
    """Layers with their colour's number; contours have a scale of their own and take none."""
    number = 0
    for each in image.series:
        yield each, number % _COLOURS
        number += each.kind != "contour"


def _scale(image: Picture, axis: str, start: float, stop: float) -> Linear:
    values = [value for each in image.series for value in _finite(getattr(each, axis))]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    margin = 0.0 if _is_filled(image) else 0.04 * (high - low)
    if low == high:
        margin = abs(low) or 1.0
    return Linear(low=low - margin, high=high + margin, start=start, stop=stop)


def _finite(values: Sequence[Any]) -> list[float]:
    return [float(each) for each in values if isinstance(each, int | float) and math.isfinite(each)]


def _line(series: Series, x: Linear, y: Linear, colour: int) -> Markup:
    """A line that breaks where a value is missing."""
    pieces: list[list[tuple[float, float]]] = [[]]
    for a, b in zip(series.x, series.y, strict=False):
        if a is None or b is None:
            pieces.append([])
        else:
            pieces[-1].append((x.at(a), y.at(b)))
    return element("path", class_=f"line s{colour}", d="".join(path(piece) for piece in pieces if piece))


def _points(series: Series, x: Linear, y: Linear, colour: int) -> Markup:
    """Dots as zero-length strokes with round caps: one path for all of them."""
    known = [(a, b) for a, b in zip(series.x, series.y, strict=False) if a is not None and b is not None]
    return element("path", class_=f"dots s{colour}", d="".join(f"{path([(x.at(a), y.at(b))])}h0" for a, b in known))


def _contour(series: Series, x: Linear, y: Linear, _colour: int) -> Markup:
    grid = _grid(series, x, y)
    heights = [height for row in grid[2] for height in _finite(row)]
    if not heights:
        return Markup("")
    levels = levels_between(min(heights), max(heights))
    return Markup("").join([*_bands(grid, levels), *_isolines(grid, levels)])


def _bands(grid: Grid, levels: Sequence[float]) -> Iterator[Markup]:
    """One path a band: warm above zero, cool below, stronger further away (all warm when nothing is below)."""
    furthest = max(abs(levels[0]), abs(levels[-1])) if levels[0] < 0 else levels[-1] - levels[0]
    for low, high in pairwise(levels):
        middle = (low + high) / 2 if levels[0] < 0 else (low + high) / 2 - levels[0]
        strength = 0.08 + 0.72 * min(1.0, abs(middle) / (furthest or 1.0))
        outlines = "".join(path(each, close=True) for each in band_polygons(grid, low, high))
        if outlines:
            yield element("path", class_="warm" if middle > 0 else "cool", fill_opacity=f"{strength:.2f}", d=outlines)


def _isolines(grid: Grid, levels: Sequence[float]) -> Iterator[Markup]:
    for level in levels:
        pieces = "".join(path(each) for each in segments(grid, level))
        if pieces:
            yield element("path", class_="isoline", d=pieces)


def _grid(series: Series, x: Linear, y: Linear) -> Grid:
    return [x.at(each) for each in series.x], [y.at(each) for each in series.y], series.z or ()


def _arrows(series: Series, x: Linear, y: Linear, colour: int) -> Markup:
    """Arrows as long as their vectors on one scale, the longest 1.6 grid steps; thinned where they would merge."""
    step = max(1, math.ceil(max(len(series.x), len(series.y)) / _MOST_ARROWS))
    tails = [
        (x.at(series.x[i]), y.at(series.y[j]), series.u[j][i], series.v[j][i])
        for j in range(step // 2, len(series.y), step)
        for i in range(step // 2, len(series.x), step)
        if series.u is not None and series.v is not None and None not in (series.u[j][i], series.v[j][i])
    ]
    longest = max((math.hypot(u, v) for *_, u, v in tails), default=0.0)
    spacing = abs(x.stop - x.start) / max(1, len(series.x) // step)
    length = 1.6 * spacing / longest if longest else 0.0
    return element(
        "path", class_=f"arrows s{colour}", d="".join(_arrow(a, b, u * length, -v * length) for a, b, u, v in tails)
    )


def _arrow(x: float, y: float, u: float, v: float) -> str:
    """Shaft and two barbs; no barbs on an arrow too short to carry them."""
    size = math.hypot(u, v)
    if size < 2:
        return f"{path([(x, y)])}h0"
    barb = min(4.0, size / 2.5)
    cosine, sine = u / size, v / size
    tip = (x + u, y + v)
    ends = [(tip[0] - barb * (cosine - t * sine), tip[1] - barb * (sine + t * cosine)) for t in (0.5, -0.5)]
    return path([(x, y), tip]) + path([ends[0], tip, ends[1]])


def _swatch(kind: str, colour: int) -> Markup:
    shapes: dict[str, Markup] = {
        "line": element("path", class_=f"line s{colour}", d="M1 6h22"),
        "points": element("path", class_=f"dots s{colour}", d="M5 6h0M12 6h0M19 6h0"),
        "arrows": element("path", class_=f"arrows s{colour}", d="M2 6h19M17 3l4 3l-4 3"),
        "contour": element("path", class_="cool", fill_opacity="0.5", d="M1 1h11v10h-11z")
        + element("path", class_="warm", fill_opacity="0.6", d="M12 1h11v10h-11z"),
    }
    return element("svg", shapes.get(kind, Markup("")), class_="swatch", viewBox="0 0 24 12", aria_hidden="true")


_LAYERS: dict[str, Callable[[Series, Linear, Linear, int], Markup]] = {
    "line": _line,
    "points": _points,
    "contour": _contour,
    "arrows": _arrows,
}
