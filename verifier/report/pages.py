"""The report's body: the source's sections in their order, each with its entries, claims, listings and pictures."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from verifier.report.lifted import LiftedRow, lifted_rows
from verifier.report.matrix import DTYPES, in_order
from verifier.report.plots import errors, histogram, pictures
from verifier.report.plots.errors import Axis, ErrorPoint
from verifier.report.rule_verdicts import RuleTable, rule_table
from verifier.report.words import NOT_RUN, Word, of_verdict, severity
from verifier.runs.reader import Run
from verifier.runs.records import Claim, Column, Entry, Listing, Point, Rule, Section, SectionCoverage, Verdict

__all__ = ["EntryPage", "SectionPage", "component_latex", "histograms", "sections"]

_Judged = TypeVar("_Judged", Verdict, Rule)

_MOST_ROWS = 24
_ELSEWHERE = Section(id="elsewhere", title="Elsewhere")


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnPicture:
    """A picture ready to show."""

    title: str
    caption: str
    svg: Markup
    legend: tuple[tuple[Markup, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """An ulp-error plot of one order in one dtype."""

    dtype: str
    svg: Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The worst verdict of an entry at one order in one dtype."""

    word: Word
    acknowledged: bool = False
    ulps: float | None = None
    programs: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The three columns in one dtype, by component; `hidden` rows are only counted."""

    dtype: str
    rows: tuple[Column, ...]
    hidden: int

    @property
    def by_component(self) -> tuple[tuple[str, tuple[str, ...], tuple[Column, ...]], ...]:
        """(component, the programs that computed it, its rows), in the order of the rows."""
        found: dict[str, list[Column]] = defaultdict(list)
        for row in self.rows:
            found[row.component].append(row)
        return tuple(
            (name, tuple(dict.fromkeys(row.autodiff.program for row in rows if row.autodiff)), tuple(rows))
            for name, rows in found.items()
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPage:
    """Everything shown about one entry."""

    entry: Entry
    results: Mapping[str, Mapping[int, Result]]
    columns: tuple[Columns, ...]
    panels: Mapping[int, tuple[Panel, ...]]
    pictures: tuple[DrawnPicture, ...]
    rules: RuleTable | None = None
    lifted: tuple[LiftedRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionPage:
    """Everything shown about one section of the source."""

    section: Section
    listings: tuple[Listing, ...]
    entries: tuple[EntryPage, ...]
    claims: tuple[Claim, ...]
    coverage: SectionCoverage | None


def sections(run: Run) -> tuple[SectionPage, ...]:
    """Every section of the source in its order; what names no section of the header stands under "Elsewhere"."""
    known = {each.id for each in run.header.sections}
    verdicts, rules = _by_entry(run.verdicts), _by_entry(run.rules)
    coverage = {each.id: each for each in run.coverage.sections}

    def page(section: Section, belongs: Callable[[str], bool]) -> SectionPage:
        return SectionPage(
            section=section,
            listings=tuple(each for each in run.header.listings if belongs(each.section)),
            entries=tuple(
                _entry_page(each, verdicts.get(each.entry, ()), rules.get(each.entry, ()))
                for each in run.entries
                if belongs(each.section)
            ),
            claims=tuple(each for each in run.claims if belongs(each.section)),
            coverage=coverage.get(section.id),
        )

    pages = [page(each, each.id.__eq__) for each in run.header.sections]
    rest = page(_ELSEWHERE, lambda section: section not in known)
    return (*pages, rest) if rest.entries or rest.claims else tuple(pages)


def histograms(run: Run) -> tuple[Panel, ...]:
    """Error over yardstick, per dtype, over every judged number that has both."""
    tallies: dict[str, Counter[int]] = defaultdict(Counter)
    for verdict in run.verdicts:
        length = min(len(verdict.ulps), len(verdict.budget))
        error, budget = (np.array(each[:length], dtype=np.float64) for each in (verdict.ulps, verdict.budget))
        tallies[verdict.dtype].update(histogram.tally(error, budget))
    return tuple(
        Panel(dtype=dtype, svg=histogram.draw(tallies[dtype], dtype=dtype))
        for dtype in in_order(DTYPES, set(tallies))
        if tallies[dtype]
    )


def component_latex(component: str) -> str | None:
    """ "d2/dv[0]dv[1]" as LaTeX; None for a name that is not of the known form."""
    found = re.fullmatch(r"(?:value(?P<row>\[[\d, ]+\]) )?d(?P<order>\d*)/(?P<rest>d.+)", component)
    if found is None:
        return None
    order, rest = found["order"], found["rest"]
    indexed = re.findall(r"d([A-Za-z_][\w.]*\[[\d, ]+\])", rest)
    if indexed and "".join(f"d{each}" for each in indexed) == rest:
        below = r"\,".join(rf"\partial {_name_latex(each)}" for each in indexed)
        sign = r"\partial"
    elif factors := _factors(rest, int(order or 1)):
        sign = "d" if len(factors) == 1 else r"\partial"
        powers = (f"{_name_latex(name)}" + (f"^{{{count}}}" if count > 1 else "") for name, count in factors)
        below = r"\,".join(f"{sign} {each}" for each in powers)
    else:
        return None
    row = f"_{{{found['row'][1:-1]}}}" if found["row"] else ""
    power = f"^{{{order}}}" if order else ""
    return rf"\frac{{{sign}{power} f{row}}}{{{below}}}"


def _factors(rest: str, order: int) -> list[tuple[str, int]]:
    """`dx2dy` as [(x, 2), (y, 1)]: single letters with their powers, or one longer name; else nothing."""
    if letters := re.fullmatch(r"(?:d[A-Za-z]\d*)+", rest):
        found = re.findall(r"d([A-Za-z])(\d*)", letters[0])
        factors = [(name, int(count or 1)) for name, count in found]
        if sum(count for _, count in factors) == order:
            return factors
    name = rest[1:].removesuffix(str(order)) if order > 1 else rest[1:]
    return [(name, order)] if re.fullmatch(r"[A-Za-z_][\w.]*", name) else []


def _name_latex(name: str) -> str:
    plain, _, index = name.partition("[")
    escaped = plain.replace("_", r"\_")
    written = plain if len(plain) == 1 else rf"\mathrm{{{escaped}}}"
    return f"{written}_{{{index.removesuffix(']')}}}" if index else written


def _entry_page(entry: Entry, verdicts: Sequence[Verdict], rules: Sequence[Rule]) -> EntryPage:
    return EntryPage(
        entry=entry,
        results=_results(verdicts),
        columns=_columns(entry),
        panels=_panels(entry, verdicts),
        pictures=tuple(
            DrawnPicture(title=each.title, caption=each.caption, svg=pictures.draw(each), legend=pictures.legend(each))
            for each in entry.pictures
        ),
        rules=rule_table(rules),
        lifted=lifted_rows(rules),
    )


def _results(verdicts: Sequence[Verdict]) -> dict[str, dict[int, Result]]:
    """Dtype -> order -> the worst over programs, devices and components."""
    orders = sorted({each.order for each in verdicts})
    table: dict[str, dict[int, Result]] = {}
    for dtype in in_order(DTYPES, {each.dtype for each in verdicts}):
        groups = {order: [each for each in verdicts if (each.dtype, each.order) == (dtype, order)] for order in orders}
        table[dtype] = {order: _result(group) for order, group in groups.items()}
    return table


def _result(group: Sequence[Verdict]) -> Result:
    if not group:
        return Result(word=NOT_RUN)
    worst = max(group, key=lambda each: (severity(of_verdict(each)), each.acknowledged is None))
    errors_found = [each.worst.ulps for each in group if each.worst is not None and each.worst.ulps is not None]
    return Result(
        word=of_verdict(worst),
        acknowledged=worst.acknowledged is not None,
        ulps=max(errors_found, default=None),
        programs=len({each.program for each in group}),
    )


def _columns(entry: Entry) -> tuple[Columns, ...]:
    by_dtype: dict[str, list[Column]] = defaultdict(list)
    for each in entry.columns:
        by_dtype[each.dtype].append(each)
    return tuple(
        Columns(dtype=dtype, rows=tuple(by_dtype[dtype][:_MOST_ROWS]), hidden=max(0, len(by_dtype[dtype]) - _MOST_ROWS))
        for dtype in in_order(DTYPES, set(by_dtype))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Domain:
    """The inputs of one dtype that are numbers, by their places among its points, and the axis they are drawn on."""

    places: npt.NDArray[np.int64]
    xs: npt.NDArray[np.float64]
    axis: Axis
    points: int


def _panels(entry: Entry, verdicts: Sequence[Verdict]) -> dict[int, tuple[Panel, ...]]:
    """Order -> a panel for each dtype; only where x is one number."""
    if len(entry.inputs) != 1 or entry.inputs[0].shape != ():
        return {}
    name = entry.inputs[0].name
    groups: dict[tuple[str, int], list[Verdict]] = defaultdict(list)
    for each in verdicts:
        if _is_autodiff(each):
            groups[each.dtype, each.order].append(each)
    found: dict[int, list[Panel]] = defaultdict(list)
    for dtype in in_order(DTYPES, set(entry.points)):
        domain = _domain(entry.points[dtype], name)
        if domain is None:
            continue
        for order in entry.orders:
            points = _error_points(domain, groups[dtype, order])
            if len(points) > 2:
                svg = errors.draw(points, dtype=dtype, input_name=name, axis=domain.axis)
                found[order].append(Panel(dtype=dtype, svg=svg))
    return {order: tuple(found[order]) for order in entry.orders if found[order]}


def _domain(points: Sequence[Point], name: str) -> _Domain | None:
    """None where no input is a finite number."""
    read = [_position(each.inputs.get(name, ())) for each in points]
    places = [place for place, x in enumerate(read) if x is not None]
    xs = [x for x in read if x is not None]
    if not xs:
        return None
    special = [x for x, place in zip(xs, places, strict=True) if points[place].origin == "special"]
    axis = errors.axis_of(xs, special)
    return _Domain(places=np.array(places), xs=np.array(xs), axis=axis, points=len(points))


def _is_autodiff(verdict: Verdict) -> bool:
    return not verdict.program.startswith("symbolic")


def _position(values: tuple[str, ...]) -> float | None:
    try:
        x = float.fromhex(values[0])
    except (IndexError, ValueError, OverflowError):
        return None
    return x if math.isfinite(x) else None


def _error_points(domain: _Domain, verdicts: Sequence[Verdict]) -> list[ErrorPoint]:
    """For each point the largest error of any program that ran on all of them, and that point's yardstick.

    Of points that would be drawn on top of each other only those that stand out.
    """
    whole = [each for each in verdicts if len(each.ulps) == domain.points]
    if not whole:
        return []
    judged = np.array([each.ulps for each in whole], dtype=np.float64)[:, domain.places]
    error: npt.NDArray[np.float64] = np.fmax.reduce(judged)
    failing = np.array([_lost_everywhere(each) for each in whole])
    lost: npt.NDArray[np.bool_] = np.asarray(np.isnan(judged[failing]).any(axis=0))
    budget = _budgets(whole, domain)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        beyond = error / budget
    drawn = errors.seen(domain.axis.columns, error, beyond, np.where(lost, 0.0, np.nan))
    return [
        ErrorPoint(
            x=float(domain.xs[k]),
            ulps=None if lost[k] else float(error[k]),
            budget=None if np.isnan(budget[k]) else float(budget[k]),
        )
        for k in drawn
    ]


def _budgets(verdicts: Sequence[Verdict], domain: _Domain) -> npt.NDArray[np.float64]:
    """Each point's yardstick, from the first of the records that has one there; NaN where none has."""
    found = np.full(domain.points, np.nan)
    for each in verdicts:
        if not np.isnan(found).any():
            break
        given = np.array(each.budget, dtype=np.float64)[: domain.points]
        missing = np.isnan(found[: len(given)])
        found[: len(given)][missing] = given[missing]
    return found[domain.places]


def _lost_everywhere(verdict: Verdict) -> bool:
    """Whether a missing error of this record can only mean a value that is not finite."""
    return "NONFINITE" in verdict.counts and "UNDECIDED" not in verdict.counts


def _by_entry(judged: Sequence[_Judged]) -> dict[str, list[_Judged]]:
    found: dict[str, list[_Judged]] = defaultdict(list)
    for each in judged:
        found[each.entry].append(each)
    return found
