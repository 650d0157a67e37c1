"""What the catalog alone can tell about the numbers of points: data that it writes out, and what loads when."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

Faults = Callable[[str | bytes], list[str]]

CATALOG = """\
format: "1.0"
source: {title: t, sections: [{id: s, title: t}]}
listings: [{id: code, section: s, code: "x = 9"}]
entries:
  e:
    title: t
    section: s
    inputs: {x: {domain: [0, 1]}, v: {shape: [2], domain: [0, 1]}}
    data:
      far: {values: 50}
      third: {values: 1/3}
      low: {values: [1, -1/3]}
      inner: {linspace: [0, 1], shape: [2]}
      wide: {linspace: [-1, 2], shape: [2]}
      drawn: {linspace: [-1, 2], shape: [2], dtype: float32}
      run: {listing: code, variable: x, shape: []}
    value: x + sum(v)
    points: [{x: third, v: inner}]
"""
GIVEN = "points: [{x: third, v: inner}]"


def test_data_inside_the_domain_are_no_fault(faults: Faults) -> None:
    assert faults(CATALOG) == []


@pytest.mark.parametrize(
    ("x", "v", "fault"),
    [
        ("far", "inner", "18:18: the value 50 of `far` is outside the domain [0, 1] of `x`"),
        ("third", "low", "18:28: the value -1/3 of `low` is outside the domain [0, 1] of `v`"),
        ("third", "wide", "18:28: the value -1 of `wide` is outside the domain [0, 1] of `v`"),
        ("third", "[0, 3*pi/9]", "18:32: the value `3*pi/9` is outside the domain [0, 1] of `v`"),
    ],
)
def test_data_that_are_written_out_are_inside_the_domain(x: str, v: str, fault: str, faults: Faults) -> None:
    (found,) = faults(CATALOG.replace(GIVEN, f"points: [{{x: {x}, v: {v}}}]"))
    assert fault in found


def test_what_only_a_run_knows_is_left_to_it(faults: Faults) -> None:
    assert faults(CATALOG.replace(GIVEN, "points: [{x: run, v: drawn}]")) == []


@pytest.mark.parametrize(("x", "loaded"), [("1/2", "[]"), ("pi/4", "[]"), ("sqrt(2)/2", "[]"), ("log(2)", "['flint']")])
def test_reading_loads_flint_only_where_floats_cannot_tell(x: str, loaded: str, write: Callable[[str], object]) -> None:
    write(CATALOG.replace("x: third", f"x: {x}"))
    code = (
        "import sys\nfrom verifier.catalog.reader import read\nread('catalog/x.yaml')\n"
        "print(sorted({'jax', 'sympy', 'flint'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == loaded
