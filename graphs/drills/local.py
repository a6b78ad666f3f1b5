"""Local derivatives, as formulas and as numbers."""

from __future__ import annotations

from graphs.drills.base import MOST_PARTS, Block, Drill, Exercise, Maker, asked, posed
from graphs.scope import Draw
from graphs.snapshot import Snapshot
from graphs.subjects import Aspect, Subject

__all__ = ["DRILL", "local_pairs"]

_TOLD = "The local derivative of a line is how its value changes with what it reads, whatever comes after it."


def _make(maker: Maker, turn: int) -> Exercise | None:
    here, rng = maker.small(turn), maker.rng(turn, "local")
    pairs = local_pairs(here)
    if not pairs:
        return None
    parts = []
    for i in sorted(rng.permutation(len(pairs))[: MOST_PARTS // 2]):
        line, name = pairs[i]
        subject = Subject(Aspect.LOCAL, name, line)
        formula = f"Write ${subject.symbol(here.derivation)}$ as a formula."
        parts.append(posed(subject, here, "expression", formula))
        parts.append(asked(subject, here, rng, "What is {it} in numbers?"))
    told = (Block("text", (_TOLD,)),)
    return Exercise("local", "Local derivatives", maker.given(turn), told, tuple(parts), here)


def local_pairs(snapshot: Snapshot) -> list[tuple[str, str]]:
    """Return the lines and the values that they read entry by entry, where the derivative is no constant."""
    graph, derivation = snapshot.trace.graph, snapshot.derivation
    names = Draw(snapshot.trace, snapshot).names
    found = []
    for line in graph.lines:
        for use in line.uses if line.written and line.name != graph.loss else ():
            name = graph.nodes[use.source].name
            local = derivation.local(line.name, use.slot)
            is_once = sum(u.source == use.source for u in line.uses) == 1
            if local is not None and local.weight > 1 and is_once and f"d_{line.name}/d_{name}" in names:
                found.append((line.name, name))
    return found


DRILL = Drill("local", "Local derivatives", "local derivatives, as formulas and as numbers", _make)
