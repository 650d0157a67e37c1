"""eigh and svd: FLINT's certified eigenvalues for balls, Newton's iteration from there for germs.

An eigenvector's sign is nobody's theorem: it is taken from LAPACK's answer at the midpoint, as is the order. Where
eigenvalues coincide the eigenvectors are not determined: any orthonormal basis is one. That they do coincide is known
of rational matrices, and of LAPACK's own signed permutation matrices, which can be checked exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
from flint import acb_mat, arb, arb_mat, fmpq

from verifier.arithmetic.arrays import object_array
from verifier.arithmetic.elements import EITHER, is_finite
from verifier.arithmetic.expansion import Germ, valuation
from verifier.arithmetic.one_sided import limit
from verifier.truth.machine import Machine, Rule, Table, kind_of
from verifier.truth.rules.exact_spectra import Space, Spectrum, rational
from verifier.truth.rules.factorisations import conjugate, per_matrix
from verifier.truth.rules.hermitian import certified, hermitian, singular, whole
from verifier.truth.rules.spectral_germs import Eigen, of_germs, settled
from verifier.truth.values import Refused, boxed, unknown

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
    if params.get("subset_by_index") not in (None, (0, len(a))):
        raise Refused("eigh of a part of the spectrum")
    if kind_of(equation.invars[0]) == "complex":
        values, vectors = hermitian(machine, whole(machine, a, lower=params["lower"]))
        return [vectors, values]
    triangle = np.tril(np.ones(a.shape, dtype=bool))
    values, vectors, _ = _symmetric(machine, np.where(triangle if params["lower"] else triangle.T, a, a.T))
    return [vectors, values]


def _symmetric(machine: Machine, a: Array) -> tuple[Array, Array, tuple[bool, ...]]:
    """Ascending eigenvalues, unit eigenvectors as columns, and which are tied, of a symmetric matrix."""
    metric = (fmpq(1),) * len(a)
    found, spaces = _pencil(machine, a, metric)
    values = found.values if spaces is None else settled(found.values, a, metric, spaces)
    if all(norm == 1 for norm in found.norms):
        return values, found.vectors, found.tied
    lengths = machine.map("sqrt", _exact_elements(machine, found.norms))
    return values, machine.map("div", found.vectors, lengths[None, :]), found.tied


def _pencil(machine: Machine, a: Array, metric: Sequence[fmpq]) -> tuple[Eigen, list[Space] | None]:
    """The solutions of a b = lambda D b; for germs with the eigenspaces at the point that they start from."""
    point = _at_the_point(a)
    guide = np.linalg.eigh(_weighed(_midpoints(point), metric)).eigenvectors
    if _is_signed_permutation(guide):
        found = _diagonal(machine, guide, a, metric)
        if found is not None:
            return found, None
    spaces = _spaces(a, point, metric, guide)
    if any(isinstance(entry, Germ) for entry in a.flat):
        return of_germs(machine, a, metric, spaces, lambda *problem: _pencil(*problem)[0]), spaces
    return _of_spaces(machine, spaces), None


def _weighed(matrix: Array, metric: Sequence[fmpq]) -> Array:
    """D^-1/2 M D^-1/2 in float64."""
    scales = np.sqrt([float(weight) for weight in metric])
    return matrix / scales[:, None] / scales[None, :]


def _diagonal(machine: Machine, guide: Array, a: Array, metric: Sequence[fmpq]) -> Eigen | None:
    """Of a matrix that is certainly diagonal, in the guide's order where that certainly ascends."""
    entries = _permuted(machine, guide, a)
    if entries is None:
        return None
    norms = tuple(metric[index] for index in np.abs(guide).argmax(axis=0))
    values = machine.map("div", entries, _exact_elements(machine, norms)) if any(n != 1 for n in norms) else entries
    if not all(machine.system.compare("le", *pair) for pair in pairwise(values)):
        return None
    equal = [bool(machine.system.compare("eq", *pair)) for pair in pairwise(values)]
    tied = tuple(left or right for left, right in zip([False, *equal], [*equal, False], strict=True))
    return Eigen(values, _exactly(machine, guide), norms, tied)


def _spaces(a: Array, point: Array, metric: Sequence[fmpq], guide: Array) -> list[Space]:
    """The eigenspaces at the point: ties, and zeros, are certain of rational matrices only."""
    exact = rational(a)
    if exact is not None:
        spectrum = Spectrum(exact, metric, guide)
        if spectrum.is_special:
            return spectrum.spaces()
    scales = [arb(weight).sqrt() for weight in metric]
    scaled = point.copy()
    if any(weight != 1 for weight in metric):
        for i, j in np.ndindex(*point.shape):
            scaled[i, j] = point[i, j] / (scales[i] * scales[j])
    values, vectors = certified(acb_mat(arb_mat(len(scaled), len(scaled), list(scaled.flat))), guide, _unit)
    if any(weight != 1 for weight in metric):
        vectors = boxed(vectors / np.asarray(scales, dtype=object)[:, None])
    return [Space(value, vectors[:, [k]], (fmpq(1),)) for k, value in enumerate(values)]


def _of_spaces(machine: Machine, spaces: Sequence[Space]) -> Eigen:
    """At a point: each eigenvalue is one element, however often it occurs, so that a tie is seen to be one."""
    elements = [_element(machine, space.value) for space in spaces]
    values = np.empty(sum(space.size for space in spaces), dtype=object)
    values[:] = [each for each, space in zip(elements, spaces, strict=True) for _ in range(space.size)]
    basis = np.concatenate([space.basis for space in spaces], axis=1)
    vectors = boxed(np.frompyfunc(lambda entry: _element(machine, entry), 1, 1)(basis))
    tied = tuple(space.size > 1 for space in spaces for _ in range(space.size))
    return Eigen(values, vectors, tuple(norm for space in spaces for norm in space.norms), tied)


