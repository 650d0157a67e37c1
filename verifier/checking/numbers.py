"""Is the number right? One point: what the device computed, against the truth and what rounding can explain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache, partial

import jax
import numpy as np

from verifier.arithmetic.floats import FORMATS, named
from verifier.arithmetic.rounding_table import measured_target
from verifier.checking.explaining import Explanation
from verifier.checking.route import Route
from verifier.execution.dtypes import numpy_dtype, x64_for
from verifier.judge.number import Yardstick, allowance, judge_number, unexplained
from verifier.model.verdict import NumberClass, NumberVerdict, Truth
from verifier.programs.extent import longest_sum
from verifier.programs.trace import Row

__all__ = ["Maker", "Numbers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """What made a number: a program, how it was compiled, and the place in the window of components."""

    row: Row
    compilation: str
    index: tuple[int, ...]


@dataclass(eq=False)
class Numbers:
    """The judgement of the numbers at one point; `own` is the dtype's own trace, `place` the point in its dtypes.

    `given` says that the user gave the point (SEMANTICS §12).
    """

    own: Route
    place: tuple[np.ndarray, ...]
    given: bool
    _explanations: dict[tuple[Row, str], tuple[Explanation, np.ndarray]] = field(default_factory=dict)
    _shares: dict[Row, Fraction] = field(default_factory=dict)

    def verdict(
        self, value: float, truth: Truth, dtype: str, maker: Maker, constants: Callable[[], Fraction]
    ) -> NumberVerdict:
        """`constants()` is sum |c_j dT/dc_j|, which the condition of the truth leaves out.

        What is LOSSY without it is asked again with it, and at a true zero in u S; what stays LOSSY, whether rounding
        can explain it.
        """
        explanation, position = self._explained(maker)
        judge = partial(self._judged, value, dtype, maker)
        found = judge(truth)
        if found.kind is NumberClass.LOSSY and truth.condition is not None:
            truth = replace(truth, condition=truth.condition + constants())
            found = judge(truth)
        if found.kind is NumberClass.LOSSY and truth.is_zero:
            found = judge(replace(truth, summands=explanation.summands(position)))
        if found.kind is NumberClass.LOSSY and explanation.explains(position, value) is False:
            return unexplained(found, explanation.reach(position))
        return self._flushed(found, explanation, position, value)

    def _flushed(self, found: NumberVerdict, explanation: Explanation, position: int, value: float) -> NumberVerdict:
        """What rounding explains only where an operand is flushed, as by a comparison that takes it for zero."""
        if found.kind is not NumberClass.LOSSY or not found.fails or found.reason.startswith(_FLUSHED):
            return found
        if (
            not explanation.explains(position, value)
            or explanation.explains_without_flushing(position, value) is not False
        ):
            return found
        return replace(_named_flushed(found), fails=self.given)

    def _judged(self, value: float, dtype: str, maker: Maker, truth: Truth) -> NumberVerdict:
        """At the user's own points flushing excuses nothing, at sampled ones it does.

        It is named where it matters, and only there: not where rounding alone may have made the number.
        """

        def judge(*, flushes: bool) -> NumberVerdict:
            share = self._share(maker.row)
            stick = Yardstick(form=named(dtype), allowance=share, flushes_subnormals=flushes)
            return judge_number(value, truth, stick)

        strict = judge(flushes=False)
        lenient = judge(flushes=True) if flushes_subnormals(dtype) else strict
        if (strict.kind, strict.fails) == (lenient.kind, lenient.fails):
            return strict
        explanation, position = self._explained(maker)
        if explanation.explains_without_flushing(position, value):
            return strict
        found = strict if self.given else lenient
        return _named_flushed(found)

    def _share(self, row: Row) -> Fraction:
        """K times what the program's longest sum adds to it."""
        if row not in self._shares:
            traced = self.own.tracing.program(row)
            jaxpr = (self.own.tracing.primal if isinstance(traced, str) else traced).jaxpr
            self._shares[row] = allowance(longest_sum(jaxpr))
        return self._shares[row]

    def _explained(self, maker: Maker) -> tuple[Explanation, int]:
        """What rounding can make of the program that made a number, and which entry of its results that is."""
        key = (maker.row, maker.compilation if maker.compilation in ("vmap", "remat") else "eager")
        if key not in self._explanations:
            self._explanations[key] = self._explanation(*key)
        explanation, positions = self._explanations[key]
        return explanation, int(positions[maker.index]) if positions.size else 0

    def _explanation(self, row: Row, style: str) -> tuple[Explanation, np.ndarray]:
        traced = self.own.tracing.program(row, style)
        target = measured_target(jax.default_backend())
        if isinstance(traced, str):
            return Explanation(None, self.place, None), np.empty(0, dtype=int)
        explanation = Explanation(traced.jaxpr, self.place, target, self.own.options(traced.jaxpr))
        return explanation, self.own.positions(traced, row.order)


_FLUSHED = "FLUSHED"


def _named_flushed(found: NumberVerdict) -> NumberVerdict:
    return replace(found, reason="; ".join(each for each in (_FLUSHED, found.reason) if each))


@cache
def flushes_subnormals(dtype: str) -> bool:
    """Whether compiled code turns half of the smallest normal number into zero."""
    with x64_for(dtype):
        kind = numpy_dtype(dtype)
        smallest = np.asarray(FORMATS[dtype].smallest_normal).astype(kind)
        return bool(jax.jit(lambda x, half: x * half == 0)(smallest, np.asarray(0.5).astype(kind)))
