"""What the panel *This step* shows at a frame: a sentence, three lines of equation, the matrices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from engine.expr import Expr, uses
from engine.names import entry_text
from engine.optimizers import update_equation
from engine.substitute import number_latex, put_in
from engine.trace import Phase, Step
from graphs.views.curtain import updated_name
from graphs.views.frame import Frame
from graphs.views.matrices import factor_views, product_views, update_numbers, update_views
from graphs.views.records import Array, StepView
from graphs.wording import SEED, SEED_REASON, counted, factor_shapes, listed, product_shapes

FAULT_HERE = "The fault is in this step."
LONGEST = 400
"""Characters of LaTeX up to which numbers are put in down to the last one."""


def step_view(frame: Frame) -> StepView:
    """Return what the panel *This step* shows at a frame."""
    view = _step_view(frame)
    if frame.is_faulty:
        view = replace(view, more=f"{FAULT_HERE} {view.more}".rstrip())
    return frame.curtain.over_step(view, frame.trace, frame.step)


def _step_view(frame: Frame) -> StepView:
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
    return f"Entry {entry_text(index)}" if index else ""


def _forward_view(frame: Frame, step: Step) -> StepView:
    derivation, graph = frame.statics.derivation, frame.trace.graph
    node = graph[step.node]
    line = graph.lines[node.line]
    index = entry_of(frame, step.after)
    text = derivation.forward_latex(step.node)
    view = StepView(
        phase="forward",
        sentence=frame.statics.wording.forward(step),
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
    if _reads_hidden(frame, right):
        return view
    return replace(
        view,
        **_numbers(frame.numbers, right, step.after, index),
        matrices=product_views(frame, step.node, step.after, right, "forward"),
        shapes=product_shapes(right),
    )


def _reads_hidden(frame: Frame, expr: Expr) -> bool:
    """Say whether an expression would show the number of a value that is hidden."""
    return bool(frame.covered) and not frame.covered.isdisjoint(uses(expr))


def _numbers(known: Mapping[str, Array], expr: Expr, result: Array, index: tuple[int, ...]) -> dict[str, str]:
    """Return the lines under the equation: the numbers put in, the same in short, and what they come to.

    The first has one term written down to the numbers that it is made of; where that is too long, and where
    there is nothing to shorten, there is only one line.
    """
    in_full, short = put_in(expr, known, index, in_full=True), put_in(expr, known, index)
    came_to = _result(result, index)
    if in_full == short or len(in_full) > LONGEST:
        in_full, short = short, ""
    lines = {"numbers": in_full, "short": short}
    shown = {key: f"= {text}" if text and f"= {text}" != came_to else "" for key, text in lines.items()}
    return shown | {"result": came_to}


def _result(array: Array, index: tuple[int, ...]) -> str:
    return f"= {number_latex(float(array[index]))}"


def _hides_any(frame: Frame, names: Iterable[str]) -> bool:
    """Say whether anything that a step reads is hidden: then no numbers of it are put in."""
    return bool(frame.covered) and not frame.covered.isdisjoint(names)


def _seed_view(frame: Frame, step: Step) -> StepView:
    name = frame.statics.derivation.gradient_name(step.node)
    return StepView(
        phase="seed",
        sentence=SEED,
        more=SEED_REASON,
        equation=f"{name.text} = 1",
        result="= 1",
        latex=f"{name.text} = 1",
        code=f"{name.code} = 1.0",
    )


def _backward_view(frame: Frame, step: Step) -> StepView:
    equation, wording, reached = frame.equation, frame.statics.wording, str(step.input)
    expected = frame.statics.expected.get(reached, 1)
    more = (wording.reads(equation), wording.accumulated(step, frame.arrived(reached), expected))
    view = StepView(
        phase="backward",
        sentence=wording.backward(step, equation),
        more=" ".join(sentence for sentence in more if sentence),
    )
    if equation is None or step.contribution is None:
        return view
    index = entry_of(frame, step.contribution)
    view = replace(
        view,
        equation=equation.coloured,
        entry=_entry_text(index),
        index=index,
        latex=equation.latex,
        code=equation.source,
        shapes=factor_shapes(frame.statics.derivation, equation),
    )
    found = equation.contribution
    if step.node not in frame.gradients or _reads_hidden(frame, found.expr):
        return view  # a learner is to predict it, and has stepped on
    return replace(
        view,
        matrices=factor_views(frame, step, equation),
        **_numbers(frame.numbers, found.expr, step.contribution, index),
    )


def _update_view(frame: Frame, step: Step) -> StepView:
    equation = update_equation(frame.optimizer, frame.statics.derivation, step)
    numbers = update_numbers(frame, step)
    wording = frame.statics.wording
    index = entry_of(frame, step.after)
    view = StepView(
        phase="update",
        sentence=wording.update(equation, step, frame.settings),
        more=wording.update_place(frame.optimizer, equation, frame.settings),
        equation=equation.latex,
        entry=_entry_text(index),
        index=index,
        latex=equation.latex,
        code=equation.source(frame.settings),
    )
    earlier = map(updated_name, frame.trace.updates[step.node])
    if _hides_any(frame, (f"d_{step.node}", *earlier)):
        return replace(view, result=_result(step.after, index))
    return replace(
        view,
        matrices=update_views(frame, step, equation, numbers),
        **_numbers(numbers, equation.expr, step.after, index),
    )
