"""What listings showed, written as JSON and read again: every value with its type, its bits and what it shares."""

from __future__ import annotations

import json
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from verifier.model.catalog import Listing
from verifier.programs.listing import run_listings
from verifier.programs.listing_runs import Drawn, ListingRun, read_runs, written_runs

NUMBERS = st.booleans() | st.integers() | st.floats() | st.complex_numbers()
ARRAYS = nps.arrays(
    st.sampled_from(["float64", "float32", "float16", "int32", "uint8", "bool", "complex64", "<U3"]),
    nps.array_shapes(min_dims=0, min_side=0, max_side=3),
)
SCALARS = st.sampled_from([np.float64(0.1), np.float32("nan"), np.int8(-3), np.bool_(True), ml_dtypes.bfloat16(1.5)])
RANGES = st.builds(range, st.integers(-5, 5), st.integers(-5, 5), st.integers(1, 3))
LEAVES = st.none() | NUMBERS | st.text() | RANGES | ARRAYS | SCALARS
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3)
    ),
    max_leaves=8,
)


def again(**parts: Any) -> ListingRun:
    (_,), (run,) = read_runs(written_runs([Listing(id="a", section="s", code="")], [made(**parts)]))
    return run


def made(**parts: Any) -> ListingRun:
    return ListingRun(id="a", status="ok", **parts)


def same(a: Any, b: Any) -> bool:
    if type(a) is not type(b):
        return False
    if isinstance(a, (np.ndarray, np.generic)):
        if a.dtype == object:
            return a.shape == b.shape and all(map(same, a.flat, b.flat))
        return (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
    if isinstance(a, dict):
        return list(a) == list(b) and all(map(same, a.values(), b.values()))
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return repr(a) == repr(b)


@given(VALUES)
def test_every_value_comes_back_as_it_was(value):
    assert same(again(variables={"x": value}).variables["x"], value)


def test_everything_else_comes_back_too():
    drawn = (Drawn(name="plot", arguments=(1, None, np.arange(3.0)), keywords={"label": "a"}),)
    run = made(
        exception="E",
        message="m",
        line=3,
        printed=("a", ""),
        names=frozenset({"f", "x"}),
        entered={"f": 2},
        trips=(3, 0),
        drawn=drawn,
        kernels={"g": 5},
    )
    found = again(**{name: getattr(run, name) for name in run.__slots__ if name not in ("id", "status")})
    for name in run.__slots__:
        if name != "drawn":
            assert getattr(found, name) == getattr(run, name), name
    assert same(found.drawn[0].arguments, drawn[0].arguments)
    assert found.drawn[0].keywords == drawn[0].keywords


def test_what_is_shared_stays_shared_and_small():
    """Sixty lists, each of the one before it twice, would be 2^60 items apart."""
    value: Any = [1.0]
    for _ in range(60):
        value = [value, value]
    text = written_runs([], [made(variables={"x": value, "y": value})])
    assert len(text) < 5000
    _, (run,) = read_runs(text)
    assert run.variables["x"] is run.variables["y"]
    assert run.variables["x"][0] is run.variables["x"][1]


def test_a_number_of_any_length_comes_back():
    assert again(variables={"x": -(10**5000)}).variables["x"] == -(10**5000)


def test_arrays_of_objects_and_of_bfloat16():
    objects = np.array([1, "a", None], dtype=object)
    narrow = np.array([0.1, -0.0], dtype=ml_dtypes.bfloat16)
    found = again(variables={"o": objects, "n": narrow}).variables
    assert same(found["o"], objects)
    assert same(found["n"], narrow)
    assert not found["n"].flags.writeable


def test_what_a_listing_leaves_behind_comes_back():
    made_of_x = "y = {'a': [x, (1, 2.5)], 'b': float('inf')}\ndef f(): pass\nprint(x)"
    code = f"import jax.numpy as jnp\nx = jnp.arange(3.0)\n{made_of_x}"
    listings = (Listing(id="a", section="s", code=code),)
    runs = run_listings(listings)
    found, (run,) = read_runs(written_runs(listings, runs))
    assert found == listings
    assert run.printed == runs[0].printed
    assert run.names == runs[0].names
    assert list(run.variables) == list(runs[0].variables)
    assert all(same(run.variables[name], runs[0].variables[name]) for name in run.variables)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1]",
        "{}",
        '{"listings":[],"runs":[],"nodes":[["tuple",[0]]]}',
        '{"listings":[],"runs":[],"nodes":[["code","1"]]}',
        '{"listings":[],"runs":[{"id":"a"}],"nodes":[]}',
        '{"listings":[{"id":"a"}],"runs":[],"nodes":[]}',
        '{"listings":[],"runs":[],"nodes":[["array","float64",[2],"AAAA"]]}',
        '{"listings":[],"runs":[],"nodes":[["array","no dtype",[0],""]]}',
    ],
)
def test_any_other_text_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        read_runs(text)


def test_what_is_no_data_is_not_written():
    with pytest.raises(TypeError, match="no data"):
        written_runs([], [made(variables={"f": json.dumps})])
