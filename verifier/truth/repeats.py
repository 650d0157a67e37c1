"""The same computation twice is one number, and shall be one element.

min(a r, a clip(r)) inside the ends of the clip is a tie of two products of the same operands: no precision tells their
balls apart, their identity does (SEMANTICS §1).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from flint import arb, fmpq

from verifier.arithmetic.expansion import Germ, constant_term, is_constant

__all__ = ["Repeats"]

_MOST = 20_000
"""Results that are kept at a time: each is an element and its operands, of thousands of bits."""


@dataclass(slots=True)
class Repeats:
    """Memory of the scalar operations of one run: operands that are the same give the element that they gave before.

    Operands are the same where they are one object, or exact and equal: constants are lifted anew at each place.
    """

    _known: dict[Hashable, tuple[tuple[Any, ...], Any]] = field(default_factory=dict)

    def remembering(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The operation, asked once for the same operands. They are kept, so that their identities stay taken."""

        def once(*operands: Any) -> Any:
            key = (name, *map(_identity, operands))
            found = self._known.get(key)
            if found is None:
                if len(self._known) >= _MOST:
                    self._known.clear()
                found = self._known[key] = (operands, function(*operands))
            return found[1]

        return once


def _identity(element: Any) -> Hashable:
    """Equal only for the same number; a zero, which has a sign, and what is not exact are told apart as objects."""
    if type(element) is arb:
        return ("ball", *map(int, element.man_exp())) if element.is_exact() and not element.is_zero() else id(element)
    if type(element) is Germ and is_constant(element):
        constant = constant_term(element)
        return ("germ", int(constant.p), int(constant.q)) if isinstance(constant, fmpq) else id(element)
    return ("whole", element) if isinstance(element, int) else id(element)
