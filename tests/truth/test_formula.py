"""The symbolic route to the truth: tight at any precision it takes, with the conditioning of what is rounded."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.arithmetic.elements import Unknown, as_fraction, lower, upper
from verifier.arithmetic.floats import FLOAT16, FLOAT32, FLOAT64, round_to
from verifier.model.verdict import Enclosure, Jump, Kink, NoTruth
from verifier.symbolic.build import Definitions
from verifier.symbolic.formula import parse
from verifier.truth.formula import FormulaTruth
from verifier.truth.one_sided import Sides
from verifier.truth.tensors import CEILING, FIRST_BITS, JUMP, ComponentTruths, OrderTruth, as_array


def truth_of(text, inputs, orders, data=None) -> FormulaTruth:
    shapes = {name: np.shape(values) for name, values in (data or {}).items()}
    definitions = Definitions(tuple(inputs.items()), tuple(shapes.items()), (), parse(text))
    exact = {name: np.array(values, dtype=object) for name, values in (data or {}).items()}
    return FormulaTruth(definitions, orders, exact)


def at(truth, form=FLOAT64, **place) -> dict[int, OrderTruth]:
    return truth.at({name: np.array(value, dtype=object) for name, value in place.items()}, form)


def judged(tensor: OrderTruth):
    rows = tensor.moves.reshape(len(tensor.moves), -1)
    return list(ComponentTruths(tensor.values.reshape(-1), lambda: list(rows), tensor.complete, tensor.bits))


def bounds(element) -> tuple[Fraction, Fraction]:
    return as_fraction(lower(element)), as_fraction(upper(element))


def test_a_cancellation_doubles_the_precision_until_it_is_tight():
    """tanh''(x) = -2 tanh(x) (1 - tanh(x)^2) = -2x + 8x^3/3 - ... near zero."""
    x = Fraction(1e-300)
    found = at(truth_of("tanh(x)", {"x": ()}, (1, 2)), x=x)
    low, high = bounds(found[2].values.item())
    assert low <= -2 * x + Fraction(8, 3) * x**3 <= high
    assert (high - low) / abs(low) < Fraction(1, 2**60)
    first = bounds(found[1].values.item())
    assert first[0] <= 1 - x * x + Fraction(2, 3) * x**4 <= first[1]


def test_an_explicit_cancellation_takes_over_a_thousand_bits():
    x = Fraction(1e-300)
    found = at(truth_of("exp(x) - 1 - x", {"x": ()}, (0,)), x=x)[0]
    assert found.bits > 1000
    low, high = bounds(found.values.item())
    assert low <= sum(x**k / math.factorial(k) for k in range(2, 7)) <= high


def test_a_zero_that_balls_cannot_see_is_presumed_at_the_ceiling():
    found = at(truth_of("sin(x)**2 + cos(x)**2 - 1", {"x": ()}, (0,)), x=Fraction(1, 3))[0]
    assert found.bits == CEILING
    (truth,) = judged(found)
    assert truth.presumed
    assert truth.value == Enclosure(Fraction(0), Fraction(0))
    # the sum of |summands|, about 2, stands for the conditioning
    assert truth.condition is not None
    assert Fraction(1, 16) < truth.condition < 64


def test_what_is_nothing_beside_the_yardstick_may_be_left_open():
    """x/3 - 1/9 + 1e-300 at x = 1/3, where rounding 1/9 alone costs 1e-17: but only where that is allowed."""
    place = {"x": np.array(Fraction(1, 3), dtype=object)}
    truth = truth_of("x/3 - 1/9 + 1e-300", {"x": ()}, (0,))
    settled, known = (truth.at(place, FLOAT64, settled=each)[0] for each in (True, False))
    assert settled.bits == FIRST_BITS
    assert settled.values.item().contains(0)
    assert known.bits > 1000
    low, high = bounds(known.values.item())
    assert low <= Fraction(1, 10**300) <= high
    assert low > 0


def test_what_matters_beside_the_yardstick_is_never_left_open():
    """Planted faults: sin(x) - x near 0 moves with x as little as it is, and so does its condition."""
    found = truth_of("sin(x) - x", {"x": ()}, (0,)).at(
        {"x": np.array(Fraction(1, 10**60), dtype=object)}, FLOAT64, settled=True
    )[0]
    low, high = bounds(found.values.item())
    assert found.bits > 500
    assert high < 0
    assert (high - low) / abs(low) < Fraction(1, 2**100)


def test_what_is_exact_takes_no_doubling():
    found = at(truth_of("x*x - x", {"x": ()}, (0, 1, 2)), x=Fraction(1))
    assert {tensor.bits for tensor in found.values()} == {FIRST_BITS}
    assert [bounds(found[order].values.item())[0] for order in (0, 1, 2)] == [0, 1, 2]


@pytest.mark.parametrize(
    ("form", "condition"), [(FLOAT64, Fraction(3)), (FLOAT32, Fraction(3)), (FLOAT16, Fraction(3))]
)
def test_the_condition_of_a_monomial(form, condition):
    """x dT/dx = 3 T for T = x^3, whatever the dtype."""
    (truth,) = judged(at(truth_of("x**3", {"x": ()}, (0,)), form, x=Fraction(1))[0])
    assert truth.condition == condition


@pytest.mark.parametrize(
    ("text", "data", "form", "condition"),
    [
        ("x/2", {}, FLOAT64, 1),  # one half is held exactly
        ("x*0.1", {}, FLOAT64, 2),  # a tenth is not
        ("x*2049", {}, FLOAT32, 1),
        ("x*2049", {}, FLOAT16, 2),
        ("x*pi", {}, FLOAT64, 2),
        ("x*c", {"c": Fraction(3, 4)}, FLOAT64, 1),
        ("x*c", {"c": Fraction(1, 3)}, FLOAT64, 2),
        ("x*c", {"c": 0.1}, FLOAT64, 1),  # the double nearest to a tenth
        ("x*c", {"c": 0.1}, FLOAT32, 2),
        ("c", {"c": Fraction(1, 3)}, FLOAT64, 1),
        ("x**2*0.1*pi*c", {"c": Fraction(1, 3)}, FLOAT64, 5),
    ],
)
def test_inexact_constants_count_and_exact_ones_do_not(text, data, form, condition):
    """In units of T: each factor that has to be rounded costs one."""
    (truth,) = judged(at(truth_of(text, {"x": ()}, (0,), data), form, x=Fraction(1))[0])
    assert isinstance(truth.value, Enclosure)
    assert truth.condition is not None
    assert float(truth.condition / truth.value.middle) == pytest.approx(condition, rel=1e-9)


def test_many_inputs_are_sampled_by_sign_vectors_and_never_overestimate():
    """Law: max over s of |sum s_i x_i dT/dx_i| <= sum |x_i dT/dx_i|."""
    n = 40
    found = at(truth_of("sum(v*v)", {"v": (n,)}, (0, 1)), v=[Fraction(i + 1) for i in range(n)])
    assert not found[0].complete
    assert found[0].moves.shape[0] == 8
    exact = 2 * sum((i + 1) ** 2 for i in range(n))
    (truth,) = judged(found[0])
    assert truth.condition is not None
    assert 0 < truth.condition <= exact
    # each component of the gradient moves with its own input alone: there the sample is exact
    assert [each.condition for each in judged(found[1])] == [2 * (i + 1) for i in range(n)]


def test_few_inputs_are_a_complete_basis():
    found = at(truth_of("v[0]*v[1] - v[2]", {"v": (3,)}, (0,)), v=[Fraction(2), Fraction(3), Fraction(5)])[0]
    assert found.complete
    assert [each.condition for each in judged(found)] == [6 + 6 + 5]


def test_what_is_no_number_has_a_reason():
    found = at(truth_of("[1/x, log(x - 1), D(abs(x), x)]", {"x": ()}, (0,)), x=Fraction(0))[0]
    reasons = [each.value.reason for each in judged(found) if isinstance(each.value, NoTruth)]
    assert len(reasons) == 3
    assert "POS_INF" in reasons[0]
    assert "NAN" in reasons[1]
    assert "kink" in reasons[2]


def test_kinks_and_jumps_become_what_the_judge_knows():
    from flint import arb

    values = np.empty(4, dtype=object)
    values[:] = [Sides(arb(0), arb(1)), JUMP, Unknown("why"), arb(2)]
    kink, jump, unknown, number = ComponentTruths(values, lambda: [values], complete=True, bits=FIRST_BITS)
    assert kink.value == Kink(Enclosure(Fraction(0), Fraction(0)), Enclosure(Fraction(1), Fraction(1)))
    assert jump.value == Jump()
    assert unknown.value == NoTruth("why")
    assert (number.value, number.condition) == (Enclosure(Fraction(2), Fraction(2)), 2)


def test_a_condition_that_is_unknown_is_none():
    from flint import arb

    (truth,) = ComponentTruths(as_array(arb(1)), lambda: [as_array(Unknown("lost"))], complete=True, bits=FIRST_BITS)
    assert truth.condition is None


coefficients = st.lists(st.integers(-9, 9), min_size=1, max_size=6)
places = st.floats(-4, 4, allow_subnormal=False).map(Fraction)


@settings(deadline=None, max_examples=25)
@given(coefficients, places)
def test_polynomials_have_their_exact_rational_derivatives(coefficients, x):
    """Law: the k-th derivative of sum c_i x^i is sum c_i i!/(i-k)! x^(i-k), and lies in the enclosure."""
    text = " + ".join(f"({c})*x**{i}" if i else f"({c})" for i, c in enumerate(coefficients))
    found = at(truth_of(f"{text} + 0*x", {"x": ()}, (0, 1, 2, 3)), x=x)
    for order, tensor in found.items():
        exact = sum(c * math.perm(i, order) * x ** (i - order) for i, c in enumerate(coefficients) if i >= order)
        low, high = bounds(tensor.values.item())
        assert low <= exact <= high
        assert high - low <= max(abs(exact), Fraction(1, 2**200)) / 2**60


@settings(deadline=None, max_examples=20)
@given(
    st.lists(st.integers(-9, 9), min_size=3, max_size=3),
    st.fractions(min_value=-4, max_value=4, max_denominator=1000),
    st.fractions(min_value=-4, max_value=4, max_denominator=1000),
)
def test_quadratic_forms_have_their_gradient_and_hessian(form, x, y):
    """Law: of a x^2 + b xy + c y^2 the gradient is (2ax + by, bx + 2cy), the Hessian [[2a, b], [b, 2c]]."""
    a, b, c = form
    x, y = (Fraction(round_to(each, FLOAT64)) for each in (x, y))
    found = at(truth_of(f"({a})*x**2 + ({b})*x*y + ({c})*y**2", {"x": (), "y": ()}, (1, 2)), x=x, y=y)
    gradient, hessian = ([*map(bounds, found[order].values.flat)] for order in (1, 2))
    for (low, high), exact in zip(gradient, (2 * a * x + b * y, b * x + 2 * c * y), strict=True):
        assert low <= exact <= high
    for (low, high), exact in zip(hessian, (2 * a, b, b, 2 * c), strict=True):
        assert low <= exact <= high
