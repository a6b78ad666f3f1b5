"""What can be altered about a factor: every single way in which one link of the chain rule goes wrong.

A backward pass is a chain of links (:class:`engine.ops.Placed`). Here one link is left out, transposed, put
on the other side, or multiplies by a part of its operand. An :class:`Alteration` does that to links with
numbers and to links in symbols alike, so that a wrong answer can be recognised by its numbers, and a fault
(:mod:`engine.faults`) be seen in equations, steps and training. All are derived from the records of the
operations; no network has any of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from typing import Any

import numpy as np

from engine import expr as ex
from engine import ops
from engine.derive import Derivation
from engine.errors import ShapeError
from engine.expr import Const, Expr, Name
from engine.graph import Node
from engine.ops import Placed, Side
from engine.shapes import UNIT, Dim, Dims, matmul, sizes

__all__ = ["Alteration", "Change", "alterations"]

Array = np.ndarray


class Change(StrEnum):
    """What is altered."""

    SIGN = "sign"  # the sign is turned
    TRANSPOSE = "transpose"  # a matrix is not transposed
    RESHAPE = "reshape"  # it is brought into the shape of its transpose instead
    COUNT = "count"  # a division by a number of entries, such as 1/m, is left out
    CONSTANT = "constant"  # a number, such as 2, is left out
    FACTOR = "factor"  # a local derivative is left out
    PART = "part"  # one factor of a local derivative is left out
    POINT = "point"  # it is taken at the output instead of the input, or the other way round
    FIRST = "first"  # of the sum over the examples, only the first one is taken
    MEAN = "mean"  # the mean over the examples is taken instead of the sum
    UNSUMMED = "unsummed"  # the sum over the copies is left out
    ORDER = "order"  # a matrix multiplies from the other side
    ELEMENTWISE = "elementwise"  # it multiplies entry by entry
    MATRIX = "matrix"  # a matrix product is left out


@dataclass(frozen=True)
class Alteration:
    """One change of one link of the factor of an operation.

    Attributes
    ----------
    node, slot, link
        The id of the operation gone back through, its input slot, and which of the links is altered.
    about
        The operand that is altered or left out, in symbols; None where the link has none.
    operand
        What the link multiplies by instead, for changes that replace its operand.
    scale
        What is multiplied in, for changes that bring a number in.
    part
        Which of several changes of the kind it is.
    changes_shape
        Whether what comes out has another shape than the input: an answer can, a backward pass cannot.
    """

    change: Change
    node: int
    slot: int
    link: int
    about: Expr | None = None
    operand: Expr | None = None
    scale: Expr | None = None
    part: int = 0
    changes_shape: bool = False

    @property
    def place(self) -> tuple[int, int]:
        """The node gone back through and its slot."""
        return self.node, self.slot

    def is_like(self, other: Alteration) -> bool:
        """Say whether `other` is the same change in the same place, of a graph for other examples perhaps."""
        own, others = ((a.change, a.node, a.slot, a.link, a.part) for a in (self, other))
        return own == others

    def applied(
        self, placed: Sequence[Placed], work_out: Callable[[Expr], Any] = lambda expr: expr
    ) -> list[Placed]:
        """Return links with this one altered.

        Parameters
        ----------
        work_out
            From an expression to its numbers, for links with numbers; links in symbols need none.
        """
        before, link, after = placed[: self.link], placed[self.link], placed[self.link + 1 :]
        if self.operand is not None:
            middle = [link._replace(operand=work_out(self.operand))]
        elif self.scale is not None:
            middle = [link, Placed(Side.SCALAR, work_out(self.scale), link.dims, {})]
        else:
            middle = _RULES[self.change](link)
        return [*before, *middle, *after]


# --- what becomes of a link --------------------------------------------------------------------------------


def _left_out(link: Placed) -> list[Placed]:
    return []


def _unsummed(link: Placed) -> list[Placed]:
    return [] if link.side == Side.SUM else [Placed(Side.ELEMENTWISE, link.operand.T, link.dims, {})]


def _transposed(link: Placed) -> list[Placed]:
    return [link._replace(operand=_labelled(link.operand.T, _dims(link.operand)))]


def _reshaped(link: Placed) -> list[Placed]:
    return [link._replace(operand=reshaped(link.operand.T))]


def _other_side(link: Placed) -> list[Placed]:
    side = Side.RIGHT if link.side == Side.LEFT else Side.LEFT
    label = Placed(Side.MAP, None, link.dims, {}, lambda g: _labelled(g, link.dims))
    return [link._replace(side=side), label]


def _by_entry(link: Placed) -> list[Placed]:
    turned = _sizes(_dims(link.operand)) != _sizes(link.dims)
    operand = link.operand.T if turned else link.operand
    return [Placed(Side.ELEMENTWISE, _labelled(operand, link.dims), link.dims, {})]


def _labelled(x: Any, dims: Any) -> Any:
    """Return symbols with other names for their axes: a fault takes examples for features."""
    symbols: Any = x  # every kind of expression is a dataclass
    return replace(symbols, dims=dims) if isinstance(x, Expr) else x


def _dims(x: Any) -> Any:
    return x.dims if isinstance(x, Expr) else np.shape(x)


def _sizes(dims: Any) -> tuple[int, ...]:
    return tuple(d.size if isinstance(d, Dim) else d for d in dims)


def _first_only(link: Placed) -> list[Placed]:
    if link.side == Side.SUM:
        axis = max(link.operand)
        return [Placed(Side.MAP, None, link.dims, {}, lambda g: _shaped(first(g, axis), link.dims))]
    operand = first(link.operand, 0 if link.side == Side.RIGHT else 1)
    axis = 1 if link.side == Side.RIGHT else 0
    return [
        Placed(Side.MAP, None, link.dims, {}, lambda g: first(g, axis)),
        link._replace(operand=operand),
    ]


def _shaped(g: Any, dims: Dims) -> Any:
    return ex.reshape(g, dims) if isinstance(g, Expr) else np.reshape(g, sizes(dims))


_RULES: dict[Change, Callable[[Placed], list[Placed]]] = {
    Change.TRANSPOSE: _transposed,
    Change.RESHAPE: _reshaped,
    Change.FACTOR: _left_out,
    Change.MATRIX: _left_out,
    Change.UNSUMMED: _unsummed,
    Change.FIRST: _first_only,
    Change.ORDER: _other_side,
    Change.ELEMENTWISE: _by_entry,
}


# --- rules that only faults need ---------------------------------------------------------------------------


def _take_first(x: Array, axis: int = 1) -> Array:
    return np.take(x, [0], axis=axis)


def _turn_shape(x: Array) -> Array:
    return np.reshape(x, x.shape[::-1])


FIRST = ops.Helper(
    "first",
    _take_first,
    lambda x, axis=1: rf"\left({x}\right)_{{{':, 0' if axis else '0, :'}}}",
    lambda x, axis=1: f"({x}){'[:, :1]' if axis else '[:1]'}",
)
RESHAPED = ops.Helper(
    "reshaped",
    _turn_shape,
    lambda x: rf"\mathrm{{reshape}}\left({x}\right)",
    lambda x: f"np.reshape({x}, np.shape({x})[::-1])",
)


def first(x: Any, axis: int) -> Any:
    """Return the first row (axis 0) or column (axis 1) alone, as a matrix."""
    if not isinstance(x, Expr):
        return _take_first(x, axis)
    dims = tuple(UNIT if i == axis else dim for i, dim in enumerate(x.dims))
    return ex.apply(FIRST, (x,), dims, axis=axis)


def reshaped(x: Any) -> Any:
    """Return the entries of a matrix, row by row, in the shape of its transpose."""
    return ex.apply(RESHAPED, (x,), x.dims[::-1]) if isinstance(x, Expr) else _turn_shape(x)


# --- what can be altered -----------------------------------------------------------------------------------


def alterations(derivation: Derivation, node: Node, slot: int) -> Iterator[Alteration]:
    """Yield every alteration of the factor of an operation for one of its inputs.

    Some may come to the same numbers as the right factor, as a product entry by entry with a single example
    does; whoever uses them compares.

    Raises
    ------
    BackstepError
        Where the line is too long to be written out.
    """
    placed = derivation.links(node, slot)
    dims = node.dims
    for i, link in enumerate(placed):
        here = Alteration(Change.SIGN, node.id, slot, i)
        if link.side in (Side.SCALAR, Side.ELEMENTWISE):
            yield from _of_operand(here, link, derivation, node)
        elif link.side in (Side.LEFT, Side.RIGHT):
            yield from _of_product(here, link, dims, node.op is not None and node.op.elementwise)
        elif link.side == Side.SUM:
            yield from _of_sum(here, link, dims)
        elif link.side in (Side.TRANSPOSE, Side.MAP) and sizes(dims) == sizes(_dims_after(dims, link)):
            yield replace(here, change=Change.FACTOR)
        dims = _dims_after(dims, link)
    if placed:
        yield Alteration(Change.SIGN, node.id, slot, len(placed) - 1, scale=ex.lift(-1))


def _dims_after(dims: Dims, link: Placed) -> Dims:
    return ops.back(Name("", dims, "g", "g", kind="hole"), link).dims


def _of_operand(here: Alteration, link: Placed, derivation: Derivation, node: Node) -> Iterator[Alteration]:
    """Yield what can be wrong about a number or a local derivative."""
    operand = ex.lift(link.operand)
    here = replace(here, about=operand)
    if isinstance(operand, Const):
        yield from _of_constant(here, operand)
        return
    yield replace(here, change=Change.FACTOR)
    for part, (missing, rest) in enumerate(_without_one(operand)):
        yield replace(here, change=Change.PART, about=missing, operand=rest, part=part)
    for part, other in enumerate(_at_other_points(derivation, node, here)):
        yield replace(here, change=Change.POINT, operand=other, part=part)


def _of_constant(here: Alteration, const: Const) -> Iterator[Alteration]:
    bare = Const(const.value, (), const.decimal)
    value = abs(const.value)
    counts = any(power < 0 for _, power in const.powers)
    if const.powers:
        change = Change.COUNT if counts else Change.CONSTANT
        yield replace(here, change=change, about=Const(Fraction(1), const.powers), operand=bare)
    if value != 1:
        sign = Fraction(1 if const.value > 0 else -1)
        about = Const(value, (), const.decimal)
        yield replace(here, change=Change.CONSTANT, about=about, operand=Const(sign, const.powers), part=1)
        if const.powers:
            whole = Const(value, const.powers, const.decimal)
            yield replace(here, change=Change.CONSTANT, about=whole, operand=Const(sign), part=2)


def _without_one(operand: Expr) -> Iterator[tuple[Expr, Expr]]:
    """Yield what can be missing in a product, a quotient or a sum with a power, and what is left."""
    if isinstance(operand, ex.Product) and len(operand.factors) == 1:  # a minus sign before anything
        yield from ((missing, ex.negate(rest)) for missing, rest in _without_one(operand.factors[0]))
    if isinstance(operand, ex.Quotient) and not isinstance(operand.numerator, Const):
        yield operand.denominator, operand.numerator
    if isinstance(operand, ex.Sum):
        for i, (sign, term) in enumerate(operand.terms):
            if isinstance(term, ex.Power):
                yield term, ex.add(*operand.terms[:i], (sign, term.base), *operand.terms[i + 1 :])
    if isinstance(operand, ex.Hadamard | ex.Product) and len(operand.factors) > 1:
        for i, missing in enumerate(operand.factors):
            rest = operand.factors[:i] + operand.factors[i + 1 :]
            found = rest[0]
            for factor in rest[1:]:
                found = ex.multiply(found, factor)
            if found.dims == operand.dims:
                yield missing, ex.negate(found) if operand.negative else found


def _at_other_points(derivation: Derivation, node: Node, here: Alteration) -> Iterator[Expr]:
    """Yield a function's derivative with its output in the place of its input, and the other way round."""
    op = node.op
    if op is None or not op.elementwise or len(node.inputs) != 1:
        return
    rule = op.factors[0][here.link].rule
    x, out = derivation.symbol(node.inputs[0]), derivation.symbol(node.id)
    if rule is not None:
        for at in (x, out):
            found = ex.lift(rule(at, at, **dict(node.attrs)))
            if found != here.about:
                yield found


