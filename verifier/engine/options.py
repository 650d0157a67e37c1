"""What the user asks of a run."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Options"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of a run, as recorded in its header. An empty tuple means no restriction."""

    seed: int = 0
    dtypes: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    entries: tuple[str, ...] = ()
    samples: int | None = None
    full: bool = False
    workers: int | None = None
    """How many processes; None chooses by the machine, 1 stays in this process. Neither this nor `timeout` changes
    a verdict.
    """
    timeout: float | None = None
    """Seconds for one entry; an entry that takes longer is FAILED."""
