"""A new entry from the command line: written into a catalog only when the whole catalog is then free of faults."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from verifier.catalog.reader import read_bytes
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
    text = _text(path) if path.exists() else None
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


def _text(path: Path) -> str:
    """The file's text with its own line ends."""
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path}: byte {error.start + 1} is not UTF-8, and the file stays as it is; save it as UTF-8 text, or name"
            " another file"
        ) from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); name another file") from None


def _replace(path: Path, text: str) -> None:
    """Put the text in place once it reads as a catalog without a fault."""
    try:
        read_bytes(text.encode("utf-8"), path.as_posix())
    except CatalogError as error:
        raise UsageError(f"the entry would not be valid, and {path} stays as it is:\n{error}") from None
    with Placing(path) as out:
        out.write(text)


def _domains(formula: str, domains: Sequence[str]) -> dict[str, tuple[str, str]]:
    """NAME=LOW:HIGH for every input of the formula."""
    pairs = [_domain(each) for each in domains]
    for name in _repeated(name for name, _ in pairs):
        raise UsageError(f"--domain {name}=... is given more than once; keep one")
    found = dict(pairs)
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
    for name in _repeated(name.strip() for name, _, _ in pairs):
        raise UsageError(f"--point {text}: {name} is given more than once; keep one, or give a --point for each")
    return {name.strip(): value.strip() for name, _, value in pairs}


def _repeated(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]
