"""Everything that was found about one entry: what a worker hands over, a journal keeps and a cache gives back."""

from __future__ import annotations

from dataclasses import dataclass

from verifier.runs import records

__all__ = ["Outcome"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The records of one entry. Whatever a run file says about all entries is derived from these alone.

    It travels as JSON (`json_form.dumps` and `loads`): a field holds scalars, tuples, mappings and records, and its
    type hint says which.
    """

    entry: records.Entry
    conflicts: int = 0
    """How often the two routes to the truth excluded each other: the verifier is at fault, and says so."""
    verdicts: tuple[records.Verdict, ...] = ()
    rules: tuple[records.Rule, ...] = ()
    claims: tuple[records.Claim, ...] = ()
    skipped: tuple[records.Skipped, ...] = ()
    exercised: tuple[records.Exercised, ...] = ()
    """JAX's rules that ran, program by program."""
    jax_rules: records.RuleTable | None = None
    """All that there are in the JAX that ran."""
    seconds: float = 0.0
    transient: bool = False
    """A limit of time or memory, or a worker's death, made it what it is: tried again, never reused."""

    @property
    def records(self) -> tuple[records.Record, ...]:
        """The lines that the run file has about the entry, in their order."""
        return (self.entry, *self.verdicts, *self.rules, *self.claims)

    @property
    def judged(self) -> tuple[records.Verdict | records.Rule | records.Claim, ...]:
        """The records that can be findings."""
        return (*self.verdicts, *self.rules, *self.claims)
