"""Formulas as they were typed, with one thing done otherwise: what was wrong if that makes them right."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from engine.alterations import Change
from engine.formula import Item
from graphs.mistakes.items import operands
from graphs.mistakes.record import Slip

__all__ = ["Mending", "as_matrices", "mendings"]

Items = tuple[Item, ...]
Shape = tuple[int, ...] | None
_PRODUCTS = ("@", "·", "*")
_TRANSPOSE = "A transpose is missing: look at the shapes of the product."
_ORDER = "Look at the order of the product: the other one comes first."
_MATRICES = "This product is one of matrices, not entry by entry."
_ENTRIES = "This product is taken entry by entry, not as one of matrices: write ⊙ or *."
_AXIS = (
    "Look at the axis of the sum: axis=0 adds up the rows, axis=1 the columns, and every example is a column."
)
_WHOLE = (
    "The sum is one of everything: with axis=1, keepdims=True it adds up the columns alone, the examples."
)


class Mending(NamedTuple):
    """One change of a formula.

    Attributes
    ----------
    kind, sentence
        What was wrong if it makes the formula right.
    items
        The changed formula, in postfix order.
    """

    kind: str
    sentence: str
    items: Items


def mendings(items: Sequence[Item], shape: Callable[[Items], Shape]) -> Iterator[Mending]:
    """Yield a formula with one product, transpose or sum in it done otherwise, the likeliest change first.

    Parameters
    ----------
    shape
        From a part of the formula to the shape of what it comes to; None where it cannot be worked out.
    """
    for i, item in enumerate(items):
        if item.kind != "op":
            continue
        before, after = tuple(items[:i]), tuple(items[i + 1 :])
        if item.text == "T":
            yield Mending(Change.TRANSPOSE, "There is a transpose too much.", (*before, *after))
        elif item.text in ("sum", "mean"):
            for kind, sentence, attrs in _other_axes(dict(item.attrs)):
                yield Mending(kind, sentence, (*before, item._replace(attrs=attrs), *after))
        elif item.text in _PRODUCTS:
            yield from _products(items, i, shape)


def as_matrices(items: Sequence[Item], shape: Callable[[Items], Shape]) -> Iterator[Items]:
    """Yield a formula with a product by broadcasting, of a row and a column, done as one of matrices."""
    for i, item in enumerate(items):
        if item.kind == "op" and item.text == "*":
            (start, middle), _ = operands(items, i)
            left, right = tuple(items[start:middle]), tuple(items[middle:i])
            if not _is_entry_by_entry(shape(left), shape(right)):
                before, after, product = items[:start], items[i + 1 :], item._replace(text="@")
                yield (*before, *left, *right, product, *after)
                yield (*before, *right, *left, product, *after)


def _products(items: Sequence[Item], i: int, shape: Callable[[Items], Shape]) -> Iterator[Mending]:
    """Yield the product at a place with a transpose, the other way round, and of the other kind."""
    item, ((start, middle), _) = items[i], operands(items, i)
    left, right = tuple(items[start:middle]), tuple(items[middle:i])
    before, after = tuple(items[:start]), tuple(items[i + 1 :])
    turn, matrices = Item("op", "T", 1, (), item.line, item.column), item._replace(text="@")
    yield Mending(Change.TRANSPOSE, _TRANSPOSE, (*before, *left, turn, *right, matrices, *after))
    yield Mending(Change.TRANSPOSE, _TRANSPOSE, (*before, *left, *right, turn, matrices, *after))
    yield Mending(Change.ORDER, _ORDER, (*before, *right, *left, matrices, *after))
    if item.text == "*":
        yield Mending(Change.ELEMENTWISE, _MATRICES, (*before, *left, *right, matrices, *after))
    elif _is_entry_by_entry(shape(left), shape(right)):
        entries = item._replace(text="*")
        yield Mending(Slip.MATRICES, _ENTRIES, (*before, *left, *right, entries, *after))


def _is_entry_by_entry(left: Shape, right: Shape) -> bool:
    """Say whether one of two shapes is that of their product: a row times a column is one of matrices."""
    if left is None or right is None:
        return False
    try:
        return np.broadcast_shapes(left, right) in (left, right)
    except ValueError:
        return False


def _other_axes(attrs: dict[str, object]) -> Iterator[tuple[str, str, tuple[tuple[str, object], ...]]]:
    """Yield a sum along the other axis, and one of everything along each."""
    axis = attrs.get("axis")
    for other in (0, 1):
        if axis != other:
            sentence = _WHOLE if axis is None and other == 1 else _AXIS
            yield Slip.AXIS, sentence, (("axis", other), ("keepdims", True))
