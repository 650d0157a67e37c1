"""Equations run by themselves: together or one by one, what the device makes of each."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from verifier.programs.one_equation import EquationRuns


def function(x):
    return jnp.tanh(jnp.exp(-x) * x) / (1 + x * x), jnp.floor(x), x > 0.5, jax.lax.top_k(jnp.stack([x, 1 - x]), 1)


def tasks(dtype):
    at = np.asarray(0.625, dtype)
    with jax.enable_x64(np.dtype(dtype) == np.float64):
        equations = jax.make_jaxpr(function)(at).jaxpr.eqns
    ones = [
        (each, [np.full(v.aval.shape, 0.625).astype(v.aval.dtype) for v in each.invars])
        for each in equations
        if each.primitive.name not in ("pjit", "jit")
    ]
    assert len(ones) > 6
    return ones


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, jnp.bfloat16], ids=str)
def test_equations_run_together_give_what_they_give_alone(dtype):
    given = tasks(dtype)
    together = EquationRuns()(given)
    for task, results in zip(given, together, strict=True):
        (alone,) = EquationRuns()([task])
        for one, other in zip(results, alone, strict=True):
            assert (one.dtype, one.tobytes()) == (other.dtype, other.tobytes())


def test_one_task_is_run_once_and_another_operand_is_another_task(monkeypatch):
    runs, (equation, operands) = EquationRuns(), tasks(np.float64)[0]
    counted = []
    monkeypatch.setattr(runs, "_known", Counting(counted))
    runs([(equation, operands)] * 3)
    runs([(equation, operands)])
    runs([(equation, [each * 2 for each in operands])])
    assert len(counted) == 2


class Counting(dict):
    """Notes what is added to it."""

    def __init__(self, counted: list) -> None:
        super().__init__()
        self.counted = counted

    def __ior__(self, other):
        self.counted += other
        return super().__ior__(other)
