"""The fit: what the network predicts beside what it should."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QLayout, QSizePolicy, QVBoxLayout, QWidget

from gui.panel import Panel
from gui.runstyle import run_color
from gui.session import Session
from gui.theme import Theme, application_font, blend
from gui.viewdata.fit import STANDARDISED, Fit, FitView, Points

if TYPE_CHECKING:
    from gui.plots import Plot

Array = np.ndarray

PALE, PALEST = 0.34, 0.12
"""How much of its colour a class has in the plane: where the network is sure, and at the border."""
MOST_RESIDUALS = 300
"""Residuals of more points are drawn only when asked for: they would be a grey area."""
BUDGET, REST = 0.005, 10
"""Seconds that a refresh may take at every frame; one that takes longer rests so many times as long."""
LABEL_GAP = 13
"""Pixels between the names of two hidden units, at the letters of a desk."""
SIZES = {"o": 6.0, "t1": 7.0}


class ElidedLabel(QLabel):
    """A line of small text that ends in dots where there is no room; hovering tells it all.

    With `wordWrap` it takes as many lines as it needs: on a projector nobody hovers.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "small")
        self.setFont(application_font("small"))
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    # Qt

    def setText(self, text: str) -> None:
        super().setText(text)
        self._tell()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._tell()

    def _tell(self) -> None:
        cut = not self.wordWrap() and self.fontMetrics().horizontalAdvance(self.text()) > self.width()
        self.setToolTip(self.text() if cut else "")

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.wordWrap():
            super().paintEvent(event)
            return
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter, text)
        painter.end()


