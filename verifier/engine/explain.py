"""One entry in words: its mathematics, and its derivative programs equation by equation with their local errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from verifier.arithmetic.digits import decimal
from verifier.arithmetic.floats import FORMATS
from verifier.catalog.reader import read
from verifier.coverage.source import up_to
from verifier.engine.data import declared_point
from verifier.engine.describe import point_label
from verifier.engine.entry import Prepared, prepare
from verifier.engine.followed import Followed, Programs
from verifier.engine.program import program_of
from verifier.errors import UsageError
from verifier.execution.dtypes import exact
from verifier.model.catalog import At, FromListing, Text
from verifier.programs.components import Signature, component_names, directions, signature_of
from verifier.programs.listing import run_listings
from verifier.programs.listing_facts import check_structure
from verifier.programs.modes import row_of
from verifier.programs.one_equation import EquationRuns
from verifier.programs.opaque import run_concretely
from verifier.symbolic.display import derivative_text, local_derivatives
from verifier.truth.steps import Local, steps

__all__ = ["explained"]

_MOST_EQUATIONS = 400
_WIDTH = 56
_SHORT = 24
_DIGITS = 16
_DEFAULTS = {0: "value", 1: "jacrev", 2: "hessian"}
"""The program of an order that is explained unless others are named."""


def explained(
    path: Path,
    name: str,
    *,
    at: Sequence[str] = (),
    dtype: str = "float32",
    orders: Sequence[int] = (1,),
    programs: Sequence[str] = (),
) -> str:
    """The explanation of a catalog's entry as text; `at` are NAME=VALUE, by default the entry's first declared point.

    Raises UsageError for an entry, point or program that there is not.
    """
    prepared = _prepared(path, name)
    if prepared.entry.value is None:
        raise UsageError(f"the entry {name} carries claims only; there is no function to explain")
    place = _point(prepared, at)
    lines = [prepared.entry.title, "", *_mathematics(prepared)]
    for order in orders:
        lines += ["", *_programs(prepared, place, dtype, order, programs)]
    return "\n".join(lines)


def _prepared(path: Path, name: str) -> Prepared:
    catalog = read(path, check_structure=check_structure)
    known = {entry.id: entry for entry in catalog.entries}
    if name not in known:
        raise UsageError(f"{path} has no entry {name}; it has {', '.join(sorted(known))}")
    sources = {datum.source.listing for datum in known[name].data if isinstance(datum.source, FromListing)}
    return prepare(known[name], {run.id: run for run in run_listings(up_to(catalog.listings, sources))})


def _point(prepared: Prepared, at: Sequence[str]) -> At:
    entry = prepared.entry
    if not at:
        if not entry.points:
            raise UsageError(f"the entry {entry.id} declares no point; give one with --at NAME=VALUE")
        return entry.points[0]
    pairs = [each.partition("=") for each in at]
    known = {leaf.name for leaf in entry.inputs}
    wrong = [left for left, _, right in pairs if left not in known or not right]
    if wrong:
        raise UsageError(f"--at {wrong[0]}: expected NAME=VALUE with one of the inputs {', '.join(sorted(known))}")
    given = {left: right for left, _, right in pairs}
    if len(given) < len(pairs):
        raise UsageError(f"--at {' --at '.join(at)}: an input is given more than once; keep one value for each")
    for left, right in given.items():
        wanted, shape = prepared.workspace.input_shape(left), prepared.definitions.shape(right)
        if shape != wanted:
            raise UsageError(f"--at {left}={right}: {left} has shape {list(wanted)}, this has {list(shape)}")
    return tuple((left, Text(right)) for left, right in given.items())


def _mathematics(prepared: Prepared) -> Iterator[str]:
    entry = prepared.entry
    assert entry.value is not None
    for leaf in entry.inputs:
        shape = f", shape {list(leaf.shape)}" if leaf.shape else ""
        yield f"{leaf.name} in [{leaf.lower}, {leaf.upper}]{shape}"
    local = local_derivatives(prepared.definitions)
    for defined, text in entry.definitions:
        yield f"{defined} = {text.text}"
        for each in local:
            if each.definition == defined:
                yield f"    local derivative by {each.wrt}: {each.text}"
    yield f"value = {entry.value.text}"
    for order in entry.orders:
        names = component_names(_signature(prepared), order)
        for component, text in zip(names, derivative_text(prepared.definitions, order), strict=False):
            yield f"{component} = {text or 'too large to be shown'}"


def _programs(prepared: Prepared, at: At, dtype: str, order: int, chosen: Sequence[str]) -> Iterator[str]:
    signature = _signature(prepared)
    programs = Programs(
        signature=signature,
        signs=directions(signature, seed=0, entry=prepared.entry.id),
        function=program_of(prepared.entry, prepared.definitions),
        data=prepared.data,
        dtype=dtype,
    )
    is_scalar = not prepared.definitions.nodes["value"].shape
    default = "grad" if order == 1 and is_scalar else _DEFAULTS.get(order, f"jacfwd{order}")
    leaves = zip(signature.leaves, declared_point(at, prepared.workspace, FORMATS[dtype]), strict=True)
    place = [exact(values, leaf.shape, dtype) for leaf, values in leaves]
    for name in chosen or (default,):
        if row_of(name, order) is None:
            raise UsageError(
                f"there is no program {name} of order {order}; name one such as grad, jacfwd, jacrev or hessian"
            )
        yield f"{name} of order {order} in {dtype} at {point_label(at)}"
        traced = programs.traced(Followed(order=order, transform=name, style="eager"))
        if isinstance(traced, str):
            yield f"  {traced}"
        else:
            found = steps(traced.jaxpr, place, run=EquationRuns(), concrete=run_concretely)
            yield from _table(found)


def _signature(prepared: Prepared) -> Signature:
    return signature_of(prepared.entry.inputs, prepared.definitions.nodes["value"].shape)


def _table(found: Sequence[Local]) -> Iterator[str]:
    """An equation a line, its result named by its number; the worst local loss is marked."""
    worst = max((each.bits or 0.0 for each in found), default=0.0)
    yield f"  {'equation':<{_WIDTH}} {'exact result':<24} {'ulps':>9} {'bits lost':>9}"
    names: dict[Any, str] = {}
    for number, each in enumerate(found[:_MOST_EQUATIONS], start=1):
        text = f"{number:>3} = {_equation(each.equation, names)}"
        names |= {variable: str(number) for variable in each.equation.outvars}
        mark = "  <- loses most" if worst and each.bits == worst else ""
        yield (
            f"  {_cut(text):<{_WIDTH}} {_value(each.exact):<24} {_number(each.ulps):>9} {_number(each.bits):>9}{mark}"
        ).rstrip()
    if len(found) > _MOST_EQUATIONS:
        yield f"  and {len(found) - _MOST_EQUATIONS} more equations"


def _equation(equation: Any, names: Mapping[Any, str]) -> str:
    """The primitive and its operands: earlier results by number, literals as they are, arguments as `·`."""
    operands = [_operand(each, names) for each in equation.invars]
    options = ", ".join(f"{key}={value}" for key, value in equation.params.items() if value is not None)
    shown = f"[{options}]" if options and len(options) <= _SHORT else ""
    shape = "".join(f"[{','.join(map(str, each.aval.shape))}]" for each in equation.outvars[:1] if each.aval.shape)
    return f"{equation.primitive.name}{shown} {' '.join(operands)}{f'  {shape}' if shape else ''}"


def _operand(operand: Any, names: Mapping[Any, str]) -> str:
    if hasattr(operand, "val"):
        return str(operand.val)
    return f"({names[operand]})" if operand in names else "·"


def _cut(text: str) -> str:
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"


def _value(element: Any) -> str:
    """An exact number to some digits; decisions and whole numbers as they are."""
    if element is None:
        return ""
    return str(element) if isinstance(element, (bool, int, np.generic)) else decimal(element, _DIGITS)


def _number(measured: float | None) -> str:
    return "" if measured is None else "0" if not measured else f"{measured:.3g}"
