"""Slopes of the loss by forward passes alone, and how far each can be trusted.

Two errors are told apart. Rounding: every number on the way to the loss is off by a last digit, and counts by
its own gradient, so the loss is off by ``u Σ |∂L/∂v| |v|`` to first order, and a difference over ε by as much
over ε (Higham, *Accuracy and Stability of Numerical Algorithms*, 2002, chapter 3). The curve: a difference
over several ε is extrapolated to ε = 0, and what the last two extrapolations differ by is what is left of it
(Ridders, "Accurate computation of F′(x) and F′(x)F″(x)", Advances in Engineering Software 4, 1982).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from engine.graph import Graph
from engine.trace import contributions

__all__ = [
    "COMPLEX_STEP",
    "Slope",
    "by_differences",
    "gradients_by_id",
    "is_analytic",
    "rounding_of",
    "terms_of",
]

Array = np.ndarray
COMPLEX_STEP = 1e-30
UNIT = float(np.finfo(float).eps)
DIGITS = 16
"""Last digits by which a number on the way may be off: sums inside an operation round more than once."""
CANCELLING = frozenset(("softmax", "cross_entropy", "bce"))
"""Operations whose slope is a difference inside, of numbers as large as those that they read."""
WIDEST = 2e-2
"""The largest ε that is tried, relative to the number that is nudged."""
NARROWER = 4.0
ROWS = 9


class Slope(NamedTuple):
    """A derivative, and by how much it may be off."""

    value: float
    doubt: float


def is_analytic(graph: Graph) -> bool:
    """Say whether every operation on the way to the loss may be given complex numbers."""
    path = graph.on_loss_path
    return all(node.op is None or node.op.analytic for node in graph.nodes if node.id in path)


def gradients_by_id(graph: Graph, arrays: Sequence[Array]) -> dict[int, Array]:
    """Return the gradient of the loss by every node that it depends on, unnamed parts too."""
    found: dict[int, Array] = {graph.ids[graph.loss]: np.asarray(1.0)}
    with np.errstate(all="ignore"):
        for reader, slot, part in contributions(graph, arrays):
            source = reader.inputs[slot]
            found[source] = found[source] + part if source in found else part
    return found


def terms_of(
    graph: Graph, gradients: Mapping[int, Array], numbers: Mapping[int, Array], ids: Iterable[int]
) -> list[float]:
    """Return how much the numbers of these nodes, or their tangents, count for the loss, signs aside."""
    found = []
    with np.errstate(all="ignore"):
        for i in ids:
            if i in gradients:
                found.append(float(np.sum(np.abs(gradients[i] * numbers[i]))))
                op = graph.nodes[i].op
                if op is not None and op.name in CANCELLING:
                    read = (
                        np.max(np.abs(numbers[j]), initial=0.0) for j in graph.nodes[i].inputs if j in numbers
                    )
                    found.append(float(np.sum(np.abs(gradients[i])) * max(read, default=0.0)))
    return [part for part in found if np.isfinite(part)]


def rounding_of(
    graph: Graph, gradients: Mapping[int, Array], numbers: Mapping[int, Array], ids: Iterable[int]
) -> float:
    """Return what rounding the numbers of these nodes makes of the loss, or, given tangents, of its slope."""
    return DIGITS * UNIT * sum(terms_of(graph, gradients, numbers, ids))


def by_differences(loss: Callable[[float], float], size: float, rounding: float) -> Slope:
    """Return the slope at 0 of a loss that is nudged, extrapolated from central differences.

    Parameters
    ----------
    loss
        From how far the number is moved to the loss.
    size
        Of the number, which ε is chosen by: 1 for those that are smaller.
    rounding
        By how much each loss may be off.
    """
    step, table, best = WIDEST * max(1.0, size), [], Slope(np.nan, np.inf)
    with np.errstate(all="ignore"):
        for _ in range(ROWS):
            row = [(loss(step) - loss(-step)) / (2 * step)]
            # a number as large as `size` is not moved by the step itself, but by one that is rounded
            blur = rounding / step + abs(row[0]) * UNIT * size / step
            for column, before in enumerate(table[-1] if table else ()):
                weight = NARROWER ** (2 * (column + 1))
                row.append((weight * row[column] - before) / (weight - 1))
                left = max(abs(row[-1] - row[-2]), abs(row[-1] - before)) + 2 * blur
                if left <= best.doubt:
                    best = Slope(row[-1], left)
            table.append(row)
            step /= NARROWER
    return best
