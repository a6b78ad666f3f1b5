"""The arrays of a page, each once: few numbers as text, many as the cells of a heat map."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from math import isqrt
from typing import Any

import numpy as np

from graphs.views.numbers import NOTHING, TIMES, format_number, full
from graphs.views.records import Array

__all__ = ["ArrayTable", "is_small", "said"]

ROWS, COLUMNS, ENTRIES = 12, 8, 48
"""Up to so many an array's numbers are written out, in cells."""
MAP_CELLS = 300_000
"""Cells of all heat maps of a page; where they are more, each is drawn more coarsely."""
LEAST_CELLS = 64
SPOKEN = 12
"""Entries of an array that are said one by one where there are no cells."""
MIDDLE, ENDS = 128, 127
"""Of a heat map's cell: 128 is zero, 1 and 255 are the ends of the scale, 0 is not a number."""


class ArrayTable:
    """Collects arrays; the same numbers in the same shape are kept once."""

    def __init__(self) -> None:
        self._arrays: list[tuple[Array, bool]] = []
        self._places: dict[tuple[tuple[int, ...], bytes, bool], int] = {}

    def add(self, array: Array | None, noise: bool = False) -> int:
        """Return the place of an array, −1 where there is none; `noise` says that it is mere rounding."""
        if array is None:
            return -1
        key = (array.shape, array.tobytes(), noise)
        place = self._places.setdefault(key, len(self._arrays))
        if place == len(self._arrays):
            self._arrays.append((array, noise))
        return place

    def rows(self) -> list[dict[str, Any]]:
        """Return what the page's script reads, array by array.

        ``s`` is the shape in words, ``r`` and ``c`` rows and columns, ``t`` and ``f`` numbers with four
        digits and in full: all of them, or the least and the largest where there is a map ``m`` of ``w``
        columns. Where ``z`` is there, all of it is rounding, and looks as zero does.
        """
        large = sum(not is_small(array.shape) for array, _ in self._arrays)
        cells = max(LEAST_CELLS, MAP_CELLS // max(1, large))
        return [_row(array, noise, cells) for array, noise in self._arrays]


def is_small(shape: Sequence[int]) -> bool:
    """Say whether an array of `shape` is shown as cells with numbers."""
    rows, columns = _grid(shape)
    return rows <= ROWS and columns <= COLUMNS and rows * columns <= ENTRIES


def said(array: Array, noise: bool = False) -> str:
    """Return an array in a line: its numbers where they are few, else between which numbers they lie.

    Examples
    --------
    >>> said(np.array([[1.0, -2.5], [0.0, 0.5]])), said(np.arange(100.0))
    ('1, −2.5; 0, 0.5', '100 numbers from 0 to 99')
    """
    if noise:
        return NOTHING
    if array.size <= SPOKEN:
        return "; ".join(", ".join(format_number(x) for x in row) for row in _table(array))
    low, high = _range(array)
    wrong = int(np.sum(~np.isfinite(array)))
    count = f"{array.size:,} numbers"
    found = f"{count} from {format_number(low)} to {format_number(high)}" if wrong < array.size else count
    return f"{found}, {wrong:,} of them not finite" if wrong else found


def _grid(shape: Sequence[int]) -> tuple[int, int]:
    if len(shape) <= 1:
        return 1, (shape[0] if shape else 1)
    return shape[0], int(np.prod(shape[1:]))


def _table(array: Array) -> Array:
    """Return an array as rows and columns: a list is one row, the axes after the first are joined."""
    return array.reshape(_grid(array.shape))


def _range(array: Array) -> tuple[float, float]:
    finite = array[np.isfinite(array)]
    return (float(finite.min()), float(finite.max())) if finite.size else (np.nan, np.nan)


def _row(array: Array, noise: bool, cells: int) -> dict[str, Any]:
    rows, columns = _grid(array.shape)
    small = is_small(array.shape)
    numbers = np.ravel(array).tolist() if small else list(_range(array))
    texts = [NOTHING if noise and x else format_number(x) for x in numbers]
    fulls = [full(x) for x in numbers]
    row = {
        "s": f" {TIMES} ".join(map(str, array.shape)),
        "r": rows,
        "c": columns,
        "t": "|".join(texts),
        "f": "|".join(fulls),
        **({"z": 1} if noise else {}),
    }
    if small:
        return row
    drawn = _coarser(_table(np.zeros_like(array) if noise else array), cells)
    wrong = int(np.sum(~np.isfinite(array)))
    found = {"w": drawn.shape[1], "m": base64.b64encode(_levels(drawn).tobytes()).decode("ascii")}
    return row | found | ({"n": wrong} if wrong else {})


def _levels(table: Array) -> Array:
    """Return the entries as steps of a diverging map that is symmetric about zero."""
    finite = np.isfinite(table)
    scale = float(np.max(np.abs(table), where=finite, initial=0.0)) or 1.0
    with np.errstate(all="ignore"):
        share = np.clip(table / scale, -1, 1)
    return np.where(np.isnan(table), 0, MIDDLE + np.rint(ENDS * np.nan_to_num(share))).astype(np.uint8)


def _coarser(table: Array, cells: int) -> Array:
    """Return a table of at most so many cells, each the entry of largest magnitude of those it stands for."""
    rows, columns = table.shape
    if table.size <= cells:
        return table
    fewer = min(rows, max(1, isqrt(cells)))
    across = min(columns, cells // fewer)
    down = np.linspace(0, rows, fewer, endpoint=False).astype(int)
    along = np.linspace(0, columns, across, endpoint=False).astype(int)
    high, low = (
        reduce.reduceat(reduce.reduceat(table, down, axis=0), along, axis=1) for reduce in (np.fmax, np.fmin)
    )
    return np.where(np.abs(low) > np.abs(high), low, high)
