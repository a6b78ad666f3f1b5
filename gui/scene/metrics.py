"""How large a card is and where its parts lie: the same at every step, so nothing moves while stepping."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache

from PySide6.QtCore import QRectF
from PySide6.QtGui import QFont, QFontMetricsF

from gui.equations import Equation, equation
from gui.matrices import grid_shape
from gui.theme import application_font
from gui.viewdata import NodeView

PADDING = 10.0
BAR = 5.0
"""Width of the bar that marks a parameter."""
GAP = 7.0
"""Between two parts of a card."""
LEAST_INNER = {
    "line": 86.0,
    "op": 80.0,
    "parameter": 60.0,
    "input": 74.0,
    "gradient": 60.0,
    "kept": 60.0,
    "quantity": 60.0,
}
MOST_INNER = 152.0
"""Widths of what stands in a card."""
WIDEST_FORMULA = 224.0
"""How wide a card gets for the sake of a long formula, which would be too small to read otherwise."""
SMALLEST = 0.62
"""A formula is not scaled down below this share of its size; what is still too long is cut off."""
CELL = 14.0
STRIP = 15.0
ROW = 10.5
TALLEST = 54.0
"""Sizes of heat maps: the side of a cell, the height of a single row, of one of several, of all of them."""
LANE_KINDS = ("gradient", "kept", "quantity")
LANE_TALLEST = 32.0
LANE_FORMULA_GAP = 3.0
LANE_TIGHTER = 2.0
"""The cards of an update are lower: several stand one above the other below the graph."""
LEAST_DIGITS = 4
"""Digits for which a note has room from the start, so that iteration 10 moves nothing."""
NUMBERED, NUMBERED_CELL = 4, (46.0, 24.0)
"""Rows and columns up to which arrays show their numbers, and how large their cells are then."""

CROWD = 500
"""Nodes beyond which a graph is painted as a crowd: cards alike, measured only when seen from near."""
CROWD_SIZE = (110.0, 90.0)

BOLD = ("number", "badge")


@dataclass(frozen=True)
class Letters:
    """How large the texts on the canvas are, in pixels.

    Attributes
    ----------
    title, lane_title
        Of a name, and of one on the lower cards of an update.
    label, number, note, badge
        Of a shape, of a number, of words beside wires, of words on borders.
    formula, part
        Of a right-hand side, and of an unnamed operation, which is written out.
    gap
        Between the title and the shape at its right; in a file that keeps text, readers may have wider fonts.
    has_numbers
        Whether the cells of small arrays have room for their numbers.
    """

    title: float = 20.0
    lane_title: float = 17.0
    label: int = 12
    number: int = 13
    note: int = 13
    badge: int = 12
    formula: float = 13.5
    part: float = 15.0
    gap: float = 10.0
    has_numbers: bool = False

    @property
    def scale(self) -> float:
        """By how much they are larger than on the screen."""
        return self.label / Letters.label

    @property
    def notes(self) -> float:
        """By how much factors and words beside wires are larger than on the screen."""
        return self.note / Letters.note

    @property
    def line(self) -> float:
        """The height of a line of a shape."""
        return float(round(self.label * 7 / 6))

    @property
    def title_row(self) -> float:
        """The least height of the row of a name."""
        return self.title + 5.0

    @property
    def number_size(self) -> tuple[float, float]:
        """The width and height of a number."""
        return 92.0 * self.number / Letters.number, self.number + 6.0


ON_SCREEN = Letters()
ON_PROJECTOR = Letters(
    title=28.0, lane_title=24.0, label=20, number=22, note=20, badge=18, formula=22.0, part=23.0, gap=12.0
)
IN_PICTURES = Letters(label=15, number=15, note=15, badge=15, formula=16.5, part=17.0, gap=17.0)
"""Of a picture of the graph, which is looked at as small as half a page."""


@lru_cache(maxsize=16)
def canvas_font(role: str, letters: Letters = ON_SCREEN) -> QFont:
    """Return the font of a text on the canvas; in scene units, so that it is the same in every export."""
    font = application_font("strong" if role in BOLD else "body")
    font.setPixelSize(getattr(letters, role))
    return font


def text_width(text: str, role: str, letters: Letters = ON_SCREEN) -> float:
    """Return how wide a text is in one of the canvas's fonts."""
    return QFontMetricsF(canvas_font(role, letters)).horizontalAdvance(text)


@dataclass(frozen=True)
class Placed:
    """A formula, the left end of its baseline, and the room it must keep to."""

    formula: Equation
    x: float
    baseline: float
    room: float


