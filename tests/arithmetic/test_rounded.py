"""Rounded numbers: what one operation may leave, and that each allowance of the table is needed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flint import arb
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.arithmetic import rounded, rounding_table
from verifier.arithmetic.elements import NAN, NEG_INF, POS_INF, Unknown
from verifier.arithmetic.floats import BFLOAT16, FLOAT16, FLOAT32, FLOAT64
from verifier.arithmetic.rounded import RoundedSystem, explained
from verifier.arithmetic.rounding_table import CPU, GPU, IEEE
from verifier.arithmetic.spread import Spread, join

ANY = RoundedSystem()
EXACTLY = RoundedSystem(target=IEEE)

finite = st.floats(allow_nan=False, allow_infinity=False)


def at(system: RoundedSystem, name: str, *operands: float):
    """The operation of floats, inside the system's precision."""
    with system.working():
        return system.operation(name)(*(system.stored(arb(x)) for x in operands))


NUMPY = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide}


@given(st.sampled_from(list(NUMPY)), finite, finite)
def test_an_ieee_target_computes_what_numpy_does(name, a, b):
    with np.errstate(all="ignore"):
        wanted = float(NUMPY[name](np.float64(a), np.float64(b)))
    found = at(EXACTLY, name, a, b)
    assert explained(wanted, found)
    assert explained(wanted, at(ANY, name, a, b))
    if math.isfinite(wanted):
        assert type(found) is arb
        assert found.is_exact()


@pytest.mark.parametrize(("form", "dtype"), [(FLOAT32, np.float32), (FLOAT16, np.float16), (BFLOAT16, jnp.bfloat16)])
def test_narrow_sums_are_rounded_in_their_own_format(form, dtype):
    a, b = dtype(1), dtype(float(form.unit_roundoff) * 1.5)
    found = at(RoundedSystem(form, IEEE), "add", float(a), float(b))
    assert float(found.mid()) == float(np.asarray(a + b, np.float64))
    wide = at(RoundedSystem(form), "add", float(a), float(b))
    assert explained(float(a + b), wide)
    assert explained(float(a) + float(b), wide), "a 16-bit sum may stay in float32, any sum in a register"


@pytest.mark.parametrize(
    ("name", "operands", "wanted"),
    [
        ("mul", (1e200, 1e200), {POS_INF}),
        ("mul", (-1e200, 1e200), {NEG_INF}),
        ("exp", (710.0,), {POS_INF}),
        ("div", (1.0, 0.0), {POS_INF, NEG_INF}),
        ("log", (0.0,), {NEG_INF}),
        ("sqrt", (-1.0,), {NAN}),
        ("div", (0.0, 0.0), {NAN}),
    ],
)
def test_what_leaves_the_range_is_not_finite(name, operands, wanted):
    found = at(ANY, name, *operands)
    specials = found.specials if isinstance(found, Spread) else {found}
    assert specials == wanted


def test_an_overflow_may_be_kept_in_a_register_but_not_on_an_ieee_target():
    assert at(EXACTLY, "mul", 1e200, 1e200) is POS_INF
    kept = at(ANY, "mul", 1e200, 1e200)
    with ANY.working():
        back = ANY.operation("log")(kept)
    assert explained(math.log(1e200) * 2, back), "log(exp(800)) is 800 in a compiled program"
    assert explained(math.inf, back)


def test_sets_reach_where_balls_end():
    near_zero = arb(0, 1e-20)
    with ANY.working():
        root, log = ANY.operation("sqrt")(near_zero), ANY.operation("log")(near_zero)
        floor = ANY.operation("floor")(arb(2, 0.5))
    assert explained(0.0, root)
    assert explained(1e-10, root)
    assert explained(math.nan, root)
    assert not explained(1e-9, root)
    assert explained(-math.inf, log)
    assert explained(-46.1, log)
    assert not explained(-40.0, log)
    assert explained(1.0, floor)
    assert explained(2.0, floor)
    assert not explained(3.0, floor)


def test_comparisons_hold_only_where_all_values_agree():
    either = join((arb(1), POS_INF))
    assert ANY.compare("gt", either, arb(0)) is True
    assert ANY.compare("gt", either, arb(2)) is None
    assert ANY.compare("ne", either, either) is False
    assert ANY.compare("ne", join((arb(1), NAN)), arb(1)) is None
    assert explained(5.0, ANY.select(None, arb(5), arb(-5)))


