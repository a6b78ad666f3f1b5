"""Where everything of an update lane lies: cards below the graph, and arrows from and to the graph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, permutations

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainterPath, QPolygonF

from graphs.lane_layout import ACROSS, LaneLayout, lane_layout
from graphs.wires import HALF_HEAD, HEAD, arrow_along
from gui.scene.edge_item import Wire, wire
from gui.scene.geometry import Geometry
from gui.scene.metrics import Card, card_of
from gui.viewdata import LaneArrow, LaneView

Point = tuple[float, float]
Array = np.ndarray

INSIDE = 11.0
"""Between the border of a lane and its cards."""
HEADING = 16.0
"""Height of the line below the cards that says whose update it is."""
ASIDE = 18.0
"""More room at the left for an arrow that comes in at the side."""
CHANNEL = 15.0
LEVEL = 9.0
"""Between the graph and its lane: at least so much, and so much more for each arrow that runs there."""
PITCH = 15.0
"""Between arrows that run side by side."""
CLEAR = 9.0
"""Between an arrow and a card that it passes."""
WIDE = 0.55
"""A lane that takes more than this share of the graph's width has one place for all parameters."""
BESIDE = 24.0
"""Between a lane and a card of the graph that hangs down beside it."""
SIDEWAYS = 0.5
"""How much further down a lane would rather stand than so much aside."""
MANY = 2000
"""Of more cards and pieces of wires than these no place aside of them is looked for."""
FEW = 5
"""Up to so many arrows between graph and lane, every order of theirs is tried."""


@dataclass(frozen=True)
class End:
    """Where an arrow between graph and lane meets its card: through the top, or through the left side."""

    point: Point
    turn: float
    """The height at which it turns off into the card's left side; nan where it runs straight into the top."""

    @property
    def x(self) -> float:
        """Where it crosses the border of the lane."""
        return self.point[0]


