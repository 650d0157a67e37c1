"""The ulp error of an entry with one input, against it: every program's worst, the rounding budget, the worst point,
and the places that the formula makes special.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from markupsafe import Markup, escape

from verifier.report.numbers import ulps as ulps_text
from verifier.report.plots.scales import Linear, Log, NearZero, scale_for_points
from verifier.report.plots.svg import Frame, axes, dots, element, path, picture, simplified

__all__ = ["Axis", "ErrorPoint", "axis_of", "draw", "seen"]

_FRAME = Frame(width=400, height=230, left=56)
_MOST = 1e300
_GRAIN = 5
"""A dot's width in pixels: of the inputs that share a column this wide, only the worst are seen."""
_CROWD = 60
"""So many dots touch each other, and may stand a pixel or two from where they belong."""
_LEAST = 1e-2
"""Errors below a hundredth of an ulp are drawn on the lower edge: a correctly rounded value has up to half an ulp."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorPoint:
    """At input x: the largest error of any program in ulps (None: not finite), and the yardstick in ulps."""

    x: float
    ulps: float | None
    budget: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """Where a domain's inputs stand: the scale, the column of dots of each input, and the special places."""

    scale: Linear | NearZero
    columns: npt.NDArray[np.int64]
    special: tuple[float, ...] = ()


def axis_of(xs: Sequence[float], special: Sequence[float] = ()) -> Axis:
    """The axis on which these inputs are drawn, all finite; at least one."""
    scale = scale_for_points(xs, *_FRAME.x_range)
    columns = np.array([int(scale.at(x)) // _GRAIN for x in xs], dtype=np.int64)
    return Axis(scale=scale, columns=columns, special=tuple(special))


def seen(columns: npt.NDArray[Any], *scores: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """The indices of what must be drawn, sorted: by each of the scores the highest in every column; NaN is never kept.

    As many as there are columns, times the scores, whatever the number of points; the same dots stand out as if all
    were drawn.
    """
    kept: list[npt.NDArray[np.int64]] = []
    for score in scores:
        known = np.flatnonzero(~np.isnan(score))
        order = known[np.lexsort((score[known], columns[known]))]
        is_last = np.append(np.diff(columns[order]) != 0, True) if len(order) else np.array([], dtype=bool)
        kept.append(order[is_last])
    return np.unique(np.concatenate(kept))


def draw(points: Sequence[ErrorPoint], *, dtype: str, input_name: str, axis: Axis | None = None) -> Markup:
    """One panel. Values that are not finite stand as crosses on the upper edge, special places as strokes below."""
    ordered = sorted(points, key=lambda each: each.x)
    axis = axis or axis_of([each.x for each in ordered])
    x, y = axis.scale, _error_scale(ordered)
    label = f"Error in ulps against {input_name} in {dtype}, with the rounding budget"
    return picture(
        _FRAME,
        label,
        _band(x),
        axes(_FRAME, x, y, x_label=input_name, y_label="error, ulps"),
        _special(axis),
        _budget(ordered, x, y),
        _dots(ordered, x, y),
        _lost(ordered, x),
        _worst(ordered, x, y),
    )


def _error_scale(points: Sequence[ErrorPoint]) -> Log:
    errors = [each.ulps for each in points if each.ulps] + [10.0]
    # A budget far above every error (an input with no digits left) must not flatten what there is to see.
    budgets = [each.budget for each in points if each.budget and each.budget < 1e4 * max(errors)]
    return Log(low=_LEAST, high=3 * min(max(errors + budgets), _MOST), start=_FRAME.y_range[0], stop=_FRAME.y_range[1])


def _band(x: Linear | NearZero) -> Markup:
    """The magnified band around zero, shaded and named."""
    if isinstance(x, Linear):
        return Markup("")
    (left, right), (bottom, top) = x.sides, _FRAME.y_range
    start, width = x.zero - left, left + right
    name = element("text", escape("log"), class_="tick", x=start + width / 2, y=top + 11)
    return element("rect", class_="band", x=start, y=top, width=width, height=bottom - top) + name


def _special(axis: Axis) -> Markup:
    """A stroke on the lower edge for each pixel with a special place in it."""
    bottom = _FRAME.y_range[0]
    places = sorted({round(axis.scale.at(each)) for each in axis.special})
    if not places:
        return Markup("")
    strokes = "".join(f"M{each} {bottom}v-7" for each in places)
    return element("path", element("title", escape("special places")), class_="special", d=strokes)


def _budget(points: Sequence[ErrorPoint], x: Linear | NearZero, y: Log) -> Markup:
    known = [(round(x.at(each.x)), round(y.at(each.budget))) for each in points if each.budget]
    return element("path", class_="budget", d=path(simplified(known))) if len(known) > 1 else Markup("")


def _dots(points: Sequence[ErrorPoint], x: Linear | NearZero, y: Log) -> Markup:
    """Two paths: what is within the budget, and what is beyond it."""
    within = [each for each in points if each.ulps is not None and (each.budget is None or each.ulps <= each.budget)]
    beyond = [each for each in points if each.ulps is not None and each.budget is not None and each.ulps > each.budget]
    grain = (_GRAIN, 2) if len(points) > _CROWD else (1, 1)
    strokes = (("dots good", within), ("dots bad", beyond))
    return Markup("").join(
        element("path", class_=name, d=dots(((x.at(each.x), y.at(each.ulps or 0.0)) for each in group), grain))
        for name, group in strokes
        if group
    )


def _lost(points: Sequence[ErrorPoint], x: Linear | NearZero) -> Markup:
    top = _FRAME.y_range[1] + 4
    marks = "".join(f"{path([(x.at(p.x) - 3, top - 3)])}l6 6m-6 0l6 -6" for p in points if p.ulps is None)
    return element("path", class_="cross", d=marks) if marks else Markup("")


def _worst(points: Sequence[ErrorPoint], x: Linear | NearZero, y: Log) -> Markup:
    known = [each for each in points if each.ulps]
    if not known:
        return Markup("")
    worst = max(known, key=lambda each: each.ulps or 0.0)
    at, height = x.at(worst.x), y.at(worst.ulps or 0.0)
    title = element("title", escape(f"worst: {ulps_text(worst.ulps)} ulps at {worst.x!r}"))
    on_left = at > (_FRAME.x_range[0] + _FRAME.x_range[1]) / 2
    said = element(
        "text",
        escape(f"{ulps_text(worst.ulps)} ulps"),
        class_="worst",
        x=at - 9 if on_left else at + 9,
        y=height + 4,
        text_anchor="end" if on_left else "start",
    )
    return element("circle", title, class_="worst", cx=at, cy=height, r=5) + said
