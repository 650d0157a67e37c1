"""Kernels: the elementwise regions of a formula as SymPy expressions over slots `_0, _1, ...`, and their derivatives.

A kernel is built unevaluated, so that its value is computed exactly as the formula is written: SymPy would turn
`exp(log(x))` into `x` and forget the domain. Its derivative is SymPy's. Where a function has a kink or a jump the
derivative is `Sides`: decided on either side, undecided between them, never silently one of the two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import cache, lru_cache
from typing import Any

import sympy
from sympy.core.relational import Relational

from verifier.errors import FormulaError
from verifier.symbolic.formula import Apply, Formula, Name, Number, parse
from verifier.symbolic.functions import FUNCTIONS

__all__ = ["CONSTANT_VALUES", "Kernel", "Sides", "applied", "differentiate", "rational", "slot"]

# SymPy's own annotations cover neither construction without evaluation nor arithmetic of relations.
Kernel = Any
CONSTANT_VALUES = {"pi": sympy.pi, "e": sympy.E}


@cache
def slot(position: int) -> sympy.Symbol:
    """The symbol that stands for a kernel's operand at this position."""
    return sympy.Symbol(f"_{position}", real=True)


def rational(value: Fraction | int) -> sympy.Rational:
    """An exact number as SymPy's."""
    return sympy.Rational(value.numerator, value.denominator)  # pyright: ignore[reportReturnType]


class Sides(sympy.Function):
    """Sides(inside, outside, p, q): p where `inside` holds, q where `outside` does, undecided on the boundary.

    The derivative of a function with a kink or a jump; closed under differentiation. The values of both sides stay at
    hand for one-sided derivatives.
    """

    nargs = (4,)
    is_extended_real = True

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        inside, outside, p, q = self.args
        cases = [(value, where) for value, where in ((p, inside), (q, outside)) if where != sympy.false]
        shown = [rf"{printer._print(value)} & \text{{for}}\: {printer._print(where)}" for value, where in cases]
        cases_latex = r"\begin{cases} " + r" \\ ".join(shown) + r" \end{cases}"
        return cases_latex if exp is None else rf"\left({cases_latex}\right)^{{{exp}}}"


def applied(function: str, operands: Sequence[Kernel]) -> Kernel:
    """A function of the table applied to kernels, unevaluated."""
    row = FUNCTIONS[function]
    if row.definition:
        return _expanded(parse(row.definition), dict(zip("ab", operands, strict=False)))
    if function in _OPERATORS:
        return _OPERATORS[function](*operands)
    return getattr(sympy, row.sympy)(*operands, evaluate=False)


def _expanded(definition: Formula, names: Mapping[str, Kernel]) -> Kernel:
    match definition:
        case Number():
            return rational(definition.value)
        case Name():
            return names[definition.name] if definition.name in names else CONSTANT_VALUES[definition.name]
        case Apply(function="div", arguments=(Number() as p, Number() as q)):
            return rational(p.value / q.value)
        case Apply():
            return applied(definition.function, [_expanded(each, names) for each in definition.arguments])
    raise TypeError(f"definitions consist of numbers, names and functions, not {definition!r}")


def _negative(a: Kernel) -> Kernel:
    return sympy.Mul(sympy.S.NegativeOne, a, evaluate=False)


def _choice(condition: Kernel, a: Kernel, b: Kernel) -> Kernel:
    return sympy.Piecewise((a, condition), (b, True), evaluate=False)


_OPERATORS: dict[str, Callable[..., Kernel]] = {
    "add": lambda a, b: sympy.Add(a, b, evaluate=False),
    "sub": lambda a, b: sympy.Add(a, _negative(b), evaluate=False),
    "mul": lambda a, b: sympy.Mul(a, b, evaluate=False),
    "div": lambda a, b: sympy.Mul(a, sympy.Pow(b, -1, evaluate=False), evaluate=False),
    "pow": lambda a, b: sympy.Pow(a, b, evaluate=False),
    "neg": _negative,
    "lt": lambda a, b: sympy.Lt(a, b, evaluate=False),
    "le": lambda a, b: sympy.Le(a, b, evaluate=False),
    "gt": lambda a, b: sympy.Gt(a, b, evaluate=False),
    "ge": lambda a, b: sympy.Ge(a, b, evaluate=False),
    "eq": lambda a, b: sympy.Eq(a, b, evaluate=False),
    "ne": lambda a, b: sympy.Ne(a, b, evaluate=False),
    "and": lambda *each: sympy.And(*each, evaluate=False),  # pyright: ignore[reportCallIssue]
    "or": lambda *each: sympy.Or(*each, evaluate=False),  # pyright: ignore[reportCallIssue]
    "not": lambda a: sympy.Not(a, evaluate=False),
    "where": _choice,
}


@lru_cache(maxsize=4096)
def differentiate(kernel: Kernel, symbol: sympy.Symbol) -> Kernel:
    """The partial derivative of a kernel: SymPy's, with our own rules where it would forget a kink, a jump or a domain.

    Law: d/dx g(x, k(x)) = g_1 + g_2 k'(x), with k the subexpressions that have a rule of ours.
    Raises FormulaError where no closed form is known.
    """
    if symbol not in kernel.free_symbols:
        return sympy.S.Zero
    try:
        return _derivative(kernel, symbol)
    except (TypeError, ValueError) as error:  # how SymPy says that it can do nothing with 1/0 in a maximum or a power
        raise FormulaError(
            "SymPy cannot differentiate this formula; a constant in it may have no value, as 1/0 has none"
        ) from error


