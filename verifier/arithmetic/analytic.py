"""Analytic functions of several germs that vary together, by Cauchy's integral: no derivative in any argument is used.

Along a curve s -> (p_1(s), ..., p_n(s)) of polynomials h(s) = f(p_1(s), ..., p_n(s)) is analytic in |s| <= R where f is
analytic over the whole disc. With M >= |h| on |s| = R and N points on |s| = r < R

    c_m = 1/(N r^m) sum_j h(r w^j) w^(-jm) + e_m,   w = e^(2 pi i/N),   |e_m| <= 2 M R^-m (r/R)^N

Source: Trefethen and Weideman, The exponentially convergent trapezoidal rule (2014), Theorem 2.1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, lcm
from types import MappingProxyType

from flint import acb, arb, fmpq

from verifier.arithmetic.elements import BITS, ORDER, Unknown
from verifier.arithmetic.expansion import Exponent, Germ, Term, as_exponent, ball_of
from verifier.arithmetic.functions import FLINT_ERRORS
from verifier.arithmetic.powers import GermElement
from verifier.arithmetic.precision import current_precision, working_precision

__all__ = ["ANALYTIC", "along_curve"]

# log2 of R/r: each point more gains so many bits, and each coefficient loses as many.
_GAIN = 8
_GUARD_BITS = 64
_LARGEST_ROOT = 12
# The circle is covered by so many boxes to bound the function on it, at this precision.
_BOXES, _BOUND_BITS = 64, 128
_RADII = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256, 512, 1024)
"""-log2 of the radii that are tried."""

Complex = Callable[..., acb]


@dataclass(frozen=True, slots=True)
class _Analytic:
    """A function of complex numbers, where it is certainly analytic, and a bound of its size over boxes there."""

    function: Complex
    inside: Callable[..., bool]
    size: Callable[..., arb] | None = None


def _positive(*numbers: acb) -> bool:
    return all(each.real > 0 for each in numbers)


def _incomplete_gamma_size(a: acb, x: acb) -> arb:
    """|P|, |Q| <= |x^a| Re(x)^(-Re a) gamma(Re a) / |gamma(a)|, by |int u^(a-1) e^(-xu) du| along the ray to x.

    Source: DLMF 8.2.1, 8.2.2.
    """
    power = (a * x.log()).real - a.real * x.real.log()
    return (power + a.real.lgamma() - a.lgamma().real).exp()


ANALYTIC: Mapping[str, _Analytic] = MappingProxyType(
    {
        "igamma": _Analytic(lambda a, x: x.gamma_lower(a, 1), _positive, _incomplete_gamma_size),
        "igammac": _Analytic(lambda a, x: x.gamma_upper(a, 1), _positive, _incomplete_gamma_size),
        "betainc": _Analytic(lambda a, b, x: x.beta_lower(a, b, 1), lambda a, b, x: _positive(a, b, x, 1 - x)),
        "zeta": _Analytic(lambda s, q: s.zeta(q), lambda s, q: _positive(q) and not (s - 1).contains(0)),
        "besselj": _Analytic(lambda n, x: x.bessel_j(n), lambda n, x: _positive(x)),
        "bessely": _Analytic(lambda n, x: x.bessel_y(n), lambda n, x: _positive(x)),
        "besseli": _Analytic(lambda n, x: x.bessel_i(n), lambda n, x: _positive(x)),
        "besselk": _Analytic(lambda n, x: x.bessel_k(n), lambda n, x: _positive(x)),
    }
)


def along_curve(name: str, order: Exponent, *operands: Germ) -> GermElement:
    """The function of germs that may all vary, to O(t^order) or what the operands know; unknown off its domain."""
    root = _root(operands)
    if root is None:
        return Unknown(f"{name}: its arguments are no power series in a root of t", "")
    known = min((Fraction(each.order) for each in operands if each.order is not None), default=Fraction(order))
    known = min(known, Fraction(order))
    if known <= 0:
        return Unknown(f"the limit of an argument of {name} is beyond O(t^{known})", ORDER)
    curve = [_polynomial(each, root) for each in operands]
    coefficients = _coefficients(name, curve, ceil(known * root))
    if isinstance(coefficients, Unknown):
        return coefficients
    terms = tuple(
        Term(as_exponent(Fraction(m, root)), 0, each) for m, each in enumerate(coefficients) if not each.is_zero()
    )
    return Germ(tuple(each for each in terms if each.exponent < known), as_exponent(known))


def _root(germs: Sequence[Germ]) -> int | None:
    """q where all exponents are natural multiples of 1/q and no logarithm stands; else None."""
    terms = [term for each in germs for term in each.terms]
    if any(term.logs or term.exponent < 0 for term in terms):
        return None
    root = lcm(*(Fraction(term.exponent).denominator for term in terms))
    return root if root <= _LARGEST_ROOT else None


def _polynomial(germ: Germ, root: int) -> list[arb | fmpq]:
    """Coefficients in s = t^(1/root)."""
    degree = int(germ.terms[-1].exponent * root) if germ.terms else 0
    coefficients: list[arb | fmpq] = [fmpq(0)] * (degree + 1)
    for term in germ.terms:
        coefficients[int(term.exponent * root)] = term.coefficient
    return coefficients


def _at(curve: Sequence[Sequence[arb | fmpq]], s: acb) -> list[acb]:
    points = []
    for coefficients in curve:
        value = acb(0)
        for each in reversed(coefficients):
            value = value * s + ball_of(each)
        points.append(value)
    return points


def _coefficients(name: str, curve: Sequence[Sequence[arb | fmpq]], count: int) -> list[arb] | Unknown:
    bits = current_precision()
    found = _disc(name, curve)
    if found is None:
        return Unknown(f"{name}: no disc around the point where it is certainly analytic", "")
    exponent, bound = found
    points = count + ceil(Fraction(bits, _GAIN)) + 2
    with working_precision(bits + _GAIN * (count + 2) + _GUARD_BITS):
        try:
            coefficients = _sampled(name, curve, count, points, exponent, bound)
        except FLINT_ERRORS:
            coefficients = None
    return Unknown(f"{name}: not found beside the point", BITS) if coefficients is None else coefficients


def _disc(name: str, curve: Sequence[Sequence[arb | fmpq]]) -> tuple[int, arb] | None:
    """(-log2 R, M) of the largest disc that is tried and certainly fits."""
    row = ANALYTIC[name]
    size = row.size or (lambda *numbers: abs(row.function(*numbers)))
    with working_precision(_BOUND_BITS):
        for exponent in _RADII:
            radius = arb(2) ** -exponent
            square = acb(arb(0, radius), arb(0, radius))
            if not row.inside(*_at(curve, square)):
                continue
            bound = _bound(size, curve, radius)
            if bound is not None:
                return exponent, bound
    return None


def _bound(size: Callable[..., arb], curve: Sequence[Sequence[arb | fmpq]], radius: arb) -> arb | None:
    """The largest |h| on the circle; real curves make both halves mirror images."""
    largest = arb(0)
    for box in range(_BOXES):
        angle = arb((box + arb(1) / 2) / _BOXES, arb(1) / (2 * _BOXES)) * arb.pi()
        try:
            here = size(*_at(curve, acb(radius * angle.cos(), radius * angle.sin())))
        except FLINT_ERRORS:
            return None
        if not here.is_finite():
            return None
        largest = largest.max(here.upper())
    return largest


def _sampled(
    name: str, curve: Sequence[Sequence[arb | fmpq]], count: int, points: int, exponent: int, bound: arb
) -> list[arb] | None:
    function = ANALYTIC[name].function
    radius = arb(2) ** -(exponent + _GAIN)
    half = [function(*_at(curve, radius * _turn(j, points))) for j in range(points // 2 + 1)]
    if not all(each.is_finite() for each in half):
        return None
    found = []
    for m in range(count):
        total = half[0].real + sum(
            (1 if 2 * j == points else 2) * (half[j] * _turn(-j * m, points)).real for j in range(1, len(half))
        )
        error = 2 * bound * arb(2) ** (exponent * m - _GAIN * points)
        found.append(total / (points * radius**m) + error * arb(0, 1))
    return found


def _turn(steps: int, points: int) -> acb:
    """e^(2 pi i steps/points)."""
    angle = fmpq(2 * (steps % points), points)
    return acb(arb.cos_pi_fmpq(angle), arb.sin_pi_fmpq(angle))
