"""Points: seeded, members of their dtype, inside the domain."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.arithmetic import floats
from verifier.execution.points import MANY, Point, points
from verifier.model.catalog import Input

DTYPES = ("float64", "float32", "bfloat16", "float16")
PINNED = ["0x1.ec93df3d512b7p+0", "0x1.6fb9780e44703p-830"]


def one(lower, upper) -> tuple[Input, ...]:
    return (Input(name="x", lower=Fraction(lower), upper=Fraction(upper)),)


def drawn(inputs, dtype="float64", *, seed=0, entry="e", samples=32, declared=()):
    return points(inputs, dtype, seed=seed, entry=entry, samples=samples, declared=declared)


def values(found, origin=None):
    return [point.values[0][0] for point in found if origin in (None, point.origin)]


def test_the_same_key_gives_the_same_points_and_another_does_not():
    first = drawn(one(-3, 3))
    assert first == drawn(one(-3, 3))
    for other in (drawn(one(-3, 3), seed=1), drawn(one(-3, 3), entry="f"), drawn(one(-3, 3), "float32")):
        assert set(values(other, "uniform")).isdisjoint(values(first, "uniform"))


def test_pinned_points():
    # Another numpy, platform or edit must not move a point: every run file would change.
    found = drawn(one(-3, 3), samples=2)
    assert [x.hex() for x in values(found, "uniform") + values(found, "ordinal")] == PINNED


def test_a_larger_sample_begins_with_the_smaller():
    small, large = drawn(one(0, 1), samples=4), drawn(one(0, 1), samples=9)
    assert large[: len(small)] == small
    assert [point.origin for point in large[-9:]] == ["uniform", "ordinal"] * 4 + ["uniform"]


def test_ordinals_reach_where_values_do_not():
    found = drawn(one(-1, 1), samples=64)
    assert min(abs(x) for x in values(found, "ordinal")) < 1e-150 < 1e-6 < min(map(abs, values(found, "uniform")))


def test_special_values_of_one_component():
    labels = {point.label: point.values[0][0] for point in drawn(one("-0.3", 10), "float32", samples=0)}
    assert labels["zero"] == 0.0
    assert labels["one"] == 1.0
    assert labels["minus smallest subnormal"] == -(2.0**-149)
    assert labels["upper end of the domain"] == 10.0
    # -0.3 rounds to a float32 outside; the end inside is its neighbour.
    assert labels["lower end of the domain"] == -0.29999998211860657
    assert "minus one" not in labels
    edges = [point.values[0][0] for point in drawn(one(-1, 10)) if point.label == "edge of a power of two"]
    assert edges == [8.0, 8.0 - 2.0**-50, -1.0 + 2.0**-53]


def test_declared_points_come_first_and_none_twice():
    declared = (Point(origin="declared", values=((0.0,),), label="x = 0"), Point(origin="declared", values=((99.0,),)))
    found = drawn(one(-1, 1), declared=declared)
    assert found[:2] == declared
    assert len({point.values for point in found}) == len(found)
    assert "zero" not in {point.label for point in found}


def test_components_are_drawn_independently():
    inputs = (Input(name="v", shape=(2, 2), lower=Fraction(0), upper=Fraction(1)), *one(-1, 1))
    found = drawn(inputs)
    assert all([len(leaf) for leaf in point.values] == [4, 1] for point in found)
    assert ((0.0,) * 4, (0.0,)) in {point.values for point in found}
    assert ((1.0,) * 4, (1.0,)) in {point.values for point in found}
    sampled = [point.values[0] for point in found if point.origin in ("uniform", "ordinal")]
    assert all(len(set(leaf)) == 4 for leaf in sampled)


def test_very_many_components_have_no_special_points():
    found = drawn((Input(name="v", shape=(MANY + 1,), lower=Fraction(-2), upper=Fraction(2)),), samples=3)
    assert {point.origin for point in found} == {"uniform", "ordinal"}


def test_a_domain_beyond_the_dtype_is_cut_to_it():
    found = drawn(one(-(10**6), 10**6), "float16")
    assert max(values(found)) == 65504.0
    assert min(values(found)) == -65504.0


@pytest.mark.parametrize(("lower", "upper"), [("1.0001", "1.0002"), (10**6, 10**7)])
def test_a_domain_without_members_has_the_declared_points_only(lower, upper):
    declared = (Point(origin="declared", values=((1.0,),)),)
    assert drawn(one(lower, upper), "float16", declared=declared) == declared


@settings(max_examples=60, deadline=None)
@given(
    dtype=st.sampled_from(DTYPES),
    ends=st.tuples(st.fractions(-(10**6), 10**6), st.fractions(-(10**6), 10**6)).map(sorted),
    seed=st.integers(0, 2**32),
)
def test_every_point_is_a_member_inside_the_domain(dtype, ends, seed):
    for x in values(drawn(one(*ends), dtype, seed=seed, samples=8)):
        assert floats.is_member(x, floats.named(dtype))
        assert ends[0] <= Fraction(x) <= ends[1]
        assert str(x) != "-0.0"


def test_a_place_named_twice_is_one_point_that_keeps_its_first_label():
    inputs = [Input(name="x", shape=(), lower=Fraction(-1), upper=Fraction(1))]
    declared = [
        Point(origin="declared", values=((x,),), label=label) for x, label in ((0.5, "a"), (0.5, "b"), (0.0, "c"))
    ]
    found = points(inputs, "float64", seed=0, entry="e", samples=8, declared=declared)
    assert [each.label for each in found[:2]] == ["a", "c"]
    assert len({each.values for each in found}) == len(found)
    assert [each.origin for each in found if each.values == ((0.0,),)] == ["declared"]
