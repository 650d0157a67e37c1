"""The shadow run: an exact run of a program, step by step, beside what its dtypes make of every single step.

    local result of a step = the dtype's operation on the *rounded exact* operands
    effect of a step       = (the exact program with that one result replaced by the local one) - (the exact program)

Source: Panchekha et al., Automatically improving accuracy for floating point expressions, PLDI 2015, section 4.4.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from flint import arb

from verifier.arithmetic.ball import BallSystem
from verifier.arithmetic.elements import Special
from verifier.arithmetic.floats import FORMATS, round_to
from verifier.truth.jaxprs import evaluate, evaluate_equation, follow_exact
from verifier.truth.machine import Decide, kind_of
from verifier.truth.rules.control import RULES as CONTROL
from verifier.truth.rules.structural import RULES as STRUCTURAL

__all__ = ["Run", "Shadow", "Step", "entry_of", "shadow"]

Array = np.ndarray
Task = tuple[Any, Sequence[Array]]
"""An equation and its operands, concrete numbers in their dtypes."""
Run = Callable[[Sequence[Task]], Sequence[Sequence[Array] | None]]
"""Runs equations, each by itself: their results in their dtypes, None where there are none."""


_EXACT = frozenset(
    (
        *STRUCTURAL,
        *("eq", "ne", "lt", "le", "gt", "ge", "is_finite", "select_n", "stop_gradient"),
        *("abs", "neg", "sign", "max", "min", "reduce_max", "reduce_min"),
    )
)
"""Whose exact result of known numbers is the dtype's: compiling them to ask costs as much as what rounds."""


@dataclass(frozen=True, slots=True)
class Step:
    """One execution of an equation that is no call, branch or loop: its exact operands and results."""

    equation: Any
    inputs: Sequence[Array]
    outputs: Sequence[Array]


@dataclass(frozen=True, kw_only=True)
class Shadow:
    """An exact run of a program on exact arguments, and the means to repeat it with one result replaced."""

    program: Any
    arguments: Sequence[Any]
    system: BallSystem
    options: dict[str, Any]
    steps: tuple[Step, ...]
    decisions: tuple[tuple[int | None, int | None], ...]
    results: tuple[Array, ...]

    def entry(self, component: int) -> Any:
        """The exact element of a component; components count all entries of all results."""
        return entry_of(self.results, component)

    def entry_with(self, component: int, index: int, outputs: Sequence[Array]) -> Any:
        """The element of a component where the step of that index returns `outputs`; what follows is exact."""
        return entry_of(self.results_with(index, outputs), component)

    def results_with(self, index: int, outputs: Sequence[Array]) -> Sequence[Array]:
        """All results where the step of that index returns `outputs`."""
        counter = iter(range(len(self.steps) + 1))

        def instead(equation: Any, inputs: Sequence[Array]) -> Sequence[Array] | None:
            if equation.primitive.name in CONTROL:
                return None
            number = next(counter, len(self.steps))
            return outputs if number == index else self.steps[number].outputs if number < index else None

        options = {**self.options, "instead": instead, "decide": self._followed()}
        return evaluate(self.program, self.arguments, self.system, **options)

    def _followed(self) -> Decide:
        """The decisions of the exact run, except where the replaced result turns one."""
        made = iter(self.decisions)

        def decide(equation: Any, exact: int | None) -> int | None:
            before, followed = next(made, (exact, exact))
            return followed if exact is None or exact == before else exact

        return decide

    def local(self, run: Run | None) -> list[list[Array] | None]:
        """What the dtype makes of each step's rounded exact operands; None where an operand is not known.

        Float results come as float64. `run` executes the equations; without it the exact result is rounded once.
        """
        found = iter(() if run is None else run(self.tasks))
        results = [
            None if task is None else self._rounded_once(task) if run is None or _is_exact(task) else next(found)
            for task in self._tasks
        ]
        return [
            None if each is None else _all_wide(each, step.equation.outvars)
            for step, each in zip(self.steps, results, strict=True)
        ]

    @property
    def tasks(self) -> list[Task]:
        """What a device has to be asked: each step that does more than move, compare or choose known numbers."""
        return [each for each in self._tasks if each is not None and not _is_exact(each)]

    @cached_property
    def _tasks(self) -> list[Task | None]:
        """The equation of each step with its operands, rounded to their dtypes; None where one is not known."""
        operands = (_all_rounded(step.inputs, step.equation.invars) for step in self.steps)
        return [
            None if each is None else (step.equation, _typed(each, step.equation.invars))
            for step, each in zip(self.steps, operands, strict=True)
        ]

    def _rounded_once(self, task: Task) -> list[Array] | None:
        equation, operands = task
        exact = evaluate_equation(equation, _all_wide(operands, equation.invars), self.system)
        return _all_rounded(exact, equation.outvars)


