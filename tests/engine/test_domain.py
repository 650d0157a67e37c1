"""Points that are worth a trial: inside the domain, the special ones among them, and not too many."""

from __future__ import annotations

from fractions import Fraction

from verifier.engine.domain import Domain
from verifier.model.catalog import Input

X = Input(name="x", lower=Fraction(-2), upper=Fraction(3))
V = Input(name="v", shape=(40,), lower=Fraction(0), upper=Fraction(1, 2))


def test_zero_the_ends_the_middle_and_integers_are_tried():
    found = {point[0] for point in Domain((X,)).trials()}
    assert {Fraction(each) for each in (-2, -1, 0, 1, 2, 3)} | {Fraction(1, 2)} <= found


def test_two_inputs_are_tried_in_all_combinations():
    y = Input(name="y", lower=Fraction(1, 4), upper=Fraction(1))
    found = set(Domain((X, y)).trials())
    assert {(Fraction(0), Fraction(1)), (Fraction(3), Fraction(1, 4)), (Fraction(1), Fraction(1))} <= found


def test_many_components_are_tried_together_and_one_at_a_time():
    domain = Domain((X, V))
    found = list(domain.trials())
    assert len(found) < 120
    assert all(low <= x <= high for point in found for x, (low, high) in zip(point, domain.box, strict=True))
    assert (0,) * 41 in found
    alone = [point for point in found if point[1:].count(Fraction(0)) == 1 and point[0] == Fraction(1, 2)]
    assert len(alone) == 40


def test_without_inputs_there_is_one_point():
    assert list(Domain(()).trials()) == [()]
    assert Domain(()).box == ()


def test_a_point_is_written_and_shaped_as_its_leaves():
    domain = Domain((X, Input(name="w", shape=(2,), lower=Fraction(0), upper=Fraction(1))))
    point = (Fraction(1, 2), Fraction(0), Fraction(1))
    assert domain.written(point) == "x = 1/2, w = [0, 1]"
    arrays = domain.arrays(point)
    assert (arrays["x"].shape, list(arrays["w"])) == ((), [0, 1])
