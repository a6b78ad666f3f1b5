"""Files as a user meets them: opened, saved, left with a question, changed by others, sent to somebody."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from engine.graph import Detail
from engine.training import Recipe, Run
from graphs.carrying import CARRIERS
from graphs.documents import Options, formats
from graphs.network import bind, load
from graphs.reopening import carried_pairs
from graphs.snapshot import Snapshot
from gui.app import application, make_window, temporary_settings
from gui.data_choice import DataChoice
from gui.question import UnsavedQuestion
from gui.settings import Settings
from gui.window import Window
from tests.gui.dialogs import answer, dialog_of, no_dialog
from tests.gui.waiting import wait_until_settled

KEY = Qt.Key
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
LIMIT = 60_000
TEXT = """# for the lesson
title = "Line"   # its name
formula = \"\"\"
yhat = w * x + b
L = mse(yhat, y)
\"\"\"

[parameters]
w = 0.50  # slope
b = 1

[data]
file = "points.csv"
inputs = { x = ["a"] }
targets = { y = ["b"] }

[training]
learning_rate = 0.1 # careful
"""

Make = Callable[..., Window]
HEARD: dict[Window, list[str]] = {}


@pytest.fixture
def settings() -> Settings:
    application()
    settings = temporary_settings()
    settings.set("files/dialogs", "own")  # into which one can type
    return settings


@pytest.fixture
def make(qtbot: QtBot, settings: Settings) -> Iterator[Make]:
    made: list[Window] = []

    def build(source: Path | str | None = None, size: tuple[int, int] | None = None) -> Window:
        window = make_window(str(source) if source is not None else None, settings)
        qtbot.addWidget(window)
        if size is not None:
            window.resize(*size)
        heard = HEARD[window] = []
        window.notifier.message.connect(lambda said: heard.append(said.text))
        window.show()
        window.activateWindow()
        qtbot.waitUntil(lambda: window.isActiveWindow() and window.view.hasFocus(), timeout=LIMIT)
        window.build_late()
        QApplication.processEvents()
        made.append(window)
        return window

    yield build
    for window in made:
        window.session.close()
    HEARD.clear()


@pytest.fixture
def line(tmp_path: Path) -> Path:
    (tmp_path / "points.csv").write_text("a,b\n0,1\n1,3\n2,5\n")
    path = tmp_path / "line.toml"
    path.write_text(TEXT)
    return path


def press(qtbot: QtBot, window: Window, key: Qt.Key, modifier: Qt.KeyboardModifier | None = None) -> None:
    qtbot.keyClick(QApplication.focusWidget() or window, key, modifier or Qt.KeyboardModifier.NoModifier)


def type_text(text: str) -> None:
    field = QApplication.focusWidget()
    assert field is not None
    QTest.keyClicks(field, text)


def idle(qtbot: QtBot, window: Window) -> None:
    qtbot.waitUntil(lambda: not window.filing.is_busy, timeout=LIMIT)


def message(window: Window) -> str:
    """Return the last sentence that the user was told, notices about data aside."""
    told = [text for text in HEARD.get(window, ()) if "standardised" not in text]
    return told[-1] if told else ""


# --- saving ------------------------------------------------------------------------------------------------


def test_ctrl_s_writes_what_was_changed_into_the_file_it_came_from(
    qtbot: QtBot, make: Make, line: Path
) -> None:
    window = make(line)
    assert window.windowTitle() == "Line — line.toml[*] — Backstep"
    assert not window.isWindowModified()
    window.session.set_value("w", 0.25)
    assert window.isWindowModified()
    press(qtbot, window, KEY.Key_S, CTRL)
    idle(qtbot, window)
    assert message(window) == "Saved line.toml."
    assert line.read_text() == TEXT.replace("w = 0.50 ", "w = 0.25 ")
    assert not window.isWindowModified()
    while float(window.session.model.leaves["w"]) != 0.5:
        press(qtbot, window, KEY.Key_Z, CTRL)
    assert window.isWindowModified()
    press(qtbot, window, KEY.Key_Z, CTRL | SHIFT)
    assert not window.isWindowModified()


def test_ctrl_s_in_the_formula_saves_what_is_typed_so_far(
    qtbot: QtBot, make: Make, tmp_path: Path, settings: Settings
) -> None:
    settings.set("files/folder", str(tmp_path))
    window = make()
    press(qtbot, window, KEY.Key_N, CTRL)
    type_text("L = (a - 3)**2")
    press(qtbot, window, KEY.Key_S, CTRL)  # before the pause after which it is read
    assert dialog_of(qtbot, window).selectedFiles() == [str(tmp_path / "network.toml")]
    answer(qtbot, window, tmp_path / "mine")
    idle(qtbot, window)
    saved = tmp_path / "mine.toml"
    assert load(saved).formula.strip() == "L = (a - 3)**2"
    assert (load(saved).title, load(saved).description) == ("mine", "")
    assert window.windowTitle() == "mine.toml[*] — Backstep"
    assert not window.isWindowModified()
    window.edit_formula()
    press(qtbot, window, KEY.Key_Tab)  # into the field of a
    type_text("1/4")
    press(qtbot, window, KEY.Key_S, CTRL)  # without Enter
    idle(qtbot, window)
    assert float(bind(load(saved)).leaves["a"]) == 0.25


def save_as(qtbot: QtBot, window: Window, path: Path) -> None:
    """Press Ctrl+S where a name has to be given, and give it."""
    press(qtbot, window, KEY.Key_S, CTRL)
    answer(qtbot, window, path)
    idle(qtbot, window)


@pytest.mark.parametrize("name", ["blank", "two-layers"])
def test_what_is_begun_anew_does_not_replace_what_was_begun_before(
    qtbot: QtBot, make: Make, tmp_path: Path, name: str
) -> None:
    def begin(text: str) -> None:
        if name == "blank":
            press(qtbot, window, KEY.Key_N, CTRL)
        else:
            window.edit_formula()
            formula.begin(name)
        press(qtbot, window, KEY.Key_A, CTRL)
        type_text(text)

    window = make()
    formula: Any = window.panels["formula"]
    first, second = tmp_path / "mazur.toml", tmp_path / "other.toml"
    begin("L = (a - 3)**2")
    save_as(qtbot, window, first)
    kept = first.read_bytes()
    begin("L = (b - 5)**2")
    assert window.filing.path is None
    save_as(qtbot, window, second)
    assert first.read_bytes() == kept
    assert load(second).formula.strip() == "L = (b - 5)**2"
    while window.filing.path != first:  # back to the first network, which is saved in its own file
        window.session.undo()
    assert window.session.document.network.formula.strip() == "L = (a - 3)**2"
    assert not window.isWindowModified()
    window.session.set_value("a", 2)
    press(qtbot, window, KEY.Key_S, CTRL)
    idle(qtbot, window)
    assert message(window) == "Saved mazur.toml."
    assert float(bind(load(first)).leaves["a"]) == 2
    assert load(second).formula.strip() == "L = (b - 5)**2"


def test_undo_and_redo_go_between_the_files_of_networks_begun_blank(
    qtbot: QtBot, make: Make, tmp_path: Path
) -> None:
    window = make()
    for name, text in (("one", "L = (a - 3)**2"), ("two", "L = (b - 5)**2")):
        press(qtbot, window, KEY.Key_N, CTRL)
        type_text(text)
        save_as(qtbot, window, tmp_path / f"{name}.toml")
        assert window.controls.network.text() == name
        assert window.windowTitle() == f"{name}.toml[*] — Backstep"
    seen = []
    while window.session.undo_text:
        window.session.undo()
        seen.append((window.session.document.network.formula.strip(), window.filing.path))
    assert ("L = (a - 3)**2", tmp_path / "one.toml") in seen
    assert all((path == tmp_path / "two.toml") == ("b" in text) for text, path in seen if "L = (" in text)
    while window.session.redo_text:
        window.session.redo()
    assert window.filing.path == tmp_path / "two.toml"
    assert not window.isWindowModified()
    assert window.controls.network.text() == "two"


def test_ctrl_s_says_what_of_the_typed_is_not_in_the_file(qtbot: QtBot, make: Make, tmp_path: Path) -> None:
    saved = tmp_path / "mine.toml"
    saved.write_text("formula = 'L = (a - 3)**2'\nparameters = { a = 0.25 }\n")
    window = make(saved)
    window.edit_formula()
    press(qtbot, window, KEY.Key_Tab)  # into the field of a
    type_text("1/")
    press(qtbot, window, KEY.Key_S, CTRL)
    idle(qtbot, window)
    assert message(window) == "Saved mine.toml. What stands in the field a is no value, and is not in it."
    assert float(bind(load(saved)).leaves["a"]) == 0.25
    window.edit_formula()
    type_text(" + ")
    press(qtbot, window, KEY.Key_S, CTRL)
    idle(qtbot, window)
    assert "The formula cannot be read as it stands" in message(window)
    assert load(saved).formula.strip() == "L = (a - 3)**2"
    assert window.isWindowModified()


def test_a_long_formula_is_read_before_it_is_saved(qtbot: QtBot, make: Make, tmp_path: Path) -> None:
    path = tmp_path / "long.toml"
    lines = [f"x{i + 1} = x{i} + {i}" for i in range(800)]
    text = "\n".join(["x0 = w * 2", *lines, "L = x800**2"])
    path.write_text(f'formula = """\n{text}\n"""\n[parameters]\nw = 1\n')
    window = make(path)
    window.edit_formula()
    press(qtbot, window, KEY.Key_End, CTRL)
    type_text(" + 1")
    press(qtbot, window, KEY.Key_S, CTRL)
    qtbot.waitUntil(lambda: message(window) == "Saved long.toml.", timeout=LIMIT)
    assert load(path).formula.strip().endswith("L = x800**2 + 1")


def test_a_number_in_a_cell_is_taken_before_it_is_saved(qtbot: QtBot, make: Make, line: Path) -> None:
    window = make(line)
    window.session.select("w")
    matrix = window.panels["inspector"].value_matrix  # type: ignore[attr-defined]
    matrix.setFocus()
    matrix.select_cell(0, 0)
    QTest.keyClicks(matrix, "7")
    type_text("5")
    press(qtbot, window, KEY.Key_S, CTRL)
    idle(qtbot, window)
    assert float(bind(load(line)).leaves["w"]) == 75


def test_undoing_back_to_the_file_clears_the_mark(qtbot: QtBot, make: Make, line: Path) -> None:
    window = make(line)
    window.session.set_learning_rate(0.7)
    assert window.isWindowModified()
    window.session.set_learning_rate(0.1)
    assert not window.isWindowModified()
    window.session.set_seed(4)  # a network's file has no seed
    assert not window.isWindowModified()


def test_a_built_in_network_asks_for_a_name_and_has_one_from_then_on(
    qtbot: QtBot, make: Make, tmp_path: Path, settings: Settings
) -> None:
    window = make("univariate-regression")
    press(qtbot, window, KEY.Key_S, CTRL)
    assert dialog_of(qtbot, window).selectedFiles()[0].endswith("univariate-regression.toml")
    answer(qtbot, window, tmp_path / "mine")
    idle(qtbot, window)
    assert (tmp_path / "mine.toml").read_text().startswith("title = ")
    assert window.windowTitle() == "Univariate regression — mine.toml[*] — Backstep"
    assert settings.get("files/recent") == (str(tmp_path / "mine.toml"),)
    window.session.set_value("w", 3)
    press(qtbot, window, KEY.Key_S, CTRL)
    assert no_dialog(window)
    idle(qtbot, window)
    assert "w = 3.0" in (tmp_path / "mine.toml").read_text()


@pytest.mark.skipif(not Path("/sys/kernel").exists(), reason="needs a folder that takes no files")
def test_what_cannot_be_written_is_said_and_stays_unsaved(qtbot: QtBot, make: Make, line: Path) -> None:
    window = make(line)
    window.session.set_value("w", 0.25)
    for ending in (".toml", ".backstep"):
        press(qtbot, window, KEY.Key_S, CTRL | SHIFT)
        answer(qtbot, window, f"/sys/a{ending}")  # where nobody may write, not even root
        idle(qtbot, window)
        assert "cannot be written" in message(window)
        assert window.isWindowModified()
        assert window.filing.path == line
    assert line.read_text() == TEXT


# --- leaving -----------------------------------------------------------------------------------------------


def question(qtbot: QtBot, window: Window) -> UnsavedQuestion:
    def is_asked() -> bool:
        overlay = window.overlay  # an answered one may not have gone yet
        return isinstance(overlay, UnsavedQuestion) and overlay.save_button.hasFocus()

    qtbot.waitUntil(is_asked, timeout=LIMIT)
    overlay = window.overlay
    assert isinstance(overlay, UnsavedQuestion)
    return overlay


def says(asked: UnsavedQuestion, words: str) -> bool:
    return any(words in label.text() for label in asked.findChildren(QLabel))


def test_closing_with_unsaved_changes_asks_and_enter_saves(qtbot: QtBot, make: Make, line: Path) -> None:
    window = make(line)
    window.session.set_value("w", 0.25)
    assert not window.close()
    asked = question(qtbot, window)
    assert asked.accessibleName() == "Save the changes to line.toml?"
    press(qtbot, window, KEY.Key_Escape)
    assert window.isVisible()
    qtbot.waitUntil(lambda: window.overlay is None, timeout=LIMIT)
    assert line.read_text() == TEXT
    assert not window.close()
    question(qtbot, window)
    press(qtbot, window, KEY.Key_Return)
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=LIMIT)
    assert line.read_text() == TEXT.replace("w = 0.50 ", "w = 0.25 ")


def test_ctrl_q_quits_and_asks_about_what_is_unsaved(qtbot: QtBot, make: Make, line: Path) -> None:
    window = make(line)
    window.edit_formula()
    type_text("a = 1")  # it works while a formula is typed
    press(qtbot, window, KEY.Key_Q, CTRL)
    question(qtbot, window)
    press(qtbot, window, KEY.Key_Escape)
    assert window.isVisible()
    qtbot.waitUntil(lambda: window.overlay is None, timeout=LIMIT)
    window.actions_by_id["quit"].trigger()  # from the menu
    question(qtbot, window)
    press(qtbot, window, KEY.Key_D)
    assert not window.isVisible()
    assert line.read_text() == TEXT


def test_ctrl_q_closes_at_once_where_nothing_is_unsaved(qtbot: QtBot, make: Make, line: Path) -> None:
    window = make(line)
    press(qtbot, window, KEY.Key_Q, CTRL)
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=LIMIT)


def test_a_session_is_saved_by_its_own_command(
    qtbot: QtBot, make: Make, line: Path, tmp_path: Path, settings: Settings
) -> None:
    window = make(line)
    window.session.step_training()
    press(qtbot, window, KEY.Key_F12)
    dialog = dialog_of(qtbot, window)
    assert dialog.windowTitle() == "Save session"
    assert dialog.selectedFiles() == [str(tmp_path / "line.backstep")]
    answer(qtbot, window, tmp_path / "kept")  # the ending need not be typed
    idle(qtbot, window)
    assert message(window) == "Saved kept.backstep."
    assert window.filing.path == tmp_path / "kept.backstep"
    assert line.read_text() == TEXT


def test_d_closes_and_discards(qtbot: QtBot, make: Make, line: Path) -> None:
    window = make(line)
    window.session.set_value("w", 0.25)
    window.close()
    question(qtbot, window)
    press(qtbot, window, KEY.Key_D)
    assert not window.isVisible()
    assert line.read_text() == TEXT


def test_the_tab_key_reaches_every_answer(qtbot: QtBot, make: Make, line: Path) -> None:
    window = make(line)
    window.session.set_value("w", 0.25)
    window.close()
    asked = question(qtbot, window)
    seen = []
    for _ in range(3):
        focused = QApplication.focusWidget()
        assert isinstance(focused, QPushButton)
        seen.append(focused.text())
        press(qtbot, window, KEY.Key_Tab)
    assert sorted(seen) == ["Cancel", "Discard", "Save"]
    assert asked.save_button.hasFocus()


def test_without_changes_nothing_is_asked(make: Make, line: Path) -> None:
    window = make(line)
    window.session.step(3)
    window.session.set_detail(Detail.PRIMITIVE)
    assert window.close()


def test_opening_another_network_over_unsaved_changes_asks(qtbot: QtBot, make: Make, line: Path) -> None:
    window = make("univariate-regression")
    window.session.set_value("w", 5)
    window.filing.open("two-layer-linear")
    asked = question(qtbot, window)
    assert asked.accessibleName() == "Save the changes to Univariate regression?"
    assert says(asked, "Then Two-layer linear network takes its place. If you discard")
    assert asked.save_button.text() == "Save as…"
    press(qtbot, window, KEY.Key_D)
    assert window.session.document.network.name == "two-layer-linear"
    window.session.undo()  # as the question has said
    assert float(window.session.model.leaves["w"]) == 5
    window.filing.open(str(line))
    assert says(question(qtbot, window), "Then line.toml takes its place.")
    press(qtbot, window, KEY.Key_D)
    assert window.session.document.network.name == "line"
    window.session.set_value("w", 7)
    window.filing.open("two-layer-linear")
    question(qtbot, window)
    press(qtbot, window, KEY.Key_Escape)
    assert float(window.session.model.leaves["w"]) == 7


def test_trying_this_and_that_on_a_built_in_network_asks_nothing(
    qtbot: QtBot, make: Make, tmp_path: Path
) -> None:
    window = make("univariate-regression")
    window.session.set_learning_rate(0.7)
    window.session.train(5)
    wait_until_settled(window.session)
    window.session.set_seed(3)
    assert window.isWindowModified()
    window.filing.open("two-layer-linear")
    assert window.session.document.network.name == "two-layer-linear"
    window.session.set_learning_rate(0.2)
    assert window.close()


def test_the_answer_to_save_asks_for_a_name_and_goes_on_when_it_is_written(
    qtbot: QtBot, make: Make, tmp_path: Path
) -> None:
    window = make("univariate-regression")
    window.session.set_value("w", 5)
    window.filing.open("two-layer-linear")
    question(qtbot, window)
    press(qtbot, window, KEY.Key_Return)
    dialog_of(qtbot, window).reject()
    assert window.session.document.network.name == "univariate-regression"  # nothing has happened
    window.filing.open("two-layer-linear")
    question(qtbot, window)
    press(qtbot, window, KEY.Key_Return)
    answer(qtbot, window, tmp_path / "mine", "Session")
    qtbot.waitUntil(lambda: window.session.document.network.name == "two-layer-linear", timeout=LIMIT)
    assert float(load(tmp_path / "mine.backstep").parameters["w"]) == 5  # type: ignore[arg-type]


def test_a_new_network_and_a_pasted_one_are_asked_about(qtbot: QtBot, make: Make, line: Path) -> None:
    window = make("univariate-regression")
    press(qtbot, window, KEY.Key_N, CTRL)
    formula: Any = window.panels["formula"]
    assert window.session.document.network.title == "New network"
    assert not window.isWindowModified()
    formula.text.setPlainText("L = (w - 3)**2")
    formula.check_now()
    assert not window.close()
    question(qtbot, window)
    press(qtbot, window, KEY.Key_Escape)
    window.view.setFocus()
    press(qtbot, window, KEY.Key_N, CTRL)  # a new one again: the one that was typed would be gone
    assert says(question(qtbot, window), "Then a new network takes its place.")
    press(qtbot, window, KEY.Key_D)
    assert formula.text.toPlainText() != "L = (w - 3)**2"
    window.session.undo()
    assert window.session.document.network.formula == "L = (w - 3)**2"
    QApplication.clipboard().setText(
        line.read_text()
        .replace('file = "points.csv"', 'file = "cars.csv"')
        .replace('["a"]', '["speed"]')
        .replace('["b"]', '["dist"]')
    )
    window.paste_network()
    assert says(question(qtbot, window), "Then the pasted network Line takes its place.")
    press(qtbot, window, KEY.Key_D)
    assert window.session.document.network.title == "Line"
    window.filing.open("two-layer-linear")
    question(qtbot, window)  # it is nowhere but on the clipboard
    press(qtbot, window, KEY.Key_Escape)
    assert not window.close()
    question(qtbot, window)


HALF = "yhat = w * x + b\nL = mse(yhat, y"


def half_typed(make: Make, line: Path) -> Window:
    window = make(line)
    formula: Any = window.panels["formula"]
    window.edit_formula()
    formula.text.setPlainText(HALF)
    formula.check_now()
    assert window.isWindowModified()
    return window


def test_a_formula_that_cannot_be_read_yet_is_asked_about(qtbot: QtBot, make: Make, line: Path) -> None:
    window = half_typed(make, line)
    assert not window.close()
    asked = question(qtbot, window)
    words = " ".join(label.text() for label in asked.findChildren(QLabel))
    assert "only a session (.backstep) keeps its text" in words
    assert asked.save_button.text() == "Save as…"  # the file that there is cannot keep it
    press(qtbot, window, KEY.Key_Escape)
    window.filing.save()
    idle(qtbot, window)
    assert message(window).startswith("Saved line.toml. The formula cannot be read as it stands")
    assert window.isWindowModified()


def test_saving_a_new_formula_that_cannot_be_read_says_why_no_network_is_offered(
    qtbot: QtBot, make: Make, tmp_path: Path, settings: Settings
) -> None:
    settings.set("files/folder", str(tmp_path))
    window = make()
    press(qtbot, window, KEY.Key_N, CTRL)
    type_text("L = (a - 3")
    press(qtbot, window, KEY.Key_S, CTRL)
    dialog = dialog_of(qtbot, window)
    assert dialog.selectedFiles() == [str(tmp_path / "network.backstep")]
    assert dialog.windowTitle() == "Save — the formula cannot be read yet: only a session keeps its text"
    answer(qtbot, window, tmp_path / "half")
    idle(qtbot, window)
    assert (tmp_path / "half.backstep").exists()


def test_a_session_keeps_a_formula_that_cannot_be_read_yet(
    qtbot: QtBot, make: Make, line: Path, tmp_path: Path
) -> None:
    first = half_typed(make, line)
    first.filing.save_as()
    assert dialog_of(qtbot, first).selectedFiles()[0].endswith("line.backstep")
    answer(qtbot, first, tmp_path / "a")
    idle(qtbot, first)
    assert not first.isWindowModified()
    second = make(tmp_path / "a.backstep")
    qtbot.waitUntil(lambda: second.unread == HALF, timeout=LIMIT)
    formula: Any = second.panels["formula"]
    formula.settle()
    assert not second.isWindowModified()
    assert second.session.document.network.formula.rstrip().endswith("L = mse(yhat, y)")
    formula.text.setPlainText("yhat = w * x + b\nL = mse(yhat, y) * 2")
    formula.check_now()
    assert second.unread == ""
    assert second.session.document.network.formula.endswith("* 2")


def test_the_menu_asks_and_the_keys_go_to_the_question(qtbot: QtBot, make: Make) -> None:
    window = make("univariate-regression")
    window.session.set_value("w", 5)
    window.controls.menu.aboutToShow.emit()
    next(a for a in window.controls.menu.actions() if a.text() == "Logistic regression").trigger()
    question(qtbot, window)
    press(qtbot, window, KEY.Key_Escape)
    assert window.session.document.network.name == "univariate-regression"


def offered(qtbot: QtBot, window: Window, text: str) -> QPushButton:
    """Return the button of the message in sight that says this."""

    def found() -> list[QPushButton]:
        buttons = window.messages.findChildren(QPushButton)
        return [button for button in buttons if button.text() == text and button.isVisible()]

    qtbot.waitUntil(lambda: bool(found()), timeout=LIMIT)
    return found()[0]


def on_stage(qtbot: QtBot, window: Window) -> None:
    player = window.teaching.player
    qtbot.waitUntil(lambda: player.stage is not None and not player.is_busy, timeout=LIMIT)
    wait_until_settled(window.session)


def test_nothing_lies_over_a_lesson_and_what_it_shows_is_not_the_users_work(
    qtbot: QtBot, make: Make, line: Path
) -> None:
    window = make(line)
    player = window.teaching.player
    window.session.set_value("w", 0.25)
    window.teaching.open("1", 0)
    question(qtbot, window)  # the lesson has not begun yet
    press(qtbot, window, KEY.Key_D)
    on_stage(qtbot, window)
    for _ in range(len(player.lesson.pages) - 1 if player.lesson is not None else 0):
        player.forward()
        on_stage(qtbot, window)
        assert not window.isWindowModified()
    window.session.set_value("w", 3)  # as a lesson asks for
    assert window.isWindowModified()
    window.teaching.open("2", 0)
    on_stage(qtbot, window)
    assert window.overlay is None
    window.filing.open(str(line))
    window.session.set_value("w", 0.75)  # of a file, while the lesson goes on
    window.filing.open("logistic-regression")
    assert window.session.document.network.name == "line"
    go_on = offered(qtbot, window, "&Go on")
    assert window.overlay is None
    assert message(window).endswith(
        "unsaved changes, and Logistic regression is to take its place. Undo brings them back."
    )
    qtbot.mouseClick(go_on, Qt.MouseButton.LeftButton)
    assert window.session.document.network.name == "logistic-regression"
    window.teaching.end()
    window.session.set_value("b", 3)
    assert not window.close()
    question(qtbot, window)


def test_nothing_lies_over_what_is_presented_and_closing_ends_it_first(
    qtbot: QtBot, make: Make, line: Path
) -> None:
    window = make(line)
    window.session.set_value("w", 5)
    window.presenting.begin(False)
    window.filing.open("logistic-regression")  # as a file that is dropped
    assert window.overlay is None
    assert window.session.document.network.name == "line"
    replace_file(line, TEXT.replace("0.50", "0.6"))
    told(qtbot, window, "another program")
    assert window.overlay is None
    assert window.presenting.is_on
    assert not window.close()
    question(qtbot, window)
    assert not window.presenting.is_on


# --- recent files, drag and drop ---------------------------------------------------------------------------


def test_recent_files_are_offered_and_one_that_has_gone_is_said(qtbot: QtBot, make: Make, line: Path) -> None:
    make(line)
    window = make()
    window._recent_menu.aboutToShow.emit()
    (action,) = window._recent_menu.actions()
    assert "line.toml" in action.text()
    action.trigger()
    assert window.session.document.network.name == "line"
    window.session.open("two-layer-linear")
    line.unlink()
    action.trigger()
    assert message(window).startswith("line.toml is not there any more.")
    assert window.session.document.network.name == "two-layer-linear"


def drop_on(window: Window, path: Path) -> bool:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(400, 300), Qt.DropAction.CopyAction, data, buttons, keys)
    enter.ignore()
    QApplication.sendEvent(window, enter)
    if enter.isAccepted():
        QApplication.sendEvent(
            window, QDropEvent(QPointF(400, 300), Qt.DropAction.CopyAction, data, buttons, keys)
        )
    return enter.isAccepted()


def test_a_file_that_is_dropped_is_opened(make: Make, line: Path) -> None:
    window = make("univariate-regression")
    assert drop_on(window, line)
    assert window.session.document.network.name == "line"
    before = window.session.document
    drop_on(window, line.with_suffix(".exe"))
    assert window.session.document is before
    assert message(window).startswith("line.exe is not a kind of file")
    assert not window.view.viewport().acceptDrops()


# --- sessions ----------------------------------------------------------------------------------------------


def worked_on(qtbot: QtBot, window: Window) -> None:
    """Train, race, stand somewhere, look at something, and move docks about."""
    session = window.session
    session.train(40)
    wait_until_settled(session)
    session.set_learning_rate(0.3)
    session.train(25)
    wait_until_settled(session)
    session.show_run(session.runs[0], False)
    session.go_to_iteration(12)
    session.set_detail(Detail.PRIMITIVE)
    session.go(9)
    session.select("yhat")
    window.docks["inspector"].hide()
    window.show_dock("landscape")
    window.settle()


def test_a_session_shows_the_same_screen_again(qtbot: QtBot, make: Make, line: Path, tmp_path: Path) -> None:
    first = make(line)
    worked_on(qtbot, first)
    path = tmp_path / "lesson.backstep"
    first.filing.write(path)
    idle(qtbot, first)
    assert first.windowTitle() == "Line — lesson.backstep[*] — Backstep"
    first.messages.clear()
    for file in (line, tmp_path / "points.csv"):
        file.unlink()
    second = make(path)
    second.resize(first.size())
    second.settle()
    second.messages.clear()
    a, b = first.session, second.session
    assert (b.iteration, b.position, b.detail, b.selection) == (12, 9, Detail.PRIMITIVE, "yhat")
    assert [(r.name, r.iterations, r.visible, r.style) for r in b.runs] == [
        (r.name, r.iterations, r.visible, r.style) for r in a.runs
    ]
    for name, value in a.frame.values.items():
        np.testing.assert_array_equal(b.frame.values[name], value)
    assert second.docks["inspector"].isHidden()
    assert {n: d.isVisible() for n, d in second.docks.items()} == {
        n: d.isVisible() for n, d in first.docks.items()
    }
    assert not second.isWindowModified()
    first.session.step_training()
    second.session.step_training()
    assert first.session.losses.tobytes() == second.session.losses.tobytes()
    assert second.isWindowModified()


def test_the_picture_of_a_reopened_session_is_the_same(
    qtbot: QtBot, make: Make, line: Path, tmp_path: Path
) -> None:
    first = make(line)
    worked_on(qtbot, first)
    path = tmp_path / "lesson.backstep"
    first.filing.write(path)
    idle(qtbot, first)
    second = make("two-layer-linear")
    second.resize(first.size())
    second.filing.open(str(path))
    qtbot.waitUntil(lambda: second.session.iteration == 12, timeout=LIMIT)
    pictures = []
    for window in (first, second):
        window.settle()
        window.messages.clear()
        window.settle()
        image = window.grab().toImage()
        pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1, 4)[..., :3]
        pictures.append(pixels.astype(int))
    differing = np.mean(np.abs(pictures[0] - pictures[1]).max(axis=2) > 8)
    assert differing < 0.01


def looked_at(window: Window) -> tuple[float, float, float]:
    """Return the scale of the graph, and what is in the middle of it."""
    middle = window.view.mapToScene(window.view.viewport().rect().center())
    return window.view.transform().m11(), middle.x(), middle.y()


def reopened(qtbot: QtBot, first: Window, make: Make, path: Path, size: tuple[int, int]) -> Window:
    first.filing.write(path)
    idle(qtbot, first)
    second = make(path, size=size)
    qtbot.waitUntil(lambda: second._awaited is None, timeout=LIMIT)
    second.settle()
    return second


def test_the_graph_is_looked_at_as_it_was(qtbot: QtBot, make: Make, line: Path, tmp_path: Path) -> None:
    first = make(line, size=(1280, 720))
    first.settle()
    first.view.zoom(2.5)
    first.view.centerOn(first.scene.node_rect("yhat").center())
    second = reopened(qtbot, first, make, tmp_path / "a.backstep", (1280, 720))
    assert not second.view.is_fitted
    np.testing.assert_allclose(looked_at(second), looked_at(first), atol=2.0)
    larger = reopened(qtbot, first, make, tmp_path / "b.backstep", (1600, 900))
    assert looked_at(larger)[0] > looked_at(first)[0]
    np.testing.assert_allclose(looked_at(larger)[1:], looked_at(first)[1:], atol=4.0)
    larger.resize(1280, 720)
    QApplication.processEvents()
    larger.view.fit()
    assert larger.view.is_fitted
    fitted = reopened(qtbot, larger, make, tmp_path / "c.backstep", (1280, 720))
    assert fitted.view.is_fitted


def test_a_small_window_shows_the_same_docks_again(
    qtbot: QtBot, make: Make, line: Path, tmp_path: Path
) -> None:
    first = make(line, size=(900, 560))
    first.show_dock("landscape")
    first.docks["code"].hide()
    first.resizeDocks([first.docks["landscape"]], [300], Qt.Orientation.Horizontal)
    QApplication.processEvents()
    second = reopened(qtbot, first, make, tmp_path / "a.backstep", (900, 560))
    for window in (first, second):
        shown = {name for name, dock in window.docks.items() if not dock.visibleRegion().isEmpty()}
        assert shown == {"landscape"}
        assert window.docks["code"].isHidden()
        beside = {dock.objectName() for dock in window.tabifiedDockWidgets(window.docks["step"])}
        assert {"dock-inspector", "dock-loss", "dock-landscape", "dock-sweep"} <= beside
    assert abs(second.docks["landscape"].width() - first.docks["landscape"].width()) <= 2
    large = reopened(qtbot, first, make, tmp_path / "b.backstep", (1280, 720))
    assert large.docks["code"].isHidden()
    assert not large.docks["landscape"].visibleRegion().isEmpty()
    assert not large.docks["step"].visibleRegion().isEmpty()  # its own place, beside the others


def test_docks_have_their_sizes_again_where_the_window_is_new(
    qtbot: QtBot, make: Make, line: Path, tmp_path: Path
) -> None:
    first = make(line, size=(1280, 720))
    first.settle()
    first.resizeDocks([first.docks["step"]], [470], Qt.Orientation.Horizontal)
    first.resizeDocks([first.docks["loss"]], [330], Qt.Orientation.Vertical)
    QApplication.processEvents()
    second = reopened(qtbot, first, make, tmp_path / "a.backstep", (1280, 720))
    for name in ("step", "loss"):
        a, b = first.docks[name].size(), second.docks[name].size()
        assert abs(a.width() - b.width()) <= 4
        assert abs(a.height() - b.height()) <= 4


def test_a_folder_with_a_network_and_its_data_can_be_handed_on(
    qtbot: QtBot, make: Make, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "points.csv").write_text("u,v\n1,2\n3,4\n5,7\n")
    window = make("univariate-regression")
    window.choose_data(str(folder / "points.csv"))
    choice = window.findChild(DataChoice)
    assert isinstance(choice, DataChoice)
    choice.apply()
    for name in ("a.toml", "a.backstep"):
        window.filing.write(folder / name)
        idle(qtbot, window)
    assert 'file = "points.csv"' in (folder / "a.toml").read_text()
    moved = folder.rename(tmp_path / "theirs")
    for name in ("a.toml", "a.backstep"):
        opened = make(moved / name)
        assert opened.session.model.leaves["x"].tolist() == window.session.model.leaves["x"].tolist()
    opened.filing.write(moved / "b.toml")  # from the session, which has the whole path of what is gone
    idle(qtbot, opened)
    assert 'file = "points.csv"' in (moved / "b.toml").read_text()


def test_changes_are_taken_back_after_reopening_and_saving_writes_the_session(
    qtbot: QtBot, make: Make, line: Path, tmp_path: Path
) -> None:
    first = make(line)
    first.session.set_value("w", 0.75)
    first.session.set_value("b", 2.0)
    path = tmp_path / "a.backstep"
    first.filing.write(path)
    idle(qtbot, first)
    second = make(path)
    assert not second.isWindowModified()
    press(qtbot, second, KEY.Key_Z, CTRL)
    press(qtbot, second, KEY.Key_Z, CTRL)
    assert (float(second.session.model.leaves["w"]), second.session.undo_text) == (0.5, "")
    assert second.filing.path == path
    assert second.isWindowModified()
    press(qtbot, second, KEY.Key_Z, CTRL | SHIFT)
    press(qtbot, second, KEY.Key_S, CTRL)
    idle(qtbot, second)
    assert message(second) == "Saved a.backstep."
    assert not second.isWindowModified()
    third = make(path)
    assert (float(third.session.model.leaves["w"]), third.session.redo_text) == (0.75, "Change b")


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06" + bytes(18), b"nonsense" * 100])
def test_a_damaged_session_is_refused_and_the_document_stays(
    qtbot: QtBot, make: Make, tmp_path: Path, content: bytes
) -> None:
    window = make("univariate-regression")
    window.session.set_value("w", 5)
    before, frame = window.session.document, window.session.frame
    path = tmp_path / "bad.backstep"
    path.write_bytes(content)
    window.filing.read(path)
    idle(qtbot, window)
    assert message(window) == (
        "bad.backstep: the file is damaged, or it is not a session. Open an earlier copy of it."
    )
    assert window.session.document is before
    assert window.session.frame is frame


def test_opening_a_session_is_taken_back_by_undo(
    qtbot: QtBot, make: Make, line: Path, tmp_path: Path
) -> None:
    window = make(line)
    path = tmp_path / "a.backstep"
    window.filing.write(path)
    idle(qtbot, window)
    window.filing.open("univariate-regression")
    window.session.step_training()
    window.filing.open(str(path))
    question(qtbot, window).discard_button.click() if window.filing.is_modified else None
    qtbot.waitUntil(lambda: window.session.document.network.name == "line", timeout=LIMIT)
    window.session.undo()
    assert window.session.document.network.name == "univariate-regression"
    assert window.session.iterations == 1


# --- exports -----------------------------------------------------------------------------------------------


def exported(folder: Path, ending: str) -> Path:
    """Write a file of a run's iteration 12 at its step 9."""
    model = bind(load("perceptron-classifier"), seed=3)
    run = Run(model, Recipe("adam", batch_size=8))
    run.advance(20)
    place = Snapshot.of(run, model, detail=Detail.PRIMITIVE, iteration=12, position=9)
    path = folder / f"a{ending}"
    if ending == ".json":
        path.write_text(formats()["json"].write(place, Options()))
    else:
        path.write_text(f'<x y="{carried_pairs(place)["Document"]}"/>')
    return path


