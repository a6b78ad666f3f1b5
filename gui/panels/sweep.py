"""The step size: the loss that training comes to, over many learning rates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QSize, Qt, QTimer
from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLayout,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from engine.errors import BackstepError, TrainingError, as_sentence, excerpt
from engine.faults import FaultAt, Stage
from engine.stability import Limit, stability_limit
from engine.sweep import Sweep, SweepRecords, SweepResult, default_range, log_rates, sweep
from graphs.views.numbers import format_number
from gui.fields import Field
from gui.jobs import Task, executor
from gui.lab import Document
from gui.legend import MiniButton
from gui.panel import Panel
from gui.session import Session
from gui.theme import Theme, application_font
from gui.viewdata.sweep import SweepView, legend, nearest, same_sweep, status, sweep_view, told

if TYPE_CHECKING:
    from gui.plots import Plot

Array = np.ndarray

RATES = 25
REACH = 14
GAP = 6  # pixels between a mark and what is told of it, and from there to the edge
"""Logical pixels from a mark within which it is meant."""
LOW = 215
"""Logical pixels: a lower panel has one line of words, and does not name its axes."""
LOW_PLOT = 64
"""Logical pixels: in a lower plot words would cover the points."""


class SweepPanel(Panel):
    """Learning rates against the loss that each comes to, and the limit above which training diverges."""

    title = "Step size"
    object_name = "sweep"

    def __init__(self, session: Session, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(session, theme, parent)
        self.plot: Plot | None = None
        self.view = SweepView()
        self.result: SweepResult | None = None
        self.limit: Limit | None = None
        self._document: Document | None = None  # what result and limit are about
        self._task: Task | None = None
        self._limit_task: Task | None = None
        self._range: tuple[float, float] = (0.001, 10.0)
        self._numbers = {"rates": RATES, "iterations": 100}
        self._is_range_chosen = False
        self._begins = False  # as soon as the limit is known
        self._problem = ""
        self._hovered: float | None = None
        self._framed: object = None
        self._make_parts()
        self._arrange()
        self._build_timer = QTimer(self, singleShot=True, interval=0)
        self._build_timer.timeout.connect(self.build)
        self._fit_timer = QTimer(self, singleShot=True, interval=0)  # signs stand some pixels below the edge
        self._fit_timer.timeout.connect(self.mark_stale)
        session.document_changed.connect(self._drop_what_is_stale)
        self.refresh_on(session.document_changed)

    @property
    def running(self) -> bool:
        """Whether a sweep goes on."""
        return self._task is not None and self._task.running

    def build(self) -> None:
        """Make the plot, which imports pyqtgraph: done when the panel is first seen."""
        if self.plot is not None:
            return
        from gui.plots import Plot, pg

        self.plot = Plot(self.theme, "learning rate", "final loss")
        self.plot.set_letters(self.letters)
        self.plot.setAccessibleName("final loss over learning rates")
        self.plot.axes["bottom"].is_log = True
        self._line = pg.PlotCurveItem(connect="finite", antialias=True)
        beside = [(-0.06, 0.5), (1.06, 0.5)]  # of a line, on the side where there is room
        self._start_line = pg.InfiniteLine(angle=0, label="", labelOpts={"position": 0.99})
        self._limit_line = pg.InfiniteLine(angle=90, label="", labelOpts={"position": 0.5, "anchors": beside})
        self._now_line = pg.InfiniteLine(angle=90, label="", labelOpts={"position": 0.28, "anchors": beside})
        self._key = pg.TextItem(anchor=(1, 0.5))
        self._points = pg.ScatterPlotItem(symbol="o", size=7, pxMode=True)
        self._signs = pg.ScatterPlotItem(size=9, pxMode=True)
        self._ring = pg.ScatterPlotItem(symbol="o", size=12, pxMode=True)
        self._tip = pg.TextItem(anchor=(0, 1))
        for item in self._items():
            self.plot.box.addItem(item, ignoreBounds=True)
        self._limit_line.setZValue(1)  # its words lie over the other line, not under it
        self._key.setZValue(10)
        self._tip.setZValue(20)
        self.plot.box.clicked.connect(self._click)
        self.plot.box.reset.connect(self._show_all)
        self.plot.box.sigResized.connect(lambda *_: self._fit_timer.start())
        self.plot.mouse_moved.connect(self._hover)
        self._paint_theme()
        self._column.replaceWidget(self._waiting, self.plot)
        self._waiting.hide()
        self.mark_stale()

    def refresh(self) -> None:
        """Show the sweep as far as it has come, the limit, and the learning rate in use."""
        if self._document is None:
            self._begin_document()
        if self.result is not None:
            self.result.limit = self.limit
        self.view = sweep_view(self.result, self.limit, float(self.session.losses[0]), self.running)
        self._tell()
        if self.plot is not None:
            self._draw(self.plot)
            self._point_at(self._hovered)

    def settle(self) -> None:
        """Have the plot made and drawn now."""
        if self.isVisible():
            self.build()

    def set_letters(self, factor: float) -> None:
        """Write larger, as a projector asks for."""
        super().set_letters(factor)
        self._status.setFont(self.lettering())
        if self.plot is not None:
            self.plot.set_letters(factor)
            self._paint_theme()
        self._hide_what_does_not_fit()
        self.mark_stale()

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self.theme = theme
        for part in (*self._fields, self.use_button):
            part.set_theme(theme)
        if self.plot is not None:
            self.plot.set_theme(theme)
            self._paint_theme()
        super().set_theme(theme)

    # --- what the user does ---

    def toggle(self) -> None:
        """Begin a sweep, or cancel the one that goes on."""
        if self.running:
            self.cancel()
        else:
            self.begin()

    def begin(self) -> None:
        """Train with every learning rate, in other processes; what was found before goes."""
        session = self.session
        try:
            rates = log_rates(*self._range, self._numbers["rates"])
            steps = self._numbers["iterations"]
            recipe = session.document.recipe.spanning(steps)
            plan = Sweep(session.model, recipe, rates, steps, self._fault).checked()
        except BackstepError as error:
            self._say_problem(str(error))
            return
        self.cancel()
        self._problem, self.result, self._framed, self._hovered = "", SweepResult(plan), None, None
        pool = executor()
        self._task = Task(lambda: sweep(plan, pool), self)
        self._task.came.connect(self._take)
        self._task.ended.connect(self.mark_stale)
        self._task.failed.connect(self._fail)
        self._task.start()
        self.mark_stale()

    def begin_proposed(self) -> None:
        """Begin as soon as the stability limit is known, by which the range is proposed: a lesson's page."""
        self.make_up()
        self._begins = self._limit_task is not None and self._limit_task.running
        if not self._begins:
            self.begin()

    def _begin_if_wanted(self) -> None:
        if self._begins:
            self._begins = False
            self.begin()

    def cancel(self) -> None:
        """Give the sweep up; what it has found so far stays."""
        if self._task is not None:
            self._task.dismiss()
            self._task = None
            self.mark_stale()

    def use(self, rate: float) -> None:
        """Train with this learning rate from now on."""
        self.session.set_learning_rate(rate)

    def use_best(self) -> None:
        """Train with the best learning rate, the middle one where several are equally good."""
        best = self.result.best if self.result is not None else ()
        if best:
            self.use(best[len(best) // 2].rate)

    # --- the document ---

    def _drop_what_is_stale(self) -> None:
        """Forget what belongs to another document; another learning rate alone changes nothing of it."""
        old, new = self._document, self.session.document
        if old is None:
            return
        if old.has_numbers_of(new) and same_sweep(old.recipe, new.recipe) and old.fault == new.fault:
            self._document = new
            return
        self.cancel()
        if self._limit_task is not None:
            self._limit_task.cancel()
        self.result, self.limit, self._document, self._problem = None, None, None, ""
        self._begins = False
        self._framed, self._hovered = None, None

    def _begin_document(self) -> None:
        """Propose what to sweep for the session's document, and have its limit worked out."""
        session = self.session
        self._document = session.document
        self._is_range_chosen = False
        self._numbers = {
            "rates": self._numbers["rates"],
            "iterations": session.document.network.training.steps,
        }
        self._propose_range()
        if self._fault is not None and session.fault_text:
            self._take_limit(Limit(reason=f"Every rate is trained with the fault: {session.fault_text}."))
            return
        model, recipe = session.model, session.document.recipe

        def work() -> Iterator[Limit]:
            yield stability_limit(model, recipe)

        self._limit_task = Task(work, self)
        self._limit_task.came.connect(self._take_limit)
        self._limit_task.ended.connect(self._begin_if_wanted)
        self._limit_task.start()

    @property
    def _fault(self) -> FaultAt | None:
        """What is wrong in every run; the learning rate, which is swept, is not."""
        fault = self.session.document.fault
        return None if fault is None or fault.fault.stage == Stage.RATE else fault

    def _propose_range(self) -> None:
        rate = self.session.document.recipe.learning_rate
        self._range = default_range(rate, self.limit.rate if self.limit is not None else None)
        self._show_fields()

    def _take_limit(self, limit: Limit) -> None:
        self.limit = limit
        if not self._is_range_chosen and self.result is None:
            self._propose_range()
        self.mark_stale()

    def _take(self, records: SweepRecords) -> None:
        assert self.result is not None
        self.result.extend(records)
        self.mark_stale()

    def _fail(self, sentence: str) -> None:
        self._say_problem(f"The sweep stopped: {sentence}")

    def _say_problem(self, sentence: str) -> None:
        self._problem = as_sentence(sentence)
        self.mark_stale()

    # --- fields ---

    def _show_fields(self) -> None:
        texts = (*(f"{end:g}" for end in self._range), *(str(n) for n in self._numbers.values()))
        for field, text in zip(self._fields, texts, strict=True):
            field.show_value(text)

    def _set_end(self, field: Field, text: str) -> None:
        """Take a new end of the range, if it is one."""
        low, high = self._range
        try:
            ends = (_number(text), high) if field is self.low else (low, _number(text))
            log_rates(*ends, 2)
        except BackstepError as error:
            self._refuse(field, str(error))
            return
        self._range, self._is_range_chosen, self._framed, self._problem = ends, True, None, ""
        self._show_fields()
        self.mark_stale()

    def _set_number(self, field: Field, name: str, text: str) -> None:
        """Take a new number of rates or of iterations, if it can be."""
        numbers = {**self._numbers, name: int(text) if text.isdecimal() and len(text) < 12 else 0}
        try:
            if not text.isdecimal():
                raise TrainingError(f"{excerpt(text, 30)!r} is not a whole number.", how="Write digits.")
            log_rates(1.0, 2.0, numbers["rates"])
            Sweep(self.session.model, self.session.document.recipe, (1.0,), numbers["iterations"]).checked()
        except BackstepError as error:
            self._refuse(field, str(error))
            return
        self._numbers, self._problem = numbers, ""
        self._show_fields()
        self.mark_stale()

    def _refuse(self, field: Field, sentence: str) -> None:
        field.refuse()
        self._say_problem(sentence)

    def _step_end(self, field: Field, direction: int) -> None:
        low, high = self._range
        factor = 10.0**direction
        end = (low if field is self.low else high) * factor
        self._set_end(field, f"{end:.12g}")

    def _step_number(self, field: Field, name: str, direction: int) -> None:
        by = {"rates": 5, "iterations": 100}[name]
        least = {"rates": 2, "iterations": 1}[name]
        self._set_number(field, name, str(max(least, self._numbers[name] + direction * by)))

    # --- words ---

    def _tell(self) -> None:
        running = self.running
        role = "error" if self._problem else "muted"
        if self._status.property("role") != role:
            self._status.setProperty("role", role)
            self._status.style().polish(self._status)
        self.start_button.setText("Cancel" if running else "Start")
        self.start_button.setEnabled(running or bool(self.session.model.graph.parameters))
        best = self.result.best if self.result is not None and not running else ()
        self.use_button.setVisible(bool(best) and not self.is_projected)
        if best:
            self.use_button.setText(f"Use {best[len(best) // 2].rate:.3g}")
            self.use_button.updateGeometry()
        self._progress.setVisible(running and not self.is_projected)
        self._progress.setValue(int(1000 * self.result.progress) if self.result is not None else 0)
        self._say(self._problem or status(self.result, self.limit, running))

    def _say(self, text: str) -> None:
        """Say a text, in a low panel as much of it as a line holds; then the rest is in the tool tip."""
        is_low = self.height() < LOW
        self._status.setWordWrap(not is_low)
        self._status.setToolTip(text if is_low else "")
        if is_low:
            beside = sum(
                b.sizeHint().width() + 12 for b in (self.use_button, self._progress) if b.isVisible()
            )
            room = max(40, self.width() - 24 - beside)
            text = self._status.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, room)
        self._status.setText(text.replace("2/λ", "2/\u2060λ"))  # in one piece on one line

    # --- drawing ---

    def _items(self) -> tuple[object, ...]:
        lines = (self._start_line, self._limit_line, self._now_line)
        return (*lines, self._line, self._points, self._signs, self._key, self._ring, self._tip)

    def _draw(self, plot: Plot) -> None:
        view = self.view
        self._name_axes(plot)
        self._frame(plot, view)
        top = plot.box.viewRange()[1][1]
        points = [point for line in view.lines for point in (*line, (np.nan, np.nan))]
        self._line.setData(*np.array(points).reshape(-1, 2).T)
        down = [m for m in view.marks if m.y is not None]
        theme = self.theme
        brushes = [theme.color("update" if m.is_best else "forward") for m in down]
        self._points.setData(
            x=[m.x for m in down],
            y=[m.y for m in down],
            brush=brushes,
            size=[10 if m.is_best else 7 for m in down],
            symbol=["d" if m.is_best else "o" for m in down],
        )
        self._draw_signs(view, top)
        self._draw_lines(view)

    def _name_axes(self, plot: Plot) -> None:
        """Name the axes where there is height to spare."""
        for axis in plot.axes.values():
            if axis.label is not None and axis.label.isVisible() != (self.height() >= LOW):
                axis.showLabel(self.height() >= LOW)

    def _draw_signs(self, view: SweepView, top: float) -> None:
        """Draw what has no height at the upper edge, each outcome with a sign of its own."""
        signs = {"diverged": "x", "diverging": "x", "rose": "t1", "oscillating": "s", "failed": "star"}
        roles = {"rose": "warning", "oscillating": "warning", "failed": "seed"}
        up = [m for m in view.marks if m.y is None]
        self._signs.setData(
            x=[m.x for m in up],
            y=[self._edge(top)] * len(up),
            symbol=[signs[m.found.outcome] for m in up],
            brush=[self.theme.color(roles.get(m.found.outcome, "error")) for m in up],
        )
        self._place_key([m.x for m in up], top)

    def _place_key(self, xs: list[float], top: float) -> None:
        """Write beside the signs what they mean, where there is room."""
        assert self.plot is not None
        self._key.setText(legend(self.view))
        pixel = self.plot.box.viewPixelSize()[0]
        left, right = self.plot.box.viewRange()[0]
        width = (self._key.boundingRect().width() + 12) * pixel
        before, after = min(xs, default=0.0) - left, right - max(xs, default=0.0)
        self._key.setVisible(bool(xs and max(before, after) > width and self._has_words))
        if before >= after:
            self._key.setAnchor((1, 0.5))
            self._key.setPos(min(xs, default=0.0) - 8 * pixel, self._edge(top))
        else:
            self._key.setAnchor((0, 0.5))
            self._key.setPos(max(xs, default=0.0) + 8 * pixel, self._edge(top))

    def _edge(self, top: float) -> float:
        """Return the height at which signs stand: a little below the upper edge."""
        assert self.plot is not None
        bottom = self.plot.box.viewRange()[1][0]
        return top - (top - bottom) * min(0.5, 8 / max(1.0, self.plot.box.height()))

    @property
    def _has_words(self) -> bool:
        """Whether the plot is high enough for words beside its lines."""
        return self.plot is not None and self.plot.box.height() >= LOW_PLOT * self.letters

    def _draw_lines(self, view: SweepView) -> None:
        self._now_line.label.setVisible(self._has_words)
        rate = self.session.document.recipe.learning_rate
        self._now_line.setValue(float(np.log10(rate)))
        self._now_line.label.setFormat(f"now {format_number(rate, 3)}")
        self._limit_line.setVisible(view.limit is not None)
        if view.limit is not None:
            self._limit_line.setValue(view.limit)
            self._limit_line.label.setFormat(view.limit_label)
        self._start_line.setVisible(view.start is not None)
        if view.start is not None:
            self._place_start_label(view)
            self._start_line.setValue(view.start)
            self._start_line.label.setFormat(f"at the start {format_number(float(self.session.losses[0]))}")

    def _place_start_label(self, view: SweepView) -> None:
        """Write at the left end, away from the limit, unless a mark is there."""
        assert self.plot is not None
        pixel = self.plot.box.viewPixelSize()[1]
        first = view.marks[0].y if view.marks else None
        is_free = first is None or view.start is None or view.start - first > 24 * self.letters * pixel
        label, side = self._start_line.label, 0 if is_free else 1
        label.anchors = [(side, 0), (side, 0)]
        label.setPosition(0.01 if is_free else 0.99)
        left, right = self.plot.box.viewRange()[0]
        in_the_way = view.limit is not None and view.limit > right - 0.35 * (right - left)
        label.setVisible(self._has_words and (is_free or not in_the_way))

    def _frame(self, plot: Plot, view: SweepView) -> None:
        """Set the ranges: across only for another sweep, so that a zoom stays."""
        axis = plot.axes["left"]
        if axis.is_log != view.is_log:
            axis.is_log = view.is_log
            axis.picture = None
            axis.update()
        height = view.high - view.low
        pixels = max(1.0, plot.box.height())
        above = 26 * self.letters / pixels  # room for the signs
        plot.box.setRange(yRange=(view.low - 0.06 * height, view.high + above * height * 1.3), padding=0)
        ends = self.result.plan.rates if self.result is not None else self._range
        key = (ends[0], ends[-1])
        if key != self._framed:
            self._framed = key
            low, high = np.log10(ends[0]), np.log10(ends[-1])
            edge = 0.02 * (high - low) or 0.5
            plot.box.setRange(xRange=(low - edge, high + edge), padding=0)

    def _show_all(self) -> None:
        self._framed = None
        self.mark_stale()

    # --- reading values ---

    def _reach(self) -> float:
        assert self.plot is not None
        return REACH * self.plot.box.viewPixelSize()[0]

    def _click(self, x: float) -> None:
        mark = nearest(self.view, x, self._reach())
        if mark is not None:
            self.use(mark.found.rate)

    def _hover(self, position: QPointF) -> None:
        assert self.plot is not None
        inside = self.plot.box.sceneBoundingRect().contains(position)
        self._point_at(self.plot.box.mapSceneToView(position).x() if inside else None)

    def _point_at(self, x: float | None) -> None:
        """Mark the learning rate at a place and read it out, or nothing."""
        assert self.plot is not None
        self._hovered = x
        mark = nearest(self.view, x, self._reach()) if x is not None else None
        for item in (self._ring, self._tip):
            item.setVisible(mark is not None)
        self.plot.setCursor(Qt.CursorShape.PointingHandCursor if mark else Qt.CursorShape.ArrowCursor)
        if mark is None:
            return
        (left, right), (bottom, top) = self.plot.box.viewRange()
        y = self._edge(top) if mark.y is None else mark.y
        self._ring.setData([mark.x], [y])
        self._tip.setText(told(mark.found))
        across, down = (mark.x - left) / (right - left), (top - y) / (top - bottom)
        self._tip.setAnchor(self._tip_anchor(across, down))
        self._tip.setPos(mark.x, y)

    def _tip_anchor(self, across: float, down: float) -> tuple[float, float]:
        """Return which place of the tip stands at the mark: beside it, moved as far as it has to be inside.

        Parameters
        ----------
        across, down
            Where the mark stands in the plot, from 0 at the upper left to 1.
        """
        assert self.plot is not None
        box, tip = self.plot.box, self._tip
        tip.setTextWidth(-1)
        tip.setTextWidth(min(tip.boundingRect().width(), box.width() - 2 * GAP))
        size = tip.boundingRect()
        return _anchor(across, box.width(), size.width()), _anchor(down, box.height(), size.height())

    def _paint_theme(self) -> None:
        from gui.plots import LINE, line_pen, pg

        theme, ratio = self.theme, self.devicePixelRatioF()
        small = self.lettering()
        self._line.setPen(line_pen(theme, "forward", LINE * ratio))
        self._points.setPen(pg.mkPen(theme.color("window"), width=1))
        self._signs.setPen(None)
        self._ring.setPen(pg.mkPen(theme.color("text"), width=1.5 * ratio))
        self._ring.setBrush(None)
        dash, dots = Qt.PenStyle.DashLine, Qt.PenStyle.DotLine
        looks = (
            (self._limit_line, "error", "error_text", Qt.PenStyle.SolidLine),
            (self._now_line, "text", "text", dash),
            (self._start_line, "seed", "muted", dots),
        )
        for line, role, words, style in looks:
            line.setPen(pg.mkPen(theme.color(role), width=ratio, style=style))
            line.label.setColor(theme.color(words))
            line.label.setFont(small)
            line.label.fill = pg.mkBrush(theme.color("window"))
        self._tip.setColor(theme.color("tooltip_text"))
        self._tip.fill = pg.mkBrush(theme.color("tooltip"))
        self._tip.setFont(small)
        self._key.setColor(theme.color("muted"))
        self._key.fill = pg.mkBrush(theme.color("window"))
        self._key.setFont(small)

    # --- parts ---

    def _make_parts(self) -> None:
        self.start_button, self.use_button = QPushButton("Start"), MiniButton("Use", self.theme)
        self.start_button.setProperty("accent", True)
        self.start_button.setToolTip("Train with every learning rate of the range, or cancel")
        self.start_button.clicked.connect(self.toggle)
        self.use_button.setToolTip("Train with the best learning rate from now on")
        self.use_button.clicked.connect(self.use_best)
        self.use_button.hide()
        self.low, self.high = Field("from", self.theme, 6), Field("to", self.theme, 6)
        self.rates, self.iterations = Field("rates", self.theme, 3), Field("iterations", self.theme, 5)
        self._fields = (self.low, self.high, self.rates, self.iterations)
        names = ("smallest learning rate", "largest learning rate", "number of rates", "iterations per rate")
        for field, name in zip(self._fields, names, strict=True):
            field.setAccessibleName(name)
            field.setToolTip(name.capitalize())
            field.finished.connect(field.clearFocus)
        for field in (self.low, self.high):
            field.submitted.connect(lambda text, f=field: self._set_end(f, text))
            field.stepped.connect(lambda by, f=field: self._step_end(f, by))
        for field, name in ((self.rates, "rates"), (self.iterations, "iterations")):
            field.submitted.connect(lambda text, f=field, n=name: self._set_number(f, n, text))
            field.stepped.connect(lambda by, f=field, n=name: self._step_number(f, n, by))
        self._progress = QProgressBar(maximum=1000, textVisible=False)
        self._progress.setAccessibleName("progress of the sweep")
        self._progress.hide()
        self._progress.setFixedWidth(90)
        self._keep_still()
        self._status, self._waiting = QLabel(), QLabel()
        self._status.setProperty("role", "muted")
        self._status.setFont(application_font("small"))
        self._status.setWordWrap(True)
        self._status.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def _keep_still(self) -> None:
        """Give the button room for both its words: the fields beside it do not move."""
        self.start_button.ensurePolished()
        widths = []
        for text in ("Cancel", "Start"):
            self.start_button.setText(text)
            widths.append(self.start_button.sizeHint().width())
        self.start_button.setMinimumWidth(max(widths))

    def _arrange(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(6)
        for button in (self.start_button, self.use_button):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        for part in (self.start_button, *self._fields):
            row.addWidget(part)
        row.addStretch(1)
        second = QHBoxLayout()
        second.setSpacing(12)
        second.addStrut(self.use_button.sizeHint().height())  # it comes after a sweep; the plot stays
        second.addWidget(self._status, 1)
        second.addWidget(self._progress)
        second.addWidget(self.use_button, 0, Qt.AlignmentFlag.AlignTop)
        self._column = QVBoxLayout(self)
        # a narrow panel hides fields rather than making the window wide
        self._column.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        self._column.setContentsMargins(12, 4, 12, 4)
        self._column.setSpacing(3)
        self._column.addLayout(row)
        self._column.addLayout(second)
        self._column.addWidget(self._waiting, 1)

    def _hide_what_does_not_fit(self) -> None:
        on_desk = not self.is_projected
        self.start_button.setVisible(on_desk)
        room = self.width() - 24 + 6 - self.start_button.minimumWidth() - 6 if on_desk else 0
        for part in (self.low, self.high, self.iterations, self.rates):
            room -= part.sizeHint().width() + 6
            part.setVisible(room >= 0)

    # Qt

    def minimumSizeHint(self) -> QSize:
        return QSize(180, 110)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._hide_what_does_not_fit()
        if self.plot is not None and self.isVisible():
            self.mark_stale()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self.plot is None:
            self._build_timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        self._hovered = None
        super().hideEvent(event)


def _anchor(place: float, room: float, length: float) -> float:
    """Return which part of something so long stands at a place, so that it is beside it and in the room."""
    at = place * room
    beside = at - GAP - length if place > 0.5 else at + GAP
    return (at - max(min(beside, room - length - 1), 1.0)) / length


def _number(text: str) -> float:
    """Read an end of the range.

    Raises
    ------
    TrainingError
        Where it is no number.
    """
    try:
        return float(text.replace(",", "."))
    except ValueError:
        raise TrainingError(f"{excerpt(text, 30)!r} is not a number.", how="Write 0.01 or 1e-2.") from None