@dataclass(frozen=True)
class Card:
    """Where the parts of a card lie; the card's middle is the origin.

    `gradient` is None where no gradient will ever arrive; `is_number` where the value is a single number.
    `labels` is where the shape stands, in one line or two; at its left end where `label_left` says so.
    """

    rect: QRectF
    title: Placed
    formula: Placed | None
    labels: QRectF
    label_lines: int
    value: QRectF
    gradient: QRectF | None
    is_number: bool
    label_left: bool = False
    letters: Letters = ON_SCREEN


def node_size(view: NodeView, letters: Letters = ON_SCREEN) -> tuple[float, float]:
    """Return the width and height of a node's card; no step changes it."""
    rect = card_of(view, letters).rect
    return rect.width(), rect.height()


def card_of(view: NodeView, letters: Letters = ON_SCREEN) -> Card:
    """Return where the parts of a node's card lie."""
    formula = "" if view.formula == view.title else view.formula
    receives = view.is_loss or view.expected > 0
    dims = "" if view.kind in LANE_KINDS else view.dims
    return _card(view.kind, view.title, formula, view.shape, dims, receives, _roomy(view.note), letters)


def _roomy(note: str) -> str:
    """Return a note with its numbers as wide as they may become."""
    return re.sub(r"\d+", lambda digits: "0" * max(LEAST_DIGITS, len(digits[0])), note)


def array_shape(text: str) -> tuple[int, ...]:
    """Return the sizes that a shape's text says.

    Examples
    --------
    >>> array_shape("4 × 133"), array_shape("")
    ((4, 133), ())
    """
    return tuple(int(digits) for digits in re.findall(r"\d+", text))


def labels_of(view: NodeView, lines: int) -> list[str]:
    """Return the lines that stand beside a card's title: its shape, or where its value comes from."""
    if view.note:
        return [view.note]
    return label_texts(view.shape, "" if view.kind in LANE_KINDS else view.dims, lines)


def label_texts(shape: str, dims: str, lines: int) -> list[str]:
    """Return the lines in which a shape is written: names of dimensions, and sizes."""
    found = [text for text in (dims, shape) if text]
    if dims == shape:
        found = found[:1]
    return found if lines > 1 else ["   ".join(found)]


@dataclass(frozen=True)
class _Parts:
    """What a card is made of, measured."""

    left: float
    inner: float
    title: Equation
    formula: Equation | None
    label_lines: int
    label_width: float
    map_size: tuple[float, float]
    maps: int
    beside: bool
    is_number: bool
    is_low: bool
    letters: Letters


@lru_cache(maxsize=4096)
def _card(
    kind: str, title: str, formula: str, shape: str, dims: str, receives: bool, note: str, letters: Letters
) -> Card:
    if note:
        return _noted(title, shape, note, letters)
    return _stacked(_measured(kind, title, formula, shape, dims, receives, letters))


def _measured(
    kind: str, title: str, formula: str, shape: str, dims: str, receives: bool, letters: Letters
) -> _Parts:
    numbers = array_shape(shape)
    lane = kind in LANE_KINDS
    tallest = LANE_TALLEST if lane else TALLEST
    usual, widest = (room * letters.scale for room in (MOST_INNER, WIDEST_FORMULA))
    size = letters.lane_title if lane else letters.part if kind == "op" else letters.title
    name = _fitting(title, size, usual)
    right = _fitting(formula, letters.formula, usual if lane else widest) if formula else None
    longest = right.width if right and not lane else 0.0
    least_map = _map_size(numbers, LEAST_INNER[kind], tallest, letters)[0]
    most = max(min(widest, max(usual, longest)), least_map)  # cells with numbers are as wide as they are
    beside = receives and grid_shape(numbers)[0] > 1 and least_map <= 4 * CELL
    least = max(LEAST_INNER[kind], least_map * 2 + GAP if beside else least_map, right.width if right else 0)
    least = min(most, least)
    lines, label_width = _labels(shape, dims, least - name.width - letters.gap, letters)
    inner = min(most, max(least, name.width + letters.gap * bool(lines) + label_width))
    return _Parts(
        left=PADDING + (BAR if kind == "parameter" else 0),
        inner=inner,
        title=name,
        formula=right,
        label_lines=lines,
        label_width=label_width,
        map_size=_map_size(numbers, inner, tallest, letters),
        maps=1 + receives,
        beside=beside,
        is_number=math.prod(numbers) == 1,
        is_low=lane,
        letters=letters,
    )


