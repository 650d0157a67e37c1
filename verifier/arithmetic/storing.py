"""How real numbers end up in a floating-point format: rounded, flushed, overflowed, or kept in a wider register.

every value that a device may hold for a real number of X  is in  Store(form, ...).store(X)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from flint import arb

from verifier.arithmetic.elements import NEG_INF, NEG_ZERO, POS_INF, Special, rounds_to
from verifier.arithmetic.floats import Format
from verifier.arithmetic.precision import working_precision
from verifier.arithmetic.rounding_table import Target, computing_format
from verifier.arithmetic.spread import Possible, Spread, join

__all__ = ["Store", "store_of"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Store:
    """A format and what a target does with it, as balls that are ready to compute with.

    `wobble` is 1 + [-u, u]; `overflow` the least magnitude that rounds to infinity; `stays` tells that a value may
    also stay as it was before it was rounded.
    """

    form: Format
    wobble: arb
    normal: arb
    least: arb
    overflow: arb
    flushes: bool
    stays: bool

    def store(self, x: arb, roundings: int = 1) -> Possible:
        """The values that an operation with the exact result x may have left, after so many roundings."""
        if x.is_exact() and self._holds(x):
            return x
        nearest = None if self.stays or roundings > 1 else rounds_to(x, self.form)
        if nearest is not None:
            return self._point(nearest)
        return self.range(x * (self.wobble if roundings == 1 else self.wobble**roundings), roundings)

    def range(self, x: arb, roundings: int = 1) -> Possible:
        """The values that storing leaves of x, whose rounding is accounted for: what under- and overflow add."""
        if not (x > self.normal or x < -self.normal):
            x = self._underflown(x, roundings)
        if x < self.overflow and x > -self.overflow:
            return x
        return self._overflown(x)

    def may_be_zero(self, x: arb) -> bool:
        """Whether a device may take a number of x for zero."""
        return bool(x.contains(0)) or (self.flushes and bool(x.overlaps(self.normal * _WITHIN_ONE)))

    def _holds(self, x: arb) -> bool:
        """Whether an exact x is a member that is read and written as it is."""
        if x.is_zero():
            return True
        mantissa, exponent = x.man_exp()
        low, bits = int(exponent), int(mantissa).bit_length()
        lead = low + bits - 1
        form = self.form
        least = form.min_exponent if self.flushes else form.least_exponent
        return bits <= form.precision and low >= form.least_exponent and least <= lead <= form.max_exponent

    def _point(self, nearest: float) -> Possible:
        """The one member that everything rounds to."""
        if math.isinf(nearest):
            return POS_INF if nearest > 0 else NEG_INF
        if nearest == 0:
            return NEG_ZERO if math.copysign(1, nearest) < 0 else arb(0)
        return self.range(arb(nearest)) if self.flushes else arb(nearest)

    def _underflown(self, x: arb, roundings: int) -> arb:
        if x.is_zero():
            return x
        if self.flushes and x.overlaps(self.normal * _WITHIN_ONE):
            x = x.union(arb(0))
        return x + self.least * (_WITHIN_ONE * roundings)

    def _overflown(self, x: arb) -> Possible:
        specials: set[Special] = set()
        if not x < self.overflow:
            specials.add(POS_INF)
        if not x > -self.overflow:
            specials.add(NEG_INF)
        lost = not self.stays and (x > self.overflow or x < -self.overflow)
        return join(specials) if lost else Spread(x, frozenset(specials))


_WITHIN_ONE = arb(0, 1)


@lru_cache(maxsize=64)
def store_of(form: Format, target: Target) -> Store:
    """The store of a format on a target."""
    wide = computing_format(form, target)
    # Rounding to the wider format first and then to this one: (1 + u)(1 + u') - 1 < u (1 + 2^-10).
    unit = form.unit_roundoff if wide is form else form.unit_roundoff * (1 + 2**-10)
    with working_precision(128):
        return Store(
            form=form,
            wobble=1 + arb(0, float(unit)),
            normal=arb(form.smallest_normal),
            least=arb(form.smallest_subnormal),
            overflow=arb(2 ** (form.precision + 1) - 1) * arb(2) ** (form.max_exponent - form.precision),
            flushes=form.name in target.flushes,
            stays=target.fuses or wide is not form,
        )
