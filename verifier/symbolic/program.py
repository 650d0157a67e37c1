"""Kernels as straight-line programs: named operations on registers, in which nothing is computed twice.

Numbers stay exact: a rational is an operand of its own, never a float. The names are the vocabulary of number systems.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import sympy
from sympy.core.relational import Relational

from verifier.errors import FormulaError
from verifier.symbolic.functions import FUNCTIONS
from verifier.symbolic.kernels import Kernel, Sides, slot

__all__ = ["Program", "Step", "program"]


@dataclass(frozen=True, slots=True)
class Step:
    """One operation: its name, the registers of its operands, and what is not computed (a number, an exponent)."""

    operation: str
    operands: tuple[int, ...] = ()
    static: Any = None


@dataclass(frozen=True, slots=True)
class Program:
    """Registers 0 .. arity-1 hold the operands, each step fills the next one; the result stands in register `result`.

    Operations without operands: "exact" (static: Fraction), "constant" ("pi" or "e"), "truth" (bool). "integer_pow" has
    its exponent as static. "sides" is (inside, outside, p, q); "and", "or", "not", "lt" ... give truth values.
    """

    arity: int
    steps: tuple[Step, ...]
    result: int

    def run(self, operation: Callable[[Step], Callable[..., Any]], operands: Sequence[Any]) -> Any:
        """The result for these operands, with the operations that the caller gives each step."""
        registers = list(operands)
        for step in self.steps:
            registers.append(operation(step)(*(registers[place] for place in step.operands)))
        return registers[self.result]


@lru_cache(maxsize=4096)
def program(kernel: Kernel, arity: int) -> Program:
    """The straight-line program of a kernel over `arity` slots; raises FormulaError for what no number system has."""
    compiler = _Compiler(arity)
    result = compiler.register(kernel)
    return Program(arity, tuple(compiler.steps), result)


_ELEMENTS = {row.sympy: row.element for row in FUNCTIONS.values() if row.sympy}
_NO_VALUES = (sympy.zoo, sympy.oo, -sympy.oo, sympy.nan)
_NO_VALUE = "a constant in this formula, or in its derivative, has no value, as 1/0 has none; write a number instead"
_CONSTANTS = {sympy.pi: "pi", sympy.E: "e"}
_RELATIONS: dict[type, str] = {
    sympy.StrictLessThan: "lt",
    sympy.LessThan: "le",
    sympy.StrictGreaterThan: "gt",
    sympy.GreaterThan: "ge",
    sympy.Equality: "eq",
    sympy.Unequality: "ne",
}
_FOLDED: dict[type, str] = {sympy.Max: "max", sympy.Min: "min", sympy.And: "and", sympy.Or: "or"}


class _Compiler:
    def __init__(self, arity: int) -> None:
        self.steps: list[Step] = []
        self.arity = arity
        self.known: dict[Any, int] = {slot(place): place for place in range(arity)}

    def register(self, kernel: Kernel) -> int:
        """The register that holds the value of the expression."""
        if kernel not in self.known:
            self.known[kernel] = self.compiled(kernel)
        return self.known[kernel]

    def step(self, operation: str, *operands: int, static: Any = None) -> int:
        step = Step(operation, operands, static)
        if step not in self.known:
            self.steps.append(step)
            self.known[step] = self.arity + len(self.steps) - 1
        return self.known[step]

    def exact(self, value: Any) -> int:
        return self.step("exact", static=Fraction(int(value.p), int(value.q)))

    def compiled(self, kernel: Any) -> int:
        match kernel:
            case sympy.Rational():
                return self.exact(kernel)
            case _ if kernel in _CONSTANTS:
                return self.step("constant", static=_CONSTANTS[kernel])
            case sympy.logic.boolalg.BooleanAtom():
                return self.step("truth", static=bool(kernel))
            case sympy.Add():
                return self.sum(kernel)
            case sympy.Mul():
                return self.product(kernel)
            case sympy.Pow():
                return self.power(kernel.base, kernel.exp)
            case sympy.Piecewise():
                return self.choice(kernel)
            case Relational():
                return self.step(_RELATIONS[type(kernel)], self.register(kernel.lhs), self.register(kernel.rhs))
            case sympy.Not():
                return self.step("not", self.register(kernel.args[0]))
            case Sides():
                return self.step("sides", *map(self.register, kernel.args))
            case _ if type(kernel) in _FOLDED:
                return self.folded(_FOLDED[type(kernel)], list(sympy.ordered(kernel.args)))
        name = type(kernel).__name__
        if name not in _ELEMENTS:
            raise FormulaError(_NO_VALUE if kernel in _NO_VALUES else f"no number system here has SymPy's `{name}`")
        return self.step(_ELEMENTS[name], *map(self.register, kernel.args))

    def folded(self, operation: str, arguments: Sequence[Any]) -> int:
        result = self.register(arguments[0])
        for each in arguments[1:]:
            result = self.step(operation, result, self.register(each))
        return result

    def sum(self, kernel: Kernel) -> int:
        first, *rest = sorted(kernel.args, key=lambda term: _positive(term) is not None)
        result = self.register(first)
        for term in rest:
            opposite = _positive(term)
            result = self.step(
                "add" if opposite is None else "sub", result, self.register(term if opposite is None else opposite)
            )
        return result

    def product(self, kernel: Kernel) -> int:
        above: list[int] = []
        below: list[int] = []
        sign = 1
        for factor in kernel.args:
            if isinstance(factor, sympy.Rational):
                sign = -sign if factor < 0 else sign
                above += [self.exact(sympy.Integer(abs(factor.p)))] if abs(factor.p) != 1 else []
                below += [self.exact(sympy.Integer(factor.q))] if factor.q != 1 else []
            elif isinstance(factor, sympy.Pow) and factor.exp.is_Rational and factor.exp < 0:
                below.append(self.power(factor.base, -factor.exp))
            else:
                above.append(self.register(factor))
        result = self.multiplied(above)
        if below:
            result = self.step("div", result, self.multiplied(below))
        return result if sign > 0 else self.step("neg", result)

    def multiplied(self, factors: Sequence[int]) -> int:
        if not factors:
            return self.exact(sympy.S.One)
        result = factors[0]
        for each in factors[1:]:
            result = self.step("mul", result, each)
        return result

    def power(self, base: Any, exponent: Any) -> int:
        if isinstance(exponent, sympy.Rational) and exponent < 0:
            return self.step("div", self.exact(sympy.S.One), self.power(base, -exponent))
        if exponent == 1:
            return self.register(base)
        if isinstance(exponent, sympy.Integer):
            return self.step("integer_pow", self.register(base), static=int(exponent))
        if exponent == sympy.S.Half:
            return self.step("sqrt", self.register(base))
        return self.step("pow", self.register(base), self.register(exponent))

    def choice(self, kernel: Kernel) -> int:
        *branches, (last, _) = kernel.args
        result = self.register(last)
        for value, condition in reversed(branches):
            result = self.step("select", self.register(condition), self.register(value), result)
        return result


def _positive(term: Any) -> Any | None:
    """What is subtracted, where the term is a negative multiple or number; else None."""
    if isinstance(term, sympy.Rational) and term < 0:
        return -term
    if isinstance(term, sympy.Mul) and isinstance(term.args[0], sympy.Rational) and term.args[0] < 0:
        scale, *rest = term.args
        return sympy.Mul(*([] if scale == -1 else [-scale]), *rest, evaluate=False)
    return None
