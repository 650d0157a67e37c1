"""Is the rule right? What is known of the truth at one point, and the verdict on the program that JAX's rules made."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from verifier.model.verdict import Cusp, Enclosure, Infinite, LocalTruth, NoTruth, Undefined

__all__ = [
    "RULE_WORST_FIRST",
    "Blame",
    "Cusp",
    "Infinite",
    "LocalTruth",
    "NonFinite",
    "Note",
    "ProgramValue",
    "RowTruth",
    "RuleClass",
    "RuleVerdict",
    "Undefined",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowTruth:
    """The truth about the derivatives of one component of the value, flattened, at one point.

    At a kink in several inputs `cells` are the finite gradients of the smooth cells around the point that were found;
    the convex hull of all of them is what a gradient may be there.
    """

    components: tuple[LocalTruth, ...]
    cells: tuple[tuple[Enclosure, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class NonFinite:
    """A proof that exact arithmetic makes the program return `nan`, `inf` or `-inf`."""

    value: Literal["nan", "inf", "-inf"]


ProgramValue = Enclosure | NonFinite | NoTruth
"""What exact arithmetic says a program returns; NoTruth says why it does not say."""


class RuleClass(StrEnum):
    """The classes of the question 'is the rule right?', best to worst (DESIGN §2)."""

    RIGHT = "RIGHT"
    CONVENTION = "CONVENTION"
    UNDEFINED = "UNDEFINED"
    INEXACT = "INEXACT"
    UNDECIDED = "UNDECIDED"
    WRONG = "WRONG"


RULE_WORST_FIRST: tuple[RuleClass, ...] = tuple(reversed(RuleClass))


class Note(StrEnum):
    """What a reader of a rule's verdict has to know besides."""

    JUMP = "JUMP"
    SURROGATE = "SURROGATE"
    PINNED = "PINNED"
    ZERO = "ZERO"
    """The truth is zero to working precision: its enclosure held zero at the ceiling."""
    UNCERTIFIED = "UNCERTIFIED"
    """A gradient at a kink that no convex combination of the cells found has certified, nor any coordinate refuted."""
    VALUE = "VALUE"
    """The derivative may be right, but the value that a rule returns beside it is not the function's."""
    NONLINEAR = "NONLINEAR"
    """The derivative is right for unit seeds only: a rule is not linear in tangents or cotangents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blame:
    """The equation that a finding is about: its primitive, where it stands in the source, and what it did."""

    primitive: str
    source: str = ""
    what: str = ""

    def __str__(self) -> str:
        return " ".join(
            part for part in (self.primitive, self.what, f"at {self.source}" if self.source else "") if part
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleVerdict:
    """The judgement of a program's rule at one component and point.

    `bits` is how many leading bits program and truth are proven to share; None where that has no meaning. `proved`
    says that program and truth are one formula: they agree at all inputs where both are defined.
    """

    kind: RuleClass
    fails: bool = False
    bits: float | None = None
    reason: str = ""
    notes: tuple[Note, ...] = ()
    proved: bool = False

    @property
    def severity(self) -> tuple[bool, int, float]:
        """Orders verdicts: failing ones above all, then by class, then by how few bits agree."""
        return (self.fails, len(RULE_WORST_FIRST) - RULE_WORST_FIRST.index(self.kind), -(self.bits or 0.0))
