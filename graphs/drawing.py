"""The graph as a drawing without a screen: how large its cards are, where they and their arrows lie.

Widths of formulas are estimated (:mod:`graphs.typesetting`), so a card is made a little too large rather than
too small, and whoever draws it shrinks what is too wide. No step changes a size, so nothing moves from step
to step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.graph import Graph
from graphs.layout import Size, layout
from graphs.nxgraph import nx_graph
from graphs.room import Array, Point, Rect, Spot, Surroundings, arc_around, label_beside, pieces, spot_beside
from graphs.tex import formula
from graphs.typesetting import width
from graphs.views.frame import Statics
from graphs.views.records import EdgeKey, NodeView, SceneView
from graphs.wires import APART, NARROW, Arrow, arrows

__all__ = ["BAR", "BOOKMARK", "LABEL", "Card", "Drawing", "Notes", "Sizes"]

PADDING, GAP, BAR = 10.0, 7.0, 5.0
"""Around what stands in a card; between two parts of it; of the bar that marks a parameter."""
TITLE, PART_TITLE, FORMULA, LABEL, NUMBER, CELL, FACTOR = 20.0, 15.0, 13.5, 11.5, 13.0, 10.5, 15.0
"""Sizes of type, in the units of the drawing."""
TITLE_ROW, TALL_TITLE, LABEL_ROW, FORMULA_ROW, TALL_ROW, NUMBER_ROW = 26.0, 42.0, 13.5, 20.0, 33.0, 18.0
LEAST_WIDTH: Mapping[str, float] = {"line": 86.0, "op": 80.0, "parameter": 62.0, "input": 74.0}
MOST_WIDTH = 156.0
NUMBERED = (4, 4)
"""Rows and columns up to which the cells of an array have room for their numbers."""
CELL_SIZE = (37.0, 16.0)
"""Width and height of a cell with a number."""
SHOWN = (8, 16)
"""Rows and columns of a larger array that are drawn as cells without numbers."""
ROW, SINGLE_ROW, DOTS = 8.0, 15.0, 12.0
"""Height of a row of such cells, of a single one; room for dots where some are left out."""
BOOKMARK = (13.0, 17.0, 9.0)
"""Of a mark that a value is read: its size, and how far it looks out of a card's top."""
MARGIN, HEADROOM = 16.0, 44.0
"""Around the graph, and above it for the arrows of reading."""
THICKNESS = 3.0
NEAR = 360.0
LANE = ("gradient", "kept", "quantity")
"""Kinds of cards of an update."""
READS = "reads stored "


@dataclass(frozen=True)
class Sizes:
    """How an array is drawn on a card: its rows and columns, how many of them are shown, how large a cell is.

    `is_numbered` says whether cells show their numbers; the array is a single number where `rows` is 0.
    """

    rows: int
    columns: int
    cell: Size
    is_numbered: bool
    cut: tuple[bool, bool] = (False, False)

    @property
    def size(self) -> Size:
        """Width and height of all cells, the dots included."""
        wide = self.columns * self.cell[0] + DOTS * self.cut[1]
        return wide, self.rows * self.cell[1] + DOTS * self.cut[0]


@dataclass(frozen=True)
class Card:
    """Where the parts of a card lie, from its middle: x to the right, y downwards.

    Attributes
    ----------
    size
        Of the whole card.
    left, inner
        Where what stands in it begins, and how wide it is.
    title, formula
        The middle lines of the name and the right-hand side; None where it has none.
    title_row, tall
        How high the rows of name and formula are.
    labels
        The lines of the shape, at the right of the name.
    value, gradient
        The upper left corners of the arrays; None where no gradient ever arrives.
    array
        How the arrays are drawn.
    """

    size: Size
    left: float
    inner: float
    title: float
    title_size: float
    title_row: float
    formula: float | None
    tall: float
    labels: tuple[str, ...]
    value: Point
    gradient: Point | None
    array: Sizes


@dataclass(frozen=True)
class Notes:
    """The notes of a backward step: the factor's box, and for each value it reads the arc and its label."""

    spot: Spot
    arcs: tuple[tuple[str, Array, Rect], ...]


