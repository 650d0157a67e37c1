"""Is a point a convex combination of others? Decided in exact rational arithmetic by the simplex method.

Source: phase one of the simplex method with Bland's rule, which never cycles (R. G. Bland, Math. Oper. Res. 2, 1977).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

__all__ = ["in_hull"]

Vector = Sequence[Fraction]
Row = list[Fraction]


def in_hull(point: Vector, corners: Sequence[Vector], room: Vector) -> bool:
    """Whether some convex combination c of the corners has |c_i - point_i| <= room_i for every i."""
    rows = [_row([corner[i] for corner in corners], 1, point[i] + room[i]) for i in range(len(point))]
    rows += [_row([corner[i] for corner in corners], -1, point[i] - room[i]) for i in range(len(point))]
    rows.append(_row([Fraction(1)] * len(corners), 0, Fraction(1)))
    return _feasible(_with_slacks(rows, len(corners)))


def _row(coefficients: Sequence[Fraction], slack: int, bound: Fraction) -> Row:
    """sum coefficients_j lambda_j + slack s = bound, s >= 0 (slack 0: an equation)."""
    return [*coefficients, Fraction(slack), bound]


def _with_slacks(rows: Sequence[Row], width: int) -> list[Row]:
    """The rows with a column for every slack, and every bound at least 0."""
    found = []
    for index, row in enumerate(rows):
        slacks = [Fraction(0)] * len(rows)
        slacks[index] = row[width]
        full = [*row[:width], *slacks, row[-1]]
        found.append([-each for each in full] if full[-1] < 0 else full)
    return found


def _feasible(rows: list[Row]) -> bool:
    """Whether `rows` (coefficients, then a bound >= 0) have a solution x >= 0: minimise the sum of artificial
    variables.
    """
    width, height = len(rows[0]) - 1, len(rows)
    basis = list(range(width, width + height))  # the artificial variables, which have no columns of their own
    cost = [sum(column, Fraction(0)) for column in zip(*rows, strict=True)]
    while cost[-1] > 0:
        entering = next((j for j in range(width) if cost[j] > 0), None)
        if entering is None:
            return False
        candidates = [(row[-1] / row[entering], basis[i], i) for i, row in enumerate(rows) if row[entering] > 0]
        if not candidates:  # cannot happen: the objective is bounded below by 0
            return False
        leaving = min(candidates)[2]
        basis[leaving] = entering
        _pivot(rows, cost, leaving, entering)
    return True


def _pivot(rows: list[Row], cost: Row, leaving: int, entering: int) -> None:
    pivot = rows[leaving][entering]
    rows[leaving] = [each / pivot for each in rows[leaving]]
    for row in (*(row for i, row in enumerate(rows) if i != leaving), cost):
        factor = row[entering]
        if factor:
            row[:] = [a - factor * b for a, b in zip(row, rows[leaving], strict=True)]
