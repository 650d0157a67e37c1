"""The one evaluator of jaxprs over a number system; what it knows of primitives stands in tables.

    evaluate(closed_jaxpr, arguments, system) -> list of arrays, one for each result

Arrays are as `verifier.truth.values` says. Nothing here imports JAX: jaxprs are walked as the plain objects they are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any

import numpy as np

from verifier.arithmetic.ball import BallSystem
from verifier.arithmetic.expansion import Germ
from verifier.arithmetic.germ import GermSystem, from_ball
from verifier.arithmetic.one_sided import limit
from verifier.truth.machine import Decide, Freeze, Machine, Rule, kind_of
from verifier.truth.pairs import PairSystem, by_parts
from verifier.truth.primitives import rule_of
from verifier.truth.repeats import Repeats
from verifier.truth.values import Literal, Refused, boxed, category, exact_literals, lifted, settled, unknown

__all__ = ["Concrete", "Watch", "evaluate", "evaluate_equation", "follow_exact", "freeze_limits"]

Watch = Callable[[Any, Sequence[np.ndarray], Sequence[np.ndarray]], None]
"""Sees every equation, those of inner programs too, each time it is evaluated: (equation, inputs, outputs)."""

Concrete = Callable[[Any, Sequence[np.ndarray]], "Sequence[Any] | None"]
"""Runs an equation that has no rule on concrete operands (random bits): (equation, operands) -> results, or None."""

STEP_LIMIT = 100_000

_SECOND_RUN = 256
"""Bits that only a run has of which an earlier one was too wide: to look for repeats costs as much as to compute."""


def follow_exact(equation: Any, decision: int | None) -> int | None:
    """The policy that follows what exact arithmetic decides, and gives up where it does not."""
    return decision


def freeze_limits(equation: Any, values: np.ndarray) -> np.ndarray:
    """The policy that freezes a germ at its limit, and leaves what does not vary as it is.

    At a jump the value at the point may be another one: a caller who knows it freezes at that.
    """
    if values.dtype != object:
        return values
    return boxed(np.frompyfunc(partial(by_parts, _limit), 1, 1)(values))


def _limit(entry: Any) -> Any:
    return from_ball(limit(entry)) if isinstance(entry, Germ) else entry


def evaluate(
    closed_jaxpr: Any,
    arguments: Sequence[Any],
    system: Any,
    *,
    literal: Literal | None = None,
    concrete: Concrete | None = None,
    instead: Concrete | None = None,
    watch: Watch | None = None,
    decide: Decide = follow_exact,
    freeze: Freeze = freeze_limits,
    step_limit: int = STEP_LIMIT,
    strict: bool = False,
) -> list[np.ndarray]:
    """The results of a program on `arguments`: object arrays of elements, or concrete arrays, which are taken exactly.

    A primitive without a rule, or a rule that gives up, makes `Unknown(reason)` of its results, never an exception.
    `instead` is asked first, for every equation: what it returns replaces the results of the rule.
    A system may bring `in_dtype(name)`, the system of one dtype, and `refusal(primitive, dtype, kind)`, its own gaps.
    With `strict` an unexpected exception inside a rule is raised instead (for tests). `step_limit` bounds each loop.
    """
    exact = exact_literals(system)
    evaluator = _Evaluator(system, literal or exact, concrete, instead, watch, decide, freeze, step_limit, strict)
    with system.working(), np.errstate(all="ignore"):
        return evaluator.run(closed_jaxpr, [lifted(argument, exact) for argument in arguments])


def evaluate_equation(equation: Any, operands: Sequence[Any], system: Any) -> list[np.ndarray]:
    """The results of one equation by its rule; operands as for `evaluate`."""
    exact = exact_literals(system)
    evaluator = _Evaluator(system, exact, None, None, None, follow_exact, freeze_limits, STEP_LIMIT, False)
    with system.working(), np.errstate(all="ignore"):
        return evaluator.result(equation, [lifted(operand, exact) for operand in operands])


@dataclass(frozen=True, slots=True)
class _Plain:
    """What an equation is, whoever evaluates it; `kind` and `dtype` say what it computes with."""

    equation: Any
    kind: str
    dtype: str
    dead: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Step:
    """An equation made ready: its rule, and for each operand a variable to look up or the literal's value."""

    equation: Any
    rule: Rule | None
    machine: Machine
    operands: tuple[tuple[Any, np.ndarray | None], ...]
    refusal: str | None
    dead: tuple[Any, ...]


