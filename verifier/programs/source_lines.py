"""Where an equation was written: the one place that reads JAX's private record of source lines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from jax._src import source_info_util

# Files of JAX that trace and transform: an equation's line in them says nothing about the equation.
_MACHINERY = re.compile(
    r"jax/(_src/)?(interpreters/\w+|api|api_util|core|custom_derivatives|linear_util|pjit|(source_info|traceback)_util)\.py$"
)
_INSTALLED = re.compile(r"^.*[\\/](site|dist)-packages[\\/]")

__all__ = ["SourceLine", "source_line"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLine:
    """A place in a source file."""

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        """A file of an installed library by its name there: where the library lies differs from machine to machine."""
        return f"{_INSTALLED.sub('', self.file)}:{self.line} ({self.function})"


def source_line(equation: Any) -> SourceLine | None:
    """The innermost line of the user's own code that wrote the equation, else of JAX's library; None where JAX kept
    none.

    JAX keeps none where it differentiates a function that it traced earlier: `jax.grad(jax.nn.sigmoid)` has no line.
    """
    traceback = getattr(equation.source_info, "traceback", None)
    if traceback is None:
        return None
    frame = source_info_util.user_frame(traceback)
    if frame is not None:
        return SourceLine(file=frame.file_name, line=frame.start_line, function=frame.function_name)
    inner = next((each for each in traceback.frames if not _MACHINERY.search(each.file_name)), None)
    return inner and SourceLine(file=inner.file_name, line=inner.line_num, function=inner.function_name)
