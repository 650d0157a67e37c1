"""Equality and order of two expressions of real variables where they consist of pieces: proved piece by piece.

Abs, sign, Max, Min, Piecewise and `Sides` switch where some g = 0. Each g that is met splits the claim into

    g > 0      both sides resolved, and equal as expressions without switches
    g < 0      likewise
    g = 0      the program at the boundary (x = c put in, where g = a (x - c)) against the limits of the reference from
               both sides: equal to both, or they differ for certain, and the reference has no value there

Of an order g = 0 is a piece as the others are, with the values of both sides there.

A piece that cannot be settled leaves the whole not proved; nothing is ever disproved here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import comb, prod
from types import MappingProxyType
from typing import Any

import sympy
from sympy.core.relational import Relational
from sympy.logic.boolalg import BooleanAtom

from verifier.errors import FormulaError
from verifier.symbolic.expressions import tree_size
from verifier.symbolic.kernels import Kernel, Sides
from verifier.symbolic.proof import prove_equal, prove_order

__all__ = ["equal_by_cases", "equal_everywhere", "ordered_everywhere"]

MAX_PIECES = 60
MAX_ORDERED = 600
"""Most pieces of an order, each of which takes a few milliseconds."""
MAX_SYMBOLS = 4
"""Most symbols that switches may depend on where there is time for a few pieces only: each doubles the pieces."""
MAX_TERMS = 1_500
"""Most terms that an expression may have when it is expanded."""
MAX_COSTLY = 80
"""SymPy's simplify takes up to a second at this size."""
_MODEST = 100

_SWITCHES = (sympy.Piecewise, Sides, sympy.Abs, sympy.sign, sympy.Max, sympy.Min)
_UNDEFINED = (sympy.nan, sympy.zoo, sympy.oo, -sympy.oo)
_GROWING = (sympy.gamma, sympy.loggamma, sympy.polygamma, sympy.besselj, sympy.besseli)
# What SymPy raises where it does not go on, and what is raised of what it makes.
FAILURES = (
    FormulaError,
    ValueError,
    TypeError,
    ArithmeticError,
    RecursionError,
    NotImplementedError,
    AttributeError,
    KeyError,
    sympy.PolynomialError,
)


def equal_by_cases(program: Kernel, reference: Kernel) -> bool:
    """Whether the two are proved equal for all real values of their symbols where both are defined.

    The reference may hold `Sides`: where these have two different limits it is not defined.
    """
    try:
        return _Proof().holds(_Claim(program, (_Read(reference),)))
    except FAILURES:
        return False


def equal_everywhere(left: Kernel, right: Kernel) -> bool:
    """Whether two formulas that consist of pieces are proved equal for all real values where both are defined.

    On a boundary both have their own values. A derivative of pieces is none there but by its limits: where the function
    jumps it has none, and along a boundary that is no single place it may have another one.
    """
    if not _has_few_switches(left, right):
        return False
    derivatives = [each for each in (left, right) if each.has(Sides)]
    if not derivatives:
        return _equal_both_ways(left, right)
    if len(derivatives) > 1 or not _is_its_limits(derivatives[0]):
        return False
    return equal_by_cases(right if left.has(Sides) else left, derivatives[0])


def ordered_everywhere(relation: str, left: Kernel, right: Kernel) -> bool:
    """Whether `left relation right` (lt le gt ge ne) is proved piece by piece, wherever both are numbers.

    On a boundary both have their own values; a boundary of a derivative has none, and is not proved.
    """
    try:
        return _has_few_switches(left, right) and _Proof(MAX_ORDERED).orders(relation, left, right, _Case())
    except FAILURES:
        return False


def _has_few_switches(*expressions: Kernel) -> bool:
    switches = [switch for each in expressions for switch in each.atoms(*_SWITCHES)]
    return bool(switches) and len({symbol for each in switches for symbol in each.free_symbols}) <= MAX_SYMBOLS


def _equal_both_ways(left: Kernel, right: Kernel) -> bool:
    """Where a boundary cannot be put in, only the program's own value there is compared, and not the reference's."""
    return equal_by_cases(left, right) and equal_by_cases(right, left)


