"""The first screen: whether anything is wrong, in a sentence that is true."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from verifier.report.html import render
from verifier.report.overview import overview
from verifier.runs.reader import Run

Make = Callable[..., dict[str, Any]]
KNOWN = {"reason": "known"}


def claim(verdict: str, known: bool = False) -> dict[str, Any]:
    fails = verdict == "REFUTED"
    return {
        "kind": "claim",
        "entry": "e",
        "claim": verdict.lower(),
        "says": "s",
        "section": "s",
        "verdict": verdict,
        "fails": fails,
        "acknowledged": KNOWN if known else None,
    }


@pytest.mark.parametrize(
    ("claims", "wrong_numbers", "tone", "said", "known"),
    [
        ([], [], "good", "Nothing is wrong.", ""),
        (["CONFIRMED"], [], "good", "Nothing is wrong.", ""),
        (["REFUTED"], [], "bad", "1 statement is refuted.", ""),
        (["REFUTED"], [{}], "bad", "1 statement is refuted and 1 derivative comes out wrong.", ""),
        (["UNDECIDED"], [], "open", "Nothing new is wrong, but 1 question is still open.", ""),
        (["REFUTED known"], [], "good", "Nothing is wrong beyond what is already known.", "1 refuted statement;"),
        (
            [],
            [{"acknowledged": KNOWN}],
            "good",
            "Nothing is wrong beyond what is already known.",
            "1 wrong derivative;",
        ),
    ],
)
def test_the_verdict_sentence(
    make_run: Callable[..., Run],
    verdict: Make,
    claims: list[str],
    wrong_numbers: list[Any],
    tone: str,
    said: str,
    known: str,
) -> None:
    records = [claim(each.split()[0], known="known" in each) for each in claims]
    records += [verdict(verdict="LOSSY", fails=True, **each) for each in wrong_numbers]
    found = overview(make_run(records))
    assert (found.tone, found.verdict) == (tone, said)
    assert known in found.known


def test_an_entry_that_could_not_run_is_no_silence(make_run: Callable[..., Run], entry: Make) -> None:
    found = overview(make_run([entry(status="FAILED", reason="timeout")]))
    assert found.tone == "bad"
    assert found.verdict == "1 entry could not be run."


def test_tallies_add_up(run: Run) -> None:
    found = overview(run)
    assert found.claim_count == len(run.claims)
    assert found.number_count == sum(sum(verdict.counts.values()) for verdict in run.verdicts)
    assert [share.word.name for share in found.claim_shares] == ["CONFIRMED", "NOT COMPUTABLE", "UNDECIDED", "REFUTED"]


def test_what_fails_nothing_is_not_told_as_wrong(make_run: Callable[..., Run], verdict: Make, entry: Make) -> None:
    """The symbolic formula runs for comparison: where it alone is not finite, no number of JAX is."""
    not_finite = {"verdict": "NONFINITE", "counts": {"NONFINITE": 5}}
    symbolic = verdict(program="symbolic/jit", **not_finite)
    said = overview(make_run([entry(), verdict(fails=True, acknowledged={"reason": "old"}, **not_finite), symbolic]))
    assert [(share.word.tone, share.number, share.acknowledged) for share in said.number_shares] == [
        ("warn", 5, 0),
        ("bad", 5, 5),
    ]
    faulty = verdict(verdict="FAULTY", fails=True, counts={"FAULTY": 1, "NONFINITE": 2, "LOSSY": 3})
    said = overview(make_run([entry(), faulty]))
    assert [(share.word.tone, share.number) for share in said.number_shares] == [("warn", 3), ("bad", 2), ("bad", 1)]


def test_the_first_screen_says_how_bad_the_worst_is_and_where(
    make_run: Callable[..., Run], verdict: Make, entry: Make
) -> None:
    known = verdict(verdict="NONFINITE", fails=True, acknowledged=KNOWN, worst={"decimal": "nan"})
    news = verdict(verdict="LOSSY", fails=True, order=2, worst={"decimal": "0.25"})
    page = render(make_run([entry(), known, news]))
    told = re.search(r'<p class="gravest">(.*)</p>', page)
    assert told is not None
    assert "second derivative" in told[1]
    assert 'href="#finding-e-2-float32-L"' in told[1]
    assert "<b>0.25</b> instead of <b>1.5</b> at x = 1, float32" in told[1]
    assert 'class="gravest"' not in render(make_run([entry(), verdict()]))


def test_a_catalog_without_statements_is_not_told_that_it_has_none(
    make_run: Callable[..., Run], verdict: Make, entry: Make
) -> None:
    assert "0 statements" not in render(make_run([entry(), verdict()]))
    assert "1 statement of the text" in render(make_run([entry(), verdict(), claim("CONFIRMED")]))
