"""A comparison as one HTML page that loads nothing, in the report's style."""

from __future__ import annotations

from verifier.compare.differences import Comparison, Direction
from verifier.compare.text import alike, by_entry, by_primitive, outcome
from verifier.report.html import page

__all__ = ["render"]

_TONES = {
    Direction.NEWLY_WRONG: "bad",
    Direction.WORSE: "bad",
    Direction.LESS_ACCURATE: "warn",
    Direction.NO_LONGER_DECIDED: "open",
    Direction.NEWLY_RIGHT: "good",
    Direction.BETTER: "good",
    Direction.MORE_ACCURATE: "good",
    Direction.APPEARED: "note",
    Direction.DISAPPEARED: "note",
}


def render(comparison: Comparison, title: str) -> str:
    """The page's text; the same comparison gives the same bytes."""
    return page(
        "compare.html.j2",
        comparison=comparison,
        title=title,
        outcome=outcome(comparison),
        entries={entry: alike(changes) for entry, changes in by_entry(comparison).items()},
        primitives=by_primitive(comparison),
        directions=list(Direction),
        tones=_TONES,
    )
