"""Is the number right? One computed float against the truth, whatever kind it is of, by the one yardstick.

At a truth T, inputs x_i, inexact constants c_j and unit roundoff u an error is unavoidable up to

    Y = K * (ulp(T) + u * (sum |x_i dT/dx_i| + sum |c_j dT/dc_j|)),      K = 4 * (1 + log2(longest reduction))

and L = log2(error * K / Y) bits are lost beyond it. At T = 0, S counts among the |x_i dT/dx_i|: the size of the
summands that should have cancelled. Source: DESIGN §2, SEMANTICS §3, §4, §8, §9.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

from verifier.arithmetic.floats import Format, ulp
from verifier.judge.text import BEYOND_SAMPLES, decimal_text, ends_text
from verifier.model.verdict import (
    Cusp,
    Enclosure,
    Infinite,
    Jump,
    Kink,
    NoTruth,
    NumberClass,
    NumberVerdict,
    Truth,
    Undefined,
)

__all__ = [
    "RESOLUTION",
    "TIE",
    "Judgement",
    "K",
    "Yardstick",
    "allowance",
    "failing_bits",
    "judge_number",
    "judgement",
    "unexplained",
]

_VACUOUS = "rounding the inputs alone changes the truth by half or more"
_BEYOND = "the truth is beyond the largest finite number"

K = 4
"""The one documented constant: a rule may cost a few roundings more than its inputs do. Pinned by
tests/judge/test_number.py.
"""


RESOLUTION = 48
"""Bits below an ulp to which errors are measured."""

TIE = 2**28
"""2^-20 ulp in units of the ruler: an error that equals the budget is within it, however the ends were rounded."""


def allowance(longest_reduction: int) -> Fraction:
    """K times (1 + log2 n) for a program whose longest sum has n terms, as pairwise and blocked sums lose log2 n
    roundings.
    """
    return Fraction(K) * (1 + Fraction(math.log2(max(1, longest_reduction))))


def failing_bits(form: Format) -> float:
    """How many bits may be lost before a warning becomes a failure: half of the significand, at least 12 bits where
    there are.
    """
    return min(form.precision - 1, max(form.precision / 2, 12))


@dataclass(frozen=True, slots=True, kw_only=True)
class Yardstick:
    """What a number is measured with: the dtype, whether the target flushes subnormals, and K times the reduction's
    share.
    """

    form: Format
    allowance: Fraction
    flushes_subnormals: bool = False

    def ulp(self, truth: Enclosure) -> Fraction:
        """One ulp at the truth; never below the smallest normal where subnormals are flushed."""
        floor = self.form.smallest_normal if self.flushes_subnormals else None
        return ulp(truth.middle, self.form, floor=floor)


Judgement = Callable[[float], NumberVerdict]


def judge_number(value: float, truth: Truth, yardstick: Yardstick) -> NumberVerdict:
    """Judge one computed number; never raises.

    Law: a correctly rounded value of a representable truth is ACCURATE or VACUOUS.
    """
    return judgement(truth, yardstick)(value)


def judgement(truth: Truth, yardstick: Yardstick) -> Judgement:
    """The judgement of every number that claims to be this truth."""
    match truth.value:
        case NoTruth(reason):
            return lambda value: _without_truth(value, reason)
        case Undefined() as undefined:
            return lambda value: _where_undefined(value, undefined)
        case Jump():
            return _at_jump
        case Infinite(sign):
            return lambda value: _at_infinity(value, math.copysign(math.inf, sign))
        case Kink(left, right, sampled):
            low, high = sorted((left, right), key=lambda side: side.middle)
            return lambda value: _at_kink(value, low, high, yardstick, sampled=sampled)
        case Cusp(low=low, high=high):
            return lambda value: _at_kink(value, low, high, yardstick)
        case Enclosure() as enclosure:
            if truth.condition is None:
                least = _Ruler.of(enclosure, Fraction(0), yardstick)
                return lambda value: _without_condition(value, least)
            summands = truth.summands if truth.is_zero else 0
            return _Ruler.of(enclosure, truth.condition + summands, yardstick).judge


def unexplained(verdict: NumberVerdict, reach: str) -> NumberVerdict:
    """The verdict on a number that no rounding inside its own program explains, only what is in `reach`.

    It fails however few bits it lost, at a true zero too: what may pass there is the noise of rounding.
    """
    reason = f"rounding inside the program explains {reach}, not this"
    return replace(
        verdict,
        kind=NumberClass.FAULTY,
        fails=True,
        reason="; ".join(each for each in (verdict.reason, reason) if each),
    )


def _without_truth(value: float, reason: str) -> NumberVerdict:
    suspect = "" if math.isfinite(value) else f"; the program returned {value}, which is suspect"
    return NumberVerdict(kind=NumberClass.UNDECIDED, reason=reason + suspect)


def _without_condition(value: float, least: _Ruler) -> NumberVerdict:
    """What holds at any conditioning: NaN is never right, and K ulps are within every yardstick."""
    verdict = least.judge(value)
    if math.isnan(value) or verdict.kind in (NumberClass.ACCURATE, NumberClass.OVERFLOW):
        return verdict
    return _without_truth(value, "the conditioning could not be established")


def _where_undefined(value: float, truth: Undefined) -> NumberVerdict:
    if truth.forbids_nan and math.isnan(value):
        return _not_a_number(f"where {truth.reason}")
    return NumberVerdict(kind=NumberClass.VACUOUS, reason=truth.reason)


def _at_jump(value: float) -> NumberVerdict:
    if math.isnan(value):
        return _not_a_number("at a jump of a finite function")
    return NumberVerdict(kind=NumberClass.CONVENTION, reason="a jump: no derivative speaks about this point")


def _at_infinity(value: float, slope: float) -> NumberVerdict:
    if value == slope:
        return NumberVerdict(kind=NumberClass.ACCURATE, reason=f"the slope is {slope} here")
    kind = NumberClass.LOSSY if math.isfinite(value) else NumberClass.NONFINITE
    return NumberVerdict(kind=kind, fails=True, reason=f"{value!r} where the slope is {slope}")


def _at_kink(
    value: float, low: Enclosure | None, high: Enclosure | None, yardstick: Yardstick, *, sampled: bool = False
) -> NumberVerdict:
    """Between the one-sided derivatives (widened by the yardstick) any value is a convention; None is an infinite
    one.
    """
    sides = f"the one-sided derivatives {ends_text(low, high)}"
    if math.isnan(value):
        return _not_a_number(f"at a kink with {sides}")
    # One side may be a zero that summands as large as the other side make up.
    room = yardstick.allowance * max(
        (yardstick.ulp(end) for end in (low, high) if end is not None), default=Fraction(0)
    )
    if _reaches(value, low, room) and _reaches(-value, high and _mirrored(high), room):
        return NumberVerdict(kind=NumberClass.CONVENTION, reason=f"a kink: any value between {sides} is a convention")
    reason = f"a kink: {value!r} lies outside {sides}"
    if sampled:
        return NumberVerdict(kind=NumberClass.UNDECIDED, reason=f"{reason}, {BEYOND_SAMPLES}")
    kind = NumberClass.NONFINITE if math.isinf(value) else NumberClass.LOSSY
    return NumberVerdict(kind=kind, fails=True, reason=reason)


def _reaches(value: float, low: Enclosure | None, room: Fraction) -> bool:
    """Whether a value is as large as the lower end of an interval, give or take the room."""
    if low is None or math.isinf(value):
        return low is None or value > 0
    return Fraction(value) >= low.lower - room


def _mirrored(end: Enclosure) -> Enclosure:
    return Enclosure(-end.upper, -end.lower)


def _not_a_number(where: str) -> NumberVerdict:
    return NumberVerdict(kind=NumberClass.NONFINITE, fails=True, reason=f"NaN {where}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ruler:
    """A truth and its yardstick as integers, in units of 2^exponent, far below an ulp: outward rounded, so that a
    number within
    the budget of the ruler is within the budget.
    """

    truth: Enclosure
    form: Format
    exponent: int
    low: int
    high: int
    unit: int
    """One ulp."""
    own: int
    """K ulps: the budget without conditioning."""
    budget: int
    unavoidable: int
    """The budget at K = 1."""
    is_tiny: bool
    """Whether the truth is below the smallest normal number, and not presumably zero."""

    @classmethod
    def of(cls, truth: Enclosure, condition: Fraction, yardstick: Yardstick) -> _Ruler:
        ulp_here = yardstick.ulp(truth)
        unavoidable = ulp_here + yardstick.form.unit_roundoff * condition
        exponent = ulp_here.numerator.bit_length() - ulp_here.denominator.bit_length() - RESOLUTION
        return cls(
            truth=truth,
            form=yardstick.form,
            exponent=exponent,
            low=_scaled(truth.lower, exponent)[0],
            high=_scaled(truth.upper, exponent)[1],
            unit=_scaled(ulp_here, exponent)[0],
            own=_scaled(yardstick.allowance * ulp_here, exponent)[0],
            budget=_scaled(yardstick.allowance * unavoidable, exponent)[0] + TIE,
            unavoidable=_scaled(unavoidable, exponent)[0],
            is_tiny=truth.magnitude < yardstick.form.smallest_normal and not truth.contains_zero(),
        )

    @property
    def magnitude(self) -> int:
        return max(abs(self.low), abs(self.high))

    @property
    def is_beyond(self) -> bool:
        """Whether the truth is certainly beyond the largest finite number."""
        return min(abs(self.truth.lower), abs(self.truth.upper)) > self.form.largest and not self.truth.contains_zero()

    def judge(self, value: float) -> NumberVerdict:
        if not math.isfinite(value):
            return self._nonfinite(value)
        below, above = _scaled(value, self.exponent)
        error = max(above - self.low, self.high - below)
        if error <= self.budget:
            return self._within(value, error)
        least = max(self.low - above, below - self.high, 0)
        if least <= self.budget:
            return self._verdict(NumberClass.UNDECIDED, error, reason="the enclosure is wider than the yardstick")
        if self.is_tiny and abs(value) <= self.form.smallest_normal and value * self.truth.middle >= 0:
            return self._verdict(NumberClass.UNDERFLOW, error)
        if self.is_beyond and abs(value) == self.form.largest and value * self.truth.middle > 0:
            return self._verdict(NumberClass.OVERFLOW, error, reason=_BEYOND)
        lost = _log2(least) - _log2(self.unavoidable)
        if self.truth.is_zero:
            return self._verdict(NumberClass.LOSSY, error, lost_bits=lost, reason="the truth is exactly zero")
        fails = lost > failing_bits(self.form)
        return self._verdict(NumberClass.LOSSY, error, lost_bits=lost, fails=fails)

    def _within(self, value: float, error: int) -> NumberVerdict:
        """Within the yardstick: ACCURATE, unless the yardstick is so wide that it says nothing."""
        if self.is_tiny and abs(value) <= self.form.smallest_normal:
            return self._verdict(NumberClass.ACCURATE if value else NumberClass.UNDERFLOW, error)
        narrow = 2 * self.budget < self.magnitude or (error <= self.own and 2 * self.own < self.magnitude)
        if narrow or self.truth.is_zero:
            return self._verdict(NumberClass.ACCURATE, error)
        return NumberVerdict(kind=NumberClass.VACUOUS, reason=_VACUOUS)

    def _nonfinite(self, value: float) -> NumberVerdict:
        """NaN is never right; an infinity is, where the truth (give or take the yardstick) is beyond the largest
        finite number.
        """
        largest = Fraction(self.form.largest) / Fraction(2) ** self.exponent
        side = self.high if value > 0 else -self.low
        if not math.isnan(value) and side + self.budget > largest:
            return NumberVerdict(kind=NumberClass.OVERFLOW, reason=_BEYOND)
        within = self.truth.magnitude <= self.form.largest
        reach = "which the dtype can represent" if within else "beyond the dtype's range: an infinity of its sign"
        reason = f"{value} where the truth is {decimal_text(self.truth.middle, 6)}, {reach}"
        return NumberVerdict(kind=NumberClass.NONFINITE, fails=True, reason=reason)

    def _verdict(
        self, kind: NumberClass, error: int, *, lost_bits: float | None = None, fails: bool = False, reason: str = ""
    ) -> NumberVerdict:
        return NumberVerdict(
            kind=kind,
            fails=fails,
            ulps=_ratio(error, self.unit),
            budget=_ratio(self.budget, self.unit),
            lost_bits=lost_bits,
            reason=reason,
        )


def _scaled(value: float | Fraction, exponent: int) -> tuple[int, int]:
    """floor and ceiling of value / 2^exponent."""
    numerator, denominator = value.as_integer_ratio()
    if exponent <= 0:
        numerator <<= -exponent
    else:
        denominator <<= exponent
    floor, rest = divmod(numerator, denominator)
    return floor, floor + (rest != 0)


def _log2(number: int) -> float:
    """log2 of a positive integer of any size."""
    shift = max(0, number.bit_length() - 64)
    return shift + math.log2(number >> shift)


def _ratio(numerator: int, denominator: int) -> float:
    """A quotient of integers, the largest finite float where it is beyond."""
    try:
        return numerator / denominator
    except OverflowError:
        return math.ldexp(1.0, 1023)
