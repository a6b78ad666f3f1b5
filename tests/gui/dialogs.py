"""What a user does with a file dialog: types a name, chooses a kind of file, presses Return or Escape."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import shiboken6
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QFileDialog, QLineEdit, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

LIMIT = 30_000


def dialog_of(qtbot: QtBot, window: QWidget) -> QFileDialog:
    """Return the file dialog that is open, as soon as it is."""

    def is_open() -> bool:
        return any(dialog.isVisible() for dialog in window.findChildren(QFileDialog))

    qtbot.waitUntil(is_open, timeout=LIMIT)
    return next(dialog for dialog in window.findChildren(QFileDialog) if dialog.isVisible())


def answer(
    qtbot: QtBot, window: QWidget, path: Path | str, kind: str = "", *, replaces: bool = False
) -> None:
    """Go to a folder in the dialog that is open, type a name, and press Return.

    Parameters
    ----------
    kind
        What the kind of file that is chosen begins with.
    replaces
        Whether the file may be replaced, if the dialog asks.
    """
    dialog = dialog_of(qtbot, window)
    assert dialog.testOption(QFileDialog.Option.DontUseNativeDialog) or QApplication.testAttribute(
        Qt.ApplicationAttribute.AA_DontUseNativeDialogs
    )
    if kind:
        box = dialog.findChild(QComboBox, "fileTypeCombo")
        assert box is not None
        QTest.keyClicks(box, kind)
        assert box.currentText().startswith(kind)
    dialog.setDirectory(str(Path(path).parent))  # nothing of the list is chosen any more
    with asked_to_replace(replaces) as asked:
        qtbot.waitUntil(lambda: _confirm(dialog, Path(path).name), timeout=LIMIT)
    assert bool(asked) == replaces, asked
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=LIMIT)


def _confirm(dialog: QFileDialog, name: str) -> bool:
    """Press Return where the name stands in its field; type it where the dialog has put another one."""
    popup = QApplication.activePopupWidget()  # completions, which take the keys while they are open
    if not shiboken6.isValid(dialog) or not dialog.isVisible():
        return True
    field = dialog.findChild(QLineEdit, "fileNameEdit")
    assert field is not None
    if popup is not None:
        QTest.keyClick(popup, Qt.Key.Key_Escape)
    elif field.text() == name:
        QTest.keyClick(field, Qt.Key.Key_Return)
    else:
        field.selectAll()
        QTest.keyClicks(field, name)
    return not shiboken6.isValid(dialog) or not dialog.isVisible()


@contextmanager
def asked_to_replace(replaces: bool) -> Iterator[list[str]]:
    """Answer whether a file is replaced, which is asked in a loop of its own; yield what was asked."""
    asked: list[str] = []

    def look() -> None:
        box = QApplication.activeModalWidget()
        if isinstance(box, QMessageBox):
            asked.append(box.text())
            kind = QMessageBox.StandardButton.Yes if replaces else QMessageBox.StandardButton.No
            button = box.button(kind)
            assert button is not None
            button.click()

    timer = QTimer(interval=20)
    timer.timeout.connect(look)
    timer.start()
    try:
        yield asked
    finally:
        timer.stop()


def no_dialog(window: QWidget) -> bool:
    """Say whether no file dialog is open."""
    return not any(dialog.isVisible() for dialog in window.findChildren(QFileDialog))