def at_its_step(window: Window) -> None:
    session = window.session
    assert session.document.network.name == "perceptron-classifier"
    assert (session.iteration, session.position, session.detail) == (12, 9, Detail.PRIMITIVE)
    assert (session.document.seed, session.document.recipe.batch_size, session.iterations) == (3, 8, 20)
    assert not window.isWindowModified()
    assert window.filing.path is None  # Save never writes into an export


@pytest.mark.parametrize("ending", CARRIERS)
def test_an_export_that_is_dropped_opens_at_its_step(
    qtbot: QtBot, make: Make, line: Path, tmp_path: Path, ending: str
) -> None:
    window = make(line)
    window.session.set_value("w", 0.25)
    assert drop_on(window, exported(tmp_path, ending))
    question(qtbot, window)
    press(qtbot, window, KEY.Key_D)
    qtbot.waitUntil(lambda: window.session.document.network.name != "line", timeout=LIMIT)
    at_its_step(window)
    window.session.step_training()
    assert window.session.iterations == 21
    window.session.undo()
    window.session.undo()
    assert window.session.document.network.name == "line"


def test_an_export_opens_from_the_dialog_the_recent_files_and_the_command_line(
    qtbot: QtBot, make: Make, tmp_path: Path
) -> None:
    path = exported(tmp_path, ".json")
    window = make("univariate-regression")
    press(qtbot, window, KEY.Key_O, CTRL)
    answer(qtbot, window, path)
    qtbot.waitUntil(lambda: window.session.document.network.name == "perceptron-classifier", timeout=LIMIT)
    at_its_step(window)
    assert window.settings.get("files/recent")[0] == str(path)
    window.session.open("univariate-regression")
    window.filing.open(str(path))
    qtbot.waitUntil(lambda: window.session.document.network.name == "perceptron-classifier", timeout=LIMIT)
    at_its_step(make(path))


