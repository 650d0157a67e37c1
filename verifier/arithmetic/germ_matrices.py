"""Large matrix products of germs, coefficient by coefficient: C_s = sum over p + q = s of A_p B_q."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from flint import arb, arb_mat, fmpq, fmpq_mat

from verifier.arithmetic.expansion import Exponent, Germ, Term, ball_of

__all__ = ["is_worthwhile", "product"]

_SMALLEST = 512
"""Products of fewer multiplications are made entry by entry, where rationals among balls stay rational."""


def is_worthwhile(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether the product is large and all entries are power series: natural exponents, no logarithms."""
    return a.size * b.shape[1] >= _SMALLEST and all(map(_is_series, (*a.flat, *b.flat)))


def _is_series(entry: Any) -> bool:
    return type(entry) is Germ and all(
        not term.logs and type(term.exponent) is int and term.exponent >= 0 for term in entry.terms
    )


def product(a: np.ndarray, b: np.ndarray, order: Exponent) -> np.ndarray:
    """The product of two matrices of power series, cut at O(t^order), at the current precision.

    An entry's O(t^n) is the coarsest of its row and its column: exponents are natural, so that no factor lowers it.
    """
    rational = all(type(term.coefficient) is fmpq for entry in (*a.flat, *b.flat) for term in entry.terms)
    left, right = _coefficients(a, rational=rational), _coefficients(b, rational=rational)
    sums: dict[int, Any] = {}
    for p, first in left.items():
        for q, second in right.items():
            if p + q < order:
                part = first * second
                sums[p + q] = sums[p + q] + part if p + q in sums else part
    cut = order if max(left, default=0) + max(right, default=0) >= order else None
    rows = [_coarsest((*(entry.order for entry in row), cut)) for row in a]
    columns = [_coarsest(entry.order for entry in column) for column in b.T]
    result = np.empty((a.shape[0], b.shape[1]), dtype=object)
    for i, j in np.ndindex(*result.shape):
        known = _coarsest((rows[i], columns[j]))
        result[i, j] = _germ({power: matrix[i, j] for power, matrix in sorted(sums.items())}, known)
    return result


def _coefficients(matrix: np.ndarray, *, rational: bool) -> dict[int, Any]:
    """Exponent -> the matrix of its coefficients."""
    make: Any = fmpq_mat if rational else arb_mat
    zero = fmpq(0) if rational else arb(0)
    tables: dict[int, list[Any]] = {}
    size = int(matrix.size)
    for place, entry in enumerate(matrix.flat):
        for term in entry.terms:
            table = tables.setdefault(term.exponent, [zero] * size)
            table[place] = term.coefficient if rational else ball_of(term.coefficient)
    rows, columns = (int(each) for each in matrix.shape)
    return {power: make(rows, columns, table) for power, table in tables.items()}


def _coarsest(orders: Iterable[Exponent | None]) -> Exponent | None:
    return min((each for each in orders if each is not None), default=None)


def _germ(coefficients: dict[int, Any], order: Exponent | None) -> Germ:
    terms = (
        Term(power, 0, each)
        for power, each in coefficients.items()
        if (order is None or power < order) and not (each.is_zero() if type(each) is arb else not each)
    )
    return Germ(tuple(terms), order)
