"""Balls of float64 numbers at many points at once: as rigorous as FLINT's and a hundred times as fast, but far wider.

A column holds a midpoint and a radius for each point (or one for all). Every operation adds to the radius it propagates
what rounding costs: 2^-52 of the result for arithmetic, 2^-50 for numpy's functions (they are within 4 ulp), and
2^-1068 for what underflows. A midpoint or a radius that is no finite number tells
that nothing is known there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import numpy as np

__all__ = [
    "COLUMN_FUNCTIONS",
    "COLUMN_OPERATIONS",
    "Column",
    "ColumnMatrix",
    "Mixed",
    "Undecided",
    "column_of",
    "compared",
]

_PROPAGATED = 1 + 2.0**-49
_ROUNDED, _FUNCTION, _LEAST = 2.0**-52, 2.0**-50, 2.0**-1068
_LONGEST_POWER = 64


class Mixed(Exception):
    """A comparison that not all points decide alike: where it holds, where it fails; elsewhere it is not known."""

    def __init__(self, holds: np.ndarray, fails: np.ndarray) -> None:
        super().__init__()
        self.holds, self.fails = holds, fails


class Undecided(Exception):
    """A comparison that is known nowhere, or an operation that columns do not have."""


class Column:
    """`middle` +- `radius`, float64 arrays of shape (points,) or ()."""

    __slots__ = ("middle", "radius")

    def __init__(self, middle: Any, radius: Any) -> None:
        self.middle = middle
        self.radius = radius

    def __add__(self, other: Column) -> Column:
        return _rounded(self.middle + other.middle, self.radius + other.radius)

    def __sub__(self, other: Column) -> Column:
        return _rounded(self.middle - other.middle, self.radius + other.radius)

    def __mul__(self, other: Column) -> Column:
        spread = abs(self.middle) * other.radius + (abs(other.middle) + other.radius) * self.radius
        product = self.middle * other.middle
        return _rounded(product, spread + _LEAST)

    def __rmul__(self, weight: int) -> Column:
        return _rounded(weight * self.middle, abs(weight) * self.radius)

    def __truediv__(self, other: Column) -> Column:
        quotient, least = self.middle / other.middle, abs(other.middle) - other.radius
        least = np.where(least > 0, least, np.nan)
        spread = self.radius / least + abs(quotient) * (other.radius / least)
        return _rounded(quotient, spread + _LEAST)

    def __neg__(self) -> Column:
        return Column(-self.middle, self.radius)

    def __abs__(self) -> Column:
        return Column(abs(self.middle), self.radius)

    def __pow__(self, exponent: Column | int) -> Column:
        power = exponent if isinstance(exponent, int) else _integer(exponent)
        if power is not None and abs(power) <= _LONGEST_POWER:
            return _power(self, power)
        if isinstance(exponent, int):
            raise Undecided
        return (self.log() * exponent).exp()

    def is_finite(self) -> bool:
        """What is not finite at a point is unknown there, which the radius tells."""
        return True

    def __getattr__(self, name: str) -> Callable[[], Column]:
        """A function of the column, by the name that FLINT has for it."""
        try:
            function = COLUMN_FUNCTIONS[name]
        except KeyError:
            raise Undecided from None
        return lambda: function(self)


class ColumnMatrix:
    """A matrix of columns, given row by row: for products."""

    __slots__ = ("columns", "flat", "rows")

    def __init__(self, rows: int, columns: int, flat: Sequence[Column]) -> None:
        self.rows, self.columns, self.flat = rows, columns, flat

    def __mul__(self, other: ColumnMatrix) -> ColumnMatrix:
        products = [
            _total(self.flat[i * self.columns + k] * other.flat[k * other.columns + j] for k in range(self.columns))
            for i in range(self.rows)
            for j in range(other.columns)
        ]
        return ColumnMatrix(self.rows, other.columns, products)

    def entries(self) -> Sequence[Column]:
        return self.flat


def column_of(numbers: Sequence[Fraction | float | int]) -> Column:
    """Exact numbers, one for each point (a single one for all), as a column; nothing is known of one beyond floats."""
    middle = np.array([_float(each) for each in numbers])
    exact = np.array([_is_exact(near, each) for near, each in zip(middle.tolist(), numbers, strict=True)])
    radius = np.where(exact, 0.0, abs(middle) * _ROUNDED + _LEAST)
    return Column(middle, radius) if len(numbers) > 1 else Column(middle[0], radius[0])


def _float(number: Fraction | float | int) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.nan


def _is_exact(near: float, number: Fraction | float | int) -> bool:
    return math.isfinite(near) and Fraction(near) == Fraction(number)


_ONE = column_of([1])


def compared(relation: str, a: Column, b: Column) -> bool:
    """Whether `a relation b` at all points; raises Mixed where that differs, Undecided where it is nowhere known."""
    low, high = a.middle - a.radius - b.radius, a.middle + a.radius + b.radius
    room = (abs(a.middle) + abs(b.middle)) * _ROUNDED * 4 + _LEAST
    less, more = high + room < b.middle, low - room > b.middle
    same = (a.middle == b.middle) & (a.radius == 0) & (b.radius == 0)
    holds, fails = {
        "lt": (less, more | same),
        "le": (less | same, more),
        "gt": (more, less | same),
        "ge": (more | same, less),
        "eq": (same, less | more),
        "ne": (less | more, same),
    }[relation]
    if np.all(holds):
        return True
    if np.all(fails):
        return False
    if np.any(holds | fails):
        raise Mixed(*np.broadcast_arrays(holds, fails))
    raise Undecided


def _rounded(middle: Any, spread: Any) -> Column:
    """Sums never underflow."""
    return Column(middle, spread * _PROPAGATED + abs(middle) * _ROUNDED)


def _total(columns: Any) -> Column:
    first, *rest = columns
    for each in rest:
        first = first + each
    return first


def _integer(exponent: Column) -> int | None:
    """The exponent where it is one exact integer."""
    if np.ndim(exponent.middle) or exponent.radius or exponent.middle != math.floor(exponent.middle):
        return None
    return int(exponent.middle)


def _power(base: Column, power: int) -> Column:
    """By squaring."""
    if power < 0:
        return _ONE / _power(base, -power)
    result = None
    while power:
        if power & 1:
            result = base if result is None else result * base
        power >>= 1
        base = base * base if power else base
    return _ONE if result is None else result


def _function(evaluate: Callable[[Any], Any], steepest: Callable[[Any, Any], Any]) -> Callable[[Column], Column]:
    """A function by numpy, and a bound of its slope on an interval (least, greatest), but for what underflows."""

    def function(x: Column) -> Column:
        value = evaluate(x.middle)
        least, greatest = x.middle - x.radius, x.middle + x.radius
        slope = steepest(np.nextafter(least, -np.inf), np.nextafter(greatest, np.inf)) * (1 + _FUNCTION) + _LEAST
        spread = x.radius * slope
        return Column(value, spread * _PROPAGATED + (abs(value) * _FUNCTION + _LEAST))

    return function


def _positive(least: Any) -> Any:
    return np.where(least > 0, least, np.nan)


def _within_one(least: Any, greatest: Any) -> Any:
    """1 - x^2 at the end that is farther out, NaN beyond 1."""
    return _positive(1 - np.maximum(abs(least), abs(greatest)) ** 2 - 2.0**-50)


COLUMN_FUNCTIONS: Mapping[str, Callable[[Column], Column]] = MappingProxyType(
    {
        "exp": _function(np.exp, lambda a, b: np.exp(b)),
        "expm1": _function(np.expm1, lambda a, b: np.exp(b)),
        "log": _function(np.log, lambda a, b: 1 / _positive(a)),
        "log1p": _function(np.log1p, lambda a, b: 1 / _positive(1 + a - 2.0**-50)),
        "sqrt": _function(np.sqrt, lambda a, b: 0.5 / np.sqrt(_positive(a))),
        "rsqrt": _function(lambda x: 1 / np.sqrt(x), lambda a, b: 0.5 / _positive(a) / np.sqrt(_positive(a))),
        "sin": _function(np.sin, lambda a, b: 1.0),
        "cos": _function(np.cos, lambda a, b: 1.0),
        "tanh": _function(np.tanh, lambda a, b: 1.0),
        "sinh": _function(np.sinh, lambda a, b: np.cosh(np.maximum(abs(a), abs(b)))),
        "cosh": _function(np.cosh, lambda a, b: np.cosh(np.maximum(abs(a), abs(b)))),
        "atan": _function(np.arctan, lambda a, b: 1.0),
        "asinh": _function(np.arcsinh, lambda a, b: 1.0),
        "asin": _function(np.arcsin, lambda a, b: 1 / np.sqrt(_within_one(a, b))),
        "acos": _function(np.arccos, lambda a, b: 1 / np.sqrt(_within_one(a, b))),
        "atanh": _function(np.arctanh, lambda a, b: 1 / _within_one(a, b)),
    }
)
"""By the names of FLINT's methods. What is missing here is left to FLINT."""


def _larger(a: Column, b: Column) -> Column:
    return Column(np.maximum(a.middle, b.middle), np.maximum(a.radius, b.radius))


def _smaller(a: Column, b: Column) -> Column:
    return Column(np.minimum(a.middle, b.middle), np.maximum(a.radius, b.radius))


COLUMN_OPERATIONS: Mapping[str, Callable[..., Column]] = MappingProxyType(
    {
        "sub": Column.__sub__,
        "div": Column.__truediv__,
        "max": _larger,
        "min": _smaller,
        **COLUMN_FUNCTIONS,
    }
)
"""By the names of the operations of ball arithmetic, where a tape asks for one of these itself."""
