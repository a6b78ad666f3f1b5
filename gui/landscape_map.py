"""The map of a landscape: colours, contours and a scale of colours, with what went on it drawn over it.

This imports pyqtgraph, so it is imported when a map is first seen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFocusEvent,
    QFont,
    QFontMetricsF,
    QImage,
    QKeyEvent,
    QPainter,
    QPainterPath,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QApplication,
    QGraphicsItem,
    QGraphicsPathItem,
    QGraphicsRectItem,
    QSizePolicy,
    QStyleOptionGraphicsItem,
    QWidget,
)

from engine.landscape import Extent, Surface
from graphs.views.numbers import format_number
from gui.fields import PRESS, keeps
from gui.groups import write
from gui.plots import NumberAxis
from gui.runstyle import run_color, run_pen
from gui.theme import Theme, application_font, blend
from gui.viewdata.landscape import (
    Scale,
    color_table,
    contour_lines,
    labels_of,
    levels_of,
    nice_losses,
    scale_of,
    thinned,
)

__all__ = ["LandscapeMap", "Marks", "TrailMark"]

Array = np.ndarray

ANCHORS = {
    "light": ("#fcfdf9", "#d3e0dd", "#90aebd", "#5b7299"),
    "dark": ("#16181c", "#27344a", "#41607b", "#6f9aa6"),
    "print": ("#ffffff", "#8a8a8a"),
}
"""From the lowest loss, near the background of the theme, to the highest."""
RED = {"light": "#d7191c", "dark": "#ff4d4d", "print": "#c00000"}
"""The dot at the initial parameters, as in the primer."""
BAR, WIDTH = 11, 66
"""Pixels of width of the scale of colours, without and with its numbers."""
TICKS = 19
"""Pixels of height of the lower axis without its label."""
LOW = 210
"""Pixels of height below which a map is low."""
ARROW = 34
"""Pixels of length of the negative gradient."""
LEVEL = 1e-3
"""Pixels that the whole negative gradient reaches at least, where it is drawn."""
DOT, MANY = 3.5, 300
"""Pixels across a sample of a random search; more samples are smaller: the map is to be seen between them."""
CROSS = 40
"""Steps of the cross from one edge to the other."""
STEPS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, 1),
    Qt.Key.Key_Down: (0, -1),
}
ZOOMS = {Qt.Key.Key_Plus: 0.8, Qt.Key.Key_Equal: 0.8, Qt.Key.Key_Minus: 1.25}
KEYS = (*STEPS, *ZOOMS, *PRESS, Qt.Key.Key_Escape)
ROOM_FOR_LABELS = (340, 240)
SMOOTH_UP_TO = 1500
NARROWEST, WIDEST = 1e-9, 1e12
EMPTY = np.empty((0, 2))


@dataclass(frozen=True, eq=False)
class TrailMark:
    """A run on the map: where it went, and how it is drawn."""

    places: Array
    style: int
    is_ghost: bool = False


@dataclass(frozen=True, eq=False)
class Marks:
    """What is drawn over the map; places have shape (n, 2).

    Attributes
    ----------
    trails
        The runs, the one on top last.
    starts
        Initial parameters.
    here
        The point of the iteration shown.
    downhill
        The direction of the negative gradient there, in coordinates.
    dots, best
        Samples of a random search, and the best of them.
    lowest
        The lowest place of a quadratic.
    """

    trails: Sequence[TrailMark] = ()
    starts: Array = field(default_factory=lambda: EMPTY)
    here: tuple[float, float] | None = None
    downhill: tuple[float, float] | None = None
    dots: Array = field(default_factory=lambda: EMPTY)
    best: tuple[float, float] | None = None


class MapAxis(NumberAxis):
    """An axis painted anew each time: the picture that pyqtgraph keeps comes out smaller in an SVG."""

    # pyqtgraph

    def paint(self, p: QPainter, opt: Any, widget: QWidget | None = None) -> None:
        specs = self.generateDrawSpecs(p)
        if specs is not None:
            self.drawPicture(p, *specs)


class MapBox(pg.ViewBox):
    """The area of a map: the wheel zooms, dragging moves, a click chooses a place.

    Signals
    -------
    picked(QPointF)
        Where, in the map's coordinates.
    """

    picked = Signal(object)

    def __init__(self) -> None:
        super().__init__(enableMenu=False)
        self.setMouseEnabled(x=True, y=True)
        self.setLimits(minXRange=NARROWEST, maxXRange=WIDEST, minYRange=NARROWEST, maxYRange=WIDEST)

    # pyqtgraph

    def mouseClickEvent(self, ev) -> None:  # noqa: ANN001  pyqtgraph's own event
        if ev.button() == Qt.MouseButton.LeftButton and not ev.double():
            ev.accept()
            self.picked.emit(self.mapSceneToView(ev.scenePos()))

    def suggestPadding(self, axis: int) -> float:
        return 0.0


class LandscapeMap(pg.PlotWidget):
    """A surface from above.

    With the keyboard, arrows move a cross, Enter chooses its place, + and - zoom, Escape takes it away.

    Signals
    -------
    mouse_moved(QPointF)
        Where the mouse is, in coordinates of the scene.
    pointed(QPointF or None)
        Where the cross is, in the map's coordinates.
    """

    mouse_moved = Signal(object)
    pointed = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None, ratio: float | None = None) -> None:
        self._factor = 1.0
        self._ratio = ratio  # pixels for each logical pixel, where it is not the screen's
        self._is_made = False
        self.box = MapBox()
        self.axes = {side: MapAxis(side) for side in ("bottom", "left")}
        super().__init__(parent, viewBox=self.box, axisItems=self.axes)
        self.theme = theme
        self.surface: Surface | None = None
        self.scale: Scale | None = None
        self.levels: list[float] = []
        self._marks = Marks()
        self._labels = ("", "")
        self._contoured: Surface | None = None
        self._lines: list[tuple[Array, Array]] = []
        self.setMenuEnabled(False)
        self.hideButtons()
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setFrameShape(self.Shape.NoFrame)
        self.setMinimumHeight(60)
        self._cross: QPointF | None = None
        self._make_items()
        self._is_made = True
        self.box.sigRangeChanged.connect(self._place_marks)
        self.box.sigResized.connect(self._place_marks)
        scene: Any = self.scene()
        scene.sigMouseMoved.connect(self.mouse_moved)
        self.set_theme(theme)

    def leaveEvent(self, event: QEvent) -> None:
        self.mouse_moved.emit(QPointF(-1e6, -1e6))  # nowhere: what is read out there goes
        super().leaveEvent(event)

    def _make_items(self) -> None:
        item: Any = self.plotItem
        item.layout.setContentsMargins(0, 6, 4, 0)  # the numbers of an axis reach beyond its ends
        self.bar = ColorBar()
        item.layout.addItem(self.bar, 2, 3, 2, 1)
        item.layout.setColumnSpacing(2, 10)
        self._hatch = QGraphicsRectItem()
        self._image = pg.ImageItem(axisOrder="col-major")
        self._contours = pg.PlotCurveItem(connect="finite", antialias=True)
        self._dots = pg.ScatterPlotItem(symbol="o", size=DOT, pxMode=True)
        # the cache would make bitmaps of them in an SVG
        self._best, self._ends, self._starts, self._here = (
            pg.ScatterPlotItem(
                symbol=symbol, size=size * (self._ratio or 1), pxMode=True, useCache=False, antialias=True
            )
            for symbol, size in (("star", 15), ("o", 7), ("o", 10), ("o", 13))
        )
        self._plus = pg.ScatterPlotItem(symbol="+", size=17, pxMode=True, useCache=False)
        self._arrow = Arrow()
        self._tip = pg.TextItem(anchor=(0, 1))
        self._trails: list[pg.PlotCurveItem] = []
        self._texts: list[Label] = []
        self._corners: list[Label] = []
        under = (self._hatch, self._image, self._contours, self._dots, self._best)
        self._arrow.setParentItem(self.box)
        self._arrow.setZValue(20)
        over = (self._ends, self._starts, self._here, self._plus, self._tip)
        for first, parts in ((0, under), (6, over)):  # runs and labels lie between
            for z, part in enumerate(parts, first):
                part.setZValue(z)
                self.box.addItem(part, ignoreBounds=True)
        self._tip.setZValue(30)
        self._tip.hide()

    # --- what is shown ---

    @property
    def extent(self) -> Extent:
        """The part of the slice in sight."""
        (left, right), (bottom, top) = self.box.viewRange()
        return Extent(left, right, bottom, top)

    @property
    def ratio(self) -> float:
        """Pixels for each logical pixel: the width of pyqtgraph's pens counts pixels."""
        return self._ratio or self.devicePixelRatioF()

    def settle(self) -> None:
        """Have everything laid out and painted where it belongs, for pictures."""
        QApplication.processEvents()
        if self.surface is not None:
            self._contoured = None
            self.set_surface(self.surface, self.scale is not None and self.scale.is_log)
        self.set_marks(self._marks)

    def show_extent(self, extent: Extent) -> None:
        """Show a part of the slice."""
        self.box.setRange(xRange=(extent.left, extent.right), yRange=(extent.bottom, extent.top), padding=0)

    def set_labels(self, across: str, up: str) -> None:
        """Say what the axes are."""
        self._labels = (across, up)
        self._arrange_labels()

    def lettering(self) -> QFont:
        """Return the font of everything that is written here."""
        return application_font("small", self._factor)

    def set_letters(self, factor: float) -> None:
        """Write larger or smaller, as a projector asks for."""
        if factor != self._factor:
            self._factor = factor
            self.bar.set_letters(factor)
            self.set_theme(self.theme)

    def _arrange_labels(self) -> None:
        """Write what the axes are beside them; in a low map, in its corners."""
        is_low = self.height() < LOW * self._factor
        for side, text in zip(("bottom", "left"), self._labels, strict=True):
            axis = self.axes[side]
            axis.set_name(text, self.theme, self.lettering())
            axis.showLabel(not is_low)
        height = round((TICKS if is_low else TICKS + 15) * self._factor)
        self.axes["bottom"].setHeight(height)
        self.bar.set_foot(height)
        for label in self._corners:
            self.scene().removeItem(label)
        self._corners = []
        across, up = (text.partition(" direction")[0] for text in self._labels)
        for text, corner in zip((f"{across} →", f"↑ {up}"), "xy", strict=True):
            if is_low and self._labels[0]:
                label = Label(QPointF(), text, self.theme, self.lettering(), corner)
                label.setParentItem(self.box)
                label.setZValue(19)
                self._corners.append(label)
        self._place_corners()

    def _place_corners(self) -> None:
        rect = self.box.rect()
        for label in self._corners:
            own = label.boundingRect()
            is_x = label.corner == "x"
            x = rect.right() - own.right() - 3 if is_x else rect.left() - own.left() + 3
            y = rect.bottom() - own.bottom() - 3 if is_x else rect.top() - own.top() + 3
            label.setPos(x, y)

    def set_surface(self, surface: Surface | None, is_log: bool = False) -> None:
        """Show a surface; None for nothing."""
        self.surface = surface
        self.scale = scale_of(surface.losses, is_log) if surface is not None else None
        for part in (self._image, self._contours, self._hatch):
            part.setVisible(surface is not None)
        if surface is None:
            self.bar.set_scale(None, [])
            self._clear_texts()
            return
        self._paint_image(surface)
        if surface.is_complete or self._contoured is None or self._contoured.extent != surface.extent:
            self._contoured = surface if surface.is_complete else None
            self._draw_contours(surface if surface.is_complete else None)
        self.bar.set_scale(self.scale, self.levels)

    def set_marks(self, marks: Marks) -> None:
        """Draw runs, points and samples over the map."""
        self._marks = marks
        self._draw_trails()
        self._dots.setSize(DOT if len(marks.dots) <= MANY else 0.6 * DOT)
        self._dots.setData(pos=marks.dots)
        self._best.setData(pos=[marks.best] if marks.best else [])
        self._starts.setData(pos=marks.starts)
        self._here.setData(pos=[marks.here] if marks.here else [])
        self._place_arrow()

    def show_tip(self, place: QPointF | None, text: str = "") -> None:
        """Say something of a place, or nothing."""
        self._tip.setVisible(place is not None)
        if place is None:
            return
        extent = self.extent
        is_right = place.x() > (extent.left + extent.right) / 2
        is_high = place.y() > (extent.bottom + extent.top) / 2
        self._tip.setText(text)
        self._tip.setAnchor((1.06 if is_right else -0.08, -0.1 if is_high else 1.1))
        self._tip.setPos(place)

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self.theme = theme
        self.setBackground(theme.color("window"))
        for axis in self.axes.values():
            axis.set_look(theme, self.lettering())
        self.set_labels(*self._labels)
        table = color_table(ANCHORS[theme.name])
        self.bar.set_theme(theme, table)
        self._paint_items(theme)
        if self.surface is not None:
            self._paint_image(self.surface)
            self._write_labels()
        self._draw_trails()

    def _paint_items(self, theme: Theme) -> None:
        around = pg.mkPen(theme.color("window"), width=1.5 * self.ratio)
        self._contours.setPen(pg.mkPen(_faint(theme.text, 0.38), width=self.ratio))
        self._hatch.setBrush(QBrush(blend(theme.seed, theme.window, 0.35), Qt.BrushStyle.BDiagPattern))
        self._hatch.setPen(QPen(Qt.PenStyle.NoPen))
        self._starts.setBrush(QColor(RED[theme.name]))
        self._starts.setPen(around)
        self._dots.setBrush(_faint(theme.text, 0.4))
        self._dots.setPen(None)
        self._best.setBrush(theme.color("warning"))
        self._best.setPen(pg.mkPen(theme.color("text"), width=self.ratio))
        self._here.setBrush(None)
        self._here.setPen(pg.mkPen(theme.color("text"), width=2 * self.ratio))
        self._plus.setBrush(theme.color("text"))
        self._plus.setPen(pg.mkPen(theme.color("window"), width=self.ratio))
        self._arrow.set_colors(theme.color("text"), theme.color("window"))
        self._tip.setColor(theme.color("tooltip_text"))
        self._tip.fill = pg.mkBrush(theme.color("tooltip"))
        self._tip.setFont(self.lettering())

    # --- the surface ---

    def _paint_image(self, surface: Surface) -> None:
        assert surface is self.surface
        pixels = np.zeros((*surface.losses.shape, 4), np.uint8)
        if self.scale is not None:
            shares = self.scale.share(surface.losses)
            known = np.isfinite(shares)
            table = color_table(ANCHORS[self.theme.name])
            pixels[..., :3] = table[np.where(known, shares * (len(table) - 1), 0).astype(np.intp)]
            pixels[..., 3] = 255 * known
        extent = surface.extent
        half = [extent.width / (len(surface.xs) - 1) / 2, extent.height / (len(surface.ys) - 1) / 2]
        self._image.setImage(pixels, levels=None, autoLevels=False)
        self._image.setRect(
            QRectF(
                extent.left - half[0],
                extent.bottom - half[1],
                extent.width + 2 * half[0],
                extent.height + 2 * half[1],
            )
        )
        self._hatch.setRect(QRectF(extent.left, extent.bottom, extent.width, extent.height))

    def _draw_contours(self, surface: Surface | None) -> None:
        room = max(4, min(11, int(self.box.height() / self._factor / 14)))
        self.levels = levels_of(self.scale, room) if self.scale is not None else []
        self._lines = []
        if surface is not None and self.scale is not None:
            self._lines = contour_lines(surface, self.scale, self.levels)
        gap = np.array([np.nan])
        xs, ys = ([part for line in self._lines for part in (line[i], gap)] for i in (0, 1))
        self._contours.setData(np.concatenate([*xs, gap]), np.concatenate([*ys, gap]))
        self._write_labels()

    def _write_labels(self) -> None:
        self._clear_texts()
        size = (self.box.width() / self._factor, self.box.height() / self._factor)  # as the letters see it
        if self._contoured is None or size[0] < ROOM_FOR_LABELS[0] or size[1] < ROOM_FOR_LABELS[1]:
            return
        round_ones = nice_losses(self.scale, len(self.levels)) if self.scale is not None else []
        for x, y, text in labels_of(self._lines, self.levels, round_ones, self._contoured.extent, size):
            label = Label(QPointF(x, y), text, self.theme, self.lettering())
            label.setParentItem(self.box)
            label.setZValue(3)
            self._texts.append(label)
        self._place_texts()

    def _place_texts(self) -> None:
        inside = self.box.rect().adjusted(20, 10, -20, -10)
        for label in self._texts:
            place = self.box.mapFromView(label.place)
            label.setPos(place)
            label.setVisible(inside.contains(place))

    def _clear_texts(self) -> None:
        for label in self._texts:
            self.scene().removeItem(label)
        self._texts = []

    # --- what lies over it ---

    def _draw_trails(self) -> None:
        trails = self._marks.trails
        while len(self._trails) < len(trails):
            curve = pg.PlotCurveItem(connect="finite")
            curve.setZValue(5 + 0.01 * len(self._trails))
            self.box.addItem(curve, ignoreBounds=True)
            self._trails.append(curve)
        size, extent = (max(1.0, self.box.width()), max(1.0, self.box.height())), self.extent
        ratio = self.ratio
        for curve, trail in zip(self._trails, trails, strict=False):
            places = thinned(trail.places, extent, size)
            curve.setPen(run_pen(self.theme, trail.style, width=2.0 * ratio, ghost=trail.is_ghost))
            casing = pg.mkPen(self.theme.color("window"), width=(3.0 if trail.is_ghost else 4.5) * ratio)
            curve.setShadowPen(casing)
            curve.setData(places[:, 0], places[:, 1], antialias=len(places) <= SMOOTH_UP_TO)
        for i, curve in enumerate(self._trails):
            curve.setVisible(i < len(trails))
        self._draw_ends()

    def _draw_ends(self) -> None:
        spots = []
        for trail in self._marks.trails:
            finite = trail.places[np.isfinite(trail.places).all(axis=1)]
            if len(finite):
                color = run_color(self.theme, trail.style)
                spots.append(
                    {
                        "pos": finite[-1],
                        "brush": blend(color.name(), self.theme.card, 0.5) if trail.is_ghost else color,
                        "pen": pg.mkPen(self.theme.color("window"), width=self.ratio),
                    }
                )
        self._ends.setData(spots)

    def _place_marks(self) -> None:
        """Bring what depends on the part in sight up to date: which points matter, and the arrow's angle."""
        self._draw_trails()
        self._place_arrow()
        self._place_texts()
        self._place_corners()

    # --- the keyboard ---

    def _move_cross(self, key: Qt.Key) -> None:
        extent = self.extent
        across, up = STEPS[key]
        at = self._cross or self._first_cross()
        x = min(max(at.x() + across * extent.width / CROSS, extent.left), extent.right)
        y = min(max(at.y() + up * extent.height / CROSS, extent.bottom), extent.top)
        self._set_cross(QPointF(x, y))

    def _first_cross(self) -> QPointF:
        extent = self.extent
        x, y = self._marks.here or (np.nan, np.nan)
        if extent.left <= x <= extent.right and extent.bottom <= y <= extent.top:
            return QPointF(x, y)
        return QPointF((extent.left + extent.right) / 2, (extent.bottom + extent.top) / 2)

    def _set_cross(self, place: QPointF | None) -> None:
        self._cross = place
        self._plus.setData(pos=[(place.x(), place.y())] if place is not None else [])
        self.pointed.emit(place)

    def _zoom(self, factor: float) -> None:
        self.box.scaleBy((factor, factor), center=self._cross or self._first_cross())
        self.box.sigRangeChangedManually.emit([True, True])

    # --- the arrow ---

    def _place_arrow(self) -> None:
        marks = self._marks
        if marks.here is None or marks.downhill is None:
            self._arrow.hide()
            return
        extent = self.extent
        across = marks.downhill[0] * self.box.width() / extent.width
        up = marks.downhill[1] * self.box.height() / extent.height
        # where the ground is level, the direction of what is left tells nothing
        is_drawn = math.isfinite(across) and math.isfinite(up) and math.hypot(across, up) > LEVEL
        is_inside = (
            extent.left <= marks.here[0] <= extent.right and extent.bottom <= marks.here[1] <= extent.top
        )
        self._arrow.setVisible(is_drawn and is_inside)
        if is_drawn and is_inside:
            self._arrow.setPos(self.box.mapFromView(QPointF(*marks.here)))
            self._arrow.setRotation(-math.degrees(math.atan2(up, across)))

    # Qt

    def resizeEvent(self, ev: QResizeEvent) -> None:
        super().resizeEvent(ev)
        if self._is_made:  # Qt asks for a size while it is being made
            self._arrange_labels()

    def event(self, ev: QEvent) -> bool:
        return keeps(ev, KEYS) or super().event(ev)

    def keyPressEvent(self, ev: QKeyEvent) -> None:
        key = Qt.Key(ev.key())
        if key in STEPS:
            self._move_cross(key)
        elif key in PRESS and self._cross is not None:
            self.box.picked.emit(self._cross)
        elif key in ZOOMS:
            self._zoom(ZOOMS[key])
        elif key == Qt.Key.Key_Escape:
            self._set_cross(None)
        else:
            super().keyPressEvent(ev)

    def focusInEvent(self, ev: QFocusEvent) -> None:
        super().focusInEvent(ev)
        self.box.setBorder(pg.mkPen(self.theme.color("focus"), width=3 * self.ratio))

    def focusOutEvent(self, ev: QFocusEvent) -> None:
        super().focusOutEvent(ev)
        self.box.setBorder(None)
        self._set_cross(None)


