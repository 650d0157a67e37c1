"""SARIF 2.1.0: findings with the line of the catalog, for code-scanning pages.

Source: OASIS, Static Analysis Results Interchange Format 2.1.0.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from verifier.report.ci.cases import Case, Level, Message, cases
from verifier.report.ci.plain import printable
from verifier.runs.reader import Run

__all__ = ["render"]

_LEVELS = {Level.ERROR: "error", Level.OPEN: "warning", Level.WARNING: "note", Level.KNOWN: "note"}
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render(run: Run, catalog: str) -> str:
    """The SARIF document; acknowledged findings are in it as suppressed results."""
    results = [_result(case, message, catalog) for case, message in _messages(run)]
    rules = sorted({each["ruleId"] for each in results})
    driver = {
        "name": "derivative-verifier",
        "version": run.provenance.versions.get("verifier", "unknown"),
        "rules": [{"id": each, "shortDescription": {"text": each}} for each in rules],
    }
    document = {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _messages(run: Run) -> Iterator[tuple[Case, Message]]:
    return ((case, message) for case in cases(run) for message in case.messages)


def _result(case: Case, message: Message, catalog: str) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": PurePath(catalog).as_posix()}}
    if case.line:
        place["region"] = {"startLine": case.line}
    result: dict[str, Any] = {
        "ruleId": message.verdict,
        "level": _LEVELS[message.level],
        "message": {"text": printable(f"{case.name}: {case.title}: {message.text}")},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"case/v1": f"{case.name} {message.verdict}"},
    }
    if message.level is Level.KNOWN:
        result["suppressions"] = [{"kind": "inSource"}]
    return result
