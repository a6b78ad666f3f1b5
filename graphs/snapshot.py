"""A place on the timeline, whole: what every document is written of.

The window and the command line both export a :class:`Snapshot`, so what leaves the program is made from the
same records and the same trace as what is on the screen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from engine.derive import Derivation
from engine.errors import UsageError
from engine.graph import Detail, Graph
from engine.optimizers import OPTIMIZERS, Optimizer
from engine.trace import State, Step, Trace
from engine.training import Recipe, Run
from graphs.definition import Array
from graphs.network import Model

__all__ = ["Snapshot", "same_place"]


@dataclass(frozen=True, eq=False)
class Snapshot:
    """One iteration of a run, and a place in it.

    Attributes
    ----------
    model
        The network with the whole data and the parameters that the run began with.
    recipe
        How it is trained.
    trace
        The iteration's steps: forward, seed, backward, update.
    position
        How many of the steps have been taken.
    iteration
        Which iteration of the run it is, counted from 0.
    batch
        Which examples of the data its mini-batch takes, counted from 0; None for all.
    run
        The run that it belongs to, None where it has not begun.
    overrides
        What has been changed by hand, by name; these values are in the model already.
    runs
        The runs that stand side by side, `run` among them, by what they are called; empty for `run` alone.
    """

    model: Model
    recipe: Recipe
    trace: Trace
    position: int
    iteration: int = 0
    batch: Sequence[int] | None = None
    run: Run | None = None
    overrides: Mapping[str, Array] = field(default_factory=dict)
    runs: Mapping[str, Run] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        run: Run,
        model: Model,
        *,
        detail: Detail = Detail.EQUATION,
        iteration: int = 0,
        position: int | None = None,
        overrides: Mapping[str, Array] | None = None,
    ) -> Snapshot:
        """Return the place after `position` steps of an iteration of a run; after all of them where None.

        Raises
        ------
        UsageError
            Where there is no such iteration or step.
        """
        if not 0 <= iteration <= run.iteration:
            raise UsageError(
                f"there is no iteration {iteration}.",
                how=f"This run has the iterations 0 to {run.iteration}.",
            )
        point = run.at(iteration)
        indices = model.indices(iteration, run.batch_size)
        graph, data = model.batch(indices)
        found = run.traced(graph, {**data, **point.parameters}, point, detail)
        batch = None if indices is None else tuple(indices.tolist())
        whole = cls(model, run.recipe, found, 0, iteration, batch, run, overrides or {})
        return whole.at(len(found.steps) if position is None else position)

    def at(self, position: int) -> Snapshot:
        """Return the same iteration after `position` steps.

        Raises
        ------
        UsageError
            Where there is no such step.
        """
        last = len(self.trace.steps)
        if not 0 <= position <= last:
            raise UsageError(
                f"there is no step {position}.",
                how=f"Choose one of its steps, 0 to {last}.",
            )
        return replace(self, position=position)

    @property
    def title(self) -> str:
        """The network's title."""
        return self.model.network.title

    @property
    def detail(self) -> Detail:
        """Whether a step is a line's or an operation's."""
        return self.trace.detail

    @property
    def optimizer(self) -> Optimizer:
        """The optimizer whose update ends the iteration."""
        return OPTIMIZERS[self.recipe.optimizer]

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        """The hyperparameters in this iteration's update, and its number ``t`` counted from 1."""
        return self.recipe.settings_at(self.iteration)

    @property
    def step(self) -> Step | None:
        """The step that led here, None at the start."""
        return self.trace.steps[self.position - 1] if self.position else None

    @cached_property
    def state(self) -> State:
        """The values and gradients that are known here."""
        return self.trace.state(self.position)

    @cached_property
    def derivation(self) -> Derivation:
        """The equations of the graph at this detail."""
        return self.derive(self.trace.graph, self.trace.detail)

    @property
    def derive(self) -> Callable[[Graph, Detail], Derivation]:
        """What gives the equations of a graph: with the fault that is in the run, if any."""
        return Derivation if self.run is None else self.run.derivation

    def place(self) -> str:
        """Return where this is, as the window says it: ``step 14 of 37, backward``."""
        phase = self.step.phase.value if self.step is not None else "start"
        return f"step {self.position} of {len(self.trace.steps)}, {phase}"


def same_place(old: Trace, position: int, new: Trace) -> int:
    """Return how many steps of `new` lead to where `position` is in `old`: the same phase, at the same line.

    Where the step of `old` has a counterpart with the same target, it leads there; else to the line's end.
    """
    if position in (0, len(old.steps)):
        return 0 if position == 0 else len(new.steps)
    step = old.steps[position - 1]
    place = (step.phase, _line_of(old.graph, step))
    steps = [s for s in new.steps if (s.phase, _line_of(new.graph, s)) == place]
    exact = [s for s in steps if (s.target, s.quantity) == (step.target, step.quantity)]
    found = exact or steps
    return found[-1].index + 1 if found else 0


def _line_of(graph: Graph, step: Step) -> str:
    node = graph[step.node]
    return graph.lines[node.line].name if node.line >= 0 else node.name
