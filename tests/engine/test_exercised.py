"""JAX's rules in a run file: those that ran, at which orders, verified only by programs whose rules are right."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from verifier.runs.reader import Run
from verifier.runs.records import RuleCoverage

Verified = Callable[..., Run]

TANGENT = """
inputs: {x: {domain: [-1, 1]}}
value: tan(x)*x
orders: [1, 2]
points: [{x: 1/2}]
"""
PLANTED = """
inputs: {x: {domain: [-1, 1]}}
value: tan(x)*x
implementation: {program}
orders: [1]
points: [{x: 1/2}]
"""
PROGRAMS = """
import jax
from jax import lax

def honest(x):
    return lax.tan(x) * x

@jax.custom_jvp
def tangent(x):
    return lax.tan(x)

@tangent.defjvp
def _(primals, tangents):
    return tangent(*primals), tangents[0] * (2 + lax.tan(primals[0]) ** 2)

def planted(x):
    return tangent(x) * x
"""


def by_key(run: Run) -> dict[tuple[str, str], RuleCoverage]:
    return {(each.rule, each.primitive): each for each in run.coverage.rules}


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    name = f"exercised_{abs(hash(tmp_path))}"
    (tmp_path / f"{name}.py").write_text(PROGRAMS)
    monkeypatch.syspath_prepend(tmp_path)
    yield name
    sys.modules.pop(name, None)


def test_a_run_says_which_rules_it_verifies_and_which_not(verified: Verified) -> None:
    run = verified(TANGENT, programs=("grad", "hessian"))
    found = by_key(run)
    assert (found["jvp", "tan"].exercised, found["jvp", "tan"].verified) == ((1, 2), (1, 2))
    assert found["transpose", "mul"].verified == (1, 2)
    assert found["jvp", "tan"].entries == ("e",)
    missing = run.coverage.missing_rules
    assert "cholesky" in missing["jvp"]
    assert "tan" not in missing["jvp"]
    assert not {("jvp", name) for name in missing["jvp"]} & found.keys()
    apart = {name for each in run.coverage.non_goals for name in each.primitives}
    assert {"psum", "random_bits", "eq"} <= apart
    assert not apart & {each.primitive for each in run.coverage.rules}


def test_a_program_whose_rule_is_wrong_verifies_none_of_its_rules(verified: Verified, programs: str) -> None:
    right = by_key(verified(PLANTED.replace("{program}", f"{programs}:honest"), allow_imports=True))
    assert right["transpose", "mul"].verified == (1,)
    run = verified(PLANTED.replace("{program}", f"{programs}:planted"), allow_imports=True)
    assert {each.verdict for each in run.rules} == {"WRONG"}
    wrong = by_key(run)
    assert ("jvp", "tan") not in wrong
    assert wrong["transpose", "mul"].exercised == (1,)
    assert all(each.verified == () for each in wrong.values())
