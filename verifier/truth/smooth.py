"""Derivatives of order 1 and 2 at points where a function is certainly analytic, all components in one run.

A recorded run (see `replay`) is done on jets: the value of a number at the point, and its derivatives by the inputs.
Each scalar function adds its own Taylor coefficients, the ones that germs expand it with; no derivative rule of
anyone's is used. The function is analytic around the point if each step is: its function certainly is where its
operands are, and each comparison is of numbers that are certainly different. Then all one-sided derivatives are those
of one power series, and there is nothing to compare. Anything else raises NotSmooth: germs look at such a point from
all sides.

Source: composition of analytic functions; Griewank and Walther, Evaluating Derivatives (2008), ch. 3 and 13.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations_with_replacement
from types import MappingProxyType
from typing import Any

import numpy as np
from flint import arb, fmpq

from verifier.arithmetic.ball import BallSystem
from verifier.arithmetic.elements import Element, Special, as_integer, compare, exact_ball, is_finite
from verifier.arithmetic.expansion import ball_of
from verifier.arithmetic.functions import FLINT_ERRORS
from verifier.arithmetic.taylor import TAYLOR, NotRegular
from verifier.arithmetic.taylor_special import TAYLOR_SPECIAL
from verifier.arithmetic.vocabulary import OPERATIONS
from verifier.truth.enclosing import CEILING, is_tight
from verifier.truth.replay import CHECK, FREEZE, Step, Unrecorded, scalar_recording
from verifier.truth.values import Literals, exact_literals, lifted

__all__ = ["NotSmooth", "derivatives"]

_FIRST_BITS = 192

Pair = tuple[int, int]


class NotSmooth(Exception):
    """The function is not certainly analytic around the point."""


@dataclass(frozen=True, slots=True, eq=False)
class _Jet:
    """A number of the run: its value, and its derivatives by the inputs that it depends on (pairs in order).

    What does not vary is constant around the point, or in all inputs that are looked at and in no other. What is
    `pinched` is continuous and no more, as a maximum at a tie: it may be held, and compared with what is certainly
    different.
    """

    value: Any
    first: Mapping[int, arb] = field(default_factory=dict)
    second: Mapping[Pair, arb] = field(default_factory=dict)
    varies: bool = False
    pinched: bool = False


def derivatives(
    jaxpr: Any,
    place: Sequence[np.ndarray],
    chosen: Sequence[int],
    order: int,
    *,
    ceiling: int = CEILING,
    freezing: bool = True,
    literals: Literals | None = None,
) -> tuple[list[list[Element]], int]:
    """The tensor of order 1 or 2 over the chosen input components, flattened, of each result, and the bits it took.

    A component that still holds zero at the ceiling is returned so. Without `freezing` as if no `stop_gradient` stood
    in the program. `literals` makes what a number in it is to a number system; without it, itself. Raises NotSmooth.
    """
    bits = _FIRST_BITS
    found = _tensors(jaxpr, place, chosen, order, bits, freezing, literals)
    while bits < ceiling and not all(is_tight(each) for row in found for each in row):
        bits = min(2 * bits, ceiling)
        better = _tensors(jaxpr, place, chosen, order, bits, freezing, literals)
        found = [
            [a if is_tight(a) else b for a, b in zip(old, new, strict=True)]
            for old, new in zip(found, better, strict=True)
        ]
    return found, bits


def _tensors(
    jaxpr: Any,
    place: Sequence[np.ndarray],
    chosen: Sequence[int],
    order: int,
    bits: int,
    freezing: bool,
    literals: Literals | None,
) -> list[list[Element]]:
    system = BallSystem(bits)
    elements = [entry for each in place for entry in lifted(each, exact_literals(system)).flat]
    with system.working():
        try:
            recording = scalar_recording(jaxpr, elements, system, literals)
            jets = _run(recording.steps, _starts(recording, elements, chosen, system), order, freezing)
        except (Unrecorded, NotRegular, *FLINT_ERRORS) as reason:
            raise NotSmooth from reason
        return [_read(jets[index], chosen, order) for index in recording.results]


def _starts(recording: Any, elements: Sequence[Element], chosen: Sequence[int], system: BallSystem) -> list[Any]:
    if not all(map(is_finite, elements)):
        raise NotSmooth
    slots: list[Any] = [None] * recording.count
    places = set(chosen)
    for index, element in enumerate(elements):
        slots[index] = _Jet(element, {index: arb(1)} if index in places else {}, varies=True)
    for index, make in recording.constants:
        value = make(system)
        slots[index] = _Jet(exact_ball(value) if isinstance(value, (int, Fraction, fmpq)) else value)
    return slots


def _run(steps: Sequence[Step], slots: list[Any], order: int, freezing: bool) -> list[Any]:
    for step in steps:
        operands = [slots[each] for each in step.operands]
        if step.name == CHECK:
            _differ(*operands)
        elif step.name == FREEZE:
            slots[step.result] = _Jet(operands[0].value) if freezing else operands[0]
        elif not any(each.varies for each in operands):
            slots[step.result] = _Jet(OPERATIONS[step.name](*(each.value for each in operands)))
        else:
            slots[step.result] = _applied(step.name, operands, order)
    return slots


def _applied(name: str, operands: Sequence[_Jet], order: int) -> _Jet:
    if any(each.pinched for each in operands) and name not in ("max", "min"):
        raise NotSmooth
    if any(not is_finite(each.value) for each in operands):
        return _beside_infinity(name, operands)
    if name in _UNARY:
        (a,) = operands
        return _composed(a, *_UNARY[name](a.value), order)
    if name in TAYLOR_SPECIAL:
        *parameters, a = operands
        if any(each.varies for each in parameters):
            raise NotSmooth
        coefficients = TAYLOR_SPECIAL[name](tuple(each.value for each in parameters), a.value, 3)
        f, slope, half_curvature = map(ball_of, coefficients)
        return _composed(a, f, slope, half_curvature, order)
    if name not in _RULES:
        raise NotSmooth
    return _RULES[name](*operands, order)


def _beside_infinity(name: str, operands: Sequence[_Jet]) -> _Jet:
    """Sums with an infinity stay infinite around the point; of maxima the finite or the infinite operand stays."""
    if name not in ("add", "sub", "max", "min"):
        raise NotSmooth
    result = OPERATIONS[name](*(each.value for each in operands))
    if isinstance(result, Special):
        return _Jet(result)
    return next(each for each in operands if each.value is result)


def _differ(a: _Jet, b: _Jet) -> None:
    """Two numbers that are compared keep their order around the point: constants, one number, or surely different."""
    if a is not b and (a.varies or b.varies) and compare("ne", a.value, b.value) is not True:
        raise NotSmooth


def _read(jet: _Jet, chosen: Sequence[int], order: int) -> list[Element]:
    if not is_finite(jet.value) or jet.pinched:
        raise NotSmooth
    if order == 1:
        found = [jet.first.get(i, arb(0)) for i in chosen]
    else:
        found = [jet.second.get((min(i, k), max(i, k)), arb(0)) for i in chosen for k in chosen]
    if not all(each.is_finite() for each in found):
        raise NotSmooth
    return list(found)


# ---- arithmetic of jets


def _composed(a: _Jet, f: arb, slope: arb, half_curvature: arb, order: int) -> _Jet:
    """f(a) from f, f' and f''/2 at its value."""
    if not (f.is_finite() and slope.is_finite() and half_curvature.is_finite()):
        raise NotSmooth
    first = {i: slope * each for i, each in a.first.items()}
    if order == 1:
        return _Jet(f, first, varies=a.varies)
    second = {pair: slope * each for pair, each in a.second.items()}
    twice = 2 * half_curvature
    for i, k in combinations_with_replacement(sorted(a.first), 2):
        bend = twice * a.first[i] * a.first[k]
        second[i, k] = second[i, k] + bend if (i, k) in second else bend
    return _Jet(f, first, second, a.varies)


