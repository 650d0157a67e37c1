"""The tables and the picture of docs/performance.md, from what performance.py measured."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

__all__ = ["picture", "tables"]

Found = Mapping[str, Any]
FEW, MANY = 100, 1000
_RIVALS = (
    ("check_grads", "`check_grads`, orders 1 and 2", 150),
    ("check_grads_jit", "the same with its f jitted", 40),
    ("torch", "torch `gradcheck` + `gradgradcheck`", 8),
    ("sympy", "SymPy `diff` + `lambdify` + `allclose`", None),
)


def tables(found: Found) -> str:
    """All tables of the sections that were measured, as Markdown."""
    parts: list[str] = []
    if "compare" in found:
        parts += [*_goals(found), *_each(found["compare"])]
    parts += [text for name, title, unit in _GROWTH if name in found for text in _growth(found[name], title, unit)]
    return "\n".join(parts).strip()


def _sum(rows: Sequence[Found], value: Callable[[Found], float]) -> float:
    return sum(map(value, rows))


def _at(cost: Sequence[float], points: int) -> float:
    first, each = cost
    return first + each * (points - 1)


def _goals(found: Found) -> Iterator[str]:
    compare = found["compare"]
    rows = compare["rows"]
    yield f"Python {compare['python']}, JAX {compare['jax']}, torch {compare['torch']}; {len(rows)} of 20 functions."
    yield ""
    yield "| figure | goal | measured | |"
    yield "| --- | ---: | ---: | --- |"
    for count, goal in ((FEW, 1.15), (MANY, 1.40)):
        whole = _sum(rows, lambda row, n=count: row[f"engine{n}"]) / _sum(rows, lambda row, n=count: row[f"floor{n}"])
        rules = _sum(rows, lambda row, n=count: row[f"rules{n}"]) / _sum(rows, lambda row, n=count: row[f"floor{n}"])
        yield _goal(f"numbers certified / floor, {count:,} points", goal, whole - rules, least=False)
        yield f"| rule records on top / floor, {count:,} points | | {rules:.2f} | |"
    for name, title, goal in _RIVALS:
        known = [row for row in rows if row.get(name)]
        if not known:
            continue
        cost = _sum(known, lambda row, n=name: _at(row[n], MANY))
        own = _sum(known, lambda row: row[f"engine{MANY}"] - row[f"rules{MANY}"])
        where = "" if len(known) == len(rows) else f" ({len(known)} functions)"
        yield _goal(f"components per second against {title}{where}", goal, cost / own, least=True)
        bare = cost / _sum(known, lambda row: row[f"floor{MANY}"])
        yield f"| the same at the floor: of an engine that would cost nothing else | | {bare:.3g} | |"
    alone = {
        "verdicts": "the rule verdict alone",
        "programs": "of that, the programs traced and in balls",
        "tracing": "of that, JAX's tracing of the programs",
    }
    for name, title in alone.items():
        share = _sum(rows, lambda row, n=name: row[f"{n}_alone"]) / _sum(rows, lambda row: row[f"floor{FEW}"])
        goal = 0.20 if name == "verdicts" else None
        yield _goal(f"{title} / floor, {FEW} points", goal, share, least=False)
    yield from _article(found.get("article"))
    yield from _program(found.get("program"))
    yield from _depth(found.get("depth"))
    components = _sum(rows, lambda row: row[f"components{MANY}"])
    spent = _sum(rows, lambda row: row[f"engine{MANY}"] - row[f"rules{MANY}"])
    yield f"| certified components per second, {MANY:,} points | | {components / spent:,.0f} | |"
    if compare.get("peak"):
        yield f"| peak memory of the comparison | | {compare['peak']:,.0f} MiB | |"
    yield ""


def _goal(title: str, goal: float | None, value: float, *, least: bool) -> str:
    if goal is None:
        return f"| {title} | | {value:.3g} | |"
    met = value >= goal if least else value <= goal
    sign = "≥" if least else "≤"
    return f"| {title} | {sign} {goal:g} | {value:.3g} | {'met' if met else '**missed**'} |"


def _article(found: Found | None) -> Iterator[str]:
    if not found:
        return
    floor = found["floor"] + found["started"]
    whole = (found["spent"] + found["started"]) / floor
    yield _goal(f"the article / its {found['programs']:,} programs and start-up", 1.3, whole, least=False)
    yield f"| of that, rule records | | {found['rules'] / floor:.2f} | |"


def _program(found: Found | None) -> Iterator[str]:
    if not found:
        return
    what = f"1,000 points of {found['equations']} equations in balls / compiling it"
    yield _goal(what, 1, found["value"] / found["compile"], least=False)
    yield f"| {what}, walked at each point | | {found['value_walked'] / found['compile']:.3g} | |"
    what = f"the same of its gradient, {found['grad_equations']} equations"
    yield _goal(what, 1, found["grad"] / found["compile_grad"], least=False)
    yield f"| {what}, walked at each point | | {found['grad_walked'] / found['compile_grad']:.3g} | |"


def _depth(found: Found | None) -> Iterator[str]:
    costs = {size: spent for size, spent, _, _ in found["rows"]} if found else {}
    if costs.get(1_000) and costs.get(10_000):
        ratio = costs[10_000] / costs[1_000]
        yield _goal("time of a chain of 10,000 / of 1,000", 13, ratio, least=False)


def _each(compare: Found) -> Iterator[str]:
    yield "Each function: CPU seconds, `check_grads` and torch at 1,000 points from a few."
    yield ""
    yield (
        "| function | floor, 100 | engine, 100 | rules | floor, 1,000 | engine, 1,000 |"
        " `check_grads` | jitted | torch | SymPy | failing |"
    )
    yield "| --- |" + " ---: |" * 10
    for row in compare["rows"]:
        numbers = [row["floor100"], row["engine100"] - row["rules100"], row["rules100"], row["floor1000"]]
        numbers += [row["engine1000"] - row["rules1000"]]
        cells = [f"{each:.2f}" for each in numbers]
        cells += [f"{_at(row[name], MANY):,.1f}" if row.get(name) else "—" for name, _, _ in _RIVALS]
        yield f"| {row['id']} | {' | '.join(cells)} | {row['failing1000']} |"
    yield ""


_GROWTH = (
    ("points", "Points of one function (value and gradient, whole engine)", "points"),
    ("entries", "Entries of a catalog (value and gradient at eight points, whole engine)", "entries"),
    ("depth", "Depth of a chain of sines by `let` (certified value and slope at one point)", "depth"),
    ("parameters", "Parameters (certified value and gradient at one point)", "parameters"),
)


def _growth(found: Found, title: str, unit: str) -> Iterator[str]:
    yield f"{title}:"
    yield ""
    yield f"| {unit} | CPU seconds | each, relative to the row before | peak memory, MiB |"
    yield "| ---: | ---: | ---: | ---: |"
    before = None
    for size, spent, memory, why in found["rows"]:
        growth = "" if not before or not spent else f"{spent / before[1] / (size / before[0]):.2f}"
        yield f"| {size:,} | {f'{spent:.3g}' if spent else f'stops: {why}'} | {growth} | {memory:,.0f} |"
        before = (size, spent) if spent else None
    yield ""


# ---- the picture: costs beside each other, and growth, on logarithmic axes

_WIDTH, _HEIGHT, _LEFT = 860, 520, 250
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #222 } .title { font-weight: 600 } .grid { stroke: #ddd }
.bar { fill: #4a6fa5 } .own { fill: #2e8b57 } .line { fill: none; stroke: #4a6fa5; stroke-width: 2 }
.dot { fill: #4a6fa5 } .back { fill: #fff }
@media (prefers-color-scheme: dark) {
  text { fill: #ddd } .grid { stroke: #444 } .back { fill: #161b22 } .bar, .dot { fill: #7aa2d6 }
  .own { fill: #57b987 } .line { stroke: #7aa2d6 }
}
"""