def test_a_file_without_a_session_in_it_is_refused_and_the_document_stays(
    qtbot: QtBot, make: Make, tmp_path: Path
) -> None:
    window = make("univariate-regression")
    before = window.session.document
    path = tmp_path / "page.html"
    path.write_text("<p>Hello</p>")
    assert drop_on(window, path)
    idle(qtbot, window)
    assert message(window).startswith("page.html: there is no network in it that could be opened.")
    assert window.session.document is before


# --- changed by somebody else ------------------------------------------------------------------------------


def replace_file(path: Path, text: str) -> None:
    """Write as many editors do: a new file is put in the old one's place."""
    path.with_suffix(".new").write_text(text)
    os.replace(path.with_suffix(".new"), path)


def test_reloading_keeps_the_place_on_the_timeline(qtbot: QtBot, make: Make, line: Path) -> None:
    window = make(line)
    session = window.session
    session.train(20)
    wait_until_settled(session)
    session.go_to_iteration(8)
    session.go(3)
    replace_file(line, TEXT.replace("0.50", "0.75"))
    qtbot.waitUntil(lambda: "another program" in message(window), timeout=LIMIT)
    window.filing.reload()
    wait_until_settled(session)
    assert (session.iteration, session.position) == (8, 3)
    alone = Run(session.model, session.document.recipe)
    alone.advance(8)
    assert session.losses.tobytes() == alone.losses.tobytes()
    assert float(session.model.leaves["w"]) == 0.75
    session.undo()
    assert (session.iteration, session.iterations, float(session.model.leaves["w"])) == (8, 20, 0.5)


