"""What `stop_gradient` freezes: the values that its operands have at the point, as one run in balls saw them.

A germ's own limit would do where the function is continuous; at a jump the value at the point is another one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from verifier.arithmetic.arrays import object_array
from verifier.arithmetic.ball import BallSystem
from verifier.arithmetic.germ import from_ball
from verifier.arithmetic.precision import current_precision
from verifier.model.jaxprs import all_equations
from verifier.truth.jaxprs import evaluate
from verifier.truth.pairs import by_parts

__all__ = ["FEWEST_BITS", "Frozen", "follows", "frozen", "replayed"]

FEWEST_BITS = 1024
"""What is frozen is known to so many bits, or more."""

Freeze = Callable[[Any, np.ndarray], np.ndarray]
Frozen = tuple[np.ndarray, ...]
"""The results of every `stop_gradient` in the order in which they were computed."""


def frozen(jaxpr: Any, place: Sequence[np.ndarray], *, bits: int = 0, **options: Any) -> Frozen:
    """What a run at the point freezes, known to these bits or more; nothing for a program without `stop_gradient`."""
    if not any(each.primitive.name == "stop_gradient" for each in all_equations(jaxpr)):
        return ()
    seen: list[np.ndarray] = []

    def watch(equation: Any, inputs: Sequence[np.ndarray], outputs: Sequence[np.ndarray]) -> None:
        if equation.primitive.name == "stop_gradient":
            seen.extend(outputs)

    evaluate(jaxpr, place, BallSystem(max(bits, FEWEST_BITS)), watch=watch, **options)
    return tuple(seen)


def replayed(values_at: Callable[[int], Frozen]) -> Freeze:
    """A policy for one run in germs: the frozen values, in their order, known to as many bits as the run has.

    Known to fewer they would leave a germ that cancels as wide as they are, whatever the precision.
    """
    left: Iterator[np.ndarray] | None = None

    def freeze(equation: Any, operand: np.ndarray) -> np.ndarray:
        nonlocal left
        left = iter(values_at(current_precision())) if left is None else left
        held = next(left, operand)
        if held.dtype != object:
            return held
        return object_array((by_parts(from_ball, each) for each in held.flat), held.shape)

    return freeze


def follows(equation: Any, operand: np.ndarray) -> np.ndarray:
    """The policy that freezes nothing: what the derivative would be without `stop_gradient`."""
    return operand
