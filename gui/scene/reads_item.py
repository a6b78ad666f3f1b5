"""The dotted arrow from a stored value to the factor that reads it."""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPen, QPolygonF
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from gui.equations import Equation, equation, paint
from gui.scene.metrics import canvas_font, text_width
from gui.scene.placement import Surroundings, arc_around, label_beside
from gui.theme import Theme

Array = np.ndarray

WIDTH = 1.8
HEAD, HALF_HEAD = 8.0, 3.8
WORDS = "reads stored "
NAME_SIZE = 14.0
WIDEST_NAME = 110.0


class ReadsItem(QGraphicsItem):
    """An arc from a card's bookmark to the box of a factor, and the words that say what it means.

    Parameters
    ----------
    start : QPointF
        The bookmark, in scene coordinates.
    box : QRectF
        The factor's box.
    title : str
        LaTeX of the value that is read.
    around : Surroundings
        What the arc goes around.
    taken : sequence of QRectF
        Where other notes stand, which the words keep off.
    """

    def __init__(
        self,
        start: QPointF,
        box: QRectF,
        title: str,
        around: Surroundings,
        taken: Sequence[QRectF],
        theme: Theme,
    ) -> None:
        super().__init__()
        self._theme = theme
        self._name: Equation = _name(title)
        self._curve = arc_around(start, box, around)
        size = QSizeF(text_width(WORDS, "note") + self._name.width, max(18.0, self._name.height))
        self._label = label_beside(self._curve, size, around.with_cards(taken))
        self._path = _path(self._curve)
        self.setZValue(2.0)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    @property
    def label_rect(self) -> QRectF:
        """Where the words stand, in scene coordinates."""
        return self._label

    def arc(self) -> QPainterPath:
        """Return the arc, in scene coordinates."""
        return self._path

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        self.update()

    def _paint_label(self, painter: QPainter) -> None:
        painter.setFont(canvas_font("note"))
        painter.setPen(self._theme.color("stored_text"))
        baseline = self._label.center().y() + 4.5
        painter.drawText(QPointF(self._label.left(), baseline), WORDS)
        left = self._label.right() - self._name.width
        paint(painter, self._name, left, baseline, self._theme, "stored", field=False)

    # Qt

    def boundingRect(self) -> QRectF:
        return self._path.controlPointRect().united(self._label).adjusted(-6, -6, 6, 6)

    def shape(self) -> QPainterPath:
        return QPainterPath()

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        color = self._theme.color("stored")
        pen = QPen(color, WIDTH)
        pen.setDashPattern([0.1, 2.2])
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(self._path)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        painter.drawPolygon(_head(self._curve))
        self._paint_label(painter)


def _name(title: str) -> Equation:
    found = equation(title, NAME_SIZE)
    return found if found.width <= WIDEST_NAME else equation(title, NAME_SIZE * WIDEST_NAME / found.width)


def _path(curve: Array) -> QPainterPath:
    start, first, second, end = (QPointF(*point) for point in curve.tolist())
    path = QPainterPath(start)
    path.cubicTo(first, second, end)
    return path


def _head(curve: Array) -> QPolygonF:
    """Return the arrow's head, which points where the curve ends."""
    (x0, y0), (x, y) = curve[2:].tolist()
    length = hypot(x - x0, y - y0) or 1.0
    dx, dy = (x - x0) / length, (y - y0) / length
    back = (x - dx * HEAD, y - dy * HEAD)
    wings = [QPointF(back[0] - s * dy * HALF_HEAD, back[1] + s * dx * HALF_HEAD) for s in (1, -1)]
    return QPolygonF([QPointF(x, y), *wings])
