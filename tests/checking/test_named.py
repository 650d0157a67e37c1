"""`verifier check MODULE:FUNCTION`: a right function passes, a planted wrong rule fails, misuse is one clear error."""

from __future__ import annotations

import sys

import pytest
from click.testing import CliRunner

from verifier.cli import main

SOURCE = """
import jax
import jax.numpy as jnp

def product(x, v):
    return x * jnp.sum(jnp.sin(v))

@jax.custom_jvp
def flipped(x):
    return 1e-6 * jnp.sin(x)

def beside(x):
    return jax.lax.nextafter(x, 2.0) * x

def compared(x):
    return x if x > 0 else -x

def variable(x, *rest, **more):
    return x * x

def exits(x):
    raise SystemExit(7)

def raises(x):
    raise ValueError("not there")

@jax.custom_vjp
def cubed(x):
    return x**3

cubed.defvjp(lambda x: (x**3, x), lambda x, g: (3 * x**2 * g,))

flipped.defjvp(lambda primals, tangents: (flipped(*primals), -1e-6 * jnp.cos(primals[0]) * tangents[0]))
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    name = "functions_of_a_user"
    (tmp_path / f"{name}.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield name
    sys.modules.pop(name, None)


def run(*arguments):
    return CliRunner().invoke(main, ["check", *arguments])


def test_a_right_function_passes(module):
    result = run(f"{module}:product", "--at", "x=0.5", "--at", "v=[1, 2]")
    assert result.exit_code == 0, result.output
    assert "none fails" in result.output


def test_a_planted_sign_is_found_at_a_tiny_scale(module):
    result = run(f"{module}:flipped", "--at", "x=0.5")
    assert result.exit_code == 1
    assert "WRONG" in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["product", "--at", "x=1"], "names no function"),
        (["no_such_module_anywhere:f", "--at", "x=1"], "cannot import"),
        (["{}:nothing", "--at", "x=1"], "has no function nothing"),
        (["{}:product", "--at", "x=1"], "it needs v"),
        (["{}:product", "--at", "x=1", "--at", "v=2", "--at", "w=3"], "it has no w"),
        (["{}:product", "--at", "x=__import__('os')", "--at", "v=2"], "NAME=NUMBER"),
        (["{}:product", "--at", "x=1.0", "--at", "v=[[1,2],[3]]"], "lists of one length"),
        (["{}:product", "--at", "x=1.0", "--at", "v=[1,'a']"], "NAME=[NUMBER, ...]"),
        ([":product", "--at", "x=1"], "names no function"),
        (["{}:exits", "--at", "x=1.0"], "it raises SystemExit: 7"),
        (["{}:raises", "--at", "x=1.0"], "it raises ValueError: not there"),
        (["builtins:max", "--at", "x=1.0"], "have no names"),
    ],
)
def test_misuse_is_one_clear_error(module, arguments, message):
    result = run(*(each.format(module) for each in arguments))
    assert result.exit_code == 2
    assert message in result.output


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import sys\nsys.exit(0)\n", "SystemExit: 0"),
        ("def f(x) return x\n", "SyntaxError"),
        ("raise RuntimeError('not today')\n", "RuntimeError: not today"),
    ],
)
def test_a_module_that_does_not_load_is_one_clear_error(tmp_path, monkeypatch, source, message):
    (tmp_path / "broken_of_a_user.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    result = run("broken_of_a_user:f", "--at", "x=1.0")
    assert result.exit_code == 2
    assert result.output.startswith("cannot import broken_of_a_user: ")
    assert message in result.output
    assert len(result.output.splitlines()) == 1


@pytest.mark.parametrize(
    ("function", "options", "status"),
    [
        ("product", ["--at", "v=[1, 2]"], 0),
        ("flipped", [], 1),
        ("beside", [], 4),
        ("compared", [], 4),
        ("flipped", ["--program", "grad", "--program", "jacrev/remat"], 1),
        ("cubed", ["--program", "grad", "--program", "jacfwd"], 4),
        ("variable", [], 0),
    ],
)
def test_the_exit_status_tells_what_is_wrong_from_what_is_not_decided(module, function, options, status):
    result = run(f"{module}:{function}", "--at", "x=0.5", *options)
    assert result.exit_code == status, result.output


def test_the_table_of_primitives_names_each_gap():
    lines = CliRunner().invoke(main, ["primitives"]).output.splitlines()
    assert any(line.startswith("sin ") and "ball germ" in line for line in lines)
    assert all(len(line.split()) > 2 for line in lines if line.split()[1] == "-")