class LanePlan:
    """The lane of one parameter, in scene coordinates.

    Attributes
    ----------
    cards : dict
        For each card of the update where its parts lie.
    places : dict
        The middle of each card.
    panel : QRectF
        Around all cards.
    """

    def __init__(self, lane: LaneView, geometry: Geometry) -> None:
        self._lane = lane
        self._geometry = geometry
        self.cards: Mapping[str, Card] = {
            name: card_of(view, geometry.letters) for name, view in lane.cards.items()
        }
        self._layout: LaneLayout = lane_layout(
            {name: (card.rect.width(), card.rect.height()) for name, card in self.cards.items()},
            [(a.source, a.target) for a in self._inner],
        )
        self.panel = self._panel()
        self._corner = self.panel.topLeft() + QPointF(INSIDE + self._aside, INSIDE)
        self.places = {name: self._corner + QPointF(*place) for name, place in self._layout.places.items()}

    @property
    def _inner(self) -> list[LaneArrow]:
        return [arrow for arrow in self._lane.arrows if arrow.source and arrow.target]

    @property
    def _outer(self) -> list[LaneArrow]:
        return [arrow for arrow in self._lane.arrows if not (arrow.source and arrow.target)]

    @property
    def _aside(self) -> float:
        names = [a.target or a.source for a in self._outer]
        return ASIDE * sum(self._layout.columns[n] == 0 and not self._is_on_top(n) for n in names)

    def rect(self, name: str) -> QRectF:
        """Return the outline of a card."""
        return self.cards[name].rect.translated(self.places[name])

    @cached_property
    def area(self) -> QRectF:
        """All that the lane is painted on, without the arrows' way through the graph."""
        return self.panel.adjusted(-2, -CHANNEL, 2, 2)

    def _panel(self) -> QRectF:
        """Find the lane's place: below the parameters' cards, or below this one's where it is narrow."""
        graph = self._geometry.bounds_of_all
        width = self._layout.width + 2 * INSIDE + self._aside
        height = self._layout.height + 2 * INSIDE + HEADING
        own = self._geometry.rect(self._lane.parameter)
        span = own if width <= WIDE * graph.width() else self._geometry.parameters
        self._bottom, x = self._free_place(span, width)
        top = self._bottom + CHANNEL + LEVEL * len(self._outer)
        return QRectF(round(x - width / 2), round(top), width, height)

    def _free_place(self, span: QRectF, width: float) -> tuple[float, float]:
        """Return how far down the graph reaches above the best place for the lane, and that place's middle.

        It stands below the middle of `span`, or a little aside where it can stand higher there.
        """
        graph, found = self._geometry.bounds_of_all, self._geometry.hindrances
        half, middle = width / 2, span.center().x()
        low, high = graph.left() + half, graph.right() - half
        places = np.array([graph.center().x() if low > high else min(max(middle, low), high)])
        if len(found) <= MANY:
            aside = np.concatenate([found[:, 0] - half - BESIDE, found[:, 2] + half + BESIDE])
            places = np.concatenate([places, aside[(low <= aside) & (aside <= high)]])
        left = np.minimum(places - half, span.left()) - BESIDE / 2
        right = np.maximum(places + half, span.right()) + BESIDE / 2
        is_above = (found[:, 0] < right[:, None]) & (found[:, 2] > left[:, None])
        bottoms = np.where(is_above, found[:, 3], span.bottom()).max(axis=1)
        best = int(np.argmin(bottoms + SIDEWAYS * np.abs(places - middle)))
        return float(bottoms[best]), float(places[best])

    def _is_on_top(self, name: str) -> bool:
        """Say whether no card of the same column stands above this one."""
        layout = self._layout
        same = [y for other, (_, y) in layout.places.items() if layout.columns[other] == layout.columns[name]]
        return layout.places[name][1] == min(same)

    # --- arrows inside ---

    @cached_property
    def wires(self) -> list[Wire]:
        """The way of every arrow, in the order of the lane's."""
        corner = self._corner
        outer = dict(zip(self._outer, self._outer_routes(), strict=True))
        found = []
        for arrow in self._lane.arrows:
            if arrow in outer:
                points = outer[arrow]
                found.append(wire(arrow_along(points if arrow.target else points[::-1])))
            else:
                route = self._layout.routes[arrow.source, arrow.target]
                found.append(bent([(x + corner.x(), y + corner.y()) for x, y in route]))
        return found

    # --- arrows between graph and lane ---

    def _outer_routes(self) -> list[list[Point]]:
        """Return the way of each arrow between graph and lane, from the parameter's card to the lane's."""
        ends = self._ends()
        order = sorted(range(len(ends)), key=lambda i: ends[i].x)
        trunks = self._trunks([ends[i] for i in order])
        starts = {i: trunk for i, trunk in zip(order, trunks, strict=True)}
        top = self._bottom + CHANNEL * 0.6
        best: tuple[float, list[list[Point]]] | None = None
        tries = permutations(range(len(ends))) if len(ends) <= FEW else [tuple(range(len(ends)))]
        for levels in tries:
            routes = [self._route(starts[i], ends[i], top + LEVEL * levels[i]) for i in range(len(ends))]
            deep = sum(levels[i] * abs(ends[i].x - starts[i][-1][0]) for i in starts)
            cost = crossings(routes) + 0.001 * deep
            if best is None or cost < best[0]:
                best = (cost, routes)
        assert best is not None
        return best[1]

    @staticmethod
    def _route(trunk: Sequence[Point], end: End, level: float) -> list[Point]:
        x = trunk[-1][0]
        points = [*trunk[:-1], (x, level), (end.x, level)]
        if np.isnan(end.turn):
            return _without_repeats([*points, end.point])
        return _without_repeats([*points, (end.x, end.point[1]), (end.turn, end.point[1])])

    def _ends(self) -> list[End]:
        """Return where each outer arrow meets its card in the lane."""
        outer = self._outer
        names = [arrow.target or arrow.source for arrow in outer]
        found = []
        for i, name in enumerate(names):
            rect = self.rect(name)
            alike = [j for j, other in enumerate(names) if other == name]
            shift = alike.index(i) - (len(alike) - 1) / 2
            if self._is_on_top(name):
                found.append(End((rect.center().x() + PITCH * shift, rect.top()), float("nan")))
            else:
                column = self._layout.columns[name]
                left = self._corner.x() + self._layout.lefts[column]
                x = left - (ASIDE * 0.7 if column == 0 else ACROSS / 2) + PITCH * shift
                found.append(End((x, rect.center().y() + PITCH * shift), rect.left()))
        return found

    def _trunks(self, ends: Sequence[End]) -> list[list[Point]]:
        """Return the arrows' common way from the parameter's card to below the graph, side by side.

        Where the last of them can run straight down into its card of the lane, it does.
        """
        count = len(ends)
        rect = self._geometry.rect(self._lane.parameter)
        bottom = self._bottom
        reach = PITCH * (count - 1) / 2
        offsets = [PITCH * i - reach for i in range(count)]
        obstacles = self._obstacles(rect)
        middle = rect.center()
        low, high = rect.left() + reach + CLEAR, rect.right() - reach - CLEAR
        straight = [ends[i].x - offsets[i] for i in (-1, 0)]
        for x in (*(x for x in straight if low <= x <= high), middle.x(), low, high):
            wide = reach + CLEAR
            if not hits(QRectF(x - wide, rect.bottom(), 2 * wide, bottom - rect.bottom()), obstacles):
                return [[(x + by, rect.bottom()), (x + by, bottom)] for by in offsets]
        return self._around(rect, bottom, offsets, obstacles)

    def _around(
        self, rect: QRectF, bottom: float, offsets: Sequence[float], obstacles: Array
    ) -> list[list[Point]]:
        """Lead the arrows out at a side of the card and down the nearest free way; else straight down."""
        y, reach = rect.center().y(), max(offsets) + CLEAR
        edges = np.concatenate([obstacles[:, 0] - reach - 1, obstacles[:, 2] + reach + 1, [rect.left() - 30]])
        for x in sorted(edges.tolist(), key=lambda x: abs(x - rect.center().x())):
            right = x > rect.center().x()
            side = rect.right() if right else rect.left()
            if (x - side if right else side - x) <= reach:
                continue
            across = QRectF(QPointF(min(side, x), y - reach), QPointF(max(side, x), y + reach))
            down = QRectF(x - reach, y, 2 * reach, bottom - y)
            if not (hits(across, obstacles) or hits(down, obstacles)):
                turn = -1 if right else 1
                return [[(side, y + turn * by), (x + by, y + turn * by), (x + by, bottom)] for by in offsets]
        x = rect.center().x()
        return [[(x + by, rect.bottom()), (x + by, bottom)] for by in offsets]

    def _obstacles(self, own: QRectF) -> Array:
        """Return the other cards, as rows of left, top, right, bottom."""
        found = self._geometry.obstacles
        x, y = own.center().x(), own.center().y()
        inside = (found[:, 0] < x) & (found[:, 2] > x) & (found[:, 1] < y) & (found[:, 3] > y)
        return found[~inside]


