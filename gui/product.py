"""The matrices of a product side by side: what is multiplied, and which row and column make an entry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from graphs.views.numbers import NOTHING, format_number, full
from gui.equations import Equation, equation, paint, plain_source
from gui.formulas import inline_fractions
from gui.groups import group as grouped
from gui.groups import write
from gui.links import paint_frame
from gui.matrices import Grid, as_table, matrix_size, paint_matrix
from gui.theme import Theme, application_font
from gui.viewdata import Link, MatrixView, Symbol, link_of_label

Part = MatrixView | str
Index = tuple[int, ...]

CELL = 14.0
TALLEST = 84.0
WIDTHS = (116.0, 96.0, 80.0, 66.0)
"""How wide one matrix may be; the first at which all fit into one row is taken."""
LABEL_SIZE = 14.0
SIGN_SIZE = 17.0
CHIP_HEIGHT = 24.0
GAP = 8.0
ROW_GAP = 14.0
MARGIN = 3.0

COLOURED = ("forward", "backward", "stored", "update")
"""Roles of matrices with a colour of their own; the others are grey."""
SIGNS = {
    "⊙": r"\odot",
    "·": r"\cdot",
    "−": "-",
    "×": r"\times",
    "⊘": r"\oslash",
    "÷": r"\div",
    "+=": r"\mathrel{+}=",
    "←": r"\leftarrow",
    "σ": r"\sigma",
    "Σ": r"\Sigma",
}


@dataclass(frozen=True)
class Band:
    """The cells of one matrix that take part in an entry of the result.

    `kind` is "cell", "row" (of a left factor) or "column" (of a right one).
    """

    kind: str
    row: int
    column: int
    rows: int
    columns: int


def bands(parts: Sequence[Part], index: Index) -> dict[int, Band]:
    """Return for each matrix the cells that make the entry `index` of the first one."""
    if not parts or isinstance(parts[0], str):
        return {}
    shape = as_table(parts[0].array).shape
    i, j = _place(index)
    found = {}
    for place, part in enumerate(parts):
        if isinstance(part, MatrixView) and part.array.size > 1:
            band = _band(_kind(parts, place), as_table(part.array).shape, shape, i, j)
            if band is not None:
                found[place] = band
    return found


def _place(index: Index) -> tuple[int, int]:
    i, j = (0, 0, *index)[-2:]
    return i, j


def _kind(parts: Sequence[Part], place: int) -> str:
    """Say how a matrix takes part: with a row as a left factor, a column as a right one, else with a cell."""
    before = parts[place - 1] if place else ""
    after = parts[place + 1] if place + 1 < len(parts) else ""
    if before == "·":
        return "none" if after == "·" else "column"
    return "row" if after == "·" else "cell"


def _band(kind: str, own: Index, result: Index, i: int, j: int) -> Band | None:
    if kind == "row":
        return Band(kind, i, 0, 1, own[1]) if i < own[0] else None
    if kind == "column":
        return Band(kind, 0, j, own[0], 1) if j < own[1] else None
    fits = all(size in (1, whole) for size, whole in zip(own, result, strict=True))
    return Band(kind, min(i, own[0] - 1), min(j, own[1] - 1), 1, 1) if fits and kind == "cell" else None


def chosen_entry(parts: Sequence[Part], index: Index, place: int, cell: tuple[int, int]) -> Index | None:
    """Return the entry of the result that a click on a cell of the matrix at `place` asks for."""
    band = bands(parts, index).get(place)
    result = parts[0]
    if band is None or isinstance(result, str):
        return None
    (i, j), (row, column) = _place(index), cell
    part = parts[place]
    assert isinstance(part, MatrixView)
    rows, columns = as_table(part.array).shape
    i = row if band.kind == "row" or (band.kind == "cell" and rows > 1) else i
    j = column if band.kind == "column" or (band.kind == "cell" and columns > 1) else j
    count = result.array.ndim
    return (i, j)[2 - count :] if count else None


@dataclass(frozen=True, eq=False)
class Slot:
    """One part in its place: a matrix with its label, or a sign."""

    part: Part
    place: int
    label: Equation
    width: float
    body: QSizeF
    x: float = 0.0
    middle: float = 0.0

    def rect(self) -> QRectF:
        """Return where the matrix itself lies."""
        left = self.x + (self.width - self.body.width()) / 2
        corner = QPointF(round(left), round(self.middle - self.body.height() / 2))
        return QRectF(corner, self.body)


class ProductStrip(QWidget):
    """Matrices and the signs between them, in as many rows as the width asks for.

    Click a cell, or go there with the arrow keys, to choose the entry whose numbers are put in.

    Signals
    -------
    entry_chosen(tuple)
        The index of an entry of the result.
    pointed(object)
        The `Link` to the entry under the mouse, None where it is no entry of a value or a gradient.
    """

    entry_chosen = Signal(tuple)
    pointed = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._parts: tuple[Part, ...] = ()
        self._index: Index = ()
        self._slots: list[Slot] = []
        self._has_ring = False
        self._symbols: tuple[Symbol, ...] = ()
        self._linked: Link | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the arrow keys to the window
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("matrices of this step")

    @property
    def slots_shown(self) -> Sequence[Slot]:
        """What is shown, and where."""
        return self._slots

    def set_parts(self, parts: tuple[Part, ...], index: Index) -> None:
        """Show another product, with the row and column that make its entry `index`."""
        self._parts, self._index = parts, index
        self.setAccessibleDescription(" ".join(_spoken(part) for part in parts))
        self._lay_out()
        self.update()

    def set_symbols(self, symbols: tuple[Symbol, ...]) -> None:
        """Know which labels stand for what."""
        self._symbols = symbols

    def set_linked(self, link: Link | None) -> None:
        """Mark what is pointed at."""
        self._linked = link
        self.update()

    def link_at(self, point: QPointF) -> Link | None:
        """Return what lies at a point: an entry, or the matrix whose label it is."""
        slot = next(
            (s for s in self._slots if isinstance(s.part, MatrixView) and _reach_of(s).contains(point)), None
        )
        named = self._named(slot) if slot is not None else None
        if slot is None or named is None:
            return None
        cell = self._grid(slot).cell_at(point)
        link, is_transposed = named
        if cell is None or not isinstance(slot.part, MatrixView) or not slot.part.array.ndim:
            return link
        entry = cell[::-1] if is_transposed else cell
        return replace(link, entry=entry[2 - slot.part.array.ndim :])

    def _named(self, slot: Slot) -> tuple[Link, bool] | None:
        return link_of_label(slot.part.label, self._symbols) if isinstance(slot.part, MatrixView) else None

    def _paint_link(self, painter: QPainter, slot: Slot) -> None:
        """Mark a matrix that is pointed at, and the entry."""
        named, link = self._named(slot), self._linked
        if link is None or named is None or (named[0].name, named[0].part) != (link.name, link.part):
            return
        paint_frame(painter, slot.rect().adjusted(-2, -2, 2, 2), self._theme)
        assert isinstance(slot.part, MatrixView)
        if link.entry and len(link.entry) == slot.part.array.ndim:
            row, column = (0, *link.entry)[-2:]
            row, column = (column, row) if named[1] else (row, column)
            self._paint_band(painter, self._grid(slot), Band("cell", row, column, 1, 1))

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        self.update()

    def cell_position(self, place: int, row: int, column: int) -> QPointF:
        """Return the middle of a cell of the matrix at `place`."""
        slot = next(s for s in self._slots if s.place == place)
        return self._grid(slot).cell_rect(row, column).center()

    # Layout

    def _lay_out(self) -> None:
        width = max(80.0, self.width() - 2 * MARGIN)
        rows = _rows(self._parts, width)
        top, self._slots = MARGIN, []
        for row in rows:
            above, below = _reach(row)
            self._slots += _placed(row, MARGIN, top + above)
            top += above + below + ROW_GAP
        needed = int(top - ROW_GAP + MARGIN) + 1 if rows else 0
        if self.minimumHeight() != needed or self.height() != needed:
            self.setFixedHeight(needed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus if self._index else Qt.FocusPolicy.NoFocus)

    def _grid(self, slot: Slot) -> Grid:
        assert isinstance(slot.part, MatrixView)
        return Grid(slot.rect(), *as_table(slot.part.array).shape)

    def _hit(self, point: QPointF) -> tuple[Slot, tuple[int, int]] | None:
        for slot in self._slots:
            if isinstance(slot.part, MatrixView) and slot.rect().contains(point):
                cell = self._grid(slot).cell_at(point)
                return (slot, cell) if cell is not None else None
        return None

    # Painting

    def paint_on(self, painter: QPainter) -> None:
        """Paint the product from the painter's origin, without what the pointer and the focus add to it."""
        shown = bands(self._parts, self._index)
        for slot in self._slots:
            with grouped(painter, f"part-{slot.place}", _spoken(slot.part)):
                self._paint_slot(painter, slot, shown.get(slot.place))

    def _paint_slot(self, painter: QPainter, slot: Slot, band: Band | None) -> None:
        if isinstance(slot.part, str):
            baseline = slot.middle + slot.label.ascent - slot.label.height / 2
            paint(painter, slot.label, slot.x, baseline, self._theme)
            return
        view, rect = slot.part, slot.rect()
        if view.array.size == 1 and not view.shape:
            self._paint_chip(painter, rect, view)
        else:
            scale = 0.0 if view.noise else None
            paint_matrix(painter, rect, view.array, self._theme, scale=scale, border_role=_border(view))
        if band is not None and self._index:
            self._paint_band(painter, self._grid(slot), band)
        self._paint_words(painter, slot, view, rect)

    def _paint_chip(self, painter: QPainter, rect: QRectF, view: MatrixView) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._theme.color(_border(view)), 1.4))
        painter.setBrush(self._theme.color("card"))
        painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)
        painter.setPen(self._theme.color("text"))
        painter.setFont(application_font())
        write(painter, rect, Qt.AlignmentFlag.AlignCenter, _chip_text(view))

    def _paint_band(self, painter: QPainter, grid: Grid, band: Band) -> None:
        first = grid.cell_rect(band.row, band.column)
        last = grid.cell_rect(band.row + band.rows - 1, band.column + band.columns - 1)
        rect = first.united(last).adjusted(-0.5, -0.5, 0.5, 0.5)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for role, width in (("card", 3.2), ("text", 1.5)):
            pen = QPen(self._theme.color(role), width)
            pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
            painter.setPen(pen)
            painter.drawRect(rect)

    def _paint_words(self, painter: QPainter, slot: Slot, view: MatrixView, rect: QRectF) -> None:
        """Paint the label above, shape and dimension names beneath."""
        scale = min(1.0, slot.width / max(slot.label.width, 1.0))
        painter.save()
        painter.translate(rect.center().x() - slot.label.width * scale / 2, rect.top() - 6)
        painter.scale(scale, scale)
        descent = slot.label.height - slot.label.ascent
        paint(painter, slot.label, 0, -descent, self._theme, view.role if view.role in COLOURED else "text")
        painter.restore()
        painter.setFont(application_font("small"))
        painter.setPen(self._theme.color("muted"))
        height = _small_height()
        for i, words in enumerate(_words(view)):
            line = QRectF(slot.x - GAP, rect.bottom() + 3 + i * height, slot.width + 2 * GAP, height)
            write(painter, line, Qt.AlignmentFlag.AlignCenter, words)

    # Qt

    def sizeHint(self) -> QSize:
        return QSize(200, self.minimumHeight())

    def resizeEvent(self, event: QResizeEvent) -> None:
        if event.size().width() != event.oldSize().width():
            self._lay_out()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self.paint_on(painter)
        for slot in self._slots:
            self._paint_link(painter, slot)
        if self._has_ring and self._slots:
            painter.setPen(QPen(self._theme.color("focus"), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 5, 5)
        painter.end()

    def focusInEvent(self, event: QFocusEvent) -> None:
        # Shown to who came by the keyboard only: a window that opens gives the focus to its first widget.
        self._has_ring = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._has_ring = False
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        hit = self._hit(event.position())
        if hit is None or event.button() != Qt.MouseButton.LeftButton:
            return
        entry = chosen_entry(self._parts, self._index, hit[0].place, hit[1])
        if entry is not None:
            self.entry_chosen.emit(entry)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        hit = self._hit(event.position())
        chooses = hit is not None and chosen_entry(self._parts, self._index, hit[0].place, hit[1])
        self.setCursor(Qt.CursorShape.PointingHandCursor if chooses else Qt.CursorShape.ArrowCursor)
        self.pointed.emit(self.link_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.pointed.emit(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        target = self._moved(event.key())
        if target is None or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            super().keyPressEvent(event)
        else:
            self.entry_chosen.emit(target)

    def _moved(self, key: int) -> Index | None:
        """Return the entry that an arrow key leads to."""
        step = ARROWS.get(Qt.Key(key))
        if step is None or not self._index or isinstance(self._parts[0], str):
            return None
        shape = self._parts[0].array.shape
        moved = zip(self._index, step[2 - len(self._index) :], shape, strict=True)
        return tuple(min(max(i + d, 0), size - 1) for i, d, size in moved)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            hit = self._hit(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), _cell_text(*hit) if hit else "", self)
            return True
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
            if plain and self._moved(event.key()) is not None:
                event.accept()
                return True
        return super().event(event)


ARROWS = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
}


# Measures


def _rows(parts: Sequence[Part], width: float) -> list[list[Slot]]:
    """Return the parts in rows, each beginning with the sign that joins it to the one before."""
    if not parts:
        return []
    for widest in WIDTHS:
        slots = [_slot(part, i, widest, width) for i, part in enumerate(parts)]
        if _length(slots) <= width:
            return [slots]
    return list(_wrapped([_slot(part, i, WIDTHS[0], width) for i, part in enumerate(parts)], width))


def _wrapped(slots: Sequence[Slot], width: float) -> Iterator[list[Slot]]:
    row: list[Slot] = []
    for term in _terms(slots):
        for group in [term] if _length(term) <= width else _groups(term):
            if row and _length([*row, *group]) > width:
                yield row
                row = []
            row += group
    yield row


def _terms(slots: Sequence[Slot]) -> Iterator[list[Slot]]:
    """Yield the terms of a sum, each with the sign before it: a row ends between two where it can."""
    term: list[Slot] = []
    for group in _groups(slots):
        if term and group[0].part in ("+", "−"):
            yield term
            term = []
        term += group
    yield term


def _groups(slots: Sequence[Slot]) -> Iterator[list[Slot]]:
    """Yield each matrix with the signs before it: they stay together."""
    group: list[Slot] = []
    for slot in slots:
        group.append(slot)
        if not isinstance(slot.part, str):
            yield group
            group = []
    if group:
        yield group


def _length(slots: Sequence[Slot]) -> float:
    return sum(slot.width for slot in slots) + GAP * (len(slots) - 1)


def _slot(part: Part, place: int, widest: float, room: float) -> Slot:
    if isinstance(part, str):
        label = equation(SIGNS.get(part, part if len(part) == 1 else rf"\text{{{part}}}"), SIGN_SIZE)
        return Slot(part, place, label, label.width, QSizeF(label.width, label.height))
    label = equation(inline_fractions(part.label), LABEL_SIZE)
    body = _body(part, min(widest, room))
    metrics = QFontMetricsF(application_font("small"))
    beneath = max((metrics.horizontalAdvance(words) for words in _words(part)), default=0.0)
    return Slot(part, place, label, min(room, max(body.width(), label.width, beneath)), body)


def _body(part: MatrixView, widest: float) -> QSizeF:
    if not part.shape:
        advance = QFontMetricsF(application_font()).horizontalAdvance(_chip_text(part))
        return QSizeF(max(34.0, advance + 16), CHIP_HEIGHT)
    return matrix_size(part.array.shape, widest, TALLEST, CELL)


def _reach(row: Sequence[Slot]) -> tuple[float, float]:
    """Return how far a row reaches above and below its middle line."""
    above, below = 0.0, 0.0
    for slot in row:
        half = slot.body.height() / 2
        if isinstance(slot.part, str):
            above, below = max(above, half), max(below, half)
        else:
            above = max(above, half + slot.label.height + 6)
            below = max(below, half + 3 + len(_words(slot.part)) * _small_height())
    return above, below


def _placed(row: Sequence[Slot], x: float, middle: float) -> Iterator[Slot]:
    for slot in row:
        yield Slot(slot.part, slot.place, slot.label, slot.width, slot.body, x, middle)
        x += slot.width + GAP


def _reach_of(slot: Slot) -> QRectF:
    """Return where a matrix and its label lie."""
    return slot.rect().adjusted(-2, -slot.label.height - 8, 2, 2)


def _small_height() -> float:
    return QFontMetricsF(application_font("small")).height()


# Words and colours


def _border(view: MatrixView) -> str:
    return view.role if view.role in COLOURED else "seed"


def _words(view: MatrixView) -> list[str]:
    return [words for words in (view.shape, view.dims) if words]


def _chip_text(view: MatrixView) -> str:
    return NOTHING if view.noise else format_number(float(np.reshape(view.array, ())))


def _spoken(part: Part) -> str:
    if isinstance(part, str):
        return part
    return f"{plain_source(part.label)} ({part.shape or _chip_text(part)})"


def _cell_text(slot: Slot, cell: tuple[int, int]) -> str:
    assert isinstance(slot.part, MatrixView)
    value = as_table(slot.part.array)[cell]
    number = full(value) if np.isfinite(value) else format_number(value)
    return f"[{cell[0]}, {cell[1]}]  {number}" if slot.part.shape else number
