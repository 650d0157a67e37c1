"""The truth about the derivatives of any JAX function, from germs of its primal: no derivative rule is involved.

At a point x with unit vectors e_i, D_v the one-sided derivative along v (t -> 0+):

    order 1   smooth     D_{e_i} = -D_{-e_i}, and D_r = sum r_i D_{e_i} for a random r; the truth is D_{e_i}
              kink       else; the truth is what the gradients of the smooth cells around x span
    order 2   smooth     H_ij by polarisation, D2_r = r H r for a random r
              nested     else: the derivative along e_j of the one along e_i, in the program's own order
    order k>2 smooth     by polarisation, where all below is smooth and D^k_r is what the entries give for a random r
    a jump    a limit differs from the value at the point: no derivative speaks about it

Source: SEMANTICS §7, §8.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import chain, combinations, combinations_with_replacement, permutations, product
from math import factorial, isfinite, isqrt, prod

from verifier.arithmetic.elements import NAN, NEG_INF, POS_INF, Element, Unknown, compare, exact_ball, is_finite
from verifier.arithmetic.one_sided import INFINITE_VALUE
from verifier.arithmetic.precision import working_precision
from verifier.arithmetic.vocabulary import OPERATIONS
from verifier.model.rule import Cusp, Infinite, LocalTruth, RowTruth, Undefined
from verifier.model.verdict import Enclosure, Jump, Kink, NoTruth
from verifier.truth.enclosing import CEILING, disjoint, enclosed, enclosure
from verifier.truth.lines import Lines, Reading, Vector

__all__ = ["PrimalTruth", "random_direction"]

_WORKING_BITS = 512
_UNKNOWN_CELL = "a kink, and the gradient of a smooth cell beside it is not known"
_TILT = Fraction(1, 2**20)
"""How far beside a direction another one is looked at."""
_neg = OPERATIONS["neg"]


@dataclass(frozen=True, slots=True)
class _Side:
    """One side of a line: the limit of the function and a derivative of it; `bits` is how precisely they were read."""

    limit: Element
    slope: Element
    bits: int

    @property
    def outside(self) -> bool:
        """Whether there is no function: NaN, or an infinity, which stands for the outside of its domain."""
        return self.limit is NAN or self.slope is NAN or self.infinite

    @property
    def infinite(self) -> bool:
        return self.slope == INFINITE_VALUE

    @property
    def unknown(self) -> Unknown | None:
        return next((each for each in (self.limit, self.slope) if isinstance(each, Unknown)), None)


@dataclass(slots=True, eq=False)
class PrimalTruth:
    """The truth at one point. `value` are the elements (balls) of the function's value there, one for each result.

    `chosen` are the input components to look at: all of them, or some of many. `unit` is the unit roundoff u of the
    dtype: one-sided derivatives that differ by no more than u of themselves are one number to it, and limits that agree
    in half of the significand (sqrt(u)) are a seam, no jump: libraries glue approximations together, and at the seam of
    `spence` at 0.5 the value jumps by 33 u of itself.
    """

    lines: Lines
    value: Sequence[Element]
    chosen: tuple[int, ...]
    seed: int = 0
    unit: Fraction = Fraction(0)
    spans: bool = True
    """Whether the cells around a kink in several inputs are looked at, or only what happens along the axes."""
    _cells: dict[Vector, list[tuple[Element, ...]]] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether every input component is looked at."""
        return len(self.chosen) == self.lines.size

    def values(self) -> tuple[RowTruth, ...]:
        """Order 0: the value itself."""
        return tuple(RowTruth(components=(_plain(each),)) for each in self.value)

    def gradients(self, guesses: Sequence[Sequence[Sequence[float]]] = ()) -> tuple[RowTruth, ...]:
        """Order 1: for each result the derivatives by the chosen components.

        `guesses` are gradients (result, chosen) that programs returned: at a kink they tell which cells to look at.
        """
        with working_precision(_WORKING_BITS):
            return tuple(self._gradient(j, [guess[j] for guess in guesses]) for j in range(len(self.value)))

    def hessians(self) -> tuple[RowTruth, ...]:
        """Order 2: for each result the tensor (inner, outer) over the chosen components, flattened."""
        with working_precision(_WORKING_BITS):
            return tuple(self._hessian(j) for j in range(len(self.value)))

    def tensors(self, order: int) -> tuple[RowTruth, ...]:
        """Order 3 and more: for each result the tensor over the chosen components, flattened."""
        with working_precision(_WORKING_BITS):
            return tuple(self._tensor(j, order) for j in range(len(self.value)))

    def derivatives(self, order: int) -> tuple[RowTruth, ...]:
        """Any order of a function of one input component."""
        return self.along(self._axis(0), order)

    def along(self, direction: Vector, order: int) -> tuple[RowTruth, ...]:
        """The derivative of any order along one direction."""
        with working_precision(_WORKING_BITS):
            return tuple(RowTruth(components=(self._on_line(j, direction, order),)) for j in range(len(self.value)))

    def motion(self, j: int, order: int) -> Fraction | None:
        """|x dT/dx| for a function of one input component, the larger of both sides; None where it is not known.

        No rounding moves a zero, an infinity or what is no number.
        """
        (x,) = chain.from_iterable(each.flat for each in self.lines.place)
        if x == 0 or not isfinite(x):
            return Fraction(0)
        if not is_finite(self.value[j]):
            return None
        with working_precision(_WORKING_BITS):
            slope = _largest(side.slope for side in self._sides(j, self._axis(0), order + 1))
            return None if slope is None else slope * abs(Fraction(float(x)))

    def moved(self, j: int, index: int, weights: Vector) -> Fraction | None:
        """|sum w_i x_i d/dx_i of the derivative by component `index`|, from germs; None where it is not known."""
        along = tuple(w * x for w, x in zip(weights, self._place(), strict=True))
        with working_precision(_WORKING_BITS):
            return _largest([self.lines.thin(along, index).values[j][1]])

    def moved_tensor(self, j: int, places: tuple[int, ...], weights: Vector) -> Fraction | None:
        """As `moved`, of order 2 and more; `places` say which of the chosen components it is taken by."""
        along = tuple(w * x for w, x in zip(weights, self._place(), strict=True))
        with working_precision(_WORKING_BITS):
            sides = self._multilinear(j, [*(self._axis(self.chosen[place]) for place in places), along])
            return _largest(side.slope for side in sides)

    # ---- order 1

    def _gradient(self, j: int, guesses: Sequence[Sequence[float]]) -> RowTruth:
        axes = tuple(self._on_axis(j, i) for i in self.chosen)
        if self.lines.size == 1 or any(isinstance(each, (Jump, Undefined)) for each in axes):
            return RowTruth(components=axes)
        linear = self._is_linear(j) if all(isinstance(each, Enclosure) for each in axes) else False
        if linear:
            return RowTruth(components=axes)
        if linear is None:
            return RowTruth(
                components=(NoTruth("whether the function is smooth here could not be tested"),) * len(axes)
            )
        if not self.spans or not any(isinstance(each, (Kink, Enclosure)) for each in axes):
            return RowTruth(components=axes)
        if not self.complete:
            return RowTruth(components=tuple(map(_uncertain, axes)))
        return self._spanned(j, axes, guesses)

    def _on_axis(self, j: int, index: int) -> LocalTruth:
        if abs(self._floats()[index]) == float("inf"):
            return self._at_infinity(j, index)
        return self._judged(j, self._sides(j, self._axis(index), 1), 1)

    def _at_infinity(self, j: int, index: int) -> LocalTruth:
        reading = self.lines.at_infinity(index)
        limit, slope = reading.values[j]
        return self._judged(j, [_Side(limit, slope, reading.bits)], 1)

    def _is_linear(self, j: int) -> bool | None:
        """Whether D_r = sum r_i D_{e_i} for a random r, on both sides; None where that could not be decided.

        Of many inputs this is tested in the chosen ones, and besides D_r = -D_{-r} for an r in all of them.
        """
        r = random_direction(len(self.chosen), self.seed)
        wanted = _combined([_inner(self._sides(j, self._axis(i), 1)).slope for i in self.chosen], r)
        found = [side.slope for side in self._sides(j, self._spread_over(r), 1) if not side.outside]
        agreed = [_agree(wanted, slope) for slope in found]
        if not self.complete:
            sides = self._sides(j, random_direction(self.lines.size, self.seed + 1), 1)
            agreed.append(_agree(*(side.slope for side in sides)))
        return False if False in agreed else None if None in agreed else True

    def _spanned(self, j: int, axes: tuple[LocalTruth, ...], guesses: Sequence[Sequence[float]]) -> RowTruth:
        """A kink in several inputs: the smooth cells around the point and what they span, coordinate by coordinate."""
        ways = tuple(self._ways(j, guesses))
        cells = [self._cell(j, v) for v in ways]
        finite = [cell for cell in cells if all(isinstance(_plain(each), Enclosure) for each in cell)]
        if not finite:
            return RowTruth(components=axes)
        hull = tuple(dict.fromkeys(tuple(enclosure(each) for each in cell) for cell in finite))
        spans = [_span([cell[i] for cell in cells], axis) for i, axis in enumerate(axes)]
        components = tuple(self._marked(j, ways, i, *pair) for i, pair in enumerate(zip(spans, axes, strict=True)))
        return RowTruth(components=components, cells=hull)

    def _marked(self, j: int, ways: Sequence[Vector], place: int, span: LocalTruth, axis: LocalTruth) -> LocalTruth:
        """A span as sampled, where the gradient changes beside a cell that gives one of its ends, and no axis does."""
        if not isinstance(span, Kink):
            return span
        ends = {span.left, span.right}.difference(_slopes(axis))
        found = {_slope(self._cell(j, way)[place]): way for way in ways}
        tilt = self._spread_over(random_direction(len(self.chosen), self.seed))
        for way in (found[each] for each in ends):
            beside = tuple(a + _TILT * b for a, b in zip(way, tilt, strict=True))
            if disjoint(self._cell(j, way)[place], self._cell(j, beside)[place]):
                return replace(span, sampled=True)
        return span

    def _ways(self, j: int, guesses: Sequence[Sequence[float]]) -> Iterator[Vector]:
        """Directions into the cells: random ones with their opposites, and those that the guesses point to."""
        size = len(self.chosen)
        rows = [random_direction(size, self.seed + 1 + k) for k in range(size + 3)]
        pairs = [self._sides(j, self._axis(i), 1) for i in self.chosen]
        rows += [_towards(guess, pairs, rows[0]) for guess in guesses]
        for row in dict.fromkeys(rows):
            yield self._spread_over(row)
            yield self._spread_over(tuple(-each for each in row))

    def _cell(self, j: int, way: Vector) -> tuple[Element, ...]:
        """The gradient, for result j, of the smooth cell that `way` points into."""
        if way not in self._cells:
            readings = [self.lines.thin(way, i).values[:, 0] for i in self.chosen]
            self._cells[way] = list(zip(*readings, strict=True))
        return self._cells[way][j]

    # ---- order 2

    def _hessian(self, j: int) -> RowTruth:
        gradient = [self._glued(self._on_axis(j, i)) for i in self.chosen]
        blocked = next((each for each in gradient if not isinstance(each, (Enclosure, Infinite))), None)
        size = len(self.chosen)
        if blocked is not None:
            truth = Jump() if isinstance(blocked, (Kink, Cusp)) else blocked
            return RowTruth(components=(truth,) * size**2)
        entries = {(a, b): self._second(j, a, b) for a, b in combinations_with_replacement(range(size), 2)}
        if size > 1 and not self._is_quadratic(j, entries):
            return RowTruth(components=tuple(self._nested(j, a, b) for a in self.chosen for b in self.chosen))
        pairs = [(min(a, b), max(a, b)) for a in range(size) for b in range(size)]
        return RowTruth(components=tuple(self._judged(j, entries[pair], 2) for pair in pairs))

    def _second(self, j: int, a: int, b: int) -> list[_Side]:
        """Both sides of H_ab, by polarisation off the diagonal."""
        if a == b:
            return self._sides(j, self._axis(self.chosen[a]), 2)
        first, second = self._axis(self.chosen[a]), self._axis(self.chosen[b])
        both = tuple(x + y for x, y in zip(first, second, strict=True))
        return self._polarised(j, {both: 1, first: -1, second: -1}, 2)

    def _polarised(self, j: int, weights: Mapping[Vector, int], order: int) -> list[_Side]:
        """sum w_v D^k_v / k! on both sides; a sum that may be zero is asked again at the ceiling (SEMANTICS §4)."""

        def found(bits: int) -> list[_Side]:
            rows = zip(*(self._sides(j, way, order, bits) for way in weights), strict=True)
            with working_precision(max(bits, _WORKING_BITS)):
                return [_summed(row, list(weights.values()), factorial(order)) for row in rows]

        sides = found(0)
        return found(CEILING) if any(_may_vanish(side.slope) for side in sides) else sides

    def _is_quadratic(self, j: int, entries: dict[tuple[int, int], list[_Side]]) -> bool:
        """Whether D2_r = sum r_a r_b H_ab for a random r; what can't be decided is left to each entry."""
        r = random_direction(len(self.chosen), self.seed)
        weights = [r[a] * r[b] * (1 if a == b else 2) for a, b in entries]
        wanted = _combined([sides[0].slope for sides in entries.values()], weights)
        found = self._sides(j, self._spread_over(r), 2)
        return not any(disjoint(wanted, side.slope) for side in found if not side.outside)

    def _nested(self, j: int, inner: int, outer: int) -> LocalTruth:
        """d/dx_outer of d/dx_inner along the outer axis, on both sides."""
        axis = self._axis(outer)
        sides = []
        for sign in (1, -1):
            reading = self.lines.thin(tuple(sign * each for each in axis), inner)
            slope = reading.values[j][1]
            sides.append(_Side(self.value[j], slope if sign > 0 else _neg(slope), reading.bits))
        return self._judged(j, sides, 2)

    # ---- order 3 and more

    def _tensor(self, j: int, order: int) -> RowTruth:
        """By polarisation, where everything below is smooth and a random direction agrees."""
        size = len(self.chosen)
        blocked = self._blocked(j, order)
        if blocked is not None:
            return RowTruth(components=(blocked,) * size**order)
        entries = {each: self._mixed(j, each) for each in combinations_with_replacement(range(size), order)}
        if size > 1 and self._is_form(j, order, entries) is not True:
            lost = NoTruth(f"whether the function is smooth to order {order} here could not be established")
            return RowTruth(components=(lost,) * size**order)
        places = (tuple(sorted(each)) for each in product(range(size), repeat=order))
        return RowTruth(components=tuple(self._judged(j, entries[place], order) for place in places))

    def _blocked(self, j: int, order: int) -> LocalTruth | None:
        """What the orders below leave of this one: nothing at a kink, where derivatives say nothing of the point."""
        below = [*self._gradient(j, ()).components, *self._hessian(j).components]
        below += [each for lower in range(3, order) for each in self._tensor(j, lower).components]
        found = next((each for each in map(self._glued, below) if not isinstance(each, Enclosure)), None)
        return Jump() if isinstance(found, (Kink, Cusp, Infinite)) else found

    def _mixed(self, j: int, places: tuple[int, ...]) -> list[_Side]:
        return self._multilinear(j, [self._axis(self.chosen[place]) for place in places])

    def _multilinear(self, j: int, vectors: Sequence[Vector]) -> list[_Side]:
        """T(v_1, v_2, ...) = 1/k! sum over S of (-1)^(k-|S|) D^k along the sum of S, on both sides."""
        order = len(vectors)
        weights: dict[Vector, int] = defaultdict(int)
        for count in range(1, order + 1):
            for subset in combinations(vectors, count):
                way: Vector = tuple(sum(each, Fraction(0)) for each in zip(*subset, strict=True))
                weights[way] += (-1) ** (order - count)
        return self._polarised(j, weights, order)

    def _is_form(self, j: int, order: int, entries: Mapping[tuple[int, ...], list[_Side]]) -> bool | None:
        """Whether D^k_r is what the entries give for a random r, on both sides; None where that is not decided."""
        r = random_direction(len(self.chosen), self.seed)
        weights = [prod((r[i] for i in place), start=Fraction(len(set(permutations(place))))) for place in entries]
        wanted = _combined([sides[0].slope for sides in entries.values()], weights)
        agreed = [_agree(wanted, side.slope) for side in self._sides(j, self._spread_over(r), order)]
        return False if False in agreed else None if None in agreed else True

    # ---- lines and sides

    def _on_line(self, j: int, direction: Vector, order: int) -> LocalTruth:
        for lower in range(1, order):
            below = self._glued(self._judged(j, self._sides(j, direction, lower), lower))
            if isinstance(below, (Kink, Cusp)):
                return Jump()
        return self._judged(j, self._sides(j, direction, order), order)

    def _sides(self, j: int, direction: Vector, order: int, bits: int = 0) -> list[_Side]:
        """Right and left of the point along a direction, the derivative taken in the direction itself."""
        opposite = tuple(-each for each in direction)
        asked = {"bits": bits} if bits else {}
        right, left = self.lines.line(direction, order, **asked), self.lines.line(opposite, order, **asked)
        return [_side(right, j, order, 1), _side(left, j, order, -1)]

    def _judged(self, j: int, sides: Sequence[_Side], order: int) -> LocalTruth:
        value = self.value[j]
        if isinstance(value, Unknown):
            return NoTruth(value.reason)
        if not is_finite(value):
            return Undefined(f"the function is {value.value} here", forbids_nan=value is not NAN)  # type: ignore[union-attr]
        inside = [side for side in sides if not side.outside]
        if not inside and any(side.infinite for side in sides):
            return Jump()
        if not inside:
            return Undefined("the function is NaN on both sides")
        lost = next((side.unknown for side in inside if side.unknown), None)
        if any(not _near(value, side.limit, self._seam) for side in inside if not isinstance(side.limit, Unknown)):
            return Jump()
        if lost:
            return NoTruth(lost.reason)
        for side in inside:
            if isinstance(found := _plain(side.slope), NoTruth):  # of astronomic size
                return found
        # At a seam the point belongs to the piece that takes its value there.
        return self._joined([side for side in inside if not disjoint(value, side.limit)] or inside)

    @property
    def _seam(self) -> Fraction:
        """2^-floor(p/2): what of a value may be lost before half of its significand is."""
        return Fraction(1, isqrt(int(1 / self.unit))) if self.unit else Fraction(0)

    def _glued(self, truth: LocalTruth) -> LocalTruth:
        """A kink at a seam as one number: it says nothing against derivatives of higher order."""
        if not isinstance(truth, Kink):
            return truth
        low, high = sorted((truth.left, truth.right), key=lambda side: side.middle)
        hull = Enclosure(low.lower, high.upper)
        return hull if high.upper - low.lower <= self._seam * max(low.magnitude, high.magnitude) else truth

    def _joined(self, sides: Sequence[_Side]) -> LocalTruth:
        """Sides whose slopes are finite or infinite, all of them known."""
        slopes = [side.slope for side in sides]
        bits = max(side.bits for side in sides)
        if all(map(is_finite, slopes)):
            return self._one_or_kink(slopes, bits)
        if all(slope is slopes[0] for slope in slopes):
            return Infinite(1 if slopes[0] is POS_INF else -1)
        return _cusp(slopes, bits)

    def _one_or_kink(self, slopes: Sequence[Element], bits: int) -> LocalTruth:
        if len(slopes) == 1 or not disjoint(*slopes):
            return enclosure(min(slopes, key=_radius), bits)
        right, left = (enclosure(each, bits) for each in slopes)
        if not _near(slopes[0], slopes[1], self.unit):
            return Kink(left, right)
        return Enclosure(min(left.lower, right.lower), max(left.upper, right.upper))

    def _axis(self, index: int) -> Vector:
        return tuple(Fraction(int(i == index)) for i in range(self.lines.size))

    def _spread_over(self, weights: Sequence[Fraction]) -> Vector:
        """A vector over the chosen components as one over all."""
        places = dict(zip(self.chosen, weights, strict=True))
        return tuple(places.get(i, Fraction(0)) for i in range(self.lines.size))

    def _floats(self) -> list[float]:
        return [float(each) for array in self.lines.place for each in array.flat]

    def _place(self) -> list[Fraction]:
        return [Fraction(x) if abs(x) < float("inf") else Fraction(0) for x in self._floats()]


