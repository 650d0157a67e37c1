"""What `verifier.check` and `jax.test_util.check_grads` say of the same rules, wrong ones and right ones.

Run `python benchmarks/planted_faults.py` (under a minute); it writes the table of docs/check_grads.md anew. Both are
called as a user calls them, with their defaults; whether a rule is wrong is known because it was made so, or is proved
by `check` (the defects of JAX itself, where the table shows the value against the truth).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.test_util import check_grads

import verifier

jax.config.update("jax_enable_x64", True)

PAGE = Path(__file__).parents[1] / "docs" / "check_grads.md"
BEGIN, END = "<!-- measured: benchmarks/planted_faults.py -->", "<!-- end of measured -->"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A function at a point; `wrong` says whether its derivative is."""

    name: str
    function: Callable[..., Any]
    at: Any
    wrong: bool
    order: int = 1


def ruled(primal: Callable[..., Any], slope: Callable[..., Any]) -> Callable[..., Any]:
    """The primal with a custom JVP rule that multiplies the tangent by `slope`."""
    function = jax.custom_jvp(primal)
    function.defjvp(lambda primals, tangents: (primal(*primals), slope(*primals) * tangents[0]))
    return function


def scaled(scale: float, slope: Callable[..., Any]) -> Callable[..., Any]:
    """scale * sin(x), whose rule says scale * slope(x)."""
    return ruled(lambda x: scale * jnp.sin(x), lambda x: scale * slope(x))


def stale() -> Callable[..., Any]:
    """x sin(x), whose backward rule is given a point that is 1e-3 off."""

    @jax.custom_vjp
    def function(x: Any) -> Any:
        return jnp.sin(x) * x

    function.defvjp(lambda x: (function(x), x + 1e-3), lambda x, g: (g * (jnp.cos(x) * x + jnp.sin(x)),))
    return function


def mapped(rule: Callable[[Any, Any, Any], Any], primal: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """A function of a vector with a fixed matrix and a rule of its own."""
    matrix = jnp.arange(9.0).reshape(3, 3)
    function = jax.custom_jvp(lambda v: primal(matrix, v))
    function.defjvp(lambda p, t: (primal(matrix, p[0]), rule(matrix, p[0], t[0])))
    return function


FACTOR = 1 + 2.0**-20
VECTOR = np.array([0.3, -0.2, 0.9])


def half(x: float) -> Any:
    return jnp.asarray(x, jnp.float16)


def single(x: float) -> Any:
    return np.float32(x)


CASES = (
    Case(name="sin, flipped sign", function=scaled(1, lambda x: -jnp.cos(x)), at=0.7, wrong=True),
    Case(name="1e-6 sin, flipped sign", function=scaled(1e-6, lambda x: -jnp.cos(x)), at=0.7, wrong=True),
    Case(name="1e-6 sin, slope doubled", function=scaled(1e-6, lambda x: 2 * jnp.cos(x)), at=0.7, wrong=True),
    Case(name="1e-30 sin, no slope at all", function=scaled(1e-30, lambda x: 0 * x), at=0.7, wrong=True),
    Case(name="1e30 sin, factor 1 + 2^-20", function=scaled(1e30, lambda x: FACTOR * jnp.cos(x)), at=0.7, wrong=True),
    Case(name="sin, factor 1 + 2^-20", function=scaled(1, lambda x: FACTOR * jnp.cos(x)), at=0.7, wrong=True),
    Case(
        name="0.56 exp, constant wrong in the 10th digit",
        function=ruled(lambda x: jnp.exp(x) * 0.5641895835477563, lambda x: jnp.exp(x) * 0.5641895836477563),
        at=0.7,
        wrong=True,
    ),
    Case(
        name="sin, wrong by 1 % only for x > 3",
        function=scaled(1, lambda x: jnp.cos(x) * jnp.where(x > 3, 1.01, 1)),
        at=3.3,
        wrong=True,
    ),
    Case(
        name="sin, wrong only at the second order",
        function=scaled(1, lambda x: jax.lax.stop_gradient(jnp.cos(x))),
        at=0.7,
        wrong=True,
        order=2,
    ),
    Case(name="x sin x, stale residual", function=stale(), at=0.7, wrong=True),
    Case(
        name="A v v0, a dropped term",
        function=mapped(lambda a, v, t: a @ t * v[0], lambda a, v: a @ v * v[0]),
        at=VECTOR,
        wrong=True,
    ),
    Case(name="A v, transposed", function=mapped(lambda a, v, t: a.T @ t, lambda a, v: a @ v), at=VECTOR, wrong=True),
    Case(name="JAX: sigmoid'(15) in float32", function=jax.nn.sigmoid, at=single(15), wrong=True),
    Case(name="JAX: tanh'(9) in float32", function=jnp.tanh, at=single(9), wrong=True),
    Case(
        name="JAX: sinc by `where`, at 0",
        function=lambda x: jnp.where(x == 0, 1.0, jnp.sin(x) / x),
        at=0.0,
        wrong=True,
    ),
    Case(name="JAX: relu(x) - relu(-x) at 0", function=lambda x: jax.nn.relu(x) - jax.nn.relu(-x), at=0.0, wrong=True),
    Case(name="right: sin", function=scaled(1, jnp.cos), at=0.7, wrong=False),
    Case(name="right: 1e30 sin", function=scaled(1e30, jnp.cos), at=0.7, wrong=False),
    Case(name="right: i1'(50)", function=jax.scipy.special.i1, at=50.0, wrong=False),
    Case(name="right: gammaln'(10) in float32", function=jax.scipy.special.gammaln, at=single(10), wrong=False),
    Case(name="right: tanh'(0.5) in float16", function=jnp.tanh, at=half(0.5), wrong=False),
    Case(name="right: relu at 0 (a convention)", function=jax.nn.relu, at=0.0, wrong=False),
)


def by_check_grads(case: Case) -> bool:
    """Whether `check_grads` accepts the derivative."""
    try:
        check_grads(case.function, (case.at,), order=case.order)
    except Exception:
        return False
    return True


def by_check(case: Case) -> Any:
    return verifier.check(case.function, case.at, orders=(case.order,))


def row(case: Case) -> str:
    """One line of the table; a mistaken answer is set in bold."""
    found = by_check(case)
    first = next(iter(found.findings), None)
    said = "passes" if first is None else f"{first.rule} rule, {first.number} number"
    return " | ".join(
        (
            f"| {case.name}",
            "wrong" if case.wrong else "right",
            marked(by_check_grads(case), case),
            f"{marked(found.ok, case)}: {said} |",
        )
    )


def marked(accepted: bool, case: Case) -> str:
    text = "accepts" if accepted else "rejects"
    return f"**{text}**" if accepted == case.wrong else text


def main() -> None:
    """Write the table into its page."""
    rows = [row(case) for case in CASES]
    head = [
        f"JAX {jax.__version__}.",
        "",
        "| rule | is | `check_grads` | `verifier.check` |",
        "| --- | --- | --- | --- |",
    ]
    table = "\n".join((BEGIN, "", *head, *rows, "", END))
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(re.sub(f"{BEGIN}.*{END}", lambda _: table, text, flags=re.DOTALL), encoding="utf-8")
    print(table)


if __name__ == "__main__":
    main()