def _is_its_limits(derivative: Kernel) -> bool:
    """Whether on boundaries a formula with derivatives is what it tends to from both sides, or nothing."""
    sides = derivative.atoms(Sides)
    beside = derivative.xreplace({each: sympy.Dummy(real=True) for each in sides})
    at_places = all(len({*each.args[0].free_symbols, *each.args[1].free_symbols}) == 1 for each in sides)
    return at_places and not beside.has(sympy.Piecewise, sympy.sign, sympy.floor, sympy.ceiling)


class _Open(Exception):
    """The sign of an expression is asked for that the case does not settle; `by` is which reference asked."""

    def __init__(self, sign_of: Kernel) -> None:
        super().__init__(sign_of)
        self.sign_of = sign_of
        self.by = -1


class _Boundary(Exception):
    """The reference is asked for a value exactly between two pieces."""


@dataclass(frozen=True, slots=True)
class _Case:
    """What is assumed: open intervals of symbols, signs of other expressions.

    An interval (c, c) is what lies next to c, above it for `upper`, else below.
    """

    bounds: Mapping[sympy.Symbol, tuple[Any, Any]] = field(default_factory=lambda: MappingProxyType({}))
    signs: Mapping[Kernel, int] = field(default_factory=lambda: MappingProxyType({}))
    upper: bool = True

    def between(self, symbol: sympy.Symbol, low: Any, high: Any) -> _Case:
        return replace(self, bounds={**self.bounds, symbol: (low, high)})

    def signed(self, key: Kernel, sign: int) -> _Case:
        return replace(self, signs={**self.signs, key: sign})

    def put(self, symbol: sympy.Symbol, value: Kernel) -> _Case:
        """The case with a value in the place of a symbol, without what then says nothing about symbols."""
        moved = ((_put(g, ((symbol, value),)), sign) for g, sign in self.signs.items())
        normal = ((*_normal(g), sign) for g, sign in moved if g.free_symbols)
        return replace(self, signs={key: factor * sign for key, factor, sign in normal})

    def constraints(self) -> list[tuple[Kernel, int]]:
        """Expressions and their signs: all that is assumed."""
        ends = [(symbol, *ends) for symbol, ends in self.bounds.items()]
        above = [(symbol - low, 1) for symbol, low, high in ends if low.is_finite and (low != high or self.upper)]
        below = [
            (symbol - high, -1) for symbol, low, high in ends if high.is_finite and (low != high or not self.upper)
        ]
        symbols = sorted({symbol for g in self.signs for symbol in g.free_symbols}, key=str)
        own = [(symbol, sign) for symbol in symbols if (sign := _sign_of_all(symbol))]
        return [*own, *above, *below, *self.signs.items()]

    def interval(self, symbol: sympy.Symbol) -> tuple[Any, Any]:
        return self.bounds.get(symbol, (-sympy.oo, sympy.oo))

    def sign(self, g: Kernel) -> int:
        """1, 0 or -1; raises _Open where the case does not say."""
        known = _sign_of_all(g)
        if known is not None:
            return known
        if isinstance(g, sympy.Pow) and g.exp.is_odd and g.exp.is_positive:
            return self.sign(g.base)
        line = _root_of_line(g)
        if line is not None:
            return self._on_line(g, *line)
        key, factor = _normal(g)
        if key in self.signs:
            return factor * self.signs[key]
        for places in _assumed(self):
            known = _sign_of_all(_put(g, places))
            if known is not None:
                return known
        raise _Open(g)

    def _on_line(self, g: Kernel, symbol: sympy.Symbol, slope: Any, root: Any) -> int:
        low, high = self.interval(symbol)
        above, below = root <= low, high <= root
        if not above and not below:
            raise _Open(g)
        return (1 if above and (self.upper or not below) else -1) * (1 if slope > 0 else -1)


