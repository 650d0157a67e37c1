"""Which of JAX's rules an entry's programs ran, and which there are, as records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from verifier.engine.followed import Followed
from verifier.programs.exercised import Rule, jax_rules
from verifier.runs import records
from verifier.truth.primitives import NON_GOALS

__all__ = ["exercised_records", "rule_table"]


def exercised_records(seen: Mapping[Followed, Iterable[Rule]]) -> tuple[records.Exercised, ...]:
    """A record for each program that ran any rule, named as its `rule` records name it."""
    return tuple(
        records.Exercised(program=program.name, order=program.order, rules=_by_kind(rules))
        for program, rules in seen.items()
        if rules
    )


def _by_kind(rules: Iterable[Rule]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for kind, primitive in rules:
        found[kind] = (*found.get(kind, ()), primitive)
    return found


def rule_table() -> records.RuleTable:
    """All rules of the JAX that runs, and what this package takes for no goal at all."""
    reasons = dict.fromkeys(NON_GOALS.values())
    return records.RuleTable(
        rules=dict(jax_rules()),
        non_goals=tuple(
            records.NonGoals(
                reason=reason, primitives=tuple(sorted(k for k, why in NON_GOALS.items() if why == reason))
            )
            for reason in reasons
        ),
    )
