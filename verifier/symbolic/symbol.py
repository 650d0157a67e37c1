"""The number system whose elements are formulas: a program that runs in it is lifted to expressions of its inputs.

    element = SymPy expression | POS_INF | NEG_INF | NAN | Unknown(reason)

Law: where every number that a program meets on its way is real, its expression has the program's value. A comparison
that SymPy does not decide is a `Condition`, and a selection by it a Piecewise. What may be no real number is not
compared: a NaN would take the other branch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from types import MappingProxyType
from typing import Any

import sympy
from sympy.logic.boolalg import BooleanFalse, BooleanTrue

from verifier.arithmetic.elements import NAN, NEG_INF, POS_INF, Special, Unknown, compare
from verifier.errors import UsageError
from verifier.symbolic.expressions import tree_size
from verifier.symbolic.functions import FUNCTIONS
from verifier.symbolic.kernels import CONSTANT_VALUES, Kernel, rational

__all__ = ["TOO_LARGE", "Condition", "SymbolSystem"]

TOO_LARGE = "too large to lift"
MAX_SIZE = 400
MAX_OPERATIONS = 600
MAX_BITS = 4_096
"""Exact numbers of more bits are no part of a formula that anybody reads."""
MAX_EXPONENT = 64
MAX_ARGUMENT = 1_000
"""SymPy writes gamma(n) out as a factorial, and so on: of larger numbers it is not asked."""


class _Refused(Exception):
    """There is no formula, for this reason."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A truth value that depends on the inputs. It has no truth value of Python's: code that knows nothing of
    conditions shall fail, never take one for True.
    """

    holds: Kernel

    def __bool__(self) -> bool:
        raise TypeError("whether a condition holds depends on the inputs")


@dataclass(slots=True)
class SymbolSystem:
    """Formulas of at most `limit` nodes; `left` is how many operations may still be asked for.

    No operation on elements raises; an unknown function's name does (UsageError).
    """

    limit: int = MAX_SIZE
    left: int = MAX_OPERATIONS
    _sizes: dict[sympy.Basic, int] = field(default_factory=dict, repr=False)

    def working(self) -> AbstractContextManager[None]:
        """Formulas have no precision to be set."""
        return nullcontext()

    def exact(self, value: Fraction | int) -> Kernel:
        """The rational."""
        return rational(Fraction(value))

    def constant(self, name: str) -> Kernel:
        """pi or e; raises UsageError."""
        if name not in CONSTANT_VALUES:
            raise UsageError(f"no such constant: {name!r}; known are {', '.join(CONSTANT_VALUES)}")
        return CONSTANT_VALUES[name]

    def operation(self, name: str) -> Callable[..., Any]:
        """The function of that name; raises UsageError where there is no formula for it."""
        if name not in _OPERATIONS:
            raise UsageError(f"no formula for the function {name!r}")
        return partial(self._applied, name, _OPERATIONS[name])

    def apply(self, name: str, *operands: Any) -> Any:
        """The function of that name of the operands."""
        return self.operation(name)(*operands)

    def compare(self, relation: str, a: Any, b: Any) -> bool | Condition | None:
        """Whether `a relation b`: where SymPy does not decide it for all inputs, a condition; None where unknown."""
        if isinstance(a, Special) or isinstance(b, Special):
            return self._compared_to_special(relation, a, b)
        if isinstance(a, Unknown) or isinstance(b, Unknown) or not (a.is_real and b.is_real):
            return None
        if a.has(sympy.Piecewise) or b.has(sympy.Piecewise):
            return None  # SymPy folds pieces within a condition at once, which takes seconds
        found = _RELATIONS[relation](a, b)
        if isinstance(found, (BooleanTrue, BooleanFalse)):
            return bool(found)
        return Condition(found)

    def _compared_to_special(self, relation: str, a: Any, b: Any) -> bool | None:
        """A real number stands for all of them between the infinities."""
        if a is NAN or b is NAN:
            return relation == "ne"
        x, y = _stand_in(a), _stand_in(b)
        return None if x is None or y is None else compare(relation, x, y)

    def choose(self, condition: Condition, a: Any, b: Any) -> Any:
        """The formula that is a where the condition holds, else b."""
        return self._applied("select", partial(_choice, condition.holds), a, b)

    def logic(self, name: str) -> Callable[..., bool | Condition | None]:
        """and, or, not, xor of truth values."""
        return partial(_combined, _LOGIC[name])

    def _applied(self, name: str, function: Callable[..., Kernel], *operands: Any) -> Any:
        lost = next((each for each in operands if isinstance(each, Unknown)), None)
        if lost is not None:
            return lost
        try:
            known = _without_infinity(name, operands)
            return self._bounded(function(*map(_expression, operands)) if known is None else known)
        except _Refused as refusal:
            return Unknown(str(refusal), "")
        except (ValueError, TypeError, ArithmeticError, RecursionError, NotImplementedError, AttributeError) as error:
            return Unknown(f"no formula: SymPy's {name} fails with {type(error).__name__}", "")

    def _bounded(self, result: Kernel) -> Kernel:
        self.left -= 1
        if self.left < 0 or tree_size(result, self._sizes) > self.limit:
            raise _Refused(TOO_LARGE)
        if any(each in _NO_NUMBERS for each in (result, *result.args)) or result.has(*_COMPLEX):
            raise _Refused("a value that is no real number")
        if result.is_Rational and max(int(result.p).bit_length(), int(result.q).bit_length()) > MAX_BITS:
            raise _Refused("a constant of too many digits")
        if any(_is_steep(each) for each in sympy.Mul.make_args(result)):
            raise _Refused(f"an exponent beyond {MAX_EXPONENT}")
        if result.is_number and result.is_real is False:
            raise _Refused("a value that is no real number")
        return result


_NO_NUMBERS = (sympy.nan, sympy.zoo, sympy.oo, -sympy.oo)
_COMPLEX = (sympy.re, sympy.im, sympy.arg, sympy.conjugate, sympy.I)


def _is_steep(factor: Kernel) -> bool:
    exponent = factor.args[1] if isinstance(factor, sympy.Pow) else sympy.S.One
    return bool(exponent.is_Rational and abs(exponent) > MAX_EXPONENT)


def _expression(operand: Any) -> Kernel:
    if isinstance(operand, Special):
        raise _Refused("an infinity or NaN in the program")
    return operand if isinstance(operand, sympy.Basic) else rational(Fraction(operand))


def _without_infinity(name: str, operands: tuple[Any, ...]) -> Kernel | None:
    """max(x, -inf) and min(x, inf) are x: so do reductions begin."""
    neutral = {"max": NEG_INF, "min": POS_INF}.get(name)
    others = [each for each in operands if each is not neutral]
    return _expression(others[0]) if neutral is not None and len(others) == 1 < len(operands) else None


def _stand_in(element: Any) -> Any:
    """Zero for a real number, an infinity for itself, None for what may be no real number."""
    if isinstance(element, Special):
        return element
    return Fraction(0) if not isinstance(element, Unknown) and element.is_real else None


def _choice(condition: Kernel, a: Kernel, b: Kernel) -> Kernel:
    return a if a == b else sympy.Piecewise((a, condition), (b, True), evaluate=False)


def _power(base: Kernel, exponent: Kernel) -> Kernel:
    """Refused where SymPy would write out an astronomic number."""
    if exponent.is_Rational and abs(exponent) > MAX_EXPONENT:
        raise _Refused(f"an exponent beyond {MAX_EXPONENT}")
    return sympy.Pow(base, exponent)


def _named(name: str) -> Callable[..., Kernel]:
    """SymPy's function of that name, which is asked for no value at a large number."""
    function = getattr(sympy, name)

    def value(*operands: Kernel) -> Kernel:
        if any(each.is_number and abs(each) > MAX_ARGUMENT for each in operands):
            raise _Refused(f"{name} of a large constant")
        return function(*operands)

    return value


