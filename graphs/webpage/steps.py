"""The steps of a page, one below the other: readable without a script, and what the script shows one of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html import escape
from itertools import pairwise

from engine.trace import Phase, Step
from graphs.mathml import mathml
from graphs.views.frame import Frame
from graphs.views.lane import lane_view
from graphs.views.records import Array, MatrixView, StepView
from graphs.views.step import step_view
from graphs.webpage.arrays import ArrayTable, said
from graphs.webpage.extent import Extent

__all__ = ["article", "cancelling", "summands", "walk"]


def _place(position: int, steps: int, phase: str) -> str:
    """Return where a step is: ``Step 14 of 37, backward``."""
    return f"Step {position:,} of {steps:,}, {phase}"


def walk(frame: Frame, first: int, last: int) -> Iterator[Frame]:
    """Yield the frame at each position from `first` to `last`; each must be used before the next is taken.

    They share one state that is moved on: one of its own for each would take a long trace's square.
    """
    state = frame.trace.state(first)
    for position in range(first, last + 1):
        if position > first:
            state.apply(frame.trace.steps[position - 1])
        yield replace(frame, position=position, values=state.values, gradients=state.gradients)


def article(frame: Frame, extent: Extent, table: ArrayTable) -> str:
    """Return what is said at a frame, as an item of the list of steps."""
    view = step_view(frame)
    body = "".join(_body(frame, view, extent, table))
    return (
        f'<li class="step {view.phase}" id="step={frame.position}">'
        f'<h3 class="place">{_place(frame.position, len(frame.trace.steps), view.phase)}</h3>{body}</li>'
    )


def _body(frame: Frame, view: StepView, extent: Extent, table: ArrayTable) -> Iterator[str]:
    yield f'<p class="sentence">{escape(view.sentence)}</p>'
    if view.more:
        yield f'<p class="more">{escape(view.more)}</p>'
    if view.equation:
        yield f'<div class="equation">{mathml(view.equation, block=True)}</div>'
    if extent.whole:
        yield from _numbers(view)
        if view.matrices:
            tall = any(isinstance(part, MatrixView) and r"\frac" in part.label for part in view.matrices)
            kind = "product tall" if tall else "product"
            yield f'<div class="{kind}">{"".join(_product(view, table))}</div>'
        if view.shapes:
            yield f'<p class="shapes">{cancelling(view.shapes)}</p>'
        if view.phase == Phase.UPDATE:
            yield from _quantities(frame, table)
    if frame.step is not None:
        is_whole = frame.step.phase != Phase.BACKWARD or frame.step.before is None
        again = " again" if extent.whole and view.matrices and is_whole else ""
        value = _array(frame.step.after, frame.sets_rounding(frame.step), table)
        yield f'<p class="sets{again}">{_target(frame, frame.step)}: {value}</p>'


def _numbers(view: StepView) -> Iterator[str]:
    lines = [line for line in (view.numbers, view.result) if line]
    if not lines:
        return
    entry = f'<p class="entry">{escape(view.entry)}</p>' if view.entry else ""
    puts = "".join(f'<div class="put">{"".join(map(mathml, summands(line)))}</div>' for line in lines)
    yield f'<div class="numbers">{entry}{puts}</div>'


def summands(latex: str) -> list[str]:
    r"""Return an equation's right-hand side cut before each sign of its sum, for a browser to break there.

    Examples
    --------
    >>> summands(r"= (1 - 2) \cdot 3 + 4 - \frac{1 + 2}{3}")
    ['= (1 - 2) \\cdot 3', '+\\,4', '-\\,\\frac{1 + 2}{3}']
    """
    pieces, depth, start = [], 0, 0
    for i, char in enumerate(latex):
        depth += {"{": 1, "(": 1, "}": -1, ")": -1}.get(char, 0)
        if not depth and latex[i : i + 3] in (" + ", " - ") and latex[i - 1] not in "=.":
            pieces.append(latex[start:i])
            start = i + 1
    pieces.append(latex[start:])
    return [pieces[0], *(rf"{piece[0]}\,{piece[2:]}" for piece in pieces[1:])]


def _product(view: StepView, table: ArrayTable) -> Iterator[str]:
    """Yield the matrices of a product, each with the signs before it: so no line ends in a sign."""
    signs = ""
    for part in view.matrices:
        if isinstance(part, MatrixView):
            yield f'<div class="term">{signs}{_matrix(part, table)}</div>'
            signs = ""
        else:
            signs += f'<span class="sign">{escape(part)}</span>'


def _matrix(view: MatrixView, table: ArrayTable) -> str:
    shape = "<br>".join(escape(text) for text in (view.shape, view.dims) if text)
    return (
        f'<figure class="matrix {view.role}"><figcaption>{mathml(view.label)}</figcaption>'
        f"{_array(view.array, view.noise, table)}"
        f'<span class="size">{shape}</span></figure>'
    )


def _array(array: Array, noise: bool, table: ArrayTable) -> str:
    return f'<span class="array" data-array="{table.add(array, noise)}">{escape(said(array, noise))}</span>'


def _target(frame: Frame, step: Step) -> str:
    derivation = frame.statics.derivation
    if step.phase in (Phase.SEED, Phase.BACKWARD):
        return mathml(derivation.gradient_latex(step.target))
    if step.phase == Phase.UPDATE and step.quantity != "value":
        lane = lane_view(frame)
        if lane is not None:
            return mathml(lane.cards[str(step.quantity)].title)
    return mathml(derivation.name_latex(step.node))


def _quantities(frame: Frame, table: ArrayTable) -> Iterator[str]:
    """Yield what an optimizer works out in one update, as far as it has come; a single line says it all."""
    lane = lane_view(frame)
    assert lane is not None
    cards = [card for card in lane.cards.values() if card.kind != "gradient"]
    if len(cards) < 2:
        return
    items = []
    for card in cards:
        state = (
            "now" if card.phase else "read" if card.part else "done" if card.value is not None else "future"
        )
        note = f'<span class="when">{escape(card.note)}</span>' if card.note else ""
        value = _array(card.value, bool(card.noise), table) if card.value is not None else ""
        items.append(f'<li class="{state}"><span class="label">{mathml(card.title)}</span>{note}{value}</li>')
    yield f'<ol class="quantities" aria-label="What the update works out">{"".join(items)}</ol>'


_GROUP = re.compile(r"\(([^()]*)\)")


def cancelling(shapes: str) -> str:
    """Return shapes of a product as HTML, the inner dimensions that cancel marked.

    Examples
    --------
    >>> cancelling("(1 × 133) · (133 × 4) → 1 × 4")
    '(1 × <s>133</s>) · (<s>133</s> × 4) → 1 × 4'
    """
    product, arrow, result = escape(shapes).partition(" → ")
    groups = [group.split(" × ") for group in _GROUP.findall(product)]
    inner = {
        place
        for i, (left, right) in enumerate(pairwise(groups))
        if left[-1] == right[0]
        for place in ((i, len(left) - 1), (i + 1, 0))
    }
    marked = [
        " × ".join(f"<s>{size}</s>" if (i, j) in inner else size for j, size in enumerate(group))
        for i, group in enumerate(groups)
    ]
    return " · ".join(f"({group})" for group in marked) + arrow + result
