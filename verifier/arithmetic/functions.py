"""What a row of the function table holds, and how a row becomes an operation on elements that never raises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from flint import arb, fmpq
from flint.utils.flint_exceptions import DomainError

from verifier.arithmetic.elements import NAN, NEG_INF, NEG_ZERO, POS_INF, Element, Special, Unknown, exact_ball

__all__ = ["FLINT_ERRORS", "Operation", "Row", "edges", "lift", "settle"]

Operation = Callable[..., Element]
# What FLINT's Python layer raises for arguments outside what it computes; all of it means "not known".
FLINT_ERRORS = (
    ValueError,
    OverflowError,
    ZeroDivisionError,
    ArithmeticError,
    NotImplementedError,
    TypeError,
    DomainError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A scalar function: its ball implementation and its IEEE results where that gives no finite ball.

    `ball` takes finite balls and may return anything: a non-finite ball means that it does not know. Then, and for
    infinite operands, `special` is asked (it sees neither NaN nor unknowns, unless `sees_nan`); its None means
    unknown. `odd`: f(-0) = -0.
    """

    name: str
    arity: int
    ball: Operation
    meaning: str
    special: Callable[..., Element | None] | None = None
    odd: bool = False
    sees_nan: bool = False


def lift(row: Row) -> Operation:
    """The operation on elements: one type check, one FLINT call, one finiteness check where all goes well."""
    return _LIFTS.get(row.arity, _lift_any)(row)


def _lift_unary(row: Row) -> Operation:
    ball, odd = row.ball, row.odd

    def operation(a: Element) -> Element:
        if type(a) is arb:
            if odd and a is NEG_ZERO:
                return a
            try:
                result = ball(a)
            except FLINT_ERRORS:
                return settle(row, (a,))
            if type(result) is not arb or result.is_finite():
                return result
        return settle(row, (a,))

    return operation


def _lift_binary(row: Row) -> Operation:
    """As `_lift_any`: nearly all operations have two operands, and a loop over them costs as much as the arithmetic."""
    ball = row.ball

    def operation(a: Element, b: Element) -> Element:
        if type(a) is arb and type(b) is arb:
            try:
                result = ball(a, b)
            except FLINT_ERRORS:
                return settle(row, (a, b))
            if type(result) is not arb or result.is_finite():
                return result
        return settle(row, (a, b))

    return operation


def _lift_any(row: Row) -> Operation:
    ball = row.ball

    def operation(*operands: Element) -> Element:
        for operand in operands:
            if type(operand) is not arb:
                return settle(row, operands)
        try:
            result = ball(*operands)
        except FLINT_ERRORS:
            return settle(row, operands)
        if type(result) is not arb or result.is_finite():
            return result
        return settle(row, operands)

    return operation


_LIFTS = {1: _lift_unary, 2: _lift_binary}


def settle(row: Row, operands: tuple[object, ...]) -> Element:
    """The result where the ball implementation gave none: NaN, an infinity, an exact limit, or unknown."""
    if any(isinstance(each, (int, Fraction, fmpq)) for each in operands):
        return lift(row)(*map(_as_element, operands))
    if not row.sees_nan:
        if any(each is NAN for each in operands):
            return NAN
        unknown = next((each for each in operands if isinstance(each, Unknown)), None)
        if unknown is not None:
            return unknown
    if row.special is not None:
        result = row.special(*operands)
        if result is not None:
            return exact_ball(result) if isinstance(result, int) else result
    return Unknown(f"{row.name}: the arguments are too wide, on an edge of the domain or beyond the range of balls")


def _as_element(value: object) -> Element:
    return exact_ball(value) if isinstance(value, (int, Fraction, fmpq)) else value  # pyright: ignore[reportReturnType]


Edge = Special | int | Callable[[], arb] | None


def edges(
    *,
    plus: Edge = None,
    minus: Edge = None,
    points: tuple[tuple[int, Special], ...] = (),
    outside: Callable[[arb], bool] | None = None,
) -> Callable[[Element], Element | None]:
    """The special results of a unary function: at +-inf, at exact points, and NaN certainly outside its domain."""

    def special(x: Element) -> Element | None:
        if x is POS_INF or x is NEG_INF:
            return _edge(plus if x is POS_INF else minus)
        assert type(x) is arb
        for point, result in points:
            if x.is_exact() and x == point:
                return result
        return NAN if outside is not None and outside(x) else None

    return special


def _edge(value: Edge) -> Element | None:
    if isinstance(value, int):
        return exact_ball(value)
    return value if value is None or isinstance(value, Special) else value()