def _sum(a: _Jet, b: _Jet, order: int) -> _Jet:
    return _Jet(a.value + b.value, _added(a.first, b.first), _added(a.second, b.second), a.varies or b.varies)


def _negated(a: _Jet, order: int) -> _Jet:
    return _scaled(a, arb(-1))


def _scaled(a: _Jet, factor: arb) -> _Jet:
    first = {i: factor * each for i, each in a.first.items()}
    return _Jet(factor * a.value, first, {pair: factor * each for pair, each in a.second.items()}, a.varies)


def _difference(a: _Jet, b: _Jet, order: int) -> _Jet:
    if a is b:
        return _Jet(arb(0), varies=True)
    return _sum(a, _scaled(b, arb(-1)), order)


def _product(a: _Jet, b: _Jet, order: int) -> _Jet:
    if not b.first:
        a, b = b, a
    if not a.first:  # nothing that is looked at moves the first factor
        scaled = _scaled(b, a.value)
        return _Jet(scaled.value, scaled.first, scaled.second, varies=True)
    first = _added(_scaled(a, b.value).first, _scaled(b, a.value).first)
    second: dict[Pair, arb] = {}
    if order > 1:
        second = dict(_added(_scaled(a, b.value).second, _scaled(b, a.value).second))
        for i, left in a.first.items():
            for k, right in b.first.items():
                pair = (min(i, k), max(i, k))
                bend = 2 * left * right if i == k else left * right
                second[pair] = second[pair] + bend if pair in second else bend
    return _Jet(a.value * b.value, first, second, varies=True)


