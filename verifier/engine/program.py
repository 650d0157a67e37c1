"""The program of an entry: what is run and differentiated. Only the worker that verifies the entry imports it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from verifier.checking.named import imported
from verifier.errors import UsageError
from verifier.execution.compiled import reason_of
from verifier.model.catalog import Entry, Implementation, Shape
from verifier.symbolic.build import Definitions
from verifier.symbolic.lowering import arguments_of, as_function

__all__ = ["program_of"]


def program_of(entry: Entry, definitions: Definitions) -> Callable[..., Any]:
    """The value as f(*arguments, data): the program that the entry names, or else its formula as it is written.

    Raises UsageError where a named program can't be imported, can't be called so, or returns something of another
    shape than the formula.
    """
    named = entry.implementation
    if named is None:
        return as_function(definitions)
    function = _called(_imported(named), named, definitions)
    _check_result(function, named, definitions)
    return function


def _imported(named: Implementation) -> Callable[..., Any]:
    try:
        return imported(named.name)
    except UsageError:
        raise
    except (Exception, SystemExit) as error:  # whatever a module does while it is imported
        raise UsageError(f"importing {named.module} failed: {reason_of(error)}") from None


def _called(function: Callable[..., Any], named: Implementation, definitions: Definitions) -> Callable[..., Any]:
    """The function with the entry's inputs, data and constants in the places that the entry gives them."""
    roots = tuple(dict.fromkeys(name.partition(".")[0] for name, _ in definitions.inputs))
    options = dict(named.options)

    def value(*arguments_and_data: Any) -> Any:
        *arguments, data = arguments_and_data
        known = {**data, **dict(zip(roots, arguments, strict=True))}
        return function(*(known[each] if isinstance(each, str) else each for each in named.arguments), **options)

    return value


def _check_result(function: Callable[..., Any], named: Implementation, definitions: Definitions) -> None:
    """One array of the formula's shape, of floating numbers."""

    def leaf(shape: Shape) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct(shape, jnp.float32)

    arguments = arguments_of(definitions, {name: leaf(shape) for name, shape in definitions.inputs})
    data = {name: leaf(shape) for name, shape in definitions.data}
    try:
        found = jax.eval_shape(function, *arguments, data)
    except (Exception, SystemExit) as error:  # the function is a stranger's
        raise UsageError(f"{named.name} can't be called so: {reason_of(error)}") from None
    wanted = definitions.nodes["value"].shape
    if not isinstance(found, jax.ShapeDtypeStruct):
        raise UsageError(f"{named.name} returns no array but {_described(found)}; the formula's value is one array")
    if not jnp.issubdtype(found.dtype, jnp.floating):
        raise UsageError(f"{named.name} returns {found.dtype} for float32 inputs; the formula's value is real")
    if found.shape != wanted:
        raise UsageError(f"{named.name} returns the shape {found.shape}, the formula's value has {wanted}")


def _described(tree: Any) -> str:
    count = len(jax.tree.leaves(tree))
    return f"a {type(tree).__name__} of {count} arrays" if count else f"a {type(tree).__name__}"
