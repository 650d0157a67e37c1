"""Coverage of the source: its sections with their formulas and listings, and its cheat sheet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from verifier.model.catalog import (
    Catalog,
    Entry,
    FromListing,
    Listing,
    ListingOutput,
    ListingRuns,
    ListingStructure,
    Section,
)
from verifier.runs.records import Cell, Claim, Coverage, RowCoverage, SectionCoverage, Skipped, Verdict

__all__ = ["coverage", "listings_of", "rests_on", "up_to"]


def coverage(
    catalog: Catalog, verdicts: Sequence[Verdict], claims: Sequence[Claim], skipped: Sequence[Skipped]
) -> Coverage:
    """The `coverage` record of a run: sections, cheat sheet, entry x dtype x device x programs, and what was
    skipped.
    """
    return Coverage(
        sections=tuple(_section(section, catalog, claims) for section in catalog.source.sections),
        cheat_sheet=tuple(_row(row, catalog, claims) for row in catalog.cheat_sheet),
        matrix=_matrix(verdicts),
        skipped=tuple(skipped),
    )


def _section(section: Section, catalog: Catalog, claims: Sequence[Claim]) -> SectionCoverage:
    outcomes = [claim for claim in claims if claim.section == section.id]
    entries = tuple(entry.id for entry in catalog.entries if entry.section == section.id)
    listings = tuple(listing.id for listing in catalog.listings if listing.section == section.id)
    missing = [f"formula: {formula}" for formula in section.formulas if not _quoted(formula, outcomes)]
    missing += [f"listing: {listing}" for listing in listings if listing not in rests_on(catalog.entries)]
    return SectionCoverage(
        id=section.id,
        title=section.title,
        formulas=len(section.formulas),
        listings=listings,
        entries=entries,
        claims=dict(sorted(Counter(claim.verdict for claim in outcomes).items())),
        covered=bool(outcomes or entries) and not missing,
        missing=tuple(missing),
    )


def _row(row: str, catalog: Catalog, claims: Sequence[Claim]) -> RowCoverage:
    entries = tuple(entry.id for entry in catalog.entries if entry.row == row)
    named = tuple(claim.claim for claim in claims if claim.row == row)
    return RowCoverage(row=row, entries=entries, claims=named, covered=bool(entries or named))


def _matrix(verdicts: Iterable[Verdict]) -> tuple[Cell, ...]:
    found: dict[tuple[str, str, str], tuple[dict[str, None], int]] = {}
    for verdict in verdicts:
        key = (verdict.entry, verdict.dtype, verdict.device)
        programs, points = found.get(key, ({}, 0))
        found[key] = (programs | {verdict.program: None}, max(points, verdict.points))
    return tuple(
        Cell(entry=entry, dtype=dtype, device=device, programs=tuple(programs), points=points)
        for (entry, dtype, device), (programs, points) in found.items()
    )


def _quoted(formula: str, claims: Iterable[Claim]) -> bool:
    """Whether some claim quotes this formula: white space folded, as a claim may quote a line with several formulas."""
    return any(_folded(formula) in _folded(claim.says) for claim in claims)


def _folded(text: str) -> str:
    return "".join(text.split())


def rests_on(entries: Iterable[Entry]) -> set[str]:
    """The listings that some claim or datum of the entries rests on."""
    return {name for entry in entries for name in listings_of(entry)}


def up_to(listings: Sequence[Listing], names: Collection[str]) -> tuple[Listing, ...]:
    """The listings of these names with all that run before them, which may change what they do."""
    last = max((place for place, each in enumerate(listings) if each.id in names), default=-1)
    return tuple(listings[: last + 1])


def listings_of(entry: Entry) -> set[str]:
    """The listings that the entry's data or claims rest on."""
    data = {datum.source.listing for datum in entry.data if isinstance(datum.source, FromListing)}
    decisions = [claim.decision for claim in entry.claims]
    return data | {
        each.listing for each in decisions if isinstance(each, ListingRuns | ListingOutput | ListingStructure)
    }
