"""Text for a terminal or a file: in colour and as wide as the terminal, plain and 100 wide when piped."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable

from rich.console import Console, RenderableType
from rich.text import Text

from verifier.report.standard_output import harmless, say

__all__ = ["PIPED_WIDTH", "printed", "safe", "write_out"]

PIPED_WIDTH = 100


def safe(text: str, style: str = "") -> Text:
    """Text from a run file: what steers a terminal, turns the direction or is half a character becomes a mark."""
    return Text(harmless(text), style=style)


def printed(content: RenderableType, *, width: int = PIPED_WIDTH, colour: bool = False) -> str:
    """The content as text; without colour it holds no escape codes, and the same content gives the same text."""
    console = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        no_color=not colour,
        legacy_windows=False,
        highlight=False,
        emoji=False,
        markup=False,
    )
    with console.capture() as capture:
        console.print(content)
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def write_out(text_of: Callable[[int, bool], str]) -> None:
    """Print what `text_of(width, colour)` gives to standard output, as that asks for it."""
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    # Some terminals say that they are 0 wide.
    width = (os.get_terminal_size().columns if is_terminal else 0) or PIPED_WIDTH
    say(text_of(width, is_terminal and not os.environ.get("NO_COLOR")), end="")
