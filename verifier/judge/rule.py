"""Is the rule right? What exact arithmetic says a program returns, against the truth; no device, no rounding.

At a truth T, unit roundoff u and inexact literals r_j of the program, rule and truth count as equal within

    Y = K * (u |T| + u sum |r_j dT/dr_j|)

The inputs' conditioning never enters: at sin'(1e17) it would let a flipped sign pass. Literals whose rounding makes
anything of the truth are no excuse either (`truth.derived.is_excuse`). Source: SEMANTICS §2, §8, §9.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from verifier.arithmetic.floats import Format
from verifier.judge.number import K, failing_bits
from verifier.judge.text import BEYOND_SAMPLES, decimal_text, ends_text
from verifier.model.rule import (
    Cusp,
    Infinite,
    LocalTruth,
    NonFinite,
    Note,
    ProgramValue,
    RuleClass,
    RuleVerdict,
    Undefined,
)
from verifier.model.verdict import Enclosure, Jump, Kink, NoTruth

__all__ = ["Threshold", "judge_linear", "judge_rule", "judge_value", "log2_of", "weighted_sum"]

_CERTIFIED_BITS = 4096.0
"""Agreement is not counted beyond this: two exact and equal numbers agree in all bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """What a rule is measured with: the dtype of the trace, and `spread`, u sum |r_j dT/dr_j| over its inexact
    literals.

    `foreign` says that a rule of the user's own is judged: then INEXACT fails, too.
    """

    form: Format
    spread: Fraction = Fraction(0)
    foreign: bool = False

    def unavoidable(self, truth: Enclosure) -> Fraction:
        """The yardstick at K = 1."""
        return self.form.unit_roundoff * truth.magnitude + self.spread


def judge_rule(value: ProgramValue, truth: LocalTruth, threshold: Threshold) -> RuleVerdict:
    """The verdict on what a program returns in exact arithmetic; never raises.

    Law: a program whose value is the truth is RIGHT, CONVENTION or UNDEFINED.
    """
    match truth:
        case NoTruth(reason):
            return _without_truth(value, reason)
        case Undefined(reason, forbids_nan):
            fails = forbids_nan and value == NonFinite("nan")
            return RuleVerdict(kind=RuleClass.UNDEFINED, fails=fails, reason=f"{reason}{'; NaN' if fails else ''}")
        case Jump():
            return _at_jump(value)
        case Infinite(sign):
            return _at_infinity(value, sign)
        case Kink(left=left, right=right, sampled=sampled):
            low, high = sorted((left, right), key=lambda side: side.middle)
            verdict = _at_kink(value, low, high, threshold)
            return _beyond(verdict) if sampled and verdict.fails and value != NonFinite("nan") else verdict
        case Cusp(low=low, high=high):
            return _at_kink(value, low, high, threshold)
        case Enclosure():
            return _against(value, truth, threshold)


def judge_linear(
    value: ProgramValue, other: ProgramValue, scale: Fraction, beside: ProgramValue | None = None
) -> RuleVerdict | None:
    """WRONG where other seeds certainly give another derivative than `scale` times the value, and what stands `beside`
    it where these are no unit vectors.

    A derivative is linear in its tangent and in its cotangent; with unit seeds alone a rule that forgets, squares or
    clips them looks right.
    """
    due = value if beside is None else weighted_sum(((Fraction(1), value), (Fraction(1), beside)))
    if not isinstance(due, Enclosure):
        return None
    low, high = sorted((scale * due.lower, scale * due.upper))
    match other:
        case Enclosure() if other.upper < low or other.lower > high:
            found = decimal_text(other.middle, 6)
        case NonFinite(found):
            pass
        case _:
            return None
    seeds = "tangents and cotangents" if beside is None else "several cotangents together"
    reason = f"not linear: {seeds} times {float(scale):g} give {found} where {decimal_text((low + high) / 2, 6)} is due"
    return _wrong(reason, notes=(Note.NONLINEAR,))


def weighted_sum(terms: Iterable[tuple[Fraction, ProgramValue]]) -> ProgramValue:
    """The sum of values times weights; where one is none, the first that is."""
    low = high = Fraction(0)
    for weight, value in terms:
        if not isinstance(value, Enclosure):
            return value
        ends = sorted((weight * value.lower, weight * value.upper))
        low, high = low + ends[0], high + ends[1]
    return Enclosure(low, high)


def judge_value(beside: ProgramValue, value: ProgramValue, form: Format) -> RuleVerdict | None:
    """WRONG where the value that comes along with a derivative is certainly not the function's value.

    Rules return the value anew, and may compute it in another way, with literals of their own: they differ by more than
    half of the significand, or it is no difference.
    """
    if not isinstance(value, Enclosure):
        return None
    verdict = judge_rule(beside, value, Threshold(form=form))
    if verdict.kind is not RuleClass.WRONG:
        return None
    return _wrong(f"the value beside the derivative is not the function's: {verdict.reason}", notes=(Note.VALUE,))


def _without_truth(value: ProgramValue, reason: str) -> RuleVerdict:
    suspect = f"; the program returns {value.value}, which is suspect" if isinstance(value, NonFinite) else ""
    return RuleVerdict(kind=RuleClass.UNDECIDED, reason=reason + suspect)


