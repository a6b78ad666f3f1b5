"""What lines and colours of the graph mean: samples of lines, and the row below a picture."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QLinearGradient, QPainter, QPen

from graphs.palette import MEANINGS, SHADES
from gui.groups import group
from gui.scene.metrics import IN_PICTURES, canvas_font, text_width
from gui.theme import Theme

__all__ = ["legend_height", "paint_graph_legend", "paint_line"]

EDGE, ROW, BELOW = 14.0, 24.0, 10.0
"""Beside the legend; of one of its rows; below the last one."""
SAMPLE, BAR, BESIDE, APART = 28.0, 72.0, 7.0, 22.0
"""Widths of a line and of the map of colours; from there to the words; from one meaning to the next."""
WIDTH = 2.4
STYLES = {"backward": Qt.PenStyle.DashLine, "stored": Qt.PenStyle.DotLine}


class _Entry(NamedTuple):
    """A sample and its words: at the left end and the middle line of both."""

    role: str
    words: str
    at: QPointF


def legend_height(width: float) -> float:
    """Return how much room the legend of a picture needs, whose width is known."""
    return max(entry.at.y() for entry in _entries(width)) + ROW / 2 + BELOW


def paint_graph_legend(painter: QPainter, rect: QRectF, theme: Theme) -> None:
    """Paint the legend into a rectangle of that height."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(rect.topLeft())
    font = canvas_font("label", IN_PICTURES)
    with group(painter, "legend"):
        for entry in _entries(rect.width()):
            _paint_sample(painter, entry, theme)
            painter.setFont(font)
            painter.setPen(theme.color("muted"))
            place = entry.at + QPointF(_sample(entry.role) + BESIDE, 0.36 * IN_PICTURES.label)
            painter.drawText(place, entry.words)
    painter.restore()


def _entries(width: float) -> Iterator[_Entry]:
    """Yield what is explained, row by row."""
    x, y = EDGE, ROW / 2
    for role, words in (*MEANINGS.items(), ("", SHADES)):
        wide = _sample(role) + BESIDE + text_width(words, "label", IN_PICTURES)
        if x > EDGE and x + wide > width - EDGE:
            x, y = EDGE, y + ROW
        yield _Entry(role, words, QPointF(x, y))
        x += wide + APART


def _sample(role: str) -> float:
    return SAMPLE if role else BAR


def _paint_sample(painter: QPainter, entry: _Entry, theme: Theme) -> None:
    at = entry.at
    if entry.role:
        paint_line(painter, at, SAMPLE, entry.role, theme)
        return
    shades = QLinearGradient(at, at + QPointF(BAR, 0))
    for place, role in ((0.0, "negative"), (0.5, "zero"), (1.0, "positive")):
        shades.setColorAt(place, theme.color(role))
    painter.setPen(QPen(theme.color("card_border"), 0.8))
    painter.setBrush(shades)
    painter.drawRect(QRectF(at.x(), at.y() - 5, BAR, 10))


def paint_line(painter: QPainter, start: QPointF, length: float, role: str, theme: Theme) -> None:
    """Paint a sample of the lines of a role."""
    pen = QPen(theme.color(role), WIDTH, STYLES.get(role, Qt.PenStyle.SolidLine))
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    pattern = {Qt.PenStyle.DashLine: [2.4, 1.0], Qt.PenStyle.DotLine: [1.0, 1.4]}.get(pen.style())
    if pattern:
        pen.setDashPattern(pattern)
    painter.setPen(pen)
    painter.drawLine(start, start + QPointF(length, 0))
