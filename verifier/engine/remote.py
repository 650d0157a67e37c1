"""What a worker on another machine does: text, bytes and JSON go in, JSON comes out.

Every function gets the catalog's own bytes, its file's name and the options first, and reads the catalog again.
"""

from __future__ import annotations

from functools import lru_cache

from verifier.engine import worker  # first: it sets XLA's flags before JAX starts

# isort: split
from verifier.catalog.reader import read_bytes
from verifier.engine.options import Options
from verifier.engine.targets import Offered, targets_of
from verifier.execution.cache import compilation_directory, private, use_compilation_cache
from verifier.model.catalog import Catalog, Entry
from verifier.programs.listing_facts import check_structure
from verifier.runs.json_form import loads

__all__ = ["discover", "failed", "keep_compiled", "run_first", "verify_entry"]


def discover(catalog: bytes, file: str, options: str) -> str:
    """The devices that JAX offers here, as JSON of `Offered`."""
    return worker.discover()


def run_first(catalog: bytes, file: str, options: str, count: int) -> str:
    """The source's first listings, and what running them in order showed, as JSON for other workers."""
    return worker.run_in_order(_catalog(catalog, file).listings[:count])


def verify_entry(catalog: bytes, file: str, options: str, entry: str, listings: str, offered: str) -> str:
    """Verify one entry, as JSON of `Outcome`."""
    chosen = loads(Options, options)
    targets = targets_of(loads(Offered, offered), chosen)
    return worker.verify_entry(_entry(catalog, file, entry), listings, targets, chosen)


def failed(catalog: bytes, file: str, options: str, entry: str, reason: str, listings: str) -> str:
    """An entry whose process was lost, as JSON of `Outcome`."""
    return worker.failed(_entry(catalog, file, entry), reason, listings)


def keep_compiled() -> None:
    """Keep compiled programs in this machine's cache."""
    use_compilation_cache(private(compilation_directory()))


def _entry(catalog: bytes, file: str, name: str) -> Entry:
    return next(each for each in _catalog(catalog, file).entries if each.id == name)


@lru_cache(maxsize=1)
def _catalog(data: bytes, file: str) -> Catalog:
    return read_bytes(data, file, check_structure=check_structure)
