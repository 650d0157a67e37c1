"""The graph of a formula at array level: few kinds of nodes, frozen, shared, linear in the size of the formula.

    Leaf, Literal, Fixed          what is given
    Map                           a SymPy kernel, elementwise with NumPy's broadcasting
    Contract                      products summed over labels (einsum): multilinear, so its derivative is one again
    Take, Put, Pile, Expand, Reshape
                                  linear rearrangements, each with its transpose among these and Contract
    Position                      where the largest or smallest element stands

Nodes are made by the functions in lower case only. Equal nodes are the same object, so that equality is identity and a
graph of any depth is compared, hashed and shared in constant time.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import TypeVar
from weakref import WeakValueDictionary

import sympy

from verifier.symbolic.kernels import Kernel, applied, rational, slot
from verifier.symbolic.scope import Shape, broadcast

__all__ = [
    "Contract",
    "Expand",
    "Fixed",
    "Leaf",
    "Literal",
    "Map",
    "Node",
    "Pile",
    "Position",
    "Put",
    "Reshape",
    "Take",
    "ancestors",
    "constant_value",
    "contract",
    "counting",
    "elementwise",
    "expand",
    "fold",
    "identity",
    "leaf",
    "leaves",
    "literal",
    "literals",
    "longest_reduction",
    "number",
    "pile",
    "position",
    "put",
    "reshape",
    "steps",
    "take",
    "total",
    "transpose",
    "zeros",
]

# Positions on each axis: an integer drops the axis.
Indices = tuple[int | range, ...]
Labels = tuple[int, ...]


@dataclass(frozen=True, eq=False, slots=True, weakref_slot=True, kw_only=True)
class Node:
    """An array: its shape and the arrays that it is made of."""

    shape: Shape
    operands: tuple[Node, ...] = ()


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Leaf(Node):
    """An input, data, or whatever else is given by name."""

    name: str


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Literal(Node):
    """A constant of the formula that some dtype has to round: a rational, or "pi" or "e"."""

    value: Fraction | str


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Fixed(Node):
    """A constant array: the "identity" matrix or the "range" 0, 1, ..., n - 1."""

    kind: str


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Map(Node):
    """An elementwise kernel; slot `_i` is operand i. Without operands it is an exact number."""

    kernel: Kernel


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Contract(Node):
    """The product of the operands, axes with equal labels in step, summed over the labels that `output` lacks."""

    labels: tuple[Labels, ...]
    output: Labels


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Take(Node):
    """The elements at the indices."""

    indices: Indices


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Put(Node):
    """Zeros but for the operand at the indices: the transpose of Take."""

    indices: Indices


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Pile(Node):
    """The operands, of one shape, along a new first axis."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Expand(Node):
    """The operand stretched to the shape, as NumPy broadcasts."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Reshape(Node):
    """The elements in C order in another shape."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Position(Node):
    """The first position of the largest ("max") or smallest ("min") element, along an axis or of all in C order."""

    which: str
    axis: int | None


# The only state of this module, and invisible: equal nodes are the same object for as long as somebody holds them.
N = TypeVar("N", bound=Node)
_KNOWN: WeakValueDictionary[tuple, Node] = WeakValueDictionary()


def _shared(node: N) -> N:
    key = (type(node), *(getattr(node, each.name) for each in fields(node)))
    return _KNOWN.setdefault(key, node)  # pyright: ignore[reportReturnType]


def leaf(name: str, shape: Shape = ()) -> Leaf:
    """The array that is given under this name."""
    return _shared(Leaf(name=name, shape=shape))


def literal(value: Fraction | str) -> Node:
    """A constant of a formula: an exact number where every dtype holds it, else a node of its own."""
    if isinstance(value, Fraction) and _held_everywhere(value):
        return number(value)
    return _shared(Literal(value=value, shape=()))


def _held_everywhere(value: Fraction) -> bool:
    """Whether bfloat16 (8 bits) and float16 (2^-14 to 2^15) both hold the number exactly."""
    if value == 0:
        return True
    odd = value.numerator // (value.numerator & -value.numerator)
    dyadic = value.denominator & (value.denominator - 1) == 0
    return dyadic and abs(odd) < 1 << 8 and Fraction(1, 1 << 14) <= abs(value) < 1 << 15


def number(value: Fraction | int) -> Node:
    """An exact number."""
    return elementwise(rational(value), ())


def zeros(shape: Shape) -> Node:
    """An array of zeros."""
    return expand(number(0), shape)


def identity(size: int) -> Node:
    """The identity matrix."""
    return _shared(Fixed(kind="identity", shape=(size, size)))


