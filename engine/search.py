r"""Random search: the primer's vanilla approach, beside which the gradient shows what it is worth.

Parameters are drawn at random, the loss is worked out, the lowest is kept. What is drawn is stated plainly:
every number of every parameter, independently and uniformly between -r and r. The box is centred on zero,
where initialisers draw too; its half-width r is the user's, otherwise 2, or the largest initial value where
that is larger, so that the point from which gradient descent starts always lies in the box.

Sample number i depends on the seed and on i alone: a search may be cut into batches of any size, stopped, and
continued with more evaluations.

A search knows no threads. Whoever runs one drives a generator, and collects what it yields:

>>> from graphs.network import bind, built_in
>>> from engine.training import Run
>>> model = bind(built_in("univariate-regression"))
>>> plan = Search(model, evaluations=300, seed=0).checked()
>>> result = SearchResult(plan)
>>> for records in search(plan):  # in a thread: Task(lambda: search(plan)), its `came` to result.extend
...     result.extend(records)
>>> result.evaluations, result.done, result.best.loss < 0.5
(300, True, True)
>>> run = Run(model)
>>> _ = run.advance(100)
>>> print(result.compared(run).sentence())  # doctest: +ELLIPSIS
Yes, the gradient directs the search: at the cost of 300 loss evaluations, 100 steps of gradient descent ...
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil, isclose, isfinite, prod

import numpy as np

from engine.batched import losses
from engine.errors import TrainingError, excerpt
from engine.shapes import sizes
from engine.training import Problem, Run

__all__ = [
    "STEP_COST",
    "Comparison",
    "Dots",
    "Improvement",
    "Search",
    "SearchRecords",
    "SearchResult",
    "search",
]

Array = np.ndarray

STEP_COST = 3.0
"""What a step of gradient descent costs, in loss evaluations.

