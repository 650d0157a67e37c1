"""What is kept between runs: private, bounded, in the user's cache folder, and found again."""

from __future__ import annotations

import os
import random
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


def test_everything_is_in_the_users_cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.cache_home() == tmp_path / "derivative-verifier"
    assert cache.compilation_directory().parent == cache.cache_home()
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache.cache_home() == tmp_path / ".cache" / "derivative-verifier"


def test_a_store_gives_back_what_it_was_given(tmp_path):
    store = cache.Store(tmp_path)
    assert store.get("abcd") is None
    store.put("abcd", "Über f″")
    store.put("ab12", "other")
    store.put("abcd", "newer")
    assert (store.get("abcd"), store.get("ab12")) == ("newer", "other")


def test_a_store_that_cannot_be_written_keeps_nothing_and_says_nothing(tmp_path):
    (tmp_path / "ab").write_text("in the way")
    store = cache.Store(tmp_path)
    store.put("abcd", "text")
    assert store.get("abcd") is None


def test_what_was_not_used_for_longest_goes_first(tmp_path):
    noise = [f"{number}{random.Random(number).randbytes(500).hex()}" for number in range(4)]
    store = cache.Store(tmp_path, limit=3_000)
    for number, text in enumerate(noise):
        store.put(f"00{number}", text)
        os.utime(next(tmp_path.glob(f"00/{number}.*")), (number, number))
    store.get("000")
    sizes = sum(path.stat().st_size for path in tmp_path.glob("??/*"))
    cache.Store(tmp_path, limit=sizes - 1).trim()
    assert [store.get(f"00{number}") for number in range(4)] == [noise[0], None, noise[2], noise[3]]
