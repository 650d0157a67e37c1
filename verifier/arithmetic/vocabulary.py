"""The one table of scalar functions: every name that a number system answers to, its arity and its meaning.

`select(condition, a, b)` and the comparisons are not in it: their operands or results are decisions, not numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from flint import arb

from verifier.arithmetic import elementary, operators, special
from verifier.arithmetic.functions import Operation, Row, lift
from verifier.errors import UsageError

__all__ = ["CONSTANTS", "FUNCTIONS", "OPERATIONS", "RELATIONS", "constant", "row"]

FUNCTIONS: Mapping[str, Row] = MappingProxyType(
    {row.name: row for row in (*operators.ROWS, *elementary.ROWS, *special.ROWS)}
)

# Ball arithmetic's operations; each works at the current precision.
OPERATIONS: Mapping[str, Operation] = MappingProxyType({name: lift(row) for name, row in FUNCTIONS.items()})

CONSTANTS: Mapping[str, Callable[[], arb]] = MappingProxyType(
    {
        "pi": arb.pi,
        "e": arb.const_e,
        "euler": arb.const_euler,
        "log2": arb.const_log2,
        "log10": arb.const_log10,
        "catalan": arb.const_catalan,
    }
)

RELATIONS = ("lt", "le", "gt", "ge", "eq", "ne")


def row(name: str) -> Row:
    """The row of a function's name; raises UsageError."""
    try:
        return FUNCTIONS[name]
    except KeyError:
        raise UsageError(f"no such scalar function: {name!r}; known are {', '.join(FUNCTIONS)}") from None


def constant(name: str) -> arb:
    """The ball of a named constant at the current precision; raises UsageError."""
    try:
        return CONSTANTS[name]()
    except KeyError:
        raise UsageError(f"no such constant: {name!r}; known are {', '.join(CONSTANTS)}") from None