def random_direction(size: int, seed: int) -> Vector:
    """A direction of small dyadic components of both signs, no two alike in size where there are few."""
    generator = random.Random(seed)
    return tuple(generator.choice((-1, 1)) * Fraction(generator.randint(17, 63), 32) for _ in range(size))


def _inner(sides: Sequence[_Side]) -> _Side:
    """The first side that is no outside, where there is one."""
    return next((side for side in sides if not side.outside), sides[0])


def _side(reading: Reading, j: int, order: int, sign: int) -> _Side:
    row = reading.values[j]
    return _Side(row[0], row[order] if sign > 0 or order % 2 == 0 else _neg(row[order]), reading.bits)


def _near(a: Element, b: Element, share: Fraction) -> bool:
    """Whether two elements can be the same number, or certainly differ by no more than this share of the first."""
    if not disjoint(a, b):
        return True
    if not is_finite(a) or not is_finite(b) or not share:
        return False
    gap = OPERATIONS["abs"](OPERATIONS["sub"](a, b))
    room = OPERATIONS["mul"](OPERATIONS["abs"](a), exact_ball(share))
    return compare("le", gap, room) is True


def _cusp(slopes: Sequence[Element], bits: int) -> Cusp:
    finite = next((enclosure(each, bits) for each in slopes if is_finite(each)), None)
    return Cusp(
        low=None if any(each is NEG_INF for each in slopes) else finite,
        high=None if any(each is POS_INF for each in slopes) else finite,
    )


