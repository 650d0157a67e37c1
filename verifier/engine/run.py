"""A whole run: every entry and claim of a catalog, recorded as it is found."""

from __future__ import annotations

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
from verifier.coverage.source import coverage
from verifier.engine.acknowledge import acknowledge, is_finding, stale
from verifier.engine.claims import Listings, claim_record
from verifier.engine.describe import failed_entry
from verifier.engine.entry import Outcome, Prepared, Targets, prepare, verify
from verifier.engine.options import Options
from verifier.engine.progress import Progress
from verifier.errors import UsageError
from verifier.execution.dtypes import DTYPES
from verifier.execution.provenance import devices as device_facts
from verifier.execution.provenance import machine, versions
from verifier.model.catalog import Catalog, Entry
from verifier.model.verdict import ClaimVerdict, NumberClass
from verifier.programs.listing import run_listings
from verifier.programs.listing_analysis import analyse
from verifier.runs import reader, records
from verifier.runs.writer import RunWriter

__all__ = ["run_catalog"]


def run_catalog(path: Path, options: Options, *, out: Path | None, progress: Progress) -> reader.Run:
    """Verify a catalog and return the run; it is kept at `out` where that is given.

    Raises CatalogError with every fault before anything runs, UsageError for options that name nothing.
    """
    catalog = read(path)
    targets = _targets(options)
    chosen = _chosen(catalog, options)
    with ExitStack() as stack:
        if out is None:
            out = Path(stack.enter_context(TemporaryDirectory())) / "run.jsonl"
        with RunWriter(out) as writer:
            _Run(catalog, options, targets, chosen, writer, progress).all()
        return reader.read(out)


def _targets(options: Options) -> Targets:
    found = [device.name for device in machine_devices.discover()]
    unknown = [name for name in options.devices if name not in found]
    if unknown:
        raise UsageError(f"no such device: {', '.join(unknown)}; found are {', '.join(found)}")
    flushes = {name: machine_devices.flushes_subnormals(name) for name in found}
    dtypes = tuple(dtype for dtype in DTYPES if not options.dtypes or dtype in options.dtypes)
    return Targets(
        dtypes=dtypes,
        devices=tuple(found),
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
        listings = self._listings()
        for entry in self.entries:
            self._timed(entry.id, lambda entry=entry: self._entry(entry, listings))
        self.writer.write(coverage(self.catalog, self.verdicts, self.claims, self.skipped))
        self.writer.write(_provenance(started, time.perf_counter() - clock, self.seconds))
        self.writer.write(self._end())

    def _listings(self) -> Listings:
        self.progress.doing("running the source's listings")
        wanted = self.catalog.listings
        listings = Listings(texts=analyse(wanted), runs=run_listings(wanted))
        self.progress.done()
        return listings

    def _timed(self, name: str, work: Callable[[], None]) -> None:
        self.progress.doing(name)
        clock = time.perf_counter()
        work()
        self.seconds[name] = time.perf_counter() - clock
        self.progress.done()

    def _entry(self, entry: Entry, listings: Listings) -> None:
        """One entry's records; whatever goes wrong costs this entry its verdicts and no other."""
        try:
            prepared = prepare(entry, listings.by_id)
            outcome = verify(prepared, self.targets, self.options)
        except Exception as error:
            self.failed += 1
            self._keep(entry, Outcome(entry=failed_entry(entry, f"{type(error).__name__}: {error}")), [])
            return
        self._keep(entry, outcome, [claim_record(claim, prepared, listings) for claim in entry.claims])

    def _keep(self, entry: Entry, outcome: Outcome, claims: list[records.Claim]) -> None:
        version = versions()["jax"]
        verdicts = acknowledge(outcome.verdicts, entry, version)
        claims = acknowledge(claims, entry, version)
        for record in (outcome.entry, *verdicts, *claims):
            self.writer.write(record)
        self.verdicts += verdicts
        self.claims += claims
        self.skipped += outcome.skipped
        self.conflicts += outcome.conflicts
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
