"""The devices that programs run on. Import this module before JAX starts a backend: it asks XLA for two host devices.

Two host devices share one processor. They show that a result does not depend on the device's number, and are no
independent evidence.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from verifier.execution.host import split_host

split_host(os.environ)

import jax  # noqa: E402 - the flag has to stand before JAX starts
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

from verifier.errors import UsageError  # noqa: E402
from verifier.execution.dtypes import DTYPES, numpy_dtype  # noqa: E402

__all__ = ["Device", "discover", "flushes_subnormals", "jax_device", "split_host"]

_PLATFORMS = ("cpu", "gpu", "tpu")


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A device that JAX offers. `independent` is False where it shares its processor with an earlier one."""

    name: str
    platform: str
    index: int
    kind: str
    independent: bool


def discover() -> tuple[Device, ...]:
    """Every device of every platform found, host first."""
    return tuple(
        Device(
            name=f"{platform}:{index}",
            platform=platform,
            index=index,
            kind=device.device_kind,
            independent=platform != "cpu" or index == 0,
        )
        for platform in _found_platforms()
        for index, device in enumerate(jax.devices(platform))
    )


def jax_device(name: str) -> Any:
    """The JAX device of a name such as `cpu:1`; raises UsageError."""
    for device in discover():
        if device.name == name:
            return jax.devices(device.platform)[device.index]
    raise UsageError(f"no such device: {name!r}; found are {', '.join(each.name for each in discover())}")


def flushes_subnormals(name: str) -> dict[str, bool]:
    """For each dtype whether the device, in compiled code, turns a subnormal result or operand into zero."""
    with jax.enable_x64(True):
        operands = {dtype: _subnormal_operands(dtype) for dtype in DTYPES}
        flushed = jax.jit(_flushed)(jax.device_put(operands, jax_device(name)))
        return {dtype: bool(jnp.any(flushed[dtype])) for dtype in DTYPES}


def _found_platforms() -> tuple[str, ...]:
    return tuple(platform for platform in (*_PLATFORMS, *_other_platforms()) if _offers(platform))


def _other_platforms() -> tuple[str, ...]:
    platform = jax.default_backend()
    return () if platform in _PLATFORMS else (platform,)


def _offers(platform: str) -> bool:
    try:
        return bool(jax.devices(platform))
    except RuntimeError:  # what JAX raises for a platform that is unknown or failed to start
        return False


def _subnormal_operands(dtype: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The smallest normal number, a half, and the smallest subnormal number of a dtype."""
    info = jnp.finfo(numpy_dtype(dtype))
    kind = numpy_dtype(dtype).type
    return np.asarray(info.smallest_normal), np.asarray(kind(0.5)), np.asarray(info.smallest_subnormal)


def _flushed(operands: dict) -> dict:
    """For each dtype: is half of the smallest normal zero, is twice the smallest subnormal zero?"""
    return {
        dtype: jnp.stack([normal * half == 0, subnormal + subnormal == 0])
        for dtype, (normal, half, subnormal) in operands.items()
    }
