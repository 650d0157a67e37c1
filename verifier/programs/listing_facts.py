"""Decide a statement about a listing: a boolean formula over facts of its text and of its run; nothing is executed.

    calls("jax.grad") and code_lines(between=("key =", "Learned")) <= 18
    shape("per_example_grads") == (100, 2)
    equal("params", "regression:params") or max_abs_difference("params", "regression:params") < 1e-6

Python's syntax, read by a walker with an allow-list. Numbers are exact: `0.1` is 1/10, a float of a run is its binary
value. Shapes are tuples of integers. A variable is written `name`, `name[0][1]` for a part, `listing:name` for another
listing's.

The facts are the table of `listing_evidence`.
"""

from __future__ import annotations

import ast
import functools
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from verifier.errors import FormulaError
from verifier.programs.listing_analysis import ListingText
from verifier.programs.listing_evidence import FACTS, Evidence, Missing

__all__ = ["FACTS", "Decided", "check_structure", "decide_structure"]

_MAX_FORMULA = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """Whether a statement holds, and the facts computed for it; None when a fact can't be had: `facts` says why."""

    holds: bool | None
    facts: str


def check_structure(formula: str) -> None:
    """Raises FormulaError for what is no statement about a listing: syntax, unknown facts, arguments, mixed kinds."""
    _checked(formula)


def decide_structure(formula: str, *, listing: str, texts: Sequence[ListingText], runs: Sequence[Any]) -> Decided:
    """Decide the formula about `listing`. Raises FormulaError as `check_structure` does."""
    body = _checked(formula)
    evidence = Evidence(listing=listing, texts={text.id: text for text in texts}, runs={run.id: run for run in runs})
    if listing not in evidence.texts or listing not in evidence.runs:
        return Decided(holds=None, facts=f"there is no listing `{listing}`")
    walker = _Walker(formula, evidence)
    try:
        holds = bool(walker.value(body))
    except Missing as missing:
        return Decided(holds=None, facts=str(missing))
    except (ZeroDivisionError, RecursionError) as error:
        return Decided(holds=None, facts=f"the formula can't be computed: {type(error).__name__}")
    return Decided(holds=holds, facts="; ".join(walker.facts))


def _checked(formula: str) -> ast.expr:
    if len(formula) > _MAX_FORMULA:
        raise FormulaError(
            f"the formula has {len(formula)} characters; at most {_MAX_FORMULA} are read: split the claim"
        )
    try:
        body = ast.parse(formula.strip(), mode="eval").body
        kind = _Kinds(formula.strip()).kind(body)
    except SyntaxError as error:
        raise FormulaError(
            f'not a formula: {error.msg}; write e.g. `calls("jax.grad")`', column=(error.offset or 1) - 1
        ) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise FormulaError(
            "the formula can't be read: it is nested too deeply or holds unreadable characters"
        ) from error
    if kind != "boolean":
        raise FormulaError(f"the formula gives a {kind}, not true or false; compare it with something")
    return body


def _exact(text: str, node: ast.Constant) -> Fraction:
    source = ast.get_source_segment(text, node) or ""
    if len(source) > 40 or ((exponent := re.search(r"[eE][-+]?(\d+)", source)) and int(exponent[1]) > 400):
        raise FormulaError("the number is too long or its exponent too large", column=node.col_offset)
    return Fraction(source.replace("_", ""))


_ARITHMETIC = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}
_RELATIONS = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


