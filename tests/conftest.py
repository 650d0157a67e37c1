"""For all tests: XLA offers two host devices, which has to be asked for before any test starts a backend."""

import verifier.execution.devices  # noqa: F401
