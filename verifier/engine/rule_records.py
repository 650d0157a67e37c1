"""From verdicts on rules to `rule` records: every derivative program of an entry, its dtypes, its points."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from verifier.checking.lifting import LiftedProgram, lifted_program
from verifier.engine.exercised import exercised_records
from verifier.engine.followed import Followed, Programs
from verifier.engine.judging import SHOWN_COMPONENTS, witnesses
from verifier.engine.rules import Place, Ruled, chosen_points
from verifier.execution.compiled import reason_of
from verifier.execution.points import Point
from verifier.judge.text import truth_text
from verifier.model.rule import NonFinite, Note, ProgramValue, RuleClass
from verifier.programs.components import component_names
from verifier.runs import records

__all__ = ["WIDE", "RuleFindings", "rule_findings"]

WIDE = "float64"
"""The dtype whose trace is judged; another dtype's where it is another program (SEMANTICS §2)."""

_BITS_SHOWN = 4
_MOST_LIFTED = 2
"""The highest order whose programs are lifted to formulas."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFindings:
    """What is known of the rules of an entry, and what was not looked at."""

    rules: tuple[records.Rule, ...] = ()
    skipped: tuple[records.Skipped, ...] = ()
    exercised: tuple[records.Exercised, ...] = ()
    """JAX's rules that the programs depend on."""


def rule_findings(
    entry: str,
    programs: Mapping[str, Programs],
    wanted: Mapping[str, Sequence[Followed]],
    points: Mapping[str, Sequence[Point]],
    seed: int,
) -> RuleFindings:
    """Judge every wanted program: float64's trace, and that of any other dtype where it is another program.

    `wanted` and `points` are by dtype; a run without float64 is judged at the points of its first dtype.
    """
    wide = programs[WIDE]
    try:
        wide.tracing.primal  # noqa: B018 - a function may insist on a dtype, or not stand tracing at all
    except Exception as error:
        return RuleFindings(skipped=(records.Skipped(entry=entry, what="every rule", why=reason_of(error)),))
    everything = tuple(dict.fromkeys(each for found in wanted.values() for each in found))
    judged = _Judging(entry, wide, points.get(WIDE) or next(iter(points.values())), seed)
    judged.all(everything)
    for dtype in (each for each in wanted if each != WIDE):
        own = programs[dtype]
        other = [each for each in _plain(wanted[dtype]) if not own.is_same(wide, each)]
        if other:
            narrow = _Judging(entry, own, points[dtype], seed)
            narrow.all(other)
            judged.rules += narrow.rules
            judged.skipped += narrow.skipped
    return RuleFindings(
        rules=tuple(judged.rules), skipped=tuple(judged.skipped), exercised=exercised_records(wide.exercised())
    )


def _plain(programs: Sequence[Followed]) -> tuple[Followed, ...]:
    """The transforms of a dtype, each in the style that adds nothing of its own."""
    return tuple(
        dict.fromkeys(Followed(order=each.order, transform=each.transform, style="eager") for each in programs)
    )


