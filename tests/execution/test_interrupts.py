"""Ctrl-C gets through, wherever it comes."""

from __future__ import annotations

import signal
import sys
import threading

import pytest

from verifier.execution.interrupts import interrupts


class Destroyed:
    """What is interrupted while it is destroyed, as a library's object may be."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


def test_a_plain_one_is_raised_where_it_comes():
    with pytest.raises(KeyboardInterrupt), interrupts():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_one_inside_a_destructor_is_raised_at_the_next_check(monkeypatch):
    dropped = []
    monkeypatch.setattr(sys, "unraisablehook", dropped.append)
    with interrupts() as check:
        check()
        Destroyed()
        with pytest.raises(KeyboardInterrupt):
            check()
    assert not dropped


def test_without_it_one_inside_a_destructor_is_lost(monkeypatch):
    dropped = []
    monkeypatch.setattr(sys, "unraisablehook", dropped.append)
    Destroyed()
    assert [each.exc_type for each in dropped] == [KeyboardInterrupt]


def test_another_handler_and_another_thread_are_left_alone():
    heard = []
    before = signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
    try:
        with interrupts() as check:
            signal.raise_signal(signal.SIGINT)
            check()
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard == [signal.SIGINT]

    def elsewhere() -> None:
        with interrupts() as check:
            check()
            heard.append(0)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert heard == [signal.SIGINT, 0]
