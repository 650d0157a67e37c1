"""What an earlier run has found about the same thing: the digests that say what "the same" is. Starts no JAX.

An entry's key covers its text, the listings where it rests on any, the options that matter, the devices, the versions
of every library involved, this package's own source, the processor and the environment that JAX reads. Nothing that
could change a verdict is left out; where a text changes that could not, the entry is verified once more.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

from verifier.coverage.source import listings_of
from verifier.engine.options import Options
from verifier.engine.targets import Offered
from verifier.execution.cache import Store, cache_home, private
from verifier.execution.host import split_host
from verifier.execution.provenance import machine, processor, versions
from verifier.model.catalog import Catalog, Entry, Listing
from verifier.runs.json_form import Malformed, dumps, loads
from verifier.runs.outcome import Outcome

__all__ = ["Reuse", "canonical", "like_machines", "run_identity", "surroundings"]

_LIBRARIES = ("jax", "ml_dtypes", "mpmath", "numpy", "nvidia", "libtpu", "opt_einsum", "python_flint", "scipy", "sympy")
"""Installed distributions whose names begin so count with their versions."""
_VARIABLES = ("CUDA_", "HIP_", "JAX_", "LD_LIBRARY_PATH", "LIBTPU_", "NVIDIA_", "OMP_", "ROCR_", "TF_", "TPU_", "XLA_")
"""Environment variables whose names begin so count with their values."""
_ACCELERATORS = (
    "/dev/accel*",
    "/dev/dxg",
    "/dev/kfd",
    "/dev/nvidia[0-9]*",
    "/proc/driver/nvidia/version",
    "/proc/driver/nvidia/gpus/*/information",
)
_NO_VERDICTS = ("report", "compare", "cli.py")
"""Parts of this package that only read what was found."""


def surroundings() -> Mapping[str, str]:
    """What all entries of a run have in common, apart from options and devices: the name of each part -> a digest."""
    return {
        "the versions": _digest([dict(versions()), sorted(_distributions())]),
        "the verifier": _digest(dict(_source())),
        "the machine": _digest([machine(), platform.machine(), _features(), dict(_accelerators())]),
        "the environment": _digest(_environment()),
    }


def like_machines(around: Mapping[str, str]) -> Mapping[str, str]:
    """The surroundings without what tells two machines of one kind apart: how many cores and which of its devices a
    process gets, and the devices' serial numbers. What the devices are is compared when JAX has found them.
    """
    processors = [platform.system(), processor(), platform.machine(), _features()]
    environment = {name: value for name, value in _environment().items() if not name.endswith("_VISIBLE_DEVICES")}
    return {**around, "the machine": _digest(processors), "the environment": _digest(environment)}


def run_identity(catalog: Catalog, options: Options, around: Mapping[str, str]) -> Mapping[str, str]:
    """What makes a run this run and no other, by part."""
    return {"the catalog": catalog.digest, "the options": _digest(canonical(options.decisive)), **around}


@dataclass(frozen=True)
class Reuse:
    """Finished entries of earlier runs, and what their listings showed.

    Everything is a miss where there is no cache, or the user wants none.
    """

    catalog: Catalog
    options: Options
    around: Mapping[str, str]

    @cached_property
    def _store(self) -> Store | None:
        if not self.options.cache:
            return None
        with suppress(OSError):  # no home, a read-only disk: then nothing is kept
            return Store(private(cache_home() / "entries"))
        return None

    def devices(self) -> Offered | None:
        """The devices that an earlier run found in these surroundings."""
        found = self._get(self._devices_key)
        with suppress(Malformed):
            return None if found is None else loads(Offered, found)
        return None

    def keep_devices(self, offered: Offered) -> None:
        """Remember the devices for the next run."""
        self._put(self._devices_key, dumps(offered))

    def listings(self, needed: tuple[Listing, ...]) -> str | None:
        """What an earlier run has found about the source's listings, those that are needed or all of them."""
        from verifier.programs.listing_runs import read_runs  # with ml_dtypes, which few runs need here

        for listings in dict.fromkeys((needed, self.catalog.listings)):
            found = self._get(self._listings_key(listings))
            with suppress(ValueError):
                if found is not None:
                    read_runs(found)
                    return found
        return None

    def keep_listings(self, listings: tuple[Listing, ...], found: str) -> None:
        """Remember what running these listings showed for the next run."""
        self._put(self._listings_key(listings), found)

    def entry(self, entry: Entry, offered: Offered) -> Outcome | None:
        """What an earlier run has found about the entry."""
        found = self._get(self._key(entry, offered)) if _is_known(entry) else None
        with suppress(Malformed):
            return None if found is None else loads(Outcome, found)
        return None

    def keep(self, entry: Entry, offered: Offered, outcome: Outcome) -> None:
        """Keep what was found, unless the entry FAILED or its program is unknown."""
        if _is_known(entry) and outcome.entry.status != "FAILED" and not outcome.transient:
            self._put(self._key(entry, offered), dumps(outcome))

    def trim(self) -> None:
        """Keep the cache within its limit."""
        if self._store is not None:
            self._store.trim()

    @property
    def _devices_key(self) -> str:
        return _digest(["devices", self.around])

    def _listings_key(self, listings: tuple[Listing, ...]) -> str:
        return _digest(["listings", self.around, canonical(listings)])

    def _key(self, entry: Entry, offered: Offered) -> str:
        listings = self.catalog.listings if listings_of(entry) else ()
        parts = (replace(entry, acknowledged=()), listings, self.options.decisive, offered)
        return _digest(["entry", self.around, canonical(parts)])

    def _get(self, key: str) -> str | None:
        return None if self._store is None or self.options.fresh else self._store.get(key)

    def _put(self, key: str, text: str) -> None:
        if self._store is not None:
            self._store.put(key, text)


