"""Taylor coefficients of elementary functions at a regular point, by recurrences that keep rationals rational.

Every entry of `TAYLOR` maps (c, count) to [f(c), f'(c), f''(c)/2!, ...], `count` of them; c is a rational or a ball.
At 0 (for log: at 1) the coefficients of most elementary functions are rationals, and stay so: cancellations are then
exact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from flint import arb, fmpq

from verifier.arithmetic.elements import Element
from verifier.arithmetic.expansion import Coefficient, ball_of
from verifier.arithmetic.vocabulary import OPERATIONS

__all__ = ["TAYLOR", "NotRegular", "binomial_series", "integrate", "quadratic_power", "value"]

Coefficients = list[Coefficient]
Taylor = Callable[[Coefficient, int], Coefficients]

_AT_ZERO = MappingProxyType(
    {
        "exp": fmpq(1),
        "expm1": fmpq(0),
        "log1p": fmpq(0),
        "sin": fmpq(0),
        "cos": fmpq(1),
        "tan": fmpq(0),
        "asin": fmpq(0),
        "atan": fmpq(0),
        "sinh": fmpq(0),
        "cosh": fmpq(1),
        "tanh": fmpq(0),
        "asinh": fmpq(0),
        "atanh": fmpq(0),
        "logistic": fmpq(1, 2),
        "erf": fmpq(0),
        "erfc": fmpq(1),
        "erf_inv": fmpq(0),
    }
)


class NotRegular(Exception):
    """The function has no Taylor series at the point, or the ball is too wide to tell; never leaves this package."""


def value(name: str, *operands: Coefficient) -> Coefficient:
    """f at a point, exactly where that is known to be rational; raises NotRegular where it is no finite ball."""
    point = operands[-1]
    if type(point) is not arb and not point and name in _AT_ZERO:
        return _AT_ZERO[name]
    if type(point) is not arb and point == 1 and name == "log":
        return fmpq(0)
    result: Element = OPERATIONS[name](*map(ball_of, operands))
    if type(result) is not arb:
        raise NotRegular(f"{name} is not regular there, or the ball is too wide to tell")
    return result


def integrate(constant: Coefficient, derivative: Coefficients) -> Coefficients:
    """The series with the given constant term whose derivative has the given coefficients."""
    return [constant, *(each / (k + 1) for k, each in enumerate(derivative))]


def quadratic_power(
    q: tuple[Coefficient, Coefficient, Coefficient], p: fmpq, y0: Coefficient, count: int
) -> Coefficients:
    """(q0 + q1 d + q2 d^2)^p from y0 = q0^p, by q y' = p q' y."""
    q0, q1, q2 = q
    y: Coefficients = [y0]
    for k in range(count - 1):
        before = y[k - 1] if k else fmpq(0)
        y.append(((p - k) * q1 * y[k] + (2 * p - (k - 1)) * q2 * before) / ((k + 1) * q0))
    return y


def binomial_series(p: Coefficient, count: int) -> Coefficients:
    """(1 + d)^p."""
    y: Coefficients = [fmpq(1)]
    for k in range(count - 1):
        y.append(y[k] * (p - k) / (k + 1))
    return y


def _exp(c: Coefficient, count: int) -> Coefficients:
    y = [value("exp", c)]
    for k in range(1, count):
        y.append(y[-1] / k)
    return y


def _expm1(c: Coefficient, count: int) -> Coefficients:
    return [value("expm1", c), *_exp(c, count)[1:]]


def _reciprocal_powers(constant: Coefficient, c: Coefficient, count: int) -> Coefficients:
    """log(c + d) with its constant term given."""
    y, power = [constant], 1 / c
    for k in range(1, count):
        y.append(power / k)
        power = -power / c
    return y


def _log(c: Coefficient, count: int) -> Coefficients:
    return _reciprocal_powers(value("log", c), c, count)


def _log1p(c: Coefficient, count: int) -> Coefficients:
    return _reciprocal_powers(value("log1p", c), 1 + c, count)


def _cycle(names: tuple[str, str], signs: tuple[int, ...]) -> Taylor:
    """Functions whose derivatives alternate between two functions, with a cycle of signs."""

    def coefficients(c: Coefficient, count: int) -> Coefficients:
        values, factorial, y = [value(name, c) for name in names], fmpq(1), []
        for k in range(count):
            factorial = factorial / max(k, 1)
            y.append(values[k % 2] * factorial * signs[k % len(signs)])
        return y

    return coefficients


def _riccati(name: str, slope: Callable[[Coefficient], Coefficient], sign: int) -> Taylor:
    """tan and tanh: y' = s, s' = 2 sign y s, where s is computed without cancellation."""

    def coefficients(c: Coefficient, count: int) -> Coefficients:
        y, s = [value(name, c)], [slope(c)]
        for k in range(count - 1):
            y.append(s[k] / (k + 1))
            s.append(_product_coefficient(y, s, k) * (2 * sign) / (k + 1))
        return y

    return coefficients


def _product_coefficient(a: Coefficients, b: Coefficients, k: int) -> Coefficient:
    return sum((a[j] * b[k - j] for j in range(k + 1)), fmpq(0))


def _sec_squared(c: Coefficient) -> Coefficient:
    return 1 / value("cos", c) ** 2


def _sech_squared(c: Coefficient) -> Coefficient:
    return 1 / value("cosh", c) ** 2


def _logistic(c: Coefficient, count: int) -> Coefficients:
    """y' = y z with z = 1 - y = logistic(-c): neither tail cancels."""
    y, z = [value("logistic", c)], [value("logistic", -c)]
    for k in range(count - 1):
        y.append(_product_coefficient(y, z, k) / (k + 1))
        z.append(-y[-1])
    return y


