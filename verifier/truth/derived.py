"""What exact arithmetic says a program returns: its jaxpr in balls, precision doubled until they are tight.

The program's own decisions are those that exact arithmetic takes at the exact point.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from verifier.arithmetic.arrays import object_array
from verifier.arithmetic.ball import BallSystem
from verifier.arithmetic.elements import (
    NAN,
    NEG_INF,
    POS_INF,
    Element,
    Special,
    Unknown,
    as_fraction,
    exact_ball,
    is_finite,
    upper,
)
from verifier.arithmetic.floats import FORMATS, Format
from verifier.arithmetic.precision import working_precision
from verifier.model.rule import ProgramValue
from verifier.truth.enclosing import CEILING, flat, is_presumed_zero, is_tight, program_value
from verifier.truth.jaxprs import evaluate
from verifier.truth.replay import run
from verifier.truth.values import Literal, Literals, exact_literals

__all__ = ["Derived", "is_excuse", "is_small_dyadic", "moved_literals"]

_FIRST_BITS = 160
_NOT_LOOKED_AT = Unknown("not looked at", "")
_SIGN_VECTORS = 8
_STEP_BITS = 256
"""Conditioning moves the inputs by 2^-256 of themselves: far below what a dtype sees, far above the balls' errors."""


@dataclass(eq=False)
class Derived:
    """A closed jaxpr at a point: `place` holds the exact values of its arguments as floating arrays.

    `options()` makes what goes to the evaluator (`decide`, `concrete`), anew for each run.
    """

    jaxpr: Any
    place: tuple[np.ndarray, ...]
    options: Callable[[], dict[str, Any]] = dict
    bits: int = _FIRST_BITS
    ceiling: int = CEILING
    """Most bits of working precision."""
    wanted: tuple[int, ...] | None = None
    """The places of the results that are looked at, None for all; the others are unknown."""
    _values: dict[int, ProgramValue] = field(default_factory=dict)

    @cached_property
    def elements(self) -> list[Element]:
        """All results, one after the other; afterwards `bits` is the precision that they needed."""
        found = self._run(self._arguments(), self.bits)
        while self.bits < self.ceiling and not all(map(is_tight, found)):
            self.bits = min(2 * self.bits, self.ceiling)
            better = self._run(self._arguments(), self.bits)
            found = [old if _is_settled(old) else new for old, new in zip(found, better, strict=True)]
        return found

    def value(self, place: int) -> ProgramValue:
        """A result as plain data."""
        if place not in self._values:
            self._values[place] = program_value(self.elements[place], self.bits)
        return self._values[place]

    def moves(self, seed: int = 0) -> list[Fraction | None]:
        """For each result an estimate of sum |x_i dT/dx_i|: the largest change along eight random sign vectors of x."""
        bits = max(2 * self.bits, 1024) + _STEP_BITS
        system = BallSystem(bits)
        step = Fraction(1, 2**_STEP_BITS)
        still = self._run(self._arguments(), bits)
        signs = random.Random(seed)
        moved = [
            self._run([_shifted(each, step, signs, system) for each in self.place], bits) for _ in range(_SIGN_VECTORS)
        ]
        with system.working():
            return [_largest(entry, row, step) for entry, *row in zip(still, *moved, strict=True)]

    def spread(self, form: Format, seed: int = 0) -> list[Fraction | None]:
        """For each result an estimate of u sum |r_j dT/dr_j| over the inexact literals r_j of the program."""
        return self._spreads(self._with_literals(moved_literals(form, each) for each in _seeds(seed)))

    def excused(self, form: Format, seed: int = 0) -> list[Fraction | None]:
        """As `spread`, as far as it excuses what a rule returns; None where `is_excuse` says that it does not."""
        ways = ([moved_literals(form, each, back=back) for each in _seeds(seed)] for back in (False, True))
        there, back = ([self._presumed(each) for each in self._with_literals(way)] for way in ways)
        known = self._presumed(self.elements)
        with working_precision(self.bits):  # |T(r + d) + T(r - d) - 2 T(r)|: what a linear change does not have
            bends = _spreads(_sums(known, known), list(map(_sums, there, back)))
            each = zip(known, _spreads(known, there), bends, strict=True)
        return [spread if is_excuse(_size(still), spread, bend) else None for still, spread, bend in each]

    def spread_by(self, constants: Collection[float], form: Format, seed: int = 0) -> list[Fraction | None]:
        """The same over these constants, each moved wherever it stands in the program: it is one number there."""
        signs, numbers = random.Random(seed), sorted(constants)
        vectors = [{each: signs.choice((-1, 1)) for each in numbers} for _ in range(_SIGN_VECTORS)]
        ways = (_moving(form, lambda of=of: lambda value: of.get(value, 0)) for of in vectors)
        return self._spreads(self._with_literals(ways))

    def inexact_literals(self, form: Format) -> frozenset[float]:
        """The values of the literals and data that no small dyadic is, as far as a run meets them."""
        met: set[float] = set()

        def stay(value: float) -> int:
            met.add(value)
            return 0

        self._run(self._arguments(), self.bits, literal=_moving(form, lambda: stay)(BallSystem(self.bits)))
        return frozenset(met)

    def _with_literals(self, ways: Iterable[Callable[[BallSystem], Literal]]) -> list[list[Element]]:
        system = BallSystem(self.bits)
        return [self._run(self._arguments(), self.bits, literal=way(system)) for way in ways]

    def _spreads(self, moved: Sequence[Sequence[Element]]) -> list[Fraction | None]:
        with working_precision(self.bits):
            return _spreads(self.elements, moved)

    def _presumed(self, found: Sequence[Element]) -> list[Element]:
        """What is zero to working precision as the zero that it is taken for: its radius is no motion."""
        return [exact_ball(0) if is_presumed_zero(each, self.bits, self.ceiling) else each for each in found]

    def _arguments(self) -> list[np.ndarray]:
        return list(self.place)

    def _run(self, arguments: Sequence[np.ndarray], bits: int, literal: Literal | None = None) -> list[Element]:
        if literal is not None:
            return flat(evaluate(self.jaxpr, arguments, BallSystem(bits), literal=literal, **self.options()))
        found = run(self.jaxpr, arguments, BallSystem(bits), self.options(), self.wanted)
        return found if self.wanted is None else self._among_all(found)

    def _among_all(self, found: Sequence[Element]) -> list[Element]:
        assert self.wanted is not None
        elements: list[Element] = [_NOT_LOOKED_AT] * sum(math.prod(aval.shape) for aval in self.jaxpr.out_avals)
        for place, each in zip(self.wanted, found, strict=True):
            elements[place] = each
        return elements


