"""Where the two routes to the truth meet: settled kinks, jumps and removable singularities; contradictions found."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from flint import arb

from verifier.arithmetic.elements import as_fraction, is_finite, lower, upper
from verifier.arithmetic.floats import FLOAT64
from verifier.symbolic.build import Definitions
from verifier.symbolic.formula import parse
from verifier.truth import routes
from verifier.truth.formula import FormulaTruth
from verifier.truth.one_sided import Sides
from verifier.truth.routes import conflicts, settled, too_large
from verifier.truth.tensors import JUMP


def truth_of(text, orders=(0, 1, 2), **shapes) -> FormulaTruth:
    return FormulaTruth(Definitions(tuple(shapes.items()), (), (), parse(text)), orders, {})


def place_of(**values):
    return {name: np.array(value, dtype=object) for name, value in values.items()}


def at(text, x=Fraction(0)):
    truth, place = truth_of(text, x=()), place_of(x=x)
    return settled(truth, place, truth.at(place, FLOAT64))


def exactly(element, number) -> bool:
    return as_fraction(lower(element)) <= number <= as_fraction(upper(element))


def test_a_kink_gets_its_sides():
    found = at("abs(x)")[1].values.item()
    assert isinstance(found, Sides)
    assert exactly(found.left, -1)
    assert exactly(found.right, 1)


@pytest.mark.parametrize("text", ["abs(x)", "exp(-abs(x))", "x*abs(x)"])
def test_above_a_kink_the_derivative_jumps_though_its_sides_may_agree(text):
    """exp(-|x|)'' is 1 on both sides of 0, and x |x| has its kink one order higher."""
    found = at(text)
    kink = 2 if text == "x*abs(x)" else 1
    assert isinstance(found[kink].values.item(), Sides)
    assert kink == 2 or found[2].values.item() == JUMP


@pytest.mark.parametrize("text", ["where(x == 0, 5, x)", "sign(x)", "floor(x)", "where(x < 0, x, x + 1)"])
def test_a_jump_is_told_from_a_kink(text):
    found = at(text)
    assert found[1].values.item() == JUMP
    assert found[2].values.item() == JUMP


def test_a_removable_singularity_is_filled_in():
    found = at("where(x == 0, 1, sin(x)/x)")
    assert exactly(found[1].values.item(), 0)
    assert exactly(found[2].values.item(), Fraction(-1, 3))


def test_the_value_of_a_kink_keeps_its_conditioning():
    """relu at 0: the value is 0 and moves by x dT/dx = 0, although the slope is not known."""
    (move,) = at("relu(x)")[0].moves
    assert is_finite(move)
    assert exactly(move, 0)


def test_smooth_points_are_left_alone():
    truth, place = truth_of("sin(x)", x=()), place_of(x=Fraction(1, 3))
    plain = truth.at(place, FLOAT64)
    for order, tensor in settled(truth, place, plain).items():
        assert tensor.values.item() is plain[order].values.item()


def test_several_inputs_are_not_settled_along_one_line():
    """xy/|(x, y)| has agreeing slopes along the axes and is not differentiable: one line decides nothing."""
    truth, place = truth_of("max(x, y)", (0, 1), x=(), y=()), place_of(x=Fraction(1), y=Fraction(1))
    found = settled(truth, place, truth.at(place, FLOAT64))
    assert not any(is_finite(each) for each in found[1].values.flat)


def test_too_large_formulas_have_one_route_only(monkeypatch):
    truth = truth_of("sin(x)", x=())
    assert not too_large(truth)
    monkeypatch.setattr(routes, "STEP_LIMIT", 0)
    assert too_large(truth)


CASES = {
    "scalar": ("sin(x)*x**2", {"x": Fraction(3, 4)}),
    "plane": ("x**2*y + exp(y)", {"x": Fraction(3, 4), "y": Fraction(-1, 2)}),
    "vector": ("[v[0]*v[1], v[1]**3]", {"v": [Fraction(3, 4), Fraction(5, 4)]}),
    "kink": ("abs(x)", {"x": Fraction(0)}),
    "jump": ("where(x == 0, 5, x)", {"x": Fraction(0)}),
    "outside": ("log(x)", {"x": Fraction(-1)}),
    "pole": ("1/x", {"x": Fraction(0)}),
}


def routes_of(name):
    text, values = CASES[name]
    place = place_of(**values)
    truth = truth_of(text, (0, 1, 2), **{leaf: array.shape for leaf, array in place.items()})
    return truth, place, settled(truth, place, truth.at(place, FLOAT64))


@pytest.mark.parametrize("name", CASES)
def test_right_routes_agree(name):
    assert list(conflicts(*routes_of(name))) == []


@pytest.mark.parametrize("name", ["scalar", "plane", "vector"])
@pytest.mark.parametrize("order", [1, 2])
def test_a_wrong_route_is_contradicted_at_its_order(name, order):
    truth, place, found = routes_of(name)
    found[order] = replace(found[order], values=found[order].values + arb(1))
    reported = list(conflicts(truth, place, found))
    assert reported
    assert any(text.startswith(f"order {order}:") for text in reported)


def test_a_value_that_differs_from_its_limits_is_taken_for_a_jump():
    """Germs speak about limits, balls about the point: of order 0 alone no contradiction can be told from a jump."""
    truth, place, found = routes_of("vector")
    found[0] = replace(found[0], values=found[0].values + arb(1))
    assert list(conflicts(truth, place, found)) == []


def test_a_swapped_gradient_is_contradicted():
    """The direction has different signs in its components: a permutation does not cancel."""
    truth, place, found = routes_of("plane")
    found[1] = replace(found[1], values=found[1].values[::-1].copy())
    assert [text.split(":")[0] for text in conflicts(truth, place, found)] == ["order 1"]


def test_a_transposed_jacobian_is_contradicted():
    truth, place, found = routes_of("vector")
    found[1] = replace(found[1], values=found[1].values.T.copy())
    assert any(text.startswith("order 1") for text in conflicts(truth, place, found))


def test_equal_faults_in_neighbouring_components_are_contradicted():
    """Adding one number to both components of a gradient: along (1, -1) alone nothing would be seen."""
    truth, place, found = routes_of("plane")
    found[1] = replace(found[1], values=found[1].values + arb(1))
    assert any(text.startswith("order 1") for text in conflicts(truth, place, found))
