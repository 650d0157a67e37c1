"""Programs lifted to formulas: to be shown, proved equal for all inputs, and differentiated by SymPy as a second route.

A derivative program brings literals of its own. One that also stands in the primal program, or is a small dyadic such
as 0.5, means itself; any other (the 2/sqrt(pi) in the rule of erf) is a rounded constant, for which a symbol stands:
what holds for all of its values holds for all in a ball around it. Source: DESIGN §3, care point (a).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np
import sympy

from verifier.arithmetic.ball import BallSystem
from verifier.arithmetic.elements import Element, Unknown, as_fraction, is_finite, lower, upper
from verifier.arithmetic.floats import FLOAT64, FORMATS, shortest_decimal
from verifier.model.verdict import Enclosure, Kink, LocalTruth
from verifier.symbolic.cases import FAILURES, equal_by_cases
from verifier.symbolic.display import expression_latex
from verifier.symbolic.evaluate import evaluate as evaluate_graph
from verifier.symbolic.expressions import component_symbols, tree_size
from verifier.symbolic.graph import elementwise, leaf
from verifier.symbolic.kernels import Kernel, differentiate, slot
from verifier.symbolic.symbol import TOO_LARGE, SymbolSystem
from verifier.truth.derived import is_small_dyadic
from verifier.truth.enclosing import disjoint
from verifier.truth.jaxprs import evaluate, freeze_limits
from verifier.truth.machine import Freeze
from verifier.truth.values import Literal, boxed, exact_literals

__all__ = ["Lifted", "contradicts", "derivative", "lifted", "proved", "shown", "value_at"]

MAX_DERIVATIVE = 600
"""Most nodes of a derivative that is proved equal to something."""
MAX_DOUBLINGS = 5
MAX_GROWTH = 3_000
MAX_INPUTS = 4
_BITS = 512
_LONGEST_TEXT = 160
_STEP_LIMIT = 1_000
_SAMPLE = (0.59375, -1.40625, 2.28125, -0.21875, 4.71875, -3.34375, 9.15625)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifted:
    """The results of a program as expressions of `symbols`, flattened; None for a result that has none: `reason`.

    `literals` are the magnitudes of all literals met; `rounded` says for which float each symbol stands that is no
    input.
    """

    expressions: tuple[Kernel | None, ...]
    symbols: tuple[sympy.Symbol, ...] = ()
    reason: str = ""
    literals: frozenset[float] = frozenset()
    rounded: Mapping[sympy.Symbol, float] = field(default_factory=lambda: MappingProxyType({}))

    def text(self, place: int = 0) -> str:
        """A result as text, where it has a formula that is short, else empty."""
        expression = self.expressions[place] if place < len(self.expressions) else None
        text = "" if expression is None else str(expression)
        return text if len(text) <= _LONGEST_TEXT else ""

    def latex(self, place: int = 0) -> str:
        """A result as LaTeX, where it has a formula that is not long, else empty."""
        expression = self.expressions[place] if place < len(self.expressions) else None
        return "" if expression is None else expression_latex(expression) or ""


@dataclass(slots=True)
class _Literals:
    """What literals become: exact rationals, or where they do not mean themselves symbols, one for each place.

    `exact` are the magnitudes of others that do; None takes all as exact.
    """

    system: SymbolSystem
    exact: frozenset[float] | None
    seen: set[float] = field(default_factory=set)
    rounded: dict[sympy.Symbol, float] = field(default_factory=dict)

    def __call__(self, value: float, dtype: np.dtype) -> Any:
        self.seen.add(abs(value))
        if self.exact is None or not np.isfinite(value) or abs(value) in self.exact or _means_itself(value, dtype):
            return exact_literals(self.system)(value, dtype)
        symbol = sympy.Dummy(f"r{len(self.rounded)}", real=True)
        self.rounded[symbol] = value
        return symbol


@dataclass(slots=True)
class _Decimals:
    """Literals as people read them: what is no small dyadic is a positive symbol whose name is its decimal."""

    system: SymbolSystem

    def __call__(self, value: float, dtype: np.dtype) -> Any:
        if not np.isfinite(value) or _means_itself(value, dtype):
            return exact_literals(self.system)(value, dtype)
        decimal = sympy.Symbol(shortest_decimal(abs(value), FORMATS.get(dtype.name, FLOAT64)), positive=True)
        return decimal if value > 0 else -decimal  # pyright: ignore[reportOperatorIssue]


def _means_itself(value: float, dtype: np.dtype) -> bool:
    return is_small_dyadic(value, FORMATS.get(dtype.name, FLOAT64))


def lifted(jaxpr: Any, names: Sequence[str], *, exact: frozenset[float] | None = None, frozen: bool = True) -> Lifted:
    """The formulas of a closed jaxpr's results; never raises.

    `names` are those of its arguments, components are called `v[0]`. `exact` are the magnitudes of literals that mean
    themselves (None: all do). With `frozen`, what `stop_gradient` holds has no formula: its derivative is another.
    """
    system = SymbolSystem()
    literals = _Literals(system, exact)
    found = _lifted(jaxpr, names, system, literals, _refused if frozen else freeze_limits)
    return replace(found, literals=frozenset(literals.seen), rounded=MappingProxyType(literals.rounded))


def shown(jaxpr: Any, names: Sequence[str]) -> Lifted:
    """As `lifted`, to be read: constants are symbols whose names are their decimals."""
    system = SymbolSystem()
    return _lifted(jaxpr, names, system, _Decimals(system), freeze_limits)


def _lifted(jaxpr: Any, names: Sequence[str], system: SymbolSystem, literal: Literal, freeze: Freeze) -> Lifted:
    leaves = (leaf(name, tuple(aval.shape)) for name, aval in zip(names, jaxpr.in_avals, strict=True))
    arrays = [component_symbols(each) for each in leaves]
    symbols = tuple(each for array in arrays for each in array.flat)
    results = sum(math.prod(aval.shape) for aval in jaxpr.out_avals)
    if len(symbols) > MAX_INPUTS:
        return Lifted(expressions=(None,) * results, symbols=symbols, reason=TOO_LARGE)
    try:
        found = evaluate(jaxpr, arrays, system, literal=literal, freeze=freeze, step_limit=_STEP_LIMIT)
    except Exception as error:  # from outside the rules, which the evaluator watches
        reason = f"{type(error).__name__}: {error}"
        return Lifted(expressions=(None,) * results, symbols=symbols, reason=reason)
    entries = [entry for array in found for entry in array.flat]
    return Lifted(
        expressions=tuple(entry if isinstance(entry, sympy.Expr) else None for entry in entries),
        symbols=symbols,
        reason=next((each.reason for each in entries if isinstance(each, Unknown)), ""),
    )


def _refused(equation: Any, values: np.ndarray) -> np.ndarray:
    """Frozen constants stay; what depends on the inputs has no formula whose derivative would be the program's."""
    if values.dtype != object:
        return values
    frozen = Unknown("stop_gradient", "")
    return boxed(np.frompyfunc(lambda each: each if getattr(each, "is_number", False) else frozen, 1, 1)(values))