def _derivative(kernel: Kernel, symbol: sympy.Symbol) -> Kernel:
    ours: dict[Kernel, sympy.Dummy] = {}
    smooth = _abstracted(kernel, symbol, ours)
    terms = [smooth.diff(symbol)]
    terms += [smooth.diff(dummy) * _RULES[type(inner)](inner, symbol) for inner, dummy in ours.items()]
    result = sympy.Add(*terms).xreplace({dummy: inner for inner, dummy in ours.items()})
    if result.has(sympy.Derivative, sympy.Subs):
        raise FormulaError(f"no closed form is known for the derivative of {kernel.func.__name__} by this argument")
    return result


def _abstracted(kernel: Kernel, symbol: sympy.Symbol, ours: dict[Kernel, sympy.Dummy]) -> Kernel:
    """The kernel with the outermost subexpressions that have a rule of ours replaced by dummies, noted in `ours`."""
    if symbol not in kernel.free_symbols or kernel is symbol:
        return kernel
    if type(kernel) in _RULES and not (kernel.is_Pow and kernel.exp.is_Number):
        return ours.setdefault(kernel, sympy.Dummy(real=True))
    arguments = [_abstracted(each, symbol, ours) for each in kernel.args]
    if all(new is old for new, old in zip(arguments, kernel.args, strict=True)):
        return kernel
    return kernel.func(*arguments)


def _interior(condition: Kernel, *, negated: bool = False) -> Kernel:
    """An open set in which the condition (or its negation) holds: all of it but its boundary."""
    if isinstance(condition, sympy.Not):
        return _interior(condition.args[0], negated=not negated)
    if isinstance(condition, (sympy.And, sympy.Or)):
        joined = sympy.And if isinstance(condition, sympy.And) is not negated else sympy.Or
        return joined(*(_interior(each, negated=negated) for each in condition.args))
    if isinstance(condition, Relational):
        relation = condition.negated if negated else condition
        strict = {sympy.Le: sympy.Lt, sympy.Ge: sympy.Gt}.get(type(relation), type(relation))
        return sympy.S.false if strict is sympy.Eq else strict(relation.lhs, relation.rhs)  # pyright: ignore
    return sympy.Not(condition) if negated else condition


def _larger(kernel: Kernel, x: sympy.Symbol) -> Kernel:
    first, *rest = sympy.ordered(kernel.args)
    if not rest:
        return differentiate(first, x)
    other = kernel.func(*rest)
    above, below = (first > other, first < other) if isinstance(kernel, sympy.Max) else (first < other, first > other)
    return Sides(above, below, differentiate(first, x), differentiate(other, x))


def _absolute(kernel: Kernel, x: sympy.Symbol) -> Kernel:
    (inner,) = kernel.args
    slope = differentiate(inner, x)
    return Sides(inner > 0, inner < 0, slope, -slope)


def _sign(kernel: Kernel, x: sympy.Symbol) -> Kernel:
    (inner,) = kernel.args
    return Sides(inner > 0, inner < 0, sympy.S.Zero, sympy.S.Zero)


def _step(kernel: Kernel, x: sympy.Symbol) -> Kernel:
    (inner,) = kernel.args
    return Sides(sympy.Ne(inner, sympy.floor(inner)), sympy.S.false, sympy.S.Zero, sympy.S.Zero)


def _branches(kernel: Kernel, x: sympy.Symbol) -> Kernel:
    (value, condition), (other, _), *more = kernel.args
    if more:  # SymPy flattens a choice within a choice
        other = sympy.Piecewise(*kernel.args[1:])
    inside, outside = differentiate(value, x), differentiate(other, x)
    if x not in condition.free_symbols:
        return _choice(condition, inside, outside)
    return Sides(_interior(condition), _interior(condition, negated=True), inside, outside)


def _sides(kernel: Kernel, x: sympy.Symbol) -> Kernel:
    inside, outside, p, q = kernel.args
    return Sides(inside, outside, differentiate(p, x), differentiate(q, x))


def _power(kernel: Kernel, x: sympy.Symbol) -> Kernel:
    # SymPy writes the power rule with b**e/b, which is 0/0 at b = 0.
    base, exponent = kernel.args
    by_base = exponent * base ** (exponent - 1) * differentiate(base, x)
    slope = differentiate(exponent, x)
    return by_base if slope == 0 else by_base + kernel * sympy.log(base) * slope


_RULES: dict[type, Callable[[Kernel, sympy.Symbol], Kernel]] = {
    sympy.Max: _larger,
    sympy.Min: _larger,
    sympy.Abs: _absolute,
    sympy.sign: _sign,
    sympy.floor: _step,
    sympy.ceiling: _step,
    sympy.Piecewise: _branches,
    Sides: _sides,
    sympy.Pow: _power,
}
