"""Devices: XLA's flag, names, and what subnormals become."""

from __future__ import annotations

import jax
import pytest

from verifier.errors import UsageError
from verifier.execution import devices


def test_the_flag_is_appended_and_a_users_own_is_kept():
    fresh: dict[str, str] = {}
    devices.split_host(fresh)
    assert fresh == {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    other = {"XLA_FLAGS": "--xla_cpu_enable_fast_math=false"}
    devices.split_host(other)
    assert other["XLA_FLAGS"].split() == [
        "--xla_cpu_enable_fast_math=false",
        "--xla_force_host_platform_device_count=2",
    ]
    own = {"XLA_FLAGS": "--xla_force_host_platform_device_count=5"}
    devices.split_host(own)
    assert own["XLA_FLAGS"] == "--xla_force_host_platform_device_count=5"


def test_two_host_devices_and_only_the_first_is_evidence():
    host = [each for each in devices.discover() if each.platform == "cpu"]
    assert [(each.name, each.independent) for each in host[:2]] == [("cpu:0", True), ("cpu:1", False)]
    assert devices.jax_device("cpu:1") == jax.devices("cpu")[1]


def test_an_unknown_device_is_misuse():
    with pytest.raises(UsageError, match=r"cpu:77.*found are cpu:0"):
        devices.jax_device("cpu:77")


def test_the_probe_sees_what_the_device_does():
    flushes = devices.flushes_subnormals("cpu:0")
    assert set(flushes) == {"float64", "float32", "bfloat16", "float16"}
    assert flushes["float16"] is False  # computed in float32, where they are normal


def test_the_probe_would_see_a_flush():
    # The planted twin: operands whose half and double are zero.
    zeros = {"float32": (jax.numpy.float32(0.0), jax.numpy.float32(0.5), jax.numpy.float32(1.0))}
    assert devices._flushed(zeros)["float32"].tolist() == [True, False]