def _span(coordinates: Sequence[Element], axis: LocalTruth) -> LocalTruth:
    """What the cells and the axis leave of one coordinate: one number where they agree, else an interval, whose ends
    may be infinite.
    """
    slopes = [*map(_slope, coordinates), *_slopes(axis)]
    lost = next((each for each in slopes if isinstance(each, (NoTruth, Undefined))), None)
    if lost is not None:
        return axis if isinstance(axis, NoTruth) else NoTruth(_UNKNOWN_CELL)
    bounded = [each for each in slopes if isinstance(each, Enclosure)]
    falls, rises = Infinite(-1) in slopes, Infinite(1) in slopes
    if not bounded and falls != rises:
        return axis
    low = None if falls else min(bounded, key=lambda each: each.upper)
    high = None if rises else max(bounded, key=lambda each: each.lower)
    if low is None or high is None:
        return Cusp(low, high)
    return Kink(low, high) if low.upper < high.lower else low


def _slope(element: Element) -> LocalTruth:
    return Infinite(1) if element is POS_INF else Infinite(-1) if element is NEG_INF else _plain(element)


def _slopes(axis: LocalTruth) -> tuple[LocalTruth, ...]:
    match axis:
        case Kink(left=left, right=right):
            return left, right
        case Cusp(low=low, high=high):
            return low or Infinite(-1), high or Infinite(1)
    return (axis,)


