"""Writing an entry: as YAML text, as a catalog of its own or into one that exists, whose comments and order stay."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from verifier.catalog.faults import FaultList
from verifier.catalog.yaml_events import Mapping as Tree
from verifier.catalog.yaml_events import Scalar, read_tree
from verifier.catalog.yaml_events import Sequence as Items
from verifier.errors import UsageError

__all__ = ["NewEntry", "added", "entry_ids", "formula_text", "fresh", "identity", "section_of"]

_SECTION = "added"
_PLAIN = re.compile(r"[A-Za-z0-9(][\w()*/+., -]*")
_WORDS = {"**": "-to-", "+": "-plus-", "/": "-over-", "@": "-at-", "<": "-below-", ">": "-above-"}
_LONGEST_ID = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """What an author says of a function: its formula, the domain of each input, orders and points."""

    id: str
    title: str
    value: str
    domains: Mapping[str, tuple[str, str]]
    orders: Sequence[int] = (1, 2)
    points: Sequence[Mapping[str, str]] = ()

    def text(self, section: str, indent: str = "  ") -> str:
        """The entry as YAML, its key indented once."""
        lines = [
            f"{self.id}:",
            f"{indent}title: {_text(self.title)}",
            f"{indent}section: {section}",
            f"{indent}inputs:",
            *(
                f"{indent * 2}{name}: {{domain: [{_flow(low)}, {_flow(high)}]}}"
                for name, (low, high) in self.domains.items()
            ),
            f"{indent}value: {formula_text(self.value)}",
            f"{indent}orders: [{', '.join(map(str, self.orders))}]",
        ]
        if self.points:
            lines.append(f"{indent}points:")
            lines += [f"{indent * 2}- {{{', '.join(f'{k}: {_flow(v)}' for k, v in at.items())}}}" for at in self.points]
        return "".join(f"{indent}{line}\n" for line in lines)


def _text(text: str) -> str:
    """The text as a YAML scalar that is certainly text."""
    return json.dumps(text, ensure_ascii=False)


def formula_text(text: str) -> str:
    """A formula as a YAML scalar: plain where nothing in it has a meaning to YAML."""
    return text if _PLAIN.fullmatch(text) and not text.endswith(" ") else _text(text)


def _flow(text: str) -> str:
    """As `quoted`, inside brackets, where a comma separates."""
    return text if re.fullmatch(r"[\w./*+() -]+", text) else _text(text)


def identity(formula: str, taken: Sequence[str] = ()) -> str:
    """An id made of the formula, that none of `taken` is."""
    text = formula.lower()
    for sign, word in _WORDS.items():
        text = text.replace(sign, word)
    base = re.sub(r"[^a-z0-9]+", "-", text).strip("-")[:_LONGEST_ID].strip("-") or "entry"
    candidates = (base, *(f"{base}-{number}" for number in range(2, len(taken) + 3)))
    return next(each for each in candidates if each not in taken)


def fresh(entry: NewEntry, title: str) -> str:
    """A catalog that holds the entry alone."""
    return (
        f'format: "1.0"\n\nsource:\n  title: {_text(title)}\n  sections:\n    - id: {_SECTION}\n'
        f'      title: "Added functions"\n\nentries:\n{entry.text(_SECTION)}'
    )


def section_of(text: str, file: str) -> str:
    """The id of a catalog's last section, where a new entry goes unless another is named."""
    sections = _child(_child(_tree(text, file), "source"), "sections")
    last = sections[-1] if isinstance(sections, Items) and sections else None
    name = _child(last, "id")
    if not isinstance(name, Scalar):
        raise UsageError(f"{file}: the catalog has no section to put the entry in; add one, or name another file")
    return name.text


def _child(node: object, key: str) -> object:
    return node.get(key) if isinstance(node, Tree) else None


def entry_ids(text: str, file: str) -> tuple[str, ...]:
    """The ids of a catalog's entries."""
    return tuple(_entries(_tree(text, file), file))


def added(text: str, entry: NewEntry, section: str, file: str) -> str:
    """A catalog's text with the entry after its last one, in the file's own line ends; every other byte stays."""
    tree = _tree(text, file)
    entries = _entries(tree, file)
    indent = next((position.column - 1 for position in entries.keys_at.values()), 2)
    lines = text.splitlines(keepends=True)
    at = _end(tree, lines)
    end = next((each for each in map(_line_end, reversed(lines[:at])) if each), "\n")
    written = entry.text(section, " " * indent).replace("\n", end)
    return "".join((*lines[:at], "" if _line_end(lines[at - 1]) else end, end, written, *lines[at:]))


def _line_end(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]


def _tree(text: str, file: str) -> Tree:
    faults = FaultList(file)
    tree = read_tree(text.encode("utf-8"), faults)
    if faults:
        raise faults.error()
    if not isinstance(tree, Tree):
        raise UsageError(f"{file}: this is no catalog; name another file, or one that does not exist yet")
    return tree


def _entries(tree: Tree, file: str) -> Tree:
    entries = tree.get("entries")
    if not isinstance(entries, Tree):
        raise UsageError(f"{file}: this catalog has no `entries` to add to; add the key, or name another file")
    return entries


def _end(tree: Tree, lines: Sequence[str]) -> int:
    """The number of lines up to the end of `entries`: before the next key's own comments, without blank lines."""
    start = tree.keys_at["entries"].line
    after = [position.line for position in tree.keys_at.values() if position.line > start]
    end = min(after) - 1 if after else len(lines)
    while end > start and (not lines[end - 1].strip() or (after and lines[end - 1].startswith("#"))):
        end -= 1
    return end
