"""Formulas in postfix order with one operation left out or done otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from engine.alterations import Change
from engine.formula import Item
from graphs.mistakes.record import Slip
from graphs.mistakes.words import operand_missing

__all__ = ["operands", "other_items"]

Items = tuple[Item, ...]
_SAME = {"·": "*"}  # what is missing in a product, whichever it is


def other_items(items: Items, write: Callable[[Items], str]) -> Iterator[tuple[str, str, Items]]:
    """Yield a formula with one operation left out or its sign turned, outermost first: kind, hint, formula.

    Parameters
    ----------
    write
        From a part of the formula to what it is called in a hint.
    """
    for i, item in reversed(list(enumerate(items))):
        if item.kind != "op":
            continue
        spans = operands(items, i)
        before, after = items[: spans[0][0]], items[i + 1 :]
        parts = [items[a:b] for a, b in spans]
        name = _SAME.get(item.text, item.text)
        for kept, missing in ((0, 1), (1, 0)) if len(parts) == 2 else ():
            told = operand_missing(name, [write(part) for part in parts], missing)
            if told is not None:
                yield *told, (*before, *parts[kept], *after)
                if item.text == "-" and missing == 0:  # what is subtracted, with its minus
                    yield *told, (*before, *parts[kept], _minus(item), *after)
        if item.text in ("+", "-"):
            other = item._replace(text="-" if item.text == "+" else "+")
            yield Change.SIGN, f"Look at the sign of {write(parts[1])}.", (*items[:i], other, *after)
        if len(parts) == 1:
            kind, sentence = _without(item.text, write(parts[0]))
            if sentence:
                yield kind, sentence, (*before, *parts[0], *after)


def _minus(item: Item) -> Item:
    return item._replace(text="neg", arity=1, attrs=())


def _without(name: str, part: str) -> tuple[str, str]:
    """Return what is said where an operation on one value is left out."""
    if name == "neg":
        return Change.SIGN, f"Look at the sign of {part}."
    if name == "T":
        return Change.TRANSPOSE, f"A transpose is missing: that of {part}."
    if name == "sqrt":
        return Slip.OPERATION, f"The root of {part} is missing."
    if not name.isidentifier():  # an entry, a derivative: without it there is something else altogether
        return "", ""
    return Slip.OPERATION, f"{name.replace('_', ' ')} of {part} is missing."


def operands(items: Sequence[Item], i: int) -> list[tuple[int, int]]:
    """Return where the operands of an operation in postfix order begin and end."""
    found, end = [], i
    for _ in range(items[i].arity):
        start, needed = end, 1
        while needed:
            start -= 1
            needed += items[start].arity - 1 if items[start].kind == "op" else -1
        found.append((start, end))
        end = start
    return found[::-1]
