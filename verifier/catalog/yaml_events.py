"""YAML text to a tree of nodes that know where they stand, from the events of libyaml's parser alone.

No constructor, resolver or composer of PyYAML runs: a node is text, a list or a mapping with text keys. Anchors,
aliases, tags, merge keys and further documents are no part of the language. The tree is built while events stream in,
so the limits on depth, nodes and length hold before memory is spent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

import yaml

from verifier.catalog.faults import INVISIBLE, FaultList, shown
from verifier.model.catalog import Position

__all__ = ["Mapping", "Node", "Refused", "Scalar", "Sequence", "read_tree"]

MAX_BYTES = 8 * 1024 * 1024
MAX_DEPTH = 64
MAX_NODES = 200_000
MAX_SCALAR = 100_000
MAX_KEY = 200

_BYTE_ORDER_MARK = "\ufeff"
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_COMMENT = re.compile(r"[ \t]+#")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """A piece of text. `starts` is where its first character stands: inside the quotes, where there are any."""

    text: str
    plain: bool
    """Written without quotes, so that it may be a number, a truth value or nothing."""
    position: Position
    starts: Position
    aligned: bool
    """Character k of the text stands k columns after `starts`: one line, no escapes."""
    comment: bool
    """A plain scalar that ends because ` #` follows on its line."""
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Stands for what the language does not allow (an alias, a tagged node): reported already, skipped from here on."""

    position: Position
    path: str


class Sequence(list["Node"]):
    """A list of nodes."""

    def __init__(self, position: Position, path: str) -> None:
        super().__init__()
        self.position = position
        self.path = path


class Mapping(dict[str, "Node"]):
    """Text keys and their nodes; `keys_at` holds where each key stands."""

    def __init__(self, position: Position, path: str) -> None:
        super().__init__()
        self.position = position
        self.path = path
        self.keys_at: dict[str, Position] = {}
        self.incomplete = False
        """A merge key or a key that is no text was refused here: what is missing may have been meant by it."""

    def child_path(self, key: str) -> str:
        """The path of the value under `key`, whether it exists or not."""
        return f"{self.path}.{shown(key)}" if self.path else shown(key)


Node = Scalar | Sequence | Mapping | Refused


class _Stop(Exception):
    """The rest of the file cannot be read; the reason has been recorded."""


def read_tree(data: bytes, faults: FaultList) -> Node | None:
    """The file's tree; None when a fault stops the reading. Every fault goes to `faults`."""
    try:
        text = _text(data, faults)
        return _Builder(text, faults).document()
    except _Stop:
        return None


def _text(data: bytes, faults: FaultList) -> str:
    """The bytes as text: UTF-8, no byte order mark, no invisible characters, at most 8 MiB."""
    start = Position(file=faults.file)
    if len(data) > MAX_BYTES:
        faults.add(start, f"the file is larger than {MAX_BYTES // 2**20} MiB: split the catalog")
        raise _Stop
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        faults.add(_position_after(before, faults.file), "this byte is not UTF-8: save the file as UTF-8 text")
        raise _Stop from None
    if text.startswith(_BYTE_ORDER_MARK):
        faults.add(start, "the file starts with a byte order mark: save it as UTF-8 without one")
        text = text[1:]
    _refuse_unsafe(text, faults)
    return text


def _refuse_unsafe(text: str, faults: FaultList) -> None:
    found = INVISIBLE.search(text)
    if found:
        at = _position_after(text[: found.start()], faults.file)
        faults.add(at, f"the invisible character U+{ord(found.group()):04X} is not allowed here: delete it")
        raise _Stop


def _position_after(text: str, file: str) -> Position:
    lines = _LINE_BREAK.split(text)
    return Position(file=file, line=len(lines), column=len(lines[-1]) + 1)


