"""An entry in words."""

import pytest

from verifier.engine import explain
from verifier.engine.explain import explained
from verifier.errors import UsageError
from verifier.programs.listing import run_listings

CATALOG = """
format: "1.0"
source: {title: T, sections: [{id: s, title: S}]}
entries:
  square:
    title: "A square around a tanh"
    section: s
    inputs: {x: {domain: [-10, 10]}}
    let: {layer: tanh(x)}
    value: layer**2
    orders: [1]
    points: [{x: 4.5}]
  field:
    title: "A map of the plane"
    section: s
    inputs: {v: {shape: [2], domain: [-1, 1]}}
    value: "[v[0]*v[1], sin(v[0])]"
    orders: [1]
  claims-only: {title: t, section: s, claims: [{id: c, says: s, not-computable: r}]}
"""


@pytest.fixture
def catalog(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text(CATALOG)
    return path


# What tanh' loses most in, and what that is exactly: 1 - t before JAX 0.11, since then 1 - t^2.
LOSSES = {"sub": ("sub 1.0 (1)", "0.000246789151972463"), "one_minus_square": ("one_minus_square (1)", "0.000493517")}


def test_mathematics_and_the_equation_that_loses_most(catalog, losing_in_tanh):
    text = explained(catalog, "square")
    assert "layer = tanh(x)\n    local derivative by x: 1 - tanh(x)**2\nvalue = layer**2\n" in text
    assert "d/dx = 2*(1 - tanh(x)**2)*tanh(x)" in text
    (worst,) = [line for line in text.splitlines() if line.endswith("<- loses most")]
    assert all(text in worst for text in LOSSES[losing_in_tanh])


def test_another_point_dtype_order_and_program(catalog):
    text = explained(catalog, "square", at=("x=0.5",), dtype="float64", orders=(2,), programs=("fwd-fwd",))
    assert "fwd-fwd of order 2 in float64 at x = 0.5" in text


def test_a_vector_function_by_its_jacobian(catalog):
    text = explained(catalog, "field", at=("v=[0.5, 0.25]",))
    assert "value[0] d/dv[0] = v[1]" in text
    assert "jacrev of order 1" in text


WITH_LISTINGS = """
format: "1.0"
source: {title: T, sections: [{id: s, title: S}]}
listings:
  - {id: base, section: s, code: "scale = 2.0"}
  - {id: slope, section: s, code: "k = scale * 1.5"}
  - {id: later, section: s, code: "k = 7.0"}
entries:
  line:
    title: "A line"
    section: s
    data: {k: {listing: slope, variable: k, shape: []}}
    inputs: {x: {domain: [-1, 1]}}
    value: k*x
    orders: [1]
    points: [{x: 0.5}]
  plain: {title: "None", section: s, inputs: {x: {domain: [-1, 1]}}, value: x, orders: [1], points: [{x: 0.5}]}
"""


@pytest.mark.parametrize(("name", "run"), [("line", ["base", "slope"]), ("plain", [])])
def test_only_listings_that_the_data_need_are_run(tmp_path, monkeypatch, name, run):
    seen = []

    def noted(listings):
        seen.extend(each.id for each in listings)
        return run_listings(listings)

    monkeypatch.setattr(explain, "run_listings", noted)
    path = tmp_path / "c.yaml"
    path.write_text(WITH_LISTINGS)
    assert ("3.0" in explained(path, name)) == (name == "line")
    assert seen == run


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("nothing", {}, "has no entry nothing; it has claims-only, field, square"),
        ("claims-only", {}, "carries claims only"),
        ("field", {}, "declares no point"),
        ("square", {"at": ("y=1",)}, "one of the inputs x"),
        ("square", {"at": ("x",)}, "NAME=VALUE"),
        ("square", {"at": ("x=1/0",)}, "value for x: this point has no real value"),
        ("square", {"at": ("x=sqrt(-1)",)}, "value for x: this point has no real value"),
        ("square", {"at": ("x=sqrt(sin(pi))",)}, r"value for x: it cannot be computed \(sqrt"),
        ("square", {"at": ("x=[1, 2]",)}, r"x has shape \[\], this has \[2\]"),
        ("square", {"at": ("x=1", "x=2")}, "given more than once"),
        ("square", {"programs": ("frob",)}, "no program frob of order 1"),
    ],
)
def test_what_there_is_not(catalog, name, options, message):
    with pytest.raises(UsageError, match=message):
        explained(catalog, name, **options)
