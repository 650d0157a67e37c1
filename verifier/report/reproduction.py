"""A reproduction of a finding that needs JAX alone: at most ten lines, or None where the formula is too large."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from verifier.arithmetic.floats import FORMATS
from verifier.report.implementation import call_of
from verifier.report.numbers import exact_hex
from verifier.runs.records import Entry, Verdict
from verifier.symbolic.functions import CONSTANTS, FUNCTIONS, REDUCED

__all__ = ["LONGEST", "missing_because", "reproduction"]

LONGEST = 10
_MOST_NUMBERS = 12
_WIDEST = 118
_PACKAGES = (("jax.numpy.", "jnp."), ("jax.", "jax."))

# Transform -> how it is written around a function `f`; contracted programs need seeded vectors and have no short form.
_TRANSFORMS: Mapping[str, str] = {
    "value": "{f}",
    "grad": "jax.grad({f})",
    "jacfwd": "jax.jacfwd({f})",
    "jacrev": "jax.jacrev({f})",
    "hessian": "jax.hessian({f})",
    "fwd-fwd": "jax.jacfwd(jax.jacfwd({f}))",
    "fwd-rev": "jax.jacfwd(jax.jacrev({f}))",
    "rev-fwd": "jax.jacrev(jax.jacfwd({f}))",
    "rev-rev": "jax.jacrev(jax.jacrev({f}))",
}
# Compilation -> how it is written around the transform `t` of the function, and the point `x`.
_COMPILATIONS: Mapping[str, tuple[str, str]] = {
    "eager": ("f", "{g}(x)"),
    "jit": ("f", "jax.jit({g})(x)"),
    "vmap": ("f", "jax.jit(jax.vmap({g}))(x[None])[0]"),
    "remat": ("jax.checkpoint(f)", "jax.jit({g})(x)"),
}


_UNSPELLED = "the formula holds what has no short spelling in JAX"


class _NotSimple(Exception):
    """There is no short reproduction; says why."""

    def __init__(self, reason: str = _UNSPELLED) -> None:
        super().__init__(reason)


def reproduction(entry: Entry, verdict: Verdict, programs: tuple[str, ...] = ()) -> str | None:
    """Python code that prints what the verdict is about, by its program or the first of `programs` with a short one."""
    try:
        return _code(entry, verdict, programs)
    except _NotSimple:
        return None


def missing_because(entry: Entry, verdict: Verdict, programs: tuple[str, ...] = ()) -> str:
    """Why a verdict has no reproduction, in a few words; empty where it has one."""
    try:
        _code(entry, verdict, programs)
    except _NotSimple as reason:
        return str(reason)
    return ""


def _code(entry: Entry, verdict: Verdict, programs: tuple[str, ...]) -> str:
    if entry.value is None or verdict.worst is None:
        raise _NotSimple("nothing was computed")
    if len(entry.inputs) != 1 or not verdict.worst.inputs:
        raise _NotSimple("the function has several inputs, or more numbers than fit here")
    is_number = entry.inputs[0].shape == ()
    calls = (_call(each, verdict.order, is_number=is_number) for each in (verdict.program, *programs))
    call = next((each for each in calls if each), None)
    if call is None:
        raise _NotSimple("the program multiplies by vectors that the run chose")
    try:
        lines = _lines(entry, verdict, call)
    except (SyntaxError, RecursionError):
        raise _NotSimple(_UNSPELLED) from None
    if len(lines) > LONGEST or max(map(len, lines)) > _WIDEST:
        raise _NotSimple(f"the code would be longer than {LONGEST} short lines")
    return "\n".join(lines)


def _lines(entry: Entry, verdict: Verdict, call: str) -> list[str]:
    assert entry.value is not None
    assert verdict.worst is not None
    name, dtype = entry.inputs[0].name, f"jnp.{verdict.dtype}"
    program = _program(entry)
    data = [datum for datum in entry.data if datum.name in _names(entry)]
    names = (name, *(each.name for each in (*entry.definitions, *data)))
    if not all(each.isidentifier() for each in names) or verdict.dtype not in FORMATS:
        raise _NotSimple
    point = [witness.hex for witness in verdict.worst.inputs[name]]
    body = [f"    {each.name} = {_jax(each.text)}" for each in entry.definitions if program is None]
    call, _, derivative = call.partition("\n")
    return [
        "import jax, jax.numpy as jnp",
        *(["from jax.experimental.jet import jet"] if derivative else []),
        *([] if entry.implementation is None else [f"import {entry.implementation.module}"]),
        *(["jax.config.update('jax_enable_x64', True)"] if verdict.dtype == "float64" else []),
        *(f"{datum.name} = {_array(datum.bits, datum.shape, dtype)}" for datum in data),
        f"def f({name}):",
        *body,
        f"    return {program or _jax(entry.value.text)}",
        *([derivative] if derivative else []),
        f"x = {_array(point, entry.inputs[0].shape, dtype)}",
        f"print({call})  # {_comment(verdict)}",
    ]


def _names(entry: Entry) -> frozenset[str]:
    """The names that the formula and its definitions use; or that the program in their place is given."""
    assert entry.value is not None
    texts = [entry.value.text, *(each.text for each in entry.definitions)]
    if entry.implementation is not None:
        texts = [*entry.implementation.arguments, *entry.implementation.options.values()]
    trees = (ast.parse(text, mode="eval") for text in texts)
    return frozenset(node.id for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Name))


def _program(entry: Entry) -> str | None:
    """The call of the program that stands for the formula; None where there is none."""
    if entry.implementation is None:
        return None
    call = call_of(entry.implementation)
    if call is None:
        raise _NotSimple
    return call


def _comment(verdict: Verdict) -> str:
    assert verdict.worst is not None
    where = "" if verdict.component in ("value", "d/dx") else f"{verdict.component}: "
    # A comment must not end early, whatever the run file holds.
    return " ".join(f"{where}{verdict.worst.decimal}; the truth is {verdict.worst.truth}".split())


def _call(program: str, order: int, *, is_number: bool) -> str | None:
    """The expression that the reproduction prints, and on a second line what it needs before; None for no short one."""
    transform, _, compilation = program.partition("/")
    if compilation not in _COMPILATIONS:
        return None
    function, applied = _COMPILATIONS[compilation]
    if transform in _TRANSFORMS:
        return applied.format(g=_TRANSFORMS[transform].format(f=function))
    if transform == "jet" and is_number:
        series = ", ".join(["jnp.ones_like(x)", *["jnp.zeros_like(x)"] * (order - 1)])
        return applied.format(g="d") + f"\nd = lambda x: jet({function}, (x,), ([{series}],))[1][-1]"
    base = transform.rstrip("0123456789^")
    if base in ("grad", "jacfwd", "jacrev") and transform[len(base) :].lstrip("^") == str(order):
        return applied.format(g=f"jax.{base}(" * order + function + ")" * order)
    return None


def _array(numbers: list[str] | tuple[str, ...], shape: tuple[int, ...], dtype: str) -> str:
    if not 0 < len(numbers) <= _MOST_NUMBERS or len(shape) > 1:
        raise _NotSimple
    written = [_number(each) for each in numbers]
    return f"jnp.array({written[0] if shape == () else '[' + ', '.join(written) + ']'}, dtype={dtype})"


def _number(text: str) -> str:
    """A whole number as itself, anything else by its bits."""
    value = float.fromhex(text)
    return str(int(value)) if value == int(value) and abs(value) < 2**24 else f"float.fromhex('{exact_hex(text)}')"


def _jax(text: str) -> str:
    """A formula in JAX's words: its grammar is Python's, so only the functions' names change."""
    return ast.unparse(_Spelled().visit(ast.parse(text, mode="eval")))


