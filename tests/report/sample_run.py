"""A realistic run file made without the engine: the article's functions, numpy as the device, mpmath as the truth.

The report is developed and tested against it. Its verdicts are simplified (a yardstick of 4 ulps plus conditioning),
its shapes are not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import ml_dtypes
import mpmath
import numpy as np

from verifier.arithmetic.floats import FORMATS, round_to, shortest_decimal, ulp
from verifier.runs.writer import RunWriter

mpmath.mp.dps = 60

DTYPES = {"float64": np.float64, "float32": np.float32, "bfloat16": ml_dtypes.bfloat16, "float16": np.float16}
COMPILATIONS = ("eager", "jit", "vmap", "remat")
FIRST = ("grad", "jacfwd", "jacrev", "jvp", "vjp", "linearize", "jet")
SECOND = ("hessian", "fwd-fwd", "fwd-rev", "rev-fwd", "rev-rev", "jet")
DEVICES = ("cpu:0", "cpu:1")

SECTIONS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("introduction", "Introduction", ()),
    (
        "derivatives",
        "Derivatives: Rate of Change",
        (
            r"\text{velocity} = \frac{\Delta y}{\Delta x} = \frac{\text{change in distance}}{\text{change in time}}",
            r"f'(x) = \lim_{\Delta x \to 0} \frac{\Delta y}{\Delta x} = \lim_{\Delta x \to 0} "
            r"\frac{f(x + \Delta x) - f(x)}{\Delta x}",
        ),
    ),
    ("tangent", r"The Tangent Line and $\tan(\theta)$", (r"\tan(\theta) = \frac{\Delta y}{\Delta x} = f'(x)",)),
    (
        "minima",
        "Minima and Maxima: Where the Derivative is Zero",
        (r"f'(x) = 0 \implies \text{potential minimum or maximum}",),
    ),
    (
        "procurement",
        "Finding the Optimal Procurement Split with JAX",
        (r"f(\omega) = \omega \cdot p_A + (1 - \omega) \cdot p_B, \quad \omega \in [0, 1]",),
    ),
    (
        "partial",
        "Partial Derivatives and Gradients",
        (
            r"\frac{\partial f}{\partial x} = 2x + 3y, \qquad \frac{\partial f}{\partial y} = 3x + 2y",
            r"\nabla f = \left[\frac{\partial f}{\partial x},\ \frac{\partial f}{\partial y}\right]",
        ),
    ),
    (
        "chain-rule",
        "The Chain Rule: Backbone of Backpropagation",
        (r"\frac{dL}{dx} = \frac{d\ell}{dg} \cdot \frac{dg}{df} \cdot \frac{df}{dx}",),
    ),
    ("higher-order", "Higher-Order Derivatives", ()),
    ("descent", "Gradient Descent from Scratch", ()),
    ("regression", "Training a Linear Regression", ()),
    ("jit", "JIT Compilation: Making It Fast", ()),
    (
        "jacobian-hessian",
        "The Jacobian and Hessian",
        (r"J_{ij} = \frac{\partial f_i}{\partial x_j}", r"H_{ij} = \frac{\partial^2 f}{\partial x_i \partial x_j}"),
    ),
    ("network", "A Non-Trivial Example: Two-Layer Neural Network", ()),
    ("cheat-sheet", "Cheat Sheet: Calculus Concepts → JAX API", ()),
)

LISTINGS = (
    (
        "composed",
        "chain-rule",
        """def layer1(x):
    return jnp.tanh(x)

def layer2(x):
    return x ** 2

def composed(x):
    return layer2(layer1(x))

# JAX handles the chain rule automatically
d_composed = jax.grad(composed)
""",
    ),
    (
        "multi",
        "partial",
        """def f_multi(params):
    x, y = params
    return x**2 + 3*x*y + y**2

grad_f = jax.grad(f_multi)

point = jnp.array([1.0, 2.0])
print(grad_f(point))  # [8.0, 7.0]
# ∂f/∂x = 2(1) + 3(2) = 8 ✓
# ∂f/∂y = 3(1) + 2(2) = 7 ✓
""",
    ),
    (
        "variance",
        "procurement",
        """def L(w, pA, pB):
    blended = f(w, pA, pB)
    return jnp.mean((blended - jnp.mean(blended)) ** 2)
""",
    ),
)

PRICES_A = (1408, 1500, 2000, 1800, 1600, 1900, 1700, 1550, 1450, 1650)
PRICES_B = (750, 4000, 1500, 3500, 800, 3800, 1200, 3600, 900, 3700)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A function, its derivatives by order: exactly (mpmath), and as a device computes them (numpy, in the dtype)."""

    id: str
    title: str
    section: str
    row: str | None = None
    note: str = ""
    text: str
    latex: str
    lets: tuple[tuple[str, str, str, tuple[tuple[str, str], ...]], ...] = ()
    inputs: tuple[tuple[str, tuple[int, ...], float, float], ...]
    exact: tuple[Callable[..., list[Any]], ...]
    device: tuple[Callable[..., list[Any]], ...]
    names: tuple[tuple[str, ...], ...]
    derivatives: tuple[tuple[int, str, str], ...]
    declared: tuple[tuple[float, ...], ...]
    pictures: tuple[dict[str, Any], ...] = field(default=())
    data: tuple[tuple[str, tuple[float, ...]], ...] = ()


