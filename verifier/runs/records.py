"""The records of a run file, format 1.1: a frozen dataclass per record kind, documented by field in docs/run-file.md.

Floats that are values travel as `float.hex()` text and are exact; measurements (ulps, bits, seconds) are JSON numbers,
null where they are not finite or not known. Arrays are tuples, objects with free keys are read-only mappings.
"""

from __future__ import annotations

import copyreg
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar

__all__ = [
    "FORMAT",
    "KINDS",
    "SHOWN_ENTRIES",
    "Acknowledged",
    "Blame",
    "CatalogOf",
    "Cell",
    "Claim",
    "Column",
    "Components",
    "Coverage",
    "Datum",
    "Decision",
    "Definition",
    "Derivative",
    "Device",
    "End",
    "Entry",
    "Exercised",
    "Formula",
    "Header",
    "Implementation",
    "Input",
    "Listing",
    "Local",
    "Machine",
    "Measured",
    "MeasuredBy",
    "NonGoals",
    "Options",
    "Part",
    "Picture",
    "Point",
    "Provenance",
    "Record",
    "RowCoverage",
    "Rule",
    "RuleCoverage",
    "RuleTable",
    "RuleWorst",
    "Section",
    "SectionCoverage",
    "Series",
    "Skipped",
    "Verdict",
    "Witness",
    "Worst",
    "one_component",
]

FORMAT = "1.1"
"""Readers accept every minor version of their major one; fields are only ever added within a major version."""

SHOWN_ENTRIES = 5
"""How many entries a rule's coverage names."""

NO_MAPPING: Mapping[str, Any] = MappingProxyType({})

# Records travel between processes; a read-only view pickles as a view of a copy.
copyreg.pickle(MappingProxyType, lambda view: (_read_only, (dict(view),)))  # pyright: ignore[reportArgumentType]


