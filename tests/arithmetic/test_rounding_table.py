"""The table itself: every row has a source, and XLA's results stay within each on a small sample."""

from __future__ import annotations

import random

import jax
import numpy as np
import pytest
from flint import arb
from jax import lax

from verifier.arithmetic.floats import FORMATS, from_ordinal, ordinal, round_to
from verifier.arithmetic.rounded import RoundedSystem, explained
from verifier.arithmetic.rounding_table import CPU, GPU, MODELS, bound, rows
from verifier.execution.dtypes import numpy_dtype, to_float64

_RENAMED = {"i0e": "bessel_i0e", "i1e": "bessel_i1e"}


@pytest.mark.parametrize("form", FORMATS.values(), ids=lambda form: form.name)
def test_every_row_names_its_source(form):
    table = dict(rows(form))
    assert set(MODELS) | {"add", "div", "max"} <= set(table)
    assert all(row.source for row in table.values())
    assert table["add"].units == 1
    assert table["max"].units == 0


def test_an_unmeasured_platform_gets_more_room():
    here, there = bound("exp", FORMATS["float64"], CPU), bound("exp", FORMATS["float64"], GPU)
    assert here is not None
    assert there is not None
    assert there.units > here.units
    assert "not measured on this platform" in there.source


def test_a_function_outside_the_table_has_no_row():
    assert bound("besselj", FORMATS["float64"], CPU) is None


def _arguments(form, count: int, rng: random.Random) -> list[float]:
    top = ordinal(form.largest, form)
    anywhere = [from_ordinal(rng.randint(-top, top), form) for _ in range(count // 2)]
    return anywhere + [round_to(rng.uniform(-5, 5), form) for _ in range(count // 2)]


@pytest.mark.parametrize("form", FORMATS.values(), ids=lambda form: form.name)
def test_results_of_elementary_functions_are_explained(form):
    rng, system = random.Random(f"table {form.name}"), RoundedSystem(form)
    for name in (name for name, model in MODELS.items() if not model.domain and name not in ("pow", "atan2")):
        xs = _arguments(form, 40, rng)
        with jax.enable_x64(form.name == "float64"):
            function = getattr(lax, _RENAMED.get(name, name))
            found = to_float64(function(np.asarray(xs).astype(numpy_dtype(form.name))))
        with system.working():
            operation = system.operation(name)
            for x, value in zip(xs, found, strict=True):
                assert explained(float(value), operation(system.stored(arb(x)))), (name, x, value)
