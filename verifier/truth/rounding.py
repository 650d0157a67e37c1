"""A program run in rounded numbers: every value that rounding can explain, result by result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from verifier.arithmetic.ball import BallSystem
from verifier.arithmetic.rounded import RoundedSystem
from verifier.arithmetic.rounding_table import CPU, Target
from verifier.truth.jaxprs import evaluate
from verifier.truth.values import Literal, exact_literals, lifted

__all__ = ["rounded_run"]


def rounded_run(
    closed_jaxpr: Any, arguments: Sequence[Any], target: Target = CPU, *, bits: int = 128, **options: Any
) -> list[np.ndarray]:
    """The results of a program on concrete arguments (numpy arrays in their dtype), as sets of possible values.

    Law: what the target computes lies in them. `options` are those of `evaluate`.
    """
    system = RoundedSystem(target=target, bits=bits)
    literal = _stored_literals(system)
    with system.working():
        inputs = [lifted(np.asarray(argument), literal) for argument in arguments]
    return evaluate(closed_jaxpr, inputs, system, literal=literal, **options)


def _stored_literals(system: RoundedSystem) -> Literal:
    """A number of the program as its dtype stores it: exact, unless the target reads a subnormal as zero."""
    exact = exact_literals(BallSystem(system.bits))
    return lambda value, dtype: system.in_dtype(dtype.name).stored(exact(value, dtype))
