"""Reads catalogs: YAML with positions, a strict schema, cross-checks; every fault of a file at once."""
