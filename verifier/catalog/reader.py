"""Reads a catalog file: YAML, schema, cross-checks, model; every fault of the file in one error."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from pydantic import ValidationError

from verifier.catalog import schema
from verifier.catalog.claim_checks import StructureCheck
from verifier.catalog.convert import catalog_of
from verifier.catalog.document_checks import check_document
from verifier.catalog.faults import FaultList, TooManyFaults, listed, shown
from verifier.catalog.fields import found
from verifier.catalog.yaml_events import MAX_BYTES, Mapping, Node, Refused, Scalar, read_tree
from verifier.errors import UsageError
from verifier.model.catalog import Catalog

__all__ = ["read", "read_bytes"]

_VERSION = re.compile(r"([0-9]{1,6})\.([0-9]{1,6})")
_MAIN_KEYS = ("format", "source", "entries")


def read(path: str | Path, *, check_structure: StructureCheck | None = None) -> Catalog:
    """The catalog in the file.

    `check_structure` judges the formulas of `structure` claims (facts about listings), which this layer cannot know.
    Raises CatalogError with every fault of the file, and UsageError when there is no such file.
    """
    path = Path(path)
    return read_bytes(_bytes(path), path.as_posix(), check_structure=check_structure)


def read_bytes(data: bytes, file: str, *, check_structure: StructureCheck | None = None) -> Catalog:
    """The catalog that a file of this name holds; raises CatalogError as `read` does."""
    faults = FaultList(file)
    try:
        document = _document(read_tree(data, faults), faults)
        vocabularies = check_document(document, faults, check_structure) if document else {}
    except TooManyFaults:
        raise faults.error() from None
    if faults or document is None:
        raise faults.error()
    return catalog_of(document, vocabularies, faults.file, hashlib.sha256(data).hexdigest())


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        reason = error.strerror or "unreadable"
        raise UsageError(f"cannot read the catalog `{shown(str(path))}`: {reason}; name a YAML file") from None


def _document(tree: Node | None, faults: FaultList) -> schema.Document | None:
    """The tree by the schema, as far as it is one; None when it is no catalog of a format that is known."""
    if tree is None or isinstance(tree, Refused):
        return None
    if not isinstance(tree, Mapping) or not set(_MAIN_KEYS) & tree.keys():
        if not faults:
            wanted = f"a mapping with the keys {listed(_MAIN_KEYS, last='and')}"
            faults.add(tree.position, f"this is no catalog: expected {wanted}, found {_what(tree)}")
        return None
    if not _is_known_format(tree, faults):
        return None
    try:
        return schema.Document.model_validate(tree, context=faults)
    except ValidationError as error:  # every field absorbs its own faults
        raise AssertionError("a fault of the schema was not absorbed") from error


def _what(tree: Node) -> str:
    return f"the keys {listed(list(tree)[:5], last='and')}" if isinstance(tree, Mapping) and tree else found(tree)


def _is_known_format(tree: Mapping, faults: FaultList) -> bool:
    """Whether the file's format can be read; a newer one is the only fault reported: its rules are not known here."""
    node = tree.get("format")
    if node is None or isinstance(node, Refused):
        return True
    major, minor = schema.FORMAT
    match = _VERSION.fullmatch(node.text) if isinstance(node, Scalar) else None
    if not match:
        faults.add(node.position, f'expected a format version such as "{major}.{minor}", found {found(node)}', "format")
        return True
    version = int(match[1]), int(match[2])
    problem = _version_fault(version, schema.FORMAT)
    if problem:
        faults.add(node.position, problem, "format")
    return problem is None


def _version_fault(version: tuple[int, int], known: tuple[int, int]) -> str | None:
    written, mine = (f"{major}.{minor}" for major, minor in (version, known))
    if version[0] > known[0]:
        return f"this catalog is written in format {written}, newer than {mine}: install a newer verifier"
    if version[0] < known[0]:
        return f"format {written} is no longer read; rewrite the catalog in format {mine}"
    if version > known:
        return (
            f"this catalog is written in format {written}, this verifier knows {mine}: install a newer verifier,"
            f' or write "{mine}" if the catalog uses nothing newer'
        )
    return None
