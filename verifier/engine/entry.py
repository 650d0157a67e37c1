"""One entry: prepare, observe, enclose, judge, record."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import numpy as np

from verifier.arithmetic.floats import named
from verifier.engine.blaming import NumberBlame
from verifier.engine.data import data_of, declared_point, require_inside
from verifier.engine.describe import entry_record, failed_entry, point_label
from verifier.engine.exercised import rule_table
from verifier.engine.explaining import Explaining
from verifier.engine.followed import Programs, followed
from verifier.engine.judging import Judging
from verifier.engine.options import Options
from verifier.engine.program import program_of
from verifier.engine.rule_records import WIDE, RuleFindings, rule_findings
from verifier.engine.targets import Targets
from verifier.execution.observe import Observation, observe
from verifier.execution.points import MANY, Point, empty_domains, points
from verifier.judge.number import Yardstick, allowance
from verifier.model.catalog import At, Entry
from verifier.programs.components import Directions, Signature, contract, directions, signature_of
from verifier.programs.layout import Layout
from verifier.programs.listing_runs import ListingRun
from verifier.programs.plan import Plan, Selection, plan
from verifier.runs import records
from verifier.runs.outcome import Outcome
from verifier.symbolic.build import Definitions
from verifier.symbolic.graph import longest_reduction
from verifier.symbolic.lowering import lower_graph
from verifier.truth.formula import FormulaTruth
from verifier.truth.in_floats import Columns
from verifier.truth.routes import conflicts, settled, too_large
from verifier.truth.tensors import Contract, OrderTruth, View
from verifier.truth.workspace import Workspace

__all__ = ["Outcome", "Prepared", "Targets", "prepare", "verify"]

_FEW_POINTS = 8
"""Points from which on it pays to compile the truth."""

_SYMBOLIC_LIMIT = 4096
"""Most components of a symbolic derivative that is lowered to JAX beside autodiff."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """An entry whose formulas are graphs and whose data are exact numbers."""

    entry: Entry
    definitions: Definitions
    data: Mapping[str, np.ndarray]
    workspace: Workspace


def prepare(entry: Entry, listings: Mapping[str, ListingRun]) -> Prepared:
    """Read an entry's formulas and fetch its data; raises what makes the entry FAILED."""
    definitions = Definitions.of(entry)
    data = data_of(entry, listings)
    return Prepared(entry=entry, definitions=definitions, data=data, workspace=Workspace(entry, definitions, data))


def verify(prepared: Prepared, targets: Targets, options: Options) -> Outcome:
    """Judge every number that every program of the entry computes."""
    if prepared.entry.value is None:
        return Outcome(entry=entry_record(prepared, None, {}, []))
    for at in prepared.entry.points:
        require_inside(at, prepared.workspace)
    task = _Task(prepared, options)
    found_points = {dtype: task.points(dtype) for dtype in targets.dtypes}
    if not any(found_points.values()):
        reason = _no_point(prepared.entry, targets.dtypes)
        return Outcome(entry=failed_entry(prepared.entry, reason), skipped=tuple(task.unheld(targets.dtypes)))
    planned = task.plan(found_points, targets)
    observations = task.observe(planned, found_points)
    ruled = task.rules(planned, found_points)
    judging = task.judging(planned, found_points, targets)
    kept = [each for each in observations if not _is_gap(each)]
    verdicts = tuple(record for each in kept for record in judging.records(each))
    contradictions = task.conflicts(judging)
    conflict = "; ".join(contradictions)
    described = entry_record(prepared, judging, found_points, kept)
    if contradictions:
        described = replace(described, status="ORACLE CONFLICT", reason=conflict)
    blame = NumberBlame(rules=ruled.rules, conflict=conflict, programs=task.programs, points=found_points.__getitem__)
    return Outcome(
        entry=described,
        conflicts=len(contradictions),
        verdicts=blame.filled(verdicts),
        rules=ruled.rules,
        skipped=(*task.unheld(targets.dtypes), *_skipped(prepared.entry.id, planned, observations), *ruled.skipped),
        exercised=ruled.exercised,
        jax_rules=rule_table(),
    )


