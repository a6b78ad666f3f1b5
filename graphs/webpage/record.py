"""What the page's script reads: nodes, edges and steps by number, and arrays, each once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.trace import Phase, Step
from graphs.mathml import mathml
from graphs.palette import DARK, LIGHT, PRINT
from graphs.views.frame import Frame
from graphs.views.records import Array, EdgeKey
from graphs.views.scene import factor_latex
from graphs.webpage.arrays import ArrayTable
from graphs.webpage.cards import Drawing
from graphs.webpage.extent import Extent
from graphs.webpage.lanes import Lanes

__all__ = ["Record"]


class Record:
    """Puts together what the script reads.

    Parameters
    ----------
    frame
        Any place of the iteration; the page begins there.
    shown
        Which steps there are.
    drawn
        The order of nodes and edges.
    table
        Where arrays are kept; those of the steps' text are there already.
    lanes
        The updates that are drawn.
    """

    def __init__(self, frame: Frame, shown: Extent, drawn: Drawing, table: ArrayTable, lanes: Lanes) -> None:
        self._frame = frame
        self._shown = shown
        self._table = table
        self._lanes = lanes
        self._nodes = {name: i for i, name in enumerate(drawn.nodes)}
        self._edges = {edge: i for i, edge in enumerate(drawn.edges)}
        self._formulas: dict[str, int] = {}

    def data(self) -> Mapping[str, Any]:
        """Return it all; places of arrays are −1 where nothing is known yet."""
        trace, shown = self._frame.trace, self._shown
        state = trace.state(shown.first)
        nodes = [self._node(name, state.values.get(name), state.gradients.get(name)) for name in self._nodes]
        steps = [self._step(step) for step in trace.steps[shown.first : shown.last]]
        return {
            "position": self._frame.position,
            "first": shown.first,
            "total": len(trace.steps),
            "nodes": nodes,
            "edges": [self._edge(edge) for edge in self._edges],
            "steps": steps,
            "lanes": self._lanes.data(),
            "formulas": [mathml(latex) if latex else "" for latex in self._formulas],
            "arrays": self._table.rows(),
            "maps": {p.name: [p.negative, p.zero, p.positive] for p in (LIGHT, DARK, PRINT)},
        }

    def _node(self, name: str, value: Array | None, gradient: Array | None) -> dict[str, Any]:
        statics, rounding = self._frame.statics, self._frame.rounding
        found = {
            "name": statics.wording.name(name),
            "v": self._table.add(value, value is not None and rounding.is_value(name, value)),
            "g": self._table.add(gradient, gradient is not None and rounding.is_gradient(name, gradient)),
            "expected": statics.expected.get(name, 0),
        }
        return found | ({"stored": 1} if name in statics.readers else {})

    def _edge(self, edge: EdgeKey) -> list[int]:
        """Return source, target, and after how many steps the gradient has come back; 0 where none does."""
        place = self._frame.trace.backward_places.get(edge)
        return [self._nodes[edge[0]], self._nodes[edge[1]], 0 if place is None else place + 1]

    def _step(self, step: Step) -> dict[str, Any]:
        """Return which node a step sets to what; of a backward one its edge, factor and what it reads."""
        found: dict[str, Any] = {"p": step.phase.value, "n": self._nodes[step.target]}
        if step.quantity in (None, "value"):
            found["a"] = self._table.add(step.after, self._frame.sets_rounding(step))
        if step.phase == Phase.BACKWARD:
            slot = int(step.slot or 0)
            equation = self._frame.statics.backward(step.node, slot, step.before is not None)
            uses = equation.contribution.factor.uses if equation else ()
            found["from"] = self._nodes[step.node]
            found["e"] = self._edges[str(step.input), step.node, slot]
            found["r"] = [self._nodes[name] for name in uses if name in self._nodes]
            found["f"] = self._formulas.setdefault(factor_latex(equation), len(self._formulas))
        return found
