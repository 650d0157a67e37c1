"""The shape that a JAX program gives, found by abstract evaluation: nothing is computed."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from verifier.model.catalog import Shape
from verifier.symbolic.graph import Node, leaves
from verifier.symbolic.lowering import lower_graph

__all__ = ["program_shape"]


def program_shape(node: Node) -> Shape:
    """The shape of the JAX program of a graph."""
    given = {leaf.name: jax.ShapeDtypeStruct(leaf.shape, jnp.float32) for leaf in leaves([node])}
    return tuple(jax.eval_shape(lambda values: lower_graph(node)(values, values), given).shape)
