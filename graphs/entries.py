"""What is typed for a name: numbers, or how they are to be drawn."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from engine import numerals
from engine.errors import DataError, excerpt
from graphs.initial import INITS

__all__ = ["Drawn", "entry_text", "number_text", "read_entry", "shape_text"]

Array = np.ndarray
Shape = tuple[str | int, ...]
Wanted = Sequence[int | None]
"""The lengths of the axes that a value should have, None where any will do."""

MOST_SHOWN = 200
"""Numbers that are written out in a field; of more, only the shape is said."""
LARGEST_DENOMINATOR = 99
SPARED = 6
"""Characters that writing a number as a fraction must spare: 1/3 is written so, and 0.375 is not 3/8."""
_DRAWN = re.compile(r"([A-Za-z]+)\s*(.*)", re.DOTALL)
_BETWEEN = re.compile(r"\s*(?:[×xX*,;]|\bby\b)\s*|\s+")


class Drawn(NamedTuple):
    """A parameter that is drawn; it has the shape that the formula needs where `shape` is None."""

    init: str
    shape: Shape | None = None


def read_entry(text: str, wanted: Wanted | None = None) -> Array | Drawn:
    """Return what `text` says: numbers, or an initialiser with or without a shape.

    Parameters
    ----------
    wanted
        The shape that the formula needs, None where it is not known. Numbers in one line become a column
        where a column of so many is needed.

    Raises
    ------
    DataError
        For anything that is neither.

    Examples
    --------
    >>> read_entry("zeros (k × 1)"), read_entry("xavier")
    (Drawn(init='zeros', shape=('k', 1)), Drawn(init='xavier', shape=None))
    >>> read_entry("1/4, 2; 3, 4").tolist(), read_entry("5, 6", (2, None)).tolist()
    ([[0.25, 2.0], [3.0, 4.0]], [[5.0], [6.0]])
    """
    word = _DRAWN.fullmatch(text.strip())
    if word is not None and word[1].lower() in INITS:
        return Drawn(word[1].lower(), _shape(word[2]))
    array = _turned(_numbers(text, _definite(wanted)), text, wanted).copy()
    array.flags.writeable = False
    return array


def _numbers(text: str, shape: tuple[int, ...] | None) -> Array:
    """Return the numbers of `text`; semicolons in a line part rows, as they do in brackets."""
    line = text.strip()
    is_matlab = ";" in line and "\n" not in line and line[0] not in "[\\"
    return numerals.array(f"[{line}]" if is_matlab else text, shape)


def _definite(wanted: Wanted | None) -> tuple[int, ...] | None:
    sizes = tuple(size for size in wanted or () if size is not None)
    return sizes if wanted is not None and len(sizes) == len(wanted) else None


def _turned(array: Array, text: str, wanted: Wanted | None) -> Array:
    """Return numbers written in one line as the column that is wanted, one number as the matrix."""
    if wanted is None or len(wanted) != 2:
        return array
    rows, columns = wanted
    if array.ndim == 0:
        is_one_by_one = {rows, columns} <= {1, None} and not (rows is None and columns == 1)
        return array.reshape(1, 1) if is_one_by_one else array
    is_flat = array.shape[0] == 1 and array.size > 1 and "[[" not in text and ";" not in text
    return array.T if is_flat and rows == array.size and columns in (1, None) else array


def _shape(text: str) -> Shape | None:
    words = [word for word in _BETWEEN.split(text.strip().strip("()[]").strip()) if word]
    if not words:
        return () if text.strip() else None
    entries = tuple(_length(word.strip("\"'")) for word in words)
    if len(entries) != 2:
        raise DataError(
            f"a shape has rows and columns, not {len(entries)} length{'s' * (len(entries) != 1)}.",
            how="Write k × n, 3 × 1, or () for one number.",
        )
    return entries


def _length(word: str) -> str | int:
    if word.isdigit() and len(word) < 7 and 1 <= int(word) <= 100_000:
        return int(word)
    if not word.isidentifier():
        raise DataError(
            f"{excerpt(word, 30)} is not the length of an axis.",
            how="Write a whole number from 1 to 100000, or the name of a dimension.",
        )
    return word


# --- the other way -----------------------------------------------------------------------------------------


def entry_text(value: Array | Drawn) -> str:
    """Return what a field shows for a value, "" for more numbers than are written out.

    A row is a list and any other matrix a list of rows, as in a file.

    Examples
    --------
    >>> entry_text(np.array([[1.0, 0.5], [2.0, 3.0]])), entry_text(np.array([[1 / 3, 2e-5]]))
    ('[[1, 0.5], [2, 3]]', '[1/3, 2e-5]')
    >>> entry_text(Drawn("he", ("k", 1)))
    'he (k × 1)'
    >>> entry_text(Drawn("zeros", ()))
    'zeros'
    """
    if isinstance(value, Drawn):
        return f"{value.init} ({shape_text(value.shape)})" if value.shape else value.init
    if value.size > MOST_SHOWN:
        return ""
    if value.ndim == 0:
        return number_text(float(value))
    rows = [f"[{', '.join(number_text(float(v)) for v in row)}]" for row in np.atleast_2d(value)]
    return rows[0] if len(rows) == 1 and value.size > 1 else f"[{', '.join(rows)}]"


def number_text(value: float) -> str:
    """Return a number as a person would write it: the shortest text that reads back as the same number.

    Examples
    --------
    >>> number_text(0.5), number_text(-0.0), number_text(2 / 3), number_text(1e-7), number_text(0.1 + 0.2)
    ('0.5', '0', '2/3', '1e-7', '0.30000000000000004')
    """
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    mantissa, _, exponent = repr(value).partition("e")
    text = f"{mantissa}e{int(exponent)}" if exponent else mantissa
    fraction = Fraction(value).limit_denominator(LARGEST_DENOMINATOR)
    is_same = fraction.denominator > 1 and fraction.numerator / fraction.denominator == value
    return str(fraction) if is_same and len(str(fraction)) < len(text) - SPARED else text


def shape_text(shape: Sequence[str | int]) -> str:
    """Return a shape in words: ``k × n``, "" for a scalar."""
    return " × ".join(map(str, shape))