def _agree(a: Element, b: Element) -> bool | None:
    """Whether two elements can be the same number; None where one of them is unknown."""
    return None if isinstance(a, Unknown) or isinstance(b, Unknown) else not disjoint(a, b)


def _uncertain(axis: LocalTruth) -> LocalTruth:
    """Of many inputs the cells of a kink are not looked at, and axes alone refute nothing."""
    return NoTruth("a kink in many inputs") if isinstance(axis, (Kink, Enclosure)) else axis


def _summed(sides: Sequence[_Side], weights: Sequence[int], divisor: int) -> _Side:
    """A sum of lines' derivatives; divided last, so that what cancels exactly is exactly zero."""
    bits = min(side.bits for side in sides)
    if any(side.outside for side in sides):
        return _Side(NAN, NAN, bits)
    total = _combined([side.slope for side in sides], [Fraction(each) for each in weights])
    return _Side(sides[0].limit, total / divisor if is_finite(total) else total, bits)  # type: ignore[operator]


def _may_vanish(slope: Element) -> bool:
    return is_finite(slope) and not slope.is_exact() and bool(slope.contains(0))  # type: ignore[union-attr]


def _combined(elements: Sequence[Element], weights: Sequence[Fraction]) -> Element:
    """sum w_i x_i; unknown where one of them is not finite."""
    times, plus = OPERATIONS["mul"], OPERATIONS["add"]
    total: Element = OPERATIONS["sub"](elements[0], elements[0])
    for element, weight in zip(elements, weights, strict=True):
        if not is_finite(element):
            return element if isinstance(element, Unknown) else Unknown(f"a derivative is {element!r}", "")
        total = plus(total, times(element, weight))
    return total


