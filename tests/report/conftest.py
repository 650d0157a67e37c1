"""The sample run, its report, and what builds small runs for one test."""

import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from verifier.report.html import render
from verifier.runs import records
from verifier.runs.json_form import decode
from verifier.runs.reader import Run, read
from verifier.runs.tallies import counted
from verifier.runs.writer import RunWriter

MakeRun = Callable[[list[dict[str, Any]]], Run]


def _beside(name: str) -> ModuleType:
    """A module of this folder that is no test module and on no import path."""
    found = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module
    found.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def sample() -> ModuleType:
    """tests/report/sample_run.py: a small run with everything in it."""
    return _beside("sample_run")


@pytest.fixture(scope="session")
def large() -> ModuleType:
    """tests/report/large_run.py: a run of any size."""
    return _beside("large_run")


@pytest.fixture(scope="session")
def run(sample: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return read(sample.write(tmp_path_factory.mktemp("run") / "run.jsonl"))


@pytest.fixture(scope="session")
def report(run: Run) -> str:
    return render(run)


def end_of(lines: list[dict[str, Any]]) -> records.End:
    """The `end` record of these records."""
    found = [decode(each, strict=True) for each in lines]
    kinds = {"entries": records.Entry, "verdicts": records.Verdict, "rules": records.Rule, "claims": records.Claim}
    groups = {name: [each for each in found if isinstance(each, kind)] for name, kind in kinds.items()}
    return counted(conflicts=0, **groups)


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """A run of the given records between the obligatory ones, with an entry for what names one."""

    def make(lines: list[dict[str, Any]]) -> Run:
        path = tmp_path / "made.jsonl"
        with RunWriter(path) as out:
            out.write(
                {
                    "kind": "header",
                    "format": "1.0",
                    "catalog": {"title": "Made"},
                    "sections": [{"id": "s", "title": "Section"}],
                }
            )
            out.write({"kind": "provenance"})
            known = {each["entry"] for each in lines if each["kind"] == "entry"}
            for name in sorted({each["entry"] for each in lines} - known):
                out.write({"kind": "entry", "entry": name, "title": name, "section": "s", "status": "OK"})
            for record in lines:
                out.write(json.loads(json.dumps(record)))
            out.write({"kind": "coverage"})
            out.write(end_of(lines))
        return read(path)

    return make


@pytest.fixture
def verdict() -> Callable[..., dict[str, Any]]:
    """A verdict record with the given fields changed."""

    def make(**changes: Any) -> dict[str, Any]:
        worst = {
            "point": 0,
            "label": "x = 1",
            "inputs": {"x": [{"hex": "0x1p+0", "decimal": "1.0"}]},
            "value": "0x0p+0",
            "decimal": "0.0",
            "truth": "1.5",
            "ulps": 3.0,
            "lost_bits": 2.0,
            "yardstick": 1.0,
        }
        plain = {
            "kind": "verdict",
            "entry": "e",
            "order": 1,
            "program": "grad/jit",
            "dtype": "float32",
            "device": "cpu:0",
            "component": "d/dx",
            "verdict": "ACCURATE",
            "counts": {"ACCURATE": 1},
            "points": 1,
            "worst": worst,
            "ulps": [3.0],
            "budget": [1.0],
        }
        return {**plain, **changes, "worst": {**worst, **changes.get("worst", {})}}

    return make


@pytest.fixture
def entry() -> Callable[..., dict[str, Any]]:
    """An entry record with the given fields changed."""

    def make(**changes: Any) -> dict[str, Any]:
        plain = {
            "kind": "entry",
            "entry": "e",
            "title": "E",
            "section": "s",
            "value": {"text": "x**2", "latex": "x^2"},
            "inputs": [{"name": "x"}],
            "orders": [0, 1],
        }
        return {**plain, **changes}

    return make
