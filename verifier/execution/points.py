"""The points at which an entry is checked: declared, special, and a seeded sample of the domain, as members of a dtype.

The sample is drawn from Philox's raw words, whose sequence numpy guarantees (that of its distributions it does not).
A larger sample begins with the smaller one.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from verifier.arithmetic import floats
from verifier.arithmetic.floats import Format
from verifier.model.catalog import Input

__all__ = ["MANY", "ORIGINS", "Point", "empty_domains", "points"]

ORIGINS = ("declared", "special", "uniform", "ordinal")

Values = tuple[tuple[float, ...], ...]
_Row = tuple[str, str, tuple[float, ...]]
"""Origin, label, and all components in one row."""

_WORD = 2**64
_MIXED_SPECIALS = 4
"""Points of a multivariate entry whose components are special values chosen independently."""
MANY = 16
"""With more components than this there are no special points: one is as good as another in so many dimensions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A point: for each leaf (catalog order) its components in C order, each a member of the dtype."""

    origin: str
    values: Values
    label: str = ""


@dataclass(frozen=True, slots=True)
class _Range:
    """The members of a dtype inside one component's domain: `low <= x <= high`."""

    low: float
    high: float

    def holds(self, x: float) -> bool:
        return self.low <= x <= self.high


def points(
    inputs: Sequence[Input], dtype: str, *, seed: int, entry: str, samples: int, declared: Iterable[Point] = ()
) -> tuple[Point, ...]:
    """The points of an entry in a dtype, declared ones first and none twice.

    Only declared ones may lie outside the domain. Where it holds no member of the dtype, there are no others.
    """
    form = floats.named(dtype)
    found = list(declared)
    ranges = _ranges(inputs, form)
    if ranges is not None:
        words = _words(f"{seed}:{entry}:{dtype}")
        found += _with_leaves(_specials(ranges, form, words), inputs)
        found += _with_leaves(_sample(ranges, form, _words(f"{seed}:{entry}:{dtype}:sample"), samples), inputs)
    return tuple(_distinct(found))


def _distinct(found: Iterable[Point]) -> Iterator[Point]:
    """Each place once, as the first point there: that of a declared point keeps its label."""
    seen: set[Values] = set()
    for each in found:
        if each.values not in seen:
            seen.add(each.values)
            yield each


def _ranges(inputs: Iterable[Input], form: Format) -> tuple[_Range, ...] | None:
    """One range per component; None where a domain holds no member."""
    found: list[_Range] = []
    for each in inputs:
        span = _range(each, form)
        if span is None:
            return None
        found += [span] * math.prod(each.shape)
    return tuple(found)


def _range(each: Input, form: Format) -> _Range | None:
    low, high = floats.nearest_inside(each.lower, form, up=True), floats.nearest_inside(each.upper, form, up=False)
    return None if low > high else _Range(low, high)


def empty_domains(inputs: Iterable[Input], dtype: str) -> tuple[Input, ...]:
    """The inputs in whose domain no number of the dtype lies."""
    return tuple(each for each in inputs if _range(each, floats.named(dtype)) is None)


def _specials(ranges: Sequence[_Range], form: Format, words: Iterator[int]) -> Iterator[_Row]:
    """Special values inside the domain: the same in all components, then mixtures; none where components are many."""
    if len(ranges) > MANY:
        return
    for label, value in _common(form):
        if all(each.holds(value) for each in ranges):
            yield "special", label, (value,) * len(ranges)
    yield "special", "lower end of the domain", tuple(each.low for each in ranges)
    yield "special", "upper end of the domain", tuple(each.high for each in ranges)
    yield from _edges(ranges[0], form) if len(ranges) == 1 else _mixtures(ranges, form, words)


def _mixtures(ranges: Sequence[_Range], form: Format, words: Iterator[int]) -> Iterator[_Row]:
    """Points whose components are special values chosen independently."""
    choices = [_choices(each, form) for each in ranges]
    for _ in range(_MIXED_SPECIALS):
        yield "special", "special values mixed", tuple(choice[_below(len(choice), words)] for choice in choices)


def _common(form: Format) -> tuple[tuple[str, float], ...]:
    normal, subnormal = form.smallest_normal, form.smallest_subnormal
    return (
        ("zero", 0.0),
        ("one", 1.0),
        ("minus one", -1.0),
        ("smallest normal", normal),
        ("minus smallest normal", -normal),
        ("smallest subnormal", subnormal),
        ("minus smallest subnormal", -subnormal),
    )


def _edges(span: _Range, form: Format) -> Iterator[_Row]:
    """The largest power of two inside, of each sign, and its neighbour nearer to zero: where the ulp changes."""
    for sign, end in ((1.0, span.high), (-1.0, -span.low)):
        if end < form.smallest_normal:
            continue
        power = sign * math.ldexp(1.0, math.frexp(end)[1] - 1)
        nearer = floats.neighbours(power, form)[0 if sign > 0 else 1]
        yield from (("special", "edge of a power of two", (x,)) for x in (power, nearer) if span.holds(x))


def _choices(span: _Range, form: Format) -> tuple[float, ...]:
    common = (value for _, value in _common(form) if span.holds(value))
    return tuple(dict.fromkeys((*common, span.low, span.high)))


def _sample(ranges: Sequence[_Range], form: Format, words: Iterator[int], count: int) -> Iterator[_Row]:
    """Alternately uniform in value and in ordinals, each component by itself."""
    draws = (("uniform", _uniform), ("ordinal", _ordinal))
    for index in range(count):
        origin, draw = draws[index % 2]
        yield origin, "", tuple(draw(each, form, words) for each in ranges)


def _uniform(span: _Range, form: Format, words: Iterator[int]) -> float:
    """low + (high - low) U, written so that it cannot overflow, rounded and kept inside."""
    share = (next(words) >> 11) / 2**53
    value = span.low * (1.0 - share) + span.high * share
    return max(span.low, min(span.high, floats.round_to(value, form))) + 0.0  # never -0.0


def _ordinal(span: _Range, form: Format, words: Iterator[int]) -> float:
    first, last = floats.ordinal(span.low, form), floats.ordinal(span.high, form)
    return floats.from_ordinal(first + _below(last - first + 1, words), form)


def _below(count: int, words: Iterator[int]) -> int:
    """A number in 0..count-1, its bias below 2^-64."""
    return (next(words) * _WORD + next(words)) * count // (_WORD * _WORD)


def _words(key: str) -> Iterator[int]:
    """Endless 64-bit words, the same for the same key on every machine and version."""
    digest = hashlib.sha256(key.encode()).digest()
    generator = np.random.Philox(key=int.from_bytes(digest[:16], "little"))
    while True:
        yield int(generator.random_raw())


def _with_leaves(rows: Iterable[_Row], inputs: Sequence[Input]) -> Iterator[Point]:
    for origin, label, flat in rows:
        yield Point(origin=origin, label=label, values=_split(flat, inputs))


def _split(flat: tuple[float, ...], inputs: Sequence[Input]) -> Values:
    parts, start = [], 0
    for each in inputs:
        parts.append(flat[start : start + math.prod(each.shape)])
        start += math.prod(each.shape)
    return tuple(parts)
