"""Training: a seeded run that can be stood at any iteration.

A :class:`Run` knows no threads and no clock: :meth:`Run.advance` does some iterations and returns what was
recorded. It keeps the parameters of few iterations and replays from the nearest one: their distance doubles
whenever there are too many, so memory stays bounded while any iteration is at most one stretch away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from engine.errors import TrainingError
from engine.graph import Graph
from engine.optimizers import OPTIMIZERS, Optimizer, updates
from engine.trace import Update, first_non_finite, forward, gradients

__all__ = ["Diverged", "Point", "Problem", "Run"]

Array = np.ndarray
MAX_CHECKPOINTS = 256


class Problem(Protocol):
    """What can be trained: a graph with parameters and data, whole or a mini-batch of it."""

    @property
    def graph(self) -> Graph:
        """The graph for the whole data."""
        ...

    @property
    def parameters(self) -> dict[str, Array]:
        """The initial parameters by name."""
        ...

    @property
    def examples(self) -> int:
        """The number of examples."""
        ...

    @property
    def inputs(self) -> dict[str, Array]:
        """The whole data by name."""
        ...

    def indices(self, iteration: int, batch_size: int | None) -> Array | None:
        """Return which examples an iteration takes, None for all."""
        ...

    def batch(self, indices: Array | None) -> tuple[Graph, dict[str, Array]]:
        """Return the graph and the data of a mini-batch."""
        ...


@dataclass(frozen=True)
class Point:
    """Where a run stands before an iteration: the parameters, and what the optimizer keeps."""

    iteration: int
    parameters: Mapping[str, Array]
    state: Mapping[tuple[str, str], Array] = field(default_factory=dict)


@dataclass(frozen=True)
class Diverged:
    """The end of a run that left the finite numbers: at which iteration, and which node did first."""

    iteration: int
    node: str
    learning_rate: float

    def sentence(self) -> str:
        """Say what happened and what to do, in one sentence."""
        line, _, part = self.node.rpartition(".")
        node = f"part {part} of {line}" if line else self.node
        rate = min(self.learning_rate / 10, 0.1)  # a tenth of a million would diverge as well
        return (
            f"Training stopped at iteration {self.iteration}: {node} is no longer a finite number; "
            f"try a smaller learning rate, such as {rate:.3g}."
        )


@dataclass
class Run:
    """A training run of one problem.

    Parameters
    ----------
    problem
        A model: graph, data, initial parameters.
    optimizer, settings
        Which optimizer, with its hyperparameters.
    batch_size
        Examples in a mini-batch, None for all.

    Attributes
    ----------
    losses
        The loss over the whole data before each iteration, and after the last: one more than iterations.
    diverged
        Set when the loss or a parameter is no longer finite; the run goes no further.

    Raises
    ------
    TrainingError
        For hyperparameters out of range, and a batch size that is not between 1 and the number of examples.
    """

    problem: Problem
    optimizer: Optimizer = OPTIMIZERS["gd"]
    settings: Mapping[str, float] = field(default_factory=dict)
    batch_size: int | None = None
    losses: list[float] = field(default_factory=list)
    diverged: Diverged | None = None

    def __post_init__(self) -> None:
        self.settings = self.optimizer.settings(self.settings)
        self.problem.indices(0, self.batch_size)
        self._point = Point(0, self.problem.parameters)
        self._checkpoints: dict[int, Point] = {0: self._point}
        self._stride = 1
        self._seen: tuple[Point, list[Array]] | None = None  # the last point, and its values on all data
        self.losses.append(self._loss(self._point))

    @property
    def iteration(self) -> int:
        """How many iterations have been done."""
        return self._point.iteration

    @property
    def point(self) -> Point:
        """Where the run stands after its last iteration."""
        return self._point

    def advance(self, iterations: int, stop: Callable[[], bool] = lambda: False) -> list[float]:
        """Do up to `iterations` more, and return the loss after each.

        Stops early when `stop` says so, or when a number is no longer finite.
        """
        if not self.problem.graph.parameters:
            raise TrainingError(
                "this network has no parameters to train.", how="Add some under [parameters]."
            )
        done: list[float] = []
        while len(done) < iterations and self.diverged is None and not stop():
            following = self.step(self._point)
            loss = self._loss(following)
            self._point = following
            self.losses.append(loss)
            done.append(loss)
            self._keep(following)
            if not np.isfinite(loss) or not _is_finite(following):
                self._stop_at(following)
        return done

    def step(self, point: Point) -> Point:
        """Return the point one iteration after `point`; the same point always gives the same next one."""
        found = self._updates(point)
        parameters = {u.parameter: _frozen(u.after) for u in found if u.quantity == "value"}
        kept = set(self.optimizer.state)
        state = {(u.parameter, u.quantity): _frozen(u.after) for u in found if u.quantity in kept}
        return Point(point.iteration + 1, parameters, state)

    def _updates(self, point: Point) -> list[Update]:
        graph, data = self.problem.batch(self.problem.indices(point.iteration, self.batch_size))
        seen = self._seen
        if seen is not None and seen[0] is point and graph is self.problem.graph:
            values = seen[1]  # worked out for the loss already
        else:
            values = forward(graph, {**data, **point.parameters})
        found = gradients(graph, values, graph.trained)
        with np.errstate(all="ignore"):
            return self.optimize(point)(point.parameters, found)

    def optimize(self, point: Point) -> Callable[[Mapping[str, Array], Mapping[str, Array]], list[Update]]:
        """Return the update of the iteration at `point`, as a trace takes it."""

        def update(parameters: Mapping[str, Array], found: Mapping[str, Array]) -> list[Update]:
            return list(updates(self.optimizer, parameters, found, point.state, self.settings))

        return update

    def at(self, iteration: int) -> Point:
        """Return the point before `iteration`, replayed from the nearest kept one, bit for bit.

        Raises
        ------
        TrainingError
            For an iteration that the run has not reached.
        """
        if not 0 <= iteration <= self.iteration:
            raise TrainingError(
                f"iteration {iteration} has not been reached.",
                how=f"The run has {self.iteration} iterations.",
            )
        if iteration == self.iteration:
            return self._point
        point = self._checkpoints[max(t for t in self._checkpoints if t <= iteration)]
        while point.iteration < iteration:
            point = self.step(point)
        return point

    def _keep(self, point: Point) -> None:
        if point.iteration % self._stride == 0:
            self._checkpoints[point.iteration] = point
        if len(self._checkpoints) > MAX_CHECKPOINTS:
            self._stride *= 2
            self._checkpoints = {t: p for t, p in self._checkpoints.items() if t % self._stride == 0}

    def _loss(self, point: Point) -> float:
        graph = self.problem.graph
        values = forward(graph, {**self.problem.inputs, **point.parameters})
        self._seen = (point, values)
        return float(values[graph.ids[graph.loss]])

    def _stop_at(self, point: Point) -> None:
        graph = self.problem.graph
        assert self._seen is not None  # the loss at this point has just been worked out
        node = first_non_finite(graph, self._seen[1]) or graph.loss
        rate = self.settings.get("learning_rate", 1.0)
        self.diverged = Diverged(point.iteration, node, rate)


def _is_finite(point: Point) -> bool:
    return all(np.all(np.isfinite(array)) for array in point.parameters.values())


def _frozen(array: Any) -> Array:
    result = np.asarray(array)
    result.flags.writeable = False
    return result
