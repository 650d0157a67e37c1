"""What is kept between runs, under the user's cache folder: finished entries, and XLA's compiled programs."""

from __future__ import annotations

import gzip
import hashlib
import os
import platform
import stat
import zlib
from contextlib import suppress
from importlib import metadata
from pathlib import Path

from verifier.errors import UsageError
from verifier.execution.provenance import processor

__all__ = ["Store", "cache_home", "compilation_directory", "private", "use_compilation_cache"]

_LIMIT = 2**30
"""Bytes of all finished entries; what was not used for longest goes first."""


def cache_home() -> Path:
    """The folder for everything that this package keeps between runs."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "derivative-verifier"


def private(place: Path) -> Path:
    """Make a folder that only its owner may write to; raises UsageError where others could, OSError where it fails."""
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = place.stat()
    owner = getattr(os, "getuid", lambda: status.st_uid)()
    if status.st_uid != owner or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise UsageError(f"{place}: others can write to this cache; remove it or give it mode 0700")
    return place


def compilation_directory() -> Path:
    """The folder for XLA's programs, one for each jaxlib version and kind of processor."""
    machine = hashlib.sha256(f"{platform.machine()}:{processor()}".encode()).hexdigest()[:12]
    return cache_home() / f"xla-{metadata.version('jaxlib')}-{machine}"


def use_compilation_cache(directory: Path | None = None) -> Path:
    """Let JAX keep what it compiles, before it compiles anything; returns the folder.

    What lies there is run as code: raises UsageError when others own it or may write to it.
    """
    import jax

    place = private(directory or compilation_directory())
    jax.config.update("jax_compilation_cache_dir", str(place))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    return place


class Store:
    """Texts by key (hexadecimal digits) in a private folder. What cannot be read is not there."""

    def __init__(self, place: Path, *, limit: int = _LIMIT) -> None:
        self._place = place
        self._limit = limit

    def get(self, key: str) -> str | None:
        """The text of a key; None where there is none, or none that can be read."""
        path = self._path(key)
        try:
            text = gzip.decompress(path.read_bytes()).decode()
            os.utime(path)
        except (OSError, EOFError, ValueError, zlib.error):
            return None
        return text

    def put(self, key: str, text: str) -> None:
        """Keep a text, in one step; a full or read-only disk keeps nothing."""
        path = self._path(key)
        partial = path.with_suffix(f".{os.getpid()}")
        with suppress(OSError):
            path.parent.mkdir(mode=0o700, exist_ok=True)
            partial.write_bytes(gzip.compress(text.encode(), compresslevel=3, mtime=0))
            os.replace(partial, path)

    def trim(self) -> None:
        """Remove what was not used for longest, until all is within the limit."""
        with suppress(OSError):
            files = [(path, path.stat()) for path in self._place.glob("??/*")]
            excess = sum(status.st_size for _, status in files) - self._limit
            for path, status in sorted(files, key=lambda each: each[1].st_mtime):
                if excess <= 0:
                    break
                path.unlink(missing_ok=True)
                excess -= status.st_size

    def _path(self, key: str) -> Path:
        return self._place / key[:2] / f"{key[2:]}.json.gz"
