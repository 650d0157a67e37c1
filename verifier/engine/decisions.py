"""How each kind of claim about mathematics is decided: certified in balls, or proved by SymPy; never by a tolerance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeGuard

import numpy as np

from verifier.arithmetic.digits import decimal
from verifier.arithmetic.elements import Element, compare, exact_ball, is_finite
from verifier.arithmetic.precision import working_precision
from verifier.arithmetic.vocabulary import RELATIONS
from verifier.engine.domain import Domain
from verifier.engine.equations import Equation, Values, every
from verifier.engine.slopes import equal_by_slopes, ordered_by_slopes
from verifier.engine.statements import truths
from verifier.model.catalog import At, Digits, Holds, Identity, NestedText, ShapeIs
from verifier.model.verdict import ClaimVerdict
from verifier.programs.shapes import program_shape
from verifier.symbolic.formula import Apply, Formula, parse
from verifier.symbolic.kernels import rational
from verifier.symbolic.proof import prove_equal
from verifier.truth.forall import Box, Everywhere, Point, everywhere
from verifier.truth.workspace import Workspace

__all__ = ["Decided", "digits", "holds", "holds_for_all", "identity", "shape"]

PRECISIONS = (128, 256, 512, 1024, 2048)
"""Working precisions in bits, tried in turn until a comparison is decided."""

_FOR_ALL_BITS = 128
_BOXES = 256
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
        value = workspace.certified(bits).number(claim.formula, at)
        if value.size != len(printed):
            return Decided.of(
                False, truth=shown(value), reason=f"there are {value.size} numbers, {len(printed)} are printed"
            )
        with working_precision(bits):
            met = [_meets(x, text, exactly=claim.exactly) for x, text in zip(value.flat, printed, strict=True)]
        if None not in met or False in met:
            return Decided.of(all(met), truth=shown(value), reason=f"certified at {bits} bits")
    known = all(map(is_finite, value.flat))
    exprs = workspace.symbolic(claim.formula, at) if known else None
    if exprs is not None:
        each = zip(met, exprs.flat, printed, strict=True)
        met = [found or _proved_digits(expr, text, exactly=claim.exactly) for found, expr, text in each]
    proved = every(met)
    undecided = "too close to the limit to decide" if known else "its value is not known"
    return Decided.of(proved, truth=shown(value), reason=_by_sympy(proved, undecided))


def _meets(value: Element, printed: str, *, exactly: bool) -> bool | None:
    low, high = _range(printed, exactly=exactly)
    if low == high:
        return compare("eq", value, exact_ball(low))
    return every((compare("ge", value, exact_ball(low)), compare("le", value, exact_ball(high))))


def _range(printed: str, *, exactly: bool) -> tuple[Fraction, Fraction]:
    """The least and the largest number that is printed so.

    A number with an exponent was rounded to its last digit, wherever that stands; a whole one without was not.
    """
    number, places = Fraction(printed), Decimal(printed).as_tuple().exponent
    assert isinstance(places, int)
    whole = places >= 0 and "e" not in printed.lower()
    half = Fraction(0) if exactly or whole else Fraction(10) ** places / 2
    return number - half, number + half


def _proved_digits(expr: Any, printed: str, *, exactly: bool) -> bool | None:
    """Whether a number that balls can't tell from an end of what is printed so is that end, by SymPy."""
    low, high = _range(printed, exactly=exactly)
    if low == high:
        return prove_equal(expr, rational(low))
    return True if any(prove_equal(expr, rational(end)) for end in (low, high)) else None


def holds(claim: Holds, at: At, workspace: Workspace) -> Decided:
    """The statement in balls, at growing precision until it is decided; SymPy may prove two numbers of it equal."""
    formula = parse(claim.formula.text)
    for bits in PRECISIONS:
        decided = _statement(workspace.certified(bits).evaluate(formula, at))
        if decided is not None:
            return Decided.of(decided, truth=_sides(formula, at, workspace), reason=f"certified at {bits} bits")
    if _is_equation(formula):
        found = _beyond_balls(Equation.of(formula, at, workspace))
    else:
        found = _part_by_part(formula, at, workspace)
    return replace(found, truth=_sides(formula, at, workspace))


def _is_equation(formula: Formula) -> TypeGuard[Apply]:
    return isinstance(formula, Apply) and formula.function == "eq"


def _is_comparison(formula: Formula) -> TypeGuard[Apply]:
    return isinstance(formula, Apply) and formula.function in RELATIONS


