"""What the rules of primitives compute with: arrays of elements over one number system."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import NoneType
from typing import Any

import numpy as np

from verifier.arithmetic.ball import generic_matmul
from verifier.arithmetic.elements import Unknown
from verifier.errors import UsageError
from verifier.truth.repeats import Repeats
from verifier.truth.values import Literal, Refused, boxed, category, filled, is_decided, lifted, undecided

__all__ = ["Decide", "Freeze", "Machine", "Rule", "Table", "rules", "truths"]

Decide = Callable[[Any, "int | None"], "int | None"]
"""What control flow follows: (equation, the exact decision or None) -> the decision, or None to give up."""

Freeze = Callable[[Any, np.ndarray], np.ndarray]
"""What `stop_gradient` does to values: (equation, values) -> values that no longer vary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A number system lifted to arrays, and the way back into the evaluator for programs inside programs."""

    system: Any
    literal: Literal
    run: Callable[[Any, Sequence[np.ndarray]], list[np.ndarray]]
    decide: Decide
    freeze: Freeze
    step_limit: int
    overrun: Callable[[], int] = lambda: 0
    """How many steps more a loop goes that has come to its end (see `verifier.truth.rules.loops`)."""
    run_on: Callable[[Any, Sequence[np.ndarray], int], list[np.ndarray]] | None = None
    """Runs a program as `run` does, with so many steps more for each loop that stops at a tolerance."""
    repeats: Repeats | None = None
    """Where the same operation on the same operands is looked for."""
    _ufuncs: dict[str, Any] = field(default_factory=dict, repr=False)

    def operation(self, name: str) -> Callable[..., Any]:
        """The scalar function of that name; raises Refused where the number system has none."""
        try:
            return self.system.operation(name)
        except UsageError:
            raise Refused(f"no function {name} in this number system") from None

    def exact(self, value: int) -> Any:
        """The element of an integer."""
        return self.system.exact(value)

    def zeros(self, shape: Sequence[int]) -> np.ndarray:
        """An array of exact zeros."""
        return filled(shape, self.system.exact(0))

    def number(self, value: float, dtype: np.dtype) -> Any:
        """The element of a float that a primitive brings along, taken at its exact value."""
        return lifted(np.asarray(value, dtype=dtype), self.literal)[()]

    def map(self, name: str, *arrays: Any) -> np.ndarray:
        """The scalar function of that name, entry by entry; operands broadcast as in numpy."""
        return boxed(self._ufunc(name, len(arrays))(*arrays))

    def compare(self, relation: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Decisions `a relation b`, entry by entry."""
        compare = self._cached(f"compare {relation}", lambda: partial(self.system.compare, relation), 2)
        return truths(boxed(compare(a, b)))

    def select(self, condition: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """a where the condition holds, else b; what is not taken is discarded whatever it is."""
        if condition.dtype == bool:
            return boxed(np.where(condition, a, b))
        return boxed(np.frompyfunc(partial(_pick, self.system), 3, 1)(condition, a, b))

    def fold(self, name: str, array: np.ndarray, axes: Sequence[int], empty: Any = None) -> np.ndarray:
        """The function of two numbers folded over the axes, from the first entry on, in row-major order."""
        lines = flattened(array, axes)
        if lines.shape[-1] == 0:
            return filled(lines.shape[:-1], empty)
        whole = self._folded_at_once(name, lines)
        return whole if whole is not None else boxed(self._ufunc(name, 2).reduce(lines, axis=-1))

    def accumulate(self, name: str, array: np.ndarray, axis: int) -> np.ndarray:
        """All partial folds along an axis."""
        ufunc, lines = self._ufunc(name, 2), np.moveaxis(array, axis, -1)
        if self._folded_at_once(name, lines) is None:
            return ufunc.accumulate(array, axis=axis, dtype=object)
        ends = range(1, lines.shape[-1] + 1)
        folds = [self.fold(name, lines[..., :end], (lines.ndim - 1,)) for end in ends]
        return np.moveaxis(np.stack(folds, axis=-1), -1, axis)

    def stored(self, array: np.ndarray) -> np.ndarray:
        """The array after a change of its dtype: the same, unless the number system knows of rounding."""
        store = getattr(self.system, "stored", None)
        return array if store is None else boxed(np.frompyfunc(store, 1, 1)(array))

    def narrowed(self, array: np.ndarray, exponent_bits: int, precision: int) -> np.ndarray:
        """The array after rounding to a narrower format: the same, unless the number system knows of rounding."""
        narrow = getattr(self.system, "narrowed", None)
        if narrow is None:
            return array
        return boxed(np.frompyfunc(lambda entry: narrow(entry, exponent_bits, precision), 1, 1)(array))

    def _folded_at_once(self, name: str, lines: np.ndarray) -> np.ndarray | None:
        """Folds of the last axis in a way of the number system's own, or None where it has none."""
        fold = getattr(self.system, "fold", None)
        if fold is None or not lines.size:
            return None
        results = np.empty(lines.shape[:-1], dtype=object)
        for place in np.ndindex(*results.shape):
            results[place] = fold(name, lines[place])
            if results[place] is None:
                return None
        return results

    def matmul(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """The product of an (m, k) and a (k, n) array."""
        if 0 in a.shape or 0 in b.shape:
            return self.zeros((a.shape[0], b.shape[1]))
        if hasattr(self.system, "matmul"):
            return self.system.matmul(a, b)
        return generic_matmul(self.system, a, b)

    def _ufunc(self, name: str, arity: int) -> Any:
        return self._cached(name, lambda: self._remembering(name), arity)

    def _remembering(self, name: str) -> Callable[..., Any]:
        operation = self.operation(name)
        return operation if self.repeats is None else self.repeats.remembering(name, operation)

    def _cached(self, name: str, build: Callable[[], Callable[..., Any]], arity: int) -> Any:
        ufunc = self._ufuncs.get(name)
        if ufunc is None:
            ufunc = self._ufuncs[name] = np.frompyfunc(build(), arity, 1)
        return ufunc


def _pick(system: Any, condition: Any, a: Any, b: Any) -> Any:
    if is_decided(condition):
        return a if condition else b
    if a is b:
        return a
    if hasattr(system, "choose") and not isinstance(condition, (Unknown, NoneType)):
        return system.choose(condition, a, b)
    return system.join((a, b)) if hasattr(system, "join") else undecided(condition, "the condition of a select")


def truths(decisions: np.ndarray) -> np.ndarray:
    """Decisions as a boolean array where all of them are decided, else as they are."""
    if decisions.dtype == object and all(map(is_decided, decisions.flat)):
        return decisions.astype(bool)
    return decisions


def flattened(array: np.ndarray, axes: Sequence[int]) -> np.ndarray:
    """The array with the axes moved to the end, in order, and merged into one."""
    kept = [axis for axis in range(array.ndim) if axis not in axes]
    moved = array.transpose(*kept, *sorted(axes))
    size = math.prod(array.shape[axis] for axis in axes)
    return moved.reshape(*(array.shape[axis] for axis in kept), size)


Compute = Callable[..., Any]
"""(machine, equation, *operands) -> an array, or a sequence of arrays where the primitive has several results."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a primitive does, and what it asks of a number system: scalar functions, or being that of balls."""

    compute: Compute
    needs: tuple[str, ...] = ()
    balls_only: bool = False


Table = Mapping[str, Rule]


def rules(**computes: Compute) -> dict[str, Rule]:
    """Rows of a table that need no scalar function beyond + - * / and comparisons."""
    return {name: Rule(compute) for name, compute in computes.items()}


def kind_of(variable: Any) -> str:
    """The category of a jaxpr's variable or literal."""
    return category(getattr(variable.aval, "dtype", None))


def refuse(reason: str, remedy: str = "") -> Any:
    """Raise Refused, where an expression is wanted."""
    raise Refused(reason, remedy)
