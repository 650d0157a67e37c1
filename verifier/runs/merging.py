"""Joins runs of one catalog that were made on different machines, devices or JAX versions into one run.

A device's name stands for one target only: where two runs mean different things by `cpu:0` (another JAX, another
processor), each keeps its own, named by what is different. Two runs that contradict each other about one and the same
target are an error. Law: merge(merge(a, b), a) = merge(a, b).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, TypeVar

from verifier.errors import UsageError
from verifier.model.verdict import ClaimVerdict
from verifier.runs import records
from verifier.runs.merged_coverage import merged_coverage
from verifier.runs.merged_entry import joined_entry
from verifier.runs.merged_names import Names, parts_of, parts_with
from verifier.runs.outcome import Outcome
from verifier.runs.reader import Run
from verifier.runs.tallies import end_of

__all__ = ["merged"]

_MOST_NAMED = 5
_CLAIMS_BEST_FIRST = (
    ClaimVerdict.CONFIRMED,
    ClaimVerdict.NOT_COMPUTABLE,
    ClaimVerdict.UNDECIDED,
    ClaimVerdict.REFUTED,
)

T = TypeVar("T")


def merged(runs: Sequence[Run]) -> tuple[records.Record, ...]:
    """The records of the joined run, in the order of a run file.

    Raises UsageError where the runs are of different catalogs or seeds, or contradict each other.
    """
    _require_one_catalog(runs)
    parts = parts_of(runs)
    names = Names.of(parts)
    named = [names.given_to(run) for run in runs]
    divided = [_by_entry(run) for run in named]
    outcomes = [_outcome(entry, [each(entry) for each in divided]) for entry in _entries(named)]
    return (
        _header(named),
        *(record for outcome in outcomes for record in outcome.records),
        merged_coverage(named, outcomes),
        _provenance(parts, names),
        end_of(outcomes, _stale(named)),
    )


def _require_one_catalog(runs: Sequence[Run]) -> None:
    first = runs[0].header
    for run in runs[1:]:
        if run.header.catalog.digest != first.catalog.digest:
            raise UsageError(
                f"{run.header.catalog.file} is not the same catalog in every run: only runs of one catalog can be "
                "merged; to see what changed between two catalogs, use `verifier compare`"
            )
        if (run.header.seed, run.header.options.samples) != (first.seed, first.options.samples):
            raise UsageError("the runs have different seeds or samples, and so different points; run them alike")


def _entries(runs: Sequence[Run]) -> list[str]:
    """The entries of all runs, as they stand in the catalog."""
    return _in_catalog_order(runs, dict.fromkeys(each.entry for run in runs for each in run.entries), str)


def _stale(runs: Sequence[Run]) -> list[str]:
    """Acknowledgements that no run with their entry meets; each begins with the entry's id."""
    entries = [{each.entry for each in run.entries} for run in runs]

    def is_stale(text: str) -> bool:
        asked = [run for run, held in zip(runs, entries, strict=True) if _acknowledging(text) in held] or runs
        return all(text in run.end.stale for run in asked)

    found = _distinct(run.end.stale for run in runs)
    return [each for each in _in_catalog_order(runs, found, _acknowledging) if is_stale(each)]


def _acknowledging(stale: str) -> str:
    return stale.partition(":")[0]


def _in_catalog_order(runs: Sequence[Run], found: Iterable[T], entry: Callable[[T], str]) -> list[T]:
    place = {name: number for number, name in enumerate(runs[0].header.lines)}
    return sorted(found, key=lambda each: place.get(entry(each), len(place)))


# ---- entries


def _by_entry(run: Run) -> Callable[[str], Run]:
    """What a run says of an entry alone, by its name."""
    groups = {name: _grouped(getattr(run, name)) for name in ("entries", "verdicts", "rules", "claims")}
    return lambda entry: replace(run, **{name: tuple(found.get(entry, ())) for name, found in groups.items()})


def _grouped(found: Iterable[Any]) -> Mapping[str, list[Any]]:
    groups: dict[str, list[Any]] = {}
    for each in found:
        groups.setdefault(each.entry, []).append(each)
    return groups


def _outcome(entry: str, runs: Sequence[Run]) -> Outcome:
    """What runs that say nothing of other entries say together."""
    found, skipped = joined_entry(entry, runs)
    return Outcome(
        entry=found,
        conflicts=int(found.status == "ORACLE CONFLICT"),
        verdicts=_agreed([each for run in runs for each in run.verdicts], _cell, "number"),
        rules=_agreed([each for run in runs for each in run.rules], _rule, "rule"),
        claims=_claims(entry, runs),
        skipped=skipped,
    )


def _cell(record: records.Verdict) -> tuple[object, ...]:
    return (record.order, record.program, record.dtype, record.device, records.one_component(record))


def _rule(record: records.Rule) -> tuple[object, ...]:
    return (record.order, record.program, record.dtype, records.one_component(record))


