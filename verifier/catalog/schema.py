"""The catalog language as strict models: which keys there are, what each holds, and the JSON Schema that editors use.

Field names are the YAML keys with `_` for `-`; editors show the descriptions, and so do messages about missing keys.
What could not be read is BROKEN (see `fields.absorb`): the types here hold for a document without faults.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import CoreSchema, core_schema
from typing_extensions import TypeAliasType

from verifier.catalog.fields import (
    Cells,
    Constant,
    Flag,
    Formula,
    Identifier,
    Item,
    NameOrNumber,
    Printed,
    Prose,
    Rational,
    Reads,
    Step,
    Verbatim,
    choice,
    exactly_one,
    pattern,
    whole,
)
from verifier.catalog.parts import IDS, NAME, Part, may, names, need
from verifier.catalog.yaml_events import Mapping
from verifier.model.verdict import ClaimVerdict, NumberClass

__all__ = ["DTYPES", "FORMAT", "Document", "committed_schema", "json_schema", "schema_text"]

FORMAT = (1, 0)
"""The format that this reader knows: major and minor version."""

DTYPES = ("float64", "float32", "bfloat16", "float16")
_HARMLESS = (NumberClass.ACCURATE, NumberClass.VACUOUS, NumberClass.CONVENTION)
RULE_VERDICTS = ("WRONG", "INEXACT", "UNDEFINED", "UNDECIDED")
NUMBER_VERDICTS = tuple(str(each) for each in NumberClass if each not in _HARMLESS)
CLAIM_VERDICTS = (str(ClaimVerdict.REFUTED), str(ClaimVerdict.UNDECIDED))
MAX_RANK = 8
MAX_ORDER = 16

Length = Annotated[int, whole(1, 1_000_000)]
Order = Annotated[int, whole(0, MAX_ORDER)]
Samples = Annotated[int, whole(0, 100_000)]
Line = Annotated[int, whole(0, 100_000)]
Steps = Annotated[int, whole(1, 100_000)]
Seed = Annotated[int, whole(0, 2**32 - 1)]
Dtype = Annotated[str, choice(*DTYPES)]
LeafName = Annotated[str, pattern(rf"{NAME}(\.{NAME})*", "the name of an input, such as `x` or `params.w1`")]
Variable = Annotated[str, pattern("[A-Za-z_][A-Za-z0-9_]*", "a name of letters, digits and `_`, such as `h`")]
Shape = Annotated[list[Item[Length]], Field(max_length=MAX_RANK)]
Point = dict[str, Item[Cells]]
Formulas = dict[str, Item[Formula]]
Ends = Annotated[list[Item[Rational]], Field(min_length=2, max_length=2)]


class Section(Part):
    """A section of the source, with what in it has to be covered."""

    id: Identifier = need("a short id, by which entries and claims name the section")
    title: Prose = need("the section's heading, in the source's words")
    formulas: list[Item[Prose]] = may("the section's displayed formulas, as LaTeX", [])


class Source(Part):
    """What the catalog is about."""

    title: Prose = need("the title of the article, book or module")
    link: Prose | None = may("where it can be read")
    sections: list[Item[Section]] = need("its sections, in order", min_length=1)


class Listing(Part):
    """A code listing of the source; listings run in order in one namespace, like notebook cells."""

    id: Identifier = need("a short id, by which claims and data name the listing")
    section: Identifier = need("the id of the section where it stands")
    code: Verbatim = need("the code as printed, in a block after `|`")


class Leaf(Part):
    """One input: a scalar, or an array with a shape."""

    domain: Ends = need("`[lowest, highest]`: the values that every component may take, both included")
    shape: Shape = may("the lengths of its axes, `[2]` for a vector of two; a scalar without it", [])


def _leaf_or_group(node: Any) -> str:
    return (
        "<group>"
        if isinstance(node, Mapping) and node and not {"domain", "shape"} & set(node) and _nested(node)
        else "<leaf>"
    )


def _nested(node: Mapping) -> bool:
    return any(isinstance(value, Mapping) for value in node.values())


InputTree = TypeAliasType(
    "InputTree",
    Annotated[
        Annotated[Leaf, Tag("<leaf>")] | Annotated[dict[str, Item["InputTree"]], Field(min_length=1), Tag("<group>")],  # pyright: ignore (recursive)
        Discriminator(_leaf_or_group),
    ],
)


class Inline(Part):
    """An array written out, exactly."""

    values: Cells = need("the numbers, in lists nested like the array")
    shape: Shape | None = may("the lengths of its axes, checked against the values")


class NormalLaw(Part):
    """`jax.random.normal`."""

    key: Seed = need("the seed of `jax.random.PRNGKey`")
    dtype: Dtype = need("the type in which the numbers are drawn")


class UniformLaw(NormalLaw):
    """`jax.random.uniform`."""

    range: Ends = may("`[lowest, highest]`; 0 to 1 without it", [])


class Normal(Part):
    """Normal random numbers, drawn once."""

    normal: NormalLaw = need("`{key: 42, dtype: float32}`")
    shape: Shape = need("the lengths of its axes")


class Uniform(Part):
    """Uniform random numbers, drawn once."""

    uniform: UniformLaw = need("`{key: 0, dtype: float32, range: [-3, 3]}`")
    shape: Shape = need("the lengths of its axes")


class Linspace(Part):
    """Equidistant numbers: exact, or as `jnp.linspace` gives them in a dtype."""

    linspace: Ends = need("`[first, last]`, both included")
    shape: Annotated[Shape, Field(min_length=1)] = need("`[count]`")
    dtype: Dtype | None = may("the type of `jnp.linspace`; exact numbers without it")


class FromListing(Part):
    """The value that a listing's variable has when the listing has run as printed."""

    listing: Identifier = need("the id of the listing")
    variable: Variable = need("the variable's name in the listing")
    path: list[Item[Step]] = may("steps into nested lists and dicts: `[0, 1]` is `params[0][1]`", [])
    shape: Shape = need("the lengths of its axes")


