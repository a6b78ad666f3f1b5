"""The rows of the equations dock, of the code dock, and of the scrubber."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.graph import Graph
from engine.optimizers import update_equation
from engine.trace import Phase, Step, Trace
from graphs.iteration_script import Iteration
from graphs.views.frame import Frame
from graphs.views.records import CodeRow, EquationRow

MAX_ROWS = 200
MAX_CODE = 2000


def equation_rows(frame: Frame) -> list[EquationRow]:
    """Return the network's equations, forward and backward in full, marked where they are being computed."""
    return list(each_equation(frame))


def each_equation(frame: Frame) -> Iterator[EquationRow]:
    """Yield the network's equations, each written only when it is its turn."""
    yield from _forward_rows(frame)
    yield from map(frame.curtain.over_equation, _backward_rows(frame))


def _forward_rows(frame: Frame) -> Iterator[EquationRow]:
    graph, step = frame.trace.graph, frame.step
    computed = _line_name(graph, step.node) if step is not None and step.phase == Phase.FORWARD else ""
    for line in graph.lines[:MAX_ROWS]:
        text = frame.statics.forward_text(line.name)
        yield EquationRow(line.name, text, "forward", computed == line.name, line.name in frame.values)


def _backward_rows(frame: Frame) -> Iterator[EquationRow]:
    step = frame.step
    reached = step.target if step is not None and step.phase in (Phase.BACKWARD, Phase.SEED) else ""
    for name in frame.statics.gradient_order[:MAX_ROWS]:
        text = frame.statics.gradient_text(name)
        yield EquationRow(name, text, "backward", reached == name, _is_complete(frame, name))


def _is_complete(frame: Frame, name: str) -> bool:
    """Say whether a gradient is there with all its contributions."""
    missing = frame.statics.expected.get(name, 0) - frame.arrived(name)
    return name in frame.gradients and missing <= 0


def _line_name(graph: Graph, name: str) -> str:
    node = graph[name]
    return graph.lines[node.line].name if node.line >= 0 else name


def code_rows(frame: Frame) -> list[CodeRow]:
    """Return the iteration as NumPy, a line a step; what is hidden is covered."""
    return list(map(frame.curtain.over_code, written_rows(frame)))


def written_rows(frame: Frame) -> list[CodeRow]:
    """Return the rows of the iteration as they are written, whatever is hidden of them."""
    return [
        CodeRow(
            _code_of(frame, step),
            step.phase.value,
            step.index == frame.position - 1,
            step.index < frame.position,
            (step.target,),
        )
        for step in frame.trace.steps[:MAX_CODE]
    ]


def _code_of(frame: Frame, step: Step) -> str:
    if step.phase == Phase.FORWARD:
        return frame.statics.source(step.node)
    if step.phase == Phase.SEED:
        return f"{frame.statics.derivation.gradient_name(step.node).code} = 1.0"
    if step.phase == Phase.UPDATE:
        return update_equation(frame.optimizer, frame.statics.derivation, step).source(frame.settings)
    equation = frame.statics.backward(step.node, int(step.slot or 0), step.before is not None)
    return equation.source if equation else f"# back through {step.node} to {step.input}"


def iteration_of(frame: Frame, batch: Sequence[int] | None = None) -> Iteration:
    """Return what a script of the iteration shown is written of; `batch` says which examples it takes."""
    title, number = frame.model.network.title, frame.iteration
    return Iteration(
        title, frame.trace, frame.optimizer, frame.settings, number, batch, frame.statics.derivation
    )


def arrays_counted(frame: Frame) -> int:
    """Return how many arrays are there before the first step: data, parameters, what the optimizer kept."""
    graph = frame.trace.graph
    return len(graph.inputs) + len(graph.parameters) + len(frame.trace.kept)


def timeline_phases(trace: Trace) -> list[str]:
    """Return the phase of each step, for the scrubber."""
    return [step.phase.value for step in trace.steps]
