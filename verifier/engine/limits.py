"""How a claim about a limit is decided: refuted at a point by germs or by SymPy's limit, confirmed where it is proved.

A limit that SymPy finds for a symbol is one at a general point: x/(x + h) tends to 1 as h tends to 0, but not at x = 0.
It holds on a whole domain where Taylor's formula proves it there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from verifier.arithmetic.elements import NAN, Element, Unknown, compare, exact_ball, is_finite
from verifier.arithmetic.precision import working_precision
from verifier.engine.decisions import Decided, differs, shown, trial_values
from verifier.engine.domain import Domain
from verifier.engine.equations import Equation, every
from verifier.model.catalog import At, Limit
from verifier.model.verdict import ClaimVerdict
from verifier.symbolic.expressions import component_symbols
from verifier.symbolic.graph import Node
from verifier.symbolic.graph import leaf as leaf_node
from verifier.symbolic.proof import limit as symbolic_limit
from verifier.symbolic.proof import prove_equal, quotient
from verifier.truth.forall import Point, everywhere
from verifier.truth.limiting import Approach
from verifier.truth.workspace import Workspace

__all__ = ["limit"]

_BITS = 128
_BOXES = 256
_NEAR = Fraction(1, 2**30)
_NEARER = Fraction(1, 2**100)


def limit(claim: Limit, at: At, workspace: Workspace) -> Decided:
    """SymPy's limit, which other one-sided limits at a trial point refute; for all inputs it takes Taylor's formula."""
    tends = _Tends(claim, at, workspace)
    if tends.goes_nowhere():
        return Decided.of(
            None, reason=f"what {claim.variable} tends to is no number (for infinity write 1/h**2, h to 0)"
        )
    general = tends.at_a_general_point()
    if general.verdict is ClaimVerdict.REFUTED:
        if not tends.agrees_at_a_general_point():
            return general
        general = replace(
            general, verdict=ClaimVerdict.UNDECIDED, reason="SymPy's limit, which no one-sided limit confirms"
        )
    refuted = next(filter(None, map(tends.refuted_at, tends.domain.trials())), None)
    if refuted is not None:
        return refuted
    if general.verdict is not ClaimVerdict.CONFIRMED:
        return tends.met_from_both_sides() or general
    nowhere = replace(general, verdict=ClaimVerdict.UNDECIDED, reason="it is not known to have a value nearby")
    if not tends.has_values(_NEAR):
        return nowhere
    if tends.domain.box and not tends.proved_everywhere():
        reason = "SymPy's limit at a general point; it is not established at every point of the domain"
        return replace(general, verdict=ClaimVerdict.UNDECIDED, reason=reason)
    if not tends.has_values(_NEARER):
        return nowhere
    return replace(general, reason="by Taylor's formula, for all inputs") if tends.domain.box else general


@dataclass(frozen=True, slots=True)
class _Tends:
    claim: Limit
    at: At
    workspace: Workspace

    @property
    def variable(self) -> str:
        return self.claim.variable

    @property
    def node(self) -> Node:
        return self.graphs[0]

    @property
    def graphs(self) -> tuple[Node, tuple[Node, ...]]:
        """The formula, and what it differentiates."""
        inputs = {leaf.name for leaf in self.workspace.entry.inputs}
        return self.workspace.graphs(self.claim.formula, {} if self.variable in inputs else {self.variable: ()})

    @property
    def domain(self) -> Domain:
        """The inputs that are neither fixed nor moved."""
        formulas = (self.node, self.claim.to, self.claim.equals)
        return Domain.of(self.workspace, formulas, fixed=(self.variable, *(name for name, _ in self.at)))

    def goes_nowhere(self) -> bool:
        """Whether the variable certainly tends to no number, such as 1/0, at some trial point."""
        domain, certified = self.domain, self.workspace.certified(_BITS)
        with working_precision(_BITS):
            tends_to = (certified.evaluate(self.claim.to, self.at, domain.place(each))[()] for each in domain.trials())
            return any(each is NAN for each in tends_to)

    def at_a_general_point(self) -> Decided:
        """By SymPy: the claimed limit by proof, or another one, certified in balls at a point that is nothing special.

        At special points a formula may have another limit than in general.
        """
        pairs = self._pairs()
        if pairs is None:
            return Decided.of(None, reason="the formula is too large for a symbolic limit")
        limits = [symbolic_limit(expr, *self._target()) for expr, _ in pairs]
        found = [each for each in limits if each is not None]
        if len(found) < len(limits):
            return Decided.of(None, reason="SymPy does not find the limit")
        pairs = [(each, claimed) for each, (_, claimed) in zip(found, pairs, strict=True)]
        truth = ", ".join(map(str, found))
        if any(each.is_infinite and claimed.is_finite for each, claimed in pairs):
            return Decided.of(False, truth=truth, reason="by SymPy's limit, which is infinite")
        proved = every(prove_equal(each, claimed) for each, claimed in pairs)
        if proved is None:
            graphs = (map(self.workspace.graph, each) for each in pairs)
            both = (Equation((one, claimed), self.workspace, self.at) for one, claimed in graphs)
            other = next(filter(None, (differs(each, trial_values(each, scattered=True)) for each in both)), None)
            if other is not None:
                return Decided.of(False, truth=truth, reason=f"by SymPy's limit; {other.reason}")
        reason = (
            "SymPy's limit at a general point, not proved to be the claimed one"
            if proved is None
            else "by SymPy's limit"
        )
        return Decided.of(proved, truth=truth, reason=reason)

    def _pairs(self) -> list[tuple[Any, Any]] | None:
        """Each component as an expression, and what it is claimed to tend to; None where they are too large."""
        found = self.workspace.symbolic(self.claim.formula, self.at, variables=(self.variable,))
        to, equals = (self.workspace.symbolic(each, self.at) for each in (self.claim.to, self.claim.equals))
        if found is None or to is None or equals is None:
            return None
        return list(zip(found.flat, np.broadcast_to(equals, found.shape).flat, strict=True))

    def _target(self) -> tuple[Any, Any]:
        """The variable's symbol, and what it tends to."""
        to = self.workspace.symbolic(self.claim.to, self.at)
        assert to is not None
        return component_symbols(leaf_node(self.variable, ()))[()], to[()]

    def refuted_at(self, point: Point) -> Decided | None:
        """Refuted where a one-sided limit at this point of the other inputs is certainly not the claimed number.

        A side where the formula has no value is outside of its domain: the limit is that of the other side.
        """
        exists = not self.workspace.differentiates(self.claim.formula)
        with working_precision(_BITS):
            fault = next(filter(None, (_fault(*each, nowhere=exists) for each in self._one_sided(point))), None)
        if fault is None:
            return None
        at = f" at {self.domain.written(point)}" if point else ""
        return Decided.of(False, truth=fault[1], reason=f"{fault[0]}{at}")

    def agrees_at_a_general_point(self) -> bool:
        """Whether one-sided limits at a point that is nothing special are known and none is certainly another one."""
        with working_precision(_BITS):
            limits = self._one_sided(next(self.domain.scattered()))
            return all(any(map(is_finite, each[:2])) and _fault(*each, nowhere=True) is None for each in limits)

    def met_from_both_sides(self) -> Decided | None:
        """Confirmed where no input is left free and both one-sided limits are exactly the claimed number, as those of a
        formula of pieces may be.
        """
        if self.domain.box:
            return None
        with working_precision(_BITS):
            met = all(_meets(*each) for each in self._one_sided(()))
        return Decided.of(True, reason="by the limits from both sides") if met else None

    def _one_sided(self, point: Point) -> list[tuple[Element, Element, Element]]:
        """Of each component the limits from the left and from the right at a point, and the claimed one."""
        formula, differentiates = self.graphs
        to = self.workspace.node(self.claim.to)
        approach = Approach(formula, self.variable, to, self.at, self.workspace, differentiates)
        sides = [approach.limits(self.domain.arrays(point), side) for side in (-1, 1)]
        with working_precision(_BITS):
            place = self.domain.place(point)
            claimed = self.workspace.certified(_BITS).evaluate(self.claim.equals, self.at, place)
        return list(zip(*sides, np.broadcast_to(claimed, self.node.shape).flat, strict=True))

    def has_values(self, distance: Fraction) -> bool:
        """Whether the formula is a number so close to the place, on the same side for all other inputs, and so is
        what it is claimed to tend to.
        """
        return self._has_values(distance) or self._has_values(-distance)

    def _has_values(self, distance: Fraction) -> bool:
        domain, certified = self.domain, self.workspace.certified(_BITS)
        to = self.workspace.node(self.claim.to)

        def has_values(elements: Sequence[Element]) -> bool | None:
            place = domain.arrays(elements)
            moved = certified.evaluate(to, self.at, place)[()] + exact_ball(distance)
            value = certified.evaluate(self.claim.formula, self.at, {**place, self.variable: _single(moved)})
            claimed = certified.evaluate(self.claim.equals, self.at, place)
            return all(map(is_finite, (*value.flat, *claimed.flat))) or None

        return bool(everywhere(has_values, domain.box, _BITS, boxes=_BOXES).holds)

    def proved_everywhere(self) -> bool:
        """Whether Taylor's formula proves the limit on the whole domain."""
        needed = self._needed()
        if needed is None:
            return False
        domain, certified = self.domain, self.workspace.certified(_BITS)

        def is_analytic(elements: Sequence[Element]) -> bool | None:
            *rest, variable = elements
            extra = {**domain.arrays(rest), self.variable: _single(variable)}
            values = (certified.evaluate(node, self.at, extra) for node in needed)
            return all(is_finite(each) for value in values for each in value.flat) or None

        return bool(everywhere(is_analytic, (*domain.box, (-_NEAR, _NEAR)), _BITS, boxes=_BOXES).holds)

    def _needed(self) -> list[Node] | None:
        """What has to be finite for a proof by Taylor's formula; None where the algebra does not succeed."""
        needed: list[Node] = [self.workspace.node(self.claim.equals)]
        for expression, claimed in self._pairs() or ():
            found = quotient(expression, *self._target())
            if found is None or not prove_equal(found.limit, claimed):
                return None
            if not all(prove_equal(each, each * 0) for each in found.vanishing):
                return None
            needed += [self.workspace.graph(each, (self.variable,)) for each in found.finite]
        return needed


def _fault(left: Element, right: Element, claimed: Element, *, nowhere: bool) -> tuple[str, str] | None:
    """Why the claimed number is not the limit, and the true one; None where that is not certain."""
    if not is_finite(claimed):
        return None
    if left is NAN and right is NAN:
        return ("it has no value on either side", "") if nowhere else None
    for name, side in (("left", left), ("right", right)):
        if side is not NAN and not isinstance(side, Unknown) and compare("ne", side, claimed) is True:
            text = shown(_single(side))
            return f"the limit from the {name} is {text}, not {shown(_single(claimed))}", text
    return None


def _meets(left: Element, right: Element, claimed: Element) -> bool:
    """Whether the limit is the claimed number for certain; a side without a value is outside of the domain."""
    sides = [side for side in (left, right) if side is not NAN]
    return bool(sides) and all(is_finite(side) and compare("eq", side, claimed) is True for side in sides)


def _single(element: Element) -> np.ndarray:
    array = np.empty((), dtype=object)
    array[()] = element
    return array
