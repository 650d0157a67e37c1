"""A whole run: every entry and claim of a catalog, kept as it is found and written in catalog order.

This process starts neither JAX nor SymPy: workers do. FLINT it loads only to read a point such as `log(2)`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from verifier.catalog.reader import read
from verifier.coverage.rules import with_rules
from verifier.coverage.source import coverage, listings_of, rests_on, up_to
from verifier.engine.acknowledge import acknowledged, stale
from verifier.engine.executor import PRELOAD, Executor, executor_of
from verifier.engine.options import Options
from verifier.engine.progress import Progress
from verifier.engine.reuse import Reuse, run_identity
from verifier.engine.targets import Offered, targets_of
from verifier.errors import UsageError
from verifier.execution.interrupts import interrupts
from verifier.execution.memory import can_tell
from verifier.execution.pool import Lost
from verifier.execution.provenance import versions
from verifier.model.catalog import Catalog, Entry
from verifier.programs.listing_facts import check_structure
from verifier.runs import records
from verifier.runs.journal import Head, Journal, journal_of
from verifier.runs.json_form import Malformed, loads
from verifier.runs.outcome import Outcome
from verifier.runs.placing import is_stream
from verifier.runs.reader import Run, assembled
from verifier.runs.tallies import end_of
from verifier.runs.writer import RunWriter

__all__ = ["PRELOAD", "concluding", "run_catalog"]

_HIGHEST_ORDER = 16


def run_catalog(path: Path, options: Options, *, out: Path | None, progress: Progress) -> Run:
    """Verify a catalog and return the run; it is kept at `out` where that is given.

    Raises CatalogError with every fault before anything runs, UsageError for options that name nothing, RunFileError
    for a file that cannot be written or continued. Whatever ends it early leaves its journal.
    """
    catalog = read(path, check_structure=check_structure)
    _check_programs(options)
    chosen = _chosen(catalog, options)
    _check_imports(chosen, options)
    _check_durability(options, out)
    with ExitStack() as stack:
        kept = out
        if kept is None or is_stream(kept):
            kept = Path(stack.enter_context(TemporaryDirectory())) / "run.jsonl"
        executor = executor_of(catalog, path, options, stack)
        return _Run(catalog, options, chosen, executor, out or kept, journal_of(kept), progress).all()


def _check_programs(options: Options) -> None:
    if not options.programs:
        return
    from verifier.programs.modes import COMPILATIONS, SYMBOLIC, TRANSFORMS  # imports JAX

    rows = (row.named(order) for order in range(_HIGHEST_ORDER + 1) for row in TRANSFORMS if row.covers(order))
    transforms = tuple(dict.fromkeys((*rows, SYMBOLIC)))
    halves = [*transforms, *COMPILATIONS]
    known = {*halves, *(f"{transform}/{each}" for transform in transforms for each in COMPILATIONS)}
    unknown = [name for name in options.programs if name not in known]
    if unknown:
        raise UsageError(
            f"no such program: {', '.join(unknown)}; name one like grad/jit, or by one half of it: {', '.join(halves)}"
        )


def _check_durability(options: Options, out: Path | None) -> None:
    if options.resume and (out is None or is_stream(out)):
        raise UsageError("--resume continues the run of a file: name it with --out")
    if options.memory and not can_tell():
        raise UsageError("--memory needs Linux's /proc, which this system lacks; leave it out")


def _chosen(catalog: Catalog, options: Options) -> tuple[Entry, ...]:
    known = {entry.id for entry in catalog.entries}
    unknown = [name for name in options.entries if name not in known]
    if unknown:
        raise UsageError(f"{catalog.file} has no entry {', '.join(unknown)}; it has {', '.join(sorted(known))}")
    return tuple(entry for entry in catalog.entries if not options.entries or entry.id in options.entries)


def _check_imports(chosen: Iterable[Entry], options: Options) -> None:
    """A catalog is data from strangers: its programs run only where the user says so; a run without them is none."""
    found = [(each.id, each.implementation) for each in chosen if each.implementation is not None]
    if not found or options.allow_imports:
        return
    lines = [
        f"{at.position.file}:{at.position.line}:{at.position.column}: entry `{entry}` names a program to import,"
        f" {at.name}"
        for entry, at in found
    ]
    option = "--allow-imports (to pytest: --verifier-allow-imports)"
    advice = f"nothing was imported and nothing was run; pass {option} if you trust this catalog"
    raise UsageError("\n".join([*lines, advice]))


@dataclass
class _Run:
    """One run in progress: what is known so far, and where it came from."""

    catalog: Catalog
    options: Options
    entries: Sequence[Entry]
    executor: Executor
    out: Path
    journal_path: Path
    progress: Progress
    found: dict[str, Outcome] = field(default_factory=dict)
    resumed: tuple[str, ...] = ()
    reused: tuple[str, ...] = ()

    def all(self) -> Run:
        """Continue, reuse, verify what is left, write the run file, and return what it holds."""
        started, clock = datetime.now(UTC), time.perf_counter()
        with Journal(self.journal_path, self._head(), resume=self.options.resume) as journal:
            self.journal = journal
            self.found |= journal.found
            self.resumed = tuple(journal.found)
            offered = self._known_devices()
            self.progress.start(len(self.entries), known=len(self.found))
            if self.missing or offered is None:
                offered = self._verify(offered)
            run = self._write(_provenance(self, offered, started, time.perf_counter() - clock))
            journal.remove()
        self.reuse.trim()
        return run

    @property
    def missing(self) -> list[Entry]:
        """The entries that nothing is known about, in catalog order."""
        return [each for each in self.entries if each.id not in self.found]

    @cached_property
    def reuse(self) -> Reuse:
        return Reuse(self.catalog, self.options, self.executor.surroundings)

    def _head(self) -> Head:
        return Head(
            run=run_identity(self.catalog, self.options, self.executor.surroundings),
            entries=tuple(each.id for each in self.entries),
            header=_header(self.catalog, self.options),
        )

    def _known_devices(self) -> Offered | None:
        """The devices that an earlier run found here, and with them what it found out."""
        offered = self.reuse.devices()
        if offered is not None:
            targets_of(offered, self.options)
            self._reuse(offered)
        return offered

    def _reuse(self, offered: Offered) -> None:
        """Take what earlier runs have found; it goes into the journal unless the run file follows at once."""
        cached = [(entry, self.reuse.entry(entry, offered)) for entry in self.missing]
        known = {each.id: _acknowledged(outcome, each) for each, outcome in cached if outcome is not None}
        self.found |= known
        self.reused += tuple(known)
        if self.missing:
            for outcome in known.values():
                self.journal.append(outcome)

    def _verify(self, believed: Offered | None) -> Offered:
        """Find the devices as they are now, and verify in worker processes what is still missing."""
        entries = len(self.entries)

        def watch() -> None:
            check()
            self.progress.working(workers.doing)

        with interrupts() as check, self.executor.workers(believed, entries, watch) as workers:
            offered = _discovered(self.executor, workers)
            targets_of(offered, self.options)
            if offered != believed:
                self.reuse.keep_devices(offered)
                self._reuse(offered)
            workers.count = self.executor.workers_for(offered, entries)
            _Verification(self, workers, offered).all()
        return offered

    def keep(self, entry: Entry, outcome: Outcome) -> None:
        """Keep an entry's records, in the journal first."""
        kept = _acknowledged(outcome, entry)
        self.journal.append(kept)
        self.found[entry.id] = kept

    def _write(self, provenance: records.Provenance) -> Run:
        outcomes = [self.found[each.id] for each in self.entries]
        last = (*concluding(self.catalog, outcomes), provenance, _end(outcomes, self.entries))
        found = (record for outcome in outcomes for record in outcome.records)
        lines = (_header(self.catalog, self.options), *found, *last)
        with RunWriter(self.out) as writer:
            for each in lines:
                writer.write(each)
        return assembled(lines, self.out)


