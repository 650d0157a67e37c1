"""Reproductions: short, with nothing but JAX, and they print what the finding says."""

import math
import os
import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from verifier.report.findings import failing_numbers
from verifier.report.html import render
from verifier.report.reproduction import LONGEST, missing_because, reproduction
from verifier.report.rule_verdicts import failing_rules
from verifier.runs.reader import Run, read

Make = Callable[..., dict[str, Any]]


@cache
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


def test_jet_is_shown_for_functions_of_one_number(make_run: Callable[..., Run], verdict: Make, entry: Make) -> None:
    worst = {"value": "0x1p+1", "decimal": "2.0"}
    run = make_run([entry(), verdict(program="jet/jit", order=2, worst=worst)])
    code = reproduction(run.entries[0], run.verdicts[0])
    assert code is not None
    assert says(code, run.verdicts[0])


def test_data_that_the_formula_does_not_use_are_left_out(
    make_run: Callable[..., Run], verdict: Make, entry: Make
) -> None:
    data = [{"name": name, "shape": [], "bits": ["0x1p+0"]} for name in ("used", "unused")]
    run = make_run([entry(value={"text": "x*used"}, data=data), verdict()])
    code = reproduction(run.entries[0], run.verdicts[0])
    assert code is not None
    assert "unused" not in code


PLANE = {"value": {"text": "x**2*y"}, "inputs": [{"name": "x"}, {"name": "y"}]}
AT = {"x": [{"hex": "0x1.8p+0", "decimal": "1.5"}], "y": [{"hex": "0x1p+1", "decimal": "2.0"}]}


def wrong_rule(**changes: Any) -> dict[str, Any]:
    """A record of a rule that exact arithmetic refuted, for x**2*y at (1.5, 2)."""
    worst = {"point": 0, "inputs": AT, "value": "6", "truth": "7"}
    plain = {"kind": "rule", "entry": "e", "order": 1, "program": "grad", "dtype": "float64", "component": "d/dx"}
    return {**plain, "verdict": "WRONG", "fails": True, "worst": worst, **changes}


@pytest.mark.parametrize(
    ("program", "order", "number"),
    [
        ("grad", 1, 6.0),
        pytest.param("jacrev/remat", 1, 6.0, marks=pytest.mark.slow),
        pytest.param("jacfwd/vmap", 1, 6.0, marks=pytest.mark.slow),
        pytest.param("fwd-rev", 2, 3.0, marks=pytest.mark.slow),
        pytest.param("jacfwd3", 3, 2.0, marks=pytest.mark.slow),
    ],
)
def test_a_wrong_rule_is_reproduced_in_all_its_inputs(
    make_run: Callable[..., Run], entry: Make, program: str, order: int, number: float
) -> None:
    (rule,) = make_run([wrong_rule(program=program, order=order)]).rules
    (found,) = make_run([entry(**PLANE), wrong_rule()]).entries
    code = reproduction(found, rule)
    assert code is not None
    assert len(code.splitlines()) <= LONGEST
    assert "exactly 6; the truth is 7" in code
    assert number in shown(code)


def test_the_page_reproduces_a_wrong_rule_or_says_why_not(make_run: Callable[..., Run], entry: Make) -> None:
    assert "print(jax.grad(f, argnums=(0, 1))(x, y))" in render(make_run([entry(**PLANE), wrong_rule()]))
    page = render(make_run([entry(**PLANE), wrong_rule(program="vjp")]))
    assert "No short reproduction with JAX alone: the program multiplies by vectors" in page


def test_a_long_comment_stands_on_a_line_of_its_own(make_run: Callable[..., Run], entry: Make) -> None:
    worst = {"point": 0, "inputs": AT, "value": "6", "truth": "left " + 90 * "7"}
    run = make_run([entry(**PLANE), wrong_rule(worst=worst)])
    code = reproduction(run.entries[0], run.rules[0])
    assert code is not None
    assert [line[:2] for line in code.splitlines()[-2:]] == ["# ", "pr"]


