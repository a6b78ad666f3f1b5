"""Scenes made from real traces, for the tests of what is painted."""

from __future__ import annotations

from engine.graph import Detail
from engine.optimizers import OPTIMIZERS
from engine.trace import Phase, Step, Update, trace
from graphs.layout import Layout, layout
from graphs.network import Model, bind, load
from graphs.nxgraph import nx_graph
from gui.scene.metrics import node_size
from gui.viewdata import Frame, SceneView, Statics, scene_view


class Show:
    """A network's trace, as scenes."""

    def __init__(self, model: Model | str, detail: Detail = Detail.EQUATION) -> None:
        self.model = bind(load(model)) if isinstance(model, str) else model
        self.detail = detail
        leaves = {**self.model.inputs, **self.model.parameters}
        self.trace = trace(self.model.graph, leaves, detail, _descend)
        self.statics = Statics(self.model.graph, detail)

    @property
    def length(self) -> int:
        return len(self.trace.steps)

    def layout(self) -> Layout:
        sizes = {name: node_size(view) for name, view in self.scene(0).nodes.items()}
        return layout(nx_graph(self.model.graph, self.detail), sizes)

    def step(self, phase: str, node: str, source: str | None = None) -> Step:
        """Return the step of `phase` that computes `node`, or goes back from it to `source`."""
        wanted = (phase, node, source)
        return next(s for s in self.trace.steps if (s.phase, s.node, s.input) == wanted)

    def after(self, phase: str, node: str, source: str | None = None) -> SceneView:
        """Return the scene right after a step."""
        return self.scene(self.step(phase, node, source).index + 1)

    def scene(self, position: int) -> SceneView:
        state = self.trace.state(position)
        optimizer = OPTIMIZERS["gd"]
        frame = Frame(
            model=self.model,
            trace=self.trace,
            statics=self.statics,
            position=position,
            values=state.values,
            gradients=state.gradients,
            iteration=0,
            iterations=1,
            optimizer=optimizer,
            settings=optimizer.settings({}),
        )
        return scene_view(frame)

    def backward_scenes(self) -> list[SceneView]:
        """Return the scenes of all backward steps."""
        steps = self.trace.steps
        return [self.scene(s.index + 1) for s in steps if s.phase == Phase.BACKWARD]


def _descend(parameters, gradients) -> list[Update]:
    return [Update(n, "value", value, value - 0.1 * gradients[n]) for n, value in parameters.items()]
