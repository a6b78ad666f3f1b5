"""How runs are told apart wherever they are drawn: by colour, and without it by dash.

A run's style is a number from 0. The colours are cousins of Okabe and Ito's, dark enough or light enough to
stand out from a theme's background; a dash of its own goes with each, so that print, a projector or a reader
who confuses two colours loses nothing. After the last style the colours begin again, with other dashes.
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from gui.theme import Theme, blend

__all__ = ["STYLES", "paint_sample", "run_color", "run_dash", "run_pen", "style_text"]

WIDTH = 1.5
GHOST_WIDTH = 0.67
"""A ghost's share of the width."""
GHOST = 0.5
"""How much of its colour a ghost keeps over the background."""

NAMES = ("blue", "vermilion", "green", "pink", "grey", "amber", "light blue", "olive")
_COLORS = {
    "light": ("#0072b2", "#d55e00", "#009e73", "#c974a3", "#4a5560", "#a97600", "#3597d0", "#7d7400"),
    "dark": ("#56b4e9", "#ff8a3d", "#2cc295", "#e79cc4", "#c9d0d8", "#e0a100", "#4d8fe0", "#f0e442"),
    "print": ("#004c7a", "#c65300", "#00634a", "#a8538a", "#000000", "#8a5a00", "#2f86bd", "#6f6600"),
}
DASHES = (
    (),
    (6.0, 2.5),
    (2.5, 2.0),
    (7.0, 2.0, 1.5, 2.0),
    (12.0, 3.0),
    (7.0, 2.0, 1.5, 2.0, 1.5, 2.0),
    (1.2, 1.8),
    (12.0, 2.5, 3.0, 2.5),
)
"""Lengths of strokes and gaps, in widths of the line; nothing for a solid one."""
DASH_NAMES = (
    "solid",
    "dashed",
    "short dashes",
    "dash-dot",
    "long dashes",
    "dash-dot-dot",
    "dotted",
    "long-short",
)
STYLES = len(NAMES)
"""How many styles have a colour of their own."""


def run_color(theme: Theme, style: int) -> QColor:
    """Return the colour of a run's style."""
    return QColor(_COLORS[theme.name][style % STYLES])


def run_dash(style: int) -> list[float]:
    """Return strokes and gaps in widths of the line, an empty list for a solid line.

    Examples
    --------
    >>> run_dash(0), run_dash(1)
    ([], [6.0, 2.5])
    """
    return list(DASHES[_dash(style)])


def run_pen(theme: Theme, style: int, *, width: float = WIDTH, ghost: bool = False) -> QPen:
    """Return the pen that draws a run.

    Parameters
    ----------
    width
        In pixels of the device, as the pen is cosmetic.
    ghost
        Whether it is an earlier run, which stands back: thinner, and half its colour.
    """
    color = run_color(theme, style)
    pen = QPen(blend(color.name(), theme.card, GHOST) if ghost else color)
    pen.setWidthF(width * (GHOST_WIDTH if ghost else 1.0))
    pen.setCosmetic(True)
    pen.setJoinStyle(Qt.PenJoinStyle.BevelJoin)  # a peak is no higher than its value
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    if dash := run_dash(style):
        pen.setDashPattern(dash)
    return pen


def style_text(style: int) -> str:
    """Say a style in words, for who hears the window.

    Examples
    --------
    >>> style_text(1)
    'vermilion, dashed'
    """
    return f"{NAMES[style % STYLES]}, {DASH_NAMES[_dash(style)]}"


def paint_sample(painter: QPainter, rect: QRectF, theme: Theme, style: int, *, ghost: bool = False) -> None:
    """Paint a short piece of a run's line across the middle of `rect`, as a legend shows it."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(run_pen(theme, style, width=2.0, ghost=ghost))
    middle = rect.center().y()
    painter.drawLine(QPointF(rect.left(), middle), QPointF(rect.right(), middle))
    painter.restore()


def _dash(style: int) -> int:
    """Return which dash a style has: when the colours begin again, each has the next one's dash."""
    return (style + style // STYLES) % STYLES
