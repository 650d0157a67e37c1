"""What JAX documents that it does not differentiate, known by the exceptions that it raises."""

from __future__ import annotations

import re

__all__ = ["is_documented"]

_DOCUMENTED = (
    # A function with a custom reverse rule has no forward one (jax.custom_vjp).
    (TypeError, re.compile(r"forward-mode .*custom_vjp")),
    # A loop of a length that is not known before it ends keeps no values to go back through (jax.lax.while_loop).
    (ValueError, re.compile(r"Reverse-mode differentiation does not work for lax.while_loop")),
)


def is_documented(error: BaseException) -> bool:
    """Whether the refusal is a stated limit of a mode, and no gap in a function's rules."""
    return any(isinstance(error, kind) and text.search(str(error)) for kind, text in _DOCUMENTED)
