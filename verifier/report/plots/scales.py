"""Scales: from data to a position between two pixels, with the ticks that a reader expects."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

__all__ = ["Linear", "Log", "NearZero", "Scale", "Tick", "nice_step", "number_label", "power_label", "scale_for_points"]


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled value of an axis."""

    value: float
    label: str


class Scale(Protocol):
    """`at(x)` lies between the scale's two ends for x inside its range."""

    def at(self, value: float) -> float: ...

    def ticks(self) -> tuple[Tick, ...]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Linear:
    """Equal steps, with ticks at 1, 2 or 5 times a power of ten."""

    low: float
    high: float
    start: float
    stop: float
    wanted: int = 5

    def at(self, value: float) -> float:
        # Halves, so that a span as wide as all of float64 does not overflow.
        span = self.high / 2 - self.low / 2
        share = (value / 2 - self.low / 2) / span if span else 0.5
        return self.start + share * (self.stop - self.start)

    def ticks(self) -> tuple[Tick, ...]:
        step = nice_step(self.high / self.wanted - self.low / self.wanted)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return tuple(Tick(k * step, number_label(k * step, step)) for k in range(first, last + 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """Equal factors; values at or below `low` lie on its edge. Ticks at powers of ten, thinned to a handful."""

    low: float
    high: float
    start: float
    stop: float
    wanted: int = 5

    def at(self, value: float) -> float:
        clamped = min(max(value, self.low), self.high)
        share = _decades(clamped, self.low) / _decades(self.high, self.low)
        return self.start + share * (self.stop - self.start)

    def ticks(self) -> tuple[Tick, ...]:
        first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
        step = max(1, math.ceil((last - first) / self.wanted))
        return tuple(Tick(10.0**k, power_label(k)) for k in range(-(-first // step) * step, last + 1, step))


@dataclass(frozen=True, slots=True, kw_only=True)
class NearZero:
    """Linear far from zero; a band around zero is logarithmic, so that points a hair from zero stay apart.

    Law: monotone and continuous; |x| <= least is drawn at zero. The band takes `share` of the width.
    """

    low: float
    high: float
    start: float
    stop: float
    edge: float
    least: float
    share: float = 0.25
    outer: Linear = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "outer", Linear(low=self.low, high=self.high, start=self.start, stop=self.stop))

    @property
    def sides(self) -> tuple[float, float]:
        """Widths of the band left and right of zero, in pixels."""
        width = (self.stop - self.start) * self.share
        both = self.low < -self.edge and self.high > self.edge
        left, right = self.low < -self.edge, self.high > self.edge
        return (width / 2, width / 2) if both else (width * left, width * right)

    @property
    def zero(self) -> float:
        left, right = max(0.0, -self.low - self.edge) / 2, max(0.0, self.high - self.edge) / 2
        free = (self.stop - self.start) - sum(self.sides)
        return self.start + free * (left / ((left + right) or 1.0)) + self.sides[0]

    def at(self, value: float) -> float:
        side = self.sides[value > 0]
        if abs(value) <= self.edge:
            depth = _decades(max(abs(value), self.least), self.least) / _decades(self.edge, self.least)
            return self.zero + math.copysign(side * depth, value)
        end, limit = (self.stop, self.high) if value > 0 else (self.start, -self.low)
        edge_at = self.zero + math.copysign(side, value)
        return edge_at + (end - edge_at) * ((abs(value) - self.edge) / (limit - self.edge))

    def ticks(self) -> tuple[Tick, ...]:
        return tuple(each for each in self.outer.ticks() if each.value == 0 or abs(each.value) > 2 * self.edge)


def _decades(value: float, start: float) -> float:
    """log10(value / start), also where the quotient would overflow."""
    return math.log10(value) - math.log10(start)


def scale_for_points(values: Sequence[float], start: float, stop: float) -> Linear | NearZero:
    """Linear, or with a magnified band when a quarter of the points would fall into a pixel or two around zero."""
    low, high = min(values), max(values)
    if low == high:
        low, high = low - 1, high + 1
    edge = high / 100 - low / 100
    hidden = [abs(each) for each in values if 0 < abs(each) < edge]
    if len(hidden) * 4 < len(values) or not low - edge <= 0 <= high + edge:
        return Linear(low=low, high=high, start=start, stop=stop)
    return NearZero(low=low, high=high, start=start, stop=stop, edge=edge, least=max(min(hidden) / 2, 5e-324))


def nice_step(rough: float) -> float:
    """The 1, 2 or 5 times a power of ten nearest above a rough step."""
    if not rough > 0 or not math.isfinite(rough):
        return 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))


def number_label(value: float, step: float) -> str:
    """A tick's text with no more decimals than the step needs."""
    if value and not 1e-4 <= abs(value) < 1e6:
        mantissa, exponent = f"{value:.1e}".split("e")
        head = mantissa.removesuffix(".0").replace("-", "−")
        return f"{head}·{power_label(int(exponent))}"
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return f"{value + 0.0:,.{decimals}f}".replace("-", "−")


def power_label(exponent: int) -> str:
    """-3 -> 10⁻³, 0 -> 1."""
    if exponent in (0, 1):
        return "10" if exponent else "1"
    return "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