def _at_jump(value: ProgramValue) -> RuleVerdict:
    if value == NonFinite("nan"):
        return _wrong("NaN at a jump of a finite function", notes=(Note.JUMP,))
    reason = "a jump: no derivative speaks about this point"
    return RuleVerdict(kind=RuleClass.CONVENTION, reason=reason, notes=(Note.JUMP,))


def _at_infinity(value: ProgramValue, sign: int) -> RuleVerdict:
    infinity = "inf" if sign > 0 else "-inf"
    match value:
        case NoTruth(reason):
            return RuleVerdict(kind=RuleClass.UNDECIDED, reason=reason)
        case NonFinite(found) if found == infinity:
            return RuleVerdict(kind=RuleClass.RIGHT, reason=f"the slope is {infinity} here")
        case NonFinite(found):
            return _wrong(f"{found} where the slope is {infinity}")
        case Enclosure():
            return _wrong(f"{decimal_text(value.middle, 6)} where the slope is {infinity}")


def _at_kink(value: ProgramValue, low: Enclosure | None, high: Enclosure | None, threshold: Threshold) -> RuleVerdict:
    """Between the one-sided derivatives (None: infinite), give or take the yardstick, any value is a convention."""
    sides = f"the one-sided derivatives {ends_text(low, high)}"
    match value:
        case NoTruth(reason):
            return RuleVerdict(kind=RuleClass.UNDECIDED, reason=reason)
        case NonFinite("nan"):
            return _wrong(f"NaN at a kink with {sides}")
        case NonFinite(found):
            open_end = high is None if found == "inf" else low is None
            return _convention(sides) if open_end else _wrong(f"{found} is outside {sides}")
        case Enclosure():
            return _inside(value, low, high, sides, threshold)


def _inside(
    value: Enclosure, low: Enclosure | None, high: Enclosure | None, sides: str, threshold: Threshold
) -> RuleVerdict:
    below = None if low is None else low.lower - K * threshold.unavoidable(low)
    above = None if high is None else high.upper + K * threshold.unavoidable(high)
    if (below is None or below <= value.lower) and (above is None or value.upper <= above):
        return _convention(sides)
    if (below is not None and value.upper < below) or (above is not None and value.lower > above):
        return _wrong(f"{decimal_text(value.middle, 6)} is outside {sides}")
    return RuleVerdict(kind=RuleClass.UNDECIDED, reason="the program's enclosure is too wide")


def _beyond(verdict: RuleVerdict) -> RuleVerdict:
    return RuleVerdict(kind=RuleClass.UNDECIDED, reason=f"{verdict.reason}, {BEYOND_SAMPLES}")


def _convention(sides: str) -> RuleVerdict:
    return RuleVerdict(kind=RuleClass.CONVENTION, reason=f"a kink: anything between {sides} is a convention")


def _against(value: ProgramValue, truth: Enclosure, threshold: Threshold) -> RuleVerdict:
    match value:
        case NoTruth(reason):
            return RuleVerdict(kind=RuleClass.UNDECIDED, reason=reason)
        case NonFinite(found):
            return _wrong(f"{found} where the truth is {decimal_text(truth.middle, 6)}")
        case Enclosure():
            return _finite(value, truth, threshold)


def _finite(value: Enclosure, truth: Enclosure, threshold: Threshold) -> RuleVerdict:
    unavoidable = threshold.unavoidable(truth)
    most = max(value.upper - truth.lower, truth.upper - value.lower)
    least = max(value.lower - truth.upper, truth.lower - value.upper, Fraction(0))
    if most <= K * unavoidable:
        return RuleVerdict(kind=RuleClass.RIGHT, bits=_shared_bits(most, truth))
    if least <= K * unavoidable:
        return RuleVerdict(kind=RuleClass.UNDECIDED, reason="the enclosures of program and truth are too wide")
    bits = _shared_bits(least, truth)
    if unavoidable and log2_of(least / unavoidable) <= failing_bits(threshold.form):
        reason = f"program and truth share {bits:.0f} bits"
        return RuleVerdict(kind=RuleClass.INEXACT, fails=threshold.foreign, bits=bits, reason=reason)
    return _wrong(f"{decimal_text(value.middle, 6)} where the truth is {decimal_text(truth.middle, 6)}", bits=bits)


def _shared_bits(error: Fraction, truth: Enclosure) -> float:
    if not error:
        return _CERTIFIED_BITS
    return max(0.0, min(_CERTIFIED_BITS, log2_of(truth.magnitude / error))) if truth.magnitude else 0.0


def _wrong(reason: str, *, bits: float | None = None, notes: tuple[Note, ...] = ()) -> RuleVerdict:
    return RuleVerdict(kind=RuleClass.WRONG, fails=True, bits=bits, reason=reason, notes=notes)


def log2_of(ratio: Fraction) -> float:
    """log2 of a positive rational, also where it is beyond the range of floats."""
    shift = ratio.numerator.bit_length() - ratio.denominator.bit_length()
    return shift + math.log2(ratio / Fraction(2) ** shift)