def _read_only(content: dict[str, Any]) -> Mapping[str, Any]:
    """Pickles by its name, as the type of views cannot: that is no name of `builtins`."""
    return MappingProxyType(content)


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogOf:
    """The catalog that was verified; `digest` is the SHA-256 of its bytes, `file` its base name."""

    title: str
    link: str = ""
    file: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the run was asked for; None means everything that was found."""

    dtypes: tuple[str, ...] | None = None
    devices: tuple[str, ...] | None = None
    programs: tuple[str, ...] | None = None
    full: bool = False
    samples: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section of the source with its displayed formulas, as LaTeX."""

    id: str
    title: str
    formulas: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A code listing of the source, as printed there."""

    id: str
    section: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The first record: what was verified and how it was asked for."""

    KIND: ClassVar[str] = "header"
    format: str
    catalog: CatalogOf
    seed: int = 0
    options: Options = Options()
    sections: tuple[Section, ...] = ()
    listings: tuple[Listing, ...] = ()
    cheat_sheet: tuple[str, ...] = ()
    lines: Mapping[str, int] = field(default_factory=lambda: NO_MAPPING)
    """`entry` or `entry.claim` -> its line in the catalog file, for tools that point at it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The machine, without anything that names it."""

    system: str = ""
    processor: str = ""
    cores: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A device that programs ran on; `kind` is the backend's own name for it."""

    name: str
    platform: str = ""
    kind: str = ""
    flushes_subnormals: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """Workers of a cluster on machines of one kind, and how many tasks they did; nothing names them."""

    machine: Machine = Machine()
    tasks: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Versions, machine and times of one run."""

    versions: Mapping[str, str] = field(default_factory=lambda: NO_MAPPING)
    machine: Machine = Machine()
    devices: tuple[Device, ...] = ()
    started: str = ""
    seconds: float | None = None
    entries: Mapping[str, float | None] = field(default_factory=lambda: NO_MAPPING)
    """Entry id -> seconds."""
    reused: tuple[str, ...] = ()
    """Entries whose records are an earlier run's, from the cache."""
    resumed: tuple[str, ...] = ()
    """Entries whose records were in the journal of this run before it was continued."""
    workers: tuple[Worker, ...] = ()
    """The workers of a cluster that took part; empty where the run stayed on one machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance(Part):
    """The only record that may differ between two runs of one command and seed."""

    KIND: ClassVar[str] = "provenance"
    parts: tuple[Part, ...] = ()
    """Of a merged run, the provenance of each run that it was made of, with that run's own names of devices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """A formula as written in the catalog and as LaTeX."""

    text: str
    latex: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """The local derivative of a definition by one name that it uses; `latex` is the whole equation."""

    wrt: str
    latex: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One link of the `let` chain, with its local derivatives."""

    name: str
    text: str
    latex: str = ""
    local: tuple[Local, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One input leaf; `domain` holds the exact texts of its ends, both included."""

    name: str
    shape: tuple[int, ...] = ()
    domain: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Datum:
    """A constant array: where it comes from in words, and its exact bits in C order."""

    name: str
    shape: tuple[int, ...] = ()
    source: str = ""
    bits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivative:
    """The symbolic derivative of one component at one order, as LaTeX."""

    order: int
    component: str
    latex: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Components:
    """How many components a derivative has, and the names of the first 64."""

    count: int
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A point of the domain; `inputs` maps input leaf -> exact values, empty above 16 components."""

    origin: str
    inputs: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: NO_MAPPING)
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A number that a device computed, exactly, and its error in ulps."""

    value: str
    ulps: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredBy:
    """As `Measured`, with the program that computed it."""

    program: str
    value: str
    ulps: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """The three columns at a declared point: certified truth, symbolic formula and autodiff on the device."""

    dtype: str
    point: int
    label: str = ""
    order: int
    component: str
    truth: str
    symbolic: Measured | None = None
    autodiff: MeasuredBy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One layer of a picture: `line`, `points`, `contour` (z of shape (len(y), len(x))) or `arrows` (u, v likewise)."""

    kind: str
    label: str = ""
    x: tuple[Any, ...] = ()
    y: tuple[Any, ...] = ()
    z: tuple[Any, ...] | None = None
    u: tuple[Any, ...] | None = None
    v: tuple[Any, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture of the source, redrawn from verified values."""

    id: str
    title: str
    caption: str = ""
    x_label: str = ""
    y_label: str = ""
    series: tuple[Series, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Implementation:
    """The program that stands for a formula: `function` of `module`; arguments and options as Python writes them."""

    module: str
    function: str
    arguments: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=lambda: NO_MAPPING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One function of the catalog: its mathematics, its points, its numbers at the declared points."""

    KIND: ClassVar[str] = "entry"
    entry: str
    title: str
    section: str
    row: str | None = None
    note: str = ""
    tags: tuple[str, ...] = ()
    status: str = "OK"
    reason: str = ""
    value: Formula | None = None
    implementation: Implementation | None = None
    """The program that was run and differentiated in the formula's place."""
    definitions: tuple[Definition, ...] = ()
    inputs: tuple[Input, ...] = ()
    data: tuple[Datum, ...] = ()
    derivatives: tuple[Derivative, ...] = ()
    orders: tuple[int, ...] = ()
    components: Mapping[str, Components] = field(default_factory=lambda: NO_MAPPING)
    """Order (as text) -> its components."""
    points: Mapping[str, tuple[Point, ...]] = field(default_factory=lambda: NO_MAPPING)
    """Dtype -> its points."""
    columns: tuple[Column, ...] = ()
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """Why a finding does not fail the run, and where it is tracked."""

    reason: str
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """One number exactly and as the shortest decimal of its dtype."""

    hex: str
    decimal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Blame:
    """Whom a finding blames: `who` is formula, sympy, rule, rounding or device; for an equation its primitive, where
    it was written, and what it did.
    """

    who: str
    primitive: str = ""
    source: str = ""
    what: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worst:
    """The worst point of a verdict: the witness, the value against the truth, and by how much it misses."""

    point: int
    label: str = ""
    inputs: Mapping[str, tuple[Witness, ...]] = field(default_factory=lambda: NO_MAPPING)
    value: str
    decimal: str
    truth: str
    ulps: float | None = None
    lost_bits: float | None = None
    yardstick: float | None = None
    reason: str = ""
    blame: Blame | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Is the number right? One component of one order of an entry, by one program in one dtype on one device."""

    KIND: ClassVar[str] = "verdict"
    entry: str
    order: int
    program: str
    dtype: str
    device: str
    component: str
    components: int = 1
    """How many components this record stands for; `component` is the worst of them."""
    verdict: str
    fails: bool = False
    acknowledged: Acknowledged | None = None
    counts: Mapping[str, int] = field(default_factory=lambda: NO_MAPPING)
    points: int = 0
    worst: Worst | None = None
    ulps: tuple[float | None, ...] = ()
    budget: tuple[float | None, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleWorst:
    """The worst point of a rule's verdict: what exact arithmetic says the program returns, against the truth."""

    point: int
    label: str = ""
    inputs: Mapping[str, tuple[Witness, ...]] = field(default_factory=lambda: NO_MAPPING)
    value: str
    truth: str
    reason: str = ""
    blame: Blame | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Is the rule right? One program of one order of an entry, in exact arithmetic: no device, no rounding."""

    KIND: ClassVar[str] = "rule"
    entry: str
    order: int
    program: str
    dtype: str
    component: str
    components: int = 1
    """How many components this record stands for; `component` is the worst of them."""
    checked: int = 1
    """How many of them were judged: of many, a seeded choice."""
    verdict: str
    fails: bool = False
    acknowledged: Acknowledged | None = None
    counts: Mapping[str, int] = field(default_factory=lambda: NO_MAPPING)
    points: int = 0
    bits: float | None = None
    notes: tuple[str, ...] = ()
    proved: bool = False
    """Whether the program is proved to be its function's derivative at all inputs where both are defined."""
    formula: str = ""
    """The program as a formula, LaTeX; empty where it has none that is short."""
    worst: RuleWorst | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What decided a claim: the kind of computation and its text in the catalog."""

    kind: str
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A statement of the source in its own words, and whether it is so."""

    KIND: ClassVar[str] = "claim"
    entry: str
    claim: str
    says: str
    section: str
    row: str | None = None
    verdict: str
    fails: bool = False
    acknowledged: Acknowledged | None = None
    decision: Decision = Decision(kind="")
    reading: str = ""
    truth: str = ""
    reason: str = ""
    explains: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionCoverage:
    """What of a section was covered, and what is missing, by name."""

    id: str
    title: str
    formulas: int = 0
    listings: tuple[str, ...] = ()
    entries: tuple[str, ...] = ()
    claims: Mapping[str, int] = field(default_factory=lambda: NO_MAPPING)
    covered: bool = False
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RowCoverage:
    """A row of the cheat sheet, with the entries and claims that cover it."""

    row: str
    entries: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    covered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Which programs ran for an entry in a dtype on a device, and on how many points."""

    entry: str
    dtype: str
    device: str
    programs: tuple[str, ...] = ()
    points: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """What was not run, and why."""

    entry: str
    what: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exercised:
    """JAX's rules that ran while one program of an entry was traced: kind of rule -> primitives."""

    program: str
    order: int
    rules: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: NO_MAPPING)


