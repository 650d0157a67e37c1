"""Worker processes: one task at a time each, so that a hang or a crash costs one task and no other.

The parent holds one pipe to each worker and does everything else in one loop, without threads: it hands out tasks,
reads results, and kills a worker that takes too long or too much memory. Nothing is shared between workers, so that
one of them can be killed at any moment. A worker dies with its parent, even inside a C function that holds Python's
lock.

On Linux workers are forked from a server that has imported the heavy libraries and started nothing (no thread runs in
it); elsewhere each is a fresh interpreter.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import pickle
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any, Self

from verifier.errors import WorkerError
from verifier.execution.memory import resident

__all__ = ["Call", "Doing", "Limits", "Lost", "Workers", "start_method"]

_TICK = 0.1
"""Seconds between two looks at clocks and memory: a worker oversteps its limits by so much at most."""
_READY = b"ready"


@dataclass(frozen=True, slots=True)
class Call:
    """A function by its name, `package.module:function`, with arguments that can be pickled.

    By name: who hands out tasks does not import what they need.
    """

    name: str
    arguments: tuple[Any, ...] = ()

    def __call__(self) -> Any:
        """Import the function and call it."""
        module, _, function = self.name.partition(":")
        return getattr(importlib.import_module(module), function)(*self.arguments)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one task may take: seconds of wall-clock time and bytes of its process's resident memory."""

    seconds: float | None = None
    memory: int | None = None