def shadow(program: Any, arguments: Sequence[Any], *, bits: int = 512, **options: Any) -> Shadow:
    """Run a closed jaxpr exactly on concrete arguments and keep every step; `options` are those of `evaluate`.

    A `decide` among them is asked in this one run; repetitions follow what it said.
    """
    system, steps, decisions = BallSystem(bits), [], []
    given: Decide = options.get("decide", follow_exact)

    def decide(equation: Any, exact: int | None) -> int | None:
        decisions.append((exact, given(equation, exact)))
        return decisions[-1][1]

    def instead(equation: Any, inputs: Sequence[Array]) -> None:
        if equation.primitive.name not in CONTROL:
            steps.append([equation, inputs, ()])
            places[id(inputs)] = steps[-1]

    def watch(equation: Any, inputs: Sequence[Array], outputs: Sequence[Array]) -> None:
        if id(inputs) in places:
            places[id(inputs)][2] = list(outputs)

    # A step is known by the list of its inputs, which stays alive in `steps`.
    places: dict[int, list[Any]] = {}
    asked = {**options, "instead": instead, "watch": watch, "decide": decide}
    results = evaluate(program, arguments, system, **asked)
    return Shadow(
        program=program,
        arguments=arguments,
        system=system,
        options=options,
        steps=tuple(Step(*each) for each in steps),
        decisions=tuple(decisions),
        results=tuple(results),
    )


def _is_exact(task: Task) -> bool:
    return task[0].primitive.name in _EXACT


def _typed(operands: Sequence[Array], variables: Sequence[Any]) -> list[Array]:
    return [values.astype(each.aval.dtype) for values, each in zip(operands, variables, strict=True)]


def _all_wide(found: Sequence[Array], variables: Sequence[Any]) -> list[Array]:
    return [_wide(*each) for each in zip(found, variables, strict=True)]


def entry_of(results: Sequence[Array], component: int) -> Any:
    """The entry of that number, where all entries of all results are counted."""
    for each in results:
        if component < each.size:
            return each.reshape(-1)[component]
        component -= each.size
    raise IndexError("no such component")


def _all_rounded(values: Sequence[Array], variables: Sequence[Any]) -> list[Array] | None:
    found = [_rounded(each, variable) for each, variable in zip(values, variables, strict=True)]
    return None if any(each is None for each in found) else found  # pyright: ignore[reportReturnType]


def _rounded(values: Array, variable: Any) -> Array | None:
    """Exact values as members of their variable's dtype (as float64); None where one is not known."""
    kind = kind_of(variable)
    if kind in ("integer", "boolean"):
        return None if values.dtype == object else values
    form = FORMATS.get(getattr(variable.aval.dtype, "name", ""))
    if kind != "real" or form is None:
        return None
    if not all(isinstance(each, (arb, Special)) for each in values.flat):
        return None
    floats = [round_to(each, form) if isinstance(each, arb) else float(each.value) for each in values.flat]
    return np.asarray(floats, dtype=np.float64).reshape(values.shape)


def _wide(values: Any, variable: Any) -> Array:
    array = np.asarray(values)
    return array.astype(np.float64) if kind_of(variable) == "real" else array
