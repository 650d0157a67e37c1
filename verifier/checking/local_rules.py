"""Which equation has a wrong rule: each equation of the function judged by itself, at the values that it meets."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from verifier.arithmetic.ball import BallSystem
from verifier.arithmetic.elements import Special, is_finite
from verifier.arithmetic.floats import round_to
from verifier.checking.route import Route
from verifier.checking.tracing import Tracing
from verifier.execution.dtypes import x64_for
from verifier.model.jaxprs import all_equations, inner_programs
from verifier.model.rule import Blame, Note, RuleClass, RuleVerdict
from verifier.programs.equation import as_function, is_custom_rule, is_foreign
from verifier.programs.source_lines import SourceLine, source_line
from verifier.programs.trace import defaults, subject
from verifier.truth.jaxprs import evaluate

__all__ = ["blamed_rule", "own_rules", "written_at", "wrong_rules"]

_OWN_FILES = Path(__file__).parents[1]
_BITS = 256
_MOST_EQUATIONS = 60
_MOST_ENTRIES = 64
_SUSPECT = (RuleClass.WRONG, RuleClass.INEXACT)
_ORDER = (*_SUSPECT, RuleClass.CONVENTION)

Met = tuple[Any, list[Any]]
"""An equation and the operands that it met, as numpy arrays."""


def blamed_rule(route: Route, order: int) -> Blame | None:
    """The first equation of the function whose own rule is wrong or inexact, or else which stands at a kink.

    At a kink each equation may take a slope of its own between the one-sided ones; together they can be wrong.
    """
    if route.reference is not None or route.implicit is not None:
        return _only_rule(route)
    found = _ranked(own_rules(route, order, within=True)) or _ranked(own_rules(route, order))
    if not found:
        return None
    equation, verdict = found[0]
    what = "stands at a kink, where the slopes that rules choose need not fit together"
    if verdict.kind in _SUSPECT:
        what = f"its rule is {verdict.kind} by itself: {verdict.reason}{_if_meant(equation, verdict)}"
    return Blame(primitive=equation.primitive.name, source=str(written_at(equation) or ""), what=what)


def _if_meant(equation: Any, verdict: RuleVerdict) -> str:
    """How a rule of the user's own is declared that is no mistake, as of a straight-through estimator."""
    if verdict.kind is not RuleClass.WRONG or not is_foreign(equation) or Note.VALUE in verdict.notes:
        return ""
    declared = "linear=False" if Note.NONLINEAR in verdict.notes else "surrogate= or defines="
    return f" (if it is meant so, declare it: {declared})"


def _only_rule(route: Route) -> Blame | None:
    """Where something else than the function is differentiated, what a rule is by itself says nothing: it is the only
    one that is to blame, or nothing tells which.
    """
    own = [equation for equation in all_equations(route.tracing.primal.jaxpr) if is_foreign(equation)]
    if len(own) != 1:
        return None
    what = "its rule, the only one of your own, is not the derivative of what is declared"
    return Blame(primitive=own[0].primitive.name, source=str(written_at(own[0]) or ""), what=what)


def _ranked(found: Iterator[tuple[Any, RuleVerdict]]) -> list[tuple[Any, RuleVerdict]]:
    return sorted(found, key=lambda pair: _ORDER.index(pair[1].kind))


def written_at(equation: Any) -> SourceLine | None:
    """Where the equation was written; nothing where that is this package, which only called the function."""
    found = source_line(equation)
    return None if found is None or Path(found.file).is_relative_to(_OWN_FILES) else found


def wrong_rules(route: Route, order: int) -> Iterator[Any]:
    """The calls of functions with a custom rule that is not right by itself."""
    found = own_rules(route, order, custom_only=True)
    return (equation for equation, verdict in found if verdict.kind in _SUSPECT)


def own_rules(
    route: Route, order: int, *, custom_only: bool = False, within: bool = False
) -> Iterator[tuple[Any, RuleVerdict]]:
    """Every equation (calls of functions with a custom rule first) whose own rule is not simply right.

    `within`: symmetric matrices that are factored stay symmetric.
    """
    met = [each for each in _met(route) if is_custom_rule(each[0]) or not custom_only]
    met.sort(key=lambda each: not is_custom_rule(each[0]))
    for equation, operands in met[:_MOST_EQUATIONS]:
        for lower in range(1, min(order, 2) + 1):
            verdict = _own_rule(route, equation, operands, lower, within=within)
            if verdict is not None:
                yield equation, verdict
                break


def _met(route: Route) -> list[Met]:
    """The equations without programs inside, and the calls of custom rules, with what they met first."""
    seen: dict[int, Met] = {}

    def watch(equation: Any, inputs: Sequence[np.ndarray], outputs: Sequence[np.ndarray]) -> None:
        if id(equation) not in seen and (is_custom_rule(equation) or not any(inner_programs(equation))):
            seen[id(equation)] = (equation, list(inputs))

    jaxpr = route.tracing.primal.jaxpr
    evaluate(jaxpr, route.place, BallSystem(_BITS), watch=watch, **route.options(jaxpr)())
    rounded = ((equation, [_concrete(route, each) for each in inputs]) for equation, inputs in seen.values())
    return [(equation, inputs) for equation, inputs in rounded if all(each is not None for each in inputs)]


def _concrete(route: Route, values: np.ndarray) -> np.ndarray | None:
    """Balls rounded to the dtype; None where something is unknown."""
    if values.dtype != object:
        return values
    entries = [_number(route, each) for each in values.flat]
    if any(each is None for each in entries):
        return None
    return np.array(entries, dtype=np.float64).reshape(values.shape)


def _number(route: Route, element: Any) -> float | None:
    if isinstance(element, Special):
        return float(element.value)
    return round_to(element, route.form) if is_finite(element) else None


def _own_rule(
    route: Route, equation: Any, operands: Sequence[np.ndarray], order: int, *, within: bool
) -> RuleVerdict | None:
    """The worst verdict on the equation's rule if it is WRONG, INEXACT or a CONVENTION, else None."""
    try:
        with x64_for(route.tracing.dtype):
            typed = [np.asarray(x).astype(atom.aval.dtype) for x, atom in zip(operands, equation.invars, strict=True)]
            function, leaves = as_function(equation, typed, within=within)
            if _is_large(equation, leaves):
                return None
            given = subject(function, leaves, tuple(range(len(leaves))), None)
    except Exception:  # an equation that stands in no function of its own, or has nothing to differentiate
        return None
    place = tuple(np.asarray(each).astype(np.float64) for each in given.place)
    inner = Route(Tracing(given, route.tracing.dtype), place, route.seed, thorough=False, linear=route.linear)
    rows = defaults(order, scalar=given.is_scalar)
    verdicts = [each for row in rows for each in _verdicts(inner, row, rows)]
    return max((each for each in verdicts if each.kind in _ORDER), key=lambda each: each.severity, default=None)


def _is_large(equation: Any, leaves: Sequence[Any]) -> bool:
    """Whether to judge the equation would take too long. Of many inputs a few are looked at, but of all results: that
    is done for a rule of the user's own alone.
    """
    results = sum(math.prod(atom.aval.shape) for atom in equation.outvars)
    return sum(map(np.size, leaves)) > _MOST_ENTRIES and not (is_foreign(equation) and results <= _MOST_ENTRIES)


def _verdicts(route: Route, row: Any, rows: Any) -> list[RuleVerdict]:
    found = route.rules(row, rows)
    return [] if found is None else list(found.flat)
