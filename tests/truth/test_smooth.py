"""Where a function is certainly analytic its derivatives are those that germs give; where it may not be, nothing is."""

from __future__ import annotations

from collections.abc import Iterator

import jax
import jax.numpy as jnp
import jax.scipy as jsp
import numpy as np
import pytest
from jax import lax

from verifier.model.rule import NonFinite
from verifier.model.verdict import Enclosure
from verifier.programs.expansion import expanded
from verifier.programs.opaque import run_concretely
from verifier.truth import smooth
from verifier.truth.derived import Derived
from verifier.truth.enclosing import enclosure, program_value
from verifier.truth.freezing import frozen, replayed
from verifier.truth.lines import Lines, of_jaxpr
from verifier.truth.primal import PrimalTruth
from verifier.truth.smooth import NotSmooth, derivatives


@pytest.fixture(autouse=True)
def _double_precision() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def rosenbrock(v):
    return jnp.sum(100 * (v[1:] - v[:-1] ** 2) ** 2 + (1 - v[:-1]) ** 2)


MASK = np.array([0.0, -np.inf, 0.0])


def square(v):
    """A matrix with a zero that depends on an input at [0.0, 2.0], and one that does not."""
    return jnp.array([[3.0, 1.0, 0.0], [1.0, 0.0, 5.0], [0.5, 2.0, 1.0]]) + v[0] * jnp.eye(3) + v[1] * jnp.tri(3)


def symmetric(v):
    return square(v) @ square(v).T + 2 * jnp.eye(3)


def stacked(v):
    return jnp.stack([square(v), symmetric(v)])


