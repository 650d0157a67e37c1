"""The way of someone who has just installed this, by the commands that the README and the tutorial show.

The installation itself, and the run of the whole article, are the README's first command, which CI runs.
"""

from __future__ import annotations

import os
import re
import subprocess
import sysconfig
from pathlib import Path

import pytest

from verifier.runs.reader import read

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")

pytestmark = pytest.mark.slow


def _block(language: str, text: str) -> str:
    """The README's block of that language that holds this text."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.DOTALL | re.MULTILINE)
    [only] = [each for each in found if text in each]
    return only


def _command(start: str) -> str:
    """The README's command that begins so, in a block or in a line of text, without the virtual environment's path."""
    found = re.search(rf"(?:\.venv/bin/)?({re.escape(start)}[^`\n]*)", README)
    assert found, f"the README shows no command {start!r}"
    return found[1]


class Shell:
    """A terminal in a folder, with the installed commands on its path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        path = f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}"
        self.environment = {**os.environ, "PATH": path, "XDG_CACHE_HOME": str(folder / "cache"), "COLUMNS": "120"}

    def run(self, command: str, status: int = 0) -> str:
        """What the command prints; it must end with that exit status."""
        ran = subprocess.run(
            ["bash", "-euc", command],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == status, f"{command}: ended with {ran.returncode}\n{ran.stdout}{ran.stderr}"
        return ran.stdout


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    (tmp_path / "catalog").symlink_to(ROOT / "catalog")
    (tmp_path / "reports").mkdir()
    return Shell(tmp_path)


def test_the_article_s_command_on_one_entry(shell: Shell) -> None:
    """Twice: the second run has the first one's bytes, and nothing to tell when they are compared."""
    command = f"{_command('verifier run catalog/article.yaml')} --entry parabola --dtype float64 --program grad"
    shell.run(command)
    first = shell.folder / "reports" / "article.jsonl"
    [entry] = read(first).entries
    assert entry.entry == "parabola"
    assert "<html" in (shell.folder / "reports" / "article.html").read_text(encoding="utf-8")
    first.rename(shell.folder / "before.jsonl")
    shell.run(f"{command} --fresh")
    assert "Nothing got worse" in shell.run("verifier compare before.jsonl reports/article.jsonl")


def test_an_entry_with_a_wrong_claim_is_refuted(shell: Shell) -> None:
    """The README's own file, its own command; then the claim is corrected, and the two runs are compared."""
    mine = shell.folder / "mine.yaml"
    mine.write_text(_block("yaml", "id: steepest"), encoding="utf-8")
    command = f"{_command('verifier run mine.yaml')} --dtype float64 --program grad"
    printed = shell.run(f"{command} --out before.jsonl", status=1)
    assert "REFUTED sigmoid.steepest" in printed
    assert "0.25" in printed
    assert (shell.folder / "mine.html").exists()

    corrected = re.sub(r"printed: [\d.]+", "printed: 0.25", mine.read_text(encoding="utf-8"))
    mine.write_text(corrected, encoding="utf-8")
    shell.run(f"{command} --out after.jsonl")
    verdicts = {claim.claim: claim.verdict for claim in read(shell.folder / "after.jsonl").claims}
    assert verdicts == {"derivative": "CONFIRMED", "steepest": "CONFIRMED"}
    better = shell.run("verifier compare before.jsonl after.jsonl")
    assert "steepest" in better
    worse = shell.run("verifier compare after.jsonl before.jsonl", status=1)
    assert "steepest" in worse


def test_an_entry_that_new_writes_and_a_claim_that_is_added(shell: Shell) -> None:
    shell.run("verifier new 'x**2' --domain x=-1:1 --order 1 --out mine.yaml")
    mine = shell.folder / "mine.yaml"
    claim = (
        '    claims:\n      - {id: cube, says: "Its derivative is 3x.", identity: {left: "D(value, x)", right: 3*x}}\n'
    )
    mine.write_text(mine.read_text(encoding="utf-8").rstrip() + "\n" + claim, encoding="utf-8")
    assert "Its derivative is 3x." in shell.run("verifier run mine.yaml --dtype float64 --program grad", status=1)


def test_assert_derivatives_in_a_test_of_one_s_own(shell: Shell) -> None:
    """The README's test passes; the same with a wrong rule fails, and says which rule."""
    right = _block("python", "def test_my_function")
    (shell.folder / "test_mine.py").write_text(right, encoding="utf-8")
    assert "1 passed" in shell.run("pytest test_mine.py")

    wrong = (
        "import jax\n"
        + right.replace("lambda x: x * jnp.sin(x)", "sine")
        + (
            "\n\n@jax.custom_jvp\ndef sine(x):\n    return jnp.sin(x)\n\n\n"
            "sine.defjvp(lambda x, t: (sine(*x), -t[0] * jnp.cos(x[0])))\n"
        )
    )
    (shell.folder / "test_mine.py").write_text(wrong, encoding="utf-8")
    told = shell.run("pytest test_mine.py", status=1)
    assert "1 failed" in told
    assert "WRONG" in told


def test_one_s_own_function_on_the_command_line(shell: Shell) -> None:
    module = "import jax.numpy as jnp\n\n\ndef myfunction(x):\n    return x * jnp.sin(x)\n"
    (shell.folder / "mymodule.py").write_text(module, encoding="utf-8")
    assert "none fails" in shell.run(_command("verifier check mymodule:myfunction"))
