"""The graph at a step as a NetworkX graph, with all that is known there: what DOT and GraphML say."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np

from engine.derive import Derivation
from engine.errors import BackstepError
from engine.graph import Detail
from engine.trace import Phase
from graphs.nxgraph import nx_graph
from graphs.plain import equation_text, name_text
from graphs.snapshot import Snapshot
from graphs.views.frame import Frame
from graphs.views.numbers import NOTHING, format_number
from graphs.views.scene import scene_view
from graphs.views.step import step_view

__all__ = ["in_words", "step_graph"]

Array = np.ndarray
SMALL = 3  # entries that an array may have to be written out in words


def step_graph(snapshot: Snapshot) -> nx.MultiDiGraph:
    """Return the graph of :func:`~graphs.nxgraph.nx_graph` with what is known at a step.

    Returns
    -------
    networkx.MultiDiGraph
        The graph has `place`, `phase` and `sentence`, about the step taken last. Every node has `text` (its
        name for people), `formula`, `value` and `gradient` (arrays, None where they are not known yet),
        `rounding` (which of the two are mere rounding),
        `step` (the phase of the step taken last, where it set this node), `reads` (whether the step read the
        stored value) and `is_loss`; every edge `forward` and `backward` (whether a value or a gradient has
        gone along), `current` ("forward" or "backward", where one does now), `contribution` (an array or
        None), `rounding` (whether that is mere rounding) and `factor` (what the gradient becomes along the
        edge, for people).
    """
    frame = Frame.of(snapshot)
    graph, scene = frame.trace.graph, scene_view(frame)
    derivation = frame.statics.derivation
    found = nx_graph(graph, snapshot.detail)
    found.graph |= {
        "place": snapshot.place(),
        "phase": frame.phase,
        "sentence": step_view(frame).sentence,
    }
    for name, view in scene.nodes.items():
        found.nodes[name].update(
            text=_title(derivation, name, view.kind),
            formula=_formula(derivation, name, view.kind),
            value=view.value,
            gradient=view.gradient,
            rounding=view.noise,
            step=view.phase,
            reads=view.read,
            is_loss=view.is_loss,
        )
    gone = {
        s.index: s.contribution
        for s in snapshot.trace.steps[: snapshot.position]
        if s.phase == Phase.BACKWARD
    }
    for (source, target, slot), edge in scene.edges.items():
        place = snapshot.trace.backward_places.get((source, target, slot))
        contribution = None if place is None else gone.get(place)
        found.edges[source, target, slot].update(
            forward=edge.forward,
            backward=edge.backward,
            current=edge.current,
            contribution=contribution,
            rounding=contribution is not None and frame.rounding.is_gradient(source, contribution),
            factor=_factor(frame, target, slot) if edge.current == "backward" else "",
        )
    return found


def _title(derivation: Derivation, name: str, kind: str) -> str:
    if kind != "op":
        return name_text(name)
    op = derivation.graph[name].op
    return (op.symbol or op.name) if op is not None else name


def _formula(derivation: Derivation, name: str, kind: str) -> str:
    """Return the right-hand side of a line, of one cut into its operations the last of them."""
    if kind != "line":
        return ""
    node = derivation.graph[name]
    if derivation.detail == Detail.PRIMITIVE:
        return _title(derivation, name, "op")
    line = derivation.graph.lines[node.line]
    return equation_text(derivation.right_side(name)) if line.written else f"{len(line.parts)} operations"


def _factor(frame: Frame, target: str, slot: int) -> str:
    try:
        contribution = frame.statics.derivation.contribution(target, slot)
    except BackstepError:  # of a line that is too long to be written out
        return ""
    text = equation_text(contribution.expr, frame.trace.graph.loss)
    wording = frame.statics.wording
    return text.replace(name_text(target), f"({wording.name(target)})") if wording.is_part(target) else text


def in_words(array: Any, is_rounding: bool = False) -> str:
    """Return a number, a few numbers, or between which numbers the entries of a larger array lie.

    What is mere rounding is ``≈0``.

    Examples
    --------
    >>> in_words(np.array([[1.0, -2.5]])), in_words(np.arange(100.0))
    ('[1, −2.5]', '0 … 99')
    """
    values = np.asarray(array, dtype=float)
    if is_rounding:
        return NOTHING
    if values.ndim == 0:
        return format_number(float(values))
    if values.size <= SMALL:
        rows = [", ".join(map(format_number, row)) for row in np.atleast_2d(values)]
        return f"[{'; '.join(rows)}]"
    wrong = int(np.sum(~np.isfinite(values)))
    if wrong:
        return f"{wrong} of {values.size} not finite"
    low, high = float(values.min()), float(values.max())
    return f"all {format_number(low)}" if low == high else f"{format_number(low)} … {format_number(high)}"
