"""Germ arithmetic: the number system whose elements are one-sided expansions, t -> 0+.

A second route to derivatives that uses no derivative rule: along x = x0 + direction t the k-th one-sided derivative
is read off the expansion (see `one_sided`). Elements are `Germ`, or as in ball arithmetic a definite special or
unknown.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

import numpy as np
from flint import arb, fmpq

from verifier.arithmetic import germ_matrices
from verifier.arithmetic.ball import generic_matmul
from verifier.arithmetic.elements import (
    EITHER,
    KINK,
    NAN,
    Decision,
    Special,
    Unbounded,
    Unknown,
    plain,
)
from verifier.arithmetic.elements import compare as compare_balls
from verifier.arithmetic.expansion import (
    Coefficient,
    Exponent,
    Germ,
    add,
    ball_of,
    constant_germ,
    constant_term,
    is_constant,
    monomial,
    sign_near_zero,
)
from verifier.arithmetic.functions import FLINT_ERRORS
from verifier.arithmetic.germ_elementary import GERM_ELEMENTARY, GermFunction, Quit, germ_sub
from verifier.arithmetic.germ_special import GERM_SPECIAL
from verifier.arithmetic.powers import GermElement, Regular, split
from verifier.arithmetic.precision import current_precision, working_precision
from verifier.arithmetic.taylor import NotRegular
from verifier.arithmetic.vocabulary import OPERATIONS, constant, row

__all__ = ["GermSystem", "as_ball", "from_ball"]

GERM_FUNCTIONS = {**GERM_ELEMENTARY, **GERM_SPECIAL}
# Exact constants stay rational under these: the balls of the others round.
_RATIONAL = frozenset(
    {"add", "sub", "mul", "div", "neg", "integer_pow", "square", "abs", "sign", "floor", "ceil", "max", "min"}
)
_RATIONAL_AT_SPECIAL_POINTS = frozenset(
    {
        "exp",
        "exp2",
        "expm1",
        "log",
        "log1p",
        "sin",
        "cos",
        "tan",
        "asin",
        "atan",
        "sinh",
        "cosh",
        "tanh",
        "asinh",
        "atanh",
    }
    | {"sqrt", "rsqrt", "cbrt", "pow", "logistic", "erf", "erfc"}
)


@dataclass(frozen=True, slots=True)
class GermSystem:
    """Germs with coefficients rounded to `bits` bits (rationals stay exact) and series cut at O(t^order)."""

    bits: int = 128
    order: Exponent = 8

    def working(self) -> AbstractContextManager[None]:
        """The block in which this system's precision is the current one."""
        return working_precision(self.bits)

    def exact(self, value: Fraction | int) -> Germ:
        """The constant germ of a rational, exactly."""
        return constant_germ(_rational(value))

    def constant(self, name: str) -> Germ:
        """pi, e, euler, log2, log10 or catalan."""
        with self.working():
            return constant_germ(constant(name))

    def variable(self, at: Fraction | int, direction: Fraction | int = 1) -> Germ:
        """at + direction t: direction 1 looks to the right of the point, -1 to its left."""
        return add(constant_germ(_rational(at)), monomial(_rational(direction), 1))

    def at_infinity(self, sign: int = 1) -> Germ:
        """sign / t: an input that tends to plus or minus infinity."""
        return monomial(fmpq(sign), -1)

    def operation(self, name: str) -> GermFunction:
        """The bare operation of a name, for compiled kernels that run inside `working()`."""
        row(name)
        return partial(_operate, name, self.order)

    def apply(self, name: str, *operands: GermElement | Fraction | int) -> GermElement:
        """The function of that name (see `vocabulary.FUNCTIONS`) of the operands."""
        row(name)
        if current_precision() == self.bits:
            return _operate(name, self.order, *operands)
        with self.working():
            return _operate(name, self.order, *operands)

    def compare(self, relation: str, a: GermElement, b: GermElement) -> Decision:
        """Whether a relation b for all small t > 0: by the sign of the dominant term of a - b."""
        if isinstance(a, Unknown) or isinstance(b, Unknown):
            order = _order_of_limits(a, b)
            return None if order is None else compare_balls(relation, arb(order), arb(0))
        if isinstance(a, Germ) and isinstance(b, Germ):
            with self.working():
                sign = sign_near_zero(germ_sub(a, b))
            return None if isinstance(sign, Unknown) else compare_balls(relation, arb(sign), arb(0))
        # Against an infinity or NaN every germ is like a finite number, even one that grows: t is positive.
        left, right = (arb(0) if isinstance(each, Germ) else each for each in (a, b))
        return compare_balls(relation, left, right)

    def select(self, condition: Decision, a: GermElement, b: GermElement) -> GermElement:
        """a where the condition holds, else b; the branch not taken is discarded whatever it is."""
        if a is b:
            return a
        if condition is None:
            return Unknown("select: its condition is undecided", EITHER)
        return a if condition else b

    def kink(self) -> Unknown:
        """A derivative exactly at a kink or a jump: neither more precision nor a higher order would help."""
        return KINK

    def matmul(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """The matrix product of two object arrays, (m, k) and (k, n), as an object array (m, n)."""
        if not germ_matrices.is_worthwhile(a, b):
            return generic_matmul(self, a, b)
        with self.working():
            return germ_matrices.product(a, b, self.order)


def _rational(value: Fraction | int | fmpq) -> fmpq:
    return fmpq(value.numerator, value.denominator) if isinstance(value, Fraction) else fmpq(value)


def from_ball(element: arb | Special | Unknown) -> GermElement:
    """The constant germ of a ball; specials and unknowns are the same in both systems."""
    return constant_germ(_exact_if_short(element)) if type(element) is arb else element  # pyright: ignore


def _exact_if_short(ball: arb) -> Coefficient:
    """An exact ball as a rational: then later cancellations are exact too."""
    if not ball.is_exact():
        return ball
    mantissa, exponent = (int(part) for part in ball.man_exp())
    if abs(exponent) > 2000:
        return ball
    return fmpq(mantissa << exponent) if exponent >= 0 else fmpq(mantissa, 1 << -exponent)


def as_ball(element: GermElement) -> arb | Special | Unknown | None:
    """The constant's ball, or the special or unknown itself; None for a germ that varies."""
    if not isinstance(element, Germ):
        return element
    return ball_of(constant_term(element)) if is_constant(element) else None


def _operate(name: str, order: Exponent, *operands: GermElement | Fraction | int | fmpq) -> GermElement:
    germs = tuple(
        constant_germ(_rational(each)) if isinstance(each, (int, Fraction, fmpq)) else each for each in operands
    )
    varying = tuple(each for each in germs if isinstance(each, Germ))
    if len(varying) == len(germs):
        return _of_germs(name, order, varying)
    return _with_specials(name, order, germs)


def _of_germs(name: str, order: Exponent, germs: tuple[Germ, ...]) -> GermElement:
    try:
        if name in _ALWAYS_GERMS or not all(map(is_constant, germs)):
            function = GERM_FUNCTIONS.get(name)
            return Unknown(f"{name} has no germ rule", "") if function is None else function(order, *germs)
    except NotRegular as reason:
        if not all(map(is_constant, germs)):
            return Unknown(str(reason))
    except Quit as early:
        if not all(map(is_constant, germs)):
            return plain(early.outcome)
    except FLINT_ERRORS as error:
        return Unknown(f"{name}: {error}")
    return from_ball(OPERATIONS[name](*map(as_ball, germs)))


_ALWAYS_GERMS = _RATIONAL | _RATIONAL_AT_SPECIAL_POINTS


def _with_specials(name: str, order: Exponent, operands: tuple[GermElement, ...]) -> GermElement:
    """An operand is special or unknown: by IEEE rules, a varying germ standing for its sign."""
    if name in _EXTREMES and (order_of_both := _order_of_limits(*operands)) is not None:
        return operands[0] if order_of_both == _EXTREMES[name] else operands[1]
    operands = tuple(map(plain, operands))
    balls = tuple(_representative(each) for each in operands)
    if name not in _BY_SIGN and any(ball is None for ball in map(as_ball, operands)):
        return _varying_beside_special(name, operands)
    result = OPERATIONS[name](*balls)
    if type(result) is not arb:
        return result  # pyright: ignore[reportReturnType]
    kept = next((each for each, ball in zip(operands, balls, strict=True) if ball is result), None)
    return kept if kept is not None else from_ball(result)


_EXTREMES = {"max": 1, "min": -1}


def _order_of_limits(a: GermElement, b: GermElement) -> int | None:
    """1 or -1 as a lies above or below b for all small t, where one of them is known by its limit alone; else None."""
    if not any(isinstance(each, Unbounded) for each in (a, b)):
        return None
    left, right = _height(a), _height(b)
    return None if left is None or right is None or left == right else 1 if left > right else -1


def _height(element: GermElement) -> int | None:
    """Where it ends: 0 at a number, 1 beyond all numbers, 2 at infinity; None where that is not known."""
    match element:
        case Unbounded():
            return element.sign
        case Germ():
            return 0 if isinstance(split(element), Regular) else None
        case Special():
            return {"inf": 2, "-inf": -2}.get(element.value)
    return None


_BY_SIGN = frozenset({"add", "sub", "mul", "div", "neg", "abs", "max", "min"})


def _representative(element: GermElement) -> arb | Special | Unknown:
    """The ball of a constant; for a germ that varies 1, -1, 0 or an undecided ball, by its sign."""
    ball = as_ball(element)
    if ball is not None:
        return ball
    assert isinstance(element, Germ)
    sign = sign_near_zero(element)
    return arb(0, 1) if isinstance(sign, Unknown) else arb(sign)


def _varying_beside_special(name: str, operands: tuple[GermElement, ...]) -> GermElement:
    if any(each is NAN for each in operands) and name != "pow":
        return NAN
    unknown = next((each for each in operands if isinstance(each, Unknown)), None)
    return unknown if unknown is not None else Unknown(f"{name} of a varying germ and an infinity", "")