def _procurement(order: int) -> Callable[..., list[Any]]:
    def at(w: Any) -> list[Any]:
        number = type(w)
        gap = [number(a) - number(b) for a, b in zip(PRICES_A, PRICES_B, strict=True)]
        blended = [w * number(a) + (number(1) - w) * number(b) for a, b in zip(PRICES_A, PRICES_B, strict=True)]
        n = number(len(gap))
        centred = [each - sum(blended, number(0)) / n for each in blended]
        slope = [each - sum(gap, number(0)) / n for each in gap]
        terms = {
            0: [c * c for c in centred],
            1: [number(2) * c * s for c, s in zip(centred, slope, strict=True)],
            2: [number(2) * s * s for s in slope],
        }[order]
        return [sum(terms, number(0)) / n]

    return at


def _tanh_device(order: int) -> Callable[..., list[Any]]:
    def at(x: Any) -> list[Any]:
        number, t = type(x), np.tanh(x)
        s = number(1) - t * t
        return [(t * t, number(2) * t * s, number(2) * s * s - number(4) * t * t * s)[order]]

    return at


def _exact_tanh(order: int) -> Callable[..., list[Any]]:
    def at(x: Any) -> list[Any]:
        t, s = mpmath.tanh(x), mpmath.sech(x) ** 2
        return [(t * t, 2 * t * s, 2 * s * s - 4 * t * t * s)[order]]

    return at


SINES = (("sin", 1), ("cos", 1), ("sin", -1), ("cos", -1))


def _sine(library: Any, order: int) -> Callable[..., list[Any]]:
    name, sign = SINES[order % 4]
    return lambda x: [type(x)(sign) * getattr(library, name)(x)]


def _grid_picture() -> dict[str, Any]:
    axis = [-3 + 6 * k / 29 for k in range(30)]
    heights = [[x * x + 3 * x * y + y * y for x in axis] for y in axis]
    return {
        "id": "gradient-field",
        "title": "Gradient Descent Directions on $f(x,y) = x^2 + 3xy + y^2$",
        "caption": "The negative gradient at each point, over the level sets of f.",
        "x_label": "x",
        "y_label": "y",
        "series": [
            {"kind": "contour", "label": "f(x, y)", "x": axis, "y": axis, "z": heights},
            {
                "kind": "arrows",
                "label": "negative gradient",
                "x": axis,
                "y": axis,
                "u": [[-(2 * x + 3 * y) for x in axis] for y in axis],
                "v": [[-(3 * x + 2 * y) for x in axis] for y in axis],
            },
        ],
    }


def _descent_picture() -> dict[str, Any]:
    xs = [-1 + 6 * k / 199 for k in range(200)]
    history = [3 - 3 * 0.8**k for k in range(51)]
    return {
        "id": "descent",
        "title": "Gradient Descent Converging to the Minimum",
        "x_label": "x",
        "y_label": "f(x)",
        "caption": "Fifty certified steps from 0 towards 3.",
        "series": [
            {"kind": "line", "label": "$f(x) = (x-3)^2 + 1$", "x": xs, "y": [(x - 3) ** 2 + 1 for x in xs]},
            {"kind": "points", "label": "steps 0 to 50", "x": history, "y": [(x - 3) ** 2 + 1 for x in history]},
        ],
    }


def _loss_picture() -> dict[str, Any]:
    ws = [k / 200 for k in range(201)]
    loss, slope = ([float(_procurement(order)(w)[0]) for w in ws] for order in (0, 1))
    return {
        "id": "loss",
        "title": "Loss over $\\omega$",
        "caption": "The variance is least where its slope is zero.",
        "x_label": "ω",
        "y_label": "variance, slope",
        "series": [
            {"kind": "line", "label": "loss L", "x": ws, "y": loss},
            {"kind": "line", "label": "gradient dL/dω", "x": ws, "y": slope},
        ],
    }


def _regression_picture() -> dict[str, Any]:
    xs = np.random.default_rng(7).normal(size=100)
    return {
        "id": "fit",
        "title": "The 100 points and the learned line",
        "caption": "All noise is a multiple of x: key 42 was used twice.",
        "x_label": "x",
        "y_label": "y",
        "series": [
            {"kind": "points", "label": "data", "x": list(xs), "y": list(2.1 * xs + 1)},
            {"kind": "line", "label": "learned: y = 2.100x + 1.000", "x": [-2.6, 2.6], "y": [-4.46, 6.46]},
        ],
    }


