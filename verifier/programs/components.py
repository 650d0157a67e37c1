"""The components of a derivative: their order, their names, and the sign vectors that contracted programs use.

A derivative of order k is a tensor of shape `value_shape + (n,) * k`, n being the number of input components (leaves in
catalog order, each in C order). Its components are numbered in C order.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from verifier.model.catalog import Input, Shape

__all__ = [
    "Contraction",
    "Directions",
    "Leaf",
    "Signature",
    "component_count",
    "component_names",
    "contract",
    "directions",
    "signature_of",
]


class Contraction(StrEnum):
    """What a program multiplies the derivative tensor T by.

    NONE: T itself. TANGENT: T[v, ..., v], of shape value_shape. COTANGENT (order 1): u^T T, of shape (n,).
    """

    NONE = "none"
    TANGENT = "tangent"
    COTANGENT = "cotangent"


@dataclass(frozen=True, slots=True)
class Leaf:
    """One array of the input; a dotted name stands for a place in a nested argument."""

    name: str
    shape: Shape = ()

    @property
    def size(self) -> int:
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class Signature:
    """What goes into a function and what comes out, in shapes."""

    value_shape: Shape
    leaves: tuple[Leaf, ...]

    @property
    def size(self) -> int:
        """n, the number of input components."""
        return sum(leaf.size for leaf in self.leaves)

    @property
    def value_size(self) -> int:
        """m, the number of components of the value."""
        return math.prod(self.value_shape)

    @property
    def arguments(self) -> tuple[str, ...]:
        """The top-level inputs in the order of the catalog: one argument of the JAX function each."""
        return tuple(dict.fromkeys(leaf.name.partition(".")[0] for leaf in self.leaves))

    @property
    def is_scalar_to_scalar(self) -> bool:
        return self.value_shape == () and [leaf.shape for leaf in self.leaves] == [()]


@dataclass(frozen=True, slots=True)
class Directions:
    """The sign vectors of contracted programs: v of n components, u of m components, each +1 or -1."""

    tangent: tuple[int, ...]
    cotangent: tuple[int, ...]


def signature_of(inputs: Iterable[Input], value_shape: Shape) -> Signature:
    return Signature(value_shape, tuple(Leaf(each.name, each.shape) for each in inputs))


def component_count(signature: Signature, order: int, contraction: Contraction = Contraction.NONE) -> int:
    return _head_size(signature, contraction) * signature.size ** _free_axes(order, contraction)


def component_names(signature: Signature, order: int, contraction: Contraction = Contraction.NONE) -> tuple[str, ...]:
    """The names of a program's components, all different: `value[1]`, `d/dx`, `d2/dv[0]dv[1]`, `value[1] d/dx`.

    Contracted ones are called `d2 along signs` and `signed value d/dx`; where the contraction changes nothing (one
    input component, a scalar value) they are called as the derivative itself.
    """
    heads = _value_names(signature.value_shape)
    match contraction:
        case Contraction.TANGENT if order and signature.size != 1:
            return tuple(_spaced(head, _along(order)) for head in heads)
        case Contraction.COTANGENT if signature.value_size != 1:
            return tuple(f"signed value {name}" for name in _derivative_names(signature, order))
    tails = _derivative_names(signature, order)
    return tuple(_spaced(head, tail) or "value" for head in heads for tail in tails)


def directions(signature: Signature, *, seed: int, entry: str) -> Directions:
    """The sign vectors of an entry: a single component is +1, so that the contraction is the derivative itself."""
    return Directions(
        tangent=_signs(signature.size, f"{seed}:{entry}:tangent"),
        cotangent=_signs(signature.value_size, f"{seed}:{entry}:cotangent"),
    )


def contract(
    tensor: np.ndarray, signature: Signature, order: int, contraction: Contraction, along: Directions
) -> np.ndarray:
    """The flat components of a contracted program, from all components of the derivative.

    The elements may be anything with `+` and unary `-`; each sum runs from the first component to the last.
    """
    axes = tensor.reshape((signature.value_size,) + (signature.size,) * order)
    match contraction:
        case Contraction.NONE:
            return axes.reshape(-1)
        case Contraction.COTANGENT:
            return _signed_sum(axes, along.cotangent)
    for _ in range(order):
        axes = _signed_sum(np.moveaxis(axes, -1, 0), along.tangent)
    return axes.reshape(-1)


def _head_size(signature: Signature, contraction: Contraction) -> int:
    return 1 if contraction is Contraction.COTANGENT else signature.value_size


def _free_axes(order: int, contraction: Contraction) -> int:
    return 0 if contraction is Contraction.TANGENT else order


def _value_names(shape: Shape) -> tuple[str, ...]:
    return tuple(f"value{_subscript(index)}" if index else "" for index in np.ndindex(*shape))


def _derivative_names(signature: Signature, order: int) -> tuple[str, ...]:
    if order == 0:
        return ("",)
    variables = tuple(_variables(signature))
    merged = not any(name[-1].isdigit() for name in variables)
    prefix = "d/" if order == 1 else f"d{order}/"
    names = tuple(prefix + _product(factors, merged=merged) for factors in itertools.product(variables, repeat=order))
    if len(set(names)) == len(names):
        return names
    return tuple(prefix + " ".join(f"d{name}" for name in each) for each in itertools.product(variables, repeat=order))


def _variables(signature: Signature) -> Iterator[str]:
    for leaf in signature.leaves:
        for index in np.ndindex(*leaf.shape):
            yield leaf.name + _subscript(index)


def _product(factors: tuple[str, ...], *, merged: bool) -> str:
    """`dx2dy` for (x, x, y): neighbours of one scalar name become a power where no name could be mistaken for one."""
    if not merged:
        return "".join(f"d{name}" for name in factors)
    runs = ((name, len(tuple(same))) for name, same in itertools.groupby(factors))
    return "".join(
        f"d{name}" * count if count == 1 or name.endswith("]") else f"d{name}{count}" for name, count in runs
    )


def _along(order: int) -> str:
    return "d along signs" if order == 1 else f"d{order} along signs"


def _subscript(index: tuple[int, ...]) -> str:
    return f"[{','.join(map(str, index))}]" if index else ""


def _spaced(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _signs(count: int, key: str) -> tuple[int, ...]:
    """`count` signs from the bits of SHAKE-256 of the key: the same everywhere, whatever the versions."""
    if count == 1:
        return (1,)
    digest = hashlib.shake_256(key.encode()).digest((count + 7) // 8)
    return tuple(1 if digest[i // 8] >> (i % 8) & 1 else -1 for i in range(count))


def _signed_sum(rows: np.ndarray, signs: tuple[int, ...]) -> np.ndarray:
    """The sum of the rows (first axis), each as it is or negated."""
    total = rows[0] if signs[0] > 0 else -rows[0]
    for row, sign in zip(rows[1:], signs[1:], strict=True):
        total = total + row if sign > 0 else total - row
    return total
