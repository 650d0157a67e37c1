"""What derivatives prove on a whole domain, and what they must not."""

from __future__ import annotations

from fractions import Fraction

import pytest

from verifier.engine.domain import Domain
from verifier.engine.equations import Equation
from verifier.engine.slopes import equal_by_slopes, ordered_by_slopes
from verifier.model.catalog import Entry, Input, Text
from verifier.symbolic.build import Definitions
from verifier.symbolic.formula import Apply, parse
from verifier.truth.workspace import Workspace

DOMAINS: dict[str, tuple[int, int]] = {"x": (-3, 3), "p": (1, 10), "u": (0, 1)}
INPUTS = tuple(Input(name=name, lower=Fraction(low), upper=Fraction(high)) for name, (low, high) in DOMAINS.items())
ENTRY = Entry(id="e", title="t", section="s", inputs=INPUTS, value=Text("x"), points=())


def asked(statement: str) -> tuple[str, Equation, Domain]:
    comparison = parse(statement)
    assert isinstance(comparison, Apply)
    equation = Equation.of(comparison, (), Workspace(ENTRY, Definitions.of(ENTRY), {}))
    return comparison.function, equation, equation.domain()


def is_ordered(statement: str) -> bool:
    return ordered_by_slopes(*asked(statement))


def meeting(statement: str) -> str:
    _, *rest = asked(statement)
    return equal_by_slopes(*rest)


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("asinh(sinh(x)) == x", "x = 0"),
        ("atan(sinh(x)) == 2*atan(tanh(x/2))", "x = 0"),
        ("atan(p) + atan(1/p) == pi/2", "p = 1"),
        ("asinh(sqrt(p)) == log(sqrt(p + 1) + sqrt(p))", "p = 1"),
        ("[asinh(sinh(x)), atan(sinh(x))] == [x, 2*atan(tanh(x/2))]", "x = 0"),
    ],
)
def test_the_same_slopes_and_a_meeting_place_make_equal(statement: str, place: str) -> None:
    assert meeting(statement) == place


@pytest.mark.parametrize(
    "statement",
    [
        "asinh(sinh(x)) == x + 1e-30",  # nowhere equal
        "asinh(sinh(x)) == x*(1 + 1e-30)",
        "atan(x) + atan(1/x) == sign(x)*pi/2",  # two pieces
        "atan(x) + atan(1/x) == pi/2",
        "sign(x) == 1",
        "floor(u) == 0",
        "abs(x) == x",
        "[asinh(sinh(x)), x] == [x, x + 1]",
    ],
)
def test_what_is_not_equal_somewhere_is_never_proved_equal(statement: str) -> None:
    assert meeting(statement) == ""


@pytest.mark.parametrize(
    "statement",
    [
        "exp(x) >= 1 + x",
        "1 + x <= exp(x)",
        "exp(x) >= 1 + x + x**2/2 + x**3/6",
        "x <= 3",
        "x**2 <= 9",
        "cos(x) >= 1 - x**2/2",
        "log(p) <= p - 1",
        "log(p) >= 1 - 1/p",
        "sqrt(p) <= (1 + p)/2",
        "sin(u) <= u",
        "u**3 <= u**2",
        "[exp(x), cosh(x)] >= [1 + x, 1]",
    ],
)
def test_an_order_is_proved_where_the_sides_touch(statement: str) -> None:
    assert is_ordered(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "exp(x) > 1 + x",  # not at 0
        "exp(x) >= 1 + x*(1 + 1e-9)",  # not just beside 0
        "exp(x) >= 1 + x + x**2/2",  # not below 0
        "x**2*(x + 1e-9) >= 0",
        "x**2*((x - 1.2345)**2 - 1e-8) >= 0",  # not far from where they touch
        "x**2*(2.999999999 - x) >= 0",  # not at the end
        "x**3 >= 0",
        "abs(x) <= x",
        "floor(x) >= x",
        "log(p) <= (p - 1)*(1 - 1e-9)",
        "sin(u) <= u*(1 - 1e-9)",
        "[exp(x), cosh(x)] >= [1 + x, 1 + 1e-9]",
        "x*p <= 30",  # of two inputs
    ],
)
def test_an_order_that_fails_somewhere_is_never_proved(statement: str) -> None:
    assert not is_ordered(statement)


@pytest.mark.parametrize("statement", ["1/x**2 >= 1/9", "1/x <= 1/3", "sqrt(u) >= u"])
def test_no_order_is_proved_across_a_pole_or_where_a_root_begins(statement: str) -> None:
    assert not is_ordered(statement)
