"""Factorisations of matrices by their exact formulas, with the choices (pivots, signs) that LAPACK makes.

Source: Golub and Van Loan, Matrix Computations, 4th ed., algorithms 3.4.1 (LU), 4.2.1 (Cholesky), 5.1.1 and 5.2.1
(Householder); LAPACK's getrf, potrf, larfg, orgqr for the conventions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from verifier.arithmetic.elements import EITHER, NAN
from verifier.arithmetic.expansion import Germ, is_zero
from verifier.truth.machine import Machine, Rule, Table, kind_of
from verifier.truth.pairs import Pair, PairSystem
from verifier.truth.values import Refused, boxed, filled, unknown

__all__ = ["RULES", "conjugate", "identity", "per_matrix", "real_system", "solve_triangular"]

Array = np.ndarray


def per_matrix(factor: Callable[..., Sequence[Array]]) -> Callable[..., list[Array]]:
    """The rule that factors each matrix of a stack; one that cannot be factored is unknown for itself alone."""

    def compute(machine: Machine, equation: Any, *operands: Array) -> list[Array]:
        shapes = [tuple(variable.aval.shape) for variable in equation.outvars]
        batch = operands[0].shape[:-2]
        results = [np.empty(shape, dtype=object) for shape in shapes]
        for place in np.ndindex(*batch):
            inner = [shape[len(batch) :] for shape in shapes]
            parts = _attempt(factor, machine, equation, [operand[place] for operand in operands], inner)
            for result, part in zip(results, parts, strict=True):
                result[place] = part
        return results

    return compute


def _attempt(
    factor: Callable[..., Sequence[Array]],
    machine: Machine,
    equation: Any,
    matrices: list[Array],
    shapes: list[tuple[int, ...]],
) -> Sequence[Array]:
    try:
        return factor(machine, equation, *matrices)
    except Refused as refusal:
        return [unknown(shape, refusal.unknown.reason, refusal.unknown.remedy) for shape in shapes]


def identity(machine: Machine, size: int) -> Array:
    """The unit matrix."""
    matrix = machine.zeros((size, size))
    matrix[np.diag_indices(size)] = machine.exact(1)
    return matrix


def conjugate(machine: Machine, x: Array) -> Array:
    """The complex conjugate, entry by entry; real entries are their own."""
    return machine.map("conj", x) if isinstance(machine.system, PairSystem) else x


def _inner(machine: Machine, x: Array, y: Array) -> Any:
    """x^H y."""
    return machine.fold("add", machine.map("mul", conjugate(machine, x), y), (0,), machine.exact(0))[()]


def _real_part(x: Any) -> Any:
    return x.re if isinstance(x, Pair) else x


def _lifted(machine: Machine, x: Any) -> Any:
    """A real element as one of the machine's numbers."""
    return Pair(x, machine.system.real.exact(0)) if isinstance(machine.system, PairSystem) else x


def real_system(machine: Machine) -> Any:
    """The system of the real numbers that the machine computes with, itself or by pairs."""
    return machine.system.real if isinstance(machine.system, PairSystem) else machine.system


def _is_zero(machine: Machine, x: Any) -> bool | None:
    return machine.system.compare("eq", x, machine.exact(0))


def _cholesky(machine: Machine, equation: Any, a: Array) -> list[Array]:
    """The lower factor from the lower triangle; all NaN where a pivot is certainly not positive, as JAX returns it."""
    factor, real = machine.zeros(a.shape), real_system(machine)
    for column in range(len(a)):
        pivot = machine.map("sub", a[column, column], _inner(machine, factor[column, :column], factor[column, :column]))
        size = _real_part(pivot[()])
        if real.compare("gt", size, real.exact(0)) is False:
            return [filled(a.shape, _lifted(machine, NAN))]
        factor[column, column] = _lifted(machine, real.operation("sqrt")(size))
        below = slice(column + 1, None)
        if column + 1 < len(a):
            row = conjugate(machine, factor[column, :column])
            known = machine.matmul(factor[below, :column], row[:, None])[:, 0]
            factor[below, column] = machine.map(
                "div", machine.map("sub", a[below, column], known), factor[column, column]
            )
    return [factor]


