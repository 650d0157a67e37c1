"""Runs over time."""

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from verifier.compare.history import remember, trends
from verifier.compare.text import trend_text
from verifier.errors import UsageError
from verifier.runs import records


def test_a_trend_has_a_moment_for_each_run_and_no_run_counts_twice(tmp_path, run_of, number):
    database = tmp_path / "history.sqlite"
    first = run_of(number(), started="2026-01-01T00:00:00+00:00", jax="0.10.2")
    second = run_of(number("LOSSY", 19.9, fails=True), started="2026-02-01T00:00:00+00:00", jax="0.12.0")
    assert remember(database, [second, first]) == 2
    assert remember(database, [first]) == 0
    (trend,) = trends(database)
    assert (trend.entry, trend.dtype) == ("e", "float32")
    assert [(each.worst, each.lost_bits, each.failing) for each in trend.moments] == [
        ("ACCURATE", 0.0, 0),
        ("LOSSY", 19.9, 1),
    ]
    assert "jax 0.12.0  LOSSY, 19.9 bits lost, 1 failing" in trend_text([trend])


def test_runs_that_say_the_same_are_counted(tmp_path, run_of, number):
    database = tmp_path / "history.sqlite"
    remember(database, [run_of(number(), started=f"2026-01-0{day}", jax="0.10.2") for day in (1, 2, 3)])
    assert trend_text(trends(database)).splitlines()[1:] == [
        "  2026-01-01  jax 0.10.2  ACCURATE, 0.0 bits lost (and 2 runs since then)"
    ]


def test_a_run_in_which_the_entry_failed_is_told_in_each_dtype(tmp_path, run_of, number):
    database = tmp_path / "history.sqlite"
    failed = records.Entry(entry="e", title="e", section="s", status="FAILED", reason="killed")
    days = [run_of(number(), number(dtype="float64"), started=f"2026-01-0{day}") for day in (1, 3)]
    remember(database, [*days, run_of(failed, started="2026-01-02")])
    for trend in trends(database):
        assert [each.worst for each in trend.moments] == ["ACCURATE", "FAILED", "ACCURATE"]
    assert "2026-01-02  jax unknown  FAILED, 1 failing" in trend_text(trends(database))


def test_an_entry_that_only_ever_failed_has_a_trend(tmp_path, run_of):
    database = tmp_path / "history.sqlite"
    remember(database, [run_of(records.Entry(entry="e", title="e", section="s", status="FAILED", reason="killed"))])
    assert trend_text(trends(database)).splitlines() == ["e", "  unknown time  jax unknown  FAILED, 1 failing"]


def test_entries_of_two_catalogs_are_told_apart(tmp_path, run_of, number):
    database = tmp_path / "history.sqlite"
    other = run_of(number("FAULTY", fails=True), digest="other")
    header = replace(other.header, catalog=replace(other.header.catalog, file="other.yaml"))
    remember(database, [run_of(number()), replace(other, header=header)])
    assert [(each.catalog, each.moments[0].worst) for each in trends(database)] == [
        ("made.yaml", "ACCURATE"),
        ("other.yaml", "FAULTY"),
    ]
    assert trend_text(trends(database)).splitlines()[::2] == ["e float32 (made.yaml)", "e float32 (other.yaml)"]


def test_an_entry_that_the_history_does_not_have_is_refused(tmp_path, run_of, number):
    database = tmp_path / "history.sqlite"
    remember(database, [run_of(number())])
    with pytest.raises(UsageError, match="has no entry nothing; it has e"):
        trends(database, entries=("nothing",))


def test_a_database_of_something_else_is_left_alone(tmp_path, run_of):
    database = tmp_path / "other.sqlite"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TABLE theirs (x)")
    before = database.read_bytes()
    for use in (trends, lambda path: remember(path, [run_of()])):
        with pytest.raises(UsageError, match="database of something else"):
            use(database)
    assert database.read_bytes() == before


def test_only_the_entries_asked_for(tmp_path, run_of, number):
    database = tmp_path / "history.sqlite"
    remember(database, [run_of(number(), number(entry="other"))])
    assert [each.entry for each in trends(database, entries=("other",))] == ["other"]


def test_what_is_no_history_is_left_alone(tmp_path, run_of):
    missing, broken = tmp_path / "missing.sqlite", tmp_path / "broken.sqlite"
    broken.write_text("no database, but twenty and more bytes of text")
    with pytest.raises(UsageError, match="there is no history"):
        trends(missing)
    with pytest.raises(UsageError, match="no history that can be read"):
        remember(broken, [run_of()])
    assert broken.read_text().startswith("no database")
    assert not missing.exists()


def test_a_newer_history_is_refused(tmp_path, run_of):
    database = tmp_path / "newer.sqlite"
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(UsageError, match="newer verifier"):
        remember(database, [run_of()])
