"""The rounded number system: an element encloses every value that a device may have computed so far.

Law: if each operand's set holds the value that a device has, the result's set holds the value that the device computes,
in the dtype `form`, on any target that keeps the promises of `rounding_table`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
from flint import arb

from verifier.arithmetic import rounded_sums
from verifier.arithmetic.elements import NAN, NEG_INF, NEG_ZERO, POS_INF, Decision, Unknown, exact_ball, lower, upper
from verifier.arithmetic.floats import FLOAT64, FORMATS, Format
from verifier.arithmetic.precision import current_precision, working_precision
from verifier.arithmetic.rounding_table import CPU, Bound, Target, bound, computing_format
from verifier.arithmetic.spread import Possible, Spread, combine, compare_possible, explained, join
from verifier.arithmetic.storing import Store, store_of
from verifier.arithmetic.vocabulary import OPERATIONS, constant, row

__all__ = ["RoundedSystem", "economical", "explained"]

Operation = Callable[..., Possible]


@dataclass(frozen=True, slots=True)
class RoundedSystem:
    """Balls widened by each operation's rounding error in `form` on `target`. No operation on elements raises."""

    form: Format = FLOAT64
    target: Target = CPU
    bits: int = 128

    def in_dtype(self, name: str) -> RoundedSystem:
        """The same system for another dtype (for one without a row in `FORMATS`, `refusal` speaks)."""
        return RoundedSystem(FORMATS.get(name, self.form), self.target, self.bits)

    def refusal(self, primitive: str, dtype: str, kind: str) -> str | None:
        """Why nothing is known about the rounding of a primitive, if so; `kind` is real, complex, integer, ..."""
        if kind in ("real", "complex") and dtype not in FORMATS:
            return f"no rounding rules for {dtype}"
        if kind == "complex" and primitive not in _COMPLEX:
            return f"the rounding of a complex {primitive} is not known"
        return _REFUSED.get(primitive)

    def working(self) -> AbstractContextManager[None]:
        """The block in which this system's precision is the current one."""
        return working_precision(self.bits)

    def exact(self, value: Fraction | int) -> Possible:
        """The rational as the dtype stores it."""
        with self.working():
            return self.stored(exact_ball(value))

    def constant(self, name: str) -> Possible:
        """pi, e, ... as the dtype stores it."""
        with self.working():
            return self.stored(constant(name))

    def stored(self, x: Possible) -> Possible:
        """What storing x in the dtype may leave."""
        store = store_of(self.form, self.target).store
        return store(x) if type(x) is arb else combine(lambda part: store(part) if type(part) is arb else part, (x,))

    def narrowed(self, x: Possible, exponent_bits: int, precision: int) -> Possible:
        """What storing x in a format of so many exponent bits and significant bits may leave."""
        bias = 2 ** (exponent_bits - 1) - 1
        form = Format(name="narrowed", precision=precision, min_exponent=1 - bias, max_exponent=bias)
        return RoundedSystem(form, self.target, self.bits).stored(x)

    def operation(self, name: str) -> Operation:
        """The operation of a name, to be called inside `working()`; raises UsageError for an unknown one."""
        return _operation(self.form, self.target, name)

    def apply(self, name: str, *operands: Possible | Fraction | int) -> Possible:
        """The function of that name of the operands."""
        with self.working():
            return self.operation(name)(*operands)

    def compare(self, relation: str, a: Possible, b: Possible) -> Decision:
        """Whether a relation b: True or False where it is so for all values that are possible."""
        return compare_possible(relation, a, b)

    def select(self, condition: Decision, a: Possible, b: Possible) -> Possible:
        """a where the condition holds, else b; both where it is undecided."""
        return join((a, b)) if condition is None else a if condition else b

    def join(self, values: Iterable[Possible]) -> Possible:
        """The set of all of them: what an undecided choice may have taken."""
        return join(values)

    def fold(self, name: str, entries: np.ndarray) -> Possible | None:
        """A sum or product of many terms in whatever order; None: fold it one by one."""
        if len(entries) < 3 or not self.target.reorders:
            return None
        if name == "add":
            return rounded_sums.summed(self.form, self.target, entries)
        return rounded_sums.multiplied(self.form, self.target, entries) if name == "mul" else None

    def matmul(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """The product of an (m, k) and a (k, n) array of elements, each sum in whatever order."""
        with self.working():
            return rounded_sums.matmul(self, a, b)


@lru_cache(maxsize=4096)
def _operation(form: Format, target: Target, name: str) -> Operation:
    row(name)
    if name == "integer_pow":
        return _lifted(_integer_pow(form, target), name)
    found = bound(name, form, target)
    if found is None:
        reason = Unknown(f"the rounding of {name} in {form.name} is not known", "")
        return lambda *operands: reason
    return _lifted(_bounded(form, target, name, found), name)


def _lifted(function: Operation, name: str) -> Operation:
    """The function of balls and specials as one of sets; a zero at which it jumps counts with both signs."""
    signed = _SIGNED_ZEROS.get(name, ())

    def operation(*operands: Any) -> Possible:
        balls = all(type(each) is arb for each in operands)
        if not balls:
            operands = tuple(exact_ball(each) if isinstance(each, (int, Fraction)) else each for each in operands)
        if signed:
            return join(combine(function, choice) for choice in _both_signs(operands, signed))
        return function(*operands) if balls else combine(function, operands)

    return operation


def _both_signs(operands: tuple[Any, ...], places: tuple[int, ...]) -> Iterable[tuple[Any, ...]]:
    zeros = [place for place in places if type(operands[place]) is arb and operands[place].is_zero()]
    yield operands
    for place in zeros:
        yield tuple(_POSITIVE_ZERO if i == place else each for i, each in enumerate(operands))
        yield tuple(NEG_ZERO if i == place else each for i, each in enumerate(operands))


_POSITIVE_ZERO = arb(0)
_SIGNED_ZEROS = {"div": (1,), "pow": (0,), "atan2": (0, 1), "digamma": (0,), "lgamma": (0,)}
"""Operands whose zero has a sign that shows in the result: a device may have rounded to either."""


def _bounded(form: Format, target: Target, name: str, found: Bound) -> Operation:
    """The operation of one row of the table, on balls and specials."""
    store, wide = store_of(form, target), computing_format(form, target)
    exact = _split(name, economical(name), wide, store)
    if not found.units:
        return _finished(exact, store.range) if name == "rem" else exact
    if found.units == 1:
        return _finished(_distinct(exact), store.store)
    if name == "div":
        quotient = _widened(found.units * float(wide.unit_roundoff), 0)
        last = store.range if wide is form else store.store
        return _division(exact, quotient, store.store, last)
    unit = float(form.unit_roundoff)
    loose = _widened(found.units * unit, found.magnitude)
    return _finished(_shaken(name, exact, found, unit), lambda x: store.range(loose(x)))


def _finished(function: Operation, finish: Callable[[arb], Possible]) -> Operation:
    def operation(*operands: Any) -> Possible:
        result = function(*operands)
        if type(result) is arb:
            return finish(result)
        return combine(lambda x: finish(x) if type(x) is arb else x, (result,))

    return operation


def _widened(radius: float, magnitude: float) -> Callable[[arb], arb]:
    """x -> x + [-radius, radius] max(|x|, magnitude)."""
    wobble = 1 + arb(0, radius)
    if not magnitude:
        return lambda x: x * wobble
    return lambda x: x + abs(x).upper().max(arb(magnitude)) * arb(0, radius)


def _distinct(function: Operation) -> Operation:
    """The same object twice need not be the same float: fused code may compute it twice, rounded differently."""

    def operation(a: Any, b: Any = None) -> Possible:
        if b is None:
            return function(a)
        return function(a, b + 0) if a is b and type(b) is arb and not b.is_exact() else function(a, b)

    return operation


def _division(
    exact: Operation, loose: Callable[[arb], arb], once: Callable[[arb], Possible], last: Callable[[arb], Possible]
) -> Operation:
    """A quotient; dividing by a power of two rounds once, whatever way it is done."""
    distinct = _distinct(exact)

    def operation(a: Any, b: Any) -> Possible:
        quotient = distinct(a, b)
        if type(quotient) is not arb:
            return quotient
        power_of_two = type(b) is arb and b.is_exact() and abs(int(b.man_exp()[0])) == 1
        return once(quotient) if power_of_two or quotient.is_zero() else last(loose(quotient))

    return operation


def _shaken(name: str, function: Operation, found: Bound, unit: float) -> Operation:
    """The function of arguments that were rounded first, within the domain that its row knows."""
    wobble, skip = 1 + arb(0, found.argument * unit), found.integers
    outside = Unknown(f"the rounding of {name} is not known for these arguments", "")

    def operation(*operands: Any) -> Possible:
        if found.domain and not all(map(_within, operands, found.domain)):
            return outside
        if found.argument:
            operands = tuple(
                each * wobble if type(each) is arb and place >= skip and not each.is_zero() else each
                for place, each in enumerate(operands)
            )
        return function(*operands)

    return operation


def _within(x: Any, ends: tuple[float, float]) -> bool:
    return type(x) is arb and bool(x >= ends[0]) and bool(x <= ends[1])


_COSTLY = ("i0e", "i1e", "igamma", "igammac", "zeta", "polygamma", "betainc")
_SPARE_BITS = 24


def economical(name: str) -> Operation:
    """The function at no more bits than its arguments have: series of wide balls at many bits take seconds."""
    function = OPERATIONS[name]
    if name not in _COSTLY:
        return function

    def operation(*operands: Any) -> Possible:
        bits = [each.rel_accuracy_bits() for each in operands if type(each) is arb and not each.is_exact()]
        with working_precision(max(2 * _SPARE_BITS, min([current_precision(), *(n + _SPARE_BITS for n in bits)]))):
            return function(*operands)

    return operation


_STEPS = ("floor", "ceil", "trunc", "round_half_even", "sign")
_LEFT_ENDS = {"sqrt": (0, None), "log": (0, NEG_INF), "log1p": (-1, NEG_INF)}
"""Where the domain of a function begins, and what stands there where it is a pole."""


def _split(name: str, function: Operation, form: Format, store: Store) -> Operation:
    """The function, with what balls leave unknown put together of pieces where that is possible."""
    if name in _STEPS:
        return lambda x: _stepped(function, x)
    if name == "atan2":
        return lambda y, x: _angle(function, y, x, store)
    if name == "rsqrt":
        return lambda x: _TWO_POLES if type(x) is arb and x.is_zero() else function(x)
    if name in _LEFT_ENDS:
        return lambda x: _from_left_end(name, function, x, form)
    return function


# IEEE 754-2019, 9.2.1: the reciprocal root of a zero is the infinity of its sign.
_TWO_POLES = Spread(None, frozenset({POS_INF, NEG_INF}))


def _angle(function: Operation, y: Any, x: Any, store: Store) -> Possible:
    """The angle of (x, y): any where both are zeros, whose signs count; subnormals read as zeros may give NaN."""
    if type(y) is not arb or type(x) is not arb or not all(store.may_be_zero(each) for each in (y, x)):
        return function(y, x)
    anywhere = arb.pi() * arb(0, 1)
    return anywhere if y.is_zero() and x.is_zero() else Spread(anywhere, frozenset({NAN}))


def _stepped(function: Operation, x: Any) -> Possible:
    """A function that never falls, of a ball on which it steps."""
    result = function(x)
    if type(x) is not arb or not isinstance(result, Unknown):
        return result
    return join((function(lower(x)), function(upper(x))))


def _from_left_end(name: str, function: Operation, x: Any, form: Format) -> Possible:
    """A function on a ball that reaches beyond the left end of its domain: NaN there, and the rest."""
    result = function(x)
    if type(x) is not arb or not isinstance(result, Unknown):
        return result
    end, pole = _LEFT_ENDS[name]
    high, members = upper(x), list[Possible]([NAN] if not x >= end else [])
    # No float lies between the end and its neighbour, so that the logarithm is bounded.
    step = form.smallest_subnormal if end == 0 else float(form.unit_roundoff) / 2
    start = arb(end) if pole is None else end + arb(step)
    if pole is not None:
        members.append(pole)
    if high >= start:
        first, last = function(start), function(high)
        members.append(first.union(last) if type(first) is arb and type(last) is arb else result)
    return join(members) if members else result


def _integer_pow(form: Format, target: Target) -> Operation:
    """x^n by |n| - 1 products in any order, and one quotient where n < 0.

    Source: Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., lemma 3.1: (1 + u)^(|n| - 1) - 1 in all.
    """
    base, store = OPERATIONS["integer_pow"], store_of(form, target)
    divide = _lifted(_bounded(form, target, "div", bound("div", form, target) or Bound(units=1, source="")), "div")

    def power(x: Any, n: Any) -> Possible:
        count = abs(int(n.unique_fmpz()))
        result = base(x, exact_ball(count))
        stored = store.store(result, max(1, count - 1)) if type(result) is arb else result
        return divide(_ONE, stored) if n < 0 else stored

    return power


_ONE = arb(1)

_COMPLEX_NAMES = """
    add add_any broadcast_in_dim complex concatenate conj convert_element_type copy copy_p cond custom_jvp_call
    custom_vjp_call dynamic_slice dynamic_update_slice gather imag jit mul neg pad pjit real reshape rev scan select_n
    slice squeeze stop_gradient sub transpose while
"""
_COMPLEX = frozenset(_COMPLEX_NAMES.split())
"""Primitives whose complex form is its parts' real ones."""

_REASONS = {
    "the order of its operations is a library's": """
        cholesky custom_linear_solve eigh fft householder_product lu qr svd triangular_solve tridiagonal_solve
    """,
    "the order of its operations is the compiler's": "cumlogsumexp reduce reduce_window",
    "not measured": "igamma_grad_a",
}
_REFUSED = {
    name: f"the rounding of {name} is not known: {reason}"
    for reason, names in _REASONS.items()
    for name in names.split()
}
"""Primitives whose rounding is not known: what they return may be anything."""
