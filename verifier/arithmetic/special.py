"""Rows of the function table: error, gamma, zeta and Bessel functions, real arguments and real results.

Where FLINT's real function is undefined on part of the real line the complex one is used and its real part taken.
"""

from __future__ import annotations

from flint import acb, arb

from verifier.arithmetic.elements import NAN, NEG_INF, POS_INF, Element, Special, Unknown, as_integer, sign_of
from verifier.arithmetic.functions import Row, edges

__all__ = ["ROWS", "log_abs_gamma", "polygamma"]


def _is_pole(x: Element) -> bool:
    """Whether x is exactly 0 or a negative integer, a pole of gamma."""
    n = as_integer(x)
    return n is not None and n <= 0


def log_abs_gamma(x: arb) -> arb:
    """log |gamma(x)| on either side of 0."""
    return x.lgamma() if x > 0 else acb(x).lgamma().real


def _lgamma_special(x: Element) -> Element | None:
    return POS_INF if isinstance(x, Special) or _is_pole(x) else None


def _gamma_special(x: Element) -> Element | None:
    if isinstance(x, Special):
        return x if x is POS_INF else NAN
    return None if not _is_pole(x) else POS_INF if sign_of(x) == 0 else NAN


def _digamma_special(x: Element) -> Element | None:
    if isinstance(x, Special):
        return x if x is POS_INF else NAN
    return NAN if _is_pole(x) else None


def polygamma(n: arb, x: arb) -> Element:
    """The n-th derivative of digamma: (-1)^(n+1) n! zeta(n+1, x) for x > 0, the complex function elsewhere.

    Source: DLMF 5.15.1 and 25.11.12.
    """
    order = as_integer(n)
    if order is None or order < 0:
        return Unknown("polygamma: the order is no exact natural number")
    if order == 0:
        return x.digamma()
    if x > 0:
        return (-1) ** (order + 1) * arb(order).fac() * arb(order + 1).zeta(x)
    return acb(x).polygamma(order).real


def _polygamma_special(n: Element, x: Element) -> Element | None:
    """Poles of even multiplicity go to +inf on both sides; the others have no sign."""
    order = as_integer(n)
    if order is None or order < 0:
        return None
    if order == 0:
        return _digamma_special(x)
    if isinstance(x, Special):
        return arb(0) if x is POS_INF else NAN
    return None if not _is_pole(x) else POS_INF if order % 2 else NAN


def _zeta(s: arb, q: arb) -> Element:
    """Hurwitz's zeta function, continued analytically where that is real."""
    value = s.zeta(q)
    if value.is_finite():
        return value
    continued = acb(s).zeta(acb(q))
    if not continued.imag.contains(0):
        return NAN
    is_real = q > 0 or as_integer(s) is not None
    return continued.real if is_real else Unknown("zeta: real for a negative q only at integer s")


def _zeta_special(s: Element, q: Element) -> Element | None:
    if type(s) is not arb or type(q) is not arb:
        return None
    return POS_INF if as_integer(s) == 1 or (_is_pole(q) and s > 1) else None


def _igamma(a: arb, x: arb) -> Element:
    if a > 0 and x.is_zero():
        return arb(0)
    return x.gamma_lower(a, 1) if a > 0 and x >= 0 else _outside_igamma(a, x)


def _igammac(a: arb, x: arb) -> Element:
    if a > 0 and x.is_zero():
        return arb(1)
    return x.gamma_upper(a, 1) if a > 0 and x >= 0 else _outside_igamma(a, x)


def _outside_igamma(a: arb, x: arb) -> Element:
    return NAN if a < 0 or x < 0 else Unknown("incomplete gamma: needs a > 0 and x >= 0 for certain")


def _igamma_special(a: Element, x: Element) -> Element | None:
    return arb(1) if x is POS_INF and sign_of(a) == 1 and not isinstance(a, Special) else None


def _igammac_special(a: Element, x: Element) -> Element | None:
    return arb(0) if x is POS_INF and sign_of(a) == 1 and not isinstance(a, Special) else None


