"""Large products of germ matrices are those of the entries, one by one."""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np
from flint import arb, fmpq

from verifier.arithmetic.ball import generic_matmul
from verifier.arithmetic.expansion import Germ, add, ball_of, constant_germ, monomial
from verifier.arithmetic.germ import GermSystem
from verifier.arithmetic.germ_matrices import is_worthwhile, product

SYSTEM = GermSystem(bits=128, order=3)


def matrix(rows: int, columns: int, seed: int, *, balls: bool) -> np.ndarray:
    draw = random.Random(seed)
    found = np.empty((rows, columns), dtype=object)
    for place in np.ndindex(rows, columns):
        c = Fraction(draw.randint(-9, 9), 8)
        germ = add(constant_germ(fmpq(c.numerator, c.denominator)), monomial(fmpq(draw.randint(-3, 3)), 1))
        found[place] = SYSTEM.apply("sin", germ) if balls and draw.random() < 0.5 else germ
    return found


def known(germ: Germ, power: int) -> arb:
    return ball_of(next((each.coefficient for each in germ.terms if each.exponent == power), fmpq(0)))


def test_products_agree_with_those_entry_by_entry() -> None:
    for balls in (False, True):
        a, b = matrix(8, 9, 1, balls=balls), matrix(9, 10, 2, balls=balls)
        assert is_worthwhile(a, b)
        with SYSTEM.working():
            fast = product(a, b, SYSTEM.order)
        slow = generic_matmul(SYSTEM, a, b)
        for one, other in zip(fast.flat, slow.flat, strict=True):
            assert one.order is None or one.order <= SYSTEM.order
            for power in range(3):
                assert known(one, power).overlaps(known(other, power))
            if not balls:
                assert [(each.exponent, each.coefficient) for each in one.terms] == [
                    (each.exponent, each.coefficient) for each in other.terms
                ]


def test_a_remainder_is_carried_along() -> None:
    a, b = matrix(8, 9, 1, balls=False), matrix(9, 10, 2, balls=False)
    a[0, 0] = Germ(a[0, 0].terms, 1)
    with SYSTEM.working():
        found = product(a, b, SYSTEM.order)
    assert all(each.order == 1 for each in found[0])
    assert all(each.order != 1 for each in found[1:].flat)


def test_small_products_and_broken_exponents_go_entry_by_entry() -> None:
    a, b = matrix(8, 9, 1, balls=False), matrix(9, 10, 2, balls=False)
    assert not is_worthwhile(a[:2, :2], b[:2, :2])
    a[0, 0] = monomial(fmpq(1), Fraction(1, 2))
    assert not is_worthwhile(a, b)