SMOOTH = {
    "a product": (lambda v: v[0] * v[1] + v[0], [0.5, -2.0]),
    "a square": (lambda v: v[0] * v[0] - (v - v)[1], [0.0, 1.0]),
    "quotients": (lambda v: v[0] / v[1] + 1 / (v[0] * v[1]) - v[1] / v[1], [0.5, -2.0]),
    "elementary": (lambda v: jnp.exp(jnp.sin(v[0])) * jnp.log(v[1]) + jnp.tanh(v[0] * v[1]), [0.3, 2.0]),
    "roots": (lambda v: jnp.sqrt(v[1]) + lax.rsqrt(v[1] + v[0] ** 2) - jnp.cbrt(v[1]), [0.3, 2.0]),
    "powers": (lambda v: v[1] ** v[0] + v[1] ** 1.5 + v[0] ** 5 + v[0] ** -2, [-0.3, 2.0]),
    "logarithms": (lambda v: jnp.log2(v[1]) * jnp.exp2(v[0]) + jnp.log10(v[1]) + jnp.log1p(v[0]), [0.3, 2.0]),
    "inverse functions": (lambda v: jnp.arcsin(v[0]) + jnp.arccosh(v[1]) + jnp.arctanh(v[0]) * v[1], [0.3, 2.0]),
    "an angle to the right": (lambda v: jnp.arctan2(v[0], v[1]), [0.3, 2.0]),
    "an angle above": (lambda v: jnp.arctan2(v[1], v[0]), [-0.3, 2.0]),
    "an angle below": (lambda v: jnp.arctan2(-v[1], v[0]), [-0.3, 2.0]),
    "special": (lambda v: jsp.special.gammaln(v[1]) * jsp.special.erf(v[0]) + jsp.special.digamma(v[1]), [0.3, 2.0]),
    "between kinks": (lambda v: jnp.abs(v[0]) * v[1] + jnp.maximum(v[0], v[1]) + jnp.sign(v[0]), [-0.3, 2.0]),
    "between jumps": (lambda v: jnp.floor(v[0]) * v[1] + jnp.round(v[1] + 0.2) * v[0], [0.7, 2.0]),
    "a branch": (lambda v: jnp.where(v[0] > 0, v[0] * v[1], v[1] ** 2), [0.3, 2.0]),
    "a mask of infinities": (lambda v: jsp.special.logsumexp(v + MASK), [0.3, 2.0, 1.0]),
    "softmax": (lambda v: jax.nn.softmax(v)[0], [0.3, 2.0]),
    "softplus": (lambda v: jnp.sum(jax.nn.softplus(v)), [0.3, 2.0]),
    "a matrix": (lambda v: jnp.sum(jnp.outer(v, v) @ jnp.array([[1.0, 2.0], [3.0, 5.0]])), [0.3, 2.0]),
    "many": (rosenbrock, [0.3, 2.0, -1.0, 0.5]),
    "a size that is compared": (lambda v: jnp.where(jnp.abs(v[0]) < 1, v[0] * v[1], v[1]), [0.0, 2.0]),
    "a determinant": (lambda v: jnp.linalg.det(square(v)), [0.0, 2.0]),
    "its logarithm": (lambda v: jnp.linalg.slogdet(symmetric(v))[1], [0.3, 2.0]),
    "a Cholesky factor": (lambda v: jnp.sum(jnp.log(jnp.diagonal(jnp.linalg.cholesky(symmetric(v))))), [0.0, 2.0]),
    "a triangular system": (
        lambda v: jnp.sum(jsp.linalg.solve_triangular(square(v), jnp.sin(v[0] + jnp.arange(3.0)), lower=True)),
        [0.3, 2.0],
    ),
    "a linear system": (lambda v: jnp.linalg.solve(square(v), jnp.sin(v[0] + jnp.arange(3.0)))[1], [0.0, 2.0]),
    "an inverse": (lambda v: jnp.linalg.inv(square(v))[2, 0] * v[1], [0.3, 2.0]),
    "two systems": (lambda v: jnp.sum(jnp.linalg.solve(stacked(v), jnp.ones((2, 3, 1)))[:, 1]), [0.3, 2.0]),
    "a definite system": (
        lambda v: jsp.linalg.cho_solve((jnp.linalg.cholesky(symmetric(v)), True), jnp.ones(3))[1],
        [0.3, 2.0],
    ),
    "a diagonal system": (lambda v: jnp.sum(jnp.linalg.solve(jnp.diag(v), jnp.ones(2))), [0.3, 2.0]),
    "a stated system": (
        lambda v: jnp.sum(
            lax.custom_linear_solve(
                lambda x: square(v) @ x, jnp.ones(3), lambda f, b: lax.stop_gradient(jnp.linalg.inv(square(v))) @ b
            )
        ),
        [0.3, 2.0],
    ),
    "a complex system": (
        lambda v: jnp.imag(
            lax.custom_linear_solve(
                lambda x: (square(v) + 1j * v[1]) @ x,
                jnp.ones(3) + 0j,
                lambda f, b: lax.stop_gradient(jnp.linalg.inv(square(v) + 1j * v[1])) @ b,
            )
        )[1],
        [0.3, 2.0],
    ),
    "next to nothing": (lambda v: jnp.tanh(v[0]) + v[1] ** 2, [1e-300, 1.0]),
}


def germs(f, x):
    place = (np.asarray(x, dtype=np.float64),)
    jaxpr = expanded(jax.make_jaxpr(f)(*place))
    return (
        jaxpr,
        place,
        PrimalTruth(Lines(of_jaxpr(jaxpr), place), Derived(jaxpr, place).elements, tuple(range(len(x)))),
    )


def agrees(f, x, order) -> bool:
    jaxpr, place, truth = germs(f, x)
    (row,) = truth.gradients() if order == 1 else truth.hessians()
    (found,), bits = derivatives(jaxpr, place, range(len(x)), order)
    pairs = list(zip((enclosure(each, bits) for each in found), row.components, strict=True))
    assert all(isinstance(wanted, Enclosure) for _, wanted in pairs)
    return all(mine.lower <= wanted.upper and wanted.lower <= mine.upper for mine, wanted in pairs)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("name", SMOOTH)
def test_it_agrees_with_germs_from_both_sides(name, order):
    assert agrees(*SMOOTH[name], order)


