"""A comparison as text and as JSON: grouped by entry, then by the primitive that is blamed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from verifier.compare.differences import Change, Comparison, Direction
from verifier.compare.facts import Fact
from verifier.compare.history import Moment, Trend

__all__ = ["alike", "as_json", "as_text", "by_entry", "by_primitive", "line", "outcome", "tally", "trend_text"]

_MOST = 12
"""Changes of one direction in one entry that are written out; the HTML form has all, and JSON each by itself."""


def as_text(comparison: Comparison) -> str:
    """The comparison in words, ending in one line that says whether anything got worse."""
    return "\n".join((*_versions(comparison), *_entries(comparison), *_primitives(comparison), outcome(comparison)))


def outcome(comparison: Comparison) -> str:
    """One sentence: whether anything got worse, and what else changed."""
    counted = tally(comparison)
    said = ", ".join(f"{number} {name}" for name, number in counted.items())
    worse = sum(each.got_worse for each in comparison.changes)
    head = f"{worse} of {comparison.results:,} results got worse" if worse else "Nothing got worse"
    return f"{head}: {said}." if said else f"{head}: all {comparison.compared:,} results are as they were."


def tally(comparison: Comparison) -> dict[str, int]:
    """How many changes of each direction, what matters most first."""
    counted = Counter(each.direction for each in comparison.changes)
    return {str(each): counted[each] for each in Direction if counted[each]}


def by_entry(comparison: Comparison) -> dict[str, list[Change]]:
    """The changes of each entry, entries in the order of their most important change."""
    return _grouped(comparison.changes, lambda each: each.subject.entry)


def by_primitive(comparison: Comparison) -> dict[str, list[Change]]:
    """The changes that blame a primitive, by primitive."""
    return _grouped((each for each in comparison.changes if each.primitive), lambda each: each.primitive)


def alike(changes: Iterable[Change]) -> list[tuple[Change, int]]:
    """(the first of the changes that differ in program and device alone, how many more there are), in their order."""
    return [(first, len(rest)) for first, *rest in _grouped(changes, _without_program).values()]


def _without_program(change: Change) -> tuple[object, ...]:
    verdicts = (each and (each.verdict, each.fails, each.acknowledged) for each in (change.old, change.new))
    return (replace(change.subject, program="", device=""), change.direction, *verdicts)


def _grouped(changes: Iterable[Change], key: Any) -> dict[Any, list[Change]]:
    groups: dict[Any, list[Change]] = {}
    for each in changes:
        groups.setdefault(key(each), []).append(each)
    return groups


def _versions(comparison: Comparison) -> Iterator[str]:
    if not comparison.same_catalog:
        yield "The catalogs differ: what one of them lacks shows as appeared or disappeared."
    for name, (old, new) in comparison.versions.items():
        yield f"{name} {old} -> {new}"
    if comparison.versions or not comparison.same_catalog:
        yield ""


def _entries(comparison: Comparison) -> Iterator[str]:
    for entry, changes in by_entry(comparison).items():
        yield entry
        for direction, group in _grouped(changes, lambda each: str(each.direction)).items():
            yield f"  {direction}: {len(group)}"
            shown = alike(group)
            yield from (f"    {line(each)}{_and_more(more)}" for each, more in shown[:_MOST])
            if len(shown) > _MOST:
                hidden = sum(1 + more for _, more in shown[_MOST:])
                yield f"    and {hidden} more (--html or --json shows all)"
        yield ""


def _and_more(more: int) -> str:
    return f"; and {_counted(more, 'more program')} alike" if more else ""


def _primitives(comparison: Comparison) -> Iterator[str]:
    groups = by_primitive(comparison)
    if groups:
        yield "blamed primitives"
        for name, changes in groups.items():
            counted = Counter(each.direction for each in changes)
            yield f"  {name}: {', '.join(f'{counted[each]} {each}' for each in Direction if counted[each])}"
        yield ""


def line(change: Change) -> str:
    """One change in one line: the subject, both verdicts, the bits, the witness."""
    old, new = change.old, change.new
    verdicts = " -> ".join(_verdict(each) for each in (old, new) if each)
    bits = f" ({change.bits:+.1f} bits lost)" if change.bits else ""
    said = (new or old or Fact(verdict="")).said
    return f"{change.subject}: {verdicts}{bits}{f'; {said}' if said else ''}"


def _verdict(fact: Fact) -> str:
    where = f" at {fact.places} of {fact.points} points" if 0 < fact.places < fact.points else ""
    return f"{fact.verdict}{where}{' (fails)' if fact.fails else ''}{' (known)' if fact.acknowledged else ''}"


def as_json(comparison: Comparison) -> str:
    """The comparison for programs: `got_worse`, `compared`, `versions`, and every change in full."""
    document = {
        "got_worse": comparison.got_worse,
        "compared": comparison.compared,
        "same_catalog": comparison.same_catalog,
        "versions": comparison.versions,
        "tally": tally(comparison),
        "changes": [_change(each) for each in comparison.changes],
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _change(change: Change) -> Mapping[str, Any]:
    subject = {name: getattr(change.subject, name) for name in change.subject.__slots__}
    return {
        "change": change.direction,
        **subject,
        "bits": change.bits,
        "primitive": change.primitive,
        "old": change.old and _fact(change.old),
        "new": change.new and _fact(change.new),
    }


def _fact(fact: Fact) -> Mapping[str, Any]:
    return {
        "verdict": fact.verdict,
        "fails": fact.fails,
        "acknowledged": fact.acknowledged is not None,
        "lost_bits": fact.lost,
        "places": fact.places,
        "points": fact.points,
        "said": fact.said,
    }


def trend_text(trends: Sequence[Trend]) -> str:
    """Every trend, a line a run; runs that say the same as the one before are only counted. Catalogs are named where
    there are several.
    """
    if not trends:
        return "No run in this history has numbers."
    several = len({each.catalog for each in trends}) > 1
    return "\n".join(line for trend in trends for line in (_name(trend, several=several), *_moments(trend.moments)))


def _name(trend: Trend, *, several: bool) -> str:
    return " ".join(filter(None, (trend.entry, trend.dtype, f"({trend.catalog})" if several else "")))


def _moments(moments: Sequence[Moment]) -> Iterator[str]:
    for _, group in groupby(moments, key=lambda each: (each.failing, each.worst, each.lost_bits, each.versions)):
        first, *rest = group
        again = f" (and {_counted(len(rest), 'run')} since then)" if rest else ""
        yield f"  {first.started or 'unknown time'}  jax {first.versions.get('jax', 'unknown')}  {_said(first)}{again}"


def _said(moment: Moment) -> str:
    bits = "" if moment.worst == "FAILED" else f", {moment.lost_bits:.1f} bits lost"
    failing = f", {moment.failing} failing" if moment.failing else ""
    return f"{moment.worst}{bits}{failing}"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
