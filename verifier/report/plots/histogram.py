"""How far errors stay below the yardstick: a histogram of error / yardstick in powers of two."""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt
from markupsafe import Markup, escape

from verifier.report.plots.scales import Linear, Tick, power_label
from verifier.report.plots.svg import Frame, axes, element, picture

__all__ = ["draw", "tally"]

_FRAME = Frame(width=400, height=200, bottom=46)
_LOW, _HIGH = -12, 12


def tally(errors: npt.NDArray[np.float64], yardsticks: npt.NDArray[np.float64]) -> Counter[int]:
    """How many errors over their yardsticks fall into each power of two, k for 2^k <= ratio < 2^(k+1).

    NaN stands for none; what lacks either, or has a yardstick of zero, is not counted. The ends collect what lies
    beyond.
    """
    known = ~np.isnan(errors) & ~np.isnan(yardsticks) & (yardsticks != 0)
    with np.errstate(divide="ignore", over="ignore"):
        powers = np.floor(np.log2(errors[known] / yardsticks[known]))
    powers, numbers = np.unique(np.clip(powers, _LOW, _HIGH), return_counts=True)
    return Counter({int(power): int(number) for power, number in zip(powers, numbers, strict=True)})


class _Powers(Linear):
    """The x axis: positions are exponents, labels are powers of two."""

    def ticks(self) -> tuple[Tick, ...]:
        return tuple(Tick(k, power_label(k).replace("10", "2", 1) if k else "1") for k in range(_LOW, _HIGH + 1, 4))


def draw(counts: Counter[int], *, dtype: str) -> Markup:
    """Bars up to the yardstick in one colour, beyond it in another; heights are shares of all numbers, in per cent."""
    whole = sum(counts.values()) or 1
    tallest = 100 * max(counts.values(), default=0) / whole
    x = _Powers(low=_LOW, high=_HIGH + 1, start=_FRAME.x_range[0], stop=_FRAME.x_range[1])
    y = Linear(low=0, high=max(tallest * 1.08, 1), start=_FRAME.y_range[0], stop=_FRAME.y_range[1], wanted=4)
    frame = axes(_FRAME, x, y, x_label="error / yardstick", y_label="% of numbers")
    return picture(
        _FRAME, f"Distribution of error over yardstick in {dtype}", frame, _bars(counts, whole, x, y), _line(x)
    )


def _bars(counts: Counter[int], whole: int, x: Linear, y: Linear) -> Markup:
    floor = _FRAME.y_range[0]
    parts = []
    for k, number in sorted(counts.items()):
        share = 100 * number / whole
        top = min(y.at(share), floor - 1)
        title = element("title", escape(f"{number:,} numbers ({share:.2g} %)"))
        tone = "bar good" if k < 0 else "bar bad"
        parts.append(
            element(
                "rect", title, class_=tone, x=x.at(k) + 1, y=top, width=x.at(k + 1) - x.at(k) - 2, height=floor - top
            )
        )
    return Markup("").join(parts)


def _line(x: Linear) -> Markup:
    bottom, top = _FRAME.y_range
    label = element("text", escape("yardstick"), class_="mark", x=x.at(0) + 5, y=top + 10)
    return element("line", class_="budget", x1=x.at(0), x2=x.at(0), y1=bottom, y2=top) + label