class Drawing:
    """Cards and arrows of a graph.

    Parameters
    ----------
    statics
        Of the graph.
    view
        What it shows at any step.
    """

    def __init__(self, statics: Statics, view: SceneView) -> None:
        graph = statics.graph
        self._view = view
        self.cards = {name: card_of(node, _shape(graph, name)) for name, node in view.nodes.items()}
        placed = layout(
            nx_graph(graph, statics.detail),
            {name: card.size for name, card in self.cards.items()},
            is_narrow=True,
        )
        self.places = placed.positions
        together = Counter((source, target) for source, target, _ in view.edges)
        self.arrows: Mapping[EdgeKey, tuple[Arrow, Arrow | None]] = {
            key: arrows(placed.routes[key], edge.has_backward, NARROW if together[key[:2]] > 1 else APART)
            for key, edge in view.edges.items()
        }
        x, y, wide, high = placed.bounds
        self.bounds: Rect = (x - MARGIN, y - MARGIN - HEADROOM, x + wide + MARGIN, y + high + MARGIN)

    def rect(self, name: str) -> Rect:
        """Return the outline of a card."""
        (x, y), (wide, high) = self.places[name], self.cards[name].size
        return x - wide / 2, y - high / 2, x + wide / 2, y + high / 2

    def bookmark(self, name: str) -> Point:
        """Return the middle of the upper edge of a card's bookmark."""
        _, top, right, _ = self.rect(name)
        return right - 20, top - BOOKMARK[2]

    def notes(self, view: SceneView) -> Notes | None:
        """Find room for the notes of a step, None where it has none."""
        key = view.current
        latex = view.edges[key].factor if key is not None and view.edges[key].current == "backward" else ""
        if key is None or not latex:
            return None
        forward, backward = self.arrows[key]
        line = (backward or forward).corners
        spot = spot_beside(line, factor_size(latex), self._around(line, without=key))
        return Notes(spot, tuple(self._arcs(view, spot)))

    def _arcs(self, view: SceneView, spot: Spot) -> Sequence[tuple[str, Array, Rect]]:
        starts = [self.bookmark(name) for name in view.reads]
        around = self._around([spot.rect[:2], spot.rect[2:], *starts])
        curves = [arc_around(start, spot.rect, around) for start in starts]
        taken, found = [spot.rect], []
        for name, curve in zip(view.reads, curves, strict=True):
            size = (_words(READS) + _estimate(view.nodes[name].title, LABEL) + 6, LABEL_ROW + 3)
            taken.append(label_beside(curve, size, around.with_cards(taken), curves))
            found.append((name, curve, taken[-1]))
        return found

    def _around(self, points: Sequence[Point], without: EdgeKey | None = None) -> Surroundings:
        """Return what a note near some points keeps off; slanted pieces of its own wire do not hinder it."""
        corners = np.asarray(points, dtype=float)
        area = np.concatenate([corners.min(axis=0) - NEAR, corners.max(axis=0) + NEAR])
        rows, owners = self._pieces
        near = _touching(rows, area)
        cards = np.array([self.rect(name) for name in self.places])
        if without is not None:
            straight = (rows[:, 2:] - rows[:, :2]).min(axis=1) <= THICKNESS + 0.01
            near &= straight | (owners != list(self.arrows).index(without))
            cards = np.vstack([cards, self._bookmarks])
        return Surroundings(cards[_touching(cards, area)], rows[near], np.array(self.bounds))

    @cached_property
    def _pieces(self) -> tuple[Array, Array]:
        """Small rectangles along all arrows, and for each the number of its edge."""
        both = [arrow for pair in self.arrows.values() for arrow in (pair[0], pair[1] or pair[0])]
        rects, owners = pieces([arrow.corners for arrow in both], THICKNESS)
        return rects, owners // 2

    @cached_property
    def _bookmarks(self) -> Array:
        tops = [self.bookmark(name) for name in self.places]
        return np.array([(x - BOOKMARK[0] / 2, y, x + BOOKMARK[0] / 2, y + BOOKMARK[2]) for x, y in tops])


