"""A function's programs in one dtype, each traced and compiled once for all points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from verifier.arithmetic.floats import Format, named
from verifier.execution.compiled import reason_of
from verifier.execution.dtypes import x64_for
from verifier.model.jaxprs import all_equations
from verifier.programs.equation import is_custom_rule, is_foreign
from verifier.programs.extent import operations
from verifier.programs.trace import Row, Subject, Traced, beside, compiled, mixed, scaled, trace, traceable

__all__ = ["Tracing"]

_OPERATION_LIMIT = 2_000_000
"""Most scalar operations of a program that is followed in exact arithmetic, at a microsecond each and more."""


@dataclass(eq=False)
class Tracing:
    """The subject's programs; `dtype` is the one whose unit roundoff judges."""

    subject: Subject
    dtype: str
    _traced: dict[tuple[str, int, str], Traced | str] = field(default_factory=dict)
    _compiled: dict[tuple[str, int, str], Callable[..., Any]] = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict)
    """What others derive from the programs, once for all points."""

    @property
    def form(self) -> Format:
        return named(self.dtype)

    @property
    def results(self) -> int:
        """The number of components of the value."""
        return sum(each.size for each in self.subject.results)

    @cached_property
    def primal(self) -> Traced:
        """The function itself; raises what tracing raises."""
        with x64_for(self.dtype):
            return trace(self.subject.function, self.subject.place)

    @cached_property
    def reseeded(self) -> Tracing:
        """The same function with other seeds."""
        change = mixed if self.mixes else scaled
        return Tracing(replace(self.subject, function=change(self.subject.function)), self.dtype)

    @property
    def mixes(self) -> bool:
        """Whether the other seeds are `mixed`, as there are several results."""
        return self.results > 1

    @cached_property
    def beside(self) -> Traced | str:
        """The value that comes along with a derivative: in reverse, or where nothing can be reversed, forwards."""
        function = self.subject.function
        found = self._trace(lambda: beside(function, forward=False))
        return self._trace(lambda: beside(function, forward=True)) if isinstance(found, str) else found

    @cached_property
    def has_rules(self) -> bool:
        """Whether the function calls functions with derivative rules of their own, JAX's among them."""
        return any(map(is_custom_rule, all_equations(self.primal.jaxpr)))

    @cached_property
    def has_own_rules(self) -> bool:
        """Whether the function calls derivative rules that are not JAX's own."""
        return any(map(is_foreign, all_equations(self.primal.jaxpr)))

    @property
    def is_too_large(self) -> bool:
        return operations(self.primal.jaxpr) > _OPERATION_LIMIT

    def program(self, row: Row, compilation: str = "eager") -> Traced | str:
        """A derivative program's jaxpr, or why there is none: what JAX refuses is a fact about the function."""
        key = (row.name, row.order, compilation if compilation in ("vmap", "remat") else "eager")
        if key not in self._traced:
            self._traced[key] = self._trace(lambda: traceable(row, self.subject, key[2]))
        return self._traced[key]

    def _trace(self, program: Callable[[], Callable[..., Any]]) -> Traced | str:
        try:
            with x64_for(self.dtype):
                found = trace(program(), self.subject.place)
        except Exception as error:
            return reason_of(error)
        return "too large to be followed in exact arithmetic" if operations(found.jaxpr) > _OPERATION_LIMIT else found

    def run(self, row: Row, compilation: str, place: tuple[Any, ...]) -> Any:
        """What the device returns; raises what JAX raises."""
        key = (row.name, row.order, compilation)
        with x64_for(self.dtype):
            if key not in self._compiled:
                self._compiled[key] = compiled(row, self.subject, compilation)
            return self._compiled[key](*place)