DATA_KEYS = ("values", "normal", "uniform", "linspace", "listing")
CLAIM_KEYS = ("identity", "digits", "holds", "shape", "limit", "runs", "prints", "structure", "not-computable")


def _present(keys: tuple[str, ...]) -> Discriminator:
    return Discriminator(lambda node: next((key for key in node if key in keys), None))


Data = Annotated[
    Annotated[Inline, Tag("values")]
    | Annotated[Normal, Tag("normal")]
    | Annotated[Uniform, Tag("uniform")]
    | Annotated[Linspace, Tag("linspace")]
    | Annotated[FromListing, Tag("listing")],
    _present(DATA_KEYS),
    exactly_one("data", DATA_KEYS),
]


_DOTTED = r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*"
FunctionName = Annotated[
    str, pattern(rf"{_DOTTED}:[A-Za-z_][A-Za-z0-9_]*", "a module and a function of it, such as `jax.nn:relu`")
]


class ImplementationBody(Part):
    """A program that is to compute the value, and how it is called."""

    function: FunctionName = need("`module:function`, such as `jax.nn:gelu`")
    arguments: list[Item[NameOrNumber]] | None = may(
        "its positional arguments: names of inputs and of data, and numbers; the inputs in order without it"
    )
    options: dict[str, Item[Constant]] = may("its keyword arguments: `{approximate: false}`", {})


def _name_or_body(node: Any) -> str:
    return "<body>" if isinstance(node, Mapping) else "<name>"


Implementation = Annotated[
    Annotated[FunctionName, Tag("<name>")] | Annotated[ImplementationBody, Tag("<body>")], Discriminator(_name_or_body)
]


class Quantity(Part):
    """A derived array with a name, certified: a formula at a point, or at each row of `over`."""

    formula: Formula = need("what to compute, such as `D(value, w)`")
    at: Point = may("the point, `{x: 1}`", {})
    over: Formulas = may("`{w: w_points}`: the rows of this array, one after the other", {})


class Iteration(Part):
    """An exact iteration; quantity `name.x` holds the states of input x."""

    start: Point = need("the first state, `{x: 0}`")
    step: Formulas = need("`{x: formula}`: the next state, from the present one", min_length=1)
    count: Steps = need("how many steps")


