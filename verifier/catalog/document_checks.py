"""Checks a whole catalog beyond its schema: what its parts say about each other."""

from __future__ import annotations

import re
from dataclasses import dataclass

from verifier.catalog import schema
from verifier.catalog.claim_checks import ClaimChecker, StructureCheck, check_picture
from verifier.catalog.declarations import declared, domains
from verifier.catalog.faults import FaultList, listed, nearest, shown
from verifier.catalog.fields import is_name
from verifier.catalog.formulas import Vocabulary
from verifier.catalog.points import declared_points
from verifier.catalog.references import Ids, ids_of, refuse_repeated
from verifier.catalog.shapes import is_broken, items
from verifier.catalog.yaml_events import Mapping, Node, Scalar, Sequence

__all__ = ["check_document"]


@dataclass(frozen=True, slots=True)
class _Home:
    """What entries may refer to."""

    sections: Ids
    listings: Ids
    rows: Ids


def check_document(
    document: schema.Document, faults: FaultList, check_structure: StructureCheck | None
) -> dict[str, Vocabulary]:
    """Reports every fault between the parts of a catalog; returns the names of each entry.

    Parts that are broken already are passed over.
    """
    source = document.node.get("source")
    sections = source.get("sections") if isinstance(source, Mapping) else None
    home = _Home(
        Ids("section", None, "source.sections") if sections is None else ids_of("section", sections, "source.sections"),
        ids_of("listing", document.node.get("listings"), "listings"),
        ids_of("cheat-sheet row", document.node.get("cheat-sheet"), "cheat-sheet", None),
    )
    refuse_repeated("section", sections, faults)
    refuse_repeated("listing", document.node.get("listings"), faults)
    refuse_repeated("cheat-sheet row", document.node.get("cheat-sheet"), faults, None)
    for listing in document.listings if isinstance(document.listings, list) else ():
        if isinstance(listing, schema.Listing):
            home.sections.check(listing.node.get("section"), faults)
    return _check_entries(document, home, faults, check_structure)


def _check_entries(
    document: schema.Document, home: _Home, faults: FaultList, check_structure: StructureCheck | None
) -> dict[str, Vocabulary]:
    entries = document.node.get("entries")
    if not isinstance(entries, Mapping) or not isinstance(document.entries, dict):
        return {}
    if not entries and not entries.incomplete:
        faults.add(entries.position, "there is no entry: write at least one under `entries`", entries.path)
    vocabularies: dict[str, Vocabulary] = {}
    for name, entry in document.entries.items():
        if not re.fullmatch(schema.IDS, name):
            message = f"`{shown(name)}` is no id: use small letters, digits and hyphens, such as `tanh-squared`"
            faults.add(entries.keys_at[name], message, entries.child_path(name))
        if isinstance(entry, schema.Entry):
            vocabularies[name] = _Entry(entry, home, faults).check(check_structure)
    return vocabularies


class _Entry:
    """The checks of one entry."""

    def __init__(self, entry: schema.Entry, home: _Home, faults: FaultList) -> None:
        self._entry = entry
        self._home = home
        self._faults = faults

    def check(self, check_structure: StructureCheck | None) -> Vocabulary:
        """Reports every fault inside the entry, and its references to the catalog; returns its names."""
        vocabulary = declared(self._entry, self._home.listings, self._faults)
        self._references(self._entry.node)
        self._orders(vocabulary)
        self._implementation(vocabulary)
        if isinstance(self._entry.points, list):
            points = self._entry.node.get("points")
            data = dict(items(self._entry.data))
            declared_points(points, self._entry.points, vocabulary, self._faults, domains(self._entry), data)
        self._claims(ClaimChecker(vocabulary, self._home.listings, self._faults, check_structure))
        self._pictures(vocabulary)
        self._acknowledgements()
        return vocabulary

    def _references(self, node: Mapping) -> None:
        self._home.sections.check(node.get("section"), self._faults)
        self._home.rows.check(node.get("row"), self._faults)

    def _orders(self, vocabulary: Vocabulary) -> None:
        orders = self._entry.node.get("orders")
        refuse_repeated("order", orders, self._faults, None)
        if not isinstance(orders, Sequence) or not orders or vocabulary.doubtful:
            return
        for key, why in (
            ("value", "there is no value to differentiate"),
            ("inputs", "there is nothing to differentiate by"),
        ):
            if key not in self._entry.node:
                self._faults.add(orders.position, f"{why}: add the key `{key}`, or remove `orders`", orders.path)

    def _implementation(self, vocabulary: Vocabulary) -> None:
        node = self._entry.node.get("implementation")
        if node is None or vocabulary.doubtful:
            return
        if "value" not in self._entry.node:
            message = (
                "there is no value to judge this program against: add the key `value`, the mathematics it computes"
            )
            self._faults.add(node.position, message, node.path)
        body = self._entry.implementation
        given = body.arguments if isinstance(body, schema.ImplementationBody) else None
        for each in given if isinstance(given, list) else ():
            if isinstance(each, Scalar) and is_name(each):
                self._argument(each, vocabulary)

    def _argument(self, node: Scalar, vocabulary: Vocabulary) -> None:
        """A name among a program's arguments is a whole input, or data."""
        homes = (self._entry.node.get(key) for key in ("inputs", "data"))
        known = [name for home in homes if isinstance(home, Mapping) for name in home]
        if node.text not in known:
            near = nearest(node.text, known)
            hint = f"did you mean `{near}`?" if near else f"there are {listed(known, last='and') or 'none'}"
            message = f"`{shown(node.text)}` is neither an input nor data: {hint}"
            self._faults.add(node.position, message, node.path)

    def _claims(self, checker: ClaimChecker) -> None:
        refuse_repeated("claim id", self._entry.node.get("claims"), self._faults)
        for claim in self._entry.claims if isinstance(self._entry.claims, list) else ():
            if isinstance(claim, schema.ClaimPart):
                self._references(claim.node)
                checker.check(claim)

    def _pictures(self, vocabulary: Vocabulary) -> None:
        refuse_repeated("picture id", self._entry.node.get("pictures"), self._faults)
        for picture in self._entry.pictures if isinstance(self._entry.pictures, list) else ():
            if isinstance(picture, schema.Picture):
                check_picture(picture, vocabulary, self._faults)

    def _acknowledgements(self) -> None:
        claims = ids_of("claim", self._entry.node.get("claims"), "claims")
        for each in self._entry.acknowledged if isinstance(self._entry.acknowledged, list) else ():
            match each:
                case schema.AcknowledgedClaim():
                    claims.check(each.node.get("claim"), self._faults)
                case schema.AcknowledgedNumber() | schema.AcknowledgedRule():
                    self._order(each.node.get("order"))

    def _order(self, node: Node | None) -> None:
        """An acknowledged order must be one that is verified."""
        orders = self._entry.orders
        if isinstance(node, Scalar) and not is_broken(orders) and node.text not in {"0", *map(str, orders)}:
            message = f"order {shown(node.text)} is not verified for this entry: `orders` does not name it"
            self._faults.add(node.position, message, node.path)
