from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from verifier.catalog.faults import FaultList
from verifier.catalog.scalars import exact, integer, kind_of
from verifier.catalog.yaml_events import Mapping, Scalar, Sequence, read_tree
from verifier.errors import CatalogError

SPECIAL = {"null": None, "infinity": float("inf"), "nan": float("nan")}


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str | bytes], Path]:
    """Writes `catalog/x.yaml` under the current directory."""

    def to_file(text: str | bytes) -> Path:
        monkeypatch.chdir(tmp_path)
        path = Path("catalog/x.yaml")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return to_file


@pytest.fixture
def faults(write: Callable[[str | bytes], Path]) -> Callable[[str | bytes], list[str]]:
    """The faults of a catalog's text, one line each; none when it is read."""
    from verifier.catalog.reader import read

    def read_faults(text: str | bytes) -> list[str]:
        try:
            read(write(text))
        except CatalogError as error:
            return str(error).splitlines()
        return []

    return read_faults


def plain(node: object) -> Any:
    """The tree as a YAML 1.2 editor sees it: numbers, truth values, null, text."""
    match node:
        case Mapping():
            return {key: plain(value) for key, value in node.items()}
        case Sequence():
            return [plain(item) for item in node]
        case Scalar(plain=True, text=text):
            return _resolved(text)
    assert isinstance(node, Scalar)
    return node.text


def _resolved(text: str) -> Any:
    match kind_of(text):
        case "boolean":
            return text.lower() == "true"
        case "integer":
            return integer(text)
        case "decimal":
            return float(exact(text))
        case "text":
            return text
        case kind:
            return SPECIAL[kind]


@pytest.fixture
def as_json() -> Callable[[Path], Any]:
    """Reads a YAML file into what an editor validates."""

    def to_json(path: Path) -> Any:
        collected = FaultList(str(path))
        tree = read_tree(path.read_bytes(), collected)
        assert not collected
        return plain(tree)

    return to_json
