"""The facts that a statement about a listing is made of: of its text, and of what its run showed."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from verifier.programs.listing_analysis import ListingText

__all__ = ["FACTS", "Evidence", "Fact", "Missing"]


class Missing(Exception):
    """A fact that this listing or its run does not give. Never leaves `listing_facts`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The listings' texts and `ListingRun`s, by listing; `listing` is the one that the statement is about."""

    listing: str
    texts: dict[str, ListingText]
    runs: dict[str, Any]

    @property
    def text(self) -> ListingText:
        return self.texts[self.listing]

    @property
    def run(self) -> Any:
        return self.runs[self.listing]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A function of the formula language. `kind` is what it gives: "boolean", "number" or "shape"."""

    kind: str
    function: Callable[..., Any]

    @property
    def signature(self) -> inspect.Signature:
        """How it is called in a formula: without the evidence."""
        whole = inspect.signature(self.function)
        return whole.replace(parameters=list(whole.parameters.values())[1:], return_annotation=inspect.Signature.empty)


# --- facts of the text ----------------------------------------------------------------------------


Where = str | tuple[int, int] | tuple[str, str] | tuple[str, ...]
"""Which lines a fact is asked about: `inside="function"`, `lines=(1, 9)`, `between=("text", "text")`; default: all."""


def _lines(
    text: ListingText,
    inside: str | tuple[str, ...] = (),
    lines: tuple[int, int] | None = None,
    between: tuple[str, str] | None = None,
) -> set[int] | None:
    found = [(f"function `{name}`", text.lines_of(name)) for name in ((inside,) if isinstance(inside, str) else inside)]
    found += [(f"lines {lines}", range(lines[0], lines[1] + 1))] if lines else []
    found += [(f"lines between {between}", text.lines_between(*between))] if between else []
    if absent := [name for name, place in found if place is None]:
        raise Missing(f"listing `{text.id}` has no {absent[0]}")
    return {line for _, place in found for line in place or ()} if found else None


def count_calls(evidence: Evidence, name: str, /, **where: Where) -> int:
    """How many calls and decorators name `name`, written `jnp.tanh` or `jax.numpy.tanh`."""
    full = evidence.text.full_name(name)
    return sum(call.name == full for call in evidence.text.calls(_lines(evidence.text, **where)))  # pyright: ignore


def calls(evidence: Evidence, name: str, /, **where: Where) -> bool:
    return count_calls(evidence, name, **where) > 0


def only_calls(evidence: Evidence, *modules: str, **where: Where) -> bool:
    """Whether every called library function is of these modules; own functions and Python's builtins don't count."""
    text = evidence.text
    allowed = tuple(f"{text.full_name(module)}." for module in modules)
    libraries = {text.full_name(alias).partition(".")[0] for alias in text.aliases} | {use.name for use in text.unbound}
    found = text.calls(_lines(text, **where))  # pyright: ignore
    return all(call.name.startswith(allowed) for call in found if call.name.partition(".")[0] in libraries)


def code_lines(evidence: Evidence, *inside: str, **where: Where) -> int:
    """Lines with code: of the listing, of the named functions, or of the lines given."""
    return evidence.text.code_lines(_lines(evidence.text, **({"inside": inside} if inside else {}), **where))  # pyright: ignore


def print_statements(evidence: Evidence, **where: Where) -> int:
    return count_calls(evidence, "print", **where)


def unbound(evidence: Evidence, name: str, /) -> bool:
    """Whether the listing uses the name although nothing before has bound it."""
    return any(use.name == name for use in evidence.text.unbound)


def random(evidence: Evidence, name: str, /) -> bool:
    """Whether the first value that the listing gives the variable depends on a random draw."""
    if name not in evidence.text.first_random:
        raise Missing(f"listing `{evidence.listing}` never assigns `{name}`")
    return evidence.text.first_random[name]


def random_at_end(evidence: Evidence, name: str, /) -> bool:
    """Whether the variable's value at the listing's end depends on a random draw."""
    return name in evidence.text.last_random


def literal(evidence: Evidence, name: str, /) -> Fraction:
    """The exact number that the first assignment to the variable writes out."""
    number = evidence.text.literal(name)
    if number is None:
        raise Missing(f"listing `{evidence.listing}` assigns no literal number to `{name}`")
    return number


# --- facts of the run -----------------------------------------------------------------------------

_VARIABLE = re.compile(r"(?:(?P<listing>[\w-]+):)?(?P<name>[^\W\d]\w*)(?P<path>(?:\[(?:-?\d+|'[^']*')\])*)")


def _variable(evidence: Evidence, written: str) -> Any:
    match = _VARIABLE.fullmatch(written)
    if match is None:
        raise Missing(f"`{written}` is no variable; write `name`, `name[0]` or `listing:name`")
    listing = match["listing"] or evidence.listing
    if listing not in evidence.runs:
        raise Missing(f"there is no listing `{listing}`")
    run = evidence.runs[listing]
    if match["name"] not in run.variables:
        raise Missing(f"listing `{listing}` ({run.status}) leaves no data in `{match['name']}`")
    value = run.variables[match["name"]]
    try:
        for step in re.findall(r"\[(-?\d+|'[^']*')\]", match["path"]):
            value = value[step[1:-1] if step.startswith("'") else int(step)]
    except (LookupError, TypeError) as error:
        raise Missing(f"`{written}` has no such part") from error
    return value


def _array(evidence: Evidence, written: str) -> np.ndarray:
    try:
        array = np.asarray(_variable(evidence, written))
    except ValueError as error:
        raise Missing(f"`{written}` is no array") from error
    if array.dtype.kind in "OSU":
        raise Missing(f"`{written}` is no array of numbers")
    return array


def value(evidence: Evidence, name: str, /) -> Fraction:
    """The number's exact binary value."""
    array = _array(evidence, name)
    if array.size != 1 or not np.isfinite(array).all():
        raise Missing(f"`{name}` is not one finite number")
    return Fraction(array.reshape(()).item())