def _cube_root(a: Kernel) -> Kernel:
    return sympy.sign(a) * sympy.Pow(sympy.Abs(a), sympy.Rational(1, 3))


_NAMED = {row.element: row.sympy for row in FUNCTIONS.values() if row.sympy and row.name != "where"}
_OPERATIONS: Mapping[str, Callable[..., Kernel]] = MappingProxyType(
    {
        **{element: _named(name) for element, name in _NAMED.items()},
        "add": lambda a, b: a + b,
        "sub": lambda a, b: a - b,
        "mul": lambda a, b: a * b,
        "div": lambda a, b: a / b,
        "neg": lambda a: -a,
        "pow": _power,
        "integer_pow": _power,
        "square": lambda a: a**2,
        "sqrt": sympy.sqrt,
        "rsqrt": lambda a: 1 / sympy.sqrt(a),
        "cbrt": _cube_root,
        "exp2": lambda a: _power(sympy.Integer(2), a),
        "expm1": lambda a: sympy.exp(a) - 1,
        "log1p": lambda a: sympy.log(1 + a),
        "log2": lambda a: sympy.log(a) / sympy.log(2),
        "log10": lambda a: sympy.log(a) / sympy.log(10),
        "logistic": lambda a: 1 / (1 + sympy.exp(-a)),
        "i0e": lambda a: sympy.exp(-sympy.Abs(a)) * sympy.besseli(0, a),
        "i1e": lambda a: sympy.exp(-sympy.Abs(a)) * sympy.besseli(1, a),
    }
)
_RELATIONS: Mapping[str, Callable[..., Kernel]] = MappingProxyType(
    {"lt": sympy.Lt, "le": sympy.Le, "gt": sympy.Gt, "ge": sympy.Ge, "eq": sympy.Eq, "ne": sympy.Ne}
)
_LOGIC: Mapping[str, Callable[..., Kernel]] = MappingProxyType(
    {"and": sympy.And, "or": sympy.Or, "not": sympy.Not, "xor": sympy.Xor}
)


def _combined(function: Callable[..., Kernel], *values: Any) -> bool | Condition | None:
    """Truth values combined; None where one of them is unknown."""
    if any(not isinstance(each, Condition) and each not in (True, False) for each in values):
        return None
    found = function(*(each.holds if isinstance(each, Condition) else sympy.sympify(bool(each)) for each in values))
    return bool(found) if isinstance(found, (BooleanTrue, BooleanFalse)) else Condition(found)
