"""How each kind of claim about mathematics is decided: certified in balls, or proved by SymPy; never by a tolerance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from verifier.arithmetic.arrays import object_array
from verifier.arithmetic.digits import decimal
from verifier.arithmetic.elements import NAN, Element, compare, exact_ball
from verifier.arithmetic.precision import working_precision
from verifier.model.catalog import At, Digits, Holds, Identity, Limit, NestedText, ShapeIs, Text
from verifier.model.verdict import ClaimVerdict
from verifier.programs.shapes import program_shape
from verifier.symbolic.expressions import component_symbols
from verifier.symbolic.formula import Apply, Formula, parse
from verifier.symbolic.graph import Node
from verifier.symbolic.graph import leaf as leaf_node
from verifier.symbolic.kernels import rational
from verifier.symbolic.proof import limit as symbolic_limit
from verifier.symbolic.proof import prove_equal
from verifier.truth.forall import everywhere
from verifier.truth.workspace import Workspace

__all__ = ["Decided", "digits", "holds", "holds_for_all", "identity", "limit", "shape"]

PRECISIONS = (128, 256, 512, 1024, 2048)
"""Working precisions in bits, tried in turn until a comparison is decided."""

Side = Text | Node

_FOR_ALL_BITS = 128
_TRIALS = 24
_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Decided:
    """The outcome of a claim: its verdict, the true value as text, and why."""

    verdict: ClaimVerdict
    truth: str = ""
    reason: str = ""

    @classmethod
    def of(cls, holds: bool | None, *, truth: str = "", reason: str = "") -> Decided:
        verdicts = {True: ClaimVerdict.CONFIRMED, False: ClaimVerdict.REFUTED, None: ClaimVerdict.UNDECIDED}
        return cls(verdicts[holds], truth=truth, reason=reason)


def digits(claim: Digits, at: At, workspace: Workspace) -> Decided:
    """The certified value lies within half of the last printed digit, or is the printed whole number exactly."""
    printed = _flat(claim.printed)
    value = np.empty(0, dtype=object)
    for bits in PRECISIONS:
        value = workspace.certified(bits).evaluate(claim.formula, at)
        if value.size != len(printed):
            return Decided.of(
                False, truth=shown(value), reason=f"there are {value.size} numbers, {len(printed)} are printed"
            )
        with working_precision(bits):
            met = [_meets(x, text, exactly=claim.exactly) for x, text in zip(value.flat, printed, strict=True)]
        if None not in met:
            return Decided.of(all(met), truth=shown(value), reason=f"certified at {bits} bits")
    proved = _proved_digits(claim, at, workspace, printed)
    return Decided.of(
        proved, truth=shown(value), reason="proved by SymPy" if proved else "too close to the limit to decide"
    )


def _meets(value: Element, printed: str, *, exactly: bool) -> bool | None:
    """A number with an exponent was rounded to its last digit, wherever that stands; a whole one without was not."""
    number, places = Fraction(printed), Decimal(printed).as_tuple().exponent
    assert isinstance(places, int)
    if exactly or (places >= 0 and "e" not in printed.lower()):
        return compare("eq", value, exact_ball(number))
    half = Fraction(10) ** places / 2
    above, below = compare("ge", value, exact_ball(number - half)), compare("le", value, exact_ball(number + half))
    return False if False in (above, below) else None if None in (above, below) else True


def _proved_digits(claim: Digits, at: At, workspace: Workspace, printed: Sequence[str]) -> bool | None:
    exprs = workspace.symbolic(claim.formula, at)
    if exprs is None:
        return None
    pairs = zip(exprs.flat, printed, strict=True)
    return _all(prove_equal(expr, rational(Fraction(number))) for expr, number in pairs)


def holds(claim: Holds, at: At, workspace: Workspace) -> Decided:
    """The statement evaluated in balls, at growing precision until it is decided; an equation may be proved by
    SymPy.
    """
    formula = parse(claim.formula.text)
    for bits in PRECISIONS:
        decided = _statement(workspace.certified(bits).evaluate(formula, at))
        if decided is not None:
            return Decided.of(decided, truth=_sides(formula, at, workspace), reason=f"certified at {bits} bits")
    proved = _proved_equation(formula, at, workspace)
    return Decided.of(
        proved, truth=_sides(formula, at, workspace), reason="proved by SymPy" if proved else "not decided by balls"
    )


def _statement(value: np.ndarray) -> bool | None:
    return _all(value.flat)


def _all(decisions: Iterable[bool | None]) -> bool | None:
    found = list(decisions)
    return False if False in found else None if None in found else True


def _proved_equation(formula: Formula, at: At, workspace: Workspace) -> bool | None:
    if not (isinstance(formula, Apply) and formula.function == "eq"):
        return None
    left, right = (workspace.symbolic(side, at) for side in formula.arguments)
    return None if left is None or right is None else _equal(left, right)


def _equal(left: np.ndarray, right: np.ndarray) -> bool | None:
    return _all(
        prove_equal(a, b) for a, b in zip(*(each.flat for each in np.broadcast_arrays(left, right)), strict=True)
    )


def _sides(formula: Formula, at: At, workspace: Workspace) -> str:
    """The values of both sides of a comparison, which tell more than its truth."""
    if not (isinstance(formula, Apply) and formula.function in {"lt", "le", "gt", "ge", "eq", "ne"}):
        return ""
    certified = workspace.certified(PRECISIONS[0])
    return "; ".join(shown(certified.evaluate(side, at)) for side in formula.arguments)


def holds_for_all(claim: Holds, at: At, workspace: Workspace) -> Decided:
    """The statement on the whole domain of the `for_all` inputs, by interval bisection, or refuted at a point."""
    leaves = [leaf for leaf in workspace.entry.inputs if leaf.name in claim.for_all]
    box = tuple((leaf.lower, leaf.upper) for leaf in leaves for _ in range(leaf.size))
    formula = parse(claim.formula.text)
    node = workspace.node(formula)
    certified = workspace.certified(_FOR_ALL_BITS)

    def statement(elements: Sequence[Element]) -> bool | None:
        return _statement(certified.evaluate(node, at, _leaf_arrays(leaves, elements)))

    found = everywhere(statement, box, _FOR_ALL_BITS)
    if found.holds is None:
        proved = _proved_equation(formula, at, workspace)
        return Decided.of(proved, reason="proved by SymPy" if proved else f"not decided after {found.boxes} boxes")
    if found.holds:
        return Decided.of(True, reason=f"certified on the whole domain, in {found.boxes} boxes")
    return Decided.of(False, reason=f"false at {_witness(leaves, found.witness or ())}")


def _leaf_arrays(leaves: Sequence[Any], elements: Sequence[Element]) -> dict[str, np.ndarray]:
    arrays, rest = {}, list(elements)
    for leaf in leaves:
        arrays[leaf.name] = object_array(rest[: leaf.size], leaf.shape)
        rest = rest[leaf.size :]
    return arrays


def _witness(leaves: Sequence[Any], point: Sequence[Fraction]) -> str:
    numbers = iter(point)
    parts = []
    for leaf in leaves:
        own = [str(next(numbers)) for _ in range(leaf.size)]
        parts.append(f"{leaf.name} = {own[0] if leaf.shape == () else '[' + ', '.join(own) + ']'}")
    return ", ".join(parts)


def identity(claim: Identity, at: At, workspace: Workspace) -> Decided:
    """Proved by SymPy for all inputs, or refuted by a certified counterexample inside the domain."""
    counterexample = _counterexample(claim.left, claim.right, at, workspace)
    if counterexample is not None:
        return counterexample
    left, right = (workspace.symbolic(side, at) for side in (claim.left, claim.right))
    proved = None if left is None or right is None else _equal(left, right)
    if proved:
        return Decided.of(True, reason="proved by SymPy for all inputs")
    return Decided.of(None, reason=f"not proved; no counterexample at {_TRIALS} points")


def _trial_points(leaves: Sequence[Any]) -> Iterator[tuple[Fraction, ...]]:
    """Seeded rational points of the domain, the first with all components different."""
    generator = np.random.default_rng(0)
    sides = [(leaf.lower, leaf.upper) for leaf in leaves for _ in range(leaf.size)]
    for _ in range(_TRIALS):
        weights = [Fraction(int(each), 1000) for each in generator.integers(1, 1000, size=len(sides))]
        yield tuple(low + (high - low) * weight for (low, high), weight in zip(sides, weights, strict=True))


def _counterexample(left: Side, right: Side, at: At, workspace: Workspace) -> Decided | None:
    """Refuted where the sides certainly differ at a trial point; None where they don't."""
    fixed = {name for name, _ in at}
    leaves = [leaf for leaf in workspace.entry.inputs if leaf.name not in fixed]
    for point in _trial_points(leaves):
        difference = _difference_at((left, right), at, leaves, point, workspace)
        if difference is not None:
            return Decided.of(False, truth=difference, reason=f"they differ at {_witness(leaves, point)}")
    return None


