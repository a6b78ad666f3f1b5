"""The loss plot as a picture: every visible run as a line of vectors, with axes, grid and legend.

It shows what the panel shows, in the same colours and dashes. The plot on the screen is made for looking at a
million points sixty times a second; this one is made for paper.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPen, QPolygonF

from engine.errors import UsageError
from graphs.views.numbers import format_number
from gui.curves import Drawn, Line, View, drawn, heights
from gui.drawing import Drawing
from gui.groups import aligned, group
from gui.plots import round_range, round_up
from gui.runlines import RunLines
from gui.runstyle import run_color, run_pen
from gui.session import Session
from gui.theme import Theme, application_font, blend

__all__ = ["check_loss", "draw_loss"]

SIZE = QSizeF(720, 420)
EDGE, HEAD, FOOT, LEFT = 20.0, 52.0, 40.0, 64.0
"""Around the plot: at the right, above, below without the legend, at the left."""
FINE = 2.0
"""Stretches of a long series for each logical pixel."""
TICKS = (7, 6)
"""About how many numbers stand on each axis."""
WIDTHS = {"held": 1.1, "search": 1.6}
CURRENT, OTHER = 2.0, 1.6
CIRCLES = 56.0
"""Pixels between two of the circles that tell a held-out loss."""
BAND = 0.3
SAMPLE, ROW, APART = 28.0, 19.0, 22.0
"""Of the legend: the width of a sample, the height of a row, the room between two names."""


@dataclass(frozen=True)
class _Plot:
    """What is drawn, and where.

    Attributes
    ----------
    found
        The lines with what is painted of them, the last on top.
    place
        The iteration that the session stands at, and the current run's loss there.
    peak
        What the current run reaches above the plot, None where all is to be seen.
    """

    area: QRectF
    view: View
    found: Sequence[tuple[Line, Drawn]]
    place: tuple[int, float]
    peak: float | None

    def at(self, x: float, y: float) -> QPointF:
        """Return where a point of the plot lies in the picture."""
        view, area = self.view, self.area
        across = (x - view.left) / (view.right - view.left)
        up = (y - view.bottom) / (view.top - view.bottom)
        return QPointF(area.left() + across * area.width(), area.bottom() - up * area.height())

    def pieces(self, xs: np.ndarray, ys: np.ndarray) -> Iterator[QPolygonF]:
        """Yield a line, cut where a value is missing, not far beyond the plot's edges."""
        view = self.view
        height = view.top - view.bottom
        low, high = view.bottom - height, view.top + height
        corners: list[QPointF] = []
        for x, y in zip(xs.tolist(), ys.tolist(), strict=True):
            if math.isfinite(y):
                corners.append(self.at(x, min(max(y, low), high)))
                continue
            if corners:
                yield QPolygonF(corners)
            corners = []
        if corners:
            yield QPolygonF(corners)


def check_loss(session: Session) -> None:
    """Say so where there is no curve.

    Raises
    ------
    UsageError
        Where nothing has been trained.
    """
    if not any(run.iterations for run in session.runs if run.visible):
        raise UsageError(
            "there is no loss curve yet: nothing has been trained.",
            how="Train first; on the command line, add how many iterations, such as --steps 500.",
        )


def draw_loss(session: Session, positions: Sequence[int], theme: Theme) -> Drawing:
    """Lay out the loss of all visible runs; the place in the iteration makes no difference."""
    lines = RunLines(session)
    lines.update()
    shown = lines.lines()
    rows = _legend_rows(shown) if len(shown) > 1 else []
    size = QSizeF(SIZE.width(), SIZE.height() + ROW * len(rows) + (8 if rows else 0))
    plot = _laid_out(session, lines, shown, size.height() - (ROW * len(rows) + 8 if rows else 0))
    title, said = session.document.network.title, _said(session, plot)

    def paint(painter: QPainter, position: int) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        _paint_head(painter, title, said, theme)
        _paint_axes(painter, plot, theme)
        _paint_lines(painter, plot, theme)
        _paint_place(painter, plot, theme)
        _paint_legend(painter, rows, plot.area.left(), plot.area.bottom() + FOOT + 8, theme)

    return Drawing(size, theme.color("window"), paint)


def _laid_out(session: Session, lines: RunLines, shown: Sequence[Line], bottom: float) -> _Plot:
    area = QRectF(LEFT, HEAD, SIZE.width() - LEFT - EDGE, bottom - HEAD - FOOT)
    right = float(lines.last_iteration)
    view = View(-0.005 * right, right, 0.0, 1.0, area.width() * FINE, area.height() * FINE)
    limits = heights([(line, drawn(line.series, view)) for line in shown], view)
    low, high = round_range(*(limits[:2] if limits is not None else (0.0, 1.0)))
    edge = 0.02 * (high - low)
    view = replace(view, bottom=low - edge, top=high + edge)
    peak = limits[2] if limits is not None and limits[2] > high + edge else None
    place = session.iteration, float(session.losses[session.iteration])
    return _Plot(area, view, [(line, drawn(line.series, view)) for line in shown], place, peak)


