"""Germs put into series: composition with a Taylor series, quotients and powers by valuation, exp and log.

Results that are no germ are definite specials or unknown; nothing raises but `NotRegular`, which `germ` turns into
unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import reduce
from math import ceil

from flint import arb, fmpq, fmpq_poly, fmpz

from verifier.arithmetic.elements import BITS, NAN, ORDER, POS_INF, Special, Unknown
from verifier.arithmetic.expansion import (
    Coefficient,
    Exponent,
    Germ,
    Term,
    add,
    as_exponent,
    ball_of,
    constant_germ,
    constant_term,
    exponent_of_coefficient,
    is_zero,
    leading,
    monomial,
    multiply,
    scale,
    sign_near_zero,
    tail,
    truncate,
    unit,
    valuation,
)
from verifier.arithmetic.functions import FLINT_ERRORS
from verifier.arithmetic.taylor import Taylor, binomial_series, value

__all__ = [
    "GermElement",
    "Regular",
    "compose",
    "divide",
    "exponential",
    "flat",
    "logarithm",
    "power",
    "split",
    "substitute",
]

GermElement = Germ | Special | Unknown
# Powers of a small germ that a composition uses at most; a germ of valuation 1/1000 is cut early instead.
_MOST_POWERS = 200
# Repeated multiplication is used up to this natural exponent where the leading term is undecided.
_LARGEST_PRODUCT = 64
# The degree up to which a root is sought among polynomials.
_MOST_ROOTED = 64
_HALF = Fraction(1, 2)


def flat(order: Exponent) -> Germ:
    """A function smaller than every power of t: all that is said of it is O(t^order)."""
    return Germ((), order)


class Regular:
    """A germ split at its limit: c0 + delta, delta -> 0."""

    __slots__ = ("constant", "delta")

    def __init__(self, constant: Coefficient, delta: Germ) -> None:
        self.constant = constant
        self.delta = delta


def split(germ: Germ) -> Regular | Term | Unknown:
    """c0 + delta where the germ has a finite limit, the dominant term where it has none, or unknown."""
    start = valuation(germ)
    if start < 0 or (start == 0 and germ.terms and germ.terms[0].logs):
        first = leading(germ)
        assert first is not None
        return first
    if germ.order is not None and germ.order <= 0:
        return Unknown(f"its limit is beyond O(t^{germ.order})", ORDER)
    constant = constant_term(germ)
    return Regular(constant, Germ(tuple(each for each in germ.terms if each.exponent != 0), germ.order))


def substitute(delta: Germ, taylor: Callable[[int], list[Coefficient]], order: Exponent) -> Germ:
    """sum f_j delta^j for delta -> 0, known to O(t^order) or better where delta is coarser (Horner's scheme)."""
    if is_zero(delta):
        return constant_germ(taylor(1)[0])
    start = valuation(delta)
    assert not isinstance(start, float), "only an exact zero has an infinite valuation"
    assert start > 0
    count = max(1, min(ceil(Fraction(order) / start), _MOST_POWERS))
    known = min(order, as_exponent(Fraction(count) * start))
    coefficients = taylor(count)[:count]
    result = truncate(constant_germ(coefficients[-1]), known)
    for coefficient in reversed(coefficients[:-1]):
        result = add(multiply(result, delta, known), constant_germ(coefficient))
    return truncate(result, known)


def compose(taylor: Taylor, regular: Regular, order: Exponent) -> Germ:
    """f(c0 + delta) from the Taylor coefficients of f at c0."""
    return substitute(regular.delta, lambda count: taylor(regular.constant, count), order)


def _relative(germ: Germ, first: Term) -> Germ:
    """delta with germ = first (1 + delta), for a dominant term without logarithms."""
    return scale(tail(germ, first), 1 / first.coefficient, -first.exponent)


def divide(a: Germ, b: Germ, order: Exponent) -> GermElement:
    """a / b: the dominant term of b is divided out, the rest is a geometric series."""
    if a is b and not isinstance(leading(b), Unknown) and not is_zero(b):
        return unit()
    first = leading(b)
    if first is None:
        return _over_zero(a)
    if isinstance(first, Unknown):
        return first
    if first.logs:
        return _divide_by_log(a, b, first)
    inverse = 1 / first.coefficient
    quotient = scale(a, inverse, -first.exponent)
    rest = _relative(b, first)
    if is_zero(rest):
        return quotient
    # The quotient starts at t^start: relative terms up to order - start are needed, and at least one.
    start = valuation(quotient)
    wanted = order if isinstance(start, float) else max(order - start, order)
    return multiply(quotient, substitute(rest, _geometric, wanted))


def _divide_by_log(a: Germ, b: Germ, first: Term) -> GermElement:
    """a / (c t^v (log t)^k): a germ only where b has no other term and every term of a has enough logarithms."""
    if b.order is None and len(b.terms) == 1 and all(term.logs >= first.logs for term in a.terms) and a.order is None:
        lowered = Germ(tuple(Term(each.exponent, each.logs - first.logs, each.coefficient) for each in a.terms))
        return scale(lowered, 1 / first.coefficient, -first.exponent)
    return Unknown("a quotient by log t is no germ of this kind", "")


def _over_zero(a: Germ) -> Special | Unknown:
    sign = sign_near_zero(a)
    if isinstance(sign, Unknown):
        return sign
    return NAN if sign == 0 else POS_INF if sign > 0 else Special.NEG_INF


def _geometric(count: int) -> list[Coefficient]:
    return [fmpq(1 - 2 * (k % 2)) for k in range(count)]


def power(germ: Germ, exponent: Coefficient, order: Exponent) -> GermElement:
    """germ^p for a constant p: (c t^a)^p (1 + delta)^p."""
    rational = exponent_of_coefficient(exponent)
    if rational == 0:
        return unit()
    first = leading(germ)
    if first is None:
        return _power_of_zero(exponent)
    if isinstance(first, Unknown) or first.logs or (rational == int(rational or 0) and _is_short(germ, rational)):
        return _by_products(germ, rational, order, first)
    factor = _power_of_coefficient(first.coefficient, exponent)
    if not isinstance(factor, (arb, fmpq)):
        return factor
    if rational is None and first.exponent != 0:
        return Unknown("t to an exponent that is no exact rational", "")
    shift = 0 if rational is None else as_exponent(Fraction(first.exponent) * rational)
    wanted, rest = max(order - shift, order), _relative(germ, first)
    series = _polynomial_root(rest) if rational == _HALF else None
    return scale(series or substitute(rest, lambda count: binomial_series(exponent, count), wanted), factor, shift)


def _polynomial_root(delta: Germ) -> Germ | None:
    """sqrt(1 + delta) where that is a polynomial: |x| as sqrt(x^2), the size of a complex number on an axis.

    A tie with the polynomial itself is one that no order of a series decides.
    """
    if delta.order is not None or not all(map(_is_plain, delta.terms)):
        return None
    found = {0: fmpq(1), **{term.exponent: term.coefficient for term in delta.terms}}
    try:
        root = fmpq_poly([found.get(each, 0) for each in range(int(max(found)) + 1)]).sqrt()
    except FLINT_ERRORS:
        return None
    # Of the two roots it is the one that begins with 1.
    return reduce(add, (monomial(each / root[0], exponent) for exponent, each in enumerate(root.coeffs()) if each))


def _is_plain(term: Term) -> bool:
    """Whether a polynomial has such a term; its other coefficients are zeros."""
    short = isinstance(term.exponent, int) and 0 < term.exponent <= _MOST_ROOTED
    return short and not term.logs and isinstance(term.coefficient, fmpq)


def _is_short(germ: Germ, n: Exponent | None) -> bool:
    """Whether a natural power of it is best taken by multiplication, exactly."""
    return n is not None and germ.order is None and 0 < n <= 16 and 1 < len(germ.terms) ** n <= 64


def _by_products(germ: Germ, n: Exponent | None, order: Exponent, first: Term | Unknown) -> GermElement:
    """germ^n by repeated squaring, which needs no dominant term."""
    if not isinstance(n, int) or n < 0 or n > _LARGEST_PRODUCT:
        return first if isinstance(first, Unknown) else Unknown("a power of log t that is no natural number", "")
    result: Germ | None = None
    while n:
        if n & 1:
            result = germ if result is None else multiply(result, germ)
        germ, n = (multiply(germ, germ), n >> 1) if n > 1 else (germ, 0)
    assert result is not None
    return result


def _power_of_zero(exponent: Coefficient) -> GermElement:
    size = ball_of(exponent)
    if size > 0:
        return constant_germ(fmpq(0))
    return POS_INF if size < 0 else Unknown("0 to a power of unknown sign", BITS)


def _power_of_coefficient(base: Coefficient, exponent: Coefficient) -> Coefficient | Special | Unknown:
    """base^exponent, rational where both are and the power is exact."""
    rational = exponent_of_coefficient(exponent)
    if isinstance(base, fmpq) and rational is not None:
        exact = _rational_power(base, Fraction(rational))
        if exact is not None:
            return exact
    if ball_of(base) < 0 and rational is not None and rational != int(rational):
        return NAN
    return value("pow", base, exponent)


def _rational_power(base: fmpq, exponent: Fraction) -> fmpq | None:
    if abs(exponent.numerator) > _LARGEST_PRODUCT or exponent.denominator > _LARGEST_PRODUCT:
        return None
    if exponent.denominator > 1 and base < 0:
        return None
    root = tuple(_exact_root(int(part), exponent.denominator) for part in (base.p, base.q))
    return None if None in root else fmpq(*root) ** exponent.numerator


def _exact_root(n: int, degree: int) -> int | None:
    if degree == 1 or n in (0, 1):
        return n
    root = int(fmpz(n).root(degree))
    return root if root**degree == n else None


def logarithm(germ: Germ, order: Exponent) -> GermElement:
    """log(c t^a (1 + delta)) = log c + a log t + log1p(delta)."""
    first = leading(germ)
    if first is None:
        return Special.NEG_INF
    if isinstance(first, Unknown):
        return first
    sign = sign_near_zero(germ)
    if not isinstance(sign, Unknown) and sign < 0:
        return NAN
    if first.logs:
        return Unknown("the logarithm of log t is no germ of this kind", "")
    constant = constant_germ(value("log", first.coefficient))
    exponent = Fraction(first.exponent)
    slope = monomial(fmpq(exponent.numerator, exponent.denominator), 0, 1)
    series = substitute(_relative(germ, first), _log1p_at_zero, order)
    return add(add(constant, slope), series)


def _log1p_at_zero(count: int) -> list[Coefficient]:
    return [fmpq(0), *(fmpq(1 if k % 2 else -1, k) for k in range(1, count))]


def exponential(germ: Germ, order: Exponent) -> GermElement:
    """exp of a germ: of its divergent part by kind (a power of t, flat, or essential), of the rest by series."""
    start = valuation(germ)
    divergent = tuple(each for each in germ.terms if each.exponent < 0 or (each.exponent == 0 and each.logs))
    if germ.order is not None and germ.order <= 0 and not divergent:
        return Unknown(f"its limit is beyond O(t^{germ.order})", ORDER)
    if not divergent:
        rest = Germ(tuple(each for each in germ.terms if each.exponent != 0), germ.order)
        return _exponential_of_regular(constant_term(germ), rest, order)
    if start == 0 and len(divergent) == 1 and divergent[0].logs == 1:
        return _exponential_of_log(germ, divergent[0], order)
    sign = sign_near_zero(germ)
    if isinstance(sign, Unknown):
        return sign
    return (
        flat(order) if sign < 0 else Unknown("exp of something that grows like a power: an essential singularity", "")
    )


def _exponential_of_regular(constant: Coefficient, delta: Germ, order: Exponent) -> Germ:
    series = substitute(delta, _exp_at_zero, order)
    return scale(series, value("exp", constant))


def _exp_at_zero(count: int) -> list[Coefficient]:
    coefficients: list[Coefficient] = [fmpq(1)]
    for k in range(1, count):
        coefficients.append(coefficients[-1] / k)
    return coefficients


def _exponential_of_log(germ: Germ, term: Term, order: Exponent) -> GermElement:
    """exp(c log t + rest) = t^c exp(rest)."""
    exponent = exponent_of_coefficient(term.coefficient)
    if exponent is None:
        return Unknown("t to an exponent that is no exact rational", "")
    rest = exponential(tail(germ, term), max(order - exponent, order))
    return scale(rest, fmpq(1), exponent) if isinstance(rest, Germ) else rest
