"""Whom a failing judgement blames: the equation whose rule is wrong, or the one that lost the bits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from verifier.checking.local_rules import blamed_rule, written_at, wrong_rules
from verifier.checking.route import Route
from verifier.model.rule import Blame, RuleClass, RuleVerdict
from verifier.programs.equation import is_foreign
from verifier.programs.extent import operations
from verifier.programs.one_equation import EquationRuns
from verifier.programs.trace import Row
from verifier.truth.blame import Suspects
from verifier.truth.shadow import shadow

__all__ = ["OPERATION_LIMIT", "Blaming", "quietly"]

OPERATION_LIMIT = 20_000
"""Most scalar operations of a program that is run again for every suspect equation."""


@dataclass(eq=False)
class Blaming:
    """Blame at one point, found once for each program and component; `own` is the dtype's own trace."""

    own: Route
    _rules: dict[tuple[int, int], Blame | None] = field(default_factory=dict)
    _numbers: dict[tuple[Row, tuple[int, ...]], Blame | None] = field(default_factory=dict)
    _foreign: dict[tuple[int, int], bool] = field(default_factory=dict)
    _suspects: dict[Row, Suspects | None] = field(default_factory=dict)
    _runs: EquationRuns = field(default_factory=EquationRuns)

    def rule(self, route: Route, order: int) -> Blame | None:
        """The equation whose own rule is wrong."""
        key = (id(route), order)
        if key not in self._rules:
            self._rules[key] = quietly(blamed_rule, route, order)
        return self._rules[key]

    def number(self, row: Row, index: tuple[int, ...], value: float) -> Blame | None:
        """The equation of the derivative program that lost the bits, or first departed from finite numbers."""
        key = (row, index)
        if key not in self._numbers:
            self._numbers[key] = quietly(self._spoiler, row, index, value)
        return self._numbers[key]

    def strict(self, route: Route, order: int, verdict: RuleVerdict) -> RuleVerdict:
        """INEXACT fails where a custom rule that is not JAX's own is inexact by itself (SEMANTICS §9)."""
        if verdict.kind is not RuleClass.INEXACT:
            return verdict
        key = (id(route), order)
        if key not in self._foreign:
            self._foreign[key] = any(map(is_foreign, wrong_rules(route, order)))
        return replace(verdict, fails=True) if self._foreign[key] else verdict

    def _spoiler(self, row: Row, index: tuple[int, ...], value: float) -> Blame | None:
        if row not in self._suspects:
            self._suspects[row] = quietly(self._suspected, row)
        suspects, traced = self._suspects[row], self.own.tracing.program(row)
        if suspects is None or isinstance(traced, str):
            return None
        component = int(self.own.positions(traced, row.order)[index])
        found = suspects.blame(component, value=value, locate=written_at)
        if found is None or not found.is_loss:
            return None
        what = found.reason.removeprefix(f"{found.primitive} ")
        return Blame(primitive=found.primitive, source=str(found.source or ""), what=what)

    def _suspected(self, row: Row) -> Suspects | None:
        """What all components of a program are blamed from: its equations run once, exactly and in their dtypes."""
        traced = self.own.tracing.program(row)
        if isinstance(traced, str) or operations(traced.jaxpr) > OPERATION_LIMIT:
            return None
        place = [
            np.asarray(x).astype(leaf.dtype) for x, leaf in zip(self.own.place, self.own.subject.place, strict=True)
        ]
        return Suspects(shadow(traced.jaxpr, place, **self.own.options(traced.jaxpr)()), self._runs)


def quietly(find: Callable[..., Any], *arguments: Any) -> Any:
    """Blame is a courtesy: what goes wrong in finding it must not cost the verdict."""
    try:
        return find(*arguments)
    except Exception:
        return None
