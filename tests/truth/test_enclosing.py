"""Balls as rationals: what is astronomically small is zero to every dtype, what is astronomically large has none."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flint import arb

import verifier
from verifier.arithmetic.precision import working_precision
from verifier.model.verdict import Enclosure, NoTruth
from verifier.truth.enclosing import enclosed


def test_ends_of_every_size():
    with working_precision(128):
        assert enclosed(arb(3) / 4) == Enclosure(0.75, 0.75)
        assert enclosed((-(arb(10) ** 100)).exp()) == Enclosure(0, 0)
        assert isinstance(enclosed((arb(10) ** 100).exp()), NoTruth)


@pytest.mark.parametrize(
    ("function", "at", "number"),
    [
        (lambda x: jnp.exp(-1 / x), 1e-300, "NONFINITE"),
        (lambda x: jnp.exp(-(x**2)), 1e150, "ACCURATE"),
        (lambda x: jnp.exp(jnp.exp(x)), 1000.0, "UNDECIDED"),
        (lambda x: jnp.maximum(jnp.exp(jnp.exp(x)), jnp.exp(jnp.exp(1000.0))), 1000.0, "UNDECIDED"),
    ],
)
def test_no_size_stops_a_check(function, at, number):
    with jax.enable_x64(True):
        result = verifier.check(function, np.float64(at), programs=("jacfwd",), dtypes=("float64",))
    assert {each.number for each in result.verdicts} == {number}