@dataclass(slots=True)
class _Evaluator:
    system: Any
    literal: Literal
    concrete: Concrete | None
    instead: Concrete | None
    watch: Watch | None
    decide: Decide
    freeze: Freeze
    step_limit: int
    strict: bool
    machines: dict[tuple[str, str], Machine] = field(default_factory=dict)
    # Steps by the identity of their jaxpr; the jaxpr is kept so that its identity stays taken.
    prepared: dict[int, tuple[Any, tuple[_Step, ...]]] = field(default_factory=dict)
    overrun: int = 0
    repeats: Repeats | None = None

    def __post_init__(self) -> None:
        if isinstance(self.system, (BallSystem, GermSystem)) and self.system.bits >= _SECOND_RUN:
            self.repeats = Repeats()

    def run(self, program: Any, arguments: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The results of a closed or open jaxpr."""
        jaxpr = getattr(program, "jaxpr", program)
        constants = getattr(program, "consts", ())
        values = dict(zip(jaxpr.constvars, (lifted(each, self.literal) for each in constants), strict=True))
        values.update(zip(jaxpr.invars, arguments, strict=True))
        for step in self._steps(jaxpr):
            inputs = [values[name] if value is None else value for name, value in step.operands]
            outputs = self._results(step, inputs)
            if self.watch is not None:
                self.watch(step.equation, inputs, outputs)
            values.update(zip(step.equation.outvars, outputs, strict=True))
            for name in step.dead:
                del values[name]
        return [values[name] if value is None else value for name, value in map(self._operand, jaxpr.outvars)]

    def run_on(self, program: Any, arguments: Sequence[np.ndarray], steps: int) -> list[np.ndarray]:
        """As `run`, with so many steps more for each loop that stops at a tolerance."""
        before, self.overrun = self.overrun, steps
        try:
            return self.run(program, arguments)
        finally:
            self.overrun = before

    def result(self, equation: Any, inputs: list[np.ndarray]) -> list[np.ndarray]:
        """The results of one equation on these operands, literals included."""
        return self._results(self._step(_plain(equation, ())), inputs)

    def _results(self, step: _Step, inputs: list[np.ndarray]) -> list[np.ndarray]:
        avals = [variable.aval for variable in step.equation.outvars]
        try:
            results = self._compute(step, inputs)
            return [settled(result, aval) for result, aval in zip(results, avals, strict=True)]
        except Refused as refusal:
            reason, remedy = refusal.unknown.reason, refusal.unknown.remedy
        except Exception as error:
            if self.strict:
                raise
            reason, remedy = f"the rule of {step.equation.primitive.name} failed: {type(error).__name__}: {error}", ""
        return [settled(unknown(getattr(aval, "shape", ()), reason, remedy), aval) for aval in avals]

    def _compute(self, step: _Step, inputs: list[np.ndarray]) -> Sequence[Any]:
        replaced = None if self.instead is None else self.instead(step.equation, inputs)
        if replaced is not None:
            return replaced
        if step.refusal:
            raise Refused(step.refusal)
        if step.rule is None:
            return self._run_concretely(step.equation, inputs)
        results = step.rule.compute(step.machine, step.equation, *inputs)
        return results if isinstance(results, (list, tuple)) else (results,)

    def _run_concretely(self, equation: Any, inputs: list[np.ndarray]) -> Sequence[Any]:
        results = None if self.concrete is None else self.concrete(equation, inputs)
        if results is None:
            raise Refused(f"no rule for primitive {equation.primitive.name}")
        return [lifted(result, self.literal) if _is_plain(result) else boxed(result) for result in results]

    def _steps(self, jaxpr: Any) -> tuple[_Step, ...]:
        kept = self.prepared.get(id(jaxpr))
        if kept is None:
            kept = self.prepared[id(jaxpr)] = (jaxpr, tuple(map(self._step, _plain_steps(jaxpr))))
        return kept[1]

    def _step(self, plain: _Plain) -> _Step:
        equation = plain.equation
        operands = tuple(map(self._operand, equation.invars))
        return _Step(equation, rule_of(equation), self._machine(plain), operands, self._refusal(plain), plain.dead)

    def _operand(self, atom: Any) -> tuple[Any, np.ndarray | None]:
        """A literal is lifted once for each place where it stands: two places may mean two different numbers."""
        if not hasattr(atom, "val"):
            return atom, None
        return None, lifted(np.asarray(atom.val, dtype=atom.aval.dtype), self.literal)

    def _machine(self, plain: _Plain) -> Machine:
        key = (plain.kind, plain.dtype if hasattr(self.system, "in_dtype") else "")
        if key not in self.machines:
            self.machines[key] = self._new_machine(*key)
        return self.machines[key]

    def _new_machine(self, kind: str, dtype: str) -> Machine:
        system = self.system.in_dtype(dtype) if dtype else self.system
        return Machine(
            system=PairSystem(system) if kind == "complex" else system,
            literal=self.literal,
            run=self.run,
            decide=self.decide,
            freeze=self.freeze,
            step_limit=self.step_limit,
            overrun=lambda: self.overrun,
            run_on=self.run_on,
            # Of real numbers: the names of complex operations are those of real ones.
            repeats=None if kind == "complex" else self.repeats,
        )

    def _refusal(self, plain: _Plain) -> str | None:
        if not hasattr(self.system, "refusal"):
            return None
        return self.system.refusal(plain.equation.primitive.name, plain.dtype, plain.kind)


@lru_cache(maxsize=64)
def _plain_steps(jaxpr: Any) -> tuple[_Plain, ...]:
    """The equations of an open jaxpr; jaxprs are told apart by their identity. One is run at many points."""
    last_use = _last_uses(jaxpr)
    return tuple(_plain(equation, last_use.get(index, ())) for index, equation in enumerate(jaxpr.eqns))


def _plain(equation: Any, dead: tuple[Any, ...]) -> _Plain:
    return _Plain(equation, *_number_type(equation), dead)


_REAL_PARTS = {"complex64": "float32", "complex128": "float64"}


def _number_type(equation: Any) -> tuple[str, str]:
    """The kind of numbers that an equation computes with, and the name of their dtype (of their parts)."""
    variables = (*equation.outvars, *equation.invars)
    kinds = [kind_of(each) for each in variables]
    kind = next((each for each in ("complex", "real") if each in kinds), "other")
    if kind == "other":
        return kind, ""
    wanted = ("real", "complex")
    dtype = str(next(each.aval.dtype.name for each, found in zip(variables, kinds, strict=True) if found in wanted))
    return kind, _REAL_PARTS.get(dtype, dtype)


def _is_plain(result: Any) -> bool:
    return isinstance(getattr(result, "dtype", None), np.dtype) and category(result.dtype) != "opaque"


def _last_uses(jaxpr: Any) -> dict[int, tuple[Any, ...]]:
    """For each equation the variables that nothing needs after it: long programs do not hold all they computed."""
    last: dict[Any, int] = {}
    for index, equation in enumerate(jaxpr.eqns):
        last.update(dict.fromkeys((*(v for v in equation.invars if not hasattr(v, "val")), *equation.outvars), index))
    for variable in jaxpr.outvars:
        if not hasattr(variable, "val"):
            last.pop(variable, None)
    dead: dict[int, list[Any]] = {}
    for variable, index in last.items():
        dead.setdefault(index, []).append(variable)
    return {index: tuple(variables) for index, variables in dead.items()}
