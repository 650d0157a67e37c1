"""What a listing may cost: steps, sizes and depths are counted, never wall-clock time, so that it always ends alike."""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from verifier.programs.listing_analysis import read_code

__all__ = ["MAX_CALLS", "MAX_DEPTH", "MAX_ITEMS", "Budget", "Refused", "check_format", "parse", "size_of"]

MAX_ELEMENTS = 10_000_000  # of an array, all lanes of a vmap together
MAX_ITEMS = 1_000_000  # of a range, list, tuple or string
MAX_BITS = 4096  # of a Python integer
MAX_DEPTH = 40  # of nested lists, tuples and dicts
MAX_CALLS = 40  # of nested calls of a listing's functions
MAX_RANK = 64  # axes of an array
MAX_INTEGER_BITS = 64  # of a Python integer that meets an array: NumPy would compute on a larger one as on an object
BROADCAST = math.isqrt(MAX_ELEMENTS)  # two arrays of this many elements can be broadcast against each other
CALL_STEPS = 20  # a call of a library function, in steps of the interpreter
ELEMENTS_PER_STEP = 64

# [[fill]align][sign][#][0][width][,][.precision][type]; three digits of width keep the text short.
_FORMAT = re.compile(r"(?:[^{}]?[<>=^])?[-+ ]?#?0?\d{0,3}[,_]?(?:\.\d{1,3})?[bcdeEfFgGnosxX%]?")


class Refused(Exception):
    """The listing asks for what the interpreter does not do, or more than it may cost; stays inside `run_listings`."""


def size_of(value: object) -> int:
    """The number of elements of an array; 1 for anything else."""
    return value.size if isinstance(value, (jax.Array, np.ndarray)) else 1


