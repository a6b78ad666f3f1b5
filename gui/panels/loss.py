"""The runs side by side while training: train, race, search, go to any iteration, read any value."""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPoint, QSize, Qt, QTimer
from PySide6.QtGui import QAction, QActionGroup, QContextMenuEvent, QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLayout,
    QMenu,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from engine.training import Diverged
from graphs.files import write_whole
from graphs.views.numbers import format_number
from gui.dialogs import ask_save
from gui.entry_choice import EntryChoice
from gui.jobs import Task
from gui.legend import Legend, LegendItem, MiniButton, short_names
from gui.panel import Panel
from gui.races import Race, all_optimizers, learning_rates, rivals
from gui.runlines import HELD, QUANTITIES, SEARCH, RunLines
from gui.runseries import Entry
from gui.session import Session
from gui.theme import Theme, application_font, pad_spin_box

if TYPE_CHECKING:
    from gui.chart import Chart

REDRAW = 0.030
"""Seconds between two pictures of a run that is being trained: more often nobody can tell."""
MOST_ITERATIONS = 10_000_000
LOW = 380
"""Logical pixels: a lower panel has no room for the answer of the search beside its status."""
LEAST = 165
"""Logical pixels: a lower panel has no room for a legend either."""


class Speed:
    """Iterations a second, over about the last second."""

    SPAN = 1.0

    def __init__(self) -> None:
        self._seen: list[tuple[float, int]] = []

    def note(self, count: int, now: float | None = None) -> float | None:
        """Take note of how many iterations there are; return how many a second, None where it is too soon."""
        now = time.perf_counter() if now is None else now
        if self._seen and count < self._seen[-1][1]:
            self._seen.clear()
        self._seen.append((now, count))
        while len(self._seen) > 2 and self._seen[1][0] < now - self.SPAN:
            self._seen.pop(0)
        (start, first), (end, last) = self._seen[0], self._seen[-1]
        return (last - first) / (end - start) if end - start >= 0.25 else None

    def forget(self) -> None:
        """Begin anew."""
        self._seen.clear()


def speed_text(rate: float | None) -> str:
    """Write iterations a second with two digits, "" where they are not known.

    Examples
    --------
    >>> speed_text(52_345.0), speed_text(3.14), speed_text(None)
    ('52 000 steps/s', '3.1 steps/s', '')
    """
    if rate is None or rate <= 0:
        return ""
    rounded = float(f"{rate:.2g}")
    text = f"{rounded:,.0f}".replace(",", " ") if rounded >= 10 else f"{rounded:g}"
    return f"{text} steps/s"


