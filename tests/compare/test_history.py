"""Runs over time."""

import pytest

from verifier.compare.history import remember, trends
from verifier.compare.text import trend_text
from verifier.errors import UsageError


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
    import sqlite3

    database = tmp_path / "newer.sqlite"
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(UsageError, match="newer verifier"):
        remember(database, [run_of()])
