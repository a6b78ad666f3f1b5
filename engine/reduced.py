"""A graph without the rows that stay as they are: where one neuron varies, the others are worked out once.

The rows of a matrix product's left factor, and all that is worked out entry by entry from them, do not know
of each other. So where only some rows of a parameter vary, only those rows of what follows do, up to the
product that adds the rows up: its other terms are a constant. A reduced graph has the varying rows alone, and
constants as inputs; its loss is the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from engine.expr import evaluate
from engine.graph import Graph, Kind, Node
from engine.ops import OPS
from engine.shapes import Dims, sizes, unnamed

__all__ = ["Rows", "reduced"]

Array = np.ndarray
ROWWISE = {name for name, op in OPS.items() if op.elementwise}
"""Operations that work entry by entry."""


class Rows(NamedTuple):
    """A matrix of which some rows vary.

    Attributes
    ----------
    places
        Which rows, in order.
    values
        What they are, with the leading axes that :mod:`engine.batched` takes: shape (..., len(places), n).
    whole
        The whole matrix at one place, shape (k, n): what the other rows are.
    """

    places: tuple[int, ...]
    values: Array
    whole: Array


@dataclass(frozen=True)
class _Part:
    """What has become of a node: a constant, a node of the new graph, or one that has some of the rows.

    Attributes
    ----------
    node
        Its id in the new graph, -1 for a constant.
    array
        The constant; of rows, the whole value at one place.
    places
        The rows that vary, None where all do.
    """

    node: int = -1
    array: Array | None = None
    places: tuple[int, ...] | None = None

    @property
    def is_constant(self) -> bool:
        return self.node < 0


def reduced(
    graph: Graph, inputs: Mapping[str, Array], parameters: Mapping[str, Array | Rows]
) -> tuple[Graph, dict[str, Array], dict[str, Array]]:
    """Return a graph with the same loss that works out varying rows alone, with its inputs and parameters."""
    return _Reducer(graph, inputs, parameters).result()


class _Reducer:
    def __init__(
        self, graph: Graph, inputs: Mapping[str, Array], parameters: Mapping[str, Array | Rows]
    ) -> None:
        self._graph, self._parameters = graph, parameters
        self._arrays = dict(inputs)
        self._nodes: list[Node] = []
        self._inputs: dict[str, Array] = {}
        self._parts: dict[int, _Part] = {}
        with np.errstate(all="ignore"):
            for node in graph.nodes:
                if node.id in graph.on_loss_path:
                    self._parts[node.id] = self._leaf(node) if node.op is None else self._operation(node)

    def result(self) -> tuple[Graph, dict[str, Array], dict[str, Array]]:
        graph = self._graph
        loss = self._id(self._parts[graph.ids[graph.loss]])
        names = {n.name for n in self._nodes}
        kept = {n: p.values if isinstance(p, Rows) else p for n, p in self._parameters.items()}
        for name in kept:  # one that the loss does not read still has a say in the shape of the grid
            if name not in names:
                self._push(name, Kind.PARAMETER, self._dims_of(name))
        nodes = tuple(self._nodes)
        return (
            Graph(nodes, (), tuple(kept), tuple(self._inputs), nodes[loss].name),
            self._inputs,
            kept,
        )

    # --- the new graph ---

    def _push(
        self, name: str, kind: Kind, dims: Dims, old: Node | None = None, ins: Sequence[int] = ()
    ) -> int:
        op, attrs = (old.op, old.attrs) if old is not None else (None, ())
        self._nodes.append(Node(len(self._nodes), name, kind, dims, op, tuple(ins), attrs=attrs))
        return len(self._nodes) - 1

    def _constant(self, array: Array) -> int:
        name = f"%{len(self._nodes)}"
        self._inputs[name] = array
        return self._push(name, Kind.INPUT, tuple(unnamed(n) for n in array.shape))

    def _add(self, op: str, a: int, b: int, dims: Dims) -> int:
        node = Node(len(self._nodes), f"%{len(self._nodes)}", Kind.OP, dims, OPS[op], (a, b))
        self._nodes.append(node)
        return node.id

    def _dims_of(self, name: str) -> Dims:
        given, dims = self._parameters[name], self._graph[name].dims
        return (unnamed(len(given.places)), dims[1]) if isinstance(given, Rows) else dims

    # --- node by node ---

    def _leaf(self, node: Node) -> _Part:
        if node.kind == Kind.CONSTANT:
            assert node.constant is not None
            return _Part(array=np.asarray(evaluate(node.constant, {}), dtype=float))
        if node.kind == Kind.INPUT:
            return _Part(array=self._arrays[node.name])
        given = self._parameters[node.name]
        number = self._push(node.name, Kind.PARAMETER, self._dims_of(node.name))
        if isinstance(given, Rows):
            return _Part(number, np.asarray(given.whole), given.places)
        if np.ndim(given) == len(node.dims):
            return _Part(array=np.asarray(given, dtype=float))
        return _Part(number)

    def _operation(self, node: Node) -> _Part:
        assert node.op is not None
        ins = [self._parts[i] for i in node.inputs]
        attrs = dict(node.attrs)
        if all(part.is_constant for part in ins):
            return _Part(array=np.asarray(node.op.forward(*(part.array for part in ins), **attrs)))
        places = self._places(node, ins)
        if places is not None:
            return self._by_rows(node, ins, places, attrs)
        if node.op.name == "@" and ins[1].places is not None:
            left = ins[0].array if ins[0].is_constant else None
            if left is not None and left.ndim == 2:
                return self._added_up(node, left, ins[1])
        return _Part(self._push(node.name, Kind.OP, node.dims, node, [self._id(part) for part in ins]))

    def _places(self, node: Node, ins: Sequence[_Part]) -> tuple[int, ...] | None:
        """Return the rows of a node that vary, None where all do or rows are not told apart."""
        assert node.op is not None
        varying = [part.places for part in ins if not part.is_constant]
        if len(node.dims) != 2 or any(places is None for places in varying):
            return None
        if node.op.name == "@":
            return ins[0].places if ins[1].is_constant and len(sizes(self._dims(node, 1))) == 2 else None
        if node.op.name not in ROWWISE:
            return None
        found = tuple(sorted({row for places in varying for row in places or ()}))
        return found if len(found) < node.dims[0].size else None

    def _dims(self, node: Node, slot: int) -> Dims:
        return self._graph.nodes[node.inputs[slot]].dims

    def _by_rows(self, node: Node, ins: Sequence[_Part], places: tuple[int, ...], attrs: Any) -> _Part:
        """Return a node that works out some rows of what it did."""
        assert node.op is not None
        if node.op.name == "@":
            sources = [ins[0].node, self._id(ins[1])]
        else:
            sources = [self._rows_of(part, places) for part in ins]
        whole = np.asarray(node.op.forward(*(part.array for part in ins), **attrs))
        dims = (unnamed(len(places)), node.dims[1])
        return _Part(self._push(node.name, Kind.OP, dims, node, sources), whole, places)

    def _rows_of(self, part: _Part, places: tuple[int, ...]) -> int:
        """Return the node that has these rows of a value; what has a single row, or none, is taken whole."""
        array = part.array
        assert array is not None
        if part.is_constant:
            has_rows = array.ndim == 2 and array.shape[0] > 1
            return self._constant(array[list(places)] if has_rows else array)
        assert part.places is not None
        if part.places == places:
            return part.node
        return self._filled(part, array[list(places)], [places.index(row) for row in part.places])

    def _filled(self, part: _Part, rest: Array, at: Sequence[int]) -> int:
        """Return the node that puts rows back among others: a product with zeros and ones, and a sum."""
        assert part.places is not None
        chosen = np.zeros((len(rest), len(part.places)))
        chosen[list(at), range(len(at))] = 1.0
        others = rest.copy()
        others[list(at)] = 0.0
        dims = tuple(unnamed(n) for n in rest.shape)
        spread = self._add("@", self._constant(chosen), part.node, dims)
        return self._add("+", spread, self._constant(others), dims)

    def _added_up(self, node: Node, left: Array, right: _Part) -> _Part:
        """Return a product that adds rows up: those that stay are a constant."""
        assert right.array is not None
        assert right.places is not None
        varying = list(right.places)
        still = np.setdiff1d(np.arange(left.shape[1]), varying)
        product = self._add("@", self._constant(left[:, varying]), right.node, node.dims)
        rest = self._constant(left[:, still] @ right.array[still])
        self._nodes.append(replace(node, id=len(self._nodes), op=OPS["+"], inputs=(product, rest), attrs=()))
        return _Part(len(self._nodes) - 1)

    def _id(self, part: _Part) -> int:
        """Return the node that has all of a value."""
        if part.is_constant:
            assert part.array is not None
            return self._constant(part.array)
        if part.places is None:
            return part.node
        assert part.array is not None
        return self._filled(part, part.array, part.places)
