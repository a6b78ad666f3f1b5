"""What the inspector shows of a node or an edge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from engine.ops import Side
from engine.optimizers import QUANTITIES
from gui.numbers import format_number
from gui.viewdata.frame import Frame
from gui.viewdata.records import EdgeKey, InspectorView
from gui.viewdata.words import listed, plain


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
    shape, dims = frame.statics.shapes_of(name)
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
        gradient_note=_gradient_note(frame, name),
        facts=tuple(_facts(frame, name)),
        axes=(axes[0], axes[-1]) if len(axes) == 2 else ("", axes[0] if axes else ""),
    )


def _gradient_note(frame: Frame, name: str) -> str:
    graph = frame.trace.graph
    if graph.ids[name] not in graph.on_loss_path:
        return "The loss does not depend on it: its gradient is zero."
    expected = frame.statics.expected.get(name, 1)
    count = frame.arrived(name)
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
    readers = frame.statics.readers.get(name, ())
    if readers:
        yield "stored for", listed(f"the step back through {plain(frame, r)}" for r in readers)


_SIDES = {
    Side.LEFT: "multiplies from the left",
    Side.RIGHT: "multiplies from the right",
    Side.SUM: "sums over copies",
    Side.SPREAD: "is handed to every entry",
    Side.TRANSPOSE: "is transposed",
    Side.ELEMENTWISE: "multiplies entry by entry",
    Side.SCALAR: "multiplies by one number",
    Side.MAP: "is a linear map",
}


def _inspect_edge(frame: Frame, key: EdgeKey) -> InspectorView:
    source, target, slot = key
    equation = frame.statics.backward(target, slot)
    place = frame.trace.backward_places.get(key)
    step = frame.trace.steps[place] if place is not None and place < frame.position else None
    node = _inspect_node(frame, source)
    factor = equation.contribution.factor if equation else None
    facts = (
        []
        if factor is None
        else [
            ("factor", _SIDES.get(factor.side, "passes several operations")),
            ("reads", listed([plain(frame, n) for n in factor.uses] or ["nothing stored"])),
        ]
    )
    return replace(
        node,
        name=f"{plain(frame, source)} → {plain(frame, target)}",
        heading=equation.latex if equation else node.heading,
        kind="edge",
        contribution=step.contribution if step is not None else None,
        gradient_note="" if step is not None else "No gradient has flowed back along it yet.",
        facts=tuple(facts),
    )
