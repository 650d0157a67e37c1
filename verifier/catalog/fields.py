"""The kinds of value that a catalog's keys take: each reads a node, says what it wanted, and has a JSON Schema.

A field's fault never stops its neighbours: `absorb` records it and puts BROKEN in its place, so that one reading finds
them all.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Discriminator, Tag, ValidationError, ValidationInfo, WrapValidator
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError, core_schema
from typing_extensions import TypeAliasType

from verifier.catalog.faults import FaultList, listed, nearest, shown
from verifier.catalog.scalars import exact, integer, kind_of, number_text
from verifier.catalog.yaml_events import Mapping, Node, Refused, Scalar, Sequence
from verifier.errors import FormulaError

__all__ = [
    "BROKEN",
    "REPORTED",
    "Broken",
    "Cells",
    "Constant",
    "Flag",
    "Formula",
    "Identifier",
    "Item",
    "NameOrNumber",
    "Printed",
    "Prose",
    "Rational",
    "Reads",
    "Step",
    "Verbatim",
    "Words",
    "absorb",
    "choice",
    "exactly_one",
    "fault",
    "faults_of",
    "formula_text",
    "found",
    "is_name",
    "number",
    "pattern",
    "whole",
]


class Broken(Enum):
    """What stands where a fault has been reported: whatever depends on it is not judged."""

    BROKEN = "broken"


BROKEN = Broken.BROKEN

T = TypeVar("T")
REPORTED = "reported"


def fault(message: str) -> PydanticCustomError:
    """A fault at the node that is being read."""
    return PydanticCustomError("catalog", "{message}", {"message": message})  # type: ignore[arg-type]


def faults_of(info: ValidationInfo) -> FaultList:
    """The list to which this reading reports."""
    faults = info.context
    assert isinstance(faults, FaultList)
    return faults


def absorb(node: Any, handler: Callable[[Any], Any], info: ValidationInfo) -> Any:
    """What `handler` reads from `node`, or BROKEN after recording every fault in the context's fault list."""
    if isinstance(node, Refused):
        return BROKEN
    try:
        return handler(node)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_input=False):
            if detail["type"] != REPORTED:
                faults_of(info).add(node.position, _message(detail, node), node.path)
        return BROKEN


@dataclass(frozen=True, eq=False)
class Reads:
    """How a scalar's node is read, and the JSON Schema of what stands in the YAML."""

    read: Callable[[Any], Any]
    schema: dict[str, Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: Any) -> dict[str, Any]:
        return dict(self.schema)


Item = Annotated[T, WrapValidator(absorb)]
"""An element of a list or a mapping whose fault leaves the other elements standing."""


def _message(detail: ErrorDetails, node: Node) -> str:
    wanted = _WANTED.get(detail["type"])
    return wanted(detail.get("ctx", {}), node) if wanted else f"{detail['msg']}: see docs/catalog.md"


# pydantic's type of error -> the sentence for it.
_WANTED: dict[str, Callable[[dict[str, Any], Node], str]] = {
    "catalog": lambda ctx, node: ctx["message"],
    "list_type": lambda ctx, node: f"expected a list, such as `[a, b]`, found {found(node)}",
    "dict_type": lambda ctx, node: f"expected a mapping of names to values, found {found(node)}",
    "too_short": lambda ctx, node: f"expected at least {ctx['min_length']} item(s), found {ctx['actual_length']}",
    "too_long": lambda ctx, node: f"expected at most {ctx['max_length']} item(s), found {len(node)}",  # type: ignore[arg-type]
}

_FOUND = {
    "null": "nothing",
    "boolean": "the truth value `{}`",
    "integer": "the number `{}`",
    "decimal": "the number `{}`",
    "infinity": "an infinity, `{}`",
    "nan": "not-a-number, `{}`",
    "text": "the text `{}`",
}


def found(node: Any) -> str:
    """The node in words, for the end of a sentence."""
    match node:
        case Scalar(plain=True, text="", comment=True):
            return "nothing: what follows ` #` is a YAML comment, put the text in quotes"
        case Scalar(plain=True):
            return _FOUND[kind_of(node.text)].format(shown(node.text))
        case Scalar():
            return f"the text `{shown(node.text)}`" if node.text.strip() else "an empty text"
        case Sequence():
            return "a list"
    return "a mapping"


def _kind(node: Any) -> str:
    if not isinstance(node, Scalar):
        return "none"
    return kind_of(node.text) if node.plain else "text"


