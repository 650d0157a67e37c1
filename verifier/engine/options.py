"""What the user asks of a run."""

from __future__ import annotations

from collections.abc import Mapping
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
    allow_imports: bool = False
    """Whether programs that a catalog names may be imported and run."""
    workers: int | None = None
    """How many processes; None chooses by the machine, 0 is this process, without isolation and limits. Neither this
    nor anything below changes a verdict that is reached.
    """
    executor: str | None = None
    """The address of a Dask scheduler, dask://HOST:PORT, whose workers verify the entries; None for this machine."""
    timeout: float | None = None
    """Seconds for one entry; an entry that takes longer is FAILED. None for no limit."""
    memory: float | None = None
    """GiB of memory for one entry's process; an entry that takes more is FAILED. None chooses by the machine, 0 is no
    limit.
    """
    resume: bool = False
    """Whether to continue the journal of a run that was cut off."""
    fresh: bool = False
    """Whether to verify again what an earlier run has found."""
    cache: bool = True
    """Whether finished entries are kept for later runs, and reused."""
    compilation_cache: bool = False
    """Whether XLA's compiled programs are kept and reused."""

    @property
    def decisive(self) -> Mapping[str, object]:
        """The options that decide what is found about an entry."""
        return {name: getattr(self, name) for name in ("seed", "dtypes", "devices", "programs", "samples", "full")}
