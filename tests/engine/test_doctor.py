"""What the doctor says, and what it calls a fault."""

from __future__ import annotations

from importlib import metadata

from click.testing import CliRunner

from verifier.cli import main
from verifier.engine import doctor
from verifier.engine.doctor import Line, examine, text
from verifier.engine.run import PRELOAD


def test_a_sound_installation_has_status_0_and_names_everything():
    result = CliRunner().invoke(main, ["doctor"])
    assert result.exit_code == 0, result.output
    for name in ("jax", "sympy", "flint", "device cpu:0", "worker processes", "finished entries", "chromium", "torch"):
        assert f"\n{name} " in f"\n{result.stdout}"
    assert "\x1b" not in result.stdout


def test_a_missing_package_is_a_fault(monkeypatch):
    def missing():
        raise metadata.PackageNotFoundError("python-flint")

    monkeypatch.setattr(doctor, "versions", missing)
    assert next(iter(doctor._software())) == Line(
        "packages", "python-flint; install derivative-verifier again with its dependencies", fault=True
    )


def test_jax_that_does_not_start_is_a_fault():
    lines = examine((*PRELOAD[:1], "verifier.errors"))  # a module without `discover`
    faults = [line for line in lines if line.fault]
    assert [line.name for line in faults] == ["devices"]
    assert "MISSING: JAX does not start: AttributeError" in text(lines)
