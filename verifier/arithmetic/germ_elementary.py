"""Elementary functions of germs: Taylor series at regular points, and what happens at 0, at ends and at infinity.

Every entry of `GERM_ELEMENTARY` maps (order, germ, ...) to a germ, a definite special or unknown, at the current
precision.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from flint import arb, fmpq

from verifier.arithmetic.elements import BITS, NAN, Special, Unbounded, Unknown, as_integer
from verifier.arithmetic.expansion import (
    Exponent,
    Germ,
    add,
    ball_of,
    constant_germ,
    exponent_of_coefficient,
    hull,
    is_constant,
    is_zero,
    leading,
    multiply,
    negate,
    scale,
    sign_near_zero,
    truncate,
    unit,
    valuation,
)
from verifier.arithmetic.powers import (
    GermElement,
    Regular,
    compose,
    divide,
    exponential,
    flat,
    logarithm,
    power,
    split,
    substitute,
)
from verifier.arithmetic.taylor import TAYLOR, NotRegular

__all__ = ["GERM_ELEMENTARY", "GermFunction", "Quit", "chain", "germ_sub"]

GermFunction = Callable[..., GermElement]
HALF = fmpq(1, 2)


class Quit(Exception):
    """A step of a composition gave no germ; carries what it gave. Never leaves this package."""

    def __init__(self, outcome: Special | Unknown) -> None:
        super().__init__(outcome)
        self.outcome = outcome


def chain(element: GermElement) -> Germ:
    """The germ, or an early exit with what there is instead: lets compositions be written as formulas."""
    if isinstance(element, Germ):
        return element
    raise Quit(element)


def germ_sub(a: Germ, b: Germ) -> Germ:
    """a - b; exactly 0 for the same germ object."""
    return Germ(()) if a is b else add(a, negate(b))


def _sign(germ: Germ) -> int:
    sign = sign_near_zero(germ)
    if isinstance(sign, Unknown):
        raise Quit(sign)
    return sign


def _regular(name: str, at_infinity: Callable[[Exponent, Germ, int], GermElement] | None = None) -> GermFunction:
    """A function that is analytic at every finite point where FLINT finds it finite."""
    taylor = TAYLOR[name]

    def function(order: Exponent, germ: Germ) -> GermElement:
        limit = split(germ)
        if isinstance(limit, Unknown):
            return limit
        if isinstance(limit, Regular):
            return compose(taylor, limit, order)
        if at_infinity is None:
            return Unknown(f"{name} of something that grows without bound has no expansion of this kind", "")
        return at_infinity(order, germ, _sign(germ))

    return function


def _exp(order: Exponent, germ: Germ) -> GermElement:
    return exponential(germ, order)


def _expm1_at_infinity(order: Exponent, germ: Germ, sign: int) -> GermElement:
    return germ_sub(chain(exponential(germ, order)), unit())


def _hyperbolic_at_infinity(sine: int) -> Callable[[Exponent, Germ, int], GermElement]:
    def at_infinity(order: Exponent, germ: Germ, sign: int) -> GermElement:
        growing, falling = chain(exponential(germ, order)), chain(exponential(negate(germ), order))
        return scale(add(growing, scale(falling, fmpq(-sine))), HALF)

    return at_infinity


def _tanh_at_infinity(order: Exponent, germ: Germ, sign: int) -> GermElement:
    """sign (1 - e) / (1 + e) with e = exp(-2 |g|) -> 0."""
    small = chain(exponential(scale(germ, fmpq(-2 * sign)), order))
    ratio = chain(divide(germ_sub(unit(), small), add(unit(), small), order))
    return scale(ratio, fmpq(sign))


def _logistic_at_infinity(order: Exponent, germ: Germ, sign: int) -> GermElement:
    small = chain(exponential(scale(germ, fmpq(-sign)), order))
    return divide(unit() if sign > 0 else small, add(unit(), small), order)


def _erf_at_infinity(order: Exponent, germ: Germ, sign: int) -> GermElement:
    """exp(-g^2) is flat for every unbounded g of this kind, even for a logarithm."""
    return add(constant_germ(fmpq(sign)), flat(order))


def _erfc_at_infinity(order: Exponent, germ: Germ, sign: int) -> GermElement:
    return add(constant_germ(fmpq(1 - sign)), flat(order))


def _atan_at_infinity(order: Exponent, germ: Germ, sign: int) -> GermElement:
    inverse = chain(divide(unit(), germ, order))
    return germ_sub(constant_germ(sign * arb.pi() / 2), chain(_atan(order, inverse)))


def _asinh_at_infinity(order: Exponent, germ: Germ, sign: int) -> GermElement:
    """sign log(|g| + sqrt(g^2 + 1))."""
    size = scale(germ, fmpq(sign))
    root = chain(power(add(multiply(size, size), unit()), HALF, order))
    return scale(chain(logarithm(add(size, root), order)), fmpq(sign))


def _log1p(order: Exponent, germ: Germ) -> GermElement:
    limit = split(germ)
    if isinstance(limit, Regular) and ball_of(limit.constant) > -1:
        return compose(TAYLOR["log1p"], limit, order)
    return limit if isinstance(limit, Unknown) else logarithm(add(unit(), germ), order)


def _log_to_base(base: int) -> GermFunction:
    def function(order: Exponent, germ: Germ) -> GermElement:
        if is_constant(germ):
            raise NotRegular("a constant's logarithm is the ball function's")
        return scale(chain(logarithm(germ, order)), 1 / arb(base).log())

    return function


def _exp2(order: Exponent, germ: Germ) -> GermElement:
    limit = split(germ)
    exponent = exponent_of_coefficient(limit.constant) if isinstance(limit, Regular) else None
    scaled = scale(germ, arb.const_log2())
    if isinstance(limit, Regular) and isinstance(exponent, int) and abs(exponent) < 2000:
        return scale(chain(exponential(scale(limit.delta, arb.const_log2()), order)), fmpq(2) ** exponent)
    return exponential(scaled, order)


def _fixed_power(p: fmpq) -> GermFunction:
    def function(order: Exponent, germ: Germ) -> GermElement:
        return power(germ, p, order)

    return function


def _cbrt(order: Exponent, germ: Germ) -> GermElement:
    if is_zero(germ):
        return germ
    sign = _sign(germ)
    return scale(chain(power(scale(germ, fmpq(sign)), fmpq(1, 3), order)), fmpq(sign))


def _pow(order: Exponent, base: Germ, exponent: Germ) -> GermElement:
    """base^p for a constant p, exp(p log base) for a varying one."""
    if is_zero(exponent):
        return unit()
    if is_constant(exponent):
        return power(base, exponent.terms[0].coefficient, order)
    if is_zero(base):
        return base if _sign(exponent) > 0 else Special.POS_INF
    return exponential(multiply(exponent, chain(logarithm(base, order))), order)


def _integer_pow(order: Exponent, base: Germ, exponent: Germ) -> GermElement:
    n = 0 if is_zero(exponent) else _integer(exponent)
    return Unknown("integer_pow: the exponent is no exact integer") if n is None else power(base, fmpq(n), order)


def _integer(germ: Germ) -> int | None:
    if not is_constant(germ):
        return None
    return as_integer(ball_of(germ.terms[0].coefficient)) if germ.terms else 0


def _arc(name: str, inside: GermFunction, branch: Callable[[Exponent, Germ, int], GermElement]) -> GermFunction:
    """asin, acos, acosh and erf_inv: regular inside, something else at the ends +-1, NaN outside."""

    def function(order: Exponent, germ: Germ) -> GermElement:
        limit = split(germ)
        if isinstance(limit, Unknown):
            return limit
        if isinstance(limit, Regular):
            side = as_integer(ball_of(limit.constant))
            if side in (1, -1):
                return branch(order, germ, side)
            if ball_of(limit.constant) < 1 if name == "acosh" else abs(ball_of(limit.constant)) > 1:
                return NAN
            return inside(order, germ)
        return NAN if name != "acosh" or _sign(germ) < 0 else branch(order, germ, 1)

    return function


def _acos_at_end(order: Exponent, germ: Germ, side: int) -> GermElement:
    """acos x = 2 asin sqrt((1 - x)/2), and pi - acos(-x) at the other end."""
    gap = scale(germ_sub(unit(), scale(germ, fmpq(side))), HALF)
    angle = scale(chain(_asin(order, chain(power(gap, HALF, order)))), fmpq(2))
    return angle if side > 0 else germ_sub(constant_germ(arb.pi()), angle)


def _asin_at_end(order: Exponent, germ: Germ, side: int) -> GermElement:
    return germ_sub(constant_germ(arb.pi() / 2), chain(_acos_at_end(order, germ, side)))


def _acos_inside(order: Exponent, germ: Germ) -> GermElement:
    return germ_sub(constant_germ(arb.pi() / 2), chain(_asin(order, germ)))


def _erf_inv_at_end(order: Exponent, germ: Germ, side: int) -> GermElement:
    return Unknown("erf_inv at its ends has no expansion of this kind", "")


def _acosh_at_end(order: Exponent, germ: Germ, side: int) -> GermElement:
    """acosh x = 2 asinh sqrt((x - 1)/2), at 1 and at infinity."""
    if side < 0:
        return NAN
    gap = scale(germ_sub(germ, unit()), HALF)
    return scale(chain(_asinh(order, chain(power(gap, HALF, order)))), fmpq(2))


def _atanh(order: Exponent, germ: Germ) -> GermElement:
    limit = split(germ)
    if isinstance(limit, Regular) and abs(ball_of(limit.constant)) < 1:
        return compose(TAYLOR["atanh"], limit, order)
    difference = germ_sub(chain(_log1p(order, germ)), chain(_log1p(order, negate(germ))))
    return scale(difference, HALF)


def _atan2(order: Exponent, y: Germ, x: Germ) -> GermElement:
    """The angle of (x, y): by y/x where that is bounded, by x/y where it is not."""
    if is_zero(y) and is_zero(x):
        return constant_germ(fmpq(0))
    if not is_zero(x) and valuation(y) >= valuation(x) and not isinstance(leading(x), Unknown):
        base = chain(_atan(order, chain(divide(y, x, order))))
        if _sign(x) > 0:
            return base
        return add(base, constant_germ(arb.pi() * (1 if is_zero(y) or _sign(y) > 0 else -1)))
    angle = chain(_atan(order, chain(divide(x, y, order))))
    return germ_sub(constant_germ(arb.pi() / 2 * _sign(y)), angle)


def _sinc(order: Exponent, germ: Germ) -> GermElement:
    limit = split(germ)
    if isinstance(limit, Regular) and type(limit.constant) is not arb and not limit.constant:
        return substitute(limit.delta, _sinc_at_zero, order)
    if isinstance(limit, Regular) and not ball_of(limit.constant).contains(0):
        return divide(chain(GERM_ELEMENTARY["sin"](order, germ)), germ, order)
    return limit if isinstance(limit, Unknown) else Unknown("sinc: 0 or not 0, or at infinity", BITS)


def _sinc_at_zero(count: int) -> list:
    term, coefficients = fmpq(1), []
    for k in range(count):
        term = term / (k + 1)
        coefficients.append(fmpq(0) if k % 2 else term * (1 - k % 4))
    return coefficients


def _abs(order: Exponent, germ: Germ) -> GermElement:
    if not germ.terms:
        return germ
    return scale(germ, fmpq(-1)) if _sign(germ) < 0 else germ


def _sign_function(order: Exponent, germ: Germ) -> GermElement:
    return constant_germ(fmpq(_sign(germ)))


_ENDLESS = "floor of something unbounded jumps without end"


def _floor(order: Exponent, germ: Germ) -> Germ | Unknown:
    """The floor of the limit, one less where the germ comes to an integer from below."""
    limit = split(germ)
    if not isinstance(limit, Regular):
        return limit if isinstance(limit, Unknown) else Unbounded(_ENDLESS, "", _sign(germ))
    constant = ball_of(limit.constant)
    n = as_integer(constant)
    if n is not None:
        return constant_germ(fmpq(n - 1 if _sign(limit.delta) < 0 else n))
    below = constant.floor()
    return constant_germ(below) if below.is_exact() else Unknown("floor of a ball that contains an integer", BITS)


def _ceil(order: Exponent, germ: Germ) -> GermElement:
    below = _floor(order, negate(germ))
    return negate(below) if isinstance(below, Germ) else -below


def _trunc(order: Exponent, germ: Germ) -> GermElement:
    return _floor(order, germ) if _sign(germ) >= 0 else _ceil(order, germ)


def _round_half_even(order: Exponent, germ: Germ) -> GermElement:
    shifted = add(germ, constant_germ(HALF))
    if is_constant(germ):
        raise NotRegular("a constant is rounded by the ball function")
    return _floor(order, shifted)


def _rem(order: Exponent, a: Germ, b: Germ) -> GermElement:
    whole = chain(_trunc(order, chain(divide(a, b, order))))
    return germ_sub(a, multiply(b, whole))


def _larger(sign: int) -> GermFunction:
    """max (sign 1) or min (sign -1): decided by a - b; where that is O(t^n) both agree to that order.

    Where the sign of a leading ball is open, it is one of both for all small t: their hull holds it, and is as tight as
    they are where they agree, as a correlation of 1 and the end of its clip do.
    """

    def function(order: Exponent, a: Germ, b: Germ) -> GermElement:
        difference = germ_sub(a, b)
        if not difference.terms:
            return truncate(a, difference.order)
        found = sign_near_zero(difference)
        if isinstance(found, Unknown):
            return hull(a, b)
        return a if found == sign else b

    return function


_atan = _regular("atan", _atan_at_infinity)
_asinh = _regular("asinh", _asinh_at_infinity)
_asin = _arc("asin", _regular("asin"), _asin_at_end)

GERM_ELEMENTARY: Mapping[str, GermFunction] = MappingProxyType(
    {
        "add": lambda order, a, b: add(a, b),
        "sub": lambda order, a, b: germ_sub(a, b),
        "mul": lambda order, a, b: multiply(a, b),
        "div": lambda order, a, b: divide(a, b, order),
        "neg": lambda order, a: negate(a),
        "pow": _pow,
        "integer_pow": _integer_pow,
        "square": lambda order, a: multiply(a, a),
        "sqrt": _fixed_power(HALF),
        "rsqrt": _fixed_power(-HALF),
        "cbrt": _cbrt,
        "exp": _exp,
        "exp2": _exp2,
        "expm1": _regular("expm1", _expm1_at_infinity),
        "log": lambda order, a: logarithm(a, order),
        "log1p": _log1p,
        "log2": _log_to_base(2),
        "log10": _log_to_base(10),
        "sin": _regular("sin"),
        "cos": _regular("cos"),
        "tan": _regular("tan"),
        "asin": _asin,
        "acos": _arc("acos", _acos_inside, _acos_at_end),
        "atan": _atan,
        "atan2": _atan2,
        "sinh": _regular("sinh", _hyperbolic_at_infinity(1)),
        "cosh": _regular("cosh", _hyperbolic_at_infinity(-1)),
        "tanh": _regular("tanh", _tanh_at_infinity),
        "asinh": _asinh,
        "acosh": _arc("acosh", _regular("acosh"), _acosh_at_end),
        "atanh": _atanh,
        "logistic": _regular("logistic", _logistic_at_infinity),
        "sinc": _sinc,
        "erf": _regular("erf", _erf_at_infinity),
        "erfc": _regular("erfc", _erfc_at_infinity),
        "erf_inv": _arc("erf_inv", _regular("erf_inv"), _erf_inv_at_end),
        "abs": _abs,
        "sign": _sign_function,
        "floor": _floor,
        "ceil": _ceil,
        "trunc": _trunc,
        "round_half_even": _round_half_even,
        "rem": _rem,
        "max": _larger(1),
        "min": _larger(-1),
    }
)