def test_a_wrong_coefficient_would_be_seen(monkeypatch):
    right = smooth._UNARY["tanh"]
    wrong = {**smooth._UNARY, "tanh": lambda x: (*right(x)[:2], -right(x)[2])}
    monkeypatch.setattr(smooth, "_UNARY", wrong)
    assert agrees(*SMOOTH["elementary"], 1)
    assert not agrees(*SMOOTH["elementary"], 2)


NOT_SMOOTH = {
    "|x| at 0": (lambda v: jnp.abs(v[0]) + v[1], [0.0, 1.0]),
    "sqrt(x^2) at 0": (lambda v: jnp.sqrt(v[0] ** 2) + v[1], [0.0, 1.0]),
    "relu at 0": (lambda v: jax.nn.relu(v[0]) + v[1], [0.0, 1.0]),
    "the identity, by two kinks": (lambda v: jax.nn.relu(v[0]) - jax.nn.relu(-v[0]), [0.0, 1.0]),
    "a tie": (lambda v: jnp.maximum(v[0], v[1]), [1.0, 1.0]),
    "a sorted tie": (lambda v: jnp.sort(v)[0], [1.0, 1.0]),
    "a step": (lambda v: jnp.floor(v[0]) * v[1], [2.0, 1.0]),
    "a tie of rounding": (lambda v: jnp.round(v[0]) * v[1], [2.5, 1.0]),
    "a sign": (lambda v: jnp.sign(v[0]) * v[1], [0.0, 1.0]),
    "a point of its own": (lambda v: jnp.where(v[0] == 0, 1.0, jnp.sin(v[0]) / v[0]), [0.0, 1.0]),
    "a broken power": (lambda v: jnp.abs(v[0]) ** 1.5 + v[1], [0.0, 1.0]),
    "0^y": (lambda v: v[0] ** v[1], [0.0, 2.0]),
    "the cut of an angle": (lambda v: jnp.arctan2(v[0], v[1]), [0.0, -1.0]),
    "a pole": (lambda v: 1 / v[0] + v[1], [0.0, 1.0]),
    "outside of the domain": (lambda v: jnp.log(v[0]) + v[1], [-1.0, 1.0]),
    "the end of a domain": (lambda v: jnp.arcsin(v[0]) + v[1], [1.0, 1.0]),
    "an infinity": (lambda v: jnp.exp(-v[0]) + v[1], [jnp.inf, 1.0]),
    "a tie of pivots": (lambda v: jnp.linalg.slogdet(square(v).at[1, 0].set(3 + v[0] + v[1]))[1], [1.0, 2.0]),
    "a singular system": (lambda v: jnp.linalg.solve(jnp.diag(v), jnp.ones(2))[1], [0.0, 1.0]),
    "a semidefinite matrix": (lambda v: jnp.linalg.cholesky(jnp.outer(v, v))[1, 1], [1.0, 2.0]),
    "a loop": (lambda v: lax.while_loop(lambda c: c < 2, lambda c: c * 2, v[0]), [0.5, 1.0]),
}


@pytest.mark.parametrize("name", NOT_SMOOTH)
def test_it_claims_nothing_where_the_function_may_not_be_smooth(name):
    f, x = NOT_SMOOTH[name]
    place = (np.asarray(x, dtype=np.float64),)
    with pytest.raises(NotSmooth):
        derivatives(expanded(jax.make_jaxpr(f)(*place)), place, range(len(x)), 1)


def test_a_matrix_that_was_finite_elsewhere_may_be_infinite_here():
    """0 times its entries was 0 there."""

    def f(v):
        matrix = jnp.array([[1 / v[0], 2.0], [3.0, v[1]]])
        return jnp.sum(lax.custom_linear_solve(lambda x: matrix @ x, jnp.ones(2), lambda f, b: b))

    places = [(np.asarray(each),) for each in ([1.0, 2.0], [0.0, 2.0])]
    jaxpr = jax.make_jaxpr(f)(*places[0])
    (found,), _ = derivatives(jaxpr, places[0], range(2), 1)
    assert all(each.is_finite() for each in found)
    with pytest.raises(NotSmooth):
        derivatives(jaxpr, places[1], range(2), 1)


