"""A large run made in memory: 200 functions of one input, 5,000 points in each of 4 dtypes, as a real run has them.

The errors are noise around what a device shows, with a budget that depends on the point, a spike beyond it here and
there, and a lost number; nothing of it is computed. Records share their lists where the numbers would say the same.
"""

from __future__ import annotations

import math
import random
from typing import Any

from verifier.runs import records
from verifier.runs.reader import Run

DTYPES = {"float64": 53, "float32": 24, "bfloat16": 8, "float16": 11}
PROGRAMS = {
    0: ("value/jit",),
    1: ("symbolic/jit", "grad/jit", "jacfwd/jit", "jvp/jit"),
    2: ("symbolic/jit", "hessian/jit", "fwd-rev/jit"),
}
COMPONENTS = {0: "value", 1: "d/dx", 2: "d2/dx2"}
LATEX = {
    1: r"2 \left(1 - \tanh^{2}{\left(x \right)}\right) \tanh{\left(x \right)}",
    2: r"2 \left(1 - \tanh^{2}{\left(x \right)}\right)^{2} "
    r"- 4 \left(1 - \tanh^{2}{\left(x \right)}\right) \tanh^{2}{\left(x \right)}",
}
DECLARED = (0.5, 2.0)


def large_run(*, entries: int = 200, points: int = 5000, seed: int = 0) -> Run:
    """The run; equal arguments give equal runs."""
    names = [f"function-{k}" for k in range(entries)]
    sections = [records.Section(id=f"part-{k}", title=f"Part {k + 1}") for k in range(10)]
    found = [_verdicts(name, k, points, random.Random(seed + k)) for k, name in enumerate(names)]
    verdicts = tuple(each for group in found for each in group)
    return Run(
        header=records.Header(
            format=records.FORMAT,
            catalog=records.CatalogOf(title="Two hundred functions", file="large.yaml", digest="0" * 64),
            sections=tuple(sections),
        ),
        provenance=records.Provenance(versions={"jax": "0"}, devices=(records.Device(name="cpu:0", platform="cpu"),)),
        entries=tuple(_entry(name, k, points) for k, name in enumerate(names)),
        verdicts=verdicts,
        rules=tuple(each for name in names for each in _rules(name)),
        claims=tuple(_claim(name, k) for k, name in enumerate(names)),
        coverage=_coverage(names, sections, points),
        end=records.End(exit_status=1),
    )


def inputs_of(k: int, points: int) -> list[float]:
    """The inputs of entry number `k`: declared, evenly spread, and a hundredth of them close to zero."""
    near = points // 100
    reach = 5.0 + k % 7
    spread = [-reach + 2 * reach * j / (points - near - 3) for j in range(points - near - 2)]
    return [*DECLARED, *spread, *(2.0**-j for j in range(near))]


def _entry(name: str, k: int, points: int) -> records.Entry:
    at = [records.Point(origin="sampled", inputs={"x": (x.hex(),)}) for x in inputs_of(k, points)]
    labelled = tuple(records.Point(origin="declared", inputs=each.inputs, label="x") for each in at[:2]) + tuple(at[2:])
    latex = r"\tanh{\left(x \right)}"
    local = records.Local(wrt="x", latex=r"\frac{\partial a}{\partial x} = 1 - \tanh^{2}{\left(x \right)}")
    last = records.Local(wrt="a", latex=r"\frac{\partial f}{\partial a} = 2 a")
    return records.Entry(
        entry=name,
        title=f"tanh squared, {k}",
        section=f"part-{k % 10}",
        tags=("chain", f"group-{k % 5}"),
        value=records.Formula(text="a**2", latex="a^{2}"),
        definitions=(
            records.Definition(name="a", text="tanh(x)", latex=latex, local=(local,)),
            records.Definition(name="f", text="a**2", latex="a^{2}", local=(last,)),
        ),
        inputs=(records.Input(name="x", domain=("-10", "10")),),
        derivatives=tuple(records.Derivative(order=n, component=COMPONENTS[n], latex=LATEX[n]) for n in LATEX),
        orders=(0, 1, 2),
        components={str(n): records.Components(count=1, names=(name,)) for n, name in COMPONENTS.items()},
        points=dict.fromkeys(DTYPES, labelled),
        columns=tuple(_column(dtype, k, p, order) for dtype in DTYPES for order in COMPONENTS for p in (0, 1)),
    )


