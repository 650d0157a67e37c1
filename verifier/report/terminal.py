"""What a run found, for the terminal: a table, the tallies, findings worst first, and where the files are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from verifier.report.findings import Finding, failing_numbers, open_claims
from verifier.report.numbers import bits, ulps, witnessed
from verifier.report.overview import overview
from verifier.report.printing import PIPED_WIDTH, printed, safe, write_out
from verifier.report.rule_verdicts import RuleFinding, failing_rules, rule_tally
from verifier.report.words import CLAIM_WORDS, Word, of_claim, of_verdict, severity
from verifier.runs.reader import Run
from verifier.runs.records import Claim, Entry, Verdict

__all__ = ["print_summary", "summary"]

_STYLES = {"good": "green", "note": "blue", "warn": "yellow", "open": "magenta", "bad": "bold red", "none": "dim"}
_MOST = 10


def summary(run: Run, *, width: int = PIPED_WIDTH, colour: bool = False, files: Sequence[Path] = ()) -> str:
    """The summary as text; without colour it holds no escape codes, and the same run gives the same text."""
    return printed(_everything(run, files), width=width, colour=colour)


def print_summary(run: Run, files: Sequence[Path] = ()) -> None:
    """Print the summary to standard output: in colour and as wide as the terminal, plain and 100 wide when piped."""
    write_out(lambda width, colour: summary(run, width=width, colour=colour, files=files))


def _everything(run: Run, files: Sequence[Path]) -> RenderableType:
    said = overview(run)
    parts: list[RenderableType] = [_entries(run), Text()]
    parts += [_rules_tally(run)] if run.rules else []
    parts += [_claims_tally(run)] if run.claims else []
    parts += _findings(run)
    parts += [Text(), safe(said.verdict, style=_STYLES[said.tone])]
    parts += [safe(said.known)] if said.known else []
    parts += [safe(each, style="yellow") for each in said.stale[:_MOST]]
    parts += [safe(f"Written: {path}") for path in files]
    return Group(*parts)


def _entries(run: Run) -> Table:
    """One row an entry: how many numbers of each class over all programs, and the worst verdict."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for heading in ("entry", "numbers", "worst", "claims"):
        table.add_column(heading, justify="right" if heading == "numbers" else "left", overflow="fold")
    verdicts: dict[str, list[Verdict]] = {}
    for verdict in run.verdicts:
        verdicts.setdefault(verdict.entry, []).append(verdict)
    claims = Counter((claim.entry, claim.verdict) for claim in run.claims)
    for entry in run.entries:
        table.add_row(safe(entry.entry), *_row(entry, verdicts.get(entry.entry, []), claims))
    return table


def _row(entry: Entry, verdicts: Sequence[Verdict], claims: Counter[tuple[str, str]]) -> tuple[RenderableType, ...]:
    numbers = sum(sum(verdict.counts.values()) for verdict in verdicts)
    said = [(word, claims[entry.entry, word.name]) for word in CLAIM_WORDS]
    return (
        f"{numbers:,}" if numbers else "",
        _worst(entry, verdicts),
        _joined([(f"{n} {w.plain}", w) for w, n in said if n]),
    )


def _worst(entry: Entry, verdicts: Sequence[Verdict]) -> Text:
    if entry.status != "OK":
        return safe(f"FAILED: {entry.reason}", style=_STYLES["bad"])
    if not verdicts:
        return Text()
    worst = max(verdicts, key=lambda each: (severity(of_verdict(each)), each.acknowledged is None))
    word = of_verdict(worst)
    known = " (known)" if worst.acknowledged else ""
    where = "" if word.tone == "good" else f" {worst.program} {worst.dtype}"
    return safe(f"{word.label}{known}{where}", style=_STYLES[word.tone])


def _claims_tally(run: Run) -> Text:
    tally = Counter(claim.verdict for claim in run.claims)
    known = sum(claim.acknowledged is not None for claim in run.claims)
    line = safe("claims: ") + _joined(
        [(f"{tally[word.name]} {word.plain}", word) for word in CLAIM_WORDS if tally[word.name]]
    )
    return line + safe(f" ({known} acknowledged)" if known else "")


def _rules_tally(run: Run) -> Text:
    """Programs whose rule was judged, by class."""
    tally = rule_tally(run)
    known = sum(acknowledged for *_, acknowledged in tally)
    line = safe("rules: ") + _joined([(f"{number} {word.label}", word) for word, number, _ in tally])
    return line + safe(f" ({known} acknowledged)" if known else "")


def _findings(run: Run) -> list[RenderableType]:
    """Numbers, then claims, each worst first, ten of each; the report has the rest."""
    rules, numbers, claims = failing_rules(run), failing_numbers(run), open_claims(run)
    lines: list[RenderableType] = [Text()] if rules or numbers or claims else []
    lines += [_rule_line(each) for each in rules[:_MOST]]
    lines += [_number_line(each) for each in numbers[:_MOST]]
    lines += [_claim_line(each) for each in claims[:_MOST]]
    hidden = sum(max(0, len(each) - _MOST) for each in (rules, numbers, claims))
    return [*lines, safe(f"and {hidden} more in the report", style="dim")] if hidden else lines


def _number_line(finding: Finding) -> RenderableType:
    verdict, worst = finding.verdict, finding.verdict.worst
    head = _head(finding.word.label, finding.word, known=finding.acknowledged is not None)
    head += safe(f"{verdict.entry} {verdict.component} {verdict.dtype}: {_some(finding.programs)}")
    if worst is None:
        return head
    error = f"; {ulps(worst.ulps)} ulps, {bits(worst.lost_bits)} bits lost" if worst.lost_bits is not None else ""
    return Group(head, Padding(safe(witnessed(worst) + error), (0, 0, 0, 4)))


def _some(programs: Sequence[str]) -> str:
    return ", ".join(programs[:3]) + (f" and {len(programs) - 3} more programs" if len(programs) > 3 else "")


def _rule_line(finding: RuleFinding) -> RenderableType:
    rule, worst = finding.rule, finding.rule.worst
    head = _head(finding.word.label, finding.word, known=finding.acknowledged is not None)
    head += safe(f"rule of {rule.entry} {rule.component}: {_some(finding.programs)}")
    if worst is None:
        return head
    said = witnessed(worst)
    if worst.blame is not None and worst.blame.primitive:
        said += f"; to blame: {' '.join(filter(None, (worst.blame.primitive, worst.blame.source)))}"
    return Group(head, Padding(safe(said), (0, 0, 0, 4)))


def _claim_line(claim: Claim) -> RenderableType:
    word = of_claim(claim)
    head = _head(word.label, word, known=claim.acknowledged is not None)
    head += safe(f'{claim.entry}.{claim.claim}: "{" ".join(claim.says.split())}"')
    truth = " ".join((claim.explains or claim.truth or claim.reason).split())
    return Group(head, Padding(safe(truth), (0, 0, 0, 4))) if truth else head


def _head(label: str, word: Word, *, known: bool) -> Text:
    return safe(label, style=_STYLES[word.tone]) + safe(" (known) " if known else " ", style="default")


def _joined(parts: Sequence[tuple[str, Word]]) -> Text:
    return Text(", ").join(safe(text, style=_STYLES[word.tone]) for text, word in parts)
