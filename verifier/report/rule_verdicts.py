"""Verdicts on rules as the report tells them: tallies, findings, a table for each entry, marks for the matrix."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from verifier.report.words import RULE_WORDS, Word, of_rule, rule_severity
from verifier.runs.reader import Run
from verifier.runs.records import Acknowledged, Rule

__all__ = ["RuleFinding", "RuleTable", "failing_rules", "open_rules", "rule_cells", "rule_table", "rule_tally"]

_ALL_BITS = 4096
"""What stands for exact agreement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFinding:
    """One derivative of one entry whose rule is judged alike in several programs; `rule` is the worst record."""

    rule: Rule
    word: Word
    programs: tuple[str, ...]
    components: int
    acknowledged: Acknowledged | None

    @property
    def judged(self) -> Rule:
        return self.rule

    @property
    def anchor(self) -> str:
        return f"rule-{self.rule.entry}-{self.rule.order}-{self.rule.dtype}-{self.word.letter}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleCell:
    """One transform at one order: the worst over styles, components and dtypes."""

    word: Word
    acknowledged: bool
    agreed: str
    programs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTable:
    """What an entry's page shows: transform -> order -> cell, and in words what is not simply right."""

    orders: tuple[int, ...]
    rows: Mapping[str, Mapping[int, RuleCell]]
    findings: tuple[RuleFinding, ...]
    said: str

    @property
    def is_good(self) -> bool:
        """Whether nothing wants attention."""
        return all(each.word.tone in ("good", "note") for each in self.findings)


def failing_rules(run: Run) -> tuple[RuleFinding, ...]:
    """Rules that fail, acknowledged or not, worst first."""
    return _gathered(each for each in run.rules if each.fails)


def open_rules(run: Run) -> tuple[RuleFinding, ...]:
    """Rules that warn or could not be judged, worst first."""
    return _gathered(each for each in run.rules if not each.fails and of_rule(each).tone in ("warn", "open"))


def rule_tally(run: Run) -> tuple[tuple[Word, int, int], ...]:
    """(word, judged programs, acknowledged ones) for each class that occurs; a program's worst component counts."""
    worst: dict[tuple[str, int, str, str], Rule] = {}
    for each in run.rules:
        key = (each.entry, each.order, each.program, each.dtype)
        worst[key] = max(worst.get(key, each), each, key=_rank)
    tally = Counter(of_rule(each) for each in worst.values())
    known = Counter(of_rule(each) for each in worst.values() if each.acknowledged)
    order = [*RULE_WORDS, *(word for word in tally if word not in RULE_WORDS)]
    return tuple((word, tally[word], known[word]) for word in order if tally[word])


def rule_cells(run: Run) -> dict[tuple[str, int, str], tuple[Word, bool]]:
    """(entry, order, transform) -> the worst verdict on its rule, and whether that is acknowledged."""
    groups: dict[tuple[str, int, str], list[Rule]] = defaultdict(list)
    for each in run.rules:
        groups[each.entry, each.order, each.program.partition("/")[0]].append(each)
    worst = {key: max(group, key=_rank) for key, group in groups.items()}
    return {key: (of_rule(each), each.acknowledged is not None) for key, each in worst.items()}


def rule_table(rules: Sequence[Rule]) -> RuleTable | None:
    """The table of one entry; None where no rule was judged."""
    if not rules:
        return None
    groups: dict[tuple[str, int], list[Rule]] = defaultdict(list)
    for each in rules:
        groups[_base(each.program), each.order].append(each)
    rows: dict[str, dict[int, RuleCell]] = defaultdict(dict)
    for (base, order), group in groups.items():
        rows[base][order] = _cell(group)
    return RuleTable(
        orders=tuple(sorted({each.order for each in rules})),
        rows=rows,
        findings=_gathered(each for each in rules if each.verdict != "RIGHT"),
        said=_said(rules),
    )


def _base(program: str) -> str:
    """`grad3/vmap` stands in the row of `grad`, in the column of its order."""
    return re.sub(r"\d+$", "", program.partition("/")[0])


def _cell(group: Sequence[Rule]) -> RuleCell:
    worst = max(group, key=_rank)
    return RuleCell(
        word=of_rule(worst),
        acknowledged=worst.acknowledged is not None,
        agreed=_agreed(group),
        programs=tuple(dict.fromkeys(each.program for each in group)),
    )


def _agreed(rules: Iterable[Rule]) -> str:
    """How many leading bits program and truth are proven to share, at least."""
    found = min((each.bits for each in rules if each.bits is not None), default=None)
    if found is None:
        return ""
    return "exact" if found >= _ALL_BITS else f"{found:,.0f} bits"


def _said(rules: Sequence[Rule]) -> str:
    programs = len({(each.program, each.order, each.dtype) for each in rules})
    most = max(each.points for each in rules)
    text = f"{programs:,} programs followed in exact arithmetic at up to {most} points"
    partly = [each for each in rules if each.checked < each.components]
    if partly:
        each = max(partly, key=lambda one: one.components)
        text += f", {each.checked:,} of {each.components:,} components, chosen at random"
    agreed = _agreed(rules)
    return (
        f"{text}; program and truth agree {'exactly' if agreed == 'exact' else 'in ' + agreed + ' or more'}"
        if (agreed and all(each.verdict == "RIGHT" for each in rules))
        else text
    )


def _gathered(rules: Iterable[Rule]) -> tuple[RuleFinding, ...]:
    groups: dict[tuple[object, ...], list[Rule]] = defaultdict(list)
    for each in rules:
        groups[each.entry, each.order, each.dtype, each.verdict, each.fails, each.acknowledged].append(each)
    found = (_finding(group) for group in groups.values())
    return tuple(sorted(found, key=lambda each: (each.acknowledged is None, *_rank(each.rule)), reverse=True))


def _finding(group: Sequence[Rule]) -> RuleFinding:
    worst = max(group, key=_rank)
    return RuleFinding(
        rule=worst,
        word=of_rule(worst),
        programs=tuple(dict.fromkeys(each.program for each in group)),
        components=sum({each.component: each.components for each in group}.values()),
        acknowledged=worst.acknowledged,
    )


def _rank(rule: Rule) -> tuple[int, bool, float]:
    return rule_severity(of_rule(rule)), rule.acknowledged is None, -(rule.bits or 0.0)
