"""Collects the faults of one catalog, and shows the reader's own words safely inside messages."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from verifier.errors import CatalogError, Fault
from verifier.model.catalog import Position

__all__ = ["INVISIBLE", "FaultList", "TooManyFaults", "listed", "nearest", "shown"]

MAX_FAULTS = 1000
MAX_SHOWN = 60

# What nobody sees or a terminal obeys: controls, odd line breaks, direction marks, surrogates; not tab and line breaks.
INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)
_WHITE = re.compile("[\t\n\r]")


def _escaped(match: re.Match[str]) -> str:
    return match.group().encode("unicode_escape").decode("ascii")


def shown(text: str) -> str:
    """The text as a message may show it: one line, nothing invisible, at most 60 characters."""
    cut = text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"
    return _WHITE.sub(_escaped, INVISIBLE.sub(_escaped, cut))


def listed(words: Iterable[str], *, last: str = "or") -> str:
    """The words in backquotes as an English list: `a`, `b` or `c`."""
    quoted = [f"`{shown(word)}`" for word in words]
    if len(quoted) < 2:
        return "".join(quoted)
    return f"{', '.join(quoted[:-1])} {last} {quoted[-1]}"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` is most likely meant to be, or None."""
    lowered = {name.lower(): name for name in known}
    found = difflib.get_close_matches(word.lower()[:100], lowered, n=1, cutoff=0.6)
    return lowered[found[0]] if found else None


class TooManyFaults(Exception):
    """The limit of faults is reached: a hostile file can hold any number, so the reading ends here."""


class FaultList:
    """The faults found so far in one file; each states where, what is wrong and what to do."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._faults: dict[Fault, None] = {}

    def __bool__(self) -> bool:
        return bool(self._faults)

    def add(self, position: Position, message: str, path: str = "") -> None:
        """Records one fault; an equal one is kept once. Raises TooManyFaults at the limit."""
        fault = Fault(file=self.file, line=position.line, column=position.column, message=message, path=path)
        self._faults[fault] = None
        if len(self._faults) >= MAX_FAULTS:
            raise TooManyFaults

    def error(self) -> CatalogError:
        """All faults in the order of the file."""
        faults = sorted(self._faults)
        if len(faults) >= MAX_FAULTS:
            last = faults[-1]
            message = f"the reading ends after {MAX_FAULTS} faults: mend those above first"
            faults.append(Fault(file=self.file, line=last.line, column=last.column + 1, message=message))
        return CatalogError(tuple(faults))
