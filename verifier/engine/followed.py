"""An entry's derivative programs as jaxprs of its input leaves, its data held: what exact arithmetic follows.

They are the very programs of the table of modes that devices run. Compiling changes no equation, so that a transform
run eagerly and under jit is one program here; batching and rematerialisation make others.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from verifier.checking.tracing import Tracing
from verifier.execution.compiled import reason_of
from verifier.execution.dtypes import exact, numpy_dtype, rounded, x64_for
from verifier.programs.components import Contraction, Directions, Leaf, Signature
from verifier.programs.exercised import Rule, exercised_rules
from verifier.programs.extent import operations
from verifier.programs.layout import Layout
from verifier.programs.modes import SYMBOLIC, Function, Run, build, row_of
from verifier.programs.plan import Plan
from verifier.programs.trace import Arrays, Subject, Traced, numbers, same_numbers, same_program, scaled, trace

__all__ = ["Followed", "Programs", "followed", "followed_as"]

_STYLES = {"eager": "eager", "jit": "eager", "vmap": "vmap", "remat": "remat"}
"""A compilation -> the style whose jaxpr it has."""

_OPERATION_LIMIT = 10_000_000
"""Most scalar operations of a program that is followed; beyond it a forward pass is repeated for every input."""


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Followed:
    """A transform of some order in one style."""

    order: int
    transform: str
    style: str

    @property
    def name(self) -> str:
        """As a run file names it: `grad` (eager and under jit), `grad/vmap`."""
        return self.transform if self.style == "eager" else f"{self.transform}/{self.style}"

    @property
    def contraction(self) -> Contraction:
        row = row_of(self.transform, self.order)
        return row.contraction if row else Contraction.NONE


def followed_as(program: str, order: int) -> Followed:
    """The program of this name in a run file, as exact arithmetic follows it."""
    transform, _, compilation = program.partition("/")
    return Followed(order=order, transform=transform, style=_STYLES.get(compilation, "eager"))


def followed(planned: Plan, dtype: str | None = None) -> tuple[Followed, ...]:
    """The derivative programs of a plan, each once, in its order; only those of a dtype where one is given."""
    found = (
        Followed(order=each.order, transform=each.transform, style=_STYLES[each.compilation])
        for launch in planned.launches
        if dtype in (None, launch.dtype)
        for each in launch.programs
        if each.order and each.transform != SYMBOLIC
    )
    return tuple(dict.fromkeys(found))


@dataclass(eq=False, kw_only=True)
class Programs:
    """The programs of an entry in one dtype, each traced once; `data` are exact numbers."""

    signature: Signature
    signs: Directions
    function: Function
    data: Mapping[str, Any]
    dtype: str
    _traced: dict[Followed, Traced | str] = field(default_factory=dict)
    _distinct: dict[Any, Traced] = field(default_factory=dict)
    _where: dict[tuple[Followed, tuple[int, ...]], np.ndarray] = field(default_factory=dict)
    _recorded: object = field(default_factory=object)
    """The context in which the rules of all programs are recorded."""

    @cached_property
    def tracing(self) -> Tracing:
        """The function itself; its `primal` raises what tracing raises."""
        layout, data = self._layout, self.arrays

        def function(*leaves: Any) -> list[jax.Array]:
            return [self.function(*layout.arguments(leaves), data)]

        result = Leaf("value", self.signature.value_shape)
        return Tracing(Subject(function, self.signature.leaves, self._place, (result,)), self.dtype)

    @cached_property
    def scaled(self) -> Programs:
        """The same programs with other seeds: see `trace.scaled`."""

        def function(*arguments_and_data: Any) -> Any:
            *arguments, data = arguments_and_data
            return scaled(lambda *given: self.function(*given, data))(*arguments)

        return Programs(signature=self.signature, signs=self.signs, function=function, data=self.data, dtype=self.dtype)

    @cached_property
    def arrays(self) -> dict[str, np.ndarray]:
        """The data as the dtype holds them."""
        return {name: rounded(each, self.dtype) for name, each in self.data.items()}

    def traced(self, program: Followed) -> Traced | str:
        """A program's jaxpr, or why there is none. Programs of the same equations share one."""
        if program not in self._traced:
            self._traced[program] = self._trace(program)
        return self._traced[program]

    def where(self, program: Followed, chosen: tuple[int, ...]) -> np.ndarray:
        """Which results of a program are the chosen components, as (results, components).

        Components of the value stand before those of the inputs; contracted axes are gone.
        """
        if (program, chosen) not in self._where:
            rows, size, order = self.signature.value_size, self.signature.size, program.order
            shape, axes = {
                Contraction.NONE: ((rows, *(size,) * order), order),
                Contraction.TANGENT: ((rows,), 0),
                Contraction.COTANGENT: ((1, *(size,) * order), order),
            }[program.contraction]
            places = np.arange(math.prod(shape)).reshape(shape)
            # Axes of inputs alone are narrowed to what is looked at.
            found = places[np.ix_(range(shape[0]), *[chosen] * axes)].reshape(shape[0], -1)
            self._where[program, chosen] = found
        return self._where[program, chosen]

    def exercised(self) -> dict[Followed, tuple[Rule, ...]]:
        """JAX's rules that each program traced so far depends on; a batch of points takes those of one point."""
        followed = [program for program, traced in self._traced.items() if not isinstance(traced, str)]
        alone = {each: replace(each, style="eager") if each.style == "vmap" else each for each in followed}
        rules = {each: self._rules(each) for each in dict.fromkeys(alone.values())}
        return {each: rules[alone[each]] for each in followed}

    def _rules(self, program: Followed) -> tuple[Rule, ...]:
        try:
            with x64_for(self.dtype):
                return exercised_rules(self._flat(self._run(program)), *self._place, context=self._recorded)
        except Exception:  # what is not known to have run is not claimed
            return ()

    def is_same(self, wide: Programs, program: Followed) -> bool:
        """Whether another dtype's trace is the same program, but for how its data are rounded (they are inputs)."""
        data = [(self.arrays[name], wide.arrays[name]) for name in self.arrays]

        def same(a: Any, b: Any) -> bool:
            return same_numbers(a, b) or any(same_numbers(a, p) and same_numbers(b, q) for p, q in data)

        pairs = ((self.tracing.primal, wide.tracing.primal), (self.traced(program), wide.traced(program)))
        return all(not isinstance(a, str) and not isinstance(b, str) and same_program(a, b, same) for a, b in pairs)

    def _trace(self, program: Followed) -> Traced | str:
        try:
            with x64_for(self.dtype):
                found = trace(_STYLED[program.style](self._flat(self._run(program))), self._place)
        except Exception as error:  # what JAX refuses is a fact about the function
            return reason_of(error)
        if operations(found.jaxpr) > _OPERATION_LIMIT:
            return f"more than {_OPERATION_LIMIT:,} operations: too large to be followed in exact arithmetic"
        return self._distinct.setdefault(_content(found), found)

    def _run(self, program: Followed) -> Run:
        row = row_of(program.transform, program.order)
        assert row is not None
        return build(row, program.order, self.function, self.signature, remat=program.style == "remat")

    def _flat(self, run: Run) -> Callable[..., jax.Array]:
        signs = {
            name: np.asarray(each, dtype=numpy_dtype(self.dtype))
            for name, each in (("tangent", self.signs.tangent), ("cotangent", self.signs.cotangent))
        }
        return lambda *leaves: run(self._layout.arguments(leaves), self.arrays, signs)  # pyright: ignore[reportArgumentType]

    @property
    def _layout(self) -> Layout:
        return Layout(self.signature)

    @cached_property
    def _place(self) -> Arrays:
        return tuple(exact((0.0,) * leaf.size, leaf.shape, self.dtype) for leaf in self.signature.leaves)


def _mapped(program: Callable[..., jax.Array]) -> Callable[..., jax.Array]:
    """Under vmap over a batch of one point."""
    return lambda *leaves: jnp.squeeze(jax.vmap(program)(*(jnp.expand_dims(leaf, 0) for leaf in leaves)), 0)


_Flat = Callable[..., jax.Array]

_STYLED: Mapping[str, Callable[[_Flat], _Flat]] = {
    "eager": lambda program: program,
    "remat": lambda program: program,
    "vmap": _mapped,
}


def _content(found: Traced) -> Any:
    """What programs share only if they compute the same from the same."""
    held = tuple((each.shape, str(each.dtype), each.tobytes()) for each in map(np.asarray, numbers(found.jaxpr)))
    return str(found.jaxpr), held
