"""What a formula's names stand for, and the shape that it therefore has; a misfit is a FormulaError with its column.

Elementwise functions broadcast as in NumPy: shapes are aligned at their last axes, and an axis of length 1 stretches.
"""

from __future__ import annotations

import keyword
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NoReturn

from verifier.errors import FormulaError
from verifier.symbolic.formula import (
    Apply,
    Derivative,
    Formula,
    Index,
    Name,
    Number,
    Quote,
    Range,
    Stack,
    constant,
    function_of,
)
from verifier.symbolic.functions import CONSTANTS, FUNCTIONS, KEYWORDS, suggestion

__all__ = [
    "Scope",
    "Shape",
    "Type",
    "axis_of",
    "broadcast",
    "contraction",
    "name_fault",
    "shape_of",
    "span",
    "static_arguments",
    "type_of",
]

Shape = tuple[int, ...]
MAX_AXES = 8
MAX_ELEMENTS = 1 << 22


@dataclass(frozen=True, slots=True)
class Type:
    """The shape of an array, and whether its elements are truth values."""

    shape: Shape = ()
    boolean: bool = False


@dataclass(frozen=True, slots=True)
class Scope:
    """The names that a formula may use, with their shapes; those in `inputs` can be differentiated by."""

    names: Mapping[str, Type]
    inputs: frozenset[str] = frozenset()

    @classmethod
    def of(cls, shapes: Mapping[str, Shape], inputs: frozenset[str] = frozenset()) -> Scope:
        """The scope of arrays of numbers."""
        return cls({name: Type(shape) for name, shape in shapes.items()}, inputs)

    def extended(self, names: Mapping[str, Shape | Type]) -> Scope:
        """The scope with more names, which hide equal ones."""
        types = {name: each if isinstance(each, Type) else Type(each) for name, each in names.items()}
        return replace(self, names={**self.names, **types})


def name_fault(text: str) -> str | None:
    """Why a catalog may not give this (dotted) name to an input, a definition or data; None where it may."""
    for word in text.split("."):
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", word):
            return f"`{text}` is no name: letters, digits and _ are, starting with a letter"
        if keyword.iskeyword(word):
            return f"`{word}` is a word of the formula language"
    taken = text in FUNCTIONS or text in CONSTANTS or text in KEYWORDS
    return f"`{text}` has a meaning in every formula already; choose another name" if taken else None


def shape_of(formula: Formula, scope: Scope) -> Shape:
    """The shape of the formula's value; raises FormulaError for unknown names and shapes that do not fit."""
    return type_of(formula, scope).shape


def type_of(formula: Formula, scope: Scope) -> Type:
    """Shape and kind of the formula's value; raises FormulaError for names, shapes and kinds that do not fit."""
    match formula:
        case Number():
            found = Type()
        case Name():
            found = _named(formula, scope)
        case Apply():
            found = _application(formula, [type_of(each, scope) for each in formula.arguments])
        case Index():
            found = _indexed(formula, type_of(formula.operand, scope))
        case Stack():
            found = _stacked(formula, [type_of(each, scope) for each in formula.items])
        case Derivative():
            found = _derivative(formula, scope)
        case Quote():
            _fail(formula, "a quoted name is only possible as the argument of a fact")
    if len(found.shape) > MAX_AXES or math.prod(found.shape) > MAX_ELEMENTS:
        _fail(
            formula,
            f"an array of shape {found.shape} is too large: {MAX_AXES} axes and {MAX_ELEMENTS} elements are possible",
        )
    return found


def _fail(formula: Formula, message: str) -> NoReturn:
    raise FormulaError(message, column=formula.column)


def _named(formula: Name, scope: Scope) -> Type:
    if formula.name in scope.names:
        return scope.names[formula.name]
    if formula.name in CONSTANTS:
        return Type()
    near = (
        suggestion(formula.name, [*scope.names, *CONSTANTS])
        or f"; known here: {', '.join(sorted(scope.names)) or 'nothing'}"
    )
    _fail(formula, f"`{formula.name}` is not defined{near}")


def _derivative(formula: Derivative, scope: Scope) -> Type:
    of = type_of(formula.of, scope)
    for name in formula.wrt:
        if name not in scope.inputs:
            near = suggestion(name, scope.inputs) or f"; the inputs are: {', '.join(sorted(scope.inputs)) or 'none'}"
            _fail(formula, f"derivatives are taken by inputs, and `{name}` is none{near}")
    if of.boolean:
        _fail(formula, "a truth value has no derivative")
    return Type(of.shape + tuple(length for name in formula.wrt for length in scope.names[name].shape))


def _indexed(formula: Index, operand: Type) -> Type:
    if len(formula.indices) > len(operand.shape):
        _fail(formula, f"{len(formula.indices)} indices for an array of shape {operand.shape}")
    lengths: list[int] = []
    for index, length in zip(formula.indices, operand.shape, strict=False):
        if isinstance(index, Range):
            lengths.append(len(span(index, length)))
        elif not -length <= index < length:
            _fail(formula, f"index {index} is outside an axis of length {length}")
    if 0 in lengths:
        _fail(formula, "this slice selects nothing")
    return replace(operand, shape=(*lengths, *operand.shape[len(formula.indices) :]))


