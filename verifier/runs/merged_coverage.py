"""The coverage of merged runs: what any of them looked at was looked at, and a gap is what is missing in all.

Law: the partial runs of a catalog, by `--entry`, give the `coverage` record of the whole run, in any order. Where runs
share an entry (by `--dtype`, by device), a rule counts as verified only where what proves it in one run stands in all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from verifier.runs.outcome import Outcome
from verifier.runs.reader import Run
from verifier.runs.records import (
    SHOWN_ENTRIES,
    Cell,
    Claim,
    Coverage,
    NonGoals,
    RowCoverage,
    RuleCoverage,
    SectionCoverage,
    Skipped,
)
from verifier.runs.tallies import proven

__all__ = ["merged_coverage"]

T = TypeVar("T")

Rule = tuple[str, str]
"""Kind of rule and primitive."""


def merged_coverage(runs: Sequence[Run], outcomes: Sequence[Outcome]) -> Coverage:
    """The `coverage` record of these runs, whose entries together are `outcomes` in catalog order."""
    found = [run.coverage for run in runs]
    claims = [claim for outcome in outcomes for claim in outcome.claims]
    place = {outcome.entry.entry: number for number, outcome in enumerate(outcomes)}

    def in_order(given: Iterable[T], entry: Callable[[T], str]) -> tuple[T, ...]:
        return tuple(sorted(given, key=lambda each: place.get(entry(each), len(place))))

    cells = _grouped((each for one in found for each in one.matrix), lambda each: (each.entry, each.dtype, each.device))
    sections = _grouped((each for one in found for each in one.sections), lambda each: each.id)
    rows = _grouped((each for one in found for each in one.cheat_sheet), lambda each: each.row)
    skipped = _distinct([*(each.skipped for each in found), *(each.skipped for each in outcomes)])
    return Coverage(
        sections=tuple(_section(each, claims) for each in sections),
        cheat_sheet=tuple(_row(each, claims) for each in rows),
        matrix=in_order(map(_cell, cells), lambda each: each.entry),
        rules=_rules(runs, outcomes, place),
        missing_rules=_missing(found),
        non_goals=_non_goals(found),
        skipped=in_order(skipped, _entry_of),
    )


def _grouped(found: Iterable[T], key: Callable[[T], object]) -> Iterable[list[T]]:
    groups: dict[object, list[T]] = {}
    for each in found:
        groups.setdefault(key(each), []).append(each)
    return groups.values()


def _distinct(groups: Iterable[Iterable[T]]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(each for group in groups for each in group))


def _entry_of(skipped: Skipped) -> str:
    return skipped.entry


def _section(found: Sequence[SectionCoverage], claims: Iterable[Claim]) -> SectionCoverage:
    """A formula is missing where no run has a claim that quotes it."""
    verdicts = Counter(claim.verdict for claim in claims if claim.section == found[0].id)
    entries = _distinct(each.entries for each in found)
    missing = tuple(name for name in found[0].missing if all(name in each.missing for each in found))
    return replace(
        found[0],
        entries=entries,
        claims=dict(sorted(verdicts.items())),
        covered=bool(verdicts or entries) and not missing,
        missing=missing,
    )


def _row(found: Sequence[RowCoverage], claims: Iterable[Claim]) -> RowCoverage:
    named = tuple(claim.claim for claim in claims if claim.row == found[0].row)
    entries = _distinct(each.entries for each in found)
    return replace(found[0], entries=entries, claims=named, covered=bool(entries or named))


def _cell(found: Sequence[Cell]) -> Cell:
    programs = _distinct(each.programs for each in found)
    return replace(found[0], programs=programs, points=max(each.points for each in found))


# ---- JAX's rules


def _rules(runs: Sequence[Run], outcomes: Sequence[Outcome], place: dict[str, int]) -> tuple[RuleCoverage, ...]:
    stands = proven(rule for outcome in outcomes for rule in outcome.rules)
    found: dict[Rule, list[RuleCoverage]] = {}
    for run in runs:
        # Which of its programs verifies a rule a run does not say: where one is refuted elsewhere, none of its order
        # counts.
        refuted = {order for _, _, order in proven(run.rules) - stands}
        for each in run.coverage.rules:
            verified = tuple(order for order in each.verified if order not in refuted)
            found.setdefault((each.rule, each.primitive), []).append(replace(each, verified=verified))
    return tuple(_rule(found[key], place) for key in sorted(found))


def _rule(found: Sequence[RuleCoverage], place: dict[str, int]) -> RuleCoverage:
    named = [each for each in found if each.verified] or found
    entries = sorted(_distinct(each.entries for each in named), key=lambda name: place.get(name, len(place)))
    return replace(
        found[0],
        exercised=tuple(sorted({order for each in found for order in each.exercised})),
        verified=tuple(sorted({order for each in found for order in each.verified})),
        entries=tuple(entries)[:SHOWN_ENTRIES],
    )


def _missing(found: Sequence[Coverage]) -> dict[str, tuple[str, ...]]:
    """Of each kind of rule that some JAX has, the primitives whose rule no run's program depends on."""
    held = {(kind, name) for one in found for kind, names in one.missing_rules.items() for name in names}
    missing = held - {(each.rule, each.primitive) for one in found for each in one.rules}
    kinds = sorted({kind for one in found for kind in one.missing_rules})
    return {kind: tuple(sorted(name for of, name in missing if of == kind)) for kind in kinds}


def _non_goals(found: Sequence[Coverage]) -> tuple[NonGoals, ...]:
    names: dict[str, set[str]] = {}
    for each in (each for one in found for each in one.non_goals):
        names.setdefault(each.reason, set()).update(each.primitives)
    return tuple(NonGoals(reason=reason, primitives=tuple(sorted(names[reason]))) for reason in sorted(names))
