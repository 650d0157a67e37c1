"""The verdict on a rule: every class, and the planted numbers that have to change it."""

from __future__ import annotations

from fractions import Fraction

import pytest

from verifier.arithmetic.floats import FLOAT32, FLOAT64
from verifier.judge.rule import Threshold, judge_linear, judge_rule, judge_value, weighted_sum
from verifier.model.rule import Cusp, Infinite, NonFinite, Note, RuleClass, Undefined
from verifier.model.verdict import Enclosure, Jump, Kink, NoTruth

EXACT = Threshold(form=FLOAT64)


def ball(middle, radius=0) -> Enclosure:
    return Enclosure(Fraction(middle) - Fraction(radius), Fraction(middle) + Fraction(radius))


NAN, INF = NonFinite("nan"), NonFinite("inf")
KINK = Kink(ball(-1), ball(1))
SAMPLED = Kink(ball(-1), ball(1), sampled=True)

CASES = {
    "equal": (ball(3), ball(3), RuleClass.RIGHT, False),
    "half an ulp apart": (ball(1), ball(1 + Fraction(1, 2**54)), RuleClass.RIGHT, False),
    "the tenth digit": (ball(1), ball(1 + Fraction(1, 10**10)), RuleClass.INEXACT, False),
    "the third digit": (ball(1), ball(1 + Fraction(1, 1000)), RuleClass.WRONG, True),
    "the sign": (ball(-1), ball(1), RuleClass.WRONG, True),
    "too wide": (ball(1, 1), ball(1), RuleClass.UNDECIDED, False),
    "unknown program": (NoTruth("no rule"), ball(1), RuleClass.UNDECIDED, False),
    "unknown truth": (ball(1), NoTruth("no rule"), RuleClass.UNDECIDED, False),
    "NaN": (NAN, ball(1), RuleClass.WRONG, True),
    "a pole": (INF, ball(1), RuleClass.WRONG, True),
    "zero": (ball(0), ball(0), RuleClass.RIGHT, False),
    "not zero": (ball(Fraction(1, 10**30)), ball(0), RuleClass.WRONG, True),
    "inside a kink": (ball(0), KINK, RuleClass.CONVENTION, False),
    "outside a kink": (ball(2), KINK, RuleClass.WRONG, True),
    "NaN at a kink": (NAN, KINK, RuleClass.WRONG, True),
    "inside what was sampled": (ball(0), SAMPLED, RuleClass.CONVENTION, False),
    "outside what was sampled": (ball(2), SAMPLED, RuleClass.UNDECIDED, False),
    "NaN where gradients were sampled": (NAN, SAMPLED, RuleClass.WRONG, True),
    "a cusp": (INF, Cusp(low=ball(0), high=None), RuleClass.CONVENTION, False),
    "below a cusp": (ball(-1), Cusp(low=ball(0), high=None), RuleClass.WRONG, True),
    "infinite": (INF, Infinite(1), RuleClass.RIGHT, False),
    "infinite, wrong sign": (INF, Infinite(-1), RuleClass.WRONG, True),
    "finite where infinite": (ball(0), Infinite(1), RuleClass.WRONG, True),
    "NaN where infinite": (NAN, Infinite(1), RuleClass.WRONG, True),
    "a jump": (ball(0), Jump(), RuleClass.CONVENTION, False),
    "NaN at a jump": (NAN, Jump(), RuleClass.WRONG, True),
    "outside the domain": (NAN, Undefined("NaN"), RuleClass.UNDEFINED, False),
    "NaN beside an infinite value": (NAN, Undefined("inf", forbids_nan=True), RuleClass.UNDEFINED, True),
}


@pytest.mark.parametrize("name", CASES)
def test_every_class(name):
    value, truth, kind, fails = CASES[name]
    verdict = judge_rule(value, truth, EXACT)
    assert (verdict.kind, verdict.fails) == (kind, fails)


def test_inexact_literals_excuse_what_they_cost():
    value, truth = ball(1), ball(1 + Fraction(1, 1000))
    assert judge_rule(value, truth, Threshold(form=FLOAT64, spread=Fraction(1, 2000))).kind is RuleClass.RIGHT
    assert judge_rule(value, truth, Threshold(form=FLOAT64, spread=Fraction(1, 10**6))).kind is RuleClass.INEXACT


def test_the_dtype_of_the_trace_counts():
    value, truth = ball(1), ball(1 + Fraction(1, 10**8))
    assert judge_rule(value, truth, EXACT).kind is RuleClass.INEXACT
    assert judge_rule(value, truth, Threshold(form=FLOAT32)).kind is RuleClass.RIGHT


def test_a_foreign_rule_must_be_exact():
    assert judge_rule(ball(1), ball(1 + Fraction(1, 10**10)), Threshold(form=FLOAT64, foreign=True)).fails


def test_bits_and_notes():
    assert judge_rule(ball(1), ball(1 + Fraction(1, 2**20)), EXACT).bits == pytest.approx(20, abs=0.1)
    assert judge_rule(ball(0), Jump(), EXACT).notes == (Note.JUMP,)


LINEAR = {
    "as many times": (ball(3), ball(-6), False),
    "within both radii": (ball(3, Fraction(1, 8)), ball(-7, 1), False),
    "the same again": (ball(3), ball(3), True),
    "the other sign": (ball(3), ball(6), True),
    "squared": (ball(3), ball(12), True),
    "NaN": (ball(3), NAN, True),
    "nothing is known": (ball(3), NoTruth("no rule"), False),
    "no number": (NAN, NAN, False),
}


@pytest.mark.parametrize("name", LINEAR)
def test_a_rule_is_linear_in_its_seeds(name):
    value, scaled, wrong = LINEAR[name]
    found = judge_linear(value, scaled, Fraction(-2))
    assert (found is not None) is wrong
    if found is not None:
        assert (found.kind, found.fails) == (RuleClass.WRONG, True)
        assert found.notes == (Note.NONLINEAR,)


def test_cotangents_together_give_the_sum_of_what_each_gives():
    beside = weighted_sum([(Fraction(1, 8), ball(3)), (Fraction(-1, 4), ball(5, Fraction(1, 2)))])
    assert beside == ball(Fraction(-7, 8), Fraction(1, 8))
    due = -2 * (3 - Fraction(7, 8))
    assert judge_linear(ball(3), ball(due + Fraction(1, 8)), Fraction(-2), beside) is None
    found = judge_linear(ball(3), ball(-6), Fraction(-2), beside)
    assert found is not None
    assert "several cotangents together" in found.reason
    assert weighted_sum([(Fraction(1), ball(3)), (Fraction(1), NAN)]) == NAN
    assert judge_linear(ball(3), ball(-6), Fraction(-2), NAN) is None


VALUES = {
    "the same": (ball(3), ball(3), False),
    "computed in another way": (ball(3), ball(3 + Fraction(1, 2**40)), False),
    "another": (ball(3), ball(2), True),
    "NaN": (NAN, ball(2), True),
    "NaN in both": (NAN, NAN, False),
    "nothing is known": (ball(3), NoTruth("no rule"), False),
    "nothing is known of the rule's": (NoTruth("no rule"), ball(3), False),
}


@pytest.mark.parametrize("name", VALUES)
def test_the_value_beside_a_derivative_is_the_functions(name):
    beside, value, wrong = VALUES[name]
    found = judge_value(beside, value, FLOAT64)
    assert (found is not None) is wrong
    if found is not None:
        assert (found.kind, found.fails, found.notes) == (RuleClass.WRONG, True, (Note.VALUE,))
