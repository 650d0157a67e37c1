"""A run as a list of cases, one an entry and one a claim, each with what is to be said about it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from verifier.report.findings import Finding, failing_numbers, undecided_numbers, warning_numbers
from verifier.report.numbers import bits, witnessed
from verifier.runs.reader import Run
from verifier.runs.records import Claim, Entry, Rule

__all__ = ["Case", "Level", "Message", "cases"]


class Level(StrEnum):
    """How loud a message is, worst first. `known` is acknowledged in the catalog: shown, and no failure."""

    ERROR = "error"
    OPEN = "open"
    WARNING = "warning"
    KNOWN = "known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One thing to say: the verdict, and a sentence with the witness."""

    level: Level
    verdict: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An entry's derivatives or one claim; `line` is that of the catalog, 0 where it is not known."""

    entry: str
    claim: str = ""
    title: str
    line: int = 0
    seconds: float = 0.0
    messages: tuple[Message, ...] = ()

    @property
    def name(self) -> str:
        """`entry` or `entry.claim`, unique in a run."""
        return f"{self.entry}.{self.claim}" if self.claim else self.entry

    @property
    def level(self) -> Level | None:
        """The worst level of its messages; None when all is well."""
        return min((each.level for each in self.messages), key=list(Level).index, default=None)


def cases(run: Run) -> tuple[Case, ...]:
    """Every case in the order of the catalog: each entry, then its claims."""
    said = _numbers(run)
    for rule in run.rules:
        if (message := _of_rule(rule)) is not None:
            said[rule.entry].append(message)
    claims: dict[str, list[Claim]] = defaultdict(list)
    for claim in run.claims:
        claims[claim.entry].append(claim)
    return tuple(
        case
        for entry in run.entries
        for case in (_of_entry(run, entry, said[entry.entry]), *(_of_claim(run, each) for each in claims[entry.entry]))
    )


def _numbers(run: Run) -> dict[str, list[Message]]:
    said: dict[str, list[Message]] = defaultdict(list)
    groups = (
        (Level.ERROR, failing_numbers(run)),
        (Level.OPEN, undecided_numbers(run)),
        (Level.WARNING, warning_numbers(run)),
    )
    for level, findings in groups:
        for finding in findings:
            said[finding.verdict.entry].append(_of_finding(finding, level))
    return said


def _of_finding(finding: Finding, level: Level) -> Message:
    verdict, worst = finding.verdict, finding.verdict.worst
    text = f"{verdict.component} in {verdict.dtype} by {_some(finding.programs)}"
    if worst is not None:
        lost = f", {bits(worst.lost_bits)} bits lost" if worst.lost_bits is not None else ""
        text += f", {witnessed(worst)}{lost}"
    return Message(level=Level.KNOWN if finding.acknowledged else level, verdict=finding.word.label, text=text)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _of_rule(rule: Rule) -> Message | None:
    level = Level.ERROR if rule.fails else {"UNDECIDED": Level.OPEN, "INEXACT": Level.WARNING}.get(rule.verdict)
    if level is None:
        return None
    worst = rule.worst
    said = f", {witnessed(worst)}; {worst.reason}" if worst else ""
    return Message(
        level=Level.KNOWN if rule.acknowledged else level,
        verdict=f"{rule.verdict} rule",
        text=f"{rule.component} by {rule.program}{said}".rstrip("; "),
    )


def _of_entry(run: Run, entry: Entry, said: Sequence[Message]) -> Case:
    stopped = () if entry.status == "OK" else (Message(level=Level.ERROR, verdict=entry.status, text=entry.reason),)
    return Case(
        entry=entry.entry,
        title=entry.title,
        line=run.header.lines.get(entry.entry, 0),
        seconds=run.provenance.entries.get(entry.entry) or 0.0,
        messages=(*stopped, *said),
    )


def _of_claim(run: Run, claim: Claim) -> Case:
    level = Level.ERROR if claim.fails else Level.OPEN if claim.verdict == "UNDECIDED" else None
    text = " ".join((claim.explains or "; ".join(filter(None, (claim.truth, claim.reason)))).split())
    message = Message(
        level=Level.KNOWN if claim.acknowledged else level or Level.ERROR, verdict=claim.verdict, text=text
    )
    return Case(
        entry=claim.entry,
        claim=claim.claim,
        title=" ".join(claim.says.split()),
        line=run.header.lines.get(f"{claim.entry}.{claim.claim}", 0),
        messages=(message,) if level or claim.acknowledged else (),
    )
