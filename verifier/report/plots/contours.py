"""Filled bands between contour levels, by clipping every cell of the grid to the band.

Along a cell's edges heights are taken as linear, as marching squares does.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from verifier.report.plots.scales import nice_step

__all__ = ["band_polygons", "levels_between", "segments"]

Corner = tuple[float, float, float]  # x, y, height
Cell = tuple[Corner, ...]
Grid = tuple[Sequence[float], Sequence[float], Sequence[Sequence[float]]]


def levels_between(low: float, high: float, wanted: int = 18) -> tuple[float, ...]:
    """About `wanted` levels at round steps that cover low..high; zero is among them when it lies inside."""
    steps = [nice_step((high - low) / (wanted * factor)) for factor in (0.7, 1.4)]
    step = min(steps, key=lambda each: abs((high - low) / each - wanted))
    return tuple(k * step for k in range(math.floor(low / step), math.ceil(high / step) + 1))


def band_polygons(grid: Grid, low: float, high: float) -> Iterator[tuple[tuple[float, float], ...]]:
    """The polygons where low <= height <= high; neighbouring cells that lie inside whole are merged along a row."""
    for row in _rows(grid):
        run: list[Cell] = []
        for cell in row:
            if cell is None:
                yield from _merged(run)
                run = []
                continue
            heights = [corner[2] for corner in cell]
            if low <= min(heights) and max(heights) <= high:
                run.append(cell)
                continue
            yield from _merged(run)
            run = []
            if max(heights) > low and min(heights) < high:
                pieces = _unambiguous(cell, low, high)
                clipped = (_clip(_clip(piece, low, 1.0), high, -1.0) for piece in pieces)
                yield from (tuple((x, y) for x, y, _ in each) for each in clipped if len(each) > 2)
        yield from _merged(run)


def segments(grid: Grid, level: float) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    """The pieces of the isoline at a level, cell by cell (marching squares, saddles by triangles)."""
    for row in _rows(grid):
        for cell in row:
            for piece in _unambiguous(cell, level) if cell else ():
                crossings = [_crossing(a, b, level) for a, b in _edges(piece) if (a[2] < level) != (b[2] < level)]
                yield from (
                    (first[:2], second[:2]) for first, second in zip(crossings[::2], crossings[1::2], strict=True)
                )


def _rows(grid: Grid) -> Iterator[list[Cell | None]]:
    """The cells row by row; None stands for one with a missing height."""
    xs, ys, heights = grid
    for j in range(len(ys) - 1):
        row = []
        for i in range(len(xs) - 1):
            corners = ((i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1))
            cell = tuple((xs[a], ys[b], heights[b][a]) for a, b in corners)
            row.append(cell if all(corner[2] is not None for corner in cell) else None)
        yield row


def _unambiguous(cell: Cell, *levels: float) -> Iterator[Cell]:
    """The cell itself, or its triangles where it is a saddle for one of the levels."""
    yield from _triangles(cell) if any(_is_saddle(cell, level) for level in levels) else (cell,)


def _is_saddle(cell: Cell, level: float) -> bool:
    """Whether opposite corners lie on the same side of the level and neighbours on different ones."""
    return sum((a[2] < level) != (b[2] < level) for a, b in _edges(cell)) == 4


def _triangles(cell: Cell) -> Iterator[Cell]:
    """The four triangles around the cell's centre, whose height is the corners' mean; a triangle is never ambiguous."""
    centre = (sum(x for x, _, _ in cell) / 4, sum(y for _, y, _ in cell) / 4, sum(z for _, _, z in cell) / 4)
    return ((a, b, centre) for a, b in _edges(cell))


def _merged(run: list[Cell]) -> Iterator[tuple[tuple[float, float], ...]]:
    if run:
        corners = (run[0][0], run[-1][1], run[-1][2], run[0][3])
        yield tuple((x, y) for x, y, _ in corners)


def _clip(polygon: Sequence[Corner], level: float, side: float) -> list[Corner]:
    """The part with side * (height - level) >= 0 (Sutherland and Hodgman's algorithm in the height)."""
    kept: list[Corner] = []
    for a, b in _edges(polygon):
        inside_a, inside_b = side * (a[2] - level) >= 0, side * (b[2] - level) >= 0
        if inside_a:
            kept.append(a)
        if inside_a != inside_b:
            kept.append(_crossing(a, b, level))
    return kept


def _edges(polygon: Sequence[Corner]) -> Iterator[tuple[Corner, Corner]]:
    yield from zip(polygon, (*polygon[1:], polygon[0]), strict=True) if polygon else ()


def _crossing(a: Corner, b: Corner, level: float) -> Corner:
    share = (level - a[2]) / (b[2] - a[2])
    return (a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]), level)
