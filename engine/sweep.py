"""The step-size lab: the same start and the same batches, trained with many learning rates.

Every rate is a task of its own for any :class:`concurrent.futures.Executor`: threads, processes, a cluster. A
task trains for a moment and returns where it stands, so that progress is seen, and a sweep that is given up
leaves no long work behind. Results come in any order; what goes wrong with one rate stays with that rate.

>>> from concurrent.futures import ThreadPoolExecutor
>>> from graphs.network import bind, built_in
>>> model = bind(built_in("univariate-regression"))
>>> plan = Sweep(model, model.network.training.recipe, log_rates(0.01, 10, 4), steps=900).checked()
>>> result = SweepResult(plan)
>>> with ThreadPoolExecutor(2) as executor:
...     for records in sweep(plan, executor):  # in a thread: Task(lambda: sweep(plan, executor))
...         result.extend(records)
>>> [(found.rate, round(found.loss, 3), found.outcome) for found in result.found][:2]
[(0.01, 0.349, 'trained'), (0.1, 0.349, 'trained')]
>>> result.found[3].outcome
'diverged'
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass, replace
from math import ceil, floor, isclose, isfinite, log10

import numpy as np

from engine.errors import BackstepError, TrainingError, excerpt
from engine.faults import FaultAt, run_of
from engine.stability import Limit
from engine.training import Diverged, Point, Problem, Recipe

__all__ = ["Found", "Sweep", "SweepRecords", "SweepResult", "default_range", "log_rates", "sweep", "train_on"]

LISTED = ".6g"
"""How the losses of a sweep are listed: those that look alike there are one lowest loss."""
MOST_RATES = 1000
MOST_STEPS = 10_000_000
SLICE = 0.2  # seconds that a task trains: as long as a sweep that is given up may go on in the background
SAME = 1e-9  # losses that differ by less are equal but for rounding
PATIENCE = 0.1  # seconds after which a sweep looks up, to be told to stop


@dataclass(frozen=True)
class Sweep:
    """What to sweep: a problem, a recipe that gets each of `rates` in turn, and how many steps.

    Attributes
    ----------
    fault
        What is wrong in every run; nothing where None.
    """

    problem: Problem
    recipe: Recipe
    rates: tuple[float, ...]
    steps: int = 500
    fault: FaultAt | None = None

    def checked(self) -> Sweep:
        """Return the sweep with its rates in order.

        Raises
        ------
        TrainingError
            For a network without parameters, a rate that the optimizer cannot have, too many of anything.
        """
        if not self.problem.graph.parameters:
            raise TrainingError("there are no parameters to train.", how="Add some under [parameters].")
        if not 1 <= self.steps <= MOST_STEPS:
            raise TrainingError(
                f"the number of steps cannot be {excerpt(self.steps, 30)}.",
                how=f"Choose a whole number from 1 to {MOST_STEPS}.",
            )
        if not 1 <= len(self.rates) <= MOST_RATES:
            raise TrainingError(
                f"a sweep cannot have {len(self.rates)} rates.", how=f"Choose from 1 to {MOST_RATES}."
            )
        rates = tuple(sorted(set(map(float, self.rates))))
        for rate in rates:
            self.at(rate)
        self.problem.indices(0, self.recipe.batch_size)
        return replace(self, rates=rates)

    def at(self, rate: float) -> Recipe:
        """Return the recipe with another learning rate.

        It does not stop at a loss: what a run would have reached after that is what the sweep asks for.
        """
        settings = {**self.recipe.settings, "learning_rate": rate}
        stopping = replace(self.recipe.stopping, loss=None)
        return replace(self.recipe, settings=settings, stopping=stopping).checked()


def log_rates(low: float, high: float, points: int) -> tuple[float, ...]:
    """Return learning rates that are evenly spaced on a log axis, both ends among them.

    Raises
    ------
    TrainingError
        For ends that are not positive numbers in order, and fewer than two points.

    Examples
    --------
    >>> log_rates(0.001, 1, 4)
    (0.001, 0.01, 0.1, 1.0)
    """
    if not (0 < low < high < float("inf")):
        raise TrainingError(
            f"learning rates cannot run from {low:g} to {high:g}.",
            how="Give two positive numbers, the smaller first.",
        )
    if not 2 <= points <= MOST_RATES:
        raise TrainingError(
            f"a sweep cannot have {excerpt(points, 30)} rates.", how=f"Choose from 2 to {MOST_RATES}."
        )
    rates = 10 ** np.linspace(log10(low), log10(high), points)
    # twelve digits: 0.1 is 0.1, whatever the logarithm made of it
    return (float(low), *(float(f"{rate:.12g}") for rate in rates[1:-1]), float(high))


def default_range(rate: float, limit: float | None = None) -> tuple[float, float]:
    """Return whole powers of ten around a learning rate, and beyond the stability limit where there is one.

    Examples
    --------
    >>> default_range(0.1), default_range(0.1, limit=40.0)
    ((0.001, 1.0), (0.001, 1000.0))
    """
    rate, limit = (min(max(x or 0.0, 1e-290), 1e290) for x in (rate, limit))
    low = 10.0 ** floor(log10(rate) - 1.5)
    high = 10.0 ** ceil(log10(max(rate, limit)) + 0.7)
    return float(f"{low:.12g}"), float(f"{high:.12g}")


# --- one rate ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Found:
    """What a learning rate came to.

    Attributes
    ----------
    rate, loss
        The loss after the last iteration.
    iterations
        How many were done: fewer than asked for where training ended by itself.
    start
        The loss before the first, nan where nothing could be done.
    diverged_at
        The iteration at which a number was no longer finite, None where none was.
    failure
        What went wrong, as a sentence; empty where nothing did.
    limit
        The stability limit, None where there is none or it is not known. What is above it diverges, if not
        within the iterations that were done.
    """

    rate: float
    loss: float
    iterations: int
    start: float
    diverged_at: int | None = None
    failure: str = ""
    limit: float | None = None

    @property
    def outcome(self) -> str:
        """What became of it, in a word.

        ``"trained"``, ``"rose"`` (not below the loss at the start), ``"diverged"``, ``"diverging"`` (above
        the limit, but not there yet), ``"oscillating"`` (at the limit), or ``"failed"``.
        """
        if self.failure:
            return "failed"
        if self.diverged_at is not None or not isfinite(self.loss):
            return "diverged"
        if self.limit is not None and isclose(self.rate, self.limit, rel_tol=SAME):
            return "oscillating"
        if self.limit is not None and self.rate > self.limit:
            return "diverging"
        is_lower = self.loss < self.start and not isclose(self.loss, self.start, rel_tol=SAME)
        return "trained" if is_lower else "rose"

    def sentence(self) -> str:
        """Say what came of it, in words."""
        loss = f"loss {self.loss:{LISTED}}"
        outcome = {
            "failed": self.failure,
            "diverged": f"diverged at iteration {self.diverged_at}",
            "diverging": f"{loss} after {self.iterations} iterations, but diverging: above the limit",
            "oscillating": f"{loss} after {self.iterations} iterations, going to and fro for "
            "ever: at the limit",
            "rose": f"{loss}, not below the {self.start:.4g} at the start",
            "trained": f"{loss} after {self.iterations} iterations",
        }[self.outcome]
        return f"learning rate {self.rate:g}: {outcome}"


@dataclass(frozen=True)
class Stand:
    """Where the training of one rate stands after a task; the loss at the start is known to the first."""

    point: Point
    loss: float
    is_over: bool
    diverged_at: int | None = None
    start: float | None = None


def train_on(
    problem: Problem,
    recipe: Recipe,
    point: Point | None,
    steps: int,
    fault: FaultAt | None = None,
    seconds: float = SLICE,
) -> Stand:
    """Train on from `point` until iteration `steps`, for a moment at most: one task for an executor.

    The start where `point` is None. Its loss is the one that the run records, to the last bit.
    """
    run = run_of(problem, recipe, fault, point, stride=steps + 1)  # samples are for rewinding
    start = float(run.losses[0]) if point is None else None
    end = time.monotonic() + seconds
    run.advance(1)  # at least, however long it takes
    run.advance(steps - run.iteration, lambda: time.monotonic() > end)
    loss = float(run.losses[-1]) if len(run.losses) else float("nan")  # none where it cannot begin
    diverged = run.ended.iteration if isinstance(run.ended, Diverged) else None
    return Stand(run.point, loss, run.ended is not None or run.iteration >= steps, diverged, start)


# --- all of them -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SweepRecords:
    """What is new: rates that are done, and how many iterations have been done at all rates together."""

    found: tuple[Found, ...]
    iterations: int


class SweepResult:
    """What a sweep has found so far.

    Attributes
    ----------
    limit
        The stability limit, which may become known later than what was found.
    """

    def __init__(self, plan: Sweep, limit: Limit | None = None) -> None:
        self.plan = plan.checked()
        self.limit = limit
        self._found: list[Found] = []
        self._iterations = 0

    @property
    def found(self) -> list[Found]:
        """The rates that are done, in order."""
        limit = None if self.limit is None else self.limit.rate
        return self._found if limit is None else [replace(f, limit=limit) for f in self._found]

    @property
    def done(self) -> bool:
        """Whether all rates are."""
        return len(self._found) >= len(self.plan.rates)

    @property
    def progress(self) -> float:
        """How much of the work has been done, from 0 to 1."""
        if self.done:
            return 1.0
        saved = sum(self.plan.steps - f.iterations for f in self._found)
        return (self._iterations + saved) / (len(self.plan.rates) * self.plan.steps)

    @property
    def best(self) -> tuple[Found, ...]:
        """The rates that reach the lowest loss as it is listed; none where none came down."""
        trained = [f for f in self.found if f.outcome == "trained"]
        lowest = min((f.loss for f in trained), default=0.0)
        return tuple(f for f in trained if f"{f.loss:{LISTED}}" == f"{lowest:{LISTED}}")

    def extend(self, records: SweepRecords) -> None:
        """Take in what is new."""
        self._found = sorted((*self._found, *records.found), key=lambda f: f.rate)
        self._iterations = records.iterations

    def sentence(self) -> str:
        """Say which rate is best, and from which on training diverges, in one sentence."""
        found, beyond = self.best_sentence(), self._beyond()
        return f"{found.removesuffix('.')}; {beyond}." if found and beyond else found

    def best_sentence(self) -> str:
        """Say which rate is best, in one sentence."""
        found = self.found
        if not found:
            return ""
        tried = _count(len(found), "learning rate")
        if all(f.outcome == "failed" for f in found):
            return f"None of {tried} could be tried: {found[0].failure.rstrip('.')}."
        best = self.best
        if not best:
            start = next(f.start for f in found if f.outcome != "failed")
            if not isfinite(start):
                return "Training cannot begin: the loss at the start is not a finite number."
            if any(f.outcome in ("diverging", "oscillating") for f in found):
                return f"None of {tried} converges."
            return f"None of {tried} brings the loss below {start:.4g}, where it starts."
        first, last = best[0], best[-1]
        if first is last:
            return f"The best of {tried} is {first.rate:.4g}, with loss {first.loss:.4g}."
        between = sum(first.rate <= f.rate <= last.rate for f in found)
        rates = _count(len(best), "rate") if between == len(best) else f"{len(best)} of {between} rates"
        return f"{rates} from {first.rate:.4g} to {last.rate:.4g} reach the lowest loss, {first.loss:.4g}."

    @property
    def at_the_limit(self) -> str:
        """Say what the rate does that is the limit itself; nothing where it was not tried."""
        found = next((f for f in self.found if f.outcome == "oscillating"), None)
        return (
            ""
            if found is None
            else f"at {found.rate:.4g}, the limit itself, training goes to and fro for ever"
        )

    def _beyond(self) -> str:
        """Say from which rate on none trains, nothing where the largest one does."""
        found, at = self.found, self.at_the_limit
        last = max((i for i, f in enumerate(found) if f.outcome in ("trained", "failed")), default=-1)
        beyond = [f for f in found[last + 1 :] if f.outcome != "oscillating"]
        if not beyond or not isfinite(beyond[0].start):
            return at
        ends = {f.outcome for f in beyond}
        if beyond[0].outcome == "diverging" or ends == {"diverged"}:
            how = "training diverges"
        else:
            how = "the loss ends no lower than it starts" + (", or training diverges" * ("diverged" in ends))
        return f"{at}{', and ' if at else ''}from {beyond[0].rate:.4g} on {how}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def sweep(plan: Sweep, executor: Executor) -> Generator[SweepRecords, None, None]:
    """Train with every rate, and yield what is new at least every tenth of a second.

    Closing the generator gives the sweep up: what waits is cancelled, what runs ends within a moment, and
    nothing of it is heard of any more. The executor stays the caller's.
    """
    plan = plan.checked()
    work = _Work(plan, executor)
    try:
        yield from work.records()
    finally:
        work.give_up()


class _Work:
    """The tasks of one sweep."""

    def __init__(self, plan: Sweep, executor: Executor) -> None:
        self._plan, self._executor = plan, executor
        self._stands: dict[float, Point] = {}  # none before the first task of a rate is done
        self._starts: dict[float, float] = {}
        self._pending: dict[Future[Stand], float] = {}

    def records(self) -> Iterator[SweepRecords]:
        failed = [found for rate in self._plan.rates if (found := self._submit(rate))]
        yield SweepRecords(tuple(failed), 0)
        while self._pending:
            done, _ = wait(self._pending, timeout=PATIENCE, return_when=FIRST_COMPLETED)
            found = [f for future in done if (f := self._take(future)) is not None]
            yield SweepRecords(tuple(found), sum(p.iteration for p in self._stands.values()))

    def give_up(self) -> None:
        for future in self._pending:
            future.cancel()

    def _submit(self, rate: float) -> Found | None:
        """Let a rate be trained on from where it stands; return it as failed where nobody can."""
        plan = self._plan
        try:
            point = self._stands.get(rate)
            task = self._executor.submit(train_on, plan.problem, plan.at(rate), point, plan.steps, plan.fault)
        except Exception as error:  # the executor is broken or closed
            return self._failed(rate, error)
        self._pending[task] = rate
        return None

    def _take(self, future: Future[Stand]) -> Found | None:
        """Take in what a task returned: the outcome where its rate is done, otherwise it goes on."""
        rate = self._pending.pop(future)
        try:
            stand = future.result()
        except Exception as error:  # also a cancellation by somebody else
            return self._failed(rate, error)
        self._stands[rate] = stand.point
        if stand.start is not None:
            self._starts[rate] = stand.start
        if not stand.is_over:
            return self._submit(rate)
        return Found(rate, stand.loss, stand.point.iteration, self._starts[rate], stand.diverged_at)

    def _failed(self, rate: float, error: BaseException) -> Found:
        if isinstance(error, BackstepError):
            reason = str(error)
        elif isinstance(error, BrokenExecutor):
            reason = "a worker process ended before its time."
        else:
            reason = f"{type(error).__name__}: {excerpt(error, 120)}".rstrip(": ")
        iterations = self._stands[rate].iteration if rate in self._stands else 0
        start = self._starts.get(rate, float("nan"))
        return Found(rate, float("nan"), iterations, start, failure=reason)
