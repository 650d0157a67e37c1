"""The one table of what a formula may call: a row per function, and nothing else knows their names.

A row has a SymPy class of its own (`sympy`) or a `definition` in the formula language over arguments `a` and `b`.
SymPy and JAX stand here as names only, so that reading a catalog loads neither.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType

__all__ = ["CONSTANTS", "FUNCTIONS", "KEYWORDS", "REDUCED", "Function", "renamed", "suggestion"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One function of the formula language.

    kind: "number" (elementwise, numbers to number), "test" (elementwise, numbers to truth value), "logic" (elementwise,
    truth values to truth value), "reduction" (one array, optional `axis`) or "array" (anything else).
    `arity` is the least and the largest number of arguments; those from position `static` on are integer constants.
    `symbol` is the operator that writes it; such rows cannot be called by name. `element` is its name in a number
    system. `jax` is the dotted name of the function that a formula means when it is run ("" where JAX has none).
    """

    name: str
    kind: str = "number"
    arity: tuple[int, int] = (1, 1)
    meaning: str
    symbol: str = ""
    static: int = 1000
    axis: bool = False
    sympy: str = ""
    definition: str = ""
    element: str = ""
    jax: str = ""
    jax_options: tuple[tuple[str, object], ...] = ()
    latex: str = ""


def _operator(name: str, symbol: str, meaning: str, kind: str = "number", jax: str = "", arity: int = 2) -> Function:
    return Function(
        name=name,
        kind=kind,
        arity=(arity, arity),
        meaning=meaning,
        symbol=symbol,
        element=name,
        jax=jax or f"operator.{name}",
    )


def _native(
    name: str, sympy: str, jax: str, meaning: str, arity: int = 1, element: str = "", latex: str = ""
) -> Function:
    return Function(
        name=name, arity=(arity, arity), meaning=meaning, sympy=sympy, element=element or name, jax=jax, latex=latex
    )


def _defined(
    name: str, definition: str, jax: str, arity: int = 1, latex: str = "", options: tuple[tuple[str, object], ...] = ()
) -> Function:
    return Function(
        name=name,
        arity=(arity, arity),
        meaning=definition,
        definition=definition,
        jax=jax,
        jax_options=options,
        latex=latex,
    )


def _reduction(name: str, jax: str, meaning: str, latex: str = "") -> Function:
    return Function(name=name, kind="reduction", meaning=meaning, axis=True, jax=jax, latex=latex)


def _array(
    name: str, jax: str, meaning: str, arity: tuple[int, int] = (1, 1), static: int = 1000, axis: bool = False
) -> Function:
    return Function(name=name, kind="array", arity=arity, meaning=meaning, static=static, axis=axis, jax=jax)


