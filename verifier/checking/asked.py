"""What a call of `check` asks for: its arguments, validated, and what follows from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from verifier.errors import UsageError
from verifier.execution.dtypes import DTYPES, exact, numpy_dtype, x64_for
from verifier.execution.points import points as sampled
from verifier.model.catalog import Input
from verifier.programs.trace import COMPILATIONS, Row, Subject, defaults, is_real, names_of, program_named, subject

__all__ = ["Asked", "Place", "dtypes_of", "orders_of"]

_DEFAULT_COMPILATIONS = ("eager", "jit")
_MANY_INPUTS = 64
"""A scalar function of more inputs is differentiated in reverse: forward mode costs a run for every input."""

Place = tuple[np.ndarray, ...]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Asked:
    """A function, the arguments that it is called with, and the programs, orders and points wanted."""

    fn: Callable[..., Any]
    args: tuple[Any, ...]
    argnums: int | Sequence[int]
    orders: tuple[int, ...]
    programs: Sequence[str] | None
    domain: Any
    points: int
    seed: int

    def own(self) -> str:
        """The widest dtype of the arguments' floating leaves."""
        found = {_dtype_of(leaf) for leaf in jax.tree.leaves(self.args) if is_real(leaf)}
        return next((name for name in DTYPES if name in found), "float32")

    def subject(self, dtype: str | None, fn: Callable[..., Any] | None = None) -> Subject:
        """The function (or another of the same arguments) as JAX runs it in a dtype; None is the arguments' own."""
        with x64_for(dtype or self.own()):
            return subject(fn or self.fn, self.args, self.argnums, dtype)

    def widened(self, dtype: str | None, fn: Callable[..., Any] | None = None) -> Subject:
        """The same in float64, everything first rounded to the dtype."""
        narrow = dtype or self.own()
        with x64_for("float64"):
            args = jax.tree.map(lambda each: _widened(each, narrow), self.args)
            return subject(fn or self.fn, args, self.argnums, "float64")

    def places(self, given: Subject, dtype: str) -> list[tuple[Place, bool]]:
        """The points with whether the user gave them: the arguments, then the sample of the domain."""
        found = [(given.place, True)]
        if self.points:
            inputs = self._inputs(given)
            wanted = sampled(inputs, dtype, seed=self.seed, entry="check", samples=self.points)
            found += [(_arrays(each.values, given, dtype), False) for each in wanted]
        return found

    def _inputs(self, given: Subject) -> list[Input]:
        return [
            Input(name=leaf.name, shape=leaf.shape, lower=low, upper=high)
            for leaf in given.leaves
            for low, high in [_ends(self.domain, leaf.name)]
        ]

    def rows(self, order: int, given: Subject) -> dict[Row, tuple[str, ...]]:
        """The programs of an order and how each is compiled; raises UsageError for an unknown name, or for no program.

        An order that no named program has would pass unjudged.
        """
        if self.programs is None:
            return dict.fromkeys(_defaults(order, given), _DEFAULT_COMPILATIONS)
        names = (self.programs,) if isinstance(self.programs, str) else self.programs
        found: dict[Row, tuple[str, ...]] = {}
        for name in names:
            base, compilations = self._split(name)
            row = program_named(base, order)
            if row is not None:
                found[row] = tuple(dict.fromkeys((*found.get(row, ()), *compilations)))
        if not found:
            raise UsageError(
                f"programs={names!r}: none is of order {order}, which is asked for; "
                f"name one of {', '.join(names_of(order))}, or leave that order out"
            )
        return found

    def _split(self, name: str) -> tuple[str, tuple[str, ...]]:
        base, slash, compilation = name.partition("/")
        if slash and compilation not in COMPILATIONS:
            raise UsageError(f"no such program: {name!r}; after the slash use {', '.join(COMPILATIONS)}")
        if not any(program_named(base, order) for order in self.orders):
            orders = ", ".join(map(str, self.orders))
            raise UsageError(
                f"no program {base!r} of order {orders}; for example grad, jacfwd, jacrev, hessian, fwd-rev"
            )
        return base, (compilation,) if slash else _DEFAULT_COMPILATIONS


def _defaults(order: int, given: Subject) -> tuple[Row, ...]:
    """The programs that `programs=None` means."""
    rows = defaults(order, scalar=given.is_scalar)
    if not given.is_scalar or given.size <= _MANY_INPUTS:
        return rows
    return tuple(row for row in rows if row.transforms[:1] != ("fwd",)) or rows


def orders_of(orders: Sequence[int] | int) -> tuple[int, ...]:
    """Derivative orders, each once; raises UsageError."""
    found = (orders,) if isinstance(orders, int) else tuple(orders)
    if not found or any(not isinstance(each, int) or isinstance(each, bool) or each < 0 for each in found):
        raise UsageError(f"orders={orders!r}: give derivative orders such as (1,) or (1, 2)")
    return tuple(dict.fromkeys(found))


def dtypes_of(dtypes: Sequence[Any] | None) -> tuple[str | None, ...]:
    """Names of dtypes, each once; (None,) for the arguments' own. Raises UsageError."""
    if dtypes is None:
        return (None,)
    try:
        names = [jnp.dtype(each).name for each in ((dtypes,) if isinstance(dtypes, str) else dtypes)]
    except TypeError as error:
        raise UsageError(f"dtypes={dtypes!r}: {error}; use some of {', '.join(DTYPES)}") from None
    if not names or any(each not in DTYPES for each in names):
        raise UsageError(f"dtypes={dtypes!r}: use some of {', '.join(DTYPES)}")
    return tuple(dict.fromkeys(names))


def _dtype_of(leaf: Any) -> str:
    dtype = getattr(leaf, "dtype", None)
    return str(jnp.asarray(leaf).dtype if dtype is None else dtype)


def _widened(leaf: Any, dtype: str) -> Any:
    return np.asarray(leaf).astype(numpy_dtype(dtype)).astype(np.float64) if is_real(leaf) else leaf


def _arrays(values: Sequence[Sequence[float]], given: Subject, dtype: str) -> Place:
    pairs = zip(given.leaves, given.place, values, strict=True)
    return tuple(exact(each, leaf.shape, dtype).astype(old.dtype) for leaf, old, each in pairs)


def _ends(domain: Any, name: str) -> tuple[Fraction, Fraction]:
    """The domain of a leaf: one pair for all leaves, or a mapping from names; raises UsageError."""
    pair = domain.get(name) if isinstance(domain, Mapping) else domain
    try:
        low, high = (Fraction(each) for each in pair or ())
    except (TypeError, ValueError, OverflowError):
        raise UsageError(f"domain={domain!r}: give (low, high), or a mapping from names such as {name!r}") from None
    if low > high:
        raise UsageError(f"domain={domain!r}: the lower end is above the upper one")
    return low, high
