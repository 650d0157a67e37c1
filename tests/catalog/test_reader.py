# ruff: noqa: E501 (messages stand as they are shown)
from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from verifier.catalog import reader, schema
from verifier.catalog.reader import read
from verifier.errors import CatalogError, FormulaError, UsageError

Faults = Callable[[str | bytes], list[str]]
GOLDEN = Path(__file__).parent / "golden"

TEN_FAULTS = """\
format: "1.0"
source:
  title: "Calculus"
  sections:
    - {id: chain-rule, title: "The Chain Rule"}
listings:
  - {id: composed, section: chain-rul, code: "pass"}
entries:
  tanh-squared:
    title: "Tanh squared"
    section: chain-rule
    inputs:
      x: {domian: [-10, 10]}
      v: {shape: [2], domain: [3, -3]}
    let:
      sin: tanh(x)
      layer: tanh(xx)
    value: x**2 # the square
    orders: [1, one]
    points:
      - {x: 2, v: [1, 2, 3]}
    claims:
      - {id: a, says: "0.7", digits: {formula: value, printed: 0.7}, holds: x < 1}
    acknowledged:
      - {claim: b, verdict: REFUTED, reason: "a slip"}
"""

TEN_REPORTED = """\
catalog/x.yaml:7:29: unknown section `chain-rul`: did you mean `chain-rule`? (at listings[0].section)
catalog/x.yaml:13:11: unknown key `domian`; did you mean `domain`? (at entries.tanh-squared.inputs.x.domian)
catalog/x.yaml:14:31: an empty interval: 3 is greater than -3; the lowest value stands first (at entries.tanh-squared.inputs.v.domain)
catalog/x.yaml:16:7: `sin` has a meaning in every formula already; choose another name (at entries.tanh-squared.let.sin)
catalog/x.yaml:17:19: `xx` is not defined; did you mean `x`? (at entries.tanh-squared.let.layer)
catalog/x.yaml:18:12: ` #` begins a YAML comment, so only `x**2` is read: put the text in quotes, or move the comment to its own line (at entries.tanh-squared.value)
catalog/x.yaml:19:17: expected a whole number, found the text `one` (at entries.tanh-squared.orders[1])
catalog/x.yaml:21:19: `v` is shape [2], but what is given here is shape [3] (at entries.tanh-squared.points[0].v)
catalog/x.yaml:23:9: a claim holds exactly one of `identity`, `digits`, `holds`, `shape`, `limit`, `runs`, `prints`, `structure` or `not-computable`, found `digits` and `holds`: keep one, or make two (at entries.tanh-squared.claims[0])
catalog/x.yaml:25:17: unknown claim `b`: `claims` declares `a` (at entries.tanh-squared.acknowledged[0].claim)
"""


def test_ten_different_faults_are_ten_positioned_errors_in_one_go(faults: Faults) -> None:
    assert "\n".join(faults(TEN_FAULTS)) + "\n" == TEN_REPORTED


def test_the_error_carries_every_fault_and_exit_status_3(write: Callable[[str], Path]) -> None:
    with pytest.raises(CatalogError) as caught:
        read(write(TEN_FAULTS))
    assert len(caught.value.faults) == 10
    assert caught.value.exit_status == 3
    assert caught.value.faults[1].path == "entries.tanh-squared.inputs.x.domian"


def as_text(path: Path) -> str:
    """The catalog as JSON text, with exact numbers as text."""
    catalog = asdict(read(path))
    return json.dumps(catalog, indent=1, ensure_ascii=False, default=str) + "\n"