def _beyond_balls(equation: Equation) -> Decided:
    """An equation at a point that no precision decides: a side is no number, or SymPy may prove it."""
    values = [equation.values(bits) for bits in PRECISIONS]
    alone = _alone(equation, values[-1])
    if alone is not None:
        return alone
    if values[-1].void():
        return Decided.of(None, reason="neither side is a number")
    if not any(each.are_numbers() for each in values):
        return Decided.of(None, reason="not decided by balls, nor that both sides are numbers")
    proved = equation.proved()
    return Decided.of(proved, reason=_by_sympy(proved))


def _part_by_part(formula: Formula, at: At, workspace: Workspace) -> Decided:
    """A statement that no precision decides: SymPy may decide parts of it, or a side of a comparison is no number."""
    proved = every(truths(formula, at, workspace, PRECISIONS[-1]).flat)
    if proved is None and _is_comparison(formula):
        sides = Equation.of(formula, at, workspace)
        alone = _alone(sides, sides.values(PRECISIONS[-1]))
        if alone is not None:
            return Decided.of(None, reason=alone.reason)
    return Decided.of(proved, reason=_by_sympy(proved))


def _by_sympy(proved: bool | None, undecided: str = "not decided by balls") -> str:
    return undecided if proved is None else "proved by SymPy" if proved else "disproved by SymPy"


def _alone(equation: Equation, values: Values, where: str = "") -> Decided | None:
    """Refuted where one side is a number and the other is none for certain; None where that can't be seen."""
    side = values.missing()
    if not side:
        return None
    if equation.certainly_missing(values):
        return Decided.of(False, reason=f"the {side} side is no number{where}")
    return Decided.of(None, reason=f"the formula of the derivative on the {side} side has no value{where}")


def _statement(value: np.ndarray) -> bool | None:
    return every(value.flat)


def _sides(formula: Formula, at: At, workspace: Workspace) -> str:
    """The values of both sides of a comparison, which tell more than its truth."""
    if not _is_comparison(formula):
        return ""
    certified = workspace.certified(PRECISIONS[0])
    return "; ".join(shown(certified.evaluate(side, at)) for side in formula.arguments)


def holds_for_all(claim: Holds, at: At, workspace: Workspace) -> Decided:
    """The statement on the whole domain of the `for_all` inputs, by interval bisection, or refuted at a point.

    A comparison may be proved by SymPy where both sides are certainly numbers on the whole domain.
    """
    domain = Domain(tuple(leaf for leaf in workspace.entry.inputs if leaf.name in claim.for_all))
    return _for_all(parse(claim.formula.text), domain, at, workspace)


def _for_all(formula: Formula, domain: Domain, at: At, workspace: Workspace) -> Decided:
    if isinstance(formula, Apply) and formula.function == "and":
        return _together([_for_all(part, domain, at, workspace) for part in formula.arguments])
    sides, relation = (Equation.of(formula, at, workspace), formula.function) if _is_comparison(formula) else (None, "")
    equation = sides if relation == "eq" else None
    certified = workspace.certified(_FOR_ALL_BITS)

    def statement(elements: Sequence[Element]) -> bool | None:
        arrays = domain.arrays(elements)
        if equation is None:
            return _statement(certified.evaluate(formula, at, arrays))
        values = equation.values(_FOR_ALL_BITS, arrays)
        return False if equation.certainly_missing(values) else values.equal()

    def refuted(point: Point) -> Decided:
        values = None if equation is None else _values_at(equation, domain, point)
        lone = "" if values is None or not values.missing() else f": the {values.missing()} side is no number"
        return Decided.of(False, reason=f"false at {domain.written(point)}{lone}")

    with working_precision(_FOR_ALL_BITS):
        false = (point for point in domain.trials() if statement(list(map(exact_ball, point))) is False)
        witness = next(false, None)
    if witness is not None:
        return refuted(witness)
    found, numbers = everywhere(statement, domain.box, _FOR_ALL_BITS, boxes=_BOXES), None
    if found.holds is None and sides is not None:
        numbers = _numbers_everywhere(sides, domain).holds
        if numbers and sides.proved(relation):
            return Decided.of(True, reason="proved by SymPy")
        meeting = equal_by_slopes(sides, domain) if numbers and relation in ("le", "ge", "eq") else ""
        if meeting:
            return Decided.of(True, reason=f"proved by SymPy: equal at {meeting}, with the same derivatives")
        if numbers and ordered_by_slopes(relation, sides, domain):
            return Decided.of(True, reason="proved by Taylor's formula where both sides meet, and certified elsewhere")
    if found.holds is None:
        found = everywhere(statement, domain.box, _FOR_ALL_BITS)
    if found.witness is not None:
        return refuted(found.witness)
    if found.holds:
        return Decided.of(True, reason=f"certified on the whole domain, in {found.boxes} boxes")
    more = ", nor that both sides are numbers for all values" if equation is not None and not numbers else ""
    return Decided.of(None, reason=f"not decided after {found.boxes} boxes{more}")