SAMPLES: tuple[Sample, ...] = (
    Sample(
        id="procurement",
        title="Variance of the blended price",
        section="procurement",
        row="derivative",
        note="The derivative is linear in $\\omega$, so the optimum is known exactly.",
        text="mean((blended - mean(blended))**2)",
        latex=r"\operatorname{mean}\left(\left(\mathrm{blended} - \overline{\mathrm{blended}}\right)^{2}\right)",
        lets=(("blended", "w*pA + (1 - w)*pB", r"w \, p_A + \left(1 - w\right) p_B", (("w", "p_A - p_B"),)),),
        inputs=(("w", (), 0.0, 1.0),),
        exact=tuple(_procurement(k) for k in range(3)),
        device=tuple(_procurement(k) for k in range(3)),
        names=(("value",), ("d/dw",), ("d2/dw2",)),
        derivatives=(
            (1, "d/dw", r"\frac{2}{n} \sum_{i=1}^{n} \left(b_i - \bar b\right)\left(\delta_i - \bar\delta\right)"),
        ),
        declared=((0.0,), (0.6,), (1.0,)),
        pictures=(_loss_picture(),),
        data=(("pA", PRICES_A), ("pB", PRICES_B)),
    ),
    Sample(
        id="quadratic-form",
        title="x² + 3xy + y²",
        section="partial",
        row="gradient",
        text="v[0]**2 + 3*v[0]*v[1] + v[1]**2",
        latex=r"v_{0}^{2} + 3 v_{0} v_{1} + v_{1}^{2}",
        inputs=(("v", (2,), -3.0, 3.0),),
        exact=(lambda x, y: [x * x + 3 * x * y + y * y], lambda x, y: [2 * x + 3 * y, 3 * x + 2 * y]),
        device=(
            lambda x, y: [x * x + type(x)(3) * x * y + y * y],
            lambda x, y: [type(x)(2) * x + type(x)(3) * y, type(x)(3) * x + type(x)(2) * y],
        ),
        names=(("value",), ("d/dv[0]", "d/dv[1]")),
        derivatives=((1, "d/dv[0]", "2 v_{0} + 3 v_{1}"), (1, "d/dv[1]", "3 v_{0} + 2 v_{1}")),
        declared=((1.0, 2.0), (0.0, 0.0)),
        pictures=(_grid_picture(),),
    ),
    Sample(
        id="tanh-squared",
        title="tanh squared, in two layers",
        section="chain-rule",
        row="chain-rule",
        text="layer1**2",
        latex=r"\mathrm{layer1}^{2}",
        lets=(("layer1", "tanh(x)", r"\tanh{\left(x \right)}", (("x", r"1 - \tanh^{2}{\left(x \right)}"),)),),
        inputs=(("x", (), -10.0, 10.0),),
        exact=tuple(_exact_tanh(k) for k in range(3)),
        device=tuple(_tanh_device(k) for k in range(3)),
        names=(("value",), ("d/dx",), ("d2/dx2",)),
        derivatives=(
            (1, "d/dx", r"2 \left(1 - \tanh^{2}{\left(x \right)}\right) \tanh{\left(x \right)}"),
            (
                2,
                "d2/dx2",
                r"2 \left(1 - \tanh^{2}{\left(x \right)}\right)^{2} "
                r"- 4 \left(1 - \tanh^{2}{\left(x \right)}\right) \tanh^{2}{\left(x \right)}",
            ),
        ),
        declared=((2.0,), (0.5,)),
    ),
    Sample(
        id="sine",
        title="sin and its derivatives",
        section="higher-order",
        row="derivative",
        text="sin(x)",
        latex=r"\sin{\left(x \right)}",
        inputs=(("x", (), -7.0, 7.0),),
        exact=tuple(_sine(mpmath, k) for k in range(4)),
        device=tuple(_sine(np, k) for k in range(4)),
        names=(("value",), ("d/dx",), ("d2/dx2",), ("d3/dx3",)),
        derivatives=(
            (1, "d/dx", r"\cos{\left(x \right)}"),
            (2, "d2/dx2", r"- \sin{\left(x \right)}"),
            (3, "d3/dx3", r"- \cos{\left(x \right)}"),
        ),
        declared=((math.pi / 4,),),
    ),
    Sample(
        id="parabola",
        title="(x − 3)² + 1",
        section="descent",
        text="(x - 3)**2 + 1",
        latex=r"\left(x - 3\right)^{2} + 1",
        inputs=(("x", (), -1.0, 5.0),),
        exact=(lambda x: [(x - 3) ** 2 + 1], lambda x: [2 * (x - 3)]),
        device=(lambda x: [(x - type(x)(3)) ** 2 + type(x)(1)], lambda x: [type(x)(2) * (x - type(x)(3))]),
        names=(("value",), ("d/dx",)),
        derivatives=((1, "d/dx", "2 x - 6"),),
        declared=((0.0,), (3.0,)),
        pictures=(_descent_picture(),),
    ),
    Sample(
        id="hessian-example",
        title="x₀³ + x₀x₁² + x₁³",
        section="jacobian-hessian",
        row="hessian",
        text="x[0]**3 + x[0]*x[1]**2 + x[1]**3",
        latex="x_{0}^{3} + x_{0} x_{1}^{2} + x_{1}^{3}",
        inputs=(("x", (2,), -4.0, 4.0),),
        exact=(
            lambda x, y: [x**3 + x * y * y + y**3],
            lambda x, y: [3 * x * x + y * y, 2 * x * y + 3 * y * y],
            lambda x, y: [6 * x, 2 * y, 2 * y, 2 * x + 6 * y],
        ),
        device=(
            lambda x, y: [x**3 + x * y * y + y**3],
            lambda x, y: [type(x)(3) * x * x + y * y, type(x)(2) * x * y + type(x)(3) * y * y],
            lambda x, y: [type(x)(6) * x, type(x)(2) * y, type(x)(2) * y, type(x)(2) * x + type(x)(6) * y],
        ),
        names=(
            ("value",),
            ("d/dx[0]", "d/dx[1]"),
            ("d2/dx[0]dx[0]", "d2/dx[0]dx[1]", "d2/dx[1]dx[0]", "d2/dx[1]dx[1]"),
        ),
        derivatives=(
            (2, "d2/dx[0]dx[0]", "6 x_{0}"),
            (2, "d2/dx[0]dx[1]", "2 x_{1}"),
            (2, "d2/dx[1]dx[1]", "2 x_{0} + 6 x_{1}"),
        ),
        declared=((1.0, 2.0),),
    ),
)

