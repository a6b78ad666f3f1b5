r"""Blocks of numbers: from a spreadsheet, NumPy, LaTeX, MATLAB, a CSV; told apart by what they look like.

A text that can be read in two ways, as ``1,2`` can, is read as the array of the shape that is wanted; where
that does not decide either, the text is refused rather than guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from engine.errors import NumeralError, excerpt
from engine.numerals.brackets import bracketed
from engine.numerals.latex import is_latex, latex_rows
from engine.numerals.number import LARGEST, cell, expression, readable, without_spaces
from engine.numerals.splitting import Rows, at_commas, at_spaces

__all__ = ["MAX_CHARACTERS", "array"]

Array = np.ndarray
MAX_CHARACTERS = 1_000_000
MAX_EXPRESSIONS = 10_000
_MARKUP = re.compile(
    r"\s*<(?:!doctype|!--|html|head|body|meta|table|tbody|thead|tr|td|th|div|span|p|\?xml)\b", re.I
)
_FINE_SPACE = re.compile(r"(?<=\d)[\u00a0\u2007\u2009\u202f](?=\d{3}(?!\d))")


class Reading(NamedTuple):
    """One way to read a text: its cells, and what the decimals come after."""

    rows: Rows
    mark: str = "."
    is_table: bool = True  # then a single cell is a number, not a matrix of one entry


def array(text: str, shape: tuple[int, ...] | None = None) -> Array:
    r"""Return the numbers of `text`: of no axes for a single number, otherwise rows and columns.

    Parameters
    ----------
    text
        Lines with tabs, semicolons, commas or spaces between the numbers; ``[[1, 2], [3, 4]]`` as Python
        writes it or prints it without commas; ``array(...)``; ``[1 2; 3 4]``; a LaTeX matrix. A list is a
        row.
        Each cell is a number or an expression of constants; decimals come after a point or a comma.
    shape
        The shape that is wanted, where the text can be read in more than one way.

    Raises
    ------
    NumeralError
        With row and column, for anything else: words, ragged rows, more than two axes, numbers that are not
        finite, a text of more than `MAX_CHARACTERS` characters.

    Examples
    --------
    >>> array("1/3").shape, array("1\t2,5\n3\t4").tolist(), array("[1 2; 3 4]").tolist()
    ((), [[1.0, 2.5], [3.0, 4.0]], [[1.0, 2.0], [3.0, 4.0]])
    >>> array("0,5\n1,5", shape=(2, 1)).tolist()
    [[0.5], [1.5]]
    """
    if len(text) > MAX_CHARACTERS:
        raise NumeralError(
            f"the text has {len(text):,} characters; at most {MAX_CHARACTERS:,} are read.",
            how="Read so many numbers from a CSV file instead.",
        )
    found: list[Array] = []
    errors: list[NumeralError] = []
    for reading in _readings(_FINE_SPACE.sub("", readable(text))):
        try:
            value = _values(reading)
        except NumeralError as error:
            errors.append(error)
            continue
        if not any(np.array_equal(value, other) for other in found):
            found.append(value)
    if not found:
        # the reading that came furthest is the one that was meant
        raise max(errors, key=lambda error: (error.row or 0, error.column or 0))
    return _chosen(found, shape)


def _chosen(found: Sequence[Array], shape: tuple[int, ...] | None) -> Array:
    fitting = [a for a in found if a.shape == shape] or [a for a in found if not a.ndim] or found
    if len(fitting) == 1:
        return fitting[0]
    a, b = fitting[:2]
    if a.shape == b.shape:
        what = "a comma in it may part decimals or thousands."
        raise NumeralError(what, how="Write decimals after a point and thousands together.")
    what = (
        f"it may have the shape {_shape(a)} or {_shape(b)}: a comma or semicolon in it can mean two things."
    )
    raise NumeralError(what, how="Write decimals after a point, or tabs between the numbers.")


def _shape(array: Array) -> str:
    return " × ".join(map(str, array.shape)) or "()"


# --- the ways to read a text -------------------------------------------------------------------------------


def _readings(text: str) -> Iterator[Reading]:
    if not text.strip():
        raise NumeralError("there are no numbers.", how="Copy some, such as a range of a spreadsheet.")
    if _MARKUP.match(text):
        raise NumeralError(
            "this is HTML, not numbers.", how="Copy the cells themselves, or paste as plain text."
        )
    rows = latex_rows(text) if is_latex(text) else None
    if rows is not None:
        yield from _marked(rows)
        return
    rows = bracketed(text)
    if rows is not None:
        yield Reading(rows, is_table=False)
        return
    yield from _tables([line for line in text.split("\n") if line.strip()])


def _tables(lines: Sequence[str]) -> Iterator[Reading]:
    text = "\n".join(lines)
    if "\t" in text:
        yield from _marked([[c.strip() for c in line.split("\t")] for line in lines])
    elif ";" in text:
        ended = all(line.rstrip().endswith(";") for line in lines)
        lines = [line.rstrip().removesuffix(";") if ended else line for line in lines]
        yield from _marked([[c.strip() for c in line.split(";")] for line in lines])
        if len(lines) == 1:  # rows, as MATLAB writes them
            yield Reading([at_commas(row) or at_spaces(row) for row in lines[0].split(";")])
    else:
        if "," in text:
            yield Reading([at_commas(line) or [line.strip()] for line in lines])
        yield from _marked([at_spaces(line) for line in lines])


def _marked(rows: Rows) -> Iterator[Reading]:
    """Yield a table with a decimal point, and where its cells allow it with a decimal comma."""
    yield Reading(rows)
    if any("," in c or c.count(".") > 1 for row in rows for c in row):
        yield Reading(rows, ",")


# --- cells to numbers --------------------------------------------------------------------------------------


def _values(reading: Reading) -> Array:
    rows, width = reading.rows, len(reading.rows[0])
    if not any(rows):
        raise NumeralError("there are no numbers, only what parts them.", how="Write some, such as 1; 2.")
    for i, row in enumerate(rows):
        if len(row) != width:
            _refuse_ragged(rows, i)
    values = _at_once(rows) if reading.mark == "." else None
    if values is None:
        values = _one_by_one(rows, reading.mark)
    values = values.reshape(len(rows), width)
    return values.reshape(()) if reading.is_table and values.size == 1 else values


def _refuse_ragged(rows: Rows, i: int) -> None:
    count, width = len(rows[i]), len(rows[0])
    what = f"it has {count} number{'s' * (count != 1)} where the first row has {width}."
    raise NumeralError(what, i + 1, how="Give every row as many.")


def _at_once(rows: Rows) -> Array | None:
    """Return the numbers of rows where all are written as programs write them, None otherwise."""
    try:
        values = np.fromiter(map(float, chain.from_iterable(rows)), float)
    except ValueError:
        return None
    return values + 0.0 if np.all(np.abs(values) <= LARGEST) else None


def _one_by_one(rows: Rows, mark: str) -> Array:
    """Return the numbers of rows of any cells; the same text is worked out once."""
    known: dict[str, float] = {}
    expressions = 0
    values = np.empty((len(rows), len(rows[0])))
    for i, row in enumerate(rows):
        for j, text in enumerate(row):
            value = known.get(text)
            if value is None:
                value = known[text] = _read(rows, i, j, mark)
                expressions += "(" in text or "/" in text or "*" in text
            values[i, j] = value
        if expressions > MAX_EXPRESSIONS:
            what = f"there are more than {MAX_EXPRESSIONS:,} expressions."
            raise NumeralError(what, i + 1, how="Paste them as numbers.")
    return values


def _read(rows: Rows, i: int, j: int, mark: str) -> float:
    text = rows[i][j]
    try:
        return _number(text, mark)
    except NumeralError as error:
        how = "Leave the names out." if i == 0 < len(rows) - 1 and text[:1].isalpha() else error.how
        raise NumeralError(error.what, i + 1, j + 1, how=how) from None


def _number(text: str, mark: str) -> float:
    """Return what a cell says that is no plain number."""
    text = without_spaces(text.removeprefix("="))
    if not text:
        raise NumeralError("this cell is empty.", how="Give it a number.")
    pieces = text.split()
    if len(pieces) > 1 and all(cell(piece, ".") is not None for piece in pieces[:2]):
        raise NumeralError(f"'{excerpt(text, 30)}' is more than one number.", how="Part all numbers alike.")
    value = cell(text, mark)
    if value is not None:
        return value
    if "," in text and "(" not in text:
        raise NumeralError(f"'{excerpt(text, 30)}' is not a number.", how="Write one, such as 0.5 or 1/3.")
    return expression(text)
