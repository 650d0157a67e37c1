"""Sums and products of many rounded terms, taken in whatever order a device likes.

    |computed - sum x_i| <= ((1 + u)^(n-1) - 1) sum |x_i|            for every order of n - 1 additions
    |computed - sum x_i y_i| <= ((1 + u)^n - 1) sum |x_i y_i|        with or without fused multiply-add

Source: Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., lemma 3.1 and equations (3.5), (4.4).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from flint import arb, arb_mat

from verifier.arithmetic.ball import generic_matmul
from verifier.arithmetic.elements import EITHER, NAN, NEG_INF, POS_INF, Special, Unknown, is_finite
from verifier.arithmetic.floats import FLOAT32, Format
from verifier.arithmetic.rounding_table import Target
from verifier.arithmetic.spread import Possible, Spread, join, parts
from verifier.arithmetic.storing import Store, store_of

__all__ = ["matmul", "multiplied", "summed"]


def summed(form: Format, target: Target, entries: Iterable[Possible]) -> Possible:
    """The sum of the entries in any order."""
    choices = [parts(entry) for entry in entries]
    unknown = next((part for each in choices for part in each if isinstance(part, Unknown)), None)
    if unknown is not None:
        return unknown
    balls = [each[0] for each in choices if type(each[0]) is arb]
    finite = _finite_sum(store_of(form, target), balls)
    specials = {part for each in choices for part in each if isinstance(part, Special)}
    specials |= {part for part in parts(finite) if isinstance(part, Special)}
    if {POS_INF, NEG_INF} <= specials:
        specials.add(NAN)
    possible = [part for part in parts(finite) if type(part) is arb] if len(balls) == len(choices) else []
    return join([*possible, *specials])


def _finite_sum(store: Store, balls: list[Any]) -> Possible:
    total, positive, negative = arb(0), arb(0), arb(0)
    for each in balls:
        total += each
        positive += each.max(arb(0)).abs_upper()
        negative += each.min(arb(0)).abs_upper()
    return _loosened(store, total, positive, negative, len(balls) - 1)


def _loosened(store: Store, total: arb, positive: arb, negative: arb, roundings: int) -> Possible:
    """A sum with its rounding errors, and the infinities that some partial sum may reach."""
    growth = store.wobble.abs_upper() ** max(roundings, 0)
    weight = positive + negative
    ball = total + weight * ((growth - 1).abs_upper() * arb(0, 1))
    if not weight.is_zero():
        ball += (store.normal if store.flushes else store.least) * arb(0, max(roundings, 0))
    specials = set()
    if not positive * growth < store.overflow:
        specials.add(POS_INF)
    if not negative * growth < store.overflow:
        specials.add(NEG_INF)
    if len(specials) == 2:
        specials.add(NAN)
    stored = store.range(ball, max(roundings, 1))
    return join([stored, Spread(ball, frozenset(specials))]) if specials else stored


def multiplied(form: Format, target: Target, entries: Iterable[Possible]) -> Possible:
    """The product of the entries in any order, where no order can leave the dtype's range on the way."""
    store, product, largest, smallest, count = store_of(form, target), arb(1), arb(1), arb(1), 0
    for each in entries:
        if type(each) is not arb:
            return each if isinstance(each, Unknown) else _ANY_ORDER
        product, count = product * each, count + 1
        largest, smallest = largest * each.abs_upper().max(arb(1)), smallest * each.abs_lower().min(arb(1))
    if not (largest * 2 < store.overflow and smallest > store.normal * 2):
        return _ANY_ORDER
    return store.store(product, max(count - 1, 1))


_ANY_ORDER = Unknown("a product of many terms that may leave the dtype's range on the way", EITHER)


def matmul(system: Any, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The product of an (m, k) and a (k, n) array."""
    if not system.target.reorders:
        return generic_matmul(system, a, b)
    if all(map(is_finite, a.flat)) and all(map(is_finite, b.flat)):
        return _finite_matmul(system, a, b)
    multiply = np.frompyfunc(system.operation("mul"), 2, 1)
    result = np.empty((a.shape[0], b.shape[1]), dtype=object)
    for i, j in np.ndindex(*result.shape):
        result[i, j] = summed(system.form, system.target, np.asarray(multiply(a[i], b[:, j])))
    return result


def _finite_matmul(system: Any, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    store, inner = store_of(system.form, system.target), a.shape[1]
    (left, right), up, down = (_matrix(each) for each in (a, b)), _magnitudes(a, 1), _magnitudes(a, -1)
    more, less = _magnitudes(b, 1), _magnitudes(b, -1)
    total, positive, negative = left * right, up * more + down * less, up * less + down * more
    result = np.empty((a.shape[0], b.shape[1]), dtype=object)
    for i, j in np.ndindex(*result.shape):
        result[i, j] = _entry(store, system.target, total[i, j], positive[i, j], negative[i, j], inner)
    return result


def _entry(store: Store, target: Target, total: arb, positive: arb, negative: arb, terms: int) -> Possible:
    if target.tensor_float and store.form is FLOAT32:
        # Operands rounded to 11 bits: 2 2^-11 (1 + 2^-12); sums cut, not rounded: 2 u each.
        # Source: Fasi et al., Numerical behavior of NVIDIA tensor cores, PeerJ CS 7:e330 (2021).
        total += (positive + negative) * arb(0, 2.0**-10 * (1 + 2.0**-10))
        return _loosened(store, total, positive, negative, 2 * terms)
    return _loosened(store, total, positive, negative, terms)


def _matrix(x: np.ndarray) -> arb_mat:
    return arb_mat(x.shape[0], x.shape[1], list(x.flat))


def _magnitudes(x: np.ndarray, sign: int) -> arb_mat:
    """Bounds of the positive (sign 1) or negative parts of the entries."""
    return arb_mat(x.shape[0], x.shape[1], [(sign * each).max(arb(0)).abs_upper() for each in x.flat])
