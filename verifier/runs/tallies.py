"""What a run file counts, and what counts in it as proven: derived from its entries' records alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from verifier.model.rule import RuleClass
from verifier.model.verdict import ClaimVerdict, NumberClass
from verifier.runs.outcome import Outcome
from verifier.runs.records import Claim, End, Entry, Rule, Verdict

__all__ = ["counted", "end_of", "is_finding", "miscounted", "proven"]

_PASSING = frozenset((RuleClass.RIGHT, RuleClass.CONVENTION, RuleClass.UNDEFINED))


def is_finding(record: Verdict | Rule | Claim) -> bool:
    """Whether a record wants attention: it fails, or nothing could be decided."""
    return record.fails or record.verdict == "UNDECIDED"


def proven(rules: Iterable[Rule]) -> set[tuple[str, str, int]]:
    """The programs, as (entry, program, order), of which every component was judged to pass and some proven right."""
    judged: dict[tuple[str, str, int], list[Rule]] = {}
    for rule in rules:
        judged.setdefault((rule.entry, rule.program, rule.order), []).append(rule)
    return {program for program, found in judged.items() if all(map(_passes, found)) and any(map(_is_right, found))}


def _passes(rule: Rule) -> bool:
    return rule.verdict in _PASSING and not rule.fails


def _is_right(rule: Rule) -> bool:
    return rule.counts.get(RuleClass.RIGHT, 0) > 0


def end_of(outcomes: Sequence[Outcome], stale: Sequence[str] = ()) -> End:
    """The `end` record of a run of these entries, in any order; `stale` acknowledgements count as warnings."""
    return counted(
        entries=[outcome.entry for outcome in outcomes],
        verdicts=[record for outcome in outcomes for record in outcome.verdicts],
        rules=[record for outcome in outcomes for record in outcome.rules],
        claims=[record for outcome in outcomes for record in outcome.claims],
        conflicts=sum(outcome.conflicts for outcome in outcomes),
        stale=stale,
    )


def counted(
    *,
    entries: Sequence[Entry],
    verdicts: Sequence[Verdict],
    rules: Sequence[Rule],
    claims: Sequence[Claim],
    conflicts: int,
    stale: Sequence[str] = (),
) -> End:
    """The `end` record of a run with these records; `conflicts` is how often two routes to a truth exclude each other,
    which the records of entries do not say. A run that judged nothing of its entries has not passed.
    """
    judged = (*verdicts, *rules, *claims)
    open_ones = [record for record in judged if record.acknowledged is None]
    findings = conflicts + sum(record.fails for record in open_ones)
    undecided = sum(not record.fails and is_finding(record) for record in open_ones)
    undecided += sum(entry.status == "FAILED" for entry in entries)
    return End(
        verdicts=_tally((record.verdict for record in verdicts), NumberClass),
        rules=_tally((record.verdict for record in rules), RuleClass),
        claims=_tally((record.verdict for record in claims), ClaimVerdict),
        findings=findings,
        acknowledged=len(judged) - len(open_ones),
        warnings=len(stale) + sum(_is_warning(record) for record in (*verdicts, *rules)),
        undecided=undecided,
        stale=tuple(stale),
        exit_status=1 if findings else 4 if undecided or (entries and not judged) else 0,
    )


def miscounted(
    end: End,
    *,
    entries: Sequence[Entry],
    verdicts: Sequence[Verdict],
    rules: Sequence[Rule],
    claims: Sequence[Claim],
) -> str:
    """Which count of an `end` record is not that of the records, in words; empty where all are."""
    fewest = sum(entry.status == "ORACLE CONFLICT" for entry in entries)
    found = counted(entries=entries, verdicts=verdicts, rules=rules, claims=claims, conflicts=fewest)
    if fewest:  # of such an entry nobody knows how many
        found = replace(found, findings=max(found.findings, end.findings))
    pairs = [(each, getattr(end, each), getattr(found, each)) for each in ("findings", "acknowledged", "undecided")]
    for tally in ("verdicts", "rules", "claims"):
        told, held = getattr(end, tally), getattr(found, tally)
        pairs += [(f"{tally} {kind}", told.get(kind, 0), held.get(kind, 0)) for kind in dict.fromkeys((*told, *held))]
    return "; ".join(f"{name}: {told} there, {held} found" for name, told, held in pairs if told != held)


def _is_warning(record: Verdict | Rule) -> bool:
    return record.verdict in (NumberClass.LOSSY, RuleClass.INEXACT) and not record.fails


def _tally(verdicts: Iterable[str], order: Iterable[str]) -> dict[str, int]:
    """In the given order; classes that only a newer version knows come last."""
    counted = Counter(verdicts)
    return {str(kind): counted[kind] for kind in (*order, *sorted(counted.keys() - set(order))) if counted[kind]}
