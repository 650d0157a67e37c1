"""Runs over time in SQLite: how many bits each entry lost at its worst, run after run.

SQLite would turn -0.0 into 0.0 and NaN into NULL; what is kept here are counts, finite bits and hex text.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from verifier.compare.facts import Fact, facts
from verifier.errors import UsageError
from verifier.runs.reader import Run

__all__ = ["Moment", "Trend", "remember", "trends"]

_VERSION = 1
_TABLES = """
CREATE TABLE run (
    id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, catalog TEXT NOT NULL, started TEXT NOT NULL,
    versions TEXT NOT NULL
) STRICT;
CREATE TABLE entry (
    run INTEGER NOT NULL REFERENCES run(id), entry TEXT NOT NULL, dtype TEXT NOT NULL, failing INTEGER NOT NULL,
    worst TEXT NOT NULL, lost_bits REAL NOT NULL, PRIMARY KEY (run, entry, dtype)
) STRICT, WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """An entry in one dtype in one run: the most bits lost, the worst class, how many results fail."""

    started: str
    versions: dict[str, str]
    failing: int
    worst: str
    lost_bits: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """What became of an entry in one dtype, oldest run first."""

    entry: str
    dtype: str
    moments: tuple[Moment, ...]


def remember(database: Path, runs: Sequence[Run]) -> int:
    """Add runs to the history, which is made where there is none; returns how many were not in it yet."""
    with _open(database) as connection:
        return sum(_add(connection, run) for run in runs)


def trends(database: Path, *, entries: Sequence[str] = ()) -> list[Trend]:
    """The trend of every entry and dtype, in the order of their names; only of `entries` where any are named."""
    if not database.exists():
        raise UsageError(f"{database}: there is no history; add runs to it: verifier history {database} RUN.jsonl")
    found: dict[tuple[str, str], list[Moment]] = defaultdict(list)
    with _open(database) as connection:
        rows = connection.execute(
            "SELECT entry, dtype, started, versions, failing, worst, lost_bits FROM entry JOIN run ON run = id"
            " ORDER BY entry, dtype, started, id"
        )
        for entry, dtype, started, versions, failing, worst, lost in rows:
            if not entries or entry in entries:
                moment = Moment(
                    started=started, versions=json.loads(versions), failing=failing, worst=worst, lost_bits=lost
                )
                found[entry, dtype].append(moment)
    return [Trend(entry=entry, dtype=dtype, moments=tuple(each)) for (entry, dtype), each in found.items()]


@contextmanager
def _open(database: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(sqlite3.connect(database)) as connection, connection:
            _prepare(connection, database)
            yield connection
    except sqlite3.DatabaseError as error:
        raise UsageError(f"{database}: this is no history that can be read or written ({error})") from None


def _prepare(connection: sqlite3.Connection, database: Path) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > _VERSION:
        raise UsageError(f"{database}: this history was written by a newer verifier; install that, or name another")
    if version == 0:
        connection.executescript(_TABLES + f"PRAGMA user_version = {_VERSION};")


def _add(connection: sqlite3.Connection, run: Run) -> bool:
    provenance = run.provenance
    versions = json.dumps(dict(provenance.versions), sort_keys=True)
    told = json.dumps([run.header.catalog.digest, provenance.started, versions, repr(run.end)])
    digest = hashlib.sha256(told.encode()).hexdigest()
    if connection.execute("SELECT 1 FROM run WHERE digest = ?", (digest,)).fetchone():
        return False
    added = connection.execute(
        "INSERT INTO run (digest, catalog, started, versions) VALUES (?, ?, ?, ?)",
        (digest, run.header.catalog.file, provenance.started, versions),
    )
    rows = [(added.lastrowid, *key, *_worst(group)) for key, group in _by_cell(run).items()]
    connection.executemany("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?)", rows)
    return True


def _by_cell(run: Run) -> dict[tuple[str, str], list[Fact]]:
    groups: dict[tuple[str, str], list[Fact]] = defaultdict(list)
    for subject, fact in facts(run).items():
        if subject.kind == "number":
            groups[subject.entry, subject.dtype].append(fact)
    return groups


def _worst(group: Sequence[Fact]) -> tuple[int, str, float]:
    worst = max(group, key=lambda each: each.badness("number"))
    return sum(each.fails for each in group), worst.verdict, max(each.lost for each in group)
