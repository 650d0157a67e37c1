"""The catalog that ships with this package: functions that JAX documents, and the mathematics of each."""

from __future__ import annotations

from pathlib import Path

from verifier.catalog.reader import read
from verifier.model.catalog import Catalog

__all__ = ["JAX_FUNCTIONS", "jax_functions"]

JAX_FUNCTIONS = Path(__file__).parent / "jax.yaml"
"""`catalog/jax.yaml` at the top of the repository is a link to this file."""


def jax_functions() -> Catalog:
    """The catalog of JAX's functions, read anew: half a second."""
    return read(JAX_FUNCTIONS)
