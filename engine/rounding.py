r"""Which of a trace's numbers are rounding: what is left where numbers should have cancelled.

``0.1 + 0.2 - 0.3`` is not 0 but :math:`2.8 \cdot 10^{-17}`, and whatever is made of it is as arbitrary. How
far rounding goes is found by doing the pass again with every number moved a little, this way or that way at
random, as stochastic arithmetic does (Vignes, *A stochastic arithmetic for reliable scientific computation*,
1993). A number that is no larger than the unit roundoff can have made it says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from engine.errors import BackstepError
from engine.expr import Expr, evaluate
from engine.graph import Graph, Node
from engine.trace import RIGHT, Rules, Trace, contributions, value_of

__all__ = ["Rounding"]

Array = np.ndarray
MOVE = 2.0**-26
"""How far numbers are moved, relatively: far above rounding, and so little that its square is nothing."""
UNIT = float(np.finfo(float).eps) / 2
MARGIN = 8.0
"""How much larger than in the draws the noise may be."""
DRAWS = 4
SMALL = 1e-12
"""Relative to the largest number of a pass: what is not smaller is no rounding, and not looked at."""
MOST_NODES, MOST_NUMBERS = 2000, 2_000_000
"""Of graphs beyond these, nothing is taken for rounding: it would take as long as a pass."""


class Rounding:
    """Tells for the numbers of a trace whether they are rounding; the passes are done when first needed."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace

    def is_value(self, name: str, array: Array) -> bool:
        """Say whether all entries of a node's value are rounding; zeros are not."""
        return self._is(name, array)

    def is_gradient(self, name: str, array: Array) -> bool:
        """Say the same of a node's gradient, or of what has arrived of it."""
        return self._is(f"d_{name}", array)

    def is_expression(self, expr: Expr, array: Array) -> bool:
        """Say whether what an expression of values (``Z``) and gradients (``d_Z``) comes to is rounding."""
        if not self._is_suspicious(array):
            return False
        try:
            with np.errstate(all="ignore"):
                moved = [np.asarray(evaluate(expr, numbers)) for numbers in self._moved]
        except (KeyError, BackstepError):
            return False  # it reads what is no number of the pass, such as a hyperparameter
        return _largest(array) <= max(self._noise(array, m) for m in moved)

    def _is(self, key: str, array: Array) -> bool:
        if not self._is_suspicious(array):
            return False
        own = self._numbers.get(key)
        if own is None:
            return False
        level = max(self._noise(own, numbers[key]) for numbers in self._moved)
        return _largest(array) <= level

    def _is_suspicious(self, array: Array) -> bool:
        return self._size > 0.0 and 0.0 < _largest(array) < SMALL * self._size

    @staticmethod
    def _noise(own: Array, moved: Array) -> float:
        return MARGIN * UNIT / MOVE * _largest(moved - own)

    @cached_property
    def _size(self) -> float:
        """The largest number of the pass, 0 where it is too large to be looked at."""
        arrays = self._trace.arrays
        if len(arrays) > MOST_NODES or sum(a.size for a in arrays) > MOST_NUMBERS:
            return 0.0
        return max(map(_largest, arrays), default=0.0)

    @cached_property
    def _numbers(self) -> Mapping[str, Array]:
        trace = self._trace
        return _by_name(trace.graph, trace.arrays, _gradients(trace.graph, trace.arrays, RIGHT))

    @cached_property
    def _moved(self) -> Sequence[Mapping[str, Array]]:
        """The numbers of the pass with each moved, once for every draw."""
        return [_moved(self._trace, np.random.default_rng(draw)) for draw in range(DRAWS)]


def _moved(trace: Trace, random: np.random.Generator) -> dict[str, Array]:
    graph = trace.graph

    def move(array: Array) -> Array:
        signs, sizes = random.choice((-1.0, 1.0), array.shape), random.uniform(0.5, 1.0, array.shape)
        return array * (1.0 + MOVE * signs * sizes)

    def contribute(graph: Graph, node: Node, slot: int, values: Sequence[Array], upstream: Array) -> Array:
        return move(RIGHT.contribute(graph, node, slot, values, upstream))

    values: list[Array] = []
    with np.errstate(all="ignore"):
        for node in graph.nodes:
            values.append(move(value_of(node, trace.values, values)))
        return _by_name(graph, values, _gradients(graph, values, Rules(contribute, RIGHT.add)))


def _gradients(graph: Graph, values: Sequence[Array], rules: Rules) -> dict[int, Array]:
    """Return the gradient of every node by id."""
    found: dict[int, Array] = {graph.ids[graph.loss]: np.asarray(1.0)}
    with np.errstate(all="ignore"):
        for node, slot, part in contributions(graph, values, None, rules):
            source = node.inputs[slot]
            found[source] = found[source] + part if source in found else part
    return found


def _by_name(graph: Graph, values: Sequence[Array], gradients: Mapping[int, Array]) -> dict[str, Array]:
    found = {node.name: values[node.id] for node in graph.nodes}
    return found | {f"d_{graph.nodes[i].name}": array for i, array in gradients.items()}


def _largest(array: Array) -> float:
    """Return the largest finite magnitude, 0 where there is none."""
    magnitudes = np.abs(array)
    return float(np.max(magnitudes, where=np.isfinite(magnitudes), initial=0.0))