def _agreed(found: Sequence[T], key: Callable[[T], tuple[object, ...]], what: str) -> tuple[T, ...]:
    """One record a key; raises UsageError where two runs say different things of one."""
    kept: dict[tuple[object, ...], T] = {}
    contradicted: list[str] = []
    for each in found:
        if kept.setdefault(key(each), each) != each:
            contradicted.append(" ".join(map(str, key(each))).strip())
    if contradicted:
        more = f" and {len(contradicted) - _MOST_NAMED} more" if len(contradicted) > _MOST_NAMED else ""
        named = "; ".join(contradicted[:_MOST_NAMED])
        raise UsageError(
            f"{found[0].entry}: "  # type: ignore[attr-defined]
            f"the runs contradict each other about the same {what} of the same target: {named}{more}. The same "
            "versions on the same processor must give equal records: one of the runs is not what it says"
        )
    return tuple(kept.values())


@dataclass(frozen=True, slots=True)
class _Said:
    claim: records.Claim
    jax: frozenset[str]
    """The versions that it was decided with: several where the run is a merged one."""
    is_silent: bool
    """Whether it is open only because the entry FAILED there."""

    @property
    def versions(self) -> str:
        return " and ".join(sorted(self.jax))


def _claims(entry: str, runs: Sequence[Run]) -> tuple[records.Claim, ...]:
    """One record a claim: the worse one, which says what came out elsewhere."""
    said: dict[str, list[_Said]] = {}
    for run in runs:
        jax = frozenset(each.versions.get("jax", "unknown") for each in parts_with(entry, run))
        has_failed = any(each.status == "FAILED" for each in run.entries)
        for each in run.claims:
            is_silent = has_failed and each.verdict == "UNDECIDED"
            said.setdefault(each.claim, []).append(_Said(each, jax, is_silent))
    return tuple(reduce(_worse, each).claim for each in said.values())


def _worse(a: _Said, b: _Said) -> _Said:
    jax = a.jax | b.jax
    for silent, other in ((a, b), (b, a)):
        if silent.is_silent and not other.is_silent and silent.jax <= other.jax:
            return other
    if a.claim.verdict == b.claim.verdict:
        return _Said(a.claim, jax, a.is_silent and b.is_silent)
    better, worse = sorted((a, b), key=lambda each: _CLAIMS_BEST_FIRST.index(ClaimVerdict(each.claim.verdict)))
    if better.jax < worse.jax:  # a merged run, that has heard of the better one
        return worse
    if worse.jax <= better.jax:
        raise UsageError(
            f"{a.claim.entry}: the runs contradict each other about the claim {a.claim.claim}, both with JAX "
            f"{worse.versions}: {a.claim.verdict} and {b.claim.verdict}"
        )
    reason = f"with JAX {worse.versions}: {worse.claim.reason}; with JAX {better.versions} it is {better.claim.verdict}"
    return _Said(replace(worse.claim, reason=reason), jax, is_silent=False)


# ---- what stands around the entries


def _header(runs: Sequence[Run]) -> records.Header:
    asked = [run.header.options for run in runs]
    return replace(
        runs[0].header,
        format=records.FORMAT,
        options=replace(
            asked[0],
            dtypes=_widest([each.dtypes for each in asked]),
            devices=_widest([each.devices for each in asked]),
            programs=_widest([each.programs for each in asked]),
            full=all(each.full for each in asked),
        ),
    )


def _widest(chosen: Sequence[tuple[str, ...] | None]) -> tuple[str, ...] | None:
    """None (everything) if any run had it; else all that were named."""
    named = [each for each in chosen if each is not None]
    return _distinct(named) if len(named) == len(chosen) else None


def _distinct(groups: Iterable[Iterable[T]]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(each for group in groups for each in group))


def _provenance(parts: tuple[records.Part, ...], names: Names) -> records.Provenance:
    return records.Provenance(
        versions=_together([each.versions for each in parts]),
        machine=records.Machine(
            system=_and(each.machine.system for each in parts),
            processor=_and(each.machine.processor for each in parts),
            cores=parts[0].machine.cores if len({each.machine.cores for each in parts}) == 1 else None,
        ),
        devices=names.devices(parts),
        started=min((each.started for each in parts if each.started), default=""),
        seconds=sum(each.seconds or 0.0 for each in parts),
        entries=_summed([each.entries for each in parts]),
        workers=tuple(each for one in parts for each in one.workers),
        parts=parts if len(parts) > 1 else (),
    )


def _together(found: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return {name: _and(each[name] for each in found if name in each) for name in _distinct(found)}


def _and(texts: Iterable[str]) -> str:
    return " and ".join(_distinct([texts]))


def _summed(found: Sequence[Mapping[str, float | None]]) -> dict[str, Any]:
    return {name: round(sum(each.get(name) or 0.0 for each in found), 3) for name in _distinct(found)}
