"""Findings: what says the same is told once, and the worst is told first."""

from collections.abc import Callable
from typing import Any

from verifier.report.findings import failing_numbers, open_claims, undecided_numbers, warning_numbers
from verifier.runs.reader import Run

Make = Callable[..., dict[str, Any]]


def failing(make: Make, **changes: Any) -> dict[str, Any]:
    return make(**{"verdict": "LOSSY", "fails": True, **changes})


def test_programs_and_devices_of_one_finding_are_told_once(make_run: Callable[..., Run], verdict: Make) -> None:
    programs = [failing(verdict, program=p, device=d) for p in ("grad/jit", "jacrev/eager") for d in ("cpu:0", "cpu:1")]
    (finding,) = failing_numbers(make_run(programs))
    assert finding.programs == ("grad/jit", "jacrev/eager")
    assert finding.devices == ("cpu:0", "cpu:1")


def test_another_dtype_order_class_or_acknowledgement_is_another_finding(
    make_run: Callable[..., Run], verdict: Make
) -> None:
    others = [{}, {"dtype": "float16"}, {"order": 2}, {"verdict": "NONFINITE"}, {"acknowledged": {"reason": "known"}}]
    assert len(failing_numbers(make_run([failing(verdict, **each) for each in others]))) == len(others)


def test_news_come_first_then_the_worst(make_run: Callable[..., Run], verdict: Make) -> None:
    records = [
        failing(verdict, entry="few", worst={"lost_bits": 13.0}),
        failing(
            verdict,
            entry="known-nan",
            verdict="NONFINITE",
            acknowledged={"reason": "known"},
            worst={"ulps": None, "lost_bits": None},
        ),
        failing(verdict, entry="many", worst={"lost_bits": 30.0}),
        failing(verdict, entry="nan", verdict="NONFINITE", worst={"ulps": None, "lost_bits": None}),
    ]
    assert [each.verdict.entry for each in failing_numbers(make_run(records))] == ["nan", "many", "few", "known-nan"]


def test_the_worst_witness_of_a_group_is_shown(make_run: Callable[..., Run], verdict: Make) -> None:
    records = [failing(verdict, program=f"grad/{k}", worst={"lost_bits": float(k)}) for k in (1, 9, 4)]
    (finding,) = failing_numbers(make_run(records))
    assert finding.verdict.program == "grad/9"


def test_warnings_and_undecided_ones_are_kept_apart(make_run: Callable[..., Run], verdict: Make) -> None:
    run = make_run([verdict(), verdict(verdict="LOSSY"), verdict(verdict="UNDECIDED", entry="u"), failing(verdict)])
    assert [len(each) for each in (failing_numbers(run), warning_numbers(run), undecided_numbers(run))] == [1, 1, 1]


def test_refuted_claims_come_first_and_confirmed_ones_not_at_all(run: Run) -> None:
    verdicts = [claim.verdict for claim in open_claims(run)]
    assert verdicts == ["REFUTED"] * 5 + ["UNDECIDED"]
