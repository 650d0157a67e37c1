"""What makes a large report small: parts that only a script shows travel deflated, in one piece at the end of the page.

A small report has none: there the parts stand where they belong.
"""

from __future__ import annotations

import base64
import zlib

from markupsafe import Markup

__all__ = ["Pack"]

_BETWEEN = "\n"
"""Parts are told apart by it; inside them a blank says the same."""


class Pack:
    """Collects parts while a page is written; one that is not `in_use` leaves every part in its place."""

    def __init__(self, *, in_use: bool) -> None:
        self.in_use = in_use
        self._parts: list[str] = []

    def __call__(self, part: Markup) -> Markup:
        """What stands in the page in the part's place: itself, or an empty element that names it."""
        if not self.in_use:
            return part
        self._parts.append(part.strip().replace(_BETWEEN, " "))
        return Markup('<div data-packed="{}"></div>').format(len(self._parts) - 1)

    def stored(self) -> Markup:
        """All parts so far, deflated (RFC 1950) and as base64, which nothing in a page could take for markup."""
        deflated = zlib.compress(_BETWEEN.join(self._parts).encode("utf-8"), 9)
        return Markup(base64.b64encode(deflated).decode("ascii"))
