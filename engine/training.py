"""Training: a seeded run that can be stood at any iteration.

A :class:`Recipe` says how to train. A :class:`Run` trains and knows no threads, no processes and no clock:
:meth:`Run.advance` does some iterations and returns what was recorded. What is recorded is a
:class:`History`: the loss of every iteration, and samples (parameters, optimizer state, held-out loss, norm of
the gradient) at iterations whose distance doubles as the run grows, so that their number grows like the
square root of its length. Any iteration is replayed from the sample before it, bit for bit.

A run may be advanced in another process: :class:`Records` travel, and :meth:`Run.extend` takes them in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf, isqrt
from typing import Any, Protocol

import numpy as np

from engine.errors import TrainingError, excerpt
from engine.graph import Graph
from engine.hyperparameters import Hyperparameter
from engine.optimizers import OPTIMIZERS, Optimizer, updates
from engine.schedules import SCHEDULES
from engine.trace import Update, first_non_finite, forward, gradients

__all__ = [
    "STOPPING",
    "Diverged",
    "History",
    "Point",
    "Problem",
    "Reached",
    "Recipe",
    "Records",
    "Run",
    "Sample",
    "Stopping",
]

Array = np.ndarray
LEAST_SAMPLES = 1024


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

    def held(self) -> tuple[Graph, dict[str, Array]] | None:
        """Return the graph and the data of the examples held out of training, None where there are none."""
        ...


# --- how to train ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stopping:
    """When a run ends by itself; None for never.

    Attributes
    ----------
    loss
        As soon as the loss is at most this.
    change
        As soon as an iteration changes the loss by at most this.
    gradient
        As soon as the Euclidean norm of the whole gradient is at most this.
    """

    loss: float | None = None
    change: float | None = None
    gradient: float | None = None

    def checked(self) -> Stopping:
        """Return the rules, each a number in range or None.

        Raises
        ------
        TrainingError
            For a number out of range.
        """
        given = {rule: getattr(self, rule) for rule in STOPPING}
        return Stopping(**{r: None if v is None else STOPPING[r].checked(v) for r, v in given.items()})


def _rule(name: str, text: str, default: float, low: float, symbol: str, why: str) -> Hyperparameter:
    return Hyperparameter(name, text, default, low, inf, symbol, why)


STOPPING: Mapping[str, Hyperparameter] = {
    "loss": _rule("stop_loss", "loss to stop at", 0.01, -inf, "L", "Stop when the loss is at most this."),
    "change": _rule(
        *("tolerance", "tolerance", 1e-9, 0.0, r"|\Delta L|"),
        "Stop when an iteration changes the loss by at most this.",
    ),
    "gradient": _rule(
        *("gradient_tolerance", "gradient tolerance", 1e-6, 0.0, r"||\nabla L||"),
        "Stop when the norm of the whole gradient is at most this.",
    ),
}
"""The rules of `Stopping` as hyperparameters; the default is where a form starts, there is none otherwise."""


@dataclass(frozen=True)
class Recipe:
    """How to train: optimizer and schedule with their hyperparameters, mini-batches, when to stop.

    `settings` and `schedule_settings` hold only what differs from the defaults until :meth:`checked`
    completes them.
    """

    optimizer: str = "gd"
    settings: Mapping[str, Any] = field(default_factory=dict)
    batch_size: int | None = None
    stopping: Stopping = Stopping()
    schedule: str = "constant"
    schedule_settings: Mapping[str, Any] = field(default_factory=dict)

    def checked(self) -> Recipe:
        """Return the recipe with every hyperparameter, each in range.

        Raises
        ------
        TrainingError
            For an optimizer or a schedule that does not exist, a hyperparameter it lacks, a value out of
            range.
        """
        for kind, name, known in (
            ("optimizer", self.optimizer, OPTIMIZERS),
            ("schedule", self.schedule, SCHEDULES),
        ):
            if name not in known:
                raise TrainingError(
                    f"there is no {kind} {excerpt(name, 40)}.", how=f"There are: {', '.join(known)}."
                )
        return replace(
            self,
            settings=OPTIMIZERS[self.optimizer].settings(self.settings),
            schedule_settings=SCHEDULES[self.schedule].settings(self.schedule_settings),
            stopping=self.stopping.checked(),
        )

    def settings_at(self, iteration: int) -> dict[str, Any]:
        """Return what the optimizer's rule reads at an iteration: the learning rate that the schedule gives.

        ``t`` is the number of the update, counted from 1, as bias correction needs it.
        """
        rate = SCHEDULES[self.schedule].rate(self.learning_rate, iteration, self.schedule_settings)
        return {**self.settings, "learning_rate": rate, "t": iteration + 1}

    @property
    def learning_rate(self) -> float:
        """The learning rate, before any schedule."""
        return float(self.settings["learning_rate"])

    def title(self) -> str:
        """Return a short name for a legend: ``Adam, η 0.01``."""
        schedule = "" if self.schedule == "constant" else f", {SCHEDULES[self.schedule].title.lower()}"
        return f"{OPTIMIZERS[self.optimizer].title}, η {self.learning_rate:g}{schedule}"


# --- what is recorded --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Point:
    """Where a run stands before an iteration: the parameters, and what the optimizer keeps."""

    iteration: int
    parameters: Mapping[str, Array]
    state: Mapping[tuple[str, str], Array] = field(default_factory=dict)


@dataclass(frozen=True)
class Sample:
    """A point that was kept, the loss on held-out examples (nan: none) and the gradient's norm there."""

    point: Point
    held_loss: float
    gradient_norm: float


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


