"""What a claim can speak about: an entry's formulas, quantities and iterations, evaluated in balls of a given
precision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from verifier.arithmetic.arrays import object_array
from verifier.arithmetic.ball import BallSystem
from verifier.arithmetic.elements import NAN, Decision, Element, Special, Unknown, compare
from verifier.arithmetic.precision import working_precision
from verifier.model.catalog import At, Entry, Input, Iteration, NestedText, Quantity, Shape, Text
from verifier.symbolic.build import Definitions
from verifier.symbolic.evaluate import evaluate
from verifier.symbolic.expressions import component_symbols, exact_expressions, expressions
from verifier.symbolic.formula import Apply, Derivative, Formula, Index, Name, Stack, parse
from verifier.symbolic.graph import Node, elementwise, leaves, take
from verifier.symbolic.graph import leaf as leaf_node
from verifier.symbolic.kernels import slot
from verifier.truth.tensors import elements

__all__ = ["Certified", "Workspace"]

_CONSTANTS = Definitions((), (), (), None)

Arrays = Mapping[str, np.ndarray]


@dataclass(slots=True, eq=False)
class Workspace:
    """The names of one entry and the graphs of the formulas over them; values come from `certified(bits)`.

    `data` are the exact values of the entry's data.
    """

    entry: Entry
    definitions: Definitions
    data: Arrays
    shapes: dict[str, Shape] = field(default_factory=dict)
    _certified: dict[int, Certified] = field(default_factory=dict)
    _graphs: dict[Any, tuple[Node, tuple[Node, ...]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for iteration in self.entry.iterations:
            for leaf, _ in iteration.start:
                self.shapes[f"{iteration.name}.{leaf}"] = (iteration.count + 1, *self.input_shape(leaf))
        for quantity in self.entry.quantities:
            self.shapes[quantity.name] = self._quantity_shape(quantity)

    def input_shape(self, leaf: str) -> Shape:
        return next(each.shape for each in self.entry.inputs if each.name == leaf)

    def _quantity_shape(self, quantity: Quantity) -> Shape:
        rows = [self.node(text).shape[:1] for _, text in quantity.over[:1]]
        return (*(rows[0] if rows else ()), *self.node(quantity.formula).shape)

    def node(self, formula: Text | Formula | Node, extra: Mapping[str, Shape] | None = None) -> Node:
        """The graph of a formula over everything this entry names; raises FormulaError."""
        if isinstance(formula, Node):
            return formula
        parsed = parse(formula.text) if isinstance(formula, Text) else formula
        return self.definitions.node(parsed, {**self.shapes, **(extra or {})})

    def differentiates(self, formula: Text | Formula) -> bool:
        """Whether a derivative stands in the formula, or in what it names.

        A derivative may exist where its formula, made by rules, has no value: 3 x^2 / (2 sqrt(x^3)) is 3/2 sqrt(x).
        """
        return any(isinstance(part, Derivative) for part in self._parts(formula, self._named_by))

    def graphs(
        self, formula: Text | Formula | Node, extra: Mapping[str, Shape] | None = None
    ) -> tuple[Node, tuple[Node, ...]]:
        """The graph of a formula, and those of all that it and the definitions behind it differentiate.

        Where one of these is no number, no derivative is, though its formula may have a value there: 1/x, for the slope
        of log(x), at -2.
        """
        if isinstance(formula, Node):
            return formula, ()
        key = formula, tuple((extra or {}).items())
        if key not in self._graphs:
            derivatives = (each for each in self._parts(formula, self._defined_by) if isinstance(each, Derivative))
            operands = dict.fromkeys(self.node(each.of, extra) for each in derivatives)
            self._graphs[key] = self.node(formula, extra), tuple(operands)
        return self._graphs[key]

    def _parts(self, formula: Text | Formula, behind: Callable[[str], Iterable[Text]]) -> Iterator[Formula]:
        """The formula, all that it consists of, and what stands behind its names."""
        waiting, seen = [formula], set()
        while waiting:
            part = waiting.pop()
            part = parse(part.text) if isinstance(part, Text) else part
            yield part
            match part:
                case Derivative(of=operand) | Index(operand=operand):
                    waiting.append(operand)
                case Name(name=name) if name not in seen:
                    seen.add(name)
                    waiting += behind(name)
                case Apply(arguments=parts) | Stack(items=parts):
                    waiting += parts

    def _defined_by(self, name: str) -> Iterator[Text]:
        """The formula of a definition, or of the value."""
        yield from (text for own, text in self.entry.definitions if own == name)
        if name == "value" and self.entry.value is not None:
            yield self.entry.value

    def _named_by(self, name: str) -> Iterator[Text]:
        """The formulas behind a name: those of its definition, or of its quantity or iteration."""
        yield from self._defined_by(name)
        yield from (each.formula for each in self.entry.quantities if each.name == name)
        steps = (each for each in self.entry.iterations if name.startswith(f"{each.name}."))
        yield from (text for each in steps for _, text in each.step)

    def symbolic(
        self, formula: Text | Formula, at: At = (), variables: Sequence[str] = (), *, in_domain: bool = False
    ) -> np.ndarray | None:
        """A formula's SymPy expressions at a point, over real symbols; None where they are too large or use balls.

        An input whose domain is a single number is that number, unless it is one of the `variables`. `in_domain` gives
        the symbols the signs of the inputs' domains.
        """
        node = self.node(formula, dict.fromkeys(variables, ()))
        if {leaf.name for leaf in leaves([node])} & set(self.shapes):
            return None
        place = {leaf: self._constants(value).reshape(self.input_shape(leaf)) for leaf, value in at}
        signed = self._signed_symbols() if in_domain else {}
        single = [each for each in self.entry.inputs if each.lower == each.upper and each.name not in variables]
        fixed = {**self.data, **{each.name: np.full(each.shape, each.lower) for each in single}}
        found = expressions([node], given={**signed, **exact_expressions(fixed), **place})
        return None if found is None else found[0]

    def _signed_symbols(self) -> dict[str, np.ndarray]:
        """The symbols of the inputs whose domains have a sign."""
        signs = {each: sign for each in self.entry.inputs if (sign := _sign(each))}
        return {each.name: component_symbols(leaf_node(each.name, each.shape), **sign) for each, sign in signs.items()}

    def graph(self, expression: Any, variables: Sequence[str] = ()) -> Node:
        """The graph of one SymPy expression over the components of the inputs: undoes `symbolic`."""
        components = {
            symbol: take(leaf, index)
            for leaf in (*self.definitions.leaves, *(leaf_node(name, ()) for name in variables))
            for index, symbol in np.ndenumerate(component_symbols(leaf))
        }
        symbols = sorted(expression.free_symbols, key=str)
        kernel = expression.xreplace({symbol: slot(place) for place, symbol in enumerate(symbols)})
        return elementwise(kernel, [components[symbol] for symbol in symbols])

    def _constants(self, value: NestedText) -> np.ndarray:
        """A point's value as SymPy constants: the number written, or the exact data that it names."""
        if isinstance(value, tuple):
            return stacked([self._constants(item) for item in value])
        formula = parse(value.text)
        if isinstance(formula, Name) and formula.name in self.data:
            return exact_expressions({formula.name: self.data[formula.name]})[formula.name]
        found = expressions([_CONSTANTS.node(formula)])
        assert found is not None
        return found[0]

    def certified(self, bits: int) -> Certified:
        """The values at a working precision; computed once for each."""
        if bits not in self._certified:
            self._certified[bits] = Certified(self, bits)
        return self._certified[bits]


