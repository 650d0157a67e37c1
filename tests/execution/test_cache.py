"""The compilation cache is asked for, private, and found again."""

from __future__ import annotations

import stat
import subprocess
import sys

import jax
import pytest

from verifier.errors import UsageError
from verifier.execution import cache


@pytest.fixture
def restored():
    names = (
        "jax_compilation_cache_dir",
        "jax_persistent_cache_min_compile_time_secs",
        "jax_persistent_cache_min_entry_size_bytes",
    )
    before = {name: getattr(jax.config, name) for name in names}
    yield
    for name, value in before.items():
        jax.config.update(name, value)


def test_nobody_asks_by_default(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.asked_for({}) is None
    assert cache.asked_for({cache.VARIABLE: "1"}) == cache.cache_directory()
    assert cache.cache_directory().is_relative_to(tmp_path)
    assert cache.asked_for({cache.VARIABLE: str(tmp_path)}) == tmp_path


@pytest.mark.usefixtures("restored")
def test_the_directory_is_private(tmp_path):
    place = cache.use_compilation_cache(tmp_path / "deep" / "cache")
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert jax.config.jax_compilation_cache_dir == str(place)


@pytest.mark.usefixtures("restored")
def test_a_directory_that_others_can_write_to_is_refused(tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    with pytest.raises(UsageError, match="others can write"):
        cache.use_compilation_cache(shared)


def test_a_second_process_finds_what_the_first_compiled(tmp_path):
    code = (
        "import pathlib, sys; from verifier.execution import cache\n"
        "cache.use_compilation_cache(pathlib.Path(sys.argv[1]))\n"
        "import jax; print(jax.jit(lambda x: jax.numpy.sin(x) * 3.0)(0.5).item().hex())"
    )

    def run() -> tuple[str, set[str]]:
        command = [sys.executable, "-c", code, str(tmp_path / "cache")]
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        return text, {each.name for each in (tmp_path / "cache").iterdir() if each.name.endswith("-cache")}

    first, second = run(), run()
    assert first == second
    assert first[1]
