"""A function named on the command line, and its arguments as text. Importing its module is what the user asks for."""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from verifier.errors import UsageError

__all__ = ["arguments_at", "imported"]


def imported(name: str) -> Callable[..., Any]:
    """The function that `module:function` names, found from the current folder; raises UsageError."""
    module, colon, attribute = name.partition(":")
    if not colon or not attribute:
        raise UsageError(f"{name!r} names no function; write MODULE:FUNCTION, such as mymodule:loss")
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        found = importlib.import_module(module)
    except ImportError as error:
        raise UsageError(f"cannot import {module}: {error}; run this where `import {module}` works") from None
    if not callable(getattr(found, attribute, None)):
        raise UsageError(f"module {module} has no function {attribute}")
    return getattr(found, attribute)


def arguments_at(fn: Callable[..., Any], texts: Sequence[str]) -> list[Any]:
    """The arguments of `fn`, in its order, from texts such as `x=0.5` or `v=[1, 2]`; raises UsageError."""
    given = dict(_pair(text) for text in texts)
    wanted = [
        name
        for name, each in inspect.signature(fn).parameters.items()
        if name in given or each.default is inspect.Parameter.empty
    ]
    missing, unknown = [name for name in wanted if name not in given], sorted(set(given) - set(wanted))
    if missing or unknown:
        problem = f"it needs {', '.join(missing)}" if missing else f"it has no {', '.join(unknown)}"
        raise UsageError(f"{problem}; give each argument as --at NAME=VALUE")
    return [given[name] for name in wanted]


def _pair(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    try:
        number = ast.literal_eval(value.strip())
    except (ValueError, SyntaxError):
        number = None
    if not equals or not isinstance(number, int | float | list):
        raise UsageError(f"--at {text}: write NAME=NUMBER or NAME=[NUMBER, ...]")
    return name.strip(), number if isinstance(number, int) else np.asarray(number, dtype=np.float64)[()]
