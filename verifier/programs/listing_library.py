"""What a listing can call: allow-listed library functions, what JAX makes of functions, builtins, plotting stand-ins.

No module, function or method of Python itself ever reaches a listing: each is wrapped here, and each call passes the
listing's budget.
Only these wrappers have methods that a listing could misuse, and no attribute of theirs is readable (see `member`).
"""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from verifier.programs.listing_limits import CALL_STEPS, Budget, Refused, size_of
from verifier.programs.listing_names import (
    ARRAY_METHODS,
    ARRAY_PROPERTIES,
    CONTAINER_METHODS,
    KEYWORDS,
    MODULES,
    NAMES,
    PLOTTING,
    WORDS,
    Kind,
)

__all__ = [
    "CALLABLE",
    "Builtin",
    "Drawing",
    "Guarded",
    "Library",
    "Machine",
    "Module",
    "UserFunction",
    "import_module",
    "member",
]

_ADVICE = "do without it, or propose a row of verifier/programs/listing_names.py"


class Machine(Protocol):
    """What the wrappers need of the interpreter."""

    budget: Budget

    def write(self, text: str) -> None: ...
    def draw(self, name: str, arguments: tuple[object, ...], keywords: dict[str, object]) -> None: ...
    def called_jitted(self, name: str, call: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None: ...
    def binary(self, operation: type[ast.operator], left: Any, right: Any) -> Any: ...
    def enter(self, function: UserFunction, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any: ...


Lanes = Callable[[tuple[Any, ...], dict[str, Any]], int]
"""From the arguments of a call: how many lanes its function runs on."""


@dataclass(frozen=True, eq=False)
class Module:
    """An allow-listed module; `name` is its full dotted name."""

    name: str


@dataclass(eq=False)
class UserFunction:
    """A function that the listing defines: a callable that JAX can trace through; its body is interpreted."""

    machine: Machine
    definition: ast.FunctionDef | ast.Lambda
    signature: inspect.Signature
    listing: str
    """Where it is defined."""
    scope: Any
    local: frozenset[str]
    """The names that its body assigns."""

    def __post_init__(self) -> None:
        # JAX names compiled programs after the first, and reads the second to resolve `argnums`.
        self.__name__ = getattr(self.definition, "name", "<lambda>")
        self.__signature__ = self.signature

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.machine.enter(self, args, kwargs)


@dataclass(frozen=True, eq=False)
class Library:
    """An allow-listed function of a library, or a method of an array."""

    machine: Machine
    name: str
    kind: Kind
    function: Callable[..., Any]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        budget = self.machine.budget
        budget.spend(CALL_STEPS)
        _check_arguments(self, budget.leaves(args, list(kwargs.values())), args, kwargs)
        if self.kind in _TRANSFORMS:
            return _TRANSFORMS[self.kind](self, *args, **kwargs)
        _foresee(self, args, kwargs)
        result = self.function(*args, **kwargs)
        budget.settle(result)
        return result


@dataclass(eq=False)
class Guarded:
    """A function that JAX made out of functions, such as `jax.grad(loss)`.

    `peak` is the largest array that an earlier run of its body made: a later call may reuse that trace without running
    the body, but on more lanes.
    """

    machine: Machine
    name: str
    call: Callable[..., Any]
    lanes: Lanes
    peak: int = 0

    def __post_init__(self) -> None:
        self.__name__ = self.name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        budget = self.machine.budget
        budget.spend(CALL_STEPS)
        leaves = budget.leaves(args, kwargs)
        if not any(isinstance(leaf, Tracer) for leaf in leaves):
            self.machine.called_jitted(self.name, self.call, args, kwargs)
        outer, budget.peak = budget.peak, 0
        lanes = self.lanes(args, kwargs)
        with budget.widened(lanes):
            budget.admit(max(self.peak, lanes if self.lanes is _components else 1))  # a basis is a square matrix
            result = self.call(*args, **kwargs)
            self.peak = max(self.peak, budget.peak // budget.lanes)
        budget.peak = max(outer, budget.peak)
        return _adopt(self.machine, self.name, result, self.peak)


@dataclass(frozen=True, eq=False)
class Builtin:
    """A builtin function of Python, with its cost bounded (see `listing_builtins`)."""

    machine: Machine
    name: str
    function: Callable[..., Any]
    keywords: frozenset[str] | None
    """Those that it takes; None for any."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.machine.budget.spend()
        if self.keywords is not None and (unknown := sorted(set(kwargs) - self.keywords)):
            raise Refused(f"the keyword `{unknown[0]}` of `{self.name}` is not interpreted; do without it")
        return self.function(self.machine, *args, **kwargs)


@dataclass(frozen=True, eq=False)
class Method:
    """A method of a list or a dict."""

    machine: Machine
    owner: Any
    name: str

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.machine.budget.admit_items(len(self.owner))
        self.machine.budget.leaves(args, kwargs)
        if self.name == "extend":
            args = tuple(self.machine.budget.listed(items) for items in args)
            self.machine.budget.admit_items(len(self.owner) + sum(map(len, args)))
        return getattr(self.owner, self.name)(*args, **kwargs)


@dataclass(frozen=True, eq=False)
class Drawing:
    """A stand-in for an object of Matplotlib, or for one of its methods: accepts documented calls and records them."""

    machine: Machine
    kind: str
    method: str = ""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not self.method:
            raise TypeError(f"'{self.kind}' object is not callable")
        self.machine.budget.spend(CALL_STEPS)
        self.machine.draw(self.method, args, kwargs)
        if self.method == "subplots":
            return self._subplots(
                *args, **{name: value for name, value in kwargs.items() if name in ("nrows", "ncols")}
            )
        artist = Drawing(self.machine, _RESULTS.get(self.method, "artist"))
        return [artist] if self.method == "plot" else artist

    def _subplots(self, nrows: int = 1, ncols: int = 1) -> tuple[Drawing, object]:
        self.machine.budget.admit_items(nrows * ncols)
        rows = [[Drawing(self.machine, "axes") for _ in range(ncols)] for _ in range(nrows)]
        flat = [axes for row in rows for axes in row]
        return Drawing(self.machine, "figure"), flat[0] if len(flat) == 1 else flat if 1 in (nrows, ncols) else rows


_RESULTS = {"figure": "figure", "gcf": "figure", "gca": "axes", "subplot": "axes"}

CALLABLE = (UserFunction, Method, Library, Guarded, Builtin, Drawing)


# --- names ----------------------------------------------------------------------------------------


def import_module(name: str) -> Module:
    """The stand-in for an allow-listed module."""
    if name not in MODULES:
        known = ", ".join(sorted(MODULES))
        raise Refused(f"the module `{name}` may not be imported by a listing; allowed are {known}")
    return Module(name)


def member(machine: Machine, value: object, name: str) -> object:
    """`value.name`, by the tables.

    Raises AttributeError as Python does for what does not exist, and Refused for what exists and is not in the tables.
    """
    if "__" in name:
        raise Refused(f"the attribute `{name}` is not readable by a listing; names with two underscores never are")
    if isinstance(value, Module):
        return _module_member(machine, value.name, name)
    if isinstance(value, Drawing):
        return _drawing_member(machine, value, name)
    if isinstance(value, (jax.Array, np.ndarray, np.generic)):
        return _array_member(machine, value, name)
    if name in CONTAINER_METHODS.get(type(value), ()):
        return Method(machine, value, name)
    if callable(value) or hasattr(value, name):
        raise Refused(f"the attribute `{name}` of a {type(value).__name__} is not on the allow-list; {_ADVICE}")
    raise AttributeError(f"'{type(value).__name__}' object has no attribute '{name}'")


def _module_member(machine: Machine, module: str, name: str) -> object:
    dotted = f"{module}.{name}"
    if dotted in MODULES:
        return Module(dotted)
    if module == "matplotlib.pyplot":
        return _drawing_member(machine, Drawing(machine, "pyplot"), name)
    kind = NAMES.get(dotted)
    if kind is Kind.CONSTANT and module == "matplotlib.cm":
        return name
    if kind is None:
        if not module.startswith("matplotlib") and name not in dir(importlib.import_module(module)):
            getattr(importlib.import_module(module), name)  # what does not exist raises here, in the library's words
        raise Refused(f"`{dotted}` is not on the allow-list of names that a listing may use; {_ADVICE}")
    found = getattr(importlib.import_module(module), name)
    return found if kind is Kind.CONSTANT else Library(machine, dotted, kind, found)


def _drawing_member(machine: Machine, value: Drawing, name: str) -> Drawing:
    if value.method or name not in PLOTTING[value.kind]:
        raise Refused(f"`{name}` is not among the plotting calls that are understood; {_ADVICE}")
    return Drawing(machine, value.kind, name)


def _array_member(machine: Machine, value: Any, name: str) -> object:
    if name in ARRAY_PROPERTIES:
        return getattr(value, name)
    if name == "tolist":
        machine.budget.admit_items(value.size)
    if name in ARRAY_METHODS:
        return Library(machine, name, Kind.ARRAY, getattr(value, name))
    getattr(value, name)
    raise Refused(f"the array attribute `{name}` is not on the allow-list; {_ADVICE}")


# --- library calls --------------------------------------------------------------------------------


def _check_arguments(library: Library, leaves: list[object], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    if unknown := sorted(set(kwargs) - KEYWORDS) if library.name != "functools.partial" else []:
        raise Refused(f"the keyword `{unknown[0]}` of `{library.name}` is not on the allow-list; {_ADVICE}")
    if words := [leaf for leaf in leaves if isinstance(leaf, str) and leaf not in WORDS]:
        raise Refused(f"the string {words[0][:40]!r} may not be given to `{library.name}`; {_ADVICE}")
    library.machine.budget.check_integers(leaves)
    if library.kind not in _TRANSFORMS and any(isinstance(leaf, CALLABLE) for leaf in leaves):
        raise Refused(f"a function may not be given to `{library.name}`; give it numbers and arrays")
    if library.kind is Kind.SIZED or library.name.rpartition(".")[2] in ("reshape", "expand_dims"):
        library.machine.budget.check_rank(args, *args, *kwargs.values())
    if library.name.endswith(".arange"):
        # jnp.arange computes on the host while it is traced: its abstract evaluation would already be too large.
        library.machine.budget.admit(_arange_count(*args, **kwargs))


def _arange_count(start: float, stop: float | None = None, step: float = 1, dtype: object = None) -> int:
    lower, upper = (0.0, start) if stop is None else (start, stop)
    return int(min(abs((float(upper) - float(lower)) / float(step)), 1e18))


def _foresee(library: Library, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    budget, always = library.machine.budget, library.kind is Kind.SIZED
    module, _, name = library.name.rpartition(".")
    owner = getattr(library.function, "__self__", None)
    if module in ("numpy", "numpy.linalg"):
        twin = getattr(importlib.import_module(module.replace("numpy", "jax.numpy")), name)
    elif isinstance(owner, np.ndarray):
        twin = getattr(jnp.asarray(owner), name)
    else:
        return budget.foresee(library.function, *args, always=always, **kwargs)
    try:  # NumPy can't be traced; JAX's twin of the function tells the shape, but it takes less kinds of arguments
        budget.foresee(twin, *args, always=always, **kwargs)
    except (TypeError, ValueError) as error:
        raise Refused(
            f"the size of the result of `{library.name}` can't be foreseen from these arguments; use jax.numpy"
        ) from error


def _one_lane(args: tuple[Any, ...], kwargs: dict[str, Any]) -> int:
    return 1


def _components(args: tuple[Any, ...], kwargs: dict[str, Any]) -> int:
    return sum(size_of(leaf) for leaf in jax.tree.leaves((args, kwargs)))


def _rows(in_axes: Any) -> Lanes:
    """The length of the mapped axes; where `in_axes` is nested, the longest axis of all."""

    def lanes(args: tuple[Any, ...], kwargs: dict[str, Any]) -> int:
        axes = in_axes if isinstance(in_axes, (tuple, list)) else [in_axes] * len(args)
        pairs = [*zip(args, axes, strict=False), *((value, 0) for value in kwargs.values())]
        shapes = [
            (leaf.shape, axis) for value, axis in pairs for leaf in jax.tree.leaves(value) if hasattr(leaf, "shape")
        ]
        return max((_extent(shape, axis) for shape, axis in shapes if axis is not None), default=1)

    return lanes


def _extent(shape: tuple[int, ...], axis: Any) -> int:
    return shape[axis] if isinstance(axis, int) and -len(shape) <= axis < len(shape) else max(shape, default=1)


def _transform(library: Library, *args: Any, **kwargs: Any) -> Any:
    return _transformed(library, _one_lane, args, kwargs)


def _transformed(library: Library, lanes: Lanes, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    budget = library.machine.budget
    outer, budget.peak = budget.peak, 0
    result = library.function(*args, **kwargs)
    inner, budget.peak = budget.peak // budget.lanes, max(outer, budget.peak)
    name = next((argument.__name__ for argument in args if isinstance(argument, (UserFunction, Guarded))), library.name)
    return _adopt(library.machine, name, result, inner, lanes)


def _batch(library: Library, function: Any, in_axes: Any = 0, *args: Any, **kwargs: Any) -> Any:
    return _transformed(library, _rows(in_axes), (function, in_axes, *args), kwargs)


def _forward(library: Library, *args: Any, **kwargs: Any) -> Any:
    return _transformed(library, _components, args, kwargs)


def _reverse(library: Library, function: Any, *args: Any, **kwargs: Any) -> Any:
    """Reverse mode pulls back one cotangent for each output component, all at once."""
    budget = library.machine.budget

    @functools.wraps(function, updated=())
    def measured(*inputs: Any, **named: Any) -> Any:
        result = function(*inputs, **named)
        lanes = sum(size_of(leaf) for leaf in budget.leaves(result))
        budget.admit(lanes * max(lanes, budget.peak // budget.lanes))
        return result

    return _transform(library, measured, *args, **kwargs)


_TRANSFORMS: dict[Kind, Callable[..., Any]] = {
    Kind.TRANSFORM: _transform,
    Kind.BATCH: _batch,
    Kind.FORWARD_BASIS: _forward,
    Kind.REVERSE_BASIS: _reverse,
    Kind.BOTH_BASES: _forward,
}


def _adopt(machine: Machine, name: str, result: Any, peak: int, lanes: Lanes = _one_lane) -> Any:
    """The result of a transform: functions that JAX returned, alone or in a tuple, are wrapped."""
    machine.budget.settle(result)
    if type(result) is tuple:
        return tuple(_adopt(machine, name, item, peak, lanes) for item in result)
    if callable(result) and not isinstance(result, CALLABLE):
        return Guarded(machine, name, result, lanes, peak)
    return result
