"""A program that stands for a formula: its call beside the formula, and in the reproduction in the formula's place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from verifier.report.html import render
from verifier.report.implementation import call_of
from verifier.report.reproduction import reproduction
from verifier.runs.reader import Run
from verifier.runs.records import Implementation

Make = Callable[..., dict[str, Any]]
GELU = {"module": "jax.nn", "function": "gelu", "arguments": ["x"], "options": {"approximate": "False"}}


@pytest.mark.parametrize(
    ("arguments", "options", "call"),
    [
        (("x",), {}, "m.n.f(x)"),
        (("2", "x", "-0.5"), {"a": "None", "b": "'t'"}, "m.n.f(2, x, -0.5, a=None, b='t')"),
        ((), {}, "m.n.f()"),
        (("x)\nimport os  #",), {}, None),
        (("__import__('os')",), {}, None),
        (("x",), {"a": "[1]"}, None),
        (("x",), {"a=1, b": "2"}, None),
        (("lambda",), {}, None),
    ],
)
def test_a_call_is_shown_where_it_is_plainly_one(arguments, options, call) -> None:
    assert call_of(Implementation(module="m.n", function="f", arguments=arguments, options=options)) == call


@pytest.mark.parametrize("module", ["os; import x", "", "a..b", "import"])
def test_a_module_is_a_dotted_name(module: str) -> None:
    assert call_of(Implementation(module=module, function="f")) is None


def test_the_report_names_the_program(make_run: Callable[..., Run], verdict: Make, entry: Make) -> None:
    assert "<code>jax.nn.gelu(x, approximate=False)</code>" in render(make_run([entry(implementation=GELU), verdict()]))
    assert "computed by the program" not in render(make_run([entry(), verdict()]))


def test_a_hostile_name_is_escaped(make_run: Callable[..., Run], verdict: Make, entry: Make) -> None:
    hostile = {**GELU, "module": "<script>alert(1)</script>"}
    page = render(make_run([entry(implementation=hostile), verdict()]))
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page


def test_the_reproduction_calls_it(make_run: Callable[..., Run], verdict: Make, entry: Make) -> None:
    run = make_run([entry(implementation=GELU), verdict()])
    code = reproduction(run.entries[0], run.verdicts[0])
    assert code is not None
    assert "import jax.nn\n" in code
    assert "return jax.nn.gelu(x, approximate=False)" in code


def test_no_reproduction_runs_what_is_no_call(make_run: Callable[..., Run], verdict: Make, entry: Make) -> None:
    run = make_run([entry(implementation={**GELU, "arguments": ["print('x')"]}), verdict()])
    assert reproduction(run.entries[0], run.verdicts[0]) is None
