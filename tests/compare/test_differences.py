"""What counts as newly wrong, worse, less accurate, and the other way round."""

from dataclasses import replace

import pytest

from verifier.compare.differences import compare, new_findings, new_questions
from verifier.compare.text import line
from verifier.runs import records

KNOWN = records.Acknowledged(reason="known")


def only(comparison):
    (change,) = comparison.changes
    return change


def test_equal_runs_have_no_changes(run_of, number, rule, claim):
    run = run_of(number(), rule(), claim())
    comparison = compare(run, run)
    assert comparison.changes == ()
    assert comparison.compared == 4
    assert not comparison.got_worse


@pytest.mark.parametrize(
    ("old", "new", "direction", "worse"),
    [
        (("ACCURATE", None), ("LOSSY", 19.9, True), "newly wrong", True),
        (("LOSSY", 19.9, True), ("ACCURATE", None), "newly right", False),
        (("ACCURATE", None), ("LOSSY", 4.0), "worse", True),
        (("LOSSY", 4.0), ("ACCURATE", None), "better", False),
        (("LOSSY", 4.0), ("LOSSY", 5.5), "less accurate", True),
        (("LOSSY", 5.5), ("LOSSY", 4.0), "more accurate", False),
        (("ACCURATE", None), ("UNDECIDED", None), "worse", True),
        (("LOSSY", 19.9, True), ("NONFINITE", None, True), "worse", True),
        (("ACCURATE", None), ("A CLASS OF TOMORROW", None), "worse", True),
    ],
)
def test_a_number_that_changed(run_of, number, old, new, direction, worse):
    def made(kind, lost, fails=False):
        return number(kind, lost, fails=fails)

    comparison = compare(run_of(made(*old)), run_of(made(*new)))
    assert only(comparison).direction == direction
    assert comparison.got_worse is worse


def test_less_than_a_bit_is_the_compilers_noise(run_of, number):
    assert compare(run_of(number("LOSSY", 4.0)), run_of(number("LOSSY", 4.9))).changes == ()


@pytest.mark.parametrize(("kind", "made"), [("NONFINITE", "number"), ("WRONG", "rule")])
def test_what_fails_at_more_places_is_worse(run_of, request, kind, made):
    def at(places, points=5):
        record = request.getfixturevalue(made)(kind, fails=True)
        return run_of(replace(record, counts={kind: places, "OTHER": points - places}, points=points))

    worse = compare(at(1), at(5))
    assert (only(worse).direction, worse.got_worse) == ("worse", True)
    assert f"{kind} at 1 of 5 points (fails) -> {kind} (fails)" in line(only(worse))
    assert only(compare(at(5), at(1))).direction == "better"
    assert compare(at(3), at(3)).changes == ()
    assert compare(at(3), at(4, points=10)).changes == ()


def test_a_rounding_that_is_lost_at_more_places_is_the_compilers_noise(run_of, number):
    few, many = (replace(number("LOSSY", 4.0), counts={"LOSSY": each}, points=9) for each in (1, 9))
    assert compare(run_of(few), run_of(many)).changes == ()


def test_rules_and_claims_are_compared_too(run_of, rule, claim):
    comparison = compare(run_of(rule(), claim()), run_of(rule("WRONG", fails=True), claim("REFUTED", fails=True)))
    assert {each.subject.kind: each.direction for each in comparison.changes} == {
        "rule": "newly wrong",
        "claim": "newly wrong",
    }


@pytest.mark.parametrize(
    ("verdict", "fails", "direction", "back"),
    [
        ("UNDECIDED", False, "worse", "better"),
        ("INEXACT", False, "worse", "better"),
        ("WRONG", True, "newly wrong", "newly right"),
    ],
)
@pytest.mark.parametrize("others", [1, 2])
def test_a_rule_that_shared_its_record_is_compared_with_what_was_shared(
    run_of, rule, verdict, fails, direction, back, others
):
    together = run_of(rule(component="d/dx", components=others + 1))
    apart = run_of(rule(verdict, component="d/dx", fails=fails), rule(component="d/dy", components=others))
    for old, new, expected in ((together, apart, direction), (apart, together, back)):
        change = only(compare(old, new))
        assert (change.subject.component, change.direction) == ("d/dx", expected)
        assert compare(old, new).got_worse is (expected == direction)


