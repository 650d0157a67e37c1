"""The same computation twice is one element; anything else is not."""

from __future__ import annotations

from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flint import arb

from verifier.arithmetic.ball import BallSystem
from verifier.arithmetic.elements import NEG_ZERO
from verifier.arithmetic.germ import GermSystem
from verifier.truth import repeats
from verifier.truth.jaxprs import evaluate
from verifier.truth.repeats import Repeats

WIDE = arb("0.5 +/- 1e-30")


def _twice(*pairs: tuple) -> list:
    multiply = Repeats().remembering("mul", lambda a, b: a * b)
    return [multiply(*pair) for pair in pairs]


def test_the_same_operands_give_the_same_element():
    first, second = _twice((WIDE, arb(3)), (WIDE, arb(3)))
    assert first is second


@pytest.mark.parametrize(
    "other",
    [(WIDE, arb(3) + arb(2) ** -100), (arb("0.5 +/- 1e-30"), arb(3)), (arb(3), WIDE)],
    ids=["another constant", "an equal ball that is another number", "another order"],
)
def test_other_operands_give_another_element(other):
    first, second = _twice((WIDE, arb(3)), other)
    assert first is not second


def test_zeros_are_told_apart_by_their_sign():
    first, second = _twice((WIDE, arb(0)), (WIDE, NEG_ZERO))
    assert first is not second


def test_another_operation_gives_another_element():
    known = Repeats()
    assert known.remembering("add", lambda a, b: a + b)(WIDE, arb(1)) is not known.remembering(
        "sub", lambda a, b: a - b
    )(WIDE, arb(1))


def test_what_is_forgotten_is_computed_again(monkeypatch):
    monkeypatch.setattr(repeats, "_MOST", 1)
    first, _, again = _twice((WIDE, arb(3)), (WIDE, arb(5)), (WIDE, arb(3)))
    assert first is not again


@pytest.mark.parametrize("system", [BallSystem(256), GermSystem(256)], ids=["balls", "germs"])
@pytest.mark.parametrize(("factor", "same"), [(1.5, True), (1.5000000000000002, False)])
def test_a_tie_of_two_products_of_one_number_is_decided(system, factor, same):
    """A second run, as 256 bits are one, knows x / 3 times 1.5 to be x / 3 times 1.5."""

    def tied(x):
        third = x / 3
        return third * 1.5 == jax.jit(lambda y: y * factor)(jnp.clip(third, -9.0, 9.0))

    with jax.enable_x64(True):
        program = jax.make_jaxpr(tied)(0.7)
    number = system.exact(Fraction(0.7)) if isinstance(system, BallSystem) else system.variable(Fraction(0.7))
    cell = np.empty((), dtype=object)
    cell[()] = number
    [found] = evaluate(program, [cell], system, strict=True)
    assert found[()] == same
