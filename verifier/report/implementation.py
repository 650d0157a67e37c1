"""The program that stands for an entry's formula, as Python writes its call."""

from __future__ import annotations

import ast
import keyword

from verifier.runs.records import Implementation

__all__ = ["call_of"]


def call_of(program: Implementation) -> str | None:
    """`jax.nn.gelu(x, approximate=False)`; None where a part is no name and no constant: a run file can say anything.

    Arguments are names or numbers, options any constant.
    """
    words = [*program.module.split("."), program.function, *program.options]
    given = [each for each in program.arguments if not _is_name(each)]
    if not all(map(_is_name, words)) or not all(map(_is_constant, [*given, *program.options.values()])):
        return None
    options = [f"{name}={value}" for name, value in program.options.items()]
    return f"{program.module}.{program.function}({', '.join([*program.arguments, *options])})"


def _is_name(text: str) -> bool:
    return text.isidentifier() and not keyword.iskeyword(text)


def _is_constant(text: str) -> bool:
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return False
    return value is None or isinstance(value, bool | int | float | str)
