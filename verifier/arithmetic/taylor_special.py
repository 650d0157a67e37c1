"""Taylor coefficients of special functions in their last argument, at a regular point; the others are constants.

Every entry of `TAYLOR_SPECIAL` maps (parameters, c, count) to [f(c), f'(c), f''(c)/2!, ...].
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import factorial
from types import MappingProxyType

from flint import fmpq

from verifier.arithmetic.elements import as_integer
from verifier.arithmetic.expansion import Coefficient, ball_of
from verifier.arithmetic.taylor import Coefficients, NotRegular, integrate, value

__all__ = ["TAYLOR_SPECIAL", "bessel_power_series", "beta_density_at_zero", "polygamma_order"]

Parameters = tuple[Coefficient, ...]
SpecialTaylor = Callable[[Parameters, Coefficient, int], Coefficients]


def polygamma_order(parameters: Parameters) -> int:
    """The order n of polygamma(n, x), 0 for digamma; raises NotRegular where it is no exact natural number."""
    n = as_integer(ball_of(parameters[0])) if parameters else 0
    if n is None or n < 0:
        raise NotRegular("polygamma: the order is no exact natural number")
    return n


def _polygamma(parameters: Parameters, c: Coefficient, count: int) -> Coefficients:
    """psi_n^(k) = psi_(n+k)."""
    n, weight, y = polygamma_order(parameters), fmpq(1), []
    for k in range(count):
        weight = weight / max(k, 1)
        y.append(value("polygamma", fmpq(n + k), c) * weight)
    return y


def _lgamma(parameters: Parameters, c: Coefficient, count: int) -> Coefficients:
    return integrate(value("lgamma", c), _polygamma((), c, count - 1))


def _gamma(parameters: Parameters, c: Coefficient, count: int) -> Coefficients:
    """gamma' = gamma psi."""
    y, psi = [value("gamma", c)], _polygamma((), c, count - 1)
    for k in range(count - 1):
        y.append(sum((psi[j] * y[k - j] for j in range(k + 1)), fmpq(0)) / (k + 1))
    return y


def _zeta(parameters: Parameters, c: Coefficient, count: int) -> Coefficients:
    """d/dq zeta(s, q) = -s zeta(s + 1, q). Source: DLMF 25.11.17."""
    (s,), factor, y = parameters, fmpq(1), []
    for k in range(count):
        y.append(factor * value("zeta", s + k, c))
        factor = -factor * (s + k) / (k + 1)
    return y


def _igamma_density(a: Coefficient, c: Coefficient, count: int) -> Coefficients:
    """y = x^(a-1) e^-x / gamma(a), by x y' = (a - 1 - x) y."""
    ball = ball_of(c)
    if not ball > 0:
        raise NotRegular("the incomplete gamma function is regular for positive x only")
    # One exponential of a sum of logarithms: the separate factors overflow balls sooner.
    y: Coefficients = [value("exp", (a - 1) * ball.log() - c - value("lgamma", a))]
    for k in range(count - 1):
        before = y[k - 1] if k else fmpq(0)
        y.append(((a - 1 - c - k) * y[k] - before) / (c * (k + 1)))
    return y[:count]


def _incomplete_gamma(name: str, sign: int) -> SpecialTaylor:
    def coefficients(parameters: Parameters, c: Coefficient, count: int) -> Coefficients:
        density = _igamma_density(parameters[0], c, count - 1) if count > 1 else []
        return integrate(value(name, parameters[0], c), [sign * each for each in density])

    return coefficients


def _log_beta(a: Coefficient, b: Coefficient) -> Coefficient:
    return value("lgamma", a) + value("lgamma", b) - value("lgamma", a + b)