class Label(QGraphicsItem):
    """The loss of a contour, on a piece of paper; it lies in the box, whose pixels are its own."""

    def __init__(self, place: QPointF, text: str, theme: Theme, font: QFont, corner: str = "") -> None:
        super().__init__()
        self.place = place
        self.corner = corner
        self.text = text
        self._ink, self._paper = theme.color("text"), _faint(theme.window, 0.72)
        self._font = font
        metrics = QFontMetricsF(self._font)
        width, height = metrics.horizontalAdvance(text) + 6, metrics.height()
        self._rect = QRectF(-width / 2, -height / 2, width, height)

    # Qt

    def boundingRect(self) -> QRectF:
        return self._rect

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._paper)
        painter.drawRoundedRect(self._rect, 3, 3)
        painter.setPen(self._ink)
        painter.setFont(self._font)
        metrics = QFontMetricsF(self._font)
        painter.drawText(QPointF(self._rect.left() + 3, metrics.capHeight() / 2), self.text)


class Arrow(QGraphicsPathItem):
    """An arrow of a fixed length in pixels, which begins where it stands."""

    def __init__(self) -> None:
        super().__init__()
        path = QPainterPath(QPointF(6, -1.2))
        for x, y in (
            (ARROW - 9, -1.2),
            (ARROW - 10, -5),
            (ARROW, 0),
            (ARROW - 10, 5),
            (ARROW - 9, 1.2),
            (6, 1.2),
        ):
            path.lineTo(x, y)
        path.closeSubpath()
        self.setPath(path)

    def set_colors(self, color: QColor, around: QColor) -> None:
        """Paint in a colour, with a line around it."""
        self.setBrush(color)
        self.setPen(QPen(around, 1.2))

    # Qt

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        super().paint(painter, option, widget)


