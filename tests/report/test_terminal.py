"""The terminal's summary: stable when piped, worst first, and nothing from a catalog steers the terminal."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from verifier.report.printing import safe
from verifier.report.terminal import print_summary, summary
from verifier.runs.reader import Run

Make = Callable[..., dict[str, Any]]


def test_it_is_plain_stable_and_narrow_when_piped(run: Run) -> None:
    text = summary(run)
    assert text == summary(run)
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 100


def test_it_is_coloured_on_request(run: Run) -> None:
    assert "\x1b[" in summary(run, colour=True)


def test_findings_stand_worst_first_and_files_last(run: Run) -> None:
    lines = summary(run, files=[Path("run.jsonl"), Path("article.html")]).splitlines()
    heads = [line.split()[0] for line in lines if line.startswith(("LOSSY", "NONFINITE", "REFUTED", "UNDECIDED"))]
    assert heads == ["LOSSY"] * 2 + ["NONFINITE"] * 3 + ["REFUTED"] * 5 + ["UNDECIDED"]
    assert lines[-2:] == ["Written: run.jsonl", "Written: article.html"]
    assert "claims: 6 confirmed, 2 not computable, 1 undecided, 5 refuted (5 acknowledged)" in lines


def test_every_entry_has_its_row(run: Run) -> None:
    text = summary(run)
    assert all(any(line.startswith(f"{entry.entry} ") for line in text.splitlines()) for entry in run.entries)
    assert "FAILED: stopped after 120 s" in text


def test_hostile_text_steers_nothing(make_run: Callable[..., Run], verdict: Make, entry: Make) -> None:
    evil = "\x1b]0;owned\x07\x1b[2J [bold red]x[/] :smile: \u202e"
    claim = {
        "kind": "claim",
        "entry": evil,
        "claim": "c",
        "says": evil,
        "section": "s",
        "verdict": "REFUTED",
        "fails": True,
        "truth": evil,
    }
    records = [
        entry(entry=evil, status="FAILED", reason=evil),
        claim,
        verdict(entry=evil, component=evil, verdict=evil, fails=True, worst={"label": evil, "truth": evil}),
    ]
    text = summary(make_run(records), files=[Path("a\x1bb")])
    assert not set(text) & {"\x1b", "\x07", "\u202e"}
    assert "[bold red]x[/] :smile:" in text


def test_print_summary_writes_to_standard_output(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    print_summary(run, [Path("run.jsonl")])
    assert capsys.readouterr().out == summary(run, files=[Path("run.jsonl")])


def test_half_a_character_is_shown_as_a_mark() -> None:
    assert safe("bad \ud800 \x1b text").plain == "bad \ufffd \ufffd text"
