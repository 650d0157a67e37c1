"""Files in their place: replaced in one step, written through where nothing can be put, and nothing is lost."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from verifier.errors import RunFileError, UsageError
from verifier.runs.placing import Placing, is_stream, require_apart, require_writable


def write(path: Path, text: str = "new") -> None:
    with Placing(path) as out:
        out.write(text)


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    return path


def received(path: Path, send: Callable[[], None]) -> str:
    """What a reader at the other end of a FIFO gets while `send` runs."""
    found: list[str] = []
    reader = threading.Thread(target=lambda: found.append(path.read_text(encoding="utf-8")), daemon=True)
    reader.start()
    send()
    reader.join(timeout=10)
    return "".join(found)


def test_a_regular_file_is_replaced_when_all_is_written(tmp_path):
    path = tmp_path / "page"
    path.write_text("old")
    with Placing(path) as out:
        out.write("ne")
        assert path.read_text() == "old"
        out.write("w")
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["page"]


def test_what_goes_wrong_leaves_what_was_there_and_nothing_beside(tmp_path):
    path = tmp_path / "page"
    path.write_text("old")

    def fail() -> None:
        with Placing(path) as out:
            out.write("new")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["page"]


def test_two_processes_that_write_one_file_at_once_both_write_all_of_it(tmp_path, monkeypatch):
    path = tmp_path / "page"
    with Placing(path) as first:
        first.write("first" * 10_000)
        with monkeypatch.context() as elsewhere:
            elsewhere.setattr(os, "getpid", lambda: 1)
            write(path, "second")
        assert path.read_text() == "second"
        first.write(".")
    assert path.read_text() == "first" * 10_000 + "."
    assert os.listdir(tmp_path) == ["page"]


def test_a_full_disk_is_one_error_and_leaves_nothing_beside(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda handle: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(RunFileError, match=r"page: cannot be written \(No space left on device\)"):
        write(tmp_path / "page")
    assert os.listdir(tmp_path) == []


def test_a_link_stays_one_and_its_target_is_replaced(tmp_path):
    (tmp_path / "there").mkdir()
    target, link, dangling = tmp_path / "there" / "page", tmp_path / "link", tmp_path / "dangling"
    target.write_text("old")
    link.symlink_to("there/page")
    dangling.symlink_to("there/other")
    write(link)
    write(dangling)
    assert link.is_symlink()
    assert dangling.is_symlink()
    assert (target.read_text(), dangling.read_text()) == ("new", "new")
    assert sorted(os.listdir(target.parent)) == ["other", "page"]


def test_a_pipe_is_written_to_and_stays_one(fifo, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(fifo)
    for path in (fifo, link):
        assert is_stream(path)
        assert received(fifo, lambda path=path: write(path, "through")) == "through"
    assert stat.S_ISFIFO(fifo.stat().st_mode)
    assert sorted(os.listdir(tmp_path)) == ["fifo", "link"]


def test_a_device_is_written_to_and_stays_one(tmp_path):
    null = tmp_path / "null"
    try:
        os.mknod(null, stat.S_IFCHR | 0o666, os.makedev(1, 3))
        null.write_text("may it be opened here?")
    except PermissionError:
        pytest.skip("needs the right to make and open device nodes")
    require_writable(null)
    write(null)
    assert stat.S_ISCHR(null.stat().st_mode)
    assert os.listdir(tmp_path) == ["null"]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_an_open_file_is_written_to_by_the_name_of_its_descriptor(tmp_path):
    log = tmp_path / "log"
    with log.open("a") as file:
        file.write("before ")
        file.flush()
        link = tmp_path / "out"
        link.symlink_to(f"/proc/self/fd/{file.fileno()}")
        write(link, "through ")
        file.write("after")
    assert log.read_text() == "before through after"


def test_a_lone_surrogate_is_written_as_its_escape(tmp_path):
    write(tmp_path / "page", "bad \ud800 text")
    assert (tmp_path / "page").read_text() == "bad \\ud800 text"


def test_what_cannot_be_begun_is_said_at_once(tmp_path, fifo):
    require_writable(tmp_path / "page")
    require_writable(fifo)
    assert os.listdir(tmp_path) == ["fifo"]
    for path in (tmp_path / "none" / "page", Path("/proc/page")):
        with pytest.raises(RunFileError, match=r"page: cannot be written"):
            require_writable(path)


def test_outputs_that_would_take_the_place_of_something_are_refused(tmp_path):
    read, link, hard = tmp_path / "run.jsonl", tmp_path / "link", tmp_path / "hard"
    read.write_text("run")
    link.symlink_to(read)
    os.link(read, hard)
    inputs = {"the run file": read}
    for path in (read, link, hard, tmp_path / "x" / ".." / "run.jsonl"):
        with pytest.raises(UsageError, match=r"--html .* would replace the run file .*run\.jsonl"):
            require_apart({"--html": path}, inputs)
    (tmp_path / "later").symlink_to(tmp_path / "page")
    with pytest.raises(UsageError, match="--out and --html are one file"):
        require_apart({"--out": tmp_path / "page", "--html": tmp_path / "later"}, inputs)
    require_apart({"--out": tmp_path / "page", "--html": tmp_path / "other"}, inputs)


def test_what_nothing_takes_the_place_of_may_be_named_twice(fifo):
    require_apart({"--out": fifo, "--html": fifo}, {"the run file": fifo})
