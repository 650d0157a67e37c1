"""Equations of a jaxpr, run by JAX on concrete operands, each by itself: what the device really does at that step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

__all__ = ["EquationRuns"]

Task = tuple[Any, Sequence[np.ndarray]]
"""An equation and its operands, of its dtypes."""
Results = list[np.ndarray]


@dataclass(eq=False)
class EquationRuns:
    """Runs equations, and remembers what it ran.

    Many are compiled as one program in which none depends on another: compiling each costs as much as running it ten
    thousand times.
    """

    _known: dict[Any, tuple[Any, Results]] = field(default_factory=dict)
    """With the equation, which is thus kept: what it is known by holds as long as it lives."""

    def __call__(self, tasks: Sequence[Task]) -> list[Results]:
        """The results of each task; raises what JAX raises."""
        keys = [_key(each) for each in tasks]
        new = {key: task for key, task in zip(keys, tasks, strict=True) if key not in self._known}
        for wide in (False, True):
            mine = {key: task for key, task in new.items() if _is_wide(task[0]) is wide}
            if mine:
                with jax.enable_x64(wide):
                    found = _run(list(mine.values()))
                self._known |= {key: (mine[key][0], each) for key, each in zip(mine, found, strict=True)}
        return [self._known[key][1] for key in keys]


def _run(tasks: Sequence[Task]) -> list[Results]:
    equations = [equation for equation, _ in tasks]

    def together(operands: Sequence[Sequence[Any]]) -> list[list[Any]]:
        return [_bound(equation, each) for equation, each in zip(equations, operands, strict=True)]

    run = jax.jit(together) if len(tasks) > 1 else together
    found = run(jax.device_put([list(operands) for _, operands in tasks]))
    return [[np.asarray(each) for each in results] for results in found]


def _bound(equation: Any, operands: Sequence[Any]) -> list[Any]:
    found = equation.primitive.bind(*operands, **equation.params)
    return list(found) if equation.primitive.multiple_results else [found]


def _key(task: Task) -> Any:
    """What tells one task from another."""
    equation, operands = task
    shown = tuple((each.shape, str(each.dtype), each.tobytes()) for each in operands)
    return equation.primitive.name, str(equation.params), shown


def _is_wide(equation: Any) -> bool:
    return any(getattr(each.aval, "dtype", None) in _WIDE for each in (*equation.invars, *equation.outvars))


_WIDE = tuple(map(np.dtype, ("float64", "complex128", "int64", "uint64")))