# libyaml's complaint -> what to tell the author; the first row whose words occur in it.
_ADVICE = (
    ("tab character", "a tab stands where YAML wants spaces: indent with spaces"),
    ("cannot start any token", "no unquoted text may begin with this character: put the text in quotes"),
    (
        "mapping values are not allowed",
        "a `:` that is not expected here: put a text that holds `: ` in quotes, or correct the indentation",
    ),
    ("block sequence entries are not allowed", "a `-` list cannot begin here: begin it on the next line, indented"),
    ("could not find expected ':'", "a key without its `:`: write `key: value`, or correct the indentation"),
    (
        "did not find expected ',' or",
        "a `,` or the closing bracket is missing; a formula with [ ] or , inside { } or [ ] needs quotes",
    ),
    (
        "did not find expected '-'",
        "this line does not continue the list above: begin it with `- `, or correct the indentation",
    ),
    (
        "did not find expected key",
        "this line does not continue the mapping above: correct its indentation, or put the text before it in quotes",
    ),
    ("did not find expected node content", "a key or a value is missing here: write it, or remove the mark before it"),
    ("unexpected end of stream", "a quote is opened and never closed"),
    (
        "did not find expected <document start>",
        "something follows the end of the catalog: remove it, or correct the brackets",
    ),
    ("escape", "an unknown escape after `\\`: use single quotes, where a backslash is only a backslash"),
    ("undefined tag handle", "tags (`!name`) are no part of the catalog language: remove it"),
)


