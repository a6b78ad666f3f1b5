"""Files dropped onto the window are opened by their ending; others are left to whoever takes them."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from gui.data_choice import DataChoice
from gui.dropping import Dropping
from gui.formula_text import FormulaText
from gui.window import Window
from tests.gui.conftest import OpenWindow

COPY, LEFT, NONE = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def drop(widget: QWidget, *paths: Path) -> bool:
    """Drag files over a widget and let them go; say whether they were taken."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    place = QPointF(5, 5)
    enter = QDragEnterEvent(place.toPoint(), COPY, mime, LEFT, NONE)
    enter.ignore()
    QApplication.sendEvent(widget, enter)
    if enter.isAccepted():
        QApplication.sendEvent(widget, QDropEvent(place, COPY, mime, LEFT, NONE))
    return enter.isAccepted()


def test_the_ending_decides_who_is_called(qtbot: QtBot) -> None:
    widget, calls, said = QWidget(), [], []
    qtbot.addWidget(widget)
    dropping = Dropping(widget, {".csv": lambda path: calls.append(("csv", Path(path).name))}, said.append)
    dropping.add({".toml": lambda path: calls.append(("toml", Path(path).name))})
    assert drop(widget, Path("/a/b.CSV"))
    assert drop(widget, Path("/a/c.toml"))
    assert said == []
    assert drop(widget, Path("/a/d.png"))
    assert drop(widget, Path("/a/b.csv"), Path("/a/c.csv"))
    assert calls == [("csv", "b.CSV"), ("toml", "c.toml")]
    assert said == [
        "d.png is not a kind of file that is opened here. Drop a file that ends in .csv, .toml.",
        "2 files were dropped, and one is opened at a time. Drop a file that ends in .csv, .toml.",
    ]


def test_what_has_no_file_is_left_to_whoever_takes_it(qtbot: QtBot) -> None:
    widget, said = QWidget(), []
    qtbot.addWidget(widget)
    Dropping(widget, {}, said.append)
    assert not drop(widget)
    assert said == []


@pytest.mark.parametrize("name", ["notes.pdf", "sheets", "noending"])
def test_one_sentence_says_what_the_window_does_not_open(window: Window, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.mkdir() if name == "sheets" else path.write_bytes(b"%PDF-1.7")
    before = window.session.document
    text = window.panels["formula"].findChild(FormulaText)
    assert text is not None
    for target in (window, text.viewport()):
        window.messages.dismiss()
        widget: QWidget | None = target
        while widget is not None and not drop(widget, path):  # as Qt does: who does not take it leaves it
            widget = widget.parentWidget()  # to its parent
        assert window.messages.current is not None
        assert window.messages.current.text.startswith(name)
        assert ".toml" in window.messages.current.text
    assert window.session.document is before


@pytest.mark.parametrize("ending", ["csv", "tsv", "txt"])
def test_a_data_file_dropped_onto_the_window_is_offered(
    qtbot: QtBot, open_window: OpenWindow, tmp_path: Path, ending: str
) -> None:
    window = open_window("univariate-regression")
    path = tmp_path / f"mine.{ending}"
    path.write_text("u\tv\n1\t2\n3\t4\n5\t6\n")
    before = window.session.document
    assert drop(window, path)
    choice = window.overlay
    assert isinstance(choice, DataChoice)
    qtbot.waitUntil(lambda: choice.found.network is not None)
    assert window.session.document is before
    path.write_text("u\tv\n1\t2\n3\t4\n5\t6\n7\t8\n")
    assert drop(window, path)
    assert window.overlay is choice
    qtbot.waitUntil(lambda: choice.headline.text() == "4 examples")
    qtbot.keyClick(choice, Qt.Key.Key_Return)
    assert window.session.model.examples == 4
    assert window.overlay is None or not window.overlay.isVisible()
    window.close()
