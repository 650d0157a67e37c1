"""Putting a file in its place: the one way in which this package writes the files that users name.

A regular file, or one that is to come into being, is replaced in one step when all of it is written, and keeps its
permissions; a link stays a link, and its target is replaced. What is no regular file (a pipe, a terminal, a device) is
opened and written to.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import combinations
from pathlib import Path
from types import TracebackType
from typing import Self

from verifier.errors import RunFileError, UsageError

__all__ = ["Placing", "is_stream", "require_apart", "require_writable", "writing"]


class Placing:
    """Writes a text file; `with Placing(path) as out: out.write(text)`.

    Leaving the block without an exception puts the file under its name; with one, a regular file stays as it was.
    Raises RunFileError where it cannot be written.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._target = None if is_stream(self._path) else Path(os.path.realpath(self._path))
        with writing(self._path):
            self._partial = None if self._target is None else unfinished(self._target)
            # A lone surrogate has no UTF-8; in JSON its escape means the same.
            self._file = (self._partial or self._path).open(
                "a" if self._partial is None else "w", encoding="utf-8", newline="\n", errors="backslashreplace"
            )

    def write(self, text: str) -> None:
        """Append text."""
        with writing(self._path):
            self._file.write(text)

    def finish(self) -> None:
        """Put the file under its name."""
        with writing(self._path):
            self._file.flush()
            if self._partial is not None and self._target is not None:
                os.fsync(self._file.fileno())
                self._file.close()
                if self._target.exists():
                    shutil.copymode(self._target, self._partial)
                os.replace(self._partial, self._target)
            self._file.close()

    def abandon(self) -> None:
        """Leave what is there as it is; nothing where it is finished."""
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            if self._partial is not None:
                self._partial.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self.finish()
        finally:
            self.abandon()


def unfinished(target: Path) -> Path:
    """Where a file is written until it is complete: of two processes that write it each has its own."""
    return target.with_name(f"{target.name}.{os.getpid()}.partial")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a failure to write `path` into one RunFileError that says why."""
    try:
        yield
    except OSError as error:
        why = f"{path}: cannot be written ({error.strerror}); free space or choose another place"
        raise RunFileError(why) from None


def is_stream(path: Path) -> bool:
    """Whether a path names something to write to that nothing can be put in the place of."""
    is_special = os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)
    return is_special or _is_open_already(path)


def _is_open_already(path: Path) -> bool:
    """Whether a path is `/dev/stdout` or another name of an open file: others write to that, whatever it is."""
    for _ in range(40):  # as many links as Linux follows
        path = Path(os.path.realpath(path.parent)) / path.name
        if path.parent.name == "fd" and path.is_relative_to("/proc"):
            return True
        if not os.path.islink(path):
            return False
        path = path.parent / os.readlink(path)
    return False


def require_writable(path: Path) -> None:
    """Raise RunFileError where a file could not even be begun."""
    with writing(path):
        if is_stream(path):
            if not os.access(path, os.W_OK):
                raise PermissionError(13, "Permission denied")
        else:
            with tempfile.TemporaryFile(dir=os.path.dirname(os.path.realpath(path))):
                pass


def require_apart(outputs: Mapping[str, Path], inputs: Mapping[str, Path]) -> None:
    """Raise UsageError where one output would be put in the place of another one, or of an input; each has a name."""
    replaced = {name: path for name, path in outputs.items() if not is_stream(path)}
    for name, path in replaced.items():
        for read, source in inputs.items():
            if _is_same(path, source):
                raise UsageError(f"{name} {path} would replace {read} {source}; choose another place for it")
    for (name, path), (other, place) in combinations(replaced.items(), 2):
        if _is_same(path, place):
            raise UsageError(f"{name} and {other} are one file, {path}; choose another place for one of them")


def _is_same(a: Path, b: Path) -> bool:
    if os.path.realpath(a) == os.path.realpath(b):
        return True
    with suppress(OSError):
        return a.samefile(b)
    return False
