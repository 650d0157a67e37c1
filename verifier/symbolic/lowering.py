"""Formulas and graphs as JAX functions.

A formula is lowered as it is written: each operator and function is the JAX function that its row names, in the
formula's order, and literals are Python scalars, so that they stay weakly typed. A graph, such as a symbolic
derivative, is lowered by the evaluator of graphs over JAX arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import cache, partial, reduce
from importlib import import_module
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from verifier.errors import FormulaError
from verifier.symbolic.build import Definitions
from verifier.symbolic.evaluate import evaluate_in
from verifier.symbolic.formula import Apply, Derivative, Formula, Index, Name, Number, Range, Stack, function_of, walk
from verifier.symbolic.functions import FUNCTIONS, Function
from verifier.symbolic.graph import Labels, Node
from verifier.symbolic.program import Step
from verifier.symbolic.scope import Shape, static_arguments

__all__ = ["arguments_of", "as_function", "leaves_of", "lower", "lower_graph"]

Arrays = Mapping[str, Any]
_CONSTANTS = {"pi": float(np.pi), "e": float(np.e)}


def as_function(definitions: Definitions) -> Callable[..., jax.Array]:
    """The value as f(*arguments, data): one pytree per top-level input (dotted leaves nest), then a dict of data."""
    function = lower(definitions)

    def value(*arguments_and_data: Any) -> jax.Array:
        *arguments, data = arguments_and_data
        return function(leaves_of(definitions, arguments), data)

    return value


def leaves_of(definitions: Definitions, arguments: Sequence[Any]) -> dict[str, Any]:
    """The leaves by their dotted names, from one pytree per top-level input."""
    roots = dict(zip(dict.fromkeys(name.split(".")[0] for name, _ in definitions.inputs), arguments, strict=True))
    return {name: reduce(lambda tree, word: tree[word], name.split("."), roots) for name, _ in definitions.inputs}


def arguments_of(definitions: Definitions, leaves: Arrays) -> tuple[Any, ...]:
    """One pytree per top-level input, from the leaves by their dotted names: the inverse of `leaves_of`."""
    tree: dict[str, Any] = {}
    for name, _ in definitions.inputs:
        *groups, last = name.split(".")
        place = reduce(lambda inner, group: inner.setdefault(group, {}), groups, tree)
        place[last] = leaves[name]
    return tuple(tree.values())


def lower(definitions: Definitions, formula: Formula | None = None) -> Callable[[Arrays, Arrays], jax.Array]:
    """The value, or any other formula in the entry's scope, as a function of leaves and data by name.

    Raises FormulaError for a function that JAX does not have.
    """
    wanted = definitions.value if formula is None else formula
    if wanted is None:
        raise FormulaError("this entry has no value to run")
    for each in (wanted, *(inner for _, inner in definitions.lets)):
        _check_lowerable(each)

    def function(leaves: Arrays, data: Arrays) -> jax.Array:
        run = _Run(definitions, dict(leaves), dict(data))
        value = jnp.asarray(run.value(wanted))
        return value.astype(run.dtype) if jnp.issubdtype(value.dtype, jnp.integer) else value

    return function


def _check_lowerable(formula: Formula) -> None:
    for each in walk(formula):
        if isinstance(each, Apply):
            _implementation(function_of(each), each.column)


def _implementation(row: Function, column: int = 0) -> Callable[..., Any]:
    if not row.jax:
        raise FormulaError(f"JAX has no function `{row.name}`, so this formula can't be run", column=column)
    module, _, name = row.jax.rpartition(".")
    function = getattr(import_module(module), name)
    return partial(function, **dict(row.jax_options)) if row.jax_options else function


class _Run:
    """One evaluation of an entry's formulas on JAX arrays; definitions are computed in order, when first needed."""

    def __init__(self, definitions: Definitions, leaves: dict[str, Any], data: dict[str, Any]) -> None:
        self.definitions, self.leaves, self.data = definitions, leaves, data
        self.names = {name: jnp.asarray(array) for name, array in {**data, **leaves}.items()}
        self.dtype = (
            jnp.result_type(*(self.names[name] for name in leaves or data)) if self.names else jnp.result_type(float)
        )
        self.formulas = dict(definitions.formulas)

    def value(self, formula: Formula) -> Any:
        match formula:
            case Number():
                return _scalar(formula.value, integer=formula.text.isdigit())
            case Name():
                return self.named(formula.name)
            case Index():
                return self.value(formula.operand)[tuple(map(_selected, formula.indices))]
            case Stack():
                return self.stacked([self.value(each) for each in formula.items])
            case Derivative():
                return self.derivative(formula)
            case Apply():
                return self.application(formula)
        raise TypeError(f"no value: {formula!r}")

    def named(self, name: str) -> Any:
        if name not in self.names:
            if name not in self.formulas:
                return _CONSTANTS[name]
            for earlier, formula in self.definitions.formulas:
                if earlier not in self.names:
                    self.names[earlier] = self.value(formula)
                if earlier == name:
                    break
        return self.names[name]

    def stacked(self, items: list[Any]) -> jax.Array:
        literal = all(isinstance(item, (int, float)) for item in items)
        return jnp.array(items, dtype=self.dtype if literal else None)

    def application(self, formula: Apply) -> Any:
        row = function_of(formula)
        operands = [self.value(each) for each in formula.arguments[: row.static]]
        function = _implementation(row, formula.column)
        match row.name:
            case "range":
                return function(*static_arguments(formula), dtype=self.dtype)
            case "reshape":
                return function(*operands, static_arguments(formula))
            case "and" | "or":
                return reduce(function, operands)
        if all(isinstance(each, (int, float)) for each in operands) and row.jax.startswith("operator."):
            return _python(function, operands)
        return function(*operands, **dict(formula.options))

    def derivative(self, formula: Derivative) -> jax.Array:
        """By JAX itself, innermost in reverse mode."""

        def nested(wrt: Sequence[str], leaves: dict[str, Any]) -> Any:
            if not wrt:
                return jnp.asarray(_Run(self.definitions, leaves, self.data).value(formula.of))
            *rest, last = wrt
            transform = jax.jacfwd if rest else jax.jacrev
            return transform(lambda each: nested(rest, {**leaves, last: each}))(leaves[last])

        return nested(formula.wrt, {name: jnp.asarray(array) for name, array in self.leaves.items()})


