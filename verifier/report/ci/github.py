"""GitHub workflow commands: annotations at the catalog's lines, worst first, as many as GitHub shows.

Source: GitHub Docs, Workflow commands for GitHub Actions (escapes; ten errors and ten warnings a step).
"""

from __future__ import annotations

from collections.abc import Iterator

from verifier.report.ci.cases import Case, Level, cases
from verifier.report.ci.plain import printable
from verifier.runs.reader import Run

__all__ = ["render"]

_SHOWN = 10
_COMMANDS = {Level.ERROR: "error", Level.OPEN: "warning"}


def render(run: Run, catalog: str) -> str:
    """The commands, one a line, and a summary line at the end."""
    found = [case for case in cases(run) if case.level in _COMMANDS]
    lines = [*_annotations(found, Level.ERROR, catalog), *_annotations(found, Level.OPEN, catalog)]
    end = run.end
    said = f"{end.findings} findings, {end.undecided} undecided, {end.acknowledged} known, {end.warnings} warnings"
    title = _escaped(run.header.catalog.title, is_property=True)
    return "\n".join((*lines, f"::notice title={title}::{said}")) + "\n"


def _annotations(found: list[Case], level: Level, catalog: str) -> Iterator[str]:
    for case in [each for each in found if each.level is level][:_SHOWN]:
        place = f"file={_escaped(catalog, is_property=True)}" + (f",line={case.line}" if case.line else "")
        title = _escaped(f"{case.name}: {case.title}"[:120], is_property=True)
        text = "\n".join(f"{each.verdict}: {each.text}" for each in case.messages if each.level is level)
        yield f"::{_COMMANDS[level]} {place},title={title}::{_escaped(text)}"


def _escaped(text: str, *, is_property: bool = False) -> str:
    pairs = [("%", "%25"), ("\r", "%0D"), ("\n", "%0A"), *([(":", "%3A"), (",", "%2C")] if is_property else [])]
    text = printable(text)
    for plain, code in pairs:
        text = text.replace(plain, code)
    return text
