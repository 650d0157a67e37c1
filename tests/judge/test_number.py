"""Number verdicts: the corner cases of SEMANTICS §3, §4 and §9, and faults that the judgement must catch."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.arithmetic.floats import BFLOAT16, FLOAT16, FLOAT32, FLOAT64, round_to, ulp
from verifier.judge.number import K, Yardstick, allowance, failing_bits, judge_number, judgement, unexplained
from verifier.model.verdict import Cusp, Enclosure, Infinite, Kink, NoTruth, NumberClass, Truth, Undefined

FORMATS = (FLOAT64, FLOAT32, BFLOAT16, FLOAT16)


def exactly(value: Fraction | float, condition: Fraction | int = 0) -> Truth:
    return Truth(value=Enclosure(Fraction(value), Fraction(value)), condition=Fraction(condition))


def stick(form=FLOAT64, *, longest=1, flushes=False) -> Yardstick:
    return Yardstick(form=form, allowance=allowance(longest), flushes_subnormals=flushes)


def test_k_is_pinned():
    assert K == 4
    assert allowance(1) == 4
    assert allowance(8) == 16


@pytest.mark.parametrize(("form", "bits"), [(FLOAT64, 26.5), (FLOAT32, 12), (BFLOAT16, 7), (FLOAT16, 10)])
def test_half_of_the_significand_at_least_twelve_bits(form, bits):
    assert failing_bits(form) == bits


@given(st.fractions(min_value=Fraction(1, 1000), max_value=1000), st.sampled_from(FORMATS))
def test_a_correctly_rounded_value_is_accurate(truth, form):
    verdict = judge_number(round_to(truth, form), exactly(truth), stick(form))
    assert verdict.kind is NumberClass.ACCURATE
    assert verdict.ulps is not None
    assert verdict.ulps <= 0.5


@given(
    st.fractions(min_value=Fraction(1, 1000), max_value=1000), st.sampled_from((FLOAT64, FLOAT32)), st.integers(0, 40)
)
def test_more_lost_bits_are_never_judged_better(truth, form, bits):
    """Law: the severity of truth * (1 + 2^-b) grows as b falls."""
    worse = judge_number(round_to(truth * (1 + Fraction(1, 2**bits)), form), exactly(truth), stick(form))
    better = judge_number(round_to(truth * (1 + Fraction(1, 2 ** (bits + 1))), form), exactly(truth), stick(form))
    assert worse.severity >= better.severity


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("fault", [-1, 2, 0], ids=["sign", "factor two", "zero"])
def test_gross_faults_fail(form, fault):
    truth = Fraction(2, 3)
    assert judge_number(round_to(truth * fault, form), exactly(truth), stick(form)).fails


def test_a_part_in_a_million_fails_in_float64():
    verdict = judge_number(float(Fraction(2, 3) * (1 + Fraction(1, 10**6))), exactly(Fraction(2, 3)), stick())
    assert verdict.kind is NumberClass.LOSSY
    assert verdict.fails
    assert verdict.lost_bits == pytest.approx(53 - math.log2(10**6), abs=2)


def test_fewer_lost_bits_only_warn():
    verdict = judge_number(1 + 2.0**-40, exactly(1), stick())
    assert verdict.kind is NumberClass.LOSSY
    assert not verdict.fails
    assert verdict.lost_bits == 12


def test_conditioning_excuses_what_rounding_the_inputs_costs():
    noisy = 1 + 2.0**-40
    assert judge_number(noisy, exactly(1, condition=2**13), stick()).kind is NumberClass.ACCURATE


def test_a_yardstick_of_half_the_truth_says_nothing():
    verdict = judge_number(1.0 + 2**-10, exactly(1, condition=2**53), stick())
    assert verdict.kind is NumberClass.VACUOUS
    assert judge_number(1.0, exactly(1, condition=2**53), stick()).kind is NumberClass.ACCURATE


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_nonfinite_against_a_representable_truth_fails(form, value):
    verdict = judge_number(value, exactly(1), stick(form))
    assert verdict.kind is NumberClass.NONFINITE
    assert verdict.fails


def test_infinity_is_right_only_beyond_the_range_and_with_the_right_sign():
    beyond = exactly(Fraction(FLOAT16.largest) * 4)
    assert judge_number(math.inf, beyond, stick(FLOAT16)).kind is NumberClass.OVERFLOW
    assert judge_number(-math.inf, beyond, stick(FLOAT16)).fails
    assert judge_number(math.nan, beyond, stick(FLOAT16)).fails


def test_underflow_needs_an_underflowing_truth():
    tiny = exactly(Fraction(1, 2**1080))
    assert judge_number(0.0, tiny, stick()).kind in {NumberClass.UNDERFLOW, NumberClass.ACCURATE}
    assert judge_number(0.0, exactly(Fraction(4, 10**18)), stick()).fails  # sigmoid'(40) as 0 is a defect


def test_flushed_subnormals_cost_an_ulp_of_the_smallest_normal():
    truth = exactly(Fraction(FLOAT32.smallest_normal) / 3)
    assert not judge_number(0.0, truth, stick(FLOAT32, flushes=True)).fails
    assert stick(FLOAT32, flushes=True).ulp(truth.value) == Fraction(FLOAT32.smallest_normal)


def test_noise_at_a_true_zero_warns_and_never_fails():
    verdict = judge_number(1e-3, exactly(0), stick())
    assert verdict.kind is NumberClass.LOSSY
    assert not verdict.fails


def test_a_kink_accepts_its_interval_only():
    kink = Truth(value=Kink(Enclosure(Fraction(0), Fraction(0)), Enclosure(Fraction(1), Fraction(1))))
    assert judge_number(0.5, kink, stick()).kind is NumberClass.CONVENTION
    assert judge_number(1.5, kink, stick()).fails
    assert judge_number(math.nan, kink, stick()).kind is NumberClass.NONFINITE


ZERO = Enclosure(Fraction(0), Fraction(0))
SINGULAR = {
    "the infinity that the slope is": (math.inf, Infinite(1), NumberClass.ACCURATE, False),
    "the wrong infinity": (-math.inf, Infinite(1), NumberClass.NONFINITE, True),
    "finite": (1.0, Infinite(1), NumberClass.LOSSY, True),
    "NaN": (math.nan, Infinite(-1), NumberClass.NONFINITE, True),
    "above": (7.0, Cusp(low=ZERO, high=None), NumberClass.CONVENTION, False),
    "inf above": (math.inf, Cusp(low=ZERO, high=None), NumberClass.CONVENTION, False),
    "-inf below": (-math.inf, Cusp(low=ZERO, high=None), NumberClass.NONFINITE, True),
    "below": (-7.0, Cusp(low=ZERO, high=None), NumberClass.LOSSY, True),
    "above the upper end": (7.0, Cusp(low=None, high=ZERO), NumberClass.LOSSY, True),
    "inf at a kink": (math.inf, Kink(ZERO, ZERO), NumberClass.NONFINITE, True),
    "beyond what was sampled": (1.0, Kink(ZERO, ZERO, sampled=True), NumberClass.UNDECIDED, False),
    "NaN where gradients were sampled": (math.nan, Kink(ZERO, ZERO, sampled=True), NumberClass.NONFINITE, True),
    "NaN at a cusp": (math.nan, Cusp(low=None, high=None), NumberClass.NONFINITE, True),
    "outside the domain": (math.nan, Undefined("NaN"), NumberClass.VACUOUS, False),
    "NaN beside inf": (math.nan, Undefined("inf", forbids_nan=True), NumberClass.NONFINITE, True),
}


@pytest.mark.parametrize("name", SINGULAR)
def test_every_kind_of_point(name):
    value, truth, kind, fails = SINGULAR[name]
    verdict = judge_number(value, Truth(value=truth), stick())
    assert (verdict.kind, verdict.fails) == (kind, fails)


def test_a_true_zero_is_measured_in_its_summands():
    """Two summands of size 2 that should cancel: K u S is noise, more is lossy and never fails (SEMANTICS §4)."""
    zero = Truth(value=ZERO, condition=Fraction(0), summands=Fraction(4))
    assert judge_number(8 * 2.0**-53, zero, stick()).kind is NumberClass.ACCURATE
    verdict = judge_number(1e-3, zero, stick())
    assert (verdict.kind, verdict.fails) == (NumberClass.LOSSY, False)
    assert verdict.lost_bits == pytest.approx(math.log2(1e-3 / 2.0**-51))


def test_summands_excuse_nothing_where_the_truth_is_not_zero():
    truth = Truth(
        value=Enclosure(Fraction(4, 10**18), Fraction(4, 10**18)), condition=Fraction(0), summands=Fraction(4)
    )
    assert judge_number(0.0, truth, stick()).fails


def test_what_no_rounding_explains_fails_however_few_bits_it_lost():
    lossy = judge_number(1 + 2.0**-48, exactly(1), stick())
    assert (lossy.kind, lossy.fails) == (NumberClass.LOSSY, False)
    faulty = unexplained(lossy, "1 to 1.5")
    assert (faulty.kind, faulty.fails, faulty.lost_bits) == (NumberClass.FAULTY, True, lossy.lost_bits)
    assert "1 to 1.5" in faulty.reason
    worst = [NumberClass.LOSSY, NumberClass.UNDECIDED, NumberClass.NONFINITE, NumberClass.FAULTY, NumberClass.FAILED]
    assert sorted(worst, key=list(NumberClass).index) == worst


def test_without_truth_nothing_is_passed_and_nan_is_suspect():
    assert judge_number(1.0, Truth(value=NoTruth("no rule")), stick()).kind is NumberClass.UNDECIDED
    assert "suspect" in judge_number(math.nan, Truth(value=NoTruth("no rule")), stick()).reason


def test_what_holds_at_any_conditioning_needs_none():
    truth = Truth(value=Enclosure(Fraction(12), Fraction(12)), condition=None)
    assert judge_number(12.0, truth, stick()).kind is NumberClass.ACCURATE
    assert judge_number(math.nan, truth, stick()).kind is NumberClass.NONFINITE
    assert judge_number(math.nan, truth, stick()).fails
    for value in (12.001, math.inf):
        assert judge_number(value, truth, stick()).kind is NumberClass.UNDECIDED


def test_a_wide_enclosure_is_undecided_not_right():
    wide = Truth(value=Enclosure(Fraction(0), Fraction(2)), condition=Fraction(0))
    assert judge_number(1.0, wide, stick()).kind is NumberClass.UNDECIDED


@given(st.fractions(min_value=1, max_value=2), st.sampled_from(FORMATS))
def test_ulps_are_measured_in_the_dtype(truth, form):
    value = round_to(truth, form)
    verdict = judge_number(value, exactly(truth), stick(form))
    assert verdict.ulps == pytest.approx(float(abs(Fraction(value) - truth) / ulp(truth, form)))


def test_a_side_of_zero_has_the_noise_of_the_other_side():
    """The nuclear norm of a singular matrix: its slope of 0 is a difference of numbers as large as the other slope."""
    kink = Truth(value=Kink(Enclosure(Fraction(0), Fraction(0)), Enclosure(Fraction(4, 5), Fraction(4, 5))))
    yardstick = Yardstick(form=FLOAT64, allowance=allowance(1))
    assert judge_number(-1e-17, kink, yardstick).kind is NumberClass.CONVENTION
    assert judge_number(-1e-15, kink, yardstick).fails


def test_one_ruler_measures_tiny_and_large_truths_alike():
    """What a judgement keeps for all of its numbers is what each number alone would find."""
    yardstick = Yardstick(form=FLOAT64, allowance=Fraction(4))
    for middle in (Fraction(2) ** -1060, Fraction(1, 3), Fraction(2) ** 1030):
        truth = Truth(value=Enclosure(middle, middle), condition=abs(middle))
        judge = judgement(truth, yardstick)
        for value in (0.0, 2.0**-1060, 1 / 3, 1.0, float("inf")):
            assert judge(value) == judge_number(value, truth, yardstick)
