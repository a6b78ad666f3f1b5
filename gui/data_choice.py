"""The popup in which the data set and its columns are chosen."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QFrame, QWidget

from gui.session import Session
from gui.theme import Theme


class DataChoice(QFrame):
    """Choose the data set."""

    applied = Signal()

    def __init__(self, session: Session, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._session = session
        self._theme = theme

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme

    def open_under(self, button: QWidget) -> None:
        """Show the popup under a button."""
        self.move(button.mapToGlobal(QPoint(0, button.height() + 4)))
        self.show()
