"""Which columns of neurons a graph has, and what runs between them: read from its operations, not from names.

A value that belongs to the data is a *column*: its units stand along one axis, the examples along the other.
Walking through a line's operations, a matrix product with something that holds no data becomes a bundle of
weights, a product entry by entry a weight a unit, a sum with it a bias; a reduction over units joins all of
them. What stands unnamed between two such products is a column too, so a network written on one line has the
same picture as one written on six.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from engine.errors import excerpt
from engine.graph import Graph, Kind, Line, Node
from engine.names import plain_name
from engine.shapes import Dims

__all__ = ["Bundle", "Column", "Mark", "NeuronPlan", "plan_neurons"]

MOST_WEIGHTS = 4096
"""Entries of a matrix that are drawn as edges; more are a heat map in the graph."""
MOST_COLUMNS = 40
Pair = tuple[int, int]
"""An input slot of a node: where something is read."""
FEW = ("@", "*", "/", "+", "-")
"""Operations that make what a student calls z; a function right behind one makes a."""


@dataclass(frozen=True)
class Column:
    """One value of the data, a neuron a unit.

    Attributes
    ----------
    node, name
        Its node in the graph.
    kind
        "input", "line", "part" (of a line) or "loss".
    units_axis, examples_axis
        Which axis of the value holds the units, and which the examples; None where there is none.
    rank
        How far to the right it stands.
    behind
        The node whose neurons it shares as the right half: A of Z in ``A = sigmoid(Z)``; None for its own.
    """

    node: int
    name: str
    kind: str
    units: int
    units_axis: int | None
    examples_axis: int | None
    rank: int = 0
    behind: int | None = None


@dataclass(frozen=True)
class Carrier:
    """Where the entries of a weight stand: the node multiplied with, and the named value it shows, if any.

    `exact` says whether the two hold the same numbers, but for a transpose; `flips` whether that is between.
    """

    node: int
    name: str = ""
    exact: bool = False
    flips: bool = False


@dataclass(frozen=True)
class Bundle:
    """The edges from one column to another.

    Attributes
    ----------
    kind
        "weights" (a matrix product), "scale" (a product unit by unit), "each" (unit to unit) or "all".
    on_left
        Of weights: whether they stand on the left of the product, a row a target.
    axes
        Of a scale: which axis of the weight counts the units, None where one number serves all.
    reads, weight_reads
        The slots by which the source and the weight are read.
    """

    source: int
    target: int
    kind: str
    reads: frozenset[Pair]
    weight: Carrier | None = None
    on_left: bool = True
    axes: int | None = None
    weight_reads: frozenset[Pair] = frozenset()


@dataclass(frozen=True)
class Mark:
    """A bias, or another value without data that goes into every unit of a column."""

    target: int
    weight: Carrier
    axes: int | None
    reads: frozenset[Pair]
    adds: bool = True


@dataclass(frozen=True)
class NeuronPlan:
    """The columns of a graph and what runs between them; where there is no picture, a sentence says why."""

    columns: tuple[Column, ...] = ()
    bundles: tuple[Bundle, ...] = ()
    marks: tuple[Mark, ...] = ()
    sentence: str = ""


class _RefusedError(Exception):
    """There is no picture; the message is the sentence that says why."""


def plan_neurons(graph: Graph) -> NeuronPlan:
    """Return the neuron view of a graph, or the one sentence why it has none."""
    try:
        return _Planner(graph).plan()
    except _RefusedError as refused:
        return NeuronPlan(sentence=str(refused))


# --- what flows into a node --------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Flow:
    """What a node of a line is made of: bundles without a target yet, and marks.

    `alias` says that the node is a column's value itself, at most transposed.
    """

    terms: tuple[Bundle, ...] = ()
    marks: tuple[Mark, ...] = ()
    alias: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether nothing on the way is weighted or has a bias."""
        return not self.marks and all(term.kind == "each" for term in self.terms)


