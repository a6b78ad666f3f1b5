"""The picture students know: columns of neurons and an edge per weight, at one step and one example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.errors import BackstepError
from engine.formula import build
from engine.graph import Detail, Graph, Kind
from engine.names import plain_name
from engine.trace import Phase, Step
from graphs.network import Model
from graphs.views.frame import Frame
from graphs.views.records import Array
from graphs.views.words import plain
from gui.viewdata.neuron_plan import Bundle, Carrier, Column, Mark, NeuronPlan, Pair, plan_neurons

__all__ = ["BiasMarks", "EdgeBundle", "NeuronColumn", "NeuronView", "neuron_view"]

Entry = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class NeuronColumn:
    """One column of neurons.

    Attributes
    ----------
    name, label
        The node's name in the graph, and in plain words.
    kind
        "input", "line", "part" or "loss".
    selects
        The node that a click selects: the line, for a part that is no node at this detail.
    rank, behind
        Where it stands; the name of the column whose neurons it shares as the right half, "" for its own.
    values, gradients
        One number a unit, at the example or the mean over examples; None where the timeline has not come.
    phase
        What the current step does to it: "", "forward", "seed", "backward".
    largest
        The largest magnitude of its values at any example, which the ends of the colours stand for; 0 where
        they are all rounding.
    read, upstream
        Whether the current factor reads its stored values; whether the gradient comes from it.
    """

    name: str
    label: str
    kind: str
    selects: str
    rank: int
    behind: str
    units: int
    values: Array | None
    gradients: Array | None
    phase: str
    read: bool
    upstream: bool
    largest: float
    place: Column
    example: int | None
    shape: tuple[int, ...]

    def entry(self, unit: int, example: int = 0) -> Entry:
        """Return the entry of the node's array that a neuron shows; of a mean, that of `example`."""
        found = [0] * len(self.shape)
        if self.place.units_axis is not None:
            found[self.place.units_axis] = unit
        if self.place.examples_axis is not None:
            found[self.place.examples_axis] = example if self.example is None else self.example
        return tuple(found)

    def title(self, unit: int) -> str:
        """Return a neuron's name with its indices: ``A[2, 16]``, of a mean ``A[2, :]``."""
        if not self.shape:
            return self.label
        axis = self.place.examples_axis
        parts = [str(i) for i in self.entry(unit)]
        if axis is not None and self.example is None:
            parts[axis] = ":"
        return _titled(self.label, parts)

    def unit_of(self, entry: Entry | None) -> int | None:
        """Return the unit that an entry belongs to, None where it is none of this column's."""
        if entry is None or len(entry) != len(self.shape):
            return None
        return entry[self.place.units_axis] if self.place.units_axis is not None else 0


@dataclass(frozen=True, eq=False)
class EdgeBundle:
    """The edges from one column to another.

    Attributes
    ----------
    kind
        "weights", "scale", "each" or "all", as in the plan; the last two have no weights.
    name, label
        The named value that the weights are entries of, "" for none; and in plain words.
    weights, gradients
        Shape (units of the target, units of the source) or (units, 1) for a scale; None where unknown.
    largest
        The largest magnitude of the weights, 0 where there is none.
    phase
        "" or what the current step does along it: "forward", "backward", "update".
    outer
        Whether the step makes the gradient of the weights out of the two columns: an outer product.
    """

    source: str
    target: str
    kind: str
    name: str
    label: str
    weights: Array | None
    gradients: Array | None
    largest: float
    phase: str
    outer: bool
    plan: Bundle
    shape: tuple[int, ...]

    def entry(self, target: int, source: int) -> Entry:
        """Return the entry of the named value that an edge shows."""
        plan = self.plan
        if plan.kind == "scale":
            return _scale_entry(self.shape, plan.axes, target, plan.weight)
        row, column = (target, source) if plan.on_left else (source, target)
        if plan.weight is not None and plan.weight.flips:
            row, column = column, row
        both = (row, column) if len(self.shape) == 2 else (source,)
        return tuple(min(i, size - 1) for i, size in zip(both, self.shape, strict=True))

    def title(self, target: int, source: int) -> str:
        """Return an edge's name with its indices: ``W₁[2, 0]``."""
        if not self.name:
            return self.label
        return _titled(self.label, self.entry(target, source))

    def at(self, array: Array | None, target: int, source: int) -> float | None:
        """Return the number of `weights` or `gradients` that belongs to an edge."""
        if array is None:
            return None
        rows, columns = array.shape
        return float(array[min(target, rows - 1), min(source, columns - 1)])