def _element(machine: Machine, number: fmpq | arb) -> Any:
    return machine.system.exact(_fraction(number)) if isinstance(number, fmpq) else number


def _fraction(number: fmpq) -> Fraction:
    return Fraction(int(number.p), int(number.q))


def _exact_elements(machine: Machine, numbers: Sequence[fmpq]) -> Array:
    return object_array(machine.system.exact(_fraction(number)) for number in numbers)


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


def _permuted(machine: Machine, left: Array, a: Array, right: Array | None = None) -> Array | None:
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
    if params.get("subset_by_index") not in (None, (0, min(a.shape))):
        raise Refused("svd of a part of the spectrum")
    if params["compute_uv"] and params["full_matrices"] and a.shape[0] != a.shape[1]:
        raise Refused("svd with full matrices of a matrix that is not square")
    if kind_of(equation.invars[0]) == "complex":
        left, values, right = singular(machine, a, with_vectors=params["compute_uv"])
        return [values, left, conjugate(machine, right.T)] if params["compute_uv"] else [values]
    left, values, right = _singular(machine, a, with_vectors=params["compute_uv"])
    return [values, left, right.T] if params["compute_uv"] else [values]


def _singular(machine: Machine, a: Array, *, with_vectors: bool) -> tuple[Array, Array, Array]:
    """Left vectors (columns), descending singular values, right vectors (columns)."""
    left_guide, _, right_guide = np.linalg.svd(_midpoints(_at_the_point(a)), full_matrices=False)
    if a.shape[0] == a.shape[1] and _is_signed_permutation(left_guide) and _is_signed_permutation(right_guide):
        found = _permuted(machine, left_guide, a, right_guide.T)
        if found is not None and all(
            machine.system.compare("ge", *pair) for pair in pairwise([*found, machine.exact(0)])
        ):
            return _exactly(machine, left_guide), found, _exactly(machine, right_guide.T)
    if a.shape[0] < a.shape[1]:
        right, values, left = _by_gram(machine, a.T, right_guide.T, with_vectors=with_vectors)
        return left, values, right
    return _by_gram(machine, a, left_guide, with_vectors=with_vectors)


_NO_SIDE = "svd: the side of a singular vector is undecided"


def _by_gram(machine: Machine, a: Array, guide: Array, *, with_vectors: bool) -> tuple[Array, Array, Array]:
    """Through the eigenvalues of a^T a, for a with at least as many rows as columns.

    The left vectors are turned to the guide's side, and the right ones with them. Those of a singular value 0 are
    unit vectors that a^T takes to 0; those of one that vanishes at the point alone (a v / sigma is 0/0 in balls) are
    eigenvectors of a a^T.
    """
    squares, right, tied = _symmetric(machine, machine.matmul(a.T, a))
    squares, right, tied = squares[::-1], right[:, ::-1].copy(), tied[::-1]
    values = machine.map("sqrt", squares)
    if not with_vectors:
        return right, values, right
    zero = machine.exact(0)
    vanish = [machine.system.compare("eq", value, zero) is True for value in values]
    small = [k for k, each in enumerate(values) if not (tied[k] or vanish[k]) and _starts_at_zero(each)]
    left = machine.map("div", machine.matmul(a, right), values[None, :])
    if any(vanish) or small:
        _, rest, _ = _symmetric(machine, machine.matmul(a, a.T))
        left[:, vanish] = rest[:, : sum(vanish)]
        for k in small:
            left[:, k] = _facing(machine, rest[:, -1 - k], machine.matmul(a, right[:, [k]])[:, 0], values[k])
    for column in (k for k in range(right.shape[1]) if not tied[k] and not vanish[k]):
        largest = int(np.argmax(np.abs(guide[:, column])))
        side = machine.system.compare("gt", left[largest, column], zero)
        if side is None:  # the values are known all the same
            lost = unknown(left.shape[:1], _NO_SIDE, EITHER)
            left[:, column], right[:, column] = lost, unknown(right.shape[:1], lost[0].reason, EITHER)
        elif side != (guide[largest, column] > 0):
            left[:, column] = machine.map("neg", left[:, column])
            right[:, column] = machine.map("neg", right[:, column])
    return left, values, right


def _starts_at_zero(value: Any) -> bool:
    return isinstance(value, Germ) and valuation(value) > 0


def _facing(machine: Machine, left: Array, image: Array, value: Germ) -> Array:
    """The unit vector u or -u for which a v = sigma u, from a v.

    u^T a v is sigma or -sigma: what stands before the first term of sigma is 0, and that term tells the sign.
    """
    (product,) = machine.matmul(left[None, :], image[:, None]).flat
    first = valuation(value)
    terms = product.terms if isinstance(product, Germ) else ()
    sign = next((arb(term.coefficient) for term in terms if term.exponent == first), arb(0))
    if sign.contains(0):
        return unknown(left.shape, _NO_SIDE, EITHER)
    return left if sign > 0 else machine.map("neg", left)


RULES: Table = {
    "eigh": Rule(per_matrix(_eigh)),
    "svd": Rule(per_matrix(_svd), ("sqrt",)),
}
