"""Is the rule right? Verdicts on the programs of tiny catalogs; wrong rules planted there are found and blamed."""

from __future__ import annotations

from dataclasses import replace

import jax
import pytest

from verifier.engine.acknowledge import acknowledge, stale
from verifier.model.catalog import Acknowledgement, Entry
from verifier.runs.records import Rule, RuleWorst

CURVE = """
inputs: {x: {domain: [1, 2]}}
value: sin(x)*x
orders: [1, 2]
points: [{x: 1.25}]
"""
PLANE = """
inputs: {x: {domain: [1, 2]}, y: {domain: [1, 2]}}
value: sin(x) + cos(y)
orders: [1, 2]
points: [{x: 1.25, y: 1.75}]
"""
KINK = """
inputs: {x: {domain: [-1, 1]}}
value: relu(x)
orders: [1]
points: [{x: 0}]
"""
PAIR = """
inputs: {x: {domain: [-2, 2]}, y: {domain: [-2, 2]}}
value: "[max(x, y), x*y]"
orders: [1]
points: [{x: 1, y: 1}]
"""
ALL = ("grad", "jacfwd", "jacrev", "jvp", "vjp", "linearize", "jet", "hessian", "fwd-rev", "rev-rev")


def honest(f, primals, tangents):
    return jax.jvp(f, primals, tangents)[1]


def verdicts(run):
    return {(each.program, each.order): each.verdict for each in run.rules}


@pytest.mark.parametrize(("body", "programs"), [(CURVE, ALL), (PLANE, ALL)], ids=["curve", "plane"])
@pytest.mark.slow
def test_right_rules_are_right_in_every_program_and_style(verified, body, programs):
    run = verified(body, programs=programs)
    found = verdicts(run)
    assert set(found.values()) == {"RIGHT"}
    assert {("grad", 1), ("grad/vmap", 1), ("grad/remat", 1), ("jvp", 1), ("jet", 2), ("hessian", 2)} <= set(found)
    assert all(each.bits is not None and each.bits > 53 for each in run.rules)
    assert all(each.worst is None and each.points > 1 for each in run.rules)
    assert run.end.rules == {"RIGHT": len(run.rules)}
    assert run.end.exit_status == 0


@pytest.mark.parametrize("factor", [-1, 1 + 1e-6, 0, float("nan")])
def test_a_wrong_rule_is_found_and_blamed(plant, verified, factor):
    plant(lambda f, primals, tangents: honest(f, primals, tangents) * factor)
    run = verified(CURVE, programs=("grad", "jvp"))
    wrong = [each for each in run.rules if each.order == 1]
    assert {(each.program, each.verdict, each.fails) for each in wrong} >= {("grad", "WRONG", True)}
    assert {each.verdict for each in wrong} == {"WRONG"}
    for each in wrong:
        assert each.worst is not None
        assert each.worst.blame is not None
        assert (each.worst.blame.who, each.worst.blame.primitive) == ("rule", "custom_jvp_call")
    assert run.end.findings
    assert run.end.exit_status == 1


@pytest.mark.parametrize(("square", "verdict"), [(True, "WRONG"), (False, "RIGHT")])
def test_a_rule_that_squares_its_tangent_is_found_along_signs_too(plant, verified, square, verdict):
    plant(lambda f, primals, tangents: honest(f, primals, tangents) * (tangents[0] if square else 1))
    run = verified(CURVE.replace("[1, 2]\npoints", "[1]\npoints"), programs=("jvp", "jacfwd"))
    assert {each.verdict for each in run.rules} == {verdict}


def test_a_failing_number_is_blamed_on_the_wrong_rule(plant, verified):
    plant(lambda f, primals, tangents: -honest(f, primals, tangents))
    run = verified(CURVE, programs=("grad",))
    failing = [each for each in run.verdicts if each.fails and each.order == 1 and each.program == "grad/jit"]
    assert failing
    for each in failing:
        assert each.worst is not None
        assert each.worst.blame is not None
        assert each.worst.blame.who in ("rule", "device")


def test_a_failing_number_whose_rule_is_right_blames_the_equation_that_lost_the_bits(verified, losing_in_tanh):
    body = "inputs: {x: {domain: [30, 40]}}\nvalue: 1 - tanh(x)**2\norders: [1]\npoints: [{x: 38}]"
    run = verified(body, programs=("jvp",))
    assert set(verdicts(run).values()) == {"RIGHT"}
    failing = [each for each in run.verdicts if each.fails and each.order == 1]
    assert failing
    found = failing[0].worst and failing[0].worst.blame
    assert found is not None
    assert (found.who, found.primitive) == ("rounding", losing_in_tanh)


