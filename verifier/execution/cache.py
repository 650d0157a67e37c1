"""JAX's persistent compilation cache, for those who ask for it: a later run loads what an earlier one compiled."""

from __future__ import annotations

import hashlib
import os
import platform
import stat
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import jax

from verifier.errors import UsageError
from verifier.execution.provenance import processor

__all__ = ["VARIABLE", "asked_for", "cache_directory", "use_compilation_cache"]

VARIABLE = "VERIFIER_COMPILATION_CACHE"
"""Environment variable: a directory, or `1` for the one under the user's cache folder; unset or empty for no cache."""


def use_compilation_cache(directory: Path | None = None) -> Path:
    """Turn the cache on, before JAX compiles anything; returns the directory, by default in the user's cache folder.

    What lies there is run as code. It is made with mode 0700; raises UsageError when others own it or may write to it.
    """
    place = directory or cache_directory()
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    _require_private(place)
    jax.config.update("jax_compilation_cache_dir", str(place))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    return place


def asked_for(environment: Mapping[str, str]) -> Path | None:
    """The directory that the environment asks for; None where it asks for no cache."""
    value = environment.get(VARIABLE, "")
    return cache_directory() if value == "1" else Path(value) if value else None


def cache_directory() -> Path:
    """The directory under the user's cache folder, one for each jaxlib version and kind of processor."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    machine = hashlib.sha256(f"{platform.machine()}:{processor()}".encode()).hexdigest()[:12]
    return home / "derivative-verifier" / f"xla-{metadata.version('jaxlib')}-{machine}"


def _require_private(place: Path) -> None:
    status = place.stat()
    owner = getattr(os, "getuid", lambda: status.st_uid)()
    if status.st_uid != owner or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise UsageError(f"{place}: others can write to this compilation cache; remove it or give it mode 0700")
