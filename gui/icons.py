"""Icons as vector paths on a grid of 24 units, painted in a theme's colours at any size."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPainterPathStroker, QPixmap

from gui.theme import Theme

GRID = 24.0
LINE = 1.8
SIZES = (16, 20, 24, 32, 40, 48, 64)
"""Pixels an icon is drawn at: 16 and 20 logical ones at up to three times the scale."""

# Filled outlines get rounded corners from a thin line around them; lines are `LINE` wide.
# Commands are those of SVG, absolute and apart by spaces, with two more: E x y w h is an ellipse,
# A x y w h start sweep an arc on one, in degrees counted against the clock from three o'clock.
FILLED = {
    "first": ("M 6 6 L 7.6 6 L 7.6 18 L 6 18 Z", "M 18 6.5 L 18 17.5 L 10.2 12 Z"),
    "back": ("M 16.5 6 L 16.5 18 L 8 12 Z",),
    "play": ("M 7.5 5.5 L 7.5 18.5 L 18.5 12 Z",),
    "pause": ("M 7 6 L 9.8 6 L 9.8 18 L 7 18 Z", "M 14.2 6 L 17 6 L 17 18 L 14.2 18 Z"),
    "forward": ("M 7.5 6 L 7.5 18 L 16 12 Z",),
    "last": ("M 16.4 6 L 18 6 L 18 18 L 16.4 18 Z", "M 6 6.5 L 6 17.5 L 13.8 12 Z"),
    "moon": (
        "M 20 14.2 C 15 16 8.2 11 10 4 C 6.5 5 4 8 4 12 C 4 16.5 7.5 20 12 20 C 15.8 20 19 17.6 20 14.2 Z",
    ),
    "help": ("E 11 16.2 2 2",),
    "info": ("E 11 6.6 2 2",),
    "warning": ("E 11 16 2 2",),
    "error": ("E 11 15.4 2 2",),
}
LINES = {
    "fit": ("M 4 9 L 4 4 L 9 4", "M 15 4 L 20 4 L 20 9", "M 20 15 L 20 20 L 15 20", "M 9 20 L 4 20 L 4 15"),
    "export": ("M 12 15 L 12 4", "M 7.5 8 L 12 3.8 L 16.5 8", "M 4.5 14 L 4.5 20 L 19.5 20 L 19.5 14"),
    "search": ("E 4 4 12.5 12.5", "M 15 15 L 20 20"),
    "help": (
        "E 3 3 18 18",
        "M 9.2 9.4 C 9.4 7.8 10.6 7 12 7 C 13.6 7 14.8 8 14.8 9.5 C 14.8 11.4 12 11.6 12 13.6",
    ),
    "sun": (
        "E 8 8 8 8",
        "M 12 2.5 L 12 4.5 M 12 19.5 L 12 21.5 M 2.5 12 L 4.5 12 M 19.5 12 L 21.5 12",
        "M 5.3 5.3 L 6.7 6.7 M 17.3 17.3 L 18.7 18.7 M 5.3 18.7 L 6.7 17.3 M 17.3 6.7 L 18.7 5.3",
    ),
    "reset": ("M 5.2 8 A 4 4 16 16 150 -300", "M 4.6 3.4 L 5 8.4 L 10 8"),
    "close": ("M 6 6 L 18 18 M 18 6 L 6 18",),
    "info": ("E 3 3 18 18", "M 12 11 L 12 16.5"),
    "warning": ("M 12 3.5 L 21.5 20 L 2.5 20 Z", "M 12 9.5 L 12 14"),
    "error": ("E 3 3 18 18", "M 12 7.2 L 12 13"),
}
NAMES = tuple(sorted(FILLED | LINES))

_COMMANDS = {
    "M": ("moveTo", 2),
    "L": ("lineTo", 2),
    "Q": ("quadTo", 4),
    "C": ("cubicTo", 6),
    "Z": ("closeSubpath", 0),
    "E": ("addEllipse", 4),
    "A": ("arcTo", 6),
}


def path_from_data(data: str) -> QPainterPath:
    """Read path data: absolute commands M, L, Q, C, Z (and E, A), everything apart by spaces."""
    words = iter(data.split())
    return path_of((command, [float(next(words)) for _ in range(_COMMANDS[command][1])]) for command in words)


def path_of(commands: Iterable[tuple[str, Iterable[float]]]) -> QPainterPath:
    """Return a path of such commands, each with its numbers."""
    path = QPainterPath()
    for command, numbers in commands:
        getattr(path, _COMMANDS[command][0])(*numbers)
    return path


@lru_cache(maxsize=64)
def icon_path(name: str) -> QPainterPath:
    """Return an icon as one path to be filled, on the grid of 24 units."""
    result = QPainterPath()
    result.setFillRule(Qt.FillRule.WindingFill)
    for data in FILLED.get(name, ()):
        shape = path_from_data(data)
        result = result.united(shape).united(_stroked(shape, 1.2))
    for data in LINES.get(name, ()):
        result = result.united(_stroked(path_from_data(data), LINE))
    return result


def paint_icon(painter: QPainter, rect: QRectF, name: str, color: QColor) -> None:
    """Paint an icon into the middle of `rect`, as large as it fits."""
    side = min(rect.width(), rect.height())
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(rect.center().x() - side / 2, rect.center().y() - side / 2)
    painter.scale(side / GRID, side / GRID)
    painter.fillPath(icon_path(name), color)
    painter.restore()


def icon(name: str, theme: Theme, role: str = "text") -> QIcon:
    """Return an icon in the colour of a theme's role, for actions and buttons.

    It holds pictures at every size that is asked for, so that it is sharp at every scale of the screen.
    """
    result = QIcon()
    modes = ((QIcon.Mode.Normal, theme.color(role)), (QIcon.Mode.Disabled, theme.color("disabled")))
    for mode, color in modes:
        for side in SIZES:
            result.addPixmap(_pixmap(name, side, color), mode)
    return result


def _pixmap(name: str, side: int, color: QColor) -> QPixmap:
    pixmap = QPixmap(side, side)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    paint_icon(painter, QRectF(0, 0, side, side), name, color)
    painter.end()
    return pixmap


def _stroked(path: QPainterPath, width: float) -> QPainterPath:
    stroker = QPainterPathStroker()
    stroker.setWidth(width)
    stroker.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    stroker.setCapStyle(Qt.PenCapStyle.RoundCap)
    return stroker.createStroke(path)
