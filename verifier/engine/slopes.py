"""What derivatives tell about two formulas on a whole domain: those with the same slopes that meet somewhere are equal
(`atan(x) + atan(1/x)` and `pi/2`), and one that touches another may stay above it (`exp(x)` and `1 + x`).

Both rest on Taylor's formula with its remainder, between functions that are analytic on the whole domain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import islice, pairwise
from typing import Any

import sympy

from verifier.arithmetic.elements import Element, compare, contains_zero, exact_ball, is_finite
from verifier.arithmetic.precision import working_precision
from verifier.engine.domain import Domain
from verifier.engine.equations import Equation
from verifier.symbolic.expressions import component_symbols
from verifier.symbolic.graph import leaf as leaf_node
from verifier.symbolic.kernels import rational
from verifier.symbolic.proof import analytic_where_finite, prove_equal
from verifier.truth.forall import Box, Point, everywhere
from verifier.truth.workspace import Workspace

__all__ = ["equal_by_slopes", "ordered_by_slopes"]

InBalls = Callable[[Sequence[Element]], Iterable[Element]]
"""The components of a formula in balls, as a function of the inputs' components."""

_BITS = 128
_BOXES = 1_000
_NEARBY = 16
"""How many boxes are looked at beside a place where two formulas touch, for each length and order."""
_HALVINGS = 12
_ORDERS = 4
_MEETINGS = 12
"""At how many points it is tried whether two formulas meet."""


def equal_by_slopes(equation: Equation, domain: Domain) -> str:
    """Where two formulas meet that have the same derivatives on the whole domain and so are equal; "" if not proved."""
    gaps = _gaps(equation, domain)
    if not gaps or not all(gap.is_flat() and gap.is_analytic() for gap in gaps):
        return ""
    points = islice(domain.trials(), _MEETINGS)
    return next((domain.written(point) for point in points if all(gap.vanishes_at(point) for gap in gaps)), "")


def ordered_by_slopes(relation: str, equation: Equation, domain: Domain) -> bool:
    """Whether `left relation right` (le ge) is proved for all values of one number where the sides touch."""
    if relation not in ("le", "ge") or len(domain.box) != 1:
        return False
    gaps = _gaps(equation, domain, sign=1 if relation == "ge" else -1)
    return bool(gaps) and all(gap.is_analytic() and gap.is_nonnegative() for gap in gaps)


def _gaps(equation: Equation, domain: Domain, sign: int = 1) -> list[_Gap]:
    pairs = equation.expressions() or []
    return [_Gap(sign * (left - right), equation.workspace, domain) for left, right in dict.fromkeys(pairs)]


@dataclass(frozen=True)
class _Gap:
    """How far one formula is above another: an expression in the inputs of a domain."""

    expression: Any
    workspace: Workspace
    domain: Domain

    def is_flat(self) -> bool:
        """Whether all derivatives vanish, by algebra."""
        return all(_is_zero(sympy.diff(self.expression, symbol)) for symbol in self.expression.free_symbols)

    def is_analytic(self) -> bool:
        needed = analytic_where_finite(self.expression)
        return needed is not None and all(
            _everywhere(is_finite, self._values(each), self.domain.box) for each in needed
        )

    def vanishes_at(self, point: Point, order: int = 0) -> bool:
        expression = self._derivative(order)
        here = {symbol: rational(place) for symbol, place in zip(self._symbols, point, strict=True)}
        return _is_zero(expression.subs(here))

    def is_nonnegative(self) -> bool:
        """On an interval in which it touches 0: near these places by Taylor's formula, elsewhere by its values.

        What may vanish at a place that is nothing special may vanish everywhere, where this would not succeed.
        """
        ((low, high),) = self.domain.box
        if any(self._may_vanish(place) for (place,) in self.domain.scattered()):
            return False
        touching = {
            place for (place,) in self.domain.special() if self._may_vanish(place) and self.vanishes_at((place,))
        }
        for start, end in pairwise(sorted({low, high, *touching})):
            first = self._near(start, end) if start in touching else start
            last = self._near(end, start) if end in touching else end
            if first is None or last is None:
                return False
            if first < last and not _everywhere(_is_nonnegative, self._own_values, ((first, last),)):
                return False
        return bool(touching)

    def _near(self, place: Fraction, to: Fraction) -> Fraction | None:
        """How far from a place where it vanishes, on the way to another one, it is proved not to be negative.

        Where derivatives below the k-th vanish it has the sign of the k-th, times that of (to - place)^k.
        """
        for order in range(1, _ORDERS + 1):
            values = self._values((1 if to > place else (-1) ** order) * self._derivative(order))
            for halvings in range(_HALVINGS):
                end = place + (to - place) / 2**halvings
                side = (min(place, end), max(place, end))
                if _everywhere(_is_nonnegative, values, (side,), _NEARBY):
                    return end
            if not self.vanishes_at((place,), order):
                return None
        return None

    def _derivative(self, order: int) -> Any:
        return sympy.diff(self.expression, self._symbols[0], order) if order else self.expression

    def _may_vanish(self, place: Fraction) -> bool:
        with working_precision(_BITS):
            return all(map(contains_zero, self._own_values([exact_ball(place)])))

    @cached_property
    def _own_values(self) -> InBalls:
        return self._values(self.expression)

    def _values(self, expression: Any) -> InBalls:
        """An expression in balls; its graph is built once."""
        node = self.workspace.graph(expression.xreplace(dict(zip(self._symbols, self._plain, strict=True))))
        certified = self.workspace.certified(_BITS)
        return lambda elements: certified.evaluate(node, extra=self.domain.arrays(elements)).flat

    @property
    def _plain(self) -> list[sympy.Symbol]:
        """The symbols of the domain's components, in order."""
        arrays = (component_symbols(leaf_node(leaf.name, leaf.shape)) for leaf in self.domain.leaves)
        return [symbol for array in arrays for symbol in array.ravel()]

    @property
    def _symbols(self) -> list[sympy.Symbol]:
        """The same, with the signs that those of the expression have."""
        own = {symbol.name: symbol for symbol in self.expression.free_symbols}
        return [own.get(symbol.name, symbol) for symbol in self._plain]


def _everywhere(holds: Callable[[Element], bool | None], values: InBalls, box: Box, boxes: int = _BOXES) -> bool:
    return bool(everywhere(lambda part: all(map(holds, values(part))) or None, box, _BITS, boxes=boxes).holds)


def _is_zero(expression: Any) -> bool:
    return prove_equal(expression, sympy.S.Zero) is True


def _is_nonnegative(value: Element) -> bool | None:
    return compare("ge", value, exact_ball(0))
