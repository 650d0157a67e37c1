"""A journal belongs to one run at a time, as long as that run lives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from verifier.errors import RunFileError
from verifier.runs import journal as journal_module
from verifier.runs.journal import Head, Journal, read_any
from verifier.runs.outcome import Outcome
from verifier.runs.records import FORMAT, CatalogOf, Entry, Header

NEWEST_RUN = max((Path(__file__).parent / "golden").glob("*.jsonl"))
HEAD = Head(
    run={"the catalog": "d"}, entries=("a", "b"), header=Header(format=FORMAT, catalog=CatalogOf(title="T", digest="d"))
)


def outcome(name: str) -> Outcome:
    return Outcome(entry=Entry(entry=name, title="t", section="s"))


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "run.jsonl.journal"


@pytest.mark.parametrize("resume", [False, True])
def test_a_second_run_is_refused_and_costs_the_first_one_nothing(path, resume):
    with Journal(path, HEAD, resume=False) as first:
        first.append(outcome("a"))
        with pytest.raises(RunFileError, match=r"run\.jsonl\.journal: another run is under way .* another name"):
            Journal(path, HEAD, resume=resume)
        first.append(outcome("b"))
        assert [each.entry for each in read_any(path).entries] == ["a", "b"]
        first.remove()
    assert os.listdir(path.parent) == []


def test_a_link_to_nothing_is_no_other_run(path):
    path.symlink_to(path.with_name("nowhere"))
    with pytest.raises(RunFileError, match="this is a link to nothing; remove it"):
        Journal(path, HEAD, resume=False)
    assert os.listdir(path.parent) == [path.name]


def test_of_two_runs_that_begin_at_once_one_is_refused(path, monkeypatch):
    others: list[Journal] = []
    link = os.link

    def slower(source, target):
        monkeypatch.setattr(os, "link", link)
        with monkeypatch.context() as elsewhere:
            elsewhere.setattr(os, "getpid", lambda: 1)
            others.append(Journal(path, HEAD, resume=False))
        link(source, target)

    monkeypatch.setattr(os, "link", slower)
    with pytest.raises(RunFileError, match="another run is under way"):
        Journal(path, HEAD, resume=False)
    (other,) = others
    with other:
        other.append(outcome("a"))
    assert [each.entry for each in read_any(path).entries] == ["a"]
    assert os.listdir(path.parent) == [path.name]


def test_what_a_run_left_while_it_was_being_taken_is_looked_at_again(path, monkeypatch):
    """The first run ends, and removes its journal, between the second one's opening and locking."""
    first = Journal(path, HEAD, resume=False)
    lock = journal_module._lock

    def late(file, where):
        monkeypatch.setattr(journal_module, "_lock", lock)
        first.remove()
        lock(file, where)

    monkeypatch.setattr(journal_module, "_lock", late)
    with Journal(path, HEAD, resume=True) as second:
        second.append(outcome("b"))
    assert [each.entry for each in read_any(path).entries] == ["b"]


HOLD = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_journal import HEAD, outcome
from verifier.runs.journal import Journal
with Journal(Path(sys.argv[1]), HEAD, resume=False) as journal:
    journal.append(outcome("a"))
    print("kept", flush=True)
    time.sleep(60)
"""


def test_the_journal_of_a_killed_run_is_free_and_can_be_resumed(path):
    command = [sys.executable, "-c", HOLD, str(path), str(Path(__file__).parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "kept\n"
        with pytest.raises(RunFileError, match="another run is under way"):
            Journal(path, HEAD, resume=True)
        process.send_signal(signal.SIGKILL)
    with Journal(path, HEAD, resume=True) as journal:
        assert list(journal.found) == ["a"]


@pytest.mark.parametrize("missing", ["locks", "links"])
def test_a_system_without_locks_or_links_keeps_journals_all_the_same(path, monkeypatch, missing):
    if missing == "locks":
        monkeypatch.setattr(journal_module, "fcntl", None)
    else:
        monkeypatch.setattr(os, "link", lambda *names: (_ for _ in ()).throw(PermissionError(1, "no links")))
    with Journal(path, HEAD, resume=False) as journal:
        journal.append(outcome("a"))
    with Journal(path, HEAD, resume=True) as journal:
        assert list(journal.found) == ["a"]
        journal.append(outcome("b"))
    assert [each.entry for each in read_any(path).entries] == ["a", "b"]
    with Journal(path, HEAD, resume=False) as journal:
        journal.append(outcome("b"))
        journal.remove()
    assert os.listdir(path.parent) == []


def test_a_run_that_keeps_nothing_leaves_nothing(path):
    with Journal(path, HEAD, resume=False):
        assert path.exists()
    assert os.listdir(path.parent) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with a name")
@pytest.mark.parametrize("kind", ["journal", "run file"])
def test_a_pipe_is_read_once(path, kind):
    with Journal(path, HEAD, resume=False) as journal:
        journal.append(outcome("a"))
    content = path.read_bytes() if kind == "journal" else NEWEST_RUN.read_bytes()
    pipe = path.with_name("pipe")
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(content,), daemon=True)
    writer.start()
    assert read_any(pipe).entries
    writer.join(timeout=10)
    assert not writer.is_alive()
