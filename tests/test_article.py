"""The article's catalog: it reads without fault, quotes the article, and acknowledges what is refuted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

ROOT = Path(__file__).parents[1]
CATALOG = ROOT / "catalog" / "article.yaml"
ARTICLE = ROOT.parent / "shared" / "article.txt"


@pytest.fixture(scope="module")
def catalog():
    from verifier.catalog.reader import read
    from verifier.programs.listing_facts import check_structure

    return read(CATALOG, check_structure=check_structure)


@pytest.fixture(scope="module")
def article():
    if not ARTICLE.exists():
        pytest.skip("the article itself is not here")
    return folded(ARTICLE.read_text())


def folded(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def claims(catalog):
    return [(entry, claim) for entry in catalog.entries for claim in entry.claims]


def test_it_names_its_schema_in_the_first_line():
    first = CATALOG.read_text().splitlines()[0]
    named = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    assert named is not None
    assert (CATALOG.parent / named[1]).resolve() == ROOT / "verifier" / "catalog" / "schema.json"


def test_it_has_what_the_article_has(catalog):
    assert len(catalog.source.sections) >= 15
    assert len(catalog.listings) >= 10
    assert len(claims(catalog)) >= 100
    assert len(catalog.cheat_sheet) >= 7


def test_every_claim_quotes_the_article(catalog, article):
    invented = [f"{entry.id}/{claim.id}" for entry, claim in claims(catalog) if folded(claim.says) not in article]
    assert invented == []


def test_every_listing_is_the_article_s(catalog, article):
    assert [each.id for each in catalog.listings if folded(each.code) not in article] == []


def test_every_section_s_title_and_formulas_are_the_article_s(catalog, article):
    sections = catalog.source.sections
    assert [each.id for each in sections[1:] if folded(each.title) not in article] == []
    assert [formula for each in sections for formula in each.formulas if folded(formula) not in article] == []


def test_every_section_is_named_by_an_entry_or_a_claim(catalog):
    named = {entry.section for entry in catalog.entries} | {claim.section for _, claim in claims(catalog)}
    assert {section.id for section in catalog.source.sections} <= named


def test_every_row_of_the_cheat_sheet_is_named(catalog):
    named = {entry.row for entry in catalog.entries} | {claim.row for _, claim in claims(catalog)}
    assert set(catalog.cheat_sheet) <= named


def test_what_is_acknowledged_has_a_reason_and_what_is_refuted_an_explanation(catalog):
    for entry in catalog.entries:
        by_id = {claim.id: claim for claim in entry.claims}
        for each in entry.acknowledged:
            assert each.reason
            if each.claim is not None:
                assert each.verdict in {"REFUTED", "UNDECIDED"}
                assert by_id[each.claim].explains or each.verdict == "UNDECIDED"


def test_no_claim_is_decided_by_constants_alone(catalog):
    """Prose or constants alone decide nothing: a computed claim names an input, data, a quantity or a listing."""
    from verifier.model.catalog import Digits, Holds, Identity
    from verifier.symbolic.formula import names, parse

    idle = []
    for entry, claim in claims(catalog):
        match claim.decision:
            case Digits(formula=formula) | Holds(formula=formula):
                texts = [formula.text]
            case Identity(left=left, right=right):
                texts = [left.text, right.text]
            case _:
                continue
        if not any(names(parse(text)) - {"pi", "e"} for text in texts):
            idle.append(f"{entry.id}/{claim.id}")
    assert idle == []


@pytest.mark.slow
def test_the_article_is_verified_from_end_to_end(tmp_path):
    from verifier.cli import main
    from verifier.runs.reader import read

    out, html = tmp_path / "run.jsonl", tmp_path / "article.html"
    result = CliRunner().invoke(main, ["run", str(CATALOG), "--out", str(out), "--html", str(html)])
    assert result.exit_code == 0, result.output[-3000:]
    run = read(out)
    assert {entry.status for entry in run.entries} == {"OK"}
    assert [section.id for section in run.coverage.sections if not section.covered] == []
    assert [row.row for row in run.coverage.cheat_sheet if not row.covered] == []
    assert run.end.findings == 0
    assert run.end.stale == ()
    refuted = [each for each in run.claims if each.verdict == "REFUTED"]
    assert refuted
    assert all(each.acknowledged is not None and each.reason and each.explains for each in refuted)
    assert run.end.claims["CONFIRMED"] > len(run.claims) / 2
    assert html.read_text().lower().startswith("<!doctype html>")