@dataclass(frozen=True, slots=True)
class _Read:
    """A reference under its own case, `at` a place that is put in afterwards: a limit from one side."""

    expression: Kernel
    case: _Case = field(default_factory=_Case)
    at: tuple[tuple[sympy.Symbol, Kernel], ...] = ()

    @property
    def fixed(self) -> set[sympy.Symbol]:
        """The symbols of which a limit is taken."""
        return {symbol for symbol, _ in self.at}

    def within(self, case: _Case) -> _Case:
        """The case of the claim, but for what says from which side the limit is taken."""
        if not self.at:
            return case
        own = {symbol: ends for symbol, ends in self.case.bounds.items() if symbol in self.fixed}
        return _Case({**case.bounds, **own}, {**case.signs, **self.case.signs}, self.case.upper)


@dataclass(frozen=True, slots=True)
class _Claim:
    """`program` equals each of the references; with `crossing` these are the limits from both sides of a boundary."""

    program: Kernel
    references: tuple[_Read, ...]
    case: _Case = field(default_factory=_Case)
    crossing: bool = False


@dataclass(slots=True)
class _Proof:
    left: int = MAX_PIECES

    def holds(self, claim: _Claim) -> bool:
        self.left -= 1
        if self.left < 0:
            return False
        try:
            program = _resolved(claim.program, claim.case)
            references = [self._read(claim, place) for place in range(len(claim.references))]
        except _Boundary:
            return False
        except _Open as question:
            return self._split(claim, question)
        return _settled(program, references, claim.case, crossing=claim.crossing)

    def orders(self, relation: str, left: Kernel, right: Kernel, case: _Case) -> bool:
        """Whether an order of two expressions holds in a case, each with its own value on the boundaries."""
        self.left -= 1
        if self.left < 0:
            return False
        try:
            one, other = (_resolved(each, case) for each in (left, right))
        except _Boundary:
            return False
        except _Open as question:
            g = question.sign_of
            beside = all(self.orders(relation, left, right, _beside(case, g, sign)) for sign in (1, -1))
            return beside and self.orders(relation, *_where_zero(g, left, right, case))
        return _is_ordered(relation, one, other, case)

    def _read(self, claim: _Claim, place: int) -> Kernel:
        read = claim.references[place]
        try:
            return _put(_resolved(read.expression, read.within(claim.case)), read.at)
        except _Open as question:
            question.by = place if question.sign_of.free_symbols & read.fixed else -1
            raise

    def _split(self, claim: _Claim, question: _Open) -> bool:
        if question.by >= 0:
            return self._split_limit(claim, question)
        g = question.sign_of
        solved = _solved(g)
        sides = [_beside(claim.case, g, sign) for sign in (1, -1)]
        if not all(self.holds(replace(claim, case=case)) for case in sides):
            return False
        return self.holds(self._at_zero(claim, g, sides, solved))

    def _split_limit(self, claim: _Claim, question: _Open) -> bool:
        """Near the boundary an expression that is no constant is zero only on a thin set: a limit can avoid it."""
        g = question.sign_of
        if not g.is_polynomial(*g.free_symbols):
            return False
        key, _ = _normal(g)
        read = claim.references[question.by]
        for sign in (1, -1):
            read_here = replace(read, case=read.case.signed(key, sign))
            references = [read_here if place == question.by else each for place, each in enumerate(claim.references)]
            if not self.holds(replace(claim, references=tuple(references))):
                return False
        return True

    def _at_zero(self, claim: _Claim, g: Kernel, sides: Sequence[_Case], solved: Any) -> _Claim:
        line = _root_of_line(g)
        if solved is None:
            # The set g = 0 cannot be put in: program and both sides of the reference have to be one expression.
            key, _ = _normal(g)
            reads = [replace(each, case=case) for each in claim.references for case in sides]
            reads = [_Read(each.expression, each.case, each.at or ((sympy.Dummy(), sympy.S.Zero),)) for each in reads]
            return replace(claim, references=tuple(reads), case=claim.case.signed(key, 0), crossing=False)
        symbol, value = solved
        here = ((symbol, value),)
        program = _put(claim.program, here)
        read = claim.references[0]
        if len(claim.references) > 1 or not _is_between(read.expression, here):
            return replace(claim, program=program, references=tuple(_put_read(each, here) for each in claim.references))
        if line is not None:
            limits = [_next_to(claim.case, symbol, value, upper=upper) for upper in (True, False)]
        else:
            limits = list(sides)
        limits_read = tuple(_Read(read.expression, case, here) for case in limits)
        return _Claim(program, limits_read, claim.case, crossing=True)


