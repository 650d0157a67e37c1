"""The truth from germs of a program: the prototype table of the design, kinks, jumps, mixed derivatives."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from verifier.judge.hull import in_hull
from verifier.model.rule import Cusp, Infinite, Undefined
from verifier.model.verdict import Enclosure, Jump, Kink, NoTruth
from verifier.truth.derived import Derived
from verifier.truth.lines import Lines, of_jaxpr
from verifier.truth.primal import PrimalTruth


@pytest.fixture(autouse=True)
def _double_precision() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def truth(f, x) -> PrimalTruth:
    place = (np.asarray(x, dtype=np.float64),)
    jaxpr = jax.make_jaxpr(f)(*place)
    return PrimalTruth(Lines(of_jaxpr(jaxpr), place), Derived(jaxpr, place).elements, tuple(range(place[0].size)))


def scalar(f, x, order=1):
    (row,) = truth(f, x).derivatives(order)
    return row.components[0]


def gradient(f, x):
    (row,) = truth(f, x).gradients()
    return row


def number(enclosure) -> float:
    assert isinstance(enclosure, Enclosure), enclosure
    assert enclosure.upper - enclosure.lower <= Fraction(1, 2**60) * max(enclosure.magnitude, Fraction(1, 2**900))
    return float(enclosure.middle)


def sinc(x):
    return jnp.where(x == 0, 1.0, jnp.sin(x) / x)


PROTOTYPE = {
    "sinc by hand, order 1": (sinc, 0.0, 1, 0.0),
    "sinc by hand, order 2": (sinc, 0.0, 2, -1 / 3),
    "relu(x) - relu(-x)": (lambda x: jax.nn.relu(x) - jax.nn.relu(-x), 0.0, 1, 1.0),
    "jnp.sinc, order 4": (jnp.sinc, 0.0, 4, float(np.pi) ** 4 / 5),
    "sigmoid": (jax.nn.sigmoid, 40.0, 1, 4.248354255291589e-18),
    "silu, order 2": (jax.nn.silu, 40.0, 2, -1.6143746170108038e-16),
    "tanh'' of next to nothing": (jnp.tanh, 1e-300, 2, -2e-300),
    "(sin x^3 - x^3) / x^9": (lambda x: jnp.where(x == 0, -1 / 6, (jnp.sin(x**3) - x**3) / x**9), 1e-3, 0, -1 / 6),
}


@pytest.mark.parametrize("name", PROTOTYPE)
def test_the_prototype_table(name):
    f, x, order, wanted = PROTOTYPE[name]
    found = truth(f, x).values()[0].components[0] if order == 0 else scalar(f, x, order)
    assert number(found) == pytest.approx(wanted, rel=1e-7 if order == 0 else 1e-14)


def test_one_sided_derivatives_of_kinks():
    for f in (jnp.abs, lambda x: jnp.sqrt(x * x)):
        kink = scalar(f, 0.0)
        assert isinstance(kink, Kink)
        assert (kink.left.middle, kink.right.middle) == (-1, 1)
    relu = scalar(jax.nn.relu, 0.0)
    assert isinstance(relu, Kink)
    assert (relu.left.middle, relu.right.middle) == (0, 1)


def test_infinite_slopes():
    assert scalar(jnp.sqrt, 0.0) == Infinite(1)
    assert scalar(jnp.cbrt, 0.0) == Infinite(1)
    assert scalar(lambda x: jnp.sqrt(jnp.abs(x)), 0.0) == Cusp(low=None, high=None)
    mixed = scalar(lambda x: jnp.sqrt(jnp.maximum(x, 0.0)), 0.0)
    assert isinstance(mixed, Cusp)
    assert mixed.high is None
    assert mixed.low is not None


@pytest.mark.parametrize("f", [jnp.sign, jnp.floor, lambda x: jnp.where(x == 0, 5.0, x)])
def test_jumps(f):
    assert isinstance(scalar(f, 0.0), Jump)


def test_a_second_derivative_beyond_a_kink_does_not_exist():
    assert isinstance(scalar(jnp.abs, 0.0, 2), Jump)


def test_outside_the_domain():
    assert isinstance(scalar(jnp.log, -1.0), Undefined)
    assert isinstance(scalar(lambda x: jnp.sin(x) / x, 0.0), Undefined)


def test_the_slope_at_infinity():
    row = gradient(jax.nn.logsumexp, [0.5, -np.inf, -0.5])
    assert number(row.components[1]) == 0
    assert number(row.components[0]) == pytest.approx(1 / (1 + np.exp(-1)))


def test_a_tie_is_a_kink_with_two_cells():
    row = gradient(lambda v: jnp.maximum(v[0], v[1]), [1.0, 1.0])
    assert {tuple(float(each.middle) for each in cell) for cell in row.cells} == {(1.0, 0.0), (0.0, 1.0)}
    assert all(isinstance(each, Kink) for each in row.components)


def test_axes_that_agree_do_not_make_a_function_smooth():
    def cone(v):
        square = jnp.sum(v**2)
        safe = jnp.where(square > 0, square, 1.0)
        return jnp.where(square > 0, v[0] * v[1] / jnp.sqrt(safe), 0.0)

    row = gradient(cone, [0.0, 0.0])
    assert all(isinstance(each, Kink) for each in row.components)
    assert all(each.sampled for each in row.components)
    cells = [[each.middle for each in cell] for cell in row.cells]
    assert in_hull([Fraction(0)] * 2, cells, [Fraction(0)] * 2)


def test_only_ends_that_change_with_the_direction_are_sampled():
    for f in (lambda v: jnp.linalg.norm(v), lambda v: jnp.sort(v)[1], lambda v: jax.nn.relu(v[0] - v[1]) + v[2]):
        row = gradient(f, [0.0, 0.0, 0.0])
        assert not any(isinstance(each, Kink) and each.sampled for each in row.components)


def test_a_coordinate_on_which_all_cells_agree_is_a_number():
    row = gradient(lambda v: jax.nn.relu(v[0]) + 3 * v[1], [0.0, 1.0])
    assert isinstance(row.components[0], Kink)
    assert number(row.components[1]) == 3


def guarded_entropy(p):
    return jnp.sum(jnp.where(p > 0, p * jnp.log(jnp.where(p > 0, p, 1.0)), 0.0))


def test_an_infinite_slope_in_one_input_leaves_the_others_theirs():
    row = gradient(guarded_entropy, [0.0, 0.5, 0.0])
    assert [row.components[i].low for i in (0, 2)] == [None, None]
    assert [number(row.components[i].high) for i in (0, 2)] == [0, 0]
    assert number(row.components[1]) == pytest.approx(np.log(0.5) + 1)


def test_infinite_slopes_have_the_sign_of_the_cell():
    def guarded_root(v):
        return jnp.sum(jnp.where(v > 0, jnp.sqrt(jnp.where(v > 0, v, 1.0)), 0.0)) + jnp.maximum(v[1], v[2])

    row = gradient(guarded_root, [0.0, 1.0, 1.0])
    assert isinstance(row.components[0], Cusp)
    assert row.components[0].high is None
    assert all(isinstance(each, Kink) for each in row.components[1:])
    cells = [[each.middle for each in cell] for cell in row.cells]
    assert in_hull([Fraction(0), Fraction(1), Fraction(1)], cells, [Fraction(0)] * 3)


def test_the_edge_of_a_domain_that_an_input_states():
    row = gradient(lambda v: jnp.where(v[0] >= v[1], 3 * (v[0] - v[1]) + v[0] ** 2, -jnp.inf), [1.0, 1.0])
    assert [number(each) for each in row.components] == [5, -3]
    row = gradient(lambda v: jnp.where(v[0] >= v[1], jnp.abs(v[0] - v[1]) + jnp.abs(v[2]), -jnp.inf), [1.0, 1.0, 0.0])
    assert not isinstance(row.components[2], Enclosure)


def test_mixed_second_derivatives():
    (row,) = truth(lambda v: jnp.exp(v[0] * v[1]) * jnp.sin(v[0]), [0.3, 0.7]).hessians()
    wanted = jax.hessian(lambda v: jnp.exp(v[0] * v[1]) * jnp.sin(v[0]))(jnp.array([0.3, 0.7])).reshape(-1)
    np.testing.assert_allclose([number(each) for each in row.components], wanted, rtol=1e-13)


def test_second_derivatives_that_depend_on_the_order():
    """Peano: the mixed derivatives of xy(x^2 - y^2)/(x^2 + y^2) at 0 are -1 and 1."""

    def peano(v):
        square = jnp.sum(v**2)
        safe = jnp.where(square > 0, square, 1.0)
        return jnp.where(square > 0, v[0] * v[1] * (v[0] ** 2 - v[1] ** 2) / safe, 0.0)

    (row,) = truth(peano, [0.0, 0.0]).hessians()
    assert [number(each) for each in row.components] == [0, -1, 1, 0]


U = Fraction(1, 2**53)


def seamed(jump, slope=0.0):
    """sin x with another piece from 0.5 on: higher by `jump` of the value, steeper by `slope`."""
    return lambda x: jnp.sin(x) + jnp.where(x > 0.5, jump * np.sin(0.5) + slope * (x - 0.5), 0.0)


@pytest.mark.parametrize("order", [1, 2])
def test_at_a_seam_of_approximations_the_piece_of_the_point_speaks(order):
    at = truth(seamed(1e-14, 1e-12), 0.5)
    at.unit = U
    (row,) = at.derivatives(order)
    assert number(row.components[0]) == pytest.approx([0, np.cos(0.5), -np.sin(0.5)][order], rel=1e-15)


def test_a_kink_below_the_unit_roundoff_is_one_number():
    at = truth(seamed(0.0, 1e-17), 0.5)
    at.unit = U
    (row,) = at.derivatives(1)
    assert isinstance(row.components[0], Enclosure)
    at = truth(seamed(0.0, 1e-12), 0.5)
    at.unit = U
    (row,) = at.derivatives(1)
    assert isinstance(row.components[0], Kink)


def test_a_jump_of_more_than_half_of_the_significand_is_a_jump():
    at = truth(seamed(1e-7), 0.5)
    at.unit = U
    (row,) = at.derivatives(1)
    assert isinstance(row.components[0], Jump)


def test_an_infinite_side_is_outside():
    """-x log x with -inf on the left of 0: the right side has the slope inf; where both are infinite, a jump."""
    entropy = lambda x: jnp.where(x < 0, -jnp.inf, jnp.where(x == 0, 0.0, -x * jnp.log(jnp.where(x > 0, x, 1.0))))  # noqa: E731
    assert isinstance(scalar(entropy, 0.0), Infinite)
    assert isinstance(scalar(lambda x: jnp.where(x == 0, 0.0, jnp.inf), 0.0), Jump)


def test_a_primitive_without_germs_is_named():
    found = scalar(lambda x: lax.nextafter(x, 2.0), 1.0)
    assert isinstance(found, NoTruth)
    assert "nextafter" in found.reason


def test_conditioning():
    at = truth(jnp.sin, 0.7)
    motion = at.motion(0, 1)
    assert motion is not None
    assert float(motion) == pytest.approx(0.7 * np.sin(0.7))
    moved = truth(lambda v: v[0] * v[1] ** 2, [3.0, 5.0]).moved(0, 1, (Fraction(1), Fraction(1)))
    assert float(moved) == pytest.approx(2 * 3 * 5 + 2 * 3 * 5)


def test_no_rounding_moves_what_is_no_number():
    """nan_to_num at NaN is the constant 0: its slope is known, and there is no x to multiply it with."""
    assert truth(jnp.nan_to_num, np.nan).motion(0, 1) == 0
