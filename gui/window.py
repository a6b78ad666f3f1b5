"""The main window: docks, bars and actions, put together from tables. It holds no numbers and no rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import Any

import shiboken6
from PySide6.QtCore import QEvent, QKeyCombination, QObject, QRect, QSize, Qt
from PySide6.QtGui import (
    QAction,
    QCloseEvent,
    QKeyEvent,
    QKeySequence,
    QShowEvent,
)
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDockWidget,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMainWindow,
    QMenu,
    QPlainTextEdit,
    QTabBar,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine.errors import BackstepError, excerpt
from engine.trace import Trace
from graphs.carrying import CARRIERS
from graphs.network import SESSION, Network
from gui.actions import ACTIONS, Action, works_while_typing
from gui.authoring import Authoring
from gui.clinic import CLINIC, FaultMenu
from gui.controls import ControlBar
from gui.course import Course
from gui.data_choice import DataChoice
from gui.dialogs import ask_open, ask_save
from gui.docking import docks_state, hide_stale_tabs, restore_docks, show_docks
from gui.dropping import DATA_ENDINGS, Dropping
from gui.equation_cache import EquationCache
from gui.fields import OneValue
from gui.filing import NETWORK, Filing
from gui.garbage import soon
from gui.jobs import Task
from gui.keysheet import KeySheet
from gui.layouts import lay_out_ahead, layout_of, preload
from gui.matrix_editor import CellField
from gui.motion import motion_wanted
from gui.notify import About, NotificationBar, Notifier
from gui.overlay import Overlay
from gui.painting import WindowLook
from gui.panel import Panel
from gui.practice import Practice
from gui.predicting import Predicting
from gui.preparing import PreparingNotice
from gui.presenter_strip import PresenterStrip
from gui.presenting import Presenting, contrasted
from gui.races import all_optimizers
from gui.recovery import LessonRecovery, Recovery
from gui.scene.graph_scene import GraphScene
from gui.scene.graph_view import KEY_HEIGHT, GraphView
from gui.scene.metrics import ON_PROJECTOR, ON_SCREEN, Letters
from gui.search import CommandSearch
from gui.session import Session
from gui.settings import Settings
from gui.teaching import PLACED, Teaching
from gui.theme import THEMES, Theme, application_font
from gui.theme import apply as apply_theme
from gui.trainer import trainer
from gui.transport import TransportBar
from gui.viewdata import Link, Statics, formulas_of_scene, measured_view, scene_view, timeline_phases

__all__ = ["DOCKS", "Dock", "Window"]


@dataclass(frozen=True)
class Dock:
    """A dock: its panel's module and class, its title, where it stands, and whether it is open at first."""

    id: str
    title: str
    module: str
    panel: str
    area: Qt.DockWidgetArea
    stacked: str = ""  # the dock that it is a tab of
    late: bool = True  # built after the first paint
    shown: bool = True  # from the start


_RIGHT, _BOTTOM = Qt.DockWidgetArea.RightDockWidgetArea, Qt.DockWidgetArea.BottomDockWidgetArea
DOCKS = (
    Dock("step", "This step", "gui.panels.step", "StepPanel", _RIGHT, late=False),
    Dock("inspector", "Inspector", "gui.panels.inspector", "InspectorPanel", _RIGHT, late=False),
    Dock("lesson", "Lesson", "gui.panels.lesson", "LessonPanel", _RIGHT, shown=False),
    Dock("author", "Write", "gui.panels.author", "AuthorPanel", _RIGHT, stacked="lesson", shown=False),
    Dock("practice", "Exercises", "gui.panels.practice", "PracticePanel", _RIGHT, "lesson", shown=False),
    Dock("loss", "Loss", "gui.panels.loss", "LossPanel", _BOTTOM),
    Dock("formula", "Formula", "gui.panels.formula", "FormulaPanel", _BOTTOM, stacked="loss"),
    Dock("code", "Code", "gui.panels.code", "CodePanel", _BOTTOM, stacked="loss"),
    Dock("microscope", "Fan-out", "gui.panels.microscope", "MicroscopePanel", _BOTTOM, stacked="loss"),
    Dock("shelf", "Shelf", "gui.panels.shelf", "ShelfPanel", _BOTTOM, stacked="loss"),
    Dock("equations", "Equations", "gui.panels.equations_dock", "EquationsPanel", _BOTTOM),
    Dock("neurons", "Neurons", "gui.panels.neurons", "NeuronsPanel", _BOTTOM, stacked="equations"),
    Dock("fit", "Fit", "gui.panels.fit", "FitPanel", _BOTTOM, stacked="equations"),
    Dock("landscape", "Landscape", "gui.panels.landscape", "LandscapePanel", _BOTTOM, stacked="equations"),
    Dock("sweep", "Step size", "gui.panels.sweep", "SweepPanel", _BOTTOM, stacked="equations"),
)


WORDS = 500
"""Logical pixels that a page of a lesson needs, with its question and its buttons."""
PREDICTING = "Predicting is on: → or H reveals, H again ends it"
FAULT = "fault:"  # before the name of a fault, in the command search
CAPTION = 270
"""Logical pixels kept for the caption at the top left of the graph, where the graph is twice as wide."""
PLOTS = 34
"""Per cent of the height that the plots at the bottom take."""
LAB = 56
"""Per cent of the height that the plots at the bottom take when they are enlarged."""
PREFETCHED = 200
"""Graphs with more nodes than this have their formulas set when they are shown, not ahead of time."""
SEEN = ("view/detail", "view/sentences", "play/speed")
"""Settings that show in a picture of the window."""
SMALL = QSize(1100, 640)
"""Logical pixels below which the docks stand behind one tab bar."""


