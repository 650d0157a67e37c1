"""The forms in which a run can be written for people and for continuous integration: one row a form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from verifier.report.ci import github, junit, markdown, sarif
from verifier.report.html import render, write_page
from verifier.runs.reader import Run

__all__ = ["FORMS", "write"]

FORMS: Mapping[str, Callable[[Run, str], str]] = MappingProxyType(
    {
        "html": lambda run, catalog: render(run),
        "junit": junit.render,
        "sarif": sarif.render,
        "markdown": markdown.render,
        "github": github.render,
    }
)
"""Name -> the text of a run whose catalog has the given path."""


def write(run: Run, form: str, path: Path, catalog: str) -> None:
    """Write a run in a form, replacing the file in one step."""
    write_page(FORMS[form](run, catalog), path)
