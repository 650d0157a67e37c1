"""What is drawn on a terminal, and that nothing is drawn elsewhere."""

from __future__ import annotations

import io
import time

import pytest
from rich.console import Console

from verifier.engine.progress import Progress
from verifier.execution.pool import Doing


@pytest.fixture
def terminal(monkeypatch) -> io.StringIO:
    drawn = io.StringIO()
    console = Console(file=drawn, force_terminal=True, width=120, legacy_windows=False)
    monkeypatch.setattr("rich.console.Console", lambda **given: console)
    return drawn


def steps(quiet: bool = False) -> None:
    with Progress(quiet=quiet) as progress:
        progress.start(4, known=1)
        progress.working([Doing("network", time.monotonic() - 7), Doing("relu", time.monotonic())])
        progress.done()
        if progress._bar is not None:
            progress._bar.refresh()


def test_a_terminal_shows_how_far_it_is_and_what_each_worker_does(terminal):
    steps()
    shown = terminal.getvalue()
    assert "1/3" in shown
    assert "worker 1: network, 7 s" in shown
    assert "worker 2: relu, 0 s" in shown


@pytest.mark.parametrize("quiet", [True, False])
def test_nothing_is_drawn_when_quiet_or_without_a_terminal(monkeypatch, capsys, quiet, terminal):
    if not quiet:
        plain = Console(file=terminal, force_terminal=False)
        monkeypatch.setattr("rich.console.Console", lambda **given: plain)
    steps(quiet)
    assert terminal.getvalue() == ""
    assert capsys.readouterr() == ("", "")
