"""Complex numbers over any real number system: a pair of elements, and the system of such pairs.

Each function is composed of real ones, so whatever a real system proves about the parts holds here. What IEEE says
about complex infinities is not followed: an infinite part is carried like any other element.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import numpy as np

from verifier.arithmetic.elements import Decision, both, negation
from verifier.errors import UsageError

__all__ = ["FUNCTIONS", "Pair", "PairSystem"]


@dataclass(frozen=True, slots=True)
class Pair:
    """re + i im."""

    re: Any
    im: Any


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
        if name not in FUNCTIONS:
            raise UsageError(f"no complex function {name!r}; known are {', '.join(FUNCTIONS)}")
        function, real = FUNCTIONS[name], self.real.operation
        return lambda *operands: function(real, *operands)

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
        "sin": _sin,
        "cos": _cos,
    }
)
"""Name -> function(operation of the real system, *pairs)."""
