"""JAX's programs as formulas on an entry's page."""

from __future__ import annotations

from verifier.report.lifted import LiftedRow, lifted_rows
from verifier.runs.records import Rule


def rule(program, formula, *, proved=True, dtype="float64"):
    return Rule(
        entry="cube",
        order=1,
        program=program,
        dtype=dtype,
        component="d/dx",
        verdict="RIGHT",
        proved=proved,
        formula=formula,
    )


def test_programs_of_one_formula_share_a_row():
    found = lifted_rows([rule("grad", "3 x^{2}"), rule("jacfwd", "3 x^{2}"), rule("jet", "")])
    assert found == (LiftedRow(order=1, component="d/dx", latex="3 x^{2}", programs=("grad", "jacfwd"), proved=True),)


def test_what_is_proved_and_what_is_not_stand_apart():
    found = lifted_rows(
        [rule("grad", "3 x^{2}"), rule("jacfwd", "3 x^{2}", proved=False), rule("grad", "x", dtype="float32")]
    )
    assert [each.proved for each in found] == [True, False]
