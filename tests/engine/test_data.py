"""The exact values of data and declared points."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from verifier.arithmetic.floats import BFLOAT16, FLOAT16, FLOAT32, FLOAT64, round_to
from verifier.engine.data import data_of, declared_point, describe, require_inside
from verifier.engine.describe import point_label
from verifier.errors import UsageError
from verifier.model.catalog import Datum, Entry, FromListing, Generated, Inline, Input, Linspace, Listing, Text
from verifier.programs.listing import run_listings
from verifier.symbolic.build import Definitions
from verifier.truth.workspace import Workspace


def entry_with(*data: Datum) -> Entry:
    inputs = (
        Input(name="x", lower=Fraction(-9), upper=Fraction(9)),
        Input(name="p.v", shape=(2,), lower=Fraction(0), upper=Fraction(9)),
    )
    return Entry(id="e", title="t", section="s", inputs=inputs, data=data, value=Text("x*sum(p.v)"))


def fetched(source, shape, listings=()):
    runs = {run.id: run for run in run_listings(listings)}
    return data_of(entry_with(Datum(name="d", shape=shape, source=source)), runs)["d"]


def test_inline_numbers_are_exact():
    found = fetched(Inline(values=((Text("0.1"), Text("1/3")), (Text("-2"), Text("1e-3")))), (2, 2))
    assert found.tolist() == [[Fraction(1, 10), Fraction(1, 3)], [Fraction(-2), Fraction(1, 1000)]]
    assert fetched(Inline(values=Text("2**-3")), ()).item() == Fraction(1, 8)


def test_equidistant_numbers_are_exact_with_both_ends():
    found = fetched(Linspace(start=Fraction(0), stop=Fraction(1, 3), dtype=None), (4,))
    assert found.tolist() == [Fraction(0), Fraction(1, 9), Fraction(2, 9), Fraction(1, 3)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_generated_numbers_are_the_generator_s_own_in_its_dtype(dtype):
    """Under x64 the generator would draw other numbers: the dtype is part of the data."""
    found = fetched(Generated(distribution="normal", key=42, dtype=dtype), (5,))
    form = {"float32": FLOAT32, "float64": FLOAT64}[dtype]
    assert all(round_to(Fraction(each), form) == each for each in found)
    other = fetched(
        Generated(distribution="normal", key=42, dtype="float32" if dtype == "float64" else "float64"), (5,)
    )
    assert not np.array_equal(found.astype(float), other.astype(float))
    again = fetched(Generated(distribution="normal", key=42, dtype=dtype), (5,))
    assert found.tolist() == again.tolist()


def test_a_listing_gives_the_bits_that_it_computed():
    cell = Listing(id="cell", section="s", code="import jax.numpy as jnp\nw = [jnp.array([0.1, 2.0])]")
    found = fetched(FromListing(listing="cell", variable="w", path=(0,)), (2,), (cell,))
    assert [Fraction(each) for each in found] == [Fraction(float(np.float32(0.1))), 2]
    with pytest.raises(UsageError, match="missing"):
        fetched(FromListing(listing="cell", variable="missing"), (2,), (cell,))


@pytest.mark.parametrize("number", ["nan", "inf", "-inf"])
def test_what_a_listing_gives_that_is_no_number_is_refused(number):
    cell = Listing(id="cell", section="s", code=f"w = [1.0, float('{number}')]")
    with pytest.raises(UsageError, match=r"the data d \(variable w of listing cell, as run\) hold what is no real"):
        fetched(FromListing(listing="cell", variable="w"), (2,), (cell,))


def place(at, form=FLOAT64):
    entry = entry_with(Datum(name="start", shape=(2,), source=Inline(values=(Text("1/3"), Text("2")))))
    data = data_of(entry, {})
    return declared_point(at, Workspace(entry, Definitions.of(entry), data), form)


@pytest.mark.parametrize("form", [FLOAT64, FLOAT32, FLOAT16, BFLOAT16], ids=lambda form: form.name)
def test_a_declared_point_is_rounded_once_into_each_dtype(form):
    at = (("x", Text("1/3")), ("p.v", (Text("0.1"), Text("2"))))
    assert place(at, form) == ((round_to(Fraction(1, 3), form),), (round_to(Fraction(1, 10), form), 2.0))


def test_a_point_may_be_a_constant_or_name_data():
    assert place((("x", Text("pi/4")), ("p.v", Text("start")))) == ((math.pi / 4,), (1 / 3, 2.0))


def test_a_point_that_leaves_an_input_out_is_refused():
    with pytest.raises(UsageError, match=r"leaves out p\.v"):
        place((("x", Text("1")),))


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("1/0", "no real value"),
        ("sqrt(0 - 1)", "no real value"),
        ("log(0)", "no real value"),
        ("sqrt(sin(pi))", "cannot"),
    ],
)
def test_a_point_without_a_real_value_is_refused(written, why):
    with pytest.raises(UsageError, match=f"value for x: .*{why}"):
        place((("x", Text(written)), ("p.v", Text("start"))))


@pytest.mark.parametrize(
    ("x", "v", "outside"),
    [
        ("9", "edge", None),
        ("pi*9/pi", "edge", None),  # nothing decides it at the very end
        ("sum([1/0, 1])", "edge", "for x: this point has no real value"),
        ("3*pi", "edge", r"for x, about 9\.42.*\[-9, 9\]"),
        ("1", "far", r"for p\.v, about -2\.0, is outside the domain \[0, 9\]"),
    ],
)
def test_declared_points_are_inside_their_domains(x, v, outside):
    data = (("edge", ("0", "9")), ("far", ("1", "-2")))
    sources = ((name, Inline(values=tuple(map(Text, values)))) for name, values in data)
    entry = entry_with(*(Datum(name=name, shape=(2,), source=source) for name, source in sources))
    workspace = Workspace(entry, Definitions.of(entry), data_of(entry, {}))
    at = (("x", Text(x)), ("p.v", Text(v)))
    if outside is None:
        require_inside(at, workspace)
    else:
        with pytest.raises(UsageError, match=outside):
            require_inside(at, workspace)


def test_where_data_come_from_is_said_in_words():
    sources = {
        "written in the catalog": Inline(values=Text("1")),
        "jax.random.normal, key 42, float32": Generated(distribution="normal", key=42, dtype="float32"),
        "exact equidistant numbers from 0 to 1": Linspace(start=Fraction(0), stop=Fraction(1)),
        "float32 equidistant numbers from 0 to 1": Linspace(start=Fraction(0), stop=Fraction(1), dtype="float32"),
        "variable p[0]['w'] of listing net, as run": FromListing(listing="net", variable="p", path=(0, "w")),
    }
    assert [describe(Datum(name="d", shape=(), source=source)) for source in sources.values()] == list(sources)


def test_a_point_s_label_is_what_was_written():
    assert point_label((("x", Text("pi/4")), ("v", (Text("1"), Text("2"))))) == "x = pi/4, v = [1, 2]"
    long = (("x", tuple(Text(str(i)) for i in range(60))),)
    assert point_label(long) == "x as declared"