def _scalar(value: Fraction, *, integer: bool) -> int | float:
    """A Python scalar; an integer beyond 32 bits would not fit JAX's default integers."""
    if integer and abs(value) < 1 << 31:
        return int(value)
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _python(function: Callable[..., Any], operands: Sequence[int | float]) -> Any:
    """Arithmetic over literals, as Python does it before JAX sees it; what it refuses is NaN."""
    try:
        result = function(*operands)
        large = isinstance(result, int) and abs(result) >= 1 << 31
        return float("nan") if isinstance(result, complex) else float(result) if large else result
    except ArithmeticError:
        return float("nan")


def _selected(index: int | Range) -> int | slice:
    return index if isinstance(index, int) else slice(index.start, index.stop, index.step)


def lower_graph(node: Node) -> Callable[[Arrays, Arrays], jax.Array]:
    """The node as a function of leaves and data by name, in the dtype of the leaves.

    On the boundary of a kink or a jump, where there is no derivative, it gives NaN.
    """

    def function(leaves: Arrays, data: Arrays) -> jax.Array:
        given = {**data, **leaves}
        arrays = _JaxArrays(jnp.result_type(*(leaves or data).values()) if given else jnp.result_type(float))
        (value,) = evaluate_in(arrays, [node], given)
        return jnp.asarray(value, dtype=None if jnp.issubdtype(jnp.result_type(value), jnp.bool_) else arrays.dtype)

    return function


_ELEMENTS = {row.element: row for row in FUNCTIONS.values() if row.element}


@cache
def _operation(name: str) -> Callable[..., Any]:
    match name:
        case "integer_pow":
            return lambda a, n: a**n
        case "sqrt":
            return jnp.sqrt
        case "sides":
            return lambda inside, outside, p, q: jnp.where(inside, p, jnp.where(outside, q, jnp.nan))
    return _implementation(_ELEMENTS[name])


class _JaxArrays:
    """JAX arrays of one dtype for the evaluator of graphs; numbers stay Python scalars while they can."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype

    def array(self, value: Any) -> jax.Array:
        if hasattr(value, "shape"):
            return value
        return jnp.asarray(value, dtype=None if isinstance(value, bool) else self.dtype)

    def given(self, value: Any, shape: Shape) -> jax.Array:
        return jnp.reshape(jnp.asarray(value), shape)

    def literal(self, value: Fraction | str) -> int | float:
        return _CONSTANTS[value] if isinstance(value, str) else _scalar(value, integer=value.denominator == 1)

    def fixed(self, kind: str, size: int) -> jax.Array:
        return jnp.eye(size, dtype=self.dtype) if kind == "identity" else jnp.arange(size, dtype=self.dtype)

    def operation(self, step: Step) -> Callable[..., Any]:
        static = step.static
        if step.operation in ("exact", "constant", "truth"):
            return lambda: static if isinstance(static, bool) else self.literal(static)
        function = _operation(step.operation)
        if step.operation in ("select", "sides"):
            # JAX would choose between Python scalars in the widest dtype.
            return lambda *operands: function(*operands[:-2], *map(self.array, operands[-2:]))
        if static is not None:
            return lambda a: _safe(function, a, static)
        return lambda *operands: _safe(function, *operands)

    def contract(self, labels: Sequence[Labels], output: Labels, operands: Sequence[Any]) -> jax.Array:
        pairs = [
            part for own, operand in zip(labels, operands, strict=True) for part in (self.array(operand), list(own))
        ]
        return jnp.einsum(*pairs, list(output), precision="highest")

    def take(self, array: Any, selected: tuple[int | slice, ...]) -> jax.Array:
        return array[selected]

    def put(self, array: Any, selected: tuple[int | slice, ...], shape: Shape) -> jax.Array:
        return jnp.zeros(shape, self.dtype).at[selected].set(array)

    def stack(self, arrays: Sequence[Any]) -> jax.Array:
        return jnp.stack([self.array(each) for each in arrays])

    def expand(self, array: Any, shape: Shape) -> jax.Array:
        return jnp.broadcast_to(self.array(array), shape)

    def reshape(self, array: Any, shape: Shape) -> jax.Array:
        return jnp.reshape(self.array(array), shape)

    def position(self, array: Any, which: str, axis: int | None) -> jax.Array:
        return (jnp.argmax if which == "max" else jnp.argmin)(array, axis=axis)


def _safe(function: Callable[..., Any], *operands: Any) -> Any:
    return (
        _python(function, operands) if all(isinstance(each, (int, float)) for each in operands) else function(*operands)
    )
