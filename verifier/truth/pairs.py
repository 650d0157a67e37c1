"""Complex numbers over any real number system: a pair of elements, and the system of such pairs.

Each function is composed of real ones, so whatever a real system proves about the parts holds here. What IEEE says
about complex infinities is not followed: an infinite part is carried like any other element.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np

from verifier.arithmetic.elements import EITHER, Decision, Unknown, both, negation
from verifier.errors import UsageError

__all__ = ["BRANCHING", "FUNCTIONS", "Pair", "PairSystem", "by_parts"]


@dataclass(frozen=True, slots=True)
class Pair:
    """re + i im."""

    re: Any
    im: Any


def by_parts(function: Callable[[Any], Any], entry: Any) -> Any:
    """The function of a real element, or of both parts of a complex one."""
    return Pair(function(entry.re), function(entry.im)) if isinstance(entry, Pair) else function(entry)


@dataclass(frozen=True, slots=True)
class PairSystem:
    """The number system of pairs over a real system; same interface, fewer functions."""

    real: Any

    def working(self) -> AbstractContextManager[Any]:
        """The real system's block."""
        return self.real.working()

    def exact(self, value: Fraction | int) -> Pair:
        """A rational, with imaginary part 0."""
        return Pair(self.real.exact(value), self.real.exact(0))

    def constant(self, name: str) -> Pair:
        """A real constant, with imaginary part 0."""
        return Pair(self.real.constant(name), self.real.exact(0))

    def operation(self, name: str) -> Callable[..., Any]:
        """The function of that name, to be called inside `working()`; raises UsageError for an unknown one."""
        if name in BRANCHING:
            return partial(BRANCHING[name], self.real)
        if name not in FUNCTIONS:
            raise UsageError(f"no complex function {name!r}; known are {', '.join([*FUNCTIONS, *BRANCHING])}")
        return partial(FUNCTIONS[name], self.real.operation)

    def apply(self, name: str, *operands: Pair) -> Any:
        """The function of that name of the operands."""
        with self.working():
            return self.operation(name)(*operands)

    def compare(self, relation: str, a: Any, b: Any) -> Decision:
        """eq and ne of pairs, any comparison of real elements; raises UsageError for an order of complex numbers."""
        if not isinstance(a, Pair):
            return self.real.compare(relation, a, b)
        if relation not in ("eq", "ne"):
            raise UsageError(f"complex numbers have no order: {relation!r}")
        equal = both(self.real.compare("eq", a.re, b.re), self.real.compare("eq", a.im, b.im))
        return equal if relation == "eq" else negation(equal)

    def matmul(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """The product of an (m, k) and a (k, n) object array of pairs, through four real products."""
        re, im = (np.frompyfunc(part, 1, 1) for part in (lambda z: z.re, lambda z: z.im))
        product, add, sub = self.real.matmul, *(np.frompyfunc(self.real.operation(n), 2, 1) for n in ("add", "sub"))
        real = sub(product(re(a), re(b)), product(im(a), im(b)))
        imaginary = add(product(re(a), im(b)), product(im(a), re(b)))
        return np.asarray(np.frompyfunc(Pair, 2, 1)(real, imaginary), dtype=object)


Real = Callable[[str], Callable[..., Any]]


def _add(real: Real, a: Pair, b: Pair) -> Pair:
    return Pair(real("add")(a.re, b.re), real("add")(a.im, b.im))


def _sub(real: Real, a: Pair, b: Pair) -> Pair:
    return Pair(real("sub")(a.re, b.re), real("sub")(a.im, b.im))


def _neg(real: Real, a: Pair) -> Pair:
    return Pair(real("neg")(a.re), real("neg")(a.im))


def _mul(real: Real, a: Pair, b: Pair) -> Pair:
    times, add, sub = real("mul"), real("add"), real("sub")
    return Pair(sub(times(a.re, b.re), times(a.im, b.im)), add(times(a.re, b.im), times(a.im, b.re)))


def _square(real: Real, a: Pair) -> Pair:
    return _mul(real, a, a)


def _norm(real: Real, a: Pair) -> Any:
    return real("add")(real("square")(a.re), real("square")(a.im))


def _div(real: Real, a: Pair, b: Pair) -> Pair:
    numerator, size, over = _mul(real, a, _conj(real, b)), _norm(real, b), real("div")
    return Pair(over(numerator.re, size), over(numerator.im, size))


def _conj(real: Real, a: Pair) -> Pair:
    return Pair(a.re, real("neg")(a.im))


def _abs(real: Real, a: Pair) -> Any:
    return real("sqrt")(_norm(real, a))


def _taxicab(real: Real, a: Pair) -> Any:
    return real("add")(real("abs")(a.re), real("abs")(a.im))


def _polar(real: Real, size: Any, angle: Any) -> Pair:
    return Pair(real("mul")(size, real("cos")(angle)), real("mul")(size, real("sin")(angle)))


def _exp(real: Real, a: Pair) -> Pair:
    return _polar(real, real("exp")(a.re), a.im)


def _log(real: Real, a: Pair) -> Pair:
    return Pair(real("log")(_abs(real, a)), real("atan2")(a.im, a.re))


def _integer_pow(real: Real, a: Pair, n: int) -> Pair:
    power = a
    for _ in range(abs(n) - 1):
        power = _mul(real, power, a)
    one = Pair(real("integer_pow")(a.re, 0), real("sub")(a.re, a.re))
    return one if n == 0 else power if n > 0 else _div(real, one, power)


def _sin(real: Real, a: Pair) -> Pair:
    return Pair(
        real("mul")(real("sin")(a.re), real("cosh")(a.im)),
        real("mul")(real("cos")(a.re), real("sinh")(a.im)),
    )


def _cos(real: Real, a: Pair) -> Pair:
    return Pair(
        real("mul")(real("cos")(a.re), real("cosh")(a.im)),
        real("neg")(real("mul")(real("sin")(a.re), real("sinh")(a.im))),
    )


def _sinh(real: Real, a: Pair) -> Pair:
    return Pair(
        real("mul")(real("sinh")(a.re), real("cos")(a.im)),
        real("mul")(real("cosh")(a.re), real("sin")(a.im)),
    )


def _cosh(real: Real, a: Pair) -> Pair:
    return Pair(
        real("mul")(real("cosh")(a.re), real("cos")(a.im)),
        real("mul")(real("sinh")(a.re), real("sin")(a.im)),
    )


def _tanh(real: Real, a: Pair) -> Pair:
    """(sinh 2x + i sin 2y) / (cosh 2x + cos 2y)."""
    x, y = real("add")(a.re, a.re), real("add")(a.im, a.im)
    below = real("add")(real("cosh")(x), real("cos")(y))
    return Pair(real("div")(real("sinh")(x), below), real("div")(real("sin")(y), below))


def _tan(real: Real, a: Pair) -> Pair:
    return _under_i(real, a, _tanh)


def _under_i(real: Real, a: Pair, function: Callable[[Real, Pair], Pair]) -> Pair:
    """-i f(i z)."""
    found = function(real, Pair(real("neg")(a.im), a.re))
    return Pair(found.im, real("neg")(found.re))


def _shifted(real: Real, a: Pair, by: int) -> Pair:
    return Pair(real("add")(a.re, by), a.im)


def _logistic(real: Real, a: Pair) -> Pair:
    one = Pair(real("integer_pow")(a.re, 0), real("sub")(a.im, a.im))
    return _div(real, one, _shifted(real, _exp(real, _neg(real, a)), 1))


def _atanh(real: Real, a: Pair) -> Pair:
    """(log(1 + z) - log(1 - z)) / 2."""
    found = _sub(real, _log(real, _shifted(real, a, 1)), _log(real, _shifted(real, _neg(real, a), 1)))
    return Pair(real("div")(found.re, 2), real("div")(found.im, 2))


def _log_of(base: int) -> Callable[[Real, Pair], Pair]:
    def function(real: Real, a: Pair) -> Pair:
        found, scale = _log(real, a), real("log")(base)
        return Pair(real("div")(found.re, scale), real("div")(found.im, scale))

    return function


def _exp2(real: Real, a: Pair) -> Pair:
    scale = real("log")(2)
    return _exp(real, Pair(real("mul")(a.re, scale), real("mul")(a.im, scale)))


FUNCTIONS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "add": _add,
        "sub": _sub,
        "neg": _neg,
        "mul": _mul,
        "div": _div,
        "square": _square,
        "integer_pow": _integer_pow,
        "conj": _conj,
        "abs": _abs,
        "taxicab": _taxicab,
        "real": lambda real, a: a.re,
        "imag": lambda real, a: a.im,
        "exp": _exp,
        "log": _log,
        "expm1": lambda real, a: _shifted(real, _exp(real, a), -1),
        "exp2": _exp2,
        "log1p": lambda real, a: _log(real, _shifted(real, a, 1)),
        "log2": _log_of(2),
        "log10": _log_of(10),
        "logistic": _logistic,
        "sin": _sin,
        "cos": _cos,
        "tan": _tan,
        "sinh": _sinh,
        "cosh": _cosh,
        "tanh": _tanh,
        "atanh": _atanh,
        "atan": lambda real, a: _under_i(real, a, _atanh),
    }
)
"""Name -> function(operation of the real system, *pairs)."""

