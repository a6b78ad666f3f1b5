"""What the panel *This step* shows at a frame: a sentence, three lines of equation, the matrices."""

from __future__ import annotations

from dataclasses import replace

from engine.derive import BackwardEquation
from engine.expr import Expr
from engine.graph import Detail
from engine.ops import Op, Side
from engine.substitute import number_latex, put_in
from engine.trace import Phase, Step
from gui.viewdata.frame import Frame, arrived
from gui.viewdata.matrices import factor_shapes, factor_views, product_views, shape_sentence, update_views
from gui.viewdata.records import Array, StepView
from gui.viewdata.words import capital, listed, plain, stored_words


def step_view(frame: Frame) -> StepView:
    """Return what the panel *This step* shows at a frame."""
    step = frame.step
    if step is None:
        return _start_view(frame)
    if step.phase == Phase.FORWARD:
        return _forward_view(frame, step)
    if step.phase == Phase.SEED:
        return _seed_view(frame, step)
    if step.phase == Phase.UPDATE:
        return _update_view(frame, step)
    return _backward_view(frame, step)


def _start_view(frame: Frame) -> StepView:
    graph = frame.trace.graph
    more = f"{len(graph.inputs)} inputs and {len(graph.parameters)} parameters are there; nothing is computed yet."
    return StepView("start", "Ready to go forward.", more)


def entry_of(frame: Frame, array: Array) -> tuple[int, ...]:
    """Return the entry to put numbers in for: the chosen one where it fits, else the first."""
    if frame.entry is not None and len(frame.entry) == array.ndim:
        if all(i < size for i, size in zip(frame.entry, array.shape, strict=True)):
            return frame.entry
    return (0,) * array.ndim


def _entry_text(index: tuple[int, ...]) -> str:
    return f"Entry [{', '.join(map(str, index))}]" if index else ""


def _forward_view(frame: Frame, step: Step) -> StepView:
    derivation, graph = frame.statics.derivation, frame.trace.graph
    node = graph[step.node]
    line = graph.lines[node.line]
    index = entry_of(frame, step.after)
    text = derivation.forward_latex(step.node)
    view = StepView(
        phase="forward",
        sentence=f"{capital(plain(frame, step.node))} is computed from {listed(plain(frame, n) for n in _sources(frame, step.node))}.",
        more=f"Line {node.line + 1} of {len(graph.lines)}: {line.text}",
        equation=text,
        entry=_entry_text(index),
        index=index,
        latex=text,
        code=derivation.forward_source(step.node),
    )
    if not derivation.is_written(line):
        return view
    right = derivation.right_side(step.node)
    return replace(
        view,
        **_numbers(frame, right, step.after, index),
        matrices=product_views(frame, step.node, step.after, right, "forward"),
        shapes=shape_sentence(right),
    )


def _numbers(frame: Frame, expr: Expr, result: Array, index: tuple[int, ...]) -> dict[str, str]:
    """Return the second and third line: the numbers put in, and what they come to."""
    numbers = put_in(expr, frame.numbers, index)
    came_to = number_latex(float(result[index]))
    return {"numbers": "" if numbers == came_to else f"= {numbers}", "result": f"= {came_to}"}


def _sources(frame: Frame, name: str) -> list[str]:
    """Return the nodes that a node reads, each once, in reading order."""
    return list(dict.fromkeys(s for s, target, _ in frame.statics.edges if target == name)) or ["constants"]


def _seed_view(frame: Frame, step: Step) -> StepView:
    name = frame.statics.derivation.gradient_name(step.node)
    return StepView(
        phase="seed",
        sentence="Backward starts at the loss, with the gradient 1.",
        more="The loss changes by exactly as much as the loss: that derivative is 1.",
        equation=f"{name.text} = 1",
        result="= 1",
        latex=f"{name.text} = 1",
        code=f"{name.code} = 1.0",
    )


def _backward_view(frame: Frame, step: Step) -> StepView:
    equation = frame.equation
    view = StepView(
        phase="backward",
        sentence=_backward_sentence(frame, step, equation),
        more=_backward_more(frame, step, equation),
    )
    if equation is None or step.contribution is None:
        return view
    index = entry_of(frame, step.contribution)
    return replace(
        view,
        equation=equation.coloured,
        entry=_entry_text(index),
        index=index,
        latex=equation.latex,
        code=equation.source,
        matrices=factor_views(frame, step, equation),
        shapes=factor_shapes(frame, equation),
        **_numbers(frame, equation.contribution.expr, step.contribution, index),
    )


