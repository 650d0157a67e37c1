"""Complex functions of pairs of real elements against mpmath, on all sides of their branch cuts."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import pytest

from verifier.arithmetic.ball import BallSystem
from verifier.arithmetic.elements import NAN
from verifier.truth.pairs import BRANCHING, FUNCTIONS, Pair, PairSystem, by_parts

SYSTEM = PairSystem(BallSystem(160))
POINTS = [complex(x, y) for x in (-2.5, -0.5, 0.75, 3.0) for y in (-1.5, -0.25, 0.5, 2.0)]
ON_THE_CUT = {"sqrt": [-4.0, 2.25], "log": [-2.0, 2.0], "rsqrt": [-4.0, 0.25], "atan": [0.5], "asin": [0.5]}
REFERENCE = {
    "sqrt": mpmath.sqrt,
    "rsqrt": lambda z: 1 / mpmath.sqrt(z),
    "sign": mpmath.sign,
    "exp": mpmath.exp,
    "expm1": lambda z: mpmath.exp(z) - 1,
    "exp2": lambda z: mpmath.mpf(2) ** z,
    "log": mpmath.log,
    "log1p": lambda z: mpmath.log(1 + z),
    "log2": lambda z: mpmath.log(z) / mpmath.log(2),
    "log10": lambda z: mpmath.log(z) / mpmath.log(10),
    "logistic": lambda z: 1 / (1 + mpmath.exp(-z)),
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "tan": mpmath.tan,
    "sinh": mpmath.sinh,
    "cosh": mpmath.cosh,
    "tanh": mpmath.tanh,
    "asin": mpmath.asin,
    "acos": mpmath.acos,
    "atan": mpmath.atan,
    "asinh": mpmath.asinh,
    "acosh": mpmath.acosh,
    "atanh": mpmath.atanh,
}


def _pair(z: complex) -> Pair:
    return Pair(*(SYSTEM.real.exact(Fraction(part)) for part in (z.real, z.imag)))


def _distance(found: Pair, wanted: complex) -> float:
    return abs(complex(float(found.re.mid()), float(found.im.mid())) - complex(wanted))


@pytest.mark.parametrize("name", REFERENCE)
def test_a_function_is_that_of_mpmath(name):
    with mpmath.workdps(40):
        for z in [*POINTS, *map(complex, ON_THE_CUT.get(name, []))]:
            assert _distance(SYSTEM.apply(name, _pair(z)), REFERENCE[name](mpmath.mpc(z))) < 1e-14


def test_the_comparison_notices_another_branch():
    z = complex(-2.5, -0.25)
    wrong = SYSTEM.apply("neg", SYSTEM.apply("sqrt", _pair(z)))
    assert _distance(wrong, mpmath.sqrt(mpmath.mpc(z))) > 1


def test_powers():
    with mpmath.workdps(40):
        for z in POINTS:
            found = SYSTEM.apply("pow", _pair(z), _pair(2.5 - 1j))
            wanted = mpmath.mpc(z) ** mpmath.mpc(2.5, -1)
            assert _distance(found, wanted) < 1e-13 * abs(complex(wanted))
    assert _distance(SYSTEM.apply("pow", _pair(0j), _pair(0j)), 1) == 0
    assert _distance(SYSTEM.apply("pow", _pair(0j), _pair(2.5 + 0j)), 0) == 0


def test_every_name_stands_in_one_table():
    assert not set(FUNCTIONS) & set(BRANCHING)


def test_parts():
    assert by_parts(lambda part: NAN, Pair(1, 2)) == Pair(NAN, NAN)
    assert by_parts(lambda part: part + 1, 1) == 2
