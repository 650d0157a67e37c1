"""What one worker does: everything that goes in can be pickled, what comes out is JSON.

The parent names these functions and does not import this module: JAX, SymPy and FLINT start in workers only.
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import lru_cache

from verifier.execution import devices as machine_devices  # first: it sets XLA's flags before JAX starts

# isort: split
from verifier.engine.claims import Listings, claim_record
from verifier.engine.describe import failed_entry
from verifier.engine.entry import Prepared, prepare, verify
from verifier.engine.options import Options
from verifier.engine.targets import Found, Offered, Targets
from verifier.errors import VerifierError
from verifier.model.catalog import Entry, Listing
from verifier.programs.listing import run_listings
from verifier.programs.listing_analysis import analyse
from verifier.programs.listing_runs import read_runs, written_runs
from verifier.runs.json_form import dumps
from verifier.runs.outcome import Outcome

__all__ = ["NO_LISTINGS", "discover", "failed", "run_in_order", "verify_entry"]

NO_LISTINGS = ""


def discover() -> str:
    """The devices that JAX offers here, as JSON of `Offered`."""
    found = tuple(
        Found(
            name=each.name,
            platform=each.platform,
            kind=each.kind,
            independent=each.independent,
            flushes_subnormals=machine_devices.flushes_subnormals(each.name),
        )
        for each in machine_devices.discover()
    )
    return dumps(Offered(devices=found))


def run_in_order(listings: tuple[Listing, ...]) -> str:
    """Listings of the source, and what running them in order showed, as JSON for other workers."""
    return written_runs(listings, run_listings(listings))


def verify_entry(entry: Entry, listings: str, targets: Targets, options: Options) -> str:
    """Verify one entry, as JSON of `Outcome`; whatever goes wrong costs this entry its verdicts and no other."""
    clock = time.perf_counter()
    prepared, known = None, _listings(listings)
    try:
        prepared = prepare(entry, known.by_id)
        outcome = verify(prepared, targets, options)
    except Exception as error:
        outcome = Outcome(entry=failed_entry(entry, _reason(error)), transient=isinstance(error, MemoryError))
    return dumps(_with_claims(entry, outcome, prepared, known, time.perf_counter() - clock))


def _reason(error: Exception) -> str:
    """This package's own messages say what to do; of any other error its kind is half of the message."""
    return str(error) if isinstance(error, VerifierError) else f"{type(error).__name__}: {error}"


def failed(entry: Entry, reason: str, listings: str) -> str:
    """An entry whose worker was lost; the claims that rest on listings alone are still decided."""
    outcome = Outcome(entry=failed_entry(entry, reason), transient=True)
    return dumps(_with_claims(entry, outcome, None, _listings(listings), 0.0))


@lru_cache(maxsize=1)
def _listings(text: str) -> Listings:
    if text == NO_LISTINGS:
        return Listings(texts=(), runs=())
    listings, runs = read_runs(text)
    return Listings(texts=analyse(listings), runs=runs)


def _with_claims(
    entry: Entry, outcome: Outcome, prepared: Prepared | None, listings: Listings, seconds: float
) -> Outcome:
    claims = tuple(claim_record(claim, entry.id, prepared, listings) for claim in entry.claims)
    return replace(outcome, claims=claims, seconds=round(seconds, 3))
