"""eigh and svd: FLINT's certified eigenvalues for balls, Newton's iteration from there for germs.

An eigenvector's sign is nobody's theorem: it is taken from LAPACK's answer at the midpoint, as is the order. Where
eigenvalues coincide the eigenvectors are not determined; then only LAPACK's own signed permutation matrices are
accepted, since they can be checked exactly.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from flint import acb_mat, arb, arb_mat

from verifier.arithmetic.elements import EITHER, is_finite
from verifier.arithmetic.expansion import Germ
from verifier.arithmetic.germ import from_ball
from verifier.arithmetic.one_sided import limit
from verifier.truth.machine import Machine, Rule, Table, kind_of
from verifier.truth.rules.factorisations import identity, per_matrix
from verifier.truth.rules.spectral_germs import of_germs
from verifier.truth.values import Refused, boxed

__all__ = ["RULES"]

Array = np.ndarray


def _at_the_point(a: Array) -> Array:
    """The matrix as finite balls, a germ as its limit; raises Refused where that is not finite."""
    balls = boxed(np.frompyfunc(lambda entry: limit(entry) if isinstance(entry, Germ) else entry, 1, 1)(a))
    if not all(map(is_finite, balls.flat)):
        raise Refused("a spectrum is known of finite matrices only", EITHER)
    return balls


def _midpoints(a: Array) -> Array:
    """The matrix of balls at its midpoints, in float64."""
    return np.asarray([float(entry.mid()) for entry in a.flat]).reshape(a.shape)


def _eigh(machine: Machine, equation: Any, a: Array) -> list[Array]:
    params = equation.params
    if kind_of(equation.invars[0]) == "complex":
        raise Refused("eigh of a complex matrix")
    if params.get("subset_by_index") not in (None, (0, len(a))):
        raise Refused("eigh of a part of the spectrum")
    triangle = np.tril(np.ones(a.shape, dtype=bool))
    values, vectors = _symmetric(machine, np.where(triangle if params["lower"] else triangle.T, a, a.T))
    return [vectors, values]


def _symmetric(machine: Machine, a: Array) -> tuple[Array, Array]:
    """Ascending eigenvalues and, as columns, unit eigenvectors of a symmetric matrix."""
    point = _at_the_point(a)
    if len(a) == 1:
        return a[0].copy(), identity(machine, 1)
    guide = np.linalg.eigh(_midpoints(point)).eigenvectors
    found = _diagonal(machine, guide, a) if _is_signed_permutation(guide) else None
    if found is not None and all(machine.system.compare("le", *pair) for pair in pairwise(found)):
        return found, _exactly(machine, guide)
    if any(isinstance(entry, Germ) for entry in a.flat):
        return of_germs(machine, a, _start(machine, point, guide), _symmetric)
    return certified(point, guide)


def _start(machine: Machine, point: Array, guide: Array) -> tuple[Array, list[list[int]]]:
    """Eigenvectors at the point, grouped by eigenvalue; ties are certain of diagonal matrices only."""
    lifted = boxed(np.frompyfunc(from_ball, 1, 1)(point))
    found = _diagonal(machine, guide, lifted) if _is_signed_permutation(guide) else None
    if found is None:
        vectors = certified(point, guide)[1]
        return boxed(np.frompyfunc(from_ball, 1, 1)(vectors)), [[index] for index in range(len(point))]
    clusters = [[0]]
    for index in range(1, len(found)):
        if machine.system.compare("eq", found[index], found[clusters[-1][0]]):
            clusters[-1].append(index)
        else:
            clusters.append([index])
    return _exactly(machine, guide), clusters


def certified(a: Array, guide: Array) -> tuple[Array, Array]:
    try:
        found, right = acb_mat(arb_mat(a.shape[0], a.shape[1], list(a.flat))).eig(right=True)
    except (ValueError, ZeroDivisionError):
        raise Refused("eigenvalues that coincide, or that this precision does not separate", EITHER) from None
    order = sorted(range(len(a)), key=lambda index: float(found[index].real.mid()))
    values, vectors = np.empty(len(a), dtype=object), np.empty(a.shape, dtype=object)
    for place, index in enumerate(order):
        values[place] = found[index].real
        vectors[:, place] = _unit([right[row, index] for row in range(len(a))], guide[:, place])
    return values, vectors


def _unit(vector: list[Any], guide: Array) -> list[arb]:
    """A complex multiple of a real vector as the real unit vector on the guide's side."""
    largest = int(np.argmax(np.abs(guide)))
    ratios = [(entry / vector[largest]).real for entry in vector]
    norm = sum((ratio * ratio for ratio in ratios), arb(0)).sqrt()
    return [ratio / norm if guide[largest] > 0 else -ratio / norm for ratio in ratios]


