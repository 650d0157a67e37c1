"""What programs are given: points, data and sign vectors as arrays of one dtype on one device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from verifier.errors import UsageError
from verifier.execution.dtypes import exact, numpy_dtype
from verifier.execution.points import Point
from verifier.programs.components import Directions, Signature
from verifier.programs.layout import Layout

__all__ = ["Operands", "operands"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operands:
    """Each leaf has the points on its first axis; `data` and `signs` are on the device already."""

    layout: Layout
    dtype: str
    device: Any
    leaves: tuple[np.ndarray, ...]
    data: Mapping[str, jax.Array]
    signs: Mapping[str, jax.Array]

    def at(self, point: int) -> tuple[Any, Mapping[str, jax.Array], Mapping[str, jax.Array]]:
        """The operands at one point (a position in the leaves' first axis)."""
        return self._with([leaf[point] for leaf in self.leaves])

    def over(self, points: Sequence[int]) -> tuple[Any, Mapping[str, jax.Array], Mapping[str, jax.Array]]:
        """The operands at several points, mapped over the first axis of the arguments."""
        return self._with([leaf[np.asarray(points)] for leaf in self.leaves])

    def _with(self, leaves: Sequence[np.ndarray]) -> tuple[Any, Mapping[str, jax.Array], Mapping[str, jax.Array]]:
        return placed(self.layout.arguments(leaves), self.dtype, self.device), self.data, self.signs


def operands(
    signature: Signature,
    dtype: str,
    device: Any,
    *,
    points: Sequence[Point],
    data: Mapping[str, np.ndarray],
    signs: Directions,
) -> Operands:
    """The operands of a launch; `data` are arrays of the dtype. Raises UsageError where a value does not fit it."""
    count = len(points)
    columns = zip(signature.leaves, zip(*(point.values for point in points), strict=True), strict=True)
    vectors = {"tangent": signs.tangent, "cotangent": signs.cotangent}
    return Operands(
        layout=Layout(signature),
        dtype=dtype,
        device=device,
        leaves=tuple(exact(values, (count, *leaf.shape), dtype) for leaf, values in columns),
        data=placed(dict(data), dtype, device),
        signs=placed({name: exact(each, (len(each),), dtype) for name, each in vectors.items()}, dtype, device),
    )


def placed(tree: Any, dtype: str, device: Any) -> Any:
    """The tree's arrays on the device; raises UsageError where JAX changed their dtype on the way (x64 is off)."""
    there = jax.device_put(tree, device)
    for leaf in jax.tree.leaves(there):
        if leaf.dtype != numpy_dtype(dtype):
            raise UsageError(f"JAX made {leaf.dtype} of a {dtype} input; turn x64 on")
    return there
