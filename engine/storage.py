"""What forward keeps for backward, how long, and what it costs to work some of it out again.

The factor of a backward step reads values of the forward pass (:func:`read_by`). Those have to be kept
until the last step that reads them, or else be *recomputed*: dropped as soon as forward has no more use for
them, and worked out again from what is kept when a factor asks for them. That is checkpointing; it changes
the memory and the number of operations, and no number of any gradient.

A :class:`Storage` says which arrays are in memory at every step of a trace. It is worked out from the graph
alone, and :func:`replay` goes through a whole iteration with nothing but what it says is there.

What is counted are values worked out by forward. Inputs, parameters and constants are there anyway;
gradients are not counted. At equation detail a line is one piece: what is inside it comes and goes with it,
in forward and again in backward.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import prod
from typing import NamedTuple

import numpy as np

from engine import expr as ex
from engine import ops, shapes
from engine.derive import Derivation
from engine.expr import Expr, Name
from engine.graph import Detail, Graph, Kind, Node
from engine.ops import Side
from engine.trace import Phase, Trace, contribution, value_of

__all__ = ["BYTES", "Moment", "Replayed", "Storage", "operations", "read_by", "replay", "size_of"]

Array = np.ndarray
BYTES = 8
"""Bytes of a value: float64 throughout."""


# --- what a factor reads -----------------------------------------------------------------------------------


def read_by(graph: Graph, node: Node, slot: int) -> frozenset[int]:
    """Return the ids of the nodes whose values the factor of an operation reads for one of its inputs.

    They are among the inputs of the operation and its output. It is as the operation's record says: the slope
    of a sigmoid is taken from its output, that of relu from its input, and a sum reads nothing.
    """
    places = _places_read(*_looks(graph, node, slot)).places
    found = {(*node.inputs, node.id)[place] for place in places}
    return frozenset(i for i in found if i in graph.active)


def is_zero(graph: Graph, node: Node, slot: int) -> bool:
    """Say whether the factor of an operation is zero whatever the numbers are, as that of ``0 * x`` for x."""
    return _places_read(*_looks(graph, node, slot)).is_zero


def _looks(graph: Graph, node: Node, slot: int) -> _Looks:
    assert node.op is not None
    constants = tuple(graph.nodes[i].constant for i in node.inputs)
    dims = (*(graph.nodes[i].dims for i in node.inputs), node.dims)
    return _Looks(node.op.name, slot, dims, node.attrs, constants)


class _Looks(NamedTuple):
    """All that a factor depends on but the numbers."""

    name: str
    slot: int
    dims: tuple[shapes.Dims, ...]
    attrs: tuple[tuple[str, object], ...]
    constants: tuple[Expr | None, ...]


class _Places(NamedTuple):
    """Which arguments a factor reads, by place, the output after the last; and whether it is always zero."""

    places: frozenset[int]
    is_zero: bool


@lru_cache(maxsize=4096)
def _places_read(
    name: str,
    slot: int,
    dims: tuple[shapes.Dims, ...],
    attrs: tuple[tuple[str, object], ...],
    constants: tuple[Expr | None, ...],
) -> _Places:
    symbols: list[Expr] = [
        Name(str(i), own, str(i), str(i)) if constant is None else constant
        for i, (own, constant) in enumerate(zip(dims, (*constants, None), strict=True))
    ]
    placed = ops.links(ops.OPS[name], slot, symbols[:-1], symbols[-1], dims, dict(attrs))
    hole = Name("", dims[-1], "g", "g", kind="hole")
    found: set[str] = set()
    for link in placed:
        if link.side == Side.MAP:
            assert link.rule is not None
            found.update(ex.uses(link.rule(hole)))
        elif link.side not in (Side.SUM, Side.SPREAD, Side.TRANSPOSE):
            operand = ex.lift(link.operand)
            if ex.is_zero(operand):
                return _Places(frozenset(), True)
            found.update(ex.uses(operand))
    return _Places(frozenset(map(int, found)), False)


def operations(graph: Graph, node: Node) -> int:
    """Return how many operations on numbers a node takes.

    A matrix product takes a multiplication and an addition for each term of each entry, less one addition;
    anything else one for each entry of the largest array that it reads or makes; a transpose and a copy none.
    """
    if node.op is None or node.op.name in ("T", "identity"):
        return 0
    sizes = [size_of(graph.nodes[i]) for i in node.inputs]
    if node.op.name == "@":
        inner = graph.nodes[node.inputs[0]].dims[-1].size
        return size_of(node) * max(1, 2 * inner - 1)
    return max(size_of(node), *sizes)


def size_of(node: Node) -> int:
    """Return how many values the array of a node has."""
    return prod(shapes.sizes(node.dims))


class _Step(NamedTuple):
    """A step of a trace without its numbers."""

    index: int
    phase: Phase
    node: str
    target: str
    slot: int


# --- the pieces of a graph at a detail ---------------------------------------------------------------------


class _Pieces:
    """The nodes shown at a detail, with what each is worked out from."""

    def __init__(self, graph: Graph, detail: Detail, derivation: Derivation | None = None) -> None:
        self.graph = graph
        self.detail = detail
        self._derivation = derivation or Derivation(graph, detail)

    @cached_property
    def shown(self) -> frozenset[int]:
        """The ids of the values that forward works out at this detail."""
        names = self.graph.visible(self.detail)
        return frozenset(i for i in map(self.graph.ids.__getitem__, names) if self._is_op(i))

    def _is_op(self, node_id: int) -> bool:
        return self.graph.nodes[node_id].kind == Kind.OP

    def parts(self, node_id: int) -> tuple[int, ...]:
        """Return the operations that make a value, in order, itself the last."""
        if self.detail == Detail.PRIMITIVE:
            return (node_id,)
        return self.graph.lines[self.graph.nodes[node_id].line].parts

    @cached_property
    def sources(self) -> Mapping[int, tuple[int, ...]]:
        """For each value the values that it is worked out from; inputs, parameters and constants left out."""
        return {i: tuple(self._worked_out(self._read(i))) for i in self.shown}

    @cached_property
    def leaves(self) -> Mapping[int, tuple[int, ...]]:
        """For each value the inputs and parameters that it is worked out from."""
        graph = self.graph
        return {
            i: tuple(dict.fromkeys(s for s in self._read(i) if s in graph.active and not self._is_op(s)))
            for i in self.shown
        }

    def _read(self, node_id: int) -> Iterable[int]:
        if self.detail == Detail.PRIMITIVE:
            return self.graph.nodes[node_id].inputs
        line = self.graph.lines[self.graph.nodes[node_id].line]
        return (use.source for use in line.uses)

    def _worked_out(self, ids: Iterable[int]) -> Iterator[int]:
        return iter(dict.fromkeys(i for i in ids if i in self.shown))

    def used_up(self, chain: Sequence[int], passing: frozenset[int]) -> list[list[int]]:
        """Return, for each value of a chain, which of the passing ones nothing later in the chain reads."""
        last = {i: place for place, node_id in enumerate(chain) for i in (node_id, *self.sources[node_id])}
        found: list[list[int]] = [[] for _ in chain]
        for node_id in chain:
            if node_id in passing:
                found[last[node_id]].append(node_id)
        return found

    def operations(self, node_id: int) -> int:
        """Return how many operations a value takes."""
        return sum(operations(self.graph, self.graph.nodes[i]) for i in self.parts(node_id))

    def path(self, step: _Step) -> tuple[tuple[int, int], ...]:
        """Return the operations that a backward step goes through, each with the slot it goes to."""
        if self.detail == Detail.PRIMITIVE:
            return ((self.graph.ids[step.node], step.slot),)
        return self.graph.line_by_name[step.node].uses[step.slot].path

    def reads(self, step: _Step) -> frozenset[int]:
        """Return the nodes shown at this detail whose values a backward step reads, leaves too."""
        key = (step.node, step.slot)
        found = self._reads.get(key)
        if found is None:
            path = () if self.is_zero(step) else self.path(step)
            ids = {i for place in path for i in self._read_at(*place)}
            found = self._reads[key] = self._named(ids)
        return found

    def is_zero(self, step: _Step) -> bool:
        """Say whether a backward step adds zero whatever the numbers are, and so reads nothing."""
        nodes = self.graph.nodes
        return any(is_zero(self.graph, nodes[node_id], slot) for node_id, slot in self.path(step))

    def _read_at(self, node_id: int, slot: int) -> frozenset[int]:
        """Return what an operation's factor reads; where it is altered, as it is then."""
        node, derivation = self.graph.nodes[node_id], self._derivation
        if derivation.altered != (node_id, slot):
            return read_by(self.graph, node, slot)
        hole = Name("", node.dims, "g", "g", kind="hole")
        return self._ids(ops.chain(hole, derivation.links(node, slot)))

    def _ids(self, expr: Expr) -> frozenset[int]:
        """Return the nodes that an expression reads and that are not made of constants alone."""
        return frozenset(map(self.graph.ids.__getitem__, ex.uses(expr))) & self.graph.active

    @cached_property
    def _reads(self) -> dict[tuple[str, int], frozenset[int]]:
        return {}

    def _named(self, ids: Iterable[int]) -> frozenset[int]:
        """Return what nodes are made of: a part of a line comes from what the line reads."""
        return frozenset(i for node_id in ids for i in self._made_of(node_id))

    def _made_of(self, node_id: int) -> Iterable[int]:
        node = self.graph.nodes[node_id]
        if node_id in self.shown or not self._is_op(node_id):
            return (node_id,)
        line = self.graph.lines[node.line]
        if not line.written:
            return self._named_apart(node_id)
        return self._ids(self._derivation.symbol(node_id))

    def _named_apart(self, node_id: int) -> set[int]:
        """Return what a part of a line comes from that is too long for symbols."""
        found: set[int] = set()
        stack, seen = [node_id], {node_id}
        while stack:
            node_id = stack.pop()
            if node_id in self.shown or not self._is_op(node_id):
                found.add(node_id)
                continue
            for source in self.graph.nodes[node_id].inputs:
                if source not in seen and source in self.graph.active:
                    seen.add(source)
                    stack.append(source)
        return found


