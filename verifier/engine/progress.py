"""Progress on the terminal: drawn by this process only, silent when standard error is no terminal."""

from __future__ import annotations

from types import TracebackType
from typing import Self

__all__ = ["Progress"]


class Progress:
    """A bar over the entries of a run; every method is a no-op when `quiet` or when standard error is no terminal."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._bar = None
        self._task = None

    def __enter__(self) -> Self:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        console = Console(stderr=True)
        if not self._quiet and console.is_terminal:
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
            self._bar = Bar(*columns, console=console, transient=True)
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def start(self, total: int) -> None:
        """Say how many steps there will be."""
        if self._bar is not None:
            self._task = self._bar.add_task("starting", total=total)

    def doing(self, what: str) -> None:
        """Say what is being worked on."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, description=what)

    def done(self) -> None:
        """One step is finished."""
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task)
