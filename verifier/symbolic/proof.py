"""Proofs by rewriting, bounded in the size of what is rewritten, never by a clock; no sampled number decides anything.

`None` means not decided. Equality is that of functions wherever both sides are defined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import sympy
from sympy.functions.elementary.hyperbolic import HyperbolicFunction
from sympy.functions.elementary.trigonometric import TrigonometricFunction

from verifier.symbolic.derivative import derivative
from verifier.symbolic.expressions import component_symbols, expressions, tree_size
from verifier.symbolic.graph import Leaf, Node
from verifier.symbolic.kernels import Kernel

__all__ = ["Quotient", "analytic_where_finite", "cross_check", "limit", "prove_equal", "prove_order", "quotient"]

MAX_SIZE = 1_500
# SymPy's costlier rewritings are tried on short expressions only.
MAX_COSTLY = 250
# ... and on numbers of at most so many bits.
_LONGEST_NUMBER = 24
# ... and what looks for common factors on exponents of at most so many.
_LONGEST_EXPONENT = 12


def prove_equal(left: Kernel, right: Kernel, *, costly: int = MAX_COSTLY) -> bool | None:
    """Whether two expressions are one function: True and False are proofs.

    SymPy's costlier rewritings are tried on differences of at most `costly` nodes.
    """
    if tree_size(left) + tree_size(right) > MAX_SIZE:
        return None
    difference = left - right
    for rewrite, largest in _REWRITES:
        if tree_size(difference) > min(largest, costly if largest == MAX_COSTLY else largest):
            continue
        if largest == MAX_COSTLY and _has_long_number(difference):
            continue
        if rewrite in _OVER_POLYNOMIALS and _has_long_exponent(difference):
            continue
        try:
            rewritten = rewrite(difference)
        except (RecursionError, NotImplementedError, ValueError, TypeError, AttributeError, sympy.PolynomialError):
            continue
        decided = _is_zero(rewritten)
        if decided is not None:
            return decided
        if tree_size(rewritten) <= tree_size(difference):
            difference = rewritten
    return None


_SIGNS = {
    "lt": lambda difference: difference.is_negative,
    "le": lambda difference: difference.is_nonpositive,
    "gt": lambda difference: difference.is_positive,
    "ge": lambda difference: difference.is_nonnegative,
    "ne": lambda difference: difference.is_nonzero,
}


def prove_order(relation: str, left: Kernel, right: Kernel) -> bool | None:
    """Whether `left relation right` (lt le gt ge ne) follows from the signs of what their difference is made of.

    True only where the difference is a number: SymPy's assumptions are about the symbols, wherever they are.
    """
    difference = left - right
    if tree_size(difference) > MAX_COSTLY or _has_long_number(difference) or _has_long_exponent(difference):
        return None
    for rewrite in _SIGNED:
        try:
            decided = any(_SIGNS[relation](each) for each in rewrite(difference))
        except (RecursionError, NotImplementedError, ValueError, TypeError, AttributeError, sympy.PolynomialError):
            continue
        if decided:
            return True
    return None


def _beside_bounds(expression: Kernel) -> Iterator[Kernel]:
    """The expression with sines and cosines written as 1 less, or -1 and more, than something that is not negative."""
    waves = sorted(expression.atoms(sympy.sin, sympy.cos), key=str)
    if len(waves) > _MOST_WAVES:
        return
    for bounds in product((1, -1), repeat=len(waves)):
        written = {wave: end * (1 - sympy.Dummy(nonnegative=True)) for wave, end in zip(waves, bounds, strict=True)}
        yield sympy.expand(expression.xreplace(written))


_MOST_WAVES = 4
_SIGNED: tuple[Callable[[Kernel], Iterable[Kernel]], ...] = (
    lambda each: [each],
    lambda each: [sympy.factor(each)],
    _beside_bounds,
    lambda each: [_trigsimp(each)],
)
"""How an expression may be written so that its sign shows."""


def _has_long_number(expression: Kernel) -> bool:
    """Whether a rational of many bits stands in it: exp(p x / q) is a polynomial of degree p to SymPy, and at a p of
    fifty bits the integers of its algorithms overflow, which ends the process.
    """
    return _is_long(expression, _LONGEST_NUMBER)


def _has_long_exponent(expression: Kernel) -> bool:
    """Whether the exponent of a power holds a rational of many bits: b^(p/q) is of degree p in b^(1/q) to SymPy, and
    its greatest common divisors cost as much as the degree says. A constant of float32, as log 2 in exp2, has 24 bits.
    """
    powers = expression.atoms(sympy.Pow, sympy.exp)
    return any(_is_long(power.exp, _LONGEST_EXPONENT) for power in powers)  # pyright: ignore


def _has_nested_waves(expression: Kernel) -> bool:
    """Whether a trigonometric or hyperbolic function stands in another one: SymPy factors polynomials in exponentials
    of exponentials then, over complex numbers, for minutes.
    """
    waves = expression.atoms(TrigonometricFunction, HyperbolicFunction)
    return any(wave.args[0].has(TrigonometricFunction, HyperbolicFunction) for wave in waves)  # pyright: ignore


def _trigsimp(expression: Kernel) -> Kernel:
    return expression if _has_nested_waves(expression) else sympy.trigsimp(expression)


def _simplify(expression: Kernel) -> Kernel:
    return expression if _has_nested_waves(expression) else sympy.simplify(expression)


def _is_long(expression: Kernel, bits: int) -> bool:
    return any(max(abs(each.p), each.q).bit_length() > bits for each in expression.atoms(sympy.Rational))


def _numerator(expression: Kernel) -> Kernel:
    return sympy.expand(sympy.fraction(sympy.together(expression))[0])


def _exponentials(expression: Kernel) -> Kernel:
    """Over exponentials everything elementary is a rational function of a few independent ones."""
    return _numerator(sympy.powsimp(sympy.expand(sympy.together(expression.rewrite(sympy.exp)))))


_REWRITES: tuple[tuple[Callable[[Kernel], Kernel], int], ...] = (
    (lambda each: each, MAX_SIZE),
    (sympy.expand, MAX_SIZE),
    (_numerator, MAX_SIZE),
    (_exponentials, MAX_SIZE),
    (lambda each: sympy.expand(sympy.expand_func(each)), MAX_COSTLY),
    (_trigsimp, MAX_COSTLY),
    (_simplify, MAX_COSTLY),
)

_OVER_POLYNOMIALS = (_numerator, _exponentials, _trigsimp, _simplify)


_ARITHMETIC = (sympy.Add, sympy.Mul, sympy.Pow, sympy.Rational, sympy.Symbol)


def _is_zero(difference: Kernel) -> bool | None:
    """Zero by form; not zero where it is a rational function over the rationals whose numerator does not vanish."""
    if difference.is_zero:
        return True
    arithmetic = all(isinstance(each, _ARITHMETIC) for each in sympy.preorder_traversal(difference))
    if not arithmetic or not all(power.exp.is_Integer for power in difference.atoms(sympy.Pow)):
        return None
    return sympy.expand(sympy.fraction(sympy.together(difference))[0]) == 0


def limit(expression: Kernel, variable: sympy.Symbol, to: Kernel) -> Kernel | None:
    """The limit where SymPy finds it, alike from both sides; None where it does not, the expression is large, or it
    depends on the symbols whether the limit is infinite.

    Of a Piecewise SymPy takes the branch at the point itself, which says nothing about the limit: None.
    """
    piecewise = any(variable in each.free_symbols for each in expression.atoms(sympy.Piecewise))
    if piecewise or tree_size(expression) > MAX_COSTLY:
        return None
    powers = expression.atoms(sympy.Pow)
    if any(variable in each.exp.free_symbols for each in powers) and _is_long(to, _LONGEST_EXPONENT):
        return None  # at n = 10^6, (1 + 1/n)^n is a rational of 20 million bits
    try:
        right, left = (sympy.limit(expression, variable, to, side) for side in ("+", "-"))
    except (NotImplementedError, ValueError, RecursionError, TypeError, AttributeError, sympy.PoleError):
        return None
    unfinished = right.has(sympy.Limit, sympy.AccumBounds, sympy.nan, sympy.I)
    infinite = right.has(sympy.oo, -sympy.oo, sympy.zoo)
    return right if right == left and not unfinished and (right.is_infinite or not infinite) else None


@dataclass(frozen=True, slots=True)
class Quotient:
    """An expression that is N(h) / h^k: by Taylor's formula it tends to N^(k)(0) / k! as h tends to 0, provided that N
    is analytic around h = 0 and its lower derivatives vanish there.
    """

    limit: Kernel
    vanishing: tuple[Kernel, ...]
    """The derivatives of N at 0 below the k-th."""
    finite: tuple[Kernel, ...]
    """N is analytic where these are finite; in them the variable stands for h, its distance to what it tends to."""


def quotient(expression: Kernel, variable: sympy.Symbol, to: Kernel) -> Quotient | None:
    """The expression as a quotient by a power of the variable's distance to a value; None where it is none."""
    if tree_size(expression) > MAX_COSTLY or _has_long_number(expression) or _has_long_exponent(expression):
        return None
    moved = expression.subs(variable, variable + to)
    numerator, denominator = sympy.fraction(sympy.together(moved))
    divisors = [each.as_base_exp() for each in sympy.Mul.make_args(denominator)]
    power = sum((exponent for base, exponent in divisors if base == variable), sympy.S.Zero)
    numerator /= sympy.Mul(*(base**exponent for base, exponent in divisors if base != variable))
    finite = analytic_where_finite(numerator)
    if not (power.is_Integer and 0 <= power <= _HIGHEST_POWER) or finite is None:
        return None
    derivatives = [numerator]
    for _ in range(int(power)):
        derivatives.append(sympy.diff(derivatives[-1], variable))
    if any(tree_size(each) > MAX_SIZE for each in derivatives):
        return None
    *vanishing, last = (each.subs(variable, 0) for each in derivatives)
    return Quotient(limit=last / sympy.factorial(power), vanishing=tuple(vanishing), finite=finite)


