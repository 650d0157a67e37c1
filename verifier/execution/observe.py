"""Running a plan: what each program computed, at which points, or why it computed nothing.

A program that JAX cannot build or run is an observation with a reason, never an exception.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from verifier.errors import UsageError
from verifier.execution.compiled import Outcome, batched, eager, pointwise, reason_of
from verifier.execution.devices import jax_device
from verifier.execution.dtypes import numpy_dtype, rounded, to_float64, x64_for
from verifier.execution.operands import Operands, operands
from verifier.execution.points import Point
from verifier.programs.components import Contraction, component_count
from verifier.programs.modes import SYMBOLIC, Function, Run, Transform, build, flattened, row_of
from verifier.programs.plan import BATCHED, EAGER, POINTWISE, Launch, Plan, Program
from verifier.programs.size import equations

__all__ = ["Observation", "observe"]

_STYLES = {EAGER: eager, POINTWISE: pointwise, BATCHED: batched}
_HIGH_ORDER = 5
"""From this order on a nested program is measured before it is compiled."""
_EQUATION_LIMIT = 2_000
"""Compiling takes about a millisecond per equation, and more in long programs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What one program computed for one dtype on one device.

    `values` has shape (points, components) in float64, which holds every dtype exactly; None with a `reason`.
    """

    program: str
    order: int
    dtype: str
    device: str
    points: tuple[int, ...]
    """Indices into the points of the dtype."""
    values: np.ndarray | None = None
    reason: str | None = None


def observe(
    plan: Plan,
    f: Function,
    *,
    points: Mapping[str, Sequence[Point]],
    data: Mapping[str, Any],
    symbolic: Mapping[int, Function] | None = None,
) -> tuple[Observation, ...]:
    """Run every launch of a plan, in its order.

    `f(*arguments, data)` is the value; `symbolic[k](*arguments, data)` the derivative of order k, of shape
    value_shape + (n,) * k. `data` are exact numbers, rounded here into each dtype. Raises only what misuse raises.
    """
    task = _Task(plan=plan, f=f, symbolic=symbolic or {})
    arrays: dict[str, dict[str, np.ndarray]] = {}
    found: list[Observation] = []
    for launch in plan.launches:
        if launch.dtype not in arrays:
            arrays[launch.dtype] = {name: rounded(each, launch.dtype) for name, each in data.items()}
        given = [points[launch.dtype][index] for index in launch.points]
        with x64_for(launch.dtype):
            outcomes = _launched(task, launch, given, arrays[launch.dtype])
        found += (_observation(task, launch, each, outcomes[_key(each)]) for each in launch.programs)
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """What every launch of one call needs; `sizes` remembers measured programs from launch to launch."""

    plan: Plan
    f: Function
    symbolic: Mapping[int, Function]
    sizes: dict[tuple[str, bool, int], int] = field(default_factory=dict)

    def run(self, program: Program) -> Run:
        if program.transform == SYMBOLIC:
            return flattened(self.symbolic[program.order])
        return self.nested(_row(program), program.order, remat=program.compilation == "remat")

    def nested(self, row: Transform, order: int, *, remat: bool) -> Run:
        return build(row, order, self.f, self.plan.signature, remat=remat)


def _launched(
    task: _Task, launch: Launch, points: Sequence[Point], data: Mapping[str, np.ndarray]
) -> dict[str, Outcome]:
    """What each program of the launch gave."""
    try:
        given = operands(
            task.plan.signature,
            launch.dtype,
            jax_device(launch.device),
            points=points,
            data=data,
            signs=task.plan.signs,
        )
    except Exception as error:  # for instance a device that does not have the dtype
        return {_key(each): Outcome(reason=reason_of(error)) for each in launch.programs}
    refused = {_key(each): _oversize(task, each, given) for each in launch.programs}
    runs = {_key(each): task.run(each) for each in launch.programs if refused[_key(each)] is None}
    outcomes = _STYLES[launch.style](runs, given, range(len(points))) if runs else {}
    return outcomes | {key: Outcome(reason=reason) for key, reason in refused.items() if reason}


def _oversize(task: _Task, program: Program, given: Operands) -> str | None:
    """Why a program of high order is too large to compile; None also where tracing fails: running it tells why."""
    if (
        program.order < _HIGH_ORDER
        or program.transform == SYMBOLIC
        or _row(program).contraction is not Contraction.NONE
    ):
        return None
    for order in range(_HIGH_ORDER, program.order + 1):
        count = _size(task, _row(program), order, program.compilation == "remat", given)
        if count > _EQUATION_LIMIT:
            return (
                f"{count:,} equations at order {order}, more than {_EQUATION_LIMIT:,}: compiling it would take too long"
            )
    return None


def _size(task: _Task, row: Transform, order: int, remat: bool, given: Operands) -> int:
    key = (row.name, remat, order)
    if key not in task.sizes:
        try:
            task.sizes[key] = equations(task.nested(row, order, remat=remat), *given.at(0))
        except Exception:
            task.sizes[key] = 0
    return task.sizes[key]


def _observation(task: _Task, launch: Launch, program: Program, outcome: Outcome) -> Observation:
    reason, values = outcome.reason, None
    if outcome.values is not None:
        expected = component_count(task.plan.signature, program.order, program.contraction)
        reason = _mismatch(outcome.values, launch.dtype, (len(launch.points), expected))
        values = None if reason else to_float64(outcome.values)
    return Observation(
        program=program.name,
        order=program.order,
        dtype=launch.dtype,
        device=launch.device,
        points=launch.points,
        values=values,
        reason=reason,
    )


def _mismatch(values: np.ndarray, dtype: str, shape: tuple[int, int]) -> str | None:
    """What is wrong with the form of the results; None when nothing is."""
    if values.shape != shape:
        return f"the program returned {values.shape[1:]} components at each point, expected {shape[1:]}"
    if values.dtype != numpy_dtype(dtype):
        return f"the program returned {values.dtype} although its inputs are {dtype}"
    return None


def _row(program: Program) -> Transform:
    row = row_of(program.transform, program.order)
    if row is None:
        raise UsageError(f"no such program: {program.name} of order {program.order}")
    return row


def _key(program: Program) -> str:
    return f"{program.order} {program.name}"