@dataclass
class _Task:
    """The stages of one entry, each as data for the next."""

    prepared: Prepared
    options: Options
    _programs: dict[str, Programs] = field(default_factory=dict)
    _points: dict[str, tuple[Point, ...]] = field(default_factory=dict)

    @property
    def signature(self) -> Signature:
        value = self.prepared.definitions.nodes["value"]
        return signature_of(self.prepared.entry.inputs, value.shape)

    @property
    def orders(self) -> tuple[int, ...]:
        return tuple(sorted({0, *self.prepared.entry.orders}))

    @property
    def signs(self) -> Directions:
        return directions(self.signature, seed=self.options.seed, entry=self.prepared.entry.id)

    def points(self, dtype: str) -> tuple[Point, ...]:
        if dtype not in self._points:
            self._points[dtype] = self._found_points(dtype)
        return self._points[dtype]

    def _found_points(self, dtype: str) -> tuple[Point, ...]:
        entry = self.prepared.entry
        declared = [each for at in entry.points if _is_held(each := self._declared(at, dtype))]
        samples = entry.samples if self.options.samples is None else self.options.samples
        return points(entry.inputs, dtype, seed=self.options.seed, entry=entry.id, samples=samples, declared=declared)

    def _declared(self, at: At, dtype: str) -> Point:
        values = declared_point(at, self.prepared.workspace, named(dtype))
        return Point(origin="declared", values=values, label=point_label(at))

    def unheld(self, dtypes: Iterable[str]) -> Iterator[records.Skipped]:
        """The declared points that are beyond the finite numbers of a dtype, and the dtypes without any point."""
        for dtype in dtypes:
            declared = [self._declared(at, dtype) for at in self.prepared.entry.points]
            gaps = [f"the point {each.label}" for each in declared if not _is_held(each)]
            gaps += [] if self.points(dtype) else ["every program"]
            for gap in gaps:
                yield records.Skipped(
                    entry=self.prepared.entry.id, what=f"{gap} in {dtype}", why="no number of this dtype is there"
                )

    def plan(self, found: Mapping[str, Sequence[Point]], targets: Targets) -> Plan:
        options = self.options
        chosen = Selection(devices=options.devices, dtypes=options.dtypes, programs=options.programs, full=options.full)
        return plan(
            self.signature,
            orders=self.orders,
            origins={dtype: [point.origin for point in each] for dtype, each in found.items()},
            devices=targets.devices,
            dependent=targets.dependent,
            signs=self.signs,
            symbolic_orders=self._symbolic_orders(),
            selection=chosen,
        )

    def _symbolic_orders(self) -> tuple[int, ...]:
        """None where a program stands for the formula: then the formula is mathematics, and how it would run is no
        matter.
        """
        if self.prepared.entry.implementation is not None:
            return ()
        signature = self.signature
        return tuple(
            order for order in self.orders if order and signature.value_size * signature.size**order <= _SYMBOLIC_LIMIT
        )

    def observe(self, planned: Plan, found: Mapping[str, Sequence[Point]]) -> tuple[Observation, ...]:
        layout = Layout(self.signature)
        symbolic = {order: _positional(self.truth, order, layout) for order in self._symbolic_orders()}
        return observe(planned, self.program, points=found, data=self.prepared.data, symbolic=symbolic)

    def rules(self, planned: Plan, found: Mapping[str, Sequence[Point]]) -> RuleFindings:
        """Whether JAX's rules are right, in every derivative program that ran."""
        wanted = {dtype: followed(planned, dtype) for dtype in found}
        wanted = {dtype: programs for dtype, programs in wanted.items() if programs}
        if not wanted:
            return RuleFindings()
        traces = {dtype: self.programs(dtype) for dtype in (WIDE, *wanted)}
        points = {dtype: found[dtype] for dtype in wanted}
        return rule_findings(self.prepared.entry.id, traces, wanted, points, self.options.seed)

    def programs(self, dtype: str) -> Programs:
        """The derivative programs as exact arithmetic follows them."""
        if dtype not in self._programs:
            self._programs[dtype] = Programs(
                signature=self.signature,
                signs=self.signs,
                function=self.program,
                data=self.prepared.data,
                dtype=dtype,
            )
        return self._programs[dtype]

    @cached_property
    def program(self) -> Callable[..., Any]:
        """What is run and differentiated; raises what makes the entry FAILED."""
        return program_of(self.prepared.entry, self.prepared.definitions)

    @cached_property
    def truth(self) -> FormulaTruth:
        return FormulaTruth(self.prepared.definitions, self.orders, self.prepared.data)

    def judging(self, planned: Plan, found: Mapping[str, Sequence[Point]], targets: Targets) -> Judging:
        truth = self.truth
        share = allowance(longest_reduction([truth.tensor(order) for order in self.orders]))
        used = {(launch.dtype, launch.device) for launch in planned.launches}
        views = {dtype: self._views(planned, dtype) for dtype in dict(sorted(used))}
        return Judging(
            entry=self.prepared.entry.id,
            signature=planned.signature,
            signs=planned.signs,
            points=found,
            truths=lambda dtype, index, settled: self._truth_at(found[dtype][index], dtype, views[dtype], settled),
            columns={dtype: self._columns(views[dtype], dtype, found[dtype]) for dtype in views},
            yardsticks={
                (dtype, device): Yardstick(
                    form=named(dtype), allowance=share, flushes_subnormals=targets.flushes[device, dtype]
                )
                for dtype, device in used
            },
            explaining=Explaining(programs=self.programs, points=found),
        )

    def _views(self, planned: Plan, dtype: str) -> Mapping[View, Contract]:
        """What the programs of a dtype compute: contractions of the derivative tensors."""
        return {
            (each.order, each.contraction): partial(
                contract,
                signature=self.signature,
                order=each.order,
                contraction=each.contraction,
                along=self.signs,
            )
            for launch in planned.launches
            if launch.dtype == dtype
            for each in launch.programs
        }

    def _columns(self, views: Mapping[View, Contract], dtype: str, found: Sequence[Point]) -> Mapping[View, Columns]:
        """The truth of the views, in floats where it is known so well."""
        if len(found) < _FEW_POINTS:
            return {}
        return self.truth.columns([self._place(point) for point in found], named(dtype), views)

    def _truth_at(
        self, point: Point, dtype: str, views: Mapping[View, Contract], is_settled: bool
    ) -> dict[int, OrderTruth]:
        place = self._place(point)
        return settled(self.truth, place, self.truth.at(place, named(dtype), settled=is_settled, views=views))

    def conflicts(self, judging: Judging) -> list[str]:
        """Where the two routes to the truth exclude each other, at the declared points of the first dtype."""
        if too_large(self.truth):
            return []
        dtype = next(iter(judging.columns), "")
        return [
            f"at {point.label}: {text}"
            for index, point in enumerate(judging.points.get(dtype, ()))
            if point.origin == "declared"
            for text in conflicts(self.truth, self._place(point), judging.tensors(dtype, index))
        ]

    def _place(self, point: Point) -> dict[str, np.ndarray]:
        leaves = zip(self.signature.leaves, point.values, strict=True)
        return {leaf.name: np.array(values, dtype=object).reshape(leaf.shape) for leaf, values in leaves}


