"""Where programs run: what JAX offers on this machine, and what of it an entry needs to know. Starts no JAX."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from verifier.engine.options import Options
from verifier.errors import UsageError
from verifier.runs import records

__all__ = ["Found", "Offered", "Targets", "targets_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A device as a worker found it, with what it does to subnormals in each dtype."""

    name: str
    platform: str
    kind: str
    independent: bool
    flushes_subnormals: Mapping[str, bool]

    @property
    def record(self) -> records.Device:
        """The device as the run file names it."""
        flushes = any(self.flushes_subnormals.values())
        return records.Device(name=self.name, platform=self.platform, kind=self.kind, flushes_subnormals=flushes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """Every device of every platform, host first."""

    devices: tuple[Found, ...]

    @property
    def shares_memory(self) -> bool:
        """Whether several processes may use the devices at once: an accelerator's memory is not to be shared."""
        return all(each.platform == "cpu" for each in self.devices)


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """Where programs run: the dtypes, the devices found, and which (device, dtype) flushes subnormals to zero."""

    dtypes: tuple[str, ...]
    devices: tuple[str, ...]
    dependent: frozenset[str]
    """Devices that share their processor with an earlier one: no independent evidence."""
    flushes: Mapping[tuple[str, str], bool]


def targets_of(offered: Offered, options: Options) -> Targets:
    """The targets of a run; raises UsageError for a device that is not there."""
    found = [device.name for device in offered.devices]
    unknown = [name for name in options.devices if name not in found]
    if unknown:
        raise UsageError(f"no such device: {', '.join(unknown)}; found are {', '.join(found)}")
    flushes = {
        (device.name, dtype): flushed
        for device in offered.devices
        for dtype, flushed in device.flushes_subnormals.items()
        if not options.dtypes or dtype in options.dtypes
    }
    return Targets(
        dtypes=tuple(dict.fromkeys(dtype for _, dtype in flushes)),
        devices=tuple(found),
        dependent=frozenset(device.name for device in offered.devices if not device.independent),
        flushes=flushes,
    )