def _beside(case: _Case, g: Kernel, sign: int) -> _Case:
    """The case on one side of g = 0."""
    line = _root_of_line(g)
    if line is None:
        key, factor = _normal(g)
        return case.signed(key, sign * factor)
    symbol, slope, root = line
    low, high = case.interval(symbol)
    return case.between(symbol, root, high) if (slope > 0) == (sign > 0) else case.between(symbol, low, root)


def _where_zero(g: Kernel, left: Kernel, right: Kernel, case: _Case) -> tuple[Kernel, Kernel, _Case]:
    """Two expressions and their case where g = 0: put in where g is linear, else assumed."""
    solved = _solved(g)
    if solved is None:
        return left, right, case.signed(_normal(g)[0], 0)
    return _put(left, (solved,)), _put(right, (solved,)), case.put(*solved)


def _next_to(case: _Case, symbol: sympy.Symbol, place: Any, *, upper: bool) -> _Case:
    return replace(case.between(symbol, place, place), upper=upper)


def _put_read(read: _Read, here: tuple[tuple[sympy.Symbol, Kernel], ...]) -> _Read:
    if read.at:
        return replace(read, at=(*read.at, *here))
    return replace(read, expression=_put(read.expression, here))


def _is_between(expression: Kernel, here: tuple[tuple[sympy.Symbol, Kernel], ...]) -> bool:
    """Whether the place is a boundary of some `Sides` of the expression."""
    return any(all(_put(end, here) == sympy.false for end in each.args[:2]) for each in expression.atoms(Sides))


def _put(expression: Kernel, places: Sequence[tuple[sympy.Symbol, Kernel]]) -> Kernel:
    """The expression with values for symbols; raises ValueError where SymPy might write out an astronomic number."""
    for symbol, value in places:
        if symbol in expression.free_symbols:
            if not _is_modest(expression, value):
                raise ValueError("a place too large to be put in")
            expression = expression.subs(symbol, value)
    return expression


def _is_modest(expression: Kernel, value: Kernel) -> bool:
    grows = expression.has(*_GROWING) or any(not each.exp.is_Rational for each in expression.atoms(sympy.Pow))
    grows = grows or (expression.has(sympy.exp) and expression.has(sympy.log))
    numbers = [*expression.atoms(sympy.Rational), *value.atoms(sympy.Rational)]
    return not grows or all(abs(each) <= _MODEST for each in numbers)


def _settled(program: Kernel, references: Sequence[Kernel], case: _Case, *, crossing: bool) -> bool:
    if program.has(*_UNDEFINED):
        return True
    if any(each.has(*_UNDEFINED) for each in references):
        return False
    if crossing and _is_combination(program, *references):
        return True
    return all(_identical_in(case, program, each) for each in references)


def _is_combination(program: Kernel, above: Kernel, below: Kernel) -> bool:
    """Where the limits differ the function has no derivative; where they agree, p + c (q - p) is what they are."""
    gap = above - below
    if gap.is_nonzero:
        return True
    if tree_size(program) + tree_size(gap) > MAX_COSTLY or gap == 0:
        return False
    return bool(sympy.cancel((program - above) / gap).is_Rational)


def _is_ordered(relation: str, left: Kernel, right: Kernel, case: _Case) -> bool:
    try:
        if case.sign(left - right) in _TRUE_FOR[relation]:
            return True
    except _Open:
        pass
    proved = (prove_order(relation, _put(left, places), _put(right, places)) for places in _assumed(case))
    return any(proved) or _is_empty(case)


