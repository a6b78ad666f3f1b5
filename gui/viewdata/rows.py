"""The rows of the equations dock, of the code dock, and of the scrubber."""

from __future__ import annotations

from engine.derive import Derivation
from engine.errors import BackstepError
from engine.graph import Graph
from engine.trace import Phase, Step, Trace
from gui.viewdata.frame import Frame
from gui.viewdata.records import CodeRow, EquationRow

MAX_ROWS = 200
MAX_CODE = 2000


def equation_rows(frame: Frame) -> list[EquationRow]:
    """Return the network's equations, forward and backward in full, marked where they are being computed."""
    graph, step = frame.trace.graph, frame.step
    whole = frame.statics.whole
    rows = []
    for line in graph.lines[:MAX_ROWS]:
        current = (
            step is not None and step.phase == Phase.FORWARD and _line_name(graph, step.node) == line.name
        )
        rows.append(
            EquationRow(
                line.name, whole.forward_latex(line.name), "forward", current, line.name in frame.values
            )
        )
    back = step is not None and step.phase in (Phase.BACKWARD, Phase.SEED)
    for name in frame.statics.gradient_order[:MAX_ROWS]:
        current = back and step is not None and step.target == name
        rows.append(
            EquationRow(name, _gradient_text(whole, name), "backward", current, name in frame.gradients)
        )
    return rows


def _gradient_text(derivation: Derivation, name: str) -> str:
    try:
        return derivation.equation(name)
    except BackstepError:
        return rf"{derivation.gradient_latex(name)} = \ldots"


def _line_name(graph: Graph, name: str) -> str:
    node = graph[name]
    return graph.lines[node.line].name if node.line >= 0 else name


def code_rows(frame: Frame) -> list[CodeRow]:
    """Return the iteration as NumPy, a line a step; the one just taken is current."""
    rows = []
    for step in frame.trace.steps[:MAX_CODE]:
        text = _code_of(frame, step)
        rows.append(
            CodeRow(
                text,
                step.phase.value,
                step.index == frame.position - 1,
                step.index < frame.position,
                (step.target,),
            )
        )
    return rows


def _code_of(frame: Frame, step: Step) -> str:
    derivation = frame.statics.derivation
    if step.phase == Phase.FORWARD:
        return derivation.forward_source(step.node)
    if step.phase == Phase.SEED:
        return f"{derivation.gradient_name(step.node).code} = 1.0"
    if step.phase == Phase.UPDATE:
        line = next(q for q in frame.optimizer.lines if q.name == step.quantity)
        return line.source.format(p=step.node, g=f"d_{step.node}", **frame.settings)
    equation = frame.statics.backward(step.node, int(step.slot or 0), step.before is not None)
    return equation.source if equation else f"# back through {step.node} to {step.input}"


def timeline_phases(trace: Trace) -> list[str]:
    """Return the phase of each step, for the scrubber."""
    return [step.phase.value for step in trace.steps]