def test_a_linear_system_is_not_differentiated_through_factors_that_its_solver_holds():
    place = (np.asarray([0.5, 1.0]),)
    jaxpr = jax.make_jaxpr(lambda v: jnp.linalg.solve(jnp.diag(v), jnp.ones(2))[0])(*place)
    (found,), _ = derivatives(jaxpr, place, range(2), 1)
    assert found == [-4, 0]


@pytest.mark.parametrize(("freezing", "wanted"), [(True, 0), (False, 1)])
def test_what_is_frozen_is_a_constant(freezing, wanted):
    place = (np.asarray([0.5, 1.0]),)
    jaxpr = jax.make_jaxpr(lambda v: lax.stop_gradient(v[0]) * v[1])(*place)
    (found,), _ = derivatives(jaxpr, place, range(2), 1, freezing=freezing)
    assert found == [wanted, 0.5]


HELD = {
    "a maximum": lambda v: jnp.log(jnp.sum(jnp.exp(v - lax.stop_gradient(jnp.max(v))))) + lax.stop_gradient(jnp.max(v)),
    "a minimum": lambda v: v[0] * v[1] * lax.stop_gradient(jnp.min(v[:2])),
    "compared": lambda v: jnp.where(jnp.max(v) > 0.5, v[0] * v[1], v[2]),
}
NOT_HELD = {
    "compared with itself": lambda v: jnp.where(lax.stop_gradient(jnp.max(v)) == jnp.max(v), v[0] * v[1], v[2]),
    "used beside": lambda v: lax.stop_gradient(jnp.max(v)) * jnp.max(v),
    "let go": lambda v: jnp.max(v) * v[2],
    "the result": lambda v: jnp.max(v),
}
AT_A_TIE = (np.asarray([1.0, 1.0, 0.25]),)


@pytest.mark.parametrize("name", NOT_HELD)
def test_a_kink_that_is_not_held_is_not_smooth(name):
    with pytest.raises(NotSmooth):
        derivatives(jax.make_jaxpr(NOT_HELD[name])(*AT_A_TIE), AT_A_TIE, range(3), 1)


@pytest.mark.parametrize("name", HELD)
@pytest.mark.parametrize("order", [1, 2])
def test_a_kink_may_be_held_or_compared_with_something_else(name, order):
    place, jaxpr = AT_A_TIE, jax.make_jaxpr(HELD[name])(*AT_A_TIE)
    (found,), bits = derivatives(jaxpr, place, range(3), order)
    options = {"concrete": run_concretely}
    held = frozen(jaxpr, place, bits=bits, **options)
    program = of_jaxpr(jaxpr, lambda: {**options, "freeze": replayed(lambda bits: held)})
    truth = PrimalTruth(Lines(program, place), Derived(jaxpr, place).elements, (0, 1, 2))
    (row,) = truth.gradients() if order == 1 else truth.hessians()
    for mine, wanted in zip((enclosure(each, bits) for each in found), row.components, strict=True):
        assert mine.lower <= wanted.upper
        assert wanted.lower <= mine.upper


def test_a_kink_in_a_component_that_nobody_looks_at_counts():
    f, x = NOT_SMOOTH["relu at 0"]
    place = (np.asarray(x),)
    with pytest.raises(NotSmooth):
        derivatives(jax.make_jaxpr(f)(*place), place, (1,), 1)


def test_what_does_not_depend_on_two_inputs_together_is_exactly_zero():
    place = (np.asarray(SMOOTH["many"][1]),)
    (found,), bits = derivatives(jax.make_jaxpr(rosenbrock)(*place), place, range(4), 2)
    assert bits < 1000
    assert found[2].is_zero()
    assert not isinstance(program_value(found[1], bits), NonFinite)
