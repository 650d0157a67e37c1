"""New entries: into the catalog that a link names, and only into what can hold one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from verifier.engine.new import add_entry
from verifier.errors import RunFileError, UsageError


def add(path: Path) -> str:
    return add_entry(path, "x**2", domains=["x=1:2"], name=None, title=None, section=None, orders=(1,), points=["x=1"])


def test_a_linked_catalog_gets_the_entry_and_the_link_stays_one(tmp_path):
    path, link = tmp_path / "mine.yaml", tmp_path / "link.yaml"
    names = [add(path)]
    link.symlink_to(path)
    names.append(add(link))
    assert link.is_symlink()
    assert all(f"  {name}:" in path.read_text() for name in names)
    assert sorted(os.listdir(tmp_path)) == ["link.yaml", "mine.yaml"]


def test_a_pipe_holds_no_catalog(tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with pytest.raises(UsageError, match="no file that a catalog could be kept in"):
        add(fifo)
    assert os.listdir(tmp_path) == ["fifo"]


def test_a_catalog_that_cannot_be_written_is_one_error(tmp_path):
    with pytest.raises(RunFileError, match="cannot be written"):
        add(tmp_path / f"{'long' * 62}.yaml")
