"""Derivatives of functions of one number where libraries go wrong: ends of domains, tails, removable singularities.

Nothing here says what the installed JAX gets wrong. The number that the device returns is compared with the truth from
mpmath, differentiated to 400 digits, or by hand: `check` has to fail where they differ grossly, and to pass where they
agree; and where they agree, it has to fail as soon as a fault is planted.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy as jsp
import mpmath as mp
import numpy as np
import pytest
from jax import lax, nn

import verifier
from verifier.arithmetic.floats import named
from verifier.checking.result import Result
from verifier.model.rule import RuleClass

pytestmark = pytest.mark.slow  # the known bugs and the ordinary programs are checked fast

special, stats = jsp.special, jsp.stats
INF = math.inf


@dataclass(frozen=True, slots=True)
class Case:
    """`truth` is the derivative of that order at the exact value of `at` in the dtype, or a function of mpmath."""

    fn: Any
    at: float
    truth: float | Callable[[Any], Any]
    order: int = 1
    dtype: str = "float64"

    @property
    def point(self) -> np.ndarray:
        return np.asarray(self.at, dtype=jnp.dtype(self.dtype))

    @property
    def derivative(self) -> float:
        if not callable(self.truth):
            return self.truth
        with mp.workdps(400):  # arcsin is its argument to 400 digits at 1e-200, and its curvature is not that of a line
            x = mp.mpf(float(self.point))
            return float(mp.re(mp.diff(self.truth, x, self.order, h=(abs(x) or 1) * mp.mpf(2) ** -100)))


CASES: dict[str, Case] = {
    "polygamma(1,-1.5)": Case(lambda x: special.polygamma(1, x), -1.5, lambda x: mp.psi(1, x)),
    "polygamma(2,30) f32": Case(lambda x: special.polygamma(2, x), 30.0, lambda x: mp.psi(2, x), dtype="float32"),
    "gammaln(-2.5)": Case(special.gammaln, -2.5, lambda x: mp.log(abs(mp.gamma(x)))),
    "gamma(-1.5)": Case(special.gamma, -1.5, mp.gamma),
    "gamma(0.001)": Case(special.gamma, 0.001, mp.gamma, order=2),
    "gamma(-170.5)": Case(special.gamma, -170.5, mp.gamma),
    "factorial(3.5)": Case(special.factorial, 3.5, mp.factorial, order=2),
    "rgamma at 0": Case(lambda x: 1 / special.gamma(x), 0.0, 1.0),
    "erfinv near 1": Case(special.erfinv, 1 - 1e-10, mp.erfinv),
    "erfinv near 1, curvature": Case(special.erfinv, 1 - 1e-10, mp.erfinv, order=2),
    "erfinv f32": Case(special.erfinv, 0.99999994, mp.erfinv, dtype="float32"),
    "ndtri(1e-20)": Case(special.ndtri, 1e-20, lambda p: mp.sqrt(2) * mp.erfinv(2 * p - 1)),
    "log_ndtr(-30) f32": Case(special.log_ndtr, -30.0, lambda x: mp.log(mp.erfc(-x / mp.sqrt(2)) / 2), dtype="float32"),
    "log_ndtr(6) order 2": Case(special.log_ndtr, 6.0, lambda x: mp.log(mp.erfc(-x / mp.sqrt(2)) / 2), order=2),
    "ndtr(-9)": Case(special.ndtr, -9.0, lambda x: mp.erfc(-x / mp.sqrt(2)) / 2),
    "erfc(27) order2": Case(special.erfc, 26.0, mp.erfc, order=2),
    "erfcx like": Case(lambda x: jnp.exp(x * x) * special.erfc(x), 10.0, lambda x: mp.exp(x * x) * mp.erfc(x)),
    "logit at 1e-300": Case(special.logit, 1e-300, lambda p: mp.log(p / (1 - p))),
    "logit near 1": Case(special.logit, 1 - 1e-12, lambda p: mp.log(p / (1 - p)), order=2),
    "expit(-800)": Case(special.expit, -800.0, 0.0),
    "expit(-40) curvature": Case(special.expit, -40.0, lambda x: 1 / (1 + mp.exp(-x)), order=2),
    "i1e(0)": Case(special.i1e, 0.0, 0.5),
    "i1(1e-10)": Case(special.i1, 1e-10, lambda x: mp.besseli(1, x)),
    "i1(0) third": Case(special.i1, 0.0, 0.375, order=3),
    "i0(0) fourth": Case(special.i0, 0.0, 0.375, order=4),
    "i0e(800)": Case(special.i0e, 800.0, lambda x: mp.exp(-x) * mp.besseli(0, x), order=2),
    "i1e(1e-8) curvature": Case(special.i1e, 1e-08, lambda x: mp.exp(-abs(x)) * mp.besseli(1, x), order=2),
    "betainc at 0, a=1": Case(lambda x: special.betainc(1.0, 1.0, x), 0.0, 1.0),
    "betainc at 1, b=1": Case(lambda x: special.betainc(2.0, 1.0, x), 1.0, 2.0),
    "betainc(2,3,.) 2nd at 0": Case(lambda x: special.betainc(2.0, 3.0, x), 0.0, 12.0 * 1.0, order=2),
    "gammainc(1,.) at 0": Case(lambda x: special.gammainc(1.0, x), 0.0, 1.0),
    "gammainc(2,.) at 0": Case(lambda x: special.gammainc(2.0, x), 0.0, 0.0),
    "gammainc(.5,.) at 0": Case(lambda x: special.gammainc(0.5, x), 0.0, INF),
    "gammaincc tail": Case(
        lambda x: special.gammaincc(3.0, x), 700.0, lambda x: mp.gammainc(3, x, mp.inf, regularized=True)
    ),
    "gammainc in a tail": Case(
        lambda a: special.gammainc(a, 0.1), 5.0, lambda a: mp.gammainc(a, 0, 0.1, regularized=True)
    ),
    "gammainc in a, big": Case(
        lambda a: special.gammainc(a, 100.0), 100.0, lambda a: mp.gammainc(a, 0, 100, regularized=True)
    ),
    "xlogy at x=0,y=2": Case(lambda x: special.xlogy(x, 2.0), 0.0, math.log(2)),
    "xlogy y at 0": Case(lambda y: special.xlogy(0.0, y), 0.0, 0.0),
    "xlog1py at x=0": Case(lambda x: special.xlog1py(x, 1e-20), 0.0, 1e-20),
    "xlog1py y=-1": Case(lambda y: special.xlog1py(0.0, y), -1.0, 0.0),
    "entr curvature tiny": Case(special.entr, 1e-200, lambda x: -x * mp.log(x), order=2),
    "kl_div in y at x=0": Case(lambda y: special.kl_div(0.0, y), 1.5, 1.0),
    "rel_entr in y at x=0": Case(lambda y: special.rel_entr(0.0, y), 1.5, 0.0),
    "kl_div at x=y": Case(lambda x: special.kl_div(x, 1.5), 1.5, 0.0),
    "log1p(1e-20) curvature": Case(jnp.log1p, 1e-20, mp.log1p, order=2),
    "log1p(-1+)": Case(jnp.log1p, -1 + 2 ** (-53), mp.log1p),
    "expm1 curvature": Case(jnp.expm1, 1e-20, mp.expm1, order=2),
    "expm1(-40) curvature": Case(jnp.expm1, -40.0, mp.expm1, order=2),
    "sinc f32 1e-3 curv": Case(jnp.sinc, 0.001, lambda x: mp.sincpi(x), order=2, dtype="float32"),
    "sinc third at 0": Case(jnp.sinc, 0.0, 0.0, order=3),
    "expi(-1e-3)": Case(special.expi, -0.001, mp.ei),
    "exp1(1e-10)": Case(special.exp1, 1e-10, mp.e1),
    "exp1(50)": Case(special.exp1, 50.0, mp.e1),
    "expn(3,.5)": Case(lambda x: special.expn(3, x), 0.5, lambda x: mp.expint(3, x)),
    "multigammaln": Case(
        lambda a: special.multigammaln(a, 2), 2.5, lambda a: mp.loggamma(a) + mp.loggamma(a - 0.5), order=2
    ),
    "spence at 0": Case(special.spence, 0.0, -INF),
    "spence(.3)": Case(special.spence, 0.3, lambda z: mp.polylog(2, 1 - z)),
    "hyp1f1 in a": Case(lambda a: special.hyp1f1(a, 2.5, 0.5), 1.5, lambda a: mp.hyp1f1(a, 2.5, 0.5)),
    "poch in x": Case(lambda z: special.poch(z, 2.5), 1.5, lambda z: mp.rf(z, 2.5)),
    "betaln(1e-10,1)": Case(lambda a: special.betaln(a, 1.0), 1e-10, lambda a: mp.log(mp.beta(a, 1))),
    "betaln(1e10,2)": Case(lambda a: special.betaln(a, 2.0), 10000000000.0, lambda a: mp.log(mp.beta(a, 2))),
    "binom logpmf p=0": Case(lambda p: stats.binom.logpmf(0, 3, p), 0.0, -3.0),
    "poisson logpmf mu=0": Case(lambda m: stats.poisson.logpmf(0, m), 0.0, -1.0),
    "bernoulli logpmf p=1": Case(lambda p: stats.bernoulli.logpmf(1, p), 1.0, 1.0),
    "bernoulli logpmf k=0 p=0": Case(lambda p: stats.bernoulli.logpmf(0, p), 0.0, -1.0),
    "geom logpmf p=1 k=1": Case(lambda p: stats.geom.logpmf(1, p), 1.0, 1.0),
    "gamma logpdf a=1 at 0": Case(lambda x: stats.gamma.logpdf(x, 1.0), 0.0, -1.0),
    "expon logpdf at 0": Case(stats.expon.logpdf, 0.0, -1.0),
    "beta logpdf in a": Case(
        lambda a: stats.beta.logpdf(0.3, a, 2.0),
        1.0,
        lambda a: (a - 1) * mp.log(0.3) + mp.log(1 - mp.mpf(0.3)) - mp.log(mp.beta(a, 2)),
    ),
    "gennorm logpdf at 0": Case(lambda x: stats.gennorm.logpdf(x, 2.0), 0.0, 0.0),
    "gennorm logpdf beta3 at 0": Case(lambda x: stats.gennorm.logpdf(x, 3.0), 0.0, 0.0),
    "laplace cdf at 0": Case(stats.laplace.cdf, 0.0, 0.5),
    "laplace cdf tail": Case(stats.laplace.cdf, 45.0, lambda x: 1 - mp.exp(-x) / 2),
    "norm logsf 40 f32": Case(stats.norm.logsf, 40.0, lambda x: mp.log(mp.erfc(x / mp.sqrt(2)) / 2), dtype="float32"),
    "norm logcdf -40": Case(stats.norm.logcdf, -40.0, lambda x: mp.log(mp.erfc(-x / mp.sqrt(2)) / 2)),
    "norm cdf -9 in scale": Case(
        lambda s: stats.norm.cdf(-9.0, 0.0, s), 1.0, lambda s: mp.erfc(9 / s / mp.sqrt(2)) / 2
    ),
    "truncnorm logpdf in a": Case(
        lambda a: stats.truncnorm.logpdf(0.5, a, 2.0),
        -1.0,
        lambda a: (
            -mp.mpf(0.125) - mp.log(2 * mp.pi) / 2 - mp.log(mp.erf(2 / mp.sqrt(2)) / 2 - mp.erf(a / mp.sqrt(2)) / 2)
        ),
    ),
    "t logpdf big df": Case(
        lambda df: stats.t.logpdf(1.0, df),
        100000000.0,
        lambda n: mp.loggamma((n + 1) / 2) - mp.loggamma(n / 2) - mp.log(n * mp.pi) / 2 - (n + 1) / 2 * mp.log1p(1 / n),
    ),
    "logistic logpdf tail": Case(stats.logistic.logpdf, 800.0, -1.0),
    "logistic logpdf(-800)": Case(stats.logistic.logpdf, -800.0, 1.0),
    "cauchy cdf far": Case(stats.cauchy.cdf, 10000000000.0, lambda x: mp.atan(x) / mp.pi),
    "pareto in b": Case(lambda b: stats.pareto.logpdf(2.0, b), 1.5, lambda b: mp.log(b) - (b + 1) * mp.log(2)),
    "nbinom in p at 1": Case(lambda p: stats.nbinom.logpmf(0, 2.0, p), 1.0, 2.0),
    "wrapcauchy": Case(
        lambda c: stats.wrapcauchy.logpdf(0.5, c),
        0.3,
        lambda c: mp.log((1 - c * c) / (2 * mp.pi * (1 + c * c - 2 * c * mp.cos(0.5)))),
    ),
    "x**2. at 0 curvature": Case(lambda x: jnp.power(x, jnp.asarray(2.0)), 0.0, 2.0, order=2),
    "x**3. at 0 third": Case(lambda x: jnp.power(x, jnp.asarray(3.0)), 0.0, 6.0, order=3),
    "x**1. at 0 curvature": Case(lambda x: jnp.power(x, jnp.asarray(1.0)), 0.0, 0.0, order=2),
    "x**1. at 0": Case(lambda x: jnp.power(x, jnp.asarray(1.0)), 0.0, 1.0),
    "(-2)**3.": Case(lambda x: jnp.power(x, jnp.asarray(3.0)), -2.0, 12.0),
    "(-2)**3. curvature": Case(lambda x: jnp.power(x, jnp.asarray(3.0)), -2.0, -12.0, order=2),
    "pow mixed at y=0": Case(lambda t: lax.pow(23.0 + t, t), 0.0, lambda t: (23 + t) ** t, order=2),
    "x**x at 0+": Case(lambda x: x**x, 0.0, -INF),
    "0**y at y=1": Case(lambda y: jnp.power(0.0, y), 1.0, 0.0),
    "x**0.5 at 0": Case(lambda x: x**0.5, 0.0, INF),
    "x**1.5 curvature at 0": Case(lambda x: x**1.5, 0.0, INF, order=2),
    "x**2.5 curvature at 0": Case(lambda x: x**2.5, 0.0, 0.0, order=2),
    "sqrt squared at 0": Case(lambda x: jnp.sqrt(x) ** 2, 0.0, 1.0),
    "sqrt of x^4": Case(lambda x: jnp.sqrt(x**4), 0.0, 0.0),
    "sqrt of x^4 curvature": Case(lambda x: jnp.sqrt(x**4), 0.0, 2.0, order=2),
    "cbrt cubed at 0": Case(lambda x: jnp.cbrt(x) ** 3, 0.0, 1.0),
    "cbrt of cube at 0": Case(lambda x: jnp.cbrt(x**3), 0.0, 1.0),
    "exp(log) at 0": Case(lambda x: jnp.exp(jnp.log(x)), 0.0, 1.0),
    "exp(2 log) at 0": Case(lambda x: jnp.exp(2 * jnp.log(x)), 0.0, 0.0),
    "float_power at 0": Case(lambda x: jnp.float_power(x, 2), 0.0, 2.0, order=2),
    "y/y tiny": Case(lambda y: 1e-200 / y, 1e-200, lambda y: mp.mpf(1e-200) / y),
    "y/y huge": Case(lambda y: 1e200 / y, 1e200, lambda y: mp.mpf(1e200) / y),
    "1/x tiny sq": Case(lambda x: 1 / x, 1e-160, lambda x: 1 / x),
    "rsqrt huge": Case(lax.rsqrt, 1e250, lambda x: x ** mp.mpf(-0.5)),
    "rsqrt tiny curvature": Case(lax.rsqrt, 1e-120, lambda x: x ** mp.mpf(-0.5), order=2),
    "x**-3 f32": Case(lambda x: x ** (-3), 1e-09, lambda x: x ** (-3), dtype="float32"),
    "cbrt tiny curvature": Case(jnp.cbrt, 1e-150, mp.cbrt, order=2),
    "x/(x+y) tiny": Case(lambda x: x / (x + 1e-200), 1e-200, lambda x: x / (x + mp.mpf(1e-200))),
    "arccosh huge": Case(jnp.arccosh, 1e200, mp.acosh),
    "arcsinh huge": Case(jnp.arcsinh, 1e200, mp.asinh),
    "arctan 1e160": Case(jnp.arctan, 1e150, mp.atan),
    "arccosh at 1+": Case(jnp.arccosh, 1 + 2 ** (-52), mp.acosh),
    "arccosh at 1": Case(jnp.arccosh, 1.0, INF),
    "arcsin at 1": Case(jnp.arcsin, 1.0, INF),
    "arccos near 1": Case(jnp.arccos, 1 - 2 ** (-53), mp.acos),
    "arcsin tiny curvature": Case(jnp.arcsin, 1e-200, mp.asin, order=2),
    "arctanh(1-)": Case(jnp.arctanh, 1 - 2 ** (-53), mp.atanh),
    "arctan2 tiny": Case(lambda y: jnp.arctan2(y, 1e-200), 1e-200, lambda y: mp.atan(y / mp.mpf(1e-200))),
    "arctan2 huge": Case(lambda y: jnp.arctan2(y, 1e200), 1e200, lambda y: mp.atan(y / mp.mpf(1e200))),
    "arctan2(a,a) at 3": Case(lambda a: jnp.arctan2(a, a), 3.0, 0.0),
    "hypot huge": Case(lambda x: jnp.hypot(x, 1e200), 1e200, lambda x: mp.hypot(x, mp.mpf(1e200))),
    "hypot(3,y) curvature at 0": Case(lambda y: jnp.hypot(3.0, y), 0.0, 1 / 3, order=2),
    "tanh curvature tail": Case(jnp.tanh, 20.0, mp.tanh, order=2),
    "sinh/cosh": Case(lambda x: jnp.sinh(x) / jnp.cosh(x), 20.0, mp.tanh),
    "log cosh tail curvature": Case(lambda x: jnp.log(jnp.cosh(x)), 20.0, lambda x: mp.log(mp.cosh(x)), order=2),
    "tan near pole": Case(jnp.tan, 1.5707963267948966, mp.tan),
    "sin huge f32": Case(jnp.sin, 1e17, mp.sin, dtype="float32"),
    "sign*abs at 0": Case(lambda x: jnp.sign(x) * jnp.abs(x), 0.0, 1.0),
    "x*sign(x)*.. abs^2": Case(lambda x: jnp.abs(x) * jnp.abs(x), 0.0, 2.0, order=2),
    "max(x,0)-max(-x,0)": Case(lambda x: jnp.maximum(x, 0) - jnp.maximum(-x, 0), 0.0, 1.0),
    "max+min at a tie": Case(lambda x: jnp.maximum(x, 1.0) + jnp.minimum(x, 1.0), 1.0, 1.0),
    "max*min at tie curvature": Case(lambda x: jnp.maximum(x, 1.0) * jnp.minimum(x, 1.0), 1.0, 0.0, order=2),
    "max(x,x)": Case(lambda x: jnp.maximum(x, x), 2.0, 1.0),
    "relu squared slope": Case(lambda x: nn.relu(x) ** 2, 0.0, 0.0),
    "relu cubed curvature": Case(lambda x: nn.relu(x) ** 3, 0.0, 0.0, order=2),
    "relu(x)^2+relu(-x)^2 curv": Case(lambda x: nn.relu(x) ** 2 + nn.relu(-x) ** 2, 0.0, 2.0, order=2),
    "elu slope at 0": Case(nn.elu, 0.0, 1.0),
    "celu slope at 0": Case(lambda x: nn.celu(x, 0.5), 0.0, 1.0),
    "softplus -inf": Case(nn.softplus, -INF, 0.0),
    "sigmoid inf": Case(nn.sigmoid, INF, 0.0),
    "mish(-60)": Case(nn.mish, -60.0, lambda x: x * mp.tanh(mp.log1p(mp.exp(x)))),
    "mish(-800)": Case(nn.mish, -800.0, 0.0),
    "squareplus tail": Case(nn.squareplus, -1000000000.0, lambda x: (x + mp.sqrt(x * x + 4)) / 2),
    "sparse_plus at 1": Case(nn.sparse_plus, 1.0, 1.0),
    "sparse_plus at -1": Case(nn.sparse_plus, -1.0, 0.0),
    "gelu exact -5 curv": Case(
        lambda x: nn.gelu(x, approximate=False), -7.0, lambda x: x * mp.erfc(-x / mp.sqrt(2)) / 2, order=2
    ),
    "gelu approx -6": Case(
        nn.gelu, -6.0, lambda x: x / 2 * (1 + mp.tanh(mp.sqrt(2 / mp.pi) * (x + mp.mpf("0.044715") * x**3)))
    ),
    "log_softmax -inf": Case(lambda x: nn.log_softmax(jnp.stack([x, -jnp.inf * jnp.ones_like(x)]))[0], 1.0, 0.0),
    "softmax saturated f16": Case(
        lambda x: nn.softmax(jnp.stack([x, 0 * x]))[1], 12.0, lambda x: 1 / (1 + mp.exp(x)), dtype="float16"
    ),
    "logaddexp(-inf,x)": Case(lambda x: jnp.logaddexp(-jnp.inf, x), 1.0, 1.0),
    "logaddexp far": Case(lambda x: jnp.logaddexp(x, 0.0), -40.0, lambda x: mp.log1p(mp.exp(x))),
    "logaddexp far curv": Case(lambda x: jnp.logaddexp(x, 0.0), 40.0, lambda x: mp.log1p(mp.exp(x)), order=2),
    "logsumexp huge": Case(lambda x: special.logsumexp(jnp.stack([x, x])), 1e300, 1.0),
    "logsumexp b neg": Case(
        lambda x: special.logsumexp(jnp.stack([x, 0 * x]), b=jnp.array([1.0, -1.0])),
        1e-10,
        lambda x: mp.log(mp.expm1(x)),
    ),
    "sqrt(max(x,0)) at -1": Case(lambda x: jnp.sqrt(jnp.maximum(x, 0)), -1.0, 0.0),
    "where sqrt norm": Case(lambda x: jnp.where(x > 0, jnp.sqrt(x), 0.0), -1.0, 0.0),
    "where exp overflow": Case(lambda x: jnp.where(x > 0, x, jnp.exp(x) - 1), 800.0, 1.0),
    "bump at 0": Case(lambda x: jnp.where(x > 0, jnp.exp(-1 / x**2), 0.0), 0.0, 0.0),
    "bump tiny": Case(lambda x: jnp.exp(-1 / x**2), 0.001, 0.0),
    "(1-cos)/x^2 at 0": Case(lambda x: jnp.where(x == 0, 0.5, (1 - jnp.cos(x)) / x**2), 0.0, 0.0),
    "(1-cos)/x^2 1e-6": Case(lambda x: (1 - jnp.cos(x)) / x**2, 1e-06, lambda x: (1 - mp.cos(x)) / x**2),
    "expm1(x)/x at 0 safe": Case(lambda x: jnp.where(x == 0, 1.0, jnp.expm1(x) / jnp.where(x == 0, 1.0, x)), 0.0, 0.5),
    "log(1-exp(-x))": Case(lambda x: jnp.log(1 - jnp.exp(-x)), 1e-18, lambda x: mp.log(1 - mp.exp(-x))),
    "log(1-sigmoid)": Case(lambda x: jnp.log(1 - nn.sigmoid(x)), 40.0, lambda x: -mp.log1p(mp.exp(x))),
    "log softmax by hand": Case(lambda x: jnp.log(nn.softmax(jnp.stack([x, 0 * x]))[1]), 800.0, -1.0),
    "clip grad at edge": Case(lambda x: jnp.clip(x, -1, 1) + jnp.maximum(x - 1, 0) + jnp.minimum(x + 1, 0), 1.0, 1.0),
    "arccos of cos": Case(lambda x: jnp.arccos(jnp.cos(x)), 1e-09, 1.0),
    "mod in divisor": Case(lambda y: jnp.mod(-5.5, y), 3.0, 2.0),
    "fmod in divisor": Case(lambda y: jnp.fmod(-5.5, y), 3.0, 1.0),
    "divmod rem": Case(lambda x: jnp.divmod(x, 2.0)[1], 5.5, 1.0),
    "floor_divide": Case(lambda x: jnp.floor_divide(x, 2.0), 5.5, 0.0),
    "round 2 decimals": Case(lambda x: jnp.round(x, 2), 0.123, 0.0),
    "modf": Case(lambda x: jnp.modf(x)[0], 2.5, 1.0),
    "unwrap": Case(lambda x: jnp.sum(jnp.unwrap(jnp.stack([0 * x, x, 2 * x]))), 4.0, 3.0),
    "mean f16": Case(lambda x: jnp.mean(jnp.ones(20, x.dtype) * x), 5000.0, 1.0, dtype="float16"),
    "norm f16": Case(lambda x: jnp.linalg.norm(jnp.stack([x, x])), 300.0, math.sqrt(2), dtype="float16"),
    "var f16": Case(lambda x: jnp.var(jnp.stack([x, -x])), 300.0, 600.0, dtype="float16"),
    "square bf16": Case(lambda x: x * x, 3.0, 6.0, dtype="bfloat16"),
    "logsumexp f16": Case(
        lambda x: special.logsumexp(jnp.stack([x, 0 * x])), 12.0, lambda x: mp.log1p(mp.exp(x)), dtype="float16"
    ),
    "i0 bf16": Case(special.i0, 0.0, 0.0, dtype="bfloat16"),
    "exp f16 11.2": Case(jnp.exp, 11.0, mp.exp, dtype="float16"),
}

PROGRAMS = {1: ("jacfwd/eager", "jacrev/jit"), 2: ("fwd-rev/jit", "rev-fwd/eager")}


@cache
def _result(name: str) -> Result:
    case = CASES[name]
    return verifier.check(case.fn, case.point, orders=(case.order,), programs=PROGRAMS.get(case.order))


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
        error = _share(each.value, case.derivative)
        if error > 1 / 16:
            assert (each.fails, each.undecided) == (True, False), str(result)
        elif error <= 64 * float(named(each.dtype).unit_roundoff):
            assert (each.fails, each.undecided) == (False, False), str(result)


@pytest.mark.parametrize("name", CASES)
def test_the_truth_is_that_of_mpmath(name):
    """The primal may be an approximation of the function that it is named after, good to the dtype that is asked for.

    In its wide trace, too: log_ndtr at -30 is a series of three terms, whose slope is 30.03325966739146796 there.
    """
    case, result = CASES[name], _result(name)
    room = 1e-12 if case.dtype == "float64" else 1e-6
    for each in (each for each in result.verdicts if each.order == case.order):
        assert _share(float(each.truth), case.derivative) <= room, each.truth


def _spoiled(fn: Any) -> Any:
    """The function with a rule that is off by one part in 4,096."""

    @jax.custom_jvp
    def spoiled(x):
        return fn(x)

    @spoiled.defjvp
    def _(primals, tangents):
        value, tangent = jax.jvp(fn, primals, tangents)
        return value, tangent * (1 + 2.0**-12)

    return spoiled


SPOILED = (
    "polygamma(1,-1.5)",
    "gammainc in a tail",
    "norm logcdf -40",
    "x**1. at 0",
    "rsqrt huge",
    "max(x,x)",
    "elu slope at 0",
    "mod in divisor",
)


@pytest.mark.parametrize("name", SPOILED)
def test_a_planted_fault_is_found_at_the_same_points(name):
    case = CASES[name]
    result = verifier.check(_spoiled(case.fn), case.point, programs=("jacfwd/eager",))
    assert {each.rule for each in result.findings} <= {RuleClass.WRONG, RuleClass.INEXACT}
    assert result.findings, str(result)
