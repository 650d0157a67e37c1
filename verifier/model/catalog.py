"""A catalog as read: entries, the source's claims about them, and nothing computed yet.

Numbers stay exact: a decimal literal `0.1` is `Fraction(1, 10)`. Formulas stay text with their position; `symbolic`
reads them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction

__all__ = [
    "Acknowledgement",
    "At",
    "Catalog",
    "Claim",
    "Constant",
    "Datum",
    "Decision",
    "Digits",
    "Entry",
    "FromListing",
    "Generated",
    "Holds",
    "Identity",
    "Implementation",
    "Inline",
    "Input",
    "Iteration",
    "Limit",
    "Linspace",
    "Listing",
    "ListingOutput",
    "ListingRuns",
    "ListingStructure",
    "NestedText",
    "NotComputable",
    "Picture",
    "Position",
    "Quantity",
    "Section",
    "Series",
    "Shape",
    "ShapeIs",
    "Source",
    "Text",
]

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where something stands in a file: 1-based line and column."""

    file: str = "<none>"
    line: int = 1
    column: int = 1


@dataclass(frozen=True, slots=True)
class Text:
    """A formula's text and where its first character stands."""

    text: str
    position: Position = field(default=Position(), compare=False)

    def __str__(self) -> str:
        return self.text


# A number of a point or an inline array as written: a constant formula, or (nested) tuples of them.
NestedText = Text | tuple["NestedText", ...]

