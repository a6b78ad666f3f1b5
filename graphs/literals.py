"""Numbers as a file writes them, and as arrays."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from engine.errors import DataError, excerpt

__all__ = ["array_of", "number_text"]

Array = np.ndarray


def array_of(value: Any, where: str, of_text: str = "Write a number.") -> Array:
    """Return a literal value as a read-only array.

    A number is 0-d, a flat list a row (1, m), a list of rows (n, m).

    Parameters
    ----------
    of_text
        What is advised where there is text in the place of a number.

    Raises
    ------
    DataError
        For anything else: text, ragged rows, more than two dimensions, no entries, nan or infinity.
    """
    depth = _depth(value)
    if depth > 2:
        raise DataError(
            "there are more than two dimensions.", where=where, how="Write a list of rows of numbers."
        )
    rows = [[value]] if depth == 0 else [value] if depth == 1 else value
    if any(not isinstance(row, list | tuple) for row in rows) or len({len(row) for row in rows}) != 1:
        raise DataError("the rows are not equally long.", where=where, how="Give every row as many numbers.")
    if not rows[0]:
        raise DataError("there are no numbers.", where=where, how="Give at least one.")
    array = np.array([[_float(entry, where, of_text) for entry in row] for row in rows])
    array = array.reshape(()) if depth == 0 else array
    array.flags.writeable = False
    return array


def _depth(value: Any) -> int:
    depth = 0
    while isinstance(value, list | tuple) and depth < 4:
        depth += 1
        value = value[0] if value else None
    return depth


def _float(entry: Any, where: str, of_text: str) -> float:
    try:
        number = float(entry) if isinstance(entry, int | float) and not isinstance(entry, bool) else None
    except OverflowError:
        number = float("inf")
    if number is None or not np.isfinite(number):
        raise DataError(
            f"{excerpt(repr(entry), 30)} is not a finite number.",
            where=where,
            how=of_text if isinstance(entry, str) else "Write a number.",
        )
    return number


def number_text(number: float) -> str:
    """Write a number with as few digits as tell it from every other one.

    Examples
    --------
    >>> number_text(0.1), number_text(1e-5), number_text(2.0)
    ('0.1', '1e-5', '2.0')
    """
    return re.sub(r"e([+-])0*(\d)", lambda e: f"e{e[1].strip('+')}{e[2]}", repr(number))
