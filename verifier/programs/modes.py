"""The table of autodiff transforms, and how a row of it becomes a program.

Every program takes `(arguments, data, signs)` and returns the flat components of one derivative (`components` names
them): `arguments` one pytree per top-level input, `data` a dict of arrays, `signs` the two sign vectors as arrays.
To add a mode, add a row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from verifier.programs.components import Contraction, Signature
from verifier.programs.layout import Layout

__all__ = ["COMPILATIONS", "SYMBOLIC", "TRANSFORMS", "Function", "Run", "Transform", "build", "flattened", "row_of"]

COMPILATIONS = ("eager", "jit", "vmap", "remat")
SYMBOLIC = "symbolic"
"""The transform's name of a program that is given from outside: the symbolic derivative lowered to JAX."""

Function = Callable[..., jax.Array]
"""f(*arguments, data) -> the value."""
Primal = Callable[..., jax.Array]
"""f with its data fixed: primal(*arguments) -> the value."""
Run = Callable[[tuple[Any, ...], Mapping[str, jax.Array], Mapping[str, jax.Array]], jax.Array]
Build = Callable[[Primal, Layout, int, tuple[Any, ...], Mapping[str, jax.Array]], jax.Array]
"""(primal, layout, order, arguments, signs) -> flat components."""
Requirement = Callable[[Signature], str | None]
"""None, or why the transform does not apply."""


def _always(signature: Signature) -> str | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transform:
    """A row of the table. `name` may hold `{order}`; `last_order` None means every order from the first."""

    name: str
    first_order: int
    last_order: int | None
    run: Build
    requires: Requirement = _always
    contraction: Contraction = Contraction.NONE
    compilations: tuple[str, ...] = COMPILATIONS
    grows: bool = False
    """Whether the program grows so fast with the order that high orders run only when everything is asked for."""

    forward: bool = False
    """Whether the program takes one direction for each input component."""

    def named(self, order: int) -> str:
        return self.name.format(order=order)

    def covers(self, order: int) -> bool:
        return self.first_order <= order and (self.last_order is None or order <= self.last_order)


def _scalar_value(signature: Signature) -> str | None:
    return None if signature.value_shape == () else "needs a scalar value; jacfwd and jacrev take its place"


def _scalar_to_scalar(signature: Signature) -> str | None:
    return None if signature.is_scalar_to_scalar else "needs one scalar input and a scalar value"


def _value(primal, layout, order, arguments, signs) -> jax.Array:
    return jnp.reshape(primal(*arguments), -1)


def _nested(*outermost_first: Callable[..., Any]) -> Build:
    """Transforms with `argnums`, each of the result of the next; a single one is nested `order` times."""

    def run(primal, layout, order, arguments, signs) -> jax.Array:
        transforms = outermost_first if len(outermost_first) == order else outermost_first * order
        for transform in reversed(transforms):
            primal = transform(primal, argnums=layout.argnums)
        return layout.tensor(primal(*arguments), order)

    return run


def _hessian(primal, layout, order, arguments, signs) -> jax.Array:
    return layout.tensor(jax.hessian(primal, argnums=layout.argnums)(*arguments), order)


def _jvp(primal, layout, order, arguments, signs) -> jax.Array:
    return jnp.reshape(jax.jvp(primal, arguments, _tangents(layout, arguments, signs))[1], -1)


def _linearize(primal, layout, order, arguments, signs) -> jax.Array:
    return jnp.reshape(jax.linearize(primal, *arguments)[1](*_tangents(layout, arguments, signs)), -1)


def _vjp(primal, layout, order, arguments, signs) -> jax.Array:
    value, pull = jax.vjp(primal, *arguments)
    return layout.flat(pull(jnp.reshape(signs["cotangent"], jnp.shape(value))))


