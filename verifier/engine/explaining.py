"""What rounding can make of an entry's programs: each run in rounded numbers when one of its numbers is LOSSY."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from verifier.arithmetic.rounding_table import measured_target
from verifier.checking.explaining import Explanation
from verifier.engine.followed import Followed, Programs, followed_as
from verifier.execution.dtypes import exact
from verifier.execution.observe import Observation
from verifier.execution.points import Point

__all__ = ["Explaining"]

_OPERATION_LIMIT = 10_000
"""Most scalar operations of a program that is asked: a run of a catalog asks hundreds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explaining:
    """`programs` and `points` are asked for by dtype."""

    programs: Callable[[str], Programs]
    points: Mapping[str, Sequence[Point]]
    _found: dict[tuple[Followed, str, int], Explanation] = field(default_factory=dict)

    def of(self, observation: Observation, point: int) -> Explanation:
        """What rounding can make of the observed program at a point; the entries of its result are components."""
        key = (followed_as(observation.program, observation.order), observation.dtype, point)
        if key not in self._found:
            self._found[key] = self._explanation(*key, observation.device)
        return self._found[key]

    def _explanation(self, program: Followed, dtype: str, point: int, device: str) -> Explanation:
        target, programs = measured_target(device.partition(":")[0]), self.programs(dtype)
        traced = programs.traced(program) if target is not None else ""
        if isinstance(traced, str):
            return Explanation(None, (), None)
        leaves = zip(programs.signature.leaves, self.points[dtype][point].values, strict=True)
        place = tuple(exact(values, leaf.shape, dtype) for leaf, values in leaves)
        return Explanation(traced.jaxpr, place, target, limit=_OPERATION_LIMIT)
