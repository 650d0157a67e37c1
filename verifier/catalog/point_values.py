"""The numbers that points give: each is real, and inside its input's domain, as far as the catalog alone can tell.

What listings and generators give is known when they have run: the entry then asks again.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from verifier.catalog import schema
from verifier.catalog.faults import FaultList, shown
from verifier.catalog.fields import formula_text
from verifier.catalog.yaml_events import Node, Scalar
from verifier.errors import FormulaError

if TYPE_CHECKING:
    from verifier.symbolic.formula import Formula

__all__ = ["Domains", "Values"]

Ends = tuple[Fraction, Fraction]
Domains = Mapping[str, Ends]

_BITS = 128

_CLEARLY = 1e-6
"""How far inside its domain, relatively, a number must be for floats to decide."""


@dataclass(frozen=True, slots=True)
class Values:
    """Checks what is given for inputs whose domains are known, in formulas or as data."""

    faults: FaultList
    domains: Domains = field(default_factory=dict)
    data: Mapping[str, object] = field(default_factory=dict)
    _extents: dict[str, list[Fraction]] = field(default_factory=dict)

    def check(self, node: Node, name: str) -> None:
        """Reports each number that certainly is none, or certainly is outside the input's domain."""
        if isinstance(node, list):
            for item in node:
                self.check(item, name)
        elif isinstance(node, Scalar) and (problem := self._problem(node, name)):
            self.faults.add(node.position, problem, node.path)

    def _problem(self, node: Scalar, name: str) -> str | None:
        formula, domain = _parsed(node), self.domains.get(name)
        if formula is None:
            return None
        if (known := self._known(formula)) is not None:
            wrong = [f"the value {number}{origin}" for number, origin in known if not _is_inside(number, domain)]
        elif _is_harmless(formula, domain):
            return None
        else:
            enclosure = _enclosure(formula)
            if not enclosure.is_real:
                return "this point has no real value: write a finite number"
            wrong = [f"the value `{shown(node.text)}`"] if enclosure.is_outside(domain) else []
        if not wrong or domain is None:
            return None
        where = f"the domain [{domain[0]}, {domain[1]}] of `{shown(name)}`"
        return f"{wrong[0]} is outside {where}: move it inside, or widen the domain"

    def _known(self, formula: Formula) -> list[tuple[Fraction, str]] | None:
        """The exact numbers that the formula stands for, and where each comes from; None where it is no rational."""
        from verifier.symbolic.formula import Name

        if isinstance(formula, Name) and formula.name in self.data:
            return [(number, f" of `{shown(formula.name)}`") for number in self._extent(formula.name)]
        value = _rational(formula)
        return None if value is None else [(value, "")]

    def _extent(self, datum: str) -> list[Fraction]:
        """The least and the greatest number of data that the catalog writes out; nothing for others."""
        if datum not in self._extents:
            numbers = list(_numbers(self.data[datum]))
            self._extents[datum] = [min(numbers), max(numbers)] if numbers else []
        return self._extents[datum]


def _is_inside(value: Fraction, domain: Ends | None) -> bool:
    return domain is None or domain[0] <= value <= domain[1]


def _parsed(node: Scalar) -> Formula | None:
    from verifier.symbolic.formula import parse

    try:
        return parse(formula_text(node))
    except FormulaError:
        return None


def _rational(formula: Formula | None) -> Fraction | None:
    from verifier.symbolic.formula import constant

    try:
        return None if formula is None else constant(formula)
    except FormulaError:
        return None


def _numbers(datum: object) -> Iterator[Fraction]:
    match datum:
        case schema.Inline(values=values):
            yield from (each for cell in _cells(values) if (each := _rational(_parsed(cell))) is not None)
        case schema.Linspace(linspace=[Fraction() as start, Fraction() as stop], dtype=None):
            yield from (start, stop)


def _cells(values: object) -> Iterator[Scalar]:
    if isinstance(values, list):
        for each in values:
            yield from _cells(each)
    elif isinstance(values, Scalar):
        yield values


_ARITHMETIC = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "neg": operator.neg,
    "pow": operator.pow,
}


class _Floats:
    """Arithmetic of floats as a number system."""

    exact = staticmethod(float)
    constant = staticmethod({"pi": math.pi, "e": math.e}.__getitem__)
    operation = staticmethod(_ARITHMETIC.__getitem__)


def _is_harmless(formula: Formula, domain: Ends | None) -> bool:
    """Whether floats tell that nothing is wrong, or other names leave it open: that saves loading FLINT.

    Where floats err the entry finds out.
    """
    from verifier.symbolic.constants import value_in

    try:
        value: Any = value_in(formula, _Floats())
        if value is None:
            return True
        slack = _CLEARLY * abs(value)
        return _is_inside(Fraction(value - slack), domain) and _is_inside(Fraction(value + slack), domain)
    except (ArithmeticError, LookupError, TypeError, ValueError):
        return False


@dataclass(frozen=True, slots=True)
class _Enclosure:
    """What balls prove about a constant: nothing where they cannot decide, as at the very end of a domain."""

    value: Any
    system: Any

    @property
    def is_real(self) -> bool:
        from verifier.arithmetic.elements import Special

        return not isinstance(self.value, Special)

    def is_outside(self, domain: Ends | None) -> bool:
        if self.value is None or domain is None:
            return False
        lower, upper = map(self.system.exact, domain)
        return bool(self.system.compare("lt", self.value, lower) or self.system.compare("gt", self.value, upper))


def _enclosure(formula: Formula) -> _Enclosure:
    from verifier.arithmetic.ball import BallSystem
    from verifier.symbolic.constants import value_in

    system = BallSystem(_BITS)
    with system.working():
        return _Enclosure(value_in(formula, system), system)
