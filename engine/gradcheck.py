"""The nudge test: change one number a little, watch the loss, compare with the gradient.

Where every operation on the way to the loss has a complex rule, the step is imaginary: the derivative is the
imaginary part of the loss over the step, without the cancellation that limits differences (Squire and Trapp,
"Using complex variables to estimate derivatives of real functions", SIAM Review 40, 1998). Elsewhere central
differences at two step sizes are combined (Richardson), and near a kink the side that backpropagation takes
counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from engine.graph import Graph
from engine.trace import forward, loss_and_gradients

__all__ = ["Check", "Nudge", "check", "is_analytic", "nudge"]

Array = np.ndarray
COMPLEX_STEP = 1e-30
REAL_STEP = 1e-5
FLOOR = 1e-6  # what is smaller is compared absolutely: rounding has no digits to agree on
TOLERANCE = {"complex": 1e-9, "central": 1e-5}


@dataclass(frozen=True)
class Nudge:
    """One entry checked: its numeric and its backpropagated derivative."""

    name: str
    index: tuple[int, ...]
    numeric: float
    backpropagated: float

    @property
    def error(self) -> float:
        """The difference relative to the larger of the two; to 1e-6 where both are smaller."""
        difference = abs(self.numeric - self.backpropagated)
        scale = max(abs(self.numeric), abs(self.backpropagated))
        if not np.isfinite(difference):
            return float("inf") if self.numeric != self.backpropagated else 0.0
        return float(difference / max(scale, FLOOR))


@dataclass(frozen=True)
class Check:
    """The nudge test of one named array; `worst` is the entry that agrees least."""

    name: str
    method: str
    numeric: Array
    backpropagated: Array
    worst: Nudge

    @property
    def error(self) -> float:
        """The relative error of the whole array, in the norm; 0 where both vanish."""
        difference = np.linalg.norm(self.numeric - self.backpropagated)
        scale = max(np.linalg.norm(self.numeric), np.linalg.norm(self.backpropagated), FLOOR)
        return float(difference / scale) if np.isfinite(difference) else float("inf")

    @property
    def passed(self) -> bool:
        """Whether the two agree as closely as the method can tell."""
        return self.error <= TOLERANCE[self.method]


def is_analytic(graph: Graph) -> bool:
    """Say whether every operation on the way to the loss may be given complex numbers."""
    path = graph.on_loss_path
    return all(node.op is None or node.op.analytic for node in graph.nodes if node.id in path)


def check(graph: Graph, leaves: Mapping[str, Array], names: tuple[str, ...] | None = None) -> Iterator[Check]:
    """Yield the nudge test of every parameter and input (or of `names`), every entry of it.

    Parameters
    ----------
    leaves
        Arrays for every input and parameter.
    """
    _, gradients = loss_and_gradients(graph, leaves)
    for name in names or (*graph.parameters, *graph.inputs):
        yield _check_array(graph, leaves, name, np.asarray(gradients[name]))


def _check_array(graph: Graph, leaves: Mapping[str, Array], name: str, gradient: Array) -> Check:
    method = "complex" if is_analytic(graph) else "central"
    numeric = np.empty(gradient.shape)
    worst: Nudge | None = None
    for index in np.ndindex(gradient.shape):
        numeric[index] = derivative(graph, leaves, name, index)
        entry = Nudge(name, index, float(numeric[index]), float(gradient[index]))
        if worst is None or entry.error > worst.error:
            worst = entry
    return Check(name, method, numeric, gradient, worst or Nudge(name, (), 0.0, 0.0))


def nudge(graph: Graph, leaves: Mapping[str, Array], name: str, index: tuple[int, ...]) -> Nudge:
    """Return the nudge test of one entry of one input or parameter."""
    _, gradients = loss_and_gradients(graph, leaves)
    numeric = derivative(graph, leaves, name, index)
    return Nudge(name, index, numeric, float(np.asarray(gradients[name])[index]))


def derivative(graph: Graph, leaves: Mapping[str, Array], name: str, index: tuple[int, ...]) -> float:
    """Return the numeric derivative of the loss by one entry."""
    if is_analytic(graph):
        return _loss_at(graph, leaves, name, index, complex(0, COMPLEX_STEP)).imag / COMPLEX_STEP
    step = REAL_STEP * max(1.0, abs(float(np.asarray(leaves[name])[index])))
    coarse, fine = (_central(graph, leaves, name, index, h) for h in (step, step / 2))
    if abs(coarse - fine) <= 1e-6 * max(1.0, abs(fine)):
        return fine
    # on a kink the differences do not settle; a step of nothing but rounding would, so go down once more
    return _central(graph, leaves, name, index, step / 100)


def _central(
    graph: Graph, leaves: Mapping[str, Array], name: str, index: tuple[int, ...], step: float
) -> float:
    above = _loss_at(graph, leaves, name, index, step)
    below = _loss_at(graph, leaves, name, index, -step)
    return float((above - below).real) / (2 * step)


def _loss_at(
    graph: Graph, leaves: Mapping[str, Array], name: str, index: tuple[int, ...], step: float | complex
) -> complex:
    nudged = np.array(leaves[name], dtype=complex if isinstance(step, complex) else float)
    nudged[index] += step
    values = forward(graph, {**leaves, name: nudged})
    return complex(values[graph.ids[graph.loss]])