def _of_product(here: Alteration, link: Placed, dims: Dims, is_sum: bool) -> Iterator[Alteration]:
    """Yield what can be wrong about a product with a matrix."""
    operand: Expr = link.operand
    here = replace(here, about=operand)
    if len(dims) != 2 or len(operand.dims) != 2:
        return
    wanted, own = sizes(link.dims), operand.dims
    if _fits(dims, operand.dims[::-1], link.side) == wanted:
        yield replace(here, change=Change.TRANSPOSE)
    elif all(d.size > 1 for d in own):
        yield replace(here, change=Change.RESHAPE)
    if _fits(dims, own, Side.RIGHT if link.side == Side.LEFT else Side.LEFT) == wanted:
        yield replace(here, change=Change.ORDER)
    if sizes(dims) == wanted:
        yield replace(here, change=Change.MATRIX)
    if sizes(dims) == wanted and sizes(own) in (wanted, wanted[::-1]):
        yield replace(here, change=Change.ELEMENTWISE)
    inner = own[0] if link.side == Side.RIGHT else own[1]
    if inner.examples and inner.size > 1:
        yield replace(here, change=Change.FIRST)
        yield replace(here, change=Change.MEAN, scale=_one_over(inner))
    if is_sum:  # a number times a row, summed: written as a product
        yield replace(here, change=Change.UNSUMMED, changes_shape=True)


def _fits(g: Dims, operand: Dims, side: str) -> tuple[int, ...] | None:
    """Return the shape of a product, None where it cannot be taken."""
    try:
        return sizes(matmul(operand, g) if side == Side.LEFT else matmul(g, operand))
    except ShapeError:
        return None


def _of_sum(here: Alteration, link: Placed, dims: Dims) -> Iterator[Alteration]:
    """Yield what can be wrong about the sum over the copies that broadcasting made."""
    axes: tuple[int, ...] = link.operand
    summed = [dims[axis] for axis in axes if dims[axis].size > 1]
    if sizes(dims) != sizes(link.dims):
        yield replace(here, change=Change.UNSUMMED, changes_shape=True)
    if len(summed) == 1 and summed[0].examples and max(axes) == len(dims) - 1:
        yield replace(here, change=Change.FIRST)
        yield replace(here, change=Change.MEAN, scale=_one_over(summed[0]))


def _one_over(dim: Dim) -> Expr:
    return ex.divide(ex.ONE, ex.dimension(dim))
