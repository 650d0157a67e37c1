"""What rounding inside a program can make of its results: what tells a LOSSY number from a FAULTY one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from verifier.arithmetic.elements import Special, Unknown, as_fraction, is_finite, lower, upper
from verifier.arithmetic.rounding_table import Target, measured_target
from verifier.arithmetic.spread import explained, parts
from verifier.judge.text import decimal_text
from verifier.model.jaxprs import inner_programs
from verifier.programs.extent import operations
from verifier.programs.opaque import run_concretely
from verifier.truth.additions import largest_addition
from verifier.truth.rounding import rounded_run

__all__ = ["OPERATION_LIMIT", "Explanation", "is_explained"]

OPERATION_LIMIT = 50_000
"""Most scalar operations of a program that is run in rounded numbers, at tens of microseconds each."""

_STEP_LIMIT = 2_000
"""Most steps of a loop whose trips are not known beforehand."""

_DIGITS = 17


def is_explained(
    closed_jaxpr: Any, place: Sequence[np.ndarray], position: int, value: float, platform: str = "cpu"
) -> bool | None:
    """Whether rounding can explain one number of a program at a point; None where that is not known.

    `place` are the arguments in the dtypes that the program is given, `position` counts the entries of all results.
    """
    return Explanation(closed_jaxpr, tuple(place), measured_target(platform)).explains(position, value)


@dataclass(eq=False)
class Explanation:
    """One program at one point, run when first asked; `place` is in the dtypes that the program is given.

    `closed_jaxpr` None is a program that JAX did not trace, `target` None a platform whose rounding
    nobody measured: nothing is known then. `options` makes those of an exact run, which S is taken from.
    """

    closed_jaxpr: Any
    place: tuple[np.ndarray, ...]
    target: Target | None
    options: Callable[[], dict[str, Any]] = field(default=lambda: {"concrete": run_concretely})
    limit: int = OPERATION_LIMIT

    def explains(self, position: int, value: float) -> bool | None:
        """Whether rounding can make this value of that entry: False says for certain that it cannot."""
        return _holds(self._possible, position, value)

    def explains_without_flushing(self, position: int, value: float) -> bool | None:
        """Whether rounding can, with every subnormal number kept: then flushing is not to blame for the value."""
        return _holds(self._unflushed, position, value)

    def reach(self, position: int) -> str:
        """What rounding can explain, in words."""
        assert self._possible is not None
        return " or ".join(map(_text, parts(self._possible[position])))

    def summands(self, position: int) -> Fraction:
        """S of SEMANTICS §4, the size of the summands of the entry's last additions; 0 where it is not known."""
        return Fraction(0) if self._sizes is None else _size(self._sizes[position])

    @cached_property
    def _possible(self) -> list[Any] | None:
        return self._rounded(self.target)

    @cached_property
    def _unflushed(self) -> list[Any] | None:
        return self._rounded(self.target and replace(self.target, flushes=frozenset()))

    def _rounded(self, target: Target | None) -> list[Any] | None:
        if target is None or self._is_too_large or any(map(_has_own_arithmetic, _equations(self.closed_jaxpr.jaxpr))):
            return None
        return _entries(
            rounded_run(self.closed_jaxpr, self.place, target, concrete=run_concretely, step_limit=_STEP_LIMIT)
        )

    @cached_property
    def _sizes(self) -> list[Any] | None:
        if self._is_too_large:
            return None
        exact = [each.astype(np.float64) for each in self.place]
        return _entries(largest_addition(self.closed_jaxpr, exact, **self.options()))

    @cached_property
    def _is_too_large(self) -> bool:
        """Or not there at all."""
        return self.closed_jaxpr is None or operations(self.closed_jaxpr.jaxpr) > self.limit


def _holds(possible: list[Any] | None, position: int, value: float) -> bool | None:
    if possible is None or isinstance(possible[position], Unknown):
        return None
    return explained(value, possible[position])


def _entries(results: Sequence[np.ndarray]) -> list[Any]:
    return [entry for result in results for entry in result.flat]


def _size(element: Any) -> Fraction:
    return as_fraction(upper(element)) if is_finite(element) else Fraction(0)


def _text(part: Any) -> str:
    if isinstance(part, Special):
        return str(part.value)
    low, high = (decimal_text(as_fraction(end(part)), _DIGITS) for end in (lower, upper))
    return low if low == high else f"{low} to {high}"


_ORDINARY = (None, "DEFAULT", "HIGH", "HIGHEST")


def _has_own_arithmetic(equation: Any) -> bool:
    """Whether an equation asks for an algorithm or an accuracy of its own, which no row of the table knows."""
    asked = equation.params.get("precision")
    asked = asked if isinstance(asked, tuple) else (asked,)
    return equation.params.get("accuracy") is not None or any(
        getattr(each, "name", each) not in _ORDINARY for each in asked
    )


def _equations(jaxpr: Any) -> Iterator[Any]:
    for equation in jaxpr.eqns:
        yield equation
        for inner in inner_programs(equation):
            yield from _equations(getattr(inner, "jaxpr", inner))
