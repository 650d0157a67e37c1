"""S: how large the summands were that a result is the sum of."""

from __future__ import annotations

from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from verifier.truth.additions import largest_addition


@pytest.fixture(autouse=True)
def _double_precision() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def size(function, *arguments) -> list[float]:
    (found,) = largest_addition(jax.make_jaxpr(function)(*arguments), arguments, strict=True)
    return [float(each) for each in found.reshape(-1)]


CASES = {
    "a difference": (lambda x: x - 3.0, 3.0, 6.0),
    "its multiple": (lambda x: 10 * (x - 3.0), 3.0, 60.0),
    "through a function that is odd": (lambda x: jnp.sin(x - 3.0), 3.0, 6.0),
    "through a logarithm": (lambda x: jnp.log(x - 2.0), 3.0, 5.0),
    "no addition: its own size": (lambda x: x * x, 3.0, 9.0),
    "two of one function": (lambda x: jnp.cos(x) - jnp.cos(x), 0.0, 2.0),
    "conditioning is no addition": (lambda x: jnp.sin(x) * 0.0, 1e17, 0.0),
    "a longer sum": (lambda x: (x + 1e6) - x - 1e6, 3.0, 2e6 + 6.0),
}


@pytest.mark.parametrize("name", CASES)
def test_the_size_of_the_summands(name):
    function, at, wanted = CASES[name]
    assert size(function, np.float64(at)) == pytest.approx([wanted], rel=1e-6)


def test_a_gradient_that_is_zero_by_invariance_has_the_size_of_its_terms():
    at = np.array([0.1, 0.2, 0.3])
    sizes = size(jax.grad(lambda v: jnp.sum(jax.nn.softmax(v))), at)
    values = np.asarray(jax.grad(lambda v: jnp.sum(jax.nn.softmax(v)))(at))
    assert np.all(np.abs(values) <= 4 * 2.0**-53 * np.array(sizes))
    assert max(sizes) < 4


def test_a_reduction_counts_all_of_its_terms():
    assert size(jnp.sum, np.array([1e10, -1e10, 1.0])) == pytest.approx([2e10 + 1])
