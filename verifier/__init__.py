"""Verify derivatives with proof: certified truth, no tolerances.

    verifier.check(fn, *args, orders=(1,), ...)               -> Result: every judgement, those that fail, and why
    verifier.assert_derivatives(fn, *args, orders=(1,), ...)  raises AssertionError with that text

Importing this package is cheap: neither JAX, SymPy nor FLINT is loaded until something is verified.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from verifier.checking.check import assert_derivatives, check

__all__ = ["assert_derivatives", "check"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'verifier' has no attribute {name!r}")
    from verifier.checking import check

    return getattr(check, name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
