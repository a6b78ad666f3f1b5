"""The training step: passes, update and mini-batches of one run, over shared vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.graph import Graph
from engine.memory import aligned, settled
from engine.plan.emission import Array, Call
from engine.plan.passes import Passes, passes_of
from engine.plan.program import Program, Vectors
from engine.plan.updating import Rates, Updating, folded_factor
from engine.problem import Problem

__all__ = ["Stepper"]

_NOTHING, _FORWARD, _BACKWARD = range(3)


class Stepper:
    """Does training steps.

    All arrays are in one order outside: parameters one after the other as the graph lists them, then each
    quantity that the optimizer keeps in the same order. A point of a run is such a vector, of length `width`.

    Parameters
    ----------
    problem
        Graph and data.
    rates
        The optimizer and its hyperparameters.
    batch_size
        Examples in a mini-batch, None for all.
    """

    def __init__(self, problem: Problem, rates: Rates, batch_size: int | None = None) -> None:
        self._problem = problem
        self._rates = rates
        self._batch_size = batch_size
        self._graph = problem.graph
        passes = passes_of(self._graph)
        self._vectors = Vectors.of(passes.layout)
        self._state = {name: aligned((passes.layout.size,)) for name in rates.optimizer.state}
        self._places = passes.layout.places
        self.width = len(self._places) * (1 + len(self._state))
        self._inputs = settled(problem.inputs)
        self._whole = Program(passes, self._vectors, self._inputs, factor=folded_factor(rates))
        self._update = self._updating(self._whole)
        self._batches: dict[int, tuple[Program, Updating]] = {}
        self._held: Program | None = None
        self._done = _NOTHING  # of the passes over the whole data, where it stands
        self._raw = 0.0

    # --- points ---

    def load(self, point: Array) -> None:
        """Stand at a point; what is known of it stays known where it stands there already."""
        count = len(self._places)
        if self._done and np.array_equal(self.save().view(np.int64), point.view(np.int64)):  # to the last bit
            return
        for i, vector in enumerate((self._vectors.theta, *self._state.values())):
            vector[self._places] = point[i * count : (i + 1) * count]
        self._done = _NOTHING

    def save(self, out: Array | None = None) -> Array:
        """Return where it stands."""
        count = len(self._places)
        out = np.empty(self.width) if out is None else out
        for i, vector in enumerate((self._vectors.theta, *self._state.values())):
            vector.take(self._places, 0, out[i * count : (i + 1) * count], "clip")
        return out

    def snapshot(self) -> list[Array]:
        """Return where it stands for :meth:`restore`, faster than as a point."""
        return [vector.copy() for vector in (self._vectors.theta, *self._state.values())]

    def restore(self, snapshot: list[Array]) -> None:
        """Stand where a snapshot was taken."""
        for vector, kept in zip((self._vectors.theta, *self._state.values()), snapshot, strict=True):
            vector[...] = kept
        self._done = _NOTHING

    def is_finite(self) -> bool:
        """Say whether every parameter is a finite number."""
        return bool(np.isfinite(self._vectors.theta).all())

    # --- steps ---

    def run(self, first: int, count: int, norms: list[float] | None = None) -> Array:
        """Do `count` iterations, `first` the first of them; return the loss before each.

        Parameters
        ----------
        norms
            Where the norm of the whole gradient before each is added, if wanted.
        """
        raw: list[Any] = []
        with np.errstate(all="ignore"):
            simple = norms is None and self._indices(first) is None
            while len(raw) < count and (self._done or not simple):
                raw.append(self._run_one(first + len(raw), norms))
            if len(raw) < count:
                self._run_many(first + len(raw), count - len(raw), raw)
            return np.array(raw, float) * self._whole.loss_scale + self._whole.loss_shift

    def _run_many(self, first: int, count: int, raw: list[Any]) -> None:
        program, update = self._whole, self._update
        if update.is_still and program.reads_last:
            _repeat((*program.forward, *program.backward, *update.calls), program.loss, count, raw)
            return
        read, operands = program.loss
        for iteration in range(first, first + count):
            _do(program.forward)
            raw.append(read(*operands))
            _do(program.backward)
            if not update.is_still:
                update.prepare(iteration)
            _do(update.calls)

    def _run_one(self, iteration: int, norms: list[float] | None) -> float:
        """Do one iteration, beginning with what has been done already of its passes; return its loss."""
        indices = self._indices(iteration)
        program, update = self._whole, self._update
        self._pass(_BACKWARD if norms is not None or indices is None else _FORWARD)
        if norms is not None:
            norms.append(self._norm())
        if indices is not None:
            program, update = self._batch(len(indices))
            program.take(indices)
            _do(program.forward)
            _do(program.backward)
        if not update.is_still:
            update.prepare(iteration)
        _do(update.calls)
        self._done = _NOTHING
        return self._raw

    def _pass(self, wanted: int) -> None:
        """Do the passes over the whole data, as far as `wanted` and not done yet where it stands."""
        whole = self._whole
        if self._done < _FORWARD:
            _do(whole.forward)
            read, operands = whole.loss
            self._raw = read(*operands)
        if self._done < wanted == _BACKWARD:
            _do(whole.backward)
        self._done = max(self._done, wanted)

    def _indices(self, iteration: int) -> Array | None:
        return self._problem.indices(iteration, self._batch_size)

    def try_batch(self, size: int) -> None:
        """Do the passes over a mini-batch of so many examples, without an update; raise where none fit."""
        program, _ = self._batch(size)
        program.take(np.arange(size))
        _do(program.forward)
        _do(program.backward)
        self._done = _NOTHING  # the gradient is the mini-batch's

    def _batch(self, size: int) -> tuple[Program, Updating]:
        """Return the calls for mini-batches of a size; the last of an epoch may be smaller."""
        found = self._batches.get(size)
        if found is None:
            graph, _ = self._problem.batch(np.arange(size))
            passes = self._passes(graph)
            passes = passes._replace(loss=passes.builder.number(0.0))  # nobody reads that of a mini-batch
            program = Program(passes, self._vectors, self._inputs, self._problem.examples)
            found = self._batches[size] = program, self._updating(program)
        return found

    def _updating(self, program: Program) -> Updating:
        vectors = {"value": self._vectors.theta, "gradient": self._vectors.gradient, **self._state}
        return Updating(self._rates, vectors, program.gradient_scale, program.is_folded)

    def _passes(self, graph: Graph) -> Passes:
        return passes_of(graph, self._vectors.layout)

    # --- what is asked of a point ---

    def loss(self) -> float:
        """Return the loss over the whole data."""
        with np.errstate(all="ignore"):
            self._pass(_FORWARD)
            return float(self._raw) * self._whole.loss_scale + self._whole.loss_shift

    def gradient_norm(self) -> float:
        """Return the Euclidean norm of the gradient over the whole data."""
        with np.errstate(all="ignore"):
            self._pass(_BACKWARD)
            return self._norm()

    def _norm(self) -> float:
        gradient = self._vectors.gradient
        return float(np.sqrt(gradient.dot(gradient))) * abs(self._whole.gradient_scale)

    def held_loss(self) -> float:
        """Return the loss on the held-out examples, nan where there are none."""
        if self._held is None:
            held = self._problem.held()
            if held is None:
                return float("nan")
            passes = self._passes(held[0])._replace(gradients=())
            self._held = Program(passes, self._vectors, settled(held[1]))
        with np.errstate(all="ignore"):
            _do(self._held.forward)
            return self._held.read_loss()


def _do(calls: Sequence[Call]) -> None:
    for function, operands in calls:
        function(*operands)


def _repeat(calls: Sequence[Call], loss: Call, count: int, raw: list[Any]) -> None:
    """Do all calls `count` times, and read the loss each time: the loop that training spends its time in."""
    read, operands = loss
    add = raw.append
    if len(calls) == 3:  # the fewest there are, a regression's: so few that the inner loop itself would count
        (f, a), (g, b), (h, c) = calls
        for _ in range(count):
            f(*a)
            g(*b)
            h(*c)
            add(read(*operands))
        return
    for _ in range(count):
        for function, arguments in calls:
            function(*arguments)
        add(read(*operands))
