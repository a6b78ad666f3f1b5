r"""The cards of a drawing as TikZ: names, equations, shapes, and arrays as cells or numbers.

What is set in a card goes through ``\bsfit``, which makes smaller whatever is too wide or too high for its
place: TeX alone knows how wide a formula really is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from engine.names import latex_name
from graphs.drawing import BAR, BOOKMARK, CELL, DOTS, FORMULA, LABEL, NUMBER, Card, Drawing, Sizes
from graphs.figures import number
from graphs.lane_drawing import HEADING, LaneDrawing
from graphs.palette import Palette
from graphs.room import Array, Point
from graphs.tex import escaped, formula
from graphs.typesetting import width
from graphs.views.numbers import MINUS, TIMES, compact
from graphs.views.records import LaneArrow, LaneView, NodeView
from graphs.wires import Arrow

__all__ = [
    "MACROS",
    "ROUNDED",
    "WIDTHS",
    "Pen",
    "arrow_rows",
    "card_rows",
    "colours",
    "glow_rows",
    "lane_rows",
    "node_names",
    "point",
    "short",
]

MACROS = r"""% What is too wide or too high for its place is made smaller.
\def\bsfit#1#2#3{\setbox0\hbox{#3}%
  \ifdim\dimexpr\ht0+\dp0\relax>#2\relax \setbox0\hbox{\resizebox*{!}{#2}{\box0}}\fi
  \ifdim\wd0>#1\relax \resizebox{#1}{!}{\box0}\else\box0 \fi}%