def solve_triangular(machine: Machine, a: Array, b: Array, *, lower: bool, unit: bool) -> Array:
    """The x with a x = b by substitution; a is read in its triangle only."""
    size, x = len(a), b.copy()
    for row in range(size) if lower else reversed(range(size)):
        done = slice(0, row) if lower else slice(row + 1, None)
        if a[row, done].size:
            x[row] = machine.map("sub", x[row], machine.matmul(a[row : row + 1, done], x[done])[0])
        if not unit:
            x[row] = machine.map("div", x[row], a[row, row])
    return x


def _triangular_solve(machine: Machine, equation: Any, a: Array, b: Array) -> list[Array]:
    params = equation.params
    lower, left = params["lower"], params["left_side"]
    if params["conjugate_a"] and kind_of(equation.invars[0]) == "complex":
        a = machine.map("conj", a)
    if params["transpose_a"] == left:  # x a = b is a^T x^T = b^T
        a, lower = a.T, not lower
    solution = solve_triangular(machine, a, b if left else b.T, lower=lower, unit=params["unit_diagonal"])
    return [solution if left else solution.T]


def _lu(machine: Machine, equation: Any, a: Array) -> list[Array]:
    """L and U in one matrix, the row exchanges, and the permutation that they amount to."""
    a, rows, minors = a.copy(), np.arange(len(a)), _Minors.of(machine, a)
    pivots = []
    for k in range(min(a.shape)):
        pivots.append(pivot := k + _pivot(machine, equation, minors.column(k, a[k:, k])))
        a[[k, pivot]], rows[[k, pivot]] = a[[pivot, k]], rows[[pivot, k]]
        minors.swap(k, pivot)
        if _is_zero(machine, a[k, k]) is True:  # then the column below is zero too, and LAPACK leaves it
            continue
        below = slice(k + 1, None)
        if k + 1 < len(a):
            a[below, k] = machine.map("div", a[below, k], a[k, k])
        if a[below, below].size:
            a[below, below] = machine.map(
                "sub", a[below, below], machine.map("mul", a[below, k, None], a[None, k, below])
            )
            minors.eliminate(k)
            a[below, below] = np.where(minors.vanish(k), machine.exact(0), a[below, below])
    return [a, np.asarray(pivots, dtype=object), rows.astype(object)]


@dataclass(slots=True)
class _Minors:
    """Elimination without division beside the usual one: where its numerators vanish exactly, so do the entries.

    A quotient of series is cut, and what is left of a difference that is zero cannot be told from zero; a polynomial
    can. Source: Bareiss, Sylvester's identity and multistep integer-preserving Gaussian elimination, 1968.
    """

    machine: Machine
    entries: Array | None

    @classmethod
    def of(cls, machine: Machine, a: Array) -> _Minors:
        """For small matrices of exact germs; of any other nothing is kept, and nothing is known to vanish."""
        exact = all(isinstance(entry, Germ) and entry.order is None for entry in a.flat)
        return cls(machine, a.copy() if exact and min(a.shape) <= _MOST_MINORS else None)

    def column(self, k: int, entries: Array) -> Array:
        """What tells which of a column's entries is the largest: numerators over one denominator, or the entries."""
        return entries if self.entries is None else self.entries[k:, k]

    def swap(self, i: int, j: int) -> None:
        if self.entries is not None:
            self.entries[[i, j]] = self.entries[[j, i]]

    def eliminate(self, k: int) -> None:
        """m_ij m_kk - m_ik m_kj below and right of the pivot."""
        if self.entries is None:
            return
        m, below = self.entries, slice(k + 1, None)
        kept = self.machine.map("mul", m[below, below], m[k, k])
        m[below, below] = self.machine.map("sub", kept, self.machine.map("mul", m[below, k, None], m[None, k, below]))

    def vanish(self, k: int) -> Any:
        """Which entries below and right of the pivot are exactly zero."""
        if self.entries is None:
            return False
        block = self.entries[k + 1 :, k + 1 :]
        return np.array([is_zero(entry) for entry in block.flat], dtype=bool).reshape(block.shape)


_MOST_MINORS = 5
"""Each step doubles the degrees."""


