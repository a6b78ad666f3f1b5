"""The update of a parameter as a drawing without a screen: a lane of cards below the graph.

What flows between lane and graph begins and ends at the lane's sides, where the parameter's symbol says whose
it is: so no arrow runs through the graph.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graphs.drawing import BOOKMARK, LABEL, Card, card_of
from graphs.lane_layout import Size, lane_layout
from graphs.room import Point, Rect
from graphs.tex import formula
from graphs.typesetting import width
from graphs.views.records import LaneArrow, LaneView
from graphs.wires import Arrow, arrow_along

__all__ = ["HEADING", "LaneDrawing", "LanePlan", "Port", "around"]

INSIDE, APART, HEADING = 14.0, 22.0, 22.0
"""Around the cards; between graph and lane; of the line that says whose update it is."""
INTO, OUT = " in", " out"
"""Places of the layout where values come from the graph and go back; no quantity is called so."""
PORT_HEIGHT = 18.0


@dataclass(frozen=True)
class Port:
    """Where a value of the parameter comes in, or goes out: its LaTeX, its outline, and what flows there."""

    title: str
    rect: Rect
    flow: str


class LanePlan:
    """Where cards, arrows and ports of an update lie.

    Parameters
    ----------
    sizes
        Of each card.
    symbol
        The parameter's LaTeX.
    above
        What it stands below: the whole graph.
    middle
        Where it would rather have its own middle, across.

    Attributes
    ----------
    panel
        Around all of it.
    places
        The middle of each card.
    arrows
        Those between cards, and those from and to the ports.
    """

    def __init__(
        self, lane: LaneView, sizes: Mapping[str, Size], symbol: str, above: Rect, middle: float
    ) -> None:
        flows = {arrow: _ends(arrow) for arrow in lane.arrows if arrow.source or arrow.flow != "gradient"}
        port = (1.05 * width(formula(symbol)) * LABEL + 10, PORT_HEIGHT)
        used = {end for ends in flows.values() for end in ends}
        whole = {
            name: size
            for name, size in {INTO: port, **sizes, OUT: port}.items()
            if name in used or name in sizes
        }
        placed = lane_layout(whole, list(dict.fromkeys(flows.values())))
        wide, high = placed.width + 2 * INSIDE, placed.height + 2 * INSIDE + HEADING
        left, top = max(above[0], min(middle - wide / 2, above[2] - wide)), above[3] + APART
        self.panel: Rect = (left, top, left + wide, top + high)
        self._corner = (left + INSIDE, top + INSIDE)
        moved = {name: self._moved(place) for name, place in placed.places.items()}
        self.places: Mapping[str, Point] = {name: moved[name] for name in sizes}
        self.ports = [
            Port(symbol, around(moved[name], port), flow)
            for name, flow in ((INTO, "value"), (OUT, "update"))
            if name in moved
        ]
        self.arrows: Sequence[tuple[LaneArrow, Arrow]] = [
            (arrow, arrow_along([self._moved(point) for point in placed.routes[ends]]))
            for arrow, ends in flows.items()
        ]

    def _moved(self, place: Point) -> Point:
        return place[0] + self._corner[0], place[1] + self._corner[1]


class LaneDrawing(LanePlan):
    """The same with cards as a drawing has them, for a parameter of a shape."""

    def __init__(
        self, lane: LaneView, symbol: str, shape: tuple[int, ...], above: Rect, middle: float
    ) -> None:
        self.cards: Mapping[str, Card] = {name: card_of(view, shape) for name, view in lane.cards.items()}
        super().__init__(lane, {name: card.size for name, card in self.cards.items()}, symbol, above, middle)

    def rect(self, name: str) -> Rect:
        """Return the outline of a card."""
        return around(self.places[name], self.cards[name].size)

    def bookmark(self, name: str) -> Point:
        """Return the middle of the upper edge of a card's bookmark."""
        _, top, right, _ = self.rect(name)
        return right - 20, top - BOOKMARK[2]


def _ends(arrow: LaneArrow) -> tuple[str, str]:
    return arrow.source or INTO, arrow.target or OUT


def around(middle: Point, size: Size) -> Rect:
    """Return the outline of what has its middle at a point."""
    (x, y), (wide, high) = middle, size
    return x - wide / 2, y - high / 2, x + wide / 2, y + high / 2
