"""The shadow run and the blame: which equation lost the bits, where NaN began, and on which line."""

from __future__ import annotations

import math
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from verifier.programs.one_equation import EquationRuns
from verifier.programs.source_lines import source_line
from verifier.truth.blame import Cause, Suspects, blame
from verifier.truth.shadow import Shadow, shadow


@pytest.fixture(autouse=True)
def _double_precision() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def blamed(function, *arguments, component: int = 0, **options):
    """The blame for a component of the value that JAX computes, with JAX running the single equations."""
    value = np.asarray(function(*map(jnp.asarray, arguments))).astype(np.float64).reshape(-1)[component]
    jaxpr = jax.make_jaxpr(function)(*arguments)
    run = EquationRuns()
    return blame(shadow(jaxpr, arguments, **options), component, value=float(value), run=run, locate=source_line)


def here(found, text: str) -> bool:
    """Whether the blamed line of this file holds the text."""
    with open(found.source.file, encoding="utf-8") as file:
        return found.source.file == __file__ and text in file.read().splitlines()[found.source.line - 1]


def one_minus(x):
    b = 1 / (1 + jnp.exp(-x))
    return b * (1.0 - b)


@pytest.mark.parametrize("with_jax", [True, False], ids=["JAX runs the steps", "correct rounding"])
def test_the_subtraction_that_loses_all_bits_is_blamed(with_jax):
    at = np.float64(40)
    jaxpr = jax.make_jaxpr(jax.grad(jax.nn.sigmoid))(at)
    found = blame(shadow(jaxpr, [at]), value=0.0, run=EquationRuns() if with_jax else None)
    assert found is not None
    assert (found.primitive, found.cause) == ("sub", Cause.ROUNDING)
    assert found.local_ulps > 2**52
    assert found.lost_bits >= 52
    assert found.share == pytest.approx(1)
    assert "all" in found.reason


def test_the_source_line_is_the_users():
    found = blamed(one_minus, np.float64(40))
    assert found.primitive == "sub"
    assert here(found, "b * (1.0 - b)")


NARROW = {
    "tanh' at 9": (jax.grad(jnp.tanh), 9.0),
    "tanh squared at 10": (jax.grad(lambda x: jnp.tanh(x) ** 2), 10.0),
}


@pytest.mark.parametrize("name", NARROW)
def test_saturated_derivatives_are_blamed_on_a_subtraction(name, losing_in_tanh):
    function, at = NARROW[name]
    found = blamed(function, np.float32(at))
    assert found.primitive == losing_in_tanh
    assert found.lost_bits > 22
    assert found.share > 0.9


def test_what_is_computed_exactly_has_no_blame():
    assert blamed(jax.grad(jax.nn.relu), np.float32(0.5)) is None


def test_an_irrelevant_loss_is_not_blamed():
    """x - x + tiny loses every bit of its own, but the component hangs on the other subtraction."""

    def function(x):
        hopeless = (x + 1e-30) - x
        return jnp.where(x > 0, (x + 1.0) - x - 1.0 + x * 1e-12, hopeless)

    found = blamed(function, np.float64(1 / 3))
    assert found is not None
    assert here(found, "jnp.where(x > 0")


def test_only_entries_that_matter_count():
    """One entry underflows and loses all of its bits; another entry's error is an honest rounding."""

    def function(v):
        return jnp.exp(v) / 3

    found = blamed(function, np.array([0.1, -1000.0]))
    assert found.lost_bits < 2
    assert blamed(function, np.array([0.1, -1000.0]), component=1).lost_bits >= 52


def test_an_honest_rounding_is_told_from_a_loss():
    scaled = blamed(lambda x: jnp.exp(x) / 3, np.float64(0.1))
    assert not scaled.is_loss
    assert "loses none of its 53 bits" in scaled.reason
    assert blamed(one_minus, np.float64(40)).is_loss


def test_a_narrower_format_inside_is_named():
    def function(x):
        return jnp.sin(jnp.cos(x).astype(jnp.bfloat16)).astype(jnp.float32)

    found = blamed(function, np.float32(0.3))
    assert found.is_loss
    assert "works in bfloat16: 8 bits, where the result has 24" in found.reason
    assert "works in" not in blamed(one_minus, np.float32(15)).reason


def test_all_components_are_blamed_as_each_by_itself(monkeypatch):
    def function(v):
        return jnp.stack([(v[0] + 1e16) - 1e16, jnp.log(jnp.exp(v[1])), v[2] * 2, jnp.sqrt(v[2]) / v[2]])

    at = np.array([0.3, 800.0, 0.0])
    jaxpr = jax.make_jaxpr(function)(at)
    values = np.asarray(function(at)).tolist()
    alone = [blame(shadow(jaxpr, [at]), i, value=value, run=EquationRuns()) for i, value in enumerate(values)]
    exact, trials = shadow(jaxpr, [at]), []
    replayed = Shadow.results_with
    monkeypatch.setattr(Shadow, "results_with", lambda *each: trials.append(each[1]) or replayed(*each))
    suspects = Suspects(exact, EquationRuns())
    together = [suspects.blame(i, value=value) for i, value in enumerate(values)]
    assert together == alone
    assert [each and each.primitive for each in together] == ["sub", "exp", None, "div"]
    count = len(trials)
    assert [suspects.blame(i, value=value) for i, value in enumerate(values)] == alone
    assert len(trials) == count


