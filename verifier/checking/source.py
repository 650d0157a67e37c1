"""A function as lines that define it by themselves: its source and that of what it uses, as far as it can be had.

What cannot be had is named in the lines as the reader's own: nothing is shown that only seems to run.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import inspect
import math
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import FunctionType, MappingProxyType, ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

__all__ = ["MOST_NUMBERS", "NotSpelled", "Source", "Spelled", "source_of", "spelled"]

MOST_NUMBERS = 64
"""More numbers than this in one array are not written out."""
_LONGEST = 60
_GIVEN = {"jax": jax, "jnp": jnp}
"""What every reproduction imports."""
_PUBLIC = MappingProxyType({"jnp": jnp, "jax.nn": jax.nn, "jax.lax": jax.lax, "jax": jax})


class NotSpelled(Exception):
    """A value has no short spelling."""


@dataclass(frozen=True, slots=True)
class Source:
    """Lines that define a function, and the name that it has in them."""

    lines: tuple[str, ...]
    name: str = "f"

    @property
    def names(self) -> frozenset[str]:
        """The names that the lines bind: what follows must leave them as they are."""
        statements = ast.parse("\n".join(self.lines)).body
        return frozenset(name for each in statements for name in _bound(each))


def source_of(fn: Callable[..., Any], title: str) -> Source:
    """Lines that define the function, as `f` where that is free; `title` names what is the reader's own."""
    try:
        found = _source(fn)
    except Exception:  # whatever reading someone's source comes upon
        return Source((f"f = ...  # {title} is yours",))
    if len(found.lines) > _LONGEST:
        return Source((f"f = ...  # {title} is yours: it is too long to be shown here",))
    return found


def _source(fn: Callable[..., Any]) -> Source:
    owner: Any = inspect.unwrap(fn)
    if not isinstance(owner, FunctionType) or _is_foreign(fn):
        return Source((_imported(fn, "f"),))
    found = _Found(owner)
    definition = found.scopes[-1]
    if isinstance(definition, ast.Lambda):
        found.follow(definition, owner)
        name, value = "", ast.unparse(definition)
    else:
        found.define(definition.name, owner, fn)
        name = value = definition.name
    if fn is not owner and not getattr(definition, "decorator_list", ()):
        if type(fn) is not type(_JITTED):  # some other wrapper, made where it cannot be seen
            raise NotSpelled
        name, value = "", f"jax.jit({value})"
    lines = tuple(found.lines())
    is_taken = "f" in Source(lines).names
    if name and is_taken:
        return Source(lines, name)
    free = "checked" if is_taken else "f"
    return Source((*lines, f"{free} = {value}"), free)


_JITTED = jax.jit(lambda: None)


def _is_foreign(fn: Any) -> bool:
    """Whether the function is JAX's or numpy's: imported, not shown."""
    return str(getattr(fn, "__module__", "")).partition(".")[0] in ("jax", "jaxlib", "numpy")


def _imported(value: Any, name: str) -> str:
    """How a value is imported under a name; raises NotSpelled where its module does not hold it."""
    called = getattr(value, "__name__", "")
    public = next((each for each, held in _PUBLIC.items() if called and getattr(held, called, None) is value), None)
    if public is not None:
        return f"{name} = {public}.{called}"
    module = str(getattr(value, "__module__", ""))
    try:
        held = getattr(importlib.import_module(module), called, None) if called and module else None
    except Exception:
        held = None
    if held is not value or module == "__main__":
        raise NotSpelled
    line = f"from {module} import {called}" + ("" if called == name else f" as {name}")
    return line if _is_foreign(value) else f"{line}  # is yours"


