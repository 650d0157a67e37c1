"""Twenty real defects of JAX's derivatives: what still shows in the installed one is found, what is mended passes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy as jsp
import numpy as np
import pytest
import yaml
from jax import lax

import verifier
from verifier.checking.result import Judgement, Result

BUGS = {each["id"]: each for each in yaml.safe_load((Path(__file__).parent / "known_bugs.yaml").read_text())["bugs"]}

# (rule, number) of the finding that names the defect on JAX 0.10.2; None where it no longer shows.
FOUND: dict[str, tuple[str, str] | None] = {
    "jax-38098": ("RIGHT", "LOSSY"),
    "jax-37633": ("WRONG", "LOSSY"),
    "jax-39801": ("RIGHT", "LOSSY"),
    "jax-2380-pivot4": ("WRONG", "LOSSY"),
    "jax-39795": ("RIGHT", "LOSSY"),
    "jax-8732": ("WRONG", "NONFINITE"),
    "jax-694": ("RIGHT", "LOSSY"),
    "jax-3407": ("WRONG", "NONFINITE"),
    "jax-4177": ("WRONG", "NONFINITE"),
    "jax-347": ("WRONG", "NONFINITE"),
    "jax-40626": ("WRONG", "NONFINITE"),
    "jax-40628": ("WRONG", "LOSSY"),
    "jax-37821": ("RIGHT", "LOSSY"),
    "jax-40315": ("RIGHT", "LOSSY"),
    "jax-12402": ("WRONG", "LOSSY"),
    "jax-23842": None,
    "jax-1538": None,
    "jax-15598": None,
    "jax-11466-mod": None,
    "jax-11466-rem": None,
}
# The derivative of this one is right for its own primal, which computes another function than it is named after.
FORMULAS = {"jax-12402": "besselj(1, x)"}


def _numbers(value: Any, dtype: str) -> Any:
    if isinstance(value, list):
        return np.array([_numbers(each, dtype) for each in value], dtype=dtype)
    return np.array(float(value), dtype=dtype)


def _check(bug: dict[str, Any]) -> Result:
    names: dict[str, Any] = {"jax": jax, "jnp": jnp, "lax": lax, "jsp": jsp, "np": np}
    exec(bug["jax_code"], names)
    at = _numbers(bug["args"][0], bug["dtype"])
    return verifier.check(names["f"], at, orders=(bug["order"],), formula=FORMULAS.get(bug["id"]))


def _is_about(judgement: Judgement, bug: dict[str, Any]) -> bool:
    """The judgement of the very number that was reported, or of the value for a function that computes another one."""
    if bug["id"] in FORMULAS:
        return judgement.order == 0
    names = bug["vars"]
    index = names.index(bug["deriv"][0])
    subscript = np.unravel_index(index, np.shape(_numbers(bug["args"][0], bug["dtype"])))
    part = f"[{','.join(map(str, subscript))}]" if subscript else ""
    return judgement.component.split("/d")[-1].rstrip("2").endswith(part) and judgement.number is not None


def _order(bug: dict[str, Any]) -> int:
    return 0 if bug["id"] in FORMULAS else bug["order"]


def _shows(value: float, bug: dict[str, Any]) -> bool:
    """Whether a number that the installed JAX returns misses the recorded truth by half of its digits or more."""
    truth = float(bug["true_value"])
    return not abs(value - truth) <= np.sqrt(np.finfo(bug["dtype"]).eps) * abs(truth)


LONG = ("jax-2380-pivot4", "jax-8732", "jax-40626", "jax-694", "jax-15598", "jax-3407", "jax-12402", "jax-37633")


@pytest.mark.parametrize("name", [pytest.param(each, marks=[pytest.mark.slow] * (each in LONG)) for each in FOUND])
def test_the_defect_is_found_where_it_still_shows(name):
    bug, result = BUGS[name], _check(BUGS[name])
    about = [each for each in result.verdicts if each.order == _order(bug) and _is_about(each, bug)]
    if FOUND[name] is None:
        assert result.ok, str(result)
    elif name in FORMULAS or any(_shows(each.value, bug) for each in about):
        assert FOUND[name] in {(each.rule, each.number) for each in about if each.fails}, str(result)
        assert "reproduce" in str(result)
    else:
        assert about
        assert not any(each.fails for each in about), str(result)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, found in FOUND.items() if found and name not in FORMULAS])
def test_the_truth_is_the_recorded_one(name):
    bug, result = BUGS[name], _check(BUGS[name])
    if bug["dtype"] == "float64" or "expr_note" not in bug:
        (truth,) = {each.truth for each in result.verdicts if each.order == bug["order"] and _is_about(each, bug)}
        # A float32 primal may itself be a truncated series: its truth is near that of the function it is named after.
        room = 1e-13 if bug["dtype"] == "float64" else 1e-8
        assert abs(float(truth) - float(bug["true_value"])) <= room * abs(float(bug["true_value"]))


def test_the_table_names_every_defect():
    assert set(FOUND) == set(BUGS)
