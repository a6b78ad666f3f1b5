r"""Numbers and arrays in documents: LaTeX with four significant digits, and of large arrays the corners.

A number that is not finite is said in words or by its sign, never as a number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.substitute import number_latex
from graphs.tex import formula
from graphs.typesetting import width

__all__ = ["blank", "is_shown_whole", "matrix", "number", "places_shown", "span"]

Array = np.ndarray
ROWS, ROOM = 8, 27.0  # of a matrix: how many rows are shown, how wide it may be in em
CORNER_ROWS = 3  # of a larger one, before the dots
BETWEEN = 1.0  # em, between two columns
DOTS = 1.4  # em, of a column of dots


def number(x: Any) -> str:
    r"""Return a number as LaTeX.

    Examples
    --------
    >>> number(0.67801), number(-1.5e-7), number(float("inf"))
    ('0.6780', '-1.5 \\times 10^{-7}', '\\infty')
    """
    return formula(number_latex(float(x)))


def matrix(array: Array, room: float = ROOM) -> str:
    r"""Return an array as a LaTeX matrix, a scalar as its number; of a large array the corners.

    Parameters
    ----------
    room
        How wide it may be, in em.
    """
    if array.ndim == 0:
        return number(array)
    rows, columns = places_shown(array, room)
    table = _table(array)
    lines = []
    for row in rows:
        if row is None:
            lines.append([r"\vdots" if c is not None else r"\ddots" for c in columns])
        else:
            lines.append([number(table[row, c]) if c is not None else r"\cdots" for c in columns])
    return _array(lines)


def blank(array: Array, room: float = ROOM, entry: str = r"\blank{3em}") -> str:
    """Return the same matrix with a place to write at for each number that :func:`matrix` shows."""
    if array.ndim == 0:
        return entry
    rows, columns = places_shown(array, room)
    dots = {(True, False): r"\cdots", (False, True): r"\vdots", (False, False): r"\ddots"}
    return _array([[dots.get((r is not None, c is not None), entry) for c in columns] for r in rows])


def is_shown_whole(array: Array, room: float = ROOM) -> bool:
    """Say whether :func:`matrix` shows every entry of an array."""
    return array.ndim == 0 or all(None not in places for places in places_shown(array, room))


def span(array: Array) -> str:
    """Return between which numbers an array's entries lie, in words, with formulas between dollar signs."""
    finite = array[np.isfinite(array)]
    wrong = array.size - finite.size
    if not finite.size:
        return "no entry is a finite number"
    low, high = float(finite.min()), float(finite.max())
    told = (
        f"all entries are ${number(low)}$"
        if low == high
        else f"entries from ${number(low)}$ to ${number(high)}$"
    )
    return f"{told}, and {wrong} of {array.size} are not finite numbers" if wrong else told


def _table(array: Array) -> Array:
    """Return an array as rows and columns: a list is one row, the axes after the first are joined."""
    return np.atleast_2d(array) if array.ndim <= 2 else array.reshape(array.shape[0], -1)


def places_shown(array: Array, room: float = ROOM) -> tuple[list[int | None], list[int | None]]:
    """Return which rows and columns of an array are shown in so much room, in em; None stands for dots."""
    table = _table(array)
    count, across = table.shape
    rows: list[int | None] = list(range(count))
    if count > ROWS:
        rows = [*range(CORNER_ROWS), None, count - 1]
    kept = [r for r in rows if r is not None]
    widths = _Widths(table, kept)
    if across <= room / BETWEEN and widths.of(range(across)) <= room:
        return rows, list(range(across))
    shown = 1
    last = across - 1
    while shown < last and widths.of([*range(shown + 1), last]) + DOTS + BETWEEN <= room:
        shown += 1
    return rows, [*range(shown), None, last]


class _Widths:
    """How wide columns are when they are set, each worked out once."""

    def __init__(self, table: Array, rows: Sequence[int]) -> None:
        self._table = table
        self._rows = rows
        self._known: dict[int, float] = {}

    def of(self, columns: Sequence[int]) -> float:
        return sum(self._column(c) for c in columns) + BETWEEN * len(columns)

    def _column(self, column: int) -> float:
        if column not in self._known:
            self._known[column] = max(width(number(self._table[row, column])) for row in self._rows)
        return self._known[column]


def _array(lines: Sequence[Sequence[str]]) -> str:
    columns = "r" * len(lines[0])
    body = r" \\ ".join(" & ".join(line) for line in lines)
    return rf"\left[\begin{{array}}{{{columns}}} {body} \end{{array}}\right]"
