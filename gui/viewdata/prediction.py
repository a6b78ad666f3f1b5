"""What a network predicts: which value meets the target, from which features, through which hidden units.

All of it is found from the graph's structure and holds for any formula; nothing is known about a network.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.errors import BackstepError
from engine.expr import evaluate
from engine.graph import Graph, Kind, Line, Node
from engine.shapes import Dims
from graphs.network import Model

Array = np.ndarray

COMPARES = ("-", "mse", "bce", "cross_entropy")
MEETS = (*COMPARES, "*")
"""How a target and a prediction meet inside of a line, the likeliest first."""


# --- a part of a graph -------------------------------------------------------------------------------------


def upstream(graph: Graph, wanted: Iterable[int]) -> frozenset[int]:
    """Return the ids of `wanted` and of everything that they are made of."""
    found = set(wanted)
    for node in reversed(graph.nodes):
        if node.id in found:
            found.update(node.inputs)
    return frozenset(found)


class Part:
    """Works out some nodes of a graph, and nothing that they do not need.

    Parameters
    ----------
    data
        The inputs by name.
    names
        The nodes that are wanted.
    """

    def __init__(self, graph: Graph, data: Mapping[str, Array], names: Iterable[str]) -> None:
        self._ids = {name: graph.ids[name] for name in names}
        self._data = data
        needed = upstream(graph, self._ids.values())
        self._nodes = [(node, dict(node.attrs)) for node in graph.nodes if node.id in needed]
        self._constants = {
            node.id: np.asarray(evaluate(node.constant, {}), dtype=float)
            for node, _ in self._nodes
            if node.constant is not None
        }

    def __call__(self, parameters: Mapping[str, Array]) -> dict[str, Array]:
        """Return the wanted values by name."""
        values = dict(self._constants)
        with np.errstate(all="ignore"):
            for node, attrs in self._nodes:
                if node.op is not None:
                    inputs = [values[i] for i in node.inputs]
                    values[node.id] = np.asarray(node.op.forward(*inputs, **attrs))
                elif node.constant is None:
                    found = self._data.get(node.name)
                    values[node.id] = parameters[node.name] if found is None else found
        return {name: values[i] for name, i in self._ids.items()}


# --- what is predicted -------------------------------------------------------------------------------------


def find_target(model: Model) -> tuple[str, str] | None:
    """Return the first target that has a prediction, and the name of the prediction.

    Where the whole formula is one line, every input looks like a target; a prediction is not made of its own.
    Where a line for the residuals stands between, none does; then what is compared with anything is taken.
    """
    graph = model.graph
    pairs = [(target, prediction(graph, target)) for target in model.targets]
    pairs += [(name, _prediction_inside(graph, graph[name], COMPARES)) for name in graph.inputs]
    for target, found in pairs:
        if found is not None and graph.ids[target] not in upstream(graph, [graph.ids[found]]):
            return target, found
    return None


def prediction(graph: Graph, target: str) -> str | None:
    """Return the name of the node that is compared with `target`.

    It is the named value that the first line that reads the target reads beside it, of the same shape; where
    a line does all at once, what meets the target inside of it. Where that is the argument of a sigmoid line
    (the loss takes the logits), the sigmoid is what a reader wants to see.
    """
    dims = graph[target].dims
    for line in graph.lines:
        sources = [graph.nodes[use.source] for use in line.uses]
        if all(node.name != target for node in sources):
            continue
        beside = [n for n in sources if n.kind == Kind.OP and n.dims == dims]
        if beside:
            return next((s.name for s in _sigmoids(graph, beside[0].id)), beside[0].name)
    return _prediction_inside(graph, graph[target], MEETS)


def _sigmoids(graph: Graph, node: int) -> Iterator[Line]:
    for line in graph.lines:
        own = graph.nodes[line.node]
        if own.op is not None and own.op.name == "sigmoid" and own.inputs == (node,):
            yield line


def _prediction_inside(graph: Graph, target: Node, operations: Sequence[str]) -> str | None:
    readers = [node for node in graph.nodes if target.id in node.inputs and node.op is not None]
    for operation in operations:
        for node in readers:
            beside = [graph.nodes[i] for i in node.inputs]
            found = [n for n in beside if n.kind == Kind.OP and n.dims == target.dims]
            if found and node.op is not None and node.op.name == operation:
                return found[0].name
    return None


def logits_of(graph: Graph, name: str) -> str | None:
    """Return the node whose sigmoid is the probability that `name` stands for, None where it is none."""
    node = graph[name]
    if node.op is not None and node.op.name == "sigmoid":
        return graph.nodes[node.inputs[0]].name
    for other in graph.nodes:
        if other.op is not None and other.op.name == "bce" and other.inputs[0] == node.id:
            return name
    return None


# --- from which features -----------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Feature:
    """One row of an input: a number for each example, of those that are trained on and those held out."""

    name: str
    row: int
    values: Array
    held: Array

    @property
    def varies(self) -> bool:
        """Whether the examples differ in it."""
        return bool(np.ptp(self.values) > 0) if self.values.size else False


def features(model: Model, predicted: str) -> tuple[Feature, ...]:
    """Return the rows of the inputs that a prediction is made of, examples apart."""
    graph = model.graph
    needed = upstream(graph, [graph.ids[predicted]])
    found: list[Feature] = []
    for name in graph.inputs:
        dims = graph[name].dims
        if graph.ids[name] not in needed or not any(dim.examples for dim in dims):
            continue
        table, held = by_row(dims, model.inputs[name]), model.held_inputs.get(name)
        other = by_row(dims, held) if held is not None else table[:, :0]
        found += [Feature(name, i, row, other[i]) for i, row in enumerate(table)]
    return tuple(found)


def by_row(dims: Dims, array: Array) -> Array:
    """Return an array over the examples as a matrix with an example a column."""
    table = array if dims[-1].examples else array.T
    return table.reshape(-1, table.shape[-1])


def is_by_example(model: Model, name: str) -> bool:
    """Say whether an example's prediction depends on that example alone, so that others can be asked for.

    It does not where a formula takes a mean over the examples, say, or reads m: asked about every other
    example alone, the network says something else.
    """
    if model.examples < 2:
        return True
    some = np.arange(0, model.examples, 2)
    try:
        whole = Part(model.graph, model.inputs, [name])(model.parameters)[name]
        part = Part(*model.batch(some), [name])(model.parameters)[name]
    except (BackstepError, ValueError):  # a parameter with a number for each example, a shape that cannot be
        return False
    if whole.size != model.examples or part.size != len(some):
        return False
    return bool(np.allclose(np.ravel(whole)[some], np.ravel(part), rtol=1e-9, atol=1e-12, equal_nan=True))


# --- through which hidden units ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Hidden:
    """The layer that a prediction reads through a matrix product.

    Attributes
    ----------
    units, weights
        The names of the nodes in the product: activations of shape (k, m) and what they are multiplied with.
    count
        How many units there are.
    scales
        What the product is multiplied with (True) or divided by (False) on its way, node by node.
    sign
        -1 where it is subtracted.
    is_sum
        Whether the prediction is the sum of the units' parts and of what does not depend on them. If it is
        not (a sigmoid stands between), a unit has no part in it that could be drawn beside it.
    turned
        Whether the examples are the rows of the activations.
    """

    units: str
    weights: str
    count: int
    scales: tuple[tuple[str, bool], ...] = ()
    sign: int = 1
    is_sum: bool = True
    turned: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The nodes that have to be known."""
        return (self.units, self.weights, *(name for name, _ in self.scales))

    def curves(self, values: Mapping[str, Array]) -> Array:
        """Return a row for each unit: its part of the prediction, or its activation; shape (k, m)."""
        units = values[self.units].T if self.turned else values[self.units]
        if not self.is_sum:
            return units
        factor = float(self.sign)
        with np.errstate(all="ignore"):
            for name, times in self.scales:
                scale = float(np.ravel(values[name])[0])
                factor = factor * scale if times else factor / scale if scale else np.nan
            return factor * values[self.weights].reshape(-1, 1) * units


