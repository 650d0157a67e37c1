"""What a run says, one fact a subject: the numbers of a cell, a program's rule, a claim, an entry as a whole."""

from __future__ import annotations

from dataclasses import dataclass

from verifier.model.rule import RuleClass
from verifier.model.verdict import ClaimVerdict, NumberClass
from verifier.report.numbers import witnessed
from verifier.runs.reader import Run
from verifier.runs.records import Acknowledged, Claim, Entry, Rule, Verdict, one_component

__all__ = ["Fact", "Subject", "facts"]

_BEST_FIRST: dict[str, tuple[str, ...]] = {
    "number": tuple(map(str, NumberClass)),
    "rule": tuple(map(str, RuleClass)),
    "claim": (
        ClaimVerdict.CONFIRMED,
        ClaimVerdict.NOT_COMPUTABLE,
        ClaimVerdict.UNDECIDED,
        ClaimVerdict.REFUTED,
    ),
    "entry": ("OK", "FAILED", "ORACLE CONFLICT"),
}


_CERTAIN = (NumberClass.NONFINITE, RuleClass.WRONG)
"""What no rounding makes of a number."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Subject:
    """What a fact is about; the same in every run. `kind` is "number", "rule", "claim" or "entry"."""

    entry: str
    kind: str
    order: int = 0
    component: str = ""
    """Empty where a record stands for many components and names the worst."""
    program: str = ""
    dtype: str = ""
    device: str = ""
    claim: str = ""

    def __str__(self) -> str:
        if self.kind == "claim":
            return f"claim {self.claim}"
        if self.kind == "entry":
            return "the entry as a whole"
        name = self.component or f"order {self.order}"
        target = " ".join(each for each in (self.program, self.dtype, self.device) if each)
        return f"{name} {target}" if self.kind == "number" else f"{name} rule of {target}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What one run says of a subject. `lost` are bits lost beyond what the problem requires (0 within the yardstick).

    `said` is the witness in words, `primitive` the one that is blamed.
    """

    verdict: str
    fails: bool = False
    acknowledged: Acknowledged | None = None
    lost: float = 0.0
    places: int = 0
    """At how many of its `points` the verdict is this one, where that is no matter of a few roundings; else 0."""
    points: int = 0
    said: str = ""
    primitive: str = ""

    def badness(self, kind: str) -> tuple[bool, int]:
        """Orders facts of one kind; a class that this version does not know counts as the worst."""
        ranks = _BEST_FIRST[kind]
        return (self.fails, ranks.index(self.verdict) if self.verdict in ranks else len(ranks))


def facts(run: Run) -> dict[Subject, Fact]:
    """Every fact of a run by its subject."""
    return dict(
        (
            *map(_of_entry, run.entries),
            *map(_of_verdict, run.verdicts),
            *map(_of_rule, run.rules),
            *map(_of_claim, run.claims),
        )
    )


def _of_entry(record: Entry) -> tuple[Subject, Fact]:
    fact = Fact(verdict=record.status, fails=record.status != "OK", said=record.reason)
    return Subject(entry=record.entry, kind="entry"), fact


def _of_verdict(record: Verdict) -> tuple[Subject, Fact]:
    subject = Subject(
        entry=record.entry,
        kind="number",
        order=record.order,
        component=one_component(record),
        program=record.program,
        dtype=record.dtype,
        device=record.device,
    )
    return subject, _fact(record, lost=(record.worst.lost_bits if record.worst else None) or 0.0)


def _of_rule(record: Rule) -> tuple[Subject, Fact]:
    subject = Subject(
        entry=record.entry,
        kind="rule",
        order=record.order,
        component=one_component(record),
        program=record.program,
        dtype=record.dtype,
    )
    return subject, _fact(record)


def _fact(record: Verdict | Rule, lost: float = 0.0) -> Fact:
    worst = record.worst
    return Fact(
        verdict=record.verdict,
        fails=record.fails,
        acknowledged=record.acknowledged,
        lost=lost,
        places=record.counts.get(record.verdict, 0) if record.verdict in _CERTAIN else 0,
        points=record.points,
        said=witnessed(worst) if worst else "",
        primitive=worst.blame.primitive if worst and worst.blame else "",
    )


def _of_claim(record: Claim) -> tuple[Subject, Fact]:
    fact = Fact(
        verdict=record.verdict,
        fails=record.fails,
        acknowledged=record.acknowledged,
        said=f"{' '.join(record.says.split())}: {record.truth or record.reason}",
    )
    return Subject(entry=record.entry, kind="claim", claim=record.claim), fact
