"""The real window, driven with real keys and clicks."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPointF, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QSpinBox
from pytestqt.qtbot import QtBot

from engine.faults import FAULTS, FaultAt, Stage
from engine.graph import Detail
from engine.trace import trace
from graphs.network import bind, built_in_names, load
from graphs.templates import template
from gui import equations
from gui.actions import ACTIONS, works_while_typing
from gui.app import make_window, temporary_settings
from gui.garbage import Collector
from gui.panels.equations_dock import EquationsPanel
from gui.scene.graph_view import KEY_HEIGHT
from gui.window import CAPTION, DOCKS, Window
from tests.gui.conftest import OpenWindow, discard
from tests.gui.test_session import made
from tests.gui.waiting import wait_until_settled

KEY = Qt.Key
SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


def press(
    qtbot: QtBot, window: Window, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
) -> None:
    qtbot.keyClick(QApplication.focusWidget() or window, key, modifier)


def test_it_opens_paused_on_the_two_layer_network_with_real_data(window: Window) -> None:
    assert window.session.document.network.name == "two-layer-nonlinear"
    assert window.session.position == 0
    assert not window.session.playing
    assert not window.session.training
    assert window.session.model.examples == 133
    assert "Two-layer nonlinear network" in window.windowTitle()


@pytest.mark.parametrize("name", built_in_names())
@pytest.mark.parametrize("detail", list(Detail))
def test_right_to_the_end_and_left_to_the_start_shows_the_numbers_of_the_trace(
    qtbot: QtBot, window: Window, name: str, detail: Detail
) -> None:
    session = window.session
    session.open(name)
    session.set_detail(detail)
    model = bind(load(name))
    wanted = trace(model.graph, model.leaves, detail)
    for step in wanted.steps:
        press(qtbot, window, KEY.Key_Right)
        shown = window.scene.view.nodes[step.target]
        number = shown.gradient if step.phase in ("seed", "backward") else shown.value
        assert number is not None
        np.testing.assert_array_equal(number, step.after)
    while session.position < len(session.trace.steps):
        press(qtbot, window, KEY.Key_Right)
    press(qtbot, window, KEY.Key_Right)
    assert session.position == len(session.trace.steps)
    while session.position:
        press(qtbot, window, KEY.Key_Left)
    press(qtbot, window, KEY.Key_Left)
    views = window.scene.view.nodes.values()
    assert all(view.gradient is None for view in views)
    assert {view.name for view in views if view.value is not None} == {
        *model.graph.inputs,
        *model.graph.parameters,
    }


def test_every_action_has_a_key_of_its_own_or_none() -> None:
    keys = [key for action in ACTIONS for key in action.keys]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    ("key", "modifier", "position"),
    [
        (KEY.Key_End, Qt.KeyboardModifier.NoModifier, 18),
        (KEY.Key_Right, CTRL, 4),
        (KEY.Key_Right, SHIFT, 1),
    ],
)
def test_keys_move_by_node_by_phase_and_to_the_end(
    qtbot: QtBot, window: Window, key: Qt.Key, modifier: Qt.KeyboardModifier, position: int
) -> None:
    press(qtbot, window, key, modifier)
    assert window.session.position == position
    press(qtbot, window, KEY.Key_Home)
    assert window.session.position == 0


def test_the_clicker_walks_through_iterations_and_back(qtbot: QtBot, window: Window) -> None:
    press(qtbot, window, KEY.Key_End)
    before = window.session.frame.values["W1"]
    press(qtbot, window, KEY.Key_PageDown)
    press(qtbot, window, KEY.Key_PageDown)
    assert window.session.iteration == 2
    assert window.session.position == 18
    press(qtbot, window, KEY.Key_PageUp)
    press(qtbot, window, KEY.Key_PageUp)
    assert window.session.iteration == 0
    np.testing.assert_array_equal(window.session.frame.values["W1"], before)


def test_no_key_of_the_graph_fires_while_a_field_is_being_edited(qtbot: QtBot, window: Window) -> None:
    field = next(f for f in window.controls.findChildren(QLineEdit) if f.isVisible() and f.isEnabled())
    field.setFocus()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is field)
    for key in (
        KEY.Key_Right,
        KEY.Key_Space,
        KEY.Key_T,
        KEY.Key_R,
        KEY.Key_PageDown,
        KEY.Key_End,
    ):
        qtbot.keyClick(field, key)
    assert window.session.position == 0
    assert window.session.iterations == 0
    assert not window.session.playing
    assert not window.session.training


@pytest.mark.parametrize(
    "keys", sorted({keys for row in ACTIONS for keys in row.keys if works_while_typing(keys)})
)
def test_keys_that_no_text_has_work_while_one_is_edited(shared_window: Window, keys: str) -> None:
    """With the others nothing but the text changes; what the window does is another test's matter."""
    window, done = shared_window, []
    window.edit_formula()
    row = next(row for row in ACTIONS if keys in row.keys)
    action = window.actions_by_id[row.id]
    was_enabled = action.isEnabled()
    action.triggered.disconnect()
    action.triggered.connect(lambda: done.append(row.id))
    action.setEnabled(True)
    field = window.panels["formula"].text  # type: ignore[attr-defined]
    text = field.toPlainText()
    QTest.keySequence(field, QKeySequence(keys))
    assert done == [row.id]
    assert field.toPlainText() == text
    action.triggered.disconnect()
    action.triggered.connect(lambda: window._run(row))
    action.setEnabled(was_enabled)


