"""Which programs run on which dtype, device and points: pure data, decided before anything is traced."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from verifier.programs.components import Contraction, Directions, Signature, component_count
from verifier.programs.modes import SYMBOLIC, TRANSFORMS, Transform, row_of

__all__ = ["BATCHED", "EAGER", "POINTWISE", "Launch", "Plan", "Program", "Selection", "Skip", "matches", "plan"]

Target = tuple[str, str]
"""Dtype and device."""

EAGER, POINTWISE, BATCHED = "eager", "pointwise", "batched"
_STYLES = {EAGER: ("eager",), POINTWISE: ("jit", "remat"), BATCHED: ("vmap",)}
"""How a launch runs -> the compilations that it holds."""

_REFERENCE_DTYPE = "float64"
_GROWTH_LIMIT = 4
"""The last order at which programs that grow exponentially run by default."""
_NOT_SELECTED = "not selected"
_COMPONENT_LIMIT = 2**16
"""Most components of one program: beyond it a run's memory goes into one tensor."""
_DIRECTION_LIMIT = 256
"""Most input components for which forward mode, a direction for each, runs eagerly or beside the reference."""
_EAGER_SAMPLES = 2
"""Points that eager programs take besides the declared ones."""


@dataclass(frozen=True, slots=True, order=True)
class Program:
    """A transform (named for its order) under a compilation."""

    transform: str
    compilation: str
    order: int

    @property
    def name(self) -> str:
        return f"{self.transform}/{self.compilation}"

    @property
    def contraction(self) -> Contraction:
        row = row_of(self.transform, self.order)
        return row.contraction if row else Contraction.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """Programs that run together: one by one (eager), or as one XLA program for a point or for all points."""

    dtype: str
    device: str
    style: str
    programs: tuple[Program, ...]
    points: tuple[int, ...]
    """Indices into the points of the dtype."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """Programs of one order that do not run, and why: on `targets` (dtype, device); on none at all without them."""

    programs: tuple[str, ...]
    order: int
    reason: str
    targets: tuple[Target, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What was asked for; an empty tuple means all. A program is named `grad/jit`, or by one half: `grad`, `jit`."""

    devices: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    full: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that `execution.observe` is to run for one entry."""

    signature: Signature
    signs: Directions
    launches: tuple[Launch, ...]
    skipped: tuple[Skip, ...]


def plan(
    signature: Signature,
    *,
    orders: Iterable[int],
    origins: Mapping[str, Sequence[str]],
    devices: Sequence[str],
    dependent: Collection[str] = (),
    signs: Directions,
    symbolic_orders: Iterable[int] = (),
    selection: Selection = Selection(),
) -> Plan:
    """The launches for an entry.

    `origins` gives for each dtype the origin ("declared", ...) of each of its points; `devices` are those found,
    `dependent` those of them that share their processor with an earlier one. The first selected device gets the full
    program matrix in float64 (else in the first selected dtype). Every other pair of dtype and device gets one batched
    launch and the eager gradient; a dependent device gets them in the reference dtype only, with one program of each
    order. `selection.full` gives the matrix to all.
    """
    offered, skipped = _offered(signature, sorted({0, *orders}), frozenset(symbolic_orders), selection)
    targets = [(dtype, device) for device in devices for dtype in origins]
    reference = _reference([each for each in targets if _is_selected(each, selection)])
    launches: list[Launch] = []
    left_out: dict[str, dict[Program, list[Target]]] = {}
    for target in targets:
        programs, reason = offered, "outside the default matrix; the full one runs it"
        if not _is_selected(target, selection):
            programs, reason = [], _NOT_SELECTED
        elif not origins[target[0]]:
            programs, reason = [], f"the domain holds no {target[0]}"
        elif target == reference and not selection.full:
            programs = [each for each in offered if each.compilation != "eager" or not _is_costly(each, signature)]
        elif not selection.full:
            shares = target[1] in dependent and target[1] != reference[1]
            programs = [] if shares and target[0] != reference[0] else _reduced(offered, signature, one_each=shares)
        for program in offered:
            if program not in programs:
                left_out.setdefault(reason, {}).setdefault(program, []).append(target)
        launches += _launches(programs, target, origins[target[0]], full=selection.full)
    skipped += [each for reason, programs in left_out.items() for each in _grouped(programs, reason)]
    return Plan(signature=signature, signs=signs, launches=tuple(launches), skipped=tuple(skipped))


def matches(program: Program, asked: Iterable[str]) -> bool:
    """Whether a program is among those asked for; nothing asked means all."""
    asked = tuple(asked)
    return not asked or bool({program.name, program.transform, program.compilation} & set(asked))


def _offered(
    signature: Signature, orders: Sequence[int], symbolic: frozenset[int], selection: Selection
) -> tuple[list[Program], list[Skip]]:
    """Every program that applies, and each one that does not with its reason."""
    offered: list[Program] = []
    skipped: list[Skip] = []
    for order in orders:
        for row in TRANSFORMS:
            if not row.covers(order):
                continue
            programs = [Program(row.named(order), each, order) for each in row.compilations]
            reason = _refusal(row, order, signature, full=selection.full)
            if reason:
                skipped.append(Skip(programs=_names(programs), order=order, reason=reason))
            else:
                offered += programs
        if order in symbolic:
            offered += [Program(SYMBOLIC, each, order) for each in ("jit", "vmap")]
    unasked = [each for each in offered if not matches(each, selection.programs)]
    skipped += _grouped({each: [] for each in unasked}, _NOT_SELECTED)
    return [each for each in offered if each not in unasked], skipped


def _refusal(row: Transform, order: int, signature: Signature, *, full: bool) -> str | None:
    count = component_count(signature, order, row.contraction)
    if count > _COMPONENT_LIMIT:
        return f"{count:,} components, more than {_COMPONENT_LIMIT:,}"
    if row.grows and order > _GROWTH_LIMIT and not full:
        return f"grows exponentially with the order; by default up to order {_GROWTH_LIMIT}"
    return row.requires(signature)


def _reduced(offered: Iterable[Program], signature: Signature, *, one_each: bool) -> list[Program]:
    """The eager gradient and every batched program of sensible cost, or only the first batched one of each order."""
    batched = [each for each in offered if each.compilation == "vmap"]
    batched = [each for each in batched if not _is_costly(each, signature)]
    if one_each:
        batched = list({each.order: each for each in reversed(batched)}.values())
    eager = [each for each in offered if each.compilation == "eager" and each.order == 1]
    return eager[:1] + batched


def _is_costly(program: Program, signature: Signature) -> bool:
    row = row_of(program.transform, program.order)
    return row is not None and row.forward and signature.size > _DIRECTION_LIMIT


def _launches(programs: Sequence[Program], target: Target, origins: Sequence[str], *, full: bool) -> Iterator[Launch]:
    dtype, device = target
    everywhere = tuple(range(len(origins)))
    for style, compilations in _STYLES.items():
        held = tuple(each for each in programs if each.compilation in compilations)
        points = _eager_points(origins) if style == EAGER and not full else everywhere
        if held:
            yield Launch(dtype=dtype, device=device, style=style, programs=held, points=points)


def _eager_points(origins: Sequence[str]) -> tuple[int, ...]:
    """The declared points and the first others of different origin."""
    declared = [index for index, origin in enumerate(origins) if origin == "declared"]
    first = {origin: index for index, origin in reversed(list(enumerate(origins))) if origin != "declared"}
    return tuple(sorted(declared + sorted(first.values())[:_EAGER_SAMPLES]))


def _reference(selected: Sequence[Target]) -> Target:
    """The target of the full matrix: the first device's float64, or its first dtype."""
    first = [each for each in selected if each[1] == selected[0][1]]
    wide = [each for each in first if each[0] == _REFERENCE_DTYPE]
    return next(iter(wide + first), ("", ""))


def _is_selected(target: Target, selection: Selection) -> bool:
    dtype, device = target
    return dtype in (selection.dtypes or [dtype]) and device in (selection.devices or [device])


def _grouped(programs: Mapping[Program, Sequence[Target]], reason: str) -> Iterator[Skip]:
    """One record for all programs of an order that are skipped on the same targets."""
    groups: dict[tuple[int, tuple[Target, ...]], list[Program]] = {}
    for program, targets in programs.items():
        groups.setdefault((program.order, tuple(targets)), []).append(program)
    for (order, targets), members in groups.items():
        yield Skip(programs=_names(members), order=order, reason=reason, targets=targets)


def _names(programs: Iterable[Program]) -> tuple[str, ...]:
    return tuple(each.name for each in programs)
