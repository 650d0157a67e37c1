"""What rounding can make of an entry's programs: each traced when one of its numbers is LOSSY, run at that point."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from verifier.arithmetic.rounding_table import measured_target
from verifier.checking.explaining import Explanation
from verifier.execution.devices import jax_device
from verifier.execution.dtypes import rounded, x64_for
from verifier.execution.observe import Observation
from verifier.execution.operands import operands
from verifier.execution.points import Point
from verifier.programs.components import Directions, Signature
from verifier.programs.expansion import expanded
from verifier.programs.modes import Function, build, row_of

__all__ = ["Explaining"]

_OPERATION_LIMIT = 10_000
"""Most scalar operations of a program that is asked: a run of a catalog asks hundreds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explaining:
    """`f` is what the entry's programs differentiate; points and data as for `observe`."""

    f: Function
    signature: Signature
    signs: Directions
    points: Mapping[str, Sequence[Point]]
    data: Mapping[str, Any]
    _traced: dict[tuple[str, int, str, str], Any] = field(default_factory=dict)
    _found: dict[tuple[str, int, str, str, int], Explanation] = field(default_factory=dict)

    def of(self, observation: Observation, point: int) -> Explanation:
        """What rounding can make of the observed program at a point; the entries of its result are components."""
        transform, _, compilation = observation.program.partition("/")
        # jit changes no equation; batching and remat do.
        style = compilation if compilation in ("vmap", "remat") else ""
        key = (transform, observation.order, style, observation.dtype)
        if (*key, point) not in self._found:
            self._found[*key, point] = self._explanation(key, observation.device, point)
        return self._found[*key, point]

    def _explanation(self, key: tuple[str, int, str, str], device: str, point: int) -> Explanation:
        transform, order, style, dtype = key
        row, target = row_of(transform, order), measured_target(device.partition(":")[0])
        if row is None or target is None:
            return Explanation(None, (), None)
        with x64_for(dtype):
            arguments = self._arguments(dtype, device, point, batched=style == "vmap")
            if key not in self._traced:
                run = build(row, order, self.f, self.signature, remat=style == "remat")
                self._traced[key] = _trace(
                    jax.vmap(run, in_axes=(0, None, None)) if style == "vmap" else run, arguments
                )
        place = tuple(np.asarray(each) for each in jax.tree.leaves(arguments))
        return Explanation(self._traced[key], place, target, limit=_OPERATION_LIMIT)

    def _arguments(self, dtype: str, device: str, point: int, *, batched: bool) -> Any:
        given = operands(
            self.signature,
            dtype,
            jax_device(device),
            points=[self.points[dtype][point]],
            data={name: rounded(each, dtype) for name, each in self.data.items()},
            signs=self.signs,
        )
        return given.over([0]) if batched else given.at(0)


def _trace(run: Callable[..., Any], arguments: Any) -> Any:
    """The jaxpr; None where JAX refuses, which the program's own run has told already."""
    try:
        return expanded(jax.make_jaxpr(run)(*arguments))
    except Exception:
        return None
