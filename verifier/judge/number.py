"""Is the number right? One computed float against an enclosure of the truth, by the one yardstick.

At a truth T, inputs x_i, inexact constants c_j and unit roundoff u an error is unavoidable up to

    Y = K * (ulp(T) + u * (sum |x_i dT/dx_i| + sum |c_j dT/dc_j|)),      K = 4 * (1 + log2(longest reduction))

and L = log2(error * K / Y) bits are lost beyond it. Source: DESIGN §2, SEMANTICS §3, §4, §9.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from verifier.arithmetic.floats import Format, ulp
from verifier.model.verdict import Enclosure, Jump, Kink, NoTruth, NumberClass, NumberVerdict, Truth

__all__ = ["K", "Yardstick", "allowance", "failing_bits", "judge_number"]

K = 4
"""The one documented constant: a rule may cost a few roundings more than its inputs do. Pinned by tests/judge/test_number.py."""


def allowance(longest_reduction: int) -> Fraction:
    """K times (1 + log2 n) for a program whose longest sum has n terms, as pairwise and blocked sums lose log2 n roundings."""
    return Fraction(K) * (1 + Fraction(math.log2(max(1, longest_reduction))))


def failing_bits(form: Format) -> float:
    """How many bits may be lost before a warning becomes a failure: half of the significand, at least 12 bits where there are."""
    return min(form.precision - 1, max(form.precision / 2, 12))


@dataclass(frozen=True, slots=True, kw_only=True)
class Yardstick:
    """What a number is measured with: the dtype, whether the target flushes subnormals, and K times the reduction's share."""

    form: Format
    allowance: Fraction
    flushes_subnormals: bool = False

    def ulp(self, truth: Enclosure) -> Fraction:
        """One ulp at the truth; never below the smallest normal where subnormals are flushed."""
        floor = self.form.smallest_normal if self.flushes_subnormals else None
        return ulp(truth.middle, self.form, floor=floor)

    def unavoidable(self, truth: Enclosure, condition: Fraction) -> Fraction:
        """The error that rounding the inputs already costs, in absolute terms (K = 1)."""
        return self.ulp(truth) + self.form.unit_roundoff * condition


def judge_number(value: float, truth: Truth, yardstick: Yardstick) -> NumberVerdict:
    """Judge one computed number; never raises.

    Law: a correctly rounded value of a representable truth is ACCURATE or VACUOUS.
    """
    match truth.value:
        case NoTruth(reason):
            return _without_truth(value, reason)
        case Jump():
            return _at_jump(value)
        case Kink() as kink:
            return _at_kink(value, kink, yardstick)
        case Enclosure() as enclosure:
            if truth.condition is None:
                return _without_truth(value, "the conditioning could not be established")
            return _against(value, enclosure, truth.condition, yardstick)


def _without_truth(value: float, reason: str) -> NumberVerdict:
    suspect = "" if math.isfinite(value) else f"; the program returned {value}, which is suspect"
    return NumberVerdict(kind=NumberClass.UNDECIDED, reason=reason + suspect)


def _at_jump(value: float) -> NumberVerdict:
    if math.isnan(value):
        return NumberVerdict(kind=NumberClass.NONFINITE, fails=True, reason="NaN at a jump of a finite function")
    return NumberVerdict(kind=NumberClass.CONVENTION, reason="a jump: no derivative speaks about this point")


def _at_kink(value: float, kink: Kink, yardstick: Yardstick) -> NumberVerdict:
    """Inside the interval of one-sided derivatives (widened by the yardstick) any value is a convention."""
    if math.isnan(value):
        return NumberVerdict(
            kind=NumberClass.NONFINITE, fails=True, reason="NaN at a kink with finite one-sided derivatives"
        )
    low, high = sorted((kink.left, kink.right), key=lambda side: side.middle)
    room = [yardstick.allowance * yardstick.ulp(side) for side in (low, high)]
    if math.isfinite(value) and low.lower - room[0] <= Fraction(value) <= high.upper + room[1]:
        return NumberVerdict(
            kind=NumberClass.CONVENTION,
            reason=f"a kink: any value from {_short(low)} to {_short(high)} is a convention",
        )
    return NumberVerdict(
        kind=NumberClass.NONFINITE if math.isinf(value) else NumberClass.LOSSY,
        fails=True,
        reason=f"a kink: {value!r} lies outside the one-sided derivatives {_short(low)} and {_short(high)}",
    )


