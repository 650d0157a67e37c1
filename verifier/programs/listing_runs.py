"""What running listings showed, and its JSON, in which it travels between workers and is kept between runs.

In JSON values are nodes that name other nodes by their places, so that what is shared stays shared. Numbers keep their
bits.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import ml_dtypes  # noqa: F401  NumPy knows bfloat16 by its name then
import numpy as np

from verifier.model.catalog import Listing

__all__ = ["Drawn", "ListingRun", "read_runs", "written_runs"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawn:
    """A plotting call with its evaluated arguments; what is no data (an axes object) is None."""

    name: str
    arguments: tuple[object, ...]
    keywords: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ListingRun:
    """What running one listing showed: it `raised` as it would in Python, or was `refused` something."""

    id: str
    status: str  # "ok" | "raised" | "refused"
    exception: str = ""
    message: str = ""
    """One line."""
    line: int | None = None
    """Where it stopped: the innermost line of this listing, 1-based."""
    printed: tuple[str, ...] = ()
    variables: Mapping[str, object] = field(default_factory=dict)
    """Every variable at the end that is data: numbers, strings, NumPy arrays in their dtype, lists, tuples, dicts."""
    names: frozenset[str] = frozenset()
    """Every name that is bound at the listing's end, functions and modules included."""
    entered: Mapping[str, int] = field(default_factory=dict)
    """User function -> how often its body was entered in this listing; under `jit` that is the number of traces."""
    trips: tuple[int, ...] = ()
    """How often each `for` statement outside functions went round, in reading order."""
    drawn: tuple[Drawn, ...] = ()
    kernels: Mapping[str, int] = field(default_factory=dict)
    """Jitted function called here -> instructions of its optimised program that compute; see `_kernel_count`."""


_WRITTEN_APART = ("names", "variables", "drawn")


def written_runs(listings: Sequence[Listing], runs: Sequence[ListingRun]) -> str:
    """The listings and their runs as JSON text."""
    heap = _Heap()
    texts = [{"id": each.id, "section": each.section, "code": each.code} for each in listings]
    data = {"listings": texts, "runs": [_written(run, heap) for run in runs], "nodes": heap.nodes}
    return json.dumps(data, separators=(",", ":"), allow_nan=False)


def read_runs(text: str) -> tuple[tuple[Listing, ...], tuple[ListingRun, ...]]:
    """The listings and the runs that `written_runs` wrote; raises ValueError for any other text."""
    try:
        data = json.loads(text)
        values: list[Any] = []
        for kind, *node in data["nodes"]:
            values.append(_READ[kind](values, *node))
        return tuple(Listing(**each) for each in data["listings"]), tuple(_read(run, values) for run in data["runs"])
    except (TypeError, LookupError, AttributeError, RecursionError) as error:
        raise ValueError(f"no runs of listings: {error}") from error


def _written(run: ListingRun, heap: _Heap) -> dict[str, Any]:
    plain = {each.name: getattr(run, each.name) for each in fields(run) if each.name not in _WRITTEN_APART}
    drawn = [(each.name, heap.put(each.arguments), heap.put_all(each.keywords)) for each in run.drawn]
    return {**plain, "names": sorted(run.names), "variables": heap.put_all(run.variables), "drawn": drawn}


def _read(run: Mapping[str, Any], values: Sequence[Any]) -> ListingRun:
    drawn = tuple(
        Drawn(name=name, arguments=values[arguments], keywords=_named(keywords, values))
        for name, arguments, keywords in run["drawn"]
    )
    lists = {name: tuple(run[name]) for name in ("printed", "trips")}
    apart = {"names": frozenset(run["names"]), "variables": _named(run["variables"], values), "drawn": drawn}
    return ListingRun(**{**run, **lists, **apart})


def _named(places: Mapping[str, int], values: Sequence[Any]) -> dict[str, Any]:
    return {name: values[place] for name, place in places.items()}


@dataclass(slots=True)
class _Heap:
    """Nodes, each behind those that it names."""

    nodes: list[list[Any]] = field(default_factory=list)
    _known: dict[int, tuple[int, Any]] = field(default_factory=dict)
    """Identity of a value -> its place, and the value, which thus lives on."""

    def put(self, value: Any) -> int:
        """The place of a value's node."""
        if id(value) not in self._known:
            node = self._node(value)
            self._known[id(value)] = (len(self.nodes), value)
            self.nodes.append(node)
        return self._known[id(value)][0]

    def put_all(self, values: Mapping[str, Any]) -> dict[str, int]:
        return {name: self.put(each) for name, each in values.items()}

    def _node(self, value: Any) -> list[Any]:
        if isinstance(value, (np.ndarray, np.generic)):  # before Python's own: np.float64 is a float, too
            return self._array(np.asarray(value), alone=isinstance(value, np.generic))
        match value:
            case None | bool() | str():
                return ["plain", value]
            case int():
                return ["int", hex(value)]
            case float():
                return ["float", value.hex()]
            case complex():
                return ["complex", value.real.hex(), value.imag.hex()]
            case range():
                return ["range", value.start, value.stop, value.step]
            case list():
                return ["list", list(map(self.put, value))]
            case tuple():
                return ["tuple", list(map(self.put, value))]
            case dict():
                return ["dict", [(self.put(key), self.put(each)) for key, each in value.items()]]
        raise TypeError(f"no data of a listing: {type(value).__name__}")

    def _array(self, array: np.ndarray, *, alone: bool) -> list[Any]:
        if array.dtype == object:
            return ["objects", array.shape, [self.put(each) for each in array.flat]]
        name = array.dtype.str if array.dtype.kind in "SUMm" else array.dtype.name  # bfloat16 has a name only
        return ["number" if alone else "array", name, array.shape, b64encode(array.tobytes()).decode()]


def _array(values: Sequence[Any], name: str, shape: Sequence[int], data: str) -> np.ndarray:
    return np.frombuffer(b64decode(data), dtype=np.dtype(name)).reshape(shape)


def _objects(values: Sequence[Any], shape: Sequence[int], places: Sequence[int]) -> np.ndarray:
    array = np.empty(shape, dtype=object)
    for index, place in enumerate(places):
        array.flat[index] = values[place]
    array.flags.writeable = False
    return array


_READ: Mapping[str, Any] = {
    "plain": lambda values, value: value,
    "int": lambda values, text: int(text, 16),
    "float": lambda values, text: float.fromhex(text),
    "complex": lambda values, real, imaginary: complex(float.fromhex(real), float.fromhex(imaginary)),
    "range": lambda values, start, stop, step: range(start, stop, step),
    "list": lambda values, places: [values[place] for place in places],
    "tuple": lambda values, places: tuple(values[place] for place in places),
    "dict": lambda values, pairs: {values[key]: values[each] for key, each in pairs},
    "array": _array,
    "number": lambda *node: _array(*node)[()],
    "objects": _objects,
}
