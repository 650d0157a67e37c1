"""Which of JAX's differentiation rules a program is made of.

JAX keeps its rules in tables, primitive -> rule. While a program is traced for this purpose each rule stands there
inside a wrapper that puts an identity, the mark, on what the rule made: on the tangents, or where all of them are known
to be zero on the result itself. A rule counts where a mark of its is left once everything that the program's result
does not depend on is taken out: many rules run for nothing, such as those of what stands inside `stop_gradient`. The
primal program would not tell: custom rules, inputs that are not differentiated and tangents known to be zero leave
primitives in it whose rules never run.

JAX caches what it traced of the programs inside a program (jit, scan, custom_jvp ...), and a cached trace runs no rule.
Recordings therefore have a trace context of their own, in which every cached trace bears its marks.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir
from jax.interpreters.partial_eval import dce_jaxpr

from verifier.model.jaxprs import inner_programs

__all__ = ["KINDS", "Rule", "exercised_rules", "jax_rules", "recording"]

_JVP, _LINEARIZATION, _TRANSPOSE = KINDS = ("jvp", "linearization", "transpose")
"""A linearization is a rule that reverse mode takes in place of the JVP: a few primitives have both."""

Rule = tuple[str, str]
"""Kind and primitive."""
Table = dict[Any, Callable[..., Any]]

# Only two of the four tables are public. Without the others linearizations would go unseen, and so would the
# transposes of products: a transpose in `fancy_transposes` goes before the one in the public table.
_PRIVATE = sys.modules[ad.jvp.__module__]
_TABLES: tuple[tuple[str, Table], ...] = (
    (_JVP, ad.primitive_jvps),
    (_LINEARIZATION, getattr(_PRIVATE, "primitive_linearizations", {})),
    (_TRANSPOSE, ad.primitive_transposes),
    (_TRANSPOSE, getattr(_PRIVATE, "fancy_transposes", {})),
)

_CONTEXT = jax.make_user_context(default_value=None)
"""Part of the key of every cache of traces."""

_ONE_AT_A_TIME = threading.RLock()
"""The tables belong to the process; recordings of one thread may nest."""


def _name(primitive: Any) -> str:
    """JAX 0.12 transposes some primitives under a name of their own, `vjp_node[scan]`, by the rule of `scan`."""
    return getattr(primitive, "prim", primitive).name


def _names(kind: str) -> tuple[str, ...]:
    return tuple(sorted({_name(primitive) for each, table in _TABLES if each == kind for primitive in table}))


_JAX_RULES: Mapping[str, tuple[str, ...]] = MappingProxyType({kind: _names(kind) for kind in KINDS})


def jax_rules() -> Mapping[str, tuple[str, ...]]:
    """The primitives that have a rule of each kind once `jax` is imported, in alphabetical order."""
    return _JAX_RULES


def _mark() -> Primitive:
    """The identity, linear, with the rule that it stands for as parameters `kind` and `name`."""
    mark = Primitive("verifier_mark")
    mark.def_impl(lambda value, **_: value)
    mark.def_abstract_eval(lambda value, **_: value)
    ad.deflinear2(mark, lambda cotangent, _, **rule: [mark.bind(cotangent, **rule)])
    batching.primitive_batchers[mark] = lambda values, axes, **rule: (mark.bind(values[0], **rule), axes[0])
    mlir.register_lowering(mark, lambda context, value, **_: [value])
    return mark


_MARK = _mark()


def exercised_rules(program: Callable[..., Any], *arguments: Any, context: object | None = None) -> tuple[Rule, ...]:
    """Kind and primitive of each rule that the results of `program(*arguments)` depend on, in order.

    Programs of one `context` share what JAX caches. Where a rule returns nothing that could be marked it counts because
    it ran, for the first of them. Raises what tracing raises.
    """
    with recording(context) as seen:
        closed = jax.make_jaxpr(program)(*arguments)
    alive, _ = dce_jaxpr(closed.jaxpr, [True] * len(closed.jaxpr.outvars))
    return tuple(sorted({*seen, *_marks(alive)}))


def _marks(program: Any) -> Iterator[Rule]:
    for equation in getattr(program, "jaxpr", program).eqns:
        if equation.primitive is _MARK:
            yield equation.params["kind"], equation.params["name"]
        for inner in inner_programs(equation):
            yield from _marks(inner)


def _flat(values: Any) -> Any:
    return values if isinstance(values, (list, tuple)) else [values]


def _any(markable: Callable[[Any], bool], values: Any) -> bool:
    return any(map(markable, _flat(values)))


def _is_array(value: Any) -> bool:
    return isinstance(value, (jax.Array, np.ndarray))


def _is_real(value: Any) -> bool:
    return _is_array(value) and jnp.issubdtype(value.dtype, jnp.inexact)


@dataclass(slots=True)
class _Recording:
    """The rules that ran and left nothing to mark; `thread` is the one that records, None once the block has ended."""

    seen: set[Rule] = field(default_factory=set)
    thread: int | None = field(default_factory=threading.get_ident)


@dataclass(frozen=True, slots=True, eq=False)
class _Noting:
    """A rule that notes each of its calls."""

    recording: _Recording
    kind: str
    primitive: Any
    rule: Callable[..., Any]

    def __call__(self, *arguments: Any, **parameters: Any) -> Any:
        if threading.get_ident() != self.recording.thread:
            return self.rule(*arguments, **parameters)
        if self.kind == _JVP:
            primals, tangents = self.rule(*arguments, **parameters)
            if _any(_is_real, tangents):
                return primals, self._marked(tangents)
            return self._marked(primals, _is_array), tangents
        if self.kind == _LINEARIZATION:
            *found, linear = self.rule(*arguments, **parameters)
            return *found, lambda *given: self._marked(linear(*given))
        if self.kind == _TRANSPOSE and arguments and not getattr(self.primitive, "call_primitive", False):
            # What a transpose makes may go into accumulators: its cotangents are marked as they come in.
            cotangents, *others = arguments
            return self.rule(
                self._marked(cotangents) if _any(_is_real, cotangents) else cotangents, *others, **parameters
            )
        self._note()
        return self.rule(*arguments, **parameters)

    def _marked(self, values: Any, markable: Callable[[Any], bool] = _is_real) -> Any:
        """The values with marks on them; without any the call is noted."""
        if not _any(markable, values):
            self._note()
            return values
        rule = {"kind": self.kind, "name": _name(self.primitive)}
        marked = [_MARK.bind(each, **rule) if markable(each) else each for each in _flat(values)]
        return type(values)(marked) if isinstance(values, (list, tuple)) else marked[0]

    def _note(self) -> None:
        self.recording.seen.add((self.kind, _name(self.primitive)))


@contextmanager
def recording(context: object | None = None) -> Iterator[set[Rule]]:
    """Mark what the rules make inside the block, and collect those that ran without a mark.

    JAX's tables are as they were afterwards, whatever happens. What runs inside the block is traced anew, even where
    JAX has a trace of it that was made in no recording of this `context`.
    """
    found = _Recording()
    with _ONE_AT_A_TIME, _CONTEXT(context or object()):
        try:
            for kind, table in _TABLES:
                table.update({key: _Noting(found, kind, key, rule) for key, rule in table.items() if key is not _MARK})
            yield found.seen
        finally:
            found.thread = None
            for _, table in _TABLES:
                table.update(_originals(table, found))


def _originals(table: Table, found: _Recording) -> Table:
    """What stands in the wrappers' places. JAX may have copied one to a primitive that it made during the block."""
    return {key: rule.rule for key, rule in table.items() if isinstance(rule, _Noting) and rule.recording is found}