_HIGHEST_POWER = 8
_ANALYTIC = (
    *(sympy.Add, sympy.Mul, sympy.Symbol, sympy.Rational, sympy.NumberSymbol),
    *(sympy.exp, sympy.log, sympy.sin, sympy.cos, sympy.tan, sympy.atan),
    *(sympy.sinh, sympy.cosh, sympy.tanh, sympy.asinh, sympy.erf, sympy.erfc),
    *(sympy.gamma, sympy.loggamma, sympy.polygamma),
)
"""What is analytic wherever it is finite."""


def analytic_where_finite(expression: Kernel) -> tuple[Kernel, ...] | None:
    """What has to be finite for the expression to be analytic: itself, and the logarithms of what stands under roots,
    which are finite at 0 and not analytic there. None where something stands in it that is not known to be analytic.
    """
    found = [expression]
    for part in sympy.preorder_traversal(expression):
        if isinstance(part, sympy.Pow) and not part.exp.is_Integer:
            found.append(sympy.log(part.base))
        elif not isinstance(part, (*_ANALYTIC, sympy.Pow)):
            return None
    return tuple(found)


def cross_check(node: Node, by: Sequence[Leaf]) -> bool | None:
    """Whether the composed first derivative of a small node equals `sympy.diff` of the whole expression everywhere.

    An independent check of the chain rule: None where it is too large or not decided.
    """
    found = expressions([node, derivative(node, by, 1)])
    if found is None:
        return None
    value, composed = found
    symbols = [symbol for each in by for symbol in component_symbols(each).ravel()]
    whole = [sympy.diff(each, symbol) for each in value.ravel() for symbol in symbols]
    decisions = {prove_equal(one, other) for one, other in zip(whole, composed.ravel(), strict=True)}
    return False if False in decisions else None if None in decisions else True
