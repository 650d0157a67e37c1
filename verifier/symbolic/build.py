"""Formulas to graphs: the definitions of an entry, in which each elementwise region of a formula becomes one kernel."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeGuard

import sympy

from verifier.model.catalog import Entry
from verifier.symbolic.derivative import derivative
from verifier.symbolic.formula import (
    Apply,
    Derivative,
    Formula,
    Index,
    Name,
    Number,
    Range,
    Stack,
    constant,
    function_of,
    parse,
)
from verifier.symbolic.graph import (
    Indices,
    Leaf,
    Node,
    constant_value,
    contract,
    counting,
    elementwise,
    expand,
    fold,
    leaf,
    literal,
    number,
    pile,
    position,
    reshape,
    take,
    transpose,
)
from verifier.symbolic.kernels import Kernel, applied, rational, slot
from verifier.symbolic.scope import Scope, Shape, Type, axis_of, shape_of, span, static_arguments, type_of

__all__ = ["Definitions", "Region", "regions"]

Shapes = tuple[tuple[str, Shape], ...]
# Deeper regions are cut into several kernels: SymPy recurses, and fails near a depth of 150.
MAX_REGION_DEPTH = 40


@dataclass(frozen=True)
class Definitions:
    """What an entry defines: input leaves and data with their shapes, the `let` chain in order, and the value."""

    inputs: Shapes = ()
    data: Shapes = ()
    lets: tuple[tuple[str, Formula], ...] = ()
    value: Formula | None = None

    @classmethod
    def of(cls, entry: Entry) -> Definitions:
        """The definitions of a catalog entry; raises FormulaError for the first formula that is at fault."""
        return cls(
            inputs=tuple((each.name, each.shape) for each in entry.inputs),
            data=tuple((each.name, each.shape) for each in entry.data),
            lets=tuple((name, parse(text.text)) for name, text in entry.definitions),
            value=None if entry.value is None else parse(entry.value.text),
        )

    @cached_property
    def scope(self) -> Scope:
        """Every name of the entry; raises FormulaError where shapes do not fit."""
        scope = Scope.of(dict(self.inputs + self.data), frozenset(name for name, _ in self.inputs))
        for name, formula in self.formulas:
            scope = scope.extended({name: type_of(formula, scope)})
        return scope

    @property
    def formulas(self) -> tuple[tuple[str, Formula], ...]:
        """The `let` chain and then `value`."""
        return self.lets if self.value is None else (*self.lets, ("value", self.value))

    @cached_property
    def leaves(self) -> tuple[Leaf, ...]:
        """The input leaves in order: what derivatives are taken by."""
        return tuple(leaf(name, shape) for name, shape in self.inputs)

    @cached_property
    def nodes(self) -> Mapping[str, Node]:
        """The graph of every name; "value" among them."""
        nodes: dict[str, Node] = {name: leaf(name, shape) for name, shape in self.inputs + self.data}
        lets = dict(self.lets)  # once: a chain of 10,000 definitions is linear in time
        for name, formula in self.formulas:
            nodes[name] = _Builder(self.scope, nodes, lets).node(formula)
        return nodes

    def node(self, formula: Formula | str, extra: Mapping[str, Shape | Type] | None = None) -> Node:
        """The graph of any formula in this scope; the names in `extra` become leaves.

        Raises FormulaError.
        """
        formula = parse(formula) if isinstance(formula, str) else formula
        scope = self.scope.extended(extra or {})
        more = {name: leaf(name, scope.names[name].shape) for name in extra or {}}
        type_of(formula, scope)
        return _Builder(scope, {**self.nodes, **more}, dict(self.lets)).node(formula)

    def shape(self, formula: Formula | str, extra: Mapping[str, Shape | Type] | None = None) -> Shape:
        """The shape of any formula in this scope; raises FormulaError."""
        return shape_of(parse(formula) if isinstance(formula, str) else formula, self.scope.extended(extra or {}))


@dataclass(frozen=True, slots=True)
class Region:
    """An elementwise region: its formula, its kernel, and for each slot the formula and the node that feed it."""

    formula: Formula
    kernel: Kernel
    operands: tuple[tuple[Formula, Node], ...]


def regions(definitions: Definitions, formula: Formula) -> tuple[Region, ...]:
    """The elementwise regions of a formula, outermost first."""
    builder = _Builder(definitions.scope, definitions.nodes, dict(definitions.lets))
    builder.node(formula)
    return tuple(reversed(builder.regions))


@dataclass
class _Builder:
    """Builds nodes in a scope; `lets` is consulted for truth values, whose ties a derivative has to see."""

    scope: Scope
    nodes: Mapping[str, Node]
    lets: Mapping[str, Formula]
    regions: list[Region] = field(default_factory=list)

    def node(self, formula: Formula) -> Node:
        match formula:
            case Number():
                return literal(formula.value)
            case Name():
                return self.nodes[formula.name] if formula.name in self.nodes else literal(formula.name)
            case Index():
                return take(self.node(formula.operand), self.indices(formula))
            case Stack():
                return pile([self.node(each) for each in formula.items])
            case Derivative():
                return self.derivative(formula)
            case Apply() if _is_elementwise(formula):
                return self.region(formula)
            case Apply():
                return _STRUCTURES[function_of(formula).name](formula, *map(self.node, self.arrays(formula)))
        raise TypeError(f"no value: {formula!r}")

    def arrays(self, formula: Apply) -> tuple[Formula, ...]:
        return formula.arguments[: function_of(formula).static]

    def region(self, formula: Apply) -> Node:
        found: dict[Node, Formula] = {}
        kernel = self.kernel(formula, found, MAX_REGION_DEPTH)
        self.regions.append(Region(formula, kernel, tuple((each, node) for node, each in found.items())))
        return expand(elementwise(kernel, list(found)), shape_of(formula, self.scope))

    def kernel(self, formula: Formula, found: dict[Node, Formula], depth: int) -> Kernel:
        """The unevaluated kernel of a formula, whose operands are noted in `found` in the order of their slots."""
        value = constant(formula)
        if value is not None:
            return self.operand(literal(value), formula, found)
        if isinstance(formula, Name) and formula.name in self.lets and self.scope.names[formula.name].boolean:
            formula = self.lets[formula.name]
        if not _is_elementwise(formula) or depth == 0:
            return self.operand(self.node(formula), formula, found)
        if formula.function == "pow":
            return self.power(formula, found, depth)
        return applied(formula.function, [self.kernel(each, found, depth - 1) for each in formula.arguments])

    def power(self, formula: Apply, found: dict[Node, Formula], depth: int) -> Kernel:
        """A power; whole and half exponents stay exact at any size, as they do in a program."""
        base, exponent = formula.arguments
        value = constant(exponent)
        power = (
            rational(value)
            if value is not None and value.denominator in (1, 2)
            else self.kernel(exponent, found, depth - 1)
        )
        return applied("pow", [self.kernel(base, found, depth - 1), power])

    def operand(self, node: Node, formula: Formula, found: dict[Node, Formula]) -> Kernel:
        value = None if node.shape else constant_value(node)
        if value is not None:
            return rational(value)
        found.setdefault(node, formula)
        return slot(list(found).index(node))

    def indices(self, formula: Index) -> Indices:
        shape = shape_of(formula.operand, self.scope)
        pairs = zip(formula.indices, shape, strict=False)
        return tuple(span(each, length) if isinstance(each, Range) else each for each, length in pairs)

    def derivative(self, formula: Derivative) -> Node:
        node = self.node(formula.of)
        for name in formula.wrt:
            by = self.nodes[name]
            assert isinstance(by, Leaf)
            node = reshape(derivative(node, [by], 1), node.shape + by.shape)
        return node


def _is_elementwise(formula: Formula) -> TypeGuard[Apply]:
    return isinstance(formula, Apply) and function_of(formula).kind in ("number", "test", "logic")


# Structures: (formula, nodes of its arrays) -> node -------------------------------------------------------------------


def _kernel(function: str, *nodes: Node) -> Node:
    return elementwise(applied(function, [slot(place) for place in range(len(nodes))]), nodes)


def _divided(node: Node, count: int) -> Node:
    return elementwise(applied("div", [slot(0), sympy.Integer(count)]), [node])


def _sum(node: Node, axis: int | None) -> Node:
    labels = tuple(range(len(node.shape)))
    return contract([labels], () if axis is None else labels[:axis] + labels[axis + 1 :], [node])


def _kept(node: Node, shape: Shape, axis: int | None) -> Node:
    """A reduced array with the reduced axes back, of length 1."""
    return reshape(node, tuple(1 if axis in (None, place) else length for place, length in enumerate(shape)))


def _mean(node: Node, axis: int | None) -> Node:
    return _divided(_sum(node, axis), math.prod(node.shape) if axis is None else node.shape[axis])


def _variance(node: Node, axis: int | None) -> Node:
    centred = _kernel("sub", node, _kept(_mean(node, axis), node.shape, axis))
    return _mean(_kernel("square", centred), axis)


def _logsumexp(node: Node, axis: int | None) -> Node:
    return _kernel("log", _sum(_kernel("exp", node), axis))


def _softmax(formula: Apply, node: Node) -> Node:
    axis, powers = axis_of(formula, len(node.shape), -1), _kernel("exp", node)
    return _kernel("div", powers, _kept(_sum(powers, axis), node.shape, axis))


def _count(node: Node, axis: int | None) -> Node:
    return _sum(elementwise(applied("where", [slot(0), sympy.S.One, sympy.S.Zero]), [node]), axis)


_REDUCTIONS: dict[str, Callable[[Node, int | None], Node]] = {
    "sum": _sum,
    "mean": _mean,
    "var": _variance,
    "norm": lambda node, axis: _kernel("sqrt", _sum(_kernel("square", node), axis)),
    "logsumexp": _logsumexp,
    "count": _count,
    "prod": lambda node, axis: fold("mul", node, axis),
    "max": lambda node, axis: fold("max", node, axis),
    "min": lambda node, axis: fold("min", node, axis),
    "all": lambda node, axis: fold("and", node, axis),
    "any": lambda node, axis: fold("or", node, axis),
    "argmax": lambda node, axis: position(node, "max", axis),
    "argmin": lambda node, axis: position(node, "min", axis),
}


def _reduction(formula: Apply, node: Node) -> Node:
    return _REDUCTIONS[formula.function](node, axis_of(formula, len(node.shape)))


def _product(_: Apply, left: Node, right: Node) -> Node:
    """Labels: the inner one is 0, the rows' 1, the columns' 2."""
    rows, columns = (1,) * (len(left.shape) - 1), (2,) * (len(right.shape) - 1)
    return contract([(*rows, 0), (0, *columns)], (*rows, *columns), [left, right])


_STRUCTURES: dict[str, Callable[..., Node]] = {
    **dict.fromkeys(_REDUCTIONS, _reduction),
    "matmul": _product,
    "dot": _product,
    "outer": lambda _, left, right: contract([(0,), (1,)], (0, 1), [left, right]),
    "transpose": lambda _, node: transpose(node, tuple(reversed(range(len(node.shape))))),
    "reshape": lambda formula, node: reshape(node, static_arguments(formula)),
    "range": lambda formula: counting(*static_arguments(formula)),
    "size": lambda _, node: number(math.prod(node.shape)),
    "softmax": _softmax,
}
