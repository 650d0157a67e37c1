"""A faultless document to the frozen model of `verifier.model.catalog`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from verifier.catalog import schema
from verifier.catalog.fields import formula_text, is_name, number
from verifier.catalog.formulas import Vocabulary
from verifier.catalog.shapes import leaves
from verifier.catalog.yaml_events import Scalar
from verifier.model import catalog as model

__all__ = ["catalog_of"]


def catalog_of(
    document: schema.Document, vocabularies: Mapping[str, Vocabulary], file: str, digest: str
) -> model.Catalog:
    """The catalog of a document without faults; `vocabularies` hold the shapes of each entry's data."""
    return model.Catalog(
        file=file,
        format=document.format,
        digest=digest,
        source=_source(document.source),
        listings=tuple(_listing(each) for each in document.listings),
        cheat_sheet=tuple(document.cheat_sheet),
        entries=tuple(
            _entry(name, entry, vocabularies[name], document.node["entries"].keys_at[name])  # type: ignore[union-attr]
            for name, entry in document.entries.items()
        ),
    )


def _source(part: schema.Source) -> model.Source:
    return model.Source(
        title=part.title, link=part.link or "", sections=tuple(_section(each) for each in part.sections)
    )


def _section(part: schema.Section) -> model.Section:
    return model.Section(id=part.id, title=part.title, formulas=tuple(part.formulas), position=part.position)


def _listing(part: schema.Listing) -> model.Listing:
    return model.Listing(id=part.id, section=part.section, code=part.code, position=part.position)


def _entry(name: str, part: schema.Entry, vocabulary: Vocabulary, position: model.Position) -> model.Entry:
    return model.Entry(
        id=name,
        title=part.title,
        section=part.section,
        note=part.note or "",
        tags=tuple(part.tags),
        inputs=tuple(_input(leaf, each) for leaf, each in leaves(part.inputs)),
        data=tuple(_datum(each, data, vocabulary) for each, data in part.data.items()),
        definitions=tuple((each, _text(formula)) for each, formula in part.let.items()),
        value=None if part.value is None else _text(part.value),
        implementation=_implementation(part),
        orders=tuple(part.orders),
        points=tuple(_at(point) for point in part.points),
        samples=part.samples,
        quantities=tuple(_quantity(each, quantity) for each, quantity in part.quantities.items()),
        iterations=tuple(_iteration(each, iteration) for each, iteration in part.iterations.items()),
        claims=tuple(_claim(claim, part.section) for claim in part.claims),
        pictures=tuple(_picture(picture) for picture in part.pictures),
        acknowledged=tuple(_acknowledgement(each) for each in part.acknowledged),
        row=part.row,
        position=position,
    )


def _text(node: Scalar) -> model.Text:
    return model.Text(formula_text(node), node.starts)


def _nested(value: Any) -> model.NestedText:
    return tuple(_nested(item) for item in value) if isinstance(value, list) else _text(value)


def _at(point: Mapping[str, Any]) -> model.At:
    return tuple((name, _nested(value)) for name, value in point.items())


def _formulas(mapping: Mapping[str, Scalar]) -> tuple[tuple[str, model.Text], ...]:
    return tuple((name, _text(node)) for name, node in mapping.items())


def _input(name: str, leaf: Any) -> model.Input:
    lower, upper = leaf.domain
    return model.Input(name=name, shape=tuple(leaf.shape), lower=lower, upper=upper)


def _datum(name: str, part: Any, vocabulary: Vocabulary) -> model.Datum:
    shape = vocabulary.of_kind("data")[name]
    return model.Datum(name=name, shape=shape, source=_data_source(part), position=part.position)


def _data_source(part: Any) -> model.Inline | model.Generated | model.Linspace | model.FromListing:
    match part:
        case schema.Inline():
            return model.Inline(values=_nested(part.values))
        case schema.Normal():
            return model.Generated(distribution="normal", key=part.normal.key, dtype=part.normal.dtype)
        case schema.Uniform(uniform=law):
            lower, upper = law.range or (Fraction(0), Fraction(1))
            return model.Generated(distribution="uniform", key=law.key, dtype=law.dtype, lower=lower, upper=upper)
        case schema.Linspace(linspace=[start, stop]):
            return model.Linspace(start=start, stop=stop, dtype=part.dtype)
    return model.FromListing(listing=part.listing, variable=part.variable, path=tuple(part.path))