One for its forward pass, two for its backward pass, where every matrix product of the forward pass becomes
two of the same size. (Griewank and Walther, "Evaluating Derivatives", 2008, bound the cost of a gradient by 3
to 4 evaluations, whatever the number of parameters.) With 1, evaluations alone are counted and the backward
pass is free, which favours the gradient.
"""

SPREAD = 2.0
MOST_EVALUATIONS = 10_000_000
MOST_DOTS = 4096
DOT_NUMBERS = 2**22  # in all kept vectors together: 32 MB
BLOCK = 1024  # samples whose losses are worked out together, fewer of a large network
BLOCK_NUMBERS = 2**20
TIE = 1e-9


# --- what is searched --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Search:
    """What to search: a problem, how many samples, from which seed, in how large a box.

    Attributes
    ----------
    spread
        The half-width r of the box: every number is drawn uniformly between -r and r. None: 2, or the
        largest initial value where that is larger.
    """

    problem: Problem
    evaluations: int = 1000
    seed: int = 0
    spread: float | None = None

    def checked(self) -> Search:
        """Return the search with its spread settled.

        Raises
        ------
        TrainingError
            For a network without parameters, a number of evaluations or a spread that cannot be.
        """
        if not self.problem.graph.parameters:
            raise TrainingError("there are no parameters to search.", how="Add some under [parameters].")
        if not 1 <= self.evaluations <= MOST_EVALUATIONS:
            raise TrainingError(
                f"the number of evaluations cannot be {excerpt(self.evaluations, 30)}.",
                how=f"Choose a whole number from 1 to {MOST_EVALUATIONS}.",
            )
        if self.spread is not None and not 0 < self.spread <= 1e100:
            raise TrainingError(
                f"the spread cannot be {self.spread}.",
                how="It is a number above 0 and at most 1e+100.",
            )
        return replace(self, spread=self.half_width)

    @property
    def half_width(self) -> float:
        """The half-width of the box."""
        if self.spread is not None:
            return float(self.spread)
        largest = max((float(np.max(np.abs(v))) for v in self.problem.parameters.values()), default=0.0)
        return max(SPREAD, largest)

    def sentence(self) -> str:
        """Say what is drawn, in one sentence."""
        return f"Every number is drawn uniformly between -{self.half_width:g} and {self.half_width:g}."

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each parameter, in the order in which a vector holds them."""
        graph = self.problem.graph
        return {name: sizes(graph[name].dims) for name in graph.parameters}

    @property
    def size(self) -> int:
        """How many numbers a sample has."""
        return sum(prod(shape) for shape in self.shapes.values())

    def vectors(self, first: int, count: int) -> Array:
        """Return `count` samples from number `first` on, shape (count, size)."""
        generator = np.random.PCG64(self.seed)
        generator.advance(first * self.size)  # a number takes one draw
        drawn = np.random.Generator(generator).random((count, self.size))
        return self.half_width * (2.0 * drawn - 1.0)

    def parameters(self, vector: Array) -> dict[str, Array]:
        """Return the parameters in a vector; of n vectors, shape (n, size), n of each."""
        found, start = {}, 0
        for name, shape in self.shapes.items():
            end = start + prod(shape)
            found[name] = vector[..., start:end].reshape((*vector.shape[:-1], *shape))
            start = end
        return found

    @property
    def block(self) -> int:
        """How many samples are worked out together: about a million numbers."""
        entries = sum(prod(sizes(node.dims)) for node in self.problem.graph.nodes)
        return max(1, min(BLOCK, BLOCK_NUMBERS // max(1, entries)))


# --- searching ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SearchRecords:
    """What some evaluations gave.

    Attributes
    ----------
    first
        The number of the first sample.
    losses
        Their losses, shape (n,); what is no finite number stays as it came out.
    vectors
        The samples, shape (n, size).
    """

    first: int
    losses: Array
    vectors: Array


def search(plan: Search, first: int = 0, batch: int | None = None) -> Iterator[SearchRecords]:
    """Evaluate the samples from number `first` on, and yield what they gave, `batch` at a time.

    The batch changes what is yielded together, never a sample or a loss. Without one it is about a million
    numbers' work, so that whoever drives the search may show progress and stop it at any time.
    """
    plan = plan.checked()
    batch = batch or plan.block
    while first < plan.evaluations:
        count = min(batch, plan.evaluations - first)
        vectors = plan.vectors(first, count)
        yield SearchRecords(first, _losses(plan, vectors), vectors)
        first += count


def _losses(plan: Search, vectors: Array) -> Array:
    """Return the loss of every sample, the same to the last bit whatever samples stand beside it."""
    several = (
        vectors if len(vectors) > 1 else np.repeat(vectors, 2, axis=0)
    )  # one alone is added up otherwise
    parameters = plan.parameters(several)
    return losses(plan.problem.graph, plan.problem.inputs, parameters)[: len(vectors)].copy()


@dataclass(frozen=True)
class Improvement:
    """A sample that was the best so far: its number, its loss, its vector."""

    evaluation: int
    loss: float
    vector: Array


@dataclass(frozen=True)
class Dots:
    """Samples to draw: their numbers (n,), losses (n,) and vectors (n, size)."""

    evaluations: Array
    losses: Array
    vectors: Array


class SearchResult:
    """What a search has found so far, in bounded memory (two numbers an evaluation aside).

    Attributes
    ----------
    plan
        What was searched.
    improvements
        Every sample that was the best so far, in order; some ln(evaluations) of them.
    """

    def __init__(self, plan: Search) -> None:
        self.plan = plan.checked()
        self.improvements: list[Improvement] = []
        self._losses = np.empty(1024)
        self._lowest = np.empty(1024)
        self._count = 0
        self._stride = 1
        self._most = max(1, min(MOST_DOTS, DOT_NUMBERS // self.plan.size))
        self._dots: dict[int, Array] = {}

    @property
    def evaluations(self) -> int:
        """How many samples have been evaluated."""
        return self._count

    @property
    def done(self) -> bool:
        """Whether all have been."""
        return self._count >= self.plan.evaluations

    @property
    def losses(self) -> Array:
        """The loss of every sample; read-only."""
        return _read_only(self._losses[: self._count])

    @property
    def best_so_far(self) -> Array:
        """The lowest finite loss up to each sample, nan while there is none; read-only."""
        return _read_only(self._lowest[: self._count])

    @property
    def best(self) -> Improvement | None:
        """The best sample, None where none has a finite loss."""
        return self.improvements[-1] if self.improvements else None

    @property
    def parameters(self) -> dict[str, Array] | None:
        """The best parameters by name, None where no loss is finite."""
        return None if self.best is None else self.plan.parameters(self.best.vector)

    @property
    def dots(self) -> Dots:
        """Samples spread evenly over the search, at most some thousands, for drawing."""
        numbers = np.fromiter(self._dots, dtype=np.int64, count=len(self._dots))
        vectors = np.array(list(self._dots.values())).reshape(len(self._dots), self.plan.size)
        return Dots(numbers, self._losses[numbers], vectors)

    def fork(self) -> SearchResult:
        """Return what has been found so far; what is found later is not in it."""
        twin = copy.copy(self)
        twin.improvements, twin._dots = list(self.improvements), dict(self._dots)
        return twin

    def by_iteration(self, iterations: int, price: float = STEP_COST) -> Array:
        """Return the best loss found at the cost of each iteration from 0 on, nan where there is none.

        Shape (n,) with n at most `iterations` + 1: as far as the search has come.
        """
        count = np.floor(np.arange(iterations + 1) * price).astype(int)
        count = count[count <= self._count]
        return np.where(count > 0, self._lowest[np.maximum(count, 1) - 1], np.nan)

    def extend(self, records: SearchRecords) -> None:
        """Take in what was evaluated; records must follow one another without a gap."""
        if records.first != self._count:
            raise ValueError(f"records from {records.first} do not follow {self._count}")
        count = self._count + len(records.losses)
        self._make_room(count)
        lowest = self.best.loss if self.best is not None else np.inf
        finite = np.where(np.isfinite(records.losses), records.losses, np.inf)
        running = np.minimum.accumulate(np.concatenate([[lowest], finite]))
        for i in np.flatnonzero(running[1:] < running[:-1]):
            vector = _read_only(records.vectors[i].copy())
            self.improvements.append(Improvement(records.first + int(i), float(finite[i]), vector))
        self._losses[self._count : count] = records.losses
        self._lowest[self._count : count] = np.where(np.isfinite(running[1:]), running[1:], np.nan)
        self._count = count
        self._keep_dots(records)

    def compared(self, run: Run, price: float = STEP_COST) -> Comparison:
        """Return how the search does beside a run at equal cost.

        The cost is counted in loss evaluations over the whole data. A sample costs one, an iteration `price`
        (by default :data:`STEP_COST`), a mini-batch its share of that. Both are read at the largest cost that
        both have spent.
        """
        examples, batch = run.problem.examples, run.batch_size
        price *= 1.0 if batch is None else min(batch, examples) / examples
        iterations = min(run.iteration, int(self._count / price + 1e-9))
        samples = min(self._count, int(iterations * price + 1e-9))
        if not iterations and run.diverged is not None:
            samples = self._count  # gradient descent could not begin, and spends nothing
        history = run.losses
        found = float(self._lowest[samples - 1]) if samples else float("nan")
        passed = np.flatnonzero(history[: iterations + 1] < found)
        return Comparison(
            samples,
            iterations,
            price,
            _method(run),
            float(history[0]),
            found,
            float(history[iterations]),
            int(passed[0]) if passed.size else None,
            run.diverged is not None and run.diverged.iteration <= iterations,
            self._count,
            float(self._lowest[self._count - 1]) if self._count else float("nan"),
        )

    def _make_room(self, count: int) -> None:
        if count > len(self._losses):
            for name in ("_losses", "_lowest"):
                room = np.empty(2 * count)
                room[: self._count] = getattr(self, name)[: self._count]
                setattr(self, name, room)

    def _keep_dots(self, records: SearchRecords) -> None:
        ahead = -records.first % self._stride
        for i in range(ahead, len(records.losses), self._stride):
            self._dots[records.first + i] = records.vectors[i].copy()
        while len(self._dots) > self._most:
            self._stride *= 2
            self._dots = {n: v for n, v in self._dots.items() if n % self._stride == 0}


# --- the primer's question ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Comparison:
    """Random search beside gradient descent at equal cost.

    Attributes
    ----------
    evaluations
        How many samples the search had drawn, which is the cost.
    iterations, price
        How many steps gradient descent had made for that, and what one costs.
    method
        What the run is, such as ``gradient descent (η 0.1)``.
    start
        The loss at the initial parameters.
    found
        The lowest loss among the samples, nan where none is finite.
    reached
        The loss that gradient descent had reached.
    passed
        After how many steps gradient descent was first lower than `found`, None where it never was.
    diverged
        Whether gradient descent left the finite numbers.
    drawn, best
        How many samples there are in all, and the lowest loss among them, nan where none is finite.
    """

    evaluations: int
    iterations: int
    price: float
    method: str
    start: float
    found: float
    reached: float
    passed: int | None
    diverged: bool
    drawn: int = 0
    best: float = float("nan")

    @property
    def winner(self) -> str | None:
        """Who is lower: ``"descent"``, ``"search"``, ``"both"``; None where neither is below the start."""
        found, reached = _or_infinite(self.found), _or_infinite(self.reached)
        start = _or_infinite(self.start)
        if self.diverged:
            reached = np.inf
        if not self.evaluations or min(found, reached) >= start:
            return None
        if isclose(found, reached, rel_tol=TIE):
            return "both"
        return "descent" if reached < found else "search"

    def sentence(self) -> str:
        """Answer the primer's question, whether the gradient directs the search, in one sentence."""
        if 0 < self.drawn < self.price:
            return self._too_few()
        if not self.evaluations:
            return "There is nothing to compare yet: search and train, and both are read at the same cost."
        cost = f"at the cost of {_count(self.evaluations, 'loss evaluation')}"
        return {
            "descent": self._gradient_helps,
            "search": self._search_wins,
            "both": self._same,
            None: self._neither,
        }[self.winner](cost)

    def _too_few(self) -> str:
        """Say what few samples tell by themselves, and how many a comparison takes."""
        start, best = _told_apart(self.start, self.best)
        who = "The one random sample" if self.drawn == 1 else f"The best of {self.drawn} random samples"
        if not isfinite(self.best):
            found = "The one random sample has no finite loss"
            found = found if self.drawn == 1 else f"None of {self.drawn} random samples has a finite loss"
        elif self.best == self.start or not isfinite(self.start):
            found = f"{who} has the loss {best}"
        else:
            side = "below" if self.best < self.start else "above"
            found = f"{who} has the loss {best}, {side} the {start} at the start"
        needed = ceil(self.price - 1e-9)
        return (
            f"{found}; a step of {self.method} costs as much as {needed} samples: draw {needed} to compare."
        )

    def _gradient_helps(self, cost: str) -> str:
        start, reached, found = _told_apart(self.start, self.reached, self.found)
        passed = (
            f", which gradient descent had passed after {_count(self.passed, 'step')}" if self.passed else ""
        )
        passed = ", more than the loss at the start" if self.passed == 0 else passed
        return (
            f"Yes, the gradient directs the search: {cost}, {self._steps()} came from {start} down to "
            f"{reached}; {self._sampled(found)}{passed}."
        )

    def _search_wins(self, cost: str) -> str:
        start, reached, found = _told_apart(self.start, self.reached, self.found)
        if not self.iterations:
            outcome = f"cannot begin, as the loss at the start is {start}"
        elif self.diverged or not isfinite(self.reached):
            outcome = f"diverged from {start}; try a smaller learning rate"
        elif self.reached > self.start:
            outcome = f"went up from {start} to {reached}; try a smaller learning rate"
        else:
            outcome = f"came from {start} to {reached} only"
        return f"Not here: {cost}, {self._sampled(found)}, while {self._steps()} {outcome}."

    def _same(self, cost: str) -> str:
        return (
            f"Here it makes no difference: {cost}, {self._steps()} and the best of "
            f"{_count(self.evaluations, 'random sample')} both reach {self.found:.4g}."
        )

    def _neither(self, cost: str) -> str:
        start, reached, found = _told_apart(self.start, self.reached, self.found)
        ended = "diverged" if self.diverged or not isfinite(self.reached) else f"ended at {reached}"
        ended = ended if self.iterations else "cannot begin"
        return (
            f"Neither gets below the loss at the start, {start}: {cost}, {self._steps()} {ended}, "
            f"{self._sampled(found)}."
        )

    def _steps(self) -> str:
        return f"{_count(self.iterations, 'step')} of {self.method}" if self.iterations else self.method

    def _sampled(self, found: str) -> str:
        samples = _count(self.evaluations, "random sample")
        return (
            f"the best of {samples} has {found}"
            if isfinite(self.found)
            else f"none of {samples} has a finite loss"
        )


def _method(run: Run) -> str:
    if run.recipe.optimizer == "gd":
        return f"gradient descent (η {run.recipe.learning_rate:g})"
    return f"gradient descent ({run.recipe.title()})"


def _told_apart(*losses: float) -> list[str]:
    """Return numbers with four digits, or with so many that those that differ look different."""
    texts = [_written(x, 4) for x in losses]
    for digits in range(5, 18):
        if len(set(texts)) == len({_written(x, 17) for x in losses}):
            break
        texts = [_written(x, digits) for x in losses]
    return texts


def _written(loss: float, digits: int) -> str:
    return f"{loss:.{digits}g}" if isfinite(loss) else "infinite" if loss == np.inf else "not a number"


def _or_infinite(loss: float) -> float:
    return loss if isfinite(loss) else np.inf


def _count(number: int | None, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _read_only(array: Array) -> Array:
    view = array.view()
    view.flags.writeable = False
    return view