# --- what is in memory at every step -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Moment:
    """What happens in memory at one step.

    Attributes
    ----------
    reads
        Ids of the nodes that a backward step's factor reads, inputs and parameters too.
    worked_out
        Ids of the values that are worked out: by a forward step its own, by a backward step those that it has
        to recompute before it can read them, in order.
    passing
        Those of them that are only needed for the others.
    freed
        Ids of the values that nobody needs after the step.
    held, peak
        How many values are in memory after the step, and the most at any time during it.
    """

    reads: frozenset[int]
    worked_out: tuple[int, ...]
    passing: frozenset[int]
    freed: tuple[int, ...]
    held: int
    peak: int


class Storage:
    """Which values are in memory at every step of a trace.

    Parameters
    ----------
    trace
        Any iteration of the graph; its numbers do not matter.
    recomputed
        Names of values that are not kept for backward. Names that backward does not read are left out.
    derivation
        The equations of the graph where one of its factors is altered by a fault; the right ones where None.

    Attributes
    ----------
    steps
        The steps of the trace, without their numbers.
    kept, recomputed
        Names of the values that backward reads: those that are kept for it, and those that are not.
    moments
        One for each step of the trace.
    """

    def __init__(
        self, trace: Trace, recomputed: Iterable[str] = (), derivation: Derivation | None = None
    ) -> None:
        self.graph = trace.graph
        self.detail = trace.detail
        self.steps = tuple(_Step(s.index, s.phase, s.node, s.target, s.slot or 0) for s in trace.steps)
        self._pieces = _Pieces(self.graph, self.detail, derivation)
        wanted, ids = frozenset(recomputed), self.graph.ids
        needed = [name for name in self.graph.visible(self.detail) if ids[name] in self.last_read]
        self.kept = tuple(name for name in needed if name not in wanted)
        self.recomputed = tuple(name for name in needed if name in wanted)
        self.moments = tuple(_Simulation(self, self._pieces).moments())

    @cached_property
    def last_read(self) -> Mapping[int, int]:
        """The index of the last backward step that reads a value, by id; inputs and parameters left out."""
        found = {}
        for step in self.steps:
            if step.phase == Phase.BACKWARD:
                found.update(dict.fromkeys(self._pieces.reads(step) & self._pieces.shown, step.index))
        return found

    @cached_property
    def readers(self) -> Mapping[str, tuple[int, ...]]:
        """The indices of the backward steps that read a node, by name; inputs and parameters too."""
        found: dict[str, list[int]] = {}
        for step in self.steps:
            if step.phase == Phase.BACKWARD:
                for node_id in self._pieces.reads(step):
                    found.setdefault(self.graph.nodes[node_id].name, []).append(step.index)
        return {name: tuple(indices) for name, indices in found.items()}

    @cached_property
    def peak(self) -> int:
        """The most values that are in memory at any time."""
        return max((moment.peak for moment in self.moments), default=0)

    @cached_property
    def peak_index(self) -> int:
        """The first step at which that is so."""
        return next((i for i, moment in enumerate(self.moments) if moment.peak == self.peak), 0)

    @cached_property
    def at_peak(self) -> tuple[int, ...]:
        """The ids of the values that are in memory then."""
        simulation = _Simulation(self, self._pieces, self.peak)
        for _ in simulation.moments():
            if simulation.snapshot is not None:
                return simulation.snapshot
        return ()

    def held_after(self, position: int) -> frozenset[int]:
        """Return the ids of the values in memory after so many steps."""
        found: set[int] = set()
        for moment in self.moments[:position]:
            found.update(moment.worked_out)
            found -= moment.passing
            found.difference_update(moment.freed)
        return frozenset(found)

    @cached_property
    def extra(self) -> int:
        """How many operations are done a second time."""
        return sum(self.operations_at(i) for i in range(len(self.moments)))

    @cached_property
    def forward(self) -> int:
        """How many operations the forward pass takes."""
        return sum(map(self._pieces.operations, self._pieces.shown))

    def operations_at(self, index: int) -> int:
        """Return how many operations a backward step does a second time."""
        if self.steps[index].phase != Phase.BACKWARD:
            return 0
        return sum(map(self._pieces.operations, self.moments[index].worked_out))

    def origins(self, index: int) -> tuple[int, ...]:
        """Return what a step works values out from: kept values, inputs and parameters, by id."""
        made = self.moments[index].worked_out
        pieces = self._pieces
        read = (i for node_id in made for i in (*pieces.leaves[node_id], *pieces.sources[node_id]))
        return tuple(dict.fromkeys(i for i in read if i not in made))


