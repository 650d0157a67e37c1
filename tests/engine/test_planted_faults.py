"""Wrong derivatives planted in the programs, in the table of modes and in the truth: each is caught, and named."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import pytest

from verifier.engine import program as program_module
from verifier.execution import observe as observe_module
from verifier.symbolic.graph import elementwise
from verifier.symbolic.kernels import slot
from verifier.symbolic.lowering import as_function
from verifier.truth import formula as formula_module

PLANE = """
inputs: {x: {domain: [1, 2]}, y: {domain: [1, 2]}}
value: x**2 + 3*x*y + y**2
orders: [1]
points: [{x: 1.25, y: 1.75}]
"""
CURVE = """
inputs: {x: {domain: [1, 2]}}
value: sin(x)*x
orders: [1, 2]
points: [{x: 1.25}]
"""
LINEAR = """
inputs: {v: {shape: [2], domain: [1, 2]}}
data: {m: {values: [[2, 3], [5, 7]]}}
value: m @ v
orders: [1]
points: [{v: [1.25, 1.5]}]
"""


def honest(f, primals, tangents):
    return jax.jvp(f, primals, tangents)[1]


def failing(run):
    """What the run names: (program, order, component, verdict) of every failing record."""
    return {(each.program, each.order, each.component, each.verdict) for each in run.verdicts if each.fails}


def test_the_honest_rule_passes(plant, verified):
    plant(honest)
    run = verified(PLANE, programs=("grad/jit", "jvp/jit"))
    assert failing(run) == set()
    assert run.end.exit_status == 0


@pytest.mark.parametrize(
    ("factor", "verdict"), [(-1, "LOSSY"), (1 + 1e-6, "LOSSY"), (0, "LOSSY"), (float("nan"), "NONFINITE")]
)
def test_a_wrong_factor_is_named(plant, verified, factor, verdict):
    plant(lambda f, primals, tangents: factor * honest(f, primals, tangents))
    run = verified(CURVE.replace("[1, 2]\np", "[1]\np"))
    assert failing(run) == {("grad/jit", 1, "d/dx", verdict)}
    assert [each.verdict for each in run.rules if each.fails] == ["WRONG"]
    assert run.end.findings == 2  # the rule, and the number that it makes
    assert run.end.exit_status == 1


def test_a_dropped_term_is_named_by_its_component(plant, verified):
    plant(lambda f, p, t: 2 * p[0] * t[0] + (3 * p[0] + 2 * p[1]) * t[1])
    assert failing(verified(PLANE)) == {("grad/jit", 1, "d/dx", "LOSSY")}


def test_swapped_arguments_are_named(plant, verified):
    plant(lambda f, p, t: honest(f, p, t[::-1]))
    assert failing(verified(PLANE)) == {("grad/jit", 1, name, "LOSSY") for name in ("d/dx", "d/dy")}


def test_a_transposed_jacobian_is_named_off_its_diagonal(plant, verified):
    plant(lambda f, p, t: jax.jacfwd(f)(*p).T @ t[0])
    run = verified(LINEAR, programs=("jacfwd/jit",))
    assert failing(run) == {("jacfwd/jit", 1, name, "LOSSY") for name in ("value[0] d/dv[1]", "value[1] d/dv[0]")}


def test_a_fault_of_the_second_order_is_named_there(plant, verified):
    plant(lambda f, p, t: jax.lax.stop_gradient(jax.grad(f)(*p)) * t[0])
    run = verified(CURVE, programs=("grad/jit", "grad2/jit"))
    assert failing(run) == {("grad2/jit", 2, "d2/dx2", "LOSSY")}


def test_a_wrong_value_is_named(monkeypatch, verified):
    def shifted(definitions):
        f = as_function(definitions)
        return lambda *given: f(*given) + 1e-6

    monkeypatch.setattr(program_module, "as_function", shifted)
    run = verified(CURVE, programs=("value/jit", "grad/jit"))
    assert failing(run) == {("value/jit", 0, "value", "LOSSY")}


def test_one_wrong_mode_is_told_from_the_right_ones(monkeypatch, verified):
    build = observe_module.build

    def broken(row, *given, **options):
        run = build(row, *given, **options)
        return run if row.name != "jacrev" else lambda *inner: -run(*inner)

    monkeypatch.setattr(observe_module, "build", broken)
    run = verified(PLANE, programs=("grad/jit", "jacfwd/jit", "jacrev/jit"))
    assert {program for program, *_ in failing(run)} == {"jacrev/jit"}


def test_a_program_that_raises_is_a_failing_record_with_the_reason(plant, verified):
    def refuse(f, p, t):
        raise RuntimeError("no rule today")

    plant(refuse)
    run = verified(CURVE, programs=("value/jit", "grad/jit"))
    assert ("grad/jit", 1, "*", "FAILED") in failing(run)
    (record,) = [each for each in run.verdicts if each.verdict == "FAILED"]
    assert "no rule today" in record.worst.reason


@pytest.mark.parametrize("corruption", [-slot(0), slot(0) * 3 / 2, slot(0) + 1])
def test_a_corrupt_symbolic_derivative_is_an_oracle_conflict(monkeypatch, verified, corruption):
    sound = formula_module.derivative

    def corrupt(node, leaves, order):
        found = sound(node, leaves, order)
        return elementwise(corruption, [found]) if order else found

    monkeypatch.setattr(formula_module, "derivative", corrupt)
    run = verified(CURVE)
    assert run.entries[0].status == "ORACLE CONFLICT"
    assert "order 1" in run.entries[0].reason
    assert run.end.findings >= 1
    assert run.end.exit_status == 1


def test_a_corrupt_germ_is_an_oracle_conflict(monkeypatch, verified):
    from verifier.truth import routes
    from verifier.truth.one_sided import LineGerm, Sides

    class Wrong(LineGerm):
        def derivatives(self, order, **given):
            found = LineGerm.derivatives(self, order, **given)
            for index, sides in enumerate(found if order else ()):
                found[index] = Sides(sides.left + 1, sides.right + 1)
            return found

    monkeypatch.setattr(routes, "LineGerm", Wrong)
    run = verified(PLANE)
    assert run.entries[0].status == "ORACLE CONFLICT"
    assert run.end.exit_status == 1


def test_a_fault_in_a_device_array_does_not_hide_behind_other_points(monkeypatch, verified):
    """One NaN among many right numbers decides the record, and the record says where."""

    def nan_at_the_middle(definitions):
        f = as_function(definitions)
        return lambda x, data: jnp.where(x == 1.25, jnp.nan, f(x, data))

    monkeypatch.setattr(program_module, "as_function", nan_at_the_middle)
    run = verified(CURVE, programs=("value/jit",), samples=6)
    (record,) = run.verdicts
    assert record.verdict == "NONFINITE"
    assert record.counts["NONFINITE"] == 1
    assert record.worst.label == "x = 1.25"
    assert record.worst.inputs["x"][0].decimal == "1.25"
