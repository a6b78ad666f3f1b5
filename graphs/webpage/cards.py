"""The graph of a page: cards that stand where the layout puts them, and the wires between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from html import escape
from itertools import pairwise
from math import dist, prod

from graphs.layout import Layout, layout
from graphs.mathml import mathml
from graphs.nxgraph import nx_graph
from graphs.typesetting import width
from graphs.views.frame import Statics
from graphs.views.records import EdgeKey
from graphs.wires import APART, NARROW, Arrow, Point, arrows

__all__ = [
    "Card",
    "Drawing",
    "arrow_svg",
    "box_style",
    "card_size",
    "drawing",
    "number",
    "pixels",
    "slot_html",
]

PADDING, BORDER, GAP, BAR = 10.0, 1.5, 7.0, 5.0
TITLE_SIZE, PART_SIZE, FORMULA_SIZE, SMALLEST = 20.0, 15.0, 13.5, 0.6
TITLE_ROW, FORMULA_ROW, TALL_ROW, LABEL_ROW = 26.0, 21.0, 34.0, 14.0
LABEL_CHARACTER = 6.4
LEAST = {"line": 92.0, "op": 84.0, "parameter": 66.0, "input": 76.0}
MOST = 160.0
CELL, STRIP, ROW, TALLEST = 14.0, 15.0, 10.5, 54.0
NUMBER = (100.0, 19.0)
"""Pixels: the parts of a card and their sizes."""
LONG = 4000.0
"""Pixels of a line beyond which a browser takes too long to dash it."""
MARGIN, BESIDE, HEADROOM = 24.0, 64.0, 64.0
"""At the left of the graph, and at its right, above and below it, for what is written beside arrows."""


@dataclass(frozen=True)
class Card:
    """One card: its size, how its texts are scaled, and how large its two arrays are drawn."""

    width: float
    height: float
    title: float
    title_row: float
    formula: float
    formula_row: float
    map_size: tuple[float, float]
    slots: int
    beside: bool
    is_number: bool


@dataclass(frozen=True)
class Drawing:
    """A graph that is drawn: its HTML, and the order of nodes and edges that the script goes by.

    Attributes
    ----------
    middles
        Where the middle of each card is, across; `size` is that of all.
    """

    html: str
    nodes: Sequence[str]
    edges: Sequence[EdgeKey]
    middles: Mapping[str, float] = field(default_factory=dict)
    size: tuple[float, float] = (0.0, 0.0)

    def with_lanes(self, html: str) -> Drawing:
        """Return the same with more in its sheet."""
        end = "</div>"
        return replace(self, html=self.html.removesuffix(end) + html + end) if self.html else self


def drawing(statics: Statics) -> Drawing:
    """Return the drawing of a graph at its detail."""
    cards = {name: _card_of(statics, name) for name in statics.names}
    graph = nx_graph(statics.graph, statics.detail)
    placed = layout(graph, {name: (card.width, card.height) for name, card in cards.items()})
    x, y, wide, high = placed.bounds
    origin = (x - MARGIN, y - HEADROOM)
    size = (wide + MARGIN + BESIDE, high + 2 * HEADROOM)
    edges = "".join(_edges(statics, placed, origin))
    items = "".join(
        _card_html(statics, name, card, _corner(placed.positions[name], card, origin))
        for name, card in cards.items()
    )
    view = (
        f'viewBox="0 0 {number(size[0])} {number(size[1])}" aria-hidden="true" '
        f'style="width:{pixels(size[0])};height:{pixels(size[1])}"'
    )
    html = (
        f'<div class="sheet" style="width:{pixels(size[0])};height:{pixels(size[1])}">'
        f'<svg class="wires" {view}>{edges}</svg><ul class="cards">{items}</ul>'
        f'<svg class="wires over" {view}></svg></div>'
    )
    middles = {name: x - origin[0] for name, (x, _) in placed.positions.items()}
    return Drawing(html, statics.names, statics.edges, middles, size)


def _corner(middle: Point, card: Card, origin: Point) -> Point:
    return middle[0] - card.width / 2 - origin[0], middle[1] - card.height / 2 - origin[1]


# --- cards --------------------------------------------------------------------------------------------------


def _card_of(statics: Statics, name: str) -> Card:
    title, formula = statics.titles[name]
    shape, dims = statics.shapes_of(name)
    receives = name == statics.graph.loss or statics.expected.get(name, 0) > 0
    sizes = tuple(d.size for d in statics.graph[name].dims)
    label = max(len(shape), len(dims)) * LABEL_CHARACTER
    return card_size(statics.kind(name), title, "" if formula == title else formula, sizes, label, receives)


@lru_cache(maxsize=4096)
def card_size(
    kind: str, title: str, formula: str, shape: tuple[int, ...], label: float, receives: bool
) -> Card:
    """Return how large a card is: with a name, a label of a width beside it, and a right-hand side."""
    size = PART_SIZE if kind == "op" else TITLE_SIZE
    title_width, formula_width = size * width(title), FORMULA_SIZE * width(formula)
    least_map = _map_size(shape, LEAST[kind])[0]
    beside = receives and len(shape) == 2 and shape[0] > 1 and least_map <= 4 * CELL
    arrays = 2 * least_map + GAP if beside else least_map
    inner = min(
        MOST,
        max(LEAST[kind], arrays, formula_width, title_width + bool(label) * (GAP + label)),
    )
    slots = 1 + receives
    map_size = _map_size(shape, inner)
    rows = 1 if beside else slots
    formula_row = (TALL_ROW if r"\frac" in formula else FORMULA_ROW) if formula else 0.0
    title_row = max(TITLE_ROW, 2 * LABEL_ROW if label else 0.0, TALL_ROW + 4 if r"\frac" in title else 0.0)
    height = 2 * (PADDING + BORDER) + title_row + formula_row + GAP / 2 + rows * (map_size[1] + GAP) - GAP
    return Card(
        width=2 * round((inner + 2 * (PADDING + BORDER) + BAR * (kind == "parameter")) / 2),
        height=2 * round(height / 2),
        title_row=title_row,
        formula_row=formula_row,
        title=size * _scale(title_width, inner - bool(label) * (GAP + label)),
        formula=FORMULA_SIZE * _scale(formula_width, inner),
        map_size=map_size,
        slots=slots,
        beside=beside,
        is_number=prod(shape) == 1,
    )


def _scale(wide: float, room: float) -> float:
    return 1.0 if wide <= room else max(SMALLEST, room / wide)


def _map_size(shape: tuple[int, ...], inner: float) -> tuple[float, float]:
    """Return how large an array is drawn: a number, a strip, or cells."""
    if prod(shape) == 1:
        return NUMBER
    rows, columns = (1, *shape)[-2:] if len(shape) < 2 else (shape[0], prod(shape[1:]))
    height = STRIP if rows == 1 else min(TALLEST, max(2 * CELL, rows * ROW))
    return min(inner, max(STRIP, columns * CELL)), height


def _card_html(statics: Statics, name: str, card: Card, corner: Point) -> str:
    title, formula = statics.titles[name]
    kind = "loss" if name == statics.graph.loss else statics.kind(name)
    place = box_style(corner, (card.width, card.height))
    size = f"height:{pixels(card.formula_row)};font-size:{pixels(card.formula)}"
    right = f'<div class="formula" style="{size}">{mathml(formula)}</div>'
    return (
        f'<li class="card {kind}" style="{place}">'
        f'<div class="head" style="height:{pixels(card.title_row)}">'
        f'<span class="name" style="font-size:{pixels(card.title)}">{mathml(title)}</span>'
        f"{_labels(statics, name)}</div>"
        f"{right if card.formula_row else ''}"
        f'<div class="slots{" beside" if card.beside else ""}">{"".join(_slots(card))}</div></li>'
    )


def _labels(statics: Statics, name: str) -> str:
    shape, dims = (escape(text) for text in statics.shapes_of(name))
    lines = "<br>".join(text for text in (dims, shape) if text)
    return f'<span class="size">{lines}</span>' if lines else ""


def _slots(card: Card) -> Iterator[str]:
    for role in ("value", "gradient")[: card.slots]:
        yield slot_html(card, role)


def slot_html(card: Card, role: str) -> str:
    """Return where an array is shown: as a value or as a gradient."""
    wide, high = card.map_size
    kind = "number" if card.is_number else "map"
    return f'<div class="slot {role} {kind}" style="width:{pixels(wide)};height:{pixels(high)}"></div>'


# --- wires --------------------------------------------------------------------------------------------------


def _edges(statics: Statics, placed: Layout, origin: Point) -> Iterator[str]:
    together = Counter((source, target) for source, target, _ in statics.edges)
    for edge in statics.edges:
        apart = NARROW if together[edge[:2]] > 1 else APART
        forward, backward = arrows(placed.routes[edge], edge in statics.flows_back, apart)
        back = arrow_svg(backward, "b", origin) if backward is not None else ""
        yield f'<g class="edge">{arrow_svg(forward, "f", origin)}{back}</g>'


def arrow_svg(arrow: Arrow, kind: str, origin: Point) -> str:
    """Return an arrow as SVG, its line rounded at the corners."""

    def at(point: Point) -> str:
        return f"{number(point[0] - origin[0])} {number(point[1] - origin[1])}"

    line = f"M{at(arrow.line[0])}"
    for before, corner, after in arrow.bends():
        line += f"L{at(before)}Q{at(corner)} {at(after)}"
    line += f"L{at(arrow.line[-1])}"
    head = "M" + "L".join(at(point) for point in arrow.head) + "Z"
    long = " long" if sum(dist(a, b) for a, b in pairwise(arrow.line)) > LONG else ""
    return f'<g class="{kind}"><path class="line{long}" d="{line}"/><path class="head" d="{head}"/></g>'


def number(x: float) -> str:
    """Return a number as short as a tenth of a pixel needs it."""
    return f"{x:.1f}".removesuffix(".0")


def box_style(corner: Point, size: tuple[float, float]) -> str:
    """Return the style of what stands at a place in a size."""
    sides = zip(("left", "top", "width", "height"), (*corner, *size), strict=True)
    return ";".join(f"{side}:{pixels(x)}" for side, x in sides)


def pixels(x: float) -> str:
    """Return a length for a style."""
    return f"{number(x)}px"
