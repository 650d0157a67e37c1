"""A new entry from the command line: written into a catalog only when the whole catalog is then free of faults."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from verifier.catalog.reader import read
from verifier.catalog.writing import NewEntry, added, entry_ids, fresh, identity, section_of
from verifier.errors import CatalogError, FormulaError, UsageError
from verifier.runs.placing import Placing, is_stream
from verifier.symbolic.formula import names, parse
from verifier.symbolic.functions import CONSTANTS

__all__ = ["add_entry"]


def add_entry(
    path: Path,
    formula: str,
    *,
    domains: Sequence[str],
    name: str | None,
    title: str | None,
    section: str | None,
    orders: Sequence[int],
    points: Sequence[str],
) -> str:
    """Add an entry to the catalog at `path`, which is made where there is none; returns the entry's id.

    Raises UsageError for what cannot be understood, CatalogError where the catalog would have faults; the file is then
    as it was.
    """
    if is_stream(path):
        raise UsageError(f"{path} is no file that a catalog could be kept in; choose another place")
    text = path.read_text(encoding="utf-8") if path.exists() else None
    taken = entry_ids(text, str(path)) if text is not None else ()
    if name in taken:
        raise UsageError(f"{path} has an entry {name} already; choose another --id")
    entry = NewEntry(
        id=name or identity(formula, taken),
        title=title or formula,
        value=formula,
        domains=_domains(formula, domains),
        orders=sorted(set(orders)),
        points=[_point(each) for each in points],
    )
    if text is None:
        written = fresh(entry, path.stem.replace("-", " ").replace("_", " ").capitalize() or "Functions")
    else:
        written = added(text, entry, section or section_of(text, str(path)), str(path))
    _replace(path, written)
    return entry.id


def _replace(path: Path, text: str) -> None:
    """Put the text in place once it reads as a catalog without a fault."""
    draft = path.with_name(path.name + ".draft")
    try:
        with Placing(draft) as out:
            out.write(text)
        read(draft)
    except CatalogError as error:
        raise UsageError(f"the entry would not be valid, and {path} stays as it is:\n{error}") from None
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
    with Placing(path) as out:
        out.write(text)


def _domains(formula: str, domains: Sequence[str]) -> dict[str, tuple[str, str]]:
    """NAME=LOW:HIGH for every input of the formula."""
    found = dict(_domain(each) for each in domains)
    try:
        wanted = names(parse(formula)) - CONSTANTS.keys()
    except FormulaError as error:
        raise UsageError(f"{formula}\n{' ' * error.column}^ {error}") from None
    missing, unused = sorted(wanted - found.keys()), sorted(found.keys() - wanted)
    if missing:
        raise UsageError(f"no domain for {', '.join(missing)}; add for example --domain {missing[0]}=-10:10")
    if unused:
        raise UsageError(
            f"{', '.join(unused)} has a domain and does not occur in {formula}; it has {', '.join(sorted(wanted))}"
        )
    return found


def _domain(text: str) -> tuple[str, tuple[str, str]]:
    name, _, ends = text.partition("=")
    low, colon, high = ends.partition(":")
    if not (name.isidentifier() and colon and low.strip() and high.strip()):
        raise UsageError(f"--domain {text}: expected NAME=LOW:HIGH, for example x=-10:10")
    return name, (low.strip(), high.strip())


def _point(text: str) -> dict[str, str]:
    pairs = [each.partition("=") for each in text.split(",")]
    if not all(name.strip().isidentifier() and value.strip() for name, _, value in pairs):
        raise UsageError(f"--point {text}: expected NAME=VALUE, for example x=0.5 or x=1,y=2")
    return {name.strip(): value.strip() for name, _, value in pairs}