@dataclass(frozen=True, eq=False)
class BiasMarks:
    """A value that goes into every unit of a column: a bias. One number a unit."""

    target: str
    name: str
    label: str
    values: Array | None
    gradients: Array | None
    phase: str
    adds: bool
    plan: Mark
    shape: tuple[int, ...]

    def entry(self, unit: int) -> Entry:
        """Return the entry of the named value that goes into a unit."""
        return _scale_entry(self.shape, self.plan.axes, unit, self.plan.weight)

    def title(self, unit: int) -> str:
        """Return the mark's name with its indices: ``b₁[2, 0]``."""
        return _titled(self.label, self.entry(unit))


@dataclass(frozen=True, eq=False)
class NeuronView:
    """The neuron view at one step; where there is no picture, `sentence` says why.

    `example` counts from 0 and is None for the mean over examples; `says` tells the step in words.
    """

    columns: tuple[NeuronColumn, ...] = ()
    bundles: tuple[EdgeBundle, ...] = ()
    marks: tuple[BiasMarks, ...] = ()
    sentence: str = ""
    example: int | None = None
    examples: int = 1
    phase: str = "start"
    says: str = ""

    @cached_property
    def by_name(self) -> Mapping[str, NeuronColumn]:
        """The columns by their nodes' names."""
        return {column.name: column for column in self.columns}


def neuron_view(frame: Frame, example: int | None = 0) -> NeuronView:
    """Return what the neuron view shows at a frame.

    Parameters
    ----------
    example
        Which example's values and gradients the neurons show, counted from 0; None for the mean over all.
    """
    plan = _plan_of(frame)
    if plan.sentence:
        return NeuronView(sentence=plan.sentence)
    examples = _count(frame, plan)
    chosen = None if example is None else max(0, min(example, examples - 1))
    view = _View(frame, plan, chosen)
    return NeuronView(
        tuple(view.column(column) for column in plan.columns),
        tuple(view.bundle(bundle) for bundle in plan.bundles),
        tuple(view.mark(mark) for mark in plan.marks),
        example=chosen,
        examples=examples,
        phase=frame.phase,
        says=_says(frame),
    )


def _plan_of(frame: Frame) -> NeuronPlan:
    kept, graph = frame.statics.kept, frame.statics.graph
    if "neurons" not in kept:
        plan = plan_neurons(graph)
        kept["neurons"] = (_by_rows(frame.model, graph) if plan.sentence else None) or plan
    return kept["neurons"]


def _by_rows(model: Model, graph: Graph) -> NeuronPlan | None:
    """Return the plan for data whose examples are rows, None where there is none.

    The formula language takes examples for columns where it cannot tell; ``X @ W`` tells.
    """
    shapes = [graph[name].dims for name in graph.inputs]
    if not shapes or any(len(dims) != 2 for dims in shapes) or len({dims[0].size for dims in shapes}) > 1:
        return None
    rows = shapes[0][0].size
    leaves = [
        leaf._replace(
            dims=tuple(
                dim._replace(examples=leaf.kind == Kind.INPUT and not axis)
                for axis, dim in enumerate(graph[leaf.name].dims)
            )
        )
        for leaf in model.kinds
    ]
    try:
        turned = build(model.network.statements, leaves, loss=model.network.loss, examples=rows)
    except BackstepError:
        return None
    if len(turned.nodes) != len(graph.nodes):
        return None
    plan = plan_neurons(turned)
    sides = {bundle.on_left for bundle in plan.bundles if bundle.kind == "weights"}
    return plan if sides == {False} else None


def _count(frame: Frame, plan: NeuronPlan) -> int:
    axes = ((column.examples_axis, frame.trace.arrays[column.node].shape) for column in plan.columns)
    return max((shape[axis] for axis, shape in axes if axis is not None), default=1)


