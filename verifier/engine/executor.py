"""Where a run's entries are verified: in processes of this machine, or on the workers of a Dask cluster.

Both hand over the same calls, with objects that can be pickled here and with text there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from verifier.engine.member import Admission
from verifier.engine.options import Options
from verifier.engine.reuse import surroundings
from verifier.engine.targets import Offered, targets_of
from verifier.errors import UsageError
from verifier.execution.cache import compilation_directory, private
from verifier.execution.memory import GIB, available
from verifier.execution.pool import Call, Limits, Workers
from verifier.execution.provenance import machine
from verifier.model.catalog import Catalog, Entry, Listing
from verifier.runs import records
from verifier.runs.json_form import dumps

__all__ = ["PRELOAD", "Executor", "executor_of"]

PRELOAD = ("verifier.execution.devices", "verifier.engine.worker")
"""What a worker imports before its first task; the first sets XLA's flags before JAX starts."""
_WORKER, _REMOTE, _MEMBER = PRELOAD[1], "verifier.engine.remote", "verifier.engine.member"
_SCHEMES = {"dask": "tcp", "dask+tls": "tls"}
_MOST_WORKERS = 8
"""Workers compile on several cores each; more of them only take memory."""
_MEMORY_SHARE = 0.8
"""Of the machine's memory, for all workers together."""


class Executor(Protocol):
    """Where a run takes place: what its surroundings are, what runs its tasks, and the tasks as it wants them."""

    @property
    def surroundings(self) -> Mapping[str, str]:
        """Digests of all that an entry's records depend on, apart from options and devices."""
        ...

    @property
    def machine(self) -> records.Machine:
        """The machine for the provenance."""
        ...

    @property
    def workers_seen(self) -> tuple[records.Worker, ...]:
        """The workers on other machines that took part."""
        ...

    def workers(self, believed: Offered | None, entries: int, watch: Callable[[], None]) -> AbstractContextManager[Any]:
        """The interface of `pool.Workers`, for a run of so many entries."""
        ...

    def workers_for(self, offered: Offered, entries: int) -> int:
        """How many processes of this machine the devices that were found are good for."""
        ...

    def discover(self) -> Call:
        """Finds the devices."""
        ...

    def listings(self, needed: tuple[Listing, ...]) -> Call:
        """Runs these listings of the source, its first ones."""
        ...

    def verify(self, entry: Entry, listings: str, offered: Offered) -> Call:
        """Verifies one entry."""
        ...

    def failed(self, entry: Entry, reason: str, listings: str) -> Call:
        """Decides what can be decided about an entry whose worker was lost."""
        ...


def executor_of(catalog: Catalog, path: Path, options: Options, stack: ExitStack) -> Executor:
    """The executor that the options name, for the catalog in this file; `stack` ends it.

    Raises UsageError where the address is none, the extra is missing, or no cluster of like workers answers there.
    """
    if options.executor is None:
        return ThisMachine(catalog, options)
    address = _address(options)
    try:
        from verifier.execution.cluster import Cluster
    except ModuleNotFoundError as error:
        raise UsageError(
            f"--executor {options.executor} needs Dask ({error.name} is missing): pip install"
            " 'derivative-verifier[distributed]'"
        ) from None
    data = _unchanged(catalog, path)
    cluster = stack.enter_context(Cluster(address))
    return OnCluster(catalog, data, options, cluster, Admission.of(cluster.ask(f"{_MEMBER}:about")))


def _address(options: Options) -> str:
    if options.workers is not None:
        raise UsageError("--workers counts processes of this machine; with --executor every worker of the cluster runs")
    parts = urlsplit(options.executor or "")
    try:
        complete = bool(parts.scheme in _SCHEMES and parts.hostname and parts.port)
    except ValueError:  # a port that is no number
        complete = False
    if not complete or parts.path.strip("/") or parts.query or parts.fragment or parts.username:
        raise UsageError(f"--executor {options.executor}: give dask://HOST:PORT, the address of a Dask scheduler")
    return f"{_SCHEMES[parts.scheme]}://{parts.netloc}"


def _unchanged(catalog: Catalog, path: Path) -> bytes:
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != catalog.digest:
        raise UsageError(f"{catalog.file} was changed while it was read; run again")
    return data


