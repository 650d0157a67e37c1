"""Run the code listings of a source as printed, like the cells of one notebook, without handing them to Python.

A catalog is data from strangers: the listings are interpreted (`listing_machine`), only names of an allow-list exist
for them (`listing_names`), and their cost is counted (`listing_limits`). What comes back is plain data, without JAX.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from verifier.errors import UsageError
from verifier.model.catalog import FromListing, Listing
from verifier.programs.listing_limits import MAX_DEPTH, MAX_ITEMS, Budget, Refused
from verifier.programs.listing_machine import Interpreter
from verifier.programs.listing_runs import Drawn, ListingRun

__all__ = ["STEPS", "ListingValue", "run_listings", "value_of"]

STEPS = 2_000_000
"""Steps of a listing: one for each evaluated node of its syntax, 20 for a library call, more for large arrays."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ListingValue:
    """A listing's numbers: exact as float64, and the dtype that they had."""

    array: np.ndarray
    dtype: str


def run_listings(listings: Sequence[Listing], *, steps: int = STEPS) -> tuple[ListingRun, ...]:
    """Run the listings in order in one namespace, in float32 on the first CPU device; each has `steps` steps.

    A listing that raises, or is refused, ends there: its effects so far stay, and the later ones go on.
    """
    machine = Interpreter(Budget(steps))
    with _as_printed():
        return tuple(_run(machine, listing, steps) for listing in listings)


def value_of(run: ListingRun, source: FromListing) -> ListingValue:
    """The numbers that `source` names. Raises UsageError when the listing does not leave such numbers."""
    where = "".join(f"[{step!r}]" for step in source.path)
    if source.variable not in run.variables:
        known = ", ".join(sorted(run.variables)) or "none"
        ended = f"; it ended with {run.exception}: {run.message}" if run.exception else ""
        raise UsageError(
            f"listing `{run.id}` leaves no data in a variable `{source.variable}`{ended}; its variables are: {known}"
        )
    value: Any = run.variables[source.variable]
    try:
        for step in source.path:
            value = value[step]
        return ListingValue(array=_exact(value), dtype=_dtype_of(value))
    except (LookupError, TypeError, ValueError, OverflowError) as error:
        raise UsageError(
            f"`{source.variable}{where}` of listing `{run.id}` is no array of numbers ({error}); correct the path"
        ) from error


def _exact(value: Any) -> np.ndarray:
    array = np.asarray(value)
    exact = array.astype(np.float64)
    if array.dtype.kind in "OSUc" or (
        array.dtype.kind in "iu" and not np.array_equal(exact.astype(object), array.astype(object))
    ):
        raise ValueError(f"dtype {array.dtype} does not fit float64 exactly")
    exact.flags.writeable = False
    return exact


def _dtype_of(value: Any) -> str:
    """The arrays' dtype; Python's own numbers beside arrays take theirs, as in JAX."""
    if isinstance(value, (list, tuple)):
        kinds = {_dtype_of(item) for item in value}
        arrays = kinds - {"float", "int", "bool"} or kinds
        return arrays.pop() if len(arrays) == 1 else str(np.asarray(value).dtype)
    return str(value.dtype) if isinstance(value, (np.ndarray, np.generic)) else type(value).__name__


_PRINTING: dict[str, Any] = {
    "precision": 8,
    "threshold": 1000,
    "edgeitems": 3,
    "linewidth": 75,
    "suppress": False,
    "floatmode": "maxprec",
}


@contextmanager
def _as_printed() -> Iterator[None]:
    """JAX and NumPy as a reader has them who has configured nothing, whatever this process has configured."""
    with ExitStack() as stack:
        stack.enter_context(jax.enable_x64(False))
        stack.enter_context(jax.default_device(jax.devices("cpu")[0]))
        stack.enter_context(np.printoptions(**_PRINTING))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        yield


