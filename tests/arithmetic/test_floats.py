"""Formats against numpy's own arrays, and the laws of rounding and of ordinals."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest
from flint import arb
from hypothesis import given
from hypothesis import strategies as st

from verifier.arithmetic.floats import (
    BFLOAT16,
    FLOAT16,
    FLOAT32,
    FLOAT64,
    FORMATS,
    Format,
    from_ordinal,
    is_member,
    named,
    nearest_inside,
    neighbours,
    ordinal,
    round_to,
    shortest_decimal,
    ulp,
    ulps_between,
)
from verifier.arithmetic.precision import working_precision
from verifier.errors import UsageError

NUMPY = {"float64": np.float64, "float32": np.float32, "float16": np.float16, "bfloat16": ml_dtypes.bfloat16}
formats = st.sampled_from(list(FORMATS.values()))
finite = st.floats(allow_nan=False, allow_infinity=False)
scaled = st.builds(lambda m, e: Fraction(m) * Fraction(2) ** e, st.integers(), st.integers(-1100, 1100))
reals = st.fractions() | scaled


def is_nearest_even(rounding: Callable[[Fraction, Format], float], x: Fraction, form: Format) -> bool:
    """The law: no neighbour is nearer, and at a tie the result's ordinal is even."""
    result = rounding(x, form)
    if math.isinf(result):
        return abs(x) >= Fraction(form.largest) + ulp(form.largest, form) / 2
    distance = abs(Fraction(result) - x)
    others = [abs(Fraction(each) - x) for each in neighbours(result, form) if math.isfinite(each)]
    return all(distance < other or (distance == other and ordinal(result, form) % 2 == 0) for other in others)


@pytest.mark.parametrize("name", FORMATS)
def test_extremes_are_numpys(name):
    info = ml_dtypes.finfo(NUMPY[name])
    form = named(name)
    assert form.largest == float(info.max)
    assert form.smallest_normal == float(info.tiny)
    assert form.smallest_subnormal == float(info.smallest_subnormal)
    assert form.unit_roundoff == Fraction(float(info.eps)) / 2


def test_an_unknown_format_is_a_usage_error():
    with pytest.raises(UsageError, match="float64"):
        named("float8")


@pytest.mark.parametrize("form", [FLOAT16, BFLOAT16], ids=lambda form: form.name)
def test_ordinals_are_the_bit_patterns_of_all_positive_members(form):
    last = ordinal(math.inf, form)
    members = np.arange(last + 1, dtype=np.uint16).view(NUMPY[form.name]).astype(float).tolist()
    assert [ordinal(each, form) for each in members] == list(range(last + 1))
    assert [from_ordinal(position, form) for position in range(last + 1)] == members


@given(x=st.floats(width=32, allow_nan=False))
def test_float32_ordinals_are_bit_patterns(x):
    bits = int(np.float32(abs(x)).view(np.uint32))
    assert ordinal(x, FLOAT32) == (bits if x > 0 else -bits)
    assert from_ordinal(ordinal(x, FLOAT32), FLOAT32) == x


@given(x=finite, form=formats)
def test_rounding_a_float_is_numpys_cast(x, form):
    with np.errstate(over="ignore"):
        expected = float(np.float64(x).astype(NUMPY[form.name]))
    result = round_to(Fraction(x), form)
    assert (result, math.copysign(1, result)) == (expected, math.copysign(1, expected) if x else 1.0)


@given(
    x=st.fractions() | st.builds(lambda m, e: Fraction(m) * Fraction(2) ** e, st.integers(), st.integers(-1100, 1100)),
    form=formats,
)
def test_rounding_is_to_nearest_ties_to_even(x, form):
    assert is_nearest_even(round_to, x, form)


def test_truncation_planted_as_rounding_is_caught():
    def truncated(x: Fraction, form: Format) -> float:
        result = round_to(x, form)
        return neighbours(result, form)[0] if Fraction(result) > x else result

    assert is_nearest_even(truncated, Fraction(1), FLOAT32)
    assert not is_nearest_even(truncated, Fraction(2, 3), FLOAT32)


