"""Formula text to a frozen tree, by an allow-list over Python's own grammar; nothing is ever evaluated.

    parse(unparse(formula)) == formula

Numbers are exact: a literal is the rational that its source text names (`0.1` is 1/10).
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NoReturn

from verifier.errors import FormulaError
from verifier.symbolic.functions import CONSTANTS, FUNCTIONS, REDUCED, Function, renamed, suggestion

__all__ = [
    "Apply",
    "Derivative",
    "Formula",
    "Index",
    "Name",
    "Number",
    "Quote",
    "Range",
    "Stack",
    "constant",
    "function_of",
    "inexact",
    "names",
    "parse",
    "parts",
    "unparse",
    "walk",
]

MAX_LENGTH = 20_000
MAX_DEPTH = 200
MAX_DIGITS = 1_000
MAX_EXPONENT = 4_096
MAX_BITS = 1 << 16
MAX_ORDER = 16
MAX_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Number:
    """A literal: its exact value and its source text."""

    value: Fraction
    text: str
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Name:
    """A name, dotted for a leaf of a nested input; the scope decides what it is."""

    name: str
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Apply:
    """A function or operator of the table applied to arguments."""

    function: str
    arguments: tuple[Formula, ...]
    options: tuple[tuple[str, int], ...] = ()
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Range:
    """A slice with constant ends, as Python writes it."""

    start: int | None = None
    stop: int | None = None
    step: int | None = None


@dataclass(frozen=True, slots=True)
class Index:
    """Basic indexing by constant integers and slices."""

    operand: Formula
    indices: tuple[int | Range, ...]
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Stack:
    """A list display: its items, of one shape, along a new first axis."""

    items: tuple[Formula, ...]
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Derivative:
    """`D(of, x, ...)`: one more axis group for each name in `wrt`, in that order."""

    of: Formula
    wrt: tuple[str, ...]
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Quote:
    """A quoted name, allowed as the argument of a fact only."""

    text: str
    column: int = field(default=0, compare=False)


Formula = Number | Name | Apply | Index | Stack | Derivative | Quote


def parse(text: str, *, facts: Collection[str] = ()) -> Formula:
    """The tree of a formula.

    `facts` are further functions of any arity whose arguments may be quoted names.
    Raises FormulaError with the column of the first character that is at fault.
    """
    if len(text) > MAX_LENGTH:
        raise FormulaError(
            f"the formula has {len(text)} characters, at most {MAX_LENGTH} are read; split it with `let`"
        )
    stray = re.search(r"[^A-Za-z0-9_ .,+\-*/%^@()\[\]<>=!:'\"\r\n\t]", text)
    if stray:
        advice = _ELSEWHERE.get(stray.group())
        meant = f"write {advice}" if advice else "remove it"
        raise FormulaError(f"{stray.group()!r} has no meaning in a formula; {meant}", column=stray.start())
    line = re.sub(r"\s", " ", text)
    start = len(line) - len(line.lstrip())
    return _Reader(line[start:], start, frozenset(facts)).read()


def parts(formula: Formula) -> tuple[Formula, ...]:
    """The formulas directly inside a formula."""
    match formula:
        case Apply():
            return formula.arguments
        case Index():
            return (formula.operand,)
        case Stack():
            return formula.items
        case Derivative():
            return (formula.of,)
    return ()


def walk(formula: Formula) -> Iterator[Formula]:
    """The formula and every formula inside it, outermost first."""
    yield formula
    for part in parts(formula):
        yield from walk(part)


def names(formula: Formula) -> frozenset[str]:
    """Every name that the formula mentions."""
    found = {each.name for each in walk(formula) if isinstance(each, Name)}
    return frozenset(found.union(*(each.wrt for each in walk(formula) if isinstance(each, Derivative))))


def function_of(formula: Apply) -> Function:
    """The row that an application means: `max` of one array is a reduction, of two numbers it is not."""
    table = REDUCED if len(formula.arguments) == 1 and formula.function in REDUCED else FUNCTIONS
    return table[formula.function]


_ARITHMETIC = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b if b else None,
    "neg": lambda a: -a,
    "pow": lambda a, b: _power(a, b),
}


def constant(formula: Formula) -> Fraction | None:
    """The exact value of arithmetic over numbers alone, or None where there is more in it.

    Raises FormulaError where writing the value down would take more than MAX_BITS bits.
    """
    if isinstance(formula, Number):
        return formula.value
    if not isinstance(formula, Apply) or formula.function not in _ARITHMETIC:
        return None
    values = [constant(part) for part in formula.arguments]
    if any(value is None for value in values):
        return None
    try:
        return _ARITHMETIC[formula.function](*values)
    except OverflowError as error:
        raise FormulaError(str(error), column=formula.column) from None


def inexact(formula: Formula) -> str:
    """Why a formula has no `constant`: what is wrong with the first part that has none."""
    for part in parts(formula) if isinstance(formula, Apply) and formula.function in _ARITHMETIC else ():
        if constant(part) is None:
            return inexact(part)
    match formula:
        case Name(name) if name.lower() in ("inf", "infinity"):
            return f"`{name}` is infinite, and only finite numbers can stand here"
        case Name(name) if name in CONSTANTS:
            return f"`{name}` has no exact value"
        case Name(name):
            return f"`{name}` is a name, and only numbers can stand here"
        case Apply(function="pow", arguments=(_, exponent)) if constant(exponent).denominator != 1:  # pyright: ignore
            return f"the exponent of `{_cut(formula)}` is no integer"
        case Apply(function="pow" | "div"):
            return f"`{_cut(formula)}` has no value"
    return f"only + - * / and ** of numbers are exact, `{_cut(formula)}` is not"


def _cut(formula: Formula) -> str:
    text = unparse(formula)
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"


def _power(base: Fraction, exponent: Fraction) -> Fraction | None:
    if exponent.denominator != 1 or (base == 0 and exponent < 0):
        return None
    bits = base.numerator.bit_length() + base.denominator.bit_length()
    if abs(exponent) > MAX_EXPONENT or bits * abs(exponent) > MAX_BITS:
        raise OverflowError(
            f"this power is too large to write down; exponents go to {MAX_EXPONENT}, values to {MAX_BITS} bits"
        )
    return base ** int(exponent)


_OPERATORS: dict[type, str] = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Pow: "pow", ast.MatMult: "matmul",
    ast.USub: "neg", ast.Not: "not", ast.And: "and", ast.Or: "or",
    ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge", ast.Eq: "eq", ast.NotEq: "ne",
}  # fmt: skip

# How other notations are written here; what stands in neither table has to be removed.
_ELSEWHERE = {
    **{"²": "**2", "³": "**3", "·": "*", "×": "*", "÷": "/", "−": "-", "–": "-", "π": "pi", "√": "sqrt(a)"},
    **{"≤": "<=", "≥": ">=", "≠": "!=", "|": "abs(a), or `or`", "&": "and", "~": "not", "{": "( or [", "}": ") or ]"},
}
_MISREAD = {
    "invalid decimal literal": ("a number is followed by a letter", "write * for a product"),
    "Exceeds the limit": ("a number has too many digits", f"at most {MAX_DIGITS} are read"),
    "leading zeros": ("a number has zeros in front", "remove them"),
}


def _no_formula(message: str, found: str) -> tuple[str, str]:
    """What is wrong in words of the formula language, and what to do, from Python's message and where it stands."""
    for start, said in _MISREAD.items():
        if message.startswith(start):
            return said
    if message == "invalid syntax" and not found:
        return "it ends too early", "check brackets and operators"
    if message == "invalid syntax" and found == "=":
        return "a single =", "write == to compare"
    if message == "invalid syntax" and (found.isalnum() or found == "("):
        return "an operator is missing", "write * for a product, f(a) for a function"
    return message, "check brackets and operators"


