"""A function at one point, traced in one dtype: its truth, its derivative programs, and the verdict on their rules."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property, partial
from typing import Any

import numpy as np

from verifier.arithmetic.arrays import blocks, object_array
from verifier.arithmetic.floats import FLOAT64, Format, round_to
from verifier.arithmetic.one_sided import Ceiling
from verifier.checking.lifting import Formulas, formulas_of
from verifier.checking.tracing import Tracing
from verifier.judge.hull import in_hull
from verifier.judge.rule import K, Threshold, judge_linear, judge_rule, judge_value, weighted_sum
from verifier.judge.text import truth_text
from verifier.model.rule import LocalTruth, NonFinite, Note, ProgramValue, RowTruth, RuleClass, RuleVerdict
from verifier.model.verdict import Enclosure, NoTruth
from verifier.programs.opaque import run_concretely
from verifier.programs.trace import Row, Subject, Traced, mixing, scale_of, tensor
from verifier.truth.decisions import Decisions, branches, recorded
from verifier.truth.derived import Derived, is_excuse, moved_literals
from verifier.truth.enclosing import CEILING, program_value
from verifier.truth.freezing import FEWEST_BITS, Frozen, follows, frozen, replayed
from verifier.truth.implicit import Implicit
from verifier.truth.lines import Lines, of_jaxpr
from verifier.truth.primal import PrimalTruth
from verifier.truth.smooth import NotSmooth, derivatives
from verifier.truth.values import Literals

__all__ = ["Program", "Route", "chosen_components", "components_of"]

_MOST_COMPONENTS = {1: 16, 2: 6, 3: 3, 4: 2}
"""More input components than this, and so many of them are chosen at random."""

_REFUTED = (RuleClass.WRONG, RuleClass.INEXACT)
_LITERAL_VECTORS = 4

_THOROUGH = Ceiling(bits=CEILING, order=64)
_QUICK = Ceiling(bits=1024, order=16)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Program:
    """A derivative program in exact arithmetic, or the reason why there is none.

    `where` says for each result and chosen component (results, components) which of the program's results it is.
    """

    derived: Derived | None
    where: np.ndarray
    reason: str = ""


@dataclass(eq=False)
class Route:
    """`place` are the exact values of the differentiated leaves; `seed` picks directions and components.

    The truth is that of the function itself, unless a surrogate (`reference`) or a defining equation is declared.
    """

    tracing: Tracing
    place: tuple[np.ndarray, ...]
    seed: int = 0
    reference: Tracing | None = None
    implicit: Implicit | None = None
    thorough: bool = True
    """Whether kinks in several inputs are looked at from all sides, and precision is raised to the ceiling.

    Blame, which judges many equations, does neither.
    """
    linear: bool = True
    """Whether the user's own rules are to be linear in tangents and cotangents; those that clip gradients are not."""
    most: int | None = None
    """Most components of the inputs that are looked at, where a table says more."""
    _decisions: dict[int, Decisions] = field(default_factory=dict)
    _conditions: dict[int, list[list[Fraction | None]]] = field(default_factory=dict)
    _constants: dict[int, np.ndarray] = field(default_factory=dict)
    _programs: dict[tuple[str, int, str, bool], Program] = field(default_factory=dict)
    _spreads: dict[int, np.ndarray] = field(default_factory=dict)
    _surrogates: dict[int, bool] = field(default_factory=dict)
    _truths: dict[int, tuple[RowTruth, ...]] = field(default_factory=dict)
    _frozen: dict[int, Frozen] = field(default_factory=dict)
    """By bits of precision."""
    _lines: dict[bool, Lines] = field(default_factory=dict)
    """With and without freezing."""

    @property
    def subject(self) -> Subject:
        return self.tracing.subject

    @property
    def limits(self) -> Ceiling:
        return _THOROUGH if self.thorough else _QUICK

    @property
    def form(self) -> Format:
        return self.tracing.form

    @property
    def primal(self) -> Traced:
        """The function that the truth is about; raises what tracing raises."""
        return (self.reference or self.tracing).primal

    def options(self, jaxpr: Any, *, beside: bool = False) -> Callable[[], dict[str, Any]]:
        """What every run of a program is given besides its arguments: decisions are those of one recorded run.

        `beside`: for runs in germs, which look at the neighbourhood of the point.
        """
        if id(jaxpr) not in self._decisions and branches(jaxpr):
            self._decisions[id(jaxpr)] = recorded(jaxpr, self.place, self.form, concrete=run_concretely)
        decisions = self._decisions.get(id(jaxpr))
        if decisions is None:
            return lambda: {"concrete": run_concretely}
        return lambda: {"concrete": run_concretely, "decide": decisions.replay(beside=beside)}

    @property
    def frozen(self) -> Frozen:
        """What `stop_gradient` holds at the point."""
        return self._frozen_at(FEWEST_BITS)

    def _frozen_at(self, bits: int) -> Frozen:
        bits = max(bits, FEWEST_BITS)
        if bits not in self._frozen:
            jaxpr = self.primal.jaxpr
            self._frozen[bits] = frozen(jaxpr, self.place, bits=bits, **self.options(jaxpr)())
        return self._frozen[bits]

    def _germ_options(self, *, freezing: bool) -> Callable[[], dict[str, Any]]:
        plain = self.options(self.primal.jaxpr, beside=True)
        return lambda: {**plain(), "freeze": replayed(self._frozen_at) if freezing else follows}

    @cached_property
    def value(self) -> Derived:
        return self._plain(self.primal)

    def _plain(self, traced: Traced) -> Derived:
        return Derived(traced.jaxpr, self.place, self.options(traced.jaxpr), ceiling=self.limits.bits)

    def primal_values(self) -> list[ProgramValue]:
        """What exact arithmetic says of the value itself."""
        return [program_value(each, self.value.bits) for each in self.value.elements]

    def chosen(self, order: int) -> tuple[int, ...]:
        return chosen_components(self.subject.size, order, self.seed, self.most)

    def truths(self, order: int, rows: Iterable[Row]) -> tuple[RowTruth, ...]:
        """The truth of each result over the chosen components; `rows` are programs whose values guide the search."""
        if order not in self._truths:
            self._truths[order] = self._established(order, rows)
        return self._truths[order]

    def _established(self, order: int, rows: Iterable[Row]) -> tuple[RowTruth, ...]:
        chosen = self.chosen(order)
        if (self.reference or self.tracing).is_too_large:
            lost = NoTruth("the function is too large to be followed in exact arithmetic")
            return (RowTruth(components=(lost,) * len(chosen) ** order),) * self.tracing.results
        return self._where_smooth(order) or self._read(self.germs(order), order, rows)

    def _where_smooth(
        self, order: int, *, freezing: bool = True, literals: Literals | None = None
    ) -> tuple[RowTruth, ...]:
        """The truth at a point where the function is certainly analytic; nothing where only germs can tell."""
        if self.implicit is not None or order not in (1, 2):
            return ()
        try:
            tensors, bits = derivatives(
                self.primal.jaxpr,
                self.place,
                self.chosen(order),
                order,
                ceiling=self.limits.bits,
                freezing=freezing,
                literals=literals,
            )
        except NotSmooth:
            return ()
        return tuple(RowTruth(components=tuple(program_value(each, bits) for each in row)) for row in tensors)  # pyright: ignore[reportArgumentType]

    def _read(self, truth: PrimalTruth, order: int, rows: Iterable[Row]) -> tuple[RowTruth, ...]:
        if order == 0:
            return truth.values()
        if order == 1:
            return truth.gradients([self._guess(row) for row in rows])
        if self.subject.size == 1:
            return truth.derivatives(order)
        return truth.hessians() if order == 2 else truth.tensors(order)

    def germs(self, order: int, *, freezing: bool = True) -> PrimalTruth:
        """Germs of the function; without `freezing` as if no `stop_gradient` stood in it."""
        if freezing not in self._lines:
            self._lines[freezing] = self._new_lines(freezing=freezing)
        lines = self._lines[freezing]
        if self.implicit is not None:
            return PrimalTruth(lines, [self.implicit.root(self.place)], self.chosen(order), self.seed)
        unit = self.form.unit_roundoff
        return PrimalTruth(lines, self.value.elements, self.chosen(order), self.seed, unit, self.thorough)

    def _new_lines(self, *, freezing: bool) -> Lines:
        """What all orders and directions at the point read germs from, each germ once."""
        if self.implicit is not None:
            return Lines(partial(self.implicit.along, self.place), self.place)
        return Lines(of_jaxpr(self.primal.jaxpr, self._germ_options(freezing=freezing)), self.place, self.limits)

    def _guess(self, row: Row) -> list[list[float]]:
        program = self.program(row)
        if program.derived is None:
            return [[float("nan")] * len(self.chosen(1))] * len(self.value.elements)
        return [[_rough(program.derived.value(place)) for place in each] for each in program.where.tolist()]

    def program(self, row: Row, compilation: str = "eager", *, reseeded: bool = False) -> Program:
        """The program of a row in exact arithmetic, that of unit seeds or of other ones."""
        style = compilation if compilation in ("vmap", "remat") else "eager"
        key = (row.name, row.order, style, reseeded)
        if key not in self._programs:
            self._programs[key] = self._followed(self.tracing.reseeded if reseeded else self.tracing, row, style)
        return self._programs[key]

    def _followed(self, tracing: Tracing, row: Row, style: str) -> Program:
        traced = tracing.program(row, style)
        if isinstance(traced, str):
            return Program(derived=None, where=np.empty(0, dtype=int), reason=traced)
        where = self.positions(traced, row.order)
        return Program(derived=self.derived(traced, where), where=where)

    def derived(self, traced: Traced, where: np.ndarray) -> Derived:
        """A program's results at these places in exact arithmetic."""
        wanted = tuple(where.flat)
        return Derived(traced.jaxpr, self.place, self.options(traced.jaxpr), ceiling=self.limits.bits, wanted=wanted)

    def _tensor(self, traced: Traced, flat: Sequence[Any], order: int) -> np.ndarray:
        shapes = (aval.shape for aval in traced.jaxpr.out_avals)
        return tensor(blocks(flat, shapes), self.subject, order)

    # ---- verdicts

    def rules(self, row: Row, rows: Iterable[Row], compilation: str = "eager") -> Any:
        """A verdict for each result and chosen component (results, components); None where there is no program."""
        program = self.program(row, compilation)
        truths = self.truths(row.order, rows)
        if program.derived is None:
            return None
        verdicts = self.judged(program.derived, row.order, truths, program.where)
        if row.order and row.transforms != ("jet",) and self.tracing.has_own_rules:  # jet asks no custom rule
            other = self.program(row, compilation, reseeded=True) if self.linear else None
            self.judge_own_rules(verdicts, program, other, row.order, mixed=self.tracing.mixes)
        return self._proved(verdicts, row, compilation)

    def judge_own_rules(
        self, verdicts: np.ndarray, unit: Program, other: Program | None, order: int, *, mixed: bool = False
    ) -> None:
        """Make verdicts WRONG where rules that are not JAX's own change the value that comes along with the derivative,
        or are not linear in tangents or cotangents: those of the `other` program are scaled, and may be mixed.
        """
        beside = [None] * verdicts.shape[1]
        if mixed and other is not None and unit.derived is not None:
            columns = ([unit.derived.value(place) for place in column] for column in unit.where.T.tolist())
            beside = [weighted_sum((mixing(k), each) for k, each in enumerate(column)) for column in columns]
        for index, verdict in np.ndenumerate(verdicts):
            if verdict.kind is not RuleClass.WRONG:
                bent = None if other is None else _not_linear(unit, other, index, order, beside[index[1]])
                verdicts[index] = self._wrong_value(verdicts, index) or bent or verdict

    def _wrong_value(self, verdicts: np.ndarray, index: tuple[int, ...]) -> RuleVerdict | None:
        """Of the value that a component belongs to; of a sum over all of them, of any."""
        found = self._values_beside
        mine = found[index[0] : index[0] + 1] if len(verdicts) == len(found) else found
        return next((each for each in mine if each is not None), None)

    @cached_property
    def _values_beside(self) -> list[RuleVerdict | None]:
        """For each result a verdict where its value is certainly another one when it is differentiated."""
        other = self.tracing.beside
        if isinstance(other, str):
            return [None] * self.tracing.results
        own = self.value if self.reference is None else self._plain(self.tracing.primal)
        along = self._plain(other)
        return [judge_value(along.value(j), own.value(j), self.form) for j in range(self.tracing.results)]

    def truth_spreads(self, order: int) -> np.ndarray:
        """u sum |c dT/dc| over the function's inexact literals: how far germs of moved ones are from the truth. None
        where that excuses nothing.

        Only under rules of their own: else what literals do to the truth they do to the program.
        """
        if order not in self._spreads:
            moved = [*self._truths_of_moved_literals(order)]
            known = self._truths[order]
            found = np.full((len(known), len(known[0].components)), Fraction(0), dtype=object)
            for (j, i), truth in components_of(known):
                found[j, i] = _excuse(truth, [[each[j].components[i] for each in pair] for pair in moved])
            self._spreads[order] = found
        return self._spreads[order]

    def _truths_of_moved_literals(self, order: int) -> Iterator[tuple[tuple[RowTruth, ...], tuple[RowTruth, ...]]]:
        """Each with its literals moved there, and moved back."""
        if not self.tracing.has_rules or not self._own_constants or self.implicit is not None:
            return
        for k in range(_LITERAL_VECTORS):
            ways = (moved_literals(self.form, f"{self.seed}:{k}", back=back) for back in (False, True))
            there, back = (self._truth_with(way, order) for way in ways)
            yield there, back

    def _truth_with(self, literals: Literals, order: int) -> tuple[RowTruth, ...]:
        smooth = self._where_smooth(order, literals=literals)
        if smooth:
            return smooth
        program = of_jaxpr(self.primal.jaxpr, self._germ_options(freezing=True), literals)
        lines, unit = Lines(program, self.place, self.limits), self.form.unit_roundoff
        return self._read(
            PrimalTruth(lines, self.value.elements, self.chosen(order), self.seed, unit, spans=False), order, ()
        )

    def _proved(self, verdicts: np.ndarray, row: Row, compilation: str) -> np.ndarray:
        """The verdicts with those marked that are proved for all inputs."""
        style = compilation if compilation in ("vmap", "remat") else "eager"
        traced = self.tracing.program(row, style)
        if self.lifted is None or isinstance(traced, str):
            return verdicts
        where = self.positions(traced, row.order)
        own = formulas_of(self.tracing)
        for (j, i), verdict in np.ndenumerate(verdicts):
            if verdict.kind is RuleClass.RIGHT and Note.PINNED not in verdict.notes:
                components = self.components(row.order, i)
                proved = own.proved(row, style, int(where[j, i]), self.lifted, j, components)
                verdicts[j, i] = replace(verdict, proved=proved)
        return verdicts

    @property
    def lifted(self) -> Formulas | None:
        """The formulas of the function that the truth is about; None where it is given by an equation."""
        return None if self.implicit is not None else formulas_of(self.reference or self.tracing)

    def components(self, order: int, index: int) -> tuple[int, ...]:
        """The input components that the derivative at this place of a flattened tensor is taken by."""
        chosen = self.chosen(order)
        return tuple(chosen[each] for each in np.unravel_index(index, (len(chosen),) * order))

    def conflicts(self, order: int) -> tuple[str, ...]:
        """Where SymPy's derivative of the lifted function excludes the truth from germs, as far as that was asked for.

        Then the verifier is at fault.
        """
        if order not in (1, 2) or self.lifted is None:
            return ()
        found = (
            (truth, self.lifted.conflict(j, self.components(order, i), self.place, truth))
            for j, row in enumerate(self._truths.get(order, ()))
            for i, truth in enumerate(row.components)
        )
        return tuple(f"order {order}: {text}, germs give {truth_text(truth)}" for truth, text in found if text)

    def judged(self, derived: Derived, order: int, truths: Sequence[RowTruth], where: np.ndarray) -> np.ndarray:
        """A verdict for each of a program's results at these places (results, components), against their truths.

        The truths of the order are known by then.
        """
        judged = _Judged(self, derived, where, order if truths is self._truths.get(order) else 0)
        notes = self._notes(derived, order)
        verdicts = object_array([each for j, truth in enumerate(truths) for each in judged.row(j, truth)], where.shape)
        if not notes:
            return verdicts
        return np.frompyfunc(lambda each: replace(each, notes=(*each.notes, *notes)), 1, 1)(verdicts)

    def _notes(self, derived: Derived, order: int) -> tuple[Note, ...]:
        """What holds of all components: replayed decisions, and a frozen truth that is not the plain one."""
        decisions = [self._decisions.get(id(each)) for each in (self.primal.jaxpr, derived.jaxpr)]
        pinned = any(each is not None and each.pinned for each in decisions)
        return (*([Note.PINNED] if pinned else []), *([Note.SURROGATE] if self._is_surrogate(order) else []))

    def _is_surrogate(self, order: int) -> bool:
        if self.reference is not None:
            return True
        if self.implicit is not None or not self.frozen or not order:
            return False
        if order not in self._surrogates:
            plain = self._where_smooth(order, freezing=False)
            plain = plain or self._read(self.germs(order, freezing=False), order, ())
            self._surrogates[order] = any(
                differ(a, b)
                for known, row in zip(self._truths[order], plain, strict=True)
                for a, b in zip(known.components, row.components, strict=True)
            )
        return self._surrogates[order]

    def conditions(self, order: int, rows: Iterable[Row]) -> list[list[Fraction | None]]:
        """sum |x_i dT/dx_i| of each result and chosen component."""
        if order not in self._conditions:
            self._conditions[order] = self._conditioned(order, list(rows))
        return self._conditions[order]

    def _conditioned(self, order: int, rows: list[Row]) -> list[list[Fraction | None]]:
        if order and self.subject.size == 1:
            truth = self.germs(order)
            return [[truth.motion(j, order)] for j in range(len(self.value.elements))]
        return [list(each) for each in self._moves(order, rows)]

    def _moves(self, order: int, rows: list[Row]) -> np.ndarray:
        """From the first program whose rule is right; where none is, from germs."""
        found = self._from_programs(order, rows, lambda derived: derived.moves(self.seed))
        return self._from_germs(found, order) if order else found

    def constants(self, order: int, rows: Iterable[Row]) -> np.ndarray:
        """sum |c_j dT/dc_j| of each result and chosen component over the data and literals that the dtype cannot hold.

        They are those of the function: a constant that a rule brings along is none of its truth. They are moved in the
        first program whose rule is right; 0 where none is.
        """
        if order not in self._constants:
            found = self._from_programs(order, list(rows), self._by_constants)
            unit = self.form.unit_roundoff
            self._constants[order] = object_array([(each or Fraction(0)) / unit for each in found.flat], found.shape)
        return self._constants[order]

    def _by_constants(self, derived: Derived) -> list[Fraction | None]:
        return derived.spread_by(self._own_constants, self.form, self.seed)

    @cached_property
    def _own_constants(self) -> frozenset[float]:
        return self.value.inexact_literals(self.form)

    def _from_programs(
        self, order: int, rows: list[Row], look: Callable[[Derived], list[Fraction | None]]
    ) -> np.ndarray:
        """What `look` finds of each result and chosen component in the first program whose rule is right there."""
        if order == 0:
            return np.array([[each] for each in look(self.value)], dtype=object)
        found = np.full((len(self.value.elements), len(self.chosen(order)) ** order), None, dtype=object)
        for row in rows:
            if all(each is not None for each in found.flat):
                break
            self._fill(found, row, rows, look)
        return found

    def _fill(
        self, found: np.ndarray, row: Row, rows: list[Row], look: Callable[[Derived], list[Fraction | None]]
    ) -> None:
        verdicts = self.rules(row, rows)
        program = self.program(row)
        if verdicts is None or program.derived is None:
            return
        if all(each.kind is not RuleClass.RIGHT for each in verdicts.flat):
            return
        seen = look(program.derived)
        for place in np.ndindex(*found.shape):
            if found[place] is None and verdicts[place].kind is RuleClass.RIGHT:
                found[place] = seen[program.where[place]]

    def _from_germs(self, found: np.ndarray, order: int) -> np.ndarray:
        truth, chosen = self.germs(order), self.chosen(order)
        signs = random.Random(self.seed)
        weights = [tuple(Fraction(signs.choice((-1, 1))) for _ in range(self.subject.size)) for _ in range(2)]
        for j, i in np.ndindex(*found.shape):
            if found[j, i] is None:
                moved = [_moved(truth, j, np.unravel_index(i, (len(chosen),) * order), each) for each in weights]
                found[j, i] = max((each for each in moved if each is not None), default=None)
        return found

    def positions(self, traced: Traced, order: int) -> np.ndarray:
        """Where the chosen components stand among all entries of a program's results, as (results, components)."""
        count = sum(math.prod(aval.shape) for aval in traced.jaxpr.out_avals)
        return self.window(self._tensor(traced, range(count), order), order)

    def window(self, values: np.ndarray, order: int) -> np.ndarray:
        """The chosen components of a tensor, as (results, components)."""
        chosen = list(self.chosen(order))
        picked = values[np.ix_(range(len(values)), *[chosen] * order)]
        return picked.reshape(len(values), -1)


