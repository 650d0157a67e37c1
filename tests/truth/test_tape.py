"""Law: a tape gives the balls of the evaluator, or refuses the point."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from flint import arb

from verifier.arithmetic.elements import as_fraction
from verifier.arithmetic.floats import FLOAT64
from verifier.arithmetic.precision import working_precision
from verifier.symbolic.build import Definitions
from verifier.symbolic.formula import parse
from verifier.truth import tape as tape_module
from verifier.truth.formula import FormulaTruth
from verifier.truth.in_floats import parts
from verifier.truth.tape import Irregular, Tape, Unrecordable

FORMULAS = {
    "x**3 - 4*x + 1": {"x": ()},
    "exp(sin(x))*cos(x)/3": {"x": ()},
    "sqrt(x)*log(x) + x**0.3 + 1/x": {"x": ()},
    "erf(x)*exp(-x**2) + atan2(x, 2) + lgamma(x)": {"x": ()},
    "where(x > 1, x*x, abs(x)) + max(x, 2)": {"x": ()},
    "logsumexp(v) + norm(v)": {"v": (3,)},
    "[sin(v[0])*v[1], v[0]/v[1], dot(v, v)]": {"v": (2,)},
}


def truth_of(text: str, shapes: dict, orders=(0, 1, 2)) -> FormulaTruth:
    return FormulaTruth(Definitions(tuple(shapes.items()), (), (), parse(text)), orders, {})


def places(shapes: dict, count: int = 6) -> list[dict[str, np.ndarray]]:
    rng = np.random.default_rng(1)
    draw = {name: rng.uniform(0.5, 3, size=(count, *shape)) for name, shape in shapes.items()}
    return [{name: np.array(each[k].tolist(), dtype=object) for name, each in draw.items()} for k in range(count)]


def plain(order: int) -> dict:
    return {(order, "plain"): lambda row: row}


def same(one: Any, other: Any) -> bool:
    if type(one) is not arb or type(other) is not arb:
        return one == other
    return bool((one.mid() - other.mid()).is_zero() and (one.rad() - other.rad()).is_zero())


@pytest.mark.parametrize("text", FORMULAS)
def test_a_tape_gives_the_balls_of_the_evaluator(text):
    shapes = FORMULAS[text]
    interpreted, taped = truth_of(text, shapes), truth_of(text, shapes)
    assert taped.columns(places(shapes), FLOAT64, plain(1))
    for place in places(shapes):
        slow, fast = interpreted.at(place, FLOAT64), taped.at(place, FLOAT64)
        for order in (0, 1, 2):
            assert all(map(same, slow[order].values.flat, fast[order].values.flat))
            assert all(map(same, slow[order].moves.flat, fast[order].moves.flat))


@pytest.mark.parametrize("text", FORMULAS)
def test_columns_are_the_truth_in_two_floats(text):
    shapes, order = FORMULAS[text], 1
    truth, found = truth_of(text, shapes), places(shapes)
    column = truth.columns(found, FLOAT64, plain(order))[order, "plain"]
    assert np.isfinite(column.high).all()
    for row, place in enumerate(found):
        tensor = truth_of(text, shapes).at(place, FLOAT64)[order]
        for component, ball in enumerate(tensor.values.flat):
            exact = as_fraction(ball.mid())
            known = Fraction(column.high[row, component]) + Fraction(column.low[row, component])
            assert abs(known - exact) <= abs(exact) / 2**104
        moved = [sum(abs(float(each)) for each in row) for row in tensor.moves.reshape(len(tensor.moves), -1).T]
        assert column.condition[row] == pytest.approx(moved, rel=1e-14)


@pytest.mark.parametrize(("text", "place"), [("1/x", 0.0), ("log(x)", -1.0), ("abs(x)", 0.0), ("sqrt(x)", 0.0)])
def test_a_point_that_is_not_regular_is_left_to_the_evaluator(text, place):
    truth = truth_of(text, {"x": ()})
    found = [{"x": np.array(x, dtype=object)} for x in (2.0, place)]
    column = truth.columns(found, FLOAT64, plain(1))[1, "plain"]
    assert np.isnan(column.high[:, 0]).tolist()[1]
    interpreted = truth_of(text, {"x": ()}).at(found[1], FLOAT64)
    assert str(truth.at(found[1], FLOAT64)[1].values.item()) == str(interpreted[1].values.item())


def test_a_cancellation_raises_the_precision_of_a_column():
    """tanh''(x) = -2x + ... needs over 1,000 bits."""
    (column,) = (
        truth_of("tanh(x)", {"x": ()}).columns([{"x": np.array(1e-290, dtype=object)}], FLOAT64, plain(2)).values()
    )
    assert math.ldexp(column.high.item(), -column.scale.item()) == pytest.approx(-2e-290, rel=1e-15)


@pytest.mark.parametrize("one", [1, -1])
@pytest.mark.parametrize("side", [1, 0, -1])
def test_the_side_of_a_power_of_two_is_known_however_near(one, side):
    """1 - 2^-1500 has half the ulp of 1."""
    with working_precision(2048):
        ball = one + side * arb(2) ** -1500 + arb(0, 2.0**-1000) * arb(2) ** -1000
        high, low, scale, _ = parts(ball)
    assert scale == 0
    assert (high, math.copysign(1.0, low)) == (one, side or one)
    assert 0 < abs(low) < 2**-110


@pytest.mark.parametrize(("text", "exact"), [("x**2", Fraction(1e-200) ** 2), ("-x**2", -(Fraction(1e-200) ** 2))])
def test_a_number_below_the_floats_is_scaled(text, exact):
    (column,) = truth_of(text, {"x": ()}).columns([{"x": np.array(1e-200, dtype=object)}], FLOAT64, plain(0)).values()
    known = (Fraction(column.high.item()) + Fraction(column.low.item())) / 2 ** column.scale.item()
    assert column.scale.item() > 0
    assert abs(known - exact) <= abs(exact) / 2**100


def test_a_number_far_below_the_floats_is_no_zero():
    """What is smaller than any float even if it is scaled keeps its sign and no more."""
    (column,) = (
        truth_of("-x**3", {"x": ()}).columns([{"x": np.array(1e-300, dtype=object)}], FLOAT64, plain(0)).values()
    )
    assert (column.high.item(), column.low.item()) == (-(2.0**-900), 0.0)


def test_what_is_long_or_decides_while_it_is_recorded_has_no_tape(monkeypatch):
    assert truth_of("argmax(v)", {"v": (3,)}, (0,)).columns(places({"v": (3,)}), FLOAT64, plain(0)) == {}
    monkeypatch.setattr(tape_module, "STATEMENT_LIMIT", 10)
    assert truth_of("exp(sin(x))*cos(x)", {"x": ()}).columns(places({"x": ()}), FLOAT64, plain(0)) == {}


def test_one_element_subtracted_from_itself_is_zero_by_whatever_name():
    """max(a, b) may be a itself, which a plain difference of balls would not see."""
    tape = Tape()
    a, b = tape.input(), tape.input()
    third = tape.operation("div")(a, tape.exact(3))
    larger = tape.operation("max")(third, b)
    difference = tape.operation("sub")(larger, third)
    assert tape.run(128, difference.name, [arb(1), arb(0)]).is_zero()


def test_a_tape_whose_constants_fail_refuses_every_point():
    tape = Tape()
    bad = tape.operation("div")(tape.exact(1), tape.exact(0))
    for _ in range(2):
        with pytest.raises(Irregular):
            tape.run(128, bad.name, [])


def test_a_choice_that_nothing_decides_is_not_recorded():
    tape = Tape()
    with pytest.raises(Unrecordable):
        tape.select(None, tape.exact(0), tape.exact(1))


@pytest.mark.parametrize("text", FORMULAS)
def test_columns_enclose_how_the_truth_moves(text):
    """The conditions that columns give are those of balls, and they give nearly all of them."""
    shapes, order = FORMULAS[text], 1
    truth, found = truth_of(text, shapes), places(shapes, 40)
    truth.columns(found, FLOAT64, plain(order))
    (recording,) = truth._recordings.values()
    viewed = recording._viewed_by(plain(order))
    least, by_columns = recording._conditions(found, viewed)
    by_balls = np.array([recording._sizes(place, 128, viewed) for place in found])
    known = np.isfinite(by_columns)
    assert (np.nan_to_num(least[:, -by_balls.shape[1] :] if order == 2 else 0) <= by_balls * (1 + 1e-12)).all()
    assert known.mean() > 0.9 or "lgamma" in text
    assert by_columns[known] == pytest.approx(by_balls[known], rel=2.0**-33, abs=1e-30)


def test_a_point_that_decides_otherwise_has_columns_of_its_own():
    truth, found = truth_of("where(x > 1, x*x, sin(x))", {"x": ()}), places({"x": ()}, 40)
    truth.columns(found, FLOAT64, plain(1))
    (recording,) = truth._recordings.values()
    assert np.isfinite(recording._conditions(found, recording._viewed_by(plain(1)))[1]).all()
    assert len({float(place["x"]) > 1 for place in found}) == 2


def test_a_point_of_columns_is_not_computed_again(monkeypatch):
    truth, place = truth_of("tanh(x)", {"x": ()}), {"x": np.array(0.5, dtype=object)}
    truth.columns([place], FLOAT64, plain(2))
    runs: list[int] = []
    sound = Tape.run
    monkeypatch.setattr(Tape, "run", lambda self, bits, *given: runs.append(bits) or sound(self, bits, *given))
    kept = truth.at(place, FLOAT64, settled=True)
    assert not runs
    monkeypatch.setattr("verifier.truth.recorded._MOST_KEPT", 0)
    fresh = truth_of("tanh(x)", {"x": ()})
    fresh.columns([place], FLOAT64, plain(2))
    again = fresh.at(place, FLOAT64, settled=True)
    assert runs
    assert str(again[2].values.item()) == str(kept[2].values.item())


def difference(row: np.ndarray) -> np.ndarray:
    found = np.empty(1, dtype=object)
    found[0] = row[0] + -row[1]
    return found


@pytest.mark.parametrize("settled", [True, False])
@pytest.mark.parametrize("taped", [True, False])
def test_a_contraction_that_cancels_is_sought_like_a_component(taped, settled):
    """Of softmax(v) at tiny v each component is 1/2, and their difference is (v0 - v1)/2."""
    truth, view = truth_of("logsumexp(v)", {"v": (2,)}), {(1, "difference"): difference}
    place = {"v": np.array([3e-200, 1e-200], dtype=object)}
    if taped:
        column = truth.columns([place], FLOAT64, view)[1, "difference"]
        assert column.high.item() == pytest.approx(1e-200, rel=1e-15)
    found = truth.at(place, FLOAT64, settled=settled, views=view)[1]
    with working_precision(found.bits):
        assert float(difference(found.values.reshape(-1))[0]) == pytest.approx(1e-200, rel=1e-15)
    if not taped:
        assert truth.at(place, FLOAT64, settled=settled)[1].bits < found.bits
