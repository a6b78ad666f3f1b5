"""Shapes with names: what NumPy's broadcasting does, and which axis holds the examples.

A shape is a tuple of :class:`Dim`. NumPy only compares sizes; the names and the examples mark let Backstep
write ``k x m`` beside ``4 x 50``, put the sum over examples into an equation even for a single example, and
refuse a broadcast that lines examples up with features.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from engine.errors import ShapeError

__all__ = ["UNIT", "Dim", "Dims", "broadcast", "matmul", "reduced", "show", "sizes", "summed_axes", "unnamed"]


class Dim(NamedTuple):
    """One axis: its name ("1" for an axis that has one entry by definition), its size, and its role."""

    name: str
    size: int
    examples: bool = False

    @property
    def is_unit(self) -> bool:
        """Whether it has one entry."""
        return self.size == 1


UNIT = Dim("1", 1)
Dims = tuple[Dim, ...]


def unnamed(size: int) -> Dim:
    """Return an axis that nobody has named: its name is its size."""
    return UNIT if size == 1 else Dim(str(size), size)


def sizes(dims: Dims) -> tuple[int, ...]:
    """Return the plain NumPy shape."""
    return tuple(dim.size for dim in dims)


def show(dims: Dims) -> str:
    """Return a shape as an error message writes it: ``(4, 50)``."""
    return str(sizes(dims))


def broadcast(a: Dims, b: Dims) -> Dims:
    """Return the shape of an elementwise operation on shapes `a` and `b`.

    Raises
    ------
    ShapeError
        Where NumPy would refuse, and where it would not but should: a broadcast in which the examples of one
        operand meet the features of the other, or in which examples end up on two axes.
    """
    if a == b:
        return a
    rank = max(len(a), len(b))
    pairs = list(zip(_padded(a, rank), _padded(b, rank), strict=True))
    if any(p.size != q.size and not (p.is_unit or q.is_unit) for p, q in pairs):
        raise ShapeError(
            f"the shapes {show(a)} and {show(b)} do not fit together entry by entry.",
            how=_advice(a, b),
        )
    _check_roles(a, b, pairs)
    return tuple(_wider(p, q) for p, q in pairs)


def matmul(a: Dims, b: Dims) -> Dims:
    """Return the shape of ``a @ b``; the inner dimensions must agree.

    Raises
    ------
    ShapeError
        For scalars, for more than two dimensions, and where the inner dimensions differ.
    """
    if not a or not b:
        raise ShapeError(
            f"@ multiplies matrices, but one side is a scalar: the shapes are {show(a)} and {show(b)}.",
            how="Write * for a product with a scalar.",
        )
    inner = b[-2:][0]
    if a[-1].size != inner.size:
        raise ShapeError(
            f"the shapes {show(a)} and {show(b)} do not fit for @: "
            f"{_count(a[-1].size, 'column')} meet{'s' * (a[-1].size == 1)} {_count(inner.size, 'row')}.",
            how=_matmul_advice(a, b),
        )
    return a[:-1] + (b[-1:] if len(b) > 1 else ())


def reduced(dims: Dims, axis: int | None, keepdims: bool) -> Dims:
    """Return the shape after a reduction over `axis` (all axes where it is None)."""
    if axis is None:
        return (UNIT,) * len(dims) if keepdims else ()
    if not -len(dims) <= axis < len(dims):
        raise ShapeError(
            f"axis={axis} does not exist: the shape is {show(dims)}.",
            how="Rows are axis=0, columns axis=1." if dims else "A scalar has no axes: leave axis= out.",
        )
    axis %= len(dims)
    return dims[:axis] + ((UNIT,) if keepdims else ()) + dims[axis + 1 :]


def summed_axes(small: Dims, large: Dims) -> tuple[int, ...]:
    """Return the axes of `large` over which broadcasting copied `small`: the gradient is summed over them.

    An axis of one entry that was met by a named axis counts even where that happens to have size one, so that
    the equations of a network do not depend on how many examples are loaded.
    """
    if small == large:
        return ()
    extra = len(large) - len(small)
    copied = [
        extra + i
        for i, (s, d) in enumerate(zip(small, large[extra:], strict=True))
        if s.is_unit and not (d.is_unit and (d.name == s.name or s.name != "1"))
    ]
    return (*range(extra), *copied)


def _padded(dims: Dims, rank: int) -> Dims:
    return (UNIT,) * (rank - len(dims)) + dims


def _wider(p: Dim, q: Dim) -> Dim:
    if p.size != q.size:
        return q if p.is_unit else p
    if p.examples != q.examples:
        return p if p.examples else q
    return q if _is_plain(p) else p


def _is_plain(dim: Dim) -> bool:
    return dim.name.isdigit()


def _check_roles(a: Dims, b: Dims, pairs: Sequence[tuple[Dim, Dim]]) -> None:
    copies = any(p.size != q.size for p, q in pairs)
    mixed = any(p.examples != q.examples and not (p.is_unit or q.is_unit) for p, q in pairs)
    twice = sum(_wider(p, q).examples for p, q in pairs) > 1
    if copies and (mixed or (twice and not _has_two(a) and not _has_two(b))):
        raise ShapeError(
            f"the shapes {show(a)} and {show(b)} would be stretched so that examples meet features.",
            how="Examples are columns: give both operands their examples along axis 1, e.g. with .T; a "
            'parameter with a value for each example has its shape written with "m".',
        )


def _has_two(dims: Dims) -> bool:
    return sum(dim.examples for dim in dims) > 1


def _advice(a: Dims, b: Dims) -> str:
    try:
        _sizes_fit(a, b[::-1])
    except ValueError:
        return "They must be equal, or 1 where they differ."
    return "Transpose one of them with .T."


def _sizes_fit(a: Dims, b: Dims) -> None:
    rank = max(len(a), len(b))
    for p, q in zip(_padded(a, rank), _padded(b, rank), strict=True):
        if p.size != q.size and not (p.is_unit or q.is_unit):
            raise ValueError


def _matmul_advice(a: Dims, b: Dims) -> str:
    if len(a) == len(b) == 2:  # that two axes have one entry each says nothing about what was meant
        if a[0].size == b[0].size > 1:
            return "Transpose the left one with .T."
        if a[1].size == b[1].size > 1:
            return "Transpose the right one with .T."
        if a[0].size == b[1].size > 1:
            return "The other order may be meant."
    rows, columns = _count(a[-1].size, "row"), _count(b[-2:][0].size, "column")
    return f"The left one needs {columns}, or the right one {rows}."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
