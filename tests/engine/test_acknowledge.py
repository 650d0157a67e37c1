"""Acknowledgements: exact matches only; a worse verdict is new; what no longer occurs warns; nothing is hidden."""

from __future__ import annotations

from dataclasses import replace

import pytest

from verifier.engine.acknowledge import acknowledge, is_finding, stale
from verifier.model.catalog import Acknowledgement, Entry
from verifier.runs.records import Claim, Decision, Verdict, Worst

CELL = Verdict(
    entry="e",
    order=1,
    program="grad/jit",
    dtype="float16",
    device="cpu:0",
    component="d/dx",
    verdict="LOSSY",
    fails=True,
    counts={"LOSSY": 1},
    points=1,
    worst=Worst(point=0, value="0x0p+0", decimal="0", truth="1"),
)
CLAIM = Claim(
    entry="e",
    claim="slip",
    says="s",
    section="s",
    verdict="REFUTED",
    fails=True,
    decision=Decision(kind="holds", text=""),
)
ABOUT_CELL = Acknowledgement(
    verdict="LOSSY",
    reason="known",
    link="https://example.org/1",
    programs=("grad/jit", "grad/eager"),
    order=1,
    components=("d/dx",),
    dtypes=("float16",),
    devices=("cpu:0",),
)
ABOUT_CLAIM = Acknowledgement(verdict="REFUTED", reason="a slip", claim="slip")


def entry(*acknowledged: Acknowledgement) -> Entry:
    return Entry(id="e", title="t", section="s", acknowledged=acknowledged)


def meets(record, acknowledgement, version="0.10.2") -> bool:
    (found,) = acknowledge([record], entry(acknowledgement), version)
    return found.acknowledged is not None


def test_a_finding_that_is_named_is_acknowledged_with_its_reason_and_link():
    (found,) = acknowledge([CELL], entry(ABOUT_CELL), "0.10.2")
    assert found.acknowledged is not None
    assert (found.acknowledged.reason, found.acknowledged.link) == ("known", "https://example.org/1")
    assert replace(found, acknowledged=None) == CELL  # nothing else of the record changes: it still fails
    assert found.fails
    assert meets(CLAIM, ABOUT_CLAIM)


@pytest.mark.parametrize(
    "other",
    [
        {"program": "grad/vmap"},
        {"order": 2},
        {"component": "d/dy"},
        {"dtype": "float32"},
        {"device": "cpu:1"},
        {"verdict": "NONFINITE"},
        {"verdict": "FAILED"},
        {"verdict": "UNDECIDED"},
    ],
)
def test_any_other_cell_or_verdict_is_a_new_finding(other):
    assert not meets(replace(CELL, **other), ABOUT_CELL)


def test_a_warning_needs_no_acknowledgement():
    assert not meets(replace(CELL, fails=False), ABOUT_CELL)
    assert not is_finding(replace(CELL, fails=False))


def test_another_claim_or_another_outcome_is_a_new_finding():
    assert not meets(replace(CLAIM, claim="other"), ABOUT_CLAIM)
    assert not meets(replace(CLAIM, verdict="UNDECIDED", fails=False), ABOUT_CLAIM)
    assert not meets(CELL, ABOUT_CLAIM)
    assert not meets(CLAIM, ABOUT_CELL)


def test_what_is_undecided_can_be_acknowledged():
    undecided = replace(CLAIM, verdict="UNDECIDED", fails=False)
    assert is_finding(undecided)
    assert meets(undecided, replace(ABOUT_CLAIM, verdict="UNDECIDED"))


@pytest.mark.parametrize(
    ("versions", "version", "applies"),
    [
        ("", "0.10.2", True),
        (">=0.10,<0.12", "0.10.2", True),
        (">=0.10,<0.12", "0.12.0", False),
        (">=0.10,<0.12", "0.9.9", False),
        (">=0.10", "0.12.0.1", True),
        (">=0.10", "0.11.0.dev3", True),
    ],
)
def test_a_version_range_limits_it(versions, version, applies):
    limited = replace(ABOUT_CELL, jax=versions)
    assert meets(CELL, limited, version) == applies
    gone = [replace(CELL, verdict="ACCURATE", fails=False)]
    assert bool(stale(gone, entry(limited), version)) == applies


def test_what_no_longer_occurs_is_stale_and_named():
    gone = [replace(CELL, verdict="ACCURATE", fails=False), replace(CLAIM, verdict="CONFIRMED", fails=False)]
    assert stale(gone, entry(ABOUT_CELL, ABOUT_CLAIM), "0.10.2") == [
        "e: order 1 of grad/jit,grad/eager x d/dx x float16 x cpu:0: LOSSY no longer occurs",
        "e: claim slip: REFUTED no longer occurs",
    ]
    assert stale([CELL, CLAIM], entry(ABOUT_CELL, ABOUT_CLAIM), "0.10.2") == []


def test_what_this_run_did_not_judge_is_not_stale():
    elsewhere = [replace(CELL, program="grad/vmap"), replace(CELL, device="cpu:1"), replace(CELL, dtype="float64")]
    assert stale(elsewhere, entry(ABOUT_CELL, ABOUT_CLAIM), "0.10.2") == []
    assert stale([], entry(ABOUT_CELL, ABOUT_CLAIM), "0.10.2") == []


def test_a_worse_verdict_makes_the_acknowledgement_stale_and_the_finding_new():
    worse = [replace(CELL, verdict="NONFINITE")]
    assert len(stale(worse, entry(ABOUT_CELL), "0.10.2")) == 1
    assert not meets(worse[0], ABOUT_CELL)


def test_a_record_of_many_components_is_met_by_the_worst_and_stale_by_none_of_them():
    many = replace(CELL, components=1153, component="d/dw[7]")
    assert not meets(many, ABOUT_CELL)
    assert meets(many, replace(ABOUT_CELL, components=("d/dw[7]",)))
    gone = [replace(many, verdict="ACCURATE", fails=False)]
    assert len(stale(gone, entry(ABOUT_CELL), "0.10.2")) == 1


BODY = """
inputs: {{x: {{domain: [1, 2]}}}}
value: x
orders: [1]
claims:
  - {{id: slip, says: "two is three", holds: {statement}}}
acknowledged:
  - {{claim: slip, verdict: REFUTED, reason: "A slip of the pen."}}
"""


def test_an_acknowledged_finding_is_counted_shown_and_does_not_fail_the_run(verified):
    run = verified(BODY.format(statement="2 == 3"))
    (claim,) = run.claims
    assert claim.fails
    assert claim.verdict == "REFUTED"
    assert claim.acknowledged.reason == "A slip of the pen."
    assert (run.end.findings, run.end.acknowledged, run.end.exit_status) == (0, 1, 0)


def test_an_acknowledgement_of_what_is_right_is_a_warning(verified):
    run = verified(BODY.format(statement="2 == 2"))
    assert run.end.stale == ("e: claim slip: REFUTED no longer occurs",)
    assert (run.end.warnings, run.end.exit_status) == (1, 0)


def test_an_acknowledged_refutation_that_becomes_undecided_is_a_new_finding(verified):
    run = verified(BODY.format(statement="log(-1) < 0"))
    assert (run.end.undecided, run.end.acknowledged, run.end.exit_status) == (1, 0, 4)