def _towards(guess: Sequence[float], pairs: Sequence[Sequence[_Side]], otherwise: Vector) -> Vector:
    """The direction whose sign is, coordinate by coordinate, that of the side whose slope is nearer to the guess."""
    signs = []
    for wanted, (right, left), size in zip(guess, pairs, otherwise, strict=True):
        gaps = [abs(_float(side.slope) - wanted) for side in (right, left)]
        signs.append(size if gaps[0] == gaps[1] else abs(size) if gaps[0] < gaps[1] else -abs(size))
    return tuple(signs)


def _float(element: Element) -> float:
    return float(element.mid()) if is_finite(element) else float("nan")  # type: ignore[union-attr]


def _radius(element: Element) -> float:
    return float(element.rad())  # type: ignore[union-attr]


def _largest(elements: Iterable[Element]) -> Fraction | None:
    """The largest size of those that are finite; None where there is none, or one is astronomic."""
    found = [enclosed(each) for each in elements if is_finite(each)]
    sizes = [each.magnitude for each in found if isinstance(each, Enclosure)]
    return max(sizes, default=None) if len(sizes) == len(found) else None


def _plain(element: Element) -> LocalTruth:
    if is_finite(element):
        return enclosed(element)
    reason = element.reason if isinstance(element, Unknown) else f"the function is {element!r} here"
    return NoTruth(reason) if isinstance(element, Unknown) else Undefined(reason)
