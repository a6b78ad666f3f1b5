"""The backward pass, with numbers."""

from __future__ import annotations

import numpy as np

from graphs.drills.base import MOST_PARTS, Block, Drill, Exercise, Maker, asked
from graphs.subjects import Aspect, Subject

__all__ = ["DRILL"]


def _make(maker: Maker, turn: int) -> Exercise | None:
    here, rng = maker.small(turn), maker.rng(turn, "gradients")
    graph = here.trace.graph
    told = [n for n in graph.parameters if np.any(here.trace.gradients[n])][:MOST_PARTS]
    on_the_way = [line.name for line in reversed(graph.lines) if line.name != graph.loss]
    on_the_way = [n for n in on_the_way if np.any(here.trace.gradients[n])]
    names = [*on_the_way[: max(MOST_PARTS - len(told), 0)], *told]
    if not names:
        return None
    parts = [asked(Subject(Aspect.GRADIENT, name), here, rng) for name in names]
    blocks = (Block("text", ("Do the backward pass, from the loss back.",)),)
    return Exercise("gradients", "The backward pass", maker.given(turn), blocks, tuple(parts), here)


DRILL = Drill("gradients", "Backward pass", "the backward pass, with numbers", _make)
