"""The landscape as a surface in space, where OpenGL is to be had; PyOpenGL is an extra (decision 10).

This imports pyqtgraph, so it is imported when it is first asked for; :func:`hindrance` is free to ask.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtGui import QColor, QGuiApplication, QOpenGLContext
from PySide6.QtWidgets import QWidget

from graphs.views.numbers import format_number
from gui.landscape_map import ANCHORS, RED, Marks
from gui.runstyle import run_color, run_dash
from gui.theme import Theme, application_font, blend
from gui.viewdata.landscape import Scale, color_table, contour_lines, dashed, heights_on, levels_of, thinned

if TYPE_CHECKING:
    from engine.landscape import Surface

__all__ = ["MISSING", "NO_CONTEXT", "Relief", "hindrance", "make_relief"]

Array = np.ndarray

MISSING = 'A view in space needs PyOpenGL: pip install "backstep[3d]", or pip install PyOpenGL.'
NO_CONTEXT = (
    "A view in space needs OpenGL, which this display does not have; on Debian install libgl1-mesa-dri."
)
MOST_LINES = 105
"""Lines of the surface along an axis: finer ones cannot be told apart in space."""
HEIGHT = 0.9
SIGHT = (400.0, 400.0)
"""Points that a line may have along an axis."""
LIFT = 0.012
"""How far lines lie above the surface, so that it does not hide them."""
HALF = 1.0
DASH = 0.012
"""Length of a dash's unit, where the surface is 2 wide."""


@cache
def hindrance() -> str:
    """Return why there can be no view in space, "" where there can."""
    if find_spec("OpenGL") is None:
        return MISSING
    if QGuiApplication.platformName() in ("offscreen", "minimal", "vnc", "linuxfb"):
        return NO_CONTEXT
    return "" if QOpenGLContext().create() else NO_CONTEXT


def make_relief(theme: Theme, parent: QWidget | None = None) -> Relief:
    """Return an empty view in space."""
    return Relief(theme, parent)


