"""Pictures of a landscape without a display: what the command line's ``landscape --to FILE.png`` writes."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from engine.trace import loss_and_gradients
from graphs.commands.landscape import Drawn
from graphs.files import write_whole
from gui.app import application
from gui.export import format_of
from gui.landscape_map import LandscapeMap, Marks, TrailMark
from gui.pictures import Picture
from gui.theme import THEMES, Theme, application_font
from gui.viewdata.landscape import Trail, slice_sentence

__all__ = ["draw", "picture"]

SIZE = QSizeF(720, 560)
HEAD = 44.0
EDGE = 14.0


def draw(drawn: Drawn, path: Path, args: Namespace) -> None:
    """Write a landscape to a picture file.

    Raises
    ------
    BackstepError
        Where the file cannot be written.
    """
    application(THEMES[args.theme])
    scale = args.scale if path.suffix.lower() == ".png" else 1.0
    write_whole(path, format_of(path).whole([picture(drawn, THEMES[args.theme], args.log, scale)]))


def picture(drawn: Drawn, theme: Theme, is_log: bool = False, scale: float = 1.0) -> Picture:
    """Return a landscape as a picture: its map under two lines that say what it is."""
    chart = _chart(drawn, theme, is_log, scale)
    network = drawn.model.network

    def paint(painter: QPainter) -> None:
        _paint_head(painter, drawn, theme)
        target = QRectF(EDGE, HEAD, SIZE.width() - 2 * EDGE, SIZE.height() - HEAD - EDGE / 2)
        chart.scene().render(painter, target, QRectF(0, 0, target.width(), target.height()))

    metadata = {"Software": "Backstep", "Network": network.name, "Seed": str(drawn.model.seed)}
    return Picture(SIZE, paint, scale, f"{network.title}, loss landscape", metadata, theme.color("window"))


def _chart(drawn: Drawn, theme: Theme, is_log: bool, scale: float) -> LandscapeMap:
    chart = LandscapeMap(theme, ratio=scale)
    chart.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
    chart.resize(int(SIZE.width() - 2 * EDGE), int(SIZE.height() - HEAD - EDGE / 2))
    chart.show()  # only what is shown has its layout done
    surface = drawn.surface
    slice_, run = surface.slice, drawn.run
    chart.set_labels(*slice_.labels)
    chart.show_extent(surface.extent)
    chart.set_surface(surface, is_log)
    point = run.point if run.diverged is None else run.history.samples[0].point
    model = drawn.model
    _, gradients = loss_and_gradients(model.graph, {**model.inputs, **point.parameters})
    chart.set_marks(
        Marks(
            [TrailMark(Trail(slice_, run).places(), 0)] if run.iteration else [],
            np.array([slice_.coordinates(run.history.samples[0].point.parameters)]),
            slice_.coordinates(point.parameters) if run.iteration else None,
            slice_.downhill(gradients),
        )
    )
    chart.settle()
    return chart


def _paint_head(painter: QPainter, drawn: Drawn, theme: Theme) -> None:
    network, run = drawn.model.network, drawn.run
    trained = f", {run.recipe.title()}, {run.iteration} iterations" if run.iteration else ""
    rows = (
        ("strong", "text", f"{network.title}{trained}", 19.0),
        ("small", "muted", slice_sentence(drawn.surface.slice, drawn.iteration), 36.0),
    )
    for font, color, text, y in rows:
        painter.setFont(application_font(font))
        painter.setPen(theme.color(color))
        room = SIZE.width() - 2 * EDGE
        text = QFontMetricsF(application_font(font)).elidedText(text, Qt.TextElideMode.ElideRight, room)
        painter.drawText(QPointF(EDGE, y), text)
