"""Acknowledged findings: known, shown and counted, but they do not fail the run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from packaging.specifiers import SpecifierSet

from verifier.model.catalog import Acknowledgement, Entry
from verifier.runs.records import Acknowledged, Claim, Verdict

__all__ = ["acknowledge", "is_finding", "stale"]

_Record = TypeVar("_Record", Verdict, Claim)


def is_finding(record: Verdict | Claim) -> bool:
    """Whether a record wants attention: it fails, or nothing could be decided."""
    return record.fails or record.verdict == "UNDECIDED"


def acknowledge(records: Iterable[_Record], entry: Entry, jax_version: str) -> list[_Record]:
    """The entry's records with `acknowledged` filled in where an acknowledgement names exactly this finding."""
    return [replace(record, acknowledged=_reason(_match(record, entry, jax_version))) for record in records]


def stale(records: Iterable[Verdict | Claim], entry: Entry, jax_version: str) -> list[str]:
    """Acknowledgements of this JAX version that no record meets: warnings, as what they excuse no longer occurs.

    One about claims or cells that this run did not judge (an option left them out, the entry FAILED) is not stale.
    """
    found = list(records)
    return [
        f"{entry.id}: {_name(each)}: {each.verdict} no longer occurs"
        for each in entry.acknowledged
        if _applies(each, jax_version)
        and any(_concerns(each, record) for record in found)
        and not any(_matches(each, record) for record in found)
    ]


def _match(record: Verdict | Claim, entry: Entry, jax_version: str) -> Acknowledgement | None:
    candidates = (each for each in entry.acknowledged if _applies(each, jax_version) and _matches(each, record))
    return next(candidates, None)


def _applies(acknowledgement: Acknowledgement, jax_version: str) -> bool:
    return SpecifierSet(acknowledgement.jax).contains(jax_version, prereleases=True)


def _matches(acknowledgement: Acknowledgement, record: Verdict | Claim) -> bool:
    """The exact verdict of the exact claim or cell: a worse verdict is a new finding."""
    if not is_finding(record) or record.verdict != acknowledgement.verdict or not _concerns(acknowledgement, record):
        return False
    return isinstance(record, Claim) or record.component in acknowledgement.components


def _concerns(acknowledgement: Acknowledgement, record: Verdict | Claim) -> bool:
    """Whether they are about the same claim or cell; a record of many components names only the worst of them."""
    if isinstance(record, Claim):
        return record.claim == acknowledgement.claim
    return (
        record.program in acknowledgement.programs
        and record.order == acknowledgement.order
        and (record.component in acknowledgement.components or record.components > 1)
        and record.dtype in acknowledgement.dtypes
        and record.device in acknowledgement.devices
    )


def _reason(acknowledgement: Acknowledgement | None) -> Acknowledged | None:
    if acknowledgement is None:
        return None
    return Acknowledged(reason=acknowledgement.reason, link=acknowledgement.link)


def _name(acknowledgement: Acknowledgement) -> str:
    if acknowledgement.claim is not None:
        return f"claim {acknowledgement.claim}"
    parts = (acknowledgement.programs, acknowledgement.components, acknowledgement.dtypes, acknowledgement.devices)
    return f"order {acknowledgement.order} of " + " x ".join(",".join(part) for part in parts)
