"""From observations and truths to `verdict` records: every number judged, the worst shown."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from verifier.arithmetic.floats import named, shortest_decimal
from verifier.engine.explaining import Explaining
from verifier.engine.followed import followed_as
from verifier.engine.numbers import Judged, Numbers, Place, short
from verifier.execution.observe import Observation
from verifier.execution.points import Point
from verifier.judge.certain import Certain, Kind, certain
from verifier.judge.number import Judgement, Yardstick, judgement, unexplained
from verifier.judge.text import truth_text
from verifier.model.verdict import Enclosure, NoTruth, NumberClass, NumberVerdict, Truth
from verifier.programs.components import Contraction, Directions, Signature, component_names, contract
from verifier.programs.plan import Program
from verifier.runs.records import Verdict, Witness, Worst
from verifier.truth.in_floats import Columns
from verifier.truth.tensors import ComponentTruths, OrderTruth, View, contracted

__all__ = ["SHOWN_COMPONENTS", "Judging", "witnesses"]

SHOWN_COMPONENTS = 64
"""An entry with more components at an order gets one record per cell, which names the worst of them."""

FLUSHED = "FLUSHED: the device takes subnormal inputs for zero"

_WITNESS_COMPONENTS = 16

_ASKED = 3
"""How many numbers of a record are asked whether rounding explains them, worst first."""


@dataclass(slots=True, kw_only=True)
class Judging:
    """The judgement of one entry: its truths at every point of every dtype, and the yardstick of every target."""

    entry: str
    signature: Signature
    signs: Directions
    points: Mapping[str, Sequence[Point]]
    truths: Callable[[str, int, bool], Mapping[int, OrderTruth]]
    """(dtype, point, whether what is negligible may be left open) -> order -> derivative tensor: `FormulaTruth.at`."""
    columns: Mapping[str, Mapping[View, Columns]]
    """Dtype -> (order, contraction) -> the truths at its points in floats, as far as they are known so."""
    yardsticks: Mapping[tuple[str, str], Yardstick]
    """(dtype, device) -> yardstick."""
    explaining: Explaining | None = None
    """What LOSSY numbers are asked; None leaves them LOSSY."""
    _contracted: dict[tuple[str, int, int, Contraction, bool], ComponentTruths] = field(default_factory=dict)
    _floats: dict[tuple[str, int, int, Contraction], np.ndarray] = field(default_factory=dict)
    _tensors: dict[tuple[str, int, bool], Mapping[int, OrderTruth]] = field(default_factory=dict)
    _judgements: dict[tuple[int, str, str], Judgement] = field(default_factory=dict)
    """(identity of a truth, dtype, device) -> its judgement; truths live as long as `_contracted`."""
    _records: dict[Hashable, Sequence[Verdict]] = field(default_factory=dict)
    """The records of numbers that several programs compute alike."""

    def truth(
        self, dtype: str, point: int, order: int, contraction: Contraction, *, settled: bool = True
    ) -> ComponentTruths:
        """The truth of every component of a (contracted) derivative at a point."""
        key = (dtype, point, order, contraction, settled)
        if key not in self._contracted:
            tensor = self.tensors(dtype, point, settled=settled)[order]
            columns = self.columns.get(dtype, {}).get((order, contraction))
            conditions = None if columns is None else columns.condition[point].tolist()
            self._contracted[key] = self._contract(tensor, order, contraction, conditions)
        return self._contracted[key]

    def tensors(self, dtype: str, point: int, *, settled: bool = True) -> Mapping[int, OrderTruth]:
        """The derivative tensors at a point, of every order."""
        key = (dtype, point, settled)
        if key not in self._tensors:
            self._tensors[key] = self.truths(*key)
        return self._tensors[key]

    def _contract(
        self, tensor: OrderTruth, order: int, contraction: Contraction, conditions: Sequence[float] | None
    ) -> ComponentTruths:
        summed = partial(contract, signature=self.signature, order=order, contraction=contraction, along=self.signs)
        found = contracted(tensor, summed)
        return ComponentTruths(
            values=found.values,
            moving=found.moving,
            complete=found.complete,
            bits=found.bits,
            conditions=conditions,
        )

    def number(self, observation: Observation, row: int, component: int) -> Judged:
        """One number of an observation, judged exactly; `row` counts the points of the observation."""
        (found,) = self._judged(observation, row, [component])
        return self._known(observation, found)

    def _judged(self, observation: Observation, row: int, components: Sequence[int]) -> Iterator[Judged]:
        """Numbers at one point."""
        assert observation.values is not None
        point, values = observation.points[row], observation.values[row].tolist()
        truths = self.truth(observation.dtype, point, observation.order, _contraction(observation))
        for each in components:
            verdict = self._judge(observation, point, values[each], truths[each])
            yield Judged(point=point, component=each, value=values[each], truth=truths[each], verdict=verdict)

    def _known(self, observation: Observation, number: Judged) -> Judged:
        """The same where it matters whether the truth is zero, which is no failure: beyond the yardstick."""
        verdict, key = number.verdict, (observation.dtype, number.point, observation.order, _contraction(observation))
        if not number.truth.may_be_zero or not (verdict.fails or verdict.kind is NumberClass.UNDECIDED):
            return number
        truth = self.truth(*key, settled=False)[number.component]
        return replace(number, truth=truth, verdict=self._judge(observation, number.point, number.value, truth))

    def numbers(self, observation: Observation) -> Numbers:
        """Every number of an observation: what is certainly accurate in floats, and the others judged one by one."""
        assert observation.values is not None
        known = self._certain(observation)
        unknown = known.kind == Kind.NOTHING
        rows = ((row, np.nonzero(unknown[row])[0].tolist()) for row in np.nonzero(unknown.any(axis=1))[0].tolist())
        exact = {(row, each.component): each for row, found in rows for each in self._judged(observation, row, found)}
        return Numbers(known=known, exact=exact, components=range(observation.values.shape[1]))

    def _computed(self, observation: Observation) -> Hashable:
        """What the judgement of an observation's numbers rests on: the numbers, of what they are, and the yardstick."""
        assert observation.values is not None
        numbers = hashlib.sha256(observation.values.tobytes()).digest()
        yardstick = self.yardsticks[observation.dtype, observation.device]
        view = (observation.order, _contraction(observation), _is_symbolic(observation))
        return numbers, view, observation.dtype, yardstick, observation.points

    def _certain(self, observation: Observation) -> Certain:
        """What floats tell; nothing about a failure where the target may have taken a subnormal input for zero."""
        values, view = observation.values, (observation.order, _contraction(observation))
        yardstick, rows = self.yardsticks[observation.dtype, observation.device], list(observation.points)
        assert values is not None
        mine = self._in_floats(observation.dtype, rows, view)
        found = certain(values, mine.high, mine.low, mine.condition, yardstick, mine.scale, mine.radius)
        failing = found.kind == Kind.FAILING
        if not (yardstick.flushes_subnormals and failing.any()):
            return found
        flushed = np.array([[self._is_subnormal(observation.dtype, point)] for point in rows])
        return found.but(failing & flushed)

    def _in_floats(self, dtype: str, points: Sequence[int], view: tuple[int, Contraction]) -> Columns:
        """The truths of a view at some points, one by one where there are no columns."""
        if columns := self.columns.get(dtype, {}).get(view):
            return columns.rows(points)
        for point in points:
            if (dtype, point, *view) not in self._floats:
                self._floats[dtype, point, *view] = self.truth(dtype, point, *view).in_floats()
        return Columns.of(np.stack([self._floats[dtype, point, *view] for point in points]))

    def _judge(self, observation: Observation, point: int, value: float, truth: Truth) -> NumberVerdict:
        if _is_symbolic(observation) and not isinstance(truth.value, Enclosure | NoTruth):
            return NumberVerdict(kind=NumberClass.CONVENTION, reason="the symbolic derivative is undefined here")
        key = (id(truth), observation.dtype, observation.device)
        yardstick = self.yardsticks[observation.dtype, observation.device]
        if key not in self._judgements:
            self._judgements[key] = judgement(truth, yardstick)
        verdict = self._judgements[key](value)
        if verdict.fails and yardstick.flushes_subnormals and self._is_subnormal(observation.dtype, point):
            return replace(verdict, fails=self._is_declared(observation.dtype, point), reason=FLUSHED)
        return verdict

    def _is_subnormal(self, dtype: str, point: int) -> bool:
        """Whether an input at the point is a subnormal number, which a flushing target takes for zero."""
        smallest = named(dtype).smallest_normal
        return any(0 < abs(x) < smallest for leaf in self.points[dtype][point].values for x in leaf)

    def _is_declared(self, dtype: str, point: int) -> bool:
        return self.points[dtype][point].origin == "declared"

    def records(self, observation: Observation) -> list[Verdict]:
        """The verdict records of one observation: one per component, or one for all where there are many."""
        names = component_names(self.signature, observation.order, _contraction(observation))
        if observation.values is None:
            return [self._failed(observation, len(names))]
        computed = (self._computed(observation), observation.device.partition(":")[0])
        mine = (*computed, followed_as(observation.program, observation.order))
        known = self._records.get(computed) or self._records.get(mine)
        if known is None:
            numbers = self.numbers(observation)
            several = len(names) > SHOWN_COMPONENTS
            parts = [numbers] if several else [numbers.of(component) for component in range(len(names))]
            known = [self._record(observation, names, each) for each in parts]
            # Only where it is asked what rounding explains does it matter which program computed the numbers.
            self._records[mine if numbers.may_be_asked() else computed] = known
        return [replace(each, program=observation.program, device=observation.device) for each in known]

    def _record(self, observation: Observation, names: Sequence[str], numbers: Numbers) -> Verdict:
        worth = {place: self.number(observation, *place) for place in numbers.worth_judging()}
        judged, worst = self._asked(observation, {**numbers.exact, **worth})
        ulps, budget = numbers.shown(judged)
        return Verdict(
            entry=self.entry,
            order=observation.order,
            program=observation.program,
            dtype=observation.dtype,
            device=observation.device,
            component=names[worst.component],
            components=len(numbers.components),
            verdict=worst.verdict.kind,
            fails=worst.verdict.fails and not _is_symbolic(observation),
            counts=numbers.counts(judged),
            points=len(observation.points),
            worst=self._worst(worst, observation.dtype),
            ulps=self._by_point(observation, ulps),
            budget=self._by_point(observation, budget),
        )

    def _by_point(self, observation: Observation, found: Sequence[float | None]) -> tuple[float | None, ...]:
        """What was found at the points of the observation, at their places among all points of the dtype."""
        shown: list[float | None] = [None] * len(self.points[observation.dtype])
        for point, each in zip(observation.points, found, strict=True):
            shown[point] = each
        return tuple(shown)

    def _asked(self, observation: Observation, numbers: Mapping[Place, Judged]) -> tuple[dict[Place, Judged], Judged]:
        """The worst number asked whether rounding explains it; where that acquits it, the next worst, and so on."""
        found = dict(sorted(numbers.items()))
        for _ in range(_ASKED):
            place, worst = self._worst_of(observation, found)
            asked = replace(worst, verdict=self._explained(observation, worst))
            if asked == worst:
                return found, worst
            found[place] = asked
        return found, self._worst_of(observation, found)[1]

    def _worst_of(self, observation: Observation, found: dict[Place, Judged]) -> tuple[Place, Judged]:
        """The worst number, known as far as that matters; `found` is brought up to date."""
        while True:
            place, worst = max(found.items(), key=_severity)
            known = self._known(observation, worst)
            if known == worst:
                return place, worst
            found[place] = known

    def _explained(self, observation: Observation, number: Judged) -> NumberVerdict:
        """LOSSY at a true zero is judged again in u S; what stays LOSSY is FAULTY where no rounding explains it."""
        verdict, truth = number.verdict, number.truth
        if verdict.kind is not NumberClass.LOSSY or self.explaining is None or _is_symbolic(observation):
            return verdict
        explanation = self.explaining.of(observation, number.point)
        if truth.is_zero and not truth.presumed:
            weighed = replace(truth, summands=explanation.summands(number.component))
            verdict = judgement(weighed, self.yardsticks[observation.dtype, observation.device])(number.value)
        if verdict.kind is NumberClass.LOSSY and explanation.explains(number.component, number.value) is False:
            return unexplained(verdict, explanation.reach(number.component))
        return verdict

    def _worst(self, number: Judged, dtype: str) -> Worst:
        point = self.points[dtype][number.point]
        return Worst(
            point=number.point,
            label=point.label,
            inputs=witnesses(self.signature, point, dtype),
            value=number.value.hex(),
            decimal=shortest(number.value, dtype),
            truth=truth_text(number.truth.value),
            ulps=short(number.verdict.ulps),
            lost_bits=short(number.verdict.lost_bits),
            yardstick=short(number.verdict.budget),
            reason=number.verdict.reason,
        )

    def _failed(self, observation: Observation, components: int) -> Verdict:
        """A program that JAX could not build or run."""
        return Verdict(
            entry=self.entry,
            order=observation.order,
            program=observation.program,
            dtype=observation.dtype,
            device=observation.device,
            component="*",
            components=components,
            verdict=NumberClass.FAILED,
            fails=True,
            counts={NumberClass.FAILED: 1},
            points=0,
            worst=Worst(point=0, value="nan", decimal="", truth="", reason=observation.reason or ""),
        )


def _severity(number: tuple[Place, Judged]) -> tuple[bool, int, float]:
    return number[1].verdict.severity


def _is_symbolic(observation: Observation) -> bool:
    """The lowered symbolic derivative: a column to compare with, no program of the user's, so that it never fails a
    run.
    """
    return observation.program.startswith("symbolic/")


def _contraction(observation: Observation) -> Contraction:
    transform, _, compilation = observation.program.partition("/")
    return Program(transform, compilation, observation.order).contraction


def witnesses(signature: Signature, point: Point, dtype: str) -> dict[str, tuple[Witness, ...]]:
    """The components of each input leaf, exactly and as short decimals; nothing for an entry with many components."""
    if signature.size > _WITNESS_COMPONENTS:
        return {}
    return {
        leaf.name: tuple(Witness(hex=x.hex(), decimal=shortest(x, dtype)) for x in values)
        for leaf, values in zip(signature.leaves, point.values, strict=True)
    }


def shortest(value: float, dtype: str) -> str:
    """The shortest decimal that rounds to this member of the dtype; `nan` and `inf` as they are."""
    return shortest_decimal(value, named(dtype)) if math.isfinite(value) else str(value)