def test_ties_away_planted_as_ties_to_even_are_caught():
    tie = Fraction(1) + FLOAT32.unit_roundoff

    def away(x: Fraction, form: Format) -> float:
        return neighbours(round_to(x, form), form)[1] if x == tie else round_to(x, form)

    assert not is_nearest_even(away, tie, FLOAT32)


@given(x=finite.filter(bool), form=formats)
def test_ulp_is_the_gap_next_to_a_member(x, form):
    member = round_to(x, form)
    if math.isfinite(member) and member:
        above = neighbours(abs(member), form)[1]
        if math.isfinite(above):
            assert Fraction(above) - Fraction(abs(member)) == ulp(member, form)


def test_ulp_has_a_floor_that_rises_where_subnormals_are_flushed():
    assert ulp(0, FLOAT32) == Fraction(FLOAT32.smallest_subnormal)
    assert ulp(Fraction(1, 10**60), FLOAT32, floor=FLOAT32.smallest_normal) == Fraction(FLOAT32.smallest_normal)
    assert ulp(1.0, FLOAT64) == Fraction(1, 2**52)
    assert ulp(10**400, FLOAT64) == ulp(FLOAT64.largest, FLOAT64)


def test_a_ball_of_astronomic_exponent_rounds_without_building_its_digits():
    with working_precision(200):
        assert round_to(arb(-(10**30)).exp().mid(), FLOAT64) == 0.0
        assert round_to(arb(10**30).exp().mid(), FLOAT64) == math.inf
        assert ulp(arb(10**30).exp().mid(), FLOAT32) == ulp(FLOAT32.largest, FLOAT32)


@given(a=finite, b=finite)
def test_distance_counts_steps(a, b):
    a, b = round_to(a, FLOAT16), round_to(b, FLOAT16)
    assert ulps_between(a, b, FLOAT16) == abs(ordinal(a, FLOAT16) - ordinal(b, FLOAT16))
    assert ulps_between(a, neighbours(a, FLOAT16)[1], FLOAT16) == (0 if a == math.inf else 1)


def test_nan_and_strangers_have_no_ordinal():
    for stranger in (math.nan, 0.1):
        with pytest.raises(UsageError):
            ordinal(stranger, FLOAT32)
    with pytest.raises(UsageError):
        from_ordinal(ordinal(math.inf, FLOAT16) + 1, FLOAT16)


@given(x=finite, form=formats)
def test_the_shortest_decimal_rounds_back(x, form):
    member = round_to(x, form)
    assert is_member(member, form)
    text = shortest_decimal(member, form)
    assert float(text) == member if math.isinf(member) else round_to(Fraction(text), form) == member


def test_the_shortest_decimal_is_short():
    assert shortest_decimal(round_to(0.1, FLOAT32), FLOAT32) == "0.1"
    assert shortest_decimal(round_to(65504, FLOAT16), FLOAT16) == "65500.0"
    assert shortest_decimal(FLOAT64.smallest_subnormal, FLOAT64) == "5e-324"


@pytest.mark.parametrize("form", FORMATS.values(), ids=list(FORMATS))
@pytest.mark.parametrize(
    "end", [Fraction(1, 3), Fraction(-1, 3), Fraction(10) ** 400, -(Fraction(10) ** 400), Fraction(2)]
)
def test_the_nearest_member_inside_has_none_between_it_and_the_end(form, end):
    """up: lower neighbour < end <= x; down the reverse; an infinity where no finite member is inside."""
    up, down = nearest_inside(end, form, up=True), nearest_inside(end, form, up=False)
    assert up >= end > neighbours(up, form)[0] or up == math.inf
    assert down <= end < neighbours(down, form)[1] or down == -math.inf
    assert (up == down) == (end == 2)