def _column(dtype: str, k: int, point: int, order: int) -> records.Column:
    value = math.tanh(DECLARED[point] + k / 100 + order)
    return records.Column(
        dtype=dtype,
        point=point,
        label=f"x = {DECLARED[point]}",
        order=order,
        component=COMPONENTS[order],
        truth=f"{value!r}81539",
        symbolic=records.Measured(value=value.hex(), ulps=0.5),
        autodiff=records.MeasuredBy(program="grad/jit", value=value.hex(), ulps=0.25),
    )


def _verdicts(name: str, k: int, points: int, rng: random.Random) -> list[records.Verdict]:
    xs = inputs_of(k, points)
    made: list[records.Verdict] = []
    for dtype, precision in DTYPES.items():
        for order, programs in PROGRAMS.items():
            budget = tuple(4 * (1 + order * abs(x) * 1.7 + 9 / (0.01 + abs(x - 1))) for x in xs)
            errors: list[float | None] = [rng.random() ** 3 * each for each in budget]
            fails = order == 2 and k % 20 == 0 and dtype == "float16"
            if fails:
                errors[rng.randrange(points)] = 2.0 ** (precision - 1) * 900
            shared = tuple(errors)
            made += [_verdict(name, order, program, dtype, xs, shared, budget, fails) for program in programs]
    return made


def _verdict(
    name: str,
    order: int,
    program: str,
    dtype: str,
    xs: list[float],
    ulps: tuple[float | None, ...],
    budget: tuple[float, ...],
    fails: bool,
) -> records.Verdict:
    at = max(range(len(xs)), key=lambda j: (ulps[j] or 0.0) / budget[j])
    worst = records.Worst(
        point=at,
        label="",
        inputs={"x": (records.Witness(hex=xs[at].hex(), decimal=repr(xs[at])),)},
        value=(0.25).hex(),
        decimal="0.25",
        truth="0.24999999999999123",
        ulps=ulps[at],
        lost_bits=9.5 if fails else None,
        yardstick=budget[at],
        reason="cancellation" if fails else "",
    )
    verdict = "LOSSY" if fails else "ACCURATE"
    return records.Verdict(
        entry=name,
        order=order,
        program=program,
        dtype=dtype,
        device="cpu:0",
        component=COMPONENTS[order],
        verdict=verdict,
        fails=fails,
        counts={"ACCURATE": len(xs) - fails, **({"LOSSY": 1} if fails else {})},
        points=len(xs),
        worst=worst,
        ulps=ulps,
        budget=budget,
    )


def _rules(name: str) -> list[records.Rule]:
    return [
        records.Rule(
            entry=name,
            order=order,
            program=program.removesuffix("/jit"),
            dtype="float64",
            component=COMPONENTS[order],
            verdict="RIGHT",
            counts={"RIGHT": 40},
            points=40,
            bits=113.0,
            proved=True,
            formula=LATEX[order],
        )
        for order in LATEX
        for program in PROGRAMS[order]
        if not program.startswith("symbolic")
    ]


def _claim(name: str, k: int) -> records.Claim:
    return records.Claim(
        entry=name,
        claim="said",
        says=f"At every point of domain number {k} the slope of tanh squared is at most one",
        section=f"part-{k % 10}",
        verdict="CONFIRMED",
        decision=records.Decision(kind="holds", text="D(f, x) <= 1"),
        reason="Proved by interval arithmetic over the whole domain.",
    )


def _coverage(names: list[str], sections: list[records.Section], points: int) -> records.Coverage:
    programs = tuple(each for group in PROGRAMS.values() for each in group)
    cells: Any = [
        records.Cell(entry=name, dtype=dtype, device="cpu:0", programs=programs, points=points)
        for name in names
        for dtype in DTYPES
    ]
    return records.Coverage(
        sections=tuple(records.SectionCoverage(id=each.id, title=each.title, covered=True) for each in sections),
        matrix=tuple(cells),
    )