_REFUSED = {
    ast.UAdd: "leave the + out",
    ast.IfExp: "write where(condition, a, b) for a choice",
    ast.FloorDiv: "write floor(a/b)",
    ast.Mod: "write a - b*floor(a/b)",
    ast.Tuple: "write [a, b] for a vector",
    ast.BitXor: "write ** for a power",
}

_NUMBER = re.compile(r"(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


class _Reader:
    """Walks one syntax tree; `offset` is where its text starts inside the formula."""

    def __init__(self, text: str, offset: int, facts: frozenset[str]) -> None:
        self.text, self.offset, self.facts = text, offset, facts
        self.readers = {
            ast.Constant: self.literal,
            ast.Name: self.name,
            ast.Attribute: self.name,
            ast.BinOp: self.binary,
            ast.UnaryOp: self.unary,
            ast.BoolOp: self.logic,
            ast.Compare: self.comparison,
            ast.Call: self.call,
            ast.Subscript: self.index,
            ast.List: self.stack,
        }

    def read(self) -> Formula:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # Python only warns of `1or x`
                tree = ast.parse(self.text, mode="eval").body
        except SyntaxError as error:
            unplaced = len(self.text) if error.msg == "invalid syntax" else 0  # Python knows no place at the end
            place = error.offset - 1 if error.offset else unplaced
            what, advice = _no_formula(error.msg, self.text[place : place + 1])
            raise FormulaError(f"this is no formula ({what}); {advice}", column=self.offset + place) from None
        except (ValueError, RecursionError, MemoryError):
            raise FormulaError("this formula is too large or nested too deeply; split it with `let`") from None
        return self.formula(tree, MAX_DEPTH)

    def fail(self, node: ast.AST, message: str) -> NoReturn:
        raise FormulaError(message, column=self.column(node))

    def column(self, node: ast.AST) -> int:
        return self.offset + getattr(node, "col_offset", 0)

    def formula(self, node: ast.AST, depth: int) -> Formula:
        if depth == 0:
            self.fail(node, f"the formula is nested deeper than {MAX_DEPTH}; split it with `let`")
        reader = self.readers.get(type(node))
        if reader is None:
            advice = _REFUSED.get(
                type(node), "use arithmetic, comparisons, functions of the table, indexing and [a, b]"
            )
            self.fail(node, f"this is not part of the formula language; {advice}")
        return reader(node, depth - 1)

    def apply(
        self, node: ast.AST, function: str, *arguments: Formula, options: tuple[tuple[str, int], ...] = ()
    ) -> Apply:
        formula = Apply(function, arguments, options, self.column(node))
        if function == "pow":
            exponent = constant(arguments[1])
            if exponent is not None and abs(exponent) > MAX_EXPONENT:
                self.fail(node, f"an exponent of at most {MAX_EXPONENT} was expected")
            constant(formula)
        return formula

    def literal(self, node: ast.Constant, depth: int) -> Formula:
        source = self.text[node.col_offset : node.end_col_offset]
        if not _NUMBER.fullmatch(source):
            self.fail(node, f"a decimal number was expected, not {source[:20]}")
        exponent = re.split("[eE]", source)[1:]
        if len(source) > MAX_DIGITS or (exponent and (len(exponent[0]) > 6 or abs(int(exponent[0])) > MAX_EXPONENT)):
            self.fail(node, f"numbers have at most {MAX_DIGITS} digits and exponents up to {MAX_EXPONENT}")
        return Number(Fraction(source), source, self.column(node))

    def name(self, node: ast.AST, depth: int) -> Name:
        words: list[str] = []
        inner = node
        while isinstance(inner, ast.Attribute):
            words.append(inner.attr)
            inner = inner.value
        if not isinstance(inner, ast.Name):
            self.fail(node, "a dot is part of a name only, as in `params.w`")
        words.append(inner.id)
        if any(word.startswith("_") or word in ("True", "False", "None") for word in words):
            self.fail(node, "a name starts with a letter")
        return Name(".".join(reversed(words)), self.column(node))

    def operator(self, node: ast.AST, operator: ast.AST) -> str:
        function = _OPERATORS.get(type(operator))
        if function is None:
            advice = _REFUSED.get(type(operator), "use + - * / ** @ and comparisons")
            self.fail(node, f"this operator is not part of the formula language; {advice}")
        return function

    def binary(self, node: ast.BinOp, depth: int) -> Formula:
        function = self.operator(node, node.op)
        return self.apply(node, function, self.formula(node.left, depth), self.formula(node.right, depth))

    def unary(self, node: ast.UnaryOp, depth: int) -> Formula:
        return self.apply(node, self.operator(node, node.op), self.formula(node.operand, depth))

    def logic(self, node: ast.BoolOp, depth: int) -> Formula:
        return self.apply(node, self.operator(node, node.op), *(self.formula(each, depth) for each in node.values))

    def comparison(self, node: ast.Compare, depth: int) -> Formula:
        operands = [self.formula(each, depth) for each in (node.left, *node.comparators)]
        tests = [
            self.apply(node, self.operator(node, relation), left, right)
            for relation, left, right in zip(node.ops, operands, operands[1:], strict=False)
        ]
        return tests[0] if len(tests) == 1 else self.apply(node, "and", *tests)

    def stack(self, node: ast.List, depth: int) -> Formula:
        if not node.elts:
            self.fail(node, "a list needs at least one item")
        return Stack(tuple(self.formula(each, depth) for each in node.elts), self.column(node))

    def index(self, node: ast.Subscript, depth: int) -> Formula:
        items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if not items:
            self.fail(node, "an index or a slice was expected between the brackets")
        return Index(self.formula(node.value, depth), tuple(map(self.position, items)), self.column(node))

    def position(self, node: ast.expr) -> int | Range:
        if isinstance(node, ast.Slice):
            ends = (None if end is None else self.integer(end) for end in (node.lower, node.upper, node.step))
            found = Range(*ends)
            if found.step == 0:
                self.fail(node, "the step of a slice is not 0")
            return found
        return self.integer(node)

    def integer(self, node: ast.expr) -> int:
        negative = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)
        inner = node.operand if isinstance(node, ast.UnaryOp) and negative else node
        if not isinstance(inner, ast.Constant) or type(inner.value) is not int or inner.value > 10**9:
            self.fail(node, "an integer constant was expected here")
        return -inner.value if negative else inner.value

    def call(self, node: ast.Call, depth: int) -> Formula:
        if not isinstance(node.func, ast.Name):
            self.fail(node, "only functions of the table can be called, by their plain name")
        name = node.func.id
        if name in self.facts:
            return self.apply(node, name, *(self.fact_argument(each, depth) for each in node.args))
        if name == "D":
            return self.derivative(node, depth)
        row = FUNCTIONS.get(name)
        if row is None or row.symbol:
            near = suggestion(name, [each.name for each in FUNCTIONS.values() if not each.symbol])
            self.fail(node, f"there is no function `{name}`{renamed(name) or near}")
        return self.function(node, row, depth)

    def function(self, node: ast.Call, row: Function, depth: int) -> Formula:
        least, most = row.arity
        if not least <= len(node.args) <= most and not (row.name in REDUCED and len(node.args) == 1):
            expected = f"{least}" if least == most else f"{least} to {most}"
            self.fail(node, f"`{row.name}` takes {expected} arguments, not {len(node.args)}")
        for each in node.args[row.static :]:
            self.integer(each)
        arguments = tuple(self.formula(each, depth) for each in node.args)
        formula = self.apply(node, row.name, *arguments)
        options = tuple(self.option(each, ("axis",) if function_of(formula).axis else ()) for each in node.keywords)
        return self.apply(node, row.name, *arguments, options=options)

    def option(self, node: ast.keyword, allowed: tuple[str, ...]) -> tuple[str, int]:
        if node.arg not in allowed:
            self.fail(
                node.value, f"this function has no option `{node.arg}`; {' '.join(allowed) or 'none'} is possible"
            )
        return node.arg, self.integer(node.value)

    def derivative(self, node: ast.Call, depth: int) -> Formula:
        if len(node.args) < 2:
            self.fail(node, "D takes a formula and at least one input: D(value, x)")
        of, *by = (self.formula(each, depth) for each in node.args)
        for each in by:
            if not isinstance(each, Name):
                raise FormulaError("D is taken by an input's name", column=each.column)
        wrt = [each.name for each in by if isinstance(each, Name)]
        for each in node.keywords:
            _, count = self.option(each, ("n",))
            if len(wrt) != 1 or count < 1:
                self.fail(each.value, "n, the order, goes with one name and is at least 1: D(value, x, n=3)")
            wrt *= min(count, MAX_ORDER + 1)
        if len(wrt) > MAX_ORDER:
            self.fail(node, f"derivatives go up to order {MAX_ORDER}")
        return Derivative(of, tuple(wrt), self.column(node))

    def fact_argument(self, node: ast.expr, depth: int) -> Formula:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return Quote(node.value, self.column(node))
        return self.formula(node, depth)


