"""Laws of ball arithmetic: inclusion, refinement, IEEE specials as numpy has them; planted faults break each law."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from flint import arb, ctx
from hypothesis import given
from hypothesis import strategies as st

from verifier.arithmetic.ball import BallSystem, generic_matmul
from verifier.arithmetic.elements import (
    NAN,
    NEG_INF,
    NEG_ZERO,
    POS_INF,
    Element,
    Special,
    Unknown,
    as_fraction,
    compare,
    exact_ball,
    lower,
    rounds_to,
    upper,
)
from verifier.arithmetic.floats import FLOAT32, FLOAT64
from verifier.arithmetic.precision import current_precision, working_precision
from verifier.arithmetic.vocabulary import FUNCTIONS, RELATIONS
from verifier.errors import UsageError

SYSTEM = BallSystem(100)
RATIONAL: dict[str, Callable[..., Fraction]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "neg": lambda a: -a,
    "square": lambda a: a * a,
    "abs": abs,
    "sign": lambda a: Fraction((a > 0) - (a < 0)),
    "floor": lambda a: Fraction(math.floor(a)),
    "ceil": lambda a: Fraction(math.ceil(a)),
    "trunc": lambda a: Fraction(math.trunc(a)),
    "round_half_even": lambda a: Fraction(round(a)),
    "rem": lambda a, b: a - b * math.trunc(a / b),
    "max": max,
    "min": min,
}
rationals = st.fractions(max_denominator=10**12)
dyadics = st.builds(Fraction, st.floats(-1e9, 1e9, allow_subnormal=False))


def includes(element: Element, exact: Fraction) -> bool:
    """The law of inclusion; unknown promises nothing, a special promises too much."""
    if isinstance(element, Unknown):
        return True
    return isinstance(element, arb) and as_fraction(lower(element)) <= exact <= as_fraction(upper(element))


@pytest.mark.parametrize("name", RATIONAL)
@given(data=st.data())
def test_the_exact_rational_result_is_inside(name, data):
    operands = [data.draw(rationals | dyadics) for _ in range(FUNCTIONS[name].arity)]
    if name in ("div", "rem") and not operands[1]:
        return
    exact = RATIONAL[name](*operands)
    assert includes(SYSTEM.apply(name, *operands), exact)
    if all(isinstance(SYSTEM.exact(each), arb) and SYSTEM.exact(each).is_exact() for each in operands):
        assert not isinstance(SYSTEM.apply(name, *operands), Unknown) or name == "rem"


@given(a=rationals, b=rationals)
def test_a_dropped_radius_planted_in_addition_breaks_inclusion(a, b):
    third, seventh = Fraction(1, 3) + a, Fraction(1, 7) + b
    with SYSTEM.working():
        total = SYSTEM.apply("add", third, seventh)
        planted = total.mid()
    assert includes(total, third + seventh)
    assert planted.is_exact()
    if not total.is_exact():
        assert not includes(planted, third + seventh)


MPMATH = {
    "exp": mpmath.exp,
    "exp2": lambda x: mpmath.mpf(2) ** x,
    "expm1": mpmath.expm1,
    "log": mpmath.log,
    "log1p": mpmath.log1p,
    "log2": lambda x: mpmath.log(x, 2),
    "log10": mpmath.log10,
    "sqrt": mpmath.sqrt,
    "rsqrt": lambda x: 1 / mpmath.sqrt(x),
    "cbrt": lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)),
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "tan": mpmath.tan,
    "asin": mpmath.asin,
    "acos": mpmath.acos,
    "atan": mpmath.atan,
    "sinh": mpmath.sinh,
    "cosh": mpmath.cosh,
    "tanh": mpmath.tanh,
    "asinh": mpmath.asinh,
    "acosh": mpmath.acosh,
    "atanh": mpmath.atanh,
    "logistic": lambda x: 1 / (1 + mpmath.exp(-x)),
    "sinc": mpmath.sinc,
    "erf": mpmath.erf,
    "erfc": mpmath.erfc,
    "erf_inv": mpmath.erfinv,
    "lgamma": lambda x: mpmath.log(abs(mpmath.gamma(x))),
    "gamma": mpmath.gamma,
    "digamma": mpmath.digamma,
    "i0e": lambda x: mpmath.besseli(0, x) * mpmath.exp(-abs(x)),
    "i1e": lambda x: mpmath.besseli(1, x) * mpmath.exp(-abs(x)),
    "pow": mpmath.power,
    "atan2": mpmath.atan2,
    "polygamma": mpmath.polygamma,
    "zeta": mpmath.zeta,
    "igamma": lambda a, x: mpmath.gammainc(a, 0, x, regularized=True),
    "igammac": lambda a, x: mpmath.gammainc(a, x, regularized=True),
    "betainc": lambda a, b, x: mpmath.betainc(a, b, 0, x, regularized=True),
    "besselj": mpmath.besselj,
    "bessely": mpmath.bessely,
    "besseli": mpmath.besseli,
    "besselk": mpmath.besselk,
}
POINTS = {
    "acosh": [(Fraction(5, 4),), (Fraction(40),)],
    "atan2": [(Fraction(y), Fraction(x)) for y in (-2, 3) for x in (-1, 2)],
    "betainc": [(Fraction(5, 2), Fraction(3), Fraction(1, 4))],
    "polygamma": [(Fraction(2), Fraction(7, 2)), (Fraction(1), Fraction(-33, 2))],
    "zeta": [(Fraction(5, 2), Fraction(3, 4)), (Fraction(3), Fraction(11))],
    "pow": [(Fraction(5, 2), Fraction(-3, 2)), (Fraction(-2), Fraction(3))],
    "gamma": [(Fraction(-5, 2),), (Fraction(30, 7),)],
    "lgamma": [(Fraction(-5, 2),), (Fraction(30, 7),)],
    "digamma": [(Fraction(-7, 2),), (Fraction(30, 7),)],
    "cbrt": [(Fraction(-5, 2),), (Fraction(5, 2),)],
}
POSITIVE = [(Fraction(1, 4),), (Fraction(3, 4),)]
PAIRS = [(Fraction(3, 2), Fraction(1, 4)), (Fraction(2), Fraction(9, 2))]


@pytest.mark.parametrize("name", MPMATH)
def test_functions_agree_with_an_independent_library_and_refine(name):
    for point in POINTS.get(name, POSITIVE if FUNCTIONS[name].arity == 1 else PAIRS):
        with mpmath.workdps(70):
            expected = mpmath.re(MPMATH[name](*(mpmath.mpf(x.numerator) / x.denominator for x in point)))
            center, wiggle = mpmath.nstr(expected, 65), abs(expected) * mpmath.mpf(10) ** -50 + mpmath.mpf(10) ** -60
            slack = mpmath.nstr(wiggle, 5)
        coarse, fine = (BallSystem(bits).apply(name, *point) for bits in (60, 180))
        assert isinstance(coarse, arb)
        assert isinstance(fine, arb)
        with working_precision(300):
            assert fine.overlaps(arb(center) + arb(0, slack))
            assert coarse.overlaps(fine)
        assert fine.rad() <= coarse.rad()


def test_every_function_is_compared_with_something():
    assert set(FUNCTIONS) == set(RATIONAL) | set(MPMATH) | {"integer_pow"}
    assert SYSTEM.apply("integer_pow", Fraction(-3, 2), 3) == Fraction(-27, 8).numerator / arb(8)


# IEEE specials: what numpy's float64 gives at exactly representable operands.
NUMPY: dict[str, Callable] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "neg": np.negative,
    # numpy takes x^0.5 for sqrt, which makes (-inf)^0.5 NaN; IEEE and C give inf.
    "pow": lambda x, y: math.inf if (x, y) == (-math.inf, 0.5) else np.power(x, y),
    "abs": np.abs,
    "sign": np.sign,
    "floor": np.floor,
    "ceil": np.ceil,
    "trunc": np.trunc,
    "round_half_even": np.rint,
    "rem": np.fmod,
    "max": np.maximum,
    "min": np.minimum,
    "square": np.square,
    "exp": np.exp,
    "exp2": np.exp2,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "log2": np.log2,
    "log10": np.log10,
    "sqrt": np.sqrt,
    "rsqrt": lambda x: 1 / np.sqrt(np.float64(x)),
    "cbrt": np.cbrt,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
}
OPERANDS = (0.0, -0.0, 1.0, -1.0, 0.5, -2.0, 3.0, 2.5, -2.5, math.inf, -math.inf, math.nan)


def element_of(x: float) -> Element:
    if x == 0.0 and math.copysign(1, x) < 0:
        return NEG_ZERO
    return exact_ball(Fraction(x)) if math.isfinite(x) else Special(str(x))


def is_ieee(result: Element, expected: float) -> bool:
    """The same special, or a ball around what float64 gives to one part in 2^50; unknown is no answer here."""
    if isinstance(result, Special):
        return str(float(result.value)) == str(expected)
    if isinstance(result, Unknown) or not math.isfinite(expected):
        return False
    return bool(abs(result - expected) <= abs(expected) * 2.0**-50)


@pytest.mark.parametrize("name", NUMPY)
def test_specials_are_numpys(name):
    for operands in itertools.product(OPERANDS, repeat=FUNCTIONS[name].arity):
        with np.errstate(all="ignore"):
            expected = float(NUMPY[name](*operands))
        result = SYSTEM.apply(name, *map(element_of, operands))
        assert is_ieee(result, expected), (name, operands, result, expected)
        if name in ("add", "mul", "neg", "div") and expected == 0.0:
            assert (result is NEG_ZERO) == (math.copysign(1, expected) < 0), (name, operands)


def test_infinity_planted_for_nan_is_caught():
    assert is_ieee(NAN, math.nan)
    assert not is_ieee(POS_INF, math.nan)
    assert not is_ieee(Unknown("?"), 1.0)


WILD = [*map(element_of, OPERANDS), Unknown("why"), arb(0, 1), arb(-1, 2.0**-20), arb(10) ** 400, arb(3, 0.5)]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_operation_raises_and_every_ball_is_finite(name):
    for operands in itertools.product(WILD, repeat=FUNCTIONS[name].arity):
        result = SYSTEM.apply(name, *operands)
        assert isinstance(result, Unknown | Special) or (isinstance(result, arb) and result.is_finite())


@pytest.mark.parametrize("name", [name for name, row in FUNCTIONS.items() if row.arity == 1])
def test_a_ball_around_a_decided_edge_is_unknown_or_encloses(name):
    """A definite special comes only where every number in the operand gives it: an edge inside gives none."""
    for edge in (-1, 0, 1):
        width = 2.0**-30
        result = SYSTEM.apply(name, arb(edge, width))
        if isinstance(result, Special):
            assert {SYSTEM.apply(name, arb(x)) for x in (edge - width, edge, edge + width)} == {result}


def test_unknown_and_nan_travel():
    why = Unknown("why")
    assert SYSTEM.apply("mul", 0, why) is why
    assert SYSTEM.apply("mul", NAN, why) is NAN
    assert SYSTEM.apply("pow", why, 0) == 1
    assert SYSTEM.select(True, arb(1), why) == 1
    assert SYSTEM.select(False, why, NAN) is NAN
    assert isinstance(SYSTEM.select(None, arb(1), arb(2)), Unknown)


def test_the_same_element_is_the_same_number():
    x = SYSTEM.exact(Fraction(1, 3))
    other = SYSTEM.exact(Fraction(1, 3))
    assert SYSTEM.apply("sub", x, x).is_zero()
    assert not SYSTEM.apply("sub", x, other).is_zero()
    assert SYSTEM.apply("max", x, x) is x
    assert SYSTEM.apply("div", x, x) == 1
    assert SYSTEM.select(None, x, x) is x
    assert [SYSTEM.compare(relation, x, x) for relation in RELATIONS] == [False, True, False, True, True, False]
    assert [SYSTEM.compare(relation, x, other) for relation in RELATIONS] == [None] * 6
    assert SYSTEM.compare("ne", NAN, NAN) is True
    assert SYSTEM.compare("eq", NAN, NAN) is False


def agrees(comparison: Callable[..., bool | None], relation: str, a: tuple[Fraction, Fraction], b: tuple) -> bool:
    """The law of comparison: a decision holds for the exact numbers, wherever they lie in their balls."""
    balls = [arb(float(mid), float(rad)) for mid, rad in (a, b)]
    decision = comparison(relation, *balls)
    with working_precision(200):
        ends = [(ball.lower(), ball.upper()) for ball in balls]
        truths = {compare(relation, x, y) for x in ends[0] for y in ends[1]}
    return decision is None or truths == {decision}


tame = st.tuples(st.integers(-8, 8).map(Fraction), st.sampled_from([Fraction(0), Fraction(1, 2), Fraction(3)]))


@given(relation=st.sampled_from(RELATIONS), a=tame, b=tame)
def test_decided_comparisons_hold_throughout_the_balls(relation, a, b):
    assert agrees(compare, relation, a, b)


def test_a_comparison_of_midpoints_planted_is_caught():
    def planted(relation: str, a: arb, b: arb) -> bool | None:
        return compare(relation, a.mid(), b.mid())

    assert not agrees(planted, "lt", (Fraction(0), Fraction(3)), (Fraction(1), Fraction(3)))


@given(x=st.floats(-1e30, 1e30), y=st.floats(-1e30, 1e30))
def test_rounding_a_sum_is_ieee_addition(x, y):
    total = BallSystem(2200).apply("add", Fraction(x), Fraction(y))
    assert rounds_to(total, FLOAT64) == x + y


def test_rounding_waits_until_the_ball_is_narrow_enough():
    tie = Fraction(1) + Fraction(1, 2**24)
    assert rounds_to(arb(1, 2.0**-20), FLOAT32) is None
    assert rounds_to(exact_ball(tie), FLOAT32) == 1.0
    # Exactly halfway but not known exactly: no precision decides it.
    near = BallSystem(80).apply("add", Fraction(1, 3), tie - Fraction(1, 3))
    assert rounds_to(near, FLOAT32) is None
    assert rounds_to(POS_INF, FLOAT32) == math.inf
    assert rounds_to(Unknown("?"), FLOAT32) is None


def test_rounding_does_not_depend_on_the_ambient_precision():
    fine = BallSystem(200).exact(Fraction(1, 3))
    with working_precision(8):
        assert rounds_to(fine, FLOAT64) == 1 / 3


def test_the_context_is_restored_even_after_an_error():
    def fail() -> None:
        with SYSTEM.working():
            assert current_precision() == 100
            raise ZeroDivisionError

    before = current_precision()
    with pytest.raises(ZeroDivisionError):
        fail()
    assert ctx.prec == before


@given(st.lists(dyadics, min_size=4, max_size=4), st.lists(dyadics, min_size=4, max_size=4))
def test_matrix_products_agree_with_the_generic_one(left, right):
    a, b = (np.array([SYSTEM.exact(each) for each in values], dtype=object).reshape(2, 2) for values in (left, right))
    exact = np.array(left, dtype=object).reshape(2, 2) @ np.array(right, dtype=object).reshape(2, 2)
    for product in (SYSTEM.matmul(a, b), generic_matmul(SYSTEM, a, b)):
        assert all(includes(x, y) for x, y in zip(product.flat, exact.flat, strict=True))


def test_a_matrix_with_a_special_goes_by_ieee():
    a = np.array([[arb(0), arb(1)]], dtype=object)
    b = np.array([[POS_INF], [arb(1)]], dtype=object)
    assert SYSTEM.matmul(a, b)[0, 0] is NAN
    b[0, 0] = NEG_INF
    a[0, 0] = arb(2)
    assert SYSTEM.matmul(a, b)[0, 0] is NEG_INF


def test_an_unknown_name_is_a_usage_error():
    with pytest.raises(UsageError, match="sine"):
        SYSTEM.apply("sine", 1)
    with pytest.raises(UsageError, match="tau"):
        SYSTEM.constant("tau")
