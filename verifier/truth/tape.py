"""Graphs as straight-line Python over balls: recorded once, run at every point.

The evaluator runs over registers instead of balls, and each operation becomes a statement that does what ball
arithmetic does where everything is a finite ball. What is not (a pole, a kink, an undecided comparison) raises
`Irregular`, and the evaluator itself then decides about that point.

    Law: run(...) raises Irregular, or encloses what `evaluate` encloses, by the same operations in the same order.

The text that is compiled consists of names and numbers made here; nothing of a formula's own text enters it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb, arb_mat

from verifier.arithmetic.columns import COLUMN_OPERATIONS, Column, ColumnMatrix, Undecided, column_of, compared
from verifier.arithmetic.elements import compare, exact_ball
from verifier.arithmetic.functions import FLINT_ERRORS
from verifier.arithmetic.precision import working_precision
from verifier.arithmetic.vocabulary import FUNCTIONS, OPERATIONS, constant
from verifier.symbolic.evaluate import ElementArrays
from verifier.symbolic.program import Step

__all__ = [
    "STATEMENT_LIMIT",
    "Irregular",
    "Register",
    "Tape",
    "Unrecordable",
    "constant_column",
]

STATEMENT_LIMIT = 200_000
"""Most statements of a tape: compiling one costs as much as running it a hundred times."""


class Irregular(Exception):
    """Something on the way was no finite ball, or was not decided: no verdict, only a case for the evaluator."""


class Unrecordable(Exception):
    """The graph is too long, or asks for decisions while it is recorded."""


@dataclass(slots=True, eq=False)
class Register:
    """The name of a value; `moving` where it differs from point to point, `shared` where it may be another's object.

    Ball arithmetic recognises one element by its identity (x - x is 0); what is computed anew is no other's object.
    """

    tape: Tape
    name: str
    moving: bool
    shared: bool = False

    def __add__(self, other: Register) -> Register:
        return self.tape.computed("{} + {}", self, other)

    def __sub__(self, other: Register) -> Register:
        return self.tape.computed("{} - {}", self, other)

    def __neg__(self) -> Register:
        return self.tape.computed("-{}", self)

    def __rmul__(self, weight: int) -> Register:
        return self.tape.computed(f"{int(weight)} * {{}}", self) if weight else self.tape.zero


_PLAIN = {"add": "{} + {}", "sub": "{} - {}", "mul": "{} * {}", "neg": "-{}", "abs": "abs({})"}
"""Finite balls give finite balls."""
_CHECKED = {"div": "{} / {}", "integer_pow": "{} ** {}", "pow": "{} ** {}", "square": "{} ** 2"}
_IDENTITY = frozenset({"sub", "div"})
"""Operations that look whether both operands are one element."""
_METHODS: dict[str, str] = {
    name: f"{{}}.{each.ball.__name__}()"
    for name, each in FUNCTIONS.items()
    if each.arity == 1 and getattr(arb, each.ball.__name__, None) is each.ball
}
"""Functions that are a method of FLINT's balls."""


