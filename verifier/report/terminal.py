"""What a run found, for the terminal: a table, the tallies, findings worst first, and where the files are."""

from __future__ import annotations

import io
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from unicodedata import category

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from verifier.report.findings import Finding, failing_numbers, open_claims
from verifier.report.numbers import bits, shortened, signed, ulps
from verifier.report.overview import overview
from verifier.report.words import CLAIM_WORDS, Word, of_claim, of_verdict, severity
from verifier.runs.reader import Run
from verifier.runs.records import Claim, Entry, Verdict

__all__ = ["print_summary", "summary"]

_STYLES = {"good": "green", "note": "blue", "warn": "yellow", "open": "magenta", "bad": "bold red", "none": "dim"}
_STEERING = frozenset(("Cc", "Cf"))
_PIPED_WIDTH = 100
_MOST = 10


def summary(run: Run, *, width: int = _PIPED_WIDTH, colour: bool = False, files: Sequence[Path] = ()) -> str:
    """The summary as text; without colour it holds no escape codes, and the same run gives the same text."""
    console = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        no_color=not colour,
        legacy_windows=False,
        highlight=False,
        emoji=False,
        markup=False,
    )
    with console.capture() as capture:
        console.print(_everything(run, files))
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def print_summary(run: Run, files: Sequence[Path] = ()) -> None:
    """Print the summary to standard output: in colour and as wide as the terminal, plain and 100 wide when piped."""
    is_terminal = sys.stdout.isatty()
    width = os.get_terminal_size().columns if is_terminal else _PIPED_WIDTH
    colour = is_terminal and not os.environ.get("NO_COLOR")
    sys.stdout.write(summary(run, width=width, colour=colour, files=files))


def _everything(run: Run, files: Sequence[Path]) -> RenderableType:
    said = overview(run)
    parts: list[RenderableType] = [_entries(run), Text()]
    parts += [_claims_tally(run)] if run.claims else []
    parts += _findings(run)
    parts += [Text(), _text(said.verdict, style=_STYLES[said.tone])]
    parts += [_text(said.known)] if said.known else []
    parts += [_text(each, style="yellow") for each in said.stale[:_MOST]]
    parts += [_text(f"Written: {path}") for path in files]
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
        table.add_row(_text(entry.entry), *_row(entry, verdicts.get(entry.entry, []), claims))
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
        return _text(f"FAILED: {entry.reason}", style=_STYLES["bad"])
    if not verdicts:
        return Text()
    worst = max(verdicts, key=lambda each: (severity(of_verdict(each)), each.acknowledged is None))
    word = of_verdict(worst)
    known = " (known)" if worst.acknowledged else ""
    where = "" if word.tone == "good" else f" {worst.program} {worst.dtype}"
    return _text(f"{word.label}{known}{where}", style=_STYLES[word.tone])


def _claims_tally(run: Run) -> Text:
    tally = Counter(claim.verdict for claim in run.claims)
    known = sum(claim.acknowledged is not None for claim in run.claims)
    line = _text("claims: ") + _joined(
        [(f"{tally[word.name]} {word.plain}", word) for word in CLAIM_WORDS if tally[word.name]]
    )
    return line + _text(f" ({known} acknowledged)" if known else "")


def _findings(run: Run) -> list[RenderableType]:
    """Numbers, then claims, each worst first, ten of each; the report has the rest."""
    numbers, claims = failing_numbers(run), open_claims(run)
    lines: list[RenderableType] = [Text()] if numbers or claims else []
    lines += [_number_line(each) for each in numbers[:_MOST]]
    lines += [_claim_line(each) for each in claims[:_MOST]]
    hidden = max(0, len(numbers) - _MOST) + max(0, len(claims) - _MOST)
    return [*lines, _text(f"and {hidden} more in the report", style="dim")] if hidden else lines


def _number_line(finding: Finding) -> RenderableType:
    verdict, worst = finding.verdict, finding.verdict.worst
    head = _head(finding.word.label, finding.word, known=finding.acknowledged is not None)
    head += _text(f"{verdict.entry} {verdict.component} {verdict.dtype}: {', '.join(finding.programs[:3])}")
    head += _text(f" and {len(finding.programs) - 3} more programs" if len(finding.programs) > 3 else "")
    if worst is None:
        return head
    error = f"; {ulps(worst.ulps)} ulps, {bits(worst.lost_bits)} bits lost" if worst.lost_bits is not None else ""
    said = f"at {signed(worst.label)}: {signed(worst.decimal)} instead of {shortened(worst.truth)}{error}"
    return Group(head, Padding(_text(said), (0, 0, 0, 4)))


def _claim_line(claim: Claim) -> RenderableType:
    word = of_claim(claim)
    head = _head(word.label, word, known=claim.acknowledged is not None)
    head += _text(f'{claim.entry}.{claim.claim}: "{" ".join(claim.says.split())}"')
    truth = " ".join((claim.explains or claim.truth or claim.reason).split())
    return Group(head, Padding(_text(truth), (0, 0, 0, 4))) if truth else head


def _head(label: str, word: Word, *, known: bool) -> Text:
    return _text(label, style=_STYLES[word.tone]) + _text(" (known) " if known else " ", style="default")


def _joined(parts: Sequence[tuple[str, Word]]) -> Text:
    return Text(", ").join(_text(text, style=_STYLES[word.tone]) for text, word in parts)


def _text(text: str, style: str = "") -> Text:
    """Text from a run file: characters that steer a terminal or turn the writing direction are shown as a mark."""
    return Text("".join("\ufffd" if category(each) in _STEERING else each for each in text), style=style)