@dataclass
class _Verification:
    """Handing entries to workers: those that no listing concerns start while the listings run."""

    run: _Run
    workers: Any
    offered: Offered
    listings: str = ""
    lost: dict[str, str] = field(default_factory=dict)
    """Entries whose worker was lost, and why."""

    def all(self) -> None:
        waiting = [each for each in self.run.missing if listings_of(each)]
        needed = up_to(self.run.catalog.listings, rests_on(waiting))
        known = self.run.reuse.listings(needed) if waiting else None
        if known is not None:
            self._take_listings(waiting, known)
        elif waiting:
            self.workers.submit("the source's listings", self.run.executor.listings(needed))
        for entry in self.run.missing:
            if not listings_of(entry):
                self._submit(entry)
        entries = {each.id: each for each in self.run.missing}
        for key, result in self.workers.results():
            if key in entries:
                self._take(entries[key], result)
            else:
                if not isinstance(result, Lost):
                    self.run.reuse.keep_listings(needed, result)
                self._take_listings(waiting, result)

    def _submit(self, entry: Entry) -> None:
        self.workers.submit(entry.id, self.run.executor.verify(entry, self.listings, self.offered))

    def _take_listings(self, waiting: Sequence[Entry], result: str | Lost) -> None:
        for entry in waiting:
            if isinstance(result, Lost):
                self._keep(entry, _hopeless(entry, f"the source's listings could not be run: {result.reason}"))
            else:
                self.listings = result
                self._submit(entry)

    def _take(self, entry: Entry, result: str | Lost) -> None:
        """Keep an entry; for one whose worker was lost another one decides the claims that rest on listings alone."""
        if not isinstance(result, Lost):
            outcome = _outcome(entry, result)
            self.run.reuse.keep(entry, self.offered, outcome)
            self._keep(entry, outcome)
        elif entry.id in self.lost:
            self._keep(entry, _hopeless(entry, self.lost[entry.id]))
        else:
            self.lost[entry.id] = result.reason
            self.workers.submit(entry.id, self.run.executor.failed(entry, result.reason, self.listings))

    def _keep(self, entry: Entry, outcome: Outcome) -> None:
        self.run.keep(entry, outcome)
        self.run.progress.done()