# A point: for each input leaf (dotted name) its value.
At = tuple[tuple[str, NestedText], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section of the source, with what in it has to be covered."""

    id: str
    title: str
    formulas: tuple[str, ...] = ()
    """The section's displayed formulas, in the source's words (LaTeX); covered through entries and claims that name
    the section.
    """
    position: Position = field(default=Position(), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A code listing of the source, as printed. Listings run in catalog order in one namespace, like notebook cells."""

    id: str
    section: str
    code: str
    position: Position = field(default=Position(), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What the catalog is about: an article, a book, a module."""

    title: str
    link: str = ""
    sections: tuple[Section, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One input leaf. `name` is dotted for a nested structure (`params.w1`); its first part names the argument."""

    name: str
    shape: Shape = ()
    lower: Fraction
    upper: Fraction
    """The domain, the same for every component: lower <= x <= upper, finite."""

    @property
    def size(self) -> int:
        """How many components the leaf has."""
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inline:
    """An array written in the catalog, exactly: constant formulas, nested like the shape."""

    values: NestedText


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """`jax.random` normal or uniform numbers, drawn once on CPU in `dtype` from `jax.random.PRNGKey(key)`."""

    distribution: str  # "normal" | "uniform"
    key: int
    dtype: str  # "float32" | "float64" | ...
    lower: Fraction = Fraction(0)
    upper: Fraction = Fraction(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Linspace:
    """`count` equidistant exact rationals from `start` to `stop`, both included; or `jnp.linspace` when `dtype` is
    given.
    """

    start: Fraction
    stop: Fraction
    dtype: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FromListing:
    """The value that a listing's variable has when the listing ends: its exact bits, run once on CPU as printed.

    `path` selects inside nested lists, tuples and dicts: `params[0][1]` is variable `params`, path (0, 1).
    """

    listing: str
    variable: str
    path: tuple[int | str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Datum:
    """A named constant array of an entry."""

    name: str
    shape: Shape
    source: Inline | Generated | Linspace | FromListing
    position: Position = field(default=Position(), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A named, derived array, certified in balls: `formula` at a point, or at each row of `over` stacked along a
    new first axis.
    """

    name: str
    formula: Text
    at: At = ()
    over: tuple[tuple[str, Text], ...] = ()
    """Input leaf -> formula of an array whose first axis runs over the points (an input name -> name of data or
    quantity).
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Iteration:
    """An exact iteration. Quantity `name.x` holds the trajectory of input leaf x: `count + 1` states along the
    first axis.
    """

    name: str
    start: At
    step: tuple[tuple[str, Text], ...]
    """Input leaf -> formula of its next value, from the present inputs, data, definitions, `value` and `D(...)`."""
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """`left == right` for all inputs in the domain where both are defined: proved symbolically, or refuted by a
    certified counterexample, or by a piece of the domain where only one of them is a number.
    """

    left: Text
    right: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Digits:
    """The value of `formula` (at the claim's point) is `printed`, to the digits printed: |value - printed| <= half
    of its last digit.

    A whole number printed without an exponent must be met exactly, and any number with `exactly: true`.
    """

    formula: Text
    printed: NestedText
    exactly: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Holds:
    """A scalar boolean formula is true: at the claim's point; or for every value of the `for_all` inputs over their
    domains.
    """

    formula: Text
    for_all: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeIs:
    """The formula's value has this shape; of the mathematics and of the JAX program alike."""

    formula: Text
    shape: Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """`formula` tends to `equals` as `variable` tends to `to`, for all values of the other inputs."""

    formula: Text
    variable: str
    to: Text
    equals: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingRuns:
    """The listing runs as printed: every name is defined, nothing raises. `raises` states the exception that is
    claimed instead.
    """

    listing: str
    raises: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingOutput:
    """What the listing prints: line `line` (0-based; all lines when None) equals `printed` after folding white
    space.
    """

    listing: str
    printed: str
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingStructure:
    """A statement about the listing's program text or what running it showed, as a boolean formula over these facts.

    See `programs.listing_facts` for the facts: `calls("jax.grad")`, `random("params")`, `code_lines()`, ...
    """

    listing: str
    formula: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class NotComputable:
    """Nothing computed decides it; the reason says why. Listed, never counted as confirmed."""

    reason: str


Decision = Identity | Digits | Holds | ShapeIs | Limit | ListingRuns | ListingOutput | ListingStructure | NotComputable


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A statement of the source that can be true or false, in its own words, with what decides it."""

    id: str
    says: str
    section: str
    decision: Decision
    at: At = ()
    reading: str = ""
    """How the words are read as mathematics, where that is not obvious."""
    explains: str = ""
    """One sentence for a reader, shown when the claim is refuted: why, in terms that a teacher understands."""
    row: str | None = None
    """The row of a cheat sheet that this claim covers."""
    position: Position = field(default=Position(), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One layer of a picture. Every array is the name of data or a quantity, or a formula over them."""

    kind: str  # "line" | "points" | "contour" | "arrows"
    label: str = ""
    x: Text
    y: Text
    z: Text | None = None
    """contour: the heights, shape (len(y), len(x))."""
    u: Text | None = None
    v: Text | None = None
    """arrows: their components, shape (len(y), len(x))."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture of the source, redrawn from verified values."""

    id: str
    title: str
    caption: str = ""
    x_label: str = ""
    y_label: str = ""
    series: tuple[Series, ...]
    position: Position = field(default=Position(), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """A finding that is known: shown and counted, but it does not fail the run. No wildcards; a worse verdict is a
    new finding.

    Either `claim` is set, or `order`, `components` and `dtypes` with `programs` and `devices` (a number) or `rules`
    (programs whose rule is judged, which no device enters): each case in full.
    """

    verdict: str
    reason: str
    link: str = ""
    claim: str | None = None
    programs: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    order: int | None = None
    components: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    jax: str = ""
    """A version range such as `>=0.10,<0.12`; empty for every version."""
    position: Position = field(default=Position(), compare=False)


# A constant that a program is called with.
Constant = bool | int | float | str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Implementation:
    """A program that is to compute an entry's value: `function` of `module`, called with the entry's inputs."""

    module: str
    function: str
    arguments: tuple[str | int | float, ...]
    """The positional arguments: text is the name of a top-level input or of data, a number is itself."""
    options: tuple[tuple[str, Constant], ...] = ()
    """The keyword arguments."""
    position: Position = field(default=Position(), compare=False)

    @property
    def name(self) -> str:
        """`module:function`."""
        return f"{self.module}:{self.function}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One function of a catalog with everything that is to be verified about it."""

    id: str
    title: str
    section: str
    note: str = ""
    tags: tuple[str, ...] = ()
    inputs: tuple[Input, ...] = ()
    data: tuple[Datum, ...] = ()
    definitions: tuple[tuple[str, Text], ...] = ()
    """The `let` chain, in order."""
    value: Text | None = None
    """None for an entry that only carries claims."""
    implementation: Implementation | None = None
    """The program that is run and differentiated in the formula's place; the formula stays what it is judged against.
    """
    orders: tuple[int, ...] = ()
    points: tuple[At, ...] = ()
    samples: int = 32
    """How many points of the domain to sample, besides declared and special ones."""
    quantities: tuple[Quantity, ...] = ()
    iterations: tuple[Iteration, ...] = ()
    claims: tuple[Claim, ...] = ()
    pictures: tuple[Picture, ...] = ()
    acknowledged: tuple[Acknowledgement, ...] = ()
    row: str | None = None
    """The row of a cheat sheet that this entry covers."""
    position: Position = field(default=Position(), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """A whole catalog. `digest` is the SHA-256 of the file's bytes."""

    file: str
    format: str
    digest: str
    source: Source
    listings: tuple[Listing, ...] = ()
    cheat_sheet: tuple[str, ...] = ()
    """The rows of the source's cheat sheet; entries and claims name the row that they cover."""
    entries: tuple[Entry, ...] = ()