def _together(parts: Sequence[Decided]) -> Decided:
    """What holds for all inputs holds for each of its parts by itself; where one does not, that one tells."""
    for verdict in (ClaimVerdict.REFUTED, ClaimVerdict.UNDECIDED):
        telling = next((each for each in parts if each.verdict is verdict), None)
        if telling is not None:
            return telling
    return replace(parts[0], reason="; ".join(dict.fromkeys(each.reason for each in parts)))


def _values_at(equation: Equation, domain: Domain, point: Point) -> Values:
    with working_precision(_FOR_ALL_BITS):
        return equation.values(_FOR_ALL_BITS, domain.place(point))


def _numbers_everywhere(equation: Equation, domain: Domain, box: Box | None = None) -> Everywhere:
    """Whether both sides are numbers on the whole domain, or on a box in it; refuted by a whole box where only one of
    them is.
    """

    def statement(elements: Sequence[Element]) -> bool | None:
        values = equation.values(_FOR_ALL_BITS, domain.arrays(elements))
        return False if values.missing() else values.are_numbers() or None

    return everywhere(statement, domain.box if box is None else box, _FOR_ALL_BITS, boxes=_BOXES, points=False)


def _lone_piece(equation: Equation, domain: Domain, trials: Mapping[Point, Values]) -> Everywhere:
    """As `_numbers_everywhere`, and around the trial points where one side is missing: a small piece is found there."""
    found = _numbers_everywhere(equation, domain)
    lone = (point for point, values in trials.items() if values.missing() and domain.box)
    for point in lone if found.witness is None else ():
        near = _numbers_everywhere(equation, domain, domain.around(point))
        if near.witness is not None:
            return near
    return found


def identity(claim: Identity, at: At, workspace: Workspace) -> Decided:
    """Proved by SymPy wherever both sides are defined, or refuted by a certified counterexample inside the domain.

    At single points one side may lack a value, as x/x does at 0; on a whole piece of the domain that refutes.
    """
    equation = Equation((claim.left, claim.right), workspace, at)
    domain = equation.domain()
    trials = trial_values(equation)
    counterexample = differs(equation, trials)
    if counterexample is not None:
        return counterexample
    found = _lone_piece(equation, domain, trials)
    if found.witness is not None:
        around = f"{_place(domain, found.witness)}, and around it" if domain.box else ""
        alone = _alone(equation, _values_at(equation, domain, found.witness), around)
        return alone or Decided.of(None, reason=f"one side has no value{around}")
    if not any(each.are_numbers() for each in trials.values()):
        return Decided.of(None, reason=f"both sides are numbers at none of {len(trials)} points")
    extent = "for all inputs" if found.holds else "wherever both sides are defined"
    exception = next((_exception(domain, *each) for each in trials.items() if each[1].missing()), "")
    if equation.proved():
        return Decided.of(True, reason=f"proved by SymPy {extent}{exception}")
    meeting = equal_by_slopes(equation, domain) if found.holds else ""
    if meeting:
        return Decided.of(True, reason=f"proved by SymPy for all inputs: equal at {meeting}, with the same derivatives")
    return Decided.of(None, reason=f"not proved; no counterexample at {len(trials)} points")


def trial_values(equation: Equation, *, scattered: bool = False) -> dict[Point, Values]:
    """Both sides at the trial points of the inputs that they use, or only at those that are nothing special."""
    domain = equation.domain()
    points = domain.scattered() if scattered else domain.trials()
    return {point: _values_at(equation, domain, point) for point in points}


def differs(equation: Equation, trials: Mapping[Point, Values]) -> Decided | None:
    """Refuted by a trial point where the sides are two numbers; None where there is none."""
    for point, values in trials.items():
        if _differ(values):
            sides = f"{shown(values.left)}; {shown(values.right)}"
            return Decided.of(False, truth=sides, reason=f"they differ{_place(equation.domain(), point)}")
    return None


def _exception(domain: Domain, point: Point, values: Values) -> str:
    return f": the {values.missing()} side has no value{_place(domain, point)}"


def _place(domain: Domain, point: Point) -> str:
    return f" at {domain.written(point)}" if point else ""


def _differ(values: Values) -> bool:
    """Whether some component is a number on both sides, and another one."""
    with working_precision(values.bits):
        return any(is_finite(a) and is_finite(b) and compare("ne", a, b) is True for a, b in values.pairs())


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