def test_no_key_reaches_the_window_from_a_field_that_lies_over_it(qtbot: QtBot, window: Window) -> None:
    theme = window.theme
    window.search_commands()
    search = window.overlay
    for key in (KEY.Key_N, KEY.Key_D, KEY.Key_S):
        press(qtbot, window, key, CTRL)
    assert (window.overlay, window.theme) == (search, theme)
    assert window.session.document.network.name == "two-layer-nonlinear"


def test_what_lay_over_the_window_gives_the_focus_back_once(window: Window) -> None:
    window.edit_formula()
    text = QApplication.focusWidget()
    window.choose_data()
    overlay = window.overlay
    assert overlay is not None
    overlay.close()
    assert QApplication.focusWidget() is text
    window.view.setFocus()
    window.session.set_learning_rate(0.5)  # it is told to close again before it is deleted
    assert window.view.hasFocus()


def test_a_text_keeps_the_keys_it_knows(qtbot: QtBot, window: Window) -> None:
    session = window.session
    session.set_learning_rate(0.25)
    session.go(5)
    window.edit_formula()
    field = window.panels["formula"].text  # type: ignore[attr-defined]
    text = field.toPlainText()
    field.selectAll()
    for key in (KEY.Key_C, KEY.Key_X, KEY.Key_V, KEY.Key_A):
        qtbot.keyClick(field, key, CTRL)
    assert field.toPlainText() == text
    assert field.textCursor().selectedText() != ""
    qtbot.keyClick(field, KEY.Key_Z, CTRL)  # of the text: what was pasted goes
    assert field.toPlainText() == ""
    qtbot.keyClick(field, KEY.Key_Z, CTRL)
    assert field.toPlainText() == text
    qtbot.keyClick(field, KEY.Key_Right, CTRL)
    qtbot.keyClick(field, KEY.Key_Home)
    qtbot.keyClick(field, KEY.Key_R, SHIFT)
    assert (session.position, session.document.seed, session.document.learning_rate) == (5, 0, 0.25)


def test_space_plays_and_a_click_on_a_button_leaves_space_to_play(qtbot: QtBot, window: Window) -> None:
    qtbot.mouseClick(window.transport.buttons["forward"], Qt.MouseButton.LeftButton)
    assert window.session.position == 1
    press(qtbot, window, KEY.Key_Space)
    assert window.session.playing
    press(qtbot, window, KEY.Key_Space)
    assert not window.session.playing