def _jet(primal, layout, order, arguments, signs) -> jax.Array:
    """The last of jet's coefficients along v; jet scales them so that they are derivatives, not Taylor coefficients."""
    from jax.experimental import jet  # experimental: may vanish, which is then the recorded reason

    leaves, structure = jax.tree.flatten(arguments)
    tangents = jax.tree.leaves(_tangents(layout, arguments, signs))
    series = tuple([tangent] + [jnp.zeros_like(tangent)] * (order - 1) for tangent in tangents)
    _, coefficients = jet.jet(lambda *each: primal(*structure.unflatten(each)), tuple(leaves), series)
    return jnp.reshape(coefficients[-1], -1)


def _tangents(layout: Layout, arguments: tuple[Any, ...], signs: Mapping[str, jax.Array]) -> tuple[Any, ...]:
    parts, start = [], 0
    for leaf in layout.signature.leaves:
        parts.append(jnp.reshape(signs["tangent"][start : start + leaf.size], leaf.shape))
        start += leaf.size
    return layout.arguments(parts)


_FORWARD_ONLY = tuple(each for each in COMPILATIONS if each != "remat")

TRANSFORMS = (
    Transform(name="value", first_order=0, last_order=0, run=_value, compilations=_FORWARD_ONLY),
    Transform(name="grad", first_order=1, last_order=1, run=_nested(jax.grad), requires=_scalar_value),
    Transform(name="jacfwd", first_order=1, last_order=1, run=_nested(jax.jacfwd), forward=True),
    Transform(name="jacrev", first_order=1, last_order=1, run=_nested(jax.jacrev)),
    Transform(name="jvp", first_order=1, last_order=1, run=_jvp, contraction=Contraction.TANGENT),
    Transform(name="vjp", first_order=1, last_order=1, run=_vjp, contraction=Contraction.COTANGENT),
    Transform(name="linearize", first_order=1, last_order=1, run=_linearize, contraction=Contraction.TANGENT),
    Transform(name="hessian", first_order=2, last_order=2, run=_hessian, forward=True),
    Transform(name="fwd-fwd", first_order=2, last_order=2, run=_nested(jax.jacfwd, jax.jacfwd), forward=True),
    Transform(name="fwd-rev", first_order=2, last_order=2, run=_nested(jax.jacfwd, jax.jacrev), forward=True),
    Transform(name="rev-fwd", first_order=2, last_order=2, run=_nested(jax.jacrev, jax.jacfwd), forward=True),
    Transform(name="rev-rev", first_order=2, last_order=2, run=_nested(jax.jacrev, jax.jacrev)),
    Transform(name="grad{order}", first_order=2, last_order=None, run=_nested(jax.grad), requires=_scalar_to_scalar),
    Transform(name="jacfwd{order}", first_order=3, last_order=None, run=_nested(jax.jacfwd), grows=True, forward=True),
    Transform(name="jacrev{order}", first_order=3, last_order=None, run=_nested(jax.jacrev), grows=True),
    # jet has no rule for the remat primitive, and saves nothing that remat could recompute.
    Transform(
        name="jet",
        first_order=1,
        last_order=None,
        run=_jet,
        contraction=Contraction.TANGENT,
        compilations=_FORWARD_ONLY,
    ),
)


def row_of(name: str, order: int) -> Transform | None:
    """The row whose name at this order is `name`; None for the symbolic derivative and for unknown names."""
    return next((row for row in TRANSFORMS if row.covers(order) and row.named(order) == name), None)


def build(row: Transform, order: int, f: Function, signature: Signature, *, remat: bool = False) -> Run:
    """The program of a row for f(*arguments, data); under `remat` of jax.checkpoint(f)."""
    layout = Layout(signature)
    function = jax.checkpoint(f) if remat else f

    def run(arguments, data, signs) -> jax.Array:
        return row.run(lambda *each: function(*each, data), layout, order, arguments, signs)

    return run


def flattened(derivative: Function) -> Run:
    """The program of a derivative given from outside, g(*arguments, data) of shape value_shape + (n,) * order."""
    return lambda arguments, data, signs: jnp.reshape(derivative(*arguments, data), -1)
