"""The common form of every mapping of a catalog: its keys are fixed, and each fault is told where it stands."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationInfo, field_validator, model_validator

from verifier.catalog.faults import listed, nearest, shown
from verifier.catalog.fields import absorb, fault, faults_of, found
from verifier.catalog.yaml_events import Mapping, Refused
from verifier.model.catalog import Position

__all__ = ["IDS", "NAME", "Part", "may", "names", "need", "yaml_key"]

NAME = "[A-Za-z][A-Za-z0-9_]*"
IDS = "[a-z0-9]+(-[a-z0-9]+)*"


def yaml_key(field: str) -> str:
    """The YAML key of a field: `for_all` is `for-all`, `is_` is `is`."""
    return field.rstrip("_").replace("_", "-")


class Part(BaseModel):
    """A mapping of the catalog with a fixed set of keys."""

    model_config = ConfigDict(strict=True, extra="forbid", alias_generator=yaml_key, arbitrary_types_allowed=True)

    _node: Mapping = PrivateAttr()

    @property
    def position(self) -> Position:
        """Where the mapping begins."""
        return self._node.position

    @property
    def where(self) -> str:
        """The mapping's place in the catalog, such as `entries.tanh.claims[0]`."""
        return self._node.path

    @property
    def node(self) -> Mapping:
        """The mapping as it stands in the file."""
        return self._node

    @field_validator("*", mode="wrap")
    @classmethod
    def _absorb_field(cls, node: Any, handler: Callable[[Any], Any], info: ValidationInfo) -> Any:
        return absorb(node, handler, info)

    @model_validator(mode="wrap")
    @classmethod
    def _read(cls, node: Any, handler: Callable[[Any], Any], info: ValidationInfo) -> Any:
        if not isinstance(node, Mapping):
            raise fault(f"expected a mapping with the keys {listed(_keys(cls), last='and')}, found {found(node)}")
        _report_unknown_keys(cls, node, info)
        _report_missing_keys(cls, node, info)
        part = handler({key: node.get(key, _gap(node)) for key in _keys(cls) if key in node or key in _needed(cls)})
        part._node = node
        return part


@cache
def _keys(model: type[BaseModel]) -> tuple[str, ...]:
    return tuple(yaml_key(name) for name in model.model_fields)


@cache
def _needed(model: type[BaseModel]) -> dict[str, str]:
    """The required keys and what they are for."""
    fields = model.model_fields.items()
    return {yaml_key(name): field.description or "" for name, field in fields if field.is_required()}


def _gap(node: Mapping) -> Refused:
    """Stands for the value of a missing key, so that the rest of the mapping is still judged."""
    return Refused(position=node.position, path=node.path)


def _unknown(model: type[BaseModel], node: Mapping) -> list[str]:
    known = _keys(model)
    return [key for key in node if key not in known]


def _report_unknown_keys(model: type[BaseModel], node: Mapping, info: ValidationInfo) -> None:
    for key in _unknown(model, node):
        message = f"unknown key `{shown(key)}`{_hint(key, _keys(model))}"
        faults_of(info).add(node.keys_at[key], message, node.child_path(key))


def _hint(key: str, known: tuple[str, ...]) -> str:
    near = nearest(key, known)
    if near:
        return f"; did you mean `{near}`?"
    if any(bracket in key for bracket in "()[]"):
        return ": a comma inside { } or [ ] ends the text before it, put formulas there in quotes"
    return f": expected one of {listed(known)}"


def _report_missing_keys(model: type[BaseModel], node: Mapping, info: ValidationInfo) -> None:
    """Reports required keys that are absent; one that was only misspelt has been reported as unknown."""
    misspelt = {nearest(key, _keys(model)) for key in _unknown(model, node)}
    for key, purpose in _needed(model).items():
        if key not in node and key not in misspelt and not node.incomplete:
            faults_of(info).add(node.position, f"the key `{key}` is missing here: {purpose}", node.path)


def need(description: str, **limits: Any) -> Any:
    """A required key."""
    return Field(description=description, **limits)


def may(description: str, default: Any = None, **limits: Any) -> Any:
    """A key that may be left out."""
    return Field(default=default, description=description, **limits)


def names(what: str) -> Any:
    """A mapping whose keys are names; the names themselves are judged with the rest of the entry."""
    return may(what, {}, json_schema_extra={"propertyNames": {"pattern": f"^{NAME}$"}})
