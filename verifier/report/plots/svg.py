"""SVG text: elements with escaped attributes, short coordinates, and the frame that every plot shares."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from verifier.report.plots.scales import Scale

__all__ = ["Frame", "axes", "dots", "element", "label_width", "path", "picture", "simplified"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The size of a plot and the margins around its data, in its own pixels."""

    width: int = 480
    height: int = 320
    left: int = 58
    right: int = 14
    top: int = 14
    bottom: int = 46

    @property
    def x_range(self) -> tuple[int, int]:
        return self.left, self.width - self.right

    @property
    def y_range(self) -> tuple[int, int]:
        """From the bottom up, as values grow."""
        return self.height - self.bottom, self.top


def element(tag: str, *children: Markup | str, **attributes: str | float | None) -> Markup:
    """`<tag a="b">children</tag>`; `class_` becomes `class`, `stroke_width` `stroke-width`, and None leaves one out."""
    given = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(_short(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    inner = Markup("").join(children)
    return Markup(f"<{tag}{given}/>") if not children else Markup(f"<{tag}{given}>{inner}</{tag}>")


def path(points: Iterable[tuple[float, float]], *, close: bool = False) -> str:
    """Path data through the points, to a tenth of a pixel, each step relative to the last."""
    parts: list[str] = []
    last: tuple[int, int] | None = None
    for x, y in points:
        here = (round(x * 10), round(y * 10))
        if last is None:
            parts.append(f"M{_tenths(here[0])} {_tenths(here[1])}")
        elif here != last:
            parts.append(f"l{_tenths(here[0] - last[0])} {_tenths(here[1] - last[1])}")
        last = here
    return "".join(parts) + ("z" if close else "")


def dots(points: Iterable[tuple[float, float]], grain: tuple[int, int] = (1, 1)) -> str:
    """Path data that puts a dot where a point is, to `grain` pixels in x and y: strokes of no length, stepwise."""
    wide, high = grain
    pixels = sorted({(wide * round(x / wide), high * round(y / high)) for x, y in points})
    steps = (
        f"m{x - last_x} {y - last_y}h0" for (last_x, last_y), (x, y) in zip([(0, 0), *pixels], pixels, strict=False)
    )
    return "".join(steps)


def simplified(points: Sequence[tuple[float, float]], tolerance: float = 0.5) -> list[tuple[float, float]]:
    """The corners of a line that stays within `tolerance` pixels of all points, in height. x must not decrease.

    Source: Ramer 1972, Douglas and Peucker 1973, with the vertical distance.
    """
    kept, spans = {0, len(points) - 1}, [(0, len(points) - 1)]
    while spans:
        first, last = spans.pop()
        (x0, y0), (x1, y1) = points[first], points[last]
        slope = (y1 - y0) / (x1 - x0) if x1 != x0 else 0.0
        gaps = [abs(points[k][1] - y0 - slope * (points[k][0] - x0)) for k in range(first + 1, last)]
        if gaps and max(gaps) > tolerance:
            middle = first + 1 + gaps.index(max(gaps))
            kept.add(middle)
            spans += [(first, middle), (middle, last)]
    return [points[k] for k in sorted(kept)]


def picture(frame: Frame, label: str, *children: Markup) -> Markup:
    """The `<svg>` itself, with a text alternative."""
    return element(
        "svg", *children, class_="plot", viewBox=f"0 0 {frame.width} {frame.height}", role="img", aria_label=label
    )


def axes(frame: Frame, x: Scale, y: Scale, *, x_label: str, y_label: str, grid: bool = True) -> Markup:
    """Both axes with ticks, their labels and a faint horizontal grid."""
    (left, right), (bottom, top) = frame.x_range, frame.y_range
    rows = [(round(y.at(tick.value)), tick.label) for tick in y.ticks()]
    columns = [(round(x.at(tick.value)), tick.label) for tick in x.ticks()]
    lines = "".join(f"M{left} {at}h{right - left}" for at, _ in rows)
    strokes = "".join(f"M{at} {bottom}v4" for at, _ in columns)
    parts = [element("path", class_="grid", d=lines)] if grid and rows else []
    parts += [element("text", escape(label), class_="row", x=left - 7, y=at + 4) for at, label in rows]
    parts += [element("text", escape(label), class_="tick", x=at, y=bottom + 18) for at, label in columns]
    parts.append(element("path", class_="axis", d=f"M{left} {bottom}h{right - left}{strokes}"))
    parts.append(element("text", escape(x_label), class_="label", x=(left + right) / 2, y=frame.height - 8))
    middle = (top + bottom) / 2
    turned = f"rotate(-90 13 {_short(middle)})"
    parts.append(element("text", escape(y_label), class_="label", x=13, y=middle, transform=turned))
    return Markup("").join(parts)


def label_width(scale: Scale) -> int:
    """A left margin that holds the scale's labels beside the axis' own label."""
    return 34 + round(7.2 * max((len(tick.label) for tick in scale.ticks()), default=1))


def _short(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.1f}".removesuffix(".0")


def _tenths(value: int) -> str:
    whole, tenth = divmod(abs(value), 10)
    sign = "-" if value < 0 else ""
    return f"{sign}{whole}.{tenth}" if tenth else f"{sign}{whole}"