_ROWS = (
    _operator("add", "+", "a + b"),
    _operator("sub", "-", "a - b"),
    _operator("mul", "*", "a b, elementwise"),
    _operator("div", "/", "a / b", jax="operator.truediv"),
    _operator("pow", "**", "a to the power b; a negative a needs an integer b"),
    _operator("neg", "-", "-a", arity=1),
    _operator("lt", "<", "a < b", kind="test"),
    _operator("le", "<=", "a <= b", kind="test"),
    _operator("gt", ">", "a > b", kind="test"),
    _operator("ge", ">=", "a >= b", kind="test"),
    _operator("eq", "==", "a = b", kind="test"),
    _operator("ne", "!=", "a is not b", kind="test"),
    Function(
        name="and",
        kind="logic",
        arity=(2, 200),
        meaning="all are true",
        symbol="and",
        element="and",
        jax="jax.numpy.logical_and",
    ),
    Function(
        name="or",
        kind="logic",
        arity=(2, 200),
        meaning="one is true",
        symbol="or",
        element="or",
        jax="jax.numpy.logical_or",
    ),
    _operator("not", "not", "it is false", kind="logic", jax="jax.numpy.logical_not", arity=1),
    _native("exp", "exp", "jax.numpy.exp", "e to the power a"),
    _native("log", "log", "jax.numpy.log", "natural logarithm", latex=r"\log"),
    _native("sin", "sin", "jax.numpy.sin", "sine", latex=r"\sin"),
    _native("cos", "cos", "jax.numpy.cos", "cosine", latex=r"\cos"),
    _native("tan", "tan", "jax.numpy.tan", "tangent", latex=r"\tan"),
    _native("asin", "asin", "jax.numpy.arcsin", "inverse sine", latex=r"\arcsin"),
    _native("acos", "acos", "jax.numpy.arccos", "inverse cosine", latex=r"\arccos"),
    _native("atan", "atan", "jax.numpy.arctan", "inverse tangent", latex=r"\arctan"),
    _native("atan2", "atan2", "jax.numpy.arctan2", "the angle of the point (b, a); 0 at the origin", arity=2),
    _native("sinh", "sinh", "jax.numpy.sinh", "hyperbolic sine", latex=r"\sinh"),
    _native("cosh", "cosh", "jax.numpy.cosh", "hyperbolic cosine", latex=r"\cosh"),
    _native("tanh", "tanh", "jax.numpy.tanh", "hyperbolic tangent", latex=r"\tanh"),
    _native("asinh", "asinh", "jax.numpy.arcsinh", "inverse hyperbolic sine"),
    _native("acosh", "acosh", "jax.numpy.arccosh", "inverse hyperbolic cosine"),
    _native("atanh", "atanh", "jax.numpy.arctanh", "inverse hyperbolic tangent"),
    _native("abs", "Abs", "jax.numpy.abs", "absolute value"),
    _native("sign", "sign", "jax.numpy.sign", "-1, 0 or 1"),
    _native("floor", "floor", "jax.numpy.floor", "the integer at or below"),
    _native("ceil", "ceiling", "jax.numpy.ceil", "the integer at or above"),
    _native("erf", "erf", "jax.scipy.special.erf", "error function"),
    _native("erfc", "erfc", "jax.scipy.special.erfc", "1 - erf(a)"),
    _native("erfinv", "erfinv", "jax.scipy.special.erfinv", "inverse error function", element="erf_inv"),
    _native("lgamma", "loggamma", "jax.scipy.special.gammaln", "log |gamma(a)|", latex=r"\log\Gamma"),
    _native("gamma", "gamma", "jax.scipy.special.gamma", "gamma function", latex=r"\Gamma"),
    _native("digamma", "digamma", "jax.scipy.special.digamma", "logarithmic derivative of gamma", latex=r"\psi"),
    _native("polygamma", "polygamma", "jax.scipy.special.polygamma", "a-th derivative of digamma at b", arity=2),
    _native("besselj", "besselj", "", "Bessel function of the first kind, order a, at b", arity=2),
    _native("besseli", "besseli", "", "modified Bessel function of the first kind, order a, at b", arity=2),
    _native(
        "max",
        "Max",
        "jax.numpy.maximum",
        "the larger, elementwise (of one array: its largest element)",
        arity=2,
        latex=r"\max",
    ),
    _native(
        "min",
        "Min",
        "jax.numpy.minimum",
        "the smaller, elementwise (of one array: its smallest element)",
        arity=2,
        latex=r"\min",
    ),
    _defined("sqrt", "a**(1/2)", "jax.numpy.sqrt"),
    _defined("square", "a**2", "jax.numpy.square"),
    _defined("cbrt", "where(a < 0, -(-a)**(1/3), a**(1/3))", "jax.numpy.cbrt"),
    _defined("log1p", "log(1 + a)", "jax.numpy.log1p"),
    _defined("expm1", "exp(a) - 1", "jax.numpy.expm1"),
    _defined("log2", "log(a)/log(2)", "jax.numpy.log2", latex=r"\log_2"),
    _defined("log10", "log(a)/log(10)", "jax.numpy.log10", latex=r"\log_{10}"),
    _defined("exp2", "2**a", "jax.numpy.exp2"),
    _defined("relu", "max(a, 0)", "jax.nn.relu"),
    _defined("sigmoid", "1/(1 + exp(-a))", "jax.nn.sigmoid", latex=r"\sigma"),
    _defined("softplus", "log(1 + exp(a))", "jax.nn.softplus"),
    _defined("silu", "a/(1 + exp(-a))", "jax.nn.silu"),
    _defined("gelu", "a*(1 + erf(a/sqrt(2)))/2", "jax.nn.gelu", options=(("approximate", False),)),
    _defined("logaddexp", "log(exp(a) + exp(b))", "jax.numpy.logaddexp", arity=2),
    _defined("sinc", "where(a == 0, 1, sin(pi*a)/(pi*a))", "jax.numpy.sinc"),
    Function(
        name="where",
        kind="number",
        arity=(3, 3),
        meaning="b where a is true, else c",
        sympy="Piecewise",
        element="select",
        jax="jax.numpy.where",
    ),
    _reduction("sum", "jax.numpy.sum", "sum of the elements"),
    _reduction("mean", "jax.numpy.mean", "arithmetic mean"),
    _reduction("prod", "jax.numpy.prod", "product of the elements"),
    _reduction("var", "jax.numpy.var", "mean((a - mean(a))**2)", latex=r"\operatorname{Var}"),
    _reduction("norm", "jax.numpy.linalg.norm", "sqrt(sum(a**2))"),
    _reduction("logsumexp", "jax.nn.logsumexp", "log(sum(exp(a)))"),
    _reduction("all", "jax.numpy.all", "every element is true"),
    _reduction("any", "jax.numpy.any", "some element is true"),
    _reduction("count", "jax.numpy.count_nonzero", "how many elements are true"),
    _reduction("argmax", "jax.numpy.argmax", "the first position of the largest element"),
    _reduction("argmin", "jax.numpy.argmin", "the first position of the smallest element"),
    _array("softmax", "jax.nn.softmax", "exp(a)/sum(exp(a)) along the axis, by default the last", axis=True),
    _operator("matmul", "@", "matrix product of vectors and matrices", kind="array"),
    _array("dot", "jax.numpy.dot", "inner or matrix product of vectors and matrices", arity=(2, 2)),
    _array("outer", "jax.numpy.outer", "a_i b_j of two vectors", arity=(2, 2)),
    _array("transpose", "jax.numpy.transpose", "the axes in reverse"),
    _array(
        "reshape",
        "jax.numpy.reshape",
        "the elements in C order in a new shape: reshape(a, 2, 3)",
        arity=(2, 9),
        static=1,
    ),
    _array("range", "jax.numpy.arange", "the vector 0, 1, ..., n - 1", static=0),
    _array("size", "jax.numpy.size", "the number of elements"),
)

