"""Reads the arrays that an entry derives: quantities, and iterations with their trajectories `name.x`."""

from __future__ import annotations

from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter

from verifier.catalog import schema
from verifier.catalog.faults import FaultList, listed, shown
from verifier.catalog.formulas import ARRAYS, Checked, Vocabulary
from verifier.catalog.points import check_names, check_point
from verifier.catalog.shapes import items, shape_text
from verifier.catalog.yaml_events import Mapping, Node, Scalar
from verifier.model.catalog import Shape

__all__ = ["declare_derived"]


def declare_derived(entry: schema.Entry, vocabulary: Vocabulary, faults: FaultList) -> None:
    """Adds quantities and trajectories to the vocabulary; a trajectory's shape is known before any formula is read."""
    derived = _Derived(vocabulary, faults)
    for name, iteration in items(entry.iterations):
        if isinstance(iteration, schema.Iteration):
            derived.trajectory(name, iteration)
    names = [name for name, _ in items(entry.quantities)]
    for name, quantity in items(entry.quantities):
        vocabulary.announce(names, own=name)
        derived.quantity(name, quantity)
    vocabulary.announce(())
    for name, iteration in items(entry.iterations):
        if isinstance(iteration, schema.Iteration):
            derived.iteration(name, iteration)
    derived.refuse_circles(entry)


def _names(names: Iterable[str]) -> str:
    return listed(sorted(names), last="and") or "nothing"


class _Derived:
    """Checks derived arrays, one after the other."""

    def __init__(self, vocabulary: Vocabulary, faults: FaultList) -> None:
        self._vocabulary = vocabulary
        self._faults = faults
        self._needs: dict[str, set[str]] = {}

    def trajectory(self, name: str, iteration: schema.Iteration) -> None:
        """Declares the states of each input: the count and one more."""
        shapes = self._vocabulary.inputs
        count = iteration.count
        for leaf, _ in items(iteration.step):
            shape = (count + 1, *shapes[leaf]) if isinstance(count, int) and leaf in shapes else None
            self._vocabulary.declare(f"{name}.{leaf}", "quantity", shape)

    def quantity(self, name: str, quantity: object) -> None:
        """Declares a quantity; its formula may use inputs that `at` or `over` fix, and quantities above it."""
        shape = self._quantity_shape(name, quantity) if isinstance(quantity, schema.Quantity) else None
        self._vocabulary.declare(name, "quantity", shape)

    def _quantity_shape(self, name: str, quantity: schema.Quantity) -> Shape | None:
        checked = self._vocabulary.check(quantity.formula)
        self._need(name, checked)
        fixed = check_point(quantity.node.get("at"), quantity.at, self._vocabulary, self._faults, ARRAYS)
        over = dict(items(quantity.over))
        rows = self._rows(quantity, name)
        if checked is None:
            return None
        self._refuse_loose(checked, fixed | over.keys(), quantity.node["formula"])
        if not over:
            return checked.shape
        return (rows, *checked.shape) if rows else None

    def _refuse_loose(self, checked: Checked, fixed: frozenset[str], node: Node) -> None:
        loose = sorted(checked.inputs - fixed)
        if loose:
            names, first = listed(loose, last="and"), shown(loose[0])
            message = f"this depends on {names}: say at which value, `at: {{{first}: ...}}`, or `over` which array"
            self._faults.add(node.position, message, node.path)

    def _rows(self, quantity: schema.Quantity, name: str) -> int | None:
        """How many rows the arrays of `over` have: all as many, each row of the shape of its input."""
        given = quantity.node.get("over")
        if not isinstance(given, Mapping):
            return None
        check_names(given, self._vocabulary, self._faults)
        self._refuse_twice(given, quantity.node.get("at"))
        rows: int | None = None
        for leaf, node in items(quantity.over):
            checked = self._vocabulary.check(node, ARRAYS)
            self._need(name, checked)
            if checked and isinstance(node, Scalar):
                rows = self._row_count(leaf, node, checked.shape, rows)
        return rows

    def _refuse_twice(self, over: Mapping, at: Node | None) -> None:
        for leaf in over.keys() & (at.keys() if isinstance(at, Mapping) else ()):
            message = f"`{shown(leaf)}` is fixed by `at` and runs `over` an array too: keep one of the two"
            self._faults.add(over.keys_at[leaf], message, over.child_path(leaf))

    def _row_count(self, leaf: str, node: Scalar, shape: Shape, rows: int | None) -> int | None:
        wanted = self._vocabulary.inputs.get(leaf)
        if wanted is None:
            return rows
        if not shape or shape[1:] != wanted:
            message = f"expected rows for `{shown(leaf)}`, each {shape_text(wanted)}, found {shape_text(shape)}"
            self._faults.add(node.position, message, node.path)
            return rows
        if rows not in (None, shape[0]):
            message = f"{shape[0]} rows here, but {rows} in the array above: they run together"
            self._faults.add(node.position, message, node.path)
        return rows or shape[0]

    def iteration(self, name: str, iteration: schema.Iteration) -> None:
        """An iteration starts with the inputs that it steps, and steps to values of their shapes."""
        start = check_point(iteration.node.get("start"), iteration.start, self._vocabulary, self._faults, ARRAYS)
        step = iteration.node.get("step")
        if not isinstance(step, Mapping) or not isinstance(iteration.start, dict):
            return
        check_names(step, self._vocabulary, self._faults)
        if start != step.keys():
            message = f"`start` names {_names(start)} and `step` names {_names(step)}: both name the same inputs"
            self._faults.add(step.position, message, step.path)
            return
        for leaf, node in items(iteration.step):
            if isinstance(node, Scalar):
                self._step(name, leaf, node, start)

    def _step(self, name: str, leaf: str, node: Scalar, start: frozenset[str]) -> None:
        checked = self._vocabulary.check(node)
        self._need(name, checked)
        shape = self._vocabulary.inputs.get(leaf)
        if checked is None or shape is None:
            return
        if checked.shape != shape:
            wanted, this = shape_text(shape), shape_text(checked.shape)
            self._faults.add(node.position, f"the next `{shown(leaf)}` must be {wanted}, this is {this}", node.path)
        elif not checked.inputs <= start:
            loose = _names(checked.inputs - start)
            message = f"this depends on {loose}: add it under `start` and `step`"
            self._faults.add(node.position, message, node.path)

    def _need(self, name: str, checked: Checked | None) -> None:
        """Remembers which quantities and iterations must be computed before `name`."""
        quantities = self._vocabulary.of_kind("quantity")
        used = checked.names if checked else frozenset[str]()
        self._needs.setdefault(name, set()).update(each.partition(".")[0] for each in used if each in quantities)

    def refuse_circles(self, entry: schema.Entry) -> None:
        """Reports a quantity and an iteration that each need the other."""
        try:
            TopologicalSorter(self._needs).prepare()
        except CycleError as error:
            circle = sorted(set(error.args[1]))
            message = f"{listed(circle, last='and')} need each other, so that none can be computed: break the circle"
            homes = (entry.node.get("quantities"), entry.node.get("iterations"))
            home = next(each for each in homes if isinstance(each, Mapping) and circle[0] in each)
            self._faults.add(home.keys_at[circle[0]], message, home.child_path(circle[0]))
