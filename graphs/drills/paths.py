"""Which path of a fan-out contributes what."""

from __future__ import annotations

import numpy as np

from graphs.drills.base import MOST_PARTS, Block, Drill, Exercise, Maker, asked
from graphs.drills.formulas import is_derived
from graphs.subjects import Aspect, Subject
from graphs.wording import times

__all__ = ["DRILL"]


def _make(maker: Maker, turn: int) -> Exercise | None:
    here, rng = maker.small(turn), maker.rng(turn, "paths")
    graph, derivation, gradients = here.trace.graph, here.derivation, here.trace.gradients
    forked = [n for n in graph.named if len(derivation.contributions_to(n)) > 1 and is_derived(derivation, n)]
    forked = [n for n in forked if n != graph.loss and np.any(gradients[n])]
    if not forked:
        return None
    name = forked[turn % len(forked)]
    uses = derivation.contributions_to(name)
    parts = []
    for line, slot in uses[: MOST_PARTS - 1]:
        subject = Subject(Aspect.CONTRIBUTION, name, line, slot)
        parts.append(asked(subject, here, rng, words=lambda s: s.words(derivation)))
    parts.append(asked(Subject(Aspect.GRADIENT, name), here, rng, "What do all paths add up to, {it}?"))
    symbol = derivation.name_latex(name)
    told = f"${symbol}$ is used {times(len(uses))}. How much of its gradient does each path bring?"
    return Exercise(
        "paths", "The paths of a fan-out", maker.given(turn), (Block("text", (told,)),), tuple(parts), here
    )


DRILL = Drill("paths", "Fan-out paths", "which path of a fan-out contributes what", _make)