class _Spelled(ast.NodeTransformer):
    """Renames functions and constants; refuses every node that is not plain arithmetic."""

    _PLAIN = (
        ast.Expression,
        ast.BinOp,
        ast.UnaryOp,
        ast.Compare,
        ast.Constant,
        ast.Subscript,
        ast.Slice,
        ast.Tuple,
        ast.operator,
        ast.unaryop,
        ast.cmpop,
        ast.expr_context,
    )

    def generic_visit(self, node: ast.AST) -> ast.AST:
        if not isinstance(node, self._PLAIN):
            raise _NotSimple
        return super().generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        row = REDUCED[name] if name in REDUCED and len(node.args) == 1 else FUNCTIONS.get(name)
        if row is None or not row.jax.startswith("jax.") or row.jax_options or node.keywords:
            raise _NotSimple
        arguments: list[ast.expr] = [self.visit(each) for each in node.args]
        return ast.Call(func=ast.Name(id=_spelling(row.jax), ctx=ast.Load()), args=arguments, keywords=[])

    def visit_List(self, node: ast.List) -> ast.AST:
        rows: list[ast.expr] = [self.visit(each) for each in node.elts]
        return ast.Call(
            func=ast.Name(id="jnp.array", ctx=ast.Load()), args=[ast.List(elts=rows, ctx=ast.Load())], keywords=[]
        )

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(id=f"jnp.{node.id}", ctx=node.ctx) if node.id in CONSTANTS else node


def _spelling(dotted: str) -> str:
    long, short = next(pair for pair in _PACKAGES if dotted.startswith(pair[0]))
    return short + dotted.removeprefix(long)