@dataclass(frozen=True)
class Reached:
    """The end of a run that met a rule of `Stopping`: which one, and what it met."""

    iteration: int
    rule: str
    value: float

    def sentence(self) -> str:
        """Say what was reached, in one sentence."""
        what = {"loss": "the loss", "change": "the change of the loss", "gradient": "the gradient's norm"}
        return f"Training stopped at iteration {self.iteration}: {what[self.rule]} is {self.value:.4g}."


@dataclass(frozen=True)
class Records:
    """What some iterations recorded; it can be sent to another process.

    Attributes
    ----------
    first
        The iteration that the first of `losses` is the loss before.
    losses
        One an iteration, shape (n,).
    point
        Where the run stands now.
    samples
        Those taken on the way.
    """

    first: int
    losses: Array
    point: Point
    samples: tuple[Sample, ...] = ()
    ended: Diverged | Reached | None = None


class History:
    """What has been recorded of a run, in memory that grows like the square root of its length.

    (The losses aside: one number an iteration.)

    Parameters
    ----------
    first
        The first iteration whose loss is held; what was before is held elsewhere.
    stride
        The distance of the samples at first; it never falls below this.
    """

    def __init__(self, first: int = 0, stride: int = 1) -> None:
        self._first = first
        self._room = np.empty(1024)
        self._count = 0
        self._samples: dict[int, Sample] = {}
        self.stride = stride
        self.ended: Diverged | Reached | None = None

    @property
    def losses(self) -> Array:
        """The loss over the whole data before each iteration, and after the last; read-only."""
        view = self._room[: self._count]
        view.flags.writeable = False
        return view

    @property
    def samples(self) -> Sequence[Sample]:
        """The points that were kept, in order of their iterations."""
        return tuple(self._samples.values())

    def before(self, iteration: int) -> Sample:
        """Return the last sample that is not after `iteration`."""
        return self._samples[max(t for t in self._samples if t <= iteration)]

    def extend(self, records: Records) -> None:
        """Take in what was recorded; records must follow one another without a gap."""
        if records.first != self._first + self._count:
            raise ValueError(f"records from {records.first} do not follow {self._first + self._count}")
        count = self._count + len(records.losses)
        if count > len(self._room):
            room = np.empty(2 * count)
            room[: self._count] = self._room[: self._count]
            self._room = room
        self._room[self._count : count] = records.losses
        self._count = count
        self._samples.update((s.point.iteration, s) for s in records.samples)
        self.ended = records.ended
        self._thin()

    def _thin(self) -> None:
        while len(self._samples) > max(LEAST_SAMPLES, 4 * isqrt(self._first + self._count)):
            self.stride *= 2
            self._samples = {t: s for t, s in self._samples.items() if t % self.stride == 0}


# --- the run -----------------------------------------------------------------------------------------------


