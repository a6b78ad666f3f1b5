"""What the panel *This step* shows at a frame: a sentence, three lines of equation, the matrices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from engine.derive import BackwardEquation
from engine.expr import Expr
from engine.graph import Detail
from engine.ops import Op, Side
from engine.optimizers import UpdateEquation, update_equation
from engine.substitute import number_latex, put_in
from engine.trace import Phase, Step
from gui.viewdata.frame import Frame
from gui.viewdata.matrices import (
    factor_shapes,
    factor_views,
    product_views,
    shape_sentence,
    update_numbers,
    update_views,
)
from gui.viewdata.records import Array, StepView
from gui.viewdata.words import (
    capital,
    counted,
    listed,
    operand_words,
    plain,
    stored_words,
    update_sentence,
)


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
    leaves = (("input", graph.inputs), ("parameter", graph.parameters))
    there = [counted(len(names), word) for word, names in leaves if names]
    verb = "is" if there and there[-1].startswith("1 ") and len(there) == 1 else "are"
    more = f"{listed(there)} {verb} there; nothing is computed yet." if there else "Nothing is computed yet."
    return StepView("start", "Ready to go forward.", more)


def entry_of(frame: Frame, array: Array) -> tuple[int, ...]:
    """Return the entry to put numbers in for: the chosen one where it fits, else the first."""
    chosen = frame.entry
    fits = chosen is not None and len(chosen) == array.ndim
    if chosen is not None and fits and all(0 <= i < s for i, s in zip(chosen, array.shape, strict=True)):
        return chosen
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
        sentence=_forward_sentence(frame, step),
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
        **_numbers(frame.numbers, right, step.after, index),
        matrices=product_views(frame, step.node, step.after, right, "forward"),
        shapes=shape_sentence(right),
    )


def _numbers(known: Mapping[str, Array], expr: Expr, result: Array, index: tuple[int, ...]) -> dict[str, str]:
    """Return the second and third line: the numbers put in, and what they come to."""
    numbers = put_in(expr, known, index)
    came_to = number_latex(float(result[index]))
    return {"numbers": "" if numbers == came_to else f"= {numbers}", "result": f"= {came_to}"}


def _forward_sentence(frame: Frame, step: Step) -> str:
    sources = frame.statics.sources(step.node)
    read = listed(plain(frame, name) for name in sources) if sources else "constants"
    return f"{capital(plain(frame, step.node))} is computed from {read}."


def _seed_view(frame: Frame, step: Step) -> StepView:
    name = frame.statics.derivation.gradient_name(step.node)
    return StepView(
        phase="seed",
        sentence="Backward starts at the loss, with the gradient 1.",
        more="The loss changes exactly as much as itself, so its own derivative is 1.",
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
        **_numbers(frame.numbers, equation.contribution.expr, step.contribution, index),
    )


_SIDE_SENTENCES = {
    Side.LEFT: "To reach {input}, the gradient of {node} is multiplied from the left{by}.",
    Side.RIGHT: "To reach {input}, the gradient of {node} is multiplied from the right{by}.",
    Side.SUM: "{input} is copied to every {copy}, so its gradient is the sum over all of them.",
    Side.SPREAD: "The gradient of {node} is handed to every entry that was summed.",
    Side.TRANSPOSE: "The gradient of {node} is transposed back for {input}.",
    Side.ELEMENTWISE: "To reach {input}, the gradient of {node} is multiplied entry by entry{by}.",
    Side.SCALAR: "To reach {input}, the gradient of {node} is multiplied by {number}.",
    Side.MAP: "To reach {input}, the gradient of {node} goes through a linear map.",
    Side.COMPOSED: "To reach {input}, the gradient of {node} passes several operations.",
}


def _backward_sentence(frame: Frame, step: Step, equation: BackwardEquation | None) -> str:
    node, reached = plain(frame, step.node), plain(frame, str(step.input))
    if equation is None:
        return f"The gradient passes back from {node} to {reached}."
    factor = equation.contribution.factor
    if factor.latex in ("1", "-1"):
        how = "unchanged" if factor.latex == "1" else "with its sign turned"
        return f"The gradient of {node} passes on to {reached} {how}."
    if step.node == frame.trace.graph.loss and factor.side in (Side.ELEMENTWISE, Side.SCALAR):
        return f"The gradient of {reached} is the slope of the loss itself."
    operation = _only_operation(frame, step)
    if operation is not None and factor.side in (Side.ELEMENTWISE, Side.SCALAR, Side.MAP):
        return f"To reach {reached}, the gradient of {node} passes back through {_symbol(operation)}."
    operand = operand_words(frame, factor.operand)
    sentence = _SIDE_SENTENCES[factor.side].format(
        input=reached,
        node=node,
        by=f" by {operand}" if operand else "",
        number=operand or "one number",
        copy=_copied(frame, step),
    )
    return capital(sentence)


def _symbol(operation: Op) -> str:
    return operation.symbol or operation.name


def _copied(frame: Frame, step: Step) -> str:
    """Say along what the input of a step was copied: examples, or just entries."""
    graph = frame.trace.graph
    axes = graph[step.node].dims
    own = graph[str(step.input)].dims
    kept = (*((None,) * (len(axes) - len(own))), *own)
    copied = [a for a, k in zip(axes, kept, strict=True) if a.size > 1 and (k is None or k.size != a.size)]
    return "example" if len(copied) == 1 and copied[0].examples else "entry"


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
        joined = "more will be added" if step.before is None else "it is added to what has arrived"
        parts.append(f"Contribution {frame.arrived(str(step.input))} of {expected}: {joined}.")
    return " ".join(parts)


def _update_view(frame: Frame, step: Step) -> StepView:
    equation = update_equation(frame.optimizer, frame.statics.derivation, step)
    numbers = update_numbers(frame, step)
    index = entry_of(frame, step.after)
    return StepView(
        phase="update",
        sentence=update_sentence(equation.quantity, plain(frame, step.node), frame.settings),
        more=_update_more(frame, equation),
        equation=equation.latex,
        entry=_entry_text(index),
        index=index,
        matrices=update_views(frame, step, equation, numbers),
        latex=equation.latex,
        code=equation.source(frame.settings),
        **_numbers(numbers, equation.expr, step.after, index),
    )


def _update_more(frame: Frame, equation: UpdateEquation) -> str:
    """Say which optimizer it is, which of its lines, and how far a step goes now."""
    quantities = frame.optimizer.quantities
    place = quantities.index(equation.quantity) + 1
    line = f", line {place} of {len(quantities)}" if len(quantities) > 1 else ""
    return f"{frame.optimizer.title} with learning rate {frame.settings['learning_rate']:.4g}{line}."
