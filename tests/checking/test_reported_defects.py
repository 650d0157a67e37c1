"""Derivatives that users of JAX reported as wrong, and kin of them: what the installed JAX still gets wrong is found.

Nothing here says which version has which defect. The number that the device returns is compared with the truth from
mpmath (70 digits; closed forms where there is one), and `check` has to fail where they differ grossly and to pass where
they agree.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy as jsp
import numpy as np
import pytest

import verifier
from verifier.arithmetic.floats import named
from verifier.checking.result import Result

pytestmark = pytest.mark.slow  # the known bugs and the ordinary programs are checked fast

ISSUES = "https://github.com/jax-ml/jax/issues/"
special, stats, nn = jsp.special, jsp.stats, jax.nn


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`truth` is the derivative of that order at the exact value of `at` in the dtype; NaN stands for "none"."""

    fn: Any
    at: float
    truth: float
    order: int = 1
    dtype: str = "float64"
    issue: int = 0


INF = math.inf
CASES: dict[str, Case] = {
    "expm1 in its left tail": Case(fn=jnp.expm1, at=-40.0, truth=4.248354255291589e-18, issue=39794),
    "selu in its left tail": Case(fn=nn.selu, at=-700.0, truth=1.7334290832552396e-304, issue=39796),
    "i0 of a tiny number": Case(fn=jnp.i0, at=1e-300, truth=5.000000000000000125e-301, issue=39797),
    "i0 at 0, curvature": Case(fn=special.i0, at=0.0, truth=0.5, order=2, issue=40627),
    "i0 at 0, slope": Case(fn=special.i0, at=0.0, truth=0.0, issue=40628),
    "i1 at 0, curvature": Case(fn=special.i1, at=0.0, truth=0.0, order=2),
    "sqrt of the least subnormal": Case(fn=jnp.sqrt, at=5e-324, truth=2.2494568972715984e161, issue=39799),
    "sigmoid saturated": Case(fn=nn.sigmoid, at=37.42994775023705, truth=5.551115123125775e-17, issue=40385),
    "sigmoid at 40": Case(fn=nn.sigmoid, at=40.0, truth=4.248354255291589e-18, issue=40342),
    "softplus saturated": Case(fn=nn.softplus, at=37.42994775023705, truth=5.551115123125775e-17, order=2, issue=40387),
    "log_sigmoid saturated": Case(
        fn=nn.log_sigmoid, at=-37.42994775023705, truth=-5.551115123125775e-17, order=2, issue=40383
    ),
    "exp2 near its overflow": Case(fn=jnp.exp2, at=1024.0000000000002, truth=1.2460659279419802e308, issue=40382),
    "digamma left of 0": Case(fn=special.digamma, at=-16.5, truth=9.810797812993575, issue=37635),
    "arcsinh of a large number": Case(
        fn=jnp.arcsinh, at=1e22, truth=1.0000000221803697e-22, dtype="float32", issue=40634
    ),
    "arccosh of a large number": Case(
        fn=jnp.arccosh, at=1e22, truth=1.0000000221803697e-22, dtype="float32", issue=40634
    ),
    "softplus at 0": Case(fn=nn.softplus, at=0.0, truth=0.5, issue=2107),
    "log_sigmoid at 0": Case(fn=nn.log_sigmoid, at=0.0, truth=0.5, issue=2140),
    "tanh of a large number": Case(fn=jnp.tanh, at=200.0, truth=7.660678386856023e-174, issue=764),
    "a sigmoid by hand": Case(
        fn=lambda x: 1 / (1 + jnp.exp(-x)), at=-100.0, dtype="float32", truth=3.720075976020836e-44, issue=777
    ),
    "x^0 at 0": Case(fn=lambda x: jnp.power(x, 0.0), at=0.0, truth=0.0, issue=18450),
    "nanmean of squares": Case(
        fn=lambda x: jnp.nanmean(jnp.stack([x, 2 * x, jnp.nan * x]) ** 2), at=1.0, truth=5.0, issue=9040
    ),
    "nanstd": Case(fn=lambda x: jnp.nanstd(jnp.stack([x, jnp.nan * x, 3 + 0 * x])), at=1.0, truth=-0.5, issue=8128),
    "nan_to_num of 1/x": Case(
        fn=lambda x: jnp.nan_to_num(x / jnp.arange(2.0, dtype=x.dtype), posinf=0.0).sum(), at=2.0, truth=1.0, issue=8247
    ),
    "betaln of exponentials": Case(
        fn=lambda x: special.betaln(jnp.exp(x), 1.0) - special.betaln(jnp.exp(x) + 1, 1.0),
        at=0.0,
        truth=0.25,
        order=2,
        issue=34353,
    ),
    "betaln, curvature": Case(fn=lambda a: special.betaln(a, 2.0), at=2.0, truth=13 / 36, order=2, issue=34353),
    "ldexp": Case(fn=lambda x: jnp.ldexp(x, 1), at=1.0, truth=2.0, issue=11467),
    "ldexp at 0": Case(fn=lambda x: jnp.ldexp(x, 3), at=0.0, truth=8.0, issue=11467),
    "frexp": Case(fn=lambda x: jnp.frexp(x)[0], at=1.5, truth=0.5, issue=11467),
    "a ratio of cosh beyond its overflow": Case(
        fn=lambda x: jnp.cosh(x) ** 2 / jnp.cosh(2 * x) ** 2, at=300.0, truth=-5.3007931060086216e-261, issue=6721
    ),
    "a pair potential cut off, at a tiny distance": Case(
        fn=lambda r: jnp.where(r > 2.5, 0.0, (1 / r) ** 12 - (1 / r) ** 6), at=3.0, truth=0.0, order=2, issue=18562
    ),
    "spence at 1": Case(fn=special.spence, at=1.0, truth=-1.0),
    "spence at 2": Case(fn=special.spence, at=2.0, truth=-0.6931471805599453),
    "spence at 2, curvature": Case(fn=special.spence, at=2.0, truth=0.1931471805599453, order=2),
    "gammaincc at 0, curvature": Case(fn=lambda x: special.gammaincc(2.0, x), at=0.0, truth=-1.0, order=2),
    "gammainc in its shape": Case(fn=lambda a: special.gammainc(a, 2.0), at=0.5, truth=-0.135619335203997243),
    "gammaincc in its shape": Case(fn=lambda a: special.gammaincc(a, 2.0), at=10.0, truth=7.800930455238634e-05),
    "zeta in its exponent": Case(fn=lambda s: special.zeta(s, 1.0), at=2.0, truth=-0.9375482543158438),
    "expi at a seam of its pieces": Case(fn=special.expi, at=2.0, truth=3.694528049465325),
    "entr at 0": Case(fn=special.entr, at=0.0, truth=INF),
    "rel_entr at 0": Case(fn=lambda x: special.rel_entr(x, 0.5), at=0.0, truth=-INF),
    "kl_div at 0": Case(fn=lambda x: special.kl_div(x, 0.5), at=0.0, truth=-INF),
    "x log x at 0": Case(fn=lambda x: special.xlogy(x, x), at=0.0, truth=-INF),
    "arctanh of a small number, curvature": Case(fn=jnp.arctanh, at=1e-10, truth=2e-10, order=2),
    "a square root of a square": Case(fn=lambda x: jnp.sqrt(x * x), at=1e200, truth=1.0),
    "hypot of a tiny number": Case(fn=lambda x: jnp.hypot(x, 0.0 * x), at=1e-200, truth=1.0),
    "copysign": Case(fn=lambda x: jnp.copysign(x, -1.0), at=1.0, truth=-1.0),
    "signbit": Case(fn=lambda x: jnp.where(jnp.signbit(x), -x, x), at=-2.0, truth=-1.0),
    "logaddexp2": Case(fn=lambda x: jnp.logaddexp2(x, 0.0), at=0.0, truth=0.5),
    "tanh of infinity": Case(fn=jnp.tanh, at=INF, truth=0.0),
    "arctan of infinity, curvature": Case(fn=jnp.arctan, at=INF, truth=0.0, order=2),
    "hyp1f1 at 0, where its loop stops at once": Case(fn=lambda x: special.hyp1f1(1.5, 2.5, x), at=0.0, truth=0.6),
    "beta.logpdf at an end of its support": Case(fn=lambda x: stats.beta.logpdf(x, 1.0, 1.0), at=0.0, truth=0.0),
    "gennorm.cdf at 0": Case(fn=lambda x: stats.gennorm.cdf(x, 1.5), at=0.0, truth=0.5538660837162362),
    "poch at 0": Case(fn=lambda x: special.poch(x, 2.0), at=0.0, truth=1.0),
    "0 to a power": Case(fn=lambda y: jnp.power(0.0, y), at=2.0, truth=0.0),
}

