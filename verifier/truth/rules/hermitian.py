"""eigh and svd of complex matrices with simple spectra: FLINT's certified ones for balls, Newton's iteration for germs.

The phase of an eigenvector is nobody's theorem: at the point it is taken from LAPACK's answer, and from there it is
carried along so that v^H dv stays real, as JAX's own rule has it.
Source: Ogita and Aishima, Iterative refinement for symmetric eigenvalue decomposition, 2018, algorithm 1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from flint import acb, acb_mat, arb

from verifier.arithmetic.elements import EITHER, is_finite
from verifier.arithmetic.expansion import Germ, truncate
from verifier.arithmetic.germ import from_ball
from verifier.arithmetic.one_sided import limit
from verifier.truth.machine import Machine
from verifier.truth.pairs import Pair
from verifier.truth.rules.factorisations import conjugate, identity
from verifier.truth.values import Refused, boxed

__all__ = ["certified", "hermitian", "singular", "whole"]

Array = np.ndarray


def whole(machine: Machine, a: Array, *, lower: bool) -> Array:
    """The Hermitian matrix that one triangle stands for; the diagonal is taken as real."""
    triangle = np.tril(np.ones(a.shape, dtype=bool))
    full = np.where(triangle if lower else triangle.T, a, conjugate(machine, a.T))
    zero = machine.system.real.exact(0)
    for index in range(len(a)):
        full[index, index] = Pair(a[index, index].re, zero)
    return full


def hermitian(machine: Machine, a: Array) -> tuple[Array, Array]:
    """Ascending real eigenvalues and unit eigenvectors as columns."""
    point = _at_the_point(a)
    guide = np.linalg.eigh(_midpoints(point)).eigenvectors
    values, vectors = certified(acb_mat(len(point), len(point), list(point.flat)), guide, _unit)
    if not _varies(a):
        return values, vectors
    return _followed(machine, a, _constants(vectors))


def singular(machine: Machine, a: Array, *, with_vectors: bool) -> tuple[Array, Array, Array]:
    """Left vectors, descending singular values, right vectors (both as columns)."""
    if a.shape[0] < a.shape[1]:
        right, values, left = _tall(machine, conjugate(machine, a.T), with_vectors=with_vectors, wide=True)
        return left, values, right
    return _tall(machine, a, with_vectors=with_vectors)


def _tall(machine: Machine, a: Array, *, with_vectors: bool, wide: bool = False) -> tuple[Array, Array, Array]:
    """Through the eigenvalues of a^H a; the pair of vectors has the phase of LAPACK's."""
    squares, right = hermitian(machine, machine.matmul(conjugate(machine, a.T), a))
    squares, right = squares[::-1], right[:, ::-1].copy()
    root = machine.system.real.operation("sqrt")
    values = boxed(np.frompyfunc(root, 1, 1)(squares))
    if not with_vectors:
        return right, values, right
    zero = machine.system.real.exact(0)
    scales = boxed(np.frompyfunc(lambda value: Pair(value, zero), 1, 1)(values))
    left = machine.map("div", machine.matmul(a, right), scales[None, :])
    middle = _midpoints(_at_the_point(a))
    first, _, last = np.linalg.svd(middle.conj().T if wide else middle, full_matrices=False)
    guide = last.conj().T if wide else first
    for column in range(right.shape[1]):
        turn = _turn(machine, left[:, column], guide[:, column])
        left[:, column] = machine.map("mul", left[:, column], boxed(turn))
        right[:, column] = machine.map("mul", right[:, column], boxed(turn))
    return left, values, right


def _turn(machine: Machine, vector: Array, guide: Array) -> Pair:
    """The phase that takes the vector at the point to the guide's."""
    largest = int(np.argmax(np.abs(guide)))
    (entry,) = _at_the_point(vector[largest : largest + 1])
    found = _phase(guide[largest]) * entry.conjugate() / abs(entry)
    if not found.is_finite():
        raise Refused("svd: the phase of a singular vector is undecided", EITHER)
    parts = (found.real, found.imag)
    return Pair(*(map(from_ball, parts) if isinstance(vector[0].re, Germ) else parts))


def _varies(a: Array) -> bool:
    return any(isinstance(part, Germ) for entry in a.flat for part in (entry.re, entry.im))


def _at_the_point(a: Array) -> Array:
    """The entries as finite complex balls, germs as their limits; raises Refused where one is not finite."""

    def ball(part: Any) -> arb:
        found = limit(part) if isinstance(part, Germ) else part
        if not is_finite(found):
            raise Refused("a spectrum is known of finite matrices only", EITHER)
        return found

    return boxed(np.frompyfunc(lambda entry: acb(ball(entry.re), ball(entry.im)), 1, 1)(a))


