"""JAX's programs as the plain objects that they are: walked without importing JAX."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["all_equations", "inner_programs"]


def inner_programs(equation: Any) -> Iterator[Any]:
    """The jaxprs among an equation's parameters."""
    for value in equation.params.values():
        for each in value if isinstance(value, (tuple, list)) else (value,):
            if hasattr(each, "eqns") or hasattr(getattr(each, "jaxpr", None), "eqns"):
                yield each


def all_equations(program: Any) -> Iterator[Any]:
    """The equations of an open or closed jaxpr, each followed by those of the programs inside it."""
    for equation in getattr(program, "jaxpr", program).eqns:
        yield equation
        for inner in inner_programs(equation):
            yield from all_equations(inner)