@dataclass
class _Planner:
    graph: Graph
    columns: dict[int, Column] = field(default_factory=dict)
    bundles: list[Bundle] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._flows: dict[int, _Flow] = {}
        self._data, self._weighty = _kinds(self.graph)

    def plan(self) -> NeuronPlan:
        graph = self.graph
        if not self._data:
            raise _RefusedError("This network has no inputs: a neuron view needs columns of features.")
        if graph.ids[graph.loss] not in self._data:
            name = plain_name(graph.loss)
            raise _RefusedError(f"{name} does not depend on the data: there are no columns to draw.")
        for name in graph.inputs:
            if graph.ids[name] in self._data:
                self._add(graph[name], "input")
        for line in graph.lines:
            if line.node in self._data:
                self._read(line)
        if len(self.columns) > MOST_COLUMNS:
            raise _RefusedError(
                f"{len(self.columns)} columns of neurons are too many to draw: see the graph."
            )
        ranks = self._ranks()
        columns = [replace(column, rank=ranks[column.node]) for column in self.columns.values()]
        return NeuronPlan(
            tuple(replace(c, behind=self._front_of(c, ranks)) for c in columns),
            tuple(self.bundles),
            tuple(self.marks),
        )

    # --- lines ---

    def _read(self, line: Line) -> None:
        if not line.written:
            name, count = plain_name(line.name), len(line.parts)
            raise _RefusedError(f"The line of {name}, of {count} operations, is too long to be drawn.")
        for node_id in line.parts:
            if node_id in self._data:
                self._check(self.graph.nodes[node_id], line)
                self._flows[node_id] = self._flow(self.graph.nodes[node_id])
        root = self.graph.nodes[line.node]
        if _is_function(root) and not self._flows[root.id].is_plain:
            self._settle(root.inputs[0])
            self._flows[root.id] = self._flow(root)
        self._add(root, "loss" if line.name == self.graph.loss else "line")

    def _check(self, node: Node, line: Line) -> None:
        """Refuse what is no column: a value whose examples were joined, or stand on two axes."""
        count = sum(dim.examples for dim in node.dims)
        single = all(dim.is_unit for dim in node.dims)
        if count == 1 and len(node.dims) <= 2:
            return
        if not count and (single or (self.graph.examples is None and _vector_axis(node.dims) is not None)):
            return
        raise _RefusedError(
            f"The line {excerpt(line.text)} mixes examples: a neuron view needs columns that are features."
        )

    def _add(self, node: Node, kind: str) -> None:
        """Make a node a column, and what flows into it its bundles."""
        units_axis, examples_axis = _axes(node.dims)
        units = 1 if units_axis is None else node.dims[units_axis].size
        column = Column(node.id, node.name, kind, units, units_axis, examples_axis)
        self.columns[node.id] = column
        flow = self._flows.get(node.id, _Flow())
        for term in _merged(flow.terms):
            self.bundles.append(replace(term, target=node.id))
            self._require_few(self.bundles[-1], column)
        self.marks += [replace(mark, target=node.id) for mark in flow.marks]

    def _require_few(self, bundle: Bundle, column: Column) -> None:
        sources = self.columns[bundle.source].units
        if bundle.kind == "weights" and sources * column.units > MOST_WEIGHTS:
            raise _RefusedError(
                f"{column.units} × {sources} weights are too many to draw: the graph shows them as heat maps."
            )

    def _promote(self, node_id: int) -> None:
        """Make an unnamed part a column."""
        if node_id not in self.columns:
            self._add(self.graph.nodes[node_id], "part")

    def _settle(self, node_id: int) -> None:
        """Make columns of what is weighted in a part, so that it is made of columns alone."""
        if node_id not in self._flows or self._flows[node_id].is_plain or node_id in self.columns:
            return
        node = self.graph.nodes[node_id]
        with_weight = any(i in self._weighty for i in node.inputs)
        if node.op is not None and node.op.name in FEW and with_weight:
            self._promote(node_id)
            return
        inner = [i for i in node.inputs if i in self._data]
        for source in inner:
            self._settle(source)
        self._flows[node_id] = self._flow(node)
        if _is_function(node) and inner and self._is_sum(inner[0]):
            self._promote(node_id)

    def _is_sum(self, node_id: int) -> bool:
        op = self.graph.nodes[node_id].op
        column = self.columns.get(node_id)
        return column is not None and column.kind == "part" and op is not None and op.name in FEW

    # --- operations ---

    def _flow(self, node: Node) -> _Flow:
        """Return what a node is made of, from what its inputs are made of."""
        assert node.op is not None
        if node.op.name in ("T", "identity"):
            return self._into(node, 0)
        if node.op.name == "@":
            return self._product(node)
        if node.op.elementwise:
            return self._entrywise(node)
        return self._reduction(node)

    def _into(self, node: Node, slot: int) -> _Flow:
        """Return what comes in by a slot: a column, or what a part is made of."""
        source = node.inputs[slot]
        if source in self.columns:
            term = Bundle(source, node.id, "each", frozenset({(node.id, slot)}))
            return _Flow((term,), alias=True)
        return self._flows[source]

    def _product(self, node: Node) -> _Flow:
        data = [slot for slot in (0, 1) if node.inputs[slot] in self._data]
        if len(data) == 2:
            return self._joined(node, data)
        slot = data[0]
        dims = self.graph.nodes[node.inputs[slot]].dims
        axis = len(dims) - 1 if slot == 0 else 0
        if dims[axis].examples:  # summed over examples: _check lets only a single number pass
            return self._joined(node, data)
        flow = self._into(node, slot)
        if not flow.alias:
            self._settle(node.inputs[slot])
            self._promote(node.inputs[slot])
            flow = self._into(node, slot)
        carrier, reads = self._carrier(node, 1 - slot)
        term = replace(
            flow.terms[0], kind="weights", weight=carrier, on_left=slot == 1, weight_reads=frozenset(reads)
        )
        return _Flow((term,))

    def _joined(self, node: Node, slots: Sequence[int]) -> _Flow:
        """Return what flows where every unit of the inputs goes into every unit of a node."""
        marks = [m for slot in range(len(node.inputs)) for m in self._weight_mark(node, slot)]
        terms: list[Bundle] = []
        for slot in slots:
            self._settle(node.inputs[slot])
            flow = self._into(node, slot)
            terms += [replace(term, kind="all") for term in flow.terms]
            marks += flow.marks
        return _Flow(tuple(terms), tuple(marks))

    def _reduction(self, node: Node) -> _Flow:
        return self._joined(node, [s for s, i in enumerate(node.inputs) if i in self._data])

    def _entrywise(self, node: Node) -> _Flow:
        assert node.op is not None
        slots = [s for s, i in enumerate(node.inputs) if i in self._data]
        flows = [self._into(node, slot) for slot in slots]
        terms = tuple(term for flow in flows for term in flow.terms)
        marks = tuple(mark for flow in flows for mark in flow.marks)
        weights = [s for s, i in enumerate(node.inputs) if i in self._weighty]
        if weights and node.op.name == "*" and all(flow.is_plain for flow in flows):
            return _Flow(tuple(self._scaled(node, weights[0], term) for term in terms), marks)
        return _Flow(terms, (*marks, *(m for slot in weights for m in self._weight_mark(node, slot))))

    def _scaled(self, node: Node, slot: int, term: Bundle) -> Bundle:
        carrier, reads = self._carrier(node, slot)
        dims = self.graph.nodes[node.inputs[slot]].dims
        axis = _axis_of_units(dims, node.dims)
        if _size(dims) != (1 if axis is None else dims[axis].size):  # another number at every example
            return term
        return replace(term, kind="scale", weight=carrier, axes=axis, weight_reads=frozenset(reads))

    def _weight_mark(self, node: Node, slot: int) -> Iterator[Mark]:
        """Yield the mark of something without data that goes into a node, where it has a name."""
        if node.inputs[slot] not in self._weighty:
            return
        carrier, reads = self._carrier(node, slot)
        dims = self.graph.nodes[node.inputs[slot]].dims
        axis = _axis_of_units(dims, node.dims)
        if carrier.name and _size(dims) == (1 if axis is None else dims[axis].size):  # one number a unit
            adds = node.op is not None and node.op.name in ("+", "-")
            yield Mark(node.id, carrier, axis, frozenset(reads), adds)

    def _carrier(self, node: Node, slot: int) -> tuple[Carrier, list[Pair]]:
        """Return what a slot without data reads, with the named value whose entries it shows."""
        reads, at, exact, flips = [(node.id, slot)], node.inputs[slot], True, False
        size = _size(self.graph.nodes[at].dims)
        while (found := self.graph.nodes[at]).op is not None and found.line == node.line:
            named = [i for i in enumerate(found.inputs) if i[1] in self._weighty]
            alike = len(named) == 1 and _size(self.graph.nodes[named[0][1]].dims) == size
            if not alike or not (found.op.elementwise or found.op.name == "T"):  # type: ignore[union-attr]
                return Carrier(node.inputs[slot]), reads
            exact = exact and found.op.name in ("T", "identity")  # type: ignore[union-attr]
            flips ^= found.op.name == "T"  # type: ignore[union-attr]
            reads.append((found.id, named[0][0]))
            at = named[0][1]
        return Carrier(node.inputs[slot], self.graph.nodes[at].name, exact, flips), reads

    # --- places ---

    def _ranks(self) -> dict[int, int]:
        """Return how far to the right each column stands: behind all it reads, an input before its reader."""
        ranks: dict[int, int] = {}
        into: dict[int, list[int]] = {}
        for bundle in self.bundles:
            into.setdefault(bundle.target, []).append(bundle.source)
        for node in sorted(self.columns):
            ranks[node] = max((ranks[source] + 1 for source in into.get(node, ())), default=0)
        for node, column in self.columns.items():
            readers = [ranks[b.target] for b in self.bundles if b.source == node]
            if column.kind == "input" and readers:
                ranks[node] = min(readers) - 1
        return ranks

    def _front_of(self, column: Column, ranks: dict[int, int]) -> int | None:
        """Return the column whose neurons a column shares as their right half, None for none."""
        into = [b for b in self.bundles if b.target == column.node]
        if len(into) != 1 or into[0].kind != "each" or column.kind == "loss":
            return None
        source = self.columns[into[0].source]
        alone = sum(b.source == source.node for b in self.bundles) == 1
        weighted = any(b.target == source.node and b.kind in ("weights", "scale") for b in self.bundles)
        marked = any(mark.target == column.node for mark in self.marks)
        alike = source.units == column.units and ranks[column.node] == ranks[source.node] + 1
        return source.node if alone and weighted and alike and not marked else None