def test_a_click_on_a_card_opens_it_in_the_inspector(qtbot: QtBot, window: Window) -> None:
    place = window.view.mapFromScene(window.scene.node_rect("W1").center())
    qtbot.mouseClick(window.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert window.session.selection == "W1"


def test_the_layout_stays_while_stepping_and_comes_back_with_the_detail(qtbot: QtBot, window: Window) -> None:
    places = {name: window.scene.node_rect(name) for name in window.session.statics.names}
    for _ in range(12):
        press(qtbot, window, KEY.Key_Right)
    assert {name: window.scene.node_rect(name) for name in places} == places
    press(qtbot, window, KEY.Key_D)
    assert window.session.detail == Detail.PRIMITIVE
    press(qtbot, window, KEY.Key_D)
    assert {name: window.scene.node_rect(name) for name in places} == places


def test_the_last_mini_batch_though_smaller_leaves_the_graph_where_it_is(window: Window) -> None:
    session = window.session
    session.set_batch_size(100)  # of 133 examples
    for _ in range(3):
        session.step_training()
    session.go_to_iteration(0)
    window.view.scale(1.3, 1.3)
    sight, shapes = window.view.transform(), {}
    for iteration in (0, 1, 2, 3):
        session.go_to_iteration(iteration)
        assert window.view.transform() == sight
        shapes[iteration] = window.scene.view.nodes["X"].shape
    assert len(set(shapes.values())) == 2


def test_whoever_hides_a_number_of_a_new_network_has_its_graph_drawn(window: Window) -> None:
    session = window.session
    session.document_changed.connect(lambda: session.set_hidden(frozenset(("L",))))
    for change in (lambda: session.open("logistic-regression"), session.undo):
        change()
        assert set(window.scene.view.nodes) == set(session.statics.names)


def test_training_runs_beside_the_window_and_the_graph_follows(qtbot: QtBot, window: Window) -> None:
    window.session.train(40)
    qtbot.waitUntil(lambda: not window.session.training and window.session.iteration == 40, timeout=20_000)
    assert len(window.session.losses) == 41
    assert window.session.losses[-1] < window.session.losses[0]
    window.session.last()
    shown = window.scene.view.nodes["L"].value
    assert shown is not None
    assert float(shown) == pytest.approx(
        window.session.losses[40], rel=1e-12
    )  # plan and interpreter round apart


def test_a_diverging_run_says_which_node_and_what_to_do(qtbot: QtBot, window: Window) -> None:
    window.session.open("multivariate-regression")
    window.session.set_learning_rate(1000.0)
    window.session.train(5000)
    qtbot.waitUntil(
        lambda: window.session.run.diverged is not None and not window.session.training, timeout=20_000
    )
    qtbot.waitUntil(lambda: window.messages.current is not None and window.messages.current.level == "error")
    message = window.messages.current
    assert message is not None
    text = message.text
    assert "no longer a finite number" in text
    assert "smaller learning rate" in text


def test_an_error_of_an_old_document_does_not_stay_for_a_new_one(qtbot: QtBot, window: Window) -> None:
    window.session.set_learning_rate(-1.0)
    assert window.messages.current is not None
    assert window.messages.current.level == "error"
    window.session.open("univariate-regression")
    assert window.messages.current is None or window.messages.current.level != "error"


def test_f1_shows_every_key_and_escape_puts_the_sheet_away(qtbot: QtBot, window: Window) -> None:
    press(qtbot, window, KEY.Key_F1)
    sheet = window.overlay
    assert sheet is not None
    assert sheet.isVisible()
    qtbot.keyClick(QApplication.focusWidget() or sheet, KEY.Key_Escape)
    qtbot.waitUntil(lambda: window.overlay is None)
    press(qtbot, window, KEY.Key_Right)
    assert window.session.position == 1


def test_the_command_search_goes_to_a_step(qtbot: QtBot, window: Window) -> None:
    press(qtbot, window, KEY.Key_G, CTRL)
    field = QApplication.focusWidget()
    assert isinstance(field, QLineEdit)
    qtbot.keyClicks(field, "14")
    qtbot.keyClick(field, KEY.Key_Return)
    assert window.session.position == 14


@pytest.mark.parametrize("theme", ["dark", "light", "print"])
def test_every_theme_can_be_put_on(window: Window, theme: str) -> None:
    window.set_theme(theme)
    window.settle()
    corner = window.grab().toImage().pixelColor(window.view.pos().x() + 300, window.height() // 3)
    assert corner.isValid()
    assert window.theme.name == theme


def test_the_window_remembers_its_layout(open_window: OpenWindow) -> None:
    settings = temporary_settings()
    first = open_window(settings=settings)
    first.docks["code"].hide()
    first.docks["inspector"].hide()
    first.close()
    second = open_window(settings=settings)
    assert second.docks["inspector"].isHidden()
    assert not second.docks["step"].isHidden()
    second.close()


def test_opening_another_network_while_one_trains_shows_nothing_of_the_old(
    qtbot: QtBot, window: Window
) -> None:
    window.session.train(100_000)
    qtbot.waitUntil(lambda: window.session.iterations > 5, timeout=20_000)
    window.session.open("scalar-operations")
    assert window.session.iterations == 0
    assert not window.session.training
    assert set(window.scene.view.nodes) == set(load("scalar-operations").parameters) | {
        line.name for line in window.session.model.graph.lines
    }


def test_after_a_number_of_iterations_the_keys_step_again(qtbot: QtBot, window: Window) -> None:
    field = window.panels["loss"].findChild(QSpinBox)
    assert field is not None
    for leave in (KEY.Key_Return, KEY.Key_Escape):
        before = window.session.position
        field.setFocus()
        qtbot.waitUntil(lambda: field.hasFocus())
        qtbot.keyClick(field, leave)
        qtbot.waitUntil(lambda: window.view.hasFocus())
        press(qtbot, window, KEY.Key_Right)
        assert window.session.position == before + 1


def test_a_step_past_the_end_says_how_to_go_on(qtbot: QtBot, window: Window) -> None:
    press(qtbot, window, KEY.Key_End)
    press(qtbot, window, KEY.Key_Right)
    assert window.messages.current is not None
    assert "PgDn" in window.messages.current.text
    assert window.session.position == 18

    press(qtbot, window, KEY.Key_Left)  # what it speaks of is no longer on the screen
    assert window.messages.current is None or "PgDn" not in window.messages.current.text


def test_how_a_training_ended_is_said_as_long_as_its_end_is_shown(qtbot: QtBot, window: Window) -> None:
    window.session.open("univariate-regression")
    window.session.set_learning_rate(1e150)
    window.session.train(50)
    qtbot.waitUntil(lambda: window.messages.current is not None and "finite" in window.messages.current.text)
    assert window.session.iteration == window.session.iterations > 0
    press(qtbot, window, KEY.Key_Right)
    assert window.messages.current is not None
    press(qtbot, window, KEY.Key_PageUp)
    assert window.messages.current is None
    press(qtbot, window, KEY.Key_PageDown)
    window.session.train(1)  # the run has ended: said again
    assert window.messages.current is not None
    press(qtbot, window, KEY.Key_R)
    assert window.session.iterations == 0
    assert window.messages.current is None


LONG = (
    "line 2, column 5: W1 and X: the shapes (1, 3) and (4, 333) do not fit for @: 3 columns meet 4 rows. " * 2
)


@pytest.mark.parametrize("detail", list(Detail))
@pytest.mark.parametrize("size", [(1280, 720), (1100, 640)])
def test_a_message_covers_no_card(open_window: OpenWindow, detail: Detail, size: tuple[int, int]) -> None:
    window = open_window(size=size)
    for name in built_in_names():
        window.session.open(name)
        window.session.set_detail(detail)
        window.settle()
        window.notifier.error(LONG)
        bar = window.messages.geometry()
        cards = [
            window.view.mapFromScene(window.scene.node_rect(n)).boundingRect()
            for n in window.session.statics.names
        ]
        assert not any(bar.intersects(card) for card in cards), name


def test_a_text_that_is_cut_beside_the_caption_takes_the_whole_width(open_window: OpenWindow) -> None:
    window = open_window(size=(1280, 720))
    window.notifier.error("Something that is wrong.")
    QApplication.processEvents()
    assert window.messages.x() > 0
    window.notifier.error(f"{LONG}{LONG[:70]}")
    QApplication.processEvents()
    assert (window.messages.x(), window.messages.width()) == (0, window.view.width())
    assert not window.messages.cuts(window.messages.width())
    window.messages.dismiss()
    QApplication.processEvents()
    assert window.messages.x() > 0


def test_a_message_covers_neither_the_words_of_the_step_nor_the_key(open_window: OpenWindow) -> None:
    window = open_window(size=(1280, 720))
    session = window.session
    session.open_network(template("residual"))
    widest = {}
    for position in range(len(session.trace.steps) + 1):
        session.go(position)
        widest[window.view.caption_width()] = position
    session.go(widest[max(widest)])
    assert max(widest) > CAPTION  # as where the last of several contributions comes
    window.notifier.info("Wrote report.md.")
    QApplication.processEvents()
    assert window.messages.x() >= window.view.caption_width()
    assert window.messages.geometry().bottom() < window.view.height() - KEY_HEIGHT


def test_where_a_card_of_the_step_was_moved_up_the_message_stands_below(window: Window) -> None:
    window.session.go(2)
    window.view.centerOn(window.scene.node_rect("A").center() + QPointF(0, 150))
    shown = window.view.mapFromScene(window.scene.node_rect("A")).boundingRect()
    window.view.verticalScrollBar().setValue(window.view.verticalScrollBar().value() + shown.top() - 4)
    shown = window.view.mapFromScene(window.scene.node_rect("A")).boundingRect()
    assert shown.top() < 30
    window.notifier.error("Something that is wrong.")
    window.session.go(2)
    QApplication.processEvents()
    assert not window.messages.geometry().intersects(shown)
    assert window.messages.geometry().bottom() < window.view.height() - KEY_HEIGHT


def test_a_small_window_keeps_every_panel_within_reach(open_window: OpenWindow) -> None:
    window = open_window(size=(768, 432))  # 1920 x 1080 at 250 %
    assert (window.width(), window.height()) == (768, 432)
    shown = {window.docks[row.id] for row in DOCKS if row.shown and row.id != "step"}
    assert set(window.tabifiedDockWidgets(window.docks["step"])) == shown
    assert window.view.height() > 250
    window.resize(1600, 900)
    window.restore_panels()
    assert window.docks["inspector"] not in window.tabifiedDockWidgets(window.docks["step"])
    window.close()


def test_restoring_the_panels_leaves_the_window_as_large_as_it_was(open_window: OpenWindow) -> None:
    window = open_window(size=(1280, 720))
    for _ in range(2):
        window.restore_panels()
        window.settle()
        assert (window.width(), window.height()) == (1280, 720)
        assert all(window.docks[row.id].isVisible() == row.shown for row in DOCKS)
        assert set(window.tabifiedDockWidgets(window.docks["loss"])) == {
            window.docks[row.id] for row in DOCKS if row.stacked == "loss"
        }
    window.close()


def _free() -> None:
    """Free what has been let go, as the window does when it has nothing to do."""
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QApplication.processEvents()
    Collector().look_at_all()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def _used_and_closed(source: str | None, folder: Path) -> list[weakref.ref[Any]]:
    """Open a window, use much of it, and close it; return what tells whether it and its session are there."""
    window = make_window(source, temporary_settings())
    window.keep_work(folder)
    window.show()
    window.settle()
    for dock in window.docks:
        window.show_dock(dock)
    window.session.select("W1")
    window.session.step_training()
    for show in (window.show_keys, window.choose_data, window.export, window.search_commands):
        show()
    window.presenting.begin(is_full=False)
    window.presenting.show_speaker()
    discard(window)
    return [weakref.ref(window), weakref.ref(window.session)]


def test_more_formulas_than_can_be_kept_come_to_an_end(
    qtbot: QtBot, open_window: OpenWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where each formula that is set drives out another that is wanted, the window is not at it for ever."""
    lines = ["h0 = w * x", *(f"h{i} = sin(w * h{i - 1})" for i in range(1, 25)), "L = sum(h24 * h24)"]
    text = "\n".join(lines)
    path = tmp_path / "chain.toml"
    path.write_text(f'formula = """\n{text}\n"""\nparameters = {{ w = 0.5 }}\ndata = {{ x = [1.0, 2.0] }}\n')
    monkeypatch.setattr(equations, "CACHED", 40)
    window = open_window(path)
    window.show_dock("microscope")
    window.session.select("w")
    window.settle()
    qtbot.waitUntil(lambda: not window.cache.is_busy, timeout=60_000)
    equations_dock = window.panels["equations"]
    assert isinstance(equations_dock, EquationsPanel)
    assert any(not isinstance(row, str) for row in equations_dock.view.rows_in_sight())


def test_windows_that_have_closed_leave_nothing(qapp: QApplication, tmp_path: Path) -> None:
    for source in (None, "two-layer-linear", None):
        _free()
        before = len(qapp.allWidgets())
        left = _used_and_closed(source, tmp_path)
        _free()
        assert [ref() for ref in left] == [None, None]
        assert len(qapp.allWidgets()) == before


def test_documents_that_are_opened_by_turns_make_no_widgets(window: Window, qapp: QApplication) -> None:
    names = built_in_names()
    counts = set()
    for _ in range(3):
        for name in names:
            window.session.open(name)
            window.session.last()
            window.settle()
        _free()
        counts.add(len(qapp.allWidgets()))
    assert len(counts) == 1


class Changes:
    """Every kind of change that a user makes, by what the menu calls it."""

    def __init__(self, qtbot: QtBot, window: Window) -> None:
        self._qtbot = qtbot
        self._session = session = window.session
        window.build_late()
        self._panel: Any = window.panels["formula"]
        fault = next(fault for fault in FAULTS.values() if fault.stage == Stage.FACTOR)
        place = fault.places(session.model.graph)[0]
        faulty = FaultAt(fault.name, place.node, place.slot)
        self.all: list[tuple[str, Callable[[], object]]] = [
            ("Train", self.train),
            ("Start from these parameters", session.accept),
            ("Change b2", lambda: session.edit("b2", np.asarray(0.5))),
            ("Learning rate", lambda: session.set_learning_rate(0.05)),
            ("Batch size", lambda: session.set_batch_size(16)),
            ("Train", self.train),
            ("Reset", session.reset),
            ("Race", self.race),
            ("Remove ", lambda: session.remove_run(session.runs[0])),
            ("Random search", self.search),
            (f"Fault: {fault.title}", lambda: session.set_fault(faulty)),
            ("Take the fault out", lambda: session.set_fault(None)),
            ("Edit formula", lambda: self.edit_text(f"u = 2 * b2\n{self.text}")),
            ("Seed", session.new_seed),
            ("Edit formula", lambda: self.edit_text(self.reordered)),
            ("Open network", lambda: session.open("univariate-regression")),
        ]

    @property
    def text(self) -> str:
        return self._panel.text.toPlainText()

    @property
    def reordered(self) -> str:
        """The formula with two lines exchanged of which neither reads the other."""
        first, second, *rest = self.text.split("\n")
        return "\n".join([second, first, *rest])

    def train(self) -> None:
        self._session.train(5)
        wait_until_settled(self._session)

    def race(self) -> None:
        recipe = self._session.document.recipe
        self._session.race([replace(recipe, optimizer=name).checked() for name in ("gd", "adam")], 3)
        wait_until_settled(self._session)

    def search(self) -> None:
        self._session.start_search(50)
        self._qtbot.waitUntil(lambda: not self._session.searching, timeout=60_000)

    def edit_text(self, text: str) -> None:
        self._panel.text.put(text, True)
        self._panel.settle()


def test_every_kind_of_change_is_named_in_the_menu_and_taken_back(qtbot: QtBot, window: Window) -> None:
    session, undo, redo = window.session, window.actions_by_id["undo"], window.actions_by_id["redo"]
    changes = Changes(qtbot, window).all
    seen = [made(session)]
    for name, change in changes:
        change()
        assert undo.text().startswith(f"Undo: {name}"), name
        assert made(session) != seen[-1], name
        seen.append(made(session))
    for (name, _), wanted in zip(reversed(changes), reversed(seen), strict=False):
        assert undo.text().startswith(f"Undo: {name}")
        assert made(session) == wanted, name
        undo.trigger()
        assert redo.text().startswith(f"Redo: {name}")
    assert made(session) == seen[0]
    assert not undo.isEnabled()
    for name, _ in changes:
        redo.trigger()
        assert undo.text().startswith(f"Undo: {name}")
    assert made(session) == seen[-1]


def test_no_panel_makes_the_window_larger_than_a_small_screen(open_window: OpenWindow) -> None:
    window = open_window(size=(1280, 720))
    for row in DOCKS:
        if window.docks[row.id].isHidden():
            window.docks[row.id].toggleViewAction().trigger()  # the menu of panels
        window.docks[row.id].raise_()
        QApplication.processEvents()
        layout = window.layout()
        assert layout is not None
        least = layout.minimumSize()
        assert (window.width(), window.height()) == (1280, 720), row.id
        assert least.width() <= 1280, row.id
        assert least.height() <= 720, row.id