def _said(session: Session, plot: _Plot) -> str:
    """Return in words what the current run came to."""
    run = session.current
    if run.run.ended is not None and run.run.diverged is not None:
        return session.end_of(run.run)
    losses = [format_number(session.losses[i]) for i in (0, session.iterations)]
    parts = [f"{run.name}: loss {losses[0]} → {losses[1]} in {session.iterations} iterations"]
    if plot.peak is not None:
        parts.append(f"a peak of {format_number(plot.peak)} is above the plot")
    return "; ".join(parts)


def _paint_head(painter: QPainter, title: str, said: str, theme: Theme) -> None:
    with group(painter, "title"):
        for role, color, text, y in (("strong", "text", title, 20.0), ("small", "muted", said, 37.0)):
            font = application_font(role)
            painter.setFont(font)
            painter.setPen(theme.color(color))
            room = SIZE.width() - 2 * EDGE
            text = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, room)
            painter.drawText(QPointF(EDGE, y), text)


# --- axes --------------------------------------------------------------------------------------------------


def _ticks(low: float, high: float, count: int, least: float = 0.0) -> list[float]:
    """Return round numbers between `low` and `high`, about `count` of them."""
    step = max(least, round_up((high - low) / count))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [0.0 if i == 0 else float(f"{i * step:.9g}") for i in range(first, last + 1)]


def _paint_axes(painter: QPainter, plot: _Plot, theme: Theme) -> None:
    area, view = plot.area, plot.view
    font = application_font("small")
    painter.setFont(font)
    metrics = QFontMetricsF(font)
    with group(painter, "axes"):
        for value in _ticks(view.bottom, view.top, TICKS[1]):
            y = plot.at(0.0, value).y()
            painter.setPen(QPen(theme.color("grid"), 1.0))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(theme.color("muted"))
            text = format_number(value)
            where = QPointF(area.left() - 8 - metrics.horizontalAdvance(text), y + metrics.capHeight() / 2)
            with aligned(painter, Qt.AlignmentFlag.AlignRight):
                painter.drawText(where, text)
        for value in _ticks(max(0.0, view.left), view.right, TICKS[0], least=1.0):
            x = plot.at(value, 0.0).x()
            painter.setPen(QPen(theme.color("muted"), 1.0))
            painter.drawLine(QPointF(x, area.bottom()), QPointF(x, area.bottom() + 4))
            text = format_number(value)
            half = metrics.horizontalAdvance(text) / 2
            with aligned(painter, Qt.AlignmentFlag.AlignHCenter):
                painter.drawText(
                    QPointF(min(x - half, SIZE.width() - 4 - 2 * half), area.bottom() + 17), text
                )
        painter.setPen(QPen(theme.color("muted"), 1.0))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        across = metrics.horizontalAdvance("iteration")
        with aligned(painter, Qt.AlignmentFlag.AlignHCenter):
            painter.drawText(QPointF(area.center().x() - across / 2, area.bottom() + 34), "iteration")
        _paint_upright(painter, QPointF(14, area.center().y()), "loss")


def _paint_upright(painter: QPainter, middle: QPointF, text: str) -> None:
    painter.save()
    painter.translate(middle)
    painter.rotate(-90)
    with aligned(painter, Qt.AlignmentFlag.AlignHCenter):
        painter.drawText(QPointF(-QFontMetricsF(painter.font()).horizontalAdvance(text) / 2, 4), text)
    painter.restore()


# --- lines -------------------------------------------------------------------------------------------------


def _paint_lines(painter: QPainter, plot: _Plot, theme: Theme) -> None:
    painter.save()
    painter.setClipRect(plot.area.adjusted(-1, -1, 1, 1), Qt.ClipOperation.IntersectClip)
    for number, (line, found) in enumerate(plot.found):
        with group(painter, f"curve-{number}", line.name):
            if found.has_band:
                painter.setPen(QPen(_pale(line, theme), 1.0))
                for piece in plot.pieces(found.band_x, found.band_y):
                    painter.drawPolyline(piece)
            pen = _pen(line, theme)
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            for piece in plot.pieces(found.x, found.y):
                painter.drawPolyline(piece)
            if line.kind != "run":
                _paint_marks(painter, plot, line, found, pen, theme)
    painter.restore()


