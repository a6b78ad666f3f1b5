"""The fit: what the network predicts beside what it should."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QRectF, Qt, QTimer
from PySide6.QtGui import QShowEvent, QTransform
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from gui.panel import Panel
from gui.session import Session
from gui.theme import Theme, application_font, blend
from gui.viewdata.fit import FitView, fit_view

if TYPE_CHECKING:
    from gui.plots import Plot

Array = np.ndarray

PALE = 0.22
"""How much of its colour the side of a class has, in the plane."""


class FitPanel(Panel):
    """Data and prediction for the parameters of the iteration shown."""

    title = "Fit"
    object_name = "fit"

    def __init__(self, session: Session, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(session, theme, parent)
        self.plot: Plot | None = None
        self.view = FitView()
        self._trace: object = None
        self._framed: object = None
        self._framed_model: object = None
        self._caption = QLabel()
        self._caption.setProperty("role", "small")
        self._caption.setFont(application_font("small"))
        self._caption.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._note = QLabel()
        self._note.setProperty("role", "muted")
        self._note.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._note.setWordWrap(True)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(12, 6, 12, 4)
        self._column.setSpacing(2)
        self._column.addWidget(self._caption)
        self._column.addWidget(self._note, 1)
        self._build_timer = QTimer(self, singleShot=True, interval=0)
        self._build_timer.timeout.connect(self.build)
        self.refresh_on(session.frame_changed)

    def build(self) -> None:
        """Make the plot, which imports pyqtgraph: done when the panel is first seen."""
        if self.plot is not None:
            return
        from gui.plots import Plot, pg

        self.plot = Plot(self.theme, "", "")
        self.plot.setAccessibleName("fit")
        self._image = pg.ImageItem()
        self._residuals, self._line = pg.PlotCurveItem(connect="pairs"), pg.PlotCurveItem(connect="finite")
        self._curve = pg.PlotCurveItem(connect="finite", antialias=True)
        self._boundary = pg.IsocurveItem()
        self._first, self._second = (
            pg.ScatterPlotItem(symbol="o", size=6),
            pg.ScatterPlotItem(symbol="t1", size=7),
        )
        for item in self._items():
            self.plot.addItem(item)
        self.plot.box.reset.connect(self._frame_again)
        self._column.insertWidget(1, self.plot, 1)
        self._trace = None
        self.mark_stale()

    def refresh(self) -> None:
        """Show the fit; it changes with the iteration, not with every step."""
        trace = self.session.trace
        if trace is self._trace:
            return
        self._trace = trace
        view = self.view = fit_view(self.session.frame)
        drawn = bool(view.kind) and self.plot is not None
        self._caption.setText(self.caption())
        self._caption.setVisible(bool(view.kind))
        self._note.setText(view.note if not view.kind else "")
        self._note.setVisible(not drawn)
        if self.plot is not None:
            self.plot.setVisible(drawn)
            if drawn:
                self._draw(view)

    def caption(self) -> str:
        """Return how good the fit is, and of which iteration."""
        parts = (f"iteration {self.session.iteration}", self.view.caption, self._legend(), self.view.note)
        return " · ".join(part for part in parts if part)

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        if self.plot is not None:
            self.plot.set_theme(theme)
        self._trace = None
        super().set_theme(theme)

    # Drawing

    def _items(self) -> tuple[Any, ...]:
        return (
            self._image,
            self._line,
            self._residuals,
            self._boundary,
            self._first,
            self._second,
            self._curve,
        )

    def _draw(self, view: FitView) -> None:
        for item in self._items():
            item.hide()
        self._draw_points(view)
        {
            "curve": self._draw_curve,
            "versus": self._draw_diagonal,
            "classes": self._draw_threshold,
            "plane": self._draw_plane,
        }[view.kind](view)
        self._frame(view)

    def _draw_points(self, view: FitView) -> None:
        from gui.plots import pg

        finite = np.isfinite(view.y)
        second = view.is_second if view.is_second.size else np.zeros(view.x.size, bool)
        several = bool(view.is_second.size)
        for item, chosen, role in ((self._first, ~second, "negative"), (self._second, second, "positive")):
            shown = chosen & finite
            item.setData(view.x[shown], view.y[shown])
            item.setPen(pg.mkPen(self.theme.color("card"), width=0.7))
            item.setBrush(self.theme.color(role if several else "seed"))
            item.setVisible(bool(shown.any()))

    def _draw_curve(self, view: FitView) -> None:
        from gui.plots import line_pen, pale_pen

        pairs = np.column_stack([view.y, view.predicted])
        pairs[~np.isfinite(pairs).all(axis=1)] = view.y[0]
        self._residuals.setData(np.repeat(view.x, 2), pairs.ravel())
        self._residuals.setPen(pale_pen(self.theme, "seed"))
        self._curve.setData(*(_drawable(part) for part in view.curve))
        self._curve.setPen(line_pen(self.theme, "forward", 2 * self.devicePixelRatioF()))
        self._residuals.show()
        self._curve.show()

    def _draw_diagonal(self, view: FitView) -> None:
        ends = [float(view.x.min()), float(view.x.max())]
        self._draw_line(ends, ends)

    def _draw_threshold(self, view: FitView) -> None:
        self._draw_line([-0.5, 1.5], [view.threshold, view.threshold])

    def _draw_line(self, x: list[float], y: list[float]) -> None:
        from gui.plots import pg

        pen = pg.mkPen(self.theme.color("forward"), width=1, style=Qt.PenStyle.DashLine)
        self._line.setData(x, y)
        self._line.setPen(pen)
        self._line.show()

    def _draw_plane(self, view: FitView) -> None:
        from gui.plots import line_pen

        left, right, bottom, top = view.extent
        side = view.plane > view.threshold
        colors = np.array([_rgb(self.theme, role) for role in ("negative", "positive")], dtype=np.uint8)
        self._image.setImage(colors[side.astype(int)], levels=None, axisOrder="col-major")
        rect = QRectF(left, bottom, right - left, top - bottom)
        self._image.setRect(rect)
        self._image.show()
        self._draw_boundary(view, rect, line_pen(self.theme, "forward"))

    def _draw_boundary(self, view: FitView, rect: QRectF, pen: Any) -> None:
        """Draw where one class gives way to the other, if that is in sight."""
        above = view.plane > view.threshold
        if not np.isfinite(view.plane).all() or above.all() or not above.any():
            return
        self._boundary.setData(view.plane, level=view.threshold)
        self._boundary.setPen(pen)
        self._boundary.resetTransform()
        self._boundary.setPos(rect.topLeft())
        columns, rows = view.plane.shape
        self._boundary.setTransform(
            QTransform.fromScale(rect.width() / (columns - 1), rect.height() / (rows - 1))
        )
        self._boundary.show()

    # The range

    def _frame(self, view: FitView) -> None:
        """Set the ranges from the data alone, once: while training the picture stands still."""
        key = (view.kind, view.threshold)
        assert self.plot is not None
        if self.session.model is self._framed_model and key == self._framed:
            return
        self._framed_model, self._framed = self.session.model, key
        self.plot.set_labels(view.x_label, view.y_label)
        bottom = self.plot.axes["bottom"]
        bottom.setTicks([[(0, view.classes[0]), (1, view.classes[1])]] if view.kind == "classes" else None)
        across, up = self._ranges(view)
        self.plot.box.setRange(xRange=across, yRange=up, padding=0)

    def _ranges(self, view: FitView) -> tuple[tuple[float, float], tuple[float, float]]:
        if view.kind == "plane":
            return view.extent[:2], view.extent[2:]
        if view.kind == "classes":
            finite = view.y[np.isfinite(view.y)]
            is_probability = view.threshold > 0 or not finite.size
            return (-0.5, 1.5), (-0.04, 1.04) if is_probability else _padded(finite)
        return _padded(view.x), _padded(view.y if view.kind == "curve" else view.x)

    def _frame_again(self) -> None:
        self._framed = None
        self._frame(self.view)

    def _legend(self) -> str:
        if self.view.kind == "plane":
            return f"● {self.view.classes[0]}  ▲ {self.view.classes[1]}"
        return ""

    # Qt

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self.plot is None:
            self._build_timer.start()


def _padded(values: Array, share: float = 0.06) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    margin = share * ((high - low) or 1.0)
    return low - margin, high + margin


def _drawable(values: Array) -> Array:
    return np.where(np.isfinite(values), values, np.nan)


def _rgb(theme: Theme, role: str) -> tuple[int, int, int]:
    color = blend(getattr(theme, role), theme.window, PALE)
    return color.red(), color.green(), color.blue()
