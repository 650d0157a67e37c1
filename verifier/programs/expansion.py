"""Primitives that are objects with a definition of their own, opened: each becomes a call of what it computes.

Since JAX 0.11 `custom_root`, `searchsorted`, `nonzero` and their like, and primitives that users write, are one
primitive, `call_hi_primitive`. Its object has derivative rules, and `expand`, the definition in arrays: that is a
function with a custom rule, and becomes one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

from verifier.model.jaxprs import inner_programs

__all__ = ["KEPT", "expanded"]

KEPT = frozenset({"Frexp", "Ldexp"})
"""Classes of objects that the evaluator has rules for: their definitions take the bits of numbers apart."""


def expanded(program: Any) -> Any:
    """The jaxpr, open or closed, with the definition in place of each such primitive; itself where there is none."""
    jaxpr = getattr(program, "jaxpr", program)
    equations = [_expanded_equation(each) for each in jaxpr.eqns]
    if all(new is old for new, old in zip(equations, jaxpr.eqns, strict=True)):
        return program
    opened = jaxpr.replace(eqns=equations)
    return opened if jaxpr is program else program.replace(jaxpr=opened)


def _expanded_equation(equation: Any) -> Any:
    if equation.primitive.name == "call_hi_primitive":
        return _opened(equation)
    if not any(inner_programs(equation)):
        return equation
    params = {name: _expanded_parameter(value) for name, value in equation.params.items()}
    if all(params[name] is value for name, value in equation.params.items()):
        return equation
    return equation.replace(params=params)


def _expanded_parameter(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        parts = [_expanded_parameter(each) for each in value]
        return value if all(new is old for new, old in zip(parts, value, strict=True)) else type(value)(parts)
    is_program = hasattr(value, "eqns") or hasattr(getattr(value, "jaxpr", None), "eqns")
    return expanded(value) if is_program else value


def _opened(equation: Any) -> Any:
    """The equation as a call of the definition; as it is where a number system knows it, or where it has none."""
    called = equation.params["_prim"]
    if type(called).__name__ in KEPT:
        return equation
    places = [jax.ShapeDtypeStruct(each.aval.shape, each.aval.dtype) for each in equation.invars]
    try:
        closed = jax.make_jaxpr(_customised(called))(*places)
    except Exception:  # a definition that is not written, or none of arrays: the primitive stays a gap
        return equation
    (call,) = closed.jaxpr.eqns
    return _expanded_equation(equation.replace(primitive=call.primitive, params=call.params))


def _customised(called: Any) -> Callable[..., Any]:
    """The definition, of flat operands, with the object's own derivative rule."""
    # Made of `expand` itself, so that the jaxpr names the file where that stands: whose code it is.
    customised = jax.custom_jvp(called.expand)
    customised.defjvp(lambda primals, tangents: jax.jvp(called, primals, tangents))
    return lambda *leaves: customised(*jax.tree.unflatten(called.in_tree, leaves))