def test_an_overflow_inside_is_blamed():
    found = blamed(lambda x: jnp.log(jnp.exp(x)), np.float64(800))
    assert (found.primitive, found.cause) == ("exp", Cause.NONFINITE)
    prices = np.array([1408, 1500, 1300, 1450], np.float16)
    found = blamed(lambda v: jnp.mean(v * v) - jnp.mean(v) ** 2, prices)
    assert (found.primitive, found.cause) == ("mul", Cause.NONFINITE)


def sinc_by_hand(x):
    return jnp.where(x == 0, 1.0, jnp.sin(x) / x)


def guarded_root(x):
    root = jnp.sqrt(x)
    return jnp.where(x > 0, root, 0.0)


def test_nan_from_a_branch_not_taken_is_located():
    found = blamed(jax.grad(guarded_root), np.float64(0))
    assert math.isnan(float(jax.grad(guarded_root)(0.0)))
    assert (found.primitive, found.cause) == ("mul", Cause.NONFINITE)
    assert here(found, "root = jnp.sqrt(x)")
    assert "NaN" in found.reason


def test_nan_of_zero_over_zero_is_located():
    found = blamed(jax.grad(sinc_by_hand), np.float64(0))
    assert found.primitive == "div"
    assert here(found, "jnp.sin(x) / x")


def test_nan_that_does_not_reach_the_component_is_not_blamed():
    """The first division gives NaN too, but only the second one's reaches the component."""

    def function(x):
        first = x / x
        second = (x - x) / x
        return jnp.where(x == 0, second, first)

    found = blamed(function, np.float64(0))
    assert here(found, "second = (x - x) / x")


def test_a_decision_that_rounding_turns_is_blamed():
    found = blamed(lambda x: jnp.where(x + 1e-20 > 1, 5.0, 7.0), np.float64(1))
    assert found.cause is Cause.DECISION or found.primitive == "add"
    assert found.share == pytest.approx(1)


def test_equations_of_loops_are_counted_as_they_run():
    def function(x):
        return jax.lax.fori_loop(0, 3, lambda _, total: total * 1.5 - total, x)

    jaxpr = jax.make_jaxpr(function)(np.float64(0.1))
    steps = [step.equation.primitive.name for step in shadow(jaxpr, [np.float64(0.1)]).steps]
    assert steps.count("mul") == steps.count("sub") == 3


def test_replacing_a_step_by_its_own_result_changes_nothing():
    at = np.float64(2)
    exact = shadow(jax.make_jaxpr(one_minus)(at), [at])
    for index, step in enumerate(exact.steps):
        assert exact.entry_with(0, index, step.outputs).overlaps(exact.entry(0))


def test_a_planted_local_error_is_found():
    """A wrong implementation of one primitive, here of exp, is what the blame points at."""

    def broken(tasks):
        found = EquationRuns()(tasks)
        return [
            [each * (1 + 1e-3) for each in results] if equation.primitive.name == "exp" else results
            for (equation, _), results in zip(tasks, found, strict=True)
        ]

    at = np.float64(0.7)
    jaxpr = jax.make_jaxpr(lambda x: jnp.sin(jnp.exp(x)) * jnp.cos(x) + 3)(at)
    found = blame(shadow(jaxpr, [at]), run=broken)
    assert found is not None
    assert found.primitive == "exp"
    assert found.lost_bits == pytest.approx(42, abs=1)


def test_decisions_are_asked_once_and_followed_after():
    """A policy that replays a record has it only once; every trial of the blame follows what it said."""

    def function(x):
        step = jax.lax.while_loop(lambda s: s[1] > s[0] * 1e-3, lambda s: (s[0], s[1] / 2), (x, x))[1]
        return 1.0 - (1.0 - step * 1e-18)

    record = iter([1] * 10 + [0])
    jaxpr = jax.make_jaxpr(function)(np.float64(1))
    found = blame(shadow(jaxpr, [np.float64(1)], decide=lambda equation, exact: next(record)), value=0.0)
    assert found is not None
    assert found.primitive == "sub"
    assert found.share == pytest.approx(1)


def test_a_branch_that_rounding_turns_is_blamed():
    def function(x):
        return jax.lax.cond(x + 1e-20 > 1, lambda: 5.0, lambda: 7.0)

    found = blamed(function, np.float64(1))
    assert found is not None
    assert found.share == pytest.approx(1)


def test_the_device_is_asked_only_for_what_may_round():
    def function(x):
        return jnp.sum(jax.lax.reduce_precision(jnp.broadcast_to(jnp.reshape(x, (1, 2)), (3, 2)).T, 8, 7) * 3)

    at = np.array([0.1, 0.7])
    exact = shadow(jax.make_jaxpr(function)(at), [at])
    assert [each.primitive.name for each, _ in exact.tasks] == ["reduce_precision", "mul", "reduce_sum"]
    asked = EquationRuns()(
        [(step.equation, [np.asarray(each, dtype=np.float64) for each in step.inputs]) for step in exact.steps]
    )
    for local, whole in zip(exact.local(EquationRuns()), asked, strict=True):
        assert [each.tolist() for each in local] == [each.tolist() for each in whole]
