"""Arrays whose entries are objects: NumPy must not look inside them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

__all__ = ["blocks", "object_array"]


def object_array(entries: Iterable[Any], shape: tuple[int, ...] | None = None) -> np.ndarray:
    """The entries in C order as an object array of a shape, by default of one axis."""
    found = list(entries)
    box = np.empty(len(found), dtype=object)
    box[:] = found
    return box if shape is None else box.reshape(shape)


def blocks(entries: Sequence[Any], shapes: Iterable[tuple[int, ...]]) -> list[np.ndarray]:
    """One object array after the other, cut from the entries of all of them."""
    found, start = [], 0
    for shape in shapes:
        size = math.prod(shape)
        found.append(object_array(entries[start : start + size], shape))
        start += size
    return found