def hidden_units(graph: Graph, predicted: str) -> Hidden | None:
    """Return the layer of more than one unit that is nearest to a prediction, None where there is none."""
    start = Hidden("", "", 0)
    waiting = deque([(graph.ids[predicted], start)])
    seen: set[int] = set()
    while waiting:
        place, so_far = waiting.popleft()
        node = graph.nodes[place]
        if place in seen or node.op is None or not _over_examples(node):
            continue
        seen.add(place)
        if node.op.name == "@":
            found = _product(graph, node, so_far)
            if found is not None:
                return found
        waiting.extend(_through(graph, node, so_far))
    return None


def _over_examples(node: Node) -> bool:
    return any(dim.examples for dim in node.dims)


def _product(graph: Graph, node: Node, so_far: Hidden) -> Hidden | None:
    """Return the layer that a product reads: units by examples on one side, a weight a unit on the other."""
    left, right = (graph.nodes[i] for i in node.inputs)
    for units, weights, axis in ((right, left, 0), (left, right, 1)):
        if not _over_examples(units) or _over_examples(weights) or units.kind != Kind.OP:
            continue
        if len(units.dims) != 2 or units.dims[axis].examples:
            continue
        count = units.dims[axis].size
        entries = int(np.prod([dim.size for dim in weights.dims]))
        if count > 1 and entries == count:
            return replace(so_far, units=units.name, weights=weights.name, count=count, turned=axis == 1)
    return None


def _through(graph: Graph, node: Node, so_far: Hidden) -> Iterator[tuple[int, Hidden]]:
    """Yield where an operation leads on, and what it does to the parts of a sum."""
    assert node.op is not None
    op = node.op.name
    for slot, source in enumerate(node.inputs):
        turned = op == "neg" or (op == "-" and slot == 1)
        scales, is_sum = so_far.scales, so_far.is_sum
        if op in ("*", "/"):
            other = graph.nodes[node.inputs[1 - slot]]
            single = all(dim.size == 1 and not dim.examples for dim in other.dims)
            is_sum = is_sum and single and not (op == "/" and slot == 1)
            scales = (*scales, (other.name, op == "*"))
        elif op not in ("+", "-", "neg", "T", "identity"):
            is_sum = False
        sign = -so_far.sign if turned else so_far.sign
        yield source, Hidden("", "", 0, scales if is_sum else (), sign, is_sum)
