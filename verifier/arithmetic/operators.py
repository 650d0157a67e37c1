"""Rows of the function table: the four operations, powers, and the functions that jump or have kinks."""

from __future__ import annotations

from flint import arb

from verifier.arithmetic.elements import (
    BITS,
    NAN,
    NEG_INF,
    NEG_ZERO,
    POS_INF,
    Element,
    Special,
    Unknown,
    as_integer,
    exact_ball,
    lower,
    sign_of,
    upper,
)
from verifier.arithmetic.functions import Row, edges

__all__ = ["ROWS"]


def infinity(sign: int | None) -> Element | None:
    """The infinity of a sign; None where the sign is 0 or not certain."""
    return {1: POS_INF, -1: NEG_INF}.get(sign or 0)


def zero(sign: int | None) -> arb:
    """The zero of a sign."""
    return NEG_ZERO if sign == -1 else arb(0)


def _signed(x: Element) -> int | None:
    """The sign that x gives to a quotient: an exact zero counts by its own sign."""
    if type(x) is arb and x.is_zero():
        return -1 if x is NEG_ZERO else 1
    return sign_of(x)


def _times(a: int | None, b: int | None) -> int | None:
    return None if a is None or b is None else a * b


def _opposite(x: Special) -> Special:
    return {POS_INF: NEG_INF, NEG_INF: POS_INF, Special.NAN: NAN}[x]


def _add(a: arb, b: arb) -> Element:
    return NEG_ZERO if a is NEG_ZERO and b is NEG_ZERO else a + b


def _add_special(a: Element, b: Element) -> Element | None:
    infinite = [each for each in (a, b) if isinstance(each, Special)]
    if not infinite:
        return None
    return NAN if len(infinite) == 2 and a is not b else infinite[0]


def _sub(a: arb, b: arb) -> Element:
    return arb(0) if a is b else a - b


def _sub_special(a: Element, b: Element) -> Element | None:
    return _add_special(a, _opposite(b) if isinstance(b, Special) else b)


def _mul(a: arb, b: arb) -> Element:
    product = a * b
    return zero(_times(_signed(a), _signed(b))) if product.is_zero() else product


def _mul_special(a: Element, b: Element) -> Element | None:
    if not (isinstance(a, Special) or isinstance(b, Special)):
        return None
    if sign_of(a) == 0 or sign_of(b) == 0:
        return NAN
    return infinity(_times(sign_of(a), sign_of(b)))


def _div(a: arb, b: arb) -> Element:
    if a is b and not a.contains(0):
        return arb(1)
    quotient = a / b
    return zero(_times(_signed(a), _signed(b))) if quotient.is_zero() else quotient


def _div_special(a: Element, b: Element) -> Element | None:
    if isinstance(b, Special):
        return NAN if isinstance(a, Special) else zero(_times(_signed(a), sign_of(b)))
    if sign_of(b) == 0 and sign_of(a) == 0:
        return NAN
    if isinstance(a, Special) or sign_of(b) == 0:
        return infinity(_times(sign_of(a), _signed(b)))
    return None


def _neg(a: arb) -> Element:
    if a.is_zero():
        return arb(0) if a is NEG_ZERO else NEG_ZERO
    return -a


def _integer_pow(x: arb, n: arb) -> Element:
    exponent = as_integer(n)
    if exponent is None:
        return Unknown("integer_pow: the exponent is no exact integer")
    return x**n


def _integer_pow_special(x: Element, n: Element) -> Element | None:
    return _pow_special(x, n) if as_integer(n) is not None else None


def _pow(x: arb, y: arb) -> Element:
    power = x**y
    if not power.is_finite() and x >= 0 and y > 0 and y.is_exact():
        return arb(0).union(upper(x) ** y)
    return power


def _pow_special(x: Element, y: Element) -> Element | None:
    """Powers by IEEE 754-2019, 9.2.1: x^0 = 1 and 1^y = 1 even for NaN."""
    if sign_of(y) == 0 or (type(x) is arb and x.is_exact() and x == 1):
        return arb(1)
    unknown = next((each for each in (x, y) if isinstance(each, Unknown)), None)
    if unknown is not None or x is NAN or y is NAN:
        return unknown if unknown is not None else NAN
    if isinstance(y, Special):
        return _pow_infinite(x, 1 if y is POS_INF else -1)
    assert type(y) is arb
    if isinstance(x, Special) or sign_of(x) == 0:
        return _pow_edge(x, y)
    return NAN if sign_of(x) == -1 and not y.contains_integer() else None


def _pow_infinite(x: Element, sign: int) -> Element | None:
    if isinstance(x, Special):
        return POS_INF if sign > 0 else arb(0)
    assert type(x) is arb
    size = abs(x)
    if size.is_exact() and size == 1:
        return arb(1)
    grows = size > 1 if sign > 0 else size < 1
    shrinks = size < 1 if sign > 0 else size > 1
    return POS_INF if grows else arb(0) if shrinks else None


def _pow_edge(x: Element, y: arb) -> Element | None:
    """x^y for x = +-0 or +-inf: a zero or an infinity, negative only for an odd integer y."""
    n, sign = as_integer(y), sign_of(y)
    if sign is None or (n is None and y.contains_integer() and not y.is_exact() and _signed(x) == -1):
        return None
    negative = -1 if _signed(x) == -1 and n is not None and n % 2 else 1
    return infinity(negative) if (sign > 0) == isinstance(x, Special) else zero(negative)


