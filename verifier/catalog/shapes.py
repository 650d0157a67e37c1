"""The shapes of what is written out: nested lists, data, and the leaves of nested inputs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from verifier.catalog import schema
from verifier.catalog.faults import FaultList
from verifier.catalog.fields import BROKEN, Broken
from verifier.catalog.yaml_events import Node, Scalar, Sequence
from verifier.model.catalog import Shape

__all__ = ["data_shape", "is_broken", "items", "leaves", "list_shape", "nested_shape", "shape_text", "size"]

MAX_SIZE = 1_000_000


def is_broken(value: object) -> bool:
    """Whether the value, or anything in its lists and mappings, has been reported as a fault."""
    match value:
        case Broken():
            return True
        case list():
            return any(is_broken(item) for item in value)
        case dict():
            return any(is_broken(item) for item in value.values())
    return False


def shape_text(shape: Shape) -> str:
    """The shape in words: `a scalar`, `shape [2, 3]`."""
    return f"shape {list(shape)}" if shape else "a scalar"


def items(mapping: object) -> list[tuple[str, Any]]:
    """The names and values of a mapping; none where it is broken or absent."""
    return list(mapping.items()) if isinstance(mapping, dict) else []


def leaves(tree: object, prefix: str = "") -> Iterator[tuple[str, schema.Leaf | Broken]]:
    """The input leaves in order, with dotted names; none where the inputs are broken."""
    for name, node in items(tree):
        match node:
            case schema.Leaf() | Broken():
                yield prefix + name, node
            case dict():
                yield from leaves(node, f"{prefix}{name}.")


def nested_shape(node: Node, cell: Callable[[Scalar], Shape | None], faults: FaultList) -> Shape | None:
    """The shape of nested lists whose innermost items have the shapes that `cell` tells; None after a fault."""
    if isinstance(node, Scalar):
        return cell(node)
    if not isinstance(node, Sequence):
        return None
    shapes = [nested_shape(item, cell, faults) for item in node]
    if not shapes:
        faults.add(node.position, "an empty list has no shape: write at least one number", node.path)
        return None
    if None in shapes:
        return None
    for item, shape in zip(node, shapes, strict=True):
        if shape != shapes[0]:
            this, first = shape_text(shape or ()), shape_text(shapes[0] or ())
            message = f"not a regular array: this item is {this}, the first is {first}"
            faults.add(item.position, message, item.path)
            return None
    return (len(shapes), *(shapes[0] or ()))


def data_shape(data: object, inline: Callable[[Node], Shape | None]) -> Shape | None:
    """The declared shape of data, or the shape of the values written out; None when either is broken."""
    if isinstance(data, schema.Inline):
        return None if is_broken(data.values) else inline(data.node["values"])
    return list_shape(getattr(data, "shape", BROKEN))


def list_shape(lengths: list[int] | Broken | None) -> Shape | None:
    """The lengths as a shape; None when one of them is broken."""
    return None if lengths is None or isinstance(lengths, Broken) or is_broken(lengths) else tuple(lengths)


def size(shape: Shape) -> int:
    """How many components an array of this shape has."""
    return math.prod(shape)
