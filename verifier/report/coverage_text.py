"""Coverage for the terminal: the source, its cheat sheet, JAX's rules, programs by dtype and device, gaps by name."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from verifier.report.coverage import (
    RuleRow,
    gaps,
    grid,
    orders_of,
    rule_rows,
    rule_sentence,
    rule_tallies,
)
from verifier.report.printing import PIPED_WIDTH, printed, safe, write_out
from verifier.runs.json_form import encode
from verifier.runs.reader import Run

__all__ = ["as_json", "coverage_text", "print_coverage"]


def coverage_text(run: Run, *, width: int = PIPED_WIDTH, colour: bool = False) -> str:
    """The coverage of a run as text; without colour it holds no escape codes."""
    return printed(_everything(run), width=width, colour=colour)


def print_coverage(run: Run) -> None:
    """Print the coverage to standard output: in colour and as wide as the terminal, plain and 100 wide when piped."""
    write_out(lambda width, colour: coverage_text(run, width=width, colour=colour))


def as_json(run: Run) -> str:
    """The run file's `coverage` record, with JAX's version and how many rules of each kind there are."""
    tallies = {
        each.kind: {
            "total": each.total,
            "verified": len(each.verified),
            "unproven": len(each.unproven),
            "missing": len(each.missing),
        }
        for each in rule_tallies(run.coverage)
    }
    found = {"jax": run.provenance.versions.get("jax", ""), "rule_totals": tallies, **encode(run.coverage)}
    return json.dumps(found, indent=2, ensure_ascii=False, allow_nan=False)


def _everything(run: Run) -> RenderableType:
    parts = (*_source(run), *_cheat_sheet(run), *_rules(run), *_programs(run), *_skipped(run))
    return Group(*parts) if parts else safe("The run file says nothing about coverage.")


def _headed(title: str, *parts: RenderableType) -> tuple[RenderableType, ...]:
    return (safe(title, style="bold"), *(Padding(each, (0, 0, 0, 2)) for each in parts), Text())


def _source(run: Run) -> tuple[RenderableType, ...]:
    sections = run.coverage.sections
    if not sections:
        return ()
    table = _table("section", "formulas", "listings", "functions", "statements", "covered", numbers=range(1, 5))
    for each in sections:
        sizes = (each.formulas, len(each.listings), len(each.entries), sum(each.claims.values()))
        table.add_row(safe(each.title), *(f"{size:,}" for size in sizes), _yes(each.covered))
    missing = [safe(f"missing in {each.id}: {name}") for each in sections for name in each.missing]
    covered = sum(each.covered for each in sections)
    return _headed(f"The source: {covered} of {len(sections)} sections covered", table, *missing)


def _cheat_sheet(run: Run) -> tuple[RenderableType, ...]:
    rows = run.coverage.cheat_sheet
    if not rows:
        return ()
    missing = [safe(f"missing: {each.row}") for each in rows if not each.covered]
    covered = len(rows) - len(missing)
    return _headed(f"The cheat sheet: {covered} of {len(rows)} rows covered", *missing)


def _rules(run: Run) -> tuple[RenderableType, ...]:
    sentence = rule_sentence(run)
    if not sentence:
        return _headed("JAX's rules", safe("The run file says nothing about them: make it again with this version."))
    tallies = rule_tallies(run.coverage)
    kinds = [each.kind for each in tallies]
    totals = _table("rule", "all", "verified", "ran unproven", "never ran", numbers=range(1, 5))
    for each in tallies:
        sizes = (each.total, len(each.verified), len(each.unproven), len(each.missing))
        totals.add_row(safe(each.kind), *(f"{size:,}" for size in sizes))
    rules = _table("primitive", *kinds, "by")
    for row in rule_rows(run.coverage):
        rules.add_row(safe(row.primitive), *(safe(_orders(row, kind)) for kind in kinds), safe(_some(row.entries)))
    legend = "Orders verified; in brackets orders at which the rule only ran; a dash where it never ran."
    missing = [_named(f"{each.kind} that never ran:", each.missing) for each in tallies if each.missing]
    others = [_named(f"not counted, {each.reason}:", each.primitives) for each in run.coverage.non_goals]
    parts = [
        safe(sentence),
        Text(),
        totals,
        Text(),
        safe(legend, style="dim"),
        rules,
        Text(),
        *missing,
        Text(),
        *others,
    ]
    return _headed("JAX's rules", *parts)


def _orders(row: RuleRow, kind: str) -> str:
    """Empty where JAX has no such rule."""
    if kind not in row.rules:
        return ""
    rule = row.rules[kind]
    return orders_of(rule) if rule else "-"


def _programs(run: Run) -> tuple[RenderableType, ...]:
    found = grid(run.coverage)
    if not found.rows:
        return ()
    table = _table("program", *(f"{dtype} {device}" for dtype, device in found.targets))
    for transform, cells in found.rows.items():
        held = (cells.get(target) for target in found.targets)
        table.add_row(safe(transform), *(safe(f"{ran.functions} {ran.letters}" if ran else "-") for ran in held))
    ways = ", ".join(f"{name[:1]} {name}" for name in found.compilations)
    legend = f"For how many functions each ran, and how: {ways}."
    return _headed("Programs by dtype and device", safe(legend, style="dim"), table)


def _skipped(run: Run) -> tuple[RenderableType, ...]:
    found = gaps(run.coverage)
    lines: list[RenderableType] = []
    for gap in found:
        lines.append(safe(f"{gap.why}:"))
        lines += [Padding(safe(f"{what} ({_some(entries)})"), (0, 0, 0, 2)) for what, entries in gap.whats.items()]
    return _headed("Did not run", *lines) if lines else ()


def _table(*headings: str, numbers: Iterable[int] = ()) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    right = set(numbers)
    for index, heading in enumerate(headings):
        table.add_column(safe(heading), justify="right" if index in right else "left", overflow="fold")
    return table


def _named(head: str, names: Sequence[str]) -> Text:
    return safe(f"{head} ") + safe(", ".join(names), style="dim")


def _yes(covered: bool) -> Text:
    return safe("yes", style="green") if covered else safe("no", style="bold red")


def _some(names: Sequence[str], most: int = 5) -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest
