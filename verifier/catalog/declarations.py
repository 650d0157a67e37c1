"""Reads what an entry declares, in the order in which names come to be: inputs, data, definitions, the value."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

from verifier.arithmetic.floats import FLOAT64, named, nearest_inside, round_to
from verifier.catalog import schema
from verifier.catalog.derived import declare_derived
from verifier.catalog.faults import FaultList, shown
from verifier.catalog.fields import Broken
from verifier.catalog.formulas import CONSTANTS, Checked, Vocabulary
from verifier.catalog.parts import yaml_key
from verifier.catalog.point_values import Domains
from verifier.catalog.references import Ids
from verifier.catalog.shapes import MAX_SIZE, data_shape, items, leaves, list_shape, nested_shape, shape_text, size
from verifier.catalog.yaml_events import Mapping, Node, Scalar
from verifier.model.catalog import Shape

__all__ = ["declared", "domains"]

_KINDS = {
    "inputs": "an input",
    "data": "data",
    "let": "a definition",
    "quantities": "a quantity",
    "iterations": "an iteration",
}


def declared(entry: schema.Entry, listings: Ids, faults: FaultList) -> Vocabulary:
    """The entry's names with their shapes; every fault of a declaration goes to `faults`."""
    vocabulary = Vocabulary(faults, doubtful=_is_doubtful(entry))
    _check_names(entry, faults)
    _declare_inputs(entry, vocabulary, faults)
    data = _Data(vocabulary, listings, faults)
    for name, datum in items(entry.data):
        vocabulary.declare(name, "data", data.shape(datum))
    _declare_definitions(entry, vocabulary)
    declare_derived(entry, vocabulary, faults)
    return vocabulary


def domains(entry: schema.Entry) -> Domains:
    """The domains by leaf, as far as they are readable and not empty."""
    pairs = ((name, _ends(leaf.domain)) for name, leaf in leaves(entry.inputs) if isinstance(leaf, schema.Leaf))
    return {name: ends for name, ends in pairs if ends and ends[0] <= ends[1]}


def _ends(value: object) -> tuple[Fraction, Fraction] | None:
    match value:
        case [Fraction() as lower, Fraction() as upper]:
            return lower, upper
    return None


def _is_doubtful(entry: schema.Entry) -> bool:
    """Whether the entry may declare names that could not be read: a broken mapping, a misspelt key."""
    fields = set(map(yaml_key, schema.Entry.model_fields))
    broken = any(isinstance(getattr(entry, key), Broken) for key in _KINDS)
    group = any(isinstance(leaf, Broken) for _, leaf in leaves(entry.inputs))
    return broken or group or entry.node.incomplete or not fields.issuperset(entry.node)


def _check_names(entry: schema.Entry, faults: FaultList) -> None:
    """Every name must be free to use, and stand for one thing."""
    seen: dict[str, str] = {}
    for key, name, mapping, nested in _named(entry):
        problem = _name_problem(name)
        if not nested:
            first = seen.setdefault(name, key)
            if not problem and first != key:
                problem = f"`{shown(name)}` is already the name of {_KINDS[first]}: give one of the two another name"
        if problem:
            faults.add(mapping.keys_at[name], problem, mapping.child_path(name))


def _name_problem(name: str) -> str | None:
    from verifier.symbolic.scope import name_fault

    return "a name has no dot: nest the mappings instead" if "." in name else name_fault(name)


def _named(entry: schema.Entry) -> Iterator[tuple[str, str, Mapping, bool]]:
    """Every declared name: the entry's key, the name, the mapping that holds it, whether it is a leaf inside one."""
    for key in _KINDS:
        mapping = entry.node.get(key)
        if isinstance(mapping, Mapping):
            yield from ((key, name, mapping, False) for name in mapping)
    yield from (("inputs", name, mapping, True) for name, mapping in _nested_names(entry.node.get("inputs")))


def _nested_names(mapping: Node | None) -> Iterator[tuple[str, Mapping]]:
    for node in mapping.values() if isinstance(mapping, Mapping) else ():
        if isinstance(node, Mapping) and not {"domain", "shape"} & node.keys():
            yield from ((name, node) for name in node)
            yield from _nested_names(node)


def _declare_inputs(entry: schema.Entry, vocabulary: Vocabulary, faults: FaultList) -> None:
    for name, leaf in leaves(entry.inputs):
        shape = None if isinstance(leaf, Broken) else list_shape(leaf.shape)
        vocabulary.declare(name, "input", shape, [name])
        if isinstance(leaf, schema.Leaf):
            _check_size(shape, leaf, faults)
            _check_ends(leaf, "domain", faults)
            if "value" in entry.node and entry.points == []:
                _check_members(leaf, faults)


