"""The working precision of FLINT: its context is global state, and this is the one place that sets it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import flint

__all__ = ["current_precision", "working_precision"]


@contextmanager
def working_precision(bits: int) -> Iterator[None]:
    """Let balls be rounded to `bits` bits inside the block, and restore what was before, whatever happens."""
    before = flint.ctx.prec
    flint.ctx.prec = bits
    try:
        yield
    finally:
        flint.ctx.prec = before


def current_precision() -> int:
    """The bits that balls are rounded to now."""
    return flint.ctx.prec