# --- shapes ------------------------------------------------------------------------------------------------


def _kinds(graph: Graph) -> tuple[set[int], set[int]]:
    """Return the ids of what holds data, and of what holds parameters, or data that are the same for all."""
    per_example = any(dim.examples for name in graph.inputs for dim in graph[name].dims)
    data: set[int] = set()
    weights: set[int] = set()
    for node in graph.nodes:
        same_for_all = per_example and not any(dim.examples for dim in node.dims)
        if node.kind == Kind.INPUT and not same_for_all:
            data.add(node.id)
        elif node.kind in (Kind.INPUT, Kind.PARAMETER):
            weights.add(node.id)
        elif any(i in data for i in node.inputs):
            data.add(node.id)
        elif any(i in weights for i in node.inputs):
            weights.add(node.id)
    return data, weights


def _is_function(node: Node) -> bool:
    """Say whether a node is a function applied to every entry, such as sigmoid."""
    op = node.op
    return op is not None and op.elementwise and len(node.inputs) == 1 and op.name not in ("neg", "identity")


def _axes(dims: Dims) -> tuple[int | None, int | None]:
    """Return which axis holds the units and which the examples."""
    examples = next((i for i, dim in enumerate(dims) if dim.examples), None)
    if examples is None:
        return _vector_axis(dims), None
    return next((i for i in range(len(dims)) if i != examples), None), examples


