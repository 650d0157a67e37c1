"""Eigenvalues and eigenvectors of a symmetric matrix of germs, from those at the point.

Where eigenvalues coincide at the point, the invariant subspace of each group is followed first; inside it the matrix
is lambda + t^d c(t), and c is the next, smaller, problem.
Source: Ogita and Aishima, Iterative refinement for symmetric eigenvalue decomposition, 2018, algorithm 1 (the
iteration); Kato, Perturbation Theory for Linear Operators, II.2 (the reduction).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from flint import fmpq

from verifier.arithmetic.elements import EITHER, ORDER
from verifier.arithmetic.expansion import Germ, scale, truncate, valuation
from verifier.arithmetic.germ import from_ball
from verifier.arithmetic.one_sided import limit
from verifier.truth.machine import Machine
from verifier.truth.rules.factorisations import identity
from verifier.truth.values import Refused, boxed

__all__ = ["of_germs"]

Array = np.ndarray
Solve = Callable[[Machine, Array], tuple[Array, Array]]


def of_germs(machine: Machine, a: Array, start: tuple[Array, list[list[int]]], solve: Solve) -> tuple[Array, Array]:
    """Ascending eigenvalues and unit eigenvectors; `start` has the eigenvectors at the point, grouped by eigenvalue.

    `solve` answers the smaller problems.
    """
    if not all(isinstance(entry, Germ) for entry in a.flat):
        raise Refused("a spectrum of germs that are not all finite", EITHER)
    vectors, clusters = start
    vectors, known = _followed(machine, a, vectors, clusters)
    rotated = machine.matmul(machine.matmul(vectors.T, a), vectors)
    values = np.diagonal(rotated).copy()
    for cluster in clusters:
        if len(cluster) > 1:
            block, columns = np.ix_(cluster, cluster), vectors[:, cluster]
            values[cluster], turn = _split(machine, _cut(rotated[block], known), solve)
            vectors[:, cluster] = machine.matmul(columns, turn)
    return _cut(values, known), _cut(vectors, known)


def _followed(machine: Machine, a: Array, vectors: Array, clusters: list[list[int]]) -> tuple[Array, Any]:
    """Bases of the invariant subspaces as polynomials in t, and the order of their error (None: exact)."""
    start = min((exponent for entry in a.flat for exponent in _exponents(entry)), default=None)
    known, simple = start, all(len(cluster) == 1 for cluster in clusters)
    label = np.empty(len(a), dtype=int)
    for index, cluster in enumerate(clusters):
        label[cluster] = index
    while known is not None and known < machine.system.order:
        known = 2 * known if simple else known + start
        step = machine.map("add", vectors, machine.matmul(vectors, _correction(machine, a, vectors, label)))
        vectors = _polynomials(step, known)
    return vectors, known


def _exponents(entry: Germ) -> list[Any]:
    found = [term.exponent for term in entry.terms if term.exponent > 0]
    return found if entry.order is None else [*found, entry.order]


def _correction(machine: Machine, a: Array, x: Array, label: Array) -> Array:
    """The e for which x (1 + e) is nearer to orthonormal bases of the invariant subspaces.

    With r = 1 - x^T x, s = x^T a x, lambda_i = s_ii / (1 - r_ii): e_ij = (s_ij + lambda_j r_ij) / (lambda_j - lambda_i)
    between subspaces, r_ij / 2 inside one.
    """
    add, sub, mul, div = map(machine.operation, ("add", "sub", "mul", "div"))
    r = machine.map("sub", identity(machine, len(a)), machine.matmul(x.T, x))
    s = machine.matmul(machine.matmul(x.T, a), x)
    values = machine.map("div", np.diagonal(s), machine.map("sub", machine.exact(1), np.diagonal(r)))
    e = machine.map("div", r, machine.exact(2))
    for i, j in zip(*np.nonzero(label[:, None] != label[None, :]), strict=True):
        e[i, j] = div(add(s[i, j], mul(values[j], r[i, j])), sub(values[j], values[i]))
    return e


def _split(machine: Machine, block: Array, solve: Solve) -> tuple[Array, Array]:
    """The eigenvalues and eigenvectors of lambda + t^d c(t), whose eigenvalues are equal at the point."""
    centre = from_ball(limit(block[0, 0]))
    rest = machine.map("sub", block, machine.map("mul", identity(machine, len(block)), centre))
    if not any(entry.terms for entry in rest.flat):
        if all(entry.order is None for entry in rest.flat):  # equal for all t: every basis will do
            return np.diagonal(block).copy(), identity(machine, len(block))
        raise Refused("eigenvalues that coincide as far as their expansions are known", ORDER)
    lowest: Any = min(valuation(entry) for entry in rest.flat)
    lift, drop = (lambda g: scale(g, fmpq(1), lowest)), (lambda g: scale(g, fmpq(1), -lowest))
    values, turn = solve(machine, boxed(np.frompyfunc(drop, 1, 1)(rest)))
    return machine.map("add", boxed(np.frompyfunc(lift, 1, 1)(values)), centre), turn


def _cut(germs: Array, order: Any) -> Array:
    """Germs with what lies at or beyond O(t^order) forgotten."""
    return boxed(np.frompyfunc(lambda entry: truncate(entry, order) if isinstance(entry, Germ) else entry, 1, 1)(germs))


def _polynomials(germs: Array, order: Any) -> Array:
    """The known terms below t^order, taken as an exact polynomial: an approximation may be any function."""

    def entry(germ: Any) -> Germ:
        if not isinstance(germ, Germ):
            raise Refused("an eigenvector that is not finite", EITHER)
        return Germ(truncate(germ, order).terms, None)

    return boxed(np.frompyfunc(entry, 1, 1)(germs))
