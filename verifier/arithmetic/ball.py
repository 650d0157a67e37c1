"""Ball arithmetic: the number system whose elements enclose the exact value.

Law: if each operand contains the exact operand, the result contains the exact result, or is a definite IEEE special
that the exact operands give, or is unknown.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb, arb_mat

from verifier.arithmetic.elements import KINK, Decision, Element, Special, Unknown, compare, exact_ball
from verifier.arithmetic.functions import Operation
from verifier.arithmetic.precision import current_precision, working_precision
from verifier.arithmetic.vocabulary import OPERATIONS, constant, row

__all__ = ["BallSystem", "generic_matmul"]


@dataclass(frozen=True, slots=True)
class BallSystem:
    """Balls rounded to `bits` bits. No operation on elements raises; an unknown function's name does (UsageError).

    Inside `with system.working():` operations skip the switch of precision, which costs more than most of them.
    """

    bits: int = 128

    def working(self) -> AbstractContextManager[None]:
        """The block in which this system's precision is the current one."""
        return working_precision(self.bits)

    def exact(self, value: Fraction | int) -> arb:
        """The rational, exact where `bits` bits hold it."""
        with self.working():
            return exact_ball(value)

    def constant(self, name: str) -> arb:
        """pi, e, euler, log2, log10 or catalan."""
        with self.working():
            return constant(name)

    def operation(self, name: str) -> Operation:
        """The bare operation of a name, for compiled kernels that run inside `working()`."""
        row(name)
        return OPERATIONS[name]

    def apply(self, name: str, *operands: Element | Fraction | int) -> Element:
        """The function of that name (see `vocabulary.FUNCTIONS`) of the operands."""
        operation = self.operation(name)
        if current_precision() == self.bits:
            return operation(*operands)
        with self.working():
            return operation(*operands)

    def compare(self, relation: str, a: Element, b: Element) -> Decision:
        """Whether a relation b (lt le gt ge eq ne): True, False, or None where it is not decided."""
        return compare(relation, a, b)

    def select(self, condition: Decision, a: Element, b: Element) -> Element:
        """a where the condition holds, else b; the branch not taken is discarded whatever it is."""
        if a is b:
            return a
        if condition is None:
            return Unknown("select: its condition is undecided")
        return a if condition else b

    def kink(self) -> Unknown:
        """A derivative exactly at a kink or a jump: neither more precision nor a higher order would help."""
        return KINK

    def matmul(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """The matrix product of two object arrays, (m, k) and (k, n), as an object array (m, n)."""
        kinds = {type(each) for array in (a, b) for each in array.flat}
        if Special in kinds:
            return generic_matmul(self, a, b)
        with self.working():
            return _matmul(a, b) if Unknown in kinds else _finite_matmul(a, b)


def _matmul(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The product of the finite parts; an unknown makes unknown whatever it goes into, as 0 * Unknown is unknown."""
    product = _finite_matmul(_finite_part(a), _finite_part(b))
    for i, k in zip(*np.nonzero(_is_unknown(a)), strict=True):
        product[i, :] = a[i, k]
    for k, j in zip(*np.nonzero(_is_unknown(b)), strict=True):
        product[:, j] = b[k, j]
    return product


def _is_unknown(array: np.ndarray) -> np.ndarray:
    return np.array([isinstance(each, Unknown) for each in array.flat], dtype=bool).reshape(array.shape)


def _finite_part(array: np.ndarray) -> np.ndarray:
    result = array.copy()
    result[_is_unknown(array)] = arb(0)
    return result


def _finite_matmul(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    (rows, inner), columns = a.shape, b.shape[1]
    product = arb_mat(rows, inner, list(a.flat)) * arb_mat(inner, columns, list(b.flat))
    result = np.empty(rows * columns, dtype=object)
    result[:] = product.entries()
    return result.reshape(rows, columns)


def generic_matmul(system: Any, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The matrix product in any number system, summed from the left."""
    result = np.empty((a.shape[0], b.shape[1]), dtype=object)
    with system.working():
        for i, j in np.ndindex(*result.shape):
            result[i, j] = _inner(system, a[i], b[:, j])
    return result


def _inner(system: Any, left: np.ndarray, right: np.ndarray) -> Any:
    add, multiply = system.operation("add"), system.operation("mul")
    total = system.exact(0) if not len(left) else multiply(left[0], right[0])
    for x, y in zip(left[1:], right[1:], strict=True):
        total = add(total, multiply(x, y))
    return total
