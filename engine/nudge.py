"""A nudge that can be watched: one entry of any node moves by ε, and everything after it is computed again.

The slope of the loss is the central difference, ``(L(x + ε) − L(x − ε)) / 2ε``. Its error is of two kinds:
the loss is curved, which a smaller ε mends, and of the change of the loss only so many digits are left, which
a larger one mends. So where the slope is not the gradient, a better one is looked for before the gradient is
blamed, and where there is none that can be trusted, nothing is said of the gradient (:mod:`engine.slopes`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np

from engine.errors import BackstepError
from engine.graph import Graph, Node
from engine.slopes import (
    COMPLEX_STEP,
    Slope,
    by_differences,
    gradients_by_id,
    is_analytic,
    rounding_of,
    terms_of,
)
from engine.trace import Trace

__all__ = ["EPSILONS", "AnyNudge", "Verdict", "nudge_any"]

Array = np.ndarray
EPSILONS = tuple(10.0**-k for k in range(1, 9))
TOLERANCE = 1e-5
CLOSE = 1e-3  # relative: two slopes nearer than this are those of a smooth function
SMALL = 1e-5  # the ε at which a kink is looked for, relative to the entry
SURE = 1e-2  # relative: a slope that may be off by more has nothing to say about a gradient
ZERO = 1e-6  # of what zero is compared with: what is surely smaller may be called zero
NOTHING = 1e-9  # of the same: two numbers that are smaller are both zero to everybody
UNIT = float(np.finfo(float).eps)


class Verdict(StrEnum):
    """How the slope of the loss and the gradient compare."""

    AGREE = "agree"
    CURVED = "curved"
    ROUNDING = "rounding"
    KINK = "kink"
    DISAGREE = "disagree"
    UNCLEAR = "unclear"
    NOT_FINITE = "not finite"
    NO_INFLUENCE = "no influence"


@dataclass(frozen=True, eq=False)
class AnyNudge:
    """One entry nudged, and what came of it.

    Attributes
    ----------
    name, index, value
        The entry, and the number that stands there.
    loss, above, below
        The loss as it is, with the entry larger by `epsilon`, and smaller.
    backpropagated
        The gradient's entry.
    moved
        By how much each node after it moves when the entry is larger by `epsilon`, by name; the node itself
        is the first.
    """

    name: str
    index: tuple[int, ...]
    value: float
    epsilon: float
    loss: float
    above: float
    below: float
    backpropagated: float
    verdict: Verdict
    moved: Mapping[str, Array]

    @property
    def change(self) -> float:
        """By how much the loss changes when the entry is larger by ε."""
        return self.above - self.loss

    @property
    def numeric(self) -> float:
        """The slope of the loss: the central difference."""
        return (self.above - self.below) / (2 * self.epsilon)

    @property
    def error(self) -> float:
        """The difference of the two, relative to the larger one."""
        return _error(self.numeric, self.backpropagated)


def nudge_any(trace: Trace, name: str, index: tuple[int, ...], epsilon: float = 1e-4) -> AnyNudge:
    """Return what happens when one entry of any node of a trace's graph is nudged.

    Parameters
    ----------
    name
        An input, a parameter, a line, or an unnamed part of one.
    index
        The entry; () for a scalar.

    Raises
    ------
    BackstepError
        For a node that the graph does not have, an entry outside it, and an ε that is not positive.

    Examples
    --------
    >>> from graphs.network import bind, built_in
    >>> from engine.trace import trace
    >>> model = bind(built_in("two-layer-nonlinear"))
    >>> found = nudge_any(trace(model.graph, model.leaves), "Z", (0, 0))
    >>> found.verdict.value, [name for name in found.moved if "." not in name]
    ('agree', ['Z', 'A', 'yhat', 'L'])
    """
    graph = trace.graph
    if name not in graph.ids:
        raise BackstepError(f"there is no node {name}.", how="Choose one of the graph.")
    node = graph[name]
    if len(index) != len(node.dims) or any(
        not 0 <= i < d.size for i, d in zip(index, node.dims, strict=True)
    ):
        raise BackstepError(f"{name} has no entry {list(index)}.", how="Choose one of its entries.")
    if not epsilon > 0:
        raise BackstepError(f"ε cannot be {epsilon}.", how="Choose a positive number, such as 1e-4.")
    with np.errstate(all="ignore"):
        found = _Nudging(trace, node, index)
        above, below = found.moved_by(epsilon), found.moved_by(-epsilon)
        return AnyNudge(
            name=name,
            index=index,
            value=found.value,
            epsilon=epsilon,
            loss=trace.loss,
            above=found.loss_of(above),
            below=found.loss_of(below),
            backpropagated=found.gradient,
            verdict=found.verdict(epsilon, found.loss_of(above), found.loss_of(below)),
            moved=found.differences(above),
        )


class _Nudging:
    """Computes again what comes after one entry."""

    def __init__(self, trace: Trace, node: Node, index: tuple[int, ...]) -> None:
        self._graph = trace.graph
        self._arrays = trace.arrays
        self._node = node
        self._index = index
        self._loss = trace.graph.ids[trace.graph.loss]
        self._after = _after(trace.graph, node)
        self.value = float(trace.arrays[node.id][index])
        known = trace.gradients.get(node.name)
        if known is None:
            known = self._gradients.get(node.id, np.zeros_like(trace.arrays[node.id], dtype=float))
        self.gradient = float(known[index])
        self._largest = float(np.max(np.abs(known), initial=0.0))

    @cached_property
    def _gradients(self) -> Mapping[int, Array]:
        return gradients_by_id(self._graph, self._arrays)

    def moved_by(self, amount: complex) -> dict[int, Array]:
        """Return the nudged node and those after it, by id, with the entry moved by `amount`."""
        kind = complex if isinstance(amount, complex) else float
        nudged = np.array(self._arrays[self._node.id], dtype=kind)
        nudged[self._index] += amount
        found = {self._node.id: nudged}
        for node in self._after:
            assert node.op is not None
            ins = [found[i] if i in found else self._arrays[i] for i in node.inputs]
            found[node.id] = np.asarray(node.op.forward(*ins, **dict(node.attrs)))
        return found

    def loss_of(self, moved: Mapping[int, Array]) -> float:
        return float(moved[self._loss] if self._loss in moved else self._arrays[self._loss])

    def differences(self, moved: Mapping[int, Array]) -> dict[str, Array]:
        nodes = self._graph.nodes
        return {nodes[i].name: np.asarray(array - self._arrays[i]) for i, array in moved.items()}

    def verdict(self, epsilon: float, above: float, below: float) -> Verdict:
        """Say how the slope compares with the gradient; where they differ, a better slope says why."""
        here = float(self._arrays[self._loss])
        if not all(map(np.isfinite, (here, above, below, self.gradient))):
            return Verdict.NOT_FINITE
        if self._node.id not in self._graph.on_loss_path:
            return Verdict.DISAGREE if self.gradient else Verdict.NO_INFLUENCE
        numeric = (above - below) / (2 * epsilon)
        if self._agree(numeric) and self._has_digits(numeric, epsilon):
            return Verdict.AGREE
        if self._is_kink():
            return Verdict.KINK
        best = self._best_slope()
        off, scale = abs(best.value - self.gradient), max(abs(best.value), abs(self.gradient))
        if off > CLOSE * scale + best.doubt:
            return Verdict.DISAGREE
        is_zero = scale <= best.doubt <= ZERO * self._scale
        if not off <= TOLERANCE * scale + best.doubt or not (best.doubt <= SURE * scale or is_zero):
            return Verdict.UNCLEAR
        return self._how_right(numeric, epsilon)

    def _how_right(self, numeric: float, epsilon: float) -> Verdict:
        """Say why the slope over ε differs from a gradient that is right, if it does."""
        off, blur = abs(numeric - self.gradient), self._rounding / epsilon
        is_nothing = max(abs(numeric), abs(self.gradient)) <= NOTHING * self._scale
        if self._agree(numeric) or (is_nothing and off <= blur):
            return Verdict.AGREE
        return Verdict.ROUNDING if off <= blur + self._lost(epsilon) else Verdict.CURVED

    def _agree(self, numeric: float) -> bool:
        return abs(numeric - self.gradient) <= TOLERANCE * max(abs(numeric), abs(self.gradient))

    def _has_digits(self, numeric: float, epsilon: float) -> bool:
        """Say at a glance whether a slope has more digits than rounding can have left by chance."""
        path = self._graph.on_loss_path
        sizes = (self._arrays[node.id] for node in (self._node, *self._after) if node.id in path)
        largest = max((float(np.max(np.abs(array), initial=0.0)) for array in sizes), default=0.0)
        return UNIT * largest / epsilon <= TOLERANCE * abs(numeric)

    def _is_kink(self) -> bool:
        """Say whether the slopes to both sides differ, however near, and the gradient is between them."""
        step = SMALL * max(1.0, abs(self.value))
        near, far = self._slopes(step / 8), self._slopes(step)
        gap = abs(near[1] - near[0])
        low, high = sorted(near)
        margin = CLOSE * max(abs(low), abs(high)) + 2 * self._rounding / (step / 8)
        is_lasting = gap > 0.5 * abs(far[1] - far[0])  # of a smooth function, it is an eighth
        return gap > margin and is_lasting and low - margin <= self.gradient <= high + margin

    def _slopes(self, step: float) -> tuple[float, float]:
        """Return the slopes to the left and to the right."""
        here = float(self._arrays[self._loss])
        below, above = (self.loss_of(self.moved_by(s)) for s in (-step, step))
        return (here - below) / step, (above - here) / step

    @cached_property
    def _tangents(self) -> Mapping[int, Array]:
        """How fast each node after the entry moves with it, by an imaginary step where that goes."""
        if is_analytic(self._graph):
            moved = self.moved_by(complex(0, COMPLEX_STEP))
            return {i: np.imag(array) / COMPLEX_STEP for i, array in moved.items()}
        step = SMALL * max(1.0, abs(self.value))
        return {i: (array - self._arrays[i]) / step for i, array in self.moved_by(step).items()}

    @cached_property
    def _scale(self) -> float:
        """What zero is compared with: the gradient's largest entry, and what the slope is the sum of."""
        terms = terms_of(self._graph, self._gradients, self._tangents, self._tangents)
        return max(self._largest, *terms, 0.0) or 1.0

    def _best_slope(self) -> Slope:
        """Return the slope as well as it can be had by going forward: by an imaginary step, else by many."""
        slope = float(self._tangents[self._loss])
        if is_analytic(self._graph) and np.isfinite(slope):
            return Slope(slope, rounding_of(self._graph, self._gradients, self._tangents, self._tangents))
        loss = lambda amount: self.loss_of(self.moved_by(amount))  # noqa: E731
        return by_differences(loss, abs(self.value), self._rounding)

    @cached_property
    def _rounding(self) -> float:
        """By how much a loss that is computed again may be off: what is not computed again is off alike."""
        after = {self._node.id, *(node.id for node in self._after)}
        read = {i for node in self._after for i in node.inputs}
        return rounding_of(self._graph, self._gradients, dict(enumerate(self._arrays)), after | read)

    def _lost(self, epsilon: float) -> float:
        """Return how far the slope is off because the entry cannot be moved by ε, only by about as much."""
        return abs(self.gradient) * UNIT * abs(self.value) / epsilon


def _after(graph: Graph, node: Node) -> list[Node]:
    """Return the nodes that a node has an influence on, in order."""
    reached = {node.id}
    found = []
    for other in graph.nodes[node.id + 1 :]:
        if not reached.isdisjoint(other.inputs):
            reached.add(other.id)
            found.append(other)
    return found


def _error(numeric: float, backpropagated: float) -> float:
    difference, scale = abs(numeric - backpropagated), max(abs(numeric), abs(backpropagated))
    if not np.isfinite(difference):
        return float("inf")
    return difference / scale if scale else 0.0