def _is_settled(element: Element) -> bool:
    return is_tight(element) and not isinstance(element, Unknown)


def _shifted(array: np.ndarray, step: Fraction, signs: random.Random, system: BallSystem) -> np.ndarray:
    """x (1 + s step) for random signs s; infinities and NaN stay."""

    def entry(value: Any) -> Element:
        number = float(value)
        if number != number:
            return NAN
        if number in (np.inf, -np.inf):
            return POS_INF if number > 0 else NEG_INF
        return system.exact(Fraction(number) * (1 + signs.choice((-1, 1)) * step))

    return object_array(map(entry, array.flat), array.shape)


def _largest(still: Element, moved: Sequence[Element], step: Fraction) -> Fraction | None:
    if not is_finite(still) or not all(map(is_finite, moved)):
        return None
    try:
        return max(as_fraction(upper(abs(each - still))) for each in moved) / step  # type: ignore[operator]
    except ValueError:
        return None


def _spreads(still: Sequence[Element], moved: Sequence[Sequence[Element]]) -> list[Fraction | None]:
    return [_largest(entry, row, Fraction(1)) for entry, *row in zip(still, *moved, strict=True)]


def _sums(left: Sequence[Element], right: Sequence[Element]) -> list[Element]:
    pairs = zip(left, right, strict=True)
    return [a + b if is_finite(a) and is_finite(b) else NAN for a, b in pairs]  # type: ignore[operator]


def _size(element: Element) -> Fraction:
    """An upper bound of a number's size; 0 for what is no number."""
    return _largest(element, [exact_ball(0)], Fraction(1)) or Fraction(0)


def is_excuse(size: Fraction, spread: Fraction | None, bend: Fraction | None) -> bool:
    """Whether literals that are moved by u of themselves, and carry a number of this size so far, excuse that it is not
    the truth.

    Not where they carry it to anything: by half of itself and more, and not to the other side when they move back.
    sin(2 pi 10^15 x) is no function of a rounded 2 pi, while 0.3 - 3*0.1 is one.
    """
    if spread is None or bend is None:
        return False
    return 2 * spread < size or 8 * bend <= spread


def _seeds(seed: int) -> tuple[str, ...]:
    return tuple(f"{seed}:{k}" for k in range(_SIGN_VECTORS))


def moved_literals(form: Format, seed: str, *, back: bool = False) -> Literals:
    """The literals of a run in a number system, those that are no small dyadic moved by u of themselves, up or down as
    the seed has it, or each the other way (`back`).
    """
    way = -1 if back else 1

    def signs() -> Callable[[float], int]:
        drawn = random.Random(seed)
        return lambda _: way * drawn.choice((-1, 1))

    return _moving(form, signs)


def _moving(form: Format, signs: Callable[[], Callable[[float], int]]) -> Literals:
    """Every literal that is no small dyadic moved by u of itself, up or down or not at all; `signs` says so anew for
    each run.
    """

    def moving(system: Any) -> Literal:
        exact, sign = exact_literals(system), signs()

        def literal(value: float, dtype: np.dtype) -> Any:
            element = exact(value, dtype)
            if isinstance(element, Special) or is_small_dyadic(value, form):
                return element
            unit = FORMATS.get(dtype.name, form).unit_roundoff
            return system.exact(Fraction(value) * (1 + sign(float(value)) * unit))

        return literal

    return moving


def is_small_dyadic(value: float, form: Format) -> bool:
    """Whether half of the significand holds the number: 0.5, 3 and 20 mean themselves, 0.1 does not."""
    numerator = abs(value.as_integer_ratio()[0])
    odd = numerator >> ((numerator & -numerator).bit_length() - 1) if numerator else 0
    return odd.bit_length() <= form.precision // 2