def derivative(expression: Kernel, symbols: Sequence[sympy.Symbol]) -> Kernel | None:
    """SymPy's derivative by these symbols, one after the other; None where there is none, or a large one.

    It holds `Sides` where the function has a kink or a jump.
    """
    for symbol in symbols:
        if not _is_bounded(expression):
            return None
        try:
            expression = differentiate(expression, symbol)
        except FAILURES:
            return None
        if tree_size(expression) > MAX_DERIVATIVE:
            return None
    return expression


def _is_bounded(expression: Kernel) -> bool:
    """Whether the derivative is no giant: the chain rule writes about size times depth nodes, and |...| its inner
    derivative twice, with both signs.
    """
    depths: dict[Kernel, tuple[int, int]] = {}
    for each in sympy.postorder_traversal(expression):
        below = [depths[arg] for arg in each.args]
        depth, doublings = (max((pair[place] for pair in below), default=0) for place in (0, 1))
        depths[each] = depth + 1, doublings + isinstance(each, sympy.Abs)
    depth, doublings = depths[expression]
    return doublings <= MAX_DOUBLINGS and tree_size(expression) * depth <= MAX_GROWTH


def proved(program: Kernel | None, reference: Kernel | None) -> bool:
    """Whether a lifted derivative program equals the reference for all real inputs where both are defined.

    False means that it is not proved; only balls find a program wrong. They have a veto here, too, at a few points.
    """
    if program is None or reference is None or tree_size(program) + tree_size(reference) > MAX_DERIVATIVE:
        return False
    return equal_by_cases(program, reference) and not _refuted(program, reference)


def _refuted(program: Kernel, reference: Kernel) -> bool:
    if program == reference:
        return False
    symbols = sorted({*program.free_symbols, *reference.free_symbols}, key=str)
    sides = [_evaluator(each, symbols) for each in (program, reference)]
    for start in range(len(_SAMPLE)):
        place = [_SAMPLE[(start + 3 * index) % len(_SAMPLE)] for index in range(len(symbols))]
        if disjoint(*(side(place) for side in sides)):
            return True
    return False


def value_at(expression: Kernel, symbols: Sequence[sympy.Symbol], place: Sequence[float]) -> Element:
    """The expression at an exact point in balls; unknown where it has no value there, or no evaluation."""
    return _evaluator(expression, symbols)(place)


def _evaluator(expression: Kernel, symbols: Sequence[sympy.Symbol]) -> Callable[[Sequence[float]], Element]:
    """The value at a point. The graph of the expression, which costs more than its values, is built once."""
    system = BallSystem(_BITS)
    slots: dict[Kernel, Kernel] = {symbol: slot(index) for index, symbol in enumerate(symbols)}
    leaves = [leaf(f"input {index}") for index in range(len(symbols))]
    graph = cache(lambda: elementwise(expression.xreplace(slots), leaves))

    def at(place: Sequence[float]) -> Element:
        try:
            given = {each.name: _box(system.exact(Fraction(x))) for each, x in zip(leaves, place, strict=True)}
            return evaluate_graph([graph()], given, system)[0].item()
        except FAILURES as error:
            return Unknown(f"no evaluation of the formula: {type(error).__name__}", "")

    return at


def _box(element: Element) -> np.ndarray:
    box = np.empty((), dtype=object)
    box[()] = element
    return box


def contradicts(element: Element, truth: LocalTruth) -> bool:
    """Whether the value of a formula's derivative excludes a truth of another route, or one of its two sides."""
    if not is_finite(element):
        return False
    try:
        low, high = as_fraction(lower(element)), as_fraction(upper(element))
    except ValueError:
        return False
    sides = {Enclosure: lambda: (truth,), Kink: lambda: (truth.left, truth.right)}.get(type(truth), tuple)()  # type: ignore
    return any(high < side.lower or side.upper < low for side in sides)