@dataclass(eq=False)
class _Found:
    """The statements that a function needs, gathered from the blocks around it; `owner` is the plain function."""

    owner: Any
    source: list[str] = field(init=False)
    scopes: list[Any] = field(init=False)
    """The module, the functions around the function, and the function itself."""
    statements: dict[int, ast.stmt] = field(default_factory=dict)
    """By their first lines."""
    before: dict[str, str] = field(default_factory=dict)
    """What is given by value or imported, by name."""

    def __post_init__(self) -> None:
        self.source, _ = inspect.findsource(self.owner)
        self.scopes = _scopes(ast.parse("".join(self.source)), self.owner)

    def lines(self) -> list[str]:
        shown = (_shown(self.statements[each], self.source) for each in sorted(self.statements))
        return [*self.before.values(), *(line for text in shown for line in text.splitlines())]

    def follow(self, node: ast.AST, owner: FunctionType) -> None:
        """Define every name that a statement uses and does not bind itself."""
        for name in _used(node):
            self.define(name, owner)

    def define(self, name: str, owner: FunctionType, value: Any = None) -> None:
        """Find what a name means to `owner`: a value, something imported, statements of the blocks around it."""
        value = _value(name, owner) if value is None else value
        is_known = hasattr(builtins, name) if value is None else value is _GIVEN.get(name)
        if is_known or name in self.before:
            return
        inner: Any = inspect.unwrap(value) if callable(value) else None
        inner = inner if isinstance(inner, FunctionType) else None
        blocks = [each for scope in self.scopes[:-1] for each in scope.body if _defines(each, name)]
        statements = [each for each in blocks if not _is_another(each, name, inner)]
        text = _by_value(value, name, owner)
        if text is None and not statements:
            text = f"{name} = ...  # is yours"
        if text is not None:
            self.before[name] = text
            return
        for each in statements:
            if each.lineno not in self.statements:
                self.statements[each.lineno] = each
                self.follow(each, inner or owner)


def _by_value(value: Any, name: str, owner: FunctionType) -> str | None:
    """A name's value as one line; None where only statements can give it."""
    if isinstance(value, ModuleType):
        is_known = value.__name__.partition(".")[0] in ("jax", "numpy", "math", "functools")
        line = f"import {value.__name__}" + ("" if value.__name__ == name else f" as {name}")
        return line if is_known else f"{line}  # is yours"
    try:
        if getattr(value, "__module__", owner.__module__) != owner.__module__:
            return _imported(value, name)
    except NotSpelled:
        pass
    try:
        return None if value is None else f"{name} = {spelled(value)}"
    except NotSpelled:
        return None


def _value(name: str, owner: FunctionType) -> Any:
    """What a name is to a function; None where that is not known."""
    cells = dict(zip(owner.__code__.co_freevars, owner.__closure__ or (), strict=True))
    try:
        return cells[name].cell_contents if name in cells else owner.__globals__.get(name)
    except ValueError:  # a variable that was never set
        return None


def _scopes(module: ast.Module, fn: FunctionType) -> list[Any]:
    """The nodes around a function's own, from the module inwards, that one last; raises NotSpelled."""
    found = list(_paths(module, [], fn))
    if len(found) != 1:  # two lambdas in a line cannot be told apart
        raise NotSpelled
    return found[0]


def _paths(node: ast.AST, path: list[Any], fn: FunctionType) -> Iterator[list[Any]]:
    here = [*path, node] if isinstance(node, ast.Module | ast.FunctionDef | ast.Lambda) else path
    if _is_node_of(node, fn):
        yield here
    inner = here if not isinstance(node, ast.Lambda) else path
    for each in ast.iter_child_nodes(node):
        yield from _paths(each, inner, fn)


def _is_node_of(node: ast.AST, fn: FunctionType) -> bool:
    if isinstance(node, ast.Lambda):
        return fn.__name__ == "<lambda>" and node.lineno == fn.__code__.co_firstlineno
    if not isinstance(node, ast.FunctionDef):
        return False
    return node.name == fn.__name__ and _first_line(node) == fn.__code__.co_firstlineno


def _first_line(node: Any) -> int:
    return min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", ()))])


