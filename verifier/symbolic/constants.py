"""Constant formulas in a number system, straight from the formula: reading a catalog asks this, and loads no SymPy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, Protocol

from verifier.symbolic.formula import Apply, Formula, Name, constant, function_of, parse
from verifier.symbolic.functions import CONSTANTS

__all__ = ["Elementary", "value_in"]


class Elementary(Protocol):
    """What is asked of a number system (see `evaluate`)."""

    def exact(self, value: Fraction, /) -> Any: ...
    def constant(self, name: str, /) -> Any: ...
    def operation(self, name: str, /) -> Callable[..., Any]: ...


def value_in(formula: Formula, system: Elementary, names: Mapping[str, Any] | None = None) -> Any | None:
    """The value of functions of numbers; None where there is more in the formula: other names, lists, choices.

    Law: what is decided here is what `evaluate` decides for the graph of f.
    """
    value = constant(formula)
    if value is not None:
        return system.exact(value)
    if isinstance(formula, Name):
        known = names or {}
        return system.constant(formula.name) if formula.name in CONSTANTS else known.get(formula.name)
    if not isinstance(formula, Apply) or function_of(formula).kind != "number":
        return None
    row, operands = function_of(formula), [value_in(each, system, names) for each in formula.arguments]
    if any(each is None for each in operands):
        return None
    if row.definition:
        return value_in(parse(row.definition), system, dict(zip("ab", operands, strict=False)))
    return system.operation(row.element)(*operands)
