"""Writing run files: one record a line, into a journal that becomes the run file only when the run is complete."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from verifier.runs.json_form import decode, encode
from verifier.runs.records import KINDS, Record

__all__ = ["RunWriter", "journal_of", "line_of"]


def journal_of(path: Path) -> Path:
    """Where records stand while the run goes on, and stay when it is cut off."""
    return path.with_name(path.name + ".partial")


def line_of(record: Record | Mapping[str, Any]) -> str:
    """A record as its line, without the newline; raises ValueError for a mapping that is no record of this format."""
    checked = decode(record, strict=True) if isinstance(record, Mapping) else record
    return json.dumps(encode(checked), ensure_ascii=False, allow_nan=False, separators=(",", ":"))


class RunWriter:
    """Writes a run file record by record; `with RunWriter(path) as out: out.write(record)`.

    Every line is flushed to the journal at once, so that what was recorded survives a crash. Leaving the block without
    an exception renames the journal to `path` in one step; with one, the journal stays and `path` is untouched.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._journal = journal_of(self._path)
        self._last_kind: str | None = None
        self._file = self._journal.open("w", encoding="utf-8", newline="\n")

    def write(self, record: Record | Mapping[str, Any]) -> None:
        """Append a record: header first, nothing after end. Raises ValueError for what is no record or out of order."""
        line = line_of(record)
        kind = record["kind"] if isinstance(record, Mapping) else record.KIND
        self._check_order(kind)
        self._file.write(line + "\n")
        self._file.flush()
        self._last_kind = kind

    def finish(self) -> None:
        """Turn the journal into the run file; raises ValueError before the end record."""
        if self._last_kind != "end":
            raise ValueError("a run file ends with its `end` record; write it before finish()")
        os.fsync(self._file.fileno())
        self._file.close()
        os.replace(self._journal, self._path)

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
            self._file.close()
