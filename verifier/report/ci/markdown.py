"""A summary in Markdown, for pull requests and job pages: what is wrong, first; then what is known."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from verifier.report.ci.cases import Case, Level, cases
from verifier.report.ci.plain import printable
from verifier.report.overview import overview
from verifier.runs.reader import Run

__all__ = ["render"]

_HEADINGS = {
    Level.ERROR: "Wrong",
    Level.OPEN: "Undecided",
    Level.WARNING: "Warnings",
    Level.KNOWN: "Known and acknowledged",
}
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$@])")
_MOST = 50


def render(run: Run, catalog: str) -> str:
    """The document."""
    said, found = overview(run), cases(run)
    parts = [
        f"## {_plain(run.header.catalog.title)}",
        _plain(f"{said.verdict} {said.known}".strip()),
        _plain(said.checked),
    ]
    parts += [part for level in Level for part in _table(found, level, catalog)]
    return "\n\n".join(parts) + "\n"


def _table(found: Sequence[Case], level: Level, catalog: str) -> Iterator[str]:
    rows = [(case, message) for case in found for message in case.messages if message.level is level]
    if not rows:
        return
    yield f"### {_HEADINGS[level]}: {len(rows)}"
    lines = ["| where | verdict | what |", "| --- | --- | --- |"]
    for case, message in rows[:_MOST]:
        where = f"{catalog}:{case.line} {case.name}" if case.line else case.name
        lines.append(f"| {_plain(where)} | {_plain(message.verdict)} | {_plain(f'{case.title}: {message.text}')} |")
    yield "\n".join(lines)
    if len(rows) > _MOST:
        yield f"and {len(rows) - _MOST} more"


def _plain(text: str) -> str:
    """Text as it is: nothing of it is read as Markdown, HTML, a mention or a table's column."""
    return _SPECIAL.sub(r"\\\1", " ".join(printable(text).split()))
