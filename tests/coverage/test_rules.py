"""Coverage of JAX's rules: exercised, verified, missing, and what is no goal; wrong programs verify nothing."""

from __future__ import annotations

import pytest

from verifier.coverage.rules import NOT_REAL, with_rules
from verifier.runs import records
from verifier.runs.json_form import dumps, loads
from verifier.runs.outcome import Outcome
from verifier.truth.primitives import NON_GOALS

TABLE = records.RuleTable(
    rules={"jvp": ("mul", "psum", "eq", "sin", "tan"), "transpose": ("mul", "psum", "neg")},
    non_goals=(records.NonGoals(reason="communication", primitives=("all_gather", "psum")),),
)


def outcome(entry="e", *, ran=(), judged=()) -> Outcome:
    """`ran`: (program, order, {kind: primitives}); `judged`: (program, order, verdict, further fields)."""
    return Outcome(
        entry=records.Entry(entry=entry, title="t", section="s"),
        exercised=tuple(records.Exercised(program=p, order=k, rules=rules) for p, k, rules in ran),
        rules=tuple(
            records.Rule(
                **{
                    "entry": entry,
                    "program": p,
                    "order": k,
                    "dtype": "float64",
                    "component": "d/dx",
                    "verdict": verdict,
                    "counts": {verdict: 1},
                    **dict(more),
                }
            )
            for p, k, verdict, more in judged
        ),
        jax_rules=TABLE,
    )


def covered(*outcomes: Outcome) -> records.Coverage:
    return with_rules(records.Coverage(), outcomes)


def by_key(coverage: records.Coverage) -> dict[tuple[str, str], records.RuleCoverage]:
    return {(each.rule, each.primitive): each for each in coverage.rules}


SINE = ("grad", 1, {"jvp": ("sin",), "transpose": ("mul",)})


def test_a_rule_that_ran_in_a_right_program_is_verified_at_its_order():
    found = by_key(covered(outcome(ran=[SINE], judged=[("grad", 1, "RIGHT", ())])))
    assert found["jvp", "sin"] == records.RuleCoverage(
        primitive="sin", rule="jvp", exercised=(1,), verified=(1,), entries=("e",)
    )
    assert found["transpose", "mul"].verified == (1,)


def test_what_nothing_ran_is_missing_by_name_and_nothing_else_is():
    coverage = covered(outcome(ran=[SINE], judged=[("grad", 1, "RIGHT", ())]))
    assert coverage.missing_rules == {"jvp": ("mul", "tan"), "transpose": ("neg",)}


@pytest.mark.parametrize(
    ("verdict", "more"),
    [
        ("WRONG", {"fails": True}),
        ("INEXACT", {}),
        ("UNDECIDED", {}),
        ("CONVENTION", {"fails": True, "counts": {"RIGHT": 3, "CONVENTION": 1}}),
        ("CONVENTION", {}),
        ("UNDEFINED", {}),
    ],
)
def test_a_program_that_is_not_proven_right_verifies_nothing(verdict, more):
    found = by_key(covered(outcome(ran=[SINE], judged=[("grad", 1, verdict, more)])))
    assert found["jvp", "sin"].exercised == (1,)
    assert found["jvp", "sin"].verified == ()


def test_one_wrong_component_or_dtype_takes_all_of_the_program():
    judged = [("grad", 1, "RIGHT", ()), ("grad", 1, "WRONG", {"component": "d/dy", "fails": True})]
    assert by_key(covered(outcome(ran=[SINE], judged=judged)))["jvp", "sin"].verified == ()
    judged = [("grad", 1, "RIGHT", ()), ("grad", 1, "INEXACT", {"dtype": "float32"})]
    assert by_key(covered(outcome(ran=[SINE], judged=judged)))["jvp", "sin"].verified == ()


def test_a_convention_at_a_kink_passes_where_the_rest_is_right():
    judged = [("grad", 1, "CONVENTION", {"counts": {"RIGHT": 3, "CONVENTION": 1}})]
    assert by_key(covered(outcome(ran=[SINE], judged=judged)))["jvp", "sin"].verified == (1,)


def test_programs_and_orders_are_kept_apart():
    second = ("hessian", 2, {"jvp": ("sin", "tan")})
    judged = [("grad", 1, "RIGHT", ()), ("hessian", 2, "WRONG", {"fails": True}), ("hessian", 1, "RIGHT", ())]
    found = by_key(covered(outcome(ran=[SINE, second], judged=judged)))
    assert (found["jvp", "sin"].exercised, found["jvp", "sin"].verified) == ((1, 2), (1,))
    assert found["jvp", "tan"].verified == ()


def test_a_right_program_verifies_although_another_is_wrong_and_names_its_entry():
    wrong = outcome("a", ran=[SINE], judged=[("grad", 1, "WRONG", {"fails": True})])
    right = outcome("b", ran=[SINE], judged=[("grad", 1, "RIGHT", ())])
    found = by_key(covered(wrong, right))["jvp", "sin"]
    assert (found.verified, found.entries) == ((1,), ("b",))
    assert by_key(covered(wrong))["jvp", "sin"].entries == ("a",)


def test_another_entry_s_verdict_verifies_nothing():
    ran = outcome("a", ran=[SINE])
    judged = outcome("b", judged=[("grad", 1, "RIGHT", ())])
    assert by_key(covered(ran, judged))["jvp", "sin"].verified == ()


def test_what_is_no_goal_is_apart_with_its_reason_even_where_it_ran():
    ran = [("grad", 1, {"jvp": ("psum", "eq")})]
    coverage = covered(outcome(ran=ran, judged=[("grad", 1, "RIGHT", ())]))
    assert coverage.rules == ()
    apart = {each.reason: each.primitives for each in coverage.non_goals}
    assert apart == {"communication": ("psum",), NOT_REAL["eq"]: ("eq",)}


def test_rules_of_a_user_s_own_primitives_are_not_counted():
    coverage = covered(outcome(ran=[("grad", 1, {"jvp": ("mine",)})], judged=[("grad", 1, "RIGHT", ())]))
    assert coverage.rules == ()
    assert all("mine" not in names for names in coverage.missing_rules.values())


def test_without_a_traced_entry_the_record_says_nothing():
    bare = Outcome(entry=records.Entry(entry="e", title="t", section="s"))
    assert with_rules(records.Coverage(), [bare]) == records.Coverage()


def test_the_tables_of_what_is_no_goal_do_not_contradict_each_other():
    both = NOT_REAL.keys() & NON_GOALS.keys()
    assert all(name == "pbroadcast" or NOT_REAL[name] == NON_GOALS[name] for name in both)


def test_it_travels_with_the_outcome():
    given = outcome(ran=[SINE], judged=[("grad", 1, "RIGHT", ())])
    assert covered(loads(Outcome, dumps(given))) == covered(given)