def _noted(title: str, shape: str, note: str, letters: Letters) -> Card:
    """Return the low card of a value from elsewhere: name and array, below them where it is from."""
    name = _fitting(title, letters.lane_title)
    numbers = array_shape(shape)
    map_width, map_height = _map_size(numbers, LEAST_INNER["kept"], LANE_TALLEST, letters)
    note_width = text_width(note, "label", letters)
    inner = max(note_width, name.width + letters.gap + map_width)
    row = max(letters.title_row, name.height + 2, map_height)
    width, height = 2 * round(inner / 2 + PADDING), 2 * round((PADDING + row + 2 + letters.line + 6) / 2)
    left, up = PADDING - width / 2, PADDING - 2 - height / 2
    middle = up + row / 2
    return Card(
        rect=QRectF(-width / 2, -height / 2, width, height),
        title=Placed(name, left, up + _baseline(name, row), name.width),
        formula=None,
        labels=QRectF(left, up + row + 2, note_width, letters.line),
        label_lines=1,
        value=QRectF(left + name.width + letters.gap, middle - map_height / 2, map_width, map_height),
        gradient=None,
        is_number=math.prod(numbers) == 1,
        label_left=True,
        letters=letters,
    )


def _fitting(latex: str, size: float, most: float = MOST_INNER) -> Equation:
    """Return a formula at `size`, or smaller where it is wider than `most`."""
    found = equation(latex, size)
    if found.width <= most:
        return found
    wanted = size * max(SMALLEST, most / found.width)
    return equation(latex, math.floor(wanted * 100) / 100)  # sizes have two digits: the next would be wider


def _map_size(shape: tuple[int, ...], inner: float, tallest: float, letters: Letters) -> tuple[float, float]:
    """Return how large a heat map is; many columns fill the card."""
    if math.prod(shape) == 1:
        return letters.number_size
    rows, columns = grid_shape(shape)
    if letters.has_numbers and max(rows, columns) <= NUMBERED:
        return columns * NUMBERED_CELL[0], rows * NUMBERED_CELL[1]
    height = STRIP if rows == 1 else min(tallest, max(2 * CELL, rows * ROW))
    return min(inner, max(STRIP, columns * CELL)), height


def _labels(shape: str, dims: str, room: float, letters: Letters) -> tuple[int, float]:
    """Return in how many lines the shape is written, and how wide it is then."""
    texts = label_texts(shape, dims, 2)
    widths = [text_width(text, "label", letters) for text in (*texts, *label_texts(shape, dims, 1))]
    if len(texts) < 2 or widths[-1] <= room:
        return len(texts[:1]), widths[-1]
    return 2, max(widths[:-1])


def _stacked(parts: _Parts) -> Card:
    """Stack the parts from the top down, then move them so that the card's middle is the origin."""
    tight = LANE_TIGHTER if parts.is_low else 0.0
    first = PADDING - 2 - tight
    title_height = max(
        parts.letters.title_row, parts.title.height + 2, parts.letters.line * parts.label_lines
    )
    second = first + title_height + (LANE_FORMULA_GAP if parts.is_low and parts.formula else 0.0)
    formula_height = max(17.0, parts.formula.height) + 2 if parts.formula else 0.0
    third = second + formula_height + 5
    rows = 1 if parts.beside else parts.maps
    map_width, map_height = parts.map_size
    height = 2 * round((third + rows * (map_height + GAP) - GAP + PADDING - tight) / 2)
    width = 2 * round((parts.left + parts.inner + PADDING) / 2)
    left, up = parts.left - width / 2, -height / 2
    value = QRectF(left, up + third, map_width, map_height)
    step = (map_width + GAP, 0.0) if parts.beside else (0.0, map_height + GAP)
    formula_at = up + second + (_baseline(parts.formula, formula_height) if parts.formula else 0.0)
    return Card(
        rect=QRectF(-width / 2, up, width, height),
        title=Placed(parts.title, left, up + first + _baseline(parts.title, title_height), parts.inner),
        formula=parts.formula and Placed(parts.formula, left, formula_at, parts.inner),
        labels=QRectF(
            left + parts.inner - parts.label_width,
            up + first + 1,
            parts.label_width,
            parts.letters.line * parts.label_lines,
        ),
        label_lines=parts.label_lines,
        value=value,
        gradient=value.translated(*step) if parts.maps > 1 else None,
        is_number=parts.is_number,
        letters=parts.letters,
    )


def _baseline(formula: Equation, room: float) -> float:
    """Return where in its row a formula's baseline lies; formulas of ordinary height share one."""
    if formula.height <= 1.2 * formula.size:
        return room / 2 + formula.size * 0.33
    return room / 2 + formula.ascent - formula.height / 2
