"""Writing run files: one record a line, in their order, and the file in its place when everything is written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from verifier.runs.json_form import as_line, decode, encode
from verifier.runs.placing import Placing
from verifier.runs.records import KINDS, Record

__all__ = ["RunWriter", "line_of"]


def line_of(record: Record | Mapping[str, Any]) -> str:
    """A record as its line, without the newline; raises ValueError for a mapping that is no record of this format."""
    checked = decode(record, strict=True) if isinstance(record, Mapping) else record
    return as_line(encode(checked))


class RunWriter:
    """Writes a run file record by record; `with RunWriter(path) as out: out.write(record)`.

    Leaving the block without an exception puts the file under its name in one step; with one, what was there before
    stays as it was. Raises RunFileError where the file cannot be written.
    """

    def __init__(self, path: str | Path) -> None:
        self._last_kind: str | None = None
        self._file = Placing(path)

    def write(self, record: Record | Mapping[str, Any]) -> None:
        """Append a record: header first, nothing after end. Raises ValueError for what is no record or out of order."""
        line = line_of(record)
        kind = record["kind"] if isinstance(record, Mapping) else record.KIND
        self._check_order(kind)
        self._file.write(line + "\n")
        self._last_kind = kind

    def finish(self) -> None:
        """Put the file under its name; raises ValueError before the end record."""
        if self._last_kind != "end":
            raise ValueError("a run file ends with its `end` record; write it before finish()")
        self._file.finish()

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
            self._file.abandon()
