"""All judgements at one point in one dtype."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from math import isfinite
from typing import Any

import jax
import numpy as np

from verifier.arithmetic.floats import FORMATS
from verifier.checking.blaming import Blaming
from verifier.checking.intent import Intent, Solution, judge_intent, plain_inputs
from verifier.checking.numbers import Maker, Numbers
from verifier.checking.result import Conflict, Judgement, Skipped
from verifier.checking.route import Route, components_of
from verifier.checking.tracing import Tracing
from verifier.execution.compiled import reason_of
from verifier.judge.text import truth_text
from verifier.model.rule import Blame, LocalTruth, RuleClass, RuleVerdict
from verifier.model.verdict import Truth
from verifier.programs.refusals import is_documented
from verifier.programs.trace import PROGRAMS, Row, component_names, same_program, tensor
from verifier.truth.implicit import Implicit

__all__ = ["Target", "judged"]

_VALUE = PROGRAMS[0]
_REVERSE = frozenset(("grad", "rev"))
Found = Judgement | Skipped | Conflict


@dataclass(eq=False, kw_only=True)
class Target:
    """A function in one dtype: its own trace, and that of float64 (the same one, or None where it has none).

    `references` are the traces that the truth is taken from where a surrogate is declared.
    """

    own: Tracing
    wide: Tracing | None
    references: tuple[Tracing | None, Tracing | None] = (None, None)
    intent: Intent | None = None
    defines: tuple[str, str] | None = None
    """A defining equation and the name that the value has in it."""
    seed: int = 0
    linear: bool = True
    """Whether rules are to be linear in tangents and cotangents."""
    named: bool = False
    """Whether the user named the programs: then each of them is to be judged."""
    _same: dict[Row, bool] = field(default_factory=dict)

    def is_same(self, row: Row) -> bool:
        """Whether float64's trace is the same program, so that its verdict is the dtype's, too."""
        if self.wide is None or self.wide is self.own:
            return True
        if row not in self._same:
            pairs = [(self.own.primal, self.wide.primal), (self.own.program(row), self.wide.program(row))]
            self._same[row] = all(
                not isinstance(a, str) and not isinstance(b, str) and same_program(a, b) for a, b in pairs
            )
        return self._same[row]


def judged(
    target: Target, place: tuple[np.ndarray, ...], rows: Mapping[int, Mapping[Row, tuple[str, ...]]], *, given: bool
) -> Iterator[Found]:
    """Everything found at a point; `given` says that the user gave it (SEMANTICS §12)."""
    here = _Here(target, place, given)
    for intent in (target.intent, here.implicit and Solution(here.implicit)):
        if intent is not None and not intent.covers(here.exact):
            why = "the catalog's formula is not stated for this point"
            yield Skipped(what="the value", why=why, counts=False)
        elif intent is not None:
            asked = not isinstance(intent, Intent) or intent.asked
            for each in here.intended(intent):
                yield each if asked or not isinstance(each, Judgement) else replace(each, unasked=True)
    for order, programs in rows.items():
        found = [each for row, how in programs.items() for each in here.row(row, how, list(programs))]
        yield from found if any(isinstance(each, Judgement) for each in found) else map(_counted, found)
        yield from here.conflicts(order)


def _counted(found: Found) -> Found:
    """An order of which no program is judged is missing, whatever the reason."""
    return replace(found, counts=True) if isinstance(found, Skipped) else found


@dataclass(eq=False)
class _Here:
    """One point: the routes of both traces."""

    target: Target
    place: tuple[np.ndarray, ...]
    given: bool

    @cached_property
    def exact(self) -> tuple[np.ndarray, ...]:
        return tuple(np.asarray(each).astype(np.float64) for each in self.place)

    @cached_property
    def own(self) -> Route:
        return self._route(self.target.own, self.target.references[0])

    def _route(self, tracing: Tracing, reference: Tracing | None) -> Route:
        return Route(tracing, self.exact, self.target.seed, reference, self.implicit, linear=self.target.linear)

    @cached_property
    def implicit(self) -> Implicit | None:
        """The defining equation with the root that is nearest to the computed value."""
        if self.target.defines is None:
            return None
        equation, unknown = self.target.defines
        (value,) = self._run(_VALUE, "eager")[0]
        return Implicit(equation, plain_inputs(self.target.own.subject.leaves), unknown, float(value))

    @cached_property
    def blaming(self) -> Blaming:
        return Blaming(self.own)

    @cached_property
    def numbers(self) -> Numbers:
        return Numbers(self.own, self.place, self.given)

    @cached_property
    def wide(self) -> Route | None:
        if self.target.wide is None:
            return None
        if self.target.wide is self.target.own:
            return self.own
        return self._route(self.target.wide, self.target.references[1])

    def row(self, row: Row, compilations: tuple[str, ...], rows: list[Row]) -> Iterator[Found]:
        """One program, however it is compiled; and float64's trace of it where that is another program."""
        same = self.target.is_same(row)
        route = self.wide if same and self.wide is not None else self.own
        for compilation in compilations:
            yield from self._program(route, row, compilation, rows)
        if not same and self.wide is not None:
            yield from self._rule_only(self.wide, row, rows)

    def conflicts(self, order: int) -> Iterator[Conflict]:
        """Where two routes to the truth exclude each other."""
        for route in dict.fromkeys(each for each in (self.own, self.wide) if each is not None):
            for text in route.conflicts(order):
                yield Conflict(what=f"{text} at {self.point} ({route.tracing.dtype})")

    def _program(self, route: Route, row: Row, compilation: str, rows: list[Row]) -> Iterator[Found]:
        name = f"{row.name}/{compilation}"
        try:
            numbers, dtypes = self._run(row, compilation)
        except Exception as error:  # what JAX refuses to differentiate or run
            yield Skipped(what=name, why=reason_of(error), counts=self.target.named or not is_documented(error))
            return
        verdicts = route.rules(row, rows, compilation)
        lost = RuleVerdict(kind=RuleClass.UNDECIDED, reason=route.program(row, compilation).reason)
        conditions = route.conditions(row.order, rows)
        names, values, kinds = (route.window(each, row.order) for each in (self._names(row), numbers, dtypes))
        for (j, i), truth in components_of(route.truths(row.order, rows)):
            rule = lost if verdicts is None else self.blaming.strict(route, row.order, verdicts[j, i])
            found = self._judgement(
                row.order,
                name,
                component=names[j, i],
                value=float(values[j, i]),
                dtype=str(kinds[j, i]),
                truth=Truth(value=truth, condition=conditions[j][i]),
                rule=rule,
                maker=Maker(row=row, compilation=compilation, index=(j, i)),
                constants=lambda index=(j, i): route.constants(row.order, rows)[index],
            )
            yield replace(found, blame=self._blame(found, route, row, (j, i))) if found.fails else found

    def _blame(self, found: Judgement, route: Route, row: Row, index: tuple[int, int]) -> Blame | None:
        """A wrong rule by itself; else the equation of the program that made this number, unless no rounding makes it
        wrong.
        """
        wrong = found.rule in (RuleClass.WRONG, RuleClass.INEXACT)
        rule = self.blaming.rule(route, row.order) if wrong else None
        if rule or found.value is None or (found.rule is RuleClass.WRONG and isfinite(found.value)):
            return rule
        return self._narrow(row, found.dtype) or self.blaming.number(row, index, found.value)

    def _narrow(self, row: Row, due: str) -> Blame | None:
        """A backward rule that returns a narrower dtype than is due."""
        traced = self.target.own.program(row)
        if isinstance(traced, str) or due != self._due(row, due):
            return None
        returned = {str(aval.dtype) for aval in traced.jaxpr.out_avals}
        narrow = next((each for each in returned if each != self._due(row, each)), None)
        return Blame(primitive="", what=f"a backward rule returns {narrow}, where {due} is due") if narrow else None

    def _judgement(
        self,
        order: int,
        program: str,
        *,
        component: str,
        value: float,
        dtype: str,
        truth: Truth,
        rule: RuleVerdict | None,
        maker: Maker,
        constants: Callable[[], Fraction],
    ) -> Judgement:
        return Judgement(
            order=order,
            component=component,
            program=program,
            dtype=dtype,
            device=f"{jax.default_backend()}:0",
            point=self.point,
            value=value,
            truth=truth_text(truth.value),
            rule_verdict=rule,
            number_verdict=self.numbers.verdict(value, truth, dtype, maker, constants),
        )

    def _rule_only(self, route: Route, row: Row, rows: list[Row]) -> Iterator[Judgement]:
        """What float64's trace has against the rule, where the dtype's own trace is another program."""
        verdicts = route.rules(row, rows)
        if verdicts is None:
            return
        names = route.window(self._names(row), row.order)
        for (j, i), truth in components_of(route.truths(row.order, rows)):
            if verdicts[j, i].kind in (RuleClass.WRONG, RuleClass.INEXACT):
                yield self._without_number(row.order, row.name, names[j, i], truth, verdicts[j, i])

    def _without_number(
        self, order: int, program: str, component: str, truth: LocalTruth, rule: RuleVerdict
    ) -> Judgement:
        return Judgement(
            order=order,
            component=component,
            program=program,
            dtype="float64",
            device="",
            point=self.point,
            value=None,
            truth=truth_text(truth),
            rule_verdict=rule,
            number_verdict=None,
        )

    def intended(self, intent: Intent | Solution) -> Iterator[Found]:
        """The value against the formula: exactly, and as computed."""
        route = Route(self.target.own, self.exact, self.target.seed)
        truths = intent.values(self.exact, route.form)
        spreads, conditions = route.value.spread(route.form), route.conditions(0, [])
        values = route.primal_values()
        for compilation in ("eager", "jit"):
            numbers, dtypes = self._run(_VALUE, compilation)
            for j, (truth, spread) in enumerate(zip(truths, spreads, strict=True)):
                yield self._judgement(
                    0,
                    f"value/{compilation}",
                    component=self._names(_VALUE)[j],
                    value=float(numbers[j]),
                    dtype=str(dtypes[j]),
                    truth=Truth(value=truth, condition=conditions[j][0]),
                    rule=judge_intent(values[j], truth, route.form, spread or Fraction(0)),
                    maker=Maker(row=_VALUE, compilation=compilation, index=(j, 0)),
                    constants=lambda index=(j, 0): route.constants(0, [])[index],
                )

    def _names(self, row: Row) -> np.ndarray:
        return component_names(self.target.own.subject, row.order)

    def _run(self, row: Row, compilation: str) -> tuple[np.ndarray, np.ndarray]:
        """What the device returns, and in which dtype, in the shape of `tensor`."""
        blocks = jax.tree.leaves(self.target.own.run(row, compilation, self.place))
        arrays = [np.asarray(each) for each in blocks]
        dtypes = [np.full(each.shape, self._due(row, str(each.dtype)), dtype=object) for each in arrays]
        given = self.target.own.subject
        return tensor([each.astype(np.float64) for each in arrays], given, row.order), tensor(dtypes, given, row.order)

    def _due(self, row: Row, returned: str) -> str:
        """The dtype that a number is judged in: what reverse mode returns is due in the dtype of the inputs, also where
        a backward rule makes less of it.
        """
        inputs = {str(each.dtype) for each in self.target.own.subject.place}
        if len(inputs) > 1 or returned in inputs or _REVERSE.isdisjoint(row.transforms):
            return returned
        return max(returned, *inputs, key=lambda each: FORMATS[each].precision)

    @cached_property
    def point(self) -> dict[str, Any]:
        leaves = self.target.own.subject.leaves
        return {leaf.name: _nested(each.tolist()) for leaf, each in zip(leaves, self.exact, strict=True)}


def _nested(value: Any) -> Any:
    return tuple(map(_nested, value)) if isinstance(value, list) else value
