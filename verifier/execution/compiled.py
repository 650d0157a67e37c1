"""Three ways to run programs: one by one as they stand; fused and compiled for one point; the same for all points.

Each takes programs by key and the operands, and gives for each key what came out at every point, or why nothing did.
A program that fails to trace is left out of the fused one; when the fused one fails, each is compiled by itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from verifier.execution.operands import Operands
from verifier.programs.modes import Run

__all__ = ["Outcome", "batched", "eager", "pointwise", "reason_of"]

_MEMORY_LIMIT = 2**30
"""Bytes of temporary memory of one batched program; beyond it the points are split."""
_REASON_LIMIT = 300


@dataclass(frozen=True, slots=True)
class Outcome:
    """A program's results in the dtype that it returned, points on the first axis; or the reason why there are none."""

    values: np.ndarray | None = None
    reason: str | None = None


Outcomes = dict[str, Outcome]


def eager(runs: Mapping[str, Run], operands: Operands, points: Sequence[int]) -> Outcomes:
    """Operation by operation, without a compiled program; a program ends at the first point that it fails at."""
    with jax.default_device(operands.device):
        return {key: _attempt(lambda run=run: _each(run, operands, points)) for key, run in runs.items()}


def pointwise(runs: Mapping[str, Run], operands: Operands, points: Sequence[int]) -> Outcomes:
    """One XLA program for all `runs`, called point by point."""

    def compiled(program: Callable[..., Any]) -> Any:
        executable = jax.jit(program).lower(*operands.at(points[0])).compile()
        rows = [jax.device_get(executable(*operands.at(point))) for point in points]
        return {key: np.stack([row[key] for row in rows]) for key in rows[0]}

    return _fused(runs, compiled)


def batched(runs: Mapping[str, Run], operands: Operands, points: Sequence[int]) -> Outcomes:
    """One XLA program for all `runs` mapped over the points, in as few calls as memory allows."""

    def compiled(program: Callable[..., Any]) -> Any:
        executable, width = _within_memory(jax.vmap(program, in_axes=(0, None, None)), operands, points)
        parts = [
            {key: value[:held] for key, value in jax.device_get(executable(*operands.over(chunk))).items()}
            for chunk, held in _chunks(points, width)
        ]
        return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}

    return _fused(runs, compiled)


def reason_of(error: BaseException) -> str:
    """An exception in one line that is the same in every run."""
    text = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    return re.sub(r"0x[0-9a-f]+", "0x...", f"{type(error).__name__}: {text or 'it says nothing more'}")[:_REASON_LIMIT]


def _fused(runs: Mapping[str, Run], compiled: Callable[[Callable[..., Any]], Any]) -> Outcomes:
    refused: Outcomes = {}
    try:
        found = compiled(_together(runs, refused))
    except Exception as error:
        if len(runs) == 1:
            return {key: Outcome(reason=reason_of(error)) for key in runs}
        return {key: outcome for key, run in runs.items() for key, outcome in _fused({key: run}, compiled).items()}
    return refused | {key: Outcome(values=values) for key, values in found.items()}


def _together(runs: Mapping[str, Run], refused: Outcomes) -> Callable[..., dict[str, jax.Array]]:
    """One function of all programs' results. Those that fail to trace are left out and noted in `refused`."""

    def program(arguments: Any, data: Any, signs: Any) -> dict[str, jax.Array]:
        results: dict[str, jax.Array] = {}
        for key, run in runs.items():
            try:
                results[key] = run(arguments, data, signs)
            except Exception as error:
                refused[key] = Outcome(reason=reason_of(error))
        return results

    return program


def _attempt(results: Callable[[], np.ndarray]) -> Outcome:
    try:
        return Outcome(values=results())
    except Exception as error:
        return Outcome(reason=reason_of(error))


def _each(run: Run, operands: Operands, points: Sequence[int]) -> np.ndarray:
    return np.stack([np.asarray(run(*operands.at(point))) for point in points])


def _within_memory(program: Callable[..., Any], operands: Operands, points: Sequence[int]) -> tuple[Any, int]:
    """The compiled program and how many points it takes at once."""
    executable = _compiled_for(program, operands, points)
    needed = _temporary_bytes(executable)
    if needed <= _MEMORY_LIMIT or len(points) == 1:
        return executable, len(points)
    width = max(1, len(points) * _MEMORY_LIMIT // needed)
    return _compiled_for(program, operands, points[:width]), width


def _compiled_for(program: Callable[..., Any], operands: Operands, points: Sequence[int]) -> Any:
    return jax.jit(program).lower(*operands.over(points)).compile()


def _temporary_bytes(executable: Any) -> int:
    """What XLA says that the program needs; 0 where a platform does not tell."""
    analysis = executable.memory_analysis()
    return int(getattr(analysis, "temp_size_in_bytes", 0) or 0)


def _chunks(points: Sequence[int], width: int) -> Iterator[tuple[Sequence[int], int]]:
    """Chunks of exactly `width` points (the last one filled up with its last point), each with how many count."""
    for start in range(0, len(points), width):
        chunk = list(points[start : start + width])
        yield chunk + chunk[-1:] * (width - len(chunk)), len(chunk)
