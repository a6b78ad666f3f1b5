"""One number: as a program, a spreadsheet or a hand writes it, or an expression of constants."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from engine.errors import FormulaError, NumeralError, excerpt
from engine.formula import Item, Statement, parse
from engine.ops import OPS

__all__ = ["LARGEST", "cell", "expression", "number", "readable", "without_spaces"]

LARGEST = 1e300
"""The largest magnitude taken: sums and products of larger ones leave the floats at once."""
MAX_CHARACTERS = 1000
CONSTANTS = {"pi": math.pi, "e": math.e}

_PLAIN = re.compile(r"[+-]?(?:\d+(?:_\d+)*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_COMMA_DECIMAL = re.compile(r"[+-]?(?:\d+(?:,\d+)?|,\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_GROUPED = {
    mark: re.compile(rf"([+-]?\d{{1,3}}(?:{re.escape(group)}\d{{3}})+)({re.escape(mark)}\d*)?", re.ASCII)
    for mark, group in ((".", ","), (",", "."))
}
_GROUPED_BY_SPACE = re.compile(r"(?<=\d)[ '\u00a0\u2007\u2009\u202f\u2019](?=\d{3}(?!\d))")
_SPACED = re.compile(r"[+-]?\d{1,3}(?:[ '\u00a0\u2007\u2009\u202f\u2019]\d{3})+(?:[.,]\d*)?", re.ASCII)
_NOT_FINITE = re.compile(r"[+-]?(?:nan|inf|infinity|∞|#n/a|#num!|#div/0!|#value!)", re.IGNORECASE)
_SIGNS = str.maketrans({"−": "-", "–": "-", "﹣": "-", "－": "-", "×": "*", "·": "*", "⋅": "*", "π": "pi"})
_VULGAR = re.compile("([0-9]*) ?([¼½¾⅐-⅞↉])")


def number(text: str) -> float:
    r"""Return the one number that `text` says.

    Parameters
    ----------
    text
        A number (``0.5``, ``.5``, ``1e-3``, ``1_000``, ``0,5``, ``−2``, ``½``) or an expression of constants
        in the formula language, with ``pi`` and ``e``.

    Raises
    ------
    NumeralError
        For anything else, and for what is not finite, in one sentence.

    Examples
    --------
    >>> number("1/3"), number("0,5"), number("-2**2"), number("1.234,5")
    (0.3333333333333333, 0.5, -4.0, 1234.5)
    """
    stripped = readable(text).strip()
    if not stripped:
        raise NumeralError("there is no number.", how="Write one, such as 0.5 or 1/3.")
    if "\n" in stripped or "\t" in stripped or _are_several(stripped):
        raise NumeralError(
            "one number is wanted here, not several.", how="Paste a block onto the matrix instead."
        )
    found = dict.fromkeys(_readings(stripped))
    if len(found) == 2:
        a, b = (f"{value:.15g}" for value in found)
        raise NumeralError(f"{excerpt(stripped, 30)} may mean {a} or {b}.", how="Write it without the comma.")
    return next(iter(found)) if found else expression(stripped.removeprefix("="))


def _are_several(text: str) -> bool:
    pieces = text.split(maxsplit=2)
    return len(pieces) > 1 and not _SPACED.fullmatch(text) and all(map(_PLAIN.fullmatch, pieces[:2]))


def _readings(text: str) -> Iterator[float]:
    """Yield what a number alone can mean: its comma may part the decimals, or the thousands."""
    text = without_spaces(text)
    for mark in (".", ",") if "," in text or text.count(".") > 1 else (".",):
        value = cell(text, mark)
        if value is not None:
            yield value


def readable(text: str) -> str:
    """Return `text` with the signs of a keyboard: hyphens for minus signs, lines ended alike."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    if text.isascii():
        return text
    return _VULGAR.sub(_vulgar, text.translate(_SIGNS)).replace("\u200b", "")


def _vulgar(match: re.Match[str]) -> str:
    numerator, _, denominator = unicodedata.normalize("NFKC", match[2]).partition("\u2044")
    return f"({match[1] or 0}+{numerator}/{denominator})"


def without_spaces(text: str) -> str:
    """Return a number without the spaces or apostrophes between its thousands; anything else as it is."""
    return _GROUPED_BY_SPACE.sub("", text) if _SPACED.fullmatch(text) else text


