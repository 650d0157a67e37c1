"""How large a jaxpr is: its longest sum, which rounding errors grow with, and its scalar operations."""

from __future__ import annotations

import math
from typing import Any

from verifier.model.jaxprs import all_equations, inner_programs

__all__ = ["longest_sum", "operations"]


def longest_sum(program: Any) -> int:
    """The most terms that one equation adds up, or 1; a loop's trips count as terms."""
    return max((_terms(equation) for equation in all_equations(program)), default=1)


def operations(program: Any) -> int:
    """Scalar operations of one run, a loop's body counted once for each trip where their number is known."""
    jaxpr = getattr(program, "jaxpr", program)
    return sum(_operations(equation) for equation in jaxpr.eqns)


_SUMS = (
    "reduce_sum",
    "cumsum",
    "dot_general",
    "ragged_dot_general",
    "conv_general_dilated",
    "reduce_prod",
    "cumprod",
    "cumlogsumexp",
)


def _terms(equation: Any) -> int:
    name = equation.primitive.name
    if name == "scan":
        return max(1, equation.params["length"])
    if name not in _SUMS and not name.startswith(("scatter", "reduce_window")):
        return 1
    return max(1, _entries(equation.invars) // max(1, _entries(equation.outvars)))


def _entries(variables: Any) -> int:
    return max((math.prod(getattr(variable.aval, "shape", ())) for variable in variables), default=1)


def _operations(equation: Any) -> int:
    trips = equation.params.get("length", 1) if equation.primitive.name == "scan" else 1
    inner = sum(operations(each) for each in inner_programs(equation))
    own = max(_entries(equation.outvars), _entries(equation.invars))
    return trips * inner if inner else own * (_terms(equation) if equation.primitive.name == "dot_general" else 1)
