"""What the graph shows at a frame."""

from __future__ import annotations

from engine.derive import BackwardEquation
from engine.expr import Expr, Hadamard, Product, Sum, names
from engine.notation import parenthesised
from engine.ops import Side
from engine.trace import Phase, Step
from gui.viewdata.frame import Frame, arrived
from gui.viewdata.records import EdgeKey, EdgeView, NodeView, SceneView
from gui.viewdata.words import kind_of, label_of


def scene_view(frame: Frame) -> SceneView:
    """Return what the graph shows at a frame."""
    step, statics = frame.step, frame.statics
    reads = frame.equation.contribution.factor.uses if frame.equation else ()
    reads = tuple(name for name in reads if name in statics.titles)
    counts = arrived(frame)
    nodes = {name: _node_view(frame, name, reads, counts.get(name, 0)) for name in statics.names}
    edges = {key: _edge_view(frame, key) for key in statics.edges}
    current = None
    if step is not None and step.phase == Phase.BACKWARD:
        current = (str(step.input), step.node, int(step.slot or 0))
    return SceneView(nodes, edges, current, reads, _caption(frame), frame.phase)


def _node_view(frame: Frame, name: str, reads: tuple[str, ...], arrived: int) -> NodeView:
    statics, step = frame.statics, frame.step
    title, formula = statics.titles[name]
    shape, dims = statics.shapes_of(name)
    return NodeView(
        name=name,
        kind=kind_of(frame, name),
        is_loss=name == frame.trace.graph.loss,
        title=title,
        formula=formula,
        shape=shape,
        dims=dims,
        value=frame.values.get(name),
        gradient=frame.gradients.get(name),
        phase=step.phase.value if step is not None and step.target == name else "",
        part=step is not None and step.target != name and _takes_part(frame, step, name),
        read=name in reads,
        stored=name in statics.readers and name in frame.values,
        arrived=arrived,
        expected=statics.expected.get(name, 0),
    )


def _takes_part(frame: Frame, step: Step, name: str) -> bool:
    if step.phase == Phase.FORWARD:
        return any(source == name for source, target, _ in frame.statics.edges if target == step.node)
    return step.phase == Phase.BACKWARD and name == step.node


def _edge_view(frame: Frame, key: EdgeKey) -> EdgeView:
    source, target, slot = key
    step = frame.step
    current, factor = "", ""
    if step is not None and step.phase == Phase.FORWARD and step.node == target:
        current = "forward"
    elif step is not None and step.phase == Phase.BACKWARD and (step.input, step.node, step.slot) == key:
        current, factor = "backward", factor_latex(frame.equation)
    return EdgeView(
        source,
        target,
        slot,
        forward=target in frame.values,
        backward=_has_flowed(frame, key),
        current=current,
        factor=factor,
        has_backward=key in frame.statics.flows_back,
    )


def _has_flowed(frame: Frame, key: EdgeKey) -> bool:
    """Say whether the backward step of this edge has been taken."""
    place = frame.trace.backward_places.get(key)
    return place is not None and place < frame.position


def factor_latex(equation: BackwardEquation | None) -> str:
    """Return a factor as it stands on an edge: with the sign of its multiplication, in its place."""
    if equation is None:
        return ""
    factor = equation.contribution.factor
    scalar = factor.side == Side.SCALAR
    if factor.side == Side.LEFT:
        return rf"{factor.latex}\,\cdot"
    if factor.side in (Side.RIGHT, Side.SUM) and r"\square" not in factor.latex:
        return rf"\cdot\,{factor.latex}"
    if factor.side in (Side.ELEMENTWISE, Side.SCALAR):
        if not has_upstream(equation):
            return factor.latex
        text = parenthesised(factor.latex) if _binds_loosely(factor.operand) else factor.latex
        return rf"\times {text}" if scalar else rf"\odot {text}"
    return factor.latex


def _binds_loosely(operand: Expr | None) -> bool:
    return isinstance(operand, Sum) or (isinstance(operand, Product | Hadamard) and operand.negative)


def has_upstream(equation: BackwardEquation) -> bool:
    """Say whether an incoming gradient stands in the equation; at the loss it is 1 and left out."""
    return any(name.kind == "gradient" for name in names(equation.contribution.expr))


def _caption(frame: Frame) -> tuple[str, str]:
    step, derivation = frame.step, frame.statics.derivation
    if step is None:
        return "", "Ready: press → to compute the first line"
    if step.phase == Phase.FORWARD:
        return label_of(frame, step.node), "is computed"
    if step.phase == Phase.UPDATE:
        return label_of(frame, step.node), "is updated"
    done = "arrives once more" if step.before is not None else "is computed"
    return derivation.gradient_latex(step.target), done if step.phase == Phase.BACKWARD else "starts at 1"