class _Simulation:
    """Goes through the steps of a trace once, with what is in memory."""

    def __init__(self, storage: Storage, pieces: _Pieces, wanted: int | None = None) -> None:
        self.snapshot: tuple[int, ...] | None = None  # of what is in memory when so much is held first
        self._wanted = wanted
        ids = storage.graph.ids
        self._steps = storage.steps
        self._ids = ids
        self._pieces = pieces
        self._last_read = storage.last_read
        self._kept = frozenset(ids[name] for name in storage.kept)
        self._sizes = {i: size_of(storage.graph.nodes[i]) for i in pieces.shown}
        self._chains, self._last_need = self._plan()
        self._memory: dict[int, None] = {}
        self._held = 0

    def moments(self) -> Iterator[Moment]:
        last_use = self._last_forward_use()
        for step in self._steps:
            if step.phase == Phase.FORWARD:
                yield self._forward(step, last_use)
            elif step.phase == Phase.BACKWARD:
                yield self._backward(step)
            else:
                yield Moment(frozenset(), (), frozenset(), (), self._held, self._held)

    def _last_forward_use(self) -> dict[int, int]:
        """Return the step after which forward has no more use for each value."""
        found: dict[int, int] = {}
        for step in self._steps:
            if step.phase == Phase.FORWARD:
                node_id = self._ids[step.node]
                found.update(dict.fromkeys((node_id, *self._pieces.sources[node_id]), step.index))
        return found

    def _plan(self) -> tuple[dict[int, tuple[int, ...]], dict[int, int]]:
        """Return what each backward step recomputes, and the last step that needs each kept value."""
        chains: dict[int, tuple[int, ...]] = {}
        last = {i: self._last_read[i] for i in self._kept}
        back: set[int] = set()  # recomputed, and still there
        for step in self._steps:
            if step.phase != Phase.BACKWARD:
                continue
            reads = self._pieces.reads(step) & self._pieces.shown
            chain, sources = self._chain(reads - back - self._kept, back)
            for i in sources & self._kept:
                last[i] = max(last[i], step.index)
            if chain:
                chains[step.index] = chain
            back.update(i for i in chain if self._last_read.get(i, -1) >= step.index)
            back -= {i for i in reads if self._last_read[i] <= step.index}
        return chains, last

    def _chain(self, missing: Iterable[int], back: set[int]) -> tuple[tuple[int, ...], set[int]]:
        """Return what has to be worked out before values are there, in order, and what it is made from."""
        stack, chain, sources = list(missing), set(missing), set()
        while stack:
            for source in self._pieces.sources[stack.pop()]:
                sources.add(source)
                if source not in self._kept and source not in back and source not in chain:
                    chain.add(source)
                    stack.append(source)
        return tuple(sorted(chain)), sources

    def _forward(self, step: _Step, last_use: Mapping[int, int]) -> Moment:
        node_id = self._ids[step.node]
        self._take(node_id)
        peak = self._held
        idle = (i for i in (node_id, *self._pieces.sources[node_id]) if last_use[i] <= step.index)
        freed = self._free(i for i in idle if i not in self._kept)
        return Moment(frozenset(), (node_id,), frozenset(), freed, self._held, peak)

    def _backward(self, step: _Step) -> Moment:
        chain = self._chains.get(step.index, ())
        wanted = {i for i in chain if self._last_read.get(i, -1) >= step.index}
        passing = frozenset(chain) - wanted
        peak = self._held
        for node_id, done in zip(chain, self._pieces.used_up(chain, passing), strict=True):
            self._take(node_id)
            peak = max(peak, self._held)
            self._free(done)
        reads = self._pieces.reads(step)
        needed = {i for i in reads if i in self._pieces.shown} | self._sources_of(chain)
        freed = self._free(i for i in sorted(needed) if self._is_done(i, step.index))
        return Moment(reads, chain, passing, freed, self._held, peak)

    def _sources_of(self, chain: Sequence[int]) -> set[int]:
        return {source for i in chain for source in self._pieces.sources[i]}

    def _is_done(self, node_id: int, index: int) -> bool:
        last = self._last_need if node_id in self._kept else self._last_read
        return last.get(node_id, -1) <= index

    def _take(self, node_id: int) -> None:
        if node_id not in self._memory:
            self._memory[node_id] = None
            self._held += self._sizes[node_id]
            if self._held == self._wanted and self.snapshot is None:
                self.snapshot = tuple(self._memory)

    def _free(self, ids: Iterable[int]) -> tuple[int, ...]:
        freed = tuple(i for i in dict.fromkeys(ids) if i in self._memory)
        for i in freed:
            del self._memory[i]
            self._held -= self._sizes[i]
        return freed