def test_reloading_another_graph_begins_at_its_beginning(qtbot: QtBot, make: Make, line: Path) -> None:
    window = make(line)
    window.session.train(20)
    wait_until_settled(window.session)
    replace_file(line, TEXT.replace("w * x + b", "tanh(w * x + b)"))
    qtbot.waitUntil(lambda: "another program" in message(window), timeout=LIMIT)
    window.filing.reload()
    wait_until_settled(window.session)
    assert (window.session.iteration, window.session.position) == (0, 0)


@pytest.mark.parametrize("write", [Path.write_text, replace_file])
def test_a_file_that_another_program_changes_is_offered_for_reloading(
    qtbot: QtBot, make: Make, line: Path, write: Callable[[Path, str], object]
) -> None:
    window = make(line)
    window.session.go(3)
    write(line, TEXT.replace("0.50", "0.75"))
    qtbot.waitUntil(lambda: "another program" in message(window), timeout=LIMIT)
    assert message(window) == "line.toml has been changed by another program."
    reload = next(b for b in window.messages.findChildren(QPushButton) if b.text() == "&Reload")
    qtbot.mouseClick(reload, Qt.MouseButton.LeftButton)
    assert float(window.session.model.leaves["w"]) == 0.75
    assert window.session.position == 3
    assert not window.isWindowModified()
    window.session.undo()
    assert float(window.session.model.leaves["w"]) == 0.5


