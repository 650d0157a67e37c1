"""The discrete Fourier transforms, as products with their matrices."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from verifier.truth.machine import Machine, Table, rules
from verifier.truth.pairs import Pair
from verifier.truth.values import Refused, boxed

__all__ = ["RULES"]

Array = np.ndarray

_QUARTERS = {Fraction(0): (1, 0), Fraction(1, 4): (0, 1), Fraction(1, 2): (-1, 0), Fraction(3, 4): (0, -1)}


def _root(real: Any, turn: Fraction) -> Pair:
    """exp(2 pi i turn), exact at quarter turns."""
    turn %= 1
    if turn in _QUARTERS:
        return Pair(*map(real.exact, _QUARTERS[turn]))
    angle = real.operation("mul")(real.constant("pi"), real.exact(2 * turn))
    return Pair(real.operation("cos")(angle), real.operation("sin")(angle))


def _roots(machine: Machine, size: int, sign: int) -> Array:
    """The matrix exp(sign 2 pi i j k / size), each different root computed once."""
    roots = [_root(machine.system.real, Fraction(sign * turn, size)) for turn in range(size)]
    matrix = np.empty((size, size), dtype=object)
    for j, k in np.ndindex(size, size):
        matrix[j, k] = roots[j * k % size]
    return matrix


def _transformed(machine: Machine, x: Array, axis: int, sign: int) -> Array:
    moved = np.moveaxis(x, axis, -1)
    product = machine.matmul(moved.reshape(-1, moved.shape[-1]), _roots(machine, moved.shape[-1], sign))
    return np.moveaxis(product.reshape(moved.shape), -1, axis)


def _scaled(machine: Machine, x: Array, count: int) -> Array:
    return machine.map("div", x, machine.exact(count))


def _forward(machine: Machine, x: Array, axes: range) -> Array:
    for axis in reversed(axes):
        x = _transformed(machine, x, axis, -1)
    return x


def _inverse(machine: Machine, x: Array, axes: range) -> Array:
    for axis in axes:
        x = _scaled(machine, _transformed(machine, x, axis, 1), x.shape[axis])
    return x


def _of_real(machine: Machine, x: Array, axes: range) -> Array:
    zero = machine.system.real.exact(0)
    pairs = boxed(np.frompyfunc(lambda entry: Pair(entry, zero), 1, 1)(x))
    half = _transformed(machine, pairs, axes[-1], -1)[..., : x.shape[-1] // 2 + 1]
    return _forward(machine, half, axes[:-1])


def _to_real(machine: Machine, x: Array, axes: range, size: int) -> Array:
    """The inverse of `_of_real`: the missing half is the conjugate, mirrored, of the first."""
    x = _inverse(machine, x, axes[:-1])
    first = x[..., : size // 2 + 1]
    rest = machine.map("conj", first[..., 1 : (size + 1) // 2][..., ::-1])
    whole = np.concatenate([first, rest], axis=-1) if rest.size else first
    return machine.map("real", _inverse(machine, whole, axes[-1:]))


def _fft(machine: Machine, equation: Any, x: Array) -> Array:
    kind, lengths = equation.params["fft_type"].name, equation.params["fft_lengths"]
    axes = range(x.ndim - len(lengths), x.ndim)
    match kind:
        case "FFT":
            return _forward(machine, x, axes)
        case "IFFT":
            return _inverse(machine, x, axes)
        case "RFFT":
            return _of_real(machine, x, axes)
        case "IRFFT":
            return _to_real(machine, x, axes, lengths[-1])
    raise Refused(f"no such transform: {kind}")


RULES: Table = rules(fft=_fft)
