"""Germs: the cases that broke a trial, laws against SymPy's derivatives and the ball system, and planted faults."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from fractions import Fraction

import pytest
import sympy
from flint import arb, fmpq
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier.arithmetic.ball import BallSystem
from verifier.arithmetic.elements import BITS, NAN, NEG_INF, ORDER, POS_INF, Special, Unknown, is_finite
from verifier.arithmetic.expansion import Germ, constant_germ, multiply
from verifier.arithmetic.germ import GermSystem, from_ball
from verifier.arithmetic.one_sided import coefficient, derivative, limit
from verifier.arithmetic.precision import working_precision
from verifier.arithmetic.vocabulary import FUNCTIONS

SYSTEM = GermSystem(128, 12)
RIGHT, LEFT = SYSTEM.variable(0), SYSTEM.variable(0, -1)
do = SYSTEM.apply


def relu(x):
    return do("max", x, 0)


def both_sides(function: Callable, k: int, at: Fraction | int = 0) -> tuple:
    """The k-th derivatives from the right and from the left."""
    return tuple(derivative(function(SYSTEM.variable(at, side)), k, side) for side in (1, -1))


def cubic_gap(x, system=SYSTEM):
    cube = system.apply("integer_pow", x, 3)
    return system.apply("div", system.apply("sub", system.apply("sin", cube), cube), system.apply("integer_pow", x, 9))


def guarded_sinc(x):
    return SYSTEM.select(SYSTEM.compare("eq", x, SYSTEM.exact(0)), SYSTEM.exact(1), do("div", do("sin", x), x))


def test_a_cancelled_ninth_order_pole_has_its_true_limit():
    assert all(each.overlaps(arb(fmpq(-1, 6))) for each in both_sides(cubic_gap, 0))
    assert coefficient(cubic_gap(RIGHT), 0) == fmpq(-1, 6)


def test_the_same_with_too_small_an_order_says_so_and_never_zero():
    system = GermSystem(128, 8)
    answer = limit(cubic_gap(system.variable(0), system))
    assert isinstance(answer, Unknown)
    assert answer.remedy == ORDER


def test_a_guard_at_the_point_is_decided_away_from_it():
    assert [both_sides(guarded_sinc, k) == (value, value) for k, value in ((0, 1), (1, 0), (3, 0))] == [True] * 3
    assert all(each.overlaps(arb(-1) / 3) for each in both_sides(guarded_sinc, 2))


def test_kinks():
    assert both_sides(relu, 1) == (1, 0)
    assert both_sides(lambda x: do("sub", relu(x), relu(do("neg", x))), 1) == (1, 1)
    assert both_sides(lambda x: do("sqrt", do("mul", x, x)), 1) == (1, -1)
    assert both_sides(lambda x: do("abs", x), 1) == (1, -1)
    assert both_sides(lambda x: do("floor", x), 0) == (0, -1)
    assert both_sides(lambda x: do("sign", x), 0) == (1, -1)


def test_divergence_has_a_sign():
    assert both_sides(lambda x: do("sqrt", do("abs", x)), 1) == (POS_INF, NEG_INF)
    assert derivative(do("mul", RIGHT, do("log", RIGHT)), 0) == 0
    assert derivative(do("mul", RIGHT, do("log", RIGHT)), 1) is NEG_INF
    assert derivative(do("mul", RIGHT, do("log", RIGHT)), 2) is POS_INF
    assert limit(do("div", 1, LEFT)) is NEG_INF
    assert limit(do("log", RIGHT)) is NEG_INF
    assert do("log", LEFT) is NAN
    assert do("sqrt", LEFT) is NAN


def test_broken_powers():
    steep = do("pow", RIGHT, Fraction(13, 10))
    assert derivative(steep, 1) == 0
    assert derivative(steep, 2) is POS_INF
    assert both_sides(lambda x: do("pow", do("abs", x), Fraction(3, 2)), 1) == (0, 0)
    assert both_sides(lambda x: do("pow", do("abs", x), Fraction(3, 2)), 2) == (POS_INF, POS_INF)
    assert coefficient(do("integer_pow", RIGHT, 100), 100) == 1
    assert coefficient(do("pow", RIGHT, RIGHT), 1, 1) == 1


def test_a_flat_function_is_zero_to_every_known_order_and_its_sign_unknown():
    flat = do("exp", do("div", -1, RIGHT))
    assert [derivative(flat, k) for k in range(4)] == [0] * 4
    assert SYSTEM.compare("gt", flat, SYSTEM.exact(0)) is None
    assert isinstance(derivative(flat, 12), Unknown)
    assert isinstance(do("div", flat, do("square", flat)), Unknown)


def test_essential_singularities_are_unknown():
    for name in ("exp", "sin", "sinh", "gamma", "besselk"):
        operands = (1, SYSTEM.at_infinity()) if name == "besselk" else (SYSTEM.at_infinity(),)
        assert isinstance(do(name, *operands), Unknown)


@pytest.mark.parametrize(
    ("name", "expected"), [("tanh", 1), ("erf", 1), ("logistic", 1), ("erfc", 0), ("atan", None), ("expm1", None)]
)
def test_saturation_at_infinity(name, expected):
    ball = BallSystem(128).apply(name, NEG_INF)
    assert limit(do(name, SYSTEM.at_infinity(-1))).overlaps(ball)
    if expected is not None:
        assert limit(do(name, SYSTEM.at_infinity())) == expected


def test_an_undecided_leading_coefficient_is_neither_pole_nor_zero():
    with SYSTEM.working():
        third = from_ball(arb(1) / 3)
        noise = do("sub", third, from_ball(arb(1) / 3))
    for answer in (limit(do("div", noise, RIGHT)), limit(do("div", RIGHT, do("add", noise, do("square", RIGHT))))):
        assert isinstance(answer, Unknown)
        assert answer.remedy == BITS
    assert SYSTEM.compare("lt", noise, SYSTEM.exact(0)) is None
    assert isinstance(SYSTEM.select(None, RIGHT, LEFT), Unknown)
    assert SYSTEM.select(None, RIGHT, RIGHT) is RIGHT


def test_exact_zeros_and_infinities():
    zero = SYSTEM.exact(0)
    assert do("mul", zero, do("log", RIGHT)).terms == ()
    assert do("mul", zero, POS_INF) is NAN
    assert do("mul", LEFT, POS_INF) is NEG_INF
    assert do("max", NEG_INF, RIGHT) is RIGHT
    assert do("exp", NEG_INF).terms == ()
    assert do("sub", RIGHT, NEG_INF) is POS_INF
    assert do("div", zero, zero) is NAN
    assert SYSTEM.compare("gt", RIGHT, NEG_INF) is True
    assert do("sub", RIGHT, RIGHT).order is None


def test_rationals_stay_exact():
    total = do("sub", do("sub", do("exp", RIGHT), 1), do("add", RIGHT, do("div", do("square", RIGHT), 2)))
    assert coefficient(do("div", total, do("integer_pow", RIGHT, 3)), 0) == fmpq(1, 6)
    assert coefficient(do("sqrt", Fraction(9, 4)), 0) == fmpq(3, 2)
    tanh_sin = do("div", do("sub", do("tan", RIGHT), do("sin", RIGHT)), do("integer_pow", RIGHT, 3))
    assert coefficient(tanh_sin, 0) == fmpq(1, 2)


# Compositions drawn as small trees; SymPy differentiates the same tree.
x = sympy.Symbol("x", real=True)
SMOOTH = {
    "exp": sympy.exp,
    "sin": sympy.sin,
    "cos": sympy.cos,
    "tanh": sympy.tanh,
    "atan": sympy.atan,
    "asinh": sympy.asinh,
    "sinh": sympy.sinh,
    "cosh": sympy.cosh,
    "erf": sympy.erf,
    "logistic": lambda u: 1 / (1 + sympy.exp(-u)),
    "square": lambda u: u**2,
}
PAIRS = {"add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b}


def trees():
    leaves = st.just("x") | st.fractions(-2, 2, max_denominator=4)
    unary = lambda inner: st.tuples(st.sampled_from(list(SMOOTH)), inner)  # noqa: E731
    binary = lambda inner: st.tuples(st.sampled_from(list(PAIRS)), inner, inner)  # noqa: E731
    return st.recursive(leaves, lambda inner: unary(inner) | binary(inner), max_leaves=4)


def in_germs(tree, variable, system=SYSTEM):
    match tree:
        case "x":
            return variable
        case Fraction():
            return system.exact(tree)
        case (name, *operands):
            return system.apply(name, *(in_germs(each, variable, system) for each in operands))


def in_sympy(tree):
    match tree:
        case "x":
            return x
        case Fraction():
            return sympy.Rational(tree.numerator, tree.denominator)
        case (name, *operands):
            return {**SMOOTH, **PAIRS}[name](*map(in_sympy, operands))


def agrees(germ_derivative, expression, at: Fraction) -> bool:
    """The law: the true derivative (SymPy, 40 digits) lies in the ball."""
    value = expression.subs(x, sympy.Rational(at.numerator, at.denominator)).evalf(40)
    with working_precision(256):
        wanted = arb(str(value)) * (1 + arb(0, "1e-36")) + arb(0, "1e-36")
        return bool(is_finite(germ_derivative) and germ_derivative.overlaps(wanted))


@settings(max_examples=40, deadline=None)
@given(tree=trees(), at=st.fractions(-2, 2, max_denominator=3), side=st.sampled_from([1, -1]))
def test_derivatives_of_compositions_are_sympys(tree, at, side):
    germ, expression = in_germs(tree, SYSTEM.variable(at, side)), in_sympy(tree)
    for k in range(4):
        assert agrees(derivative(germ, k, side), expression, at)
        expression = sympy.diff(expression, x)


def test_a_wrong_sign_on_the_left_planted_is_caught():
    germ = do("exp", SYSTEM.variable(1, -1))
    assert agrees(derivative(germ, 1, -1), sympy.exp(x), Fraction(1))
    assert not agrees(derivative(germ, 1, 1), sympy.exp(x), Fraction(1))


def power_of(exponent: int | Fraction) -> arb:
    return arb(fmpq(Fraction(exponent).numerator, Fraction(exponent).denominator))


def holds_near_zero(germ: Germ, function: Callable[[arb], arb], *, constant: int = 100) -> bool:
    """The law of the remainder: |f(t) - sum| <= constant t^order at small t; an exact germ is the function."""
    with working_precision(512):
        for t in (arb(2) ** -6, arb(2) ** -9):
            total = arb(0)
            for term in germ.terms:
                total += term.coefficient * t ** power_of(term.exponent) * t.log() ** term.logs
            bound = arb(0) if germ.order is None else constant * t ** power_of(germ.order)
            gap = abs(function(t) - total)
            if gap > bound:
                return False
    return True


REMAINDERS = {
    "sin": (lambda t: do("sin", t), arb.sin),
    "sqrt(1 - cos)": (lambda t: do("sqrt", do("sub", 1, do("cos", t))), lambda t: (1 - t.cos()).sqrt()),
    "log sin": (lambda t: do("log", do("sin", t)), lambda t: t.sin().log()),
    "x^x": (lambda t: do("pow", t, t), lambda t: t**t),
    "1/(x + x^2)": (lambda t: do("div", 1, do("add", t, do("square", t))), lambda t: 1 / (t + t * t)),
    "cot": (lambda t: do("div", do("cos", t), do("sin", t)), lambda t: t.cos() / t.sin()),
    "acos(1 - x)": (lambda t: do("acos", do("sub", 1, t)), lambda t: (1 - t).acos()),
    "gamma": (lambda t: do("gamma", t), arb.gamma),
    "digamma at -2": (lambda t: do("digamma", do("sub", t, 2)), lambda t: (t - 2).digamma()),
    "atan(1/x)": (lambda t: do("atan", do("div", 1, t)), lambda t: (1 / t).atan()),
    "exp(-1/x)": (lambda t: do("exp", do("div", -1, t)), lambda t: (-1 / t).exp()),
    "igamma": (lambda t: do("igamma", Fraction(1, 2), t), lambda t: t.gamma_lower(arb(0.5), 1)),
    "betainc at 1": (lambda t: do("betainc", 2, 3, do("sub", 1, t)), lambda t: (1 - t).beta_lower(2, 3, 1)),
    "besselj": (lambda t: do("besselj", Fraction(1, 2), t), lambda t: t.bessel_j(arb(0.5))),
    "cbrt": (lambda t: do("cbrt", do("sub", do("sin", t), t)), lambda t: -(t - t.sin()).root(3)),
}


@pytest.mark.parametrize("name", REMAINDERS)
def test_the_remainder_is_as_small_as_it_says(name):
    germ, function = REMAINDERS[name]
    assert holds_near_zero(germ(GermSystem(256, 5).variable(0)), function, constant=10**8)


def test_a_dropped_remainder_planted_in_an_element_is_caught():
    sine = GermSystem(256, 5).apply("sin", RIGHT)
    assert holds_near_zero(sine, arb.sin)
    planted = Germ(sine.terms, None)
    assert not holds_near_zero(planted, arb.sin)
    # And it would be read as a certain, wrong zero: what the explicit order is there to prevent.
    assert coefficient(planted, 7) == 0
    assert isinstance(coefficient(sine, 7), Unknown)


def test_a_product_that_forgets_a_remainder_is_caught():
    germ = GermSystem(256, 5).apply("cos", RIGHT)
    square = multiply(germ, germ)
    assert holds_near_zero(square, lambda t: t.cos() ** 2)
    assert not holds_near_zero(Germ(square.terms, 2 * germ.order), lambda t: t.cos() ** 2)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_constants_are_the_ball_systems(name):
    balls = BallSystem(128)
    for point in itertools.product((Fraction(1, 4), Fraction(3), Fraction(-1, 2), 0), repeat=FUNCTIONS[name].arity):
        ball, germ = balls.apply(name, *point), limit(do(name, *point))
        if is_finite(ball):
            assert is_finite(germ)
            assert germ.overlaps(ball)
        elif isinstance(ball, Special):
            assert germ is ball


WILD = [RIGHT, LEFT, SYSTEM.variable(1), SYSTEM.variable(-2), SYSTEM.at_infinity(-1), SYSTEM.exact(0), POS_INF, NAN]


@pytest.mark.parametrize("name", [name for name, row in FUNCTIONS.items() if row.arity < 3])
def test_no_operation_raises(name):
    for operands in itertools.product(WILD, repeat=FUNCTIONS[name].arity):
        assert isinstance(do(name, *operands), Germ | Special | Unknown)


def test_iterated_squaring_does_not_keep_ever_longer_rationals():
    germ = constant_germ(fmpq(10**9 + 7, 10**9))
    with SYSTEM.working():
        for _ in range(60):
            germ = multiply(germ, germ)
    assert isinstance(germ.terms[0].coefficient, arb)


def test_zero_to_a_varying_power_goes_by_the_sign_of_the_power():
    system = GermSystem(128, 4)
    zero = system.exact(0)
    for at, side in ((2, -1), (0, 1)):
        power = system.apply("pow", zero, system.variable(at, side))
        assert isinstance(power, Germ)
        assert not power.terms
    assert system.apply("pow", zero, system.variable(0, -1)) is POS_INF


def test_a_step_function_of_a_logarithm_is_known_by_its_limit_alone():
    """`expm` halves a matrix max(0, floor(log2 |A|)) times: at A = 0 not once."""
    steps = do("floor", do("log", RIGHT))
    up = do("ceil", do("neg", do("log", RIGHT)))
    assert SYSTEM.compare("eq", do("max", 0, steps), SYSTEM.exact(0)) is True
    assert do("min", up, RIGHT) is RIGHT
    assert [SYSTEM.compare("lt", steps, SYSTEM.exact(-5)), SYSTEM.compare("gt", up, steps)] == [True, True]
    assert SYSTEM.compare("gt", do("max", steps, NEG_INF), NEG_INF)


def test_what_is_computed_of_such_a_step_function_has_no_limit():
    """2^floor(log2 t) / t stays between 1/2 and 1: taken for an infinity, it would be 0."""
    steps = do("floor", do("log2", RIGHT))
    for found in (
        do("neg", steps),
        do("sub", steps, do("log2", RIGHT)),
        do("exp2", steps),
        do("rem", do("log", RIGHT), 1),
    ):
        assert isinstance(found, Unknown)
        assert SYSTEM.compare("lt", found, SYSTEM.exact(0)) is None
        assert isinstance(do("max", found, 0), Unknown)
    assert SYSTEM.compare("lt", steps, do("log2", RIGHT)) is None
    assert SYSTEM.compare("eq", steps, steps) is None


def test_a_tie_that_no_precision_decides_is_held_by_both():
    """(pi x) / (pi x) and 1 agree, though their balls can't tell; with 2 t more they do not, and the hull says so."""
    one = do("div", *(do("mul", SYSTEM.constant("pi"), do("add", 3, RIGHT)) for _ in range(2)))
    clipped = do("min", one, 1)
    assert float(coefficient(clipped, 0).rad()) < 1e-30
    assert all(abs(coefficient(clipped, power)) < 1e-30 for power in (1, 2, 3))
    steep = coefficient(do("max", do("add", one, do("mul", 2, RIGHT)), 1), 1)
    assert steep.contains(0)
    assert steep.contains(2)
    assert not steep > 3


@given(
    st.lists(st.fractions(-4, 4, max_denominator=8), min_size=1, max_size=5),
    st.integers(-2, 2),
    st.sampled_from((1, -1)),
)
def test_the_root_of_the_square_of_a_polynomial_is_exact(coefficients, at, side):
    """Else no order of a series decides whether |x| as sqrt(x^2) is larger than x."""
    x, value = SYSTEM.variable(at, side), SYSTEM.exact(0)
    for each in coefficients:
        value = do("add", do("mul", value, x), SYSTEM.exact(each))
    root, size = do("sqrt", do("square", value)), do("abs", value)
    assert root.order is None
    assert SYSTEM.compare("eq", root, size) is True
    # A polynomial that is no square has a series, and is not taken for one.
    other = do("sqrt", do("add", do("square", value), do("mul", x, x)))
    assert SYSTEM.compare("eq", other, size) is not True or not do("mul", x, x).terms
