"""Special functions of germs: Taylor series in the last argument, expansions at poles and at 0 where simple.

Every entry of `GERM_SPECIAL` maps (order, germ, ...) to a germ, a definite special or unknown, at the current
precision. Where another argument than the last varies, too (the order of a Bessel function, a of igamma), the
function is expanded along the curve of all its arguments, away from its singular points.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import factorial
from types import MappingProxyType

from flint import arb, fmpq

from verifier.arithmetic.analytic import ANALYTIC, along_curve
from verifier.arithmetic.elements import Unknown, as_integer
from verifier.arithmetic.expansion import (
    Coefficient,
    Exponent,
    Germ,
    add,
    ball_of,
    constant_germ,
    constant_term,
    is_constant,
    multiply,
    negate,
    scale,
    unit,
)
from verifier.arithmetic.germ_elementary import GERM_ELEMENTARY, GermFunction, chain, germ_sub
from verifier.arithmetic.powers import GermElement, Regular, divide, exponential, logarithm, power, split, substitute
from verifier.arithmetic.taylor_special import (
    TAYLOR_SPECIAL,
    bessel_power_series,
    beta_density_at_zero,
    polygamma_order,
)

__all__ = ["GERM_SPECIAL"]

Parameters = tuple[Coefficient, ...]
# gamma and its kin are shifted over at most this many poles, by their recurrences.
_MOST_SHIFTS = 400
Exceptional = Callable[[Exponent, Parameters, Regular, Germ], GermElement | None]


def _in_last(name: str, exceptional: Exceptional | None = None) -> GermFunction:
    """A function of constants and one germ, the last: `exceptional` goes first where the limit is a special point."""
    taylor = TAYLOR_SPECIAL[name]

    def function(order: Exponent, *operands: Germ) -> GermElement:
        *fixed, germ = operands
        if not all(map(is_constant, fixed)):
            return _in_all(name, order, operands)
        parameters = tuple(map(constant_term, fixed))
        limit = split(germ)
        if not isinstance(limit, Regular):
            return limit if isinstance(limit, Unknown) else Unknown(f"{name} at infinity has no germ rule", "")
        result = exceptional(order, parameters, limit, germ) if exceptional is not None else None
        if result is not None:
            return result
        return substitute(limit.delta, lambda count: taylor(parameters, limit.constant, count), order)

    return function


def _in_all(name: str, order: Exponent, operands: tuple[Germ, ...]) -> GermElement:
    """A function whose other arguments vary, too."""
    if name not in ANALYTIC:
        return Unknown(f"{name}: its derivative in the other arguments has no rule", "")
    return along_curve(name, order, *operands)


def _pole(limit: Regular) -> int | None:
    """m where the limit is exactly -m, a pole of gamma (m natural)."""
    n = as_integer(ball_of(limit.constant))
    return -n if n is not None and -_MOST_SHIFTS <= n <= 0 else None


def _factors(germ: Germ, m: int) -> list[Germ]:
    """x, x + 1, ..., x + m."""
    return [add(germ, constant_germ(fmpq(i))) for i in range(m + 1)]


def _lgamma_at_pole(order: Exponent, parameters: Parameters, limit: Regular, germ: Germ) -> GermElement | None:
    """lgamma x = lgamma(x + m + 1) - sum log |x + i|."""
    m = _pole(limit)
    if m is None:
        return None
    result = chain(GERM_SPECIAL["lgamma"](order, add(germ, constant_germ(fmpq(m + 1)))))
    for factor in _factors(germ, m):
        size = chain(GERM_ELEMENTARY["abs"](order, factor))
        result = germ_sub(result, chain(logarithm(size, order)))
    return result


def _gamma_at_pole(order: Exponent, parameters: Parameters, limit: Regular, germ: Germ) -> GermElement | None:
    """gamma x = gamma(x + m + 1) / (x (x+1) ... (x+m))."""
    m = _pole(limit)
    if m is None:
        return None
    result = chain(GERM_SPECIAL["gamma"](order, add(germ, constant_germ(fmpq(m + 1)))))
    for factor in _factors(germ, m):
        result = chain(divide(result, factor, order))
    return result


def _polygamma_at_pole(order: Exponent, parameters: Parameters, limit: Regular, germ: Germ) -> GermElement | None:
    """psi_n x = psi_n(x + m + 1) - (-1)^n n! sum (x + i)^-(n+1). Source: DLMF 5.15.5."""
    m, n = _pole(limit), polygamma_order(parameters)
    if m is None:
        return None
    shifted = add(germ, constant_germ(fmpq(m + 1)))
    name, fixed = ("polygamma", (constant_germ(parameters[0]),)) if parameters else ("digamma", ())
    result = chain(GERM_SPECIAL[name](order, *fixed, shifted))
    weight = fmpq(factorial(n)) * (1 if n % 2 else -1)
    for factor in _factors(germ, m):
        result = add(result, scale(chain(power(factor, fmpq(-n - 1), order)), weight))
    return result


def _zeta_at_pole(order: Exponent, parameters: Parameters, limit: Regular, germ: Germ) -> GermElement | None:
    """zeta(s, q) = zeta(s, q + m + 1) + sum (q + i)^-s."""
    m = _pole(limit)
    if m is None:
        return None
    fixed = constant_germ(parameters[0])
    result = chain(GERM_SPECIAL["zeta"](order, fixed, add(germ, constant_germ(fmpq(m + 1)))))
    for factor in _factors(germ, m):
        result = add(result, chain(power(factor, -parameters[0], order)))
    return result


def _is_exactly(c: Coefficient, n: int) -> bool:
    return as_integer(ball_of(c)) == n


def _igamma_at_zero(order: Exponent, parameters: Parameters, limit: Regular, germ: Germ) -> GermElement | None:
    """P(a, x) = x^a e^-x sum_n x^n / gamma(a + n + 1). Source: DLMF 8.7.1."""
    if not _is_exactly(limit.constant, 0):
        return None
    (a,) = parameters
    first = bessel_power_series(a, -1, 1)[0]

    def series(count: int) -> list[Coefficient]:
        y = [first]
        for n in range(1, count):
            y.append(y[-1] / (a + n))
        return y

    start = chain(power(germ, a, order))
    decay = chain(exponential(negate(germ), order))
    return multiply(multiply(start, decay), substitute(limit.delta, series, order))


def _igammac_at_zero(order: Exponent, parameters: Parameters, limit: Regular, germ: Germ) -> GermElement | None:
    lower = _igamma_at_zero(order, parameters, limit, germ)
    return None if lower is None else germ_sub(unit(), chain(lower))


def _betainc_at_end(order: Exponent, parameters: Parameters, limit: Regular, germ: Germ) -> GermElement | None:
    """At 0 its own power series, at 1 by I_x(a, b) = 1 - I_(1-x)(b, a)."""
    a, b = parameters
    if _is_exactly(limit.constant, 1):
        mirrored = germ_sub(unit(), germ)
        return germ_sub(unit(), chain(_beta_at_zero(order, b, a, mirrored)))
    return _beta_at_zero(order, a, b, germ) if _is_exactly(limit.constant, 0) else None


def _beta_at_zero(order: Exponent, a: Coefficient, b: Coefficient, germ: Germ) -> GermElement:
    if isinstance(a, arb):
        return Unknown("betainc at its ends: the exponent is no exact rational", "")
    start = chain(power(germ, a, order))
    return multiply(start, substitute(germ, lambda count: beta_density_at_zero(a, b, count), order))


def _bessel_at_zero(sigma: int) -> Exceptional:
    """J and I at 0: (x/2)^n times an even entire function."""

    def exceptional(order: Exponent, parameters: Parameters, limit: Regular, germ: Germ) -> GermElement | None:
        if not _is_exactly(limit.constant, 0):
            return None
        (n,) = parameters
        whole = as_integer(ball_of(n))
        n = fmpq(abs(whole)) if whole is not None else n
        flips = whole is not None and whole < 0 and sigma > 0 and whole % 2
        half = scale(germ, fmpq(-1 if flips else 1, 2))
        even = substitute(multiply(half, half), lambda count: bessel_power_series(n, sigma, count), order)
        return multiply(chain(power(half, n, order)), even)

    return exceptional


def _second_kind_at_zero(name: str) -> Exceptional:
    """Y and K diverge at 0, with logarithms: no rule yet, said by name."""

    def exceptional(order: Exponent, parameters: Parameters, limit: Regular, germ: Germ) -> GermElement | None:
        return Unknown(f"{name} at 0 has no germ rule", "") if _is_exactly(limit.constant, 0) else None

    return exceptional


def _scaled_besseli(n: int) -> GermFunction:
    """e^-|x| I_n(x)."""

    def function(order: Exponent, germ: Germ) -> GermElement:
        size = chain(GERM_ELEMENTARY["abs"](order, germ))
        value = chain(GERM_SPECIAL["besseli"](order, constant_germ(fmpq(n)), germ))
        return multiply(value, chain(exponential(negate(size), order)))

    return function


GERM_SPECIAL: Mapping[str, GermFunction] = MappingProxyType(
    {
        "lgamma": _in_last("lgamma", _lgamma_at_pole),
        "gamma": _in_last("gamma", _gamma_at_pole),
        "digamma": _in_last("digamma", _polygamma_at_pole),
        "polygamma": _in_last("polygamma", _polygamma_at_pole),
        "zeta": _in_last("zeta", _zeta_at_pole),
        "igamma": _in_last("igamma", _igamma_at_zero),
        "igammac": _in_last("igammac", _igammac_at_zero),
        "betainc": _in_last("betainc", _betainc_at_end),
        "besselj": _in_last("besselj", _bessel_at_zero(1)),
        "bessely": _in_last("bessely", _second_kind_at_zero("bessely")),
        "besseli": _in_last("besseli", _bessel_at_zero(-1)),
        "besselk": _in_last("besselk", _second_kind_at_zero("besselk")),
        "i0e": _scaled_besseli(0),
        "i1e": _scaled_besseli(1),
    }
)
