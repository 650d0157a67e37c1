"""A function named on the command line, and its arguments as text. Importing its module is what the user asks for."""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from verifier.errors import UsageError, VerifierError
from verifier.execution.compiled import reason_of

__all__ = ["arguments_at", "imported", "told_what_it_raises"]


def imported(name: str) -> Callable[..., Any]:
    """The function that `module:function` names, found from the current folder; raises UsageError."""
    module, _, attribute = name.partition(":")
    if not module or not attribute:
        raise UsageError(f"{name!r} names no function; write MODULE:FUNCTION, such as mymodule:loss")
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        found = importlib.import_module(module)
    except (Exception, SystemExit) as error:  # whatever the module does: it is not this program's to end
        raise UsageError(
            f"cannot import {module}: {reason_of(error)}; run this where `import {module}` works"
        ) from None
    if not callable(getattr(found, attribute, None)):
        raise UsageError(f"module {module} has no function {attribute}")
    return getattr(found, attribute)


def arguments_at(fn: Callable[..., Any], texts: Sequence[str]) -> list[Any]:
    """The arguments of `fn`, in its order, from texts such as `x=0.5` or `v=[1, 2]`; raises UsageError."""
    given = dict(_pair(text) for text in texts)
    wanted = [name for name, each in _parameters(fn).items() if name in given or each.default is each.empty]
    missing, unknown = [name for name in wanted if name not in given], sorted(set(given) - set(wanted))
    if missing or unknown:
        problem = f"it needs {', '.join(missing)}" if missing else f"it has no {', '.join(unknown)}"
        raise UsageError(f"{problem}; give each argument as --at NAME=VALUE")
    return [given[name] for name in wanted]


@contextmanager
def told_what_it_raises(name: str) -> Iterator[None]:
    """Makes a UsageError of whatever else is raised inside, under the function's name, and shows where that was."""
    try:
        yield
    except VerifierError:
        raise
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        raise UsageError(f"{name} cannot be checked here: it raises {reason_of(error)}") from None


def _parameters(fn: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """The parameters that can be given by name, one argument each; raises UsageError where there are none to see."""
    try:
        found = inspect.signature(fn).parameters
    except (TypeError, ValueError) as error:
        raise UsageError(f"its arguments have no names: {error}; wrap it in a function of your own") from None
    return {name: each for name, each in found.items() if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)}


def _pair(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    try:
        number = ast.literal_eval(value.strip())
        if not equals or not isinstance(number, int | float | list):
            raise ValueError
        return name.strip(), number if isinstance(number, int) else np.asarray(number, dtype=np.float64)[()]
    except (ValueError, TypeError, SyntaxError, OverflowError):
        raise UsageError(f"--at {text}: write NAME=NUMBER or NAME=[NUMBER, ...], lists of one length inside") from None