@dataclass(frozen=True, slots=True)
class Lost:
    """A task without a result, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Doing:
    """What a worker is at, and since when (`time.monotonic`)."""

    key: str
    since: float


@dataclass(frozen=True, slots=True)
class _Task:
    key: str
    call: Call
    alone: bool = False
    """It is to run in a worker that has done nothing before."""


class Workers:
    """Runs tasks in worker processes, or in this process where `count` is 0: then nothing is isolated or limited.

    `submit` queues a task, `results` yields each task's key with its result, or with the `Lost` that it cost, in the
    order in which they end. `preload` names modules that workers import at once; `setup` is called in each of them
    first. `watch` is called several times a second. Leaving the block kills what still runs.
    """

    def __init__(
        self,
        count: int,
        *,
        limits: Limits = Limits(),
        preload: Sequence[str] = (),
        setup: Call | None = None,
        watch: Callable[[], None] = lambda: None,
    ) -> None:
        self.count = count
        self._limits = limits
        self._preload = tuple(preload)
        self._setup = setup
        self._watch = watch
        self._queue: deque[_Task] = deque()
        self._workers: list[_Worker] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.kill()
        self._workers.clear()

    def submit(self, key: str, call: Call) -> None:
        """Queue a task; `results` gives its result with this key."""
        self._queue.append(_Task(key, call))

    @property
    def doing(self) -> tuple[Doing, ...]:
        """What each worker is at."""
        return tuple(Doing(each.task.key, each.since) for each in self._workers if each.task is not None)

    def results(self) -> Iterator[tuple[str, Any]]:
        """Results as they come, until nothing is queued or running; tasks may be added meanwhile.

        Raises WorkerError when workers do not start.
        """
        while self._queue or self.doing:
            yield from self._in_this_process() if self.count == 0 else self._round()

    def _in_this_process(self) -> Iterator[tuple[str, Any]]:
        task = self._queue.popleft()
        self._watch()
        try:
            result = task.call()
        except Exception as error:
            result = Lost(_reason(error))
        yield task.key, result

    def _round(self) -> Iterator[tuple[str, Any]]:
        self._start_workers()
        for worker in self._workers:
            if worker.idle and worker.alive and self._queue:
                worker.begin(self._queue.popleft())
        self._watch()
        wait([handle for each in self._workers for handle in each.handles], timeout=_TICK)
        for worker in tuple(self._workers):
            yield from self._look_at(worker)

    def _start_workers(self) -> None:
        """As many workers as there is work for; one that has grown is replaced before it begins what wants room."""
        for worker in [each for each in self._workers if each.idle and self._is_worn(each)]:
            self._drop(worker)
        busy = sum(each.task is not None for each in self._workers)
        while len(self._workers) < min(self.count, busy + len(self._queue)):
            self._workers.append(_Worker(self._preload, self._setup))

    def _is_worn(self, worker: _Worker) -> bool:
        next_alone = bool(self._queue) and self._queue[0].alone
        return worker.used and (next_alone or _exceeds(worker, self._limits.memory, share=0.5))

    def _look_at(self, worker: _Worker) -> Iterator[tuple[str, Any]]:
        """Take a result, or find out that there will be none."""
        task = worker.task
        message = worker.message()
        if message is not None:
            if task is not None:
                result = worker.end(message)
                if isinstance(result, Lost):  # who knows what state it left behind
                    self._drop(worker)
                yield task.key, result
            return
        lost = self._loss(worker)
        if lost is None:
            return
        self._drop(worker)
        if not worker.ready:
            raise WorkerError(f"worker processes do not start: one {lost}; run again with --workers 0 to see why")
        if task is None:
            return
        if lost == _GROWN and worker.used:
            self._queue.appendleft(replace(task, alone=True))  # what earlier tasks left behind counts against none
        else:
            yield task.key, Lost(self._said(lost))

    def _loss(self, worker: _Worker) -> str | None:
        if not worker.alive:
            return _death(worker.exit_code)
        if worker.task is None:
            return None
        if self._limits.seconds is not None and time.monotonic() - worker.since > self._limits.seconds:
            return _LATE
        return _GROWN if _exceeds(worker, self._limits.memory) else None

    def _said(self, lost: str) -> str:
        seconds, memory = self._limits.seconds or 0.0, self._limits.memory or 0
        return {
            _LATE: f"it took longer than {seconds:g} s",
            _GROWN: f"it took more than {memory / 2**30:.3g} GiB of memory",
        }.get(lost, f"its worker process {lost}")

    def _drop(self, worker: _Worker) -> None:
        worker.kill()
        self._workers.remove(worker)


_LATE, _GROWN = "late", "grown"


class _Worker:
    """One process and the pipe to it."""

    def __init__(self, preload: tuple[str, ...], setup: Call | None) -> None:
        context: Any = multiprocessing.get_context(start_method())
        if start_method() == "forkserver":
            context.set_forkserver_preload(list(preload))
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, preload, setup), daemon=True)
        with _safe_path(), _interrupts_held():
            if start_method() == "forkserver":
                forkserver.ensure_running()
            else:
                self._process.start()
        if start_method() == "forkserver":
            self._process.start()  # waits for the server's imports, so Ctrl-C must get through
        theirs.close()
        self.ready = False
        self.used = False
        self.task: _Task | None = None
        self.since = 0.0

    @property
    def handles(self) -> tuple[Any, ...]:
        return (self._pipe, self._process.sentinel)

    @property
    def idle(self) -> bool:
        return self.ready and self.task is None

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    @property
    def exit_code(self) -> int | None:
        self._process.join()
        return self._process.exitcode

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    def begin(self, task: _Task) -> None:
        """Send a task; one that cannot be sent finds the worker dead at the next look."""
        self.task, self.since = task, time.monotonic()
        try:
            self._pipe.send_bytes(pickle.dumps(task.call))
        except OSError:
            self._process.kill()

    def message(self) -> bytes | None:
        """What the worker has sent; None where there is nothing, or it died before it was through."""
        try:
            message = self._pipe.recv_bytes() if self._pipe.poll() else None
        except (EOFError, OSError):
            self._process.kill()
            return None
        if message == _READY:
            self.ready = True
        return message

    def end(self, message: bytes) -> Any:
        """The result in a message; the worker is free for another task."""
        self.task, self.used = None, True
        try:
            return pickle.loads(message)
        except Exception as error:
            return Lost(f"its result cannot be read: {_reason(error)}")

    def kill(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.join()
        self._pipe.close()


def start_method() -> str:
    """How workers start: `forkserver` on Linux, `spawn` elsewhere."""
    return "forkserver" if sys.platform == "linux" else "spawn"


@contextmanager
def _safe_path() -> Iterator[None]:
    """The block in which a Python that is started imports nothing from the current folder.

    The server would: what it preloads comes before it learns the parent's path, and a `jax.py` that lies in the folder
    of a catalog would be run.
    """
    before = os.environ.get(_SAFE)
    os.environ[_SAFE] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_SAFE]
        else:
            os.environ[_SAFE] = before


_SAFE = "PYTHONSAFEPATH"


def _exceeds(worker: _Worker, memory: int | None, *, share: float = 1.0) -> bool:
    return memory is not None and (resident(worker.pid) or 0) > memory * share


def _death(code: int | None) -> str:
    if code is None or code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by signal {-code} ({signal.Signals(-code).name})"
    except ValueError:
        return f"was killed by signal {-code}"


def _serve(pipe: Connection, preload: tuple[str, ...], setup: Call | None) -> None:
    """The worker's side: a task in, a result out, until the parent closes the pipe. Ctrl-C is left to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with_parent()
    for name in preload:
        importlib.import_module(name)
    if setup is not None:
        setup()
    pipe.send_bytes(_READY)
    while True:
        try:
            task = pipe.recv_bytes()
        except EOFError:
            return
        pipe.send_bytes(_answer(task))


def _answer(task: bytes) -> bytes:
    """The pickled result; what a task lets escape (SystemExit too), or cannot be pickled, is a `Lost`."""
    try:
        return pickle.dumps(pickle.loads(task)())
    except BaseException as error:
        return pickle.dumps(Lost(_reason(error)))


def _reason(error: BaseException) -> str:
    try:
        text = " ".join(str(error).split())
    except Exception:
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _die_with_parent() -> None:
    """Ask the system for SIGIO, which ends a process that does not handle it, when the pipe from the parent closes.

    A thread that waits for the parent could not run while a C function holds Python's lock.
    Source: fcntl(2), F_SETOWN and O_ASYNC; pipe_release of Linux notifies the readers.
    """
    parent = multiprocessing.parent_process()
    if parent is None or sys.platform == "win32":
        return
    import fcntl

    signal.signal(signal.SIGIO, signal.SIG_DFL)
    sentinel: Any = parent.sentinel
    fcntl.fcntl(sentinel, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(sentinel, fcntl.F_SETFL, fcntl.fcntl(sentinel, fcntl.F_GETFL) | os.O_ASYNC)
    if not parent.is_alive():  # it ended before anything could tell
        os._exit(1)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Ctrl-C waits: what is started meanwhile never sees one, this process gets it afterwards."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # when it starts by itself it lifts the mask
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
