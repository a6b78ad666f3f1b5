"""The nudge test: change one number a little, watch the loss, compare with the gradient.

Where every operation on the way to the loss has a complex rule, the step is imaginary: the derivative is the
imaginary part of the loss over the step, without the cancellation that limits differences (Squire and Trapp,
"Using complex variables to estimate derivatives of real functions", SIAM Review 40, 1998). Elsewhere it is a
central difference. On a kink the slopes to the left and to the right differ; there every number between them
is a derivative as good as another, and the one nearest to the backpropagated is taken.

Both are compared no closer than rounding lets them be (:mod:`engine.slopes`). Where that leaves no digits, as
of a difference beside a very large loss, nothing is decided, and it is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.graph import Graph
from engine.slopes import COMPLEX_STEP, Slope, gradients_by_id, is_analytic, rounding_of, terms_of
from engine.trace import forward, loss_and_gradients

__all__ = ["Check", "Nudge", "Prober", "check", "gathered", "is_analytic", "nudge"]

Array = np.ndarray
REAL_STEP = 1e-5
FLOOR = 1e-4  # what is smaller than this share of the largest gradient has no digits to agree on
TOLERANCE = {"complex": 1e-9, "central": 1e-5}
CANCELLED = 1e-11  # what is smaller than this share of the terms of a sum is zero: they cancel
SURE = 1e-2  # relative: a slope that may be off by more says nothing of a gradient


@dataclass(frozen=True)
class Nudge:
    """One entry checked: its numeric and its backpropagated derivative.

    Attributes
    ----------
    floor
        What an error is relative to where both are smaller: they have no digits left to agree on.
    is_decided
        Whether rounding leaves enough digits of the numeric one to tell a wrong gradient from a right one.
    """

    name: str
    index: tuple[int, ...]
    numeric: float
    backpropagated: float
    floor: float = FLOOR
    is_decided: bool = True

    @property
    def error(self) -> float:
        """The difference relative to the larger of the two; to `floor` where both are smaller."""
        difference = abs(self.numeric - self.backpropagated)
        scale = max(abs(self.numeric), abs(self.backpropagated))
        if not np.isfinite(difference):
            return float("inf") if self.numeric != self.backpropagated else 0.0
        return float(difference / max(scale, self.floor)) if difference else 0.0


@dataclass(frozen=True)
class Check:
    """The nudge test of one named array; `worst` is the entry that agrees least."""

    name: str
    method: str
    numeric: Array
    backpropagated: Array
    worst: Nudge
    is_decided: bool = True

    @property
    def error(self) -> float:
        """The relative error of the whole array, in the norm."""
        difference = np.linalg.norm(self.numeric - self.backpropagated)
        scale = max(np.linalg.norm(self.numeric), np.linalg.norm(self.backpropagated), self.worst.floor)
        if not np.isfinite(difference):
            return float("inf")
        return float(difference / scale) if difference else 0.0

    @property
    def passed(self) -> bool:
        """Whether the two agree as closely as the method can tell."""
        return self.error <= TOLERANCE[self.method]


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
    prober = Prober(graph, leaves)
    for name in names or (*graph.parameters, *graph.inputs):
        yield _check_array(prober, name, np.asarray(gradients[name]))


def _check_array(prober: Prober, name: str, gradient: Array) -> Check:
    nudges = [prober.nudge(name, index, gradient) for index in np.ndindex(gradient.shape)]
    return gathered(prober, name, gradient, nudges)


def gathered(prober: Prober, name: str, gradient: Array, nudges: Sequence[Nudge]) -> Check:
    """Return the nudge test of an array, or of those of its entries that were nudged."""
    numeric = np.array([nudge.numeric for nudge in nudges])
    if len(nudges) == gradient.size:
        return Check(
            name, prober.method, numeric.reshape(gradient.shape), gradient, _worst(nudges), _decided(nudges)
        )
    backpropagated = np.array([nudge.backpropagated for nudge in nudges])
    return Check(name, prober.method, numeric, backpropagated, _worst(nudges), _decided(nudges))


def _worst(nudges: Sequence[Nudge]) -> Nudge:
    return max(nudges, key=lambda nudge: nudge.error)


def _decided(nudges: Sequence[Nudge]) -> bool:
    return all(nudge.is_decided for nudge in nudges)


def nudge(graph: Graph, leaves: Mapping[str, Array], name: str, index: tuple[int, ...]) -> Nudge:
    """Return the nudge test of one entry of one input or parameter."""
    _, gradients = loss_and_gradients(graph, leaves)
    return Prober(graph, leaves).nudge(name, index, np.asarray(gradients[name]))


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
    direction = np.zeros(np.shape(leaves[name]))
    direction[index] = 1.0
    return Prober(graph, leaves).slope(name, direction, backpropagated).value


class Prober:
    """Works out slopes of the loss of one graph at one place by going forward.

    Attributes
    ----------
    method
        "complex" or "central".
    """

    def __init__(self, graph: Graph, leaves: Mapping[str, Array]) -> None:
        self._graph = graph
        self._leaves = leaves
        self.method = "complex" if is_analytic(graph) else "central"
        self._loss = graph.ids[graph.loss]
        self._path = sorted(graph.on_loss_path)
        arrays = forward(graph, leaves)
        self._here = float(arrays[self._loss])
        self._weights = gradients_by_id(graph, arrays)
        self._rounding = rounding_of(graph, self._weights, dict(enumerate(arrays)), self._path)

    def nudge(self, name: str, index: tuple[int, ...], gradient: Array) -> Nudge:
        """Return the nudge test of one entry of an array whose whole gradient is given."""
        direction = np.zeros(gradient.shape)
        direction[index] = 1.0
        return self.test(name, index, direction, float(gradient[index]), gradient)

    def test(
        self, name: str, index: tuple[int, ...], direction: Array, expected: float, gradient: Array
    ) -> Nudge:
        """Return the test of the slope along a direction against the one that is expected."""
        largest = float(np.max(np.abs(gradient), initial=0.0))
        largest = largest if np.isfinite(largest) else 0.0
        found = self.slope(name, direction, expected, largest)
        scale = max(abs(found.value), abs(expected), largest)
        floor = max(FLOOR * largest, found.doubt / TOLERANCE[self.method])
        is_decided = found.doubt <= SURE * scale or found.value == expected == found.doubt == 0
        return Nudge(name, index, found.value, expected, floor, bool(is_decided))

    def slope(self, name: str, direction: Array, expected: float | None, largest: float = 1.0) -> Slope:
        """Return the slope along a direction; on a kink, the one nearest to what is expected.

        Parameters
        ----------
        largest
            Of the gradient's entries: slopes that differ by a small part of it are of a smooth function.
        """
        if self.method == "complex":
            found = self._imaginary(name, direction)
            is_near = expected is None or abs(found.value - expected) <= FLOOR * max(
                largest, abs(found.value)
            )
            if is_near:
                return found
            # only norm, at zero, has a complex rule and a kink
            assert expected is not None
            step = REAL_STEP / 100
            left, right = self._sides(name, direction, step)
            if self._is_kink(left, right, step, largest):
                return Slope(_nearest(expected, left, right), self._rounding / step)
            return found
        return self._central(name, direction, expected, largest)

    def _imaginary(self, name: str, direction: Array) -> Slope:
        values = self._moved(name, complex(0, COMPLEX_STEP) * direction)
        tangents = {i: np.imag(values[i]) / COMPLEX_STEP for i in self._path}
        terms = terms_of(self._graph, self._weights, tangents, self._path)
        doubt = rounding_of(self._graph, self._weights, tangents, self._path)
        return Slope(float(tangents[self._loss]), max(doubt, CANCELLED * max(terms, default=0.0)))

    def _central(self, name: str, direction: Array, expected: float | None, largest: float) -> Slope:
        size = float(np.max(np.abs(self._leaves[name][direction != 0]), initial=1.0))
        step = REAL_STEP * max(1.0, size)
        left, right = self._sides(name, direction, step)
        coarse, doubt = (left + right) / 2, self._rounding / step
        is_kink = self._is_kink(left, right, step, largest)
        if not is_kink and (expected is None or _agree(coarse, expected)):
            return Slope(coarse, doubt)
        # either the loss is strongly curved here or a kink is near: a step much smaller tells them apart
        left, right = self._sides(name, direction, step / 100)
        fine = (left + right) / 2
        if expected is None:
            return Slope(fine, 100 * doubt)
        if self._is_kink(left, right, step / 100, largest):
            return Slope(_nearest(expected, left, right), doubt)
        # a kink disturbs the larger step, rounding the smaller one: a gradient that is wrong fits neither
        return Slope(min(coarse, fine, key=lambda slope: abs(slope - expected)), doubt)

    def _is_kink(self, left: float, right: float, step: float, largest: float) -> bool:
        return abs(left - right) > 1e-3 * max(largest, abs(left), abs(right)) + 2 * self._rounding / step

    def _sides(self, name: str, direction: Array, step: float) -> tuple[float, float]:
        """Return the slopes to the left and to the right."""
        below, above = (self._loss_at(name, sign * direction) for sign in (-step, step))
        return (self._here - below) / step, (above - self._here) / step

    def _loss_at(self, name: str, move: Array) -> float:
        return float(self._moved(name, move)[self._loss])

    def _moved(self, name: str, move: Array) -> list[Array]:
        return forward(self._graph, {**self._leaves, name: self._leaves[name] + move})


def _nearest(number: float, left: float, right: float) -> float:
    return float(np.clip(number, min(left, right), max(left, right)))


def _agree(numeric: float, backpropagated: float) -> bool:
    return abs(numeric - backpropagated) <= 0.1 * TOLERANCE["central"] * abs(backpropagated)
