"""The check that all tests of rules share: what the rules say of a program against what JAX computes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flint import arb

from verifier.arithmetic.ball import BallSystem
from verifier.arithmetic.elements import Special
from verifier.programs.expansion import expanded
from verifier.truth.jaxprs import evaluate
from verifier.truth.pairs import Pair

SYSTEM = BallSystem(128)
_TIGHT = 2.0**-60


@pytest.fixture(autouse=True)
def _double_precision() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def _weights(shaped: Any) -> Any:
    return jnp.asarray(np.cos(1.0 + np.arange(shaped.size)).reshape(shaped.shape), shaped.dtype)


def _all_orders(function: Callable[..., Any]) -> Callable[..., Any]:
    """Value, tangent, cotangent and a second order (forward over reverse) of a function, as one program."""

    def run(*args: Any) -> Any:
        tangents = jax.tree.map(_weights, args)
        value, tangent = jax.jvp(function, args, tangents)

        def pulled(*inner: Any) -> Any:
            out, pull = jax.vjp(function, *inner)
            return pull(jax.tree.map(_weights, out))

        cotangent, second = jax.jvp(pulled, args, tangents)
        return value, tangent, cotangent, second

    return run


def number(element: Any) -> Any:
    """The element's midpoint as a Python number; raises AssertionError for an unknown."""
    if isinstance(element, Special):
        return float(element.value)
    if isinstance(element, Pair):
        return complex(number(element.re), number(element.im))
    assert isinstance(element, arb), f"undecided: {element!r}"
    return float(element.mid())


def _radius(element: Any) -> float:
    if isinstance(element, Pair):
        return max(_radius(element.re), _radius(element.im))
    return float(element.rad()) if isinstance(element, arb) else 0.0


def _assert_near(wanted: np.ndarray, found: np.ndarray, tolerance: float) -> None:
    if found.dtype != object:
        assert wanted.dtype == found.dtype
        np.testing.assert_array_equal(found, wanted)
        return
    numbers = np.asarray([number(element) for element in found.flat]).reshape(found.shape)
    finite = np.abs(numbers[np.isfinite(numbers)])
    scale = float(finite.max(initial=1e-300))
    np.testing.assert_allclose(numbers, wanted, rtol=tolerance, atol=tolerance * scale)
    assert max((_radius(element) for element in found.flat), default=0.0) <= _TIGHT * max(scale, 1e-17)


Agree = Callable[..., None]


@pytest.fixture
def agree() -> Agree:
    """agree(function, *args): the evaluator in balls and JAX in float64 give the same, in value and derivatives."""

    def check(function: Callable[..., Any], *args: Any, value_only: bool = False, tolerance: float = 1e-12) -> None:
        program = function if value_only else _all_orders(function)
        wanted = [np.asarray(leaf) for leaf in jax.tree.leaves(jax.jit(program)(*args))]
        jaxpr = expanded(jax.make_jaxpr(program)(*args))
        leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(args)]
        found = evaluate(jaxpr, leaves, SYSTEM, strict=True)
        for each, result in zip(wanted, found, strict=True):
            _assert_near(each, result, tolerance)

    return check


@pytest.fixture
def exactly() -> Agree:
    """exactly(function, *args): on small integers the evaluator and JAX agree bit by bit."""

    def check(function: Callable[..., Any], *args: Any) -> None:
        wanted = [np.asarray(leaf) for leaf in jax.tree.leaves(function(*args))]
        found = evaluate(jax.make_jaxpr(function)(*args), jax.tree.leaves(args), SYSTEM, strict=True)
        for each, result in zip(wanted, found, strict=True):
            plain = result if result.dtype != object else np.asarray([number(e) for e in result.flat], each.dtype)
            assert result.shape == each.shape
            np.testing.assert_array_equal(plain.reshape(each.shape), each)

    return check
