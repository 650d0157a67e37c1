"""Points of an entry: each names input leaves and gives values of their shapes, inside their domains."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from verifier.catalog.faults import FaultList, nearest, shown
from verifier.catalog.fields import Broken
from verifier.catalog.formulas import Vocabulary
from verifier.catalog.point_values import Domains, Values
from verifier.catalog.shapes import is_broken, nested_shape, shape_text
from verifier.catalog.yaml_events import Mapping as MappingNode
from verifier.catalog.yaml_events import Node, Scalar
from verifier.model.catalog import Shape

__all__ = ["check_names", "check_point", "declared_points"]


@dataclass(frozen=True, slots=True)
class _Leaf:
    """One leaf of one point: what is written for it, and what it has to be."""

    name: str
    node: Node
    shape: Shape


def check_names(given: MappingNode, vocabulary: Vocabulary, faults: FaultList) -> None:
    """Reports every key that is no input leaf."""
    inputs = vocabulary.inputs
    for name in given:
        if name in inputs or vocabulary.is_broken(name) or vocabulary.doubtful:
            continue
        near = nearest(name, inputs)
        inside = [leaf for leaf in inputs if leaf.startswith(f"{name}.")]
        hint = (
            f"did you mean `{near}`?"
            if near
            else f"the inputs are {', '.join(f'`{each}`' for each in inputs) or 'none'}"
        )
        hint = f"give each of its leaves, such as `{inside[0]}`" if inside else hint
        faults.add(given.keys_at[name], f"`{shown(name)}` is no input: {hint}", given.child_path(name))


def check_point(
    given: Node | None,
    read: object,
    vocabulary: Vocabulary,
    faults: FaultList,
    allowed: Collection[str],
    values: Values | None = None,
) -> frozenset[str]:
    """Checks the leaves of a point that may be partial; the names that it gives.

    `given` is the point as written, `read` the same as the schema read it, `allowed` the kinds of name for its values;
    `values` knows the domains, where they matter.
    """
    values = values or Values(faults)
    if not isinstance(given, MappingNode) or not isinstance(read, dict):
        return frozenset()
    check_names(given, vocabulary, faults)
    for leaf in _leaves(given, read, vocabulary):
        _check_shape(leaf, lambda cell: _cell_shape(cell, vocabulary, allowed), faults)
        values.check(leaf.node, leaf.name)
    return frozenset(given)


def declared_points(
    given: Node | None,
    read: Sequence[object],
    vocabulary: Vocabulary,
    faults: FaultList,
    domains: Domains,
    data: Mapping[str, object],
) -> None:
    """Checks points that must give every input, inside its domain; `data` are the entry's, as the schema read them."""
    values = Values(faults, domains, data)
    for node, point in zip(given or (), read, strict=True):  # type: ignore[arg-type]
        if not isinstance(node, MappingNode) or isinstance(point, Broken):
            continue
        check_point(node, point, vocabulary, faults, {"data"}, values)
        _check_complete(node, vocabulary, faults)


def _leaves(given: MappingNode, read: dict[str, object], vocabulary: Vocabulary) -> list[_Leaf]:
    inputs = vocabulary.inputs
    return [
        _Leaf(name, node, inputs[name])
        for name, node in given.items()
        if name in inputs and not is_broken(read.get(name))
    ]


def _cell_shape(cell: Scalar, vocabulary: Vocabulary, allowed: Collection[str]) -> Shape | None:
    checked = vocabulary.check(cell, allowed)
    return checked.shape if checked else None


def _check_shape(leaf: _Leaf, cell: Callable[[Scalar], Shape | None], faults: FaultList) -> None:
    shape = nested_shape(leaf.node, cell, faults)
    if shape is not None and shape != leaf.shape:
        message = f"`{shown(leaf.name)}` is {shape_text(leaf.shape)}, but what is given here is {shape_text(shape)}"
        faults.add(leaf.node.position, message, leaf.node.path)


def _check_complete(given: MappingNode, vocabulary: Vocabulary, faults: FaultList) -> None:
    missing = [name for name in vocabulary.inputs if name not in given]
    if missing and not given.incomplete:
        names = ", ".join(f"`{shown(name)}`" for name in missing)
        faults.add(given.position, f"a point gives a value to every input: add {names}", given.path)
