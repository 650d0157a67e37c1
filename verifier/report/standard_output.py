"""What is printed to standard output: complete, or one error that says why not, whatever that output is."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from unicodedata import category

import click

from verifier.runs.placing import writing

__all__ = ["harmless", "say"]

_STEERING = frozenset(("Cc", "Cf", "Cs"))


def harmless(text: str, *, but: str = "") -> str:
    """A text in which what steers a terminal, turns the direction or is half a character is a mark, `but` for some."""
    return "".join("\ufffd" if category(each) in _STEERING and each not in but else each for each in text)


def say(text: str, *, end: str = "\n") -> None:
    """Print a text: escaped where the encoding lacks a letter, and nowhere where standard output is closed.

    Who stops reading (`| head`) misses the rest, and the command goes on. Raises RunFileError where else it cannot be
    written.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    with writing(Path("standard output")):
        try:
            click.echo(text + end, nl=False)
        except BrokenPipeError:
            _redirect_to_nowhere()


def _redirect_to_nowhere() -> None:
    """What is still in Python's buffer is written at the latest when the process ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
