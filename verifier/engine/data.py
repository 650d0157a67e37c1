"""The exact values of an entry's data and points."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from verifier.arithmetic.elements import Element, Unknown, is_finite
from verifier.arithmetic.floats import FLOAT64, Format, round_to
from verifier.errors import FormulaError, UsageError
from verifier.model.catalog import (
    At,
    Datum,
    Entry,
    FromListing,
    Generated,
    Inline,
    Linspace,
    NestedText,
)
from verifier.programs.generators import draw, spaced
from verifier.programs.listing import value_of
from verifier.programs.listing_runs import ListingRun
from verifier.symbolic.formula import constant, parse
from verifier.truth.tensors import as_array
from verifier.truth.workspace import Workspace, stacked

__all__ = ["data_of", "declared_point", "describe", "require_inside"]

_POINT_BITS = 1200
"""Enough to round a declared constant such as pi/4 correctly into every dtype, short of a tie (which rationals
decide exactly).
"""


def data_of(entry: Entry, listings: Mapping[str, ListingRun]) -> dict[str, np.ndarray]:
    """Each datum as an object array of exact numbers; raises UsageError where a listing does not provide it."""
    return {datum.name: _exact(datum, listings) for datum in entry.data}


def _exact(datum: Datum, listings: Mapping[str, ListingRun]) -> np.ndarray:
    match datum.source:
        case Inline(values=values):
            numbers = _rationals(values)
        case Generated() as source:
            numbers = draw(source, datum.shape)
        case Linspace(start=start, stop=stop, dtype=None):
            numbers = _equidistant(start, stop, math.prod(datum.shape))
        case Linspace() as source:
            numbers = spaced(source, datum.shape)
        case FromListing() as source:
            numbers = value_of(listings[source.listing], source).array
    found = np.asarray(numbers, dtype=object).reshape(datum.shape)
    if any(isinstance(each, float) and not math.isfinite(each) for each in found.flat):
        raise UsageError(f"the data {datum.name} ({describe(datum)}) hold what is no real number: nan or an infinity")
    return found


def _rationals(values: NestedText) -> np.ndarray:
    if isinstance(values, tuple):
        return stacked([_rationals(value) for value in values])
    number = constant(parse(values.text))
    if number is None:
        raise FormulaError(f"data must be rational numbers, and {values.text!r} is not; write its decimals")
    return as_array(number)


def _equidistant(start: Fraction, stop: Fraction, count: int) -> np.ndarray:
    steps = max(1, count - 1)
    return np.array([start + (stop - start) * Fraction(index, steps) for index in range(count)], dtype=object)


def declared_point(at: At, workspace: Workspace, form: Format) -> tuple[tuple[float, ...], ...]:
    """A declared point rounded once into a dtype: the components of each input leaf in catalog order.

    Raises UsageError when the point leaves an input out, or gives it what is no real number.
    """
    place, entry = workspace.certified(_POINT_BITS).place(at), workspace.entry
    missing = [leaf.name for leaf in entry.inputs if leaf.name not in place]
    if missing:
        raise UsageError(f"entry {entry.id}: a point leaves out {', '.join(missing)}; give every input a value")
    return tuple(tuple(_rounded(each, form, leaf.name) for each in place[leaf.name].flat) for leaf in entry.inputs)


def _rounded(element: Element, form: Format, leaf: str) -> float:
    if is_finite(element):
        return round_to(element, form)
    why = (
        f"it cannot be computed ({element.reason})" if isinstance(element, Unknown) else "this point has no real value"
    )
    raise UsageError(f"a point's value for {leaf}: {why}; write a finite number")


def require_inside(at: At, workspace: Workspace) -> None:
    """Raises UsageError where a declared point is no real point or certainly outside: data are known only now."""
    certified = workspace.certified(_POINT_BITS)
    place, system = certified.place(at), certified.system
    for leaf in workspace.entry.inputs:
        lower, upper = system.exact(leaf.lower), system.exact(leaf.upper)
        for element in place[leaf.name].flat if leaf.name in place else ():
            about = _rounded(element, FLOAT64, leaf.name)
            if system.compare("lt", element, lower) or system.compare("gt", element, upper):
                raise UsageError(
                    f"a point's value for {leaf.name}, about {about!r}, is outside the domain"
                    f" [{leaf.lower}, {leaf.upper}]; move it inside, or widen the domain"
                )


def describe(datum: Datum) -> str:
    """Where a datum comes from, in words."""
    match datum.source:
        case Inline():
            return "written in the catalog"
        case Generated(distribution=name, key=key, dtype=dtype):
            return f"jax.random.{name}, key {key}, {dtype}"
        case Linspace(start=start, stop=stop, dtype=dtype):
            return f"{'exact' if dtype is None else dtype} equidistant numbers from {start} to {stop}"
        case FromListing(listing=listing, variable=variable, path=path):
            return f"variable {variable}{''.join(f'[{key!r}]' for key in path)} of listing {listing}, as run"
