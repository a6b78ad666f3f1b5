"""A pass as data: immutable steps that can be applied and reverted.

A :class:`Trace` is computed whole, then walked freely. Each step carries what it replaced, so that
:meth:`State.revert` mirrors :meth:`State.apply` exactly. One backward step is one use of one value: where a
value is used twice, two contributions arrive one after the other, and the gradient is their sum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from engine import ops, shapes
from engine.errors import BackstepError
from engine.expr import evaluate
from engine.graph import Detail, Graph, Kind, Line, Node, Use

__all__ = ["Phase", "State", "Step", "Trace", "Update", "forward", "gradients", "loss_and_gradients", "trace"]

Array = np.ndarray


class Phase(StrEnum):
    """The parts of an iteration."""

    FORWARD = "forward"
    SEED = "seed"
    BACKWARD = "backward"
    UPDATE = "update"


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what it sets, to what, and what stood there before.

    Attributes
    ----------
    node
        Forward and seed: the node computed. Backward: the node gone back through. Update: the parameter.
    input, slot
        Backward: the value that receives the contribution, and by which use of it.
    before, after
        The value or gradient replaced, None where there was none, and the one that replaces it.
    contribution
        Backward: what this use adds to the gradient.
    quantity
        Update: the optimizer's quantity that is set; ``value`` is the parameter itself.
    """

    index: int
    phase: Phase
    node: str
    after: Array
    before: Array | None = None
    input: str | None = None
    slot: int | None = None
    contribution: Array | None = None
    quantity: str | None = None

    @property
    def target(self) -> str:
        """The name of what the step changes."""
        return self.input if self.input is not None else self.node


@dataclass
class State:
    """What is known at one place of a trace; steps are applied to it and reverted from it."""

    values: dict[str, Array]
    gradients: dict[str, Array] = field(default_factory=dict)
    quantities: dict[tuple[str, str], Array] = field(default_factory=dict)

    def apply(self, step: Step) -> None:
        """Move the state over `step`."""
        table, key = self._place(step)
        table[key] = step.after

    def revert(self, step: Step) -> None:
        """Move the state back over `step`, which must be the last one applied."""
        table, key = self._place(step)
        if step.before is None:
            del table[key]
        else:
            table[key] = step.before

    def _place(self, step: Step) -> tuple[dict[Any, Array], Any]:
        if step.phase in (Phase.SEED, Phase.BACKWARD):
            return self.gradients, step.target
        if step.phase == Phase.UPDATE and step.quantity not in (None, "value"):
            return self.quantities, (step.node, step.quantity)
        return self.values, step.node


class Update(NamedTuple):
    """One quantity that an optimizer works out for one parameter."""

    parameter: str
    quantity: str
    before: Array | None
    after: Array


Optimize = Callable[[Mapping[str, Array], Mapping[str, Array]], Sequence[Update]]