def _acknowledged(outcome: Outcome, entry: Entry) -> Outcome:
    return acknowledged(outcome, entry, versions()["jax"])


def _outcome(entry: Entry, text: str) -> Outcome:
    try:
        return loads(Outcome, text)
    except Malformed as fault:
        return _hopeless(entry, f"its records are malformed: {fault}")


def _hopeless(entry: Entry, reason: str) -> Outcome:
    """An entry that nothing is known about but why; so are its claims."""
    claims = (
        records.Claim(
            entry=entry.id,
            claim=claim.id,
            says=claim.says,
            section=claim.section,
            row=claim.row,
            verdict="UNDECIDED",
            reading=claim.reading,
            reason=f"the entry FAILED: {reason}",
        )
        for claim in entry.claims
    )
    described = records.Entry(entry=entry.id, title=entry.title, section=entry.section, status="FAILED", reason=reason)
    return Outcome(entry=described, claims=tuple(claims), transient=True)


def _discovered(executor: Executor, workers: Any) -> Offered:
    workers.submit("finding devices", executor.discover())
    ((_, found),) = workers.results()
    if isinstance(found, Lost):
        advice = "see `verifier doctor`, and --memory, --timeout and --workers"
        raise UsageError(f"the devices could not be found: {found.reason}; {advice}")
    return loads(Offered, found)


def concluding(catalog: Catalog, found: Sequence[Outcome]) -> tuple[records.Record, ...]:
    """The records about the whole run that follow the entries': pure functions of the catalog and all outcomes."""
    verdicts = [each for outcome in found for each in outcome.verdicts]
    claims = [each for outcome in found for each in outcome.claims]
    skipped = [each for outcome in found for each in outcome.skipped]
    return (with_rules(coverage(catalog, verdicts, claims, skipped), found),)


def _end(found: Sequence[Outcome], entries: Sequence[Entry]) -> records.End:
    version = versions()["jax"]
    pairs = zip(found, entries, strict=True)
    return end_of(found, [text for outcome, entry in pairs for text in stale(outcome.judged, entry, version)])


def _provenance(run: _Run, offered: Offered, started: datetime, seconds: float) -> records.Provenance:
    return records.Provenance(
        versions=versions(),
        machine=run.executor.machine,
        devices=tuple(each.record for each in offered.devices),
        started=started.isoformat(timespec="seconds"),
        seconds=round(seconds, 3),
        entries={each.id: run.found[each.id].seconds for each in run.entries},
        reused=tuple(each.id for each in run.entries if each.id in run.reused),
        resumed=tuple(each.id for each in run.entries if each.id in run.resumed),
        workers=run.executor.workers_seen,
    )


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
        lines=dict(_lines(catalog)),
    )


def _lines(catalog: Catalog) -> Iterator[tuple[str, int]]:
    """Where each entry and claim stands in the catalog's file."""
    for entry in catalog.entries:
        yield entry.id, entry.position.line
        yield from ((f"{entry.id}.{claim.id}", claim.position.line) for claim in entry.claims)
