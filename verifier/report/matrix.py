"""The agreement matrix: entries by transforms, each cell the worst verdict behind it.

What the page needs to filter travels beside the table: for every cell one letter per dtype x device x compilation, "."
where nothing ran, lower case where the finding is acknowledged.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from verifier.report.rule_verdicts import rule_cells
from verifier.report.words import NOT_RUN, NUMBER_WORDS, RULE_WORDS, Word, of_verdict, ordinal_word, severity
from verifier.runs.reader import Run
from verifier.runs.records import Entry, Verdict

__all__ = ["DTYPES", "Cell", "Column", "Matrix", "Row", "in_order", "matrix", "split_program"]

_KNOWN = [
    "value",
    "symbolic",
    "grad",
    "jacfwd",
    "jacrev",
    "jvp",
    "vjp",
    "linearize",
    "hessian",
    "fwd-fwd",
    "fwd-rev",
    "rev-fwd",
    "rev-rev",
    "grad3",
    "jacfwd3",
    "jacrev3",
    "grad4",
    "jacfwd4",
    "jacrev4",
    "jet",
]
DTYPES = ("float64", "float32", "bfloat16", "float16")
_COMPILATIONS = ("eager", "jit", "vmap", "remat")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One transform at one order."""

    order: int
    transform: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """The worst verdict of a cell without any filter, and its letters."""

    word: Word
    acknowledged: bool
    letters: str
    rule: Word | None = None
    """The worst verdict on the transform's rule, whatever the filter: no dtype or device enters it."""
    rule_acknowledged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One entry's cells, in the order of the columns."""

    entry: Entry
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """The table and its axes."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    dtypes: tuple[str, ...]
    devices: tuple[str, ...]
    compilations: tuple[str, ...]

    @property
    def groups(self) -> tuple[tuple[str, int], ...]:
        """(heading, number of columns) for each order."""
        return tuple(
            (ordinal_word(order), len(list(group))) for order, group in groupby(self.columns, lambda each: each.order)
        )

    @property
    def words(self) -> tuple[Word, ...]:
        """The words that occur, best first."""
        present = {letter.upper() for row in self.rows for cell in row.cells for letter in cell.letters}
        return tuple(word for word in NUMBER_WORDS if word.letter in present)

    @property
    def rule_words(self) -> tuple[Word, ...]:
        """The words on rules that occur, best first."""
        present = {cell.rule for row in self.rows for cell in row.cells}
        return tuple(word for word in RULE_WORDS if word in present)

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags of all rows, by name."""
        return tuple(sorted({tag for row in self.rows for tag in row.entry.tags}))

    def script_data(self) -> dict[str, Any]:
        """What the page's script filters by."""
        return {
            "dtypes": self.dtypes,
            "devices": self.devices,
            "compilations": self.compilations,
            "words": [[word.letter, word.tone, word.label] for word in NUMBER_WORDS],
            "cells": [[cell.letters for cell in row.cells] for row in self.rows],
        }


def split_program(program: str) -> tuple[str, str]:
    """ "grad/jit" -> ("grad", "jit")."""
    transform, _, compilation = program.partition("/")
    return transform, compilation


def matrix(run: Run) -> Matrix:
    """The matrix of a run: rows in catalog order, columns by order of differentiation and then as in DESIGN §6."""
    ran = {(each.order, each.program, each.dtype, each.device) for each in run.verdicts}
    columns = sorted({(order, _place(_KNOWN, split_program(program)[0])) for order, program, _, _ in ran})
    axes = (
        in_order(DTYPES, {dtype for *_, dtype, _ in ran}),
        in_order((), {device for *_, device in ran}),
        in_order(_COMPILATIONS, {split_program(program)[1] for _, program, _, _ in ran}),
    )
    heads = tuple(Column(order=order, transform=name) for order, (_, name) in columns)
    cells, rules = _cells(run, axes), rule_cells(run)

    def cell(entry: str, head: Column) -> Cell:
        rule, known = rules.get((entry, head.order, head.transform), (None, False))
        return replace(cells[entry, head.order, head.transform], rule=rule, rule_acknowledged=known)

    rows = tuple(
        Row(entry=entry, cells=tuple(cell(entry.entry, head) for head in heads))
        for entry in run.entries
        if entry.value is not None or entry.status != "OK"
    )
    return Matrix(columns=heads, rows=rows, dtypes=axes[0], devices=axes[1], compilations=axes[2])


def _cells(run: Run, axes: tuple[tuple[str, ...], ...]) -> dict[tuple[str, int, str], Cell]:
    size = len(axes[0]) * len(axes[1]) * len(axes[2])
    slots = {(t, d, c): k for k, (t, d, c) in enumerate((t, d, c) for t in axes[0] for d in axes[1] for c in axes[2])}
    gathered: dict[tuple[str, int, str], dict[int, list[Verdict]]] = defaultdict(lambda: defaultdict(list))
    for each in run.verdicts:
        transform, compilation = split_program(each.program)
        gathered[each.entry, each.order, transform][slots[each.dtype, each.device, compilation]].append(each)
    empty = Cell(word=NOT_RUN, acknowledged=False, letters="." * size)
    found: dict[tuple[str, int, str], Cell] = defaultdict(lambda: empty)
    for key, by_slot in gathered.items():
        found[key] = _cell({slot: max(group, key=_rank) for slot, group in by_slot.items()}, size)
    return found


def _cell(worst_by_slot: dict[int, Verdict], size: int) -> Cell:
    letters = ["."] * size
    for slot, verdict in worst_by_slot.items():
        letter = of_verdict(verdict).letter
        letters[slot] = letter.lower() if verdict.acknowledged else letter
    worst = max(worst_by_slot.values(), key=_rank)
    return Cell(word=of_verdict(worst), acknowledged=worst.acknowledged is not None, letters="".join(letters))


def _rank(verdict: Verdict) -> tuple[int, bool]:
    return severity(of_verdict(verdict)), verdict.acknowledged is None


def _place(known: Sequence[str], name: str) -> tuple[int, str]:
    return (known.index(name) if name in known else len(known), name)


def in_order(known: tuple[str, ...], present: set[str]) -> tuple[str, ...]:
    """The known ones first, in their order, then the others by name."""
    return tuple(each for each in known if each in present) + tuple(sorted(present - set(known)))