@dataclass(frozen=True, eq=False)
class Trace:
    """A whole iteration at one detail.

    Attributes
    ----------
    steps
        In the order in which they happen.
    arrays
        The value of every node by id, the unnamed parts too.
    values, gradients
        By name, for every named line, input and parameter, before any update.
    """

    graph: Graph
    detail: Detail
    steps: tuple[Step, ...]
    arrays: tuple[Array, ...]
    values: Mapping[str, Array]
    gradients: Mapping[str, Array]

    @property
    def loss(self) -> float:
        """The loss, before any update."""
        return float(self.values[self.graph.loss])

    @cached_property
    def backward_places(self) -> Mapping[tuple[str, str, int], int]:
        """The index of each backward step: by value that receives, node gone back through, and slot."""
        steps = (s for s in self.steps if s.phase == Phase.BACKWARD)
        return {(str(s.input), s.node, int(s.slot or 0)): s.index for s in steps}

    @cached_property
    def updates(self) -> Mapping[str, Sequence[Step]]:
        """The update steps by parameter, in order."""
        found: dict[str, list[Step]] = {}
        for step in self.steps:
            if step.phase == Phase.UPDATE:
                found.setdefault(step.node, []).append(step)
        return found

    @cached_property
    def kept(self) -> Mapping[tuple[str, str], Array]:
        """What the optimizer had kept from the iteration before, by parameter and quantity."""
        steps = (s for found in self.updates.values() for s in found if s.quantity not in (None, "value"))
        return {(s.node, str(s.quantity)): s.before for s in steps if s.before is not None}

    @cached_property
    def left(self) -> Mapping[str, Array]:
        """Gradients that were there before the backward pass: none, unless somebody forgot to reset them."""
        found: dict[str, Array | None] = {}
        for step in self.steps:
            if step.phase == Phase.BACKWARD:
                found.setdefault(step.target, step.before)
        return {name: array for name, array in found.items() if array is not None}

    def start(self) -> State:
        """Return the state before the first step: leaves and what was kept, nothing computed."""
        leaves = (*self.graph.inputs, *self.graph.parameters)
        return State({name: self.values[name] for name in leaves}, dict(self.left), dict(self.kept))

    def state(self, position: int) -> State:
        """Return the state after the first `position` steps."""
        state = self.start()
        for step in self.steps[:position]:
            state.apply(step)
        return state

    def first_non_finite(self) -> str | None:
        """Return the name of the first node whose value is not a finite number, None where all are."""
        return first_non_finite(self.graph, self.arrays)


def first_non_finite(graph: Graph, values: Sequence[Array]) -> str | None:
    """Return the name of the first node whose value, by id, is not finite; None where all are."""
    pairs = zip(graph.nodes, values, strict=True)
    return next((node.name for node, array in pairs if not np.all(np.isfinite(array))), None)


def forward(graph: Graph, leaves: Mapping[str, Array]) -> list[Array]:
    """Return the value of every node by id.

    Parameters
    ----------
    leaves
        Arrays for every input and parameter, shaped as the graph was built for.
    """
    values: list[Array] = []
    with np.errstate(all="ignore"):
        for node in graph.nodes:
            values.append(value_of(node, leaves, values))
    return values


def value_of(node: Node, leaves: Mapping[str, Array], values: Sequence[Array]) -> Array:
    """Return the value of a node from those before it; of a leaf, its own."""
    if node.op is not None:
        return np.asarray(node.op.forward(*[values[i] for i in node.inputs], **dict(node.attrs)))
    if node.constant is not None:
        return np.asarray(evaluate(node.constant, {}), dtype=float)
    return leaves[node.name]


def contributions(
    graph: Graph,
    values: Sequence[Array],
    wanted: frozenset[int] | None = None,
    rules: Rules | None = None,
) -> Iterator[tuple[Node, int, Array]]:
    """Yield what each use of a value adds to its gradient, node by node from the loss back.

    The gradient of a node is complete when its own inputs are reached: the order is reverse topological. Only
    nodes in `wanted` get one, every active node where it is None.
    """
    contribute, add = rules or RIGHT
    gradients: dict[int, Array] = {graph.ids[graph.loss]: np.asarray(1.0)}
    active, path = graph.active if wanted is None else wanted, graph.on_loss_path
    for node in reversed(graph.nodes):
        if node.id not in path or node.id not in active or node.op is None:
            continue
        upstream = gradients.pop(node.id)
        for slot, source in enumerate(node.inputs):
            if source in active:
                part = contribute(graph, node, slot, values, upstream)
                held = gradients.get(source)
                gradients[source] = part if held is None else add((node.id, slot), held, part)
                yield node, slot, part


def contribution(graph: Graph, node: Node, slot: int, values: Sequence[Array], upstream: Array) -> Array:
    """Return what the use of a value in a slot of a node adds to its gradient."""
    return chained(graph, node, slot, upstream, links(graph, node, slot, values))


def links(graph: Graph, node: Node, slot: int, values: Sequence[Array]) -> list[ops.Placed]:
    """Return the links from the gradient of a node to that of one of its inputs, with numbers."""
    ins = [values[i] for i in node.inputs]
    dims = [*(graph.nodes[i].dims for i in node.inputs), node.dims]
    assert node.op is not None
    return ops.links(node.op, slot, ins, values[node.id], dims, dict(node.attrs))