def _pivot(machine: Machine, equation: Any, column: Array) -> int:
    """The place of the first entry of largest size; LAPACK measures a complex one by |re| + |im|."""
    sizes = machine.map("taxicab" if kind_of(equation.invars[0]) == "complex" else "abs", column)
    best: int | None = 0
    for index in range(1, len(sizes)):
        larger = None if best is None else machine.system.compare("gt", sizes[index], sizes[best])
        best = None if larger is None else index if larger else best
    followed = machine.decide(equation, best)
    if followed is None:
        raise Refused("lu: which pivot is the largest is undecided", EITHER)
    return followed


def _reflector(machine: Machine, column: Array) -> tuple[Any, Array, Any]:
    """(beta, v, tau) with (I - tau v v^H)^H column = beta e_0, v_0 = 1, beta real.

    tau is 0 where all below the first entry is 0 and the first entry is real.
    """
    head, one, zero, real = column[0], machine.exact(1), machine.exact(0), real_system(machine)
    rest = _inner(machine, column[1:], column[1:])
    vanishes = _is_zero(machine, rest)
    if vanishes and isinstance(head, Pair):
        vanishes = real.compare("eq", head.im, real.exact(0))
    if vanishes is None:
        raise Refused("qr: whether a column is already reduced is undecided", EITHER)
    v = column.copy()
    v[0] = one
    if vanishes:
        return head, v, zero
    positive = real.compare("ge", _real_part(head), real.exact(0))
    if positive is None:
        raise Refused("qr: the sign of a leading entry is undecided", EITHER)
    norm = real.operation("sqrt")(_real_part(machine.operation("add")(_inner(machine, column[:1], column[:1]), rest)))
    beta = _lifted(machine, real.operation("neg")(norm) if positive else norm)
    v[1:] = machine.map("div", column[1:], machine.map("sub", head, beta))
    tau = machine.map("div", machine.map("sub", beta, head), beta)[()]
    return beta, v, tau


def _reflect(machine: Machine, v: Array, tau: Any, block: Array) -> Array:
    """(I - tau v v^H) block."""
    if not block.size or _is_zero(machine, tau) is True:
        return block
    projection = machine.map("mul", machine.matmul(conjugate(machine, v)[None, :], block), tau)
    return machine.map("sub", block, machine.map("mul", v[:, None], projection))


def _qr(machine: Machine, equation: Any, a: Array) -> list[Array]:
    if equation.params.get("pivoting"):
        raise Refused("qr with column pivoting")
    rows, columns = a.shape
    r, reflectors = a.copy(), []
    for k in range(min(rows, columns)):
        beta, v, tau = _reflector(machine, r[k:, k])
        r[k:, k:] = _reflect(machine, v, conjugate(machine, boxed(tau))[()], r[k:, k:])
        r[k, k], r[k + 1 :, k] = beta, machine.exact(0)
        reflectors.append((v, tau))
    kept = rows if equation.params["full_matrices"] else min(rows, columns)
    return [_orthogonal(machine, reflectors, rows)[:, :kept], r[:kept]]


def _orthogonal(machine: Machine, reflectors: Sequence[tuple[Array, Any]], size: int) -> Array:
    """The product of the reflectors H_0 H_1 ..."""
    q = identity(machine, size)
    for k, (v, tau) in reversed(list(enumerate(reflectors))):
        q[k:, k:] = _reflect(machine, v, tau, q[k:, k:])
    return q


def _householder_product(machine: Machine, equation: Any, a: Array, taus: Array) -> Array:
    """The first columns of H_0 H_1 ..., whose vectors stand below the diagonal of a."""
    result = np.empty(a.shape, dtype=object)
    for place in np.ndindex(*a.shape[:-2]):
        matrix = a[place]
        vectors = [matrix[k:, k].copy() for k in range(taus.shape[-1])]
        for vector in vectors:
            vector[0] = machine.exact(1)
        pairs = list(zip(vectors, taus[place], strict=True))
        result[place] = _orthogonal(machine, pairs, matrix.shape[0])[:, : matrix.shape[1]]
    return result


RULES: Table = {
    "cholesky": Rule(per_matrix(_cholesky), ("sqrt",)),
    "householder_product": Rule(_householder_product),
    "lu": Rule(per_matrix(_lu), ("abs",)),
    "qr": Rule(per_matrix(_qr), ("sqrt", "square")),
    "triangular_solve": Rule(per_matrix(_triangular_solve)),
}
