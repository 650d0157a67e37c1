"""A reproduction of a finding that needs JAX alone: at most ten lines, or None where the formula is too large."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from verifier.arithmetic.floats import FORMATS
from verifier.report.implementation import call_of
from verifier.report.numbers import exact_hex, shortened
from verifier.runs.records import Entry, Input, Rule, RuleWorst, Verdict, Witness, Worst
from verifier.symbolic.functions import CONSTANTS, FUNCTIONS, REDUCED

__all__ = ["LONGEST", "missing_because", "printed_lines", "reproduction", "spelled_call"]

LONGEST = 10
_MOST_NUMBERS = 12
_WIDEST = 118
_PACKAGES = (("jax.numpy.", "jnp."), ("jax.", "jax."))

# Transform -> the functions of JAX that it applies, outermost first. Contracted programs need seeded vectors: they have
# no short form.
_TRANSFORMS: Mapping[str, tuple[str, ...]] = {
    "value": (),
    "grad": ("grad",),
    "jacfwd": ("jacfwd",),
    "jacrev": ("jacrev",),
    "hessian": ("hessian",),
    "fwd-fwd": ("jacfwd", "jacfwd"),
    "fwd-rev": ("jacfwd", "jacrev"),
    "rev-fwd": ("jacrev", "jacfwd"),
    "rev-rev": ("jacrev", "jacrev"),
}
# Compilation -> how it is written around the function, and around the transform `g` of it at the point. Of a batch of
# one everything is printed where there are several inputs: its derivatives are nested tuples.
_COMPILATIONS: Mapping[str, tuple[str, str]] = {
    "eager": ("{f}", "{g}({point})"),
    "jit": ("{f}", "jax.jit({g})({point})"),
    "vmap": ("{f}", "jax.jit(jax.vmap({g}))({batch}){first}"),
    "remat": ("jax.checkpoint({f})", "jax.jit({g})({point})"),
}


_UNSPELLED = "the formula holds what has no short spelling in JAX"


class _NotSimple(Exception):
    """There is no short reproduction; says why."""

    def __init__(self, reason: str = _UNSPELLED) -> None:
        super().__init__(reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """What a reproduction shows: the witness, programs that give the number, and a comment that says it."""

    programs: tuple[str, ...]
    order: int
    dtype: str
    inputs: Mapping[str, tuple[Witness, ...]]
    comment: str


def reproduction(entry: Entry, judged: Verdict | Rule, programs: tuple[str, ...] = ()) -> str | None:
    """Python code that prints what was judged, by its program or the first of `programs` with a short form."""
    try:
        return _code(entry, judged, programs)
    except _NotSimple:
        return None


def missing_because(entry: Entry, judged: Verdict | Rule, programs: tuple[str, ...] = ()) -> str:
    """Why there is no reproduction, in a few words; empty where there is one."""
    try:
        _code(entry, judged, programs)
    except _NotSimple as reason:
        return str(reason)
    return ""


def _code(entry: Entry, judged: Verdict | Rule, programs: tuple[str, ...]) -> str:
    shown = _shown(judged, programs)
    if not all(each.name in shown.inputs for each in entry.inputs):
        raise _NotSimple("the function has more numbers than fit here")
    is_number = [each.shape for each in entry.inputs] == [()]
    names = [each.name for each in entry.inputs]
    calls = (spelled_call(each, shown.order, names, is_number=is_number) for each in shown.programs)
    call = next((each for each in calls if each), None)
    if call is None:
        raise _NotSimple("the program multiplies by vectors that the run chose")
    try:
        lines = _lines(entry, shown, call)
    except (SyntaxError, RecursionError):
        raise _NotSimple(_UNSPELLED) from None
    if len(lines) > LONGEST or max(map(len, lines)) > _WIDEST:
        raise _NotSimple(f"the code would be longer than {LONGEST} short lines")
    return "\n".join(lines)


def _shown(judged: Verdict | Rule, programs: tuple[str, ...]) -> _Shown:
    """A rule is about a program that no device ran: eager, it has the equations that were judged."""
    match judged:
        case Verdict(worst=Worst() as worst):
            named, said = (judged.program, *programs), worst.decimal
        case Rule(worst=RuleWorst() as worst):
            named = tuple(each if "/" in each else f"{each}/eager" for each in (judged.program, *programs))
            said = f"exactly {shortened(worst.value)}"
        case _:
            raise _NotSimple("nothing was computed")
    where = "" if judged.component in ("value", "d/dx") else f"{judged.component}: "
    # A comment must not end early, whatever the run file holds.
    comment = " ".join(f"{where}{said}; the truth is {shortened(worst.truth)}".split())
    return _Shown(programs=named, order=judged.order, dtype=judged.dtype, inputs=worst.inputs, comment=comment)


def _lines(entry: Entry, shown: _Shown, call: str) -> list[str]:
    if entry.value is None:
        raise _NotSimple("the entry has no function")
    program, dtype = _program(entry), f"jnp.{shown.dtype}"
    data = [datum for datum in entry.data if datum.name in _names(entry)]
    names = tuple(each.name for each in (*entry.inputs, *entry.definitions, *data))
    if not all(each.isidentifier() for each in names) or shown.dtype not in FORMATS:
        raise _NotSimple
    body = [f"    {each.name} = {_jax(each.text)}" for each in entry.definitions if program is None]
    call, _, derivative = call.partition("\n")
    return [
        "import jax, jax.numpy as jnp",
        *(["from jax.experimental.jet import jet"] if derivative else []),
        *([] if entry.implementation is None else [f"import {entry.implementation.module}"]),
        *(["jax.config.update('jax_enable_x64', True)"] if shown.dtype == "float64" else []),
        *(f"{datum.name} = {_array(datum.bits, datum.shape, dtype)}" for datum in data),
        f"def f({', '.join(each.name for each in entry.inputs)}):",
        *body,
        f"    return {program or _jax(entry.value.text)}",
        *([derivative] if derivative else []),
        *(f"{each.name} = {_array(_bits(shown, each), each.shape, dtype)}" for each in entry.inputs),
        *printed_lines(call, shown.comment),
    ]


def _bits(shown: _Shown, each: Input) -> list[str]:
    return [witness.hex for witness in shown.inputs[each.name]]


def printed_lines(call: str, comment: str) -> list[str]:
    """The last line, or two where call and comment do not fit into one."""
    line = f"print({call})  # {comment}"
    return [line] if len(line) <= _WIDEST else [f"# {comment}"[:_WIDEST], f"print({call})"]


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


def spelled_call(program: str, order: int, names: Sequence[str], *, is_number: bool, function: str = "f") -> str | None:
    """The expression that a reproduction prints, and on a second line what it needs before; None for no short one.

    `names` are the function's arguments, all of them differentiated; `is_number`: there is one, and it is a number.
    """
    transform, _, compilation = program.partition("/")
    if compilation not in _COMPILATIONS:
        return None
    wrapped, applied = _COMPILATIONS[compilation]
    function, alone = wrapped.format(f=function), len(names) == 1
    places = {
        "point": ", ".join(names),
        "batch": ", ".join(f"{each}[None]" for each in names),
        "first": "[0]" if alone else "",
    }
    if transform == "jet":
        return applied.format(g="d", **places) + _jet(function, order, *names) if is_number else None
    transforms = _TRANSFORMS.get(transform, _repeated(transform, order))
    if transforms is None:
        return None
    every = "" if alone else f", argnums={tuple(range(len(names)))}"
    for each in reversed(transforms):
        function = f"jax.{each}({function}{every})"
    return applied.format(g=function, **places)


def _jet(function: str, order: int, name: str) -> str:
    series = ", ".join([f"jnp.ones_like({name})", *[f"jnp.zeros_like({name})"] * (order - 1)])
    return f"\nd = lambda {name}: jet({function}, ({name},), ([{series}],))[1][-1]"


def _repeated(transform: str, order: int) -> tuple[str, ...] | None:
    """`grad3` at order 3: the same thrice."""
    base = transform.rstrip("0123456789^")
    is_one = base in ("grad", "jacfwd", "jacrev") and transform[len(base) :].lstrip("^") == str(order)
    return (base,) * order if is_one else None


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