class LossPanel(Panel):
    """Losses, gradient norms and parameters over the iterations, and the buttons that train."""

    title = "Loss"
    object_name = "loss"

    def __init__(self, session: Session, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(session, theme, parent)
        self.plot: Chart | None = None
        self._lines = RunLines(session)
        self._seen_run = session.current.id
        self._shows_all = True
        self._told: tuple[object, ...] | None = None
        self._speed = Speed()
        self._drawn_at = 0.0
        self._writing: Task | None = None
        self._make_buttons()
        self._make_words()
        self._make_menus()
        self._arrange()
        self._draw_timer = QTimer(self, singleShot=True)
        self._draw_timer.timeout.connect(self.mark_stale)
        self._build_timer = QTimer(self, singleShot=True, interval=0)
        self._build_timer.timeout.connect(self.build)
        self._connect()
        self._take_steps()

    def build(self) -> None:
        """Make the plot, which imports pyqtgraph: done when the panel is first seen."""
        if self.plot is not None:
            return
        from gui.chart import Chart

        self.plot = Chart(self.theme)
        self.plot.set_letters(self.letters)
        self.plot.travelled.connect(self.session.go_to_iteration)
        self.plot.box.reset.connect(self.show_all)
        self.plot.zoomed.connect(self._zoomed)
        self._holder.replaceWidget(self._waiting, self.plot)
        self._waiting.hide()
        self.mark_stale()

    def settle(self) -> None:
        """Have the plot made and drawn now."""
        if self.isVisible():
            self.build()

    @property
    def gives_away(self) -> bool:
        """Whether the loss is still to be worked out."""
        return self.session.frame.hides_loss

    def refresh(self) -> None:
        """Show all that was recorded, and where the session stands."""
        self._drawn_at = time.perf_counter()
        self._draw_timer.stop()
        self._lines.update()
        if self.session.current.id != self._seen_run:
            self._seen_run = self.session.current.id
            self._shows_all = self._shows_all or not self.session.iterations
        self._show_legend()
        if self.plot is not None:
            self._draw(self.plot)
        self._tell()

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self.theme = theme
        if self.plot is not None:
            self.plot.set_theme(theme)
        for part in (self.legend, self.view_button, self.log_button, self.log_x_button, self._choice):
            part.set_theme(theme)
        super().set_theme(theme)

    def set_letters(self, factor: float) -> None:
        """Write larger, as a projector asks for."""
        super().set_letters(factor)
        for label in (self._status, self._answer_label):
            label.setFont(self.lettering())
        self.legend.set_letters(factor)
        if self.plot is not None:
            self.plot.set_letters(factor)
        self._hide_what_does_not_fit()
        self.mark_stale()

    @property
    def quantity(self) -> str:
        """What is drawn: ``loss``, ``norm`` or ``parameters``."""
        return self._lines.quantity

    def choices(self) -> dict[str, Any]:
        """Return what is drawn, and on which axes."""
        logs = {"log": self.log_button.isChecked(), "log_x": self.log_x_button.isChecked()}
        return {"quantity": self.quantity, "steps": self.steps.value(), **logs}

    def choose_again(self, choices: Mapping[str, Any]) -> None:
        """Draw what a session file says."""
        if choices.get("quantity") in QUANTITIES:
            self.set_quantity(choices["quantity"])
        for key, button in (("log", self.log_button), ("log_x", self.log_x_button)):
            button.setChecked(choices.get(key) is True)
        if type(choices.get("steps")) is int and 1 <= choices["steps"] <= MOST_ITERATIONS:
            self.steps.setValue(choices["steps"])

    # --- what the user does ---

    def toggle_training(self) -> None:
        """Train as many iterations as asked for, or pause."""
        self.steps.clearFocus()  # the keys belong to the graph again
        if self.session.training:
            self.session.pause()
        else:
            self.session.train(self.steps.value())

    def race(self, race: Race) -> None:
        """Train several recipes side by side, as many iterations as asked for."""
        self.steps.clearFocus()
        self.session.race(race.recipes, self.steps.value())

    def toggle_search(self) -> None:
        """Sample parameters at random at the cost of the run, or stop."""
        if self.session.searching:
            self.session.stop_search()
        else:
            self._lines.hidden.discard(SEARCH)
            iterations = self.session.iterations or self.steps.value()
            self.session.start_search(max(1, int(iterations * self._lines.price)))

    def set_quantity(self, quantity: str) -> None:
        """Draw losses ("loss"), norms of gradients ("norm") or entries of parameters ("parameters")."""
        self._lines.quantity = quantity
        self._quantities[quantity].setChecked(True)
        self.view_button.setText(QUANTITIES[quantity])
        self.view_button.updateGeometry()
        self.mark_stale()

    def choose_entries(self, entries: list[Entry] | None) -> None:
        """Draw these entries of the parameters, those that move most where None."""
        self._lines.choose_entries(entries)
        self.set_quantity("parameters")

    def show_all(self) -> None:
        """Show every iteration again after zooming."""
        self._shows_all = True
        self.mark_stale()

    def export_csv(self, path: str | Path) -> None:
        """Write all that was recorded as a table: a row for every iteration, columns for every run.

        Raises
        ------
        UsageError
            Where the file cannot be written.
        """
        write_whole(Path(path), b"".join(self._lines.table()))

    def ask_export(self) -> None:
        """Let the user choose a file, and write the table in the background."""
        name = f"{self.session.document.network.name}-runs.csv"

        def write(path: str, _: str) -> None:
            self.write_csv(Path(path if Path(path).suffix else f"{path}.csv"))

        ask_save(self, "Export the data", name, "Tables (*.csv)", write)

    def write_csv(self, path: Path) -> None:
        """Write the table in the background, and say when it is done."""
        table = self._lines.table()

        def write() -> Iterator[None]:
            rows = []
            for part in table:
                rows.append(part)
                yield
            write_whole(path, b"".join(rows))

        self._writing = Task(write, self)
        self._writing.ended.connect(lambda: self.session.notice.emit("info", f"Exported {path.name}."))
        self._writing.failed.connect(lambda sentence: self.session.notice.emit("error", sentence))
        self._writing.start()

    # --- words ---

    def status(self) -> str:
        """Return where the session stands, in words."""
        session = self.session
        if session.run.ended is not None:
            return session.end_of(session.run)
        loss = "?" if session.frame.hides_loss else format_number(session.losses[session.iteration])
        is_last = session.training and session.iteration == session.iterations
        of = "" if is_last else f" of {session.iterations}"
        parts = [f"iteration {session.iteration}{of}", f"loss {loss}"]
        parts.append(speed_text(self._rate) if session.training else "")
        if self.plot is not None and self.plot.peak is not None:
            parts.append(f"a peak of {format_number(self.plot.peak)} is above the plot")
        if self.plot is not None and self.plot.leaves_out:
            parts.append("what is not above 0 has no place on a log axis")
        return " · ".join(part for part in parts if part)

    def _tell(self) -> None:
        session = self.session
        training = session.training
        running = [run for run in session.runs if run.running]
        if training:
            self._rate = self._speed.note(sum(run.iterations for run in session.runs))
        else:
            self._speed.forget()
            self._rate = None
        self._told = self._place()
        self._show_answer()
        self.train_button.setText("Pause" if training else "Train")
        self.train_button.setToolTip(
            f"Pause {len(running)} runs" if len(running) > 1 else "Pause" if training else "Train"
        )
        self.train_button.setEnabled(training or session.run.ended is None)
        self.step_button.setEnabled(not training and session.run.ended is None)
        self._name_search()

    def _name_search(self) -> None:
        self.search_button.setText("Stop" if self.session.searching else "Search")

    def _say(self, text: str, is_error: bool) -> None:
        """Write the status in one line; errors, peaks, and all on a projector in as many as they take."""
        has_more = self.plot is not None and (self.plot.peak is not None or self.plot.leaves_out)
        room, wraps = self._status.width(), is_error or self.is_projected or has_more
        fits = wraps or self._status.fontMetrics().horizontalAdvance(text) <= room or not self.isVisible()
        elided = self._status.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, room)
        shown = text if fits else elided
        if self._status.text() != shown:
            self._status.setText(shown)
            self._status.setToolTip("" if fits else text)
            self._status.setAccessibleName(text)
        self._status.setWordWrap(wraps)
        role = "error" if is_error else "muted"
        if self._status.property("role") != role:
            self._status.setProperty("role", role)
            self._status.style().polish(self._status)

    def _show_answer(self) -> None:
        """Show what the search says in lines of its own, or in a low panel in place of the status."""
        text = self._lines.answer() if self.quantity == "loss" and SEARCH not in self._lines.hidden else ""
        session, is_low = self.session, self.height() < LOW
        instead = is_low and bool(text) and not session.training and session.iteration == session.iterations
        self._answer_label.setVisible(bool(text) and not is_low)
        if self._answer_label.text() != text:
            self._answer_label.setText(text)
        is_error = isinstance(session.run.ended, Diverged)
        self._say(text if instead and not is_error else self.status(), is_error)

    # --- following the session ---

    def _connect(self) -> None:
        session = self.session
        self.train_button.clicked.connect(self.toggle_training)
        self.step_button.clicked.connect(session.step_training)
        self.reset_button.clicked.connect(session.reset)
        self.race_button.clicked.connect(lambda: self.race(all_optimizers(session.document.recipe)))
        self.search_button.clicked.connect(self.toggle_search)
        self.log_button.toggled.connect(self.mark_stale)
        self.log_x_button.toggled.connect(self.show_all)
        self.legend.chosen.connect(lambda key: self._with_run(key, session.choose_run))
        self.legend.removed.connect(self._remove)
        self.legend.toggled_line.connect(self._toggle_line)
        self._choice.chosen.connect(self.choose_entries)
        self.steps.valueChanged.connect(session.plan)
        session.document_changed.connect(self._take_steps)
        session.planned_changed.connect(self._take_steps)
        session.frame_changed.connect(self._follow)
        session.progressed.connect(self._progress)
        session.search_changed.connect(self._name_search)
        session.search_changed.connect(self._progress)
        self.refresh_on(session.training_changed, session.runs_changed)

    def _take_steps(self) -> None:
        self.steps.setValue(self.session.planned)

    def _progress(self) -> None:
        """Draw what has come, but not more often than anybody can tell."""
        wait = self._drawn_at + REDRAW - time.perf_counter()
        busy = self.session.training or self.session.searching
        if not self.is_seen or not busy or wait <= 0:
            self.mark_stale()
        elif not self._draw_timer.isActive():
            self._draw_timer.start(max(1, round(1000 * wait)))

    def _follow(self) -> None:
        if not self.is_seen:
            self._is_stale = True
        elif self.session.training and self.session.iteration == self.session.iterations:
            return  # what has come is drawn in a moment, all of it together
        elif self._place() != self._told:
            self._told = self._place()
            self._show_answer()
            self._move_cursor()

    def _place(self) -> tuple[object, ...]:
        """Return all of the frame that this panel shows: stepping within an iteration repaints nothing."""
        session = self.session
        shown = (session.current.id, session.iteration, session.iterations, session.training)
        return *shown, session.frame.hides_loss

    def _with_run(self, key: Hashable, do: object) -> None:
        run = next((r for r in self.session.runs if r.id == key), None)
        if run is not None:
            do(run)  # type: ignore[operator]

    def _remove(self, key: Hashable) -> None:
        if isinstance(key, Entry):
            self.choose_entries([e for e in self._lines.entries if e != key])
        else:
            self._with_run(key, self.session.remove_run)

    def _toggle_line(self, key: Hashable, shown: bool) -> None:
        run = next((r for r in self.session.runs if r.id == key), None)
        if run is not None:
            self.session.show_run(run, shown)
            return
        (self._lines.hidden.discard if shown else self._lines.hidden.add)(key)
        self.mark_stale()

    # --- drawing ---

    def _draw(self, chart: Chart) -> None:
        self._lines.log_y = self.log_button.isChecked()
        chart.set_logs(self.log_x_button.isChecked(), self._lines.log_y)
        up = {"loss": "loss", "norm": "gradient norm", "parameters": "value"}[self.quantity]
        chart.set_labels("iteration", up)
        chart.setAccessibleName(f"{QUANTITIES[self.quantity].lower()} over iterations")
        if self._shows_all:
            chart.show_iterations(self._lines.last_iteration)
        chart.set_lines(self._lines.lines())
        self._move_cursor()

    # --- the cursor ---

    def _move_cursor(self) -> None:
        if self.plot is None:
            return
        session = self.session
        value, text = self._lines.value(), str(session.iteration)
        if self.quantity == "loss" and session.frame.hides_loss:
            value, text = None, f"{text}: ?"
        if value is not None:
            text = f"{text}: {format_number(value)}"
        shown = session.current.visible
        self.plot.set_place(session.iteration, session.iterations, text, value if shown else None)

    def _zoomed(self) -> None:
        self._shows_all = False
        self.mark_stale()

    # --- the legend ---

    def _show_legend(self) -> None:
        items = self._entry_items() if self.quantity == "parameters" else self._run_items()
        self.legend.set_items(items)
        self.legend.setVisible(len(items) > 1 and self.height() >= LEAST)

    def _run_items(self) -> list[LegendItem]:
        session, items = self.session, []
        runs = session.runs
        names = zip(*short_names([run.name for run in runs]), strict=True)
        for run, texts in zip(runs, names, strict=True):
            tip = "\n".join(filter(None, (run.name, session.end_of(run.run))))
            current = run is session.current
            ghost = self._lines.is_ghost(run)
            item = LegendItem(run.id, texts, tip, run.style, "run", ghost, run.visible, current, True)
            items.append(replace(item, can_remove=len(runs) > 1))
        if self.quantity == "loss" and self._lines.has_held:
            tip = "Loss on the examples that are held out of training"
            style = session.current.style
            items.append(
                LegendItem(HELD, ("held-out",), tip, style, HELD, shown=HELD not in self._lines.hidden)
            )
        if self.quantity == "loss" and session.search is not None:
            tip = f"Best of random search so far, at equal cost\n{session.search.plan.sentence()}"
            items.append(
                LegendItem(SEARCH, ("random search",), tip, 0, SEARCH, shown=SEARCH not in self._lines.hidden)
            )
        return items

    def _entry_items(self) -> list[LegendItem]:
        removable = len(self._lines.entries) > 1
        return [
            LegendItem(e, (e.title,), e.title, style, shown=e not in self._lines.hidden, can_remove=removable)
            for style, e in enumerate(self._lines.entries)
        ]

    # --- parts ---

    def _make_buttons(self) -> None:
        self.train_button, self.step_button = QPushButton("Train"), QPushButton("Step once")
        self.reset_button, self.search_button = QPushButton("Reset"), QPushButton("Search")
        self.race_button, self.race_more = QPushButton("Race"), QPushButton()
        self.train_button.setProperty("accent", True)
        self.step_button.setToolTip("Train one iteration and show it")
        self.reset_button.setToolTip("Go back to iteration 0 of the same seed")
        self.race_button.setToolTip("Race all optimizers: same start, same mini-batches")
        self.race_more.setToolTip("Choose what to race")
        self.race_more.setAccessibleName("choose what to race")
        self.search_button.setToolTip(
            "Sample parameters at random, at the cost of the run: does the gradient do better?"
        )
        self.steps = QSpinBox()
        pad_spin_box(self.steps)
        self.steps.setRange(1, MOST_ITERATIONS)
        self.steps.setToolTip("How many iterations to train")
        self.steps.setAccessibleName("iterations to train")
        self.steps.setMaximumWidth(104)
        for part in (self.train_button, self.step_button, self.reset_button, self.search_button):
            part.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        for part in (self.race_button, self.race_more):
            part.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def _make_words(self) -> None:
        self._status, self._answer_label = QLabel(), QLabel()
        for label in (self._status, self._answer_label):
            label.setProperty("role", "muted")
            label.setFont(application_font("small"))
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._answer_label.setWordWrap(True)
        self._answer_label.hide()
        self._rate: float | None = None
        self.legend = Legend(self.theme)
        self.legend.hide()
        self._waiting = QLabel()
        self.log_button = MiniButton("Log y", self.theme)
        self.log_x_button = MiniButton("Log x", self.theme)
        self.view_button = MiniButton(QUANTITIES["loss"], self.theme)
        self.view_button.setToolTip("What is drawn")
        self.view_button.setAccessibleName("what is drawn")
        for button, what in ((self.log_button, "loss"), (self.log_x_button, "iterations")):
            button.setCheckable(True)
            button.setToolTip(f"Show the {what} in powers of ten")
            button.setAccessibleName(f"{what} in powers of ten")

    def _make_menus(self) -> None:
        self._choice = EntryChoice(self.theme, self)
        self.race_menu = QMenu(self)
        self.race_menu.setToolTipsVisible(True)
        self.race_menu.aboutToShow.connect(self._fill_race_menu)
        self.race_more.setMenu(self.race_menu)
        self.view_menu = QMenu(self)
        group = QActionGroup(self)
        self._quantities: dict[str, QAction] = {}
        for quantity, text in QUANTITIES.items():
            action = self._quantities[quantity] = self.view_menu.addAction(text)
            action.setCheckable(True)
            action.triggered.connect(lambda _=False, q=quantity: self.set_quantity(q))
            group.addAction(action)
        self._quantities["loss"].setChecked(True)
        self._entries_action = self.view_menu.addAction("Choose parameters…")
        self._entries_action.triggered.connect(self._choose_entries)
        self.view_menu.addSeparator()
        self._more_actions = [
            self.view_menu.addMenu(self.race_menu),
            self.view_menu.addAction("Search", self.toggle_search),
        ]
        self.race_menu.setTitle("Race")
        self.view_menu.addAction("Show every iteration", self.show_all)
        self.export_action = self.view_menu.addAction("Export the data (CSV)…", self.ask_export)
        self.view_menu.aboutToShow.connect(self._ready_view_menu)
        self.view_button.set_menu(self.view_menu)

    def _fill_race_menu(self) -> None:
        recipe = self.session.document.recipe
        self.race_menu.clear()
        for race in (all_optimizers(recipe), learning_rates(recipe), None, *rivals(recipe)):
            if race is None:
                self.race_menu.addSeparator()
                continue
            action = self.race_menu.addAction(race.text)
            action.setToolTip(race.tip)
            action.triggered.connect(lambda _=False, race=race: self.race(race))

    def _ready_view_menu(self) -> None:
        """Offer in the menu what has no room for a button."""
        for action, button in zip(self._more_actions, (self.race_button, self.search_button), strict=True):
            action.setVisible(button.isHidden())
        self._more_actions[1].setText("Stop searching" if self.session.searching else "Search")
        self._entries_action.setEnabled(bool(self.session.run.problem.parameters))

    def _choose_entries(self) -> None:
        self.set_quantity("parameters")
        self._choice.open_for(self.session.run, self._lines.entries, self.view_button)

    def _arrange(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(6)
        racing = QHBoxLayout()
        racing.setSpacing(1)
        racing.addWidget(self.race_button)
        racing.addWidget(self.race_more)
        self.race_more.setFixedWidth(26)
        for part in (self.train_button, self.steps, self.step_button, self.reset_button):
            row.addWidget(part)
        row.addLayout(racing)
        row.addWidget(self.search_button)
        row.addStretch(1)
        second = QHBoxLayout()
        second.setSpacing(4)
        second.addWidget(self._status, 1)
        for part in (self.log_button, self.log_x_button, self.view_button):
            second.addWidget(part, 0, Qt.AlignmentFlag.AlignTop)
        self._holder = QVBoxLayout(self)
        # a narrow panel hides buttons, whose keys remain, rather than making the window wide
        self._holder.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        self._holder.setContentsMargins(12, 4, 12, 4)
        self._holder.setSpacing(3)
        self._holder.addLayout(row)
        self._holder.addLayout(second)
        self._holder.addWidget(self._answer_label)
        self._holder.addWidget(self.legend)
        self._holder.addWidget(self._waiting, 1)

    def _hide_what_does_not_fit(self) -> None:
        """Hide buttons that have no room: first those with a key, then those that the menu has too."""
        room = self.width() - 24 + 6 if not self.is_projected else 0
        groups = (
            (self.train_button,),
            (self.steps,),
            (self.race_button, self.race_more),
            (self.search_button,),
            (self.step_button,),
            (self.reset_button,),
        )
        for group in groups:
            widths = [min(part.sizeHint().width(), part.maximumWidth()) for part in group]
            room -= sum(widths) + 6 + len(widths) - 1
            for part in group:
                part.setVisible(room >= 0)
        for part, least in ((self.log_x_button, 380), (self.log_button, 300)):
            part.setVisible(self.width() >= least and not self.is_projected)
        self.view_button.setVisible(not self.is_projected)
        few = 1 if self.height() < 270 else 2 if self.height() < 400 else 4
        # on a projector nobody opens what more there is
        self.legend.set_most_rows(min(4, few + 1) if self.is_projected else few)

    # Qt

    def minimumSizeHint(self) -> QSize:
        return QSize(180, 110)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.view_menu.popup(event.globalPos() + QPoint(1, 1))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._hide_what_does_not_fit()
        self._show_answer()
        self._show_legend()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self.plot is None:
            self._build_timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        self._draw_timer.stop()
        super().hideEvent(event)
