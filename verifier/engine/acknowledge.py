"""Acknowledged findings: known, shown and counted, but they do not fail the run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from packaging.specifiers import SpecifierSet

from verifier.model.catalog import Acknowledgement, Entry
from verifier.runs.outcome import Outcome
from verifier.runs.records import Acknowledged, Claim, Rule, Verdict
from verifier.runs.tallies import is_finding

__all__ = ["acknowledge", "acknowledged", "is_finding", "stale"]

_Record = TypeVar("_Record", Verdict, Rule, Claim)


def acknowledged(outcome: Outcome, entry: Entry, jax_version: str) -> Outcome:
    """The outcome with `acknowledged` filled in on each of its records that an acknowledgement of the entry names."""
    return replace(
        outcome,
        verdicts=tuple(acknowledge(outcome.verdicts, entry, jax_version)),
        rules=tuple(acknowledge(outcome.rules, entry, jax_version)),
        claims=tuple(acknowledge(outcome.claims, entry, jax_version)),
    )


def acknowledge(records: Iterable[_Record], entry: Entry, jax_version: str) -> list[_Record]:
    """The entry's records with `acknowledged` filled in where an acknowledgement names exactly this finding."""
    return [replace(record, acknowledged=_reason(_match(record, entry, jax_version))) for record in records]


def stale(records: Iterable[Verdict | Rule | Claim], entry: Entry, jax_version: str) -> list[str]:
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


def _match(record: Verdict | Rule | Claim, entry: Entry, jax_version: str) -> Acknowledgement | None:
    candidates = (each for each in entry.acknowledged if _applies(each, jax_version) and _matches(each, record))
    return next(candidates, None)


def _applies(acknowledgement: Acknowledgement, jax_version: str) -> bool:
    return SpecifierSet(acknowledgement.jax).contains(jax_version, prereleases=True)


def _matches(acknowledgement: Acknowledgement, record: Verdict | Rule | Claim) -> bool:
    """The exact verdict of the exact claim or cell: a worse verdict is a new finding."""
    if not is_finding(record) or record.verdict != acknowledgement.verdict or not _concerns(acknowledgement, record):
        return False
    return isinstance(record, Claim) or record.component in acknowledgement.components


def _concerns(acknowledgement: Acknowledgement, record: Verdict | Rule | Claim) -> bool:
    """Whether they are about the same claim or cell; a record of many components names only the worst of them."""
    if isinstance(record, Claim):
        return record.claim == acknowledgement.claim
    if isinstance(record, Rule):
        here = record.program in acknowledgement.rules
    else:
        here = record.program in acknowledgement.programs and record.device in acknowledgement.devices
    return (
        here
        and record.order == acknowledgement.order
        and (record.component in acknowledgement.components or record.components > 1)
        and record.dtype in acknowledgement.dtypes
    )


def _reason(acknowledgement: Acknowledgement | None) -> Acknowledged | None:
    if acknowledgement is None:
        return None
    return Acknowledged(reason=acknowledgement.reason, link=acknowledgement.link)


def _name(acknowledgement: Acknowledgement) -> str:
    if acknowledgement.claim is not None:
        return f"claim {acknowledgement.claim}"
    if acknowledgement.rules:
        parts = (acknowledgement.rules, acknowledgement.components, acknowledgement.dtypes)
    else:
        parts = (acknowledgement.programs, acknowledgement.components, acknowledgement.dtypes, acknowledgement.devices)
    subject = "rules of order" if acknowledgement.rules else "order"
    return f"{subject} {acknowledgement.order} of " + " x ".join(",".join(part) for part in parts)