PROGRAMS = {1: ("jacfwd", "jacrev"), 2: ("fwd-rev", "rev-fwd")}


@cache
def _result(name: str) -> Result:
    case = CASES[name]
    at = np.asarray(case.at, dtype=case.dtype)
    return verifier.check(case.fn, at, orders=(case.order,), programs=PROGRAMS[case.order])


def _share(value: float, truth: float) -> float:
    """The relative error, 0 for a truth that is met exactly."""
    if value == truth:
        return 0.0
    return abs(value - truth) / abs(truth) if math.isfinite(value) and truth and math.isfinite(truth) else INF


@pytest.mark.parametrize("name", CASES)
def test_what_the_device_gets_wrong_is_found_and_the_rest_passes(name):
    case, result = CASES[name], _result(name)
    numbers = [each for each in result.verdicts if each.value is not None and each.order == case.order]
    assert len(numbers) >= 2
    for each in numbers:
        error = _share(each.value, case.truth)
        if error > 1 / 16:
            assert (each.fails, each.undecided) == (True, False), str(result)
        elif error <= 64 * float(named(each.dtype).unit_roundoff):
            assert (each.fails, each.undecided) == (False, False), str(result)


@pytest.mark.parametrize("name", CASES)
def test_the_truth_is_that_of_mpmath(name):
    """The primal may be an approximation of the function that it is named after, good to its dtype."""
    case, result = CASES[name], _result(name)
    for each in (each for each in result.verdicts if each.order == case.order):
        room = 1e-6 if each.dtype == "float32" else 1e-12
        assert _share(float(each.truth), case.truth) <= room, each.truth