def picture(found: Found) -> str:
    """An SVG for light and dark pages: what 1,000 points cost, and how cost grows."""
    bars = list(_bars(found["compare"]["rows"])) if "compare" in found else []
    curves = [(name, found[name]["rows"]) for name, _, _ in _GROWTH if name in found]
    body = [*_drawn_bars(bars), *_drawn_curves(curves)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        'aria-label="CPU time of the verifier beside others, and its growth">'
        f'<style>{_STYLE}</style><rect class="back" width="100%" height="100%"/>{"".join(body)}</svg>\n'
    )


def _bars(rows: Sequence[Found]) -> Iterator[tuple[str, float, str]]:
    floor = _sum(rows, lambda row: row[f"floor{MANY}"])
    yield "floor: compile and run", 1.0, "bar"
    yield "verifier, numbers", _sum(rows, lambda row: row[f"engine{MANY}"] - row[f"rules{MANY}"]) / floor, "own"
    yield "verifier, rules too", _sum(rows, lambda row: row[f"engine{MANY}"]) / floor, "own"
    for name, title, _ in _RIVALS:
        known = [row for row in rows if row.get(name)]
        if known:
            share = _sum(known, lambda row, n=name: _at(row[n], MANY)) / _sum(known, lambda row: row[f"floor{MANY}"])
            yield title.replace("`", ""), share, "bar"