# entry, id, section, says, verdict, decision, truth, reason, explains, reading
CLAIMS: tuple[tuple[str, ...], ...] = (
    (
        "sine",
        "limit",
        "derivatives",
        "The derivative is simply this ratio in the limit, as the interval shrinks to zero",
        "CONFIRMED",
        "limit",
        "cos(x)",
        "The limit of the difference quotient was derived symbolically.",
        "",
        "",
    ),
    (
        "sine",
        "monotone",
        "derivatives",
        "The distance only goes up (you can’t un-drive a road)",
        "NOT COMPUTABLE",
        "not-computable",
        "",
        "The article prints no data for its curve.",
        "",
        "",
    ),
    (
        "parabola",
        "minimum-convex",
        "minima",
        "so the second derivative is positive: $f''(x) > 0$",
        "REFUTED",
        "holds",
        "f''(0) = 0 for f(x) = x⁴, which has its minimum at 0",
        "A counterexample: x⁴ has a strict minimum at 0 where its second derivative is exactly 0.",
        "A minimum guarantees only f''(x) ≥ 0; the strict inequality is sufficient for a minimum, not necessary.",
        "At every minimum of every twice differentiable function, f'' > 0.",
    ),
    (
        "procurement",
        "sixty-percent",
        "procurement",
        "If $\\omega = 0.6$, it means pre-ordering 60% from supplier A and 40% from B gives the most stable "
        "blended price",
        "REFUTED",
        "holds",
        "ω = 1.0117978…, beyond the interval; on [0, 1] the least variance is at ω = 1",
        "dL/dω is certainly negative on all of [0, 1].",
        "Supplier B's prices swing about ten times as much as A's, so every share of B adds variance.",
        "",
    ),
    (
        "quadratic-form",
        "printed-gradient",
        "partial",
        "print(grad_f(point))  # [8.0, 7.0]",
        "CONFIRMED",
        "digits",
        "[8, 7]",
        "Equal, exactly.",
        "",
        "",
    ),
    (
        "quadratic-form",
        "toward-minimum",
        "partial",
        "They all point toward the minimum.",
        "REFUTED",
        "holds",
        "f has no minimum: f(t, −t) = −t² falls without bound",
        "The Hessian [[2, 3], [3, 2]] has the eigenvalues 5 and −1.",
        "The surface is a saddle, so along the diagonal x = −y the arrows lead away from the origin for ever.",
        "Each drawn arrow has a positive component towards a minimum of f.",
    ),
    (
        "tanh-squared",
        "chain",
        "chain-rule",
        "manual = 2 * tanh_x * sech2_x",
        "CONFIRMED",
        "identity",
        "2 tanh(x) (1 − tanh²(x))",
        "Proved equal for every x by SymPy.",
        "",
        "",
    ),
    (
        "tanh-squared",
        "any-depth",
        "chain-rule",
        "no matter how deep the nesting goes",
        "UNDECIDED",
        "structure",
        "",
        "A bound for every depth; 1,000 levels were verified.",
        "",
        "",
    ),
    (
        "sine",
        "printed-sin",
        "higher-order",
        "# sin(π/4) ≈ 0.7071",
        "CONFIRMED",
        "digits",
        "0.70710678118654752440…",
        "Within half a unit of the last printed digit.",
        "",
        "",
    ),
    (
        "parabola",
        "random-start",
        "descent",
        "# Start from a random point",
        "REFUTED",
        "structure",
        "x = 0.0, always",
        "No random generator is called anywhere in the listing.",
        "The starting point is the constant 0, which makes the run reproducible but not random.",
        "",
    ),
    (
        "parabola",
        "converged",
        "descent",
        'print(f"Converged to x = {x:.4f}")  # ≈ 3.0',
        "CONFIRMED",
        "digits",
        "2.99995718…",
        "3 − 3·0.8⁵⁰ rounds to 3.0.",
        "",
        "",
    ),
    (
        "parabola",
        "learned",
        "regression",
        "# Expected: y ≈ 2.000x + 1.000",
        "REFUTED",
        "digits",
        "y = 2.100x + 1.000",
        "The certified iteration ends at w = 2.09999…, b = 1.00000….",
        "The same random key draws both x and the noise, so the noise is 0.1·x and simply tilts the line.",
        "",
    ),
    (
        "parabola",
        "fast",
        "jit",
        "subsequent calls are blazing fast",
        "NOT COMPUTABLE",
        "not-computable",
        "",
        "An opinion about speed.",
        "",
        "",
    ),
    (
        "hessian-example",
        "hessian-printed",
        "jacobian-hessian",
        "[[6*x0     2*x1  ]    = [[6.0, 4.0],",
        "CONFIRMED",
        "digits",
        "[[6, 4], [4, 14]]",
        "Equal, exactly.",
        "",
        "",
    ),
)


