"""A place on the timeline, and what stays the same at every step of a graph."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from engine.derive import BackwardEquation, Derivation
from engine.errors import BackstepError
from engine.expr import Expr, Name
from engine.graph import Detail, Graph, Kind
from engine.notation import latex
from engine.nudge import AnyNudge
from engine.optimizers import Optimizer
from engine.rounding import Rounding
from engine.trace import Phase, Step, Trace
from graphs.network import Model
from graphs.snapshot import Snapshot
from graphs.views.curtain import OPEN, Curtain, updated_name
from graphs.views.records import Array, EdgeKey, SceneView
from graphs.wording import Wording

__all__ = ["Frame", "FrameNumbers", "Statics"]

MAX_READERS = 500  # nodes beyond which who reads what is not asked: it takes every equation


class Statics:
    """What is the same at every step of a graph: its equations, contributions, and who reads what.

    Parameters
    ----------
    derive
        Gives the equations: those with a fault, for a run that has one.
    """

    def __init__(
        self, graph: Graph, detail: Detail, derive: Callable[[Graph, Detail], Derivation] = Derivation
    ) -> None:
        self.graph = graph
        self.detail = detail
        self.derivation = derive(graph, detail)
        self.wording = Wording(self.derivation)
        self.whole = self.derivation if detail == Detail.EQUATION else derive(graph, Detail.EQUATION)
        self.names = graph.visible(detail)
        self.edges: tuple[EdgeKey, ...] = tuple(graph.edges(detail))
        self.shown: tuple[Frame, SceneView] | None = None  # the last scene: the next differs little
        self.kept: dict[str, Any] = {}  # what views have worked out of the graph once, by their own keys
        self._equations: dict[tuple[str, int, bool], BackwardEquation | None] = {}
        self._texts: dict[tuple[str, str], str] = {}
        self._arrivals: dict[str, list[int]] | None = None

    def is_of(self, graph: Graph) -> bool:
        """Say whether a graph has the same nodes and edges in sight."""
        return graph.visible(self.detail) == self.names and tuple(graph.edges(self.detail)) == self.edges

    def backward(self, node: str, slot: int, accumulate: bool = False) -> BackwardEquation | None:
        """Return one backward step's equation; None where its line is too long to be written out."""
        key = (node, slot, accumulate)
        if key not in self._equations:
            try:
                self._equations[key] = self.derivation.backward_equation(node, slot, accumulate)
            except BackstepError:
                self._equations[key] = None
        return self._equations[key]

    def forward_text(self, name: str) -> str:
        """Return the equation that defines a line, as LaTeX."""
        return self._kept("forward", name, self.whole.forward_latex)

    def gradient_text(self, name: str) -> str:
        """Return the equation of a whole gradient, as LaTeX; dots where a line is too long to write out."""
        return self._kept("gradient", name, self._gradient_text)

    def source(self, name: str) -> str:
        """Return the NumPy statement that computes a node."""
        return self._kept("source", name, self.derivation.forward_source)

    def _kept(self, what: str, name: str, write: Callable[[str], str]) -> str:
        text = self._texts.get((what, name))
        if text is None:
            text = self._texts[what, name] = write(name)
        return text

    def _gradient_text(self, name: str) -> str:
        try:
            return self.whole.equation(name)
        except BackstepError:
            return rf"{self.whole.gradient_latex(name)} = \ldots"

    def arrived(self, trace: Trace, name: str, position: int) -> int:
        """Return how many contributions to a gradient have arrived after `position` steps.

        The order of the steps depends on the graph alone, so any trace of it will do.
        """
        return bisect_left(self.arrivals(trace, name), position)

    def arrivals(self, trace: Trace, name: str) -> Sequence[int]:
        """Return the indices of the steps that contribute to a gradient, in order."""
        if self._arrivals is None:
            self._arrivals = _arrivals(trace)
        return self._arrivals.get(name, ())

    @cached_property
    def edges_into(self) -> Mapping[str, Sequence[EdgeKey]]:
        """The edges by the node that they lead to."""
        found: dict[str, list[EdgeKey]] = {}
        for edge in self.edges:
            found.setdefault(edge[1], []).append(edge)
        return found

    def sources(self, name: str) -> list[str]:
        """Return the nodes that a node reads, each once, in reading order."""
        return list(dict.fromkeys(source for source, _, _ in self.edges_into.get(name, ())))

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
        return {name: _nodes_read_through(edges) for name, edges in self.reading_edges.items()}

    @cached_property
    def reading_edges(self) -> Mapping[str, tuple[EdgeKey, ...]]:
        """For each node that forward must keep, the edges whose factors read it."""
        found: dict[str, list[EdgeKey]] = {}
        for edge in self.edges if len(self.names) <= MAX_READERS else ():
            equation = self.backward(edge[1], edge[2]) if edge in self.flows_back else None
            for name in dict.fromkeys(equation.contribution.factor.uses if equation else ()):
                found.setdefault(name, []).append(edge)
        return {name: tuple(edges) for name, edges in found.items()}

    @cached_property
    def titles(self) -> Mapping[str, tuple[str, str]]:
        """For each node the LaTeX of its name and of its right-hand side."""
        return {name: self._title(name) for name in self.names}

    def _title(self, name: str) -> tuple[str, str]:
        if self.kind(name) == "op":  # whose name is what it computes, which may be too long to be written out
            return self._operation(name), ""
        title = self.derivation.name_latex(name)
        if self.kind(name) != "line":
            return title, ""
        if self.detail == Detail.EQUATION:
            return title, self.derivation.definition_latex(name)
        return title, self._operation(name)

    def kind(self, name: str) -> str:
        """Return "input", "parameter", "line", or "op" for an unnamed part of a line."""
        node = self.graph[name]
        if node.kind != Kind.OP:
            return node.kind.value
        return "line" if node.id in self._lines else "op"

    @cached_property
    def _lines(self) -> frozenset[int]:
        return frozenset(line.node for line in self.graph.lines)

    def _operation(self, name: str) -> str:
        """Return one operation with its named inputs, and a dot for each unnamed one."""
        node = self.graph[name]
        args = []
        for source in node.inputs:
            read = self.graph.nodes[source]
            part = read.kind == Kind.OP and read.id not in self._lines
            args.append(Name(read.name, read.dims, r"\cdot", "_") if part else self.derivation.symbol(source))
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


