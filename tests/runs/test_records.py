"""The documentation of the format names every field of every record."""

import dataclasses
import re
from pathlib import Path

import pytest

from verifier.runs.records import KINDS

DOCUMENT = Path(__file__).parents[2] / "docs" / "run-file.md"


def section(kind: str) -> str:
    found = re.search(rf"^## {kind}\n(.*?)(?=^## |\Z)", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert found is not None, f"docs/run-file.md has no section {kind}"
    return found[1]


def named_fields(text: str) -> set[str]:
    """The parts of everything in backticks: `worst.inputs` and `sections[].id` name worst, inputs, sections and id."""
    return {part for quoted in re.findall(r"`([^`]+)`", text) for part in re.split(r"\.|\[\]", quoted) if part}


def field_names(record_type: type) -> set[str]:
    """The names of a dataclass's fields and of those of every dataclass below it."""
    names = set()
    for member in dataclasses.fields(record_type):
        names.add(member.name)
        for inner in re.findall(r"\w+", str(member.type)):
            nested = vars(__import__(record_type.__module__, fromlist=["_"])).get(inner)
            if isinstance(nested, type) and dataclasses.is_dataclass(nested):
                names |= field_names(nested)
    return names


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_documented(kind: str) -> None:
    assert field_names(KINDS[kind]) - named_fields(section(kind)) == set()


def test_a_forgotten_field_is_noticed() -> None:
    assert field_names(KINDS["verdict"]) - named_fields(section("verdict").replace("lost_bits", "")) == {"lost_bits"}
