"""A tally as one bar: each class a stretch as long as its share, with a hair for the rarest."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from verifier.report.overview import Share
from verifier.report.plots.svg import element

__all__ = ["bar"]

_WIDTH, _HEIGHT, _HAIR = 600.0, 12.0, 5.0


def bar(shares: Sequence[Share]) -> Markup:
    """The stretches from best to worst; each carries its name and number as title."""
    whole = sum(share.number for share in shares) or 1
    free = _WIDTH - _HAIR * len(shares)
    at, parts = 0.0, []
    for share in shares:
        width = _HAIR + free * share.number / whole
        title = element("title", escape(f"{share.word.label}: {share.number:,}"))
        parts.append(
            element(
                "rect", title, class_=f"share {share.word.tone}", x=at, y=0, width=max(1.0, width - 1.5), height=_HEIGHT
            )
        )
        at += width
    said = ", ".join(f"{share.number:,} {share.word.label}" for share in shares)
    return element(
        "svg",
        *parts,
        class_="shares",
        viewBox=f"0 0 {_WIDTH:.0f} {_HEIGHT:.0f}",
        role="img",
        aria_label=said,
        preserveAspectRatio="none",
    )
