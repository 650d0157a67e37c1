"""A whole run: every entry and claim of a catalog, recorded as it is found."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from verifier.execution import devices as machine_devices  # first: it sets XLA's flags before JAX starts

# isort: split
from verifier.catalog.reader import read
from verifier.coverage.source import coverage, listings_of
from verifier.engine.acknowledge import acknowledge, is_finding, stale
from verifier.engine.claims import Listings
from verifier.engine.entry import Targets
from verifier.engine.options import Options
from verifier.engine.progress import Progress
from verifier.engine.worker import Verified, failed, run_all_listings, verify_entry
from verifier.errors import UsageError
from verifier.execution.dtypes import DTYPES
from verifier.execution.pool import Lost, Workers
from verifier.execution.provenance import devices as device_facts
from verifier.execution.provenance import machine, versions
from verifier.model.catalog import Catalog, Entry
from verifier.model.verdict import ClaimVerdict, NumberClass
from verifier.programs.listing_facts import check_structure
from verifier.programs.modes import COMPILATIONS, SYMBOLIC, TRANSFORMS
from verifier.runs import reader, records
from verifier.runs.writer import RunWriter

__all__ = ["run_catalog"]

_MOST_WORKERS = 8
"""Workers compile on several cores each; more of them only take memory."""

_HIGHEST_ORDER = 16
_NAMED = (row.named(k) for k in range(_HIGHEST_ORDER + 1) for row in TRANSFORMS if row.covers(k))
_TRANSFORMS = tuple(dict.fromkeys((*_NAMED, SYMBOLIC)))


def run_catalog(path: Path, options: Options, *, out: Path | None, progress: Progress) -> reader.Run:
    """Verify a catalog and return the run; it is kept at `out` where that is given.

    Raises CatalogError with every fault before anything runs, UsageError for options that name nothing.
    """
    catalog = read(path, check_structure=check_structure)
    _check_programs(options)
    targets = _targets(options)
    chosen = _chosen(catalog, options)
    with ExitStack() as stack:
        if out is None:
            out = Path(stack.enter_context(TemporaryDirectory())) / "run.jsonl"
        with RunWriter(out) as writer:
            _Run(catalog, options, targets, chosen, writer, progress).all()
        return reader.read(out)


def _check_programs(options: Options) -> None:
    halves = [*_TRANSFORMS, *COMPILATIONS]
    known = {*halves, *(f"{transform}/{each}" for transform in _TRANSFORMS for each in COMPILATIONS)}
    unknown = [name for name in options.programs if name not in known]
    if unknown:
        raise UsageError(
            f"no such program: {', '.join(unknown)}; name one like grad/jit, or by one half of it: {', '.join(halves)}"
        )


def _targets(options: Options) -> Targets:
    discovered = machine_devices.discover()
    found = [device.name for device in discovered]
    unknown = [name for name in options.devices if name not in found]
    if unknown:
        raise UsageError(f"no such device: {', '.join(unknown)}; found are {', '.join(found)}")
    flushes = {name: machine_devices.flushes_subnormals(name) for name in found}
    dtypes = tuple(dtype for dtype in DTYPES if not options.dtypes or dtype in options.dtypes)
    return Targets(
        dtypes=dtypes,
        devices=tuple(found),
        dependent=frozenset(device.name for device in discovered if not device.independent),
        flushes={(device, dtype): flushes[device][dtype] for device in found for dtype in dtypes},
    )


def _chosen(catalog: Catalog, options: Options) -> tuple[Entry, ...]:
    known = {entry.id for entry in catalog.entries}
    unknown = [name for name in options.entries if name not in known]
    if unknown:
        raise UsageError(f"{catalog.file} has no entry {', '.join(unknown)}; it has {', '.join(sorted(known))}")
    return tuple(entry for entry in catalog.entries if not options.entries or entry.id in options.entries)


@dataclass(slots=True)
class _Run:
    """One run in progress: what was recorded so far, for the tallies at its end."""

    catalog: Catalog
    options: Options
    targets: Targets
    entries: Sequence[Entry]
    writer: RunWriter
    progress: Progress
    verdicts: list[records.Verdict] = field(default_factory=list)
    claims: list[records.Claim] = field(default_factory=list)
    skipped: list[records.Skipped] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    failed: int = 0
    conflicts: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    def all(self) -> None:
        started, clock = datetime.now(UTC), time.perf_counter()
        self.progress.start(len(self.entries) + 1)
        self.writer.write(_header(self.catalog, self.options))
        with Workers(self.workers, timeout=self.options.timeout) as workers:
            self._entries(workers)
        self.writer.write(coverage(self.catalog, self.verdicts, self.claims, self.skipped))
        self.writer.write(_provenance(started, time.perf_counter() - clock, self.seconds))
        self.writer.write(self._end())

    @property
    def workers(self) -> int:
        """As many as asked for; else one for each processor, but only one where an accelerator's memory is not to
        be shared.
        """
        shared = all(device.startswith("cpu") for device in self.targets.devices)
        wanted = self.options.workers or (min(_MOST_WORKERS, os.cpu_count() or 1) if shared else 1)
        return min(wanted, len(self.entries))

    def _entries(self, workers: Workers) -> None:
        """Verify the entries; those that no listing concerns start while the listings run."""
        waiting = workers.submit(run_all_listings, self.catalog.listings)
        none = Listings(texts=(), runs=())
        tasks = {each.id: self._start(workers, each, none) for each in self.entries if not listings_of(each)}
        self.progress.doing("running the source's listings")
        listings = waiting()
        if isinstance(listings, Lost):
            raise UsageError(f"the listings could not be run: {listings.reason}; raise --timeout")
        self.progress.done()
        tasks |= {each.id: self._start(workers, each, listings) for each in self.entries if listings_of(each)}
        for entry in self.entries:
            self.progress.doing(entry.id)
            found = tasks[entry.id]()
            self._keep(entry, failed(entry, found.reason, listings) if isinstance(found, Lost) else found)
            self.progress.done()

    def _start(self, workers: Workers, entry: Entry, listings: Listings) -> Callable[[], Verified | Lost]:
        return workers.submit(verify_entry, entry, listings, self.targets, self.options)

    def _keep(self, entry: Entry, found: Verified) -> None:
        version, outcome = versions()["jax"], found.outcome
        verdicts = acknowledge(outcome.verdicts, entry, version)
        claims = acknowledge(found.claims, entry, version)
        for record in (outcome.entry, *verdicts, *claims):
            self.writer.write(record)
        self.verdicts += verdicts
        self.claims += claims
        self.skipped += outcome.skipped
        self.conflicts += outcome.conflicts
        self.failed += outcome.entry.status == "FAILED"
        self.seconds[entry.id] = found.seconds
        self.stale += stale([*verdicts, *claims], entry, version)

    def _end(self) -> records.End:
        everything = [*self.verdicts, *self.claims]
        findings = self.conflicts + sum(record.fails and record.acknowledged is None for record in everything)
        undecided = sum(
            not record.fails and is_finding(record) and record.acknowledged is None for record in everything
        )
        return records.End(
            verdicts=_tally((record.verdict for record in self.verdicts), NumberClass),
            claims=_tally((record.verdict for record in self.claims), ClaimVerdict),
            findings=findings,
            acknowledged=sum(record.acknowledged is not None for record in everything),
            warnings=len(self.stale) + sum(_is_warning(record) for record in self.verdicts),
            undecided=undecided + self.failed,
            stale=tuple(self.stale),
            exit_status=1 if findings else 4 if undecided or self.failed else 0,
        )


def _provenance(started: datetime, seconds: float, entries: Mapping[str, float]) -> records.Provenance:
    found = [{**each, "flushes_subnormals": any(each["flushes_subnormals"].values())} for each in device_facts()]
    return records.Provenance(
        versions=versions(),
        machine=records.Machine(**machine()),
        devices=tuple(
            records.Device(**{name: value for name, value in each.items() if name != "independent"}) for each in found
        ),
        started=started.isoformat(timespec="seconds"),
        seconds=round(seconds, 3),
        entries={name: round(each, 3) for name, each in entries.items()},
    )


def _is_warning(record: records.Verdict) -> bool:
    return record.verdict == NumberClass.LOSSY and not record.fails


def _tally(verdicts: Iterable[str], order: Iterable[str]) -> dict[str, int]:
    counted = Counter(verdicts)
    return {str(kind): counted[kind] for kind in order if counted[kind]}


def _header(catalog: Catalog, options: Options) -> records.Header:
    return records.Header(
        format=records.FORMAT,
        catalog=records.CatalogOf(
            title=catalog.source.title, link=catalog.source.link, file=Path(catalog.file).name, digest=catalog.digest
        ),
        seed=options.seed,
        options=records.Options(
            dtypes=options.dtypes or None,
            devices=options.devices or None,
            programs=options.programs or None,
            full=options.full,
            samples=options.samples,
        ),
        sections=tuple(
            records.Section(id=each.id, title=each.title, formulas=each.formulas) for each in catalog.source.sections
        ),
        listings=tuple(records.Listing(id=each.id, section=each.section, code=each.code) for each in catalog.listings),
        cheat_sheet=catalog.cheat_sheet,
    )
