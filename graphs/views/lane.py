"""An optimizer's update as a continuation of the graph: a card a quantity, an arrow for what each line reads.

Everything comes from the optimizer's record: its lines, in the order in which they are worked out, and the
names that each of them reads. So every optimizer has its lane, also one that is written tomorrow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from engine.expr import Name
from engine.notation import latex
from engine.optimizers import Optimizer
from engine.trace import Phase, Step, Trace
from graphs.views.curtain import updated_name
from graphs.views.frame import Frame
from graphs.views.records import Array, LaneArrow, LaneView, NodeView
from graphs.views.words import plain

__all__ = ["GRADIENT", "KEPT", "LaneLine", "lane_formulas", "lane_lines", "lane_reads", "lane_view"]

GRADIENT = "gradient"
"""The card of the parameter's gradient; lines of an optimizer read it by this name."""
VALUE = "value"
"""The parameter's new value; what lines read by this name is its old one."""
KEPT = "kept "
"""What stands before a quantity's name where a line reads what the last update left of it."""


class LaneLine(NamedTuple):
    """One line of an update: its quantity, LaTeX of both its sides, and the cards that it reads."""

    name: str
    text: str
    title: str
    formula: str
    reads: tuple[str, ...]


@lru_cache(maxsize=64)
def lane_reads(optimizer: Optimizer) -> Mapping[str, tuple[str, ...]]:
    """Return which cards each line of an update reads, by quantity.

    A quantity that a line reads before it is assigned is what the last update left of it: ``kept velocity``.
    ``value`` is the parameter's own card; hyperparameters have none.
    """
    quantities = [quantity.name for quantity in optimizer.quantities]
    found: dict[str, tuple[str, ...]] = {}
    for name, statement in zip(quantities, optimizer.statements, strict=True):
        read = dict.fromkeys(item.text for item in statement.items if item.kind == "name")
        found[name] = tuple(
            item if item in found or item in (GRADIENT, VALUE) else f"{KEPT}{item}"
            for item in read
            if item in (*quantities, GRADIENT, VALUE)
        )
    return found


@lru_cache(maxsize=256)
def lane_lines(optimizer: Optimizer, parameter: Name, gradient: Name) -> tuple[LaneLine, ...]:
    """Return the lines of an optimizer's update of one parameter."""
    reads = lane_reads(optimizer)
    return tuple(
        LaneLine(
            line.quantity.name,
            line.quantity.text,
            _title(line.target.text, line.quantity.name),
            latex(line.expr),
            reads[line.quantity.name],
        )
        for line in optimizer.equations(parameter, gradient)
    )


def _title(symbol: str, name: str) -> str:
    return rf"{symbol}\;\text{{new}}" if name == VALUE else symbol


def lane_view(frame: Frame) -> LaneView | None:
    """Return the update that a frame shows, None where it shows none."""
    step = frame.step
    if step is None or step.phase != Phase.UPDATE:
        return None
    name = step.node
    lines = _lines(frame, name)
    steps = _updates(frame.trace)[name]
    arrows = tuple(_arrows(lines, steps, frame.position, step.quantity))
    now = next((line.reads for line in lines if line.name == step.quantity), ())
    cards = [_source_card(frame, name, key, lines, steps) for key in _sources(lines)]
    cards += [_line_card(frame, line, steps[line.name]) for line in lines]
    title = frame.statics.titles[name][0]
    return LaneView(
        parameter=name,
        heading=(f"{frame.optimizer.title} updates", title),
        cards={card.name: _taking_part(card, now) for card in cards},
        arrows=arrows,
    )


def lane_formulas(frame: Frame) -> list[str]:
    """Return the LaTeX of every lane card of every parameter: to be laid out before they are asked for."""
    found: dict[str, None] = {}
    for name in frame.trace.graph.parameters:
        found[frame.statics.derivation.gradient_latex(name)] = None
        for line in _lines(frame, name):
            found.update({line.title: None, line.formula: None})
    return list(found)


def _lines(frame: Frame, name: str) -> tuple[LaneLine, ...]:
    derivation, graph = frame.statics.derivation, frame.trace.graph
    symbol = derivation.symbol(graph.ids[name])
    assert isinstance(symbol, Name)
    return lane_lines(frame.optimizer, symbol, derivation.gradient_name(name))


@lru_cache(maxsize=2)
def _updates(trace: Trace) -> Mapping[str, Mapping[str, Step]]:
    """Return the update steps of a trace by parameter and quantity."""
    found: dict[str, dict[str, Step]] = {}
    for step in trace.steps:
        if step.phase == Phase.UPDATE:
            found.setdefault(step.node, {})[str(step.quantity)] = step
    return found


def _sources(lines: Iterable[LaneLine]) -> list[str]:
    """Return the cards that are there before the first line: the gradient, and what the last update left."""
    read = dict.fromkeys(key for line in lines for key in line.reads)
    return [key for key in read if key == GRADIENT or key.startswith(KEPT)]


def _arrows(
    lines: Iterable[LaneLine], steps: Mapping[str, Step], position: int, current: str | None
) -> Iterable[LaneArrow]:
    lines = tuple(lines)
    if GRADIENT in _sources(lines):
        yield LaneArrow("", GRADIENT, "gradient", True, False)
    for line in lines:
        done, now = steps[line.name].index < position, line.name == current
        for key in line.reads:
            old = key == VALUE
            yield LaneArrow("" if old else key, line.name, "value" if old else "update", done, now)
    done = steps[VALUE].index < position
    yield LaneArrow(VALUE, "", "update", done, current == VALUE)


def _source_card(
    frame: Frame, name: str, key: str, lines: Iterable[LaneLine], steps: Mapping[str, Step]
) -> NodeView:
    shape, dims = frame.statics.shapes_of(name)
    derivation = frame.statics.derivation
    if key == GRADIENT:
        found = frame.trace.gradients[name]
        title, says = derivation.gradient_latex(name), f"gradient of {plain(frame, name)}"
        noise = ("value",) if frame.rounding.is_gradient(name, found) else ()
        return NodeView(key, "gradient", False, title, "", shape, dims, found, says=says, noise=noise)
    line = next(line for line in lines if line.name == key.removeprefix(KEPT))
    before = steps[line.name].before
    value = _zeros(np.shape(steps[line.name].after)) if before is None else before
    note = "zero at first" if before is None else f"from iteration {frame.iteration - 1}"
    says = f"{line.text} of {plain(frame, name)}, {note}"
    return NodeView(key, "kept", False, line.title, "", shape, dims, value, note=note, says=says)


@lru_cache(maxsize=256)
def _zeros(shape: tuple[int, ...]) -> Array:
    """Return zeros, the same ones each time: a card that goes on showing them is not painted anew."""
    return np.zeros(shape)


def _line_card(frame: Frame, line: LaneLine, step: Step) -> NodeView:
    shape, dims = frame.statics.shapes_of(step.node)
    is_covered = updated_name(step) in frame.covered
    return NodeView(
        name=line.name,
        kind="quantity",
        is_loss=False,
        title=line.title,
        formula=line.formula,
        shape=shape,
        dims=dims,
        value=step.after if step.index < frame.position and not is_covered else None,
        asked=("value",) if is_covered else (),
        phase=Phase.UPDATE.value if step is frame.step else "",
        says=f"{line.text} of {plain(frame, step.node)}",
    )


def _taking_part(card: NodeView, read: Iterable[str]) -> NodeView:
    # what is read by the name of the value is the old one, on the parameter's own card
    return replace(card, part=True) if card.name in read and card.name != VALUE else card
