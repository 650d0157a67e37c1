"""Special functions that only a derivative rule of JAX has use for, as sums with a proven remainder."""

from __future__ import annotations

from typing import Any

import numpy as np
from flint import arb

from verifier.arithmetic.elements import Unknown
from verifier.truth.machine import Machine, Rule, Table
from verifier.truth.values import boxed

__all__ = ["RULES", "igamma_grad_a"]

_MOST_TERMS = 20_000


def igamma_grad_a(a: Any, x: Any, bits: int) -> Any:
    """d/da of the regularized lower incomplete gamma function P(a, x), for balls a, x > 0.

    P(a, x) = sum_k p_k with p_k = x^(a+k) e^-x / Gamma(a+k+1), hence dP/da = sum_k p_k (log x - psi(a+k+1)). Once
    a+k+1 > 2x, each p is at most half of the one before and psi grows by less than 1 a step, so the terms from K on sum
    to at most p_K (2 |log x - psi(a+K+1)| + 2).
    Source: DLMF 8.7.1 and 5.9 (series of the incomplete gamma function), differentiated term by term.
    """
    if type(a) is not arb or type(x) is not arb or not (a > 0 and x > 0):
        return next(
            (each for each in (a, x) if isinstance(each, Unknown)), Unknown("igamma_grad_a outside a, x > 0", "")
        )
    needed = 2 * abs(float(x.mid())) + bits
    if not needed < _MOST_TERMS:
        return Unknown("igamma_grad_a of a large x", "")
    power, total, log_x = (x.log() * a - x - (a + 1).lgamma()).exp(), arb(0), x.log()
    psi = (a + 1).digamma()
    for k in range(int(needed) + 2):
        total += power * (log_x - psi)
        psi += 1 / (a + k + 1)
        power *= x / (a + k + 1)
    return total + (power * (2 * abs(log_x - psi) + 2) * arb(0, 1))


def _igamma_grad_a(machine: Machine, equation: Any, a: np.ndarray, x: np.ndarray) -> np.ndarray:
    bits = getattr(machine.system, "bits", 128)
    return boxed(np.frompyfunc(lambda shape, end: igamma_grad_a(shape, end, bits), 2, 1)(a, x))


RULES: Table = {"igamma_grad_a": Rule(_igamma_grad_a, balls_only=True)}
