"""The one evaluator of graphs, for any number system.

A number system is anything with

    exact(Fraction), constant("pi" | "e")     elements
    operation(name)                           a function of elements that never raises
    compare(relation, a, b)                   "lt" "le" "gt" "ge" "eq" "ne": True, False, None where undecided
    select(condition, a, b)                   a or b; unknown where the condition is None, unless a is b
    kink()                                    the derivative exactly on the boundary of two pieces
    matmul(a, b)                              product of two matrices (object arrays)
    working()                                 the block in which operations may run

Arrays are NumPy object arrays of its elements; to work on other arrays takes the few methods of `ElementArrays`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from fractions import Fraction
from functools import cache, partial
from typing import Any, Protocol

import numpy as np

from verifier.symbolic.graph import (
    Contract,
    Expand,
    Fixed,
    Indices,
    Labels,
    Leaf,
    Literal,
    Map,
    Node,
    Pile,
    Position,
    Put,
    Reshape,
    Take,
    ancestors,
)
from verifier.symbolic.program import Step, program
from verifier.symbolic.scope import Shape

__all__ = ["ElementArrays", "NumberSystem", "evaluate", "evaluate_in", "selection"]


Labelled = tuple[Labels, np.ndarray]


class NumberSystem(Protocol):
    """What the evaluator asks of a number system."""

    def exact(self, value: Fraction, /) -> Any: ...
    def constant(self, name: str, /) -> Any: ...
    def operation(self, name: str, /) -> Callable[..., Any]: ...
    def compare(self, relation: str, a: Any, b: Any, /) -> bool | None: ...
    def select(self, condition: bool | None, a: Any, b: Any, /) -> Any: ...
    def kink(self) -> Any: ...
    def matmul(self, a: Any, b: Any, /) -> Any: ...
    def working(self) -> AbstractContextManager[object]: ...


def evaluate(nodes: Sequence[Node], leaves: Mapping[str, Any], system: NumberSystem) -> list[np.ndarray]:
    """The values of the nodes, given object arrays for the leaves; truth values are True, False or None."""
    with system.working():
        return evaluate_in(ElementArrays(system), nodes, leaves)


def evaluate_in(arrays: Any, nodes: Sequence[Node], leaves: Mapping[str, Any]) -> list[Any]:
    """The values of the nodes as the arrays of another kind."""
    values: dict[Node, Any] = {}
    for node in ancestors(nodes):
        if isinstance(node, Leaf):
            values[node] = arrays.given(leaves[node.name], node.shape)
        else:
            values[node] = _RULES[type(node)](arrays, node, [values[operand] for operand in node.operands])
    return [values[node] for node in nodes]


_RULES: dict[type, Callable[[Any, Any, list[Any]], Any]] = {
    Literal: lambda arrays, node, _: arrays.literal(node.value),
    Fixed: lambda arrays, node, _: arrays.fixed(node.kind, node.shape[0]),
    Map: lambda arrays, node, operands: program(node.kernel, len(operands)).run(arrays.operation, operands),
    Contract: lambda arrays, node, operands: arrays.contract(node.labels, node.output, operands),
    Take: lambda arrays, node, operands: arrays.take(operands[0], selection(node.indices)),
    Put: lambda arrays, node, operands: arrays.put(operands[0], selection(node.indices), node.shape),
    Pile: lambda arrays, node, operands: arrays.stack(operands),
    Expand: lambda arrays, node, operands: arrays.expand(operands[0], node.shape),
    Reshape: lambda arrays, node, operands: arrays.reshape(operands[0], node.shape),
    Position: lambda arrays, node, operands: arrays.position(operands[0], node.which, node.axis),
}


def selection(indices: Indices) -> tuple[int | slice, ...]:
    """Indices as NumPy takes them."""
    return tuple(each if isinstance(each, int) else _slice(each) for each in indices)


def _slice(positions: range) -> slice:
    stop = positions.stop if positions.stop >= 0 else None  # slice(4, -1, -1) would be empty
    return slice(positions.start, stop, positions.step)


def _array(value: Any) -> np.ndarray:
    """An object array of what NumPy returned, which is the bare element where it should be a 0-d array."""
    if isinstance(value, np.ndarray):
        return value
    array = np.empty((), dtype=object)
    array[()] = value
    return array


def _both(a: bool | None, b: bool | None) -> bool | None:
    return False if a is False or b is False else None if a is None or b is None else True


def _negation(a: bool | None) -> bool | None:
    return None if a is None else not a


_LOGIC: dict[str, Callable[..., bool | None]] = {
    "and": _both,
    "or": lambda a, b: _negation(_both(_negation(a), _negation(b))),
    "not": _negation,
}
_RELATIONS = ("lt", "le", "gt", "ge", "eq", "ne")


class ElementArrays:
    """NumPy object arrays over a number system.

    There is one zero element, and in contractions (the chain rule's products) it annihilates everything: what does not
    move does not contribute, kinks and poles included.
    """

    def __init__(self, system: NumberSystem) -> None:
        self.system = system
        self.zero, self.one = system.exact(Fraction(0)), system.exact(Fraction(1))
        self._mul, self._sum = system.operation("mul"), system.operation("add")
        self.operation = cache(self._operation)
        self._multiply, self._add = np.frompyfunc(self._times, 2, 1), np.frompyfunc(self._plus, 2, 1)

    def given(self, value: Any, shape: Shape) -> np.ndarray:
        array = np.asarray(value, dtype=object) if shape else _array(value)
        if array.shape != shape:
            raise ValueError(f"an array of shape {shape} was expected, not {array.shape}")
        return array

    def literal(self, value: Fraction | str) -> np.ndarray:
        return _array(self.system.constant(value) if isinstance(value, str) else self.system.exact(value))

    def fixed(self, kind: str, size: int) -> np.ndarray:
        if kind == "range":
            return np.array([self.system.exact(Fraction(place)) for place in range(size)], dtype=object)
        array = np.full((size, size), self.zero, dtype=object)
        np.fill_diagonal(array, self.one)
        return array

    def _operation(self, step: Step) -> Callable[..., np.ndarray]:
        """What a step of a kernel does to arrays."""
        match step.operation:
            case "exact":
                value = self.zero if step.static == 0 else self.system.exact(step.static)
                return lambda: _array(value)
            case "constant":
                return lambda: _array(self.system.constant(step.static))
            case "truth":
                return lambda: _array(step.static)
        function = self.scalar(step.operation)
        if step.static is not None:
            exponent, binary = step.static, function
            function = lambda a: binary(a, exponent)  # noqa: E731
        ufunc = np.frompyfunc(function, len(step.operands), 1)
        return lambda *operands: _array(ufunc(*operands))

    def scalar(self, operation: str) -> Callable[..., Any]:
        """The function of elements and truth values that an operation is."""
        if operation == "sides":
            return self._sides
        if operation in _RELATIONS:
            return partial(self.system.compare, operation)
        if operation == "select":
            return self.system.select
        return _LOGIC.get(operation) or self.system.operation(operation)

    def _sides(self, inside: bool | None, outside: bool | None, p: Any, q: Any) -> Any:
        """One side where it is certain; else no value, not even where both agree: a jump has equal slopes."""
        if inside is True or outside is True:
            return p if inside is True else q
        if inside is False and outside is False:
            return self.system.kink()
        sides = (p, q) if p is not q else (self.zero, self.one)
        return self.system.select(None, *sides)

    def _times(self, a: Any, b: Any) -> Any:
        if a is self.zero or b is self.zero:
            return self.zero
        return b if a is self.one else a if b is self.one else self._mul(a, b)

    def _plus(self, a: Any, b: Any) -> Any:
        return b if a is self.zero else a if b is self.zero else self._sum(a, b)

    def take(self, array: np.ndarray, selected: tuple[int | slice, ...]) -> np.ndarray:
        return _array(array[selected])

    def put(self, array: np.ndarray, selected: tuple[int | slice, ...], shape: Shape) -> np.ndarray:
        result = np.full(shape, self.zero, dtype=object)
        result[(*selected, ...)] = array  # the ellipsis keeps a 0-d array from becoming an element
        return result

    def stack(self, arrays: Sequence[np.ndarray]) -> np.ndarray:
        return np.stack(arrays)

    def expand(self, array: np.ndarray, shape: Shape) -> np.ndarray:
        return np.broadcast_to(array, shape)

    def reshape(self, array: np.ndarray, shape: Shape) -> np.ndarray:
        return np.reshape(array, shape)

    def position(self, array: np.ndarray, which: str, axis: int | None) -> np.ndarray:
        lanes = np.reshape(array, -1) if axis is None else np.moveaxis(array, axis, -1)
        found = np.empty(lanes.shape[:-1], dtype=object)
        for place in np.ndindex(found.shape):
            found[place] = self._extreme(list(lanes[place]), "gt" if which == "max" else "lt")
        return found

    def _extreme(self, lane: list[Any], better: str) -> Any:
        best = 0
        for place in range(1, len(lane)):
            decision = self.system.compare(better, lane[place], lane[best])
            if decision is None:
                return self.system.select(None, *(self.system.exact(Fraction(each)) for each in (best, place)))
            best = place if decision else best
        return self.system.exact(Fraction(best))

    def contract(self, labels: Sequence[Labels], output: Labels, operands: Sequence[np.ndarray]) -> np.ndarray:
        """The sum of products, two operands at a time."""
        terms = list(zip(labels, operands, strict=True))
        while len(terms) > 1:
            (left, a), (right, b), *terms = terms
            needed = {*output, *(label for own, _ in terms for label in own)}
            one, other = self._summed(left, a, {*needed, *right}), self._summed(right, b, {*needed, *left})
            terms = [self._pair(one, other, needed), *terms]
        own, array = self._summed(*terms[0], set(output))
        return np.transpose(array, [own.index(label) for label in output])

    def _summed(self, own: Labels, array: np.ndarray, needed: set[int]) -> Labelled:
        """The array summed over the labels that nobody needs."""
        for label in [label for label in own if label not in needed]:
            array = _array(self._add.reduce(array, axis=own.index(label)))
            own = tuple(each for each in own if each != label)
        return own, array

    def _pair(self, one: Labelled, other: Labelled, needed: set[int]) -> Labelled:
        """The product of two arrays, summed over their common labels that nobody needs."""
        (left, a), (right, b) = one, other
        summed = [label for label in left if label in right and label not in needed]
        shared = [label for label in left if label in right and label in needed]
        rows, columns = [each for each in left if each not in right], [each for each in right if each not in left]
        if not summed or (shared and not rows and not columns):
            labels = (*shared, *rows, *columns, *summed)
            product = _array(self._multiply(_aligned(a, left, labels), _aligned(b, right, labels)))
            return self._summed(labels, product, needed)
        lengths = {**dict(zip(left, a.shape, strict=True)), **dict(zip(right, b.shape, strict=True))}
        a = _grouped(a, left, (shared, rows, summed))
        b = _grouped(b, right, (shared, summed, columns))
        product = np.stack([self.system.matmul(each, with_) for each, with_ in zip(a, b, strict=True)])
        labels = (*shared, *rows, *columns)
        return labels, np.reshape(product, [lengths[label] for label in labels])


def _aligned(array: np.ndarray, own: Labels, labels: Labels) -> np.ndarray:
    """The array with an axis for each label, of length 1 where it has none."""
    array = np.transpose(array, [own.index(label) for label in labels if label in own])
    lengths = iter(array.shape)
    return np.reshape(array, [next(lengths) if label in own else 1 for label in labels])


def _grouped(array: np.ndarray, own: Labels, groups: Sequence[Sequence[int]]) -> np.ndarray:
    """The array with the axes of each group of labels flattened to one."""
    lengths = dict(zip(own, array.shape, strict=True))
    array = np.transpose(array, [own.index(label) for group in groups for label in group])
    return np.reshape(array, [math.prod(lengths[label] for label in group) for group in groups])
