"""How much of a large network a page shows, and the sentence that says so."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Extent", "extent"]

FULL_STEPS = 400
"""Up to so many steps each has its numbers put in and its matrices."""
MOST_STEPS = 2000
"""Steps of a page; of more, those around the place that is exported are shown."""
MOST_CARDS = 1200
"""Nodes up to which the graph is drawn."""


@dataclass(frozen=True)
class Extent:
    """What a page shows.

    Attributes
    ----------
    first, last
        The positions that a reader can stand at: after `first` steps at the least.
    whole
        Whether steps have their numbers put in and their matrices.
    graph
        Whether the graph is drawn.
    note
        What is left out, in a sentence; "" where it is nothing.
    """

    first: int
    last: int
    whole: bool
    graph: bool
    note: str


def extent(nodes: int, steps: int, position: int) -> Extent:
    """Return what a page shows of a trace, so that a browser takes it in at once."""
    whole, graph = steps <= FULL_STEPS, nodes <= MOST_CARDS
    first = max(0, min(position - MOST_STEPS // 2, steps - MOST_STEPS))
    last = min(steps, first + MOST_STEPS)
    left_out = []
    if not graph:
        left_out.append(f"the drawing of its {nodes:,} nodes")
    if last - first < steps:
        left_out.append(f"all but steps {first + 1:,} to {last:,} of {steps:,}")
    if not whole:
        left_out.append("the numbers put in and the matrices of each step")
    note = f"To keep this page small, it leaves out {_listed(left_out)}." if left_out else ""
    return Extent(first, last, whole, graph, note)


def _listed(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])}, and {items[-1]}"