class _View:
    """Makes the records of one frame."""

    def __init__(self, frame: Frame, plan: NeuronPlan, example: int | None) -> None:
        self._frame = frame
        self._plan = plan
        self._example = example
        self._graph = frame.trace.graph
        self._equation = frame.trace.detail == Detail.EQUATION
        self._step = frame.step
        self._pairs = self._pairs_of(frame.step)
        equation = frame.equation
        self._uses = equation.contribution.factor.uses if equation else ()
        self._outer = [b for b in plan.bundles if self._is_weight_step(b)]

    def column(self, column: Column) -> NeuronColumn:
        name, frame = self._graph.nodes[column.node].name, self._frame
        value, gradient = self._value(column.node), frame.gradients.get(name)
        return NeuronColumn(
            name=name,
            label=plain(frame, name) if column.kind != "loss" else plain_name(name),
            kind=column.kind,
            selects=name if name in frame.statics.titles else self._line(column.node),
            rank=column.rank,
            behind="" if column.behind is None else self._graph.nodes[column.behind].name,
            units=column.units,
            values=self._units(column, value),
            gradients=self._units(column, gradient),
            phase=self._column_phase(column),
            read=name in self._uses or any(b.source == column.node for b in self._outer),
            upstream=self._is_upstream(column) or any(b.target == column.node for b in self._outer),
            largest=0.0 if "value" in frame.noise(name) else _scale_of(value, self._units(column, value)),
            place=column,
            example=self._example,
            shape=frame.trace.arrays[column.node].shape,
        )

    def bundle(self, bundle: Bundle) -> EdgeBundle:
        weights, gradients, shape = None, None, ()
        if bundle.weight is not None:
            value, gradient, shape = self._weight(bundle.weight)
            weights, gradients = _as_edges(value, bundle), _as_edges(gradient, bundle)
        phase = self._bundle_phase(bundle)
        return EdgeBundle(
            source=self._graph.nodes[bundle.source].name,
            target=self._graph.nodes[bundle.target].name,
            kind=bundle.kind,
            name=bundle.weight.name if bundle.weight is not None else "",
            label=self._label(bundle.weight),
            weights=weights,
            gradients=gradients,
            largest=_largest(weights),
            phase=phase,
            outer=bundle in self._outer,
            plan=bundle,
            shape=shape,
        )

    def mark(self, mark: Mark) -> BiasMarks:
        value, gradient, shape = self._weight(mark.weight)
        units = next(c.units for c in self._plan.columns if c.node == mark.target)
        return BiasMarks(
            target=self._graph.nodes[mark.target].name,
            name=mark.weight.name,
            label=self._label(mark.weight),
            values=_along_units(value, units),
            gradients=_along_units(gradient, units),
            phase=self._mark_phase(mark),
            adds=mark.adds,
            plan=mark,
            shape=shape,
        )

    # --- numbers ---

    def _value(self, node: int) -> Array | None:
        """Return a node's value as far as the timeline has come; of a part, with its line."""
        name, frame = self._graph.nodes[node].name, self._frame
        if name in frame.values:
            return frame.values[name]
        known = self._equation and name not in frame.statics.titles and self._line(node) in frame.values
        return frame.trace.arrays[node] if known else None

    def _weight(self, carrier: Carrier) -> tuple[Array | None, Array | None, tuple[int, ...]]:
        """Return the numbers of a weight, the gradient of what it is named after, and the shape of that."""
        frame, graph = self._frame, self._graph
        named = graph.ids[carrier.name] if carrier.name else carrier.node
        shape = frame.trace.arrays[named].shape
        if not carrier.exact:  # such as 2 W: the edges show the product
            part = graph.nodes[carrier.node].name
            return self._value(carrier.node), frame.gradients.get(part), shape
        pair = self._value(named), frame.gradients.get(carrier.name)
        value, gradient = (a.T if a is not None and carrier.flips else a for a in pair)
        return value, gradient, shape

    def _units(self, column: Column, array: Array | None) -> Array | None:
        if array is None:
            return None
        axis = column.examples_axis
        if axis is None:
            return np.reshape(array, -1)
        with np.errstate(all="ignore"):
            shown = np.mean(array, axis) if self._example is None else np.take(array, self._example, axis)
        return np.reshape(shown, -1)

    def _label(self, carrier: Carrier | None) -> str:
        if carrier is None:
            return ""
        exact = carrier.exact and carrier.name
        return plain(self._frame, carrier.name if exact else self._graph.nodes[carrier.node].name)

    def _line(self, node: int) -> str:
        found = self._graph.nodes[node]
        return self._graph.lines[found.line].name if found.line >= 0 else found.name

    # --- what the step does ---

    def _pairs_of(self, step: Step | None) -> frozenset[Pair]:
        """Return the input slots that the current step goes back through."""
        if step is None or step.phase != Phase.BACKWARD or step.slot is None:
            return frozenset()
        if not self._equation:
            return frozenset({(self._graph.ids[step.node], step.slot)})
        return frozenset(self._graph.line_by_name[step.node].uses[step.slot].path)

    def _last_pair(self) -> Pair | None:
        step = self._step
        if step is None or not self._pairs:
            return None
        if not self._equation:
            return next(iter(self._pairs))
        return self._graph.line_by_name[step.node].uses[int(step.slot or 0)].path[-1]

    def _column_of(self, node: int) -> int | None:
        """Return the column that a node's line comes to next: itself, or the one it is a part of."""
        line = self._graph.nodes[node].line
        columns = (c.node for c in self._plan.columns)
        found = [c for c in columns if c >= node and self._graph.nodes[c].line == line]
        return node if node in found else min(found, default=None)

    def _column_phase(self, column: Column) -> str:
        step = self._step
        if step is None or step.phase == Phase.UPDATE:
            return ""
        if step.phase == Phase.FORWARD and self._equation:
            computed = self._graph[step.node].line
            return "forward" if self._graph.nodes[column.node].line == computed >= 0 else ""
        target = self._graph.ids[step.target]
        if step.phase == Phase.FORWARD:
            target = self._column_of(target) if target in self._data_lines else None
        return step.phase.value if target == column.node else ""

    @cached_property
    def _data_lines(self) -> frozenset[int]:
        """Ids of the nodes of lines that have columns."""
        lines = {self._graph.nodes[c.node].line for c in self._plan.columns}
        return frozenset(n.id for n in self._graph.nodes if n.line >= 0 and n.line in lines)

    def _is_upstream(self, column: Column) -> bool:
        step = self._step
        if step is None or step.phase != Phase.BACKWARD:
            return False
        return self._column_of(self._graph.ids[step.node]) == column.node and step.target != column.name

    def _bundle_phase(self, bundle: Bundle) -> str:
        step = self._step
        if step is None or step.phase == Phase.SEED:
            return ""
        if step.phase == Phase.UPDATE:
            return "update" if bundle.weight is not None and bundle.weight.name == step.node else ""
        if step.phase == Phase.FORWARD:
            pairs = bundle.reads | bundle.weight_reads
            return "forward" if self._computes(step, bundle.target, pairs) else ""
        passes = bool(self._pairs & bundle.reads) or self._is_weight_step(bundle)
        return "backward" if passes else ""

    def _is_weight_step(self, bundle: Bundle) -> bool:
        """Say whether the current step goes back to what a bundle's weights are entries of."""
        return self._last_pair() in bundle.weight_reads

    def _computes(self, step: Step, target: int, pairs: frozenset[Pair]) -> bool:
        node = self._graph[step.node]
        if self._equation:
            return node.line >= 0 and self._graph.nodes[target].line == node.line
        return any(pair[0] == node.id for pair in pairs)

    def _mark_phase(self, mark: Mark) -> str:
        step = self._step
        if step is None or step.phase == Phase.SEED:
            return ""
        if step.phase == Phase.UPDATE:
            return "update" if mark.weight.name == step.node else ""
        if step.phase == Phase.FORWARD:
            return "forward" if self._computes(step, mark.target, mark.reads) else ""
        return "backward" if self._last_pair() in mark.reads else ""