def _short(enclosure: Enclosure) -> str:
    return f"{float(enclosure.middle):.6g}"


def _against(value: float, truth: Enclosure, condition: Fraction, yardstick: Yardstick) -> NumberVerdict:
    unavoidable = yardstick.unavoidable(truth, condition)
    budget = yardstick.allowance * unavoidable
    if not math.isfinite(value):
        return _nonfinite(value, truth, budget, yardstick.form)
    unit = yardstick.ulp(truth)
    exact = Fraction(value)
    error = max(abs(exact - truth.lower), abs(exact - truth.upper))
    measured = {"ulps": _as_float(error / unit), "budget": _as_float(budget / unit)}
    if error <= budget:
        return _within(truth, error, budget, unit, yardstick, measured)
    least = max(truth.lower - exact, exact - truth.upper, Fraction(0))
    if least <= budget:
        return NumberVerdict(kind=NumberClass.UNDECIDED, reason="the enclosure is wider than the yardstick", **measured)
    if _underflows(exact, truth, yardstick.form):
        return NumberVerdict(kind=NumberClass.UNDERFLOW, **measured)
    lost = _log2(least / unavoidable)
    if truth.is_zero:
        return NumberVerdict(kind=NumberClass.LOSSY, lost_bits=lost, reason="the truth is exactly zero", **measured)
    fails = lost > failing_bits(yardstick.form)
    return NumberVerdict(kind=NumberClass.LOSSY, fails=fails, lost_bits=lost, **measured)


def _within(
    truth: Enclosure,
    error: Fraction,
    budget: Fraction,
    unit: Fraction,
    yardstick: Yardstick,
    measured: dict[str, float],
) -> NumberVerdict:
    """Within the yardstick: ACCURATE, unless the yardstick is so wide that it says nothing."""
    if error and _underflows_to_zero(error, truth, yardstick.form):
        return NumberVerdict(kind=NumberClass.UNDERFLOW, **measured)
    own = yardstick.allowance * unit
    says_something = truth.is_zero or 2 * budget < truth.magnitude or (error <= own and 2 * own < truth.magnitude)
    if says_something or truth.magnitude < yardstick.form.smallest_normal:
        return NumberVerdict(kind=NumberClass.ACCURATE, **measured)
    return NumberVerdict(
        kind=NumberClass.VACUOUS, reason="rounding the inputs alone changes the truth by half or more", **measured
    )


def _nonfinite(value: float, truth: Enclosure, budget: Fraction, form: Format) -> NumberVerdict:
    """NaN is never right; an infinity is, where the truth (give or take the yardstick) is beyond the largest finite number."""
    sign = 1 if value > 0 else -1
    if not math.isnan(value) and sign * truth.middle + budget > Fraction(form.largest):
        return NumberVerdict(kind=NumberClass.OVERFLOW, reason="the truth is beyond the largest finite number")
    return NumberVerdict(
        kind=NumberClass.NONFINITE,
        fails=True,
        reason=f"{value} where the truth is {_short(truth)}, which the dtype can represent",
    )


def _underflows_to_zero(error: Fraction, truth: Enclosure, form: Format) -> bool:
    return truth.magnitude < form.smallest_normal and error == truth.magnitude


def _underflows(value: Fraction, truth: Enclosure, form: Format) -> bool:
    """Zero, subnormal or smallest normal, of the truth's sign, at an underflowing nonzero truth (SEMANTICS §3)."""
    tiny = truth.magnitude < form.smallest_normal and not truth.contains_zero()
    return tiny and abs(value) <= form.smallest_normal and value * truth.middle >= 0


def _log2(ratio: Fraction) -> float:
    """log2 of a positive rational, also where it is beyond the range of floats."""
    shift = ratio.numerator.bit_length() - ratio.denominator.bit_length()
    scaled = ratio / Fraction(2) ** shift
    return shift + math.log2(scaled)


def _as_float(ratio: Fraction) -> float:
    """A nonnegative rational as a float, the largest finite one where it is beyond."""
    try:
        return float(ratio)
    except OverflowError:
        return math.ldexp(1.0, 1023)
