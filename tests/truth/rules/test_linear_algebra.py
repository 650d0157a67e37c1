"""Factorisations, spectra, linear solves and Fourier transforms against JAX."""

from __future__ import annotations

from fractions import Fraction

import jax
import jax.numpy as jnp
import jax.scipy as jsp
import numpy as np
import pytest
from jax import lax

from verifier.arithmetic.ball import BallSystem
from verifier.arithmetic.elements import NAN, Unknown
from verifier.arithmetic.germ import GermSystem
from verifier.arithmetic.one_sided import derivative
from verifier.truth.jaxprs import evaluate

A = np.array([[2.0, 0.3, -0.4], [0.5, 1.0, 0.7], [0.1, 0.2, -1.5]])
X = np.array([0.3, 0.45, 0.2])

TABLE = {
    "det": jnp.linalg.det,
    "inverse": jnp.linalg.inv,
    "slogdet": lambda a: jnp.linalg.slogdet(a)[1],
    "solve": lambda a: jnp.linalg.solve(a, a[0] + 1),
    "cholesky": lambda a: jnp.linalg.cholesky(a @ a.T),
    "cho_solve": lambda a: jsp.linalg.cho_solve(jsp.linalg.cho_factor(a @ a.T), a[0]),
    "lu": jsp.linalg.lu,
    "qr": jnp.linalg.qr,
    "qr of a tall matrix": lambda a: jnp.linalg.qr(a[:, :2]),
    "triangular": lambda a: jsp.linalg.solve_triangular(a, a[0], trans=1),
    "triangular from the right": lambda a: lax.linalg.triangular_solve(a, a + 1, left_side=False, unit_diagonal=True),
    "tridiagonal": lambda a: lax.linalg.tridiagonal_solve(a[0], a[1] + 3, a[2], a),
    "eigh": lambda a: jnp.linalg.eigh(a + a.T),
    "svd": jnp.linalg.svd,
    "svd of a wide matrix": lambda a: jnp.linalg.svd(a[:2], full_matrices=False),
    "singular values": lambda a: jnp.linalg.svd(a, compute_uv=False),
    "custom solve": lambda a: lax.custom_linear_solve(
        lambda v: a @ v, a[1], lambda mv, b: jnp.linalg.inv(a) @ b, lambda vm, b: jnp.linalg.inv(a).T @ b
    ),
    "fft": lambda a: jnp.fft.fft2(a).imag,
    "rfft": lambda a: jnp.abs(jnp.fft.rfft(a)),
    "irfft": lambda a: jnp.fft.irfft(jnp.fft.rfft(a) * 2, 3),
    "batched solve": lambda a: jax.vmap(lambda t: jnp.linalg.solve(a * t, a[0]))(jnp.array([1.0, 2.0])),
}


@pytest.mark.parametrize("name", TABLE)
def test_linear_algebra(agree, name):
    agree(TABLE[name], A, tolerance=1e-10)


def test_expm(agree):
    agree(jax.jacfwd(lambda t: jsp.linalg.expm(t * A[:2, :2])), 1.5, value_only=True, tolerance=1e-11)


def test_an_iterative_solver_is_solved_as_an_equation(agree):
    """Conjugate gradients stop at a tolerance; the truth is the solution."""
    right = np.array([0.7, -0.4, 0.9])
    agree(lambda x: jsp.sparse.linalg.cg(lambda v: v * x + v.sum(), right, tol=1e-14)[0], X, tolerance=1e-9)


@pytest.mark.parametrize("matrix", [A, A + 0.5j * A.T], ids=["real", "complex"])
def test_a_direct_solver_of_another_system_is_not_followed(matrix):
    """A ridge in the solver is an error of its number: in balls as in germs the truth solves the equation."""

    def solved(ridge):
        close = matrix + ridge * np.eye(3)
        return lambda b: (
            lax.custom_linear_solve(
                lambda v: matrix @ v, b.astype(matrix.dtype), lambda _, c: jnp.linalg.solve(close, c)
            ).real
        )

    with jax.enable_x64(True):
        exact, near = (jax.make_jaxpr(solved(ridge))(X) for ridge in (0.0, 1e-3))
    (wanted,), (found,) = (evaluate(each, [X], BallSystem(256), strict=True) for each in (exact, near))
    assert all(a.overlaps(b) and a.rad() < 1e-60 for a, b in zip(found.flat, wanted.flat, strict=True))