_POWERS = ("pow", "integer_pow")
"""In IEEE arithmetic NaN^0 and 1^NaN are 1."""


class _Reals(BallSystem):
    """Balls with the numbers and comparisons of mathematics.

    An infinity is no number, so that nothing is made of it (`atan(1/0)` is not pi/2); and nothing is decided about what
    is not a number, not even `!=`.
    """

    __slots__ = ()

    def operation(self, name: str) -> Callable[..., Element]:
        bare = BallSystem.operation(self, name)

        def of_numbers(*operands: Element) -> Element:
            found = bare(*operands)
            return NAN if type(found) is Special else found

        def power_of_numbers(*operands: Element) -> Element:
            lost = [each for each in operands if each is NAN or isinstance(each, Unknown)]
            return (NAN if NAN in lost else lost[0]) if lost else of_numbers(*operands)

        return power_of_numbers if name in _POWERS else of_numbers

    def compare(self, relation: str, a: Element, b: Element) -> Decision:
        return None if a is NAN or b is NAN else compare(relation, a, b)


@dataclass(eq=False)
class Certified:
    """The values of a workspace's names at one working precision, computed when first asked for."""

    workspace: Workspace
    bits: int

    @cached_property
    def system(self) -> BallSystem:
        return _Reals(self.bits)

    @cached_property
    def data(self) -> dict[str, np.ndarray]:
        with working_precision(self.bits):
            return elements(self.workspace.data, self.system)

    @cached_property
    def named(self) -> dict[str, np.ndarray]:
        """Quantities and trajectories, in the order of the entry: iterations first, as quantities may use them."""
        found: dict[str, np.ndarray] = {}
        for iteration in self.workspace.entry.iterations:
            found |= self._trajectory(iteration)
        for quantity in self.workspace.entry.quantities:
            found[quantity.name] = self._quantity(quantity, found)
        return found

    def evaluate(self, formula: Text | Formula | Node, at: At = (), extra: Arrays | None = None) -> np.ndarray:
        """A formula's elements at a point; `extra` gives further names their elements.

        Where it has a derivative of what is no number, none of them is known.
        """
        return self.existing(formula, at, extra)[0]

    def number(self, formula: Text | Formula, at: At = ()) -> np.ndarray:
        """What `evaluate` gives, and unknown instead of no number where a derivative may have a value all the same."""
        return _open(*self.existing(formula, at), self.workspace.graphs(formula))

    def existing(
        self, formula: Text | Formula | Node, at: At = (), extra: Arrays | None = None
    ) -> tuple[np.ndarray, bool]:
        """What `evaluate` gives, and whether all that the formula differentiates may be a number there."""
        inputs = {leaf.name for leaf in self.workspace.entry.inputs}
        shapes = {name: array.shape for name, array in (extra or {}).items() if name not in inputs}
        leaves = {**self.named, **self.place(at), **(extra or {})}
        return self._existing(self.workspace.graphs(formula, shapes), leaves)

    def _existing(self, graphs: tuple[Node, tuple[Node, ...]], leaves: Arrays) -> tuple[np.ndarray, bool]:
        return self._existing_of([graphs], leaves)[0]

    def _existing_of(
        self, graphs: Sequence[tuple[Node, tuple[Node, ...]]], leaves: Arrays
    ) -> list[tuple[np.ndarray, bool]]:
        """The values of several formulas in one run, and whether all that each differentiates may be a number."""
        found = iter(self._run([part for node, operands in graphs for part in (node, *operands)], leaves))
        parts = [(next(found), [next(found) for _ in operands]) for _, operands in graphs]
        exist = [not any(each is NAN for part in differentiated for each in part.flat) for _, differentiated in parts]
        return [(value if known else _nothing(value), known) for (value, _), known in zip(parts, exist, strict=True)]

    def place(self, at: At) -> dict[str, np.ndarray]:
        """The elements of a point's leaves."""
        return {leaf: self._point_value(value).reshape(self.workspace.input_shape(leaf)) for leaf, value in at}

    def _point_value(self, value: NestedText) -> np.ndarray:
        if isinstance(value, tuple):
            return stacked([self._point_value(item) for item in value])
        formula = parse(value.text)
        if isinstance(formula, Name) and formula.name in self.data:
            return self.data[formula.name]
        with working_precision(self.bits):
            return np.asarray(evaluate([_CONSTANTS.node(formula)], {}, self.system)[0], dtype=object)

    def _run(self, nodes: list[Node], leaves: Arrays) -> list[np.ndarray]:
        with working_precision(self.bits):
            return evaluate(nodes, {**self.data, **leaves}, self.system)

    def _quantity(self, quantity: Quantity, known: Arrays) -> np.ndarray:
        graphs = self.workspace.graphs(quantity.formula)
        fixed = {**known, **self.place(quantity.at)}
        if not quantity.over:
            return _open(*self._existing(graphs, fixed), graphs)
        leaves = [leaf for leaf, _ in quantity.over]
        columns = self._run([self.workspace.node(text) for _, text in quantity.over], known)
        rows = [
            _open(*self._existing(graphs, {**fixed, **dict(zip(leaves, row, strict=True))}), graphs)
            for row in zip(*columns, strict=True)
        ]
        return stacked(rows)

    def _trajectory(self, iteration: Iteration) -> dict[str, np.ndarray]:
        state = self.place(iteration.start)
        leaves = [leaf for leaf, _ in iteration.step]
        steps = [self.workspace.graphs(text) for _, text in iteration.step]
        history = [state]
        for _ in range(iteration.count):
            found = zip(self._existing_of(steps, state), steps, strict=True)
            moved = [_open(*each, graphs) for each, graphs in found]
            state = {**state, **dict(zip(leaves, moved, strict=True))}
            history.append(state)
        return {f"{iteration.name}.{leaf}": stacked([each[leaf] for each in history]) for leaf in state}


