"""Quantities, iterations and constants: exact or certified, at the precision that is asked for."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from flint import arb

from verifier.arithmetic.elements import NAN, as_fraction, lower, upper
from verifier.model.catalog import Datum, Entry, Inline, Input, Iteration, Quantity, Text
from verifier.symbolic.build import Definitions
from verifier.symbolic.formula import parse
from verifier.truth.workspace import Workspace, stacked

GRID = (Fraction(0), Fraction(1, 4), Fraction(1, 2))
ENTRY = Entry(
    id="e",
    title="t",
    section="s",
    inputs=(
        Input(name="x", lower=Fraction(-9), upper=Fraction(9)),
        Input(name="v", shape=(2,), lower=Fraction(-9), upper=Fraction(9)),
    ),
    data=(
        Datum(name="grid", shape=(3,), source=Inline(values=())),
        Datum(name="rows", shape=(2, 2), source=Inline(values=())),
    ),
    definitions=(("squared", Text("x**2")),),
    value=Text("squared + 1"),
    quantities=(
        Quantity(name="slope", formula=Text("D(value, x)"), at=(("x", Text("pi/4")),)),
        Quantity(name="slopes", formula=Text("D(value, x)"), over=(("x", Text("grid")),)),
        Quantity(name="mixed", formula=Text("x*v"), over=(("x", Text("grid[:2]")), ("v", Text("rows")))),
        Quantity(name="half", formula=Text("v*x"), at=(("x", Text("1/2")),), over=(("v", Text("rows")),)),
        Quantity(name="last", formula=Text("descent.x[-1]")),
        Quantity(name="twice", formula=Text("2*slopes")),
    ),
    iterations=(
        Iteration(
            name="descent",
            start=(("x", Text("1")),),
            step=(("x", Text("x - 0.1*D(value, x)")),),
            count=50,
        ),
        Iteration(
            name="swap",
            start=(("x", Text("3")), ("v", (Text("1"), Text("2")))),
            step=(("x", Text("v[0]")), ("v", Text("[v[1], x]"))),
            count=3,
        ),
    ),
)
DATA = {
    "grid": np.array(GRID, dtype=object),
    "rows": np.array([[Fraction(1), Fraction(2)], [Fraction(3), Fraction(4)]], dtype=object),
}


@pytest.fixture
def workspace() -> Workspace:
    return Workspace(ENTRY, Definitions.of(ENTRY), DATA)


def holds(element, number) -> bool:
    return as_fraction(lower(element)) <= number <= as_fraction(upper(element))


def numbers(workspace, text, bits=256, at=()):
    return workspace.certified(bits).evaluate(Text(text), at)


def test_data_and_constants_are_exact(workspace):
    assert [as_fraction(each) for each in numbers(workspace, "grid").flat] == list(GRID)
    (quarter,) = numbers(workspace, "value", at=(("x", Text("pi/4")),)).flat
    exact = (arb.pi() / 4) ** 2 + 1
    assert quarter.overlaps(exact)
    assert quarter.rel_accuracy_bits() > 200


def test_more_bits_know_more(workspace):
    widths = [numbers(workspace, "slope", bits).item().rel_accuracy_bits() for bits in (128, 512)]
    assert widths[0] > 100
    assert widths[1] > 480


def test_quantities_over_rows(workspace):
    assert [as_fraction(each) for each in numbers(workspace, "slopes").flat] == [2 * x for x in GRID]
    assert [as_fraction(each) for each in numbers(workspace, "twice").flat] == [4 * x for x in GRID]
    assert numbers(workspace, "mixed").shape == (2, 2)
    assert [as_fraction(each) for each in numbers(workspace, "mixed").flat] == [0, 0, Fraction(3, 4), 1]
    assert [as_fraction(each) for each in numbers(workspace, "half").flat] == [Fraction(n, 2) for n in (1, 2, 3, 4)]


def test_iterations_are_exact_as_far_as_the_precision_goes(workspace):
    """x - 0.2 x fifty times is 0.8^50."""
    trajectory = numbers(workspace, "descent.x")
    assert trajectory.shape == (51,)
    assert all(holds(x, Fraction(4, 5) ** step) for step, x in enumerate(trajectory.flat))
    (last,) = numbers(workspace, "last").flat
    assert last.rel_accuracy_bits() > 200


def test_the_states_of_an_iteration_step_together(workspace):
    """(x, v) -> (v0, (v1, x)) reads the present state only, never half of the next one."""
    x, v = numbers(workspace, "swap.x"), numbers(workspace, "swap.v")
    assert [as_fraction(each) for each in x.flat] == [3, 1, 2, 3]
    assert [[as_fraction(each) for each in row] for row in v] == [[1, 2], [2, 3], [3, 1], [1, 2]]


def test_formulas_as_expressions_know_inputs_and_data_but_no_quantities(workspace):
    found = workspace.symbolic(Text("D(value, x) + grid[1]"))
    assert found is not None
    assert str(found.item()) in {"2*x + 1/4", "1/4 + 2*x"}
    assert workspace.symbolic(Text("slope + 1")) is None
    placed = workspace.symbolic(Text("value"), at=(("x", Text("1/3")),))
    assert placed is not None
    assert Fraction(str(placed.item())) == Fraction(10, 9)


def test_an_expression_becomes_a_graph_again(workspace):
    found = workspace.symbolic(Text("x*v[1] + pi"))
    assert found is not None
    node = workspace.graph(found.item())
    at = (("x", Text("3")), ("v", (Text("5"), Text("7"))))
    (value,) = workspace.certified(128).evaluate(node, at).flat
    assert value.overlaps(21 + arb.pi())
    assert not value.overlaps(15 + arb.pi())


@pytest.mark.parametrize("relation", ["<", "<=", ">", ">=", "==", "!="])
def test_what_is_no_number_is_compared_to_nothing(workspace, relation):
    assert numbers(workspace, "log(-1)").item() is NAN
    (decided,) = numbers(workspace, f"log(-1) {relation} 1").flat
    assert decided is None
    (decided,) = numbers(workspace, f"not (1 {relation} log(-1))").flat
    assert decided is None


@pytest.mark.parametrize("text", ["1/0", "log(0)", "atan(1/0)", "exp(-1/0)", "[1/0, 1] @ [1, 1]", "max(log(0), 1)"])
def test_an_infinity_is_no_number_and_nothing_is_made_of_it(workspace, text):
    assert numbers(workspace, text).item() is NAN


def test_a_branch_that_is_not_taken_may_be_infinite(workspace):
    (value,) = numbers(workspace, "where(0 < 1, 2, 1/0)").flat
    assert as_fraction(value) == 2


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("x + squared", False),
        ("D(x, x)", True),
        ("[1, value]", False),
        ("2*slope", True),
        ("sum(slopes)", True),
        ("descent.x[0]", True),
        ("swap.x[0]", False),
        ("twice[0]", True),
    ],
)
def test_derivatives_are_found_behind_names(workspace, text, found):
    assert workspace.differentiates(Text(text)) is found


@pytest.mark.parametrize(
    ("lower", "upper", "shown"),
    [(1, 2, "p"), (0, 2, "p"), (-2, -1, "-p"), (-2, 0, "-p"), (-1, 2, "Abs(p)")],
)
def test_symbols_have_the_signs_of_their_domains(lower, upper, shown):
    given = Input(name="p", lower=Fraction(lower), upper=Fraction(upper))
    entry = Entry(id="e", title="t", section="s", inputs=(given,), value=Text("p"))
    alone = Workspace(entry, Definitions((("p", ()),), (), (("value", parse("p")),), None), {})
    (root,) = alone.symbolic(Text("sqrt(p**2)"), in_domain=True).flat
    assert str(root) == shown


def test_rows_are_stacked_whatever_they_hold():
    rows = [np.array([arb(1), NAN], dtype=object), np.array([arb(2), None], dtype=object)]
    assert stacked(rows).shape == (2, 2)
    assert stacked([np.array(arb(1), dtype=object)] * 3).shape == (3,)
