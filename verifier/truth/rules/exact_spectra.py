"""The spectrum of a rational symmetric matrix, ties included: its eigenvalues are roots of an exact polynomial.

Every problem here is M b = lambda D b with a symmetric M and a diagonal D > 0, the metric: bases stay rational where
the eigenvalue is, so that what vanishes is seen to vanish. Their vectors b are D-orthogonal, of square norm b^T D b.
Source: Golub and Van Loan, Matrix Computations, 4th ed., 8.7 (the symmetric-definite problem).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cmp_to_key
from typing import Any

import numpy as np
from flint import arb, arb_mat, fmpq, fmpq_mat, fmpq_poly

from verifier.arithmetic.elements import BITS, is_finite
from verifier.arithmetic.expansion import Germ, constant_term
from verifier.arithmetic.germ import from_ball
from verifier.truth.values import Refused

__all__ = ["Space", "Spectrum", "at_zero", "lasting", "rational"]

Array = np.ndarray

_LARGEST = 32
"""Rows of a matrix whose characteristic polynomial is still worth its price."""


@dataclass(frozen=True, slots=True)
class Space:
    """An eigenvalue, a basis of its space as columns, and their square norms: all rational, or balls of norm 1."""

    value: fmpq | arb
    basis: Array
    norms: tuple[fmpq, ...]

    @property
    def size(self) -> int:
        return len(self.norms)


def at_zero(entry: Any) -> fmpq | None:
    """The rational that an element is at t = 0, exactly; None for any other."""
    germ = from_ball(entry) if is_finite(entry) else entry
    if not isinstance(germ, Germ) or any(term.exponent < 0 or term.logs for term in germ.terms):
        return None
    if germ.order is not None and germ.order <= 0:
        return None
    found = constant_term(germ)
    return found if isinstance(found, fmpq) else None


def rational(a: Array) -> fmpq_mat | None:
    """The matrix at t = 0 where all of it is rational, and it is not too large."""
    if len(a) > _LARGEST:
        return None
    entries = [found for found in map(at_zero, a.flat) if found is not None]
    if len(entries) < a.size:
        return None
    return fmpq_mat(a.shape[0], a.shape[1], entries)


class Spectrum:
    """The eigenspaces of a rational symmetric matrix under a metric; `guide` are approximate eigenvectors.

    The guide's columns, of D^-1/2 M D^-1/2 in ascending order, say which side a vector turns to.
    """

    def __init__(self, matrix: fmpq_mat, metric: Sequence[fmpq], guide: Array) -> None:
        self._matrix, self._metric, self._guide = matrix, metric, guide
        size = len(metric)
        scaled = [matrix[i, j] / metric[i] for i in range(size) for j in range(size)]
        self._operator = fmpq_mat(size, size, scaled)
        self._polynomial = self._operator.charpoly()

    @property
    def is_special(self) -> bool:
        """Whether an eigenvalue is zero or repeated: what balls alone cannot tell."""
        polynomial = self._polynomial
        return polynomial[0] == 0 or polynomial.gcd(polynomial.derivative()).degree() > 0

    def spaces(self) -> list[Space]:
        """The eigenspaces in ascending order."""
        found: list[Space] = []
        roots = sorted(self._roots(), key=cmp_to_key(_order))
        for value, count in roots:
            start = sum(each.size for each in found)
            columns = self._guide[:, start : start + count]
            if isinstance(value, fmpq):
                found.append(Space(value, *self._kernel(value, columns)))
            else:
                others = [(root, each) for root, each in roots if root is not value]
                found.append(Space(value, self._projected(value, others, columns), (fmpq(1),) * count))
        return found

    def _roots(self) -> Iterator[tuple[fmpq | arb, int]]:
        """The eigenvalues with their multiplicities: rational ones exactly."""
        rest = self._polynomial
        for value, count in self._polynomial.roots():
            yield fmpq(value), count
            rest = rest // fmpq_poly([-fmpq(value), 1]) ** count
        if rest.degree() > 0:
            found: Any = rest.numer().complex_roots()
            for value, count in found:
                yield value.real, count

    def _kernel(self, value: fmpq, guide: Array) -> tuple[Array, tuple[fmpq, ...]]:
        """A rational D-orthogonal basis of the null space of M - lambda D."""
        size = len(self._metric)
        shifted = fmpq_mat(self._matrix)
        for i, weight in enumerate(self._metric):
            shifted[i, i] -= value * weight
        vectors, norms = [], []
        for vector in _null_space(shifted, size):
            for other, norm in zip(vectors, norms, strict=True):
                share = self._inner(other, vector) / norm
                vector = [x - share * y for x, y in zip(vector, other, strict=True)]
            vectors.append(vector)
            norms.append(self._inner(vector, vector))
        basis = np.empty((size, len(vectors)), dtype=object)
        for column, vector in enumerate(vectors):
            side = sum(float(x) * y for x, y in zip(vector, guide[:, column], strict=True))
            basis[:, column] = [-x for x in vector] if len(vectors) == 1 and side < 0 else vector
        return basis, tuple(norms)

    def _projected(self, value: arb, others: Sequence[tuple[Any, int]], guide: Array) -> Array:
        """The guide's vectors projected to the space and made orthonormal: prod (D^-1 M - mu) / (lambda - mu)."""
        size = len(self._metric)
        operator = arb_mat(self._operator)
        scales = [arb(weight).sqrt() for weight in self._metric]
        flat = [arb(float(x)) / scales[row] for row, line in enumerate(guide) for x in line]
        block = arb_mat(size, guide.shape[1], flat)
        for other, _ in others:
            away = value - other
            if away.contains(0):
                raise Refused("eigenvalues that this precision does not separate", BITS)
            block = (operator * block - block * arb(other)) * (1 / away)
        return self._orthonormal(block, size, guide.shape[1])

    def _orthonormal(self, block: arb_mat, size: int, count: int) -> Array:
        basis = np.empty((size, count), dtype=object)
        for column in range(count):
            vector = [block[row, column] for row in range(size)]
            for other in range(column):
                share = self._inner(basis[:, other], vector)
                vector = [x - share * y for x, y in zip(vector, basis[:, other], strict=True)]
            square = self._inner(vector, vector)
            if not square > 0:
                raise Refused("eigenvectors that this precision does not separate", BITS)
            basis[:, column] = [x / square.sqrt() for x in vector]
        return basis

    def _inner(self, x: Any, y: Any) -> Any:
        total = x[0] * self._metric[0] * y[0]
        for left, weight, right in zip(x[1:], self._metric[1:], y[1:], strict=True):
            total += left * weight * right
        return total


