"""How numbers and shapes are written on the screen (no Qt).

Four significant digits, a true minus sign, never ``−0``, and words for what is not a number.
A number that is exactly what its text says loses its trailing zeros (``0.5``), a rounded one keeps
them (``0.6780``), so a reader can tell the two apart.

Examples
--------
>>> format_number(0.67801), format_number(0.5), format_number(-1.23456e-7)
('0.6780', '0.5', '−1.235e−7')
>>> signed(0.05), signed(-0.0), compact(0.0567, 5)
('+0.05', '0', '+.057')
"""

from __future__ import annotations

import math
from collections.abc import Sequence

MINUS = "−"
TIMES = "×"
LARGE = 1e6
"""From here on numbers are written in powers of ten."""
SMALL_EXPONENT = -4
"""Below ten to this power numbers are written in powers of ten."""

NOTHING = "≈0"
"""What stands for a number that is too small to be written, or mere rounding."""
NOT_A_NUMBER = "not a number"
INFINITE = "infinite"


def format_number(x: float, digits: int = 4) -> str:
    """Write a number for reading.

    Parameters
    ----------
    x : float
        Any real number, also nan and infinities.
    digits : int
        Significant digits. Whole numbers below a million are written in full.

    Returns
    -------
    str
        For example ``"0.6780"``, ``"−12"``, ``"1.235e−7"``, ``"not a number"``.
    """
    x = float(x)
    if not math.isfinite(x):
        return _in_words(x)
    if x == 0:
        return "0"
    if x == int(x) and abs(x) < LARGE:
        return _with_true_minus(str(int(x)))
    return _with_true_minus(_shortest(x, digits))


def signed(x: float, digits: int = 4) -> str:
    """Write a number with its sign always printed; zero has none."""
    text = format_number(x, digits)
    return f"+{text}" if x > 0 else text


def compact(x: float, chars: int) -> str:
    """Write a signed number in at most `chars` characters, for narrow cells.

    The leading zero goes first (``+.057``), then digits. A value too small for the room is ``≈0``:
    only a true zero is written ``0``.
    """
    x = float(x)
    if not math.isfinite(x):
        return {"nan": "nan", "inf": "+∞", "-inf": f"{MINUS}∞"}[str(x)]
    if x == 0:
        return "0"
    candidates = (_without_leading_zero(signed(x, digits)) for digits in (4, 3, 2, 1))
    fitting = next((text for text in candidates if len(text) <= chars), None)
    return fitting or _squeezed(x, chars)


def full(x: float) -> str:
    """Write a number so that reading it back gives an equal one: for hovering and copying."""
    return repr(float(x) + 0.0)


def shape_text(shape: Sequence[int], names: Sequence[str | None] = ()) -> str:
    """Write a shape, by the names of its dimensions where they are given.

    Examples
    --------
    >>> shape_text((4, 12)), shape_text((4, 12), ("k", "m")), shape_text(())
    ('4 × 12', 'k × m', 'scalar')
    """
    if not shape:
        return "scalar"
    padded = list(names) + [None] * (len(shape) - len(names))
    return f" {TIMES} ".join(name or str(size) for size, name in zip(shape, padded, strict=False))


def shape_and_names(shape: Sequence[int], names: Sequence[str | None] = ()) -> str:
    """Write a shape with its names behind it: ``4 × 12 (k × m)``."""
    sizes, named = shape_text(shape), shape_text(shape, names)
    return sizes if sizes == named else f"{sizes} ({named})"


def _in_words(x: float) -> str:
    if math.isnan(x):
        return NOT_A_NUMBER
    return INFINITE if x > 0 else MINUS + INFINITE


def _shortest(x: float, digits: int) -> str:
    """`x` to `digits` significant digits, plain or in powers of ten, whichever reads better."""
    mantissa, _, power = f"{x:.{digits - 1}e}".partition("e")
    exponent = int(power)
    if SMALL_EXPONENT <= exponent < round(math.log10(LARGE)):
        return _unpadded(f"{x:.{max(0, digits - 1 - exponent)}f}", x)
    return f"{_unpadded(mantissa, x, exponent)}e{exponent}"


def _unpadded(text: str, x: float, exponent: int = 0) -> str:
    """Drop trailing zeros, unless they say that the number was rounded."""
    if "." not in text or float(f"{text}e{exponent}") != x:
        return text
    return text.rstrip("0").rstrip(".")


def _with_true_minus(text: str) -> str:
    return text.replace("-", MINUS)


def _without_leading_zero(text: str) -> str:
    return text[0] + text[2:] if text[1:3] == "0." else text


def _squeezed(x: float, chars: int) -> str:
    """Say what is left when even one significant digit is too long."""
    sign = "+" if x > 0 else MINUS
    decimals = _without_leading_zero(f"{sign}{abs(x):.{max(0, chars - 2)}f}")
    rounds_to_nothing = float(decimals[1:] or 0) == 0
    if not rounds_to_nothing and len(decimals) <= chars:
        return decimals
    digit, _, exponent = f"{abs(x):.0e}".partition("e")
    scientific = _with_true_minus(f"{sign}{digit}e{int(exponent)}")
    if len(scientific) <= chars:
        return scientific
    return NOTHING[-chars:] if abs(x) < 1 else f"{sign}…"[:chars]