class IdentityBody(Part):
    """`left == right` for all inputs of the domain, wherever both are defined."""

    left: Formula = need("one side")
    right: Formula = need("the other side")


class DigitsBody(Part):
    """A value to the digits printed."""

    formula: Formula = need("what was computed")
    printed: Printed = need("the digits as printed; lists for an array")
    exactly: Flag = may("whether the value must be met exactly, beyond the digits printed", False)


class HoldsBody(Part):
    """A statement that is true or false."""

    formula: Formula = need("a comparison, such as `abs(value) < 1`")
    for_all: list[Item[LeafName]] = may("the inputs for all of whose values it must be true", [])


class ShapeBody(Part):
    """The shape of a value."""

    formula: Formula = need("what has the shape, such as `D(value, v)`")
    is_: Shape = need("the lengths of its axes; `[]` for a scalar")


class LimitBody(Part):
    """A limit in one variable."""

    formula: Formula = need("what tends to a limit")
    variable: LeafName = need("the variable that moves")
    to: Formula = need("where it moves to, such as `0`")
    equals: Formula = need("the limit")


class RunsBody(Part):
    """The listing runs as printed."""

    listing: Identifier = need("the id of the listing")
    raises: Variable | None = may("the exception that the source says it raises")


class PrintsBody(Part):
    """What the listing prints."""

    listing: Identifier = need("the id of the listing")
    printed: Verbatim = need("the output as the source shows it")
    line: Line | None = may("which line of the output, from 0; all of it without the key")


class StructureBody(Part):
    """A statement about the listing's program text or its run."""

    listing: Identifier = need("the id of the listing")
    formula: Formula = need('facts about it, such as `calls("jax.grad")`')


def _formula_or_body(node: Any) -> str:
    return "<body>" if isinstance(node, Mapping) else "<formula>"


class ClaimPart(Part):
    """What every claim has."""

    id: Identifier = need("a short id, unique in the entry")
    says: Prose = need("the claim in the source's own words, in quotes")
    section: Identifier | None = may("where it stands; the entry's section without it")
    row: Identifier | None = may("the row of the cheat sheet that it covers")
    at: Point = may("the point at which it is decided, `{x: 1}`", {})
    reading: Prose | None = may("how the words are read as mathematics")
    explains: Prose | None = may("one sentence for a reader, shown when it is refuted")


class IdentityClaim(ClaimPart):
    identity: IdentityBody = need("`{left: formula, right: formula}`")


class DigitsClaim(ClaimPart):
    digits: DigitsBody = need("`{formula: value, printed: 0.7071}`")


class HoldsClaim(ClaimPart):
    holds: Annotated[
        Annotated[Formula, Tag("<formula>")] | Annotated[HoldsBody, Tag("<body>")], Discriminator(_formula_or_body)
    ] = need("a comparison, or `{formula: comparison, for-all: [x]}`")


class ShapeClaim(ClaimPart):
    shape: ShapeBody = need("`{formula: value, is: [2]}`")


class LimitClaim(ClaimPart):
    limit: LimitBody = need("`{formula: ..., variable: h, to: 0, equals: ...}`")


class RunsClaim(ClaimPart):
    runs: RunsBody = need("`{listing: id}`")


class PrintsClaim(ClaimPart):
    prints: PrintsBody = need("`{listing: id, printed: text}`")


class StructureClaim(ClaimPart):
    structure: StructureBody = need("`{listing: id, formula: facts}`")


class NotComputableClaim(ClaimPart):
    not_computable: Prose = need("why nothing computed can decide it")


Claim = Annotated[
    Annotated[IdentityClaim, Tag("identity")]
    | Annotated[DigitsClaim, Tag("digits")]
    | Annotated[HoldsClaim, Tag("holds")]
    | Annotated[ShapeClaim, Tag("shape")]
    | Annotated[LimitClaim, Tag("limit")]
    | Annotated[RunsClaim, Tag("runs")]
    | Annotated[PrintsClaim, Tag("prints")]
    | Annotated[StructureClaim, Tag("structure")]
    | Annotated[NotComputableClaim, Tag("not-computable")],
    _present(CLAIM_KEYS),
    exactly_one("a claim", CLAIM_KEYS),
]


