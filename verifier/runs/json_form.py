"""Between records and JSON values: decoding follows the dataclasses' type hints, encoding their field order."""

from __future__ import annotations

import json
import math
import re
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, TypeVar

from verifier.runs.records import KINDS, Record

__all__ = ["Malformed", "as_line", "decode", "dumps", "encode", "loads"]

T = TypeVar("T")

Decoder = Callable[[Any], Any]
_SURROGATE = re.compile("[\ud800-\udfff]")
_SCALARS: dict[type, tuple[type, ...]] = {str: (str,), bool: (bool,), int: (int,), float: (int, float)}


class Malformed(ValueError):
    """A JSON value that is no record; the message says where inside it and what was expected."""


def decode(data: Mapping[str, Any], *, strict: bool) -> Record:
    """The record that a JSON object stands for; raises Malformed.

    `strict` refuses unknown fields (a writer's mistake); else they are passed over (a newer minor version's addition).
    """
    record_type = KINDS.get(data.get("kind", "")) if isinstance(data, Mapping) else None
    if record_type is None:
        kind = data.get("kind") if isinstance(data, Mapping) else data
        raise Malformed(f"kind: expected one of {', '.join(KINDS)}, got {kind!r}")
    return _decoder(record_type, strict)({key: value for key, value in data.items() if key != "kind"})


def encode(record: Record) -> dict[str, Any]:
    """The JSON object of a record: `kind` first, then the fields in the order of the class."""
    return {"kind": record.KIND, **_plain(record)}


def dumps(value: Any) -> str:
    """A dataclass of scalars, tuples, mappings and such dataclasses as one line of JSON; `loads` reads it."""
    return as_line(_plain(value))


def as_line(value: Any) -> str:
    """Plain values as one line of JSON. Lone surrogates, which a message of an exception may hold and no file can, are
    written out.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text if text.isascii() else _SURROGATE.sub(lambda found: f"\\\\u{ord(found[0]):04x}", text)


def loads(kind: type[T], text: str | bytes) -> T:
    """The dataclass that a JSON text stands for; raises Malformed for anything else, unknown fields included."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:  # no JSON, no text, or an integer that is too long for Python
        raise Malformed(f"no JSON ({error})") from None
    return _decoder(kind, True)(data)


def _plain(value: Any) -> Any:
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is float:
        return value if math.isfinite(value) else None
    if kind is tuple:
        return value if _is_plain(value) else [_plain(each) for each in value]
    if names := _names(kind):
        return {name: _plain(getattr(value, name)) for name in names}
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    return value


def _is_plain(values: tuple[Any, ...]) -> bool:
    """Whether JSON has all of them as they are; a run file is nearly all measurements."""
    kinds = set(map(type, values))
    return kinds <= _PLAIN or (kinds <= _MEASURED and all(map(math.isfinite, filter(None, values))))


_PLAIN = {str, int, bool, type(None)}
_MEASURED = {float, int, type(None)}


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(each.name for each in fields(kind)) if is_dataclass(kind) else ()


@cache
def _decoder(hint: Any, strict: bool) -> Decoder:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint in _SCALARS:
        return _scalar(hint)
    if origin is tuple and arguments[0] == float | None:
        return _measurements(_array(_decoder(arguments[0], strict)))
    if hint is Any:
        return _frozen
    if origin is types.UnionType or origin is typing.Union:
        return _optional(_decoder(next(each for each in arguments if each is not type(None)), strict))
    if origin is tuple:
        return _array(_decoder(arguments[0], strict))
    if origin is Mapping:
        return _free_object(_decoder(arguments[1], strict))
    return _object(hint, strict)


def _scalar(expected: type) -> Decoder:
    accepted = _SCALARS[expected]

    def read(value: Any) -> Any:
        # A bool is an int to Python, but not to a reader of JSON.
        if type(value) not in accepted:
            raise Malformed(f": expected {expected.__name__}, got {_short(value)}")
        return value

    return read


def _optional(inner: Decoder) -> Decoder:
    return lambda value: None if value is None else inner(value)


def _array(element: Decoder) -> Decoder:
    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            raise Malformed(f": expected an array, got {_short(value)}")
        return tuple(_at(f"[{index}]", element, each) for index, each in enumerate(value))

    return read


def _measurements(careful: Decoder) -> Decoder:
    """As `careful`, which is asked only where something is wrong: a run file is nearly all measurements."""
    accepted = {*_SCALARS[float], type(None)}

    def read(value: Any) -> tuple[Any, ...]:
        if isinstance(value, list) and accepted.issuperset(map(type, value)):
            return tuple(value)
        return careful(value)

    return read


def _free_object(element: Decoder) -> Decoder:
    def read(value: Any) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            raise Malformed(f": expected an object, got {_short(value)}")
        return MappingProxyType({str(key): _at(f".{key}", element, each) for key, each in value.items()})

    return read


def _object(record_type: type, strict: bool) -> Decoder:
    hints = typing.get_type_hints(record_type)
    members = {each.name: (each, _decoder(hints[each.name], strict)) for each in fields(record_type)}
    needed = tuple(name for name, (each, _) in members.items() if _is_required(each))

    def read(value: Any) -> Any:
        if isinstance(value, record_type):
            return value
        if not isinstance(value, Mapping):
            raise Malformed(f": expected an object, got {_short(value)}")
        for name in needed:
            if name not in value:
                raise Malformed(f".{name}: missing")
        if strict and (unknown := [name for name in value if name not in members]):
            raise Malformed(f".{unknown[0]}: no such field; known are {', '.join(members)}")
        found = {name: _at(f".{name}", members[name][1], each) for name, each in value.items() if name in members}
        return record_type(**found)

    return read


def _is_required(member: Field[Any]) -> bool:
    return member.default is MISSING and member.default_factory is MISSING


def _at(step: str, decoder: Decoder, value: Any) -> Any:
    try:
        return decoder(value)
    except Malformed as fault:
        raise Malformed(f"{step}{fault}") from None


def _frozen(value: Any) -> Any:
    """Plain JSON of any depth, with arrays as tuples."""
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