def span(index: Range, length: int) -> range:
    """The positions that a slice selects on an axis."""
    return range(length)[index.start : index.stop : index.step]


def _stacked(formula: Stack, items: list[Type]) -> Type:
    if len(set(items)) > 1:
        _fail(formula, f"the items of a list need one shape, not {' and '.join(str(each.shape) for each in items[:4])}")
    return replace(items[0], shape=(len(items), *items[0].shape))


def _application(formula: Apply, operands: list[Type]) -> Type:
    if formula.function not in FUNCTIONS:
        _fail(formula, f"`{formula.function}` is a fact about a listing and has no value here")
    row = function_of(formula)
    _check_kinds(formula, operands)
    match row.kind:
        case "number" | "test" | "logic":
            return Type(_broadcast(formula, operands), row.kind != "number")
        case "reduction":
            return Type(_reduced(formula, operands[0].shape), row.name in ("all", "any"))
    return Type(_ARRAYS[row.name](formula, *operands[: row.static]))


def _check_kinds(formula: Apply, operands: list[Type]) -> None:
    row = function_of(formula)
    for position, operand in enumerate(operands):
        wanted = row.kind == "logic" or row.name in ("all", "any", "count") or (row.name == "where" and position == 0)
        if operand.boolean != wanted and row.name != "size":
            kind = "a truth value (a comparison)" if wanted else "a number, not a truth value,"
            _fail(formula.arguments[position], f"`{row.symbol or row.name}` expects {kind} here")


def broadcast(*shapes: Shape) -> Shape | None:
    """The shape that these shapes stretch to, or None where they do not fit."""
    axes = max(map(len, shapes), default=0)
    padded = [(1,) * (axes - len(shape)) + shape for shape in shapes]
    lengths = [{*column} - {1} for column in zip(*padded, strict=True)]
    return None if any(len(each) > 1 for each in lengths) else tuple(max(each, default=1) for each in lengths)


def _broadcast(formula: Apply, operands: list[Type]) -> Shape:
    shape = broadcast(*(each.shape for each in operands))
    if shape is None:
        row, shapes = FUNCTIONS[formula.function], " and ".join(str(each.shape) for each in operands)
        _fail(formula, f"`{row.symbol or row.name}`: the shapes {shapes} do not fit together")
    return shape


def axis_of(formula: Apply, axes: int, default: int | None = None) -> int | None:
    """The axis option as a position from the front, or the default; raises FormulaError where there is no such axis."""
    axis = dict(formula.options).get("axis", default)
    if axis is None:
        return None
    if not -axes <= axis < axes:
        _fail(formula, f"there is no axis {axis} in an array of {axes} axes")
    return axis % axes


def _reduced(formula: Apply, shape: Shape) -> Shape:
    axis = axis_of(formula, len(shape))
    if axis is not None:
        return shape[:axis] + shape[axis + 1 :]
    if function_of(formula).name in ("max", "min", "argmax", "argmin", "norm") and not shape:
        _fail(formula, f"`{formula.function}` of one argument expects an array, this is a single number")
    return ()


def contraction(left: Shape, right: Shape) -> Shape | None:
    """The shape of the matrix product of vectors and matrices, or None where they do not fit."""
    if not (1 <= len(left) <= 2 and 1 <= len(right) <= 2) or left[-1] != right[0]:
        return None
    return left[:-1] + right[1:]


def _product(formula: Apply, left: Type, right: Type) -> Shape:
    shape = contraction(left.shape, right.shape)
    if shape is None:
        shapes = f"{left.shape} and {right.shape}"
        _fail(
            formula, f"no matrix product of shapes {shapes}; vectors and matrices with one inner length were expected"
        )
    return shape


def _outer(formula: Apply, left: Type, right: Type) -> Shape:
    if len(left.shape) != 1 or len(right.shape) != 1:
        _fail(formula, f"`outer` expects two vectors, not shapes {left.shape} and {right.shape}")
    return left.shape + right.shape


def _reshaped(formula: Apply, operand: Type) -> Shape:
    shape = static_arguments(formula)
    if math.prod(shape) != math.prod(operand.shape) or any(length < 1 for length in shape):
        _fail(formula, f"an array of shape {operand.shape} cannot be reshaped to {shape}; spell out every length")
    return shape


def static_arguments(formula: Apply) -> tuple[int, ...]:
    """The arguments of the formula that are integer constants by its row."""
    values = (constant(each) for each in formula.arguments[function_of(formula).static :])
    return tuple(int(value) for value in values if value is not None)


def _range(formula: Apply) -> Shape:
    (count,) = static_arguments(formula)
    if count < 1:
        _fail(formula, "`range` expects how many numbers, at least 1")
    return (count,)


def _softmax(formula: Apply, operand: Type) -> Shape:
    if not operand.shape:
        _fail(formula, "`softmax` expects an array, this is a single number")
    axis_of(formula, len(operand.shape))
    return operand.shape


_ARRAYS: Mapping[str, Callable[..., Shape]] = {
    "matmul": _product,
    "dot": _product,
    "outer": _outer,
    "transpose": lambda _, operand: operand.shape[::-1],
    "reshape": _reshaped,
    "range": _range,
    "size": lambda _, operand: (),
    "softmax": _softmax,
}