class FitPanel(Panel):
    """Data and prediction for the parameters of the iteration shown."""

    title = "Fit"
    object_name = "fit"

    def __init__(self, session: Session, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(session, theme, parent)
        self.plot: Plot | None = None
        self.view = FitView()
        self._fit: Fit | None = None
        self._trace: object = None
        self._framed: Fit | None = None
        self._labels = ("", "")
        self._units: list[tuple[Any, Any]] = []  # curves of the hidden units, and their names
        self._drawn: dict[tuple[str, str], tuple[object, Array, Array]] = {}
        self._residuals_asked: bool | None = None  # None: as the number of points suggests
        self._make_parts()
        self._build_timer = QTimer(self, singleShot=True, interval=0)
        self._build_timer.timeout.connect(self.build)
        self._later = QTimer(self, singleShot=True)
        self._later.timeout.connect(self.mark_stale)
        self._cost = self._shown_at = 0.0  # seconds: how long the last refresh took, and when it was
        self.refresh_on(session.frame_changed)

    def build(self) -> None:
        """Make the plot, which imports pyqtgraph: done when the panel is first seen."""
        if self.plot is not None:
            return
        from gui.plots import Plot, pg

        self.plot = Plot(self.theme, "", "")
        self.plot.set_letters(self.letters)
        self.plot.setAccessibleName("fit")
        self._image = _smooth_image()
        self._residuals = pg.PlotCurveItem(connect="pairs")
        self._line, self._boundary = pg.PlotCurveItem(connect="finite"), _curve(pg)
        self._curve = _curve(pg)
        self._dots = {
            (side, symbol): pg.ScatterPlotItem(symbol=symbol, size=SIZES[symbol], pxMode=True)
            for side in ("points", "held")
            for symbol in SIZES
        }
        for item in (
            self._image,
            self._line,
            self._residuals,
            self._boundary,
            *self._dots.values(),
            self._curve,
        ):
            self.plot.addItem(item)
        self.plot.box.reset.connect(self._frame_again)
        for changed in (self.plot.box.sigResized, self.plot.box.sigRangeChanged):
            changed.connect(lambda *_: self._place_names())
        self._column.insertWidget(1, self.plot, 1)
        self._trace = None
        self.mark_stale()

    @property
    def gives_away(self) -> bool:
        """Whether values are hidden that are drawn: of the prediction, or of hidden units."""
        return self.session.frame.hides_forward

    def refresh(self) -> None:
        """Show the fit; it changes with the iteration, not with every step."""
        trace = self.session.trace
        if trace is self._trace or self._is_too_soon():
            return
        began = perf_counter()
        self._trace = trace
        self._show_fit()
        self._cost, self._shown_at = perf_counter() - began, began

    def _is_too_soon(self) -> bool:
        """Put a refresh off while training, where one takes long: it must not hold up the window."""
        wait = self._shown_at + REST * self._cost - perf_counter()
        if self._cost < BUDGET or wait <= 0 or not self.session.training:
            return False
        if not self._later.isActive():
            self._later.start(int(1000 * wait) + 1)
        return True

    def _show_fit(self) -> None:
        if self._fit is None or self._fit.model is not self.session.model:
            self._fit = Fit(self.session.model)
        view = self.view = self._fit.view(self.session.frame)
        drawn = bool(view.kind) and self.plot is not None
        self._tell(view)
        self._note.setText(view.note if not view.kind else "")
        self._note.setVisible(not drawn)
        if self.plot is not None:
            self.plot.setVisible(drawn)
            if drawn:
                self._draw(view)

    def caption(self) -> str:
        """Return how good the fit is, and of which iteration; least needed is what the units are."""
        iteration = f"iteration {self.session.iteration}" if not self.is_projected else ""  # told below it
        parts = (self.view.caption, self.legend(), self.view.note, iteration, self._units_text())
        return " · ".join(part for part in parts if part)

    def legend(self) -> str:
        """Return what the marks mean."""
        view, parts = self.view, []
        if view.classes and view.kind in ("plane", "curve"):
            parts.append(f"●\u00a0{view.classes[0]}  ▲\u00a0{view.classes[1]}")
        if view.held.x.size:
            parts.append("○ held out")
        return " · ".join(parts)

    def _units_text(self) -> str:
        is_told = self.view.unit_names and self.units_box.isChecked() and not self.is_projected
        return self.view.units_text if is_told else ""

    def set_letters(self, factor: float) -> None:
        """Write larger, as a projector asks for."""
        super().set_letters(factor)
        self._caption.setFont(self.lettering())
        self._caption.setWordWrap(self.is_projected)
        self._note.setFont(self.lettering("body"))
        if self.plot is not None:
            self.plot.set_letters(factor)
            self._label_axes()
        for _, label in self._units:
            label.setFont(self.lettering())
        self._show_boxes()
        self._trace = None
        self.mark_stale()

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        if self.plot is not None:
            self.plot.set_theme(theme)
        self._trace = None
        super().set_theme(theme)

    # Parts

    def _make_parts(self) -> None:
        self._caption, self._note = ElidedLabel(), QLabel()
        self._note.setProperty("role", "muted")
        self._note.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._note.setWordWrap(True)
        self.residuals_box = _toggle("Residuals", "A line from each example to what the network says")
        self.units_box = _toggle("Hidden units", "A curve for each hidden unit: what it adds to the fit")
        self.units_box.setChecked(True)
        self.residuals_box.clicked.connect(self._ask_residuals)
        self.units_box.clicked.connect(self._again)
        row = QHBoxLayout()
        row.setSpacing(10)
        row.setContentsMargins(0, 2, 0, 0)
        row.addWidget(self._caption, 1)
        row.addWidget(self.units_box)
        row.addWidget(self.residuals_box)
        self._column = QVBoxLayout(self)
        self._column.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        self._column.setContentsMargins(12, 4, 12, 4)
        self._column.setSpacing(2)
        self._column.addLayout(row)
        self._column.addWidget(self._note, 1)

    def _ask_residuals(self, shown: bool) -> None:
        self._residuals_asked = shown
        self._again()

    def _again(self) -> None:
        self._trace = None
        self.refresh()

    def _tell(self, view: FitView) -> None:
        """Say what is seen, and offer what can be switched for this picture."""
        can_have = bool(view.points.aim.size)
        if can_have:
            few = view.points.x.size + view.held.x.size <= MOST_RESIDUALS
            self.residuals_box.setChecked(few if self._residuals_asked is None else self._residuals_asked)
        caption = self.caption() if view.kind else ""
        self._caption.setText(caption)
        self.units_box.setToolTip(f"A curve for {view.units_text}")
        self._caption.setVisible(bool(view.kind))
        self._show_boxes()

    def _show_boxes(self) -> None:
        """Show what there is to switch; a narrow panel has room for the words alone."""
        roomy = self.width() >= 330 and not self.is_projected
        self.residuals_box.setVisible(roomy and bool(self.view.points.aim.size))
        self.units_box.setVisible(roomy and bool(self.view.unit_names))

    # Drawing

    def _draw(self, view: FitView) -> None:
        self._frame(view)
        self._draw_points(view)
        self._draw_residuals(view)
        self._draw_line(view)
        self._draw_curve(view)
        self._draw_units(view)
        self._draw_plane(view)

    def _draw_points(self, view: FitView) -> None:
        for side, points in (("points", view.points), ("held", view.held)):
            for symbol, is_second in (("o", False), ("t1", True)):
                shown = points.finite
                if points.is_second.size:
                    shown = shown & (points.is_second == is_second)
                elif is_second:
                    shown = np.zeros_like(shown)
                self._draw_dots(side, symbol, points.x[shown], points.y[shown])

    def _draw_dots(self, side: str, symbol: str, x: Array, y: Array) -> None:
        """Draw one kind of points; most stay where they are while the network is trained."""
        from gui.plots import pg

        item = self._dots[side, symbol]
        role = {"o": "negative", "t1": "positive"}[symbol] if self.view.classes else "seed"
        look = (self.theme.name, role, self.devicePixelRatioF())
        before = self._drawn.get((side, symbol))
        if before is not None and before[0] == look and _same(before[1], x) and _same(before[2], y):
            return
        self._drawn[side, symbol] = (look, x, y)
        color, hollow = self.theme.color(role), side == "held"
        width = (1.4 if hollow else 0.7) * self.devicePixelRatioF()
        item.setData(
            x,
            y,
            brush=None if hollow else pg.mkBrush(color),
            pen=pg.mkPen(color if hollow else self.theme.color("card"), width=width),
        )
        item.setVisible(bool(x.size))

    def _draw_residuals(self, view: FitView) -> None:
        from gui.plots import pale_pen

        wanted = self.residuals_box.isChecked() and bool(view.points.aim.size)
        self._residuals.setVisible(wanted)
        if wanted:
            pairs = [_pairs(points) for points in (view.points, view.held) if points.aim.size]
            x, y = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
            self._residuals.setData(x, y)
            self._residuals.setPen(pale_pen(self.theme, "seed", width=self.devicePixelRatioF()))

    def _draw_line(self, view: FitView) -> None:
        """Draw the line at which one class gives way to the other, or on which a prediction is right."""
        from gui.plots import pg

        self._line.setVisible(view.kind == "versus" or bool(view.classes and view.kind != "plane"))
        if not self._line.isVisible():
            return
        pen = pg.mkPen(
            self.theme.color("forward"), width=self.devicePixelRatioF(), style=Qt.PenStyle.DashLine
        )
        if view.kind == "versus":
            self._line.setData(*view.curve)
        else:
            self._line.setData(np.array(view.across), np.full(2, view.threshold))
            pen.setColor(self.theme.color("seed"))
        self._line.setPen(pen)

    def _draw_curve(self, view: FitView) -> None:
        from gui.plots import line_pen

        self._curve.setVisible(view.kind == "curve")
        if view.kind == "curve":
            self._curve.setData(*(_drawable(part) for part in view.curve))
            self._curve.setPen(line_pen(self.theme, "forward", 2 * self.devicePixelRatioF()))

    def _draw_units(self, view: FitView) -> None:
        """Draw a thin curve for each hidden unit, with its number at its right end."""
        from gui.plots import pg

        count = len(view.unit_names) if self.units_box.isChecked() else 0
        while len(self._units) < count:
            pair = _curve(pg), pg.TextItem(anchor=(0.5, 0.86))
            pair[1].setFont(self.lettering())
            for item in pair:
                self._plot().addItem(item)
            self._units.append(pair)
        for i, (curve, label) in enumerate(self._units):
            curve.setVisible(i < count)
            if i < count:
                color = unit_color(self.theme, i)
                curve.setData(view.curve[0], _drawable(view.units[i]))
                curve.setPen(pg.mkPen(color, width=1.1 * self.devicePixelRatioF()))
                label.setText(view.unit_names[i], color)
        self._place_names()

    def _place_names(self) -> None:
        """Put the names of the hidden units beside their curves, as they are seen now."""
        places = self._label_places(self.view)
        for i, (curve, label) in enumerate(self._units):
            place = places[i] if i < len(places) and curve.isVisible() else None
            label.setVisible(place is not None)
            if place is not None:
                label.setPos(*place)

    @property
    def _gap(self) -> float:
        """Pixels between the names of two hidden units, and above a curve for its name."""
        return LABEL_GAP * self.letters

    def _label_places(self, view: FitView) -> list[tuple[float, float] | None]:
        """Return where the names of the hidden units stand: where their curves leave the picture."""
        if not view.unit_names:
            return []
        box: Any = self._plot().box
        (left, right), (bottom, top) = box.viewRange()
        pixel = (top - bottom) / max(1.0, self._plot().box.height())
        x = view.curve[0]
        edge = min(right, float(x[-1])) - 7 * (right - left) / max(1.0, self._plot().box.width())
        inside = (x >= left) & (x <= edge)
        found: list[tuple[float, float] | None] = [None] * len(view.units)
        at_the_end: dict[int, float] = {}
        for i, y in enumerate(view.units):
            seen = np.flatnonzero(inside & (y >= bottom + 2 * pixel) & (y <= top - self._gap * pixel))
            if not seen.size:
                continue
            if seen[-1] + 1 < len(x) and inside[seen[-1] + 1]:
                found[i] = (float(x[seen[-1]]), float(y[seen[-1]]))
            else:
                at_the_end[i] = float(y[seen[-1]])
        order = sorted(at_the_end, key=lambda i: at_the_end[i])
        heights = _apart([at_the_end[i] for i in order], self._gap * pixel, top - self._gap * pixel)
        found_there = {i: (edge, y) for i, y in zip(order, heights, strict=True)}
        return [found_there.get(i, place) for i, place in enumerate(found)]

    def _draw_plane(self, view: FitView) -> None:
        from gui.plots import line_pen

        self._image.setVisible(view.kind == "plane")
        self._boundary.setVisible(view.kind == "plane")
        if view.kind != "plane":
            return
        left, right, bottom, top = view.extent
        across, up = (right - left) / (len(view.plane) - 1), (top - bottom) / (view.plane.shape[1] - 1)
        self._image.setImage(_tinted(self.theme, view.plane), levels=None, axisOrder="col-major")
        # A place on the grid is the middle of its pixel.
        self._image.setRect(
            QRectF(left - across / 2, bottom - up / 2, right - left + across, top - bottom + up)
        )
        self._boundary.setData(*view.boundary)
        self._boundary.setPen(line_pen(self.theme, "forward", 2 * self.devicePixelRatioF()))

    def _plot(self) -> Plot:
        assert self.plot is not None
        return self.plot

    # The range

    def _frame(self, view: FitView) -> None:
        """Set the ranges from the data alone, once: while training the picture stands still."""
        if self._fit is self._framed:
            return
        self._framed = self._fit
        plot = self._plot()
        self._label_axes()
        ticks = [list(zip(view.levels, view.classes, strict=False))] if view.kind == "classes" else None
        plot.axes["bottom"].setTicks(ticks)
        plot.box.setRange(xRange=view.across, yRange=view.up, padding=0)

    def _label_axes(self) -> None:
        """Say what the axes are; beside a low plot there is no room for how it is scaled."""
        plot, font = self._plot(), QFontMetrics(self.lettering())
        rooms = plot.width() - 60, plot.height() - 40 * self.letters
        labels = [
            label if font.horizontalAdvance(label) <= room else _shortened(label)
            for label, room in zip((self.view.x_label, self.view.y_label), rooms, strict=True)
        ]
        if self._labels != tuple(labels):
            self._labels = labels[0], labels[1]
            plot.set_labels(*self._labels)

    def _frame_again(self) -> None:
        self._framed = None
        self._again()

    # Qt

    def minimumSizeHint(self) -> QSize:
        return QSize(180, 110)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_boxes()
        if self.plot is not None:
            self._label_axes()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self.plot is None:
            self._build_timer.start()


def _shortened(label: str) -> str:
    """Return what an axis is without how it is scaled."""
    return label.replace(STANDARDISED, "").replace("predicted, ", "")


def unit_color(theme: Theme, unit: int) -> QColor:
    """Return the colour of a hidden unit's curve: any but that of the fit itself."""
    return run_color(theme, 1 + unit % 5)


def _toggle(text: str, tip: str) -> QCheckBox:
    box = QCheckBox(text)
    box.setFont(application_font("small"))
    box.setToolTip(tip)
    box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return box


def _curve(pg: Any) -> Any:
    return pg.PlotCurveItem(connect="finite", antialias=True)


def _smooth_image() -> Any:
    """Return an image item whose pixels run into one another."""
    from gui.plots import pg

    class SmoothImage(pg.ImageItem):
        def paint(self, painter: Any, *rest: Any) -> None:
            painter.setRenderHint(painter.RenderHint.SmoothPixmapTransform)
            super().paint(painter, *rest)

    return SmoothImage()


def _tinted(theme: Theme, plane: Array) -> Array:
    """Return the colours of a plane: the class's hue, stronger where the network is sure of it."""
    ends = [[_rgb(theme, role, amount) for amount in (PALEST, PALE)] for role in ("negative", "positive")]
    table = np.array(ends, dtype=float)
    lean = np.where(np.isfinite(plane), plane, 0.0)
    side = (lean > 0).astype(int)
    weak, strong = table[side, 0], table[side, 1]
    return (weak + np.abs(lean)[..., None] * (strong - weak)).astype(np.uint8)


def _rgb(theme: Theme, role: str, amount: float) -> tuple[int, int, int]:
    color = blend(getattr(theme, role), theme.window, amount)
    return color.red(), color.green(), color.blue()


def _pairs(points: Points) -> tuple[Array, Array]:
    """Return the residuals that are finite as pairs of points."""
    pairs = np.column_stack([points.y, points.aim])
    whole = np.isfinite(pairs).all(axis=1) & np.isfinite(points.x)
    return np.repeat(points.x[whole], 2), pairs[whole].ravel()


def _apart(wanted: list[float], gap: float, top: float) -> list[float]:
    """Return ascending numbers moved as little as needed to be `gap` apart, none above `top` if that can be.

    Examples
    --------
    >>> _apart([0.0, 0.1, 5.0], 1.0, 5.0), _apart([4.9, 5.0], 1.0, 5.0)
    ([0.0, 1.0, 5.0], [4.0, 5.0])
    """
    found: list[float] = []
    for y in wanted:
        found.append(max(y, found[-1] + gap) if found else y)
    ceiling = top
    for i in reversed(range(len(found))):
        found[i] = min(found[i], ceiling)
        ceiling = found[i] - gap
    return found


def _same(before: Array, after: Array) -> bool:
    return before is after or np.array_equal(before, after)


def _drawable(values: Array) -> Array:
    return np.where(np.isfinite(values), values, np.nan)
