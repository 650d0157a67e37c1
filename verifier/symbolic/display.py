"""Formulas, local derivatives and derivatives as LaTeX.

A formula is shown as it is written; a derivative, where it is small, in the shortest of a few forms that SymPy gives.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import sympy

from verifier.symbolic.build import Definitions, Region, regions
from verifier.symbolic.derivative import derivative
from verifier.symbolic.expressions import MAX_SIZE, expressions, tree_size
from verifier.symbolic.formula import (
    Apply,
    Derivative,
    Formula,
    Index,
    Name,
    Number,
    Range,
    Stack,
    function_of,
    precedence,
    unparse,
)
from verifier.symbolic.functions import CONSTANTS
from verifier.symbolic.graph import Node, leaves, reshape, take
from verifier.symbolic.kernels import differentiate, slot

__all__ = [
    "Local",
    "derivative_latex",
    "derivative_text",
    "expression_latex",
    "formula_latex",
    "local_derivatives",
    "name_latex",
    "whole_expression",
]

MAX_COMPONENTS = 64
MAX_SHOWN = 250
# Costlier forms are tried on short expressions only.
MAX_TIDIED = 60

# fmt: off
_GREEK = frozenset((
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu", "xi",
    "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega",
    "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega",
))
# fmt: on


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """A local derivative of a definition: by what it is taken (text), the whole equation in LaTeX, itself as text."""

    definition: str
    wrt: str
    latex: str
    text: str


def name_latex(name: str) -> str:
    """A name as mathematics: `w1` and `w_1` are w with a subscript, `omega` is the letter, `params.b` keeps its dot."""
    return ".".join(_word_latex(word) for word in name.split("."))


def _word_latex(word: str) -> str:
    head, *tail = word.split("_")
    letters, digits = re.fullmatch(r"(.*?)(\d*)", head).groups()  # pyright: ignore[reportOptionalMemberAccess]
    subscripts = [*([digits] if digits else []), *tail]
    shown = [each if each.isdigit() or len(each) == 1 else _letters(each) for each in subscripts if each]
    return _letters(letters) + (f"_{{{','.join(shown)}}}" if shown else "")


def _letters(text: str) -> str:
    if text in _GREEK:
        return f"\\{text}"
    if re.fullmatch("[a-z][A-Z]", text):
        return f"{text[0]}_{{{text[1]}}}"  # pA, as people write p_A
    return text if len(text) == 1 else rf"\mathrm{{{text}}}"


def formula_latex(formula: Formula) -> str:
    """The formula as written."""
    match formula:
        case Number():
            return _number_latex(formula.text)
        case Name():
            return CONSTANTS[formula.name] if formula.name in CONSTANTS else name_latex(formula.name)
        case Index():
            return _index_latex(formula)
        case Stack():
            return _matrix_latex(formula)
        case Derivative():
            return _derivative_latex(formula)
        case Apply():
            return _application_latex(formula)
    return rf"\text{{{formula.text}}}"


def _number_latex(text: str) -> str:
    digits, *exponent = re.split("[eE]", text)
    if not exponent:
        return digits
    power = f"10^{{{int(exponent[0])}}}"
    return power if digits in ("1", "1.", "1.0") else rf"{digits} \cdot {power}"


def _index_latex(formula: Index) -> str:
    places = ",".join(str(each) if isinstance(each, int) else _range_latex(each) for each in formula.indices)
    operand = formula_latex(formula.operand)
    plain = isinstance(formula.operand, Name) and "_" not in operand
    return f"{operand}_{{{places}}}" if plain else rf"{{\left({operand}\right)}}_{{{places}}}"


def _range_latex(each: Range) -> str:
    ends = ["" if end is None else str(end) for end in (each.start, each.stop)]
    return ":".join(ends if each.step is None else [*ends, str(each.step)])


def _matrix_latex(formula: Stack) -> str:
    lines = [each.items if isinstance(each, Stack) else (each,) for each in formula.items]
    rows = [" & ".join(map(formula_latex, line)) for line in lines]
    return r"\begin{bmatrix} " + r" \\ ".join(rows) + r" \end{bmatrix}"


def _derivative_latex(formula: Derivative) -> str:
    order = len(formula.wrt)
    above = r"\partial" if order == 1 else rf"\partial^{{{order}}}"
    raised = ((name_latex(name), f"^{{{count}}}" if count > 1 else "") for name, count in _runs(formula.wrt))
    below = r" \, ".join(rf"\partial {name}{power}" for name, power in raised)
    if isinstance(formula.of, Name):
        return rf"\frac{{{above} {formula_latex(formula.of)}}}{{{below}}}"
    return rf"\frac{{{above}}}{{{below}}} {_group(formula_latex(formula.of))}"


def _runs(names: Sequence[str]) -> list[tuple[str, int]]:
    runs: list[tuple[str, int]] = []
    for name in names:
        if runs and runs[-1][0] == name:
            runs[-1] = (name, runs[-1][1] + 1)
        else:
            runs.append((name, 1))
    return runs


def _group(latex: str) -> str:
    return rf"\left({latex}\right)"


def _bracketed(formula: Formula, least: int) -> str:
    latex = formula_latex(formula)
    closed = precedence(formula) >= least or (isinstance(formula, Apply) and formula.function == "div" and least <= 7)
    return latex if closed else _group(latex)


def _power_latex(base: Formula, exponent: Formula) -> str:
    raised = formula_latex(exponent)
    named = isinstance(base, Apply) and function_of(base).latex.startswith("\\") and len(base.arguments) == 1
    if named and isinstance(base, Apply) and isinstance(exponent, Number) and exponent.value > 1:
        return rf"{function_of(base).latex}^{{{raised}}}{_group(formula_latex(base.arguments[0]))}"
    simple = isinstance(base, (Name, Number)) or (isinstance(base, Index) and isinstance(base.operand, Name))
    return rf"{formula_latex(base) if simple else _group(formula_latex(base))}^{{{raised}}}"


def _times_latex(a: Formula, b: Formula) -> str:
    left, right = _bracketed(a, 6), _bracketed(b, 7)
    if right[0].isdigit() or right.startswith("-"):
        return rf"{left} \cdot {right}"
    return f"{left} {right}" if isinstance(a, Number) else rf"{left} \, {right}"


def _infix(symbol: str, left: int, right: int) -> Callable[..., str]:
    def latex(first: Formula, *rest: Formula) -> str:
        return f" {symbol} ".join([_bracketed(first, left), *(_bracketed(each, right) for each in rest)])

    return latex


def _between(opening: str, closing: str) -> Callable[..., str]:
    return lambda *each: rf"\left{opening} {', '.join(map(formula_latex, each))} \right{closing}"


def _cases(condition: Formula, a: Formula, b: Formula) -> str:
    when = rf"{formula_latex(a)} & \text{{if }} {formula_latex(condition)}"
    return rf"\begin{{cases}} {when} \\ {formula_latex(b)} & \text{{otherwise}} \end{{cases}}"


_NOTATIONS: dict[str, Callable[..., str]] = {
    "add": _infix("+", 5, 6),
    "sub": _infix("-", 5, 6),
    "mul": _times_latex,
    "div": lambda a, b: rf"\frac{{{formula_latex(a)}}}{{{formula_latex(b)}}}",
    "pow": _power_latex,
    "neg": lambda a: f"-{_bracketed(a, 6)}",
    "matmul": lambda a, b: rf"{_bracketed(a, 6)} \, {_bracketed(b, 7)}",
    "dot": _infix(r"\cdot", 7, 7),
    "outer": _infix(r"\otimes", 7, 7),
    "transpose": lambda a: rf"{_bracketed(a, 9)}^{{\mathsf{{T}}}}",
    "lt": _infix("<", 5, 5),
    "le": _infix(r"\le", 5, 5),
    "gt": _infix(">", 5, 5),
    "ge": _infix(r"\ge", 5, 5),
    "eq": _infix("=", 5, 5),
    "ne": _infix(r"\ne", 5, 5),
    "and": _infix(r"\land", 3, 3),
    "or": _infix(r"\lor", 2, 2),
    "not": lambda a: rf"\lnot {_bracketed(a, 5)}",
    "exp": lambda a: rf"e^{{{formula_latex(a)}}}",
    "sqrt": lambda a: rf"\sqrt{{{formula_latex(a)}}}",
    "cbrt": lambda a: rf"\sqrt[3]{{{formula_latex(a)}}}",
    "square": lambda a: _power_latex(a, Number(Fraction(2), "2")),
    "abs": _between("|", "|"),
    "floor": _between(r"\lfloor", r"\rfloor"),
    "ceil": _between(r"\lceil", r"\rceil"),
    "where": _cases,
}
_ONE_ARGUMENT: dict[str, Callable[..., str]] = {
    "sum": lambda a: rf"\sum {_bracketed(a, 6)}",
    "prod": lambda a: rf"\prod {_bracketed(a, 6)}",
    "norm": _between(r"\|", r"\|"),
}


def _application_latex(formula: Apply) -> str:
    row = function_of(formula)
    notation = _NOTATIONS.get(row.name) or _ONE_ARGUMENT.get(row.name)
    if notation and not formula.options:
        return notation(*formula.arguments)
    name = row.latex or rf"\operatorname{{{row.name}}}"
    subscript = "".join(rf"_{{\mathrm{{{option}}}={value}}}" for option, value in formula.options)
    return f"{name}{subscript}{_group(', '.join(map(formula_latex, formula.arguments)))}"


def local_derivatives(definitions: Definitions) -> tuple[Local, ...]:
    """For each elementwise region of each definition its derivative by everything in it that moves with the inputs."""
    inputs = set(definitions.leaves)
    found = [
        _local(name, formula, region, place)
        for name, formula in definitions.formulas
        for region in regions(definitions, formula)
        for place, (_, node) in enumerate(region.operands)
        if inputs.intersection(leaves([node]))
    ]
    return tuple(local for local in found if local is not None)


def _local(name: str, formula: Formula, region: Region, place: int) -> Local | None:
    if not isinstance(region.kernel, sympy.Expr):
        return None
    names = {slot(each): formula_latex(operand) for each, (operand, _) in enumerate(region.operands)}
    derived = differentiate(region.kernel, slot(place))
    shown = expression_latex(derived, names)
    wrt = region.operands[place][0]
    whole = region.formula == formula
    above = rf"\partial {name_latex(name)}" if whole else r"\partial"
    below = rf"\partial {formula_latex(wrt) if isinstance(wrt, (Name, Index)) else _group(formula_latex(wrt))}"
    left = rf"\frac{{{above}}}{{{below}}}" + ("" if whole else f" {_group(formula_latex(region.formula))}")
    if shown is None:
        return None
    words = {slot(each): sympy.Symbol(_operand_text(operand)) for each, (operand, _) in enumerate(region.operands)}
    text = str(_tidy(derived).xreplace(words))
    return Local(definition=name, wrt=unparse(wrt), latex=f"{left} = {shown}", text=text)


def _operand_text(operand: Formula) -> str:
    return unparse(operand) if isinstance(operand, (Name, Index)) else f"({unparse(operand)})"


def expression_latex(expression: sympy.Expr, names: dict[sympy.Symbol, str] | None = None) -> str | None:
    """A SymPy expression in the shortest of a few equal forms; None where it is too large to read.

    Symbols are shown as `names` says, else as names of components: `v[0]` is v with a subscript.
    """
    if tree_size(expression) > MAX_SHOWN:
        return None
    symbols = {symbol: _component_latex(str(symbol)) for symbol in expression.free_symbols} | (names or {})
    return sympy.latex(_tidy(expression), symbol_names=symbols)


def _component_latex(name: str) -> str:
    stem, _, index = name.partition("[")
    latex = name_latex(stem)
    if not index:
        return latex
    return f"{latex}_{{{index[:-1]}}}" if "_" not in latex else rf"{{\left({latex}\right)}}_{{{index[:-1]}}}"


def _tidy(expression: sympy.Expr) -> sympy.Expr:
    """The expression expanded where it is a polynomial, else the form with the fewest operations."""
    forms = [expression.doit()]
    if forms[0].is_polynomial():
        return sympy.expand(forms[0])
    if tree_size(expression) <= MAX_TIDIED:
        forms += [sympy.factor_terms(forms[0]), sympy.factor(forms[0]), sympy.expand(forms[0])]
    return min(forms, key=sympy.count_ops)


def derivative_latex(definitions: Definitions, order: int, most: int = MAX_COMPONENTS) -> tuple[str | None, ...]:
    """The derivative of the value per component in C order (the first of them): None for a large one, () where all
    are.
    """
    found = _derivatives(definitions, order, most)
    shown = {each: expression_latex(each) for each in dict.fromkeys(found)}  # mixed derivatives come twice
    return tuple(shown[each] for each in found)


def derivative_text(definitions: Definitions, order: int) -> tuple[str | None, ...]:
    """As `derivative_latex`, in the notation of formulas."""
    found = _derivatives(definitions, order, MAX_COMPONENTS)
    return tuple(None if tree_size(each) > MAX_SHOWN else str(_tidy(each)) for each in found)


def _derivatives(definitions: Definitions, order: int, most: int) -> tuple[sympy.Expr, ...]:
    node, size = definitions.nodes["value"], sum(math.prod(leaf.shape) for leaf in definitions.leaves)
    if order:
        before = derivative(node, definitions.leaves, order - 1)
        count, rows = math.prod(before.shape), -(-most // size)
        if rows < count:  # what is not shown is not derived
            before = take(reshape(before, (count,)), (range(rows),))
        node = derivative(before, definitions.leaves, 1)
    # On the way to a single component nothing that is larger than what can be shown helps.
    found = expressions([node], size=MAX_SHOWN if math.prod(node.shape) == 1 else MAX_SIZE)
    return () if found is None else tuple(found[0].ravel()[:most])


def whole_expression(definitions: Definitions) -> sympy.Expr | None:
    """The value as one SymPy expression of the inputs, where it is a scalar and small; for cross-checks."""
    node: Node = definitions.nodes["value"]
    if node.shape != ():
        return None
    found = expressions([node])
    return None if found is None else found[0].item()
