"""Where and with what a run was made: versions, machine, devices."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

__all__ = ["devices", "machine", "processor", "versions"]

_DISTRIBUTIONS = {"jax": "jax", "jaxlib": "jaxlib", "sympy": "sympy", "flint": "python-flint", "numpy": "numpy"}


def versions() -> dict[str, str]:
    """The versions that results depend on, without importing what they are the versions of."""
    installed = {name: metadata.version(distribution) for name, distribution in _DISTRIBUTIONS.items()}
    return {"python": platform.python_version(), **installed, "verifier": metadata.version("derivative-verifier")}


def machine() -> dict[str, Any]:
    """The system, the processor's model and how many cores this process may use."""
    return {"system": platform.system(), "processor": processor(), "cores": _cores()}


def devices() -> list[dict[str, Any]]:
    """Every device found, with what it does to subnormals in each dtype; starts JAX's backends."""
    from verifier.execution.devices import discover, flushes_subnormals

    return [
        {
            "name": each.name,
            "platform": each.platform,
            "kind": each.kind,
            "independent": each.independent,
            "flushes_subnormals": flushes_subnormals(each.name),
        }
        for each in discover()
    ]


def processor() -> str:
    """The processor's model, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor() or platform.machine())


def _cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
