"""A program's results along a curve through a point: x + sum t^e v_e, t -> 0+, in germs.

line(v)       f(x + t v):            the one-sided derivatives along v
thin(v, i)    f(x + t v + t^N e_i):  the derivative along e_i of the smooth cell that v points into, and its motion
                                     along v; t^N is smaller than every power of t that a comparison meets
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import numpy as np
from flint import fmpq

from verifier.arithmetic.arrays import blocks, object_array
from verifier.arithmetic.elements import (
    BITS,
    EITHER,
    NAN,
    NEG_INF,
    ORDER,
    POS_INF,
    Element,
    Unknown,
    exact_ball,
    is_finite,
)
from verifier.arithmetic.expansion import Germ, add, ball_of, monomial, scale
from verifier.arithmetic.germ import GermSystem
from verifier.arithmetic.one_sided import Ceiling, coefficient, derivative, differentiate
from verifier.arithmetic.precision import working_precision
from verifier.truth.enclosing import CEILING, disjoint, flat, is_tight
from verifier.truth.jaxprs import evaluate
from verifier.truth.replay import run
from verifier.truth.values import Literals

__all__ = ["Lines", "Program", "Reading", "Vector", "of_jaxpr"]

Vector = tuple[Fraction, ...]
Curve = tuple[tuple[int, Vector], ...]
Program = Callable[[Sequence[np.ndarray], GermSystem], Sequence[np.ndarray]]
Rows = Callable[[GermSystem], list[list[Element]]]
"""What is read of each result in a number system."""

_FIRST_BITS = 192
_THIN = 6
"""The N of `thin`."""
_NOT_FINITE = Unknown("the gradient of a cell is not finite", "")
_LIMITS = Ceiling(bits=CEILING, order=64)


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of each result: `values` of shape (results, wanted), and the working precision it took."""

    values: np.ndarray
    bits: int


@dataclass(slots=True, eq=False)
class Lines:
    """A program at a point: `place` holds the exact values of its arguments as floating arrays.

    `program(arguments, system)` gives the results for arguments that are arrays of germs.
    """

    program: Program
    place: tuple[np.ndarray, ...]
    limits: Ceiling = _LIMITS
    """How far precision and order are raised."""
    _known: dict[Any, Reading] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """The number of input components."""
        return sum(each.size for each in self.place)

    def line(self, direction: Vector, order: int, bits: int = _FIRST_BITS) -> Reading:
        """The derivatives of order 0..`order` in t of f(x + t v), one-sided, t -> 0+; read at `bits` bits or more."""

        def read(result: Any) -> list[Element]:
            return [derivative(result, k) for k in range(order + 1)]

        return self._cached(("line", direction, order, bits), self._reading(((1, direction),), read), order + 2, bits)

    def at_infinity(self, index: int) -> Reading:
        """The limits of f and of df/dx_i for an infinite input x_i = s/t: dt/dx_i = -s t^2."""
        sign = 1 if self._values()[index] > 0 else -1

        def read(result: Any) -> list[Element]:
            slope = _times_square(result, -sign)
            return [derivative(result, 0), slope if isinstance(slope, Unknown) else derivative(slope, 0)]

        return self._cached(("infinity", index), self._reading((), read, infinite=index), 4)

    def thin(self, direction: Vector, index: int) -> Reading:
        """(d_i f of the cell along v, how it moves along v), for each result; a slope may be infinite."""
        base = self._coefficients((1, direction))
        moved = self._coefficients((1, direction), (_THIN, self._unit(index)))
        with working_precision(max(base.bits, moved.bits)):
            rows = [_differences(a, b) for a, b in zip(base.values, moved.values, strict=True)]
        if any(row[0] is _NOT_FINITE for row in rows):
            steep = self._infinities(direction, index).values[:, 0]
            rows = [[new, row[1]] if row[0] is _NOT_FINITE else row for row, new in zip(rows, steep, strict=True)]
        return Reading(_table(rows), max(base.bits, moved.bits))

    def _infinities(self, direction: Vector, index: int) -> Reading:
        """The infinity that (f(x + t v + t^N e_i) - f(x + t v)) / t^N tends to, for each result that has one."""

        def rows(system: GermSystem) -> list[list[Element]]:
            with system.working():
                base = self._results(((1, direction),), system)
                moved = self._results(((1, direction), (_THIN, self._unit(index))), system)
                return [[_infinity(*pair)] for pair in zip(base, moved, strict=True)]

        return self._cached(("infinities", direction, index), rows, _THIN + 3)

    def _coefficients(self, *curve: tuple[int, Vector]) -> Reading:
        def read(result: Any) -> list[Element]:
            return [_whole(result, power) for power in range(_THIN + 2)] + [_fractional(result)]

        return self._cached(("thin", curve), self._reading(curve, read), _THIN + 3)

    def _unit(self, index: int) -> Vector:
        return tuple(Fraction(int(i == index)) for i in range(self.size))

    def _cached(self, key: Any, rows: Rows, order: int, bits: int = _FIRST_BITS) -> Reading:
        if key not in self._known:
            self._known[key] = self._settled(rows, GermSystem(bits=bits, order=order))
        return self._known[key]

    def _settled(self, rows: Rows, system: GermSystem) -> Reading:
        """Done again with doubled precision or order while a reading lacks it; what is settled stays."""
        settled = None
        while True:
            found = rows(system)
            settled = found if settled is None else _improved(settled, found)
            better = _enlarged(system, settled, self.limits)
            if better == system:
                return Reading(_table(settled), system.bits)
            system = better

    def _reading(self, curve: Curve, read: Callable[[Any], list[Element]], infinite: int = -1) -> Rows:
        def rows(system: GermSystem) -> list[list[Element]]:
            with system.working():
                return [read(each) for each in self._results(curve, system, infinite)]

        return rows

    def _results(self, curve: Curve, system: GermSystem, infinite: int = -1) -> list[Any]:
        return flat(self.program(self._arguments(curve, system, infinite), system))

    def _arguments(self, curve: Curve, system: GermSystem, infinite: int) -> list[np.ndarray]:
        entries = [self._entry(i, x, curve, system, infinite) for i, x in enumerate(self._values())]
        return blocks(entries, (each.shape for each in self.place))

    def _entry(self, index: int, x: float, curve: Curve, system: GermSystem, infinite: int) -> Any:
        if x != x:
            return NAN
        if x in (np.inf, -np.inf):
            return system.at_infinity(1 if x > 0 else -1) if index == infinite else POS_INF if x > 0 else NEG_INF
        germ = system.exact(Fraction(x))
        for power, vector in curve:
            part = vector[index]
            germ = add(germ, monomial(fmpq(part.numerator, part.denominator), power)) if part else germ
        return germ

    def _values(self) -> list[float]:
        return [float(each) for array in self.place for each in array.flat]