def _added(a: Mapping[Any, arb], b: Mapping[Any, arb]) -> Mapping[Any, arb]:
    if not a or not b:
        return a or b
    found = dict(a)
    for key, each in b.items():
        found[key] = found[key] + each if key in found else each
    return found


def _reciprocal(x: arb) -> tuple[arb, arb, arb]:
    if x.contains(0):
        raise NotSmooth
    inverse = 1 / x
    return inverse, -(inverse**2), inverse**3


def _quotient(a: _Jet, b: _Jet, order: int) -> _Jet:
    if a is b and not a.value.contains(0):
        return _Jet(arb(1), varies=True)
    return _product(a, _composed(b, *_reciprocal(b.value), order), order)


def _power(a: _Jet, b: _Jet, order: int) -> _Jet:
    """a^b = exp(b log a) for a positive base."""
    if not a.value > 0:
        raise NotSmooth
    exponent = _product(b, _composed(a, *_taylor("log")(a.value), order), order)
    return _composed(exponent, *_taylor("exp")(exponent.value), order)


def _integer_power(a: _Jet, exponent: _Jet, order: int) -> _Jet:
    n, x = as_integer(exponent.value), a.value
    if n is None or exponent.varies or (n < 0 and x.contains(0)):
        raise NotSmooth
    slope = n * x ** (n - 1) if n else arb(0)
    return _composed(a, x**n, slope, n * (n - 1) // 2 * x ** (n - 2) if n not in (0, 1) else arb(0), order)


def _angle(y: _Jet, x: _Jet, order: int) -> _Jet:
    """atan2(y, x) off the negative axis."""
    if x.value > 0:
        ratio = _quotient(y, x, order)
        return _composed(ratio, *_taylor("atan")(ratio.value), order)
    if y.value.contains(0):
        raise NotSmooth
    ratio = _quotient(x, y, order)
    turned = _scaled(_composed(ratio, *_taylor("atan")(ratio.value), order), arb(-1))
    quarter = arb.pi() / 2 if y.value > 0 else -arb.pi() / 2
    return _sum(_Jet(quarter), turned, order)


def _extreme(name: str, relation: str) -> Callable[[_Jet, _Jet, int], _Jet]:
    def chosen(a: _Jet, b: _Jet, order: int) -> _Jet:
        if compare("ne", a.value, b.value) is not True:
            return _Jet(OPERATIONS[name](a.value, b.value), varies=True, pinched=True)
        return a if compare(relation, a.value, b.value) else b

    return chosen


def _absolute(a: _Jet, order: int) -> _Jet:
    if a.value.contains(0):
        return _Jet(abs(a.value), varies=True, pinched=True)
    return _composed(a, *_size(a.value), order)


def _taylor(name: str) -> Callable[[arb], tuple[arb, arb, arb]]:
    def coefficients(x: arb) -> tuple[arb, arb, arb]:
        f, slope, half_curvature = map(ball_of, TAYLOR[name](x, 3))
        return f, slope, half_curvature

    return coefficients


def _root(x: arb) -> tuple[arb, arb, arb]:
    if not x > 0:
        raise NotSmooth
    root = x.sqrt()
    return root, 1 / (2 * root), -1 / (8 * x * root)


def _inverse_root(x: arb) -> tuple[arb, arb, arb]:
    if not x > 0:
        raise NotSmooth
    inverse = x.rsqrt()
    return inverse, -inverse / (2 * x), 3 * inverse / (8 * x * x)


def _cube_root(x: arb) -> tuple[arb, arb, arb]:
    if x.contains(0):
        raise NotSmooth
    root = OPERATIONS["cbrt"](x)
    return root, root / (3 * x), -root / (9 * x * x)  # pyright: ignore[reportOperatorIssue, reportReturnType]


def _size(x: arb) -> tuple[arb, arb, arb]:
    if x.contains(0):
        raise NotSmooth
    return abs(x), arb(1 if x > 0 else -1), arb(0)


def _based(name: str, base: int) -> Callable[[arb], tuple[arb, arb, arb]]:
    """A logarithm to another base."""

    def coefficients(x: arb) -> tuple[arb, arb, arb]:
        scale = arb(base).log()
        f, slope, half_curvature = _taylor("log")(x)
        return f / scale, slope / scale, half_curvature / scale

    return coefficients


def _power_of_two(x: arb) -> tuple[arb, arb, arb]:
    scale = arb(2).log()
    f = (x * scale).exp()
    return f, f * scale, f * scale**2 / 2


def _step(name: str) -> Callable[[arb], tuple[arb, arb, arb]]:
    """Functions that are constant between integers, or halves of integers."""

    def coefficients(x: arb) -> tuple[arb, arb, arb]:
        value = OPERATIONS[name](x)
        if (2 * x).contains_integer() or type(value) is not arb:
            raise NotSmooth
        return value, arb(0), arb(0)

    return coefficients


def _sign(x: arb) -> tuple[arb, arb, arb]:
    return _size(x)[1], arb(0), arb(0)


_UNARY: Mapping[str, Callable[[arb], tuple[arb, arb, arb]]] = MappingProxyType(
    {
        **{name: _taylor(name) for name in TAYLOR},
        **{name: _step(name) for name in ("floor", "ceil", "trunc", "round_half_even")},
        "cbrt": _cube_root,
        "exp2": _power_of_two,
        "log2": _based("log2", 2),
        "log10": _based("log10", 10),
        "rsqrt": _inverse_root,
        "sign": _sign,
        "sqrt": _root,
        "square": lambda x: (x**2, 2 * x, arb(1)),
    }
)
"""Name -> f, f' and f''/2 at a ball where the function is certainly analytic."""

_RULES: Mapping[str, Callable[..., _Jet]] = MappingProxyType(
    {
        "abs": _absolute,
        "add": _sum,
        "atan2": _angle,
        "div": _quotient,
        "integer_pow": _integer_power,
        "max": _extreme("max", "gt"),
        "min": _extreme("min", "lt"),
        "mul": _product,
        "neg": _negated,
        "pow": _power,
        "sub": _difference,
    }
)