def _betainc(a: arb, b: arb, x: arb) -> Element:
    """The regularised incomplete beta function I_x(a, b)."""
    if x < 0 or x > 1 or a < 0 or b < 0:
        return NAN
    if a > 0 and b > 0 and (as_integer(x) is not None):
        return x
    return x.beta_lower(a, b, 1)


def _on_half_line(name: str):
    """A Bessel function of a real order: for a negative x it is real only where the order is an integer."""

    def ball(n: arb, x: arb) -> Element:
        if x < 0 and not n.contains_integer():
            return NAN
        return getattr(x, name)(n)

    return ball


def _on_positive(name: str):
    """Y and K, which are real for positive x only."""

    def ball(n: arb, x: arb) -> Element:
        return NAN if x < 0 else getattr(x, name)(n)

    return ball


def _besseli(n: arb, x: arb) -> Element:
    if x < 0:
        order = as_integer(n)
        if order is None:
            return NAN if not n.contains_integer() else Unknown("besseli: the order is not known to be an integer")
        return (-1) ** order * (-x).bessel_i(n)
    return x.bessel_i(n)


def _scaled_besseli(order: int):
    """e^-|x| I_n(x) for n = 0, 1."""

    def ball(x: arb) -> arb:
        if x >= 0:
            return x.bessel_i(order, True)
        if x < 0:
            return (-1) ** order * (-x).bessel_i(order, True)
        return x.bessel_i(order) * (-abs(x)).exp()

    return ball


def _bessel_special(plus: Element, at_zero: Special | None = None):
    def special(n: Element, x: Element) -> Element | None:
        if isinstance(n, Special):
            return None
        if x is POS_INF:
            return plus
        return at_zero if sign_of(x) == 0 and as_integer(n) is not None else None

    return special


def _unary(name: str, ball, meaning: str, special=None, *, odd: bool = False) -> Row:
    return Row(name=name, arity=1, ball=ball, meaning=meaning, special=special, odd=odd)


def _order_and(name: str, ball, meaning: str, special=None) -> Row:
    return Row(name=name, arity=2, ball=ball, meaning=meaning, special=special)


_ERF_INV = edges(plus=NAN, minus=NAN, points=((1, POS_INF), (-1, NEG_INF)), outside=lambda x: abs(x) > 1)

ROWS: tuple[Row, ...] = (
    _unary("erf", arb.erf, "the error function", edges(plus=1, minus=-1), odd=True),
    _unary("erfc", arb.erfc, "1 - erf(x)", edges(plus=0, minus=2)),
    _unary("erf_inv", arb.erfinv, "the inverse of erf", _ERF_INV, odd=True),
    _unary("lgamma", log_abs_gamma, "log |gamma(x)|", _lgamma_special),
    _unary("gamma", arb.gamma, "the gamma function", _gamma_special),
    _unary("digamma", arb.digamma, "gamma'(x) / gamma(x)", _digamma_special),
    _order_and("polygamma", polygamma, "the n-th derivative of digamma, given n, x", _polygamma_special),
    _order_and("zeta", _zeta, "Hurwitz's zeta function, given s, q", _zeta_special),
    _order_and("igamma", _igamma, "the lower regularised incomplete gamma function, given a, x", _igamma_special),
    _order_and("igammac", _igammac, "the upper regularised incomplete gamma function, given a, x", _igammac_special),
    Row(name="betainc", arity=3, ball=_betainc, meaning="the regularised incomplete beta function, given a, b, x"),
    _order_and("besselj", _on_half_line("bessel_j"), "J_n(x), given n, x", _bessel_special(arb(0))),
    _order_and("bessely", _on_positive("bessel_y"), "Y_n(x), given n, x", _bessel_special(arb(0), NEG_INF)),
    _order_and("besseli", _besseli, "I_n(x), given n, x", _bessel_special(POS_INF)),
    _order_and("besselk", _on_positive("bessel_k"), "K_n(x), given n, x", _bessel_special(arb(0), POS_INF)),
    _unary("i0e", _scaled_besseli(0), "e^-|x| I_0(x)", edges(plus=0, minus=0)),
    _unary("i1e", _scaled_besseli(1), "e^-|x| I_1(x)", edges(plus=0, minus=0), odd=True),
)
