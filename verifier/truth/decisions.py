"""Decisions of control flow: those of one recorded run in a dtype, replayed where exact arithmetic leads elsewhere.

A loop such as `while x_new != x_old` ends in floating point only. The recorded run rounds every operation to the
nearest number of the dtype; what it decided is replayed, and a verdict that rests on it is PINNED (SEMANTICS §6).

Beside the point a loop may take another number of steps than at the point (`while s < 0: s = 0*s` is a relu): where
exact arithmetic at the point agrees with the record about every step of the loop, germs decide, and kinks stay theirs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from verifier.arithmetic.ball import BallSystem
from verifier.arithmetic.elements import NAN, NEG_INF, POS_INF, Decision, Element, Special, rounds_to
from verifier.arithmetic.floats import Format
from verifier.model.jaxprs import all_equations
from verifier.truth.jaxprs import evaluate
from verifier.truth.machine import Decide
from verifier.truth.values import Refused

__all__ = ["Decisions", "NearestSystem", "recorded"]

_GUARD_BITS = 64
_EXACT_BITS = 1024
_MOST_STEPS = 256
"""Decisions that a run takes by itself after it has left the record: a loop may never end beside the point."""


@dataclass(frozen=True, slots=True)
class NearestSystem:
    """The number system of one dtype: every operation's exact result rounded to nearest, overflow to infinity."""

    form: Format

    @property
    def _balls(self) -> BallSystem:
        return BallSystem(2 * self.form.precision + _GUARD_BITS)

    def working(self) -> AbstractContextManager[Any]:
        return self._balls.working()

    def exact(self, value: Fraction | int) -> Element:
        """The number of the dtype that is nearest to the rational."""
        return self._rounded(self._balls.exact(value))

    def constant(self, name: str) -> Element:
        return self._rounded(self._balls.constant(name))

    def operation(self, name: str) -> Callable[..., Element]:
        """The operation of that name, its result rounded."""
        bare = self._balls.operation(name)
        return lambda *operands: self._rounded(bare(*operands))

    def compare(self, relation: str, a: Element, b: Element) -> Decision:
        return self._balls.compare(relation, a, b)

    def select(self, condition: Decision, a: Element, b: Element) -> Element:
        return self._balls.select(condition, a, b)

    def _rounded(self, element: Element) -> Element:
        value = rounds_to(element, self.form)
        if value is None or isinstance(element, Special):
            return element
        if value in (float("inf"), float("-inf")):
            return POS_INF if value > 0 else NEG_INF
        return NAN if value != value else self._balls.exact(Fraction(value))


@dataclass(slots=True, eq=False)
class Decisions:
    """What each equation decided, in its own order; `replay()` starts from the first again."""

    made: dict[int, list[int | None]]
    exactly: Callable[[Decide], object]
    """A run in balls at the point with this policy."""
    pinned: list[Any] = field(default_factory=list)
    """The equations where the record was followed although exact arithmetic had no answer, or another one."""
    _floating: frozenset[int] | None = None

    def replay(self, *, beside: bool = False) -> Decide:
        """A policy for one run: loops follow the record, branches only where exact arithmetic does not decide.

        Runs `beside` the point leave the record with the first loop that is not `floating`; nothing is replayed then.
        """
        next_of = self._reader()
        steps: int | None = None  # since the record was left

        def decide(equation: Any, exact: int | None) -> int | None:
            nonlocal steps
            if steps is not None:
                steps += 1
                if steps > _MOST_STEPS:
                    raise Refused("a loop that ends at the point goes on beside it")
                return exact
            record = next_of(equation)
            if record is None or record == exact:
                return exact
            if exact is not None and equation.primitive.name != "while":
                return exact
            if exact is not None and beside and id(equation) not in self.floating:
                steps = 0
                return exact
            self.pinned.append(equation)
            return record

        return decide

    @property
    def floating(self) -> frozenset[int]:
        """The identities of the loops that exact arithmetic at the point would not end where the record does."""
        if self._floating is None:
            next_of, found = self._reader(), set()

            def decide(equation: Any, exact: int | None) -> int | None:
                record = next_of(equation)
                if equation.primitive.name == "while" and record != exact:
                    found.add(id(equation))
                return exact if record is None else record

            self.exactly(decide)
            self._floating = frozenset(found)
        return self._floating

    def _reader(self) -> Callable[[Any], int | None]:
        """Gives each equation's decisions one by one; None where there is none left."""
        left = {key: iter(each) for key, each in self.made.items()}
        return lambda equation: next(left.get(id(equation), iter(())), None)


def recorded(jaxpr: Any, place: Sequence[np.ndarray], form: Format, **options: Any) -> Decisions:
    """One run in the dtype, and what it decided."""
    made: dict[int, list[int | None]] = defaultdict(list)

    def decide(equation: Any, exact: int | None) -> int | None:
        made[id(equation)].append(exact)
        return exact

    evaluate(jaxpr, place, NearestSystem(form), decide=decide, **options)
    system = BallSystem(_EXACT_BITS)
    return Decisions(dict(made), lambda decide: evaluate(jaxpr, place, system, decide=decide, **options))


def branches(program: Any) -> bool:
    """Whether a program holds a loop or a branch."""
    return any(equation.primitive.name in ("while", "cond") for equation in all_equations(program))