class CurveSeries(Part):
    """A line through points, or the points."""

    kind: Annotated[str, choice("line", "points")] = need("`line`, `points`, `contour` or `arrows`")
    label: Prose | None = may("its name in the legend")
    x: Formula = need("the horizontal coordinates, a vector")
    y: Formula = need("the vertical coordinates, a vector of the same length")


class ContourSeries(CurveSeries):
    """Heights over a grid."""

    kind: Annotated[str, choice("contour")] = need("`contour`")
    z: Formula = need("the heights, one row for each y")


class ArrowsSeries(CurveSeries):
    """Arrows on a grid."""

    kind: Annotated[str, choice("arrows")] = need("`arrows`")
    u: Formula = need("the arrows' horizontal components, one row for each y")
    v: Formula = need("the arrows' vertical components, one row for each y")


def _series_kind(node: Any) -> str:
    kind = getattr(node.get("kind"), "text", "") if isinstance(node, Mapping) else ""
    return kind if kind in ("contour", "arrows") else "<curve>"


Series = Annotated[
    Annotated[CurveSeries, Tag("<curve>")]
    | Annotated[ContourSeries, Tag("contour")]
    | Annotated[ArrowsSeries, Tag("arrows")],
    Discriminator(_series_kind),
]


class Picture(Part):
    """A picture of the source, redrawn from verified values."""

    id: Identifier = need("a short id, unique in the entry")
    title: Prose = need("what it shows")
    caption: Prose | None = may("a sentence below it")
    x_label: Prose | None = may("the name of the horizontal axis")
    y_label: Prose | None = may("the name of the vertical axis")
    series: list[Item[Series]] = need("its layers", min_length=1)


_COMPONENT = r"(signed )?(value|(value )?d|value\[[0-9,]+\]( d)?)([0-9]*(/d[^*?]+| along signs))?"
_VERSION = r"(>=|<=|==|!=|<|>)[0-9]+(\.[0-9]+)*"
Program = Annotated[
    str, pattern("[a-z0-9-]+/(eager|jit|vmap|remat)", "a program such as `grad/jit`, without wildcards")
]
RuleProgram = Annotated[
    str, pattern("[a-z0-9-]+(/(vmap|remat))?", "a program such as `grad` or `grad/vmap`, without wildcards")
]
Component = Annotated[str, pattern(_COMPONENT, "a component such as `d/dx` or `value[1]`, without wildcards")]
Device = Annotated[str, pattern("[a-z]+:[0-9]+", "a device such as `cpu:0`, without wildcards")]
Versions = Annotated[str, pattern(rf"{_VERSION}(\s*,\s*{_VERSION})*", "versions such as `>=0.10,<0.12`")]


class AcknowledgedClaim(Part):
    """A claim whose verdict is known."""

    claim: Identifier = need("the id of a claim of this entry")
    verdict: Annotated[str, choice(*CLAIM_VERDICTS)] = need("the verdict that is known")
    reason: Prose = need("why it is so")
    link: Prose | None = may("where it is discussed")


class AcknowledgedNumber(Part):
    """Numbers whose verdict is known; every case is spelled out."""

    programs: list[Item[Program]] = need("`[grad/jit, grad/eager]`", min_length=1)
    order: Order = need("the order of the derivative")
    components: list[Item[Component]] = need('`["d/dx"]`', min_length=1)
    dtypes: list[Item[Dtype]] = need("`[float16]`", min_length=1)
    devices: list[Item[Device]] = need('`["cpu:0"]`', min_length=1)
    jax: Versions | None = may("the versions of JAX for which it is known; all without it")
    verdict: Annotated[str, choice(*NUMBER_VERDICTS)] = need("the verdict that is known")
    reason: Prose = need("why it is so")
    link: Prose | None = may("where it is discussed")