def card_of(view: NodeView, shape: tuple[int, ...]) -> Card:
    """Return where the parts of a node's card lie."""
    type_size = PART_TITLE if view.kind == "op" else TITLE
    right = "" if view.formula == view.title else view.formula
    name, labels = _estimate(view.title, type_size), _labels(view)
    wide = max(map(_words, labels), default=0.0)
    inner = max(
        LEAST_WIDTH.get(view.kind, LEAST_WIDTH["op"]),
        name + (wide + PADDING if labels else 0.0),
        _estimate(right, FORMULA) if right else 0.0,
        array_sizes(shape, 0.0).size[0],
    )
    receives = view.is_loss or view.expected > 0
    narrow = array_sizes(shape, 0.0)
    if receives and narrow.rows > 2 and narrow.columns == 1:
        inner = max(inner, 2 * narrow.size[0] + GAP)
    inner = min(MOST_WIDTH, inner)
    array = array_sizes(shape, inner)
    beside = receives and shape != () and array.rows > 1 and 2 * array.size[0] + GAP <= inner
    return _stacked(view, type_size, right, labels, inner, array, receives, beside)


def _stacked(
    view: NodeView,
    type_size: float,
    right: str,
    labels: tuple[str, ...],
    inner: float,
    array: Sizes,
    receives: bool,
    beside: bool,
) -> Card:
    """Stack the parts from the top down, then count from the card's middle."""
    indent = PADDING + BAR * (view.kind == "parameter")
    wide_array, high_array = (inner, NUMBER_ROW) if not array.rows else array.size
    named = TALL_TITLE if r"\frac" in view.title else TITLE_ROW
    title = PADDING - 2 + max(named, LABEL_ROW * len(labels)) / 2
    below = title + max(named, LABEL_ROW * len(labels)) / 2
    tall = (TALL_ROW if r"\frac" in right or r"\left" in right else FORMULA_ROW) if right else 0.0
    top = below + tall + 5
    rows = 2 if receives and not beside else 1
    high = top + rows * (high_array + GAP) - GAP + PADDING
    wide = indent + inner + PADDING
    left, up = indent - wide / 2, -high / 2
    second = (left + wide_array + GAP, up + top) if beside else (left, up + top + high_array + GAP)
    return Card(
        size=(wide, high),
        left=left,
        inner=inner,
        title=up + title,
        title_size=type_size,
        title_row=named,
        formula=up + below + tall / 2 if right else None,
        tall=tall,
        labels=labels,
        value=(left, up + top),
        gradient=second if receives else None,
        array=array,
    )


def array_sizes(shape: tuple[int, ...], inner: float) -> Sizes:
    """Return how an array of a shape is drawn on a card with so much room."""
    if np.prod(shape) == 1:
        return Sizes(0, 0, (0.0, NUMBER_ROW), False)
    rows, columns = (1, shape[0]) if len(shape) == 1 else (shape[0], int(np.prod(shape[1:])))
    if rows <= NUMBERED[0] and columns <= NUMBERED[1]:
        return Sizes(rows, columns, CELL_SIZE, True)
    cut = (rows > SHOWN[0], columns > SHOWN[1])
    shown = (min(rows, SHOWN[0]), min(columns, SHOWN[1]))
    side = min(14.0, max(6.0, (inner - DOTS * cut[1]) / shown[1]))
    return Sizes(*shown, (side, SINGLE_ROW if rows == 1 else max(ROW, 30.0 / shown[0])), False, cut)


def factor_size(latex: str) -> Size:
    """Return how large the box of a factor is."""
    tall = 36.0 if r"\frac" in latex or r"\left" in latex else 24.0
    return min(320.0, _estimate(latex, FACTOR) + 16), tall


def _estimate(latex: str, size: float) -> float:
    return 1.05 * width(formula(latex)) * size


def _words(text: str) -> float:
    """Return about how wide a text is in the type of labels."""
    return 0.52 * LABEL * len(text)


def _labels(view: NodeView) -> tuple[str, ...]:
    """Return the shape as it stands beside the name: names of dimensions over sizes.

    In an update all shapes are the parameter's; there it is said where a value comes from.
    """
    if view.kind in LANE:
        return (view.note,) if view.note else ()
    found = [text for text in (view.dims, view.shape) if text]
    return tuple(dict.fromkeys(found))


def _shape(graph: Graph, name: str) -> tuple[int, ...]:
    return tuple(dim.size for dim in graph[name].dims)


def _touching(rects: Array, area: Array) -> Array:
    return (
        (rects[:, 0] < area[2]) & (rects[:, 2] > area[0]) & (rects[:, 1] < area[3]) & (rects[:, 3] > area[1])
    )