def records() -> Iterator[dict[str, Any]]:
    """Every record of the sample run, in order."""
    verdicts = [each for sample in SAMPLES for each in _verdicts(sample)] + [_network_verdict()]
    claims = [_claim(row) for row in CLAIMS]
    yield _header()
    yield _provenance()
    for sample in SAMPLES:
        yield _entry(sample)
    yield _network_entry()
    yield _failed_entry()
    yield from verdicts
    yield from claims
    yield _coverage(verdicts, claims)
    yield _end(verdicts, claims)


def write(path: Path) -> Path:
    with RunWriter(path) as out:
        for record in records():
            out.write(record)
    return path


def _header() -> dict[str, Any]:
    return {
        "kind": "header",
        "format": "1.0",
        "seed": 0,
        "catalog": {
            "title": "Calculus for Machine Learning, with JAX",
            "link": "https://example.org/calculus",
            "file": "article.yaml",
            "digest": "9f2c" * 16,
        },
        "options": {"dtypes": None, "devices": None, "programs": None, "full": False, "samples": None},
        "sections": [{"id": i, "title": t, "formulas": list(f)} for i, t, f in SECTIONS],
        "listings": [{"id": i, "section": s, "code": c} for i, s, c in LISTINGS],
        "cheat_sheet": ["derivative", "gradient", "jacobian", "hessian", "chain-rule", "per-example", "jit"],
    }


def _provenance() -> dict[str, Any]:
    versions = {
        "python": "3.11.2",
        "jax": "0.10.2",
        "jaxlib": "0.10.2",
        "sympy": "1.14.0",
        "flint": "0.9.0",
        "numpy": "2.4.6",
        "verifier": "0.1.0",
    }
    return {
        "kind": "provenance",
        "versions": versions,
        "machine": {"system": "Linux", "processor": "x86_64", "cores": 2},
        "devices": [{"name": d, "platform": "cpu", "kind": "cpu", "flushes_subnormals": True} for d in DEVICES],
        "started": "2026-01-05T09:00:00Z",
        "seconds": 131.7,
        "entries": {s.id: 9.5 + k for k, s in enumerate(SAMPLES)},
    }


def points_of(sample: Sample, dtype: str) -> list[tuple[str, tuple[float, ...], str]]:
    """(origin, point, label) for each point of a sample, exact in the dtype."""
    form, generator, size = FORMATS[dtype], np.random.default_rng(3), len(sample.declared[0])
    low, high = sample.inputs[0][2], sample.inputs[0][3]
    found = [("declared", each, "") for each in sample.declared]
    found += [("special", (low,) * size, "lower end"), ("special", (high,) * size, "upper end")]
    found += [("uniform", tuple(generator.uniform(low, high, size)), "") for _ in range(24)]
    tiny = [
        tuple(high * 10.0 ** generator.uniform(-6, 0, size) * (1 if low >= 0 else generator.choice([-1, 1])))
        for _ in range(12)
    ]
    found += [("ordinal", each, "") for each in tiny]
    return [(origin, tuple(round_to(float(x), form) for x in point), label) for origin, point, label in found]


