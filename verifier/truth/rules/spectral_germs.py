"""Eigenvalues and eigenvectors of a symmetric matrix of germs, from those at the point.

Where eigenvalues coincide at the point, the invariant subspace of each group is followed first; inside it the matrix
is lambda + t^d c(t), and c is the next, smaller, problem. Each problem has a metric D: a b = lambda D b.
Source: Ogita and Aishima, Iterative refinement for symmetric eigenvalue decomposition, 2018, algorithm 1 (the
iteration); Kato, Perturbation Theory for Linear Operators, II.2 (the reduction).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import arb, fmpq

from verifier.arithmetic.arrays import object_array
from verifier.arithmetic.elements import EITHER, ORDER
from verifier.arithmetic.expansion import Germ, constant_germ, scale, truncate, valuation
from verifier.arithmetic.germ import from_ball
from verifier.truth.machine import Machine
from verifier.truth.rules.exact_spectra import Space, lasting
from verifier.truth.values import Refused, boxed

__all__ = ["Eigen", "of_germs", "settled"]

Array = np.ndarray
Metric = Sequence[fmpq]


@dataclass(frozen=True, slots=True)
class Eigen:
    """Ascending eigenvalues, eigenvectors as columns, their square norms, and which are tied at the point."""

    values: Array
    vectors: Array
    norms: tuple[fmpq, ...]
    tied: tuple[bool, ...]


Solve = Callable[[Machine, Array, Metric], Eigen]


def of_germs(machine: Machine, a: Array, metric: Metric, spaces: Sequence[Space], solve: Solve) -> Eigen:
    """The eigenvalues and eigenvectors; `spaces` are the eigenspaces at the point. `solve` answers smaller problems."""
    if not all(isinstance(entry, Germ) for entry in a.flat):
        raise Refused("a spectrum of germs that are not all finite", EITHER)
    norms = [norm for space in spaces for norm in space.norms]
    vectors, known = _followed(machine, a, metric, spaces, norms)
    rotated = machine.matmul(machine.matmul(vectors.T, a), vectors)
    values = _over(machine, np.diagonal(rotated).copy(), norms)
    start = 0
    for space in spaces:
        cluster = slice(start, start + space.size)
        if space.size > 1:
            block, weights = _cut(rotated[cluster, cluster], known), norms[cluster]
            inner = _split(machine, block, space.value, weights, solve)
            values[cluster], norms[cluster] = inner.values, inner.norms
            vectors[:, cluster] = machine.matmul(vectors[:, cluster], inner.vectors)
        start += space.size
    tied = tuple(space.size > 1 for space in spaces for _ in range(space.size))
    return Eigen(_cut(values, known), _cut(vectors, known), tuple(norms), tied)


def settled(values: Array, a: Array, metric: Metric, spaces: Sequence[Space]) -> Array:
    """Eigenvalues that stay what they are at the point for all t, exactly; raises Refused for ties that may end."""
    found, start = values.copy(), 0
    for space in spaces:
        resting = [start + k for k, each in enumerate(values[start : start + space.size]) if _rests(each)]
        start += space.size
        if not resting:
            continue
        if isinstance(space.value, fmpq) and len(resting) == lasting(a, metric, space.value):
            found[resting] = [constant_germ(space.value)] * len(resting)
        elif len(resting) > 1:
            raise Refused("eigenvalues that coincide as far as their expansions are known", ORDER)
    return found


def _over(machine: Machine, values: Array, norms: Sequence[fmpq]) -> Array:
    return machine.map("div", values, _constants(norms)) if any(norm != 1 for norm in norms) else values


def _constants(numbers: Sequence[fmpq | arb]) -> Array:
    return object_array(map(constant_germ, numbers))


def _followed(
    machine: Machine, a: Array, metric: Metric, spaces: Sequence[Space], norms: Sequence[fmpq]
) -> tuple[Array, Any]:
    """Bases of the invariant subspaces as polynomials in t, and the order of their error (None: exact)."""
    start = min((exponent for entry in a.flat for exponent in _exponents(entry)), default=None)
    known, simple = start, all(space.size == 1 for space in spaces)
    label = np.repeat(np.arange(len(spaces)), [space.size for space in spaces])
    vectors = boxed(np.frompyfunc(_constant, 1, 1)(np.concatenate([space.basis for space in spaces], axis=1)))
    while known is not None and known < machine.system.order:
        known = 2 * known if simple else known + start
        step = _correction(machine, a, vectors, label, metric, norms)
        vectors = _polynomials(machine.map("add", vectors, machine.matmul(vectors, step)), known)
    return vectors, known


def _constant(number: fmpq | arb) -> Any:
    return constant_germ(number) if isinstance(number, fmpq) else from_ball(number)


def _exponents(entry: Germ) -> list[Any]:
    found = [term.exponent for term in entry.terms if term.exponent > 0]
    return found if entry.order is None else [*found, entry.order]


def _correction(machine: Machine, a: Array, x: Array, label: Array, metric: Metric, norms: Sequence[fmpq]) -> Array:
    """The e for which x (1 + e) is nearer to D-orthogonal bases, of the square norms n, of the invariant subspaces.

    With r = n - x^T D x, s = x^T a x, lambda_j = s_jj / (n_j - r_jj): between subspaces
    e_ij = (s_ij + lambda_j r_ij) / (n_i (lambda_j - lambda_i)), inside one e_ij = r_ij / (2 n_i).
    """
    add, sub, mul, div = map(machine.operation, ("add", "sub", "mul", "div"))
    weighted = x if all(weight == 1 for weight in metric) else machine.map("mul", x, _constants(metric)[:, None])
    gram = machine.matmul(x.T, weighted)
    target = machine.zeros(gram.shape)
    target[np.diag_indices(len(a))] = _constants(norms)
    r = machine.map("sub", target, gram)
    s = machine.matmul(machine.matmul(x.T, a), x)
    values = machine.map("div", np.diagonal(s), np.diagonal(gram))
    e = machine.map("div", r, _constants([2 * norm for norm in norms])[:, None])
    scales = _constants(norms)
    for i, j in zip(*np.nonzero(label[:, None] != label[None, :]), strict=True):
        away = sub(values[j], values[i])
        away = away if norms[i] == 1 else mul(scales[i], away)
        e[i, j] = div(add(s[i, j], mul(values[j], r[i, j])), away)
    return e


def _split(machine: Machine, block: Array, value: fmpq | arb, weights: Metric, solve: Solve) -> Eigen:
    """The eigenvalues and eigenvectors of lambda D + t^d c(t), whose eigenvalues are equal at the point.

    What the block is at the point is known to be lambda D, so nothing of it is left over.
    """
    centre = constant_germ(value)
    moved = [[_beyond(entry) for entry in row] for row in block]
    rest = np.empty(block.shape, dtype=object)
    rest[:] = moved
    size = len(weights)
    lowest: Any = min((valuation(entry) for entry in rest.flat if entry.terms), default=None)
    if lowest is None:  # equal as far as is known: every basis will do, if they are equal for all t
        orders = [entry.order for entry in rest.flat]
        order = None if all(each is None for each in orders) else min(each for each in orders if each is not None)
        values = np.empty(size, dtype=object)
        values[:] = [Germ(centre.terms, order)] * size
        turn = machine.zeros(block.shape)
        turn[np.diag_indices(size)] = machine.exact(1)
        return Eigen(values, turn, tuple(weights), (True,) * size)
    lift, drop = (lambda g: scale(g, fmpq(1), lowest)), (lambda g: scale(g, fmpq(1), -lowest))
    inner = solve(machine, boxed(np.frompyfunc(drop, 1, 1)(rest)), weights)
    values = machine.map("add", boxed(np.frompyfunc(lift, 1, 1)(inner.values)), boxed(centre))
    return Eigen(values, inner.vectors, inner.norms, inner.tied)


def _beyond(entry: Any) -> Germ:
    """The germ without its value at the point."""
    if not isinstance(entry, Germ):
        raise Refused("a spectrum of germs that are not all finite", EITHER)
    return Germ(tuple(term for term in entry.terms if term.exponent > 0), entry.order)


def _rests(value: Any) -> bool:
    """Whether nothing is known of a value but where it starts."""
    return isinstance(value, Germ) and value.order is not None and all(term.exponent == 0 for term in value.terms)


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