def counting(count: int) -> Node:
    """The vector 0, 1, ..., count - 1."""
    return _shared(Fixed(kind="range", shape=(count,)))


def constant_value(node: Node) -> Fraction | None:
    """The number that every element of the array is, where that is known without computing."""
    while isinstance(node, (Expand, Reshape)):
        node = node.operands[0]
    if isinstance(node, Map) and isinstance(node.kernel, sympy.Rational):
        return Fraction(int(node.kernel.p), int(node.kernel.q))
    return None


def elementwise(kernel: Kernel, operands: Sequence[Node]) -> Node:
    """The kernel applied to the operands; operands that it does not use are dropped, equal ones become one."""
    used = [place for place in range(len(operands)) if slot(place) in kernel.free_symbols]
    distinct = list(dict.fromkeys(operands[place] for place in used))
    renamed = {slot(place): slot(distinct.index(operands[place])) for place in used}
    if any(old is not new for old, new in renamed.items()):
        kernel = kernel.xreplace(renamed)
        # Merging operands may cancel one that is now unused.
        if len(kernel.free_symbols) < len(distinct):
            return elementwise(kernel, distinct)
    if kernel is slot(0):
        return distinct[0]
    shape = broadcast(*(each.shape for each in distinct))
    assert shape is not None
    return _shared(Map(kernel=kernel, operands=tuple(distinct), shape=shape))


def total(nodes: Sequence[Node]) -> Node | None:
    """The sum of arrays of one shape; None, which stands for zero, of nothing."""
    counts = Counter(nodes)
    if not counts:
        return None
    kernel = sympy.Add(*(count * slot(place) for place, count in enumerate(counts.values())))
    return elementwise(kernel, list(counts))


def contract(labels: Sequence[Labels], output: Labels, operands: Sequence[Node]) -> Node:
    """The sum of products; each label of the output stands in some operand."""
    lengths = _label_lengths(labels, operands)
    shape = tuple(lengths[label] for label in output)
    if any(constant_value(node) == 0 for node in operands):
        return zeros(shape)
    kept = _without_ones(list(zip(labels, operands, strict=True)), output)
    missing = [label for label in output if not any(label in each for each, _ in kept)]
    if missing or not kept:
        return _stretched(kept, output, tuple(missing), shape)
    if len(kept) == 1 and kept[0][0] == output:
        return kept[0][1]
    order = {label: place for place, label in enumerate(dict.fromkeys(label for each, _ in kept for label in each))}
    return _shared(
        Contract(
            labels=tuple(tuple(order[label] for label in each) for each, _ in kept),
            output=tuple(order[label] for label in output),
            operands=tuple(node for _, node in kept),
            shape=shape,
        )
    )


def _label_lengths(labels: Sequence[Labels], operands: Sequence[Node]) -> dict[int, int]:
    return {
        label: length
        for own, node in zip(labels, operands, strict=True)
        for label, length in zip(own, node.shape, strict=True)
    }


def _without_ones(terms: list[tuple[Labels, Node]], output: Labels) -> list[tuple[Labels, Node]]:
    """The factors but those that are 1 and sum over nothing of their own."""
    for place, (own, node) in enumerate(terms):
        others = terms[:place] + terms[place + 1 :]
        if constant_value(node) == 1 and all(
            label in output or any(label in each for each, _ in others) for label in own
        ):
            return _without_ones(others, output)
    return terms


def _stretched(terms: list[tuple[Labels, Node]], output: Labels, missing: Labels, shape: Shape) -> Node:
    """A contraction whose labels `missing` stood in factors of 1 only."""
    present = tuple(label for label in output if label not in missing)
    inner = contract([each for each, _ in terms], present, [node for _, node in terms]) if terms else number(1)
    padded = tuple(1 if label in missing else length for label, length in zip(output, shape, strict=True))
    return expand(reshape(inner, padded), shape)


def transpose(node: Node, axes: Sequence[int]) -> Node:
    """The array with its axes in another order: axis i of the result is axis axes[i] of the node."""
    return contract([tuple(range(len(node.shape)))], tuple(axes), [node])


def take(node: Node, indices: Indices) -> Node:
    """The elements at the indices; axes that are not indexed are kept."""
    indices = _completed(indices, node.shape)
    shape = tuple(len(each) for each in indices if isinstance(each, range))
    if indices == _completed((), node.shape):
        return node
    if constant_value(node) is not None:
        return _constant_like(node, shape)
    if isinstance(node, Pile) and isinstance(indices[0], int):
        return take(node.operands[indices[0]], indices[1:])
    return _shared(Take(indices=indices, operands=(node,), shape=shape))


