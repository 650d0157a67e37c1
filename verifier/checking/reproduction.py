"""Lines that need JAX alone, run as they stand and print what the worst finding is about."""

from __future__ import annotations

import keyword
from collections.abc import Callable, Collection, Sequence
from typing import Any

import jax
import numpy as np

from verifier.checking.asked import Asked
from verifier.checking.result import Judgement
from verifier.checking.source import MOST_NUMBERS, NotSpelled, Spelled, source_of, spelled
from verifier.execution.dtypes import x64_for
from verifier.programs.trace import Arguments, arguments, is_real
from verifier.report.reproduction import printed_lines, spelled_call

__all__ = ["reproduction"]


def reproduction(asked: Asked, dtype: str | None, judgement: Judgement, title: str, comment: str) -> str:
    """The lines for a judgement that was made in a dtype (None for the arguments' own); empty where it has none.

    `title` says whose function it is, `comment` what the printed line is about.
    """
    is_wide = (dtype or asked.own()) == "float64"
    source = source_of(asked.fn, title)
    with x64_for(dtype or asked.own()):
        given = arguments(asked.fn, asked.args, asked.argnums, dtype)
        moving = [given.names[i] for i in given.moving]
        dtypes = [given.values[i].dtype for i in given.moving]
        place = [np.asarray(judgement.point[each]).astype(kind) for each, kind in zip(moving, dtypes, strict=True)]
        names = _identifiers(moving, {*source.names, source.name})
        wrapped = _wrapped(asked.fn, given, names, place, judgement, source.name)
    function = _WRAPPED if wrapped else source.name
    is_number = [each.shape for each in place] == [()]
    call = spelled_call(judgement.program, judgement.order, names, is_number=is_number, function=function)
    if call is None:
        return ""
    call, _, before = call.partition("\n")
    lines = [
        "import jax, jax.numpy as jnp",
        *(["from jax.experimental.jet import jet"] if before else []),
        *(["jax.config.update('jax_enable_x64', True)"] if is_wide else []),
        *source.lines,
        *wrapped,
        *([before] if before else []),
        *(_assigned(*each) for each in zip(names, place, strict=True)),
        *printed_lines(call, comment),
    ]
    return "\n".join(lines)


_WRAPPED = "of_leaves"


def _wrapped(
    fn: Callable[..., Any], given: Arguments, names: Sequence[str], place: Sequence[Any], judgement: Judgement, f: str
) -> list[str]:
    """The lines that make of `f` a function of the differentiated leaves alone, with real results as they are judged.

    There are none where it is one already.
    """
    called = given.placed([Spelled(each) for each in names])
    returned = jax.eval_shape(lambda *leaves: fn(*given.placed(leaves)), *place)
    results = jax.tree.leaves(returned)
    is_grad = judgement.program.startswith("grad")
    is_plain = all(map(is_real, results)) and (not is_grad or returned is results[0])
    if is_plain and all(isinstance(each, Spelled) for each in called):
        return []
    texts, yours = _spelled_arguments(called)
    value = f"{f}({', '.join(texts)})"
    if not is_plain:
        value = f"[y for y in jax.tree.leaves({value}) if jnp.issubdtype(jnp.result_type(y), jnp.floating)]"
        value += "[0]" if is_grad else ""
    return [*yours, f"{_WRAPPED} = lambda {', '.join(names)}: {value}"]


def _spelled_arguments(arguments: Sequence[Any]) -> tuple[list[str], list[str]]:
    """The arguments as expressions, and lines for those that are the reader's own."""
    texts, yours = [], []
    for place, each in enumerate(arguments):
        try:
            texts.append(spelled(each))
        except NotSpelled:
            texts.append(f"argument_{place}")
            yours.append(f"argument_{place} = ...  # the argument {place} of f is yours")
    return texts, yours


def _assigned(name: str, value: np.ndarray) -> str:
    if value.size > MOST_NUMBERS:
        return f"{name} = ...  # {value.dtype.name} of shape {value.shape}, is yours"
    return f"{name} = {spelled(value)}"


def _identifiers(names: Sequence[str], taken: Collection[str]) -> list[str]:
    """Names of leaves such as `params['w']` as names of variables, each another and none that is taken."""
    found: list[str] = []
    for name in names:
        plain = "_".join("".join(each if each.isalnum() else " " for each in name).split())
        while plain in (*found, *taken, *_RESERVED) or keyword.iskeyword(plain):
            plain += "_"
        found.append(plain)
    return found


_RESERVED = ("jax", "jnp", "jet", "d", _WRAPPED)
