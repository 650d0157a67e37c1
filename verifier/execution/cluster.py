"""Tasks on an existing Dask cluster: each of its workers runs them in a process of its own, which can be killed.

What travels are names of functions, text and bytes. (Dask itself pickles what it sends; what is pickled here is a class
of this module by its name, with text.) Dask cannot stop a task that runs, so each worker keeps its limits itself, with
its own `pool.Workers`; a worker that dies costs nothing, its tasks run again on another one.

Importing this module needs the extra `distributed`.
"""

from __future__ import annotations

import multiprocessing
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, LifoQueue, SimpleQueue
from types import TracebackType
from typing import Any, Self

from distributed import Client, Future, KilledWorker, Reschedule, WorkerPlugin, get_worker

from verifier.errors import UsageError, VerifierError, WorkerError
from verifier.execution.pool import Call, Doing, Limits, Lost, Workers

__all__ = ["Cluster", "Isolation", "Setting"]

_CONNECTING = 10.0
"""Seconds for the scheduler to answer."""
_FIRST_WORKER = 30.0
"""Seconds for a first worker to come."""
_WITHOUT_WORKERS = 300.0
"""Seconds without any worker, or without the scheduler, after which a run ends."""
_LEAVING = 1.0
"""Seconds to tell the workers that the run is over."""
_TICK = 0.1
_LOOK = 10.0
"""Seconds between two looks at how many workers there are."""
_IN_FLIGHT = 5_000
"""Tasks that the scheduler knows at a time: a run of any length takes no more of its memory."""
_IDLE = 60.0
"""Seconds without a task after which a worker gives up its process: nobody tells it when a client was killed."""
_MEMORY_SHARE = 0.8
"""Of a Dask worker's memory limit, for the processes of all its threads together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What every task of a run has in common: names of functions, and what they get before a task's own arguments."""

    given: tuple[Any, ...] = ()
    """The first arguments of every function in an isolated process; they travel to each worker once."""
    about: str = ""
    """A function without arguments that says in a text what a worker is; called in the Dask worker itself."""
    alike: str = ""
    """A function without a task's arguments whose text has to be the same on all workers; called in isolation."""
    setup: str | None = None
    """A function that is called first in each isolated process."""
    preload: tuple[str, ...] = ()
    seconds: float | None = None
    memory: int | None = None
    """Bytes for one task's process; None is a share of the Dask worker's own limit, 0 is no limit."""


