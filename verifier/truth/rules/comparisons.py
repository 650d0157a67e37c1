"""Comparisons and selection of elements, and conversions between kinds of values."""

from __future__ import annotations

from typing import Any

import numpy as np

from verifier.arithmetic.elements import EITHER, NEG_INF, POS_INF, Decision, Unknown, as_integer, both, either, negation
from verifier.arithmetic.germ import as_ball
from verifier.truth.machine import Compute, Machine, Rule, Table, kind_of, refuse, rules
from verifier.truth.pairs import Pair
from verifier.truth.rules.bits import bitcast
from verifier.truth.values import boxed, filled, is_decided, undecided

__all__ = ["RULES"]

Array = np.ndarray


def _compared(relation: str) -> Rule:
    return Rule(lambda machine, equation, a, b: machine.compare(relation, a, b))


def _is_finite(machine: Machine, equation: Any, x: Array) -> Array:
    return boxed(np.frompyfunc(lambda entry: _finite(machine, entry), 1, 1)(x))


def _finite(machine: Machine, x: Any) -> Decision:
    compare = machine.system.compare
    infinite = either(compare("eq", x, POS_INF), compare("eq", x, NEG_INF))
    return negation(either(infinite, compare("ne", x, x)))


def _total_order(relation: str) -> Rule:
    """The order that sorting uses: NaN stands above everything and equals itself."""

    def entry(machine: Machine, a: Any, b: Any) -> Decision:
        compare = machine.system.compare
        nan_a, nan_b = compare("ne", a, a), compare("ne", b, b)
        same = both(nan_a, nan_b)
        below = both(negation(nan_a), nan_b)
        return either(compare(relation, a, b), below if relation == "lt" else either(same, below))

    def compute(machine: Machine, equation: Any, a: Array, b: Array) -> Array:
        return boxed(np.frompyfunc(lambda x, y: entry(machine, x, y), 2, 1)(a, b))

    return Rule(compute)


def _equal_in_total_order(machine: Machine, equation: Any, a: Array, b: Array) -> Array:
    compare = machine.system.compare

    def entry(x: Any, y: Any) -> Decision:
        return either(compare("eq", x, y), both(compare("ne", x, x), compare("ne", y, y)))

    return boxed(np.frompyfunc(entry, 2, 1)(a, b))


def _select_n(machine: Machine, equation: Any, *operands: Array) -> Array:
    """cases[which], entry by entry; what is not taken is discarded whatever it is."""
    shape = equation.outvars[0].aval.shape
    which, *cases = (np.broadcast_to(operand, shape) for operand in operands)
    if kind_of(equation.invars[0]) == "boolean" and len(cases) == 2:
        return machine.select(which, cases[1], cases[0])
    if which.dtype != object and len(cases) > 1:
        return boxed(np.choose(which, cases, mode="clip"))
    return boxed(np.frompyfunc(_chosen, len(cases) + 1, 1)(which, *cases))


def _chosen(which: Any, *cases: Any) -> Any:
    if len(cases) == 1:
        return cases[0]
    return cases[int(which)] if is_decided(which) else undecided(which, "the index of a select")


def _convert(machine: Machine, equation: Any, x: Array) -> Array:
    """A change of dtype: real to real is the identity, except where the number system is about rounding."""
    source, target = kind_of(equation.invars[0]), kind_of(equation.outvars[0])
    conversion = _CONVERSIONS.get((source, target))
    if conversion is not None:
        return conversion(machine, equation, x)
    if source == target == "real":
        return machine.stored(x)
    return x if source == target else refuse(f"no conversion from {source} to {target}")


def _lift(machine: Machine, equation: Any, x: Array) -> Array:
    """Integers and truth values as exact elements, whatever the target's dtype can hold."""

    def entry(value: Any) -> Any:
        return machine.system.exact(int(value)) if is_decided(value) else undecided(value, "an integer made real")

    if kind_of(equation.invars[0]) == "boolean" and hasattr(machine.system, "choose"):
        return machine.select(x, filled(x.shape, machine.exact(1)), machine.zeros(x.shape))
    return boxed(np.frompyfunc(entry, 1, 1)(x))


def _discrete(machine: Machine, equation: Any, x: Array) -> Array:
    dtype = equation.outvars[0].aval.dtype
    if x.dtype != object:
        return x.astype(dtype)
    return boxed(np.frompyfunc(lambda value: dtype.type(value) if is_decided(value) else value, 1, 1)(x))


def _nonzero(machine: Machine, equation: Any, x: Array) -> Array:
    return machine.compare("ne", x, filled(x.shape, machine.exact(0)))


def _truncate(machine: Machine, equation: Any, x: Array) -> Array:
    """The integer towards zero, where it is decided and the dtype holds it."""
    limits = np.iinfo(equation.outvars[0].aval.dtype)

    def entry(value: Any) -> Any:
        whole = value if isinstance(value, Unknown) else _whole(value)
        if isinstance(whole, Unknown):
            return whole
        return (
            whole if limits.min <= whole <= limits.max else Unknown("a real beyond the range of the integer dtype", "")
        )

    return boxed(np.frompyfunc(entry, 1, 1)(machine.map("trunc", x)))


def _whole(value: Any) -> int | Unknown:
    whole = as_integer(as_ball(value))
    return Unknown("the integer part of a real is undecided", EITHER) if whole is None else whole


def _zeros(machine: Machine, equation: Any, x: Array) -> Array:
    return machine.zeros(x.shape)


def _no_numbers(machine: Machine, equation: Any, x: Array) -> Array:
    return np.zeros(x.shape, dtype=equation.outvars[0].aval.dtype)


def _paired(machine: Machine, equation: Any, x: Array) -> Array:
    zero = machine.system.real.exact(0)
    return boxed(np.frompyfunc(lambda value: Pair(value, zero), 1, 1)(x))


_CONVERSIONS: dict[tuple[str, str], Compute] = {
    ("integer", "real"): _lift,
    ("boolean", "real"): _lift,
    ("integer", "complex"): _lift,
    ("boolean", "complex"): _lift,
    ("integer", "integer"): _discrete,
    ("integer", "boolean"): _discrete,
    ("boolean", "integer"): _discrete,
    ("boolean", "boolean"): _discrete,
    ("real", "boolean"): _nonzero,
    ("real", "integer"): _truncate,
    ("real", "complex"): _paired,
    ("float0", "boolean"): _no_numbers,
    ("float0", "integer"): _no_numbers,
    ("float0", "real"): _zeros,
    ("float0", "complex"): _zeros,
    ("complex", "real"): lambda machine, equation, x: machine.map("real", x),
}


def _complex(machine: Machine, equation: Any, re: Array, im: Array) -> Array:
    return boxed(np.frompyfunc(Pair, 2, 1)(re, im))


def _reduce_precision(machine: Machine, equation: Any, x: Array) -> Array:
    return machine.narrowed(x, equation.params["exponent_bits"], equation.params["mantissa_bits"] + 1)


RULES: Table = {
    **{relation: _compared(relation) for relation in ("eq", "ne", "lt", "le", "gt", "ge")},
    "convert_element_type": Rule(_convert, ("trunc",)),
    "eq_to": Rule(_equal_in_total_order),
    "le_to": _total_order("le"),
    "lt_to": _total_order("lt"),
    **rules(
        bitcast_convert_type=bitcast,
        complex=_complex,
        is_finite=_is_finite,
        reduce_precision=_reduce_precision,
        select_n=_select_n,
    ),
}
