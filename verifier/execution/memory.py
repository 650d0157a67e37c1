"""How much memory there is, and how much a process has in use; Linux tells."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["GIB", "available", "can_tell", "resident"]

GIB = 2**30


def can_tell() -> bool:
    """Whether the system tells how much memory a process has in use."""
    return resident(os.getpid()) is not None


def resident(pid: int) -> int | None:
    """Bytes of memory that a process has in use; None where the system does not tell."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def available() -> int | None:
    """Bytes of memory that processes here may use in all: the machine's, or what its container is limited to."""
    found = [each for each in (_of_machine(), _of_container()) if each is not None]
    return min(found, default=None)


def _of_machine() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemTotal:")), None)


def _of_container() -> int | None:
    for name in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            return int(Path(name).read_text())
        except (OSError, ValueError):  # no such file, or "max"
            continue
    return None
