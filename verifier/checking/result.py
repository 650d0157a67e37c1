"""What a check found: every judgement, those that fail, and how they read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from verifier.checking.lifting import Formula
from verifier.model.rule import Blame, RuleClass, RuleVerdict
from verifier.model.verdict import NumberClass, NumberVerdict

__all__ = ["Conflict", "Judgement", "Result", "Skipped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What was found of one component of one derivative, by one program, at one point in one dtype.

    `value` is what the device computed (None where only the rule was judged), `truth` a decimal of at most 20 digits or
    the reason why there is no number, `point` the inputs by name.
    """

    order: int
    component: str
    program: str
    dtype: str
    device: str
    point: Mapping[str, Any]
    value: float | None
    truth: str
    rule_verdict: RuleVerdict | None
    number_verdict: NumberVerdict | None
    blame: Blame | None = None
    unasked: bool = False
    """Whether it is the value against a formula that the user did not give."""

    @property
    def rule(self) -> RuleClass | None:
        """The class of the rule's verdict; None where the program could not be followed."""
        return self.rule_verdict.kind if self.rule_verdict else None

    @property
    def number(self) -> NumberClass | None:
        """The class of the number's verdict; None where no number was computed."""
        return self.number_verdict.kind if self.number_verdict else None

    @property
    def ulps(self) -> float | None:
        """The number's error in ulps of its dtype at the truth."""
        return self.number_verdict.ulps if self.number_verdict else None

    @property
    def lost_bits(self) -> float | None:
        """How many bits more were lost than rounding the inputs already costs."""
        return self.number_verdict.lost_bits if self.number_verdict else None

    @property
    def proved(self) -> bool:
        """Whether the rule is proved for all inputs where function and program are defined, not only for this one."""
        return self.rule_verdict is not None and self.rule_verdict.proved

    @property
    def notes(self) -> tuple[str, ...]:
        return self.rule_verdict.notes if self.rule_verdict else ()

    @property
    def fails(self) -> bool:
        """Whether one of both answers fails."""
        return any(each.fails for each in (self.rule_verdict, self.number_verdict) if each)

    @property
    def undecided(self) -> bool:
        return self.rule is RuleClass.UNDECIDED or self.number is NumberClass.UNDECIDED

    @property
    def severity(self) -> tuple[Any, ...]:
        """Orders judgements: failing ones above all, a wrong rule above a wrong number."""
        rule = self.rule_verdict.severity if self.rule_verdict else (False, 0, 0.0)
        number = self.number_verdict.severity if self.number_verdict else (False, 0, 0.0)
        return (self.fails, self.undecided, rule[0], rule[1], number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Two routes to the truth that exclude each other: the verifier is at fault, and picks neither."""

    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """What was not judged, and why."""

    what: str
    why: str
    counts: bool = True
    """Whether it was asked for: then the result is not `ok`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """All judgements of one call of `check`. `components` are those judged, `asked` those that there are."""

    function: str
    verdicts: tuple[Judgement, ...]
    skipped: tuple[Skipped, ...] = ()
    components: int = 0
    asked: int = 0
    allows_undecided: bool = False
    formula: str | None = ""
    """What the value was judged against beside the function itself: a formula, or nothing (""); None where a surrogate
    or an equation says what is differentiated, so that the rule's truth is not that of the function.
    """
    values: tuple[Judgement, ...] = ()
    """The value against a formula that this package knows, where the user gave none."""
    reproduction: str = ""
    """Lines that need JAX alone and print what the worst failing number is, or empty where there are none."""
    conflicts: tuple[str, ...] = ()
    """Where two routes to the truth exclude each other: then nothing here is to be trusted."""
    formulas: tuple[Formula, ...] = ()
    """The function and its first derivative programs as formulas, where they are short."""

    @property
    def ok(self) -> bool:
        """Every requested judgement is made, decided and none fails, and no two routes to the truth exclude each other.

        A program that you name and JAX refuses is not judged; of the programs that `programs=None` means, those may be
        missing that JAX documents to have no such mode, where another one of their order is judged.
        """
        return not self.findings and bool(self.verdicts) and not self.conflicts and not self.missing

    @property
    def is_wrong(self) -> bool:
        """Whether something fails, where not `ok` may also mean that something could not be decided or judged."""
        return any(each.fails for each in self.findings) or bool(self.conflicts)

    @property
    def missing(self) -> tuple[Skipped, ...]:
        """What was asked for and not judged."""
        return tuple(each for each in self.skipped if each.counts)

    @property
    def lifted(self) -> str:
        """The function's program as a formula, or empty where it has none that is short."""
        return next((each.text for each in self.formulas if each.of.startswith(f"{self.function}(")), "")

    @property
    def findings(self) -> tuple[Judgement, ...]:
        """The judgements that fail, and those asked for that are undecided unless that is allowed, worst first."""
        found = [each for each in self.verdicts if each.fails or (each.undecided and not self.allows_undecided)]
        found += [each for each in self.values if each.fails]
        return tuple(sorted(found, key=lambda each: each.severity, reverse=True))

    def __str__(self) -> str:
        from verifier.checking.text import result_text

        return result_text(self)
