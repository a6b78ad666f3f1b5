"""Matrices in brackets, as Python, NumPy, MATLAB and their relatives write or print them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.errors import NumeralError, excerpt
from engine.numerals.splitting import Rows, at_commas, at_spaces

__all__ = ["bracketed"]

_BEFORE = re.compile(r"\s*(?:[^\W\d]\w*\s*=(?!=)\s*)?((?:[^\W\d]\w*\.)*[^\W\d]\w*\s*\()?\s*(?=[\[({])")
_OPTION = r"\s*,\s*\w+\s*=\s*[\w.'\"<>: ]*(?:\([^()]*\))?"
_AFTER = re.compile(rf"(?:{_OPTION})*\s*,?\s*(\))?\s*(\.T|\.?')?\s*;?\s*")
_CALLS = ("array", "asarray", "tensor", "matrix", "mat", "Tensor", "Matrix", "list", "tuple")
_SCALAR = re.compile(r"\b(?:np|numpy)\.(?:float|int)\d+\(([^()]*)\)")  # as NumPy writes its numbers in a list
_MARK = re.compile(r"[\[\](){},]")
_CLOSING = {"[": "]", "(": ")", "{": "}"}
MAX_DEPTH = 50
MAX_AROUND = 300  # characters before and after the brackets that are looked at


@dataclass(slots=True)
class _Group:
    """What stands between a bracket and its mate."""

    sign: str
    start: int  # the first character inside
    parent: int
    end: int = -1
    has_comma: bool = False


def bracketed(text: str) -> Rows | None:
    """Return the cells of a matrix in brackets, None where `text` is not one."""
    text = _SCALAR.sub(r"\1", text) if ".float" in text or ".int" in text else text
    before = _BEFORE.match(text[:MAX_AROUND])
    if before is None:
        return None
    call = (before[1] or "").rstrip(" (").rpartition(".")[2]
    if before[1] and call not in _CALLS:
        return None
    if "..." in text or "…" in text:
        raise NumeralError(
            "the matrix is shortened with dots.", how="Print it whole: np.set_printoptions(threshold=np.inf)."
        )
    groups = _groups(text, before.end())
    top = groups[0]
    if top.sign == "(" and not top.has_comma:
        return None  # the parentheses of an expression
    turned = _check_after(text[top.end + 1 :], bool(before[1]))
    rows = _rows(text, groups)
    if any(len(row) != len(rows[0]) for row in rows) or not turned:
        return rows
    return [list(column) for column in zip(*rows, strict=True)]


def _groups(text: str, start: int) -> list[_Group]:
    """Return all pairs of brackets from `start` on to the mate of the first."""
    groups: list[_Group] = []
    inner, depth = -1, 0
    for found in _MARK.finditer(text, start):
        sign = found[0]
        if sign in _CLOSING:
            groups.append(_Group(sign, found.end(), inner))
            inner, depth = len(groups) - 1, depth + 1
            if depth > MAX_DEPTH:
                raise NumeralError(
                    f"the block is nested more than {MAX_DEPTH} levels deep.", how="Simplify it."
                )
        elif sign == ",":
            groups[inner].has_comma = True
        else:
            group = groups[inner]
            if sign != _CLOSING[group.sign]:
                raise NumeralError(f"a {_CLOSING[group.sign]} is missing before a {sign}.")
            group.end, inner, depth = found.start(), group.parent, depth - 1
            if inner < 0:
                return groups
    raise NumeralError(f"a {groups[inner].sign} is not closed.", how=f"Add a {_CLOSING[groups[inner].sign]}.")


def _check_after(tail: str, called: bool) -> bool:
    """Say whether the matrix is transposed after its brackets; nothing else may be done to it there."""
    after = _AFTER.fullmatch(tail) if len(tail) <= MAX_AROUND else None
    if after is None or bool(after[1]) != called:
        raise NumeralError(
            f"'{excerpt(tail.strip(), 30)}' stands after the brackets."
            if tail.strip()
            else "a ) is missing.",
            how="Paste one matrix alone.",
        )
    return bool(after[2])


def _rows(text: str, groups: list[_Group]) -> Rows:
    lists = [g for i, g in enumerate(groups) if i and _is_list(text, g)]
    top = groups[0]
    rows = [g for g in lists if g.parent == 0]
    if len(rows) < len(lists):
        raise NumeralError("the block has more than two axes.", how="Write a list of rows of numbers.")
    if not rows:
        inside = text[top.start : top.end].strip()
        return [_cells(row, i) for i, row in enumerate(inside.removesuffix(";").split(";"))]
    ends = [top.start - 1, *(g.end for g in rows)]
    starts = [*(g.start - 1 for g in rows), top.end]
    for i, (end, start) in enumerate(zip(ends, starts, strict=True)):
        between = text[end + 1 : start].strip(" \t\n,;")
        if between:
            raise NumeralError(
                f"'{excerpt(between, 30)}' stands outside the rows.", i + 1, how="Put it into one."
            )
    return [_cells(text[g.start : g.end], i) for i, g in enumerate(rows)]


def _is_list(text: str, group: _Group) -> bool:
    """Say whether a pair of brackets holds a list, not arguments or a part in parentheses."""
    if group.sign != "(":
        return True
    return group.has_comma and not text[: group.start - 1][-1:].isalnum()


def _cells(inside: str, i: int) -> list[str]:
    cells = at_commas(inside.replace("\n", " ")) or at_spaces(inside)
    if not cells:
        raise NumeralError("this row is empty.", i + 1, how="Give it numbers.")
    return cells