def _run(machine: Interpreter, listing: Listing, steps: int) -> ListingRun:
    machine.restart(Budget(steps))
    status, exception, message, line = "ok", "", "", None
    try:
        machine.run(listing.id, listing.code)
    except Refused as refusal:
        status, message, line = "refused", str(refusal), machine.line
    except (RecursionError, MemoryError):
        status, message, line = (
            "refused",
            "the listing needs more memory or a deeper recursion than it gets",
            machine.line,
        )
    except Exception as error:  # whatever the listing's own code raises is its outcome
        status, exception, message = "raised", type(error).__name__, _first_line(error)
        line = error.lineno if isinstance(error, SyntaxError) else machine.line
    return ListingRun(
        id=listing.id, status=status, exception=exception, message=message, line=line, **_outcome(machine)
    )


def _outcome(machine: Interpreter) -> dict[str, Any]:
    memory = _Memory()
    drawn = [
        Drawn(
            name=name,
            arguments=tuple(memory.kept(item) for item in arguments),
            keywords={key: memory.kept(item) for key, item in keywords.items()},
        )
        for name, arguments, keywords in machine.drawn
    ]
    kept = {name: memory.kept(value) for name, value in machine.names.names.items()}
    return {
        "printed": _lines("".join(machine.output)),
        "variables": {
            name: value for name, value in kept.items() if value is not None or machine.names.names[name] is None
        },
        "names": frozenset(machine.names.names),
        "entered": dict(machine.entered),
        "trips": tuple(machine.trips.values()),
        "drawn": tuple(drawn),
        "kernels": {
            name: count for name, called in machine.jitted.items() if (count := _kernel_count(*called)) is not None
        },
    }


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "")[:300]


def _lines(text: str) -> tuple[str, ...]:
    return tuple(text.removesuffix("\n").split("\n")) if text else ()


class _NoData(Exception):
    """A value that is no data: a function, a module, a traced array that outlived its trace."""


@dataclass(slots=True)
class _Memory:
    """Copies of values that later listings can't change; what is shared is copied once, so that a copy stays small."""

    copies: dict[int, Any] = field(default_factory=dict)

    def kept(self, value: Any) -> Any:
        """A copy as plain data, or None."""
        try:
            return self._copy(value, 0)
        except _NoData:
            return None

    def _copy(self, value: Any, depth: int) -> Any:
        if value is None or isinstance(value, (bool, int, float, complex, str, range, np.generic)):
            return value
        if depth > MAX_DEPTH or len(self.copies) > MAX_ITEMS:
            raise _NoData
        if id(value) not in self.copies:
            self.copies[id(value)] = self._new(value, depth + 1)
        return self.copies[id(value)]

    def _new(self, value: Any, depth: int) -> Any:
        if isinstance(value, (np.ndarray, jax.Array)):
            return _array_copy(value)
        if isinstance(value, (list, tuple)):
            items = [self._copy(item, depth) for item in value]
            return items if isinstance(value, list) else tuple(items)
        if isinstance(value, dict):
            return {self._copy(key, depth): self._copy(item, depth) for key, item in value.items()}
        raise _NoData


def _array_copy(value: Any) -> np.ndarray:
    if isinstance(value, Tracer) or jnp.issubdtype(value.dtype, jax.dtypes.prng_key):
        raise _NoData
    copy = np.array(value)
    copy.flags.writeable = False
    return copy


_INSTRUCTION = re.compile(r"^\s+(?:ROOT )?%?[\w.\-]+ = (?:\(.*?\)|\S+) ([\w\-]+)\(")
_COSTS_NOTHING = frozenset({"parameter", "constant", "tuple", "get-tuple-element", "bitcast"})


def _kernel_count(call: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> int | None:
    """How many instructions of the optimised program's entry computation compute something, for the last call."""
    try:
        text = call.lower(*arguments, **keywords).compile().as_text()
    except Exception:  # no fact is known then; the listing's own run has already told its outcome
        return None
    entry = text.partition("\nENTRY ")[2].partition("\n}")[0].splitlines()[1:]
    found = [match.group(1) for line in entry if (match := _INSTRUCTION.match(line))]
    return sum(1 for name in found if name not in _COSTS_NOTHING) if found else None
