"""S of SEMANTICS §4: how large the summands were that a result is the sum of.

Every element carries a weight beside its value: an addition's is the size of both summands, any other operation passes
on the weights of its operands by as much as it passes on a change of them. A result that is 0 has errors of size u S.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb

from verifier.arithmetic.ball import BallSystem
from verifier.arithmetic.elements import Decision, Element, Unknown
from verifier.truth.jaxprs import evaluate
from verifier.truth.values import boxed

__all__ = ["largest_addition"]

# How far operands are moved to see how far the result moves: small against them, large against the precision.
_SHIFT = Fraction(1, 2**40)


def largest_addition(
    closed_jaxpr: Any, arguments: Sequence[Any], *, bits: int = 256, **options: Any
) -> list[np.ndarray]:
    """For each entry of each result the largest sum of |summands| of its last additions, as a ball or Unknown.

    At least the entry's own size. Integer results stay what they are; `options` are those of `evaluate`.
    """
    system = _WeighedSystem(BallSystem(bits))
    results = evaluate(closed_jaxpr, arguments, system, **options)
    with system.working():
        return [boxed(np.frompyfunc(_size, 1, 1)(each)) if each.dtype == object else each for each in results]


@dataclass(frozen=True, slots=True, eq=False)
class _Weighed:
    """A value and the size of the summands that it stands for (a finite ball, at least 0)."""

    value: arb
    weight: arb


@dataclass(frozen=True, slots=True)
class _WeighedSystem:
    """Balls with weights; what is no finite ball carries none."""

    balls: BallSystem

    def working(self) -> AbstractContextManager[None]:
        return self.balls.working()

    def exact(self, value: Fraction | int) -> _Weighed:
        return _Weighed(self.balls.exact(value), arb(0))

    def constant(self, name: str) -> _Weighed:
        return _Weighed(self.balls.constant(name), arb(0))

    def compare(self, relation: str, a: Any, b: Any) -> Decision:
        return self.balls.compare(relation, _value(a), _value(b))

    def operation(self, name: str) -> Callable[..., Any]:
        function = self.balls.operation(name)
        if name in ("add", "sub"):
            return lambda a, b: _sum(function, a, b)
        return lambda *operands: _passed_on(function, operands)


def _value(x: Any) -> Element:
    return x.value if isinstance(x, _Weighed) else x


def _size(x: Any) -> Any:
    return abs(x.value).upper().max(x.weight) if isinstance(x, _Weighed) else Unknown("the value is not finite", "")


def _sum(function: Callable[..., Any], a: Any, b: Any) -> Any:
    total = function(_value(a), _value(b))
    if type(total) is not arb or not (isinstance(a, _Weighed) and isinstance(b, _Weighed)):
        return total
    return _Weighed(total, _size(a) + _size(b))


def _passed_on(function: Callable[..., Any], operands: tuple[Any, ...]) -> Any:
    result = function(*map(_value, operands))
    if type(result) is not arb:
        return result
    if not any(isinstance(each, _Weighed) and not each.weight.is_zero() for each in operands):
        return _Weighed(result, arb(0))
    shift = arb(_SHIFT.numerator) / _SHIFT.denominator
    moved = function(*(_moved(each, shift) for each in operands))
    if type(moved) is not arb:
        return _Weighed(result, abs(result).upper())
    return _Weighed(result, (moved - result).abs_upper() / shift)


def _moved(x: Any, shift: arb) -> Any:
    return x.value + arb(0, 1) * x.weight * shift if isinstance(x, _Weighed) else x
