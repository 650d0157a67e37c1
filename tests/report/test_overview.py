"""The first screen: whether anything is wrong, in a sentence that is true."""

from collections.abc import Callable
from typing import Any

import pytest

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
