"""A function that an equation g(x, y) = 0 defines, solved for y in balls and in germs: nobody's solver is followed.

The root is certified by the interval Newton operator: m - g(x, m) / g_y(x, Y) inside Y proves that Y holds exactly one
root. In germs each step doubles the number of correct coefficients. Source: R. E. Moore, Interval Analysis, 1966.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from flint import arb

from verifier.arithmetic.arrays import object_array
from verifier.arithmetic.ball import BallSystem
from verifier.arithmetic.elements import Element, Unknown, is_finite
from verifier.arithmetic.expansion import Germ, truncate
from verifier.arithmetic.germ import GermSystem, from_ball
from verifier.errors import FormulaError
from verifier.model.catalog import Shape
from verifier.symbolic.build import Definitions
from verifier.symbolic.derivative import derivative
from verifier.symbolic.evaluate import evaluate
from verifier.symbolic.formula import parse

__all__ = ["Implicit"]

_NO_ROOT = Unknown("no single root of the defining equation was found near the value", "")
_POLISHINGS = 64


@dataclass(eq=False)
class Implicit:
    """The equation over the inputs (name, shape) and the unknown number; `near` is where the root is looked for."""

    equation: str
    inputs: tuple[tuple[str, Shape], ...]
    unknown: str
    near: float

    @cached_property
    def _nodes(self) -> tuple[Any, Any]:
        """g and g_y; raises FormulaError."""
        left, equals, right = self.equation.replace("==", "=").partition("=")
        if not equals or "=" in right:
            raise FormulaError("a defining equation has one `=`, such as `y**2 - x = 0`", column=0)
        inputs = (*self.inputs, (self.unknown, ()))
        definitions = Definitions(inputs, (), (), parse(f"({left}) - ({right})"))
        g = definitions.nodes["value"]
        return g, derivative(g, (definitions.leaves[-1],), 1)

    def check(self) -> None:
        """Raise FormulaError for an equation that cannot be read."""
        _ = self._nodes

    def root(self, place: Sequence[np.ndarray], bits: int = 4096) -> Element:
        """The root near `near`, as a ball; unknown where it is not certified."""
        system = BallSystem(bits)
        with system.working():
            leaves = [_exact(each, system) for each in place]
            middle = arb(self.near)
            for _ in range(_POLISHINGS):
                step = self._step(leaves, middle, middle, system)
                if not is_finite(step):
                    return _NO_ROOT
                middle, moved = (middle - step).mid(), step
                if abs(moved) < arb(2) ** (-bits // 2) * (abs(middle) + 1):
                    break
            return self._certified(leaves, middle, bits, system)

    def _certified(self, leaves: list[np.ndarray], middle: arb, bits: int, system: BallSystem) -> Element:
        for loss in (bits // 4, bits // 2):
            around = middle + arb(0, arb(2) ** (loss - bits) * (abs(middle) + 1))
            step = self._step(leaves, middle, around, system)
            if is_finite(step) and around.contains_interior(middle - step):
                return middle - step
        return _NO_ROOT

    def _step(self, leaves: list[np.ndarray], at: Any, slope_at: Any, system: Any) -> Any:
        """g(x, at) / g_y(x, slope_at)."""
        value, _ = self._evaluate(leaves, at, system)
        _, slope = self._evaluate(leaves, slope_at, system)
        return system.operation("div")(value, slope)

    def _evaluate(self, leaves: list[np.ndarray], y: Any, system: Any) -> tuple[Any, Any]:
        named = {name: each for (name, _), each in zip(self.inputs, leaves, strict=True)}
        box = np.empty((), dtype=object)
        box[()] = y
        value, slope = evaluate(list(self._nodes), {**named, self.unknown: box}, system)
        return value.reshape(-1)[0], slope.reshape(-1)[0]

    def along(self, place: Sequence[np.ndarray], curve: Sequence[np.ndarray], system: GermSystem) -> list[np.ndarray]:
        """The solution's germ along a curve of input germs through the point."""
        root = self.root(place)
        y: Any = from_ball(root) if is_finite(root) else root
        known: Any = 1
        while known < system.order and isinstance(y, Germ):
            known = min(2 * known, system.order)
            y = system.operation("sub")(y, self._step(list(curve), y, y, system))
            y = Germ(truncate(y, known).terms, None) if isinstance(y, Germ) else y
        box = np.empty((), dtype=object)
        box[()] = truncate(y, known) if isinstance(y, Germ) and known > 1 else y
        return [box]


def _exact(array: np.ndarray, system: BallSystem) -> np.ndarray:
    return object_array((system.exact(Fraction(float(each))) for each in array.flat), array.shape)