# Python's precedences: what binds tighter is larger.
_ATOM, _POWER, _UNARY, _COMPARED = 9, 8, 7, 4
_PRECEDENCE = {
    "or": 1,
    "and": 2,
    "not": 3,
    "add": 5,
    "sub": 5,
    "mul": 6,
    "div": 6,
    "matmul": 6,
    "neg": _UNARY,
    "pow": _POWER,
}


def precedence(formula: Formula) -> int:
    """How tightly the formula's outermost operator binds, in Python's order."""
    if not isinstance(formula, Apply) or formula.function not in FUNCTIONS or not FUNCTIONS[formula.function].symbol:
        return _ATOM
    return _PRECEDENCE.get(formula.function, _COMPARED)


def unparse(formula: Formula) -> str:
    """The formula's text with no more brackets than it needs: parse(unparse(f)) == f."""
    match formula:
        case Number():
            return formula.text
        case Name():
            return formula.name
        case Quote():
            return repr(formula.text)
        case Stack():
            return f"[{', '.join(map(unparse, formula.items))}]"
        case Index():
            return f"{_bracketed(formula.operand, _ATOM)}[{', '.join(map(_index_text, formula.indices))}]"
        case Derivative():
            return f"D({', '.join((unparse(formula.of), *formula.wrt))})"
        case Apply():
            return _application(formula)


def _application(formula: Apply) -> str:
    level = precedence(formula)
    if level == _ATOM:
        options = [f"{name}={value}" for name, value in formula.options]
        return f"{formula.function}({', '.join([*map(unparse, formula.arguments), *options])})"
    symbol = FUNCTIONS[formula.function].symbol
    if len(formula.arguments) == 1:
        return f"{symbol}{' ' if symbol.isalpha() else ''}{_bracketed(formula.arguments[0], level)}"
    if formula.function == "pow":
        base, exponent = formula.arguments
        return f"{_bracketed(base, _ATOM)}**{_bracketed(exponent, _UNARY)}"
    # Chains group to the left; comparisons and logic do not group at all.
    first, *rest = formula.arguments
    left = level if level in (5, 6) else level + 1
    return f" {symbol} ".join([_bracketed(first, left), *(_bracketed(each, level + 1) for each in rest)])


def _bracketed(formula: Formula, least: int) -> str:
    return unparse(formula) if precedence(formula) >= least else f"({unparse(formula)})"


def _index_text(index: int | Range) -> str:
    if isinstance(index, int):
        return str(index)
    ends = ["" if end is None else str(end) for end in (index.start, index.stop, index.step)]
    return ":".join(ends if index.step is not None else ends[:2])