def hits(rect: QRectF, obstacles: Array) -> bool:
    """Say whether a rectangle meets any of `obstacles`, rows of left, top, right, bottom."""
    left, top, right, bottom = obstacles.T
    near = (left < rect.right()) & (right > rect.left()) & (top < rect.bottom()) & (bottom > rect.top())
    return bool(near.any())


def crossings(routes: Sequence[Sequence[Point]]) -> int:
    """Return how often level and upright pieces of different routes cross."""
    found = 0
    for i, first in enumerate(routes):
        for second in routes[:i]:
            found += sum(_cross(a, b) for a in pairwise(first) for b in pairwise(second))
    return found


def _cross(a: tuple[Point, Point], b: tuple[Point, Point]) -> bool:
    upright = [abs(p[0] - q[0]) < 0.01 for p, q in (a, b)]
    if upright[0] == upright[1]:
        return False
    (p, q), (r, s) = (a, b) if upright[0] else (b, a)
    return min(r[0], s[0]) < p[0] < max(r[0], s[0]) and min(p[1], q[1]) < r[1] < max(p[1], q[1])


def _without_repeats(points: Iterable[Point]) -> list[Point]:
    found: list[Point] = []
    for point in points:
        if not found or abs(point[0] - found[-1][0]) + abs(point[1] - found[-1][1]) > 0.5:
            found.append(point)
    return found


def bent(points: Sequence[Point]) -> Wire:
    """Return an arrow that leaves and arrives level: curved between columns, straight through passages."""
    (x, y), tip = points[0], points[-1]
    path = QPainterPath(QPointF(x, y))
    stops = [*points[1:-1], (tip[0] - HEAD + 1, tip[1])]
    for i, (to_x, to_y) in enumerate(stops):
        if i % 2:  # through a passage
            path.lineTo(to_x, to_y)
        else:
            half = (to_x - x) / 2
            path.cubicTo(QPointF(x + half, y), QPointF(to_x - half, to_y), QPointF(to_x, to_y))
        x, y = to_x, to_y
    base = tip[0] - HEAD
    wings = [QPointF(base, tip[1] - HALF_HEAD), QPointF(base, tip[1] + HALF_HEAD)]
    return Wire(path, QPolygonF([QPointF(*tip), *wings]), tuple(points))