def test_unknown_explains_everything_and_a_ball_only_what_it_holds():
    assert explained(math.nan, Unknown("anything"))
    assert explained(1.0, arb(1))
    assert not explained(math.nan, arb(1))
    assert not explained(math.inf, arb(1))
    assert not explained(1.0000000000000002, arb(1))


# Each allowance of the CPU target is needed: with it the value that XLA computes is explained, without it it is not.


@pytest.fixture
def _fresh_operations() -> Iterator[None]:
    rounded._operation.cache_clear()
    yield
    rounded._operation.cache_clear()


@pytest.mark.usefixtures("_fresh_operations")
def test_a_row_that_is_too_small_is_caught(monkeypatch):
    with jax.enable_x64(True):
        x, value = 0.8099796663725433, float(jax.jit(jnp.log1p)(0.8099796663725433))
    assert explained(value, at(ANY, "log1p", x))
    small = replace(rounding_table.bound("log1p", FLOAT64, CPU), units=1.0)
    monkeypatch.setattr(rounded, "bound", lambda *args: small)
    rounded._operation.cache_clear()
    assert not explained(value, at(ANY, "log1p", x))


def _fused(x: float) -> float:
    with jax.enable_x64(True):
        return float(jax.jit(lambda a, b, c: a * b - c)(x, x, x * x))


def test_without_contraction_a_fused_product_is_not_explained():
    x = 1 + 2.0**-30
    value = _fused(x)
    if value == 0.0:
        pytest.skip("this processor has no fused multiply-add")
    for target, wanted in ((CPU, True), (replace(CPU, fuses=False), False)):
        system = RoundedSystem(target=target)
        with system.working():
            product = system.operation("mul")(arb(x), arb(x))
            assert explained(value, system.operation("sub")(product, arb(x * x))) is wanted


def test_without_flushing_a_subnormal_read_as_zero_is_not_explained():
    tiny, huge = 2.0**-1060, 2.0**1000
    with jax.enable_x64(True):
        value = float(jax.jit(lambda a, b: a * b)(tiny, huge))
    assert value in (0.0, tiny * huge)
    for zero in (CPU, replace(CPU, flushes=frozenset())):
        assert explained(0.0, at(RoundedSystem(target=zero), "mul", tiny, huge)) is bool(zero.flushes)
    assert explained(value, at(ANY, "mul", tiny, huge))


def test_without_excess_precision_an_unrounded_bfloat16_is_not_explained():
    kept = 1 + 2.0**-12
    for target in (CPU, replace(CPU, excess=False, fuses=False)):
        found = at(RoundedSystem(BFLOAT16, target), "add", 1.0, 2.0**-12)
        assert explained(kept, found) is target.excess
        assert explained(1.0, found)


def test_tensor_float_products_need_their_option():
    a, b = np.float32(1 + 2.0**-12), np.float32(1)
    rows, columns = (np.array([[arb(float(each))]], dtype=object) for each in (a, b))
    for target in (GPU, replace(GPU, tensor_float=False)):
        system = RoundedSystem(FLOAT32, target)
        assert explained(1.0, system.matmul(rows, columns)[0, 0]) is target.tensor_float


@settings(max_examples=60)
@given(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=30), st.randoms())
def test_every_order_of_a_sum_is_explained(entries, random):
    elements = np.array([arb(x) for x in entries], dtype=object)
    with ANY.working():
        found = ANY.fold("add", elements)
    shuffled = list(entries)
    random.shuffle(shuffled)
    total = 0.0
    for x in shuffled:
        total += x
    assert explained(total, found)
    assert explained(math.fsum(entries), found)


def test_a_sum_is_not_anything():
    elements = np.array([arb(0.1)] * 10, dtype=object)
    with ANY.working():
        found = ANY.fold("add", elements)
    assert not explained(1 + 1e-13, found)
    exact = 10 * Fraction(0.1)
    assert found.contains(arb(exact.numerator) / exact.denominator)


def test_partial_sums_may_overflow_either_way():
    most = FLOAT64.largest * 0.75
    with ANY.working():
        found = ANY.fold("add", np.array([arb(most), arb(-most), arb(most)], dtype=object))
    assert explained(math.inf, found)
    assert explained(most, found)
    assert not explained(-math.inf, found)
