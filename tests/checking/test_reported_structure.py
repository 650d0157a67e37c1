"""Reported defects of JAX's derivatives in linear algebra, control flow, custom rules, indexing and structure.

Each is restated here with its truth from an independent source. What the installed JAX still gets wrong is found, what
it does not is passed: which of both is decided by the number that the device returns.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy as jsp
import numpy as np
import pytest
from jax import lax

import verifier
from verifier.model.rule import RuleClass
from verifier.model.verdict import NumberClass

pytestmark = pytest.mark.slow  # the known bugs and the ordinary programs are checked fast

ISSUE = "https://github.com/jax-ml/jax/issues/"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A function at a point; `truths` gives derivatives by the name of the component."""

    url: str
    f: Any
    at: Any
    truths: dict[str, float]
    order: int = 1
    dtype: str = "float64"
    programs: tuple[str, ...] | None = None


def _rebuilt(a):
    u, s, vh = jnp.linalg.svd(a, full_matrices=False)
    return (u * s) @ vh


def _root(a):
    w, v = jnp.linalg.eigh(a)
    return jnp.sum((v * jnp.sqrt(w)) @ v.T)


def _power(x):
    def step(carry, _):
        value, goes_on = carry
        return lax.cond(goes_on, lambda v: (v * x, True), lambda v: (v, False), value), None

    return lax.scan(step, (jnp.ones((), x.dtype), True), None, length=4)[0][0]


def _bump(x):
    def edge(z):
        return jnp.where(z < 0, 0.0, jnp.exp(-1 / jnp.maximum(z, 1e-2)))

    return edge(x) / (edge(x) + edge(1 - x))


def _sums(carry, x):
    total = carry + 2.0 * x
    return total, total


def _segments(x):
    return jax.ops.segment_max(x, jnp.array([0, 0, 1]))


def _hermitian(t):
    return jnp.sum(jnp.linalg.eigvalsh(jnp.array([[2.0, 1j], [-1j, 3.0]]) * t) ** 2)


def _complex_solve(t):
    """Re(sum of z) for (t A + i) z = 1, with A = [[2, i], [-i, 3]]."""
    a = t * jnp.array([[2.0, 1j], [-1j, 3.0]]) + 1j * jnp.eye(2)
    return jnp.real(jnp.sum(jnp.linalg.solve(a, jnp.ones(2) + 0j)))