def _check_members(leaf: schema.Leaf, faults: FaultList) -> None:
    """A value is verified at floats, and each dtype's are float64s: without declared points some are in the domain."""
    ends = _ends(leaf.domain)
    if not ends or ends[0] > ends[1]:
        return
    if nearest_inside(ends[0], FLOAT64, up=True) > nearest_inside(ends[1], FLOAT64, up=False):
        node = leaf.node["domain"]
        advice = "widen it, declare points, or make the input a constant under `data`"
        faults.add(node.position, f"no float64 is in this domain, so nothing could be verified: {advice}", node.path)


def _check_ends(part: schema.Part, key: str, faults: FaultList) -> None:
    ends = _ends(getattr(part, key))
    if ends and ends[0] > ends[1]:
        node = part.node[key]
        message = f"an empty interval: {ends[0]} is greater than {ends[1]}; the lowest value stands first"
        faults.add(node.position, message, node.path)


def _check_size(shape: Shape | None, part: schema.Part, faults: FaultList) -> None:
    if shape and size(shape) > MAX_SIZE:
        node = part.node.get("shape", part.node)
        faults.add(node.position, f"{size(shape):,} components: at most {MAX_SIZE:,} are possible", node.path)


class _Data:
    """Checks data, one after the other."""

    def __init__(self, vocabulary: Vocabulary, listings: Ids, faults: FaultList) -> None:
        self._vocabulary = vocabulary
        self._listings = listings
        self._faults = faults

    def shape(self, datum: object) -> Shape | None:
        """The shape of one datum; None when it is broken."""
        if not isinstance(datum, schema.Part):
            return None
        shape = data_shape(datum, self._inline_shape)
        _check_size(shape, datum, self._faults)
        match datum:
            case schema.Inline():
                self._check_declared(datum, shape)
            case schema.Uniform(uniform=schema.UniformLaw() as law):
                _check_ends(law, "range", self._faults)
                self._check_held(law, "range", law.dtype)
            case schema.Linspace():
                self._check_held(datum, "linspace", datum.dtype)
                return self._vector(datum, shape)
            case schema.FromListing():
                self._listings.check(datum.node.get("listing"), self._faults)
        return shape

    def _inline_shape(self, node: Node) -> Shape | None:
        def cell(each: Scalar) -> Shape | None:
            checked = self._vocabulary.check(each, CONSTANTS)
            return checked.shape if checked else None

        return nested_shape(node, cell, self._faults)

    def _check_declared(self, datum: schema.Inline, shape: Shape | None) -> None:
        declared_shape = list_shape(datum.shape)
        if shape is not None and declared_shape not in (None, shape):
            node = datum.node["shape"]
            wanted = shape_text(declared_shape or ())
            message = f"the values written out are {shape_text(shape)}, not {wanted}: correct one of the two"
            self._faults.add(node.position, message, node.path)

    def _check_held(self, part: schema.Part, key: str, dtype: object) -> None:
        """What is drawn or spaced in a dtype begins and ends at finite numbers of it."""
        ends = _ends(getattr(part, key))
        if not ends or not isinstance(dtype, str):
            return
        for node, end in zip(part.node[key], ends, strict=True):  # type: ignore[arg-type]
            if math.isinf(round_to(end, named(dtype))):
                message = f"`{shown(node.text)}` is beyond the finite numbers of {dtype}: choose another end or dtype"
                self._faults.add(node.position, message, node.path)

    def _vector(self, datum: schema.Linspace, shape: Shape | None) -> Shape | None:
        if shape is not None and (len(shape) != 1 or shape[0] < 2):
            node = datum.node["shape"]
            message = "`linspace` makes a vector of 2 or more numbers: write `shape: [count]`"
            self._faults.add(node.position, message, node.path)
            return None
        return shape


def _declare_definitions(entry: schema.Entry, vocabulary: Vocabulary) -> None:
    """The `let` chain and the value, each from what stands above it."""
    names = [name for name, _ in items(entry.let)]
    for name, node in items(entry.let):
        vocabulary.announce(names, own=name)
        _declare(vocabulary, name, "definition", vocabulary.check(node))
    vocabulary.announce((), own="value")
    if entry.value is not None:
        _declare(vocabulary, "value", "value", vocabulary.check(entry.value))
    vocabulary.announce(())


def _declare(vocabulary: Vocabulary, name: str, kind: str, checked: Checked | None) -> None:
    shape, inputs = (checked.shape, checked.inputs) if checked else (None, ())
    vocabulary.declare(name, kind, shape, inputs)
