"""The bits of a real number: its sign, its exponent field and its significand, where exact arithmetic decides them.

A number that the dtype holds exactly has plain bits. Of any other (a germ that varies, a ball) an integer array holds
`Bits`, which count as undecided except in the operations that take them apart and put them together again: shifts to
the sign or the exponent field, masks of either, and the significand under another exponent (frexp, signbit, copysign).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb

from verifier.arithmetic.elements import EITHER, NEG_ZERO, Special, Unknown, as_fraction, plain
from verifier.arithmetic.expansion import Germ
from verifier.arithmetic.floats import FORMATS, Format, is_member
from verifier.arithmetic.germ import as_ball
from verifier.arithmetic.one_sided import limit
from verifier.truth.machine import Machine, kind_of, refuse
from verifier.truth.values import boxed, is_decided, lifted, undecided

__all__ = ["Bits", "bitcast", "combined", "exponent_of"]

Array = np.ndarray
_REASON = "the bits of a real number are a matter of its dtype"
_WIDTHS = {"float64": 64, "float32": 32, "bfloat16": 16, "float16": 16}


@dataclass(frozen=True, slots=True)
class Bits(Unknown):
    """The bits of `number` in a format; with `cleared` those of its sign and significand, the exponent field zero."""

    number: Any = None
    form: Format = FORMATS["float64"]
    cleared: bool = False


def bitcast(machine: Machine, equation: Any, x: Array) -> Array:
    """The same bits under another dtype of the same width."""
    source, target = equation.invars[0].aval.dtype, equation.outvars[0].aval.dtype
    if source.itemsize != target.itemsize:
        refuse("bitcast_convert_type between dtypes of different width")
    kinds = kind_of(equation.invars[0]), kind_of(equation.outvars[0])
    if kinds == ("real", "integer"):
        return boxed(np.frompyfunc(lambda entry: _bits(entry, source, target), 1, 1)(x))
    if kinds == ("integer", "real"):
        return boxed(np.frompyfunc(lambda entry: _number(machine, entry, source, target), 1, 1)(x))
    if kinds == ("real", "real") and source == target:
        return x
    if kinds != ("integer", "integer") or x.dtype == object:
        refuse(f"bitcast_convert_type: {_REASON}")
    return np.ascontiguousarray(x).view(target).reshape(x.shape)


def _bits(entry: Any, source: np.dtype, target: np.dtype) -> Any:
    form = FORMATS.get(source.name)
    if isinstance(entry, Unknown) or form is None:
        return plain(entry) if isinstance(entry, Unknown) else Unknown(_REASON, "")
    value = _float(as_ball(entry) if isinstance(entry, Germ) else entry, form)
    if value is not None:
        return np.asarray(value, dtype=source).view(target)[()]
    return Bits(_REASON, "", entry, form) if isinstance(entry, (arb, Germ)) else Unknown(_REASON, "")


def _float(element: Any, form: Format) -> float | None:
    """The member of the format that the element certainly is."""
    if isinstance(element, Special):
        return float(element.value)
    if not isinstance(element, arb) or not element.is_exact():
        return None
    if element.is_zero():
        return -0.0 if element is NEG_ZERO else 0.0
    try:
        exact = as_fraction(element)
        value = float(exact)
    except (ValueError, OverflowError):
        return None
    return value if Fraction(value) == exact and is_member(value, form) else None


def _number(machine: Machine, entry: Any, source: np.dtype, target: np.dtype) -> Any:
    if isinstance(entry, Bits) and not entry.cleared and entry.form.name == target.name:
        return entry.number
    if not is_decided(entry):
        return undecided(entry, "an integer whose bits are recast")
    return lifted(np.asarray(entry, dtype=source).view(target), machine.literal)[()]


def combined(machine: Machine, primitive: str, *operands: Any) -> Any:
    """An operation of `Bits` and a plain integer, as an integer or `Bits`; None where it is not known."""
    pair = [each for each in operands if isinstance(each, Bits)], [each for each in operands if is_decided(each)]
    if len(operands) != 2 or any(len(each) != 1 for each in pair):
        return None
    (bits,), (constant,) = pair
    if primitive.startswith("shift") and bits is not operands[0]:
        return None
    known = _OPERATIONS.get(primitive)
    return None if known is None else known(machine, bits, int(constant))


def _fields(form: Format) -> tuple[int, int, int]:
    """(width, mask of the sign, mask of the exponent field)."""
    width = _WIDTHS[form.name]
    sign = 1 << (width - 1)
    return width, sign, sign - (1 << (form.precision - 1))


def _sign_bit(machine: Machine, bits: Bits) -> int | None:
    zero = machine.exact(0)
    below = machine.system.compare("lt", bits.number, zero)
    return None if below is None else int(below)


def _exponent(machine: Machine, bits: Bits) -> int | None:
    """The exponent of a normal number, where it is decided."""
    exponent = exponent_of(machine, bits.number)
    return exponent if exponent is not None and _is_normal(exponent, bits.form) else None


def _is_normal(exponent: int, form: Format) -> bool:
    return form.min_exponent <= exponent <= form.max_exponent


def exponent_of(machine: Machine, number: Any) -> int | None:
    """floor(log2 |x|), where it is decided; next to a power of two a germ's side decides it."""
    size = machine.operation("abs")(number)
    near = limit(size) if isinstance(size, Germ) else size
    if not isinstance(near, arb) or near.mid().is_zero():
        return None
    mantissa, power = near.mid().man_exp()
    guess = int(abs(mantissa)).bit_length() - 1 + int(power)
    compare = machine.system.compare
    for exponent in (guess, guess - 1, guess + 1):
        low, high = (machine.system.exact(Fraction(2) ** each) for each in (exponent, exponent + 1))
        if compare("le", low, size) is True and compare("lt", size, high) is True:
            return exponent
    return None