def test_unsaved_changes_are_mentioned_and_a_broken_file_is_not_taken(
    qtbot: QtBot, make: Make, line: Path
) -> None:
    window = make(line)
    window.session.set_value("w", 9)
    line.write_text("nonsense")
    qtbot.waitUntil(lambda: "another program" in message(window), timeout=LIMIT)
    assert "drops your unsaved changes" in message(window)
    window.filing.reload()
    assert "not valid TOML" in message(window)
    assert float(window.session.model.leaves["w"]) == 9


def test_a_csv_that_another_program_changes_is_read_again_and_edits_stay(
    qtbot: QtBot, make: Make, line: Path, tmp_path: Path
) -> None:
    window = make(line)
    window.session.set_value("w", 9)
    replace_file(tmp_path / "points.csv", "a,b\n5,1\n6,3\n")
    qtbot.waitUntil(lambda: "points.csv has been changed" in message(window), timeout=LIMIT)
    window.filing.reload_data()
    assert window.session.model.leaves["x"].tolist() == [[5.0, 6.0]]
    assert float(window.session.model.leaves["w"]) == 9
    window.session.undo()
    assert window.session.model.leaves["x"].tolist() == [[0.0, 1.0, 2.0]]


def is_untouched(window: Window, before: tuple[object, ...]) -> bool:
    session = window.session
    return before == (session.document, session.frame, session.iteration, session.position)