class Relief:
    """A surface in space with the runs on it. The mouse turns it, the wheel brings it nearer.

    Attributes
    ----------
    widget
        What is put into a layout.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        import pyqtgraph.opengl as gl

        self._gl: Any = gl
        self.theme = theme
        self._factor = 1.0
        self.widget: Any = gl.GLViewWidget(parent)
        self.widget.setAccessibleName("loss landscape in space")
        self.widget.setCameraPosition(distance=4.2, elevation=34, azimuth=-62)
        self._surface: Surface | None = None
        self._scale: Scale | None = None
        self._marks: Marks | None = None
        self._labels = ("", "")
        self._ground: list[Any] = []
        self._over: list[Any] = []
        self.set_theme(theme)

    def show(self, surface: Surface | None, scale: Scale | None, labels: tuple[str, str]) -> None:
        """Show a surface in the colours of a scale; None for nothing."""
        self._surface, self._scale, self._labels = surface, scale, labels
        self._draw_ground()
        self._draw_over()

    def set_marks(self, marks: Marks) -> None:
        """Draw runs and points on the surface."""
        self._marks = marks
        self._draw_over()

    def set_letters(self, factor: float) -> None:
        """Write larger or smaller, as a projector asks for."""
        if factor != self._factor:
            self._factor = factor
            self._draw_ground()

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self.theme = theme
        self.widget.setBackgroundColor(theme.color("window"))
        self._draw_ground()
        self._draw_over()

    # --- the surface ---

    def _draw_ground(self) -> None:
        self._clear(self._ground)
        surface, scale = self._surface, self._scale
        if surface is None or scale is None:
            return
        every = max(1, -(-(len(surface.xs) - 1) // (MOST_LINES - 1)))
        shares = scale.share(surface.losses[::every, ::every])
        table = color_table(ANCHORS[self.theme.name]) / 255
        colors = np.ones((*shares.shape, 4))
        known = np.isfinite(shares)
        colors[..., :3] = table[np.where(known, shares * (len(table) - 1), 0).astype(np.intp)]
        colors[~known] = np.array(self.theme.color("seed").getRgbF(), dtype=float)
        item = self._gl.GLSurfacePlotItem(
            x=np.linspace(-HALF, HALF, shares.shape[0]),
            y=np.linspace(-HALF, HALF, shares.shape[1]),
            z=HEIGHT * np.where(known, shares, 1.0),
            colors=colors.reshape(-1, 4),
            computeNormals=False,
            smooth=True,
        )
        self._add(self._ground, item)
        self._draw_contours(surface, scale)
        self._draw_frame(surface, scale)

    def _draw_contours(self, surface: Surface, scale: Scale) -> None:
        """Draw the contours on the surface: in the pale parts they alone show its form."""
        levels = levels_of(scale)
        pieces = []
        for (xs, ys), height in zip(contour_lines(surface, scale, levels), scale.share(levels), strict=True):
            x, y = self._across(surface, xs), self._up(surface, ys)
            points = np.column_stack([x, y, np.full(len(x), HEIGHT * height + LIFT / 2)])
            pairs = np.stack([points[:-1], points[1:]], axis=1)
            pieces.append(pairs[np.isfinite(pairs).all(axis=(1, 2))].reshape(-1, 3))
        points = np.concatenate(pieces) if pieces else np.empty((0, 3))
        if len(points):
            ink = blend(self.theme.text, ANCHORS[self.theme.name][1], 0.5).getRgbF()
            line = self._gl.GLLinePlotItem(pos=points, color=ink, width=1, mode="lines", antialias=True)
            self._add(self._ground, line)

    @staticmethod
    def _across(surface: Surface, xs: Array) -> Array:
        return (xs - surface.extent.left) / surface.extent.width * 2 * HALF - HALF

    @staticmethod
    def _up(surface: Surface, ys: Array) -> Array:
        return (ys - surface.extent.bottom) / surface.extent.height * 2 * HALF - HALF

    def _draw_frame(self, surface: Surface, scale: Scale) -> None:
        """Draw the edges of the box, with the names and the numbers at their ends."""
        floor = [(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)]
        line = np.array([(x * HALF, y * HALF, 0.0) for x, y in floor] + [(-HALF, -HALF, HEIGHT)])
        color = self.theme.color("muted").getRgbF()
        self._add(self._ground, self._gl.GLLinePlotItem(pos=line, color=color, width=1, antialias=True))
        extent = surface.extent
        ends = (
            ((0.0, -1.28, 0.0), self._labels[0]),
            ((-0.92, -1.12, 0.0), format_number(extent.left, 3)),
            ((0.92, -1.12, 0.0), format_number(extent.right, 3)),
            ((1.28, 0.0, 0.0), self._labels[1]),
            ((1.12, -0.92, 0.0), format_number(extent.bottom, 3)),
            ((1.12, 0.92, 0.0), format_number(extent.top, 3)),
            ((-1.12, -1.05, 0.0), format_number(scale.low, 3)),
            ((-1.12, -1.05, HEIGHT), f"{scale.title} {format_number(scale.high, 3)}"),
        )
        font = application_font("small", self._factor)
        for place, text in ends:
            item = self._gl.GLTextItem(
                pos=np.array(place), text=text, color=self.theme.color("text"), font=font
            )
            self._add(self._ground, item)

    # --- what lies on it ---

    def _draw_over(self) -> None:
        self._clear(self._over)
        if self._surface is None or self._scale is None or self._marks is None:
            return
        marks = self._marks
        for trail in marks.trails:
            color = run_color(self.theme, trail.style)
            color = blend(color.name(), self.theme.card, 0.5) if trail.is_ghost else color
            places = thinned(trail.places, self._surface.extent, SIGHT)
            strokes = dashed(self._on_ground(places), run_dash(trail.style), DASH)
            pairs = [np.repeat(stroke, 2, axis=0)[1:-1] for stroke in strokes]
            if pairs:
                line = {"pos": np.concatenate(pairs), "mode": "lines", "width": 3, "antialias": True}
                self._add(self._over, self._gl.GLLinePlotItem(color=color.getRgbF(), **line))
        self._dot(marks.dots, self.theme.color("text"), 3)
        self._dot(marks.starts, QColor(RED[self.theme.name]), 11)
        self._dot(np.array([marks.here] if marks.here else []).reshape(-1, 2), self.theme.color("text"), 9)

    def _on_ground(self, places: Array) -> Array:
        """Return those places that lie inside, on the surface, in the view's coordinates."""
        surface, scale = self._surface, self._scale
        assert surface is not None
        assert scale is not None
        x, y = self._across(surface, places[:, 0]), self._up(surface, places[:, 1])
        found = np.column_stack([x, y, HEIGHT * scale.share(heights_on(surface, places)) + LIFT])
        return found[np.isfinite(found).all(axis=1)]

    def _dot(self, places: Array, color: QColor, size: float) -> None:
        points = self._on_ground(places)
        if len(points):
            item = self._gl.GLScatterPlotItem(pos=points, color=color.getRgbF(), size=size, pxMode=True)
            item.setGLOptions("translucent")
            self._add(self._over, item)

    def _add(self, kept: list[Any], item: Any) -> None:
        self.widget.addItem(item)
        kept.append(item)

    def _clear(self, kept: list[Any]) -> None:
        for item in kept:
            self.widget.removeItem(item)
        kept.clear()
