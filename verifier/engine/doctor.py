"""What this installation is and offers, as plain text: the first thing to send with a report of a fault."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from verifier.engine.targets import Found, Offered
from verifier.errors import VerifierError
from verifier.execution.cache import cache_home, compilation_directory, private
from verifier.execution.memory import GIB, available
from verifier.execution.pool import Call, Limits, Lost, Workers, start_method
from verifier.execution.provenance import machine, versions
from verifier.runs.json_form import loads

__all__ = ["Line", "examine", "text"]

_SECONDS = 120.0
"""A machine that does not show its devices in this time is not going to."""
_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
_OPTIONAL = (
    ("distributed", "a run on several machines (`--executor`)"),
    ("torch", "the comparison with gradcheck in benchmarks/"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One fact. `fault` says that nothing can be verified before it is put right."""

    name: str
    value: str
    fault: bool = False


def examine(preload: tuple[str, ...]) -> tuple[Line, ...]:
    """All facts; starts a worker process to see whether one starts, and what it finds."""
    return (*_software(), *_hardware(), *_devices(preload), *_caches(), *_optional())


def text(lines: tuple[Line, ...]) -> str:
    """The facts as aligned lines."""
    width = max(len(line.name) for line in lines)
    return "".join(f"{line.name:<{width}}  {'MISSING: ' if line.fault else ''}{line.value}\n" for line in lines)


def _software() -> Iterator[Line]:
    try:
        found = versions()
    except metadata.PackageNotFoundError as error:
        yield Line("packages", f"{error.name}; install derivative-verifier again with its dependencies", fault=True)
        return
    yield from (Line(name, version) for name, version in found.items())


def _hardware() -> Iterator[Line]:
    found, total = machine(), available()
    yield Line("system", f"{found['system']}, {found['processor']}, {found['cores']} cores")
    yield Line("memory", "not told by this system" if total is None else f"{total / GIB:.1f} GiB")
    yield Line("worker processes", f"{start_method()}, Python {sys.executable}")


def _devices(preload: tuple[str, ...]) -> Iterator[Line]:
    try:
        with Workers(1, limits=Limits(seconds=_SECONDS), preload=preload) as workers:
            workers.submit("devices", Call(f"{preload[-1]}:discover"))
            ((_, found),) = workers.results()
    except VerifierError as error:
        found = Lost(str(error))
    if isinstance(found, Lost):
        yield Line("devices", f"JAX does not start: {found.reason}", fault=True)
        return
    offered = loads(Offered, found)
    yield from (Line(f"device {each.name}", _described(each)) for each in offered.devices)


def _described(device: Found) -> str:
    flushed = [dtype for dtype, flushes in device.flushes_subnormals.items() if flushes]
    shared = "" if device.independent else ", one processor with an earlier one"
    return f"{device.kind}{shared}; flushes subnormals: {', '.join(flushed) or 'no'}"


def _caches() -> Iterator[Line]:
    for name, place in (("finished entries", cache_home() / "entries"), ("compilation cache", compilation_directory())):
        yield Line(name, _state(place))


def _state(place: Path) -> str:
    if not place.is_dir():
        return f"{place}, nothing yet"
    try:
        private(place)
        sizes = [each.stat().st_size for each in place.rglob("*") if each.is_file()]
    except (OSError, VerifierError) as error:
        return f"{place}, not used: {error}"
    usable = "" if os.access(place, os.W_OK) else ", read-only"
    return f"{place}, {len(sizes)} files, {sum(sizes) / 2**20:.1f} MiB{usable}"


def _optional() -> Iterator[Line]:
    browser = next((path for path in map(shutil.which, _CHROMIUM) if path), None)
    yield Line("chromium", browser or "not found; only the tests of the report in a browser need it")
    for name, purpose in _OPTIONAL:
        there = importlib.util.find_spec(name) is not None
        yield Line(name, metadata.version(name) if there else f"not installed; only {purpose} needs it")