def _not_linear(
    unit: Program, other: Program, index: tuple[int, ...], order: int, beside: ProgramValue | None
) -> RuleVerdict | None:
    if unit.derived is None or other.derived is None:
        return None
    value = unit.derived.value(int(unit.where[index]))
    found = other.derived.value(int(other.where[index]))
    return judge_linear(value, found, scale_of(order), beside)


@dataclass(eq=False)
class _Judged:
    """One program against the truth, row by row."""

    route: Route
    derived: Derived
    where: np.ndarray
    order: int
    """Of the route's own truths; 0 for others."""

    def row(self, j: int, truth: RowTruth) -> list[RuleVerdict]:
        values = [self.derived.value(place) for place in self.where[j].tolist()]
        verdicts = [self._component(j, i, *pair) for i, pair in enumerate(zip(values, truth.components, strict=True))]
        if truth.cells and all(not each.fails for each in verdicts):
            return _certified(verdicts, values, truth, self.route.form)
        return verdicts

    def _component(self, j: int, i: int, value: ProgramValue, truth: LocalTruth) -> RuleVerdict:
        """Judged as if every literal were exact; what is not RIGHT then, with what inexact literals excuse: those of
        the program, and last, as they cost most, those of the function (SEMANTICS §2).
        """
        verdict = judge_rule(value, truth, Threshold(form=self.route.form))
        if verdict.kind not in _REFUTED or not isinstance(value, Enclosure):
            return verdict
        spread = self._spread[self.where[j, i]]
        if spread is None:
            return _NO_EXCUSE
        verdict = judge_rule(value, truth, Threshold(form=self.route.form, spread=spread))
        if verdict.kind not in _REFUTED or not isinstance(truth, Enclosure) or not self.order:
            return verdict
        own = self.route.truth_spreads(self.order)[j, i]
        if own is None:
            return _NO_EXCUSE
        return judge_rule(value, truth, Threshold(form=self.route.form, spread=spread + own))

    @cached_property
    def _spread(self) -> list[Fraction | None]:
        return self.derived.excused(self.route.form, self.route.seed)