def test_householder_product(agree):
    a, taus = np.vander(X, 3), np.array([0.5, 1.5])
    agree(lax.linalg.householder_product, a, taus, value_only=True)


def test_the_derivative_of_eigenvectors_at_a_tie_is_nan_for_certain():
    """As a device computes it: inf times exactly zero (jax-8732)."""

    def norm(a):
        u, s, vh = jnp.linalg.svd(a, full_matrices=False)
        return jnp.sqrt(jnp.sum(((u * s) @ vh) ** 2))

    (gradient,) = evaluate(jax.make_jaxpr(jax.grad(norm))(np.eye(2)), [np.eye(2)], BallSystem(128), strict=True)
    assert all(entry is NAN for entry in gradient.flat)


def test_a_matrix_that_is_not_definite_has_no_cholesky_factor(agree):
    agree(lambda a: jnp.linalg.cholesky(a), np.array([[1.0, 2.0], [2.0, 1.0]]), value_only=True)


def _along(function, at, direction, k):
    system = GermSystem(128, 8)
    line = np.empty(at.shape, dtype=object)
    for place in np.ndindex(*at.shape):
        line[place] = system.variable(Fraction(at[place]), Fraction(direction[place]))
    found = evaluate(jax.make_jaxpr(function)(at), [line], system, strict=True)
    return [np.asarray([float(derivative(e, k).mid()) for e in each.flat]).reshape(each.shape) for each in found]


GERMS = ["det", "inverse", "solve", "cholesky", "qr", "eigh", "svd of a wide matrix"]


@pytest.mark.parametrize("name", GERMS)
def test_germs_need_no_derivative_rule(name):
    direction = np.array([[1.0, 0.5, -2.0], [0.0, 1.0, 0.25], [0.5, -1.0, 2.0]])

    def along(t):
        return TABLE[name](A + t * direction)

    second = jax.jit(jax.jacfwd(jax.jacfwd(along)))(0.0)
    for wanted, found in zip(jax.tree.leaves(second), _along(TABLE[name], A, direction, 2), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9)


def test_germs_of_coinciding_eigenvalues():
    """At diag(1, 1, 3) the slopes are the eigenvalues of the direction's own blocks."""
    direction = np.array([[0.5, 1.0, 2.0], [1.0, -1.0, 0.0], [2.0, 0.0, 1.0]])
    (slopes,) = _along(jnp.linalg.eigvalsh, np.diag([1.0, 1.0, 3.0]), direction, 1)
    np.testing.assert_allclose(slopes, [*np.linalg.eigvalsh(direction[:2, :2]), 1.0], atol=1e-12)


def test_germs_of_singular_values_at_the_identity():
    def norm(a):
        u, s, vh = jnp.linalg.svd(a, full_matrices=False)
        return jnp.sqrt(jnp.sum(((u * s) @ vh) ** 2))

    (slope,) = _along(norm, np.eye(2), np.array([[1.0, 0.0], [0.0, 0.0]]), 1)
    np.testing.assert_allclose(slope, np.sqrt(0.5), atol=1e-14)


@pytest.mark.parametrize("shape", [(2, 2), (3, 2), (2, 3)])
def test_germs_of_a_singular_value_that_vanishes_at_the_point(shape):
    """Its vectors are those that put the matrix together again on both sides of the point."""

    def whole(a):
        u, s, vh = jnp.linalg.svd(a, full_matrices=False)
        return (u * s) @ vh

    a, direction = (
        np.ones(shape),
        np.array([[1.0, 0.5, -2.0], [0.25, 1.0, 3.0], [0.5, -1.0, 2.0]])[: shape[0], : shape[1]],
    )
    for way in (direction, -direction):
        (value,), (slope,), (bend,) = (_along(whole, a, way, k) for k in range(3))
        np.testing.assert_allclose(value, a, atol=1e-12)
        np.testing.assert_allclose(slope, way, atol=1e-12)
        np.testing.assert_allclose(bend, 0, atol=1e-12)


TIED = np.array([[2.0, 1.0, 1.0], [1.0, 2.0, 1.0], [1.0, 1.0, 2.0]])  # eigenvalues 1, 1, 4


def test_a_tie_that_cannot_be_certified_is_unknown():
    jaxpr = jax.make_jaxpr(lambda a: jnp.linalg.eigh(jnp.sqrt(a + 1))[1])(TIED)
    (vectors,) = evaluate(jaxpr, [TIED], BallSystem(128), strict=True)
    assert all(isinstance(entry, Unknown) and "coincide" in entry.reason for entry in vectors.flat)


def test_a_tie_of_a_rational_matrix_is_one_element():
    values, vectors = evaluate(jax.make_jaxpr(jnp.linalg.eigh)(TIED), [TIED], BallSystem(128), strict=True)
    assert values[0] is values[1]
    assert [float(each) for each in values] == [1.0, 1.0, 4.0]
    floats = np.array([[float(each) for each in row] for row in vectors])
    np.testing.assert_allclose(floats.T @ TIED @ floats, np.diag([1.0, 1.0, 4.0]), atol=1e-14)


def test_a_tie_off_the_axes_splits_along_a_line():
    """The slopes of tied eigenvalues are the eigenvalues of the direction inside their space."""
    direction = np.diag([1.0, 2.0, 4.0])
    (slopes,) = _along(jnp.linalg.eigvalsh, TIED, direction, 1)
    basis = np.linalg.eigh(TIED)[1][:, :2]
    wanted = [*np.linalg.eigvalsh(basis.T @ direction @ basis), direction.sum() / 3]
    np.testing.assert_allclose(slopes, wanted, atol=1e-13)


def test_an_eigenvalue_that_stays_zero_is_exactly_zero():
    """Of a matrix of rank one along a line of such: sqrt of it has the slope 0, not that of a cut series."""
    (slopes,) = _along(
        lambda x: jnp.sqrt(jnp.linalg.eigvalsh(x[:, None] * x[None, :])), np.array([1.0, 2.0, 2.0]), np.ones(3), 1
    )
    np.testing.assert_allclose(slopes, [0.0, 0.0, 5 / 3], atol=1e-13)


def _hermitian(t):
    return t * jnp.array([[2.0, 1j], [-1j, 3.0]]) + jnp.diag(jnp.array([t**2, 1.0]))


COMPLEX = {
    "eigh": lambda t: jnp.abs(jnp.linalg.eigh(_hermitian(t))[1][0, 0]) ** 2,
    "eigvalsh": lambda t: jnp.linalg.eigvalsh(_hermitian(t))[0],
    "svd": lambda t: jnp.linalg.svd(_hermitian(t) + 1j, full_matrices=False)[1][0],
    "cholesky": lambda t: jnp.imag(jnp.linalg.cholesky(_hermitian(t))[1, 0]),
    "qr": lambda t: jnp.real(jnp.linalg.qr(_hermitian(t) + 1j)[0][0, 1]),
    "solve": lambda t: jnp.real(jnp.linalg.solve(_hermitian(t), jnp.array([1.0, 1j]))[1]),
}


@pytest.mark.parametrize("name", COMPLEX)
def test_a_germ_of_a_complex_factorisation_has_the_slope_of_differences(name):
    f, step = COMPLEX[name], 1e-5
    (slope,) = _along(f, np.array(1.5), np.array(1.0), 1)
    with jax.enable_x64(True):
        wanted = (f(jnp.array(1.5 + step)) - f(jnp.array(1.5 - step))) / (2 * step)
    np.testing.assert_allclose(float(slope), float(wanted), rtol=1e-8)


def test_the_determinant_of_a_matrix_of_rank_one_has_slope_zero():
    (slope,) = _along(jnp.linalg.det, np.ones((4, 4)), np.diag([1.0, 0.0, 0.0, 0.0]), 1)
    assert float(slope) == 0.0