\def\bssize#1{\fontsize{#1}{#1}\selectfont}%
% A cell of an array: left, bottom, width, height, the sign of its number, the strength of its colour.
\def\bscell#1#2#3#4#5#6{\pgfsetfillcolor{bs#5!#6!bszero}%
  \pgfpathrectangle{\pgfqpoint{#1}{#2}}{\pgfqpoint{#3}{#4}}\pgfusepath{fill}}%"""
HEADING_SIZE = 13.0
WIDTHS = {"future": 0.8, "past": 1.2, "current": 2.1}
"""Points of arrows, by how far the timeline has come."""
ROUNDED = "rounded corners=6pt"
PHASES = ("forward", "seed", "backward", "update")
ROLES = {"gradient": "backward", "kept": "update", "quantity": "update"}
"""What the values of an update's cards are; those of the graph's own are forward."""
GLOW = ((9.0, 7), (6.5, 14), (4.0, 24))
"""Rings around the current card: how far they reach, and how strong they are."""
INK_TURNS = 55
"""Strength of a cell's colour, in per cent, from which its number has the colour of the card."""
LONGEST = 120.0
"""Of a formula, in em: a longer one is left out."""
NOTHING = r"{\approx}0"
"""What stands for a number that is mere rounding."""
CHARS = 5
"""Characters of a number in a cell."""


def colours(palette: Palette) -> Iterator[str]:
    """Yield the colours of a theme by name; all but the factor's begin with ``bs``."""
    named = ("canvas", "card", "text", "muted", "forward", "backward", "update", "stored", "seed")
    values = {f"bs{role}": getattr(palette, role) for role in (*named, "negative", "zero", "positive")}
    values |= {
        f"bs{role}text": getattr(palette, f"{role}_text") for role in ("forward", "backward", "update")
    }
    values |= {"bsstoredtext": palette.stored_text, "bsborder": palette.card_border}
    values["factor"] = palette.backward_text
    for name, value in values.items():
        yield f"\\definecolor{{{name}}}{{HTML}}{{{value.removeprefix('#').upper()}}}%"


def short(latex: str) -> str:
    """Return a formula, or dots for one that nobody could read in a card, and that TeX has no lengths for."""
    latex = formula(latex)
    return latex if width(latex) <= LONGEST else r"\ldots"


def node_names(names: Iterable[str]) -> Mapping[str, str]:
    """Return for each node a name that TikZ takes, by which other pictures can point at its card."""
    found: dict[str, str] = {}
    for name in names:
        plain = re.sub(r"[^A-Za-z0-9]", "-", name) or "node"
        while plain in found.values():
            plain += "-"
        found[name] = plain
    return found


def point(at: Point) -> str:
    """Return a point in the drawing's units."""
    return f"({_units(at[0])},{_units(at[1])})"


def _units(x: float) -> str:
    return f"{round(x, 2) + 0.0:.2f}".rstrip("0").rstrip(".")  # never -0


class Pen:
    """Writes texts at places, sizes given in the drawing's units.

    Parameters
    ----------
    unit
        How many points a unit is.
    """

    def __init__(self, unit: float) -> None:
        self.unit = unit

    def length(self, units: float) -> str:
        """Return a length in points."""
        return f"{self.unit * units:.2f}pt"

    def box(self, wide: float, high: float) -> str:
        """Return the options of a node of a size."""
        return f"minimum width={self.length(wide)},minimum height={self.length(high)}"

    def content(self, text: str, size: float, colour: str, wide: float, high: float) -> str:
        """Return a text that keeps to a width and a height."""
        set_text = f"\\bssize{{{self.length(size)}}}\\color{{{colour}}}{text}"
        return f"\\bsfit{{{self.length(wide)}}}{{{self.length(high)}}}{{{set_text}}}"

    def text(
        self, at: Point, text: str, size: float, colour: str, wide: float, high: float, anchor: str = "west"
    ) -> str:
        """Return a node with a text at a point."""
        return f"\\node[anchor={anchor}] at {point(at)} {{{self.content(text, size, colour, wide, high)}}};"


def card_rows(
    pen: Pen, drawing: Drawing | LaneDrawing, node: NodeView, name: str, phase: str
) -> Iterator[str]:
    """Yield a card.

    Parameters
    ----------
    name
        Of its outline, for TikZ.
    phase
        Of the step that is shown.
    """
    card, at = drawing.cards[node.name], drawing.places[node.name]
    yield from _frame(pen, node, card, at, name, phase)
    yield from _words(pen, node, card, at)
    role = ROLES.get(node.kind, "forward")
    yield from _array(pen, card, card.value, at, node.value, role, "value" in node.noise)
    if card.gradient is not None:
        noise = "gradient" in node.noise
        yield from _array(pen, card, card.gradient, at, node.gradient, "backward", noise)
    if node.stored or node.read:
        yield _bookmark(node, drawing.bookmark(node.name))
    if node.expected > 1 and node.arrived:
        yield _badge(pen, node, drawing.rect(node.name))


def glow_rows(pen: Pen, drawing: Drawing | LaneDrawing, node: NodeView) -> Iterator[str]:
    """Yield the light around the card that a step changes; wires end on it, so it lies below them."""
    wide, high = drawing.cards[node.name].size
    for reach, strength in GLOW if node.phase else ():
        fill = f"fill=bs{node.phase}!{strength}!bscanvas,rounded corners=9pt"
        size = pen.box(wide + 2 * reach, high + 2 * reach)
        yield f"\\node[{fill},{size}] at {point(drawing.places[node.name])} {{}};"


def lane_rows(pen: Pen, drawing: LaneDrawing, lane: LaneView) -> Iterator[str]:
    """Yield an update: its ground, its arrows, its cards, and where values come in and go out."""
    left, top, right, bottom = drawing.panel
    ground = "draw=bsupdate!35!bscanvas,fill=bsupdate!5!bscanvas,line width=0.9pt,rounded corners=8pt"
    yield f"\\draw[{ground}] {point((left, top))} rectangle {point((right, bottom))};"
    words = f"{escaped(lane.heading[0])} ${short(lane.heading[1])}$"
    place = (left + 12, bottom - HEADING / 2)
    yield pen.text(place, words, HEADING_SIZE, "bsupdatetext", right - left - 24, HEADING)
    for node in lane.cards.values():
        yield from glow_rows(pen, drawing, node)
    for arrow, line in drawing.arrows:
        yield from arrow_rows(line, *_flow(arrow))
    names = node_names(lane.cards)
    for node in lane.cards.values():
        yield from card_rows(pen, drawing, node, f"update-{names[node.name]}", "update")
    for port in drawing.ports:
        left, top, right, bottom = port.rect
        middle = ((left + right) / 2, (top + bottom) / 2)
        ink = "bsforwardtext" if port.flow == "value" else "bsupdatetext"
        yield pen.text(middle, f"${short(port.title)}$", LABEL, ink, right - left, bottom - top, "center")


def _flow(arrow: LaneArrow) -> tuple[str, str]:
    """Return how an arrow of an update is drawn, and its colour."""
    role = {"value": "bsforward", "gradient": "bsbackward"}.get(arrow.flow, "bsupdate")
    if arrow.current:
        return f"{role},line width={WIDTHS['current']}pt", role
    colour = f"{role}!70!bscanvas" if arrow.done else "bsmuted!35!bscanvas"
    return f"{colour},line width={WIDTHS['past' if arrow.done else 'future']}pt", colour


def arrow_rows(arrow: Arrow, style: str, colour: str) -> Iterator[str]:
    """Yield an arrow: its line and its head."""
    yield f"\\draw[{style},{ROUNDED}] {' -- '.join(map(point, arrow.line))};"
    yield f"\\fill[{colour}] {' -- '.join(map(point, arrow.head))} -- cycle;"


def _frame(pen: Pen, node: NodeView, card: Card, at: Point, name: str, phase: str) -> Iterator[str]:
    (x, y), (wide, high) = at, card.size
    fill = "bscanvas" if node.value is None else "bscard"
    style = f"{_border(node, phase)},fill={fill},{ROUNDED},{pen.box(wide, high)}"
    yield f"\\node[{style}] ({name}) at {point(at)} {{}};"
    if node.kind == "parameter":
        corner, end = (x - wide / 2 - 1, y - high / 2), (x - wide / 2 - 1 + BAR, y + high / 2)
        yield f"\\fill[bsupdate,rounded corners=1.6pt] {point(corner)} rectangle {point(end)};"


def _border(node: NodeView, phase: str) -> str:
    if node.phase:
        return f"draw=bs{node.phase},line width=1.9pt"
    if node.part and phase in PHASES:
        return f"draw=bs{phase}!75!bscanvas,line width=1.2pt"
    if node.kind == "input":
        return "draw=bsmuted!45!bscanvas,line width=0.9pt,dash pattern=on 3pt off 2pt"
    return "draw=bsborder,line width=0.9pt"


def _words(pen: Pen, node: NodeView, card: Card, at: Point) -> Iterator[str]:
    """Yield name, shape and equation."""
    x, y = at
    future = node.value is None
    labels = max((0.55 * LABEL * len(text) for text in card.labels), default=-6.0)
    ink, light = ("bsmuted", "bsmuted!60!bscanvas") if future else ("bstext", "bsmuted")
    title = f"${short(node.title)}$"
    place, room = (x + card.left, y + card.title), (card.inner - labels - 6, card.title_row + 1)
    yield pen.text(place, title, card.title_size, ink, *room)
    for i, text in enumerate(card.labels):
        line = (x + card.left + card.inner, y + card.title + (i - (len(card.labels) - 1) / 2) * 1.15 * LABEL)
        yield pen.text(line, _shape(text), LABEL, light, labels + 8, 1.2 * LABEL, "east")
    if card.formula is not None:
        place = (x + card.left, y + card.formula)
        yield pen.text(place, f"${short(node.formula)}$", FORMULA, "bsmuted", card.inner, card.tall)


def _shape(text: str) -> str:
    """Return a shape such as "k × 133" as a formula, and words as they are."""
    if " " in text and TIMES not in text:
        return escaped(text)
    parts = (part if part.isdigit() else formula(latex_name(part)) for part in text.split(f" {TIMES} "))
    joined = r" \times ".join(parts)
    return f"${joined}$"


def _array(
    pen: Pen, card: Card, corner: Point, at: Point, array: Array | None, role: str, noise: bool
) -> Iterator[str]:
    """Yield a value or a gradient; what is `noise`, mere rounding, looks as zero does."""
    left, top = at[0] + corner[0], at[1] + corner[1]
    sizes = card.array
    if not sizes.rows:
        if array is not None:
            text, middle = number(np.ravel(array)[0]), (left, top + sizes.cell[1] / 2)
            text = f"${NOTHING if noise else text}$"
            yield pen.text(middle, text, NUMBER, f"bs{role}text", card.inner, sizes.cell[1])
        return
    wide, high = sizes.size
    outline = f"{point((left, top))} rectangle {point((left + wide, top + high))}"
    if array is None:
        yield f"\\draw[bsmuted!35!bscanvas,line width=0.6pt] {outline};"
        return
    table = array.reshape(array.shape[0] if array.ndim > 1 else 1, -1)
    yield from _cells(pen, sizes, (left, top), table, noise)
    dashes = ",dash pattern=on 3pt off 1.6pt" if role == "backward" else ""
    yield f"\\draw[bs{role},line width=0.9pt{dashes}] {outline};"


def _cells(pen: Pen, sizes: Sizes, corner: Point, table: Array, noise: bool) -> Iterator[str]:
    finite = np.abs(table[np.isfinite(table) & (not noise)])
    scale = float(finite.max()) if finite.size else 0.0
    (wide, high), (left, top) = sizes.cell, corner
    size = f"{{{pen.length(wide - 0.6)}}}{{{pen.length(high - 0.6)}}}"
    numbers = []
    yield "\\begin{pgfscope}"
    for row, column in np.ndindex(sizes.rows, sizes.columns):
        x, at = float(table[row, column]), (left + column * wide, top + row * high)
        strength = round(100 * abs(x) / scale) if scale and np.isfinite(x) else 0
        below = f"{{{pen.length(at[0])}}}{{{pen.length(-at[1] - high + 0.6)}}}"
        yield f"\\bscell{below}{size}{{{'negative' if x < 0 else 'positive'}}}{{{strength}}}"
        if sizes.is_numbered:
            ink, middle = "bscard" if strength > INK_TURNS else "bstext", (at[0] + wide / 2, at[1] + high / 2)
            text = f"${NOTHING}$" if noise and x else _in_cell(x)
            numbers.append(pen.text(middle, text, CELL, ink, wide - 2, high - 2, "center"))
    yield "\\end{pgfscope}"
    yield from numbers
    yield from _dots(sizes, corner)


def _in_cell(x: float) -> str:
    """Return a number with its sign, as short as a cell needs it."""
    text = compact(x, CHARS).replace(MINUS, "-")
    return "nan" if text == "nan" else f"${formula(text)}$"


def _dots(sizes: Sizes, corner: Point) -> Iterator[str]:
    """Yield the dots that stand for columns and rows left out."""
    (left, top), (wide, high) = corner, sizes.size
    across, down = wide - DOTS * sizes.cut[1], high - DOTS * sizes.cut[0]
    for is_cut, x, y in (
        (sizes.cut[1], left + wide - DOTS / 2, top + down / 2),
        (sizes.cut[0], left + across / 2, top + high - DOTS / 2),
    ):
        for step in (-3.4, 0.0, 3.4) if is_cut else ():
            yield f"\\fill[bsmuted] {point((x + step, y))} circle[radius=0.65pt];"


def _bookmark(node: NodeView, at: Point) -> str:
    """Return the mark of a value that some factor reads; filled where the current one does."""
    (x, y), (wide, high, _) = at, BOOKMARK
    left, right = x - wide / 2, x + wide / 2
    corners = ((left, y), (right, y), (right, y + high), (x, y + high - 5), (left, y + high))
    shape = " -- ".join(map(point, corners))
    style = "fill=bsstored,draw=bsstored" if node.read else "fill=bscard,draw=bsstored!60!bscanvas"
    return f"\\filldraw[{style},line width=0.8pt] {shape} -- cycle;"


def _badge(pen: Pen, node: NodeView, rect: tuple[float, ...]) -> str:
    """Return how many of several contributions to a gradient have arrived."""
    _, _, right, bottom = rect
    style = (
        "fill=bscanvas,draw=bsbackward,line width=0.8pt,rounded corners=3pt,inner xsep=3pt,inner ysep=1.8pt"
    )
    words = f"\\bssize{{{pen.length(LABEL)}}}\\color{{bsbackwardtext}}$+$\\,{node.arrived} of {node.expected}"
    return f"\\node[{style},anchor=east] at {point((right + 6, bottom))} {{{words}}};"
