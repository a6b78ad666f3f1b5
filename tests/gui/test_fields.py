"""Fields as they are seen."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from gui.app import application
from gui.fields import TextField

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


class Paints(QObject):
    """Counts how often a widget is painted."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.count = 0
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.Paint
        return False


def test_another_hint_is_seen_at_once(qtbot: QtBot) -> None:
    application()
    parent, field = QWidget(), TextField()
    qtbot.addWidget(parent)
    column = QVBoxLayout(parent)
    column.addWidget(QLineEdit())  # which has the focus
    column.addWidget(field)
    paints = Paints(field.viewport())
    parent.show()
    field.set_hint("xavier (k × 1)")
    qtbot.waitUntil(lambda: paints.count > 0)
    QApplication.processEvents()
    paints.count = 0
    field.set_hint("xavier (k × n)")
    qtbot.waitUntil(lambda: paints.count > 0)