@dataclass(slots=True)
class Budget:
    """The steps that a listing has left, and the lanes that an enclosing `vmap` multiplies every array by.

    `peak` is the size of the largest array since it was last set to 0, all lanes together.
    """

    left: int
    lanes: int = 1
    peak: int = 0

    def spend(self, steps: int = 1) -> None:
        self.left -= steps
        if self.left < 0:
            raise Refused("the listing takes more steps than it may; shorten its loops")

    def admit(self, elements: int) -> None:
        """Let an array of `elements` exist."""
        if (total := elements * self.lanes) > MAX_ELEMENTS:
            raise Refused(
                f"an array of {total} elements is larger than the {MAX_ELEMENTS} that a listing may hold; use fewer"
            )
        self.peak = max(self.peak, total)

    def admit_items(self, count: int) -> None:
        """Let a sequence of `count` items exist."""
        if count > MAX_ITEMS:
            raise Refused(
                f"a sequence of {count} items is longer than the {MAX_ITEMS} that a listing may hold; use fewer"
            )
        self.spend(count // ELEMENTS_PER_STEP)

    def listed(self, items: Any) -> list[Any]:
        """`list(items)`."""
        iterator = iter(items)
        length = operator.length_hint(items)
        self.admit_items(length)
        self.spend(length)
        return list(iterator)

    def leaves(self, *values: object) -> list[object]:
        """Everything inside nested lists, tuples and dicts; each costs a step, which stops bombs of shared parts."""
        found: list[object] = []
        pending = [(value, 0) for value in values]
        while pending:
            value, depth = pending.pop()
            self.spend()
            if depth > MAX_DEPTH:
                raise Refused(f"lists, tuples or dicts are nested deeper than {MAX_DEPTH}; make the structure flatter")
            if isinstance(value, dict):
                self.leaves(*value)  # the keys cost steps too
                pending.extend((item, depth + 1) for item in value.values())
            elif isinstance(value, (list, tuple)):
                pending.extend((item, depth + 1) for item in value)
            else:
                found.append(value)
        return found

    def foresee(self, function: Callable[..., Any], *args: Any, always: bool = False, **kwargs: Any) -> None:
        """Refuse `function(*args, **kwargs)` before it runs if its result would be too large.

        The abstract evaluation costs a trace: it is left out where the arguments' sizes multiply to an allowed number.
        """
        product = math.prod(max(1, size_of(leaf)) for leaf in self.leaves(args, kwargs))
        if not always and product * self.lanes <= MAX_ELEMENTS:
            return
        shapes = jax.eval_shape(
            lambda: function(*jax.tree.map(_abstractable, args), **jax.tree.map(_abstractable, kwargs))
        )
        for leaf in jax.tree.leaves(shapes):
            self.admit(leaf.size)

    def settle(self, result: object) -> None:
        """Account for what a library function has returned."""
        for leaf in self.leaves(result):
            if isinstance(leaf, np.ndarray) and leaf.dtype.kind in "OSU":
                raise Refused(
                    f"a NumPy array of dtype {leaf.dtype} holds no numbers that a listing may compute with; use numbers"
                )
            self.admit(size_of(leaf))
            self.spend(size_of(leaf) // ELEMENTS_PER_STEP)

    def check_rank(self, *extents: object) -> None:
        """Refuse a shape or an index with too many axes: their handling grows as the square of their number."""
        if any(len(extent) > MAX_RANK for extent in extents if isinstance(extent, (list, tuple))):
            raise Refused(f"an array would get more than {MAX_RANK} axes; use fewer")

    def check_integers(self, leaves: list[object]) -> None:
        """Refuse integers that NumPy would turn into objects, on which its operations are Python's own, unbounded."""
        if any(isinstance(leaf, int) and leaf.bit_length() > MAX_INTEGER_BITS for leaf in leaves):
            raise Refused(f"an integer of more than {MAX_INTEGER_BITS} bits can't be used with arrays; use a float")

    def check_small(self, *values: object) -> None:
        """Refuse arrays that Python's own comparisons inside containers could broadcast to something huge."""
        if any(size_of(leaf) > BROADCAST for leaf in self.leaves(*values)):
            raise Refused(
                f"Python compares or searches arrays of more than {BROADCAST} elements here; use a jax.numpy function"
            )

    def check_operands(
        self, operation: type[ast.operator], function: Callable[..., Any], left: Any, right: Any
    ) -> None:
        """Refuse `left operation right` before it runs if its result would be too large."""
        if isinstance(left, int) and isinstance(right, int):
            _check_integers(operation, left, right)
        else:
            if isinstance(left, (str, list, tuple)) or isinstance(right, (str, list, tuple)):
                self._check_sequences(operation, left, right)
            if not (isinstance(left, _NUMBER) and isinstance(right, _NUMBER)):
                self.check_integers(self.leaves(left, right))
            self.foresee(function, left, right)

    def _check_sequences(self, operation: type[ast.operator], left: Any, right: Any) -> None:
        if operation is ast.Mod and isinstance(left, str):
            raise Refused("`%` on a string is not interpreted; use an f-string")
        lengths = [len(side) for side in (left, right) if isinstance(side, (str, list, tuple))]
        if operation is ast.Add:
            self.admit_items(sum(lengths))
        if operation is ast.Mult and len(lengths) == 1:
            self.admit_items(lengths[0] * _repetitions(right if isinstance(left, (str, list, tuple)) else left))

    @contextmanager
    def widened(self, lanes: int) -> Iterator[None]:
        """Inside, every array counts `lanes` times more."""
        before = self.lanes
        self.lanes = before * max(1, lanes)
        try:
            yield
        finally:
            self.lanes = before


_NUMBER = (int, float, complex)


def _repetitions(count: Any) -> int:
    try:
        return operator.index(count)
    except TypeError:  # an array or a float, which don't repeat a sequence
        return 1


def _abstractable(value: object) -> object:
    # NumPy would compute on its own arrays even inside an abstract evaluation.
    return jnp.asarray(value) if isinstance(value, np.ndarray) and value.dtype.kind in "biufc" else value


_RESULT_BITS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Mult: lambda left, right: left.bit_length() + right.bit_length(),
    ast.Pow: lambda left, right: left.bit_length() * max(right, 0) if abs(left) > 1 else 1,
    ast.LShift: lambda left, right: left.bit_length() + max(right, 0),
}


def _check_integers(operation: type[ast.operator], left: int, right: int) -> None:
    bits = _RESULT_BITS.get(operation, lambda left, right: max(left.bit_length(), right.bit_length()))(left, right)
    if bits > MAX_BITS:
        raise Refused(
            f"an integer of up to {bits} bits is larger than the {MAX_BITS} that a listing may hold; use a float"
        )


def check_format(spec: str) -> None:
    """Refuse a format specification that could make a huge text."""
    if not _FORMAT.fullmatch(spec):
        raise Refused(f"the format specification {spec!r} is not interpreted; use one such as `.4f`, `>10` or `3d`")


def parse(code: str) -> ast.Module:
    """The listing's syntax tree; `compile` adds the errors that only it finds (a stray `return`). Nothing is executed.

    Raises SyntaxError as Python does, and Refused for a text that is too long or nested too deeply.
    """
    try:
        tree = read_code(code)
        compile(code, "<listing>", "exec", dont_inherit=True)
    except (RecursionError, MemoryError, ValueError) as error:
        raise Refused(str(error) or "the listing is nested too deeply; simplify it") from error
    return tree
