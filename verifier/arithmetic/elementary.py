"""Rows of the function table: roots, exponentials, logarithms, circular and hyperbolic functions."""

from __future__ import annotations

from flint import arb

from verifier.arithmetic.elements import NAN, NEG_INF, NEG_ZERO, POS_INF, Element, Special, lower, sign_of, upper
from verifier.arithmetic.functions import Row, edges

__all__ = ["ROWS"]


def _half_pi() -> arb:
    return arb.pi() / 2


def _minus_half_pi() -> arb:
    return -arb.pi() / 2


def _sqrt(x: arb) -> arb:
    root = x.sqrt()
    return root if root.is_finite() or not x >= 0 else arb(0).union(upper(x).sqrt())


def _cbrt(x: arb) -> arb:
    """The real cube root; monotone, so a ball around 0 is enclosed by the roots of its ends."""
    if x > 0:
        return x.root(3)
    if x < 0:
        return -(-x).root(3)
    return x if x.is_zero() else _cbrt(lower(x)).union(_cbrt(upper(x)))


def _logistic(x: arb) -> arb:
    """1 / (1 + e^-x), written so that the exponential never overflows."""
    if x < 0:
        growth = x.exp()
        return growth / (1 + growth)
    return 1 / (1 + (-x).exp())


def _log2(x: arb) -> arb:
    return x.log_base(2)


def _log10(x: arb) -> arb:
    return x.log_base(10)


def _exp2(x: arb) -> arb:
    return arb(2) ** x


def _atan2(y: arb, x: arb) -> arb:
    angle = arb.atan2(y, x)
    return -angle if y is NEG_ZERO and x < 0 else angle


def _atan2_special(y: Element, x: Element) -> Element | None:
    """atan2 with an infinite operand: multiples of pi/4 by the signs (C17, F.10.1.4)."""
    side = -1 if y is NEG_ZERO else sign_of(y)
    if side is None and x is POS_INF:
        return arb(0)
    if side is None:
        return None
    if isinstance(y, Special):
        quarters = {POS_INF: 1, NEG_INF: 3}.get(x, 2) if isinstance(x, Special) else 2
    else:
        quarters = 0 if x is POS_INF else 4
    return (side if side else 1) * quarters * arb.pi() / 4


def _rsqrt_special(x: Element) -> Element | None:
    """1 / sqrt(+-0) is an infinity of that sign, as sqrt(-0) is -0 (IEEE 754-2019, 9.2.1)."""
    return NEG_INF if x is NEG_ZERO else _RSQRT_EDGES(x)


def _row(name: str, ball, meaning: str, special=None, *, odd: bool = False) -> Row:
    return Row(name=name, arity=1, ball=ball, meaning=meaning, special=special, odd=odd)


_OSCILLATES = edges(plus=NAN, minus=NAN)
_ODD_INFINITE = edges(plus=POS_INF, minus=NEG_INF)

_RSQRT_EDGES = edges(plus=0, minus=NAN, points=((0, POS_INF),), outside=lambda x: x < 0)

ROWS: tuple[Row, ...] = (
    _row("exp", arb.exp, "e^x", edges(plus=POS_INF, minus=0)),
    _row("exp2", _exp2, "2^x", edges(plus=POS_INF, minus=0)),
    _row("expm1", arb.expm1, "e^x - 1", edges(plus=POS_INF, minus=-1), odd=True),
    _row(
        "log",
        arb.log,
        "the natural logarithm",
        edges(plus=POS_INF, minus=NAN, points=((0, NEG_INF),), outside=lambda x: x < 0),
    ),
    _row(
        "log1p",
        arb.log1p,
        "log(1 + x)",
        edges(plus=POS_INF, minus=NAN, points=((-1, NEG_INF),), outside=lambda x: x < -1),
        odd=True,
    ),
    _row(
        "log2",
        _log2,
        "the logarithm to base 2",
        edges(plus=POS_INF, minus=NAN, points=((0, NEG_INF),), outside=lambda x: x < 0),
    ),
    _row(
        "log10",
        _log10,
        "the logarithm to base 10",
        edges(plus=POS_INF, minus=NAN, points=((0, NEG_INF),), outside=lambda x: x < 0),
    ),
    _row("sqrt", _sqrt, "the square root", edges(plus=POS_INF, minus=NAN, outside=lambda x: x < 0), odd=True),
    _row("rsqrt", arb.rsqrt, "1 / sqrt(x)", _rsqrt_special),
    _row("cbrt", _cbrt, "the real cube root", _ODD_INFINITE, odd=True),
    _row("sin", arb.sin, "the sine", _OSCILLATES, odd=True),
    _row("cos", arb.cos, "the cosine", _OSCILLATES),
    _row("tan", arb.tan, "the tangent", _OSCILLATES, odd=True),
    _row("asin", arb.asin, "the arc sine", edges(plus=NAN, minus=NAN, outside=lambda x: abs(x) > 1), odd=True),
    _row("acos", arb.acos, "the arc cosine", edges(plus=NAN, minus=NAN, outside=lambda x: abs(x) > 1)),
    _row("atan", arb.atan, "the arc tangent", edges(plus=_half_pi, minus=_minus_half_pi), odd=True),
    _row("sinh", arb.sinh, "the hyperbolic sine", _ODD_INFINITE, odd=True),
    _row("cosh", arb.cosh, "the hyperbolic cosine", edges(plus=POS_INF, minus=POS_INF)),
    _row("tanh", arb.tanh, "the hyperbolic tangent", edges(plus=1, minus=-1), odd=True),
    _row("asinh", arb.asinh, "the inverse of sinh", _ODD_INFINITE, odd=True),
    _row("acosh", arb.acosh, "the inverse of cosh", edges(plus=POS_INF, minus=NAN, outside=lambda x: x < 1)),
    _row(
        "atanh",
        arb.atanh,
        "the inverse of tanh",
        edges(plus=NAN, minus=NAN, points=((1, POS_INF), (-1, NEG_INF)), outside=lambda x: abs(x) > 1),
        odd=True,
    ),
    _row("logistic", _logistic, "1 / (1 + e^-x)", edges(plus=1, minus=0)),
    _row("sinc", arb.sinc, "sin(x) / x, 1 at 0", edges(plus=0, minus=0)),
    Row(name="atan2", arity=2, ball=_atan2, special=_atan2_special, meaning="the angle of (x, y), given y, x"),
)
