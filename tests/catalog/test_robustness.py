"""However a catalog is damaged, reading it ends in a catalog or in positioned faults, never in another exception."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.catalog.reader import read
from verifier.errors import CatalogError, Fault

TEXT = (Path(__file__).parent / "golden" / "1.0.yaml").read_text(encoding="utf-8")
LINES = TEXT.splitlines(keepends=True)
PIECES = [
    "",
    "5",
    "x",
    "[]",
    "{}",
    "[1, [2]]",
    "{a: 1}",
    "true",
    "~",
    ".nan",
    "''",
    '"',
    "- ",
    ": ",
    "#",
    " # c",
    "&a ",
    "*a",
    "!t ",
    "(",
    "]",
    "e",
    "value",
    "\t",
    "\n",
]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("damaged") / "x.yaml"


def damage_is_told(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")
    for fault in faults_of(file):
        assert 1 <= fault.line <= len(text.splitlines()) + 1
        assert fault.column >= 1
        assert fault.message


def faults_of(file: Path) -> tuple[Fault, ...]:
    try:
        read(file)
    except CatalogError as error:
        return error.faults
    return ()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(TEXT)), st.integers(0, 30), st.sampled_from(PIECES))
def test_damaged_text(file: Path, start: int, length: int, piece: str) -> None:
    damage_is_told(file, TEXT[:start] + piece + TEXT[start + length :])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, len(LINES) - 1), st.integers(0, len(LINES) - 1), st.integers(0, 3))
def test_moved_lines(file: Path, start: int, to: int, count: int) -> None:
    moved = LINES[start : start + count]
    rest = LINES[:start] + LINES[start + count :]
    damage_is_told(file, "".join(rest[:to] + moved + rest[to:]))


VALUES = [
    (number, line.index(": ") + 2) for number, line in enumerate(LINES) if ": " in line and not line.startswith("#")
]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(VALUES), st.sampled_from(PIECES[:12]))
def test_replaced_values(file: Path, where: tuple[int, int], piece: str) -> None:
    number, column = where
    damage_is_told(file, "".join([*LINES[:number], LINES[number][:column] + piece + "\n", *LINES[number + 1 :]]))
