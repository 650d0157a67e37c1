"""A program step by step at one point: what each equation returns exactly, and how far its dtype is from that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from verifier.truth.blame import step_errors
from verifier.truth.shadow import Run, shadow

__all__ = ["Local", "steps"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """One executed equation. `exact` is its first result's first element; `ulps` and `bits` are the local error of its
    worst entry, for the rounded exact operands; None where it is no real number or not known.
    """

    equation: Any
    exact: Any
    ulps: float | None
    bits: float | None


def steps(program: Any, arguments: Sequence[Any], *, run: Run | None, bits: int = 512, **options: Any) -> list[Local]:
    """Every equation of a closed jaxpr as it is executed, calls and loops opened; options are those of `evaluate`."""
    exact = shadow(program, arguments, bits=bits, **options)
    found = []
    for step, local in zip(exact.steps, exact.local(run), strict=True):
        errors = step_errors(exact, step, local)
        first = next((each.flat[0] for each in step.outputs if each.size), None)
        found.append(
            Local(
                equation=step.equation,
                exact=first,
                ulps=None if errors is None else max((ulps for ulps, _ in errors), default=None),
                bits=None if errors is None else max((lost for _, lost in errors), default=None),
            )
        )
    return found
