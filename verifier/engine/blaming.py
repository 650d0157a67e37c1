"""Whom a failing number blames: the verifier's own truth, JAX's rule, the rounding of an equation, or the device."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from verifier.checking.blaming import OPERATION_LIMIT, quietly
from verifier.checking.local_rules import written_at
from verifier.checking.route import Route
from verifier.engine.followed import Followed, Programs, followed_as
from verifier.execution.dtypes import exact
from verifier.execution.points import Point
from verifier.model.verdict import NumberClass
from verifier.programs.components import Contraction, component_names
from verifier.programs.extent import operations
from verifier.programs.modes import SYMBOLIC
from verifier.programs.one_equation import EquationRuns
from verifier.runs.records import Blame, Rule, Verdict
from verifier.truth.blame import blame
from verifier.truth.shadow import Shadow, shadow

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

    def filled(self, verdicts: Iterable[Verdict]) -> tuple[Verdict, ...]:
        """The records, those that fail with whom their worst number blames."""
        found = list(verdicts)
        worst_first = sorted((each for each in found if each.fails), key=_badness, reverse=True)
        blamed = {id(each): self._blame(each) for each in worst_first}
        spoilt = self._spoilt([each for each in worst_first if blamed[id(each)] is _BY_ROUNDING])
        return tuple(_with(each, spoilt.get(id(each), blamed.get(id(each)))) for each in found)

    def _blame(self, verdict: Verdict) -> Blame | None:
        program = followed_as(verdict.program, verdict.order)
        if verdict.worst is None or verdict.verdict == NumberClass.FAILED or program.transform == SYMBOLIC:
            return None
        if self.conflict:
            return Blame(who="sympy", what=f"two routes to the truth exclude each other: {self.conflict}")
        if verdict.verdict == NumberClass.FAULTY:
            return Blame(who="device", what=f"{verdict.device} returned what no rounding of the program can give")
        return self._wrong_rule(program, verdict.dtype) or _BY_ROUNDING

    def _wrong_rule(self, program: Followed, dtype: str) -> Blame | None:
        """What the program's own rule is blamed for, of the dtype's trace or of float64's that stands for it."""
        wrong = [
            each
            for each in self.rules
            if (each.order, each.program) == (program.order, program.name) and each.fails and each.worst
        ]
        mine = next((each for each in wrong if each.dtype == dtype), wrong[0] if wrong else None)
        return None if mine is None or mine.worst is None else mine.worst.blame or Blame(who="rule")

    def _spoilt(self, verdicts: Sequence[Verdict]) -> dict[int, Blame | None]:
        """The equations that lost the bits, by the identities of the records.

        All equations of all programs are run together, as they are compiled together.
        """
        first = {(followed_as(each.program, each.order), each.dtype): each for each in reversed(verdicts)}
        shadows = {key: found for key, each in first.items() if (found := quietly(self._shadow, each)) is not None}
        run = EquationRuns()
        quietly(run, [task for each in shadows.values() for task in each.tasks])
        found = {key: quietly(self._spoiler, each, first[key], run) for key, each in shadows.items()}
        return {id(each): found.get((followed_as(each.program, each.order), each.dtype)) for each in verdicts}

    def _shadow(self, verdict: Verdict) -> Shadow | None:
        """An exact run of the program at the worst point."""
        assert verdict.worst is not None
        programs = self.programs(verdict.dtype)
        traced = programs.traced(followed_as(verdict.program, verdict.order))
        if isinstance(traced, str) or operations(traced.jaxpr) > OPERATION_LIMIT:
            return None
        point = self.points(verdict.dtype)[verdict.worst.point]
        leaves = list(zip(programs.signature.leaves, point.values, strict=True))
        wide = tuple(exact(values, leaf.shape, "float64") for leaf, values in leaves)
        place = [exact(values, leaf.shape, verdict.dtype) for leaf, values in leaves]
        return shadow(traced.jaxpr, place, **Route(programs.tracing, wide).options(traced.jaxpr)())

    def _spoiler(self, exact: Shadow, verdict: Verdict, run: EquationRuns) -> Blame | None:
        assert verdict.worst is not None
        signature, program = self.programs(verdict.dtype).signature, followed_as(verdict.program, verdict.order)
        names = component_names(signature, program.order, program.contraction if program.order else Contraction.NONE)
        value = float.fromhex(verdict.worst.value)
        found = blame(exact, names.index(verdict.component), value=value, run=run, locate=written_at)
        if found is None:
            return None
        return Blame(who="rounding", primitive=found.primitive, source=str(found.source or ""), what=found.reason)


_BY_ROUNDING = Blame(who="rounding")
"""Stands for the equation that lost the bits until it is sought."""


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