def _difference_at(
    both: tuple[Side, Side], at: At, leaves: Sequence[Any], point: Sequence[Fraction], workspace: Workspace
) -> str | None:
    """Both sides as text where they certainly differ at a point, else None; what is not a number does not differ."""
    bits = PRECISIONS[0]
    certified = workspace.certified(bits)
    with working_precision(bits):
        extra = _leaf_arrays(leaves, [exact_ball(x) for x in point])
    sides = [certified.evaluate(side, at, extra) for side in both]
    with working_precision(bits):
        pairs = zip(*(each.flat for each in np.broadcast_arrays(*sides)), strict=True)
        differ = any(NAN not in (a, b) and compare("ne", a, b) is True for a, b in pairs)
    return f"{shown(sides[0])}; {shown(sides[1])}" if differ else None


def limit(claim: Limit, at: At, workspace: Workspace) -> Decided:
    """SymPy's limit: the claimed one by proof, or another one at a trial point, certified in balls."""
    exprs = workspace.symbolic(claim.formula, at, variables=(claim.variable,))
    to, equals = (workspace.symbolic(each, at) for each in (claim.to, claim.equals))
    if exprs is None or to is None or equals is None:
        return Decided.of(None, reason="the formula is too large for a symbolic limit")
    (variable,) = component_symbols(leaf_node(claim.variable, ())).flat
    limits = [symbolic_limit(expr, variable, to[()]) for expr in exprs.flat]
    found = [each for each in limits if each is not None]
    if len(found) < len(limits):
        return Decided.of(None, reason="SymPy does not find the limit")
    pairs = list(zip(found, np.broadcast_to(equals, exprs.shape).flat, strict=True))
    truth = ", ".join(map(str, found))
    if any(each.is_infinite and claimed.is_finite for each, claimed in pairs):
        return Decided.of(False, truth=truth, reason="by SymPy's limit, which is infinite")
    proved = _all(prove_equal(each, claimed) for each, claimed in pairs)
    if proved is None:
        graphs = ((workspace.graph(each), workspace.graph(claimed)) for each, claimed in pairs)
        differs = next(filter(None, (_counterexample(*each, at, workspace) for each in graphs)), None)
        if differs is not None:
            return Decided.of(False, truth=truth, reason=f"by SymPy's limit; {differs.reason}")
    return Decided.of(proved, truth=truth, reason="by SymPy's limit")


def shape(claim: ShapeIs, workspace: Workspace) -> Decided:
    """The shape of the mathematics and of the JAX program; where they differ the verifier or JAX is at fault, and
    it says so.
    """
    node = workspace.node(claim.formula)
    program = program_shape(node)
    if program != node.shape:
        return Decided.of(None, reason=f"the mathematics has shape {node.shape}, the JAX program {program}")
    return Decided.of(
        node.shape == claim.shape, truth=str(list(node.shape)), reason="of the formula and of its JAX program"
    )


def shown(value: np.ndarray) -> str:
    """Certified digits of the first few elements."""
    texts = [_element_text(element) for element in list(value.flat)[:_SHOWN]]
    more = f", … ({value.size} in all)" if value.size > _SHOWN else ""
    return texts[0] if value.shape == () else f"[{', '.join(texts)}{more}]"


def _element_text(element: Any) -> str:
    return str(element) if isinstance(element, bool) or element is None else decimal(element, 12)


def _flat(printed: NestedText) -> list[str]:
    if isinstance(printed, tuple):
        return [text for item in printed for text in _flat(item)]
    return [printed.text]