_UNDECIDED = Unknown("which branch of a complex function is taken is undecided", EITHER)


def _sqrt(real: Any, a: Pair) -> Pair:
    """The root with a real part that is not negative; on the cut the sign of the imaginary part says which.

    For x >= 0 it is u + i y/2u with u = sqrt((|z| + x)/2), for x < 0 it is |y|/2v +- i v with v = sqrt((|z| - x)/2).
    """
    operation, zero = real.operation, real.exact(0)
    right, above = real.compare("ge", a.re, zero), real.compare("ge", a.im, zero)
    if right is None or (not right and above is None):
        return Pair(_UNDECIDED, _UNDECIDED)
    size = _abs(operation, a)
    if real.compare("eq", size, zero):
        return Pair(size, a.im)
    long = operation("sqrt")(operation("div")(operation("add" if right else "sub")(size, a.re), 2))
    short = operation("div")(a.im, operation("add")(long, long))
    if right:
        return Pair(long, short)
    return Pair(short, long) if above else Pair(operation("neg")(short), operation("neg")(long))


def _rsqrt(real: Any, a: Pair) -> Pair:
    one = Pair(real.exact(1), real.exact(0))
    return _div(real.operation, one, _sqrt(real, a))


def _sign(real: Any, a: Pair) -> Pair:
    """z / |z|, and 0 at 0."""
    size = _abs(real.operation, a)
    vanishes = real.compare("eq", size, real.exact(0))
    if vanishes is None:
        return Pair(_UNDECIDED, _UNDECIDED)
    return a if vanishes else Pair(real.operation("div")(a.re, size), real.operation("div")(a.im, size))