class Cluster:
    """Runs tasks on the workers of a Dask scheduler, with the interface of `pool.Workers`.

    `admit(about, alike)` is called for the worker that a result came from, before the result is given; it raises for a
    worker that must not take part. Leaving the block cancels what still runs. Raises UsageError where no scheduler or
    worker is found, WorkerError where they are lost later.
    """

    count = 0

    def __init__(self, address: str) -> None:
        self._client = _client(address)
        self._address = address
        self._plugin = ""
        self._queue: deque[tuple[str, Call]] = deque()
        self._running: dict[str, tuple[str, Future]] = {}
        self._ended: SimpleQueue[Future] = SimpleQueue()
        self._admit: Callable[[str, str], None] = lambda about, alike: None
        self._watch: Callable[[], None] = lambda: None
        self._looked = self._seen = time.monotonic()

    def ask(self, function: str) -> tuple[str, ...]:
        """What a function says on each worker that is there now, in no isolation; waits a while for the first one.

        Raises UsageError for a worker that cannot call it, and where there is none.
        """
        with suppress(TimeoutError):
            self._client.wait_for_workers(1, timeout=_FIRST_WORKER)
        found: Any = self._client.run(_called, function, on_error="return")
        if not found:
            raise UsageError(
                f"the Dask cluster at {self._address} has no workers, and none came within {_FIRST_WORKER:.0f} s;"
                " start some with `dask worker`"
            )
        for worker, answer in found.items():
            if not isinstance(answer, str):
                raise UsageError(
                    f"the Dask worker {worker} cannot take part: {_text(answer)}; install the same verifier there,"
                    " with the extra `distributed`"
                )
        return tuple(found.values())

    def begin(self, setting: Setting, *, admit: Callable[[str, str], None], watch: Callable[[], None]) -> None:
        """Prepare every worker, those that come later too, for the tasks of one run."""
        self._admit, self._watch = admit, watch
        self._plugin = f"verifier-{uuid.uuid4().hex}"
        self._client.register_plugin(Isolation(setting), name=self._plugin)

    def submit(self, key: str, call: Call) -> None:
        """Queue a task; `results` gives its result with this key."""
        self._queue.append((key, call))

    @property
    def doing(self) -> tuple[Doing, ...]:
        """Nothing: only the scheduler knows what runs where; its dashboard shows it."""
        return ()

    def results(self) -> Iterator[tuple[str, Any]]:
        """Results as they come, until nothing is queued or running; tasks may be added meanwhile."""
        while self._queue or self._running:
            while self._queue and len(self._running) < _IN_FLIGHT:
                self._start(*self._queue.popleft())
            self._watch()
            self._look()
            with suppress(Empty):
                yield from self._taken(self._ended.get(timeout=_TICK))

    def _start(self, key: str, call: Call) -> None:
        name = f"{self._plugin}-{uuid.uuid4().hex}"
        future = self._client.submit(_perform, self._plugin, call.name, *call.arguments, key=name, pure=False)
        self._running[name] = (key, future)
        future.add_done_callback(self._ended.put)

    def _taken(self, future: Future) -> Iterator[tuple[str, Any]]:
        """The result of a task that has ended; one whose worker died before it was fetched runs again."""
        try:
            kind, result, about, alike = future.result(timeout=_LOOK)
        except TimeoutError:
            future.add_done_callback(self._ended.put)
            return
        except KilledWorker as error:
            deaths = error.allowed_failures + 1
            yield self._running.pop(str(future.key))[0], Lost(f"{deaths} Dask workers died while they ran it")
            return
        except Exception as error:
            raise WorkerError(self._lost(_text(error))) from None
        key, _ = self._running.pop(str(future.key))
        if kind == "refused":
            raise WorkerError(f"a Dask worker cannot run tasks: {result}")
        self._admit(about, alike)
        yield key, Lost(result) if kind == "lost" else result

    def _look(self) -> None:
        """Find out when there is nobody left who could finish."""
        now = time.monotonic()
        if now - self._looked < _LOOK:
            return
        self._looked = now
        with suppress(Exception):
            if self._client.nthreads():
                self._seen = now
        if now - self._seen > _WITHOUT_WORKERS:
            raise WorkerError(self._lost(f"it has had no workers for {_WITHOUT_WORKERS:.0f} s"))

    def _lost(self, why: str) -> str:
        return f"the Dask cluster at {self._address} was lost: {why}; with --out, --resume continues the run"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        leaving = threading.Thread(target=self._leave, daemon=True)
        leaving.start()
        leaving.join(_LEAVING)
        with suppress(Exception):
            self._client.close(timeout=_LEAVING / 2)

    def _leave(self) -> None:
        with suppress(Exception):
            self._client.cancel([future for _, future in self._running.values()], force=True)
            if self._plugin:
                self._client.unregister_worker_plugin(self._plugin)


def _client(address: str) -> Client:
    try:
        return Client(address, timeout=_CONNECTING, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"no Dask scheduler answers at {address} ({_text(error)}); see that `dask scheduler` runs there, and that"
            " this machine reaches it"
        ) from None


