"""A target that is subtracted, as one more row of the data: ``[w b -1] @ [X; 1; y]``.

The coefficient is a number that lies behind the weights and never changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from engine.plan.affine import OWNERS
from engine.plan.layout import Block
from engine.plan.values import Builder, Term, Value, rebuilt, users

__all__ = ["targets_merged"]


class _Merge(NamedTuple):
    """A sum ``scale * (product + coefficient * row)``, where the product is of one row."""

    total: Value
    scale: float
    product: Value
    coefficient: float
    row: Value


def targets_merged(
    builder: Builder, outputs: Sequence[Term], blocks: Sequence[Block], is_free: bool
) -> tuple[list[Term], list[Block]]:
    """Return `outputs` with targets merged, and the blocks with the coefficients behind them.

    Parameters
    ----------
    is_free
        Whether blocks may be given a coefficient; otherwise only those are merged that have theirs.
    """
    ends = [term.value for term in outputs]
    reading = users(ends)
    instead: dict[Value, Term] = {}
    grown_from: set[Value] = set()
    tails = {block.name: block.tail for block in blocks if not block.closed}
    for merge in filter(None, map(_merge_of, reading)):
        left, stack = merge.product.args
        if reading[merge.product] != [merge.total] or stack in grown_from or merge.product in ends:
            continue
        padded = _padded(builder, left, merge.coefficient, tails, is_free)
        if padded is None or not _may_grow(stack, reading):
            continue
        grown_from.add(stack)
        parts = stack.args if stack.kind == "stack" else (stack,)
        grown = builder.stack([*parts, merge.row])
        if stack.kind == "stack":  # what is no stack yet is itself a part of the grown one
            instead[stack] = Term(1.0, builder.rows(grown, 0, stack.shape[0]))
        instead[merge.total] = builder.dot(Term(merge.scale, padded), Term(1.0, grown))
    return rebuilt(builder, outputs, instead), [replace(b, tail=tails.get(b.name)) for b in blocks]


def _merge_of(total: Value) -> _Merge | None:
    if total.kind != "lin" or len(total.args) != 2 or total.shape[:1] != (1,) or len(total.shape) != 2:
        return None
    (c, product), (d, row) = sorted(zip(total.attrs, total.args, strict=True), key=lambda term: term[1].fixed)
    is_product = product.kind == "dot" and product.shape == total.shape and len(product.args[1].shape) == 2
    if not is_product or product.fixed or not row.fixed or row.shape != total.shape:
        return None
    return _Merge(total, c, product, d / c, row)


def _padded(
    builder: Builder, left: Value, coefficient: float, tails: dict[str, float | None], is_free: bool
) -> Value | None:
    """Return the weights with the coefficient behind them, where that costs nothing."""
    if left.kind == "leaf" and left.attrs[1] == "block":
        name = left.attrs[0]
        if is_free and name in tails and tails[name] is None:
            tails[name] = coefficient
        if tails.get(name) == coefficient:
            return builder.leaf(name, (1, left.shape[1] + 1), "padded")
        return None
    return builder.pad(left, coefficient) if left.kind == "dot" else None


def _may_grow(stack: Value, reading: dict[Value, list[Value]]) -> bool:
    """Say whether a stack can have one more row: it is data, or computed in its place."""
    if any(reader.kind == "stack" for reader in reading[stack]):
        return False
    return stack.fixed or stack.kind == "stack" or (stack.kind in OWNERS and len(stack.shape) == 2)
