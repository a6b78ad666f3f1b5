"""The export card: what is chosen is seen before it is written, and written whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from time import thread_time

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox
from pytestqt.qtbot import QtBot

from engine.graph import Detail
from graphs.exporting import PICTURES, kinds
from graphs.network import load
from graphs.sessions import read_session
from graphs.views.numbers import format_number
from gui.app import application, temporary_settings
from gui.export_choice import ExportChoice
from gui.exporter import Exporter
from gui.painting import painter
from gui.pictures import formats
from gui.session import Document, Session
from gui.viewdata.exporting import STEPS, groups
from gui.window import Window

Open = Callable[[], ExportChoice]


@pytest.fixture
def window(qtbot: QtBot, tmp_path: Path) -> Iterator[Window]:
    application()
    settings = temporary_settings()
    settings.set("files/folder", str(tmp_path))
    window = Window(Session(Document.of(load("univariate-regression"))), settings)
    window.resize(1280, 720)
    window.show()
    window.settle()
    yield window
    window.close()


def opened(window: Window, qtbot: QtBot) -> ExportChoice:
    QTest.keyClick(window, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    card = window.overlay
    assert isinstance(card, ExportChoice)
    settled(card, qtbot)
    return card


def settled(card: ExportChoice, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not card.is_busy, timeout=30_000)


def choose(box: QComboBox, key: str) -> None:
    """Choose as a user does: the list's signal comes only from them."""
    index = box.findData(key)
    assert index >= 0
    box.setCurrentIndex(index)
    box.activated.emit(index)


def written(card: ExportChoice, qtbot: QtBot) -> str:
    with qtbot.waitSignal(card.written, timeout=60_000) as said:
        QTest.keyClick(card, Qt.Key.Key_Return)
    return str(said.args[0])  # type: ignore[index]


def test_every_format_stands_in_one_group_and_can_be_painted() -> None:
    listed = [kind.name for group in groups().values() for kind in group]
    assert sorted(listed) == sorted(kinds())
    assert {kind.name for kind in PICTURES} >= set(formats())
    for kind in PICTURES:
        if kind.name in formats():
            format = formats()[kind.name]
            assert (format.endings, format.several == "none") == (kind.endings, kind.takes == "one")
            assert ("scale" in kind.uses, "duration" in kind.uses) == (
                format.has_pixels,
                format.several == "frames",
            )


def test_two_keys_write_the_step_on_the_screen(window: Window, qtbot: QtBot, tmp_path: Path) -> None:
    window.session.go(5)
    card = opened(window, qtbot)
    assert card.note.text() == "Step 5 of 10"
    assert written(card, qtbot) == "Exported univariate-regression-step-005.svg."
    assert (tmp_path / "univariate-regression-step-005.svg").read_bytes().startswith(b"<?xml")
    qtbot.waitUntil(lambda: window.overlay is None)


