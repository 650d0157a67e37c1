"""Between a flat list of leaves (catalog order) and the pytrees that JAX functions take and return."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from verifier.programs.components import Signature

__all__ = ["Layout"]


@dataclass(frozen=True, slots=True)
class Layout:
    """How input leaves sit in the arguments: one pytree per top-level input, nested dicts for dotted names."""

    signature: Signature

    @property
    def argnums(self) -> int | tuple[int, ...]:
        """What a user would write: 0 for a single argument, a tuple for several."""
        count = len(self.signature.arguments)
        return 0 if count == 1 else tuple(range(count))

    def arguments(self, leaves: Sequence[Any]) -> tuple[Any, ...]:
        """The arguments made of leaves in catalog order."""
        tree: dict[str, Any] = {}
        for leaf, value in zip(self.signature.leaves, leaves, strict=True):
            *groups, last = leaf.name.split(".")
            place = tree
            for group in groups:
                place = place.setdefault(group, {})
            place[last] = value
        return tuple(tree[name] for name in self.signature.arguments)

    def leaves(self, arguments: Any) -> list[Any]:
        """The leaves of a tree shaped like the arguments, in catalog order."""
        found = jax.tree.leaves(arguments)
        return [found[place] for place in self._places()]

    def flat(self, tree: Any) -> jax.Array:
        """The 1-D array of a tree shaped like the arguments: a gradient, a vector-Jacobian product."""
        return jnp.concatenate([jnp.reshape(leaf, -1) for leaf in self.leaves(tree)])

    def tensor(self, tree: Any, order: int) -> jax.Array:
        """The flat derivative tensor of an `order`-fold nested transform, without any arithmetic.

        The tree has one block of shape `value_shape + leaf_1.shape + ... + leaf_order.shape` for each combination of
        leaves, the innermost transform's leaf first.
        """
        blocks = jax.tree.leaves(tree)
        count = len(self.signature.leaves)
        if len(blocks) != count**order:
            raise ValueError(f"the transform returned {len(blocks)} blocks, expected {count**order}")
        return jnp.reshape(self._joined(blocks, order, ()), -1)

    def _joined(self, blocks: list[Any], depth: int, chosen: tuple[int, ...]) -> jax.Array:
        """The part for the leaves `chosen` on the first axes: shape (m, sizes of the chosen..., n, ..., n)."""
        if depth == 0:
            return self._block(blocks, chosen)
        count = len(self.signature.leaves)
        parts = [self._joined(blocks, depth - 1, (*chosen, each)) for each in range(count)]
        return parts[0] if count == 1 else jnp.concatenate(parts, axis=1 + len(chosen))

    def _block(self, blocks: list[Any], chosen: tuple[int, ...]) -> jax.Array:
        places, count = self._places(), len(self.signature.leaves)
        position = sum(places[each] * count ** (len(chosen) - 1 - axis) for axis, each in enumerate(chosen))
        sizes = [self.signature.leaves[each].size for each in chosen]
        return jnp.reshape(blocks[position], (self.signature.value_size, *sizes))

    def _places(self) -> list[int]:
        """For each leaf in catalog order its position among JAX's leaves (JAX sorts the keys of a dict)."""
        sequence = jax.tree.leaves(self.arguments(range(len(self.signature.leaves))))
        return sorted(range(len(sequence)), key=sequence.__getitem__)
