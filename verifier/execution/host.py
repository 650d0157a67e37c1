"""XLA's flag for several host devices, without JAX: whoever starts JAX, or asks what it would start with, sets it."""

from __future__ import annotations

from collections.abc import MutableMapping

__all__ = ["split_host"]

_HOST_DEVICES_FLAG = "--xla_force_host_platform_device_count"


def split_host(environment: MutableMapping[str, str], *, count: int = 2) -> None:
    """Add XLA's flag for `count` host devices, unless the user has set it; the flag counts until a backend starts."""
    flags = environment.get("XLA_FLAGS", "")
    if _HOST_DEVICES_FLAG not in flags:
        environment["XLA_FLAGS"] = f"{flags} {_HOST_DEVICES_FLAG}={count}".strip()
