"""The cells of a line: parted by commas, or by spaces that do not belong to an expression."""

from __future__ import annotations

import re

__all__ = ["Rows", "at_commas", "at_spaces"]

Rows = list[list[str]]

_AROUND_PRODUCT = re.compile(r" ?(\*\*|[*/@]) ?")
_AROUND_SUM = re.compile(r"(?<=\S) ([+-]) |(?<=[^ +\-*/@(])([+-]) ")


def at_commas(line: str) -> list[str] | None:
    """Return the cells between commas, those in parentheses aside; None where there is no comma.

    Examples
    --------
    >>> at_commas("1, max(2, 3),")
    ['1', 'max(2, 3)']
    """
    if "," not in line:
        return None
    cells = line.split(",")
    if "(" in line:
        cells = _rejoined(cells, ",")
    cells = [cell.strip() for cell in cells]
    return cells[:-1] if len(cells) > 1 and not cells[-1] else cells


def at_spaces(line: str) -> list[str]:
    """Return the cells between spaces; an operator with a space on both sides, or none, joins.

    Examples
    --------
    >>> at_spaces("1 -2  3 - 4 sqrt( 2 ) 1 / 3")
    ['1', '-2', '3-4', 'sqrt( 2 )', '1/3']
    """
    if any(sign in line for sign in ("/", "*", "@", "+ ", "- ")):
        line = _AROUND_PRODUCT.sub(r"\1", " ".join(line.split()))
        line = _AROUND_SUM.sub(lambda m: m[1] or m[2], line)
    cells = line.split()
    return _rejoined(cells, " ") if "(" in line else cells


def _rejoined(cells: list[str], separator: str) -> list[str]:
    """Put together again what was parted inside parentheses."""
    found: list[list[str]] = []
    depth = 0
    for cell in cells:
        if depth > 0:
            found[-1].append(cell)
        else:
            found.append([cell])
        depth += cell.count("(") - cell.count(")")
    return [separator.join(parts) for parts in found]
