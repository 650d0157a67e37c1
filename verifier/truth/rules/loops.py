"""Loops that stop at a tolerance, inside functions with a derivative rule of their own.

Such a loop computes a series or a fixed point to the accuracy of its dtype: its value has converged, its derivatives
have not (at 0 the series of hyp1f1 stops at its first term, a constant). The rule is that of the function meant. So in
germs the loop goes some steps further; where that leaves the value as it is, and as many steps again leave the
derivatives as they are, what it adds is the derivatives' rest.
Loops outside such functions are differentiated step by step by JAX, and are followed as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from flint import fmpq

from verifier.arithmetic.elements import Unknown, compare, exact_ball, is_finite
from verifier.arithmetic.expansion import Germ, is_constant
from verifier.arithmetic.germ import GermSystem
from verifier.arithmetic.one_sided import coefficient, limit
from verifier.arithmetic.vocabulary import OPERATIONS
from verifier.model.jaxprs import all_equations
from verifier.truth.machine import Machine, kind_of

__all__ = ["converged", "starts_constant", "stops_at_a_tolerance"]

_MORE_STEPS = 12
_SAME = Fraction(1, 2**26)
"""Values that agree in half of float64's significand are the same to a loop that stops at a tolerance."""


def converged(
    machine: Machine, program: Any, operands: Sequence[np.ndarray], results: list[np.ndarray]
) -> list[np.ndarray]:
    """The results after more steps of the program's loops, where the values stay what they are and the derivatives
    come to rest; else `results`: at a fixed point of its body (0 of s/2) a loop that halves is no approximation.
    """
    if not isinstance(machine.system, GermSystem) or machine.run_on is None or machine.overrun():
        return results
    if not _has_open_loop(program):
        return results
    further = machine.run_on(program, operands, _MORE_STEPS)
    if not all(_is_same(*pair) for pair in _pairs(results, further)):
        return results
    again = machine.run_on(program, operands, 2 * _MORE_STEPS + 1)  # odd: an even number of turns is none
    return further if all(_is_at_rest(*pair) for pair in _pairs(further, again)) else results


def starts_constant(carry: Sequence[np.ndarray]) -> bool:
    """Whether a number that a loop starts with does not vary, as the first sum of a series.

    Else a loop that has taken no step has come near to nothing: what it returns is a function of its own (of
    `while s < 0: s = 0*s`, s itself).
    """
    return any(isinstance(entry, Germ) and is_constant(entry) for array in carry for entry in array.flat)


def stops_at_a_tolerance(equation: Any) -> bool:
    """Whether the condition of a `while` looks at a real number."""
    program = equation.params["cond_jaxpr"]
    jaxpr = getattr(program, "jaxpr", program)
    used = {variable for each in jaxpr.eqns for variable in each.invars if not hasattr(variable, "val")}
    return any(kind_of(variable) == "real" for variable in jaxpr.invars if variable in used)


def _has_open_loop(program: Any) -> bool:
    return any(each.primitive.name == "while" and stops_at_a_tolerance(each) for each in all_equations(program))


def _pairs(first: Sequence[np.ndarray], second: Sequence[np.ndarray]) -> Iterator[tuple[Any, Any]]:
    for a, b in zip(first, second, strict=True):
        yield from zip(a.flat, b.flat, strict=True)


def _is_same(a: Any, b: Any) -> bool:
    """Whether two results have the same value: limits that agree in half of the significand; integers as they are."""
    if isinstance(a, (bool, int, np.generic)):
        return bool(a == b)
    return _is_near(limit(a), limit(b))


def _is_at_rest(a: Any, b: Any) -> bool:
    """Whether two results of the same value have the same derivatives, as far as both are known."""
    if not isinstance(a, Germ) or not isinstance(b, Germ):
        return True
    rows = ((coefficient(a, power), coefficient(b, power)) for power in range(1, _MORE_STEPS))
    return all(_is_near(*row) for row in rows if not any(isinstance(each, Unknown) for each in row))


def _is_near(a: Any, b: Any) -> bool:
    here, there = (exact_ball(each) if isinstance(each, fmpq) else each for each in (a, b))
    if not is_finite(here) or not is_finite(there):
        return False
    if here.overlaps(there):
        return True
    gap = OPERATIONS["abs"](OPERATIONS["sub"](here, there))
    room = OPERATIONS["mul"](OPERATIONS["abs"](here), exact_ball(_SAME))
    return compare("le", gap, room) is True
