"""A place on the timeline, and what stays the same at every step of a graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from engine.derive import BackwardEquation, Derivation
from engine.errors import BackstepError
from engine.expr import Name
from engine.graph import Detail, Graph, Kind
from engine.notation import latex
from engine.optimizers import Optimizer
from engine.trace import Phase, Step, Trace
from graphs.network import Model
from gui.viewdata.records import Array, EdgeKey


class Statics:
    """What is the same at every step of a graph: its equations, contributions, and who reads what."""

    def __init__(self, graph: Graph, detail: Detail) -> None:
        self.graph = graph
        self.detail = detail
        self.derivation = Derivation(graph, detail)
        self.whole = self.derivation if detail == Detail.EQUATION else Derivation(graph)
        self.names = graph.visible(detail)
        self.edges: tuple[EdgeKey, ...] = tuple(graph.edges(detail))
        self._equations: dict[tuple[str, int, bool], BackwardEquation | None] = {}

    def backward(self, node: str, slot: int, accumulate: bool = False) -> BackwardEquation | None:
        """Return one backward step's equation; None where its line is too long to be written out."""
        key = (node, slot, accumulate)
        if key not in self._equations:
            try:
                self._equations[key] = self.derivation.backward_equation(node, slot, accumulate)
            except BackstepError:
                self._equations[key] = None
        return self._equations[key]

    @cached_property
    def gradient_order(self) -> tuple[str, ...]:
        """Lines from the loss back, then parameters, then inputs."""
        graph = self.graph
        return (*(line.name for line in reversed(graph.lines)), *graph.parameters, *graph.inputs)

    @cached_property
    def flows_back(self) -> frozenset[EdgeKey]:
        """The edges along which a gradient flows back."""
        path = self.graph.on_loss_path
        return frozenset(e for e in self.edges if self.graph.ids[e[1]] in path)

    @cached_property
    def expected(self) -> Mapping[str, int]:
        """How many contributions the gradient of each node will have."""
        counts: dict[str, int] = {}
        for source, _, _ in self.flows_back:
            counts[source] = counts.get(source, 0) + 1
        return counts

    @cached_property
    def readers(self) -> Mapping[str, tuple[str, ...]]:
        """For each node that forward must keep, the nodes whose backward steps read it."""
        found: dict[str, dict[str, None]] = {}
        if len(self.names) > 500:
            return {}
        for _, target, slot in self.edges:
            equation = self.backward(target, slot) if (_, target, slot) in self.flows_back else None
            for name in equation.contribution.factor.uses if equation else ():
                found.setdefault(name, {})[target] = None
        return {name: tuple(readers) for name, readers in found.items()}

    @cached_property
    def titles(self) -> Mapping[str, tuple[str, str]]:
        """For each node the LaTeX of its name and of its right-hand side."""
        return {name: self._title(name) for name in self.names}

    def _title(self, name: str) -> tuple[str, str]:
        node = self.graph[name]
        derivation = self.derivation
        if node.op is None:
            return derivation.name_latex(name), ""
        own = self.graph.lines[node.line].node == node.id
        if self.detail == Detail.EQUATION or own:
            whole = self.detail == Detail.EQUATION
            return derivation.name_latex(name), derivation.definition_latex(
                name
            ) if whole else self._operation(name)
        return self._operation(name), ""

    def _operation(self, name: str) -> str:
        """Return one operation with its named inputs, and a dot for each unnamed one."""
        node = self.graph[name]
        lines = {line.node for line in self.graph.lines}
        args = []
        for source in node.inputs:
            read = self.graph.nodes[source]
            part = read.kind == Kind.OP and read.id not in lines
            symbol = self.derivation.symbol(source)
            args.append(Name(read.name, read.dims, r"\cdot", "_") if part else symbol)
        assert node.op is not None
        return latex(node.op.express(args, node.dims, dict(node.attrs)))

    def shapes_of(self, name: str) -> tuple[str, str]:
        """Return a node's shape in numbers and in names."""
        dims = self.graph[name].dims
        if not dims:
            return "", ""
        numbers = " × ".join(str(d.size) for d in dims)
        names = " × ".join(d.name for d in dims)
        return numbers, names if names != numbers else ""


@dataclass(frozen=True, eq=False)
class Frame:
    """One place on the timeline: everything that the window shows is a function of this.

    Attributes
    ----------
    position
        How many steps of the iteration have been taken; the last of them is `step`.
    values, gradients
        What is known at this place, by name.
    entry
        The entry whose numbers are put in, where the user has chosen one.
    """

    model: Model
    trace: Trace
    statics: Statics
    position: int
    values: Mapping[str, Array]
    gradients: Mapping[str, Array]
    iteration: int
    iterations: int
    optimizer: Optimizer
    settings: Mapping[str, float]
    entry: tuple[int, ...] | None = None

    @property
    def step(self) -> Step | None:
        """The step that led here, None at the start."""
        return self.trace.steps[self.position - 1] if self.position else None

    @property
    def phase(self) -> str:
        return self.step.phase.value if self.step is not None else "start"

    @property
    def equation(self) -> BackwardEquation | None:
        """The equation of a backward step."""
        step = self.step
        if step is None or step.phase != Phase.BACKWARD or step.slot is None:
            return None
        return self.statics.backward(step.node, step.slot, step.before is not None)

    @cached_property
    def numbers(self) -> dict[str, Array]:
        """Every value by name and every gradient as ``d_NAME``, as expressions read them."""
        arrays = {n.name: a for n, a in zip(self.trace.graph.nodes, self.trace.arrays, strict=True)}
        return {**arrays, **self.values, **{f"d_{name}": g for name, g in self.gradients.items()}}


def arrived(frame: Frame) -> dict[str, int]:
    counts: dict[str, int] = {}
    for step in frame.trace.steps[: frame.position]:
        if step.phase == Phase.BACKWARD:
            counts[step.target] = counts.get(step.target, 0) + 1
    return counts