def test_a_number_of_two_inputs_is_reproduced(make_run: Callable[..., Run], verdict: Make, entry: Make) -> None:
    worst = {"inputs": AT, "value": "0x1.8p+2", "decimal": "6.0"}
    run = make_run([entry(**PLANE), verdict(worst=worst), verdict(worst={"inputs": {"x": AT["x"]}})])
    code = reproduction(run.entries[0], run.verdicts[0])
    assert code is not None
    assert says(code, run.verdicts[0])
    assert reproduction(run.entries[0], run.verdicts[1]) is None


def test_what_has_none_says_why(make_run: Callable[..., Run], verdict: Make, entry: Make) -> None:
    run = make_run([entry(), verdict(program="jvp/jit"), verdict(component="d/dy", program="grad/jit")])
    assert missing_because(run.entries[0], run.verdicts[0]) == "the program multiplies by vectors that the run chose"
    assert missing_because(run.entries[0], run.verdicts[1]) == ""


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


def shown(code: str) -> tuple[float, ...]:
    """All numbers that a reproduction prints."""
    text = re.sub(r"Array\(|dtype=\w+|[][(),]", " ", printed(code))
    return tuple(float(each) for each in text.split())


def says(code: str, verdict: Any) -> bool:
    """Whether the recorded value is among the printed numbers, as far as they are printed: NumPy's shortest digits."""
    recorded = float.fromhex(verdict.worst.value)
    return any(
        each == recorded or (math.isnan(each) and math.isnan(recorded)) or math.isclose(each, recorded, rel_tol=1e-6)
        for each in shown(code)
    )


def test_another_number_would_be_noticed(make_run: Callable[..., Run], verdict: Make, entry: Make) -> None:
    run = make_run([entry(), verdict(worst={"value": "0x1p+1", "decimal": "2.0"})])
    code = reproduction(run.entries[0], run.verdicts[0])
    assert code is not None
    assert says(code, run.verdicts[0])
    run = make_run([entry(), verdict(worst={"value": "0x1.8p+1", "decimal": "3.0"})])
    assert not says(code, run.verdicts[0])


@pytest.mark.slow
def test_every_reproduction_of_the_article_shows_its_number(tmp_path: Path) -> None:
    """The entries of the article whose numbers fail, verified anew: each reproduction prints what the run recorded."""
    out = tmp_path / "run.jsonl"
    chosen = [f"--entry={each}" for each in ("scalar-fn", "price-variance", "tanh-squared", "relu")]
    subprocess.run(
        [sys.executable, "-m", "verifier", "run", "catalog/article.yaml", *chosen, "--quiet", "--out", str(out)],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "JAX_PLATFORMS": "cpu"},
        check=False,
        timeout=1500,
    )
    run = read(out)
    entries = {each.entry: each for each in run.entries}
    tried = 0
    for finding in failing_numbers(run):
        code = reproduction(entries[finding.verdict.entry], finding.verdict, finding.programs)
        if code is not None:
            tried += 1
            assert len(code.splitlines()) <= LONGEST
            assert says(code, finding.verdict), code
    assert tried


@pytest.mark.slow
def test_every_reproduction_of_a_wrong_rule_of_jax_shows_what_exact_arithmetic_says(tmp_path: Path) -> None:
    """Functions of JAX whose rules are proven wrong: each reproduction prints what the derivative program returns."""
    out = tmp_path / "run.jsonl"
    chosen = [f"--entry={each}" for each in ("np-i0", "np-hypot", "sp-gammainc-2")]
    narrow = [
        "--allow-imports",
        "--dtype=float64",
        "--program=grad",
        "--program=grad2",
        "--program=fwd-rev",
        "--samples=4",
    ]
    subprocess.run(
        [sys.executable, "-m", "verifier", "run", "catalog/jax.yaml", *chosen, *narrow, "--quiet", "--out", str(out)],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "JAX_PLATFORMS": "cpu"},
        check=False,
        timeout=1500,
    )
    run = read(out)
    entries = {each.entry: each for each in run.entries}
    found = failing_rules(run)
    assert found
    for finding in found:
        code = reproduction(entries[finding.rule.entry], finding.rule, finding.programs)
        assert code is not None
        assert finding.rule.worst is not None
        said = float(finding.rule.worst.value)
        is_nan = math.isnan(said)
        assert any(math.isnan(each) if is_nan else math.isclose(each, said, rel_tol=1e-6) for each in shown(code))
