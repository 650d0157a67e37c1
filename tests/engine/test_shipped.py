"""Each function of the catalog of JAX's functions computes its formula, at one of its points."""

from __future__ import annotations

import pytest

from verifier.catalog.shipped import JAX_FUNCTIONS, jax_functions
from verifier.engine.options import Options
from verifier.engine.progress import Progress
from verifier.engine.run import run_catalog
from verifier.runs.records import Verdict

HALF = 26
"""Bits: a float64 that lost more than half of its significand fails (SEMANTICS §9)."""


def agrees(verdict: Verdict, declared: int) -> bool:
    """Whether the value at one of the declared points is no failure by what it misses."""
    pairs = zip(verdict.ulps[:declared], verdict.budget[:declared], strict=True)
    return any(
        error == 0 or (error is not None and budget is not None and error <= budget * 2**HALF)
        for error, budget in pairs
    )


@pytest.mark.slow
def test_every_function_computes_its_formula_at_one_of_its_points() -> None:
    asked = Options(
        dtypes=("float64",),
        devices=("cpu:0",),
        programs=("value/jit",),
        samples=0,
        workers=1,
        allow_imports=True,
    )
    run = run_catalog(JAX_FUNCTIONS, asked, out=None, progress=Progress(quiet=True))
    assert [(each.entry, each.reason) for each in run.entries if each.status == "FAILED"] == []
    declared = {each.id: len(each.points) for each in jax_functions().entries}
    assert [each.entry for each in run.verdicts if not agrees(each, declared[each.entry])] == []
