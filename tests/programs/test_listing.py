"""Listings are interpreted as Python would run them: compared bit by bit with its own run of the same text."""

from __future__ import annotations

import contextlib
import io
import re
import sys
import types
from pathlib import Path
from typing import Any
from unittest import mock

import jax
import numpy as np
import pytest

from verifier.errors import UsageError
from verifier.model.catalog import FromListing, Listing
from verifier.programs.listing import run_listings, value_of
from verifier.programs.listing_runs import ListingRun

FIXTURES = Path(__file__).parent / "fixtures"
ARTICLE = (FIXTURES / "article_listings.txt").read_text(encoding="utf-8")


def cells(text: str) -> list[Listing]:
    """A notebook's text, split at its `# %% id` lines."""
    parts = re.split(r"^# %% (.*)\n", text, flags=re.MULTILINE)[1:]
    return [Listing(id=name, section="s", code=code) for name, code in zip(parts[::2], parts[1::2], strict=True)]


def one(code: str, **options: Any) -> ListingRun:
    return run_listings([Listing(id="cell", section="s", code=code)], **options)[0]


def python(listings: list[Listing]) -> list[tuple[str, list[str], dict[str, Any]]]:
    """What Python itself does with the listings: exception, printed lines, variables."""
    names: dict[str, Any] = {}
    found = []
    plots = types.ModuleType("matplotlib")
    plots.cm = types.SimpleNamespace()  # pyright: ignore
    for listing in listings:
        output, exception = io.StringIO(), ""
        with (
            mock.patch.dict(sys.modules, {"matplotlib": plots}),
            jax.enable_x64(False),
            contextlib.redirect_stdout(output),
        ):
            try:
                exec(listing.code, names)  # trusted text of this repository
            except Exception as error:
                exception = type(error).__name__
        found.append(
            (exception, output.getvalue().removesuffix("\n").split("\n") if output.getvalue() else [], dict(names))
        )
    return found


def bits(value: object) -> object:
    """Something that is equal only for the same structure, dtypes, shapes and bits."""
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [bits(item) for item in value]
    if isinstance(value, (np.ndarray, np.generic, jax.Array)):
        array = np.asarray(value)
        return str(array.dtype), array.shape, array.tobytes()
    return (type(value).__name__, value.hex()) if isinstance(value, float) else value


def assert_as_python(listings: list[Listing]) -> tuple[ListingRun, ...]:
    runs = run_listings(listings)
    for run, (exception, printed, names) in zip(runs, python(listings), strict=True):
        assert run.status == ("raised" if exception else "ok"), (run.id, run.message)
        assert run.exception == exception
        assert list(run.printed) == printed
        for name, value in run.variables.items():
            assert bits(value) == bits(names[name]), (run.id, name)
    return runs


@pytest.mark.slow
def test_whole_article_runs_as_python_runs_it() -> None:
    runs = {run.id: run for run in assert_as_python(cells(ARTICLE))}
    assert {name: (run.exception, run.line) for name, run in runs.items() if run.status != "ok"} == {
        "field": ("NameError", 3),
        "descent": ("NameError", 19),
        "network": ("NameError", 46),
    }
    assert runs["scan"].printed[0] == "Optimal ω = 1.000"
    assert runs["jit"].entered["training_step"] == 1
    assert runs["network"].trips == (2000,)


def notebooks() -> dict[str, str]:
    """Small notebooks by name, each about one thing that Python does."""
    parts = re.split(r"^### (.*)\n", (FIXTURES / "python_cells.txt").read_text(encoding="utf-8"), flags=re.MULTILINE)[
        1:
    ]
    return dict(zip(parts[::2], parts[1::2], strict=True))


CELLS = notebooks()


@pytest.mark.parametrize("name", [pytest.param(each, marks=[pytest.mark.slow] * (each == "jax")) for each in CELLS])
def test_meaning_is_pythons(name: str) -> None:
    assert_as_python(cells(CELLS[name]))