def _entry(sample: Sample) -> dict[str, Any]:
    points = {dtype: [_point(sample, *each) for each in points_of(sample, dtype)] for dtype in DTYPES}
    return {
        "kind": "entry",
        "entry": sample.id,
        "title": sample.title,
        "section": sample.section,
        "row": sample.row,
        "note": sample.note,
        "tags": ["scalar"] if len(sample.declared[0]) == 1 else ["vector"],
        "status": "OK",
        "reason": "",
        "value": {"text": sample.text, "latex": sample.latex},
        "definitions": [
            {
                "name": n,
                "text": t,
                "latex": x,
                "local": [
                    {"wrt": w, "latex": rf"\frac{{\partial \mathrm{{{n}}}}}{{\partial {w}}} = {d}"} for w, d in local
                ],
            }
            for n, t, x, local in sample.lets
        ],
        "inputs": [{"name": n, "shape": list(s), "domain": [f"{a:g}", f"{b:g}"]} for n, s, a, b in sample.inputs],
        "data": [
            {"name": n, "shape": [len(v)], "source": "inline", "bits": [float(x).hex() for x in v]}
            for n, v in sample.data
        ],
        "derivatives": [{"order": o, "component": c, "latex": x} for o, c, x in sample.derivatives],
        "orders": list(range(len(sample.exact))),
        "components": {str(k): {"count": len(names), "names": list(names)} for k, names in enumerate(sample.names)},
        "points": points,
        "columns": list(_columns(sample)),
        "pictures": list(sample.pictures),
    }


def _point(sample: Sample, origin: str, point: tuple[float, ...], label: str) -> dict[str, Any]:
    return {"origin": origin, "inputs": {sample.inputs[0][0]: [x.hex() for x in point]}, "label": label}


def _columns(sample: Sample) -> Iterator[dict[str, Any]]:
    for dtype in DTYPES:
        for index, (origin, point, _) in enumerate(points_of(sample, dtype)):
            for order in range(len(sample.exact)) if origin == "declared" else ():
                for component, name in enumerate(sample.names[order]):
                    truth, value = (
                        _truth(sample, order, point)[component],
                        _value(sample, order, dtype, point)[component],
                    )
                    measured = {"value": value.hex(), "ulps": _ulps(value, truth, dtype)}
                    program = "value/jit" if order == 0 else "grad/jit"
                    yield {
                        "dtype": dtype,
                        "point": index,
                        "label": _label(sample, point),
                        "order": order,
                        "component": name,
                        "truth": mpmath.nstr(truth, 25),
                        "symbolic": measured,
                        "autodiff": {"program": program, **measured},
                    }


def _label(sample: Sample, point: tuple[float, ...]) -> str:
    shown = ", ".join(f"{x:.6g}" for x in point)
    return f"{sample.inputs[0][0]} = {shown if len(point) == 1 else f'[{shown}]'}"


def _truth(sample: Sample, order: int, point: tuple[float, ...]) -> list[Any]:
    return sample.exact[order](*(mpmath.mpf(x) for x in point))


def _value(sample: Sample, order: int, dtype: str, point: tuple[float, ...]) -> list[float]:
    with np.errstate(all="ignore"):
        return [float(each) for each in sample.device[order](*(DTYPES[dtype](x) for x in point))]


def _ulps(value: float, truth: Any, dtype: str) -> float | None:
    if not math.isfinite(value):
        return None
    exact = Fraction(str(mpmath.nstr(truth, 40))) if truth else Fraction(0)
    return float(abs(Fraction(value) - exact) / ulp(exact, FORMATS[dtype]))


def _verdicts(sample: Sample) -> Iterator[dict[str, Any]]:
    for dtype in DTYPES:
        points = [point for _, point, _ in points_of(sample, dtype)]
        for order in range(len(sample.exact)):
            judged = [_judge(sample, order, dtype, points, component) for component in range(len(sample.names[order]))]
            for device in DEVICES:
                for program in _programs(order, dtype, device):
                    for record in judged:
                        yield {
                            "kind": "verdict",
                            "entry": sample.id,
                            "order": order,
                            "program": program,
                            "dtype": dtype,
                            "device": device,
                            **record,
                        }


def _programs(order: int, dtype: str, device: str) -> list[str]:
    transforms = (("value",), FIRST, SECOND)[order] if order < 3 else (f"grad{order}", f"jacfwd{order}", "jet")
    full = dtype == "float64" and device == "cpu:0"
    return [f"{t}/{c}" for t in transforms for c in COMPILATIONS if full or c == "jit" or (t, c) == ("grad", "eager")]


