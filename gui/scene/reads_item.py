"""The dotted arrow from a stored value to the factor that reads it."""

from __future__ import annotations

from math import hypot

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPen, QPolygonF
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from gui.equations import Equation, equation, paint, plain_source
from gui.groups import aligned, group
from gui.scene.metrics import canvas_font, text_width
from gui.theme import Theme

Array = np.ndarray

WIDTH = 1.8
HEAD, HALF_HEAD = 8.0, 3.8
WORDS, FEW_WORDS = "reads stored ", "reads "
NAME_SIZE = 14.0
WIDEST_NAME = 110.0
LABEL_HEIGHT = 18.0


class ReadsItem(QGraphicsItem):
    """An arc from a card's bookmark to the box of a factor, and the words that say what it means.

    Parameters
    ----------
    curve : numpy.ndarray
        Shape (4, 2): the points of a cubic Bézier curve, in scene coordinates.
    label : QRectF
        Where the words stand.
    words, title : str
        What they say, and LaTeX of the value that is read.
    scale : float
        By how much words and lines are enlarged.
    """

    def __init__(
        self, curve: Array, label: QRectF, words: str, title: str, scale: float, theme: Theme
    ) -> None:
        super().__init__()
        self._curve = curve
        self._label = label
        self._words = words
        self._title = title
        self._name = _name(title)
        self._scale = scale
        self._theme = theme
        self._path = _path(curve)
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

    def _paint(self, painter: QPainter) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        color = self._theme.color("stored")
        pen = QPen(color, WIDTH * self._scale)
        pen.setDashPattern([0.1, 2.2])
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(self._path)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        painter.drawPolygon(_head(self._curve, self._scale))
        self._paint_label(painter)
        painter.restore()

    def _paint_label(self, painter: QPainter) -> None:
        painter.setBrush(self._theme.color("canvas"))  # a wire behind the words would strike them out
        painter.drawRoundedRect(self._label.adjusted(-2, 1, 2, -1), 4, 4)
        painter.translate(self._label.left(), self._label.center().y())
        painter.scale(self._scale, self._scale)
        painter.setFont(canvas_font("note"))
        painter.setPen(self._theme.color("stored_text"))
        with aligned(painter, Qt.AlignmentFlag.AlignRight):  # the name follows
            painter.drawText(QPointF(0, 4.5), self._words)
        left = text_width(self._words, "note")
        paint(painter, self._name, left, 4.5, self._theme, "stored", field=False)

    # Qt

    def boundingRect(self) -> QRectF:
        return self._path.controlPointRect().united(self._label).adjusted(-8, -8, 8, 8)

    def shape(self) -> QPainterPath:
        return QPainterPath()

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        with group(painter, "reads", f"{self._words}{plain_source(self._title)}"):
            self._paint(painter)


def label_size(words: str, title: str, scale: float) -> QSizeF:
    """Return the room that the words and the name of what is read need."""
    name = _name(title)
    width = text_width(words, "note") + name.width
    return QSizeF(width, max(LABEL_HEIGHT, name.height)) * scale


def _name(title: str) -> Equation:
    found = equation(title, NAME_SIZE)
    return found if found.width <= WIDEST_NAME else equation(title, NAME_SIZE * WIDEST_NAME / found.width)


def _path(curve: Array) -> QPainterPath:
    start, first, second, end = (QPointF(*point) for point in curve.tolist())
    path = QPainterPath(start)
    path.cubicTo(first, second, end)
    return path


def _head(curve: Array, scale: float) -> QPolygonF:
    """Return the arrow's head, which points where the curve ends."""
    (x0, y0), (x, y) = curve[2:].tolist()
    length = hypot(x - x0, y - y0) or 1.0
    dx, dy = scale * (x - x0) / length, scale * (y - y0) / length
    back = (x - dx * HEAD, y - dy * HEAD)
    wings = [QPointF(back[0] - s * dy * HALF_HEAD, back[1] + s * dx * HALF_HEAD) for s in (1, -1)]
    return QPolygonF([QPointF(x, y), *wings])