def _vector_axis(dims: Dims) -> int | None:
    """Return the one axis of more than one entry, the first of a single number; None where there are two."""
    long = [i for i, dim in enumerate(dims) if not dim.is_unit]
    if len(long) > 1 or not dims:
        return None
    return long[0] if long else 0


def _size(dims: Dims) -> int:
    size = 1
    for dim in dims:
        size *= dim.size
    return size


def _axis_of_units(dims: Dims, whole: Dims) -> int | None:
    """Return the axis of an operand that meets the units of the result; None where it has one entry."""
    units, _ = _axes(whole)
    axis = None if units is None else units - (len(whole) - len(dims))
    return axis if axis is not None and axis >= 0 and not dims[axis].is_unit else None


def _merged(terms: Sequence[Bundle]) -> list[Bundle]:
    """Return bundles with those made one that join the same columns in the same way."""
    found: dict[tuple[object, ...], Bundle] = {}
    for term in terms:
        key = (term.source, term.kind, term.weight, term.on_left, term.axes)
        held = found.get(key)
        found[key] = term if held is None else _both(held, term)
    plain = {term.source for term in found.values() if term.kind == "all"}
    return [t for t in found.values() if t.kind != "each" or t.source not in plain]


def _both(a: Bundle, b: Bundle) -> Bundle:
    return replace(a, reads=a.reads | b.reads, weight_reads=a.weight_reads | b.weight_reads)
