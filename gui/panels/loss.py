"""The loss while training: train, pause, go to any iteration, read any value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QSize, Qt, QTimer
from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLayout, QPushButton, QSpinBox, QVBoxLayout, QWidget

from gui.numbers import format_number
from gui.panel import Panel
from gui.session import Session
from gui.theme import Theme, application_font, pad_spin_box

if TYPE_CHECKING:
    from gui.plots import Plot

Array = np.ndarray

DRAG_INTERVAL = 40
"""Milliseconds between two iterations gone to while the cursor is dragged."""
SMOOTH_UP_TO = 1000
"""Points of a line that is antialiased: with more it would take ten times as long."""
MOST_ITERATIONS = 10_000_000


class Series:
    """The losses so far as one array that grows; values that are not finite are nan."""

    def __init__(self) -> None:
        self._room = np.empty(1024)
        self._count = 0

    @property
    def values(self) -> Array:
        """The losses, shape (iterations + 1,)."""
        return self._room[: self._count]

    def extend(self, losses: list[float]) -> None:
        """Take over what is new in `losses`."""
        new = np.array(losses[self._count :], dtype=float)
        new[~np.isfinite(new)] = np.nan
        count = self._count + len(new)
        if count > len(self._room):
            room = np.empty(2 * count)
            room[: self._count] = self.values
            self._room = room
        self._room[self._count : count] = new
        self._count = count


class LossPanel(Panel):
    """The loss over the iterations, and the buttons that train."""

    title = "Loss"
    object_name = "loss"

    def __init__(self, session: Session, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(session, theme, parent)
        self.plot: Plot | None = None
        self._told: tuple[int, int, bool] | None = None
        self._run = session.run
        self._series = Series()
        self._goal = 0
        self._shows_all = True
        self._hovered: int | None = None
        self._make_parts()
        self._arrange()
        self._drag_timer = QTimer(self, singleShot=True, interval=DRAG_INTERVAL)
        self._drag_timer.timeout.connect(self._go_to_cursor)
        self._build_timer = QTimer(self, singleShot=True, interval=0)
        self._build_timer.timeout.connect(self.build)
        self.train_button.clicked.connect(self.toggle_training)
        self.step_button.clicked.connect(session.step_training)
        self.reset_button.clicked.connect(session.reset)
        self.log_button.toggled.connect(self.mark_stale)
        session.document_changed.connect(self._take_steps)
        session.training_changed.connect(self._note_goal)
        session.frame_changed.connect(self._follow)
        self.refresh_on(session.progressed, session.training_changed)
        self._take_steps()

    def build(self) -> None:
        """Make the plot, which imports pyqtgraph: done when the panel is first seen."""
        if self.plot is not None:
            return
        from gui.plots import Plot, pg

        self.plot = Plot(self.theme, "iteration", "loss")
        self.plot.axes["bottom"].is_whole = True
        self.plot.setAccessibleName("loss over iterations")
        self._curve = pg.PlotCurveItem(connect="finite")
        self._marker = pg.ScatterPlotItem(size=7, pxMode=True)
        self._cursor = pg.InfiniteLine(angle=90, movable=True, label="", labelOpts={"position": 0.9})
        self._here = pg.ScatterPlotItem(size=6, pxMode=True)
        self._tip = pg.TextItem(anchor=(0, 1))
        for item in (self._curve, self._cursor, self._here, self._marker, self._tip):
            self.plot.addItem(item)
        self._tip.setZValue(20)
        self._cursor.sigDragged.connect(lambda: self._drag_timer.isActive() or self._drag_timer.start())
        self._cursor.sigPositionChangeFinished.connect(self._go_to_cursor)
        self.plot.box.clicked.connect(lambda x: self.session.go_to_iteration(round(x)))
        self.plot.box.reset.connect(self.show_all)
        self.plot.box.sigRangeChangedManually.connect(self._zoomed)
        self.plot.mouse_moved.connect(self._hover)
        self._paint_theme()
        self._holder.replaceWidget(self._waiting, self.plot)
        self._waiting.hide()
        self.mark_stale()

    def refresh(self) -> None:
        """Show all losses there are, and where the session stands."""
        if self.session.run is not self._run:
            self._run, self._series, self._shows_all, self._hovered = self.session.run, Series(), True, None
        self._series.extend(self.session.run.losses)
        self._tell()
        if self.plot is not None:
            self._draw()
            self._move_cursor()
            self._point_at(self._hovered)

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self.theme = theme
        if self.plot is not None:
            self.plot.set_theme(theme)
            self._paint_theme()
        super().set_theme(theme)

    def toggle_training(self) -> None:
        """Train as many iterations as asked for, or pause."""
        self.steps.clearFocus()  # the keys belong to the graph again
        if self.session.training:
            self.session.pause()
        else:
            self.session.train(self.steps.value())

    def show_all(self) -> None:
        """Show every iteration again after zooming."""
        self._shows_all = True
        self.mark_stale()

    def status(self) -> str:
        """Return where the session stands, in words."""
        diverged = self.session.run.diverged
        if diverged is not None:
            return diverged.sentence()
        loss = format_number(self.session.losses[self.session.iteration])
        return f"iteration {self.session.iteration} of {self.session.iterations} · loss {loss}"

    def readout(self, iteration: int) -> str:
        """Return the exact loss of an iteration, in words."""
        loss = self.session.losses[iteration]
        return (
            f"iteration {iteration}: {loss!r}" if np.isfinite(loss) else f"iteration {iteration}: not finite"
        )

    # Following the session

    def _take_steps(self) -> None:
        self.steps.setValue(self.session.document.network.training.steps)

    def _note_goal(self) -> None:
        """Keep room in the plot for the iterations to come, so that its axis stands still."""
        self._goal = self.session.iterations + self.steps.value() if self.session.training else 0

    def _follow(self) -> None:
        if not self.isVisible():
            self._is_stale = True
        elif self.session.run is self._run and self._place() != self._told:
            self._told = self._place()
            self._tell()
            self._move_cursor()

    def _place(self) -> tuple[int, int, bool]:
        """Return all of the frame that this panel shows: stepping within an iteration repaints nothing."""
        session = self.session
        return (session.iteration, session.iterations, session.training)

    def _tell(self) -> None:
        diverged, training = self.session.run.diverged is not None, self.session.training
        self._status.setText(self.status())
        if self._status.property("role") != ("error" if diverged else "muted"):
            self._status.setProperty("role", "error" if diverged else "muted")
            self._status.style().polish(self._status)
        self.train_button.setText("Pause" if training else "Train")
        self.train_button.setEnabled(training or not diverged)
        self.step_button.setEnabled(not training and not diverged)

    # Drawing

    def _draw(self) -> None:
        from gui.plots import envelope

        assert self.plot is not None
        if self._shows_all:
            count = len(self._series.values)
            last = max(min(self._goal, 2 * max(count, 50)), count - 1, 1)
            self._set_range(0, -0.005 * last, last)
        low, high = self.plot.box.viewRange()[0]
        x, y = envelope(self._series.values, int(low) - 1, int(high) + 2, self.plot.columns())
        y = self._scaled(y)
        self._curve.setData(x, y, antialias=len(x) <= SMOOTH_UP_TO)
        self._fit_height(y)

    def _scaled(self, y: Array) -> Array:
        """Return heights in the plot: powers of ten on the log axis, where what is not positive has none."""
        if not self.log_button.isChecked():
            return y
        with np.errstate(all="ignore"):
            return np.where(y > 0, np.log10(np.where(y > 0, y, 1.0)), np.nan)

    def _height(self, iteration: int) -> float:
        """Return the height of an iteration's loss in the plot; what has none lies at the bottom."""
        assert self.plot is not None
        y = float(self._scaled(self._series.values[iteration : iteration + 1])[0])
        return y if np.isfinite(y) else self.plot.box.viewRange()[1][0]

    def _fit_height(self, y: Array) -> None:
        from gui.plots import round_range

        assert self.plot is not None
        axis = self.plot.axes["left"]
        if axis.is_log != self.log_button.isChecked():
            axis.is_log = self.log_button.isChecked()
            axis.picture = None
            axis.update()
        finite = y[np.isfinite(y)]
        if finite.size:
            low, high = round_range(float(finite.min()), float(finite.max()))
            edge = 0.02 * (high - low)
            self._set_range(1, low - edge, high + edge)

    def _set_range(self, axis: int, low: float, high: float) -> None:
        """Set the range of an axis, if it is another: the axis is painted anew only then."""
        assert self.plot is not None
        if not np.allclose(self.plot.box.viewRange()[axis], (low, high), rtol=1e-9, atol=0):
            if axis:
                self.plot.box.setRange(yRange=(low, high), padding=0)
            else:
                self.plot.box.setRange(xRange=(low, high), padding=0)

    def _zoomed(self) -> None:
        self._shows_all = False
        self.mark_stale()

    def _move_cursor(self) -> None:
        if self.plot is None or self._cursor.moving:
            return
        iteration = self.session.iteration
        self._cursor.setValue(iteration)
        self._cursor.setBounds((0, max(1, self.session.iterations)))
        if iteration < len(self._series.values):
            loss = format_number(float(self._series.values[iteration]))
            self._cursor.label.setFormat(f"{iteration}: {loss}")
            self._here.setData([iteration], [self._height(iteration)])

    def _go_to_cursor(self) -> None:
        target = round(float(self._cursor.getXPos()))
        if target != self.session.iteration:
            self.session.go_to_iteration(target)

    # Reading values

    def _hover(self, position: QPointF) -> None:
        assert self.plot is not None
        inside = self.plot.box.sceneBoundingRect().contains(position)
        x = round(self.plot.box.mapSceneToView(position).x())
        self._point_at(x if inside and 0 <= x < len(self._series.values) else None)

    def _point_at(self, iteration: int | None) -> None:
        """Mark an iteration's loss and read it out, or nothing."""
        self._hovered = iteration
        assert self.plot is not None
        for item in (self._marker, self._tip):
            item.setVisible(iteration is not None)
        if iteration is None:
            return
        (left, right), (bottom, top) = self.plot.box.viewRange()
        y = self._height(iteration)
        self._marker.setData([iteration], [y])
        self._tip.setText(self.readout(iteration))
        is_right, is_high = iteration > (left + right) / 2, y > (bottom + top) / 2
        self._tip.setAnchor((1.04 if is_right else -0.04, -0.15 if is_high else 1.15))
        self._tip.setPos(iteration, y)

    def _paint_theme(self) -> None:
        from gui.plots import LINE, line_pen, pg

        theme = self.theme
        small = application_font("small")
        ratio = self.devicePixelRatioF()  # pyqtgraph's pens are as wide as pixels of the screen
        self._curve.setPen(line_pen(theme, "forward", LINE * ratio))
        self._here.setPen(None)
        self._here.setBrush(theme.color("text"))
        self._marker.setPen(pg.mkPen(theme.color("forward"), width=2))
        self._marker.setBrush(theme.color("card"))
        self._cursor.setPen(pg.mkPen(theme.color("text"), width=ratio))
        self._cursor.setHoverPen(pg.mkPen(theme.color("accent"), width=2 * ratio))
        self._cursor.label.setColor(theme.color("text"))
        self._cursor.label.setFont(small)
        self._tip.setColor(theme.color("tooltip_text"))
        self._tip.fill = pg.mkBrush(theme.color("tooltip"))
        self._tip.setFont(small)

    # Parts

    def _make_parts(self) -> None:
        self.train_button, self.step_button = QPushButton("Train"), QPushButton("Step once")
        self.reset_button, self.log_button = QPushButton("Reset"), QPushButton("Log axis")
        self.train_button.setProperty("accent", True)
        self.log_button.setCheckable(True)
        self.train_button.setToolTip("Train, or pause")
        self.step_button.setToolTip("Train one iteration and show it")
        self.reset_button.setToolTip("Go back to iteration 0 of the same seed")
        self.log_button.setToolTip("Show the loss in powers of ten")
        self.steps = QSpinBox()
        pad_spin_box(self.steps)
        self.steps.setRange(1, MOST_ITERATIONS)
        self.steps.setToolTip("How many iterations to train")
        self.steps.setAccessibleName("iterations to train")
        self._status = QLabel()
        self._status.setProperty("role", "muted")
        self._status.setFont(application_font("small"))
        self._status.setWordWrap(True)
        self._waiting = QLabel()

    def _arrange(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(6)
        self.steps.setMaximumWidth(104)
        for part in (self.train_button, self.steps, self.step_button, self.reset_button, self.log_button):
            part.setFocusPolicy(Qt.FocusPolicy.StrongFocus if part is self.steps else Qt.FocusPolicy.TabFocus)
            row.addWidget(part)
        row.addStretch(1)
        self._holder = QVBoxLayout(self)
        # a narrow panel hides buttons, whose keys remain, rather than making the window wide
        self._holder.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        self._holder.setContentsMargins(12, 4, 12, 4)
        self._holder.setSpacing(3)
        self._holder.addLayout(row)
        self._holder.addWidget(self._status)
        self._holder.addWidget(self._waiting, 1)

    def _hide_what_does_not_fit(self) -> None:
        room = self.width() - 24
        # what has a key goes first
        for part in (self.train_button, self.log_button, self.steps, self.step_button, self.reset_button):
            room -= min(part.sizeHint().width(), part.maximumWidth()) + 6
            part.setVisible(room >= -6)

    # Qt

    def minimumSizeHint(self) -> QSize:
        return QSize(180, 110)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._hide_what_does_not_fit()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self.plot is None:
            self._build_timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        self._hovered = None
        super().hideEvent(event)
