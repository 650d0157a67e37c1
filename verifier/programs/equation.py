"""One equation of a jaxpr as a function of its real operands, custom rules and all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend import core

__all__ = ["as_function", "is_custom_rule", "is_foreign"]

_CUSTOM = ("custom_jvp_call", "custom_vjp_call", "custom_vjp_call_jaxpr")


def is_custom_rule(equation: Any) -> bool:
    """Whether the equation is a call of a function with a derivative rule of its own."""
    return equation.primitive.name in _CUSTOM


def is_foreign(equation: Any) -> bool:
    """Whether it is a custom rule that is not JAX's own: the function was written outside of JAX's files."""
    if not is_custom_rule(equation):
        return False
    program = next((equation.params[name] for name in ("call_jaxpr", "fun_jaxpr") if name in equation.params), None)
    source = getattr(getattr(getattr(program, "jaxpr", None), "debug_info", None), "func_src_info", "") or ""
    return "/jax/" not in source.replace("\\", "/")


def as_function(equation: Any, operands: Sequence[Any]) -> tuple[Callable[..., list[jax.Array]], list[Any]]:
    """(function of the real operands, these operands); the others are held at the values given."""
    variables = list(dict.fromkeys(atom for atom in equation.invars if not hasattr(atom, "val")))
    known = {atom: value for atom, value in zip(equation.invars, operands, strict=True) if not hasattr(atom, "val")}
    results = [variable for variable in equation.outvars if type(variable).__name__ != "DropVar"]
    program = core.ClosedJaxpr(core.Jaxpr((), variables, results, [equation], equation.effects), ())
    run = core.jaxpr_as_fun(program)
    moving = [variable for variable in variables if jnp.issubdtype(variable.aval.dtype, jnp.floating)]

    def function(*leaves: Any) -> list[jax.Array]:
        placed = {**known, **dict(zip(moving, leaves, strict=True))}
        return list(run(*(placed[variable] for variable in variables)))

    return function, [known[variable] for variable in moving]
