"""Where everything of one graph lies; worked out once, as nothing moves while stepping."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Protocol

import numpy as np
from PySide6.QtCore import QPointF, QRectF

from graphs.wires import APART, NARROW
from gui.scene.edge_item import Wires, wires
from gui.scene.metrics import CROWD, CROWD_SIZE, ON_SCREEN, Card, Letters, card_of
from gui.scene.node_item import BOOKMARK, BOOKMARK_OUT, GLOW, badge_rect, bookmark_top, card_bounds
from gui.scene.placement import Surroundings, pieces, rows
from gui.viewdata import EdgeKey, SceneView

MARGIN = 14.0
HEADROOM = 40.0
"""Around the graph, and above it for the arrows of reading."""
THICKNESS = 3.0
"""Of a wire, as far as notes are concerned."""
NEAR = 360.0
"""A note's surroundings reach this far."""


class Placement(Protocol):
    """What a scene needs of a layout: see `graphs.layout.Layout`."""

    @property
    def positions(self) -> Mapping[str, tuple[float, float]]: ...
    @property
    def routes(self) -> Mapping[EdgeKey, Sequence[tuple[float, float]]]: ...
    @property
    def bounds(self) -> tuple[float, float, float, float]: ...


CROWD_CARD = QRectF(-CROWD_SIZE[0] / 2, -CROWD_SIZE[1] / 2, *CROWD_SIZE)


class Crowd(Mapping[str, Card]):
    """The cards of a large graph, each measured when it is first seen from near: all would take minutes."""

    def __init__(self, view: SceneView) -> None:
        self._nodes = view.nodes

    def __getitem__(self, name: str) -> Card:
        return card_of(self._nodes[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._nodes)

    def __len__(self) -> int:
        return len(self._nodes)


class _Wires(Mapping[EdgeKey, Wires]):
    """The arrows of all edges, each pair made when it is first asked for: most of a crowd's never are."""

    def __init__(self, view: SceneView, layout: Placement) -> None:
        self._edges = view.edges
        self._routes = layout.routes
        self._together = Counter((source, target) for source, target, _ in view.edges)
        self._made: dict[EdgeKey, Wires] = {}

    def __getitem__(self, key: EdgeKey) -> Wires:
        if key not in self._made:
            apart = NARROW if self._together[key[:2]] > 1 else APART
            self._made[key] = wires(self._routes[key], self._edges[key].has_backward, apart)
        return self._made[key]

    def __iter__(self) -> Iterator[EdgeKey]:
        return iter(self._edges)

    def __len__(self) -> int:
        return len(self._edges)


class Geometry:
    """Cards and wires in scene coordinates.

    Attributes
    ----------
    letters : Letters
        How large the small texts are.
    bounds_of_all, picture : QRectF
        Around all cards and wires, without and with room for the arrows of reading.
    cards, places : dict
        For each node its card, and where the card's middle lies.
    wires : mapping
        For each edge its two arrows.
    lines : list
        For each edge the line that its arrows run along.
    """

    def __init__(self, view: SceneView, layout: Placement, letters: Letters = ON_SCREEN) -> None:
        self.letters = letters
        bounds = QRectF(*layout.bounds)
        self.bounds_of_all = bounds
        self.picture = bounds.adjusted(-MARGIN, -MARGIN - HEADROOM, MARGIN, MARGIN)
        self._is_crowd = len(view.nodes) > CROWD
        self.cards: Mapping[str, Card] = (
            Crowd(view)
            if self._is_crowd
            else {name: card_of(node, letters) for name, node in view.nodes.items()}
        )
        self.places = {name: QPointF(*layout.positions[name]) for name in view.nodes}
        self.wires: Mapping[EdgeKey, Wires] = _Wires(view, layout)
        self.lines = [layout.routes[key] for key in view.edges]
        self._view = view

    def rect(self, name: str) -> QRectF:
        """Return the outline of a card."""
        outline = CROWD_CARD if self._is_crowd else self.cards[name].rect
        return outline.translated(self.places[name])

    def bounds(self, name: str) -> QRectF:
        """Return all that painting a card may touch."""
        if self._is_crowd:
            return self.rect(name).adjusted(-GLOW, -GLOW, GLOW, GLOW)
        return card_bounds(self.cards[name], self._view.nodes[name]).translated(self.places[name])

    def around(
        self, area: QRectF, without: EdgeKey | None = None, *, with_marks: bool = False
    ) -> Surroundings:
        """Return what a note in `area` must keep off.

        Parameters
        ----------
        without
            The wire that it is about, whose slanted pieces are no hindrance.
        with_marks
            Whether it keeps off bookmarks too.
        """
        area = area.adjusted(-NEAR, -NEAR, NEAR, NEAR)
        pieces_, owners = self._pieces
        near = _touching(pieces_, area)
        if without is not None:
            straight = (pieces_[:, 2:] - pieces_[:, :2]).min(axis=1) <= THICKNESS + 0.01
            near &= straight | (owners != list(self.wires).index(without))
        cards = self.obstacles[_touching(self.obstacles, area)]
        if with_marks:
            cards = np.vstack([cards, self._marks[_touching(self._marks, area)]])
        return Surroundings(cards, pieces_[near], rows([self.picture])[0])

    @cached_property
    def obstacles(self) -> np.ndarray:
        """The cards, with the badges they may bear, as rows of left, top, right, bottom."""
        if self._is_crowd:
            return rows([self.rect(name) for name in self.places])
        return rows(
            [
                card.rect.united(badge_rect(card, self._view.nodes[name], always=True)).translated(
                    self.places[name]
                )
                if self._view.nodes[name].expected > 1
                else self.rect(name)
                for name, card in self.cards.items()
            ]
        )

    @cached_property
    def hindrances(self) -> np.ndarray:
        """Cards and wires, as rows of left, top, right, bottom: what a lane stands below."""
        return np.vstack([self.obstacles, self._pieces[0]])

    @cached_property
    def parameters(self) -> QRectF:
        """Around the cards of all parameters."""
        area = QRectF()
        for name, node in self._view.nodes.items():
            if node.kind == "parameter":
                area = area.united(self.rect(name))
        return area

    @cached_property
    def _marks(self) -> np.ndarray:
        """Where bookmarks look out of cards; in a crowd they are too small to matter."""
        if self._is_crowd:
            return np.zeros((0, 4))
        tops = [self.places[name] + bookmark_top(card) for name, card in self.cards.items()]
        return rows([QRectF(p.x() - BOOKMARK[0] / 2, p.y(), BOOKMARK[0], BOOKMARK_OUT) for p in tops])

    @cached_property
    def _pieces(self) -> tuple[np.ndarray, np.ndarray]:
        """Small rectangles along all wires, and for each the number of its edge."""
        if self._is_crowd:  # whose arrows are made when they are seen
            return pieces(self.lines, THICKNESS)
        both = [
            wire for pair in self.wires.values() for wire in (pair.forward, pair.backward or pair.forward)
        ]
        rects, owners = pieces([wire.corners for wire in both], THICKNESS)
        return rects, owners // 2


def _touching(rects: np.ndarray, area: QRectF) -> np.ndarray:
    return (
        (rects[:, 0] < area.right())
        & (rects[:, 2] > area.left())
        & (rects[:, 1] < area.bottom())
        & (rects[:, 3] > area.top())
    )
