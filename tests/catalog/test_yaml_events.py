from __future__ import annotations

import os
import time
from collections.abc import Callable

import pytest

from verifier.catalog import yaml_events
from verifier.catalog.faults import FaultList
from verifier.catalog.yaml_events import Mapping, Node, Scalar, Sequence, read_tree

Faults = Callable[[str | bytes], list[str]]
HEAD = 'format: "1.0"\nsource: {title: t, sections: [{id: s, title: t}]}\nentries: {e: {title: t, section: s}}\n'


def tree_of(text: str) -> tuple[Node | None, list[str]]:
    faults = FaultList("x.yaml")
    tree = read_tree(text.encode(), faults)
    return tree, str(faults.error()).splitlines()


def test_positions_of_keys_values_and_text() -> None:
    tree, faults = tree_of("é: {ü: 'a b'}\nk:\n  - \"x\\ty\"\n  - 5 # five\n")
    assert not faults
    assert isinstance(tree, Mapping)
    inner, items = tree["é"], tree["k"]
    assert isinstance(inner, Mapping)
    assert isinstance(items, Sequence)
    assert (tree.keys_at["k"].line, tree.keys_at["k"].column) == (2, 1)
    assert (inner.keys_at["ü"].line, inner.keys_at["ü"].column) == (1, 5)
    quoted, escaped, five = inner["ü"], *items
    assert isinstance(quoted, Scalar)
    assert isinstance(escaped, Scalar)
    assert isinstance(five, Scalar)
    assert (quoted.position.column, quoted.starts.column, quoted.aligned) == (8, 9, True)
    assert (escaped.text, escaped.starts.column, escaped.aligned) == ("x\ty", 5, False)
    assert (five.path, five.comment) == ("k[1]", True)


HOSTILE = {
    "billion laughs": b'a: &a ["lol", "lol"]\n'
    + b"".join(b"%c: &%c [%b]\n" % (c, c, b",".join([b"*%c" % (c - 1)] * 9)) for c in range(98, 120)),
    "brackets": b"[" * 100_000,
    "braces": b"{" * 100_000,
    "nested flow mappings": b"a: " + b"{a: " * 100_000,
    "nested lists": b"- " * 100_000,
    "nested keys": b"? " * 100_000,
    "python call": b'!!python/object/apply:os.mkdir ["hacked"]\n',
    "python call inside": b'a: !!python/object/new:os.mkdir ["hacked"]\nb: !!python/name:os.system\n',
    "merge keys": b"".join(b"c%d: {<<: {a: 1}}\n" % k for k in range(1000)),
    "a million items": b"- a\n" * 1_000_000,
    "too large": b"# " + b"x" * (8 * 1024 * 1024),
    "one long text": b"a: " + b"x" * 8_000_000,
    "not UTF-8": "é: 1\n".encode("latin-1"),
    "UTF-16": HEAD.encode("utf-16"),
    "control character": b"format: \x1b[2J\n",
    "NUL": b"\0" * 1000,
    "tab": b"format:\n\t- 1\n",
    "unclosed quote": b'format: "1.0\nentries: {}\n',
    "empty": b"",
    "only a comment": b"# nothing\n",
}


LONG = ("a million items",)


@pytest.mark.parametrize("name", [pytest.param(each, marks=[pytest.mark.slow] * (each in LONG)) for each in HOSTILE])
def test_hostile_files_give_one_positioned_fault_and_no_hang(name: str, faults: Faults) -> None:
    started = time.process_time()
    found = faults(HOSTILE[name])
    assert len(found) == 1, found[:5]
    assert found[0].startswith("catalog/x.yaml:")
    assert time.process_time() - started < 20
    assert not os.path.exists("hacked")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (HEAD.replace("t, s", "&x t, s"), "2:17: anchors (`&name`) and aliases (`*name`) are no part"),
        (HEAD.replace("title: t", "title: *t"), "2:17: anchors (`&name`) and aliases (`*name`) are no part"),
        (HEAD.replace("title: t", "title: !foo t"), "2:17: tags (`!name`) are no part"),
        (HEAD.replace("title: t", "title: ! t"), "2:17: tags (`!name`) are no part"),
        (HEAD + "<<: {a: 1}\n", "4:1: merge keys (`<<`) are no part"),
        (HEAD + "---\na: 1\n", "4:1: a second document begins here"),
        ("%YAML 1.1\n---\n" + HEAD, "1:1: `%` directives are no part"),
        ("\ufeff" + HEAD, "1:1: the file starts with a byte order mark"),
        (HEAD + "format: x\n", "4:1: the key `format` stands here a second time (first in line 1)"),
        (HEAD + "[a]: x\n", "4:1: a key must be a name"),
        (HEAD + "? {a: 1}\n: x\n", "4:3: a key must be a name"),
        (HEAD + "note: {: x}\n", "4:8: a key or a value is missing here"),
        (HEAD + "?\n: x\n", "4:2: a `:` without a key"),
        (HEAD + ": x\n", "4:1: this line does not continue the mapping above"),
        (HEAD + "k" * 201 + ": x\n", "4:1: a key of more than 200 characters"),
        (HEAD + "\tk: x\n", "4:1: a tab stands where YAML wants spaces"),
        (HEAD + "note: @x\n", "4:7: no unquoted text may begin with this character"),
        (HEAD + "note: a: b\n", "4:8: a `:` that is not expected here"),
        (HEAD + "note: - x\n", "4:7: a `-` list cannot begin here"),
        (HEAD + "note: {x: v[0]}\n", "4:12: a `,` or the closing bracket is missing"),
        (HEAD + "note: 'x\n", "4:7: a quote is opened and never closed"),
        (HEAD + "note\n", "5:1: a key without its `:`"),
        (HEAD + 'note: "\\q"\n', "4:8: an unknown escape after `\\`"),
        (HEAD + "note: 1\n  k: 2\n", "5:4: a `:` that is not expected here"),
        (HEAD + "entries\u2028: 1\n", "4:8: the invisible character U+2028"),
        (HEAD.replace('"1.0"', '"1.\\0"'), "1:9: the text holds the invisible character \\x00"),
        (HEAD.replace("title: t", "title: \u202e"), "2:17: the invisible character U+202E"),
        (HEAD + "}\n", "4:1: "),
    ],
)
def test_what_yaml_allows_and_a_catalog_does_not(text: str, fault: str, faults: Faults) -> None:
    assert not faults(HEAD)
    found = faults(text)
    assert any(line.startswith(f"catalog/x.yaml:{fault}") for line in found), found
    assert len(found) <= 2


def test_yaml_1_2_may_be_declared(faults: Faults) -> None:
    assert not faults("%YAML 1.2\n---\n" + HEAD)


def test_a_refused_value_is_not_judged_twice(faults: Faults) -> None:
    assert len(faults(HEAD.replace("{title: t, sections: [{id: s, title: t}]}", "!x {titel: t}"))) == 1


@pytest.mark.parametrize(("limit", "text"), [("MAX_NODES", "[1, 1]"), ("MAX_DEPTH", "[[[1]]]"), ("MAX_SCALAR", "xxx")])
def test_limits_hold_exactly(limit: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_events, limit, 3)
    assert tree_of(text)[1] == []
    monkeypatch.setattr(yaml_events, limit, 2)
    assert len(tree_of(text)[1]) == 1
