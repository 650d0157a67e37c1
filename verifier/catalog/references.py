"""What one part of a catalog says about another: ids that must be unique, and ids that must exist."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from verifier.catalog.faults import FaultList, listed, nearest, shown
from verifier.catalog.yaml_events import Mapping, Node, Scalar, Sequence

__all__ = ["Ids", "ids_of", "refuse_repeated"]

MAX_LISTED = 12


@dataclass(frozen=True, slots=True)
class Ids:
    """The ids of one kind, as far as the file declares them."""

    what: str
    known: tuple[str, ...] | None
    """None when the declaration itself could not be read, so that nothing can be said about a reference."""
    home: str

    def check(self, node: Node | None, faults: FaultList) -> None:
        """Reports a reference to an id that is not declared; a broken or missing reference is not judged."""
        if not isinstance(node, Scalar) or self.known is None or node.text in self.known:
            return
        near = nearest(node.text, self.known)
        hint = f"did you mean `{near}`?" if near else self._choices()
        faults.add(node.position, f"unknown {self.what} `{shown(node.text)}`: {hint}", node.path)

    def _choices(self) -> str:
        if not self.known:
            return f"none is declared under `{self.home}`"
        if len(self.known) > MAX_LISTED:
            return f"declare it under `{self.home}`"
        return f"`{self.home}` declares {listed(self.known, last='and')}"


def ids_of(what: str, items: Node | None, home: str, key: str | None = "id") -> Ids:
    """The ids that a list declares: its items, or the `key` of each; also of items with other faults."""
    if items is None:
        return Ids(what, (), home)
    if not isinstance(items, Sequence):
        return Ids(what, None, home)
    return Ids(what, tuple(node.text for node in _id_nodes(items, key)), home)


def _id_nodes(items: Sequence, key: str | None) -> Iterable[Scalar]:
    for item in items:
        node = item.get(key) if key and isinstance(item, Mapping) else item
        if isinstance(node, Scalar):
            yield node


def refuse_repeated(what: str, items: Node | None, faults: FaultList, key: str | None = "id") -> None:
    """Reports every id that stands a second time."""
    first: dict[str, Scalar] = {}
    for node in _id_nodes(items, key) if isinstance(items, Sequence) else ():
        if node.text in first:
            line = first[node.text].position.line
            twice = f"the {what} `{shown(node.text)}` stands here a second time (first in line {line})"
            message = f"{twice}: rename or remove one"
            faults.add(node.position, message, node.path)
        else:
            first[node.text] = node
