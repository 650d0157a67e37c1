"""The `entry` record: the mathematics of an entry, its points, and its numbers at the declared points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from verifier.arithmetic.elements import is_finite
from verifier.engine.data import describe
from verifier.engine.judging import SHOWN_COMPONENTS, Judging
from verifier.engine.numbers import Judged
from verifier.execution.observe import Observation
from verifier.execution.points import Point
from verifier.judge.text import truth_text
from verifier.model.catalog import At, Implementation, NestedText, Picture, Series, Text
from verifier.programs.components import component_count, component_names
from verifier.runs import records
from verifier.symbolic.display import derivative_latex, formula_latex, local_derivatives
from verifier.symbolic.formula import parse
from verifier.truth.workspace import Workspace

if TYPE_CHECKING:
    from verifier.engine.entry import Prepared

__all__ = ["entry_record", "failed_entry", "point_label"]

_PICTURE_BITS = 256
_LABEL_LENGTH = 60
_COLUMN_COMPONENTS = 16
_POINT_COMPONENTS = 16
_AUTODIFF = {0: ("value",), 1: ("grad", "jacrev"), 2: ("hessian",)}


def failed_entry(entry: Any, reason: str) -> records.Entry:
    """The record of an entry that could not be verified."""
    return records.Entry(entry=entry.id, title=entry.title, section=entry.section, status="FAILED", reason=reason)


def entry_record(
    prepared: Prepared,
    judging: Judging | None,
    points: Mapping[str, Sequence[Point]],
    observations: Sequence[Observation],
) -> records.Entry:
    """Everything about an entry but its verdicts and claims."""
    entry = prepared.entry
    return records.Entry(
        entry=entry.id,
        title=entry.title,
        section=entry.section,
        row=entry.row,
        note=entry.note,
        tags=entry.tags,
        value=None if entry.value is None else _formula(entry.value),
        implementation=None if entry.implementation is None else _implementation(entry.implementation),
        definitions=tuple(_definitions(prepared)),
        inputs=tuple(
            records.Input(name=each.name, shape=each.shape, domain=(str(each.lower), str(each.upper)))
            for each in entry.inputs
        ),
        data=tuple(_data(prepared)),
        derivatives=tuple(_derivatives(prepared, judging)),
        orders=tuple(sorted({0, *entry.orders})) if entry.value else (),
        components=_components(prepared, judging),
        points={dtype: tuple(_point(judging, each) for each in found) for dtype, found in points.items()},
        columns=tuple(_columns(judging, observations)) if judging else (),
        pictures=tuple(_picture(each, prepared.workspace) for each in entry.pictures),
    )


def point_label(at: At) -> str:
    """A declared point as written: `x = 2`; only the names where that would be long."""
    text = ", ".join(f"{leaf} = {_written(value)}" for leaf, value in at)
    return text if len(text) <= _LABEL_LENGTH else ", ".join(leaf for leaf, _ in at) + " as declared"


def _written(value: NestedText) -> str:
    return f"[{', '.join(map(_written, value))}]" if isinstance(value, tuple) else value.text


def _formula(text: Text) -> records.Formula:
    return records.Formula(text=text.text, latex=formula_latex(parse(text.text)))


def _implementation(program: Implementation) -> records.Implementation:
    return records.Implementation(
        module=program.module,
        function=program.function,
        arguments=tuple(each if isinstance(each, str) else repr(each) for each in program.arguments),
        options={name: repr(value) for name, value in program.options},
    )


def _definitions(prepared: Prepared) -> Iterator[records.Definition]:
    local = local_derivatives(prepared.definitions)
    for name, text in prepared.entry.definitions:
        own = tuple(records.Local(wrt=each.wrt, latex=each.latex) for each in local if each.definition == name)
        yield records.Definition(name=name, text=text.text, latex=formula_latex(parse(text.text)), local=own)


def _data(prepared: Prepared) -> Iterator[records.Datum]:
    for datum in prepared.entry.data:
        bits = tuple(_exact_text(number) for number in prepared.data[datum.name].flat)
        yield records.Datum(name=datum.name, shape=datum.shape, source=describe(datum), bits=bits)


def _exact_text(number: Any) -> str:
    """A float by its bits, a rational as it is."""
    return float(number).hex() if isinstance(number, float) else str(number)


def _derivatives(prepared: Prepared, judging: Judging | None) -> Iterator[records.Derivative]:
    for order in prepared.entry.orders if judging else ():
        assert judging is not None
        names = component_names(judging.signature, order)[:_COLUMN_COMPONENTS]
        for name, latex in zip(names, derivative_latex(prepared.definitions, order, len(names)), strict=False):
            if latex is not None:
                yield records.Derivative(order=order, component=name, latex=latex)


def _components(prepared: Prepared, judging: Judging | None) -> dict[str, records.Components]:
    if judging is None:
        return {}
    return {
        str(order): records.Components(
            count=component_count(judging.signature, order),
            names=component_names(judging.signature, order)[:SHOWN_COMPONENTS],
        )
        for order in sorted({0, *prepared.entry.orders})
    }


def _point(judging: Judging | None, point: Point) -> records.Point:
    assert judging is not None
    few = judging.signature.size <= _POINT_COMPONENTS
    leaves = zip(judging.signature.leaves, point.values, strict=True)
    inputs = {leaf.name: tuple(x.hex() for x in values) for leaf, values in leaves} if few else {}
    return records.Point(origin=point.origin, inputs=inputs, label=point.label)


def _columns(judging: Judging, observations: Sequence[Observation]) -> Iterator[records.Column]:
    """Truth, symbolic formula on the device and autodiff on the device at each declared point, first device only."""
    device = observations[0].device if observations else ""
    own = [each for each in observations if each.device == device and each.values is not None]
    for dtype in dict.fromkeys(each.dtype for each in own):
        for order in sorted({each.order for each in own}):
            symbolic = _first(own, dtype, order, ("symbolic",))
            autodiff = _first(own, dtype, order, _AUTODIFF.get(order, (f"grad{order}", f"jacrev{order}", "jet")))
            yield from _rows(judging, dtype, order, symbolic, autodiff)


def _first(
    observations: Sequence[Observation], dtype: str, order: int, transforms: tuple[str, ...]
) -> Observation | None:
    """The first of these programs that ran, jitted before batched."""
    for transform in transforms:
        for compilation in ("jit", "vmap"):
            for each in observations:
                if (each.dtype, each.order, each.program) == (dtype, order, f"{transform}/{compilation}"):
                    return each
    return None


def _rows(
    judging: Judging, dtype: str, order: int, symbolic: Observation | None, autodiff: Observation | None
) -> Iterator[records.Column]:
    numbers = [_indexed(judging, each) for each in (symbolic, autodiff)]
    reference = numbers[1] or numbers[0]
    names = component_names(judging.signature, order)
    for (point, component), number in reference.items():
        mine, theirs = (each.get((point, component)) for each in numbers)
        yield records.Column(
            dtype=dtype,
            point=point,
            label=judging.points[dtype][point].label,
            order=order,
            component=names[component],
            truth=truth_text(number.truth.value),
            symbolic=records.Measured(value=mine.value.hex(), ulps=mine.verdict.ulps) if mine else None,
            autodiff=_measured_by(autodiff, theirs),
        )


def _indexed(judging: Judging, observation: Observation | None) -> dict[tuple[int, int], Judged]:
    """The numbers at declared points, those of the first components."""
    if observation is None or observation.values is None:
        return {}
    components = range(min(_COLUMN_COMPONENTS, observation.values.shape[1]))
    return {
        (point, component): judging.number(observation, row, component)
        for row, point in enumerate(observation.points)
        if judging.points[observation.dtype][point].origin == "declared"
        for component in components
    }


def _measured_by(observation: Observation | None, number: Judged | None) -> records.MeasuredBy | None:
    if observation is None or number is None:
        return None
    return records.MeasuredBy(program=observation.program, value=number.value.hex(), ulps=number.verdict.ulps)


def _picture(picture: Picture, workspace: Workspace) -> records.Picture:
    return records.Picture(
        id=picture.id,
        title=picture.title,
        caption=picture.caption,
        x_label=picture.x_label,
        y_label=picture.y_label,
        series=tuple(_series(each, workspace) for each in picture.series),
    )


def _series(series: Series, workspace: Workspace) -> records.Series:
    arrays = {name: getattr(series, name) for name in ("x", "y", "z", "u", "v")}
    numbers = {name: _numbers(text, workspace) for name, text in arrays.items() if text is not None}
    return records.Series(kind=series.kind, label=series.label, **numbers)


def _numbers(text: Text, workspace: Workspace) -> Any:
    """The certified values of a formula as nested tuples of floats; null where there is no finite value."""
    return _nested(workspace.certified(_PICTURE_BITS).evaluate(text))


def _nested(array: Any) -> Any:
    if isinstance(array, np.ndarray):
        return tuple(_nested(row) for row in array) if array.ndim else _nested(array[()])
    return float(array.mid()) if is_finite(array) else None