def test_a_rule_that_differs_in_its_tenth_digit_is_not_right(plant, verified):
    plant(lambda f, primals, tangents: honest(f, primals, tangents) * (1 + 1e-10))
    run = verified(CURVE, programs=("grad",))
    assert {each.verdict for each in run.rules if each.order == 1} == {"INEXACT"}


def test_a_rule_that_is_wrong_only_under_vmap_is_found_there_only(plant, verified):
    @jax.custom_batching.custom_vmap
    def double(t):
        return t

    @double.def_vmap
    def _(axis_size, in_batched, t):
        return 2 * t, in_batched[0]

    plant(lambda f, primals, tangents: double(honest(f, primals, tangents)))
    found = verdicts(verified(CURVE, programs=("jvp",)))
    assert found["jvp", 1] == "RIGHT"
    assert found["jvp/vmap", 1] == "WRONG"


def test_relus_kink_is_a_convention(verified):
    run = verified(KINK, programs=("grad", "jet"))
    assert {each.verdict for each in run.rules} == {"CONVENTION"}
    grad = next(each for each in run.rules if each.program == "grad")
    assert grad.worst is not None
    assert grad.worst.truth == "left 0, right 1"
    assert grad.worst.label == "x = 0"
    assert grad.counts["CONVENTION"] >= 1
    assert grad.counts["RIGHT"] > 1
    assert not grad.fails


def test_contracted_programs_at_a_kink_in_two_inputs(verified):
    run = verified(PAIR, programs=("jvp", "jacrev", "vjp"))
    found = {(each.program, each.component): each.verdict for each in run.rules}
    assert found["jacrev", "value[0] d/dx"] == "CONVENTION"
    assert "WRONG" not in found.values()


def test_only_what_was_asked_is_judged_and_what_was_left_out_is_said(verified):
    run = verified(CURVE, programs=("grad/jit",), samples=32)
    assert {each.program for each in run.rules} == {"grad"}
    assert any(each.what.startswith("rules at ") for each in run.coverage.skipped)


def test_a_dtype_of_another_program_is_judged_too(verified):
    other = "inputs: {x: {domain: [1, 2]}}\nvalue: sin(0.1*x)\norders: [1]\npoints: [{x: 1.5}]"
    run = verified(other, programs=("grad",), dtypes=("float64", "float32"))
    assert {each.dtype for each in run.rules} == {"float64", "float32"}
    assert {each.verdict for each in run.rules} == {"RIGHT"}
    same = verified(CURVE, programs=("grad",), dtypes=("float64", "float32"))
    assert {each.dtype for each in same.rules} == {"float64"}


def test_the_same_run_twice_gives_the_same_rules(verified):
    assert verified(PLANE, programs=("grad", "jvp")).rules == verified(PLANE, programs=("grad", "jvp")).rules


RECORD = Rule(
    entry="e",
    order=1,
    program="grad/vmap",
    dtype="float64",
    component="d/dx",
    verdict="WRONG",
    fails=True,
    worst=RuleWorst(point=0, value="1", truth="2"),
)
KNOWN = Acknowledgement(
    verdict="WRONG", reason="known", rules=("grad/vmap",), order=1, components=("d/dx",), dtypes=("float64",)
)


def meets(record, known):
    (found,) = acknowledge([record], Entry(id="e", title="t", section="s", acknowledged=(known,)), "0.10.2")
    return found.acknowledged is not None


def test_a_rule_is_acknowledged_exactly():
    assert meets(RECORD, KNOWN)
    for changed in ({"program": "grad"}, {"order": 2}, {"component": "d/dy"}, {"dtype": "float32"}):
        assert not meets(replace(RECORD, **changed), KNOWN)
    assert not meets(replace(RECORD, verdict="UNDECIDED", fails=False), KNOWN)
    assert not meets(RECORD, replace(KNOWN, rules=(), programs=("grad/vmap",), devices=("cpu:0",)))


def test_an_acknowledged_rule_that_is_right_again_is_stale():
    entry = Entry(id="e", title="t", section="s", acknowledged=(KNOWN,))
    right = replace(RECORD, verdict="RIGHT", fails=False)
    assert stale([right], entry, "0.10.2") == [
        "e: rules of order 1 of grad/vmap x d/dx x float64: WRONG no longer occurs"
    ]


def test_an_acknowledged_rule_in_a_catalog_passes(plant, verified):
    plant(lambda f, primals, tangents: -honest(f, primals, tangents))
    known = """
acknowledged:
  - {rules: [grad], order: 1, components: ["d/dx"], dtypes: [float64], verdict: WRONG, reason: "Planted."}
"""
    run = verified(CURVE.replace("orders: [1, 2]", "orders: [1]") + known, programs=("grad/jit",))
    (rule,) = run.rules
    assert rule.acknowledged is not None
    assert rule.fails