class Run:
    """A training run of one problem.

    Parameters
    ----------
    problem
        A model: graph, data, initial parameters.
    recipe
        How to train.
    point
        Where to go on, for a run whose beginning was recorded elsewhere; the start where None.
    stride
        The least distance of the samples of a run that goes on.

    Raises
    ------
    TrainingError
        For hyperparameters out of range, and a batch size that is not between 1 and the number of examples.
    """

    def __init__(
        self,
        problem: Problem,
        recipe: Recipe | None = None,
        point: Point | None = None,
        stride: int = 1,
    ) -> None:
        self.problem = problem
        self.recipe = (recipe or Recipe()).checked()
        self.history = History() if point is None else History(point.iteration + 1, stride)
        problem.indices(0, self.recipe.batch_size)
        self._point = point or Point(0, problem.parameters)
        self._seen: tuple[Point, list[Array]] | None = None  # the last point, and its values on all data
        if point is None:
            loss = np.array([self._loss(self._point)])
            self.history.extend(Records(0, loss, self._point, (self.sample(self._point),)))

    @property
    def optimizer(self) -> Optimizer:
        """The record of the optimizer."""
        return OPTIMIZERS[self.recipe.optimizer]

    @property
    def settings(self) -> Mapping[str, Any]:
        """The hyperparameters, all of them."""
        return self.recipe.settings

    @property
    def batch_size(self) -> int | None:
        """Examples in a mini-batch, None for all."""
        return self.recipe.batch_size

    @property
    def losses(self) -> Array:
        """The loss over the whole data before each iteration, and after the last; read-only."""
        return self.history.losses

    @property
    def ended(self) -> Diverged | Reached | None:
        """Why the run goes no further, None while it can."""
        return self.history.ended

    @property
    def diverged(self) -> Diverged | None:
        """Set when the loss or a parameter is no longer finite."""
        ended = self.history.ended
        return ended if isinstance(ended, Diverged) else None

    @property
    def iteration(self) -> int:
        """How many iterations have been done."""
        return self._point.iteration

    @property
    def point(self) -> Point:
        """Where the run stands after its last iteration."""
        return self._point

    def advance(self, iterations: int, stop: Callable[[], bool] = lambda: False) -> Records:
        """Do up to `iterations` more, and return what was recorded.

        Stops early when `stop` says so, when a number is no longer finite, or when a rule of the recipe's
        `Stopping` is met.
        """
        if not self.problem.graph.parameters:
            raise TrainingError(
                "this network has no parameters to train.", how="Add some under [parameters]."
            )
        first, losses, samples, ended = self.iteration + 1, [], [], self.ended
        while len(losses) < iterations and ended is None and not stop():
            following = self.step(self._point)
            loss = self._loss(following)
            self._point = following
            losses.append(loss)
            if following.iteration % self.history.stride == 0:
                samples.append(self.sample(following))
            if not np.isfinite(loss) or not _is_finite(following):
                ended = self._divergence(following)
        records = Records(first, np.array(losses), self._point, tuple(samples), ended)
        self.history.extend(records)
        return records

    def extend(self, records: Records) -> None:
        """Take in what another process recorded of this run."""
        self.history.extend(records)
        self._point = records.point

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
            return list(updates(self.optimizer, parameters, found, point.state, self.recipe.settings_at(point.iteration)))

        return update

    def at(self, iteration: int) -> Point:
        """Return the point before `iteration`, replayed from the sample before it, bit for bit.

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
        point = self.history.before(iteration).point
        while point.iteration < iteration:
            point = self.step(point)
        return point

    def sample(self, point: Point) -> Sample:
        """Return what is kept of a point."""
        return Sample(point, self.held_loss(point), self.gradient_norm(point))

    def held_loss(self, point: Point) -> float:
        """Return the loss on the held-out examples, nan where there are none."""
        held = self.problem.held()
        if held is None:
            return float("nan")
        graph, data = held
        return float(forward(graph, {**data, **point.parameters})[graph.ids[graph.loss]])

    def gradient_norm(self, point: Point) -> float:
        """Return the Euclidean norm of the gradient by all parameters, over the whole data."""
        graph = self.problem.graph
        values = forward(graph, {**self.problem.inputs, **point.parameters})
        found = gradients(graph, values, graph.trained)
        with np.errstate(all="ignore"):
            return float(np.sqrt(sum(np.sum(found[name] ** 2) for name in graph.parameters)))

    def _loss(self, point: Point) -> float:
        graph = self.problem.graph
        values = forward(graph, {**self.problem.inputs, **point.parameters})
        self._seen = (point, values)
        return float(values[graph.ids[graph.loss]])

    def _divergence(self, point: Point) -> Diverged:
        graph = self.problem.graph
        assert self._seen is not None  # the loss at this point has just been worked out
        node = first_non_finite(graph, self._seen[1]) or graph.loss
        return Diverged(point.iteration, node, float(self.settings.get("learning_rate", 1.0)))


def _is_finite(point: Point) -> bool:
    return all(np.all(np.isfinite(array)) for array in point.parameters.values())


def _frozen(array: Any) -> Array:
    result = np.asarray(array)
    result.flags.writeable = False
    return result
