"""What the benchmark times: the engine and its parts, and the floor, a jitted program for each function.

All figures are CPU seconds of the process (`time.process_time`), so that other load matters little. JAX's caches are
emptied before each of them.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import jax

from verifier.catalog.reader import read, read_bytes
from verifier.engine import entry as engine
from verifier.engine.followed import Programs, followed
from verifier.engine.options import Options
from verifier.engine.rules import Place
from verifier.engine.targets import Targets
from verifier.execution.devices import flushes_subnormals, jax_device
from verifier.execution.dtypes import x64_for
from verifier.execution.operands import operands
from verifier.execution.points import Point, points
from verifier.model.catalog import Entry
from verifier.programs.components import Directions, Signature, directions, signature_of
from verifier.programs.listing_facts import check_structure
from verifier.programs.modes import TRANSFORMS, build, row_of
from verifier.programs.plan import Plan, Selection, plan
from verifier.runs.outcome import Outcome

__all__ = ["Clock", "Function", "clear", "entries_of", "floor", "functions", "measured", "seconds", "verdicts_alone"]

DTYPE, DEVICE = "float64", "cpu:0"
MODES = tuple(sorted({f"{row.named(order)}/vmap" for row in TRANSFORMS for order in range(3) if row.covers(order)}))
"""Every transform of orders 0 to 2, as one batched program: what the floor compiles, too."""


def clear() -> None:
    """Forget what JAX has traced and compiled."""
    jax.clear_caches()
    gc.collect()


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of the process for the work, and what it returned."""
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


@dataclass
class Clock:
    """CPU seconds spent inside named functions of a module while `on`."""

    module: Any
    names: Sequence[str]
    spent: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def on(self) -> Iterator[None]:
        kept = {name: getattr(self.module, name) for name in self.names}
        try:
            for name, function in kept.items():
                setattr(self.module, name, self._timed(name, function))
            yield
        finally:
            for name, function in kept.items():
                setattr(self.module, name, function)

    def _timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any, **options: Any) -> Any:
            spent, result = seconds(lambda: function(*arguments, **options))
            self.spent[name] = self.spent.get(name, 0.0) + spent
            return result

        return timed


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Function:
    """An entry with `wanted` points in float64 and everything that its programs need; made anew for each figure."""

    entry: Entry
    prepared: engine.Prepared
    options: Options
    points: tuple[Point, ...]
    plan: Plan

    @property
    def signature(self) -> Signature:
        return self.plan.signature

    @property
    def signs(self) -> Directions:
        return self.plan.signs

    def program(self) -> Callable[..., Any]:
        """The value as a function of its arguments and data, new to JAX."""
        return engine.program_of(self.entry, self.prepared.definitions)


@lru_cache(maxsize=1)
def targets() -> Targets:
    """Float64 on the host."""
    flushes = {(DEVICE, DTYPE): flushes_subnormals(DEVICE)[DTYPE]}
    return Targets(dtypes=(DTYPE,), devices=(DEVICE,), dependent=frozenset(), flushes=flushes)


def entries_of(source: str | Path) -> tuple[Entry, ...]:
    """The entries of a catalog's file, or of its text."""
    if isinstance(source, Path):
        return read(source, check_structure=check_structure).entries
    return read_bytes(source.encode(), "benchmark.yaml", check_structure=check_structure).entries


def functions(entry: Entry, wanted: int, programs: Sequence[str] = MODES) -> Function:
    """The entry at `wanted` points: its special points, and a sample of as many more."""
    special = len(_points(entry, 0))
    samples = max(0, wanted - special)
    found = _points(entry, samples)
    options = Options(dtypes=(DTYPE,), devices=(DEVICE,), programs=tuple(programs), samples=samples)
    prepared = engine.prepare(entry, {})
    signature = signature_of(entry.inputs, prepared.definitions.nodes["value"].shape)
    planned = plan(
        signature,
        orders=tuple(sorted({0, *entry.orders})),
        origins={DTYPE: [each.origin for each in found]},
        devices=(DEVICE,),
        dependent=frozenset(),
        signs=directions(signature, seed=0, entry=entry.id),
        symbolic_orders=(),
        selection=Selection(devices=(DEVICE,), dtypes=(DTYPE,), programs=options.programs, full=False),
    )
    return Function(entry=entry, prepared=prepared, options=options, points=found, plan=planned)