def _identical_in(case: _Case, one: Kernel, other: Kernel) -> bool:
    return _identical(one, other) or any(
        _identical(_put(one, places), _put(other, places)) for places in _assumed(case)
    )


def _identical(one: Kernel, other: Kernel) -> bool:
    if one == other:
        return True
    return max(map(_terms, (one, other))) <= MAX_TERMS and prove_equal(one, other, costly=MAX_COSTLY) is True


def _assumed(case: _Case) -> Iterator[list[tuple[sympy.Symbol, Kernel]]]:
    """Symbols by what is positive in a case, for SymPy to see: x > c makes x = c + t, and x > y makes x = y + t.

    A symbol is written in one way only, hence two attempts.
    """
    constraints = case.constraints()
    for attempt in (constraints, constraints[::-1]):
        places: list[tuple[sympy.Symbol, Kernel]] = []
        for constraint, sign in attempt:
            g = _put(constraint, places)
            solved = _solved(g) if sign else None
            if solved is not None:
                symbol, root = solved
                beyond = sign * sympy.sign(sympy.diff(g, symbol)) * sympy.Dummy(positive=True)
                places.append((symbol, root + beyond))
        yield places


def _is_empty(case: _Case) -> bool:
    """Whether what is assumed contradicts itself, as far as it shows."""
    return any(
        _sign_of_all(_put(g, places)) not in (None, sign) for places in _assumed(case) for g, sign in case.constraints()
    )


# ---- switches


def _resolved(expression: Kernel, case: _Case) -> Kernel:
    """The expression without switches in this case; raises _Open and _Boundary."""
    if not expression.has(*_SWITCHES):
        return expression
    rule = _RULES.get(type(expression))
    if rule is not None:
        return rule(expression, case)
    return expression.func(*(_resolved(each, case) for each in expression.args))


def _piece(expression: Kernel, case: _Case) -> Kernel:
    for value, condition in expression.args:
        if _holds(condition, case):
            return _resolved(value, case)
    return sympy.nan


def _side(expression: Kernel, case: _Case) -> Kernel:
    inside, outside, p, q = expression.args
    for condition, value in ((inside, p), (outside, q)):
        if _holds(condition, case):
            return _resolved(value, case)
    raise _Boundary


def _absolute(expression: Kernel, case: _Case) -> Kernel:
    inner = _resolved(expression.args[0], case)
    return inner * case.sign(inner)


def _sign(expression: Kernel, case: _Case) -> Kernel:
    return sympy.Integer(case.sign(_resolved(expression.args[0], case)))


def _extreme(expression: Kernel, case: _Case) -> Kernel:
    wanted = 1 if isinstance(expression, sympy.Max) else -1
    best, *rest = (_resolved(each, case) for each in sympy.ordered(expression.args))
    for each in rest:
        best = each if case.sign(each - best) == wanted else best
    return best


_RULES: Mapping[type, Any] = MappingProxyType(
    {
        sympy.Piecewise: _piece,
        Sides: _side,
        sympy.Abs: _absolute,
        sympy.sign: _sign,
        sympy.Max: _extreme,
        sympy.Min: _extreme,
    }
)
_TRUE_FOR: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {"gt": (1,), "ge": (1, 0), "lt": (-1,), "le": (-1, 0), "eq": (0,), "ne": (1, -1)}
)
"""For which signs of the difference of its sides a relation is true."""
_RELATIONS: Mapping[type, str] = MappingProxyType(
    {
        sympy.StrictGreaterThan: "gt",
        sympy.GreaterThan: "ge",
        sympy.StrictLessThan: "lt",
        sympy.LessThan: "le",
        sympy.Equality: "eq",
        sympy.Unequality: "ne",
    }
)


def _holds(condition: Kernel, case: _Case) -> bool:
    match condition:
        case BooleanAtom():
            return bool(condition)
        case sympy.Not():
            return not _holds(condition.args[0], case)
        case sympy.And():
            return all(_holds(each, case) for each in sympy.ordered(condition.args))
        case sympy.Or():
            return any(_holds(each, case) for each in sympy.ordered(condition.args))
        case Relational():
            left, right = (_resolved(each, case) for each in (condition.lhs, condition.rhs))
            return case.sign(left - right) in _TRUE_FOR[_RELATIONS[type(condition)]]
    raise ValueError(f"no condition: {condition}")


