"""Which equation spoiled a component: the one whose local error, carried on to the component, makes up its error.

Among the equations whose effect is half of the error or more it is the one that loses most bits at once: where s is
rounded to 1, both that rounding and the subtraction 1 - s explain all of the error; the subtraction loses all bits.

Source: Sanchez-Stern et al., Finding root causes of floating point error, PLDI 2018.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fractions import Fraction
from functools import cached_property, partial
from typing import Any

import numpy as np
from flint import arb

from verifier.arithmetic.elements import NAN, NEG_INF, POS_INF, Special, as_fraction
from verifier.arithmetic.floats import FORMATS, Format, ulp
from verifier.truth.machine import kind_of
from verifier.truth.shadow import Run, Shadow, Step, entry_of
from verifier.truth.values import exact_literals

__all__ = ["Blame", "Cause", "Suspects", "blame", "step_errors"]

Array = np.ndarray
Locate = Callable[[Any], Any]

TRIALS = 48
"""How many equations are tried, the worst first; each trial runs the part of the program that follows."""


class Cause(StrEnum):
    """In which way an equation is to blame."""

    ROUNDING = "rounding"
    DECISION = "decision"
    NONFINITE = "nonfinite"


@dataclass(frozen=True, slots=True, kw_only=True)
class Blame:
    """The equation that spoiled a component.

    `index` counts the equations as they are executed, those of inner programs too. `local_ulps` is the local error in
    ulps of the equation's own result, `lost_bits` the significant bits that it costs, `share` the part of the
    component's
    error that it explains (about 1: all of it; None where something is not finite). `source` is what `locate` said.
    """

    primitive: str
    index: int
    cause: Cause
    local_ulps: float
    lost_bits: float
    share: float | None
    reason: str
    is_loss: bool = True
    """Whether it did more than round, as every equation does."""
    source: Any = None
    equation: Any = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class _Local:
    """What the dtype made of some entries of a step's results, and how far that is from the exact ones.

    `results` are the exact results with those entries replaced. `ulps` and `bits` are the worst of them.
    """

    index: int
    step: Step
    results: list[Array]
    ulps: float = 0.0
    bits: float = 0.0
    differs: bool = False
    departs: bool = False

    @property
    def rank(self) -> tuple[bool, float, float]:
        return (self.differs or self.departs, self.bits, self.ulps)


def blame(
    exact: Shadow,
    component: int = 0,
    *,
    value: float | None = None,
    run: Run | None = None,
    locate: Locate | None = None,
) -> Blame | None:
    """The equation to blame for the error of a component (all results' entries count as one list), if there is one.

    `value` is what the program returned there: without it the largest effect counts as the error. `run` executes
    equations in their dtypes (`programs.one_equation`), else every local result is rounded correctly; `locate` finds an
    equation's source line (`programs.source_lines`).
    """
    return Suspects(exact, run).blame(component, value=value, locate=locate)


@dataclass(eq=False)
class Suspects:
    """The local errors of a shadow run and what each of them does, which are the same for all components."""

    exact: Shadow
    run: Run | None = None
    _tried: dict[Any, Sequence[Array]] = field(default_factory=dict)
    """The program's results by what was replaced in it."""

    def blame(self, component: int, *, value: float | None = None, locate: Locate | None = None) -> Blame | None:
        """As the function `blame`."""
        truth = self.exact.entry(component)
        if value is not None and not math.isfinite(value):
            found = _departure(self, component) if type(truth) is arb else None
            found = found or _first_special(self, component, value)
        else:
            found = _worst(self, component, value) if type(truth) is arb else None
        return found if found is None or locate is None else replace(found, source=locate(found.equation))

    @cached_property
    def errors(self) -> list[_Local]:
        """The local errors of all steps, in the order of the program."""
        local = zip(self.exact.steps, self.exact.local(self.run), strict=True)
        return [each for index, (step, found) in enumerate(local) for each in _locals(self.exact, index, step, found)]

    @cached_property
    def worst(self) -> list[_Local]:
        """The errors that are tried, the worst first."""
        return sorted(self.errors, key=lambda each: each.rank, reverse=True)[:TRIALS]

    def entry_with(self, component: int, error: _Local) -> Any:
        """The element of a component where one of `errors` is made and all else is exact."""
        return self.tried(component, id(error), error.index, lambda: error.results)

    def tried(self, component: int, key: Any, index: int, outputs: Callable[[], Sequence[Array]]) -> Any:
        """The element of a component with a step's results replaced; the key tells the replacements apart."""
        if key not in self._tried:
            self._tried[key] = self.exact.results_with(index, outputs())
        return entry_of(self._tried[key], component)

    def form(self, component: int) -> Format | None:
        """The format of the result that a component belongs to."""
        variables = self.exact.program.jaxpr.outvars
        sizes = np.cumsum([each.size for each in self.exact.results])
        return FORMATS.get(variables[int(np.searchsorted(sizes, component, side="right"))].aval.dtype.name)


def step_errors(exact: Shadow, step: Step, found: list[Array] | None) -> list[tuple[float, float]] | None:
    """(error in ulps, bits lost) of every real entry of a step's results; None where it can't be run by itself."""
    if found is None or any(kind_of(variable) != "real" for variable in step.equation.outvars):
        return None
    return [(each.ulps, each.bits) for each in _errors(exact, step, found)]


_TIERS = (0.5, 0.1, 0.0)
"""Shares of the significand: entries that lose about as much are replaced together, so that each group's effect is
its own.
"""


def _locals(exact: Shadow, index: int, step: Step, found: list[Array] | None) -> list[_Local]:
    """The local errors of a step, in groups of entries that lose about as much."""
    if found is None:
        return []
    if any(kind_of(variable) != "real" for variable in step.equation.outvars):
        return [_decision(index, step, found)] if _decides_otherwise(step, found) else []
    errors = list(_errors(exact, step, found))
    groups: dict[float, list[_Error]] = {}
    for error in errors:
        if error.ulps:
            groups.setdefault(_tier(error), []).append(error)
    return [_grouped(index, step, members) for members in groups.values()]


@dataclass(frozen=True, slots=True)
class _Error:
    """The local error of one entry: which result, where in it, the local element, its error."""

    result: int
    place: tuple[int, ...]
    element: Any
    ulps: float
    share: float
    bits: float


def _tier(error: _Error) -> float:
    return next(share for share in _TIERS if error.share >= share)


def _errors(exact: Shadow, step: Step, found: list[Array]) -> Iterator[_Error]:
    literal = exact_literals(exact.system)
    for result, (values, truths, variable) in enumerate(zip(found, step.outputs, step.equation.outvars, strict=True)):
        form = FORMATS[variable.aval.dtype.name]
        for place in np.ndindex(*truths.shape):
            truth: Any = truths[place]
            if type(truth) is arb:
                ulps, bits = _error(float(values[place]), truth, form)
                element = literal(float(values[place]), np.dtype(np.float64))
                yield _Error(result, place, element, ulps, bits / form.precision, bits)


def _grouped(index: int, step: Step, members: list[_Error]) -> _Local:
    results = [each.copy() for each in step.outputs]
    for each in members:
        results[each.result][each.place] = each.element
    return _Local(
        index,
        step,
        results,
        ulps=max(each.ulps for each in members),
        bits=max(each.bits for each in members),
        departs=any(isinstance(each.element, Special) for each in members),
    )


def _decides_otherwise(step: Step, found: list[Array]) -> bool:
    pairs = zip(found, step.outputs, strict=True)
    return any(truths.dtype != object and not np.array_equal(values, truths) for values, truths in pairs)


def _decision(index: int, step: Step, found: list[Array]) -> _Local:
    """A step whose results are integers or decisions, and come out otherwise on rounded operands."""
    discrete = [kind_of(variable) != "real" for variable in step.equation.outvars]
    pairs = zip(found, step.outputs, discrete, strict=True)
    results = [values if whole else truths for values, truths, whole in pairs]
    return _Local(index, step, results, differs=True)


def _error(value: float, truth: arb, form: Format) -> tuple[float, float]:
    """(error in ulps, significant bits lost); below the normal numbers bits count against the number itself."""
    if not math.isfinite(value):
        return math.inf, float(form.precision)
    try:
        exact = as_fraction(truth.mid())
    except ValueError:  # beyond the range of every format: it underflows, or would have overflowed
        return (math.inf, float(form.precision)) if abs(truth) > 1 else (0.0, 0.0)
    distance = abs(exact - as_fraction(arb(value)))
    ulps = float(min(distance / ulp(exact, form), Fraction(10**300)))
    if not exact:
        return ulps, float(form.precision) if distance else 0.0
    relative = distance / (abs(exact) * 2 * form.unit_roundoff)
    return ulps, min(_log2(relative), float(form.precision)) if relative > 1 else 0.0


def _log2(ratio: Fraction) -> float:
    return math.log2(ratio.numerator) - math.log2(ratio.denominator)


def _worst(suspects: Suspects, component: int, value: float | None) -> Blame | None:
    """Of the errors whose effect is half of the component's error or more, the one that loses most bits.

    Where no single one has so much, the largest effect is compared with instead.
    """
    exact, form = suspects.exact, suspects.form(component)
    total = arb(0) if value is None else _distance(exact, component, arb(value))
    effects: list[tuple[arb, _Local]] = []
    for each in suspects.worst:
        effect = _distance(exact, component, suspects.entry_with(component, each))
        if total > 0 and effect * 2 >= total:
            return _blame(each, float(effect / total), form)
        effects.append((effect, each))
    largest = max((effect for effect, _ in effects), default=arb(0))
    if largest.is_zero():
        return None
    effect, found = next(pair for pair in effects if pair[0] * 2 >= largest)
    return _blame(found, float(effect / (total if total > 0 else largest)), form)


def _distance(exact: Shadow, component: int, other: Any) -> arb:
    """How far an element is from the exact component, as a point; infinite where it is no number."""
    if type(other) is not arb:
        return arb.pos_inf()
    with exact.system.working():
        return (other - exact.entry(component)).abs_upper()


def _blame(found: _Local, share: float | None, form: Format | None = None) -> Blame:
    """`form` is that of the result."""
    cause = Cause.DECISION if found.differs else Cause.NONFINITE if found.departs else Cause.ROUNDING
    narrow = _narrowness(found.step.equation, form)
    return Blame(
        primitive=found.step.equation.primitive.name,
        index=found.index,
        cause=cause,
        local_ulps=found.ulps,
        lost_bits=found.bits,
        share=None if share is None or not math.isfinite(share) else share,
        reason=_reason(cause, found, narrow),
        is_loss=cause is not Cause.ROUNDING or found.bits >= _NO_BIT or bool(narrow),
        equation=found.step.equation,
    )


def _reason(cause: Cause, found: _Local, narrow: str) -> str:
    name = found.step.equation.primitive.name
    match cause:
        case Cause.DECISION:
            return f"{name} decides otherwise on rounded operands"
        case Cause.NONFINITE:
            return f"{name} is not finite on rounded operands, where the exact result is"
        case Cause.ROUNDING:
            return f"{name} {' and '.join(each for each in (_loss(found), narrow) if each)}"


def _loss(found: _Local) -> str:
    precision = FORMATS[found.step.equation.outvars[0].aval.dtype.name].precision
    lost = "all" if found.bits >= precision - 1 else f"{found.bits:.0f} of" if found.bits >= _NO_BIT else "none of"
    return f"loses {lost} its {precision} bits"


_NO_BIT = 0.5
"""Fewer bits than this read as none."""


def _narrowness(equation: Any, form: Format | None) -> str:
    """Which format it works in, where that is narrower than the result's."""
    formats = (FORMATS.get(getattr(each.aval.dtype, "name", "")) for each in (*equation.invars, *equation.outvars))
    found = min((each for each in formats if each), key=lambda each: each.precision, default=form)
    if found is None or form is None or found.precision >= form.precision:
        return ""
    return f"works in {found.name}: {found.precision} bits, where the result has {form.precision}"


def _departure(suspects: Suspects, component: int) -> Blame | None:
    """The first equation that is not finite in its dtype while its exact result is, if the component then is not
    either.
    """
    for each in [each for each in suspects.errors if each.departs][:TRIALS]:
        if type(suspects.entry_with(component, each)) is not arb:
            return _blame(each, None)
    return None


def _first_special(suspects: Suspects, component: int, value: float) -> Blame | None:
    """The first equation that makes a NaN (or infinity) of operands that have none, and without which there is none."""
    exact, is_nan = suspects.exact, math.isnan(value)
    wanted = {NAN} if is_nan else {POS_INF, NEG_INF}
    makers = list(_makers(exact, wanted))
    for index, step in makers[:TRIALS]:
        mended = partial(_all_mended, step.outputs, wanted, exact.system.exact(0))
        if suspects.tried(component, (index, is_nan), index, mended) not in wanted:
            return _special_blame(index, step, value)
    return _special_blame(*makers[0], value) if makers else None


def _makers(exact: Shadow, wanted: set[Special]) -> Iterator[tuple[int, Step]]:
    for index, step in enumerate(exact.steps):
        if _has(step.outputs, wanted) and not _has(step.inputs, wanted):
            yield index, step


def _has(arrays: Sequence[Array], wanted: set[Special]) -> bool:
    return any(isinstance(entry, Special) and entry in wanted for each in arrays for entry in _entries(each))


def _entries(array: Array) -> Any:
    return array.flat if array.dtype == object else ()


def _all_mended(arrays: Sequence[Array], wanted: set[Special], zero: Any) -> list[Array]:
    return [_mended(each, wanted, zero) for each in arrays]


def _mended(array: Array, wanted: set[Special], zero: Any) -> Array:
    if array.dtype != object:
        return array
    mended = np.empty_like(array)
    for place in np.ndindex(*array.shape):
        entry = array[place]
        mended[place] = zero if isinstance(entry, Special) and entry in wanted else entry
    return mended


def _special_blame(index: int, step: Step, value: float) -> Blame:
    name = step.equation.primitive.name
    what = "NaN" if math.isnan(value) else "infinity"
    return Blame(
        primitive=name,
        index=index,
        cause=Cause.NONFINITE,
        local_ulps=math.inf,
        lost_bits=math.inf,
        share=None,
        reason=f"{name} is the first to give {what}, in exact arithmetic too",
        equation=step.equation,
    )
