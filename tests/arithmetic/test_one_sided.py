"""Reading germs, and the driver that raises order and precision until there is something to read."""

from __future__ import annotations

from flint import arb, fmpq

from verifier.arithmetic.elements import BITS, NAN, ORDER, POS_INF, Unknown
from verifier.arithmetic.germ import GermSystem
from verifier.arithmetic.one_sided import Ceiling, coefficient, derivative, limit, with_enough


def cubic_gap(system: GermSystem):
    """(sin x^3 - x^3) / x^9 from the right of 0."""
    x = system.variable(0)
    cube = system.apply("integer_pow", x, 3)
    return system.apply("div", system.apply("sub", system.apply("sin", cube), cube), system.apply("integer_pow", x, 9))


def test_the_driver_raises_the_order_until_the_coefficient_is_known():
    seen: list[GermSystem] = []

    def compute(system: GermSystem):
        seen.append(system)
        return limit(cubic_gap(system))

    answer = with_enough(compute, start=GermSystem(64, 2))
    assert answer.overlaps(arb(fmpq(-1, 6)))
    assert [system.order for system in seen] == [2, 4, 8, 16]
    assert {system.bits for system in seen} == {64}


def test_the_driver_raises_the_precision_until_the_answer_is_accepted():
    answer = with_enough(
        lambda system: derivative(system.apply("exp", system.variable(1)), 1),
        start=GermSystem(64, 4),
        accept=lambda ball: ball.rad() < arb(2) ** -300,
    )
    assert answer.rad() < arb(2) ** -300


def test_the_driver_stops_at_its_ceiling_with_the_last_answer():
    answer = with_enough(lambda system: Unknown("never", BITS), ceiling=Ceiling(bits=512, order=8))
    assert answer == Unknown("never", BITS)
    answer = with_enough(lambda system: limit(cubic_gap(system)), start=GermSystem(64, 2), ceiling=Ceiling(order=8))
    assert isinstance(answer, Unknown)
    assert answer.remedy == ORDER


def test_the_driver_does_not_repeat_what_nothing_helps():
    calls: list[GermSystem] = []
    with_enough(lambda system: calls.append(system) or Unknown("no rule", ""))
    assert len(calls) == 1


def test_reading_beyond_the_truncation_asks_for_a_higher_order():
    germ = GermSystem(64, 4).apply("sin", GermSystem(64, 4).variable(0))
    assert coefficient(germ, 3) == fmpq(-1, 6)
    for answer in (coefficient(germ, 4), derivative(germ, 4)):
        assert isinstance(answer, Unknown)
        assert answer.remedy == ORDER


def test_specials_read_as_themselves():
    assert limit(POS_INF) is POS_INF
    assert derivative(NAN, 2) is NAN
    assert isinstance(derivative(POS_INF, 1), Unknown)