def canonical(value: Any) -> Any:
    """Frozen data as JSON values that are equal just where the data are; where something stands in a file is left out.

    Raises TypeError for anything that is no plain data.
    """
    if is_dataclass(value):
        members = {each.name: canonical(getattr(value, each.name)) for each in fields(value) if each.compare}
        return [type(value).__name__, members]
    if isinstance(value, Mapping):
        return ["mapping", [[canonical(key), canonical(each)] for key, each in value.items()]]
    if isinstance(value, tuple | list):
        return [canonical(each) for each in value]
    if isinstance(value, Fraction):
        return ["fraction", str(value)]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"no plain data: {type(value).__name__}")


def _is_known(entry: Entry) -> bool:
    """Whether the entry's program is a formula or JAX's: of anybody else's code nobody knows when it changes."""
    return entry.implementation is None or entry.implementation.module.partition(".")[0] == "jax"


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _distributions() -> set[str]:
    """Installed distributions with their versions, from the names of their folders: `jax-0.10.2.dist-info`."""
    names = (path.name for place in sys.path for path in Path(place or ".").glob("*.dist-info"))
    return {name for name in names if name.lower().startswith(_LIBRARIES)}


def _source() -> Iterator[tuple[str, str]]:
    root = Path(__file__).parents[1]
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root)
        if path.suffix in (".py", ".yaml", ".json") and name.parts[0] not in _NO_VERDICTS:
            yield str(name), hashlib.sha256(path.read_bytes()).hexdigest()


def _environment() -> dict[str, str]:
    environment = dict(os.environ)
    split_host(environment)
    return {name: value for name, value in environment.items() if name.startswith(_VARIABLES)}


def _features() -> str:
    """The instructions that the processor offers: XLA compiles for them."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return processor()
    return next((line for line in lines if line.startswith(("flags", "Features"))), "")


def _accelerators() -> Iterator[tuple[str, str]]:
    for path in sorted(_matching(_ACCELERATORS)):
        text = ""
        if path.is_file():
            with suppress(OSError):
                text = path.read_text(errors="replace")
        yield str(path), text


def _matching(patterns: Iterable[str]) -> Iterator[Path]:
    for pattern in patterns:
        yield from Path("/").glob(pattern.lstrip("/"))