def _drawn_bars(bars: Sequence[tuple[str, float, str]]) -> Iterator[str]:
    if not bars:
        return
    room, top = _WIDTH - _LEFT - 90, max(math.log10(max(each[1] for each in bars)), 1)
    yield '<text class="title" x="12" y="24">1,000 points: CPU time, floor = 1 (logarithmic)</text>'
    for index, (title, value, kind) in enumerate(bars):
        y, width = 40 + 26 * index, 6 + max(0.0, math.log10(value)) / top * (room - 6)
        yield f'<text x="{_LEFT - 10}" y="{y + 14}" text-anchor="end">{escape(title)}</text>'
        yield f'<rect class="{kind}" x="{_LEFT}" y="{y}" width="{width:.1f}" height="18"/>'
        yield f'<text x="{_LEFT + width + 6:.1f}" y="{y + 14}">{value:.3g}</text>'


def _drawn_curves(curves: Sequence[tuple[str, Sequence[Sequence[Any]]]]) -> Iterator[str]:
    if not curves:
        return
    top, size, step = 280, 150, (_WIDTH - 40) / len(curves)
    yield f'<text class="title" x="12" y="{top - 14}">Growth: CPU seconds over size (both logarithmic)</text>'
    for index, (name, rows) in enumerate(curves):
        known = [(math.log10(each[0]), math.log10(each[1])) for each in rows if each[1]]
        if len(known) < 2:
            continue
        left = 50 + index * step
        xs, ys = [x for x, _ in known], [y for _, y in known]
        low, high = math.floor(min(ys)), math.ceil(max(ys))
        width = step - 60

        def place(x: float, y: float, left: float = left, width: float = width, ends: Any = (xs, low, high)) -> str:
            across, bottom, ceiling = ends
            right = (x - across[0]) / (across[-1] - across[0]) * width
            return f"{left + right:.1f},{top + size - (y - bottom) / max(1, ceiling - bottom) * size:.1f}"

        for power in range(low, high + 1):
            x, y = place(xs[0], power).split(",")
            yield f'<line class="grid" x1="{x}" x2="{float(x) + width:.1f}" y1="{y}" y2="{y}"/>'
            yield f'<text x="{float(x) - 4:.1f}" y="{float(y) + 4:.1f}" text-anchor="end">{10.0**power:g}</text>'
        yield f'<polyline class="line" points="{" ".join(place(x, y) for x, y in known)}"/>'
        for x, y in known:
            at, height = place(x, y).split(",")
            yield f'<circle class="dot" cx="{at}" cy="{height}" r="3"/>'
        for x in (xs[0], xs[-1]):
            at = place(x, low).split(",")[0]
            yield f'<text x="{at}" y="{top + size + 18}" text-anchor="middle">{10**x:,.0f}</text>'
        yield f'<text x="{left + width / 2:.1f}" y="{top + size + 40}" text-anchor="middle">{name}</text>'
