"""The tree of errors: exit statuses, positions, every fault in the order of the file."""

from __future__ import annotations

import pytest

from verifier.errors import CatalogError, Fault, FormulaError, RunFileError, UsageError, VerifierError


def fault(line: int, column: int = 1, *, message: str = "wrong", path: str = "") -> Fault:
    return Fault(file="catalog/x.yaml", line=line, column=column, message=message, path=path)


@pytest.mark.parametrize(
    ("error", "status"), [(UsageError, 2), (RunFileError, 2), (FormulaError, 2), (CatalogError, 3), (VerifierError, 2)]
)
def test_exit_statuses(error, status):
    assert issubclass(error, VerifierError)
    assert error.exit_status == status


def test_a_fault_says_where_what_and_at_which_key():
    assert str(fault(12, 7)) == "catalog/x.yaml:12:7: wrong"
    assert str(fault(12, 7, path="entries.a")) == "catalog/x.yaml:12:7: wrong (at entries.a)"


def test_all_faults_stand_in_the_order_of_the_file():
    error = CatalogError((fault(12), fault(3, 9), fault(3, 2)))
    assert [(each.line, each.column) for each in error.faults] == [(3, 2), (3, 9), (12, 1)]
    assert str(error).splitlines() == [str(each) for each in error.faults]


def test_a_formula_error_has_a_column():
    assert FormulaError("wrong", column=4).column == 4
    assert FormulaError("wrong").column == 0