# ---- signs


def _sign_of_all(g: Kernel) -> int | None:
    """The sign where it is the same for all real values, by SymPy's assumptions."""
    found = [sign for sign, is_so in ((0, g.is_zero), (1, g.is_positive), (-1, g.is_negative)) if is_so]
    if not found and g.is_number:
        raise ValueError("the sign of a constant is not decided")
    return found[0] if found else None


def _root_of_line(g: Kernel) -> tuple[sympy.Symbol, Any, Any] | None:
    """(x, a, c) of g = a (x - c) with rational a, c."""
    symbols = list(g.free_symbols)
    if len(symbols) != 1:
        return None
    solved = _solved(g)
    return None if solved is None or not solved[1].is_Rational else (solved[0], sympy.diff(g, solved[0]), solved[1])


def _solved(g: Kernel) -> tuple[sympy.Symbol, Kernel] | None:
    """A symbol and its value where g = 0, if g is linear in it with a rational coefficient."""
    for symbol in sorted(g.free_symbols, key=str):
        if isinstance(symbol, sympy.Dummy):
            continue
        slope = sympy.expand(sympy.diff(g, symbol))
        if slope.is_Rational and slope != 0:
            value = sympy.expand(symbol - g / slope)
            if symbol not in value.free_symbols and not value.has(*_SWITCHES):
                return symbol, value
    return None


def _normal(g: Kernel) -> tuple[Kernel, int]:
    """The same key for g and all its rational multiples, with the sign of the factor."""
    _, primitive = sympy.expand(g).as_content_primitive()
    return (-primitive, -1) if primitive.could_extract_minus_sign() else (primitive, 1)


# ---- sizes


def _terms(expression: Kernel) -> int:
    """A bound on how many terms any part of the expression has when it is expanded over a common denominator."""
    known: dict[Kernel, tuple[int, int]] = {}
    sizes = [_fraction_terms(each, known) for each in sympy.postorder_traversal(expression)]
    return max(max(each) for each in sizes)


_LARGE = 10**6
_TWO_OVER_TWO = (sympy.tanh, sympy.tan, sympy.coth, sympy.cot)
_TWO = (sympy.sin, sympy.cos, sympy.sinh, sympy.cosh)


def _fraction_terms(expression: Kernel, known: dict[Kernel, tuple[int, int]]) -> tuple[int, int]:
    if expression not in known:
        above, below = _counted(expression, known)
        known[expression] = (min(above, _LARGE), min(below, _LARGE))
    return known[expression]


def _counted(expression: Kernel, known: dict[Kernel, tuple[int, int]]) -> tuple[int, int]:
    match expression:
        case sympy.Add():
            parts = {each: _fraction_terms(each, known) for each in expression.args}
            below = prod({_denominator(each): b for each, (_, b) in parts.items()}.values())
            return sum(a * below // b for a, b in parts.values()), below
        case sympy.Mul():
            parts = [_fraction_terms(each, known) for each in expression.args]
            return prod(a for a, _ in parts), prod(b for _, b in parts)
        case sympy.Pow(args=(base, exponent)) if exponent.is_Integer:
            count = min(abs(int(exponent)), 100)
            above, below = (comb(each + count - 1, count) for each in _fraction_terms(base, known))
            return (above, below) if exponent.is_positive else (below, above)
        case _ if isinstance(expression, _TWO_OVER_TWO):
            return 2, 2
        case _ if isinstance(expression, _TWO):
            return 2, 1
    return 1, 1


def _denominator(expression: Kernel) -> frozenset[Kernel]:
    """What tells whether two summands stand over the same denominator."""
    return frozenset(
        each
        for each in sympy.Mul.make_args(expression)
        if isinstance(each, _TWO_OVER_TWO) or (isinstance(each, sympy.Pow) and each.args[1].could_extract_minus_sign())
    )