def test_line_is_the_innermost_of_the_listing_itself() -> None:
    runs = run_listings(cells("# %% a\ndef f():\n\n    return missing\n# %% b\nx = 1\ny = [\n    1,\n    f(),\n]\n"))
    assert (runs[1].exception, runs[1].line) == ("NameError", 4)
    assert one("def f():\n    return missing\nf()\n").line == 2


def test_float32_whatever_the_process_says() -> None:
    code = "import jax, jax.numpy as jnp\nx = jnp.array(0.1)\ny = jax.random.normal(jax.random.PRNGKey(42), (3,))\n"
    with jax.enable_x64(True):
        wide = one(code)
    assert str(wide.variables["x"].dtype) == "float32"  # pyright: ignore
    assert bits(wide.variables["y"]) == bits(one(code).variables["y"])


def test_traces_are_counted() -> None:
    run = one(
        "import jax\ndef f(x):\n    return x + 1\ng = jax.jit(f)\nfor _ in range(5):\n    f(1.0)\n"
        "f(1)\nfor _ in range(3):\n    g(1.0)\n"
    )
    assert run.entered == {"f": 7}
    assert run.trips == (5, 3)
    assert run.kernels == {"f": 1}


def test_snapshots_do_not_change_later() -> None:
    first, second = run_listings(
        cells("# %% a\nimport numpy as np\nx = [1]\ny = np.zeros(2)\n# %% b\nx.append(2)\ny[0] = 5.0\n")
    )
    assert (first.variables["x"], second.variables["x"]) == ([1], [1, 2])
    assert first.variables["y"][0] == 0.0  # pyright: ignore
    assert second.variables["y"][0] == 5.0  # pyright: ignore


def test_plots_are_recorded_only_when_imported() -> None:
    code = (
        "fig, ax = plt.subplots(figsize=(8, 6))\nax.contourf([1, 2], levels=20, cmap=cm.coolwarm)\n"
        "plt.plot([0, 1], label='a')\nplt.show()\n"
    )
    assert (one(code).exception, one(code).line) == ("NameError", 1)
    run = one("import matplotlib.pyplot as plt\nfrom matplotlib import cm\n" + code)
    assert run.status == "ok"
    assert [call.name for call in run.drawn] == ["subplots", "contourf", "plot", "show"]
    assert (run.drawn[1].arguments, run.drawn[1].keywords) == (([1, 2],), {"levels": 20, "cmap": "coolwarm"})


def test_value_of_is_exact() -> None:
    run = one(
        "import jax.numpy as jnp\np = [(jnp.array([0.1, 0.2]), 3.0)]\nh = [0.0, jnp.array(0.1)]\n"
        "f = abs\nbad = [1, [2]]\n"
    )
    value = value_of(run, FromListing(listing="cell", variable="p", path=(0, 0)))
    assert (value.dtype, value.array.dtype, value.array.tolist()) == (
        "float32",
        np.float64,
        [float(np.float32(0.1)), float(np.float32(0.2))],
    )
    assert value_of(run, FromListing(listing="cell", variable="h")).dtype == "float32"
    for variable, path in [("q", ()), ("f", ()), ("bad", ()), ("p", (3,)), ("p", ("w",))]:
        with pytest.raises(UsageError, match="cell"):
            value_of(run, FromListing(listing="cell", variable=variable, path=path))


def test_large_batches_that_fit_are_not_refused() -> None:
    run = one(
        "import jax, jax.numpy as jnp\nW = jnp.ones((1000, 1000))\n"
        "y = jax.vmap(lambda m, v: m @ v, in_axes=(None, 0))(W, jnp.ones((10, 1000)))\n"
        "z = jax.vmap(jnp.dot)(jnp.ones((10**5, 3)), jnp.ones((10**5, 3)))\n"
        "s = jax.jit(jnp.sin)(1.0) + jax.grad(jnp.sin)(1.0)\n"
        "d = jnp.ones(20_000) - jnp.ones(20_000)\n"
    )
    assert run.status == "ok", run.message