def chained(graph: Graph, node: Node, slot: int, upstream: Array, placed: Sequence[ops.Placed]) -> Array:
    """Return an upstream gradient taken through links, in the shape of the input."""
    result = np.asarray(ops.chain(upstream, placed))
    wanted = shapes.sizes(graph.nodes[node.inputs[slot]].dims)
    return result if result.shape == wanted else np.reshape(np.broadcast_to(result, wanted), wanted)


class Rules(NamedTuple):
    """How a backward pass is done: the right way, or with a fault put in (:mod:`engine.faults`).

    Attributes
    ----------
    contribute
        What one use of a value adds to its gradient, as :func:`contribution`.
    add
        What becomes of a gradient that is there when more arrives, by way of a node and a slot.
    """

    contribute: Callable[[Graph, Node, int, Sequence[Array], Array], Array]
    add: Callable[[tuple[int, int], Array, Array], Array]


RIGHT = Rules(contribution, lambda _, held, part: held + part)


def contributions_by_line(
    graph: Graph,
    values: Sequence[Array],
    wanted: frozenset[int] | None = None,
    rules: Rules | None = None,
) -> Iterator[tuple[Line, Use, Array]]:
    """Yield what each use of a name adds to its gradient, line by line from the loss back, in reading order.

    What a line's parts contribute is held back until the line is done. Gradients are added up in this order
    wherever they are, so that training and the steps on the screen agree to the last bit.
    """
    at: dict[tuple[int, int], Array] = {}
    held: int | None = None
    for node, slot, part in contributions(graph, values, wanted, rules):
        if held is not None and node.line != held:
            yield from _given_out(graph.lines[held], at)
            at = {}
        held = node.line
        at[node.id, slot] = part
    if held is not None:
        yield from _given_out(graph.lines[held], at)


def _given_out(line: Line, at: Mapping[tuple[int, int], Array]) -> Iterator[tuple[Line, Use, Array]]:
    for use in line.uses:
        if use.path[-1] in at:
            yield line, use, at[use.path[-1]]


def gradients(
    graph: Graph,
    values: Sequence[Array],
    wanted: frozenset[int] | None = None,
    rules: Rules | None = None,
    left: Mapping[str, Array] | None = None,
) -> dict[str, Array]:
    """Return the gradient of the loss by every named value; zeros where the loss does not depend on it.

    With `wanted`, of the named values among those nodes alone; `rules` and `left` as for :func:`trace`.
    """
    found: dict[str, Array] = {graph.loss: np.asarray(1.0), **(left or {})}
    add = (rules or RIGHT).add
    with np.errstate(all="ignore"):
        for _, use, part in contributions_by_line(graph, values, wanted, rules):
            name = graph.nodes[use.source].name
            found[name] = add(use.path[-1], found[name], part) if name in found else part
    for name in graph.named:
        if name not in found and (wanted is None or graph.ids[name] in wanted):
            found[name] = np.zeros(shapes.sizes(graph[name].dims))
    return found


def loss_and_gradients(graph: Graph, leaves: Mapping[str, Array]) -> tuple[float, dict[str, Array]]:
    """Return the loss and the gradient of every named value at `leaves`."""
    values = forward(graph, leaves)
    return float(values[graph.ids[graph.loss]]), gradients(graph, values)