CASES = {
    "curvature of log det through tied eigenvalues": Case(
        url=ISSUE + "21896",
        f=lambda a: jnp.sum(jnp.log(jnp.linalg.eigvalsh(a))),
        at=[[2.0, 0.0], [0.0, 2.0]],
        truths={"d2/da[0,0]2": -0.25},
        order=2,
        programs=("fwd-rev",),
    ),
    "a norm through tied singular values": Case(
        url=ISSUE + "8732",
        f=lambda a: jnp.linalg.norm(_rebuilt(a)),
        at=[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 3.0]],
        truths={"d/da[0,0]": 1 / math.sqrt(11), "d/da[2,2]": 3 / math.sqrt(11)},
    ),
    "tied singular values in a basis off the axes": Case(
        url=ISSUE + "2311",
        f=lambda a: jnp.sum(_rebuilt(a) ** 3),
        at=[[3.0, 4.0], [-4.0, 3.0]],
        truths={"d/da[0,0]": 27.0, "d/da[0,1]": 48.0},
    ),
    "the root of a matrix with tied eigenvalues off the axes": Case(
        url=ISSUE + "669",
        f=_root,
        at=[[2.0, 1.0, 1.0], [1.0, 2.0, 1.0], [1.0, 1.0, 2.0]],
        truths={"d/da[0,1]": 0.25, "d/da[2,2]": 0.25},
    ),
    "eigenvectors of eigenvalues beyond 2^p": Case(
        url=ISSUE + "40141",
        f=lambda a: jnp.sum(jnp.linalg.eigh(a)[1]),
        at=[[2.0**24, 0.0, 0.0], [0.0, 2.0**24 + 2, 0.0], [0.0, 0.0, 2.0**24 + 4]],
        truths={"d/da[0,0]": 0.0},
        dtype="float32",
    ),
    "the trace of a matrix of rank one through its eigenvalues": Case(
        url=ISSUE + "10527",
        f=lambda x: jnp.sum(jnp.linalg.eigvalsh(x[:, None] * x[None, :])),
        at=[1.0, 2.0, 3.0],
        truths={"d/dx[0]": 2.0, "d/dx[2]": 6.0},
    ),
    "the largest singular value of a matrix of rank one": Case(
        url=ISSUE + "2311",
        f=lambda a: jnp.linalg.svd(a, full_matrices=False)[1][0],
        at=[[1.0, 1.0], [1.0, 1.0]],
        truths={"d/da[0,0]": 0.5},
    ),
    "the determinant of a matrix of rank one": Case(
        url=ISSUE + "2380",
        f=jnp.linalg.det,
        at=[[1.0] * 4] * 4,
        truths={"d/da[0,0]": 0.0, "d/da[1,2]": 0.0},
    ),
    "eigenvalues of a Hermitian matrix": Case(url=ISSUE + "669", f=_hermitian, at=1.5, truths={"d/dt": 45.0}),
    "a complex linear system": Case(
        url=ISSUE + "2572", f=_complex_solve, at=1.5, truths={"d/dt": -0.27339237755234844}
    ),
    "a norm along an axis, squared, with a row of zeros": Case(
        url=ISSUE + "4177",
        f=lambda x: jnp.sum(jnp.linalg.norm(x, axis=1) ** 2),
        at=[[0.0, 0.0], [1.0, 2.0]],
        truths={"d/dx[0,0]": 0.0, "d/dx[1,1]": 4.0},
    ),
    "scan by its sequence": Case(
        url=ISSUE + "753",
        f=lambda xs: lax.scan(_sums, jnp.zeros((), xs.dtype), xs)[1][2],
        at=[0.0, 1.0, 2.0],
        truths={"d/dxs[0]": 2.0},
    ),
    "a loop by scan that stops by cond": Case(url=ISSUE + "5900", f=_power, at=3.0, truths={"d/dx": 108.0}),
    "a constant stretch of a smooth step": Case(url=ISSUE + "15588", f=_bump, at=-0.5, truths={"d/dx": 0.0}),
    "powers from an array of integers": Case(
        url=ISSUE + "14397", f=lambda x: jnp.sum(x ** jnp.arange(0, 2)), at=1.0, truths={"d/dx": 1.0}
    ),
    "0 to the power 0, compiled inside": Case(
        url=ISSUE + "18450", f=lambda x: jax.jit(lambda a, k: a**k)(x, 0), at=0.0, truths={"d/dx": 0.0}
    ),
    "select of an untaken NaN": Case(
        url=ISSUE + "20601", f=lambda x: lax.select(False, x * jnp.nan, jnp.ones_like(x)), at=2.3, truths={"d/dx": 0.0}
    ),
    "segments counted from their ids": Case(
        url=ISSUE + "9296", f=_segments, at=[1.0, 3.0, 4.0], truths={"value[0] d/dx[1]": 1.0, "value[0] d/dx[0]": 0.0}
    ),
    "a cumulative product through zero": Case(
        url=ISSUE + "1212",
        f=lambda x: jnp.sum(jnp.cumprod(x)),
        at=[2.0, 0.0, 3.0, 4.0],
        truths={"d/dx[0]": 1.0, "d/dx[1]": 32.0},
    ),
    "the square of a complex absolute value at 0": Case(
        url=ISSUE + "10515", f=lambda x: jnp.abs(x * (1 + 1j)) ** 2, at=0.0, truths={"d/dx": 0.0}
    ),
}


def _shows(value: float, truth: float, dtype: str) -> bool:
    """Whether a number has lost more than half of its digits."""
    room = math.sqrt(float(jnp.finfo(dtype).eps)) * (abs(truth) or 1.0)
    return not math.isfinite(value) or abs(value - truth) > room


@pytest.mark.parametrize("name", CASES)
def test_what_still_shows_is_found_and_nothing_else(name):
    case = CASES[name]
    at = np.array(case.at, dtype=case.dtype)
    result = verifier.check(case.f, at, orders=(case.order,), programs=case.programs)
    for component, truth in case.truths.items():
        about = [each for each in result.verdicts if each.component == component and each.value is not None]
        assert about, str(result)
        for each in about:
            assert each.number is not NumberClass.UNDECIDED, str(result)
            assert math.isclose(float(each.truth), truth, rel_tol=1e-14, abs_tol=1e-300), (each.truth, truth)
            assert each.number_verdict is not None
            assert each.number_verdict.fails == _shows(each.value, truth, case.dtype), str(result)


# ---- custom rules, right and wrong


def _implicit(factor: float):
    """x**2 = a by `custom_root`, its tangent solve off by a factor."""

    def newton(g, x):
        return lax.fori_loop(0, 12, lambda _, y: y - g(y) / jax.grad(g)(y), x)

    def f(a):
        return lax.custom_root(
            lambda x: x**2 - a, jnp.ones_like(a), newton, lambda g, y: factor * y / g(jnp.ones_like(y))
        )

    return f


@pytest.mark.parametrize(("factor", "right"), [(1.0, True), (2.0, False)])
def test_a_root_finder_is_judged_by_what_it_finds(factor, right):
    result = verifier.check(_implicit(factor), np.float64(3.0), programs=("grad",))
    assert result.ok == right
    if not right:
        assert {each.rule for each in result.findings} == {RuleClass.WRONG}
        assert all(each.blame and each.blame.primitive == "custom_jvp_call" for each in result.findings)


