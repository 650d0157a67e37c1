"""Tiny catalogs run through the whole pipeline."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import jax
import pytest

from verifier.engine import program as program_module
from verifier.engine.options import Options
from verifier.engine.progress import Progress
from verifier.engine.run import run_catalog
from verifier.runs.reader import Run
from verifier.symbolic.lowering import as_function

HEAD = 'format: "1.0"\nsource: {title: T, sections: [{id: s, title: S}]}\n'


def run_small(folder: Path, written: dict[str, str], listings: str = "", **options: object) -> Run:
    """A catalog of these entries (bodies in YAML) run in this process: one dtype, device and program, no samples."""
    bodies = "".join(
        f"  {name}:\n    title: t\n    section: s\n{textwrap.indent(textwrap.dedent(body).strip(), ' ' * 4)}\n"
        for name, body in written.items()
    )
    catalog = folder / "small.yaml"
    catalog.write_text(f"{HEAD}{textwrap.dedent(listings)}entries:\n{bodies}")
    narrow = {"dtypes": ("float64",), "devices": ("cpu:0",), "programs": ("grad/jit",), "samples": 0, "workers": 0}
    chosen = Options(**{"cache": False, **narrow, **options})  # type: ignore[arg-type]
    return run_catalog(catalog, chosen, out=None, progress=Progress(quiet=True))


@pytest.fixture
def verified(tmp_path: Path) -> Callable[..., Run]:
    """verified(body, ...) -> the run of a catalog with one entry `e`."""
    return lambda body, **given: run_small(tmp_path, {"e": body}, **given)


@pytest.fixture
def verified_all(tmp_path: Path) -> Callable[..., Run]:
    """verified_all({id: body}, ...) -> the run of a catalog with these entries."""
    return lambda written, **given: run_small(tmp_path, written, **given)


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, object]]:
    """decided(head, claims, ...) -> claim id -> record, for claims written as {id: YAML flow fields}."""

    def decide(head: str, claims: dict[str, str], listings: str = "") -> dict[str, object]:
        lines = "".join(f"  - {{id: {name}, says: s, {text}}}\n" for name, text in claims.items())
        body = f"{textwrap.dedent(head).strip()}\nclaims:\n{lines}"
        run = run_small(tmp_path_factory.mktemp("claims"), {"e": body}, listings)
        return {record.claim: record for record in run.claims}

    return decide


@pytest.fixture
def plant(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """plant(rule): the lowered function gets the derivative rule(f, primals, tangents) -> tangent of the value."""

    def planted(rule):
        def wrong(definitions):
            f = as_function(definitions)

            def function(*arguments_and_data):
                *arguments, data = arguments_and_data
                custom = jax.custom_jvp(lambda *inner: f(*inner, data))

                @custom.defjvp
                def _(primals, tangents):
                    return custom(*primals), rule(lambda *inner: f(*inner, data), primals, tangents)

                return custom(*arguments)

            return function

        monkeypatch.setattr(program_module, "as_function", wrong)

    return planted


@pytest.fixture
def with_a_slow_entry(catalog: Path) -> Path:
    """The test's `catalog` and one more entry, that takes minutes: certified iterations of as many steps as may be."""
    numbers = range(9)
    steps = "".join(f'go{n}: {{start: {{x: 1}}, step: {{x: "x - x*x*x/{n + 9}"}}, count: 100000}}, ' for n in numbers)
    found = "".join(f"q{n}: {{formula: value, over: {{x: go{n}.x}}}}, " for n in numbers)
    claim = " + ".join(f"q{n}[5]" for n in numbers)
    body = f"""
title: t
section: s
inputs: {{x: {{domain: [1, 2]}}}}
value: x**2
orders: [1]
claims: [{{id: c-slow, says: s, holds: "{claim} == 1"}}]
iterations: {{{steps}}}
quantities: {{{found}}}
"""
    catalog.write_text(f"{catalog.read_text()}  slow:{textwrap.indent(body, ' ' * 4)}")
    return catalog
