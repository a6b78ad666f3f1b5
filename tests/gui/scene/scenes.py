"""Scenes made from real traces, for the tests of what is painted."""

from __future__ import annotations

from collections.abc import Mapping

from engine.graph import Detail
from engine.hyperparameters import Hyperparameter
from engine.optimizers import OPTIMIZERS, Optimizer, Quantity, updates
from engine.trace import Phase, Step, Update, trace
from graphs.layout import Layout, layout
from graphs.network import Model, bind, load
from graphs.nxgraph import nx_graph
from gui.scene.metrics import ON_SCREEN, Letters, node_size
from gui.viewdata import Array, Frame, SceneView, Statics, scene_view

DRAG = Optimizer(
    "drag",
    "Drag",
    "Reads the last mass before and after it is worked out, and the old value twice.",
    "",
    (Hyperparameter("learning_rate", "learning rate", 0.1, 0.0, 10.0, r"\eta"),),
    """
    drag = mass + 0.1 * value
    mass = 0.5 * mass + gradient
    step = learning_rate * (drag + mass)
    value = value - step
    """,
    (
        Quantity("drag", "drag", "d_{{p}}", "drag_{p}", ""),
        Quantity("mass", "mass", "m_{{p}}", "mass_{p}", ""),
        Quantity("step", "step", r"\Delta {p}", "step_{p}", ""),
        Quantity("value", "new value", "{p}", "{p}", ""),
    ),
)
"""An optimizer that nobody uses: what is shown of an update is made for any."""


class Show:
    """A network's trace, as scenes; the one of iteration `after`."""

    def __init__(
        self,
        model: Model | str,
        detail: Detail = Detail.EQUATION,
        optimizer: Optimizer = OPTIMIZERS["gd"],
        after: int = 0,
    ) -> None:
        self.model = bind(load(model)) if isinstance(model, str) else model
        self.detail = detail
        self.optimizer = optimizer
        self.settings = optimizer.settings({})
        self.iteration = after
        self._kept: dict[tuple[str, str], Array] = {}
        leaves = {**self.model.inputs, **self.model.parameters}
        for t in range(after):
            self.iteration = t
            for step in trace(self.model.graph, leaves, detail, self._optimize).steps:
                if step.phase == Phase.UPDATE:
                    self._kept[step.node, str(step.quantity)] = step.after
            leaves |= {name: self._kept[name, "value"] for name in self.model.parameters}
        self.iteration = after
        self.trace = trace(self.model.graph, leaves, detail, self._optimize)
        self.statics = Statics(self.model.graph, detail)

    def _optimize(self, parameters: Mapping[str, Array], gradients: Mapping[str, Array]) -> list[Update]:
        settings = {**self.settings, "t": self.iteration + 1}
        return updates(self.optimizer, parameters, gradients, self._kept, settings)

    @property
    def length(self) -> int:
        return len(self.trace.steps)

    def layout(self, letters: Letters = ON_SCREEN) -> Layout:
        sizes = {name: node_size(view, letters) for name, view in self.scene(0).nodes.items()}
        return layout(nx_graph(self.model.graph, self.detail), sizes, is_narrow=letters != ON_SCREEN)

    def step(self, phase: str, node: str, source: str | None = None) -> Step:
        """Return the step of `phase` that computes `node`, or goes back from it to `source`."""
        wanted = (phase, node, source)
        return next(s for s in self.trace.steps if (s.phase, s.node, s.input) == wanted)

    def after(self, phase: str, node: str, source: str | None = None) -> SceneView:
        """Return the scene right after a step."""
        return self.scene(self.step(phase, node, source).index + 1)

    def update(self, parameter: str, quantity: str = "value") -> SceneView:
        """Return the scene right after a quantity of a parameter's update."""
        return self.scene(self.update_step(parameter, quantity).index + 1)

    def update_step(self, parameter: str, quantity: str = "value") -> Step:
        """Return the step that works out a quantity of a parameter's update."""
        return next(s for s in self.trace.steps if (s.node, s.quantity) == (parameter, quantity))

    def scene(self, position: int) -> SceneView:
        return scene_view(self.frame(position))

    def frame(self, position: int, statics: Statics | None = None) -> Frame:
        state = self.trace.state(position)
        return Frame(
            model=self.model,
            trace=self.trace,
            statics=statics or self.statics,
            position=position,
            values=state.values,
            gradients=state.gradients,
            iteration=self.iteration,
            iterations=self.iteration + 1,
            optimizer=self.optimizer,
            settings=self.settings,
        )

    def backward_scenes(self) -> list[SceneView]:
        """Return the scenes of all backward steps."""
        steps = self.trace.steps
        return [self.scene(s.index + 1) for s in steps if s.phase == Phase.BACKWARD]
