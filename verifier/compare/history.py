"""Runs over time in SQLite: how many bits each entry lost at its worst, run after run.

SQLite would turn -0.0 into 0.0 and NaN into NULL; what is kept here are counts, finite bits and hex text.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from verifier.compare.facts import Fact, facts
from verifier.errors import UsageError
from verifier.runs.reader import Run

__all__ = ["Moment", "Trend", "remember", "trends"]

_Row = tuple[str, int, str, int, str, float]
"""When a run started, its number and versions, and what it says: `failing`, `worst`, `lost_bits`."""

_VERSION = 1
_TABLES = (
    """CREATE TABLE run (
        id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, catalog TEXT NOT NULL, started TEXT NOT NULL,
        versions TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE entry (
        run INTEGER NOT NULL REFERENCES run(id), entry TEXT NOT NULL, dtype TEXT NOT NULL, failing INTEGER NOT NULL,
        worst TEXT NOT NULL, lost_bits REAL NOT NULL, PRIMARY KEY (run, entry, dtype)
    ) STRICT, WITHOUT ROWID""",
    f"PRAGMA user_version = {_VERSION}",
)
_WHOLE = ""
"""Stands for the dtype where an entry FAILED, which is said of all of them."""


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
    """What became of an entry of a catalog in one dtype, oldest run first."""

    catalog: str
    entry: str
    dtype: str
    moments: tuple[Moment, ...]


def remember(database: Path, runs: Sequence[Run]) -> int:
    """Add runs to the history, which is made where there is none; returns how many were not in it yet."""
    with _open(database) as connection:
        return sum(_add(connection, run) for run in runs)


def trends(database: Path, *, entries: Sequence[str] = ()) -> list[Trend]:
    """The trend of every entry and dtype, in the order of their names; only of `entries` where any are named.

    A run in which an entry FAILED is a moment in each of its dtypes.
    """
    if not database.exists():
        raise UsageError(f"{database}: there is no history; add runs to it: verifier history {database} RUN.jsonl")
    found: dict[tuple[str, str], dict[str, list[_Row]]] = defaultdict(lambda: defaultdict(list))
    with _open(database) as connection:
        rows = connection.execute(
            "SELECT catalog, entry, dtype, started, id, versions, failing, worst, lost_bits"
            " FROM entry JOIN run ON run = id ORDER BY entry, catalog, dtype"
        )
        for catalog, entry, dtype, *row in rows:
            found[catalog, entry][dtype].append(tuple(row))
    _require_known(entries, {entry for _, entry in found}, database)
    return [
        Trend(catalog=catalog, entry=entry, dtype=dtype, moments=tuple(map(_moment, sorted(rows))))
        for (catalog, entry), by_dtype in found.items()
        if not entries or entry in entries
        for dtype, rows in _with_failures(by_dtype).items()
    ]


def _require_known(entries: Sequence[str], known: Collection[str], database: Path) -> None:
    unknown = [each for each in entries if each not in known]
    if unknown:
        raise UsageError(f"{database} has no entry {', '.join(unknown)}; it has {', '.join(sorted(known)) or 'none'}")


def _with_failures(by_dtype: Mapping[str, list[_Row]]) -> Mapping[str, list[_Row]]:
    """What is said of all dtypes, in each."""
    of_one = {dtype: rows for dtype, rows in by_dtype.items() if dtype != _WHOLE}
    return {dtype: rows + by_dtype.get(_WHOLE, []) for dtype, rows in of_one.items()} or by_dtype


def _moment(row: _Row) -> Moment:
    started, _, versions, failing, worst, lost = row
    return Moment(started=started, versions=json.loads(versions), failing=failing, worst=worst, lost_bits=lost)


@contextmanager
def _open(database: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(sqlite3.connect(database)) as connection, connection:
            _prepare(connection, database)
            yield connection
    except sqlite3.DatabaseError as error:
        raise UsageError(f"{database}: this is no history that can be read or written ({error})") from None


def _prepare(connection: sqlite3.Connection, database: Path) -> None:
    """Make the tables in a database without any, in one step; two processes may begin at once."""
    if _version(connection) == 0:
        connection.execute("BEGIN IMMEDIATE")
        if _version(connection) == 0:
            if connection.execute("SELECT 1 FROM sqlite_master").fetchone():
                raise UsageError(f"{database}: this is a database of something else; name another file")
            for statement in _TABLES:
                connection.execute(statement)
        connection.commit()
    if _version(connection) > _VERSION:
        raise UsageError(f"{database}: this history was written by a newer verifier; install that, or name another")


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return version


def _add(connection: sqlite3.Connection, run: Run) -> bool:
    provenance = run.provenance
    versions = json.dumps(dict(provenance.versions), sort_keys=True)
    told = json.dumps([run.header.catalog.digest, provenance.started, versions, repr(run.end)])
    digest = hashlib.sha256(told.encode()).hexdigest()
    added = connection.execute(
        "INSERT INTO run (digest, catalog, started, versions) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (digest, run.header.catalog.file, provenance.started, versions),
    )
    if not added.rowcount:
        return False
    rows = [(added.lastrowid, *key, *_worst(group)) for key, group in _by_cell(run).items()]
    rows += [(added.lastrowid, each, _WHOLE, 1, "FAILED", 0.0) for each in _failed(run)]
    connection.executemany("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?)", rows)
    return True


def _by_cell(run: Run) -> dict[tuple[str, str], list[Fact]]:
    groups: dict[tuple[str, str], list[Fact]] = defaultdict(list)
    for subject, fact in facts(run).items():
        if subject.kind == "number":
            groups[subject.entry, subject.dtype].append(fact)
    return groups


def _failed(run: Run) -> list[str]:
    """The entries of which nothing is known, as they FAILED."""
    judged = {each.entry for each in run.verdicts}
    return [each.entry for each in run.entries if each.status == "FAILED" and each.entry not in judged]


def _worst(group: Sequence[Fact]) -> tuple[int, str, float]:
    worst = max(group, key=lambda each: each.badness("number"))
    return sum(each.fails for each in group), worst.verdict, max(each.lost for each in group)
