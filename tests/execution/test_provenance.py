"""What a run file says about where it was made."""

from __future__ import annotations

import json
import sys

from verifier.execution import provenance


def test_versions_name_all_that_results_depend_on():
    found = provenance.versions()
    assert set(found) == {"python", "jax", "jaxlib", "sympy", "flint", "numpy", "verifier"}
    assert all(found.values())
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))


def test_machine_and_devices_are_plain_data():
    assert json.loads(json.dumps(provenance.machine()))["cores"] >= 1
    devices = json.loads(json.dumps(provenance.devices()))
    assert devices[0]["name"] == "cpu:0"
    assert set(devices[0]["flushes_subnormals"]) == {"float64", "float32", "bfloat16", "float16"}
