"""Claims: each statement of the source decided by a computation, with the true value and the reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from verifier.engine import decisions, limits
from verifier.engine.decisions import Decided
from verifier.errors import FormulaError
from verifier.model.catalog import (
    Claim,
    Digits,
    Holds,
    Identity,
    Limit,
    ListingOutput,
    ListingRuns,
    ListingStructure,
    NestedText,
    NotComputable,
    ShapeIs,
)
from verifier.model.verdict import ClaimVerdict
from verifier.programs.listing_analysis import ListingText
from verifier.programs.listing_facts import decide_structure
from verifier.programs.listing_runs import ListingRun
from verifier.runs import records

if TYPE_CHECKING:
    from verifier.engine.entry import Prepared

__all__ = ["Listings", "claim_record"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listings:
    """The source's listings: their text analysed and what running them showed, in catalog order."""

    texts: Sequence[ListingText]
    runs: Sequence[ListingRun]

    @property
    def by_id(self) -> Mapping[str, ListingRun]:
        return {run.id: run for run in self.runs}


def claim_record(claim: Claim, entry: str, prepared: Prepared | None, listings: Listings) -> records.Claim:
    """Decide a claim and record the outcome; what goes wrong while deciding leaves it UNDECIDED with the reason.

    Without `prepared`, where the entry FAILED so early, what rests on listings alone is still decided.
    """
    try:
        decided = _about_listings(claim, listings) or _about_mathematics(claim, prepared)
    except FormulaError as error:
        decided = Decided(ClaimVerdict.UNDECIDED, reason=str(error))
    except Exception as error:  # one claim must not cost the others their verdicts
        decided = Decided(ClaimVerdict.UNDECIDED, reason=f"{type(error).__name__}: {error}")
    return records.Claim(
        entry=entry,
        claim=claim.id,
        says=claim.says,
        section=claim.section,
        row=claim.row,
        verdict=decided.verdict,
        fails=decided.verdict is ClaimVerdict.REFUTED,
        decision=records.Decision(kind=_KINDS[type(claim.decision)], text=_text(claim)),
        reading=claim.reading,
        truth=decided.truth,
        reason=decided.reason,
        explains=claim.explains,
    )


def _about_mathematics(claim: Claim, prepared: Prepared | None) -> Decided:
    if prepared is None:
        return Decided(ClaimVerdict.UNDECIDED, reason="the entry FAILED before anything could be computed")
    workspace = prepared.workspace
    match claim.decision:
        case Digits() as digits:
            return decisions.digits(digits, claim.at, workspace)
        case Holds(for_all=()) as holds:
            return decisions.holds(holds, claim.at, workspace)
        case Holds() as holds:
            return decisions.holds_for_all(holds, claim.at, workspace)
        case Identity() as identity:
            return decisions.identity(identity, claim.at, workspace)
        case Limit() as limit:
            return limits.limit(limit, claim.at, workspace)
        case ShapeIs() as shape:
            return decisions.shape(shape, workspace)
    raise TypeError(f"nothing decides a claim of kind {type(claim.decision).__name__}")


def _about_listings(claim: Claim, listings: Listings) -> Decided | None:
    """None for a claim that a listing does not decide."""
    match claim.decision:
        case ListingRuns() as runs:
            return _runs(runs, listings)
        case ListingOutput() as output:
            return _prints(output, listings)
        case ListingStructure(listing=listing, formula=formula):
            found = decide_structure(formula.text, listing=listing, texts=listings.texts, runs=listings.runs)
            return Decided.of(found.holds, reason=found.facts)
        case NotComputable(reason=reason):
            return Decided(ClaimVerdict.NOT_COMPUTABLE, reason=reason)
    return None


def _runs(decision: ListingRuns, listings: Listings) -> Decided:
    run = listings.by_id[decision.listing]
    if run.status == "refused":
        return Decided(ClaimVerdict.UNDECIDED, reason=f"line {run.line}: {run.message}")
    happened = "it runs to its end" if run.status == "ok" else f"line {run.line}: {run.exception}: {run.message}"
    return Decided.of((run.exception or None) == decision.raises, reason=happened)


def _prints(decision: ListingOutput, listings: Listings) -> Decided:
    run = listings.by_id[decision.listing]
    ended = f"line {run.line}: {run.exception}: {run.message}"
    missing = decision.line is not None and decision.line >= len(run.printed)
    if run.status == "refused" and (decision.line is None or missing):
        return Decided(ClaimVerdict.UNDECIDED, reason=f"line {run.line}: {run.message}")
    if missing or (run.status != "ok" and not run.printed):
        count = f"{len(run.printed)} line{'' if len(run.printed) == 1 else 's'}" if run.printed else "nothing"
        reason = f"it prints {count}" if run.status == "ok" else f"it prints {count}: {ended}"
        return Decided(ClaimVerdict.REFUTED, truth="\n".join(run.printed), reason=reason)
    printed = "\n".join(run.printed) if decision.line is None else run.printed[decision.line]
    same = " ".join(printed.split()) == " ".join(decision.printed.split())
    return Decided.of(same, truth=printed, reason=f"it prints {printed!r}")


def _text(claim: Claim) -> str:
    """The computation that decides a claim, in one line."""
    return _TEXTS[type(claim.decision)](claim.decision)  # type: ignore[arg-type]


def _shown(printed: NestedText) -> str:
    return f"[{', '.join(map(_shown, printed))}]" if isinstance(printed, tuple) else printed.text


_KINDS: Mapping[type, str] = {
    Digits: "digits",
    Holds: "holds",
    Identity: "identity",
    Limit: "limit",
    ShapeIs: "shape",
    ListingRuns: "runs",
    ListingOutput: "prints",
    ListingStructure: "structure",
    NotComputable: "not-computable",
}

_TEXTS: Mapping[type, Callable[..., str]] = {
    Digits: lambda each: f"{each.formula} {'=' if each.exactly else '≈'} {_shown(each.printed)}",
    Holds: lambda each: f"{each.formula}" + (f"  for all {', '.join(each.for_all)}" if each.for_all else ""),
    Identity: lambda each: f"{each.left} = {each.right}",
    Limit: lambda each: f"{each.formula} → {each.equals} as {each.variable} → {each.to}",
    ShapeIs: lambda each: f"the shape of {each.formula} is {list(each.shape)}",
    ListingRuns: lambda each: f"running listing {each.listing}" + (f" raises {each.raises}" if each.raises else ""),
    ListingOutput: lambda each: f"listing {each.listing} prints {each.printed!r}",
    ListingStructure: lambda each: f"in listing {each.listing}: {each.formula}",
    NotComputable: lambda each: each.reason,
}
