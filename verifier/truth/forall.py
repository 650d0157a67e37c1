"""A statement for every point of a box: proved by interval evaluation and bisection, or refuted at a point."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

import numpy as np
from flint import arb

from verifier.arithmetic.elements import Element, exact_ball
from verifier.arithmetic.precision import working_precision

__all__ = ["Box", "Everywhere", "everywhere"]

Box = tuple[tuple[Fraction, Fraction], ...]
Point = tuple[Fraction, ...]
Statement = Callable[[Sequence[Element]], bool | None]
"""The truth of a statement on balls: True or False for every point in them, None where they are too wide to tell."""

BOXES = 20_000
"""How many boxes are looked at before giving up: a budget of steps, never of time."""

CORNERS = 64
"""How many corners of a box are looked at: a box in n dimensions has 2^n."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Everywhere:
    """`holds` on the whole box; or does not at `witness`; or None after `boxes` boxes."""

    holds: bool | None
    witness: Point | None = None
    boxes: int = 0


def everywhere(
    statement: Statement, box: Box, bits: int, *, boxes: int | None = None, points: bool = True
) -> Everywhere:
    """Decide a statement on a box; breadth first, so that a counterexample in a corner is found early.

    Without `points` only whole boxes refute it, not a single point of theirs.
    """
    budget = BOXES if boxes is None else boxes
    waiting = deque([box])
    seen = 0
    undecided = False
    with working_precision(bits):
        while waiting and seen < budget:
            seen += 1
            part = waiting.popleft()
            holds = statement([_ball(*side) for side in part])
            if holds:
                continue
            witness = _middle(part) if holds is False else _counterexample(statement, part) if points else None
            if witness is not None:
                return Everywhere(holds=False, witness=witness, boxes=seen)
            halves = tuple(_halves(part))
            undecided = undecided or not halves
            waiting.extend(halves)
    return Everywhere(holds=None if waiting or undecided else True, boxes=seen)


def _counterexample(statement: Statement, box: Box) -> Point | None:
    """The middle or a corner of the box where the statement is certainly false."""
    for point in (_middle(box), *_corners(box)):
        if statement([exact_ball(x) for x in point]) is False:
            return point
    return None


def _middle(box: Box) -> Point:
    return tuple((low + high) / 2 for low, high in box)


def _corners(box: Box) -> Iterator[Point]:
    """All corners of the box, or a seeded choice of them where there are more than the budget has room for."""
    if 2 ** len(box) <= CORNERS:
        yield from product(*box)
        return
    chosen = np.random.default_rng(0).integers(2, size=(CORNERS, len(box)))
    yield from (tuple(side[end] for side, end in zip(box, ends, strict=True)) for ends in chosen)


def _halves(box: Box) -> Iterator[Box]:
    """The box cut in two across its widest side; nothing for a single point."""
    widest = max(range(len(box)), key=lambda axis: box[axis][1] - box[axis][0], default=None)
    if widest is None or box[widest][0] == box[widest][1]:
        return
    low, high = box[widest]
    middle = (low + high) / 2
    yield (*box[:widest], (low, middle), *box[widest + 1 :])
    yield (*box[:widest], (middle, high), *box[widest + 1 :])


def _ball(low: Fraction, high: Fraction) -> arb:
    """The side of a box as a ball; its radius is rounded up, but not across zero, where roots and signs end."""
    if low < 0 and high <= 0:
        return -_ball(-high, -low)
    ball = exact_ball(low).union(exact_ball(high))
    return ball.nonnegative_part() if low >= 0 else ball
