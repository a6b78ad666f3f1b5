"""Training: a seeded run that can be stood at any iteration.

A :class:`Recipe` says how to train. A :class:`Run` trains and knows no threads and no processes:
:meth:`Run.advance` does some iterations and returns what was recorded. What is recorded is a
:class:`~engine.history.History`: the loss of every iteration, and samples (parameters, optimizer state,
held-out loss, norm of the gradient) at iterations whose distance doubles as the run grows, so that their
number grows like the square root of its length. Any iteration is replayed from the sample before it, bit for
bit.

The steps are those of the fast plan (:mod:`engine.plan`). What is shown of a single iteration comes from the
interpreter (:mod:`engine.trace`); the two agree to rounding.

A run may be advanced in another process: :class:`Records` travel, and :meth:`Run.extend` takes them in.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from math import inf
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from engine.derive import Derivation
from engine.errors import TrainingError, excerpt
from engine.graph import Detail, Graph
from engine.history import (
    Diverged,
    Form,
    History,
    Point,
    Reached,
    Recording,
    Records,
    Sample,
    Samples,
    merged,
)
from engine.hyperparameters import Hyperparameter, chosen
from engine.names import plain_name
from engine.optimizers import OPTIMIZERS, Optimizer, updates
from engine.plan import Inspector, Rates, Stepper
from engine.problem import Problem
from engine.schedules import SCHEDULES
from engine.trace import Trace, Update, trace

__all__ = [
    "SPAN",
    "STOPPING",
    "Diverged",
    "History",
    "Point",
    "Problem",
    "Reached",
    "Recipe",
    "Recording",
    "Records",
    "Run",
    "Sample",
    "Stopping",
]

Array = np.ndarray


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


SPAN = 500  # iterations, where nobody says how many are to be trained


@dataclass(frozen=True)
class Recipe:
    """How to train: optimizer and schedule with their hyperparameters, mini-batches, when to stop.

    `settings` and `schedule_settings` hold only what differs from the defaults until :meth:`checked`
    completes them.

    Attributes
    ----------
    span
        How many iterations the defaults of the schedule are made for. These defaults are numbers of the
        recipe from then on, so that a run that goes on or is rewound keeps its schedule.
    """

    optimizer: str = "gd"
    settings: Mapping[str, Any] = field(default_factory=dict)
    batch_size: int | None = None
    stopping: Stopping = Stopping()
    schedule: str = "constant"
    schedule_settings: Mapping[str, Any] = field(default_factory=dict)
    span: int = field(default=SPAN, compare=False)

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
            schedule_settings=SCHEDULES[self.schedule].settings(self.schedule_settings, self.span),
            stopping=self.stopping.checked(),
        )

    def spanning(self, iterations: int) -> Recipe:
        """Return the checked recipe for a run of so many iterations: what is by default follows them."""
        schedule = SCHEDULES[self.schedule]
        standard = schedule.settings(
            {n: v for n, v in self.schedule_settings.items() if n in schedule.independent}, self.span
        )
        chosen = {
            name: value
            for name, value in self.schedule_settings.items()
            if name in schedule.independent or value != standard[name]
        }
        return replace(self, schedule_settings=chosen, span=iterations).checked()

    @property
    def has_span(self) -> bool:
        """Whether any default of the schedule goes with the length of a run."""
        return SCHEDULES[self.schedule].independent != {*self.schedule_settings}

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

    def title(self, in_full: bool = False) -> str:
        """Return a name for a legend: ``Adam, η 0.01, β₁ 0.5``. What is as by default is not said.

        Parameters
        ----------
        in_full
            Whether what goes with the length of the run is said as well.
        """
        optimizer, schedule = OPTIMIZERS[self.optimizer], SCHEDULES[self.schedule]
        parts = [optimizer.title, f"η {_short(self.learning_rate)}"]
        own = chosen(optimizer.settings, self.settings)
        parts += [f"{_word(n)} {_short(v)}" for n, v in own.items() if n != "learning_rate"]
        parts += [f"{self.batch_size} a batch"] if self.batch_size is not None else []
        parts += [schedule.title.lower()] if self.schedule not in ("constant", "warmup") else []
        over = partial(schedule.settings, span=self.span)
        said = chosen(over, self.schedule_settings)
        for name, value in self.schedule_settings.items():
            always = (in_full and name not in schedule.independent) or self.schedule == "warmup"
            parts += [f"{_word(name)} {_short(value)}"] if name in said or always else []
        rules = ((rule, getattr(self.stopping, rule)) for rule in STOPPING)
        parts += [f"{rule} ≤ {_short(value)}" for rule, value in rules if value is not None]
        return ", ".join(parts)


def _word(name: str) -> str:
    """Return a hyperparameter's name for a legend: ``β₁``, ``final rate``."""
    return "warm-up" if name == "warmup" else plain_name(name).replace("_", " ")


