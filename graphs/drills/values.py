"""The forward pass, with numbers."""

from __future__ import annotations

from graphs.drills.base import MOST_PARTS, Block, Drill, Exercise, Maker, asked
from graphs.subjects import Aspect, Subject

__all__ = ["DRILL"]


def _make(maker: Maker, turn: int) -> Exercise:
    here, rng = maker.small(turn), maker.rng(turn, "values")
    lines = here.trace.graph.lines[-MOST_PARTS:]
    parts = [asked(Subject(Aspect.VALUE, line.name), here, rng) for line in lines]
    told = Block("text", ("Do the forward pass.",))
    return Exercise("values", "The forward pass", maker.given(turn), (told,), tuple(parts), here)


DRILL = Drill("values", "Forward pass", "the forward pass, with numbers", _make)
