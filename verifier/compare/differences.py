"""Two runs side by side: what is newly wrong, newly right, more or less accurate, new or gone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from verifier.compare.facts import Fact, Subject, facts
from verifier.runs.reader import Run

__all__ = ["Change", "Comparison", "Direction", "compare", "new_findings", "new_questions"]

A_BIT = 1.0
"""Numbers of an unchanged class count as less accurate when they lose a whole bit more: compilers shift roundings."""


class Direction(StrEnum):
    """What became of a subject, what matters most first."""

    NEWLY_WRONG = "newly wrong"
    WORSE = "worse"
    LESS_ACCURATE = "less accurate"
    NO_LONGER_DECIDED = "no longer decided"
    NEWLY_RIGHT = "newly right"
    BETTER = "better"
    MORE_ACCURATE = "more accurate"
    APPEARED = "appeared"
    DISAPPEARED = "disappeared"


_GOT_WORSE = (Direction.NEWLY_WRONG, Direction.WORSE, Direction.LESS_ACCURATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A subject on which both runs differ; a missing fact means that the run does not have the subject.

    `bits` is how many bits more (or, negative, fewer) are lost than before.
    """

    subject: Subject
    direction: Direction
    old: Fact | None
    new: Fact | None

    @property
    def bits(self) -> float:
        return (self.new.lost if self.new else 0.0) - (self.old.lost if self.old else 0.0)

    @property
    def got_worse(self) -> bool:
        """Whether this is bad news: worse than before, and not acknowledged in the new run's catalog."""
        return self.direction in _GOT_WORSE and not (self.new and self.new.acknowledged)

    @property
    def primitive(self) -> str:
        """The primitive that is blamed, now or before."""
        return next((each.primitive for each in (self.new, self.old) if each and each.primitive), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All differences, what matters most first; `versions` are those that differ, name -> (old, new)."""

    changes: tuple[Change, ...]
    compared: int
    """How many subjects both runs have."""
    results: int
    """How many the new run has: what got worse is among them, also what the old run lacks."""
    versions: Mapping[str, tuple[str, str]]
    same_catalog: bool = True

    @property
    def got_worse(self) -> bool:
        return any(each.got_worse for each in self.changes)


def compare(old: Run, new: Run) -> Comparison:
    """What changed from `old` to `new`."""
    before, after = facts(old), facts(new)
    found = [_change(*each) for each in _side_by_side(before, after)]
    order = list(Direction)
    changes = sorted(
        (each for each in found if each is not None),
        key=lambda each: (order.index(each.direction), -abs(each.bits), each.subject),
    )
    return Comparison(
        changes=tuple(changes),
        compared=len(before.keys() & after.keys()),
        results=len(after),
        versions=_versions(old, new),
        same_catalog=old.header.catalog.digest == new.header.catalog.digest,
    )


def new_findings(comparison: Comparison) -> tuple[Change, ...]:
    """The unacknowledged failures of a run that a baseline does not have, or has in a milder form."""
    return tuple(each for each in comparison.changes if each.got_worse and each.new and each.new.fails)


def new_questions(comparison: Comparison) -> tuple[Change, ...]:
    """What is unacknowledged and undecided in a run, and is not so in a baseline."""
    return tuple(each for each in comparison.changes if _is_open(each.new) and not _is_open(each.old))


def _is_open(fact: Fact | None) -> bool:
    return fact is not None and fact.verdict == "UNDECIDED" and not fact.acknowledged


def _side_by_side(
    before: Mapping[Subject, Fact], after: Mapping[Subject, Fact]
) -> Iterator[tuple[Subject, Fact | None, Fact | None]]:
    """Every subject with what both sides say of it.

    Components whose rule is right share a record that names none of them. One that has a record of its own on one side
    only is on the other side among those that share one, and what they share is no subject of its own there.
    """
    divided = [{_shared(each) for each in side if _is_part(each)} for side in (before, after)]
    for each in {**before, **after}:
        old, new = (side.get(each) or side.get(_shared(each)) for side in (before, after))
        is_elsewhere = (old is None and each in divided[0]) or (new is None and each in divided[1])
        if not is_elsewhere:
            yield each, old, new


def _is_part(subject: Subject) -> bool:
    return subject.kind == "rule" and subject.component != ""


def _shared(subject: Subject) -> Subject:
    """What stands for a component that has no record of its own; itself where nothing else can."""
    return replace(subject, component="") if _is_part(subject) else subject


def _change(subject: Subject, old: Fact | None, new: Fact | None) -> Change | None:
    direction = _direction(subject.kind, old, new)
    return None if direction is None else Change(subject=subject, direction=direction, old=old, new=new)


def _direction(kind: str, old: Fact | None, new: Fact | None) -> Direction | None:
    if new is None:
        return Direction.DISAPPEARED
    if old is None:
        return Direction.NEWLY_WRONG if new.fails else Direction.APPEARED
    if new.fails and not old.fails:
        return Direction.NEWLY_WRONG
    if old.fails and not new.fails:
        # A failure that became a warning of its own class, or a question, is not right.
        return {old.verdict: Direction.BETTER, "UNDECIDED": Direction.NO_LONGER_DECIDED}.get(
            new.verdict, Direction.NEWLY_RIGHT
        )
    before, after = old.badness(kind), new.badness(kind)
    if before != after:
        return Direction.WORSE if after > before else Direction.BETTER
    if new.points == old.points and new.places != old.places:
        return Direction.WORSE if new.places > old.places else Direction.BETTER
    if abs(new.lost - old.lost) >= A_BIT:
        return Direction.LESS_ACCURATE if new.lost > old.lost else Direction.MORE_ACCURATE
    return None


def _versions(old: Run, new: Run) -> dict[str, tuple[str, str]]:
    before, after = old.provenance.versions, new.provenance.versions
    names = dict.fromkeys((*before, *after))
    pairs = {name: (before.get(name, "none"), after.get(name, "none")) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
