"""Progress on the terminal: drawn by this process only, silent when standard error is no terminal."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any, Self

from verifier.execution.pool import Doing

__all__ = ["Progress"]


class Progress:
    """A bar over the entries of a run, with the rate, the time left and what each worker is at.

    Every method does nothing when `quiet` or when standard error is no terminal.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        from rich.console import Console

        console = Console(stderr=True)
        if not self._quiet and console.is_terminal:
            self._bar = _bar(console)
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def start(self, total: int, *, known: int = 0) -> None:
        """Say how many entries there are, and how many of them need no work."""
        if self._bar is not None:
            self._task = self._bar.add_task("verifying", total=total - known, known=known)

    def working(self, doing: Sequence[Doing]) -> None:
        """Say what each worker is at."""
        if self._bar is not None:
            self._bar.lines = tuple(_lines(doing, time.monotonic()))

    def done(self) -> None:
        """One entry is finished."""
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task)


def _lines(doing: Iterable[Doing], now: float) -> Iterable[str]:
    return (f"  worker {number}: {each.key}, {now - each.since:.0f} s" for number, each in enumerate(doing, 1))


def _bar(console: Any) -> Any:
    """rich's bar with a line below for each worker; rich is imported only where something is drawn."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar
    from rich.text import Text

    class WithWorkers(Bar):
        lines: tuple[str, ...] = ()

        def get_renderables(self) -> Iterable[Any]:
            yield from super().get_renderables()
            yield from (Text(line, style="dim", overflow="ellipsis", no_wrap=True) for line in self.lines)

    class Rate(TextColumn):
        def render(self, task: Any) -> Text:
            return Text("" if not task.speed else f"{task.speed * 60:.1f} entries/min")

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(""),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    return WithWorkers(*columns, console=console, transient=True)
