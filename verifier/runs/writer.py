"""Writing run files: one record a line, into a file beside that becomes the run file when everything is written."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from verifier.errors import RunFileError
from verifier.runs.json_form import decode, encode
from verifier.runs.records import KINDS, Record

__all__ = ["RunWriter", "line_of", "writing"]


def line_of(record: Record | Mapping[str, Any]) -> str:
    """A record as its line, without the newline; raises ValueError for a mapping that is no record of this format."""
    checked = decode(record, strict=True) if isinstance(record, Mapping) else record
    return json.dumps(encode(checked), ensure_ascii=False, allow_nan=False, separators=(",", ":"))


class RunWriter:
    """Writes a run file record by record; `with RunWriter(path) as out: out.write(record)`.

    Leaving the block without an exception puts the file under its name in one step; with one, what was there before
    stays as it was. Raises RunFileError where the file cannot be written.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._partial = self._path.with_name(f"{self._path.name}.partial")
        self._last_kind: str | None = None
        with writing(self._path):
            self._file = self._partial.open("w", encoding="utf-8", newline="\n")

    def write(self, record: Record | Mapping[str, Any]) -> None:
        """Append a record: header first, nothing after end. Raises ValueError for what is no record or out of order."""
        line = line_of(record)
        kind = record["kind"] if isinstance(record, Mapping) else record.KIND
        self._check_order(kind)
        with writing(self._path):
            self._file.write(line + "\n")
        self._last_kind = kind

    def finish(self) -> None:
        """Put the file under its name; raises ValueError before the end record."""
        if self._last_kind != "end":
            raise ValueError("a run file ends with its `end` record; write it before finish()")
        with writing(self._path):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            os.replace(self._partial, self._path)

    def _check_order(self, kind: str) -> None:
        if (self._last_kind is None) != (kind == "header"):
            raise ValueError(f"the header is the first record and there is one only; got {kind!r}")
        if self._last_kind == "end":
            raise ValueError(f"nothing follows the `end` record; got {kind!r}")
        assert kind in KINDS

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self.finish()
        finally:
            with suppress(OSError):
                self._file.close()
                self._partial.unlink(missing_ok=True)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a failure to write `path` into one RunFileError that says why."""
    try:
        yield
    except OSError as error:
        why = f"{path}: cannot be written ({error.strerror}); free space or choose another place"
        raise RunFileError(why) from None