class Window(QMainWindow):
    """The window of one session.

    Parameters
    ----------
    session
        What is open; the window closes it when it closes.
    settings
        Where theme and layout are remembered.
    """

    lesson_recovery: LessonRecovery | None = None
    _has_numbers = False  # whether cards of small arrays show them
    _remarked = ""  # by a panel, over the graph
    _place = (0, 0)  # iteration and step that messages may speak of
    _end = (0, 0)  # the run, and its iterations, whose end they may speak of

    def __init__(self, session: Session, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.settings = settings
        self.theme = THEMES[self._theme_name()]
        self.cache = EquationCache(self)
        self.notifier = Notifier(self)
        self.actions_by_id: dict[str, QAction] = {}
        self.panels: dict[str, Panel] = {}
        self.docks: dict[str, QDockWidget] = {}
        self._overlay: Overlay | None = None
        self._timed: Trace | None = None  # the trace whose steps the scrubber shows
        self._phases: list[str] | None = None
        self._drawn: Statics | None = None  # of the graph that is laid out
        self._said: Network | None = None  # the network whose notices have been shown
        self._has_own_sizes = False  # whether the docks have the sizes of a session's file
        self._awaited: Mapping[str, Any] | None = None  # what is to be shown as soon as the window has a size
        self._is_lab = False
        self.resize(1280, 720)
        self.filing = Filing(self)
        self.recovery: Recovery | None = None
        self.teaching = Teaching(self)
        self.authoring = Authoring(self)
        self._make_actions()
        self._make_centre()
        self._make_bar()
        self._make_docks()
        self._restore()
        self._connect()
        self._show_graph()
        self._show_frame()

    # --- putting together ---

    def _make_actions(self) -> None:
        for row in ACTIONS:
            action = QAction(row.text, self)
            action.setShortcuts([QKeySequence(keys) for keys in row.keys])
            action.setAutoRepeat(row.repeats)
            action.setCheckable(row.checked is not None)
            action.triggered.connect(lambda _=False, row=row: self._run(row))
            self.actions_by_id[row.id] = action
            self.addAction(action)

    def _run(self, row: Action) -> None:
        """Do what an action does, with what has been typed so far in use; nothing opens on the projector."""
        if row.asks and self.presenting.is_on:
            self.presenting.refuse()
            return
        field = QApplication.focusWidget()
        if isinstance(field, OneValue | CellField):
            field.submit()
        formula: Any = self.panels.get("formula")
        if formula is not None and row.group in _READS:
            formula.when_read(lambda: row.run(self))
        else:
            row.run(self)

    def _make_centre(self) -> None:
        self.scene = GraphScene(self.theme, self)
        self.view = GraphView(self.scene)
        self.view.set_motion(motion_wanted(self.settings.get("view/motion")))
        self.view.setAccessibleName("Computation graph")
        self.view.setAcceptDrops(False)  # what is dropped on it is for the window
        self.transport = TransportBar(self.theme)
        self.transport.set_actions(
            *(self.actions_by_id[i] for i in ("first", "back", "play", "forward", "last"))
        )
        centre = QWidget()
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.view, 1)
        column.addWidget(self.transport)
        self.setCentralWidget(centre)
        # over the graph rather than above it: a message that comes or goes moves nothing
        self.messages = NotificationBar(self.theme, self.notifier, parent=self.view)
        self.remark = QLabel(parent=self.view)  # what holds of the graph as long as it stands there
        self.remark.setProperty("mark", True)
        self.remark.setWordWrap(True)
        self.remark.hide()
        self.view.installEventFilter(self)
        self.messages.installEventFilter(self)

    def _make_bar(self) -> None:
        self.menu_button = QToolButton()
        self.menu_button.setText("☰")
        self.menu_button.setAccessibleName("Menu")
        self.menu_button.setToolTip("Menu")
        self.menu_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu_button.setMenu(self._make_menu())
        self.controls = ControlBar(self.session, self.theme, self.settings)
        self.controls.set_actions(*(self.actions_by_id[i] for i in ("theme", "export", "keys")))
        bar = QFrame()
        bar.setProperty("bar", "top")
        row = QHBoxLayout(bar)
        row.setContentsMargins(8, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.menu_button)
        row.addWidget(self.controls, 1)
        self.setMenuWidget(bar)

    def _make_menu(self) -> QMenu:
        menu = QMenu(self)
        groups: dict[str, QMenu] = {}
        for row in ACTIONS:
            if row.group not in groups:
                groups[row.group] = menu.addMenu(row.group)
            groups[row.group].addAction(self.actions_by_id[row.id])
            if row.id == "open":
                self._recent_menu = groups[row.group].addMenu("Open recent")
                self._recent_menu.aboutToShow.connect(self._fill_recent)
        self._faults = FaultMenu(self.session, groups["Faults"])
        self._panels_menu = menu.addMenu("Panels")
        return menu

    def _fill_recent(self) -> None:
        """Offer the files that were open before; one that has gone is said when it is chosen."""
        self._recent_menu.clear()
        paths = self.settings.get("files/recent")
        for number, path in enumerate(paths, 1):
            name = excerpt(Path(path).name, 60).replace("&", "&&")
            action = self._recent_menu.addAction(f"&{number % 10}  {name}")
            action.setToolTip(path)
            action.triggered.connect(lambda _=False, path=path: self.filing.open(path))
        if not paths:
            self._recent_menu.addAction("No files yet").setEnabled(False)
        if self.recovery is not None:
            for left in self.recovery.discarded:
                name = left.name.replace("&", "&&")
                action = self._recent_menu.addAction(f"Discarded changes to {name} ({left.when})")
                action.triggered.connect(
                    lambda _=False, left=left, recovery=self.recovery: recovery.restore(left)
                )

    def _make_docks(self) -> None:
        self.strip = PresenterStrip(self.theme)
        self.presenting = Presenting(self, self.strip)
        self.setDockOptions(self.dockOptions() | QMainWindow.DockOption.AllowTabbedDocks)
        self.setCorner(Qt.Corner.BottomRightCorner, _RIGHT)
        self.setCorner(Qt.Corner.TopRightCorner, _RIGHT)
        for area in (_RIGHT, _BOTTOM):
            self.setTabPosition(area, QTabWidget.TabPosition.North)
        for row in DOCKS:
            dock = QDockWidget(row.title, self)
            dock.setObjectName(f"dock-{row.id}")
            _set_bare(dock, row.area == _BOTTOM)  # its tab, or its own bar, says what it is
            dock.topLevelChanged.connect(lambda floats, dock=dock: None if floats else dock.raise_())
            self.docks[row.id] = dock
            self.addDockWidget(row.area, dock)
            self._panels_menu.addAction(dock.toggleViewAction())
            if not row.late:
                self._build(row)
        self._arrange_docks()
        self._make_practice()

    def _make_practice(self) -> None:
        self.practice = Practice(self)
        self.predicting = Predicting(self)

    def _build(self, row: Dock) -> None:
        """Make a dock's panel; the late ones after the first paint, so that the window is there at once."""
        if row.id in self.panels:
            return
        kind = getattr(import_module(row.module), row.panel)
        panel = (
            kind(self.session, self.theme, cache=self.cache)
            if row.id in _WITH_CACHE
            else kind(self.session, self.theme)
        )
        self.panels[row.id] = panel
        panel.focus_back.connect(self.view.setFocus)
        panel.remarked.connect(self._remark)
        if row.id == "formula":
            panel.leaving = self.filing.leave
            panel.read.connect(self.filing.note_text)
        if row.id == "practice":
            self.practice.connect_panel(panel)
        if row.id == "author":
            panel.set_authoring(self.authoring)
        self.docks[row.id].setWidget(panel)
        self.docks[row.id].visibilityChanged.connect(panel.make_up)
        _focus_by_tab(panel)

    def build_late(self) -> None:
        """Make the panels that were left for after the first paint, and have ready what takes long at first.

        Nobody trains or types in a window that is there to be painted.
        """
        for row in DOCKS:
            self._build(row)
        if not self.testAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen):
            trainer().warm()
            if self._preloading is None:
                self._preloading = Task(preload, self)
                self._preloading.start()

    def settle(self) -> None:
        """Have everything built, laid out and typeset now: for pictures of the window, and for tests."""
        self.build_late()
        self.session.preparing.finish()
        QApplication.processEvents()
        if not self._has_own_sizes and not self.presenting.is_on:
            self._size_docks()
        QApplication.processEvents()
        self.cache.drain()
        for panel in self.panels.values():
            panel.settle()
        if self.view.is_fitted:
            self.view.fit()
        QApplication.processEvents()

    @property
    def is_small(self) -> bool:
        """Whether the window is too small to show everything at once, as at 250 %."""
        return self.width() < SMALL.width() or self.height() < SMALL.height()

    def _arrange_docks(self) -> None:
        if self.is_small:
            self._stack_docks()
            return
        self.splitDockWidget(self.docks["loss"], self.docks["equations"], Qt.Orientation.Horizontal)
        for row in DOCKS:
            if row.stacked:
                self.tabifyDockWidget(self.docks[row.stacked], self.docks[row.id])
            if not row.shown:
                self.docks[row.id].hide()
        self._raise_first()

    def _raise_first(self) -> None:
        for first in ("step",) if self.is_small else ("loss", "equations"):
            self.docks[first].raise_()

    def _stack_docks(self) -> None:
        """Put every dock behind one tab bar at the right: the graph keeps the whole height."""
        first = self.docks["step"]
        for row in DOCKS:
            _set_bare(self.docks[row.id], True)  # its tab says what it is
            self.addDockWidget(_RIGHT, self.docks[row.id])
            if row.id != "step":
                self.tabifyDockWidget(first, self.docks[row.id])
            if not row.shown and not self._holds(row.id):
                self.docks[row.id].hide()
        first.raise_()
        for bar in self.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly):
            bar.setElideMode(Qt.TextElideMode.ElideNone)  # whole words, and buttons to reach the last ones
            bar.setUsesScrollButtons(True)

    def _holds(self, name: str) -> bool:
        """Say whether a lesson or an exercise is open in a dock."""
        is_lesson = name == "lesson" and self.teaching.player.lesson is not None
        is_written = name == "author" and self.authoring.is_open
        return is_lesson or is_written or (name == "practice" and self.practice.player.is_open)

    def _size_docks(self) -> None:
        soon(self, lambda: hide_stale_tabs(self))
        width, height = self.width(), self.height()
        if self.is_small:
            self.resizeDocks([self.docks["step"]], [width * 42 // 100], Qt.Orientation.Horizontal)
            return
        right = max(300, min(400, width * 27 // 100))
        self.resizeDocks([self.docks["step"]], [right], Qt.Orientation.Horizontal)
        below = max(150, height * (LAB if self._is_lab else PLOTS) // 100)
        self.resizeDocks([self.docks["loss"]], [below], Qt.Orientation.Vertical)
        half = (width - right) // 2
        self.resizeDocks(
            [self.docks["loss"], self.docks["equations"]], [half, half], Qt.Orientation.Horizontal
        )
        words = next((name for name in ("lesson", "practice") if not self.docks[name].isHidden()), "")
        if words and self.docks["inspector"] in self.tabifiedDockWidgets(self.docks["step"]):
            self.size_column(words)
            return
        upper = (height - 44) * 62 // 100
        self.resizeDocks(
            [self.docks["step"], self.docks["inspector"]],
            [upper, height - 44 - upper],
            Qt.Orientation.Vertical,
        )

    def set_bare(self, name: str, bare: bool) -> None:
        """Take a dock's own bar away where its tab says what it is, or give it back."""
        _set_bare(self.docks[name], bare)

    def size_column(self, name: str) -> None:
        """Give a dock with words the larger part of the column at the right."""
        height = self.height() - 44
        words = max(height * 64 // 100, min(height * 3 // 4, WORDS))
        self.resizeDocks(
            [self.docks[name], self.docks["step"]],
            [words, height - words],
            Qt.Orientation.Vertical,
        )

    def toggle_lab(self) -> None:
        """Enlarge the plots at the bottom, or give the graph its room back."""
        self._is_lab = not self._is_lab
        self._size_docks()
        self.view.fit()

    def show_dock(self, name: str) -> None:
        """Bring a dock to the front."""
        if self.presenting.is_on:
            self.presenting.show_dock(name)
            return
        self.docks[name].show()
        self.docks[name].raise_()

    def restore_panels(self) -> None:
        """Put every dock back to where it was at first."""
        self._is_lab = False
        for dock in self.docks.values():
            dock.hide()  # side by side for a moment, they would make the window wider
        for row in DOCKS:
            dock = self.docks[row.id]
            dock.setFloating(False)
            _set_bare(dock, self.is_small or row.area == _BOTTOM)
            self.addDockWidget(row.area, dock)
        self._arrange_docks()
        for row in DOCKS:
            self.docks[row.id].setVisible(row.shown or self._holds(row.id))
        self._raise_first()
        self._size_docks()

    def _restore(self) -> None:
        self._fresh = not self.settings.get("window/state")
        if self.settings.get("window/geometry"):
            self.restoreGeometry(self.settings.get("window/geometry"))
        if not self._fresh:
            self.restoreState(self.settings.get("window/state"))
        for name in PLACED:
            self.docks[name].hide()  # what stood there ended with the window that kept its state

    def _connect(self) -> None:
        self._connect_session()
        self._connect_parts()

    def _connect_session(self) -> None:
        session = self.session
        session.frame_changed.connect(self._show_frame)
        session.graph_changed.connect(self._show_graph)
        session.document_changed.connect(self._say_document)
        session.document_changed.connect(self._show_remark)
        session.hidden_changed.connect(self._show_remark)
        session.document_changed.connect(self._prefetch)  # another optimizer has other formulas
        session.selection_changed.connect(self._show_selection)
        session.playing_changed.connect(self._show_place)
        session.training_changed.connect(self._show_actions)
        session.search_changed.connect(self._show_actions)
        session.history_changed.connect(self._show_actions)
        session.progressed.connect(self._show_place)
        session.notice.connect(self._notify)

    def _connect_parts(self) -> None:
        session = self.session
        self.transport.moved.connect(session.go)
        self.scene.node_clicked.connect(session.select)
        self.scene.edge_clicked.connect(session.select)
        self.scene.entry_clicked.connect(self._mark_number)
        self.scene.edit_requested.connect(self._edit)
        self.view.number_typed.connect(self._edit)
        self.scene.scrubbed.connect(session.scrub)
        self.scene.scrub_ended.connect(session.end_scrub)
        self.scene.pointed.connect(session.hover)
        session.preparing.views.append(lay_out_ahead)
        PreparingNotice(session.preparing, self.notifier)
        # methods, as a lambda would hold the window as long as the session lives, which the window holds
        session.hover_changed.connect(self._show_linked)
        session.marked_changed.connect(self._show_marked)
        self.controls.data_requested.connect(self.choose_data)
        self.dropping = Dropping(self, dict.fromkeys(DATA_ENDINGS, self.choose_data), self.notifier.error)
        self.dropping.add(dict.fromkeys((NETWORK, SESSION, *CARRIERS), self.filing.open))
        self.controls.open_requested.connect(self.filing.ask_open)
        self.controls.opener = self.filing.open
        self.controls.titled = partial(getattr, self.filing, "title")
        self.filing.changed.connect(self._name_window)
        self.filing.may_close.connect(self.close)
        self.controls.focus_back.connect(self._focus_graph)
        for part in (self.controls, self.transport, self.menu_button):
            _focus_by_tab(part)
        self._is_closed = False
        self._preloading: Task | None = None
        _application().focusChanged.connect(self._guard)

    # --- showing ---

    def _show_graph(self) -> None:
        """Lay the graph out and show it; only for another graph, never while stepping or changing numbers."""
        self._show_remark()
        if self.session.statics is self._drawn:
            self._show_frame()
            return
        self._drawn = self.session.statics
        view = measured_view(self.session.frame)
        layout = layout_of(self.session.frame, view, self.scene.letters)
        self.scene.set_graph(view, layout, self.theme)
        if "shapes" in self.session.hidden:  # which the cards were measured from
            self.scene.show_step(scene_view(self.session.frame))
        self.scene.set_marked(self.session.marked)
        self.view.fit()
        self._show_timeline()
        self._prefetch()

    def _show_timeline(self) -> None:
        if self.session.trace is not self._timed:
            self._timed = self.session.trace
            phases = timeline_phases(self._timed)
            if phases != self._phases:
                self._phases = phases
                self.transport.set_timeline(phases)
        self._show_place()

    def _show_frame(self) -> None:
        self.scene.show_step(scene_view(self.session.frame))
        self._show_timeline()
        self._let_go()

    def _show_place(self) -> None:
        session = self.session
        self.transport.set_position(
            session.position, session.iteration, session.iterations, session.speed, session.playing
        )
        self._show_actions()

    def _show_actions(self) -> None:
        for row in ACTIONS:
            action = self.actions_by_id[row.id]
            enabled = row.enabled(self.session)
            if action.isEnabled() != enabled:
                action.setEnabled(enabled)
            text = row.name(self.session) if row.name is not None else row.text
            if action.text() != text:
                action.setText(text)
            if row.checked is not None:  # also after a click that changed nothing: Qt has ticked it then
                action.setChecked(row.checked(self.session))

    def _show_selection(self) -> None:
        self.scene.select(self.session.selection)
        self.view.mark_number(None)

    def _show_linked(self) -> None:
        self.scene.set_linked(self.session.hovered)

    def _show_marked(self) -> None:
        self.scene.set_marked(self.session.marked)

    def _say_document(self) -> None:
        self._name_window()
        self.messages.clear()
        model = self.session.model
        if model.notices and model.network is not self._said and self.teaching.player.lesson is None:
            self.notifier.info(" ".join(model.notices))
        self._said = model.network

    def _name_window(self) -> None:
        """Show in the title bar what is open, and whether anything of it is unsaved."""
        title, filing = self.filing.title, self.filing
        parts = [title]
        if filing.path is not None:
            parts = [filing.name] if title in (filing.name, filing.path.stem) else [title, filing.name]
        name = " — ".join(part.replace("[*]", "[*][*]") for part in parts)
        self.setWindowTitle(f"{name}[*] — Backstep")
        self.setWindowModified(filing.is_modified)
        self.controls.show_network()

    def _guard(self, before: QWidget | None, after: QWidget | None) -> None:
        """Watch the keys of whatever has the focus, and of nothing else."""
        for widget, watch in ((before, False), (after, True)):
            if widget is not None and shiboken6.isValid(widget) and _wants_keys(widget):
                (widget.installEventFilter if watch else widget.removeEventFilter)(self)

    def _place_messages(self) -> None:
        """Put the messages beside the caption, where the picture leaves a strip free, or over all of it.

        A text that would be cut there lies over the caption too. While presenting the picture gives way.
        """
        whole = self.view.width()
        caption = max(CAPTION, self.view.caption_width())
        left = caption if whole >= 2 * CAPTION and not self.presenting.is_on else 0
        left = 0 if self.messages.cuts(whole - left) else left
        width = whole - left
        self.messages.fit(width)
        strip = QRect(left, 0, width, self.messages.height())
        self.messages.move(left, 0 if self.presenting.is_on else self._free_strip(strip))
        most = self.view.width() // 2 if self.presenting.is_on else width  # large letters beside the caption
        narrow = min(most, self.remark.fontMetrics().horizontalAdvance(self.remark.text()) + 32)
        height = max(30, self.remark.heightForWidth(narrow))
        self.remark.setGeometry(self.view.width() - narrow, 0, narrow, height)
        self.messages.raise_()
        over = (part for part in (self.remark, self.messages) if not part.isHidden())
        self.view.keep_free(max((part.height() for part in over), default=0))

    def _free_strip(self, strip: QRect) -> int:
        """Return where a strip covers nothing of the step: at the top, else above the key or over it."""
        bottom = self.view.height() - strip.height()
        places = (0, bottom - KEY_HEIGHT, bottom)
        step = self.session.frame.step
        names = {*self.scene.view.reads, self.session.selection}
        names |= {step.node, step.target} if step is not None else set()
        shown = [self.scene.node_rect(n) for n in self.scene.view.nodes if n in names]
        cards = [self.view.mapFromScene(rect).boundingRect() for rect in shown]
        free = (y for y in places if not any(card.intersects(strip.translated(0, y)) for card in cards))
        return next(free, 0)

    def _remark(self, sentence: str) -> None:
        """Say what a panel has to say over the graph until it is taken back."""
        self._remarked = sentence
        self._show_remark()

    def _show_remark(self) -> None:
        """Say over the graph what holds of it: what a panel says, else the known fault, and predicting."""
        fault = self.session.fault_text if "fault" not in self.session.hidden else ""
        holds = (f"Fault: {fault}" if fault else "", PREDICTING if self.session.predicting else "")
        if self.session.predicting:
            self.messages.leave("step")  # that predicting is off, if that was said
        sentence = self._remarked or " · ".join(filter(None, holds))
        if sentence != self.remark.text() or self.remark.isHidden() == bool(sentence):
            self.remark.setText(sentence)
            self.remark.setAccessibleName(sentence)
            self.remark.setVisible(bool(sentence))
            self._place_messages()

    def _notify(self, kind: str, sentence: str) -> None:
        if kind == "copied":
            if not self.presenting.is_on:  # nothing of the desk's on the projector
                self.notifier.info(sentence)
            return
        if kind in _ABOUT:
            level, about = _ABOUT[kind]
            if about == "end":
                self._end = self._end_of_run()
            (self.notifier.error if level == "error" else self.notifier.info)(sentence, about)
            return
        {"info": self.notifier.info, "warning": self.notifier.warning}.get(kind, self.notifier.error)(
            sentence
        )

    def _end_of_run(self) -> tuple[int, int]:
        return self.session.current.id, self.session.iterations

    def _let_go(self) -> None:
        """Take away what was said of a place that the timeline has left, and let the rest cover no card."""
        session = self.session
        place = (session.iteration, session.position)
        is_elsewhere = place[0] != self._place[0] and session.iteration != session.iterations
        if place != self._place:
            self.messages.leave("step")
            self.view.mark_number(None)
        if is_elsewhere or self._end != self._end_of_run():
            self.messages.leave("end")
        self._place = place
        if self.messages.isVisible():
            self._place_messages()

    def _prefetch(self) -> None:
        """Have the formulas of every step ready before they are asked for."""
        if len(self.session.statics.names) <= PREFETCHED:
            self.cache.plan("graph", formulas_of_scene(self.session.frame))

    # --- what actions do ---

    def next_theme(self) -> None:
        """Change between light and dark."""
        self.set_theme("dark" if self.theme.name != "dark" else "light")

    def set_theme(self, name: str) -> None:
        """Show everything in another theme."""
        self.settings.set("view/theme", name)
        self.show_theme(contrasted(THEMES[name]) if self.presenting.is_on else THEMES[name])

    def show_bars(self, shown: bool) -> None:
        """Show the bar at the top and the one under the graph, or the graph without them."""
        self.transport.setVisible(shown)
        bar = self.menuWidget()
        if bar is not None:
            bar.setVisible(shown)

    def set_letters(self, factor: float) -> None:
        """Write larger or smaller over and around the graph, as a projector asks for."""
        self.view.set_bare(factor > 1)
        self._write_graph(ON_PROJECTOR if factor > 1 else replace(ON_SCREEN, has_numbers=self._has_numbers))
        self.messages.set_letters(factor)
        self.remark.setFont(application_font("small" if factor > 1 else "body", factor))
        self._place_messages()

    def show_numbers(self, shown: bool) -> None:
        """Let cards have room for the numbers of small arrays, or for colours alone, as on a projector."""
        self._has_numbers = shown
        if not self.presenting.is_on:
            self._write_graph(replace(ON_SCREEN, has_numbers=shown))

    def _write_graph(self, letters: Letters) -> None:
        """Draw the graph anew with other letters."""
        if letters != self.scene.letters:
            self.scene.set_letters(letters)
            self._drawn = None
            self._show_graph()
            self.scene.select(self.session.selection)

    def show_theme(self, theme: Theme) -> None:
        """Show everything in a theme, which is not remembered."""
        self.theme: Theme = theme
        apply_theme(_application(), self.theme)
        for part in (
            self.controls,
            self.transport,
            self.messages,
            self.scene,
            self.strip,
            self.predicting,
            *self.panels.values(),
        ):
            part.set_theme(self.theme)
        if self._overlay is not None:
            self._overlay.set_theme(self.theme)

    def _theme_name(self) -> str:
        name = self.settings.get("view/theme")
        if name in THEMES:
            return name
        dark = QApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
        return "dark" if dark else "light"

    def ask_step(self) -> None:
        """Let the user type a step's number or a command."""
        self._open_search("")

    def search_commands(self) -> None:
        """Let the user look for a command by name."""
        self._open_search("")

    def _open_search(self, text: str) -> None:
        self.close_overlay()
        items = [
            (row.id, self.actions_by_id[row.id].text(), _keys_text(row), row.enabled(self.session))
            for row in ACTIONS
        ]
        items += [(f"{FAULT}{fault.name}", f"Fault: {fault.title}", "", True) for fault in CLINIC]
        names, steps = list(self.session.statics.names), len(self.session.trace.steps)
        search = CommandSearch(self.theme, items, names, self, steps=steps)
        search.chosen.connect(self._do_command)
        search.go_to.connect(self.session.go)
        search.find_node.connect(self._find_node)
        self._open_overlay(search)

    def _do_command(self, command: str) -> None:
        """Do what was chosen in the search: an action, or a fault to be put in."""
        if command.startswith(FAULT):
            below = self.menu_button.mapToGlobal(self.menu_button.rect().bottomLeft())
            self._faults.put_in(command.removeprefix(FAULT), below)
        else:
            self.actions_by_id[command].trigger()

    def _find_node(self, name: str) -> None:
        self.session.select(name)
        self.view.bring_into_sight(self.scene.node_rect(name))

    def nudge(self) -> None:
        """Show the nudge test of what is selected, or end it."""
        if self.session.nudge_test() is not None:
            self.show_dock("step")

    def _mark_number(self, link: Link) -> None:
        """Let a number that was clicked be typed over, unless digits are an answer or the room's."""
        if not self.presenting.is_on and not self.practice.wants_answer:
            self.view.mark_number(link)

    def _edit(self, link: Link, text: str | None = None) -> None:
        """Open the number in the inspector that was double-clicked on its card, or is typed onto it."""
        self.session.select(link.name)
        self.show_dock("inspector")
        panel: Any = self.panels["inspector"]
        panel.make_up()
        panel.edit(link.entry if link.part == "value" else None, text, None if text is None else self.view)

    def show_keys(self) -> None:
        """Show every key, or put the sheet away."""
        if isinstance(self._overlay, KeySheet):
            self.close_overlay()
            return
        self.close_overlay()
        rows = [(row.group, _keys_text(row), row.text) for row in ACTIONS if row.keys]
        self._open_overlay(KeySheet(self.theme, rows, self))

    def page(self, direction: int) -> None:
        """Go on or back as a clicker asks: an iteration, or where it presents, the next thing."""
        if not self.presenting.is_on:
            self.session.step_iteration(direction)
        elif direction > 0:
            self.presenting.advance()
        else:
            self.presenting.back()

    def show_course(self) -> None:
        """Show the lessons there are, or put the list away."""
        if isinstance(self._overlay, Course):
            self.close_overlay()
            return
        course = Course(self.theme, self.teaching.rows(), self)
        course.chosen.connect(self.teaching.open)
        course.file_requested.connect(self._open_lesson)
        self.show_overlay(course)

    def _open_lesson(self) -> None:
        self._ask_open("Open a lesson", "Lessons (*.toml)", self.teaching.open)

    def _ask_open(self, title: str, filters: str, done: Callable[[str], object]) -> None:
        """Let the user choose a file, and remember its folder."""

        def take(path: str) -> None:
            self.settings.set("files/folder", str(Path(path).parent))
            done(path)

        ask_open(self, title, self.settings.get("files/folder"), filters, take)

    @property
    def overlay(self) -> Overlay | None:
        """What lies over the window now: the key sheet, the command search."""
        return self._overlay

    def show_overlay(self, overlay: Overlay) -> None:
        """Lay something over the window, in the place of what lies there."""
        self.close_overlay()
        self._open_overlay(overlay)

    def _open_overlay(self, overlay: Overlay) -> None:
        self._overlay = overlay
        overlay.destroyed.connect(lambda: self._forget_overlay(overlay))
        overlay.open_over()

    def close_overlay(self) -> None:
        """Take away what lies over the window, if anything does."""
        if self._overlay is not None:
            self._overlay.close()
            self._overlay = None

    def _forget_overlay(self, overlay: QWidget) -> None:
        if self._overlay is overlay:
            self._overlay = None

    def _focus_graph(self) -> None:
        """Give the keys to the graph, unless something lies over it that asks for them."""
        if self._overlay is None:
            self.view.setFocus()

    @property
    def unread(self) -> str:
        """The formula's text where it cannot be read as it stands; else nothing."""
        panel: Any = self.panels.get("formula")
        return panel.unread if panel is not None else ""

    @property
    def is_half_typed(self) -> bool:
        """Whether the formula, or what is given for its names, cannot be read as it stands."""
        panel: Any = self.panels.get("formula")
        return panel is not None and panel.is_half_typed

    @property
    def refused(self) -> tuple[str, ...]:
        """The names in the formula whose field holds a text that is no value."""
        panel: Any = self.panels.get("formula")
        return panel.refused if panel is not None else ()

    def view_state(self) -> dict[str, Any]:
        """Return what a session's file keeps of the window: its docks, and what was chosen in them."""
        panels = {name: panel.choices() for name, panel in self.panels.items()}
        return {
            "docks": docks_state(self, self.docks),
            "panels": {name: choices for name, choices in panels.items() if choices},
            "lab": self._is_lab,
            "small": self.is_small,
            "camera": self.view.camera(),
        }

    def seen(self) -> WindowLook:
        """Return how the window stands, for a picture of it."""
        kept = {key: self.settings.get(key) for key in SEEN}
        return WindowLook((self.width(), self.height()), self.view_state(), kept, self.teaching.held())

    def show_view(self, view: Mapping[str, Any]) -> None:
        """Put the docks where a session's file says, choose in them what it says, and look at what it says.

        Before the window is shown it has no size: then this is done when it has one.
        """
        if not self.isVisible():
            self._awaited = view
            return
        self.build_late()
        self._is_lab = view.get("lab") is True
        # docks that stand behind one tab bar have nothing to say about those that do not
        is_alike = (view.get("small") is True) == self.is_small
        (restore_docks if is_alike else show_docks)(self, self.docks, view.get("docks"))
        panels = view.get("panels")
        for name, choices in panels.items() if isinstance(panels, dict) else ():
            if name in self.panels and isinstance(choices, dict):
                self.panels[name].choose_again(choices)
        self._has_own_sizes = True
        self.view.look_again(view.get("camera"))

    def _show_awaited(self) -> None:
        view, self._awaited = self._awaited, None
        if view is not None:
            self.show_view(view)

    def copy_network(self) -> None:
        """Put the network on the clipboard as text."""
        self.filing.copy(QApplication.clipboard().setText)

    def paste_network(self) -> None:
        """Open the network whose text is on the clipboard."""
        self.filing.paste(QApplication.clipboard().text())

    def keep_work(self, folder: Path) -> None:
        """Keep what is unsaved in a folder from now on, and offer what was left there."""
        self.recovery, self.lesson_recovery = Recovery(self, folder), LessonRecovery(self, folder)
        self.recovery.look()
        self.lesson_recovery.look()

    def end_at_once(self) -> None:
        """Close without a question; what is unsaved is offered at the next start."""
        if self.recovery is not None:
            self.recovery.keep_now()
        if self.lesson_recovery is not None:
            self.lesson_recovery.keep_now()
        self.filing.give_up()
        self.authoring.give_up()
        self.close()

    def open_data(self) -> None:
        """Let the user choose a file of data."""
        endings = " ".join(f"*{ending}" for ending in DATA_ENDINGS)
        self._ask_open("Open data", f"Data ({endings});;All files (*)", self.choose_data)

    def choose_data(self, path: str = "") -> None:
        """Let the user choose data, from a file or from those in use; nothing changes until Apply."""
        if path and isinstance(self._overlay, DataChoice):
            self._overlay.open_data(path)
            return
        self.close_overlay()
        panel: Any = self.panels.get("formula")
        typed = panel.typed if panel is not None else None
        choice = DataChoice(self.session, self.theme, self, path, typed)
        choice.open_requested.connect(self.open_data)
        choice.applied.connect(self.view.setFocus)
        self._open_overlay(choice)

    def export(self) -> None:
        """Choose what is written of this step, or of all of them; nothing is written until Export."""
        from gui.export_choice import ExportChoice  # with it come all formats

        choice = ExportChoice(self.session, self.settings, self.theme, self)
        choice.written.connect(self.notifier.info)
        choice.browse_requested.connect(lambda name: self._browse_export(choice, name))
        self.show_overlay(choice)

    def copy_picture(self) -> None:
        """Put the graph at this step on the clipboard, as vectors and as pixels."""
        from gui.clipboard import copied  # with it come all formats of pictures
        from gui.export import graph_picture

        QApplication.clipboard().setMimeData(copied(graph_picture(self.session, self.theme)))
        self.notifier.info("Copied this step as a picture.")

    def _browse_export(self, choice: Any, name: str) -> None:
        ask_save(self, "Export", name, "", lambda path, _: choice.set_path(path), confirms=False)

    def export_curves(self) -> None:
        """Write the curves of all runs to a CSV file."""
        start = str(
            Path(self.settings.get("files/folder")) / f"{self.session.document.network.name}-runs.csv"
        )

        def write(path: str, _: str) -> None:
            self.settings.set("files/folder", str(Path(path).parent))
            panel: Any = self.panels["loss"]
            panel.write_csv(Path(path if Path(path).suffix else f"{path}.csv"))

        ask_save(self, "Export the curves", start, "CSV (*.csv)", write)

    def edit_formula(self) -> None:
        """Bring the formula to the front, ready to be typed in."""
        self.build_late()
        self.show_dock("formula")
        panel: Any = self.panels["formula"]
        panel.focus_text()

    def new_network(self) -> None:
        """Begin a network: a blank formula, ready to be typed over."""
        self.edit_formula()
        panel: Any = self.panels["formula"]
        panel.begin()

    def race(self) -> None:
        """Let every optimizer race from here, each with its own settings."""
        self.show_dock("loss")
        self.session.race(all_optimizers(self.session.document.recipe).recipes)

    def toggle_search(self) -> None:
        """Sample parameters at random, or stop."""
        if self.session.searching:
            self.session.stop_search()
        else:
            self.session.start_search()

    def _do(self, action: Callable[[], object], done: str) -> None:
        try:
            action()
        except BackstepError as error:
            self.notifier.error(str(error))
        else:
            self.notifier.info(done)

    # --- Qt's own ---

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep shortcuts away from fields that are being edited, and Space with a focused button."""
        if event.type() == QEvent.Type.Paint and watched is self.view.viewport():
            watched.removeEventFilter(self)
            soon(self, self.build_late)  # the picture first, what it does not need after it
            return False
        if event.type() in _MOVES and watched in (self.view, self.messages):
            self._place_messages()
        if event.type() == QEvent.Type.KeyPress and isinstance(watched, QAbstractSpinBox):
            assert isinstance(event, QKeyEvent)
            if event.key() in _LEAVING:
                soon(self, self.view.setFocus)  # the number is in: the keys step again
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            if _is_edited(watched) and _is_for_window(event):
                event.ignore()  # the field would take what it knows from other systems, as Ctrl+K
                return True
            if _keeps(watched, event):
                event.accept()
                return True
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.presenting.is_on:
            self.presenting.end()
        else:
            super().keyPressEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._fresh:
            self._fresh = False
            if self.is_small:
                self._stack_docks()
            self._size_docks()
        self._say_document()
        self.view.setFocus()
        self.view.viewport().installEventFilter(self)
        if self._awaited is not None:
            soon(self, self._show_awaited)  # a window that is maximised has its size only then

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._is_closed:  # a window that has closed may be told to once more
            super().closeEvent(event)
            return
        self.presenting.end()  # no question on the projector
        if not self.filing.close() or not self.authoring.close():
            event.ignore()
            return
        self.practice.close()
        if self.recovery is not None:
            self.recovery.close()
        if self.lesson_recovery is not None:
            self.lesson_recovery.close()
        for part in (self.authoring, self.teaching, self.practice):
            part.leave_place()  # none of them is there at the next start
        self.settings.set("window/geometry", self.saveGeometry().data())
        self.settings.set("window/state", self.saveState().data())
        self.settings.save()
        self._is_closed = True
        _application().focusChanged.disconnect(self._guard)
        self.presenting.hide_speaker()  # it may be shown without presenting, and would stand alone
        self.session.close()
        super().closeEvent(event)

    def minimumSizeHint(self) -> QSize:
        return QSize(512, 288)


_ABOUT: Mapping[str, tuple[str, About]] = {
    "step": ("info", "step"),
    "reached": ("info", "end"),
    "stopped": ("error", "end"),
}
"""The level of a notice and what it speaks of, for kinds that are no level themselves."""
_WITH_CACHE = ("step", "equations", "microscope")
_MOVES = (QEvent.Type.Resize, QEvent.Type.Show, QEvent.Type.Hide, QEvent.Type.LayoutRequest)
_LEAVING = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape)
_READS = ("File", "Exercises")
"""Groups of actions that the formula has to be read for: what is written, left or asked about."""
_SIGNS = (Qt.Key.Key_Plus, Qt.Key.Key_Minus, Qt.Key.Key_Equal)
_PRESSING = (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter)


def _set_bare(dock: QDockWidget, bare: bool) -> None:
    """Take a dock's title bar away, or give it Qt's own; one that is replaced would stay over it."""
    before = dock.titleBarWidget()
    if bare == (before is not None):
        return
    dock.setTitleBarWidget(QWidget(dock) if bare else None)  # type: ignore[arg-type]  (None: Qt's own)
    if before is not None:
        before.hide()
        before.deleteLater()


def _application() -> QApplication:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    return app


def _is_edited(widget: QObject) -> bool:
    """Say whether keys belong to a field that is being edited."""
    if isinstance(widget, QPlainTextEdit):
        return not widget.isReadOnly()
    return isinstance(widget, QLineEdit | QAbstractSpinBox) or (
        isinstance(widget, QComboBox) and widget.isEditable()
    )


def _wants_keys(widget: QObject) -> bool:
    return isinstance(widget, QAbstractButton | QComboBox) or _is_edited(widget)


def _keeps(watched: QObject, event: QKeyEvent) -> bool:
    """Say whether a key belongs to the widget that has the focus rather than to a shortcut."""
    presses = isinstance(watched, QAbstractButton | QComboBox) and event.key() in _PRESSING
    return presses or _is_edited(watched)


@cache
def _window_keys() -> frozenset[QKeyCombination]:
    """Return the shortcuts that are done also while a field is edited."""
    keys = (keys for row in ACTIONS for keys in row.keys if works_while_typing(keys))
    return frozenset(QKeySequence(text)[0] for text in keys)  # type: ignore[index]


def _is_for_window(event: QKeyEvent) -> bool:
    """Say whether a key is a shortcut also in a field; Shift may be held to type a sign."""
    modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    key = Qt.Key(event.key())
    if modifiers & Qt.KeyboardModifier.ShiftModifier and key in _SIGNS:
        modifiers &= ~Qt.KeyboardModifier.ShiftModifier
    return QKeyCombination(modifiers, key) in _window_keys()


def _focus_by_tab(root: QWidget) -> None:
    """Let a click on a button leave the focus with the graph, so that Space goes on playing."""
    for button in (root, *root.findChildren(QAbstractButton)):
        if isinstance(button, QAbstractButton) and button.focusPolicy() == Qt.FocusPolicy.StrongFocus:
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)


def _keys_text(row: Action) -> str:
    native = QKeySequence.SequenceFormat.NativeText
    return QKeySequence(row.keys[0]).toString(native) if row.keys else ""