def standing(window: Window) -> tuple[object, ...]:
    """Return what is open, after some work, and where the timeline stands."""
    session = window.session
    session.train(5)
    wait_until_settled(session)
    session.go(3)
    return session.document, session.frame, session.iteration, session.position


def told(qtbot: QtBot, window: Window, words: str) -> str:
    qtbot.waitUntil(lambda: words in message(window), timeout=LIMIT)
    return message(window)


def test_a_file_that_is_deleted_is_said_and_is_not_saved_any_more(
    qtbot: QtBot, make: Make, line: Path
) -> None:
    window = make(line)
    before = standing(window)
    line.unlink()
    assert told(qtbot, window, "deleted") == ("line.toml has been moved or deleted. Saving writes it again.")
    assert is_untouched(window, before)
    assert window.isWindowModified()
    assert not window.close()
    question(qtbot, window)
    press(qtbot, window, KEY.Key_Escape)
    line.write_text(TEXT)  # it has come back as it was
    qtbot.waitUntil(lambda: not window.isWindowModified(), timeout=LIMIT)
    line.unlink()
    qtbot.waitUntil(window.isWindowModified, timeout=LIMIT)
    press(qtbot, window, KEY.Key_S, CTRL)
    idle(qtbot, window)
    assert line.read_text() == TEXT
    assert not window.isWindowModified()
    assert is_untouched(window, before)


