"""What the inspector shows of a node or an edge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from engine.ops import Side
from engine.optimizers import QUANTITIES
from graphs.views.curtain import asked
from graphs.views.frame import Frame
from graphs.views.numbers import format_number
from graphs.views.records import EdgeKey, InspectorView
from graphs.views.words import plain
from graphs.wording import listed


def inspector_view(frame: Frame, selection: str | EdgeKey | None) -> InspectorView | None:
    """Return what the inspector shows; with nothing selected, what the current step changes."""
    if selection is None:
        step = frame.step
        selection = step.target if step is not None else frame.trace.graph.loss
    if isinstance(selection, str):
        return _inspect_node(frame, selection) if selection in frame.trace.graph.ids else None
    return _inspect_edge(frame, selection) if selection in frame.statics.edges else None


def _inspect_node(frame: Frame, name: str) -> InspectorView:
    node = frame.trace.graph[name]
    shape, dims = ("?", "") if "shapes" in frame.curtain.names else frame.statics.shapes_of(name)
    derivation = frame.statics.derivation
    value, gradient = frame.values.get(name), frame.gradients.get(name)
    axes = tuple(d.name if not d.examples else "examples" for d in node.dims)
    return InspectorView(
        name=name,
        heading=derivation.forward_latex(name) if node.op is not None else derivation.name_latex(name),
        kind=frame.statics.kind(name),
        shape=shape or "scalar",
        dims=dims,
        value=value,
        gradient=gradient,
        value_note=frame.curtain.said_of("Its value") if name in frame.covered else "",
        gradient_note=_gradient_note(frame, name),
        facts=tuple(_facts(frame, name)),
        axes=(axes[0], axes[-1]) if len(axes) == 2 else ("", axes[0] if axes else ""),
        noise=frame.noise(name),
    )


def changeable(frame: Frame, selection: str | EdgeKey | None) -> tuple[str, str]:
    """Return the name of what the inspector shows the value of, and why its numbers cannot be changed.

    The reason is "" for parameters and data.
    """
    view = inspector_view(frame, selection)
    if view is None:
        return "", ""
    if view.kind == "edge":
        assert isinstance(selection, tuple)
        return selection[0], f"This is an edge: select {selection[0]} itself to look at its numbers."
    if view.kind in ("parameter", "input"):
        return view.name, ""
    leaves = _leaves_of(frame, view.name)
    name = plain(frame, view.name)
    if not leaves:
        return view.name, f"{name} is computed."
    return view.name, f"{name} is computed: change {listed(leaves).replace(' and ', ' or ')}."


def _leaves_of(frame: Frame, name: str) -> list[str]:
    """Return the parameters and inputs that a node is made of, in the order of the graph's reading."""
    graph = frame.trace.graph
    reached = {graph.ids[name]}
    for node in reversed(graph.nodes[: graph.ids[name] + 1]):
        if node.id in reached:
            reached.update(node.inputs)
    return [plain(frame, n) for n in (*graph.parameters, *graph.inputs) if graph.ids[n] in reached]


def is_standardised(frame: Frame, name: str) -> bool:
    """Say whether an input's numbers are not those of its file, but standardised."""
    selection = frame.model.selection
    return selection is not None and name in selection.scaling


def file_unit(frame: Frame, name: str, cell: tuple[int, int]) -> str:
    """Return what a standardised entry is in the unit of its column, "" for any other."""
    selection, value = frame.model.selection, frame.values.get(name)
    if selection is None or name not in selection.scaling or value is None or value.ndim != 2:
        return ""
    mean, deviation = selection.scaling[name]
    row = cell[0]
    if row >= len(mean) or cell[1] >= value.shape[1] or (mean[row, 0], deviation[row, 0]) == (0, 1):
        return ""
    return (
        f"  ({selection.columns[name][row]} {format_number(value[cell] * deviation[row, 0] + mean[row, 0])})"
    )


def _gradient_note(frame: Frame, name: str) -> str:
    graph = frame.trace.graph
    if graph.ids[name] not in graph.on_loss_path:
        return "The loss does not depend on it: its gradient is zero."
    expected = frame.statics.expected.get(name, 1)
    count = frame.arrived(name)
    if f"d_{name}" in frame.covered:
        return frame.curtain.said_of("Its gradient")
    if name not in frame.gradients:
        return "Its gradient has not been computed yet."
    return (
        f"{count} of {expected} contributions have arrived."
        if count < expected and name != graph.loss
        else ""
    )


def _facts(frame: Frame, name: str) -> Iterator[tuple[str, str]]:
    for label, array in (("value", frame.values.get(name)), ("gradient", frame.gradients.get(name))):
        if array is not None and array.size > 1:
            with np.errstate(all="ignore"):
                yield (
                    f"{label}: smallest, largest",
                    f"{format_number(array.min())}, {format_number(array.max())}",
                )
                yield f"{label}: mean", format_number(array.mean())
                yield f"{label}: norm", format_number(np.sqrt(np.sum(array * array)))
        elif array is not None:
            yield label, format_number(float(array.reshape(())))
    for key, array in frame.quantities(name).items():
        with np.errstate(all="ignore"):
            norm = np.sqrt(np.sum(array * array)) if array.size > 1 else array.reshape(())
        yield QUANTITIES[key].text + (": norm" if array.size > 1 else ""), format_number(float(norm))
    readers = [f"the step back through {plain(frame, r)}" for r in frame.readers(name)]
    if readers:
        yield "stored for", listed([*readers, *(["?"] if frame.hides_readings else [])])


_SIDES = {
    Side.LEFT: "multiplies from the left",
    Side.RIGHT: "multiplies from the right",
    Side.SUM: "sums over copies",
    Side.SPREAD: "is handed to every entry",
    Side.TRANSPOSE: "is transposed",
    Side.ELEMENTWISE: "multiplies entry by entry",
}


def _inspect_edge(frame: Frame, key: EdgeKey) -> InspectorView:
    source, target, slot = key
    place = frame.trace.backward_places.get(key)
    adds = place is not None and frame.trace.steps[place].before is not None
    equation = frame.statics.backward(target, slot, adds)
    step = frame.trace.steps[place] if place is not None and place < frame.position else None
    node = _inspect_node(frame, source)
    factor = equation.contribution.factor if equation else None
    facts = (
        []
        if factor is None
        else [
            ("factor", _SIDES.get(factor.side) or frame.statics.wording.on_the_way(target, slot)),
            ("reads", listed([plain(frame, n) for n in factor.uses] or ["nothing stored"])),
        ]
    )
    heading = equation.latex if equation else node.heading
    note = "" if step is not None else "No gradient has flowed back along it yet."
    curtain = frame.curtain
    is_ahead = curtain.ahead and step is None
    if is_ahead or curtain.hides_equation(source) or "factors" in curtain.names:
        heading, facts = asked(heading, curtain.mark), []
    if step is not None and curtain.hides_gradient(source):
        step, note = None, curtain.said_of("What flowed back along it")
    return replace(
        node,
        name=f"{plain(frame, source)} → {plain(frame, target)}",
        heading=heading,
        kind="edge",
        contribution=step.contribution if step is not None else None,
        gradient_note=note,
        facts=tuple(facts),
    )