def trace(
    graph: Graph,
    leaves: Mapping[str, Array],
    detail: Detail = Detail.EQUATION,
    optimize: Optimize | None = None,
    rules: Rules | None = None,
    left: Mapping[str, Array] | None = None,
) -> Trace:
    """Return the trace of one iteration.

    Parameters
    ----------
    leaves
        Arrays for every input and parameter.
    optimize
        From parameters and gradients to the update's quantities; no update phase where None.
    rules
        How backward is done, where a fault is put in.
    left
        Gradients that nobody has reset, by name, which contributions are added to.

    Raises
    ------
    BackstepError
        Where a leaf is missing or has another shape than the graph was built for.
    """
    _check(graph, leaves)
    arrays = tuple(_frozen(a) for a in forward(graph, leaves))
    values = {name: arrays[graph.ids[name]] for name in graph.named}
    recorder = _Recorder(graph, detail, arrays, rules or RIGHT, left or {})
    recorder.forward()
    recorder.backward()
    found = recorder.complete()
    if optimize is not None:
        with np.errstate(all="ignore"):
            exact = (
                found if detail == Detail.EQUATION else gradients(graph, arrays, graph.trained, rules, left)
            )
            recorder.update(optimize({n: values[n] for n in graph.parameters}, exact))
    return Trace(graph, detail, tuple(recorder.steps), arrays, values, found)


def _check(graph: Graph, leaves: Mapping[str, Array]) -> None:
    for name in (*graph.inputs, *graph.parameters):
        wanted = shapes.sizes(graph[name].dims)
        if name not in leaves or np.shape(leaves[name]) != wanted:
            got = f"has the shape {np.shape(leaves[name])}" if name in leaves else "has no value"
            raise BackstepError(f"{name} {got}; the network was built for {wanted}.", how="Build it anew.")


def _frozen(array: Any) -> Array:
    result = np.asarray(array, dtype=np.float64)
    if result.flags.writeable:
        result = result.view()
        result.flags.writeable = False
    return result


class _Recorder:
    """Writes the steps of an iteration down, in order."""

    def __init__(
        self,
        graph: Graph,
        detail: Detail,
        arrays: Sequence[Array],
        rules: Rules,
        left: Mapping[str, Array],
    ) -> None:
        self.steps: list[Step] = []
        self._graph = graph
        self._detail = detail
        self._arrays = arrays
        self._rules = rules
        self._visible = set(graph.visible(detail))
        self._gradients: dict[str, Array] = {name: _frozen(array) for name, array in left.items()}

    def forward(self) -> None:
        for node in self._graph.nodes:
            if node.kind == Kind.OP and node.name in self._visible:
                self._add(Phase.FORWARD, node.name, self._arrays[node.id])

    def backward(self) -> None:
        loss = self._graph.loss
        self._gradients[loss] = _frozen(1.0)
        self._add(Phase.SEED, loss, self._gradients[loss])
        with np.errstate(all="ignore"):
            if self._detail == Detail.PRIMITIVE:
                for node, slot, part in contributions(self._graph, self._arrays, rules=self._rules):
                    source = self._graph.nodes[node.inputs[slot]].name
                    self._arrive((node.name, slot), source, part, (node.id, slot))
            else:
                self._backward_by_line()

    def _backward_by_line(self) -> None:
        for line, use, part in contributions_by_line(self._graph, self._arrays, rules=self._rules):
            self._arrive((line.name, use.slot), self._graph.nodes[use.source].name, part, use.path[-1])

    def _arrive(self, by: tuple[str, int], name: str, part: Array, place: tuple[int, int]) -> None:
        before = self._gradients.get(name)
        part = _frozen(part)
        after = part if before is None else _frozen(self._rules.add(place, before, part))
        self._gradients[name] = after
        step = Step(len(self.steps), Phase.BACKWARD, by[0], after, before, name, by[1], part)
        self.steps.append(step)

    def complete(self) -> dict[str, Array]:
        """Return the gradient of every named value, zeros where none arrived."""
        graph = self._graph
        return {
            name: self._gradients[name]
            if name in self._gradients
            else _frozen(np.zeros(shapes.sizes(graph[name].dims)))
            for name in graph.named
        }

    def update(self, updates: Sequence[Update]) -> None:
        for parameter, quantity, before, after in updates:
            held = None if before is None else _frozen(before)
            step = Step(len(self.steps), Phase.UPDATE, parameter, _frozen(after), held, quantity=quantity)
            self.steps.append(step)

    def _add(self, phase: Phase, node: str, after: Array) -> None:
        self.steps.append(Step(len(self.steps), phase, node, after))