_NO_EXCUSE = RuleVerdict(
    kind=RuleClass.UNDECIDED, reason="it is not the truth, and rounding the literals could make anything of it"
)


def _certified(
    verdicts: list[RuleVerdict], values: Sequence[ProgramValue], truth: RowTruth, form: Format
) -> list[RuleVerdict]:
    """At a kink in several inputs a gradient counts as a whole: what no combination of cells gives is not certified."""
    point = [each.middle if isinstance(each, Enclosure) else None for each in values]
    if any(each is None for each in point):
        return verdicts
    cells = [[each.middle for each in cell] for cell in truth.cells]
    room = [K * form.unit_roundoff * max(abs(cell[i]) for cell in cells) for i in range(len(point))]
    if in_hull([each for each in point if each is not None], cells, room):
        return verdicts
    return [
        replace(each, notes=(*each.notes, Note.UNCERTIFIED)) if each.kind is RuleClass.CONVENTION else each
        for each in verdicts
    ]


def chosen_components(size: int, order: int, seed: int, limit: int | None = None) -> tuple[int, ...]:
    """All input components, or a seeded choice of many; never more than a limit."""
    most = _MOST_COMPONENTS.get(order, 1 if order else size)
    most = most if limit is None else min(most, limit)
    if order == 0 or size <= most:
        return tuple(range(size))
    return tuple(sorted(random.Random(f"{seed}:{size}").sample(range(size), most)))


