"""Whole gradients as formulas."""

from __future__ import annotations

from engine.derive import Derivation
from graphs.drills.base import MOST_PARTS, Block, Drill, Exercise, Maker, posed, some
from graphs.subjects import Aspect, Subject

__all__ = ["DRILL", "is_derived"]

_TOLD = (
    "Derive the gradients by the chain rule. Stored values may stand in them, and gradients of later lines; "
    "a form that comes to the same is right."
)


def _make(maker: Maker, turn: int) -> Exercise | None:
    here, rng = maker.snapshot, maker.rng(turn, "formulas")
    graph, derivation = here.trace.graph, here.derivation
    names = [n for n in graph.parameters or graph.inputs if is_derived(derivation, n)]
    if not names:
        return None
    subjects = some([Subject(Aspect.GRADIENT, name) for name in names], MOST_PARTS, rng)
    parts = [posed(s, here, "expression", f"Write ${s.symbol(derivation)}$ as a formula.") for s in subjects]
    told = (Block("text", (_TOLD,)),)
    return Exercise("formulas", "Gradients as formulas", maker.sizes, told, tuple(parts), here)


def is_derived(derivation: Derivation, name: str) -> bool:
    """Say whether a gradient has an equation, and is not simply zero."""
    uses = derivation.contributions_to(name)
    return bool(uses) and all(derivation.graph.line_by_name[line].written for line, _ in uses)


DRILL = Drill("formulas", "Gradient formulas", "whole gradients as formulas", _make)