@dataclass(frozen=True, slots=True)
class _Kinds:
    """Tells what a formula gives, before anything runs."""

    text: str

    def kind(self, node: ast.expr) -> str:
        match node:
            case ast.Constant(value=bool()):
                return "boolean"
            case ast.Constant(value=int() | float()):
                _exact(self.text, node)
                return "number"
            case ast.Tuple(elts=parts) if all(self.kind(part) == "number" for part in parts):
                return "shape"
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return self._all("boolean", operand)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self._all("number", operand)
            case ast.BoolOp(values=operands):
                return self._all("boolean", *operands)
            case ast.BinOp(left=left, op=operation, right=right) if type(operation) in _ARITHMETIC:
                return self._all("number", left, right)
            case ast.Compare():
                return self._comparison(node)
            case ast.Call(func=ast.Name(id=name)):
                return self._call(node, name)
        raise FormulaError(
            f"`{type(node).__name__}` is not understood here; use facts, numbers, comparisons, + - * /, and, or, not",
            column=node.col_offset,
        )

    def _all(self, kind: str, *operands: ast.expr) -> str:
        for operand in operands:
            if (found := self.kind(operand)) != kind:
                raise FormulaError(f"a {kind} was expected here, and this is a {found}", column=operand.col_offset)
        return kind

    def _comparison(self, node: ast.Compare) -> str:
        kind = self.kind(node.left)
        self._all(kind, *node.comparators)
        if any(
            type(operation) not in _RELATIONS or (kind != "number" and not isinstance(operation, (ast.Eq, ast.NotEq)))
            for operation in node.ops
        ):
            raise FormulaError(f"this comparison has no meaning for a {kind}; use == or !=", column=node.col_offset)
        return "boolean"

    def _call(self, node: ast.Call, name: str) -> str:
        if name not in FACTS:
            raise FormulaError(f"there is no fact `{name}`; there are {', '.join(FACTS)}", column=node.col_offset)
        signature = FACTS[name].signature
        try:
            args, keywords = _arguments(node)
            bound = signature.bind(*args, **keywords)
        except TypeError as error:
            raise FormulaError(f"{name}{signature}: {error}", column=node.col_offset) from error
        for argument, item in bound.arguments.items():
            parameter = signature.parameters[argument]
            items = item if parameter.kind is parameter.VAR_POSITIONAL else (item,)
            if not all(map(_ACCEPTS[parameter.annotation], items)):
                raise FormulaError(
                    f"`{name}` can't be asked about {item!r}; see {name}{signature}", column=node.col_offset
                )
        return FACTS[name].kind


def _texts(item: Any) -> bool:
    return isinstance(item, str) or (isinstance(item, tuple) and all(isinstance(part, str) for part in item))


def _pair_of(kind: type, item: Any) -> bool:
    return isinstance(item, tuple) and len(item) == 2 and all(type(part) is kind for part in item)


_WHERE: dict[str, Callable[[Any], bool]] = {
    "inside": _texts,
    "lines": functools.partial(_pair_of, int),
    "between": functools.partial(_pair_of, str),
}
_ACCEPTS: dict[str, Callable[[Any], bool]] = {
    "str": lambda item: isinstance(item, str),
    "int": lambda item: type(item) is int,
    "Where": lambda item: all(key in _WHERE and _WHERE[key](value) for key, value in item.items()),
}
"""What an argument may be, by the annotation of the fact's parameter."""


def _arguments(node: ast.Call) -> tuple[list[Any], dict[str, Any]]:
    """Strings, integers and tuples of them: literals, so that no walker is needed."""
    if any(keyword.arg is None for keyword in node.keywords):
        raise TypeError("`**` is not understood")
    try:
        return [ast.literal_eval(item) for item in node.args], {
            str(item.arg): ast.literal_eval(item.value) for item in node.keywords
        }
    except (ValueError, SyntaxError) as error:
        raise TypeError("the arguments are names in quotes, integers or tuples of them") from error


@dataclass(frozen=True, slots=True)
class _Walker:
    """Computes a checked formula, and notes each fact."""

    text: str
    evidence: Evidence
    facts: list[str]

    def __init__(self, text: str, evidence: Evidence) -> None:
        object.__setattr__(self, "text", text.strip())
        object.__setattr__(self, "evidence", evidence)
        object.__setattr__(self, "facts", [])

    def value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=bool(truth)):
                return truth
            case ast.Constant():
                return _exact(self.text, node)
            case ast.Tuple(elts=parts):
                return tuple(map(self.value, parts))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return not self.value(operand)
            case ast.UnaryOp(operand=operand):
                return -self.value(operand)
            case ast.BoolOp(op=ast.And(), values=operands):
                return all(self.value(operand) for operand in operands)
            case ast.BoolOp(values=operands):
                return any(self.value(operand) for operand in operands)
            case ast.BinOp(left=left, op=operation, right=right):
                return _ARITHMETIC[type(operation)](self.value(left), self.value(right))
            case ast.Compare(left=left, ops=operations, comparators=others):
                values = [self.value(item) for item in (left, *others)]
                return all(
                    _RELATIONS[type(relation)](a, b)
                    for relation, a, b in zip(operations, values, values[1:], strict=False)
                )
            case ast.Call(func=ast.Name(id=name)):
                return self._fact(node, name)
        raise AssertionError("an unchecked formula")

    def _fact(self, node: ast.Call, name: str) -> Any:
        args, keywords = _arguments(node)
        result = FACTS[name].function(self.evidence, *args, **keywords)
        self.facts.append(f"{ast.unparse(node)} = {_shown(result)}")
        return Fraction(result) if isinstance(result, int) and not isinstance(result, bool) else result


def _shown(result: object) -> str:
    if isinstance(result, Fraction):
        return str(result) if result.denominator <= 10**6 else repr(float(result))
    return str(result)
