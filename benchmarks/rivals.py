"""What others do at the same points: JAX's check_grads, torch's gradcheck, and SymPy with lambdify and allclose."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import sympy
from jax.test_util import check_grads
from measures import DTYPE, Function

from verifier.execution.dtypes import exact, x64_for
from verifier.execution.points import Point
from verifier.programs.layout import Layout

try:
    import torch
except ImportError:  # an optional rival
    torch = None

__all__ = ["TORCH", "arguments", "by_check_grads", "by_sympy", "by_torch", "has_torch", "torch_version"]

has_torch = torch is not None


def torch_version() -> str:
    """Torch's version, or why there is none."""
    return "not installed" if torch is None else torch.__version__


def arguments(function: Function, point: Point) -> tuple[Any, ...]:
    """The arguments at a point as JAX's program takes them."""
    pairs = zip(function.signature.leaves, point.values, strict=True)
    leaves = [jnp.asarray(exact(values, leaf.shape, DTYPE)) for leaf, values in pairs]
    return Layout(function.signature).arguments(leaves)


def by_check_grads(function: Function, points: Sequence[Point], *, jitted: bool) -> int:
    """`check_grads` of orders 1 and 2 in both modes, as users call it; how many points it rejected."""
    program = function.program()
    rejected = 0
    with x64_for(DTYPE):
        data = {name: jnp.asarray(np.asarray(each, dtype=DTYPE)) for name, each in function.prepared.data.items()}

        def value(*given: Any) -> Any:
            return program(*given, data)

        checked = jax.jit(value) if jitted else value
        for point in points:
            for order in (1, 2):
                try:
                    check_grads(checked, arguments(function, point), order=order)
                except AssertionError:
                    rejected += 1
    return rejected


def by_sympy(function: Function, points: Sequence[Point]) -> int:
    """Every first and second derivative by SymPy, lambdified, compared with JAX's own by allclose; how many differ."""
    value, entry = function.entry.value, function.entry
    assert value is not None
    found = function.prepared.workspace.symbolic(value)
    if found is None:
        raise ValueError("the formula is too large for SymPy's trees")
    symbols = [_symbol(name, index) for name, shape in _inputs(function) for index in np.ndindex(*shape)]
    derivatives = {
        1: [sympy.diff(each, x) for each in found.flat for x in symbols],
        2: [sympy.diff(each, x, y) for each in found.flat for x in symbols for y in symbols],
    }
    compiled = {
        order: [sympy.lambdify(symbols, each, ["scipy", "numpy"]) for each in all_]
        for order, all_ in derivatives.items()
    }
    program, layout, differing = function.program(), Layout(function.signature), 0
    transforms: Mapping[int, Callable[..., Any]] = {1: jax.jacrev, 2: jax.hessian}
    with x64_for(DTYPE):
        data = {name: jnp.asarray(np.asarray(each, dtype=DTYPE)) for name, each in function.prepared.data.items()}
        for point in points:
            flat = [x for values in point.values for x in values]
            given = arguments(function, point)
            for order in entry.orders:
                program_of_data = transforms[order](lambda *each: program(*each, data), argnums=layout.argnums)
                got = np.asarray(layout.tensor(program_of_data(*given), order)).ravel()
                wanted = np.array([float(each(*flat)) for each in compiled[order]])
                differing += not np.allclose(got, wanted)
    return differing


def _inputs(function: Function) -> Sequence[tuple[str, tuple[int, ...]]]:
    return function.prepared.definitions.inputs


def _symbol(name: str, index: tuple[int, ...]) -> sympy.Symbol:
    return sympy.Symbol(name + (f"[{','.join(map(str, index))}]" if index else ""), real=True)


def by_torch(function: Function, points: Sequence[Point]) -> int:
    """`gradcheck` and `gradgradcheck` of torch's own version of the function; how many points they rejected."""
    program, rejected = TORCH[function.entry.id], 0
    for point in points:
        pairs = zip(function.signature.leaves, point.values, strict=True)
        given = tuple(
            torch.tensor(values, dtype=torch.float64).reshape(leaf.shape).requires_grad_()  # pyright: ignore
            for leaf, values in pairs
        )
        for check in (torch.autograd.gradcheck, torch.autograd.gradgradcheck):  # pyright: ignore
            rejected += not check(program, given, raise_exception=False)
    return rejected


def _chain(x: Any) -> Any:
    for _ in range(50):
        x = torch.sin(x)  # pyright: ignore
    return x


def _regression(p: Any) -> Any:
    t = torch.linspace(0, 1, 20, dtype=torch.float64)  # pyright: ignore
    return ((p[0] * t + p[1] - 2 * t - 1) ** 2).mean()


def _network(w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
    rows = torch.linspace(-1, 1, 8, dtype=torch.float64).reshape(8, 1)  # pyright: ignore
    return ((torch.tanh(rows @ w1 + b1) @ w2 + b2 - rows**2) ** 2).mean()  # pyright: ignore


def _quadratic(v: Any) -> Any:
    rows = [[2.0, 1, 0, 1], [1, 3, 1, 0], [0, 1, 4, 1], [1, 0, 1, 5]]
    return v @ (torch.tensor(rows, dtype=torch.float64) @ v)  # pyright: ignore


TORCH: Mapping[str, Callable[..., Any]] = {
    "cubic": lambda x: x**3 - 4 * x + 1,
    "rational": lambda x: (x**2 + 1) / (x**4 + 2),
    "oscillation": lambda x: torch.exp(torch.sin(x)) * torch.cos(x),  # pyright: ignore
    "root-log": lambda x: torch.sqrt(x) * torch.log(x),  # pyright: ignore
    "tanh-squared": lambda x: torch.tanh(x) ** 2,  # pyright: ignore
    "soft-chain": lambda x: torch.log1p(torch.exp(torch.tanh(x))),  # pyright: ignore
    "self-power": lambda x: x**x,
    "bell-erf": lambda x: torch.erf(x) * torch.exp(-(x**2)),  # pyright: ignore
    "log-gamma": lambda x: torch.lgamma(x),  # pyright: ignore
    "angle": lambda y, x: torch.atan2(y, x),  # pyright: ignore
    "chain-50": _chain,
    "variance": lambda v: ((v - v.mean()) ** 2).mean(),
    "regression": _regression,
    "network": _network,
    "rosenbrock": lambda v: (100 * (v[1:] - v[:-1] ** 2) ** 2 + (1 - v[:-1]) ** 2).sum(),
    "log-sum-exp": lambda v: torch.logsumexp(v, 0),  # pyright: ignore
    "cross-entropy": lambda v: -torch.log_softmax(v, 0)[2],  # pyright: ignore
    "quadratic-form": _quadratic,
    "length": lambda v: v.norm(),
    "vector": lambda v: torch.stack([torch.sin(v[0]) * v[1], torch.exp(v[0] * v[1] / 4), v[0] / v[1]]),  # pyright: ignore
}
"""The functions of work_set.yaml in torch."""