def put(node: Node, indices: Indices, shape: Shape) -> Node:
    """Zeros of the shape but for the node at the indices."""
    indices = _completed(indices, shape)
    if indices == _completed((), shape):
        return node
    if constant_value(node) == 0:
        return zeros(shape)
    return _shared(Put(indices=indices, operands=(node,), shape=shape))


def _completed(indices: Indices, shape: Shape) -> Indices:
    """The indices with non-negative integers and one for every axis."""
    whole = tuple(range(length) for length in shape[len(indices) :])
    pairs = zip(indices, shape, strict=False)
    return (*(each if isinstance(each, range) else each % length for each, length in pairs), *whole)


def _constant_like(node: Node, shape: Shape) -> Node:
    value = constant_value(node)
    assert value is not None
    return expand(number(value), shape)


def pile(nodes: Sequence[Node]) -> Node:
    """The arrays, of one shape, along a new first axis."""
    shape = (len(nodes), *nodes[0].shape)
    if len(nodes) == 1:
        return reshape(nodes[0], shape)
    values = {constant_value(node) for node in nodes}
    if len(values) == 1 and None not in values:
        return _constant_like(nodes[0], shape)
    return _shared(Pile(operands=tuple(nodes), shape=shape))


def expand(node: Node, shape: Shape) -> Node:
    """The array stretched to the shape."""
    if node.shape == shape:
        return node
    if isinstance(node, Expand):
        (inner,) = node.operands
        if broadcast(inner.shape, shape) == shape:
            return expand(inner, shape)
    return _shared(Expand(operands=(node,), shape=shape))


def reshape(node: Node, shape: Shape) -> Node:
    """The elements in C order in the shape."""
    if node.shape == shape:
        return node
    if constant_value(node) is not None and isinstance(node, (Expand, Reshape)):
        return _constant_like(node, shape)
    if isinstance(node, Reshape):
        return reshape(node.operands[0], shape)
    return _shared(Reshape(operands=(node,), shape=shape))


def position(node: Node, which: str, axis: int | None) -> Node:
    """Where the extreme element stands."""
    shape = () if axis is None else node.shape[:axis] + node.shape[axis + 1 :]
    return _shared(Position(which=which, axis=axis, operands=(node,), shape=shape))


def fold(function: str, node: Node, axis: int | None) -> Node:
    """An associative function of two numbers (or truth values) folded over an axis, or over all elements.

    The axis is halved until one element is left: log2(n) elementwise nodes, whose derivatives the kernels know.
    """
    if axis is None:
        return fold(function, reshape(node, (math.prod(node.shape),)), 0)
    kernel = applied(function, [slot(0), slot(1)])
    before = tuple(range(length) for length in node.shape[:axis])
    left_over: list[Node] = []
    while (length := node.shape[axis]) > 1:
        half = length // 2
        if length % 2:
            left_over.append(take(node, (*before, range(length - 1, length))))
        halves = (range(half), range(half, 2 * half))
        node = elementwise(kernel, [take(node, (*before, each)) for each in halves])
    for each in left_over:
        node = elementwise(kernel, [node, each])
    return take(node, (*before, 0))


def ancestors(nodes: Iterable[Node]) -> list[Node]:
    """Every node that these are made of and these themselves, operands first; deterministic."""
    found: dict[Node, None] = {}
    stack = [(node, False) for node in reversed(list(nodes))]
    while stack:
        node, ready = stack.pop()
        if ready:
            found[node] = None
        elif node not in found:
            stack.append((node, True))
            stack += [(operand, False) for operand in reversed(node.operands) if operand not in found]
    return list(found)


def leaves(nodes: Iterable[Node]) -> tuple[Leaf, ...]:
    """The leaves that these nodes depend on."""
    return tuple(node for node in ancestors(nodes) if isinstance(node, Leaf))


def literals(nodes: Iterable[Node]) -> tuple[Literal, ...]:
    """The constants of the formula in these nodes that some dtype has to round."""
    return tuple(node for node in ancestors(nodes) if isinstance(node, Literal))


def longest_reduction(nodes: Iterable[Node]) -> int:
    """The most terms that any one sum in these nodes has; 1 where there is no sum."""
    lengths = [1]
    for node in ancestors(nodes):
        if isinstance(node, Contract):
            sizes = _label_lengths(node.labels, node.operands)
            lengths.append(math.prod(length for label, length in sizes.items() if label not in node.output))
    return max(lengths)


def steps(nodes: Iterable[Node]) -> int:
    """About how many scalar operations it takes to evaluate the nodes."""
    return sum(math.prod(node.shape) * _steps_each(node) for node in ancestors(nodes))


def _steps_each(node: Node) -> int:
    return sum(1 for _ in sympy.preorder_traversal(node.kernel)) if isinstance(node, Map) else 1