def _no_point(entry: Entry, dtypes: Sequence[str]) -> str:
    """Why nothing would be verified, and what to do."""
    empty = {dtype: names for dtype in dtypes if (names := [each.name for each in empty_domains(entry.inputs, dtype)])}
    if not empty:
        return "there is no point to verify at; declare one, or take samples"
    found = "; ".join(f"no {dtype} is in the domain of {', '.join(names)}" for dtype, names in empty.items())
    return f"there is no point to verify at: {found}; widen the domain, or ask for another dtype"


def _positional(truth: FormulaTruth, order: int, layout: Layout) -> Callable[..., Any]:
    """The symbolic derivative as a JAX function of positional arguments, like the function that it belongs to."""
    lowered = lower_graph(truth.tensor(order))
    names = [leaf.name for leaf in layout.signature.leaves]

    def derivative(*arguments_and_data: Any) -> Any:
        *arguments, data = arguments_and_data
        return lowered(dict(zip(names, layout.leaves(tuple(arguments)), strict=True)), data)

    return derivative


def _is_held(point: Point) -> bool:
    """Whether the dtype of the point has finite numbers there."""
    return all(map(math.isfinite, itertools.chain(*point.values)))


def _is_gap(observation: Observation) -> bool:
    """Whether a program computed nothing because JAX has no rule for it: `jet` is experimental and its table short."""
    return observation.values is None and observation.program.startswith("jet")


def _skipped(entry: str, planned: Plan, observations: Iterable[Observation]) -> Iterator[records.Skipped]:
    """What the plan left out, and what JAX has no rule for."""
    left_out = [(skip.order, skip.targets, skip.programs, skip.reason) for skip in planned.skipped]
    gaps = [
        (each.order, ((each.dtype, each.device),), (each.program,), each.reason)
        for each in observations
        if _is_gap(each)
    ]
    if planned.signature.size > MANY:
        why = f"more than {MANY} input components: only declared points and the sample"
        yield records.Skipped(entry=entry, what="special points", why=why)
    yield from (
        records.Skipped(entry=entry, what=f"order {order}{_on(targets)}: {', '.join(programs)}", why=why or "")
        for order, targets, programs, why in (*left_out, *gaps)
    )


def _on(targets: Sequence[tuple[str, str]]) -> str:
    return f" on {'; '.join(f'{dtype} {device}' for dtype, device in targets)}" if targets else ""