def _midpoints(a: Array) -> Array:
    entries = [complex(float(entry.real.mid()), float(entry.imag.mid())) for entry in a.flat]
    return np.asarray(entries).reshape(a.shape)


def certified(matrix: acb_mat, guide: Array, unit: Callable[[list[Any], Array], list[Any]]) -> tuple[Array, Array]:
    """Eigenvalues of a matrix known to have real ones, ascending, and their vectors as `unit` makes them along the
    guide's columns.
    """
    try:
        found, right = matrix.eig(right=True)
    except (ValueError, ZeroDivisionError):
        raise Refused("eigenvalues that coincide, or that this precision does not separate", EITHER) from None
    size = matrix.nrows()
    order = sorted(range(size), key=lambda index: float(found[index].real.mid()))
    values, vectors = np.empty(size, dtype=object), np.empty((size, size), dtype=object)
    for place, index in enumerate(order):
        values[place] = found[index].real
        vectors[:, place] = unit([right[row, index] for row in range(size)], guide[:, place])
    return values, vectors


def _unit(vector: list[Any], guide: Array) -> list[Pair]:
    """The unit vector whose largest entry has the guide's phase."""
    largest = int(np.argmax(np.abs(guide)))
    ratios = [entry / vector[largest] for entry in vector]
    size = sum((ratio.real * ratio.real + ratio.imag * ratio.imag for ratio in ratios), arb(0)).sqrt()
    turn = _phase(guide[largest]) / size
    return [Pair(entry.real, entry.imag) for entry in (ratio * turn for ratio in ratios)]


def _phase(number: complex) -> acb:
    """z / |z|, a real or imaginary number exactly."""
    z = acb(float(number.real), float(number.imag))
    return z / abs(z)


def _constants(pairs: Array) -> Array:
    return boxed(np.frompyfunc(lambda entry: Pair(from_ball(entry.re), from_ball(entry.im)), 1, 1)(pairs))


def _followed(machine: Machine, a: Array, vectors: Array) -> tuple[Array, Array]:
    """x becomes x (1 + e): with r = 1 - x^H x, s = x^H a x, e_ij = (s_ij + l_j r_ij) / (l_j - l_i), e_ii = r_ii / 2."""
    parts = [part for entry in a.flat for part in (entry.re, entry.im)]
    if not all(isinstance(part, Germ) for part in parts):
        raise Refused("a spectrum of germs that are not all finite", EITHER)
    known = min((exponent for part in parts for exponent in _exponents(part)), default=None)
    while known is not None and known < machine.system.real.order:
        known *= 2
        moved = machine.map("add", vectors, machine.matmul(vectors, _correction(machine, a, vectors)))
        vectors = boxed(np.frompyfunc(lambda entry, order=known: _each(_polynomial, entry, order), 1, 1)(moved))
    values = np.diagonal(machine.matmul(machine.matmul(conjugate(machine, vectors.T), a), vectors))
    cut = np.frompyfunc(lambda entry: _each(truncate, entry, known), 1, 1)
    return boxed(np.frompyfunc(lambda entry: truncate(entry.re, known), 1, 1)(values)), boxed(cut(vectors))


def _each(function: Any, entry: Pair, order: Any) -> Pair:
    return Pair(function(entry.re, order), function(entry.im, order))


def _polynomial(part: Any, order: Any) -> Germ:
    if not isinstance(part, Germ):
        raise Refused("an eigenvector that is not finite", EITHER)
    return Germ(truncate(part, order).terms, None)


def _exponents(part: Germ) -> list[Any]:
    found = [term.exponent for term in part.terms if term.exponent > 0]
    return found if part.order is None else [*found, part.order]


def _correction(machine: Machine, a: Array, x: Array) -> Array:
    add, sub, mul, div = map(machine.operation, ("add", "sub", "mul", "div"))
    adjoint = conjugate(machine, x.T)
    r = machine.map("sub", identity(machine, len(a)), machine.matmul(adjoint, x))
    s = machine.matmul(machine.matmul(adjoint, a), x)
    values = machine.map("div", np.diagonal(s), machine.map("sub", machine.exact(1), np.diagonal(r)))
    e = machine.map("div", r, machine.exact(2))
    for i, j in np.ndindex(*e.shape):
        if i != j:
            e[i, j] = div(add(s[i, j], mul(values[j], r[i, j])), sub(values[j], values[i]))
    return e