def _field(machine: Machine, bits: Bits) -> int | None:
    """The biased exponent."""
    exponent = 0 if bits.cleared else _exponent(machine, bits)
    return exponent if exponent is None or bits.cleared else exponent + bits.form.max_exponent


def _shifted(machine: Machine, bits: Bits, distance: int, *, arithmetic: bool) -> Any:
    width, _, _ = _fields(bits.form)
    if distance not in (width - 1, bits.form.precision - 1):
        return None
    sign = _sign_bit(machine, bits)
    field = 0 if distance == width - 1 else _field(machine, bits)
    if sign is None or field is None:
        return Unknown(_REASON, EITHER)
    kept = width - distance
    value = (sign << (kept - 1)) + field if kept > 1 else sign
    return value - (1 << kept) if arithmetic and sign else value


def _masked(machine: Machine, bits: Bits, constant: int) -> Any:
    width, sign, exponent = _fields(bits.form)
    mask = constant % (1 << width)
    if mask == sign:
        below = _sign_bit(machine, bits)
        return Unknown(_REASON, EITHER) if below is None else _signed(below << (width - 1), width)
    if mask == sign - 1:
        return Bits(_REASON, "", machine.operation("abs")(bits.number), bits.form, bits.cleared)
    if mask == exponent:
        field = _field(machine, bits)
        return Unknown(_REASON, EITHER) if field is None else field << (bits.form.precision - 1)
    if mask == (1 << width) - 1 - exponent:
        return Bits(_REASON, "", bits.number, bits.form, cleared=True)
    return None


def _signed(value: int, width: int) -> int:
    return value - (1 << width) if value >> (width - 1) else value


def _filled(machine: Machine, bits: Bits, constant: int) -> Any:
    """`or` with an exponent field, where there is none, or with the sign."""
    width, sign, exponent = _fields(bits.form)
    mask = constant % (1 << width)
    if mask == sign:
        size = machine.operation("abs")(bits.number)
        return Bits(_REASON, "", machine.operation("neg")(size), bits.form, bits.cleared)
    if not bits.cleared or mask & ~exponent or mask in (0, exponent):
        return None
    old = _exponent(machine, bits)
    if old is None:
        return Unknown(_REASON, EITHER)
    new = (mask >> (bits.form.precision - 1)) - bits.form.max_exponent
    factor = machine.system.exact(Fraction(2) ** (new - old))
    return Bits(_REASON, "", machine.operation("mul")(bits.number, factor), bits.form)


def _flipped(machine: Machine, bits: Bits, constant: int) -> Any:
    width, sign, _ = _fields(bits.form)
    if constant % (1 << width) != sign:
        return None
    return Bits(_REASON, "", machine.operation("neg")(bits.number), bits.form, bits.cleared)


_OPERATIONS = {
    "shift_right_arithmetic": lambda machine, bits, n: _shifted(machine, bits, n, arithmetic=True),
    "shift_right_logical": lambda machine, bits, n: _shifted(machine, bits, n, arithmetic=False),
    "and": _masked,
    "or": _filled,
    "xor": _flipped,
}
