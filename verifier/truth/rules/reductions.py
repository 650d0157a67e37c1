"""Reductions and cumulative operations of elements, in order from the first entry on."""

from __future__ import annotations

from typing import Any

import numpy as np

from verifier.arithmetic.elements import NEG_INF, POS_INF
from verifier.truth.machine import Machine, Rule, Table, flattened, rules
from verifier.truth.values import boxed

__all__ = ["RULES"]

Array = np.ndarray


def _folded(name: str, empty: Any) -> Rule:
    """The row of a reduction over `axes`; `empty` is its value over nothing (an integer or a special)."""

    def compute(machine: Machine, equation: Any, x: Array) -> Array:
        nothing = machine.exact(empty) if isinstance(empty, int) else empty
        return machine.fold(name, x, equation.params["axes"], nothing)

    return Rule(compute, (name,))


def _running(name: str) -> Rule:
    """The row of a cumulative operation along `axis`, perhaps from its end."""

    def compute(machine: Machine, equation: Any, x: Array) -> Array:
        axis, backwards = equation.params["axis"], equation.params["reverse"]
        if not x.size:
            return x
        result = machine.accumulate(name, np.flip(x, axis) if backwards else x, axis)
        return np.flip(result, axis) if backwards else result

    return Rule(compute, (name,))


def _cumlogsumexp(machine: Machine, equation: Any, x: Array) -> Array:
    """log of the running sum of exp: exact arithmetic has no overflow to guard against."""
    running = _running("add").compute(machine, equation, machine.map("exp", x))
    return machine.map("log", running)


def _reduce(machine: Machine, equation: Any, *operands: Array) -> list[Array]:
    """Several arrays folded together by a program over `dimensions`: (accumulated..., entries...) -> accumulated."""
    count = len(operands) // 2
    arrays, starts = operands[:count], operands[count:]
    lines = [flattened(array, equation.params["dimensions"]) for array in arrays]
    results = [np.empty(line.shape[:-1], dtype=object) for line in lines]
    for place in np.ndindex(*lines[0].shape[:-1]):
        total = list(starts)
        for index in range(lines[0].shape[-1]):
            entries = [boxed(line[*place, index]) for line in lines]
            total = machine.run(equation.params["jaxpr"], [*total, *entries])
        for result, value in zip(results, total, strict=True):
            result[place] = value[()]
    return results


RULES: Table = {
    "reduce_sum": _folded("add", 0),
    "reduce_prod": _folded("mul", 1),
    "reduce_max": _folded("max", NEG_INF),
    "reduce_min": _folded("min", POS_INF),
    "cumsum": _running("add"),
    "cumprod": _running("mul"),
    "cummax": _running("max"),
    "cummin": _running("min"),
    "cumlogsumexp": Rule(_cumlogsumexp, ("exp", "log")),
    **rules(reduce=_reduce),
}
