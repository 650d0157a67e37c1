"""JAX's programs as formulas: what the rules of an entry's function made, and which are proved for all inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from verifier.runs.records import Rule

__all__ = ["LiftedRow", "lifted_rows"]

_MOST_ROWS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftedRow:
    """One formula of a component, LaTeX, and the programs of an order that are it."""

    order: int
    component: str
    latex: str
    programs: tuple[str, ...]
    proved: bool


def lifted_rows(rules: Sequence[Rule]) -> tuple[LiftedRow, ...]:
    """The distinct formulas of float64's programs, the first few; alike programs share a row."""
    found: dict[tuple[int, str, str, bool], list[str]] = {}
    for each in rules:
        if each.formula and each.dtype == "float64":
            found.setdefault((each.order, each.component, each.formula, each.proved), []).append(each.program)
    rows = (
        LiftedRow(order=order, component=component, latex=latex, programs=tuple(programs), proved=proved)
        for (order, component, latex, proved), programs in found.items()
    )
    return tuple(rows)[:_MOST_ROWS]
