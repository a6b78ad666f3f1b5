"""The nudge test: change one number a little, watch the loss, compare with the gradient.

Where every operation on the way to the loss has a complex rule, the step is imaginary: the derivative is the
imaginary part of the loss over the step, without the cancellation that limits differences (Squire and Trapp,
"Using complex variables to estimate derivatives of real functions", SIAM Review 40, 1998). Elsewhere it is a
central difference. On a kink the slopes to the left and to the right differ; there every number between them
is a derivative as good as another, and the one nearest to the backpropagated is taken.
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
FLOOR = 1e-4  # what is smaller than this share of the numbers computed with has no digits to agree on
TOLERANCE = {"complex": 1e-9, "central": 1e-5}


@dataclass(frozen=True)
class Nudge:
    """One entry checked: its numeric and its backpropagated derivative."""

    name: str
    index: tuple[int, ...]
    numeric: float
    backpropagated: float
    floor: float = FLOOR

    @property
    def error(self) -> float:
        """The difference relative to the larger of the two; to `floor` where both are smaller."""
        difference = abs(self.numeric - self.backpropagated)
        scale = max(abs(self.numeric), abs(self.backpropagated))
        if not np.isfinite(difference):
            return float("inf") if self.numeric != self.backpropagated else 0.0
        return float(difference / max(scale, self.floor))


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
        """The relative error of the whole array, in the norm."""
        difference = np.linalg.norm(self.numeric - self.backpropagated)
        scale = max(np.linalg.norm(self.numeric), np.linalg.norm(self.backpropagated), self.worst.floor)
        return float(difference / scale) if np.isfinite(difference) else float("inf")

    @property
    def passed(self) -> bool:
        """Whether the two agree as closely as the method can tell."""
        return self.error <= TOLERANCE[self.method]


def is_analytic(graph: Graph) -> bool:
    """Say whether every operation on the way to the loss may be given complex numbers."""
    path = graph.on_loss_path
    return all(node.op is None or node.op.analytic for node in graph.nodes if node.id in path)


def check(
    graph: Graph,
    leaves: Mapping[str, Array],
    names: tuple[str, ...] | None = None,
    gradients: Mapping[str, Array] | None = None,
) -> Iterator[Check]:
    """Yield the nudge test of every parameter and input (or of `names`), every entry of it.

    Parameters
    ----------
    leaves
        Arrays for every input and parameter.
    gradients
        What is tested, by name; the backpropagated gradients where None.
    """
    if gradients is None:
        _, gradients = loss_and_gradients(graph, leaves)
    for name in names or (*graph.parameters, *graph.inputs):
        yield _check_array(graph, leaves, name, np.asarray(gradients[name]))


def _check_array(graph: Graph, leaves: Mapping[str, Array], name: str, gradient: Array) -> Check:
    method = "complex" if is_analytic(graph) else "central"
    floor = _floor(graph, leaves)
    numeric = np.empty(gradient.shape)
    worst = Nudge(name, (), 0.0, 0.0, floor)
    for index in np.ndindex(gradient.shape):
        backpropagated = float(gradient[index])
        numeric[index] = derivative(graph, leaves, name, index, backpropagated)
        entry = Nudge(name, index, float(numeric[index]), backpropagated, floor)
        if index == (0,) * gradient.ndim or entry.error > worst.error:
            worst = entry
    return Check(name, method, numeric, gradient, worst)


def nudge(graph: Graph, leaves: Mapping[str, Array], name: str, index: tuple[int, ...]) -> Nudge:
    """Return the nudge test of one entry of one input or parameter."""
    _, gradients = loss_and_gradients(graph, leaves)
    backpropagated = float(np.asarray(gradients[name])[index])
    numeric = derivative(graph, leaves, name, index, backpropagated)
    return Nudge(name, index, numeric, backpropagated, _floor(graph, leaves))


def _floor(graph: Graph, leaves: Mapping[str, Array]) -> float:
    """Return below what a derivative is lost in the rounding of the numbers that it comes from."""
    values = forward(graph, leaves)
    sizes = [float(np.max(np.abs(values[i]), initial=0.0)) for i in graph.on_loss_path]
    return FLOOR * max([1.0, *(size for size in sizes if np.isfinite(size))])


def derivative(
    graph: Graph,
    leaves: Mapping[str, Array],
    name: str,
    index: tuple[int, ...],
    backpropagated: float | None = None,
) -> float:
    """Return the numeric derivative of the loss by one entry.

    Parameters
    ----------
    backpropagated
        What it is to be compared with; on a kink, the slope nearest to it is returned.
    """
    if is_analytic(graph):
        found = _loss_at(graph, leaves, name, index, complex(0, COMPLEX_STEP)).imag / COMPLEX_STEP
        if backpropagated is None or abs(found - backpropagated) <= FLOOR * max(1.0, abs(found)):
            return found
        # only norm, at zero, has a complex rule and a kink
        left, right = _slopes(graph, leaves, name, index, REAL_STEP / 100)
        return _nearest(backpropagated, left, right) if _is_kink(left, right) else found
    step = REAL_STEP * max(1.0, abs(float(np.asarray(leaves[name])[index])))
    left, right = _slopes(graph, leaves, name, index, step)
    coarse = (left + right) / 2
    if not _is_kink(left, right) and (backpropagated is None or _agree(coarse, backpropagated)):
        return coarse
    # either the loss is strongly curved here or a kink is near: a step much smaller tells them apart
    left, right = _slopes(graph, leaves, name, index, step / 100)
    fine = (left + right) / 2
    if backpropagated is None:
        return fine
    if _is_kink(left, right):
        return _nearest(backpropagated, left, right)
    # a kink disturbs the larger step, rounding the smaller one: a gradient that is wrong fits neither
    return min(coarse, fine, key=lambda slope: abs(slope - backpropagated))


def _nearest(number: float, left: float, right: float) -> float:
    return float(np.clip(number, min(left, right), max(left, right)))


def _agree(numeric: float, backpropagated: float) -> bool:
    return abs(numeric - backpropagated) <= 0.1 * TOLERANCE["central"] * abs(backpropagated)


def _is_kink(left: float, right: float) -> bool:
    return abs(left - right) > 1e-3 * max(1.0, abs(left), abs(right))


def _slopes(
    graph: Graph, leaves: Mapping[str, Array], name: str, index: tuple[int, ...], step: float
) -> tuple[float, float]:
    below, here, above = (_loss_at(graph, leaves, name, index, s).real for s in (-step, 0.0, step))
    return (here - below) / step, (above - here) / step


def _loss_at(
    graph: Graph, leaves: Mapping[str, Array], name: str, index: tuple[int, ...], step: float | complex
) -> complex:
    nudged = np.array(leaves[name], dtype=complex if isinstance(step, complex) else float)
    nudged[index] += step
    values = forward(graph, {**leaves, name: nudged})
    return complex(values[graph.ids[graph.loss]])
