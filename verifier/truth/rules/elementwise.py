"""Elementwise primitives of real (and complex) numbers: one scalar function of the number system each."""

from __future__ import annotations

from typing import Any

import numpy as np

from verifier.truth.machine import Machine, Rule, Table, kind_of

__all__ = ["RULES"]

Array = np.ndarray


def _mapped(name: str) -> Rule:
    """The row of a primitive that is one scalar function."""
    return Rule(lambda machine, equation, *operands: machine.map(name, *operands), (name,))


def _integer_pow(machine: Machine, equation: Any, x: Array) -> Array:
    return machine.map("integer_pow", x, equation.params["y"])


def _pow(machine: Machine, equation: Any, x: Array, y: Array) -> Array:
    """x^y; an integer exponent is a power even of a negative base."""
    return machine.map("integer_pow" if kind_of(equation.invars[1]) == "integer" else "pow", x, _python_ints(y))


def _python_ints(y: Array) -> Array:
    return y if y.dtype == object else y.astype(object)


def _square(machine: Machine, equation: Any, x: Array) -> Array:
    return machine.map("square", x)


def _one_minus_square(machine: Machine, equation: Any, x: Array) -> Array:
    """1 - x^2, in the form that loses the most to rounding: a device may compute it so."""
    return machine.map("sub", machine.exact(1), machine.map("square", x))


def _polynomial(machine: Machine, equation: Any, x: Array, *coefficients: Array) -> Array:
    """sum_k c_k x^k, as Horner computes it from the last coefficient on: c_0 + x (c_1 + x (... + x c_n))."""
    total = coefficients[-1]
    for coefficient in reversed(coefficients[:-1]):
        total = machine.map("add", machine.map("mul", total, x), coefficient)
    return np.broadcast_to(total, equation.outvars[0].aval.shape)


def _clamp(machine: Machine, equation: Any, low: Array, x: Array, high: Array) -> Array:
    return machine.map("min", machine.map("max", x, low), high)


def _round(machine: Machine, equation: Any, x: Array) -> Array:
    """Ties go to even (method 1) or away from zero (method 0)."""
    if int(equation.params["rounding_method"]) == 1:
        return machine.map("round_half_even", x)
    half = machine.map("div", machine.exact(1), machine.exact(2))
    size = machine.map("floor", machine.map("add", machine.map("abs", x), half))
    return machine.map("mul", machine.map("sign", x), size)


def _stop_gradient(machine: Machine, equation: Any, x: Array) -> Array:
    return machine.freeze(equation, x)


_SAME_NAME = """
    abs acos acosh add asin asinh atan atan2 atanh cbrt ceil cos cosh digamma div erf erf_inv erfc
    exp exp2 expm1 floor igamma igammac lgamma log log1p log2 logistic max min mul neg polygamma rem rsqrt sign sin
    sinh sqrt sub tan tanh zeta
"""

_OTHER_NAME = {
    "add_any": "add",
    "bessel_i0e": "i0e",
    "bessel_i1e": "i1e",
    "regularized_incomplete_beta": "betainc",
}

RULES: Table = {
    **{name: _mapped(name) for name in _SAME_NAME.split()},
    **{primitive: _mapped(function) for primitive, function in _OTHER_NAME.items()},
    **{name: Rule(_mapped(name).compute) for name in ("conj", "imag", "real")},  # of complex numbers only
    "clamp": Rule(_clamp, ("max", "min")),
    "integer_pow": Rule(_integer_pow, ("integer_pow",)),
    "one_minus_square": Rule(_one_minus_square, ("square",)),
    "polynomial": Rule(_polynomial, ("add", "mul")),
    "pow": Rule(_pow, ("pow", "integer_pow")),
    "round": Rule(_round, ("round_half_even", "floor", "sign")),
    "square": Rule(_square, ("square",)),
    "stop_gradient": Rule(_stop_gradient),
}