def differ(a: LocalTruth, b: LocalTruth) -> bool:
    """Whether two truths are certainly not the same."""
    if isinstance(a, Enclosure) and isinstance(b, Enclosure):
        return a.upper < b.lower or b.upper < a.lower
    return type(a) is not type(b) and not any(isinstance(each, NoTruth) for each in (a, b))


def components_of(truths: Sequence[RowTruth]) -> Iterator[tuple[tuple[int, int], LocalTruth]]:
    """All truths with their places: (result, chosen component)."""
    for j, row in enumerate(truths):
        for i, truth in enumerate(row.components):
            yield (j, i), truth


def _excuse(known: LocalTruth, moved: Sequence[Sequence[LocalTruth]]) -> Fraction | None:
    """How far moved literals carry a truth; None where that excuses nothing, and 0 where it says nothing."""
    pairs = [(a.middle, b.middle) for a, b in moved if isinstance(a, Enclosure) and isinstance(b, Enclosure)]
    if not isinstance(known, Enclosure) or not pairs:
        return Fraction(0)
    spread = max(abs(there - known.middle) for there, _ in pairs)
    bend = max(abs(there + back - 2 * known.middle) for there, back in pairs)
    return spread if is_excuse(known.magnitude, spread, bend) else None


def _moved(truth: PrimalTruth, j: int, places: Sequence[Any], weights: tuple[Fraction, ...]) -> Fraction | None:
    """How far one component moves with the inputs, from germs."""
    if len(places) == 1:
        return truth.moved(j, truth.chosen[places[0]], weights)
    return truth.moved_tensor(j, tuple(map(int, places)), weights)


def _rough(value: ProgramValue) -> float:
    if isinstance(value, Enclosure):
        return round_to(value.middle, FLOAT64)
    return float(value.value) if isinstance(value, NonFinite) else float("nan")