def _judge(sample: Sample, order: int, dtype: str, points: list[tuple[float, ...]], component: int) -> dict[str, Any]:
    rows = [_judge_point(sample, order, dtype, point, component) for point in points]
    rank = {"ACCURATE": 0, "UNDERFLOW": 1, "LOSSY": 2, "NONFINITE": 3}
    worst = max(range(len(rows)), key=lambda k: (rows[k]["fails"], rank[rows[k]["verdict"]], rows[k]["ulps"] or 0.0))
    row, counts = rows[worst], {}
    for each in rows:
        counts[each["verdict"]] = counts.get(each["verdict"], 0) + 1
    known = sample.id == "procurement" and row["verdict"] == "NONFINITE"
    note = {
        "reason": "The squared prices exceed float16's largest number, 65504, although the loss at ω = 1 does not.",
        "link": "",
    }
    witness = [{"hex": x.hex(), "decimal": shortest_decimal(x, FORMATS[dtype])} for x in points[worst]]
    return {
        "component": sample.names[order][component],
        "verdict": row["verdict"],
        "fails": row["fails"],
        "acknowledged": note if known else None,
        "counts": counts,
        "points": len(points),
        "worst": {
            "point": worst,
            "label": _label(sample, points[worst]),
            "inputs": {sample.inputs[0][0]: witness},
            "value": row["value"].hex(),
            "decimal": shortest_decimal(row["value"], FORMATS[dtype]),
            "truth": mpmath.nstr(row["truth"], 20),
            "ulps": row["ulps"],
            "lost_bits": row["lost_bits"],
            "yardstick": row["budget"],
            "reason": row["reason"],
        },
        "ulps": [each["ulps"] for each in rows],
        "budget": [each["budget"] for each in rows],
    }


def _judge_point(sample: Sample, order: int, dtype: str, point: tuple[float, ...], component: int) -> dict[str, Any]:
    form, truth = FORMATS[dtype], _truth(sample, order, point)[component]
    value = _value(sample, order, dtype, point)[component]
    ulps = _ulps(value, truth, dtype)
    moved = _truth(sample, order, tuple(x * (1 + 2.0**-30) for x in point))[component]
    condition = float(abs(moved - truth) / max(abs(truth), mpmath.mpf(form.smallest_normal))) * 2.0**30
    budget = 4 * (1 + min(condition, 2.0**60))
    found = {
        "ulps": ulps,
        "budget": budget,
        "value": value,
        "truth": truth,
        "lost_bits": None,
        "fails": False,
        "reason": "",
    }
    if ulps is None:
        return {
            **found,
            "verdict": "NONFINITE",
            "fails": True,
            "reason": "not a number where the truth is representable",
        }
    if abs(truth) < form.smallest_normal and truth != 0:
        return {**found, "verdict": "UNDERFLOW", "reason": "the truth is below the smallest normal number"}
    if ulps <= budget:
        return {**found, "verdict": "ACCURATE"}
    lost = math.log2(ulps / budget * 4)
    fails = lost > min(form.precision - 1, max(form.precision / 2, 12))
    return {
        **found,
        "verdict": "LOSSY",
        "lost_bits": lost,
        "fails": fails,
        "reason": "1 − tanh²(x) cancels where tanh(x) is close to 1" if sample.id == "tanh-squared" else "cancellation",
    }


def _network_entry() -> dict[str, Any]:
    xs = [-3 + 6 * k / 99 for k in range(100)]
    picture = {
        "id": "fit",
        "title": "What the network learned",
        "caption": "After 2,000 certified steps.",
        "x_label": "x",
        "y_label": "y",
        "series": [
            {"kind": "points", "label": "training data", "x": xs[::2], "y": [math.sin(x) for x in xs[::2]]},
            {"kind": "line", "label": "sin(x)", "x": xs, "y": [math.sin(x) for x in xs]},
            {"kind": "line", "label": "network", "x": xs, "y": [math.sin(x) * 0.93 + 0.02 * x for x in xs]},
        ],
    }
    names = [f"d/dparams.w1[0, {k}]" for k in range(32)] + [f"d/dparams.b1[{k}]" for k in range(32)]
    chain = (
        ("h1", "relu(x @ params.w1 + params.b1)", r"\max\left(0, x W_1 + b_1\right)"),
        ("h2", "relu(h1 @ params.w2 + params.b2)", r"\max\left(0, h_1 W_2 + b_2\right)"),
        ("out", "h2 @ params.w3 + params.b3", "h_2 W_3 + b_3"),
    )
    return {
        "kind": "entry",
        "entry": "network",
        "title": "The network's loss in all 1,153 parameters",
        "section": "network",
        "row": None,
        "note": "",
        "tags": ["network"],
        "value": {
            "text": "mean((out - y)**2)",
            "latex": r"\operatorname{mean}\left(\left(\mathrm{out} - y\right)^{2}\right)",
        },
        "definitions": [{"name": n, "text": t, "latex": x, "local": []} for n, t, x in chain],
        "inputs": [
            {"name": "params.w1", "shape": [1, 32], "domain": ["-1", "1"]},
            {"name": "params.w2", "shape": [32, 32], "domain": ["-1", "1"]},
        ],
        "orders": [0, 1],
        "components": {"0": {"count": 1, "names": ["value"]}, "1": {"count": 1153, "names": names}},
        "points": {"float64": [{"origin": "declared", "inputs": {}, "label": "params as initialised"}]},
        "pictures": [picture],
    }


