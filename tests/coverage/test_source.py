"""Coverage: sections by formulas and listings, rows of the cheat sheet, the matrix of what ran, what was skipped."""

from __future__ import annotations

from dataclasses import replace

import pytest

from verifier.coverage.source import coverage, listings_of, up_to
from verifier.model.catalog import (
    Catalog,
    Claim,
    Datum,
    Entry,
    FromListing,
    Listing,
    ListingRuns,
    NotComputable,
    Section,
    Source,
)
from verifier.runs import records

FORMULA = r"\frac{dL}{dx} = 2x"
CATALOG = Catalog(
    file="x.yaml",
    format="1.0",
    digest="",
    source=Source(
        title="T",
        sections=(
            Section(id="chain", title="The chain rule", formulas=(FORMULA, r"x^2")),
            Section(id="code", title="Code"),
            Section(id="empty", title="Nothing"),
        ),
    ),
    listings=(Listing(id="cell", section="code", code=""), Listing(id="other", section="code", code="")),
    cheat_sheet=("gradient", "hessian", "jet"),
    entries=(
        Entry(
            id="e",
            title="t",
            section="chain",
            row="gradient",
            claims=(Claim(id="r", says="s", section="code", decision=ListingRuns(listing="cell")),),
        ),
        Entry(
            id="f",
            title="t",
            section="code",
            data=(Datum(name="w", shape=(), source=FromListing(listing="other", variable="w")),),
        ),
    ),
)


def claim(says, *, section="chain", verdict="CONFIRMED", row=None, name="c") -> records.Claim:
    return records.Claim(
        entry="e",
        claim=name,
        says=says,
        section=section,
        row=row,
        verdict=verdict,
        fails=verdict == "REFUTED",
        decision=records.Decision(kind="holds", text=""),
    )


def verdict(**changes) -> records.Verdict:
    given = records.Verdict(
        entry="e",
        order=1,
        program="grad/jit",
        dtype="float64",
        device="cpu:0",
        component="d/dx",
        verdict="ACCURATE",
        fails=False,
        counts={"ACCURATE": 3},
        points=3,
        worst=records.Worst(point=0, value="0x0p+0", decimal="0", truth="0"),
    )
    return replace(given, **changes)


def sections(*claims, catalog=CATALOG):
    return {each.id: each for each in coverage(catalog, [], claims, []).sections}


def test_a_section_is_covered_when_claims_quote_all_its_formulas():
    quoted = [claim(f"thus ${FORMULA}$ holds"), claim("we take $x ^ 2$ here")]
    chain = sections(*quoted)["chain"]
    assert chain.covered
    assert chain.missing == ()
    assert (chain.formulas, chain.entries, chain.claims) == (2, ("e",), {"CONFIRMED": 2})


def test_a_formula_that_no_claim_quotes_is_missing_by_name():
    chain = sections(claim("we take $x^2$ here"))["chain"]
    assert not chain.covered
    assert chain.missing == (f"formula: {FORMULA}",)


def test_a_formula_quoted_in_another_section_does_not_count():
    chain = sections(claim(f"{FORMULA} x^2", section="code"))["chain"]
    assert set(chain.missing) == {f"formula: {FORMULA}", "formula: x^2"}


def test_listings_are_covered_by_claims_and_by_data():
    code = sections()["code"]
    assert code.covered
    assert code.listings == ("cell", "other")
    without = replace(CATALOG, entries=CATALOG.entries[:1])
    assert sections(claim("s", section="code"), catalog=without)["code"].missing == ("listing: other",)


def test_a_section_that_nothing_names_is_not_covered():
    empty = sections()["empty"]
    assert not empty.covered
    assert empty.missing == ()


def test_outcomes_are_counted_by_verdict():
    claims = [claim("a", verdict=each) for each in ("CONFIRMED", "REFUTED", "CONFIRMED", "NOT COMPUTABLE")]
    assert sections(*claims)["chain"].claims == {"CONFIRMED": 2, "NOT COMPUTABLE": 1, "REFUTED": 1}


def test_rows_of_the_cheat_sheet_are_covered_by_entries_or_claims():
    rows = coverage(CATALOG, [], [claim("s", row="hessian", name="h")], []).cheat_sheet
    assert [(each.row, each.entries, each.claims, each.covered) for each in rows] == [
        ("gradient", ("e",), (), True),
        ("hessian", (), ("h",), True),
        ("jet", (), (), False),
    ]


def test_the_matrix_has_a_cell_for_each_entry_dtype_and_device():
    verdicts = [
        verdict(),
        verdict(program="grad/vmap", points=9),
        verdict(component="d/dy"),
        verdict(dtype="float32"),
        verdict(device="cpu:1"),
    ]
    cells = coverage(CATALOG, verdicts, [], []).matrix
    assert [(each.dtype, each.device, each.programs, each.points) for each in cells] == [
        ("float64", "cpu:0", ("grad/jit", "grad/vmap"), 9),
        ("float32", "cpu:0", ("grad/jit",), 3),
        ("float64", "cpu:1", ("grad/jit",), 3),
    ]


def test_what_was_skipped_is_kept_as_it_is():
    skipped = [records.Skipped(entry="e", what="order 2", why="because")]
    assert coverage(CATALOG, [], [], skipped).skipped == tuple(skipped)


@pytest.mark.parametrize("decision", [NotComputable(reason="no data")])
def test_an_opinion_covers_no_listing(decision):
    only = Entry(
        id="e", title="t", section="code", claims=(Claim(id="c", says="s", section="code", decision=decision),)
    )
    code = sections(claim("s", section="code"), catalog=replace(CATALOG, entries=(only,)))["code"]
    assert set(code.missing) == {"listing: cell", "listing: other"}


def test_an_entry_needs_its_listings_and_what_runs_before_them():
    first, second = CATALOG.entries
    assert [each.id for each in up_to(CATALOG.listings, listings_of(first))] == ["cell"]
    assert [each.id for each in up_to(CATALOG.listings, listings_of(second))] == ["cell", "other"]
    assert up_to(CATALOG.listings, ()) == ()