class AcknowledgedRule(Part):
    """Derivative rules whose verdict is known, whatever the device; every case is spelled out."""

    rules: list[Item[RuleProgram]] = need("`[grad, grad/vmap]`", min_length=1)
    order: Order = need("the order of the derivative")
    components: list[Item[Component]] = need('`["d/dx"]`', min_length=1)
    dtypes: list[Item[Dtype]] = need("`[float64]`: the dtypes whose programs were judged", min_length=1)
    jax: Versions | None = may("the versions of JAX for which it is known; all without it")
    verdict: Annotated[str, choice(*RULE_VERDICTS)] = need("the verdict that is known")
    reason: Prose = need("why it is so")
    link: Prose | None = may("where it is discussed")


def _acknowledged_kind(node: Any) -> str:
    keys = node if isinstance(node, Mapping) else ()
    return "<claim>" if "claim" in keys else "<rule>" if "rules" in keys else "<number>"


Acknowledgement = Annotated[
    Annotated[AcknowledgedClaim, Tag("<claim>")]
    | Annotated[AcknowledgedNumber, Tag("<number>")]
    | Annotated[AcknowledgedRule, Tag("<rule>")],
    Discriminator(_acknowledged_kind),
]


class Entry(Part):
    """One function of the source with everything that is verified about it."""

    title: Prose = need("what the entry is about")
    section: Identifier = need("the id of the section where it stands")
    row: Identifier | None = may("the row of the cheat sheet that it covers")
    note: Prose | None = may("a remark for readers of the report")
    tags: list[Item[Identifier]] = may("words to find it by", [])
    inputs: dict[str, Item[InputTree]] = names("the variables, `{x: {domain: [-10, 10]}}`")
    data: dict[str, Item[Data]] = names("named constant arrays")
    let: Formulas = names("definitions, each from those above it")
    value: Formula | None = may("the function's value")
    implementation: Implementation | None = may(
        "the program that is to compute the value, `jax.nn:relu`; run only with --allow-imports"
    )
    orders: list[Item[Order]] = may("the orders of derivatives to verify; 0, the value, is always included", [])
    points: list[Item[Point]] = may("points that must be among those verified, `[{x: 2}]`", [])
    samples: Samples = may("how many points of the domain to sample besides", 32)
    quantities: dict[str, Item[Quantity]] = names("derived arrays for claims and pictures")
    iterations: dict[str, Item[Iteration]] = names("exact iterations")
    claims: list[Item[Claim]] = may("what the source says about it", [])
    pictures: list[Item[Picture]] = may("the source's pictures of it", [])
    acknowledged: list[Item[Acknowledgement]] = may("findings that are known", [])


FORMAT_TEXT = Reads(
    lambda node: getattr(node, "text", ""), {"type": ["string", "number"], "pattern": rf"^{FORMAT[0]}\.[0-9]+$"}
)


class Document(Part):
    """A whole catalog."""

    format: Annotated[str, FORMAT_TEXT] = need(f'the format version, `"{FORMAT[0]}.{FORMAT[1]}"`')
    source: Source = need("what the catalog is about: `title` and `sections`")
    cheat_sheet: list[Item[Identifier]] = may("the ids of the rows of the source's cheat sheet", [])
    listings: list[Item[Listing]] = may("the source's code listings", [])
    entries: dict[str, Item[Entry]] = need(
        "the functions, each under its id", json_schema_extra={"propertyNames": {"pattern": f"^{IDS}$"}}
    )


class _Schema(GenerateJsonSchema):
    """pydantic's schema without the titles that only repeat the keys."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def nullable_schema(self, schema: core_schema.NullableSchema) -> dict[str, Any]:
        return self.generate_inner(schema["schema"])  # a key is left out, never null

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> dict[str, Any]:
        return self.generate_inner(schema["schema"])  # the descriptions say what holds without the key

    def generate(self, schema: CoreSchema, mode: Any = "validation") -> dict[str, Any]:
        return {"$schema": self.schema_dialect, **super().generate(schema, mode)}


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the YAML surface, for editors; it cannot know what formulas mean."""
    schema = Document.model_json_schema(schema_generator=_Schema)
    return {**schema, "title": "Catalog of the derivative verifier"}


def committed_schema() -> str:
    """The schema as it is committed beside this file."""
    return (Path(__file__).parent / "schema.json").read_text(encoding="utf-8")


def schema_text() -> str:
    """The schema as a file's text."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
