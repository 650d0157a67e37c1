"""Balls as floats: numbers in two parts, and the sizes of moves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from flint import arb

__all__ = ["ACCURATE_BITS", "Columns", "largest_of", "parts", "sum_of"]

ACCURATE_BITS = 108
"""Bits of every truth in floats: its radius is far below the 2^-48 ulp of float64 to which errors are measured."""

TINY, TINY_SCALE = 2.0**-900, 1074
"""Below it the floats of the judgement underflow, and numbers are scaled (`judge.certain`)."""

_ABOVE, _LEAST = 1 + 2.0**-50, 2.0**-1074
_CONDITION_BITS = 60
_FAR_BELOW = 2.0**-120
_ZERO = arb(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Truths of one view at many points, each array of shape (points, components).

    high + low is the truth times 2^scale, to 2^-105 of it, exactly where low is 0; what is below 2^-900 even so is
    2^-900 there. Where low is NaN, no more is known than that the truth is within `radius` of high, and nothing where
    that is NaN, too. `condition` is that of Truth, to 2^-34 of |truth| + condition or to 2^-1055, NaN where that is not
    certified.
    """

    high: np.ndarray
    low: np.ndarray
    scale: np.ndarray
    radius: np.ndarray
    condition: np.ndarray

    @classmethod
    def of(cls, known: np.ndarray) -> Self:
        """From an array (points, components, 5), its last axis the fields in order; a scale that is NaN is none."""
        high, low, scale, radius, condition = np.moveaxis(known, 2, 0)
        return cls(high=high, low=low, scale=np.nan_to_num(scale).astype(int), radius=radius, condition=condition)

    def rows(self, chosen: Sequence[int]) -> Columns:
        """Those of some points."""
        return Columns(**{each.name: getattr(self, each.name)[chosen] for each in fields(self)})


def parts(ball: arb) -> tuple[float, float, float, float]:
    """(high, low, scale, radius): high + low is the midpoint of a ball times 2^scale to 2^-106 of it.

    Low is 0 only where the ball is exactly high, else its sign is that of the rest (for a rest of 0, that of high). The
    radius is below 2^-ACCURATE_BITS of the midpoint: rel_accuracy_bits compares the positions of their top bits. The
    scale is TINY_SCALE for what is below TINY, else 0; what is below TINY even so is given as that times its sign.

    Of a wider ball high and radius enclose it, and low is NaN; of others the radius is NaN.
    """
    if ball.rel_accuracy_bits() < ACCURATE_BITS:
        middle = float(ball.mid())
        return middle, math.nan, 0.0, float((ball - middle).abs_upper()) * _ABOVE + _LEAST
    high, scale = float(ball), 0
    if abs(high) < TINY and not ball.is_zero():
        ball, scale = ball * arb(2) ** TINY_SCALE, TINY_SCALE
        high = float(ball)
        if abs(high) < TINY:
            return math.copysign(TINY, 1.0 if ball > 0 else -1.0), 0.0, scale, math.nan
    rest = ball - high
    low = float(rest)
    if low or ball.is_exact():
        return high, low, scale, math.nan
    middle = rest.mid()  # on which side of a power of two the midpoint is decides its ulp
    return high, math.copysign(high * _FAR_BELOW, 1.0 if middle > 0 else -1.0 if middle < 0 else high), scale, math.nan


def sum_of(ball: arb, moves: Sequence[arb]) -> float:
    """The sum of |moves|, to 2^-52 of itself and of |ball|; NaN where it is not known so well."""
    return _size(ball, sum(map(abs, moves), _ZERO))


def largest_of(ball: arb, moves: Sequence[arb]) -> float:
    """The largest of |moves|, each to 2^-52 of itself and of |ball|; NaN where one is not known so well."""
    sizes = [_size(ball, abs(move)) for move in moves]
    return math.nan if any(map(math.isnan, sizes)) else max(sizes)


def _size(ball: arb, size: arb) -> float:
    return float(size) if (size + abs(ball)).rel_accuracy_bits() >= _CONDITION_BITS else math.nan
