"""A number system of 60-digit floats, independent of ball arithmetic, and a short way to write definitions."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from fractions import Fraction
from typing import Any

import jax
import mpmath
import numpy as np
import pytest

from verifier.symbolic.build import Definitions
from verifier.symbolic.evaluate import evaluate
from verifier.symbolic.formula import parse
from verifier.symbolic.graph import Node

UNKNOWN = "unknown"

_NAMES = {"integer_pow": "power", "pow": "power", "erf_inv": "erfinv", "lgamma": "loggamma", "polygamma": "polygamma"}
_PLAIN = {"add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv, "neg": operator.neg}


class Digits:
    """mpmath's floats; whatever it refuses is unknown."""

    def exact(self, value: Fraction) -> Any:
        return mpmath.mpf(value.numerator) / value.denominator

    def constant(self, name: str) -> Any:
        return +getattr(mpmath, name)

    def operation(self, name: str) -> Callable[..., Any]:
        plain = {**_PLAIN, "max": max, "min": min, "abs": abs}.get(name)
        function = plain or getattr(mpmath, _NAMES.get(name, name))

        def strict(*elements: Any) -> Any:
            if any(each is UNKNOWN for each in elements):
                return UNKNOWN
            try:
                result = function(*elements)
            except (ZeroDivisionError, ValueError):
                return UNKNOWN
            return UNKNOWN if isinstance(result, mpmath.mpc) else result

        return strict

    def compare(self, relation: str, a: Any, b: Any) -> bool | None:
        return None if a is UNKNOWN or b is UNKNOWN else bool(getattr(operator, relation)(a, b))

    def select(self, condition: bool | None, a: Any, b: Any) -> Any:
        return UNKNOWN if condition is None else a if condition else b

    def kink(self) -> Any:
        return UNKNOWN

    def matmul(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.dot(a, b)

    def working(self) -> AbstractContextManager[object]:
        return mpmath.workdps(60)


@pytest.fixture(autouse=True)
def _double_precision() -> Any:
    with jax.enable_x64(True):
        yield


@pytest.fixture
def digits() -> Digits:
    return Digits()


@pytest.fixture
def values(digits: Digits) -> Callable[..., Any]:
    """The value of a node at numbers (nested lists) for its leaves, as nested lists."""

    def run(node: Node, leaves: Mapping[str, Any]) -> Any:
        with mpmath.workdps(60):
            arrays = {name: np.vectorize(mpmath.mpf, otypes=[object])(each) for name, each in leaves.items()}
        return evaluate([node], arrays, digits)[0].tolist()

    return run


@pytest.fixture
def define() -> Callable[..., Definitions]:
    """Definitions from texts: inputs as name=shape, then the value, the `let` chain and the data."""

    def definitions(value: str, inputs: Mapping[str, tuple[int, ...]], **more: Any) -> Definitions:
        return Definitions(
            inputs=tuple(inputs.items()),
            data=tuple(more.get("data", {}).items()),
            lets=tuple((name, parse(text)) for name, text in more.get("lets", {}).items()),
            value=parse(value),
        )

    return definitions
