"""What is loaded when: the package and its help are light, and `python -m verifier` is the command."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

import verifier

HEAVY = ("jax", "jaxlib", "sympy", "flint", "numpy", "yaml", "pydantic", "rich", "jinja2")


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=120)


def loaded_after(code: str) -> set[str]:
    """Which heavy libraries a fresh interpreter has loaded after the code."""
    done = python("-c", f"{code}\nimport sys, json\nprint(json.dumps(sorted(set(sys.modules) & set({HEAVY!r}))))")
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_detector_of_heavy_libraries_works():
    assert loaded_after("import numpy") == {"numpy"}


def test_importing_the_package_loads_nothing_heavy():
    assert loaded_after("import verifier, verifier.cli, verifier.errors, verifier.model.catalog") == set()


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["report", "--help"], ["--version"]])
def test_help_loads_nothing_heavy(arguments):
    code = (
        "from click.testing import CliRunner\nfrom verifier.cli import main\n"
        f"assert CliRunner().invoke(main, {arguments!r}).exit_code == 0"
    )
    assert loaded_after(code) == set()


def test_help_takes_less_than_a_third_of_a_second():
    """Of a processor: what else the machine does is not the command's doing."""

    def seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert python("-m", "verifier", "--help").returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(seconds() for _ in range(5)) < 0.3


ARTICLE = (Path(__file__).parents[1] / "catalog" / "article.yaml").as_posix()


@pytest.mark.parametrize(
    ("typed", "expected", "loaded"),
    [
        ("verifier exp", {"plain,explain"}, set()),
        ("verifier run --resu", {"plain,--resume"}, set()),
        ("verifier run c.yaml --dtype bf", {"plain,bfloat16"}, set()),
        (f"verifier run {ARTICLE} --entry tan", {"plain,tangent-line", "plain,tanh-squared"}, {"yaml", "pydantic"}),
        (f"verifier explain {ARTICLE} parab", {"plain,parabola"}, {"yaml", "pydantic"}),
        ("verifier explain no-such.yaml parab", set(), {"yaml", "pydantic"}),
    ],
)
def test_the_shell_completes_without_anything_heavy(typed, expected, loaded):
    place = str(len(typed.split()) - 1)
    code = f"""if True:
        import os, sys
        from verifier.cli import main
        os.environ.update(COMP_WORDS={typed!r}, COMP_CWORD={place!r}, _VERIFIER_COMPLETE="bash_complete")
        try:
            main(prog_name="verifier")
        except SystemExit:
            print(sorted(set(sys.modules) & set({HEAVY!r})))
    """
    *offered, heavy = filter(None, python("-c", code).stdout.splitlines())
    assert set(offered) == expected
    assert set(json.loads(heavy.replace("'", '"'))) <= loaded


def test_the_module_is_the_command():
    module = python("-m", "verifier", "--version")
    command = python("-c", "import sys; from verifier.cli import main; sys.argv[0] = 'verifier'; main()", "--version")
    assert module.returncode == command.returncode == 0
    assert module.stdout == command.stdout == f"verifier, version {verifier.__version__}\n"


def test_the_module_s_help_calls_itself_by_the_command_s_name():
    module = python("-m", "verifier", "run", "--help")
    assert module.returncode == 0
    assert "Verify every derivative and every claim" in module.stdout
