"""Findings: failing verdicts that say the same thing, told once, worst first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import inf

from verifier.report.words import Word, of_verdict, severity
from verifier.runs.reader import Run
from verifier.runs.records import Acknowledged, Claim, Verdict

__all__ = ["Finding", "failing_numbers", "open_claims", "undecided_numbers", "warning_numbers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One derivative of one entry that goes wrong in one way in one dtype, on whatever programs and devices it does.

    `verdict` is the record with the worst witness; `components` counts components, `numbers` judged numbers.
    """

    verdict: Verdict
    word: Word
    programs: tuple[str, ...]
    devices: tuple[str, ...]
    components: int
    acknowledged: Acknowledged | None

    @property
    def judged(self) -> Verdict:
        return self.verdict

    @property
    def anchor(self) -> str:
        return f"finding-{self.verdict.entry}-{self.verdict.order}-{self.verdict.dtype}-{self.word.letter}"

    @property
    def rank(self) -> tuple[bool, int, float, float]:
        """Sorts findings: news before what is acknowledged, then by class, by lost bits, by ulps."""
        return (self.acknowledged is None, severity(self.word), *_badness(self.verdict))


def failing_numbers(run: Run) -> tuple[Finding, ...]:
    """Every number that fails, acknowledged or not, worst first."""
    return _gathered(each for each in run.verdicts if each.fails)


def warning_numbers(run: Run) -> tuple[Finding, ...]:
    """Numbers that lost more bits than the problem requires, but less than half of them."""
    return _gathered(each for each in run.verdicts if not each.fails and of_verdict(each).tone == "warn")


def undecided_numbers(run: Run) -> tuple[Finding, ...]:
    """Numbers that could not be judged."""
    return _gathered(each for each in run.verdicts if not each.fails and of_verdict(each).tone == "open")


def open_claims(run: Run) -> tuple[Claim, ...]:
    """Refuted and undecided claims: refuted ones first, news before what is known, else in the source's order."""
    wrong = [each for each in run.claims if each.fails or each.verdict in ("REFUTED", "UNDECIDED")]
    place = section_order(run)
    return tuple(
        sorted(wrong, key=lambda each: (each.verdict != "REFUTED", each.acknowledged is not None, place(each.section)))
    )


def section_order(run: Run) -> Callable[[str], int]:
    """Section id -> its place in the source; unknown ones come last."""
    places = {section.id: place for place, section in enumerate(run.header.sections)}
    return lambda section: places.get(section, len(places))


def _gathered(verdicts: Iterable[Verdict]) -> tuple[Finding, ...]:
    groups: dict[tuple[object, ...], list[Verdict]] = defaultdict(list)
    for each in verdicts:
        groups[each.entry, each.order, each.dtype, each.verdict, each.fails, each.acknowledged].append(each)
    return tuple(sorted(map(_finding, groups.values()), key=lambda each: each.rank, reverse=True))


def _finding(group: list[Verdict]) -> Finding:
    worst = max(group, key=_badness)
    return Finding(
        verdict=worst,
        word=of_verdict(worst),
        programs=tuple(sorted({each.program for each in group})),
        devices=tuple(sorted({each.device for each in group})),
        components=sum({each.component: each.components for each in group}.values()),
        acknowledged=worst.acknowledged,
    )


def _badness(verdict: Verdict) -> tuple[float, float]:
    """(lost bits, ulps) of the worst point; what has neither (NaN) counts as infinitely bad."""
    worst = verdict.worst
    if worst is None or worst.ulps is None:
        return (inf, inf)
    return (worst.lost_bits or 0.0, worst.ulps)
