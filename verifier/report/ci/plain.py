"""Text from a run file on its way into formats that have forbidden characters."""

from __future__ import annotations

import re

__all__ = ["printable"]

# What XML 1.0 forbids, and what steers terminals or turns the writing direction.
_UNFIT = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)


def printable(text: str) -> str:
    """The text with a mark in place of characters that a document must not hold."""
    return _UNFIT.sub("\ufffd", text)
