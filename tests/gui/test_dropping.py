"""Files dropped onto the window are opened by their ending; others are left to whoever takes them."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from gui.app import application, make_window, temporary_settings
from gui.data_choice import DataChoice
from gui.dropping import Dropping

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
    widget, calls = QWidget(), []
    qtbot.addWidget(widget)
    dropping = Dropping(widget, {".csv": lambda path: calls.append(("csv", Path(path).name))})
    dropping.add({".toml": lambda path: calls.append(("toml", Path(path).name))})
    assert drop(widget, Path("/a/b.CSV"))
    assert drop(widget, Path("/a/c.toml"))
    assert not drop(widget, Path("/a/d.png"))
    assert not drop(widget, Path("/a/b.csv"), Path("/a/c.csv"))
    assert calls == [("csv", "b.CSV"), ("toml", "c.toml")]


@pytest.mark.parametrize("ending", ["csv", "tsv", "txt"])
def test_a_data_file_dropped_onto_the_window_is_offered(qtbot: QtBot, tmp_path: Path, ending: str) -> None:
    application()
    window = make_window("univariate-regression", temporary_settings())
    qtbot.addWidget(window)
    window.show()
    window.settle()
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
