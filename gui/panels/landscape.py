"""The landscape: the loss around the parameters, and the runs on it."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QPointF, QSize, Qt, QTimer
from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLayout,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from engine.errors import UsageError, as_sentence
from engine.landscape import (
    Extent,
    Slice,
    Space,
    Surface,
    along_entries,
    along_principal,
    along_random,
    default_extent,
    evaluate,
    last_finite,
    run_points,
)
from engine.trace import Trace
from engine.training import Point
from graphs.network import Model
from gui.jobs import Task
from gui.lab import LabRun
from gui.legend import MiniButton
from gui.panel import Panel
from gui.session import Session
from gui.theme import Theme, application_font
from gui.viewdata.landscape import Trail, hover_text, is_quick, loss_at, off_sentence, slice_sentence

if TYPE_CHECKING:
    from gui.landscape_3d import Relief
    from gui.landscape_map import LandscapeMap

Array = np.ndarray

KINDS = {
    "entries": ("Parameters", "Two parameters vary"),
    "principal": ("Principal", "The two directions in which the run moved most"),
    "random": ("Random", "Two random directions, each parameter's part as long as the parameter"),
}
TIGHT = (
    "QComboBox { padding: 0 18px 0 6px; min-height: 17px; border-radius: 6px; }"
    "QComboBox::drop-down { width: 18px; }"
)
"""As low as the legend's buttons: every pixel of height is the map's."""
GAP = 4
ROOM_TO_WRAP = 240
LISTED = 4000
"""Entries that a list offers; those of larger networks are typed."""
MARKS_INTERVAL = 50
"""Milliseconds between two drawings of runs that are being trained."""
ZOOM_DELAY = 25
"""Milliseconds that a zoom stands still before it is worked out."""
TRAJECTORY = 10
"""Iterations from which on a run has directions of its own to show, where the user has chosen none."""
PATIENCE = 1.0
"""Seconds after which the picture may follow runs that have left it while they train; then twice as many."""


class LandscapePanel(Panel):
    """The loss over two parameters or two directions, as a map.

    What the user chose or zoomed to stays. Otherwise the map grows with the runs, and of a network with more
    than two parameters it shows the directions in which the run moved most, as soon as there is one.
    """

    title = "Landscape"
    object_name = "landscape"
    _again: tuple[Any, ...] | None = None  # the axes of a session that has just been opened

    def __init__(self, session: Session, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(session, theme, parent)
        self.map: LandscapeMap | None = None
        self.relief: Relief | None = None
        self.slice: Slice | None = None
        self.surface: Surface | None = None
        self._model: Model | None = None
        self._iteration = 0  # at whose parameters the slice has its centre, and of which run
        self._centred: LabRun = session.current
        self._seed = 0
        self._problem = ""
        self._trace: Trace | None = None
        self._trails: dict[LabRun, Trail] = {}
        self._task: Task | None = None
        self._wanted: Extent | None = None
        self._keeps_extent = False
        self._is_chosen = self._is_zoomed = False  # the axes by the user, the extent by the user
        self._made_for = (session.current, 0)  # the run, and how far it was, when the slice was made
        self._has_trained = False  # since the slice was made
        self._fits_at, self._patience = 0.0, PATIENCE
        self._is_working = False
        self._make_parts()
        self._arrange()
        self._zoom_timer = QTimer(self, singleShot=True, interval=ZOOM_DELAY)
        self._zoom_timer.timeout.connect(self._work_out_what_is_seen)
        self._marks_timer = QTimer(self, singleShot=True, interval=MARKS_INTERVAL)
        self._marks_timer.timeout.connect(self._draw_what_came)
        self._has_more = False
        self._build_timer = QTimer(self, singleShot=True, interval=0)
        self._build_timer.timeout.connect(self.build)
        self._connect()

    def build(self) -> None:
        """Make the map, which imports pyqtgraph: done when the panel is first seen."""
        if self.map is not None:
            return
        from gui.landscape_map import LandscapeMap

        self.map = LandscapeMap(self.theme)
        self.map.set_letters(self.letters)
        self.map.setAccessibleName("loss landscape")
        self.map.box.picked.connect(self.start_from)
        self.map.box.sigRangeChangedManually.connect(self._zoomed)
        self.map.mouse_moved.connect(self._hover)
        self.map.pointed.connect(self._point_at)
        self._column.insertWidget(2, self.map, 1)
        self._offer_space()
        self.mark_stale()

    @property
    def gives_away(self) -> bool:
        """Whether the loss is still to be worked out."""
        return self.session.frame.hides_loss

    def refresh(self) -> None:
        """Show the landscape of the session's network, and where its runs stand on it."""
        if self.map is None:
            return
        if self.session.model is not self._model:
            self._take_model()
        elif self.slice is None and self.kind.currentData() == "principal":
            self._make_slice()  # the run may have moved by now
        if self._again is not None:
            (kind, *axes), self._again = self._again, None
            if max(axes) < self.x_axis.count():
                self.choose(kind, *axes)
        self._draw_marks()
        if self._fit_to_runs():
            self._draw_marks()

    def settle(self) -> None:
        """Work the landscape out now, to its end."""
        self.build()
        self._refresh_now()
        self._zoom_timer.stop()
        if self._wanted is not None and self.slice is not None and self._is_working:
            self._cancel()
            for surface in evaluate(
                self.slice, self.session.model.graph, self.session.model.inputs, self._wanted
            ):
                self._take_surface(surface)

    def set_letters(self, factor: float) -> None:
        """Write larger, as a projector asks for."""
        super().set_letters(factor)
        self._caption.setFont(self.lettering())
        self._note.setFont(self.lettering("body"))
        if self.map is not None:
            self.map.set_letters(factor)
        if self.relief is not None:
            self.relief.set_letters(factor)
        self._fit_parts()
        self._write_caption()
        self.mark_stale()

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        for button in (self.log_button, self.space_button, self.recentre_button, self.redraw_button):
            button.set_theme(theme)
        if self.map is not None:
            self.map.set_theme(theme)
        if self.relief is not None:
            self.relief.set_theme(theme)
        super().set_theme(theme)

    # --- what is asked for ---

    def recentre(self) -> None:
        """Put the centre of the slice where the session stands, and show everything on it."""
        self._make_slice()
        self._draw_marks()

    def redraw(self) -> None:
        """Draw other random directions."""
        self._seed += 1
        self.recentre()

    def start_from(self, place: QPointF) -> None:
        """Start from a place on the map: every other number stays as at the slice's centre."""
        if self.slice is None:
            return
        self._keeps_extent = True
        self.session.set_values(self.slice.parameters(place.x(), place.y()))
        self._keeps_extent = False

    def choose(self, kind: str, x: int | None = None, y: int | None = None) -> None:
        """Choose the axes: a kind of slice and, for one along entries, their places among all numbers."""
        self.kind.setCurrentIndex(self.kind.findData(kind))
        for box, index in ((self.x_axis, x), (self.y_axis, y)):
            if index is not None:
                _show_entry(box, index)
        self._axes_chosen()

    def choices(self) -> dict[str, Any]:
        """Return which axes the user has chosen, and the colours."""
        found: dict[str, Any] = {"log": self.log_button.isChecked()}
        if self._is_chosen:
            axes = {"x": self.x_axis.currentIndex(), "y": self.y_axis.currentIndex()}
            found |= {"kind": self.kind.currentData(), **axes, "draw": self._seed}
        return found

    def choose_again(self, choices: Mapping[str, Any]) -> None:
        """Choose the axes that a session file says."""
        self.log_button.setChecked(choices.get("log") is True)
        if choices.get("kind") not in KINDS:
            return
        if type(choices.get("draw")) is int and 0 <= choices["draw"] < 10**6:
            self._seed = choices["draw"]
        axes = [choices.get(axis) for axis in ("x", "y")]
        if all(type(index) is int and index >= 0 for index in axes):
            self._again = choices["kind"], *axes
            self.mark_stale()

    # --- the slice ---

    def _take_model(self) -> None:
        """Take over another model: nothing of the old one is shown any more."""
        session, old = self.session, self._model
        self._model = session.model
        self._point_at(None)
        space = Space.of(session.model.graph)
        keeps = self._keeps_extent and self.map is not None and old is not None
        if old is None or Space.of(old.graph) != space:
            self.slice = None  # its names may not exist any more, and offering others can resize the panel
            self._offer(space)
        elif keeps and self.slice is not None and self.slice.kind != "entries":
            self._trails.clear()  # the place lies on the slice: it is still the same one
            self._made_for = (session.current, session.iterations)
            return
        extent = self.map.extent if keeps and self.map is not None else None
        self._make_slice(extent)

    def _offer(self, space: Space) -> None:
        """Offer the entries of another network, the first two first."""
        self._is_chosen = self._is_chosen and self.kind.currentData() != "entries"
        is_typed = space.size > LISTED
        titles = space.titles(LISTED)
        for box, first in ((self.x_axis, 0), (self.y_axis, min(1, space.size - 1))):
            box.blockSignals(True)
            box.clear()
            box.setEditable(is_typed)
            for index, title in enumerate(titles):
                box.addItem(title, index)
            box.setCurrentIndex(first)
            box.blockSignals(False)

    def _make_slice(self, extent: Extent | None = None) -> None:
        """Make the slice anew around where the session stands."""
        session = self.session
        self._cancel()
        if not self._is_chosen:
            self._propose_kind()
        self._is_zoomed = self._is_zoomed and extent is not None
        self._made_for = (session.current, session.iterations)
        self._trails.clear()
        self.surface = None
        self._centred = session.current
        here = {name: session.trace.values[name] for name in session.model.graph.parameters}
        centre = last_finite(session.run, Point(session.iteration, here))
        if self.kind.currentData() == "principal":
            centre = self._before_the_climb(centre)
        self._iteration = centre.iteration
        try:
            self.slice = self._slice_through(centre.parameters)
            self._problem = ""
        except UsageError as error:
            self.slice, self._problem = None, as_sentence(error)
        assert self.map is not None
        self.map.set_surface(None)
        if self.slice is not None:
            self.map.set_labels(*self.slice.labels)
            self._show(extent or self._default_extent())

    def _propose_kind(self) -> None:
        """Propose the directions of a run that has a trajectory, and two parameters where there is none."""
        kind = "principal" if self._has_trajectory else "entries"
        if kind != self.kind.currentData():
            self.kind.setCurrentIndex(self.kind.findData(kind))
            self._fit_parts()

    @property
    def _has_trajectory(self) -> bool:
        """Whether the current run went somewhere, and not up, through more directions than a map has."""
        session = self.session
        if session.iterations < TRAJECTORY or Space.of(session.model.graph).size <= 2:
            return False
        if not session.losses[session.iterations] <= 2.0 * abs(session.losses[0]):
            return False
        before, now = (session.current.at(i).parameters for i in (0, session.iterations))
        return any(np.isfinite(now[n]).all() and not np.array_equal(now[n], before[n]) for n in now)

    def _fit_to_runs(self) -> bool:
        """Show where the runs went, unless the user has chosen what to see; say whether the slice is another.

        While they are trained that is done now and then, and only where they have left the picture.
        """
        if self.slice is None or self._is_zoomed or not self._may_fit():
            return False
        if not self._is_chosen and self._is_outdated():
            self._make_slice()
            return True
        if self._is_left:
            self._show(self._default_extent())
        return False

    def _may_fit(self) -> bool:
        """Say whether the picture may change: always at rest, more and more rarely during a training."""
        now = perf_counter()
        if not self.session.training:
            self._patience = PATIENCE
        elif now < self._fits_at or not self._is_left:
            return False
        else:
            self._patience *= 2
        self._fits_at = now + self._patience
        return True

    def _is_outdated(self) -> bool:
        """Say whether a slice that nobody chose should give way to that of the current run."""
        assert self.slice is not None
        session = self.session
        if self.slice.is_whole:
            return False
        has_trained, self._has_trained = self._has_trained, session.training
        is_gone = self._centred not in session.runs
        is_first = self.slice.kind == "entries" and self._has_trajectory
        has_grown = has_trained and self._made_for != (session.current, session.iterations)
        return is_gone or is_first or (has_grown and self._has_trajectory)

    def _note_training(self) -> None:
        self._has_trained = self._has_trained or self.session.training
        self.mark_stale()

    @property
    def _is_left(self) -> bool:
        """Whether a run has left the picture."""
        assert self.map is not None
        extent = self.map.extent
        for trail in self._trails.values():
            x, y = trail.places().T
            with np.errstate(all="ignore"):
                inside = (x >= extent.left) & (x <= extent.right) & (y >= extent.bottom) & (y <= extent.top)
            if not (inside | ~np.isfinite(x + y)).all():
                return True
        return False

    def _slice_through(self, centre: Mapping[str, Array]) -> Slice:
        graph, kind = self.session.model.graph, self.kind.currentData()
        if kind == "principal":
            points = run_points(Space.of(graph), [self.session.run])
            if self.session.iterations and len(points) == 1:
                raise UsageError(
                    "the run only climbed, too fast for a picture of its directions.",
                    how="Train with a smaller learning rate, or choose two parameters.",
                )
            return along_principal(graph, centre, points)
        if kind == "random":
            return along_random(graph, centre, self._seed)
        return along_entries(graph, centre, *(self._entry(box) for box in (self.x_axis, self.y_axis)))

    def _before_the_climb(self, centre: Point) -> Point:
        """Return a point, or where the run was last before it climbed out of every picture."""
        run, space = self.session.run, Space.of(self.session.model.graph)
        highest = 2.0 * abs(run.losses[0])
        if run.losses[centre.iteration] <= highest:
            return centre
        iterations, vectors = space.trajectory(run)
        last = max(np.flatnonzero(run.losses[iterations] <= highest), default=0)
        return Point(int(iterations[last]), space.parameters(vectors[last]))

    def _entry(self, box: QComboBox) -> str:
        if box.isEditable():
            return box.currentText()
        space = Space.of(self.session.model.graph)
        return space.name(box.currentData()) if box.count() else ""

    def _default_extent(self) -> Extent:
        assert self.slice is not None
        session = self.session
        others = [r.run for r in self._shown_runs() if r is not session.current]
        points = run_points(self.slice.space, [session.run, *others])
        # on a large network even the few losses that find a minimum would keep the window waiting
        graph = session.model.graph if is_quick(session.model) else None
        return default_extent(self.slice, graph, session.model.inputs, points)

    def _shown_runs(self) -> list[LabRun]:
        """Return the runs in sight that have these parameters, the current one last: it lies on top."""
        session = self.session
        space = Space.of(session.model.graph)
        shown = [r for r in session.runs if r.visible or r is session.current]
        shown = [r for r in shown if Space.of(r.run.problem.graph) == space]
        return sorted(shown, key=lambda r: r is session.current)

    # --- the surface ---

    def _show(self, extent: Extent) -> None:
        assert self.map is not None
        self.map.show_extent(extent)
        if self.map.extent != self._wanted or self.surface is None:
            self._work_out(self.map.extent)

    def _zoomed(self) -> None:
        self._is_zoomed = True
        self._zoom_timer.start()

    def _work_out_what_is_seen(self) -> None:
        if self.map is not None and self.slice is not None and self.map.extent != self._wanted:
            self._work_out(self.map.extent)

    def _work_out(self, extent: Extent) -> None:
        """Work the surface out beside the window, from coarse to fine; what was asked before is given up."""
        self._cancel()
        assert self.slice is not None
        slice_, graph, inputs = self.slice, self.session.model.graph, self.session.model.inputs
        self._wanted = extent
        self._is_working = True
        self._task = Task(lambda: evaluate(slice_, graph, inputs, extent), self, newest_only=True)
        self._task.came.connect(self._take_surface)
        self._task.ended.connect(self._finish)
        self._task.failed.connect(self._fail)
        self._task.start()

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.dismiss()
        self._task, self._is_working = None, False

    def _take_surface(self, surface: Surface) -> None:
        assert self.map is not None
        self.surface = surface
        self.map.set_surface(surface, self.log_button.isChecked())
        if self.map.scale is not None:
            self.log_button.setToolTip(f"Logarithmic colours. Now: {self.map.scale.sentence}")
        if self.relief is not None and self.space_button.isChecked():
            self.relief.show(surface, self.map.scale, surface.slice.labels)

    def _finish(self) -> None:
        self._is_working = False

    def _fail(self, sentence: str) -> None:
        self._is_working = False
        self._problem = as_sentence(sentence)
        self._tell()

    def _rescale(self) -> None:
        if self.surface is not None:
            self._take_surface(self.surface)

    # --- what lies on it ---

    def _draw_marks(self) -> None:
        self._has_more = False
        self._tell()
        if self.map is None or self.slice is None:
            return
        from gui.landscape_map import Marks, TrailMark

        session, slice_ = self.session, self.slice
        runs = self._shown_runs()
        self._trails = {r: self._trails.get(r) or Trail(slice_, r.run) for r in runs}
        group = session.current.group
        trails = [TrailMark(self._trails[r].places(), r.style, r.group != group) for r in runs]
        starts = {slice_.coordinates(r.run.problem.parameters): None for r in runs}
        values, gradients = session.trace.values, session.trace.gradients
        names = slice_.space.names
        self._trace = session.trace
        dots, best = self._search_marks()
        marks = Marks(
            trails,
            np.array(list(starts)).reshape(-1, 2),
            slice_.coordinates({n: values[n] for n in names}),
            slice_.downhill({n: gradients[n] for n in names}),
            dots,
            best,
        )
        self.map.set_marks(marks)
        if self.relief is not None and self.space_button.isChecked():
            self.relief.set_marks(marks)

    def _search_marks(self) -> tuple[Array, tuple[float, float] | None]:
        """Return where the samples of a random search lie, and the best of them."""
        result = getattr(self.session, "search", None)
        if result is None or self.slice is None:
            return np.empty((0, 2)), None
        best = None if result.best is None else tuple(self.slice.project(result.best.vector).tolist())
        return self.slice.project(result.dots.vectors), best

    def _follow(self) -> None:
        """Follow the timeline: another iteration is another point, another step is not."""
        if self.session.trace is not self._trace:
            self._take_progress()

    def _take_progress(self) -> None:
        """Draw what came at once, and what comes soon after it a little later, together."""
        if self.is_seen and self.session.training and self._marks_timer.isActive():
            self._has_more = True
        else:
            self._marks_timer.start()
            self.mark_stale()

    def _draw_what_came(self) -> None:
        if self._has_more:
            self._take_progress()

    def _tell(self) -> None:
        is_shown = self.slice is not None and not self._problem
        self._write_caption()
        self._caption.setVisible(is_shown)
        self._note.setText(self._problem)
        self._note.setVisible(bool(self._problem))
        is_space = self.relief is not None and self.space_button.isChecked()
        if self.map is not None:
            self.map.setVisible(is_shown and not is_space)
        if self.relief is not None:
            self.relief.widget.setVisible(is_shown and is_space)
        self.recentre_button.setEnabled(self.slice is not None or bool(self._problem))

    def _write_caption(self) -> None:
        """Write the caption: in a low panel on one line, cut where it ends."""
        is_old = self.session.model is not self._model  # a hidden panel is behind: it catches up when shown
        text = "" if is_old else self.caption()
        self._caption.setToolTip(text)
        if self.map is not None:
            self.map.setAccessibleDescription(text)
        self._caption.setWordWrap(self.height() >= ROOM_TO_WRAP)
        if not self._caption.wordWrap():
            room = self.width() - 24
            text = self._caption.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, room)
        self._caption.setText(text)

    # --- in space ---

    def _offer_space(self) -> None:
        """Let the view in space be asked for where it can be; otherwise say what it takes."""
        from gui.landscape_3d import hindrance

        why_not = hindrance()
        self.space_button.setEnabled(not why_not)
        self.space_button.setToolTip(why_not or "Show the landscape in space; the mouse turns it")

    def _show_space(self) -> None:
        if self.space_button.isChecked() and self.relief is None:
            from gui.landscape_3d import make_relief

            self.relief = make_relief(self.theme)
            self.relief.set_letters(self.letters)
            self._column.insertWidget(2, self.relief.widget, 1)
        if self.surface is not None:
            self._take_surface(self.surface)
        self._draw_marks()

    # --- words ---

    def caption(self) -> str:
        """Return what is shown, in words."""
        if self.slice is None:
            return ""
        values = self.session.trace.values
        off = self.slice.distance({n: values[n] for n in self.slice.space.names})
        run = self._centred.name if len(self._shown_runs()) > 1 else ""
        if self._centred not in self.session.runs:
            run = "an earlier run" if self._iteration else ""
        return f"{slice_sentence(self.slice, self._iteration, run)} {off_sentence(self.slice, off)}".strip()

    def _hover(self, position: QPointF) -> None:
        assert self.map is not None
        box = self.map.box
        inside = box.sceneBoundingRect().contains(position)
        self._point_at(box.mapSceneToView(position) if inside else None)

    def _point_at(self, place: QPointF | None) -> None:
        """Read the loss at a place out, or nothing."""
        assert self.map is not None
        if place is None or self.slice is None:
            self.map.show_tip(None)
            return
        loss = loss_at(self.session.model, self.slice, self.surface, place.x(), place.y())
        self.map.show_tip(place, hover_text(self.slice, place.x(), place.y(), loss))

    # --- parts ---

    def _axes_chosen(self) -> None:
        self._is_chosen = True
        self._fit_parts()
        if self.map is not None and self._model is self.session.model:
            self.recentre()

    def _make_parts(self) -> None:
        self.kind = QComboBox()
        for name, (text, tip) in KINDS.items():
            self.kind.addItem(text, name)
            self.kind.setItemData(self.kind.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self.kind.setStyleSheet(TIGHT)
        self.kind.setFixedWidth(110)
        self.kind.setFont(application_font("small"))
        self.kind.setAccessibleName("what the axes are")
        self.kind.setToolTip("What the axes are: two parameters, or two directions")
        self.x_axis, self.y_axis = _entry_box("horizontal axis"), _entry_box("vertical axis")
        self.log_button = MiniButton("Log", self.theme)
        self.recentre_button = MiniButton("Recentre", self.theme)
        self.redraw_button, self.space_button = (MiniButton(t, self.theme) for t in ("Redraw", "3-D"))
        self.space_button.setCheckable(True)
        self.space_button.setAccessibleName("in space")
        self.log_button.setCheckable(True)
        self.log_button.setToolTip("Logarithmic colours")
        self.recentre_button.setToolTip("Put the slice through the point shown, and show everything on it")
        self.redraw_button.setToolTip("Draw two other random directions")
        for part in (
            self.kind,
            self.x_axis,
            self.y_axis,
            self.log_button,
            self.recentre_button,
            self.redraw_button,
        ):
            part.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._caption, self._note = QLabel(), QLabel()
        for label, role in ((self._caption, "small"), (self._note, "muted")):
            label.setProperty("role", role)
        self._caption.setFont(application_font("small"))
        self._caption.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._note.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._note.setWordWrap(True)

    def _arrange(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(GAP)
        for part in (self.kind, self.x_axis, self.y_axis, self.redraw_button):
            row.addWidget(part)
        row.addStretch(1)
        for part in (self.log_button, self.space_button, self.recentre_button):
            row.addWidget(part)
        self._column = QVBoxLayout(self)
        self._column.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        self._column.setContentsMargins(12, 4, 12, 2)
        self._column.setSpacing(2)
        self._column.addLayout(row)
        self._column.addWidget(self._caption)
        self._column.addWidget(self._note, 1)

    def _connect(self) -> None:
        session = self.session
        self.kind.activated.connect(self._axes_chosen)
        for box in (self.x_axis, self.y_axis):
            box.activated.connect(self._axes_chosen)
        self.log_button.toggled.connect(self._rescale)
        self.recentre_button.clicked.connect(self.recentre)
        self.redraw_button.clicked.connect(self.redraw)
        self.space_button.toggled.connect(self._show_space)
        session.frame_changed.connect(self._follow)
        session.progressed.connect(self._take_progress)
        session.training_changed.connect(self._note_training)
        self.refresh_on(session.document_changed, session.runs_changed)
        if hasattr(session, "search_changed"):
            self.refresh_on(session.search_changed)

    def _fit_parts(self) -> None:
        """Show the parts that belong to the kind of slice, as far as there is room for them."""
        kind = self.kind.currentData()
        on_desk = not self.is_projected
        self.kind.setVisible(on_desk)
        self.x_axis.setVisible(kind == "entries" and on_desk)
        self.y_axis.setVisible(kind == "entries" and on_desk)
        self.redraw_button.setVisible(kind == "random" and on_desk)
        room = self.width() - 24 if on_desk else -self.width()
        for part in (self.kind, self.x_axis, self.y_axis, self.redraw_button):
            room -= min(part.sizeHint().width(), part.maximumWidth()) + GAP if not part.isHidden() else 0
        for part in (self.recentre_button, self.log_button, self.space_button):
            room -= part.sizeHint().width() + GAP
            part.setVisible(room >= -GAP)

    # Qt

    def minimumSizeHint(self) -> QSize:
        return QSize(180, 110)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_parts()
        self._write_caption()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self.map is None:
            self._build_timer.start()
        elif self._wanted is None:
            self._zoom_timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        if self.map is not None:
            self.map.show_tip(None)
        if self._is_working:
            self._cancel()
            self._wanted = None  # to be worked out when the panel is seen again
        super().hideEvent(event)


def _entry_box(name: str) -> QComboBox:
    box = QComboBox()
    box.setAccessibleName(name)
    box.setToolTip(f"The {name}")
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(4)
    box.setFixedWidth(88)
    box.setFont(application_font("small"))
    box.setStyleSheet(TIGHT)
    box.setMaxVisibleItems(12)
    box.view().setMinimumWidth(140)
    box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
    return box


def _show_entry(box: QComboBox, index: int) -> None:
    box.blockSignals(True)
    box.setCurrentIndex(index)
    box.blockSignals(False)