def _pow(real: Any, a: Pair, b: Pair) -> Pair:
    """exp(b log a); at a = 0 it is 1 for b = 0 and else 0, where the real part of b is positive."""
    zero = real.exact(0)
    vanishes = real.compare("eq", _norm(real.operation, a), zero)
    if vanishes is None:
        return Pair(_UNDECIDED, _UNDECIDED)
    if not vanishes:
        return _exp(real.operation, _mul(real.operation, b, _log(real.operation, a)))
    if real.compare("eq", _norm(real.operation, b), zero):
        return Pair(real.exact(1), zero)
    return Pair(zero, zero) if real.compare("gt", b.re, zero) else Pair(_UNDECIDED, _UNDECIDED)


def _roots_beside_one(real: Any, a: Pair) -> tuple[Pair, Pair]:
    """sqrt(1 - z) and sqrt(1 + z)."""
    operation = real.operation
    return _sqrt(real, _shifted(operation, _neg(operation, a), 1)), _sqrt(real, _shifted(operation, a, 1))


def _asin(real: Any, a: Pair) -> Pair:
    operation, (minus, plus) = real.operation, _roots_beside_one(real, a)
    product, turned = _mul(operation, minus, plus), _mul(operation, _conj(operation, minus), plus)
    return Pair(operation("atan2")(a.re, product.re), operation("asinh")(turned.im))


def _acos(real: Any, a: Pair) -> Pair:
    operation, (minus, plus) = real.operation, _roots_beside_one(real, a)
    half, turned = operation("atan2")(minus.re, plus.re), _mul(operation, _conj(operation, plus), minus)
    return Pair(operation("add")(half, half), operation("asinh")(turned.im))


def _asinh(real: Any, a: Pair) -> Pair:
    """i asin(-i z)."""
    operation = real.operation
    found = _asin(real, Pair(a.im, operation("neg")(a.re)))
    return Pair(operation("neg")(found.im), found.re)


def _acosh(real: Any, a: Pair) -> Pair:
    operation = real.operation
    minus, plus = _sqrt(real, _shifted(operation, a, -1)), _sqrt(real, _shifted(operation, a, 1))
    half = operation("atan2")(minus.im, plus.re)
    size = operation("asinh")(_mul(operation, _conj(operation, minus), plus).re)
    return Pair(size, operation("add")(half, half))


BRANCHING: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "sqrt": _sqrt,
        "rsqrt": _rsqrt,
        "sign": _sign,
        "pow": _pow,
        "asin": _asin,
        "acos": _acos,
        "asinh": _asinh,
        "acosh": _acosh,
    }
)
"""Name -> function(the real system, *pairs), of those with branches that comparisons choose.

Source: Kahan, Branch cuts for complex elementary functions, 1987.
"""
