"""The other mode of a plan: slow, with every value at hand.

An :class:`Inspector` does the same steps as a :class:`~engine.plan.stepper.Stepper`, by the interpreter and
node by node, to the bits that are shown on the screen. Tests hold the two together; a run that leaves the
finite numbers asks it which node did first.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.graph import Graph
from engine.memory import settled
from engine.plan.emission import Array
from engine.plan.updating import Rates
from engine.problem import Problem
from engine.trace import first_non_finite, forward, gradients

__all__ = ["Inspector"]


class Inspector:
    """Does training steps, with every node's value kept; points are vectors as a stepper's.

    Parameters
    ----------
    problem, rates, batch_size
        As for a stepper.

    Attributes
    ----------
    values
        The value of every node by id, in the last pass over the whole data.
    gradients
        The gradient of the loss by every parameter, in the last iteration.
    """

    def __init__(self, problem: Problem, rates: Rates, batch_size: int | None = None) -> None:
        self._problem = problem
        self._rates = rates
        self._batch_size = batch_size
        self._parameters = settled(problem.parameters)
        self._inputs = settled(problem.inputs)
        self._state = self._zeros()
        self.values: list[Array] = []
        self.gradients: Mapping[str, Array] = {}

    def _zeros(self) -> dict[str, dict[str, Array]]:
        kept = self._rates.optimizer.state
        return {key: {n: np.zeros_like(a) for n, a in self._parameters.items()} for key in kept}

    def load(self, point: Array) -> None:
        """Stand at a point."""
        start = 0
        for table in (self._parameters, *self._state.values()):
            for name, array in table.items():
                table[name] = point[start : start + array.size].reshape(array.shape).copy()
                start += array.size

    def save(self, out: Array | None = None) -> Array:
        """Return where it stands."""
        tables = (self._parameters, *self._state.values())
        parts = [np.zeros(0), *(a.reshape(-1) for table in tables for a in table.values())]
        return np.concatenate(parts, out=out)

    def snapshot(self) -> list[Array]:
        """Return where it stands for :meth:`restore`."""
        return [self.save()]

    def restore(self, snapshot: list[Array]) -> None:
        """Stand where a snapshot was taken."""
        self.load(snapshot[0])

    def is_finite(self) -> bool:
        """Say whether every parameter is a finite number."""
        return all(np.isfinite(array).all() for array in self._parameters.values())

    def run(self, first: int, count: int, norms: list[float] | None = None) -> Array:
        """Do `count` iterations, `first` the first of them; return the loss before each.

        Parameters
        ----------
        norms
            Where the norm of the whole gradient before each is added, if wanted.
        """
        return np.array([self._step(iteration, norms) for iteration in range(first, first + count)], float)

    def _step(self, iteration: int, norms: list[float] | None) -> float:
        loss = self.loss()
        if norms is not None:
            norms.append(self.gradient_norm())
        self.gradients = self._gradients(*self._batch(iteration))
        settings = self._rates.at(iteration)
        with np.errstate(all="ignore"):
            for name, value in self._parameters.items():
                kept = {key: self._state[key][name] for key in self._rates.optimizer.state}
                found = self._rates.optimizer.rule(value, self.gradients[name], kept, settings)
                self._parameters[name] = np.asarray(found["value"])
                for key in kept:
                    self._state[key][name] = np.asarray(found[key])
        return loss

    def _batch(self, iteration: int) -> tuple[Graph, Mapping[str, Array]]:
        indices = self._problem.indices(iteration, self._batch_size)
        if indices is None:
            return self._problem.graph, self._inputs
        graph, data = self._problem.batch(indices)
        return graph, settled(data)

    def _gradients(self, graph: Graph, data: Mapping[str, Array]) -> Mapping[str, Array]:
        values = forward(graph, {**data, **self._parameters})
        return gradients(graph, values, graph.trained)

    def loss(self) -> float:
        """Return the loss over the whole data; every node's value is in `values` afterwards."""
        graph = self._problem.graph
        self.values = forward(graph, {**self._inputs, **self._parameters})
        return float(self.values[graph.ids[graph.loss]])

    def gradient_norm(self) -> float:
        """Return the Euclidean norm of the gradient over the whole data."""
        found = self._gradients(self._problem.graph, self._inputs)
        with np.errstate(all="ignore"):
            return float(np.sqrt(sum(np.sum(found[name] ** 2) for name in self._parameters)))

    def held_loss(self) -> float:
        """Return the loss on the held-out examples, nan where there are none."""
        held = self._problem.held()
        if held is None:
            return float("nan")
        graph, data = held
        return float(forward(graph, {**settled(data), **self._parameters})[graph.ids[graph.loss]])

    def first_non_finite(self) -> str | None:
        """Return the name of the first node that is not finite where it stands, None where all are."""
        self.loss()
        return first_non_finite(self._problem.graph, self.values)
