"""Integers and truth values: numpy's arithmetic, which wraps around as devices do; undecided entries stay undecided."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

from verifier.arithmetic.elements import both, either, negation
from verifier.truth.machine import Machine, Rule, Table, flattened, kind_of, truths
from verifier.truth.rules.bits import combined
from verifier.truth.values import Refused, boxed, is_decided, undecided

__all__ = ["RULES"]

Array = np.ndarray
Operation = Callable[..., Any]


def _wrapping(operation: Operation) -> Rule:
    """The row of a primitive that is one numpy function of its operands, entry by entry."""

    def compute(machine: Machine, equation: Any, *operands: Array) -> Array:
        if all(operand.dtype != object for operand in operands):
            return operation(*operands)
        dtypes = [variable.aval.dtype for variable in equation.invars]

        def entry(*values: Any) -> Any:
            missing = [value for value in values if not is_decided(value)]
            if missing:
                known = combined(machine, equation.primitive.name, *values)
                return undecided(missing[0], "an integer") if known is None else known
            return np.asarray(operation(*map(np.asarray, values, dtypes)))[()]

        return boxed(np.frompyfunc(entry, len(operands), 1)(*operands))

    return Rule(compute)


def _divide(a: Array, b: Array) -> Array:
    """The quotient rounded towards zero; a division by zero gives -1 (all ones), as XLA says."""
    divisor = np.where(b == 0, np.ones_like(b), b)
    quotient = a // divisor
    inexact = quotient * divisor != a
    towards_zero = quotient + (inexact & ((a < 0) != (b < 0))).astype(quotient.dtype)
    return np.where(b == 0, ~np.zeros_like(quotient), towards_zero).astype(a.dtype)


def _remainder(a: Array, b: Array) -> Array:
    """a - b (a / b) with the quotient above; the dividend itself where b is zero."""
    return np.where(b == 0, a, np.fmod(a, np.where(b == 0, np.ones_like(b), b))).astype(a.dtype)


def _shift_right_logical(a: Array, b: Array) -> Array:
    unsigned = a.view(f"u{a.dtype.itemsize}")
    return np.where(_too_far(a, b), 0, unsigned >> b.astype(unsigned.dtype)).astype(unsigned.dtype).view(a.dtype)


def _shift_right_arithmetic(a: Array, b: Array) -> Array:
    signed = a.view(f"i{a.dtype.itemsize}")
    distance = np.where(_too_far(a, b), 8 * a.dtype.itemsize - 1, b).astype(signed.dtype)
    return (signed >> distance).view(a.dtype)


def _shift_left(a: Array, b: Array) -> Array:
    return np.where(_too_far(a, b), 0, a << np.where(_too_far(a, b), 0, b).astype(a.dtype)).astype(a.dtype)


def _too_far(a: Array, b: Array) -> Array:
    return (b < 0) | (b >= 8 * a.dtype.itemsize)


def _leading_zeros(a: Array) -> Array:
    width, unsigned = 8 * a.dtype.itemsize, a.view(f"u{a.dtype.itemsize}")
    return np.asarray([width - int(entry).bit_length() for entry in unsigned.flat], a.dtype).reshape(a.shape)


def _power(a: Array, b: Array) -> Array:
    """a^b modulo 2^bits; b is not negative."""
    modulus = 1 << 8 * a.dtype.itemsize
    powers = [pow(int(x), int(n), modulus) for x, n in np.broadcast(a, b)]
    unsigned = np.asarray(powers, dtype=f"u{a.dtype.itemsize}").reshape(np.broadcast_shapes(a.shape, b.shape))
    return unsigned.view(a.dtype)


def _integer_pow(machine: Machine, equation: Any, x: Array) -> Array:
    return _power(x, np.asarray(equation.params["y"]))


def _clamp(machine: Machine, equation: Any, low: Array, x: Array, high: Array) -> Array:
    return np.minimum(np.maximum(x, low), high)


def _logical(name: str, bitwise: Operation, decision: Operation) -> Rule:
    """The row of and, or, not: bits of integers, three-valued logic of decisions."""
    bits = _wrapping(bitwise).compute

    def compute(machine: Machine, equation: Any, *operands: Array) -> Array:
        if kind_of(equation.invars[0]) == "integer" or all(operand.dtype != object for operand in operands):
            return bits(machine, equation, *operands)
        if hasattr(machine.system, "logic"):
            return truths(boxed(np.frompyfunc(machine.system.logic(name), len(operands), 1)(*operands)))
        return boxed(np.frompyfunc(lambda *values: decision(*map(_decision, values)), len(operands), 1)(*operands))

    return Rule(compute)


def _decision(entry: Any) -> bool | None:
    return bool(entry) if is_decided(entry) else None


def _exclusive(a: bool | None, b: bool | None) -> bool | None:
    return None if a is None or b is None else a != b


def _summed(fold: Operation) -> Rule:
    """The row of a reduction of integers over `axes`."""

    def compute(machine: Machine, equation: Any, x: Array) -> Array:
        if x.dtype == object:
            raise Refused(undecided(next(e for e in x.flat if not is_decided(e)), "an integer of a reduction").reason)
        return np.asarray(fold(x, axis=tuple(equation.params["axes"])))

    return Rule(compute)


def _wrapped_fold(ufunc: Any) -> Operation:
    return lambda x, axis: ufunc.reduce(x, axis=axis, dtype=x.dtype)


def _extreme_fold(name: str) -> Operation:
    def fold(x: Array, axis: tuple[int, ...]) -> Array:
        limits = np.iinfo(x.dtype) if x.dtype.kind in "iu" else None
        least, most = (False, True) if limits is None else (limits.min, limits.max)
        start = least if name == "max" else most
        return np.max(x, axis=axis, initial=start) if name == "max" else np.min(x, axis=axis, initial=start)

    return fold


def _quantified(decision: Operation, bitwise: Any, empty: bool) -> Rule:
    """The row of a reduction of decisions (or bits) over `axes`."""

    def compute(machine: Machine, equation: Any, x: Array) -> Array:
        axes = tuple(equation.params["axes"])
        if x.dtype != object or kind_of(equation.invars[0]) == "integer":
            return _summed(bitwise.reduce).compute(machine, equation, x)
        lines = flattened(x, axes)
        folded = [reduce(decision, map(_decision, line), empty) for line in lines.reshape(-1, lines.shape[-1])]
        result = np.empty(len(folded), dtype=object)
        result[:] = folded
        return result.reshape(lines.shape[:-1])

    return Rule(compute)


def _running(accumulate: Any) -> Rule:
    """The row of a cumulative operation along `axis`, perhaps from its end."""

    def compute(machine: Machine, equation: Any, x: Array) -> Array:
        axis = equation.params["axis"]
        turned = np.flip(x, axis) if equation.params["reverse"] else x
        result = accumulate.accumulate(turned, axis=axis, dtype=x.dtype)
        return np.flip(result, axis) if equation.params["reverse"] else result

    return Rule(compute)


RULES: Table = {
    **{
        name: _wrapping(operation)
        for name, operation in {
            "abs": np.abs,
            "add": np.add,
            "add_any": np.add,
            "clz": _leading_zeros,
            "div": _divide,
            "eq": np.equal,
            "ge": np.greater_equal,
            "gt": np.greater,
            "le": np.less_equal,
            "lt": np.less,
            "eq_to": np.equal,
            "le_to": np.less_equal,
            "lt_to": np.less,
            "max": np.maximum,
            "min": np.minimum,
            "mul": np.multiply,
            "ne": np.not_equal,
            "neg": np.negative,
            "population_count": lambda a: np.bitwise_count(a.view(f"u{a.dtype.itemsize}")),
            "pow": _power,
            "rem": _remainder,
            "shift_left": _shift_left,
            "shift_right_arithmetic": _shift_right_arithmetic,
            "shift_right_logical": _shift_right_logical,
            "sign": np.sign,
            "square": np.square,
            "sub": np.subtract,
        }.items()
    },
    "and": _logical("and", operator.and_, both),
    "or": _logical("or", operator.or_, either),
    "not": _logical("not", np.invert, negation),
    "xor": _logical("xor", operator.xor, _exclusive),
    "clamp": Rule(_clamp),
    "cumsum": _running(np.add),
    "cumprod": _running(np.multiply),
    "cummax": _running(np.maximum),
    "cummin": _running(np.minimum),
    "integer_pow": Rule(_integer_pow),
    "reduce_and": _quantified(both, np.bitwise_and, True),
    "reduce_max": _summed(_extreme_fold("max")),
    "reduce_min": _summed(_extreme_fold("min")),
    "reduce_or": _quantified(either, np.bitwise_or, False),
    "reduce_prod": _summed(_wrapped_fold(np.multiply)),
    "reduce_sum": _summed(_wrapped_fold(np.add)),
    "reduce_xor": _summed(_wrapped_fold(np.bitwise_xor)),
}
"""Used instead of the rules for reals where the first operand is an integer or a truth value."""
