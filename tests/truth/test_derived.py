"""Programs in balls: precision doubles until they are tight; conditioning and the share of inexact literals."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from verifier.arithmetic.elements import NAN
from verifier.arithmetic.floats import FLOAT64
from verifier.model.verdict import Enclosure
from verifier.truth.derived import Derived, is_excuse
from verifier.truth.enclosing import CEILING, program_value


@pytest.fixture(autouse=True)
def _double_precision() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def derived(f, *x) -> Derived:
    place = tuple(np.asarray(each, dtype=np.float64) for each in x)
    return Derived(jax.make_jaxpr(f)(*place), place)


def test_precision_grows_with_what_a_program_cancels():
    program = derived(jax.grad(lambda x: (1 - jnp.tanh(x)) * (1 + jnp.tanh(x))), 1e-300)
    (found,) = [program_value(each, program.bits) for each in program.elements]
    assert isinstance(found, Enclosure)
    assert program.bits > 1000
    assert float(found.middle) == pytest.approx(-2e-300)


def test_a_zero_that_no_precision_proves_is_presumed():
    program = derived(lambda x: jnp.sin(x) ** 2 + jnp.cos(x) ** 2 - 1, 0.7)
    (found,) = [program_value(each, program.bits) for each in program.elements]
    assert program.bits == CEILING
    assert found == Enclosure(found.lower, found.lower)
    assert found.lower == 0


def test_nan_is_proven():
    assert derived(jax.grad(lambda x: jnp.where(x > 0, jnp.sqrt(x), 0.0)), 0.0).elements[0] is NAN


def test_moves_estimate_the_conditioning():
    (moved,) = derived(lambda x: jnp.sin(x), 2.0).moves()
    assert float(moved) == pytest.approx(abs(2 * np.cos(2.0)))


def test_literals_excuse_no_number_that_they_carry_to_anything():
    """At 1.3, the rounding of 2 pi 10^15 moves the sine by more than half a turn."""
    turns = 2 * np.pi * 1e15
    program = derived(lambda x: jnp.sin(turns * x), 1.3)
    assert program.spread(FLOAT64) != [None]
    assert program.excused(FLOAT64) == [None]
    assert derived(lambda x: jnp.sin(2 * np.pi * x), 1.3).excused(FLOAT64) != [None]


def test_literals_excuse_what_cancels():
    (excused,) = derived(lambda x: 0.3 * x - 0.1 * (x + 2.0), 1.0).excused(FLOAT64)
    assert float(excused) == pytest.approx(0.6 * 2.0**-53, rel=0.5)


@pytest.mark.parametrize(
    ("size", "spread", "bend", "found"),
    [(1, 0.4, 0.4, True), (1, 0.5, 0.4, False), (1, 0.5, 0.01, True), (0, 1, 0.1, True), (0, 1, 1, False)],
)
def test_what_is_an_excuse(size, spread, bend, found):
    assert is_excuse(*map(Fraction, (size, spread, bend))) is found
    assert not is_excuse(Fraction(size), None, Fraction(bend))
    assert not is_excuse(Fraction(size), Fraction(spread), None)


def test_only_inexact_literals_spread():
    assert derived(lambda x: 0.5 * x + 3.0, 2.0).spread(FLOAT64) == [0]
    (spread,) = derived(lambda x: 0.1 * x, 2.0).spread(FLOAT64)
    assert float(spread) == pytest.approx(0.2 * 2.0**-53)