def _is_signed_permutation(matrix: Array) -> bool:
    ones = np.abs(matrix)
    return bool(np.isin(ones, (0.0, 1.0)).all() and (ones.sum(axis=0) == 1).all() and (ones.sum(axis=1) == 1).all())


def _exactly(machine: Machine, matrix: Array) -> Array:
    return boxed(np.frompyfunc(lambda entry: machine.exact(int(entry)), 1, 1)(matrix))


def _diagonal(machine: Machine, left: Array, a: Array, right: Array | None = None) -> Array | None:
    """The diagonal of left^T a right for signed permutation matrices, where everything else is exactly zero.

    `right` is `left` unless given. The numbers stay the elements that they are, up to their sign.
    """
    right = left if right is None else right
    rows, columns = np.abs(left).argmax(axis=0), np.abs(right).argmax(axis=0)
    moved, zero = a[np.ix_(rows, columns)], machine.exact(0)
    compare = machine.system.compare
    if not all(i == j or compare("eq", moved[i, j], zero) for i, j in np.ndindex(*moved.shape)):
        return None
    signs = [left[row, k] * right[column, k] for k, (row, column) in enumerate(zip(rows, columns, strict=True))]
    negate = machine.operation("neg")
    found = np.empty(len(signs), dtype=object)
    found[:] = [entry if sign > 0 else negate(entry) for entry, sign in zip(np.diagonal(moved), signs, strict=True)]
    return found


def _svd(machine: Machine, equation: Any, a: Array) -> list[Array]:
    params = equation.params
    if kind_of(equation.invars[0]) == "complex":
        raise Refused("svd of a complex matrix")
    if params.get("subset_by_index") not in (None, (0, min(a.shape))):
        raise Refused("svd of a part of the spectrum")
    if params["compute_uv"] and params["full_matrices"] and a.shape[0] != a.shape[1]:
        raise Refused("svd with full matrices of a matrix that is not square")
    left, values, right = _singular(machine, a, with_vectors=params["compute_uv"])
    return [values, left, right.T] if params["compute_uv"] else [values]


def _singular(machine: Machine, a: Array, *, with_vectors: bool) -> tuple[Array, Array, Array]:
    """Left vectors (columns), descending singular values, right vectors (columns)."""
    left_guide, _, right_guide = np.linalg.svd(_midpoints(_at_the_point(a)), full_matrices=False)
    if a.shape[0] == a.shape[1] and _is_signed_permutation(left_guide) and _is_signed_permutation(right_guide):
        found = _diagonal(machine, left_guide, a, right_guide.T)
        if found is not None and all(
            machine.system.compare("ge", *pair) for pair in pairwise([*found, machine.exact(0)])
        ):
            return _exactly(machine, left_guide), found, _exactly(machine, right_guide.T)
    if a.shape[0] < a.shape[1]:
        right, values, left = _by_gram(machine, a.T, right_guide.T, with_vectors=with_vectors)
        return left, values, right
    return _by_gram(machine, a, left_guide, with_vectors=with_vectors)


def _by_gram(machine: Machine, a: Array, guide: Array, *, with_vectors: bool) -> tuple[Array, Array, Array]:
    """Through the eigenvalues of a^T a, for a with at least as many rows as columns.

    The left vectors are turned to the guide's side, and the right ones with them.
    """
    squares, right = _symmetric(machine, machine.matmul(a.T, a))
    squares, right = squares[::-1], right[:, ::-1].copy()
    values = machine.map("sqrt", squares)
    if not with_vectors:
        return right, values, right
    left = machine.map("div", machine.matmul(a, right), values[None, :])
    for column in range(right.shape[1]):
        largest = int(np.argmax(np.abs(guide[:, column])))
        side = machine.system.compare("gt", left[largest, column], machine.exact(0))
        if side is None:
            raise Refused("svd: the side of a singular vector is undecided", EITHER)
        if side != (guide[largest, column] > 0):
            left[:, column] = machine.map("neg", left[:, column])
            right[:, column] = machine.map("neg", right[:, column])
    return left, values, right


RULES: Table = {
    "eigh": Rule(per_matrix(_eigh)),
    "svd": Rule(per_matrix(_svd), ("sqrt",)),
}