# --- an iteration with nothing but that --------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Replayed:
    """An iteration done with what a storage holds.

    Attributes
    ----------
    contributions
        What each backward step adds, by its index.
    gradients
        By name, of every node shown that a gradient reaches.
    held, peak
        How many values were in memory after each step, and the most that were.
    """

    contributions: Mapping[int, Array]
    gradients: Mapping[str, Array]
    held: tuple[int, ...]
    peak: int


def replay(storage: Storage, leaves: Mapping[str, Array]) -> Replayed:
    """Go forward and backward with what is in memory, and nothing else.

    A value that is not there is NaN in every entry, so one that a storage forgot would spoil the gradients.

    Parameters
    ----------
    leaves
        Arrays for every input and parameter.
    """
    return _Replay(storage, leaves).run()


class _Replay:
    def __init__(self, storage: Storage, leaves: Mapping[str, Array]) -> None:
        self._storage = storage
        self._graph = storage.graph
        self._leaves = leaves
        self._pieces = _Pieces(self._graph, storage.detail)
        self._memory: dict[int, Array] = {}
        self._gradients: dict[str, Array] = {}
        self._contributions: dict[int, Array] = {}
        self._peak = 0

    def run(self) -> Replayed:
        held = []
        with np.errstate(all="ignore"):
            for step, moment in zip(self._storage.steps, self._storage.moments, strict=True):
                self._do(step, moment)
                held.append(self._size())
        return Replayed(self._contributions, self._gradients, tuple(held), self._peak)

    def _do(self, step: _Step, moment: Moment) -> None:
        used_up = self._pieces.used_up(moment.worked_out, moment.passing)
        for node_id, done in zip(moment.worked_out, used_up, strict=True):
            self._work_out(node_id)
            for i in done:
                del self._memory[i]
        if step.phase == Phase.SEED:
            self._gradients[step.node] = np.asarray(1.0)
        elif step.phase == Phase.BACKWARD:
            self._go_back(step)
        for i in moment.freed:
            del self._memory[i]

    def _work_out(self, node_id: int) -> None:
        values = _Held(self._graph, self._leaves, self._memory)
        for part in self._pieces.parts(node_id):
            values.parts[part] = value_of(self._graph.nodes[part], self._leaves, values)
        self._memory[node_id] = values.parts[node_id]
        self._peak = max(self._peak, self._size())

    def _go_back(self, step: _Step) -> None:
        nodes = self._graph.nodes
        values = _Held(self._graph, self._leaves, self._memory)
        for part in self._pieces.parts(self._graph.ids[step.node])[:-1]:  # inside a line, for this step alone
            values.parts[part] = value_of(nodes[part], self._leaves, values)
        result = self._gradients[step.node]
        for node_id, slot in self._pieces.path(step):
            result = contribution(self._graph, nodes[node_id], slot, values, result)
        if self._pieces.is_zero(step):  # what zero would be multiplied by is not there
            result = np.zeros(shapes.sizes(self._graph[step.target].dims))
        self._contributions[step.index] = result
        before = self._gradients.get(step.target)
        self._gradients[step.target] = result if before is None else before + result

    def _size(self) -> int:
        return sum(array.size for array in self._memory.values())


class _Held(Sequence[Array]):
    """Values by id: those that are there, and NaN for the others."""

    def __init__(self, graph: Graph, leaves: Mapping[str, Array], memory: Mapping[int, Array]) -> None:
        self._graph = graph
        self._leaves = leaves
        self._memory = memory
        self.parts: dict[int, Array] = {}

    def __getitem__(self, node_id: int) -> Array:  # type: ignore[override]  # never a slice
        found = self.parts.get(node_id)
        found = self._memory.get(node_id) if found is None else found
        if found is not None:
            return found
        node = self._graph.nodes[node_id]
        if node.kind != Kind.OP:
            return value_of(node, self._leaves, ())
        if node_id not in self._graph.active:  # made of constants alone
            return value_of(node, self._leaves, self)
        return np.broadcast_to(np.nan, shapes.sizes(node.dims))

    def __len__(self) -> int:
        return len(self._graph.nodes)
