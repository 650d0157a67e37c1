"""The matrix: a cell is as bad as the worst verdict behind it."""

from collections.abc import Callable
from typing import Any

from verifier.report.matrix import matrix
from verifier.runs.reader import Run

Make = Callable[..., dict[str, Any]]


def test_a_cell_shows_the_worst_and_its_letters_show_each(
    make_run: Callable[..., Run], verdict: Make, entry: Make
) -> None:
    records = [
        entry(),
        verdict(program="grad/eager"),
        verdict(program="grad/jit", verdict="NONFINITE", fails=True),
        verdict(dtype="float64"),
    ]
    table = matrix(make_run(records))
    (row,) = table.rows
    (cell,) = row.cells
    assert cell.word.letter == "N"
    assert (table.dtypes, table.devices, table.compilations) == (("float64", "float32"), ("cpu:0",), ("eager", "jit"))
    assert cell.letters == ".AAN"


def test_an_acknowledged_cell_is_lower_case_and_news_outweigh_it(
    make_run: Callable[..., Run], verdict: Make, entry: Make
) -> None:
    known = verdict(verdict="NONFINITE", fails=True, acknowledged={"reason": "known"})
    table = matrix(make_run([entry(), known]))
    assert (table.rows[0].cells[0].acknowledged, table.rows[0].cells[0].letters) == (True, "n")
    table = matrix(make_run([entry(), known, verdict(component="d/dy", verdict="NONFINITE", fails=True)]))
    assert (table.rows[0].cells[0].acknowledged, table.rows[0].cells[0].letters) == (False, "N")


def test_a_warning_and_a_failure_have_letters_of_their_own(
    make_run: Callable[..., Run], verdict: Make, entry: Make
) -> None:
    table = matrix(
        make_run([entry(), verdict(verdict="LOSSY"), verdict(verdict="LOSSY", fails=True, program="jacfwd/jit")])
    )
    assert [cell.word.letter for cell in table.rows[0].cells] == ["W", "L"]


def test_columns_stand_by_order_and_then_as_everywhere(run: Run) -> None:
    heads = [(column.order, column.transform) for column in matrix(run).columns]
    assert heads[:3] == [(0, "value"), (1, "grad"), (1, "jacfwd")]
    assert heads.index((1, "jet")) < heads.index((2, "hessian")) < heads.index((2, "jet"))


def test_a_verdict_of_a_newer_version_is_shown_not_dropped(
    make_run: Callable[..., Run], verdict: Make, entry: Make
) -> None:
    table = matrix(make_run([entry(), verdict(verdict="SUSPECT", fails=True)]))
    assert table.rows[0].cells[0].word.name == "SUSPECT"