def _extreme(choose: Callable[[np.ndarray], Any]) -> Callable[..., Fraction]:
    def extreme(evidence: Evidence, name: str, /) -> Fraction:
        array = _array(evidence, name)
        if not array.size or not np.isfinite(array).all():
            raise Missing(f"`{name}` is empty or not finite")
        return Fraction(np.asarray(choose(array)).item())

    return extreme


def shape(evidence: Evidence, name: str, /) -> tuple[int, ...]:
    return tuple(_array(evidence, name).shape)


def _leaves(item: Any) -> list[Any]:
    if isinstance(item, dict):
        item = [part for key in sorted(item, key=repr) for part in (key, item[key])]
    return [leaf for part in item for leaf in _leaves(part)] if isinstance(item, (list, tuple)) else [item]


def equal(evidence: Evidence, first: str, second: str, /) -> bool:
    """Whether two variables have the same parts, dtypes, shapes and bits."""
    left, right = (_leaves(_variable(evidence, name)) for name in (first, second))
    return len(left) == len(right) and all(
        a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
        for a, b in zip(map(np.asarray, left), map(np.asarray, right), strict=True)
    )


def max_abs_difference(evidence: Evidence, first: str, second: str, /) -> Fraction:
    """The largest |difference| of corresponding numbers, computed in float64."""
    left, right = (
        [np.asarray(leaf, dtype=np.float64) for leaf in _leaves(_variable(evidence, name))] for name in (first, second)
    )
    if [leaf.shape for leaf in left] != [leaf.shape for leaf in right]:
        raise Missing(f"`{first}` and `{second}` have different shapes")
    largest = max((float(np.max(np.abs(a - b), initial=0.0)) for a, b in zip(left, right, strict=True)), default=0.0)
    if not np.isfinite(largest):
        raise Missing(f"`{first}` and `{second}` differ by something that is not finite")
    return Fraction(largest)


def trips(evidence: Evidence, index: int = 0, /) -> int:
    """How often the listing's `for` statement number `index` (outside functions, from 0) went round."""
    if not 0 <= index < len(evidence.run.trips):
        raise Missing(f"listing `{evidence.listing}` has {len(evidence.run.trips)} `for` statements outside functions")
    return evidence.run.trips[index]


def compiled_kernels(evidence: Evidence, name: str, /) -> int:
    """Instructions that compute something in the optimised program of a jitted function, for its last call."""
    if name not in evidence.run.kernels:
        raise Missing(f"listing `{evidence.listing}` called no jitted function `{name}`")
    return evidence.run.kernels[name]


def entered(evidence: Evidence, name: str, /) -> int:
    """How often the function's body was entered while the listing ran; under `jit` that is the number of traces."""
    return evidence.run.entered.get(name, 0)


def runs(evidence: Evidence) -> bool:
    return evidence.run.status == "ok"


def defined(evidence: Evidence, name: str, /) -> bool:
    """Whether the name is bound when the listing ends."""
    return name in evidence.run.names


def printed_lines(evidence: Evidence) -> int:
    return len(evidence.run.printed)


def drawn(evidence: Evidence, name: str, /) -> int:
    """How many plotting calls of this name were made."""
    return sum(call.name == name for call in evidence.run.drawn)


def _facts(kind: str, *functions: Callable[..., Any]) -> dict[str, Fact]:
    return {function.__name__: Fact(kind=kind, function=function) for function in functions}


FACTS: dict[str, Fact] = {
    **_facts("boolean", calls, only_calls, unbound, random, random_at_end),  # of the text
    **_facts("number", count_calls, code_lines, print_statements, literal),
    **_facts("boolean", runs, defined, equal),  # of the run
    **_facts("number", entered, trips, printed_lines, drawn, compiled_kernels, value, max_abs_difference),
    **_facts("shape", shape),
    "traces": Fact(kind="number", function=entered),
    "minimum": Fact(kind="number", function=_extreme(np.min)),
    "maximum": Fact(kind="number", function=_extreme(np.max)),
}
