"""Where an answer is given: a field, or one of several choices; in lessons, exercises, predictions."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QRadioButton, QSizePolicy

from gui.fields import EDITING, ENTER, keeps
from gui.rich_text import RichText
from gui.theme import Theme

__all__ = ["AnswerField", "Choice"]


class AnswerField(QLineEdit):
    """Takes an answer; keys of the window are its own while it has the focus."""

    left = Signal()

    def event(self, event: QEvent) -> bool:
        return keeps(event, EDITING) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
            return
        super().keyPressEvent(event)


class Choice(QRadioButton):
    """One answer of several: its text may have formulas."""

    def __init__(self, text: str, theme: Theme) -> None:
        super().__init__()
        self._label = RichText(theme, parent=self)
        self._label.set_source(text)
        self._label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._label.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName(text)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    LEFT, TOP = 26, 4

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._label.set_theme(theme)

    # Qt

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in ENTER:
            self.click()
            return
        super().keyPressEvent(event)

    def hitButton(self, point) -> bool:  # noqa: ANN001  Qt's own
        return self.rect().contains(point)

    def heightForWidth(self, width: int) -> int:
        return max(28, self._label.text_height(width - self.LEFT) + 2 * self.TOP)

    def sizeHint(self) -> QSize:
        width = self.width() or 300
        return QSize(200, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        return QSize(80, 28)

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        # A layout inside of a layout asks for the height at a width once, and keeps what it heard.
        self.setMinimumHeight(self.heightForWidth(self.width()))
        self._label.setGeometry(self.LEFT, self.TOP, self.width() - self.LEFT, self.height() - self.TOP)
