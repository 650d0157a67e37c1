"""Derivatives of graphs as graphs: local derivatives by SymPy, composed by the chain rule over whole arrays.

    forward:  tangent(f(u)) = sum_i df/du_i tangent(u_i)
    reverse:  cotangent(u_i) += (df/du_i)^T cotangent(f)

A tangent or cotangent that is zero by structure is None; it stays zero whatever it is multiplied with, kinks and poles
included: what does not move does not contribute. Products of the chain rule are contractions, which are multilinear, so
derivatives of any order stay within the same few kinds of nodes, and each is linear in the size of its graph.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import sympy

from verifier.symbolic.graph import (
    Contract,
    Expand,
    Fixed,
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
    contract,
    elementwise,
    expand,
    identity,
    leaf,
    number,
    pile,
    put,
    reshape,
    take,
    total,
    transpose,
    zeros,
)
from verifier.symbolic.kernels import differentiate, slot
from verifier.symbolic.scope import Shape

__all__ = ["derivative", "directional", "forward", "reverse"]


def derivative(node: Node, by: Sequence[Leaf], order: int) -> Node:
    """The derivative tensor by all components of the leaves, concatenated in order: shape node.shape + (n,) * order."""
    for _ in range(order):
        node = _gradient(node, by) if node.shape == () and _count(by) > 1 else _jacobian(node, by)
    return node


def directional(node: Node, seeds: Mapping[Node, str], count: int) -> Node:
    """The derivative along `count` directions at once: shape (count, *node.shape).

    Each seed (a leaf, or a literal) moves along the leaf of the given name, of shape (count, *seed.shape).
    """
    (result,) = forward([node], {seed: leaf(name, (count, *seed.shape)) for seed, name in seeds.items()})
    return result


def _count(by: Sequence[Leaf]) -> int:
    return sum(math.prod(each.shape) for each in by)


def _gradient(node: Node, by: Sequence[Leaf]) -> Node:
    """The gradient of a scalar, from one reverse sweep."""
    gradients = reverse(node, by)
    if all(each.shape == () for each in by):
        return pile(gradients)
    return _joined([reshape(each, (math.prod(each.shape),)) for each in gradients])


def _joined(vectors: Sequence[Node]) -> Node:
    """The vectors one after the other."""
    count = sum(each.shape[0] for each in vectors)
    if len(vectors) == 1:
        return vectors[0]
    stops = [sum(each.shape[0] for each in vectors[: place + 1]) for place in range(len(vectors))]
    spans = [range(stop - each.shape[0], stop) for each, stop in zip(vectors, stops, strict=True)]
    joined = total([put(each, (span,), (count,)) for each, span in zip(vectors, spans, strict=True)])
    assert joined is not None
    return joined


def _jacobian(node: Node, by: Sequence[Leaf]) -> Node:
    """The Jacobian, from one forward sweep along all basis directions."""
    count, start, tangents = _count(by), 0, {}
    for each in by:
        size = math.prod(each.shape)
        basis = reshape(identity(size) if size > 1 else number(1), (size, *each.shape))
        tangents[each] = put(basis, (range(start, start + size),), (count, *each.shape))
        start += size
    (moved,) = forward([node], tangents)
    axes = len(node.shape)
    return reshape(moved, (*node.shape, 1)) if count == 1 else transpose(moved, (*range(1, axes + 1), 0))


def forward(nodes: Sequence[Node], tangents: Mapping[Node, Node]) -> tuple[Node, ...]:
    """How the nodes move when leaves and literals move along tangents, which have a leading axis of directions."""
    (count,) = {tangent.shape[0] for tangent in tangents.values()}
    moved: dict[Node, Node | None] = dict(tangents)
    for node in ancestors(nodes):
        if node not in moved:
            moves = [moved[operand] for operand in node.operands]
            still = all(move is None for move in moves)
            moved[node] = None if still else _PUSH[type(node)](node, moves, count)
    return tuple(moved[node] or zeros((count, *node.shape)) for node in nodes)


def reverse(node: Node, by: Sequence[Node]) -> tuple[Node, ...]:
    """The gradients of a scalar node, each shaped as its leaf."""
    if node.shape != ():
        raise ValueError(f"reverse mode starts from a scalar, not from shape {node.shape}")
    moving = _moving(node, by)
    pulled: dict[Node, list[Node]] = {node: [number(1)]}
    for each in reversed(ancestors([node])):
        cotangent = total(pulled.get(each, ()))
        if cotangent is None or each not in moving or each in by:
            continue
        for place, operand in enumerate(each.operands):
            if operand in moving:
                pulled.setdefault(operand, []).extend(_PULL[type(each)](each, place, cotangent))
    return tuple(total(pulled.get(each, ())) or zeros(each.shape) for each in by)


def _moving(node: Node, by: Sequence[Node]) -> set[Node]:
    """The nodes that depend on the leaves."""
    moving: set[Node] = set(by)
    for each in ancestors([node]):
        if any(operand in moving for operand in each.operands):
            moving.add(each)
    return moving


# Products of the chain rule -------------------------------------------------------------------------------------------
# Axes are numbered from the last, as broadcasting aligns them: axis i of n has the label n - 1 - i. Axes of length 1
# carry no label, they stretch. The directions of a tangent have the label -1.

_DIRECTIONS = -1


def _labels(shape: Shape, leading: int) -> list[int]:
    axes = len(shape) - leading
    return [_DIRECTIONS] * leading + [axes - 1 - place for place in range(axes)]


def _labelled(node: Node, *, leading: int = 0) -> tuple[Labels, Node]:
    """The labels of an array whose first `leading` axes are directions, and the array without its axes of length 1."""
    kept = [
        (label, length) for label, length in zip(_labels(node.shape, leading), node.shape, strict=True) if length != 1
    ]
    return tuple(label for label, _ in kept), reshape(node, tuple(length for _, length in kept))


def _product(terms: Sequence[tuple[Labels, Node]], shape: Shape, *, leading: int = 0) -> Node:
    """The product of labelled arrays in the given shape: summed over what it lacks, stretched to what it adds."""
    lengths = dict(zip(_labels(shape, leading), shape, strict=True))
    present = {label for own, _ in terms for label in own}
    output = tuple(label for label, length in lengths.items() if label in present and length != 1)
    product = contract([own for own, _ in terms], output, [node for _, node in terms])
    padded = tuple(length if label in output else 1 for label, length in lengths.items())
    return expand(reshape(product, padded), shape)


def _slope(node: Map, place: int) -> Node | None:
    """The local derivative of a kernel by one operand; None where it is zero."""
    if not isinstance(node.kernel, sympy.Expr):
        return None  # a truth value: constant wherever it is decided
    slope = differentiate(node.kernel, slot(place))
    return None if slope == 0 else elementwise(slope, node.operands)


# Forward: (node, tangents of the operands, how many directions) -> tangent --------------------------------------------


def _push_map(node: Map, moves: Sequence[Node | None], count: int) -> Node | None:
    shape = (count, *node.shape)
    terms: list[Node] = []
    for place, move in enumerate(moves):
        slope = _slope(node, place) if move is not None else None
        if move is not None and slope is not None:
            terms.append(_product([_labelled(slope), _labelled(move, leading=1)], shape, leading=1))
    return total(terms)


def _push_contract(node: Contract, moves: Sequence[Node | None], count: int) -> Node | None:
    terms: list[Node] = []
    for place, move in enumerate(moves):
        if move is not None:
            operands = [*node.operands[:place], move, *node.operands[place + 1 :]]
            labels = [*node.labels[:place], (_DIRECTIONS, *node.labels[place]), *node.labels[place + 1 :]]
            terms.append(contract(labels, (_DIRECTIONS, *node.output), operands))
    return total(terms)


def _push_take(node: Take, moves: Sequence[Node], count: int) -> Node:
    return take(moves[0], (range(count), *node.indices))


def _push_put(node: Put, moves: Sequence[Node], count: int) -> Node:
    return put(moves[0], (range(count), *node.indices), (count, *node.shape))


def _push_pile(node: Pile, moves: Sequence[Node | None], count: int) -> Node:
    piled = pile([move or zeros((count, *node.shape[1:])) for move in moves])
    return transpose(piled, (1, 0, *range(2, len(piled.shape))))


def _push_expand(node: Expand, moves: Sequence[Node], count: int) -> Node:
    inner = node.operands[0].shape
    return expand(reshape(moves[0], (count, *(1,) * (len(node.shape) - len(inner)), *inner)), (count, *node.shape))


def _push_reshape(node: Reshape, moves: Sequence[Node], count: int) -> Node:
    return reshape(moves[0], (count, *node.shape))


_PUSH: dict[type, Callable[..., Node | None]] = {
    Leaf: lambda *_: None,
    Literal: lambda *_: None,
    Fixed: lambda *_: None,
    Position: lambda *_: None,
    Map: _push_map,
    Contract: _push_contract,
    Take: _push_take,
    Put: _push_put,
    Pile: _push_pile,
    Expand: _push_expand,
    Reshape: _push_reshape,
}


# Reverse: (node, place of the operand, cotangent of the node) -> cotangents of the operand ----------------------------


def _pull_map(node: Map, place: int, cotangent: Node) -> Sequence[Node]:
    slope = _slope(node, place)
    shape = node.operands[place].shape
    return () if slope is None else [_product([_labelled(slope), _labelled(cotangent)], shape)]


def _pull_contract(node: Contract, place: int, cotangent: Node) -> Sequence[Node]:
    own, operand = node.labels[place], node.operands[place]
    labels = [node.output, *node.labels[:place], *node.labels[place + 1 :]]
    operands = [cotangent, *node.operands[:place], *node.operands[place + 1 :]]
    known = {label for each in labels for label in each}
    inner = contract(labels, tuple(label for label in own if label in known), operands)
    # A label that only this operand has was summed alone: its cotangent is the same all along it.
    padded = tuple(length if label in known else 1 for label, length in zip(own, operand.shape, strict=True))
    return [expand(reshape(inner, padded), operand.shape)]


def _pull_take(node: Take, place: int, cotangent: Node) -> Sequence[Node]:
    return [put(cotangent, node.indices, node.operands[0].shape)]


def _pull_put(node: Put, place: int, cotangent: Node) -> Sequence[Node]:
    return [take(cotangent, node.indices)]


def _pull_pile(node: Pile, place: int, cotangent: Node) -> Sequence[Node]:
    return [take(cotangent, (place,))]


def _pull_expand(node: Expand, place: int, cotangent: Node) -> Sequence[Node]:
    return [_product([_labelled(cotangent)], node.operands[0].shape)]


def _pull_reshape(node: Reshape, place: int, cotangent: Node) -> Sequence[Node]:
    return [reshape(cotangent, node.operands[0].shape)]


_PULL: dict[type, Callable[..., Sequence[Node]]] = {
    Position: lambda *_: (),
    Map: _pull_map,
    Contract: _pull_contract,
    Take: _pull_take,
    Put: _pull_put,
    Pile: _pull_pile,
    Expand: _pull_expand,
    Reshape: _pull_reshape,
}
