"""Coverage of JAX's differentiation rules: which of them a run exercised and verified, at which orders, and which not.

A rule is *exercised* at order k where it ran while a program of order k was traced. It is *verified* there where some
such program was judged and proven right wherever the question has an answer: at kinks a convention passes, outside
the domain there is nothing to say, and at one point at least the derivative was proven equal to the truth.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from verifier.runs.outcome import Outcome
from verifier.runs.records import SHOWN_ENTRIES, Coverage, NonGoals, RuleCoverage, RuleTable
from verifier.runs.tallies import proven

__all__ = ["NOT_REAL", "with_rules"]

_NOT_REAL = {
    "its result is no real number": """
        and argmax argmin bitcast_convert_type eq eq_to ge gt is_finite le le_to lt lt_to mulhi ne not or
        reduce_and reduce_or reduce_xor shift_left shift_right_arithmetic shift_right_logical xor
    """,
    "where a value lies, not what it is": """
        layout_constraint pbroadcast preduced pvary relayout reshard sharding_constraint
        with_memory_space_constraint
    """,
    "code or effects outside the program": "debug_callback debug_print",
}

NOT_REAL: Mapping[str, str] = MappingProxyType(
    {name: reason for reason, names in _NOT_REAL.items() for name in names.split()}
)
"""Primitive -> why its rules say nothing about derivatives of real functions, besides what no run aims at."""

Key = tuple[str, str]
"""Kind of rule and primitive."""


def with_rules(coverage: Coverage, outcomes: Sequence[Outcome]) -> Coverage:
    """The record with what is known of JAX's rules; as it was where no entry was traced."""
    table = next((each.jax_rules for each in outcomes if each.jax_rules), None)
    if table is None:
        return coverage
    excluded = _excluded(table)
    goals = {kind: tuple(name for name in names if name not in excluded) for kind, names in sorted(table.rules.items())}
    uses = _uses(outcomes)
    return replace(
        coverage,
        rules=tuple(
            uses[kind, name].record(kind, name)
            for kind, names in goals.items()
            for name in names
            if (kind, name) in uses
        ),
        missing_rules={
            kind: tuple(name for name in names if (kind, name) not in uses) for kind, names in goals.items()
        },
        non_goals=_non_goals(table, excluded),
    )


@dataclass
class _Use:
    """Where one rule ran: entry -> orders; and where it was verified."""

    exercised: dict[str, set[int]] = field(default_factory=dict)
    verified: dict[str, set[int]] = field(default_factory=dict)

    def record(self, kind: str, primitive: str) -> RuleCoverage:
        return RuleCoverage(
            primitive=primitive,
            rule=kind,
            exercised=_orders(self.exercised),
            verified=_orders(self.verified),
            entries=tuple(self.verified or self.exercised)[:SHOWN_ENTRIES],
        )


def _orders(found: Mapping[str, set[int]]) -> tuple[int, ...]:
    return tuple(sorted(set().union(*found.values())))


def _uses(outcomes: Iterable[Outcome]) -> dict[Key, _Use]:
    found: dict[Key, _Use] = {}
    for entry, order, key, is_verified in _facts(outcomes):
        use = found.setdefault(key, _Use())
        use.exercised.setdefault(entry, set()).add(order)
        if is_verified:
            use.verified.setdefault(entry, set()).add(order)
    return found


def _facts(outcomes: Iterable[Outcome]) -> Iterator[tuple[str, int, Key, bool]]:
    """Entry, order, rule, and whether the program that ran it was proven right."""
    for outcome in outcomes:
        right = proven(outcome.rules)
        for program in outcome.exercised:
            is_proven = (outcome.entry.entry, program.program, program.order) in right
            for kind, names in program.rules.items():
                for name in names:
                    yield outcome.entry.entry, program.order, (kind, name), is_proven


def _excluded(table: RuleTable) -> dict[str, str]:
    """Primitive -> why it is not counted."""
    return {**NOT_REAL, **{name: each.reason for each in table.non_goals for name in each.primitives}}


def _non_goals(table: RuleTable, excluded: Mapping[str, str]) -> tuple[NonGoals, ...]:
    """Only primitives for which this JAX has a rule."""
    held = {name for names in table.rules.values() for name in names}
    reasons = dict.fromkeys(excluded.values())
    found = {reason: tuple(sorted(n for n in held if excluded.get(n) == reason)) for reason in reasons}
    return tuple(NonGoals(reason=reason, primitives=found[reason]) for reason in sorted(reasons) if found[reason])
