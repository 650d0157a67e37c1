"""The names of targets in merged runs: no device's name, and no rule's program, stands for two targets.

A merged run keeps the provenance of every run that it was made of. So each name in it can be taken back to where it
came from, and what is merged again is named anew. Law: names are a function of the set of those runs, however they were
merged before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TypeVar

from verifier.runs.reader import Run
from verifier.runs.records import Device, Part, Provenance

__all__ = ["Names", "parts_of", "parts_with"]

K = TypeVar("K")

_Versions = tuple[tuple[str, str], ...]
_Origin = tuple[_Versions, str]
"""Versions and processor: where both are equal, equal records are promised."""

_ALWAYS_SHOWN = 2
"""Of what differs: JAX's version and the processor, and more only where these do not tell apart."""


def parts_of(runs: Iterable[Run]) -> tuple[Part, ...]:
    """The provenance of each run that these were made of, once."""
    found: list[Part] = []
    for run in runs:
        # Mappings have no hash.
        found += [each for each in run.provenance.parts or (_alone(run.provenance),) if each not in found]
    return tuple(found)


def parts_with(entry: str, run: Run) -> tuple[Part, ...]:
    """Those of a run's parts in which an entry was verified; all where none says."""
    parts = parts_of([run])
    return tuple(each for each in parts if entry in each.entries) or parts


def _alone(provenance: Provenance) -> Part:
    return Part(**{each.name: getattr(provenance, each.name) for each in fields(Part)})


def _versions(part: Part) -> _Versions:
    return tuple(sorted(part.versions.items()))


def _origin(part: Part) -> _Origin:
    return _versions(part), part.machine.processor


@dataclass(frozen=True, slots=True)
class Names:
    """How the targets of a set of parts are named: what is added tells them apart, where anything has to be."""

    _devices: Mapping[_Origin, str]
    _rules: Mapping[_Versions, str]

    @classmethod
    def of(cls, parts: Sequence[Part]) -> Names:
        """Devices are told apart where one name has two origins, rules where versions differ: exact arithmetic knows
        no processor.
        """
        others = sorted({name for part in parts for name in part.versions} - {"jax"})
        origins = dict.fromkeys(map(_origin, parts))
        versions = dict.fromkeys(map(_versions, parts))
        return cls(
            _devices=_told_apart({each: _facts(*each, others) for each in origins})
            if _share_a_name(parts)
            else dict.fromkeys(origins, ""),
            _rules=_told_apart({each: _facts(each, "", others) for each in versions}),
        )

    def device(self, name: str, part: Part) -> str:
        """The name of a part's device."""
        return _with(name, self._devices[_origin(part)])

    def program(self, name: str, part: Part) -> str:
        """The name of a program in a part's rule records."""
        return _with(name, self._rules[_versions(part)])

    def devices(self, parts: Iterable[Part]) -> tuple[Device, ...]:
        """The devices of these parts by their names."""
        named = (replace(each, name=self.device(each.name, part)) for part in parts for each in part.devices)
        return tuple(dict.fromkeys(named))

    def given_to(self, run: Run) -> Run:
        """The run with its targets named so; its own parts are among those that this was made of."""
        own, parts = Names.of(parts_of([run])), parts_of([run])
        names = {own.device(each.name, part): self.device(each.name, part) for part in parts for each in part.devices}
        programs = {own.program("", part): self.program("", part) for part in parts}

        def device(name: str) -> str:
            return names.get(name, name)

        def program(name: str) -> str:
            added = next((each for each in programs if name.endswith(each)), "")
            return name.removesuffix(added) + programs.get(added, "")

        asked = run.header.options
        chosen = None if asked.devices is None else tuple(map(device, asked.devices))
        cells = tuple(replace(each, device=device(each.device)) for each in run.coverage.matrix)
        return replace(
            run,
            header=replace(run.header, options=replace(asked, devices=chosen)),
            provenance=replace(run.provenance, devices=self.devices(parts)),
            verdicts=tuple(replace(each, device=device(each.device)) for each in run.verdicts),
            rules=tuple(replace(each, program=program(each.program)) for each in run.rules),
            coverage=replace(run.coverage, matrix=cells),
        )


def _share_a_name(parts: Sequence[Part]) -> bool:
    origins: dict[str, set[_Origin]] = {}
    for part in parts:
        for device in part.devices:
            origins.setdefault(device.name, set()).add(_origin(part))
    return any(len(each) > 1 for each in origins.values())


def _facts(versions: _Versions, processor: str, others: Iterable[str]) -> tuple[str, ...]:
    known = dict(versions)
    named = (f"{name} {known.get(name, 'unknown')}" for name in others)
    return (f"JAX {known.get('jax', 'unknown')}", processor, *named)


def _told_apart(facts: Mapping[K, tuple[str, ...]]) -> dict[K, str]:
    """For each the facts in which it differs from the others; empty where it is alone."""
    differ = [len(set(column)) > 1 for column in zip(*facts.values(), strict=True)]

    def shown(columns: int) -> dict[K, str]:
        return {
            key: ", ".join(text for text, is_shown in zip(each[:columns], differ, strict=False) if is_shown)
            for key, each in facts.items()
        }

    first = shown(_ALWAYS_SHOWN)
    return first if len(set(first.values())) == len(facts) else shown(len(differ))


def _with(name: str, added: str) -> str:
    return f"{name} ({added})" if added else name
