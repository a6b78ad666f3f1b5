"""What a plan computes, rewritten so that it costs least.

The rewrites look at the structure of the values alone, so they hold for every network in which it occurs.
Each of them is a function from values to values; together they do what one would do by hand:

- sums of products become inner products (:mod:`engine.plan.sums`);
- a product with its bias becomes one product, with a row of ones under the data and the bias beside the
  weights, and the gradients of both become one product as well (:mod:`engine.plan.affine`);
- a chain of products is multiplied in the cheapest order, also across the bias of a layer between
  (:mod:`engine.plan.chains`);
- a target that is subtracted becomes one more row of the data with the coefficient -1
  (:mod:`engine.plan.targets`);
- a column times a row is not formed where scaling the rows of the result does the same
  (:mod:`engine.plan.outers`);
- constant factors go into what is fixed (:mod:`engine.plan.scaling`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from engine.graph import Graph
from engine.plan.affine import Affine, Target, affine_maps, block_gradients
from engine.plan.chains import closable, closed, reassociated
from engine.plan.layout import Block, Layout
from engine.plan.lowering import lower
from engine.plan.outers import rows_scaled
from engine.plan.scaling import signs_shared
from engine.plan.sums import inner_products, joined_functions
from engine.plan.targets import targets_merged
from engine.plan.values import Builder, Term, rebuilt

__all__ = ["Passes", "passes_of"]


class Passes(NamedTuple):
    """What one step computes."""

    builder: Builder
    layout: Layout
    loss: Term
    gradients: Sequence[tuple[Target, Term]]


def passes_of(graph: Graph, layout: Layout | None = None) -> Passes:
    """Return the forward and the backward pass of a graph.

    Parameters
    ----------
    layout
        Where the parameters lie, if that has been settled by another pass.
    """
    lowered = lower(graph)
    builder = lowered.builder
    loss, *terms = inner_products(builder, [lowered.loss, *lowered.gradients.values()])
    gradients = dict(zip(lowered.gradients, terms, strict=True))
    given = None if layout is None else layout.blocks
    maps, targets, outputs = _in_blocks(builder, loss, gradients, given)
    blocks = [affine.block for affine in maps]
    closing = closable(outputs, maps)
    if layout is None:
        blocks = [replace(b, closed=b in [affine.block for affine in closing]) for b in blocks]
    else:
        blocks = list(layout.blocks)
        closing = [affine for affine in closing if layout.block(affine.block.name).closed]
    outputs = reassociated(builder, closed(builder, outputs, closing))
    outputs, blocks = targets_merged(builder, outputs, blocks, is_free=layout is None)
    loss, *terms = signs_shared(builder, rows_scaled(builder, outputs))
    loss = joined_functions(builder, loss, terms)
    pairs = list(zip(targets, terms, strict=True))
    return Passes(builder, layout or Layout(graph, blocks), loss, pairs)


def _in_blocks(
    builder: Builder, loss: Term, gradients: Mapping[str, Term], given: Sequence[Block] | None
) -> tuple[list[Affine], list[Target], list[Term]]:
    """Return the affine maps, where gradients go, and loss and gradients with each map as one product."""
    maps = affine_maps(builder, [loss, *gradients.values()], given)
    left = dict(gradients)
    found: list[tuple[Target, Term]] = []
    for affine in maps:
        parts = block_gradients(builder, affine, gradients)
        if parts is not None:
            found += parts
            for name, _ in affine.block.members:
                del left[name]
    found += [(Target(name), term) for name, term in left.items()]
    instead = {affine.total: _as_product(builder, affine) for affine in maps}
    outputs = rebuilt(builder, [loss, *(term for _, term in found)], instead)
    return maps, [target for target, _ in found], outputs


def _as_product(builder: Builder, affine: Affine) -> Term:
    block = builder.leaf(affine.block.name, affine.block.shape, "block")
    product = builder.dot(Term(affine.scale, block), Term(1.0, affine.stack))
    return builder.add(product, *affine.rest)
