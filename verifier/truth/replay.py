"""A run of a program recorded as a list of scalar operations, to be run again elsewhere without the program.

Walking a jaxpr costs many times what its arithmetic does: arrays are shaped, rules looked up, results checked, at each
point anew. What a run does depends on its numbers only where two of them are compared. So a run is recorded once, as
the operations that its results need and the outcome of each comparison; elsewhere the operations are done again on
other numbers, and where a comparison has another outcome the recording does not apply.

Law: run(record(program)) gives what `evaluate` gives, by the same operations in the same order, or None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain, permutations
from math import isfinite
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary, WeakSet

import numpy as np
from flint import arb, fmpq

from verifier.arithmetic.arrays import blocks, object_array
from verifier.arithmetic.ball import BallSystem, generic_matmul
from verifier.arithmetic.elements import NEG_INF, POS_INF, Special, Unknown, is_finite
from verifier.arithmetic.germ import GermSystem
from verifier.model.jaxprs import all_equations
from verifier.truth.enclosing import flat
from verifier.truth.jaxprs import evaluate
from verifier.truth.rules import (
    comparisons,
    contractions,
    control,
    discrete,
    elementwise,
    indexing,
    ordering,
    reductions,
    structural,
    windows,
)
from verifier.truth.rules.named import is_named
from verifier.truth.tape import Irregular, Register, Tape, Unrecordable
from verifier.truth.values import Literals, exact_literals, lifted

__all__ = ["CHECK", "FREEZE", "Recording", "Step", "Unrecorded", "record", "run", "scalar_recording"]

_MOST_STEPS = 100_000
_MOST_SCALAR_STEPS = 500_000
"""Where numbers alone are recorded: germs, which would be asked instead, take many times as long."""
_MOST_KEPT = 4
"""Kept for one program: as many ways through its comparisons."""
_OFTEN = 20
"""Compiling a recorded run to statements costs as much as a few dozen runs."""
_MOST_FAILURES = 8
"""Runs that no recording could follow, or that could not be recorded, before nothing is recorded any more."""

# These look at elements only through the number system: what it is shown of them is what it records.
_TABLES = (
    comparisons,
    contractions,
    control,
    discrete,
    elementwise,
    indexing,
    ordering,
    reductions,
    structural,
    windows,
)
_UNSEEN = frozenset({"while", "cond", "bitcast_convert_type"})
_RECORDED = frozenset(chain.from_iterable(table.RULES for table in _TABLES)) - _UNSEEN
_RECORDED_IN_NUMBERS = _RECORDED | {"cholesky", "custom_linear_solve", "lu", "triangular_solve"}
"""What the last ones do depends on whether they are given germs: their runs are recorded in numbers alone."""


class Unrecorded(Exception):
    """The run can't be recorded: something looked at an element, or it has too many steps."""


class _TooLong(Unrecorded):
    """A run of this program has more steps than are kept; any other has, too."""


class _Diverged(Exception):
    """A comparison has another outcome than in the run that was recorded."""


@dataclass(frozen=True, slots=True, eq=False)
class _Slot:
    """An element of the run that is being recorded, its number, and whether it depends on an input."""

    value: Any
    index: int
    varies: bool = False


Maker = Callable[[Any], Any]
"""(system) -> the element of a constant in this system."""

Compute = Callable[..., Any]
CHECK, FREEZE, MATMUL, ENTRY = "check", "freeze", "matmul", "entry"


class Step(NamedTuple):
    """One step of a run: what is done, what it is given besides, the slots of its operands, and that of its result.

    name of a function        the function of the operands
    CHECK                     a comparison; given (relation, outcome). Its result is nowhere looked at
    FREEZE                    the operand, which `stop_gradient` holds
    MATMUL                    all entries of a product of matrices; given both shapes
    ENTRY                     one of these entries; given its place
    """

    name: str
    given: Any
    operands: tuple[int, ...]
    result: int

    def build(self, system: Any) -> Compute:
        """The step as a number system does it."""
        match self.name:
            case "check":
                return _check(system.compare, *self.given)
            case "freeze":
                return lambda value: value
            case "matmul":
                return _product(system, *self.given)
            case "entry":
                return lambda product: product[self.given]
        return system.operation(self.name)