class _Builder:
    """Builds the tree of one document from its events."""

    def __init__(self, text: str, faults: FaultList) -> None:
        self._faults = faults
        self._lines = _LINE_BREAK.split(text)
        self._events = self._stream(text)
        self._nodes = 0
        self._refusals: dict[str, tuple[Position, str, int]] = {}

    def document(self) -> Node:
        """The one document of the stream."""
        next(self._events)
        start = next(self._events)
        if not isinstance(start, yaml.DocumentStartEvent):
            self._stop(
                Position(file=self._faults.file), "the file is empty: a catalog needs `format`, `source` and `entries`"
            )
        if start.version not in (None, (1, 2)) or start.tags:
            self._refuse("directive", self._position(start), "")
        node = self._node(next(self._events), "", depth=0)
        next(self._events)
        self._end()
        return node

    def _end(self) -> None:
        further = next(self._events)
        if not isinstance(further, yaml.StreamEndEvent):
            self._faults.add(
                self._position(further), "a second document begins here: a catalog is one document, remove the `---`"
            )
        self._report_refusals()

    def _stream(self, text: str) -> Iterator[yaml.Event]:
        try:
            yield from yaml.parse(text, Loader=yaml.CLoader)
        except yaml.MarkedYAMLError as error:
            self._syntax_error(error)
        except (yaml.YAMLError, ValueError) as error:
            self._stop(Position(file=self._faults.file), f"not YAML: {shown(str(error))}")

    def _syntax_error(self, error: yaml.MarkedYAMLError) -> NoReturn:
        problem = error.problem or "unreadable"
        advice = next((words for part, words in _ADVICE if part in problem), f"not YAML: {shown(problem)}")
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line, mark.column) if mark else (0, 0)
        if self._is_tab(line, column):
            advice = _ADVICE[0][1]
        if "never closed" in advice and error.context_mark:  # where it is opened helps, the end of the file does not
            line, column = error.context_mark.line, error.context_mark.column
        self._stop(Position(file=self._faults.file, line=line + 1, column=column + 1), advice)

    def _is_tab(self, line: int, column: int) -> bool:
        return line < len(self._lines) and self._lines[line][column : column + 1] == "\t"

    def _stop(self, position: Position, message: str, path: str = "") -> NoReturn:
        self._report_refusals()
        self._faults.add(position, message, path)
        raise _Stop

    def _refuse(self, what: str, position: Position, path: str) -> None:
        """Remembers a refusal; only the first of its kind is reported, because a hostile file can hold any number."""
        first, where, count = self._refusals.get(what, (position, path, 0))
        self._refusals[what] = (first, where, count + 1)

    def _report_refusals(self) -> None:
        for what, (position, path, count) in self._refusals.items():
            more = f" ({count - 1} more below)" if count > 1 else ""
            self._faults.add(position, f"{_REFUSED[what]}{more}", path)
        self._refusals.clear()

    def _position(self, event: yaml.Event) -> Position:
        mark = event.start_mark
        return Position(file=self._faults.file, line=mark.line + 1, column=mark.column + 1)

    def _count(self, position: Position, path: str, depth: int) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._stop(position, f"more than {MAX_NODES:,} values: split the catalog, or let data be generated", "")
        if depth > MAX_DEPTH:
            self._stop(position, f"nested more than {MAX_DEPTH} levels deep: no catalog needs that", "")

    def _node(self, event: yaml.Event, path: str, *, depth: int) -> Node:
        position = self._position(event)
        self._count(position, path, depth)
        if getattr(event, "anchor", None) is not None:
            self._refuse("reference", position, path)
        node = self._bare_node(event, position, path, depth)
        if getattr(event, "tag", None) is not None:
            self._refuse("tag", position, path)
            return Refused(position=position, path=path)
        return node

    def _bare_node(self, event: yaml.Event, position: Position, path: str, depth: int) -> Node:
        match event:
            case yaml.ScalarEvent():
                return self._scalar(event, position, path)
            case yaml.SequenceStartEvent():
                return self._sequence(position, path, depth)
            case yaml.MappingStartEvent():
                return self._mapping(position, path, depth)
        return Refused(position=position, path=path)  # an alias

    def _sequence(self, position: Position, path: str, depth: int) -> Sequence:
        items = Sequence(position, path)
        for event in self._events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            items.append(self._node(event, f"{path}[{len(items)}]", depth=depth + 1))
        return items

    def _mapping(self, position: Position, path: str, depth: int) -> Mapping:
        mapping = Mapping(position, path)
        for event in self._events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            self._pair(mapping, event, depth + 1)
        return mapping

    def _pair(self, mapping: Mapping, event: yaml.Event, depth: int) -> None:
        key = self._node(event, mapping.path, depth=depth)
        text = self._key(key, mapping)
        value = self._node(next(self._events), mapping.child_path(text or "?"), depth=depth)
        if text is None:
            mapping.incomplete = True
        elif text in mapping.keys_at:
            first = mapping.keys_at[text].line
            message = f"the key `{shown(text)}` stands here a second time (first in line {first}): keep one of the two"
            self._faults.add(key.position, message, mapping.child_path(text))
        else:
            mapping.keys_at[text] = key.position
            mapping[text] = value

    def _key(self, key: Node, mapping: Mapping) -> str | None:
        """The key's text; None when it is none and has been reported."""
        match key:
            case Scalar(text="<<", plain=True):
                self._refuse("merge", key.position, mapping.path)
            case Scalar(text="", plain=True):
                self._faults.add(key.position, "a `:` without a key before it: write `key: value`", mapping.path)
            case Scalar(text=text) if len(text) > MAX_KEY:
                self._faults.add(key.position, f"a key of more than {MAX_KEY} characters: shorten it", mapping.path)
            case Scalar(text=text):
                return text
            case Sequence() | Mapping():
                self._faults.add(key.position, "a key must be a name, not a list or a mapping", mapping.path)
        return None

    def _scalar(self, event: yaml.ScalarEvent, position: Position, path: str) -> Node:
        text, plain = event.value, not event.style
        if len(text) > MAX_SCALAR:
            self._faults.add(position, f"a text of more than {MAX_SCALAR:,} characters: shorten it", path)
            return Refused(position=position, path=path)
        hidden = INVISIBLE.search(text)
        if hidden:
            self._faults.add(
                position, f"the text holds the invisible character {shown(hidden.group())}: remove it", path
            )
            return Refused(position=position, path=path)
        quote = 0 if plain else 1
        end = event.end_mark
        raw = self._lines[end.line] if end.line < len(self._lines) else ""
        starts = position.column - 1 + quote
        aligned = end.line == event.start_mark.line and raw[starts : end.column - quote] == text
        return Scalar(
            text=text,
            plain=plain,
            position=position,
            starts=Position(file=position.file, line=position.line, column=starts + 1) if aligned else position,
            aligned=aligned,
            comment=plain and bool(_COMMENT.match(raw[end.column :])),
            path=path,
        )


_REFUSED = {
    "reference": "anchors (`&name`) and aliases (`*name`) are no part of the catalog language: write the value out",
    "tag": "tags (`!name`) are no part of the catalog language: remove it and write the plain value",
    "merge": "merge keys (`<<`) are no part of the catalog language: write the keys out",
    "directive": "`%` directives are no part of the catalog language (`%YAML 1.2` may stay): remove the line",
}
