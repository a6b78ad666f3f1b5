"""A product with its bias as one product: ``[W b] @ [X; 1]``.

Parameters that are added up in one affine map lie beside one another in memory, as a block; what they are
multiplied by lies under one another, as a stack. Then the map is one product, and so is the gradient of the
whole block. ``w*x`` with a scalar is such a product as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from engine.plan.layout import Block
from engine.plan.values import Builder, Term, Value, users

__all__ = ["Affine", "Target", "affine_maps", "block_gradients"]

OWNERS = ("lin", "prod", "dot", "fn", "call", "max", "min", "sum")  # kinds that may be computed in a stack


class Target(NamedTuple):
    """Where a gradient goes: to a block of the layout or a parameter alone, over what is there or added."""

    name: str
    is_block: bool = False
    adds: bool = False


class Piece(NamedTuple):
    """A term of an affine map: `scale` times a parameter times `right`, a matrix with examples as columns."""

    scale: float
    parameter: Value
    right: Value
    is_bias: bool


class Affine(NamedTuple):
    """An affine map that is one product: the sum it stands for, its block, its stack, and what is added."""

    total: Value
    block: Block
    scale: float
    stack: Value
    pieces: tuple[Piece, ...]
    rest: tuple[Term, ...]


def affine_maps(builder: Builder, outputs: Sequence[Term], given: Sequence[Block] | None) -> list[Affine]:
    """Return the sums that can be one product each, at most one for every parameter.

    Parameters
    ----------
    given
        The blocks of a layout that stands already; None where it is free.
    """
    reading = users([term.value for term in outputs])
    found: list[Affine] = []
    taken: set[Value] = set()
    stacked: dict[Value, Value] = {}
    for total in reading:
        if total.kind == "lin" and len(total.shape) == 2 and not total.fixed:
            if (
                len(reading[total]) == 1
                and reading[total][0].kind == "lin"
                and reading[total][0].shape == total.shape
            ):
                continue  # it is opened by the sum that reads it
            affine = _affine(builder, total, reading, taken)
            if affine is None or not _may_stack(affine, stacked):
                continue
            if given is not None and all(affine.block.members != block.members for block in given):
                continue
            found.append(affine)
            taken.update(piece.parameter for piece in affine.pieces)
            stacked.update((part, affine.stack) for part in affine.stack.args if not part.fixed)
    return found


def _affine(
    builder: Builder, total: Value, reading: Mapping[Value, Sequence[Value]], taken: set[Value]
) -> Affine | None:
    pieces: list[Piece] = []
    rest: list[Term] = []
    for term in _opened(total, reading):
        piece = _piece(builder, term, total.shape, reading)
        used = {p.parameter for p in pieces} | taken
        if piece is None or piece.parameter in used:
            rest.append(term)
        else:
            pieces.append(piece)
    pieces.sort(key=lambda piece: piece.is_bias)
    if len(pieces) < 2 or pieces[0].is_bias:
        return None
    scale = pieces[0].scale
    parts = []
    for piece in pieces:
        if piece.scale != scale and not piece.right.fixed:
            return None
        parts.append(builder.realised(Term(piece.scale / scale, piece.right)))
    members = tuple((p.parameter.attrs[0], p.right.shape[0]) for p in pieces)
    name = " ".join(name for name, _ in members)
    block = Block(name, total.shape[0], members)
    return Affine(total, block, scale, builder.stack(parts), tuple(pieces), tuple(rest))


def _may_stack(affine: Affine, stacked: Mapping[Value, Value]) -> bool:
    """Say whether what is stacked can be computed in its place: it owns its array, in no other stack."""
    for part in affine.stack.args:
        if not part.fixed and (
            part.kind not in OWNERS or stacked.get(part, affine.stack) is not affine.stack
        ):
            return False
    return True


def _opened(total: Value, reading: Mapping[Value, Sequence[Value]]) -> list[Term]:
    """Return the terms of a sum, with the sums in it that nobody else reads opened."""
    found: list[Term] = []
    stack = [Term(1.0, total)]
    while stack:
        scale, value = stack.pop()
        alone = value is total or len(reading[value]) == 1
        if value.kind == "lin" and value.shape == total.shape and alone:
            stack += [Term(scale * c, v) for c, v in zip(value.attrs[::-1], value.args[::-1], strict=True)]
        else:
            found.append(Term(scale, value))
    return found


def _piece(
    builder: Builder, term: Term, shape: tuple[int, ...], reading: Mapping[Value, Sequence[Value]]
) -> Piece | None:
    scale, value = term
    rows, examples = shape
    if _is_parameter(value):
        if value.shape == (rows, 1) or (value.size == rows == 1):
            return Piece(scale, value, builder.ones((1, examples)), True)
        return None
    if len(reading[value]) > 1:
        return None
    if value.kind == "dot" and value.shape == shape and _is_parameter(value.args[0]):
        left, right = value.args
        return Piece(scale, left, right, False) if len(left.shape) == len(right.shape) == 2 else None
    if value.kind == "prod" and value.attrs == (1, 1):
        for factor, other in (value.args, value.args[::-1]):
            fits = factor.shape == (rows, 1) or factor.size == rows == 1
            if _is_parameter(factor) and fits and other.shape == (1, examples):
                return Piece(scale, factor, other, False)
    return None


def _is_parameter(value: Value) -> bool:
    return value.kind == "leaf" and value.attrs[1] == "parameter"


# --- gradients ---------------------------------------------------------------------------------------------


def block_gradients(
    builder: Builder, affine: Affine, gradients: Mapping[str, Term]
) -> list[tuple[Target, Term]] | None:
    """Return the gradient of a block as one product, and what remains for single parameters, if there is one.

    Every gradient of a parameter of the block has a term ``G @ right.T`` with the same ``G``, the gradient of
    the affine map; together these are ``G @ stack.T``.
    """
    terms = {p: _terms(gradients[p.parameter.attrs[0]]) for p in affine.pieces}
    first, *others = affine.pieces
    for term in terms[first]:
        upstream = _upstream(builder, term.value, first)
        if upstream is None:
            continue
        scale = term.scale / first.scale
        matched = {first: term}
        for piece in others:
            for other in terms[piece]:
                same = abs(other.scale - scale * piece.scale) <= 1e-12 * abs(other.scale)
                if same and _upstream(builder, other.value, piece) is upstream:
                    matched[piece] = other
        if len(matched) == len(terms):
            product = builder.dot(Term(scale * affine.scale, upstream), builder.t(Term(1.0, affine.stack)))
            found = [(Target(affine.block.name, is_block=True), product)]
            for piece, all_terms in terms.items():
                rest = [t for t in all_terms if t is not matched[piece]]
                if rest:
                    name = piece.parameter.attrs[0]
                    added = builder.spread(builder.add(*rest), piece.parameter.shape)
                    found.append((Target(name, adds=True), added))
            return found
    return None


def _terms(term: Term) -> list[Term]:
    if term.value.kind == "lin":
        return [Term(term.scale * c, v) for c, v in zip(term.value.attrs, term.value.args, strict=True)]
    return [term]


def _upstream(builder: Builder, value: Value, piece: Piece) -> Value | None:
    """Return G where `value` is ``G @ right.T``, in any of the forms that this takes."""
    while value.kind == "reshape":
        value = value.args[0]
    right = piece.right
    if value.kind == "total" and right.kind == "ones" and value.args[0].shape == right.shape:
        return value.args[0]
    if value.kind != "dot":
        return None
    left, transposed = value.args
    return left if builder.t(Term(1.0, right)) == (1.0, transposed) else None