def test_an_entry_that_no_longer_runs_is_newly_wrong(run_of, number):
    failed = records.Entry(entry="e", title="e", section="s", status="FAILED", reason="killed")
    comparison = compare(run_of(number()), run_of(failed))
    assert {(each.subject.kind, each.direction) for each in comparison.changes} == {
        ("entry", "newly wrong"),
        ("number", "disappeared"),
    }
    assert comparison.got_worse


def test_what_appears_wrong_is_newly_wrong_and_what_appears_right_is_not(run_of, number):
    run = run_of(number())
    added = number("NONFINITE", fails=True, dtype="float16"), number(dtype="bfloat16")
    comparison = compare(run, run_of(number(), *added))
    assert [(each.subject.dtype, each.direction) for each in comparison.changes] == [
        ("float16", "newly wrong"),
        ("bfloat16", "appeared"),
    ]
    assert [each.direction for each in compare(run_of(number(), *added), run).changes] == ["disappeared"] * 2


def test_an_acknowledged_failure_is_shown_and_is_no_bad_news(run_of, number):
    comparison = compare(run_of(number()), run_of(number("LOSSY", 20.0, fails=True, acknowledged=KNOWN)))
    assert only(comparison).direction == "newly wrong"
    assert not comparison.got_worse


def test_a_record_of_many_components_is_the_same_subject_whichever_is_worst(run_of, number):
    old = number(component="d/dw[3]", components=100)
    assert compare(run_of(old), run_of(number(component="d/dw[7]", components=100))).changes == ()


def test_against_a_baseline_only_new_failures_count(run_of, number):
    old, new = number("LOSSY", 20.0, fails=True), number("NONFINITE", fails=True, dtype="float64")
    baseline = run_of(old)
    assert new_findings(compare(baseline, baseline)) == ()
    (found,) = new_findings(compare(baseline, run_of(old, new)))
    assert found.subject.dtype == "float64"
    assert new_findings(compare(baseline, run_of(old, number("LOSSY", 5.0, dtype="float16")))) == ()


def test_versions_and_catalogs_that_differ_are_named(run_of, number):
    old, new = run_of(number(), jax="0.10.2", numpy="2.4"), run_of(number(), digest="other", jax="0.12.0", numpy="2.4")
    comparison = compare(old, new)
    assert comparison.versions == {"jax": ("0.10.2", "0.12.0")}
    assert not comparison.same_catalog


@pytest.mark.parametrize(
    ("verdict", "direction"),
    [("ACCURATE", "newly right"), ("NONFINITE", "better"), ("UNDECIDED", "no longer decided")],
)
def test_a_failure_that_is_gone_is_right_only_where_the_verdict_is(run_of, number, verdict, direction):
    old = run_of(number("NONFINITE", fails=True))
    (change,) = compare(old, run_of(number(verdict))).changes
    assert change.direction == direction
    assert not change.got_worse


def test_against_a_baseline_every_new_question_counts(run_of, number, claim):
    known, other = claim("UNDECIDED"), claim("UNDECIDED", claim="other")
    refuted = claim("REFUTED", claim="other", fails=True)
    assert new_questions(compare(run_of(known), run_of(known))) == ()
    assert (
        new_questions(
            compare(
                run_of(known, claim(claim="other")), run_of(claim(), claim("UNDECIDED", claim="x", acknowledged=KNOWN))
            )
        )
        == ()
    )
    for before in ((known,), (known, claim(claim="other")), (known, refuted)):
        (found,) = new_questions(compare(run_of(*before), run_of(claim(), other)))
        assert found.subject.claim == "other"