def _order(a: tuple[Any, int], b: tuple[Any, int]) -> int:
    """Ascending eigenvalues; raises Refused where this precision does not separate them."""
    away = arb(a[0]) - arb(b[0])
    if away.contains(0):
        raise Refused("eigenvalues that this precision does not separate", BITS)
    return 1 if away > 0 else -1


def _null_space(matrix: fmpq_mat, size: int) -> Iterator[list[fmpq]]:
    """A basis of the null space from the reduced row echelon form."""
    reduced, rank = matrix.rref()
    pivots = [next(j for j in range(size) if reduced[i, j] != 0) for i in range(rank)]
    for free in (j for j in range(size) if j not in pivots):
        vector = [fmpq(0)] * size
        vector[free] = fmpq(1)
        for row, pivot in enumerate(pivots):
            vector[pivot] = -reduced[row, free]
        yield vector


def lasting(a: Array, metric: Sequence[fmpq], value: fmpq) -> int:
    """How many eigenvalues are `value` for all t; 0 where the matrix is no exact rational polynomial in t.

    A minor of size r is a polynomial of degree at most r d in t: where it vanishes at more places than that it is
    zero. So the largest rank over enough places is the rank for all t but finitely many.
    """
    if not all(map(_is_polynomial, a.flat)):
        return 0
    size = len(a)
    degree = max((int(term.exponent) for germ in a.flat for term in germ.terms), default=0)
    rank = 0
    for t in range(1, size * degree + 2):
        entries = [
            sum((term.coefficient * fmpq(t) ** int(term.exponent) for term in germ.terms), fmpq(0)) for germ in a.flat
        ]
        matrix = fmpq_mat(size, size, entries)
        for i, weight in enumerate(metric):
            matrix[i, i] -= value * weight
        rank = max(rank, matrix.rank())
        if rank == size:
            break
    return size - rank


def _is_polynomial(entry: Any) -> bool:
    return (
        isinstance(entry, Germ)
        and entry.order is None
        and all(
            not term.logs
            and term.exponent >= 0
            and int(term.exponent) == term.exponent
            and isinstance(term.coefficient, fmpq)
            for term in entry.terms
        )
    )