def test_a_file_that_exists_is_said_before_it_is_replaced(
    window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    path = tmp_path / "univariate-regression-step-000.svg"
    path.write_text("mine")
    card = opened(window, qtbot)
    assert card.note.text() == "This replaces univariate-regression-step-000.svg."
    assert card.export_button.text() == "Replace"
    QTest.keyClick(card, Qt.Key.Key_Escape)
    assert path.read_text() == "mine"


def test_a_legend_and_numbers_are_offered_for_the_graph(window: Window, qtbot: QtBot, tmp_path: Path) -> None:
    card = opened(window, qtbot)
    for subject, is_offered in (("neurons", False), ("step", False), ("graph", True)):
        choose(card.subjects, subject)
        assert (card.legend.isVisible(), card.numbers.isVisible()) == (is_offered, is_offered)
    card.legend.click()
    card.numbers.click()
    settled(card, qtbot)
    choose(card.subjects, "step")  # what is ticked there is kept, and does not matter here
    settled(card, qtbot)
    assert card.export_button.isEnabled()
    choose(card.subjects, "graph")
    settled(card, qtbot)
    written(card, qtbot)
    assert "stored for backward" in (tmp_path / "univariate-regression-step-000.svg").read_text("utf-8")


def test_all_steps_are_a_file_each(window: Window, qtbot: QtBot, tmp_path: Path) -> None:
    card = opened(window, qtbot)
    choose(card.kinds, "png")
    choose(card.steps, "All steps")
    card.scale.setValue(0.5)
    settled(card, qtbot)
    assert card.note.text() == "11 files, a step each"
    said = written(card, qtbot)
    assert said.startswith("Exported 11 files")
    images = [QImage(str(path)) for path in sorted(tmp_path.glob("*-step-0*.png"))]
    assert len(images) == 11
    assert len({image.size().toTuple() for image in images}) == 1


def test_a_page_says_where_it_opens(window: Window, qtbot: QtBot) -> None:
    window.session.go(5)
    card = opened(window, qtbot)
    choose(card.kinds, "html")
    assert card.note.text() == "Every step; opens at step 5 of 10"
    choose(card.kinds, "markdown")
    assert card.note.text() == ""


def test_steps_can_be_typed_and_wrong_ones_are_said(window: Window, qtbot: QtBot) -> None:
    card = opened(window, qtbot)
    choose(card.steps, STEPS[-1])
    QTest.keyClicks(card.typed, "3-5, last")
    assert card.note.text() == "4 files, a step each"
    QTest.keyClicks(card.typed, "9")
    assert card.note.text().startswith("'last9' is no step.")
    assert not card.export_button.isEnabled()
    QTest.keyClick(card, Qt.Key.Key_Return)
    assert window.overlay is card


def test_a_document_is_read_before_it_is_written(window: Window, qtbot: QtBot, tmp_path: Path) -> None:
    card = opened(window, qtbot)
    choose(card.kinds, "json")
    settled(card, qtbot)
    assert card.text.toPlainText().startswith("{")
    assert not card.themes.isVisibleTo(card)
    card.copy_button.click()
    settled(card, qtbot)
    assert card.note.text() == "Copied."
    assert json.loads(QGuiApplication.clipboard().text())["loss"] == window.session.trace.loss
    written(card, qtbot)
    document = json.loads((tmp_path / "univariate-regression.json").read_text())
    assert document["loss"] == window.session.trace.loss


def test_another_detail_leaves_the_window_as_it_is(window: Window, qtbot: QtBot, tmp_path: Path) -> None:
    window.session.go(4)
    card = opened(window, qtbot)
    choose(card.kinds, "json")
    choose(card.details, "primitive")
    settled(card, qtbot)
    written(card, qtbot)
    document = json.loads((tmp_path / "univariate-regression.json").read_text())
    assert document["detail"] == "primitive"
    assert (window.session.detail, window.session.position) == (Detail.EQUATION, 4)


def test_a_name_that_was_typed_is_kept_and_follows_the_format(window: Window, qtbot: QtBot) -> None:
    card = opened(window, qtbot)
    card.name.selectAll()
    QTest.keyClicks(card.name, "mine.svg")
    choose(card.kinds, "png")
    assert card.name.text() == "mine.png"


def test_another_ending_chooses_its_format(window: Window, qtbot: QtBot) -> None:
    card = opened(window, qtbot)
    card.name.selectAll()
    QTest.keyClicks(card.name, "mine.json")
    assert (card.wanted.kind, card.kinds.currentData(), card.name.text()) == ("json", "json", "mine.json")
    assert not card.themes.isVisibleTo(card)
    card.name.selectAll()
    QTest.keyClick(card.name, Qt.Key.Key_Delete)
    assert card.note.text() == "The file has no name. Type one."
    assert not card.export_button.isEnabled()


def test_a_folder_that_is_not_there_is_said(window: Window, qtbot: QtBot) -> None:
    card = opened(window, qtbot)
    card.name.selectAll()
    QTest.keyClicks(card.name, "no/such/folder/a.svg")
    assert card.note.text().startswith("There is no folder no/such/folder.")
    assert not card.export_button.isEnabled()


def test_a_picture_is_copied_as_pixels_and_vectors(window: Window, qtbot: QtBot) -> None:
    card = opened(window, qtbot)
    card.copy_button.click()
    settled(card, qtbot)
    data = QGuiApplication.clipboard().mimeData()
    assert data.hasImage()
    assert bytes(data.data("image/svg+xml").data()).startswith(b"<?xml")
    assert card.note.text() == "Copied."


def test_what_was_chosen_last_is_chosen_again(window: Window, qtbot: QtBot) -> None:
    card = opened(window, qtbot)
    choose(card.kinds, "png")
    choose(card.themes, "print")
    written(card, qtbot)
    again = opened(window, qtbot)
    assert (again.wanted.kind, again.wanted.theme) == ("png", "print")


def test_cancelled_files_are_not_there(window: Window, qtbot: QtBot, tmp_path: Path) -> None:
    card = opened(window, qtbot)
    choose(card.kinds, "png")
    choose(card.steps, "All steps")
    settled(card, qtbot)
    pid = painter().pid
    QTest.keyClick(card, Qt.Key.Key_Return)
    (exporter,) = card.findChildren(Exporter)
    with qtbot.waitSignal(exporter.progressed, timeout=30_000):
        pass
    QTest.keyClick(card, Qt.Key.Key_Escape)
    assert painter().pid != pid
    qtbot.waitUntil(lambda: not any(path.name.startswith(".") for path in tmp_path.iterdir()))
    there = sorted(path.name for path in tmp_path.iterdir())
    qtbot.wait(50)
    assert sorted(path.name for path in tmp_path.iterdir()) == there
    assert len(there) < 11
    assert not any(QImage(str(tmp_path / name)).isNull() for name in there)


def test_the_window_goes_on_while_pictures_are_painted(window: Window, qtbot: QtBot, tmp_path: Path) -> None:
    """No slice of the window's thread is long, by the time that it computes; what is on the screen stays."""
    window.session.open("perceptron-classifier")
    window.settle()
    window.session.go(4)
    card = opened(window, qtbot)
    choose(card.steps, "Backward")
    settled(card, qtbot)
    slices, last = [], [thread_time()]

    def tick() -> None:
        now = thread_time()
        slices.append(now - last[0])
        last[0] = now

    timer = QTimer(interval=5)
    timer.timeout.connect(tick)
    timer.start()
    written(card, qtbot)
    timer.stop()
    assert len(list(tmp_path.glob("*.svg"))) > 5
    assert max(slices) < 0.12
    assert window.session.position == 4


def test_what_is_exported_is_what_there_was_then(window: Window, qtbot: QtBot, tmp_path: Path) -> None:
    window.session.go(9)
    before = float(window.session.frame.values["L"])
    card = opened(window, qtbot)
    card.export()
    window.session.step_training()
    qtbot.waitUntil(lambda: window.overlay is None, timeout=30_000)
    kept = read_session(tmp_path / "univariate-regression-step-009.svg")
    assert (kept.place["iteration"], kept.place["position"]) == (0, 9)
    assert format_number(before) in (tmp_path / "univariate-regression-step-009.svg").read_text("utf-8")


def test_a_folder_that_cannot_be_written_to_is_said_at_once(window: Window, qtbot: QtBot) -> None:
    card = opened(window, qtbot)
    card.set_path("/proc/a.svg")
    settled(card, qtbot)
    QTest.keyClick(card, Qt.Key.Key_Return)
    settled(card, qtbot)
    assert "cannot be written" in card.note.text()
    assert window.overlay is card