@dataclass(frozen=True)
class ThisMachine:
    """Worker processes here, or this process where the user wants no workers."""

    catalog: Catalog
    options: Options
    workers_seen: tuple[records.Worker, ...] = ()

    @cached_property
    def _around(self) -> Mapping[str, str]:
        return surroundings()

    @property
    def surroundings(self) -> Mapping[str, str]:
        return self._around

    @property
    def machine(self) -> records.Machine:
        return records.Machine(**machine())

    def workers(self, believed: Offered | None, entries: int, watch: Callable[[], None]) -> AbstractContextManager[Any]:
        count = self.workers_for(believed, entries)
        return Workers(min(1, count), limits=self._limits(count), preload=PRELOAD, setup=self._setup(), watch=watch)

    def workers_for(self, offered: Offered | None, entries: int) -> int:
        """As many workers as asked for; else one for each processor, but only one where an accelerator's memory is not
        to be shared. Never more than there are entries: each has a share of the memory.
        """
        if self.options.workers is not None:
            return min(self.options.workers, max(1, entries))
        shared = offered is None or offered.shares_memory
        return min(_MOST_WORKERS, machine()["cores"], max(1, entries)) if shared else 1

    def _limits(self, count: int) -> Limits:
        chosen = self.options.memory
        if chosen is None:
            total = available()
            memory = None if total is None else int(_MEMORY_SHARE * total / max(1, count))
        else:
            memory = int(chosen * GIB) or None
        return Limits(seconds=self.options.timeout, memory=memory)

    def _setup(self) -> Call | None:
        if not self.options.compilation_cache:
            return None
        return Call("verifier.execution.cache:use_compilation_cache", (private(compilation_directory()),))

    def discover(self) -> Call:
        return Call(f"{_WORKER}:discover")

    def listings(self, needed: tuple[Listing, ...]) -> Call:
        return Call(f"{_WORKER}:run_in_order", (needed,))

    def verify(self, entry: Entry, listings: str, offered: Offered) -> Call:
        targets = targets_of(offered, self.options)
        return Call(f"{_WORKER}:verify_entry", (entry, listings, targets, self.options))

    def failed(self, entry: Entry, reason: str, listings: str) -> Call:
        return Call(f"{_WORKER}:failed", (entry, reason, listings))


@dataclass(frozen=True)
class OnCluster:
    """The workers of a Dask cluster, which are alike."""

    catalog: Catalog
    data: bytes
    options: Options
    cluster: Any
    admission: Admission

    @property
    def surroundings(self) -> Mapping[str, str]:
        return dict(self.admission.first.surroundings)

    @property
    def machine(self) -> records.Machine:
        return replace(self.admission.first.machine, cores=None)

    @property
    def workers_seen(self) -> tuple[records.Worker, ...]:
        return tuple(replace(worker, tasks=tasks) for worker, tasks in self.admission.heard.items())

    def workers(self, believed: Offered | None, entries: int, watch: Callable[[], None]) -> AbstractContextManager[Any]:
        from verifier.execution.cluster import Setting

        memory = self.options.memory
        setting = Setting(
            given=(self.data, self.catalog.file, dumps(replace(self.options, executor=None))),
            about=f"{_MEMBER}:about",
            alike=f"{_REMOTE}:discover",
            setup=f"{_REMOTE}:keep_compiled" if self.options.compilation_cache else None,
            preload=(PRELOAD[0], _REMOTE),
            seconds=self.options.timeout,
            memory=None if memory is None else int(memory * GIB),
        )
        self.cluster.begin(setting, admit=self.admission.admit, watch=watch)
        return self.cluster

    def workers_for(self, offered: Offered, entries: int) -> int:
        return 0

    def discover(self) -> Call:
        return Call(f"{_REMOTE}:discover")

    def listings(self, needed: tuple[Listing, ...]) -> Call:
        return Call(f"{_REMOTE}:run_first", (len(needed),))

    def verify(self, entry: Entry, listings: str, offered: Offered) -> Call:
        return Call(f"{_REMOTE}:verify_entry", (entry.id, listings, dumps(offered)))

    def failed(self, entry: Entry, reason: str, listings: str) -> Call:
        return Call(f"{_REMOTE}:failed", (entry.id, reason, listings))
