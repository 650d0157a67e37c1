from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from verifier.catalog import schema

AsJson = Callable[[Path], Any]
HERE = Path(__file__).parent
EXAMPLES = [*sorted((HERE / "golden").glob("*.yaml")), *sorted((HERE.parents[1] / "catalog").glob("*.yaml"))]


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(schema.json_schema())
    return jsonschema.Draft202012Validator(schema.json_schema())


def test_the_committed_schema_is_the_schema_of_the_models() -> None:
    assert schema.committed_schema() == schema.schema_text()
    assert json.loads(schema.committed_schema())["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_examples_are_valid(example: Path, validator: jsonschema.Draft202012Validator, as_json: AsJson) -> None:
    assert [error.message for error in validator.iter_errors(as_json(example))] == []


def replaced(document: Any, path: str, value: object) -> Any:
    """The document with the value at the dotted path replaced, or removed where it is None."""
    copy = json.loads(json.dumps(document))
    *parents, last = (int(step) if step.isdigit() else step for step in path.split("."))
    place = copy
    for step in parents:
        place = place[step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return copy


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("format", "2.0"),
        ("format", True),
        ("source", None),
        ("source.sections", []),
        ("titel", "x"),
        ("entries.tanh-squared.title", 5),
        ("entries.tanh-squared.inputs.x", {"domian": [0, 1]}),
        ("entries.tanh-squared.inputs.x.domain", [0]),
        ("entries.tanh-squared.inputs.x.domain", [0, 1, 2]),
        ("entries.tanh-squared.inputs.x.domain", [0, True]),
        ("entries.tanh-squared.inputs.params", {}),
        ("entries.tanh-squared.inputs.2x", {"domain": [0, 1]}),
        ("entries.tanh-squared.data.noise", {"normal": {"key": 1, "dtype": "float8"}, "shape": [1]}),
        ("entries.tanh-squared.data.noise", {"normal": {"key": 1, "dtype": "float32"}, "values": [1], "shape": [1]}),
        ("entries.tanh-squared.value", []),
        ("entries.tanh-squared.value", False),
        ("entries.tanh-squared.orders", [-1]),
        ("entries.tanh-squared.orders", ["1"]),
        ("entries.tanh-squared.claims.0.holds", "x < 1"),
        ("entries.tanh-squared.claims.0.digits", None),
        ("entries.tanh-squared.claims.0.says", None),
        ("entries.tanh-squared.claims.0.digits.printed", True),
        ("entries.tanh-squared.claims.3.holds.for-all", "x"),
        ("entries.tanh-squared.pictures.0.series.2.z", None),
        ("entries.tanh-squared.pictures.0.series.0.z", "grid"),
        ("entries.tanh-squared.acknowledged.0.verdict", "WRONG"),
        ("entries.tanh-squared.acknowledged.1.programs", ["*"]),
        ("entries.tanh-squared.acknowledged.1.components", ["all"]),
        ("entries.Tanh", {"title": "t", "section": "s"}),
    ],
)
def test_faulty_catalogs_are_rejected(
    path: str, value: object, validator: jsonschema.Draft202012Validator, as_json: AsJson
) -> None:
    good = as_json(HERE / "golden" / "1.0.yaml")
    assert validator.is_valid(good)
    assert not validator.is_valid(replaced(good, path, value))


def test_every_key_is_described() -> None:
    parts = {name: part for name, part in schema.json_schema()["$defs"].items() if "properties" in part}
    bare = [
        f"{name}.{key}"
        for name, part in parts.items()
        for key, row in part["properties"].items()
        if "description" not in row
    ]
    assert bare == []


def test_every_key_stands_in_the_reference() -> None:
    reference = (HERE.parents[1] / "docs" / "catalog.md").read_text(encoding="utf-8")
    parts = [schema.json_schema(), *schema.json_schema()["$defs"].values()]
    keys = {key for part in parts for key in part.get("properties", {})}
    assert sorted(key for key in keys if f"`{key}`" not in reference) == []
