"""Enclosures of the truth and the verdicts that follow from them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Literal

__all__ = [
    "WORST_FIRST",
    "ClaimVerdict",
    "Cusp",
    "Enclosure",
    "Infinite",
    "Jump",
    "Kink",
    "LocalTruth",
    "NoTruth",
    "NumberClass",
    "NumberVerdict",
    "Truth",
    "Undefined",
]


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A proven interval: `lower <= exact <= upper`, both finite."""

    lower: Fraction
    upper: Fraction

    def __post_init__(self) -> None:
        if self.lower > self.upper:
            raise ValueError(f"an enclosure needs lower <= upper, got {self.lower} > {self.upper}")

    @property
    def middle(self) -> Fraction:
        return (self.lower + self.upper) / 2

    @property
    def magnitude(self) -> Fraction:
        """The largest |x| in the enclosure."""
        return max(abs(self.lower), abs(self.upper))

    @property
    def is_zero(self) -> bool:
        return self.lower == self.upper == 0

    def contains_zero(self) -> bool:
        return self.lower <= 0 <= self.upper


@dataclass(frozen=True, slots=True)
class NoTruth:
    """Why there is no certified real number to compare with."""

    reason: str


@dataclass(frozen=True, slots=True)
class Kink:
    """The one-sided derivatives of a function that is not differentiable here; either may be missing (outside the
    domain).

    `sampled` says that they are the extremes of gradients found in some directions, and change with the direction
    (eigenvalues at a tie): what lies beyond them is not refuted.
    """

    left: Enclosure
    right: Enclosure
    sampled: bool = False


@dataclass(frozen=True, slots=True)
class Jump:
    """The function jumps here: its value at the point differs from a limit, and no derivative speaks about the
    point.
    """


@dataclass(frozen=True, slots=True)
class Infinite:
    """All one-sided derivatives are infinite, of one sign: right is that infinity and nothing else."""

    sign: Literal[1, -1]


@dataclass(frozen=True, slots=True)
class Cusp:
    """One-sided derivatives that differ, one of them infinite: `low` None is minus infinity, `high` None plus
    infinity.
    """

    low: Enclosure | None
    high: Enclosure | None


@dataclass(frozen=True, slots=True)
class Undefined:
    """The function has no real value here: nothing is asked of its derivative but to be no NaN at an infinite one."""

    reason: str
    forbids_nan: bool = False


LocalTruth = Enclosure | Kink | Cusp | Infinite | Jump | Undefined | NoTruth
"""The truth about one component of a derivative at one point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """The truth about one component at one point, with what rounding its inputs already costs.

    `condition` bounds (for many inputs, estimates) `sum |x_i dT/dx_i| + sum |c_j dT/dc_j|`, where the c_j
    are the data and literals that the dtype cannot hold. None where it could not be established.
    """

    value: LocalTruth
    condition: Fraction | None = None
    presumed: bool = False
    """Zero to working precision: the enclosure held zero at the ceiling."""
    summands: Fraction = Fraction(0)
    """S of SEMANTICS §4: the size of the summands of the last additions, in whose u a true zero is measured."""

    @property
    def is_zero(self) -> bool:
        return isinstance(self.value, Enclosure) and self.value.is_zero

    @property
    def may_be_zero(self) -> bool:
        """Whether nobody knows: it holds zero and other numbers."""
        return isinstance(self.value, Enclosure) and self.value.contains_zero() and not self.value.is_zero


class NumberClass(StrEnum):
    """The classes of the question 'is the number right?', best to worst (DESIGN §2, SEMANTICS §3, §4, §9).

    LOSSY and NONFINITE are what rounding and IEEE's rules do to a program; FAULTY is what nothing inside it explains,
    so that the compiler, the device or the run itself is at fault: nothing that was computed is worse.
    """

    ACCURATE = "ACCURATE"
    VACUOUS = "VACUOUS"
    CONVENTION = "CONVENTION"
    UNDERFLOW = "UNDERFLOW"
    OVERFLOW = "OVERFLOW"
    LOSSY = "LOSSY"
    UNDECIDED = "UNDECIDED"
    NONFINITE = "NONFINITE"
    FAULTY = "FAULTY"
    FAILED = "FAILED"


WORST_FIRST: tuple[NumberClass, ...] = tuple(reversed(NumberClass))


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberVerdict:
    """The judgement of one computed number.

    `ulps` is the error in ulps of the dtype at the truth, `budget` the yardstick in the same unit, `lost_bits` is
    log2(error / yardstick at K = 1) where the error exceeds the yardstick.
    """

    kind: NumberClass
    fails: bool = False
    ulps: float | None = None
    budget: float | None = None
    lost_bits: float | None = None
    reason: str = ""

    @property
    def severity(self) -> tuple[bool, int, float]:
        """Orders verdicts: failing ones above all, then by class, then by lost bits and ulps."""
        rank = len(WORST_FIRST) - WORST_FIRST.index(self.kind)
        return (self.fails, rank, self.lost_bits or self.ulps or 0.0)


class ClaimVerdict(StrEnum):
    """The outcome of a claim."""

    CONFIRMED = "CONFIRMED"
    REFUTED = "REFUTED"
    UNDECIDED = "UNDECIDED"
    NOT_COMPUTABLE = "NOT COMPUTABLE"