def _points(entry: Entry, samples: int) -> tuple[Point, ...]:
    return points(entry.inputs, DTYPE, seed=0, entry=entry.id, samples=samples)


def floor(function: Function) -> None:
    """Trace, lower, compile and run one program of all modes, mapped over the points: no verifier at all."""
    program = function.program()
    for launch in function.plan.launches:
        runs = {}
        for each in launch.programs:
            row = row_of(each.transform, each.order)
            assert row is not None
            runs[each.order, each.name] = build(row, each.order, program, function.signature)
        with x64_for(DTYPE):
            given = operands(
                function.signature,
                DTYPE,
                jax_device(DEVICE),
                points=[function.points[index] for index in launch.points],
                data=_rounded(function),
                signs=function.signs,
            )
            arguments = given.over(range(len(launch.points)))
            together = jax.vmap(_all(runs), in_axes=(0, None, None))
            jax.device_get(jax.jit(together).lower(*arguments).compile()(*arguments))


def _all(runs: Mapping[tuple[int, str], Callable[..., Any]]) -> Callable[..., Any]:
    """One function of all programs' results, those that JAX has no rule for left out."""

    def together(arguments: Any, data: Any, signs: Any) -> list[Any]:
        found = []
        for run in runs.values():
            try:
                found.append(run(arguments, data, signs))
            except Exception:
                continue
        return found

    return together


def _rounded(function: Function) -> dict[str, Any]:
    return _programs(function).arrays


def measured(function: Function) -> Outcome:
    """The whole engine: every program observed, every number judged against a certified truth, the rules judged."""
    return engine.verify(function.prepared, targets(), function.options)


def _programs(function: Function) -> Programs:
    return Programs(
        signature=function.signature,
        signs=function.signs,
        function=function.program(),
        data=function.prepared.data,
        dtype=DTYPE,
    )


def verdicts_alone(function: Function, places: Sequence[Point]) -> tuple[int, dict[str, float]]:
    """The verdict on every program's rule at these points, without a compiler: how many verdicts, and CPU seconds.

    `tracing` is JAX's making of the programs; `programs` is that and following them in balls; `verdicts` is all of it,
    the truth included.
    """
    clear()
    tracing, _ = seconds(lambda: [_programs(function).traced(each) for each in _wanted(function)])
    clear()
    alone, _ = seconds(lambda: _followed(function, places))
    clear()
    spent, count = seconds(lambda: _judged(function, places))
    return count, {"tracing": tracing, "programs": alone, "verdicts": spent}


def _wanted(function: Function) -> Sequence[Any]:
    return tuple(dict.fromkeys(each for each in followed(function.plan, DTYPE)))


def _followed(function: Function, places: Sequence[Point]) -> int:
    programs, done = _programs(function), 0
    for point in places:
        place, seen = Place(index=0, point=point, programs=programs, seed=0), set()
        for each in _wanted(function):
            traced = programs.traced(each)
            if isinstance(traced, str) or id(traced.jaxpr) in seen:
                continue
            seen.add(id(traced.jaxpr))
            where = programs.where(each, place.route.chosen(each.order))
            done += len(place.route.derived(traced, where).elements)
    return done


def _judged(function: Function, places: Sequence[Point]) -> int:
    programs, count = _programs(function), 0
    for index, point in enumerate(places):
        place = Place(index=index, point=point, programs=programs, seed=0)
        for each in _wanted(function):
            found = place.ruled(each)
            count += 0 if isinstance(found, str) else len(found)
    return count
