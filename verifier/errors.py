"""What can go wrong before there is a verdict; verdicts themselves never raise.

VerifierError                 exit status 2
├── UsageError                a wrong argument or option
├── CatalogError              a catalog that cannot be read: every fault at once, exit status 3
├── FormulaError              a formula that cannot be read, with its column; becomes a CatalogError's fault
├── RunFileError              a run file that is unreadable, corrupt or of a newer major format; a file that
│                             cannot be written
└── WorkerError               worker processes that do not start
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CatalogError", "Fault", "FormulaError", "RunFileError", "UsageError", "VerifierError", "WorkerError"]


class VerifierError(Exception):
    """The root of every error that this package raises on purpose."""

    exit_status = 2


class UsageError(VerifierError):
    """A wrong argument or option; the message says what to do instead."""


class RunFileError(VerifierError):
    """A run file that cannot be read, or a file that cannot be written; the message names it and says what to do."""


class WorkerError(VerifierError):
    """Worker processes that do not start; the message says how one ended."""


class FormulaError(VerifierError):
    """A formula that cannot be read.

    `column` is 0-based inside the formula's text; the catalog reader turns it into a position in the file.
    """

    def __init__(self, message: str, *, column: int = 0) -> None:
        super().__init__(message)
        self.column = column


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Fault:
    """One fault of a catalog: where it stands (1-based line and column), what is wrong and what to do."""

    file: str
    line: int
    column: int
    message: str
    path: str = ""

    def __str__(self) -> str:
        where = f" (at {self.path})" if self.path else ""
        return f"{self.file}:{self.line}:{self.column}: {self.message}{where}"


class CatalogError(VerifierError):
    """Every fault of a catalog, in the order of the file."""

    exit_status = 3

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self.faults = tuple(sorted(faults))
        super().__init__("\n".join(str(fault) for fault in self.faults))