FUNCTIONS = MappingProxyType({row.name: row for row in _ROWS})
# Of one array these reduce; of two they work elementwise.
_EXTREMA = ("max", "min")
REDUCED = MappingProxyType(
    {name: _reduction(name, f"jax.numpy.{name}", FUNCTIONS[name].meaning, FUNCTIONS[name].latex) for name in _EXTREMA}
)

CONSTANTS = MappingProxyType({"pi": r"\pi", "e": "e"})
KEYWORDS = ("D", "value")

_RENAMED = MappingProxyType(
    {
        **{"ln": "log(a)", "lg": "log10(a)", "pow": "a**b", "root": "a**(1/n)", "factorial": "gamma(a + 1)"},
        **{"sec": "1/cos(a)", "csc": "1/sin(a)", "cot": "1/tan(a)", "diff": "D(a, x)", "grad": "D(a, x)"},
        **{"heaviside": "where(a > 0, 1, 0)", "ceiling": "ceil(a)", "arctan2": "atan2(a, b)"},
    }
)


def renamed(name: str) -> str:
    """A sentence's end that says how a function of another name is written here, or nothing."""
    return f"; write {_RENAMED[name.lower()]}" if name.lower() in _RENAMED else ""


def suggestion(name: str, known: Iterable[str]) -> str:
    """A sentence's end that names the nearest known name, or nothing."""
    near = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean `{near[0]}`?" if near else ""