class ColorBar(pg.GraphicsWidget):
    """The scale of colours: a strip from the lowest loss to the highest, with numbers beside it."""

    def __init__(self) -> None:
        super().__init__()
        self._scale: Scale | None = None
        self._levels: Sequence[float] = ()
        self._theme: Theme | None = None
        self._strip = QImage()
        self._foot = float(TICKS)
        self._factor = 1.0
        self.setMinimumWidth(WIDTH)
        self.setMaximumWidth(WIDTH)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)

    def set_theme(self, theme: Theme, table: Array) -> None:
        """Paint in another theme."""
        self._theme = theme
        rgba = np.full((len(table), 1, 4), 255, np.uint8)
        rgba[:, 0, :3] = table[::-1]
        self._strip = QImage(rgba.tobytes(), 1, len(table), 4, QImage.Format.Format_RGBA8888).copy()
        self.update()

    def set_letters(self, factor: float) -> None:
        """Write larger or smaller."""
        self._factor = factor
        for set_width in (self.setMinimumWidth, self.setMaximumWidth):
            set_width(self._width)
        self.update()

    @property
    def _width(self) -> int:
        """How wide it is: the strip is as wide at any size of the letters."""
        return BAR + round((WIDTH - BAR) * self._factor)

    def set_foot(self, height: float) -> None:
        """Leave the height of the axis beside it free at the bottom, where the title stands."""
        self._foot = height
        self.update()

    def set_scale(self, scale: Scale | None, levels: Sequence[float]) -> None:
        """Show a scale; None for nothing. `levels` are the losses of the contours."""
        self._scale, self._levels = scale, levels
        self.update()

    def texts(self) -> list[tuple[float, str]]:
        """Return the numbers beside the strip: their place from 0 at the bottom to 1, and what they say."""
        scale = self._scale
        if scale is None:
            return []
        most = max(2, int((self.size().height() - self._foot) / (24 * self._factor)))
        values = nice_losses(scale, most)
        places = [float(p) for p in scale.share(np.array(values))] if values else []
        found = [(p, format_number(v, 3)) for p, v in zip(places, values, strict=True)]
        return found or [(0.0, format_number(scale.low, 3))]

    # Qt

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        if self._theme is None or self._scale is None:
            return
        theme, size = self._theme, self.size()
        top, bottom = 0.5, size.height() - self._foot - 0.5
        strip = QRectF(0.5, top, BAR, bottom - top)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(strip, self._strip)
        painter.setPen(QPen(theme.color("separator"), 1))
        painter.drawRect(strip)
        painter.setFont(application_font("small", self._factor))
        painter.setPen(theme.color("muted"))
        metrics = QFontMetricsF(painter.font())
        # away from the last number of the axis beside it
        title = QRectF(0, bottom + 5, size.width(), 16 * self._factor)
        write(painter, title, Qt.AlignmentFlag.AlignRight, self._scale.title)
        self._paint_levels(painter, strip)
        for place, text in self.texts():
            y = strip.bottom() - place * strip.height()
            painter.setPen(QPen(theme.color("muted"), 1))
            painter.drawLine(QPointF(BAR + 1, y), QPointF(BAR + 4, y))
            half = 4 * self._factor
            y = min(max(y, top + half), bottom - half)  # the text stays inside, its line stays where it is
            painter.drawText(QPointF(BAR + 7, y + metrics.capHeight() / 2), text)

    def _paint_levels(self, painter: QPainter, strip: QRectF) -> None:
        """Mark on the strip where contours are drawn."""
        assert self._theme is not None
        assert self._scale is not None
        painter.setPen(QPen(_faint(self._theme.text, 0.45), 1))
        for place in self._scale.share(np.array(self._levels)) if self._levels else ():
            y = strip.bottom() - float(place) * strip.height()
            painter.drawLine(QPointF(strip.left(), y), QPointF(strip.right(), y))

    def sizeHint(self, which: Qt.SizeHint, constraint: QSizeF = QSizeF()) -> QSizeF:  # noqa: B008  Qt's own
        heights = {Qt.SizeHint.MinimumSize: 40.0, Qt.SizeHint.MaximumSize: 1e6}
        return QSizeF(self._width, heights.get(which, 200.0))


def _faint(color: str, opacity: float) -> QColor:
    """Return a colour that lets what is under it shine through."""
    found = QColor(color)
    found.setAlphaF(opacity)
    return found
