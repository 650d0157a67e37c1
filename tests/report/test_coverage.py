"""What the report and the command say of coverage: JAX's rules, programs by dtype and device, gaps by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from verifier.report.coverage import gaps, grid, orders_of, rule_rows, rule_sentence, rule_tallies
from verifier.report.coverage_text import as_json, coverage_text
from verifier.report.html import render
from verifier.runs.reader import Run
from verifier.runs.records import Cell, Coverage, RuleCoverage, Skipped

MakeRun = Callable[[list[dict[str, Any]]], Run]


def test_rules_are_counted_by_kind_and_by_what_is_known(run: Run) -> None:
    tallies = {each.kind: each for each in rule_tallies(run.coverage)}
    assert (tallies["jvp"].verified, tallies["jvp"].unproven) == (("mul", "tanh"), ())
    assert tallies["jvp"].missing == ("cholesky", "sin", "tan")
    assert (tallies["linearization"].unproven, tallies["linearization"].total) == (("sin",), 2)
    version = run.provenance.versions["jax"]
    assert rule_sentence(run) == (
        f"Of the 9 real-valued rules of JAX {version} this catalog verifies 3; "
        "1 ran, but in no program that is proven right; 5 never ran."
    )


def test_a_row_tells_rules_that_ran_from_those_that_did_not_and_those_that_are_not(run: Run) -> None:
    rows = {row.primitive: row.rules for row in rule_rows(run.coverage)}
    assert list(rows) == ["mul", "sin", "tanh"]
    assert rows["sin"]["jvp"] is None
    assert "transpose" not in rows["sin"]
    assert rows["tanh"]["jvp"] is not None
    assert orders_of(rows["tanh"]["jvp"]) == "1, 2, (3)"


def test_an_order_that_only_ran_is_never_shown_as_verified() -> None:
    assert orders_of(RuleCoverage(primitive="p", rule="jvp", exercised=(1, 2), verified=())) == "(1), (2)"


def test_the_grid_has_every_program_dtype_and_device_and_its_holes() -> None:
    found = grid(
        Coverage(
            matrix=(
                Cell(entry="a", dtype="float32", device="cpu:0", programs=("grad/vmap", "grad/eager")),
                Cell(entry="b", dtype="float32", device="cpu:0", programs=("grad/eager",)),
                Cell(entry="a", dtype="float64", device="cpu:0", programs=("jvp/jit",)),
            )
        )
    )
    assert found.targets == (("float64", "cpu:0"), ("float32", "cpu:0"))
    cell = found.rows["grad"]["float32", "cpu:0"]
    assert (cell.functions, cell.letters) == (2, "ev")
    assert ("float64", "cpu:0") not in found.rows["grad"]
    assert found.compilations == ("eager", "jit", "vmap")


def test_gaps_stand_under_their_reason_with_all_their_entries() -> None:
    skipped = [Skipped(entry=e, what=w, why=y) for e, w, y in (("a", "w", "x"), ("b", "w", "x"), ("a", "v", "z"))]
    found = {gap.why: gap.whats for gap in gaps(Coverage(skipped=tuple(skipped)))}
    assert found == {"x": {"w": ("a", "b")}, "z": {"v": ("a",)}}


def test_the_text_names_every_gap_and_is_plain_and_stable_when_piped(run: Run) -> None:
    text = coverage_text(run)
    assert text == coverage_text(run)
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 100
    for gap in ("jvp that never ran: cholesky, sin, tan", "missing in cheat-sheet: row per-example", "psum"):
        assert gap in text
    assert any(line.split()[:2] == ["tanh", "1,"] for line in text.splitlines())
    assert "\x1b[" in coverage_text(run, colour=True)


def test_json_holds_the_record_and_the_totals(run: Run) -> None:
    found = json.loads(as_json(run))
    assert found["rule_totals"]["jvp"] == {"total": 5, "verified": 2, "unproven": 0, "missing": 3}
    assert found["jax"] == run.provenance.versions["jax"]
    assert found["missing_rules"]["transpose"] == ["dot_general"]
    assert len(found["matrix"]) == len(run.coverage.matrix)


def test_the_report_has_the_rules_and_what_is_missing(report: str) -> None:
    assert 'id="jax-rules"' in report
    for name in ("cholesky", "dot_general", "psum"):
        assert f"<code>{name}</code>" in report
    assert "1, 2, (3)" in report


def test_a_run_file_without_rules_is_said_to_say_nothing(make_run: MakeRun) -> None:
    bare = make_run([])
    assert rule_sentence(bare) == ""
    assert "says nothing about them" in coverage_text(bare)
    assert 'id="jax-rules"' not in render(bare)


@pytest.mark.parametrize("evil", ["\x1b[2Jx", "<script>x</script>"])
def test_hostile_names_steer_nothing(make_run: MakeRun, evil: str) -> None:
    record = Coverage(
        rules=(RuleCoverage(primitive=evil, rule="jvp", exercised=(1,), verified=(1,), entries=(evil,)),),
        missing_rules={"jvp": (evil,)},
        skipped=(Skipped(entry=evil, what=evil, why=evil),),
    )
    run = replace(make_run([]), coverage=record)
    assert "\x1b" not in coverage_text(run)
    assert "<script>x" not in render(run)