def _sign(given: Input) -> dict[str, bool]:
    """What SymPy may assume of an input's components."""
    signs = {
        "positive": given.lower > 0,
        "nonnegative": given.lower >= 0,
        "negative": given.upper < 0,
        "nonpositive": given.upper <= 0,
    }
    return {name: True for name, holds in signs.items() if holds}


def _nothing(value: np.ndarray) -> np.ndarray:
    """No numbers, and nothing decided, in the place of an array's elements."""
    nothing = (None if each is None or isinstance(each, bool) else NAN for each in value.flat)
    return object_array(nothing, value.shape)


def _open(value: np.ndarray, exists: bool, graphs: tuple[Node, tuple[Node, ...]]) -> np.ndarray:
    """A value, unknown where the formula of a derivative is no number but what it differentiates may be one."""
    if not exists or not graphs[1]:
        return value
    return object_array([_VALUELESS if each is NAN else each for each in value.flat], value.shape)


_VALUELESS = Unknown("the formula of the derivative has no value here", remedy="")


def stacked(rows: list[np.ndarray]) -> np.ndarray:
    """Object arrays of one shape stacked along a new first axis (`np.stack` would look inside the elements)."""
    result = np.empty((len(rows), *np.shape(rows[0])), dtype=object)
    for index, row in enumerate(rows):
        result[index, ...] = row
    return result