def _implementation(part: schema.Entry) -> model.Implementation | None:
    body = part.implementation
    if body is None:
        return None
    is_plain = isinstance(body, str)
    module, _, function = (body if is_plain else body.function).partition(":")
    given = None if is_plain else body.arguments
    roots = tuple(dict.fromkeys(name.partition(".")[0] for name, _ in leaves(part.inputs)))
    return model.Implementation(
        module=module,
        function=function,
        arguments=roots if given is None else tuple(_argument(each) for each in given),
        options=() if is_plain else tuple(body.options.items()),
        position=part.node["implementation"].position,
    )


def _argument(node: Scalar) -> str | int | float:
    return node.text if is_name(node) else number(node)


def _quantity(name: str, part: schema.Quantity) -> model.Quantity:
    return model.Quantity(name=name, formula=_text(part.formula), at=_at(part.at), over=_formulas(part.over))


def _iteration(name: str, part: schema.Iteration) -> model.Iteration:
    return model.Iteration(name=name, start=_at(part.start), step=_formulas(part.step), count=part.count)


def _claim(part: schema.ClaimPart, section: str) -> model.Claim:
    return model.Claim(
        id=part.id,
        says=part.says,
        section=part.section or section,
        decision=_DECISIONS[type(part)](part),
        at=_at(part.at),
        reading=part.reading or "",
        explains=part.explains or "",
        row=part.row,
        position=part.position,
    )


def _holds(claim: schema.HoldsClaim) -> model.Holds:
    if isinstance(claim.holds, Scalar):
        return model.Holds(formula=_text(claim.holds))
    return model.Holds(formula=_text(claim.holds.formula), for_all=tuple(claim.holds.for_all))


def _digits(body: schema.DigitsBody) -> model.Digits:
    return model.Digits(formula=_text(body.formula), printed=_nested(body.printed), exactly=body.exactly)


def _limit(body: schema.LimitBody) -> model.Limit:
    return model.Limit(
        formula=_text(body.formula), variable=body.variable, to=_text(body.to), equals=_text(body.equals)
    )


# The kind of claim -> what decides it.
_DECISIONS: dict[type, Callable[[Any], model.Decision]] = {
    schema.IdentityClaim: lambda c: model.Identity(left=_text(c.identity.left), right=_text(c.identity.right)),
    schema.DigitsClaim: lambda c: _digits(c.digits),
    schema.HoldsClaim: _holds,
    schema.ShapeClaim: lambda c: model.ShapeIs(formula=_text(c.shape.formula), shape=tuple(c.shape.is_)),
    schema.LimitClaim: lambda c: _limit(c.limit),
    schema.RunsClaim: lambda c: model.ListingRuns(listing=c.runs.listing, raises=c.runs.raises),
    schema.PrintsClaim: lambda c: model.ListingOutput(
        listing=c.prints.listing, printed=c.prints.printed, line=c.prints.line
    ),
    schema.StructureClaim: lambda c: model.ListingStructure(
        listing=c.structure.listing, formula=_text(c.structure.formula)
    ),
    schema.NotComputableClaim: lambda c: model.NotComputable(reason=c.not_computable),
}


def _picture(part: schema.Picture) -> model.Picture:
    return model.Picture(
        id=part.id,
        title=part.title,
        caption=part.caption or "",
        x_label=part.x_label or "",
        y_label=part.y_label or "",
        series=tuple(_series(each) for each in part.series),
        position=part.position,
    )


def _series(part: schema.CurveSeries) -> model.Series:
    rows = {key: _text(getattr(part, key)) for key in ("z", "u", "v") if hasattr(part, key)}
    return model.Series(kind=part.kind, label=part.label or "", x=_text(part.x), y=_text(part.y), **rows)


def _acknowledgement(part: Any) -> model.Acknowledgement:
    common = {"verdict": part.verdict, "reason": part.reason, "link": part.link or "", "position": part.position}
    if isinstance(part, schema.AcknowledgedClaim):
        return model.Acknowledgement(claim=part.claim, **common)
    if isinstance(part, schema.AcknowledgedRule):
        common |= {"rules": tuple(part.rules)}
    else:
        common |= {"programs": tuple(part.programs), "devices": tuple(part.devices)}
    return model.Acknowledgement(
        order=part.order,
        components=tuple(part.components),
        dtypes=tuple(part.dtypes),
        jax=part.jax or "",
        **common,
    )
