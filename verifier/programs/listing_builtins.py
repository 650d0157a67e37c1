"""Python's builtin functions as a listing gets them: with their cost bounded."""

from __future__ import annotations

import ast
import functools
import operator
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.core import Tracer

from verifier.programs.listing_library import Builtin, Machine
from verifier.programs.listing_limits import Refused, check_format

__all__ = ["BUILTINS", "builtin", "formatted"]


def _text_of(machine: Machine, value: object, conversion: Callable[[object], str] = str) -> str:
    """The text of numbers, arrays and containers of them; that of a function would differ from run to run."""
    for leaf in machine.budget.leaves(value):
        if isinstance(leaf, Tracer) or not isinstance(leaf, _PRINTABLE):
            raise Refused(
                f"the text of a {type(leaf).__name__} depends on the machine; print numbers, strings and arrays"
            )
    text = conversion(value)
    machine.budget.admit_items(len(text))
    return text


_PRINTABLE = (bool, int, float, complex, str, type(None), np.ndarray, np.generic, np.dtype, jax.Array, range)


def _print(
    machine: Machine, *values: object, sep: str | None = None, end: str | None = None, flush: bool = False
) -> None:
    separator, ending = " " if sep is None else sep, "\n" if end is None else end
    if not isinstance(separator, str) or not isinstance(ending, str):
        raise TypeError("sep and end must be None or a string")
    machine.write(separator.join(_text_of(machine, value) for value in values) + ending)


def _range(machine: Machine, *bounds: Any) -> range:
    result = range(*bounds)
    machine.budget.admit_items(operator.length_hint(result) if abs(result.stop - result.start) < 2**62 else 2**62)
    return result


def _round(machine: Machine, value: Any, ndigits: int | None = None) -> Any:
    if ndigits is not None and not -300 <= operator.index(ndigits) <= 300:
        raise Refused("round() to more than 300 digits is not interpreted; use fewer")
    return round(value) if ndigits is None else round(value, ndigits)


def _sum(machine: Machine, items: Any, start: Any = 0) -> Any:
    listed = machine.budget.listed(items)
    if all(isinstance(item, (int, float)) for item in (*listed, start)):
        return sum(listed, start)
    return functools.reduce(lambda total, item: machine.binary(ast.Add, total, item), listed, start)


def _plain(function: Callable[..., Any]) -> Callable[..., Any]:
    def run(machine: Machine, *args: Any) -> Any:
        return function(*args)

    return run


def _comparing(function: Callable[..., Any]) -> Callable[..., Any]:
    """`min`, `max`, ...: they may compare arrays that stand in containers."""

    def run(machine: Machine, *args: Any, **kwargs: Any) -> Any:
        machine.budget.check_small(*args)
        return function(
            *(machine.budget.listed(argument) if len(args) == 1 else argument for argument in args), **kwargs
        )

    return run


def _gathering(function: Callable[..., Any]) -> Callable[..., Any]:
    """`list`, `zip`, ...: they run through their arguments; an iterator of Python is an iterator here too."""

    def run(machine: Machine, *args: Any, **kwargs: Any) -> Any:
        listed = [
            argument if isinstance(argument, (int, dict)) or callable(argument) else machine.budget.listed(argument)
            for argument in args
        ]
        if function is dict:
            machine.budget.leaves(listed)
        result = function(*listed, **kwargs)
        return result if isinstance(result, (list, tuple, dict)) else iter(list(result))

    return run


def formatted(machine: Machine, value: object, conversion: int, spec: str) -> str:
    """The text of a replacement field of an f-string."""
    check_format(spec)
    convert = {115: str, 114: repr, 97: ascii}.get(conversion)
    shown = value if convert is None else _text_of(machine, value, convert)
    return _text_of(machine, shown, lambda item: format(item, spec))


_KEYWORDS: dict[str, frozenset[str] | None] = {
    "dict": None,
    "print": frozenset({"sep", "end", "flush"}),
    "round": frozenset({"ndigits"}),
    "sum": frozenset({"start"}),
    "min": frozenset({"key", "default"}),
    "max": frozenset({"key", "default"}),
    "sorted": frozenset({"key", "reverse"}),
    "enumerate": frozenset({"start"}),
    "zip": frozenset({"strict"}),
}

BUILTINS: dict[str, Callable[..., Any]] = {
    "print": _print,
    "range": _range,
    "round": _round,
    "sum": _sum,
    "str": lambda machine, value="": _text_of(machine, value),
    **{function.__name__: _plain(function) for function in (len, float, int, bool, abs)},
    **{function.__name__: _comparing(function) for function in (min, max, sorted, any, all)},
    **{function.__name__: _gathering(function) for function in (list, tuple, dict, zip, enumerate, map, reversed)},
}


def builtin(machine: Machine, name: str) -> Builtin:
    """The stand-in for a builtin function of BUILTINS."""
    return Builtin(machine, name, BUILTINS[name], _KEYWORDS.get(name, frozenset()))
