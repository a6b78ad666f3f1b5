"""The chart of the runs: lines over iterations, a cursor to travel with, exact values under the mouse.

This imports pyqtgraph, so a panel imports it when it is first seen.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from html import escape

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QPen, QResizeEvent
from PySide6.QtWidgets import QLabel, QWidget

from gui.curves import Drawn, Line, View, drawn, heights
from gui.plots import LINE, Plot, round_range
from gui.runstyle import run_color, run_pen
from gui.theme import THEMES, Theme, blend, strong

__all__ = ["Chart"]

Array = np.ndarray

DRAG_INTERVAL = 40
"""Milliseconds between two iterations gone to while the cursor is dragged."""
CURRENT, OTHER, HELD = 1.9, LINE, 1.0
"""How wide lines are, in logical pixels: of the current run, of others, of held-out losses."""
BAND = 0.3
"""How much of its colour the range behind a mean has."""
CIRCLES = 56
"""Pixels between two of the circles that tell a held-out loss."""
EXIT = 6.0
"""Pixels from the edges to the arrowhead where a line leaves the plot."""
TIP_ROWS = 12
LOW = 190
"""Logical pixels: a lower chart does not name its axes."""


class _Parts:
    """What draws one line: the line, the range behind it, marks on it."""

    def __init__(self, chart: Chart) -> None:
        self.band = pg.PlotCurveItem(connect="finite", antialias=False)
        self.curve = pg.PlotCurveItem(connect="finite", antialias=True)
        self.marks = pg.ScatterPlotItem(size=5, pxMode=True)
        self.drawn: Drawn | None = None
        self.look: object = None
        self.seen: object = None
        self.series: object = None
        for item in (self.band, self.curve, self.marks):
            chart.box.addItem(item, ignoreBounds=True)

    def remove(self, chart: Chart) -> None:
        for item in (self.band, self.curve, self.marks):
            chart.box.removeItem(item)


class Chart(Plot):
    """Lines over iterations.

    Attributes
    ----------
    peak
        The largest value of a run that lies above the plot, None where all is to be seen.
    leaves_out
        Whether some values have no place on the log axis.

    Signals
    -------
    travelled(int)
        The user wants to be at this iteration.
    zoomed()
        The user has chosen what part is seen.
    """

    travelled = Signal(int)
    zoomed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        self._theme = theme
        self._parts: dict[Hashable, _Parts] = {}
        self._lines: tuple[Line, ...] = ()
        self._hovered: int | None = None
        self._place = 0
        self._last = 0
        self.log_x = self.log_y = False
        self.peak: float | None = None
        self.leaves_out = False
        super().__init__(theme, "iteration", "loss", parent)
        self.axes["bottom"].is_whole = True
        self.axes["bottom"].shift = 1.0  # iteration 0 would have no place on a log axis otherwise
        self.setAccessibleName("loss over iterations")
        self._make_items()
        self._redraw = QTimer(self, singleShot=True, interval=0)  # goes with the chart, also before it is due
        self._redraw.timeout.connect(self._draw_again)
        self._drag_timer = QTimer(self, singleShot=True, interval=DRAG_INTERVAL)
        self._drag_timer.timeout.connect(self._travel_to_cursor)
        self._cursor.sigDragged.connect(lambda: self._drag_timer.isActive() or self._drag_timer.start())
        self._cursor.sigPositionChangeFinished.connect(self._travel_to_cursor)
        self.box.clicked.connect(lambda x: self.travelled.emit(self._nearest(x)))
        self.box.sigRangeChangedManually.connect(self.zoomed)
        self.mouse_moved.connect(self._hover)
        self._paint_theme()

    @property
    def lines(self) -> tuple[Line, ...]:
        """What is drawn."""
        return self._lines

    @property
    def cursor_iteration(self) -> int:
        """Where the cursor stands."""
        return self._nearest(float(self._cursor.getXPos()))

    @property
    def tip(self) -> QLabel:
        """What tells the values under the mouse."""
        return self._tip

    def drawn_of(self, key: Hashable) -> Drawn | None:
        """Return what is painted of a line."""
        parts = self._parts.get(key)
        return None if parts is None else parts.drawn

    def view(self) -> View:
        """Return what part is in sight."""
        (left, right), (bottom, top) = self.box.viewRange()
        ratio = self.devicePixelRatioF()
        width, height = max(8.0, self.box.width() * ratio), max(8.0, self.box.height() * ratio)
        return View(left, right, bottom, top, width, height, self.log_x, self.log_y)

    def set_logs(self, log_x: bool, log_y: bool) -> None:
        """Choose which axes count in powers of ten."""
        self.log_x, self.log_y = log_x, log_y
        for side, is_log in (("bottom", log_x), ("left", log_y)):
            axis = self.axes[side]
            if axis.is_log != is_log:
                axis.is_log = is_log
                axis.picture = None
                axis.update()

    def set_labels(self, across: str, up: str) -> None:
        """Say what the axes are, if that is new."""
        if self._labels != {"bottom": across, "left": up}:
            super().set_labels(across, up)
            self._place_labels()

    def show_iterations(self, last: int) -> None:
        """Show the iterations up to `last`."""
        right = float(np.log10(last + 1)) if self.log_x else float(last)
        self._set_range(0, -0.005 * right, right)

    def set_lines(self, lines: Sequence[Line]) -> None:
        """Draw lines, the last ones on top; what has not changed is not drawn again."""
        self._lines = tuple(lines)
        self.leaves_out = self.log_y and any(line.series.lowest <= 0 for line in lines)
        for key in self._parts.keys() - {line.key for line in lines}:
            self._parts.pop(key).remove(self)
        self._shape()
        self._fit_height()
        self._shape()
        for number, line in enumerate(lines):
            self._paint(line, number)
        self._point_at(self._hovered)

    def set_place(self, iteration: int, last: int, label: str, value: float | None) -> None:
        """Put the cursor on an iteration of 0 to `last`, unless the user drags it.

        Parameters
        ----------
        label
            What it says.
        value
            What the current line has there, for the dot on it.
        """
        self._place, self._last = iteration, last
        if self._cursor.moving:
            return
        view = self.view()
        x = float(view.x(np.array(iteration)))
        self._cursor.setBounds((0, max(1e-9, float(view.x(np.array(max(1, last)))))))
        self._cursor.setValue(x)
        self._cursor.label.setFormat(label)
        y = np.nan if value is None or not np.isfinite(value) else self._height(value, view)
        self._here.setData([x] if np.isfinite(y) else [], [y] if np.isfinite(y) else [])

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        super().set_theme(theme)
        if hasattr(self, "_cursor"):  # the plot's own constructor sets its theme
            self._paint_theme()
            self._place_labels()

    # --- drawing ---

    def _make_items(self) -> None:
        self._cursor = pg.InfiniteLine(angle=90, movable=True, label="", labelOpts={"position": 0.93})
        self._here = pg.ScatterPlotItem(size=6, pxMode=True)
        self._marker = pg.ScatterPlotItem(size=7, pxMode=True)
        for z, item in enumerate((self._cursor, self._here, self._marker)):
            item.setZValue(1000 + z)
            self.box.addItem(item, ignoreBounds=True)
        self._marker.hide()
        self._tip = QLabel(self)
        self._tip.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._tip.setTextFormat(Qt.TextFormat.RichText)
        self._tip.hide()

    def _place_labels(self) -> None:
        """Say what the axes are; a low chart has no room to spare, and the panel says it too."""
        for axis in self.axes.values():
            if axis.label is not None:  # pyqtgraph takes it away before the chart is gone
                axis.showLabel(self.height() >= LOW)
        middle = 0.6 * self._cursor.label.boundingRect().height()
        self._cursor.label.setPosition(max(0.5, 1.0 - middle / max(2 * middle, self.box.height())))

    def _shape(self) -> None:
        """Work out what is to be painted of every line that has changed, or is seen otherwise."""
        view = self.view()
        for line in self._lines:
            parts = self._parts.get(line.key)
            if parts is None:
                parts = self._parts[line.key] = _Parts(self)
            seen = (len(line.series), line.series.end, view)
            if parts.series is not line.series or parts.seen != seen:
                parts.series, parts.seen, parts.look = line.series, seen, None
                parts.drawn = drawn(line.series, view)

    def _fit_height(self) -> None:
        """Choose the vertical range for what is in sight; lines stretch it up to their cap."""
        parts = [(line, self._parts[line.key].drawn) for line in self._lines]
        limits = heights([(line, found) for line, found in parts if found is not None], self.view())
        if limits is not None:
            low, high = round_range(*limits[:2])
            edge, peak = 0.02 * (high - low), limits[2]
            self._set_range(1, low - edge, high + edge)
            self.peak = None if peak <= high + edge else 10.0 ** min(peak, 308.0) if self.log_y else peak

    def _set_range(self, axis: int, low: float, high: float) -> None:
        """Set the range of an axis, if it is another: the axis is painted anew only then."""
        if not np.allclose(self.box.viewRange()[axis], (low, high), rtol=1e-9, atol=0):
            set_range = self.box.setYRange if axis else self.box.setXRange
            set_range(low, high, padding=0)

    def _paint(self, line: Line, number: int) -> None:
        parts = self._parts[line.key]
        look = (
            self._theme.name,
            line.style,
            line.ghost,
            line.current,
            line.kind,
            number,
            self.devicePixelRatioF(),
        )
        if parts.look == look or parts.drawn is None:
            return
        parts.look = look
        view = self.view()
        found, pen = parts.drawn.within(view), self._pen(line)
        parts.band.setVisible(found.has_band)
        if found.has_band:
            parts.band.setPen(self._band_pen(line))
            parts.band.setData(found.band_x, found.band_y)
        parts.curve.setPen(pen)
        parts.curve.setData(found.x, found.y)
        leaves = found.exit(view) if line.kind == "run" else None
        parts.marks.setVisible(line.kind != "run" or leaves is not None)
        if line.kind != "run":
            self._paint_marks(parts.marks, line, found, pen)
        elif leaves is not None:
            self._paint_exit(parts.marks, leaves, pen)
        parts.band.setZValue(number)
        parts.curve.setZValue(300 + number)
        parts.marks.setZValue(600 + number)

    def _pen(self, line: Line) -> QPen:
        """Return a line's pen; pyqtgraph's are as wide as pixels of the screen."""
        ratio = self.devicePixelRatioF()
        if line.kind == "search":
            pen = QPen(self._theme.color("text"), OTHER * ratio)
            pen.setDashPattern([1.0, 2.5])
            pen.setCosmetic(True)
            return pen
        width = HELD if line.kind == "held" else CURRENT if line.current else OTHER
        return run_pen(self._theme, line.style, width=width * ratio, ghost=line.ghost)

    def _band_pen(self, line: Line) -> QPen:
        """Return the pen of the range behind a mean; a pixel of the screen wide, as that is painted fast."""
        color = run_color(self._theme, line.style)
        share = BAND / 2 if line.ghost else BAND
        pen = QPen(blend(color.name(), self._theme.window, share), 1)
        pen.setCosmetic(True)
        return pen

    def _paint_marks(self, marks: pg.ScatterPlotItem, line: Line, found: Drawn, pen: QPen) -> None:
        """Put circles on a held-out loss, some apart, and diamonds on every step of a search."""
        view = self.view()
        ratio = self.devicePixelRatioF()
        x, y = found.x[np.isfinite(found.y)], found.y[np.isfinite(found.y)]
        if line.kind == "search":
            chosen = np.arange(0, len(x), 2)
            marks.setSize(7)
        else:
            apart = np.floor((x - view.left) * (view.width / (CIRCLES * ratio * (view.right - view.left))))
            chosen = np.flatnonzero(np.diff(apart, prepend=-1e9))
        solid = pg.mkPen(pen.color(), width=1.2 * ratio)
        symbol = "d" if line.kind == "search" else "o"
        marks.setData(x[chosen], y[chosen], symbol=symbol, pen=solid, brush=self._theme.color("window"))

    def _paint_exit(self, marks: pg.ScatterPlotItem, x: float, pen: QPen) -> None:
        """Put an arrowhead where a line leaves the plot: beside the axis the line itself is hard to see."""
        view, ratio = self.view(), self.devicePixelRatioF()
        inside = EXIT * ratio / view.width * (view.right - view.left)
        y = view.top - EXIT * ratio / view.height * (view.top - view.bottom)
        x = min(max(x, view.left + inside), view.right - inside)
        marks.setSize(1.5 * EXIT)
        marks.setData([x], [y], symbol="t1", pen=pg.mkPen(pen.color()), brush=pen.color())

    def _height(self, value: float, view: View) -> float:
        """Return how high a value stands; what has no place lies at the bottom."""
        y = float(view.y(np.array(value))) if np.isfinite(value) else np.nan
        return min(y, view.top) if np.isfinite(y) else view.bottom

    def _paint_theme(self) -> None:
        theme = self._theme
        ratio = self.devicePixelRatioF()
        self._here.setPen(None)
        self._here.setBrush(theme.color("text"))
        self._cursor.setPen(pg.mkPen(theme.color("text"), width=ratio))
        self._cursor.setHoverPen(pg.mkPen(theme.color("accent"), width=2 * ratio))
        self._cursor.label.setColor(theme.color("text"))
        self._cursor.label.fill = pg.mkBrush(theme.color("window"))  # a curve may run behind it
        self._cursor.label.setFont(self.lettering())
        self._tip.setFont(self.lettering())
        self._tip.setStyleSheet(
            f"background: {theme.tooltip}; color: {theme.tooltip_text}; padding: 3px 7px; border-radius: 4px;"
        )
        for parts in self._parts.values():
            parts.look = None
        for number, line in enumerate(self._lines):
            self._paint(line, number)

    # --- travelling ---

    def _nearest(self, x: float) -> int:
        return round(self.view().iteration(x))

    def _travel_to_cursor(self) -> None:
        if self.cursor_iteration != self._place:
            self.travelled.emit(self.cursor_iteration)

    # --- reading values ---

    def readout(self, iteration: int) -> list[tuple[Line, str]]:
        """Return the exact value of every line at an iteration, the current run's first.

        What is only kept from time to time says from which iteration it is.
        """
        found = []
        for line in sorted(self._lines, key=lambda line: not line.current):
            known = line.series.at(iteration)
            if known is not None:
                at, value = known
                text = repr(value) if np.isfinite(value) else "not finite"
                found.append((line, text if at == iteration else f"{text} (at {at})"))
        return found

    def _hover(self, position: QPointF) -> None:
        inside = self.box.sceneBoundingRect().contains(position)
        iteration = self._nearest(self.box.mapSceneToView(position).x())
        longest = max((line.series.end for line in self._lines), default=-1)
        self._point_at(iteration if inside and 0 <= iteration <= longest else None)

    def _point_at(self, iteration: int | None) -> None:
        """Mark the values of an iteration and read them out, or nothing."""
        self._hovered = iteration
        found = [] if iteration is None else self.readout(iteration)
        for item in (self._marker, self._tip):
            item.setVisible(bool(found))
        if iteration is None or not found:
            return
        view = self.view()
        x = float(view.x(np.array(iteration)))
        heights = [self._height(line.series.at(iteration)[1], view) for line, _ in found]  # type: ignore[index]
        spots = [
            {"pos": (x, y), "pen": pg.mkPen(self._line_color(line), width=2)}
            for (line, _), y in zip(found, heights, strict=True)
            if view.bottom < y < view.top
        ]
        self._marker.setData(spots, brush=self._theme.color("card"))
        self._tip.setText(self._tip_text(iteration, found))
        self._place_tip(x, heights[0])

    def _line_color(self, line: Line) -> pg.QtGui.QColor:
        return self._theme.color("text") if line.kind == "search" else run_color(self._theme, line.style)

    def _tip_text(self, iteration: int, found: list[tuple[Line, str]]) -> str:
        if len(found) == 1:
            return f"iteration {iteration}: {escape(found[0][1])}"
        rows = [f"{strong(f'iteration {iteration}')}<table cellspacing='0' cellpadding='0'>"]
        other = THEMES[
            "light" if self._theme.is_dark else "dark"
        ]  # the tip is dark where the window is light
        for line, text in found[:TIP_ROWS]:
            color = self._theme.tooltip_text if line.kind == "search" else run_color(other, line.style).name()
            mark = f"<td style='color: {color}'>■&nbsp;</td>"
            rows.append(f"<tr>{mark}<td>{escape(text)}&nbsp;&nbsp;</td><td>{escape(line.name)}</td></tr>")
        rows.append("</table>")
        if len(found) > TIP_ROWS:
            rows.append(f"and {len(found) - TIP_ROWS} more")
        return "".join(rows)

    def _place_tip(self, x: float, y: float) -> None:
        """Put the tip beside a point; over the whole window, as a small chart has no room for it."""
        window = self.window()
        if self._tip.parentWidget() is not window:
            self._tip.setParent(window)
            self._tip.show()
        self._tip.adjustSize()
        scene = self.box.mapViewToScene(QPointF(x, y))
        at = self.mapTo(window, self.mapFromScene(scene))
        size = self._tip.size()
        left = at.x() + 14 if at.x() + 14 + size.width() < window.width() else at.x() - 14 - size.width()
        top = at.y() - size.height() - 10 if at.y() - size.height() > 14 else at.y() + 14
        self._tip.move(QPoint(max(2, left), max(2, min(top, window.height() - size.height() - 2))))
        self._tip.raise_()

    # Qt

    def leaveEvent(self, event: QEvent) -> None:
        self._point_at(None)
        super().leaveEvent(event)

    def hideEvent(self, event: QEvent) -> None:  # type: ignore[override]
        self._point_at(None)
        super().hideEvent(event)  # type: ignore[arg-type]

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if hasattr(self, "_tip"):  # the plot's own constructor gives it a size
            self._place_labels()
        if self._lines_are_set():
            self._redraw.start()

    def _lines_are_set(self) -> bool:
        return bool(getattr(self, "_lines", ()))

    def _draw_again(self) -> None:
        self._place_labels()
        self.set_lines(self._lines)