class Isolation(WorkerPlugin):
    """What a Dask worker gets for one run: for each of its threads a process that runs one task at a time."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting

    def setup(self, worker: Any) -> None:
        """Called by Dask on each worker, on those that come later too."""
        self._worker = worker
        self._closed = False
        self._about = self._alike = ""
        self._slots: LifoQueue[_Process] = LifoQueue()
        for _ in range(worker.state.nthreads):
            self._slots.put(_Process(self._workers()))

    def teardown(self, worker: Any) -> None:
        """Called by Dask when the run is over: what still runs ends at its next look."""
        self._closed = True
        self._close_idle(older=0.0)

    def perform(self, call: Call) -> tuple[str, Any, str, str]:
        """Run a task; (what came of it, the result or the reason, what this worker is, what it has in common)."""
        if multiprocessing.current_process().daemon:
            advice = "start them with the setting `distributed.worker.daemon: false`"
            return "refused", f"its nanny does not let it have processes of its own; {advice}", "", ""
        key = self._worker.get_current_task()
        process = self._taken(key)
        try:
            result = self._in(process, key, call)
        except BaseException:
            process.close()
            raise
        finally:
            self._slots.put(process)
            self._worker.loop.add_callback(self._worker.loop.call_later, _IDLE, self._close_idle)
        kind, said = ("lost", result.reason) if isinstance(result, Lost) else ("result", result)
        if self.setting.about and not self._about:
            self._about = Call(self.setting.about)()
        return kind, said, self._about, self._alike

    def _in(self, process: _Process, key: str, call: Call) -> Any:
        def watch() -> None:
            if not self._is_wanted(key):
                raise Reschedule

        given = self.setting.given
        if self.setting.alike and not self._alike:
            alike = process.run(Call(self.setting.alike, given), watch)
            if isinstance(alike, Lost):
                return alike
            self._alike = alike
        return process.run(Call(call.name, (*given, *call.arguments)), watch)

    def _taken(self, key: str) -> _Process:
        while self._is_wanted(key):
            with suppress(Empty):
                return self._slots.get(timeout=_TICK)
        raise Reschedule

    def _is_wanted(self, key: str) -> bool:
        """Whether somebody waits for the task here: not where the client cancelled it, was killed, or left, nor where
        this worker is about to close (then it goes to another one).
        """
        task = self._worker.state.tasks.get(key)
        return not self._closed and task is not None and task.state != "cancelled"

    def _workers(self) -> Callable[[Callable[[], None]], Workers]:
        setting = self.setting
        limits = Limits(seconds=setting.seconds, memory=_memory(setting, self._worker))
        setup = None if setting.setup is None else Call(setting.setup)
        return lambda watch: Workers(1, limits=limits, preload=setting.preload, setup=setup, watch=watch)

    def _close_idle(self, older: float = _IDLE) -> None:
        idle = []
        with suppress(Empty):
            while True:
                idle.append(self._slots.get_nowait())
        for process in reversed(idle):
            if time.monotonic() - process.used >= older:
                process.close()
            self._slots.put(process)


class _Process:
    """At most one process of a Dask worker, started when there is something to do."""

    def __init__(self, make: Callable[[Callable[[], None]], Workers]) -> None:
        self._make = make
        self._workers: Workers | None = None
        self._watch: Callable[[], None] = lambda: None
        self.used = time.monotonic()

    def run(self, call: Call, watch: Callable[[], None]) -> Any:
        """The result, or what it cost; what `watch` raises gets through, and leaves the process to be closed."""
        if self._workers is None:
            self._workers = self._make(lambda: self._watch())
        self._watch = watch
        self._workers.submit("task", call)
        ((_, result),) = self._workers.results()
        self.used = time.monotonic()
        return result

    def close(self) -> None:
        """End the process, whatever it is doing."""
        if self._workers is not None:
            self._workers.__exit__(None, None, None)
            self._workers = None


def _memory(setting: Setting, worker: Any) -> int | None:
    if setting.memory is not None:
        return setting.memory or None
    limit = worker.memory_manager.memory_limit
    return int(_MEMORY_SHARE * limit / worker.state.nthreads) if limit else None


def _perform(plugin: str, name: str, *arguments: Any) -> tuple[str, Any, str, str]:
    """A task as Dask sees it."""
    try:
        isolation: Any = get_worker().plugins[plugin]
        return isolation.perform(Call(name, arguments))
    except VerifierError as error:
        return "refused", str(error), "", ""


def _called(function: str) -> str:
    return Call(function)()


def _text(error: object) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
