"""One equation of a jaxpr as a function of its real operands, custom rules and all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

__all__ = ["as_function", "is_custom_rule", "is_foreign"]

_CUSTOM = ("custom_jvp_call", "custom_vjp_call", "custom_vjp_call_jaxpr")


def is_custom_rule(equation: Any) -> bool:
    """Whether the equation is a call of a function with a derivative rule of its own."""
    return equation.primitive.name in _CUSTOM


def is_foreign(equation: Any) -> bool:
    """Whether it is a custom rule that is not JAX's own: function or rule was written outside of JAX's files."""
    if not is_custom_rule(equation):
        return False
    sources = [each for each in map(_source, equation.params.values()) if each and _WRAPPERS not in each]
    return not sources or not all(f" at {_HOME}" in each for each in sources)


_HOME = Path(str(jax.__file__)).parent.as_posix() + "/"
_WRAPPERS = f" at {_HOME}_src/custom_derivatives.py"
"""Where JAX wraps rules that may be anybody's (`custom_gradient`, `defjvps`)."""


def _source(parameter: Any) -> str:
    """Name and place of a program or function among an equation's parameters; empty for anything else."""
    described = getattr(getattr(parameter, "jaxpr", parameter), "debug_info", None)
    return str(getattr(described, "func_src_info", None) or "").replace("\\", "/")


def as_function(
    equation: Any, operands: Sequence[Any], *, within: bool = False
) -> tuple[Callable[..., list[jax.Array]], list[Any]]:
    """(function of the real operands, these operands); the others are held at the values given, and so is what a
    function with a rule of its own closes over: its rule does not differentiate that.

    An operand that stands in several places is one. `within` keeps the operand of a factorisation of symmetric matrices
    symmetric, as its rule takes for granted.
    """
    moving = _moving(equation)
    symmetric = within and equation.primitive.name in _OF_SYMMETRIC and _is_symmetric(operands[0])
    wanted = equation.primitive.get_bind_params(equation.params)
    # Functions among the parameters come first in some versions of JAX, and stay parameters in others.
    parts, params = wanted if isinstance(wanted, tuple) else ((), wanted)

    def function(*leaves: Any) -> list[jax.Array]:
        placed = [*operands]
        for places, leaf in zip(moving, leaves, strict=True):
            for place in places:
                placed[place] = _symmetrised(leaf) if symmetric else leaf
        found = equation.primitive.bind(*parts, *placed, **params)
        return list(found) if equation.primitive.multiple_results else [found]

    return function, [operands[places[0]] for places in moving]


_OF_SYMMETRIC = ("cholesky", "eigh")


def _is_symmetric(matrix: Any) -> bool:
    return bool(jnp.array_equal(matrix, _transposed(matrix)))


def _transposed(matrix: Any) -> jax.Array:
    return jnp.swapaxes(jnp.asarray(matrix), -1, -2)


def _symmetrised(matrix: Any) -> jax.Array:
    return (matrix + _transposed(matrix)) / 2


def _moving(equation: Any) -> list[list[int]]:
    """The places of each variable that the equation is a function of."""
    closed_over = equation.params.get("num_consts", 0) if is_custom_rule(equation) else 0
    found: dict[Any, list[int]] = {}
    for place, atom in enumerate(equation.invars):
        if place >= closed_over and _moves(atom):
            found.setdefault(atom, []).append(place)
    return list(found.values())


def _moves(atom: Any) -> bool:
    return not hasattr(atom, "val") and jnp.issubdtype(atom.aval.dtype, jnp.floating)
