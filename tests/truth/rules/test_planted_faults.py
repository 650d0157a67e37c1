"""Each of these faults in a rule is one that the comparison with JAX catches."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from verifier.truth import primitives
from verifier.truth.machine import Rule

X = np.array([0.3, 0.45, 0.2])
M = np.array([[0.7, -0.4, 0.9], [0.2, 1.1, -0.6]])


def _with_params(rule, **changes):
    """The rule, blind to some parameters of its equation."""

    def compute(machine, equation, *operands):
        seen = SimpleNamespace(
            params={**equation.params, **{k: v(equation.params[k]) for k, v in changes.items()}},
            invars=equation.invars,
            outvars=equation.outvars,
            primitive=equation.primitive,
        )
        return rule.compute(machine, seen, *operands)

    return Rule(compute)


def _swapped(rule):
    return Rule(lambda machine, equation, a, b, *rest: rule.compute(machine, equation, b, a, *rest))


def _scaled(rule):
    """A factor of 1 + 2^-20."""

    def compute(machine, equation, *operands):
        factor = machine.operation("div")(machine.exact(2**20 + 1), machine.exact(2**20))
        return machine.map("mul", rule.compute(machine, equation, *operands), factor)

    return Rule(compute)


def _clipping(params):
    return lax.GatherScatterMode.CLIP


FAULTS = {
    "operands of sub swapped": ("sub", _swapped, lambda x: x - 2.0, X),
    "operands of div swapped": ("div", _swapped, lambda x: x / 2.0, X),
    "a wrong constant": ("sin", _scaled, jnp.sin, X),
    "cases of a select swapped": (
        "select_n",
        lambda rule: Rule(lambda m, e, which, a, b: rule.compute(m, e, which, b, a)),
        lambda x: jnp.where(x > 0.25, x, 1.0),
        X,
    ),
    "the mode of gather ignored": (
        "gather",
        lambda rule: _with_params(rule, mode=_clipping),
        lambda x: x.at[jnp.array([0, 7])].get(mode="fill", fill_value=2.0),
        X,
    ),
    "the mode of scatter ignored": (
        "scatter-add",
        lambda rule: _with_params(rule, mode=_clipping),
        lambda x: jnp.zeros(2).at[jnp.array([0, 1, 9])].add(x),
        X,
    ),
    "the direction of a cumulative sum ignored": (
        "cumsum",
        lambda rule: _with_params(rule, reverse=lambda reverse: False),
        lambda x: lax.cumsum(x, reverse=True),
        X,
    ),
    "the direction of a scan ignored": (
        "scan",
        lambda rule: _with_params(rule, reverse=lambda reverse: False),
        lambda x: lax.scan(lambda c, a: (c * a, c), 1.0, x, reverse=True),
        X,
    ),
    "the start of a slice ignored": (
        "slice",
        lambda rule: _with_params(rule, start_indices=lambda starts: tuple(0 * s for s in starts)),
        lambda m: m[:, 1:2],
        M,
    ),
    "padding on the wrong side": (
        "pad",
        lambda rule: _with_params(rule, padding_config=lambda c: tuple((lo + hi, 0, i) for lo, hi, i in c)),
        lambda x: lax.pad(x, 0.0, [(0, 1, 1)]),
        X,
    ),
    "the stride of a convolution ignored": (
        "conv_general_dilated",
        lambda rule: _with_params(rule, window_strides=lambda s: tuple(1 for _ in s), padding=lambda p: [(0, 0)]),
        lambda x: lax.conv_general_dilated(
            jnp.tile(x, 2)[None, None], x[:2][None, None], (2,), [(1, 1)], (1,), (1,), ("NCH", "OIH", "NCH")
        ),
        X,
    ),
    "a transposed triangular solve": (
        "triangular_solve",
        lambda rule: _with_params(rule, transpose_a=lambda transposed: not transposed),
        lambda m: jax.scipy.linalg.solve_triangular(m[:, :2] + jnp.eye(2), m[:, 2]),
        M,
    ),
    "the smallest sorted last": (
        "sort",
        lambda rule: Rule(lambda m, e, *xs: [each[..., ::-1] for each in rule.compute(m, e, *xs)]),
        jnp.sort,
        X,
    ),
    "a cond that always takes the first branch": (
        "cond",
        lambda rule: Rule(lambda m, e, index, *xs: rule.compute(m, e, np.asarray(0), *xs)),
        lambda x: lax.cond(x[0] > 0, jnp.sin, jnp.cos, x),
        X,
    ),
    "a loop that stops one step early": (
        "while",
        lambda rule: Rule(lambda m, e, *xs: rule.compute(_hasty(m), e, *xs)),
        lambda x: lax.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, jnp.sin(c[1])), (0, x))[1],
        X,
    ),
}


def _hasty(machine):
    steps = iter([1, 1, 0])
    return dataclasses.replace(machine, decide=lambda equation, exact: next(steps))


@pytest.mark.parametrize("name", FAULTS)
def test_the_fault_is_caught(agree, monkeypatch, name):
    primitive, plant, program, at = FAULTS[name]
    agree(program, at, value_only=True)
    planted = {**primitives.RULES, primitive: plant(primitives.RULES[primitive])}
    monkeypatch.setattr(primitives, "RULES", planted)
    with pytest.raises(AssertionError):
        agree(program, at, value_only=True)


def test_a_missing_batch_axis_is_caught(agree, monkeypatch):
    """Every product of a batch computed from its first matrix."""
    rule = primitives.RULES["dot_general"]

    def compute(machine, equation, a, b):
        return rule.compute(machine, equation, np.broadcast_to(a[:1], a.shape), b)

    def program(m):
        return jnp.einsum("bij,bjk->bik", jnp.stack([m, 2 * m]), jnp.stack([m.T, m.T]))

    agree(program, M)
    monkeypatch.setattr(primitives, "RULES", {**primitives.RULES, "dot_general": Rule(compute)})
    with pytest.raises(AssertionError):
        agree(program, M, value_only=True)
