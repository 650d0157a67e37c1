"""A run that departs from its own program is FAULTY in a run file; a program that is wrong by itself is not."""

from __future__ import annotations

import numpy as np
import pytest

from verifier.engine import judging as judging_module
from verifier.execution import observe as observe_module
from verifier.execution.dtypes import to_float64

CURVE = """
inputs: {x: {domain: [1, 2]}}
value: sin(x)*x
orders: [1]
points: [{x: 1.25}, {x: 1.5}]
"""
CANCELLING = """
inputs: {x: {domain: [1, 100]}}
value: 1/(1 + exp(-x))
orders: [1]
points: [{x: 40}]
"""
MATRIX = """
inputs: {v: {shape: [3], domain: [1, 2]}}
data: {m: {values: [[2, 3, 5], [7, 11, 13], [17, 19, 23]]}}
value: sum((m @ v)**2)
orders: [1]
points: [{v: [1.25, 1.5, 1.75]}]
"""


@pytest.fixture
def device(monkeypatch):
    """device(spoil): the values that come from the device are spoilt on the way."""
    return lambda spoil: monkeypatch.setattr(observe_module, "to_float64", lambda values: spoil(to_float64(values)))


def found(run) -> set[tuple[str, bool]]:
    return {(each.verdict, each.fails) for each in run.verdicts if each.order}


@pytest.mark.parametrize("program", ["grad/eager", "grad/jit", "grad/vmap", "grad/remat", "jvp/jit"])
def test_a_device_that_computes_otherwise_is_faulty(device, verified, program):
    device(lambda values: values * (1 + 1e-12))
    run = verified(CURVE, programs=(program,))
    assert found(run) == {("FAULTY", True)}
    assert run.end.exit_status == 1
    assert all("rounding inside the program explains" in each.worst.reason for each in run.verdicts)


@pytest.mark.slow
def test_an_honest_device_is_not(verified_all):
    dtypes = ("float64", "float32", "bfloat16", "float16")
    bodies = {"curve": CURVE, "cancelling": CANCELLING, "matrix": MATRIX}
    run = verified_all(bodies, dtypes=dtypes, programs=("grad",), samples=4)
    assert len({each.entry for each in run.verdicts}) == 3
    assert "FAULTY" not in {kind for each in run.verdicts for kind in each.counts}


def test_a_component_is_asked_at_its_own_place(device, verified):
    device(lambda values: values * np.array([1, 1, 1 + 1e-10]) if values.shape[1] == 3 else values)
    run = verified(MATRIX)
    assert {each.component: each.verdict for each in run.verdicts if each.order} == {
        "d/dv[0]": "ACCURATE",
        "d/dv[1]": "ACCURATE",
        "d/dv[2]": "FAULTY",
    }


def test_one_faulty_number_among_many_is_counted(device, verified):
    device(lambda values: values * np.where(np.arange(len(values)) == 1, 1 + 1e-10, 1)[:, None])
    (record,) = [each for each in verified(CURVE).verdicts if each.order]
    assert record.verdict == "FAULTY"
    assert (record.worst.point, record.counts["FAULTY"]) == (1, 1)
    assert record.counts["ACCURATE"] == record.points - 1


def test_what_rounding_explains_stays_lossy(verified):
    """sigmoid'(40), 4e-18, by 1 - sigmoid: all bits are lost, and rounding is what lost them."""
    run = verified(CANCELLING.replace("1/(1 + exp(-x))", "1 - 1/(1 + exp(-x))"), programs=("value/jit",))
    assert {(each.verdict, each.fails) for each in run.verdicts} == {("LOSSY", True)}


def test_without_the_question_it_stays_lossy(device, verified, monkeypatch):
    device(lambda values: values * (1 + 1e-12))
    monkeypatch.setattr(judging_module, "_ASKED", 0)
    assert found(verified(CURVE)) == {("LOSSY", False)}
