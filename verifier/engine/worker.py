"""What one worker does for one entry. Everything that goes in and comes out can be pickled."""

from __future__ import annotations

import time
from dataclasses import dataclass

from verifier.engine.claims import Listings, claim_record
from verifier.engine.describe import failed_entry
from verifier.engine.entry import Outcome, Prepared, Targets, prepare, verify
from verifier.engine.options import Options
from verifier.model.catalog import Entry, Listing
from verifier.programs.listing import run_listings
from verifier.programs.listing_analysis import analyse
from verifier.runs import records

__all__ = ["Verified", "failed", "run_all_listings", "verify_entry"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """An entry's records, and what making them took."""

    outcome: Outcome
    claims: tuple[records.Claim, ...]
    seconds: float = 0.0


def run_all_listings(listings: tuple[Listing, ...]) -> Listings:
    """The source's listings, read and run in order."""
    return Listings(texts=analyse(listings), runs=run_listings(listings))


def verify_entry(entry: Entry, listings: Listings, targets: Targets, options: Options) -> Verified:
    """Verify one entry; whatever goes wrong costs this entry its verdicts and no other."""
    clock = time.perf_counter()
    prepared = None
    try:
        prepared = prepare(entry, listings.by_id)
        outcome = verify(prepared, targets, options)
    except Exception as error:
        outcome = Outcome(entry=failed_entry(entry, f"{type(error).__name__}: {error}"))
    return _with_claims(entry, outcome, prepared, listings, time.perf_counter() - clock)


def failed(entry: Entry, reason: str, listings: Listings) -> Verified:
    """An entry whose worker was lost; the claims that rest on listings alone are still decided."""
    return _with_claims(entry, Outcome(entry=failed_entry(entry, reason)), None, listings, 0.0)


def _with_claims(
    entry: Entry, outcome: Outcome, prepared: Prepared | None, listings: Listings, seconds: float
) -> Verified:
    claims = tuple(claim_record(claim, entry.id, prepared, listings) for claim in entry.claims)
    return Verified(outcome=outcome, claims=claims, seconds=seconds)
