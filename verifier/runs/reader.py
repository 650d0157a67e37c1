"""Reading run files: every record checked, every fault with its line and what to do."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from itertools import zip_longest
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from verifier.errors import RunFileError
from verifier.runs.json_form import Malformed, decode
from verifier.runs.records import FORMAT, Claim, Coverage, End, Entry, Header, Provenance, Record, Rule, Verdict
from verifier.runs.tallies import miscounted

__all__ = ["Run", "assembled", "equal_bytes_apart_from_provenance", "opened", "read", "read_lines"]

_GZIP = b"\x1f\x8b"
_PROVENANCE = b'{"kind":"provenance"'

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A complete run file, as read."""

    header: Header
    provenance: Provenance
    entries: tuple[Entry, ...]
    verdicts: tuple[Verdict, ...]
    rules: tuple[Rule, ...]
    claims: tuple[Claim, ...]
    coverage: Coverage
    end: End
    unfinished: tuple[str, ...] = ()
    """Entries that were still to come when the run was cut off, where it is read from its journal."""

    @property
    def judged(self) -> tuple[Verdict | Rule | Claim, ...]:
        """Every record that holds a verdict."""
        return (*self.verdicts, *self.rules, *self.claims)


def read(path: str | Path) -> Run:
    """Read a whole run file; raises RunFileError where it is unreadable, corrupt, truncated or too new."""
    path = Path(path)
    with opened(path) as file:
        return read_lines(file, path)


def read_lines(lines: Iterable[bytes], path: Path) -> Run:
    """As `read`, of the lines of a file that is open already: a pipe is read once only."""
    records = tuple(_records(lines, path))
    if not records or not isinstance(records[-1], End):
        raise RunFileError(
            f"{path}:{len(records) + 1}: the file is truncated: it has no `end` record. "
            "The run was cut off or the copy is incomplete; run again or copy the file again."
        )
    return assembled(records, path)


def assembled(records: tuple[Record, ...], path: Path) -> Run:
    """The run that these records make; raises RunFileError where some are missing."""
    run = Run(
        header=_one(Header, records, path),
        provenance=_one(Provenance, records, path),
        entries=_all(Entry, records),
        verdicts=_all(Verdict, records),
        rules=_all(Rule, records),
        claims=_all(Claim, records),
        coverage=_one(Coverage, records, path),
        end=_one(End, records, path),
    )
    differs = miscounted(run.end, entries=run.entries, verdicts=run.verdicts, rules=run.rules, claims=run.claims)
    if differs:
        raise RunFileError(
            f"{path}: the records are not those that its `end` record counts ({differs}): some were lost or changed. "
            "Run again or copy the file again."
        )
    lost = {each.entry for each in run.judged} - {each.entry for each in run.entries}
    if lost:
        raise RunFileError(
            f"{path}: there is no `entry` record of {', '.join(sorted(lost))}, though something was judged of it. "
            "Run again or copy the file again."
        )
    return run


def equal_bytes_apart_from_provenance(a: str | Path, b: str | Path) -> bool:
    """Whether two run files are equal byte for byte once their provenance records are taken out."""
    missing = object()
    pairs = zip_longest(_measured_lines(Path(a)), _measured_lines(Path(b)), fillvalue=missing)
    return all(left == right for left, right in pairs)


def _measured_lines(path: Path) -> Iterator[bytes]:
    with opened(path) as file:
        for line in file:
            if not line.startswith(_PROVENANCE):
                yield line


def _records(lines: Iterable[bytes], path: Path) -> Iterator[Record]:
    ended = False
    for number, line in enumerate(lines, start=1):
        record = _record(line, path, number)
        if isinstance(record, Header) != (number == 1):
            raise _fault(path, number, "the header must be the first record, and the only header")
        if ended:
            raise _fault(path, number, "a record follows the `end` record")
        ended = isinstance(record, End)
        yield record


def _record(line: bytes, path: Path, number: int) -> Record:
    if not line.endswith(b"\n"):
        raise RunFileError(
            f"{path}:{number}: the file is truncated in the middle of a line; run again or copy the file again."
        )
    try:
        data = json.loads(line.decode("utf-8"), parse_constant=_refuse_constant)
        if number == 1:
            _check_format(data, path)
        return decode(data, strict=False)
    except Malformed as error:
        raise _fault(path, number, str(error).lstrip(".: ")) from None
    except (ValueError, RecursionError) as error:  # no JSON, no text, or an integer that is too long for Python
        raise _fault(path, number, f"not a line of JSON ({error})") from None


def _refuse_constant(token: str) -> Any:
    raise Malformed(f"{token} is no JSON; a number that is not finite is null")


def _check_format(header: Any, path: Path) -> None:
    """Refuse a newer major format before anything else is read: its fields may mean something else."""
    version = header.get("format") if isinstance(header, dict) else None
    if not isinstance(version, str) or not version.split(".")[0].isdecimal():
        raise _fault(path, 1, "this is no run file: its first line is no header with a format version")
    if int(version.split(".")[0]) > int(FORMAT.split(".")[0]):
        raise RunFileError(
            f"{path}:1: the run file has format {version}, this verifier reads up to {FORMAT}. "
            "Install a newer verifier, or make the run file again with this one."
        )


def _fault(path: Path, number: int, what: str) -> RunFileError:
    return RunFileError(f"{path}:{number}: {what}. The file is corrupt; run again or copy the file again.")


def opened(path: Path) -> BinaryIO:
    """A file to read, or what gzip makes of it where it is compressed; raises RunFileError where it cannot be read."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise RunFileError(f"{path}: cannot be read ({error.strerror}); check the path.") from None
    if not file.peek(len(_GZIP)).startswith(_GZIP):
        return file
    with file:
        try:
            return BytesIO(gzip.decompress(file.read()))
        except (OSError, EOFError, zlib.error) as error:
            raise RunFileError(
                f"{path}: what gzip compressed is truncated or corrupt ({error}); copy the file again."
            ) from None


def _all(kind: type[T], records: tuple[Record, ...]) -> tuple[T, ...]:
    return tuple(each for each in records if isinstance(each, kind))


def _one(kind: type[T], records: tuple[Record, ...], path: Path) -> T:
    found = _all(kind, records)
    if len(found) != 1:
        name = kind.__name__.lower()
        raise RunFileError(f"{path}: expected one {name} record, found {len(found)}. The file is corrupt; run again.")
    return found[0]
