"""Worker processes: each task in a process of its own kind, so that a hang or a crash costs one task and no other."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, TimeoutError
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from pebble import ProcessExpired, ProcessPool

__all__ = ["Lost", "Workers"]


@dataclass(frozen=True, slots=True)
class Lost:
    """A task without a result, and why."""

    reason: str


class Workers:
    """`count` processes, or this one where `count` is 1; `submit` returns a function that waits for the result.

    Spawned, not forked: JAX must not be forked once it has run. Workers leave Ctrl-C to this process.
    """

    def __init__(self, count: int, *, timeout: float | None = None) -> None:
        self._count = count
        self._timeout = timeout
        self._pool: ProcessPool | None = None

    def __enter__(self) -> Self:
        if self._count > 1:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPool(max_workers=self._count, context=context, initializer=_ignore_interrupts)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.close() if kind is None else self._pool.stop()
            self._pool.join()

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Callable[[], Any]:
        """Start a task; calling what is returned waits for its result, a `Lost` when its worker hung or died."""
        if self._pool is None:
            return lambda: function(*arguments)
        future = self._pool.schedule(function, args=list(arguments), timeout=self._timeout)
        return lambda: self._result(future)

    def _result(self, future: Future[Any]) -> Any:
        try:
            return future.result()
        except TimeoutError:
            return Lost(f"it took longer than {self._timeout:g} s")
        except ProcessExpired as error:
            return Lost(f"its worker process died with exit code {error.exitcode}")
        except CancelledError:
            return Lost("it was cancelled")
        except Exception as error:  # what a task let escape, or could not pickle
            return Lost(f"{type(error).__name__}: {error}")


def _ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
