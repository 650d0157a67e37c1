"""JAX's programs as the plain objects that they are: walked without importing JAX."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from weakref import WeakKeyDictionary

__all__ = ["all_equations", "inner_programs"]

_known: WeakKeyDictionary[Any, tuple[Any, ...]] = WeakKeyDictionary()


def inner_programs(equation: Any) -> Iterator[Any]:
    """The jaxprs among an equation's parameters."""
    for value in equation.params.values():
        for each in value if isinstance(value, (tuple, list)) else (value,):
            if hasattr(each, "eqns") or hasattr(getattr(each, "jaxpr", None), "eqns"):
                yield each


def all_equations(program: Any) -> tuple[Any, ...]:
    """The equations of an open or closed jaxpr, each followed by those of the programs inside it.

    A program never changes and is asked about at every point, so that it is walked once.
    """
    jaxpr = getattr(program, "jaxpr", program)
    if jaxpr not in _known:
        _known[jaxpr] = tuple(_walked(jaxpr))
    return _known[jaxpr]


def _walked(jaxpr: Any) -> Iterator[Any]:
    for equation in jaxpr.eqns:
        yield equation
        for inner in inner_programs(equation):
            yield from all_equations(inner)