def _nodes_read_through(edges: Iterable[EdgeKey]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(target for _, target, _ in edges))


def _arrivals(trace: Trace) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for step in trace.steps:
        if step.phase == Phase.BACKWARD:
            found.setdefault(step.target, []).append(step.index)
    return found


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
    nudge
        The nudge test that is being looked at.
    curtain
        What is not to be seen until it is revealed; `values` and `gradients` are without it.
    covered
        What of it is known at this place, by name.
    faulty
        The steps, by index, in which a fault is done that was put into the run.
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
    nudge: AnyNudge | None = None
    curtain: Curtain = OPEN
    covered: frozenset[str] = frozenset()
    faulty: frozenset[int] = frozenset()

    @classmethod
    def of(cls, snapshot: Snapshot, statics: Statics | None = None) -> Frame:
        """Return the frame of a snapshot; `statics` are those of another place of the same trace."""
        state, trace = snapshot.state, snapshot.trace
        return cls(
            model=snapshot.model,
            trace=trace,
            statics=statics or Statics(trace.graph, trace.detail, snapshot.derive),
            position=snapshot.position,
            values=state.values,
            gradients=state.gradients,
            iteration=snapshot.iteration,
            iterations=snapshot.run.iteration if snapshot.run is not None else snapshot.iteration,
            optimizer=snapshot.optimizer,
            settings=snapshot.settings,
            faulty=frozenset() if snapshot.run is None else snapshot.run.faulty_steps(trace),
        )

    def at(self, position: int) -> Frame:
        """Return another place in the same iteration, with no nudge to look at."""
        if position == self.position and self.nudge is None:
            return self
        state = self.trace.state(position)
        values, gradients, covered = self.curtain.known(self.trace, state.values, state.gradients, position)
        return replace(
            self, position=position, values=values, gradients=gradients, covered=covered, nudge=None
        )

    @property
    def step(self) -> Step | None:
        """The step that led here, None at the start."""
        return self.trace.steps[self.position - 1] if self.position else None

    @property
    def is_faulty(self) -> bool:
        """Whether a fault is done in that step."""
        return self.step is not None and self.step.index in self.faulty

    @property
    def phase(self) -> str:
        """The phase of that step, "start" at the start."""
        return self.step.phase.value if self.step is not None else "start"

    @property
    def equation(self) -> BackwardEquation | None:
        """The equation of a backward step."""
        step = self.step
        if step is None or step.phase != Phase.BACKWARD or step.slot is None:
            return None
        return self.statics.backward(step.node, step.slot, step.before is not None)

    @cached_property
    def numbers(self) -> FrameNumbers:
        """Every value by name and every gradient as ``d_NAME``, as expressions read them."""
        return FrameNumbers(self)

    def quantities(self, name: str) -> Mapping[str, Array]:
        """Return what is known at this place of an update of a parameter: kept, or worked out by now."""
        found = {key: array for (node, key), array in self.trace.kept.items() if node == name}
        for step in self.trace.updates.get(name, ()):
            is_known = step.index < self.position and updated_name(step) not in self.covered
            if is_known and step.quantity != "value":
                found[str(step.quantity)] = step.after
        return found

    def arrived(self, name: str) -> int:
        """Return how many contributions to a gradient have arrived."""
        return self.statics.arrived(self.trace, name, self.position)

    @property
    def hides_loss(self) -> bool:
        """Whether the loss of this iteration is still to be found out; a run may have it already."""
        loss = self.trace.graph.loss
        is_hidden = self.curtain.ahead or self.curtain.hides_value(self.trace, loss)
        return loss not in self.values and is_hidden

    @cached_property
    def hides_forward(self) -> bool:
        """Whether something that forward works out is hidden, by now or later on."""
        graph, curtain = self.trace.graph, self.curtain
        names = (name for name in graph.named if graph[name].op is not None)
        return bool(curtain) and any(curtain.hides_value(self.trace, name) for name in names)

    @cached_property
    def hides_readings(self) -> bool:
        """Whether it is hidden of any backward step which stored values it reads."""
        curtain = self.curtain
        if not curtain and not curtain.ahead:
            return False
        backward = (step for step in self.trace.steps if step.phase == Phase.BACKWARD)
        return any(curtain.hides_reading(step, self.position) for step in backward)

    def readers(self, name: str) -> tuple[str, ...]:
        """Return the nodes whose backward steps read a stored value, as far as that is not hidden."""
        if not self.hides_readings:
            return self.statics.readers.get(name, ())
        trace, curtain = self.trace, self.curtain
        places = trace.backward_places
        told = (
            edge
            for edge in self.statics.reading_edges.get(name, ())
            if edge in places and not curtain.hides_reading(trace.steps[places[edge]], self.position)
        )
        return _nodes_read_through(told)

    @property
    def rounding(self) -> Rounding:
        """Tells which numbers of the iteration are rounding."""
        trace, found = self.statics.kept.get("rounding", (None, None))
        if trace is not self.trace or found is None:
            found = Rounding(self.trace)
            self.statics.kept["rounding"] = (self.trace, found)
        return found

    def noise(self, name: str) -> tuple[str, ...]:
        """Return which of a node's numbers are rounding: "value", "gradient"."""
        value, gradient = self.values.get(name), self.gradients.get(name)
        found = []
        if value is not None and self.rounding.is_value(name, value):
            found.append("value")
        if gradient is not None and self.rounding.is_gradient(name, gradient):
            found.append("gradient")
        return tuple(found)

    def sets_rounding(self, step: Step) -> bool:
        """Say whether what a step sets is rounding; an optimizer's quantities are what they are."""
        if step.quantity not in (None, "value"):
            return False
        is_gradient = step.phase in (Phase.SEED, Phase.BACKWARD)
        check = self.rounding.is_gradient if is_gradient else self.rounding.is_value
        return check(step.target, step.after)


class FrameNumbers(Mapping[str, Array]):
    """Looks names up where they stand: a table of all would cost a step of a large graph its time."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def is_rounding(self, expr: Expr, array: Array) -> bool:
        """Say whether what an expression comes to is rounding."""
        return self._frame.rounding.is_expression(expr, array)

    def __getitem__(self, name: str) -> Array:
        frame = self._frame
        if name.startswith("d_") and name[2:] in frame.gradients:
            return frame.gradients[name[2:]]
        if name in frame.values:
            return frame.values[name]
        return frame.trace.arrays[frame.trace.graph.ids[name]]

    def __iter__(self) -> Iterator[str]:
        yield from self._frame.trace.graph.ids
        yield from (f"d_{name}" for name in self._frame.gradients)

    def __len__(self) -> int:
        return len(self._frame.trace.graph.ids) + len(self._frame.gradients)