def cell(text: str, mark: str) -> float | None:
    """Return a number whose decimals come after `mark`, None where `text` is none."""
    plain = _PLAIN if mark == "." else _COMMA_DECIMAL
    if plain.fullmatch(text):
        return _finite(float(text.replace(",", ".")), text)
    grouped = _GROUPED[mark].fullmatch(text)
    if grouped is None or grouped[1].lstrip("+-").startswith("0"):  # nobody writes 0,500 for five hundred
        return None
    whole = re.sub("[.,]", "", grouped[1])
    return _finite(float(whole + (grouped[2] or "").replace(",", ".")), text)


def _finite(value: Any, text: str) -> float:
    if not abs(value) <= LARGEST:
        raise NumeralError(f"{excerpt(text, 30)} is too large.", how="The largest number taken is 1e300.")
    return float(value) + 0.0  # a zero has no sign here


# --- expressions -------------------------------------------------------------------------------------------


def expression(text: str) -> float:
    """Return what an expression of constants comes to.

    Raises
    ------
    NumeralError
        Where it is none, has names, or is not a finite number.
    """
    if _NOT_FINITE.fullmatch(text.strip()):
        raise NumeralError(
            f"{text.strip()} is not a finite number.", how="Parameters and data take finite ones."
        )
    if len(text) > MAX_CHARACTERS:
        raise NumeralError(
            f"{excerpt(text, 40)} is longer than {MAX_CHARACTERS:,} characters.", how="Shorten it."
        )
    if ";" in text or "\n" in text:
        raise NumeralError(f"{excerpt(text, 30)} is more than one number.", how="Write one.")
    return _finite(_worked_out(_parsed(text), text), text)


def _parsed(text: str) -> Statement:
    try:
        statements = parse(f"x = {text}")
    except FormulaError as error:
        raise NumeralError(f"{excerpt(text, 30)}: {error.what}", how=_how(text, error)) from None
    return statements[0]


def _how(text: str, error: FormulaError) -> str:
    """Return the advice of the formula language where it is about numbers."""
    about_others = ("README", "Put ", ".T", "line", "NAME")
    if error.how.startswith("There are: "):
        return "Use functions of one number, such as sqrt, exp or log."
    if "=" in text or not error.how or any(words in error.how for words in about_others):
        return "Write a number or an expression such as 1/3."
    return error.how.replace(" or @", "")


def _worked_out(statement: Statement, text: str) -> float:
    stack: list[float] = []
    for item in statement.items:
        if item.kind == "op":
            args = stack[len(stack) - item.arity :]
            del stack[len(stack) - item.arity :]
            stack.append(_applied(item, args))
        else:
            stack.append(float(item.text) if item.kind == "number" else _constant(item.text, text))
    return stack[0]


def _constant(name: str, text: str) -> float:
    if name in CONSTANTS:
        return CONSTANTS[name]
    if name == text.strip():
        raise NumeralError(f"'{excerpt(name, 30)}' is not a number.", how="Write one, such as 0.5 or 1/3.")
    raise NumeralError(
        f"{excerpt(name, 30)} in {excerpt(text, 40)} is not a number.",
        how="Only pi and e are known by name here.",
    )


def _applied(item: Item, args: Sequence[float]) -> float:
    """Return one operation on numbers; what comes to inf or nan is refused where it arises."""
    op = OPS[item.text]
    if not op.elementwise or item.attrs:
        raise NumeralError(f"{item.text} is for matrices.", how="Write an expression of single numbers.")
    if item.text == "/" and args[1] == 0:
        raise NumeralError(f"{_shown('/', [f'{arg:.6g}' for arg in args])} divides by zero.")
    with np.errstate(all="ignore"):
        value = float(op.compute(*(np.float64(arg) for arg in args)))
    if math.isfinite(value):
        return value
    shown = _shown(item.text, [f"{arg:.6g}" for arg in args])
    if math.isnan(value) or (item.text == "log" and args[0] <= 0):
        raise NumeralError(f"{shown} is not a real number.", how="Write another number.")
    if item.text == "**" and args[0] == 0:
        raise NumeralError(f"{shown} divides by zero.", how="Write another exponent.")
    raise NumeralError(f"{shown} is too large.", how="The largest number taken is 1e300.")


def _shown(name: str, args: Sequence[str]) -> str:
    if name in ("+", "-", "*", "/", "**"):
        left, right = (f"({arg})" if arg.startswith("-") else arg for arg in args)
        return f"{left}{name}{right}" if name == "**" else f"{left} {name} {right}"
    return f"{name}({', '.join(args)})"