def _shown(statement: Any, source: Sequence[str]) -> str:
    return textwrap.dedent("".join(source[_first_line(statement) - 1 : statement.end_lineno])).rstrip()


def _defines(statement: ast.stmt, name: str) -> bool:
    """Whether a statement binds the name, or gives what it names a rule: `name.defjvp(...)`, `@name.defjvp`."""
    match statement:
        case ast.FunctionDef() if any(_is_rule_of(each, name) for each in statement.decorator_list):
            return True
        case ast.Expr(value=ast.Call(func=func)):
            return _is_rule_of(func, name)
        case ast.FunctionDef() | ast.ClassDef() | ast.Assign() | ast.AnnAssign() | ast.Import() | ast.ImportFrom():
            return name in _bound(statement)
    return False


def _is_another(statement: ast.stmt, name: str, fn: FunctionType | None) -> bool:
    """Whether a statement defines some other function of the same name."""
    is_function = isinstance(statement, ast.FunctionDef) and statement.name == name
    return is_function and fn is not None and _first_line(statement) != fn.__code__.co_firstlineno


def _is_rule_of(node: ast.expr, name: str) -> bool:
    node = node.func if isinstance(node, ast.Call) else node
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name


def _bound(statement: ast.stmt) -> list[str]:
    match statement:
        case ast.FunctionDef() | ast.ClassDef():
            return [statement.name]
        case ast.Import() | ast.ImportFrom():
            return [each.asname or each.name.partition(".")[0] for each in statement.names]
    return [each.id for each in ast.walk(statement) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)]


def _used(node: ast.AST) -> list[str]:
    """The names that a statement reads from outside, each once."""
    names = [each for each in ast.walk(node) if isinstance(each, ast.Name)]
    bound = {each.id for each in names if not isinstance(each.ctx, ast.Load)}
    bound |= {each.arg for each in ast.walk(node) if isinstance(each, ast.arg)}
    bound |= {each.name for each in ast.walk(node) if isinstance(each, ast.FunctionDef)}
    return list(dict.fromkeys(each.id for each in names if each.id not in bound))


# ---- values


def spelled(value: Any) -> str:
    """A number, an array, a key or a container of them as an expression, to the bit; raises NotSpelled."""
    match value:
        case Spelled():
            return value.text
        case np.ndarray() | np.generic() | jax.Array():
            return _array(value)
        case None | bool() | int() | str():
            return repr(value)
        case float():
            return _number(value)
        case dict() if type(value) is dict:
            return "{" + ", ".join(f"{key!r}: {spelled(each)}" for key, each in value.items()) + "}"
        case list() if type(value) is list:
            return "[" + ", ".join(map(spelled, value)) + "]"
        case tuple() if type(value) is tuple:
            return "(" + ", ".join(map(spelled, value)) + ("," if len(value) == 1 else "") + ")"
    raise NotSpelled


@dataclass(frozen=True, slots=True)
class Spelled:
    """What stands for itself in an expression."""

    text: str


def _array(value: Any) -> str:
    if np.size(value) > MOST_NUMBERS:
        raise NotSpelled
    if jnp.issubdtype(value.dtype, jax.dtypes.prng_key):
        data = _array(np.asarray(jax.random.key_data(value)))
        return f"jax.random.wrap_key_data({data}, impl={str(jax.random.key_impl(value))!r})"
    kept = np.asarray(value)
    if jnp.issubdtype(kept.dtype, jnp.floating):
        kept = kept.astype(np.float64)
    elif kept.dtype.kind not in "iub":
        raise NotSpelled
    name = "bool_" if kept.dtype.kind == "b" else value.dtype.name
    return f"jnp.array({spelled(kept.tolist())}, dtype=jnp.{name})"


def _number(value: float) -> str:
    """Python's digits are as many as tell a number from all others."""
    return repr(float(value)) if math.isfinite(value) else f"float('{value}')"