@dataclass(eq=False)
class Tape:
    """What is recorded: statements that depend on the point, and those that do not and run once for each precision.

    It is the number system whose elements are registers; decisions are registers, too.
    """

    fixed: list[str] = field(default_factory=list)
    moving: list[str] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    given: dict[str, Any] = field(default_factory=dict)
    """What the statements use by name: operations, and the exact numbers of constants."""
    guards: list[str] = field(default_factory=list)
    """Registers that every run needs, whatever is asked for."""
    _count: int = 0
    _texts: dict[str, Any] = field(default_factory=dict)
    _runs: dict[tuple[int, str], Callable[..., Any]] = field(default_factory=dict)
    arrays: ElementArrays = field(init=False)
    """The arrays that a graph is recorded with."""

    def __post_init__(self) -> None:
        self.arrays = _Arrays(self)  # pyright: ignore[reportArgumentType]  decisions are registers

    @property
    def zero(self) -> Register:
        return self.arrays.zero

    # what is given

    def input(self) -> Register:
        """A ball of the point: the tape runs with these in the order in which they were asked for."""
        name = self._name()
        self.inputs.append(name)
        return Register(self, name, moving=True)

    def exact(self, value: Fraction | int) -> Register:
        return self.computed(f"exact({self._kept(value)})")

    def constant(self, name: str) -> Register:
        return self.computed(f"constant({self._kept(name)})")

    # statements

    def computed(
        self, text: str, *operands: Register, checks: str = "", shared: bool = False, guards: bool = False
    ) -> Register:
        """A statement `name = text`, and the one that may refuse the result; `guards` where that is all it is for."""
        name, moving = self._name(), any(each.moving for each in operands)
        lines = self.moving if moving else self.fixed
        lines.append(f"{name} = {text.format(*(each.name for each in operands))}")
        if guards:
            self.guards.append(name)
        if checks:
            lines.append(checks.format(name, *(each.name for each in operands)))
        if len(self.moving) + len(self.fixed) > STATEMENT_LIMIT:
            raise Unrecordable("too many statements")
        return Register(self, name, moving=moving, shared=shared)

    def _name(self) -> str:
        self._count += 1
        return f"v{self._count}"

    def _kept(self, value: Any) -> str:
        name = f"k{len(self.given)}"
        self.given[name] = value
        return name

    # a number system

    def operation(self, name: str) -> Callable[..., Register]:
        return lambda *operands: self._operation(name, *map(self._register, operands))

    def _register(self, value: Any) -> Register:
        """The exponent of a power is a number, not a register."""
        return value if isinstance(value, Register) else self.exact(value)

    def _operation(self, name: str, *operands: Register) -> Register:
        if name in _IDENTITY and (operands[0] is operands[1] or any(each.shared for each in operands)):
            return self._lifted(name, *operands)
        if name in _PLAIN:
            return self.computed(_PLAIN[name], *operands)
        text = _CHECKED.get(name) or _METHODS.get(name)
        if text:
            return self.computed(text, *operands, checks="if not {0}.is_finite(): raise Irregular")
        if name == "atan2":  # the sign of a zero matters, which is an identity that plain statements do not keep
            self.computed("{}.is_zero()", operands[0], checks="if {0}: raise Irregular", guards=True)
        return self._lifted(name, *operands)

    def _lifted(self, name: str, *operands: Register) -> Register:
        """By the operation of ball arithmetic itself, which may return an operand."""
        self.given[f"do_{name}"] = OPERATIONS[name]
        text = f"do_{name}({', '.join(['{}'] * len(operands))})"
        return self.computed(text, *operands, checks="if type({0}) is not arb: raise Irregular", shared=True)

    def compare(self, relation: str, a: Register, b: Register) -> Register:
        text = f"compare({relation!r}, {{}}, {{}})"
        return self.computed(text, a, b, checks="if {0} is None: raise Irregular")

    def checked(self, relation: str, a: Register, b: Register, *, outcome: bool) -> Register:
        """The comparison, which refuses every other outcome than this one."""
        decided = self.compare(relation, a, b)
        return self.computed("{}", decided, checks=f"if {{0}} is not {outcome}: raise Irregular", guards=True)

    def select(self, condition: Register | None, a: Register, b: Register) -> Register:
        if condition is None:
            raise Unrecordable("a choice that is never decided")
        return self.computed("{1} if {0} else {2}", condition, a, b, shared=True)

    def kink(self) -> Register:
        raise Unrecordable("a kink everywhere")

    def matmul(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """One statement for the whole product, as balls are multiplied, and one for each entry."""
        (rows, inner), columns = a.shape, b.shape[1]
        left, right = (f"[{', '.join(['{}'] * each.size)}]" for each in (a, b))
        text = f"(arb_mat({rows}, {inner}, {left}) * arb_mat({inner}, {columns}, {right})).entries()"
        product = self.computed(text, *a.flat, *b.flat)
        result = np.empty(rows * columns, dtype=object)
        result[:] = [self.computed(f"{{}}[{place}]", product) for place in range(result.size)]
        return result.reshape(rows, columns)

    def working(self) -> nullcontext[None]:
        return nullcontext()

    # what is run

    def run(self, bits: int, result: str, inputs: Sequence[arb]) -> Any:
        """The value of an expression of registers, under this working precision; raises Irregular."""
        try:
            with working_precision(bits):
                if (bits, result) not in self._runs:
                    self._runs[bits, result] = _refuse
                    self._runs[bits, result] = self._compiled(result, {**_NAMES, **self.given})
                return self._runs[bits, result](*inputs)
        except FLINT_ERRORS as error:
            raise Irregular from error

    def _compiled(self, result: str, names: dict[str, Any], *, frees: bool = False) -> Callable[..., Any]:
        """The tape as a function of its inputs; its fixed part has been run at the current precision."""
        if result not in self._texts:
            self._texts[result] = compile("\n".join(self._lines(result, frees=frees)), "<tape>", "exec")
        exec(self._texts[result], names)
        return names["prepare"]()

    def _lines(self, result: str, *, frees: bool) -> Iterator[str]:
        needed = self._needed(result)
        yield "def prepare():"
        yield from (f"  {line}" for line in self.fixed if line in needed)
        yield f"  def run({', '.join(self.inputs)}):"
        moving = [line for line in self.moving if line in needed]
        yield from (f"    {line}" for line in (_freeing(moving, result) if frees else moving))
        yield f"    return {result}"
        yield "  return run"

    def _needed(self, result: str) -> set[str]:
        """The statements that a result rests on, and those that only refuse points."""
        live, needed = {*_names(result), *self.guards}, set()
        # What a statement uses stands before it, and what refuses its result behind it.
        for line in reversed([*self.fixed, *self.moving]):
            name, *operands = _names(line)
            if name in live:
                needed.add(line)
                live.update(operands)
        return needed

    # what is run for many points at once

    def run_columns(self, result: str, inputs: Sequence[Column]) -> Any:
        """The value of an expression of registers, at many points and far less exactly.

        Raises Mixed where the points do not agree in a decision, and Irregular where an operation is none of columns.
        """
        key = _COLUMNS, result
        try:
            with np.errstate(all="ignore"):
                if key not in self._runs:
                    self._runs[key] = _refuse
                    given = {name: _in_columns(name, value) for name, value in self.given.items()}
                    self._runs[key] = self._compiled(result, {**_COLUMN_NAMES, **given}, frees=True)
                return self._runs[key](*inputs)
        except (Undecided, OverflowError) as error:
            raise Irregular from error


def _names(text: str) -> list[str]:
    """The registers that a text names."""
    return _REGISTER.findall(text)


def _freeing(lines: Sequence[str], result: str) -> Iterator[str]:
    """Statements that forget a register behind its last use: an array of many points is no small thing to keep."""
    last = {name: number for number, line in enumerate(lines) for name in _names(line)}
    ending: dict[int, list[str]] = {}
    for name in (_names(line)[0] for line in lines if not line.startswith("if ")):
        ending.setdefault(last[name], []).append(name)
    kept = set(_names(result))
    for number, line in enumerate(lines):
        yield line
        if gone := [name for name in ending.get(number, ()) if name not in kept]:
            yield f"del {', '.join(gone)}"


def _refuse(*_: Any) -> Any:
    """Stands for a tape whose fixed part is irregular already."""
    raise Irregular


_CONDITION_NEAR, _CONDITION_LEAST = 2.0**-34, 2.0**-1055
"""A condition from columns is known to so much of |truth| + condition, or absolutely."""
_COLUMNS = 0
"""Stands for the precision of columns."""
_REGISTER = re.compile(r"\bv\d+\b")
_NAMES = {
    "Irregular": Irregular,
    "arb": arb,
    "arb_mat": arb_mat,
    "compare": compare,
    "constant": constant,
    "exact": exact_ball,
}


def _column_sum(column: Column, move: Column) -> np.ndarray:
    """The sum of |moves|, where the directions are the first axis of the move: NaN where it is not known to 2^-34
    of |value| + sum, or to 2^-1055.
    """
    return _column_size(column, *(np.sum(each, axis=0) for each in _sizes(move)))


def _column_largest(column: Column, move: Column) -> np.ndarray:
    return _column_size(column, *(np.max(each, axis=0) for each in _sizes(move)))


def _column_size(column: Column, size: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """A size where it is known well enough."""
    least = np.maximum(abs(column.middle) - column.radius, 0.0)
    known = 2 * radius <= np.maximum((least + size) * _CONDITION_NEAR, _CONDITION_LEAST)
    return np.where(known, size, np.nan)


def _least_sum(move: Column) -> np.ndarray:
    """What the sum is at least."""
    return np.sum(_least_sizes(move), axis=0)


def _least_largest(move: Column) -> np.ndarray:
    return np.max(_least_sizes(move), axis=0)


def _sizes(move: Column) -> tuple[np.ndarray, np.ndarray]:
    """|move| and its radius. One that is the same along all directions is zero, give or take its radius."""
    size, radius = np.broadcast_arrays(np.atleast_2d(abs(move.middle)), move.radius)
    return size, radius


def _least_sizes(move: Column) -> np.ndarray:
    sizes, radii = _sizes(move)
    return np.nan_to_num(np.maximum(sizes - radii, 0.0)) * (1 - _CONDITION_NEAR)


def _in_columns(name: str, value: Any) -> Any:
    """What a tape is given, for columns: operations, and numbers as they are."""
    return COLUMN_OPERATIONS.get(name.removeprefix("do_"), _no_column) if name.startswith("do_") else value


def _no_column(*_: Any) -> Any:
    raise Undecided


def constant_column(name: str) -> Column:
    """A named constant (pi, e) as a column, the same at all points."""
    middle = np.float64(float(constant(name)))
    return Column(middle, abs(middle) * 2.0**-52)


_COLUMN_NAMES = {
    "Irregular": Irregular,
    "arb": Column,
    "arb_mat": ColumnMatrix,
    "compare": compared,
    "constant": constant_column,
    "exact": lambda value: column_of([value]),
    "sum_of": _column_sum,
    "largest_of": _column_largest,
    "least_sum_of": _least_sum,
    "least_largest_of": _least_largest,
}


class _Arrays(ElementArrays):
    """Arrays of registers: decisions are made when the tape runs."""

    system: Tape

    def _operation(self, step: Step) -> Callable[..., np.ndarray]:
        if step.operation == "truth":
            raise Unrecordable("a constant truth value")
        return super()._operation(step)

    def scalar(self, operation: str) -> Callable[..., Any]:
        if operation in ("and", "or"):
            return lambda a, b: self.system.computed(f"{{}} {operation} {{}}", a, b)
        if operation == "not":
            return lambda a: self.system.computed("not {}", a)
        return super().scalar(operation)

    def _sides(self, inside: Register, outside: Register, p: Register, q: Register) -> Register:
        self.system.computed("{} or {}", inside, outside, checks="if not {0}: raise Irregular", guards=True)
        return self.system.select(inside, p, q)

    def _times(self, a: Register, b: Register) -> Register:
        if not (a.shared or b.shared) or a is self.zero or b is self.zero or a is self.one or b is self.one:
            return super()._times(a, b)
        return self._chosen(
            "{2} if {0} is {2} or {1} is {2} else {1} if {0} is {3} else {0} if {1} is {3} else {0} * {1}", a, b
        )

    def _plus(self, a: Register, b: Register) -> Register:
        if not (a.shared or b.shared) or a is self.zero or b is self.zero:
            return super()._plus(a, b)
        return self._chosen("{1} if {0} is {2} else {0} if {1} is {2} else {0} + {1}", a, b)

    def _chosen(self, text: str, a: Register, b: Register) -> Register:
        """A product or sum that looks whether an operand is the zero, or the one."""
        return self.system.computed(text, a, b, self.zero, self.one, shared=True)

    def position(self, array: np.ndarray, which: str, axis: int | None) -> np.ndarray:
        raise Unrecordable("a position is decided while the graph is evaluated")
