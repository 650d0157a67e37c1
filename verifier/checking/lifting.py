"""The formulas of a function and its derivative programs: proofs for all inputs, and a second route to the truth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np

from verifier.arithmetic.elements import Element
from verifier.checking.tracing import Tracing
from verifier.model.verdict import LocalTruth
from verifier.programs.extent import operations
from verifier.programs.trace import Row
from verifier.truth.lifted import Lifted, contradicts, derivative, lifted, proved, shown, value_at

__all__ = ["Formula", "Formulas", "LiftedProgram", "formulas_of", "lifted_program", "shown_formulas"]

_MOST_OPERATIONS = 150
"""Most scalar operations of a program that is lifted."""
_MOST_SHOWN = 6

_NONE = Lifted(expressions=(), reason="too large to lift")


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """A program as a formula: whose it is (`f(x)`, `grad d/dx`), as text and as LaTeX."""

    of: str
    text: str
    latex: str


@dataclass(eq=False)
class Formulas:
    """The formulas of one trace, each found once for all points."""

    tracing: Tracing
    _derivatives: dict[tuple[int, tuple[int, ...]], Any] = field(default_factory=dict)
    _programs: dict[tuple[str, int, str], Lifted] = field(default_factory=dict)
    _proofs: dict[tuple[Any, ...], bool] = field(default_factory=dict)
    lifted: dict[tuple[int, int], tuple[Any, LiftedProgram]] = field(default_factory=dict)
    """By the identity of a jaxpr, which is kept so that its identity stays taken, and the order."""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(each.name for each in self.tracing.subject.leaves)

    @cached_property
    def primal(self) -> Lifted:
        """The function itself."""
        jaxpr = self.tracing.primal.jaxpr
        return _NONE if operations(jaxpr) > _MOST_OPERATIONS else lifted(jaxpr, self.names)

    def derivative(self, result: int, components: tuple[int, ...]) -> Any:
        """SymPy's derivative of a result by these input components; None where there is no formula."""
        key = (result, tuple(sorted(components)))
        if key not in self._derivatives:
            found = self.primal.expressions[result] if result < len(self.primal.expressions) else None
            symbols = [self.primal.symbols[each] for each in key[1]] if found is not None else []
            self._derivatives[key] = None if found is None else derivative(found, symbols)
        return self._derivatives[key]

    def value_at(self, result: int, components: tuple[int, ...], place: Sequence[np.ndarray]) -> Element | None:
        """That derivative at a point, in balls; None where there is no formula."""
        expression = self.derivative(result, components)
        numbers = [float(each) for array in place for each in np.asarray(array).flat]
        if expression is None or not np.all(np.isfinite(numbers)):
            return None
        return value_at(expression, self.primal.symbols, numbers)

    def program(self, row: Row, compilation: str, exact: frozenset[float]) -> Lifted:
        """A derivative program; `exact` are the literals of the function that it is derived from."""
        key = (row.name, row.order, compilation)
        if key not in self._programs:
            traced = self.tracing.program(row, compilation)
            large = isinstance(traced, str) or operations(traced.jaxpr) > _MOST_OPERATIONS
            self._programs[key] = (
                _NONE if large else lifted(traced.jaxpr, self.names, exact=exact, frozen=False)  # pyright: ignore
            )
        return self._programs[key]

    def proved(
        self, row: Row, compilation: str, index: int, truth: Formulas, result: int, components: tuple[int, ...]
    ) -> bool:
        """Whether entry `index` of a program's results is proved to be this derivative of the function of `truth`."""
        key = (row.name, row.order, compilation, index, result, components)
        if key not in self._proofs:
            reference = truth.derivative(result, components)
            found = None if reference is None else self.program(row, compilation, truth.primal.literals)
            known = found is not None and index < len(found.expressions)
            self._proofs[key] = known and proved(found.expressions[index], reference)  # pyright: ignore
        return self._proofs[key]

    def conflict(
        self, result: int, components: tuple[int, ...], place: Sequence[np.ndarray], truth: LocalTruth
    ) -> str | None:
        """What the formula's derivative says at a point, where it excludes the truth that germs found."""
        value = self.value_at(result, components, place)
        return None if value is None or not contradicts(value, truth) else f"SymPy's derivative gives {value}"


def formulas_of(tracing: Tracing) -> Formulas:
    """The formulas of a trace: the same object each time."""
    return tracing.kept.setdefault("formulas", Formulas(tracing))


def shown_formulas(tracing: Tracing, name: str, rows: Sequence[Row]) -> Iterator[Formula]:
    """The function and its first derivative programs, to be read: those that have a short formula."""
    names = formulas_of(tracing).names
    if len(tracing.subject.results) != 1 or not tracing.subject.is_scalar:
        return
    yield from _shown(tracing.primal.jaxpr, names, [f"{name}({', '.join(names)})"])
    for row in rows:
        traced = tracing.program(row)
        if row.order == 1 and not isinstance(traced, str):
            yield from _shown(traced.jaxpr, names, [f"{row.name} d/d{each}" for each in names])


def _shown(jaxpr: Any, names: Sequence[str], titles: Sequence[str]) -> Iterator[Formula]:
    if operations(jaxpr) > _MOST_OPERATIONS:
        return
    found = shown(jaxpr, names)
    if len(found.expressions) != len(titles) or len(titles) > _MOST_SHOWN:
        return
    for place, title in enumerate(titles):
        if text := found.text(place):
            yield Formula(of=title, text=text, latex=found.latex(place))


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftedProgram:
    """A derivative program as a formula: LaTeX (empty where it has none, a long one, or several components), and
    whether every component is proved to be the derivative of the function at all inputs where both are defined.
    """

    latex: str = ""
    proved: bool = False


def lifted_program(tracing: Tracing, jaxpr: Any, order: int) -> LiftedProgram:
    """A program of the traced function whose results are its derivatives of an order, in C order and flattened.

    Against its own primal: rounded data and literals of the function are exact here (SEMANTICS §10). Programs that
    contract the derivative with a direction have other results, and are not proved.
    """
    own = formulas_of(tracing)
    key = (id(jaxpr), order)
    if key not in own.lifted:
        own.lifted[key] = (jaxpr, _lifted_program(own, jaxpr, order))
    return own.lifted[key][1]


def _lifted_program(own: Formulas, jaxpr: Any, order: int) -> LiftedProgram:
    tracing = own.tracing
    components = list(product(range(tracing.subject.size), repeat=order))
    places = [(result, each) for result in range(tracing.results) for each in components]
    if len(places) > _MOST_SHOWN or max(operations(jaxpr), operations(tracing.primal.jaxpr)) > _MOST_OPERATIONS:
        return LiftedProgram()
    found = lifted(jaxpr, own.names, exact=own.primal.literals, frozen=False)
    is_proved = len(found.expressions) == len(places) and all(
        proved(expression, own.derivative(*place)) for expression, place in zip(found.expressions, places, strict=True)
    )
    read = shown(jaxpr, own.names)
    return LiftedProgram(latex=read.latex() if len(read.expressions) == 1 and read.text() else "", proved=is_proved)