def test_a_file_that_is_moved_and_replaced_by_another_is_offered(
    qtbot: QtBot, make: Make, line: Path, tmp_path: Path
) -> None:
    window = make(line)
    before = standing(window)
    line.rename(tmp_path / "elsewhere.toml")
    told(qtbot, window, "deleted")
    line.write_text(TEXT.replace("0.50", "0.75"))
    told(qtbot, window, "another program")
    assert is_untouched(window, before)
    window.filing.reload()
    assert float(window.session.model.leaves["w"]) == 0.75
    assert not window.isWindowModified()


@pytest.mark.parametrize("instead", ["a folder", "a pipe", "a circle of links"])
def test_what_cannot_be_read_in_its_place_is_said(qtbot: QtBot, make: Make, line: Path, instead: str) -> None:
    window = make(line)
    before = standing(window)
    line.unlink()
    if instead == "a folder":
        line.mkdir()
    elif instead == "a pipe":
        os.mkfifo(line)
    else:
        line.symlink_to(line)
    said = told(qtbot, window, "cannot be read any more")
    assert said.startswith("line.toml cannot be read any more (")
    assert said.endswith("). What is open here stays; Save as… keeps it.")
    assert is_untouched(window, before)
    assert window.isWindowModified()


GARBAGE = {
    "nothing": b"",
    "bytes": bytes(range(256)) * 40,
    "other text": b"Dear all,\n",
    "another network, cut off": TEXT.encode()[:90],
    "a newer format": b"format = 99\n" + TEXT.encode(),
    "far too much": b"# " + b"x" * (9 * 2**20),
}