def _through_complex(wrong: bool):
    @jax.custom_jvp
    def root(z):
        return jnp.sqrt(z)

    @root.defjvp
    def _(primals, tangents):
        out = root(primals[0])
        return out, tangents[0] / (2 * (jnp.conj(out) if wrong else out))

    return lambda x: jnp.imag(root(x + 1j))


@pytest.mark.parametrize("wrong", [False, True])
def test_a_wrong_rule_of_a_complex_function_is_found(wrong):
    result = verifier.check(_through_complex(wrong), np.float64(0.5), programs=("grad",))
    assert result.ok != wrong
    if wrong:
        assert {each.rule for each in result.findings} == {RuleClass.WRONG}


def test_the_rule_of_a_factorisation_is_judged_among_symmetric_matrices():
    @jax.custom_jvp
    def twice(x):
        return 2 * x

    twice.defjvp(lambda primals, tangents: (2 * primals[0], 3 * tangents[0]))

    def f(x):
        a = jnp.array([[2.0, 1.0], [1.0, 3.0]], x.dtype) * twice(x)
        return jnp.sum(jnp.linalg.cholesky(a))

    (finding, *_) = verifier.check(f, np.float64(1.5), programs=("grad",)).findings
    assert finding.blame is not None
    assert finding.blame.primitive == "custom_jvp_call"


# ---- ordinary programs are passed


def _attention(x):
    """One head of causal attention with layer norm and a gated layer behind it, over three tokens."""
    normed = (x - x.mean(-1, keepdims=True)) / jnp.sqrt(x.var(-1, keepdims=True) + 1e-5)
    scores = normed @ normed.T / jnp.sqrt(2.0).astype(x.dtype)
    mask = jnp.tril(jnp.ones((3, 3), bool))
    weights = jax.nn.softmax(jnp.where(mask, scores, -jnp.inf), axis=-1)
    y = x + weights @ x
    return jnp.sum(jax.nn.gelu(y) ** 2)


def _recurrent(w):
    inputs = jnp.array([0.5, -1.0, 0.25], w.dtype)
    return lax.scan(lambda h, u: (jnp.tanh(w[0] * h + w[1] * u), None), jnp.zeros((), w.dtype), inputs)[0]


def _kalman(q):
    """A step of a Kalman filter: the likelihood of one observation, by Cholesky and solves."""
    p = jnp.array([[1.0, 0.25], [0.25, 2.0]], q.dtype) + q * jnp.eye(2, dtype=q.dtype)
    s = jnp.linalg.cholesky(p + jnp.eye(2, dtype=q.dtype) / 2)
    r = jsp.linalg.solve_triangular(s, jnp.array([1.0, -0.5], q.dtype), lower=True)
    return -0.5 * r @ r - jnp.sum(jnp.log(jnp.diag(s)))


def _gaussian_process(length):
    x, y = jnp.array([0.0, 1.0, 2.5], length.dtype), jnp.array([1.0, 0.5, -1.0], length.dtype)
    k = jnp.exp(-((x[:, None] - x) ** 2) / (2 * length**2)) + jnp.eye(3, dtype=length.dtype) / 8
    return -0.5 * y @ jnp.linalg.solve(k, y) - 0.5 * jnp.linalg.slogdet(k)[1]


def _batch_norm(x):
    mean, variance = x.mean(0), x.var(0)
    return jnp.sum(((x - mean) * lax.rsqrt(variance + 1e-3)) ** 3)


def _decay(k):
    """y' = -k y by Euler steps until t = 1."""
    return lax.while_loop(lambda s: s[0] < 4, lambda s: (s[0] + 1, s[1] - k * s[1] / 4), (0, jnp.ones((), k.dtype)))[1]


def _pooled(x):
    tops = lax.reduce_window(x, -jnp.inf, lax.max, (2,), (2,), "VALID")
    return jnp.sum(tops**2) + jnp.sum(jax.ops.segment_sum(x, jnp.array([0, 1, 1, 0]), num_segments=2) ** 3)


ORDINARY = {
    "attention": (_attention, [[0.5, -1.0], [1.5, 0.25], [-0.75, 2.0]]),
    "a recurrent network": (_recurrent, [0.5, -0.75]),
    "a Kalman step": (_kalman, 0.5),
    "a Gaussian process": (_gaussian_process, 1.25),
    "batch norm": (_batch_norm, [[0.5, -1.0], [1.5, 0.25], [-0.75, 2.0]]),
    "steps of an equation of motion": (_decay, 1.5),
    "pooling and segments": (_pooled, [1.0, 3.0, 2.0, -1.0]),
    "embedding": (lambda w: jnp.sum(w[jnp.array([0, 2, 0])] ** 2), [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_programs_are_passed(name, dtype):
    f, at = ORDINARY[name]
    result = verifier.check(f, np.array(at, dtype=dtype))
    assert result.ok, str(result)
    assert {each.number for each in result.verdicts} <= {NumberClass.ACCURATE, NumberClass.LOSSY}
    assert {each.rule for each in result.verdicts if each.value is not None} == {RuleClass.RIGHT}