@dataclass(eq=False)
class _Judging:
    """The programs of one dtype."""

    entry: str
    programs: Programs
    points: Sequence[Point]
    seed: int
    rules: list[records.Rule] = field(default_factory=list)
    skipped: list[records.Skipped] = field(default_factory=list)

    def all(self, wanted: Sequence[Followed]) -> None:
        """Program after program; each place keeps its truths for all of them."""
        chosen = chosen_points(self.points, self.programs, wanted)
        places = [Place(index=each, point=self.points[each], programs=self.programs, seed=self.seed) for each in chosen]
        lost: dict[tuple[int, str], list[str]] = defaultdict(list)
        unanswered: dict[tuple[int, str], set[int]] = defaultdict(set)
        for program in wanted:
            found = [place.ruled(program) for place in places]
            reasons = [each for each in found if isinstance(each, str)]
            if reasons or not found:
                lost[program.order, reasons[0] if reasons else "no point"].append(program.name)
                continue
            ruled = [each for verdicts in found if not isinstance(verdicts, str) for each in verdicts]
            self.rules += self._records(program, ruled)
            for each in filter(_is_unanswered, ruled):
                unanswered[program.order, each.verdict.reason].add(each.place.index)
        for (order, reason), names in lost.items():
            self._skip(f"rules of order {order}: {', '.join(names)}", reason)
        for (order, reason), where in unanswered.items():
            self._skip(f"rules of order {order} at {len(where)} points that are not declared", reason)
        self._left_out(len(chosen))

    def _left_out(self, judged: int) -> None:
        if judged < len(self.points):
            self._skip(
                f"rules at {len(self.points) - judged} of {len(self.points)} points",
                "judged at the declared points and at few others, which exact arithmetic is sure of",
            )

    def _skip(self, what: str, why: str) -> None:
        where = "" if self.programs.dtype == WIDE else f" in {self.programs.dtype}"
        self.skipped.append(records.Skipped(entry=self.entry, what=what + where, why=why))

    def _records(self, program: Followed, ruled: Sequence[Ruled]) -> Iterator[records.Rule]:
        """One record for all components whose rule is right, and one for each other; of many components only one."""
        names = component_names(self.programs.signature, program.order, program.contraction)
        if len(names) > SHOWN_COMPONENTS:
            yield self._record(program, names, ruled, components=len(names))
            return
        by_component: dict[int, list[Ruled]] = defaultdict(list)
        for each in ruled:
            by_component[each.component].append(each)
        right = [each for group in by_component.values() if _is_right(group) for each in group]
        if right:
            yield self._record(program, names, right)
        for group in by_component.values():
            if not _is_right(group):
                yield self._record(program, names, group)

    def _record(
        self, program: Followed, names: Sequence[str], ruled: Sequence[Ruled], components: int | None = None
    ) -> records.Rule:
        worst = _worst(ruled)
        checked = len({each.component for each in ruled})
        formula = self._formula(program)
        return records.Rule(
            entry=self.entry,
            order=program.order,
            program=program.name,
            dtype=self.programs.dtype,
            component=names[worst.component],
            components=components or checked,
            checked=checked,
            verdict=worst.verdict.kind,
            fails=worst.verdict.fails,
            counts=_counts(ruled),
            points=len({each.place.index for each in ruled}),
            bits=_fewest_bits(ruled),
            notes=_notes(ruled),
            proved=formula.proved and worst.verdict.kind is RuleClass.RIGHT,
            formula=formula.latex,
            worst=None if worst.verdict.kind is RuleClass.RIGHT else self._worst(worst, program.order),
        )

    def _formula(self, program: Followed) -> LiftedProgram:
        """The program lifted, where it is not the same under another transform."""
        traced = self.programs.traced(program)
        if isinstance(traced, str) or program.style != "eager" or program.order > _MOST_LIFTED:
            return LiftedProgram()
        return lifted_program(self.programs.tracing, traced.jaxpr, program.order)

    def _worst(self, worst: Ruled, order: int) -> records.RuleWorst:
        point = worst.place.point
        return records.RuleWorst(
            point=worst.place.index,
            label=point.label,
            inputs=witnesses(self.programs.signature, point, self.programs.dtype),
            value=_value_text(worst.value),
            truth=truth_text(worst.truth),
            reason=worst.verdict.reason,
            blame=_blame(worst, order),
        )


def _is_right(ruled: Sequence[Ruled]) -> bool:
    return _worst(ruled).verdict.kind is RuleClass.RIGHT


def _worst(ruled: Sequence[Ruled]) -> Ruled:
    """The worst verdict. A point that nobody declared counts where the question has an answer there; others are
    counted.
    """
    asked = [each for each in ruled if not _is_unanswered(each)] or ruled
    return max(asked, key=lambda each: each.verdict.severity)


def _is_unanswered(ruled: Ruled) -> bool:
    return ruled.verdict.kind is RuleClass.UNDECIDED and not ruled.place.is_declared


def _blame(worst: Ruled, order: int) -> records.Blame | None:
    if worst.verdict.kind not in (RuleClass.WRONG, RuleClass.INEXACT):
        return None
    found = worst.blame(order)
    if found is None:
        return records.Blame(who="rule", what="no equation by itself")
    return records.Blame(who="rule", primitive=found.primitive, source=found.source, what=found.what)


def _counts(ruled: Sequence[Ruled]) -> dict[str, int]:
    counted = Counter(each.verdict.kind for each in ruled)
    return {str(kind): counted[kind] for kind in RuleClass if counted[kind]}


def _fewest_bits(ruled: Sequence[Ruled]) -> float | None:
    found = min((each.verdict.bits for each in ruled if each.verdict.bits is not None), default=None)
    return None if found is None else float(f"{found:.{_BITS_SHOWN}g}")


def _notes(ruled: Sequence[Ruled]) -> tuple[str, ...]:
    found = {note for each in ruled for note in each.verdict.notes}
    return tuple(str(note) for note in Note if note in found)


def _value_text(value: ProgramValue) -> str:
    return value.value if isinstance(value, NonFinite) else truth_text(value)
