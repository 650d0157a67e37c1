"""The names of one entry and its formulas: each is parsed, and its shape follows from the names that it uses."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from verifier.catalog.faults import FaultList, shown
from verifier.catalog.fields import Broken, formula_text
from verifier.catalog.yaml_events import Scalar
from verifier.errors import FormulaError
from verifier.model.catalog import Position, Shape

if TYPE_CHECKING:
    from verifier.symbolic.formula import Formula

__all__ = ["ARRAYS", "CONSTANTS", "EVERYTHING", "Checked", "Vocabulary", "formula_position"]

EVERYTHING = frozenset({"input", "data", "definition", "value", "quantity", "variable"})
ARRAYS = frozenset({"data", "quantity"})
"""The kinds of name that stand for known numbers."""
CONSTANTS: frozenset[str] = frozenset()

_ARTICLE = {
    "input": "an input",
    "data": "data",
    "definition": "a definition",
    "value": "the function's value",
    "quantity": "a quantity",
}


_WRONG_KIND = {
    True: "expected a statement that is true or false, such as `abs(value) < 1`; this is a number",
    False: "expected a number; this is true or false: write where(condition, 1, 0) to count it",
}


@dataclass(frozen=True, slots=True)
class Checked:
    """What a formula is: its shape, whether it is a truth value, the input leaves it depends on, the names in it."""

    shape: Shape
    boolean: bool
    inputs: frozenset[str]
    names: frozenset[str]


_NUMBER = Checked((), False, frozenset(), frozenset())
_PLAIN_NUMBER = re.compile(r"[-+]?[0-9]{1,30}(\.[0-9]{0,30})?")  # the bulk of large arrays: worth no parser


@dataclass(frozen=True, slots=True)
class _Known:
    kind: str
    shape: Shape
    inputs: frozenset[str]


def formula_position(node: Scalar, column: int) -> Position:
    """Where character `column` (0-based) of the formula stands; its beginning where quotes or folding hide that."""
    if not node.aligned:
        return node.position
    return Position(file=node.starts.file, line=node.starts.line, column=node.starts.column + column)


class Vocabulary:
    """The names of an entry as they come to be: inputs, data, definitions, the value, quantities."""

    def __init__(self, faults: FaultList, *, doubtful: bool) -> None:
        self._faults = faults
        self._doubtful = doubtful
        """Some names could not be read, so an unknown name is no fault of the formula that uses it."""
        self._known: dict[str, _Known] = {}
        self._broken: set[str] = set()
        self._announced: frozenset[str] = frozenset()
        self._own = ""
        self._inputs: dict[str, Shape] = {}

    def declare(self, name: str, kind: str, shape: Shape | None, inputs: Iterable[str] = ()) -> None:
        """Adds a name; without a shape it is broken, and whatever uses it is not judged."""
        if shape is None:
            self._broken.add(name)
        elif name not in self._known:
            self._known[name] = _Known(kind, shape, frozenset(inputs))
            self._inputs |= {name: shape} if kind == "input" else {}

    def announce(self, names: Iterable[str], own: str = "") -> None:
        """Names that will be declared, and the one that is being so: for a clearer message where one is used early."""
        self._announced, self._own = frozenset(names), own

    @property
    def inputs(self) -> Mapping[str, Shape]:
        """The input leaves with their shapes."""
        return self._inputs

    def of_kind(self, kind: str) -> dict[str, Shape]:
        """The names of one kind with their shapes."""
        return {name: known.shape for name, known in self._known.items() if known.kind == kind}

    def is_broken(self, name: str) -> bool:
        """Whether the name is declared but unreadable."""
        return name in self._broken

    def is_known(self, name: str) -> bool:
        """Whether the name is declared and readable."""
        return name in self._known

    @property
    def doubtful(self) -> bool:
        """Whether names may exist that could not be read."""
        return self._doubtful

    def check(
        self,
        node: Scalar | Broken | None,
        allowed: Collection[str] = EVERYTHING,
        *,
        extra: Mapping[str, Shape] | None = None,
        truth: bool = False,
    ) -> Checked | None:
        """What the formula is; None after reporting its fault, or when it depends on something that is broken.

        `allowed` are the kinds of name that it may use, `extra` further names such as a limit's variable; `truth` tells
        whether a truth value is wanted instead of a number.
        """
        if not isinstance(node, Scalar):
            return None
        if not truth and node.plain and _PLAIN_NUMBER.fullmatch(node.text):
            return _NUMBER
        try:
            checked = self._checked(node, allowed, dict(extra or {}))
            if checked and checked.boolean != truth:
                raise FormulaError(_WRONG_KIND[truth])
            return checked
        except FormulaError as error:
            self._faults.add(formula_position(node, error.column), _with_hint(str(error), node), node.path)
            return None

    def _checked(self, node: Scalar, allowed: Collection[str], extra: dict[str, Shape]) -> Checked | None:
        from verifier.symbolic.formula import names, parse
        from verifier.symbolic.functions import CONSTANTS as NAMED
        from verifier.symbolic.scope import Scope, type_of

        formula = parse(formula_text(node))
        used = names(formula)
        known = {name: self._known[name] for name in used - extra.keys() if name in self._known}
        unknown = used - known.keys() - extra.keys() - NAMED.keys()
        if used & self._broken or (self._doubtful and unknown):
            return None
        self._refuse_forbidden(formula, known, unknown, allowed)
        found = type_of(formula, Scope.of(self._shapes(known, unknown, allowed) | extra, frozenset(self._inputs)))
        inputs = frozenset[str]().union(*(each.inputs for each in known.values()))
        return Checked(found.shape, found.boolean, inputs, used)

    def _shapes(
        self, known: Mapping[str, _Known], unknown: Collection[str], allowed: Collection[str]
    ) -> dict[str, Shape]:
        """The names that the formula uses; where one is unknown all possible ones, so that the nearest is suggested."""
        scope = self._known if unknown else known
        return {name: each.shape for name, each in scope.items() if each.kind in allowed}

    def _refuse_forbidden(
        self, formula: Formula, known: Mapping[str, _Known], unknown: Collection[str], allowed: Collection[str]
    ) -> None:
        for name, each in sorted(known.items()):
            if each.kind not in allowed:
                wanted = f"numbers, and the names of {_plural(allowed)}" if allowed else "numbers, `pi` and `e`"
                message = f"`{shown(name)}` is {_ARTICLE[each.kind]}: only {wanted} can stand here"
                raise FormulaError(message, column=_column(formula, name))
        for name in sorted(unknown):
            if name == self._own:
                message = f"`{shown(name)}` cannot use itself in its own definition: use only what stands above"
                raise FormulaError(message, column=_column(formula, name))
            if name in self._announced:
                message = f"`{shown(name)}` is defined further down: use only what stands above, or move it up"
                raise FormulaError(message, column=_column(formula, name))


def _plural(kinds: Collection[str]) -> str:
    """Kinds of names in words."""
    plural = {"quantity": "quantities", "input": "inputs", "definition": "definitions", "value": "the value"}
    return " and ".join(plural.get(kind, kind) for kind in sorted(kinds))


def _column(formula: Formula, name: str) -> int:
    """Where the name stands in its formula, 0-based; the formula's beginning when only `D` names it."""
    from verifier.symbolic.formula import Name, walk

    columns = (each.column for each in walk(formula) if isinstance(each, Name) and each.name == name)
    return min(columns, default=0)


def _with_hint(message: str, node: Scalar) -> str:
    """Adds the likely cause where YAML has cut the formula: a comma inside brackets ends an unquoted text."""
    if node.plain and node.text.count("(") > node.text.count(")"):
        cause = "inside { } or [ ] a comma ends an unquoted text, put the formula in quotes"
        return f"{message}; is this all of it? {cause}"
    return message