_SIDE_SENTENCES = {
    Side.LEFT: "To reach {input}, the gradient of {node} is multiplied from the left.",
    Side.RIGHT: "To reach {input}, the gradient of {node} is multiplied from the right.",
    Side.SUM: "{input} was used once for every copy of it, so its gradient is the sum over all copies.",
    Side.SPREAD: "The gradient of {node} is handed to every entry that was summed.",
    Side.TRANSPOSE: "The gradient of {node} is transposed back for {input}.",
    Side.ELEMENTWISE: "To reach {input}, the gradient of {node} is multiplied entry by entry.",
    Side.SCALAR: "To reach {input}, the gradient of {node} is multiplied by one number.",
    Side.MAP: "The gradient of {node} goes through a linear map to reach {input}.",
    Side.COMPOSED: "The gradient of {node} passes several operations to reach {input}.",
}


def _backward_sentence(frame: Frame, step: Step, equation: BackwardEquation | None) -> str:
    graph = frame.trace.graph
    words = {"input": plain(frame, str(step.input)), "node": plain(frame, step.node)}
    if equation is None:
        return f"The gradient passes back from {words['node']} to {words['input']}."
    factor = equation.contribution.factor
    if step.node == graph.loss and factor.side in (Side.ELEMENTWISE, Side.SCALAR):
        return f"The loss answers to {words['input']} with this slope."
    if factor.latex == "1":
        return f"The sum passes the gradient of {words['node']} on to {words['input']} unchanged."
    operation = _only_operation(frame, step)
    if operation is not None and factor.side in (Side.ELEMENTWISE, Side.SCALAR, Side.MAP):
        return f"The gradient passes back through {operation.symbol or operation.name}."
    return capital(_SIDE_SENTENCES[factor.side].format(**words))


def _only_operation(frame: Frame, step: Step) -> Op | None:
    """Return the operation of a node that is a function of one value."""
    node = frame.trace.graph[step.node]
    alone = len(frame.trace.graph.lines[node.line].parts) == 1 or frame.statics.detail == Detail.PRIMITIVE
    return node.op if alone and node.op is not None and len(node.inputs) == 1 else None


def _backward_more(frame: Frame, step: Step, equation: BackwardEquation | None) -> str:
    parts = []
    uses = equation.contribution.factor.uses if equation else ()
    if uses:
        parts.append(f"The factor reads the stored {listed(stored_words(frame, n) for n in uses)}.")
    elif equation is not None and equation.contribution.factor.side == Side.SUM:
        parts.append("It reads no stored value: a sum needs none.")
    expected = frame.statics.expected.get(str(step.input), 1)
    if expected > 1:
        number = arrived(frame).get(str(step.input), 1)
        joined = "it is added to what has arrived" if step.before is not None else "the others will be added"
        parts.append(f"Contribution {number} of {expected}: {joined}.")
    return " ".join(parts)


def _update_view(frame: Frame, step: Step) -> StepView:
    optimizer, derivation = frame.optimizer, frame.statics.derivation
    line = next(q for q in optimizer.lines if q.name == step.quantity)
    text = line.latex.replace("{p}", derivation.name_latex(step.node))
    text = text.replace("{g}", derivation.gradient_latex(step.node))
    index = entry_of(frame, step.after)
    rate = frame.settings.get("learning_rate", 0.0)
    before = frame.trace.values[step.node]
    gradient = frame.trace.gradients[step.node]
    numbers = f"= {number_latex(float(before[index]))} - {number_latex(rate)} \\cdot {_in_parentheses(gradient[index])}"
    return StepView(
        phase="update",
        sentence=f"{plain(frame, step.node)} takes one step against its gradient.",
        more=f"{optimizer.title} with learning rate {rate:g}.",
        equation=text,
        numbers=numbers,
        result=f"= {number_latex(float(step.after[index]))}",
        entry=_entry_text(index),
        index=index,
        matrices=update_views(frame, step, before, gradient, rate),
        latex=text,
        code=line.source.format(p=step.node, g=f"d_{step.node}", **frame.settings),
    )


def _in_parentheses(x: float) -> str:
    text = number_latex(float(x))
    return f"({text})" if text.startswith("-") or "cdot" in text else text
