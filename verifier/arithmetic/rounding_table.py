"""How far one operation of a device may be from the exact result: a row for each function, dtype and kind of device.

    computed = f(x (1 + d)) + e,   |d| <= argument u,   |e| <= units u max(|f(x (1 + d))|, magnitude)

with u the unit roundoff of the dtype; underflow, overflow and 16-bit results kept in float32 come on top (`storing`).
Rows of + - * / sqrt are theorems; the others are measured by `benchmarks/measure_rounding.py` and carry a margin.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from verifier.arithmetic.floats import FLOAT32, Format

__all__ = [
    "CPU",
    "GPU",
    "IEEE",
    "MARGIN",
    "MODELS",
    "Bound",
    "Model",
    "Target",
    "bound",
    "computing_format",
    "measured_target",
    "rows",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a device and its compiler may do beyond rounding each operation once; every option only widens.

    fuses        a compiled program may keep an intermediate unrounded (FMA contraction), multiply by a reciprocal
                 instead of dividing, and apply exp(a) exp(b) = exp(a + b) and its like
    flushes      names of the formats whose subnormal numbers may be read or written as zero
    excess       16-bit programs may be computed in float32 and rounded only where a fused kernel ends
    reorders     sums and products of many terms are taken in any order
    tensor_float float32 products of matrices may round their operands to 11 significant bits (TF32)
    """

    platform: str = "cpu"
    fuses: bool = True
    flushes: frozenset[str] = frozenset({"float64", "float32", "bfloat16"})
    excess: bool = True
    reorders: bool = True
    tensor_float: bool = False


CPU = Target()
"""XLA's CPU backend: it sets the processor to flush subnormals; float16's are normal numbers of float32, and stay."""

GPU = Target(platform="gpu", flushes=frozenset({"float32", "bfloat16"}), tensor_float=True)

IEEE = Target(platform="ieee", fuses=False, flushes=frozenset(), excess=False, reorders=False)
"""Every operation rounded once, to nearest, in the order of the program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """One row: see the law above. `domain`: a pair of ends for each argument, outside of which nothing is known."""

    units: float
    argument: float = 0.0
    magnitude: float = 0.0
    integers: int = 0
    domain: tuple[tuple[float, float], ...] = ()
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """The form that a function's error takes; how large it is, is measured.

    Most are relative to the result; `magnitude` where the function has zeros away from 0; `argument` where the
    device rounds an argument, or part of one, first (exp2(x) = exp(x log 2)). The first `integers` arguments are whole.
    """

    argument: float = 0.0
    magnitude: float = 0.0
    integers: int = 0
    domain: tuple[tuple[float, float], ...] = ()


_EXACT = "abs neg max min sign floor ceil trunc round_half_even rem"
_EXACT_SOURCE = "the result is a member of the format: IEEE 754-2019, 5.3.1, 5.5.1, 9.6; C17, fmod"
_ONE_ROUNDING = "add sub mul square sqrt"
_IEEE_SOURCE = "IEEE 754-2019, 5.4.1: rounded to nearest, |error| <= u |result|"
_DIVISION_SOURCE = "XLA's algebraic simplifier: a / c = a (1/c), a / sqrt(b) = a rsqrt(b): at most three roundings"

_RELATIVE = "acos acosh asin asinh atan atan2 atanh cbrt cos erf expm1 i0e i1e log log1p logistic rsqrt sin tan tanh"
_ROUNDED_ARGUMENT = "cosh erf_inv erfc exp sinh"
_WIDE = (1e-3, 1e3)

MODELS: Mapping[str, Model] = MappingProxyType(
    {
        **{name: Model() for name in _RELATIVE.split()},
        **{name: Model(argument=1) for name in _ROUNDED_ARGUMENT.split()},
        "exp2": Model(argument=2),
        "pow": Model(argument=2),
        "lgamma": Model(argument=1, magnitude=1),
        "digamma": Model(argument=1, magnitude=1),
        "igamma": Model(argument=1, magnitude=1, domain=(_WIDE, _WIDE)),
        "igammac": Model(argument=1, magnitude=1, domain=(_WIDE, _WIDE)),
        "zeta": Model(argument=1, domain=((1.0625, 16.0), (1e-1, 1e2))),
        "polygamma": Model(argument=1, integers=1, domain=((1.0, 6.0), (1e-1, 1e2))),
        "betainc": Model(argument=1, magnitude=1, domain=((1e-1, 1e2), (1e-1, 1e2), (0.0, 1.0))),
    }
)
"""The functions that are measured."""

MARGIN = 2.0
"""What the largest error seen is multiplied by: the samples do not hold the worst input."""

_ELSEWHERE = 8.0
"""And by this on platforms that nobody measured yet."""

_MEASURED = Path(__file__).with_name("rounding_measured.json")


def computing_format(form: Format, target: Target) -> Format:
    """The format in which a target adds, multiplies and divides numbers of `form`: float32 for 16-bit ones."""
    return FLOAT32 if target.excess and form.precision < FLOAT32.precision else form


@lru_cache(maxsize=1024)
def bound(name: str, form: Format, target: Target) -> Bound | None:
    """The row of a function; None where nothing is known."""
    if name in _EXACT.split():
        return Bound(units=0.0, source=_EXACT_SOURCE)
    if name in _ONE_ROUNDING.split():
        return Bound(units=1.0, source=_IEEE_SOURCE)
    if name == "div":
        return Bound(units=3.0, source=_DIVISION_SOURCE) if target.fuses else Bound(units=1.0, source=_IEEE_SOURCE)
    return _measured_bound(name, form, target)


def _measured_bound(name: str, form: Format, target: Target) -> Bound | None:
    model, units = MODELS.get(name), _measurements().get(name, {}).get(form.name)
    if model is None or units is None:
        return None
    measured_here = target.platform in (_platform(), "ieee")
    source = f"measured on {_platform()}: {units:.3g} u" + ("" if measured_here else "; not measured on this platform")
    factor = max(units, 1.0) * MARGIN * (1.0 if measured_here else _ELSEWHERE)
    return Bound(
        units=factor,
        argument=model.argument,
        magnitude=model.magnitude,
        integers=model.integers,
        domain=model.domain,
        source=source,
    )


def rows(form: Format, target: Target = CPU) -> tuple[tuple[str, Bound], ...]:
    """The whole table for a format and a target."""
    names = (*_EXACT.split(), *_ONE_ROUNDING.split(), "div", *MODELS)
    return tuple((name, found) for name in names if (found := bound(name, form, target)) is not None)


def measured_target(platform: str) -> Target | None:
    """The target of a JAX platform; None where the rows were not measured there, so that nothing is certain."""
    return _TARGETS.get(platform) if platform == _platform() else None


_TARGETS: Mapping[str, Target] = MappingProxyType({"cpu": CPU, "gpu": GPU})


@lru_cache(maxsize=1)
def _record() -> dict:
    return json.loads(_MEASURED.read_text(encoding="utf-8"))


def _measurements() -> dict[str, dict[str, float]]:
    return _record()["units"]


def _platform() -> str:
    return _record()["platform"]