@pytest.mark.parametrize("version", sorted(path.stem for path in GOLDEN.glob("*.yaml")))
def test_catalogs_of_every_version_stay_readable(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(GOLDEN)
    assert as_text(Path(f"{version}.yaml")) == (GOLDEN / f"{version}.json").read_text(encoding="utf-8")


def test_there_is_a_golden_file_for_the_present_version() -> None:
    assert (GOLDEN / "{}.{}.yaml".format(*schema.FORMAT)).exists()


def test_numbers_arrive_as_their_source_text() -> None:
    entry = read(GOLDEN / "1.0.yaml").entries[0]
    prices: Any = entry.data[0].source
    assert [[cell.text for cell in row] for row in prices.values] == [["1408", "1500"], ["31", "10"]]
    digits: Any = entry.claims[0].decision
    assert [cell.text for cell in digits.printed] == ["8.0", "7"]
    assert (entry.inputs[0].lower, entry.inputs[0].upper) == (-10, Fraction(1, 3))
    assert (entry.inputs[2].lower, entry.inputs[2].upper) == (-10, Fraction(1, 2))


def test_formulas_keep_the_position_of_their_first_character() -> None:
    entry = read(GOLDEN / "1.0.yaml").entries[0]
    lines = (GOLDEN / "1.0.yaml").read_text(encoding="utf-8").splitlines()
    formulas = [text for _, text in entry.definitions] + [entry.quantities[1].formula]
    for formula in formulas:
        column = formula.position.column - 1
        assert lines[formula.position.line - 1][column : column + len(formula.text)] == formula.text


MINIMAL = """\
format: "1.0"
source: {title: t, sections: [{id: s, title: t}]}
entries:
  e: {title: t, section: s}
"""


@pytest.mark.parametrize(
    ("version", "fault"),
    [
        ('"1.0"', None),
        ("1.0", None),
        (
            '"1.1"',
            '1:9: this catalog is written in format 1.1, this verifier knows 1.0: install a newer verifier, or write "1.0"',
        ),
        ('"2.0"', "1:9: this catalog is written in format 2.0, newer than 1.0: install a newer verifier (at format)"),
        ('"0.9"', "1:9: format 0.9 is no longer read; rewrite the catalog in format 1.0 (at format)"),
        ("1", '1:9: expected a format version such as "1.0", found the number `1` (at format)'),
        ("one", '1:9: expected a format version such as "1.0", found the text `one` (at format)'),
        ("[1, 0]", '1:9: expected a format version such as "1.0", found a list (at format)'),
    ],
)
def test_format_versions(version: str, fault: str | None, faults: Faults) -> None:
    found = faults(MINIMAL.replace('"1.0"', version))
    assert len(found) == (fault is not None)
    assert not fault or found[0].startswith(f"catalog/x.yaml:{fault}")


def test_a_newer_format_is_the_only_fault_reported(faults: Faults) -> None:
    assert len(faults(TEN_FAULTS.replace('"1.0"', '"2.0"'))) == 1


def test_older_minor_versions_are_read(faults: Faults, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader.schema, "FORMAT", (1, 4))
    assert not faults(MINIMAL)
    assert not faults(MINIMAL.replace('"1.0"', '"1.4"'))
    assert faults(MINIMAL.replace('"1.0"', '"1.5"'))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            "5\n",
            "1:1: this is no catalog: expected a mapping with the keys `format`, `source` and `entries`, found the number `5`",
        ),
        (
            "[a]\n",
            "1:1: this is no catalog: expected a mapping with the keys `format`, `source` and `entries`, found a list",
        ),
        (
            "a: 1\n",
            "1:1: this is no catalog: expected a mapping with the keys `format`, `source` and `entries`, found the keys `a`",
        ),
    ],
)
def test_other_yaml_files_give_one_fault(text: str, fault: str, faults: Faults) -> None:
    assert faults(text) == [f"catalog/x.yaml:{fault}"]


def test_a_file_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read the catalog"):
        read(tmp_path / "none.yaml")
    with pytest.raises(UsageError, match="cannot read the catalog"):
        read(tmp_path)


def test_a_flood_of_faults_ends(faults: Faults) -> None:
    entries = ", ".join(f"e{number}: {{titel: 1}}" for number in range(5000))
    found = faults(MINIMAL.replace("  e: {title: t, section: s}", f"  {{{entries}}}"))
    assert len(found) == 1001
    assert "the reading ends after 1000 faults" in found[-1]


def test_structure_formulas_are_judged_by_the_given_check(write: Callable[[str], Path]) -> None:
    listing = "listings: [{id: l, section: s, code: pass}]\n"
    claim = "{id: c, says: q, structure: {listing: l, formula: nonsense(1)}}"
    path = write(listing + MINIMAL.replace("section: s}\n", f"section: s, claims: [{claim}]}}\n"))

    def refuse(formula: str) -> None:
        raise FormulaError(f"unknown fact in {formula}", column=3)

    assert read(path)
    with pytest.raises(
        CatalogError, match=r"^catalog/x.yaml:5:91: unknown fact in nonsense\(1\) \(at entries.e.claims"
    ):
        read(path, check_structure=refuse)


def test_control_characters_never_reach_the_terminal(faults: Faults) -> None:
    found = faults(MINIMAL.replace("section: s}\n", 'section: "\\e[2Js", "a\\nb": 1}\n'))
    assert found
    assert all(character.isprintable() for line in found for character in line)
