"""The numbers of one observation: most judged in floats, what is not certain there one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from verifier.judge.certain import Certain, Kind
from verifier.model.verdict import NumberClass, NumberVerdict, Truth

__all__ = ["Judged", "Numbers", "Place", "short"]

Place = tuple[int, int]
"""Row (a point of the observation) and component."""

_NEAR = 1 - 2.0**-29
"""Errors nearer than this to the largest are compared exactly: floats know them to 2^-33."""
_NONE = (-2.0, -1)
_ASKED = (NumberClass.LOSSY, NumberClass.UNDECIDED)
_KINDS = tuple(kind for kind in Kind if kind is not Kind.NOTHING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One number with its truth and its judgement; `point` counts the points of the dtype."""

    point: int
    component: int
    value: float
    truth: Truth
    verdict: NumberVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """`known` has a row for each point and a column for each of `components`; the numbers it leaves out are `exact`."""

    known: Certain
    exact: Mapping[Place, Judged] = field(default_factory=dict)
    components: Sequence[int]

    def of(self, component: int) -> Numbers:
        """Those of one component."""
        place = self.components.index(component)
        exact = {each: judged for each, judged in self.exact.items() if each[1] == component}
        return Numbers(known=self.known.columns(slice(place, place + 1)), exact=exact, components=[component])

    def may_be_asked(self) -> bool:
        """Whether it may matter what rounding explains: a number is LOSSY, or may be so once its truth is known."""
        lossy = np.isin(self.known.kind, (Kind.LOSSY, Kind.FAILING)).any()
        return bool(lossy) or any(each.verdict.fails or each.verdict.kind in _ASKED for each in self.exact.values())

    def worth_judging(self) -> Iterator[Place]:
        """The numbers whose exact judgement the record shows, or that decide which is the worst at its point."""
        chosen = self._contested()
        for kind in _KINDS:
            chosen |= self._worst(kind)
        rows, places = np.nonzero(chosen)
        yield from ((int(row), self.components[int(place)]) for row, place in zip(rows, places, strict=True))

    def _worst(self, kind: Kind) -> np.ndarray:
        """The first of a kind whose error is largest in floats, thus to 2^-33."""
        measured = self.known.lost_bits if kind in (Kind.LOSSY, Kind.FAILING) else np.nan_to_num(self.known.ulps)
        mine = self.known.kind == kind
        worst = np.zeros(mine.shape, bool)
        worst.flat[np.argmax(np.where(mine, measured, -np.inf))] = True
        return worst & mine

    def counts(self, judged: Mapping[Place, Judged]) -> dict[str, int]:
        """How many numbers are of each class, those `judged` as they were judged."""
        kinds = self.known.kind.copy()
        for row, component in judged:
            kinds[row, self.components.index(component)] = Kind.NOTHING
        counted = Counter(number.verdict.kind for number in judged.values())
        for kind in _KINDS:
            counted[kind.number_class] += int(np.count_nonzero(kinds == kind))
        return {each: counted[each] for each in NumberClass if counted[each]}

    def _contested(self) -> np.ndarray:
        """At points where it matters which component is the worst: its error or its yardstick would be shown."""
        ratios = self._ratios()
        largest = ratios.max(axis=1, keepdims=True, initial=-1.0)
        near = (ratios >= largest * _NEAR) & (largest > 0)
        shown = (self.known.shown_ulps, self.known.shown_budget)
        differ = [_largest(each, near) != -_largest(-each, near) for each in shown]
        return near & (differ[0] | differ[1])

    def _ratios(self) -> np.ndarray:
        """Error over yardstick; -1 where nothing is certain or there is no ulp."""
        certain = (self.known.kind != Kind.NOTHING) & ~np.isnan(self.known.ulps)
        return np.where(certain, self.known.ulps / np.where(certain, self.known.budget, 1.0), -1.0)

    def shown(self, judged: Mapping[Place, Judged]) -> tuple[list[float | None], list[float | None]]:
        """Error and yardstick of the worst component at each point, `judged` being what is known exactly."""
        ratios = self._ratios()
        for row, component in judged:
            ratios[row, self.components.index(component)] = -1.0
        last = ratios.shape[1] - 1 - np.argmax(ratios[:, ::-1], axis=1)  # of equal ones the last
        rows = np.arange(len(last))
        measured = ratios[rows, last] >= 0
        ulps, budget = (
            [number if known else None for number, known in zip(each[rows, last].tolist(), measured, strict=True)]
            for each in (self.known.shown_ulps, self.known.shown_budget)
        )
        best = {row: (float(ratios[row, last[row]]), int(last[row])) if measured[row] else _NONE for row, _ in judged}
        for (row, component), number in judged.items():
            here = (_ratio(number.verdict), self.components.index(component))
            if here >= best[row]:
                best[row] = here
                ulps[row], budget[row] = short(number.verdict.ulps), short(number.verdict.budget)
        return ulps, budget


def _largest(numbers: np.ndarray, where: np.ndarray) -> np.ndarray:
    return np.max(numbers, axis=1, keepdims=True, initial=-np.inf, where=where)


def _ratio(verdict: NumberVerdict) -> float:
    """Orders the components of a point by error over budget; what has no error (NaN, no truth) comes last."""
    return verdict.ulps / verdict.budget if verdict.ulps is not None and verdict.budget else -1.0


def short(number: float | None) -> float | None:
    """Four significant digits: what a reader or a plot needs of an error."""
    return None if number is None else float(f"{number:.4g}")