def _network_verdict() -> dict[str, Any]:
    worst = {
        "point": 0,
        "label": "params as initialised",
        "inputs": {},
        "value": (0.125).hex(),
        "decimal": "0.125",
        "truth": "0.12500000000000003",
        "ulps": 2.1,
        "lost_bits": None,
        "yardstick": 37.5,
        "reason": "",
    }
    return {
        "kind": "verdict",
        "entry": "network",
        "order": 1,
        "program": "grad/jit",
        "dtype": "float64",
        "device": "cpu:0",
        "component": "d/dparams.w2[3, 17]",
        "components": 1153,
        "verdict": "ACCURATE",
        "counts": {"ACCURATE": 1153},
        "points": 1,
        "worst": worst,
        "ulps": [2.1],
        "budget": [37.5],
    }


def _failed_entry() -> dict[str, Any]:
    return {
        "kind": "entry",
        "entry": "deep-chain",
        "title": "A chain of 1,000 definitions",
        "section": "chain-rule",
        "status": "FAILED",
        "reason": "stopped after 120 s (the wall-clock limit); run with a larger --timeout",
    }


def _claim(row: tuple[str, ...]) -> dict[str, Any]:
    entry, claim, section, says, verdict, kind, truth, reason, explains, reading = row
    known = (
        {"reason": "Reported to the author.", "link": "https://example.org/errata"} if verdict == "REFUTED" else None
    )
    return {
        "kind": "claim",
        "entry": entry,
        "claim": claim,
        "says": says,
        "section": section,
        "row": None,
        "verdict": verdict,
        "fails": verdict == "REFUTED",
        "acknowledged": known,
        "decision": {"kind": kind, "text": ""},
        "reading": reading,
        "truth": truth,
        "reason": reason,
        "explains": explains,
    }


def _coverage(verdicts: list[dict[str, Any]], claims: list[dict[str, Any]]) -> dict[str, Any]:
    sections = [
        {
            "id": i,
            "title": t,
            "formulas": len(f),
            "listings": [x for x, s, _ in LISTINGS if s == i],
            "entries": [s.id for s in SAMPLES if s.section == i],
            "claims": _tally(c["verdict"] for c in claims if c["section"] == i),
            "covered": i != "cheat-sheet",
            "missing": ["row per-example"] if i == "cheat-sheet" else [],
        }
        for i, t, f in SECTIONS
    ]
    cells = sorted({(v["entry"], v["dtype"], v["device"]) for v in verdicts})
    matrix = [
        {
            "entry": e,
            "dtype": t,
            "device": d,
            "points": 41,
            "programs": sorted({v["program"] for v in verdicts if (v["entry"], v["dtype"], v["device"]) == (e, t, d)}),
        }
        for e, t, d in cells
    ]
    rows = [
        {
            "row": r,
            "entries": [s.id for s in SAMPLES if s.row == r],
            "claims": [],
            "covered": any(s.row == r for s in SAMPLES),
        }
        for r in _header()["cheat_sheet"]
    ]
    skipped = [
        {
            "entry": s.id,
            "what": "eager, vmap and remat programs in float32, bfloat16, float16",
            "why": "one fused jitted program by default; --full runs all",
        }
        for s in SAMPLES
    ]
    return {
        "kind": "coverage",
        "sections": sections,
        "cheat_sheet": rows,
        "matrix": matrix,
        "rules": [
            {"primitive": "mul", "rule": "jvp", "exercised": [1, 2], "verified": [1, 2], "entries": ["tanh-squared"]},
            {
                "primitive": "tanh",
                "rule": "jvp",
                "exercised": [1, 2, 3],
                "verified": [1, 2],
                "entries": ["tanh-squared"],
            },
            {"primitive": "sin", "rule": "linearization", "exercised": [1], "verified": [], "entries": ["sine"]},
            {"primitive": "mul", "rule": "transpose", "exercised": [1], "verified": [1], "entries": ["tanh-squared"]},
        ],
        "missing_rules": {
            "jvp": ["cholesky", "sin", "tan"],
            "linearization": ["cond"],
            "transpose": ["dot_general"],
        },
        "non_goals": [{"reason": "communication between devices", "primitives": ["all_gather", "psum"]}],
        "skipped": skipped,
    }


def _end(verdicts: list[dict[str, Any]], claims: list[dict[str, Any]]) -> dict[str, Any]:
    failing = [each for each in verdicts + claims if each.get("fails")]
    known = [each for each in failing if each.get("acknowledged")]
    return {
        "kind": "end",
        "verdicts": _tally(v["verdict"] for v in verdicts),
        "claims": _tally(c["verdict"] for c in claims),
        "findings": len(failing) - len(known),
        "acknowledged": len(known),
        "warnings": sum(v["verdict"] == "LOSSY" and not v["fails"] for v in verdicts),
        "undecided": sum(c["verdict"] == "UNDECIDED" for c in claims) + 1,  # the entry that FAILED
        "stale": [],
        "exit_status": 1,
    }


def _tally(names: Iterator[str] | Any) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return counts
