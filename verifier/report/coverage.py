"""What was looked at and what was not, ready to be shown: JAX's rules by order, programs by dtype and device, gaps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from verifier.report.matrix import DTYPES, in_order
from verifier.report.words import count
from verifier.runs.reader import Run
from verifier.runs.records import Coverage, RuleCoverage

__all__ = [
    "Gap",
    "Grid",
    "RuleRow",
    "RuleTally",
    "gaps",
    "grid",
    "orders_of",
    "rule_rows",
    "rule_sentence",
    "rule_tallies",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTally:
    """One kind of rule: how many JAX has, and the primitives whose rule is verified, only exercised, or neither."""

    kind: str
    verified: tuple[str, ...]
    unproven: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def total(self) -> int:
        return len(self.verified) + len(self.unproven) + len(self.missing)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRow:
    """A primitive some of whose rules ran: kind -> the rule's coverage, None where it has one that nothing ran."""

    primitive: str
    rules: Mapping[str, RuleCoverage | None]
    entries: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """For how many functions a transform ran in a dtype on a device, and under which compilations."""

    functions: int
    compilations: tuple[str, ...]

    @property
    def letters(self) -> str:
        return "".join(name[:1] for name in self.compilations)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Transform -> (dtype, device) -> how it ran there; nothing where it did not."""

    targets: tuple[tuple[str, str], ...]
    rows: Mapping[str, Mapping[tuple[str, str], Ran]]

    @property
    def compilations(self) -> tuple[str, ...]:
        return tuple(
            sorted({name for cells in self.rows.values() for ran in cells.values() for name in ran.compilations})
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """What did not run for one reason, each with the functions that it concerns."""

    why: str
    whats: Mapping[str, tuple[str, ...]]


def rule_tallies(coverage: Coverage) -> tuple[RuleTally, ...]:
    """A tally for each kind of rule; none where a run file says nothing about rules."""
    return tuple(
        RuleTally(
            kind=kind,
            verified=tuple(each.primitive for each in coverage.rules if each.rule == kind and each.verified),
            unproven=tuple(each.primitive for each in coverage.rules if each.rule == kind and not each.verified),
            missing=missing,
        )
        for kind, missing in coverage.missing_rules.items()
    )


def rule_sentence(run: Run) -> str:
    """How much of JAX this catalog verifies; empty where the run file says nothing about rules."""
    tallies = rule_tallies(run.coverage)
    total = sum(each.total for each in tallies)
    if not total:
        return ""
    verified, unproven, missing = (
        sum(len(names) for names in found)
        for found in zip(*((each.verified, each.unproven, each.missing) for each in tallies), strict=True)
    )
    jax = f"JAX {run.provenance.versions.get('jax', '')}".strip()
    weak = f"; {unproven:,} ran, but in no program that is proven right" if unproven else ""
    said = f"Of the {count(total, 'real-valued rule')} of {jax} this catalog verifies {verified:,}"
    return f"{said}{weak}; {missing:,} never ran."


def rule_rows(coverage: Coverage) -> tuple[RuleRow, ...]:
    """A row for each primitive some of whose rules ran, in alphabetical order."""
    found: dict[str, dict[str, RuleCoverage | None]] = {}
    for rule in coverage.rules:
        found.setdefault(rule.primitive, {})[rule.rule] = rule
    for kind, names in coverage.missing_rules.items():
        for name in found.keys() & set(names):
            found[name][kind] = None
    return tuple(
        RuleRow(primitive=name, rules=found[name], entries=_entries(found[name].values())) for name in sorted(found)
    )


def _entries(rules: Iterable[RuleCoverage | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(entry for rule in rules if rule for entry in rule.entries))


def orders_of(rule: RuleCoverage) -> str:
    """Orders at which the rule is verified; in brackets those at which it only ran: `1, 2, (3)`."""
    return ", ".join(str(order) if order in rule.verified else f"({order})" for order in rule.exercised)


def grid(coverage: Coverage) -> Grid:
    """Transforms by dtype and device."""
    dtypes = in_order(DTYPES, {cell.dtype for cell in coverage.matrix})
    devices = sorted({cell.device for cell in coverage.matrix})
    held = {(cell.dtype, cell.device) for cell in coverage.matrix}
    found: dict[str, dict[tuple[str, str], tuple[set[str], set[str]]]] = {}
    for cell in coverage.matrix:
        for program in cell.programs:
            transform, _, compilation = program.partition("/")
            functions, compilations = found.setdefault(transform, {}).setdefault(
                (cell.dtype, cell.device), (set(), set())
            )
            functions.add(cell.entry)
            compilations.add(compilation)
    return Grid(
        targets=tuple((dtype, device) for device in devices for dtype in dtypes if (dtype, device) in held),
        rows={
            transform: {
                target: Ran(functions=len(functions), compilations=tuple(sorted(names)))
                for target, (functions, names) in cells.items()
            }
            for transform, cells in found.items()
        },
    )


def gaps(coverage: Coverage) -> tuple[Gap, ...]:
    """What was skipped, by reason."""
    found: dict[str, dict[str, dict[str, None]]] = {}
    for each in coverage.skipped:
        found.setdefault(each.why, {}).setdefault(each.what, {})[each.entry] = None
    return tuple(
        Gap(why=why, whats={what: tuple(entries) for what, entries in whats.items()}) for why, whats in found.items()
    )
