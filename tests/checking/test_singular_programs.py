"""Derivatives of programs of several numbers where libraries go wrong: zeros, ties, ranks, indices out of range.

Nothing here says what the installed JAX gets wrong: as in `test_singular_points`, the number that the device returns is
compared with a truth that was worked out by hand.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy as jsp
import numpy as np
import pytest
from jax import lax, nn

import verifier
from verifier.checking.result import Result
from verifier.model.rule import RuleClass

pytestmark = pytest.mark.slow  # the known bugs and the ordinary programs are checked fast

la = jnp.linalg
INF, NAN = math.inf, math.nan
r2 = math.sqrt(2)
ids = jnp.array([0, 0, 1])


@dataclass(frozen=True, slots=True)
class Case:
    """A function at a point; `truths` gives derivatives by the name of the component."""

    fn: Any
    at: Any
    truths: dict[str, float]
    order: int = 1
    dtype: str = "float64"


CASES: dict[str, Case] = {
    "prod two zeros": Case(lambda x: jnp.prod(x), [0.0, 0.0, 3.0], {"d/dx[0]": 0.0, "d/dx[2]": 0.0}),
    "prod two zeros mixed": Case(lambda x: jnp.prod(x), [0.0, 0.0, 3.0], {"d2/dx[0]dx[1]": 3.0}, order=2),
    "cumprod zeros 2nd": Case(lambda x: jnp.cumprod(x)[2], [0.0, 0.0, 3.0], {"d2/dx[0]dx[1]": 3.0}, order=2),
    "nanprod zeros": Case(lambda x: jnp.nanprod(x), [0.0, 2.0, 3.0], {"d/dx[0]": 6.0}),
    "norm ord3 at partly 0": Case(lambda x: la.norm(x, 3), [0.0, 1.0], {"d/dx[0]": 0.0, "d/dx[1]": 1.0}),
    "norm ord1.5 partly 0": Case(lambda x: la.norm(x, 1.5), [0.0, 1.0], {"d/dx[0]": 0.0, "d/dx[1]": 1.0}),
    "norm ord4 huge": Case(lambda x: la.norm(x, 4), [1e100, 1e100], {"d/dx[0]": 2 ** (-0.75)}),
    "norm 2 curvature partly 0": Case(la.norm, [0.0, 2.0], {"d2/dx[0]2": 0.5, "d2/dx[1]2": 0.0}, order=2),
    "norm nuc rank 1": Case(lambda a: la.norm(a, "nuc"), [[1.0, 0.0], [0.0, 0.0]], {"d/da[0,0]": 1.0}),
    "norm fro zero squared": Case(lambda a: la.norm(a) ** 2, [[0.0, 0.0], [0.0, 0.0]], {"d/da[0,0]": 0.0}),
    "norm f32 tiny": Case(la.norm, [3e-30, 4e-30], {"d/dx[0]": 0.6}, dtype="float32"),
    "det zero matrix": Case(la.det, [[0.0, 0.0], [0.0, 0.0]], {"d/da[0,0]": 0.0}),
    "det rank2 3x3": Case(
        la.det, [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]], {"d/da[0,0]": -3.0, "d/da[0,1]": 6.0}
    ),
    "det curvature singular": Case(
        la.det, [[1.0, 1.0], [1.0, 1.0]], {"d2/da[0,0]da[1,1]": 1.0, "d2/da[0,1]da[1,0]": -1.0}, order=2
    ),
    "slogdet neg": Case(lambda a: la.slogdet(a)[1], [[0.0, 1.0], [1.0, 0.0]], {"d/da[0,1]": 1.0, "d/da[0,0]": 0.0}),
    "solve wrt b zero": Case(
        lambda b: la.solve(jnp.array([[2.0, 1.0], [1.0, 3.0]]), b), [0.0, 0.0], {"value[0] d/db[0]": 0.6}
    ),
    "pinv tall": Case(la.pinv, [[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]], {"value[0,0] d/da[0,0]": -1.0}),
    "lstsq rank def": Case(
        lambda b: la.lstsq(jnp.array([[1.0, 1.0], [1.0, 1.0], [0.0, 0.0]]), b)[0],
        [1.0, 2.0, 3.0],
        {"value[0] d/db[0]": 0.25},
    ),
    "eigh ties trace": Case(lambda a: jnp.sum(la.eigvalsh(a) ** 3), [[1.0, 0.0], [0.0, 1.0]], {"d/da[0,0]": 3.0}),
    "eigh projector": Case(
        lambda a: (lambda v: jnp.outer(v, v))(la.eigh(a)[1][:, 0]),
        [[1.0, 0.0], [0.0, 2.0]],
        {"value[0,1] d/da[0,1]": -0.5},
    ),
    "svd zero singular": Case(
        lambda a: jnp.sum(la.svd(a, compute_uv=False) ** 2),
        [[1.0, 0.0], [0.0, 0.0]],
        {"d/da[0,0]": 2.0, "d/da[0,1]": 0.0},
    ),
    "svd tie sum": Case(
        lambda a: jnp.sum(la.svd(a, compute_uv=False)), [[0.0, 1.0], [-1.0, 0.0]], {"d/da[0,1]": 1.0, "d/da[0,0]": 0.0}
    ),
    "svd uv recon 0": Case(
        lambda a: (lambda u, s, v: u * s @ v)(*la.svd(a, full_matrices=False)),
        [[1.0, 0.0], [0.0, 0.0]],
        {"value[0,0] d/da[0,0]": 1.0, "value[1,1] d/da[1,1]": 1.0},
    ),
    "svd uv recon rank 1": Case(
        lambda a: (lambda u, s, v: u * s @ v)(*la.svd(a, full_matrices=False)),
        [[1.0, 1.0], [1.0, 1.0], [1.0, 1.0]],
        {"value[0,0] d/da[0,0]": 1.0, "value[2,1] d/da[2,1]": 1.0},
    ),
    # What is cut off stays cut off: P' = -P E P + P P^T E^T (1 - A P) + (1 - P A) E^T P^T P (Golub and Pereyra, 1973)
    "pinv rank 1": Case(
        la.pinv,
        [[1.0, 1.0], [1.0, 1.0]],
        {"value[0,0] d/da[0,0]": 1 / 16, "value[0,1] d/da[0,0]": -1 / 16, "value[1,1] d/da[0,0]": -3 / 16},
    ),
    "lstsq rank 1": Case(
        lambda a: la.lstsq(a, jnp.array([1.0, 2.0, 3.0]))[0],
        [[1.0, 1.0], [1.0, 1.0], [1.0, 1.0]],
        {"value[0] d/da[0,0]": -1 / 12},
    ),
    "qr abs det": Case(
        lambda a: jnp.prod(jnp.abs(jnp.diag(la.qr(a)[1]))), [[1.0, 2.0], [3.0, 4.0]], {"d/da[0,0]": -4.0}
    ),
    "matrix_power 0": Case(lambda a: la.matrix_power(a, 0), [[1.0, 2.0], [3.0, 4.0]], {"value[0,0] d/da[0,0]": 0.0}),
    "matrix_power neg": Case(
        lambda a: la.matrix_power(a, -1), [[2.0, 0.0], [0.0, 4.0]], {"value[0,0] d/da[0,0]": -0.25}
    ),
    "logm by eigh": Case(
        lambda a: (lambda w, v: v * jnp.log(w) @ v.T)(*la.eigh(a)),
        [[2.0, 0.0], [0.0, 2.0]],
        {"value[0,0] d/da[0,0]": 0.5, "value[0,1] d/da[0,1]": 0.25},
    ),
    "solve_triangular unit": Case(
        lambda a: jsp.linalg.solve_triangular(a, jnp.array([1.0, 2.0]), lower=True, unit_diagonal=True),
        [[5.0, 9.0], [3.0, 7.0]],
        {"value[1] d/da[1,0]": -1.0, "value[0] d/da[0,0]": 0.0},
    ),
    "lu perm": Case(
        lambda a: (lambda p, low, up: p @ low @ up)(*jsp.linalg.lu(a)),
        [[0.0, 2.0], [1.0, 3.0]],
        {"value[0,0] d/da[0,0]": 1.0},
    ),
    "segment_sum OOB": Case(
        lambda x: jax.ops.segment_sum(x, jnp.array([0, 5, -1]), num_segments=2),
        [1.0, 2.0, 3.0],
        {"value[0] d/dx[0]": 1.0, "value[0] d/dx[1]": 0.0, "value[1] d/dx[2]": 0.0},
    ),
    "segment_min empty": Case(
        lambda x: jax.ops.segment_min(x, ids, num_segments=3)[:2], [2.0, 1.0, 3.0], {"value[0] d/dx[1]": 1.0}
    ),
    "at.mul zero base": Case(lambda x: x.at[0].mul(3.0), [0.0, 2.0], {"value[0] d/dx[0]": 3.0}),
    "at.max same elt": Case(lambda x: x.at[0].max(x[0]), [2.0, 1.0], {"value[0] d/dx[0]": 1.0}),
    "scatter clip": Case(
        lambda x: x.at[jnp.array([7])].add(x[0], mode="clip"), [1.0, 2.0, 3.0], {"value[2] d/dx[0]": 1.0}
    ),
    "gather clip": Case(lambda x: x.at[jnp.array([7])].get(mode="clip"), [1.0, 2.0, 3.0], {"value[0] d/dx[2]": 1.0}),
    "gather fill": Case(
        lambda x: x.at[jnp.array([7])].get(mode="fill", fill_value=0), [1.0, 2.0, 3.0], {"value[0] d/dx[2]": 0.0}
    ),
    "gather fill nan": Case(
        lambda x: jnp.nansum(x.at[jnp.array([0, 7])].get(mode="fill")),
        [1.0, 2.0, 3.0],
        {"d/dx[0]": 1.0, "d/dx[2]": 0.0},
    ),
    "dynamic_slice clamp": Case(lambda x: lax.dynamic_slice(x, (5,), (2,)), [1.0, 2.0, 3.0], {"value[1] d/dx[2]": 1.0}),
    "take wrap": Case(lambda x: jnp.take(x, jnp.array([4]), mode="wrap"), [1.0, 2.0, 3.0], {"value[0] d/dx[1]": 1.0}),
    "at.power 0": Case(lambda x: x.at[0].power(2), [0.0, 2.0], {"value[0] d/dx[0]": 0.0}),
    "at.divide": Case(lambda x: x.at[0].divide(x[1]), [0.0, 2.0], {"value[0] d/dx[0]": 0.5}),
    "median odd": Case(lambda x: jnp.median(x), [1.0, 3.0, 2.0], {"d/dx[2]": 1.0, "d/dx[0]": 0.0}),
    "quantile at node": Case(lambda x: jnp.quantile(x, 0.5), [1.0, 3.0, 2.0], {"d/dx[2]": 1.0}),
    "max pool hess": Case(
        lambda x: lax.reduce_window(x, -jnp.inf, lax.max, (2,), (2,), "VALID") ** 2,
        [1.0, 3.0, 2.0, 0.0],
        {"value[0] d2/dx[1]2": 2.0},
        order=2,
    ),
    "nanmax": Case(lambda x: jnp.nanmax(x), [1.0, NAN, 3.0], {"d/dx[2]": 1.0, "d/dx[0]": 0.0}),
    "nanvar": Case(lambda x: jnp.nanvar(x), [1.0, NAN, 3.0], {"d/dx[2]": 1.0}),
    "nanmin all but one": Case(lambda x: jnp.nanmin(x), [NAN, 3.0], {"d/dx[1]": 1.0}),
    "max where": Case(
        lambda x: jnp.max(x, where=jnp.array([True, False, True]), initial=-jnp.inf),
        [1.0, 9.0, 3.0],
        {"d/dx[2]": 1.0, "d/dx[1]": 0.0},
    ),
    "mean where": Case(
        lambda x: jnp.mean(x, where=jnp.array([True, False, True])), [1.0, INF, 3.0], {"d/dx[0]": 0.5, "d/dx[1]": 0.0}
    ),
    "var const": Case(lambda x: jnp.var(x), [1.0, 1.0, 1.0], {"d/dx[0]": 0.0}),
    "layernorm const": Case(
        lambda x: (x - x.mean()) * lax.rsqrt(x.var() + 1e-06), [1.0, 1.0, 1.0], {"value[0] d/dx[0]": 2 / 3 * 1000}
    ),
    "normalize zero eps": Case(
        lambda x: x / jnp.maximum(la.norm(x), 1e-06), [0.0, 0.0], {"value[0] d/dx[0]": 1000000.0}
    ),
    "pairwise dist": Case(
        lambda x: jnp.sum(jnp.sqrt(jnp.sum((x[:, None] - x[None]) ** 2, -1) + jnp.eye(2) * 0)),
        [[0.0, 0.0], [3.0, 4.0]],
        {"d/dx[1,0]": 1.2},
    ),
    "pairwise dist where": Case(
        lambda x: jnp.sum(jnp.where(jnp.eye(2, dtype=bool), 0, jnp.sqrt(jnp.sum((x[:, None] - x[None]) ** 2, -1)))),
        [[0.0, 0.0], [3.0, 4.0]],
        {"d/dx[1,0]": 1.2},
    ),
    "softmax where": Case(
        lambda x: nn.softmax(x, where=jnp.array([True, False, True])),
        [1.0, 2.0, 1.0],
        {"value[0] d/dx[0]": 0.25, "value[0] d/dx[1]": 0.0},
    ),
    "log_softmax where": Case(
        lambda x: nn.log_softmax(x, where=jnp.array([True, False, True]))[0],
        [1.0, 2.0, 1.0],
        {"d/dx[0]": 0.5, "d/dx[1]": 0.0},
    ),
    "logsumexp where": Case(
        lambda x: jsp.special.logsumexp(x, where=jnp.array([True, False, True])),
        [1.0, 2000.0, 1.0],
        {"d/dx[0]": 0.5, "d/dx[1]": 0.0},
    ),
    "logsumexp b0 inf": Case(
        lambda x: jsp.special.logsumexp(x, b=jnp.array([1.0, 0.0])), [1.0, 800.0], {"d/dx[0]": 1.0, "d/dx[1]": 0.0}
    ),
    "logcumsumexp big": Case(lambda x: lax.cumlogsumexp(x), [800.0, -800.0, 0.0], {"value[2] d/dx[0]": 1.0}),
    "angle": Case(lambda x: jnp.angle(x[0] + 1j * x[1]), [1.0, 1.0], {"d/dx[0]": -0.5, "d/dx[1]": 0.5}),
    "complex log": Case(lambda x: jnp.real(jnp.log(x[0] + 1j * x[1])), [3.0, 4.0], {"d/dx[0]": 0.12}),
    "complex pow": Case(lambda x: jnp.real((x[0] + 1j * x[1]) ** 2), [0.0, 0.0], {"d/dx[0]": 0.0}),
    "complex pow 2 curv": Case(lambda x: jnp.real((x[0] + 1j * x[1]) ** 2), [0.0, 0.0], {"d2/dx[0]2": 2.0}, order=2),
    "complex abs sq": Case(lambda x: jnp.abs(x[0] + 1j * x[1]) ** 2, [0.0, 0.0], {"d/dx[0]": 0.0}),
    "rfft hermitian": Case(lambda x: jnp.real(jnp.fft.rfft(x))[1], [1.0, 2.0, 3.0], {"d/dx[0]": 1.0, "d/dx[1]": -0.5}),
    "irfft odd": Case(lambda x: jnp.fft.irfft(x + 0j, n=3), [1.0, 2.0], {"value[0] d/dx[1]": 2 / 3}),
    "hfft": Case(lambda x: jnp.fft.hfft(x + 0j), [1.0, 2.0, 3.0], {"value[0] d/dx[1]": 2.0}),
    "fftn norm ortho": Case(lambda x: jnp.real(jnp.fft.fft(x, norm="ortho"))[0], [1.0, 2.0], {"d/dx[0]": 1 / r2}),
    "complex det": Case(lambda x: jnp.real(la.det(jnp.array([[1, 1j], [-1j, 2]]) * x[0])), [1.5], {"d/dx[0]": 3.0}),
    "while nan guard": Case(
        lambda x: lax.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, c[1] / x[0]), (0, x[0] ** 4))[1],
        [2.0],
        {"d/dx[0]": 1.0},
    ),
    "cond nan branch": Case(
        lambda x: lax.cond(x[0] > 0, lambda y: y * 2, lambda y: jnp.sqrt(y - 10), x[0]), [1.0], {"d/dx[0]": 2.0}
    ),
    "cond vmapped nan": Case(
        lambda x: jnp.sum(jax.vmap(lambda y: lax.cond(y > 0, lambda z: jnp.sqrt(z), lambda z: 0.0 * z, y))(x)),
        [4.0, -1.0],
        {"d/dx[0]": 0.25, "d/dx[1]": 0.0},
    ),
    "assoc prod zeros": Case(lambda x: lax.associative_scan(jnp.multiply, x)[-1], [0.0, 2.0, 0.0], {"d/dx[0]": 0.0}),
    "switch oob": Case(lambda x: lax.switch(7, [jnp.sin, jnp.cos], x[0]), [0.5], {"d/dx[0]": -math.sin(0.5)}),
    "fori custom": Case(lambda x: lax.fori_loop(0, 0, lambda i, c: c * jnp.nan, x[0]), [3.0], {"d/dx[0]": 1.0}),
    "interp dup nodes": Case(
        lambda x: jnp.interp(x, jnp.array([0.0, 1.0, 1.0, 2.0]), jnp.array([0.0, 1.0, 1.0, 4.0])),
        [0.5],
        {"value[0] d/dx[0]": 1.0},
    ),
    "interp outside": Case(
        lambda x: jnp.interp(x, jnp.array([0.0, 1.0]), jnp.array([0.0, 1.0])), [5.0], {"value[0] d/dx[0]": 0.0}
    ),
    "polyval 0": Case(lambda c: jnp.polyval(c, 0.0), [1.0, 2.0, 3.0], {"d/dc[2]": 1.0, "d/dc[0]": 0.0}),
    "polyval x 0 2nd": Case(
        lambda x: jnp.polyval(jnp.array([1.0, 2.0, 3.0]), x[0]), [0.0], {"d2/dx[0]2": 2.0}, order=2
    ),
    "map_coords int": Case(
        lambda x: jsp.ndimage.map_coordinates(jnp.array([0.0, 1.0, 4.0]), [x], order=0),
        [1.2],
        {"value[0] d/dx[0]": 0.0},
    ),
    "convolve zero": Case(lambda x: jnp.convolve(x, x), [0.0, 0.0], {"value[0] d/dx[0]": 0.0}),
    "cross": Case(lambda x: jnp.cross(x, x), [1.0, 2.0, 3.0], {"value[0] d/dx[1]": 0.0}),
    "einsum repeated": Case(
        lambda a: jnp.einsum("ii->i", a),
        [[1.0, 2.0], [3.0, 4.0]],
        {"value[0] d/da[0,0]": 1.0, "value[0] d/da[0,1]": 0.0},
    ),
    "percentile mid": Case(lambda x: jnp.percentile(x, 50.0, method="midpoint"), [1.0, 4.0], {"d/dx[0]": 0.5}),
    "f16 softmax ce": Case(lambda x: -nn.log_softmax(x)[0], [-20.0, 20.0], {"d/dx[0]": -1.0}, dtype="float16"),
    "rem vector": Case(lambda x: jnp.remainder(x[0], x[1]), [-5.0, 3.0], {"d/dx[1]": 2.0}),
    "nan_to_num nan": Case(lambda x: jnp.sum(jnp.nan_to_num(x)), [1.0, NAN], {"d/dx[0]": 1.0}),
    "where sum nan": Case(lambda x: jnp.sum(jnp.where(jnp.isnan(x), 0.0, x) ** 2), [2.0, NAN], {"d/dx[0]": 4.0}),
    "arctan2 +x axis 2nd": Case(lambda x: jnp.arctan2(x[0], x[1]), [0.0, 2.0], {"d2/dx[0]dx[1]": -0.25}, order=2),
    "logsumexp tie hess": Case(
        lambda x: jsp.special.logsumexp(x), [2.0, 2.0], {"d2/dx[0]2": 0.25, "d2/dx[0]dx[1]": -0.25}, order=2
    ),
}

PROGRAMS = {1: ("jacfwd/eager", "jacrev/jit"), 2: ("fwd-rev/jit", "rev-fwd/jit")}


@cache
def _result(name: str) -> Result:
    case = CASES[name]
    at = np.asarray(case.at, dtype=jnp.dtype(case.dtype))
    return verifier.check(case.fn, at, orders=(case.order,), programs=PROGRAMS[case.order])


def _shows(value: float, truth: float, dtype: str) -> bool:
    """Whether a number has lost more than half of its digits."""
    room = math.sqrt(float(jnp.finfo(dtype).eps)) * (abs(truth) or 1.0)
    return not math.isfinite(value) or abs(value - truth) > room


@pytest.mark.parametrize("name", CASES)
def test_what_still_shows_is_found_and_nothing_else(name):
    case, result = CASES[name], _result(name)
    for component, truth in case.truths.items():
        about = [each for each in result.verdicts if each.component == component and each.value is not None]
        assert about, str(result)
        for each in about:
            assert math.isclose(float(each.truth), truth, rel_tol=1e-14 if each.dtype == "float64" else 1e-3), (
                each.truth
            )
            assert (each.fails, each.undecided) == (_shows(each.value, truth, case.dtype), False), str(result)


def _spoiled(fn: Any) -> Any:
    """The function with a rule that is off by one part in 4,096."""

    @jax.custom_jvp
    def spoiled(x):
        return fn(x)

    @spoiled.defjvp
    def _(primals, tangents):
        value, tangent = jax.jvp(fn, primals, tangents)
        return value, jax.tree.map(lambda each: each * (1 + 2.0**-12), tangent)

    return spoiled


SPOILED = ("det rank2 3x3", "svd tie sum", "gather clip", "median odd", "mean where", "complex log", "interp dup nodes")


@pytest.mark.parametrize("name", SPOILED)
def test_a_planted_fault_is_found_at_the_same_points(name):
    case = CASES[name]
    result = verifier.check(_spoiled(case.fn), np.asarray(case.at), programs=("jacfwd/eager",))
    assert result.findings, str(result)
    assert {each.rule for each in result.findings} <= {RuleClass.WRONG, RuleClass.INEXACT}