# --- arrays ------------------------------------------------------------------------------------------------


def _as_edges(array: Array | None, bundle: Bundle) -> Array | None:
    """Return weights with a row a target and a column a source; of a scale, one column."""
    if array is None:
        return None
    if bundle.kind == "scale":
        return np.reshape(array, (-1, 1))
    if array.ndim < 2:
        return np.reshape(array, (1, -1))
    return array if bundle.on_left else array.T


def _along_units(array: Array | None, units: int) -> Array | None:
    """Return one number a unit, of something of which one axis at most has several entries."""
    return None if array is None else np.broadcast_to(np.reshape(array, -1), (units,))


def _scale_entry(shape: tuple[int, ...], axis: int | None, unit: int, carrier: Carrier | None) -> Entry:
    if carrier is not None and carrier.flips and axis is not None:
        axis = len(shape) - 1 - axis
    return tuple(unit if i == axis else 0 for i in range(len(shape)))


def _largest(array: Array | None) -> float:
    if array is None or not array.size:
        return 0.0
    magnitudes = np.abs(array)
    return float(np.max(magnitudes, where=np.isfinite(magnitudes), initial=0.0))


MOST_SCALED = 200_000
"""Entries up to which the colours of a column stand for all its examples, beyond for the one shown."""


def _scale_of(value: Array | None, shown: Array | None) -> float:
    return _largest(value if value is not None and value.size <= MOST_SCALED else shown)


def _titled(label: str, entry: Sequence[int | str]) -> str:
    """Return a name with indices; what has no name of its own in parentheses: ``(W₁ x + b₁)[0, 0]``."""
    if not entry:
        return label
    return f"{f'({label})' if ' ' in label else label}[{', '.join(map(str, entry))}]"


# --- words -------------------------------------------------------------------------------------------------


def _says(frame: Frame) -> str:
    """Return what the current step does, in a few words."""
    step = frame.step
    if step is None:
        return "Ready: nothing has been computed yet."
    name = plain(frame, step.target)
    if step.phase == Phase.FORWARD:
        return f"Forward: {name} is computed."
    if step.phase == Phase.SEED:
        told = "" if frame.curtain.hides_gradient(step.target) else " is 1"
        return f"Backward begins: the gradient of the loss by itself{told}."
    if step.phase == Phase.UPDATE:
        return f"Update: {name}."
    return f"Backward to {name}, through {plain(frame, step.node)}."
