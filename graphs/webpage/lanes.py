"""Updates as a page draws them: for each parameter a lane of tiles below the graph, shown in its steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from html import escape
from typing import Any

from engine.trace import Step
from graphs.lane_drawing import LanePlan
from graphs.mathml import mathml
from graphs.views.frame import Frame
from graphs.views.lane import GRADIENT, lane_view
from graphs.views.records import LaneView, NodeView
from graphs.webpage.arrays import ArrayTable
from graphs.webpage.cards import Card, Drawing, arrow_svg, box_style, card_size, number, pixels, slot_html
from graphs.webpage.extent import Extent

__all__ = ["Lanes"]

MOST = 40
"""Parameters up to which updates are drawn; of more, they are listed in the steps alone."""
NOTE = 6.2
"""Pixels of a letter of a note."""


class Lanes:
    """The lanes of a page.

    Parameters
    ----------
    frame
        Any place of the iteration.
    shown
        Which steps there are.
    drawn
        The graph that they stand below; none of them are there where it is not drawn.
    table
        Where arrays are kept.
    """

    def __init__(self, frame: Frame, shown: Extent, drawn: Drawing, table: ArrayTable) -> None:
        self._drawn = drawn
        self._frame = frame
        updates = frame.trace.updates if drawn.html else {}
        steps = {name: found for name, found in updates.items() if _is_within(found, shown)}
        self._steps = steps if len(steps) <= MOST else {}
        self._lanes = {name: self._lane(found) for name, found in self._steps.items()}
        self._table = table

    def _lane(self, steps: Sequence[Step]) -> LaneView:
        """Return what a parameter's lane shows when all of it is done."""
        position = steps[-1].index + 1
        state = self._frame.trace.state(position)
        here = replace(self._frame, position=position, values=state.values, gradients=state.gradients)
        found = lane_view(here)
        assert found is not None
        return found

    def html(self) -> str:
        """Return them, hidden, to be put into the sheet."""
        return "".join(self._html(name, lane) for name, lane in self._lanes.items())

    def data(self) -> Mapping[str, Any]:
        """Return for each parameter's number its tiles and arrows, as the script reads them.

        A tile is an array and after how many steps it is there; an arrow is the tiles it joins, −1 for the
        parameter itself.
        """
        numbers = {name: i for i, name in enumerate(self._drawn.nodes)}
        return {str(numbers[name]): self._record(name, lane) for name, lane in self._lanes.items()}

    def _record(self, name: str, lane: LaneView) -> Mapping[str, Any]:
        places = {str(step.quantity): step.index + 1 for step in self._steps[name]}
        tiles = [
            [self._table.add(view.value, bool(view.noise)), places.get(key, 0)]
            for key, view in lane.cards.items()
        ]
        order = {key: i for i, key in enumerate(lane.cards)}
        plan, _ = self._plan(name, lane)
        arrows = [[order.get(arrow.source, -1), order.get(arrow.target, -1)] for arrow, _ in plan.arrows]
        return {"tiles": tiles, "arrows": arrows}

    def _plan(self, name: str, lane: LaneView) -> tuple[LanePlan, Mapping[str, Card]]:
        shape = tuple(dim.size for dim in self._frame.trace.graph[name].dims)
        cards = {key: _size(view, shape) for key, view in lane.cards.items()}
        sizes = {key: (card.width, card.height) for key, card in cards.items()}
        wide, high = self._drawn.size
        above = (12.0, 0.0, wide - 12.0, high - 40.0)
        return LanePlan(lane, sizes, lane.heading[1], above, self._drawn.middles[name]), cards

    def _html(self, name: str, lane: LaneView) -> str:
        plan, cards = self._plan(name, lane)
        left, top, right, bottom = plan.panel
        wide, high = right - left, bottom - top
        of, box = self._drawn.nodes.index(name), box_style((left, top), (wide, high))
        wires = "".join(
            f'<g class="edge {arrow.flow}">{arrow_svg(line, "f", (left, top))}</g>'
            for arrow, line in plan.arrows
        )
        tiles = "".join(_tile(view, cards[key], plan, (left, top)) for key, view in lane.cards.items())
        ports = "".join(
            f'<span class="port {port.flow}" style="left:{pixels((port.rect[0] + port.rect[2]) / 2 - left)};'
            f'top:{pixels((port.rect[1] + port.rect[3]) / 2 - top)}">{mathml(port.title)}</span>'
            for port in plan.ports
        )
        words = f"{escape(lane.heading[0])} {mathml(lane.heading[1])}"
        return (
            f'<div class="lane" data-of="{of}" style="{box}" aria-hidden="true" hidden>'
            f'<svg class="wires" viewBox="0 0 {number(wide)} {number(high)}">{wires}</svg>'
            f'{tiles}{ports}<p class="heading">{words}</p></div>'
        )


def _is_within(steps: Sequence[Step], shown: Extent) -> bool:
    return shown.first <= steps[0].index and steps[-1].index < shown.last


def _size(view: NodeView, shape: tuple[int, ...]) -> Card:
    return card_size("op", view.title, view.formula, shape, NOTE * len(view.note), False)


def _tile(view: NodeView, card: Card, plan: LanePlan, origin: tuple[float, float]) -> str:
    x, y = plan.places[view.name]
    left, top = x - card.width / 2 - origin[0], y - card.height / 2 - origin[1]
    box = box_style((left, top), (card.width, card.height))
    return f'<div class="tile {view.kind}" style="{box}">{"".join(_parts(view, card))}</div>'


def _parts(view: NodeView, card: Card) -> Iterator[str]:
    note = f'<span class="size">{escape(view.note)}</span>' if view.note else ""
    yield (
        f'<div class="head" style="height:{pixels(card.title_row)}">'
        f'<span class="name" style="font-size:{pixels(card.title)}">{mathml(view.title)}</span>{note}</div>'
    )
    if card.formula_row:
        size = f"height:{pixels(card.formula_row)};font-size:{pixels(card.formula)}"
        yield f'<div class="formula" style="{size}">{mathml(view.formula)}</div>'
    yield f'<div class="slots">{slot_html(card, "gradient" if view.name == GRADIENT else "value")}</div>'