def _short(number: float) -> str:
    exact = repr(number).removesuffix(".0")
    return exact if len(exact) <= 9 else f"{number:g}"


# --- the run -----------------------------------------------------------------------------------------------

SLICE = 4e-3  # seconds of work between two questions whether to stop
MOST_STRETCH = 64 * 2**20  # bytes of replayed points that are kept
AT_ONCE = 1000  # nodes whose plan is made as soon as there is a run: some tenth of a second
AGREEMENT = 1e-6  # relative: rounding of an ill-conditioned network is far less, a wrong rewrite far more
MOST_TAKEN = 256  # samples, before the history is thinned
ROUNDING = 1e-7  # relative: what rounding can make of a gradient that an adaptive optimizer divides by itself

_Taken = tuple[int, Array, float, float]  # iteration, point, loss on held-out examples, gradient's norm


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
        problem.indices(0, self.recipe.batch_size)
        self._form = Form(tuple((name, array.shape) for name, array in problem.parameters.items()), self.kept)
        first = 0 if point is None else point.iteration + 1
        self.history = History(first, max(stride, _first_stride(self._form.width)))
        self._point = point or Point(0, problem.parameters)
        self._steps = 64  # in a slice, as far as is known
        self._stretch = _Stretch(0, np.empty((0, self._form.width)))
        if point is None:
            self._record_start()

    def _record_start(self) -> None:
        """Record where the run begins; to open a large graph takes no plan, only training does."""
        is_large = len(self.problem.graph.nodes) > AT_ONCE
        mode = Inspector(self.problem, self._rates, self.batch_size) if is_large else self._stepper
        mode.load(self._form.vector(self._point))
        samples = self._taken([(0, mode.save(), mode.held_loss(), mode.gradient_norm())])
        self.history.extend(Records(0, np.array([mode.loss()]), self._point, samples))

    def fork(self) -> Run:
        """Return a run with the same record that goes on by itself: neither changes the other."""
        twin = copy.copy(self)
        twin.history = self.history.fork()
        return twin

    @classmethod
    def resumed(cls, problem: Problem, recipe: Recipe, recording: Recording) -> Run:
        """Return the run that recorded this, standing where it stood.

        Raises
        ------
        BackstepError
            As for a new run, and where no such run can have recorded this.
        """
        run = cls(problem, recipe, Point(len(recording.losses) - 1, problem.parameters))
        run.stand(recording)
        return run

    def stand(self, recording: Recording) -> None:
        """Be a run that has recorded this, and stand where it stood.

        Raises
        ------
        BackstepError
            Where no such run can have recorded this; then nothing has changed.
        """
        recording.checked(self._form)
        self.history = History.of(self._form, recording)
        self._point = self._form.point(len(recording.losses) - 1, recording.point)

    @classmethod
    def having_kept(cls, problem: Problem, recipe: Recipe, state: Mapping[tuple[str, str], Array]) -> Run:
        """Return a run in its second iteration, whose first changed no parameter and left this to be kept.

        Parameters
        ----------
        state
            What the optimizer has kept, by parameter and quantity, of the parameter's shape.
        """
        begun = cls(problem, recipe)
        whole, point = begun.recording(), begun._form.vector(Point(1, problem.parameters, state))
        recording = replace(
            whole,
            stride=1,
            losses=np.repeat(whole.losses, 2),
            iterations=np.array([0, 1]),
            vectors=np.stack([whole.vectors[0], point]),
            numbers=np.repeat(whole.numbers, 2, axis=0),
            point=point,
        )
        return cls.resumed(problem, recipe, recording)

    def recording(self) -> Recording:
        """Return all that was recorded, for :meth:`resumed`."""
        return self.history.recording(self._form.vector(self._point))

    def recording_until(self, iteration: int) -> Recording:
        """Return what was recorded until an iteration, with as few samples as lead back to it quickly.

        Raises
        ------
        TrainingError
            For an iteration that the run has not reached.
        """
        whole, point = self.recording(), self._form.vector(self.at(iteration))
        last = int(np.searchsorted(whole.iterations, iteration, side="right")) - 1
        kept = sorted({0, max(0, last - 1), last})
        return Recording(
            whole.stride,
            whole.losses[: iteration + 1],
            whole.iterations[kept],
            whole.vectors[kept],
            whole.numbers[kept],
            point,
            whole.ended if iteration == self.iteration else None,
        )

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the plan, which is made again where it is needed."""
        return {key: value for key, value in self.__dict__.items() if key != "_stepper"}

    @cached_property
    def _stepper(self) -> Stepper | Inspector:
        """What does the steps: the fast plan, once it has shown that it computes what the formulas say.

        Wrong numbers are worse than slow ones. Where a rewrite fails on a network that nobody has thought of,
        the interpreter trains it; which of the two it is depends on the problem alone.
        """
        inspector = Inspector(self.problem, self._rates, self.batch_size)
        try:
            with np.errstate(all="ignore"):
                stepper = Stepper(self.problem, self._rates, self.batch_size)
                return stepper if self._agree(stepper, inspector) else inspector
        except (ArithmeticError, LookupError, TypeError, ValueError):
            return inspector

    def _agree(self, stepper: Stepper, inspector: Inspector) -> bool:
        """Say whether loss and gradient are the interpreter's at the start, and every batch can be taken."""
        point = self._form.vector(Point(0, self.problem.parameters))
        for mode in (stepper, inspector):
            mode.load(point)
        pairs = [(mode.loss(), mode.gradient_norm()) for mode in (stepper, inspector)]
        for fast, slow in zip(*pairs, strict=True):
            if np.isfinite(slow) and not abs(fast - slow) <= AGREEMENT * max(1.0, abs(slow)):
                return False
        size, examples = self.batch_size, self.problem.examples
        if size is not None and self.problem.indices(0, size) is not None:
            for count in {size, examples % size or size}:  # the last of an epoch may be smaller
                stepper.try_batch(count)
        return True

    @property
    def _rates(self) -> Rates:
        recipe = self.recipe
        is_constant = recipe.schedule == "constant" and not recipe.schedule_settings["warmup"]
        return Rates(self.optimizer, recipe.settings_at, is_constant)

    @property
    def optimizer(self) -> Optimizer:
        """The record of the optimizer."""
        return OPTIMIZERS[self.recipe.optimizer]

    @property
    def kept(self) -> tuple[str, ...]:
        """The quantities that are kept from one update to the next."""
        return self.optimizer.state

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

    # --- going on ---

    def advance(self, iterations: int, stop: Callable[[], bool] = lambda: False) -> Records:
        """Do up to `iterations` more, and return what was recorded.

        Stops early when `stop` says so, which is asked about every four milliseconds of work; when a number
        is no longer finite; or when a rule of the recipe's `Stopping` is met.
        """
        if not self.problem.graph.parameters:
            raise TrainingError(
                "this network has no parameters to train.", how="Add some under [parameters]."
            )
        last, parts = self.iteration + iterations, [self._advanced(self.iteration + iterations, stop)]
        while self.iteration < last and self.ended is None and len(parts[-1].samples) == MOST_TAKEN:
            parts.append(self._advanced(last, stop))
        return merged(parts)

    def _advanced(self, last: int, stop: Callable[[], bool]) -> Records:
        """Go on to the iteration `last`, at most until so many samples are taken as there may be."""
        lap = _Lap(self._standing_at(self._point), self._point.iteration, self.recipe.stopping)
        samples: list[_Taken] = []
        if self.ended is None:
            self._do_laps(lap, last, stop, samples)
        records = self._recorded(lap, samples)
        self.history.extend(records)
        self._point = records.point
        return records

    def _do_laps(self, lap: _Lap, last: int, stop: Callable[[], bool], samples: list[_Taken]) -> None:
        stepper, stride = lap.stepper, self.history.stride
        while lap.iteration < last and len(samples) < MOST_TAKEN and not lap.is_over and not stop():
            begun = perf_counter()
            until = min(last, lap.iteration + self._steps, stride * (lap.iteration // stride + 1))
            count = until - lap.iteration
            lap.run(count)
            self._steps = _steps_in_slice(count, perf_counter() - begun, self._steps)
            if not lap.is_over and lap.iteration % stride == 0:
                numbers = stepper.held_loss(), stepper.gradient_norm()
                samples.append((lap.iteration, stepper.save(), *numbers))

    def _recorded(self, lap: _Lap, samples: list[_Taken]) -> Records:
        losses = lap.losses()
        point = self._point
        if lap.iteration > point.iteration:
            point = self._form.point(lap.iteration, lap.stepper.save())
        ended = self.ended
        if lap.is_over:
            ended = lap.end or self._divergence(point)
        kept = [s for s in samples if s[0] <= point.iteration]
        return Records(self.iteration + 1, losses, point, self._taken(kept), ended)

    def _taken(self, samples: Sequence[_Taken]) -> Samples:
        if len(samples) == 1:
            vectors = samples[0][1][np.newaxis]  # as it is: copying many numbers takes as long as a step
        else:
            vectors = np.array([s[1] for s in samples]).reshape(len(samples), self._form.width)
        numbers = np.array([s[2:] for s in samples]).reshape(len(samples), 2)
        return Samples(self._form, np.array([s[0] for s in samples], np.int64), vectors, numbers)

    def _divergence(self, point: Point) -> Diverged:
        inspector = Inspector(self.problem, self._rates)
        inspector.load(self._form.vector(point))
        node = inspector.first_non_finite() or self.problem.graph.loss
        rate = float(self.settings.get("learning_rate", 1.0))
        return Diverged(point.iteration, node, rate, self.problem.graph.called(node))

    def extend(self, records: Records) -> None:
        """Take in what another process recorded of this run."""
        self.history.extend(records)
        self._point = records.point

    # --- going back ---

    def at(self, iteration: int) -> Point:
        """Return the point before `iteration`, replayed from the sample before it, bit for bit.

        The points that are replayed on the way are kept, so that a step back or forth from there is quick.

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
        stretch = self._stretch
        if not stretch.first <= iteration < stretch.end:
            stretch = self._stretch = self._replayed(iteration)
        return self._form.point(iteration, stretch.vectors[iteration - stretch.first])

    def _replayed(self, iteration: int) -> _Stretch:
        """Return the stretch of points up to `iteration`: the last one continued, or a new one."""
        sample, last = self.history.before(iteration), self._stretch
        begun = _Stretch(sample.point.iteration, self._form.vector(sample.point)[np.newaxis])
        if begun.first < last.end <= iteration:
            begun = last
        most = max(1, MOST_STRETCH // (8 * self._form.width + 1))
        here = begun.end - 1
        stepper = self._standing_at(self._form.point(here, begun.vectors[-1]))
        if iteration - begun.first >= most:  # too many points to keep: those before the last are run over
            skipped = max(0, iteration - here - most // 2 - 1)
            stepper.run(here, skipped)
            here += skipped
            begun = _Stretch(here, stepper.save()[np.newaxis])
        vectors = np.empty((iteration - here, self._form.width))
        for vector in vectors:
            stepper.run(here, 1)
            stepper.save(vector)
            here += 1
        return _Stretch(begun.first, np.concatenate([begun.vectors, vectors]))

    def _standing_at(self, point: Point) -> Stepper | Inspector:
        """Return the stepper, standing at a point."""
        stepper = self._stepper
        stepper.load(self._form.vector(point))
        return stepper

    def step(self, point: Point) -> Point:
        """Return the point one iteration after `point`; the same point always gives the same next one."""
        stepper = self._standing_at(point)
        stepper.run(point.iteration, 1)
        return self._form.point(point.iteration + 1, stepper.save())

    def optimize(self, point: Point) -> Callable[[Mapping[str, Array], Mapping[str, Array]], list[Update]]:
        """Return the update of the iteration at `point`, as a trace takes it.

        Where the run has recorded the iteration after it, the update ends in the very numbers of that record,
        to the last bit: the fast plan rounds in another order than the steps that are shown.
        """
        following = self._following(point)

        def update(parameters: Mapping[str, Array], found: Mapping[str, Array]) -> list[Update]:
            settings = self.recipe.settings_at(point.iteration)
            shown = updates(self.optimizer, parameters, found, point.state, settings)
            return shown if following is None else _as_recorded(shown, following)

        return update

    def traced(
        self, graph: Graph, leaves: Mapping[str, Array], point: Point, detail: Detail = Detail.EQUATION
    ) -> Trace:
        """Return the steps of the iteration at a point.

        Parameters
        ----------
        graph, leaves
            The graph of its mini-batch, with data and parameters.
        """
        return self.tracing(graph, leaves, point, detail)()

    def tracing(
        self, graph: Graph, leaves: Mapping[str, Array], point: Point, detail: Detail = Detail.EQUATION
    ) -> Callable[[], Trace]:
        """Return what :meth:`traced` does, to be called in any thread: the run may go on meanwhile."""
        return partial(trace, graph, leaves, detail, self.optimize(point))

    def derivation(self, graph: Graph, detail: Detail = Detail.EQUATION) -> Derivation:
        """Return the equations of these steps."""
        return Derivation(graph, detail)

    def faulty_steps(self, shown: Trace) -> frozenset[int]:
        """Return the steps of an iteration in which a fault is done that is in the run, by index."""
        return frozenset()

    def _following(self, point: Point) -> Point | None:
        """Return the recorded point after `point`, None where that is not a recorded one itself."""
        if point.iteration >= self.iteration:
            return None
        own = self.at(point.iteration)
        if any(not np.array_equal(own.parameters[n], a, equal_nan=True) for n, a in point.parameters.items()):
            return None
        return self.at(point.iteration + 1)

    # --- what is known of a point ---

    def sample(self, point: Point) -> Sample:
        """Return what is kept of a point."""
        return Sample(point, self.held_loss(point), self.gradient_norm(point))

    def held_loss(self, point: Point) -> float:
        """Return the loss on the held-out examples, nan where there are none."""
        return self._standing_at(point).held_loss()

    def gradient_norm(self, point: Point) -> float:
        """Return the Euclidean norm of the gradient by all parameters, over the whole data."""
        return self._standing_at(point).gradient_norm()


class _Stretch(NamedTuple):
    """Points that follow one another, as vectors."""

    first: int
    vectors: Array

    @property
    def end(self) -> int:
        """The iteration after the last."""
        return self.first + len(self.vectors)


class _Lap:
    """Some iterations of a run that are done at one go: their losses, and whether the run ends in them.

    A slice of iterations is done without looking. Where its losses show that the run has ended in it, the
    slice is done again up to there.
    """

    def __init__(self, stepper: Stepper | Inspector, iteration: int, stopping: Stopping) -> None:
        self.stepper = stepper
        self.iteration = iteration
        self.end: Reached | None = None
        self.diverged = False
        self._stopping = stopping
        self._losses: list[Array] = []
        self._last = np.nan  # the loss of the iteration before

    @property
    def is_over(self) -> bool:
        """Whether the run ends where it stands now."""
        return self.diverged or self.end is not None

    def run(self, count: int) -> None:
        """Do `count` iterations, or fewer where the run ends in them."""
        start, norms = self.stepper.snapshot(), self._norms()
        losses = self.stepper.run(self.iteration, count, norms)
        place = self._place_of_end(losses, norms)
        if not self.stepper.is_finite():
            earlier = self._first_not_finite(start, count if place is None else place)
            if earlier is not None:
                place, self.diverged, self.end = earlier, True, None
        if place is not None:
            self._go_back(start, place)
            losses = losses[:place]
        else:
            self.iteration += count
        self._losses.append(losses)
        if len(losses):
            self._last = float(losses[-1])

    def losses(self) -> Array:
        """Return the loss of each iteration after the one where it began, to the one where it stands."""
        loss = self.stepper.loss()
        norms = self._norms()
        if norms is not None:
            norms.append(self.stepper.gradient_norm())
        if not self.is_over:
            self._place_of_end(np.array([loss]), norms)
        return np.concatenate([*self._losses, [loss]])[1:]

    def _norms(self) -> list[float] | None:
        return None if self._stopping.gradient is None else []

    def _go_back(self, start: list[Array], count: int) -> None:
        self.stepper.restore(start)
        self.stepper.run(self.iteration, count)
        self.iteration += count

    def _first_not_finite(self, start: list[Array], most: int) -> int | None:
        """Return after how many iterations, up to `most`, a parameter is not finite any more."""
        self.stepper.restore(start)
        for count in range(most + 1):
            if not self.stepper.is_finite():
                return count
            if count < most:
                self.stepper.run(self.iteration + count, 1)
        return None

    def _place_of_end(self, losses: Array, norms: list[float] | None) -> int | None:
        """Return the place in `losses` where the run ends, and note why; None where it does not."""
        if not np.isfinite(losses.sum()) and not np.isfinite(losses).all():
            place = int(np.argmin(np.isfinite(losses)))
            losses = losses[:place]
            self.diverged = True
        else:
            place = None
        met = self._rule_met(losses, norms)
        if met is None:
            return place
        place, rule, value = met
        self.diverged = False
        self.end = Reached(self.iteration + place, rule, value)
        return place

    def _rule_met(self, losses: Array, norms: list[float] | None) -> tuple[int, str, float] | None:
        """Return the first place where a rule is met, which one, and the number that met it."""
        rules = self._stopping
        numbers: dict[str, Array] = {}
        if rules.loss is not None:
            numbers["loss"] = losses
        if rules.change is not None:
            numbers["change"] = np.abs(np.diff(losses, prepend=self._last))
        if norms is not None:
            numbers["gradient"] = np.array(norms[: len(losses)])
        found = []
        for rule, values in numbers.items():
            met = values <= getattr(rules, rule)
            if met.any():
                place = int(np.argmax(met))
                found.append((place, rule, float(values[place])))
        return min(found, default=None, key=lambda entry: entry[0])


def _as_recorded(shown: Sequence[Update], following: Point) -> list[Update]:
    """Return updates with the arrays that were recorded, where these are the same numbers but for rounding.

    Rounding is relative to the largest entry of a quantity in all parameters: a bias that converges to zero
    is made of rounding errors alone.
    """
    recorded = {(name, "value"): array for name, array in following.parameters.items()} | {**following.state}
    largest: dict[str, float] = {}
    for name, quantity, _, after in shown:
        kept = recorded.get((name, quantity), after)
        size = max(np.max(np.abs(after), initial=0.0), np.max(np.abs(kept), initial=0.0))
        largest[quantity] = max(largest.get(quantity, 0.0), float(size))
    found = []
    for update in shown:
        kept = recorded.get((update.parameter, update.quantity), update.after)
        close = np.abs(kept - update.after) <= ROUNDING * largest[update.quantity]
        found.append(update._replace(after=kept) if np.all(close) else update)
    return found


def _first_stride(width: int) -> int:
    """Return the distance of the first samples: keeping many numbers should not take longer than a step."""
    return 1 << (width // 2048).bit_length()


def _steps_in_slice(count: int, seconds: float, before: int) -> int:
    """Return how many iterations a slice should have, after `count` of them took so long."""
    if count < before and seconds < SLICE:
        return before  # a slice that was cut short does not tell that it should be longer
    return max(1, min(2 * before, int(count * SLICE / max(seconds, 1e-9))))
