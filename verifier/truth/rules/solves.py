"""Linear systems solved as equations, whatever way the program goes about it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any

import numpy as np

from verifier.arithmetic.ball import BallSystem
from verifier.arithmetic.elements import EITHER
from verifier.arithmetic.expansion import Germ
from verifier.model.jaxprs import all_equations
from verifier.truth.machine import Machine, Table, rules
from verifier.truth.pairs import Pair
from verifier.truth.rules.factorisations import per_matrix, real_system, solve_triangular
from verifier.truth.values import Refused

__all__ = ["RULES", "solve"]

Array = np.ndarray

_DIRECT = {"cholesky", "lu", "qr", "triangular_solve", "tridiagonal_solve"}
_LOOPS = {"scan", "while"}

LARGEST = 1024
"""Unknowns of a system that is given by its matrix-vector product: its matrix is built column by column."""


def solve(machine: Machine, a: Array, b: Array) -> Array:
    """The x with a x = b, by elimination with any certain pivot; raises Refused where there is none."""
    a, b, size = a.copy(), b.copy(), len(a)
    for k in range(size):
        pivot = k + _certain_pivot(machine, a[k:, k])
        a[[k, pivot]], b[[k, pivot]] = a[[pivot, k]], b[[pivot, k]]
        below = [row for row in range(k + 1, size) if not _vanishes(machine, a[row, k])]
        if below:
            factors = machine.map("div", a[below, k], a[k, k])[:, None]
            a[below, k + 1 :] = _eliminated(machine, a[below, k + 1 :], factors, a[None, k, k + 1 :])
            b[below] = _eliminated(machine, b[below], factors, b[None, k])
    return solve_triangular(machine, a, b, lower=False, unit=False)


def _eliminated(machine: Machine, rows: Array, factors: Array, row: Array) -> Array:
    return machine.map("sub", rows, machine.map("mul", factors, row)) if rows.size else rows


def _vanishes(machine: Machine, entry: Any) -> bool:
    return not _moves(machine, entry) and machine.system.compare("eq", entry, machine.exact(0)) is True


def _moves(machine: Machine, entry: Any) -> bool:
    """Whether an entry is known to depend on an input: then it is zero by chance."""
    moves = getattr(real_system(machine), "moves", None)
    return moves is not None and any(map(moves, (entry.re, entry.im) if isinstance(entry, Pair) else (entry,)))


def _certain_pivot(machine: Machine, column: Array) -> int:
    """The place of an entry that is certainly not zero, as large as comparisons can tell."""
    pivot = getattr(machine.system, "pivot", partial(_largest, machine))
    best = pivot(column)
    if best is None:
        raise Refused("a linear system that is singular, or not certainly regular", EITHER)
    return best


def _largest(machine: Machine, column: Array) -> int | None:
    real = real_system(machine)
    sizes, zero, best = machine.map("abs", column), real.exact(0), None
    for index, entry in enumerate(sizes):
        nonzero = real.compare("gt", entry, zero) is True
        if nonzero and (best is None or real.compare("gt", entry, sizes[best]) is True):
            best = index
    return best


def _custom_linear_solve(machine: Machine, equation: Any, *operands: Array) -> list[Array]:
    """The solution of `matvec(x) = b`.

    Only a direct method made of exact factorisations is followed instead, and not by germs: its factors may be frozen.
    In balls it has to solve that equation: what it leaves of it belongs to the number, not to the truth.
    """
    lengths, programs = equation.params["const_lengths"], equation.params["jaxprs"]
    cuts = np.cumsum([lengths.matvec, lengths.vecmat, lengths.solve, lengths.transpose_solve])
    product_constants, solve_constants = operands[: cuts[0]], operands[cuts[1] : cuts[2]]
    right = operands[cuts[3] :]
    extra = len(equation.outvars) - len(right)
    names = {each.primitive.name for each in all_equations(programs.solve)}
    if names & _DIRECT and not names & _LOOPS and not _vary(machine, operands):
        found = machine.run(programs.solve, [*solve_constants, *right])
        given = [*product_constants, *found[: len(right)]]
        if not isinstance(real_system(machine), BallSystem) or _may_give(machine, programs.matvec, given, right):
            return found
    solution = _solved(machine, programs.matvec, product_constants, right)
    if not extra:
        return solution
    return [*solution, *machine.run(programs.solve, [*solve_constants, *right])[-extra:]]


def _may_give(machine: Machine, product: Any, operands: Sequence[Array], right: Sequence[Array]) -> bool:
    """Whether the product may be the right-hand side: no entry is certainly another one."""
    pairs = zip(machine.run(product, operands), right, strict=True)
    return not any(each is True for pair in pairs for each in machine.compare("ne", *pair).ravel().tolist())


def _vary(machine: Machine, operands: Sequence[Array]) -> bool:
    entries = (entry for operand in operands for entry in operand.flat)
    return hasattr(real_system(machine), "moves") or any(
        isinstance(entry.re if isinstance(entry, Pair) else entry, Germ) for entry in entries
    )


def _solved(machine: Machine, product: Any, constants: Sequence[Array], right: Sequence[Array]) -> list[Array]:
    sizes = [each.size for each in right]
    if sum(sizes) > LARGEST:
        raise Refused(f"a linear solve of more than {LARGEST} unknowns")
    matrix = _matrix(machine, product, constants, right)
    joined = np.concatenate([each.reshape(-1) for each in right])
    solution = machine.zeros((sum(sizes),))
    for block in _blocks(machine, matrix):
        solution[block] = solve(machine, matrix[np.ix_(block, block)], joined[block][:, None])[:, 0]
    parts = np.split(solution, np.cumsum(sizes)[:-1])
    return [part.reshape(each.shape) for part, each in zip(parts, right, strict=True)]


def _matrix(machine: Machine, product: Any, constants: Sequence[Array], right: Sequence[Array]) -> Array:
    """The matrix of a linear program, column by column."""
    size = sum(each.size for each in right)
    cuts = np.cumsum([each.size for each in right])[:-1]
    columns = []
    with getattr(machine.system, "folding", nullcontext)():
        for index in range(size):
            unit = machine.zeros((size,))
            unit[index] = machine.exact(1)
            parts = [part.reshape(each.shape) for part, each in zip(np.split(unit, cuts), right, strict=True)]
            columns.append(np.concatenate([each.reshape(-1) for each in machine.run(product, [*constants, *parts])]))
    return np.stack(columns, axis=1)


def _blocks(machine: Machine, matrix: Array) -> list[list[int]]:
    """The sets of unknowns that the matrix couples, so that a batch of small systems stays a batch of small systems."""
    size = len(matrix)
    label = list(range(size))
    for i, j in np.ndindex(size, size):
        if label[i] != label[j] and not _vanishes(machine, matrix[i, j]):
            old, new = label[j], label[i]
            label = [new if each == old else each for each in label]
    return [[i for i in range(size) if label[i] == root] for root in sorted(set(label))]


def _tridiagonal_solve(machine: Machine, equation: Any, *operands: Array) -> list[Array]:
    """The solution with the three diagonals; the lower one's first and the upper one's last entry are not read."""
    lower, diagonal, upper, right = operands
    return per_matrix(_one_tridiagonal)(
        machine, equation, right, lower[..., None], diagonal[..., None], upper[..., None]
    )


def _one_tridiagonal(
    machine: Machine, equation: Any, b: Array, lower: Array, diagonal: Array, upper: Array
) -> list[Array]:
    size = len(b)
    matrix = machine.zeros((size, size))
    matrix[np.diag_indices(size)] = diagonal[:, 0]
    rows = np.arange(1, size)
    matrix[rows, rows - 1], matrix[rows - 1, rows] = lower[1:, 0], upper[:-1, 0]
    return [solve(machine, matrix, b)]


RULES: Table = rules(custom_linear_solve=_custom_linear_solve, tridiagonal_solve=_tridiagonal_solve)