def _uncut(node: Scalar) -> None:
    """Refuses a text that ` #` cut off; after a number the comment is harmless."""
    if node.comment and _kind(node) == "text":
        rest = "put the text in quotes, or move the comment to its own line"
        raise fault(f"` #` begins a YAML comment, so only `{shown(node.text)}` is read: {rest}")


def _words(node: Any, *, wanted: str = "text") -> str:
    if _kind(node) != "text":
        advice = ": put it in quotes" if _kind(node) not in ("none", "null") else ""
        raise fault(f"expected {wanted}, found {found(node)}{advice}")
    return node.text


def _verbatim(node: Any) -> str:
    text = _words(node)
    _uncut(node)
    return text


def _prose(node: Any) -> str:
    text = _verbatim(node).strip()
    if not text:
        raise fault("expected text, found an empty text: say it in words")
    return text


def _whole(node: Any, least: int, most: int) -> int:
    if _kind(node) != "integer":
        raise fault(f"expected a whole number, found {found(node)}")
    try:
        value = integer(node.text)
    except ValueError:
        value = most + 1
    if not least <= value <= most:
        raise fault(f"expected a whole number from {least} to {most}, found {shown(node.text)}")
    return value


def _rational(node: Any) -> Fraction:
    kind = _kind(node)
    wanted = f"expected an exact number, such as -10, 0.25 or 1/3, found {found(node)}"
    if kind == "infinity":
        raise fault(f"{wanted}: only finite numbers can stand here")
    try:
        value = _constant(node) if kind == "text" else exact(getattr(node, "text", ""))
    except (ValueError, FormulaError) as error:
        reason = f" ({error})" if kind in ("integer", "decimal", "text") else ""
        raise fault(f"{wanted}{reason}") from None
    if isinstance(value, str):
        raise fault(f"{wanted}: {value}")
    return value


def _constant(node: Scalar) -> Fraction | str:
    """The exact value, or why there is none."""
    from verifier.symbolic.formula import constant, inexact, parse

    _uncut(node)
    formula = parse(node.text)
    value = constant(formula)
    return inexact(formula) if value is None else value


def _printed(node: Any) -> Scalar:
    text = getattr(node, "text", "?").strip()
    wanted = f"expected a number as it is printed, such as 0.7071, found {found(node)}"
    if kind_of(text) not in ("integer", "decimal"):
        raise fault(wanted)
    try:
        exact(text)
    except ValueError as error:
        raise fault(f"{wanted} ({error})") from None
    return node


def _formula(node: Any) -> Scalar:
    if _kind(node) not in ("integer", "decimal", "text") or not node.text.strip():
        raise fault(f"expected a formula, such as `x**2`, found {found(node)}")
    _uncut(node)
    return node


def formula_text(node: Scalar) -> str:
    """The formula's text on one line; a number that only YAML writes so (`0x1F`, `010`) in plain digits."""
    text = node.text.replace("\n", " ")
    text = text if node.aligned else text.strip()
    return number_text(text) if node.plain and kind_of(text) == "integer" else text


def _cell(node: Any) -> Scalar:
    if isinstance(node, Mapping):
        raise fault(
            "expected a number, a formula or a list; a leaf of a nested input is written as one key, `params.w1: ...`"
        )
    return _formula(node)


def _flag(node: Any) -> bool:
    if _kind(node) != "boolean":
        raise fault(f"expected `true` or `false`, found {found(node)}")
    return node.text.lower() == "true"


def _step(node: Any) -> int | str:
    return _whole(node, -1_000_000, 1_000_000) if _kind(node) == "integer" else _words(node, wanted="an index or a key")


def _constant_value(node: Any) -> bool | int | float | str | None:
    match _kind(node):
        case "none":
            raise fault(f"expected a constant, such as 2, 0.5, false or a text, found {found(node)}")
        case "null":
            return None
        case "boolean":
            return _flag(node)
        case "text":
            return _verbatim(node)
    return number(node)


def number(node: Any) -> int | float:
    """The number as Python reads it; raises a fault for what is none."""
    kind = _kind(node)
    try:
        if kind == "integer":
            return integer(node.text)
        if kind == "decimal":
            return float(exact(node.text))
        if kind in ("infinity", "nan"):
            return float(node.text.replace(".", ""))
    except (ValueError, OverflowError):
        pass
    raise fault(f"expected a number that a float64 holds, found {found(node)}")


def is_name(node: Scalar) -> bool:
    """Whether the scalar is text, and no number."""
    return _kind(node) == "text"


def _name_or_number(node: Any) -> Scalar:
    if _kind(node) not in ("integer", "decimal", "infinity", "nan", "text"):
        raise fault(f"expected the name of an input or of data, or a number, found {found(node)}")
    _uncut(node)
    return node