def _algebraic_derivative(name: str, constant: int, square: int, p: fmpq) -> Taylor:
    """Functions with derivative (constant + square x^2)^p."""

    def coefficients(c: Coefficient, count: int) -> Coefficients:
        q0 = constant + square * c * c
        y0 = fmpq(1) if type(q0) is not arb and q0 == 1 else _power(q0, p)
        return integrate(value(name, c), quadratic_power((q0, 2 * square * c, fmpq(square)), p, y0, count - 1))

    return coefficients


def _power(base: Coefficient, p: fmpq) -> Coefficient:
    if p == -1:
        return 1 / base
    result = OPERATIONS["rsqrt"](ball_of(base))
    if type(result) is not arb:
        raise NotRegular("the square root is not regular there, or the ball is too wide to tell")
    return result


def _error_function(name: str, sign: int) -> Taylor:
    """y' = sign 2/sqrt(pi) exp(-x^2): the exponential of a quadratic."""

    def coefficients(c: Coefficient, count: int) -> Coefficients:
        slope: Coefficients = [sign * 2 / arb.pi().sqrt() * ball_of(value("exp", -c * c))]
        for k in range(count - 2):
            before = slope[k - 1] if k else fmpq(0)
            slope.append((-2 * c * slope[k] - 2 * before) / (k + 1))
        return integrate(value(name, c), slope[: max(count - 1, 0)])

    return coefficients


def _erf_inv(c: Coefficient, count: int) -> Coefficients:
    """y' = sqrt(pi)/2 w, w = exp(y^2), w' = 2 y y' w."""
    half, y = arb.pi().sqrt() / 2, [value("erf_inv", c)]
    w: Coefficients = [value("exp", y[0] * y[0])]
    products: Coefficients = []
    for k in range(count - 1):
        y.append(half * w[k] / (k + 1))
        products.append(sum((y[i] * (k - i + 1) * y[k - i + 1] for i in range(k + 1)), fmpq(0)))
        w.append(2 * _product_coefficient(products, w, k) / (k + 1))
    return y


TAYLOR: Mapping[str, Taylor] = MappingProxyType(
    {
        "exp": _exp,
        "expm1": _expm1,
        "log": _log,
        "log1p": _log1p,
        "sin": _cycle(("sin", "cos"), (1, 1, -1, -1)),
        "cos": _cycle(("cos", "sin"), (1, -1, -1, 1)),
        "sinh": _cycle(("sinh", "cosh"), (1,)),
        "cosh": _cycle(("cosh", "sinh"), (1,)),
        "tan": _riccati("tan", _sec_squared, 1),
        "tanh": _riccati("tanh", _sech_squared, -1),
        "logistic": _logistic,
        "asin": _algebraic_derivative("asin", 1, -1, fmpq(-1, 2)),
        "atan": _algebraic_derivative("atan", 1, 1, fmpq(-1)),
        "asinh": _algebraic_derivative("asinh", 1, 1, fmpq(-1, 2)),
        "acosh": _algebraic_derivative("acosh", -1, 1, fmpq(-1, 2)),
        "atanh": _algebraic_derivative("atanh", 1, -1, fmpq(-1)),
        "erf": _error_function("erf", 1),
        "erfc": _error_function("erfc", -1),
        "erf_inv": _erf_inv,
    }
)