@dataclass(frozen=True, slots=True, kw_only=True)
class NonGoals:
    """Primitives whose rules are not counted, and why."""

    reason: str
    primitives: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTable:
    """The rules that JAX has, whether or not anything ran them: kind of rule -> primitives."""

    rules: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: NO_MAPPING)
    non_goals: tuple[NonGoals, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleCoverage:
    """One of JAX's rules: the orders of the programs that ran it, and of those among them that were proven right."""

    primitive: str
    rule: str
    exercised: tuple[int, ...] = ()
    verified: tuple[int, ...] = ()
    entries: tuple[str, ...] = ()
    """The first few entries, in catalog order, that verify it; where none does, that ran it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What was looked at, and what was not."""

    KIND: ClassVar[str] = "coverage"
    sections: tuple[SectionCoverage, ...] = ()
    cheat_sheet: tuple[RowCoverage, ...] = ()
    matrix: tuple[Cell, ...] = ()
    rules: tuple[RuleCoverage, ...] = ()
    """JAX's real-valued rules that some program ran."""
    missing_rules: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: NO_MAPPING)
    """Kind of rule -> the primitives whose rule no program ran."""
    non_goals: tuple[NonGoals, ...] = ()
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """The last record: the tallies and the exit status."""

    KIND: ClassVar[str] = "end"
    verdicts: Mapping[str, int] = field(default_factory=lambda: NO_MAPPING)
    rules: Mapping[str, int] = field(default_factory=lambda: NO_MAPPING)
    claims: Mapping[str, int] = field(default_factory=lambda: NO_MAPPING)
    findings: int = 0
    acknowledged: int = 0
    warnings: int = 0
    undecided: int = 0
    stale: tuple[str, ...] = ()
    exit_status: int = 0


def one_component(record: Verdict | Rule) -> str:
    """The component that a record is about; empty where it stands for many and names the worst."""
    return record.component if record.components == 1 else ""


Record = Header | Provenance | Entry | Verdict | Rule | Claim | Coverage | End

KINDS: Mapping[str, type[Record]] = MappingProxyType(
    {each.KIND: each for each in (Header, Provenance, Entry, Verdict, Rule, Claim, Coverage, End)}
)