def whole(least: int, most: int) -> Reads:
    """A whole number from `least` to `most`, both included."""
    return Reads(lambda node: _whole(node, least, most), {"type": "integer", "minimum": least, "maximum": most})


def choice(*words: str) -> Reads:
    """One of the given words."""

    def read(node: Any) -> str:
        text = _words(node, wanted=listed(words))
        if text not in words:
            near = nearest(text, words)
            raise fault(
                f"expected {listed(words)}, found {found(node)}" + (f"; did you mean `{near}`?" if near else "")
            )
        return text

    return Reads(read, {"type": "string", "enum": list(words)})


def pattern(regex: str, wanted: str) -> Reads:
    """Text that matches the whole of `regex`; `wanted` says what that is, with an example."""
    compiled = re.compile(regex)

    def read(node: Any) -> str:
        text = _words(node, wanted=wanted)
        if not compiled.fullmatch(text):
            raise fault(f"expected {wanted}, found {found(node)}")
        return text

    return Reads(read, {"type": "string", "pattern": f"^({regex})$"})


def exactly_one(what: str, keys: tuple[str, ...]) -> WrapValidator:
    """Refuses a mapping that does not hold exactly one of `keys`, which decide what it is."""

    def read(node: Any, handler: Callable[[Any], Any]) -> Any:
        if not isinstance(node, Mapping):
            raise fault(f"expected {what}, a mapping, found {found(node)}")
        present = [key for key in node if key in keys]
        if len(present) > 1:
            both = listed(present, last="and")
            raise fault(f"{what} holds exactly one of {listed(keys)}, found {both}: keep one, or make two")
        if not present and not node.incomplete:
            near = next((pair for pair in ((key, nearest(key, keys)) for key in node) if pair[1]), None)
            hint = f"; did you mean `{near[1]}` by `{shown(near[0])}`?" if near else ""
            raise fault(f"{what} holds exactly one of {listed(keys)}, found none{hint}")
        if not present:
            raise PydanticCustomError(REPORTED, "reported")
        return handler(node)

    return WrapValidator(read)


Words = Annotated[str, Reads(_words, {"type": "string"})]
Verbatim = Annotated[str, Reads(_verbatim, {"type": "string"})]
"""Text kept as it stands, possibly empty."""
Prose = Annotated[str, Reads(_prose, {"type": "string", "pattern": r"\S"})]
"""Text for people; not empty."""
Identifier = Annotated[
    str, pattern("[a-z0-9]+(-[a-z0-9]+)*", "an id of small letters, digits and hyphens, such as `chain-rule`")
]
Flag = Annotated[bool, Reads(_flag, {"type": "boolean"})]
Constant = Annotated[
    bool | int | float | str | None,
    Reads(_constant_value, {"type": ["boolean", "number", "string", "null"]}),
]
"""A plain constant, as Python code would write it."""
NameOrNumber = Annotated[Scalar, Reads(_name_or_number, {"type": ["string", "number"]})]
"""A name or a number, with its position."""
Step = Annotated[int | str, Reads(_step, {"type": ["integer", "string"]})]
"""One step into nested lists, tuples and dicts."""
Rational = Annotated[Fraction, Reads(_rational, {"type": ["number", "string"], "pattern": r"^\s*[-+(.0-9]"})]
"""An exact number: an integer, a decimal, or rational arithmetic over them."""
Formula = Annotated[Scalar, Reads(_formula, {"type": ["string", "number"], "pattern": r"\S"})]
"""A formula or a number, as text with its position."""
_CellFormula = Annotated[Scalar, Reads(_cell, {"type": ["string", "number"], "pattern": r"\S"})]
_PrintedNumber = Annotated[Scalar, Reads(_printed, {"type": ["string", "number"]})]


def _cell_or_list(node: Any) -> Literal["<cell>", "<list>"]:
    return "<list>" if isinstance(node, Sequence) else "<cell>"


Cells = TypeAliasType(
    "Cells",
    Annotated[
        Annotated[_CellFormula, Tag("<cell>")] | Annotated[list[Item["Cells"]], Tag("<list>")],
        Discriminator(_cell_or_list),
    ],
)
"""A formula, or lists of them nested like an array."""
Printed = TypeAliasType(
    "Printed",
    Annotated[
        Annotated[_PrintedNumber, Tag("<cell>")] | Annotated[list[Item["Printed"]], Tag("<list>")],
        Discriminator(_cell_or_list),
    ],
)
"""A number as printed, or lists of them nested like an array."""
