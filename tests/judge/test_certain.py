"""Law: what floats are certain about is what exact judgement says, number by number."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from verifier.arithmetic.floats import BFLOAT16, FLOAT16, FLOAT32, FLOAT64, Format, from_ordinal, ordinal, round_to, ulp
from verifier.judge.certain import Certain, Kind, certain, four_digits
from verifier.judge.number import Yardstick, allowance, judge_number
from verifier.model.verdict import Enclosure, NumberClass, NumberVerdict, Truth

FORMS = (FLOAT64, FLOAT32, BFLOAT16, FLOAT16)


def stick(form: Format, terms: int = 1, *, flushes: bool = False) -> Yardstick:
    return Yardstick(form=form, allowance=allowance(terms), flushes_subnormals=flushes)


def split(truth: Fraction) -> tuple[float, float, int]:
    """As the columns of a truth are: low is 0 only where the truth is high, and what is tiny is scaled."""
    scale = 1074 if 0 < abs(truth) < 2.0**-900 else 0
    scaled = truth * 2**scale
    high = float(scaled)
    if truth and abs(high) < 2.0**-900:
        return 2.0**-900 if truth > 0 else -(2.0**-900), 0.0, scale
    low = float(scaled - Fraction(high))
    if low or scaled == Fraction(high):
        return high, low, scale
    return high, abs(high) * 2.0**-120 * (1 if scaled > high else -1), scale


def in_floats(value: float, truth: Fraction, condition: float, yardstick: Yardstick) -> Certain:
    value_, high, low, scale, condition_ = (np.array([[each]]) for each in (value, *split(truth), condition))
    return certain(value_, high, low, condition_, yardstick, scale)


def loosely(value: float, middle: float, radius: float, condition: float, yardstick: Yardstick) -> Kind:
    """Of a truth of which no more than a ball is known."""
    value_, middle_, nothing, radius_, condition_ = (
        np.array([[each]]) for each in (value, middle, np.nan, radius, condition)
    )
    return Kind(int(certain(value_, middle_, nothing, condition_, yardstick, 0, radius_).kind.item()))


def exactly(value: float, truth: Fraction, condition: float, yardstick: Yardstick) -> NumberVerdict:
    """The truth as wide as columns may be."""
    radius = abs(truth) / 2**109
    enclosure = (
        Enclosure(truth - radius, truth + radius) if Fraction(float(truth)) != truth else Enclosure(truth, truth)
    )
    return judge_number(value, Truth(value=enclosure, condition=Fraction(condition)), yardstick)


def short(number: float | None) -> float | None:
    return None if number is None else float(f"{number:.4g}")


def agree(found: Certain, verdict: NumberVerdict) -> None:
    kind = Kind(int(found.kind.item()))
    if kind is Kind.NOTHING:
        return
    assert (kind.number_class, kind is Kind.FAILING) == (verdict.kind, verdict.fails)
    shown = [None if np.isnan(each) else each.item() for each in (found.shown_ulps, found.shown_budget)]
    assert shown == [short(verdict.ulps), short(verdict.budget)]
    if verdict.lost_bits is not None:
        assert found.lost_bits.item() == pytest.approx(verdict.lost_bits, abs=2**-30)


def near(truth: Fraction, steps: int, form: Format) -> float:
    """A member so many places from the truth."""
    last = ordinal(form.largest, form)
    return from_ordinal(max(-last, min(last, ordinal(round_to(truth, form), form) + steps)), form)


truths = st.builds(
    lambda top, bottom, scale: Fraction(top, bottom) * Fraction(2) ** scale,
    st.integers(-(2**70), 2**70),
    st.integers(1, 2**20),
    st.sampled_from([-2500, -2000, -1150, -1100, -1085, -1060, -1000, -950, -200, -80, -70, -60, 0, 30, 900]),
)
conditions = st.one_of(st.just(0.0), st.floats(0, 1e30), st.floats(2.0**-60, 16), st.floats(0, 1e-290))
steps = st.one_of(st.integers(-6, 6), st.integers(-(2**50), 2**50), st.integers(-300, 300))


@given(truths, steps, conditions, st.sampled_from(FORMS), st.sampled_from([1, 2, 10, 1000]), st.booleans())
@example(Fraction(1) - Fraction(1, 2**80), 0, 1.0, FLOAT64, 1, False)  # its ulp is half of that of 1
@example(Fraction(1) + Fraction(1, 2**200), 0, 1.0, FLOAT64, 1, False)
@example(Fraction(1) - Fraction(1, 2**2000), 0, 1.0, FLOAT64, 1, False)
@example(Fraction(0), 0, 0.0, FLOAT32, 1, True)
@example(Fraction(3, 2**1076), -1, 0.0, FLOAT64, 1, False)  # 0 for three quarters of the smallest number
@example(Fraction(1, 2**2500), 0, 0.0, FLOAT64, 1, False)
@example(Fraction(1, 2**2500), 100, 0.0, FLOAT64, 1, False)
@example(Fraction(-1, 2**2500), 3, 0.0, FLOAT64, 1, True)
@example(Fraction(1, 2**1000), 0, 1.0, FLOAT64, 1, False)  # the yardstick says nothing
@example(Fraction(1, 2**140), 0, 0.0, FLOAT32, 1, False)
@settings(max_examples=1500, deadline=None)
def test_what_is_certain_is_what_exact_judgement_says(truth, steps, condition, form, terms, flushes):
    if abs(truth) >= Fraction(form.largest):
        return
    value, yardstick = near(truth, steps, form), stick(form, terms, flushes=flushes)
    agree(in_floats(value, truth, condition, yardstick), exactly(value, truth, condition, yardstick))


@given(st.integers(2**60, 2**61), st.integers(1, 2**20), st.sampled_from(FORMS), st.floats(0, 8))
@settings(max_examples=500, deadline=None)
def test_most_numbers_are_certain_and_one_place_beyond_the_yardstick_is_never_accurate(top, bottom, form, condition):
    """Planted faults: the members next within and next beyond the budget, on both sides."""
    truth, yardstick = Fraction(top, bottom * 2**60), stick(form)
    budget = yardstick.allowance * (ulp(truth, form) + form.unit_roundoff * Fraction(condition))
    for sign in (-1, 1):
        edge = round_to(truth + sign * budget, form)
        for step in (-1, 0, 1):
            value = from_ordinal(ordinal(edge, form) + step, form)
            found = in_floats(value, truth, condition, yardstick)
            if abs(Fraction(value) - truth) > budget + ulp(truth, form) / 2**19:
                assert found.kind.item() != Kind.ACCURATE
            agree(found, exactly(value, truth, condition, yardstick))


def test_a_rounded_truth_is_certain():
    rng = np.random.default_rng(0)
    truths = [Fraction(int(top), 3**30) for top in rng.integers(2**40, 2**62, size=500)]
    found = [in_floats(float(truth), truth, 1.0, stick(FLOAT64)).kind.item() for truth in truths]
    assert found.count(Kind.ACCURATE) > 0.99 * len(found)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nothing_is_certain_about_what_is_not_finite(value):
    assert in_floats(value, Fraction(1), 1.0, stick(FLOAT64)).kind.item() == Kind.NOTHING
    assert in_floats(value, Fraction(0), 0.0, stick(FLOAT64)).kind.item() == Kind.NOTHING


def test_nothing_is_certain_without_a_truth():
    one = np.ones((1, 1))
    assert certain(one, one * np.nan, one, one, stick(FLOAT64)).kind.item() == Kind.NOTHING
    assert certain(one, one, one * 0, one * np.nan, stick(FLOAT64)).kind.item() == Kind.NOTHING


@given(
    st.floats(-1e-10, 1e-10),
    st.one_of(st.just(0.0), st.floats(-1e-20, 1e-20), st.floats(-1e-300, 1e-300)),
    st.one_of(st.just(0.0), st.floats(2.0**-100, 4)),
    st.one_of(st.just(0.0), st.floats(0, 1e3)),
    st.sampled_from(FORMS),
    st.booleans(),
)
@example(0.0, 0.0, 1.0, 0.0, FLOAT64, False)
@example(1e-18, 1e-30, 2.0**-50, 1.0, FLOAT64, False)
@example(1e-30, 1e-30, 2.0**-60, 1.0, FLOAT64, False)  # within K ulps, by chance
@example(0.0, 1e-310, 2.0**-3, 1.0, FLOAT64, False)
@settings(max_examples=1500, deadline=None)
def test_where_only_a_ball_of_the_truth_is_known_exact_judgement_says_the_same(
    value, middle, relative, condition, form, flushes
):
    value, yardstick, radius = round_to(value, form), stick(form, flushes=flushes), abs(middle) * relative + 2.0**-1074
    if loosely(value, middle, radius, condition, yardstick) is Kind.NOTHING:
        return
    ends = Fraction(middle) - Fraction(radius), Fraction(middle) + Fraction(radius)
    found = judge_number(value, Truth(value=Enclosure(*ends), condition=Fraction(condition)), yardstick)
    assert (found.kind, found.ulps, found.budget) == (NumberClass.VACUOUS, None, None)


def test_a_number_beyond_the_yardstick_of_a_loosely_known_truth_is_not_certain():
    """Planted faults: beside a yardstick of 4 2^-53, and beside no bound at all."""
    assert loosely(4e-16, 1e-31, 1e-30, 1.0, stick(FLOAT64)) is Kind.VACUOUS
    assert loosely(4e-16, 1e-30, 1e-40, 1.0, stick(FLOAT64)) is Kind.VACUOUS
    assert loosely(5e-16, 0.0, 1e-30, 1.0, stick(FLOAT64)) is Kind.NOTHING
    assert loosely(1e-17, 0.0, 5e-16, 1.0, stick(FLOAT64)) is Kind.NOTHING
    assert loosely(0.0, 0.0, np.nan, 1.0, stick(FLOAT64)) is Kind.NOTHING
    assert loosely(0.0, 0.0, 1e-30, np.nan, stick(FLOAT64)) is Kind.NOTHING


def test_nothing_else_than_zero_is_accurate_at_a_true_zero():
    assert in_floats(0.0, Fraction(0), 0.0, stick(FLOAT64)).kind.item() == Kind.ACCURATE
    assert in_floats(5e-324, Fraction(0), 0.0, stick(FLOAT64)).kind.item() == Kind.NOTHING
    assert exactly(0.0, Fraction(0), 0.0, stick(FLOAT64)).kind is NumberClass.ACCURATE


@given(st.floats(1e-18, 1e18))
@example(2.0**-48)
@example(9999.5)
@example(0.00012345)
@example(1000.0)
@settings(max_examples=1000, deadline=None)
def test_four_digits_are_those_of_decimal_text(number):
    rounded, known = four_digits(np.array([number]))
    if known[0]:
        assert rounded[0] == float(f"{number:.4g}")
        assert float(f"{number * (1 + 2**-36):.4g}") == float(f"{number * (1 - 2**-36):.4g}") == rounded[0]
