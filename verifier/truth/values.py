"""The values that flow through a jaxpr: arrays of elements, of integers, of decisions.

real      object array of elements of the number system
complex   object array of `Pair`s of elements
integer   numpy integer array; an object array where some entry is `Unknown`
boolean   numpy boolean array; an object array of True, False and None (or Unknown) where some entry is undecided
opaque    anything else (keys of random numbers): only a concrete run can produce it
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache
from math import copysign, isinf, isnan
from typing import Any

import numpy as np

from verifier.arithmetic.arrays import object_array
from verifier.arithmetic.ball import BallSystem
from verifier.arithmetic.elements import EITHER, NAN, NEG_INF, POS_INF, Unknown, plain
from verifier.arithmetic.germ import GermSystem
from verifier.truth.pairs import Pair

__all__ = [
    "Literal",
    "Literals",
    "Refused",
    "boxed",
    "category",
    "exact_literals",
    "filled",
    "integers",
    "is_decided",
    "lifted",
    "settled",
    "undecided",
    "unknown",
]

Literal = Callable[[float, np.dtype], Any]
"""How a number that stands in the program becomes an element: (its value, its dtype) -> element."""
Literals = Callable[[Any], Literal]
"""What a number that stands in a program is, in a number system."""


class Refused(Exception):
    """A rule's way to say why it has no answer; the evaluator turns it into `Unknown(reason, remedy)`."""

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.unknown = Unknown(reason, remedy)


@lru_cache(maxsize=256)
def category(dtype: Any) -> str:
    """real, complex, integer, boolean, float0 or opaque; `dtype` may be an extended dtype that numpy does not know."""
    if not isinstance(dtype, np.dtype):
        return "opaque"
    if dtype.names == ("float0",):
        return "float0"
    name = dtype.name
    if dtype.kind == "f" or name.startswith(("bfloat", "float8", "float6", "float4")):
        return "real"
    if dtype.kind in "iu" or name.startswith(("int", "uint")):
        return "integer"
    return {"c": "complex", "b": "boolean"}.get(dtype.kind, "opaque")


def boxed(value: Any) -> np.ndarray:
    """The value as an array: what numpy unpacked into a bare element becomes an object array of shape ()."""
    if isinstance(value, np.ndarray):
        return value
    if isinstance(value, np.generic):
        return np.asarray(value)
    box = np.empty((), dtype=object)
    box[()] = value
    return box


def filled(shape: Sequence[int], element: Any) -> np.ndarray:
    """An object array with the same element everywhere."""
    array = np.empty(tuple(shape), dtype=object)
    array.fill(element)
    return array


def unknown(shape: Sequence[int], reason: str, remedy: str = "") -> np.ndarray:
    """An object array of `Unknown(reason)`."""
    return filled(shape, Unknown(reason, remedy))


def is_decided(entry: object) -> bool:
    """Whether an entry of an integer or boolean array is an actual integer or truth value."""
    return isinstance(entry, (bool, int, np.bool_, np.integer))


def undecided(entry: object, what: str) -> Unknown:
    """The reason why an integer or boolean entry is undecided, to be carried on."""
    return plain(entry) if isinstance(entry, Unknown) else Unknown(f"{what} is undecided", EITHER)


def settled(value: Any, aval: Any) -> np.ndarray:
    """What a rule returned, as an array of the shape and category that the jaxpr declares."""
    array = boxed(value)
    kind = category(getattr(aval, "dtype", None))
    if kind in ("opaque", "float0"):
        return array
    if array.shape != tuple(aval.shape):
        raise AssertionError(f"a rule returned shape {array.shape} where the jaxpr says {tuple(aval.shape)}")
    if kind in ("integer", "boolean"):
        return _discrete(array, aval.dtype)
    return boxed(_PAIRED(array)) if kind == "complex" else array


# An unknown complex number is unknown in both parts, so that arithmetic of parts goes on.
_PAIRED = np.frompyfunc(lambda entry: Pair(entry, entry) if isinstance(entry, Unknown) else entry, 1, 1)


def _discrete(array: np.ndarray, dtype: np.dtype) -> np.ndarray:
    if array.dtype == object and not all(map(is_decided, array.flat)):
        return array
    return array.astype(dtype, copy=False)


def integers(array: np.ndarray, what: str) -> np.ndarray:
    """The array as 64-bit integers; raises Refused where an entry is undecided."""
    if array.dtype == object:
        reason = next((entry for entry in array.flat if not is_decided(entry)), None)
        refusal = undecided(reason, what)
        raise Refused(refusal.reason, refusal.remedy)
    return array.astype(np.int64)


def exact_literals(system: Any) -> Literal:
    """The policy that takes every number of a program at its exact value.

    Runs at the same precision share it: a program's data are made elements once for all points, not at each of them.
    """
    return _shared_literals(system) if type(system) in (BallSystem, GermSystem) else _exact_literals(system)


@lru_cache(maxsize=32)
def _shared_literals(system: BallSystem | GermSystem) -> Literal:
    return _exact_literals(system)


def _exact_literals(system: Any) -> Literal:
    @lru_cache(maxsize=4096)
    def by_text(text: str) -> Any:
        value = float.fromhex(text)
        if isnan(value):
            return NAN
        if isinf(value):
            return POS_INF if value > 0 else NEG_INF
        if value == 0 and copysign(1, value) < 0:
            return system.operation("neg")(system.exact(0))
        return system.exact(Fraction(value))

    return lambda value, dtype: by_text(value.hex())


def lifted(value: Any, literal: Literal) -> np.ndarray:
    """A concrete array as values: floating entries through `literal`, everything else as it is, keys in a box."""
    if not isinstance(getattr(value, "dtype", np.dtype(object)), np.dtype):
        return boxed(value)
    array = value if isinstance(value, np.ndarray) else np.asarray(value)
    kind = category(array.dtype)
    if kind == "real":
        elements = [literal(float(entry), array.dtype) for entry in array.flat]
    elif kind == "complex":
        elements = [_pair(complex(entry), array.dtype, literal) for entry in array.flat]
    else:
        return array
    return object_array(elements, array.shape)


def _pair(value: complex, dtype: np.dtype, literal: Literal) -> Pair:
    return Pair(literal(value.real, dtype), literal(value.imag, dtype))
