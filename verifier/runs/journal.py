"""The journal beside a run file: each entry as soon as it is finished, one a line, until the run file is written.

The first line says which run it is: nothing else may continue it. A line that a crash cut off is dropped; any other
fault is an error, and the file is left as it is.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from verifier.errors import RunFileError
from verifier.runs.json_form import Malformed, dumps, loads
from verifier.runs.outcome import Outcome
from verifier.runs.placing import unfinished, writing
from verifier.runs.reader import Run, assembled, opened, read_lines
from verifier.runs.records import Coverage, Header, Provenance
from verifier.runs.tallies import end_of

try:
    import fcntl
except ModuleNotFoundError:  # Windows
    fcntl = None

__all__ = ["Head", "Journal", "journal_of", "read_any"]

_SYNC_PERIOD = 1.0
"""Seconds between two calls of fsync: what a power failure may cost. A killed process loses nothing that is flushed."""
_MARK = b'{"journal":'


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The first line of a journal."""

    journal: str = "1.0"
    run: Mapping[str, str]
    """What makes it this run: the name of each part (the catalog, the options, ...) -> a digest of it."""
    entries: tuple[str, ...]
    """The entries of the run in catalog order."""
    header: Header


def journal_of(path: Path) -> Path:
    """Where finished entries stand while the run goes on, and stay when it is cut off."""
    return path.with_name(f"{path.name}.journal")


class Journal:
    """Keeps finished entries; `with Journal(path, head, resume=...) as journal: journal.append(outcome)`.

    `found` holds what an earlier part of the run has finished, limits of time and memory apart. Raises RunFileError
    where the file cannot be written, is corrupt, or is to be resumed and belongs to another run; and where another run
    writes it at this moment.
    """

    def __init__(self, path: Path, head: Head, *, resume: bool) -> None:
        self._path = path
        self.found: dict[str, Outcome] = {}
        with writing(path):
            earlier = _taken(path)
        self._is_new = not resume or earlier is None
        try:
            if resume and earlier is not None:
                self._file = self._continued(earlier, head)
            else:
                self._file = self._begun(earlier, head)
        except BaseException:
            if earlier is not None:
                earlier.close()
            raise
        self._synced = 0.0

    def append(self, outcome: Outcome) -> None:
        """Keep an entry; it survives the death of this process from here on."""
        self._is_new = False
        with writing(self._path):
            self._file.write(f"{dumps(outcome)}\n".encode())
            self._file.flush()
            if time.monotonic() - self._synced > _SYNC_PERIOD:
                os.fsync(self._file.fileno())
                self._synced = time.monotonic()

    def remove(self) -> None:
        """Remove the file, while nobody else can take it: the run file is written."""
        if fcntl is None:  # where there are no locks, no open file can be removed either
            self._file.close()
        self._path.unlink(missing_ok=True)
        self._file.close()

    def _begun(self, earlier: BinaryIO | None, head: Head) -> BinaryIO:
        """An older journal is replaced in one step, when the new one can be written."""
        partial = unfinished(self._path)
        with writing(self._path), ExitStack() as stack:
            stack.callback(partial.unlink, missing_ok=True)
            partial.write_bytes(f"{dumps(head)}\n".encode())
            if fcntl is None:
                if earlier is not None:
                    earlier.close()
                os.replace(partial, self._path)
                return self._path.open("ab")
            file = stack.enter_context(partial.open("ab"))
            with suppress(OSError):  # its name is not to survive a power failure that its head does not
                os.fsync(file.fileno())
            _lock(file, self._path)
            if earlier is None:
                _name_first(partial, self._path)
            else:
                os.replace(partial, self._path)
                earlier.close()
            stack.pop_all()
            partial.unlink(missing_ok=True)
            return file

    def _continued(self, file: BinaryIO, head: Head) -> BinaryIO:
        file.seek(0)
        earlier, outcomes, length = _parsed(file, self._path)
        _require_same(earlier, head, self._path)
        self.found = {each.entry.entry: each for each in outcomes if not each.transient}
        with writing(self._path):
            file.truncate(length)
            file.seek(length)
        return file

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file.closed:
            return
        with suppress(OSError):
            os.fsync(self._file.fileno())
        if self._is_new:
            with suppress(OSError):
                self.remove()
        with suppress(OSError):
            self._file.close()