@pytest.mark.parametrize("content", GARBAGE.values(), ids=GARBAGE)
@pytest.mark.parametrize("ending", [".toml", ".backstep"])
def test_garbage_in_its_place_is_not_taken_and_is_said_in_a_sentence(
    qtbot: QtBot, make: Make, line: Path, content: bytes, ending: str
) -> None:
    window = make(line)
    path = line.with_suffix(ending)
    if ending == ".backstep":
        window.filing.write(path)
        idle(qtbot, window)
    before = standing(window)
    path.with_suffix(".new").write_bytes(content)
    os.replace(path.with_suffix(".new"), path)
    told(qtbot, window, "another program")
    assert is_untouched(window, before)
    reload = next(b for b in window.messages.findChildren(QPushButton) if b.text() == "&Reload")
    qtbot.mouseClick(reload, Qt.MouseButton.LeftButton)
    idle(qtbot, window)
    assert message(window).startswith(f"{path.name}: ")
    assert "\n" not in message(window)
    assert is_untouched(window, before)


def test_own_saving_offers_nothing(qtbot: QtBot, make: Make, line: Path) -> None:
    window = make(line)
    window.session.set_value("w", 9)
    window.filing.save()
    idle(qtbot, window)
    window.filing._watch.look()
    assert message(window) == "Saved line.toml."


# --- sharing -----------------------------------------------------------------------------------------------


def test_a_network_is_copied_as_text_and_pasted_elsewhere(qtbot: QtBot, make: Make, line: Path) -> None:
    first = make(line)
    first.session.set_value("w", 0.75)
    press(qtbot, first, KEY.Key_C, CTRL | SHIFT)
    text = QApplication.clipboard().text()
    assert "w = 0.75  # slope" in text
    assert "points.csv" not in text
    second = make("two-layer-linear")
    second.activateWindow()
    QApplication.clipboard().setText("Hi,\n" + "\n".join(f"> {t}" for t in text.splitlines()))
    second.paste_network()
    assert second.session.document.network.title == "Line"
    assert second.session.model.leaves["x"].tolist() == [[0.0, 1.0, 2.0]]
    assert second.isWindowModified()
    assert message(second) == "Pasted Line. Undo goes back."
    QApplication.clipboard().setText(text.replace("w = 0.75", "w = 0.5"))
    second.filing.paste(QApplication.clipboard().text())
    question(qtbot, second)
    press(qtbot, second, KEY.Key_D)
    assert message(second) == "Pasted Line. The text was changed since it was copied. Undo goes back."
    assert float(second.session.model.leaves["w"]) == 0.5
    QApplication.clipboard().setText("dear all")
    before = second.session.document
    second.paste_network()
    assert message(second).startswith("The text on the clipboard is not a network.")
    assert second.session.document is before


def test_every_copy_is_said(qtbot: QtBot, make: Make) -> None:
    window = make("univariate-regression")
    window.session.select("w")
    window.session.step(2)
    copies = (
        ("code", "copy_button", "Copied the code: a script that runs as it is."),
        ("inspector", "numpy_button", "Copied the numbers as NumPy."),
        ("inspector", "latex_button", "Copied the numbers as LaTeX."),
        ("step", "latex_button", "Copied the equation as LaTeX."),
        ("step", "code_button", "Copied the step as NumPy."),
        ("equations", "copy_button", "Copied all equations as LaTeX."),
    )
    for name, button, said in copies:
        window.show_dock(name)
        QApplication.clipboard().setText("")
        window.panels[name].make_up()
        getattr(window.panels[name], button).click()
        assert message(window) == said
        assert QApplication.clipboard().text()
    count = len(HEARD[window])
    window.presenting.begin(False)
    for name, button, _ in copies:
        getattr(window.panels[name], button).click()
    assert len(HEARD[window]) == count  # nothing over what is presented
    window.presenting.end()