@dataclass(slots=True, eq=False)
class _Recorder:
    """A number system that does what another one does, and writes it down."""

    inner: Any
    scalar: bool = False
    """Whether products of matrices are recorded as products and sums of numbers."""
    count: int = 0
    constants: list[tuple[int, Maker]] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    _exact: dict[Fraction | int, _Slot] = field(default_factory=dict)
    _bounded: set[int] = field(default_factory=set)
    """The slots that were found to be finite."""
    _folds: bool = False

    def working(self) -> AbstractContextManager[None]:
        return self.inner.working()

    def input(self, element: Any) -> _Slot:
        return self._new(element, varies=True)

    def exact(self, value: Fraction | int) -> _Slot:
        """Equal numbers share a slot, as they count as one element in a walk; a zero has a sign of its own."""
        found = self._exact.get(value) or self._constant(lambda system: system.exact(value))
        if value:
            self._exact[value] = found
        return found

    def constant(self, name: str) -> _Slot:
        return self._constant(lambda system: system.constant(name))

    def operation(self, name: str) -> Compute:
        compute = self.inner.operation(name)

        def recorded(*operands: Any) -> _Slot:
            slots = [self.slot(each) for each in operands]
            known = self._folded(name, slots) if self._folds else None
            if known is not None:
                return known
            result = self._new(compute(*(each.value for each in slots)), varies=any(each.varies for each in slots))
            self._step(name, None, slots, result.index)
            return result

        return recorded

    @contextmanager
    def folding(self) -> Iterator[None]:
        """The block in which products with 0 and 1, and sums with 0, are no steps: a matrix is read off unit vectors.

        What is multiplied by 0 is recorded to be finite.
        """
        self._folds = self.scalar
        try:
            yield
        finally:
            self._folds = False

    def _folded(self, name: str, slots: Sequence[_Slot]) -> _Slot | None:
        for known, other in permutations(slots) if name in ("add", "mul") else ():
            if not known.varies and known.value == (0 if name == "add" else 1):
                return other
            if not known.varies and known.value == 0 and self._is_bounded(other):
                return known
        return None

    def _is_bounded(self, slot: _Slot) -> bool:
        if slot.index not in self._bounded and self.compare("lt", slot, POS_INF) and self.compare("gt", slot, NEG_INF):
            self._bounded.add(slot.index)
        return slot.index in self._bounded

    def moves(self, element: Any) -> bool:
        """Whether an element depends on an input."""
        return self.slot(element).varies

    def pivot(self, entries: Iterable[Any]) -> int | None:
        """The place of the largest entry, which is only said not to be zero: any such gives the same solution."""
        slots = [self.slot(each) for each in entries]
        sizes = [float(abs(each.value)) if is_finite(each.value) else 0.0 for each in slots]
        best = sizes.index(max(sizes))
        return best if self.compare("ne", slots[best], self.exact(0)) else None

    def apply(self, name: str, *operands: Any) -> _Slot:
        return self.operation(name)(*operands)

    def compare(self, relation: str, a: Any, b: Any) -> bool:
        slots = [self.slot(a), self.slot(b)]
        outcome = self.inner.compare(relation, slots[0].value, slots[1].value)
        if outcome is None:
            raise Unrecorded
        self._step(CHECK, (relation, outcome), slots, -1)
        return outcome

    def select(self, condition: bool | None, a: Any, b: Any) -> Any:
        if condition is None:
            raise Unrecorded
        return a if condition else b

    def kink(self) -> Any:
        raise Unrecorded

    def matmul(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """The inner system's own product, as one step of all its entries and one for each."""
        if self.scalar:
            return generic_matmul(self, a, b)
        slots = [self.slot(each) for each in chain(a.flat, b.flat)]
        product = _product(self.inner, a.shape, b.shape)(*(each.value for each in slots))
        whole = self._new(product, varies=any(each.varies for each in slots))
        self._step(MATMUL, (a.shape, b.shape), slots, whole.index)
        return object_array(map(self._entry(whole), range(len(whole.value))), (a.shape[0], b.shape[1]))

    def _entry(self, whole: _Slot) -> Callable[[int], _Slot]:
        def entry(place: int) -> _Slot:
            result = self._new(whole.value[place], varies=whole.varies)
            self._step(ENTRY, place, [whole], result.index)
            return result

        return entry

    def freeze(self, equation: Any, values: np.ndarray) -> np.ndarray:
        """What germs freeze at belongs to the point, and is no part of a recording."""
        if type(self.inner) is not BallSystem or values.dtype != object:
            raise Unrecorded
        return object_array(map(self._frozen, values.flat), values.shape)

    def _frozen(self, entry: Any) -> _Slot:
        slot = self.slot(entry)
        result = self._new(slot.value, varies=slot.varies)
        self._step(FREEZE, None, [slot], result.index)
        return result

    def slot(self, element: Any) -> _Slot:
        """The slot of an operand; what a rule made of its own is a constant if no precision made it."""
        if type(element) is _Slot:
            return element
        if isinstance(element, (int, Fraction, fmpq, Special)) or (type(element) is arb and element.is_exact()):
            return self._constant(lambda system: element)
        raise Unrecorded

    def _constant(self, make: Maker) -> _Slot:
        result = self._new(make(self.inner))
        self.constants.append((result.index, make))
        return result

    def _new(self, value: Any, *, varies: bool = False) -> _Slot:
        self.count += 1
        return _Slot(value, self.count - 1, varies)

    def _step(self, name: str, given: Any, operands: Sequence[_Slot], result: int) -> None:
        if len(self.steps) >= (_MOST_SCALAR_STEPS if self.scalar else _MOST_STEPS):
            raise _TooLong
        self.steps.append(Step(name, given, tuple(each.index for each in operands), result))


def _check(compare: Callable[[str, Any, Any], Any], relation: str, outcome: bool) -> Compute:
    def check(a: Any, b: Any) -> None:
        if compare(relation, a, b) is not outcome:
            raise _Diverged

    return check


def _product(system: Any, left: tuple[int, ...], right: tuple[int, ...]) -> Compute:
    size = left[0] * left[1]

    def product(*entries: Any) -> list[Any]:
        return list(system.matmul(object_array(entries[:size], left), object_array(entries[size:], right)).flat)

    return product


@dataclass(slots=True, eq=False)
class Recording:
    """A recorded run: the first slots are the inputs; `results` are the slots of all results.

    A run that is asked for often is compiled to a tape of plain balls; where that refuses, its steps are done as here.
    """

    inputs: int
    count: int
    constants: tuple[tuple[int, Maker], ...]
    steps: tuple[Step, ...]
    results: tuple[int, ...]
    _ready: dict[Any, tuple[list[Any], list[tuple[Compute, tuple[int, ...], int]]]] = field(default_factory=dict)
    """System -> what it starts with in each slot, and its own operations."""
    _runs: int = 0
    _tape: tuple[Tape, str] | None = None

    def run(self, elements: Sequence[Any], system: Any) -> list[Any] | None:
        """All results for other inputs; None where a comparison has another outcome."""
        self._runs += 1
        if self._runs == _OFTEN and isinstance(system, BallSystem):
            self._tape = _taped(self)
        if self._tape is not None and all(map(is_finite, elements)):
            tape, results = self._tape
            with suppress(Irregular):
                return tape.run(system.bits, results, elements)
        with system.working():
            start, steps = self._made(system)
            slots = start.copy()
            slots[: self.inputs] = elements
            try:
                _follow(slots, steps)
            except _Diverged:
                return None
        return [slots[index] for index in self.results]

    def _made(self, system: Any) -> tuple[list[Any], list[tuple[Compute, tuple[int, ...], int]]]:
        if system not in self._ready:
            start: list[Any] = [None] * self.count
            for index, make in self.constants:
                start[index] = make(system)
            self._ready[system] = (start, [(each.build(system), each.operands, each.result) for each in self.steps])
        return self._ready[system]


def _taped(recording: Recording) -> tuple[Tape, str] | None:
    """The recorded run as statements, and the expression of its results; None where it has no such form."""
    tape = Tape()
    slots: list[Any] = [tape.input() for _ in range(recording.inputs)] + [None] * (recording.count - recording.inputs)
    try:
        for index, make in recording.constants:
            slots[index] = _register(tape, make(tape))
        for step in recording.steps:
            slots[step.result] = _stated(tape, step, [slots[each] for each in step.operands])
    except Unrecordable:
        return None
    return tape, f"[{', '.join(slots[index].name for index in recording.results)}]"


def _register(tape: Tape, value: Any) -> Register:
    if isinstance(value, Register):
        return value
    if isinstance(value, (int, Fraction)):
        return tape.exact(value)
    if isinstance(value, fmpq):
        return tape.exact(Fraction(int(value.p), int(value.q)))
    raise Unrecordable("a constant that is no rational number")


def _stated(tape: Tape, step: Step, operands: Sequence[Any]) -> Any:
    match step.name:
        case "check":
            relation, outcome = step.given
            return tape.checked(relation, *operands, outcome=outcome)
        case "freeze":
            return operands[0]
        case "matmul":
            left, right = step.given
            size = left[0] * left[1]
            return tape.matmul(object_array(operands[:size], left), object_array(operands[size:], right)).flat
        case "entry":
            return operands[0][step.given]
    return tape.operation(step.name)(*operands)


def _follow(slots: list[Any], steps: Sequence[tuple[Compute, tuple[int, ...], int]]) -> None:
    """Operations of two operands, which nearly all are, without a loop over them."""
    for compute, operands, result in steps:
        if len(operands) == 2:
            a, b = operands
            slots[result] = compute(slots[a], slots[b])
        elif len(operands) == 1:
            slots[result] = compute(slots[operands[0]])
        else:
            slots[result] = compute(*[slots[each] for each in operands])


def record(
    jaxpr: Any,
    elements: Sequence[Any],
    system: Any,
    *,
    wanted: tuple[int, ...] | None = None,
    scalar: bool = False,
    literals: Literals | None = None,
) -> tuple[Recording, list[Any]]:
    """A run of a closed jaxpr on these elements, one for each input component, with its results.

    Of the results only those at the places `wanted` are kept, if given. With `scalar` each product of matrices is
    recorded number by number. `literals` makes what a number in the program is to a number system; without it, itself.
    Raises Unrecorded.
    """
    if jaxpr in _LONG[scalar]:
        raise _TooLong
    recorder = _Recorder(system, scalar)
    inputs = [recorder.input(each) for each in elements]
    arguments = blocks(inputs, [aval.shape for aval in jaxpr.in_avals])
    with system.working(), np.errstate(all="ignore"):
        try:
            literal = None if literals is None else literals(recorder)
            found = flat(evaluate(jaxpr, arguments, recorder, literal=literal, freeze=recorder.freeze, strict=True))
        except _TooLong:
            _LONG[scalar].add(jaxpr)
            raise
        except Unrecorded:
            raise
        except Exception as error:  # a rule did not stand a slot: then the program is walked as ever
            raise Unrecorded from error
        results = [recorder.slot(each) for each in _picked(found, wanted)]
    steps = tuple(_needed(recorder.steps, {each.index for each in results}))
    # The last slot is the one that checks write to.
    recording = Recording(
        inputs=len(inputs),
        count=recorder.count + 1,
        constants=tuple(recorder.constants),
        steps=steps,
        results=tuple(each.index for each in results),
    )
    return recording, [each.value for each in results]


def _picked(results: Sequence[Any], wanted: tuple[int, ...] | None) -> Sequence[Any]:
    return results if wanted is None else [results[place] for place in wanted]


def _needed(steps: Sequence[Step], wanted: set[int]) -> list[Step]:
    """Every check, and what checks and results depend on, in order."""
    kept = []
    for step in reversed(steps):
        if step.name == CHECK or step.result in wanted:
            kept.append(step)
            wanted.update(step.operands)
    return kept[::-1]


# ---- what is kept of a program


@dataclass(slots=True, eq=False)
class _Kept:
    """The recordings of one program in one kind of number system, for the results wanted; the last used first."""

    jaxpr: Any
    wanted: tuple[int, ...] | None
    recordings: list[Recording] = field(default_factory=list)
    seen: int = 0
    failures: int = 0

    def run(self, arguments: Sequence[Any], system: Any, options: Mapping[str, Any]) -> list[Any]:
        found = self._found([entry for each in arguments for entry in _elements(each, system)], system)
        # A walk may know more: it sees that two operations have the same operands.
        if found is None or any(isinstance(each, Unknown) for each in found):
            return list(_picked(flat(evaluate(self.jaxpr, arguments, system, **options)), self.wanted))
        return found

    def _found(self, elements: Sequence[Any], system: Any) -> list[Any] | None:
        for place, recording in enumerate(self.recordings):
            found = recording.run(elements, system)
            if found is not None:
                self.recordings.insert(0, self.recordings.pop(place))
                return found
        self.seen += 1
        return self._recorded(elements, system) if self._is_worthwhile else None

    @property
    def _is_worthwhile(self) -> bool:
        """The first run is only run: most programs are asked once."""
        return self.seen > 1 and self.failures < _MOST_FAILURES

    def _recorded(self, elements: Sequence[Any], system: Any) -> list[Any] | None:
        if len(self.recordings) == _MOST_KEPT:
            self.failures += 1
            return None
        try:
            recording, found = record(self.jaxpr, elements, system, wanted=self.wanted)
        except Unrecorded:
            self.failures += 1
            return None
        self.recordings.append(recording)
        return found


def _elements(argument: Any, system: Any) -> Iterable[Any]:
    """The elements of an argument; of plain floats at once, which every precision holds exactly."""
    if type(system) is BallSystem and isinstance(argument, np.ndarray) and argument.dtype == np.float64:
        floats = argument.reshape(-1).tolist()
        if all(x and isfinite(x) for x in floats):
            return map(arb, floats)
    return lifted(argument, exact_literals(system)).flat


def _is_recorded(program: Any) -> bool:
    """Whether the rules of all equations see numbers only as a number system shows them."""
    return all(each.primitive.name in _RECORDED and not is_named(each) for each in all_equations(program))


def _is_recorded_in_numbers(program: Any) -> bool:
    """The same of a run of numbers alone, which may choose by the platform."""
    equations = list(all_equations(program))
    given = {id(place) for each in equations if each.primitive.name == "platform_index" for place in each.outvars}

    def is_seen(equation: Any) -> bool:
        name = equation.primitive.name
        return name in _RECORDED_IN_NUMBERS or (name == "cond" and id(equation.invars[0]) in given)

    return all(is_seen(each) and not is_named(each) for each in equations)


def scalar_recording(
    jaxpr: Any, elements: Sequence[Any], system: BallSystem, literals: Literals | None = None
) -> Recording:
    """A recording without products of matrices that these elements follow; with other `literals`, of a run with them
    alone. Raises Unrecorded.
    """
    kept = _SCALAR.setdefault(jaxpr, []) if literals is None else []
    for recording in kept:
        if recording.run(elements, system) is not None:
            return recording
    if not _is_recorded_in_numbers(jaxpr):
        raise Unrecorded
    recording, _ = record(jaxpr, elements, system, scalar=True, literals=literals)
    if len(kept) < _MOST_KEPT:
        kept.append(recording)
    return recording


_KINDS = (BallSystem, GermSystem)
_LONG: Mapping[bool, WeakSet[Any]] = {False: WeakSet(), True: WeakSet()}
_SCALAR: WeakKeyDictionary[Any, list[Recording]] = WeakKeyDictionary()
_KNOWN: WeakKeyDictionary[Any, dict[Any, _Kept]] = WeakKeyDictionary()


def run(
    jaxpr: Any,
    arguments: Sequence[Any],
    system: Any,
    options: Mapping[str, Any],
    wanted: tuple[int, ...] | None = None,
) -> list[Any]:
    """The results of a closed jaxpr, one after the other, as `evaluate` gives them with these options.

    All of them, or those at the places `wanted`. A program that is run again is recorded, and the recording kept for as
    long as the program lives.
    """
    kept = None if "decide" in options else _kept(jaxpr, system, wanted)
    if kept is None:
        return list(_picked(flat(evaluate(jaxpr, arguments, system, **options)), wanted))
    return kept.run(arguments, system, options)


def _kept(jaxpr: Any, system: Any, wanted: tuple[int, ...] | None) -> _Kept | None:
    """None where rules look at more than the number system shows."""
    if jaxpr not in _KNOWN:
        _KNOWN[jaxpr] = {}
    known, key = _KNOWN[jaxpr], (type(system), wanted)
    if not known and not _is_recorded(jaxpr):
        return None
    if key not in known:
        known[key] = _Kept(jaxpr, wanted)
    return known[key] if type(system) in _KINDS else None
