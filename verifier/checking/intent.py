"""Does the function compute what it is meant to? Its value against a formula of the catalog language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from verifier.arithmetic.floats import Format
from verifier.errors import UsageError
from verifier.judge.rule import Threshold, judge_rule
from verifier.model.catalog import Shape
from verifier.model.rule import LocalTruth, NonFinite, ProgramValue, RuleVerdict, Undefined
from verifier.programs.components import Leaf
from verifier.symbolic.build import Definitions
from verifier.symbolic.formula import parse
from verifier.truth.enclosing import program_value
from verifier.truth.formula import FormulaTruth
from verifier.truth.implicit import Implicit

__all__ = ["Intent", "Solution", "judge_intent", "plain_inputs"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Intent:
    """What the value is meant to be: a formula over the differentiated leaves, which it calls `names`, in their order.

    `text` is the formula as written. `domain` are the ends of each leaf between which it is known to hold.
    """

    text: str
    names: tuple[str, ...]
    truth: FormulaTruth
    domain: tuple[tuple[Fraction, Fraction], ...] = ()
    asked: bool = True
    """Whether the user gave it."""

    @classmethod
    def of(cls, formula: str, leaves: Sequence[Leaf]) -> Intent:
        """A formula over the leaves by their own names; raises FormulaError for one that can't be read."""
        names = tuple(leaf.name for leaf in leaves)
        truth = FormulaTruth(Definitions(plain_inputs(leaves), (), (), parse(formula)), (0,), {})
        return cls(text=formula, names=names, truth=truth)

    def covers(self, place: Sequence[np.ndarray]) -> bool:
        """Whether the formula is known to hold at a point."""
        pairs = zip(self.domain, place, strict=False)
        return all(low <= x <= high for (low, high), each in pairs for x in np.asarray(each, dtype=object).flat)

    def values(self, place: Sequence[np.ndarray], form: Format) -> list[LocalTruth]:
        """The formula's value at a point, component by component."""
        leaves = {name: np.asarray(each, dtype=object) for name, each in zip(self.names, place, strict=True)}
        found = self.truth.at(leaves, form)[0]
        return [_local(program_value(each, found.bits)) for each in found.values.flat]


def plain_inputs(leaves: Sequence[Leaf]) -> tuple[tuple[str, Shape], ...]:
    """Names and shapes of the leaves that a formula speaks about; raises UsageError for one without a plain name."""
    nameless = next((leaf.name for leaf in leaves if not leaf.name.isidentifier()), None)
    if nameless:
        raise UsageError(f"the input {nameless!r} has no plain name for a formula; pass it as an argument of its own")
    return tuple((leaf.name, leaf.shape) for leaf in leaves)


class Solution:
    """The root of a defining equation: what the value is meant to be where the function is given by `defines`."""

    def __init__(self, implicit: Implicit) -> None:
        self.implicit = implicit

    def covers(self, place: Sequence[np.ndarray]) -> bool:
        """An equation is said of every point."""
        return True

    def values(self, place: Sequence[np.ndarray], form: Format) -> list[LocalTruth]:
        """The root, as the value's only component."""
        return [_local(program_value(self.implicit.root(place)))]


def _local(value: ProgramValue) -> LocalTruth:
    match value:
        case NonFinite(found):
            return Undefined(f"the formula is {found} here")
        case _:
            return value


def judge_intent(value: ProgramValue, truth: LocalTruth, form: Format, spread: Fraction) -> RuleVerdict:
    """The primal's exact value against the formula's; rounded literals of the program are excused."""
    return judge_rule(value, truth, Threshold(form=form, spread=spread))
