"""The formula of a function that JAX documents, where the user gives none: the catalog of this package knows it.

A function is known by identity, not by its name: `jax.nn.relu` is what stands under that name in JAX. Nothing is
imported for it: a module that nobody imported holds no function that anybody could pass.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from verifier.catalog.shipped import jax_functions
from verifier.checking.asked import Asked
from verifier.checking.intent import Intent
from verifier.execution.dtypes import numpy_dtype, x64_for
from verifier.model.catalog import Entry
from verifier.programs.trace import is_real
from verifier.symbolic.build import Definitions
from verifier.truth.formula import FormulaTruth

__all__ = ["Known", "known"]

_HOME = "jax"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Argument:
    """One number of the call, and whether it is differentiated."""

    value: Any
    moves: bool

    def exactly(self, dtype: str) -> Fraction:
        """What the function gets of it when it runs in the dtype; integers stay what they are."""
        if not is_real(self.value):
            return Fraction(int(self.value))
        with x64_for(dtype):
            return Fraction(float(np.asarray(jnp.asarray(self.value)).astype(numpy_dtype(dtype))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """An entry of the catalog that is about a call, with the call's numbers under the names of the entry's inputs."""

    entry: Entry
    given: Mapping[str, _Argument]

    @property
    def text(self) -> str:
        """The formula with its definitions, for a report."""
        steps = [f"{name} = {formula.text}" for name, formula in self.entry.definitions]
        return ", ".join([str(self.entry.value), *steps])

    def intent(self, dtype: str) -> Intent:
        """The formula over the arguments that are differentiated; the others are data."""
        moving = tuple(name for name, each in self.given.items() if each.moves)
        fixed = {name: each.exactly(dtype) for name, each in self.given.items() if not each.moves}
        whole, domains = Definitions.of(self.entry), _domains(self.entry)
        inputs, data = (tuple((name, ()) for name in names) for names in (moving, fixed))
        definitions = Definitions(inputs, data, whole.lets, whole.value)
        arrays = {name: np.array(value, dtype=object) for name, value in fixed.items()}
        return Intent(
            text=self.text,
            names=moving,
            truth=FormulaTruth(definitions, (0,), arrays),
            domain=tuple(domains[name] for name in moving),
            asked=False,
        )


def known(asked: Asked) -> Known | None:
    """What the catalog says of a call of a function with numbers; None where it says nothing."""
    if not str(getattr(asked.fn, "__module__", "")).startswith(_HOME):
        return None
    arguments = _numbers(asked)
    for entry in _entries() if arguments else ():
        if _is_called(entry, asked.fn, arguments):
            assert entry.implementation is not None
            pairs = zip(entry.implementation.arguments, arguments, strict=True)
            return Known(entry=entry, given={name: each for name, each in pairs if isinstance(name, str)})
    return None


def _numbers(asked: Asked) -> tuple[_Argument, ...]:
    """The arguments, if all are finite numbers; else nothing."""
    if not all(map(_is_number, asked.args)):
        return ()
    chosen = (asked.argnums,) if isinstance(asked.argnums, int) else tuple(asked.argnums)
    places = {each % len(asked.args) for each in chosen}
    return tuple(_Argument(value=arg, moves=place in places and is_real(arg)) for place, arg in enumerate(asked.args))


def _is_number(arg: Any) -> bool:
    if isinstance(arg, bool) or not isinstance(arg, int | float | np.generic | np.ndarray | jax.Array):
        return False
    return np.shape(arg) == () and not np.iscomplexobj(arg) and math.isfinite(float(arg))


@cache
def _entries() -> tuple[Entry, ...]:
    """The functions of numbers in the catalog; read once, when the first function of JAX is asked for."""
    return tuple(each for each in jax_functions().entries if not each.data and all(i.shape == () for i in each.inputs))


def _is_called(entry: Entry, fn: Callable[..., Any], arguments: Sequence[_Argument]) -> bool:
    """Whether the entry is about this very function called so: its constants are those of the call."""
    named = entry.implementation
    if named is None or named.options or len(named.arguments) != len(arguments):
        return False
    if named.module not in sys.modules or vars(sys.modules[named.module]).get(named.function) is not fn:
        return False
    domains = _domains(entry)
    return all(
        _is_inside(given, domains[each]) if isinstance(each, str) else not given.moves and float(given.value) == each
        for each, given in zip(named.arguments, arguments, strict=True)
    )


def _domains(entry: Entry) -> dict[str, tuple[Fraction, Fraction]]:
    return {each.name: (each.lower, each.upper) for each in entry.inputs}


def _is_inside(given: _Argument, domain: tuple[Fraction, Fraction]) -> bool:
    """Whether the formula is known to hold for an argument that stays; where one moves each point is looked at."""
    return given.moves or domain[0] <= float(given.value) <= domain[1]
