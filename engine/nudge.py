"""A nudge that can be watched: one entry of any node moves by ε, and everything after it is computed again.

The slope of the loss is the central difference, ``(L(x + ε) − L(x − ε)) / 2ε``. Its error is of two kinds:
the loss is curved, which a smaller ε mends, and of the change of the loss only so many digits are left, which
a larger one mends. So where the slope is not the gradient, another ε is tried before the gradient is blamed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from engine.errors import BackstepError
from engine.graph import Graph, Node
from engine.trace import Trace, contributions

__all__ = ["EPSILONS", "AnyNudge", "Verdict", "nudge_any"]

Array = np.ndarray
EPSILONS = tuple(10.0**-k for k in range(1, 9))
TOLERANCE = 1e-5
CLOSE = 1e-3  # relative: two slopes nearer than this are those of a smooth function
SMALL = 1e-5  # the ε of the second look, relative to the entry
FLOOR = 1e-11  # relative to the loss: a slope below it is zero as far as can be told
UNIT = float(np.finfo(float).eps)


class Verdict(StrEnum):
    """How the slope of the loss and the gradient compare."""

    AGREE = "agree"
    CURVED = "curved"
    ROUNDING = "rounding"
    KINK = "kink"
    DISAGREE = "disagree"
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
        found = _Nudging(graph, trace.arrays, node, index, _gradient(trace, node, index))
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

    def __init__(
        self, graph: Graph, arrays: Sequence[Array], node: Node, index: tuple[int, ...], gradient: float
    ) -> None:
        self._graph = graph
        self._arrays = arrays
        self._node = node
        self._index = index
        self._loss = graph.ids[graph.loss]
        self._after = _after(graph, node)
        self.value = float(arrays[node.id][index])
        self.gradient = gradient

    def moved_by(self, amount: float) -> dict[int, Array]:
        """Return the nudged node and those after it, by id, with the entry moved by `amount`."""
        nudged = np.array(self._arrays[self._node.id], dtype=float)
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
        """Say how the slope compares with the gradient; where they differ, another ε says why."""
        here = float(self._arrays[self._loss])
        if not all(map(np.isfinite, (here, above, below, self.gradient))):
            return Verdict.NOT_FINITE
        if self._node.id not in self._graph.on_loss_path:
            return Verdict.NO_INFLUENCE
        numeric = (above - below) / (2 * epsilon)
        if self._agree(numeric):
            return Verdict.AGREE
        blurred = self._blur(epsilon) >= abs(numeric - self.gradient)
        small = SMALL * max(1.0, abs(self.value))
        left, right = self._slopes(small)
        low, high = sorted((left, right))
        margin = CLOSE * max(abs(low), abs(high)) + self._blur(small)
        if high - low > margin and low - margin <= self.gradient <= high + margin:
            return Verdict.KINK
        if blurred:
            return Verdict.ROUNDING
        second = (left + right) / 2
        if _error(second, self.gradient) <= CLOSE or abs(second - self.gradient) <= self._blur(small):
            return Verdict.CURVED if epsilon > small else Verdict.ROUNDING
        return Verdict.DISAGREE

    def _agree(self, numeric: float) -> bool:
        difference = abs(numeric - self.gradient)
        scale = max(abs(numeric), abs(self.gradient))
        return difference <= max(TOLERANCE * scale, FLOOR * abs(float(self._arrays[self._loss])))

    def _slopes(self, step: float) -> tuple[float, float]:
        """Return the slopes to the left and to the right."""
        here = float(self._arrays[self._loss])
        below, above = (self.loss_of(self.moved_by(s)) for s in (-step, step))
        return (here - below) / step, (above - here) / step

    def _blur(self, epsilon: float) -> float:
        """Return what rounding can make of the slope: a few last digits of the largest number on the way."""
        path = self._graph.on_loss_path
        sizes = (self._arrays[node.id] for node in (self._node, *self._after) if node.id in path)
        largest = max((float(np.max(np.abs(array), initial=0.0)) for array in sizes), default=0.0)
        return 4 * UNIT * max(largest, abs(float(self._arrays[self._loss]))) / epsilon


def _after(graph: Graph, node: Node) -> list[Node]:
    """Return the nodes that a node has an influence on, in order."""
    reached = {node.id}
    found = []
    for other in graph.nodes[node.id + 1 :]:
        if not reached.isdisjoint(other.inputs):
            reached.add(other.id)
            found.append(other)
    return found


def _gradient(trace: Trace, node: Node, index: tuple[int, ...]) -> float:
    """Return an entry of the gradient of any node, unnamed parts too."""
    if node.name in trace.gradients:
        return float(trace.gradients[node.name][index])
    total = 0.0
    for reader, slot, part in contributions(trace.graph, trace.arrays):
        if reader.inputs[slot] == node.id:
            total += float(part[index])
    return total


def _error(numeric: float, backpropagated: float) -> float:
    difference, scale = abs(numeric - backpropagated), max(abs(numeric), abs(backpropagated))
    if not np.isfinite(difference):
        return float("inf")
    return difference / scale if scale else 0.0
