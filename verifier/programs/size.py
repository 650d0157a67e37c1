"""How large a program is, counted in equations: what decides whether compiling it is worth its time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

__all__ = ["equations"]


def equations(run: Callable[..., Any], *operands: Any) -> int:
    """The number of equations of a program's jaxpr, those of its sub-programs included; raises what tracing raises."""
    return _count(jax.make_jaxpr(run)(*operands))


def _count(jaxpr: Any) -> int:
    inner = getattr(jaxpr, "jaxpr", jaxpr)
    return sum(1 + sum(map(_count, _sub_programs(each.params))) for each in inner.eqns)


def _sub_programs(parameters: dict[str, Any]) -> list[Any]:
    values = [
        each for value in parameters.values() for each in (value if isinstance(value, tuple | list) else (value,))
    ]
    return [each for each in values if hasattr(getattr(each, "jaxpr", each), "eqns")]
