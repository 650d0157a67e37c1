"""Reproductions: short, with nothing but JAX, and they print what the finding says."""

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from verifier.report.findings import failing_numbers
from verifier.report.reproduction import LONGEST, reproduction
from verifier.runs.reader import Run

Make = Callable[..., dict[str, Any]]


def printed(code: str) -> str:
    environment = {**os.environ, "JAX_PLATFORMS": "cpu"}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, timeout=120
    ).stdout.strip()


def test_it_runs_and_shows_the_number(run: Run) -> None:
    finding = next(
        each for each in failing_numbers(run) if each.verdict.entry == "procurement" and each.verdict.order == 1
    )
    entry = next(each for each in run.entries if each.entry == "procurement")
    code = reproduction(entry, finding.verdict, finding.programs)
    assert code is not None
    assert len(code.splitlines()) <= LONGEST
    assert printed(code) in ("-inf", "nan")


@pytest.mark.parametrize(
    ("program", "order", "call"),
    [
        ("grad/eager", 1, "print(jax.grad(f)(x))"),
        ("grad/jit", 1, "print(jax.jit(jax.grad(f))(x))"),
        ("grad/remat", 1, "print(jax.jit(jax.grad(jax.checkpoint(f)))(x))"),
        ("jacfwd/vmap", 1, "print(jax.jit(jax.vmap(jax.jacfwd(f)))(x[None])[0])"),
        ("fwd-rev/eager", 2, "print(jax.jacfwd(jax.jacrev(f))(x))"),
        ("grad3/eager", 3, "print(jax.grad(jax.grad(jax.grad(f)))(x))"),
        ("value/jit", 0, "print(jax.jit(f)(x))"),
    ],
)
def test_every_mode_has_its_call(
    make_run: Callable[..., Run], verdict: Make, entry: Make, program: str, order: int, call: str
) -> None:
    run = make_run([entry(), verdict(program=program, order=order)])
    code = reproduction(run.entries[0], run.verdicts[0])
    assert code is not None
    assert call in code


def test_functions_constants_and_lists_are_jaxs(make_run: Callable[..., Run], verdict: Make, entry: Make) -> None:
    formula = {"text": "sum([tanh(x), max(0, x), pi]) + relu(x)"}
    run = make_run([entry(value=formula), verdict()])
    code = reproduction(run.entries[0], run.verdicts[0])
    assert code is not None
    assert "return jnp.sum(jnp.array([jnp.tanh(x), jnp.maximum(0, x), jnp.pi])) + jax.nn.relu(x)" in code


def test_a_contracted_program_is_shown_by_another_that_fails_alike(
    make_run: Callable[..., Run], verdict: Make, entry: Make
) -> None:
    run = make_run([entry(), verdict(program="jvp/jit")])
    assert reproduction(run.entries[0], run.verdicts[0]) is None
    assert reproduction(run.entries[0], run.verdicts[0], ("jvp/jit", "grad/jit")) is not None


HOSTILE = (
    "__import__('os').system('x')",
    "x.__class__",
    "(lambda: x)()",
    "[y for y in x]",
    "f'{x}'",
    "x := 1",
    "\n",
    "D(x, x)",
    "nosuch(x)",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_no_plain_formula_is_not_repeated_as_code(
    make_run: Callable[..., Run], verdict: Make, entry: Make, text: str
) -> None:
    run = make_run([entry(value={"text": text}), verdict()])
    assert reproduction(run.entries[0], run.verdicts[0]) is None


def test_names_and_comments_cannot_smuggle_code(make_run: Callable[..., Run], verdict: Make, entry: Make) -> None:
    evil = "a\nimport os"
    run = make_run([entry(definitions=[{"name": evil, "text": "x"}]), verdict()])
    assert reproduction(run.entries[0], run.verdicts[0]) is None
    run = make_run([entry(), verdict(worst={"truth": evil})])
    code = reproduction(run.entries[0], run.verdicts[0])
    assert code is not None
    assert "\nimport os" not in code


def test_long_formulas_and_large_points_have_none(make_run: Callable[..., Run], verdict: Make, entry: Make) -> None:
    steps = [{"name": f"a{k}", "text": "x"} for k in range(8)]
    run = make_run([entry(definitions=steps), verdict(), verdict(worst={"inputs": {}}, component="many")])
    assert reproduction(run.entries[0], run.verdicts[0]) is None
    run = make_run([entry(), verdict(worst={"inputs": {}})])
    assert reproduction(run.entries[0], run.verdicts[0]) is None
