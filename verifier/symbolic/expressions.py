"""Graphs as SymPy expressions, component by component: the number system whose elements are symbols.

For showing and proving what is small; everything is bounded in steps and size, and what is larger is None.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from fractions import Fraction
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
import sympy

from verifier.symbolic.evaluate import ElementArrays, evaluate_in
from verifier.symbolic.functions import FUNCTIONS
from verifier.symbolic.graph import Leaf, Node, Position, ancestors, leaves, steps
from verifier.symbolic.kernels import CONSTANT_VALUES, Sides, rational

__all__ = ["MAX_SIZE", "component_symbols", "exact_expressions", "expressions", "tree_size"]

MAX_STEPS = 20_000
MAX_SIZE = 2_000


class _NoExpression(Exception):
    """An expression that has grown beyond its limit, or that SymPy refuses to make of what is no real number."""


def component_symbols(leaf: Leaf, **signs: bool) -> np.ndarray:
    """A real symbol for each component of a leaf: `x`, or `v[0]`, `m[0,1]`, ..., in an object array of its shape.

    `signs` are what SymPy may assume besides: `positive=True`.
    """
    array = np.empty(leaf.shape, dtype=object)
    for index in itertools.product(*map(range, leaf.shape)):
        suffix = f"[{','.join(map(str, index))}]" if index else ""
        array[index] = sympy.Symbol(leaf.name + suffix, real=True, **signs)
    return array


def exact_expressions(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Exact numbers (Fraction, int, float) as SymPy rationals, in object arrays of the same shapes."""
    return {name: _rationals(array) for name, array in arrays.items()}


def _rationals(array: np.ndarray) -> np.ndarray:
    result = np.empty(array.shape, dtype=object)
    for index in np.ndindex(*array.shape):
        result[index] = rational(Fraction(array[index]))  # pyright: ignore
    return result


def expressions(
    nodes: Sequence[Node], *, given: Mapping[str, np.ndarray] = MappingProxyType({}), size: int = MAX_SIZE
) -> list[np.ndarray] | None:
    """The components of the nodes as expressions of at most `size` nodes each; None where that is too small a limit, or
    where SymPy refuses one (it compares no logarithms of negative numbers).

    `given` are the expressions of leaves that shall not be symbols.
    """
    if steps(nodes) > MAX_STEPS or any(isinstance(node, Position) for node in ancestors(nodes)):
        return None
    own = {leaf.name: given[leaf.name] if leaf.name in given else component_symbols(leaf) for leaf in leaves(nodes)}
    try:
        return evaluate_in(_SymbolArrays(_Symbols(size)), nodes, own)
    except (_NoExpression, RecursionError):
        return None


def tree_size(expression: sympy.Basic, sizes: dict[sympy.Basic, int] | None = None) -> int:
    """How many nodes the expression has as a tree; `sizes` remembers those of shared parts."""
    sizes = {} if sizes is None else sizes
    if expression not in sizes:
        sizes[expression] = 1 + sum(tree_size(each, sizes) for each in expression.args)
    return sizes[expression]


_CLASSES = {row.element: row.sympy for row in FUNCTIONS.values() if row.sympy and row.name != "where"}
_OPERATIONS: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "neg": lambda a: -a,
    "pow": sympy.Pow,
    "integer_pow": sympy.Pow,
    "sqrt": sympy.sqrt,
    "lgamma": lambda a: sympy.log(sympy.Abs(sympy.gamma(a))) if a.is_nonpositive else sympy.loggamma(a),
    "select": lambda condition, a, b: sympy.Piecewise((a, condition), (b, True)),
    "sides": Sides,
    "and": sympy.And,
    "or": sympy.Or,
    "not": sympy.Not,
    "lt": sympy.Lt,
    "le": sympy.Le,
    "gt": sympy.Gt,
    "ge": sympy.Ge,
    "eq": sympy.Eq,
    "ne": sympy.Ne,
}


class _Symbols:
    """The number system; comparisons are SymPy's relations and reach the arrays below."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.sizes: dict[sympy.Basic, int] = {}

    def exact(self, value: Fraction) -> sympy.Expr:
        return rational(value)

    def constant(self, name: str) -> sympy.Expr:
        return CONSTANT_VALUES[name]

    def apply(self, function: str, *elements: Any) -> sympy.Basic:
        operation = _OPERATIONS.get(function) or getattr(sympy, _CLASSES[function])
        try:
            result = operation(*elements)
        except (ValueError, TypeError) as error:
            raise _NoExpression from error
        if tree_size(result, self.sizes) > self.limit:
            raise _NoExpression
        return result

    def operation(self, name: str) -> Callable[..., sympy.Basic]:
        return partial(self.apply, name)

    def select(self, condition: Any, a: Any, b: Any) -> sympy.Basic:
        return self.apply("select", condition, a, b)

    def working(self) -> AbstractContextManager[None]:
        return nullcontext()

    def compare(self, relation: str, a: Any, b: Any) -> Any:
        return self.apply(relation, a, b)

    def kink(self) -> sympy.Expr:
        return sympy.nan

    def matmul(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        product = np.empty((a.shape[0], b.shape[1]), dtype=object)
        for i, j in itertools.product(*map(range, product.shape)):
            product[i, j] = self.apply("add", sympy.Add(*(a[i, :] * b[:, j])), sympy.S.Zero)
        return product


class _SymbolArrays(ElementArrays):
    """Truth values are SymPy's: nothing is decided."""

    def scalar(self, operation: str) -> Callable[..., Any]:
        return self.system.operation(operation)
