"""For all tests: XLA offers two host devices, which has to be asked for before any test starts a backend; and runs made
by hand, without a file.
"""

import verifier.execution.devices  # noqa: F401

# isort: split
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import pytest

from verifier.runs import records
from verifier.runs.reader import Run

LONGEST = ("test_training.py", "test_reproduction.py", "test_docs.py")
"""The files that take minutes, longest first: they begin first, so that no worker waits for them at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.name, len(place)))


@pytest.fixture(scope="session")
def losing_in_tanh() -> str:
    """The primitive that loses the bits of JAX's tanh' where it saturates: since 0.11 1 - tanh^2 has one of its own."""
    program = jax.make_jaxpr(jax.grad(jnp.tanh))(1.0)
    (found,) = {each.primitive.name for each in program.jaxpr.eqns} & {"sub", "one_minus_square"}
    return found


@pytest.fixture
def run_of() -> Callable[..., Run]:
    """A run of the given records; one entry record is made for every entry that they name."""

    def make(*found: Any, digest: str = "d", started: str = "", **versions: str) -> Run:
        names = dict.fromkeys(each.entry for each in found)
        given = {each.entry: each for each in found if isinstance(each, records.Entry)}
        return Run(
            header=records.Header(
                format=records.FORMAT, catalog=records.CatalogOf(title="Made", file="made.yaml", digest=digest)
            ),
            provenance=records.Provenance(versions=versions, started=started),
            entries=tuple(given.get(name) or records.Entry(entry=name, title=name, section="s") for name in names),
            verdicts=tuple(each for each in found if isinstance(each, records.Verdict)),
            rules=tuple(each for each in found if isinstance(each, records.Rule)),
            claims=tuple(each for each in found if isinstance(each, records.Claim)),
            coverage=records.Coverage(),
            end=records.End(),
        )

    return make


@pytest.fixture
def number() -> Callable[..., records.Verdict]:
    """A verdict record of `e` at order 1 by grad/jit in float32."""

    def make(verdict: str = "ACCURATE", lost: float | None = None, primitive: str = "", **changes: Any) -> Any:
        blame = records.Blame(who="rounding", primitive=primitive) if primitive else None
        worst = records.Worst(
            point=0, label="x = 1", value="0x0p+0", decimal="0.0", truth="1.5", lost_bits=lost, blame=blame
        )
        plain = {
            "entry": "e",
            "order": 1,
            "program": "grad/jit",
            "dtype": "float32",
            "device": "cpu:0",
            "component": "d/dx",
            "verdict": verdict,
            "worst": worst,
        }
        return records.Verdict(**{**plain, **changes})

    return make


@pytest.fixture
def rule() -> Callable[..., records.Rule]:
    """A rule record of `e` at order 1 by grad."""

    def make(verdict: str = "RIGHT", **changes: Any) -> Any:
        plain = {
            "entry": "e",
            "order": 1,
            "program": "grad",
            "dtype": "float64",
            "component": "d/dx",
            "verdict": verdict,
        }
        return records.Rule(**{**plain, **changes})

    return make


@pytest.fixture
def claim() -> Callable[..., records.Claim]:
    """A claim of `e`."""

    def make(verdict: str = "CONFIRMED", **changes: Any) -> Any:
        plain = {"entry": "e", "claim": "c", "says": "so it is", "section": "s", "verdict": verdict}
        return records.Claim(**{**plain, **changes})

    return make


@pytest.fixture(autouse=True)
def _own_cache_folder(monkeypatch, tmp_path_factory):
    """No test reads or fills the user's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
