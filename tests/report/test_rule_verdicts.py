"""Verdicts on rules in the report: found, counted, told with their blame, and marked in the matrix."""

from collections.abc import Callable
from typing import Any

from verifier.report.html import render
from verifier.report.matrix import matrix
from verifier.report.overview import overview
from verifier.report.rule_verdicts import failing_rules, rule_table
from verifier.report.terminal import summary
from verifier.runs.reader import Run

Make = Callable[..., dict[str, Any]]


def rule(**changes: Any) -> dict[str, Any]:
    plain = {
        "kind": "rule",
        "entry": "e",
        "order": 1,
        "program": "grad",
        "dtype": "float64",
        "component": "d/dx",
        "verdict": "RIGHT",
        "counts": {"RIGHT": 3},
        "points": 3,
        "bits": 157.2,
    }
    return {**plain, **changes}


def wrong(**changes: Any) -> dict[str, Any]:
    blame = {"who": "rule", "primitive": "custom_jvp_call", "source": "mine.py:7", "what": "its rule is WRONG"}
    worst = {"point": 0, "label": "x = 1", "value": "-1", "truth": "1", "blame": blame}
    return rule(verdict="WRONG", fails=True, bits=0.0, worst=worst, **changes)


def test_a_wrong_rule_is_told_on_every_surface(make_run: Callable[..., Run], verdict: Make, entry: Make) -> None:
    run = make_run([entry(), verdict(), wrong(), wrong(program="grad/vmap"), rule(program="jacrev")])
    (finding,) = failing_rules(run)
    assert finding.programs == ("grad", "grad/vmap")
    said = overview(run)
    assert said.tone == "bad"
    assert said.verdict == "1 derivative rule is wrong."
    page, text = render(run), summary(run)
    assert "custom_jvp_call" in page
    assert 'id="rules"' in page
    assert "rules: 1 RIGHT, 2 WRONG" in text
    assert "custom_jvp_call mine.py:7" in text
    (row,) = matrix(run).rows
    assert row.cells[0].rule is not None
    assert row.cells[0].rule.name == "WRONG"


def test_a_known_wrong_rule_is_shown_and_is_no_news(make_run: Callable[..., Run], entry: Make) -> None:
    said = overview(make_run([entry(), wrong(acknowledged={"reason": "known"})]))
    assert said.verdict == "Nothing is wrong beyond what is already known."
    assert "1 wrong rule" in said.known


def test_the_table_of_an_entry_stands_by_program_and_order(make_run: Callable[..., Run], entry: Make) -> None:
    run = make_run([entry(), rule(), rule(program="grad3/remat", order=3, bits=4096.0), rule(program="grad3", order=3)])
    table = rule_table(run.rules)
    assert table is not None
    assert list(table.rows) == ["grad"]
    assert [table.rows["grad"][order].agreed for order in table.orders] == ["157 bits", "157 bits"]
    assert "agree in 157 bits or more" in table.said
    assert table.findings == ()


def test_an_older_run_without_rules_is_shown_as_before(
    make_run: Callable[..., Run], verdict: Make, entry: Make
) -> None:
    run = make_run([entry(), verdict()])
    assert rule_table(run.rules) is None
    assert "derivative rule" not in render(run)
    assert "rules:" not in summary(run)