def _betainc(parameters: Parameters, c: Coefficient, count: int) -> Coefficients:
    """y = x^(a-1) (1-x)^(b-1) / B(a, b), by x (1-x) y' = ((a-1)(1-x) - (b-1) x) y."""
    a, b = parameters
    ball = ball_of(c)
    if not (ball > 0 and ball < 1):
        raise NotRegular("the incomplete beta function is regular between 0 and 1 only")
    y: Coefficients = [value("exp", (a - 1) * ball.log() + (b - 1) * (1 - ball).log() - _log_beta(a, b))]
    for k in range(count - 2):
        before = y[k - 1] if k else fmpq(0)
        rest = (a - 1 - (a + b - 2) * c - (1 - 2 * c) * k) * y[k] + ((k - 1) - (a + b - 2)) * before
        y.append(rest / (c * (1 - c) * (k + 1)))
    return integrate(value("betainc", a, b, c), y[: max(count - 1, 0)])


def beta_density_at_zero(a: fmpq, b: Coefficient, count: int) -> Coefficients:
    """I_x(a, b) = x^a sum_k g_k x^k with g_k = (1-b)_k / (k! (a+k) B(a, b)). Source: DLMF 8.17.7."""
    factor, y = value("exp", -_log_beta(a, b)), []
    for k in range(count):
        y.append(factor / (a + k))
        factor = factor * (1 - b + k) / (k + 1)
    return y


def _bessel(name: str, sigma: int, slope: tuple[fmpq, fmpq]) -> SpecialTaylor:
    """Solutions of x^2 y'' + x y' + (sigma x^2 - n^2) y = 0 with y' = slope[0] y_(n-1) + slope[1] y_(n+1).

    Source: DLMF 10.6.1 and 10.29.1.
    """

    def coefficients(parameters: Parameters, c: Coefficient, count: int) -> Coefficients:
        (n,) = parameters
        if ball_of(c).contains(0):
            raise NotRegular(f"{name} at 0 has an expansion of its own")
        derivative = slope[0] * value(name, n - 1, c) + slope[1] * value(name, n + 1, c)
        y: Coefficients = [value(name, n, c), derivative]
        for k in range(count - 2):
            y.append(_bessel_step(y, n, c, sigma, k))
        return y[:count]

    return coefficients


def _bessel_step(y: Coefficients, n: Coefficient, c: Coefficient, sigma: int, k: int) -> Coefficient:
    """The coefficient of d^(k+2) from the differential equation at c + d."""
    before = y[k - 1] if k >= 1 else fmpq(0)
    earlier = y[k - 2] if k >= 2 else fmpq(0)
    known = c * (k + 1) * (2 * k + 1) * y[k + 1] + (sigma * c * c - n * n + k * k) * y[k]
    return -(known + 2 * sigma * c * before + sigma * earlier) / (c * c * (k + 1) * (k + 2))


def bessel_power_series(n: Coefficient, sigma: int, count: int) -> Coefficients:
    """J (sigma 1) or I (sigma -1): (x/2)^n sum_m (-sigma x^2/4)^m / (m! gamma(m+n+1)): the sum's coefficients in x^2/4.

    Source: DLMF 10.2.2, 10.25.2.
    """
    whole = as_integer(ball_of(n))
    term = fmpq(1, factorial(whole)) if whole is not None and whole >= 0 else 1 / value("gamma", n + 1)
    y: Coefficients = []
    for m in range(count):
        y.append(term)
        term = term * (-sigma) / ((m + 1) * (m + 1 + n))
    return y


_HALF = fmpq(1, 2)

TAYLOR_SPECIAL: Mapping[str, SpecialTaylor] = MappingProxyType(
    {
        "lgamma": _lgamma,
        "gamma": _gamma,
        "digamma": _polygamma,
        "polygamma": _polygamma,
        "zeta": _zeta,
        "igamma": _incomplete_gamma("igamma", 1),
        "igammac": _incomplete_gamma("igammac", -1),
        "betainc": _betainc,
        "besselj": _bessel("besselj", 1, (_HALF, -_HALF)),
        "bessely": _bessel("bessely", 1, (_HALF, -_HALF)),
        "besseli": _bessel("besseli", -1, (_HALF, _HALF)),
        "besselk": _bessel("besselk", -1, (-_HALF, -_HALF)),
    }
)
