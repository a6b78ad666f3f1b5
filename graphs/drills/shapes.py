"""Shapes of values and gradients, in the network's own size."""

from __future__ import annotations

from graphs.drills.base import MOST_PARTS, Block, Drill, Exercise, Maker, posed, some
from graphs.subjects import Aspect, Subject

__all__ = ["DRILL"]


def _make(maker: Maker, turn: int) -> Exercise | None:
    here, rng = maker.snapshot, maker.rng(turn, "shapes")
    graph, derivation = here.trace.graph, here.derivation
    if not any(graph[name].dims for name in graph.named):
        return None
    values = [Subject(Aspect.VALUE, line.name) for line in graph.lines]
    gradients = [Subject(Aspect.GRADIENT, name) for name in graph.named if name != graph.loss]
    chosen = [*some(values, MOST_PARTS // 2, rng), *some(gradients, MOST_PARTS // 2, rng)]
    parts = [posed(s, here, "shape", f"What is the shape of ${s.symbol(derivation)}$?") for s in chosen]
    told = Block("text", ("A shape is rows × columns; one number is a scalar.",))
    return Exercise("shapes", "Shapes", maker.sizes, (told,), tuple(parts), here)


DRILL = Drill("shapes", "Shapes", "shapes of values and gradients", _make)
