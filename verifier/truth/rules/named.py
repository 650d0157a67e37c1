"""frexp and ldexp as real functions: primitives of newer versions of JAX, programs that shift bits in older ones.

Of the programs only germs need them: where a number varies near 0 its exponent has no limit, though ldexp has one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import numpy as np

from verifier.arithmetic.arrays import object_array
from verifier.arithmetic.elements import EITHER, Special, Unknown, plain
from verifier.arithmetic.germ import GermSystem
from verifier.truth.machine import Machine, Table, kind_of, rules
from verifier.truth.rules.bits import exponent_of
from verifier.truth.values import boxed, integers

__all__ = ["RULES", "is_named", "recognised"]

_LARGEST_SHIFT = 100_000
_PROBE = 5


def recognised(machine: Machine, equation: Any, operands: Sequence[np.ndarray]) -> list[np.ndarray] | None:
    """The results of a call of such a program in germs; None for every other call."""
    if not isinstance(machine.system, GermSystem):
        return None
    known = _NAMED.get(equation.params.get("name", ""))
    return None if known is None else known(machine, equation, *operands)


def is_named(equation: Any) -> bool:
    """Whether the equation calls a program by a name that is known here."""
    return equation.params.get("name") in _NAMED


def _ldexp(machine: Machine, equation: Any, *operands: np.ndarray) -> list[np.ndarray] | None:
    """x 2^n: `jnp.ldexp` of a real and an integer, which splits x by `jnp.frexp` and shifts the exponent."""
    kinds = [kind_of(each) for each in (*equation.invars, *equation.outvars)]
    if kinds != ["real", "integer", "real"] or not _calls(equation, "frexp"):
        return None
    return _shifted(machine, *operands) if _shifts(machine, equation, *operands) else None


def _shifts(machine: Machine, equation: Any, number: np.ndarray, shift: np.ndarray) -> bool:
    """Whether the program makes x 2^n of another number: anybody may have called theirs ldexp."""
    probe = object_array([machine.exact(_PROBE)] * number.size, number.shape)
    (found,) = machine.run(equation.params["jaxpr"], [probe, shift])
    wanted = _shifted(machine, probe, shift)
    return wanted is not None and all(each is True for each in machine.compare("eq", found, *wanted).ravel().tolist())


def _shifted(machine: Machine, number: np.ndarray, shift: np.ndarray) -> list[np.ndarray] | None:
    shift = integers(shift, "the exponent of ldexp")
    if np.any(np.abs(shift) > _LARGEST_SHIFT):
        return None
    factors = np.frompyfunc(lambda n: machine.system.exact(Fraction(2) ** int(n)), 1, 1)(shift)
    return [machine.map("mul", number, boxed(factors))]


def _ldexp_primitive(machine: Machine, equation: Any, number: np.ndarray, shift: np.ndarray) -> list[np.ndarray]:
    found = _shifted(machine, number, shift)
    return [boxed(np.frompyfunc(lambda _: _UNDECIDED, 1, 1)(number))] if found is None else found


_UNDECIDED = Unknown("the exponent of a real number is undecided", EITHER)


def _frexp_primitive(machine: Machine, equation: Any, number: np.ndarray) -> list[np.ndarray]:
    """(m, e) with x = m 2^e and 1/2 <= |m| < 1; a zero, an infinity and NaN are their own m, and e is 0."""
    split = [_split(machine, entry) for entry in number.flat]
    return [object_array([each[k] for each in split], number.shape) for k in range(2)]


def _split(machine: Machine, x: Any) -> tuple[Any, Any]:
    if isinstance(x, Special) or machine.system.compare("eq", x, machine.exact(0)) is True:
        return x, 0
    exponent = None if isinstance(x, Unknown) else exponent_of(machine, x)
    if exponent is None:
        lost = plain(x) if isinstance(x, Unknown) else _UNDECIDED
        return lost, lost
    return machine.operation("mul")(x, machine.system.exact(Fraction(2) ** (-exponent - 1))), exponent + 1


def _calls(equation: Any, name: str) -> bool:
    program = equation.params["jaxpr"]
    return any(each.params.get("name") == name for each in getattr(program, "jaxpr", program).eqns)


_NAMED: Mapping[str, Callable[..., list[np.ndarray] | None]] = MappingProxyType({"ldexp": _ldexp})

RULES: Table = rules(Frexp=_frexp_primitive, Ldexp=_ldexp_primitive)