def _pen(line: Line, theme: Theme) -> QPen:
    width = WIDTHS.get(line.kind, CURRENT if line.current else OTHER)
    if line.kind == "search":
        pen = QPen(theme.color("text"), width)
        pen.setDashPattern([1.0, 2.5])
        return pen
    pen = run_pen(theme, line.style, width=width, ghost=line.ghost)
    pen.setCosmetic(False)
    return pen


def _pale(line: Line, theme: Theme) -> QColor:
    share = BAND / 2 if line.ghost else BAND
    return blend(run_color(theme, line.style).name(), theme.window, share)


def _paint_marks(painter: QPainter, plot: _Plot, line: Line, found: Drawn, pen: QPen, theme: Theme) -> None:
    """Paint circles on a held-out loss, some apart, and diamonds on every step of a search."""
    finite = np.isfinite(found.y)
    points = [plot.at(x, y) for x, y in zip(found.x[finite].tolist(), found.y[finite].tolist(), strict=True)]
    painter.setPen(QPen(pen.color(), 1.1))
    painter.setBrush(theme.color("window"))
    if line.kind == "search":
        for point in points[::2]:
            painter.drawPath(_diamond(point))
        return
    last = -math.inf
    for point in points:
        if point.x() - last >= CIRCLES:
            painter.drawEllipse(point, 2.6, 2.6)
            last = point.x()


def _diamond(point: QPointF) -> QPainterPath:
    path = QPainterPath()
    path.addPolygon(QPolygonF([point + QPointF(*way) for way in ((-4, 0), (0, -4), (4, 0), (0, 4))]))
    path.closeSubpath()
    return path


def _paint_place(painter: QPainter, plot: _Plot, theme: Theme) -> None:
    """Mark the iteration at which the session stands, on the current run."""
    iteration, loss = plot.place
    if not math.isfinite(loss) or not plot.view.bottom <= loss <= plot.view.top:
        return
    point, text = plot.at(iteration, loss), f"{iteration}: {format_number(loss)}"
    with group(painter, "place", f"iteration {text}"):
        painter.setPen(QPen(theme.color("muted"), 1.0, Qt.PenStyle.DotLine))
        painter.drawLine(QPointF(point.x(), plot.area.top()), QPointF(point.x(), plot.area.bottom()))
        painter.setPen(QPen(theme.color("window"), 1.5))
        painter.setBrush(theme.color("text"))
        painter.drawEllipse(point, 4.0, 4.0)
        font = application_font("small")
        painter.setFont(font)
        painter.setPen(theme.color("text"))
        width = QFontMetricsF(font).horizontalAdvance(text)
        is_right = point.x() + 8 + width > plot.area.right()
        x = point.x() - 8 - width if is_right else point.x() + 8
        ground = QRectF(x - 3, plot.area.top() - 2, width + 6, 17)
        painter.fillRect(ground, theme.color("window"))  # a line of the grid would strike it out
        painter.drawText(QPointF(x, plot.area.top() + 11), text)


# --- legend ------------------------------------------------------------------------------------------------


def _legend_rows(lines: Sequence[Line]) -> list[list[tuple[float, Line]]]:
    """Return the lines in rows, each with where it begins; the current run first."""
    metrics = QFontMetricsF(application_font("small"))
    room = SIZE.width() - LEFT - EDGE
    rows: list[list[tuple[float, Line]]] = [[]]
    x = 0.0
    for line in reversed(lines):
        width = SAMPLE + 7 + metrics.horizontalAdvance(line.name) + APART
        if rows[-1] and x + width - APART > room:
            rows.append([])
            x = 0.0
        rows[-1].append((x, line))
        x += width
    return rows


def _paint_legend(
    painter: QPainter, rows: Sequence[Sequence[tuple[float, Line]]], left: float, top: float, theme: Theme
) -> None:
    font = application_font("small")
    metrics = QFontMetricsF(font)
    with group(painter, "legend"):
        for number, row in enumerate(rows):
            middle = top + ROW * (number + 0.5) - 4
            for x, line in row:
                pen = _pen(line, theme)
                painter.setPen(pen)
                start = QPointF(left + x, middle)
                painter.drawLine(start, start + QPointF(SAMPLE, 0))
                if line.kind != "run":
                    painter.setPen(QPen(pen.color(), 1.1))
                    painter.setBrush(theme.color("window"))
                    centre = start + QPointF(SAMPLE / 2, 0)
                    if line.kind == "search":
                        painter.drawPath(_diamond(centre))
                    else:
                        painter.drawEllipse(centre, 2.6, 2.6)
                painter.setFont(font)
                painter.setPen(theme.color("text" if line.current else "muted"))
                room = SIZE.width() - EDGE - (left + x + SAMPLE + 7)
                text = metrics.elidedText(line.name, Qt.TextElideMode.ElideRight, room)
                painter.drawText(start + QPointF(SAMPLE + 7, metrics.capHeight() / 2), text)
