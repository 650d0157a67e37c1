"""One entry's record from several runs: what is known of it in any, and where it FAILED.

A run in which it FAILED knows nothing of it, so the others say what it is. It stays FAILED, as something was not
judged, unless a run in which it did not fail was asked for as much: then the failure is over, and is told among what
did not run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import reduce

from verifier.errors import UsageError
from verifier.runs.merged_names import parts_with
from verifier.runs.reader import Run
from verifier.runs.records import Entry, Part, Skipped

__all__ = ["joined_entry"]

_JOINED = ("points", "columns", "status", "reason")


@dataclass(frozen=True, slots=True)
class _Held:
    """The entry in one run, with the devices that the run was asked for."""

    entry: Entry
    run: Run
    parts: tuple[Part, ...]
    """Those of the run's parts that have the entry."""

    @property
    def has_failed(self) -> bool:
        return self.entry.status == "FAILED"

    @property
    def is_bare(self) -> bool:
        """Whether nothing is known of the entry: that it FAILED is no news of its mathematics."""
        told = self.entry
        return self.has_failed and told == Entry(
            entry=told.entry, title=told.title, section=told.section, status=told.status, reason=told.reason
        )

    @property
    def devices(self) -> tuple[str, ...]:
        chosen = self.run.header.options.devices
        return tuple(each.name for each in self.run.provenance.devices) if chosen is None else chosen

    def has_heard_of(self, other: _Held) -> bool:
        """Whether this is a merged run that was made of the other one."""
        return len(other.parts) < len(self.parts) and all(each in self.parts for each in other.parts)

    def makes_good(self, failed: _Held) -> bool:
        """Whether all that the other was asked for was asked here, and the entry did not fail. Of a merged run nobody
        knows that: its parts may have been asked for different things.
        """
        asked, wanted = self.run.header.options, failed.run.header.options
        return (
            not self.has_failed
            and len(self.parts) == 1
            and set(failed.devices) <= set(self.devices)
            and _is_within(wanted.dtypes, asked.dtypes)
            and _is_within(wanted.programs, asked.programs)
            and asked.full >= wanted.full
        )

    @property
    def told(self) -> str:
        """Why and where it FAILED; a merged run says so itself."""
        where = ", ".join(self.devices)
        return f"on {where}: {self.entry.reason}" if where and len(self.parts) == 1 else self.entry.reason


def _is_within(wanted: Sequence[str] | None, asked: Sequence[str] | None) -> bool:
    return asked is None or (wanted is not None and set(wanted) <= set(asked))


def joined_entry(name: str, runs: Sequence[Run]) -> tuple[Entry, tuple[Skipped, ...]]:
    """The record of an entry that some of the runs have, and failures that are over.

    Raises UsageError where two runs say different things of it.
    """
    held = [_Held(each, run, parts_with(name, run)) for run in runs for each in run.entries if each.entry == name]
    known = reduce(_joined, [each.entry for each in held if not each.is_bare] or [held[0].entry])
    failed = [each for each in held if each.has_failed and not any(other.has_heard_of(each) for other in held)]
    lasting = [each for each in failed if not any(other.makes_good(each) for other in held)]
    over = [each for each in failed if each not in lasting]
    skipped = dict.fromkeys(Skipped(entry=name, what="another run", why=f"it FAILED {each.told}") for each in over)
    return _with_status(known, held, lasting), tuple(skipped)


def _with_status(known: Entry, held: Sequence[_Held], lasting: Sequence[_Held]) -> Entry:
    for each in held:
        if each.entry.status == "ORACLE CONFLICT":
            return replace(known, status=each.entry.status, reason=each.entry.reason)
    if not lasting:
        sound = next((each.entry for each in held if not each.has_failed), known)
        return replace(known, status=sound.status, reason=sound.reason)
    same = {each.entry.reason for each in held} == {lasting[0].entry.reason}
    reasons = dict.fromkeys(lasting[0].entry.reason if same else each.told for each in lasting)
    return replace(known, status="FAILED", reason="; ".join(reasons))


def _joined(a: Entry, b: Entry) -> Entry:
    """Points and columns of both; everything else has to be the same."""
    shared = a.points.keys() & b.points.keys()
    if any(a.points[dtype] != b.points[dtype] for dtype in shared):
        raise UsageError(f"{a.entry}: the runs have different points in {', '.join(sorted(shared))}; run them alike")
    for each in fields(Entry):
        if each.name not in _JOINED and getattr(a, each.name) != getattr(b, each.name):
            raise UsageError(
                f"{a.entry}: the runs differ in its {each.name}; make them with one version of the verifier"
            )
    return replace(
        a,
        points={**a.points, **b.points},
        columns=(*a.columns, *(each for each in b.columns if each.dtype not in {own.dtype for own in a.columns})),
    )
