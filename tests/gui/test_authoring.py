"""Writing a lesson on the real window: from the screen to a file and back to the screen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from engine.faults import FaultAt, fault_of
from engine.graph import Detail
from graphs.lesson import load_lesson
from graphs.snapshot import Snapshot
from graphs.staging import problems
from gui.app import temporary_settings
from gui.notify import Message
from gui.panels.author import AuthorPanel
from gui.question import UnsavedQuestion
from gui.window import Window
from tests.gui.conftest import OpenWindow
from tests.gui.dialogs import answer, dialog_of, no_dialog
from tests.gui.waiting import wait_until_settled

NETWORK = "two-layer-nonlinear"
FILE = """\
# For the first hour.
title = "My lesson"
network = "univariate-regression"

# How it begins.
[[page]]
title = "One"   # short
text = "The loss is {{L}}."
docks = ["fit"]

[[page]]
title = "Two"
at = "forward L"
"""


@pytest.fixture
def window(open_window: OpenWindow) -> Iterator[Window]:
    settings = temporary_settings()
    settings.set("files/dialogs", "own")  # into which one can type
    window = open_window(NETWORK, size=(1280, 720), settings=settings)
    yield window
    window.authoring.give_up()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(FILE)
    return path


def panel_of(window: Window) -> AuthorPanel:
    panel = window.panels["author"]
    assert isinstance(panel, AuthorPanel)
    return panel


def field(window: Window, *keys: str, in_head: bool = False) -> Any:
    return panel_of(window).entries[in_head, keys].field


def error(window: Window, *keys: str) -> str:
    label = panel_of(window).entries[False, keys].error
    return label.text() if not label.isHidden() else ""


def type_into(field: Any, text: str) -> None:
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, text)


def laid_out(panel: AuthorPanel) -> None:
    layout = panel.layout()
    assert layout is not None
    layout.activate()


def checked(qtbot: QtBot, window: Window) -> None:
    qtbot.waitUntil(lambda: not window.authoring.is_checking, timeout=30_000)


def shown(qtbot: QtBot, window: Window) -> None:
    player = window.teaching.player
    qtbot.waitUntil(lambda: player.stage is not None and not player.is_busy, timeout=30_000)


def saved(qtbot: QtBot, window: Window) -> None:
    qtbot.waitUntil(lambda: not window.authoring.is_busy, timeout=20_000)


# --- from the screen to a page and back --------------------------------------------------------------------


def arranged(window: Window) -> None:
    """Let the window show something that differs from its first screen in everything that a page can say."""
    session = window.session
    session.set_seed(3)
    session.edit("b2", np.array(0.25))
    session.set_learning_rate(0.05)
    session.set_fault(FaultAt("activation", "A"))
    session.train(4)
    wait_until_settled(session)
    session.go_to_iteration(3)
    session.set_detail(Detail.PRIMITIVE)
    session.go(9)
    session.select("Z")
    session.set_hidden(frozenset({"gradients"}))
    window.show_dock("fit")


def shows_the_same(a: Snapshot, b: Snapshot) -> bool:
    assert a.run is not None
    assert b.run is not None
    place = (a.position, a.iteration, a.detail) == (b.position, b.iteration, b.detail)
    is_same = (
        place and a.run.losses.tobytes() == b.run.losses.tobytes() and fault_of(a.run) == fault_of(b.run)
    )
    pairs = ((a.trace.values, b.trace.values), (a.trace.gradients, b.trace.gradients))
    return is_same and all(np.array_equal(array, y[name]) for x, y in pairs for name, array in x.items())


def test_what_is_on_the_screen_becomes_a_page_and_the_page_the_screen(
    qtbot: QtBot, window: Window, tmp_path: Path
) -> None:
    session, path = window.session, tmp_path / "lesson.toml"
    arranged(window)
    before = session.snapshot()
    control, shift = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(window, Qt.Key.Key_L, control | shift)
    assert window.docks["author"].isVisible()
    QTest.keyClick(panel_of(window), Qt.Key.Key_S, control)
    answer(qtbot, window, path)
    saved(qtbot, window)
    assert [problem.key for problem in problems(load_lesson(path))] == [("text",)]  # nobody has written yet
    window.authoring.end()
    session.set_hidden(frozenset())
    session.open("logistic-regression")
    window.show_dock("equations")
    window.teaching.open(str(path))
    shown(qtbot, window)
    assert shows_the_same(before, session.snapshot())
    assert (before.position, before.iteration) == (9, 3)
    assert session.hidden == {"gradients"}
    assert session.marked == ("Z",)
    assert window.panels["fit"].is_seen


def test_a_network_that_was_typed_is_in_the_file(qtbot: QtBot, window: Window) -> None:
    from graphs.reading import loads

    text = 'title = "Own"\nformula = "L = (a - 2)**2"\n[parameters]\na = 0.5\n'
    window.session.open_network(loads(text, name="own"))
    window.authoring.begin()
    window.session.go(2)
    window.authoring.add_page()
    draft = window.authoring.draft
    assert list(draft.text.table["networks"]) == ["own"]
    assert [row.get("network") for row in draft.text.pages] == ["own", None]
    checked(qtbot, window)
    assert [(p.page, p.key) for p in window.authoring.problems] == [(0, ("text",)), (1, ("text",))]


def test_a_lesson_is_chosen_and_saved_under_another_name_without_its_ending(
    qtbot: QtBot, window: Window, file: Path, tmp_path: Path
) -> None:
    authoring, text = window.authoring, file.read_text()
    authoring.ask_open()
    answer(qtbot, window, file)
    assert authoring.path == file
    authoring.save_as()
    assert dialog_of(qtbot, window).selectedFiles() == [str(file)]
    there = tmp_path / "there"
    there.mkdir()
    answer(qtbot, window, there / "other")
    saved(qtbot, window)
    assert (there / "other.toml").read_text() == text
    (tmp_path / "taken.toml").write_text("")
    authoring.save_as()
    dialog_of(qtbot, window).fileSelected.emit(str(tmp_path / "taken"))  # nobody was asked about taken.toml
    message = window.messages.current
    assert message is not None
    assert message.text.startswith("taken.toml exists already.")
    assert authoring.path == there / "other.toml"
    QTest.keyClick(dialog_of(qtbot, window), Qt.Key.Key_Escape)
    assert no_dialog(window)
    assert not authoring.is_busy


# --- fields ------------------------------------------------------------------------------------------------


def test_words_are_typed_and_taken_back(window: Window) -> None:
    authoring = window.authoring
    authoring.begin()
    start = authoring.draft.text.text
    type_into(field(window, "title"), "Forward")
    type_into(field(window, "text"), "It is $L$.")
    type_into(field(window, "title", in_head=True), "My course")
    assert authoring.draft.text.value(0, "title") == "Forward"
    assert authoring.draft.text.value(None, "title") == "My course"
    assert panel_of(window).list.item(0).text() == "1  Forward"
    for _ in range(3):
        QTest.keyClick(field(window, "text"), Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        assert field(window, "title", in_head=True).text() == "Untitled lesson"
    assert authoring.draft.text.text == start  # one change for each field
    QTest.keyClick(field(window, "text"), Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
    assert field(window, "title").text() == "Forward"
    assert window.session.undo_text == ""


def test_every_error_is_said_at_its_field(qtbot: QtBot, window: Window) -> None:
    window.authoring.begin()
    type_into(field(window, "text"), "It is 0.5 and {{nope}}.")
    type_into(field(window, "at"), "nowhere")
    QTest.keyClick(field(window, "at"), Qt.Key.Key_Return)
    checked(qtbot, window)
    assert "There is no place 'nowhere'" in error(window, "at")
    type_into(field(window, "at"), "end")
    QTest.keyClick(field(window, "at"), Qt.Key.Key_Return)
    checked(qtbot, window)
    assert error(window, "at") == ""
    assert "0.5 is not checked" in error(window, "text")
    assert "{{nope}} cannot be worked out" in error(window, "text")
    assert panel_of(window).list.item(0).text().endswith("▲")
    type_into(field(window, "docks"), "fit, nope")
    QTest.keyClick(field(window, "docks"), Qt.Key.Key_Return)
    type_into(field(window, "wait"), "at = ")
    QTest.keyClick(field(window, "wait"), Qt.Key.Key_Return)
    assert "This cannot be read" in error(window, "wait")
    checked(qtbot, window)
    assert "There is no dock nope" in error(window, "docks")
    draft = window.authoring.draft
    assert draft.lesson is not None
    assert {p.sentence for p in problems(draft.lesson)} <= {p.sentence for p in window.authoring.problems}


def test_a_question_is_asked(qtbot: QtBot, window: Window) -> None:
    window.authoring.begin()
    kind = panel_of(window).kind
    assert field(window, "question", "ask").isHidden() or not field(window, "question", "ask").isVisible()
    kind.setCurrentIndex(kind.findText("choice"))
    kind.activated.emit(kind.currentIndex())
    type_into(field(window, "question", "ask"), "Which?")
    checked(qtbot, window)
    assert "lacks ask or answer" in panel_of(window).question_error.text()
    type_into(field(window, "question", "answer"), "b")
    choices = field(window, "question", "choices")
    choices.setFocus()
    QTest.keyClicks(choices, "a")
    QTest.keyClick(choices, Qt.Key.Key_Return)
    QTest.keyClicks(choices, "b")
    checked(qtbot, window)
    assert window.authoring.problems == []
    assert window.authoring.draft.text.value(0, "question") == {
        "ask": "Which?",
        "kind": "choice",
        "answer": "b",
        "choices": ["a", "b"],
    }
    kind.setCurrentIndex(0)
    kind.activated.emit(0)
    assert window.authoring.draft.text.value(0, "question") is None


def test_pages_are_moved_copied_and_deleted(window: Window, file: Path) -> None:
    authoring, panel = window.authoring, panel_of(window)
    authoring.edit(file)

    def titles() -> list[str]:
        return [panel.list.item(i).text()[3:] for i in range(panel.list.count())]

    assert titles() == ["One", "Two"]
    panel.copy.click()
    assert (titles(), authoring.page) == (["One", "One", "Two"], 1)
    panel.list.setCurrentRow(2)
    QTest.keyClick(field(window, "title"), Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert (titles(), authoring.page) == (["One", "Two", "One"], 1)
    panel.list.setCurrentRow(2)
    panel.delete.click()
    assert titles() == ["One", "Two"]
    for _ in range(3):
        panel.undo.click()
    assert authoring.draft.text.text == FILE
    assert not authoring.is_modified
    assert not panel.undo.isEnabled()


# --- the file ----------------------------------------------------------------------------------------------


def test_a_file_that_was_opened_keeps_its_comments_and_line_ends(
    qtbot: QtBot, window: Window, file: Path
) -> None:
    file.write_bytes(FILE.replace("\n", "\r\n").encode())
    window.authoring.edit(file)
    type_into(field(window, "title"), "First")
    QTest.keyClick(field(window, "title"), Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    saved(qtbot, window)
    assert file.read_bytes().decode() == FILE.replace('"One"', '"First"').replace("\n", "\r\n")
    assert not window.authoring.is_modified
    assert not window.filing.is_modified


def test_a_file_changed_by_somebody_else_is_offered_again(qtbot: QtBot, window: Window, file: Path) -> None:
    window.authoring.edit(file)
    type_into(field(window, "title"), "First")
    file.write_text(FILE.replace("Two", "Second"))
    said: list[Message] = []
    window.notifier.message.connect(said.append)
    qtbot.waitUntil(lambda: bool(said), timeout=20_000)
    (message,) = said
    assert message.text.startswith("mine.toml has been changed by another program. Reloading drops")
    message.choices[0][1]()
    assert [row["title"] for row in window.authoring.draft.text.pages] == ["One", "Second"]
    assert not window.authoring.is_modified
    window.authoring.undo()
    assert [row["title"] for row in window.authoring.draft.text.pages] == ["First", "Two"]


def test_the_key_presents_the_page_that_is_being_written(qtbot: QtBot, window: Window, file: Path) -> None:
    authoring = window.authoring
    authoring.edit(file)
    authoring.open_page(1)
    QTest.keyClick(window, Qt.Key.Key_F11)
    shown(qtbot, window)
    assert window.presenting.is_on
    assert window.strip.heading.text() == "Two"
    QTest.keyClick(window, Qt.Key.Key_F11)
    assert not window.presenting.is_on
    assert authoring.is_in_hand
    window.teaching.open("5", 0)
    window.docks["author"].hide()
    assert not authoring.is_in_hand  # the other lesson is presented


def test_unsaved_changes_are_asked_for_and_never_on_the_projector(
    qtbot: QtBot, window: Window, file: Path
) -> None:
    window.authoring.edit(file)
    type_into(field(window, "title"), "First")
    window.presenting.begin(is_full=False)
    assert not window.close()
    assert not window.presenting.is_on
    question = window.overlay
    assert isinstance(question, UnsavedQuestion)
    QTest.keyClick(question, Qt.Key.Key_Escape)
    assert window.isVisible()
    assert window.authoring.is_open
    panel_of(window).done.click()
    question = window.overlay
    assert isinstance(question, UnsavedQuestion)
    QTest.keyClick(question, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not window.authoring.is_open, timeout=20_000)
    assert 'title = "First"' in file.read_text()
    assert not window.docks["author"].isVisible()
    assert window.docks["inspector"].isVisible()


def test_a_built_in_lesson_is_written_on_as_a_copy(qtbot: QtBot, window: Window) -> None:
    window.teaching.open("5", 2)
    shown(qtbot, window)
    window.authoring.edit_open()
    authoring = window.authoring
    assert (authoring.path, authoring.page) == (None, 2)
    assert len(authoring.draft) == len(load_lesson("5").pages)
    assert not authoring.is_modified  # nothing has been written yet
    panel_of(window).down.click()
    assert authoring.is_modified


def test_nothing_is_asked_about_a_lesson_in_which_nobody_has_written(window: Window) -> None:
    authoring = window.authoring
    authoring.begin()
    authoring.begin()
    assert window.overlay is None
    assert panel_of(window).save.isEnabled()  # though it can be saved
    panel_of(window).done.click()
    assert not authoring.is_open
    authoring.begin()
    assert authoring.close()
    type_into(field(window, "title"), "x")
    assert not authoring.close()
    assert isinstance(window.overlay, UnsavedQuestion)


def test_the_editor_stands_nowhere_without_a_lesson_behind_it(qtbot: QtBot, open_window: OpenWindow) -> None:
    settings = temporary_settings()
    first = open_window(NETWORK, size=(1280, 720), settings=settings)
    first.teaching.open("5", 1)
    shown(qtbot, first)
    first.authoring.begin()
    assert first.docks["author"].isVisible()
    first.close()
    second = open_window(NETWORK, settings=settings)
    assert second.docks["author"].isHidden()
    assert second.docks["lesson"].isHidden()
    assert not second.tabifiedDockWidgets(second.docks["step"])
    second.docks["author"].toggleViewAction().trigger()  # the menu of panels
    second.docks["author"].raise_()
    panel = panel_of(second)
    assert not any(entry.isVisible() for entry in panel.entries.values())
    QTest.mouseClick(panel.begin, Qt.MouseButton.LeftButton)
    assert second.authoring.is_open
    assert field(second, "title").isVisible()
    assert not panel.begin.isVisible()


def test_writing_makes_the_window_no_larger(qtbot: QtBot, window: Window) -> None:
    for dock in ("practice", "author"):
        window.docks[dock].toggleViewAction().trigger()
    window.teaching.open("5", 0)
    shown(qtbot, window)
    window.authoring.begin()
    QTest.qWait(0)
    assert (window.width(), window.height()) == (1280, 720)
    layout = window.layout()
    assert layout is not None
    assert layout.minimumSize().height() <= 720
    for number in range(6):
        window.session.go(number)
        window.authoring.add_page()
    assert (window.width(), window.height()) == (1280, 720)


def test_a_low_editor_scrolls(window: Window) -> None:
    window.authoring.begin()
    panel = panel_of(window)
    panel.resize(panel.width(), panel.minimumSizeHint().height())
    laid_out(panel)
    assert panel.save.visibleRegion().boundingRect().height() == panel.save.height()
    bar = panel.around.verticalScrollBar()
    bar.setValue(bar.maximum())
    assert not panel.area.visibleRegion().isEmpty()


def test_a_page_takes_the_network_that_a_lesson_is_about_to_show(qtbot: QtBot, window: Window) -> None:
    window.teaching.open("7")
    assert window.teaching.player.stage is None
    control, shift = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(window, Qt.Key.Key_L, control | shift)
    shown(qtbot, window)
    authoring = window.authoring
    assert authoring.draft.screens[0].network == window.session.document.network.name != NETWORK
    window.teaching.open("1")
    authoring.add_page()
    assert len(authoring.draft) == 1
    shown(qtbot, window)
    assert authoring.draft.screens[1].network == window.session.document.network.name


def test_what_cannot_be_read_is_said(window: Window, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("title = ")
    window.authoring.edit(tmp_path / "bad.toml")
    assert not window.authoring.is_open
    message = window.messages.current
    assert message is not None
    assert message.text.startswith("bad.toml: the file is not valid TOML")


def test_buttons_stay_where_they_are_while_pages_come(window: Window) -> None:
    window.authoring.begin()
    panel = panel_of(window)
    before = [button.mapTo(panel, QPoint()) for button in (panel.add, panel.up, panel.show_button)]
    for number in range(1, 9):
        window.session.go(number)
        QTest.mouseClick(panel.add, Qt.MouseButton.LeftButton)
        laid_out(panel)
    assert len(window.authoring.draft) == 9
    assert [b.mapTo(panel, QPoint()) for b in (panel.add, panel.up, panel.show_button)] == before


# --- showing -----------------------------------------------------------------------------------------------


def test_a_page_is_shown_as_the_learner_and_the_projector_see_it(
    qtbot: QtBot, window: Window, file: Path
) -> None:
    window.authoring.edit(file)
    panel_of(window).show_button.click()
    shown(qtbot, window)
    lesson: Any = window.panels["lesson"]
    assert lesson.is_seen
    assert window.session.document.network.name == "univariate-regression"
    assert lesson.text.source.startswith("The loss is 3.497")
    window.show_dock("author")
    type_into(field(window, "text"), "See {{m}} cars.")
    qtbot.waitUntil(lambda: lesson.text.source == "See 50 cars.", timeout=30_000)
    window.session.go(1)
    window.presenting.begin(is_full=False)
    assert window.strip.text.source == "See 50 cars."
    QTest.keyClick(window, Qt.Key.Key_PageDown)
    shown(qtbot, window)
    assert window.strip.heading.text() == "Two"
    window.presenting.end()
    assert window.docks["author"].isVisible() or not window.docks["author"].isHidden()


def test_a_page_that_is_not_on_the_screen_says_so(qtbot: QtBot, window: Window) -> None:
    authoring = window.authoring
    authoring.begin()
    panel = panel_of(window)
    assert not panel.elsewhere.isVisible()
    window.session.go(5)
    panel.add.click()
    assert not panel.elsewhere.isVisible()
    panel.list.setCurrentRow(0)
    assert panel.elsewhere.isVisible()
    panel.show_button.click()
    shown(qtbot, window)
    window.show_dock("author")
    assert window.session.position == 0
    assert not panel.elsewhere.isVisible()


def test_an_empty_answer_says_what_its_kind_takes(window: Window) -> None:
    window.authoring.begin()
    panel = panel_of(window)
    hints = {}
    for kind in ("number", "choice", "shape"):
        panel.kind.setCurrentText(kind)
        panel.kind.activated.emit(panel.kind.currentIndex())
        hints[kind] = field(window, "question", "answer").placeholderText()
    assert "formula" in hints["number"]
    assert "choices" in hints["choice"]
    assert "4 x 2" in hints["shape"]


def test_taking_the_screen_changes_what_a_page_shows_and_no_other(window: Window, file: Path) -> None:
    window.authoring.edit(file)
    before = window.authoring.draft.screens
    window.session.go(5)
    panel_of(window).take.click()
    after = window.authoring.draft.screens
    assert after[0].network == NETWORK
    assert after[1].network == before[1].network
    assert (after[1].at, after[1].docks) == (before[1].at, before[1].docks)
    assert window.authoring.draft.text.value(0, "text") == "The loss is {{L}}."
    assert "# How it begins." in window.authoring.draft.text.text


def test_an_unsaved_lesson_is_there_again_after_a_crash(
    qtbot: QtBot, open_window: OpenWindow, tmp_path: Path
) -> None:
    first = open_window(NETWORK)
    first.keep_work(tmp_path)
    first.authoring.begin()
    type_into(field(first, "title"), "Kept")
    recovery = first.lesson_recovery
    assert recovery is not None
    qtbot.waitUntil(recovery.path.is_file, timeout=20_000)
    left = recovery.path.with_name("left.lesson")
    recovery.keep()
    left.write_bytes(recovery.path.read_bytes())  # as of a window that has ended
    second = open_window(NETWORK)
    said: list[Message] = []
    second.notifier.message.connect(said.append)
    second.keep_work(tmp_path)
    (message,) = [m for m in said if "lesson" in m.text]  # that of the window that is alive is let alone
    assert message.text.endswith("unsaved changes to the lesson Untitled lesson.")
    message.choices[0][1]()
    assert second.authoring.draft.text.value(0, "title") == "Kept"
    assert second.authoring.is_modified
    assert not left.exists()
    for window in (first, second):
        window.authoring.give_up()
        window.filing.give_up()
        window.close()
    assert list(tmp_path.glob("*.lesson")) == []
