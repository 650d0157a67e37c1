"""What a worker of a cluster is: what has to be equal for equal records. Starts no JAX."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from verifier.engine.reuse import like_machines, surroundings
from verifier.errors import UsageError
from verifier.execution.provenance import machine, versions
from verifier.runs import records
from verifier.runs.json_form import dumps, loads

__all__ = ["Admission", "Member", "about"]

_OWN = ("the verifier",)
"""Parts of the surroundings that a worker shares with the machine that asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A worker: its versions, its machine, and digests of all that could change what it finds."""

    versions: Mapping[str, str]
    machine: records.Machine
    surroundings: Mapping[str, str]


def about() -> str:
    """What this process is, as JSON of `Member`."""
    return dumps(
        Member(versions=versions(), machine=records.Machine(**machine()), surroundings=like_machines(surroundings()))
    )


@dataclass
class Admission:
    """Admits the workers that are alike, and knows what they are.

    Raises UsageError for one whose records could differ from those of the others, or from this verifier's.
    """

    members: Sequence[Member]
    own: Mapping[str, str]
    """The surroundings of this process."""
    devices: str = ""
    """What the first worker that was heard of offers."""
    admitted: dict[tuple[str, str], records.Worker] = field(default_factory=dict)
    heard: Counter[records.Worker] = field(default_factory=Counter)
    """How many tasks were done by what kind of worker."""

    @classmethod
    def of(cls, texts: Sequence[str]) -> Self:
        """Of what the workers that are there say, at least one."""
        found = cls(tuple(loads(Member, text) for text in texts), surroundings())
        for member in found.members:
            found._require_alike(member)
        return found

    @property
    def first(self) -> Member:
        """The one that all others are like."""
        return self.members[0]

    def admit(self, said: str, devices: str) -> None:
        """Compare the worker that a result came from with the others."""
        if (said, devices) not in self.admitted:
            self.admitted[said, devices] = self._new(loads(Member, said), devices)
        self.heard[self.admitted[said, devices]] += 1

    def _new(self, member: Member, devices: str) -> records.Worker:
        self._require_alike(member)
        self.devices = self.devices or devices
        if devices and devices != self.devices:
            raise UsageError(
                f"the workers of the cluster offer different devices: {self.devices} and {devices}; {_APART}"
            )
        return records.Worker(machine=member.machine)

    def _require_alike(self, member: Member) -> None:
        here = versions()
        other = [
            f"{name} {member.versions.get(name, 'missing')} (here {here[name]})"
            for name in here
            if member.versions.get(name) != here[name]
        ]
        if other:
            raise UsageError(f"a worker of the cluster has other versions: {', '.join(other)}; install the same there")
        if any(member.surroundings.get(part) != self.own[part] for part in _OWN):
            raise UsageError("a worker of the cluster has another verifier of the same version; install the same there")
        common = self.first.surroundings
        different = [part for part, digest in common.items() if member.surroundings.get(part) != digest]
        if different:
            machines = " and ".join(dict.fromkeys(each.machine.processor for each in (self.first, member)))
            raise UsageError(f"the workers of the cluster differ in {', '.join(different)} ({machines}); {_APART}")


_APART = "run them as clusters of their own, and join the runs with `verifier merge`"