def _taken(path: Path) -> BinaryIO | None:
    """The journal that is there, taken for this run; None where there is none. Raises RunFileError where another run
    writes it.
    """
    while True:
        try:
            file = path.open("r+b")
        except FileNotFoundError:
            return None
        with ExitStack() as stack:
            stack.enter_context(file)
            _lock(file, path)
            # Whoever held it may have removed or replaced it before letting go.
            if path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat()):
                stack.pop_all()
                return file


def _lock(file: BinaryIO, path: Path) -> None:
    """Hold a journal until it is closed, or this process ends, however it does. Some file systems cannot tell."""
    if fcntl is None:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise _busy(path) from None
    except OSError:
        return


def _name_first(partial: Path, path: Path) -> None:
    """Put a journal under its name, where none is; raises RunFileError where another run was faster."""
    try:
        os.link(partial, path)
    except FileExistsError:
        if not path.exists():
            raise RunFileError(f"{path}: this is a link to nothing; remove it, or give --out another name") from None
        raise _busy(path) from None
    except OSError:  # a file system without links
        os.replace(partial, path)


def _busy(path: Path) -> RunFileError:
    return RunFileError(
        f"{path}: another run is under way and writes this journal; wait until it ends, or give --out another name"
    )


def read_any(path: str | Path) -> Run:
    """Read a run file, or the journal of a run that was cut off: then `unfinished` names what was still to come."""
    path = Path(path)
    with opened(path) as file:
        first = file.readline()
        lines = chain([first] if first else [], file)
        if not first.startswith(_MARK):
            return read_lines(lines, path)
        head, outcomes, _ = _parsed(lines, path)
    found = {each.entry.entry: each for each in outcomes}
    kept = [found[name] for name in head.entries if name in found]
    unfinished = tuple(name for name in head.entries if name not in found)
    return replace(_partial(head.header, kept, path), unfinished=unfinished)


def _partial(header: Header, outcomes: Sequence[Outcome], path: Path) -> Run:
    seconds = {each.entry.entry: each.seconds for each in outcomes}
    lines = [record for outcome in outcomes for record in outcome.records]
    coverage = Coverage(skipped=tuple(each for outcome in outcomes for each in outcome.skipped))
    return assembled((header, *lines, coverage, Provenance(entries=seconds), end_of(outcomes)), path)


def _parsed(lines: Iterable[bytes], path: Path) -> tuple[Head, list[Outcome], int]:
    """The head, the outcomes in the order of the file, and how many bytes of it are whole lines."""
    whole = [line for line in lines if line.endswith(b"\n")]
    if not whole or not whole[0].startswith(_MARK):
        raise RunFileError(f"{path}:1: this is no journal of a run; move it away and run without --resume")
    try:
        head = loads(Head, whole[0])
    except Malformed as fault:
        raise RunFileError(
            f"{path}:1: a journal that this version cannot read ({fault}); run without --resume to begin anew"
        ) from None
    return head, [_outcome(line, path, number) for number, line in enumerate(whole[1:], 2)], sum(map(len, whole))


def _outcome(line: bytes, path: Path, number: int) -> Outcome:
    try:
        return loads(Outcome, line)
    except Malformed as fault:
        raise RunFileError(
            f"{path}:{number}: the journal is corrupt ({str(fault).lstrip('.: ')}); run without --resume to begin anew"
        ) from None


def _require_same(earlier: Head, head: Head, path: Path) -> None:
    names = [name for name in head.run if earlier.run.get(name) != head.run[name]]
    if names or earlier.entries != head.entries:
        raise RunFileError(
            f"{path}: this journal is of another run: {', '.join(names or ['the entries'])} differ. "
            "Give the same to continue it, or run without --resume to begin anew"
        )