def _square(x: arb) -> Element:
    return x**2


def _sign(x: arb) -> Element:
    sign = sign_of(x)
    return Unknown("sign of a ball that contains 0", BITS) if sign is None else exact_ball(sign)


def _floor(x: arb) -> Element:
    """The common floor of both ends; the ends are points, so an integer end is exact."""
    if x.is_exact() and x.is_integer():
        return x
    if x.rad() > 1:
        return Unknown("floor of a ball that contains an integer", BITS)
    low, high = _floor_of_point(lower(x)), _floor_of_point(upper(x))
    return exact_ball(low) if low == high else Unknown("floor of a ball that contains an integer", BITS)


def _floor_of_point(x: arb) -> int:
    mantissa, exponent = x.man_exp()
    return int(mantissa) << int(exponent) if exponent >= 0 else int(mantissa) >> int(-exponent)


def _ceil(x: arb) -> Element:
    below = _floor(-x)
    if type(below) is not arb:
        return Unknown("ceil of a ball that contains an integer", BITS)
    return zero(-1 if x < 0 else 1) if below.is_zero() else -below


def _round_half_even(x: arb) -> Element:
    if x.is_exact() and x.is_integer():
        return x
    twice = as_integer(x * 2) if x.is_exact() else None
    if twice is not None:
        return exact_ball(twice // 2 + (twice // 2) % 2)
    nearest = _floor(x + arb(1) / 2)
    return nearest if type(nearest) is arb else Unknown("rounding a ball that contains a tie", BITS)


def _trunc(x: arb) -> Element:
    return _ceil(x) if x < 0 else _floor(x)


def _rem(a: arb, b: arb) -> Element:
    """a - b trunc(a / b), the sign of a (C's fmod)."""
    quotient = a / b
    if not quotient.is_finite():
        return quotient
    whole = _trunc(quotient)
    return a - b * whole if type(whole) is arb else Unknown("rem: the quotient's integer part is undecided", BITS)


def _rem_special(a: Element, b: Element) -> Element | None:
    if isinstance(a, Special) or sign_of(b) == 0:
        return NAN
    return a if isinstance(b, Special) else None


def _max(a: arb, b: arb) -> Element:
    return a if a is b or a > b else b if b > a else a.max(b)


def _min(a: arb, b: arb) -> Element:
    return a if a is b or a < b else b if b < a else a.min(b)


def _max_special(a: Element, b: Element) -> Element:
    return POS_INF if a is POS_INF or b is POS_INF else b if a is NEG_INF else a


def _min_special(a: Element, b: Element) -> Element:
    return NEG_INF if a is NEG_INF or b is NEG_INF else b if a is POS_INF else a


_ODD_INFINITE = edges(plus=POS_INF, minus=NEG_INF)

ROWS: tuple[Row, ...] = (
    Row(name="add", arity=2, ball=_add, special=_add_special, meaning="a + b"),
    Row(name="sub", arity=2, ball=_sub, special=_sub_special, meaning="a - b; the same element twice gives exactly 0"),
    Row(name="mul", arity=2, ball=_mul, special=_mul_special, meaning="a b"),
    Row(name="div", arity=2, ball=_div, special=_div_special, meaning="a / b; an exact zero divides by its sign"),
    Row(name="neg", arity=1, ball=_neg, special=edges(plus=NEG_INF, minus=POS_INF), meaning="-a"),
    Row(name="pow", arity=2, ball=_pow, special=_pow_special, sees_nan=True, meaning="x^y, y real"),
    Row(name="integer_pow", arity=2, ball=_integer_pow, special=_integer_pow_special, meaning="x^n, n an integer"),
    Row(name="square", arity=1, ball=_square, special=edges(plus=POS_INF, minus=POS_INF), meaning="x^2"),
    Row(name="abs", arity=1, ball=arb.__abs__, special=edges(plus=POS_INF, minus=POS_INF), meaning="|x|"),
    Row(name="sign", arity=1, ball=_sign, special=edges(plus=1, minus=-1), odd=True, meaning="-1, 0 or 1"),
    Row(name="floor", arity=1, ball=_floor, special=_ODD_INFINITE, odd=True, meaning="the integer at or below"),
    Row(name="ceil", arity=1, ball=_ceil, special=_ODD_INFINITE, odd=True, meaning="the integer at or above"),
    Row(name="trunc", arity=1, ball=_trunc, special=_ODD_INFINITE, odd=True, meaning="the integer towards 0"),
    Row(
        name="round_half_even",
        arity=1,
        ball=_round_half_even,
        special=_ODD_INFINITE,
        odd=True,
        meaning="the nearest integer, ties to even",
    ),
    Row(name="rem", arity=2, ball=_rem, special=_rem_special, meaning="a - b trunc(a / b)"),
    Row(name="max", arity=2, ball=_max, special=_max_special, meaning="the larger; NaN wins"),
    Row(name="min", arity=2, ball=_min, special=_min_special, meaning="the smaller; NaN wins"),
)
