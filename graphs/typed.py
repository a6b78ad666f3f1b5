"""What a learner types, read: numbers with the digits that were given, matrices, shapes, choices, names.

Formulas are read by :mod:`engine.calculator`. Everything that cannot be read is said in one sentence.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from engine.calculator import evaluate
from engine.errors import LessonError, NumeralError, excerpt
from engine.names import plain_name
from engine.numerals import array, number
from engine.shapes import Dims
from graphs.definition import Array

__all__ = ["PROMPTS", "Given", "chosen", "dims_by_name", "matrix_of", "names_in", "number_of", "shape_of"]

PROMPTS = {
    "number": "a number, or an expression: 2/7",
    "shape": "rows × columns, such as 17 × 23",
    "expression": "a formula, such as 2 * P - Q",
    "matrix": "[[1, 2], [3, 4]]",
    "name": "the name of a node",
}
"""What stands in an empty field, by the kind of answer: an example that is hardly ever the answer."""
LONGEST = 10_000
FLOAT = 17  # significant digits
_LITERAL = re.compile(
    r"[-+−–]?\s*(\d*)[.,]?(\d*)(?:\s*(?:[eE]|[·*×]\s*10\s*(?:\^|\*\*)?)\s*([-+−–⁻⁺]?\s*[\d⁰¹²³⁴-⁹]+))?"
)


class Given(NamedTuple):
    """Numbers as they were typed.

    Attributes
    ----------
    values
        The numbers.
    unit
        Half of what their last digit counts, by which they may be rounded; 0 for what was worked out.
    digits
        How many significant digits they have; what was worked out has as many as a float.
    """

    values: Array
    unit: Array
    digits: Array

    @classmethod
    def exactly(cls, values: Array) -> Given:
        """Return numbers that were worked out, not rounded."""
        return cls(values, np.zeros(values.shape), np.full(values.shape, FLOAT))

    def each(self, change: Callable[[Array], Array]) -> Given:
        """Return what becomes of numbers, units and digits alike, as of transposing."""
        return Given(*map(change, self))


def number_of(text: str, names: Mapping[str, Array]) -> Given:
    """Return a number: as people write one, with %, or a formula that comes to one.

    Raises
    ------
    BackstepError
        For what is neither, in one sentence.

    Examples
    --------
    >>> found = number_of("0,25", {})
    >>> float(found.values), float(found.unit), int(found.digits)
    (0.25, 0.005, 2)
    """
    _bounded(text)
    unit, digits = _rounding(text)
    percent = text.rstrip().endswith("%")
    bare = text.rstrip().removesuffix("%") if percent else text
    try:
        value = number(bare) / (100 if percent else 1)
    except NumeralError:
        if not _has_names(bare):
            raise
        return Given(_by_formula(text, names), np.asarray(unit), np.asarray(digits))
    return Given(np.asarray(value), np.asarray(unit), np.asarray(digits))


def _has_names(text: str) -> bool:
    return bool(re.search(r"[^\W\d]|[∂√½²³|‖^·×]", text))


def _by_formula(text: str, names: Mapping[str, Array]) -> Array:
    value = evaluate(text, names)
    if value.size != 1:
        shape = "×".join(map(str, value.shape))
        raise LessonError(
            f"one number is wanted, and this has the shape {shape}.", how="Write its entry, such as A[0, 0]."
        )
    return value.reshape(())


def _bounded(text: str) -> None:
    if len(text) > LONGEST:
        raise LessonError(f"this is longer than {LONGEST:,} characters.", how="Shorten it.")
    if not text.strip():
        raise LessonError("there is no answer yet.", how="Type one.")


def _rounding(text: str) -> tuple[float, int]:
    """Return half a unit in the last place of a literal number, and its significant digits."""
    percent = text.strip().endswith("%")
    match = _LITERAL.fullmatch(text.strip().removesuffix("%").strip())
    if match is None or not (match[1] or match[2]):
        return 0.0, FLOAT
    exponent = (
        unicodedata.normalize("NFKC", match[3] or "0").replace("−", "-").replace(" ", "").replace("–", "-")
    )
    digits = len((match[1] + match[2]).lstrip("0"))
    place = int(exponent) - len(match[2]) - 2 * percent if len(exponent) < 5 else 0
    return 0.5 * 10.0**place if abs(place) < 300 else 0.0, digits


def matrix_of(text: str, names: Mapping[str, Array], shape: tuple[int, ...]) -> Given:
    """Return a matrix: numbers as people write or paste them, or a formula.

    Raises
    ------
    BackstepError
        For what is neither.
    """
    _bounded(text)
    try:
        values = array(text, shape)
    except NumeralError:
        if not _has_names(text):
            raise
        values = evaluate(text, names, shape)
        return Given.exactly(values)
    if not values.size:
        raise LessonError("there are no numbers.", how="Write them row by row: [[1, 2], [3, 4]].")
    for pattern in _PIECES:
        literals = [_rounding(piece) for piece in pattern.findall(text)]
        if len(literals) == values.size:
            units, digits = (np.array(column).reshape(values.shape) for column in zip(*literals, strict=True))
            return Given(values, units, digits)
    return Given.exactly(values)


_EXPONENT = r"(?:[eE][-+]?\d+)?"
_PIECES = (re.compile(rf"[-+−]?[\d.]*\d\.?{_EXPONENT}"), re.compile(rf"[-+−]?[\d,]*\d{_EXPONENT}"))
"""How the numbers of a matrix are found in its text: with a decimal point, with a decimal comma."""


# --- shapes ------------------------------------------------------------------------------------------------

_SCALAR = {"scalar", "ascalar", "()", "number", "anumber", "0d", "[]", "1number", "onenumber"}
_BETWEEN = re.compile(r"\s*(?:×|x|X|\*|·|,|;|by|times)\s*|\s+")
_AROUND = re.compile(r"^\s*(?:ℝ|R|\\mathbb\{R\})?\s*\^?\s*[\[({]+|[\])},]+\s*$|^\s*(?:shape|size)\s*[:=]?\s*")


def shape_of(text: str, dims: Mapping[str, int]) -> tuple[int, ...]:
    """Return a shape in any spelling: ``4x3``, ``(4, 3)``, ``4 by 3``, ``k×m``, ``scalar``.

    Parameters
    ----------
    dims
        The sizes of dimensions by name, such as k and m.

    Raises
    ------
    LessonError
        For what is no shape.

    Examples
    --------
    >>> shape_of("k × m", {"k": 4, "m": 50}), shape_of("(4, 3)", {}), shape_of("scalar", {})
    ((4, 50), (4, 3), ())
    """
    _bounded(text)
    if re.sub(r"[\s-]", "", text.lower()) in _SCALAR:
        return ()
    inner, before = text.strip().rstrip("."), None
    while inner != before:
        before, inner = inner, _AROUND.sub("", inner).strip()
    parts = [part for part in _BETWEEN.split(_spaced(inner, dims)) if part]
    if not 1 <= len(parts) <= 4:
        raise _no_shape(text, dims)
    return tuple(_size(part, dims, text) for part in parts)


def _spaced(text: str, dims: Mapping[str, int]) -> str:
    """Return ``kxm`` with its x apart, where that is no name."""
    match = re.fullmatch(r"(\w+?)x(\w+)", text)
    return f"{match[1]} x {match[2]}" if match and text not in dims else text


def _size(part: str, dims: Mapping[str, int], text: str) -> int:
    if part in dims:
        return dims[part]
    if part.isdecimal() and len(part) < 10:
        return int(part)
    raise _no_shape(text, dims)


def _no_shape(text: str, dims: Mapping[str, int]) -> LessonError:
    known = f", or with {', '.join(dims)}" if dims else ""
    return LessonError(
        f"{excerpt(text, 30)!r} is no shape.", how=f"Write rows × columns, such as 4 × 2{known}, or scalar."
    )


def dims_by_name(dims: Sequence[Dims]) -> dict[str, int]:
    """Return the sizes of the dimensions that have a name."""
    return {d.name: d.size for shape in dims for d in shape if d.name.isidentifier()}


# --- choices and names -------------------------------------------------------------------------------------


def chosen(text: str, choices: Sequence[str]) -> int:
    """Return which choice is meant: by its words, its letter or its number from 1.

    Raises
    ------
    LessonError
        Where it is none of them.
    """
    _bounded(text)
    bare = text.strip().rstrip(".)").lstrip("(").casefold()
    words = [choice.strip().casefold() for choice in choices]
    for place, word in enumerate(words):
        if text.strip().casefold() == word or bare == word.rstrip("."):
            return place
    letters = [chr(ord("a") + i) for i in range(len(choices))]
    numbers = [str(i + 1) for i in range(len(choices))]
    for keys in (letters, numbers):
        if bare in keys:
            return keys.index(bare)
    raise LessonError(f"{excerpt(text, 40)!r} is none of the choices.", how=f"Choose a to {letters[-1]}.")


def names_in(text: str, known: Sequence[str]) -> frozenset[str]:
    """Return the names that are listed, in any spelling: ``ŷ`` is yhat, ``W₁`` and ``W_1`` are W1.

    Raises
    ------
    LessonError
        For a name that is not known.
    """
    _bounded(text)
    spelled = {_canonical(name): name for name in known}
    spelled |= {_canonical(plain_name(name)): name for name in known}
    found = set()
    for word in re.split(r"[\s,;]+|\band\b", text.strip().strip(".{}()[]")):
        if not word or word == "and":
            continue
        if _canonical(word) not in spelled:
            raise LessonError(
                f"{excerpt(word, 30)} is no name here.", how=f"There are: {excerpt(', '.join(known), 120)}."
            )
        found.add(spelled[_canonical(word)])
    return frozenset(found)


def _canonical(text: str) -> str:
    return unicodedata.normalize("NFKC", text).replace("_", "").strip("$")