def of_jaxpr(jaxpr: Any, options: Callable[[], dict[str, Any]] = dict, literals: Literals | None = None) -> Program:
    """A closed jaxpr as a program; `options()` makes what goes to the evaluator, anew for each run.

    `literals` makes what a number in the program is to a number system; without it, itself.
    """
    if literals is None:
        return lambda arguments, system: [object_array(run(jaxpr, arguments, system, options()))]
    return lambda arguments, system: evaluate(jaxpr, arguments, system, literal=literals(system), **options())


def _table(rows: Sequence[Sequence[Element]]) -> np.ndarray:
    table = np.empty((len(rows), len(rows[0]) if rows else 0), dtype=object)
    for index, row in enumerate(rows):
        table[index, :] = list(row)
    return table


def _improved(old: list[list[Element]], new: list[list[Element]]) -> list[list[Element]]:
    return [
        [a if is_tight(a) and not isinstance(a, Unknown) else b for a, b in zip(before, after, strict=True)]
        for before, after in zip(old, new, strict=True)
    ]


def _enlarged(system: GermSystem, rows: Sequence[Sequence[Element]], limits: Ceiling) -> GermSystem:
    remedies = {_remedy(entry) for row in rows for entry in row}
    bits = min(2 * system.bits, limits.bits) if remedies & {BITS, EITHER} else system.bits
    order = min(2 * int(system.order), limits.order) if remedies & {ORDER, EITHER} else system.order
    return replace(system, bits=bits, order=order)


def _remedy(entry: Element) -> str:
    if isinstance(entry, Unknown):
        return entry.remedy
    return "" if is_tight(entry) else BITS


def _times_square(result: Any, sign: int) -> Any:
    return scale(differentiate(result), fmpq(sign), 2) if isinstance(result, Germ) else result


def _whole(result: Any, power: int) -> Element:
    """The coefficient of t^power as a ball."""
    found = coefficient(result, power)
    return exact_ball(found) if isinstance(found, fmpq) else found


def _fractional(result: Any) -> Element:
    """The sum of all with a broken, negative or logarithmic exponent up to t^N: the same for both curves, or no
    gradient.
    """
    if not isinstance(result, Germ):
        return result
    odd = [
        ball_of(term.coefficient)
        for term in result.terms
        if term.exponent <= _THIN and (term.logs or term.exponent != int(term.exponent) or term.exponent < 0)
    ]
    return sum(odd, ball_of(fmpq(0)))


def _differences(base: np.ndarray, moved: np.ndarray) -> list[Element]:
    """What t^N e_i changed: at t^N the derivative, at t^(N+1) its motion; below t^N nothing may change."""
    for entry in (*base, *moved):
        if not is_finite(entry):
            return [_lost(entry)] * 2
    if any(disjoint(a, b) for a, b in zip((*base[:_THIN], base[-1]), (*moved[:_THIN], moved[-1]), strict=True)):
        return [_NOT_FINITE] * 2
    return [moved[_THIN] - base[_THIN], moved[_THIN + 1] - base[_THIN + 1]]


def _infinity(base: Any, moved: Any) -> Element:
    """Where what t^N e_i changed tends to, in multiples of t^N, by the largest power and logarithm that it changed."""
    if not isinstance(base, Germ) or not isinstance(moved, Germ):
        return _NOT_FINITE
    steep = {(each.exponent, -each.logs) for each in (*base.terms, *moved.terms)}
    for exponent, logs in sorted(each for each in steep if each < (_THIN, 0)):
        before, after = (coefficient(each, exponent, -logs) for each in (base, moved))
        if isinstance(lost := next((each for each in (before, after) if isinstance(each, Unknown)), None), Unknown):
            return lost
        change = ball_of(after) - ball_of(before)  # pyright: ignore[reportArgumentType]  # of germs, no special
        if not change.contains(0):
            return POS_INF if (change > 0) == (logs % 2 == 0) else NEG_INF
    return _NOT_FINITE


def _lost(entry: Element) -> Element:
    return entry if isinstance(entry, Unknown) else Unknown(f"the function is {entry!r} beside the point", "")
