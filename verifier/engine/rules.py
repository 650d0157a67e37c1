"""Is the rule right? Every derivative program of an entry in exact arithmetic, against germs of the entry's function.

What is compared are jaxprs: the function as JAX runs it, its data and literals as the dtype holds them, and what JAX's
rules made of it. Whether that function is the formula is a question about numbers (SEMANTICS §10): its rounded
literals are no conflict between routes, so that no formula enters here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from verifier.checking.blaming import Blaming
from verifier.checking.route import Program, Route
from verifier.engine.contracted import contracted
from verifier.engine.followed import Followed, Programs
from verifier.execution.dtypes import exact
from verifier.execution.points import Point
from verifier.model.rule import Blame, LocalTruth, ProgramValue, RowTruth, RuleVerdict
from verifier.programs.components import Signature
from verifier.programs.extent import operations
from verifier.programs.trace import Row, Traced, program_named
from verifier.truth.derived import Derived

__all__ = ["Place", "Ruled", "chosen_points"]

_OTHERS = {"special": 5, "uniform": 1, "ordinal": 1}
"""Points that the rule is judged at besides the declared ones, by origin."""

_WORK = 300_000
"""Scalar operations that all programs together may take at those points, at a microsecond each and more."""

_MANY_OPERATIONS = 100_000
"""A function of more scalar operations is judged at its first declared point alone, and in few components: each germ
of it takes a second.
"""
_FEW_COMPONENTS = 2


def chosen_points(points: Sequence[Point], programs: Programs, wanted: Sequence[Followed]) -> tuple[int, ...]:
    """The indices of the points to judge the rule at: the declared ones, and the first few of every other origin."""
    declared = [index for index, each in enumerate(points) if each.origin == "declared"]
    if is_large(programs):
        return tuple((declared or [*range(len(points))])[:1])
    others = [
        index
        for origin, most in _OTHERS.items()
        for index in [i for i, each in enumerate(points) if each.origin == origin][:most]
    ]
    traced = (programs.traced(each) for each in wanted)
    work = sum(operations(each.jaxpr) for each in traced if not isinstance(each, str))
    return (*declared, *others[: max(1, _WORK // max(1, work))])


def is_large(programs: Programs) -> bool:
    """Whether a run of the function itself is long."""
    return operations(programs.tracing.primal.jaxpr) > _MANY_OPERATIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruled:
    """The verdict on one component of a program at one point; `place` is where it was judged."""

    place: Place
    component: int
    verdict: RuleVerdict
    truth: LocalTruth
    value: ProgramValue

    def blame(self, order: int) -> Blame | None:
        """The equation whose own rule is wrong."""
        return self.place.blaming.rule(self.place.route, order)


@dataclass(eq=False, kw_only=True)
class Place:
    """One point of one dtype: its index among the points of the dtype, and all programs there."""

    index: int
    point: Point
    programs: Programs
    seed: int
    _derived: dict[tuple[int, bytes], Derived] = field(default_factory=dict)

    @cached_property
    def route(self) -> Route:
        leaves = zip(self.signature.leaves, self.point.values, strict=True)
        place = tuple(exact(values, leaf.shape, "float64") for leaf, values in leaves)
        most = _FEW_COMPONENTS if is_large(self.programs) else None
        return Route(self.programs.tracing, place, self.seed, most=most)

    @cached_property
    def blaming(self) -> Blaming:
        return Blaming(self.route)

    @property
    def signature(self) -> Signature:
        return self.programs.signature

    @property
    def is_declared(self) -> bool:
        return self.point.origin == "declared"

    def ruled(self, program: Followed) -> list[Ruled] | str:
        """A verdict for each component that is looked at, or why the program is not followed."""
        traced = self.programs.traced(program)
        if isinstance(traced, str):
            return traced
        where = self.programs.where(program, self.route.chosen(program.order))
        return self._judged(program, self._derivative(traced, where), where)

    def _derivative(self, traced: Traced, where: np.ndarray) -> Derived:
        key = (id(traced.jaxpr), where.tobytes())
        if key not in self._derived:
            self._derived[key] = self.route.derived(traced, where)
        return self._derived[key]

    def _judged(self, program: Followed, derived: Derived, where: np.ndarray) -> list[Ruled]:
        truths = self._truths(program)
        verdicts: Any = self.route.judged(derived, program.order, truths, where)
        if self.programs.tracing.has_own_rules and not program.transform.startswith("jet"):  # jet asks no custom rule
            self._judge_own_rules(verdicts, program, derived, where)
        return [
            Ruled(
                place=self,
                component=place,
                verdict=self.blaming.strict(self.route, program.order, verdict),
                truth=truth,
                value=derived.value(place),
            )
            for row, places, judged in zip(truths, where.tolist(), verdicts, strict=True)
            for truth, place, verdict in zip(row.components, places, judged, strict=True)
        ]

    def _judge_own_rules(self, verdicts: np.ndarray, program: Followed, derived: Derived, where: np.ndarray) -> None:
        traced = self.programs.scaled.traced(program)
        if not isinstance(traced, str):
            unit, scaled = (Program(derived=each, where=where) for each in (derived, self._derivative(traced, where)))
            self.route.judge_own_rules(verdicts, unit, scaled, program.order)

    def _truths(self, program: Followed) -> tuple[RowTruth, ...]:
        tensors = [self.route.truths(k, self._guides) for k in range(1, program.order + 1)]
        return contracted(self.route, tensors, program.contraction, self.programs.signs)

    @cached_property
    def _guides(self) -> tuple[Row, ...]:
        """The program whose gradient guides the search for cells at a kink in several inputs."""
        guide = program_named("grad" if self.route.subject.is_scalar else "jacrev", 1)
        return (guide,) if guide and self.signature.size > 1 else ()
