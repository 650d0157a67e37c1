"""Whom a failing number blames: the verifier's own truth, JAX's rule, the rounding of an equation, or the device."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from verifier.checking.blaming import OPERATION_LIMIT
from verifier.checking.local_rules import written_at
from verifier.checking.route import Route
from verifier.engine.followed import Followed, Programs
from verifier.execution.dtypes import exact
from verifier.execution.points import Point
from verifier.model.verdict import NumberClass
from verifier.programs.components import component_names
from verifier.programs.extent import operations
from verifier.programs.modes import SYMBOLIC
from verifier.programs.one_equation import run_equation
from verifier.runs.records import Blame, Rule, Verdict
from verifier.truth.blame import blame

__all__ = ["NumberBlame"]


@dataclass(eq=False, kw_only=True)
class NumberBlame:
    """Blame for the failing numbers of one entry; `programs` and `points` are asked for by dtype.

    The equation that lost the bits is sought once for each program of a dtype, at its worst number.
    """

    rules: Sequence[Rule]
    conflict: str
    programs: Callable[[str], Programs]
    points: Callable[[str], Sequence[Point]]
    _found: dict[tuple[Followed, str], Blame | None] = field(default_factory=dict)

    def filled(self, verdicts: Iterable[Verdict]) -> tuple[Verdict, ...]:
        """The records, those that fail with whom their worst number blames."""
        found = list(verdicts)
        worst_first = sorted((each for each in found if each.fails), key=_badness, reverse=True)
        blamed = {id(each): self._blame(each) for each in worst_first}
        return tuple(_with(each, blamed.get(id(each))) for each in found)

    def _blame(self, verdict: Verdict) -> Blame | None:
        transform, _, compilation = verdict.program.partition("/")
        if verdict.worst is None or verdict.verdict == NumberClass.FAILED or transform == SYMBOLIC:
            return None
        if self.conflict:
            return Blame(who="sympy", what=f"two routes to the truth exclude each other: {self.conflict}")
        if verdict.verdict == NumberClass.FAULTY:
            return Blame(who="device", what=f"{verdict.device} returned what no rounding of the program can give")
        style = compilation if compilation in ("vmap", "remat") else "eager"
        program = Followed(order=verdict.order, transform=transform, style=style)
        wrong = self._wrong_rule(program, verdict.dtype)
        if wrong is not None:
            return wrong
        key = (program, verdict.dtype)
        if key not in self._found:
            self._found[key] = self._rounding(program, verdict)
        return self._found[key]

    def _wrong_rule(self, program: Followed, dtype: str) -> Blame | None:
        """What the program's own rule is blamed for, of the dtype's trace or of float64's that stands for it."""
        wrong = [
            each
            for each in self.rules
            if (each.order, each.program) == (program.order, program.name) and each.fails and each.worst
        ]
        mine = next((each for each in wrong if each.dtype == dtype), wrong[0] if wrong else None)
        return None if mine is None or mine.worst is None else mine.worst.blame or Blame(who="rule")

    def _rounding(self, program: Followed, verdict: Verdict) -> Blame | None:
        """Blame is a courtesy: what goes wrong in finding it must not cost the verdict."""
        try:
            return self._spoiler(program, verdict)
        except Exception:
            return None

    def _spoiler(self, program: Followed, verdict: Verdict) -> Blame | None:
        assert verdict.worst is not None
        programs = self.programs(verdict.dtype)
        traced = programs.traced(program)
        if isinstance(traced, str) or operations(traced.jaxpr) > OPERATION_LIMIT:
            return None
        signature, order = programs.signature, program.order
        names = component_names(signature, order, program.contraction) if order else component_names(signature, 0)
        point = self.points(verdict.dtype)[verdict.worst.point]
        leaves = list(zip(signature.leaves, point.values, strict=True))
        wide = tuple(exact(values, leaf.shape, "float64") for leaf, values in leaves)
        found = blame(
            traced.jaxpr,
            [exact(values, leaf.shape, verdict.dtype) for leaf, values in leaves],
            names.index(verdict.component),
            value=float.fromhex(verdict.worst.value),
            run=run_equation,
            locate=written_at,
            **Route(programs.tracing, wide).options(traced.jaxpr)(),
        )
        if found is None:
            return None
        return Blame(who="rounding", primitive=found.primitive, source=str(found.source or ""), what=found.reason)


def _with(verdict: Verdict, found: Blame | None) -> Verdict:
    if found is None or verdict.worst is None:
        return verdict
    return replace(verdict, worst=replace(verdict.worst, blame=found))


def _badness(verdict: Verdict) -> tuple[float, float]:
    """What has no error (NaN) counts as infinitely bad."""
    worst = verdict.worst
    if worst is None or worst.ulps is None:
        return (np.inf, np.inf)
    return (worst.lost_bits or 0.0, worst.ulps)
