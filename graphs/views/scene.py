"""What the graph shows at a frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from engine.derive import BackwardEquation
from engine.expr import Const, Expr, Hadamard, Product, Sum, names
from engine.notation import parenthesised
from engine.ops import Side
from engine.trace import Phase, Step
from graphs.views.curtain import OPEN
from graphs.views.frame import Frame
from graphs.views.lane import VALUE, lane_formulas, lane_view
from graphs.views.nudge import moved_texts
from graphs.views.records import EdgeKey, EdgeView, LaneView, NodeView, SceneView
from graphs.views.words import label_of
from graphs.wording import arrival


def scene_view(frame: Frame) -> SceneView:
    """Return what the graph shows at a frame.

    A step changes a few cards of perhaps thousands, so the scene is made from the last one of the same trace
    where there is one; the result is the same.
    """
    statics = frame.statics
    reads = _reads(frame)
    names, edges = _touched(frame)
    moved = moved_texts(frame)
    nodes = {name: _node_view(frame, name, reads, moved) for name in names}
    wires = {key: _edge_view(frame, key) for key in edges}
    if frame.curtain:
        nodes = {name: frame.curtain.over_node(view, frame.covered) for name, view in nodes.items()}
        wires = {key: frame.curtain.over_edge(view) for key, view in wires.items()}
    if statics.shown is not None and names is not statics.names:
        nodes = {**statics.shown[1].nodes, **nodes}
        wires = {**statics.shown[1].edges, **wires}
    lane = lane_view(frame)
    view = SceneView(nodes, wires, _current(frame.step), reads, _caption(frame, lane), frame.phase, lane)
    statics.shown = (frame, view)
    return view


def measured_view(frame: Frame) -> SceneView:
    """Return what cards are measured from: with shapes that are hidden, of which a card has the form."""
    hides_shapes = "shapes" in frame.curtain.names
    return scene_view(replace(frame, curtain=OPEN) if hides_shapes else frame)


def formulas_of_scene(frame: Frame) -> Iterator[str]:
    """Yield the LaTeX of everything that the graph may show at any step: to be laid out beforehand."""
    statics = frame.statics
    for title in statics.titles.values():
        yield from filter(None, title)
    for name in statics.names:
        yield statics.derivation.gradient_latex(name)
    for source, target, slot in reversed(statics.edges):
        if (source, target, slot) in statics.flows_back:
            equation = statics.backward(target, slot)
            if equation is not None:
                yield equation.coloured
                yield factor_latex(equation)
    yield from filter(None, lane_formulas(frame))


def _reads(frame: Frame) -> tuple[str, ...]:
    equation = frame.equation if not frame.curtain.hides_factor(frame.step) else None
    uses = equation.contribution.factor.uses if equation else ()
    return tuple(name for name in uses if name in frame.statics.titles)


def _read_by(frame: Frame, step: Step) -> tuple[str, ...]:
    if step.phase != Phase.BACKWARD:
        return ()
    equation = frame.statics.backward(step.node, int(step.slot or 0))
    return tuple(equation.contribution.factor.uses) if equation else ()


def _current(step: Step | None) -> EdgeKey | None:
    if step is None or step.phase != Phase.BACKWARD:
        return None
    return (str(step.input), step.node, int(step.slot or 0))


def _touched(frame: Frame) -> tuple[Iterable[str], Iterable[EdgeKey]]:
    """Return the nodes and edges that may look different from the scene shown last."""
    statics = frame.statics
    old = statics.shown[0] if statics.shown is not None else None
    if old is None or old.trace is not frame.trace or old.curtain != frame.curtain:
        return statics.names, statics.edges
    if abs(old.position - frame.position) > len(statics.names):
        return statics.names, statics.edges
    low, high = sorted((old.position, frame.position))
    steps = [*frame.trace.steps[low:high], *(s for s in (old.step, frame.step) if s is not None)]
    names, edges = {*_reads(old), *_reads(frame)}, set()
    if frame.hides_readings or old.hides_readings:
        names.update(name for step in steps for name in _read_by(frame, step))
    for nudge in (old.nudge, frame.nudge):
        names.update(nudge.moved if nudge is not None else ())
    for step in steps:
        edge = _current(step)
        around = [edge] if edge is not None else statics.edges_into.get(step.node, ())
        edges.update(around)
        names.update((step.target, step.node, *(source for source, _, _ in around)))
    return [name for name in names if name in statics.titles], edges


def _node_view(frame: Frame, name: str, reads: tuple[str, ...], moved: Mapping[str, str]) -> NodeView:
    statics, step = frame.statics, frame.step
    title, formula = statics.titles[name]
    shape, dims = statics.shapes_of(name)
    return NodeView(
        name=name,
        kind=statics.kind(name),
        is_loss=name == frame.trace.graph.loss,
        title=title,
        formula=formula,
        shape=shape,
        dims=dims,
        value=frame.values.get(name),
        gradient=frame.gradients.get(name),
        phase=step.phase.value if step is not None and _sets(step, name) else "",
        part=step is not None and not _sets(step, name) and _takes_part(frame, step, name),
        read=name in reads,
        stored=name in frame.values and bool(frame.readers(name)),
        arrived=frame.arrived(name),
        expected=statics.expected.get(name, 0),
        moved=moved.get(name, ""),
        noise=frame.noise(name),
    )


def _sets(step: Step, name: str) -> bool:
    """Say whether a step changes what a card shows; an optimizer's quantities have cards of their own."""
    return step.target == name and step.quantity in (None, VALUE)


def _takes_part(frame: Frame, step: Step, name: str) -> bool:
    if step.phase == Phase.FORWARD:
        return any(source == name for source, _, _ in frame.statics.edges_into.get(step.node, ()))
    return step.phase in (Phase.BACKWARD, Phase.UPDATE) and name == step.node


def _edge_view(frame: Frame, key: EdgeKey) -> EdgeView:
    source, target, slot = key
    step = frame.step
    current, factor = "", ""
    if step is not None and step.phase == Phase.FORWARD and step.node == target:
        current = "forward"
    elif _current(step) == key:
        current, factor = "backward", factor_latex(frame.equation)
    place = frame.trace.backward_places.get(key)
    return EdgeView(
        source,
        target,
        slot,
        forward=target in frame.values,
        backward=place is not None and place < frame.position,
        current=current,
        factor=factor,
        has_backward=key in frame.statics.flows_back,
    )


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
    """Say whether an operand needs parentheses behind a sign of multiplication."""
    negative = isinstance(operand, Product | Hadamard) and operand.negative
    return isinstance(operand, Sum) or negative or (isinstance(operand, Const) and operand.value < 0)


def has_upstream(equation: BackwardEquation) -> bool:
    """Say whether an incoming gradient stands in the equation; at the loss it is 1 and left out."""
    return any(name.kind == "gradient" for name in names(equation.contribution.expr))


def _caption(frame: Frame, lane: LaneView | None) -> tuple[str, str]:
    step, derivation = frame.step, frame.statics.derivation
    if step is None:
        return "", "Ready: press → to compute the first line"
    if step.phase == Phase.FORWARD:
        return label_of(frame, step.node), "is computed"
    if lane is not None:
        card = next((card for card in lane.cards.values() if card.phase), None)
        if card is None or card.name == VALUE:
            return label_of(frame, step.node), "is updated"
        return card.title, f"is computed: the {card.says}"
    done = arrival(frame.arrived(step.target), frame.statics.expected.get(step.target, 1))
    starts = "starts at ?" if frame.curtain.hides_gradient(step.target) else "starts at 1"
    return derivation.gradient_latex(step.target), done if step.phase == Phase.BACKWARD else starts
